//! What a venue's profile adds to what every message of FIX is: its secret fields, names of fields
//! that no dictionary has, words for its codes.
//!
//! Without a profile, what is secret with every venue is still hidden.

use crate::config::fix_words::{CancelOnDisconnect, LogonSource, ReasonCode};
use crate::config::{self, Config, ProfileConfig};
use crate::runtime::cores::allowed;
use anyhow::bail;
use gateway::fix::secret_tags;
use std::path::Path;

/// What is known of one venue's messages.
#[derive(Clone, Debug)]
pub struct Known {
    secret_tags: Box<[u32]>,
    names: Vec<(u32, &'static str)>,
    codes: Vec<ReasonCode>,
}

impl Default for Known {
    fn default() -> Known {
        Known { secret_tags: secret_tags(&[]), names: Vec::new(), codes: Vec::new() }
    }
}

impl From<&ProfileConfig> for Known {
    fn from(profile: &ProfileConfig) -> Known {
        let name = |source| match source {
            LogonSource::Constant => None,
            LogonSource::Key => Some("Key"),
            LogonSource::Passphrase => Some("Passphrase"),
            LogonSource::Nonce => Some("Nonce"),
            LogonSource::Signature => Some("Signature"),
        };
        let fields = profile.logon.fields.iter();
        let mut names: Vec<_> =
            fields.filter_map(|field| Some((field.field.tag, name(field.source)?))).collect();
        if let CancelOnDisconnect::Asked(field) = &profile.session.cancel_on_disconnect {
            names.push((field.tag, "CancelOnDisconnect"));
        }
        names.push((profile.orders.exec_id_tag, "ExecutionID"));
        let secret_tags = secret_tags(&profile.secret_tags());
        Known { secret_tags, names, codes: profile.orders.reject_codes.clone() }
    }
}

impl Known {
    /// What the file at `path` says: a venue's profile, or a run that names one.
    ///
    /// # Errors
    /// What `touchline check` says of it, or a file of another kind.
    pub fn read(path: &Path) -> anyhow::Result<Known> {
        match config::load(path, &allowed())? {
            Config::Venue(venue) => Ok(Known::from(&venue.0)),
            Config::Run(run) => Ok(Known::from(&run.venue)),
            _ => bail!(
                "{} is no venue's profile: give a file of kind = \"venue\", or of a run",
                path.display()
            ),
        }
    }

    /// Tags whose values are never shown.
    pub(super) fn secret_tags(&self) -> &[u32] {
        &self.secret_tags
    }

    /// Name of a field of the venue's own.
    pub(super) fn name(&self, tag: u32) -> Option<&'static str> {
        self.names.iter().find(|(known, _)| *known == tag).map(|(_, name)| *name)
    }

    /// What a value of a field means to the engine.
    pub(super) fn meaning(&self, tag: u32, value: &[u8]) -> Option<&'static str> {
        let mut codes = self.codes.iter();
        let code = codes.find(|code| code.tag == tag && code.value.as_bytes() == value)?;
        Some(code.word())
    }
}
