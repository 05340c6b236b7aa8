//! Two sessions over a link that splits, delays and breaks, in virtual time from a seed; and the
//! death of either side at every single operation of its store.

use super::harness::START;
use crate::fix::{Encoder, Message, tags};
use crate::session::{
    Application, Disconnect, FileStore, FrameKind, Meta, SendError, Session, SessionConfig, Store,
    StoreError, Verdict, Visit,
};
use market::{Nanos, Rng, Timestamp};
use std::ops::ControlFlow;
use std::path::PathBuf;

/// A file store whose process dies at a given operation, before or after it took effect.
struct Mortal {
    inner: FileStore,
    left: Option<u64>,
    after: bool,
    dead: bool,
}

const DEAD: StoreError = StoreError::Io(std::io::ErrorKind::Other);

impl Mortal {
    fn mutate(
        &mut self,
        act: impl FnOnce(&mut FileStore) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match &mut self.left {
            None => act(&mut self.inner),
            Some(0) => {
                self.dead = true;
                if std::mem::take(&mut self.after) {
                    act(&mut self.inner)?;
                }
                Err(DEAD)
            }
            Some(left) => {
                *left -= 1;
                act(&mut self.inner)
            }
        }
    }
}

impl Store for Mortal {
    fn next_outgoing(&self) -> u64 {
        self.inner.next_outgoing()
    }

    fn next_incoming(&self) -> u64 {
        self.inner.next_incoming()
    }

    fn record_outgoing(&mut self, seq: u64, kind: FrameKind, f: &[u8]) -> Result<(), StoreError> {
        self.mutate(|store| store.record_outgoing(seq, kind, f))
    }

    fn record_incoming(&mut self, seq: u64, frame: &[u8]) -> Result<(), StoreError> {
        self.mutate(|store| store.record_incoming(seq, frame))
    }

    fn set_next_incoming(&mut self, seq: u64) -> Result<(), StoreError> {
        self.mutate(|store| store.set_next_incoming(seq))
    }

    fn reset(&mut self, outgoing: u64, incoming: u64) -> Result<(), StoreError> {
        self.mutate(|store| store.reset(outgoing, incoming))
    }

    fn outgoing(&mut self, begin: u64, end: u64, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.inner.outgoing(begin, end, visit)
    }
}

/// What an observer outside the process saw the application take: number and text.
#[derive(Default)]
struct Seen(Vec<(u64, String)>);

impl Application for Seen {
    fn message(&mut self, meta: &Meta, message: &Message<'_>) -> Verdict {
        let text = String::from_utf8_lossy(message.get(tags::TEXT).unwrap_or(b"")).into_owned();
        self.0.push((meta.seq, text));
        Verdict::Taken
    }

    fn up(&mut self, _now: Timestamp) {}

    fn down(&mut self, _now: Timestamp) {}
}

/// One process: its session, the bytes on both of its ends, what was seen.
struct Side {
    config: SessionConfig,
    path: PathBuf,
    session: Option<Session<Mortal>>,
    out: Vec<u8>,
    inbound: Vec<u8>,
    seen: Seen,
    /// Orders answered so far (acceptor).
    answered: usize,
    garbled: u64,
}

impl Side {
    fn new(config: SessionConfig, path: PathBuf, left: Option<u64>, after: bool) -> Side {
        let (out, inbound, seen) = (Vec::new(), Vec::new(), Seen::default());
        let mut side =
            Side { config, path, session: None, out, inbound, seen, answered: 0, garbled: 0 };
        side.start(left, after);
        side
    }

    fn start(&mut self, left: Option<u64>, after: bool) {
        // The old process is gone, and with it its lock.
        if let Some(session) = self.session.take() {
            self.garbled += session.counters().garbled;
        }
        let inner = FileStore::open(&self.path, false).unwrap();
        let store = Mortal { inner, left, after, dead: false };
        self.session = Some(Session::new(self.config.clone(), store).unwrap());
    }

    fn session(&mut self) -> &mut Session<Mortal> {
        self.session.as_mut().unwrap()
    }

    fn send(&mut self, now: Timestamp, kind: &[u8], text: &str) -> Result<u64, SendError> {
        let Side { session, out, .. } = self;
        let write = |encoder: &mut Encoder<'_>| encoder.bytes(tags::TEXT, text.as_bytes());
        session.as_mut().unwrap().send(now, out, kind, write)
    }

