//! Messages that are wrong, and what each must lead to.

use super::*;
use crate::fix::{EncodeError, Fault, RejectCode};
use crate::orders::{CommandError, InstrumentsError, ReportError, not_sent};
use crate::session::{BusinessReason, SendError};
use market::{InstrumentId, OrderId, Price, Qty, RejectReason, ReportKind, Side};

const ORDER: &str = "11=77|55=ARL|54=1|38=300|40=2|44=15.37|59=0|";
const FILL: &str = "37=X|17=Y|150=F|39=1|11=77|55=ARL|54=1|31=15|32=100|14=100|151=200|";

fn fault(code: RejectCode, tag: u32) -> Fault {
    Fault::new(code, tag)
}

#[test]
fn orders_that_are_none() {
    use RejectCode::{DataFormat, Repeated, RequiredTagMissing, ValueIncorrect};
    for (from, to, code, tag) in [
        ("11=77|", "", RequiredTagMissing, 11),
        ("11=77", "11=abc", DataFormat, 11),
        ("11=77", "11=0", ValueIncorrect, 11),
        ("11=77", "11=18446744073709551616", ValueIncorrect, 11),
        ("55=ARL|", "", RequiredTagMissing, 55),
        ("54=1", "54=5", ValueIncorrect, 54),
        ("54=1|", "", RequiredTagMissing, 54),
        ("38=300|", "", RequiredTagMissing, 38),
        ("38=300", "38=0.5", ValueIncorrect, 38),
        ("38=300", "38=1E5", DataFormat, 38),
        ("38=300", "38=+5", DataFormat, 38),
        ("38=300", "38=NaN", DataFormat, 38),
        ("40=2", "40=1", ValueIncorrect, 40),
        ("40=2|", "", RequiredTagMissing, 40),
        ("44=15.37|", "", RequiredTagMissing, 44),
        ("44=15.37", "44=0.0000000001", ValueIncorrect, 44),
        ("44=15.37", "44=9999999999999999999999999999999999999999", ValueIncorrect, 44),
        ("59=0", "59=1", ValueIncorrect, 59),
        ("59=0|", "59=0|18=M|", ValueIncorrect, 18),
        ("59=0|", "59=0|44=16|", Repeated, 44),
    ] {
        let body = ORDER.replacen(from, to, 1);
        let expected = Err(CommandError::Fault(fault(code, tag)));
        assert_eq!(read_command(&message_of("D", &body)), expected, "{body}");
    }
    assert!(read_command(&message_of("D", ORDER)).is_ok());
    assert!(read_command(&message_of("D", &ORDER.replace("44=15.37", "44=.5"))).is_ok());
}

#[test]
fn requests_that_are_none() {
    let refused = |kind: &str, body: &str| read_command(&message_of(kind, body)).unwrap_err();
    let business = CommandError::Business;
    assert_eq!(
        refused("D", &ORDER.replace("ARL", "ÄRL")),
        business(BusinessReason::UnknownSecurity)
    );
    assert_eq!(refused("E", ""), business(BusinessReason::UnsupportedMessage));
    let missing = |tag| CommandError::Fault(fault(RejectCode::RequiredTagMissing, tag));
    let wrong = |tag| CommandError::Fault(fault(RejectCode::ValueIncorrect, tag));
    assert_eq!(refused("G", ORDER), missing(41));
    assert_eq!(refused("F", ORDER), missing(41));
    assert_eq!(refused("q", "11=1|"), missing(530));
    assert_eq!(refused("q", "11=1|530=3|"), wrong(530));
    assert_eq!(refused("q", "11=1|530=1|"), missing(55));
    assert_eq!(refused("AF", "584=1|585=1|"), wrong(585));
    assert_eq!(refused("AF", "584=1|"), missing(585));
    assert_eq!(refused("UM", "20001=1|"), missing(20002));
}

