//! The market data of the bench: what is listed, and the marks' ticks as packets of one message. It
//! sends nothing itself.

use crate::wired::marks::Marks;
use feeds::moldudp64::{PublishError, Publisher, Session};
use market::book::BookLimits;
use market::{Instrument, InstrumentId, Nanos, Price, Timestamp};

/// Instruments of the marks; all of them are quoted.
pub const LISTED: u32 = 5;
/// Longest packet.
pub const PACKET_BYTES: usize = 1_400;

/// What an engine of the bench is told of.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Everything, by instrument id; the marks are the last [`LISTED`].
    pub instruments: Vec<Instrument>,
    /// What is quoted, the marks among it.
    pub quoted: Vec<InstrumentId>,
    /// Sizes of the books.
    pub books: BookLimits,
    /// Bytes of a segment of the loop's journal.
    pub segment_bytes: u64,
}

impl Listed {
    /// The marks alone.
    #[must_use]
    pub fn marks() -> Listed {
        Listed::beside(Vec::new(), 0, (65_536, 1_024))
    }

    /// The marks beside other instruments, of which so many are quoted, the first ones; `books` has
    /// room for so many orders in all and levels a side.
    #[must_use]
    pub fn beside(others: Vec<Instrument>, quoted: usize, books: (usize, usize)) -> Listed {
        let count = others.len();
        let (first, mut instruments) = (u32::try_from(count).unwrap_or(u32::MAX), others);
        let marks = (0..LISTED).map(|at| Instrument::share(first + at, &format!("TL{at}")));
        instruments.extend(marks);
        let ids = instruments.iter().map(|instrument| instrument.id).enumerate();
        let quoted = ids.filter(|(at, _)| *at < quoted || *at >= count).map(|(_, id)| id).collect();
        let books = BookLimits { instruments: instruments.len(), orders: books.0, levels: books.1 };
        Listed { instruments, quoted, books, segment_bytes: 16 << 20 }
    }
}

/// The midnight before `now`.
#[must_use]
pub fn midnight(now: Timestamp) -> Timestamp {
    Timestamp::from_nanos(now.nanos() / Nanos::DAY.get() * Nanos::DAY.get())
}

/// One session of market data: the marks alone, a packet a tick.
pub struct Market {
    marks: Marks,
    publisher: Publisher,
}

impl Market {
    /// A session of the day of `now`.
    ///
    /// # Panics
    /// Never: its instruments fit ITCH.
    #[must_use]
    pub fn new(now: Timestamp) -> Market {
        let session = Session::new("BENCH").expect("a session's name");
        Market {
            marks: Marks::new(now, &Listed::marks(), 2, 0),
            publisher: Publisher::new(session, 1, PACKET_BYTES, Nanos::SECOND),
        }
    }

    /// The packets with which the session opens: the directory, and every book.
    ///
    /// # Panics
    /// Never: what it says fits ITCH.
    pub fn opening(&mut self) -> Vec<Vec<u8>> {
        let Market { marks, publisher } = self;
        let (time, mut packets) = (marks.time(), Vec::new());
        marks.opening(&mut |message| {
            if publisher.push(message) == Err(PublishError::Full) {
                packets.extend(publisher.take(time).map(<[u8]>::to_vec));
                publisher.push(message).expect("an empty packet has room");
            }
        });
        packets.extend(publisher.take(time).map(<[u8]>::to_vec));
        packets
    }

    /// The next tick, a packet of one ITCH Replace: whose best bid moves, where to, and the bytes.
    ///
    /// # Panics
    /// Never: what it says fits ITCH.
    pub fn tick(&mut self) -> (InstrumentId, Price, &[u8]) {
        let Market { marks, publisher } = self;
        let (id, price) = marks.tick(&mut |message| {
            publisher.push(message).expect("one message fits");
        });
        (id, price, publisher.take(marks.time()).expect("it holds a message"))
    }

    /// A packet of one message far behind the best price: an order comes, or goes again.
    ///
    /// # Panics
    /// Never: what it says fits ITCH.
    pub fn quiet(&mut self) -> &[u8] {
        let Market { marks, publisher } = self;
        marks.quiet(&mut |message| {
            publisher.push(message).expect("one message fits");
        });
        publisher.take(marks.time()).expect("it holds a message")
    }
}
