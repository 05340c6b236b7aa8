//! The configuration of an engine: `touchline run`, and what its journal is replayed with.

use super::choice::{Environment, Kind, Protocol};
use super::cores;
use super::document::Document;
use super::drop_copy::{self, DropCopyConfig};
use super::feed;
use super::fix_choices::BookBy;
use super::instruments::{self, Listing};
use super::key::{Section, Table};
use super::load::{Changes, Config, Reading};
use super::ports::{Port, Transport};
use super::problem::{ConfigErrors, Problems};
use super::profile::{self, ProfileConfig};
use super::reader::Reader;
use super::resolved::Resolved;
use super::sections::{
    BookConfig, ClockConfig, ControlConfig, CoresConfig, EngineConfig, FeedConfig, GatewayConfig,
    JournalConfig, LogConfig, SoupBinTcpConfig, StopConfig, WatchdogConfig, WireConfig,
};
use super::sessions;
use super::special::Endpoint;
use super::strategy::Choice;
use super::subscription::{self, MarketDataSession, SubscriptionSection};
use super::trading::{self, TradingConfig};
use super::transport::{self, TransportConfig};
use super::websocket::{self, WebsocketConfig, WebsocketFeedConfig};
use super::{document, ports};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Everything an engine is started with.
#[derive(Clone, Debug, PartialEq)]
pub struct RunConfig {
    /// Name and place.
    pub engine: EngineConfig,
    /// Clock of the trading loop.
    pub clock: ClockConfig,
    /// Stages on CPUs.
    pub cores: CoresConfig,
    /// Sockets.
    pub wire: WireConfig,
    /// Market data in.
    pub feed: FeedConfig,
    /// The session of market data by TCP.
    pub soupbintcp: SoupBinTcpConfig,
    /// Market data by websocket.
    pub websocket: WebsocketFeedConfig,
    /// Sizes of the books.
    pub book: BookConfig,
    /// Orders out.
    pub gateway: GatewayConfig,
    /// How the venue speaks.
    pub venue: ProfileConfig,
    /// The second session.
    pub drop_copy: DropCopyConfig,
    /// The session of market data, where the feed is one.
    pub market_data: MarketDataSession,
    /// How the gateway connects.
    pub transport: TransportConfig,
    /// Instruments, strategies, quoter and limits.
    pub trading: TradingConfig,
    /// The journal.
    pub journal: JournalConfig,
    /// Guard against a stalled loop.
    pub watchdog: WatchdogConfig,
    /// Operators.
    pub control: ControlConfig,
    /// The log.
    pub log: LogConfig,
    /// When the run ends by itself.
    pub stop: StopConfig,
}

impl RunConfig {
    /// Reads and judges the file at `path` for a machine with these CPUs.
    ///
    /// # Errors
    /// Everything that is wrong, rendered by [`ConfigErrors::render`].
    pub fn load(path: &Path, cpus: &BTreeSet<usize>) -> Result<RunConfig, ConfigErrors> {
        Self::read(path, &document::from_disk, Some(cpus))
    }

    /// The configuration that [`RunConfig::resolved`] wrote, on whatever machine.
    ///
    /// # Errors
    /// Everything that is wrong: the text is damaged, or of another version.
    pub fn from_resolved(text: &str) -> Result<RunConfig, ConfigErrors> {
        let files = |_: &Path| Ok(text.as_bytes().to_vec());
        Self::read(Path::new("resolved configuration"), &files, None)
    }

    pub(crate) fn read(
        path: &Path,
        files: document::Files<'_>,
        cpus: Option<&BTreeSet<usize>>,
    ) -> Result<RunConfig, ConfigErrors> {
        let (want, changes) = (Some(Kind::Run), &Changes::default());
        match (Reading { files, cpus, want, changes }).file(path)? {
            Config::Run(config) => Ok(*config),
            _ => Err(Problems::default().into_errors()),
        }
    }

    /// True if orders of this run are of real money.
    #[must_use]
    pub fn is_production(&self) -> bool {
        [self.engine.environment, self.venue.profile.environment].contains(&Environment::Production)
    }

