//! Whole recordings: by what their bytes seem to be, and of each format whatever they seem to be, so
//! that a fuzzer need not find a format's marks first.

use crate::recording::{Input, Instruments, Opening, Options, Recording, Unit, open_bytes};
use crate::{binance as binance_, coinbase as coinbase_, databento, itch50, kraken as kraken_};
use crate::{lobster, tardis as tardis_};
use market::{Event, EventFlags, EventKind};
use std::io;

/// Any bytes as a recording of whatever format they seem to be: no panic, an end, and what a
/// [`Recording`] promises of units, ids and ends.
pub fn recording(bytes: &[u8]) {
    if let Ok(recording) = open_bytes(bytes, Options::default()) {
        promises(recording);
    }
}

/// Any bytes as the items of an event file, whose checks are right: as for [`recording`].
pub fn events(bytes: &[u8]) {
    recording(&crate::archive::around(bytes));
}

/// As [`recording`], of one format.
macro_rules! formats {
    ($($name:ident: $open:path, $what:literal;)+) => {
        $(
            #[doc = concat!("Any bytes as ", $what, ": as for [`recording`].")]
            pub fn $name(bytes: &[u8]) {
                opened(bytes, $open);
            }
        )+
    };
}

formats! {
    binance: binance_::recording::open, "recorded frames of Binance";
    coinbase: coinbase_::recording::open, "recorded frames of Coinbase";
    databento_csv: databento::csv::open, "a CSV file of Databento";
    dbn_file: databento::recording::open, "a DBN file";
    itch50_file: itch50::recording::open, "a BinaryFILE of ITCH 5.0";
    kraken: kraken_::recording::open, "recorded frames of Kraken";
    lobster_book: lobster::recording::open_book, "an order book file of LOBSTER";
    lobster_messages: lobster::recording::open_messages, "a message file of LOBSTER";
    tardis: tardis_::recording::open, "a CSV file of Tardis";
}

fn opened(bytes: &[u8], open: for<'a> fn(Opening<'a>) -> io::Result<Box<dyn Recording + 'a>>) {
    let Ok(input) = Input::new(bytes) else { return };
    if let Ok(recording) = open(Opening { input, source: None, options: Options::default() }) {
        promises(recording);
    }
}

/// Reads to the end.
fn promises(mut recording: Box<dyn Recording + '_>) {
    let (mut unit, mut slots) = (Unit::default(), 0);
    let end = loop {
        match recording.next_unit(&mut unit) {
            Ok(true) => unit_promises(&unit, recording.instruments(), &mut slots),
            end => break end,
        }
    };
    assert_eq!(recording.next_unit(&mut unit), end);
    assert!(unit.events.is_empty() && unit.side.is_empty());
    let counts = recording.counts();
    assert_eq!(counts.messages, counts.by_type.iter().map(|&(_, count)| count).sum::<u64>());
}

/// What is promised of one unit; `slots` counts the side entries before it.
pub(super) fn unit_promises(unit: &Unit, instruments: &Instruments, slots: &mut u64) {
    let known = instruments.all().len();
    for (at, event) in unit.events.iter().enumerate() {
        assert!(event.kind().is_some());
        assert!(event.instrument == Event::ALL || event.instrument.index() < known);
        assert_eq!(event.received, unit.received.nanos());
        assert_eq!(event.flags.has(EventFlags::LAST), at + 1 == unit.events.len());
        if event.kind() == Some(EventKind::Entry) {
            assert_eq!(event.order, *slots);
            assert!(unit.side_entry(event.order).is_some());
            *slots += 1;
        }
    }
}
