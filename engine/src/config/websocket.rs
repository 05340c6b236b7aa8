//! Market data by websocket: where it comes from, what is subscribed to, and what the venue allows.
//! How the connection is made stands in `[websocket_transport]`, with the keys of `[transport]`.

use super::choice::{ClockSource, Protocol};
use super::document::Document;
use super::instruments::Listing;
use super::key::{Key, Section, Table, section};
use super::problem::{Problem, Problems};
use super::reader::Value;
use super::resolved::Resolved;
use super::sections::{BookConfig, ClockConfig, FeedConfig};
use super::special::Endpoint;
use super::transport::TransportConfig;
use super::value::{Field, Wrong, quoted, text};
use feeds::websocket::{Book, Channels, Which};
use market::Nanos;
use std::fmt;
use std::path::PathBuf;
use wire::tls::Pin;

section! {
    /// Market data by websocket. A venue's profile may give these keys too; those here win.
    pub struct WebsocketConfig = "websocket" {
        /// The venue's host and port; the websocket protocols of `[feed]` need it.
        address: Option<Endpoint> => "stream.binance.com:9443", [1, 65_535];
        /// Path of the request for the websocket.
        path: WebPath = "/";
        /// Channel of the book, in the venue's words; the usual one when absent.
        book: Option<String> => "depth@100ms", [1, 64];
        /// Channel of trades, `none` for none; the usual one when absent.
        trades: Option<String> => "trade", [1, 64];
        /// File of `key`, `secret` and `passphrase`, each `name = "value"`, where the channel of the
        /// book is told to those only whom the venue knows. It must be ours alone: mode 0600.
        #[danger = "whoever reads it may listen in our name, or trade if the key may"]
        credentials: Option<PathBuf> => "/etc/touchline/market-data.credentials";
        /// Symbols that the feed has other names for, each `OURS=THEIRS`.
        symbols: Vec<SymbolPair> = [] => ["BTC/USD=XBT/USD"];
        /// The books show our own orders: false where these go to another venue than market data
        /// comes from.
        #[danger = "when wrong, strategies take their own orders for others', or others' for theirs"]
        shows_own_orders: bool = true;
        /// Host and port that give snapshots by HTTPS, where the book needs them.
        snapshot_address: Option<Endpoint> => "api.binance.com:443", [1, 65_535];
        /// Path of a snapshot; {symbol} is the feed's symbol.
        snapshot_path: Option<WebPath> => "/api/v3/depth?limit=5000&symbol={symbol}";
        /// Longest snapshot that is taken.
        snapshot_max_bytes: usize = 33_554_432, [1_024, 268_435_456];
        /// Name that the certificate of the host of snapshots must bear; that of its address when
        /// absent.
        snapshot_server_name: Option<String> => "api.binance.com", [1, 253];
        /// Pin of that host's key; `[websocket_transport] pin_sha256` is not asked of it.
        #[danger = "when the venue changes its key, no snapshot comes until the pin is changed"]
        snapshot_pin_sha256: Option<Pin> =>
            "88fbf42daa9b81fe28d9b0a0e5cd37bf2ac41a5b8ea0b0ac8a4c1b4a1d9a3ca7";
        /// Longest message that is taken; a longer one ends the connection. Coinbase's snapshots are
        /// the longest there are.
        message_max_bytes: usize = 16_777_216, [1_024, 134_217_728];
        /// A connection without a message for longer is dropped and made anew; pings are no messages.
        #[danger = "must be longer than the venue's longest silence, or its books come and go"]
        silence_ms: Nanos = 10_000, [10, 3_600_000];
        /// Age at which a connection is replaced, where the venue ends it at some age and two may tell
        /// one book; never when absent.
        renew_after_s: Option<Nanos> => 82_800, [0.001, 604_800];
        /// How long both are read then.
        overlap_ms: Nanos = 5_000, [1, 600_000];
        /// Messages of ours that the venue takes in `messages_window_ms`.
        #[danger = "venues end connections, and ban addresses, that send more"]
        messages: usize = 4, [1, 1_000];
        /// The venue's window of `messages`.
        messages_window_ms: Nanos = 1_000, [1, 600_000];
        /// Snapshots that may be asked for in `snapshots_window_s`.
        #[danger = "venues ban addresses that ask for more than their weight allows"]
        snapshots: usize = 10, [1, 10_000];
        /// The window of `snapshots`.
        snapshots_window_s: Nanos = 60, [0.001, 86_400];
        /// Wait before a book that has no snapshot yet is asked for again; each time doubles it.
        snapshot_retry_ms: Nanos = 2_000, [1, 600_000];
    }
}

