//! DBN files of our own making, written by crate `dbn`.

use dbn::encode::DbnMetadataEncoder;
use dbn::{FlagSet, MappingInterval, MboMsg, Mbp1Msg, Metadata, RecordHeader, SType, Schema};
use dbn::{SymbolMapping, rtype};
use std::ffi::c_char;

pub const LAST: u8 = 128;
pub const TOP: u8 = 64;
pub const SNAPSHOT: u8 = 32;
pub const CHANNEL_GAP: u8 = 4;

/// Seconds of the made-up records count from this, 2024-01-02.
pub const DAY: u64 = 1_704_153_600_000_000_000;
pub const SECOND: u64 = 1_000_000_000;

/// Metadata of XNAS.ITCH that maps SYM to number 7 on the day.
pub fn metadata(version: u8, schema: Option<Schema>) -> Metadata {
    let date = |nanos| {
        let any = Metadata::builder().dataset("").schema(None).start(nanos);
        any.stype_in(None).stype_out(SType::InstrumentId).build().start().date()
    };
    let (start_date, end_date) = (date(DAY), date(DAY + 86_400 * SECOND));
    let intervals = vec![MappingInterval { start_date, end_date, symbol: "7".to_owned() }];
    let mut metadata = Metadata::builder()
        .version(version)
        .dataset("XNAS.ITCH")
        .schema(schema)
        .start(DAY)
        .stype_in(Some(SType::RawSymbol))
        .stype_out(SType::InstrumentId)
        .mappings(vec![SymbolMapping { raw_symbol: "SYM".to_owned(), intervals }])
        .build();
    metadata.symbol_cstr_len = if version == 1 { 22 } else { 71 };
    metadata
}

/// A file of records behind the metadata.
pub fn file<T: AsRef<[u8]>>(version: u8, schema: Option<Schema>, records: &[T]) -> Vec<u8> {
    file_of(&metadata(version, schema), records)
}

/// A file of records behind this metadata.
pub fn file_of<T: AsRef<[u8]>>(metadata: &Metadata, records: &[T]) -> Vec<u8> {
    let mut file = Vec::new();
    DbnMetadataEncoder::new(&mut file).encode(metadata).unwrap();
    records.iter().for_each(|record| file.extend(record.as_ref()));
    file
}

/// A record of an order at a second of the day; received seven nanoseconds later.
pub fn mbo(
    second: u64,
    action: u8,
    side: u8,
    price: i64,
    size: u32,
    order: u64,
    flags: u8,
) -> MboMsg {
    let ts = DAY + second * SECOND;
    MboMsg {
        hd: RecordHeader::new::<MboMsg>(rtype::MBO, 2, 7, ts),
        order_id: order,
        price,
        size,
        flags: FlagSet::new(flags),
        action: action as c_char,
        side: side as c_char,
        ts_recv: ts + 7,
        sequence: 1000 + u32::try_from(second).unwrap(),
        ..MboMsg::default()
    }
}

/// A record of the best prices: bid and ask, price and size.
pub fn quote(second: u64, action: u8, levels: [(i64, u32); 2], flags: u8) -> Mbp1Msg {
    let ts = DAY + second * SECOND;
    let mut record = Mbp1Msg {
        hd: RecordHeader::new::<Mbp1Msg>(rtype::MBP_1, 2, 7, ts),
        price: 100,
        size: 3,
        flags: FlagSet::new(flags),
        action: action as c_char,
        side: b'A' as c_char,
        ts_recv: ts + 7,
        ..Mbp1Msg::default()
    };
    let [(bid, bid_size), (ask, ask_size)] = levels;
    let level = &mut record.levels[0];
    (level.bid_px, level.bid_sz, level.ask_px, level.ask_sz) = (bid, bid_size, ask, ask_size);
    record
}
