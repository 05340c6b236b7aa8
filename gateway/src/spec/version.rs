//! The versions of FIX that a session may speak, and how strictly it reads.
//!
//! A name for each pair of session and application layer; nothing here reads a message.

/// A version of FIX: its session layer together with the application messages on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// FIX.4.2.
    Fix42,
    /// FIX.4.4.
    Fix44,
    /// FIX.5.0SP2 messages over a FIXT.1.1 session.
    Fix50Sp2,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Version; 3] = [Version::Fix42, Version::Fix44, Version::Fix50Sp2];

    /// BeginString (8).
    #[must_use]
    pub const fn begin_string(self) -> &'static str {
        match self {
            Version::Fix42 => "FIX.4.2",
            Version::Fix44 => "FIX.4.4",
            Version::Fix50Sp2 => "FIXT.1.1",
        }
    }

    /// DefaultApplVerID (1137) of the Logon, where the session layer has versions of its own.
    #[must_use]
    pub const fn appl_ver_id(self) -> Option<&'static str> {
        match self {
            Version::Fix42 | Version::Fix44 => None,
            Version::Fix50Sp2 => Some("9"),
        }
    }
}

/// How far a received message is held against the dictionary of its version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// Not at all: what is not understood is carried. Costs nothing.
    #[default]
    None,
    /// Known message types, fields that belong to them, required fields, groups and their counts.
    Structure,
    /// Structure, and the format and value of every field.
    Full,
}
