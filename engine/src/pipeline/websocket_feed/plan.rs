//! What the threads of a websocket feed do: connect and ask for the upgrade, connect and get a
//! snapshot. They block, and say in words what went wrong.

use crate::config::{Endpoint, TransportConfig, WebsocketFeedConfig};
use crate::pipeline::connector::{Keys, Plan};
use feeds::websocket::feed::NotFetched;
use feeds::websocket::{Connection, FetchError, Limits, UpgradeError, get};
use market::Nanos;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How long a host is left alone that says "too many" (418, 429) and not for how long.
const LEFT_ALONE: Nanos = Nanos::from_secs(120);
/// Longest time that a host may ask to be left alone, so that no slip of it lasts for ever.
const LEFT_ALONE_MAX: Nanos = Nanos::from_secs(3 * 86_400);

/// An attempt that failed: why, and for how long the host wants to be left alone.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) why: String,
    pub(super) retry_after: Option<Nanos>,
}

/// How to make the websocket.
pub(super) struct SocketPlan {
    plan: Plan,
    host: String,
    path: String,
    timeout: Duration,
    limits: Limits,
}

impl SocketPlan {
    /// As the configuration says.
    ///
    /// # Errors
    /// The key that cannot be followed.
    pub(super) fn new(config: &WebsocketFeedConfig, at: &Endpoint) -> anyhow::Result<SocketPlan> {
        let keys = Keys { address: "[websocket] address", transport: "[websocket_transport]" };
        Ok(SocketPlan {
            plan: Plan::by(keys, at, &config.transport)?,
            host: host(at, &config.transport),
            path: config.websocket.path.0.clone(),
            timeout: Duration::from_nanos(config.transport.connect_timeout_ms.get()),
            limits: Limits { message_bytes: config.websocket.message_max_bytes },
        })
    }

    /// One attempt.
    pub(super) fn attempt(&self, stop: &AtomicBool) -> Result<Connection, Failed> {
        let link = self.plan.attempt(stop);
        let link = link.map_err(|error| Failed { why: error.to_string(), retry_after: None })?;
        let upgraded = Connection::upgrade(link, &self.host, &self.path, self.timeout, self.limits);
        upgraded.map_err(|error| {
            let retry_after = match &error {
                UpgradeError::Refused { status, retry_after } => alone(*status, *retry_after),
                UpgradeError::Other(_) => None,
            };
            Failed { why: format!("{}: {error}", self.host), retry_after }
        })
    }
}

/// How to get snapshots.
pub(super) struct SnapshotPlan {
    plan: Plan,
    host: String,
    timeout: Duration,
    max: usize,
}

impl SnapshotPlan {
    /// As the configuration says.
    ///
    /// # Errors
    /// The key that cannot be followed.
    pub(super) fn new(config: &WebsocketFeedConfig, at: &Endpoint) -> anyhow::Result<SnapshotPlan> {
        let transport = config.snapshot_transport();
        let keys =
            Keys { address: "[websocket] snapshot_address", transport: "[websocket_transport]" };
        Ok(SnapshotPlan {
            plan: Plan::by(keys, at, &transport)?,
            host: host(at, &transport),
            timeout: Duration::from_nanos(transport.connect_timeout_ms.get()),
            max: config.websocket.snapshot_max_bytes,
        })
    }

    /// One attempt.
    pub(super) fn attempt(&self, path: &str, stop: &AtomicBool) -> Result<Vec<u8>, NotFetched> {
        let link = self.plan.attempt(stop);
        let link =
            link.map_err(|error| NotFetched { why: error.to_string(), retry_after: None })?;
        get(link, &self.host, path, self.timeout, self.max).map_err(|error| {
            let retry_after = match &error {
                FetchError::Status { status, retry_after, .. } => alone(*status, *retry_after),
                _ => None,
            };
            NotFetched { why: format!("{}: {error}", self.host), retry_after }
        })
    }
}

/// The host as a request names it: without the port that everybody expects.
fn host(at: &Endpoint, transport: &TransportConfig) -> String {
    let usual = if transport.minimum().is_some() { 443 } else { 80 };
    let text = at.to_string();
    match text.strip_suffix(&format!(":{usual}")) {
        Some(host) => host.to_owned(),
        None => text,
    }
}

/// For how long a host wants to be left alone: what it says, or long where it says "too many".
fn alone(status: u16, retry_after: Option<u64>) -> Option<Nanos> {
    let said = retry_after.map(|seconds| Nanos::from_secs(seconds.min(1 << 30)));
    let said = said.or((status == 418 || status == 429).then_some(LEFT_ALONE));
    said.map(|span| span.min(LEFT_ALONE_MAX))
}
