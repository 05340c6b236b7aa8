//! An engine's feed beside an exchange, and between them a network that does what its seed says: in
//! virtual time, without a socket.

use super::lab::{Lab, instruments};
use super::replica::{Queue, Replica};
use crate::config::{ExchangeConfig, FlowKind};
use crate::pipeline::exchange::streams::Door;
use feeds::Feed;
use feeds::glimpse::{Glimpse, Settings, Want};
use feeds::itch50::{Decoder, Listing};
use feeds::moldudp64::{Config, Datagram, Line, Packet, PacketKind, Requests, Start};
use feeds::soupbintcp::Login;
use market::book::{BookLimits, BookState, BookView, OrderBooks};
use market::{Event, InstrumentId, Nanos, Price, Rng, Side, Timestamp};
use std::collections::BTreeMap;

/// What the network does. Chances are of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// A packet of a line, or an answer, is lost.
    pub(super) loss: f64,
    /// It comes twice.
    pub(super) twice: f64,
    /// It comes late, by up to so many microseconds.
    pub(super) late: (f64, u64),
    /// In a millisecond, everything begins to be lost, for up to so many milliseconds.
    pub(super) dark: (f64, u64),
    /// A connection for a snapshot fails, or is cut at one of its bytes.
    pub(super) cut: f64,
}

/// Nothing happens.
pub(super) const CALM: Weather =
    Weather { loss: 0.0, twice: 0.0, late: (0.0, 1), dark: (0.0, 1), cut: 0.0 };

/// The connection of the snapshot.
struct Wire {
    place: usize,
    input: Vec<u8>,
}

/// The whole.
pub(super) struct Sea {
    pub(super) lab: Lab,
    pub(super) weather: Weather,
    pub(super) feed: Feed,
    pub(super) glimpse: Glimpse,
    pub(super) books: OrderBooks,
    replica: Replica,
    /// The exchange's own books, from what it published, by what was published then.
    truth: (Decoder, Replica),
    past: BTreeMap<u64, Vec<u64>>,
    network: BTreeMap<(Timestamp, u64), (Line, Vec<u8>)>,
    sent: u64,
    wire: Option<Wire>,
    dark_until: Timestamp,
    pub(super) rng: Rng,
    /// How often a book that was said to be fine was compared with the exchange's.
    pub(super) compared: u64,
    /// Connections that were refused or cut.
    pub(super) cuts: u64,
    out: Vec<u8>,
}

pub(super) fn receiver(start: Start) -> Config {
    let mut config = Config::new(2);
    config.arbitration_wait = Nanos::from_micros(500);
    let (timeout, count_max) = (Nanos::from_millis(3), 64);
    config.requests = Requests { count_max, timeout, tries: 4, gap_max: 300 };
    (config.stash_packets, config.snapshots, config.start) = (64, true, start);
    config
}

pub(super) fn snapshots(tries: u32) -> Settings {
    Settings {
        login: Login::new(b"USER", b"PASSWORD").unwrap(),
        heartbeat: Nanos::from_secs(1),
        silence: Nanos::from_secs(3),
        tries,
        retry: Nanos::from_millis(5),
    }
}

impl Sea {
    /// An exchange whose market has been open for `open`, and a feed that begins now.
    pub(super) fn new(
        config: &ExchangeConfig,
        (receiver, snapshots): (Config, Settings),
        (seed, open): (u64, Nanos),
        now: Timestamp,
    ) -> Sea {
        let mut config = config.clone();
        config.market_data.glimpse = Some("127.0.0.1:0".parse().unwrap());
        let lab = Lab::new(&config, now);
        let listings: Vec<Listing> = instruments(&lab.config).iter().map(Listing::from).collect();
        let day = config.flow.session_day.base(config.flow.midnight_utc, now);
        let decoder = Decoder::new(&listings, day).unwrap();
        let limits = BookLimits { instruments: listings.len(), orders: 65_536, levels: 1_024 };
        let mut sea = Sea {
            lab,
            weather: CALM,
            feed: Feed::new(receiver, decoder.clone(), false),
            glimpse: Glimpse::new(snapshots),
            books: OrderBooks::new(limits),
            replica: Replica::default(),
            truth: (decoder, Replica::default()),
            past: BTreeMap::new(),
            network: BTreeMap::new(),
            sent: 0,
            wire: None,
            dark_until: Timestamp::ZERO,
            rng: Rng::new(seed),
            compared: 0,
            cuts: 0,
            out: Vec::new(),
        };
        sea.lab.run(open);
        sea.publish(false);
        sea
    }