#[test]
fn executions_that_are_none() {
    use RejectCode::{DataFormat, Repeated, RequiredTagMissing, ValueIncorrect};
    let none = Requests::new(16);
    for (from, to, code, tag) in [
        ("150=F|", "", RequiredTagMissing, 150),
        ("150=F", "150=z", ValueIncorrect, 150),
        ("150=F", "150=FF", DataFormat, 150),
        ("37=X|", "", RequiredTagMissing, 37),
        ("17=Y|", "", RequiredTagMissing, 17),
        ("54=1|", "", RequiredTagMissing, 54),
        ("31=15|", "", RequiredTagMissing, 31),
        ("31=15", "31=1E-5", DataFormat, 31),
        ("31=15", "31=+15", DataFormat, 31),
        ("32=100", "32=1e2", DataFormat, 32),
        ("14=100", "14=NaN", DataFormat, 14),
        ("54=1", "54=@", ValueIncorrect, 54),
        ("32=100|", "", RequiredTagMissing, 32),
        ("32=100", "32=0", ValueIncorrect, 32),
        ("32=100", "32=-1", ValueIncorrect, 32),
        ("32=100", "32=0.1", ValueIncorrect, 32),
        ("14=100|", "", RequiredTagMissing, 14),
        ("14=100", "14=-100", ValueIncorrect, 14),
        ("151=200|", "", RequiredTagMissing, 151),
        ("151=200", "151=-200", ValueIncorrect, 151),
        ("151=200|", "151=200|151=1|", Repeated, 151),
        ("151=200|", "151=200|60=later|", DataFormat, 60),
        ("151=200|", "151=200|912=?|", DataFormat, 912),
        ("150=F", "150=H", RequiredTagMissing, 19),
    ] {
        let body = FILL.replacen(from, to, 1);
        let expected = Err(ReportError::Fault(fault(code, tag)));
        assert_eq!(read_reports(&message_of("8", &body), &none), expected, "{body}");
    }
    // A trade stands whatever its commission: per cent, or finer than we hold, is not said.
    for commission in ["12=1|13=2|", "12=0.0000000001|13=3|", "12=x|"] {
        let body = FILL.replacen("151=200|", &format!("151=200|{commission}"), 1);
        let reports = read_reports(&message_of("8", &body), &none).unwrap();
        assert_eq!((reports[0].kind(), reports[0].fee()), (Some(ReportKind::Filled), None));
    }
    let foreign = message_of("8", &FILL.replace("ARL", "XYZ"));
    assert_eq!(read_reports(&foreign, &none), Err(ReportError::UnknownInstrument));
    assert_eq!(read_reports(&message_of("W", ""), &none), Err(ReportError::NotAReport));
}

#[test]
fn acknowledgements_to_come_tell_nothing() {
    for exec_type in ["A", "6", "E", "7", "9", "B"] {
        let body = FILL.replace("150=F", &format!("150={exec_type}"));
        assert_eq!(read_reports(&message_of("8", &body), &Requests::new(16)), Ok(vec![]));
    }
}

#[test]
fn an_order_of_somebody_else_has_no_id_of_ours() {
    for id in ["11=web-1|", ""] {
        let bytes = message_of("8", &FILL.replace("11=77|", id));
        let report = read_reports(&bytes, &Requests::new(16)).unwrap()[0];
        assert_eq!((report.order, report.kind()), (OrderId::NONE, Some(ReportKind::Filled)));
    }
}

#[test]
fn the_status_of_a_closed_order_is_its_end() {
    for (status, kind) in [("4", ReportKind::Canceled), ("C", ReportKind::Expired)] {
        let body = FILL.replace("150=F|39=1", &format!("150=I|39={status}"));
        let report = read_reports(&message_of("8", &body), &Requests::new(16)).unwrap()[0];
        assert_eq!(report.kind(), Some(kind));
    }
}

/// A ring with one request of each kind, under numbers 1 to 4.
fn requests() -> Requests {
    let (arl, side, price, qty) = (InstrumentId(0), Side::Buy, Price::ONE, Qty::from_raw(3));
    let mut requests = Requests::new(16);
    requests.remember(1, &Command::new(OrderId(71), arl, side, price, qty));
    requests.remember(2, &Command::replace(OrderId(72), OrderId(71), arl, side, price, qty));
    requests.remember(3, &Command::cancel(OrderId(73), OrderId(72), arl, side));
    requests.remember(4, &Command::mass_cancel(OrderId(74), arl));
    requests
}

