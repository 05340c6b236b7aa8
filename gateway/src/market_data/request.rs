//! MarketDataRequest (V), and MarketDataRequestReject (Y) that refuses one.
//!
//! What a venue does not know of a request is left out: each field that a specification or a venue
//! makes optional is `None` or empty here. Nothing is remembered of what was asked.

use crate::fix::message::as_char;
use crate::fix::number::parse_u64;
use crate::fix::tags;
use crate::fix::{EncodeError, Encoder, Fault, Message, RejectCode};
use crate::orders::Instruments;
use market::InstrumentId;

/// SubscriptionRequestType (263).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Subscription {
    /// One snapshot.
    Snapshot = b'0',
    /// A snapshot, and updates from then on.
    Subscribe = b'1',
    /// No more updates of the request with this id.
    Unsubscribe = b'2',
}

/// MDUpdateType (265).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum UpdateType {
    /// A snapshot (W) at each change.
    FullRefresh = b'0',
    /// What changed (X).
    Incremental = b'1',
}

/// MDEntryType (269) of what may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EntryType {
    /// The bids of a book.
    Bid = b'0',
    /// Its offers.
    Offer = b'1',
    /// Trades.
    Trade = b'2',
}

/// A request for market data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// MDReqID (262): of one subscription, and of the request that ends it.
    pub id: u64,
    /// What is asked for.
    pub subscription: Subscription,
    /// MarketDepth (264): levels of a side; zero for all. Of a book that is cut at a depth, not
    /// every venue says which level fell out of it: then ask for all, or for a full refresh. At
    /// Binance, 1 is another stream, whose changes replace the best price, and is not to be asked.
    pub depth: Option<u32>,
    /// How updates come.
    pub updates: Option<UpdateType>,
    /// AggregatedBook (266): the total at each price, or else each order.
    pub aggregated: Option<bool>,
    /// Entry types (267, 269).
    pub entries: &'a [EntryType],
    /// Symbols (146, 55).
    pub instruments: &'a [InstrumentId],
}

impl Request<'_> {
    /// Adds the body of the request to a message of type V. An instrument that is not in the table
    /// makes [`Encoder::finish`] fail.
    pub fn encode(&self, instruments: &Instruments, encoder: &mut Encoder<'_>) {
        encoder.u64(tags::MD_REQ_ID, self.id);
        encoder.char(tags::SUBSCRIPTION_REQUEST_TYPE, self.subscription as u8);
        if let Some(depth) = self.depth {
            encoder.u64(tags::MARKET_DEPTH, u64::from(depth));
        }
        if let Some(updates) = self.updates {
            encoder.char(tags::MD_UPDATE_TYPE, updates as u8);
        }
        if let Some(aggregated) = self.aggregated {
            encoder.flag(tags::AGGREGATED_BOOK, aggregated);
        }
        // A group that is empty is left out, as FIX.4.4 Volume 1 has it.
        if !self.entries.is_empty() {
            encoder.u64(tags::NO_MD_ENTRY_TYPES, self.entries.len() as u64);
        }
        for entry in self.entries {
            encoder.char(tags::MD_ENTRY_TYPE, *entry as u8);
        }
        if !self.instruments.is_empty() {
            encoder.u64(tags::NO_RELATED_SYM, self.instruments.len() as u64);
        }
        for instrument in self.instruments {
            match instruments.get(*instrument) {
                Some(instrument) => encoder.padded(tags::SYMBOL, &instrument.symbol),
                None => encoder.fail(EncodeError::UnknownInstrument),
            }
        }
    }
}

/// A request that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// MDReqID (262) of the request; `None` if it is none of ours.
    pub id: Option<u64>,
    /// MDReqRejReason (281), where the venue gives one. [`crate::spec::Dictionary::field`] knows
    /// what it means.
    pub reason: Option<u8>,
    /// Text (58); empty without.
    pub text: &'a [u8],
}

impl<'a> Refusal<'a> {
    /// Reads a message of type Y.
    ///
    /// # Errors
    /// [`Fault`]: it is of another type, names no request, or its reason is no character.
    pub fn of(message: &Message<'a>) -> Result<Refusal<'a>, Fault> {
        if message.msg_type() != tags::msg::MARKET_DATA_REQUEST_REJECT {
            return Err(Fault::new(RejectCode::MsgType, tags::MSG_TYPE));
        }
        let tag = tags::MD_REQ_REJ_REASON;
        let reason = message.get(tag).map(|value| as_char(tag, value)).transpose()?;
        let id = parse_u64(message.required(tags::MD_REQ_ID)?).ok();
        Ok(Refusal { id, reason, text: message.get(tags::TEXT).unwrap_or_default() })
    }
}
