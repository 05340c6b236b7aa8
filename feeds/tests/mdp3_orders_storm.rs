//! MDP 3.0 by order and by seed: both lines lose, double, delay and go dark, chunks of snapshots are
//! lost, late and early. At no moment is a book said to be fine that never was the venue's, order by
//! order and queue by queue, and in the end every book is.

mod common;

use common::mdp3::*;
use common::packets::Way;
use feeds::recording::{Options, Unit, open_bytes};
use market::book::{BookState, OrderBooks};
use market::{BookView, Event, EventKind, InstrumentId, Rng, Side};
use std::collections::BTreeMap;

/// Orders (id and quantity) in the order of their queue, by side (bids are 0) and price.
type Book = BTreeMap<(u8, i64), Vec<(u64, i32)>>;

const PACKETS: u32 = 400;
/// From here on nothing is lost any more.
const CALM: u32 = 300;
const SECURITIES: [i32; 2] = [ES, NQ];
/// The other line of the snapshots.
const SNAPSHOTS_B: Way = Way(22, 17_320);

#[derive(Clone, Copy, Debug)]
struct Order {
    id: u64,
    side: u8,
    price: i64,
    qty: i32,
    priority: u64,
}

/// One security of the venue: its orders, and the book after each of its updates.
struct Venue {
    security: i32,
    orders: Vec<Order>,
    past: Vec<Book>,
    rpt_seq: u32,
    ids: u64,
}

impl Venue {
    fn new(security: i32) -> Venue {
        let past = vec![Book::new()];
        Venue { security, orders: Vec::new(), past, rpt_seq: 0, ids: security as u64 * 1_000_000 }
    }

    fn book(&self) -> Book {
        let mut orders = self.orders.clone();
        orders.sort_by_key(|order| order.priority);
        let mut book = Book::new();
        for Order { id, side, price, qty, .. } in orders {
            book.entry((side, price)).or_default().push((id, qty));
        }
        book
    }

    /// What becomes of which order: its terms, and the act.
    fn act(&mut self, rng: &mut Rng) -> (Order, u8) {
        self.ids += 1;
        let side = rng.below(2) as u8;
        let apart = 1 + rng.below(6) as i64;
        let price = |side| if side == 0 { 100 - apart } else { 100 + apart };
        if self.orders.len() < 4 || self.orders.len() < 40 && rng.chance(0.4) {
            let qty = 1 + rng.below(50) as i32;
            let order = Order { id: self.ids, side, price: price(side), qty, priority: self.ids };
            self.orders.push(order);
            return (order, 0);
        }
        let at = rng.below(self.orders.len() as u64) as usize;
        let order = &mut self.orders[at];
        match rng.below(6) {
            // Less, and its place is kept.
            0 if order.qty > 1 => order.qty = 1 + rng.below(order.qty as u64 - 1) as i32,
            // More, or at another price, or shown anew: behind the others.
            1 => (order.qty, order.priority) = (order.qty + 5, self.ids),
            2 => (order.price, order.priority) = (price(order.side), self.ids),
            3 => order.priority = self.ids,
            _ => return (self.orders.remove(at), 2),
        }
        (*order, 1)
    }

    /// One update: an order by itself, or one that names a level.
    fn update(&mut self, rng: &mut Rng) -> Vec<u8> {
        let (Order { id, side, price, qty, priority }, act) = self.act(rng);
        self.past.push(self.book());
        let kind = b"01"[usize::from(side)];
        // The first order of a book makes a level.
        if self.rpt_seq > 0 && rng.chance(0.4) {
            return orders(&[order(id, (priority, qty), price, self.security, (act, kind))]);
        }
        let mut levels = Vec::new();
        for kind in [b'E', kind] {
            self.rpt_seq += 1;
            levels.push(level((price, 1), (self.security, self.rpt_seq), (1, 1, kind)));
        }
        book_of(&levels, &[named(id, (priority, qty), (2, act))])
    }

    /// Chunks of three orders, the worst first.
    fn snapshot(&self, packet: u32) -> Vec<Vec<u8>> {
        let mut rows: Vec<_> = self.orders.clone();
        rows.sort_by_key(|order| std::cmp::Reverse(order.priority));
        let rows: Vec<_> = rows
            .iter()
            .map(|of| (of.id, (of.priority, of.qty), of.price, b"01"[usize::from(of.side)]))
            .collect();
        let chunks: Vec<_> = if rows.is_empty() { vec![&[][..]] } else { rows.chunks(3).collect() };
        let count = chunks.len() as u32;
        (1..)
            .zip(chunks)
            .map(|(n, rows)| order_snapshot(self.security, packet, (n, count), rows))
            .collect()
    }
}

/// The book that events tell, kept here order by order.
#[derive(Default)]
struct Ours {
    orders: Vec<(u64, u8, i64, i32)>,
}

