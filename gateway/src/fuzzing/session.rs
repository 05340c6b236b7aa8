//! Two sessions, a link that does what the input says, and forged messages. Whatever comes: numbers
//! go out without a gap, no number has two contents, every frame is whole, and one input never
//! makes a session speak without end.

use super::{MAX, naive};
use crate::fix::{Encoder, FieldIndex, Message, Precision, TimeText, tags};
use crate::session::{
    Application, Disconnect, FrameKind, MemoryStore, Meta, Outbound, Session, SessionConfig, Store,
    StoreError, Verdict, Visit,
};
use market::{Nanos, Timestamp};
use std::collections::BTreeMap;

const START: Timestamp = Timestamp::from_nanos(1_752_758_200_000_000_000);
/// Frames that one call may send beside one for every byte that came.
const CHATTER: usize = 600;

/// A store that watches how it is used.
struct Watched {
    inner: MemoryStore,
    /// What was recorded since numbers began, by number.
    recorded: BTreeMap<u64, Vec<u8>>,
    /// Recorded and not sent for the first time yet, from all times.
    unsent: BTreeMap<Vec<u8>, usize>,
    incoming: Vec<u64>,
    resets: usize,
}

impl Store for Watched {
    fn next_outgoing(&self) -> u64 {
        self.inner.next_outgoing()
    }

    fn next_incoming(&self) -> u64 {
        self.inner.next_incoming()
    }

    fn record_outgoing(
        &mut self,
        seq: u64,
        kind: FrameKind,
        frame: &[u8],
    ) -> Result<(), StoreError> {
        assert_eq!(seq, self.next_outgoing(), "outgoing numbers have a gap");
        self.inner.record_outgoing(seq, kind, frame)?;
        assert!(self.recorded.insert(seq, frame.to_vec()).is_none(), "{seq} has two contents");
        *self.unsent.entry(frame.to_vec()).or_default() += 1;
        Ok(())
    }

    fn record_incoming(&mut self, seq: u64, frame: &[u8]) -> Result<(), StoreError> {
        assert_eq!(seq, self.next_incoming(), "an incoming number is passed over");
        self.incoming.push(seq);
        self.inner.record_incoming(seq, frame)
    }

    fn set_next_incoming(&mut self, seq: u64) -> Result<(), StoreError> {
        assert!(seq >= self.next_incoming(), "incoming numbers go back");
        self.inner.set_next_incoming(seq)
    }

    fn reset(&mut self, outgoing: u64, incoming: u64) -> Result<(), StoreError> {
        self.recorded.clear();
        self.resets += 1;
        self.inner.reset(outgoing, incoming)
    }

    fn outgoing(&mut self, begin: u64, end: u64, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.inner.outgoing(begin, end, visit)
    }
}

/// A sink with a limit that keeps frames apart.
#[derive(Default)]
struct Pipe {
    frames: Vec<Vec<u8>>,
    room: usize,
}

impl Outbound for Pipe {
    fn room(&self) -> usize {
        self.room
    }

    fn send(&mut self, frame: &[u8]) {
        assert_eq!(naive::frame(frame, usize::MAX), Some(frame.len()), "a frame that is none");
        self.room = self.room.checked_sub(frame.len()).expect("room was asked for");
        self.frames.push(frame.to_vec());
    }
}

#[derive(Default)]
struct Seen(Vec<u64>);

impl Application for Seen {
    fn message(&mut self, meta: &Meta, _: &Message<'_>) -> Verdict {
        self.0.push(meta.seq);
        Verdict::Taken
    }

    fn up(&mut self, _: Timestamp) {}

    fn down(&mut self, _: Timestamp) {}
}

struct Side {
    session: Session<Watched>,
    out: Pipe,
    seen: Seen,
    /// Bytes on their way to the other side.
    wire: Vec<u8>,
    /// Bytes that came and were not consumed.
    unread: Vec<u8>,
    resets: usize,
}

