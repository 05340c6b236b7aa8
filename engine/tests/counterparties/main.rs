//! The engine trades with venues that behave as their documentation says, over TLS where they want
//! it, with the profiles of `config/venues`. The venues share no code with the gateway.
//!
//! Market data comes from the demo exchange, orders go to the venue. Every wait is bounded, and
//! every child process ends with the test that started it.

mod acceptor;
mod binance;
mod book;
mod canary;
mod coinbase;
mod deribit;
mod drop_copy;
mod floor;
#[allow(dead_code)]
#[path = "../sockets/host.rs"]
mod host;
mod kraken;
#[allow(dead_code)]
#[path = "../sockets/lab.rs"]
mod lab;
#[path = "../support/secrets.rs"]
mod secrets;
mod text;
mod tls;

use acceptor::{Acceptor, Act, Venue};
use floor::Floor;
use host::eventually;

/// A run with fills, and a clean stop: what the engine holds is what the venue says.
fn trades(floor: &Floor, venue: &Acceptor) -> String {
    let engine = floor.engine();
    eventually("fills", || (venue.seen().trades >= 4).then_some(()));
    let report = engine.stop();
    floor.agrees(&report, venue);
    report
}

#[test]
fn coinbase() {
    let floor = Floor::new("coinbase-exchange-sandbox", coinbase::KEY);
    let venue = floor.venue(coinbase::Coinbase::default(), true);
    floor.credentials(coinbase::KEY, coinbase::SECRET, coinbase::PASSPHRASE);
    trades(&floor, &venue);
    let seen = venue.seen();
    assert!(seen.logons.iter().all(|logon| logon.get(8013) == "Y"));
    assert!(seen.of_type("D").all(|order| coinbase::is_uuid(order.get(11))));
    assert!(seen.rejects.is_empty(), "{:?}", seen.rejects);
}

#[test]
fn coinbase_refuses_a_wrong_passphrase_and_the_engine_waits() {
    let floor = Floor::new("coinbase-exchange-sandbox", coinbase::KEY);
    let venue = floor.venue(coinbase::Coinbase::default(), true);
    floor.credentials(coinbase::KEY, coinbase::SECRET, "canary-passphrase-4711");
    let engine = floor.engine();
    eventually("two refusals", || (venue.seen().refused.len() >= 2).then_some(()));
    let status = floor.status();
    assert!(status.contains("Invalid passphrase"), "it says why: {status}");
    assert!(!status.contains("canary"), "and no secret: {status}");
    let report = engine.stop();
    assert_eq!(venue.seen().requests.len(), 0, "{report}");
    floor.holds_no_secret(&["canary-passphrase-4711", coinbase::SECRET]);
}

#[test]
fn binance_with_news_before_maintenance() {
    let floor = Floor::new("binance-spot-testnet", "TLINE");
    let venue = floor.venue(binance::Binance { limit: usize::MAX }, true);
    floor.credentials(binance::KEY, binance::PEM, "");
    let engine = floor.engine();
    eventually("fills", || (venue.seen().trades >= 2).then_some(()));
    venue.act(Act::Send(binance::maintenance()));
    // It logs out, comes back, and goes on.
    eventually("a second logon", || (venue.seen().logons.len() >= 2).then_some(()));
    assert_eq!(venue.seen().logouts, 1);
    let before = venue.seen().trades;
    eventually("more fills", || (venue.seen().trades > before + 1).then_some(()));
    let report = engine.stop();
    floor.agrees(&report, &venue);
}

#[test]
fn binance_logs_out_who_sends_too_much_and_nobody_does() {
    let floor = Floor::new("binance-spot-testnet", "TLINE");
    // Ten messages in every second, as they arrive: far fewer than the strategy would like to send.
    let venue = floor.venue(binance::Binance { limit: 10 }, true);
    floor.credentials(binance::KEY, binance::PEM, "");
    floor.limit(6, 1_000);
    let engine = floor.engine();
    eventually("many requests", || (venue.seen().requests.len() >= 40).then_some(()));
    let report = engine.stop();
    assert_eq!(venue.seen().throttled, 0, "{report}");
    floor.agrees(&report, &venue);
}

#[test]
fn deribit_with_ids_that_change_places() {
    let floor = Floor::new("deribit-test", "TOUCHLINE");
    let venue = floor.venue(deribit::Deribit::default(), false);
    floor.credentials(deribit::KEY, deribit::SECRET, "");
    trades(&floor, &venue);
    assert!(venue.seen().logons.iter().all(|logon| logon.get(9001) == "Y"));
    floor.holds_no_secret(&[deribit::SECRET]);
}