/// Name of the section of the connection.
const TRANSPORT: &str = "websocket_transport";

/// The section of the connection.
pub(crate) const TRANSPORT_TABLE: Table = Table {
    name: TRANSPORT,
    doc: &[
        "The connection to the websocket, and to the host of snapshots; keys as in `[transport]`.",
    ],
    ..<TransportConfig as Section>::TABLE
};

/// Both sections.
#[derive(Clone, Debug, PartialEq)]
pub struct WebsocketFeedConfig {
    /// What is read.
    pub websocket: WebsocketConfig,
    /// How it is connected.
    pub transport: TransportConfig,
}

impl Protocol {
    /// The venue of a websocket protocol.
    #[must_use]
    pub fn websocket(self) -> Option<Which> {
        match self {
            Protocol::Itch50MoldUdp64 | Protocol::Itch50SoupBinTcp | Protocol::Fix => None,
            Protocol::BinanceWebsocket => Some(Which::Binance),
            Protocol::CoinbaseWebsocket => Some(Which::Coinbase),
            Protocol::KrakenWebsocket => Some(Which::Kraken),
        }
    }
}

impl WebsocketFeedConfig {
    /// Reads both, and what the profile of a venue gives.
    pub(crate) fn read(
        document: &Document<'_>,
        profile: &Document<'_>,
        problems: &mut Problems,
    ) -> Option<WebsocketFeedConfig> {
        let websocket = super::run::layered(document, profile, "websocket", problems);
        let transport =
            super::run::layered_table(document, profile, (TRANSPORT_TABLE, TRANSPORT), problems);
        Some(WebsocketFeedConfig { websocket: websocket?, transport: transport? })
    }

    /// Adds both sections.
    pub(crate) fn resolve(&self, text: &mut Resolved) {
        text.section(&self.websocket);
        text.header(&TRANSPORT_TABLE.header());
        text.keys(&self.transport);
    }

    /// What is subscribed to.
    #[must_use]
    pub fn channels(&self, which: Which) -> Channels {
        let book = self.websocket.book.clone();
        let trades = match self.websocket.trades.as_deref() {
            None => which.trades().first().copied(),
            Some("none") => None,
            Some(trades) => Some(trades),
        };
        let usual = || which.books().first().copied().unwrap_or_default().to_owned();
        Channels { book: book.unwrap_or_else(usual), trades: trades.map(str::to_owned) }
    }

    /// The feed's name of a symbol of ours.
    #[must_use]
    pub fn symbol<'a>(&'a self, ours: &'a str) -> &'a str {
        let pair = self.websocket.symbols.iter().find(|pair| pair.ours == ours);
        pair.map_or(ours, |pair| &pair.theirs)
    }

    /// How the host of snapshots is connected to.
    #[must_use]
    pub fn snapshot_transport(&self) -> TransportConfig {
        TransportConfig {
            server_name: self.websocket.snapshot_server_name.clone(),
            pin_sha256: self.websocket.snapshot_pin_sha256,
            ..self.transport.clone()
        }
    }

    /// Where market data comes from, for people.
    #[must_use]
    pub fn describe(&self, protocol: Protocol) -> String {
        let (Some(which), Some(address)) = (protocol.websocket(), &self.websocket.address) else {
            return protocol.to_string();
        };
        let Channels { book, trades } = self.channels(which);
        let trades = trades.map(|trades| format!(" and {trades}")).unwrap_or_default();
        let snapshots = match &self.websocket.snapshot_address {
            Some(at) if which.fetches(&book) => format!(", snapshots from {at}"),
            _ => String::new(),
        };
        let how = self.transport.describe(address);
        let path = &self.websocket.path.0;
        format!("{protocol} at {address}{path} by {how}: {book}{trades}{snapshots}")
    }
}

