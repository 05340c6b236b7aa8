//! The FIX codec: an ExecutionReport of each version decoded beside crate `fixlite`, a
//! NewOrderSingle encoded beside crate `nanofix`, and what it costs to hold messages against their
//! dictionary. Those with groups stand in `groups.rs`.

use super::groups;
use crate::data::fix::{
    Execution, Fill, Order, QTY_DIGITS, SENT, US, VENUE, fills, fills_in, instrument, orders,
};
use crate::figure::Figure;
use crate::machine::{on_core, thread_nanos};
use crate::pairs::{self, Paired};
use crate::rivals::codecs;
use gateway::dialect::Dialect;
use gateway::fix::number::{parse_decimal, parse_u64};
use gateway::fix::{Encoder, FieldIndex, Frame, Message, Precision, Template, frame, tags};
use gateway::orders::{Instruments, Requests, decode_report, encode_command, msg_type};
use gateway::spec::{Dictionary, Validation, Version};
use market::Price;
use std::hint::black_box;

const PAIRS: usize = 400;
/// How often a block goes through its messages.
const ROUNDS: usize = 8;
/// Longest message and most fields, as a session has them by default.
const MESSAGE_MAX: usize = 4_096;
const FIELDS_MAX: usize = 128;

/// The figures.
///
/// # Errors
/// None; the signature is that of all groups.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let (fills, orders) = (fills(), orders());
    Ok(on_core(0, || {
        let mut figures = decoding(&fills);
        figures.extend(versions());
        figures.extend(encoding(&orders));
        figures.extend(validating(&fills));
        figures.extend(groups::run());
        figures
    }))
}

/// Nanoseconds of this thread that one of `items` costs.
#[allow(clippy::cast_precision_loss)]
fn cost<T>(items: &[T], mut act: impl FnMut(&T)) -> f64 {
    let began = thread_nanos();
    for _ in 0..ROUNDS {
        items.iter().for_each(&mut act);
    }
    (thread_nanos() - began) / (ROUNDS * items.len()) as f64
}

/// Both take turns with all `items`, some rounds a block.
pub fn beside<T>(items: &[T], mut ours: impl FnMut(&T), mut theirs: impl FnMut(&T)) -> Paired {
    pairs::alternate(PAIRS, || cost(items, &mut ours), || cost(items, &mut theirs))
}

/// An index with the room that a session gives it by default.
#[must_use]
pub fn empty_index() -> FieldIndex {
    FieldIndex::new(FIELDS_MAX)
}

/// Bytes to values as the session and the order entry do it: framed and checked, indexed in one
/// pass, and the fields taken in another.
pub fn decode<'a>(index: &'a mut FieldIndex, bytes: &'a [u8]) -> Option<Execution<'a>> {
    values(&whole(index, bytes)?)
}

/// A message that is framed, checked and indexed.
pub(super) fn whole<'a>(index: &'a mut FieldIndex, bytes: &'a [u8]) -> Option<Message<'a>> {
    let Frame::Complete { len, .. } = frame(bytes, MESSAGE_MAX) else { return None };
    Some(index.parse(&bytes[..len])).filter(|message| message.fault().is_none())
}

/// The values of an ExecutionReport.
fn values<'a>(message: &Message<'a>) -> Option<Execution<'a>> {
    let mut said = Execution::default();
    for (tag, value) in message.fields() {
        let amount = || parse_decimal(value, QTY_DIGITS).ok();
        let price = || parse_decimal(value, Price::DIGITS).ok();
        match tag {
            tags::MSG_SEQ_NUM => said.seq = parse_u64(value).ok()?,
            tags::ORDER_ID => said.venue_order = value,
            tags::EXEC_ID => said.exec = value,
            tags::EXEC_TYPE => said.exec_type = *value.first()?,
            tags::ORD_STATUS => said.status = *value.first()?,
            tags::CL_ORD_ID => said.order = parse_u64(value).ok()?,
            tags::SYMBOL => said.symbol = value,
            tags::SIDE => said.side = *value.first()?,
            tags::ORDER_QTY => said.qty = amount()?,
            tags::PRICE => said.price = price()?,
            tags::LAST_QTY => said.last_qty = amount()?,
            tags::LAST_PX => said.last_px = price()?,
            tags::CUM_QTY => said.cum_qty = amount()?,
            tags::LEAVES_QTY => said.leaves_qty = amount()?,
            _ => {}
        }
    }
    Some(said)
}

