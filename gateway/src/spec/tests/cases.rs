//! Messages held against their dictionary: the session test cases 2, 14, 15 and 21, and groups.

use crate::fix::{Fault, FieldIndex, RejectCode, SOH};
use crate::spec::Validation::{Full, None as Off, Structure};
use crate::spec::{CustomField, Dictionary, Validation, Version};
use RejectCode::{
    DataFormat, GroupCount, GroupOrder, InvalidTag, MsgType, NotOfMessage, Order, Repeated,
    RequiredTagMissing, ValueIncorrect,
};
use proptest::prelude::*;

const TIME: &str = "20250717-13:16:40";

/// A message of a version, with what every header and trailer has around `body`.
fn message(version: Version, msg_type: &str, body: &str) -> Vec<u8> {
    let begin = version.begin_string();
    let text = format!(
        "8={begin}|9=5|35={msg_type}|34=2|49=TW|52={TIME}|56=ISLD|{body}{}10=000|",
        if body.is_empty() || body.ends_with('|') { "" } else { "|" }
    );
    text.replace("<TIME>", TIME).replace('|', "\x01").into_bytes()
}

fn check_in(dictionary: &Dictionary, bytes: &[u8], validation: Validation) -> Result<(), Fault> {
    let mut index = FieldIndex::new(128);
    let message = index.parse(bytes);
    assert_eq!(message.fault(), None, "{}", String::from_utf8_lossy(bytes));
    dictionary.check(&message, validation)
}

fn check(
    version: Version,
    msg_type: &str,
    body: &str,
    validation: Validation,
) -> Result<(), (RejectCode, u32)> {
    let bytes = message(version, msg_type, body);
    let found = check_in(Dictionary::of(version), &bytes, validation);
    found.map_err(|fault| (fault.code, fault.tag))
}

/// The same answer in every version, and under structure and full.
fn everywhere(msg_type: &str, body: &str, expected: Result<(), (RejectCode, u32)>) {
    for version in Version::ALL {
        for validation in [Structure, Full] {
            let found = check(version, msg_type, body, validation);
            assert_eq!(found, expected, "{version:?} {validation:?} {msg_type} {body}");
        }
        assert_eq!(check(version, msg_type, body, Off), Ok(()), "nothing is looked at");
    }
}

const ORDER: &str = "11=id|21=3|38=100|40=1|54=1|55=INTC|60=<TIME>";

#[test]
fn case_14a_tags_that_no_dictionary_has() {
    for (version, tag) in [(Version::Fix42, 999), (Version::Fix44, 999), (Version::Fix50Sp2, 4999)]
    {
        for validation in [Structure, Full] {
            let found = check(version, "0", &format!("{tag}=HI"), validation);
            assert_eq!(found, Err((InvalidTag, tag)));
        }
    }
    for tag in [5_000, 20_001, 100_010] {
        for version in Version::ALL {
            let body = format!("{tag}=HI");
            assert_eq!(check(version, "0", &body, Structure), Ok(()), "carried");
            assert_eq!(check(version, "0", &body, Full), Err((InvalidTag, tag)));
        }
    }
}

#[test]
fn what_a_venue_adds_may_stand_anywhere() {
    let custom = |tag| CustomField { tag, name: "Own".to_owned() };
    let dictionary = Dictionary::with_custom(
        Version::Fix44,
        vec![custom(100_010), custom(5_000), custom(1), custom(999)],
    );
    let body = "999=HI|5000=HI|100010=HI|1=account";
    let bytes = message(Version::Fix44, "0", body);
    assert_eq!(check_in(&dictionary, &bytes, Full), Ok(()));
    let order = "11=id|453=2|448=A|100010=x|447=D|452=1|448=B|40=1|54=1|55=INTC|60=<TIME>|38=1";
    assert_eq!(check_in(&dictionary, &message(Version::Fix44, "D", order), Full), Ok(()));
}

#[test]
fn case_14b_required_fields() {
    everywhere("1", "", Err((RequiredTagMissing, 112)));
    let without = "40=1|60=<TIME>|54=1|21=3|11=id";
    assert_eq!(check(Version::Fix42, "D", without, Full), Err((RequiredTagMissing, 55)));
    let without = "40=1|60=<TIME>|54=1|21=3";
    assert_eq!(check(Version::Fix44, "D", without, Full), Err((RequiredTagMissing, 11)));
    let bytes = b"8=FIX.4.4\x019=5\x0135=0\x0134=2\x0149=TW\x0152=20250717-13:16:40\x0110=000\x01";
    let found = check_in(Dictionary::of(Version::Fix44), bytes, Structure);
    assert_eq!(found, Err(Fault::new(RequiredTagMissing, 56)));
}

