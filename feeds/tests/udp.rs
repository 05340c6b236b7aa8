//! A feed on loopback sockets: two lines that lose different packets, and a server that has them.

mod common;

use common::{BASE, decoder};
use feeds::itch50::{Header, message::Deleted};
use feeds::moldudp64::{Config, MemoryStore, Publisher, RequestServer, Session};
use feeds::{Feed, UdpFeed};
use market::{Event, EventKind, Nanos, Timestamp};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::time::Duration;
use wire::udp::Socket;
use wire::{Backend, Io};

const MESSAGES: u64 = 200;

fn bound() -> Socket {
    Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap()
}

fn receives_everything(backend: Backend) {
    let mut io = wire::open(backend).unwrap().io;
    let (a, b, requests, server_socket) = (bound(), bound(), bound(), bound());
    let sender = Socket::sender(Ipv4Addr::LOCALHOST, 0).unwrap();
    let (to_a, to_b) = (a.local_address(), b.local_address());
    let mut config = Config::new(2);
    config.lines = vec![Some(sender.local_address()); 2];
    config.server = Some(server_socket.local_address());
    config.requests.tries = u32::MAX;
    let feed = Feed::new(config, decoder(), false);
    let server = Some((requests, server_socket.local_address()));
    let mut udp = UdpFeed::new(feed, vec![a, b], server);

    let session = Session::new("UDP").unwrap();
    let mut publisher = Publisher::new(session, 1, 1400, Nanos::SECOND);
    let mut answers = RequestServer::new(session, 1400);
    let mut store = MemoryStore::default();
    for order in 1..=MESSAGES {
        let message =
            Deleted { header: Header { locate: 1, tracking: 0, time: order }, order }.write();
        store.push(&message);
        publisher.push(&message).unwrap();
        let packet = publisher.take(BASE).unwrap();
        // Line A loses every third, B every fifth: every fifteenth is lost on both.
        for (to, loses) in [(to_a, 3), (to_b, 5)] {
            if order % loses != 0 {
                assert_eq!(io.send_to(sender.as_fd(), packet, to).unwrap(), packet.len());
            }
        }
    }

    let mut events: Vec<Event> = Vec::new();
    assert!(!udp.poll(&mut *io, BASE, Feed::EVENTS_MAX - 1, &mut events, |_| {}).unwrap());
    assert!(events.is_empty(), "nothing may come without room for it");
    let mut now = BASE;
    for _ in 0..100_000 {
        now = now.after(Nanos::from_micros(100));
        let worked = udp.poll(&mut *io, now, 3 * Feed::EVENTS_MAX, &mut events, |_| {}).unwrap();
        answer(&mut *io, &server_socket, &mut answers, &mut store);
        if udp.feed().receiver().expected() > MESSAGES && !udp.feed().pending() {
            break;
        }
        if !worked {
            std::thread::sleep(Duration::from_micros(100));
        }
    }
    let orders: Vec<u64> =
        events.iter().filter(|e| e.kind() == Some(EventKind::Delete)).map(|e| e.order).collect();
    assert_eq!(orders, (1..=MESSAGES).collect::<Vec<_>>());
    assert!(udp.feed().receiver().counters().recovered >= MESSAGES / 15);
    assert_ne!(events.last().unwrap().exchange_time, Timestamp::ZERO);
}

/// Two busy lines, of which each loses a datagram now and then. What one lacks is taken from the
/// other long before it counts as a gap, whatever was read together.
#[test]
fn a_loss_on_a_busy_line_is_filled_by_the_other() {
    let mut io = wire::open(Backend::Plain).unwrap().io;
    let (a, b) = (bound(), bound());
    let sender = Socket::sender(Ipv4Addr::LOCALHOST, 0).unwrap();
    let addresses = [a.local_address(), b.local_address()];
    let mut config = Config::new(2);
    config.arbitration_wait = Nanos::from_micros(10);
    let mut udp = UdpFeed::new(Feed::new(config, decoder(), false), vec![a, b], None);
    let mut publisher = Publisher::new(Session::new("UDP").unwrap(), 1, 1400, Nanos::SECOND);
    for order in 1..=MESSAGES {
        let header = Header { locate: 1, tracking: 0, time: order };
        publisher.push(&Deleted { header, order }.write()).unwrap();
        let packet = publisher.take(BASE).unwrap();
        for (loses, to) in [(5, addresses[0]), (0, addresses[1])] {
            if order % 10 != loses {
                io.send_to(sender.as_fd(), packet, to).unwrap();
            }
        }
    }
    let mut events: Vec<Event> = Vec::new();
    let mut now = BASE;
    for _ in 0..4 * MESSAGES {
        now = now.after(Nanos::from_micros(1));
        udp.poll(&mut *io, now, 4 * Feed::EVENTS_MAX, &mut events, |_| {}).unwrap();
    }
    let counters = udp.feed().receiver().counters();
    assert_eq!((counters.gaps, counters.messages), (0, MESSAGES));
    assert!(counters.early > 0, "batches must have been ahead of their turn");
}

fn answer(io: &mut dyn Io, socket: &Socket, server: &mut RequestServer, store: &mut MemoryStore) {
    let mut request = [0; 64];
    while let Some(got) = io.recv_datagram(socket.as_fd(), &mut request).unwrap() {
        if let Ok(packet) = server.answer(&request[..got.len], store) {
            io.send_to(socket.as_fd(), packet, got.from).unwrap();
        }
    }
}

#[test]
fn a_feed_on_plain_sockets_receives_everything() {
    receives_everything(Backend::Plain);
}

#[test]
fn a_feed_on_what_the_host_offers_receives_everything() {
    receives_everything(Backend::Auto);
}
