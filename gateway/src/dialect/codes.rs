//! What a venue's own numbers of refusals mean. A table that is looked at only when something was
//! refused; it must never be asked about anything else.

use crate::fix::Message;
use market::RejectReason;

/// One value of one field, and the reason that it gives. Looked at before FIX's own numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The field: OrdRejReason (103), or one of the venue's own.
    pub tag: u32,
    /// Its value, as it stands in the message.
    pub value: String,
    /// What it says.
    pub reason: RejectReason,
}

/// The words of reasons in profiles.
const WORDS: [(&str, RejectReason); 13] = [
    ("unknown_instrument", RejectReason::UnknownInstrument),
    ("closed", RejectReason::Closed),
    ("limit", RejectReason::Limit),
    ("too_late", RejectReason::TooLate),
    ("unknown_order", RejectReason::UnknownOrder),
    ("duplicate_id", RejectReason::DuplicateId),
    ("would_trade", RejectReason::WouldTrade),
    ("price", RejectReason::Price),
    ("qty", RejectReason::Qty),
    ("self_trade", RejectReason::SelfTrade),
    ("pending", RejectReason::Pending),
    ("rate", RejectReason::Rate),
    ("malformed", RejectReason::Malformed),
];

impl Code {
    /// Reads `tag:value=reason`, such as `25016:-1015=rate`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Code, String> {
        let shape = || "is not `tag:value=reason`, such as \"25016:-1015=rate\"".to_owned();
        let (tag, rest) = text.split_once(':').ok_or_else(shape)?;
        let (value, word) = rest.rsplit_once('=').ok_or_else(shape)?;
        let tag = tag.parse().ok().filter(|tag| *tag > 0).ok_or_else(shape)?;
        if value.is_empty() {
            return Err(shape());
        }
        let known = WORDS.iter().find(|(known, _)| *known == word);
        let (_, reason) = known.ok_or_else(|| {
            let words: Vec<_> = WORDS.iter().map(|(word, _)| *word).collect();
            format!("names no reason; the reasons are {}", words.join(", "))
        })?;
        Ok(Code { tag, value: value.to_owned(), reason: *reason })
    }
}

/// The reason that the first code found in `message` gives.
pub(crate) fn reason_of(codes: &[Code], message: &Message<'_>) -> Option<RejectReason> {
    let said = |code: &&Code| message.get(code.tag) == Some(code.value.as_bytes());
    codes.iter().find(said).map(|code| code.reason)
}
