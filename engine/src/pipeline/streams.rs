//! The streams of a live engine's journal, begun or taken over from the runs before: positions,
//! orders, counted executions, the kill latch, the id epoch and the session's numbers.
//!
//! Damage before the end, or a position that the configuration no longer knows, refuses to trade.

use crate::config::run::RunConfig;
use crate::journal::{self, Durability, JournalError, JournalSettings, Tail};
use crate::pipeline::assembly::{self, LoopMode};
use crate::pipeline::fix_store::{self, Numbers, StoredFrame};
use crate::pipeline::kept_frames::KeptFrames;
use crate::pipeline::records::{BadRecord, Record, kind};
use crate::pipeline::recovery::{AccountSettings, Recovery};
use crate::pipeline::{trading_stage, venue};
use crate::trading::{Account, OpeningState};
use gateway::dialect::{Dialect, DialectError};
use gateway::fix::FieldIndex;
use gateway::orders::{Instruments, InstrumentsError, Requests, decode_report};
use market::{Instrument, InstrumentId, Nanos, Order, Position, Report, ReportKind, Timestamp};
use std::collections::VecDeque;
use strategies::ParameterError;

/// Midnight of 2020-01-01 UTC: epochs of ids count seconds from here.
const EPOCH_BASE_SECONDS: u64 = 1_577_836_800;

