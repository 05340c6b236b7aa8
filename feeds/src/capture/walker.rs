//! From frame to frame of a capture, through a window: nothing is copied but what the file is read
//! into.

use super::pcapng::Section;
use crate::recording::{Broken, Log, Window};
use market::Timestamp;
use std::io::Read;

/// Most bytes of a frame: libpcap's own limit (MAXIMUM_SNAPLEN) for the links that are read here.
pub(super) const FRAME_MAX: usize = 1 << 18;
/// Bytes of pcap's file header, and of the header of a record.
const HEADER: usize = 24;
const RECORD: usize = 16;

/// One captured frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Where its record begins in the file.
    pub position: u64,
    /// When it was captured, by the clock of whoever did; zero if the file does not say.
    pub time: Timestamp,
    /// Its link type, of the LINKTYPE_ registry.
    pub link: u16,
    /// Bytes it had on the wire; more than are here if it was sliced.
    pub length: u32,
    /// What was captured of it.
    pub bytes: &'a [u8],
}

/// How the file is laid out.
#[derive(Clone, Debug)]
enum Layout {
    Unknown,
    Pcap(Pcap),
    PcapNg(Section),
    /// It ended, or broke.
    Over(Option<Broken>),
}

/// What a pcap file says of all its records.
#[derive(Clone, Copy, Debug)]
struct Pcap {
    big: bool,
    nanos: bool,
    link: u16,
}

/// Where a frame stands in the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Bytes of its record, and where in it the frame stands.
    pub(super) record: usize,
    pub(super) at: usize,
    pub(super) captured: usize,
    pub(super) time: Timestamp,
    pub(super) link: u16,
    pub(super) length: u32,
}

/// See the module.
#[derive(Debug)]
pub struct Walker<R> {
    window: Window<R>,
    layout: Layout,
    frames: u64,
}

/// What stands in the way of the next frame.
pub(super) enum Obstacle {
    /// The file ends, within a record if a reason is given.
    End(Option<String>),
    Broken(String),
}

impl From<std::io::Error> for Obstacle {
    fn from(error: std::io::Error) -> Obstacle {
        match error.kind() {
            // A packing that was cut.
            std::io::ErrorKind::UnexpectedEof => Obstacle::End(Some(error.to_string())),
            _ => Obstacle::Broken(error.to_string()),
        }
    }
}

/// A number of two or four bytes, as the file has them.
pub(super) fn u16_at(bytes: &[u8], at: usize, big: bool) -> u16 {
    let raw = bytes.get(at..at + 2).and_then(|raw| raw.try_into().ok()).unwrap_or_default();
    if big { u16::from_be_bytes(raw) } else { u16::from_le_bytes(raw) }
}

#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize, big: bool) -> u32 {
    let raw = bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).unwrap_or_default();
    if big { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) }
}

/// The name of the format that a capture begins like.
#[must_use]
pub(super) fn kind(head: &[u8]) -> Option<&'static str> {
    match head.get(..4)? {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0xa1, 0xb2, 0xc3, 0xd4] => Some("pcap, microseconds"),
        [0x4d, 0x3c, 0xb2, 0xa1] | [0xa1, 0xb2, 0x3c, 0x4d] => Some("pcap, nanoseconds"),
        [0x0a, 0x0d, 0x0d, 0x0a] => {
            let order = head.get(8..12)?;
            let known = [[0x4d, 0x3c, 0x2b, 0x1a], [0x1a, 0x2b, 0x3c, 0x4d]];
            known.iter().any(|known| known == order).then_some("pcapng")
        }
        _ => None,
    }
}

impl<R: Read> Walker<R> {
    /// Walks a capture from its first byte.
    pub fn new(input: R) -> Walker<R> {
        Walker { window: Window::new(input), layout: Layout::Unknown, frames: 0 }
    }

