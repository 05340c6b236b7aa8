//! A FIX session over its connection: asks for one, reads, sends, tends, ends, and comes again. The
//! stages that speak FIX own one each and say what messages mean.
//!
//! It must never wait, and never connect outside of the session's hours or more often than the
//! venue allows.

mod arrivals;
mod hours;

use crate::pipeline::connector::Connector;
use crate::pipeline::fix_store::TimedStore;
use crate::pipeline::looks::{Look, Looks};
use crate::pipeline::reconnect::Reconnect;
use crate::runtime::did::{Act, Did};
use arrivals::Arrivals;
use gateway::session::{Application, Disconnect, Outbound, Session};
use market::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use wire::tcp::Stream;
use wire::{Io, Link, ReceiveBuffer, SendBuffer};

pub use hours::SessionHours;

/// Bytes of each socket buffer of ours: many of the longest messages.
const BUFFER_BYTES: usize = 256 * 1024;

/// The socket of the present connection, for the watchdog to shut from its own thread.
#[derive(Default)]
pub struct OrderSocket(Mutex<Option<Stream>>);

impl OrderSocket {
    /// Shuts the connection, whoever owns it now.
    pub fn shut(&self) {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = stream.as_ref() {
            let _ = stream.shutdown();
        }
    }

    /// Only when a connection begins or ends.
    fn set(&self, stream: Option<Stream>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stream;
    }
}

/// What the session sends: kept until the socket takes it.
pub struct Out {
    buffer: SendBuffer,
    /// Application messages that may be sent again now; `None` for any number.
    repeats: Option<u32>,
    /// Messages that were, or will be, sent again while their number was limited.
    repeated: u64,
}

impl Out {
    /// So many application messages may be sent again from now on, until this is said anew.
    pub fn limit_repeats(&mut self, most: u32) {
        self.repeats = Some(most);
    }

    /// Messages that were, or will be, sent again since there is a limit.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.repeated
    }
}

impl Outbound for Out {
    fn room(&self) -> usize {
        self.buffer.room()
    }

    fn send(&mut self, frame: &[u8]) {
        // Room was asked for.
        let _ = self.buffer.push(frame);
    }

    fn repeats(&self) -> Option<u32> {
        self.repeats
    }

    fn repeated(&mut self, messages: u32) {
        self.repeats = self.repeats.map(|most| most.saturating_sub(messages));
        self.repeated += u64::from(messages);
    }
}

/// Counts of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounters {
    /// Connections made.
    pub connections: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Connections that ended unasked.
    pub disconnects: u64,
}

/// What a connection is made of.
pub struct ConnectionParts<S> {
    /// Sockets.
    pub io: Box<dyn Io>,
    /// The session over its store.
    pub session: Session<S>,
    /// Makes connections.
    pub connector: Connector,
    /// When to connect.
    pub reconnect: Reconnect,
    /// When the session is open, and when its numbers begin anew.
    pub hours: SessionHours,
    /// When its socket is looked at.
    pub looks: Looks,
    /// For the watchdog.
    pub socket: Arc<OrderSocket>,
}

/// A connection and when it is looked at.
struct Connected {
    link: Link,
    look: Look,
    /// The kernel says when it got what is read.
    timed: bool,
}

/// The session and everything between it and the wire.
pub struct FixConnection<S> {
    io: Box<dyn Io>,
    session: Session<S>,
    connector: Connector,
    reconnect: Reconnect,
    hours: SessionHours,
    looks: Looks,
    socket: Arc<OrderSocket>,
    connected: Option<Connected>,
    /// Buffers go from one connection to the next.
    out: Out,
    input: ReceiveBuffer,
    arrivals: Arrivals,
    /// The present connection has, or had, a session.
    lived: bool,
    /// We end it for good.
    leaving: bool,
    counters: ConnectionCounters,
    last_error: String,
}

impl<S: TimedStore> FixConnection<S> {
    /// Not connected.
    #[must_use]
    pub fn new(parts: ConnectionParts<S>) -> FixConnection<S> {
        FixConnection {
            io: parts.io,
            session: parts.session,
            connector: parts.connector,
            reconnect: parts.reconnect,
            hours: parts.hours,
            looks: parts.looks,
            socket: parts.socket,
            connected: None,
            out: Out {
                buffer: SendBuffer::with_capacity(BUFFER_BYTES),
                repeats: None,
                repeated: 0,
            },
            input: ReceiveBuffer::with_capacity(BUFFER_BYTES),
            arrivals: Arrivals::new(),
            lived: false,
            leaving: false,
            counters: ConnectionCounters::default(),
            last_error: String::new(),
        }
    }

