//! ITCH over SoupBinTCP: bytes in, events out. Joins a [`Client`] to a [`Decoder`].
//!
//! While it is away the books are in a gap; the server fills it from the message after the last. A
//! connection has caught up when the server says that it has nothing more (a heartbeat), or when a
//! message is younger than the login: everything older has come before it. The venue's clock and
//! ours must agree for the second as well as any feed needs.
//!
//! It must never end a gap before that.

use crate::feed::Group;
use crate::itch50::Decoder;
use crate::moldudp64::{Recoveries, Session};
use crate::soupbintcp::{Client, Said, Trouble};
use market::{Event, EventKind, Sink, Timestamp, TradingStatus};

/// Events besides those of messages that one call can give.
const EVENTS_BESIDES: usize = 4;
/// Events that a message can give, and the end of a gap behind it.
const EVENTS_EACH: usize = 3;

/// What a stream has seen, beside its client and decoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCounters {
    /// Times that messages were missing: the first connection's included.
    pub gaps: u64,
    /// How long it took to catch up.
    pub recoveries: Recoveries,
    /// Connections that came to nothing or ended.
    pub ended: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct ItchStream {
    client: Client,
    decoder: Decoder,
    /// Where a session begins for us: 1, or 0 for its newest message.
    from: u64,
    /// The only session to listen to.
    only: Option<Session>,
    session: Option<Session>,
    /// Since when messages are missing.
    gap: Option<Timestamp>,
    /// When the login was sent.
    asked: Timestamp,
    last: Option<Trouble>,
    counters: StreamCounters,
}

impl ItchStream {
    /// The room that a sink needs for anything to be done.
    pub const EVENTS_MIN: usize = EVENTS_BESIDES + EVENTS_EACH;

    /// A stream that was never connected. `client` says where it begins, and if in one session
    /// alone.
    #[must_use]
    pub fn new(client: Client, decoder: Decoder) -> ItchStream {
        let (from, only, session) = (client.next(), client.session(), None);
        let (gap, asked, last, counters) = (None, Timestamp::ZERO, None, StreamCounters::default());
        ItchStream { client, decoder, from, only, session, gap, asked, last, counters }
    }

    /// The client, for its state and counters.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The decoder, for its counters.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// What was seen.
    #[must_use]
    pub fn counters(&self) -> &StreamCounters {
        &self.counters
    }

    /// True while messages are missing.
    #[must_use]
    pub fn in_gap(&self) -> bool {
        self.gap.is_some()
    }

    /// What ended the last connection, unless the other end closed it.
    #[must_use]
    pub fn last_trouble(&self) -> Option<Trouble> {
        self.last
    }

    /// There is a connection: queues the login in `out`.
    pub fn connected(&mut self, now: Timestamp, out: &mut Vec<u8>, sink: &mut impl Sink) {
        self.open_gap(now, &mut Group::new(sink));
        self.asked = now;
        self.client.connected(now, out);
    }

    /// The connection could not be made, or is over.
    pub fn disconnected(&mut self, now: Timestamp, sink: &mut impl Sink) {
        self.counters.ended += 1;
        self.client.disconnected();
        self.open_gap(now, &mut Group::new(sink));
    }

    /// Lets time pass: queues a heartbeat if one is due.
    ///
    /// # Errors
    /// [`Trouble::Silent`]: close the connection.
    pub fn poll(&mut self, now: Timestamp, out: &mut Vec<u8>) -> Result<(), Trouble> {
        self.client.poll(now, out).inspect_err(|&trouble| self.last = Some(trouble))
    }

    /// Takes packets from `bytes`, as many as there is `room` for the events of; says how many
    /// bytes that were. All events of a call are one group.
    ///
    /// # Errors
    /// [`Trouble`]: close the connection; what came before it was taken.
    pub fn received(
        &mut self,
        (bytes, received): (&[u8], u64),
        (now, room): (Timestamp, usize),
        sink: &mut impl Sink,
    ) -> (usize, Result<(), Trouble>) {
        let (mut at, mut group, mut result) = (0, Group::new(sink), Ok(()));
        for _ in 0..room.saturating_sub(EVENTS_BESIDES) / EVENTS_EACH {
            match self.client.take(&bytes[at..], now) {
                Ok(None) => break,
                Ok(Some((length, said))) => {
                    at += length;
                    self.said(said, received, now, &mut group);
                }
                Err(trouble) => {
                    // The session is over: the present one is asked for, from where ours begin.
                    if trouble == Trouble::NoSession && self.only.is_none() {
                        self.client.begin_anew(self.from);
                    }
                    self.last = Some(trouble);
                    result = Err(trouble);
                    break;
                }
            }
        }
        group.end();
        (at, result)
    }

    #[inline]
    fn said<S: Sink>(
        &mut self,
        said: Said<'_>,
        received: u64,
        now: Timestamp,
        group: &mut Group<'_, S>,
    ) {
        match said {
            Said::Message(_, message) => {
                // Skips are counted in the decoder.
                let _ = self.decoder.decode(message, received, group);
                if self.gap.is_some() && self.decoder.exchange_time() >= self.asked {
                    self.close_gap(now, group);
                }
            }
            Said::Accepted { session, .. } => {
                if self.session.replace(session).is_some_and(|before| before != session) {
                    self.decoder.reset();
                    self.tell(EventKind::Reset, 0, group);
                    // The reset took the gap with it.
                    self.gap = None;
                    self.open_gap(now, group);
                }
            }
            Said::Heartbeat if self.client.is_up() => self.close_gap(now, group),
            Said::End => {
                self.close_gap(now, group);
                self.tell(EventKind::Status, TradingStatus::Closed as u32, group);
            }
            Said::Heartbeat | Said::Other => {}
        }
    }

    fn open_gap<S: Sink>(&mut self, now: Timestamp, group: &mut Group<'_, S>) {
        if self.gap.is_none() {
            self.gap = Some(now);
            self.counters.gaps += 1;
            self.tell(EventKind::Gap, 0, group);
        }
    }

    fn close_gap<S: Sink>(&mut self, now: Timestamp, group: &mut Group<'_, S>) {
        if let Some(since) = self.gap.take() {
            self.counters.recoveries.note(now.since(since));
            self.tell(EventKind::Recovered, 0, group);
        }
    }

    /// A group of one event that concerns the feed as a whole.
    #[cold]
    fn tell<S: Sink>(&self, kind: EventKind, aux: u32, group: &mut Group<'_, S>) {
        group.end();
        let (exchange_time, order) = (self.decoder.exchange_time(), self.client.next());
        group.event(Event { exchange_time, order, aux, ..Event::new(kind, Event::ALL) });
        group.end();
    }
}
