//! What differs between versions and venues: the bytes of requests, and how reports are read.

use super::*;
use crate::dialect::{Code, OpenOrders, OrderIds, OurId, Target, Uuids};
use crate::orders::{OrderEntry, ReportError};
use crate::session::{MemoryStore, Session, SessionConfig};
use market::{
    CommandKind, Event, ExecId, InstrumentId, OrderId, Price, Qty, RejectReason, ReportKind, Side,
    TimeInForce, VenueOrderId,
};

const ARL: InstrumentId = InstrumentId(0);

fn dialect(version: Version, change: impl FnOnce(&mut Settings)) -> Dialect {
    let mut settings = Settings::of(version);
    change(&mut settings);
    Dialect::new(settings).unwrap()
}

fn order() -> Command {
    let price = "15.37".parse().unwrap();
    Command::new(OrderId(77), ARL, Side::Buy, price, Qty::from_raw(300)).with_post_only(true)
}

fn code(tag: u32, value: &str, reason: RejectReason) -> Code {
    Code { tag, value: value.to_owned(), reason }
}

fn body(command: &Command, dialect: &Dialect) -> String {
    body_of(&written(command, dialect)).replace("20250717-13:16:40.012345678", "T")
}

fn fill() -> Report {
    built(Report::new(ReportKind::Filled, OrderId(77), ARL), |r| {
        r.venue_order = VenueOrderId([0, 0xab]);
        r.exec = ExecId([1, 2]);
        r.price = "15.37".parse().unwrap();
        r.qty = Qty::from_raw(100);
        r.cum_qty = Qty::from_raw(100);
        r.leaves_qty = Qty::from_raw(200);
        r.exchange_time = NOW;
        r.received = 5;
    })
    .with_side(Side::Buy)
}

#[test]
fn fix42_has_a_handling_instruction_and_no_mass_requests() {
    let fix42 = Dialect::of(Version::Fix42);
    let end = "38=300|40=2|44=15.37|59=0|21=1|";
    assert_eq!(body(&order(), &fix42), format!("11=77|18=6|55=ARL|54=1|60=T|{end}"));
    let replace =
        Command::replace(OrderId(78), OrderId(77), ARL, Side::Buy, Price::ONE, Qty::from_raw(1));
    assert!(body(&replace, &fix42).ends_with("38=1|40=2|44=1|59=0|21=1|"));
    let status = Command::status(OrderId(79), OrderId(77), ARL, Side::Buy);
    assert_eq!(body(&status, &fix42), "11=77|55=ARL|54=1|");
    for command in [Command::mass_cancel(OrderId(1), Event::ALL), Command::mass_status(OrderId(1))]
    {
        let mut template = Template::new("FIX.4.2", "A", "B", Precision::Millis).unwrap();
        let mut buffer = [0; 1024];
        let mut encoder = Encoder::begin(&mut buffer, &mut template, NOW, 1, b"q");
        super::super::encode_command(&command, &instruments(), &fix42, NOW, &mut encoder);
        assert_eq!(encoder.finish(), Err(crate::fix::EncodeError::NoMessage));
    }
}

