//! The two shapes of market data by which books are measured, since the ranking of books inverts
//! between them: *broad* (many instruments, many orders, few levels) and *deep* (one instrument,
//! near a thousand levels a side). Both are ITCH messages in memory.

pub mod arl;
pub mod broad;
pub mod deep;
pub mod fix;

use feeds::itch50::{Encoder, Listing};
use market::{Instrument, Timestamp};
use std::path::PathBuf;

/// The folder of recordings: `$TOUCHLINE_DATA`, or the one beside the project.
#[must_use]
pub fn recordings() -> PathBuf {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    std::env::var_os("TOUCHLINE_DATA").map_or_else(|| here.into(), PathBuf::from)
}

/// ITCH messages one behind the other, each behind its length (u16, big-endian), as in a BinaryFILE.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    bytes: Vec<u8>,
    count: usize,
}

impl Messages {
    /// Appends a message.
    ///
    /// # Panics
    /// If it is longer than a length can say; none of ITCH is.
    pub fn push(&mut self, message: &[u8]) {
        let length = u16::try_from(message.len()).expect("ITCH messages are short");
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(message);
        self.count += 1;
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// True without any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Every message in turn.
    #[must_use]
    pub fn iter(&self) -> Walk<'_> {
        Walk { rest: &self.bytes }
    }
}

/// Walks over messages; kept between blocks, so that each goes on where the last ended.
#[derive(Clone, Debug, Default)]
pub struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Walk<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<2>()?;
        let (message, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        self.rest = rest;
        Some(message)
    }
}

impl<'a> Walk<'a> {
    /// What is left, lengths included.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` messages as a walk of their own; fewer at the end.
    pub fn split(&mut self, count: usize) -> Walk<'a> {
        let from = self.rest;
        self.by_ref().take(count).for_each(drop);
        Walk { rest: &from[..from.len() - self.rest.len()] }
    }
}

/// A recorded or generated day: its instruments, and its messages from the first on.
#[derive(Clone, Debug)]
pub struct Day {
    /// What is listed, by instrument id.
    pub listings: Vec<Listing>,
    /// What goes before, untimed: it brings empty books to their usual size.
    pub opening: Messages,
    /// What is measured.
    pub messages: Messages,
}

impl Day {
    /// A day of `instruments` that begins with their directory; locates are 1, 2, … in their order.
    ///
    /// # Panics
    /// If they do not fit ITCH; those of a bench do.
    #[must_use]
    pub fn new(instruments: &[Instrument]) -> Day {
        let mut opening = Messages::default();
        let encoder = Encoder::new(instruments, Timestamp::ZERO);
        let mut encoder = encoder.expect("the instruments fit ITCH");
        let directory = encoder.directory(Timestamp::ZERO, &mut |message| opening.push(message));
        directory.expect("midnight is within the day");
        let listings = instruments.iter().map(Listing::from).collect();
        Day { listings, opening, messages: Messages::default() }
    }
}
