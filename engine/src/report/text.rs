//! Text for people: grouped digits, words, wrapped lines.

use std::fmt::Debug;

/// Widest line of a report.
pub(super) const WIDTH: usize = 100;

/// `1234567` as `1,234,567`; also takes a sign and decimals.
///
/// ```
/// assert_eq!(engine::report::grouped("-1234.50"), "-1,234.50");
/// ```
#[must_use]
pub fn grouped(number: impl ToString) -> String {
    let text = number.to_string();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    let (whole, fraction) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    let mut out = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

/// The name of a variant in words: `WouldTrade` as `would trade`.
///
/// ```
/// assert_eq!(engine::report::words(market::RejectReason::WouldTrade), "would trade");
/// ```
#[must_use]
pub fn words(variant: impl Debug) -> String {
    let mut out = String::new();
    for letter in format!("{variant:?}").chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// Lines of at most `width` characters, broken at spaces; a longer word stands alone.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(last) = lines.last_mut() else { break };
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
