//! The whole control plane of one engine, as its configuration asks for it.
//!
//! Must be dropped before the engine is told to stop: cores that end are no stall.

use crate::config::run::RunConfig;
#[cfg(feature = "control")]
use crate::control::metrics::MetricsServer;
use crate::control::operators::Operators;
use crate::control::server::Server;
use crate::control::watchdog::{Watchdog, Watched};
use crate::pipeline::topology::Pipeline;
use anyhow::Context as _;
use std::sync::{Arc, PoisonError};

/// Operators' socket, watchdog and metrics. Everything ends when dropped.
pub struct Plane {
    watchdog: Watchdog,
    _server: Server,
    _metrics: Option<Metrics>,
}

#[cfg(feature = "control")]
type Metrics = MetricsServer;
#[cfg(not(feature = "control"))]
type Metrics = std::convert::Infallible;

impl Plane {
    /// Starts what the configuration names. Takes the ring `control_trading` from the pipeline.
    ///
    /// # Errors
    /// A chain that says which key to change.
    pub fn start(config: &RunConfig, pipeline: &mut Pipeline) -> anyhow::Result<Plane> {
        let ring = pipeline.control.take().context("the control plane was started twice")?;
        let operators = Operators::new(ring, pipeline.telemetry.clone());
        let server = Server::start(&config.control_socket(), Arc::new(operators))?;
        Ok(Plane {
            watchdog: watchdog(config, pipeline)?,
            _server: server,
            _metrics: metrics(config, pipeline)?,
        })
    }

    /// The trading loop stalled: the order sockets were cut.
    #[must_use]
    pub fn has_stalled(&self) -> bool {
        self.watchdog.has_fired()
    }
}

fn watchdog(config: &RunConfig, pipeline: &Pipeline) -> anyhow::Result<Watchdog> {
    let telemetry = pipeline.telemetry.lock().unwrap_or_else(PoisonError::into_inner);
    let trading = telemetry.stages.iter().find(|(name, _)| *name == "trading");
    let (_, counters) = trading.context("the pipeline has no trading stage")?;
    let socket = pipeline.socket.clone();
    let watched = Watched {
        counters: counters.clone(),
        clock: telemetry.clock.clone(),
        limit: config.watchdog.stall_ms,
        gate: pipeline.gate.clone(),
        cut: Box::new(move || socket.shut()),
    };
    drop(telemetry);
    Watchdog::start(watched).context("the watchdog has no thread")
}

#[cfg(feature = "control")]
fn metrics(config: &RunConfig, pipeline: &Pipeline) -> anyhow::Result<Option<Metrics>> {
    let Some(address) = config.control.metrics.0 else { return Ok(None) };
    Ok(Some(MetricsServer::start(address, pipeline.telemetry.clone())?))
}

#[cfg(not(feature = "control"))]
fn metrics(config: &RunConfig, _: &Pipeline) -> anyhow::Result<Option<Metrics>> {
    anyhow::ensure!(
        config.control.metrics.0.is_none(),
        "this build has no metrics: set [control] metrics to false, or build with the feature \
         `control`"
    );
    Ok(None)
}
