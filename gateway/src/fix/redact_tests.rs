//! Redaction: whole frames lose their secrets and nothing else; broken ones never keep any.

use super::*;
use proptest::prelude::*;

fn redacted(text: &[u8]) -> Vec<u8> {
    let mut frame = text.to_vec();
    redact(&mut frame, &SECRET_TAGS);
    assert_eq!(frame.len(), text.len());
    frame
}

#[track_caller]
fn check(frame: &str, expected: &str) {
    let soh = |text: &str| text.replace('|', "\x01").into_bytes();
    let found = String::from_utf8_lossy(&redacted(&soh(frame))).replace('\x01', "|");
    assert_eq!(found, expected);
}

#[test]
fn every_secret_of_a_whole_frame_is_hidden_and_nothing_else() {
    check(
        "8=FIX.4.4|9=5|35=A|553=me|554=hunter2|925=x|1401=3|1402=a|b|1403=1|1404=c|93=2|89=zz|10=000|",
        "8=FIX.4.4|9=5|35=A|553=me|554=*******|925=*|1401=3|1402=***|1403=1|1404=*|93=2|89=**|10=000|",
    );
    check(
        "35=D|58=554=no secret|1554=x|5540=y|10=000|",
        "35=D|58=554=no secret|1554=x|5540=y|10=000|",
    );
    check("554=first|554=second|", "554=*****|554=******|");
    check("554=|10=000|", "554=|10=000|");
}

#[test]
fn data_fields_are_hidden_wholly() {
    check("95=9|96=ab|554=cd|10=000|", "95=9|96=*********|10=000|");
    // Too short a length, too long a one, none at all, and one of another field.
    check("95=1|96=ab|cd|10=000|", "95=1|96=*****|10=000|");
    check("95=99|96=ab|10=000|", "95=99|96=**********");
    check("95=99999999999999999999999|96=ab|", "95=99999999999999999999999|96=***");
    check("95=-1|96=ab|10=000|", "95=-1|96=**|10=000|");
    check("96=ab|cd|10=000|", "96=*****|10=000|");
    check("93=9|96=ab|10=000|", "93=9|96=**|10=000|");
    check("95=9|58=x|96=ab|10=000|", "95=9|58=x|96=**|10=000|");
}

#[test]
fn broken_frames_keep_no_secret() {
    check("554=hunter2", "554=*******");
    check("35=A|554=hun|ter2|10=0", "35=A|554=********|10=0");
    check("35=A||554=hunter2||10=000|", "35=A||554=********|10=000|");
    check("35=A|0554=hunter2|10=000|", "35=A|0554=*******|10=000|");
    check("junk|554=hunter2|10=000|", "junk|554=*******|10=000|");
    check("|", "|");
    check("", "");
}

/// A log wraps and indents where it likes.
#[test]
fn a_tag_with_blanks_around_or_in_it_is_one() {
    check("35=A|\r\n    554=hunter2|10=0|", "35=A|\r\n    554=*******|10=0|");
    check("35=A|55\n4=hunter2|10=0|", "35=A|55\n4=*******|10=0|");
    check("35=A| 5 5\t4\x7f =hunter2|10=0|", "35=A| 5 5\t4\x7f =*******|10=0|");
    check("95= 9| 96=ab|554=cd| 10=0|", "95= 9| 96=*********| 10=0|");
    check("554=a|\n98=0|\n58= 554=x|", "554=*|\n98=0|\n58= 554=x|");
    check("35=A| =x| x554=y|", "35=A| =x| x554=y|");
}

#[test]
fn a_session_adds_its_own() {
    let tags = secret_tags(&[58, 9407]);
    let mut frame = *b"35=A\x0158=sig\x019407=key\x01554=p\x0110=000\x01";
    redact(&mut frame, &tags);
    assert_eq!(&frame, b"35=A\x0158=***\x019407=***\x01554=*\x0110=000\x01");
}

proptest! {
    /// Wherever a frame is cut, and whatever stands around the secret: none of it is left.
    #[test]
    fn no_secret_survives(
        before in prop::collection::vec(prop_oneof![any::<u8>(), Just(SOH), Just(b'=')], 0..60),
        secret in prop::collection::vec(1u8.., 8..40),
        after in prop::collection::vec(any::<u8>(), 0..40),
        cut in 0usize..30,
        tag in prop::sample::select(SECRET_TAGS.to_vec()),
        told: bool,
    ) {
        let length = SECRET_TAGS_LENGTHS.iter().find(|pair| pair.0 == tag).map(|pair| pair.1);
        let mut frame = before;
        frame.push(SOH);
        let told = length.filter(|_| told);
        if let Some(length) = told {
            frame.extend(format!("{length}={}\x01", secret.len()).bytes());
        }
        frame.extend(format!("{tag}=").bytes());
        // Without a told length, a value holds no SOH.
        let secret: Vec<u8> =
            secret.iter().map(|&byte| if told.is_none() && byte == SOH { b's' } else { byte }).collect();
        let start = frame.len();
        frame.extend(&secret);
        let end = frame.len();
        frame.push(SOH);
        frame.extend(after);
        frame.truncate((frame.len() - cut.min(frame.len())).max(start));
        redact(&mut frame, &SECRET_TAGS);
        let end = end.min(frame.len());
        prop_assert!(frame[start..end].iter().all(|&byte| byte == MASK));
    }

    /// Twice is as once, and only whole values change.
    #[test]
    fn nothing_panics_or_changes_twice(
        frame in prop::collection::vec(
            prop_oneof![any::<u8>(), Just(SOH), Just(b'='), b'4'..=b'9'], 0..120),
    ) {
        let once = redacted(&frame);
        for (new, old) in once.iter().zip(&frame) {
            prop_assert!(new == old || *new == MASK);
        }
        prop_assert_eq!(redacted(&once), once);
    }
}

/// Secret data fields and the fields that tell their lengths.
const SECRET_TAGS_LENGTHS: [(u32, u32); 4] = [(96, 95), (89, 93), (1402, 1401), (1404, 1403)];

#[test]
fn known_values_are_hidden_wherever_they_stand() {
    let hidden = |text: &[u8], values: &[&[u8]]| redact_values(text, values.iter().copied());
    let values = [&b"hunter2"[..], b"r2d2", b"abc"];
    assert_eq!(hidden(b"58=no hunter|", &values), None);
    assert_eq!(hidden(b"", &values), None);
    assert_eq!(hidden(b"abc", &values), None, "too short to be looked for");
    assert_eq!(hidden(b"xhunter2hunter2y", &values).as_deref(), Some(&b"x**************y"[..]));
    // One across another: neither leaves a piece.
    assert_eq!(hidden(b"hunter2d2", &values).as_deref(), Some(&b"*********"[..]));
    assert_eq!(hidden(b"aaaaaa", &[b"aaaa"]).as_deref(), Some(&b"******"[..]));
}
