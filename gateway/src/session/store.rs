//! What a session asks of persistence: numbers and sent frames that outlive the process.
//!
//! A session never sends a frame that its store did not take.

use std::ops::ControlFlow;

/// What a recorded frame is, which decides what a resend request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// Logon, Heartbeat and the like: gap-filled.
    Session = 1,
    /// A Reject (3): the one session message that is sent again.
    Reject = 2,
    /// An application message: sent again or gap-filled, by [`super::Resend`].
    Application = 3,
}

impl FrameKind {
    /// The kind of a stored byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<FrameKind> {
        match byte {
            1 => Some(FrameKind::Session),
            2 => Some(FrameKind::Reject),
            3 => Some(FrameKind::Application),
            _ => None,
        }
    }
}

/// Why a store refused. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room for the record.
    #[error("the store is full")]
    Full,
    /// The file system refused.
    #[error("writing or reading the store failed: {0}")]
    Io(std::io::ErrorKind),
    /// The number is not the next one: a fault of the caller.
    #[error("sequence number {found} recorded where {expected} comes next")]
    OutOfOrder {
        /// What comes next.
        expected: u64,
        /// What was given.
        found: u64,
    },
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        StoreError::Io(error.kind())
    }
}

/// What [`Store::outgoing`] calls for each frame: sequence number, kind, bytes.
pub type Visit<'a> = dyn FnMut(u64, FrameKind, &[u8]) -> ControlFlow<()> + 'a;

/// Sequence numbers and frames of one session. Both numbers of a new store are 1.
pub trait Store {
    /// The sequence number of the next frame we send.
    fn next_outgoing(&self) -> u64;

    /// The sequence number we await.
    fn next_incoming(&self) -> u64;

    /// Records a frame of ours, before it is sent; `seq` must be [`Store::next_outgoing`].
    ///
    /// # Errors
    /// [`StoreError`]; the frame is then not sent.
    fn record_outgoing(
        &mut self,
        seq: u64,
        kind: FrameKind,
        frame: &[u8],
    ) -> Result<(), StoreError>;

    /// Records that the frame numbered `seq` was taken; [`Store::next_incoming`] becomes `seq` + 1.
    ///
    /// # Errors
    /// [`StoreError`]; the session then cuts the connection.
    fn record_incoming(&mut self, seq: u64, frame: &[u8]) -> Result<(), StoreError>;

    /// Skips incoming numbers (SequenceReset).
    ///
    /// # Errors
    /// [`StoreError`]; the session then cuts the connection.
    fn set_next_incoming(&mut self, seq: u64) -> Result<(), StoreError>;

    /// Forgets every frame and sets both numbers, as one step that a crash cannot split.
    ///
    /// # Errors
    /// [`StoreError`]; the session then cuts the connection.
    fn reset(&mut self, outgoing: u64, incoming: u64) -> Result<(), StoreError>;

    /// Shows the recorded frames numbered `begin` to `end`, ascending, until `visit` breaks.
    /// Numbers without a frame are passed over.
    ///
    /// # Errors
    /// [`StoreError`].
    fn outgoing(&mut self, begin: u64, end: u64, visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// False if [`Store::outgoing`] never shows a frame: what is asked for again is then gap-filled
    /// at once, whatever its length.
    fn keeps_frames(&self) -> bool {
        true
    }

    /// True if nothing was ever recorded.
    fn is_new(&self) -> bool {
        self.next_outgoing() == 1 && self.next_incoming() == 1
    }
}
