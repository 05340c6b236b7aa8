//! All that cold readers may read of a running engine, in one place: the status line, the
//! operators' socket, the metrics and the exit report share it behind a lock that no hot core takes.

use crate::latency::{Collector, recorder};
use crate::pipeline::gate::Gate;
use crate::pipeline::telemetry::{
    Blame, CoreBlame, FeedSnapshot, GatewaySnapshot, Inbox, StageBlame, TradingSnapshot,
};
use crate::runtime::clock::Clock;
use crate::runtime::stage::StageCounters;
use crate::runtime::usage::CoreWatch;
use market::{Instrument, Nanos};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// One histogram per hop, all cores together.
pub type HopTotals = recorder::HopSet;

/// Names and counters of the stages, in the order of the pipeline.
pub type Stages = Vec<(&'static str, Arc<StageCounters>)>;

/// The readers' ends of an engine.
pub struct Telemetry {
    /// Name of the engine.
    pub engine: String,
    /// What money stands behind its orders.
    pub environment: String,
    /// Its instruments, in order of their ids.
    pub instruments: Vec<Instrument>,
    /// The trading stage.
    pub trading: Inbox<TradingSnapshot>,
    /// The feed stage.
    pub feed: Inbox<FeedSnapshot>,
    /// The gateway stage.
    pub gateway: Inbox<GatewaySnapshot>,
    /// The drop copy stage, where there is one.
    pub drop_copy: Option<Inbox<GatewaySnapshot>>,
    /// The gateway's gate.
    pub gate: Arc<Gate>,
    /// Every stage's counters.
    pub stages: Stages,
    /// Every core's thread, as the kernel counts it.
    pub cores: Vec<Arc<CoreWatch>>,
    /// Latency recorders' other ends, one per stage that records.
    pub collectors: Vec<Collector>,
    /// The engine's clock.
    pub clock: Clock,
}

impl Telemetry {
    /// Asks every stage and waits for all answers, at most for `within`. False if a stage did not
    /// answer: its snapshot in hand is an old one.
    pub fn refresh(&mut self, within: Duration) -> bool {
        let give_up = Instant::now() + within;
        // Ask all before waiting for any.
        self.trading.latest();
        self.feed.latest();
        self.gateway.latest();
        if let Some(drop_copy) = &mut self.drop_copy {
            drop_copy.latest();
        }
        for collector in &mut self.collectors {
            collector.collect();
        }
        let copied = self.drop_copy.as_mut().is_none_or(|told| told.renew(give_up));
        let answers =
            [self.trading.renew(give_up), self.feed.renew(give_up), self.gateway.renew(give_up)];
        copied && answers == [true; 3]
    }

    /// Everything measured so far, hop by hop.
    pub fn hops(&mut self) -> HopTotals {
        let mut totals = recorder::empty_set();
        for collector in &mut self.collectors {
            recorder::merge(&mut totals, collector.collect());
        }
        totals
    }

    /// Where the time of stages and cores went.
    #[must_use]
    pub fn blame(&self) -> Blame {
        let stages = self.stages.iter();
        Blame {
            stages: stages.map(|(name, cell)| StageBlame::of(name, cell, &self.clock)).collect(),
            cores: self.cores.iter().map(|watch| CoreBlame::of(watch)).collect(),
        }
    }

    /// How long ago a stage last finished a poll; `None` before its first.
    #[must_use]
    pub fn silence(&self, counters: &StageCounters) -> Option<Nanos> {
        let last = counters.last_poll.load(Ordering::Relaxed);
        (last != 0).then(|| self.clock.now().since(self.clock.at(last)))
    }
}
