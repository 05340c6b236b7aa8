//! The sessions with the venue, made from the configuration: gateway, drop copy and market data.
//!
//! Whatever the host grants only in part is said in a notice; nothing is polled here.

use super::Shared;
use crate::config::Endpoint;
use crate::config::run::RunConfig;
use crate::latency::Recorder;
use crate::pipeline::assembly;
use crate::pipeline::connector::{Connector, Plan};
use crate::pipeline::drop_copy_stage::DropCopyStage;
use crate::pipeline::fix_connection::{ConnectionParts, OrderSocket};
use crate::pipeline::fix_feed::{FixFeed, NumberStore};
use crate::pipeline::fix_store::FixStore;
use crate::pipeline::gateway_stage::{GatewayParts, GatewayStage};
use crate::pipeline::looks::Looks;
use crate::pipeline::reconnect::{Pace, Reconnect};
use crate::pipeline::telemetry::{GatewaySnapshot, Outbox};
use crate::pipeline::trading_stage::CommandSlot;
use crate::pipeline::venue;
use crate::runtime::ring::{Consumer, Producer};
use anyhow::Context as _;
use gateway::dialect::logon::VenueLogon;
use gateway::orders::{Instruments, OrderEntry};
use gateway::session::{Session, SessionConfig, Store};
use market::{Report, Timestamp};
use std::sync::Arc;

/// Requests the gateway remembers, for rejects that name only a sequence number.
const REQUESTS: usize = 16_384;

/// The gateway's ends of rings, and where it tells what it knows.
pub(super) type GatewayEnds =
    (Consumer<CommandSlot>, Producer<Report>, Recorder, Outbox<GatewaySnapshot>);

/// What goes from the store to the venue: session, connector, hours. `used` is when the last
/// Logon under the store's numbers was sent.
fn connection<S: Store>(
    config: &RunConfig,
    (session, store, used): (SessionConfig, S, Option<Timestamp>),
    (address, logon): (&Endpoint, Option<VenueLogon>),
    (looks, reconnect, socket): (Looks, Reconnect, Arc<OrderSocket>),
    notices: &mut Vec<String>,
) -> anyhow::Result<ConnectionParts<S>> {
    let opened = wire::open(config.wire.backend).context("[wire] backend")?;
    // The feed's socket said the same.
    notices.extend(opened.notice.filter(|notice| !notices.contains(notice)));
    notices.extend(config.transport.warning(address));
    if config.transport.kernel_stamps {
        wire::tcp::check_kernel_times().context("[transport] kernel_stamps")?;
    }
    let mut session = Session::new(session, store)?;
    if let Some(logon) = logon {
        session.set_logon_body(Box::new(logon));
    }
    Ok(ConnectionParts {
        io: opened.io,
        session,
        connector: Connector::spawn(Plan::new(address, &config.transport)?)?,
        reconnect,
        hours: venue::hours(config, used)?,
        looks,
        socket,
    })
}

/// When to connect, leaving so many connections to other sessions of the venue.
fn reconnect(config: &RunConfig, shared: &Shared, leaves: usize) -> Reconnect {
    // Engines that were started together must not connect together.
    let reconnect = Reconnect::new(Pace::from(&config.transport), wire::stamp::now());
    match &shared.logons {
        Some(logons) => reconnect.within(logons.clone(), leaves),
        None => reconnect,
    }
}

/// The gateway stage, its session over its store.
///
/// # Errors
/// What the host or the configuration refuses.
pub(super) fn order_gateway(
    config: &RunConfig,
    (store, used): (FixStore, Option<Timestamp>),
    (commands, reports, recorder, outbox): GatewayEnds,
    (looks, shared): (Looks, &Shared),
    notices: &mut Vec<String>,
) -> anyhow::Result<GatewayStage> {
    let instruments = Instruments::new(&assembly::instruments(&config.trading))?;
    let way = (&config.gateway.address, venue::logon(config)?);
    let session = (venue::session(config), store, used);
    let reaching = (looks, reconnect(config, shared, 0), shared.socket.clone());
    let mut connection = connection(config, session, way, reaching, notices)?;
    // Of the sessions this one alone has orders, which must be gone before it ends.
    connection.hours = connection.hours.told_ahead(config.venue.session.cancel_ahead_s);
    Ok(GatewayStage::new(GatewayParts {
        connection,
        entry: OrderEntry::new(instruments, REQUESTS, venue::dialect(config)?),
        commands,
        reports,
        limiter: venue::limiter(config).context("the venue's profile")?,
        drop_copy: shared.tally.clone(),
        gate: shared.gate.clone(),
        lifecycle: shared.lifecycle.clone(),
        recorder,
        outbox,
    }))
}

/// The drop copy stage, if there is a drop copy session.
///
/// # Errors
/// What the host or the configuration refuses.
pub(super) fn drop_copy(
    config: &RunConfig,
    (store, used): (FixStore, Option<Timestamp>),
    (reports, recorder, outbox): (Producer<Report>, Recorder, Outbox<GatewaySnapshot>),
    (looks, shared): (Looks, &Shared),
    notices: &mut Vec<String>,
) -> anyhow::Result<Option<DropCopyStage>> {
    let Some(address) = &config.drop_copy.address else { return Ok(None) };
    let instruments = Instruments::new(&assembly::instruments(&config.trading))?;
    let way = (address, venue::drop_copy_logon(config)?);
    let session = (venue::drop_copy_session(config), store, used);
    // The watchdog shuts the order session alone: a drop copy sends no orders. And however often it
    // fails, the order session can connect.
    let reaching = (looks, reconnect(config, shared, 1), Arc::default());
    let connection = connection(config, session, way, reaching, notices)?;
    let entry = OrderEntry::new(instruments, REQUESTS, venue::dialect(config)?);
    let shared = (shared.lifecycle.clone(), shared.tally.clone());
    Ok(Some(DropCopyStage::new(connection, entry, reports, shared, (recorder, outbox))))
}

/// The feed by FIX.
///
/// # Errors
/// What the host or the configuration refuses.
pub(super) fn market_data(
    config: &RunConfig,
    shared: &Shared,
    notices: &mut Vec<String>,
) -> anyhow::Result<FixFeed> {
    let missing = "[market_data_session] address is missing";
    let address = config.market_data.address.as_ref().context(missing)?;
    let way = (address, venue::market_data_logon(config)?);
    let session = (venue::market_data_session(config), NumberStore::default(), None);
    // A tick must not wait for a look; and however often it fails, the order session can connect.
    let reaching = (Looks::alone(), reconnect(config, shared, 1), Arc::default());
    let connection = connection(config, session, way, reaching, notices)?;
    let instruments = assembly::instruments(&config.trading);
    Ok(FixFeed::new(connection, instruments, venue::wish(config), shared.lifecycle.clone())?)
}