#[test]
fn deribit_drops_the_connection_and_nonces_increase() {
    let floor = Floor::new("deribit-test", "TOUCHLINE");
    let venue = floor.venue(deribit::Deribit::default(), false);
    floor.credentials(deribit::KEY, deribit::SECRET, "");
    let engine = floor.engine();
    for logons in 2..5 {
        let before = venue.seen().trades;
        eventually("a fill", || (venue.seen().trades > before).then_some(()));
        venue.act(Act::Drop);
        eventually("a logon", || (venue.seen().logons.len() >= logons).then_some(()));
    }
    assert_eq!(venue.seen().refused, [""; 0]);
    let report = engine.stop();
    floor.agrees(&report, &venue);
    assert_eq!(venue.seen().survivors, 0, "cancel on disconnect was asked for");
}

#[test]
fn kraken_cancels_on_disconnect_by_a_zero_and_begins_anew_every_day() {
    let floor = Floor::new("kraken-uat", "KRAKEN-CLIENT");
    let venue = floor.venue(kraken::Kraken, true);
    // The rollover of the day comes in a few seconds.
    floor.rollover(20);
    floor.credentials(kraken::KEY, kraken::SECRET, "");
    let engine = floor.engine();
    eventually("fills", || (venue.seen().trades >= 2).then_some(()));
    assert!(venue.seen().logons.iter().all(|logon| logon.get(8674) == "0"));
    // The engine logs out, and numbers begin at one with the next logon, on both sides.
    eventually("a second logon", || (venue.seen().logons.len() >= 2).then_some(()));
    {
        let seen = venue.seen();
        let logon = &seen.logons[1];
        assert_eq!((seen.logouts, logon.get(34), logon.get(141)), (1, "1", "Y"));
    }
    let before = venue.seen().trades;
    eventually("more fills", || (venue.seen().trades > before + 1).then_some(()));
    let report = engine.stop();
    floor.agrees(&report, &venue);
    assert_eq!(venue.seen().survivors, 0);
}

#[test]
fn kraken_is_asked_by_both_ids_about_an_order_whose_replace_was_lost() {
    let floor = Floor::new("kraken-uat", "KRAKEN-CLIENT");
    let venue = floor.venue(kraken::Kraken, true);
    floor.keeps_orders("\"8674=0\"", "\"8674=1\"");
    floor.credentials(kraken::KEY, kraken::SECRET, "");
    let engine = floor.engine();
    eventually("fills", || (venue.seen().trades >= 2).then_some(()));
    venue.seen().loses_replaced = true;
    let [old, new] = eventually("a lost answer", || venue.seen().lost.clone());
    eventually("a question by the old id, then by the new", || {
        let seen = venue.seen();
        let asked: Vec<_> = seen.of_type("H").map(|request| request.get(11)).collect();
        let first = asked.iter().position(|id| *id == old)?;
        asked[first..].contains(&new.as_str()).then_some(())
    });
    eventually("the order goes on by its new id", || {
        venue.seen().requests.iter().any(|request| request.get(41) == new).then_some(())
    });
    let report = engine.stop();
    floor.agrees(&report, &venue);
    floor.replays();
}

/// The venues judge by themselves: what they would refuse is refused here.
#[test]
fn a_venue_refuses_what_its_documentation_refuses() {
    let logon = text::Message { fields: vec![text::field(35, "A"), text::field(1137, 9)] };
    assert!(coinbase::Coinbase::default().logon(&logon).is_err());
    assert!(binance::Binance { limit: 1 }.logon(&logon).is_err());
    assert!(deribit::Deribit::default().logon(&logon).is_err());
    assert!(kraken::Kraken.logon(&logon).is_err());
    assert!(!coinbase::is_uuid("00000000-0000-1000-8000-000000000000"), "version 1");
    assert!(!coinbase::is_uuid("00000000-0000-4000-8000-00000000000A"), "upper case");
}

#[test]
fn a_drop_copy_confirms_and_tells_what_the_order_session_does_not() {
    let floor = Floor::new("deribit-test", "TOUCHLINE");
    let venue = floor.venue(deribit::Deribit::default(), false);
    let copy = Acceptor::start(drop_copy::DropCopy::of(&venue), None);
    floor.drop_copy(&copy);
    floor.credentials(deribit::KEY, deribit::SECRET, "");
    let engine = floor.engine();
    eventually("fills", || (venue.seen().trades >= 4).then_some(()));
    assert_eq!(copy.seen().logons[0].get(49), "COPY");
    assert!(floor.status().contains("drop copy  FIX up"), "{}", floor.status());
    venue.seen().silent = true;
    let before = venue.seen().trades;
    eventually("more fills", || (venue.seen().trades >= before + 4).then_some(()));
    venue.seen().silent = false;
    let before = venue.seen().trades;
    eventually("fills again", || (venue.seen().trades >= before + 2).then_some(()));
    let report = engine.stop();
    floor.agrees(&report, &venue);
    let copied = report.lines().find(|line| line.starts_with("drop copy")).unwrap();
    assert!(copied.contains("confirmed") && copied.contains("told first"), "{copied}");
    assert_eq!(copy.seen().requests.len(), 0, "nothing is asked of a drop copy");
    assert_eq!(copy.seen().logouts, 1);
    floor.replays();
}
