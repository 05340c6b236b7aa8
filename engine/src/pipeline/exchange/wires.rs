//! The exchange's sockets: lines out, requests in, clients in and out. They move bytes and decide
//! nothing.
//!
//! Nothing here waits. A datagram that the kernel does not take is lost, as on any line, and asked
//! for again by who misses it.

use super::Net;
use super::streams::Door;
use gateway::session::Outbound;
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::AsFd;
use std::sync::Arc;
use wire::readiness::{Readiness, Watch};
use wire::tcp::{Listener, Stream};
use wire::udp::Socket;
use wire::{Io, ReceiveBuffer, SendBuffer};

/// Bytes that wait for a client before it counts as one that does not read.
const SEND_BYTES: usize = 1 << 20;
/// Bytes that came from a client and are not yet taken.
const RECEIVE_BYTES: usize = 64 * 1024;
/// Longer than any request.
pub(super) const REQUEST_BYTES: usize = 64;

/// Every socket of the exchange.
pub(super) struct Wires {
    pub(super) io: Box<dyn Io>,
    pub(super) listener: Listener,
    pub(super) sender: Socket,
    /// Where packets go.
    pub(super) lines: Vec<SocketAddrV4>,
    /// Requests come and are answered here.
    pub(super) server: Socket,
    pub(super) links: Vec<Option<Link>>,
    pub(super) nowhere: Nowhere,
    /// Which of the sockets that are read have something.
    pub(super) doors: Doors,
    /// Datagrams that the kernel did not take.
    pub(super) unsent: u64,
}

/// The sockets that are watched together: where clients and requests come in.
pub(super) struct Doors {
    all: Arc<Readiness>,
    listener: Watch,
    server: Watch,
    /// Market data by TCP.
    streams: Vec<(Door, Listener, Watch)>,
}

impl Doors {
    pub(super) fn new(
        listener: &Listener,
        server: &Socket,
        streams: Vec<(Door, Listener)>,
    ) -> io::Result<Doors> {
        let all = Readiness::new()?;
        let (listener, server) = (all.watch(listener)?, all.watch(server)?);
        let watched = streams.into_iter().map(|(door, listener)| {
            let watch = all.watch(&listener)?;
            Ok((door, listener, watch))
        });
        let streams = watched.collect::<io::Result<_>>()?;
        Ok(Doors { all, listener, server, streams })
    }
}

/// A connection and what waits to be sent on it.
pub(super) struct Link {
    stream: Stream,
    watch: Watch,
    out: Out,
    cut: bool,
}

struct Out(SendBuffer);

impl Outbound for Out {
    fn room(&self) -> usize {
        self.0.room()
    }

    fn send(&mut self, frame: &[u8]) {
        // Room was asked for.
        let _ = self.0.push(frame);
    }
}

/// Where frames to a connection go that is not there.
pub(super) struct Nowhere;

impl Outbound for Nowhere {
    fn room(&self) -> usize {
        0
    }

    fn send(&mut self, _frame: &[u8]) {}
}

impl Net for Wires {
    fn client(&mut self, connection: usize) -> &mut dyn Outbound {
        match self.links.get_mut(connection) {
            Some(Some(link)) => &mut link.out,
            _ => &mut self.nowhere,
        }
    }

    fn cut(&mut self, connection: usize) {
        if let Some(Some(link)) = self.links.get_mut(connection) {
            link.cut = true;
        }
    }

    fn packet(&mut self, bytes: &[u8]) {
        for &line in &self.lines {
            let sent = self.io.send_to(self.sender.as_fd(), bytes, line);
            self.unsent += u64::from(!sent.is_ok_and(|taken| taken == bytes.len()));
        }
    }
}

impl Wires {
    /// Connections may wait.
    pub(super) fn has_callers(&mut self) -> bool {
        self.doors.listener.is_ready()
    }

    /// The next connection that waits, and no error that a client could cause.
    pub(super) fn accept(&mut self) -> Option<Stream> {
        self.listener.accept().ok().flatten()
    }

    /// The next connection that waits for market data.
    pub(super) fn accept_stream(&mut self) -> Option<(Door, Stream)> {
        self.doors.streams.iter_mut().find_map(|(door, listener, watch)| {
            let waits = watch.is_ready();
            waits.then(|| listener.accept().ok().flatten()).flatten().map(|stream| (*door, stream))
        })
    }

    /// Puts a connection in its place.
    ///
    /// # Errors
    /// A limit of the host; the connection is closed.
    pub(super) fn link(&mut self, place: usize, stream: Stream) -> io::Result<()> {
        let watch = self.doors.all.watch(&stream)?;
        let out = Out(SendBuffer::with_capacity(SEND_BYTES));
        self.links[place] = Some(Link { stream, watch, out, cut: false });
        Ok(())
    }

    /// Reads a connection once. `None`: it is closed.
    pub(super) fn fill(&mut self, place: usize, input: &mut ReceiveBuffer) -> Option<bool> {
        let Some(link) = &mut self.links[place] else { return Some(false) };
        if !link.watch.is_ready() {
            return Some(false);
        }
        match input.fill(self.io.as_mut(), link.stream.as_fd()) {
            Ok(Some(0)) | Err(_) => None,
            Ok(came) => Some(came.is_some()),
        }
    }

    /// Forgets a connection that the other end closed.
    pub(super) fn cut_now(&mut self, place: usize) {
        self.links[place] = None;
    }

    /// Gives every socket what waits for it, and ends the connections that are cut. True if anything
    /// was done.
    pub(super) fn flush(&mut self) -> bool {
        let mut worked = false;
        for slot in &mut self.links {
            let Some(link) = slot else { continue };
            if !link.out.0.is_empty() {
                let sent = link.out.0.flush(self.io.as_mut(), link.stream.as_fd());
                // An error is seen again by the next read, which ends the connection.
                worked |= sent.is_ok_and(|taken| taken > 0);
            }
            if link.cut {
                let _ = link.stream.shutdown();
                *slot = None;
                worked = true;
            }
        }
        worked
    }

    /// Requests may wait.
    pub(super) fn has_requests(&mut self) -> bool {
        self.doors.server.is_ready()
    }

    /// Reads one request: its length, and who asked. `None`: there is none, and no error that
    /// somebody could cause.
    pub(super) fn request(
        &mut self,
        bytes: &mut [u8; REQUEST_BYTES],
    ) -> Option<(usize, SocketAddrV4)> {
        let got = self.io.recv_datagram(self.server.as_fd(), bytes).ok().flatten()?;
        Some((got.len, got.from))
    }

    /// Sends the answer to a request.
    pub(super) fn answer(&mut self, packet: &[u8], to: SocketAddrV4) {
        let sent = self.io.send_to(self.server.as_fd(), packet, to);
        self.unsent += u64::from(!sent.is_ok_and(|taken| taken == packet.len()));
    }

    /// Buffers for what comes from clients, one for each place.
    pub(super) fn inputs(&self) -> Vec<ReceiveBuffer> {
        self.links.iter().map(|_| ReceiveBuffer::with_capacity(RECEIVE_BYTES)).collect()
    }
}
