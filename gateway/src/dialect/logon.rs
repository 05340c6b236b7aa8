//! The Logon of a venue: the fields it wants beside those of FIX, filled in and signed; and what of
//! it nobody else may see.
//!
//! The clock's time is given with each Logon and random bytes by the driver; nothing is read here.

use super::secret::{Credentials, Secret};
use super::sign::{KeyError, Piece, Signature, Signer};
use crate::fix::{EncodeError, Encoder, SECRET_TAGS, redact_values, tags};
use crate::session::{LogonBody, LogonFacts};
use data_encoding::BASE64;
use std::io::Write as _;

/// Where the value of a field comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Always this.
    Constant(String),
    /// The API key.
    Key,
    /// The passphrase.
    Passphrase,
    /// The nonce.
    Nonce,
    /// The signature.
    Signature,
}

/// One field, in the order of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogonField {
    /// Its tag. Before RawData (96) its length (95) is written.
    pub tag: u32,
    /// Its value.
    pub value: Value,
}

/// What a nonce is made of. Each is greater than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonce {
    /// Milliseconds since 1970.
    Millis,
    /// Milliseconds since 1970, a point, and base64 of 32 random bytes.
    MillisAndRandom,
}

/// Everything a venue wants in a Logon beyond FIX's own fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogonPlan {
    /// The fields.
    pub fields: Vec<LogonField>,
    /// The nonce, where one is wanted.
    pub nonce: Option<Nonce>,
    /// The signature, where one is wanted.
    pub signature: Option<Signature>,
    /// Tags whose values are secret beside [`SECRET_TAGS`].
    pub secret_tags: Vec<u32>,
}

/// Why a plan cannot be carried out with some credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The secret does not fit.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A field or the signature wants what is not given.
    #[error("the credentials hold no `{0}`, which this venue's Logon wants")]
    Lacks(&'static str),
}

/// Fills random bytes in, or says that there are none; the driver's.
pub type Random = Box<dyn FnMut(&mut [u8]) -> bool + Send>;

/// Writes Logons by a plan.
pub struct VenueLogon {
    plan: LogonPlan,
    key: Option<Secret>,
    passphrase: Option<Secret>,
    signer: Option<Signer>,
    /// What must not be seen wherever it stands.
    hidden: Vec<Secret>,
    /// The last signature.
    signature: Option<Secret>,
    random: Random,
    /// Milliseconds of the last nonce.
    last: u64,
    nonce: Vec<u8>,
}

impl std::fmt::Debug for VenueLogon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VenueLogon").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl LogonPlan {
    /// True if credentials are wanted.
    #[must_use]
    pub fn wants_credentials(&self) -> bool {
        let constant = |field: &LogonField| matches!(field.value, Value::Constant(_));
        self.signature.is_some() || !self.fields.iter().all(constant)
    }

    fn uses(&self, value: &Value) -> bool {
        self.fields.iter().any(|field| field.value == *value)
    }

    /// What of these credentials is secret: a key only where it stands in a secret field.
    fn hidden(&self, credentials: &Credentials) -> Vec<Secret> {
        let secret = |tag: &u32| SECRET_TAGS.contains(tag) || self.secret_tags.contains(tag);
        let mut keys = self.fields.iter().filter(|field| field.value == Value::Key);
        let key = credentials.key.as_ref().filter(|_| keys.any(|field| secret(&field.tag)));
        let all = [credentials.secret.as_ref(), credentials.passphrase.as_ref(), key];
        let trimmed = |secret: &Secret| Secret::new(secret.reveal().trim_ascii());
        all.into_iter().flatten().map(trimmed).collect()
    }
}

