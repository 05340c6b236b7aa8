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

/// The reason that the first code found in `message` gives.
pub(crate) fn reason_of(codes: &[Code], message: &Message<'_>) -> Option<RejectReason> {
    let said = |code: &&Code| message.get(code.tag) == Some(code.value.as_bytes());
    codes.iter().find(said).map(|code| code.reason)
}
