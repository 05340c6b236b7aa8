//! Market data over bad lines: what the engine's loop is given is what the exchange said, and the
//! books it leads to are the exchange's.

use crate::host::{eventually, replay};
use crate::lab::{Lab, engine_positions, exchange_positions};
use crate::relay::{Fate, Relay, Rule};
use crate::story::{Counts, Story, Told};
use feeds::ItchFile;
use feeds::recording::{Options, Recording, Unit, Wanted};
use market::book::{BookLimits, OrderBooks};
use market::{BookState, BookView, Event, EventFlags, EventKind, InstrumentId, Rng, Side};
use std::fs::File;

/// Packets that a relay must have spoiled.
const SPOILED: u64 = 60;

/// Line A loses every third packet or so.
fn one_line(rng: &mut Rng, line: usize, _: u64) -> Fate {
    if line == 0 && rng.chance(0.3) { Fate::Drop } else { Fate::Pass }
}

/// Both lines lose the same packets, now and then several in a row.
fn both_lines(_: &mut Rng, _: usize, sequence: u64) -> Fate {
    if Rng::new(sequence / 3).chance(0.1) { Fate::Drop } else { Fate::Pass }
}

/// Each line repeats, delays and loses packets by itself.
fn disorder(rng: &mut Rng, _: usize, _: u64) -> Fate {
    match rng.below(10) {
        0 => Fate::Twice,
        1 | 2 => Fate::Late(1 + rng.below(5)),
        3 => Fate::Drop,
        _ => Fate::Pass,
    }
}

/// Runs both sides with a relay between them; gives what the engine's journal counted.
fn run(lab: &Lab, rule: Rule) -> Counts {
    let relay = Relay::start(lab, 7, rule);
    let engine = lab.engine();
    let mut story = Story::of(lab);
    // The engine listens from the first message on.
    story.wait("the start", |told| told.starts == 1);
    let exchange = lab.exchange(&[]);
    eventually("spoiled packets", || (relay.spoiled() >= SPOILED).then_some(()));
    story.wait("fills", |told| told.now.fills > 0);
    relay.heal();
    let packets = story.read().now.packets;
    story.wait("whole books", |told| {
        told.now.packets > packets + 100 && told.now.gaps == told.now.recovered
    });
    let ours = engine.stop();
    let theirs = exchange.stop();
    drop(relay);
    assert_eq!(engine_positions(&ours), exchange_positions(&theirs), "{ours}\n{theirs}");
    compare(lab, story.read());
    let replayed = replay(lab.dir(), &lab.journal());
    assert!(replayed.contains("\nidentical, state hash "), "{replayed}");
    let counts = story.read().now;
    assert_eq!((counts.lost, counts.gaps), (0, counts.recovered));
    counts
}

/// An event as its message gave it, without what the way to the loop adds.
fn plain(event: &Event) -> Event {
    let flags = EventFlags(event.flags.0 & !EventFlags::LAST.0);
    Event { flags, received: 0, decoded: 0, ..*event }
}

/// True for what a message gave, false for what the receiver adds.
fn is_said(event: &Event) -> bool {
    use EventKind::{Gap, Lost, Mark, Recovered, Reset};
    !matches!(event.kind(), Some(Gap | Lost | Mark | Recovered | Reset))
}

/// Compares the engine's events with those of the exchange's session file, and the books of both.
fn compare(lab: &Lab, told: &Told) {
    let (wanted, day) = (Wanted::Only(told.instruments.clone()), Some(told.begun.midnight()));
    let file = File::open(lab.messages(&lab.session().unwrap())).unwrap();
    let options = Options { wanted, day, ..Options::default() };
    let mut file = ItchFile::new(file, &options).unwrap();
    let (mut said, mut unit): (Vec<Event>, _) = (Vec::new(), Unit::default());
    while file.next_unit(&mut unit).unwrap() {
        said.extend(unit.events.iter().filter(|event| event.kind() != Some(EventKind::Entry)));
    }

    let heard: Vec<Event> = told.events.iter().filter(|event| is_said(event)).map(plain).collect();
    assert!(heard.len() > 500 && heard.len() <= said.len());
    for (at, (heard, said)) in heard.iter().zip(&said).enumerate() {
        assert_eq!(*heard, plain(said), "event {at}");
    }
    let count = told.instruments.len();
    let books =
        || OrderBooks::new(BookLimits { instruments: count, orders: 65_536, levels: 1_024 });
    let [mut ours, mut theirs] = [books(), books()];
    for event in &told.events {
        ours.apply(event);
    }
    for event in &said[..heard.len()] {
        theirs.apply(event);
    }
    for id in (0..).take(count).map(InstrumentId) {
        let [ours, theirs] = [&ours, &theirs].map(|books| books.book(id));
        assert_eq!(ours.state(), BookState::Live);
        for side in Side::BOTH {
            assert!(ours.depth(side) > 0 && ours.depth(side) == theirs.depth(side));
            let levels =
                (0..ours.depth(side)).map(|at| (ours.level(side, at), theirs.level(side, at)));
            levels.for_each(|(ours, theirs)| assert_eq!(ours, theirs));
        }
    }
}

#[test]
fn a_gap_on_one_line_is_none() {
    let lab = Lab::relayed(5);
    // The relay's own delays are no gaps.
    lab.change(
        "engine.toml",
        &[("stale_ms = ", "arbitration_wait_us = 1000000\nstale_ms = ".into())],
    );
    assert_eq!(run(&lab, one_line).gaps, 0);
}

#[test]
fn a_gap_on_both_lines_is_recovered() {
    assert!(run(&Lab::relayed(5), both_lines).gaps > 0);
}

#[test]
fn disorder_and_repetition_change_nothing() {
    run(&Lab::relayed(5), disorder);
}
