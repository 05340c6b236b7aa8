//! Values of the file as types that cannot be wrong: each type reads itself, says what may stand
//! there, and writes itself back.
//!
//! Numbers are taken from the text of the file through `rust_decimal`, exactly; they must never
//! pass through a float. What needs a second key or the machine is judged elsewhere.

use super::key::{Key, unit_of};
use super::reader::Value;
use market::{Nanos, Price, Rate};
use rust_decimal::Decimal;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;
use toml::de::DeValue;

/// Why a value is refused; completes "`key` …".
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) title: String,
    pub(crate) help: Option<String>,
    /// Where inside the value, when not all of it.
    pub(crate) span: Option<Range<usize>>,
}

impl Wrong {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Wrong { title: title.into(), help: None, span: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The type of a key's value.
pub(crate) trait Field: Sized {
    /// True when the key may be absent without a default.
    const OPTIONAL: bool = false;
    /// What may stand there, in words.
    fn expects(key: &Key) -> String;
    /// Reads the value, within the key's range.
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong>;
    /// The value of an absent optional key.
    fn absent() -> Option<Self> {
        None
    }
    /// Canonical TOML text for the key `name`; `None` leaves the key out.
    fn write(&self, name: &str) -> Option<String>;
}

/// `text` as a TOML string.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The string of a value.
pub(crate) fn text<'a>(value: &'a Value<'_>) -> Result<&'a str, Wrong> {
    value.get_ref().as_str().ok_or_else(|| {
        Wrong::new(format!("must be a string, not {}", article(value.get_ref().type_str())))
    })
}

pub(crate) fn article(noun: &str) -> String {
    let an = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if an { "an" } else { "a" })
}

/// The exact number that stands in the file, within the key's range. `strings` also allows it
/// quoted, as people write prices.
fn number(value: &Value<'_>, key: &Key, strings: bool) -> Result<Decimal, Wrong> {
    let refused = |kind: &str| Err(Wrong::new(format!("must be a number, not {}", article(kind))));
    let number = match value.get_ref() {
        DeValue::Integer(integer) => {
            let wide = i128::from_str_radix(integer.as_str(), integer.radix());
            wide.ok().and_then(|wide| Decimal::try_from_i128_with_scale(wide, 0).ok())
        }
        DeValue::Float(float) => exact(float.as_str())?,
        DeValue::String(text) if strings => exact(text)?,
        DeValue::String(text) if text.starts_with(|c: char| c.is_ascii_digit()) => {
            let help = "write the number alone, without quotes: its unit is in the key's name";
            return Err(Wrong::new("must be a number, not a string").help(help));
        }
        other => return refused(other.type_str()),
    };
    let out_of_range = || Wrong::new("is out of range");
    let number = number.ok_or_else(out_of_range)?;
    let bound = |text: String| Decimal::from_str(&text).ok();
    if let Some((min, max)) = key.bounds() {
        let inside = bound(min).is_none_or(|min| min <= number)
            && bound(max).is_none_or(|max| number <= max);
        if !inside {
            return Err(out_of_range());
        }
    }
    Ok(number)
}

/// A plain decimal text, exactly; `None` when it is beyond any number this program handles.
fn exact(text: &str) -> Result<Option<Decimal>, Wrong> {
    let unsigned = text.trim_start_matches(['+', '-']);
    if matches!(unsigned, "inf" | "nan") {
        return Err(Wrong::new("is not finite"));
    }
    if text.contains(['e', 'E']) {
        return Err(Wrong::new("must be a plain decimal number, without an exponent"));
    }
    let plain = !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !plain {
        return Err(Wrong::new("must be a decimal number such as 0.01"));
    }
    match Decimal::from_str_exact(text) {
        Ok(number) => Ok(Some(number)),
        Err(rust_decimal::Error::Underflow) => Err(Wrong::new("has too many digits")),
        Err(_) => Ok(None),
    }
}

/// A number without fraction.
fn whole(value: &Value<'_>, key: &Key) -> Result<Decimal, Wrong> {
    let number = number(value, key, false)?;
    if matches!(value.get_ref(), DeValue::Float(_)) {
        return Err(Wrong::new("must be a whole number"));
    }
    Ok(number)
}

/// "a whole number of microseconds, 0 to 1000000".
fn numeric(noun: &str, key: &Key) -> String {
    let unit = unit_of(key.name).map(|unit| format!(" of {}", unit.words)).unwrap_or_default();
    let range = key.bounds().map(|(min, max)| format!(", {min} to {max}"));
    format!("{noun}{unit}{}", range.unwrap_or_default())
}

macro_rules! whole_numbers {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn expects(key: &Key) -> String {
                numeric("a whole number", key)
            }
            fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
                <$type>::try_from(whole(value, key)?).map_err(|_| Wrong::new("is out of range"))
            }
            fn write(&self, _: &str) -> Option<String> {
                Some(self.to_string())
            }
        }
    )+};
}
whole_numbers!(u16, u32, u64, usize);

impl Field for bool {
    fn expects(_: &Key) -> String {
        "true or false".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let kind = value.get_ref().type_str();
        let wrong = || Wrong::new(format!("must be true or false, not {}", article(kind)));
        value.get_ref().as_bool().ok_or_else(wrong)
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(self.to_string())
    }
}

impl Field for Decimal {
    fn expects(key: &Key) -> String {
        numeric("a decimal number", key)
    }
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
        number(value, key, true)
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.normalize().to_string()))
    }
}

impl Field for Price {
    fn expects(key: &Key) -> String {
        numeric("a price with at most 9 fractional digits", key)
    }
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
        Price::from_decimal(number(value, key, true)?).map_err(does_not_fit)
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.to_decimal().to_string()))
    }
}

