//! ITCH decode, and decode with the book, per message, beside the slow twin of the book: on
//! messages that the matching engine and the seeded flow make.

use crate::{pairs, show};
use feeds::itch50::{Decoder, Encoder, Listing};
use market::book::{BookLimits, OrderBooks, twin};
use market::{Event, Instrument, Nanos, Sink, Timestamp};
use sim::{Exchange, ExchangeLimits, Flow, FlowParameters, Run, SelfTradePolicy, Tape};
use std::time::Instant;

const INSTRUMENTS: u32 = 20;
const SECONDS: u64 = 60;
const LIMITS: BookLimits =
    BookLimits { instruments: INSTRUMENTS as usize, orders: 65_536, levels: 1_024 };

/// Prints the lines.
pub(crate) fn run() {
    let instruments: Vec<Instrument> =
        (0..INSTRUMENTS).map(|id| Instrument::share(id, &format!("S{id}"))).collect();
    let messages = messages(&instruments);
    let listings: Vec<Listing> = instruments.iter().map(Listing::from).collect();
    let decode = || time(&messages, &listings, |_| {});
    let book = || {
        let mut books = OrderBooks::new(LIMITS);
        time(&messages, &listings, |event| {
            let _ = books.apply(event);
        })
    };
    let slow = || {
        let mut books = twin::OrderBooks::new(LIMITS);
        time(&messages, &listings, |event| {
            let _ = books.apply(event);
        })
    };
    show("decode and book / with the twin", pairs(book, slow));
    show("decode and book / decode alone", pairs(book, decode));
}

/// The published stream of a simulated minute.
fn messages(instruments: &[Instrument]) -> Vec<Vec<u8>> {
    let start = Timestamp::ZERO;
    let flow = Flow::new(1, FlowParameters::default(), instruments, start);
    let mut flow = flow.expect("the committed parameters are valid");
    let policy = SelfTradePolicy::default();
    let venue =
        Exchange::new(instruments.to_vec(), ExchangeLimits::default(), policy, Run::default());
    let mut venue = venue.expect("shares are valid instruments");
    let mut encoder = Encoder::new(instruments, start).expect("shares fit ITCH");
    let mut messages = Vec::new();
    let mut out = |message: &[u8]| messages.push(message.to_vec());
    encoder.directory(start, &mut out).expect("midnight is within the day");
    let mut tape = Tape::default();
    while flow.next_time() < start.after(Nanos::from_secs(SECONDS)) {
        flow.step(&mut venue, &mut tape);
        for event in tape.events.drain(..) {
            encoder.encode(&event, &mut out).expect("the flow's orders fit ITCH");
        }
        tape.clear();
    }
    messages
}

struct Into<F>(F);

impl<F: FnMut(&Event)> Sink for Into<F> {
    fn event(&mut self, event: Event) {
        (self.0)(&event);
    }
}

#[allow(clippy::cast_precision_loss)]
fn time(messages: &[Vec<u8>], listings: &[Listing], take: impl FnMut(&Event)) -> f64 {
    let mut decoder = Decoder::new(listings, Timestamp::ZERO).expect("shares fit ITCH");
    let mut sink = Into(take);
    let began = Instant::now();
    for message in messages {
        // The encoder made it: nothing is skipped.
        let _ = decoder.decode(message, 0, &mut sink);
    }
    began.elapsed().as_nanos() as f64 / messages.len() as f64
}
