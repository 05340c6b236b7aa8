//! GLIMPSE: the book as it stands now, over SoupBinTCP, for whom no message can be had again.
//!
//! [`Glimpse`] is the client: it takes snapshots into a [`Feed`] that needs one, within a bounded
//! number of tries; [`Board`] is what a server gives them from. The client is given the bytes and
//! the time, and says when to connect and when to close. Source: "NASDAQ GLIMPSE 5.0"
//! specification. The messages are those of ITCH 5.0; the last is `G` with the number of the ITCH
//! message to go on from, as twenty digits.
//!
//! It must never let a book look whole: every book is in its gap until the feed itself has gone on
//! from where the snapshot led.

mod board;

pub use board::Board;

use crate::feed::{Feed, Group};
use crate::moldudp64::FarOff;
use crate::soupbintcp::{BadPacket, Client, Login, Said, Trouble, number, twenty};
use market::{Nanos, Sink, Timestamp};

/// Type of the message that ends a snapshot.
pub const END: u8 = b'G';
/// Length of that message.
pub const END_BYTES: usize = 21;
/// Events that one message of a snapshot can give, besides those of its end and its beginning.
const EVENTS_EACH: usize = 2;

/// The message that ends a snapshot; ITCH goes on at message `next`.
#[must_use]
pub fn end(next: u64) -> [u8; END_BYTES] {
    let mut message = [END; END_BYTES];
    message[1..].copy_from_slice(&twenty(next));
    message
}

/// How snapshots are taken.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who we are.
    pub login: Login,
    /// After how long without anything else a heartbeat is sent.
    pub heartbeat: Nanos,
    /// After how long a silent server is dead.
    pub silence: Nanos,
    /// Tries for one gap; then it is given up.
    pub tries: u32,
    /// Wait after the first that failed; it doubles with each, up to sixteen times as much.
    pub retry: Nanos,
}

/// What is to be done with the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Nothing.
    Nothing,
    /// Make one.
    Connect,
    /// Send what is queued, and close it.
    Close,
}

