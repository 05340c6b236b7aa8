//! SoupBinTCP: both ends, and a snapshot taken from any bytes.

use super::decoder;
use crate::feed::Feed;
use crate::glimpse::{Board, Glimpse, Settings, Want};
use crate::itch_stream::ItchStream;
use crate::moldudp64::{Config, Datagram, Line, Session, Start};
use crate::soupbintcp::{Client, Login, Said, Server};
use market::{Event, EventFlags, EventKind, Nanos, Timestamp};

fn login() -> Login {
    Login::new(b"USER", b"PASSWORD").expect("they fit")
}

/// Any bytes as what a server and as what a client is sent: no panic, an end, messages numbered one
/// by one, and nothing taken that is not there.
pub fn soupbintcp(bytes: &[u8]) {
    let (now, span) = (Timestamp::from_nanos(1), Nanos::from_secs(1));
    let mut client = Client::new(login(), (None, 1), span, span);
    client.connected(now, &mut Vec::new());
    let (mut at, mut next) = (0, None);
    while let Ok(Some((length, said))) = client.take(&bytes[at..], now) {
        at += length;
        match said {
            Said::Accepted { next: first, .. } => next = Some(first),
            Said::Message(sequence, message) => {
                assert_eq!(next, Some(sequence));
                assert!(message.len() < length);
                next = Some(sequence + 1);
            }
            _ => {}
        }
    }
    assert!(at <= bytes.len());
    let mut server = Server::new(span, span, now);
    let mut at = 0;
    while let Ok(Some((length, _))) = server.take(&bytes[at..], now) {
        at += length;
    }
    assert!(at <= bytes.len());
}

/// Any bytes as what an ITCH stream and a snapshot server send: no call gives more events than it
/// may, a group of events ends with `LAST`, and no book that a snapshot began is said to be whole
/// by it alone.
pub fn snapshot(bytes: &[u8]) {
    let now = Timestamp::from_nanos(1);
    let span = Nanos::from_secs(1);
    let mut stream = ItchStream::new(Client::new(login(), (None, 1), span, span), decoder());
    let mut events: Vec<Event> = Vec::new();
    stream.connected(now, &mut Vec::new(), &mut events);
    let (taken, _) = stream.received((bytes, 1), (now, 64), &mut events);
    assert!(taken <= bytes.len() && events.len() <= 65);
    assert!(events.last().is_some_and(|last| last.flags.has(EventFlags::LAST)));

    let mut config = Config::new(1);
    (config.start, config.snapshots) = (Start::FromSnapshot, true);
    let mut feed = Feed::new(config, decoder(), false);
    events.clear();
    let mut heartbeat = [0; 20];
    heartbeat[..10].copy_from_slice(&Session(*b"FUZZ      ").0);
    heartbeat[17] = 9;
    let datagram = Datagram { bytes: &heartbeat, truncated: false, from: None, received: 1 };
    feed.on_datagram(Line::Live(0), &datagram, now, &mut events);
    let settings =
        Settings { login: login(), heartbeat: span, silence: span, tries: 1, retry: span };
    let mut glimpse = Glimpse::new(settings);
    let mut out = Vec::new();
    assert_eq!(glimpse.poll(&mut feed, now, &mut out, &mut events), Want::Connect);
    glimpse.connected(&mut feed, now, &mut out);
    events.clear();
    let room = Feed::EVENTS_MAX + 64;
    let sink = (&mut out, &mut events);
    let (taken, _) = glimpse.received(&mut feed, (bytes, 1), (now, room), sink);
    assert!(taken <= bytes.len() && events.len() <= room);
    assert!(events.last().is_none_or(|last| last.flags.has(EventFlags::LAST)));
    let recovered = events.iter().any(|event| event.kind() == Some(EventKind::Recovered));
    assert!(!recovered || glimpse.counters().taken == 1);
}

/// Any bytes as messages of a session: what the board shows, a second board that takes the snapshot
/// shows too.
pub fn board(bytes: &[u8]) {
    let (mut board, mut rest) = (Board::default(), bytes);
    while let Some((&length, tail)) = rest.split_first() {
        let (message, tail) = tail.split_at(tail.len().min(usize::from(length)));
        board.follow(message);
        rest = tail;
    }
    let mut copy = Board::default();
    let mut messages = 0;
    board.snapshot(7, |message| {
        messages += 1;
        copy.follow(message);
    });
    let orders = |board: &Board| board.orders().map(|shown| shown.add.order).collect::<Vec<_>>();
    assert_eq!(orders(&board), orders(&copy));
    assert!(messages > board.len());
}
