//! The whole feed: packets in, groups of events out; and both lines losing, doubling, delaying and
//! reordering packets, with the same events at the end.

mod common;

use common::{BASE, decoder, shares};
use feeds::itch50::message::{Deleted, SystemEvent};
use feeds::itch50::{Decoder, Encoder, Header};
use feeds::moldudp64::{Config, Datagram, Line, MemoryStore, Publisher, RequestServer, Session};
use feeds::recording::{Options, Recording, Unit, Wanted};
use feeds::{Feed, ItchFile};
use market::{
    Event, EventFlags, EventKind, Instrument, InstrumentId, Nanos, Price, Qty, Rng, Side, Timestamp,
};
use std::collections::BTreeMap;

fn publisher() -> Publisher {
    Publisher::new(Session::new("FEED").unwrap(), 1, 1400, Nanos::from_millis(1))
}

fn take(feed: &mut Feed, line: Line, bytes: &[u8], now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    let datagram = Datagram { bytes, truncated: false, from: None, received: 5 };
    feed.on_datagram(line, &datagram, now, &mut events);
    assert!(events.len() <= Feed::EVENTS_MAX);
    events
}

fn kinds(events: &[Event]) -> Vec<(EventKind, u64, bool)> {
    let of = |e: &Event| (e.kind().unwrap(), e.order, e.flags.has(EventFlags::LAST));
    events.iter().map(of).collect()
}

fn deleted(locate: u16, order: u64) -> [u8; 19] {
    Deleted { header: Header { locate, tracking: 0, time: 7 }, order }.write()
}

#[test]
fn every_group_ends_with_one_last() {
    for marks in [false, true] {
        let mut feed = Feed::new(Config::new(1), decoder(), marks);
        let mut publisher = publisher();
        let packet = |publisher: &mut Publisher, messages: &[[u8; 19]]| {
            for message in messages {
                publisher.push(message).unwrap();
            }
            publisher.take(BASE).unwrap().to_vec()
        };
        // The last message of the packet gives no event.
        let first = packet(&mut publisher, &[deleted(1, 10), deleted(1, 11), deleted(2, 12)]);
        let nothing = packet(&mut publisher, &[deleted(2, 13)]);
        let events = take(&mut feed, Line::Live(0), &first, BASE);
        let mut want = vec![
            (EventKind::Delete, 10, false),
            (EventKind::Delete, 11, !marks),
            (EventKind::Mark, 4, true),
        ];
        want.truncate(if marks { 3 } else { 2 });
        assert_eq!(kinds(&events), want);
        assert!(events.iter().all(|event| event.received == 5));
        let time = BASE.after(Nanos::new(7));
        assert!(events.iter().all(|event| event.exchange_time == time));
        let events = take(&mut feed, Line::Live(0), &nothing, BASE);
        assert_eq!(kinds(&events), [(EventKind::Mark, 5, true)][..usize::from(marks)]);
    }
}

#[test]
fn gaps_losses_and_resets_travel_in_band() {
    let mut config = Config::new(1);
    config.arbitration_wait = Nanos::ZERO;
    config.requests.tries = 1;
    let mut feed = Feed::new(config, decoder(), false);
    let mut publisher = publisher();
    publisher.push(&deleted(1, 10)).unwrap();
    publisher.push(&deleted(1, 11)).unwrap();
    publisher.take(BASE).unwrap();
    publisher.push(&deleted(1, 12)).unwrap();
    let third = publisher.take(BASE).unwrap().to_vec();
    let events = take(&mut feed, Line::Live(0), &third, BASE);
    assert_eq!(kinds(&events), [(EventKind::Gap, 1, true)]);
    assert_eq!((events[0].instrument, events[0].aux), (Event::ALL, 2));
    let mut events: Vec<Event> = Vec::new();
    assert!(feed.poll(BASE, &mut events).is_some());
    assert!(feed.poll(BASE.after(Nanos::SECOND), &mut events).is_none());
    feed.drain(1, BASE, &mut events);
    assert_eq!(kinds(&events), [(EventKind::Lost, 1, true), (EventKind::Delete, 12, true)]);

    let mut other = Publisher::new(Session::new("NEXT").unwrap(), 1, 1400, Nanos::SECOND);
    other.push(&deleted(1, 10)).unwrap();
    let packet = other.take(BASE).unwrap().to_vec();
    let events = take(&mut feed, Line::Live(0), &packet, BASE);
    // The new session has not named its locates yet.
    assert_eq!(kinds(&events), [(EventKind::Reset, 0, true)]);
    let end = other.end(BASE).unwrap();
    let events = take(&mut feed, Line::Live(0), &end, BASE);
    assert_eq!(kinds(&events), [(EventKind::Status, 0, true)]);
}

