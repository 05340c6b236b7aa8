//! QuickFIX as a client of the demo exchange, which is a process: all that an account can ask for.

use crate::client::Client;
use crate::fix::Fix;
use crate::host::{Host, eventually};
use crate::lab::Lab;
use crate::scenarios;
use crate::tap::{From, Tap};
use gateway::spec::Version;
use std::path::PathBuf;

scenarios! {
    a_client_trades
    a_client_replaces_and_cancels
    a_client_is_refused
    a_client_asks_and_cancels_for_all_its_orders
    a_client_comes_back_to_what_it_missed
}

/// A lab whose exchange and engine speak this version.
pub(crate) fn speaking(lab: Lab, version: Version) -> Lab {
    let spoken = format!("version = \"{}\"", version.begin_string());
    let key = "comp_id = \"EXCHANGE\"";
    lab.change("exchange.toml", &[(key, format!("{key}\n{spoken}"))]);
    let mut changes = vec![("version = \"FIX.4.4\"", spoken)];
    if version == Version::Fix42 {
        // It has no mass status.
        let key = "cancel_on_disconnect = \"always\"";
        changes.push((key, format!("{key}\n\n[orders]\nopen_orders = \"order_status\"")));
    }
    lab.change("venues/demo.toml", &changes);
    lab
}

/// The exchange with a client, and a tap between them.
struct Floor {
    client: Client,
    tap: Tap,
    exchange: Host,
    folder: PathBuf,
    _lab: Lab,
}

impl Floor {
    fn new(version: Version) -> Floor {
        let lab = speaking(Lab::synthetic(20), version);
        let exchange = lab.exchange(&[]);
        eventually("a session", || lab.session());
        let tap = Tap::to(lab.fix.into());
        let folder = lab.dir().to_owned();
        let client = Client::start(version, &folder, tap.port());
        Floor { client, tap, exchange, folder, _lab: lab }
    }

    /// An order to buy that rests far below the market.
    fn resting(&self, id: &str, qty: &str) {
        self.client.order(id, "1", qty, "1.00");
        let taken = self.client.report("0");
        assert_eq!((taken.need(11), taken.need(39), taken.need(151)), (id, "0", qty));
    }

    /// Ends well: nobody refused a message that was not meant to be refused.
    fn end(self, refused: usize) {
        let Floor { client, tap, exchange, .. } = self;
        assert_eq!(client.stop(), []);
        let rejects = tap.count(From::Acceptor, "3") + tap.count(From::Acceptor, "j");
        assert_eq!(rejects, refused);
        assert_eq!(tap.count(From::Initiator, "3"), 0);
        let report = exchange.stop();
        assert!(report.contains(" 0 open orders"), "{report}");
    }
}

fn a_client_trades(version: Version) {
    let floor = Floor::new(version);
    // Above every offer: it trades at once, or with the next who sells.
    floor.client.order("1", "1", "300", "30.00");
    let taken = floor.client.report("0");
    assert_eq!(taken.need(11), "1");
    let (mut done, mut executions) = (0, Vec::new());
    while done < 300 {
        let fill = floor.client.report("F");
        assert_eq!((fill.need(11), fill.need(37)), ("1", taken.need(37)));
        done += fill.need(32).parse::<u32>().unwrap();
        assert_eq!(fill.need(14), done.to_string());
        assert_eq!(fill.need(151), (300 - done).to_string());
        assert_eq!(fill.need(39), if done < 300 { "1" } else { "2" });
        executions.push(fill.need(17).to_owned());
    }
    let count = executions.len();
    executions.sort_unstable();
    executions.dedup();
    assert_eq!(executions.len(), count, "an ExecID was used twice");
    floor.end(0);
}

fn a_client_replaces_and_cancels(version: Version) {
    let floor = Floor::new(version);
    floor.resting("1", "100");
    floor.client.replace("2", "1", "150", "1.01");
    let replaced = floor.client.report("5");
    assert_eq!((replaced.need(11), replaced.need(41)), ("2", "1"));
    assert_eq!((replaced.need(151), replaced.need(44)), ("150", "1.01"));
    floor.client.cancel("3", "2");
    let canceled = floor.client.report("4");
    assert_eq!((canceled.need(11), canceled.need(41)), ("3", "2"));
    assert_eq!((canceled.need(39), canceled.need(151)), ("4", "0"));
    floor.end(0);
}

