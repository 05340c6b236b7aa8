//! What a venue wants in our Logon beyond FIX's own fields: the seam between session and dialect.
//!
//! The session says what it sends; whoever fills in the rest signs exactly that.

use crate::fix::Encoder;
use market::Timestamp;

/// What a Logon says before the venue's own fields.
#[derive(Clone, Copy, Debug)]
pub struct LogonFacts<'a> {
    /// When it is sent.
    pub now: Timestamp,
    /// MsgSeqNum (34).
    pub seq: u64,
    /// SendingTime (52), exactly as it is sent.
    pub sending_time: &'a [u8],
    /// SenderCompID (49).
    pub sender: &'a [u8],
    /// TargetCompID (56).
    pub target: &'a [u8],
    /// BeginString (8).
    pub begin_string: &'a [u8],
    /// HeartBtInt (108).
    pub heartbeat_s: u64,
    /// ResetSeqNumFlag (141) is set.
    pub reset: bool,
}

/// Adds a venue's fields to our Logon as initiator, after EncryptMethod (98), HeartBtInt (108),
/// ResetSeqNumFlag (141) and DefaultApplVerID (1137).
pub trait LogonBody: std::fmt::Debug + Send {
    /// Writes the fields.
    fn write(&mut self, logon: &LogonFacts<'_>, encoder: &mut Encoder<'_>);
}
