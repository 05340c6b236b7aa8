//! A session of market data: who listens, to what, and what they were told last.
//!
//! What a listener is told is the difference between what it was shown and what the market shows, so
//! that one that reads slowly gets the newest and holds up nobody. It must never trade.

use super::account::session_config;
use super::quotes::Quotes;
use crate::config::ExchangeConfig;
use crate::pipeline::fix_feed::NumberStore;
use gateway::fix::tags::{self, msg};
use gateway::fix::{Encoder, Message};
use gateway::market_data::EntryType;
use gateway::session::{
    Application, BusinessReason, ConfigError, Disconnect, Meta, Outbound, Resend, Session,
    SessionConfig, State, Verdict,
};
use market::{Instrument, Price, Qty, Side, Timestamp};

/// Most levels of a side.
pub(super) const DEPTH_MAX: usize = 50;
/// Most subscriptions of a session.
const SUBSCRIPTIONS_MAX: usize = 256;
/// Most trades that one message tells.
const TRADES_MAX: usize = 32;

/// Who listens.
pub(super) struct Listener {
    pub(super) name: String,
    pub(super) connection: Option<usize>,
    session: Session<NumberStore>,
    desk: Desk,
    subscriptions: Vec<Subscription>,
    /// Messages that there was no room for.
    pub(super) held_back: u64,
    /// Something was not told for want of room.
    pub(super) behind: bool,
}

/// One request in force, of one instrument.
#[derive(Debug)]
struct Subscription {
    id: Vec<u8>,
    place: usize,
    depth: usize,
    book: bool,
    trades: bool,
    /// More than a snapshot.
    updates: bool,
    /// The snapshot was told, and what was shown since: bids, offers.
    shown: Option<[Vec<(Price, Qty)>; 2]>,
}

/// A request as it was read.
#[derive(Debug)]
enum Asked {
    Begin(Vec<Subscription>),
    End(Vec<u8>),
    /// MDReqRejReason (281) and the words for it.
    Refused(Vec<u8>, u8, &'static str),
}

/// Takes requests, one at a time.
struct Desk {
    symbols: Vec<String>,
    asked: Option<Asked>,
}

impl Application for Desk {
    fn ready(&self) -> bool {
        self.asked.is_none()
    }

    fn message(&mut self, _: &Meta, message: &Message<'_>) -> Verdict {
        match message.msg_type() {
            msg::MARKET_DATA_REQUEST => match message.required(tags::MD_REQ_ID) {
                Ok(id) => {
                    let read = self.read(id, message);
                    let refused = |(reason, text)| Asked::Refused(id.to_vec(), reason, text);
                    self.asked = Some(read.unwrap_or_else(refused));
                    Verdict::Taken
                }
                Err(fault) => Verdict::Reject(fault),
            },
            msg::REJECT | msg::BUSINESS_MESSAGE_REJECT => Verdict::Taken,
            _ => Verdict::Business(BusinessReason::UnsupportedMessage),
        }
    }

    fn up(&mut self, _: Timestamp) {}

    fn down(&mut self, _: Timestamp) {
        self.asked = None;
    }
}

impl Desk {
    /// What a request asks for, or why it is refused.
    fn read(&self, id: &[u8], message: &Message<'_>) -> Result<Asked, (u8, &'static str)> {
        let updates = match message.get(tags::SUBSCRIPTION_REQUEST_TYPE) {
            Some(b"0") => false,
            Some(b"1") => true,
            Some(b"2") => return Ok(Asked::End(id.to_vec())),
            _ => return Err((b'4', "SubscriptionRequestType (263) must be 0, 1 or 2")),
        };
        let depth = match message.get(tags::MARKET_DEPTH).map(|_| message.u64(tags::MARKET_DEPTH)) {
            None | Some(Ok(0)) => DEPTH_MAX,
            Some(Ok(depth)) => usize::try_from(depth).unwrap_or(DEPTH_MAX).min(DEPTH_MAX),
            Some(Err(_)) => return Err((b'5', "MarketDepth (264) must be a number")),
        };
        let (mut book, mut trades) = (false, false);
        let wrong = (b'8', "MDEntryType (269) must be 0, 1 or 2");
        let entries = message.group(tags::NO_MD_ENTRY_TYPES, tags::MD_ENTRY_TYPE);
        let entries = entries.map_err(|_| wrong)?;
        for entry in entries.instances() {
            match entry.get(tags::MD_ENTRY_TYPE) {
                Some(b"0" | b"1") => book = true,
                Some(b"2") => trades = true,
                _ => return Err(wrong),
            }
        }
        let unknown = (b'0', "Symbol (55) names no instrument of this exchange");
        let all = message.group(tags::NO_RELATED_SYM, tags::SYMBOL).map_err(|_| unknown)?;
        let mut begun = Vec::new();
        for one in all.instances().take(SUBSCRIPTIONS_MAX) {
            let symbol = one.get(tags::SYMBOL).unwrap_or_default();
            let place = self.symbols.iter().position(|known| known.as_bytes() == symbol);
            let place = place.ok_or(unknown)?;
            let (id, shown) = (id.to_vec(), None);
            begun.push(Subscription { id, place, depth, book, trades, updates, shown });
        }
        match begun.is_empty() {
            true => Err(unknown),
            false => Ok(Asked::Begin(begun)),
        }
    }
}

impl Listener {
    /// The listener called `name`, not connected.
    ///
    /// # Errors
    /// A name that cannot stand in a message.
    pub(super) fn new(
        config: &ExchangeConfig,
        name: &str,
        instruments: &[Instrument],
    ) -> Result<Listener, ConfigError> {
        let settings = SessionConfig {
            // What the market showed is the past.
            resend: Resend::GapFillOrders,
            send_when_down: false,
            ..session_config(config, name)
        };
        let symbols = instruments.iter().map(|instrument| instrument.symbol.clone()).collect();
        Ok(Listener {
            name: name.to_owned(),
            connection: None,
            session: Session::new(settings, NumberStore::default())?,
            desk: Desk { symbols, asked: None },
            subscriptions: Vec::new(),
            held_back: 0,
            behind: false,
        })
    }

