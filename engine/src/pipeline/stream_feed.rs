//! ITCH by TCP: the stream over its connection, which is made anew whenever it ends.
//!
//! What was missed meanwhile the server fills. It never waits, and never connects more often than
//! its pace.

use crate::pipeline::connector::Connector;
use crate::pipeline::reconnect::Reconnect;
use crate::pipeline::stream_link::{News, StreamLink};
use feeds::ItchStream;
use feeds::soupbintcp::PACKET_MAX;
use market::{Sink, Timestamp};
use wire::Io;

/// Bytes that wait to be taken: many packets.
const RECEIVE_BYTES: usize = 8 * PACKET_MAX;
/// Longest thing that is ever sent.
const OUT_BYTES: usize = 256;

/// The stream and its connection.
pub struct StreamFeed {
    stream: ItchStream,
    link: StreamLink,
    reconnect: Reconnect,
    out: Vec<u8>,
    /// The present connection had a session.
    lived: bool,
    /// Bytes are left that there was no room for.
    behind: bool,
}

impl StreamFeed {
    /// A stream that connects by `connector`, at the pace of `reconnect`.
    #[must_use]
    pub fn new(stream: ItchStream, connector: Connector, reconnect: Reconnect) -> StreamFeed {
        let (link, out) =
            (StreamLink::new(connector, RECEIVE_BYTES), Vec::with_capacity(OUT_BYTES));
        StreamFeed { stream, link, reconnect, out, lived: false, behind: false }
    }

    /// The stream, for its state and counters.
    #[must_use]
    pub fn stream(&self) -> &ItchStream {
        &self.stream
    }

    /// Does what there is to do; `room` is how many events `sink` takes, at least
    /// [`ItchStream::EVENTS_MIN`]. True if anything was done.
    pub fn poll(
        &mut self,
        io: &mut dyn Io,
        now: Timestamp,
        room: usize,
        sink: &mut impl Sink,
    ) -> bool {
        if room < ItchStream::EVENTS_MIN {
            return false;
        }
        if self.reconnect.is_due(now) && self.reconnect.begin(now) {
            self.link.connect();
        }
        // What waits already is taken before more is received.
        let news = if self.behind { News::Nothing } else { self.link.poll(io) };
        if news == News::Connected {
            self.reconnect.connected(now);
            self.lived = false;
            self.stream.connected(now, &mut self.out, sink);
            self.link.send(io, &mut self.out);
            return true;
        }
        if news == News::Ended && self.reconnect.is_trying() {
            self.reconnect.failed(now);
            self.stream.disconnected(now, sink);
            return true;
        }
        if !self.link.is_connected() {
            return false;
        }
        let given = (self.link.bytes(), self.link.received());
        let (took, mut result) = self.stream.received(given, (now, room), sink);
        self.link.consume(took);
        self.behind = took > 0 && !self.link.bytes().is_empty();
        self.lived |= self.stream.client().is_up();
        if result.is_ok() {
            result = self.stream.poll(now, &mut self.out);
        }
        self.link.send(io, &mut self.out);
        if result.is_err() || (news == News::Ended && took == 0) {
            self.end(io, now, sink);
            return true;
        }
        took > 0
    }

    fn end(&mut self, io: &mut dyn Io, now: Timestamp, sink: &mut impl Sink) {
        self.link.close(io);
        self.reconnect.ended(now, self.lived);
        self.behind = false;
        self.stream.disconnected(now, sink);
    }
}
