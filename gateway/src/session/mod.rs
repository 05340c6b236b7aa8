//! The FIX session layer as a state machine without I/O: one for initiator and acceptor.
//!
//! A driver owns the socket and the clock. It says when it is connected, gives received bytes,
//! calls [`Session::poll`] when [`Session::next_due`] has come, and cuts the connection when a
//! method returns [`Disconnect`]. Every frame is recorded in the [`Store`] before it reaches the
//! [`Outbound`]. The session must never use a sequence number for a garbled message, give one
//! number to two contents, or depend on memory: what comes ahead of sequence is kept as far as a
//! fixed room goes, and asked for again in any case.
//!
//! Source: FIX.4.4 Volume 2, "FIX Session Protocol", and the session test cases (1B to 20S).

mod ahead;
mod application;
mod config;
mod file;
mod gaps;
mod header;
mod logon;
mod logon_body;
mod logout;
mod memory;
mod reject;
mod resend;
mod sequence;
mod state;
mod store;
mod timers;

pub use application::{Application, BusinessReason, Meta, Outbound, Verdict};
pub use config::{ConfigError, Resend, Reset, Role, SessionConfig};
pub use file::{FileStore, OpenError};
pub use logon_body::{LogonBody, LogonFacts};
pub use memory::MemoryStore;
pub use state::{Counters, Disconnect, ResetError, SendError, State};
pub use store::{FrameKind, Store, StoreError, Visit};

use crate::fix::tags::{self, msg};
use crate::fix::time::TimeReader;
use crate::fix::{Encoder, FieldIndex, Frame, Garble, Message, Template, frame, seal};
use crate::spec::Dictionary;
use ahead::Ahead;
use gaps::Gap;
use market::{Nanos, Timestamp};
use resend::Cursor;

/// Room in the buffer beyond the longest message, for PossDupFlag and OrigSendingTime.
const REPEAT_ROOM: usize = 64;
/// Longest messages that find room ahead of sequence.
const AHEAD: usize = 4;

/// Most orders that wait behind a resend.
const UNSENT_MAX: u64 = 32;

/// The outside world for the length of one call.
struct Io<'a> {
    now: Timestamp,
    tsc: u64,
    out: &'a mut dyn Outbound,
    app: &'a mut dyn Application,
}

/// Whether a message was taken, or must be shown again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Yes,
    Busy,
}

/// One FIX session.
pub struct Session<S> {
    config: SessionConfig,
    store: S,
    state: State,
    template: Template,
    times: TimeReader,
    dictionary: Option<Dictionary>,
    buffer: Box<[u8]>,
    index: FieldIndex,
    resend_index: FieldIndex,
    /// HeartBtInt in force; zero for none.
    heartbeat: Nanos,
    /// When the Logon or Logout must have come.
    deadline: Timestamp,
    /// Before this, [`Session::poll`] has nothing to do unless something else happens.
    quiet_until: Timestamp,
    last_sent: Timestamp,
    last_received: Timestamp,
    test_sent: Option<Timestamp>,
    gap: Option<Gap>,
    ahead: Ahead,
    resend: Option<Cursor>,
    /// Numbers that the peer asked for on this connection.
    resends_asked: u64,
    /// Why we logged out, if not because we were told to.
    ending: Option<Disconnect>,
    /// The number that is worked on; LastMsgSeqNumProcessed of what answers it.
    processing: u64,
    logon_body: Option<Box<dyn LogonBody>>,
    /// Logons with ResetSeqNumFlag since anything else came.
    resets: u32,
    /// We asked for new numbers in our Logon.
    reset_sent: bool,
    /// What the application was told last is whole; otherwise it is told again that the session is up.
    announced: bool,
    /// It was told that the session is up, and not yet that it is down.
    told_up: bool,
    /// The peer did not send again all of what we missed.
    passed_over: bool,
    peer_text: Box<[u8]>,
    peer_text_len: usize,
    counters: Counters,
}

/// Without its buffer, which held our last Logon.
impl<S> std::fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Session { config, state, counters, .. } = self;
        let mut shown = f.debug_struct("Session");
        let names = (&config.sender, &config.target);
        shown.field("names", &names).field("state", state).field("counters", counters);
        shown.finish_non_exhaustive()
    }
}