    fn chance(&mut self, of: f64) -> bool {
        self.rng.chance(of)
    }

    /// What the exchange published goes on its way, and its books are noted.
    fn publish(&mut self, heard: bool) {
        for packet in std::mem::take(&mut self.lab.net.packets) {
            let parsed = Packet::parse(&packet).unwrap();
            let mut events: Vec<Event> = Vec::new();
            for message in parsed.messages() {
                let _ = self.truth.0.decode(message, 0, &mut events);
            }
            events.iter().for_each(|event| self.truth.1.apply(event));
            if parsed.kind == PacketKind::Messages {
                let ids = (0..self.books.books().len()).map(|at| InstrumentId(at as u32));
                self.past.insert(parsed.next(), ids.map(|id| self.truth.1.digest(id)).collect());
            }
            if heard {
                self.send(Line::Live(0), &packet);
                self.send(Line::Live(1), &packet);
            }
        }
    }

    fn send(&mut self, line: Line, bytes: &[u8]) {
        let Weather { loss, twice, late, .. } = self.weather;
        if self.lab.now < self.dark_until || self.chance(loss) {
            return;
        }
        for _ in 0..=u32::from(self.chance(twice)) {
            let delay = if self.chance(late.0) { self.rng.below(late.1) } else { 0 };
            self.sent += 1;
            let at = self.lab.now.after(Nanos::from_micros(delay));
            self.network.insert((at, self.sent), (line, bytes.to_vec()));
        }
    }

    /// Lets a millisecond pass.
    pub(super) fn step(&mut self) {
        let (often, longest) = self.weather.dark;
        if self.chance(often) {
            let dark = Nanos::from_millis(1 + self.rng.below(longest));
            self.dark_until = self.lab.now.after(dark);
        }
        self.lab.run(Nanos::from_millis(1));
        self.publish(true);
        let now = self.lab.now;
        while let Some(entry) = self.network.first_entry().filter(|entry| entry.key().0 <= now) {
            let (line, bytes) = entry.remove();
            let datagram = Datagram { bytes: &bytes, truncated: false, from: None, received: 1 };
            let mut events = Vec::new();
            self.feed.on_datagram(line, &datagram, now, &mut events);
            self.take(events);
        }
        self.recover();
        let mut events = Vec::new();
        while self.feed.pending() {
            self.feed.drain(1, now, &mut events);
            self.take(std::mem::take(&mut events));
        }
    }

    fn recover(&mut self) {
        let (now, mut events) = (self.lab.now, Vec::new());
        if let Some(request) = self.feed.poll(now, &mut events)
            && !self.chance(self.weather.loss)
            && let Some(answer) = self.lab.core.answer(&request.to_bytes())
        {
            let answer = answer.to_vec();
            self.send(Line::Retransmission, &answer);
        }
        let want = self.glimpse.poll(&mut self.feed, now, &mut self.out, &mut events);
        self.take(events);
        self.obey(want);
        self.listen();
        let Some(wire) = &self.wire else { return };
        let took = self.lab.core.receive(wire.place, now, &self.out, &mut self.lab.net);
        self.out.drain(..took);
    }

    fn obey(&mut self, want: Want) {
        let now = self.lab.now;
        match want {
            Want::Nothing => {}
            Want::Connect => {
                let refused = self.chance(self.weather.cut);
                let place = self.lab.core.connect_stream(Door::Snapshots, now);
                match place.filter(|_| !refused) {
                    Some(place) => {
                        self.wire = Some(Wire { place, input: Vec::new() });
                        self.out.clear();
                        self.lab.net.pipes[place].bytes.clear();
                        self.glimpse.connected(&mut self.feed, now, &mut self.out);
                    }
                    None => {
                        self.cuts += 1;
                        place.inspect(|&at| self.lab.core.disconnected(at, now, &mut self.lab.net));
                        self.glimpse.disconnected(now);
                    }
                }
            }
            Want::Close => self.hang_up(),
        }
    }