impl FeedConfig {
    /// True if the books of this feed are by level.
    #[must_use]
    pub fn is_by_level(&self, websocket: &WebsocketFeedConfig) -> bool {
        let book = |which: Which| which.book(&websocket.channels(which).book);
        self.protocol.websocket().is_some_and(|which| book(which) == Book::ByLevel)
    }

    /// True if our own orders stand in the books.
    #[must_use]
    pub fn shows_own_orders(&self, websocket: &WebsocketFeedConfig) -> bool {
        self.protocol.websocket().is_none() || websocket.websocket.shows_own_orders
    }
}

/// What must be said of our own orders where market data comes from another venue than they go to.
pub(crate) fn check_own_orders(
    document: &Document<'_>,
    protocol: Protocol,
    config: &WebsocketFeedConfig,
    problems: &mut Problems,
) {
    if protocol.websocket().is_none() || !config.websocket.shows_own_orders {
        return;
    }
    let title = "[websocket] shows_own_orders is true, but our orders stand at another venue";
    let help = "write shows_own_orders = false under [websocket]: feed_venue is not venue";
    let place = document.place("feed_venue", "");
    problems.push(Problem::new(place, title, "market data comes from here").help(help));
}

/// Whether the venue is told who asks, if it wants to know. What has run is not asked again.
pub(crate) fn check_login(
    document: &Document<'_>,
    protocol: Protocol,
    config: &WebsocketFeedConfig,
    problems: &mut Problems,
) {
    let Some(which) = protocol.websocket() else { return };
    let channel = config.channels(which).book;
    let mut refuse = |title: &str, help: &str| {
        let title = format!("[websocket] credentials {title}");
        let place = document.place("websocket", "credentials");
        problems.push(Problem::new(place, title, "here").help(help));
    };
    match (which.wants_login(&channel), &config.websocket.credentials) {
        (true, None) => {
            let title = format!("is missing: {channel} is told to those only whom the venue knows");
            let help =
                "name the file of key, secret and passphrase: credentials = \"a.credentials\"";
            refuse(&title, help);
        }
        (false, Some(_)) => {
            let title = format!("is given, and {channel} is told to everybody");
            refuse(&title, "remove the key, or name another book");
        }
        _ => {}
    }
}

