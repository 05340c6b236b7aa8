//! A pipeline that was started: stopped, watched and, at its end, taken apart for the report.

use super::Pipeline;
use crate::journal::{JournalError, JournalHealth, StreamState, Writer};
use crate::latency::recorder;
use crate::pipeline::drop_copy_stage::DropCopyStage;
use crate::pipeline::feed_stage::FeedStage;
use crate::pipeline::gateway_stage::GatewayStage;
use crate::pipeline::telemetry::{Blame, FeedSnapshot, GatewaySnapshot};
use crate::pipeline::trading_stage::TradingStage;
use crate::runtime::stage;
use crate::trading::TradingLoop;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

/// What a run leaves, its journal closed.
pub struct Ended {
    /// The loop.
    pub trading: TradingLoop,
    /// Inputs it took.
    pub inputs: u64,
    /// Events that stood in the ring while the loop was at an earlier packet.
    pub waited: u64,
    /// Its last state hash.
    pub state_hash: u128,
    /// What the feed counted.
    pub feed: FeedSnapshot,
    /// What the session counted.
    pub gateway: GatewaySnapshot,
    /// Hop histograms, gathered to the last.
    pub hops: recorder::HopSet,
    /// Where the time of stages and cores went.
    pub blame: Blame,
    /// What the journal's last round said.
    pub journal: Result<(), JournalError>,
}

impl Pipeline {
    /// Asks the engine to cancel, log out and end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// True once every core has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.cores.iter().all(JoinHandle::is_finished)
    }

    /// What is wrong with the journal, if anything is.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let ill = |state: &&Arc<StreamState>| state.health() != JournalHealth::Good;
        self.streams.iter().find(ill).map(|state| state.complaint())
    }

    /// Waits for the cores, records the end, closes the journal and says what the run came to.
    ///
    /// # Errors
    /// A core that panicked.
    pub fn join(self) -> anyhow::Result<Ended> {
        let (mut feed, mut trading, mut gateway) = (None, None, None);
        let mut drop_copy: Option<DropCopyStage> = None;
        for core in self.cores {
            let stages = core.join().map_err(|_| anyhow::anyhow!("a core panicked"))?;
            for stage in stages.into_iter().map(stage::Stage::as_any) {
                let stage = match stage.downcast::<FeedStage>() {
                    Ok(stage) => {
                        feed = Some(*stage);
                        continue;
                    }
                    Err(other) => other,
                };
                let stage = match stage.downcast::<DropCopyStage>() {
                    Ok(stage) => {
                        drop_copy = Some(*stage);
                        continue;
                    }
                    Err(other) => other,
                };
                match stage.downcast::<GatewayStage>() {
                    Ok(stage) => gateway = Some(*stage),
                    Err(other) => trading = other.downcast::<TradingStage<Writer>>().ok(),
                }
            }
        }
        let (Some(feed), Some(trading), Some(gateway)) = (feed, trading, gateway) else {
            anyhow::bail!("a core did not give its stages back");
        };
        let trading = *trading;
        let mut telemetry = self.telemetry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hops = telemetry.hops();
        let copies = drop_copy.as_ref().map(DropCopyStage::recorder);
        let held = [feed.recorder(), trading.recorder(), gateway.recorder()];
        held.into_iter().chain(copies).for_each(|held| held.pour(&mut hops));
        let now = telemetry.clock.now();
        let mut told = (telemetry.feed.current().clone(), GatewaySnapshot::default());
        let blame = telemetry.blame();
        drop(telemetry);
        told.0.fill(now, feed.feed(), feed.troubles());
        told.0.waited = feed.waited();
        let connection = (gateway.counters(), gateway.told());
        told.1.fill(now, gateway.session(), gateway.entry(), connection);
        let waited = trading.waited();
        let driver = trading.into_driver();
        let inputs = driver.inputs();
        let (trading, state_hash, writer, _) = driver.finish();
        writer.close();
        gateway.close();
        if let Some(drop_copy) = drop_copy {
            drop_copy.close();
        }
        Ok(Ended {
            trading,
            inputs,
            waited,
            state_hash,
            feed: told.0,
            gateway: told.1,
            hops,
            blame,
            journal: self.copier.finish(),
        })
    }
}