    pub(super) fn state(&self) -> State {
        self.session.state()
    }

    /// Messages sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.session.counters().sent
    }

    /// A connection whose Logon is next.
    pub(super) fn connect(
        &mut self,
        connection: usize,
        now: Timestamp,
        out: &mut dyn Outbound,
    ) -> Result<(), Disconnect> {
        self.session.connected(now, out)?;
        self.connection = Some(connection);
        Ok(())
    }

    /// The connection is gone, and with it what was asked for.
    pub(super) fn disconnect(&mut self, now: Timestamp) {
        self.connection = None;
        self.subscriptions.clear();
        self.session.disconnected(now, &mut self.desk);
        self.desk.asked = None;
        self.behind = false;
    }

    /// Takes bytes up to the first request among them, and answers it; says how many that were.
    pub(super) fn receive(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut dyn Outbound,
    ) -> Result<(usize, bool), Disconnect> {
        let count = self.session.received(now, 0, bytes, out, &mut self.desk)?;
        let asked = self.desk.asked.take();
        let has_news = asked.is_some();
        match asked {
            Some(Asked::Begin(begun)) => self.begin(now, begun, out),
            Some(Asked::End(id)) => self.subscriptions.retain(|held| held.id != id),
            Some(Asked::Refused(id, reason, text)) => self.refuse(now, &id, reason, text, out),
            None => {}
        }
        Ok((count, has_news))
    }

    fn begin(&mut self, now: Timestamp, begun: Vec<Subscription>, out: &mut dyn Outbound) {
        let id = begun.first().map(|first| first.id.clone()).unwrap_or_default();
        if self.subscriptions.iter().any(|held| held.id == id) {
            self.refuse(now, &id, b'1', "MDReqID (262) is in use", out);
        } else if self.subscriptions.len() + begun.len() > SUBSCRIPTIONS_MAX {
            self.refuse(now, &id, b'2', "too many subscriptions", out);
        } else {
            self.subscriptions.extend(begun);
        }
    }

    fn refuse(
        &mut self,
        now: Timestamp,
        id: &[u8],
        reason: u8,
        text: &str,
        out: &mut dyn Outbound,
    ) {
        let sent = self.session.send(now, out, msg::MARKET_DATA_REQUEST_REJECT, |encoder| {
            encoder.bytes(tags::MD_REQ_ID, id);
            encoder.char(tags::MD_REQ_REJ_REASON, reason);
            encoder.bytes(tags::TEXT, text.as_bytes());
        });
        self.held_back += u64::from(sent.is_err());
    }

    /// Heartbeats and time-outs.
    pub(super) fn poll(
        &mut self,
        now: Timestamp,
        out: &mut dyn Outbound,
    ) -> Result<bool, Disconnect> {
        if now < self.session.next_due() { Ok(false) } else { self.session.poll(now, out) }
    }

    /// Says goodbye.
    pub(super) fn logout(
        &mut self,
        now: Timestamp,
        out: &mut dyn Outbound,
    ) -> Result<(), Disconnect> {
        self.session.logout(now, out, "the exchange stops")
    }