impl VenueLogon {
    /// Logons of this plan with these credentials, which a plan without secrets does not need.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn new(
        plan: LogonPlan,
        credentials: Option<&Credentials>,
        random: Random,
    ) -> Result<VenueLogon, PlanError> {
        let held = credentials.cloned().unwrap_or_default();
        let lacks = |name, what: &Option<Secret>, wanted: bool| match wanted && what.is_none() {
            true => Err(PlanError::Lacks(name)),
            false => Ok(()),
        };
        lacks("key", &held.key, plan.uses(&Value::Key))?;
        lacks("secret", &held.secret, plan.signature.is_some())?;
        lacks("passphrase", &held.passphrase, plan.uses(&Value::Passphrase))?;
        let signed = plan.signature.clone().zip(held.secret.as_ref());
        let signer =
            signed.map(|(signature, secret)| Signer::new(signature, secret)).transpose()?;
        Ok(VenueLogon {
            hidden: plan.hidden(&held),
            plan,
            key: held.key,
            passphrase: held.passphrase,
            signer,
            signature: None,
            random,
            last: 0,
            nonce: Vec::new(),
        })
    }

    /// The next nonce: the time, or one more than the last where the clock did not move on. Empty,
    /// and so no value of a field, where there is no randomness.
    fn renew_nonce(&mut self, now_ms: u64) {
        self.nonce.clear();
        let Some(nonce) = self.plan.nonce else { return };
        self.last = now_ms.max(self.last + 1);
        // Writing to a Vec cannot fail.
        let _ = write!(self.nonce, "{}", self.last);
        if nonce == Nonce::MillisAndRandom {
            let mut bytes = [0; 32];
            if !(self.random)(&mut bytes) {
                return self.nonce.clear();
            }
            let _ = write!(self.nonce, ".{}", BASE64.encode(&bytes));
        }
    }

    fn known<'v>(&'v self, value: &'v Value) -> Option<&'v [u8]> {
        match value {
            Value::Constant(text) => Some(text.as_bytes()),
            Value::Key => self.key.as_ref().map(Secret::reveal),
            Value::Passphrase => self.passphrase.as_ref().map(Secret::reveal),
            Value::Nonce => Some(&self.nonce),
            Value::Signature => None,
        }
    }
}

impl LogonBody for VenueLogon {
    fn write(&mut self, logon: &LogonFacts<'_>, encoder: &mut Encoder<'_>) {
        self.renew_nonce(logon.now.nanos() / 1_000_000);
        let (seq, heartbeat) = (logon.seq.to_string(), logon.heartbeat_s.to_string());
        let signature = self.signer.as_ref().map(|signer| {
            signer.sign(|piece| match piece {
                Piece::Nonce => &self.nonce,
                Piece::Field(tags::MSG_TYPE) => tags::msg::LOGON,
                Piece::Field(tags::SENDER_COMP_ID) => logon.sender,
                Piece::Field(tags::TARGET_COMP_ID) => logon.target,
                Piece::Field(tags::MSG_SEQ_NUM) => seq.as_bytes(),
                Piece::Field(tags::SENDING_TIME) => logon.sending_time,
                Piece::Field(tags::BEGIN_STRING) => logon.begin_string,
                Piece::Field(tags::HEART_BT_INT) => heartbeat.as_bytes(),
                Piece::Field(tag) => {
                    let field = self.plan.fields.iter().find(|field| field.tag == tag);
                    field.and_then(|field| self.known(&field.value)).unwrap_or_default()
                }
            })
        });
        self.signature = signature.map(|text| Secret::new(text.as_bytes()));
        let signature = self.signature.as_ref().map(Secret::reveal);
        for LogonField { tag, value } in &self.plan.fields {
            match self.known(value).or(signature) {
                Some(value) if *tag == tags::RAW_DATA => {
                    encoder.u64(tags::RAW_DATA_LENGTH, value.len() as u64);
                    encoder.bytes(*tag, value);
                }
                Some(value) => encoder.bytes(*tag, value),
                None => encoder.fail(EncodeError::Value(*tag)),
            }
        }
    }

    fn blanked(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        redact_values(bytes, self.hidden.iter().chain(&self.signature).map(Secret::reveal))
    }
}

#[cfg(test)]
#[path = "logon_tests.rs"]
mod tests;
