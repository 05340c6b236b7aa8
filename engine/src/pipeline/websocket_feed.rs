//! A websocket feed on its connections: moves bytes and events, and has what must not block a core done
//! by threads. It decides nothing: that is [`feeds::websocket::Feed`]'s.

mod known;
mod plan;
mod worker;

use crate::config::WebsocketFeedConfig;
use crate::config::choice::Protocol;
use crate::pipeline::reconnect::{Logons, Pace, Reconnect};
use anyhow::Context as _;
use feeds::websocket::connection::Heard;
use feeds::websocket::feed::{NotFetched, SLOTS};
use feeds::websocket::{Ask, Connection, Feed, Settings, Which};
use market::{Event, Instrument, Sink, Timestamp};
use plan::{Failed, SnapshotPlan, SocketPlan};
use std::collections::VecDeque;
use wire::Io;
use worker::Worker;

/// Messages that one poll reads of a connection, at most.
const MESSAGES: usize = 32;
/// Events for which memory is taken at the start; a snapshot may take more.
const EVENTS: usize = 32_768;

/// See the module.
pub struct WebsocketFeed {
    feed: Feed,
    open: [Option<Connection>; SLOTS],
    reconnect: [Reconnect; SLOTS],
    /// The venue wants no attempt before.
    alone: Timestamp,
    connecting: Option<usize>,
    connector: Worker<(), Result<Connection, Failed>>,
    fetcher: Option<Worker<String, Result<Vec<u8>, NotFetched>>>,
    /// Paths of snapshots, by instrument, and which are wanted; the first of them is under way.
    paths: Vec<String>,
    fetching: VecDeque<usize>,
    /// Events that wait for room, and how many of them were given.
    staged: Vec<Event>,
    given: usize,
}

impl WebsocketFeed {
    /// A feed as the configuration says; nothing connects before it is polled.
    ///
    /// # Errors
    /// The key that cannot be followed, or the host has no threads.
    pub fn new(
        protocol: Protocol,
        config: &WebsocketFeedConfig,
        instruments: &[Instrument],
        seed: u64,
    ) -> anyhow::Result<WebsocketFeed> {
        let which = protocol.websocket().context("[feed] protocol is no websocket")?;
        let address =
            config.websocket.address.as_ref().context("[websocket] address is missing")?;
        let socket = SocketPlan::new(config, address)?;
        let connector = Worker::spawn("feed connector", move |(), stop| socket.attempt(stop))?;
        let renamed: Vec<Instrument> = instruments.iter().map(|one| rename(one, config)).collect();
        let channels = config.channels(which);
        let (paths, fetcher) = match which.fetches(&channels.book) {
            true => {
                let (paths, plan) = snapshots(config, &renamed)?;
                let fetcher = Worker::spawn("feed snapshots", move |path: String, stop| {
                    plan.attempt(&path, stop)
                })?;
                (paths, Some(fetcher))
            }
            false => (Vec::new(), None),
        };
        let feed = Feed::new(which, &renamed, channels, settings(config, which));
        let feed = match known::known(config, which)? {
            Some(known) => feed.signed_by(Box::new(known)),
            None => feed,
        };
        let logons = Logons::of(&config.transport);
        let reconnect = |slot: u64| {
            let reconnect = Reconnect::new(Pace::from(&config.transport), seed.wrapping_add(slot));
            match &logons {
                Some(logons) => reconnect.within(logons.clone(), 0),
                None => reconnect,
            }
        };
        Ok(WebsocketFeed {
            feed,
            open: [None, None],
            reconnect: [reconnect(0), reconnect(1)],
            alone: Timestamp::ZERO,
            connecting: None,
            connector,
            fetcher,
            paths,
            fetching: VecDeque::with_capacity(instruments.len()),
            staged: Vec::with_capacity(EVENTS),
            given: 0,
        })
    }

    /// The feed, for its counters.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Does what there is to do, and never waits. Nothing is read while events of before still wait
    /// for room in `sink`.
    pub fn poll(
        &mut self,
        io: &mut dyn Io,
        now: Timestamp,
        room: usize,
        sink: &mut impl Sink,
    ) -> bool {
        if self.give(room, sink) {
            return true;
        }
        let mut worked = self.take_outcomes(now);
        worked |= self.connect(now);
        for slot in 0..SLOTS {
            worked |= self.read(slot, io, now);
        }
        while let Some(ask) = self.feed.poll(now, &mut self.staged) {
            self.act(ask, io, now);
            worked = true;
        }
        worked | self.give(room, sink)
    }

    /// Gives on what waits, as far as there is room; true if there was something.
    fn give(&mut self, room: usize, sink: &mut impl Sink) -> bool {
        let there = self.given < self.staged.len();
        let end = self.staged.len().min(self.given + room);
        self.staged[self.given..end].iter().for_each(|event| sink.event(*event));
        self.given = end;
        if self.given == self.staged.len() {
            self.staged.clear();
            self.given = 0;
        }
        there
    }

