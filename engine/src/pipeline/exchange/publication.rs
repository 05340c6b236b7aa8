//! Market data out: events or recorded messages become numbered packets, and are served again to
//! who asks; where snapshots are served, what the packets show is kept up beside them.
//!
//! A message stands in the session's file before it is in any packet. It sends nothing itself.

use super::resume::{Resume, resume};
use anyhow::Context as _;
use feeds::file::{Opened, SessionFile};
use feeds::glimpse::Board;
use feeds::itch50::{Encoder, Refusal};
use feeds::moldudp64::{
    BadRequest, HEADER_BYTES, MessageStore as _, PublishError, Publisher, RequestServer, Session,
};
use market::{Event, EventKind, Instrument, Nanos, Timestamp};
use std::io;
use std::path::Path;

/// Longest packet: fits an Ethernet frame with its headers.
const PACKET_BYTES: usize = 1_400;
/// Longest message that fits a packet.
pub const MESSAGE_BYTES_MAX: usize = PACKET_BYTES - HEADER_BYTES - 2;

/// Counts of one session, by this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublicationCounters {
    /// Messages in packets.
    pub messages: u64,
    /// Packets with messages.
    pub packets: u64,
    /// Trades among the messages.
    pub trades: u64,
    /// Events that ITCH cannot say.
    pub unsaid: u64,
}

/// The publishing side of a market data session.
pub struct Publication {
    file: SessionFile,
    encoder: Encoder,
    publisher: Publisher,
    server: RequestServer,
    /// Not yet in a packet: each message behind its length.
    waiting: Vec<u8>,
    /// What is shown by all that is in packets, if snapshots are served.
    board: Option<Board>,
    counters: PublicationCounters,
    ended: bool,
}

/// A publication, and what it said before.
pub struct OpenedPublication {
    /// The publication.
    pub publication: Publication,
    /// What the session's messages leave.
    pub resume: Resume,
    /// Bytes of a torn tail that were cut off.
    pub cut: u64,
}

impl Publication {
    /// Opens the session whose messages stand at `path`, with stamps from `base` on. `snapshots`:
    /// keep up what it shows.
    ///
    /// # Errors
    /// A file that cannot be used, or instruments that do not fit ITCH.
    pub fn open(
        path: &Path,
        session: Session,
        base: Timestamp,
        instruments: &[Instrument],
        heartbeat: Nanos,
        snapshots: bool,
    ) -> anyhow::Result<OpenedPublication> {
        let Opened { mut file, cut } = SessionFile::open(path).with_context(|| {
            format!("the session's messages in {}: restore them, or use --fresh", path.display())
        })?;
        let mut board = snapshots.then(Board::default);
        let resume = resume(&mut file, board.as_mut());
        let mut encoder = Encoder::new(instruments, base)?;
        encoder.set_next_match(resume.next_match);
        let publisher = Publisher::new(session, file.next_sequence(), PACKET_BYTES, heartbeat);
        let publication = Publication {
            file,
            encoder,
            publisher,
            server: RequestServer::new(session, PACKET_BYTES),
            waiting: Vec::with_capacity(1 << 16),
            board,
            counters: PublicationCounters::default(),
            ended: false,
        };
        Ok(OpenedPublication { publication, resume, cut })
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> Session {
        self.publisher.session()
    }

    /// Sequence of the next message to be in a packet.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.publisher.next_sequence()
    }

    /// What was published.
    #[must_use]
    pub fn counters(&self) -> PublicationCounters {
        self.counters
    }

    /// The server of requests, for its counters.
    #[must_use]
    pub fn server(&self) -> &RequestServer {
        &self.server
    }

    /// What the session shows, if that is kept up.
    #[must_use]
    pub fn board(&self) -> Option<&Board> {
        self.board.as_ref()
    }

    /// A message that is in a packet.
    pub fn published(&mut self, sequence: u64) -> Option<&[u8]> {
        if sequence >= self.publisher.next_sequence() {
            return None;
        }
        self.file.message(sequence)
    }