/// Why a try came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no connection, or it ended too early.
    #[error("the connection to the snapshot server ended")]
    Connection,
    /// The server, or what it sent.
    #[error(transparent)]
    Session(#[from] Trouble),
    /// It ended without its last message.
    #[error("the snapshot ended without saying where to go on")]
    NoEnd,
    /// What it says about where to go on is no number.
    #[error("the snapshot does not say where to go on")]
    BadEnd,
    /// It leads elsewhere.
    #[error(transparent)]
    FarOff(#[from] FarOff),
}

/// What came of the tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlimpseCounters {
    /// Tries.
    pub tries: u64,
    /// Snapshots taken to their end.
    pub taken: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Gaps given up.
    pub given_up: u64,
    /// Messages of snapshots.
    pub messages: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No snapshot is needed, or the next try waits for its time.
    Waits(Timestamp),
    /// A connection is being made.
    Connects,
    /// There is one; true once the books were emptied.
    Takes(bool),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Glimpse {
    settings: Settings,
    client: Client,
    state: State,
    /// Tries for the present gap.
    tries: u32,
    last: Option<Failure>,
    counters: GlimpseCounters,
}

impl Glimpse {
    /// A client that was never connected.
    #[must_use]
    pub fn new(settings: Settings) -> Glimpse {
        let Settings { login, heartbeat, silence, .. } = settings.clone();
        let client = Client::new(login, (None, 1), heartbeat, silence);
        let (state, counters) = (State::Waits(Timestamp::ZERO), GlimpseCounters::default());
        Glimpse { settings, client, state, tries: 0, last: None, counters }
    }

    /// What came of the tries.
    #[must_use]
    pub fn counters(&self) -> &GlimpseCounters {
        &self.counters
    }

    /// Why the last try failed.
    #[must_use]
    pub fn last_failure(&self) -> Option<Failure> {
        self.last
    }

    /// True if the last gap is behind it, and nothing is under way.
    #[inline]
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.tries == 0 && matches!(self.state, State::Waits(_))
    }

    /// Lets time pass; queues in `out` what is to be sent. The sink must have room for
    /// [`Feed::EVENTS_MAX`].
    pub fn poll(
        &mut self,
        feed: &mut Feed,
        now: Timestamp,
        out: &mut Vec<u8>,
        sink: &mut impl Sink,
    ) -> Want {
        let wanted = feed.awaits_snapshot();
        match self.state {
            State::Waits(until) if wanted && now >= until => self.begin(feed, now, sink),
            State::Waits(_) => {
                if !wanted && !feed.receiver().in_gap() {
                    self.rest();
                }
                Want::Nothing
            }
            State::Connects => Want::Nothing,
            // The session that it was for is over.
            State::Takes(_) if !wanted => self.over(out),
            State::Takes(_) => match self.client.poll(now, out) {
                Ok(()) => Want::Nothing,
                Err(trouble) => self.fail(trouble.into(), now),
            },
        }
    }

    /// Nothing is missing: the next gap has all its tries.
    fn rest(&mut self) {
        (self.state, self.tries) = (State::Waits(Timestamp::ZERO), 0);
    }

    fn begin(&mut self, feed: &mut Feed, now: Timestamp, sink: &mut impl Sink) -> Want {
        if self.tries >= self.settings.tries {
            self.counters.given_up += 1;
            feed.give_up(now, sink);
            self.rest();
            return Want::Nothing;
        }
        self.tries += 1;
        self.counters.tries += 1;
        self.state = State::Connects;
        Want::Connect
    }

    /// The connection is there.
    pub fn connected(&mut self, feed: &mut Feed, now: Timestamp, out: &mut Vec<u8>) {
        if feed.awaits_snapshot() {
            feed.snapshot_asked();
        }
        self.client.begin_anew(1);
        self.client.connected(now, out);
        self.state = State::Takes(false);
    }

    /// There is no connection, or it is over.
    pub fn disconnected(&mut self, now: Timestamp) {
        if matches!(self.state, State::Connects | State::Takes(_)) {
            self.fail(Failure::Connection, now);
        }
    }

    fn fail(&mut self, why: Failure, now: Timestamp) -> Want {
        self.counters.failed += 1;
        self.last = Some(why);
        self.client.disconnected();
        let times = 1 << (self.tries.saturating_sub(1)).min(4);
        let wait = self.settings.retry.get().saturating_mul(times);
        self.state = State::Waits(now.after(Nanos::new(wait)));
        Want::Close
    }

    fn over(&mut self, out: &mut Vec<u8>) -> Want {
        self.client.leave(out);
        self.state = State::Waits(Timestamp::ZERO);
        Want::Close
    }

    /// Takes packets from `bytes`, as many as the sink has `room` for the events of: how many bytes
    /// that were, and what becomes of the connection.
    pub fn received(
        &mut self,
        feed: &mut Feed,
        (bytes, received): (&[u8], u64),
        (now, room): (Timestamp, usize),
        (out, sink): (&mut Vec<u8>, &mut impl Sink),
    ) -> (usize, Want) {
        let (mut at, mut want) = (0, Want::Nothing);
        let mut group = Group::new(sink);
        // One for the books that are emptied.
        let messages = room.saturating_sub(Feed::EVENTS_MAX + 1) / EVENTS_EACH;
        for _ in 0..messages {
            if !matches!(self.state, State::Takes(_)) || !feed.awaits_snapshot() {
                break;
            }
            let taken = self.client.take(&bytes[at..], now).map_err(Failure::from);
            let done = match taken {
                Ok(None) => break,
                Err(why) => Err(why),
                Ok(Some((length, said))) => {
                    at += length;
                    match said {
                        Said::Message(_, message) => {
                            self.message(feed, message, received, now, &mut group)
                        }
                        Said::End => Err(Failure::NoEnd),
                        Said::Accepted { .. } | Said::Heartbeat | Said::Other => Ok(false),
                    }
                }
            };
            match done {
                Ok(false) => {}
                Ok(true) => want = self.over(out),
                Err(why) => want = self.fail(why, now),
            }
        }
        group.end();
        (at, want)
    }

    /// True if that was the last.
    fn message<S: Sink>(
        &mut self,
        feed: &mut Feed,
        message: &[u8],
        received: u64,
        now: Timestamp,
        group: &mut Group<'_, S>,
    ) -> Result<bool, Failure> {
        if self.state == State::Takes(false) {
            feed.snapshot_begins(group);
            self.state = State::Takes(true);
        }
        self.counters.messages += 1;
        let Some((&END, next)) = message.split_first() else {
            feed.snapshot_message(message, received, group);
            return Ok(false);
        };
        let next = number(next).filter(|&next| next > 0 && message.len() == END_BYTES);
        group.end();
        feed.resume(next.ok_or(Failure::BadEnd)?, now, group.sink())?;
        self.counters.taken += 1;
        Ok(true)
    }
}

impl From<BadPacket> for Failure {
    fn from(bad: BadPacket) -> Self {
        Failure::Session(bad.into())
    }
}
