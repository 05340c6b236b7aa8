//! TLS 1.2 and 1.3 for connections that we make, by rustls.
//!
//! The certificate and the name in it are always verified, and nothing here can switch that off. The
//! handshake blocks, with a deadline, on the thread that makes connections; what it leaves is a
//! [`Link`] for a polling thread. Sessions are never resumed, so that each verifies anew.
//!
//! Sources: RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 6125 (names), RFC 7469, section 2.4 (what is
//! pinned).

mod handshake;
mod records;

pub use handshake::{HandshakeError, Refusal};
pub(crate) use records::Records;

use crate::link::Link;
use crate::tcp::Stream;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, UnbufferedClientConnection, WebPkiServerVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme, version,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The lowest version of TLS that will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Minimum {
    /// TLS 1.2 or 1.3, whichever is the peer's highest.
    V1_2,
    /// TLS 1.3 alone.
    V1_3,
}

impl fmt::Display for Minimum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Minimum::V1_2 => "1.2",
            Minimum::V1_3 => "1.3",
        })
    }
}

/// SHA-256 of the SubjectPublicKeyInfo (DER) of a peer's own certificate: it stays when a
/// certificate is renewed for the same key. Of a certificate in a file it is
/// `openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin(pub [u8; 32]);

impl Pin {
    /// The pin of a certificate (DER).
    ///
    /// # Errors
    /// It is no certificate.
    pub fn of(certificate: &[u8]) -> Result<Pin, rustls::Error> {
        let certificate = CertificateDer::from(certificate);
        let key = ParsedCertificate::try_from(&certificate)?.subject_public_key_info();
        let digest = ring::digest::digest(&ring::digest::SHA256, &key);
        let mut pin = [0; 32];
        pin.copy_from_slice(digest.as_ref());
        Ok(Pin(pin))
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

/// What a peer must show.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    /// The lowest version that will do.
    pub minimum: Minimum,
    /// The name that its certificate must bear, a DNS name or an IP address. A DNS name is also told
    /// to the peer (SNI).
    pub server_name: &'a str,
    /// Root certificates (PEM) that alone are trusted; Mozilla's, as of this build, when `None`.
    pub trust: Option<&'a [u8]>,
    /// The one key that it may have, beside all else.
    pub pin: Option<Pin>,
}

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadSettings {
    /// It is no name that a certificate can bear.
    ServerName(String),
    /// The text of the root certificates holds none, or one that cannot be read: why.
    Trust(String),
    /// The library refuses: why.
    Library(String),
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadSettings::ServerName(name) => {
                write!(f, "`{name}` is neither a DNS name nor an IP address")
            }
            BadSettings::Trust(why) => write!(
                f,
                "no root certificate can be read ({why}): give a PEM file with \
                 `-----BEGIN CERTIFICATE-----`"
            ),
            BadSettings::Library(why) => write!(f, "TLS cannot be set up: {why}"),
        }
    }
}

impl std::error::Error for BadSettings {}

/// True if a certificate can bear this name.
#[must_use]
pub fn is_server_name(name: &str) -> bool {
    ServerName::try_from(name).is_ok()
}

/// Makes TLS of connections to one peer.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    minimum: Minimum,
}

impl Client {
    /// A client by these settings.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub fn new(settings: &Settings<'_>) -> Result<Client, BadSettings> {
        let name = ServerName::try_from(settings.server_name.to_owned())
            .map_err(|_| BadSettings::ServerName(settings.server_name.to_owned()))?;
        let library = |error: &dyn fmt::Display| BadSettings::Library(error.to_string());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions: &[_] = match settings.minimum {
            Minimum::V1_2 => &[&version::TLS12, &version::TLS13],
            Minimum::V1_3 => &[&version::TLS13],
        };
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .map_err(|error| library(&error))?;
        let roots = Arc::new(roots(settings.trust)?);
        let web = WebPkiServerVerifier::builder_with_provider(roots, provider)
            .build()
            .map_err(|error| library(&error))?;
        let verifier: Arc<dyn ServerCertVerifier> = match settings.pin {
            None => web,
            Some(pin) => Arc::new(Pinned { web, pin }),
        };
        // "Dangerous" is the door for verifiers of one's own: ours asks the library's first.
        let mut config =
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Client { config: Arc::new(config), name, minimum: settings.minimum })
    }

    /// Shakes hands over a connection; blocks for `timeout` at most.
    ///
    /// # Errors
    /// What went wrong and what to change.
    pub fn handshake(&self, stream: Stream, timeout: Duration) -> Result<Link, HandshakeError> {
        let connection = UnbufferedClientConnection::new(self.config.clone(), self.name.clone())
            .map_err(|error| HandshakeError::refused(self, error))?;
        let mut records = Records::new(connection);
        handshake::run(self, &mut records, &stream, timeout)?;
        Ok(Link::tls(stream, records))
    }
}

/// Who may vouch for a peer.
fn roots(pem: Option<&[u8]>) -> Result<RootCertStore, BadSettings> {
    let Some(pem) = pem else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| BadSettings::Trust(error.to_string()))?;
        roots.add(certificate).map_err(|error| BadSettings::Trust(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(BadSettings::Trust("it holds no certificate".to_owned())),
        false => Ok(roots),
    }
}

/// All that the library verifies, and then one key alone.
#[derive(Debug)]
struct Pinned {
    web: Arc<WebPkiServerVerifier>,
    pin: Pin,
}

/// The certificate is good, and not the one that was pinned.
#[derive(Clone, Copy, Debug)]
struct OtherKey {
    found: Pin,
}

impl fmt::Display for OtherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its key has the pin {}", self.found)
    }
}

impl std::error::Error for OtherKey {}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.web.verify_server_cert(certificate, intermediates, name, ocsp, now)?;
        let found = Pin::of(certificate)?;
        match found == self.pin {
            true => Ok(verified),
            false => Err(CertificateError::Other(OtherError(Arc::new(OtherKey { found }))).into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.web.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.web.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.web.supported_verify_schemes()
    }
}