fn a_client_is_refused(version: Version) {
    let floor = Floor::new(version);
    let client = &floor.client;
    // Off the tick.
    client.order("1", "1", "100", "1.001");
    let refused = client.report("8");
    assert_eq!((refused.need(11), refused.need(39)), ("1", "8"));
    assert!(refused.need(58).contains("price"), "{refused:?}");
    // An id that was used before.
    floor.resting("2", "100");
    client.order("2", "1", "100", "1.00");
    assert_eq!(client.report("8").need(103), "6");
    // What is not there.
    client.cancel("3", "77");
    let refused = client.next("a cancel reject");
    assert_eq!((refused.need(35), refused.need(11), refused.need(41)), ("9", "3", "77"));
    assert_eq!((refused.need(434), refused.need(102)), ("1", "1"));
    client.replace("4", "77", "100", "1.00");
    let refused = client.next("a cancel reject");
    assert_eq!((refused.need(35), refused.need(434), refused.need(102)), ("9", "2", "1"));
    // An instrument that is not listed, and a message that is not taken.
    client.send("D", &[(11, "5"), (55, "NONE"), (54, "1"), (38, "1"), (40, "2"), (44, "1.00")]);
    let refused = client.next("a business reject");
    assert_eq!((refused.need(35), refused.need(372), refused.need(380)), ("j", "D", "2"));
    client.send("BE", &[(923, "1"), (924, "1"), (553, "me")]);
    let refused = client.next("a business reject");
    assert_eq!((refused.need(35), refused.need(372), refused.need(380)), ("j", "BE", "3"));
    // A field that cannot be read.
    client.send("D", &[(11, "6"), (55, "TLA"), (54, "1"), (38, "many"), (40, "2"), (44, "1.00")]);
    let refused = client.reject();
    assert_eq!((refused.need(372), refused.need(371)), ("D", "38"));
    // All that changed nothing.
    client.cancel("7", "2");
    client.report("4");
    floor.end(3);
}

fn a_client_asks_and_cancels_for_all_its_orders(version: Version) {
    let floor = Floor::new(version);
    let client = &floor.client;
    for (id, qty) in [("1", "100"), ("2", "200"), ("3", "300")] {
        floor.resting(id, qty);
    }
    let mut named = if version == Version::Fix42 { each(client) } else { all(client) };
    named.sort();
    let expected = [("1", "100"), ("2", "200"), ("3", "300")];
    assert_eq!(named, expected.map(|(id, qty)| (id.to_owned(), qty.to_owned())));
    if version == Version::Fix42 {
        // Nor does it have a mass cancel; they go with their owner.
        return floor.end(0);
    }
    client.send("q", &[(11, "5"), (530, "7")]);
    let mut canceled: Vec<_> = (0..3).map(|_| client.report("4").need(11).to_owned()).collect();
    canceled.sort();
    assert_eq!(canceled, ["1", "2", "3"]);
    let done = client.next("a mass cancel report");
    assert_eq!((done.need(35), done.need(11), done.need(531)), ("r", "5", "7"));
    floor.end(0);
}

/// ClOrdID (11) and LeavesQty (151) of a status.
fn told(status: &Fix) -> (String, String) {
    (status.need(11).to_owned(), status.need(151).to_owned())
}

/// What is open, by one question for all.
fn all(client: &Client) -> Vec<(String, String)> {
    client.send("AF", &[(584, "4"), (585, "7")]);
    let mut named = Vec::new();
    loop {
        let status = client.report("I");
        assert_eq!(status.need(584), "4");
        named.extend(status.get(11).map(|_| told(&status)));
        if status.get(912) == Some("Y") {
            assert_eq!(status.need(911), "3");
            return named;
        }
    }
}

/// What is open, by a question for each, as FIX.4.2 has it.
fn each(client: &Client) -> Vec<(String, String)> {
    let ask = |id| {
        client.send("H", &[(11, id), (55, "TLA"), (54, "1")]);
        let status = client.next("a status");
        assert_eq!((status.need(35), status.need(20)), ("8", "3"), "{status:?}");
        told(&status)
    };
    ["1", "2", "3"].map(ask).to_vec()
}

fn a_client_comes_back_to_what_it_missed(version: Version) {
    let mut floor = Floor::new(version);
    floor.resting("1", "100");
    // Its orders are canceled when it goes, and it is told so when it comes back.
    assert_eq!(floor.client.stop(), []);
    floor.client = Client::start(version, &floor.folder, floor.tap.port());
    let canceled = floor.client.report("4");
    assert_eq!(canceled.need(11), "1");
    let again = floor.tap.wait("a resend", |seen| {
        seen.from == From::Acceptor && seen.text.is("8") && seen.text.get(43) == Some("Y")
    });
    assert_eq!(again.text.need(34), canceled.need(34));
    floor.resting("2", "100");
    floor.client.cancel("3", "2");
    floor.client.report("4");
    floor.end(0);
}
