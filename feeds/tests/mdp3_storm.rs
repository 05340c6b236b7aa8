//! MDP 3.0 by seed: both lines lose, double, delay and go dark, snapshots come late or not at all.
//! At no moment is a book said to be fine that never was the venue's, and in the end every book is.

mod common;

use common::mdp3::*;
use common::packets::Way;
use feeds::recording::{Options, Unit, open_bytes};
use market::book::{BookState, BookView, LevelBooks};
use market::{InstrumentId, Rng, Side};

/// Bids and asks, best first: price and quantity.
type Book = [Vec<(i64, i32)>; 2];

const DEPTH: usize = 10;
const PACKETS: u32 = 400;
/// From here on nothing is lost any more.
const CALM: u32 = 300;
const SECURITIES: [i32; 2] = [ES, NQ];

/// One security of the venue: its book, and the book after each of its updates.
struct Venue {
    security: i32,
    book: Book,
    past: Vec<Book>,
}

impl Venue {
    fn new(security: i32) -> Venue {
        Venue { security, book: Book::default(), past: vec![Book::default()] }
    }

    fn rpt_seq(&self) -> u32 {
        self.past.len() as u32 - 1
    }

    /// One update: a level is new, changes or goes.
    fn update(&mut self, rng: &mut Rng) -> Vec<u8> {
        let (side, security) = (rng.below(2) as usize, self.security);
        let kind = b"01"[side];
        let levels = &mut self.book[side];
        let qty = 1 + rng.below(99) as i32;
        // The nearest prices may all be taken.
        let full = levels.len() == DEPTH && (levels[DEPTH - 1].0 - 1_000).abs() < 30;
        let (at, action) = if levels.len() < 3 || !full && rng.chance(0.4) {
            // Bids fall from 1,000, asks rise from it.
            let away = |price: i64| (price - 1_000).abs();
            let price = loop {
                let apart = 1 + rng.below(60) as i64;
                let price = if side == 0 { 1_000 - apart } else { 1_000 + apart };
                let far = levels.len() == DEPTH && away(price) > away(levels[DEPTH - 1].0);
                if !far && levels.iter().all(|&(other, _)| other != price) {
                    break price;
                }
            };
            let at = levels.partition_point(|&(other, _)| away(other) < away(price));
            levels.insert(at, (price, qty));
            levels.truncate(DEPTH);
            (at, 0)
        } else {
            let at = rng.below(levels.len() as u64) as usize;
            levels[at].1 = qty;
            (at, if rng.chance(0.5) { 1 } else { 2 })
        };
        let (price, qty) = levels[at];
        if action == 2 {
            levels.remove(at);
        }
        self.past.push(self.book.clone());
        level((price, qty), (security, self.rpt_seq()), (at as u8 + 1, action, kind))
    }

    fn snapshot(&self, packet: u32) -> Vec<u8> {
        let sides = self.book.iter().zip(*b"01");
        let rows = sides.flat_map(|(levels, kind)| {
            (1..).zip(levels).map(move |(at, &(price, qty))| (at, price, qty, kind))
        });
        snapshot(self.security, (packet, self.rpt_seq()), &rows.collect::<Vec<_>>())
    }
}

fn shown(book: &impl BookView) -> Book {
    Side::BOTH.map(|side| {
        let levels = (0..book.depth(side)).filter_map(|at| book.level(side, at));
        levels.map(|level| (level.price.raw() / 1_000_000_000, level.qty.raw() as i32)).collect()
    })
}

/// The packets of a stormy day, by their milliseconds.
fn day(rng: &mut Rng, venues: &mut [Venue; 2]) -> Vec<(u64, Way, Vec<u8>)> {
    let mut sent: Vec<(u64, Way, Vec<u8>)> = Vec::new();
    let (mut dark, mut snapshots) = (0, 0);
    for n in 1..=PACKETS {
        let updates = 1 + rng.below(3);
        let entries: Vec<_> =
            (0..updates).map(|_| venues[rng.below(2) as usize].update(rng)).collect();
        let (bytes, at, stormy) = (packet(n, &[book(&entries)]), u64::from(n) * 10, n < CALM);
        if stormy && rng.chance(0.03) {
            dark = n + 1 + rng.below(6) as u32;
        }
        for line in [A, B] {
            // The first packet is on both: what comes before it nobody misses.
            if n > 1 && stormy && (n < dark || rng.chance(0.25)) {
                continue;
            }
            for _ in 0..=u32::from(stormy && rng.chance(0.1)) {
                let late = if stormy && n > 1 { rng.below(60) } else { 0 };
                sent.push((at + late, line, bytes.clone()));
            }
        }
        if n.is_multiple_of(5) {
            for venue in venues.iter() {
                if !stormy || rng.chance(0.5) {
                    snapshots += 1;
                    let late = if stormy { rng.below(120) } else { 1 };
                    let bytes = packet(snapshots, &[venue.snapshot(n)]);
                    sent.push((at + late, SNAPSHOTS, bytes));
                }
            }
        }
    }
    sent.sort_by_key(|&(millis, ..)| millis);
    sent
}

#[test]
fn no_storm_makes_a_wrong_book_look_fine() {
    let (mut compared, mut taken, mut unsaid) = (0, 0, 0);
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut venues = SECURITIES.map(Venue::new);
        let file = capture(&day(&mut rng, &mut venues));
        let mut recording = open_bytes(&file, Options::default()).unwrap();
        let (mut unit, mut books) = (Unit::default(), LevelBooks::growing());
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
                books.apply(event);
            }
            for (id, security) in (0u32..).map(InstrumentId).zip(&known) {
                let book = books.book(id);
                if book.state() >= BookState::Stale {
                    unsaid += 1;
                    continue;
                }
                let venue = SECURITIES.iter().position(|other| other == security).unwrap();
                let ours = shown(book);
                let past = venues[venue].past[seen[venue]..].iter();
                let found = past.clone().position(|theirs| *theirs == ours);
                let on = found.unwrap_or_else(|| panic!("seed {seed}: {security} {ours:?}"));
                seen[venue] += on;
                compared += 1;
            }
        }
        for (id, known) in (0u32..).map(InstrumentId).zip(recording.instruments().all()) {
            let venue = venues.iter().find(|venue| venue.security.to_string() == known.symbol);
            let book = books.book(id);
            assert_eq!(book.state(), BookState::Live, "seed {seed}");
            assert_eq!(shown(book), venue.unwrap().book, "seed {seed}");
        }
        assert_eq!(recording.instruments().all().len(), 2);
        let counts = recording.counts().others;
        taken += counts.iter().find(|(name, _)| *name == "snapshots taken").map_or(0, |of| of.1);
    }
    let hurt = [compared, taken, unsaid];
    assert!(hurt.iter().zip([10_000, 200, 1_000]).all(|(&is, least)| is > least), "{hurt:?}");
}