    /// The session, for its counters.
    #[must_use]
    pub fn session(&self) -> &Session<S> {
        &self.session
    }

    /// The session, and where its frames go.
    pub fn sending(&mut self) -> (&mut Session<S>, &mut Out) {
        (&mut self.session, &mut self.out)
    }

    /// Ends it, and gives back the store.
    #[must_use]
    pub fn into_store(self) -> S {
        self.session.into_store()
    }

    /// There is a connection; its session may not be up yet.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        self.connected.is_some()
    }

    /// Counts of connections, and what the last failed attempt or ended connection said.
    #[must_use]
    pub fn told(&self) -> (ConnectionCounters, &str) {
        (self.counters, &self.last_error)
    }

    /// When the kernel got what one read brought (nanoseconds since 1970 UTC), and the raw stamp of
    /// that read, taken out one at a time; nothing where `[transport] kernel_stamps` is off.
    pub fn next_arrival(&mut self) -> Option<(u64, u64)> {
        self.arrivals.next()
    }

    /// Takes over a connection, or asks for one; true if it did. `app` must have room for what the
    /// session's end and beginning say.
    pub fn connect(&mut self, now: Timestamp, app: &mut dyn Application, did: &mut Did) -> bool {
        if self.leaving {
            return false;
        }
        if !self.hours.is_open(now) {
            // A connection that comes too late is of a day that is over.
            if self.reconnect.is_trying() && self.connector.take().is_some() {
                self.reconnect.failed(now);
            }
            return false;
        }
        if self.reconnect.is_due(now) {
            if !self.reconnect.begin(now) {
                return false;
            }
            self.connector.request();
            did.mark(Act::Asked, true);
            return true;
        }
        if !self.reconnect.is_trying() || !app.ready() {
            return false;
        }
        match self.connector.take() {
            Some(Ok(link)) => match Look::at(link.stream(), &self.looks) {
                Ok(look) => {
                    let timed = link.stream().has_kernel_times();
                    self.begin(now, Connected { link, look, timed }, app, did);
                }
                Err(error) => self.failed(now, error.to_string(), did),
            },
            Some(Err(error)) => self.failed(now, error.to_string(), did),
            None => return false,
        }
        true
    }

    fn failed(&mut self, now: Timestamp, why: String, did: &mut Did) {
        self.counters.failed_attempts += 1;
        did.mark(Act::Ended, true);
        self.last_error = why;
        self.reconnect.failed(now);
    }

    fn begin(
        &mut self,
        now: Timestamp,
        connected: Connected,
        app: &mut dyn Application,
        did: &mut Did,
    ) {
        self.counters.connections += 1;
        did.mark(Act::Connected, true);
        self.socket.set(connected.link.stream().try_clone().ok());
        self.out.buffer.clear();
        self.input.clear();
        self.connected = Some(connected);
        self.lived = false;
        self.reconnect.connected(now);
        self.session.store_mut().set_now(now);
        // Not when it was asked for: a new day may have begun since.
        let begun = self.hours.renew(now, &mut self.session);
        let begun = begun.and_then(|()| {
            self.session.connected(now, &mut self.out).map_err(|why| why.to_string())
        });
        if let Err(why) = begun {
            self.end(now, &why, app, did);
        }
    }

    /// The connection is over.
    pub fn end(&mut self, now: Timestamp, why: &str, app: &mut dyn Application, did: &mut Did) {
        did.mark(Act::Ended, true);
        if let Some(Connected { link, .. }) = self.connected.take() {
            link.close(self.io.as_mut(), &mut self.out.buffer);
        }
        self.socket.set(None);
        if !self.leaving {
            self.counters.disconnects += 1;
            why.clone_into(&mut self.last_error);
        }
        self.session.disconnected(now, app);
        self.reconnect.ended(now, self.lived);
    }

    /// Reads what came and gives it to the session; true if anything did.
    ///
    /// # Errors
    /// Why the connection must end.
    pub fn read(
        &mut self,
        now: Timestamp,
        app: &mut dyn Application,
        did: &mut Did,
    ) -> Result<bool, String> {
        let Some(Connected { link, look, timed }) = &mut self.connected else { return Ok(false) };
        let held = link.holds_bytes() || self.session.holds_messages();
        let unread = held || !self.input.bytes().is_empty();
        if !unread && !look.is_due(wire::stamp::now()) {
            return Ok(false);
        }
        let (io, input) = (self.io.as_mut(), &mut self.input);
        let filled =
            if *timed { self.arrivals.fill(link, io, input) } else { link.fill(io, input) };
        let (came, broken) = match filled {
            Ok(count) => (count > 0, None),
            Err(error) => (false, Some(error.to_string())),
        };
        let stamp = link.received();
        look.looked(came || broken.is_some());
        if !came && !unread {
            return broken.map_or(Ok(false), Err);
        }
        did.mark(Act::Bytes, came);
        let bytes = self.input.bytes();
        let consumed = self.session.received(now, stamp, bytes, &mut self.out, app);
        self.lived |= self.session.is_up();
        match consumed {
            Ok(count) => {
                self.input.consume(count);
                // What came before the end is taken first, as soon as there is room for it.
                match broken {
                    Some(why) if app.ready() => Err(why),
                    _ => Ok(came || count > 0),
                }
            }
            Err(why) => Err(self.reason(&why)),
        }
    }

    fn reason(&self, why: &Disconnect) -> String {
        let text = String::from_utf8_lossy(self.session.peer_text());
        if text.is_empty() { why.to_string() } else { format!("{why}: {text}") }
    }

    /// True once, a moment before the session ends, by its hours or for a reset: what is open must be
    /// canceled until then.
    pub fn ends_soon(&mut self, now: Timestamp) -> bool {
        self.session.is_announced() && self.hours.ends_soon(now)
    }

    /// Nothing is open since [`ends_soon`](Self::ends_soon): where the end has no time, it need not
    /// wait.
    pub fn nothing_open(&mut self) {
        self.hours.nothing_open();
    }

    /// Offers to the socket what waits. What it does not take goes with the next poll.
    #[inline]
    pub fn flush(&mut self) {
        if let Some(Connected { link, .. }) = &mut self.connected {
            let _ = link.flush(self.io.as_mut(), &mut self.out.buffer);
        }
    }

    /// Heartbeats, time-outs, the end of the session's hours, and whatever the socket did not take.
    ///
    /// # Errors
    /// Why the connection must end.
    pub fn tend(&mut self, now: Timestamp, did: &mut Did) -> Result<bool, String> {
        if self.connected.is_none() {
            return Ok(false);
        }
        if self.session.is_up()
            && let Some(why) = self.hours.leave(now, &self.session)
        {
            self.log_out(now, why)?;
        }
        let worked = self.session.poll(now, &mut self.out).map_err(|why| why.to_string())?;
        let links = self.connected.as_mut().map(|connected| &mut connected.link);
        if let Some(link) = links.filter(|link| !link.is_flushed(&self.out.buffer)) {
            let flushed = link.flush(self.io.as_mut(), &mut self.out.buffer);
            flushed.map_err(|error| error.to_string())?;
        }
        did.mark(Act::Session, worked);
        Ok(worked)
    }

    /// Logs out; the session's end then ends the connection, and it comes again.
    ///
    /// # Errors
    /// Why the connection must end at once.
    fn log_out(&mut self, now: Timestamp, text: &str) -> Result<(), String> {
        self.session.logout(now, &mut self.out, text).map_err(|why| why.to_string())
    }

    /// What the venue said is kept for the operator, without our secrets.
    pub fn note(&mut self, what: &str, text: &str) {
        let blanked = self.session.blanked(text.as_bytes());
        let shown = blanked.as_deref().unwrap_or(text.as_bytes());
        self.last_error = format!("{what}: {}", String::from_utf8_lossy(shown));
    }

    /// News (B) of the venue is kept for the operator; where it announces the end of the connection
    /// (`reconnects`), we log out first, as soon as nothing is open, and come again.
    pub fn heed_news(&mut self, now: Timestamp, headline: &str, reconnects: bool) {
        self.note("news", headline);
        self.hours.announce();
        if reconnects && self.session.is_up() {
            self.hours.leave_soon(now, "as the venue asked");
        }
    }

    /// Logs out for good; true once there is no connection.
    pub fn leave(&mut self, now: Timestamp, app: &mut dyn Application, did: &mut Did) -> bool {
        let leaving = std::mem::replace(&mut self.leaving, true);
        if self.is_linked()
            && !leaving
            && let Err(why) = self.log_out(now, "the engine stops")
        {
            self.end(now, &why, app, did);
        }
        !self.is_linked()
    }

    /// The time that records bear from now on.
    pub fn set_now(&mut self, now: Timestamp) {
        self.session.store_mut().set_now(now);
    }

    /// Nothing is to be done: what the next record needs is fetched.
    pub fn make_ready(&mut self) {
        self.session.store_mut().make_ready();
    }
}
