//! The blocks of pcapng: sections, interfaces and their clocks, packets in three kinds of block.
//! Source: draft-ietf-opsawg-pcapng; the obsolete packet block from its appendix.

use super::walker::{FRAME_MAX, Obstacle, Place, u16_at, u32_at};
use crate::recording::{Log, Window};
use market::{Nanos, Timestamp};
use std::io::Read;

/// Block types.
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE: u32 = 3;
const ENHANCED: u32 = 6;

/// Bytes that a block must have, and most bytes that one of a packet or interface may have: a frame,
/// and room for what stands beside it.
const BLOCK_MIN: usize = 12;
const BLOCK_MAX: usize = FRAME_MAX + 4096;
/// What stands before the frame in an enhanced packet block, and the length behind it.
const ENHANCED_HEAD: usize = 28;
const TAIL: usize = 4;
/// Interfaces of a section.
const INTERFACES_MAX: usize = 4096;

/// Where packets were captured.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u16,
    snap: u32,
    /// Ticks of its clock in a second, and seconds to add.
    ticks: u128,
    offset: i64,
    /// Nanoseconds of a tick, where they are whole and nothing is to be added.
    tick: Option<u64>,
}

/// What holds until the next section.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    big: bool,
    interfaces: Vec<Interface>,
}

impl Section {
    /// The enhanced packet block at the front of `bytes`, if all of it is there and there is nothing to
    /// say about it: what most blocks are. [`Section::next`] judges the others.
    #[inline]
    pub(super) fn whole(&self, bytes: &[u8]) -> Option<Place> {
        let header = bytes.first_chunk::<ENHANCED_HEAD>()?;
        let [kind, record, number, high, low, captured, length] =
            [0, 4, 8, 12, 16, 20, 24].map(|at| u32_at(header, at, self.big));
        let (record, captured) = (record as usize, captured as usize);
        let interface = self.interfaces.get(number as usize)?;
        let ticks = u64::from(high) << 32 | u64::from(low);
        let time = Timestamp::from_nanos(ticks.checked_mul(interface.tick?)?);
        let fits = record.is_multiple_of(4) && record <= BLOCK_MAX && record <= bytes.len();
        if kind != ENHANCED || !fits || record < ENHANCED_HEAD + TAIL + captured {
            return None;
        }
        let again = u32_at(bytes, record - TAIL, self.big) as usize;
        let place =
            Place { record, at: ENHANCED_HEAD, captured, time, link: interface.link, length };
        (again == record).then_some(place)
    }

    /// Where the next frame stands, whose block then stands at the front of the window. Other blocks
    /// are passed.
    pub(super) fn next<R: Read>(
        &mut self,
        window: &mut Window<R>,
        log: &mut Log,
    ) -> Result<Place, Obstacle> {
        loop {
            let there = window.have(BLOCK_MIN)?;
            if there < BLOCK_MIN {
                let text = || format!("{there} of {BLOCK_MIN} bytes of a block are there");
                return Err(Obstacle::End((there > 0).then(text)));
            }
            let kind = u32_at(window.bytes(), 0, self.big);
            if kind == SECTION {
                self.begin(window)?;
            }
            let length = u32_at(window.bytes(), 4, self.big) as usize;
            if length < BLOCK_MIN || !length.is_multiple_of(4) {
                let text = format!("a block of {length} bytes: there is no way to the next");
                return Err(Obstacle::Broken(text));
            }
            let read = matches!(kind, INTERFACE | PACKET | SIMPLE | ENHANCED);
            if !read || length > BLOCK_MAX {
                if read {
                    log.skip(window.position(), "block longer than any packet");
                }
                self.pass(window, length)?;
                continue;
            }
            let there = window.have(length)?;
            if there < length {
                return Err(cut(there, length));
            }
            let block = &window.bytes()[..length];
            if u32_at(block, length - 4, self.big) as usize != length {
                let text = "a block's length differs before and behind it".to_owned();
                return Err(Obstacle::Broken(text));
            }
            let found = if kind == INTERFACE {
                self.interface(block).map(|()| None)
            } else {
                self.packet(kind, block).map(Some)
            };
            match found {
                Ok(Some(place)) => return Ok(place),
                Ok(None) => {}
                Err(reason) => log.skip(window.position(), reason),
            }
            window.take(length);
        }
    }

