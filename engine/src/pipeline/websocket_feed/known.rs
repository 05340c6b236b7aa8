//! Who we are to the venue of a websocket feed: its credentials, and signatures by the gateway's
//! signer. No secret leaves here but in a message to the venue.

use crate::config::WebsocketFeedConfig;
use crate::pipeline::credentials;
use anyhow::Context as _;
use feeds::websocket::{Login, Which};
use gateway::dialect::secret::Secret;
use gateway::dialect::sign::{Join, Output, Piece, Scheme, SecretForm, Signature, Signer};
use gateway::fix::redact_values;
use std::collections::VecDeque;

/// Signatures that are remembered. There is one a second, and none holds for longer than half a
/// minute.
const SIGNATURES: usize = 32;

/// See the module.
pub(super) struct Known {
    key: Secret,
    passphrase: Secret,
    signer: Signer,
    /// What nobody may see wherever it stands.
    hidden: Vec<Secret>,
    /// The last signatures, which a venue may repeat.
    signatures: VecDeque<Secret>,
}

/// Who we are, where the channel of the book wants to know. Reads the credentials.
///
/// # Errors
/// The file of credentials, or what is in it, will not do.
pub(super) fn known(config: &WebsocketFeedConfig, which: Which) -> anyhow::Result<Option<Known>> {
    let channel = config.channels(which).book;
    if !which.wants_login(&channel) {
        return Ok(None);
    }
    let path = config.websocket.credentials.as_ref();
    let path = path.context("[websocket] credentials is missing")?;
    let held = credentials::read("websocket", path)?;
    let lacks = |name: &str| format!("{} holds no {name}, which {channel} wants", path.display());
    let (key, passphrase, secret) = (
        held.key.with_context(|| lacks("key"))?,
        held.passphrase.with_context(|| lacks("passphrase"))?,
        held.secret.with_context(|| lacks("secret"))?,
    );
    // As Coinbase Exchange signs, in REST too: one text, and a secret in base64.
    let signature = Signature {
        pieces: vec![Piece::Nonce],
        join: Join::None,
        scheme: Scheme::HmacSha256,
        secret_form: SecretForm::Base64,
        output: Output::Base64,
    };
    let signer = Signer::new(signature, &secret).context("[websocket] credentials")?;
    let hidden = [&passphrase, &Secret::new(secret.reveal().trim_ascii())];
    let hidden = hidden.into_iter().flat_map(written).collect();
    Ok(Some(Known { key, passphrase, signer, hidden, signatures: VecDeque::new() }))
}

/// Credentials come of a file that is text.
fn text(secret: &Secret) -> &str {
    std::str::from_utf8(secret.reveal()).unwrap_or_default()
}

/// A secret in the forms in which JSON may write it.
fn written(secret: &Secret) -> [Secret; 3] {
    let quoted = serde_json::Value::from(text(secret)).to_string();
    let quoted = Secret::new(quoted);
    let within = quoted.reveal().len() - 1;
    let slashed = Secret::new(text(secret).replace('/', r"\/"));
    [secret.clone(), Secret::new(&quoted.reveal()[1..within]), slashed]
}

impl Login for Known {
    fn key(&self) -> &str {
        text(&self.key)
    }

    fn passphrase(&self) -> &str {
        text(&self.passphrase)
    }

    fn sign(&mut self, signed: &[u8]) -> String {
        let signature = self.signer.sign(|_| signed);
        if self.signatures.front().is_none_or(|last| last.reveal() != signature.as_bytes()) {
            self.signatures.truncate(SIGNATURES - 1);
            self.signatures.push_front(Secret::new(signature.as_bytes()));
        }
        signature.as_str().to_owned()
    }

    fn blanked(&self, said: &str) -> String {
        let signatures: Vec<Secret> = self.signatures.iter().flat_map(written).collect();
        let hidden = self.hidden.iter().chain(&signatures).map(Secret::reveal);
        match redact_values(said.as_bytes(), hidden) {
            Some(blanked) => String::from_utf8_lossy(&blanked).into_owned(),
            None => said.to_owned(),
        }
    }
}
