//! Requests as text, held against the dictionaries, and refusals of them.

use super::*;
use crate::fix::{EncodeError, Encoder, Precision, Template, tags::msg};
use crate::market_data::{EntryType, Refusal, Request, Subscription, UpdateType};
use crate::spec::{Dictionary, Validation, Version};

fn written(
    version: Version,
    kind: &[u8],
    write: impl FnOnce(&mut Encoder<'_>),
) -> Result<Vec<u8>, EncodeError> {
    let precision = Precision::Millis;
    let mut template = Template::new(version.begin_string(), "U", "V", precision).unwrap();
    let mut buffer = [0; 1_024];
    let mut encoder = Encoder::begin(&mut buffer, &mut template, time(SENT), 9, kind);
    write(&mut encoder);
    encoder.finish().map(<[u8]>::to_vec)
}

/// The body of a request.
fn body_of(request: &Request<'_>) -> Result<String, EncodeError> {
    let instruments = instruments();
    let write = |encoder: &mut Encoder<'_>| request.encode(&instruments, encoder);
    let bytes = written(Version::Fix44, msg::MARKET_DATA_REQUEST, write)?;
    let text = String::from_utf8_lossy(&bytes).replace('\x01', "|");
    let start = text.find("|56=V|").unwrap() + 6;
    Ok(text[start..text.len() - 7].to_owned())
}

const BOOK: [EntryType; 2] = [EntryType::Bid, EntryType::Offer];

/// As Deribit documents it: a whole book, and what changes of it.
fn subscribe<'a>(instruments: &'a [InstrumentId]) -> Request<'a> {
    Request {
        id: 7,
        subscription: Subscription::Subscribe,
        depth: Some(0),
        updates: Some(UpdateType::Incremental),
        aggregated: None,
        entries: &BOOK,
        instruments,
    }
}

#[test]
fn what_a_venue_does_not_know_is_left_out() {
    let deribit = subscribe(&[PERPETUAL]);
    assert_eq!(
        body_of(&deribit).unwrap(),
        "262=7|263=1|264=0|265=1|267=2|269=0|269=1|146=1|55=BTC-PERPETUAL|"
    );
    let binance = Request {
        depth: Some(10),
        updates: None,
        aggregated: Some(true),
        instruments: &[BNB],
        ..deribit
    };
    let expected = "262=7|263=1|264=10|266=Y|267=2|269=0|269=1|146=1|55=BNBBUSD|";
    assert_eq!(body_of(&binance).unwrap(), expected);
    let unsubscribed = Request {
        subscription: Subscription::Unsubscribe,
        entries: &[],
        instruments: &[],
        ..binance
    };
    assert_eq!(body_of(&unsubscribed).unwrap(), "262=7|263=2|264=10|266=Y|");
    let coinbase = Request {
        depth: None,
        updates: None,
        entries: &[],
        instruments: &[BTC, BNB],
        ..subscribe(&[])
    };
    assert_eq!(body_of(&coinbase).unwrap(), "262=7|263=1|146=2|55=BTC/USD|55=BNBBUSD|");
    let snapshot = Request {
        subscription: Subscription::Snapshot,
        updates: Some(UpdateType::FullRefresh),
        aggregated: Some(false),
        entries: &[EntryType::Trade],
        ..subscribe(&[BTC])
    };
    let expected = "262=7|263=0|264=0|265=0|266=N|267=1|269=2|146=1|55=BTC/USD|";
    assert_eq!(body_of(&snapshot).unwrap(), expected);
    let unknown = body_of(&subscribe(&[InstrumentId(99)]));
    assert_eq!(unknown, Err(EncodeError::UnknownInstrument));
}

#[test]
fn requests_are_as_the_dictionaries_want() {
    for version in Version::ALL {
        let request = Request { aggregated: Some(true), ..subscribe(&[BTC, BNB]) };
        let instruments = instruments();
        let write = |encoder: &mut Encoder<'_>| request.encode(&instruments, encoder);
        let bytes = written(version, msg::MARKET_DATA_REQUEST, write).unwrap();
        let mut index = FieldIndex::new(64);
        let message = index.parse(&bytes);
        assert_eq!(Dictionary::of(version).check(&message, Validation::Full), Ok(()));
        let symbols = message.group(crate::fix::tags::NO_RELATED_SYM, 55).unwrap();
        let symbols: Vec<_> = symbols.instances().map(|one| one.get(55).unwrap()).collect();
        assert_eq!(symbols, [&b"BTC/USD"[..], b"BNBBUSD"]);
    }
}

#[test]
fn refusals_name_their_request() {
    let refusal = |kind: &str, body: &str| {
        let bytes = message(kind, body);
        let mut index = FieldIndex::new(64);
        Refusal::of(&index.parse(&bytes)).map(|it| (it.id, it.reason, it.text.to_vec()))
    };
    assert_eq!(refusal("Y", "262=7|281=0|58=no|"), Ok((Some(7), Some(b'0'), b"no".to_vec())));
    // Binance's own sample: an id that is none of ours, and fields of its own.
    let sample = "262=BOOK_TICKER_2|281=2|25016=-1191|58=Similar subscription is already active|";
    let text = b"Similar subscription is already active".to_vec();
    assert_eq!(refusal("Y", sample), Ok((None, Some(b'2'), text)));
    assert_eq!(refusal("Y", "262=7|"), Ok((Some(7), None, vec![])));
    let missing = Fault::new(RejectCode::RequiredTagMissing, 262);
    assert_eq!(refusal("Y", "281=0|"), Err(missing));
    assert_eq!(refusal("Y", "262=7|281=00|"), Err(Fault::new(RejectCode::DataFormat, 281)));
    assert_eq!(refusal("W", "262=7|"), Err(Fault::new(RejectCode::MsgType, 35)));
    let reason = Dictionary::of(Version::Fix44).field(281).and_then(|field| field.meaning(b"0"));
    assert!(reason.is_some(), "the dictionary knows what a reason means");
}
