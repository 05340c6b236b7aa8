//! kill -9 of the exchange under a running engine, and a fresh exchange after it.

use crate::host::{Host, eventually, replay};
use crate::lab::{Lab, engine_positions, exchange_positions};
use crate::story::{Story, Told};

/// Waits for quoting that begins after what was told before the exchange came.
fn quotes_again(story: &mut Story, before: &Told, fills: u64) {
    let before = before.now;
    story.wait("quoting anew", |told| {
        told.now.ups > before.ups
            && told.now.answers > before.answers
            && told.now.accepted > before.accepted
            && told.now.fills >= before.fills + fills
    });
}

#[test]
fn the_exchange_is_killed_at_five_moments() {
    let lab = Lab::synthetic(5);
    let engine = lab.engine();
    let mut story = Story::of(&lab);
    story.wait("the start", |told| told.starts == 1);

    // Before anyone is logged on, as far as that goes.
    let exchange = lab.exchange(&[]);
    let session = eventually("a session", || lab.session());
    exchange.kill();
    let mut until = |what: &str, found: fn(&Told, &Told) -> bool| {
        let before = story.read().clone();
        let exchange = lab.exchange(&[]);
        story.wait(what, |told| found(&before, told));
        assert_eq!(lab.session().as_ref(), Some(&session), "another session");
        exchange
    };
    until("a logon", |before, told| told.now.ups > before.now.ups).kill();
    until("first orders", |before, told| told.now.accepted > before.now.accepted).kill();
    until("fills", |before, told| told.now.fills >= before.now.fills + 3).kill();
    let exchange = until("quoting", |before, told| told.now.accepted > before.now.accepted + 5);
    exchange.interrupt();
    exchange.kill_if_alive();

    let before = story.read().clone();
    let exchange = lab.exchange(&[]);
    quotes_again(&mut story, &before, 3);
    assert_eq!(lab.session().as_ref(), Some(&session), "another session");
    story.wait("whole books", |told| told.now.gaps == told.now.recovered);
    // The exchange goes first: what it told while it stopped is the last word.
    let theirs = exchange.stop();
    let theirs = exchange_positions(&theirs);
    assert!(!theirs.is_empty());
    story.wait("the end of the session", |told| told.now.downs == told.now.ups);
    assert_eq!(story.read().positions(), theirs);
    assert!(story.read().decided > 0, "no order was open when the exchange was killed");

    fresh(&lab, &engine, &session, &mut story);
    let before = theirs;
    let report = engine.stop();
    assert_ne!(engine_positions(&report), before, "nothing happened in the new session");
    assert!(!report.contains("halted"), "{report}");
    let replayed = replay(lab.dir(), &lab.journal());
    assert!(replayed.contains("\nidentical, state hash "), "{replayed}");
}

/// A fresh exchange resets the books, and the engine goes on.
fn fresh(lab: &Lab, engine: &Host, session: &str, story: &mut Story) {
    let before = story.read().clone();
    let _exchange = lab.exchange(&["--fresh"]);
    story.wait("a reset", |told| told.now.resets > before.now.resets);
    assert_ne!(lab.session().as_deref(), Some(session));
    quotes_again(story, &before, 1);
    assert!(!engine.output().contains("alert"), "{}", engine.output());
}
