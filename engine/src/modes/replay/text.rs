//! Records and frames as text: one line each, with the words of `market` and of FIX.

use crate::modes::event_text::{Names, event_text};
use crate::pipeline::records::Record;
use crate::report::words;
use crate::trading::OpeningState;
use market::{
    Command, CommandKind, Event, Instrument, InstrumentId, OrderId, Report, ReportKind, TimeInForce,
};
use std::fmt::Write as _;

/// A record as text: one line, and one more for each event of a packet.
pub(super) fn describe(kind: u16, payload: &[u8], instruments: &[Instrument]) -> String {
    match Record::decode(kind, payload) {
        Ok(record) => record_text(&record, instruments),
        Err(error) => format!("{error} ({} bytes)", payload.len()),
    }
}

/// A decoded record as text.
pub(super) fn record_text(record: &Record, instruments: &[Instrument]) -> String {
    match record {
        Record::Start(start) => {
            let opening = match OpeningState::from_bytes(&start.opening) {
                Ok(opening) => format!(
                    "epoch {}, {} open orders{}",
                    opening.epoch,
                    opening.orders.len(),
                    opening.killed.map_or_else(String::new, |why| format!(", killed by {why}"))
                ),
                Err(error) => error.to_string(),
            };
            format!("start {} by {}: {opening}", start.mode, start.build)
        }
        Record::Packet(_, events) => {
            let mut text = format!("packet of {}", events.len());
            for event in events {
                let _ = write!(text, "\n    {}", venue_event(event, instruments));
            }
            text
        }
        Record::PacketAt(_, first, count) => format!("packet of {count}, from event {first}"),
        Record::Report(_, mid, report) => {
            let mid = mid.map_or_else(String::new, |mid| format!(", mid {mid}"));
            format!("report {}{mid}", report_text(report, instruments))
        }
        Record::Timers(_) => "timers".to_owned(),
        Record::Control(_, control) => {
            let kind = control.kind().map_or_else(|| "nothing known".to_owned(), words);
            format!("control {kind} by {}: {}", control.name(), control.reason())
        }
        Record::Command(published, command) => {
            let fate = if *published { "" } else { " (not published)" };
            format!("command {}{fate}", command_text(command, instruments))
        }
        Record::Hash(inputs, hash) => format!("state {hash:032x} after {inputs} inputs"),
        Record::End(inputs, hash) => format!("end {hash:032x} after {inputs} inputs"),
    }
}

/// The time that a record bears, if its kind has one.
pub(super) fn time_of(record: &Record) -> Option<market::Timestamp> {
    match record {
        Record::Start(start) => Some(start.now),
        Record::Packet(now, _)
        | Record::PacketAt(now, ..)
        | Record::Report(now, ..)
        | Record::Timers(now)
        | Record::Control(now, _) => Some(*now),
        Record::Command(..) | Record::Hash(..) | Record::End(..) => None,
    }
}

impl Names for [Instrument] {
    fn name(&self, id: InstrumentId) -> Option<(&str, u32)> {
        self.get(id.index()).map(|instrument| (instrument.symbol.as_str(), instrument.qty_digits))
    }
}

/// `epoch.count` of our ids, as people compare them.
fn id(id: OrderId) -> String {
    id.0.to_string()
}

/// An event with its venue's time.
fn venue_event(event: &Event, instruments: &[Instrument]) -> String {
    format!("{}, venue {}", event_text(event, instruments), event.exchange_time)
}

fn command_text(command: &Command, instruments: &[Instrument]) -> String {
    let Some(kind) = command.kind() else { return "of unknown kind".to_owned() };
    if kind == CommandKind::Mark {
        let (next, reports) = (command.id.0, command.target.0);
        return format!("mark: next packet {next}, {reports} reports consumed");
    }
    let mut text = format!("{} {}", words(kind), id(command.id));
    if command.target != OrderId::NONE {
        let _ = write!(text, " of {}", id(command.target));
    }
    let _ = write!(text, " {}", instruments.symbol(command.instrument));
    if let Some(side) = command.side() {
        let _ = write!(text, " {}", words(side));
    }
    if matches!(kind, CommandKind::New | CommandKind::Replace) {
        let qty = instruments.qty(command.qty, command.instrument);
        let _ = write!(text, " {qty} at {}", command.price);
        if command.post_only() {
            text.push_str(", post only");
        }
        if command.time_in_force() == TimeInForce::ImmediateOrCancel {
            text.push_str(", immediate or cancel");
        }
    }
    text
}

fn report_text(report: &Report, instruments: &[Instrument]) -> String {
    let Some(kind) = report.kind() else { return "of unknown kind".to_owned() };
    let mut text = words(kind);
    if report.order != OrderId::NONE {
        let _ = write!(text, " {}", id(report.order));
    }
    if report.target != OrderId::NONE && report.target != report.order {
        let _ = write!(text, " of {}", id(report.target));
    }
    if report.instrument != Event::ALL {
        let _ = write!(text, " {}", instruments.symbol(report.instrument));
    }
    if let Some(side) = report.side() {
        let _ = write!(text, " {}", words(side));
    }
    if report.qty.is_positive() {
        let qty = |quantity| instruments.qty(quantity, report.instrument);
        let _ = write!(text, " {} at {}", qty(report.qty), report.price);
        if kind == ReportKind::Filled {
            let (cum, leaves) = (qty(report.cum_qty), qty(report.leaves_qty));
            let _ = write!(text, ", {cum} in all, {leaves} left");
        }
    }
    if let Some(liquidity) = report.liquidity() {
        let _ = write!(text, ", {}", words(liquidity));
    }
    if let Some(fee) = report.fee() {
        let _ = write!(text, ", fee {fee}");
    }
    if report.reason() != market::RejectReason::None {
        let _ = write!(text, ": {}", words(report.reason()));
    }
    text
}

/// A FIX frame with visible field separators.
pub(super) fn frame_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\x01', "|")
}
