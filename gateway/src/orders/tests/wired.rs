//! Order entry and acceptor over two sessions: what one says the other hears.

use super::*;
use crate::orders::{Client, OrderAcceptor, OrderEntry};
use crate::session::{Disconnect, MemoryStore, SendError, Session, SessionConfig};
use market::{
    CommandKind, Event, ExecId, InstrumentId, OrderId, Price, Qty, RejectReason, ReportKind, Side,
    VenueOrderId,
};

struct Wired {
    entry: OrderEntry,
    acceptor: OrderAcceptor,
    us: Session<MemoryStore>,
    venue: Session<MemoryStore>,
    to_us: Vec<u8>,
    to_venue: Vec<u8>,
    heard: Vec<Client>,
    reports: Vec<Report>,
}

impl Wired {
    fn new() -> Wired {
        let store = || MemoryStore::new(64, 1 << 14);
        let config = |mut config: SessionConfig| {
            config.precision = Precision::Nanos;
            config
        };
        let initiator = config(SessionConfig::initiator("US", "VENUE"));
        let acceptor = config(SessionConfig::acceptor("VENUE", "US"));
        let mut wired = Wired {
            entry: OrderEntry::new(instruments(), 64, accounted()),
            acceptor: OrderAcceptor::new(instruments(), 64, Dialect::default()),
            us: Session::new(initiator, store()).unwrap(),
            venue: Session::new(acceptor, store()).unwrap(),
            to_us: Vec::new(),
            to_venue: Vec::new(),
            heard: Vec::new(),
            reports: Vec::new(),
        };
        wired.venue.connected(NOW, &mut wired.to_us).unwrap();
        wired.us.connected(NOW, &mut wired.to_venue).unwrap();
        wired.exchange();
        wired
    }

    fn exchange(&mut self) {
        while !self.to_us.is_empty() || !self.to_venue.is_empty() {
            self.venue_reads();
            self.we_read().unwrap();
        }
    }

    fn venue_reads(&mut self) {
        let bytes = std::mem::take(&mut self.to_venue);
        let mut app = self.acceptor.application(&mut self.heard);
        self.venue.received(NOW, 0, &bytes, &mut self.to_us, &mut app).unwrap();
    }

    fn we_read(&mut self) -> Result<usize, Disconnect> {
        let bytes = std::mem::take(&mut self.to_us);
        let mut app = self.entry.application(&mut self.reports);
        self.us.received(NOW, 5, &bytes, &mut self.to_venue, &mut app)
    }

    fn kinds(&self) -> Vec<ReportKind> {
        self.reports.iter().map(|report| report.kind().unwrap()).collect()
    }

    fn command(&mut self, command: &Command) {
        self.entry.send(&mut self.us, NOW, &mut self.to_venue, command).unwrap();
        self.exchange();
    }

    fn report(&mut self, report: &Report) {
        self.acceptor.send(&mut self.venue, NOW, &mut self.to_us, report).unwrap();
        self.exchange();
    }
}

fn order(id: u64) -> Command {
    Command::new(OrderId(id), InstrumentId(0), Side::Buy, Price::ONE, Qty::from_raw(3))
}

#[test]
fn an_order_and_its_life() {
    let mut wired = Wired::new();
    assert_eq!(wired.heard, [Client::Up]);
    assert_eq!(wired.reports[0].kind(), Some(ReportKind::SessionUp));
    let cancel = Command::cancel(OrderId(2), OrderId(1), InstrumentId(0), Side::Buy);
    for command in [order(1), cancel, Command::mark(3, 4)] {
        wired.command(&command);
        assert_eq!(wired.heard.last(), Some(&Client::Command(command)));
    }
    let accepted = built(Report::new(ReportKind::Accepted, OrderId(1), InstrumentId(0)), |r| {
        r.venue_order = VenueOrderId([0, 1]);
        r.exec = ExecId([0, 1]);
        r.qty = Qty::from_raw(3);
        r.leaves_qty = Qty::from_raw(3);
        r.price = Price::ONE;
        r.exchange_time = NOW;
        r.received = 5;
    })
    .with_side(Side::Buy);
    wired.report(&accepted);
    assert_eq!(wired.reports[1], accepted);
    let mut late = Report::new(ReportKind::CancelRejected, OrderId(2), InstrumentId(0))
        .with_side(Side::Buy)
        .with_reason(RejectReason::TooLate);
    (late.target, late.received) = (OrderId(1), 5);
    wired.report(&late);
    assert_eq!(wired.reports[2], late);
}

#[test]
fn an_unknown_symbol_comes_back_as_a_rejected_order() {
    let mut wired = Wired::new();
    wired.acceptor = OrderAcceptor::new(
        Instruments::new(&[Instrument::share(1, "OTHER")]).unwrap(),
        16,
        Dialect::default(),
    );
    wired.command(&order(1));
    let report = wired.reports[1];
    assert_eq!((report.kind(), report.order), (Some(ReportKind::Rejected), OrderId(1)));
    assert_eq!(report.reason(), RejectReason::UnknownInstrument);
    assert_eq!((wired.heard.len(), wired.acceptor.refused()), (1, 1));
}

