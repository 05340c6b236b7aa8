//! What FIX says a message may hold: versions, dictionaries, and how far a message is held against
//! them.
//!
//! The dictionaries are tables of text beside these files (their origin and licence: `NOTICE.txt`),
//! read once a version. Nothing here looks at sequence numbers, or changes, copies or keeps a
//! message; a check allocates nothing, and how deep it goes is set by the dictionary alone.

mod dictionary;
mod format;
mod scope;
mod table;
mod version;
mod walk;

pub use dictionary::{CustomField, Dictionary, FieldInfo, MessageInfo};
pub use version::{Validation, Version};
pub use walk::{Step, Walk};

#[cfg(test)]
mod tests;
