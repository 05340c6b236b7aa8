//! Backtests as a user runs them: the summary, the journal, the run hash, and its replay.

mod rig;
mod support;

use engine::config::{BacktestChanges, BacktestConfig};
use engine::modes::backtest::{self, Done};
use engine::modes::replay::replay;
use engine::pipeline::records::kind;
use feeds::file::Reader;
use feeds::recording::Source;
use market::Nanos;
use rig::{Copied, copy};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const ARL: &str = "derived/ARL_20250717.derived.itch50.gz";

fn config(root: &Path, changes: &BacktestChanges) -> BacktestConfig {
    let mut config = BacktestConfig::demo(changes).unwrap();
    config.journal.dir = root.join("journal");
    config
}

fn synthetic(root: &Path, seed: u64) -> BacktestConfig {
    let duration = Some(Nanos::from_secs(30));
    config(root, &BacktestChanges { seed: Some(seed), duration, ..BacktestChanges::default() })
}

fn recorded(root: &Path, data: PathBuf) -> BacktestConfig {
    config(root, &BacktestChanges { data: Some(data), ..BacktestChanges::default() })
}

fn run(config: &BacktestConfig) -> Done {
    backtest::run(config).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_run_in_a_folder_of_its_own() {
    let root = TempDir::new().unwrap();
    let one = run(&synthetic(root.path(), 1));
    let again = run(&synthetic(root.path(), 1));
    let other = run(&synthetic(root.path(), 2));
    assert_eq!(one.end.run_hash, again.end.run_hash);
    assert_ne!(one.end.run_hash, other.end.run_hash);
    assert!(one.journal.ends_with("run-1") && again.journal.ends_with("run-2"));
    assert!(one.end.trading.counters().fills > 0);
}

#[test]
fn the_summary_names_what_a_researcher_asks_for() {
    let root = TempDir::new().unwrap();
    let done = run(&synthetic(root.path(), 1));
    let hash = format!("run hash      {:032x}", done.end.run_hash);
    let replay = format!("touchline replay {}", done.journal.display());
    for line in [
        "backtest of glft",
        "data          synthetic flow, default parameters",
        "time          30 s from 2025-01-01T00:00:00.000000000Z",
        "model         virtual clock, feed latency 20.00 µs, order latency 50.00 µs each way, seed 1",
        &hash,
        "order/trade",
        "instrument    fills    position      realised       marked        fees   spread gain          total",
        &replay,
    ] {
        assert!(done.text.contains(line), "{line:?} is not in\n{}", done.text);
    }
    let narrow = |line: &&str| line.chars().count() <= 100 || line.contains("journal");
    assert!(done.text.lines().all(|line| narrow(&line)), "{}", done.text);
    assert!(!done.text.contains("hop"), "nothing was measured");
}

#[test]
fn a_backtest_replays_to_itself_and_not_to_another() {
    let root = TempDir::new().unwrap();
    let done = run(&synthetic(root.path(), 1));
    let outcome = replay(&done.journal).unwrap();
    assert_eq!(outcome.difference, None);
    assert_eq!(outcome.state_hash, Some(done.end.state_hash));

    let shm = Path::new("/dev/shm");
    let flipped = root.path().join("flipped");
    let (mut commands, mut at) = (0, 0);
    copy(&done.journal, &flipped, shm, "trading", |sequence, kind, payload| {
        let mut payload = payload.to_vec();
        commands += u32::from(kind == kind::COMMAND);
        if commands == 30 && at == 0 {
            at = sequence;
            // The lowest byte of the price.
            payload[17] ^= 1;
        }
        Copied::As(payload)
    });
    let difference = replay(&flipped).unwrap().difference.expect("a difference");
    assert_eq!(difference.place, format!("record {at}"));
    assert!(difference.recorded.starts_with("command "), "{difference}");

    for kept in [1, 2, at, at + 1] {
        let killed = root.path().join(format!("killed-{kept}"));
        copy(&done.journal, &killed, shm, "trading", |sequence, _, payload| {
            if sequence > kept { Copied::Cut } else { Copied::As(payload.to_vec()) }
        });
        let outcome = replay(&killed).unwrap();
        assert_eq!(outcome.difference, None);
        assert_eq!((outcome.last, outcome.state_hash), (kept, None));
        assert!(outcome.text().contains(&format!("identical to record {kept}, no final state")));
    }
}

#[test]
fn the_recorded_day_trades_and_replays() {
    let Some(data) = support::data(ARL) else { return };
    let root = TempDir::new().unwrap();
    let (one, again) =
        (run(&recorded(root.path(), data.clone())), run(&recorded(root.path(), data)));
    assert!(one.end.trading.counters().fills > 0, "{}", one.text);
    assert_eq!(one.end.run_hash, again.end.run_hash);
    assert_eq!(one.end.trading.account().orders().open_count(), 0);
    assert_eq!(replay(&one.journal).unwrap().difference, None);
}

/// A capture of MoldUDP64 packets, one for each message of a BinaryFILE.
fn captured(file: &Path) -> Vec<u8> {
    let mut reader = Reader::new(Source::file(file).open().unwrap());
    let mut capture =
        [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 65_535, 101].map(u32::to_le_bytes).concat();
    let mut sequence = 0u64;
    while let Some(message) = reader.next_message().unwrap() {
        sequence += 1;
        let mut payload = [&b"SESSION   "[..], &sequence.to_be_bytes(), &[0, 1]].concat();
        payload.extend((message.len() as u16).to_be_bytes());
        payload.extend(message);
        let udp = (8 + payload.len() as u16).to_be_bytes();
        let total = (28 + payload.len() as u16).to_be_bytes();
        let mut packet = vec![0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, 17, 0, 0];
        packet.extend([10, 0, 0, 1, 233, 54, 12, 111, 0, 1, 0, 2, udp[0], udp[1], 0, 0]);
        packet.extend(payload);
        let words = [1_752_759_000, sequence as u32, packet.len() as u32, packet.len() as u32];
        capture.extend(words.map(u32::to_le_bytes).concat());
        capture.extend(packet);
    }
    capture
}

#[test]
fn a_capture_of_the_same_messages_is_the_same_run() {
    let Some(data) = support::data(ARL) else { return };
    let root = TempDir::new().unwrap();
    let capture = root.path().join("day.pcap");
    std::fs::write(&capture, captured(&data)).unwrap();
    let (file, capture) = (run(&recorded(root.path(), data)), run(&recorded(root.path(), capture)));
    assert!(file.end.trading.counters().fills > 0);
    assert_eq!(file.end.run_hash, capture.end.run_hash);
    assert_eq!(replay(&capture.journal).unwrap().difference, None);
}

#[test]
fn a_recording_that_tells_no_orders_or_is_cut_is_refused() {
    let root = TempDir::new().unwrap();
    let path = root.path().join("day");
    let refused = |content: &[u8]| {
        std::fs::write(&path, content).unwrap();
        let done = backtest::run(&recorded(root.path(), path.clone()));
        format!("{:#}", done.err().expect("refused"))
    };
    assert!(refused(b"hello").contains("not recognised"));
    let system = b"\0\x0cS\0\0\0\0\0\0\0\0\0\x01O";
    let cut = refused(&[&system[..], &system[..5]].concat());
    assert!(cut.contains("at byte 14: message 2 is cut off: 5 of 14 bytes"), "{cut}");
    // A capture without a datagram that is known.
    let empty = [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 65_535, 1].map(u32::to_le_bytes).concat();
    let none = refused(&empty);
    assert!(none.contains("keeps no book") && none.contains("touchline convert"), "{none}");
}

#[test]
fn a_replay_refuses_another_recording() {
    let Some(data) = support::data(ARL) else { return };
    let root = TempDir::new().unwrap();
    let moved = root.path().join("day.itch50.gz");
    std::fs::copy(data, &moved).unwrap();
    let done = run(&recorded(root.path(), moved.clone()));
    // The same day with one byte behind its end: the same messages, but not the same file.
    let mut bytes = std::fs::read(&moved).unwrap();
    bytes.push(0);
    std::fs::write(&moved, bytes).unwrap();
    let error = replay(&done.journal).unwrap_err().to_string();
    assert!(error.contains("is not the file that the backtest ran on"), "{error}");
    std::fs::remove_file(&moved).unwrap();
    let error = format!("{:#}", replay(&done.journal).unwrap_err());
    assert!(error.contains("cannot read the recording"), "{error}");
}
