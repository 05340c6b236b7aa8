//! Exchange and engine as two processes: any order of start, and kill -9 of the engine.

use crate::host::{Host, eventually, replay};
use crate::lab::{Lab, engine_positions, exchange_positions};
use crate::story::{Counts, Story, assert_ids_on_the_wire_are_unique};

/// Stops both sides, which must agree, and replays the journal of so many starts.
pub(crate) fn finish(lab: &Lab, engine: Host, exchange: Host, starts: u64) {
    let ours = engine.stop();
    let theirs = exchange.stop();
    assert_eq!(engine_positions(&ours), exchange_positions(&theirs), "{ours}\n{theirs}");
    assert!(!ours.contains("still open") && theirs.contains(" 0 open orders"), "{ours}\n{theirs}");
    for trouble in ["told twice", "not ours", "contradictions", "illegal", "HALTED", "halted"] {
        assert!(!ours.contains(trouble), "{ours}");
    }
    let mut story = Story::of(lab);
    let told = story.read();
    assert_eq!((told.starts, told.positions()), (starts, exchange_positions(&theirs)));
    assert!(told.open().is_empty());
    assert_ids_on_the_wire_are_unique(lab);
    let replayed = replay(lab.dir(), &lab.journal());
    assert!(replayed.contains(&format!("starts: {starts}")), "{replayed}");
    assert!(replayed.contains("\nidentical, state hash "), "{replayed}");
}

#[test]
fn the_exchange_starts_first() {
    let lab = Lab::synthetic(5);
    let exchange = lab.exchange(&[]);
    eventually("a session", || lab.session());
    let engine = lab.engine();
    Story::of(&lab).wait("fills", |told| told.now.fills >= 3);
    finish(&lab, engine, exchange, 1);
}

#[test]
fn the_engine_starts_first() {
    let lab = Lab::synthetic(5);
    let engine = lab.engine();
    let mut story = Story::of(&lab);
    story.wait("the start", |told| told.starts == 1);
    let exchange = lab.exchange(&[]);
    story.wait("fills", |told| told.now.fills >= 3);
    finish(&lab, engine, exchange, 1);
}

#[test]
fn the_engine_is_killed_at_five_moments() {
    let lab = Lab::synthetic(10);
    let mut story = Story::of(&lab);
    let mut until = |start: u64, what: &str, found: fn(&Counts) -> bool| {
        let engine = lab.engine();
        story.wait_in(start, what, found);
        engine
    };
    // There is nothing to log on to yet.
    until(1, "its beginning", |_| true).kill();
    let exchange = lab.exchange(&[]);
    // It asks for everything from message 1 on, which takes it a while.
    eventually("a past", || {
        let messages = std::fs::metadata(lab.messages(&lab.session()?)).ok()?;
        (messages.len() > 50_000).then_some(())
    });
    until(2, "a first packet", |now| now.packets > 0).kill();
    until(3, "first orders", |now| now.news > 0).kill();
    until(4, "quoting", |now| now.fills >= 5).kill();
    let engine = until(5, "quoting", |now| now.fills >= 2);
    engine.interrupt();
    Story::of(&lab).wait("the stop", |told| told.starts == 5 && told.now.controls > 0);
    // It may have been faster.
    engine.kill_if_alive();
    let engine = until(6, "quoting", |now| now.fills >= 3);
    finish(&lab, engine, exchange, 6);
}