fn does_not_fit(error: market::NumberError) -> Wrong {
    Wrong::new(format!("does not fit: {error}"))
}

/// One basis point in units of [`Rate`] is 10^5.
const BPS_DIGITS: u32 = 5;

impl Field for Rate {
    fn expects(key: &Key) -> String {
        numeric("a decimal number", key)
    }
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
        let number = number(value, key, true)?;
        market::number::decimal_to_scaled(number, BPS_DIGITS).map(Rate).map_err(does_not_fit)
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&market::number::scaled_to_decimal(self.0, BPS_DIGITS).to_string()))
    }
}

impl Field for Nanos {
    fn expects(key: &Key) -> String {
        numeric("a number", key)
    }
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
        let number = number(value, key, false)?;
        let nanos = unit_of(key.name).and_then(|unit| unit.nanos).unwrap_or(1);
        let nanos = number.checked_mul(Decimal::from(nanos)).map(|nanos| nanos.normalize());
        match nanos {
            Some(nanos) if nanos.scale() > 0 => Err(Wrong::new("is finer than a nanosecond")),
            Some(nanos) => {
                let nanos = u64::try_from(nanos).map_err(|_| Wrong::new("is out of range"))?;
                Ok(Nanos::new(nanos))
            }
            None => Err(Wrong::new("is out of range")),
        }
    }
    fn write(&self, name: &str) -> Option<String> {
        let nanos = unit_of(name).and_then(|unit| unit.nanos).unwrap_or(1);
        let number = Decimal::from(self.get()) / Decimal::from(nanos);
        Some(number.normalize().to_string())
    }
}

impl Field for String {
    fn expects(key: &Key) -> String {
        let length = key.bounds().map(|(min, max)| format!("{min} to {max} "));
        let length = length.unwrap_or_default();
        format!("a text of {length}printable characters without space or `=`")
    }
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
        let text = text(value)?;
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'=') {
            return Err(Wrong::new("has a character that is not allowed"));
        }
        let bounds =
            key.bounds().and_then(|(min, max)| Some((min.parse().ok()?, max.parse().ok()?)));
        if bounds.is_some_and(|(min, max): (usize, usize)| !(min..=max).contains(&text.len())) {
            return Err(Wrong::new("has the wrong length"));
        }
        Ok(text.to_owned())
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(self))
    }
}

impl Field for PathBuf {
    fn expects(_: &Key) -> String {
        "a path".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        let text = text(value)?;
        match text.is_empty() || text.contains('\0') {
            true => Err(Wrong::new("is not a path")),
            false => Ok(PathBuf::from(text)),
        }
    }
    fn write(&self, _: &str) -> Option<String> {
        // Every path of a configuration came from a string.
        Some(quoted(&self.to_string_lossy()))
    }
}

macro_rules! addresses {
    ($($type:ty, $words:literal;)+) => {$(
        impl Field for $type {
            fn expects(key: &Key) -> String {
                let ports = key.bounds().map(|(min, max)| format!(", port {min} to {max}"));
                format!("{}{}", $words, ports.unwrap_or_default())
            }
            fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
                let wrong = || Wrong::new(concat!("is not ", $words));
                let address: $type = text(value)?.parse().map_err(|_| wrong())?;
                if !port_in_range(address.port(), key) {
                    return Err(Wrong::new("has a port out of range"));
                }
                Ok(address)
            }
            fn write(&self, _: &str) -> Option<String> {
                Some(quoted(&self.to_string()))
            }
        }
    )+};
}
addresses! {
    SocketAddr, "an address and a port, such as \"127.0.0.1:9880\"";
    SocketAddrV4, "an IPv4 address and a port, such as \"239.192.77.1:31001\"";
}

pub(crate) fn port_in_range(port: u16, key: &Key) -> bool {
    let bounds = key.bounds().and_then(|(min, max)| Some((min.parse().ok()?, max.parse().ok()?)));
    bounds.is_none_or(|(min, max): (u16, u16)| (min..=max).contains(&port))
}

impl Field for Ipv4Addr {
    fn expects(_: &Key) -> String {
        "the IPv4 address of a network interface, such as \"127.0.0.1\"".to_owned()
    }
    fn read(value: &Value<'_>, _: &Key) -> Result<Self, Wrong> {
        text(value)?.parse().map_err(|_| Wrong::new("is not an IPv4 address"))
    }
    fn write(&self, _: &str) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

impl<T: Field> Field for Option<T> {
    const OPTIONAL: bool = true;
    fn expects(key: &Key) -> String {
        T::expects(key)
    }
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
        T::read(value, key).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn write(&self, name: &str) -> Option<String> {
        self.as_ref().and_then(|value| value.write(name))
    }
}

impl<T: Field> Field for Vec<T> {
    fn expects(key: &Key) -> String {
        format!("a list; each entry {}", T::expects(key))
    }
    fn read(value: &Value<'_>, key: &Key) -> Result<Self, Wrong> {
        let list = value.get_ref().as_array();
        let kind = value.get_ref().type_str();
        let wrong = || Wrong::new(format!("must be a list, not {}", article(kind)));
        let entry = |entry| {
            T::read(entry, key).map_err(|wrong| Wrong { span: Some(entry.span()), ..wrong })
        };
        list.ok_or_else(wrong)?.iter().map(entry).collect()
    }
    fn write(&self, name: &str) -> Option<String> {
        let entries: Vec<_> = self.iter().filter_map(|entry| entry.write(name)).collect();
        Some(format!("[{}]", entries.join(", ")))
    }
}