#[test]
fn fix42_calls_fills_by_their_status() {
    let fix42 = Dialect::of(Version::Fix42);
    let requests = Requests::new(16);
    let part = fill();
    let whole = built(fill(), |report| report.leaves_qty = Qty::ZERO);
    let like = |kind, leaves: Qty, cum: Qty| {
        built(Report::new(kind, OrderId(77), ARL), |r| {
            (r.price, r.qty, r.exec, r.venue_order) =
                (part.price, part.qty, part.exec, part.venue_order);
            (r.cum_qty, r.leaves_qty, r.exchange_time, r.received) = (cum, leaves, NOW, 5);
        })
        .with_side(Side::Buy)
    };
    let bust = like(ReportKind::Busted, Qty::ZERO, Qty::ZERO);
    let corrected = like(ReportKind::Corrected, part.qty, part.qty);
    let status = like(ReportKind::Status, part.qty, Qty::ZERO);
    for (report, types) in [
        (part, "20=0|150=1|39=1|"),
        (whole, "20=0|150=2|39=2|"),
        (bust, "20=1|150=0|39=0|"),
        (corrected, "20=2|150=1|39=1|"),
        (status, "20=3|150=0|39=0|"),
    ] {
        let frame = told(&report, &fix42, &requests, StatusAnswer::default());
        assert!(body_of(&frame).contains(types), "{}", body_of(&frame));
        assert_eq!(read_in(&frame, &fix42, &requests), Ok(vec![report]));
    }
    let unknown = "37=NONE|17=1|20=3|150=8|39=8|11=77|55=ARL|54=1|14=0|151=0|6=0|103=5|";
    let read = read_in(&message_of("8", unknown), &fix42, &requests).unwrap();
    assert_eq!(read[0].kind(), Some(ReportKind::Rejected));
    assert_eq!(read[0].reason(), RejectReason::UnknownOrder);
}

#[test]
fn fix50sp2_reports_mass_cancels_under_an_id_of_their_own() {
    let fix50 = Dialect::of(Version::Fix50Sp2);
    let report = built(Report::new(ReportKind::MassCanceled, OrderId(5), Event::ALL), |r| {
        (r.exchange_time, r.received) = (NOW, 5);
    });
    let requests = Requests::new(16);
    let frame = told(&report, &fix50, &requests, StatusAnswer::default());
    let body = body_of(&frame);
    assert!(body.starts_with("11=5|1369=") && !body.contains("|37="), "{body}");
    assert_eq!(read_in(&frame, &fix50, &requests), Ok(vec![report]));
}

#[test]
fn a_venue_that_swaps_ids_and_cancels_by_the_order() {
    let dialect = dialect(Version::Fix44, |settings| {
        settings.our_id = OurId::OrigClOrdId;
        settings.target = Target::ClOrdId;
        settings.exec_id_tag = 527;
        settings.transact_time = false;
        settings.post_only = "6A".to_owned();
        settings.rest = b'1';
        settings.order_fields = vec!["854=1".to_owned(), "100010=tl".to_owned()];
    });
    let end = "38=300|40=2|44=15.37|59=1|854=1|100010=tl|";
    assert_eq!(body(&order(), &dialect), format!("11=77|18=6A|55=ARL|54=1|{end}"));
    let cancel = Command::cancel(OrderId(78), OrderId(77), ARL, Side::Buy);
    assert_eq!(body(&cancel, &dialect), "11=77|55=ARL|54=1|");
    let mut requests = Requests::new(16);
    requests.remember(3, &cancel);
    let report = "527=9|37=D-1|11=D-1|41=77|150=F|39=1|55=ARL|54=1|31=15|32=1|14=1|151=299|";
    let read = read_in(&message_of("8", report), &dialect, &requests).unwrap();
    assert_eq!((read[0].order, read[0].target), (OrderId(77), OrderId::NONE));
    assert_eq!(read[0].exec, ExecId::from_text(b"9"));
    let rejected = "11=77|150=8|39=8|55=ARL|54=1|103=1|";
    let read = read_in(&message_of("8", rejected), &dialect, &requests).unwrap();
    assert_eq!((read[0].order, read[0].kind()), (OrderId(77), Some(ReportKind::Rejected)));
    let refused = "11=D-1|41=77|39=0|434=1|102=0|";
    let read = read_in(&message_of("9", refused), &dialect, &requests).unwrap();
    assert_eq!((read[0].order, read[0].target), (OrderId(78), OrderId(77)));
    assert_eq!(read[0].instrument, ARL);
    // Orders that are named behind a mass cancel do not make its fields stand twice.
    let canceled = "11=5|530=7|531=7|533=2|534=2|41=77|41=78|";
    let read = read_in(&message_of("r", canceled), &dialect, &requests).unwrap();
    assert_eq!((read.len(), read[0].order), (1, OrderId(5)));
}