    /// Frames given so far.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Where the next record begins.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.window.position()
    }

    /// The next frame; `None` at the end. What is passed over on the way goes into `log`.
    ///
    /// # Errors
    /// [`Broken`] if the next record cannot be found.
    #[inline]
    pub fn next_frame(&mut self, log: &mut Log) -> Result<Option<Frame<'_>>, Broken> {
        let place = match &self.layout {
            Layout::Pcap(pcap) => pcap.whole(self.window.bytes()),
            Layout::PcapNg(section) => section.whole(self.window.bytes()),
            _ => None,
        };
        match place {
            Some(place) => Ok(Some(self.give(place))),
            None => self.seek_frame(log),
        }
    }

    /// The next frame where it does not stand in the window as a whole, or not as most do.
    #[inline(never)]
    fn seek_frame(&mut self, log: &mut Log) -> Result<Option<Frame<'_>>, Broken> {
        let found = match &mut self.layout {
            Layout::Pcap(pcap) => pcap.record(&mut self.window),
            Layout::PcapNg(section) => section.next(&mut self.window, log),
            Layout::Unknown => {
                return match begin(&mut self.window) {
                    Ok(layout) => {
                        self.layout = layout;
                        self.next_frame(log)
                    }
                    Err(obstacle) => self.end(obstacle, log),
                };
            }
            Layout::Over(None) => return Ok(None),
            Layout::Over(Some(broken)) => return Err(broken.clone()),
        };
        match found {
            Ok(place) => Ok(Some(self.give(place))),
            Err(obstacle) => self.end(obstacle, log),
        }
    }

    /// The frame at a place, whose record is passed.
    #[inline]
    fn give(&mut self, place: Place) -> Frame<'_> {
        let Place { record, at, captured, time, link, length } = place;
        self.frames += 1;
        let position = self.window.position();
        let bytes = &self.window.take(record)[at..at + captured];
        Frame { position, time, link, length, bytes }
    }

    #[cold]
    fn end(&mut self, obstacle: Obstacle, log: &mut Log) -> Result<Option<Frame<'_>>, Broken> {
        let (position, number) = (self.window.position(), self.frames + 1);
        let broken = match obstacle {
            Obstacle::End(None) => None,
            Obstacle::End(Some(reason)) => {
                log.cut(position, format!("packet {number}: {reason}"));
                None
            }
            Obstacle::Broken(reason) => {
                Some(Broken { position, reason: format!("packet {number}: {reason}") })
            }
        };
        self.layout = Layout::Over(broken.clone());
        broken.map_or(Ok(None), Err)
    }
}

/// The layout that the first bytes tell.
fn begin<R: Read>(window: &mut Window<R>) -> Result<Layout, Obstacle> {
    let there = window.have(HEADER)?;
    let bytes = window.bytes();
    match kind(bytes) {
        None => Err(Obstacle::Broken("neither pcap nor pcapng".to_owned())),
        Some("pcapng") => Ok(Layout::PcapNg(Section::default())),
        Some(name) if there >= HEADER => {
            let big = bytes[0] == 0xa1;
            // Above the link type stand the length of a frame check sequence and its flag.
            let link = u32_at(bytes, 20, big) as u16;
            window.take(HEADER);
            Ok(Layout::Pcap(Pcap { big, nanos: name.ends_with("nanoseconds"), link }))
        }
        Some(_) => Err(Obstacle::End(Some(format!("{there} of {HEADER} bytes of the header")))),
    }
}

impl Pcap {
    /// The record at the front of `bytes`, if all of it is there.
    #[inline]
    fn whole(self, bytes: &[u8]) -> Option<Place> {
        let header = bytes.first_chunk::<RECORD>()?;
        let [seconds, fraction, captured, length] =
            [0, 4, 8, 12].map(|at| u32_at(header, at, self.big));
        let captured = captured as usize;
        if captured > FRAME_MAX || bytes.len() - RECORD < captured {
            return None;
        }
        let fraction = u64::from(fraction) * if self.nanos { 1 } else { 1_000 };
        let time = Timestamp::from_nanos(u64::from(seconds) * 1_000_000_000 + fraction);
        let (record, link) = (RECORD + captured, self.link);
        Some(Place { record, at: RECORD, captured, time, link, length })
    }

    /// The next record, which is read as far as it is there.
    fn record<R: Read>(self, window: &mut Window<R>) -> Result<Place, Obstacle> {
        let there = window.have(RECORD)?;
        if there < RECORD {
            let text = || format!("{there} of {RECORD} bytes of its header are there");
            return Err(Obstacle::End((there > 0).then(text)));
        }
        let captured = u32_at(window.bytes(), 8, self.big) as usize;
        if captured > FRAME_MAX {
            let text = format!("claims {captured} bytes: more than any packet has");
            return Err(Obstacle::Broken(text));
        }
        let there = window.have(RECORD + captured)? - RECORD;
        self.whole(window.bytes()).ok_or_else(|| {
            let text = format!("cut: {there} of its {captured} bytes are there");
            Obstacle::End(Some(text))
        })
    }
}
