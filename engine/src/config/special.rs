//! Types of keys that are more than a number or a word: cores, speeds, days, times, end points.
//!
//! Each reads and writes its own text. None may ask the machine or the clock.

use super::choice::one_of;
use super::key::Key;
use super::reader::Value;
use super::value::{Field, Wrong, port_in_range, quoted, text};
use market::{Nanos, Timestamp};
use std::fmt;
use std::net::SocketAddr;
use toml::de::DeValue;

/// Where one stage runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// Where it fits the machine.
    Auto,
    /// On a thread of its own that is not pinned.
    None,
    /// On this CPU, with the other stages that name it.
    Cpu(usize),
}

/// More than any machine has.
const CPU_MAX: usize = 65_535;

impl Field for Core {
    fn expects(_: &Key) -> String {
        format!("a CPU number, 0 to {CPU_MAX}, \"auto\" or \"none\"")
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let DeValue::Integer(number) = value.get_ref() else {
            return Ok(match one_of(value, &["auto", "none"])? {
                0 => Core::Auto,
                _ => Core::None,
            });
        };
        let cpu = usize::from_str_radix(number.as_str(), number.radix());
        let cpu = cpu.ok().filter(|cpu| *cpu <= CPU_MAX);
        cpu.map(Core::Cpu).ok_or_else(|| Wrong::new("is no CPU number"))
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(match self {
            Core::Auto => quoted("auto"),
            Core::None => quoted("none"),
            Core::Cpu(cpu) => cpu.to_string(),
        })
    }
}

/// How fast a recording is replayed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// As fast as the engine takes it.
    Max,
    /// Times the recorded speed.
    Times(f64),
}

impl Speed {
    const TIMES: std::ops::RangeInclusive<f64> = 0.001..=1e6;
}

impl std::str::FromStr for Speed {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Speed::Max);
        }
        let times = text.parse().ok().filter(|times| Self::TIMES.contains(times));
        times.map(Speed::Times).ok_or_else(|| "give \"max\" or a number, 0.001 to 1000000".into())
    }
}

impl Field for Speed {
    fn expects(_: &Key) -> String {
        "\"max\", or a number, 0.001 to 1000000".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            DeValue::Float(float) => float.as_str(),
            _ => "",
        };
        text.parse().map_err(|_| Wrong::new("is no speed"))
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(match self {
            Speed::Max => quoted("max"),
            Speed::Times(times) => times.to_string(),
        })
    }
}

/// The UTC day whose midnight the feed's times count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionDay {
    /// The day the engine starts.
    Today,
    /// The day that begins here.
    Date(Timestamp),
}

impl SessionDay {
    /// The instant that times of day count from, for a program that starts at `now` on a feed whose
    /// midnight is at `midnight_utc`.
    #[must_use]
    pub fn base(self, midnight_utc: TimeOfDay, now: Timestamp) -> Timestamp {
        match self {
            SessionDay::Date(day) => day.after(midnight_utc.0),
            SessionDay::Today => {
                // Before the exchange's midnight its day is still yesterday.
                let begun = now.nanos().saturating_sub(midnight_utc.0.get());
                Timestamp::from_nanos(begun).midnight().after(midnight_utc.0)
            }
        }
    }
}

impl Field for SessionDay {
    fn expects(_: &Key) -> String {
        "\"today\" or a date such as \"2025-07-17\"".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let text = match value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            _ => text(value)?.to_owned(),
        };
        if text == "today" {
            return Ok(SessionDay::Today);
        }
        let wrong = || Wrong::new("is no day of the calendar from 1970 on");
        parse_date(&text).map(SessionDay::Date).ok_or_else(wrong)
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(match self {
            SessionDay::Today => quoted("today"),
            SessionDay::Date(day) => quoted(&day.to_string()[..10]),
        })
    }
}

