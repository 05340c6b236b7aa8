//! Every ITCH 5.0 message: its type byte, its length and its fields at the offsets of the
//! specification.
//!
//! A message is a plain value; reading one copies only the fields that the caller uses, since all
//! of it inlines. Values are as on the wire: nothing here judges them.

use super::layout::{Field, messages};

pub use super::layout::{HEADER_BYTES, Header};

/// Length of the longest message (I).
pub const LENGTH_MAX: usize = 50;

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The first byte is no type of ITCH 5.0, or there is none.
    #[error("no ITCH 5.0 message has this type")]
    UnknownType,
    /// The type has another length.
    #[error("length differs from the specification's for this type")]
    BadLength,
}

messages! {
    /// System event (§1.1): the hours of the whole market.
    SystemEvent = b'S', 12 {
        /// O, S, Q, M, E or C.
        event_code: u8 = 11,
    }
    /// Stock directory (§1.2.1): binds the day's locate code to a symbol.
    StockDirectory = b'R', 39 {
        /// Symbol, padded with spaces.
        stock: [u8; 8] = 11,
        /// Listing market.
        market_category: u8 = 19,
        /// Compliance of the issuer.
        financial_status: u8 = 20,
        /// Shares in a round lot.
        round_lot_size: u32 = 21,
        /// Y if only round lots are taken.
        round_lots_only: u8 = 25,
        /// Kind of security.
        issue_classification: u8 = 26,
        /// Finer kind of security.
        issue_sub_type: [u8; 2] = 27,
        /// P live, T test.
        authenticity: u8 = 29,
        /// Short sale threshold (rule 203(b)(3)).
        short_sale_threshold: u8 = 30,
        /// Y if set up for an IPO release.
        ipo_flag: u8 = 31,
        /// Limit-up limit-down tier.
        luld_tier: u8 = 32,
        /// Y for exchange traded products.
        etp_flag: u8 = 33,
        /// Leverage of the product.
        etp_leverage: u32 = 34,
        /// Y if inverse.
        inverse: u8 = 38,
    }
    /// Stock trading action (§1.2.2).
    TradingAction = b'H', 25 {
        /// Symbol.
        stock: [u8; 8] = 11,
        /// H halted, P paused, Q quotation only, T trading.
        trading_state: u8 = 19,
        /// Reserved.
        reserved: u8 = 20,
        /// Why.
        reason: [u8; 4] = 21,
    }
    /// Reg SHO short sale price test (§1.2.3).
    RegSho = b'Y', 20 {
        /// Symbol.
        stock: [u8; 8] = 11,
        /// 0, 1 or 2.
        action: u8 = 19,
    }
    /// Market participant position (§1.2.4).
    ParticipantPosition = b'L', 26 {
        /// The participant.
        mpid: [u8; 4] = 11,
        /// Symbol.
        stock: [u8; 8] = 15,
        /// Y for a primary market maker.
        primary: u8 = 23,
        /// Mode.
        mode: u8 = 24,
        /// State.
        state: u8 = 25,
    }
    /// Market-wide circuit breaker decline levels (§1.2.5.1), prices of 1e-8.
    MwcbLevels = b'V', 35 {
        /// First level.
        level_1: u64 = 11,
        /// Second level.
        level_2: u64 = 19,
        /// Third level.
        level_3: u64 = 27,
    }
    /// Market-wide circuit breaker status (§1.2.5.2).
    MwcbStatus = b'W', 12 {
        /// 1, 2 or 3.
        breached_level: u8 = 11,
    }
    /// Quoting period update of an IPO (§1.2.6).
    IpoQuoting = b'K', 28 {
        /// Symbol.
        stock: [u8; 8] = 11,
        /// Seconds since midnight.
        release_time: u32 = 19,
        /// A anticipated, C canceled.
        qualifier: u8 = 23,
        /// IPO price.
        price: u32 = 24,
    }
    /// Limit-up limit-down auction collar (§1.2.7).
    LuldCollar = b'J', 35 {
        /// Symbol.
        stock: [u8; 8] = 11,
        /// Reference price.
        reference: u32 = 19,
        /// Upper bound.
        upper: u32 = 23,
        /// Lower bound.
        lower: u32 = 27,
        /// Number of extensions.
        extension: u32 = 31,
    }
    /// Operational halt (§1.2.8).
    OperationalHalt = b'h', 21 {
        /// Symbol.
        stock: [u8; 8] = 11,
        /// Q, B or X: which of the operator's markets.
        market_code: u8 = 19,
        /// H halted, T resumed.
        action: u8 = 20,
    }
    /// Add order without attribution (§1.3.1).
    AddOrder = b'A', 36 {
        /// Order reference.
        order: u64 = 11,
        /// B or S.
        side: u8 = 19,
        /// Shares.
        shares: u32 = 20,
        /// Symbol.
        stock: [u8; 8] = 24,
        /// Price of 1e-4.
        price: u32 = 32,
    }
    /// Add order with attribution (§1.3.2).
    AddAttributed = b'F', 40 {
        /// Order reference.
        order: u64 = 11,
        /// B or S.
        side: u8 = 19,
        /// Shares.
        shares: u32 = 20,
        /// Symbol.
        stock: [u8; 8] = 24,
        /// Price of 1e-4.
        price: u32 = 32,
        /// The participant.
        attribution: [u8; 4] = 36,
    }
    /// Order executed (§1.4.1).
    Executed = b'E', 31 {
        /// Order reference.
        order: u64 = 11,
        /// Shares executed.
        shares: u32 = 19,
        /// Match number.
        match_number: u64 = 23,
    }
    /// Order executed at a price of its own (§1.4.2).
    ExecutedPriced = b'C', 36 {
        /// Order reference.
        order: u64 = 11,
        /// Shares executed.
        shares: u32 = 19,
        /// Match number.
        match_number: u64 = 23,
        /// N if not to be counted in volume.
        printable: u8 = 31,
        /// Price of 1e-4.
        price: u32 = 32,
    }
    /// Order canceled in part (§1.4.3).
    Canceled = b'X', 23 {
        /// Order reference.
        order: u64 = 11,
        /// Shares taken off.
        shares: u32 = 19,
    }
    /// Order deleted (§1.4.4).
    Deleted = b'D', 19 {
        /// Order reference.
        order: u64 = 11,
    }
    /// Order replaced (§1.4.5).
    Replaced = b'U', 35 {
        /// Reference of the order that goes.
        order: u64 = 11,
        /// Reference of the order that comes.
        new_order: u64 = 19,
        /// Its shares.
        shares: u32 = 27,
        /// Its price of 1e-4.
        price: u32 = 31,
    }
    /// Trade against a non-displayed order (§1.5.1).
    Trade = b'P', 44 {
        /// Zero since 2010.
        order: u64 = 11,
        /// B since 2014, whatever the order's side.
        side: u8 = 19,
        /// Shares.
        shares: u32 = 20,
        /// Symbol.
        stock: [u8; 8] = 24,
        /// Price of 1e-4.
        price: u32 = 32,
        /// Match number.
        match_number: u64 = 36,
    }
    /// Cross trade (§1.5.2).
    CrossTrade = b'Q', 40 {
        /// Shares; zero if nothing crossed.
        shares: u64 = 11,
        /// Symbol.
        stock: [u8; 8] = 19,
        /// Price of 1e-4.
        price: u32 = 27,
        /// Match number.
        match_number: u64 = 31,
        /// O opening, C closing, H halted or IPO, I intraday.
        cross_type: u8 = 39,
    }
    /// Broken trade (§1.5.3).
    BrokenTrade = b'B', 19 {
        /// Match number of the trade that is void.
        match_number: u64 = 11,
    }
    /// Net order imbalance (§1.6).
    Imbalance = b'I', 50 {
        /// Shares that pair off.
        paired: u64 = 11,
        /// Shares that do not.
        imbalance: u64 = 19,
        /// B, S, N or O.
        direction: u8 = 27,
        /// Symbol.
        stock: [u8; 8] = 28,
        /// Far clearing price.
        far: u32 = 36,
        /// Near clearing price.
        near: u32 = 40,
        /// Reference price.
        reference: u32 = 44,
        /// Which cross.
        cross_type: u8 = 48,
        /// Deviation class.
        variation: u8 = 49,
    }
    /// Retail price improvement indicator (§1.7).
    RetailInterest = b'N', 20 {
        /// Symbol.
        stock: [u8; 8] = 11,
        /// B, S, A or N.
        interest: u8 = 19,
    }
    /// Direct listing with capital raise, price discovery (§1.8).
    DirectListing = b'O', 48 {
        /// Symbol.
        stock: [u8; 8] = 11,
        /// Y if eligible to open.
        eligibility: u8 = 19,
        /// Lowest price allowed.
        minimum: u32 = 20,
        /// Highest price allowed.
        maximum: u32 = 24,
        /// Price near which it would execute.
        near: u32 = 28,
        /// When that was found.
        near_time: u64 = 32,
        /// Lower collar.
        lower: u32 = 40,
        /// Upper collar.
        upper: u32 = 44,
    }
}
