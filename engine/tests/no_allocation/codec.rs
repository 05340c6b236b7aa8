//! The FIX codec alone: every kind of order to bytes, and every kind of answer to the loop's report,
//! as session and order entry call it, without a single allocation.

use super::allocations_of;
use gateway::dialect::{Dialect, Settings};
use gateway::fix::{Encoder, FieldIndex, Frame, Precision, Template, frame};
use gateway::orders::{
    Instruments, Requests, StatusAnswer, decode_report, encode_command, encode_report, msg_type,
    report_msg_type,
};
use gateway::spec::{Dictionary, Validation, Version};
use market::{
    Command, Event, ExecId, Instrument, InstrumentId, OrderId, Price, Qty, Report, ReportKind,
    Side, Timestamp, VenueOrderId,
};

const BEGIN: Timestamp = Timestamp::from_nanos(1_750_000_000_000_000_000);
const LONGEST: usize = 4_096;
/// Messages of each kind.
const ROUNDS: u64 = 1_000;

/// Both ends of a session, and what the mapping must know.
struct Ends {
    template: Template,
    buffer: Vec<u8>,
    index: FieldIndex,
    instruments: Instruments,
    requests: Requests,
    dialect: Dialect,
}

impl Ends {
    fn new() -> Ends {
        let coin = Instrument { qty_digits: 8, ..Instrument::share(7, "BTC-USD") };
        Ends {
            template: Template::new("FIX.4.4", "US", "VENUE", Precision::Nanos).unwrap(),
            buffer: vec![0; LONGEST + Encoder::SLACK],
            index: FieldIndex::new(128),
            instruments: Instruments::new(&[coin]).unwrap(),
            requests: Requests::new(64),
            dialect: accounted(),
        }
    }

    /// A command to bytes; how many.
    fn encode(&mut self, command: &Command, now: Timestamp, seq: u64) -> usize {
        let Ends { template, buffer, instruments, dialect, .. } = self;
        let kind = msg_type(command, dialect).unwrap();
        let mut encoder = Encoder::begin(buffer, template, now, seq, kind);
        encode_command(command, instruments, dialect, now, &mut encoder);
        encoder.finish().unwrap().len()
    }

    /// A report to bytes and back.
    fn there_and_back(&mut self, report: &Report, now: Timestamp) -> Option<Report> {
        let Ends { template, buffer, index, instruments, requests, dialect } = self;
        let kind = report_msg_type(report).unwrap();
        let mut encoder = Encoder::begin(buffer, template, now, 9, kind);
        encode_report(
            report,
            instruments,
            dialect,
            requests,
            StatusAnswer::default(),
            &mut encoder,
        );
        let bytes = encoder.finish().unwrap();
        let Frame::Complete { len, .. } = frame(bytes, LONGEST) else { return None };
        let mut found = None;
        let message = index.parse(&bytes[..len]);
        let mut give = |report| found = Some(report);
        decode_report(&message, report.received, instruments, dialect, requests, &mut give).ok()?;
        found
    }
}

/// The longest orders: with an account.
fn accounted() -> Dialect {
    let account = Some("ACCOUNT".to_owned());
    Dialect::new(Settings { account, ..Settings::of(Version::Fix44) }).unwrap()
}

fn commands(round: u64) -> [Command; 6] {
    let id = |count| OrderId::new(1_750_000_000, 2 * round + count).unwrap();
    let (price, qty) = (Price::from_raw(65_000_010_000_000), Qty::from_raw(150_000_000));
    let coin = InstrumentId(7);
    [
        Command::new(id(1), coin, Side::Buy, price, qty),
        Command::replace(id(2), id(1), coin, Side::Buy, price, qty),
        Command::cancel(id(2), id(1), coin, Side::Sell),
        Command::mass_cancel(id(1), Event::ALL),
        Command::mass_status(id(1)),
        Command::mark(round, round),
    ]
}

fn report(kind: ReportKind, round: u64) -> Report {
    let mut report = Report::new(kind, OrderId(1 + round), InstrumentId(7)).with_side(Side::Sell);
    report.venue_order = VenueOrderId([round, 1]);
    report.exec = ExecId([2, round]);
    report.price = Price::from_raw(65_000_010_000_000);
    report.qty = Qty::from_raw(150_000_000);
    report.cum_qty = report.qty;
    report.exchange_time = BEGIN;
    report
}

#[test]
fn no_message_allocates() {
    let mut ends = Ends::new();
    let mut bytes = 0;
    let allocations = allocations_of(|| {
        for round in 0..ROUNDS {
            // Another second each time, so that the text of the time is made anew.
            let now = Timestamp::from_nanos(BEGIN.nanos() + round * 1_234_567_890);
            for command in &commands(round) {
                bytes += ends.encode(command, now, 1 + round);
            }
            for kind in [
                ReportKind::Accepted,
                ReportKind::Rejected,
                ReportKind::Filled,
                ReportKind::Replaced,
                ReportKind::Canceled,
            ] {
                let said = report(kind, round);
                let read = ends.there_and_back(&said, now);
                assert!(
                    read.is_some_and(|read| read.kind() == Some(kind) && read.exec == said.exec)
                );
            }
        }
    });
    assert_eq!(allocations, 0);
    assert!(bytes > 100 * 6 * usize::try_from(ROUNDS).unwrap());
}

#[test]
fn no_check_against_a_dictionary_allocates() {
    let quote = "8=FIXT.1.1|9=1|35=i|34=2|49=A|52=20250717-13:16:40|56=B|117=q|296=1|302=s|304=2|\
                 295=2|299=a|132=1.5|133=2|299=b|132=1.5|133=2|10=000|"
        .replace('|', "\x01");
    let short = quote.replace("295=2", "295=3");
    let mut index = FieldIndex::new(128);
    let dictionary = Dictionary::of(Version::Fix50Sp2);
    let allocations = allocations_of(|| {
        for validation in [Validation::Structure, Validation::Full] {
            let found = dictionary.check(&index.parse(quote.as_bytes()), validation);
            assert_eq!(found, Ok(()));
            let found = dictionary.check(&index.parse(short.as_bytes()), validation);
            assert_eq!(found.map_err(|fault| fault.tag), Err(295));
        }
    });
    assert_eq!(allocations, 0);
}
