//! The field index: values, data fields, and each tag error by its published name.

use super::*;
use proptest::prelude::*;

fn soh(text: &str) -> Vec<u8> {
    text.bytes().map(|byte| if byte == b'|' { SOH } else { byte }).collect()
}

fn fault(text: &str) -> Option<Fault> {
    FieldIndex::new(32).parse(&soh(text)).fault()
}

#[test]
fn values_are_typed() {
    let bytes = soh("8=FIX.4.4|9=1|35=8|34=7|44=-1.25|54=1|60=19700101-00:00:01|912=Y|55=日本|");
    let mut index = FieldIndex::new(32);
    let message = index.parse(&bytes);
    assert_eq!(message.fault(), None);
    assert_eq!(message.msg_type(), b"8");
    assert_eq!(message.u64(34), Ok(7));
    assert_eq!(message.decimal(44, 9), Ok(-1_250_000_000));
    assert_eq!(message.decimal(44, 1), Err(Fault::new(RejectCode::ValueIncorrect, 44)));
    assert_eq!(message.char(54), Ok(b'1'));
    assert_eq!(message.time(60).unwrap().nanos(), 1_000_000_000);
    assert_eq!(message.flag(912), Ok(true));
    assert_eq!(message.flag(43), Ok(false));
    assert_eq!(message.get(55), Some("日本".as_bytes()), "non-ASCII symbols pass untouched");
    assert_eq!(message.u64(36), Err(Fault::new(RejectCode::RequiredTagMissing, 36)));
    assert_eq!(message.u64(55).unwrap_err().code, RejectCode::DataFormat);
    assert_eq!(message.flag(54).unwrap_err().code, RejectCode::DataFormat);
}

#[test]
fn data_fields_may_hold_soh() {
    let bytes = soh("35=A|95=7|96=a|10=b||93=1|89=||108=30|");
    let mut index = FieldIndex::new(32);
    let message = index.parse(&bytes);
    assert_eq!(message.fault(), None);
    assert_eq!(message.get(96), Some(&b"a\x0110=b\x01"[..]));
    assert_eq!(message.get(89), Some(&b"\x01"[..]));
    assert_eq!(message.u64(108), Ok(30));
    assert_eq!(message.get(10), None);
}

#[test]
fn raw_data_length_that_lies_is_a_fault_of_the_data_field() {
    let expected = Some(Fault::new(RejectCode::DataFormat, 96));
    for length in ["2", "4", "99999", "18446744073709551615"] {
        assert_eq!(fault(&format!("35=A|95={length}|96=abc|")), expected, "{length}");
    }
    assert_eq!(fault("35=A|95=3|58=abc|"), expected, "the data field must follow at once");
    assert_eq!(fault("35=A|95=x|96=abc|"), Some(Fault::new(RejectCode::DataFormat, 95)));
    assert_eq!(
        fault("35=A|95=99999999999999999999|96=a|"),
        Some(Fault::new(RejectCode::DataFormat, 95))
    );
}

#[test]
fn case_14a_bad_tag_numbers() {
    for text in ["0=x|", "07=x|", "=x|", "-1=x|", "x=1|", "44|", "2147483648=x|", "99999999999=x|"]
    {
        assert_eq!(
            fault(&format!("35=0|{text}34=1|")),
            Some(Fault::new(RejectCode::InvalidTag, 0)),
            "{text}"
        );
    }
    assert_eq!(fault("35=0|34=1|2147483647=x|100010=y|"), None);
}

#[test]
fn case_14e_empty_value_is_noted_and_the_rest_read() {
    let bytes = soh("35=D|44=|38=5|");
    let mut index = FieldIndex::new(32);
    let message = index.parse(&bytes);
    assert_eq!(message.fault(), Some(Fault::new(RejectCode::NoValue, 44)));
    assert_eq!(message.u64(38), Ok(5));
}

#[test]
fn case_14g_header_field_after_the_body() {
    assert_eq!(fault("35=D|55=X|34=1|"), Some(Fault::new(RejectCode::Order, 34)));
}

#[test]
fn more_fields_than_the_index_holds() {
    let text = "1=x|".repeat(40);
    assert_eq!(fault(&text).unwrap().code, RejectCode::Other);
}

#[test]
fn group_counts_are_carried_not_trusted() {
    for count in ["4294967295", "0", "-1", "99999999999999999999"] {
        assert_eq!(fault(&format!("35=r|534={count}|535=1|")), None, "{count}");
    }
}

proptest! {
    #[test]
    fn short_tags_are_read_as_any_tag_is(
        field in prop_oneof![
            "[0-9:/=]{0,5}=?[0-9=]{0,3}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..6),
        ],
        at in 0usize..100,
    ) {
        let bytes = [vec![b'x'; at], field.clone(), b"\x01\x01".to_vec()].concat();
        let end = field.iter().position(|byte| *byte == SOH).unwrap_or(field.len());
        let any = any_tag_at(&field[..end], at);
        let short = any.filter(|(tag, _)| *tag < 1_000);
        prop_assert_eq!(short_tag_at(&bytes, at), short);
    }

    #[test]
    fn no_bytes_panic(
        bytes in prop::collection::vec(
            prop_oneof![
                Just(SOH), Just(b'='), Just(b'9'), Just(b'5'), Just(b'6'), Just(b'0'), any::<u8>()
            ],
            0..200,
        )
    ) {
        let mut index = FieldIndex::new(16);
        let message = index.parse(&bytes);
        let total: usize = message.fields().map(|(_, value)| value.len()).sum();
        prop_assert!(total <= bytes.len());
        prop_assert!(message.fields().count() <= 16);
    }

    #[test]
    fn messages_before_change_nothing(
        messages in prop::collection::vec(
            prop::collection::vec(
                prop_oneof![
                    6 => prop_oneof![
                        Just("8=X|"), Just("9=5|"), Just("35=8|"), Just("34=7|"), Just("11=a|"),
                        Just("55=B|"), Just("150=0|"), Just("1=c|"), Just("10=123|"),
                    ],
                    1 => prop_oneof![
                        Just("95=2|"), Just("96=a||"), Just("1128=9|"), Just("55=|"), Just("0=1|"),
                        Just("55"), Just("|"), Just("1000=x|"), Just("90=1|"),
                    ],
                ],
                0..14,
            ),
            1..6,
        ),
        changed in any::<prop::sample::Index>(),
        byte in prop_oneof![Just(SOH), Just(b'='), Just(b'5'), any::<u8>()],
        times in prop_oneof![Just(0usize), Just(12)],
    ) {
        // The last one differs from those before in a byte, as if it were of the same shape.
        let mut messages: Vec<_> = messages.iter().map(|fields| soh(&fields.concat())).collect();
        let before = messages[messages.len() - 1].clone();
        messages.extend(std::iter::repeat_n(before.clone(), times));
        let mut last = before.clone();
        if !last.is_empty() {
            let at = changed.index(last.len());
            last[at] = byte;
        }
        messages.extend([last, before]);
        let mut index = FieldIndex::new(12);
        for bytes in &messages {
            let mut fresh = FieldIndex::new(12);
            let (again, once) = (index.parse(bytes), fresh.parse(bytes));
            prop_assert_eq!(again.fields, once.fields);
            prop_assert_eq!((again.body, again.fault()), (once.body, once.fault()));
        }
    }
}