impl Side {
    fn new(config: SessionConfig) -> Side {
        let config = SessionConfig { heartbeat: Nanos::SECOND, max_message: MAX, ..config };
        let store = Watched {
            inner: MemoryStore::new(400, 1 << 17),
            recorded: BTreeMap::new(),
            unsent: BTreeMap::new(),
            incoming: Vec::new(),
            resets: 0,
        };
        let session = Session::new(config, store).expect("a good configuration");
        let (out, seen) = (Pipe::default(), Seen::default());
        Side { session, out, seen, wire: Vec::new(), unread: Vec::new(), resets: 0 }
    }

    /// One call of the session, watched.
    fn call<R>(
        &mut self,
        came: usize,
        act: impl FnOnce(&mut Session<Watched>, &mut Pipe, &mut Seen) -> Result<R, Disconnect>,
    ) -> Result<R, Disconnect> {
        self.session.store_mut().incoming.clear();
        self.seen.0.clear();
        let result = act(&mut self.session, &mut self.out, &mut self.seen);
        let frames = std::mem::take(&mut self.out.frames);
        assert!(frames.len() <= CHATTER + came, "{} frames for {came} bytes", frames.len());
        let resets = std::mem::replace(&mut self.resets, self.session.store().resets);
        let same_numbers = resets == self.resets;
        let mut index = FieldIndex::new(128);
        for frame in frames {
            let store = self.session.store_mut();
            let message = index.parse(&frame);
            if message.get(tags::POSS_DUP_FLAG) != Some(b"Y") {
                let left = store.unsent.get_mut(&frame).filter(|left| **left > 0);
                *left.expect("sent without a record, or twice") -= 1;
            } else if message.msg_type() != tags::msg::SEQUENCE_RESET && same_numbers {
                let seq = message.u64(tags::MSG_SEQ_NUM).expect("our own number");
                let first = store.recorded.get(&seq).expect("repeats what never was");
                assert_eq!(content(&frame), content(first), "{seq} is repeated differently");
            }
            self.wire.extend(frame);
        }
        if result.is_ok() {
            let mut incoming = self.session.store().incoming.iter();
            let in_order = self.seen.0.iter().all(|seq| incoming.any(|taken| taken == seq));
            assert!(in_order, "the application saw what was not taken");
        }
        result
    }
}

/// Fields of a frame that a repetition keeps.
fn content(frame: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut fields = naive::fields(frame, usize::MAX).expect("our own frames are well formed");
    fields.retain(|(tag, _)| !matches!(tag, 8..=10 | 43 | 52 | 122));
    fields.sort();
    fields
}

/// The input as choices; zeros once it is used up.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn next(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }
}

struct World {
    now: Timestamp,
    sides: [Side; 2],
    linked: bool,
}

