//! A FIX message as text, for looking at and for saying: knows tags and values, no dictionary.

use gateway::fix::{Precision, TimeText};
use market::Timestamp;
use quickfix::{FieldMap, Message};
use std::time::SystemTime;

/// Between two fields.
const SOH: char = '\u{1}';

/// One whole message.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Fix(pub(crate) String);

impl std::fmt::Debug for Fix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.replace(SOH, "|"))
    }
}

impl From<&Message> for Fix {
    fn from(message: &Message) -> Fix {
        Fix(message.to_fix_string().unwrap())
    }
}

impl Fix {
    /// Tags and values in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (u32, &str)> {
        self.0.split_terminator(SOH).filter_map(|field| {
            let (tag, value) = field.split_once('=')?;
            Some((tag.parse().ok()?, value))
        })
    }

    /// The first value of a tag.
    pub(crate) fn get(&self, tag: u32) -> Option<&str> {
        self.fields().find_map(|(found, value)| (found == tag).then_some(value))
    }

    /// The value of a tag that must be there.
    pub(crate) fn need(&self, tag: u32) -> &str {
        self.get(tag).unwrap_or_else(|| panic!("no tag {tag} in {self:?}"))
    }

    /// True for a message of this MsgType (35).
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.get(35) == Some(kind)
    }

    /// MsgSeqNum (34).
    pub(crate) fn seq(&self) -> u64 {
        self.need(34).parse().unwrap()
    }
}

/// A message for QuickFIX to send, which adds the header's other fields.
pub(crate) fn message(kind: &str, fields: &[(u32, &str)]) -> Message {
    let mut message = Message::new();
    message.with_header_mut(|header| header.set_field(35, kind)).unwrap();
    for (tag, value) in fields {
        message.set_field(i32::try_from(*tag).unwrap(), *value).unwrap();
    }
    message
}

/// TransactTime (60) of now.
pub(crate) fn utc_now() -> String {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = Timestamp::from_nanos(u64::try_from(since.as_nanos()).unwrap());
    let mut writer = TimeText::new(Precision::Millis);
    let (text, written) = writer.text(now);
    String::from_utf8_lossy(&text[..written.len]).into_owned()
}
