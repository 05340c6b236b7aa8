//! The engine's FIX store: the gateway's own stream of the journal. Every frame in and out stands
//! there before it goes on, so the stream is session store and raw message log at once.
//!
//! Secrets (signatures, passwords) are blanked in what is stored. The stream is never read back while
//! trading: what is asked for again is gap-filled, since a stale order must not be sent twice, unless
//! the store is told to keep the last frames.

use crate::journal::{Record, Writer};
use crate::pipeline::kept_frames::KeptFrames;
use gateway::fix::{redact, secret_tags};
use gateway::session::{FrameKind, Store, StoreError, Visit};
use market::Timestamp;

/// Kinds of records in the gateway stream; `docs/journal.md` has them as tables.
pub mod kind {
    /// A frame of ours: time, number, kind, bytes.
    pub const OUT: u16 = 1;
    /// A frame of the venue that was taken: time, number, bytes.
    pub const IN: u16 = 2;
    /// Incoming numbers were skipped: the next one.
    pub const NEXT_IN: u16 = 3;
    /// Both numbers begin anew: next outgoing, next incoming.
    pub const RESET: u16 = 4;
    /// A start of the engine: time.
    pub const START: u16 = 5;
}

/// Sequence numbers that a stream leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// The number of the next frame of ours.
    pub outgoing: u64,
    /// The number awaited.
    pub incoming: u64,
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers { outgoing: 1, incoming: 1 }
    }
}

impl Numbers {
    /// Follows one record of the stream. Records of other kinds change nothing.
    pub fn follow(&mut self, record: &Record<'_>) {
        let word = |at: usize| {
            let bytes = record.payload.get(at..at + 8)?;
            bytes.try_into().ok().map(u64::from_le_bytes)
        };
        match record.kind {
            kind::OUT => self.outgoing = word(8).map_or(self.outgoing, |seq| seq + 1),
            kind::IN => self.incoming = word(8).map_or(self.incoming, |seq| seq + 1),
            kind::NEXT_IN => self.incoming = word(0).unwrap_or(self.incoming),
            kind::RESET => {
                self.outgoing = word(0).unwrap_or(self.outgoing);
                self.incoming = word(8).unwrap_or(self.incoming);
            }
            _ => {}
        }
    }
}

/// A frame of the stream, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredFrame<'a> {
    /// When it was recorded.
    pub now: Timestamp,
    /// MsgSeqNum.
    pub seq: u64,
    /// What it is; `None` for a frame of the venue.
    pub kind: Option<FrameKind>,
    /// Its bytes, secrets blanked.
    pub bytes: &'a [u8],
}

impl<'a> StoredFrame<'a> {
    /// The frame in an `OUT` or `IN` record; `None` for anything else.
    #[must_use]
    pub fn of(record: &Record<'a>) -> Option<StoredFrame<'a>> {
        let (now, rest) = record.payload.split_first_chunk::<8>()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let (now, seq) =
            (Timestamp::from_nanos(u64::from_le_bytes(*now)), u64::from_le_bytes(*seq));
        match record.kind {
            kind::OUT => {
                let (&byte, bytes) = rest.split_first()?;
                Some(StoredFrame { now, seq, kind: FrameKind::from_byte(byte), bytes })
            }
            kind::IN => Some(StoredFrame { now, seq, kind: None, bytes: rest }),
            _ => None,
        }
    }
}

impl StoredFrame<'_> {
    /// Our Logon: whatever we send behind it, also over the end of a session day, has numbers of the
    /// day that it was sent on.
    #[must_use]
    pub fn is_our_logon(&self) -> bool {
        self.kind == Some(FrameKind::Session) && msg_type(self.bytes).starts_with(b"A\x01")
    }
}

/// Follows one record of the stream into the frames that are kept.
pub fn follow_frames(kept: &mut KeptFrames, record: &Record<'_>) {
    match StoredFrame::of(record) {
        Some(StoredFrame { seq, kind: Some(kind), bytes, .. }) => kept.keep(seq, kind, bytes),
        _ if record.kind == kind::RESET => kept.clear(),
        _ => {}
    }
}

/// A store whose records bear a time, which the stage sets before it drives the session.
pub trait TimedStore: Store {
    /// The time that records bear from now on.
    fn set_now(&mut self, now: Timestamp);

    /// Number of the stream's segment that is written: it moves on when the next one is taken.
    /// Always zero where nothing is written.
    fn segment(&self) -> u64 {
        0
    }

    /// Fetches what the next record needs, while nothing else is to be done.
    fn make_ready(&mut self) {}
}

/// A session's store over a writer of the journal.
pub struct FixStore {
    writer: Writer,
    numbers: Numbers,
    now: Timestamp,
    secret_tags: Box<[u32]>,
    kept: Option<KeptFrames>,
}

impl FixStore {
    /// A store that goes on with `numbers`. Values of `extra_secrets` are blanked beside those of
    /// [`gateway::fix::SECRET_TAGS`].
    #[must_use]
    pub fn new(writer: Writer, numbers: Numbers, extra_secrets: &[u32]) -> FixStore {
        let secret_tags = secret_tags(extra_secrets);
        FixStore { writer, numbers, now: Timestamp::ZERO, secret_tags, kept: None }
    }

    /// The same, able to send again the last frames: those of the stream, and from now on those that
    /// are sent.
    #[must_use]
    pub fn keeping(self, kept: Option<KeptFrames>) -> FixStore {
        FixStore { kept, ..self }
    }

