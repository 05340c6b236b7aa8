//! The replay of an engine's journal: each start in turn, its inputs fed to a loop of its own
//! configuration, its opening state judged by what the start before it left.

use super::Outcome;
use super::compare::CompareTape;
use super::frames::FrameCheck;
use super::open::{Journal, TRADING};
use crate::config::RunConfig;
use crate::pipeline::assembly::{self, LoopMode};
use crate::pipeline::loop_driver::{LoopDriver, NoStamps, Publish, Stamps};
use crate::pipeline::records::{Record, Start, kind};
use crate::pipeline::recovery::{AccountSettings, Recovery};
use crate::pipeline::streams::translate;
use crate::trading::{OpeningState, TradingLoop};
use anyhow::Context as _;
use market::{Command, Instrument};

/// Notes what was published, for the frames it led to.
struct Published<'a>(&'a mut FrameCheck);

impl Publish for Published<'_> {
    fn has_room(&self) -> bool {
        true
    }

    fn publish(&mut self, command: &Command, _stamps: Stamps, _sequence: u64) {
        self.0.published(command);
    }
}

pub(super) fn compare(journal: &Journal) -> anyhow::Result<Outcome> {
    let mut tape = CompareTape::new(journal.reader(TRADING)?, Vec::new());
    let mut check = FrameCheck::default();
    let (mut starts, mut killed) = (0, 0);
    while tape.is_well()
        && let Some(next) = tape.next()
    {
        let Ok(Record::Start(start)) = Record::decode(next.kind, &next.payload) else {
            tape.differ("a start, or nothing".to_owned());
            break;
        };
        starts += 1;
        one_start(&start, &mut tape, &mut check)?;
        killed += u64::from(tape.final_state().is_none());
    }
    let (records, last, state_hash) = (tape.records(), tape.last(), tape.final_state());
    let (mut difference, tail) = tape.finish()?;
    let mut frames = None;
    if difference.is_none() && journal.has_gateway()? {
        match check.compare(journal, state_hash.is_some())? {
            Ok(agreed) => frames = Some(agreed),
            Err(differs) => difference = Some(differs),
        }
    }
    Ok(Outcome { records, last, starts, killed, state_hash, difference, frames, tail })
}

/// Replays one start, to its end or to the record before which it was killed.
fn one_start(start: &Start, tape: &mut CompareTape, check: &mut FrameCheck) -> anyhow::Result<()> {
    let config = RunConfig::from_resolved(&start.config).with_context(|| {
        format!("the journal's configuration is of another version ({})", start.build)
    })?;
    let opening = OpeningState::from_bytes(&start.opening)?;
    let instruments = assembly::instruments(&config.trading);
    if let Some(differs) =
        tape.judge_opening(|before, traded| judge(before, traded, &opening, &instruments))
    {
        tape.differ(differs);
        return Ok(());
    }
    let settings = assembly::trading_settings(&config.trading, LoopMode::of_run(&config))?;
    let recovery = Recovery::begin(start, AccountSettings::from(&settings))?;
    tape.follow(recovery, instruments);
    check.start(&config)?;
    let trading = TradingLoop::new(settings, &opening);
    let publish = Published(check);
    let Some(mut driver) = LoopDriver::start(trading, &mut *tape, publish, NoStamps, start) else {
        return Ok(());
    };
    while !driver.is_broken()
        && let Some(next) = driver.tape().next()
        && next.kind != kind::START
    {
        let record = Record::decode(next.kind, &next.payload)?;
        match record {
            Record::Packet(now, events) => driver.packet(now, &events),
            Record::Report(now, _, report) => driver.report(now, &report),
            Record::Control(now, control) => driver.control(now, &control),
            Record::Timers(now) if driver.timers(now) => {}
            Record::End(..) => {
                driver.finish();
                return Ok(());
            }
            _ => {
                drop(driver);
                tape.differ("nothing: the loop has nothing to say here".to_owned());
                return Ok(());
            }
        }
    }
    Ok(())
}

/// In what an opening state differs from what the start before left, if it does.
fn judge(
    before: &Recovery,
    traded: &[Instrument],
    opening: &OpeningState,
    instruments: &[Instrument],
) -> Option<String> {
    if opening.epoch <= before.epoch() {
        return Some(format!("a start with an epoch above {}", before.epoch()));
    }
    let expected = match translate(before.opening(opening.epoch), traded, instruments) {
        Ok(expected) => expected,
        Err(error) => return Some(error.to_string()),
    };
    if expected == *opening {
        return None;
    }
    let mut parts = Vec::new();
    for (index, (one, other)) in expected.positions.iter().zip(&opening.positions).enumerate() {
        if one != other {
            parts.push(format!("position {index} {} (recorded {})", one.net, other.net));
        }
    }
    if expected.positions.len() != opening.positions.len() {
        parts.push(format!("{} positions", expected.positions.len()));
    }
    let ids = |state: &OpeningState| state.orders.iter().map(|o| o.id.0).collect::<Vec<_>>();
    if expected.orders != opening.orders {
        parts.push(format!("orders {:?} (recorded {:?})", ids(&expected), ids(opening)));
    }
    if expected.executions != opening.executions {
        let counts = (expected.executions.len(), opening.executions.len());
        parts.push(format!("{} executions counted (recorded {})", counts.0, counts.1));
    }
    if expected.killed != opening.killed {
        parts.push(format!("kill latch {:?} (recorded {:?})", expected.killed, opening.killed));
    }
    if expected.halted != opening.halted {
        parts.push(format!("halts {:?} (recorded {:?})", expected.halted, opening.halted));
    }
    Some(format!("a start that takes over {}", parts.join(", ")))
}
