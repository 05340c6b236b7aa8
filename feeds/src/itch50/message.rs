//! Every ITCH 5.0 message: its type byte, its length and its fields at the offsets of the
//! specification.
//!
//! A message is a plain value; reading one copies only the fields that the caller uses, since all
//! of it inlines. Values are as on the wire: nothing here judges them.

/// Bytes before the first field of a message's own: type, locate, tracking number, time.
pub const HEADER_BYTES: usize = 11;
/// Length of the longest message (I).
pub const LENGTH_MAX: usize = 50;

/// What every message begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The day's code of the instrument; zero for messages that concern none.
    pub locate: u16,
    /// The venue's internal tracking number.
    pub tracking: u16,
    /// Nanoseconds since midnight of the venue, 48 bits.
    pub time: u64,
}

impl Header {
    #[inline(always)]
    fn read<const N: usize>(bytes: &[u8; N]) -> Header {
        // Tracking number and time are eight adjacent bytes: one load.
        let joined = u64::from_be_bytes(chunk(bytes, 3));
        #[allow(clippy::cast_possible_truncation)]
        Header {
            locate: u16::from_be_bytes(chunk(bytes, 1)),
            tracking: (joined >> 48) as u16,
            time: joined & 0xffff_ffff_ffff,
        }
    }

    fn write<const N: usize>(&self, bytes: &mut [u8; N]) {
        let joined = u64::from(self.tracking) << 48 | self.time & 0xffff_ffff_ffff;
        bytes[1..3].copy_from_slice(&self.locate.to_be_bytes());
        bytes[3..HEADER_BYTES].copy_from_slice(&joined.to_be_bytes());
    }
}

/// `N` bytes at a constant place within an array: a plain load.
#[inline(always)]
fn chunk<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

/// A type that a field may have; its size in memory is its size on the wire.
trait Field: Sized {
    fn read(bytes: &[u8], at: usize) -> Self;
    fn write(&self, bytes: &mut [u8], at: usize);
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl Field for $ty {
            #[inline(always)]
            fn read(bytes: &[u8], at: usize) -> Self {
                <$ty>::from_be_bytes(chunk(bytes, at))
            }

            fn write(&self, bytes: &mut [u8], at: usize) {
                bytes[at..at + size_of::<$ty>()].copy_from_slice(&self.to_be_bytes());
            }
        }
    )*};
}
integers!(u8, u32, u64);

impl<const N: usize> Field for [u8; N] {
    #[inline(always)]
    fn read(bytes: &[u8], at: usize) -> Self {
        chunk(bytes, at)
    }

    fn write(&self, bytes: &mut [u8], at: usize) {
        bytes[at..at + N].copy_from_slice(self);
    }
}

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

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident = $type:literal, $length:literal {
        $($(#[$field_doc:meta])* $field:ident: $ty:ty = $at:literal,)*
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name {
                /// Locate, tracking number, time.
                pub header: Header,
                $($(#[$field_doc])* pub $field: $ty,)*
            }

            const _: () = assert!(HEADER_BYTES $(+ size_of::<$ty>())* == $length);
            const _: () = assert!($length <= LENGTH_MAX);

            impl $name {
                /// The message's first byte.
                pub const TYPE: u8 = $type;
                /// Its length, type byte included.
                pub const LENGTH: usize = $length;

                /// The fields of `bytes`; `None` if their count is not the message's length. The
                /// type byte is the caller's to check.
                #[inline(always)]
                #[must_use]
                pub fn read(bytes: &[u8]) -> Option<$name> {
                    let bytes: &[u8; $length] = bytes.try_into().ok()?;
                    Some($name {
                        header: Header::read(bytes),
                        $($field: <$ty as Field>::read(bytes, $at),)*
                    })
                }

                /// The message as it goes on the wire.
                #[must_use]
                pub fn write(&self) -> [u8; $length] {
                    let mut bytes = [0; $length];
                    bytes[0] = $type;
                    self.header.write(&mut bytes);
                    $(self.$field.write(&mut bytes, $at);)*
                    bytes
                }
            }
        )*

        /// Any message, for whoever wants to see all of them: printers, checkers, tests.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Message {
            $($(#[$doc])* $name($name),)*
        }

        impl Message {
            /// Every type byte, in the order of the specification.
            pub const TYPES: &[u8] = &[$($type),*];

            /// The message that `bytes` are.
            ///
            /// # Errors
            /// [`MessageError`] if the type is unknown or the length is not the type's.
            pub fn parse(bytes: &[u8]) -> Result<Message, MessageError> {
                match bytes.first() {
                    $(Some(&$type) => {
                        $name::read(bytes).map(Message::$name).ok_or(MessageError::BadLength)
                    })*
                    _ => Err(MessageError::UnknownType),
                }
            }

            /// The message's fields before its own.
            #[must_use]
            pub fn header(&self) -> Header {
                match self { $(Message::$name(message) => message.header,)* }
            }

            /// Writes the message to the front of `buffer`; its bytes are returned.
            pub fn write<'a>(&self, buffer: &'a mut [u8; LENGTH_MAX]) -> &'a [u8] {
                match self {
                    $(Message::$name(message) => {
                        buffer[..$length].copy_from_slice(&message.write());
                        &buffer[..$length]
                    })*
                }
            }
        }

        /// The length of messages of a type; `None` for a byte that is no type.
        #[must_use]
        pub const fn length(kind: u8) -> Option<usize> {
            match kind {
                $($type => Some($length),)*
                _ => None,
            }
        }
    };
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
