//! What each stage tells: plain values of a size fixed at construction. Filling never allocates.

use crate::pipeline::feed_stage::FeedTroubles;
use crate::pipeline::fix_connection::ConnectionCounters;
use crate::pipeline::fix_feed::{FixFeed, FixFeedCounters};
use crate::pipeline::gateway_stage::GatewayCounters;
use crate::pipeline::live_feed::LiveFeed;
use crate::trading::{Counters, TradingLoop};
use feeds::itch50::Skip;
use feeds::moldudp64::{BadPacket, Session as FeedSession};
use feeds::{Feed, ItchStream, websocket};
use gateway::orders::{EntryCounters, OrderEntry};
use gateway::session::{Counters as SessionCounters, Session, State, Store};
use market::{BookState, BookView, Instrument, InstrumentId, Position, Price, Timestamp};
use std::fmt::{Display, Write as _};

pub use crate::trading::desk::Session as OrderSession;
pub use feeds::glimpse::GlimpseCounters;
pub use feeds::moldudp64::{LineCounters, Recoveries};
pub use feeds::websocket::Counters as WebsocketCounters;

/// Longest text of the kill latch, name, colon and reason of a control; and of a connection's end.
const TEXT_MAX: usize = 512;

/// What the trading stage tells.
#[derive(Clone, Debug)]
pub struct TradingSnapshot {
    /// The loop's time.
    pub now: Timestamp,
    /// How far the order session has come.
    pub session: OrderSession,
    /// The kill latch is set.
    pub killed: bool,
    /// Who set it and why; empty when it is not set.
    pub kill_text: String,
    /// A stop was asked for and no order is open any more.
    pub stopped: bool,
    /// What was counted.
    pub counters: Counters,
    /// Positions by instrument.
    pub positions: Vec<Position>,
    /// Mid price of each book.
    pub marks: Vec<Option<Price>>,
    /// State of each book.
    pub books: Vec<BookState>,
    /// Instruments halted until an operator clears them.
    pub halted: Vec<bool>,
    /// Open orders in all, Unknown ones included.
    pub open_orders: usize,
    /// Inputs of the loop.
    pub inputs: u64,
    /// Events that stood in the ring while the loop was at an earlier packet.
    pub waited: u64,
}

impl TradingSnapshot {
    /// An empty snapshot for so many instruments.
    #[must_use]
    pub fn new(instruments: usize) -> TradingSnapshot {
        TradingSnapshot {
            now: Timestamp::ZERO,
            session: OrderSession::Down,
            killed: false,
            kill_text: String::with_capacity(TEXT_MAX),
            stopped: false,
            counters: Counters::default(),
            positions: vec![Position::default(); instruments],
            marks: vec![None; instruments],
            books: vec![BookState::Recovering; instruments],
            halted: vec![false; instruments],
            open_orders: 0,
            inputs: 0,
            waited: 0,
        }
    }

    /// Takes over what the loop knows after `inputs` inputs.
    pub fn fill(&mut self, now: Timestamp, inputs: u64, trading: &TradingLoop) {
        self.now = now;
        self.session = trading.session();
        self.killed = trading.killed().is_some();
        copy_text(&mut self.kill_text, trading.killed().unwrap_or_default());
        self.stopped = trading.is_stopped();
        self.counters.clone_from(trading.counters());
        copy(&mut self.positions, trading.account().positions());
        for (id, book) in (0u32..).map(InstrumentId).zip(trading.books().books()) {
            let at = id.index();
            if at < self.books.len() {
                self.books[at] = book.state();
                self.marks[at] = book.mid();
                self.halted[at] = trading.is_halted(id);
            }
        }
        self.open_orders = trading.account().orders().open_count();
        self.inputs = inputs;
    }

    /// Profit of an instrument at its mark, fees paid: `None` without a mark for what is held.
    #[must_use]
    pub fn profit(&self, instrument: &Instrument) -> Option<market::Money> {
        let at = instrument.id.index();
        let position = self.positions.get(at)?;
        // Nothing held is worth nothing at any mark.
        let mark = self.marks.get(at)?.or((position.net == 0).then_some(Price::ZERO))?;
        position.total(instrument, mark)
    }
}

