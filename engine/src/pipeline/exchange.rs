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
mod clients;
mod listener;
mod listeners;
pub mod data_dir;
pub mod echo;
pub mod floor;
pub mod ledger;
mod lobby;
pub mod pace;
pub mod publication;
pub mod quotes;
pub mod report;
pub mod resume;
pub mod running;
pub mod stage;
pub mod streams;
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
use listener::Listener;
use market::{Instrument, Timestamp};
use report::ExchangeReport;
use sim::{AccountId, ExchangeLimits};
use std::sync::Arc;
use streams::{StreamClient, StreamCounters};

/// Packets of the market in one poll: what is behind catches up over several.
const STEPS_MAX: usize = 64;
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

/// Accounts beside those of the synthetic flow.
fn accounts_max() -> usize {
    ExchangeLimits::default().accounts - sim::flow::ACCOUNTS as usize
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
    /// Somebody who is sent market data.
    Stream,
    /// A listener's.
    Listener(usize),
}

/// The exchange without I/O.
pub struct ExchangeCore {
    config: ExchangeConfig,
    data: DataDir,
    names: Vec<String>,
    begin_string: &'static str,
    instruments: Arc<[Instrument]>,
    listed: Instruments,
    accounts: Vec<Account>,
    listeners: Vec<Listener>,
    peers: Vec<Peer>,
    /// By connection: those who listen to market data by TCP.
    stream_clients: Vec<Option<StreamClient>>,
    streamed: StreamCounters,
    floor: Floor,
    index: FieldIndex,
    notices: Vec<String>,
    refused: u64,
    /// Why the last connection was turned away.
    last_refused: Option<String>,
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
        if config.fix.accounts.len() > accounts_max() {
            let most = accounts_max();
            bail!("[fix] accounts: {most} are the most that trade at once; remove some");
        }
        if config.flow.lockstep && (config.fix.accounts.len() != 1 || config.fix.any_account) {
            bail!("[fix] accounts: lockstep steps with one engine; name one account");
        }
        let mut data = DataDir::open(&config.exchange.data_dir, fresh)?;
        let instruments: Arc<[Instrument]> =
            config.instruments.iter().map(|listed| listed.instrument.clone()).collect();
        let listed = Instruments::new(&instruments)?;
        let mut notices = Vec::new();
        let floor = Floor::open(config, &mut data, now, &mut notices)?;
        let listeners = config.fix.market_data.iter();
        let listeners = listeners
            .map(|name| Listener::new(config, name, &instruments))
            .collect::<Result<_, _>>()?;
        let mut core = ExchangeCore {
            names: Vec::new(),
            begin_string: account::version(config).begin_string(),
            instruments,
            listed,
            config: config.clone(),
            epoch: data.epoch(),
            data,
            accounts: Vec::new(),
            listeners,
            peers: vec![Peer::Nobody; connections],
            stream_clients: (0..connections).map(|_| None).collect(),
            streamed: StreamCounters::default(),
            floor,
            index: FieldIndex::new(FIELDS),
            notices,
            refused: 0,
            last_refused: None,
            published: (0, 0, 0),
            refusals: 0,
            stopping: false,
            stalled: None,
            failed: None,
        };
        for name in &config.fix.accounts {
            core.admit(name).with_context(|| format!("account {name}"))?;
        }
        Ok(core)
    }

    /// Opens an account; gives back its place.
    fn admit(&mut self, name: &str) -> anyhow::Result<usize> {
        let at = self.accounts.len();
        if at == accounts_max() {
            bail!("{at} accounts are the most that trade at once");
        }
        let instruments = self.instruments.clone();
        let store = AccountStore::open(self.data.folder(), name, instruments, &self.listed)?;
        if store.passed_over() > 0 {
            let count = store.passed_over();
            let notice = format!("{name}: {count} reports of instruments not listed any more");
            self.notices.push(notice);
        }
        let id = AccountId(sim::flow::ACCOUNTS + u32::try_from(at)?);
        self.accounts.push(Account::new(&self.config, name, id, store, &self.listed)?);
        self.names.push(name.to_owned());
        Ok(at)
    }

    /// What people should know, a line each; taken once.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
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
        worked | self.poll_streams(now, net)
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
        // Who is not far behind hears the end by TCP too.
        self.poll_streams(now, net);
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
                    self.tell_listeners(now, net);
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
        self.stop_listeners(now, net);
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
