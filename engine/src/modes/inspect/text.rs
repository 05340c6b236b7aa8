//! What was found, for people: one fact a line.

use super::Inspected;
use super::book::Shown;
use super::look::{Look, Span, time_text};
use crate::report::grouped;
use feeds::recording::Clock;
use market::{Level, Timestamp};
use std::fmt;

/// Instruments shown.
const INSTRUMENTS: usize = 20;
/// Places shown of gaps, skips and damage.
const PLACES: usize = 4;

/// The page of one file.
pub(super) struct Page<'a> {
    pub(super) inspected: &'a Inspected,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inspected { file, looks, others, error } = self.inspected;
        writeln!(f, "{file}")?;
        for look in looks {
            if looks.len() + others.len() > 1 {
                writeln!(f, "\n{}", look.name)?;
            }
            facts(f, look)?;
            for line in &look.head {
                writeln!(f, "{line}")?;
            }
            if let Some(book) = &look.book {
                match book.show() {
                    Ok(shown) => book_lines(f, &shown, look.description.clock)?,
                    Err(why) => fact(f, "book", why)?,
                }
            }
        }
        for (name, why) in others {
            writeln!(f, "\n{name}\n{:<14}{why}", "")?;
        }
        if looks.len() > 1 {
            fact(f, "\nall messages", grouped(self.inspected.messages()))?;
        }
        match error {
            Some(error) => fact(f, "error", error),
            None => Ok(()),
        }
    }
}

fn fact(f: &mut fmt::Formatter<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{name:<14}{value}")
}

fn facts(f: &mut fmt::Formatter<'_>, look: &Look) -> fmt::Result {
    let description = &look.description;
    let version = match description.version.as_str() {
        "" => String::new(),
        version => format!(", {version}"),
    };
    fact(f, "format", format_args!("{}{version}", description.format))?;
    fact(f, "messages", grouped(look.counts.messages))?;
    for (name, count) in &look.counts.by_type {
        fact(f, "", format_args!("{name:<24} {:>14}", grouped(count)))?;
    }
    for (name, count) in &look.counts.others {
        fact(f, name, grouped(count))?;
    }
    fact(f, "events", grouped(look.events))?;
    span(f, "exchange time", look.exchange, description.clock)?;
    span(f, "received", look.received, Clock::Utc)?;
    instruments(f, look)?;
    trouble(f, look)?;
    match &look.error {
        Some(error) => fact(f, "error", error),
        None => Ok(()),
    }
}

fn span(f: &mut fmt::Formatter<'_>, name: &str, span: Option<Span>, clock: Clock) -> fmt::Result {
    let Some(Span { first, last }) = span else { return Ok(()) };
    let note = if clock == Clock::TimeOfDay { ", times of the venue's day" } else { "" };
    let (first_text, last_text) = (time_text(first, clock), time_text(last, clock));
    let seconds = last.since(first).as_secs_f64();
    fact(f, name, format_args!("{first_text} to {last_text} ({seconds:.3} s{note})"))
}

fn instruments(f: &mut fmt::Formatter<'_>, look: &Look) -> fmt::Result {
    let rows = look.busiest();
    fact(f, "instruments", grouped(rows.len()))?;
    for (symbol, _, events) in rows.iter().take(INSTRUMENTS) {
        fact(f, "", format_args!("{symbol:<24} {:>14} events", grouped(events)))?;
    }
    match rows.len().checked_sub(INSTRUMENTS) {
        Some(more @ 1..) => fact(f, "", format_args!("and {} more", grouped(more))),
        _ => Ok(()),
    }
}

fn trouble(f: &mut fmt::Formatter<'_>, look: &Look) -> fmt::Result {
    let (gaps, first) = look.log.gaps();
    fact(f, "gaps", grouped(gaps))?;
    for gap in first.iter().take(PLACES) {
        let count = if gap.count == 0 { "some".to_owned() } else { grouped(gap.count) };
        let (stream, at) = (&gap.stream, gap.position);
        fact(f, "", format_args!("{count} missing from {} of {stream}, at byte {at}", gap.first))?;
    }
    let skipped: u64 = look.log.skipped().map(|(_, count, _)| count).sum();
    fact(f, "skipped", grouped(skipped))?;
    for (reason, count, places) in look.log.skipped() {
        let places: Vec<String> = places.iter().take(PLACES).map(u64::to_string).collect();
        let more = if count > places.len() as u64 { ", …" } else { "" };
        let places = places.join(", ");
        fact(f, "", format_args!("{} × {reason}, at byte {places}{more}", grouped(count)))?;
    }
    let (damaged, first) = look.log.damaged();
    fact(f, "damaged", grouped(damaged))?;
    for part in first.iter().take(PLACES) {
        fact(f, "", format_args!("at byte {}: {}", part.position, part.reason))?;
    }
    let (seams, first) = look.log.seams();
    if seams > 0 {
        fact(f, "another file", format_args!("{} books went on in it", grouped(seams)))?;
    }
    for seam in first.iter().take(PLACES) {
        fact(f, "", format_args!("at byte {}: {}", seam.position, seam.reason))?;
    }
    match look.log.is_cut() {
        Some(cut) => fact(f, "cut", format_args!("at byte {}: {}", cut.position, cut.reason)),
        None => Ok(()),
    }
}

fn book_lines(f: &mut fmt::Formatter<'_>, book: &Shown, clock: Clock) -> fmt::Result {
    let updated = match book.updated {
        Timestamp::ZERO => "never".to_owned(),
        time => time_text(time, clock),
    };
    let (symbol, state) = (&book.symbol, &book.state);
    fact(f, "book", format_args!("{symbol}, {state}, last event {updated}"))?;
    for (reason, count) in &book.contradictions {
        fact(f, "", format_args!("contradicted: {} × {reason}", grouped(count)))?;
    }
    let [(bids, bid_depth), (asks, ask_depth)] = &book.sides;
    let level = |level: Option<&Level>| match level {
        Some(Level { price, qty, orders }) => {
            let qty = qty.to_decimal(book.qty_digits).normalize().to_string();
            let orders = if *orders > 0 { format!("({orders})") } else { String::new() };
            (format!("{orders} {qty}"), price.to_string())
        }
        None => (String::new(), String::new()),
    };
    writeln!(f, "{:>24} {:>16}   {:<16} ask quantity", "bid quantity", "bid", "ask")?;
    for depth in 0..bids.len().max(asks.len()) {
        let ((bid_qty, bid), (ask_qty, ask)) = (level(bids.get(depth)), level(asks.get(depth)));
        writeln!(f, "{bid_qty:>24} {bid:>16}   {ask:<16} {ask_qty}")?;
    }
    let bid_depth = format!("{bid_depth} levels");
    writeln!(f, "{:>24} {bid_depth:>16}   {ask_depth} levels", "")
}
