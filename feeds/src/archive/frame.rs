//! The framing of an event file: the journal's header and records, pure functions over bytes.

use market::Timestamp;

/// First bytes of the file.
pub(super) const MAGIC: [u8; 8] = *b"TLEVENT1";
/// Bytes of the file's header, and of a record's.
pub(super) const HEADER: usize = 64;
pub(super) const RECORD: usize = 24;
/// Most bytes of items in a block.
pub(super) const BLOCK: usize = 1 << 20;
/// Bytes of a block's payload before its zstd frame.
pub(super) const BLOCK_HEAD: usize = 24;
/// Bytes of a row of the index, and rows in one record of it.
pub(super) const ROW: usize = 32;
pub(super) const ROWS: usize = 8_192;
/// The longest record: what zstd makes of a block that it cannot pack is hardly longer.
pub(super) const RECORD_MAX: usize = BLOCK + (1 << 14);

const VERSION: u32 = 1;
const NAME: &[u8] = b"events";

/// What a record is.
pub(super) mod kind {
    /// A block of items.
    pub(in super::super) const BLOCK: u16 = 1;
    /// Rows of the index.
    pub(in super::super) const INDEX: u16 = 2;
    /// The end: where the index begins.
    pub(in super::super) const END: u16 = 3;
}

/// The header of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Bytes of header and payload.
    pub(super) length: usize,
    pub(super) sequence: u64,
    pub(super) kind: u16,
}

impl Head {
    /// The header at the front of `bytes`, if it may be one.
    pub(super) fn of(bytes: &[u8]) -> Option<Head> {
        let length = u32_at(bytes, 0) as usize;
        let (sequence, kind) = (u64_at(bytes, 8), u32_at(bytes, 16));
        let well = bytes.len() >= RECORD
            && (RECORD..=RECORD_MAX).contains(&length)
            && bytes[18..24] == [0; 6]
            && (u32::from(kind::BLOCK)..=u32::from(kind::END)).contains(&kind);
        well.then_some(Head { length, sequence, kind: kind as u16 })
    }

    /// Bytes of the record with its padding.
    pub(super) fn padded(self) -> usize {
        self.length.next_multiple_of(8)
    }

    /// True if the CRC of the whole record, padding included, is right.
    pub(super) fn is_intact(self, record: &[u8]) -> bool {
        u32_at(record, 4) == crc(self.length as u32, &record[8..])
    }
}

/// What the index says of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) offset: u64,
    /// Least and greatest time of its units.
    pub(super) times: [Timestamp; 2],
    pub(super) units: u32,
}

impl Row {
    pub(super) fn bytes(self) -> [u8; ROW] {
        let mut bytes = [0; ROW];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..].copy_from_slice(&self.block_head(0));
        bytes
    }

    /// The same at the front of the block, with the bytes of its items.
    pub(super) fn block_head(self, unpacked: usize) -> [u8; BLOCK_HEAD] {
        let mut bytes = [0; BLOCK_HEAD];
        bytes[..8].copy_from_slice(&self.times[0].nanos().to_le_bytes());
        bytes[8..16].copy_from_slice(&self.times[1].nanos().to_le_bytes());
        bytes[16..20].copy_from_slice(&self.units.to_le_bytes());
        bytes[20..].copy_from_slice(&(unpacked as u32).to_le_bytes());
        bytes
    }

    /// Row and bytes of items of a block's payload, which stands at `offset`.
    pub(super) fn of_block(payload: &[u8], offset: u64) -> (Row, usize) {
        let times = [0, 8].map(|at| Timestamp::from_nanos(u64_at(payload, at)));
        (Row { offset, times, units: u32_at(payload, 16) }, u32_at(payload, 20) as usize)
    }
}

/// The header of a file: that of a journal's first segment, which names no journal and no time.
pub(super) fn header() -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[24..32].copy_from_slice(&1u64.to_le_bytes());
    bytes[32..40].copy_from_slice(&1u64.to_le_bytes());
    bytes[48..48 + NAME.len()].copy_from_slice(NAME);
    let crc = crc(VERSION, &bytes[16..]);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Checks the header of a file.
pub(super) fn check_header(bytes: &[u8; HEADER]) -> Result<(), String> {
    let version = u32_at(bytes, 8);
    if version != VERSION {
        return Err(format!("version {version}: this program reads version {VERSION}"));
    }
    if u32_at(bytes, 12) != crc(version, &bytes[16..]) {
        return Err("the CRC of the file's header is wrong".to_owned());
    }
    Ok(())
}

/// Appends a record.
pub(super) fn seal(kind: u16, sequence: u64, payload: &[&[u8]], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(&u64::from(kind).to_le_bytes());
    payload.iter().for_each(|part| out.extend_from_slice(part));
    let length = (out.len() - start) as u32;
    out.resize(start + (out.len() - start).next_multiple_of(8), 0);
    let crc = crc(length, &out[start + 8..]);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
}

/// CRC-32 (ISO-HDLC) of `bytes`, begun with `start`: the journal's own.
pub(super) fn crc(start: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(start);
    hasher.update(bytes);
    hasher.finalize()
}

/// The number at an offset; zero where there is none.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let raw = bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).unwrap_or_default();
    u32::from_le_bytes(raw)
}

/// The number at an offset; zero where there is none.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let raw = bytes.get(at..at + 8).and_then(|raw| raw.try_into().ok()).unwrap_or_default();
    u64::from_le_bytes(raw)
}