impl Ours {
    fn apply(&mut self, event: &Event) {
        let (price, qty) = (event.price.raw() / 1_000_000_000, event.qty.raw() as i32);
        let at = self.orders.iter().position(|order| order.0 == event.order);
        let side = u8::from(event.side() == Some(Side::Sell));
        match event.kind().unwrap() {
            EventKind::Add => self.orders.push((event.order, side, price, qty)),
            EventKind::Delete => drop(self.orders.remove(at.unwrap())),
            EventKind::Change => {
                let (_, _, before, open) = self.orders[at.unwrap()];
                if before == price && qty < open {
                    self.orders[at.unwrap()].3 = qty;
                } else {
                    self.orders.remove(at.unwrap());
                    self.orders.push((event.order, side, price, qty));
                }
            }
            EventKind::Clear => self.orders.clear(),
            _ => {}
        }
    }

    fn book(&self) -> Book {
        let mut book = Book::new();
        for &(id, side, price, qty) in &self.orders {
            book.entry((side, price)).or_default().push((id, qty));
        }
        book
    }
}

/// The packets of a stormy day, by their milliseconds.
fn day(rng: &mut Rng, venues: &mut [Venue; 2]) -> Vec<(u64, Way, Vec<u8>)> {
    let mut sent: Vec<(u64, Way, Vec<u8>)> = Vec::new();
    let (mut dark, mut snapshots) = (0, 0);
    for n in 1..=PACKETS {
        let updates = 1 + rng.below(3);
        let messages: Vec<_> =
            (0..updates).map(|_| venues[rng.below(2) as usize].update(rng)).collect();
        let (bytes, at, stormy) = (packet(n, &messages), u64::from(n) * 10, n < CALM);
        if stormy && rng.chance(0.02) {
            dark = n + 1 + rng.below(6) as u32;
        }
        for line in [A, B] {
            // The first packet is on both: what comes before it nobody misses.
            if n > 1 && stormy && (n < dark || rng.chance(0.15)) {
                continue;
            }
            for _ in 0..=u32::from(stormy && rng.chance(0.1)) {
                let late = if stormy && n > 1 { rng.below(60) } else { 0 };
                sent.push((at + late, line, bytes.clone()));
            }
        }
        if n.is_multiple_of(4) {
            for chunk in venues.iter().flat_map(|venue| venue.snapshot(n)) {
                snapshots += 1;
                for line in [SNAPSHOTS, SNAPSHOTS_B] {
                    if !stormy || rng.chance(0.8) {
                        let late = if stormy { rng.below(80) } else { 1 };
                        sent.push((
                            at + late,
                            line,
                            packet(snapshots, std::slice::from_ref(&chunk)),
                        ));
                    }
                }
            }
        }
    }
    sent.sort_by_key(|&(millis, ..)| millis);
    sent
}

#[test]
fn no_storm_makes_a_wrong_book_look_fine() {
    let (mut compared, mut taken, mut unsaid, mut held) = (0, 0, 0, 0);
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut venues = SECURITIES.map(Venue::new);
        let file = capture(&day(&mut rng, &mut venues));
        let options = Options { by_order: true, ..Options::default() };
        let mut recording = open_bytes(&file, options).unwrap();
        let (mut unit, mut books) = (Unit::default(), OrderBooks::growing());
        let mut ours = [Ours::default(), Ours::default()];
        // Which of the venue's own books was seen last.
        let mut seen = [0; 2];
        while recording.next_unit(&mut unit).unwrap() {
            let known: Vec<i32> = recording
                .instruments()
                .all()
                .iter()
                .map(|known| known.symbol.parse().unwrap())
                .collect();
            for event in &unit.events {
                books.admit(InstrumentId(known.len() as u32 - 1));
                let applied = books.apply(event);
                assert_eq!(applied.contradiction, None, "seed {seed}: {event:?}");
                ours[event.instrument.index()].apply(event);
            }
            for (id, security) in (0u32..).map(InstrumentId).zip(&known) {
                if books.book(id).state() >= BookState::Stale {
                    unsaid += 1;
                    continue;
                }
                let venue = SECURITIES.iter().position(|other| other == security).unwrap();
                let ours = ours[id.index()].book();
                let found = venues[venue].past[seen[venue]..].iter().position(|one| *one == ours);
                let on = found.unwrap_or_else(|| panic!("seed {seed}: {security} {ours:?}"));
                seen[venue] += on;
                compared += 1;
            }
        }
        books.audit().unwrap();
        for (id, known) in (0u32..).map(InstrumentId).zip(recording.instruments().all()) {
            let venue = venues.iter().find(|venue| venue.security.to_string() == known.symbol);
            assert_eq!(books.book(id).state(), BookState::Live, "seed {seed}");
            assert_eq!(ours[id.index()].book(), venue.unwrap().book(), "seed {seed}");
        }
        assert_eq!(recording.instruments().all().len(), 2);
        assert_eq!((recording.log().damaged().0, recording.log().skipped().count()), (0, 0));
        let counts = recording.counts().others;
        let count = |name| counts.iter().find(|&&(other, _)| other == name).map_or(0, |of| of.1);
        taken += count("snapshots taken");
        held += count("old updates");
    }
    let hurt = [compared, taken, unsaid, held];
    assert!(hurt.iter().zip([10_000, 200, 1_000, 50]).all(|(&is, least)| is > least), "{hurt:?}");
}
