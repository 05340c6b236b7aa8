//! From block to block of an event file. What is damaged is passed over: the next record that is
//! intact is looked for at every multiple of 8 bytes.

use super::frame::{
    self, BLOCK, BLOCK_HEAD, HEADER, Head, MAGIC, RECORD, Row, check_header, kind, u64_at,
};
use crate::recording::{Broken, Log, Window, ended};
use std::io::{self, Read};

/// Wrong CRCs of what looks like a record, in a whole file: more is not worth the time, which input
/// could make as long as it likes.
const TRIES: u32 = 1_024;

/// What comes next.
pub(super) enum Next {
    /// A block, which stands at this position.
    Block(u64),
    /// Blocks from this position on could not be read.
    Missing(u64),
    End,
}

/// See the module.
pub(super) struct Blocks<R> {
    window: Window<R>,
    unpacker: Option<zstd::bulk::Decompressor<'static>>,
    /// The file's header was read.
    begun: bool,
    /// Sequence of the last record.
    sequence: u64,
    blocks: u64,
    tries: u32,
    /// CRC of the index as it should be, of the index as it stands, and where that began.
    rows: [u32; 2],
    index: Option<u64>,
    damaged: bool,
    /// A block that was read to see what was missing before it.
    kept: Option<Result<Next, Broken>>,
    over: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(input: R) -> Blocks<R> {
        Blocks {
            window: Window::new(input),
            unpacker: None,
            begun: false,
            sequence: 0,
            blocks: 0,
            tries: 0,
            rows: [0; 2],
            index: None,
            damaged: false,
            kept: None,
            over: false,
        }
    }

    /// Blocks read.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Gives this again the next time.
    pub(super) fn again(&mut self, next: Result<Next, Broken>) {
        self.kept = Some(next);
    }

    /// Unpacks the next block into `block`, or says what stands in its place.
    pub(super) fn next(&mut self, block: &mut Vec<u8>, log: &mut Log) -> Result<Next, Broken> {
        if let Some(kept) = self.kept.take() {
            return kept;
        }
        let position = self.window.position();
        self.read(block, log).unwrap_or_else(|error| {
            self.over = true;
            ended(&error, position, log).map(|()| Next::End)
        })
    }

    fn read(&mut self, block: &mut Vec<u8>, log: &mut Log) -> io::Result<Result<Next, Broken>> {
        if !self.begun {
            if let Err(reason) = self.begin()? {
                self.over = true;
                return Ok(Err(Broken { position: 0, reason }));
            }
            self.begun = true;
        }
        loop {
            if self.over {
                return Ok(Ok(Next::End));
            }
            let position = self.window.position();
            let there = self.window.have(RECORD)?;
            if there == 0 {
                log.cut(position, "there is no end record: the file was not closed");
                self.over = true;
                continue;
            }
            let Some(head) = self.intact()? else { return self.pass(log) };
            if head.sequence != self.sequence + 1 {
                // Records before it are gone without a trace.
                let count = head.sequence.wrapping_sub(self.sequence + 1);
                log.damage(position, format!("{count} blocks before it are missing"));
                self.sequence = head.sequence - 1;
                self.damaged = true;
                return Ok(Ok(Next::Missing(position)));
            }
            self.sequence = head.sequence;
            let record = self.window.take(head.padded());
            let payload = &record[RECORD..head.length];
            match head.kind {
                kind::BLOCK => {
                    let (row, unpacked) = Row::of_block(payload, position);
                    self.rows[0] = frame::crc(self.rows[0], &row.bytes());
                    let packed = payload.get(BLOCK_HEAD..).unwrap_or_default();
                    if let Err(reason) = unpack(&mut self.unpacker, packed, unpacked, block) {
                        log.damage(position, format!("block: {reason}"));
                        return Ok(Ok(Next::Missing(position)));
                    }
                    self.blocks += 1;
                    return Ok(Ok(Next::Block(position)));
                }
                kind::INDEX => {
                    self.index.get_or_insert(position);
                    self.rows[1] = frame::crc(self.rows[1], payload);
                }
                _ => {
                    let said = u64_at(payload, 0);
                    self.end(position, said, log)?;
                }
            }
        }
    }

    /// Reads the file's header.
    fn begin(&mut self) -> io::Result<Result<(), String>> {
        let there = self.window.have(HEADER)?;
        let Some(header) = self.window.bytes().first_chunk::<HEADER>() else {
            return Ok(Err(format!("{there} of {HEADER} bytes of the file's header are there")));
        };
        let well = match header.starts_with(&MAGIC) {
            true => check_header(header),
            false => Err("not an event file".to_owned()),
        };
        self.window.take(HEADER);
        Ok(well)
    }

    /// The record at the front of the window, if it is intact and later than those before.
    fn intact(&mut self) -> io::Result<Option<Head>> {
        let Some(head) = Head::of(self.window.bytes()) else { return Ok(None) };
        if head.sequence <= self.sequence || self.window.have(head.padded())? < head.padded() {
            return Ok(None);
        }
        let well = head.is_intact(&self.window.bytes()[..head.padded()]);
        self.tries += u32::from(!well);
        Ok(well.then_some(head))
    }

    /// Passes over what is no record, to the next one or the end.
    fn pass(&mut self, log: &mut Log) -> io::Result<Result<Next, Broken>> {
        let position = self.window.position();
        self.damaged = true;
        loop {
            if self.tries > TRIES {
                self.over = true;
                let reason = "too much is damaged to look for the next block".to_owned();
                return Ok(Err(Broken { position, reason }));
            }
            self.window.take(8);
            if self.window.have(RECORD)? < RECORD {
                let left = self.window.position() - position + self.window.bytes().len() as u64;
                log.cut(position, format!("{left} bytes are no whole block: the file is cut off"));
                self.over = true;
                return Ok(Ok(Next::End));
            }
            if let Some(head) = self.intact()? {
                let bytes = self.window.position() - position;
                log.damage(position, format!("{bytes} bytes are no block that is intact"));
                self.sequence = head.sequence - 1;
                return Ok(Ok(Next::Missing(position)));
            }
        }
    }

    /// Checks what the end record and the index say.
    fn end(&mut self, position: u64, said: u64, log: &mut Log) -> io::Result<()> {
        self.over = true;
        if !self.damaged {
            if said != self.index.unwrap_or(position) {
                log.damage(position, "the end record names another place of the index");
            }
            if self.rows[0] != self.rows[1] {
                log.damage(said, "the index is not that of the blocks");
            }
        }
        let behind = self.window.position();
        if self.window.have(1)? > 0 {
            log.damage(behind, "bytes behind the end record");
        }
        Ok(())
    }
}

/// Unpacks a block of so many bytes.
fn unpack(
    unpacker: &mut Option<zstd::bulk::Decompressor<'static>>,
    packed: &[u8],
    unpacked: usize,
    block: &mut Vec<u8>,
) -> Result<(), String> {
    let unpacker = match unpacker {
        Some(unpacker) => unpacker,
        None => {
            unpacker.insert(zstd::bulk::Decompressor::new().map_err(|error| error.to_string())?)
        }
    };
    block.clear();
    block.reserve(BLOCK);
    if unpacked > BLOCK {
        return Err(format!("claims {unpacked} bytes, more than a block has"));
    }
    match unpacker.decompress_to_buffer(packed, block) {
        Ok(bytes) if bytes == unpacked => Ok(()),
        Ok(bytes) => Err(format!("{bytes} bytes instead of {unpacked}")),
        Err(error) => Err(error.to_string()),
    }
    .inspect_err(|_| block.clear())
}
