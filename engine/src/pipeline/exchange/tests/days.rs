//! Midnight: stamps count from it, so a session ends with its day.

use super::data::Receiver;
use super::lab::{Lab, NOON, buy, config, kinds};
use feeds::moldudp64::{Line, Packet, PacketKind};
use market::{Nanos, ReportKind as K, Timestamp};

/// Five seconds before midnight.
fn late() -> Timestamp {
    Timestamp::from_nanos(NOON.midnight().nanos() + Nanos::DAY.get() - 5_000_000_000)
}

#[test]
fn a_running_exchange_begins_another_session_at_midnight() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), late());
    let day = Receiver::new(&lab);
    lab.log_on(0);
    lab.run(Nanos::from_secs(4));
    lab.buy_at_market(0, 10);
    let id = lab.engines[0].id();
    lab.command(0, &buy(id, "1.00".parse().unwrap(), 7));
    lab.engines[0].heard();
    let first = lab.core.report().session;
    let position = lab.position(0);
    lab.run(Nanos::from_secs(4));
    let second = lab.core.report();
    assert_ne!(second.session, first);
    assert_eq!(kinds(&lab.engines[0].heard()), [K::Expired]);
    assert_eq!(lab.position(0), position, "held over night");
    assert!(lab.engines[0].session.is_up());
    assert_eq!(lab.core.floor().publication.counters().unsaid, 0);
    lab.buy_at_market(0, 10);
    assert_eq!(lab.position(0).net, 20);

    // Yesterday's receiver ends; today's follows.
    let (mut day, mut next) = (day, Receiver::new(&lab));
    let mut ended = 0;
    for packet in &lab.net.packets {
        let parsed = Packet::parse(packet).unwrap();
        ended += u32::from(parsed.kind == PacketKind::EndOfSession);
        let receiver = if parsed.session.to_string() == first { &mut day } else { &mut next };
        receiver.take(Line::Live(0), packet, lab.now);
    }
    assert_eq!(ended, 1);
    next.assert_same_books(&lab);
    let books = day.books.books();
    use market::book::BookView;
    assert!(books.iter().all(|book| market::Side::BOTH.iter().all(|side| book.depth(*side) == 0)));
}

#[test]
fn a_restart_on_another_day_begins_another_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), late());
    lab.run(Nanos::from_secs(2));
    let first = lab.core.report().session;
    lab.now = lab.now.after(Nanos::from_secs(10));
    let lab = lab.restart();
    let second = lab.core.report();
    assert!(first.ends_with("01") && second.session.ends_with("01") && first != second.session);
    assert_eq!(second.next_sequence, 1, "nothing is published before the first poll");
}
