//! Numbers against `rust_decimal`, and each wrong spelling by name.

use super::*;
use proptest::prelude::*;
use rust_decimal::Decimal;

fn judged(text: &str, scale: u32) -> Option<i64> {
    let decimal: Decimal = Decimal::from_str_exact(text).ok()?.normalize();
    let missing = scale.checked_sub(decimal.scale())?;
    let wide = decimal.mantissa().checked_mul(10i128.pow(missing))?;
    i64::try_from(wide).ok()
}

fn written(raw: i64, scale: u32) -> String {
    let mut out = [0; ROOM];
    let Written { len, sum } = write_decimal(&mut out, raw, scale).unwrap();
    assert_eq!(sum, out[..len].iter().copied().map(u64::from).sum());
    String::from_utf8(out[..len].to_vec()).unwrap()
}

#[test]
fn wrong_spellings_are_refused() {
    for text in ["", "-", ".", "-.", "+5", "1E-5", "1e5", "NaN", "inf", "1.2.3", " 1", "1 ", "--1"]
    {
        assert_eq!(parse_decimal(text.as_bytes(), 9), Err(NumberFault::Syntax), "`{text}`");
    }
    for text in ["", "-1", "+1", "1.0", "0x1", "1 "] {
        assert_eq!(parse_u64(text.as_bytes()), Err(NumberFault::Syntax), "`{text}`");
    }
}

#[test]
fn legal_spellings_are_read() {
    assert_eq!(parse_decimal(b".5", 1), Ok(5));
    assert_eq!(parse_decimal(b"5.", 1), Ok(50));
    assert_eq!(parse_decimal(b"-0", 9), Ok(0));
    assert_eq!(parse_decimal(b"00023.2300", 2), Ok(2323));
    let forty = "0".repeat(38) + "12";
    assert_eq!(parse_decimal(forty.as_bytes(), 0), Ok(12));
    assert_eq!(parse_u64(forty.as_bytes()), Ok(12));
    let fine = "1.".to_owned() + &"0".repeat(40);
    assert_eq!(parse_decimal(fine.as_bytes(), 9), Ok(1_000_000_000));
}

#[test]
fn limits_are_exact() {
    assert_eq!(parse_decimal(b"9223372036.854775807", 9), Ok(i64::MAX));
    assert_eq!(parse_decimal(b"-9223372036.854775808", 9), Ok(i64::MIN));
    assert_eq!(parse_decimal(b"9223372036.854775808", 9), Err(NumberFault::OutOfRange));
    assert_eq!(parse_decimal("9".repeat(40).as_bytes(), 9), Err(NumberFault::OutOfRange));
    assert_eq!(parse_decimal(b"0.0000000001", 9), Err(NumberFault::TooFine));
    assert_eq!(parse_u64(b"18446744073709551615"), Ok(u64::MAX));
    assert_eq!(parse_u64(b"18446744073709551616"), Err(NumberFault::OutOfRange));
    assert_eq!(written(i64::MIN, 18), "-9.223372036854775808");
    assert_eq!(written(-1, 18), "-0.000000000000000001");
    assert_eq!(written(0, 9), "0");
    assert_eq!(write_decimal(&mut [0; ROOM], 1, 19), None);
}

proptest! {
    #[test]
    fn splits_as_a_division_does(value in 0..=1u64 << 63, digits in 1usize..=18, near: bool) {
        // At multiples of the divisor, and right below them, an error would show.
        let value = if near { (value / POWERS[digits] * POWERS[digits]).saturating_sub(1) } else { value };
        prop_assert_eq!(split(value, digits), (value / POWERS[digits], value % POWERS[digits]));
        let end = 1 << 63;
        prop_assert_eq!(split(end, digits), (end / POWERS[digits], end % POWERS[digits]));
    }

    #[test]
    fn writes_what_rust_decimal_writes(raw: i64, scale in 0u32..=18) {
        let decimal = Decimal::from_i128_with_scale(i128::from(raw), scale).normalize();
        prop_assert_eq!(written(raw, scale), decimal.to_string());
        prop_assert_eq!(parse_decimal(decimal.to_string().as_bytes(), scale), Ok(raw));
    }

    #[test]
    fn reads_what_rust_decimal_reads(text in "-?[0-9]{1,12}(\\.[0-9]{1,12})?", scale in 0u32..=9) {
        prop_assert_eq!(parse_decimal(text.as_bytes(), scale).ok(), judged(&text, scale));
    }

    #[test]
    fn no_bytes_panic(text in prop::collection::vec(any::<u8>(), 0..48), scale: u32) {
        let _ = parse_decimal(&text, scale);
        let _ = parse_u64(&text);
    }

    #[test]
    fn integers_round_trip(value: u64, shift in 0u32..64) {
        let value = value >> shift;
        let mut out = [0; ROOM];
        let Written { len, sum } = write_u64(&mut out, value);
        prop_assert_eq!(sum, out[..len].iter().copied().map(u64::from).sum::<u64>());
        let text = value.to_string();
        prop_assert_eq!(&out[..len], text.as_bytes());
        prop_assert_eq!(parse_u64(&out[..len]), Ok(value));
    }
}
