//! The venue: a websocket server and a server of snapshots, each on a port of its own, with the test's
//! own certificate. It does one thing after another, as the test says, and polls the desk meanwhile.

use crate::acceptor::{Authority, NAME, ONLY_1_3, Peer, Server};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};
use tungstenite::{Message, WebSocket};

/// A server that waits for nobody longer than this for one call: then it polls the desk.
const PATIENCE: Duration = Duration::from_millis(2);

/// Long enough that only a test that hangs meets it.
pub(crate) const HANGS: Duration = Duration::from_secs(60);

/// What must go on while the venue waits.
pub(crate) trait Meanwhile {
    /// Does what there is to do.
    fn poll(&mut self);

    /// What to say when the venue waits in vain.
    fn trouble(&self) -> String;

    /// Polls until there is an answer.
    fn wait<T>(&mut self, what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
        let give_up = Instant::now() + HANGS;
        loop {
            self.poll();
            if let Some(answer) = answer() {
                return answer;
            }
            assert!(Instant::now() < give_up, "{what}: {}", self.trouble());
        }
    }
}

pub(crate) struct Venue {
    sockets: TcpListener,
    snapshots: TcpListener,
    server: Server,
    pub(crate) authority: Authority,
}

/// One websocket, the venue's end.
pub(crate) struct Session(pub(crate) WebSocket<Peer>);

fn listener() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

impl Venue {
    pub(crate) fn new() -> Venue {
        let authority = Authority::new();
        let server = authority.identity().server(ONLY_1_3);
        Venue { sockets: listener(), snapshots: listener(), server, authority }
    }

    /// Shows another certificate from now on.
    pub(crate) fn show(&mut self, server: Server) {
        self.server = server;
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.sockets.local_addr().unwrap()
    }

    /// What the configuration says of it.
    pub(crate) fn config(&self, dir: &std::path::Path) -> String {
        let trust = dir.join("roots.pem");
        std::fs::write(&trust, &self.authority.pem).unwrap();
        let (socket, snapshot) = (self.address(), self.snapshots.local_addr().unwrap());
        format!(
            "address = \"{socket}\"\nsnapshot_address = \"{snapshot}\"\n\
             snapshot_server_name = \"{NAME}\"\n\
             snapshot_path = \"/depth?symbol={{symbol}}&limit=5000\"\n\n\
             [websocket_transport]\ntls = \"1.3\"\nserver_name = \"{NAME}\"\ntrust = {trust:?}\n\
             reconnect_ms = 5\nreconnect_max_ms = 20\n"
        )
    }

    /// The next who connects, once TLS is made; why there is no TLS.
    fn take(&self, of: &TcpListener, desk: &mut impl Meanwhile) -> io::Result<Peer> {
        let (socket, _) = desk.wait("nobody connects", || of.accept().ok());
        socket.set_nonblocking(false).unwrap();
        let peer = self.server.accept(socket)?;
        peer.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Ok(peer)
    }

    /// The next websocket.
    pub(crate) fn accept(&self, desk: &mut impl Meanwhile) -> Session {
        let peer = self.take(&self.sockets, desk).unwrap();
        let mut shaking = tungstenite::accept(peer);
        loop {
            match shaking {
                Ok(socket) => return Session(socket),
                Err(tungstenite::HandshakeError::Interrupted(mid)) => {
                    desk.poll();
                    shaking = mid.handshake();
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The next who connects to the websocket's port, and is refused.
    pub(crate) fn refuse(&self, desk: &mut impl Meanwhile) -> bool {
        self.take(&self.sockets, desk).is_err()
    }

    /// The next upgrade is answered by other than one.
    pub(crate) fn refuse_upgrade(&self, desk: &mut impl Meanwhile, answer: &str) {
        let mut peer = self.take(&self.sockets, desk).unwrap();
        head(&mut peer, desk);
        say(&mut peer, answer.as_bytes());
    }

    /// Takes the next request of a snapshot; gives its first line, and answers it.
    pub(crate) fn answer(&self, desk: &mut impl Meanwhile, answer: &[u8]) -> String {
        let mut peer = self.take(&self.snapshots, desk).unwrap();
        let request = head(&mut peer, desk);
        say(&mut peer, answer);
        request.lines().next().unwrap_or_default().to_owned()
    }

    /// The same with a body and "200".
    pub(crate) fn snapshot(&self, desk: &mut impl Meanwhile, body: &str) -> String {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        self.answer(desk, format!("{head}{body}").as_bytes())
    }

    /// True if nobody asks for a snapshot now.
    pub(crate) fn is_not_asked(&self) -> bool {
        self.snapshots.accept().is_err()
    }

    /// True if nobody connects now.
    pub(crate) fn is_alone(&self) -> bool {
        self.sockets.accept().is_err()
    }
}

/// Reads a request up to the empty line.
fn head(peer: &mut Peer, desk: &mut impl Meanwhile) -> String {
    let mut request = Vec::new();
    desk.wait("no request", || {
        let mut part = [0; 4096];
        match peer.read(&mut part) {
            Ok(len) => request.extend_from_slice(&part[..len]),
            Err(error) if is_pause(&error) => {}
            Err(error) => panic!("{error}"),
        }
        request.ends_with(b"\r\n\r\n").then_some(())
    });
    String::from_utf8(request).unwrap()
}

/// Says it with TLS's farewell. The other end may have had enough before.
fn say(peer: &mut Peer, answer: &[u8]) {
    let said = peer.write_all(answer).and_then(|()| peer.flush());
    if said.is_ok() {
        peer.say_farewell();
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

impl Session {
    pub(crate) fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    /// The next message, whatever it is; `None` once the other end is gone.
    pub(crate) fn next(&mut self, desk: &mut impl Meanwhile) -> Option<Message> {
        desk.wait("no message", || match self.0.read() {
            Ok(message) => Some(Some(message)),
            Err(tungstenite::Error::Io(error)) if is_pause(&error) => None,
            Err(_) => Some(None),
        })
    }

    /// The next message of text.
    pub(crate) fn text(&mut self, desk: &mut impl Meanwhile) -> String {
        self.next(desk).unwrap().into_text().unwrap().as_str().to_owned()
    }

    /// The other end goes: true if it says so.
    pub(crate) fn is_left(&mut self, desk: &mut impl Meanwhile) -> bool {
        loop {
            match self.next(desk) {
                Some(Message::Close(_)) => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }
}
