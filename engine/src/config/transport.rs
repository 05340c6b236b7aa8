//! How the connection to a venue is made: TLS, addresses, and the pace of attempts.
//!
//! The section stands by itself, so that whatever describes a venue may carry it. It opens no file.

use super::choice::Tls;
use super::document::Document;
use super::key::{Key, section};
use super::problem::{Problem, Problems};
use super::reader::Value;
use super::special::Endpoint;
use super::value::{Field, Wrong, quoted, text};
use market::Nanos;
use std::net::IpAddr;
use std::path::PathBuf;
use wire::tls::{Minimum, Pin, is_server_name};

section! {
    /// The connection to the venue. Small messages always leave at once (TCP_NODELAY).
    pub struct TransportConfig = "transport" {
        /// Lowest version of TLS that will do; `off` is TCP alone.
        /// Certificate and host name are always verified.
        #[danger = "with `off`, orders and passwords travel readable and anyone can play the venue"]
        tls: Tls = "off";
        /// Name that the venue's certificate must bear, told to the venue as SNI.
        /// The host of the venue's address when absent.
        server_name: Option<String> => "fix.venue.example", [1, 253];
        /// PEM file of the root certificates that alone are trusted.
        /// Mozilla's, as of this build, when absent.
        trust: Option<PathBuf> => "venue-roots.pem";
        /// Pin: SHA-256 of the public key (SubjectPublicKeyInfo) that the certificate must have.
        /// It is asked for beside all else that is verified.
        #[danger = "when the venue changes its key, nothing connects until the pin is changed"]
        pin_sha256: Option<Pin> =>
            "88fbf42daa9b81fe28d9b0a0e5cd37bf2ac41a5b8ea0b0ac8a4c1b4a1d9a3ca7";
        /// Address of this host to connect from, where the venue knows us by it.
        source_address: Option<IpAddr> => "192.0.2.10";
        /// How long a receive that finds nothing polls the network card itself (SO_BUSY_POLL).
        /// 0 leaves it to interrupts.
        #[danger = "it keeps the CPU in the kernel: only for a core that polls nothing else"]
        busy_poll_us: u32 = 0, [0, 1_000];
        /// Take the kernel's receive times of FIX sessions, for the hop `gateway-recv`.
        /// Market data by FIX fills `recv` with them. Each look at a socket costs a little more.
        kernel_stamps: bool = false;
        /// Wait for TCP to connect, and again for the TLS handshake.
        connect_timeout_ms: Nanos = 5_000, [10, 120_000];
        /// Wait before the second attempt to connect; each that fails doubles it.
        /// Every wait is up to 20 % longer or shorter, by chance.
        reconnect_ms: Nanos = 500, [1, 600_000];
        /// Longest wait between two attempts.
        reconnect_max_ms: Nanos = 30_000, [1, 3_600_000];
        /// Connections that the venue allows in `logons_window_s`; no limit when absent.
        #[danger = "venues lock out who connects more often"]
        logons: Option<u32> => 15, [1, 10_000];
        /// The venue's window of `logons`.
        logons_window_s: Nanos = 30, [0.001, 604_800];
    }
}

impl TransportConfig {
    /// The lowest version of TLS, or `None` for TCP alone.
    #[must_use]
    pub fn minimum(&self) -> Option<Minimum> {
        match self.tls {
            Tls::Off => None,
            Tls::V1_2 => Some(Minimum::V1_2),
            Tls::V1_3 => Some(Minimum::V1_3),
        }
    }

    /// The name that the certificate of the venue at `address` must bear.
    #[must_use]
    pub fn name<'a>(&'a self, address: &'a Endpoint) -> &'a str {
        self.server_name.as_deref().unwrap_or(&address.host)
    }

    /// In one line, what the connection to `address` is.
    #[must_use]
    pub fn describe(&self, address: &Endpoint) -> String {
        let from = self.source_address.map(|from| format!(" from {from}")).unwrap_or_default();
        let pin = self.pin_sha256.map(|pin| format!(", pin {pin}")).unwrap_or_default();
        match self.minimum() {
            None => format!("TCP{from}"),
            Some(least) => {
                format!("TLS {least} or newer with {}{from}{pin}", self.name(address))
            }
        }
    }

