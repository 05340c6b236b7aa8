//! Mapping tests: golden bytes, round trips through bytes, and each bad message by name.

mod bad_input;
mod golden;
mod reference;
mod round_trip;
mod wired;

use super::{Instruments, Requests, StatusAnswer};
use crate::fix::{Encoder, FieldIndex, Precision, Template};
use market::{Command, Instrument, Report, Timestamp};

/// ARL in whole shares, BTC in satoshis.
fn instruments() -> Instruments {
    let coin = Instrument { qty_digits: 8, ..Instrument::share(7, "BTC-USD") };
    Instruments::new(&[Instrument::share(0, "ARL"), coin]).unwrap()
}

const NOW: Timestamp = Timestamp::from_nanos(1_752_758_200_012_345_678);

/// One message made by `write`.
fn frame_of(kind: &[u8], write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut template = Template::new("FIX.4.4", "A", "B", Precision::Nanos).unwrap();
    let mut buffer = [0; 1024];
    let mut encoder = Encoder::begin(&mut buffer, &mut template, NOW, 9, kind);
    write(&mut encoder);
    encoder.finish().unwrap().to_vec()
}

/// A message of type `kind` with a `|`-separated body.
fn message_of(kind: &str, body: &str) -> Vec<u8> {
    let body = body.replace('|', "\x01");
    format!("8=FIX.4.4\x019=1\x0135={kind}\x0149=A\x0156=B\x0134=9\x01{body}").into_bytes()
}

/// A command's message, and the command in it.
fn command_frame(command: &Command) -> Vec<u8> {
    frame_of(super::msg_type(command).unwrap(), |encoder| {
        super::encode_command(command, &instruments(), None, NOW, encoder);
    })
}

fn report_frame(report: &Report, requests: &Requests, status: StatusAnswer) -> Vec<u8> {
    frame_of(super::report_msg_type(report).unwrap(), |encoder| {
        super::encode_report(report, &instruments(), requests, status, encoder);
    })
}

fn read_command(bytes: &[u8]) -> Result<Command, super::CommandError> {
    super::decode_command(&FieldIndex::new(64).parse(bytes), &instruments())
}

fn read_reports(bytes: &[u8], requests: &Requests) -> Result<Vec<Report>, super::ReportError> {
    let mut reports = Vec::new();
    let mut index = FieldIndex::new(64);
    let message = index.parse(bytes);
    super::decode_report(&message, 5, &instruments(), requests, &mut |r| reports.push(r))?;
    Ok(reports)
}

/// A report with more fields set.
fn built(mut report: Report, set: impl FnOnce(&mut Report)) -> Report {
    set(&mut report);
    report
}

/// The body of a message as text.
fn body_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\x01', "|");
    let header = text.find("|56=").map_or(0, |at| at + 1);
    let start = text[header..].find('|').map_or(0, |at| header + at + 1);
    text[start..text.len() - 7].to_owned()
}
