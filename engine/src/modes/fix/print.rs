//! What is shown of one input after the other, as text for people or as JSON for machines.

use super::capture::Summary;
use super::known::Known;
use super::shown::{Line, Place, Shown, Spoken};
use serde::Serialize;
use std::fmt;
use std::io::Write;

/// How it is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// One JSON object a message.
    pub json: bool,
    /// Colours, for a terminal.
    pub colour: bool,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that were shown.
    pub messages: u64,
    /// Those of them whose length, sum or first fields are wrong.
    pub wrong: u64,
    /// Starts of messages that are none.
    pub garbled: u64,
    /// Places where a capture lacks bytes.
    pub holes: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { messages, wrong, garbled, holes } = self;
        write!(f, "{messages} messages, {wrong} of them wrong, {garbled} garbled parts")?;
        if *holes > 0 { write!(f, ", {holes} holes") } else { Ok(()) }
    }
}

/// Shows messages and counts them.
pub(super) struct Printer<'o> {
    out: &'o mut dyn Write,
    style: Style,
    spoken: Spoken<'o>,
    pub(super) tally: Tally,
}

#[derive(Serialize)]
struct Garbled<'p> {
    #[serde(flatten)]
    place: &'p Place,
    garbled: &'p str,
}

#[derive(Serialize)]
struct Missing<'p> {
    #[serde(flatten)]
    place: &'p Place,
    hole: Bytes,
}

/// Bytes of a stream that are missing: how many stand before them, and how many they are.
#[derive(Serialize)]
struct Bytes {
    at: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct OfCapture<'s> {
    file: &'s str,
    summary: &'s Summary,
}

impl<'o> Printer<'o> {
    pub(super) fn new(out: &'o mut dyn Write, style: Style, known: &'o Known) -> Printer<'o> {
        Printer { out, style, spoken: Spoken::new(known), tally: Tally::default() }
    }

    /// A message; its secrets are overwritten.
    pub(super) fn message(&mut self, place: &Place, message: &mut [u8]) -> std::io::Result<()> {
        let shown = self.spoken.show(place, message);
        self.tally.messages += 1;
        self.tally.wrong += u64::from(!shown.right);
        if self.style.json {
            return self.object(&shown);
        }
        self.head(&shown)?;
        shown.fields.iter().try_for_each(|line| self.line(line))?;
        writeln!(self.out)
    }

    /// The start of a message that is none.
    pub(super) fn garbled(&mut self, place: &Place, reason: &str) -> std::io::Result<()> {
        self.tally.garbled += 1;
        if self.style.json {
            return self.object(&Garbled { place, garbled: reason });
        }
        let (red, plain) = self.colours("\x1b[31m");
        writeln!(self.out, "{red}{} garbled: {reason}{plain}\n", Where(place))
    }

    /// Bytes that a capture lacks: `at` of the stream stand before them.
    pub(super) fn hole(&mut self, place: &Place, at: u64, bytes: u64) -> std::io::Result<()> {
        self.tally.holes += 1;
        if self.style.json {
            return self.object(&Missing { place, hole: Bytes { at, bytes } });
        }
        let (red, plain) = self.colours("\x1b[31m");
        let place = Where(place);
        writeln!(self.out, "{red}{place} hole: {bytes} bytes missing after {at}{plain}\n")
    }

    /// What was in a capture, behind its messages.
    pub(super) fn summary(&mut self, name: &str, summary: &Summary) -> std::io::Result<()> {
        if self.style.json {
            return self.object(&OfCapture { file: name, summary });
        }
        let Summary { packets, flows, segments, retransmissions, overlaps, .. } = summary;
        let Summary { flows_dropped, contradictions, holes, bytes_missing, .. } = summary;
        writeln!(self.out, "{packets} packets, {segments} of TCP in {flows} flows")?;
        writeln!(self.out, "{retransmissions} retransmissions dropped, {overlaps} overlaps")?;
        writeln!(self.out, "{holes} holes, {bytes_missing} bytes missing")?;
        for (count, what) in [
            (*contradictions, "overlaps with other bytes than before: the first were kept"),
            (*flows_dropped, "flows dropped: too many were open, or held too much"),
            (summary.bytes_of_no_message, "bytes of no message"),
        ] {
            if count > 0 {
                writeln!(self.out, "{count} {what}")?;
            }
        }
        for skipped in &summary.skipped {
            let first = skipped.positions.first().copied().unwrap_or_default();
            let (count, reason) = (skipped.count, skipped.reason);
            writeln!(self.out, "skipped {count} × {reason}, first at byte {first}")?;
        }
        if let Some(cut) = &summary.cut {
            writeln!(self.out, "cut at byte {}: {}", cut.position, cut.reason)?;
        }
        Ok(())
    }

    /// A line that says which input follows.
    pub(super) fn input(&mut self, name: &str) -> std::io::Result<()> {
        if self.style.json { Ok(()) } else { writeln!(self.out, "== {name}\n") }
    }

    /// The last line.
    pub(super) fn end(&mut self) -> std::io::Result<()> {
        if self.style.json { Ok(()) } else { writeln!(self.out, "{}", self.tally) }
    }

    pub(super) fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }

    fn object(&mut self, object: &impl Serialize) -> std::io::Result<()> {
        serde_json::to_writer(&mut *self.out, object)?;
        writeln!(self.out)
    }

    fn head(&mut self, shown: &Shown<'_>) -> std::io::Result<()> {
        let (bold, plain) = self.colours("\x1b[1m");
        let name = shown.name.unwrap_or("unknown message");
        let Shown { msg_type, begin_string, bytes, .. } = shown;
        write!(self.out, "{} {bold}{name} ({msg_type}){plain}", Where(shown.place))?;
        writeln!(self.out, " {begin_string}, {bytes} bytes")
    }

    fn line(&mut self, line: &Line) -> std::io::Result<()> {
        let (red, plain) = self.colours("\x1b[31m");
        let Line { tag, name, value, meaning, depth, begins, wrong } = line;
        let mark = if *begins { '-' } else { ' ' };
        write!(self.out, "{:indent$}{mark} {tag:>5} ", "", indent = depth * 4)?;
        name.iter().try_for_each(|name| write!(self.out, "{name} "))?;
        write!(self.out, "= {value}")?;
        meaning.iter().try_for_each(|meaning| write!(self.out, " ({meaning})"))?;
        wrong.iter().try_for_each(|wrong| write!(self.out, "  {red}<- {wrong}{plain}"))?;
        writeln!(self.out)
    }

    /// What begins a colour and what ends it.
    fn colours(&self, begin: &'static str) -> (&'static str, &'static str) {
        if self.style.colour { (begin, "\x1b[0m") } else { ("", "") }
    }
}

/// Time, direction and place of a message.
struct Where<'p>(&'p Place);

impl fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { time, direction, from, to, offset, record, .. } = self.0;
        time.iter().try_for_each(|time| write!(f, "{time} "))?;
        direction.iter().try_for_each(|direction| write!(f, "{direction} "))?;
        if let (Some(from), Some(to)) = (from, to) {
            write!(f, "{from} → {to} ")?;
        }
        offset.iter().try_for_each(|offset| write!(f, "byte {offset}:"))?;
        record.iter().try_for_each(|record| write!(f, "record {record}:"))
    }
}