#[test]
fn uuids_there_and_back() {
    let uuids = Uuids::new("us");
    let text = |id| String::from_utf8(uuids.text(OrderId(id)).to_vec()).unwrap();
    let dialect = dialect(Version::Fix50Sp2, |settings| {
        settings.order_ids = OrderIds::Uuid(uuids.clone());
        settings.post_only = "A".to_owned();
    });
    let cancel = Command::cancel(OrderId(78), OrderId(77), ARL, Side::Buy);
    let expected = format!("41={}|11={}|55=ARL|54=1|60=T|", text(77), text(78));
    assert_eq!(body(&cancel, &dialect), expected);
    let requests = Requests::new(16);
    let frame = told(&fill(), &dialect, &requests, StatusAnswer::default());
    assert!(body_of(&frame).contains(&format!("|11={}|", text(77))));
    assert_eq!(read_in(&frame, &dialect, &requests), Ok(vec![fill()]));
}

#[test]
fn codes_of_the_venue_count_before_those_of_fix() {
    let codes =
        [code(25016, "-2010", RejectReason::WouldTrade), code(103, "8", RejectReason::Rate)];
    let dialect = dialect(Version::Fix44, |settings| settings.codes = codes.to_vec());
    let mut requests = Requests::new(16);
    requests.remember(3, &order());
    let reason = |kind, body: &str| {
        read_in(&message_of(kind, body), &dialect, &requests).unwrap()[0].reason()
    };
    let rejected = "11=77|150=8|39=8|55=ARL|54=1|";
    assert_eq!(reason("8", &format!("{rejected}103=8|")), RejectReason::Rate);
    assert_eq!(reason("8", &format!("{rejected}103=99|25016=-2010|")), RejectReason::WouldTrade);
    assert_eq!(reason("8", &format!("{rejected}103=3|25016=-1|")), RejectReason::Limit);
    assert_eq!(reason("3", "45=3|371=44|25016=-2010|"), RejectReason::WouldTrade);
    assert_eq!(reason("3", "45=3|371=44|"), RejectReason::Price);
}

#[test]
fn a_post_only_order_may_have_no_time_in_force() {
    let dialect = dialect(Version::Fix44, |settings| {
        settings.post_only_time_in_force = false;
        settings.rest = b'1';
    });
    assert!(!body(&order(), &dialect).contains("|59="));
    let plain = order().with_post_only(false);
    assert!(body(&plain, &dialect).ends_with("44=15.37|59=1|"));
    let ioc = plain.with_time_in_force(TimeInForce::ImmediateOrCancel);
    assert!(body(&ioc, &dialect).ends_with("44=15.37|59=3|"));
}

#[test]
fn contradictory_quantities_are_faults() {
    let read = |body: &str| read_reports(&message_of("8", body), &Requests::new(16));
    let start = "37=1|17=2|150=F|39=1|11=77|55=ARL|54=1|31=15|";
    for amounts in ["32=0|14=5|151=1|", "32=-1|14=5|151=1|", "32=1|14=1|151=-1|"] {
        let read = read(&format!("{start}{amounts}"));
        assert!(matches!(read, Err(ReportError::Fault(_))), "{amounts}: {read:?}");
    }
    assert!(read(&format!("{start}32=5|14=5|151=0|")).is_ok());
    // That it contradicts other reports is for the account to see: a trade is a fact.
    assert!(read(&format!("{start}32=6|14=5|151=1|")).is_ok());
}

#[test]
fn constant_fields_are_fields_of_their_own() {
    for wrong in ["", "21", "=1", "21=", "021=1", "11=x", "44=1", "52=x", "10=000", "-1=2", "a=b"] {
        let settings =
            Settings { order_fields: vec![wrong.to_owned()], ..Settings::of(Version::Fix44) };
        assert!(Dialect::new(settings).is_err(), "`{wrong}`");
    }
}