    /// Application frames in the store.
    fn recorded(&mut self) -> Vec<(u64, String)> {
        let mut frames = Vec::new();
        let mut index = crate::fix::FieldIndex::new(64);
        let visit: &mut Visit<'_> = &mut |seq, kind, frame: &[u8]| {
            if kind == FrameKind::Application {
                let message = index.parse(frame);
                let text = message.get(tags::TEXT).unwrap();
                frames.push((seq, String::from_utf8_lossy(text).into_owned()));
            }
            ControlFlow::Continue(())
        };
        self.session().store_mut().outgoing(1, u64::MAX, visit).unwrap();
        frames
    }
}

/// Both sides and what is between them. Side 0 is the initiator.
struct World {
    now: Timestamp,
    rng: Rng,
    sides: [Side; 2],
    linked: bool,
    orders: u64,
    _folder: tempfile::TempDir,
}

impl World {
    fn new(seed: u64, mortal: Option<(usize, u64, bool)>) -> World {
        let folder = tempfile::tempdir().unwrap();
        let heartbeat = Nanos::from_secs(1);
        let configs = [
            SessionConfig { heartbeat, ..SessionConfig::initiator("US", "VENUE") },
            SessionConfig { heartbeat, ..SessionConfig::acceptor("VENUE", "US") },
        ];
        let mut number = 0;
        let sides = configs.map(|config| {
            let (left, after) = match mortal {
                Some((side, left, after)) if side == number => (Some(left), after),
                _ => (None, false),
            };
            number += 1;
            Side::new(config, folder.path().join(format!("{number}")), left, after)
        });
        let rng = Rng::new(seed);
        World { now: START, rng, sides, linked: false, orders: 0, _folder: folder }
    }

    /// The connection breaks: bytes under way are lost.
    fn cut(&mut self) {
        let now = self.now;
        self.linked = false;
        for side in &mut self.sides {
            side.out.clear();
            side.inbound.clear();
            let Side { session, seen, .. } = side;
            session.as_mut().unwrap().disconnected(now, seen);
        }
    }

    fn link(&mut self) {
        let now = self.now;
        self.linked = true;
        let results = self.sides.each_mut().map(|side| {
            let Side { session, out, .. } = side;
            session.as_mut().unwrap().connected(now, out)
        });
        results.into_iter().for_each(|result| self.judge(result));
    }

    /// A process died: what it had sent is with the kernel and still arrives.
    fn bury(&mut self, dead: usize) {
        let [first, second] = &mut self.sides;
        let (from, to) = if dead == 0 { (first, second) } else { (second, first) };
        to.inbound.append(&mut from.out);
        let Side { session, out, inbound, seen, .. } = to;
        // However it ends, the connection is gone.
        let _ = session.as_mut().unwrap().received(self.now, 0, inbound, out, seen);
        self.cut();
        self.sides[dead].start(None, false);
    }

    /// Any end of a connection but a contradiction is well.
    fn judge(&mut self, result: Result<(), Disconnect>) {
        if let Some(dead) = (0..2).find(|&i| self.sides[i].session().store().dead) {
            return self.bury(dead);
        }
        match result {
            Ok(()) => {}
            Err(
                Disconnect::Silence
                | Disconnect::LogonTimeout
                | Disconnect::ResendTimeout
                | Disconnect::LoggedOut
                | Disconnect::PeerLogout,
            ) => self.cut(),
            Err(why) => panic!("{why}"),
        }
    }

    /// A part of the bytes under way arrives; both sides do what is due.
    fn step(&mut self) {
        if !self.linked {
            self.link();
        }
        for to in 0..2 {
            let [first, second] = &mut self.sides;
            let (from, to) = if to == 1 { (first, second) } else { (second, first) };
            let chunk = usize::try_from(self.rng.below(from.out.len() as u64 + 1)).unwrap();
            to.inbound.extend(from.out.drain(..chunk));
            let Side { session, out, inbound, seen, .. } = to;
            let session = session.as_mut().unwrap();
            let result = session
                .received(self.now, 0, inbound, out, seen)
                .map(|used| drop(inbound.drain(..used)))
                .and_then(|()| session.poll(self.now, out).map(drop));
            self.judge(result);
        }
    }

