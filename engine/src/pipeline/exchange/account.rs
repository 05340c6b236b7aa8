//! One account: its FIX session, its reports, and how far its engine has come in lockstep.

use super::account_store::AccountStore;
use crate::config::ExchangeConfig;
use gateway::fix::Precision;
use gateway::orders::{Client, Inbox, Instruments, OrderAcceptor};
use gateway::session::{
    ConfigError, Disconnect, Outbound, Reset, SendError, Session, SessionConfig,
};
use market::{Command, Report, ReportKind, Timestamp};
use sim::AccountId;

/// Requests that the acceptor remembers, to say what a refused cancel was about.
const REQUESTS: usize = 4_096;

/// An account of the exchange.
pub struct Account {
    /// SenderCompID of its engine.
    pub name: String,
    /// Its place at the venue.
    pub id: AccountId,
    /// The connection that its session is on.
    pub connection: Option<usize>,
    session: Session<AccountStore>,
    acceptor: OrderAcceptor,
    inbox: Commands,
    progress: Progress,
    /// Rejects that the session had sent when the engine logged on.
    rejects_before: u64,
    /// Commands carried out, marks left out.
    pub orders: u64,
    /// Fills reported.
    pub fills: u64,
    /// Reports that could not be written: of no message. Always zero.
    pub unsaid: u64,
    /// Why the last connection ended.
    pub last_end: Option<String>,
}

/// One message at a time, so that each command is carried out before the next is read.
#[derive(Debug, Default)]
struct Commands(Vec<Client>);

impl Inbox<Client> for Commands {
    fn ready(&self) -> bool {
        self.0.is_empty()
    }

    fn put(&mut self, item: Client) {
        self.0.push(item);
    }
}

impl Account {
    /// The account called `name`, not connected.
    ///
    /// # Errors
    /// A name that cannot stand in a message.
    pub fn new(
        config: &ExchangeConfig,
        name: &str,
        id: AccountId,
        store: AccountStore,
        listed: &Instruments,
    ) -> Result<Account, ConfigError> {
        let session = SessionConfig {
            reset_on_logon: Reset::WhenNew,
            // TransactTime is the venue's time, to the last digit.
            precision: Precision::Nanos,
            ..SessionConfig::acceptor(&config.fix.comp_id, name)
        };
        Ok(Account {
            name: name.to_owned(),
            id,
            connection: None,
            session: Session::new(session, store)?,
            acceptor: OrderAcceptor::new(listed.clone(), REQUESTS),
            inbox: Commands::default(),
            progress: Progress::default(),
            rejects_before: 0,
            orders: 0,
            fills: 0,
            unsaid: 0,
            last_end: None,
        })
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session<AccountStore> {
        &self.session
    }

    /// A connection whose Logon is next.
    ///
    /// # Errors
    /// [`Disconnect`]: cut it.
    pub fn connect(
        &mut self,
        connection: usize,
        now: Timestamp,
        out: &mut dyn Outbound,
    ) -> Result<(), Disconnect> {
        self.session.connected(now, out)?;
        self.connection = Some(connection);
        self.progress = Progress::default();
        self.rejects_before = self.session.counters().rejects;
        Ok(())
    }

    /// The connection is gone.
    pub fn disconnect(&mut self, now: Timestamp, why: String) {
        self.connection = None;
        self.last_end = Some(why);
        self.session.disconnected(now, &mut self.acceptor.application(&mut self.inbox));
        self.inbox.0.clear();
    }

    /// Takes bytes up to the first command among them; says how many that were.
    ///
    /// # Errors
    /// [`Disconnect`]: cut the connection.
    pub fn receive(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut dyn Outbound,
    ) -> Result<usize, Disconnect> {
        let mut application = self.acceptor.application(&mut self.inbox);
        self.session.received(now, 0, bytes, out, &mut application)
    }

    /// The command that was read last. A mark is followed here; the session's ups and downs are the
    /// driver's to know.
    pub fn next_command(&mut self) -> Option<Command> {
        while let Some(client) = self.inbox.0.pop() {
            match client {
                Client::Command(command) => return Some(command),
                Client::Up | Client::Down => {}
            }
        }
        None
    }

    /// True if something was read that has not been taken.
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.inbox.0.is_empty()
    }