    /// In words, how often attempts to connect are made.
    #[must_use]
    pub fn describe_pace(&self) -> String {
        let limit = match self.logons {
            Some(count) => format!(", at most {count} in {}", self.logons_window_s),
            None => String::new(),
        };
        format!("reconnects after {} to {}{limit}", self.reconnect_ms, self.reconnect_max_ms)
    }

    /// In words, whether the kernel's receive times are taken.
    #[must_use]
    pub fn describe_stamps(&self) -> &'static str {
        if self.kernel_stamps { "kernel stamps on" } else { "kernel stamps off" }
    }

    /// What should make people think twice about a venue at `address`.
    #[must_use]
    pub fn warning(&self, address: &Endpoint) -> Option<String> {
        let here = address.to_socket_addr().is_some_and(|address| address.ip().is_loopback());
        (self.tls == Tls::Off && !here).then(|| {
            format!(
                "what goes to {address} is without TLS, readable and open to change: set \
                 [transport] tls, if the venue offers it"
            )
        })
    }
}

/// Refuses settings that contradict each other, and less than the venue's profile asks for: nothing of
/// the sessions at `addresses` must travel without TLS by an oversight, a key and a signature of a
/// drop copy no more than orders. What goes to loopback may, such as to a host under test.
pub(crate) fn check(
    document: &Document<'_>,
    (section, transport): (&str, &TransportConfig),
    profile: Option<&TransportConfig>,
    addresses: &[&Endpoint],
    problems: &mut Problems,
) {
    let given = [
        ("server_name", transport.server_name.is_some()),
        ("trust", transport.trust.is_some()),
        ("pin_sha256", transport.pin_sha256.is_some()),
    ];
    for (key, _) in given.iter().filter(|(_, given)| *given && transport.tls == Tls::Off) {
        let title = format!("[{section}] {key} is given, and tls is off");
        let problem = Problem::new(document.place(section, key), title, "of no effect");
        problems.push(problem.help("set `tls = \"1.3\"` (or \"1.2\"), or remove the key"));
    }
    let least = profile.map_or(Tls::Off, |profile| profile.tls);
    let far = addresses.iter().find(|address| {
        !address.to_socket_addr().is_some_and(|address| address.ip().is_loopback())
    });
    if let Some(far) = far.filter(|_| transport.tls < least) {
        let title = format!(
            "[{section}] tls is {}, and the venue's profile asks for {least}",
            transport.tls
        );
        let problem = Problem::new(document.place(section, "tls"), title, format!("for {far}"));
        problems.push(problem.help("remove the key: the profile's value is then taken"));
    }
    let mut names = addresses.iter().map(|address| transport.name(address));
    let name = names.find(|name| transport.tls != Tls::Off && !is_server_name(name));
    if let Some(name) = name {
        let key = if transport.server_name.is_some() { "server_name" } else { "tls" };
        let title = format!("[{section}] no certificate can bear the name {name}");
        let problem = Problem::new(document.place(section, key), title, "needs a name");
        problems.push(problem.help("give a `server_name` such as \"fix.venue.example\""));
    }
    if transport.reconnect_ms > transport.reconnect_max_ms {
        let title = format!("[{section}] reconnect_ms is longer than reconnect_max_ms");
        let label = format!("the first wait, {}", transport.reconnect_ms);
        let problem = Problem::new(document.place(section, "reconnect_ms"), title, label);
        problems.push(problem.help("waits grow from the one to the other"));
    }
}

/// Hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;

impl Field for Pin {
    fn expects(_: &Key) -> String {
        format!("a SHA-256 of {DIGITS} hexadecimal digits")
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let help = "openssl x509 -in CERTIFICATE -pubkey -noout | openssl pkey -pubin -outform der \
                    | openssl dgst -sha256";
        let text = text(value)?;
        let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len() == DIGITS);
        let digits = digits.ok_or_else(|| Wrong::new("is no SHA-256").help(help.to_owned()))?;
        let mut pin = [0; DIGITS / 2];
        for (byte, pair) in pin.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |byte, &digit| (byte << 4) | digit as u8);
        }
        Ok(Pin(pin))
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

impl Field for IpAddr {
    fn expects(_: &Key) -> String {
        "an IP address of this host, such as \"192.0.2.10\"".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        text(value)?.parse().map_err(|_| Wrong::new("is not an IP address"))
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}
