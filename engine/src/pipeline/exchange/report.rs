//! What the exchange says of itself: a line while it runs, a page at its end.

use super::ExchangeCore;
use super::listener::Listener;
use super::streams::StreamCounters;
use feeds::moldudp64::BadRequest;
use gateway::session::State;
use market::{InstrumentId, Position};
use std::fmt;

/// Where an exchange stands. Counts are of this process, sequences of the session.
#[derive(Clone, Debug, Default)]
pub struct ExchangeReport {
    /// Name of the market data session.
    pub session: String,
    /// Sequence of its next message.
    pub next_sequence: u64,
    /// Messages published.
    pub messages: u64,
    /// Packets they were in.
    pub packets: u64,
    /// Trades published.
    pub trades: u64,
    /// Requests for retransmission answered.
    pub requests: u64,
    /// Messages sent again for them.
    pub resent: u64,
    /// Requests not answered: no requests, of another session, or for what is not there.
    pub bad_requests: u64,
    /// What was sent by TCP, snapshots among it.
    pub streamed: StreamCounters,
    /// Datagrams that the kernel did not take.
    pub unsent: u64,
    /// Connections turned away.
    pub refused: u64,
    /// Why the last of them was.
    pub last_refused: Option<String>,
    /// The accounts, in the order of the configuration.
    pub accounts: Vec<AccountReport>,
    /// Sessions of market data: name, where it stands, messages sent, messages held back.
    pub listeners: Vec<(String, &'static str, u64, u64)>,
    /// The recording is at its end.
    pub at_end: bool,
    /// What is wrong: a damaged recording, a file that cannot be written.
    pub complaint: Option<String>,
}

/// Where one account stands.
#[derive(Clone, Debug, Default)]
pub struct AccountReport {
    /// SenderCompID of its engine.
    pub name: String,
    /// Its session is up.
    pub is_up: bool,
    /// Its session in a word.
    pub state: &'static str,
    /// Why its last connection ended.
    pub last_end: Option<String>,
    /// Commands carried out.
    pub orders: u64,
    /// Commands passed over: said again (PossResend), and answered before.
    pub said_again: u64,
    /// Open orders now.
    pub open_orders: usize,
    /// Fills in this process.
    pub fills: u64,
    /// Reports sent again.
    pub resent: u64,
    /// Its position by instrument, over all processes, where it ever traded.
    pub positions: Vec<(String, Position)>,
}

pub(super) fn of(core: &ExchangeCore) -> ExchangeReport {
    let publication = &core.floor.publication;
    let (counters, server) = (publication.counters(), publication.server());
    let complaint = core.failed.clone().or_else(|| core.stalled.clone());
    ExchangeReport {
        session: publication.session().to_string(),
        next_sequence: publication.next_sequence(),
        messages: core.published.0 + counters.messages,
        packets: core.published.1 + counters.packets,
        trades: core.published.2 + counters.trades,
        requests: server.answered(),
        resent: server.messages(),
        bad_requests: BadRequest::ALL.iter().map(|reason| server.bad(*reason)).sum(),
        streamed: core.streamed,
        unsent: 0,
        refused: core.refused,
        last_refused: core.last_refused.clone(),
        accounts: (0..core.accounts.len()).map(|at| of_account(core, at)).collect(),
        listeners: core.listeners.iter().map(of_listener).collect(),
        at_end: core.floor.is_at_end(),
        complaint: complaint.or_else(|| core.floor.error()),
    }
}

fn of_account(core: &ExchangeCore, at: usize) -> AccountReport {
    let account = &core.accounts[at];
    let session = account.session();
    let ledger = session.store().ledger();
    let listed = (0..).map(InstrumentId).zip(&core.config.instruments);
    let positions =
        listed.map(|(id, listed)| (listed.instrument.symbol.clone(), ledger.position(id)));
    AccountReport {
        name: account.name.clone(),
        is_up: session.is_up(),
        state: word(session.state()),
        last_end: account.last_end.clone(),
        orders: account.orders,
        said_again: account.said_again,
        open_orders: core.floor.market().venue_ref().open_orders(account.id),
        fills: account.fills,
        resent: session.counters().resent,
        positions: positions.filter(|(_, position)| position.fills > 0).collect(),
    }
}

fn of_listener(listener: &Listener) -> (String, &'static str, u64, u64) {
    let (state, sent) = (word(listener.state()), listener.sent());
    (listener.name.clone(), state, sent, listener.held_back)
}

const fn word(state: State) -> &'static str {
    match state {
        State::Disconnected => "away",
        State::LogonSent | State::LogonAwaited => "logging on",
        State::Up => "up",
        State::LogoutSent => "logging out",
        State::Closing => "closing",
    }
}

impl ExchangeReport {
    /// One line for a terminal.
    #[must_use]
    pub fn line(&self) -> String {
        let up = self.accounts.iter().filter(|account| account.is_up).count();
        let sum = |count: fn(&AccountReport) -> u64| self.accounts.iter().map(count).sum::<u64>();
        let mut line = format!(
            "{} #{}  {} trades  {up}/{} logged on  {} orders  {} open  {} fills",
            self.session,
            self.next_sequence - 1,
            self.trades,
            self.accounts.len(),
            sum(|account| account.orders),
            sum(|account| account.open_orders as u64),
            sum(|account| account.fills),
        );
        if self.at_end {
            line.push_str("  the recording is over");
        }
        if let Some(complaint) = &self.complaint {
            line.push_str("  ");
            line.push_str(complaint);
        }
        line
    }
}

impl fmt::Display for ExchangeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExchangeReport { session, messages, packets, trades, .. } = self;
        let last = self.next_sequence.saturating_sub(1);
        writeln!(f, "market data  session {session}, at message {last}")?;
        writeln!(f, "             {messages} messages in {packets} packets, {trades} trades")?;
        let ExchangeReport { requests, resent, bad_requests, .. } = self;
        writeln!(
            f,
            "             {requests} requests answered with {resent} messages, {bad_requests} not"
        )?;
        let StreamCounters { logins, messages, snapshots } = self.streamed;
        if logins > 0 {
            let sent = format!("{messages} messages by TCP, {snapshots} snapshots among them");
            writeln!(f, "             {sent}, to {logins} clients")?;
        }
        if self.unsent > 0 {
            writeln!(f, "             {} datagrams that the kernel did not take", self.unsent)?;
        }
        for account in &self.accounts {
            write!(f, "{account}")?;
        }
        for (name, state, sent, held_back) in &self.listeners {
            writeln!(f, "listener     {name}: {state}, {sent} messages, {held_back} held back")?;
        }
        if self.refused > 0 {
            let why = self.last_refused.as_deref().unwrap_or("it said nothing");
            writeln!(f, "turned away  {} connections, the last: {why}", self.refused)?;
        }
        if let Some(complaint) = &self.complaint {
            writeln!(f, "complaint    {complaint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for AccountReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AccountReport { name, state, orders, fills, open_orders, resent, .. } = self;
        write!(f, "account      {name}: {state}")?;
        if let Some(why) = self.last_end.as_deref().filter(|_| !self.is_up) {
            write!(f, " ({why})")?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "             {orders} commands, {fills} fills, {open_orders} open orders, {resent} reports resent"
        )?;
        if self.said_again > 0 {
            writeln!(f, "             {} commands said again were passed over", self.said_again)?;
        }
        for (symbol, position) in &self.positions {
            let Position { net, fills, realised, fees, .. } = position;
            writeln!(
                f,
                "             {symbol}: net {net}, {fills} fills, realised {realised}, fees {fees}"
            )?;
        }
        Ok(())
    }
}
