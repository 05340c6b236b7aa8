//! A journal taken over by a start whose list of instruments is in another order: what was counted
//! stays counted, and what was missed is of the instrument that it was of.

mod rig;

use engine::journal;
use engine::pipeline::assembly;
use engine::pipeline::records::{Record, kind};
use engine::pipeline::streams::{self, Streams};
use engine::trading::OpeningState;
use market::{InstrumentId, Nanos, Position, ReportKind};
use rig::{Copied, Rig, copy};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

/// A run with fills, killed.
fn killed(root: &Path) -> Rig {
    let mut rig = Rig::new(root, 3);
    rig.start();
    rig.run_for(Nanos::from_secs(12));
    rig.kill();
    rig
}

/// The list in the other order, as if its file had been sorted anew.
fn turn(rig: &mut Rig) {
    let listed = &mut rig.config.trading.instruments;
    listed.reverse();
    for (id, listed) in (0..).zip(listed) {
        listed.instrument.id = InstrumentId(id);
    }
}

fn positions(rig: &Rig, opening: &OpeningState) -> BTreeMap<String, Position> {
    let symbols = assembly::instruments(&rig.config.trading).into_iter().map(|i| i.symbol);
    symbols.zip(opening.positions.iter().copied()).collect()
}

fn open(rig: &Rig) -> Streams {
    streams::open(&rig.config, rig.now).unwrap()
}

#[test]
fn a_list_in_another_order_counts_no_fill_twice() {
    let root = TempDir::new().unwrap();
    let mut rig = killed(root.path());
    let same = open(&rig);
    let held = positions(&rig, &same.opening);
    let traded = held.values().filter(|position| position.fills > 0).count();
    assert!(traded > 1, "fills in {traded} instruments");
    drop(same);
    for start in 0..3 {
        turn(&mut rig);
        let turned = open(&rig);
        assert_eq!(turned.missed.len(), 0, "start {start}");
        assert_eq!(positions(&rig, &turned.opening), held, "start {start}");
        drop(turned);
        // A start under this list, which the venue does not hear.
        rig.mute = true;
        rig.start();
        rig.kill();
    }
}

#[test]
fn a_missed_fill_is_of_its_own_instrument() {
    let root = TempDir::new().unwrap();
    let mut rig = killed(root.path());
    let (last, symbol) = last_fill(&rig);
    let to = root.path().join("copy");
    let hot = rig.config.journal.hot_dir.clone();
    copy(&rig.dir, &to, &hot, "trading", |sequence, _, payload| {
        if sequence < last { Copied::As(payload.to_vec()) } else { Copied::Cut }
    });
    copy(&rig.dir, &to, &hot, "gateway", |_, _, payload| Copied::As(payload.to_vec()));
    rig.config.journal.dir = Some(to);
    turn(&mut rig);
    let opened = open(&rig);
    let instruments = assembly::instruments(&rig.config.trading);
    let missed: Vec<&str> =
        opened.missed.iter().map(|r| &*instruments[r.instrument.index()].symbol).collect();
    assert_eq!(missed, [symbol]);
}

/// Sequence of the record of the last fill, and its symbol.
fn last_fill(rig: &Rig) -> (u64, String) {
    let hot = &rig.config.journal.hot_dir;
    let mut reader = journal::Reader::open(&rig.dir, hot, "trading").unwrap();
    let mut last = None;
    while let Some(record) = reader.next_record().unwrap() {
        if record.kind == kind::REPORT
            && let Ok(Record::Report(_, _, report)) = Record::decode(record.kind, record.payload)
            && report.kind() == Some(ReportKind::Filled)
        {
            last = Some((record.sequence, report.instrument));
        }
    }
    let (sequence, id) = last.expect("a fill");
    (sequence, assembly::instruments(&rig.config.trading)[id.index()].symbol.clone())
}

/// Executions were counted by the instrument's place once. Such a journal is counted again.
#[test]
fn counted_executions_are_those_of_the_records_whatever_a_start_says() {
    let root = TempDir::new().unwrap();
    let mut rig = killed(root.path());
    rig.mute = true;
    rig.start();
    rig.kill();
    let to = root.path().join("copy");
    let hot = rig.config.journal.hot_dir.clone();
    let mut starts = 0;
    copy(&rig.dir, &to, &hot, "trading", |_, kind, payload| {
        let Ok(Record::Start(mut start)) = Record::decode(kind, payload) else {
            return Copied::As(payload.to_vec());
        };
        starts += 1;
        let mut opening = OpeningState::from_bytes(&start.opening).unwrap();
        assert_eq!(opening.executions.is_empty(), starts == 1);
        opening.executions.iter_mut().for_each(|key| *key ^= 0x9e37_79b9_7f4a_7c15);
        start.opening = opening.to_bytes();
        Copied::As(start.to_bytes())
    });
    copy(&rig.dir, &to, &hot, "gateway", |_, _, payload| Copied::As(payload.to_vec()));
    assert_eq!(starts, 2);
    rig.config.journal.dir = Some(to);
    assert_eq!(open(&rig).missed.len(), 0);
}

/// What is sent over the end of a session day, a Logout or a Heartbeat, has numbers of that day.
#[test]
fn numbers_are_of_the_day_of_their_logon() {
    let root = TempDir::new().unwrap();
    let rig = killed(root.path());
    assert_eq!(open(&rig).gateway.used, Some(rig::BEGIN));
}
