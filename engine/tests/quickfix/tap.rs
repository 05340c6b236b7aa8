//! A tap on the wire between two FIX engines: it notes every message of both, and loses those it is
//! told to. Knows where a message ends (tag 10), nothing else.

use crate::fix::Fix;
use crate::host::eventually;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// The side that connects.
    Initiator,
    /// The side that listens.
    Acceptor,
}

/// One message seen on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) from: From,
    /// Which connection it belongs to, from zero.
    pub(crate) connection: usize,
    pub(crate) text: Fix,
    /// It did not arrive.
    pub(crate) lost: bool,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    seen: Mutex<Vec<Seen>>,
    /// The next message of this MsgType from this side is lost.
    lose: Mutex<Option<(From, &'static str)>>,
}

/// The tap on its thread, which ends with it.
pub(crate) struct Tap {
    shared: Arc<Shared>,
    port: u16,
    thread: Option<JoinHandle<()>>,
}

impl Tap {
    /// Listens on a port of its own and connects on to `port` of loopback.
    pub(crate) fn start(port: u16) -> Tap {
        Tap::to(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// Listens on a port of its own and connects on to `address`.
    pub(crate) fn to(address: SocketAddr) -> Tap {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let own = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let inner = shared.clone();
        let thread = std::thread::spawn(move || relay(&listener, address, &inner));
        Tap { shared, port: own, thread: Some(thread) }
    }

    /// Where to connect to.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Everything that was seen so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The next message of this type from this side will not arrive.
    pub(crate) fn lose(&self, from: From, kind: &'static str) {
        *self.shared.lose.lock().unwrap() = Some((from, kind));
    }

    /// Waits for a message.
    pub(crate) fn wait(&self, what: &str, found: impl Fn(&Seen) -> bool) -> Seen {
        eventually(what, || self.seen().into_iter().find(&found))
    }

    /// How many messages of this type this side sent.
    pub(crate) fn count(&self, from: From, kind: &str) -> usize {
        self.seen().iter().filter(|seen| seen.from == from && seen.text.is(kind)).count()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "the tap failed");
    }
}

/// One way of a connection.
struct Way {
    from: From,
    read: TcpStream,
    write: TcpStream,
    bytes: Vec<u8>,
}

fn relay(listener: &TcpListener, address: SocketAddr, shared: &Shared) {
    let mut ways: Vec<(usize, Way)> = Vec::new();
    let mut connections = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        if let Ok((near, _)) = listener.accept() {
            // Nobody there: the connection ends at once.
            if let Ok(far) = TcpStream::connect(address) {
                for stream in [&near, &far] {
                    stream.set_nonblocking(true).unwrap();
                    stream.set_nodelay(true).unwrap();
                }
                let both = [(From::Initiator, &near, &far), (From::Acceptor, &far, &near)];
                ways.extend(both.map(|(from, read, write)| {
                    let (read, write) = (read.try_clone().unwrap(), write.try_clone().unwrap());
                    (connections, Way { from, read, write, bytes: Vec::new() })
                }));
                connections += 1;
            }
        }
        ways.retain_mut(|(connection, way)| way.turn(*connection, shared));
        std::thread::sleep(Duration::from_micros(200));
    }
}

impl Way {
    /// Passes on what came; false when this way is closed.
    fn turn(&mut self, connection: usize, shared: &Shared) -> bool {
        let mut bytes = [0; 8_192];
        match self.read.read(&mut bytes) {
            Ok(count) if count > 0 => self.bytes.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            _ => {
                let _ = self.write.shutdown(Shutdown::Write);
                return false;
            }
        }
        while let Some(end) = message_end(&self.bytes) {
            let message: Vec<u8> = self.bytes.drain(..end).collect();
            let text = Fix(String::from_utf8_lossy(&message).into_owned());
            let mut lose = shared.lose.lock().unwrap();
            let lost = lose.is_some_and(|(from, kind)| from == self.from && text.is(kind));
            if lost {
                *lose = None;
            }
            shared.seen.lock().unwrap().push(Seen { from: self.from, connection, text, lost });
            // Who has gone in between does not hear it.
            if !lost && self.write.write_all(&message).is_err() {
                return false;
            }
        }
        true
    }
}

/// Behind the CheckSum (10), which is the last field.
fn message_end(bytes: &[u8]) -> Option<usize> {
    let mark = b"\x0110=";
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    let rest = &bytes[at + mark.len()..];
    rest.iter().position(|byte| *byte == 1).map(|soh| at + mark.len() + soh + 1)
}

/// A port of loopback that is free.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    listener.local_addr().unwrap().port()
}
