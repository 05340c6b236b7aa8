//! What a venue may say of our orders that cannot be true, as FIX, through decoder and trading loop:
//! a trade always counts, and the instrument is halted until a person clears it. What is only
//! foreign or refused is told apart from that.

use engine::config::RunConfig;
use engine::pipeline::assembly::{self, LoopMode};
use engine::trading::{OpeningState, TradingLoop};
use gateway::dialect::Dialect;
use gateway::fix::{FieldIndex, Frame, frame};
use gateway::orders::{Instruments, ReportError, Requests, decode_report};
use gateway::spec::Version;
use market::{
    Command, Event, InstrumentId, Order, OrderId, OrderState, Position, Price, Qty, Report,
    ReportKind, Side, Timestamp, VenueOrderId,
};
use std::collections::BTreeSet;

const BEGIN: Timestamp = Timestamp::from_nanos(1_750_000_000_000_000_000);
/// Our order: it buys 300 at 15.37.
const OURS: OrderId = OrderId(77);

/// A loop that knows one live order, and what decodes for it.
struct Lab {
    trading: TradingLoop,
    instruments: Instruments,
    requests: Requests,
    symbol: String,
}

impl Lab {
    /// The venue has named the order: it is live.
    fn new() -> Lab {
        let mut lab = Lab::unnamed();
        lab.hear("8", "37=X|17=0|150=I|39=0|11=77|55=$|54=1|38=300|44=15.37|14=0|151=300|");
        assert_eq!(lab.state(), Some(OrderState::Live));
        assert!(!lab.is_halted());
        lab
    }

    /// The session is up; what became of the order is not known.
    fn unnamed() -> Lab {
        let config = RunConfig::demo(&BTreeSet::from([0])).unwrap();
        let listed = assembly::instruments(&config.trading);
        let mode = LoopMode::of_run(&config);
        let settings = assembly::trading_settings(&config.trading, mode).unwrap();
        let order = Order {
            id: OURS,
            request: OrderId::NONE,
            venue_order: VenueOrderId::NONE,
            instrument: InstrumentId(0),
            side: Side::Buy,
            state: OrderState::Unknown,
            price: Price::from_raw(15_370_000_000),
            qty: Qty::from_raw(300),
            cum_qty: Qty::ZERO,
            pending_price: Price::ZERO,
            pending_qty: Qty::ZERO,
            sent: BEGIN,
            since: BEGIN,
        };
        let opening = OpeningState {
            epoch: 1,
            positions: vec![Position::default(); listed.len()],
            orders: vec![order],
            ..OpeningState::default()
        };
        let mut requests = Requests::new(16);
        let (side, price, qty) = (order.side, order.price, order.qty);
        requests.remember(5, &Command::new(OURS, order.instrument, side, price, qty));
        let mut lab = Lab {
            trading: TradingLoop::new(settings, &opening),
            instruments: Instruments::new(&listed).unwrap(),
            requests,
            symbol: listed[0].symbol.to_string(),
        };
        lab.trading.on_start(BEGIN, &mut |_: &Command| true);
        lab.report(&Report::new(ReportKind::SessionUp, OrderId::NONE, Event::ALL));
        lab
    }

    fn report(&mut self, report: &Report) {
        self.trading.on_report(BEGIN, report, &mut |_: &Command| true);
    }

    /// The venue says this; `$` is the symbol of our instrument.
    fn hear(&mut self, kind: &str, body: &str) {
        let body = body.replace('$', &self.symbol);
        let body = format!("35={kind}|49=VENUE|56=US|34=9|{body}").replace('|', "\x01");
        let head = format!("8=FIX.4.4\x019={}\x01", body.len());
        let sum = head.bytes().chain(body.bytes()).map(u32::from).sum::<u32>() % 256;
        let bytes = format!("{head}{body}10={sum:03}\x01").into_bytes();
        assert!(matches!(frame(&bytes, 8_192), Frame::Complete { .. }));
        let mut index = FieldIndex::new(64);
        let mut reports = Vec::new();
        let decoded: Result<(), ReportError> = decode_report(
            &index.parse(&bytes),
            1,
            &self.instruments,
            &Dialect::of(Version::Fix44),
            &self.requests,
            &mut |report| reports.push(report),
        );
        decoded.unwrap();
        reports.iter().for_each(|report| self.report(report));
    }

    fn state(&self) -> Option<OrderState> {
        let orders = self.trading.account().orders();
        orders.find(OURS).map(|slot| orders.get(slot).state)
    }

    fn is_halted(&self) -> bool {
        self.trading.is_halted(InstrumentId(0))
    }

    fn net(&self) -> i64 {
        self.trading.account().positions()[0].net
    }
}

fn fill(exec: &str, last: i64, cum: i64, leaves: i64) -> String {
    let status = if leaves > 0 { 1 } else { 2 };
    format!(
        "37=X|17={exec}|150=F|39={status}|11=77|55=$|54=1|31=15.37|32={last}|14={cum}|151={leaves}|"
    )
}

