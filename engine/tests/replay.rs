//! A journal replays to itself; a journal that was changed does not, and the difference is named.

mod rig;

use engine::journal::CLOSED;
use engine::modes::replay::{Outcome, replay};
use engine::pipeline::records::kind;
use engine::pipeline::{fix_store, records};
use engine::trading::{ControlKind, OpeningState};
use market::Nanos;
use rig::{Copied, Rig, copy, kinds};
use std::path::Path;
use tempfile::TempDir;

/// A run of some seconds with an operator's acts in it, stopped cleanly.
fn recorded(root: &Path) -> (Rig, u128) {
    let mut rig = Rig::new(root, 3);
    rig.start();
    rig.run_for(Nanos::from_secs(6));
    rig.control(ControlKind::Kill, "Ada", "drill");
    rig.run_for(Nanos::from_secs(1));
    rig.control(ControlKind::Clear, "Ada", "over");
    rig.run_for(Nanos::from_secs(6));
    let hash = rig.stop();
    (rig, hash)
}

/// The journal's copy, with one stream changed.
fn changed(
    rig: &Rig,
    stream: &str,
    each: impl FnMut(u64, u16, &[u8]) -> Copied,
) -> (TempDir, Outcome) {
    let root = TempDir::new().unwrap();
    let to = root.path().join("copy");
    let hot = &rig.config.journal.hot_dir;
    copy(&rig.dir, &to, hot, stream, each);
    let other = if stream == "trading" { "gateway" } else { "trading" };
    copy(&rig.dir, &to, hot, other, |_, _, payload| Copied::As(payload.to_vec()));
    let outcome = replay(&to).unwrap();
    (root, outcome)
}

#[test]
fn a_run_replays_to_itself() {
    let root = TempDir::new().unwrap();
    let (rig, hash) = recorded(root.path());
    let outcome = replay(&rig.dir).unwrap();
    assert_eq!(outcome.difference, None);
    assert_eq!((outcome.starts, outcome.killed, outcome.state_hash), (1, 0, Some(hash)));
    let frames = outcome.frames.unwrap();
    assert!(frames.equal > 100, "{frames}");
    assert_eq!((frames.own, frames.kept_back), (0, 0), "{frames}");
    let last = format!("identical, state hash {hash:032x}\n");
    assert!(outcome.text().ends_with(&last), "{}", outcome.text());
}

#[test]
fn a_changed_command_is_found_and_named() {
    let root = TempDir::new().unwrap();
    let (rig, _) = recorded(root.path());
    let commands: Vec<u64> = (1..)
        .zip(kinds(&rig.dir, &rig.config.journal.hot_dir, "trading"))
        .filter_map(|(sequence, kind)| (kind == kind::COMMAND).then_some(sequence))
        .collect();
    for at in [commands[0], commands[commands.len() / 2], commands[commands.len() - 1]] {
        let (_root, outcome) = changed(&rig, "trading", |sequence, _, payload| {
            let mut payload = payload.to_vec();
            if sequence == at {
                // The lowest byte of the id.
                payload[1] ^= 1;
            }
            Copied::As(payload)
        });
        let difference = outcome.difference.expect("a difference");
        assert_eq!(difference.place, format!("record {at}"));
        assert!(difference.recorded.starts_with("command "), "{difference}");
        assert!(difference.replayed.starts_with("command "), "{difference}");
        assert_ne!(difference.recorded, difference.replayed);
    }
}

#[test]
fn a_changed_input_is_found() {
    let root = TempDir::new().unwrap();
    let (rig, _) = recorded(root.path());
    // A report left out: whatever the loop does next is not what it did.
    let mut reports = 0;
    let (_root, outcome) = changed(&rig, "trading", |_, kind, payload| {
        reports += u32::from(kind == kind::REPORT);
        let mut payload = payload.to_vec();
        if kind == kind::REPORT && reports == 20 {
            payload[16] ^= 1;
        }
        Copied::As(payload)
    });
    assert!(outcome.difference.is_some());
}