#[test]
fn the_largest_packet_gives_no_more_events_than_announced() {
    let mut feed = Feed::new(Config::new(1), decoder(), true);
    let mut publisher = Publisher::new(Session::new("FEED").unwrap(), 1, 65_000, Nanos::SECOND);
    let mut replace = [0; 35];
    replace[..3].copy_from_slice(b"U\0\x01");
    replace[27..].fill(1);
    while publisher.push(&replace).is_ok() {}
    let packet = publisher.take(BASE).unwrap().to_vec();
    assert_eq!(take(&mut feed, Line::Live(0), &packet, BASE).len(), 2 * 256 + 1);
}

#[test]
fn a_file_gives_a_group_for_each_message() {
    let header = Header { locate: 0, tracking: 0, time: 1 };
    let close = SystemEvent { header, event_code: b'M' }.write();
    let file = [&[0, 19], &deleted(9, 1)[..], &[0, 12], &close[..]].concat();
    let wanted = Wanted::Only(vec![Instrument::share(7, "ARL")]);
    let options = Options { wanted, day: Some(BASE), ..Options::default() };
    let mut source = ItchFile::new(&file[..], &options).unwrap();
    let mut unit = Unit::default();
    assert_eq!(source.next_unit(&mut unit), Ok(true));
    assert!(unit.events.is_empty(), "its locate was never announced");
    assert_eq!(source.next_unit(&mut unit), Ok(true));
    assert_eq!(kinds(&unit.events), [(EventKind::Status, 0, true)]);
    assert_eq!(source.next_unit(&mut unit), Ok(false));
    assert_eq!(source.decoder().counters().messages(), 2);
}

/// Some messages of a venue with three instruments.
fn venue(rng: &mut Rng, count: usize) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    let mut encoder = Encoder::new(&shares(3), BASE).unwrap();
    let mut push = |message: &[u8]| out.push(message.to_vec());
    encoder.system(b'O', BASE, &mut push).unwrap();
    encoder.directory(BASE, &mut push).unwrap();
    for at in 0..count as u64 {
        let kind = [EventKind::Add, EventKind::Delete, EventKind::Execute, EventKind::Trade];
        let kind = kind[rng.below(4) as usize];
        let side = if rng.chance(0.5) { Side::Buy } else { Side::Sell };
        let event = Event::new(kind, InstrumentId(rng.below(3) as u32)).with_side(Some(side));
        let price = Price::from_raw(1_000_000_000 + rng.below(99) as i64 * 10_000_000);
        let (qty, exchange_time) = (Qty::from_raw(1 + at as i64), BASE.after(Nanos::new(at)));
        let order = 1 + rng.below(1000);
        encoder.encode(&Event { price, qty, order, exchange_time, ..event }, &mut push).unwrap();
    }
    out
}

/// What is left when the marks of packets and gaps are taken away.
fn plain(events: Vec<Event>) -> Vec<Event> {
    let told = |event: &Event| !matches!(event.kind(), Some(EventKind::Gap | EventKind::Recovered));
    let mut events: Vec<Event> = events.into_iter().filter(told).collect();
    for event in &mut events {
        (event.flags, event.received) = (EventFlags(event.flags.0 & !1), 0);
    }
    events
}

/// Datagrams on their way, by the time at which they arrive.
#[derive(Default)]
struct Network(BTreeMap<(u64, u64), (Line, Vec<u8>)>, u64);