#[test]
fn case_14c_fields_of_other_messages() {
    everywhere("0", "55=MSFT", Err((NotOfMessage, 55)));
}

#[test]
fn case_14e_values_that_are_not_listed() {
    let order = |more: &str| ORDER.replace("21=3", more);
    for version in [Version::Fix42, Version::Fix44] {
        assert_eq!(check(version, "D", &order("21=4"), Full), Err((ValueIncorrect, 21)));
        assert_eq!(check(version, "D", &order("21=4"), Structure), Ok(()));
        let body = order("21=1|167=BOO");
        assert_eq!(check(version, "D", &body, Full), Err((ValueIncorrect, 167)));
    }
    assert_eq!(check(Version::Fix42, "D", &order("21=1|167=FUT"), Full), Ok(()));
    assert_eq!(check(Version::Fix44, "D", &order("21=1|167=CS"), Full), Ok(()));
    // Every word of a value of several.
    everywhere("D", &order("21=1|18=1 6"), Ok(()));
    let body = order("21=1|18=1 ?");
    assert_eq!(check(Version::Fix44, "D", &body, Full), Err((ValueIncorrect, 18)));
    assert_eq!(check(Version::Fix44, "D", &order("18=1  6"), Full), Err((DataFormat, 18)));
    // A list that says of itself that it is not whole.
    let body = "162=1|163=N|214=1|165=1|166=DE|79=a|54=1|60=<TIME>|160=1|168=<TIME>";
    assert_eq!(check(Version::Fix42, "T", body, Full), Ok(()));
}

#[test]
fn case_14f_formats() {
    for version in Version::ALL {
        let body = ORDER.replace("38=100", "38=+200.00");
        assert_eq!(check(version, "D", &body, Full), Err((DataFormat, 38)));
        assert_eq!(check(version, "D", &body, Structure), Ok(()));
        let body = ORDER.replace("60=<TIME>", "60=yesterday");
        assert_eq!(check(version, "D", &body, Full), Err((DataFormat, 60)));
        assert_eq!(check(version, "D", ORDER, Full), Ok(()));
    }
}

#[test]
fn case_14g_trailer_before_body() {
    everywhere("D", &format!("{ORDER}|93=1|89=x|58=late"), Err((Order, 58)));
    everywhere("D", &format!("{ORDER}|93=1|89=x"), Ok(()));
}

#[test]
fn case_14h_repeated_tags() {
    everywhere("D", &ORDER.replace("40=1", "40=1|40=2"), Err((Repeated, 40)));
    everywhere("D", &format!("{ORDER}|40=2"), Err((Repeated, 40)));
}

#[test]
fn case_14i_counts_of_groups() {
    for (count, expected) in [
        ("3", Err((GroupCount, 386))),
        ("1", Err((GroupCount, 386))),
        ("4294967297", Err((GroupCount, 386))),
        ("99999999999999999999", Err((GroupCount, 386))),
        ("-1", Err((DataFormat, 386))),
        ("x", Err((DataFormat, 386))),
        ("2", Ok(())),
        ("02", Ok(())),
    ] {
        let body = format!("11=ID|21=1|40=1|54=1|38=200|55=INTC|386={count}|336=1|336=2|60=<TIME>");
        for version in [Version::Fix44, Version::Fix50Sp2] {
            assert_eq!(check(version, "D", &body, Full), expected, "{count}");
        }
        // The group ends the message.
        let body = format!("{ORDER}|386={count}|336=1|336=2");
        assert_eq!(check(Version::Fix42, "D", &body, Structure), expected, "{count}");
    }
    everywhere("D", &format!("{ORDER}|386=2|58=none"), Err((GroupCount, 386)));
}

#[test]
fn case_15_order_within_header_and_body_is_free() {
    for version in Version::ALL {
        let begin = version.begin_string();
        let text = format!(
            "8={begin}|9=5|35=D|49=TW|34=3|56=ISLD|52={TIME}|40=1|55=MSFT|60={TIME}|54=1|21=3|\
             11=id|38=1|10=000|"
        );
        let bytes = text.replace('|', "\x01").into_bytes();
        assert_eq!(check_in(Dictionary::of(version), &bytes, Full), Ok(()));
    }
}

#[test]
fn case_21_groups_of_none() {
    let body = "320=JCD|322=103|323=6|55=TBS|22=8|167=OPT|336=1|58=None|393=0|146=0";
    assert_eq!(check(Version::Fix42, "d", body, Full), Ok(()));
    let body = "320=JCD|322=103|323=6|55=TBS|22=8|167=CS|336=1|58=None|454=0";
    assert_eq!(check(Version::Fix44, "d", body, Full), Ok(()));
    assert_eq!(
        check(Version::Fix44, "d", &format!("{body}|455=x"), Full),
        Err((NotOfMessage, 455))
    );
}