/// What the feed stage tells.
#[derive(Clone, Debug, Default)]
pub struct FeedSnapshot {
    /// When it was filled.
    pub now: Timestamp,
    /// The session followed, once one is known.
    pub session: Option<FeedSession>,
    /// Sequence awaited next.
    pub expected: u64,
    /// Messages are missing.
    pub in_gap: bool,
    /// By live line: A, B.
    pub lines: Vec<LineCounters>,
    /// By the answers to requests.
    pub retransmission: LineCounters,
    /// Messages given on, in sequence.
    pub messages: u64,
    /// Times that messages were declared missing.
    pub gaps: u64,
    /// Requests made.
    pub requests: u64,
    /// Messages asked for.
    pub requested: u64,
    /// Messages that came by retransmission.
    pub recovered: u64,
    /// Messages given up.
    pub lost: u64,
    /// Gaps closed by the messages themselves, and how long that took.
    pub by_messages: Recoveries,
    /// Gaps closed by a snapshot.
    pub by_snapshot: Recoveries,
    /// What came of tries to take one.
    pub snapshots: GlimpseCounters,
    /// Why the last of them failed, or the last connection of market data ended; empty before that.
    pub trouble: String,
    /// Packets that differ from another copy of themselves.
    pub mismatches: u64,
    /// Sessions that followed another.
    pub resets: u64,
    /// Messages decoded, skipped ones included.
    pub decoded: u64,
    /// Events given to the trading loop.
    pub events: u64,
    /// Those of them that came while the engine was at work on earlier ones.
    pub waited: u64,
    /// Errors of sockets, and events that the ring refused.
    pub troubles: FeedTroubles,
    /// A session of its own, where the feed is one.
    pub fix: Option<FixFeedTold>,
    /// What only a websocket has, if the feed is one.
    pub websocket: Option<WebsocketCounters>,
    /// Its connections that are open, and its books that have a gap.
    pub websocket_now: (usize, usize),
    /// What went wrong last with it; empty if nothing has.
    pub websocket_problem: String,
    bad: [u64; BadPacket::ALL.len()],
    skipped: [u64; Skip::ALL.len()],
}

/// What a feed by FIX tells beside.
#[derive(Clone, Debug)]
pub struct FixFeedTold {
    /// Where the session stands.
    pub state: State,
    /// Connections made, failed and lost.
    pub connections: ConnectionCounters,
    /// Instruments whose book is whole, and all.
    pub whole: (usize, usize),
    /// Requests refused, instruments barred, messages that the session refused.
    pub counters: FixFeedCounters,
    /// What was last said of it: a failed attempt, an end, a refusal, News.
    pub last_said: String,
}

impl FixFeedTold {
    /// Both Logons are exchanged.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }
}

impl Default for FixFeedTold {
    fn default() -> Self {
        FixFeedTold {
            state: State::Disconnected,
            connections: ConnectionCounters::default(),
            whole: (0, 0),
            counters: FixFeedCounters::default(),
            last_said: String::with_capacity(TEXT_MAX),
        }
    }
}

impl FeedSnapshot {
    /// An empty snapshot for so many live lines.
    #[must_use]
    pub fn new(lines: usize) -> FeedSnapshot {
        FeedSnapshot {
            lines: vec![LineCounters::default(); lines],
            trouble: String::with_capacity(TEXT_MAX),
            websocket_problem: String::with_capacity(TEXT_MAX),
            ..FeedSnapshot::default()
        }
    }

    /// An empty snapshot of a feed by FIX.
    #[must_use]
    pub fn of_fix() -> FeedSnapshot {
        FeedSnapshot { fix: Some(FixFeedTold::default()), ..FeedSnapshot::default() }
    }

    /// Takes over what the feed has seen.
    pub fn fill(&mut self, now: Timestamp, feed: &LiveFeed, troubles: FeedTroubles) {
        self.now = now;
        self.troubles = troubles;
        feed.tell(self);
    }

    /// Takes over what went wrong with a connection, all of which say so in a few words.
    pub(crate) fn tell_trouble(&mut self, trouble: Option<impl Display>) {
        self.trouble.clear();
        if let Some(trouble) = trouble {
            // Writing to a String cannot fail.
            let _ = write!(self.trouble, "{trouble}");
        }
    }

    /// Takes over what a feed of MoldUDP64 has seen.
    pub(crate) fn tell_moldudp64(&mut self, feed: &Feed, snapshots: GlimpseCounters) {
        self.snapshots = snapshots;
        let (receiver, decoder) = (feed.receiver(), feed.decoder().counters());
        let counters = receiver.counters();
        self.session = receiver.session();
        self.expected = receiver.expected();
        self.in_gap = receiver.in_gap();
        copy(&mut self.lines, &counters.live);
        self.retransmission = counters.retransmission;
        self.messages = counters.messages;
        self.gaps = counters.gaps;
        self.requests = counters.requests;
        self.requested = counters.requested;
        self.recovered = counters.recovered;
        self.lost = counters.lost;
        (self.by_messages, self.by_snapshot) = (counters.by_messages, counters.by_snapshot);
        self.mismatches = counters.mismatches;
        self.resets = counters.resets;
        self.decoded = decoder.messages();
        self.events = decoder.events;
        self.bad = BadPacket::ALL.map(|reason| counters.bad(reason));
        self.skipped = Skip::ALL.map(|reason| decoder.skipped(reason));
    }