/// Midnight of `YYYY-MM-DD` in UTC.
#[must_use]
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let digits = |from: usize, to: usize| -> Option<u32> {
        let part = text.get(from..to)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let shape = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let days = market::time::days_from_civil(year, month, day)?;
    // Nanoseconds since 1970 fit 64 bits until the year 2554.
    let nanos = days.checked_mul(Nanos::DAY.get())?;
    shape.then(|| Timestamp::from_nanos(nanos))
}

/// A time of day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay(pub Nanos);

impl TimeOfDay {
    /// Reads `HH:MM:SS`.
    #[must_use]
    pub fn parse(text: &str) -> Option<TimeOfDay> {
        let two = |at: usize, limit: u64| {
            let part = text.get(at..at + 2)?;
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|number: &u64| digits && *number < limit)
        };
        let shape = text.len() == 8 && text.get(2..3) == Some(":") && text.get(5..6) == Some(":");
        let (hours, minutes, seconds) = (two(0, 24)?, two(3, 60)?, two(6, 60)?);
        let secs = hours * 3600 + minutes * 60 + seconds;
        shape.then(|| TimeOfDay(Nanos::from_secs(secs)))
    }
}

impl Field for TimeOfDay {
    fn expects(_: &Key) -> String {
        "a time of day in UTC, \"HH:MM:SS\"".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let text = match value.get_ref() {
            DeValue::Datetime(time) => time.to_string(),
            _ => text(value)?.to_owned(),
        };
        TimeOfDay::parse(&text).ok_or_else(|| Wrong::new("is no time of day"))
    }
    fn write(&self, _: &str) -> Option<String> {
        let secs = self.0.get() / 1_000_000_000;
        Some(quoted(&format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)))
    }
}

/// A host name or address, with a port, that is resolved when connecting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl Endpoint {
    /// The address, when no name has to be resolved.
    #[must_use]
    pub fn to_socket_addr(&self) -> Option<SocketAddr> {
        let host = if self.host == "localhost" { "127.0.0.1" } else { &self.host };
        host.parse().ok().map(|host| SocketAddr::new(host, self.port))
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Endpoint { host: address.ip().to_string(), port: address.port() }
    }
}

impl Field for Endpoint {
    fn expects(key: &Key) -> String {
        let ports = key.bounds().map(|(min, max)| format!(", port {min} to {max}"));
        format!("a host and a port, such as \"127.0.0.1:9880\"{}", ports.unwrap_or_default())
    }
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
        let text = text(value)?;
        let wrong = || Wrong::new("is not a host and a port");
        let endpoint = match text.parse::<SocketAddr>() {
            Ok(address) => address.into(),
            Err(_) => {
                let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
                let part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
                // A name of digits and dots alone is an address with a slip in it.
                let name = host.chars().all(part) && host.chars().any(|c| c.is_ascii_alphabetic());
                if !name || host.len() > 253 {
                    return Err(wrong());
                }
                Endpoint { host: host.to_owned(), port: port.parse().map_err(|_| wrong())? }
            }
        };
        match port_in_range(endpoint.port, key) {
            true => Ok(endpoint),
            false => Err(Wrong::new("has a port out of range")),
        }
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

/// The address of the metrics endpoint, or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics(pub Option<SocketAddr>);

impl Field for Metrics {
    fn expects(_: &Key) -> String {
        "false, or a loopback address and port such as \"127.0.0.1:9464\"".to_owned()
    }
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
        if value.get_ref().as_bool() == Some(false) {
            return Ok(Metrics(None));
        }
        let address = SocketAddr::read(value, key)?;
        if !address.ip().is_loopback() {
            let help = "metrics have no password: bind to 127.0.0.1 and forward from there";
            return Err(Wrong::new("is not on loopback").help(help));
        }
        Ok(Metrics(Some(address)))
    }
    fn write(&self, name: &str) -> Option<String> {
        match &self.0 {
            Some(address) => address.write(name),
            None => Some("false".to_owned()),
        }
    }
}
