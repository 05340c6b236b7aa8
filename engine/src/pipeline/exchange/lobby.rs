//! Who is at the door: the first message of a connection says whose session it wants.
//!
//! Nothing here has an account or a sequence number. Who is not let in is cut without a word, as the
//! session test cases have it (1S: "disconnect without sending a message"): an answer would use up a
//! number of a session that may be somebody else's. The exchange's own log has the reason.

use gateway::fix::{FieldIndex, Frame, frame, tags};

/// Longest first message.
const BYTES_MAX: usize = 4_096;
/// Longest SenderCompID that becomes an account.
const NAME_MAX: usize = 32;

/// What the bytes of a stranger are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Knock {
    /// Not yet a message.
    Wait,
    /// A Logon to the session of this account, which is to take the same bytes.
    Account(usize),
    /// The same of a listener.
    Listener(usize),
    /// The same of an account that there is not yet.
    Newcomer(String),
    /// Somebody who is not let in, and why.
    Refused(String),
}

/// The door of an exchange.
pub(super) struct Door<'a> {
    /// BeginString of its sessions.
    pub(super) begin_string: &'a str,
    /// Its own CompID.
    pub(super) comp_id: &'a str,
    /// Its accounts.
    pub(super) accounts: &'a [String],
    /// Who may only listen.
    pub(super) listeners: &'a [String],
    /// Newcomers become accounts.
    pub(super) any: bool,
}

impl Door<'_> {
    /// Judges the first bytes of a connection.
    pub(super) fn knock(&self, bytes: &[u8], index: &mut FieldIndex) -> Knock {
        let length = match frame(bytes, BYTES_MAX) {
            Frame::Incomplete => return Knock::Wait,
            Frame::Garbled { reason, .. } => return Knock::Refused(reason.to_string()),
            Frame::Complete { len, .. } => len,
        };
        let message = index.parse(&bytes[..length]);
        let text = |tag| String::from_utf8_lossy(message.get(tag).unwrap_or_default()).into_owned();
        let (version, sender) = (text(tags::BEGIN_STRING), text(tags::SENDER_COMP_ID));
        if message.msg_type() != tags::msg::LOGON {
            return Knock::Refused(format!("{sender}: the first message must be a Logon"));
        }
        if version != self.begin_string {
            return Knock::Refused(format!("{sender}: BeginString must be {}", self.begin_string));
        }
        if text(tags::TARGET_COMP_ID) != self.comp_id {
            return Knock::Refused(format!("{sender}: TargetCompID must be {}", self.comp_id));
        }
        if let Some(at) = self.listeners.iter().position(|listener| *listener == sender) {
            return Knock::Listener(at);
        }
        match self.accounts.iter().position(|account| *account == sender) {
            Some(account) => Knock::Account(account),
            None if self.any && is_name(&sender) && sender != self.comp_id => {
                Knock::Newcomer(sender)
            }
            None => Knock::Refused(format!("{sender} is no account of this exchange")),
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::fix::{Encoder, Precision, Template};
    use market::Timestamp;

    fn logon(sender: &str, target: &str, kind: &[u8]) -> Vec<u8> {
        let mut template = Template::new("FIX.4.4", sender, target, Precision::Millis).unwrap();
        let mut buffer = [0; 512];
        let now = Timestamp::ZERO;
        let mut encoder = Encoder::begin(&mut buffer, &mut template, now, 1, kind);
        encoder.u64(tags::ENCRYPT_METHOD, 0);
        encoder.u64(tags::HEART_BT_INT, 30);
        encoder.finish().unwrap().to_vec()
    }

    fn judge(bytes: &[u8], any: bool) -> Knock {
        let accounts = &["A".to_owned(), "B".to_owned()];
        let listeners = &["L".to_owned()];
        let (begin_string, comp_id) = ("FIX.4.4", "EXCHANGE");
        let door = Door { begin_string, comp_id, accounts, listeners, any };
        door.knock(bytes, &mut FieldIndex::new(64))
    }

    #[test]
    fn the_sender_chooses_the_account() {
        assert_eq!(judge(&logon("B", "EXCHANGE", b"A"), false), Knock::Account(1));
        assert_eq!(judge(&logon("L", "EXCHANGE", b"A"), true), Knock::Listener(0));
        let whole = logon("A", "EXCHANGE", b"A");
        assert!((0..whole.len()).all(|cut| judge(&whole[..cut], false) == Knock::Wait));
    }

    #[test]
    fn strangers_are_refused_for_a_reason() {
        let told = |bytes: &[u8]| match judge(bytes, false) {
            Knock::Refused(why) => why,
            other => format!("{other:?}"),
        };
        let is_none = "C is no account of this exchange";
        assert_eq!(told(&logon("C", "EXCHANGE", b"A")), is_none);
        assert_eq!(told(&logon("A", "NYSE", b"A")), "A: TargetCompID must be EXCHANGE");
        let first = "A: the first message must be a Logon";
        assert_eq!(told(&logon("A", "EXCHANGE", b"5")), first);
        assert_eq!(told(b"GET / HTTP/1.1\r\n"), "bytes before BeginString (8)");
    }

    #[test]
    fn newcomers_have_names_that_can_be_kept() {
        let judge = |name: &str| judge(&logon(name, "EXCHANGE", b"A"), true);
        assert_eq!(judge("C"), Knock::Newcomer("C".to_owned()));
        assert_eq!(judge("A"), Knock::Account(0));
        for name in ["EXCHANGE", "a b", &"N".repeat(33)] {
            assert!(matches!(judge(name), Knock::Refused(_)), "{name}");
        }
    }
}