    /// Heartbeats, resends and time-outs.
    ///
    /// # Errors
    /// [`Disconnect`]: cut the connection.
    pub fn poll(&mut self, now: Timestamp, out: &mut dyn Outbound) -> Result<bool, Disconnect> {
        if now < self.session.next_due() { Ok(false) } else { self.session.poll(now, out) }
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// [`Disconnect`]: cut the connection at once.
    pub fn logout(
        &mut self,
        now: Timestamp,
        out: &mut dyn Outbound,
        text: &str,
    ) -> Result<(), Disconnect> {
        self.session.logout(now, out, text)
    }

    /// Sends a report, or numbers and records it while the engine is away.
    ///
    /// # Errors
    /// [`SendError`]; nothing was recorded.
    pub fn send(
        &mut self,
        now: Timestamp,
        out: &mut dyn Outbound,
        report: &Report,
    ) -> Result<(), SendError> {
        self.acceptor.send(&mut self.session, now, out, report)?;
        self.session.store_mut().ledger_mut().count(report);
        self.fills += u64::from(report.kind() == Some(ReportKind::Filled));
        let told = self.told();
        self.progress.sent(report.kind(), told);
        Ok(())
    }

    /// Reports that the engine was told of since its logon, as it counts them: refusals of messages
    /// are reports to it.
    fn told(&self) -> u64 {
        self.progress.reports + self.session.counters().rejects - self.rejects_before
    }

    /// Follows the engine's word on how far it has come.
    pub fn mark(&mut self, command: &Command) {
        self.progress.mark(command.id.0, command.target.0);
    }

    /// True if the engine has taken every packet before `next` and every report.
    #[must_use]
    pub fn is_level(&self, next: u64) -> bool {
        self.session.is_up() && self.progress.is_level(next, self.told())
    }
}

/// How far an engine has come in lockstep.
///
/// It counts reports since its start, we since its logon, and between the two lie reports of earlier
/// connections and resent ones. So the first mark after the answer to its mass status request, which
/// it sends when it has taken just that answer, sets our count beside its own.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Reports sent since the logon, as the engine counts them.
    reports: u64,
    /// What had been told when the mass status request was answered.
    answered: Option<u64>,
    /// The engine's count less ours.
    offset: Option<u64>,
    /// The last mark: next packet, reports taken.
    marked: (u64, u64),
}

impl Progress {
    fn sent(&mut self, kind: Option<ReportKind>, told: u64) {
        if kind == Some(ReportKind::StatusDone) {
            self.answered.get_or_insert(told);
        } else {
            self.reports += 1;
        }
    }

    fn mark(&mut self, next: u64, reports: u64) {
        if let (Some(answered), None) = (self.answered, self.offset) {
            self.offset = Some(reports.wrapping_sub(answered));
        }
        self.marked = (next, reports);
    }

    /// Before the first packet of a session there is none that an engine could name.
    fn is_level(&self, next: u64, told: u64) -> bool {
        let level = |offset| self.marked.1 == told.wrapping_add(offset);
        (next == 1 || self.marked.0 == next) && self.offset.is_some_and(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_counts_from_the_answer_on() {
        let mut progress = Progress::default();
        progress.mark(4, 17);
        assert!(!progress.is_level(4, 0), "before the answer a mark says nothing");
        progress.sent(Some(ReportKind::Status), 0);
        progress.sent(Some(ReportKind::StatusDone), 1);
        progress.mark(5, 18);
        assert!(progress.is_level(5, 1) && !progress.is_level(6, 1));
        progress.sent(Some(ReportKind::Accepted), 1);
        assert!(!progress.is_level(5, 2), "the report is not taken yet");
        progress.mark(5, 19);
        assert!(progress.is_level(5, 2));
    }
}