/// An entry whose session is up against a silent venue that we play.
fn up(dialect: Dialect) -> (OrderEntry, Session<MemoryStore>, Vec<u8>, Vec<Report>) {
    let config = SessionConfig::initiator("B", "A");
    let mut session = Session::new(config, MemoryStore::new(64, 1 << 14)).unwrap();
    let mut entry = OrderEntry::new(instruments(), 64, dialect);
    let (mut out, mut heard) = (Vec::new(), Vec::new());
    session.connected(NOW, &mut out).unwrap();
    say(&mut session, &mut entry, &mut heard, 1, "A", "98=0|108=30|");
    assert!(session.is_up());
    heard.clear();
    (entry, session, Vec::new(), heard)
}

fn say(
    session: &mut Session<MemoryStore>,
    entry: &mut OrderEntry,
    heard: &mut Vec<Report>,
    seq: u64,
    kind: &str,
    body: &str,
) {
    let time = "20250717-13:16:40.012";
    let body = format!("35={kind}|49=A|56=B|34={seq}|52={time}|{body}").replace('|', "\x01");
    let text = format!("8=FIX.4.4\x019={}\x01{body}", body.len());
    let sum: u32 = text.bytes().map(u32::from).sum();
    let frame = format!("{text}10={:03}\x01", sum % 256);
    let mut application = entry.application(heard);
    session.received(NOW, 5, frame.as_bytes(), &mut Vec::new(), &mut application).unwrap();
}

#[test]
fn everything_is_canceled_instrument_by_instrument_where_there_is_no_other_way() {
    let by_instrument = dialect(Version::Fix44, |settings| {
        settings.mass_cancel_all = None;
        settings.open_orders = OpenOrders::Cancel;
        settings.codes = vec![code(25016, "-2011", RejectReason::UnknownOrder)];
    });
    let (mut entry, mut session, mut out, mut heard) = up(by_instrument);
    let ask = Command::mass_status(OrderId(9));
    entry.send(&mut session, NOW, &mut out, &ask).unwrap();
    let sent = String::from_utf8_lossy(&out).replace('\x01', "|");
    assert!(sent.contains("|11=9-0|530=1|55=ARL|") && sent.contains("|11=9-1|530=1|55=BTC-USD|"));
    say(&mut session, &mut entry, &mut heard, 2, "r", "11=9-0|37=1|530=1|531=1|55=ARL|");
    assert!(heard.is_empty(), "{heard:?}");
    let none = "11=9-1|37=1|530=1|531=0|532=99|25016=-2011|55=BTC-USD|";
    say(&mut session, &mut entry, &mut heard, 3, "r", none);
    let kinds: Vec<_> = heard.iter().map(|report| (report.kind().unwrap(), report.order)).collect();
    let id = OrderId(9);
    assert_eq!(kinds, [(ReportKind::MassCanceled, id), (ReportKind::StatusDone, id)]);
    // A refusal for another reason leaves the question open.
    heard.clear();
    let cancel = Command::mass_cancel(OrderId(10), Event::ALL);
    assert_eq!(cancel.kind(), Some(CommandKind::MassCancel));
    entry.send(&mut session, NOW, &mut out, &cancel).unwrap();
    say(&mut session, &mut entry, &mut heard, 4, "r", "11=10-0|37=1|530=1|531=0|532=99|55=ARL|");
    say(&mut session, &mut entry, &mut heard, 5, "r", "11=10-1|37=1|530=1|531=1|55=BTC-USD|");
    assert!(heard.iter().all(|report| report.order != OrderId(10)), "{heard:?}");
}

#[test]
fn news_is_counted_and_kept_for_the_driver() {
    let (mut entry, mut session, _, mut heard) = up(Dialect::default());
    say(&mut session, &mut entry, &mut heard, 2, "B", "148=Please reconnect.|");
    assert_eq!((entry.counters().news, heard.len()), (1, 0));
    assert_eq!(entry.take_headline().as_deref(), Some("Please reconnect."));
    assert_eq!(entry.take_headline(), None);
}
