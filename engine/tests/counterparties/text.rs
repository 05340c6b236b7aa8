//! FIX text as a venue's documentation shows it: fields in order, nothing shared with the gateway.
//!
//! Slow and obvious on purpose: it judges what the engine sends.

use std::fmt::Write;

/// Fields of a message's body, in order.
pub(crate) type Fields = Vec<(u32, String)>;

/// One message, all fields in order of the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) fields: Fields,
}

impl Message {
    /// The first message at the start of `bytes`, and its length.
    ///
    /// A wrong BodyLength or CheckSum is a failure of the test: it is ours.
    pub(crate) fn cut(bytes: &[u8]) -> Option<(Message, usize)> {
        let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        let body = text.find("\x0135=")? + 1;
        let (_, length) = text[..body].split_once("\x019=")?;
        let length = length.trim_end_matches('\x01');
        assert!(!length.starts_with('0'), "BodyLength is padded: {text}");
        let end = body + length.parse::<usize>().unwrap();
        let whole = text.get(..end + 7)?;
        let sum: u32 = whole[..end].chars().map(u32::from).sum();
        assert_eq!(&whole[end..], format!("10={:03}\x01", sum % 256), "CheckSum of {whole}");
        Some((Message { fields: fields_of(whole) }, end + 7))
    }

    /// The value of the first field `tag`; empty if there is none.
    pub(crate) fn get(&self, tag: u32) -> &str {
        self.find(tag).unwrap_or("")
    }

    /// The value of the first field `tag`.
    pub(crate) fn find(&self, tag: u32) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == tag).map(|field| field.1.as_str())
    }

    /// MsgType (35).
    pub(crate) fn msg_type(&self) -> &str {
        self.get(35)
    }
}

/// The fields of a whole message. RawData (96) may hold SOH: its length stands before it.
fn fields_of(text: &str) -> Fields {
    let (mut fields, mut rest, mut raw) = (Fields::new(), text, None);
    while let Some((tag, after)) = rest.split_once('=') {
        let tag: u32 = tag.parse().unwrap_or_else(|_| panic!("no tag: {tag} in {text}"));
        let end = match raw.take() {
            Some(length) if tag == 96 => length,
            _ => after.find('\x01').unwrap(),
        };
        let value = after[..end].to_owned();
        raw = (tag == 95).then(|| value.parse().unwrap());
        fields.push((tag, value));
        rest = &after[end + 1..];
    }
    fields
}

/// A whole message of `fields` (35 first), with so many digits of BodyLength at least.
pub(crate) fn frame(begin_string: &str, digits: usize, fields: &Fields) -> Vec<u8> {
    let mut body = String::new();
    for (tag, value) in fields {
        let _ = write!(body, "{tag}={value}\x01");
    }
    let mut whole = format!("8={begin_string}\x019={:0digits$}\x01{body}", body.len());
    let sum: u32 = whole.bytes().map(u32::from).sum();
    let _ = write!(whole, "10={:03}\x01", sum % 256);
    whole.into_bytes()
}

/// A field.
pub(crate) fn field(tag: u32, value: impl ToString) -> (u32, String) {
    (tag, value.to_string())
}

/// Joins the values of `tags` in a Logon the way signatures are made of them.
pub(crate) fn joined(message: &Message, tags: &[u32]) -> String {
    tags.iter().map(|&tag| message.get(tag)).collect::<Vec<_>>().join("\x01")
}
