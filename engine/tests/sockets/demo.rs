//! The bare demo: it quotes, reports, stops well, and its journal replays to itself.

use crate::host::{Host, eventually};
use crate::lab::{engine_positions, exchange_positions};
use std::path::Path;

/// What a trader wants to read at the end.
const PARTS: [&str; 16] = [
    "market data",
    "messages decoded",
    "order session",
    "books",
    "orders sent",
    "fills",
    "order/trade",
    "rejects",
    "risk refused",
    "realised",
    "spread gain",
    "tick-to-trade",
    "order-to-ack",
    "p99.9",
    "journal",
    "replay it",
];

/// Runs the command that the report ends with.
fn replay_it(dir: &Path, report: &str) -> String {
    let line = report.lines().find_map(|line| line.strip_prefix("replay it")).unwrap();
    let args: Vec<&str> = line.trim().split(' ').skip(1).collect();
    Host::start(dir, "replay.out", &args).wait_well()
}

#[test]
fn the_demo_reports_and_replays() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Host::start(dir.path(), "demo.out", &["demo", "--seconds", "3"]);
    let report = demo.wait_well();
    for part in PARTS {
        assert!(report.contains(part), "no {part:?} in {report}");
    }
    assert!(!report.contains("still open") && !report.contains("troubles"), "{report}");
    assert!(report.contains(" new, "), "no order was sent: {report}");
    assert_eq!(engine_positions(&report), exchange_positions(&report), "{report}");
    let replayed = replay_it(dir.path(), &report);
    assert!(replayed.contains("\nidentical, state hash "), "{replayed}");

    // Ctrl-C, in a folder where a demo was before.
    let demo = Host::start(dir.path(), "again.out", &["demo", "--seconds", "600"]);
    eventually("the status line", || demo.output().contains(" open, ").then_some(()));
    let report = demo.stop();
    assert!(PARTS.iter().all(|part| report.contains(part)), "{report}");
    let replayed = replay_it(dir.path(), &report);
    assert!(replayed.contains("\nidentical, state hash "), "{replayed}");
}
