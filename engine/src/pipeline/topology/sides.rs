//! The two stages that own sockets, made from the configuration: feed and gateway.
//!
//! Whatever the host grants only in part is said in a notice; nothing is polled here.

use super::Shared;
use crate::config::Endpoint;
use crate::config::choice::{ClockSource, Start as FeedStart};
use crate::config::run::RunConfig;
use crate::latency::Recorder;
use crate::pipeline::assembly;
use crate::pipeline::connector::{Connector, Plan};
use crate::pipeline::drop_copy_stage::DropCopyStage;
use crate::pipeline::feed_stage::FeedStage;
use crate::pipeline::fix_connection::{ConnectionParts, OrderSocket};
use crate::pipeline::fix_store::FixStore;
use crate::pipeline::gateway_stage::{GatewayParts, GatewayStage};
use crate::pipeline::looks::Looks;
use crate::pipeline::reconnect::{Pace, Reconnect};
use crate::pipeline::telemetry::{FeedSnapshot, GatewaySnapshot, Outbox};
use crate::pipeline::trading_stage::CommandSlot;
use crate::pipeline::venue;
use crate::runtime::ring::{Consumer, Producer};
use anyhow::Context as _;
use feeds::itch50::{Decoder, Listing};
use feeds::moldudp64::{Config as FeedSettings, Requests, Start as FeedFrom};
use feeds::{Feed, UdpFeed};
use gateway::dialect::logon::VenueLogon;
use gateway::orders::{Instruments, OrderEntry};
use gateway::session::{Session, SessionConfig};
use market::{Event, Report, Timestamp};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use wire::udp::Socket;

/// Requests the gateway remembers, for rejects that name only a sequence number.
const REQUESTS: usize = 16_384;

/// The feed stage on its sockets: lines joined or bound, buffers asked for.
///
/// # Errors
/// The socket that could not be had, by its key.
pub(super) fn feed(
    config: &RunConfig,
    now: Timestamp,
    (ring, recorder, outbox): (Producer<Event>, Recorder, Outbox<FeedSnapshot>),
    notices: &mut Vec<String>,
) -> anyhow::Result<FeedStage> {
    let feed = &config.feed;
    let opened = wire::open(config.wire.backend).context("[wire] backend")?;
    notices.extend(opened.notice);
    let grouped = [Some(feed.line_a), feed.line_b].into_iter().flatten();
    let refusal = match grouped.map(|line| *line.ip()).find(Ipv4Addr::is_multicast) {
        Some(_) => wire::udp::multicast_works(feed.interface).err(),
        None => None,
    };
    if let Some(refusal) = &refusal {
        let interface = feed.interface;
        notices.push(format!(
            "no multicast here ({refusal}): lines are read by unicast at {interface}"
        ));
    }
    let mut lines = Vec::new();
    for (key, address) in [("line_a", Some(feed.line_a)), ("line_b", feed.line_b)] {
        let Some(address) = address else { continue };
        // As the demo exchange publishes then: same port, the interface's own address.
        let address = match refusal {
            Some(_) => SocketAddrV4::new(feed.interface, address.port()),
            None => address,
        };
        let socket = line(address, config).with_context(|| format!("[feed] {key} = {address}"))?;
        let granted = socket.set_receive_buffer(config.wire.receive_buffer_bytes)?;
        if granted < config.wire.receive_buffer_bytes && key == "line_a" {
            let asked = config.wire.receive_buffer_bytes;
            notices.push(format!(
                "receive buffer: {granted} of {asked} bytes granted; raise net.core.rmem_max"
            ));
        }
        lines.push(socket);
    }
    let server = match feed.retransmit {
        Some(SocketAddr::V4(server)) => {
            let any = SocketAddrV4::new(feed.interface, 0);
            Some((Socket::bind(any).context("the socket for retransmissions")?, server))
        }
        _ => None,
    };
    let mut settings = FeedSettings::new(lines.len());
    settings.server = server.as_ref().map(|(_, address)| *address);
    settings.start = match feed.start {
        FeedStart::First => FeedFrom::FromFirst,
        FeedStart::Current => FeedFrom::FromCurrent,
    };
    settings.arbitration_wait = feed.arbitration_wait_us;
    settings.requests = Requests {
        timeout: feed.request_timeout_ms,
        tries: if server.is_some() { feed.request_tries } else { 0 },
        ..settings.requests
    };
    let instruments = assembly::instruments(&config.trading);
    let listings: Vec<Listing> = instruments.iter().map(Listing::from).collect();
    let day = feed.session_day.base(feed.midnight_utc, now);
    let stepped = config.clock.source == ClockSource::Feed;
    let feed = Feed::new(settings, Decoder::new(&listings, day)?, stepped);
    Ok(FeedStage::new(opened.io, UdpFeed::new(feed, lines, server), ring, recorder, outbox))
}

/// A line: a multicast group to join, or an address to bind.
fn line(address: SocketAddrV4, config: &RunConfig) -> std::io::Result<Socket> {
    let socket = if address.ip().is_multicast() {
        Socket::join(address, config.feed.interface)?
    } else {
        Socket::bind(address)?
    };
    if config.wire.kernel_stamps {
        socket.enable_kernel_times()?;
    }
    Ok(socket)
}

/// The gateway's ends of rings, and where it tells what it knows.
pub(super) type GatewayEnds =
    (Consumer<CommandSlot>, Producer<Report>, Recorder, Outbox<GatewaySnapshot>);

/// What goes from the store to the venue: session, connector, hours. `used` is when the store's
/// numbers were last used.
fn connection(
    config: &RunConfig,
    (session, store, used): (SessionConfig, FixStore, Option<Timestamp>),
    (address, logon): (&Endpoint, Option<VenueLogon>),
    (looks, reconnect, socket): (Looks, Reconnect, Arc<OrderSocket>),
    notices: &mut Vec<String>,
) -> anyhow::Result<ConnectionParts<FixStore>> {
    let opened = wire::open(config.wire.backend).context("[wire] backend")?;
    // The feed's socket said the same.
    notices.extend(opened.notice.filter(|notice| !notices.contains(notice)));
    notices.extend(config.transport.warning(address));
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
    let way = (&config.gateway.address, venue::logon(config, &[])?);
    let session = (venue::session(config), store, used);
    let reaching = (looks, reconnect(config, shared, 0), shared.socket.clone());
    Ok(GatewayStage::new(GatewayParts {
        connection: connection(config, session, way, reaching, notices)?,
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
    (reports, outbox): (Producer<Report>, Outbox<GatewaySnapshot>),
    (looks, shared): (Looks, &Shared),
    notices: &mut Vec<String>,
) -> anyhow::Result<Option<DropCopyStage>> {
    let Some(address) = &config.drop_copy.address else { return Ok(None) };
    let instruments = Instruments::new(&assembly::instruments(&config.trading))?;
    let way = (address, venue::logon(config, &config.drop_copy.fields)?);
    let session = (venue::drop_copy_session(config), store, used);
    // The watchdog shuts the order session alone: a drop copy sends no orders. And however often it
    // fails, the order session can connect.
    let reaching = (looks, reconnect(config, shared, 1), Arc::default());
    let connection = connection(config, session, way, reaching, notices)?;
    let entry = OrderEntry::new(instruments, REQUESTS, venue::dialect(config)?);
    let shared = (shared.lifecycle.clone(), shared.tally.clone());
    Ok(Some(DropCopyStage::new(connection, entry, reports, shared, outbox)))
}