    /// A section header, which stands at the front: its byte order holds from here on.
    fn begin<R: Read>(&mut self, window: &Window<R>) -> Result<(), Obstacle> {
        self.big = match &window.bytes()[8..12] {
            [0x1a, 0x2b, 0x3c, 0x4d] => true,
            [0x4d, 0x3c, 0x2b, 0x1a] => false,
            _ => {
                let text = "a section without a byte order".to_owned();
                return Err(Obstacle::Broken(text));
            }
        };
        self.interfaces.clear();
        Ok(())
    }

    fn pass<R: Read>(&self, window: &mut Window<R>, length: usize) -> Result<(), Obstacle> {
        let passed = window.pass(length as u64)?;
        if passed < length as u64 {
            return Err(cut(usize::try_from(passed).unwrap_or(usize::MAX), length));
        }
        Ok(())
    }

    fn interface(&mut self, block: &[u8]) -> Result<(), &'static str> {
        if self.interfaces.len() >= INTERFACES_MAX {
            return Err("more interfaces than a section may have");
        }
        if block.len() < 20 {
            return Err("interface block too short");
        }
        let mut interface = Interface {
            link: u16_at(block, 8, self.big),
            snap: u32_at(block, 12, self.big),
            ticks: 1_000_000,
            offset: 0,
            tick: None,
        };
        let mut options = &block[16..block.len() - 4];
        while let [_, _, _, _, rest @ ..] = options {
            let (code, length) =
                (u16_at(options, 0, self.big), usize::from(u16_at(options, 2, self.big)));
            let Some(value) = rest.get(..length) else { break };
            match (code, value) {
                (0, _) => break,
                // if_tsresol: a power of ten, or of two if the highest bit is set.
                (9, &[power]) if power & 0x80 == 0 => {
                    interface.ticks = 10u128.checked_pow(power.into()).unwrap_or(u128::MAX);
                }
                (9, &[power]) => interface.ticks = 1 << (power & 0x7f),
                // if_tsoffset.
                (14, value) => {
                    let raw = value.try_into().unwrap_or_default();
                    let both = [i64::from_le_bytes(raw), i64::from_be_bytes(raw)];
                    interface.offset = both[usize::from(self.big)];
                }
                _ => {}
            }
            options = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        let nanos = u128::from(Nanos::SECOND.get());
        if interface.offset == 0 && nanos.is_multiple_of(interface.ticks) {
            interface.tick = u64::try_from(nanos / interface.ticks).ok();
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn packet(&self, kind: u32, block: &[u8]) -> Result<Place, &'static str> {
        let word = |at| u32_at(block, at, self.big);
        let fixed = if kind == SIMPLE { 12 } else { ENHANCED_HEAD };
        let room = block.len().checked_sub(fixed + TAIL).ok_or("packet block too short")?;
        let number = match kind {
            SIMPLE => 0,
            PACKET => u16_at(block, 8, self.big).into(),
            _ => word(8) as usize,
        };
        let Some(interface) = self.interfaces.get(number) else {
            return Err("packet of an interface that was not described");
        };
        let (captured, length, time) = if kind == SIMPLE {
            let length = word(8);
            let captured = if interface.snap == 0 { length } else { length.min(interface.snap) };
            (captured as usize, length, Timestamp::ZERO)
        } else {
            let ticks = u64::from(word(12)) << 32 | u64::from(word(16));
            (word(20) as usize, word(24), interface.time(ticks))
        };
        if captured > room {
            return Err("packet longer than its block");
        }
        Ok(Place { record: block.len(), at: fixed, captured, time, link: interface.link, length })
    }
}

impl Interface {
    fn time(&self, ticks: u64) -> Timestamp {
        let nanos = u128::from(ticks) * 1_000_000_000 / self.ticks;
        let nanos = i128::try_from(nanos).unwrap_or(i128::MAX);
        let nanos = nanos.saturating_add(i128::from(self.offset) * 1_000_000_000);
        Timestamp::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
    }
}

fn cut(there: usize, length: usize) -> Obstacle {
    Obstacle::End(Some(format!("cut: {there} of {length} bytes of its block are there")))
}
