//! The venue's end of a session of market data: takes what is asked for, and says what it is told to.

use gateway::fix::Message;
use gateway::session::{
    Application, Disconnect, MemoryStore, Meta, Session, SessionConfig, Store as _, Verdict,
};
use market::Timestamp;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// A message of the engine.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) kind: String,
    pub(crate) seq: u64,
    fields: Vec<(u32, String)>,
}

impl Heard {
    pub(crate) fn get(&self, tag: u32) -> &str {
        let found = self.fields.iter().find(|(found, _)| *found == tag);
        found.map_or("", |(_, value)| value)
    }
}

/// What came of the application, in order.
#[derive(Default)]
struct Desk {
    heard: Vec<Heard>,
    ups: usize,
}

impl Application for Desk {
    fn message(&mut self, meta: &Meta, message: &Message<'_>) -> Verdict {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields = message.fields().map(|(tag, value)| (tag, text(value))).collect();
        self.heard.push(Heard { kind: text(message.msg_type()), seq: meta.seq, fields });
        Verdict::Taken
    }
    fn up(&mut self, _: Timestamp) {
        self.ups += 1;
    }
    fn down(&mut self, _: Timestamp) {}
}

pub(crate) struct Venue {
    listener: TcpListener,
    link: Option<TcpStream>,
    session: Session<MemoryStore>,
    desk: Desk,
    unread: Vec<u8>,
    out: Vec<u8>,
    /// It answers nothing any more.
    pub(crate) silent: bool,
    pub(crate) ended: Option<Disconnect>,
}

impl Venue {
    pub(crate) fn new() -> Venue {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let config = SessionConfig::acceptor("VENUE", "US");
        Venue {
            listener,
            link: None,
            session: Session::new(config, MemoryStore::new(4_096, 1 << 20)).unwrap(),
            desk: Desk::default(),
            unread: Vec::new(),
            out: Vec::new(),
            silent: false,
            ended: None,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    pub(crate) fn poll(&mut self, now: Timestamp) {
        if self.silent {
            return;
        }
        if self.link.is_none() {
            let Ok((stream, _)) = self.listener.accept() else { return };
            stream.set_nonblocking(true).unwrap();
            self.link = Some(stream);
            self.session.connected(now, &mut self.out).unwrap();
        }
        let link = self.link.as_mut().unwrap();
        let mut bytes = [0; 4_096];
        let mut closed = false;
        loop {
            match link.read(&mut bytes) {
                Ok(0) => {
                    closed = true;
                    break;
                }
                Ok(count) => self.unread.extend(&bytes[..count]),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        let read = self.session.received(now, 1, &self.unread, &mut self.out, &mut self.desk);
        let _ = link.write_all(&std::mem::take(&mut self.out));
        match read {
            Ok(count) => drop(self.unread.drain(..count)),
            Err(why) => self.ended = Some(why),
        }
        if closed || self.ended.is_some() {
            self.drop(now);
        }
    }

    /// Ends the connection, without a word.
    pub(crate) fn drop(&mut self, now: Timestamp) {
        self.session.disconnected(now, &mut self.desk);
        (self.link, self.ended) = (None, None);
        self.unread.clear();
        self.out.clear();
    }

    /// Says something; fields are divided by `|`.
    pub(crate) fn say(&mut self, now: Timestamp, kind: &str, body: &str) {
        let fields: Vec<(u32, &str)> = body
            .split('|')
            .filter_map(|field| field.split_once('='))
            .map(|(tag, value)| (tag.parse().unwrap(), value))
            .collect();
        let sent = self.session.send(now, &mut self.out, kind.as_bytes(), |encoder| {
            fields.iter().for_each(|(tag, value)| encoder.bytes(*tag, value.as_bytes()));
        });
        sent.unwrap();
    }

    /// Sends bytes that no session made.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.link.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Messages are lost on the way: so many numbers were used, and nothing is kept of them.
    pub(crate) fn lose(&mut self, count: u64) {
        let store = self.session.store_mut();
        let (out, incoming) = (store.next_outgoing(), store.next_incoming());
        store.reset(out + count, incoming).unwrap();
    }

    pub(crate) fn heard(&self) -> &[Heard] {
        &self.desk.heard
    }

    /// Requests of a type so far.
    pub(crate) fn requests(&self, kind: &str) -> Vec<&Heard> {
        self.desk.heard.iter().filter(|heard| heard.kind == kind).collect()
    }

    pub(crate) fn logons(&self) -> usize {
        self.desk.ups
    }
}
