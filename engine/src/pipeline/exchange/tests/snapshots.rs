//! Snapshots: an engine that comes late, and what a server that lies or breaks off leads to.

use super::lab::{Lab, NOON, buy, config};
use super::weather::{Sea, receiver, snapshots};
use crate::config::{FlowKind, SessionDay};
use crate::pipeline::exchange::streams::Door;
use feeds::moldudp64::{Session, Start};
use feeds::soupbintcp::{Client, Login, Said, Trouble};
use market::book::BookState;
use market::{BookView, Nanos};

#[test]
fn a_late_engine_takes_a_snapshot_and_reads_no_more_of_the_day() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &["A"]);
    let settings = (receiver(Start::FromSnapshot), snapshots(3));
    let mut sea = Sea::new(&config, settings, (1, Nanos::from_secs(10)), NOON);
    let missed = sea.lab.core.report().next_sequence;
    sea.run(Nanos::from_secs(1));
    sea.assert_whole();
    let counters = sea.feed.receiver().counters();
    assert_eq!((counters.requests, counters.by_snapshot.count, counters.lost), (0, 1, 0));
    assert!(missed > 1_000 && counters.messages < missed, "{missed} {counters:?}");
    assert!(counters.by_snapshot.longest > Nanos::ZERO && sea.compared > 100);
}

#[test]
fn a_replayed_market_has_snapshots_of_what_it_published() {
    let folder = tempfile::tempdir().unwrap();
    // A made-up day becomes a recording.
    let made = config(&folder.path().join("made"), &["A"]);
    let mut lab = Lab::new(&made, NOON);
    lab.run(Nanos::from_secs(12));
    let session = lab.core.report().session;
    drop(lab);
    let mut replayed = config(&folder.path().join("replayed"), &["A"]);
    replayed.flow.kind = FlowKind::Replay;
    replayed.flow.file = Some(folder.path().join("made").join(format!("{session}.itch")));
    replayed.flow.session_day = SessionDay::Date(NOON.midnight());
    let settings = (receiver(Start::FromSnapshot), snapshots(3));
    let mut sea = Sea::new(&replayed, settings, (1, Nanos::from_secs(2)), NOON);
    sea.lab.log_on(0);
    // An order of ours takes from the recording, which goes on as it was.
    let id = sea.lab.engines[0].id();
    sea.lab.command(0, &buy(id, "500.00".parse().unwrap(), 50));
    sea.run(Nanos::from_millis(200));
    sea.assert_whole();
    let counters = sea.feed.receiver().counters();
    assert_eq!((counters.requests, counters.by_snapshot.count, counters.lost), (0, 1, 0));
    assert!(!sea.lab.core.report().at_end && sea.books.orders() > 100 && sea.compared > 100);
}

#[test]
fn without_a_server_a_late_engine_gives_up_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &["A"]);
    let settings = (receiver(Start::FromSnapshot), snapshots(3));
    let mut sea = Sea::new(&config, settings, (1, Nanos::from_secs(2)), NOON);
    sea.weather.cut = 1.0;
    sea.run(Nanos::from_secs(1));
    let counters = *sea.glimpse.counters();
    assert_eq!((counters.tries, counters.failed, counters.given_up), (3, 3, 1));
    assert!(sea.books.books().iter().all(|book| book.state() == BookState::Suspect));
    assert!(!sea.feed.receiver().in_gap() && sea.feed.receiver().counters().lost > 0);
}

#[test]
fn whoever_asks_for_what_there_is_not_is_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    lab.run(Nanos::from_millis(100));
    let next = lab.core.report().next_sequence;
    let mut ask = |session: Option<&str>, from: u64| {
        let place = lab.core.connect_stream(Door::Messages, lab.now).unwrap();
        let session = session.map(|name| Session::new(name).unwrap());
        let login = Login::new(b"", b"").unwrap();
        let (second, mut out) = (Nanos::from_secs(1), Vec::new());
        let mut client = Client::new(login, (session, from), second, second);
        client.connected(lab.now, &mut out);
        lab.net.pipes[place].bytes.clear();
        lab.net.cut[place] = false;
        assert_eq!(lab.core.receive(place, lab.now, &out, &mut lab.net), out.len());
        lab.core.poll(lab.now, &mut lab.net);
        let (bytes, cut) = (lab.net.pipes[place].bytes.clone(), lab.net.cut[place]);
        lab.core.disconnected(place, lab.now, &mut lab.net);
        let (mut at, mut last) = (0, Ok(0));
        loop {
            last = match client.take(&bytes[at..], lab.now) {
                Ok(Some((length, said))) => {
                    at += length;
                    if let Said::Message(sequence, _) = said { Ok(sequence) } else { last }
                }
                Ok(None) => return (last, cut),
                Err(trouble) => return (Err(trouble), cut),
            };
        }
    };
    assert_eq!(ask(None, 1), (Ok(next - 1), false));
    assert_eq!(ask(None, 0), (Ok(next - 1), false), "the newest");
    assert_eq!(ask(None, next), (Ok(0), false), "what is to come");
    assert_eq!(ask(None, next + 1), (Err(Trouble::NoSession), true));
    assert_eq!(ask(Some("OTHER"), 1), (Err(Trouble::NoSession), true));
    let report = lab.core.report();
    assert_eq!((report.streamed.logins, report.refused), (3, 2));
    assert_eq!(report.streamed.messages, next, "all, and the newest once more");
    let shown = report.to_string();
    assert!(shown.contains("by TCP, 0 snapshots among them, to 3 clients"), "{shown}");
    assert!(shown.contains("turned away  2 connections, the last: no such session"), "{shown}");
}
