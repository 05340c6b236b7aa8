//! The exchange's side of an order session, over bytes: the `gateway` crate's acceptor, and answers
//! that take every order as it comes. It matches nothing.

use crate::wired::market::Listed;
use anyhow::{Context as _, bail};
use engine::pipeline::fix_store::TimedStore;
use gateway::dialect::Dialect;
use gateway::orders::{Client, Instruments, OrderAcceptor, OrderEntry};
use gateway::session::{FrameKind, Reset, Session, SessionConfig, Store, StoreError, Visit};
use market::{
    Command, CommandKind, ExecId, InstrumentId, OrderId, Price, Qty, Report, ReportKind, Side,
    Timestamp, VenueOrderId,
};
use std::collections::HashMap;

/// The epoch of everyone's order ids: as long as those of a real run.
pub const EPOCH: u64 = 200_000_000;
/// Requests that are remembered.
const REQUESTS: usize = 1 << 12;

/// Numbers of a session and nothing else: a store that keeps no frame, and so the null journal of
/// the engine's gateway.
#[derive(Debug)]
pub struct Numbers {
    outgoing: u64,
    incoming: u64,
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers { outgoing: 1, incoming: 1 }
    }
}

impl TimedStore for Numbers {
    fn set_now(&mut self, _: Timestamp) {}
}

impl Store for Numbers {
    fn next_outgoing(&self) -> u64 {
        self.outgoing
    }

    fn next_incoming(&self) -> u64 {
        self.incoming
    }

    fn record_outgoing(&mut self, seq: u64, _: FrameKind, _: &[u8]) -> Result<(), StoreError> {
        self.outgoing = seq + 1;
        Ok(())
    }

    fn record_incoming(&mut self, seq: u64, _: &[u8]) -> Result<(), StoreError> {
        self.incoming = seq + 1;
        Ok(())
    }

    fn set_next_incoming(&mut self, seq: u64) -> Result<(), StoreError> {
        self.incoming = seq;
        Ok(())
    }

    fn reset(&mut self, outgoing: u64, incoming: u64) -> Result<(), StoreError> {
        (self.outgoing, self.incoming) = (outgoing, incoming);
        Ok(())
    }

