//! The venue's end of a connection: plain, or TLS with a certificate made for the test.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

/// A connection that never waits for long.
pub(crate) struct Link {
    stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
}

impl Link {
    pub(crate) fn new(stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> Link {
        stream.set_nonblocking(true).unwrap();
        stream.set_nodelay(true).unwrap();
        let tls = tls.map(|config| Box::new(ServerConnection::new(config).unwrap()));
        Link { stream, tls }
    }

    /// Takes what came; an error is the end.
    pub(crate) fn receive(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        let mut bytes = [0; 16 * 1024];
        let Some(tls) = &mut self.tls else {
            return match self.stream.read(&mut bytes) {
                Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    into.extend_from_slice(&bytes[..count]);
                    Ok(())
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
                Err(error) => Err(error),
            };
        };
        match tls.read_tls(&mut self.stream) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let processed = tls.process_new_packets();
        self.flush()?;
        processed.map_err(io::Error::other)?;
        loop {
            match self.tls.as_mut().map_or(Ok(0), |tls| tls.reader().read(&mut bytes)) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => into.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            // The kernel's buffer holds all that a test sends.
            None => self.stream.write_all(bytes),
            Some(tls) => {
                tls.writer().write_all(bytes)?;
                self.flush()
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            match tls.write_tls(&mut self.stream) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(crate) fn close(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        let _ = self.flush();
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

/// A server's configuration for `host`, and its authority's certificate in a file.
pub(crate) fn server(host: &str, trust: &Path) -> Arc<ServerConfig> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([host.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    std::fs::write(trust, authority.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        );
    Arc::new(config.unwrap())
}
