//! One account: its FIX session, its reports, and how far its engine has come in lockstep.

use super::account_store::AccountStore;
use super::echo::Echo;
use crate::config::ExchangeConfig;
use crate::config::fix_choices::{FixApplication, FixVersion, ValidationWord};
use gateway::dialect::Dialect;
use gateway::fix::tags::{self, msg};
use gateway::fix::{EncodeError, Precision};
use gateway::orders::{Client, Inbox, Instruments, OrderAcceptor};
use gateway::session::{
    Application, ConfigError, Disconnect, Outbound, Reset, SendError, Session, SessionConfig,
};
use gateway::spec::{CustomField, Dictionary, Validation, Version};
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
    desk: Desk,
    progress: Progress,
    /// Rejects that the session had sent when the engine logged on.
    rejects_before: u64,
    /// Commands carried out, marks left out.
    pub orders: u64,
    /// Commands passed over: said again (PossResend), and answered before.
    pub said_again: u64,
    /// Fills reported.
    pub fills: u64,
    /// Reports that could not be written: of no message. Always zero.
    pub unsaid: u64,
    /// Why the last connection ended.
    pub last_end: Option<String>,
}

/// Who takes an account's messages.
enum Desk {
    /// The matching engine.
    Matching(Box<OrderAcceptor>, Commands),
    /// Nobody: they go back.
    Echo(Echo),
}

impl Desk {
    /// Lets the desk take part in what the session does.
    fn with<T>(&mut self, act: impl FnOnce(&mut dyn Application) -> T) -> T {
        match self {
            Desk::Matching(acceptor, inbox) => act(&mut acceptor.application(inbox)),
            Desk::Echo(echo) => act(echo),
        }
    }
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
        let desk = match config.fix.application {
            FixApplication::Matching => {
                let acceptor = Box::new(OrderAcceptor::new(
                    listed.clone(),
                    REQUESTS,
                    Dialect::of(version(config)),
                ));
                Desk::Matching(acceptor, Commands::default())
            }
            FixApplication::Echo => Desk::Echo(Echo::new(Dictionary::of(version(config)))),
        };
        Ok(Account {
            name: name.to_owned(),
            id,
            connection: None,
            session: Session::new(session_config(config, name), store)?,
            desk,
            progress: Progress::default(),
            rejects_before: 0,
            orders: 0,
            said_again: 0,
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
        let Account { session, desk, .. } = self;
        desk.with(|application| session.disconnected(now, application));
        if let Desk::Matching(_, inbox) = desk {
            inbox.0.clear();
        }
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
        let Account { session, desk, .. } = self;
        desk.with(|application| session.received(now, 0, bytes, out, application))
    }

    /// Sends back what an echo has to, or a refusal of what would be too long; true if it had.
    ///
    /// # Errors
    /// [`SendError`]; the message is lost.
    pub fn answer(&mut self, now: Timestamp, out: &mut dyn Outbound) -> Result<bool, SendError> {
        let Desk::Echo(echo) = &mut self.desk else { return Ok(false) };
        let Some(back) = echo.take() else { return Ok(false) };
        match self.session.send(now, out, &back.msg_type, |encoder| back.write(encoder)) {
            Err(SendError::Encode(_)) => {
                let refusal = msg::BUSINESS_MESSAGE_REJECT;
                self.session.send(now, out, refusal, |encoder| back.refuse(encoder))?;
            }
            sent => drop(sent?),
        }
        Ok(true)
    }

    /// The command that was read last, and whether it may have been said before. A mark is followed
    /// here; the session's ups and downs are the driver's to know.
    pub fn next_command(&mut self) -> Option<(Command, bool)> {
        let Desk::Matching(_, inbox) = &mut self.desk else { return None };
        while let Some(client) = inbox.0.pop() {
            match client {
                Client::Command(command) => return Some((command, false)),
                Client::Again(command) => return Some((command, true)),
                Client::Up | Client::Down => {}
            }
        }
        None
    }

    /// True if something was read that has not been taken.
    #[must_use]
    pub fn has_news(&self) -> bool {
        match &self.desk {
            Desk::Matching(_, inbox) => !inbox.0.is_empty(),
            Desk::Echo(echo) => echo.is_waiting(),
        }
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
        let Desk::Matching(acceptor, _) = &mut self.desk else {
            return Err(SendError::Encode(EncodeError::NoMessage));
        };
        acceptor.send(&mut self.session, now, out, report)?;
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

/// The version of an exchange's sessions.
pub(super) fn version(config: &ExchangeConfig) -> Version {
    match config.fix.version {
        FixVersion::Fix42 => Version::Fix42,
        FixVersion::Fix44 => Version::Fix44,
        FixVersion::Fix50Sp2 => Version::Fix50Sp2,
    }
}

pub(super) fn session_config(config: &ExchangeConfig, name: &str) -> SessionConfig {
    let custom = |tag, name: &str| CustomField { tag, name: name.to_owned() };
    SessionConfig {
        version: version(config),
        validation: match config.fix.validation {
            ValidationWord::None => Validation::None,
            ValidationWord::Structure => Validation::Structure,
            ValidationWord::Full => Validation::Full,
        },
        custom_fields: match config.fix.application {
            FixApplication::Echo => Vec::new(),
            // An engine's own words in lockstep.
            FixApplication::Matching => vec![
                custom(tags::NEXT_PACKET, "NextPacket"),
                custom(tags::REPORTS_CONSUMED, "ReportsConsumed"),
            ],
        },
        reset_on_logon: if config.fix.reset_on_logon { Reset::Always } else { Reset::WhenNew },
        precision: match config.fix.application {
            // TransactTime is the venue's time, to the last digit.
            FixApplication::Matching => Precision::Nanos,
            FixApplication::Echo => Precision::Millis,
        },
        ..SessionConfig::acceptor(&config.fix.comp_id, name)
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
