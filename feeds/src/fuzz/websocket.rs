//! Live feeds by websocket: what a venue may send, and what it may answer.

use crate::websocket::connection::read_all;
use crate::websocket::feed::NotFetched;
use crate::websocket::{Ask, Channels, Feed, Limits, Settings, Which};
use market::{Event, EventFlags, EventKind, Instrument, Nanos, Timestamp};

/// Any bytes as the frames of a websocket: no panic, an end, and no message longer than allowed.
pub fn websocket_frames(bytes: &[u8]) {
    let limits = Limits { message_bytes: 256 };
    read_all(bytes, limits, |message| assert!(message.len() <= limits.message_bytes));
}

/// Any bytes as the life of a feed of two instruments. The first byte names the venue and the channel;
/// then each line is a message, or with `>` the snapshot of the first instrument, with `!` the end
/// of a connection, with `~` a silence. Packets end with `LAST` and nothing else does, events are of
/// its own instruments, and gaps open and close in turn.
pub fn websocket(bytes: &[u8]) {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let (which, book, symbols) = match first % 4 {
        0 => (Which::Binance, "depth@100ms", ["BTCUSDT", "ETHUSDT"]),
        1 => (Which::Coinbase, "level2_batch", ["BTC-USD", "ETH-USD"]),
        2 => (Which::Coinbase, "full", ["BTC-USD", "ETH-USD"]),
        _ => (Which::Kraken, "book-10", ["XBT/USD", "ETH/USD"]),
    };
    let trades = which.trades().first().map(|&trades| trades.to_owned());
    let channels = Channels { book: book.to_owned(), trades };
    let instrument = |(id, symbol)| Instrument { qty_digits: 8, ..Instrument::share(id, symbol) };
    let instruments: Vec<Instrument> = (0u32..).zip(symbols).map(instrument).collect();
    let mut life = Life {
        feed: Feed::new(which, &instruments, channels, settings()),
        now: Timestamp::ZERO.after(Nanos::from_secs(1)),
        in_gap: [false; 2],
    };
    for line in bytes.split(|&byte| byte == b'\n') {
        life.pass(Nanos::from_millis(5));
        life.step(line);
    }
}

fn settings() -> Settings {
    let second = Nanos::from_secs(1);
    Settings {
        silence: second,
        renew_after: Some(Nanos::from_secs(3)),
        overlap: Nanos::from_millis(10),
        messages: (5, second),
        snapshots: (5, second),
        snapshot_retry: Nanos::from_millis(10),
    }
}

struct Life {
    feed: Feed,
    now: Timestamp,
    in_gap: [bool; 2],
}

impl Life {
    /// Time passes: connections are made at once, and nobody answers.
    fn pass(&mut self, span: Nanos) {
        self.now = self.now.after(span);
        let mut events = Vec::new();
        while let Some(slot) = self.feed.wants(self.now) {
            self.feed.opening(slot);
            self.feed.opened(slot, self.now);
        }
        while let Some(ask) = self.feed.poll(self.now, &mut events) {
            if let Ask::Send(_, text) = ask {
                assert!(!text.contains('\n'));
            }
        }
        self.judge(&events, false);
    }

    fn step(&mut self, line: &[u8]) {
        let (feed, now, mut events) = (&mut self.feed, self.now, Vec::new());
        match line.split_first() {
            Some((b'>', [])) => {
                let none = NotFetched { why: String::new(), retry_after: None };
                feed.fetched(0, Err(none), (7, now), &mut events);
            }
            Some((b'>', body)) => feed.fetched(0, Ok(body), (7, now), &mut events),
            Some((b'!', _)) => drop(feed.ended(0, "it was cut", now, &mut events)),
            Some((b'~', _)) => return self.pass(Nanos::from_secs(2)),
            _ => (0..2).for_each(|slot| feed.message(slot, line, 7, now, &mut events)),
        }
        self.judge(&events, true);
    }

    fn judge(&mut self, events: &[Event], told: bool) {
        let last = |event: &Event| event.flags.has(EventFlags::LAST);
        assert!(events.last().is_none_or(last), "{events:?}");
        for event in events {
            let id = event.instrument.index();
            assert!(id < 2, "{event:?}");
            match event.kind() {
                Some(EventKind::Gap) => assert!(!std::mem::replace(&mut self.in_gap[id], true)),
                Some(EventKind::Recovered) => {
                    assert!(told && std::mem::replace(&mut self.in_gap[id], false));
                }
                // A gap follows, unless one stood.
                Some(EventKind::Lost) => self.in_gap[id] = false,
                Some(EventKind::Entry | EventKind::Reset | EventKind::Mark) | None => {
                    panic!("{event:?}")
                }
                _ => {}
            }
        }
        assert_eq!(self.feed.gaps(), self.in_gap.iter().filter(|gap| **gap).count());
    }
}
