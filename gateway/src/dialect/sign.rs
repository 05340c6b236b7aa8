//! Signatures of a Logon as an expression: which fields, how joined, hashed with which key, written
//! how.
//!
//! It signs the bytes that are sent. It must never keep a key in a form that is not wiped, and
//! never say a key or a signature in an error.

use super::secret::Secret;
use crate::fix::SOH;
use data_encoding::{BASE64, BASE64_MIME_PERMISSIVE, HEXLOWER};
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, HMAC_SHA512, Key, sign};
use ring::signature::Ed25519KeyPair;
use zeroize::Zeroizing;

/// A piece of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The value of a field, as it is sent.
    Field(u32),
    /// The nonce.
    Nonce,
}

/// What stands between the pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Nothing.
    None,
    /// SOH.
    Soh,
    /// Every field is written whole, `tag=value` and SOH; the nonce stands bare.
    Fields,
}

/// What is done to the joined pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HMAC-SHA256 (RFC 2104, FIPS 180-4).
    HmacSha256,
    /// HMAC-SHA512 of the SHA-256 digest.
    HmacSha512OfSha256,
    /// SHA-256 of the pieces and the secret behind them.
    Sha256WithSecret,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

/// The form in which a venue gives a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// Its characters are the key.
    Text,
    /// Base64 of the key (RFC 4648 §4).
    Base64,
    /// A PEM block of a PKCS#8 private key (RFC 7468, RFC 5958).
    Pem,
}

/// The form in which the venue wants a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Base64 with padding.
    Base64,
    /// Hexadecimal, lower case.
    Hex,
}

/// A signature as a profile describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// What is signed, in order.
    pub pieces: Vec<Piece>,
    /// How the pieces are joined.
    pub join: Join,
    /// What is done to them.
    pub scheme: Scheme,
    /// Form of the secret.
    pub secret_form: SecretForm,
    /// Form of the signature.
    pub output: Output,
}

/// Why a secret signs nothing. It never holds any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not base64.
    #[error("the secret is not base64: copy it again, whole")]
    Base64,
    /// No PEM block of a private key.
    #[error("the secret is no PEM block \"PRIVATE KEY\": copy it with its BEGIN and END lines")]
    Pem,
    /// A key of another kind.
    #[error("the secret is no Ed25519 key in PKCS#8")]
    Ed25519,
}

/// A key that is ready to sign.
enum Ready {
    Hmac(Box<Key>),
    Bytes(Zeroizing<Vec<u8>>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// Signs Logons.
pub struct Signer {
    signature: Signature,
    key: Ready,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("signature", &self.signature).finish_non_exhaustive()
    }
}

impl Signer {
    /// A signer with a secret of the form that the signature says.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(signature: Signature, secret: &Secret) -> Result<Signer, KeyError> {
        let bytes = match signature.secret_form {
            SecretForm::Text => Zeroizing::new(secret.reveal().to_vec()),
            SecretForm::Base64 => base64(secret.reveal().trim_ascii()).ok_or(KeyError::Base64)?,
            SecretForm::Pem => pem(secret.reveal()).ok_or(KeyError::Pem)?,
        };
        let key = match signature.scheme {
            Scheme::HmacSha256 => Ready::Hmac(Box::new(Key::new(HMAC_SHA256, &bytes))),
            Scheme::HmacSha512OfSha256 => Ready::Hmac(Box::new(Key::new(HMAC_SHA512, &bytes))),
            Scheme::Sha256WithSecret => Ready::Bytes(bytes),
            Scheme::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes);
                Ready::Ed25519(Box::new(pair.map_err(|_| KeyError::Ed25519)?))
            }
        };
        Ok(Signer { signature, key })
    }

    /// The signature of a Logon whose fields have these values.
    pub fn sign<'v>(&self, value: impl Fn(Piece) -> &'v [u8]) -> Zeroizing<String> {
        let mut text = Zeroizing::new(Vec::with_capacity(256));
        for (at, &piece) in self.signature.pieces.iter().enumerate() {
            match (self.signature.join, piece) {
                (Join::Soh, _) if at > 0 => text.push(SOH),
                (Join::Fields, Piece::Field(tag)) => {
                    text.extend_from_slice(format!("{tag}=").as_bytes());
                }
                _ => {}
            }
            text.extend_from_slice(value(piece));
            if let (Join::Fields, Piece::Field(_)) = (self.signature.join, piece) {
                text.push(SOH);
            }
        }
        match &self.key {
            Ready::Hmac(key) if self.signature.scheme == Scheme::HmacSha512OfSha256 => {
                self.write(sign(key, digest(&SHA256, &text).as_ref()).as_ref())
            }
            Ready::Hmac(key) => self.write(sign(key, &text).as_ref()),
            Ready::Bytes(secret) => {
                text.extend_from_slice(secret);
                self.write(digest(&SHA256, &text).as_ref())
            }
            Ready::Ed25519(pair) => self.write(pair.sign(&text).as_ref()),
        }
    }

    fn write(&self, signature: &[u8]) -> Zeroizing<String> {
        Zeroizing::new(match self.signature.output {
            Output::Base64 => BASE64.encode(signature),
            Output::Hex => HEXLOWER.encode(signature),
        })
    }
}

fn base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = BASE64_MIME_PERMISSIVE.decode(text).ok().map(Zeroizing::new);
    bytes.filter(|bytes| !bytes.is_empty())
}

/// The bytes of the one PEM block of a private key.
fn pem(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, rest) = text.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    base64(body.trim().as_bytes())
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
