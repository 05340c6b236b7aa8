//! A second reading of FIX.4.4 Volume 1, "FIX Message Format and Delivery": slow, plain, and without
//! a line in common with the parser it judges. Of the crate it uses only the lists of tags.

use crate::fix::tags::{data_field_of, is_header};

/// Length of the message that `bytes` begin with, if a whole and right one of at most `max` bytes
/// stands there.
pub(super) fn frame(bytes: &[u8], max: usize) -> Option<usize> {
    let mut parts = bytes.splitn(3, |&byte| byte == 1);
    let (begin, length, rest) = (parts.next()?, parts.next()?, parts.next()?);
    if !begin.starts_with(b"8=FIX") || begin.len() > 16 {
        return None;
    }
    let digits = std::str::from_utf8(length.strip_prefix(b"9=")?).ok()?;
    if digits.is_empty() || digits.len() > 16 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let body: usize = digits.parse().ok()?;
    // `35=`, one character and SOH is the shortest body.
    if body < 5 || body > rest.len() || !rest.starts_with(b"35=") || rest[body - 1] != 1 {
        return None;
    }
    let head = begin.len() + 1 + length.len() + 1 + body;
    let trailer = rest.get(body..body + 7)?;
    let sum: u64 = bytes[..head].iter().map(|&byte| u64::from(byte)).sum();
    let right = trailer == format!("10={:03}\x01", sum % 256).as_bytes();
    (right && head + 7 <= max).then_some(head + 7)
}

/// The fields of a whole message in order, or `None` if it is not well formed: a tag that is none,
/// an empty value, a field of the header behind the body, a length that is not that of the data
/// behind it, more than `most` fields.
pub(super) fn fields(message: &[u8], most: usize) -> Option<Vec<(u32, Vec<u8>)>> {
    let mut fields: Vec<(u32, Vec<u8>)> = Vec::new();
    let mut rest = message;
    let mut body = false;
    while !rest.is_empty() {
        let equals = rest.iter().position(|&byte| byte == b'=')?;
        let text = std::str::from_utf8(&rest[..equals]).ok()?;
        if text.starts_with('0') || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let tag = u32::try_from(text.parse::<i32>().ok()?).ok()?;
        rest = &rest[equals + 1..];
        let told = fields.last().and_then(|(last, value)| Some((data_field_of(*last)?, value)));
        let length = match told {
            None => rest.iter().position(|&byte| byte == 1)?,
            Some((data, _)) if data != tag => return None,
            Some((_, value)) => std::str::from_utf8(value).ok()?.parse().ok()?,
        };
        if length == 0 || rest.get(length) != Some(&1) {
            return None;
        }
        // A length that announces nothing readable is wrong even if nothing follows.
        let value = &rest[..length];
        if data_field_of(tag).is_some() && !value.iter().all(u8::is_ascii_digit) {
            return None;
        }
        body |= !is_header(tag);
        if body && is_header(tag) {
            return None;
        }
        fields.push((tag, value.to_vec()));
        if fields.len() > most {
            return None;
        }
        rest = &rest[length + 1..];
    }
    Some(fields)
}

/// Fields with their values.
type Fields<'a> = Vec<(u32, &'a [u8])>;

/// The instances of the group that `count` counts, each of which begins with `first`, or `None` if
/// there is no such group or it is wrong.
pub(super) fn group<'a>(
    fields: &[(u32, &'a [u8])],
    count: u32,
    first: u32,
) -> Option<Vec<Fields<'a>>> {
    let mut told = None;
    let mut instances: Vec<Fields<'a>> = Vec::new();
    for (tag, value) in fields {
        match told {
            _ if told.is_some() && [10, 89, 93].contains(tag) => break,
            None if *tag == first => return None,
            None if *tag == count => told = Some(std::str::from_utf8(value).ok()?),
            None => {}
            Some(_) if *tag == count => return None,
            Some(_) if *tag == first => instances.push(vec![(*tag, *value)]),
            Some(text) => match instances.last_mut() {
                Some(last) => last.push((*tag, *value)),
                // Behind a count of none, any field may follow.
                None if text.bytes().all(|digit| digit == b'0') => {}
                None => return None,
            },
        }
    }
    let told = told?;
    let digits = told.trim_start_matches('0');
    let right =
        digits == instances.len().to_string() || (digits.is_empty() && instances.is_empty());
    (right && !told.is_empty()).then_some(instances)
}
