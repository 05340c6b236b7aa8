//! Bodies of the fuzz targets: each takes any bytes and panics if the crate breaks a promise.
//!
//! The tests run them over the corpus and over random bytes; a fuzzer may run them for days.

mod binance;
mod books;
mod iex;
mod lines;
mod mdp3;
mod recordings;
mod tcp;
mod soupbintcp;
mod websocket;

pub use binance::binance_depth;
#[cfg(feature = "canary")]
pub use books::canary;
pub use books::{levels_differential, orders_differential};
pub use iex::iex;
pub use lines::{iex_lines, mdp3_lines, mdp3_orders, moldudp64_lines};
pub use mdp3::mdp3;
pub use recordings::{
    binance, coinbase, databento_csv, dbn_file, events, itch50_file, kraken, lobster_book,
    lobster_messages, recording, tardis,
};
pub use soupbintcp::{board, snapshot, soupbintcp};
pub use tcp::tcp;
pub use websocket::{websocket, websocket_frames};

use crate::capture::{Carried, Frame, transport};
use crate::databento;
use crate::feed::Feed;
use crate::file::{FileError, Reader};
use crate::itch50::{Decoder, Listing, Message, message};
use crate::moldudp64::{Config, Datagram, Handler, Line, Packet, Receiver, Session};
use crate::recording::Wanted;
use market::{Event, EventFlags, EventKind, Instrument, InstrumentId, Nanos, Timestamp};

/// A body, which takes any bytes.
pub type Body = fn(&[u8]);

/// Every body by its name, which is that of its target in `feeds/fuzz`; the one with the planted bug is
/// not among them.
pub const BODIES: &[(&str, Body)] = &[
    ("binance", binance),
    ("binance_depth", binance_depth),
    ("board", board),
    ("coinbase", coinbase),
    ("databento_csv", databento_csv),
    ("dbn", dbn),
    ("dbn_file", dbn_file),
    ("events", events),
    ("feed", feed),
    ("file", file),
    ("frame", frame),
    ("iex", iex),
    ("iex_lines", iex_lines),
    ("itch50", itch50),
    ("itch50_file", itch50_file),
    ("kraken", kraken),
    ("levels_differential", levels_differential),
    ("lobster_book", lobster_book),
    ("lobster_messages", lobster_messages),
    ("mdp3", mdp3),
    ("mdp3_lines", mdp3_lines),
    ("mdp3_orders", mdp3_orders),
    ("moldudp64_lines", moldudp64_lines),
    ("orders_differential", orders_differential),
    ("packet", packet),
    ("receiver", receiver),
    ("recording", recording),
    ("snapshot", snapshot),
    ("soupbintcp", soupbintcp),
    ("tardis", tardis),
    ("tcp", tcp),
    ("websocket", websocket),
    ("websocket_frames", websocket_frames),
];

/// Any bytes as one ITCH message: no panic, at most two events, and what parses writes the same
/// bytes again.
pub fn itch50(bytes: &[u8]) {
    let mut events: Vec<Event> = Vec::new();
    let mut decoder = decoder();
    // Bound, so that messages of locate 1 pass.
    let directory = [b"R\0\x01\0\0\0\0\0\0\0\0FUZZ    ".as_slice(), &[b' '; 20]].concat();
    let _ = decoder.decode(&directory, 0, &mut events);
    let result = decoder.decode(bytes, 0, &mut events);
    assert!(events.len() <= 2, "{events:?}");
    assert_eq!(decoder.counters().events, events.len() as u64);
    assert!(events.iter().all(|event| event.kind().is_some() && event.qty.raw() >= 0));
    if let Ok(message) = Message::parse(bytes) {
        assert_eq!(message.write(&mut [0; message::LENGTH_MAX]), bytes);
    } else {
        assert!(result.is_err());
    }
}

/// Any bytes as one MoldUDP64 packet: no panic, and what parses has the messages it counts.
pub fn packet(bytes: &[u8]) {
    if let Ok(packet) = Packet::parse(bytes) {
        assert_eq!(packet.messages().count(), usize::from(packet.count));
        let blocks: usize = packet.messages().map(|message| 2 + message.len()).sum();
        assert_eq!(crate::moldudp64::HEADER_BYTES + blocks, bytes.len());
    }
}

/// Any bytes as a run of a receiver: lines, datagrams, drains and time are read from them.
/// Messages come in sequence, each once; gaps open and close in turn; memory is bounded.
pub fn receiver(bytes: &[u8]) {
    let mut config = Config::new(2);
    (config.stash_packets, config.packet_bytes_max) = (4, 64);
    (config.requests.tries, config.requests.count_max) = (2, 8);
    let mut receiver = Receiver::new(config);
    let mut order = InOrder { next: None, in_gap: false };
    let mut now = Timestamp::ZERO;
    run(bytes, |step, datagram| {
        now = now.after(Nanos::from_micros(u64::from(step) * 100));
        match step % 8 {
            6 => drop(receiver.drain(usize::from(step), now, &mut order)),
            7 => drop(receiver.poll(now, &mut order)),
            line => receiver.on_datagram(line_of(line), &datagram, now, &mut order),
        }
        assert_eq!(receiver.in_gap(), order.in_gap);
    });
}