    fn outgoing(&mut self, _: u64, _: u64, _: &mut Visit<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The client's name and the venue's.
pub const NAMES: (&str, &str) = ("BENCH", "VENUE");

/// How a client's session is set up.
#[must_use]
pub fn client_session() -> SessionConfig {
    let (client, venue) = NAMES;
    SessionConfig { reset_on_logon: Reset::WhenNew, ..SessionConfig::initiator(client, venue) }
}

/// An order that rests.
#[derive(Clone, Copy, Debug)]
struct Resting {
    venue_order: VenueOrderId,
    price: Price,
    qty: Qty,
}

/// Takes orders and answers them.
pub struct Venue {
    session: Session<Numbers>,
    acceptor: OrderAcceptor,
    said: Vec<Client>,
    resting: HashMap<u64, Resting>,
    executions: u64,
    /// Answers that are to be sent.
    pub answers: Vec<u8>,
    /// Orders and requests taken, until somebody takes them away.
    pub taken: Vec<Command>,
}

impl Venue {
    /// A venue that somebody has connected to.
    ///
    /// # Errors
    /// None in practice: its names fit FIX.
    pub fn new(now: Timestamp, listed: &Listed) -> anyhow::Result<Venue> {
        let (client, venue) = NAMES;
        let instruments = Instruments::new(&listed.instruments)?;
        let config = SessionConfig::acceptor(venue, client);
        let mut session = Session::new(config, Numbers::default())?;
        let mut answers = Vec::with_capacity(1 << 16);
        session.connected(now, &mut answers)?;
        Ok(Venue {
            session,
            acceptor: OrderAcceptor::new(instruments, REQUESTS, Dialect::default()),
            said: Vec::with_capacity(64),
            resting: HashMap::new(),
            executions: 0,
            answers,
            taken: Vec::with_capacity(1_024),
        })
    }

    /// Orders that rest.
    #[must_use]
    pub fn resting(&self) -> usize {
        self.resting.len()
    }

    /// Forgets every order that rests, as if it had never been.
    pub fn forget(&mut self) {
        self.resting.clear();
    }

    /// Takes what came; gives how many bytes were whole messages. Answers stand in `answers`.
    ///
    /// # Errors
    /// What ends the session.
    pub fn take(&mut self, now: Timestamp, bytes: &[u8]) -> anyhow::Result<usize> {
        let mut application = self.acceptor.application(&mut self.said);
        let session = &mut self.session;
        let used = session.received(now, 1, bytes, &mut self.answers, &mut application)?;
        drop(application);
        for at in 0..self.said.len() {
            match self.said[at] {
                Client::Command(command) | Client::Again(command) => self.answer(now, &command)?,
                Client::Up => {}
                Client::Down => bail!("the client logged out"),
            }
        }
        self.said.clear();
        Ok(used)
    }

    fn answer(&mut self, now: Timestamp, command: &Command) -> anyhow::Result<()> {
        use ReportKind as K;
        let (id, target) = (command.id, command.target);
        let (kind, order) = match command.kind() {
            Some(CommandKind::New) => (K::Accepted, self.rest(command, None)),
            Some(CommandKind::Replace) => {
                let old = self.resting.remove(&target.0).context("replaces no order of ours")?;
                (K::Replaced, self.rest(command, Some(old)))
            }
            Some(CommandKind::Cancel) => {
                let old = self.resting.remove(&target.0).context("cancels no order of ours")?;
                (K::Canceled, old)
            }
            Some(CommandKind::MassStatus) => {
                let mut done = Report::new(K::StatusDone, id, command.instrument);
                done.exchange_time = now;
                return self.send(now, &done);
            }
            other => bail!("the bench's venue takes no {other:?}"),
        };
        let side = command.side().context("an order without a side")?;
        let mut report = Report::new(kind, id, command.instrument).with_side(side);
        self.executions += 1;
        report.exec = ExecId([1, self.executions]);
        report.target = target;
        report.venue_order = order.venue_order;
        (report.price, report.qty) = (order.price, order.qty);
        report.leaves_qty = if kind == K::Canceled { Qty::ZERO } else { order.qty };
        report.exchange_time = now;
        self.taken.push(*command);
        self.send(now, &report)
    }

    fn rest(&mut self, command: &Command, old: Option<Resting>) -> Resting {
        let venue_order = old.map_or(VenueOrderId([1, command.id.0]), |old| old.venue_order);
        let order = Resting { venue_order, price: command.price, qty: command.qty };
        self.resting.insert(command.id.0, order);
        order
    }

    fn send(&mut self, now: Timestamp, report: &Report) -> anyhow::Result<()> {
        self.acceptor.send(&mut self.session, now, &mut self.answers, report)?;
        Ok(())
    }
}

/// The orders that a client without an engine would send, made beforehand on its behalf: so the
/// exchange's side has the same work whoever answers.
pub struct Shadow {
    session: Session<Numbers>,
    entry: OrderEntry,
    /// The order that stands, and where the next one goes.
    order: Command,
    up: bool,
    reports: Vec<Report>,
    /// The frame to come.
    pub frame: Vec<u8>,
}

impl Shadow {
    /// A client with an order resting at `venue`.
    ///
    /// # Errors
    /// A session that does not come up.
    pub fn new(now: Timestamp, venue: &mut Venue) -> anyhow::Result<Shadow> {
        let instruments = Instruments::new(&Listed::marks().instruments)?;
        let price = Price::from_raw(100_000_000_000);
        let qty = Qty::from_raw(100);
        let mut shadow = Shadow {
            session: Session::new(client_session(), Numbers::default())?,
            entry: OrderEntry::new(instruments, REQUESTS, Dialect::default()),
            // Ids as long as the engine's.
            order: Command::new(
                OrderId::new(EPOCH, 1).expect("a small epoch"),
                InstrumentId(0),
                Side::Buy,
                price,
                qty,
            ),
            up: false,
            reports: Vec::with_capacity(64),
            frame: Vec::with_capacity(4_096),
        };
        shadow.session.connected(now, &mut shadow.frame)?;
        shadow.exchange(now, venue)?;
        let order = shadow.order;
        shadow.entry.send(&mut shadow.session, now, &mut shadow.frame, &order)?;
        shadow.exchange(now, venue)?;
        Ok(shadow)
    }

    /// Gives the frame to the venue, and the venue's answers to the session.
    fn exchange(&mut self, now: Timestamp, venue: &mut Venue) -> anyhow::Result<()> {
        venue.take(now, &self.frame)?;
        self.frame.clear();
        self.answered(now, &venue.answers)?;
        venue.answers.clear();
        Ok(())
    }

    /// Makes the frame that replaces the order.
    ///
    /// # Errors
    /// A session that is down.
    pub fn prepare(&mut self, now: Timestamp) -> anyhow::Result<()> {
        self.up = !self.up;
        let raw = 100_000_000_000 + i64::from(self.up) * 10_000_000;
        let (old, id) = (self.order, OrderId(self.order.id.0 + 1));
        let (price, side) = (Price::from_raw(raw), Side::Buy);
        self.order = Command::replace(id, old.id, old.instrument, side, price, old.qty);
        self.order = self.order.with_post_only(true);
        self.frame.clear();
        self.entry.send(&mut self.session, now, &mut self.frame, &self.order)?;
        Ok(())
    }

    /// What the venue answered.
    ///
    /// # Errors
    /// What ends the session.
    pub fn answered(&mut self, now: Timestamp, bytes: &[u8]) -> anyhow::Result<()> {
        let mut application = self.entry.application(&mut self.reports);
        let mut out = Vec::new();
        self.session.received(now, 1, bytes, &mut out, &mut application)?;
        drop(application);
        self.reports.clear();
        Ok(())
    }
}
