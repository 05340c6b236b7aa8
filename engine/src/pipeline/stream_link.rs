//! A feed's TCP connection: asked of the connector, then polled by the feed's own core.
//!
//! It moves bytes and says what became of the connection; what they mean is the feed's business. It
//! never waits, and allocates nothing after construction.

use crate::pipeline::connector::Connector;
use wire::{Io, Link, ReceiveBuffer, SendBuffer};

/// Bytes of what we send: logins and heartbeats.
const SEND_BYTES: usize = 4_096;

/// What became of the connection since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing that matters.
    Nothing,
    /// It is there.
    Connected,
    /// It could not be made, or is over.
    Ended,
}

/// See the module.
pub struct StreamLink {
    connector: Connector,
    /// An attempt is under way.
    tries: bool,
    link: Option<Link>,
    input: ReceiveBuffer,
    output: SendBuffer,
}

impl StreamLink {
    /// Not connected; `bytes` of what came can wait, at least the longest packet's.
    #[must_use]
    pub fn new(connector: Connector, bytes: usize) -> StreamLink {
        let (input, output) =
            (ReceiveBuffer::with_capacity(bytes), SendBuffer::with_capacity(SEND_BYTES));
        StreamLink { connector, tries: false, link: None, input, output }
    }

    /// Asks for one attempt.
    pub fn connect(&mut self) {
        self.tries = true;
        self.connector.request();
    }

    /// Looks at the attempt, or receives once. What came before an end is given out first: while
    /// [`bytes`](Self::bytes) are left whole, the end is told again.
    pub fn poll(&mut self, io: &mut dyn Io) -> News {
        if self.tries {
            let Some(outcome) = self.connector.take() else { return News::Nothing };
            self.tries = false;
            self.input.clear();
            self.output.clear();
            self.link = outcome.ok();
            return if self.link.is_some() { News::Connected } else { News::Ended };
        }
        let Some(link) = &mut self.link else { return News::Nothing };
        match link.fill(io, &mut self.input) {
            Ok(_) => News::Nothing,
            Err(_) => News::Ended,
        }
    }

    /// True while there is a connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// What came and is not consumed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.input.bytes()
    }

    /// Forgets the first `count` of them.
    pub fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }

    /// The stamp of the receive that brought the last bytes.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.link.as_ref().map_or(0, Link::received)
    }

    /// Sends what stands in `out`, and what waited. What finds no room belongs to a connection that
    /// is stuck, which the other end will find silent.
    pub fn send(&mut self, io: &mut dyn Io, out: &mut Vec<u8>) {
        if let Some(link) = &mut self.link {
            let _ = self.output.push(out);
            if !self.output.is_empty() {
                // An error is seen again by the next receive.
                let _ = link.flush(io, &mut self.output);
            }
        }
        out.clear();
    }

    /// Ends the connection.
    pub fn close(&mut self, io: &mut dyn Io) {
        if let Some(link) = self.link.take() {
            link.close(io, &mut self.output);
        }
        self.input.clear();
        self.output.clear();
    }
}
