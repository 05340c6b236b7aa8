//! Types of keys that describe a venue's FIX: fields, values of a Logon, codes, scopes.
//!
//! They know how a value is written, and nothing of messages or sessions.

use super::choice::listed;
use super::key::Key;
use super::reader::Value;
use super::value::{Field, Wrong, quoted, text};
use market::RejectReason;
use std::fmt;

/// True for what the value of a field may hold here: printable ASCII.
fn printable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Tag and value of `tag=value`.
fn split(text: &str) -> Option<(u32, &str)> {
    let (tag, value) = text.split_once('=')?;
    Some((tag_of(tag)?, value)).filter(|(_, value)| printable(value))
}

/// A tag: digits, not zero, no zero in front.
fn tag_of(text: &str) -> Option<u32> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|tag| plain && *tag < 10_000_000)
}

/// A constant field, `tag=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixField {
    /// Its tag.
    pub tag: u32,
    /// Its value.
    pub value: String,
}

impl fmt::Display for FixField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.tag, self.value)
    }
}

impl Field for FixField {
    fn expects(_: &Key) -> String {
        "a field, \"tag=value\"".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let (tag, value) = split(text(value)?).ok_or_else(|| Wrong::new("is not `tag=value`"))?;
        Ok(FixField { tag, value: value.to_owned() })
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

/// The hours of a session, as [`gateway::schedule::Schedule::parse`] reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionHoursText(pub String);

impl Field for SessionHoursText {
    fn expects(_: &Key) -> String {
        "the hours of a session, with a time zone".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let hours = text(value)?;
        match gateway::schedule::Schedule::parse(hours) {
            Ok(_) => Ok(SessionHoursText(hours.to_owned())),
            Err(error) => Err(Wrong::new(format!("cannot be read: {error}"))),
        }
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// Whether a venue cancels our orders when the session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelOnDisconnect {
    /// It does not.
    None,
    /// It always does, or its account is set so.
    Always,
    /// When the Logon asks for it by this field.
    Asked(FixField),
}

impl Field for CancelOnDisconnect {
    fn expects(_: &Key) -> String {
        "\"none\", \"always\", or the field of the Logon that asks for it, \"tag=value\"".to_owned()
    }
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
        Ok(match text(value)? {
            "none" => CancelOnDisconnect::None,
            "always" => CancelOnDisconnect::Always,
            _ => CancelOnDisconnect::Asked(FixField::read(value, key)?),
        })
    }
    fn write(&self, name: &str) -> Option<String> {
        match self {
            CancelOnDisconnect::None => Some(quoted("none")),
            CancelOnDisconnect::Always => Some(quoted("always")),
            CancelOnDisconnect::Asked(field) => field.write(name),
        }
    }
}

/// Where the value of a Logon's field comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogonSource {
    /// It stands in the profile.
    Constant,
    /// The API key.
    Key,
    /// The passphrase.
    Passphrase,
    /// The nonce.
    Nonce,
    /// The signature.
    Signature,
}

/// Words for the sources but the first.
const SOURCES: [(&str, LogonSource); 4] = [
    ("{key}", LogonSource::Key),
    ("{passphrase}", LogonSource::Passphrase),
    ("{nonce}", LogonSource::Nonce),
    ("{signature}", LogonSource::Signature),
];

/// A field of the Logon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogonText {
    /// Tag, and the value or the word for its source.
    pub field: FixField,
    /// Where the value comes from.
    pub source: LogonSource,
}

impl Field for LogonText {
    fn expects(_: &Key) -> String {
        let words: Vec<_> = SOURCES.iter().map(|(word, _)| *word).collect();
        format!("a field, \"tag=value\", whose value may be {}", listed(&words))
    }
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
        let field = FixField::read(value, key)?;
        let known = SOURCES.iter().find(|(word, _)| *word == field.value);
        if known.is_none() && field.value.contains(['{', '}']) {
            let words: Vec<_> = SOURCES.iter().map(|(word, _)| *word).collect();
            let help = format!("write {}, or a text without braces", listed(&words));
            return Err(Wrong::new("has braces around no known word").help(help));
        }
        Ok(LogonText { source: known.map_or(LogonSource::Constant, |known| known.1), field })
    }
    fn write(&self, name: &str) -> Option<String> {
        self.field.write(name)
    }
}

/// A piece of what is signed: the value of a field, or the nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignPiece(pub Option<u32>);

