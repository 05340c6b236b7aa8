//! Channel level3 of Kraken's API v2: the worked example of the venue's guide, made-up days held
//! against a slow twin, and bad input.

mod common;

use common::kraken::{Level, sum_of};
use feeds::recording::{Books, Options, Unit, open_bytes};
use market::book::OrderBooks;
use market::{BookState, BookView, EventKind, InstrumentId, Rng, Side};

const ONLY: InstrumentId = InstrumentId(0);
const TIME: &str = "2024-01-08T12:26:45.066096694Z";

/// The orders of the guide "L3 checksum (WebSocket v2)", best first and in the order of their queues.
const GUIDE_BIDS: [(&str, &str); 21] = [
    ("44939.4", "0.88968699"),
    ("44939.4", "0.45210000"),
    ("44939.4", "0.10000000"),
    ("44939.4", "0.14296323"),
    ("44939.4", "0.25000000"),
    ("44939.4", "0.10292988"),
    ("44939.4", "0.33880000"),
    ("44939.4", "1.28140860"),
    ("44937.1", "0.03346877"),
    ("44934.7", "0.35630000"),
    ("44930.2", "0.22734299"),
    ("44930.2", "0.01000000"),
    ("44930.2", "0.05550000"),
    ("44930.2", "0.70000000"),
    ("44930.2", "0.15000000"),
    ("44928.0", "0.00105240"),
    ("44919.6", "0.33870000"),
    ("44919.5", "0.07610000"),
    ("44912.0", "0.35630000"),
    ("44909.7", "0.06690000"),
    ("44901.9", "0.00088982"),
];
const GUIDE_ASKS: [(&str, &str); 14] = [
    ("44939.5", "4.52308393"),
    ("44939.5", "0.00111261"),
    ("44939.5", "0.00100000"),
    ("44939.5", "0.01000000"),
    ("44950.0", "0.10334926"),
    ("44953.0", "0.00064537"),
    ("44955.0", "0.00250000"),
    ("44959.6", "0.35630000"),
    ("44959.6", "0.35630000"),
    ("44960.1", "0.00338072"),
    ("44960.2", "0.88967575"),
    ("44967.0", "3.14392283"),
    ("44978.5", "0.06778960"),
    ("44979.2", "0.35630000"),
];
const GUIDE_SUM: u32 = 1_063_832_831;

