//! The replay of a backtest: the whole run once more, market and all, from the configuration in its
//! journal.

use super::Outcome;
use super::compare::CompareTape;
use super::open::{Journal, TRADING, instruments};
use crate::config::BacktestConfig;
use crate::modes::backtest::{self, fingerprints, names};
use crate::pipeline::simulation::TapeFull;
use anyhow::Context as _;

pub(super) fn compare(journal: &Journal) -> anyhow::Result<Outcome> {
    let start = &journal.start;
    let config = BacktestConfig::from_resolved(&start.config).with_context(|| {
        format!("the journal's configuration is of another version ({})", start.build)
    })?;
    if !config.is_synthetic() {
        let found = fingerprints(config.recordings())?;
        anyhow::ensure!(
            found == start.data,
            "{} is not the file that the backtest ran on: its fingerprint is {found}, recorded was \
             {}; put that file there",
            names(config.recordings()),
            start.data
        );
    }
    let mut tape = CompareTape::new(journal.reader(TRADING)?, instruments(start));
    let market = backtest::market(&config)?;
    let run = backtest::simulate(&config, market, &mut tape, start);
    // A tape that says no has met a difference or the end of a killed run.
    if let Err(error) = run
        && !error.is::<TapeFull>()
    {
        return Err(error);
    }
    if tape.next().is_some() && tape.is_well() {
        tape.differ("nothing: the run ends here".to_owned());
    }
    let (records, last, state_hash) = (tape.records(), tape.last(), tape.final_state());
    let (difference, tail) = tape.finish()?;
    Ok(Outcome {
        records,
        last,
        starts: 1,
        killed: u64::from(state_hash.is_none()),
        state_hash,
        difference,
        frames: None,
        tail,
    })
}