    /// What the threads have done.
    fn take_outcomes(&mut self, now: Timestamp) -> bool {
        let mut worked = false;
        if let Some(outcome) = self.connector.take()
            && let Some(slot) = self.connecting.take()
        {
            worked = true;
            match outcome {
                Ok(connection) => {
                    self.reconnect[slot].connected(now);
                    self.open[slot] = Some(connection);
                    self.feed.opened(slot, now);
                }
                Err(Failed { why, retry_after }) => {
                    self.reconnect[slot].failed(now);
                    self.feed.failed(slot, &why);
                    self.alone = retry_after.map_or(self.alone, |span| now.after(span));
                }
            }
        }
        if let Some(outcome) = self.fetcher.as_ref().and_then(Worker::take)
            && let Some(at) = self.fetching.pop_front()
        {
            worked = true;
            let body = outcome.as_deref().map_err(Clone::clone);
            self.feed.fetched(at, body, (wire::stamp::now(), now), &mut self.staged);
            self.request();
        }
        worked
    }

    /// Begins an attempt to connect, if one is wanted and due.
    fn connect(&mut self, now: Timestamp) -> bool {
        if self.connecting.is_some() || now < self.alone {
            return false;
        }
        let Some(slot) = self.feed.wants(now).filter(|&slot| self.reconnect[slot].is_due(now))
        else {
            return false;
        };
        if self.reconnect[slot].begin(now) {
            self.connecting = Some(slot);
            self.feed.opening(slot);
            self.connector.request(());
        }
        true
    }

    /// Reads what a connection brought, and answers its pings.
    fn read(&mut self, slot: usize, io: &mut dyn Io, now: Timestamp) -> bool {
        let Some(connection) = &mut self.open[slot] else { return false };
        let mut worked = connection.fill(io);
        let received = connection.received();
        for _ in 0..MESSAGES {
            match connection.read() {
                Ok(Some(Heard::Text(text))) => {
                    self.feed.message(slot, text.as_bytes(), received, now, &mut self.staged);
                }
                Ok(Some(Heard::Binary)) => {
                    self.feed.message(slot, &[], received, now, &mut self.staged);
                }
                Ok(Some(Heard::Control)) => self.feed.control(),
                Ok(None) => break,
                Err(ended) => {
                    self.lose(slot, &ended.0, io, now);
                    return true;
                }
            }
            worked = true;
        }
        if let Err(ended) = connection.flush(io) {
            self.lose(slot, &ended.0, io, now);
            return true;
        }
        worked
    }

    fn lose(&mut self, slot: usize, why: &str, io: &mut dyn Io, now: Timestamp) {
        if let Some(connection) = self.open[slot].take() {
            connection.close(io);
        }
        let lived = self.feed.ended(slot, why, now, &mut self.staged);
        self.reconnect[slot].ended(now, lived);
    }

    fn act(&mut self, ask: Ask, io: &mut dyn Io, now: Timestamp) {
        match ask {
            Ask::Send(slot, text) => {
                let Some(connection) = &mut self.open[slot] else { return };
                let sent = connection.send(&text).and_then(|()| connection.flush(io));
                if let Err(ended) = sent {
                    self.lose(slot, &ended.0, io, now);
                }
            }
            Ask::Fetch(at) => {
                self.fetching.push_back(at);
                if self.fetching.len() == 1 {
                    self.request();
                }
            }
            Ask::Drop(slot, lived) => {
                if let Some(connection) = self.open[slot].take() {
                    connection.close(io);
                    self.reconnect[slot].ended(now, lived);
                }
            }
        }
    }

    /// Has the next snapshot got.
    fn request(&self) {
        let path = self.fetching.front().and_then(|&at| self.paths.get(at));
        if let (Some(path), Some(fetcher)) = (path, &self.fetcher) {
            fetcher.request(path.clone());
        }
    }
}

/// The instrument as the feed calls it.
fn rename(ours: &Instrument, config: &WebsocketFeedConfig) -> Instrument {
    Instrument { symbol: config.symbol(&ours.symbol).to_owned(), ..ours.clone() }
}

/// Paths of snapshots, and how to get them.
fn snapshots(
    config: &WebsocketFeedConfig,
    instruments: &[Instrument],
) -> anyhow::Result<(Vec<String>, SnapshotPlan)> {
    let websocket = &config.websocket;
    let at = websocket.snapshot_address.as_ref();
    let at = at.context("[websocket] snapshot_address is missing")?;
    let path = websocket.snapshot_path.as_ref();
    let path = path.context("[websocket] snapshot_path is missing")?;
    let paths = instruments.iter().map(|one| path.0.replace("{symbol}", &one.symbol)).collect();
    Ok((paths, SnapshotPlan::new(config, at)?))
}

fn settings(config: &WebsocketFeedConfig, which: Which) -> Settings {
    let websocket = &config.websocket;
    Settings {
        silence: websocket.silence_ms,
        renew_after: websocket.renew_after_s.filter(|_| which.overlaps()),
        overlap: websocket.overlap_ms,
        messages: (websocket.messages, websocket.messages_window_ms),
        snapshots: (websocket.snapshots, websocket.snapshots_window_s),
        snapshot_retry: websocket.snapshot_retry_ms,
    }
}

/// Opens nothing, but reads what `run` would read: for `touchline check`.
///
/// # Errors
/// The key that cannot be followed.
pub fn check(protocol: Protocol, config: &WebsocketFeedConfig) -> anyhow::Result<()> {
    if let (Some(which), Some(at)) = (protocol.websocket(), &config.websocket.address) {
        SocketPlan::new(config, at)?;
        if let (true, Some(at)) =
            (which.fetches(&config.channels(which).book), &config.websocket.snapshot_address)
        {
            SnapshotPlan::new(config, at)?;
        }
    }
    Ok(())
}
