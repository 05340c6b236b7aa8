//! The demo exchange: matching from `sim`, order entry from `gateway`, market data from `feeds`.
//!
//! [`ExchangeCore`] is the whole of it without sockets, threads or a clock: bytes and the time in,
//! bytes out. [`stage`] owns its sockets, [`running`] its thread. What it must never do: let a client
//! that does not read hold up another, publish what is not in its file, or give an id twice.
//!
//! For each command, and for each packet of the market, things happen in this order: the venue acts,
//! reports go out, market data goes out.
//!
//! # Lockstep
//! The engine marks, after whatever it takes in, the next packet it awaits and the reports it has
//! taken. The market's next packet *happens* once the mark names it and every report; its reports go
//! out, and it is *published* once a mark names those too. So reports are always taken before the
//! packet that led to them, as in a backtest. The venue's time is that of the recording. An engine
//! that is away stops the market; when it is back, the first mark after the answer to its mass
//! status request sets our count of reports beside its own, whether or not it was restarted. (An
//! engine that begins at the current packet, in a session that has gone on, has nothing to mark:
//! let it begin at the first.)

pub mod account;
pub mod account_store;
pub mod data_dir;
pub mod floor;
pub mod ledger;
mod lobby;
pub mod pace;
pub mod publication;
pub mod report;
pub mod resume;
pub mod running;
pub mod stage;
mod wires;

#[cfg(test)]
mod tests;

use crate::config::ExchangeConfig;
use account::Account;
use account_store::AccountStore;
use anyhow::{Context as _, bail};
use data_dir::DataDir;
use floor::Floor;
use gateway::fix::FieldIndex;
use gateway::orders::Instruments;
use gateway::session::{Outbound, SendError, State};
use lobby::Knock;
use market::{
    Command, CommandKind, ExecId, Instrument, Nanos, RejectReason, Report, ReportKind, Timestamp,
};
use report::ExchangeReport;
use sim::{AccountId, ExchangeLimits};
use std::sync::Arc;

/// Packets of the market in one poll: what is behind catches up over several.
const STEPS_MAX: usize = 64;
/// How long a connection may stay without a Logon.
const LOGON_WITHIN: Nanos = Nanos::from_secs(10);
/// Fields of a first message.
const FIELDS: usize = 64;

/// Where the core's bytes go.
pub trait Net {
    /// Where frames to a connection go.
    fn client(&mut self, connection: usize) -> &mut dyn Outbound;

    /// Ends a connection, after what was already queued for it as far as it takes that.
    fn cut(&mut self, connection: usize);

    /// Sends a packet by every line.
    fn packet(&mut self, bytes: &[u8]);
}

/// What a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    /// None.
    Nobody,
    /// It has not said who it is, since then.
    Stranger(Timestamp),
    /// An account's session.
    Account(usize),
}

/// The exchange without I/O.
pub struct ExchangeCore {
    config: ExchangeConfig,
    data: DataDir,
    names: Vec<String>,
    accounts: Vec<Account>,
    peers: Vec<Peer>,
    floor: Floor,
    index: FieldIndex,
    notices: Vec<String>,
    refused: u64,
    /// Messages, packets and trades of the sessions before the present one.
    published: (u64, u64, u64),
    /// Ids of the executions that no venue gave: refusals of ids used in earlier runs.
    refusals: u64,
    epoch: u64,
    stopping: bool,
    /// What a file refused; nothing more happens before it takes it.
    stalled: Option<String>,
    /// Why the exchange ended by itself.
    failed: Option<String>,
}

