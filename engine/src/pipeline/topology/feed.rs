//! The feed of a run, made from the configuration: one function for each protocol.
//!
//! Whatever the host grants only in part is said in a notice; nothing is polled here.

use crate::config::choice::{ClockSource, Protocol, Start as FeedStart};
use crate::config::run::RunConfig;
use crate::latency::Recorder;
use crate::pipeline::assembly;
use crate::pipeline::feed_stage::FeedStage;
use crate::pipeline::live_feed::LiveFeed;
use crate::pipeline::telemetry::{FeedSnapshot, Outbox};
use crate::pipeline::websocket_feed::WebsocketFeed;
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
    notices: &mut Vec<String>,
) -> anyhow::Result<FeedStage> {
    let opened = wire::open(config.wire.backend).context("[wire] backend")?;
    notices.extend(opened.notice);
    let feed = open(config, now, notices)?;
    Ok(FeedStage::new(opened.io, feed, ring, recorder, outbox))
}

/// The feed that the configuration names.
///
/// # Errors
/// What could not be had, by its key.
pub fn open(
    config: &RunConfig,
    now: Timestamp,
    notices: &mut Vec<String>,
) -> anyhow::Result<LiveFeed> {
    match config.feed.protocol {
        Protocol::Itch50MoldUdp64 => Ok(moldudp64(config, now, notices)?.into()),
        protocol @ (Protocol::BinanceWebsocket
        | Protocol::CoinbaseWebsocket
        | Protocol::KrakenWebsocket) => {
            let instruments = assembly::instruments(&config.trading);
            // Engines that begin together must not connect together.
            let seed = now.nanos() ^ u64::from(std::process::id());
            Ok(WebsocketFeed::new(protocol, &config.websocket, &instruments, seed)?.into())
        }
    }
}

/// ITCH by multicast: lines joined or bound, buffers asked for.
fn moldudp64(
    config: &RunConfig,
    now: Timestamp,
    notices: &mut Vec<String>,
) -> anyhow::Result<UdpFeed> {
    let feed = &config.feed;
    let interface = feed.interface.context("[feed] interface is missing")?;
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
        let socket = line(address, interface, config)
            .with_context(|| format!("[feed] {key} = {address}"))?;
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

/// A line: a multicast group to join, or an address to bind.
fn line(address: SocketAddrV4, interface: Ipv4Addr, config: &RunConfig) -> std::io::Result<Socket> {
    let socket = if address.ip().is_multicast() {
        Socket::join(address, interface)?
    } else {
        Socket::bind(address)?
    };
    if config.wire.kernel_stamps {
        socket.enable_kernel_times()?;
    }
    Ok(socket)
}
