//! Binance's depth frames and snapshots by seed: frames are lost and told twice, snapshots come
//! early and late. At every moment a book that is said to be fine is the venue's at the update that
//! it names.

use feeds::binance::join::{Join, Span, Taken, Told};
use market::book::{BookLimits, BookState, BookView, LevelBooks};
use market::{Event, EventFlags, EventKind, InstrumentId, Price, Qty, Rng, Side};
use std::collections::{BTreeMap, VecDeque};

const ID: InstrumentId = InstrumentId(0);

/// Quantity by side and price.
type Levels = BTreeMap<(Side, i64), i64>;

/// A frame: its span, and the levels that its updates changed, with what they are behind the last.
type Frame = (Span, Vec<(Side, i64, i64)>);

struct Venue {
    /// The book behind each update, from 0 on.
    past: Vec<Levels>,
    futures: bool,
    told: u64,
}

impl Venue {
    fn frame(&mut self, rng: &mut Rng) -> Frame {
        let (first, before) = (self.past.len() as u64, self.told);
        let mut changed = BTreeMap::new();
        for _ in 0..=rng.below(4) {
            let mut levels = self.past.last().unwrap().clone();
            let side = if rng.chance(0.5) { Side::Buy } else { Side::Sell };
            let price = if side == Side::Buy { 1 } else { 101 } + rng.below(100) as i64;
            let qty = if rng.chance(0.3) { 0 } else { 1 + rng.below(50) as i64 };
            levels.insert((side, price), qty);
            levels.retain(|_, qty| *qty > 0);
            changed.insert((side, price), qty);
            self.past.push(levels);
        }
        self.told = self.past.len() as u64 - 1;
        let span = Span { first, last: self.told, previous: self.futures.then_some(before) };
        (span, changed.into_iter().map(|((side, price), qty)| (side, price, qty)).collect())
    }
}

fn events(levels: impl IntoIterator<Item = (Side, i64, i64)>, flags: EventFlags) -> Vec<Event> {
    let level = |(side, price, qty)| Event {
        price: Price::from_raw(price * 1_000_000_000),
        qty: Qty::from_raw(qty),
        flags,
        ..Event::new(EventKind::Level, ID).with_side(Some(side))
    };
    levels.into_iter().map(level).collect()
}

fn shown(book: &impl BookView) -> Levels {
    let side = |side| {
        let levels = (0..book.depth(side)).filter_map(move |at| book.level(side, at));
        levels.map(move |level| ((side, level.price.raw() / 1_000_000_000), level.qty.raw()))
    };
    side(Side::Buy).chain(side(Side::Sell)).collect()
}

#[test]
fn no_storm_makes_a_wrong_book_look_fine() {
    let mut counts = BTreeMap::<&str, u64>::new();
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut venue = Venue { past: vec![Levels::new()], futures: seed % 2 == 0, told: 0 };
        let mut join = Join::new(ID);
        let mut books = LevelBooks::new(BookLimits { instruments: 1, orders: 0, levels: 256 });
        // Snapshots on their way, by the step at which they come.
        let mut asked: VecDeque<(u32, u64)> = VecDeque::new();
        let mut kept: Vec<Frame> = Vec::new();
        for step in 0..1_000u32 {
            let stormy = step < 900;
            let frame = venue.frame(&mut rng);
            kept.push(frame.clone());
            let mut come = vec![frame];
            if stormy && rng.chance(0.05) {
                come.clear();
            } else if stormy && rng.chance(0.1) {
                // Another connection tells again what was told.
                let again = kept.len() - 1 - rng.below(kept.len().min(5) as u64) as usize;
                come.push(kept[again].clone());
            }
            for (span, levels) in come {
                let mut events = events(levels, EventFlags::NONE);
                let told = join.frame(span, &mut events, 0);
                *counts
                    .entry(match told {
                        Told::Applied => "applied",
                        Told::Held => "held",
                        Told::Old => "old",
                        Told::Gap => "gaps",
                    })
                    .or_default() += 1;
                apply(&mut books, events);
                compare(&books, &join, &venue, seed, &mut counts);
            }
            if join.is_waiting() && asked.is_empty() {
                // The server answers with a book of now or of a while ago, and the answer takes its
                // time.
                let last =
                    venue.told.saturating_sub(if rng.chance(0.3) { rng.below(30) } else { 0 });
                asked.push_back((step + 1 + rng.below(20) as u32, last));
            }
            while let Some((_, last)) = asked.pop_front_if(|(due, _)| *due <= step) {
                let levels = venue.past[last as usize].iter();
                let levels = levels.map(|(&(side, price), &qty)| (side, price, qty));
                let mut events = events(levels, EventFlags::SNAPSHOT);
                let taken = join.snapshot(last, &mut events, 0);
                *counts
                    .entry(match taken {
                        Taken::Joined => "joined",
                        Taken::TooEarly => "too early",
                        Taken::NotNeeded => "not needed",
                    })
                    .or_default() += 1;
                apply(&mut books, events);
                compare(&books, &join, &venue, seed, &mut counts);
            }
        }
        assert_eq!(join.at(), Some(venue.told), "seed {seed}");
        assert_eq!(books.book(ID).state(), BookState::Live, "seed {seed}");
        assert_eq!(shown(books.book(ID)), *venue.past.last().unwrap(), "seed {seed}");
    }
    for (what, least) in [("gaps", 600), ("joined", 600), ("too early", 60), ("old", 600)] {
        assert!(counts[what] > least, "{counts:?}");
    }
    assert!(counts["compared"] > 20_000, "{counts:?}");
}

fn apply(books: &mut LevelBooks, mut events: Vec<Event>) {
    if let Some(last) = events.last_mut() {
        last.flags = last.flags.with(EventFlags::LAST);
    }
    for event in &events {
        books.apply(event);
    }
}

fn compare(
    books: &LevelBooks,
    join: &Join,
    venue: &Venue,
    seed: u64,
    counts: &mut BTreeMap<&str, u64>,
) {
    let book = books.book(ID);
    if book.state() < BookState::Stale {
        let at = join.at().expect("a book that is fine is at an update");
        assert_eq!(shown(book), venue.past[at as usize], "seed {seed}");
        *counts.entry("compared").or_default() += 1;
    }
}