/// What the rest of the configuration must be for a websocket feed.
pub(crate) fn check(
    document: &Document<'_>,
    protocol: Protocol,
    config: &WebsocketFeedConfig,
    (listing, clock, book): (&Listing, &ClockConfig, &BookConfig),
    problems: &mut Problems,
) {
    let Some(which) = protocol.websocket() else { return };
    let websocket = &config.websocket;
    let mut refuse = |key: &str, title: &str, help: &str| {
        let place = document.place("websocket", key);
        let title = format!("[websocket] {key} {title}");
        problems.push(Problem::new(place, title, "here").help(help));
    };
    if websocket.address.is_none() {
        refuse(
            "address",
            "is missing: market data comes from it",
            "name the venue's profile: venue",
        );
    }
    let Channels { book: channel, trades } = config.channels(which);
    if !which.books().contains(&channel.as_str()) {
        let help = format!("{protocol} reads {}", which.books().join(", "));
        refuse("book", &format!("is {channel}, which is not read"), &help);
    }
    if trades.is_some_and(|trades| !which.trades().contains(&trades.as_str())) {
        let help = format!("{protocol} reads {}, or none", which.trades().join(", "));
        refuse("trades", "is a channel that is not read", &help);
    }
    if which.fetches(&channel) {
        if websocket.snapshot_address.is_none() {
            let help = "give the venue's host, such as \"api.binance.com:443\"";
            refuse("snapshot_address", "is missing: its books begin with a snapshot", help);
        }
        let path = websocket.snapshot_path.as_ref();
        if !path.is_some_and(|path| path.0.contains("{symbol}")) {
            let help = "such as \"/api/v3/depth?limit=5000&symbol={symbol}\"";
            refuse("snapshot_path", "is no path with {symbol}", help);
        }
    }
    for pair in &websocket.symbols {
        if !listing.listed.iter().any(|one| one.instrument.symbol == pair.ours) {
            let help = "write OURS=THEIRS, where OURS is the symbol of an [[instrument]]";
            refuse("symbols", &format!("has {pair}, which names no instrument of ours"), help);
        }
    }
    check_symbols(document, config, listing, problems);
    if config.transport.kernel_stamps {
        let place = document.place(TRANSPORT, "kernel_stamps");
        let title =
            format!("[{TRANSPORT}] kernel_stamps is on, and a websocket is read without it");
        let help = "remove the key: only FIX sessions have the kernel's times, by [transport]";
        problems.push(Problem::new(place, title, "of no effect").help(help));
    }
    if clock.source == ClockSource::Feed {
        let place = document.place("clock", "source");
        let title = format!("[clock] source is feed, and {protocol} does not step");
        problems.push(Problem::new(place, title, "here").help("write source = \"tsc\""));
    }
    // A snapshot of Binance has up to 5,000 levels a side, and more come behind it.
    const LEVELS: usize = 16_384;
    if which == Which::Binance && book.levels < LEVELS {
        let place = document.place("book", "levels");
        let title = format!("[book] levels is {}: a snapshot may have 5,000 a side", book.levels);
        let help = format!("write levels = {LEVELS} or more: a book that is full is Suspect");
        problems.push(Problem::new(place, title, "too few").help(help));
    }
    super::transport::check(
        document,
        (TRANSPORT, &config.transport),
        None,
        websocket.address.as_ref().as_slice(),
        problems,
    );
}

/// No two instruments may be one at the feed, and a symbol is part of a path.
fn check_symbols(
    document: &Document<'_>,
    config: &WebsocketFeedConfig,
    listing: &Listing,
    problems: &mut Problems,
) {
    let ours = listing.listed.iter().map(|one| one.instrument.symbol.as_str());
    let theirs: Vec<&str> = ours.map(|ours| config.symbol(ours)).collect();
    for (at, symbol) in theirs.iter().enumerate() {
        let twice = theirs[..at].contains(symbol);
        if twice || !is_plain(symbol) {
            let place = document.place("websocket", "symbols");
            let why = if twice { "two instruments" } else { "no symbol of a feed" };
            let title = format!("the feed's symbol {symbol} is {why}");
            let help = "say in [websocket] symbols what the feed calls them";
            problems.push(Problem::new(place, title, "here").help(help));
        }
    }
}

/// Nothing that would end a line or a field of HTTP.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Longest path.
const PATH_MAX: usize = 500;

/// Path and query of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebPath(pub String);

impl Field for WebPath {
    fn expects(_: &Key) -> String {
        format!("a path of at most {PATH_MAX} characters that begins with /")
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let path = text(value)?;
        let good = path.starts_with('/') && path.len() <= PATH_MAX && is_plain(path);
        good.then(|| WebPath(path.to_owned())).ok_or_else(|| Wrong::new("is no path"))
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// What the feed calls an instrument of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolPair {
    /// Our symbol.
    pub ours: String,
    /// The feed's.
    pub theirs: String,
}

impl fmt::Display for SymbolPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.ours, self.theirs)
    }
}

impl Field for SymbolPair {
    fn expects(_: &Key) -> String {
        "two symbols, such as \"BTC/USD=XBT/USD\"".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let pair = text(value)?.split_once('=');
        let pair = pair.filter(|(ours, theirs)| !ours.is_empty() && !theirs.is_empty());
        let (ours, theirs) = pair.ok_or_else(|| Wrong::new("is not OURS=THEIRS"))?;
        Ok(SymbolPair { ours: ours.to_owned(), theirs: theirs.to_owned() })
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}
