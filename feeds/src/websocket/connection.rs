//! One websocket (RFC 6455) over a link: `tungstenite` reads frames, masks ours and answers pings with
//! their own payload; the bytes are moved here. The upgrade waits, on the thread that makes
//! connections; after it nothing does. It knows nothing of what a message says.

use super::stream::Stream;
use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;
use thiserror::Error;
use tungstenite::client::IntoClientRequest;
use tungstenite::error::Error as WsError;
use tungstenite::handshake::HandshakeError;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};
use wire::{Io, Link};

/// Bytes of ours that may wait for the socket.
const OUTPUT_MAX: usize = 256 * 1024;
/// Longest reason of an end that is kept.
const REASON_MAX: usize = 200;

/// What a venue may send at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, and so longest frame. One that is longer ends the connection before it is
    /// read; a frame that says it is this long takes so much memory.
    pub message_bytes: usize,
}

impl Limits {
    fn config(self) -> WebSocketConfig {
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(self.message_bytes);
        config.max_frame_size = Some(self.message_bytes);
        config.write_buffer_size = 0;
        config.max_write_buffer_size = OUTPUT_MAX;
        config
    }
}

/// Why there is no websocket.
#[derive(Debug, Error)]
pub enum UpgradeError {
    /// The venue answers with another status than 101: how, and for how long to stay away.
    #[error("the upgrade to a websocket is refused: HTTP {status}")]
    Refused {
        /// Status of HTTP.
        status: u16,
        /// Retry-After, in seconds.
        retry_after: Option<u64>,
    },
    /// What came is no answer to an upgrade.
    #[error("no upgrade to a websocket: {0}")]
    Other(String),
}

/// Why a connection is of no more use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended(pub String);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was read.
#[derive(Debug)]
pub enum Heard {
    /// A message of text.
    Text(tungstenite::Utf8Bytes),
    /// A message of bytes, which no venue here sends.
    Binary,
    /// A ping, which is answered with the next flush, or a pong.
    Control,
}

/// See the module.
pub struct Connection {
    socket: WebSocket<Stream>,
    /// What the venue said when it closed.
    farewell: Option<String>,
}

impl Connection {
    /// Asks for the upgrade at `path` of `host`; blocks for `timeout` at most. What the venue sends
    /// right behind its answer is kept.
    ///
    /// # Errors
    /// [`UpgradeError`].
    pub fn upgrade(
        link: Link,
        host: &str,
        path: &str,
        timeout: Duration,
        limits: Limits,
    ) -> Result<Connection, UpgradeError> {
        let other = |error: &dyn fmt::Display| UpgradeError::Other(error.to_string());
        let request = format!("ws://{host}{path}").into_client_request();
        let request = request.map_err(|error| other(&error))?;
        let stream = Stream::waiting(link, timeout).map_err(|error| other(&error))?;
        let config = Some(limits.config());
        match tungstenite::client::client_with_config(request, stream, config) {
            Ok((mut socket, _)) => {
                socket.get_mut().polled();
                Ok(Connection { socket, farewell: None })
            }
            Err(HandshakeError::Failure(WsError::Http(answer))) => {
                let retry_after = answer.headers().get("retry-after");
                let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
                Err(UpgradeError::Refused { status: answer.status().as_u16(), retry_after })
            }
            Err(HandshakeError::Failure(error)) => Err(other(&error)),
            Err(HandshakeError::Interrupted(_)) => Err(other(&"it is not over in time")),
        }
    }

    /// Receives once; true if anything came. Why nothing comes any more is told by [`Self::read`].
    pub fn fill(&mut self, io: &mut dyn Io) -> bool {
        self.socket.get_mut().fill(io)
    }

    /// The [stamp](wire::stamp::now) of the last receive.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.socket.get_ref().link().received()
    }

    /// The next message of what was received; `None` if none is whole.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn read(&mut self) -> Result<Option<Heard>, Ended> {
        // The venue need not close the connection below at once.
        if let Some(said) = self.farewell.take() {
            return Err(Ended(said));
        }
        match self.socket.read() {
            Ok(Message::Text(text)) => Ok(Some(Heard::Text(text))),
            Ok(Message::Binary(_)) => Ok(Some(Heard::Binary)),
            Ok(Message::Close(frame)) => {
                let said = frame.map(|frame| {
                    let reason: String = frame.reason.chars().take(REASON_MAX).collect();
                    format!("the venue closed: {} {reason}", frame.code)
                });
                self.farewell = Some(said.unwrap_or_else(|| "the venue closed".to_owned()));
                Ok(Some(Heard::Control))
            }
            Ok(_) => Ok(Some(Heard::Control)),
            Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(self.ended(&error)),
        }
    }

    /// Queues a message of text.
    ///
    /// # Errors
    /// [`Ended`]: the venue reads too slowly, or has closed.
    pub fn send(&mut self, text: &str) -> Result<(), Ended> {
        match self.socket.write(Message::text(text)) {
            Ok(()) => Ok(()),
            Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(self.ended(&error)),
        }
    }

    /// Offers what is queued to the socket, pongs too. It must be called after every read.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn flush(&mut self, io: &mut dyn Io) -> Result<(), Ended> {
        match self.socket.flush() {
            Ok(()) => {}
            Err(WsError::Io(error)) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(self.ended(&error)),
        }
        if self.socket.get_ref().is_flushed() {
            return Ok(());
        }
        let sent = self.socket.get_mut().send(io);
        sent.map_err(|error| self.ended(&WsError::Io(io::Error::other(error.to_string()))))
    }

    /// Ends it, with what farewell can still be said.
    pub fn close(mut self, io: &mut dyn Io) {
        let _ = self.socket.close(None);
        let _ = self.socket.flush();
        self.socket.into_inner().close(io);
    }

    fn ended(&mut self, error: &WsError) -> Ended {
        Ended(self.farewell.take().unwrap_or_else(|| error.to_string()))
    }
}

/// Every message of text or bytes in what a venue would send, up to what is no frame.
pub(crate) fn read_all(bytes: &[u8], limits: Limits, mut message: impl FnMut(&[u8])) {
    /// Reads, and takes whatever is written.
    struct Far<'a>(&'a [u8]);
    impl io::Read for Far<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }
    impl io::Write for Far<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let config = Some(limits.config());
    let mut socket = WebSocket::from_raw_socket(Far(bytes), Role::Client, config);
    while let Ok(heard) = socket.read() {
        if let Message::Text(_) | Message::Binary(_) = heard {
            message(&heard.into_data());
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("link", self.socket.get_ref().link()).finish()
    }
}
