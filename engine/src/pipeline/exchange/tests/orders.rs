//! Orders in, reports out.

use super::lab::{Lab, NOON, buy, config, instruments, kinds};
use gateway::dialect::Dialect;
use gateway::fix::tags;
use gateway::orders::{Instruments, encode_command, msg_type};
use market::{
    Command, InstrumentId, Nanos, Price, Qty, RejectReason, ReportKind as K, Side, TimeInForce,
};

#[test]
fn an_order_is_accepted_and_filled_by_the_flow() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    lab.log_on(0);
    assert_eq!(kinds(&lab.engines[0].heard()), [K::SessionUp]);
    lab.run(Nanos::from_secs(3));
    let id = lab.buy_at_market(0, 10);
    let reports = lab.engines[0].heard();
    assert_eq!(kinds(&reports), [K::Accepted, K::Filled]);
    assert_eq!((reports[1].order, reports[1].leaves_qty), (id, Qty::ZERO));
    assert_eq!(reports[1].exchange_time, lab.now, "the venue trades by the clock");
    assert_eq!(lab.position(0).net, 10);
    assert_eq!(lab.position(0).fees, reports[1].fee().unwrap());
    let venue = lab.core.floor().market().venue_ref();
    assert_eq!(venue.position(lab.core.accounts()[0].id, InstrumentId(0)), lab.position(0));
}

#[test]
fn two_accounts_trade_with_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A", "B"]), NOON);
    lab.log_on(0);
    lab.log_on(1);
    // Before the flow's first step the book is empty.
    let price: Price = "10.00".parse().unwrap();
    let id = lab.engines[0].id();
    let sell = Command::new(id, InstrumentId(0), Side::Sell, price, Qty::from_raw(5));
    lab.command(0, &sell);
    let id = lab.engines[1].id();
    lab.command(1, &buy(id, price, 5).with_time_in_force(TimeInForce::ImmediateOrCancel));
    assert_eq!((lab.position(0).net, lab.position(1).net), (-5, 5));
    assert!(kinds(&lab.engines[0].heard()).ends_with(&[K::Filled]));
    assert!(kinds(&lab.engines[1].heard()).ends_with(&[K::Accepted, K::Filled]));
}

#[test]
fn a_client_that_leaves_has_its_orders_canceled_and_hears_of_it_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    lab.log_on(0);
    lab.run(Nanos::from_secs(1));
    let id = lab.engines[0].id();
    lab.command(0, &buy(id, "1.00".parse().unwrap(), 7));
    let account = lab.core.accounts()[0].id;
    assert_eq!(lab.core.floor().market().venue_ref().open_orders(account), 1);
    lab.hang_up(0);
    assert_eq!(lab.core.floor().market().venue_ref().open_orders(account), 0);
    lab.engines[0].heard();
    lab.log_on(0);
    let reports = lab.engines[0].heard();
    assert_eq!(kinds(&reports), [K::Canceled, K::SessionUp], "what was missed is resent");
    assert_eq!(reports[0].order, id);
    // The order is not named any more.
    let id = lab.engines[0].id();
    lab.command(0, &Command::mass_status(id));
    assert_eq!(kinds(&lab.engines[0].heard()), [K::StatusDone]);
}

#[test]
fn orders_stay_if_the_configuration_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = config(folder.path(), &["A"]);
    settings.fix.cancel_on_disconnect = false;
    let mut lab = Lab::new(&settings, NOON);
    lab.log_on(0);
    let id = lab.engines[0].id();
    lab.command(0, &buy(id, "1.00".parse().unwrap(), 7));
    lab.hang_up(0);
    lab.log_on(0);
    lab.engines[0].heard();
    let status = lab.engines[0].id();
    lab.command(0, &Command::mass_status(status));
    let reports = lab.engines[0].heard();
    assert_eq!(kinds(&reports), [K::Status, K::StatusDone]);
    assert_eq!(reports[0].order, id);
}

#[test]
fn an_id_is_used_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    lab.log_on(0);
    let id = lab.engines[0].id();
    let price: Price = "1.00".parse().unwrap();
    lab.command(0, &buy(id, price, 7));
    lab.engines[0].heard();
    lab.command(0, &buy(id, price, 7));
    let reports = lab.engines[0].heard();
    assert_eq!(
        (kinds(&reports), reports[0].reason()),
        (vec![K::Rejected], RejectReason::DuplicateId)
    );
    assert_eq!(reports[0].order, id);
    assert!(!reports[0].exec.is_none());
}

/// Engine 0 sends a command that it may have sent before.
fn say_again(lab: &mut Lab, command: &Command) {
    let listed = Instruments::new(&instruments(&lab.config)).unwrap();
    let dialect = Dialect::default();
    let kind = msg_type(command, &dialect).unwrap();
    let engine = &mut lab.engines[0];
    let now = lab.now;
    engine
        .session
        .send(now, &mut engine.out, kind, |encoder| {
            encoder.flag(tags::POSS_RESEND, true);
            encode_command(command, &listed, &dialect, now, encoder);
        })
        .unwrap();
    lab.exchange_bytes();
}

#[test]
fn case_19_what_was_carried_out_is_neither_done_again_nor_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    lab.log_on(0);
    let (price, account) = ("1.00".parse().unwrap(), lab.core.accounts()[0].id);
    let open_orders = |lab: &Lab| lab.core.floor().market().venue_ref().open_orders(account);
    let order = buy(lab.engines[0].id(), price, 7);
    lab.command(0, &order);
    lab.engines[0].heard();
    say_again(&mut lab, &order);
    assert_eq!((kinds(&lab.engines[0].heard()), open_orders(&lab)), (vec![], 1));
    // What had not come is an order like any other.
    let other = buy(lab.engines[0].id(), price, 7);
    say_again(&mut lab, &other);
    assert_eq!((kinds(&lab.engines[0].heard()), open_orders(&lab)), (vec![K::Accepted], 2));
    assert!(lab.engines[0].session.is_up());
    let report = lab.core.report();
    assert_eq!((report.accounts[0].orders, report.accounts[0].said_again), (2, 1));
    assert!(report.to_string().contains(" 1 commands said again were passed over"));
}
