//! What must not be seen: keys and passwords, wiped when they are dropped, shown by no formatter.
//!
//! Whoever writes a text out of here into anything but a Logon or a hash has made a mistake.

use std::fmt;
use zeroize::Zeroizing;

/// A secret text. `Debug` and `Display` show `***`.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: impl Into<Vec<u8>>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text, for a Logon or a hash.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a venue gave us to log on with. Which of them a Logon needs is its plan's to say.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The API key, client id or user name.
    pub key: Option<Secret>,
    /// What signatures are made with: text, base64 or PEM, as the venue gave it.
    pub secret: Option<Secret>,
    /// The passphrase or password.
    pub passphrase: Option<Secret>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_formatter_shows_a_secret() {
        let secret = || Some(Secret::new("hunter2"));
        let credentials = Credentials { key: secret(), secret: secret(), passphrase: secret() };
        let key = credentials.key.clone().unwrap();
        let shown = format!("{credentials:?} {credentials:#?} {key}");
        assert!(!shown.contains("hunter2") && !shown.contains("104"), "{shown}");
        assert_eq!(key.reveal(), b"hunter2");
    }
}
