//! Where a session stands, and why a connection ends. Values only.

use super::store::StoreError;
use crate::fix::EncodeError;

/// Where a session stands.
///
/// ```text
///               connected                 Logon                logout
/// Disconnected ───────────▶ LogonSent ───────────▶ Up ───────────────▶ LogoutSent
///      ▲     (initiator)                           ▲ │ peer's Logout,        │ peer's Logout,
///      │        connected                 Logon    │ │ silence, fault        │ time-out
///      │      ───────────▶ LogonAwaited ───────────┘ ▼                       │
///      └────── disconnected ────────────────────── Closing ◀─────────────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No connection.
    Disconnected,
    /// Initiator: our Logon is out, the peer's is awaited.
    LogonSent,
    /// Acceptor: connected, the peer's Logon is awaited.
    LogonAwaited,
    /// Both Logons are exchanged. Missing messages may still be on their way: see
    /// [`super::Session::is_recovering`].
    Up,
    /// Our Logout is out, the peer's is awaited; what comes before it is still taken.
    LogoutSent,
    /// The driver was told to cut; bytes are dropped until it says it did.
    Closing,
}

/// Why the driver must cut the connection, after flushing what was already sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disconnect {
    /// We logged out and the peer answered.
    #[error("logged out")]
    LoggedOut,
    /// The peer logged out.
    #[error("the peer logged out")]
    PeerLogout,
    /// The peer answered our Logon with Logout or Reject.
    #[error("the peer refused the Logon: see its text")]
    Refused,
    /// No Logon came in time.
    #[error("no Logon within logon_timeout")]
    LogonTimeout,
    /// No Logout came in time.
    #[error("no Logout within logout_timeout")]
    LogoutTimeout,
    /// Nothing was received, not even an answer to our TestRequest.
    #[error("the peer is silent: no answer to a TestRequest")]
    Silence,
    /// A resend we asked for made no progress.
    #[error("the peer did not resend what is missing within resend_timeout")]
    ResendTimeout,
    /// The first message was not a Logon.
    #[error("the first message was not a Logon")]
    NotLogon,
    /// The Logon is not acceptable.
    #[error("the Logon lacks a field or holds a wrong one")]
    BadLogon,
    /// BeginString or a CompID is not this session's.
    #[error("BeginString or CompIDs are not those of this session")]
    Identity,
    /// A sequence number below the expected one, without PossDupFlag: one side lost its store.
    #[error("MsgSeqNum {received} is too low, {expected} expected: one side lost its numbers")]
    TooLow {
        /// What we awaited.
        expected: u64,
        /// What came.
        received: u64,
    },
    /// A message without a readable sequence number.
    #[error("a message without a readable MsgSeqNum (34)")]
    NoSequence,
    /// SendingTime is too far from our clock.
    #[error("SendingTime (52) is outside sending_time_window: check both clocks")]
    SendingTime,
    /// NextExpectedMsgSeqNum is beyond what we ever sent.
    #[error(
        "NextExpectedMsgSeqNum (789) is {received}, {expected} at most: one side lost its numbers"
    )]
    NextExpected {
        /// The number of our next message.
        expected: u64,
        /// What came.
        received: u64,
    },
    /// The peer asks for the same messages again and again.
    #[error("more resends asked for than a peer can need: a loop of ResendRequests")]
    ResendLoop,
    /// The peer asks for new numbers again and again.
    #[error("numbers begin anew again and again without a message between: a loop of Logons")]
    ResetLoop,
    /// A message longer than allowed.
    #[error("a message longer than max_message: raise it if the peer is right")]
    TooLong,
    /// The peer does not read what we send.
    #[error("the outbound buffer is full: the peer does not read")]
    SlowPeer,
    /// The store refused; nothing that it does not hold was sent.
    #[error("the session's store refused: {0}")]
    Store(#[from] StoreError),
    /// A session message could not be made.
    #[error("a session message could not be made: {0}")]
    Encode(#[from] EncodeError),
    /// A second connection for a session that has one: cut the new one.
    #[error("the session is already connected")]
    AlreadyConnected,
}

/// Why an application message was not sent. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The session is not up, or the peer logged out.
    #[error("the session is not up")]
    Down,
    /// The outbound buffer has no room.
    #[error("the outbound buffer is full")]
    Backpressure,
    /// The store refused.
    #[error("the session's store refused: {0}")]
    Store(#[from] StoreError),
    /// The message could not be made.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Why numbers do not begin anew. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResetError {
    /// There is a connection.
    #[error("the session is connected: log out first")]
    Connected,
    /// The store refused.
    #[error("the session's store refused: {0}")]
    Store(#[from] StoreError),
}

impl From<SendError> for Disconnect {
    fn from(error: SendError) -> Disconnect {
        match error {
            SendError::Down | SendError::Backpressure => Disconnect::SlowPeer,
            SendError::Store(error) => Disconnect::Store(error),
            SendError::Encode(error) => Disconnect::Encode(error),
        }
    }
}

/// What a session counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages taken in sequence.
    pub received: u64,
    /// Messages recorded and sent, resends not included.
    pub sent: u64,
    /// Garbled pieces skipped.
    pub garbled: u64,
    /// PossDup messages that were already taken.
    pub duplicates: u64,
    /// Messages ahead of sequence that were dropped to be resent.
    pub too_high: u64,
    /// Rejects (3) and BusinessMessageRejects (j) we sent.
    pub rejects: u64,
    /// Messages sent once more.
    pub resent: u64,
    /// Gap fills sent in place of messages.
    pub gap_fills: u64,
}
