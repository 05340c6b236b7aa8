//! Market data as venues document it, each wrong message by name, and books through bytes.

mod bad_input;
mod golden;
mod lists;
mod requests;
mod round_trip;
mod sequence;

use super::heard::State;
use super::{Books, Keyed, MarketDataError, Settings};
use crate::fix::{Fault, FieldIndex, RejectCode};
use crate::orders::Instruments;
use market::{Event, EventFlags, EventKind, Instrument, InstrumentId, Price, Qty, Side, Timestamp};

/// Quantities in hundred-millionths, but of the contract, which are counted.
fn instruments() -> Instruments {
    let coin = |id, symbol| Instrument { qty_digits: 8, ..Instrument::share(id, symbol) };
    let contract = Instrument::share(2, "BTC-PERPETUAL");
    Instruments::new(&[coin(0, "BTC/USD"), coin(7, "BNBBUSD"), contract]).unwrap()
}

const BTC: InstrumentId = InstrumentId(0);
const BNB: InstrumentId = InstrumentId(7);
const PERPETUAL: InstrumentId = InstrumentId(2);

/// A whole message: a header, the `|`-separated rest, a trailer.
fn message(kind: &str, body: &str) -> Vec<u8> {
    format!("8=FIX.4.4|9=1|35={kind}|34=2|49=V|52=20230707-13:42:27.230|56=U|{body}10=000|")
        .replace('|', "\x01")
        .into_bytes()
}

/// SendingTime of [`message`].
const SENT: &str = "20230707-13:42:27.230";

fn time(text: &str) -> Timestamp {
    crate::fix::time::parse(text.as_bytes()).unwrap()
}

fn books(keyed: Keyed) -> Books {
    Books::new(instruments(), Settings { keyed, ..Settings::default() })
}

/// What bytes make of books: events, and what went wrong.
fn read(books: &mut Books, bytes: &[u8]) -> (Vec<Event>, Result<(), MarketDataError>) {
    let mut index = FieldIndex::new(256);
    let message = index.parse(bytes);
    assert_eq!(message.fault(), None);
    let mut events = Vec::new();
    let outcome = books.read(&message, 5, &mut events);
    assert!(events.len() <= message.fields().count(), "{} events", events.len());
    assert!(events.iter().all(|event| event.received == 5));
    (events, outcome)
}

/// The same where nothing goes wrong.
fn events(books: &mut Books, bytes: &[u8]) -> Vec<Event> {
    let (events, outcome) = read(books, bytes);
    assert_eq!(outcome, Ok(()));
    events
}

/// What is to be compared of an event.
type Told = (EventKind, InstrumentId, Option<Side>, String, i64, u16);

/// Events without times and orders.
fn told(events: &[Event]) -> Vec<Told> {
    let told = |event: &Event| {
        let (kind, price) = (event.kind().unwrap(), event.price.to_string());
        (kind, event.instrument, event.side(), price, event.qty.raw(), event.flags.0)
    };
    events.iter().map(told).collect()
}

/// A book's event.
fn entry(
    kind: EventKind,
    id: InstrumentId,
    side: Side,
    price: &str,
    qty: i64,
    flags: EventFlags,
) -> Told {
    (kind, id, Some(side), price.parse::<Price>().unwrap().to_string(), qty, flags.0)
}

/// An event of a whole book.
fn mark(kind: EventKind, id: InstrumentId, flags: EventFlags) -> Told {
    (kind, id, None, Price::ZERO.to_string(), 0, flags.0)
}

const NONE: EventFlags = EventFlags::NONE;
const LAST: EventFlags = EventFlags::LAST;
const SNAPSHOT: EventFlags = EventFlags::SNAPSHOT;

/// Books of one instrument that are whole and empty.
fn whole(keyed: Keyed) -> Books {
    let mut books = books(keyed);
    let all = events(&mut books, &message("W", "55=BTC/USD|268=0|"));
    let marks = [mark(EventKind::Clear, BTC, SNAPSHOT), mark(EventKind::Recovered, BTC, LAST)];
    assert_eq!(told(&all), marks);
    books
}

fn fault(code: RejectCode, tag: u32) -> Result<(), MarketDataError> {
    Err(MarketDataError::Fault(Fault::new(code, tag)))
}

/// The instruments that a snapshot has to make whole again.
fn broken(books: &Books) -> Vec<InstrumentId> {
    let broken = |place: &usize| matches!(books.heard[*place].state, State::Gap | State::Lost);
    let places = (0..books.heard.len()).filter(broken);
    places.map(|place| books.instruments().at(place).unwrap().id).collect()
}

/// A quantity in hundred-millionths.
fn qty(text: &str) -> i64 {
    crate::fix::number::parse_decimal(text.as_bytes(), 8).map(Qty::from_raw).unwrap().raw()
}