    /// The whole as canonical text: every key with its value; instruments, the venue's profile and
    /// parameters inlined, but never what a file of credentials holds.
    /// It is what the journal's first record holds.
    #[must_use]
    pub fn resolved(&self) -> String {
        let mut text = Resolved::new(Kind::Run);
        text.section(&self.engine);
        text.section(&self.clock);
        text.section(&self.cores);
        text.section(&self.wire);
        text.section(&self.feed);
        text.section(&self.soupbintcp);
        self.websocket.resolve(&mut text);
        text.section(&self.book);
        text.section(&self.gateway);
        self.venue.resolve(&mut text);
        text.section(&self.drop_copy);
        text.section(&self.market_data);
        text.section(&self.transport);
        text.trading(&self.trading);
        text.section(&self.journal);
        text.section(&self.watchdog);
        text.section(&self.control);
        text.section(&self.log);
        text.section(&self.stop);
        text.finish()
    }

    /// The feed tells the total at each price, and no orders.
    #[must_use]
    pub fn is_by_level(&self) -> bool {
        let by_fix = self.venue.subscription.book == BookBy::Levels;
        self.feed.protocol == Protocol::Fix && by_fix || self.feed.is_by_level(&self.websocket)
    }

    /// Where its sessions with the venue go, that of orders first.
    #[must_use]
    pub fn venue_addresses(&self) -> Vec<&Endpoint> {
        let (drop_copy, market_data) = (Some(&self.drop_copy), Some(&self.market_data));
        let all = sessions::of(&self.gateway, drop_copy, Some(&self.feed), market_data);
        all.iter().map(|session| session.address).collect()
    }

    /// Folder of the journal.
    #[must_use]
    pub fn journal_dir(&self) -> PathBuf {
        self.journal.dir.clone().unwrap_or_else(|| self.engine.data_dir.join("journal"))
    }

    /// Socket of `touchline ctl`.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        let socket = self.control.socket.clone();
        socket.unwrap_or_else(|| self.engine.data_dir.join("touchline.sock"))
    }
}

/// The sections of the file.
pub(crate) fn tables() -> Vec<Table> {
    let mut tables = vec![
        EngineConfig::TABLE,
        ClockConfig::TABLE,
        CoresConfig::TABLE,
        WireConfig::TABLE,
        FeedConfig::TABLE,
        SoupBinTcpConfig::TABLE,
        WebsocketConfig::TABLE,
        websocket::TRANSPORT_TABLE,
        BookConfig::TABLE,
        GatewayConfig::TABLE,
        DropCopyConfig::TABLE,
        MarketDataSession::TABLE,
        TransportConfig::TABLE,
    ];
    tables.extend(trading::TABLES);
    tables.extend([
        JournalConfig::TABLE,
        WatchdogConfig::TABLE,
        ControlConfig::TABLE,
        LogConfig::TABLE,
        StopConfig::TABLE,
    ]);
    tables.extend(profile::TABLES);
    tables.extend(instruments::TABLES);
    tables
}

