//! The recorded ARL day in lockstep: every message arrives, the books are the vendor's, and our
//! orders get what they get in a backtest.

use crate::host::{Host, replay};
use crate::lab::{Lab, changed, engine_positions, exchange_positions};
use crate::story::Story;
use crate::support;
use engine::config::{BacktestChanges, BacktestConfig};
use engine::modes::backtest;
use engine::pipeline::records::{Record, Start};
use engine::pipeline::tape::Tape;
use engine::trading::OpeningState;
use flate2::read::GzDecoder;
use market::book::{BookLimits, OrderBooks};
use market::{
    BookView, Command, CommandKind, Event, EventKind, InstrumentId, Price, Report, ReportKind, Side,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

const MESSAGES: u64 = 4_340;
/// Sequences after which the vendor has a row.
const COMPARABLE: usize = 3_359;

/// What the engine runs, live and backtested: narrow quotes, which get filled.
const GLFT: &str = "name = \"glft\"\ninstruments = [\"ARL\"]\n\n[strategy.parameters]\n\
                    gamma = 0.5\na = 0.05\nk = 50.0\nsigma = 0.01\nsigma_half_life = 300.0\n\
                    size = 50\nmax_inventory = 10\n\n[risk]";

/// What a backtest did.
#[derive(Default)]
struct Deeds {
    commands: Vec<Command>,
    fills: Vec<Report>,
}

impl Tape for &mut Deeds {
    fn has_room(&self) -> bool {
        true
    }

    fn record(&mut self, kind: u16, parts: &[&[u8]]) -> bool {
        match Record::decode(kind, &parts.concat()) {
            Ok(Record::Report(_, _, report)) if report.kind() == Some(ReportKind::Filled) => {
                self.fills.push(report);
            }
            Ok(Record::Command(_, command)) if command.kind() != Some(CommandKind::Mark) => {
                self.commands.push(command);
            }
            _ => {}
        }
        true
    }
}

/// What the same loop does in a backtest with the feed's clock and without latencies.
fn backtest(lab: &Lab, data: &Path) -> Deeds {
    let text = include_str!("../../../config/backtest-arl.toml");
    let midnight = "midnight_utc = \"04:00:00\"";
    let feed = "clock = \"feed\"\nfeed_latency_us = 0\norder_latency_us = 0";
    let changes = [(midnight, format!("{midnight}\n{feed}"))];
    let path = lab.dir().join("backtest.toml");
    std::fs::write(&path, with_glft(&changed(text, &changes))).unwrap();
    let data = Some(data.to_owned());
    let config =
        BacktestConfig::load(&path, &BacktestChanges { data, ..BacktestChanges::default() });
    let config = config.unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    let market = backtest::market(&config).unwrap();
    let opening = OpeningState { epoch: 1, ..OpeningState::default() };
    let now = market.next_time().unwrap();
    let start = Start { now, opening: opening.to_bytes(), ..Start::default() };
    let mut deeds = Deeds::default();
    backtest::simulate(&config, market, &mut deeds, &start).unwrap();
    deeds
}

/// A configuration with the strategies it has replaced.
fn with_glft(config: &str) -> String {
    let (head, rest) = config.split_once("[[strategy]]").unwrap();
    let (_, tail) = rest.split_once("[risk]").unwrap();
    format!("{head}[[strategy]]\n{GLFT}{tail}")
}

/// The first difference between what two runs did, in what can be compared between them.
fn assert_same<T>(live: &[T], backtest: &[T], text: fn(&T) -> String) {
    let same = live.iter().map(text).zip(backtest.iter().map(text));
    for (at, (live, backtest)) in same.enumerate() {
        assert_eq!(live, backtest, "number {at}");
    }
    assert_eq!(live.len(), backtest.len());
}

fn request(command: &Command) -> String {
    format!(
        "{:?} {} of {}, {:?} {} at {}",
        command.kind(),
        command.id.counter(),
        command.target.counter(),
        command.side(),
        command.qty.raw(),
        command.price
    )
}

fn fill(fill: &Report) -> String {
    format!(
        "order {} {:?} {} at {}, {} left, venue {}",
        fill.order.counter(),
        fill.side(),
        fill.qty.raw(),
        fill.price,
        fill.leaves_qty.raw(),
        fill.exchange_time
    )
}

/// The vendor's ten levels, bid and ask, after the last row of each sequence.
fn vendor_levels(path: &Path) -> BTreeMap<u64, [Vec<(Price, i64)>; 2]> {
    let mut levels = BTreeMap::new();
    for row in std::fs::read_to_string(path).unwrap().lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let side = |at: usize| {
            let level = |i: usize| (cells[14 + 6 * i + at], cells[15 + 6 * i + at]);
            let given = (0..10).map(level).filter(|(price, _)| !price.is_empty());
            given.map(|(price, size)| (price.parse().unwrap(), size.parse().unwrap())).collect()
        };
        levels.insert(cells[13].parse().unwrap(), [side(0), side(3)]);
    }
    levels
}

