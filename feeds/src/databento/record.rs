//! Records of DBN as they lie in the file: little endian, each behind its length in words of four
//! bytes. Reads in place; a record's length is checked against its type before any field is read.

use super::UNDEF_TIME;
use std::ops::Range;

/// Bytes of the header that every record has.
pub const HEADER_BYTES: usize = 16;
/// Bytes that live recordings append to each record: when the gateway sent it.
const TS_OUT_BYTES: usize = 8;

/// Types of records.
pub mod rtype {
    #![allow(missing_docs)]
    pub const MBP_0: u8 = 0x00;
    pub const MBP_1: u8 = 0x01;
    pub const MBP_10: u8 = 0x0a;
    pub const OHLCV: u8 = 0x11;
    pub const STATUS: u8 = 0x12;
    pub const DEFINITION: u8 = 0x13;
    pub const IMBALANCE: u8 = 0x14;
    pub const ERROR: u8 = 0x15;
    pub const SYMBOL_MAPPING: u8 = 0x16;
    pub const SYSTEM: u8 = 0x17;
    pub const STATISTICS: u8 = 0x18;
    pub const OHLCV_1S: u8 = 0x20;
    pub const OHLCV_1M: u8 = 0x21;
    pub const OHLCV_1H: u8 = 0x22;
    pub const OHLCV_1D: u8 = 0x23;
    pub const OHLCV_EOD: u8 = 0x24;
    pub const MBO: u8 = 0xa0;
    pub const CMBP_1: u8 = 0xb1;
    pub const CBBO_1S: u8 = 0xc0;
    pub const CBBO_1M: u8 = 0xc1;
    pub const TCBBO: u8 = 0xc2;
    pub const BBO_1S: u8 = 0xc3;
    pub const BBO_1M: u8 = 0xc4;
}

/// Every type: its name, and its lengths in versions 1, 2 and 3.
pub const TYPES: [(u8, &str, [usize; 3]); 23] = [
    (rtype::MBO, "mbo", [56; 3]),
    (rtype::MBP_0, "mbp-0", [48; 3]),
    (rtype::MBP_1, "mbp-1", [80; 3]),
    (rtype::MBP_10, "mbp-10", [368; 3]),
    (rtype::BBO_1S, "bbo-1s", [80; 3]),
    (rtype::BBO_1M, "bbo-1m", [80; 3]),
    (rtype::CMBP_1, "cmbp-1", [80; 3]),
    (rtype::CBBO_1S, "cbbo-1s", [80; 3]),
    (rtype::CBBO_1M, "cbbo-1m", [80; 3]),
    (rtype::TCBBO, "tcbbo", [80; 3]),
    (rtype::OHLCV, "ohlcv", [56; 3]),
    (rtype::OHLCV_1S, "ohlcv-1s", [56; 3]),
    (rtype::OHLCV_1M, "ohlcv-1m", [56; 3]),
    (rtype::OHLCV_1H, "ohlcv-1h", [56; 3]),
    (rtype::OHLCV_1D, "ohlcv-1d", [56; 3]),
    (rtype::OHLCV_EOD, "ohlcv-eod", [56; 3]),
    (rtype::STATUS, "status", [40; 3]),
    (rtype::DEFINITION, "instrument-def", [360, 400, 520]),
    (rtype::IMBALANCE, "imbalance", [112; 3]),
    (rtype::STATISTICS, "statistics", [64, 64, 80]),
    (rtype::SYMBOL_MAPPING, "symbol-mapping", [80, 176, 176]),
    (rtype::SYSTEM, "system", [80, 320, 320]),
    (rtype::ERROR, "error", [80, 320, 320]),
];

/// What a record's first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// All its bytes.
    pub length: usize,
    /// Its type.
    pub rtype: u8,
    /// Publisher, which is dataset and venue, and instrument: the name of one book.
    pub key: u64,
    /// When the venue's matching engine received it, in nanoseconds.
    pub ts_event: u64,
}

impl Header {
    /// Reads it.
    #[inline]
    #[must_use]
    pub fn read(bytes: &[u8; HEADER_BYTES]) -> Header {
        let (publisher, instrument) = (u16_at(bytes, 2), u32_at(bytes, 4));
        Header {
            length: usize::from(bytes[0]) * 4,
            rtype: bytes[1],
            key: key(publisher, instrument),
            ts_event: u64_at(bytes, 8),
        }
    }

    /// The versions, 0 for the first, whose records of this type have this length; empty if the
    /// type is not known or the length not its own. `None` for a type that is not known.
    #[must_use]
    pub fn versions(&self) -> Option<Range<usize>> {
        let (_, _, lengths) = TYPES.iter().find(|&&(rtype, ..)| rtype == self.rtype)?;
        let fits = |&&length: &&usize| [length, length + TS_OUT_BYTES].contains(&self.length);
        let first = lengths.iter().position(|length| fits(&length)).unwrap_or_default();
        Some(first..first + lengths.iter().filter(fits).count())
    }
}

/// The name of one book.
#[inline]
#[must_use]
pub const fn key(publisher: u16, instrument: u32) -> u64 {
    (publisher as u64) << 32 | instrument as u64
}

/// Records one behind the other in memory, for as long as they are whole.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    /// Walks over bytes that begin with a record.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Walk<'a> {
        Walk { rest: bytes }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(*self.rest.first()?) * 4;
        if length < HEADER_BYTES {
            return None;
        }
        let (record, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(record)
    }
}

/// One record by order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Order {
    pub key: u64,
    pub ts_event: u64,
    pub ts_recv: u64,
    pub order: u64,
    pub price: i64,
    pub size: u32,
    pub sequence: u32,
    pub flags: u8,
    pub action: u8,
    pub side: u8,
}

