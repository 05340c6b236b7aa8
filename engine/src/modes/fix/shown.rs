//! A message as it is shown: every field with its name and meaning, what is wrong beside it, secrets
//! gone.
//!
//! Nothing that may be a secret leaves this file, and no character that a terminal would obey.

use super::fields::{Field, fields};
use super::known::Known;
use super::secrets::Secrets;
use super::verdict::Verdict;
use gateway::fix::tags;
use gateway::spec::{Dictionary, Version};
use serde::Serialize;
use std::net::SocketAddrV4;

/// Username (553): shown by its beginning.
pub(super) const USERNAME: u32 = 553;
/// ApplVerID (1128) and DefaultApplVerID (1137).
const APPL_VER_ID: u32 = 1128;
const DEFAULT_APPL_VER_ID: u32 = 1137;

/// Where a message was found.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Place {
    /// The input.
    pub(super) file: String,
    /// When it went, as the input says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<String>,
    /// `in` or `out`, as the input says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) direction: Option<&'static str>,
    /// Who sent it, of a capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<SocketAddrV4>,
    /// To whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<SocketAddrV4>,
    /// Its first byte in the input; in a capture, the record of the packet that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<u64>,
    /// Its record in the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<u64>,
}

/// A field, in words.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    /// Its tag, as it stands there.
    pub(super) tag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'static str>,
    pub(super) value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) meaning: Option<String>,
    /// Groups that it stands in.
    pub(super) depth: usize,
    /// It begins an instance of its group.
    pub(super) begins: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wrong: Option<String>,
}

/// A message, in words.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shown<'p> {
    #[serde(flatten)]
    pub(super) place: &'p Place,
    pub(super) begin_string: String,
    pub(super) msg_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'static str>,
    /// Length of the whole message.
    pub(super) bytes: usize,
    /// BodyLength, CheckSum and the first three fields are right.
    pub(super) right: bool,
    pub(super) fields: Vec<Line>,
}

/// What was said so far that later messages are read by.
pub(super) struct Spoken<'k> {
    known: &'k Known,
    /// What a FIXT session said of the version of its messages, in its last Logon.
    default: Option<Vec<u8>>,
    secrets: Secrets,
}

impl<'k> Spoken<'k> {
    pub(super) fn new(known: &'k Known) -> Spoken<'k> {
        Spoken { known, default: None, secrets: Secrets::default() }
    }

    /// The dictionaries of a message: its own, and the one that knows what the other does not.
    fn dictionaries(&mut self, message: &[u8]) -> [&'static Dictionary; 2] {
        let get = |tag| fields(message).find(|field| field.tag == Some(tag)).map(|f| f.value);
        if let Some(default) = get(DEFAULT_APPL_VER_ID) {
            self.default = Some(default.to_vec());
        }
        let version = match get(tags::BEGIN_STRING).unwrap_or(b"") {
            b"FIX.4.0" | b"FIX.4.1" | b"FIX.4.2" => Version::Fix42,
            b"FIX.4.3" | b"FIX.4.4" => Version::Fix44,
            _ => match get(APPL_VER_ID).or(self.default.as_deref()).unwrap_or(b"") {
                b"2" | b"3" | b"4" => Version::Fix42,
                b"5" | b"6" => Version::Fix44,
                _ => Version::Fix50Sp2,
            },
        };
        [version, Version::Fix50Sp2].map(Dictionary::of)
    }

    /// A message in words. Its secrets are overwritten.
    pub(super) fn show<'p>(&mut self, place: &'p Place, message: &mut [u8]) -> Shown<'p> {
        let verdict = Verdict::of(message);
        let dictionaries = self.dictionaries(message);
        self.secrets.hide(message, self.known.secret_tags(), verdict.is_right());
        let message = &*message;
        let get = |tag| {
            let found = fields(message).find(|field| field.tag == Some(tag));
            found.map_or(&b""[..], |field| field.value)
        };
        let msg_type = get(tags::MSG_TYPE);
        let known = dictionaries.iter().find(|dictionary| dictionary.message(msg_type).is_some());
        let mut walk = known.unwrap_or(&dictionaries[0]).walk(msg_type);
        let lines = fields(message).map(|field| {
            let step = field.tag.map(|tag| walk.step(tag, field.value));
            Line {
                depth: step.map_or(0, |step| step.depth),
                begins: step.is_some_and(|step| step.begins),
                wrong: verdict.of_field(field.tag),
                ..line(&field, &dictionaries, self.known)
            }
        });
        Shown {
            place,
            fields: lines.collect(),
            begin_string: plain(get(tags::BEGIN_STRING)),
            msg_type: plain(msg_type),
            name: known.and_then(|dictionary| Some(dictionary.message(msg_type)?.name())),
            bytes: message.len(),
            right: verdict.is_right(),
        }
    }
}

/// A field in words, as if it stood alone.
fn line(field: &Field<'_>, dictionaries: &[&'static Dictionary; 2], known: &Known) -> Line {
    let info = field.tag.and_then(|tag| dictionaries.iter().find_map(|known| known.field(tag)));
    let meaning = match (field.tag, info) {
        (Some(tags::MSG_TYPE), _) => {
            let found = dictionaries.iter().find_map(|known| known.message(field.value));
            found.map(|message| message.name().to_owned())
        }
        (_, Some(info)) => {
            let words: Vec<_> = info.meanings(field.value).flatten().collect();
            (!words.is_empty()).then(|| words.join(", "))
        }
        _ => None,
    };
    // What the venue means by a code is more than what FIX does.
    let own = field.tag.and_then(|tag| known.meaning(tag, field.value));
    let meaning = own.map(str::to_owned).or(meaning);
    let name = info.map(gateway::spec::FieldInfo::name);
    let mut value = plain(field.value);
    if field.tag == Some(USERNAME) {
        value = value.chars().take(2).chain("***".chars()).collect();
    }
    Line {
        tag: plain(field.tag_text),
        name: name.or_else(|| known.name(field.tag?)),
        value,
        meaning,
        depth: 0,
        begins: false,
        wrong: None,
    }
}

/// Bytes as text without control characters: SOH as `^A`, others as `\u{1b}`.
fn plain(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for letter in String::from_utf8_lossy(bytes).chars() {
        match letter {
            '\x01' => text.push_str("^A"),
            _ if letter.is_control() => text.extend(letter.escape_default()),
            _ => text.push(letter),
        }
    }
    text
}
