//! The venue's side of the test, on the same thread: synthetic flow on the matching engine,
//! published as MoldUDP64 over UDP, and an acceptor of our orders over TCP. It may allocate.

use engine::pipeline::market_source::Market;
use engine::pipeline::simulation::OURS;
use feeds::itch50::Encoder;
use feeds::moldudp64::{PublishError, Publisher, Session as FeedSession};
use gateway::dialect::Dialect;
use gateway::orders::{Client, Instruments, OrderAcceptor};
use gateway::session::{FrameKind, Session, SessionConfig, Store, StoreError, Visit};
use market::{CommandKind, Event, Instrument, Nanos, Report, Timestamp};
use sim::{AccountId, FlowParameters, Output, Run};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::AsFd;
use std::time::Duration;
use wire::tcp::{Listener, Stream};
use wire::udp::Socket;
use wire::{Io, ReceiveBuffer, SendBuffer};

/// Events of one packet at most, about.
const STEPS_PER_PACKET: usize = 16;

/// What the market said and was not published or sent yet.
#[derive(Default)]
struct Heard {
    reports: Vec<Report>,
    events: Vec<Event>,
}

impl Output for Heard {
    fn report(&mut self, account: AccountId, report: Report) {
        if account == OURS {
            self.reports.push(report);
        }
    }

    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// Numbers of a session; no frame is kept, since none is asked for again here.
struct Numbers {
    outgoing: u64,
    incoming: u64,
}

impl Store for Numbers {
    fn next_outgoing(&self) -> u64 {
        self.outgoing
    }

    fn next_incoming(&self) -> u64 {
        self.incoming
    }

    fn record_outgoing(&mut self, seq: u64, _: FrameKind, _: &[u8]) -> Result<(), StoreError> {
        self.outgoing = seq + 1;
        Ok(())
    }

    fn record_incoming(&mut self, seq: u64, _: &[u8]) -> Result<(), StoreError> {
        self.incoming = seq + 1;
        Ok(())
    }

    fn set_next_incoming(&mut self, seq: u64) -> Result<(), StoreError> {
        self.incoming = seq;
        Ok(())
    }

    fn reset(&mut self, outgoing: u64, incoming: u64) -> Result<(), StoreError> {
        (self.outgoing, self.incoming) = (outgoing, incoming);
        Ok(())
    }

    fn outgoing(&mut self, _: u64, _: u64, _: &mut Visit<'_>) -> Result<(), StoreError> {
        Err(StoreError::Full)
    }
}

/// The order session's connection.
struct Link {
    stream: Stream,
    input: ReceiveBuffer,
}

pub(crate) struct Venue {
    market: Market,
    heard: Heard,
    encoder: Encoder,
    publisher: Publisher,
    io: Box<dyn Io>,
    socket: Socket,
    line: SocketAddrV4,
    listener: Listener,
    link: Option<Link>,
    session: Session<Numbers>,
    acceptor: OrderAcceptor,
    pub(crate) now: Timestamp,
}

impl Venue {
    /// A venue of these instruments that publishes to `line`.
    pub(crate) fn new(instruments: Vec<Instrument>, now: Timestamp, line: SocketAddrV4) -> Venue {
        let any = Ipv4Addr::LOCALHOST;
        let day = Timestamp::from_nanos(now.nanos() / Nanos::DAY.get() * Nanos::DAY.get());
        let config = SessionConfig::acceptor("VENUE", "US");
        let table = Instruments::new(&instruments).unwrap();
        let encoder = Encoder::new(&instruments, day).unwrap();
        let flow = FlowParameters::default();
        let market = Market::synthetic(instruments, flow, 7, now, Run::default()).unwrap();
        let session = FeedSession::new("NOALLOC").unwrap();
        let mut venue = Venue {
            market,
            heard: Heard::default(),
            encoder,
            publisher: Publisher::new(session, 1, 1_400, Nanos::SECOND),
            io: wire::open(wire::Backend::Plain).unwrap().io,
            socket: Socket::bind(SocketAddrV4::new(any, 0)).unwrap(),
            line,
            listener: Listener::bind(SocketAddr::from((any, 0))).unwrap(),
            link: None,
            session: Session::new(config, Numbers { outgoing: 1, incoming: 1 }).unwrap(),
            acceptor: OrderAcceptor::new(table, 1 << 12, Dialect::default()),
            now,
        };
        let mut entries: Vec<Vec<u8>> = Vec::new();
        venue.encoder.directory(now, &mut |message| entries.push(message.to_vec())).unwrap();
        entries.iter().for_each(|message| venue.push(message));
        venue.flush();
        venue
    }

    /// Where orders are taken.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_address()
    }

    /// Sequence of the next message.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.publisher.next_sequence()
    }

    /// Lets the market go on for about a packet.
    pub(crate) fn trade(&mut self) {
        for _ in 0..STEPS_PER_PACKET {
            self.now = self.now.max(self.market.next_time().unwrap());
            self.market.step(&mut self.heard);
        }
        self.publish();
    }

    fn publish(&mut self) {
        let mut messages: Vec<Vec<u8>> = Vec::new();
        for event in self.heard.events.drain(..) {
            self.encoder.encode(&event, &mut |message| messages.push(message.to_vec())).unwrap();
        }
        messages.iter().for_each(|message| self.push(message));
        self.flush();
    }

    fn push(&mut self, message: &[u8]) {
        if self.publisher.push(message) == Err(PublishError::Full) {
            self.flush();
            self.publisher.push(message).unwrap();
        }
    }

    fn flush(&mut self) {
        if let Some(packet) = self.publisher.take(self.now) {
            let sent = self.io.send_to(self.socket.as_fd(), packet, self.line).unwrap();
            assert_eq!(sent, packet.len());
        }
    }

    /// Takes a connection if one waits, and every command that has come; answers them all.
    pub(crate) fn take_orders(&mut self) {
        let mut out: Vec<u8> = Vec::new();
        if self.link.is_none()
            && let Some(stream) = self.listener.accept().unwrap()
        {
            let input = ReceiveBuffer::with_capacity(1 << 20);
            self.link = Some(Link { stream, input });
            self.session.connected(self.now, &mut out).unwrap();
        }
        let Some(link) = &mut self.link else { return };
        let mut said: Vec<Client> = Vec::new();
        while let Some(came) = link.input.fill(&mut *self.io, link.stream.as_fd()).unwrap() {
            assert_ne!(came, 0, "the engine left");
            let mut application = self.acceptor.application(&mut said);
            let bytes = link.input.bytes();
            let read = self.session.received(self.now, 1, bytes, &mut out, &mut application);
            drop(application);
            link.input.consume(read.unwrap());
        }
        self.session.poll(self.now, &mut out).unwrap();
        for client in said {
            if let Client::Command(command) = client
                && command.kind() != Some(CommandKind::Mark)
            {
                self.market.venue().command(OURS, &command, self.now, &mut self.heard);
            }
        }
        for report in self.heard.reports.drain(..) {
            self.acceptor.send(&mut self.session, self.now, &mut out, &report).unwrap();
        }
        self.send(&out);
        self.publish();
    }

    fn send(&mut self, bytes: &[u8]) {
        let Some(link) = &self.link else { return };
        let mut buffer = SendBuffer::with_capacity(bytes.len().max(1));
        buffer.push(bytes).unwrap();
        while !buffer.is_empty() {
            if buffer.flush(&mut *self.io, link.stream.as_fd()).unwrap() == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}