    /// Takes over what a stream of SoupBinTCP has seen.
    pub(crate) fn tell_soupbintcp(&mut self, stream: &ItchStream) {
        let (client, decoder, counters) =
            (stream.client(), stream.decoder().counters(), stream.counters());
        self.session = client.session();
        self.expected = client.next();
        self.in_gap = stream.in_gap();
        self.messages = client.counters().messages;
        self.gaps = counters.gaps;
        self.requests = client.counters().logins;
        self.by_messages = counters.recoveries;
        self.resets = client.counters().sessions;
        self.decoded = decoder.messages();
        self.events = decoder.events;
        self.skipped = Skip::ALL.map(|reason| decoder.skipped(reason));
    }

    /// Takes over what a feed by FIX has seen.
    pub(crate) fn tell_fix(&mut self, feed: &FixFeed) {
        let counters = feed.books().counters();
        let (state, connections, said) = feed.told();
        self.expected = feed.session().store().next_incoming();
        self.in_gap = feed.whole().0 < feed.whole().1;
        self.messages = counters.messages;
        self.decoded = counters.messages;
        self.events = counters.events;
        self.gaps = counters.gaps;
        self.requests = feed.counters().requests;
        self.lost = counters.faulty;
        let told = self.fix.get_or_insert_default();
        (told.state, told.connections) = (state, connections);
        (told.whole, told.counters) = (feed.whole(), feed.counters());
        copy_text(&mut told.last_said, said);
    }

    /// Takes over what a websocket feed has seen.
    pub(crate) fn tell_websocket(&mut self, feed: &websocket::Feed) {
        let counters = feed.counters();
        self.messages = counters.messages;
        self.decoded = counters.messages - counters.garbled;
        self.events = counters.events;
        self.gaps = counters.gaps;
        self.lost = counters.lost;
        self.requests = counters.snapshots;
        self.in_gap = feed.gaps() > 0;
        self.websocket = Some(*counters);
        self.websocket_now = (feed.open(), feed.gaps());
        copy_text(&mut self.websocket_problem, feed.problem());
    }

    /// Datagrams dropped, by reason.
    pub fn bad(&self) -> impl Iterator<Item = (BadPacket, u64)> + '_ {
        BadPacket::ALL.into_iter().zip(self.bad)
    }

    /// Messages that gave no event, by reason.
    pub fn skipped(&self) -> impl Iterator<Item = (Skip, u64)> + '_ {
        Skip::ALL.into_iter().zip(self.skipped)
    }
}

/// What the gateway stage tells.
#[derive(Clone, Debug)]
pub struct GatewaySnapshot {
    /// When it was filled.
    pub now: Timestamp,
    /// Where the session stands.
    pub state: State,
    /// Its counters.
    pub session: SessionCounters,
    /// What became of the venue's messages.
    pub entry: EntryCounters,
    /// MsgSeqNum of our next message.
    pub next_outgoing: u64,
    /// MsgSeqNum awaited.
    pub next_incoming: u64,
    /// Connections made, failed and lost.
    pub connections: ConnectionCounters,
    /// Commands kept back or held.
    pub commands: GatewayCounters,
    /// What the last failed attempt or ended connection said; empty before the first.
    pub last_error: String,
}

impl Default for GatewaySnapshot {
    fn default() -> Self {
        GatewaySnapshot {
            now: Timestamp::ZERO,
            state: State::Disconnected,
            session: SessionCounters::default(),
            entry: EntryCounters::default(),
            next_outgoing: 1,
            next_incoming: 1,
            connections: ConnectionCounters::default(),
            commands: GatewayCounters::default(),
            last_error: String::with_capacity(TEXT_MAX),
        }
    }
}

impl GatewaySnapshot {
    /// Takes over what session, order entry and the stage's connection know.
    pub fn fill<S: Store>(
        &mut self,
        now: Timestamp,
        session: &Session<S>,
        entry: &OrderEntry,
        (commands, (connections, last_error)): (GatewayCounters, (ConnectionCounters, &str)),
    ) {
        self.now = now;
        self.state = session.state();
        self.session = session.counters();
        self.entry = entry.counters();
        self.next_outgoing = session.store().next_outgoing();
        self.next_incoming = session.store().next_incoming();
        self.commands = commands;
        self.connections = connections;
        copy_text(&mut self.last_error, last_error);
    }

    /// Both Logons are exchanged.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }
}

/// Copies as much as there is a place for.
fn copy<T: Copy>(into: &mut [T], from: &[T]) {
    for (place, value) in into.iter_mut().zip(from) {
        *place = *value;
    }
}

/// Copies a text, cut rather than grown.
fn copy_text(into: &mut String, text: &str) {
    into.clear();
    into.push_str(&text[..text.floor_char_boundary(into.capacity())]);
}
