//! The feed of a run, made from the configuration: one function for each protocol.
//!
//! Whatever the host grants only in part is said in a notice; nothing is polled here.

use super::{Shared, sides};
use crate::config::choice::{ClockSource, Protocol, Start as FeedStart};
use crate::config::run::RunConfig;
use crate::config::sections::FeedConfig;
use crate::latency::Recorder;
use crate::pipeline::assembly;
use crate::pipeline::feed_stage::FeedStage;
use crate::pipeline::live_feed::LiveFeed;
use crate::pipeline::telemetry::{FeedSnapshot, Outbox};
use crate::runtime::ring::Producer;
use anyhow::Context as _;
use feeds::itch50::{Decoder, Listing};
use feeds::moldudp64::{Config as FeedSettings, Requests, Start as FeedFrom};
use feeds::{Feed, UdpFeed};
use market::{Event, Timestamp};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use wire::udp::Socket;

/// The feed that the configuration names, on its sockets, in its stage.
///
/// # Errors
/// What could not be had, by its key.
pub(super) fn stage(
    config: &RunConfig,
    now: Timestamp,
    (ring, recorder, outbox): (Producer<Event>, Recorder, Outbox<FeedSnapshot>),
    shared: &Shared,
    notices: &mut Vec<String>,
) -> anyhow::Result<FeedStage> {
    let opened = wire::open(config.wire.backend).context("[wire] backend")?;
    notices.extend(opened.notice);
    let feed = open_in(config, now, shared, notices)?;
    Ok(FeedStage::new(opened.io, feed, ring, recorder, outbox))
}

/// The feed that the configuration names, by itself.
///
/// # Errors
/// What could not be had, by its key.
pub fn open(
    config: &RunConfig,
    now: Timestamp,
    notices: &mut Vec<String>,
) -> anyhow::Result<LiveFeed> {
    open_in(config, now, &Shared::default(), notices)
}

/// The same in a pipeline, whose end it shares.
fn open_in(
    config: &RunConfig,
    now: Timestamp,
    shared: &Shared,
    notices: &mut Vec<String>,
) -> anyhow::Result<LiveFeed> {
    match config.feed.protocol {
        Protocol::Itch50MoldUdp64 => Ok(moldudp64(config, now, notices)?.into()),
        Protocol::Fix => Ok(sides::market_data(config, shared, notices)?.into()),
    }
}

/// ITCH by multicast: lines joined or bound, buffers asked for.
fn moldudp64(
    config: &RunConfig,
    now: Timestamp,
    notices: &mut Vec<String>,
) -> anyhow::Result<UdpFeed> {
    let (feed, interface) = (&config.feed, interface(&config.feed));
    let grouped = [feed.line_a, feed.line_b].into_iter().flatten();
    let refusal = match grouped.map(|line| *line.ip()).find(Ipv4Addr::is_multicast) {
        Some(_) => wire::udp::multicast_works(interface).err(),
        None => None,
    };
    if let Some(refusal) = &refusal {
        notices.push(format!(
            "no multicast here ({refusal}): lines are read by unicast at {interface}"
        ));
    }
    let mut lines = Vec::new();
    for (key, address) in [("line_a", feed.line_a), ("line_b", feed.line_b)] {
        let Some(address) = address else { continue };
        // As the demo exchange publishes then: same port, the interface's own address.
        let address = match refusal {
            Some(_) => SocketAddrV4::new(interface, address.port()),
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
            let any = SocketAddrV4::new(interface, 0);
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
    Ok(UdpFeed::new(feed, lines, server))
}

/// The interface of the lines, which a checked configuration has.
fn interface(feed: &FeedConfig) -> Ipv4Addr {
    feed.interface.unwrap_or(Ipv4Addr::LOCALHOST)
}

/// A line: a multicast group to join, or an address to bind.
fn line(address: SocketAddrV4, config: &RunConfig) -> std::io::Result<Socket> {
    let socket = if address.ip().is_multicast() {
        Socket::join(address, interface(&config.feed))?
    } else {
        Socket::bind(address)?
    };
    if config.wire.kernel_stamps {
        socket.enable_kernel_times()?;
    }
    Ok(socket)
}
