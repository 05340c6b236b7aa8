//! Market data out: what a receiver rebuilds from it, over bad lines and by retransmission.

use super::lab::{Lab, NOON, config, instruments};
use crate::pipeline::exchange::ExchangeCore;
use feeds::Feed;
use feeds::itch50::{Decoder, Listing};
use feeds::moldudp64::{Config, Datagram, Line, Packet, PacketKind};
use market::book::{BookLimits, BookState, BookView, OrderBooks};
use market::{InstrumentId, Nanos, Rng, Side, Timestamp};

/// A receiver of the exchange's market data with its books.
pub(super) struct Receiver {
    pub(super) feed: Feed,
    pub(super) books: OrderBooks,
    events: Vec<market::Event>,
}

impl Receiver {
    pub(super) fn new(lab: &Lab) -> Receiver {
        let listings: Vec<Listing> = instruments(&lab.config).iter().map(Listing::from).collect();
        let decoder = Decoder::new(&listings, lab.now.midnight()).unwrap();
        let limits = BookLimits { instruments: listings.len(), orders: 65_536, levels: 1_024 };
        Receiver {
            feed: Feed::new(Config::new(1), decoder, false),
            books: OrderBooks::new(limits),
            events: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, line: Line, bytes: &[u8], now: Timestamp) {
        let datagram = Datagram { bytes, truncated: false, from: None, received: 0 };
        self.feed.on_datagram(line, &datagram, now, &mut self.events);
        self.apply();
    }

    /// Drains, asks for what is missing, and takes the answer.
    pub(super) fn recover(&mut self, core: &mut ExchangeCore, now: Timestamp) {
        while self.feed.pending() {
            self.feed.drain(16, now, &mut self.events);
        }
        let request = self.feed.poll(now, &mut self.events);
        self.apply();
        if let Some(request) = request
            && let Some(packet) = core.answer(&request.to_bytes())
        {
            let packet = packet.to_vec();
            self.take(Line::Retransmission, &packet, now);
        }
    }

    fn apply(&mut self) {
        for event in self.events.drain(..) {
            self.books.apply(&event);
        }
    }

    /// Recovers until nothing is missing.
    pub(super) fn catch_up(&mut self, core: &mut ExchangeCore, now: Timestamp) {
        let next = core.report().next_sequence;
        for round in 0..100_000 {
            if self.feed.receiver().expected() >= next && !self.feed.receiver().in_gap() {
                return;
            }
            self.recover(core, now.after(Nanos::from_millis(round)));
        }
        panic!("never caught up");
    }

    /// Every level of every book is the exchange's own.
    pub(super) fn assert_same_books(&self, lab: &Lab) {
        for id in (0..self.books.books().len()).map(|at| InstrumentId(at.try_into().unwrap())) {
            let book = self.books.book(id);
            for side in Side::BOTH {
                let levels = lab.levels(id, side);
                assert_eq!(book.depth(side), levels.len());
                for at in 0..book.depth(side) {
                    let level = book.level(side, at).unwrap();
                    assert_eq!(levels.get(&level.price), Some(&level.qty.raw()));
                }
            }
        }
    }
}

#[test]
fn a_receiver_of_a_bad_line_has_the_exchanges_books() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    let mut receiver = Receiver::new(&lab);
    let mut rng = Rng::new(5);
    lab.log_on(0);
    for round in 0..200 {
        lab.run(Nanos::from_millis(50));
        if round % 20 == 19 {
            lab.buy_at_market(0, 20);
        }
        for packet in std::mem::take(&mut lab.net.packets) {
            if !rng.chance(0.1) {
                receiver.take(Line::Live(0), &packet, lab.now);
            }
        }
        receiver.recover(&mut lab.core, lab.now);
    }
    let next = lab.core.report().next_sequence;
    // A heartbeat shows even the last as missing.
    lab.run(Nanos::from_secs(1));
    lab.net.packets.iter().for_each(|packet| receiver.take(Line::Live(0), packet, lab.now));
    receiver.catch_up(&mut lab.core, lab.now);
    assert!(receiver.feed.receiver().counters().recovered > 0 && next > 1_000);
    receiver.assert_same_books(&lab);
    assert_eq!(receiver.books.book(InstrumentId(0)).state(), BookState::Live);
}

#[test]
fn retransmission_from_the_first_rebuilds_the_books() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    lab.run(Nanos::from_secs(10));
    let mut late = Receiver::new(&lab);
    // It hears nothing but the last packet.
    let last = lab.net.packets.last().unwrap().clone();
    late.take(Line::Live(0), &last, lab.now);
    late.catch_up(&mut lab.core, lab.now);
    late.assert_same_books(&lab);
    assert!(lab.core.report().requests > 10);
}

#[test]
fn a_quiet_line_has_heartbeats() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = config(folder.path(), &["A"]);
    settings.synthetic.rate = "0.001".parse().unwrap();
    let mut lab = Lab::new(&settings, NOON);
    lab.run(Nanos::from_secs(5));
    let beats = lab.net.packets.iter().filter(|bytes| {
        let packet = Packet::parse(bytes).unwrap();
        packet.kind == PacketKind::Heartbeat
    });
    assert!(beats.count() >= 3);
}