    /// True if nothing waits to be in a packet.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes an event of the venue.
    pub fn event(&mut self, event: &Event) {
        let traded = matches!(event.kind(), Some(EventKind::Execute | EventKind::Trade));
        self.counters.trades += u64::from(traded);
        let Publication { file, encoder, waiting, .. } = self;
        let said = encoder.encode(event, &mut |message| keep(file, waiting, message));
        self.counters.unsaid += u64::from(said.is_err());
    }

    /// Takes a recorded message as it stands, 1 to [`MESSAGE_BYTES_MAX`] bytes.
    pub fn message(&mut self, message: &[u8]) {
        self.counters.trades += u64::from(matches!(message.first(), Some(b'E' | b'C' | b'P')));
        keep(&mut self.file, &mut self.waiting, message);
    }

    /// Says which instruments there are, and that the day begins.
    ///
    /// # Errors
    /// `now` is not within the day.
    pub fn begin(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let Publication { file, encoder, waiting, .. } = self;
        let mut out = |message: &[u8]| keep(file, waiting, message);
        encoder.system(b'O', now, &mut out)?;
        encoder.directory(now, &mut out)?;
        encoder.system(b'S', now, &mut out)?;
        encoder.system(b'Q', now, &mut out)
    }

    /// Says that the market's day is over.
    ///
    /// # Errors
    /// `now` is not within the day.
    pub fn close(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let Publication { file, encoder, waiting, .. } = self;
        let mut out = |message: &[u8]| keep(file, waiting, message);
        [b'M', b'E', b'C'].into_iter().try_for_each(|code| encoder.system(code, now, &mut out))
    }

    /// Writes what was taken to the file, then gives it on in packets. True if there was any.
    ///
    /// # Errors
    /// What the file system reports, such as a full disk; nothing was given on, and calling again
    /// tries again.
    pub fn flush(&mut self, now: Timestamp, send: &mut dyn FnMut(&[u8])) -> io::Result<bool> {
        if self.waiting.is_empty() {
            return Ok(false);
        }
        self.file.commit()?;
        let Publication { publisher, counters, waiting, board, .. } = self;
        let mut packet = |publisher: &mut Publisher| {
            if let Some(bytes) = publisher.take(now) {
                counters.packets += 1;
                send(bytes);
            }
        };
        let mut rest = &waiting[..];
        let mut messages = 0;
        while let Some((length, tail)) = rest.split_first_chunk::<2>() {
            let (message, tail) = tail.split_at(usize::from(u16::from_be_bytes(*length)));
            if publisher.push(message) == Err(PublishError::Full) {
                packet(publisher);
                continue;
            }
            if let Some(board) = board {
                board.follow(message);
            }
            messages += 1;
            rest = tail;
        }
        packet(publisher);
        counters.messages += messages;
        waiting.clear();
        Ok(true)
    }

    /// A heartbeat, if one is due.
    pub fn heartbeat(&mut self, now: Timestamp) -> Option<[u8; HEADER_BYTES]> {
        self.publisher.heartbeat(now)
    }

    /// Ends the session: gives the packet that says so, once. Heartbeats repeat it.
    pub fn end(&mut self, now: Timestamp) -> Option<[u8; HEADER_BYTES]> {
        if self.ended || !self.is_flushed() {
            return None;
        }
        self.ended = true;
        self.publisher.end(now).ok()
    }

    /// True once the session was ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// The packet that answers a request.
    ///
    /// # Errors
    /// [`BadRequest`], already counted; nothing is to be sent.
    pub fn answer(&mut self, request: &[u8]) -> Result<&[u8], BadRequest> {
        self.server.answer(request, &mut self.file)
    }
}

/// Puts a message into the file, to be committed, and in line for a packet. Lengths that no packet
/// holds do not come here: those of ITCH are short, and recorded ones were checked.
fn keep(file: &mut SessionFile, waiting: &mut Vec<u8>, message: &[u8]) {
    let Ok(length) = u16::try_from(message.len()) else { return };
    if message.len() <= MESSAGE_BYTES_MAX && file.append(message).is_ok() {
        waiting.extend_from_slice(&length.to_be_bytes());
        waiting.extend_from_slice(message);
    }
}