/// An order: what became of it, its id, price and quantity.
type Told = (&'static str, String, String, String);

fn frame(kind: &str, [bids, asks]: [&[Told]; 2], sum: u32) -> String {
    let orders = |orders: &[Told]| {
        let one = |(event, id, price, qty): &Told| {
            let event =
                if event.is_empty() { String::new() } else { format!(r#""event":"{event}","#) };
            format!(
                r#"{{{event}"order_id":"{id}","limit_price":{price},"order_qty":{qty},"timestamp":"{TIME}"}}"#
            )
        };
        orders.iter().map(one).collect::<Vec<_>>().join(",")
    };
    let (bids, asks) = (orders(bids), orders(asks));
    format!(
        r#"{{"channel":"level3","type":"{kind}","data":[{{"symbol":"BTC/USD","checksum":{sum},"bids":[{bids}],"asks":[{asks}]}}]}}"#
    )
}

fn resting(side: &str, orders: &[(&str, &str)]) -> Vec<Told> {
    let all = orders.iter().enumerate();
    all.map(|(at, &(price, qty))| ("", format!("O{side}{at}"), price.to_owned(), qty.to_owned()))
        .collect()
}

fn of_the_guide() -> String {
    let (bids, asks) = (resting("B", &GUIDE_BIDS), resting("A", &GUIDE_ASKS));
    frame("snapshot", [&bids, &asks], GUIDE_SUM)
}

struct Run {
    books: OrderBooks,
    kinds: Vec<EventKind>,
    skipped: Vec<(String, u64)>,
    well: u64,
    described: Books,
}

fn run(frames: &[String]) -> Run {
    let text = frames.iter().map(|frame| format!("{frame}\n")).collect::<String>();
    let mut recording = open_bytes(text.as_bytes(), Options::default()).unwrap();
    let (mut books, mut kinds, mut unit) = (OrderBooks::growing(), Vec::new(), Unit::default());
    while recording.next_unit(&mut unit).unwrap() {
        for event in &unit.events {
            assert!(books.admit(event.instrument));
            assert_eq!(books.apply(event).contradiction, None, "{event:?}");
            kinds.extend(event.kind());
        }
    }
    books.audit().unwrap();
    let log = recording.log();
    let damaged = log.damaged().1.iter().map(|noted| (noted.reason.to_string(), 1));
    let skipped = log.skipped().map(|(reason, count, _)| (reason.to_owned(), count));
    let skipped = skipped.chain(damaged).collect();
    let well = recording.counts().others.first().map_or(0, |&(_, count)| count);
    Run { books, kinds, skipped, well, described: recording.describe().books }
}

fn levels(books: &OrderBooks, side: Side) -> Vec<(String, i64)> {
    let book = books.book(ONLY);
    let levels = (0..book.depth(side)).filter_map(|at| book.level(side, at));
    levels.map(|level| (level.price.to_string(), level.qty.raw())).collect()
}

#[test]
fn the_checksum_of_the_guide_is_over_every_order() {
    let run = run(&[of_the_guide()]);
    assert_eq!((run.skipped, run.well, run.described), (vec![], 1, Books::ByOrder));
    assert_eq!(run.kinds.len(), 1 + GUIDE_BIDS.len() + GUIDE_ASKS.len());
    assert_eq!(run.books.book(ONLY).state(), BookState::Live);
    assert_eq!(levels(&run.books, Side::Sell)[0], ("44939.5".to_owned(), 453_519_654));
}

/// Two orders of one price in the other order are another checksum.
#[test]
fn the_queue_counts() {
    let mut bids = resting("B", &GUIDE_BIDS);
    bids.swap(0, 1);
    let run = run(&[frame("snapshot", [&bids, &resting("A", &GUIDE_ASKS)], GUIDE_SUM)]);
    assert_eq!(run.skipped, [("the checksum is not that of the book".to_owned(), 1)]);
    assert_eq!(run.books.book(ONLY).state(), BookState::Suspect);
}

/// The twin: orders in lists, by side, in the order of their queues.
#[derive(Default)]
struct Twin {
    sides: [Vec<(String, i64, String)>; 2],
}

impl Twin {
    fn price(raw: i64) -> String {
        format!("{}.{}", raw / 10, raw % 10)
    }

    /// The orders of the ten best prices.
    fn shown(&self, side: usize) -> Vec<(String, i64, String)> {
        let mut orders = self.sides[side].clone();
        orders.sort_by_key(|&(_, price, _)| if side == 0 { -price } else { price });
        let mut prices: Vec<i64> = orders.iter().map(|&(_, price, _)| price).collect();
        prices.dedup();
        prices.truncate(10);
        orders.retain(|(_, price, _)| prices.contains(price));
        orders
    }

    fn sum(&self) -> u32 {
        let side = |side| -> Vec<Level> {
            let orders = self.shown(side).into_iter();
            orders.map(|(_, price, qty)| (Twin::price(price), qty)).collect()
        };
        sum_of(&side(1), &side(0))
    }
}

#[test]
fn a_made_up_day_of_orders_agrees_with_the_twin() {
    for seed in 0..40 {
        let (mut rng, mut twin) = (Rng::new(seed), Twin::default());
        let mut frames = Vec::new();
        let told = |event: &'static str, (id, price, qty): &(String, i64, String)| -> Told {
            (event, id.clone(), Twin::price(*price), qty.clone())
        };
        for number in 0..260 {
            let side = rng.below(2) as usize;
            let before = twin.shown(side);
            let at = rng.below(twin.sides[side].len().max(1) as u64) as usize;
            let qty = |rng: &mut Rng| format!("0.{:08}", 1 + rng.below(99_999_999));
            let modified = match rng.below(4) {
                0 if twin.sides[side].len() > 20 => {
                    twin.sides[side].remove(at);
                    None
                }
                1 if !twin.sides[side].is_empty() => {
                    let (id, price, old) = twin.sides[side][at].clone();
                    let new = (id.clone(), price, qty(&mut rng));
                    if new.2 <= old {
                        twin.sides[side][at] = new;
                    } else {
                        twin.sides[side].remove(at);
                        twin.sides[side].push(new);
                    }
                    Some(id)
                }
                _ => {
                    let away = 1 + rng.below(25) as i64;
                    let price = if side == 0 { 1_000 - away } else { 1_000 + away };
                    twin.sides[side].push((format!("O{number}"), price, qty(&mut rng)));
                    None
                }
            };
            if number < 60 {
                continue;
            }
            if number == 60 {
                let all = [0, 1].map(|side| -> Vec<Told> {
                    twin.shown(side).iter().map(|order| told("", order)).collect()
                });
                frames.push(frame("snapshot", [&all[0], &all[1]], twin.sum()));
                continue;
            }
            let after = twin.shown(side);
            let has = |orders: &[(String, i64, String)], id: &str| orders.iter().any(|o| o.0 == id);
            // What left the market is deleted; what only left the depth is not told.
            let left = before.iter().filter(|order| !has(&twin.sides[side], &order.0));
            let mut all: Vec<Told> = left.map(|order| told("delete", order)).collect();
            let changed = after.iter().filter(|order| modified.as_ref() == Some(&order.0));
            let changed = changed.filter(|order| has(&before, &order.0));
            all.extend(changed.map(|order| told("modify", order)));
            let new = after.iter().filter(|order| !has(&before, &order.0));
            all.extend(new.map(|order| told("add", order)));
            let sides = if side == 0 { [&all[..], &[]] } else { [&[], &all[..]] };
            frames.push(frame("update", sides, twin.sum()));
        }
        let ack = r#"{"method":"subscribe","result":{"channel":"level3","depth":10,"symbol":"BTC/USD"},"success":true}"#;
        frames.insert(0, r#"{"channel":"status","type":"update","data":[{}]}"#.to_owned());
        frames.insert(1, ack.to_owned());
        let run = run(&frames);
        assert_eq!((run.skipped, run.well), (vec![], 200), "seed {seed}");
        for (side, of) in [(Side::Buy, 0), (Side::Sell, 1)] {
            let mut expected: Vec<(String, i64)> = Vec::new();
            for (_, price, qty) in twin.shown(of) {
                let (whole, tenths) = (price / 10, price % 10);
                let price =
                    if tenths == 0 { whole.to_string() } else { format!("{whole}.{tenths}") };
                let qty: i64 = qty.replace("0.", "").parse().unwrap();
                match expected.last_mut().filter(|last| last.0 == price) {
                    Some(last) => last.1 += qty,
                    None => expected.push((price, qty)),
                }
            }
            assert_eq!(levels(&run.books, side), expected, "seed {seed}");
        }
    }
}

#[test]
fn bad_input_an_order_that_cannot_be_loses_the_book() {
    let order = |event: &'static str, id: &str, price: &str, qty: &str| -> Told {
        (event, id.to_owned(), price.to_owned(), qty.to_owned())
    };
    let update = |told: Told| frame("update", [&[told], &[]], 7);
    let sound = update(order("add", "OX", "44900.0", "1.0"));
    for (name, line) in [
        ("wrong checksum", sound.clone()),
        ("added twice", update(order("add", "OB0", "44939.4", "1.0"))),
        ("modified without being there", update(order("modify", "OX", "44939.4", "1.0"))),
        ("added with nothing", update(order("add", "OX", "44939.4", "0.0"))),
        ("modified on the other side", update(order("modify", "OA0", "44939.4", "1.0"))),
        ("price of zero", update(order("add", "OX", "0.0", "1.0"))),
        ("bid out of range", update(order("add", "OX", "99999999999999", "1.0"))),
        ("too fine", update(order("add", "OX", "44939.4", "0.000000001"))),
        ("an event that is none", update(order("adds", "OX", "44939.4", "1.0"))),
        ("no event", update(order("", "OX", "44939.4", "1.0"))),
        ("id that is a number", sound.replace("\"OX\"", "7")),
        ("time of words", sound.replace(TIME, "now")),
        ("half an order", sound.replace(r#""limit_price":44900.0,"#, "")),
    ] {
        let run = run(&[of_the_guide(), line.clone()]);
        let state = run.books.book(ONLY).state();
        assert_eq!(
            (state, run.skipped.len()),
            (BookState::Suspect, 1),
            "{name}: {:?}",
            run.skipped
        );
        let again = self::run(&[of_the_guide(), line, of_the_guide()]);
        assert_eq!(again.books.book(ONLY).state(), BookState::Live, "{name}");
    }
}