#[test]
fn a_changed_frame_is_found_and_named() {
    let root = TempDir::new().unwrap();
    let (rig, _) = recorded(root.path());
    let mut applications = 0;
    let mut at = 0;
    let (_root, outcome) = changed(&rig, "gateway", |sequence, kind, payload| {
        let mut payload = payload.to_vec();
        applications += u32::from(kind == fix_store::kind::OUT && payload[16] == 3);
        if applications == 50 && at == 0 {
            at = sequence;
            // A digit of the CheckSum.
            let end = payload.len() - 2;
            payload[end] ^= 1;
        }
        Copied::As(payload)
    });
    let difference = outcome.difference.expect("a difference");
    assert_eq!(difference.place, format!("record {at} of the gateway's stream"));
    assert!(difference.replayed.starts_with("8=FIX.4.4|"), "{difference}");
}

#[test]
fn a_killed_run_is_identical_as_far_as_it_goes() {
    let root = TempDir::new().unwrap();
    let (rig, _) = recorded(root.path());
    let all = kinds(&rig.dir, &rig.config.journal.hot_dir, "trading");
    let records = all.iter().filter(|&&kind| kind != CLOSED).count() as u64;
    // Among inputs, between an input and its commands, and right before the end.
    let cuts = (2..40).chain(records / 2..records / 2 + 20).chain(records - 10..records);
    for kept in cuts {
        let (_root, outcome) = changed(&rig, "trading", |sequence, _, payload| {
            if sequence > kept { Copied::Cut } else { Copied::As(payload.to_vec()) }
        });
        assert_eq!(outcome.difference, None, "cut after {kept}");
        assert_eq!((outcome.last, outcome.killed, outcome.state_hash), (kept, 1, None));
        let last = format!("identical to record {kept}, no final state\n");
        assert!(outcome.text().ends_with(&last), "{}", outcome.text());
    }
}

#[test]
fn several_starts_take_over_from_each_other() {
    let root = TempDir::new().unwrap();
    let mut rig = Rig::new(root.path(), 4);
    for round in 0..4 {
        rig.start();
        rig.run_for(Nanos::from_secs(3));
        // Silence for longer than an answer may take: orders become Unknown, and are asked for.
        rig.mute = round > 0;
        rig.run_for(Nanos::from_millis(1_000 + 1_500 * round));
        if round == 2 {
            rig.control(ControlKind::Kill, "Ada", "drill");
        }
        let trading = rig.engine.as_ref().unwrap().driver.trading();
        let killed = trading.killed().map(str::to_owned);
        let left = OpeningState::of(trading.account(), 0, killed, trading.halted());
        assert_eq!(round > 0, trading.counters().unknown > 0, "round {round}");
        assert!(round == 2 || !left.orders.is_empty(), "round {round}");
        rig.kill();
        rig.run_for(Nanos::from_secs(1));
        rig.start();
        let taken = &rig.engine.as_ref().unwrap().opening;
        assert_eq!(OpeningState { epoch: 0, ..taken.clone() }, left, "round {round}");
        if round == 2 {
            rig.control(ControlKind::Clear, "Ada", "over");
        }
        rig.run_for(Nanos::from_secs(1));
        rig.kill();
    }
    rig.start();
    rig.run_for(Nanos::from_secs(2));
    let hash = rig.stop();
    let outcome = replay(&rig.dir).unwrap();
    assert_eq!(outcome.difference, None);
    assert_eq!((outcome.starts, outcome.killed, outcome.state_hash), (9, 8, Some(hash)));
    assert!(outcome.frames.unwrap().equal > 100);

    let mut starts = 0;
    let (_root, outcome) = changed(&rig, "trading", |_, kind, payload| {
        starts += u32::from(kind == kind::START);
        if kind != kind::START || starts != 5 {
            return Copied::As(payload.to_vec());
        }
        let Ok(records::Record::Start(mut start)) = records::Record::decode(kind, payload) else {
            panic!("a start");
        };
        starts += 1;
        let mut opening = OpeningState::from_bytes(&start.opening).unwrap();
        opening.positions[0].net += 1;
        start.opening = opening.to_bytes();
        Copied::As(start.to_bytes())
    });
    let difference = outcome.difference.expect("a difference");
    assert!(difference.replayed.contains("takes over position 0"), "{difference}");
}
