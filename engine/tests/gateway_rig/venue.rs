//! The venue's end of a session: takes what comes, and answers the session's messages and what it is
//! told to.

#![allow(dead_code)]

use gateway::dialect::Dialect;
use gateway::fix::Message;
use gateway::fix::tags::{self, msg};
use gateway::orders::{Client, Instruments, OrderAcceptor};
use gateway::session::{
    Application, Disconnect, MemoryStore, Meta, Session, SessionConfig, Verdict,
};
use gateway::spec::Version;
use market::{Command, CommandKind, Report, Timestamp};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

pub(crate) struct Venue {
    listener: TcpListener,
    pub(crate) link: Option<TcpStream>,
    pub(crate) session: Session<MemoryStore>,
    acceptor: OrderAcceptor,
    unread: Vec<u8>,
    out: Vec<u8>,
    /// Commands, with when they came.
    pub(crate) heard: Vec<(Timestamp, Command)>,
    /// It has no mass cancel but by instrument: ClOrdID (11) of each, with when it came.
    pub(crate) by_instrument: Option<Vec<(Timestamp, String)>>,
    /// Why the last session ended, and when.
    pub(crate) ended: Option<(Timestamp, Disconnect)>,
}

impl Venue {
    /// A venue whose client is `us`.
    pub(crate) fn new(instruments: &Instruments, us: &str) -> Venue {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let config = SessionConfig::acceptor("VENUE", us);
        Venue {
            listener,
            link: None,
            session: Session::new(config, MemoryStore::new(4_096, 1 << 20)).unwrap(),
            acceptor: OrderAcceptor::new(instruments.clone(), 64, Dialect::of(Version::Fix44)),
            unread: Vec::new(),
            out: Vec::new(),
            heard: Vec::new(),
            by_instrument: None,
            ended: None,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    pub(crate) fn poll(&mut self, now: Timestamp) {
        if self.link.is_none() {
            let Ok((stream, _)) = self.listener.accept() else { return };
            stream.set_nonblocking(true).unwrap();
            self.link = Some(stream);
            self.session.connected(now, &mut self.out).unwrap();
        }
        let link = self.link.as_mut().unwrap();
        let mut bytes = [0; 4_096];
        loop {
            match link.read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => self.unread.extend(&bytes[..count]),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        let (session, out) = (&mut self.session, &mut self.out);
        let mut said: Vec<Client> = Vec::new();
        let inner = self.acceptor.application(&mut said);
        let mut desk = Desk { inner, swept: self.by_instrument.as_mut() };
        let read = session.received(now, 1, &self.unread, out, &mut desk);
        drop(desk);
        self.heard.extend(said.iter().filter_map(|client| match client {
            Client::Command(command) => Some((now, *command)),
            _ => None,
        }));
        link.write_all(&std::mem::take(&mut self.out)).unwrap();
        match read {
            Ok(count) => drop(self.unread.drain(..count)),
            Err(why) => {
                self.session.disconnected(now, &mut self.acceptor.application(&mut said));
                (self.link, self.ended) = (None, Some((now, why)));
                self.unread.clear();
            }
        }
    }

    /// Cuts the connection.
    pub(crate) fn cut(&mut self, now: Timestamp) {
        let mut said: Vec<Client> = Vec::new();
        self.session.disconnected(now, &mut self.acceptor.application(&mut said));
        self.link = None;
        self.unread.clear();
    }

    /// Says something of an order or a request.
    pub(crate) fn say(&mut self, now: Timestamp, report: &Report) {
        self.acceptor.send(&mut self.session, now, &mut self.out, report).unwrap();
    }

    /// An ExecutionReport of these fields.
    pub(crate) fn execution(&mut self, now: Timestamp, fields: &[(u32, &str)]) {
        let sent = self.session.send(now, &mut self.out, msg::EXECUTION_REPORT, |encoder| {
            fields.iter().for_each(|(tag, value)| encoder.bytes(*tag, value.as_bytes()));
        });
        sent.unwrap();
    }

    /// Asks for everything from this number on again.
    pub(crate) fn ask_again(&mut self, now: Timestamp, begin: u64) {
        let sent = self.session.send(now, &mut self.out, msg::RESEND_REQUEST, |encoder| {
            encoder.u64(tags::BEGIN_SEQ_NO, begin);
            encoder.u64(tags::END_SEQ_NO, 0);
        });
        sent.unwrap();
    }

    /// Says something to everyone.
    pub(crate) fn news(&mut self, now: Timestamp, headline: &[u8]) {
        let sent = self.session.send(now, &mut self.out, msg::NEWS, |encoder| {
            encoder.bytes(tags::HEADLINE, headline);
        });
        sent.unwrap();
    }

    /// Says that the orders of a mass cancel by instrument are gone.
    pub(crate) fn swept(&mut self, now: Timestamp, id: &str, symbol: &[u8]) {
        let kind = msg::ORDER_MASS_CANCEL_REPORT;
        let sent = self.session.send(now, &mut self.out, kind, |encoder| {
            encoder.bytes(tags::CL_ORD_ID, id.as_bytes());
            encoder.bytes(tags::ORDER_ID, b"1");
            encoder.char(tags::MASS_CANCEL_REQUEST_TYPE, b'1');
            encoder.char(tags::MASS_CANCEL_RESPONSE, b'1');
            encoder.bytes(tags::SYMBOL, symbol);
        });
        sent.unwrap();
    }

    pub(crate) fn kinds(&self) -> Vec<(CommandKind, u64)> {
        let kind = |(_, command): &(_, Command)| (command.kind().unwrap(), command.id.0);
        self.heard.iter().map(kind).collect()
    }
}

/// The acceptor, which knows no mass cancel by instrument, and those.
struct Desk<'a, A> {
    inner: A,
    swept: Option<&'a mut Vec<(Timestamp, String)>>,
}

impl<A: Application> Application for Desk<'_, A> {
    fn message(&mut self, meta: &Meta, message: &Message<'_>) -> Verdict {
        match &mut self.swept {
            Some(swept) if message.msg_type() == msg::ORDER_MASS_CANCEL_REQUEST => {
                let id = message.get(tags::CL_ORD_ID).unwrap();
                swept.push((meta.now, String::from_utf8(id.to_vec()).unwrap()));
                Verdict::Taken
            }
            _ => self.inner.message(meta, message),
        }
    }

    fn up(&mut self, now: Timestamp) {
        self.inner.up(now);
    }

    fn down(&mut self, now: Timestamp) {
        self.inner.down(now);
    }
}