fn decoding(fills: &[Fill]) -> Vec<Figure> {
    let mut index = empty_index();
    let mut ours = |fill: &Fill| {
        black_box(decode(&mut index, black_box(&fill.bytes)));
    };
    let fixlite = beside(fills, &mut ours, |fill| {
        black_box(fixlite::decode::<codecs::Fixlite<'_>>(black_box(&fill.bytes)).ok());
    });
    let mut figures = vec![
        Figure::new("fix/decode", "ns", "fixlite", &fixlite)
            .target(0.55)
            .note("an ExecutionReport: checked, 14 fields, 6 decimals to integers; stretch 0.5"),
    ];
    let instruments = instruments();
    let (requests, mut index) = (Requests::new(16), empty_index());
    let dialect = Dialect::default();
    let whole = beside(
        fills,
        |fill| {
            let bytes = black_box(&fill.bytes[..]);
            let Frame::Complete { len, .. } = frame(bytes, MESSAGE_MAX) else { return };
            let message = index.parse(&bytes[..len]);
            let mut give = |report| {
                black_box(&report);
            };
            let _ = decode_report(&message, 1, &instruments, &dialect, &requests, &mut give);
        },
        ours,
    );
    figures.push(
        Figure::new("fix/report", "ns", "fix/decode", &whole)
            .note("the same message to the loop's Report: symbol and ids looked up, checked"),
    );
    figures
}

/// The same report in the other versions.
fn versions() -> Vec<Figure> {
    let figure = |name: &str, version: Version| {
        let (fills, mut index) = (fills_in(version), empty_index());
        let fixlite = beside(
            &fills,
            |fill| {
                black_box(decode(&mut index, black_box(&fill.bytes)));
            },
            |fill| {
                black_box(fixlite::decode::<codecs::Fixlite<'_>>(black_box(&fill.bytes)).ok());
            },
        );
        Figure::new(name, "ns", "fixlite", &fixlite).note("the same 14 fields of the same fills")
    };
    vec![
        figure("fix/decode/fix42", Version::Fix42),
        figure("fix/decode/fix50sp2", Version::Fix50Sp2),
    ]
}

/// An ExecutionReport under each validation.
fn validating(fills: &[Fill]) -> Vec<Figure> {
    let dictionary = Dictionary::of(Version::Fix44);
    let by = |validation| {
        let mut index = empty_index();
        move |fill: &Fill| {
            let message = whole(&mut index, black_box(&fill.bytes));
            let checked =
                message.filter(|message| dictionary.check(message, black_box(validation)).is_ok());
            black_box(checked.and_then(|message| values(&message)));
        }
    };
    let mut index = empty_index();
    let mut bare = |fill: &Fill| {
        black_box(decode(&mut index, black_box(&fill.bytes)));
    };
    let none = beside(fills, by(Validation::None), &mut bare);
    let structure = beside(fills, by(Validation::Structure), by(Validation::None));
    let full = beside(fills, by(Validation::Full), by(Validation::None));
    vec![
        Figure::new("fix/valid/none", "ns", "fix/decode", &none)
            .note("the same ExecutionReport, FIX.4.4, asked of its session's validation"),
        Figure::new("fix/valid/structure", "ns", "fix/valid/none", &structure)
            .note("message type, members, required fields, groups"),
        Figure::new("fix/valid/full", "ns", "fix/valid/none", &full)
            .note("formats and values of fields as well"),
    ]
}

/// The table of the one instrument.
pub(super) fn instruments() -> Instruments {
    Instruments::new(&[instrument()]).expect("one instrument")
}

/// One session's encoder.
pub struct Sender {
    template: Template,
    instruments: Instruments,
    dialect: Dialect,
    buffer: Box<[u8]>,
}

impl Sender {
    /// An encoder of our end of the session.
    ///
    /// # Panics
    /// If names or instrument could not be written, which these can.
    #[must_use]
    pub fn of_ours() -> Sender {
        let template = Template::new("FIX.4.4", US, VENUE, Precision::Millis);
        Sender {
            template: template.expect("plain names"),
            instruments: instruments(),
            dialect: Dialect::default(),
            buffer: vec![0; MESSAGE_MAX + Encoder::SLACK].into_boxed_slice(),
        }
    }

    /// What the session does of an order: from the command to the whole message.
    pub fn encode(&mut self, order: &Order) -> Option<&[u8]> {
        let Sender { template, instruments, dialect, buffer } = self;
        let kind = msg_type(&order.command, dialect)?;
        let mut encoder = Encoder::begin(buffer, template, SENT, order.seq, kind);
        encode_command(&order.command, instruments, dialect, SENT, &mut encoder);
        encoder.finish().ok()
    }
}

fn encoding(orders: &[Order]) -> Vec<Figure> {
    let mut sender = Sender::of_ours();
    let mut ours = |order: &Order| {
        black_box(sender.encode(black_box(order)));
    };
    let mut buffer = [0; 1_024];
    let nanofix = beside(orders, &mut ours, |order| {
        let len = codecs::nanofix_from_numbers(&mut buffer, black_box(order));
        black_box(&buffer[..len]);
    });
    let with_text = beside(orders, &mut ours, |order| {
        let order = black_box(order);
        let (price, qty) = (order.price.as_bytes(), order.qty.as_bytes());
        let len = codecs::nanofix(&mut buffer, order, price, qty);
        black_box(&buffer[..len]);
    });
    vec![
        Figure::new("fix/encode", "ns", "nanofix", &nanofix).target(0.65).note(
            "a NewOrderSingle from a Command; nanofix has our decimals' writer, having none; \
             stretch 0.6",
        ),
        Figure::new("fix/encode", "ns", "nanofix given text", &with_text)
            .note("the same, but price and quantity are text to nanofix before it begins"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fix::{mass_quotes, snapshots};

    #[test]
    fn all_decoders_read_the_same_values() {
        let mut index = empty_index();
        for fill in Version::ALL.into_iter().flat_map(fills_in) {
            assert_eq!(decode(&mut index, &fill.bytes), Some(fill.said()));
            let theirs: codecs::Fixlite<'_> = fixlite::decode(&fill.bytes).unwrap();
            assert_eq!(theirs.said(), fill.said());
        }
    }

    /// Else a refusal would be timed.
    #[test]
    fn all_messages_are_as_their_dictionaries_want() {
        let mut index = empty_index();
        let reports = |version| fills_in(version).into_iter().map(|fill| fill.bytes);
        for (version, messages) in [
            (Version::Fix42, snapshots()),
            (Version::Fix42, reports(Version::Fix42).collect()),
            (Version::Fix44, reports(Version::Fix44).collect()),
            (Version::Fix50Sp2, reports(Version::Fix50Sp2).collect()),
            (Version::Fix50Sp2, mass_quotes()),
        ] {
            for bytes in &messages {
                let message = whole(&mut index, bytes).unwrap();
                assert_eq!(Dictionary::of(version).check(&message, Validation::Full), Ok(()));
            }
        }
    }

    #[test]
    fn all_decoders_refuse_a_wrong_sum_and_a_wrong_length() {
        let good = fills().remove(0).bytes;
        let at = |what: &[u8]| good.windows(what.len()).position(|part| part == what).unwrap();
        for place in [at(b"\x01151=") + 6, at(b"\x019=") + 4] {
            let mut bad = good.clone();
            bad[place] ^= 1;
            assert_eq!(decode(&mut empty_index(), &bad), None);
            assert!(fixlite::decode::<codecs::Fixlite<'_>>(&bad).is_err());
        }
    }

    /// All fields but BodyLength, which some pad, and CheckSum.
    fn content(bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let Frame::Complete { len, .. } = frame(bytes, MESSAGE_MAX) else {
            panic!("not valid: {}", String::from_utf8_lossy(bytes))
        };
        assert_eq!(len, bytes.len());
        let mut index = empty_index();
        let fields = index.parse(bytes).fields().map(|(tag, value)| (tag, value.to_vec()));
        let mut content: Vec<_> = fields
            .filter(|(tag, _)| !matches!(*tag, tags::BODY_LENGTH | tags::CHECK_SUM))
            .collect();
        // The order of header fields behind the third is free, and ours is another.
        content.sort();
        content
    }

    #[test]
    fn all_encoders_make_the_same_valid_message() {
        let mut sender = Sender::of_ours();
        for order in orders() {
            let ours = sender.encode(&order).unwrap();
            assert!((150..=170).contains(&ours.len()), "{}", ours.len());
            let mut buffer = [0; 1_024];
            let len = codecs::nanofix_from_numbers(&mut buffer, &order);
            let mut other = [0; 1_024];
            let (price, qty) = (order.price.as_bytes(), order.qty.as_bytes());
            let same = codecs::nanofix(&mut other, &order, price, qty);
            assert_eq!(buffer[..len], other[..same]);
            assert_eq!(content(ours), content(&buffer[..len]));
        }
    }
}