/// The vendor's sequence that each message belongs to; zero for none.
fn sequences(path: &Path) -> Vec<u64> {
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().filter_map(|line| line.split(',').nth(1)?.parse().ok()).collect()
}

/// Rebuilds the book from what the engine's loop was given, and compares it wherever the vendor has
/// a row.
fn compare_books(events: &[Event], day: &Path, vendor: &Path) {
    let vendor = vendor_levels(vendor);
    let sequences = sequences(&day.with_file_name("ARL_20250717.derived.itch50.seqmap.csv.gz"));
    assert_eq!(sequences.len() as u64, MESSAGES);
    let mut books = OrderBooks::new(BookLimits { instruments: 1, orders: 4_096, levels: 1_024 });
    let (mut message, mut compared) = (0, 0);
    for event in events {
        if event.kind() != Some(EventKind::Mark) {
            assert_eq!(books.apply(event).contradiction, None, "after message {message}");
            continue;
        }
        message += 1;
        assert_eq!(event.order, message as u64 + 1, "a message for each mark");
        let sequence = sequences[message - 1];
        let last = sequences.get(message) != Some(&sequence);
        let Some(want) = vendor.get(&sequence).filter(|_| last && sequence != 0) else { continue };
        let book = books.book(InstrumentId(0));
        for (side, want) in Side::BOTH.into_iter().zip(want) {
            let levels = (0..10).map_while(|depth| book.level(side, depth));
            let levels: Vec<_> = levels.map(|level| (level.price, level.qty.raw())).collect();
            assert_eq!(&levels, want, "{side:?} after message {message}");
        }
        compared += 1;
    }
    assert_eq!((message as u64, compared), (MESSAGES, COMPARABLE));
}

/// Runs both sides to the end of the recording.
fn run(lab: &Lab, day: &Path) -> (Host, Host, Story) {
    let day = day.to_str().unwrap();
    let exchange = lab.exchange(&["--replay", day, "--lockstep"]);
    let engine = lab.engine();
    let mut story = Story::of(lab);
    story.wait("the end of the recording", |told| {
        told.events
            .iter()
            .rev()
            .take(8)
            .any(|event| event.kind() == Some(EventKind::Mark) && event.order == MESSAGES + 1)
    });
    (exchange, engine, story)
}

#[test]
fn in_lockstep_the_recorded_day_is_what_the_backtest_says() {
    let Some(day) = support::data("derived/ARL_20250717.derived.itch50.gz") else { return };
    let Some(vendor) = support::data("databento_csv/mbp.csv") else { return };
    let day = day.canonicalize().unwrap();
    let lab = Lab::arl();
    let path = lab.dir().join("engine.toml");
    std::fs::write(&path, with_glft(&std::fs::read_to_string(&path).unwrap())).unwrap();
    let (exchange, engine, mut story) = run(&lab, &day);
    let ours = engine.stop();
    let theirs = exchange.stop();
    assert!(ours.contains("4,340 messages decoded"), "{ours}");
    assert!(!ours.contains("troubles") && !ours.contains("still open"), "{ours}");
    assert_eq!(engine_positions(&ours), exchange_positions(&theirs), "{ours}\n{theirs}");
    compare_books(&story.read().events, &day, &vendor);

    let told = story.read();
    let expected = backtest(&lab, &day);
    assert!(expected.fills.len() >= 10, "only {} fills", expected.fills.len());
    assert_same(&told.commands, &expected.commands, request);
    assert_same(&told.fills, &expected.fills, fill);
    let replayed = replay(lab.dir(), &lab.journal());
    assert!(replayed.contains("\nidentical, state hash "), "{replayed}");
}
