//! The other side of TLS for tests: an authority of its own, certificates good and bad, and a server
//! over an ordinary blocking socket. It uses none of the code under test.

#![allow(dead_code)]

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion, version};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The name that good certificates bear; it needs no resolving.
pub(crate) const NAME: &str = "venue.test";

pub(crate) const ONLY_1_2: &[&SupportedProtocolVersion] = &[&version::TLS12];
pub(crate) const ONLY_1_3: &[&SupportedProtocolVersion] = &[&version::TLS13];

/// Who signs.
pub(crate) struct Authority {
    /// Its certificate, as a file would hold it.
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A server's certificate and key.
pub(crate) struct Identity {
    /// Both as files would hold them.
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        // Each has a name of its own, as in the world.
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, format!("authority {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for [`NAME`], good today.
    pub(crate) fn identity(&self) -> Identity {
        self.issue(&[NAME], |_| ())
    }

    /// A certificate for these names, changed before it is signed.
    pub(crate) fn issue(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let (params, key) = asked(names, change);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }
}

/// A certificate that vouches for itself.
pub(crate) fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let (params, key) = asked(&[NAME], change);
    let certificate = params.self_signed(&key).unwrap();
    Identity { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() }
}

fn asked(
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> (CertificateParams, KeyPair) {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    change(&mut params);
    (params, KeyPair::generate().unwrap())
}

impl Identity {
    /// The certificate in DER.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate_pem.as_bytes()).unwrap()
    }

    /// A server that shows it, in these versions.
    pub(crate) fn server(&self, versions: &[&'static SupportedProtocolVersion]) -> Server {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivatePkcs8KeyDer::from_pem_slice(self.key_pem.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate()], PrivateKeyDer::Pkcs8(key))
            .unwrap();
        Server(Arc::new(config))
    }
}

/// How connections are taken.
#[derive(Clone)]
pub(crate) struct Server(pub(crate) Arc<ServerConfig>);

impl Server {
    /// Shakes hands; every later call waits for twenty seconds at most.
    pub(crate) fn accept(&self, socket: TcpStream) -> io::Result<Peer> {
        let limit = Some(Duration::from_secs(20));
        socket.set_read_timeout(limit)?;
        socket.set_write_timeout(limit)?;
        socket.set_nodelay(true)?;
        let mut peer = Peer { tls: ServerConnection::new(self.0.clone()).unwrap(), socket };
        while peer.tls.is_handshaking() {
            peer.tls.complete_io(&mut peer.socket)?;
        }
        // Session tickets go right behind.
        while peer.tls.wants_write() {
            peer.tls.write_tls(&mut peer.socket)?;
        }
        Ok(peer)
    }
}

/// The server's end of a connection.
pub(crate) struct Peer {
    pub(crate) tls: ServerConnection,
    pub(crate) socket: TcpStream,
}

impl Peer {
    /// `bytes` as records, not sent.
    pub(crate) fn records(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.tls.writer().write_all(bytes).unwrap();
        let mut records = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut records).unwrap();
        }
        records
    }

    /// The farewell, and no more.
    pub(crate) fn say_farewell(&mut self) {
        self.tls.send_close_notify();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket).unwrap();
        }
    }
}

impl Read for Peer {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        rustls::Stream::new(&mut self.tls, &mut self.socket).read(buf)
    }
}

impl Write for Peer {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        rustls::Stream::new(&mut self.tls, &mut self.socket).write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        rustls::Stream::new(&mut self.tls, &mut self.socket).flush()
    }
}
