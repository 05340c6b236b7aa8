//! Who is at the door: the first message of a connection says whose session it wants.
//!
//! Nothing here has an account or a sequence number. Who is not let in hears why.

use gateway::fix::{Encoder, FieldIndex, Frame, Garble, Precision, Template, frame, tags};
use market::Timestamp;

/// BeginString of every session of the exchange.
pub(super) const BEGIN_STRING: &str = "FIX.4.4";
/// Longest first message.
const BYTES_MAX: usize = 4_096;
/// Room for the answer to a stranger.
const ANSWER_BYTES: usize = 512;

/// What the bytes of a stranger are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Knock {
    /// Not yet a message.
    Wait,
    /// So many bytes are no message.
    Garbled(usize),
    /// A Logon to the session of this account, which is to take the same bytes.
    Account(usize),
    /// Somebody who is not let in: the name given, and why.
    Refused(String, String),
    /// Nothing that could be answered.
    Noise,
}

/// Judges the first bytes of a connection to `comp_id`, whose accounts have these names.
pub(super) fn knock(
    bytes: &[u8],
    index: &mut FieldIndex,
    comp_id: &str,
    accounts: &[String],
) -> Knock {
    let length = match frame(bytes, BYTES_MAX) {
        Frame::Incomplete => return Knock::Wait,
        Frame::Garbled { reason: Garble::TooLong, .. } => return Knock::Noise,
        Frame::Garbled { skip, .. } => return Knock::Garbled(skip),
        Frame::Complete { len, .. } => len,
    };
    let message = index.parse(&bytes[..length]);
    let text = |tag| String::from_utf8_lossy(message.get(tag).unwrap_or_default()).into_owned();
    let sender = text(tags::SENDER_COMP_ID);
    if message.msg_type() != tags::msg::LOGON {
        let why = "the first message must be a Logon".to_owned();
        return Knock::Refused(sender, why);
    }
    let (version, target) = (text(tags::BEGIN_STRING), text(tags::TARGET_COMP_ID));
    if version != BEGIN_STRING {
        return Knock::Refused(sender, format!("BeginString must be {BEGIN_STRING}"));
    }
    if target != comp_id {
        return Knock::Refused(sender, format!("TargetCompID must be {comp_id}"));
    }
    match accounts.iter().position(|account| *account == sender) {
        Some(account) => Knock::Account(account),
        None => {
            let why = format!("SenderCompID {sender} is no account of this exchange");
            Knock::Refused(sender, why)
        }
    }
}

/// The Logout that says why, number 1 of no session; `None` if the name cannot be written.
pub(super) fn refusal(comp_id: &str, peer: &str, why: &str, now: Timestamp) -> Option<Vec<u8>> {
    let mut template = Template::new(BEGIN_STRING, comp_id, peer, Precision::Millis).ok()?;
    let mut buffer = [0; ANSWER_BYTES + Encoder::SLACK];
    let mut encoder = Encoder::begin(&mut buffer, &mut template, now, 1, tags::msg::LOGOUT);
    encoder.bytes(tags::TEXT, why.as_bytes());
    encoder.finish().ok().map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logon(sender: &str, target: &str) -> Vec<u8> {
        let mut template = Template::new(BEGIN_STRING, sender, target, Precision::Millis).unwrap();
        let mut buffer = [0; 512];
        let now = Timestamp::ZERO;
        let mut encoder = Encoder::begin(&mut buffer, &mut template, now, 1, tags::msg::LOGON);
        encoder.u64(tags::ENCRYPT_METHOD, 0);
        encoder.u64(tags::HEART_BT_INT, 30);
        encoder.finish().unwrap().to_vec()
    }

    fn judge(bytes: &[u8]) -> Knock {
        knock(bytes, &mut FieldIndex::new(64), "EXCHANGE", &["A".to_owned(), "B".to_owned()])
    }

    #[test]
    fn the_sender_chooses_the_account() {
        assert_eq!(judge(&logon("B", "EXCHANGE")), Knock::Account(1));
        let whole = logon("A", "EXCHANGE");
        assert!((0..whole.len()).all(|cut| judge(&whole[..cut]) == Knock::Wait));
    }

    #[test]
    fn strangers_hear_why() {
        let told = |bytes: &[u8]| match judge(bytes) {
            Knock::Refused(name, why) => format!("{name}: {why}"),
            other => format!("{other:?}"),
        };
        assert_eq!(
            told(&logon("C", "EXCHANGE")),
            "C: SenderCompID C is no account of this exchange"
        );
        assert_eq!(told(&logon("A", "NYSE")), "A: TargetCompID must be EXCHANGE");
        let logout = refusal("A", "EXCHANGE", "no", Timestamp::ZERO).unwrap();
        assert_eq!(told(&logout), "A: the first message must be a Logon");
        assert_eq!(refusal("A", "a\x01b", "no", Timestamp::ZERO), None);
        // A long name stands in the header and in the reason.
        let name = "N".repeat(160);
        let why = format!("SenderCompID {name} is no account of this exchange");
        assert!(refusal("EXCHANGE", &name, &why, Timestamp::ZERO).is_some());
        assert_eq!(judge(b"GET / HTTP/1.1\r\n"), Knock::Garbled(16));
    }
}
