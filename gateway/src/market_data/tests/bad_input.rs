//! Messages that cannot be: each is a fault, and the book concerned is lost.

use super::*;
use crate::fix::tags;

/// What a wrong message comes to on a whole book: its fault and its events.
fn wrong(kind: &str, body: &str) -> (Result<(), MarketDataError>, Vec<Told>) {
    let mut books = whole(Keyed::ByLevel);
    let (events, outcome) = read(&mut books, &message(kind, body));
    assert!(broken(&books).contains(&BTC), "{body}");
    (outcome, told(&events))
}

#[test]
fn an_entry_that_cannot_be_read_loses_its_instrument() {
    let lost = vec![mark(EventKind::Lost, BTC, LAST)];
    for (entry, code, tag) in [
        ("279=0|269=0|271=1|", RejectCode::RequiredTagMissing, tags::MD_ENTRY_PX),
        ("279=0|269=0|270=1|", RejectCode::RequiredTagMissing, tags::MD_ENTRY_SIZE),
        ("279=0|270=1|271=1|", RejectCode::RequiredTagMissing, tags::MD_ENTRY_TYPE),
        ("279=0|269=00|270=1|271=1|", RejectCode::DataFormat, tags::MD_ENTRY_TYPE),
        ("279=0|269=0|270=1e3|271=1|", RejectCode::DataFormat, tags::MD_ENTRY_PX),
        ("279=0|269=0|270=0.0000000001|271=1|", RejectCode::ValueIncorrect, tags::MD_ENTRY_PX),
        ("279=0|269=0|270=1|271=0.000000001|", RejectCode::ValueIncorrect, tags::MD_ENTRY_SIZE),
        ("279=0|269=0|270=1|271=-1|", RejectCode::ValueIncorrect, tags::MD_ENTRY_SIZE),
        ("279=0|269=0|270=1|270=2|271=1|", RejectCode::Repeated, tags::MD_ENTRY_PX),
        ("279=0|269=0|270=1|271=1|83=x|", RejectCode::DataFormat, tags::RPT_SEQ),
        ("279=0|269=0|270=1|271=1|60=x|", RejectCode::DataFormat, tags::TRANSACT_TIME),
        ("279=0|269=0|270=1|271=1|272=x|", RejectCode::DataFormat, tags::MD_ENTRY_DATE),
        ("279=0|269=0|270=1|271=1|273=x|", RejectCode::DataFormat, tags::MD_ENTRY_TIME),
        (
            "279=0|269=0|270=1|271=1|273=13:42:27.208999999999999999999|",
            RejectCode::DataFormat,
            tags::MD_ENTRY_TIME,
        ),
        ("279=0|269=2|270=1|271=1|54=9|", RejectCode::ValueIncorrect, tags::SIDE),
        // Ranges and overlays go by positions of a book that is not here.
        ("279=3|269=0|270=1|271=1|", RejectCode::ValueIncorrect, tags::MD_UPDATE_ACTION),
        ("279=4|269=0|270=1|271=1|", RejectCode::ValueIncorrect, tags::MD_UPDATE_ACTION),
        ("279=5|269=0|270=1|271=1|", RejectCode::ValueIncorrect, tags::MD_UPDATE_ACTION),
    ] {
        let told = wrong("X", &format!("55=BTC/USD|268=1|{entry}"));
        assert_eq!(told, (fault(code, tag), lost.clone()), "{entry}");
    }
}

#[test]
fn the_entries_beside_it_are_read() {
    let mut books = whole(Keyed::ByLevel);
    events(&mut books, &message("W", "55=BNBBUSD|268=0|"));
    let body = "268=3|279=0|269=0|55=BNBBUSD|270=1|271=1|279=0|269=0|55=BTC/USD|270=1|\
        279=0|269=1|55=BNBBUSD|270=2|271=1|";
    let (all, outcome) = read(&mut books, &message("X", body));
    assert_eq!(outcome, fault(RejectCode::RequiredTagMissing, tags::MD_ENTRY_SIZE));
    assert_eq!(
        told(&all),
        [
            entry(EventKind::Level, BNB, Side::Buy, "1", qty("1"), NONE),
            mark(EventKind::Lost, BTC, NONE),
            entry(EventKind::Level, BNB, Side::Sell, "2", qty("1"), LAST),
        ]
    );
    assert_eq!(broken(&books), [BTC]);
}

#[test]
fn a_message_that_cannot_be_divided_loses_all() {
    let lost = vec![mark(EventKind::Lost, Event::ALL, LAST)];
    for (body, code, tag) in [
        ("55=BTC/USD|", RejectCode::RequiredTagMissing, tags::NO_MD_ENTRIES),
        ("55=BTC/USD|268=2|279=0|269=J|", RejectCode::GroupCount, tags::NO_MD_ENTRIES),
        ("55=BTC/USD|268=99999999999999999999|279=0|", RejectCode::GroupCount, tags::NO_MD_ENTRIES),
        ("55=BTC/USD|268=1|269=J|279=0|", RejectCode::GroupOrder, tags::MD_UPDATE_ACTION),
        ("55=BTC/USD|893=x|268=1|279=0|269=J|", RejectCode::DataFormat, tags::LAST_FRAGMENT),
        ("55=BTC/USD|60=x|268=1|279=0|269=J|", RejectCode::DataFormat, tags::TRANSACT_TIME),
        ("55=BTC/USD|83=x|268=1|279=0|269=J|", RejectCode::DataFormat, tags::RPT_SEQ),
        // Nothing names an instrument.
        ("268=1|279=0|269=0|270=1|271=1|", RejectCode::RequiredTagMissing, tags::SYMBOL),
    ] {
        assert_eq!(wrong("X", body), (fault(code, tag), lost.clone()), "{body}");
    }
    let unnamed = fault(RejectCode::RequiredTagMissing, tags::SYMBOL);
    assert_eq!(wrong("W", "268=0|"), (unnamed, lost));
}

#[test]
fn half_a_snapshot_is_lost() {
    for (body, code, tag) in [
        ("268=1|269=0|270=1|", RejectCode::RequiredTagMissing, tags::MD_ENTRY_SIZE),
        ("268=1|269=0|270=1|271=1|83=1|83=2|", RejectCode::Repeated, tags::RPT_SEQ),
        ("83=x|268=1|269=0|270=1|271=1|", RejectCode::DataFormat, tags::RPT_SEQ),
        ("268=2|269=0|270=1|271=1|", RejectCode::GroupCount, tags::NO_MD_ENTRIES),
        ("893=?|268=0|", RejectCode::DataFormat, tags::LAST_FRAGMENT),
    ] {
        let (outcome, events) = wrong("W", &format!("55=BTC/USD|{body}"));
        assert_eq!(outcome, fault(code, tag), "{body}");
        assert_eq!(events.last(), Some(&mark(EventKind::Lost, BTC, LAST)), "{body}");
    }
}

#[test]
fn other_messages_are_none_of_it() {
    let mut books = whole(Keyed::ByLevel);
    let (all, outcome) = read(&mut books, &message("8", "55=BTC/USD|268=1|"));
    assert_eq!((all, outcome), (vec![], Err(MarketDataError::NotMarketData)));
    assert_eq!(broken(&books).len(), 0);
}
