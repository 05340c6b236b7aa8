//! What a start takes over from the journal of the runs before: positions, orders, counted
//! executions, the kill latch, the id epoch and the session's numbers.
//!
//! Only commands, reports and operators' acts are followed, never the market, so that a new build
//! recovers an old journal whatever it would have decided itself.

use crate::config::run::RunConfig;
use crate::journal::{self, Durability, JournalError, JournalSettings, Tail};
use crate::pipeline::assembly;
use crate::pipeline::fix_store::Numbers;
use crate::pipeline::records::{BadRecord, Record, kind};
use crate::trading::account::Account;
use crate::trading::trading_loop::not_sent;
use crate::trading::{ControlKind, OpeningState};
use market::{
    CommandKind, Instrument, InstrumentId, Nanos, Order, Position, RejectReason, ReportKind,
    Timestamp,
};

/// Midnight of 2020-01-01 UTC: epochs of ids count seconds from here.
const EPOCH_BASE_SECONDS: u64 = 1_577_836_800;

/// Why a journal cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The journal itself.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A record of another version.
    #[error("record {sequence} of the trading stream: {source}; use the version that wrote it")]
    Record {
        /// Its sequence.
        sequence: u64,
        /// What is wrong.
        source: BadRecord,
    },
    /// The configuration that the journal holds is not readable.
    #[error("the configuration in the journal cannot be read by this version:\n{0}")]
    Config(String),
    /// The opening state is not readable.
    #[error(transparent)]
    Opening(#[from] crate::trading::opening::BadOpening),
    /// A position or order is in an instrument that is no longer configured.
    #[error(
        "the journal holds {what} in {symbol}, which is not among the configured instruments: \
         add it again, or close it first"
    )]
    Missing {
        /// What it holds.
        what: &'static str,
        /// Of which instrument.
        symbol: String,
    },
    /// An instrument means something else now.
    #[error(
        "{symbol} has a position in the journal and other qty_digits or contract now: \
         restore its definition, or close the position first"
    )]
    Changed {
        /// Which instrument.
        symbol: String,
    },
}

/// A journal taken over, or begun.
pub struct Streams {
    /// The trading stream.
    pub trading: journal::Opened,
    /// The gateway stream.
    pub gateway: journal::Opened,
    /// What the start takes over.
    pub opening: OpeningState,
    /// The session's numbers.
    pub numbers: Numbers,
    /// What to tell people, a line each.
    pub notices: Vec<String>,
}