    fn hang_up(&mut self) {
        if let Some(wire) = self.wire.take() {
            self.lab.core.receive(wire.place, self.lab.now, &self.out, &mut self.lab.net);
            self.lab.core.disconnected(wire.place, self.lab.now, &mut self.lab.net);
        }
    }

    /// Some bytes of the snapshot come, or the connection is cut.
    fn listen(&mut self) {
        let most = 1 + self.rng.below(6_000) as usize;
        let cut = self.chance(self.weather.cut);
        let now = self.lab.now;
        let Some(wire) = &mut self.wire else { return };
        let pipe = &mut self.lab.net.pipes[wire.place].bytes;
        let came = pipe.len().min(most);
        wire.input.extend(pipe.drain(..came));
        let mut events = Vec::new();
        let room = Feed::EVENTS_MAX + 200;
        let (took, want) = self.glimpse.received(
            &mut self.feed,
            (&wire.input, 1),
            (now, room),
            (&mut self.out, &mut events),
        );
        wire.input.drain(..took);
        assert!(events.len() <= room);
        self.take(events);
        if want == Want::Nothing && cut && self.wire.is_some() {
            self.cuts += 1;
            self.hang_up();
            self.glimpse.disconnected(now);
        } else {
            self.obey(want);
        }
    }

    /// The engine's books take events; then no book that is said to be fine may differ.
    fn take(&mut self, events: Vec<Event>) {
        for event in &events {
            self.books.apply(event);
            self.replica.apply(event);
        }
        if events.is_empty() {
            return;
        }
        let Some(past) = self.past.get(&self.feed.receiver().expected()) else { return };
        for (id, theirs) in (0u32..).map(InstrumentId).zip(past) {
            if self.books.book(id).state() < BookState::Stale {
                assert_eq!(self.replica.digest(id), *theirs, "{id:?} at {:?}", self.lab.now);
                self.compared += 1;
            }
        }
    }

    pub(super) fn run(&mut self, span: Nanos) {
        let end = self.lab.now.after(span);
        while self.lab.now < end {
            self.step();
        }
    }

    /// The weather clears, and every book is Live and the exchange's own: by order, by queue, and
    /// by level.
    pub(super) fn assert_whole(&mut self) {
        self.weather = CALM;
        self.dark_until = Timestamp::ZERO;
        self.run(Nanos::from_secs(3));
        let why = || (self.feed.receiver().counters(), self.glimpse.last_failure());
        assert!(!self.feed.receiver().in_gap(), "{:?}", why());
        let next = self.lab.core.report().next_sequence;
        assert_eq!(self.feed.receiver().expected(), next, "{:?}", why());
        for id in (0..self.books.books().len()).map(|at| InstrumentId(at as u32)) {
            let book = self.books.book(id);
            assert!(book.state() < BookState::Stale, "{id:?} {:?} {:?}", book.state(), why());
            assert_eq!(self.replica.queues(id), self.truth.1.queues(id));
            for side in Side::BOTH {
                let ours = (0..book.depth(side)).map(|at| book.level(side, at).unwrap());
                let ours: BTreeMap<_, _> =
                    ours.map(|level| (level.price, level.qty.raw())).collect();
                let sums = |(&(_, price), queue): (&(Side, Price), &Queue)| {
                    (price, queue.iter().map(|(_, qty)| qty).sum::<i64>())
                };
                let queues = self.truth.1.queues(id);
                let shown = queues.iter().filter(|((of, _), _)| *of == side).map(sums);
                let shown: BTreeMap<_, _> = shown.collect();
                assert_eq!(ours, shown, "{id:?} {side:?}");
                if self.lab.config.flow.kind == FlowKind::Synthetic {
                    // And what the matching engine itself holds.
                    assert_eq!(ours, self.lab.levels(id, side), "{id:?} {side:?}");
                }
            }
        }
        self.books.audit().unwrap();
        assert_eq!(self.books.contradictions().total(), 0, "{:?}", self.books.contradictions());
    }
}