impl Network {
    fn send(&mut self, rng: &mut Rng, now: u64, line: Line, bytes: &[u8]) {
        if rng.chance(0.2) {
            return;
        }
        for _ in 0..=u64::from(rng.chance(0.1)) {
            // Now and then so late that others overtake it, or that it was asked for again.
            let delay = if rng.chance(0.1) { rng.below(20_000) } else { rng.below(200) };
            self.1 += 1;
            self.0.insert((now + delay, self.1), (line, bytes.to_vec()));
        }
    }

    fn arrived(&mut self, now: u64) -> Option<(Line, Vec<u8>)> {
        let entry = self.0.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }
}

/// Runs a session over a bad network; gives the events and the feed.
fn lossy(rng: &mut Rng, messages: &[Vec<u8>], decoder: Decoder, late: bool) -> (Vec<Event>, Feed) {
    let mut config = Config::new(2);
    config.stash_packets = 16;
    config.requests.count_max = 100;
    config.requests.timeout = Nanos::from_millis(2);
    config.requests.tries = 200;
    let mut feed = Feed::new(config, decoder, false);
    let mut publisher = publisher();
    let mut server = RequestServer::new(publisher.session(), 1400);
    let (mut store, mut network, mut events) =
        (MemoryStore::default(), Network::default(), Vec::new());
    let mut rest = messages.iter();
    let end = messages.len() as u64 + 1;
    // Microseconds; far more than it takes.
    for micros in (0..60_000_000).step_by(50) {
        let now = BASE.after(Nanos::from_micros(micros));
        let burst = if rng.chance(0.1) { rng.below(20) as usize } else { 0 };
        for message in rest.by_ref().take(burst) {
            store.push(message);
            publisher.push(message).unwrap();
        }
        let deaf = late && publisher.next_sequence() < end / 2;
        for line in [Line::Live(0), Line::Live(1)] {
            if let Some(packet) = publisher.clone().take(now).filter(|_| !deaf) {
                network.send(rng, micros, line, packet);
            }
        }
        if publisher.take(now).is_none()
            && let Some(heartbeat) = publisher.heartbeat(now).filter(|_| !deaf)
        {
            network.send(rng, micros, Line::Live(0), &heartbeat);
        }
        while let Some((line, packet)) = network.arrived(micros) {
            events.extend(take(&mut feed, line, &packet, now));
            feed.drain(1, now, &mut events);
        }
        if let Some(request) = feed.poll(now, &mut events) {
            let answer = server.answer(&request.to_bytes(), &mut store).unwrap();
            network.send(rng, micros, Line::Retransmission, answer);
        }
        feed.drain(2, now, &mut events);
        if feed.receiver().expected() == end && !feed.pending() {
            return (events, feed);
        }
    }
    panic!("not done: {:?}", feed.receiver());
}

#[test]
fn a_bad_network_changes_nothing_in_the_end() {
    let (mut gaps, mut recovered, mut early, mut full) = (0, 0, 0, 0);
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let messages = venue(&mut rng, 2000);
        let listings: Vec<_> = shares(3).iter().map(Into::into).collect();
        let fresh = Decoder::new(&listings, BASE).unwrap();
        let (mut decoder, mut want) = (fresh.clone(), Vec::new());
        for message in &messages {
            let _ = decoder.decode(message, 0, &mut want);
        }
        let (events, feed) = lossy(&mut rng, &messages, fresh, seed % 4 == 3);
        let bracket = |kind| events.iter().filter(|e| e.kind() == Some(kind)).count() as u64;
        let counters = feed.receiver().counters();
        assert_eq!(bracket(EventKind::Gap), counters.gaps);
        assert_eq!(bracket(EventKind::Recovered), counters.gaps, "each gap was closed");
        assert_eq!((counters.lost, counters.mismatches), (0, 0));
        assert_eq!(counters.messages, messages.len() as u64);
        gaps += counters.gaps;
        recovered += counters.recovered;
        early += counters.early;
        full += counters.stash_full;
        assert_eq!(plain(events), want, "seed {seed}");
    }
    // It was a bad network indeed.
    let hurt = [gaps, recovered, early, full];
    assert!(hurt.iter().zip([300, 4000, 1000, 40]).all(|(&is, least)| is > least), "{hurt:?}");
}