/// Opens both streams of a run's journal, going on where the last run ended.
///
/// # Errors
/// [`RecoveryError`]; nothing may be traded then.
pub fn open(config: &RunConfig, now: Timestamp) -> Result<Streams, RecoveryError> {
    let settings = |name: &str| JournalSettings {
        hot_dir: config.journal.hot_dir.clone(),
        segment_bytes: config.journal.segment_bytes as u64,
        durability: durability(config),
        ..JournalSettings::new(&config.journal_dir(), name)
    };
    let (trading, gateway) = (settings("trading"), settings("gateway"));
    let mut notices = Vec::new();
    let mut follower = Follower::default();
    let trading = if journal::exists(&trading.dir, &trading.name)? {
        let mut failed = None;
        let recovered = journal::recover(&trading, now, |record| {
            if failed.is_none() {
                failed = follower.follow(&record).err();
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        notices.push(tail_notice("trading", recovered.records, &recovered.tail));
        recovered.opened
    } else {
        journal::create(&trading, now)?
    };
    let mut numbers = Numbers::default();
    let gateway = if journal::exists(&gateway.dir, &gateway.name)? {
        let recovered = journal::recover(&gateway, now, |record| numbers.follow(&record))?;
        notices.push(tail_notice("gateway", recovered.records, &recovered.tail));
        recovered.opened
    } else {
        journal::create(&gateway, now)?
    };
    notices.extend([&trading, &gateway].into_iter().filter_map(|opened| opened.notice.clone()));
    let opening = follower.opening(&assembly::instruments(&config.trading), now)?;
    Ok(Streams { trading, gateway, opening, numbers, notices })
}

pub(crate) fn durability(config: &RunConfig) -> Durability {
    match config.journal.durability {
        crate::config::choice::Durability::Process => Durability::Process,
        crate::config::choice::Durability::Power => Durability::Power,
    }
}

fn tail_notice(stream: &str, records: u64, tail: &Tail) -> String {
    format!("journal: {stream} stream taken over after {records} records, {tail}")
}

/// Follows a trading stream.
#[derive(Default)]
pub struct Follower {
    part: Option<Part>,
}

/// The part of a stream since its last start.
struct Part {
    account: Account,
    instruments: Vec<Instrument>,
    answer_within: Nanos,
    epoch: u64,
    killed: Option<String>,
    now: Timestamp,
}

impl Follower {
    /// Takes one record.
    ///
    /// # Errors
    /// [`RecoveryError`] if it cannot be understood.
    pub fn follow(&mut self, record: &journal::Record<'_>) -> Result<(), RecoveryError> {
        // Packets and hashes say nothing of the account; most records are these.
        let of_account =
            matches!(record.kind, kind::START | kind::REPORT | kind::CONTROL | kind::COMMAND);
        if !of_account {
            return Ok(());
        }
        let sequence = record.sequence;
        let decoded = Record::decode(record.kind, record.payload)
            .map_err(|source| RecoveryError::Record { sequence, source })?;
        match (decoded, &mut self.part) {
            (Record::Start(start), _) => {
                let config = RunConfig::from_resolved(&start.config)
                    .map_err(|errors| RecoveryError::Config(errors.render(false)))?;
                let opening = OpeningState::from_bytes(&start.opening)?;
                let instruments = assembly::instruments(&config.trading);
                let account = assembly::account(instruments.clone(), &opening);
                self.part = Some(Part {
                    account,
                    instruments,
                    answer_within: config.trading.session.order_ack_timeout_ms,
                    epoch: opening.epoch,
                    killed: opening.killed,
                    now: start.now,
                });
            }
            (decoded, Some(part)) => part.follow(decoded),
            _ => {}
        }
        Ok(())
    }

    /// What the next start takes over, in terms of the instruments that are configured now.
    ///
    /// # Errors
    /// [`RecoveryError::Missing`] or [`RecoveryError::Changed`].
    pub fn opening(
        &self,
        instruments: &[Instrument],
        now: Timestamp,
    ) -> Result<OpeningState, RecoveryError> {
        let seconds = (now.nanos() / Nanos::SECOND.get()).saturating_sub(EPOCH_BASE_SECONDS);
        let Some(part) = &self.part else {
            return Ok(OpeningState { epoch: seconds.max(1), ..OpeningState::default() });
        };
        let epoch = seconds.max(part.epoch + 1);
        let state = OpeningState::of(&part.account, epoch, part.killed.clone());
        part.translate(state, instruments)
    }
}

impl Part {
    fn follow(&mut self, record: Record) {
        match record {
            Record::Command(published, command) => {
                if command.kind() == Some(CommandKind::MassStatus) {
                    // The loop asks anew when answers are overdue.
                    let within = self.answer_within.get();
                    let deadline = self.now.nanos().saturating_sub(within);
                    while self.account.next_overdue(Timestamp::from_nanos(deadline)).is_some() {}
                }
                self.account.on_command(&command, self.now);
                if !published {
                    let report = not_sent(&command, RejectReason::NoSession);
                    self.account.on_report(&report, None, self.now);
                }
            }
            Record::Report(now, mid, report) => {
                self.now = now;
                match report.kind() {
                    Some(ReportKind::SessionDown) => while self.account.next_lost().is_some() {},
                    Some(ReportKind::StatusDone) => while self.account.next_unnamed().is_some() {},
                    _ => drop(self.account.on_report(&report, mid, now)),
                }
            }
            Record::Control(now, control) => {
                self.now = now;
                match control.kind() {
                    Some(ControlKind::Kill) => {
                        self.killed = Some(format!("{}: {}", control.name(), control.reason()));
                    }
                    Some(ControlKind::Clear) => self.killed = None,
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn translate(
        &self,
        state: OpeningState,
        to: &[Instrument],
    ) -> Result<OpeningState, RecoveryError> {
        let find = |id: InstrumentId, what| {
            let old = &self.instruments[id.index()];
            let symbol = old.symbol.clone();
            let new = to.iter().find(|new| new.symbol == old.symbol);
            let new = new.ok_or(RecoveryError::Missing { what, symbol: symbol.clone() })?;
            let same = new.qty_digits == old.qty_digits && new.contract == old.contract;
            if same { Ok(new.id) } else { Err(RecoveryError::Changed { symbol }) }
        };
        let mut positions = vec![Position::default(); to.len()];
        for (index, position) in (0u32..).zip(&state.positions) {
            if *position != Position::default() {
                positions[find(InstrumentId(index), "a position")?.index()] = *position;
            }
        }
        let orders = state
            .orders
            .iter()
            .map(|order| {
                Ok(Order { instrument: find(order.instrument, "an open order")?, ..*order })
            })
            .collect::<Result<_, RecoveryError>>()?;
        Ok(OpeningState { positions, orders, ..state })
    }
}
