//! Recordings: published verbatim, at a pace, and in step with an engine.

use super::lab::{Lab, NOON, buy, config, instruments, kinds};
use crate::config::{ExchangeConfig, FlowKind, SessionDay, Speed};
use feeds::itch50::Encoder;
use feeds::moldudp64::Packet;
use market::{
    Command, Event, EventKind, InstrumentId, Nanos, Price, Qty, ReportKind as K, Side, Timestamp,
};
use std::path::Path;

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

/// A second of the recorded day.
fn at(second: u64) -> Timestamp {
    NOON.midnight().after(Nanos::from_secs(36_000 + second))
}

/// A bid of 100 and an ask of 100, then 30 and 40 traded against the bid; a message a second.
fn record(folder: &Path, config: &ExchangeConfig) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(&instruments(config), NOON.midnight()).unwrap();
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut keep = |message: &[u8]| messages.push(message.to_vec());
    encoder.system(b'O', at(0), &mut keep).unwrap();
    encoder.directory(at(0), &mut keep).unwrap();
    let event = |second, kind, order, qty| Event {
        exchange_time: at(second),
        order,
        qty: Qty::from_raw(qty),
        ..Event::new(kind, InstrumentId(0))
    };
    let bid = Event { price: price("10.00"), ..event(1, EventKind::Add, 1, 100) };
    let ask = Event { price: price("10.02"), ..event(2, EventKind::Add, 2, 100) };
    let events = [
        bid.with_side(Some(Side::Buy)),
        ask.with_side(Some(Side::Sell)),
        event(3, EventKind::Execute, 1, 30),
        event(4, EventKind::Execute, 1, 40),
    ];
    for event in &events {
        encoder.encode(event, &mut keep).unwrap();
    }
    let mut file = Vec::new();
    for message in &messages {
        file.extend_from_slice(&u16::try_from(message.len()).unwrap().to_be_bytes());
        file.extend_from_slice(message);
    }
    std::fs::write(folder.join("recording"), file).unwrap();
    messages
}

fn replay(folder: &Path) -> (ExchangeConfig, Vec<Vec<u8>>) {
    let mut config = config(&folder.join("data"), &["A"]);
    let messages = record(folder, &config);
    config.flow.kind = FlowKind::Replay;
    config.flow.file = Some(folder.join("recording"));
    config.flow.session_day = SessionDay::Date(NOON.midnight());
    (config, messages)
}

fn published(lab: &Lab) -> Vec<Vec<u8>> {
    let packets = lab.net.packets.iter().map(|bytes| Packet::parse(bytes).unwrap());
    packets.flat_map(|packet| packet.messages().map(<[u8]>::to_vec).collect::<Vec<_>>()).collect()
}

#[test]
fn a_recording_is_published_verbatim_each_message_a_packet() {
    let folder = tempfile::tempdir().unwrap();
    let (mut settings, messages) = replay(folder.path());
    settings.flow.speed = Speed::Max;
    let mut lab = Lab::new(&settings, NOON);
    lab.run(Nanos::from_millis(10));
    assert_eq!(published(&lab), messages);
    let carrying = lab.net.packets.iter().filter(|bytes| Packet::parse(bytes).unwrap().count > 0);
    assert!(carrying.clone().all(|bytes| Packet::parse(bytes).unwrap().count == 1));
    assert_eq!(carrying.count(), messages.len());
    assert_eq!(lab.net.packets.last().unwrap()[18..20], [0xff, 0xff], "the session is over");
    let report = lab.core.report();
    assert!(report.at_end && report.trades == 2 && report.complaint.is_none());
}

#[test]
fn a_recording_goes_on_where_it_was_and_begins_anew_after_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (settings, messages) = replay(folder.path());
    let mut lab = Lab::new(&settings, NOON);
    lab.run(Nanos::from_millis(2_500));
    let first = published(&lab);
    assert!(first.len() > 2 && first.len() < messages.len(), "at its own speed");
    let session = lab.core.report().session;
    let mut lab = lab.restart();
    assert_eq!(lab.core.report().session, session);
    lab.run(Nanos::from_secs(10));
    assert_eq!([first, published(&lab)].concat(), messages);
    let mut lab = lab.restart();
    assert_ne!(lab.core.report().session, session);
    lab.run(Nanos::from_secs(10));
    assert_eq!(published(&lab), messages);
}

#[test]
fn lockstep_waits_for_packet_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    let (mut settings, messages) = replay(folder.path());
    settings.flow.lockstep = true;
    let total = messages.len() as u64;
    let mut lab = Lab::new(&settings, NOON);
    let pause = Nanos::from_millis(5);
    lab.run(pause);
    assert_eq!(published(&lab).len(), 0, "nobody is there");
    lab.log_on(0);
    lab.run(pause);
    let id = lab.engines[0].id();
    lab.command(0, &Command::mass_status(id));
    lab.run(pause);
    assert_eq!(published(&lab).len(), 0, "it has not said that it is ready");
    // All but the two trades; an order joins the bid behind 100.
    lab.command(0, &Command::mark(0, 0));
    for next in 2..=total - 1 {
        lab.run(pause);
        assert_eq!(published(&lab).len() as u64, next - 1, "one packet a mark");
        if next < total - 1 {
            lab.command(0, &Command::mark(next, 0));
        }
    }
    let id = lab.engines[0].id();
    lab.command(0, &buy(id, price("10.01"), 20));
    lab.command(0, &Command::mark(total - 1, 0));
    lab.run(pause);
    assert_eq!(published(&lab).len() as u64, total - 2, "the acknowledgement is not taken yet");
    lab.engines[0].heard();
    lab.command(0, &Command::mark(total - 1, 1));
    lab.run(pause);
    // The trade happened and filled us ahead of the bid: the report comes before the packet.
    let reports = lab.engines[0].heard();
    assert_eq!(kinds(&reports), [K::Filled]);
    assert_eq!((reports[0].qty, reports[0].price), (Qty::from_raw(20), price("10.01")));
    assert_eq!(reports[0].exchange_time, at(3), "the venue's time is the recording's");
    assert_eq!(published(&lab).len() as u64, total - 2);
    lab.command(0, &Command::mark(total - 1, 2));
    lab.run(pause);
    assert_eq!(published(&lab).len() as u64, total - 1);

    // A break: the engine counts on, we from the logon.
    lab.hang_up(0);
    lab.run(pause);
    lab.log_on(0);
    lab.engines[0].heard();
    let id = lab.engines[0].id();
    lab.command(0, &Command::mass_status(id));
    lab.run(pause);
    assert_eq!(published(&lab).len() as u64, total - 1);
    lab.command(0, &Command::mark(total, 2));
    lab.run(pause);
    assert_eq!(published(&lab), messages);
}

#[test]
fn lockstep_is_with_one_engine() {
    let folder = tempfile::tempdir().unwrap();
    let (mut settings, _) = replay(folder.path());
    settings.flow.lockstep = true;
    settings.fix.accounts.push("B".to_owned());
    let opened = crate::pipeline::exchange::ExchangeCore::open(&settings, false, 6, NOON);
    let error = opened.err().unwrap();
    assert!(error.to_string().contains("name one account"), "{error}");
}