/// As [`receiver`], through a whole feed: every group of events ends with `LAST`, and no call gives
/// more events than it may. With entries kept it gives the same events, and names each entry.
pub fn feed(bytes: &[u8]) {
    let (plain, slots) = feed_with(bytes, false);
    let (mut all, entries) = feed_with(bytes, true);
    let is_entry = |event: &Event| event.kind() == Some(EventKind::Entry);
    let named: Vec<u64> = all.iter().filter(|event| is_entry(event)).map(|e| e.order).collect();
    assert_eq!((named, slots), ((0..entries).collect(), 0));
    all.retain(|event| !is_entry(event));
    let bare = |event: &Event| Event { flags: EventFlags::NONE, ..*event };
    assert!(all.iter().map(bare).eq(plain.iter().map(bare)));
}

/// The events of a feed, and how many entries it kept.
fn feed_with(bytes: &[u8], entries: bool) -> (Vec<Event>, u64) {
    let mut config = Config::new(2);
    (config.stash_packets, config.packet_bytes_max) = (4, 256);
    let mut feed = Feed::new(config, decoder(), true);
    if entries {
        feed.keep_entries(&[Instrument { qty_digits: 9, ..Instrument::share(0, "FUZZ") }]);
    }
    let (mut now, mut all, mut kept) = (Timestamp::ZERO, Vec::new(), 0);
    run(bytes, |step, datagram| {
        now = now.after(Nanos::from_micros(u64::from(step) * 100));
        let mut events: Vec<Event> = Vec::new();
        match step % 8 {
            6 => drop(feed.drain(1, now, &mut events)),
            7 => drop(feed.poll(now, &mut events)),
            line => feed.on_datagram(line_of(line), &datagram, now, &mut events),
        }
        assert!(events.len() <= Feed::EVENTS_MAX);
        assert!(events.last().is_none_or(|last| last.flags.has(EventFlags::LAST)));
        all.append(&mut events);
        kept += feed.take_entries().len() as u64;
    });
    (all, kept)
}

/// Any bytes as a BinaryFILE: no panic, no endless loop, and messages and offset agree.
pub fn file(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let (mut messages, mut offset) = (0, 0);
    let end = loop {
        match reader.next_message() {
            Ok(Some(message)) => {
                assert!(!message.is_empty());
                messages += 1;
                offset += 2 + message.len() as u64;
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert_eq!((reader.messages(), reader.offset()), (messages, offset));
    if let Some(FileError::Torn { found, wanted, .. }) = end {
        assert!(found < wanted);
    }
}

/// Any bytes as one frame of every link type that is read: no panic, and a payload within the frame.
pub fn frame(bytes: &[u8]) {
    for link in [1, 101, 113, 276] {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let frame = Frame { position: 0, time: Timestamp::ZERO, link, length, bytes };
        let payload = match transport(&frame) {
            Ok(Carried::Datagram(found)) => found.payload,
            Ok(Carried::Segment(found)) => found.payload,
            Err(_) => continue,
        };
        assert!(bytes.as_ptr_range().start <= payload.as_ptr());
        assert!(payload.as_ptr_range().end <= bytes.as_ptr_range().end);
    }
}

/// Any bytes as records of DBN: no panic, an end, whole records, and a bounded number of events of
/// each, all of instruments that were met.
pub fn dbn(bytes: &[u8]) {
    let mut decoder = databento::Decoder::new(&Wanted::All);
    let (mut events, mut walked) = (Vec::<Event>::new(), 0);
    for record in databento::record::Walk::new(bytes) {
        walked += record.len();
        let _ = decoder.record(record, &mut events);
        // A gap, a clear, a trade, and twenty levels that go and come.
        assert!(events.len() <= 4 + 40);
        let known = decoder.instruments().all().len();
        assert!(events.iter().all(|event| event.instrument.index() < known));
        assert!(events.drain(..).all(|event| event.kind().is_some()));
    }
    assert!(walked <= bytes.len());
}

fn decoder() -> Decoder {
    let symbol = "FUZZ".to_owned();
    let listing = Listing { symbol, instrument: InstrumentId(0), qty_digits: 9 };
    Decoder::new(&[listing], Timestamp::ZERO).expect("FUZZ is a symbol")
}

fn line_of(step: u8) -> Line {
    if step == 5 { Line::Retransmission } else { Line::Live(step % 3) }
}

/// Cuts the bytes into steps: one byte says what to do, one how many bytes it takes.
fn run(mut bytes: &[u8], mut take: impl FnMut(u8, Datagram<'_>)) {
    while let Some((&[step, length], rest)) = bytes.split_first_chunk() {
        let (datagram, rest) = rest.split_at(rest.len().min(usize::from(length)));
        let (truncated, from, received) = (false, None, 1);
        take(step, Datagram { bytes: datagram, truncated, from, received });
        bytes = rest;
    }
}

/// Checks what a receiver promises.
struct InOrder {
    next: Option<u64>,
    in_gap: bool,
}

impl Handler for InOrder {
    fn message(&mut self, sequence: u64, _: &[u8], _: u64) {
        assert_eq!(*self.next.get_or_insert(sequence), sequence);
        self.next = Some(sequence + 1);
    }

    fn packet_end(&mut self, next: u64, _: u64) {
        assert_eq!(self.next, Some(next));
    }

    fn gap(&mut self, first: u64, count: u64) {
        assert!(!self.in_gap && count > 0);
        assert_eq!(*self.next.get_or_insert(first), first);
        self.in_gap = true;
    }

    fn recovered(&mut self) {
        assert!(std::mem::take(&mut self.in_gap));
    }

    fn lost(&mut self, first: u64, count: u64) {
        assert!(std::mem::take(&mut self.in_gap));
        assert_eq!(self.next, Some(first));
        self.next = Some(first + count);
    }

    fn session_reset(&mut self, _: Session) {
        (self.next, self.in_gap) = (None, false);
    }

    fn end_of_session(&mut self) {
        assert!(!self.in_gap);
    }
}