#[test]
fn cases_2q_and_2r_message_types() {
    everywhere("*", "", Err((MsgType, 0)));
    everywhere("ZZZZZZ", "", Err((MsgType, 0)));
    everywhere("U", "", Err((MsgType, 0)));
    // User-defined: its members are known to nobody, its fields are.
    everywhere("UM", "55=INTC|58=what it says", Ok(()));
    everywhere("UM", "43=Y|43=Y|55=INTC", Err((Repeated, 43)));
    assert_eq!(check(Version::Fix44, "UM", "20001=1", Structure), Ok(()));
    assert_eq!(check(Version::Fix44, "UM", "38=x", Full), Err((DataFormat, 38)));
    // Types of other versions.
    assert_eq!(check(Version::Fix42, "AF", "584=1|585=7", Full), Err((MsgType, 0)));
    assert_eq!(check(Version::Fix44, "AF", "584=1|585=7", Full), Ok(()));
}

#[test]
fn groups_within_groups() {
    let sides = "571=1|570=N|55=EUR/USD|32=1|31=1.2|75=20170101|60=<TIME>|552=2|\
        54=1|37=a|453=2|448=X|447=D|452=1|802=2|523=P1|803=2|523=P2|803=2|448=Y|447=D|452=17|1=acc|\
        54=2|37=b|453=1|448=Z|447=D|452=1|15=EUR";
    assert_eq!(check(Version::Fix44, "AE", sides, Full), Ok(()));
    for (old, new, expected) in [
        ("802=2", "802=3", (GroupCount, 802)),
        ("802=2|523=P1|803=2", "802=2|803=2|523=P1", (GroupOrder, 803)),
        ("447=D|452=17", "452=17|447=D", (GroupOrder, 447)),
        ("447=D|452=17", "447=D|447=D", (Repeated, 447)),
        ("453=1|448=Z", "453=1|448=Z|448=Q", (GroupCount, 453)),
        ("54=2|37=b", "54=2", (RequiredTagMissing, 37)),
        ("1=acc", "1=acc|523=P3", (NotOfMessage, 523)),
        ("552=2", "552=1", (GroupCount, 552)),
        ("|15=EUR", "|55=EUR/USD", (Repeated, 55)),
    ] {
        let body = sides.replace(old, new);
        assert_ne!(body, sides, "{old}");
        assert_eq!(check(Version::Fix44, "AE", &body, Structure), Err(expected), "{new}");
    }
}

#[test]
fn fixt_has_its_own_header_and_logon() {
    let version = Version::Fix50Sp2;
    assert_eq!(check(version, "A", "98=0|108=30|1137=9", Full), Ok(()));
    assert_eq!(check(version, "A", "98=0|108=30", Full), Err((RequiredTagMissing, 1137)));
    assert_eq!(check(version, "0", "1128=9", Full), Ok(()), "ApplVerID is of the header");
    assert_eq!(check(Version::Fix44, "A", "98=0|108=30", Full), Ok(()));
    let quote = "117=q|296=1|302=s|304=2|295=2|299=a|132=1.5|299=b|133=2";
    assert_eq!(check(version, "i", quote, Full), Ok(()));
    let short = quote.replace("295=2", "295=3");
    assert_eq!(check(version, "i", &short, Full), Err((GroupCount, 295)));
}

/// Fields as a message may have them, many of them wrong.
fn fields() -> impl Strategy<Value = Vec<(u32, String)>> {
    let tags = prop::sample::select(vec![
        8, 9, 10, 18, 34, 35, 38, 43, 52, 54, 55, 58, 60, 146, 268, 269, 270, 295, 296, 299, 336,
        386, 447, 448, 452, 453, 523, 552, 802, 803, 555, 600, 711, 311, 627, 628, 5_000,
    ]);
    let values = prop_oneof!["[0-9]{1,3}", "[A-Z ]{1,3}", Just(TIME.to_owned())];
    prop::collection::vec((tags, values), 0..60)
}

proptest! {
    /// No order and no count makes a walk panic or run on, and full finds what structure finds.
    #[test]
    fn no_fields_panic(msg_type in "[0-9A-Za-z*]{1,2}", fields in fields()) {
        let mut bytes = format!("35={msg_type}\x01").into_bytes();
        for (tag, value) in fields {
            bytes.extend(format!("{tag}={value}").bytes());
            bytes.push(SOH);
        }
        let mut index = FieldIndex::new(128);
        let message = index.parse(&bytes);
        for version in Version::ALL {
            let dictionary = Dictionary::of(version);
            let structure = dictionary.check(&message, Structure);
            let full = dictionary.check(&message, Full);
            prop_assert!(structure.is_ok() || full.is_err());
            prop_assert_eq!(dictionary.check(&message, Off), Ok(()));
        }
    }
}