impl<S: Store> Session<S> {
    /// A session over `store`, not connected.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: SessionConfig, store: S) -> Result<Self, ConfigError> {
        config.check()?;
        let begin_string = config.version.begin_string();
        let template =
            Template::new(begin_string, &config.sender, &config.target, config.precision)?
                .with_fields(&config.header)?;
        Ok(Session {
            template,
            times: TimeReader::default(),
            dictionary: config.dictionary(),
            buffer: vec![0; config.max_message + REPEAT_ROOM + Encoder::SLACK].into_boxed_slice(),
            index: FieldIndex::new(config.max_fields),
            resend_index: FieldIndex::new(config.max_fields),
            heartbeat: config.heartbeat,
            peer_text: vec![0; 256].into_boxed_slice(),
            ahead: Ahead::new(AHEAD * config.max_message),
            config,
            store,
            state: State::Disconnected,
            deadline: Timestamp::MAX,
            quiet_until: Timestamp::ZERO,
            last_sent: Timestamp::ZERO,
            last_received: Timestamp::ZERO,
            test_sent: None,
            gap: None,
            resend: None,
            resends_asked: 0,
            ending: None,
            processing: 0,
            logon_body: None,
            resets: 0,
            reset_sent: false,
            announced: false,
            told_up: false,
            passed_over: false,
            peer_text_len: 0,
            counters: Counters::default(),
        })
    }

    /// From now on, orders and cancels that the peer asks for again are gap-filled. Of what waits
    /// behind a resend orders and replaces are too; cancels and questions leave.
    pub const fn withhold_orders(&mut self) {
        self.config.resend = Resend::GapFillOrders;
    }

    /// Where the session stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Both Logons are exchanged.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// The application was told that it is up, and will be told that it is down.
    #[must_use]
    pub const fn is_announced(&self) -> bool {
        self.told_up
    }

    /// Messages are missing and were asked for.
    #[must_use]
    pub const fn is_recovering(&self) -> bool {
        self.gap.is_some()
    }

    /// Messages that came ahead of sequence wait here: [`Session::received`] takes them, without new
    /// bytes too, once their turn has come and the application is ready.
    #[must_use]
    pub fn holds_messages(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// What was counted so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Text (58) of the last Logout or Reject received, for the operator, without our secrets.
    #[must_use]
    pub fn peer_text(&self) -> &[u8] {
        &self.peer_text[..self.peer_text_len]
    }

    /// A copy of what the peer said, as long as it was, without the secrets of our Logons; `None`
    /// where none of them is there. Whatever is kept or shown of its words goes through here.
    #[must_use]
    pub fn blanked(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.logon_body.as_ref()?.blanked(bytes)
    }

    /// Records that a message was taken. The reports on orders and market data, which are the many,
    /// are recorded as they came.
    fn record_incoming(&mut self, seq: u64, message: &Message<'_>) -> Result<(), StoreError> {
        let is_of_many = || {
            matches!(
                message.msg_type(),
                msg::EXECUTION_REPORT
                    | msg::ORDER_CANCEL_REJECT
                    | msg::MARKET_DATA_SNAPSHOT
                    | msg::MARKET_DATA_INCREMENTAL
            )
        };
        let body = self.logon_body.as_ref().filter(|_| !is_of_many());
        let blanked = body.and_then(|body| blanked_frame(body.as_ref(), message.bytes()));
        self.store.record_incoming(seq, blanked.as_deref().unwrap_or(message.bytes()))
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The store, for the driver's own records in the same stream.
    pub const fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// While a resend runs, new frames wait in the store behind it. Orders that are never sent again
    /// would be swallowed there, and others only find room while they are few.
    fn is_held_up(&self) -> bool {
        self.resend.is_some_and(|cursor| match self.config.resend {
            Resend::GapFillOrders => true,
            Resend::Everything => {
                !self.config.send_when_down
                    && cursor.unsent(self.store.next_outgoing()) >= UNSENT_MAX
            }
        })
    }

    /// Ends the session and gives back the store.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }

    /// What our Logon says beside the standard fields.
    pub fn set_logon_body(&mut self, body: Box<dyn LogonBody>) {
        self.logon_body = Some(body);
    }

    /// A new session day begins: both numbers are 1 again. Log out before; the next Logon says so
    /// (ResetSeqNumFlag) unless the configuration forbids it.
    ///
    /// # Errors
    /// [`ResetError`]: nothing changed.
    pub fn begin_anew(&mut self) -> Result<(), ResetError> {
        match self.state {
            State::Disconnected => Ok(self.store.reset(1, 1)?),
            _ => Err(ResetError::Connected),
        }
    }

    /// The transport is up. An initiator sends its Logon.
    ///
    /// # Errors
    /// [`Disconnect`]: cut the new connection.
    pub fn connected(&mut self, now: Timestamp, out: &mut dyn Outbound) -> Result<(), Disconnect> {
        if self.state != State::Disconnected {
            return Err(Disconnect::AlreadyConnected);
        }
        self.deadline = now.after(self.config.logon_timeout);
        self.quiet_until = Timestamp::ZERO;
        (self.last_sent, self.last_received) = (now, now);
        (self.test_sent, self.ending) = (None, None);
        self.forget_gaps();
        (self.announced, self.told_up, self.reset_sent) = (false, false, false);
        (self.resends_asked, self.resets) = (0, 0);
        self.heartbeat = self.config.heartbeat;
        match self.config.role {
            Role::Acceptor => self.state = State::LogonAwaited,
            Role::Initiator => self.send_first_logon(now, out)?,
        }
        Ok(())
    }

    /// Bytes came. Gives back how many were consumed; the rest must be shown again with more bytes
    /// behind it, or later when the application is ready.
    ///
    /// # Errors
    /// [`Disconnect`]: flush, cut, and call [`Session::disconnected`].
    pub fn received(
        &mut self,
        now: Timestamp,
        tsc: u64,
        bytes: &[u8],
        out: &mut dyn Outbound,
        app: &mut dyn Application,
    ) -> Result<usize, Disconnect> {
        let calm = self.is_calm();
        let consumed = self.take(&mut Io { now, tsc, out, app }, bytes);
        if !(calm && self.is_calm()) {
            self.quiet_until = Timestamp::ZERO;
        }
        consumed
    }

    /// Nothing is due but by silence: a message can only put that off.
    #[inline]
    fn is_calm(&self) -> bool {
        let awaits = self.test_sent.is_some() || self.gap.is_some() || self.resend.is_some();
        self.is_up() && !awaits
    }

    fn take(&mut self, io: &mut Io<'_>, bytes: &[u8]) -> Result<usize, Disconnect> {
        let mut at = 0;
        loop {
            if matches!(self.state, State::Closing | State::Disconnected) {
                return Ok(bytes.len());
            }
            match self.take_kept(io) {
                Ok(None) => {}
                Ok(Some(Taken::Yes)) => continue,
                Ok(Some(Taken::Busy)) => return Ok(at),
                Err(why) => return Err(self.close(why)),
            }
            if let Err(why) = self.ask_on(io) {
                return Err(self.close(why));
            }
            match frame(&bytes[at..], self.config.max_message) {
                Frame::Incomplete => return Ok(at),
                Frame::Garbled { reason: Garble::TooLong, .. } => {
                    return Err(self.close(Disconnect::TooLong));
                }
                Frame::Garbled { skip, .. } => {
                    self.counters.garbled += 1;
                    if self.state == State::LogonAwaited {
                        return Err(self.close(Disconnect::NotLogon));
                    }
                    at += skip;
                }
                Frame::Complete { len, .. } => match self.one_message(io, &bytes[at..at + len]) {
                    Ok(Taken::Yes) => at += len,
                    Ok(Taken::Busy) => return Ok(at),
                    Err(why) => return Err(self.close(why)),
                },
            }
        }
    }

    fn one_message(&mut self, io: &mut Io<'_>, bytes: &[u8]) -> Result<Taken, Disconnect> {
        // The index leaves the session while a message borrows it; moving it allocates nothing.
        let mut index = std::mem::take(&mut self.index);
        let taken = self.on_message(io, &index.parse(bytes));
        self.index = index;
        taken
    }

    /// Sends an application message whose body `write` adds. It is recorded first; gives back its
    /// sequence number.
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent and no number used.
    pub fn send(
        &mut self,
        now: Timestamp,
        out: &mut dyn Outbound,
        msg_type: &[u8],
        write: impl FnOnce(&mut Encoder<'_>),
    ) -> Result<u64, SendError> {
        if !(self.is_up() && !self.peer_left() || self.config.send_when_down) {
            return Err(SendError::Down);
        }
        if self.is_held_up() {
            return Err(SendError::Backpressure);
        }
        self.emit(now, out, FrameKind::Application, msg_type, write)
    }

    /// The transport is gone, for whatever reason.
    pub fn disconnected(&mut self, now: Timestamp, app: &mut dyn Application) {
        self.state = State::Disconnected;
        self.test_sent = None;
        self.forget_gaps();
        self.tell_down(now, app);
    }

    fn tell_down(&mut self, now: Timestamp, app: &mut dyn Application) {
        self.announced = false;
        if std::mem::take(&mut self.told_up) {
            app.down(now);
        }
    }

    fn forget_gaps(&mut self) {
        (self.gap, self.resend, self.processing) = (None, None, 0);
        self.passed_over = false;
        self.ahead.clear();
    }

    fn close(&mut self, why: Disconnect) -> Disconnect {
        self.state = State::Closing;
        why
    }

    /// Encodes, records, sends. While a resend runs, the frame is only recorded: it goes out in
    /// its turn, so that nothing overtakes.
    fn emit(
        &mut self,
        now: Timestamp,
        out: &mut dyn Outbound,
        kind: FrameKind,
        msg_type: &[u8],
        write: impl FnOnce(&mut Encoder<'_>),
    ) -> Result<u64, SendError> {
        if kind != FrameKind::Application {
            self.quiet_until = Timestamp::ZERO;
        }
        let seq = self.store.next_outgoing();
        let room = self.buffer.len() - REPEAT_ROOM;
        let buffer = &mut self.buffer[..room];
        let mut encoder = Encoder::begin(buffer, &mut self.template, now, seq, msg_type);
        if self.config.last_processed {
            let taken = self.store.next_incoming() - 1;
            encoder.u64(tags::LAST_MSG_SEQ_NUM_PROCESSED, taken.max(self.processing));
        }
        write(&mut encoder);
        let frame = encoder.finish()?;
        let direct = self.resend.is_none()
            && (kind != FrameKind::Application || matches!(self.state, State::Up));
        if direct && out.room() < frame.len() {
            return Err(SendError::Backpressure);
        }
        // What answers the peer repeats words of its own.
        let answers = kind != FrameKind::Application || msg_type == msg::BUSINESS_MESSAGE_REJECT;
        let body = self.logon_body.as_ref().filter(|_| answers);
        let blanked = body.and_then(|body| blanked_frame(body.as_ref(), frame));
        self.store.record_outgoing(seq, kind, blanked.as_deref().unwrap_or(frame))?;
        if direct {
            out.send(frame);
            self.last_sent = now;
        }
        self.counters.sent += 1;
        Ok(seq)
    }

    fn keep_text(&mut self, text: Option<&[u8]>) {
        let text = text.unwrap_or(b"");
        // Before it is cut: half a secret would not be found.
        let blanked = self.blanked(text);
        let text = blanked.as_deref().unwrap_or(text);
        self.peer_text_len = text.len().min(self.peer_text.len());
        self.peer_text[..self.peer_text_len].copy_from_slice(&text[..self.peer_text_len]);
    }
}

/// A whole frame without the secrets of our Logons, if any of them is there. It stays a frame: what is
/// recorded during a resend is sent from the store.
fn blanked_frame(body: &dyn LogonBody, frame: &[u8]) -> Option<Vec<u8>> {
    let mut frame = body.blanked(frame)?;
    seal(&mut frame);
    Some(frame)
}

#[cfg(test)]
mod tests;