    /// Tells what is new of everything that was asked for. What there is no room for now is told
    /// with what comes next; trades are not.
    pub(super) fn tell(
        &mut self,
        now: Timestamp,
        quotes: &Quotes,
        instruments: &[Instrument],
        out: &mut dyn Outbound,
    ) {
        let Listener { session, subscriptions, held_back, behind, .. } = self;
        *behind = false;
        for held in subscriptions.iter_mut() {
            let Some(instrument) = instruments.get(held.place) else { continue };
            let depth = if held.book { held.depth } else { 0 };
            let shows =
                Side::BOTH.map(|side| quotes.top(instrument.id, side, depth).collect::<Vec<_>>());
            let sent = match &held.shown {
                // Trades alone begin without a snapshot.
                None if !held.book => Ok(0),
                None => session.send(now, out, msg::MARKET_DATA_SNAPSHOT, |encoder| {
                    snapshot(encoder, &held.id, instrument, &shows);
                }),
                Some(shown) => {
                    let mut news = changes(shown, &shows);
                    if held.trades {
                        let trades = quotes.trades(instrument.id).take(TRADES_MAX);
                        news.extend(trades.map(|(id, trade)| Entry::of_trade(id, trade)));
                    }
                    if news.is_empty() {
                        continue;
                    }
                    session.send(now, out, msg::MARKET_DATA_INCREMENTAL, |encoder| {
                        update(encoder, &held.id, instrument, &news);
                    })
                }
            };
            match sent {
                Ok(_) => held.shown = Some(shows),
                Err(_) => {
                    *held_back += 1;
                    *behind = true;
                }
            }
        }
        subscriptions.retain(|held| held.updates || held.shown.is_none());
    }
}

/// An entry of an update.
struct Entry {
    action: u8,
    kind: EntryType,
    price: Price,
    qty: Qty,
    trade: Option<u64>,
}

impl Entry {
    fn of_trade(id: u64, trade: market::Trade) -> Entry {
        let market::Trade { price, qty, .. } = trade;
        Entry { action: b'0', kind: EntryType::Trade, price, qty, trade: Some(id) }
    }
}

const fn kind(side: Side) -> EntryType {
    match side {
        Side::Buy => EntryType::Bid,
        Side::Sell => EntryType::Offer,
    }
}

/// What makes of the levels shown those that there are.
fn changes(shown: &[Vec<(Price, Qty)>; 2], shows: &[Vec<(Price, Qty)>; 2]) -> Vec<Entry> {
    let mut news = Vec::new();
    for (side, (before, after)) in Side::BOTH.into_iter().zip(shown.iter().zip(shows)) {
        let entry =
            |action, price, qty| Entry { action, kind: kind(side), price, qty, trade: None };
        let find = |levels: &[(Price, Qty)], price| {
            levels.iter().find(|level| level.0 == price).map(|level| level.1)
        };
        // What fell out of the depth is gone as well.
        let gone = before.iter().filter(|level| find(after, level.0).is_none());
        news.extend(gone.map(|level| entry(b'2', level.0, Qty::ZERO)));
        for &(price, qty) in after {
            match find(before, price) {
                None => news.push(entry(b'0', price, qty)),
                Some(known) if known != qty => news.push(entry(b'1', price, qty)),
                Some(_) => {}
            }
        }
    }
    news
}

fn snapshot(
    encoder: &mut Encoder<'_>,
    id: &[u8],
    instrument: &Instrument,
    shows: &[Vec<(Price, Qty)>; 2],
) {
    encoder.bytes(tags::MD_REQ_ID, id);
    encoder.bytes(tags::SYMBOL, instrument.symbol.as_bytes());
    encoder.u64(tags::NO_MD_ENTRIES, shows.iter().map(Vec::len).sum::<usize>() as u64);
    for (side, levels) in Side::BOTH.into_iter().zip(shows) {
        for (price, qty) in levels {
            encoder.char(tags::MD_ENTRY_TYPE, kind(side) as u8);
            encoder.decimal(tags::MD_ENTRY_PX, price.raw(), Price::DIGITS);
            encoder.decimal(tags::MD_ENTRY_SIZE, qty.raw(), instrument.qty_digits);
        }
    }
}

fn update(encoder: &mut Encoder<'_>, id: &[u8], instrument: &Instrument, news: &[Entry]) {
    encoder.bytes(tags::MD_REQ_ID, id);
    encoder.u64(tags::NO_MD_ENTRIES, news.len() as u64);
    for entry in news {
        encoder.char(tags::MD_UPDATE_ACTION, entry.action);
        encoder.char(tags::MD_ENTRY_TYPE, entry.kind as u8);
        if let Some(trade) = entry.trade {
            encoder.u64(tags::MD_ENTRY_ID, trade);
        }
        encoder.bytes(tags::SYMBOL, instrument.symbol.as_bytes());
        encoder.decimal(tags::MD_ENTRY_PX, entry.price.raw(), Price::DIGITS);
        if entry.action != b'2' {
            encoder.decimal(tags::MD_ENTRY_SIZE, entry.qty.raw(), instrument.qty_digits);
        }
    }
}
