//! What a venue wants in our Logon beside the standard fields: names, passwords, signatures.
//!
//! The session hands over the facts that a signature may cover and an encoder; it never looks at
//! what is written, and never keeps it.

use crate::fix::Encoder;
use market::Timestamp;

/// What our Logon says, as it is on the wire.
#[derive(Clone, Copy, Debug)]
pub struct LogonFacts<'a> {
    /// When it is sent.
    pub now: Timestamp,
    /// MsgSeqNum (34).
    pub seq: u64,
    /// Text of SendingTime (52) exactly as sent.
    pub sending_time: &'a [u8],
    /// SenderCompID (49).
    pub sender: &'a [u8],
    /// TargetCompID (56).
    pub target: &'a [u8],
    /// BeginString (8).
    pub begin_string: &'a [u8],
    /// HeartBtInt (108), seconds.
    pub heartbeat_s: u64,
    /// ResetSeqNumFlag (141) is Y.
    pub reset: bool,
}

/// Adds fields to the Logon of an initiator.
pub trait LogonBody: std::fmt::Debug + Send {
    /// Called for each Logon, after the standard fields (98, 108, 141, 789, 1137) were added. It may
    /// make the message fail with [`Encoder::fail`]; nothing is sent then, and the connection ends.
    fn write(&mut self, logon: &LogonFacts<'_>, encoder: &mut Encoder<'_>);

    /// A copy of what the peer said, as long as it was, without the secrets of our Logons; `None`
    /// where none of them is there.
    fn blanked(&self, _bytes: &[u8]) -> Option<Vec<u8>> {
        None
    }
}