impl ExchangeCore {
    /// Opens the exchange of `config` with what an earlier process left; `fresh` forgets that.
    /// `connections` is how many there may be at a time.
    ///
    /// # Errors
    /// A folder, file, recording or name that cannot be used.
    pub fn open(
        config: &ExchangeConfig,
        fresh: bool,
        connections: usize,
        now: Timestamp,
    ) -> anyhow::Result<ExchangeCore> {
        let most = ExchangeLimits::default().accounts - sim::flow::ACCOUNTS as usize;
        if config.fix.accounts.len() > most {
            bail!("[fix] accounts: {most} are the most that trade at once; remove some");
        }
        if config.flow.lockstep && config.fix.accounts.len() != 1 {
            bail!("[fix] accounts: lockstep steps with one engine; name one account");
        }
        let mut data = DataDir::open(&config.exchange.data_dir, fresh)?;
        let instruments: Arc<[Instrument]> =
            config.instruments.iter().map(|listed| listed.instrument.clone()).collect();
        let listed = Instruments::new(&instruments)?;
        let mut notices = Vec::new();
        let mut accounts = Vec::new();
        for (id, name) in (sim::flow::ACCOUNTS..).zip(&config.fix.accounts) {
            let store = AccountStore::open(data.folder(), name, instruments.clone(), &listed)
                .with_context(|| format!("account {name}"))?;
            if store.passed_over() > 0 {
                let count = store.passed_over();
                notices.push(format!("{name}: {count} reports of instruments not listed any more"));
            }
            accounts.push(Account::new(config, name, AccountId(id), store, &listed)?);
        }
        let floor = Floor::open(config, &mut data, now, &mut notices)?;
        Ok(ExchangeCore {
            names: config.fix.accounts.clone(),
            config: config.clone(),
            epoch: data.epoch(),
            data,
            accounts,
            peers: vec![Peer::Nobody; connections],
            floor,
            index: FieldIndex::new(FIELDS),
            notices,
            refused: 0,
            published: (0, 0, 0),
            refusals: 0,
            stopping: false,
            stalled: None,
            failed: None,
        })
    }

    /// What people should know, a line each; taken once.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// A place for a new connection; `None` when there is none.
    pub fn connect(&mut self, now: Timestamp) -> Option<usize> {
        let place = self.peers.iter().position(|peer| *peer == Peer::Nobody);
        let place = place.filter(|_| !self.stopping)?;
        self.peers[place] = Peer::Stranger(now);
        Some(place)
    }

    /// True if a connection has said whose it is.
    #[must_use]
    pub fn is_known(&self, connection: usize) -> bool {
        matches!(self.peers.get(connection), Some(Peer::Account(_)))
    }

    /// The other side closed a connection.
    pub fn disconnected(&mut self, connection: usize, now: Timestamp, net: &mut dyn Net) {
        match self.peers.get(connection) {
            Some(Peer::Account(account)) => {
                let why = "the client closed the connection".to_owned();
                self.drop_session(*account, now, why);
                self.settle(now, net);
            }
            Some(Peer::Stranger(_)) => self.peers[connection] = Peer::Nobody,
            _ => {}
        }
    }

    /// Takes bytes of a connection; says how many. The rest is to be shown again.
    pub fn receive(
        &mut self,
        connection: usize,
        now: Timestamp,
        bytes: &[u8],
        net: &mut dyn Net,
    ) -> usize {
        let mut at = 0;
        loop {
            let took = match self.peers.get(connection) {
                Some(&Peer::Account(account)) => {
                    self.hear_account(account, connection, now, &bytes[at..], net)
                }
                Some(Peer::Stranger(_)) => self.hear_stranger(connection, now, &bytes[at..], net),
                _ => return bytes.len(),
            };
            match took {
                Some(count) => at += count,
                None => return at,
            }
        }
    }

    /// `None` when nothing more can be taken now.
    fn hear_stranger(
        &mut self,
        connection: usize,
        now: Timestamp,
        bytes: &[u8],
        net: &mut dyn Net,
    ) -> Option<usize> {
        let comp_id = &self.config.fix.comp_id;
        match lobby::knock(bytes, &mut self.index, comp_id, &self.names) {
            Knock::Wait => return None,
            Knock::Garbled(count) => return Some(count),
            Knock::Noise => self.turn_away(connection, net),
            Knock::Refused(name, why) => self.refuse(connection, now, &name, &why, net),
            Knock::Account(at) => {
                let account = &mut self.accounts[at];
                if account.connection.is_some() {
                    let (name, why) = (account.name.clone(), "this account is logged on already");
                    self.refuse(connection, now, &name, why, net);
                } else if account.connect(connection, now, net.client(connection)).is_ok() {
                    self.peers[connection] = Peer::Account(at);
                } else {
                    self.turn_away(connection, net);
                }
            }
        }
        Some(0)
    }

    fn turn_away(&mut self, connection: usize, net: &mut dyn Net) {
        self.refused += 1;
        self.peers[connection] = Peer::Nobody;
        net.cut(connection);
    }

    fn refuse(
        &mut self,
        connection: usize,
        now: Timestamp,
        name: &str,
        why: &str,
        net: &mut dyn Net,
    ) {
        if let Some(logout) = lobby::refusal(&self.config.fix.comp_id, name, why, now) {
            let out = net.client(connection);
            if out.room() >= logout.len() {
                out.send(&logout);
            }
        }
        self.turn_away(connection, net);
    }