impl Field for SignPiece {
    fn expects(_: &Key) -> String {
        "the tag of a field in quotes, such as \"52\", or \"nonce\"".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        match text(value)? {
            "nonce" => Ok(SignPiece(None)),
            tag => match tag_of(tag) {
                Some(tag) => Ok(SignPiece(Some(tag))),
                None => Err(Wrong::new("is no tag")),
            },
        }
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.0.map_or_else(|| "nonce".to_owned(), |tag| tag.to_string())))
    }
}

/// A single character of FIX, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaybeChar(pub Option<u8>);

impl Field for MaybeChar {
    fn expects(_: &Key) -> String {
        "one character, or \"none\"".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        match text(value)? {
            "none" => Ok(MaybeChar(None)),
            text => match *text.as_bytes() {
                [byte] if byte.is_ascii_graphic() => Ok(MaybeChar(Some(byte))),
                _ => Err(Wrong::new("is not one character")),
            },
        }
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.0.map_or_else(|| "none".to_owned(), |byte| char::from(byte).to_string())))
    }
}

/// What one value of one field says of a refusal: `tag:value=reason`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonCode {
    /// The field.
    pub tag: u32,
    /// Its value.
    pub value: String,
    /// What it says.
    pub reason: RejectReason,
}

/// The words of reasons.
const REASONS: &[&str] = &[
    "unknown_instrument",
    "closed",
    "limit",
    "too_late",
    "unknown_order",
    "duplicate_id",
    "would_trade",
    "price",
    "qty",
    "self_trade",
    "pending",
    "no_session",
    "rate",
    "malformed",
    "other",
];

impl ReasonCode {
    /// The word of its reason.
    #[must_use]
    pub fn word(&self) -> &'static str {
        REASONS.get((self.reason as usize).wrapping_sub(1)).unwrap_or(&"other")
    }
}

impl Field for ReasonCode {
    fn expects(_: &Key) -> String {
        format!("\"tag:value=reason\"; reasons are {}", listed(REASONS))
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let wrong = || Wrong::new("is not `tag:value=reason`");
        let (tag, rest) = text(value)?.split_once(':').ok_or_else(wrong)?;
        let (value, word) = rest.rsplit_once('=').ok_or_else(wrong)?;
        let tag = tag_of(tag).filter(|_| printable(value)).ok_or_else(wrong)?;
        let at = REASONS.iter().position(|known| *known == word);
        let at = at.ok_or_else(|| Wrong::new("names no known reason"))?;
        // Reasons are numbered from 1 in the order of the words.
        let reason = u8::try_from(at + 1).map_or(RejectReason::Other, RejectReason::from_byte);
        Ok(ReasonCode { tag, value: value.to_owned(), reason })
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&format!("{}:{}={}", self.tag, self.value, self.word())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::Section;
    use super::super::profile_sections::OrdersSection;
    use super::*;
    use toml::de::DeValue;

    fn read<T: Field>(text: &str) -> Option<T> {
        let quoted = quoted(text);
        let value = DeValue::parse(&quoted).unwrap();
        T::read(&value, &OrdersSection::TABLE.keys[0]).ok()
    }

    #[test]
    fn what_is_read_is_written_and_read_again() {
        fn again<T: Field + PartialEq + fmt::Debug>(text: &str) {
            let first: T = read(text).unwrap_or_else(|| panic!("`{text}`"));
            assert_eq!(first.write("x"), Some(quoted(text)));
        }
        again::<FixField>("100010=a label");
        again::<LogonText>("96={signature}");
        again::<LogonText>("25035=1");
        again::<SignPiece>("nonce");
        again::<SignPiece>("52");
        again::<MaybeChar>("7");
        again::<MaybeChar>("none");
        again::<CancelOnDisconnect>("8674=0");
        again::<CancelOnDisconnect>("always");
        for word in REASONS {
            again::<ReasonCode>(&format!("25016:-1015={word}"));
        }
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for text in ["", "21", "=1", "21=", "021=1", "0=1", "a=b", "99999999=1", "58=ä"] {
            assert_eq!(read::<FixField>(text), None, "`{text}`");
        }
        assert_eq!(read::<LogonText>("96={secret}"), None);
        for text in ["103", "103:8", "103:=rate", "0:1=rate", "103:8=tired", "x:1=rate"] {
            assert_eq!(read::<ReasonCode>(text), None, "`{text}`");
        }
        assert_eq!((read::<MaybeChar>("77"), read::<SignPiece>("x")), (None, None));
    }
}