#[test]
fn fills_that_fit_halt_nothing() {
    let mut lab = Lab::new();
    lab.hear("8", &fill("A", 100, 100, 200));
    // The same fill once more, as after a resend.
    lab.hear("8", &fill("A", 100, 100, 200));
    lab.hear("8", &fill("B", 200, 300, 0));
    assert_eq!((lab.net(), lab.state()), (300, Some(OrderState::Filled)));
    assert!(!lab.is_halted());
    assert_eq!(lab.trading.counters().duplicates, 1);
}

/// A bust names the fill that it takes back, once; people must look at it.
#[test]
fn a_bust_takes_its_fill_back_once() {
    let mut lab = Lab::new();
    lab.hear("8", &fill("A", 100, 100, 200));
    let bust = fill("C", 100, 0, 300).replace("150=F|", "150=H|19=A|");
    for _ in 0..2 {
        lab.hear("8", &bust);
        assert_eq!(lab.net(), 0);
    }
    assert!(lab.is_halted());
    assert_eq!(lab.trading.counters().contradictions, 2);
}

/// The venue fills the order, and then answers the question that was asked before.
#[test]
fn a_status_of_an_order_that_has_just_filled_is_none() {
    let mut lab = Lab::new();
    lab.hear("8", &fill("A", 300, 300, 0));
    lab.hear("8", "37=X|17=0|150=I|39=2|11=77|55=$|54=1|38=300|44=15.37|14=300|151=0|");
    assert_eq!((lab.net(), lab.state()), (300, Some(OrderState::Filled)));
    assert!(!lab.is_halted());
    // Of other quantities it would be one.
    lab.hear("8", "37=X|17=0|150=I|39=1|11=77|55=$|54=1|38=300|44=15.37|14=200|151=100|");
    assert!(lab.is_halted());
}

#[test]
fn a_status_without_price_and_quantity_leaves_them() {
    let mut lab = Lab::new();
    lab.hear("8", "37=X|17=0|150=I|39=0|11=77|55=$|54=1|14=0|151=300|");
    let account = lab.trading.account();
    let order = account.orders().find(OURS).map(|slot| account.orders().get(slot)).unwrap();
    assert_eq!((order.price.raw(), order.qty.raw()), (15_370_000_000, 300));
    assert_eq!(account.exposure(InstrumentId(0), None).open_buy, 300);
}

#[test]
fn quantities_that_contradict_each_other_halt_the_instrument() {
    for (what, fills, net) in [
        ("CumQty falls", vec![fill("A", 100, 100, 200), fill("B", 100, 50, 200)], 200),
        ("CumQty jumps", vec![fill("A", 100, 200, 100)], 100),
        ("LastQty beyond what is left", vec![fill("A", 900, 900, 0)], 900),
        ("CumQty beyond the order", vec![fill("A", 300, 300, 0), fill("B", 1, 301, 0)], 301),
    ] {
        let mut lab = Lab::new();
        fills.iter().for_each(|fill| lab.hear("8", fill));
        assert!(lab.is_halted(), "{what}");
        assert_eq!(lab.net(), net, "{what}: a trade is a fact");
        assert_eq!(lab.trading.counters().contradictions, 1, "{what}");
    }
}

/// A negative quantity, or any other report that cannot be read, reaches the loop as this.
#[test]
fn a_report_that_nobody_can_read_halts_everything() {
    let mut lab = Lab::new();
    lab.report(&Report::new(ReportKind::Unreadable, OrderId::NONE, Event::ALL));
    assert!(lab.is_halted());
    assert_eq!(lab.trading.counters().contradictions, 1);
}

#[test]
fn a_fill_of_the_other_side_halts_the_instrument() {
    let mut lab = Lab::new();
    lab.hear("8", &fill("A", 100, 100, 200).replace("54=1", "54=2"));
    assert!(lab.is_halted());
    assert_eq!(lab.net(), -100);
}

#[test]
fn an_order_that_is_not_ours_is_counted_as_foreign_and_halts() {
    let mut lab = Lab::new();
    lab.hear("8", &fill("A", 100, 100, 200).replace("11=77", "11=web-1"));
    assert!(lab.is_halted());
    assert_eq!((lab.net(), lab.trading.counters().foreign), (100, 1));
    assert_eq!(lab.state(), Some(OrderState::Live));
}

#[test]
fn a_reject_of_the_message_rejects_the_order() {
    for (kind, body) in [("3", "45=5|371=44|373=5|"), ("j", "45=99|372=D|379=77|380=0|")] {
        let mut lab = Lab::unnamed();
        lab.hear(kind, body);
        assert_eq!(lab.state(), Some(OrderState::Rejected), "{kind}");
        assert!(!lab.is_halted(), "{kind}");
    }
}