    fn hear_account(
        &mut self,
        at: usize,
        connection: usize,
        now: Timestamp,
        bytes: &[u8],
        net: &mut dyn Net,
    ) -> Option<usize> {
        if self.stalled.is_some() {
            return None;
        }
        let account = &mut self.accounts[at];
        match account.receive(now, bytes, net.client(connection)) {
            Ok(count) => {
                let news = account.has_news();
                while let Some(command) = self.accounts[at].next_command() {
                    self.carry_out(at, &command, now, net);
                }
                (news || count > 0).then_some(count)
            }
            Err(why) => {
                self.cut(at, now, why.to_string(), net);
                self.settle(now, net);
                None
            }
        }
    }

    fn carry_out(&mut self, at: usize, command: &Command, now: Timestamp, net: &mut dyn Net) {
        let account = &mut self.accounts[at];
        if command.kind() == Some(CommandKind::Mark) {
            account.mark(command);
            return;
        }
        account.orders += 1;
        match self.refusal(at, command, now) {
            Some(refusal) => {
                let id = self.accounts[at].id;
                self.floor.heard.reports.push_back((id, refusal));
            }
            None => self.floor.command(self.accounts[at].id, command, now),
        }
        self.settle(now, net);
    }

    /// The refusal of a request whose id was used before: the venue itself knows only its own run.
    fn refusal(&mut self, at: usize, command: &Command, now: Timestamp) -> Option<Report> {
        let kind = match command.kind()? {
            CommandKind::New => ReportKind::Rejected,
            CommandKind::Replace | CommandKind::Cancel => ReportKind::CancelRejected,
            _ => return None,
        };
        if !self.accounts[at].session().store().ledger().has_used(command.id) {
            return None;
        }
        let mut report = Report::new(kind, command.id, command.instrument)
            .with_reason(RejectReason::DuplicateId);
        if let Some(side) = command.side() {
            report = report.with_side(side);
        }
        report.target = command.target;
        report.exchange_time = self.floor.time(now);
        if kind == ReportKind::Rejected {
            (report.price, report.qty) = (command.price, command.qty);
            // The venue counts up from one, these down from the end.
            report.exec = ExecId([self.epoch, u64::MAX - self.refusals]);
            self.refusals += 1;
        }
        Some(report)
    }

    /// Lets time pass: sessions, the market, heartbeats. True if anything was done.
    pub fn poll(&mut self, now: Timestamp, net: &mut dyn Net) -> bool {
        // What waits from before a file refused it, or from the opening.
        let mut worked = self.settle(now, net);
        worked |= self.poll_sessions(now, net);
        if !self.stopping {
            worked |= self.poll_market(now, net);
        }
        if self.floor.publication.is_flushed()
            && let Some(heartbeat) = self.floor.publication.heartbeat(now)
        {
            net.packet(&heartbeat);
            worked = true;
        }
        worked
    }

    fn poll_sessions(&mut self, now: Timestamp, net: &mut dyn Net) -> bool {
        let mut worked = false;
        for connection in 0..self.peers.len() {
            match self.peers[connection] {
                Peer::Nobody => {}
                Peer::Stranger(since) => {
                    if now.since(since) >= LOGON_WITHIN || self.stopping {
                        self.turn_away(connection, net);
                    }
                }
                Peer::Account(at) => match self.accounts[at].poll(now, net.client(connection)) {
                    Ok(did) => worked |= did,
                    Err(why) => {
                        self.cut(at, now, why.to_string(), net);
                        self.settle(now, net);
                    }
                },
            }
        }
        worked
    }

    fn poll_market(&mut self, now: Timestamp, net: &mut dyn Net) -> bool {
        let mut worked = false;
        for _ in 0..STEPS_MAX {
            if self.stalled.is_some() || !self.may_go_on() {
                break;
            }
            if self.floor.is_holding() {
                self.floor.release();
            } else if self.floor.is_due(now) {
                self.floor.step();
            } else {
                break;
            }
            self.settle(now, net);
            worked = true;
        }
        if self.floor.is_over(now) && self.stalled.is_none() {
            self.next_day(now, net);
            worked = true;
        }
        if self.floor.is_at_end()
            && let Some(end) = self.floor.publication.end(now)
        {
            net.packet(&end);
        }
        worked
    }

    /// False while an engine in lockstep has not taken everything.
    fn may_go_on(&self) -> bool {
        let next = self.floor.publication.next_sequence();
        !self.config.flow.lockstep || self.accounts.iter().all(|account| account.is_level(next))
    }