#[test]
fn session_and_business_rejects_find_their_request() {
    let requests = requests();
    let one = |kind: &str, body: &str| {
        let report = read_reports(&message_of(kind, body), &requests).unwrap()[0];
        (report.kind().unwrap(), report.order.0, report.target.0, report.reason())
    };
    use ReportKind::{CancelRejected, MassCanceled, Rejected};
    assert_eq!(one("3", "45=1|373=5|371=44|"), (Rejected, 71, 0, RejectReason::Price));
    assert_eq!(one("3", "45=1|371=38|"), (Rejected, 71, 0, RejectReason::Qty));
    assert_eq!(one("3", "45=2|"), (CancelRejected, 72, 71, RejectReason::Malformed));
    assert_eq!(one("3", "45=3|371=x|"), (CancelRejected, 73, 72, RejectReason::Malformed));
    assert_eq!(one("j", "45=1|372=D|380=2|"), (Rejected, 71, 0, RejectReason::UnknownInstrument));
    assert_eq!(one("j", "379=72|380=4|"), (CancelRejected, 72, 71, RejectReason::NoSession));
    assert_eq!(one("j", "45=99|379=73|380=0|"), (CancelRejected, 73, 72, RejectReason::Other));
    assert_eq!(one("j", "45=4|380=3|"), (MassCanceled, 74, 0, RejectReason::Malformed));
    for (kind, body) in [("3", "45=99|"), ("3", "45=0|"), ("j", "379=1|380=0|"), ("j", "380=0|")] {
        let read = read_reports(&message_of(kind, body), &requests);
        assert_eq!(read, Err(ReportError::UnknownRequest), "{kind} {body}");
    }
    assert!(matches!(read_reports(&message_of("3", ""), &requests), Err(ReportError::Fault(_))));
}

#[test]
fn old_requests_are_forgotten_not_mixed_up() {
    let mut requests = requests();
    requests.remember(17, &Command::mass_status(OrderId(71 + 16)));
    assert!(requests.by_seq(1).is_none() && requests.by_id(OrderId(71)).is_none());
    assert!(requests.by_seq(17).is_some() && requests.by_id(OrderId(87)).is_some());
}

#[test]
fn what_cannot_be_said_is_refused() {
    let refuse = |command: &Command| {
        let mut template = Template::new("FIX.4.4", "A", "B", Precision::Millis).unwrap();
        let mut buffer = [0; 512];
        let mut encoder = Encoder::begin(&mut buffer, &mut template, NOW, 1, b"D");
        super::super::encode_command(
            command,
            &instruments(),
            &Dialect::default(),
            NOW,
            &mut encoder,
        );
        encoder.finish().map(drop)
    };
    let unknown =
        Command::new(OrderId(1), InstrumentId(3), Side::Buy, Price::ONE, Qty::from_raw(1));
    assert_eq!(refuse(&unknown), Err(EncodeError::UnknownInstrument));
    assert_eq!(refuse(&Command::default()), Err(EncodeError::NoMessage));
    let reason = |error| not_sent(&unknown, error).reason();
    assert_eq!(reason(SendError::Down), RejectReason::NoSession);
    assert_eq!(
        reason(SendError::Encode(EncodeError::UnknownInstrument)),
        RejectReason::UnknownInstrument
    );
    let up = Report::new(ReportKind::SessionUp, OrderId::NONE, InstrumentId(0));
    assert_eq!(super::super::report_msg_type(&up), None);
}

#[test]
fn instruments_that_make_no_table() {
    let share = Instrument::share;
    let twice = Instruments::new(&[share(0, "A"), share(1, "A")]).unwrap_err();
    assert_eq!(twice, InstrumentsError::Twice("A".to_owned()));
    assert!(Instruments::new(&[share(0, "A"), share(0, "B")]).is_err());
    assert!(Instruments::new(&[share(0, "")]).is_err());
    assert!(Instruments::new(&[share(0, "A\x01B")]).is_err());
    let fine = Instrument { qty_digits: 10, ..share(0, "A") };
    assert!(matches!(Instruments::new(&[fine]), Err(InstrumentsError::Digits(_))));
    assert_eq!(instruments().id_of(b"BTC-USD"), Some(InstrumentId(7)));
    assert_eq!(instruments().id_of(b""), None);
}
