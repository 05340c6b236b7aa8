//! Records and frames as text: one line each, with the words of `market` and of FIX.

use crate::pipeline::records::Record;
use crate::report::words;
use crate::trading::OpeningState;
use market::{
    Command, CommandKind, Event, EventFlags, EventKind, Instrument, InstrumentId, OrderId, Price,
    Qty, Report, ReportKind, TimeInForce, TradingStatus,
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
                let _ = write!(text, "\n    {}", event_text(event, instruments));
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

fn symbol(id: InstrumentId, instruments: &[Instrument]) -> String {
    match instruments.get(id.index()) {
        Some(instrument) => instrument.symbol.clone(),
        None if id == Event::ALL => "all".to_owned(),
        None => format!("#{}", id.0),
    }
}

fn qty(qty: Qty, id: InstrumentId, instruments: &[Instrument]) -> String {
    match instruments.get(id.index()) {
        Some(instrument) => qty.to_decimal(instrument.qty_digits).to_string(),
        None => qty.raw().to_string(),
    }
}

/// `epoch.count` of our ids, as people compare them.
fn id(id: OrderId) -> String {
    id.0.to_string()
}

fn event_text(event: &Event, instruments: &[Instrument]) -> String {
    let Some(kind) = event.kind() else { return format!("event of unknown kind {}", event.kind) };
    let mut text = format!("{} {}", words(kind), symbol(event.instrument, instruments));
    if let Some(side) = event.side() {
        let _ = write!(text, " {}", words(side));
    }
    if event.qty != Qty::ZERO || event.price != Price::ZERO {
        let qty = qty(event.qty, event.instrument, instruments);
        let _ = write!(text, " {qty} at {}", event.price);
    }
    match kind {
        EventKind::Status => {
            let status = TradingStatus::from_aux(event.aux);
            let status = status.map_or_else(|| "unknown".to_owned(), words);
            let _ = write!(text, " {status}");
        }
        EventKind::Gap | EventKind::Lost => {
            let _ = write!(text, " of {} from {}", event.aux, event.order);
        }
        EventKind::Mark => {
            let _ = write!(text, " next {}", event.order);
        }
        _ if event.order != 0 => {
            let _ = write!(text, " order {}", event.order);
        }
        _ => {}
    }
    for (flag, name) in [
        (EventFlags::SNAPSHOT, "snapshot"),
        (EventFlags::CROSS, "cross"),
        (EventFlags::NON_PRINTABLE, "not printable"),
        (EventFlags::REPLACE, "replace"),
        (EventFlags::LAST, "last"),
    ] {
        if event.flags.has(flag) {
            let _ = write!(text, ", {name}");
        }
    }
    let _ = write!(text, ", venue {}", event.exchange_time);
    text
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
    let _ = write!(text, " {}", symbol(command.instrument, instruments));
    if let Some(side) = command.side() {
        let _ = write!(text, " {}", words(side));
    }
    if matches!(kind, CommandKind::New | CommandKind::Replace) {
        let qty = qty(command.qty, command.instrument, instruments);
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
        let _ = write!(text, " {}", symbol(report.instrument, instruments));
    }
    if let Some(side) = report.side() {
        let _ = write!(text, " {}", words(side));
    }
    if report.qty.is_positive() {
        let qty = |quantity| qty(quantity, report.instrument, instruments);
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