    /// Midnight: the stamps of the session come to their end, and another begins.
    fn next_day(&mut self, now: Timestamp, net: &mut dyn Net) {
        if self.floor.publication.is_flushed() {
            self.floor.close();
            self.settle(now, net);
        }
        // Else a file refuses: what waits is the old session's, and goes first.
        let Some(end) = self.floor.publication.end(now) else { return };
        net.packet(&end);
        match Floor::open(&self.config, &mut self.data, now, &mut self.notices) {
            Ok(floor) => {
                let past = self.floor.publication.counters();
                self.published.0 += past.messages;
                self.published.1 += past.packets;
                self.published.2 += past.trades;
                self.floor = floor;
                self.epoch = self.data.epoch();
            }
            Err(error) => {
                self.failed = Some(format!("the next day cannot begin: {error:#}"));
                self.stop(now, net);
            }
        }
        self.settle(now, net);
    }

    /// Sends the reports that wait, then publishes. True if anything was done.
    fn settle(&mut self, now: Timestamp, net: &mut dyn Net) -> bool {
        let told = self.send_reports(now, net);
        if self.floor.heard.reports.is_empty() {
            self.floor.say();
            let flushed = self.floor.publication.flush(now, &mut |packet| net.packet(packet));
            match flushed {
                Ok(published) => {
                    self.stalled = None;
                    return told || published;
                }
                Err(error) => self.stalled = Some(format!("market data cannot be kept: {error}")),
            }
        }
        told
    }

    fn send_reports(&mut self, now: Timestamp, net: &mut dyn Net) -> bool {
        let mut told = false;
        while let Some(&(id, report)) = self.floor.heard.reports.front() {
            let at = (id.0 - sim::flow::ACCOUNTS) as usize;
            let Some(account) = self.accounts.get_mut(at) else {
                self.floor.heard.reports.pop_front();
                continue;
            };
            // Nothing goes to nobody: an account that is away only has its reports recorded.
            let mut nobody = Vec::new();
            let out: &mut dyn Outbound = match account.connection {
                Some(connection) => net.client(connection),
                None => &mut nobody,
            };
            match account.send(now, out, &report) {
                Ok(()) => {}
                Err(SendError::Backpressure) => {
                    // Recorded then, and resent when it is back.
                    self.cut(at, now, "the client does not read".to_owned(), net);
                    continue;
                }
                Err(SendError::Store(error)) => {
                    self.stalled = Some(format!("reports cannot be kept: {error}"));
                    return told;
                }
                Err(SendError::Encode(_) | SendError::Down) => account.unsaid += 1,
            }
            self.floor.heard.reports.pop_front();
            told = true;
        }
        told
    }

    fn cut(&mut self, at: usize, now: Timestamp, why: String, net: &mut dyn Net) {
        if let Some(connection) = self.accounts[at].connection {
            net.cut(connection);
        }
        self.drop_session(at, now, why);
    }

    /// The session of an account is down: its orders go, if the configuration says so.
    fn drop_session(&mut self, at: usize, now: Timestamp, why: String) {
        let account = &mut self.accounts[at];
        if let Some(connection) = account.connection {
            self.peers[connection] = Peer::Nobody;
        }
        account.disconnect(now, why);
        if self.config.fix.cancel_on_disconnect {
            self.floor.cancel_all(account.id, now);
        }
    }

    /// The packet that answers a request for messages; `None` if there is no answer.
    pub fn answer(&mut self, request: &[u8]) -> Option<&[u8]> {
        self.floor.publication.answer(request).ok()
    }

    /// Stops the market and says goodbye to everyone. The session of market data stays open: a
    /// later process continues it.
    pub fn stop(&mut self, now: Timestamp, net: &mut dyn Net) {
        if std::mem::replace(&mut self.stopping, true) {
            return;
        }
        for at in 0..self.accounts.len() {
            let account = &mut self.accounts[at];
            let Some(connection) = account.connection else { continue };
            let out = net.client(connection);
            if let Err(why) = account.logout(now, out, "the exchange stops") {
                self.cut(at, now, why.to_string(), net);
            }
        }
        self.settle(now, net);
    }

    /// Why the exchange stopped by itself, if it did.
    #[must_use]
    pub fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// True once everyone is gone after a stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopping && self.peers.iter().all(|peer| *peer == Peer::Nobody)
    }

    /// The market, to look at.
    #[must_use]
    pub fn floor(&self) -> &Floor {
        &self.floor
    }

    /// The accounts.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Sessions that are up.
    #[must_use]
    pub fn sessions_up(&self) -> usize {
        self.accounts.iter().filter(|account| account.session().state() == State::Up).count()
    }

    /// Where everything stands.
    #[must_use]
    pub fn report(&self) -> ExchangeReport {
        report::of(self)
    }
}
