//! Whether a message says of itself what it is: BodyLength, CheckSum, and its first three fields.
//!
//! It judges bytes with SOH as separator, and changes none. A CheckSum over blanked secrets cannot
//! be judged.

use super::fields::fields;
use gateway::fix::{SECRET_VALUE_MIN, tags};

/// What stands in a message beside what should.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// BodyLength (9) as it should be, in bytes.
    pub(super) length: usize,
    /// CheckSum (10) as it should be.
    pub(super) sum: u8,
    /// What is wrong with either, and with the order of the first three fields.
    pub(super) length_wrong: bool,
    pub(super) sum_wrong: bool,
    pub(super) order_wrong: bool,
}

impl Verdict {
    /// Judges a message.
    pub(super) fn of(message: &[u8]) -> Verdict {
        let (mut body, mut trailer) = (0, message.len());
        let (mut told_length, mut told_sum, mut blanked) = (&b""[..], &b""[..], false);
        let mut first = [None; 3];
        for (place, field) in fields(message).enumerate() {
            if let Some(slot) = first.get_mut(place) {
                *slot = field.tag;
            }
            match field.tag {
                Some(tags::BODY_LENGTH) if place == 1 => {
                    (told_length, body) = (field.value, field.end);
                }
                Some(tags::CHECK_SUM) => (told_sum, trailer) = (field.value, field.start),
                _ => blanked |= is_blanked(field.value),
            }
        }
        let length = trailer.saturating_sub(body);
        let sum = message[..trailer].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        let first_three = [tags::BEGIN_STRING, tags::BODY_LENGTH, tags::MSG_TYPE].map(Some);
        Verdict {
            length,
            sum,
            length_wrong: number(told_length) != Some(length),
            sum_wrong: !blanked && (told_sum.len() != 3 || number(told_sum) != Some(sum.into())),
            order_wrong: first != first_three,
        }
    }

    pub(super) fn is_right(&self) -> bool {
        !(self.length_wrong || self.sum_wrong || self.order_wrong)
    }

    /// What is wrong with a field, in words.
    pub(super) fn of_field(&self, tag: Option<u32>) -> Option<String> {
        match tag {
            Some(tags::BODY_LENGTH) if self.length_wrong => {
                Some(format!("should be {}", self.length))
            }
            Some(tags::CHECK_SUM) if self.sum_wrong => Some(format!("should be {:03}", self.sum)),
            Some(tags::MSG_TYPE) if self.order_wrong => {
                Some("should be the third field".to_owned())
            }
            _ => None,
        }
    }
}

/// True for a value that was blanked, or a part of it, as a journal's are: whatever its tag, since
/// a venue has secret fields of its own.
fn is_blanked(value: &[u8]) -> bool {
    let is_mask = |part: &[u8]| !part.is_empty() && part.iter().all(|byte| *byte == b'*');
    is_mask(value) || value.windows(SECRET_VALUE_MIN).any(is_mask)
}

/// Digits, leading zeros or not.
fn number(text: &[u8]) -> Option<usize> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> Verdict {
        Verdict::of(text.replace('|', "\x01").as_bytes())
    }

    #[test]
    fn each_fault_is_told_apart() {
        assert!(verdict("8=FIX.4.4|9=5|35=0|10=163|").is_right());
        assert!(verdict("8=FIX.4.4|9=0005|35=0|10=051|").is_right(), "zeros may lead");
        let wrong = verdict("8=FIX.4.4|9=6|35=0|10=164|");
        assert!(wrong.length_wrong && !wrong.sum_wrong && wrong.length == 5);
        let wrong = verdict("8=FIX.4.4|9=5|35=0|10=164|");
        assert!(wrong.sum_wrong && !wrong.length_wrong && wrong.sum == 163);
        assert_eq!(wrong.of_field(Some(10)).as_deref(), Some("should be 163"));
        assert!(verdict("8=FIX.4.4|9=5|35=0|10=0163|").sum_wrong);
        assert!(verdict("8=FIX.4.4|9=5|34=1|10=163|").order_wrong);
        assert!(!verdict("8=FIX.4.4|9=13|35=A|554=***|10=000|").sum_wrong, "secrets are blanked");
        assert!(!verdict("8=FIX.4.4|9=16|35=5|58=no ****!|10=000|").sum_wrong, "in a text too");
        for text in ["554=*x*", "58=a **", "58=***x", "58="] {
            assert!(verdict(&format!("8=FIX.4.4|9=13|35=A|{text}|10=000|")).sum_wrong, "{text}");
        }
    }
}