    /// The stream, for its health.
    #[must_use]
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Records a start of the engine.
    ///
    /// # Errors
    /// [`StoreError::Full`].
    pub fn record_start(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.append(kind::START, &[&now.nanos().to_le_bytes()])
    }

    /// Ends the stream cleanly.
    pub fn close(self) {
        self.writer.close();
    }

    fn append(&mut self, kind: u16, parts: &[&[u8]]) -> Result<(), StoreError> {
        self.writer.append(kind, parts).map(|_| ()).map_err(|_| StoreError::Full)
    }

    /// A frame, with the values of secret fields overwritten in the record itself if it may have any.
    fn append_frame(
        &mut self,
        kind: u16,
        head: &[u8],
        frame: &[u8],
        secret: bool,
    ) -> Result<(), StoreError> {
        let most = head.len() + frame.len();
        let mut draft = self.writer.draft(kind, most).map_err(|_| StoreError::Full)?;
        let payload = draft.payload();
        payload[..head.len()].copy_from_slice(head);
        payload[head.len()..most].copy_from_slice(frame);
        let copy = &mut payload[head.len()..most];
        if secret && bears_secrets(copy) {
            redact(copy, &self.secret_tags);
        }
        draft.commit(most);
        Ok(())
    }
}

impl TimedStore for FixStore {
    fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    fn segment(&self) -> u64 {
        self.writer.segment()
    }

    fn make_ready(&mut self) {
        self.writer.make_ready();
    }
}

impl Store for FixStore {
    fn next_outgoing(&self) -> u64 {
        self.numbers.outgoing
    }

    fn next_incoming(&self) -> u64 {
        self.numbers.incoming
    }

    fn record_outgoing(
        &mut self,
        seq: u64,
        kind: FrameKind,
        frame: &[u8],
    ) -> Result<(), StoreError> {
        if seq != self.numbers.outgoing {
            return Err(StoreError::OutOfOrder { expected: self.numbers.outgoing, found: seq });
        }
        let mut head = [0; 17];
        head[..8].copy_from_slice(&self.now.nanos().to_le_bytes());
        head[8..16].copy_from_slice(&seq.to_le_bytes());
        head[16] = kind as u8;
        self.append_frame(self::kind::OUT, &head, frame, kind == FrameKind::Session)?;
        // A Logon is never sent again, and has secrets.
        if let Some(kept) = self.kept.as_mut().filter(|_| !bears_secrets(frame)) {
            kept.keep(seq, kind, frame);
        }
        self.numbers.outgoing = seq + 1;
        Ok(())
    }

    fn record_incoming(&mut self, seq: u64, frame: &[u8]) -> Result<(), StoreError> {
        let mut head = [0; 16];
        head[..8].copy_from_slice(&self.now.nanos().to_le_bytes());
        head[8..].copy_from_slice(&seq.to_le_bytes());
        self.append_frame(kind::IN, &head, frame, true)?;
        self.numbers.incoming = seq + 1;
        Ok(())
    }

    fn set_next_incoming(&mut self, seq: u64) -> Result<(), StoreError> {
        self.append(kind::NEXT_IN, &[&seq.to_le_bytes()])?;
        self.numbers.incoming = seq;
        Ok(())
    }

    fn reset(&mut self, outgoing: u64, incoming: u64) -> Result<(), StoreError> {
        self.append(kind::RESET, &[&outgoing.to_le_bytes(), &incoming.to_le_bytes()])?;
        self.numbers = Numbers { outgoing, incoming };
        if let Some(kept) = &mut self.kept {
            kept.clear();
        }
        Ok(())
    }

    fn keeps_frames(&self) -> bool {
        self.kept.is_some()
    }

    /// What is not kept is gap-filled by the session.
    fn outgoing(&mut self, begin: u64, end: u64, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if let Some(kept) = &self.kept {
            kept.visit(begin, end, visit);
        }
        Ok(())
    }
}

/// Bytes of a frame within which the third field, MsgType, begins.
const HEAD: usize = 32;

/// True for messages that bear credentials: Logon (A), UserRequest (BE) and UserResponse (BF).
fn bears_secrets(frame: &[u8]) -> bool {
    let kind = msg_type(frame);
    [b"A\x01".as_slice(), b"BE\x01", b"BF\x01"].iter().any(|secret| kind.starts_with(secret))
}

/// MsgType of a frame, and what stands behind it within the head.
fn msg_type(frame: &[u8]) -> &[u8] {
    let head = &frame[..frame.len().min(HEAD + 7)];
    let at = head.windows(4).position(|window| window == b"\x0135=");
    at.map_or(&[][..], |at| &head[at + 4..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_with_credentials_are_told_from_others() {
        let bears = |kind: &str| {
            ["FIX.4.4\x019=5", "FIXT.1.1\x019=0000000000000005"].map(|begin| {
                bears_secrets(format!("8={begin}\x0135={kind}\x01554=x\x01").as_bytes())
            })
        };
        for kind in ["A", "BE", "BF"] {
            assert_eq!(bears(kind), [true; 2], "{kind}");
        }
        for kind in ["AE", "8", "B", "0"] {
            assert_eq!(bears(kind), [false; 2], "{kind}");
        }
        assert!(!bears_secrets(b"") && !bears_secrets(b"\x0135="));
    }
}
