//! The feed of a run, made from the configuration: one function for each protocol.
//!
//! Whatever the host grants only in part is said in a notice; nothing is polled here.

use super::{Shared, sides};
use crate::config::choice::{ClockSource, Protocol, Start as FeedStart};
use crate::config::run::RunConfig;
use crate::config::sections::SoupBinTcpConfig;
use crate::latency::Recorder;
use crate::pipeline::assembly;
use crate::pipeline::connector::{Connector, Plan};
use crate::pipeline::credentials;
use crate::pipeline::feed_stage::FeedStage;
use crate::pipeline::live_feed::LiveFeed;
use crate::pipeline::reconnect::{Pace, Reconnect};
use crate::pipeline::snapshots::Snapshots;
use crate::pipeline::stream_feed::StreamFeed;
use crate::pipeline::telemetry::{FeedSnapshot, Outbox};
use crate::pipeline::websocket_feed::WebsocketFeed;
use crate::runtime::ring::Producer;
use anyhow::Context as _;
use feeds::glimpse::Settings;
use feeds::itch50::{Decoder, Listing};
use feeds::moldudp64::{Config as FeedSettings, Requests, Session, Start as FeedFrom};
use feeds::soupbintcp::{Client, Login};
use feeds::{Feed, ItchStream, UdpFeed};
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
        Protocol::Itch50MoldUdp64 => {
            let feed = Box::new(moldudp64(config, now, notices)?);
            let snapshots = snapshots(config).context("[feed] glimpse")?;
            Ok(LiveFeed::MoldUdp64(feed, snapshots.map(Box::new)))
        }
        Protocol::Itch50SoupBinTcp => Ok(soupbintcp(config, now)?.into()),
        Protocol::Fix => Ok(sides::market_data(config, shared, notices)?.into()),
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

/// Snapshots, if there is a server of them.
fn snapshots(config: &RunConfig) -> anyhow::Result<Option<Snapshots>> {
    let (feed, tcp) = (&config.feed, &config.soupbintcp);
    let Some(server) = &feed.glimpse else { return Ok(None) };
    let settings = Settings {
        login: login(tcp)?,
        heartbeat: tcp.heartbeat_ms,
        silence: tcp.silence_ms,
        tries: feed.snapshot_tries,
        retry: feed.snapshot_retry_ms,
    };
    let connector = Connector::spawn(Plan::plain(server.host.clone(), server.port))?;
    Ok(Some(Snapshots::new(settings, connector)))
}

/// ITCH by TCP.
fn soupbintcp(config: &RunConfig, now: Timestamp) -> anyhow::Result<StreamFeed> {
    let tcp = &config.soupbintcp;
    let address = tcp.address.as_ref().context("[soupbintcp] address")?;
    let session = match &tcp.session {
        Some(name) => Some(Session::new(name).context("[soupbintcp] session")?),
        None => None,
    };
    // Zero asks for the newest message.
    let from = u64::from(config.feed.start != FeedStart::Current);
    let client = Client::new(login(tcp)?, (session, from), tcp.heartbeat_ms, tcp.silence_ms);
    let connector = Connector::spawn(Plan::plain(address.host.clone(), address.port))?;
    let pace = Pace { first: tcp.reconnect_ms, longest: tcp.reconnect_max_ms };
    let reconnect = Reconnect::new(pace, now.nanos());
    let stream = ItchStream::new(client, decoder(config, now)?);
    Ok(StreamFeed::new(stream, connector, reconnect))
}

/// Who we are to the venue's servers of market data.
fn login(tcp: &SoupBinTcpConfig) -> anyhow::Result<Login> {
    let held = tcp.credentials.as_deref();
    let held = held.map(|path| credentials::read("soupbintcp", path)).transpose()?;
    let password = held.as_ref().and_then(|held| held.passphrase.as_ref());
    let password = password.map_or(&b""[..], |text| text.reveal());
    let username = tcp.username.as_deref().unwrap_or_default();
    Login::new(username.as_bytes(), password).context(
        "[soupbintcp] takes a username of at most 6 and a passphrase of at most 10 ASCII characters",
    )
}

/// The decoder of the instruments of the run.
fn decoder(config: &RunConfig, now: Timestamp) -> anyhow::Result<Decoder> {
    let instruments = assembly::instruments(&config.trading);
    let listings: Vec<Listing> = instruments.iter().map(Listing::from).collect();
    let day = config.feed.session_day.base(config.feed.midnight_utc, now);
    Ok(Decoder::new(&listings, day)?)
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
        FeedStart::Snapshot => FeedFrom::FromSnapshot,
    };
    settings.snapshots = feed.glimpse.is_some();
    settings.arbitration_wait = feed.arbitration_wait_us;
    settings.requests = Requests {
        timeout: feed.request_timeout_ms,
        tries: if server.is_some() { feed.request_tries } else { 0 },
        gap_max: feed.gap_max,
        ..settings.requests
    };
    let stepped = config.clock.source == ClockSource::Feed;
    let feed = Feed::new(settings, decoder(config, now)?, stepped);
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
