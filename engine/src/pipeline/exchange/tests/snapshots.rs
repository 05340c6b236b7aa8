//! Snapshots: an engine that comes late, and what a server that lies or breaks off leads to.

use super::lab::{NOON, config};
use super::weather::{Sea, receiver, snapshots};
use feeds::moldudp64::Start;
use market::Nanos;

#[test]
fn a_late_engine_takes_a_snapshot_and_reads_no_more_of_the_day() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &["A"]);
    let settings = (receiver(Start::FromSnapshot), snapshots(3));
    let mut sea = Sea::new(&config, settings, (1, Nanos::from_secs(10)), NOON);
    let missed = sea.lab.core.report().next_sequence;
    sea.run(Nanos::from_secs(1));
    sea.assert_whole();
    let counters = sea.feed.receiver().counters();
    assert_eq!((counters.requests, counters.by_snapshot.count, counters.lost), (0, 1, 0));
    assert!(missed > 1_000 && counters.messages < missed, "{missed} {counters:?}");
    assert!(counters.by_snapshot.longest > Nanos::ZERO && sea.compared > 100);
    // What stands in the exchange's own open orders is what the books show.
    let levels = sea.lab.levels(market::InstrumentId(0), market::Side::Buy);
    assert_eq!(sea.books.book(market::InstrumentId(0)).orders() > 0, !levels.is_empty());
}