/// Reads every section before it gives up on any.
pub(crate) fn read(
    document: &Document<'_>,
    (profile, feed_profile): (Option<&Document<'_>>, Option<&Document<'_>>),
    listing: Listing,
    cpus: Option<&BTreeSet<usize>>,
    problems: &mut Problems,
) -> Option<RunConfig> {
    let engine: Option<EngineConfig> = document.section(problems);
    let clock: Option<ClockConfig> = document.section(problems);
    let cores: Option<CoresConfig> = document.section(problems);
    let wire = document.section(problems);
    let feed: Option<FeedConfig> = document.section(problems);
    let soupbintcp: Option<SoupBinTcpConfig> = document.section(problems);
    if let (Some(feed), Some(tcp), Some(clock)) = (&feed, &soupbintcp, &clock) {
        feed::check(document, (feed, tcp, clock), &listing, problems);
    }
    let instruments = listing.listed.len();
    let book: Option<BookConfig> = document.section(problems);
    let source = profile.unwrap_or(document);
    let told = feed_profile.unwrap_or(source);
    let websocket = WebsocketFeedConfig::read(document, told, problems);
    if let (Some(feed), Some(websocket), Some(clock), Some(book)) =
        (&feed, &websocket, &clock, &book)
    {
        let others = (&listing, clock, book);
        websocket::check(document, feed.protocol, websocket, others, problems);
        if feed_profile.is_some() {
            websocket::check_own_orders(document, feed.protocol, websocket, problems);
        }
        // What a journal holds has run, and is read whatever is thought of it now.
        if cpus.is_some() {
            websocket::check_login(document, feed.protocol, websocket, problems);
        }
    }
    let venue = profile::read(source, problems);
    let gateway: Option<GatewayConfig> = layered(document, source, "session", problems);
    let drop_copy: Option<DropCopyConfig> = document.section(problems);
    let market_data: Option<MarketDataSession> =
        layered(document, source, SubscriptionSection::TABLE.name, problems);
    let floor: Option<TransportConfig> = profile.and_then(|profile| profile.section(problems));
    let transport: Option<TransportConfig> = layered(document, source, "transport", problems);
    let trading = trading::read(document, listing, Choice::default(), problems);
    let journal = document.section(problems);
    let watchdog = document.section(problems);
    let control: Option<ControlConfig> = document.section(problems);
    let log = document.section(problems);
    let stop = document.section(problems);
    check_ports(document, feed.as_ref(), gateway.as_ref(), control.as_ref(), problems);
    if let Some(cores) = &cores {
        cores::check(document, cores, cpus, problems);
    }
    if let (Some(gateway), Some(venue)) = (&gateway, &venue) {
        let asked = &venue.session.cancel_on_disconnect;
        cores::check_watchdog(document, gateway, asked, problems);
        sessions::check_venue(document, gateway, venue, problems);
    }
    if let (Some(drop_copy), Some(cores), Some(venue)) = (&drop_copy, &cores, &venue) {
        drop_copy::check(document, drop_copy, cores, venue, problems);
    }
    if let (Some(feed), Some(clock), Some(session), Some(venue)) =
        (&feed, &clock, &market_data, &venue)
    {
        subscription::check(document, (feed, clock), session, venue, instruments, problems);
    }
    if let (Some(engine), Some(venue), Some(_)) = (&engine, &venue, profile) {
        sessions::check_environment(document, engine, venue, problems);
    }
    if let Some(gateway) = &gateway {
        let all = sessions::of(gateway, drop_copy.as_ref(), feed.as_ref(), market_data.as_ref());
        // What a journal holds has run, and is replayed whatever is thought of it now.
        if let (Some(engine), Some(venue), Some(_)) = (&engine, &venue, cpus) {
            sessions::check_others(document, &all, venue, problems);
            sessions::check_hosts(document, engine, &all, problems);
        }
        if let Some(transport) = &transport {
            let addresses: Vec<&Endpoint> = all.iter().map(|session| session.address).collect();
            let ours = (TransportConfig::TABLE.name, transport);
            transport::check(document, ours, floor.as_ref(), &addresses, problems);
        }
        if gateway.sender_comp_id == gateway.target_comp_id {
            sessions::same_sides(document, "gateway", &gateway.target_comp_id, problems);
        }
    }
    Some(RunConfig {
        engine: engine?,
        clock: clock?,
        cores: cores?,
        wire: wire?,
        feed: feed?,
        soupbintcp: soupbintcp?,
        websocket: websocket?,
        book: book?,
        gateway: gateway?,
        venue: venue?,
        drop_copy: drop_copy?,
        market_data: market_data?,
        transport: transport?,
        trading: trading?,
        journal: journal?,
        watchdog: watchdog?,
        control: control?,
        log: log?,
        stop: stop?,
    })
}

/// A section of ours, and what the profile's table `theirs` gives where ours does not.
pub(crate) fn layered<T: Section>(
    document: &Document<'_>,
    profile: &Document<'_>,
    theirs: &str,
    problems: &mut Problems,
) -> Option<T> {
    layered_table(document, profile, (T::TABLE, theirs), problems)
}

/// The same, where the keys of `T` stand in a table of another name.
pub(crate) fn layered_table<T: Section>(
    document: &Document<'_>,
    profile: &Document<'_>,
    (ours, theirs): (Table, &str),
    problems: &mut Problems,
) -> Option<T> {
    let (span, table) = document.table(ours.name, problems);
    if table.is_none() && document.has(ours.name) {
        return None;
    }
    // What is wrong there is said when the profile is read.
    let fallback = profile.table(theirs, &mut Problems::default()).1;
    let mut reader =
        Reader::new(ours.header(), document.source, span, table, problems).with_fallback(fallback);
    let section = reader.section();
    reader.finish(&[ours]);
    section
}

fn check_ports(
    document: &Document<'_>,
    feed: Option<&FeedConfig>,
    gateway: Option<&GatewayConfig>,
    control: Option<&ControlConfig>,
    problems: &mut Problems,
) {
    let mut used = feed.map(FeedConfig::ports).unwrap_or_default();
    let venue = gateway.and_then(|gateway| gateway.address.to_socket_addr());
    used.extend(venue.map(|venue| Port::new("gateway", "address", Transport::Tcp, venue)));
    let metrics = control.and_then(|control| control.metrics.0);
    used.extend(metrics.map(|at| Port::new("control", "metrics", Transport::Tcp, at)));
    ports::check(document, &used, problems);
}