impl Order {
    /// Reads a record of type [`rtype::MBO`].
    #[inline]
    #[must_use]
    pub fn read(bytes: &[u8; 56]) -> Order {
        Order {
            key: key(u16_at(bytes, 2), u32_at(bytes, 4)),
            ts_event: u64_at(bytes, 8),
            order: u64_at(bytes, 16),
            price: i64_at(bytes, 24),
            size: u32_at(bytes, 32),
            flags: bytes[36],
            action: bytes[38],
            side: bytes[39],
            ts_recv: u64_at(bytes, 40),
            sequence: u32_at(bytes, 52),
        }
    }
}

impl Order {
    /// The time by which a record is filed: when it was received, or else when it happened.
    #[inline]
    #[must_use]
    pub fn time(&self) -> u64 {
        filed(self.ts_recv, self.ts_event)
    }
}

/// One record by price: a trade, or a change, and the levels behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Quote<'a> {
    pub key: u64,
    pub ts_event: u64,
    pub ts_recv: u64,
    pub price: i64,
    pub size: u32,
    pub sequence: u32,
    pub flags: u8,
    pub action: u8,
    pub side: u8,
    /// Bid and ask of each level: price and size. `None` for trades alone.
    pub levels: Option<&'a [[(i64, u32); 2]]>,
}

/// Levels of the deepest record.
pub const LEVELS_MAX: usize = 10;

/// Room for the levels of a record.
pub type Levels = [[(i64, u32); 2]; LEVELS_MAX];

impl<'a> Quote<'a> {
    /// Reads a record of trades, or of levels (MBP, BBO and their consolidated kin), whose levels
    /// go to `levels`. `None` if it is too short.
    #[inline]
    #[must_use]
    pub fn read(bytes: &[u8], levels: &'a mut Levels) -> Option<Quote<'a>> {
        let (fixed, behind) = bytes.split_first_chunk::<48>()?;
        let kind = fixed[1];
        let count = match kind {
            rtype::MBP_0 => 0,
            rtype::MBP_10 => LEVELS_MAX,
            _ => 1,
        };
        if behind.len() < 32 * count {
            return None;
        }
        for (level, bytes) in levels.iter_mut().zip(behind.chunks_exact(32).take(count)) {
            let bid = (i64_at(bytes, 0), u32_at(bytes, 16));
            *level = [bid, (i64_at(bytes, 8), u32_at(bytes, 20))];
        }
        let ts_recv = u64_at(fixed, 32);
        // Samples of the best prices: their event time is that of the last trade.
        let sampled =
            matches!(kind, rtype::BBO_1S | rtype::BBO_1M | rtype::CBBO_1S | rtype::CBBO_1M);
        // Consolidated records have no sequence.
        let sequenced = kind < rtype::CMBP_1 || matches!(kind, rtype::BBO_1S | rtype::BBO_1M);
        Some(Quote {
            key: key(u16_at(fixed, 2), u32_at(fixed, 4)),
            ts_event: if sampled { ts_recv } else { u64_at(fixed, 8) },
            ts_recv,
            price: i64_at(fixed, 16),
            size: u32_at(fixed, 24),
            action: if sampled { b'N' } else { fixed[28] },
            side: fixed[29],
            flags: fixed[30],
            sequence: if sequenced { u32_at(fixed, 44) } else { 0 },
            levels: (count > 0).then_some(&levels[..count]),
        })
    }
}

impl<'a> Quote<'a> {
    /// What `order` says, which is by price, with the levels behind it.
    #[must_use]
    pub fn of(order: &Order, levels: Option<&'a [[(i64, u32); 2]]>) -> Quote<'a> {
        let &Order { key, ts_event, ts_recv, price, size, sequence, flags, action, side, .. } =
            order;
        Quote { key, ts_event, ts_recv, price, size, sequence, flags, action, side, levels }
    }
}

/// Records by type, by their names; those that did not come are left out.
#[must_use]
pub fn by_type(counts: &[u64; 256]) -> Vec<(String, u64)> {
    let known = TYPES.iter().map(|&(kind, name, _)| (kind, name.to_owned()));
    let others = (0..=u8::MAX).filter(|kind| TYPES.iter().all(|(known, ..)| known != kind));
    let others = others.map(|kind| (kind, format!("rtype 0x{kind:02x}")));
    let counted = known.chain(others).map(|(kind, name)| (name, counts[usize::from(kind)]));
    counted.filter(|&(_, count)| count > 0).collect()
}

/// True of the types that [`Quote::read`] reads.
#[inline]
#[must_use]
pub fn is_quote(kind: u8) -> bool {
    matches!(kind, rtype::MBP_0 | rtype::MBP_1 | rtype::MBP_10 | rtype::CMBP_1)
        || (rtype::CBBO_1S..=rtype::BBO_1M).contains(&kind)
}

/// The time by which a record is filed.
#[inline]
#[must_use]
pub fn filed(ts_recv: u64, ts_event: u64) -> u64 {
    if ts_recv == UNDEF_TIME { ts_event } else { ts_recv }
}

/// A time, or zero for none.
#[inline]
#[must_use]
pub fn time(nanos: u64) -> market::Timestamp {
    market::Timestamp::from_nanos(if nanos == UNDEF_TIME { 0 } else { nanos })
}

/// The bytes from `at` on; zero beyond the end, which lengths rule out.
#[inline]
fn chunk<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let chunk = bytes.get(at..).and_then(<[u8]>::first_chunk::<N>);
    chunk.copied().unwrap_or([0; N])
}

#[inline]
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(chunk(bytes, at))
}

#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(chunk(bytes, at))
}

#[inline]
pub(super) fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(chunk(bytes, at))
}

#[inline]
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(chunk(bytes, at))
}

#[inline]
pub(super) fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(chunk(bytes, at))
}
