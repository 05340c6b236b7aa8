//! Depth frames as the venue writes them, from digits to integers in one pass, without allocation.
//!
//! Reads the shape that the venue sends: no white space, the levels last, bids before asks. Any other
//! shape gives `None` and is for [`super::frame`], so that nothing depends on it; what is read here is
//! what is read there.

use super::join::Span;
use crate::digits::{run, scaled};
use market::{Price, Qty, Side};

/// What stands before the levels of a depth frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// `s`.
    pub symbol: &'a str,
    /// `E`: when the frame was made, in the venue's unit.
    pub event: u64,
    /// `T`: when the matching engine made the updates; futures only.
    pub transaction: Option<u64>,
    /// `U`, `u` and `pu`.
    pub span: Span,
    /// True if it has a `ps`, as frames of COIN-M have.
    pub pair: bool,
    /// From the bids on.
    levels: &'a [u8],
    /// What closes the frame.
    end: &'static [u8],
}

/// The head of a depth frame, within the wrapping of combined streams or bare. `None` if it is no such
/// frame, or not of the shape that is read here.
#[inline]
#[must_use]
pub fn head(json: &[u8]) -> Option<Head<'_>> {
    let (mut rest, end) = match json.strip_prefix(b"{\"stream\":\"") {
        Some(rest) => (unwrapped(rest)?, b"]}}".as_slice()),
        None => (json, b"]}".as_slice()),
    };
    rest = rest.strip_prefix(b"{\"e\":\"depthUpdate\"")?;
    let (mut symbol, mut pair) = (None, false);
    let [mut event, mut transaction, mut first, mut last, mut previous] = [None; 5];
    loop {
        let (key, behind) = rest.strip_prefix(b",\"")?.split_first_chunk::<2>()?;
        let place = match key {
            b"E\"" => &mut event,
            b"T\"" => &mut transaction,
            b"U\"" => &mut first,
            b"u\"" => &mut last,
            b"pu" => &mut previous,
            b"s\"" if symbol.is_none() => {
                let (text, behind) = word(behind.strip_prefix(b":\"")?)?;
                (symbol, rest) = (Some(text), behind);
                continue;
            }
            b"ps" if !pair => {
                (_, rest) = word(behind.strip_prefix(b"\":\"")?)?;
                pair = true;
                continue;
            }
            b"b\"" => {
                rest = behind.strip_prefix(b":[")?;
                break;
            }
            _ => return None,
        };
        let behind = if key == b"pu" { behind.strip_prefix(b"\"")? } else { behind };
        rest = integer(behind.strip_prefix(b":")?, place)?;
    }
    let span = Span { first: first?, last: last?, previous };
    Some(Head { symbol: symbol?, event: event?, transaction, span, pair, levels: rest, end })
}

impl Head<'_> {
    /// Gives every level, bids first. `None` if they are not of the shape that is read here, or a
    /// number does not fit: then what was given before counts for nothing.
    #[inline]
    #[must_use]
    pub fn levels(&self, qty_digits: u32, mut level: impl FnMut(Side, Price, Qty)) -> Option<()> {
        let rest = side(self.levels, qty_digits, |price, qty| level(Side::Buy, price, qty))?;
        let rest = rest.strip_prefix(b"],\"a\":[")?;
        let rest = side(rest, qty_digits, |price, qty| level(Side::Sell, price, qty))?;
        (rest == self.end).then_some(())
    }
}

/// What the wrapping of a diff depth stream holds.
#[inline]
fn unwrapped(rest: &[u8]) -> Option<&[u8]> {
    let at = rest.iter().position(|&byte| byte == b'@')?;
    if !rest[..at].iter().all(|&byte| is_plain(byte)) {
        return None;
    }
    let rest = rest[at..].strip_prefix(b"@depth")?;
    // A speed may follow; a number of levels would make it another stream.
    let rest = match rest.strip_prefix(b"@") {
        Some(speed) => word(speed)?.1,
        None => rest.strip_prefix(b"\"")?,
    };
    rest.strip_prefix(b",\"data\":")
}

/// Every level of one side, whose `[` is behind: gives what follows the last one.
#[inline]
fn side(mut rest: &[u8], qty_digits: u32, mut level: impl FnMut(Price, Qty)) -> Option<&[u8]> {
    if rest.first() == Some(&b']') {
        return Some(rest);
    }
    loop {
        rest = rest.strip_prefix(b"[\"")?;
        let (price, length) = scaled(rest, Price::DIGITS)?;
        rest = rest[length..].strip_prefix(b"\",\"")?;
        let (qty, length) = scaled(rest, qty_digits)?;
        rest = rest[length..].strip_prefix(b"\"]")?;
        if price == 0 {
            return None;
        }
        level(Price::from_raw(price), Qty::from_raw(qty));
        match rest.first() {
            Some(b',') => rest = &rest[1..],
            _ => return Some(rest),
        }
    }
}

/// A number of JSON that is whole, in a place that is empty yet; gives what follows.
#[inline]
fn integer<'a>(text: &'a [u8], place: &mut Option<u64>) -> Option<&'a [u8]> {
    let (value, length) = run(text)?;
    let leading = text[0] == b'0' && length > 1;
    (!leading && place.replace(value).is_none()).then(|| &text[length..])
}

/// A string that needs no reading, and what follows its closing quote.
#[inline]
fn word(text: &[u8]) -> Option<(&str, &[u8])> {
    let end = text.iter().position(|&byte| !is_plain(byte))?;
    let (word, rest) = text.split_at(end);
    Some((std::str::from_utf8(word).ok()?, rest.strip_prefix(b"\"")?))
}

/// A character that stands for itself in a string of JSON.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}