#[test]
fn a_price_the_venue_cannot_read_comes_back_as_a_rejected_order() {
    let mut wired = Wired::new();
    // The venue trades whole shares only; we believe in fractions.
    let fractions = Instrument { qty_digits: 2, ..Instrument::share(0, "ARL") };
    wired.entry = OrderEntry::new(Instruments::new(&[fractions]).unwrap(), 16, Dialect::default());
    wired.command(&order(1));
    let report = wired.reports[1];
    assert_eq!((report.kind(), report.reason()), (Some(ReportKind::Rejected), RejectReason::Qty));
}

#[test]
fn a_mass_status_is_counted_and_closed() {
    let mut wired = Wired::new();
    wired.command(&Command::mass_status(OrderId(9)));
    let asked = Client::Command(Command::mass_status(OrderId(9)));
    assert_eq!(wired.heard.last(), Some(&asked));
    let open = Report::new(ReportKind::Status, OrderId(1), InstrumentId(0)).with_side(Side::Sell);
    wired.report(&open);
    wired.report(&open);
    wired
        .acceptor
        .send(
            &mut wired.venue,
            NOW,
            &mut wired.to_us,
            &Report::new(ReportKind::StatusDone, OrderId(9), Event::ALL),
        )
        .unwrap();
    assert!(String::from_utf8_lossy(&wired.to_us).contains("584=9\x01911=2\x01912=Y\x01"));
    wired.exchange();
    use ReportKind::{SessionUp, Status, StatusDone};
    assert_eq!(wired.kinds(), [SessionUp, Status, Status, StatusDone]);
    assert_eq!((wired.reports[3].order, wired.reports[3].instrument), (OrderId(9), Event::ALL));
}

#[test]
fn reports_while_away_arrive_at_the_next_logon_before_it_counts_as_up() {
    let mut wired = Wired::new();
    wired.us.disconnected(NOW, &mut wired.entry.application(&mut wired.reports));
    wired.venue.disconnected(NOW, &mut wired.acceptor.application(&mut wired.heard));
    assert_eq!(wired.heard.last(), Some(&Client::Down));
    let gone = Report::new(ReportKind::Canceled, OrderId(1), InstrumentId(0)).with_side(Side::Buy);
    wired.report(&gone);
    wired.venue.connected(NOW, &mut wired.to_us).unwrap();
    wired.us.connected(NOW, &mut wired.to_venue).unwrap();
    wired.exchange();
    use ReportKind::{Canceled, SessionDown, SessionUp};
    assert_eq!(wired.kinds(), [SessionUp, SessionDown, Canceled, SessionUp]);
    assert!(wired.us.is_up() && !wired.us.is_recovering());
}

#[test]
fn a_report_missed_before_a_logout_arrives_after_the_session_was_told_down() {
    use ReportKind::{Canceled, SessionDown, SessionUp};
    let mut wired = Wired::new();
    wired.command(&order(1));
    let gone = Report::new(Canceled, OrderId(1), InstrumentId(0)).with_side(Side::Buy);
    wired.acceptor.send(&mut wired.venue, NOW, &mut wired.to_us, &gone).unwrap();
    wired.to_us.clear();
    wired.venue.logout(NOW, &mut wired.to_us, "closing").unwrap();
    wired.we_read().unwrap();
    assert_eq!(wired.kinds(), [SessionUp, SessionDown]);
    let cancel = Command::cancel(OrderId(2), OrderId(1), InstrumentId(0), Side::Buy);
    let sent = wired.entry.send(&mut wired.us, NOW, &mut wired.to_venue, &cancel);
    assert_eq!(sent, Err(SendError::Down));
    wired.venue_reads();
    assert_eq!(wired.we_read(), Err(Disconnect::PeerLogout));
    wired.us.disconnected(NOW, &mut wired.entry.application(&mut wired.reports));
    assert_eq!(wired.kinds(), [SessionUp, SessionDown, Canceled]);
}

#[test]
fn what_is_no_report_is_counted_and_answered() {
    let mut wired = Wired::new();
    let send = |wired: &mut Wired, kind: &[u8], text: &[u8]| {
        let write = |encoder: &mut Encoder<'_>| encoder.bytes(58, text);
        wired.venue.send(NOW, &mut wired.to_us, kind, write).unwrap();
        wired.exchange();
    };
    send(&mut wired, b"C", b"a letter");
    send(&mut wired, b"8", b"nothing");
    send(&mut wired, b"j", b"of nothing");
    let counters = wired.entry.counters();
    assert_eq!((counters.unsupported, counters.faulty, counters.unknown_request), (1, 1, 1));
    assert_eq!(wired.acceptor.refused(), 2, "a j and a 3 came back");
    assert_eq!(wired.us.counters().rejects, 2);
    assert_eq!(order(1).kind(), Some(CommandKind::New));
}
