//! Killed and started again: what goes on, and what is gone.

use super::data::Receiver;
use super::lab::{Lab, NOON, buy, config, kinds};
use feeds::moldudp64::Line;
use market::{Command, InstrumentId, Nanos, ReportKind as K, Side};

#[test]
fn session_positions_and_ids_go_on_and_orders_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    let mut receiver = Receiver::new(&lab);
    lab.log_on(0);
    lab.run(Nanos::from_secs(5));
    let used = lab.buy_at_market(0, 10);
    let resting = lab.engines[0].id();
    lab.command(0, &buy(resting, "1.00".parse().unwrap(), 7));
    let first = lab.engines[0].heard();
    let (position, report) = (lab.position(0), lab.core.report());
    assert_eq!(position.net, 10);
    let mut packets = std::mem::take(&mut lab.net.packets);

    let mut lab = lab.restart();
    lab.now = lab.now.after(Nanos::from_secs(1));
    assert_eq!(lab.position(0), position, "from the reports in the FIX store");
    assert_eq!(lab.core.report().session, report.session);
    lab.core.poll(lab.now, &mut lab.net);
    packets.append(&mut lab.net.packets);
    packets.iter().for_each(|packet| receiver.take(Line::Live(0), packet, lab.now));
    let gaps = receiver.feed.receiver().counters().gaps;
    assert_eq!((receiver.feed.receiver().expected(), gaps), (lab.core.report().next_sequence, 0));

    lab.log_on(0);
    lab.engines[0].heard();
    let status = lab.engines[0].id();
    lab.command(0, &Command::mass_status(status));
    assert_eq!(kinds(&lab.engines[0].heard()), [K::StatusDone], "the order is not named");
    lab.command(0, &Command::cancel(used, resting, InstrumentId(0), Side::Buy));
    assert_eq!(kinds(&lab.engines[0].heard()), [K::CancelRejected], "the id was used");
    lab.run(Nanos::from_secs(5));
    lab.net.packets.iter().for_each(|packet| receiver.take(Line::Live(0), packet, lab.now));
    receiver.assert_same_books(&lab);
    lab.buy_at_market(0, 10);
    assert_eq!(lab.position(0).net, 20);
    let second = lab.engines[0].heard();
    let newest = first.iter().map(|report| report.exec).max().unwrap();
    assert!(second.iter().all(|report| report.exec > newest), "executions grow over restarts");
    assert!(second[0].venue_order > first[0].venue_order);
}

#[test]
fn right_after_a_restart_the_published_book_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    lab.run(Nanos::from_secs(5));
    assert!(lab.levels(InstrumentId(0), Side::Buy).len() > 3);
    let mut lab = lab.restart();
    lab.core.poll(lab.now, &mut lab.net);
    let mut late = Receiver::new(&lab);
    let last = lab.net.packets.last().unwrap().clone();
    late.take(Line::Live(0), &last, lab.now);
    late.catch_up(&mut lab.core, lab.now);
    late.assert_same_books(&lab);
}

#[test]
fn killed_at_any_moment_it_comes_back_with_what_it_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    lab.log_on(0);
    lab.run(Nanos::from_secs(3));
    let mut told = 0;
    for round in 1..=6 {
        lab.buy_at_market(0, round);
        let reports = lab.engines[0].heard();
        let fills = reports.iter().filter(|report| report.kind() == Some(K::Filled));
        told += fills.map(|report| report.qty.raw()).sum::<i64>();
        lab = lab.restart();
        assert_eq!(lab.position(0).net, told);
        lab.log_on(0);
        lab.run(Nanos::from_millis(700 * round.unsigned_abs()));
    }
    assert!(told > 0);
}

#[test]
fn fresh_begins_anew_for_an_engine_that_remembers() {
    let folder = tempfile::tempdir().unwrap();
    let settings = config(folder.path(), &["A"]);
    let mut lab = Lab::new(&settings, NOON);
    lab.log_on(0);
    lab.run(Nanos::from_secs(3));
    lab.buy_at_market(0, 10);
    let before = lab.core.report().session;
    let engines = std::mem::take(&mut lab.engines);
    let now = lab.now;
    drop(lab);
    let fresh = crate::pipeline::exchange::ExchangeCore::open(&settings, true, 6, now).unwrap();
    drop(fresh);
    let mut lab = Lab::new(&settings, now);
    lab.engines = engines;
    super::lab::lose(&mut lab.engines[0], now);
    assert_eq!(lab.position(0).net, 0);
    assert_ne!(lab.core.report().session, before);
    lab.log_on(0);
    assert!(lab.engines[0].session.is_up(), "{}", lab.engines[0].told());
}
