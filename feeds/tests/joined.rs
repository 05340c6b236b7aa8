//! Recordings that go on in another file: what is lost between them, and which go together.

mod common;

use common::levels::{ONLY, Run};
use feeds::recording::{Joined, Options, Source, open};
use flate2::{Compression, write::GzEncoder};
use market::BookState::{self, Live, Suspect};
use std::io::Write;
use std::path::Path;

/// A file, packed, that lacks so many of its last bytes.
fn packed(path: &Path, text: &str, lacks: usize) -> Source {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(text.as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    std::fs::write(path, &bytes[..bytes.len() - lacks]).unwrap();
    Source::file(path)
}

fn joined(sources: impl IntoIterator<Item = Source>) -> Vec<Source> {
    let mut joined = Joined::default();
    sources.into_iter().for_each(|source| joined.add(source, &Options::default()).unwrap());
    joined.sources().map(|(source, _)| source).collect()
}

/// Levels of Coinbase Exchange: no number shows what is missing.
fn update(second: u64, qty: u64) -> String {
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!(
        r#"{{"type":"l2update","product_id":"BTC-USD","changes":[["buy","10.7","{qty}"]],"time":"2021-04-17T{hour:02}:{minute:02}:{second:02}Z"}}"#
    ) + "\n"
}

fn whole() -> String {
    r#"{"type":"snapshot","product_id":"BTC-USD","asks":[["11.5","2"]],"bids":[["10.5","1"]]}"#
        .to_owned()
        + "\n"
}

/// The state of the only book behind each unit.
fn states(source: &Source) -> (Vec<BookState>, Run<'static>) {
    let mut run = Run::new(open(source, Options::default()).unwrap());
    let mut states = Vec::new();
    while run.step() {
        states.push(run.state(ONLY));
    }
    (states, run)
}

/// A recorder was killed, and another one began: the first file is of less or of more than what is
/// looked at when it is opened.
#[test]
fn a_file_that_is_cut_is_followed_by_the_next_with_its_books_lost() {
    for lines in [10, 1_000] {
        let folder = tempfile::tempdir().unwrap();
        let first = whole() + &(0..lines).map(|at| update(at, 1 + at)).collect::<String>();
        let second: String = (0..4).map(|at| update(lines + at, 7)).collect();
        let first = packed(&folder.path().join("1.gz"), &first, 50);
        let second = packed(&folder.path().join("2.gz"), &(second.clone() + &whole()), 0);
        let joined = joined([first, second]);
        let [source] = &joined[..] else { panic!("{joined:?}") };
        let (states, run) = states(source);
        let lost = states.iter().position(|&state| state != Live).unwrap();
        assert_eq!(lost as u64, lines);
        // The cut, the line that it cut, four updates.
        assert_eq!(states[lost..], [&[Suspect; 6][..], &[Live]].concat());
        let log = run.recording.log();
        let (damaged, first) = log.damaged();
        assert_eq!((damaged, log.is_cut()), (2, None));
        assert!(first[0].reason.contains("another file goes on"), "{first:?}");
        assert_eq!(first[0].position, first[1].position);
    }
}

#[test]
fn the_last_file_is_cut_as_a_single_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let first = packed(&folder.path().join("1.gz"), &(whole() + &update(1, 1)), 0);
    let second = packed(&folder.path().join("2.gz"), &(update(2, 2) + &update(3, 3)), 50);
    let (states, run) = states(&first.followed_by(second));
    assert_eq!(states, [Live; 3]);
    assert!(run.recording.log().is_cut().is_some());
}

/// The second file has no snapshot, or has one; what is said of it.
#[test]
fn a_book_that_goes_on_without_a_number_is_said_to() {
    for (lines, shown) in [(10, false), (10, true), (9_000, false)] {
        let folder = tempfile::tempdir().unwrap();
        let first = whole() + &(0..lines).map(|at| update(at, 1 + at)).collect::<String>();
        let snapshot = if shown { whole() } else { String::new() };
        let second = snapshot + &(0..4).map(|at| update(lines + 600 + at, 7)).collect::<String>();
        let begins = first.len() as u64;
        // Of its last line the end is given.
        let first = packed(&folder.path().join("1.gz"), first.trim_end(), 0);
        let second = packed(&folder.path().join("2.gz"), &second, 0);
        let (states, run) = states(&first.followed_by(second));
        assert!(states.iter().all(|&state| state == Live));
        let (count, seams) = run.recording.log().seams();
        assert_eq!(count, u64::from(!shown));
        if let Some(seam) = seams.first() {
            assert_eq!(seam.position, begins);
            assert!(seam.reason.starts_with("BTC-USD: 601.000 s later; no number"), "{seam:?}");
        }
    }
}

/// A trade of Coinbase.
fn trade(second: u64) -> String {
    format!(
        r#"{{"type":"match","trade_id":{second},"maker_order_id":"2a0da34e-61f7-4c36-88e5-c9dd15927b16","taker_order_id":"3c82abaa-c01e-4608-be59-6a1e69742891","side":"sell","size":"1","price":"10.7","product_id":"BTC-USD","sequence":{second},"time":"2021-04-17T00:00:{second:02}Z"}}"#
    ) + "\n"
}

/// One follows the other in no order in which they are named.
#[test]
fn depth_and_trades_of_the_same_time_are_two_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| packed(&folder.path().join(name), text, 0);
    let answer = r#"{"type":"subscriptions","channels":[]}"#.to_owned() + "\n";
    let updates = |from, to| (from..to).map(|at| update(at, 1)).collect::<String>();
    let depth = file("depth", &(answer.clone() + &whole() + &updates(1, 10)));
    let trades = file("trades", &(answer + &(3..12).map(trade).collect::<String>()));
    let then = file("then", &updates(13, 20));
    let late = file("late", &trade(10));
    for both in [[&depth, &trades], [&trades, &depth]] {
        assert_eq!(joined(both.map(Clone::clone)).len(), 2);
    }
    let all = joined([&depth, &trades, &then].map(Clone::clone));
    assert_eq!(all, [depth.clone().followed_by(then), trades]);
    // Where one has ended, the other may go on with it.
    assert_eq!(joined([depth, late]).len(), 1);
}