impl World {
    fn judge(&mut self, result: Result<(), Disconnect>) {
        if result.is_err() {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.linked = false;
        let now = self.now;
        for side in &mut self.sides {
            side.wire.clear();
            side.unread.clear();
            let ended = side.call(0, |session, _, seen| {
                session.disconnected(now, seen);
                Ok(())
            });
            assert_eq!(ended, Ok(()));
        }
    }

    fn link(&mut self) {
        if self.linked {
            return;
        }
        self.linked = true;
        let now = self.now;
        for side in [1, 0] {
            let result = self.sides[side].call(0, |session, out, _| session.connected(now, out));
            self.judge(result);
        }
    }

    /// Bytes reach `to`.
    fn give(&mut self, to: usize, bytes: &[u8]) {
        if !self.linked {
            return;
        }
        let (now, side) = (self.now, &mut self.sides[to]);
        side.unread.extend_from_slice(bytes);
        let unread = std::mem::take(&mut side.unread);
        let result = side
            .call(unread.len(), |session, out, seen| session.received(now, 1, &unread, out, seen));
        if let Ok(consumed) = result {
            side.unread = unread[consumed..].to_vec();
            assert!(side.unread.len() <= MAX, "{} bytes are no message yet", side.unread.len());
        }
        self.judge(result.map(drop));
    }

    fn deliver(&mut self, from: usize, most: usize) {
        let wire = &mut self.sides[from].wire;
        let bytes: Vec<u8> = wire.drain(..most.min(wire.len())).collect();
        self.give(1 - from, &bytes);
    }

    fn wait(&mut self, span: Nanos) {
        self.now = self.now.after(span);
        let now = self.now;
        for side in [0, 1] {
            if self.linked {
                let polled = self.sides[side].call(0, |session, out, _| session.poll(now, out));
                self.judge(polled.map(drop));
            }
        }
    }

    fn say(&mut self, side: usize, text: u8) {
        let now = self.now;
        let write = |encoder: &mut Encoder<'_>| encoder.bytes(tags::TEXT, &[b'a' + text % 26]);
        let said = self.sides[side].call(0, |session, out, _| {
            // Refusals are well; what was sent is watched.
            let _ = session.send(now, out, b"8", write);
            Ok(())
        });
        assert_eq!(said, Ok(()));
    }

    /// A whole message of the other side, right in form, with whatever in it.
    fn forge(&self, to: usize, choices: &mut Choices<'_>) -> Vec<u8> {
        const KINDS: [&str; 12] = ["0", "1", "2", "3", "4", "5", "A", "8", "j", "D", "AF", "z"];
        let kind = KINDS[usize::from(choices.next()) % KINDS.len()];
        let next = self.sides[to].session.store().next_incoming();
        let seq = (next + u64::from(choices.next() % 8)).saturating_sub(3);
        let mut clock = TimeText::new(Precision::Millis);
        let (time, written) = clock.text(self.now);
        let time = String::from_utf8_lossy(&time[..written.len]).into_owned();
        let (from, own) = [("VENUE", "US"), ("US", "VENUE")][to];
        let mut body = format!("35={kind}|49={from}|56={own}|34={seq}|52={time}|");
        let number = u64::from(choices.next() % 16);
        let flags = choices.next();
        let extra = [
            "43=Y|".to_owned(),
            format!("122={time}|"),
            "98=0|108=1|".to_owned(),
            "141=Y|".to_owned(),
            format!("123=Y|36={number}|"),
            format!("7={number}|16=0|"),
            format!("112=t{number}|"),
            format!("45={number}|36={}|", seq + number),
        ];
        for (bit, text) in extra.iter().enumerate() {
            if flags >> bit & 1 == 1 {
                body.push_str(text);
            }
        }
        let body = body.replace('|', "\x01");
        let head = format!("8=FIX.4.4\x019={}\x01", body.len());
        let sum = head.bytes().chain(body.bytes()).map(u32::from).sum::<u32>() % 256;
        format!("{head}{body}10={sum:03}\x01").into_bytes()
    }
}

/// Plays the input: each step is one byte for what happens and some for how.
pub fn session(data: &[u8]) {
    let sides = [
        Side::new(SessionConfig::initiator("US", "VENUE")),
        Side::new(SessionConfig::acceptor("VENUE", "US")),
    ];
    let mut world = World { now: START, sides, linked: false };
    let mut choices = Choices(data);
    while !choices.0.is_empty() {
        let act = choices.next();
        let side = usize::from(act >> 7);
        world.sides.iter_mut().for_each(|side| side.out.room = 1 << 16);
        match act % 10 {
            0 => world.wait(Nanos::from_millis(u64::from(choices.next()))),
            1 => world.wait(Nanos::from_millis(100 * u64::from(choices.next()))),
            2 => world.deliver(side, usize::from(choices.next())),
            3 => (0..4).for_each(|turn| world.deliver(turn % 2, usize::MAX)),
            4 => world.cut(),
            5 => world.link(),
            6 => world.say(side, choices.next()),
            7 => {
                let (raw, rest) = choices.0.split_at(choices.0.len().min(24));
                choices.0 = rest;
                world.give(side, raw);
            }
            8 => {
                let bytes = world.forge(side, &mut choices);
                world.give(side, &bytes);
            }
            // A peer that reads slowly.
            _ => {
                world.sides[side].out.room = usize::from(choices.next());
                world.deliver(1 - side, usize::MAX);
            }
        }
    }
}
