//! What a session is told at construction. Plain data; every default is a safe one.

use crate::fix::{EncodeError, Precision};
use crate::spec::{CustomField, Dictionary, Validation, Version};
use market::Nanos;

/// Longest heartbeat, ours or a peer's.
pub(super) const HEARTBEAT_MAX: Nanos = Nanos::DAY;

/// Which side opens the connection and speaks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We connect and send the first Logon.
    Initiator,
    /// We listen and answer it.
    Acceptor,
}

/// What to do with application messages that the peer asks for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// Fill the gap: a stale order is never sent again.
    GapFillOrders,
    /// Send them again with PossDupFlag=Y: reports are facts and do not grow stale.
    Everything,
}

/// When both sides' sequence numbers begin again at 1 with a Logon (ResetSeqNumFlag, 141=Y).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Only when the peer asks.
    Never,
    /// When our own store is new: an initiator asks for it, an acceptor answers so to a peer that
    /// remembers an older session.
    WhenNew,
    /// At every logon: an initiator asks for it; an acceptor begins anew by agreement, without a
    /// word unless the peer asks.
    Always,
}

/// Everything a session must know. Begin with [`SessionConfig::initiator`] or
/// [`SessionConfig::acceptor`] and change what differs.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Initiator or acceptor.
    pub role: Role,
    /// BeginString (8), and the application messages on it.
    pub version: Version,
    /// Our SenderCompID (49).
    pub sender: String,
    /// The peer's CompID (56).
    pub target: String,
    /// Constant fields of every header of ours, as SenderSubID (50): tag and value.
    pub header: Vec<(u32, String)>,
    /// HeartBtInt (108), whole seconds; zero for none. An acceptor takes the initiator's.
    pub heartbeat: Nanos,
    /// Silence of the peer before a TestRequest, in hundredths of the heartbeat.
    pub test_request_percent: u32,
    /// Silence after the TestRequest before we cut, in hundredths of the heartbeat.
    pub cut_percent: u32,
    /// When sequence numbers begin anew.
    pub reset_on_logon: Reset,
    /// From connection to Logon, before we give up.
    pub logon_timeout: Nanos,
    /// From our Logout to the peer's, before we cut; from a peer's Logout that came ahead of what
    /// an initiator misses to our answer, at most.
    pub logout_timeout: Nanos,
    /// Without progress of a resend we asked for, before we cut, unless the peer logged out.
    pub resend_timeout: Nanos,
    /// Most messages asked for in one ResendRequest; `None` asks for all there are (EndSeqNo 0).
    pub chunk: Option<u32>,
    /// Send NextExpectedMsgSeqNum (789) in the Logon and honour the peer's: each side then sends
    /// what the other misses without being asked. From FIX.4.4 on, by agreement.
    pub next_expected: bool,
    /// Send LastMsgSeqNumProcessed (369) in every header.
    pub last_processed: bool,
    /// Largest difference of SendingTime (52) to our clock; `None` when the clocks are not one
    /// time (virtual time, replay).
    pub sending_time_window: Option<Nanos>,
    /// Fractional digits of the timestamps we write.
    pub precision: Precision,
    /// Longest message in bytes, in and out; a longer one cuts the connection.
    pub max_message: usize,
    /// Most fields in a message.
    pub max_fields: usize,
    /// How far a received message is held against the dictionary of `version`.
    pub validation: Validation,
    /// Fields of the venue that its messages may hold beside those of the dictionary.
    pub custom_fields: Vec<CustomField>,
    /// What is done with application messages asked for again.
    pub resend: Resend,
    /// Number and record application messages while there is no connection; the peer asks for
    /// them at its next logon. For a venue's reports, never for orders.
    pub send_when_down: bool,
}

impl SessionConfig {
    /// A FIX.4.4 session that connects, with a 30 s heartbeat.
    #[must_use]
    pub fn initiator(sender: &str, target: &str) -> Self {
        SessionConfig {
            role: Role::Initiator,
            version: Version::Fix44,
            sender: sender.to_owned(),
            target: target.to_owned(),
            header: Vec::new(),
            heartbeat: Nanos::from_secs(30),
            test_request_percent: 120,
            cut_percent: 120,
            reset_on_logon: Reset::Never,
            logon_timeout: Nanos::from_secs(10),
            logout_timeout: Nanos::from_secs(2),
            resend_timeout: Nanos::from_secs(30),
            chunk: None,
            next_expected: false,
            last_processed: false,
            sending_time_window: Some(Nanos::from_secs(120)),
            precision: Precision::Millis,
            max_message: 8192,
            max_fields: 256,
            validation: Validation::None,
            custom_fields: Vec::new(),
            resend: Resend::GapFillOrders,
            send_when_down: false,
        }
    }

    /// A FIX.4.4 session that listens: reports are resent, and recorded while the peer is away.
    #[must_use]
    pub fn acceptor(sender: &str, target: &str) -> Self {
        SessionConfig {
            role: Role::Acceptor,
            resend: Resend::Everything,
            send_when_down: true,
            ..SessionConfig::initiator(sender, target)
        }
    }

    /// What messages are held against, if they are.
    pub(super) fn dictionary(&self) -> Option<Dictionary> {
        let custom = || Dictionary::with_custom(self.version, self.custom_fields.clone());
        (self.validation != Validation::None).then(custom)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !self.heartbeat.get().is_multiple_of(Nanos::SECOND.get()) {
            return Err(ConfigError::Heartbeat(self.heartbeat));
        }
        if self.heartbeat > HEARTBEAT_MAX {
            return Err(ConfigError::Heartbeat(self.heartbeat));
        }
        for percent in [self.test_request_percent, self.cut_percent] {
            if !(100..=1_000).contains(&percent) {
                return Err(ConfigError::Patience(percent));
            }
        }
        if self.chunk == Some(0) {
            return Err(ConfigError::Chunk);
        }
        if self.next_expected && self.version == Version::Fix42 {
            return Err(ConfigError::NextExpected);
        }
        if !(256..=1 << 20).contains(&self.max_message) {
            return Err(ConfigError::MaxMessage(self.max_message));
        }
        if !(32..=4096).contains(&self.max_fields) {
            return Err(ConfigError::MaxFields(self.max_fields));
        }
        Ok(())
    }
}

/// A configuration that no session can run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not whole seconds, or more than a day.
    #[error("heartbeat is {0}: use whole seconds, at most a day")]
    Heartbeat(Nanos),
    /// Out of range.
    #[error("test_request_percent or cut_percent is {0}: use 100 to 1000")]
    Patience(u32),
    /// No message at all.
    #[error("chunk is 0: use 1 or more, or leave it out")]
    Chunk,
    /// A field of a later version.
    #[error("next_expected needs FIX.4.4 or later")]
    NextExpected,
    /// Out of range.
    #[error("max_message is {0}: use 256 to 1048576 bytes")]
    MaxMessage(usize),
    /// Out of range.
    #[error("max_fields is {0}: use 32 to 4096")]
    MaxFields(usize),
    /// A CompID or a constant field cannot be sent.
    #[error("sender, target or header cannot be sent: {0}")]
    Identity(#[from] EncodeError),
}