/// Why a journal cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum TakeOverError {
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
    /// The instruments cannot be spoken of in FIX.
    #[error(transparent)]
    Instruments(#[from] InstrumentsError),
    /// The venue's profile makes no dialect.
    #[error(transparent)]
    Dialect(#[from] DialectError),
    /// The strategies of the last start cannot be built.
    #[error("the configuration in the journal: {0}")]
    Parameters(#[from] ParameterError),
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

/// The stream of a session, taken over or begun.
pub struct SessionStream {
    /// The stream.
    pub opened: journal::Opened,
    /// The session's numbers.
    pub numbers: Numbers,
    /// When the last Logon under them was sent: they are of that session day.
    pub used: Option<Timestamp>,
    /// Its last frames, where orders may be sent again.
    pub kept: Option<KeptFrames>,
}

/// A journal taken over, or begun.
pub struct Streams {
    /// The trading stream.
    pub trading: journal::Opened,
    /// The stream of the order session.
    pub gateway: SessionStream,
    /// The stream of the drop copy session, where there is one.
    pub drop_copy: Option<SessionStream>,
    /// What the start takes over.
    pub opening: OpeningState,
    /// Fills that the session took and the loop did not: the first inputs of the new loop.
    pub missed: Vec<Report>,
    /// What to tell people, a line each.
    pub notices: Vec<String>,
}

/// Opens the streams of a run's journal, going on where the last run ended.
///
/// # Errors
/// [`TakeOverError`]; nothing may be traded then.
pub fn open(config: &RunConfig, now: Timestamp) -> Result<Streams, TakeOverError> {
    let trading = settings(config, "trading");
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
    let (gateway, frames) = session_stream(config, "gateway", now, &mut notices)?;
    let wanted = config.drop_copy.address.is_some();
    let copied = wanted.then(|| session_stream(config, "drop_copy", now, &mut notices));
    let (drop_copy, copies) = copied.transpose()?.unzip();
    notices.extend(trading.notice.clone());
    let instruments = assembly::instruments(&config.trading);
    let opening = follower.opening(&instruments, now)?;
    let dialect = venue::dialect(config)?;
    let mut missed = frames.missed(&instruments, &dialect, follower.account())?;
    if let Some(copies) = copies {
        // What both streams hold counts once: the loop knows executions.
        let told = copies.missed(&instruments, &dialect, follower.account())?;
        missed.extend(told.iter().map(|report| report.by_drop_copy()));
    }
    if !missed.is_empty() {
        notices.push(format!("journal: {} fills taken from the session's stream", missed.len()));
    }
    Ok(Streams { trading, gateway, drop_copy, opening, missed, notices })
}

fn settings(config: &RunConfig, name: &str) -> JournalSettings {
    JournalSettings {
        hot_dir: config.journal.hot_dir.clone(),
        segment_bytes: config.journal.segment_bytes as u64,
        durability: durability(config),
        ..JournalSettings::new(&config.journal_dir(), name)
    }
}

/// Takes over, or begins, the stream of one session.
fn session_stream(
    config: &RunConfig,
    name: &str,
    now: Timestamp,
    notices: &mut Vec<String>,
) -> Result<(SessionStream, LastFrames), TakeOverError> {
    let settings = settings(config, name);
    let (mut numbers, mut used) = (Numbers::default(), None);
    let mut frames = LastFrames::default();
    let mut kept = config.gateway.replay_orders.then(KeptFrames::default);
    let opened = if journal::exists(&settings.dir, &settings.name)? {
        let recovered = journal::recover(&settings, now, |record| {
            numbers.follow(&record);
            frames.follow(&record);
            let logon = StoredFrame::of(&record).filter(StoredFrame::is_our_logon);
            used = logon.map_or(used, |frame| Some(frame.now));
            if let Some(kept) = &mut kept {
                fix_store::follow_frames(kept, &record);
            }
        })?;
        notices.push(tail_notice(name, recovered.records, &recovered.tail));
        recovered.opened
    } else {
        journal::create(&settings, now)?
    };
    notices.extend(opened.notice.clone());
    Ok((SessionStream { opened, numbers, used, kept }, frames))
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

/// Follows a trading stream over all its starts.
#[derive(Default)]
struct Follower {
    part: Option<(Recovery, Vec<Instrument>)>,
}

impl Follower {
    fn follow(&mut self, record: &journal::Record<'_>) -> Result<(), TakeOverError> {
        if record.kind != kind::START {
            if let Some((recovery, _)) = &mut self.part {
                recovery.follow(record.kind, record.payload);
            }
            return Ok(());
        }
        let sequence = record.sequence;
        let decoded = Record::decode(record.kind, record.payload)
            .map_err(|source| TakeOverError::Record { sequence, source })?;
        let Record::Start(start) = decoded else { return Ok(()) };
        let config = RunConfig::from_resolved(&start.config)
            .map_err(|errors| TakeOverError::Config(errors.render(false)))?;
        let settings = assembly::trading_settings(&config.trading, LoopMode::of_run(&config))?;
        let mut recovery = Recovery::begin(&start, AccountSettings::from(&settings))?;
        if let Some((before, _)) = &self.part {
            recovery.count_on(before);
        }
        self.part = Some((recovery, settings.instruments));
        Ok(())
    }

    /// The account, and the instruments that its ids are of.
    fn account(&self) -> Option<(&Account, &[Instrument])> {
        self.part.as_ref().map(|(recovery, before)| (recovery.account(), &before[..]))
    }

    /// What the next start takes over, in terms of the instruments that are configured now.
    fn opening(
        &self,
        instruments: &[Instrument],
        now: Timestamp,
    ) -> Result<OpeningState, TakeOverError> {
        let seconds = (now.nanos() / Nanos::SECOND.get()).saturating_sub(EPOCH_BASE_SECONDS);
        match &self.part {
            None => Ok(OpeningState { epoch: seconds.max(1), ..OpeningState::default() }),
            Some((recovery, before)) => {
                let epoch = seconds.max(recovery.epoch() + 1);
                translate(recovery.opening(epoch), before, instruments)
            }
        }
    }
}

/// The last frames of the venue in a gateway stream. The session takes a frame before the loop
/// records the report in it, so a kill may leave fills that only this stream holds.
#[derive(Default)]
struct LastFrames(VecDeque<Vec<u8>>);

/// As many reports as may lie between the two streams.
const FRAMES: usize = trading_stage::REPORTS_DEPTH + 256;

impl LastFrames {
    fn follow(&mut self, record: &journal::Record<'_>) {
        if record.kind == fix_store::kind::IN
            && let Some(frame) = StoredFrame::of(record)
        {
            // The oldest gives its memory to the newest.
            let mut bytes =
                if self.0.len() == FRAMES { self.0.pop_front() } else { None }.unwrap_or_default();
            bytes.clear();
            bytes.extend_from_slice(frame.bytes);
            self.0.push_back(bytes);
        }
    }

    /// Fills among them that the account has not counted, read as its loop would have read them, with
    /// the ids that instruments have now.
    fn missed(
        &self,
        instruments: &[Instrument],
        dialect: &Dialect,
        account: Option<(&Account, &[Instrument])>,
    ) -> Result<Vec<Report>, TakeOverError> {
        let before = account.map_or(instruments, |(_, before)| before);
        let table = Instruments::new(before)?;
        let requests = Requests::new(1);
        let mut index = FieldIndex::new(FIELDS);
        let mut missed = Vec::new();
        for bytes in &self.0 {
            let message = index.parse(bytes);
            // Frames that are no reports, or that nobody could read then either.
            let _ = decode_report(&message, 0, &table, dialect, &requests, &mut |report| {
                let trade = matches!(
                    report.kind(),
                    Some(ReportKind::Filled | ReportKind::Busted | ReportKind::Corrected)
                );
                let known = account.is_some_and(|(account, _)| account.has_counted(&report));
                if trade && !known {
                    missed.push(report);
                }
            });
        }
        for report in &mut missed {
            report.instrument = renumbered(report.instrument, before, instruments, "a fill")?;
        }
        Ok(missed)
    }
}

/// Fields of the longest message that is looked at again.
const FIELDS: usize = 256;

/// The id that an instrument of `from` has in `to`.
fn renumbered(
    id: InstrumentId,
    from: &[Instrument],
    to: &[Instrument],
    what: &'static str,
) -> Result<InstrumentId, TakeOverError> {
    let old = &from[id.index()];
    let symbol = old.symbol.clone();
    let new = to.iter().find(|new| new.symbol == old.symbol);
    let new = new.ok_or(TakeOverError::Missing { what, symbol: symbol.clone() })?;
    let same = new.qty_digits == old.qty_digits && new.contract == old.contract;
    if same { Ok(new.id) } else { Err(TakeOverError::Changed { symbol }) }
}

/// The same state with the ids that instruments have now.
pub(crate) fn translate(
    state: OpeningState,
    from: &[Instrument],
    to: &[Instrument],
) -> Result<OpeningState, TakeOverError> {
    let find = |id, what| renumbered(id, from, to, what);
    let mut positions = vec![Position::default(); to.len()];
    for (index, position) in (0u32..).zip(&state.positions) {
        if *position != Position::default() {
            positions[find(InstrumentId(index), "a position")?.index()] = *position;
        }
    }
    let orders = state
        .orders
        .iter()
        .map(|order| Ok(Order { instrument: find(order.instrument, "an open order")?, ..*order }))
        .collect::<Result<_, TakeOverError>>()?;
    // A halt of an instrument that is gone has nothing to hold back.
    let symbol = |id: &InstrumentId| from.get(id.index()).map(|old| old.symbol.as_str());
    let now = |symbol: &str| to.iter().find(|new| new.symbol == symbol).map(|new| new.id);
    let halted = state.halted.iter().filter_map(symbol).filter_map(now).collect();
    Ok(OpeningState { positions, orders, halted, ..state })
}