    /// The initiator sends an order; the acceptor answers each it saw with two reports.
    fn trade(&mut self) {
        if self.sides[0].session().is_up() {
            let text = format!("order {}", self.orders);
            self.orders += 1;
            let sent = self.sides[0].send(self.now, b"D", &text);
            self.judge(sent.map(drop).map_err(Disconnect::from));
        }
        while self.sides[1].answered < self.sides[1].seen.0.len() {
            let text = self.sides[1].seen.0[self.sides[1].answered].1.clone();
            self.sides[1].answered += 1;
            for what in ["accepted", "filled"] {
                let sent = self.sides[1].send(self.now, b"8", &format!("{text} {what}"));
                self.judge(sent.map(drop).map_err(Disconnect::from));
            }
        }
    }

    /// Nothing breaks any more: both sides must come to agree.
    fn settle(&mut self) {
        for _ in 0..2_000 {
            self.now = self.now.after(Nanos::from_millis(20));
            self.step();
            let [first, second] = &mut self.sides;
            let quiet =
                [&*first, &*second].iter().all(|s| s.out.is_empty() && s.inbound.is_empty());
            let (first, second) = (first.session(), second.session());
            let whole = [&*first, &*second].iter().all(|s| s.is_up() && !s.is_recovering());
            if quiet
                && whole
                && first.store().next_incoming() == second.store().next_outgoing()
                && second.store().next_incoming() == first.store().next_outgoing()
            {
                return self.check();
            }
        }
        panic!("the sides do not come to agree");
    }

    fn check(&mut self) {
        let [reports, orders] = self.sides.each_mut().map(|side| {
            let mut seen = side.seen.0.clone();
            seen.dedup();
            assert!(seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "out of order: {seen:?}");
            seen
        });
        let recorded = self.sides[1].recorded();
        assert_eq!(reports, recorded, "every report, once, in order");
        let sent = self.sides[0].recorded();
        assert!(orders.iter().all(|order| sent.contains(order)), "no order but ours");
        assert!(self.sides.iter_mut().all(|side| {
            side.start(None, false);
            side.garbled == 0
        }));
    }
}

#[test]
fn links_that_split_delay_and_break() {
    let mut breaks = 0;
    for seed in 0..60 {
        let mut world = World::new(seed, None);
        for _ in 0..300 {
            let millis = if world.rng.chance(0.02) { 1_500 } else { world.rng.below(60) };
            world.now = world.now.after(Nanos::from_millis(millis));
            world.step();
            if world.rng.chance(0.3) {
                world.trade();
            }
            if world.rng.chance(0.03) {
                world.cut();
                breaks += 1;
            }
            if world.rng.chance(0.01) {
                let side = usize::try_from(world.rng.below(2)).unwrap();
                world.cut();
                world.sides[side].start(None, false);
            }
        }
        assert!(world.orders > 5, "seed {seed} traded nothing");
        world.settle();
    }
    assert!(breaks > 100);
}

#[test]
fn a_dead_line_is_noticed_by_both_sides() {
    let mut world = World::new(1, None);
    for _ in 0..50 {
        world.now = world.now.after(Nanos::from_millis(10));
        world.step();
    }
    let ends = world.sides.each_mut().map(|side| {
        let Side { session, out, .. } = side;
        let session = session.as_mut().unwrap();
        assert!(session.is_up());
        loop {
            if let Err(why) = session.poll(session.next_due(), out) {
                break why;
            }
        }
    });
    assert_eq!(ends, [Disconnect::Silence; 2]);
}

/// Runs a short day in which one side dies at its `left`th store operation. False if it outlived
/// the day.
fn day_with_a_death(side: usize, left: u64, after: bool) -> bool {
    let mut world = World::new(7, Some((side, left, after)));
    for i in 0..120 {
        world.now = world.now.after(Nanos::from_millis(50));
        world.step();
        if i % 6 == 0 {
            world.trade();
        }
        if i == 75 {
            world.cut();
        }
    }
    let died = world.sides[side].session().store().left.is_none();
    if !died {
        world.sides[side].start(None, false);
        world.cut();
    }
    world.settle();
    died
}

#[test]
fn either_side_dies_at_every_operation_of_its_store() {
    for side in 0..2 {
        for after in [false, true] {
            let deaths = (0..).take_while(|&left| day_with_a_death(side, left, after)).count();
            assert!(deaths > 25, "side {side} died only {deaths} times");
        }
    }
}
