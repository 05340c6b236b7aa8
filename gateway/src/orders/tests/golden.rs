//! The messages as text: what an exchange's documentation would show.

use super::*;
use market::{
    Event, ExecId, InstrumentId, Liquidity, OrderId, Price, Qty, RejectReason, ReportKind, Side,
    TimeInForce, VenueOrderId,
};

fn order() -> Command {
    let price = "15.37".parse().unwrap();
    Command::new(OrderId(77), InstrumentId(0), Side::Buy, price, Qty::from_raw(300))
}

#[test]
fn commands() {
    let time = "60=20250717-13:16:40.012345678|";
    let post_only = order().with_post_only(true);
    let (price, qty) = ("65000.5".parse().unwrap(), Qty::from_raw(150_000_000));
    let (id, target, btc) = (OrderId(78), OrderId(77), InstrumentId(7));
    let replace = Command::replace(id, target, btc, Side::Sell, price, qty)
        .with_time_in_force(TimeInForce::ImmediateOrCancel);
    for (command, body) in [
        (post_only, format!("11=77|18=6|55=ARL|54=1|{time}38=300|40=2|44=15.37|59=0|")),
        (replace, format!("41=77|11=78|55=BTC-USD|54=2|{time}38=1.5|40=2|44=65000.5|59=3|")),
        (
            Command::cancel(id, target, btc, Side::Sell),
            format!("41=77|11=78|55=BTC-USD|54=2|{time}"),
        ),
        (Command::mass_cancel(id, Event::ALL), format!("11=78|530=7|{time}")),
        (Command::mass_cancel(id, btc), format!("11=78|530=1|55=BTC-USD|{time}")),
        (Command::mass_status(id), "584=78|585=7|".to_owned()),
        (Command::mark(12, 34), "20001=12|20002=34|".to_owned()),
    ] {
        assert_eq!(body_of(&command_frame(&command)), body);
    }
    let frame = written(&order(), &accounted());
    assert!(body_of(&frame).starts_with("11=77|1=ACC|55=ARL|"));
}

#[test]
fn a_fill() {
    let report = built(Report::new(ReportKind::Filled, OrderId(77), InstrumentId(0)), |r| {
        r.venue_order = VenueOrderId([0, 0xab]);
        r.exec = ExecId([1, 2]);
        r.price = "15.37".parse().unwrap();
        r.qty = Qty::from_raw(100);
        r.cum_qty = Qty::from_raw(100);
        r.leaves_qty = Qty::from_raw(200);
        r.exchange_time = NOW;
    })
    .with_side(Side::Buy)
    .with_liquidity(Liquidity::Maker)
    .with_fee(-153_700_000);
    let frame = report_frame(&report, &Requests::new(16), StatusAnswer::default());
    assert_eq!(
        body_of(&frame),
        "37=000000000000000000000000000000ab|17=00000000000000010000000000000002|150=F|39=1|11=77|\
         55=ARL|54=1|31=15.37|32=100|14=100|151=200|6=0|12=-0.1537|13=3|851=1|\
         60=20250717-13:16:40.012345678|"
    );
}

#[test]
fn refusals() {
    let mut requests = Requests::new(16);
    requests.remember(3, &Command::cancel(OrderId(78), OrderId(77), InstrumentId(0), Side::Buy));
    let mut report = Report::new(ReportKind::CancelRejected, OrderId(78), InstrumentId(0))
        .with_reason(RejectReason::UnknownOrder);
    report.target = OrderId(77);
    let frame = report_frame(&report, &requests, StatusAnswer::default());
    assert_eq!(
        body_of(&frame),
        "37=NONE|11=78|41=77|39=8|434=1|102=1|58=unknown order|60=19700101-00:00:00.000000000|"
    );
    let replace = Command::replace(
        OrderId(79),
        OrderId(77),
        InstrumentId(0),
        Side::Buy,
        Price::ONE,
        Qty::from_raw(1),
    );
    requests.remember(4, &replace);
    report.order = OrderId(79);
    let report = report.with_reason(RejectReason::WouldTrade);
    let frame = report_frame(&report, &requests, StatusAnswer::default());
    assert!(body_of(&frame).contains("434=2|102=99|20003=7|58=post-only order would trade|"));
}

#[test]
fn an_empty_mass_status() {
    let report = Report::new(ReportKind::StatusDone, OrderId(5), Event::ALL);
    let frame = report_frame(&report, &Requests::new(16), StatusAnswer::default());
    assert_eq!(
        body_of(&frame),
        "37=NONE|17=NONE|150=I|39=8|584=5|911=0|912=Y|14=0|151=0|6=0|\
         60=19700101-00:00:00.000000000|"
    );
    assert_eq!(read_reports(&frame, &Requests::new(16)).unwrap().len(), 1);
}

#[test]
fn the_last_order_of_a_foreign_mass_status_says_two_things() {
    let bytes = message_of(
        "8",
        "37=X|17=Y|150=I|39=0|11=77|55=ARL|54=1|38=300|44=15|14=0|151=300|584=5|911=1|912=Y|",
    );
    let kinds: Vec<_> = read_reports(&bytes, &Requests::new(16))
        .unwrap()
        .into_iter()
        .map(|report| (report.kind().unwrap(), report.order.0))
        .collect();
    assert_eq!(kinds, [(ReportKind::Status, 77), (ReportKind::StatusDone, 5)]);
}

#[test]
fn ids_of_other_venues_become_digests() {
    let bytes =
        message_of("8", "37=b65e1c70-90ab|17=E-1|150=0|39=0|11=77|55=ARL|54=1|14=0|151=300|");
    let report = read_reports(&bytes, &Requests::new(16)).unwrap()[0];
    assert_eq!(report.venue_order, VenueOrderId::from_text(b"b65e1c70-90ab"));
    assert_eq!(report.exec, ExecId::from_text(b"E-1"));
    // 32 characters that are not all hexadecimal, or in capitals, are text like any other.
    let text = "000000000000000000000000000000AB";
    let bytes = message_of("8", &format!("37={text}|17=1|150=0|39=0|11=7|55=ARL|54=1|14=0|151=3|"));
    let report = read_reports(&bytes, &Requests::new(16)).unwrap()[0];
    assert_eq!(report.venue_order, VenueOrderId::from_text(text.as_bytes()));
}
