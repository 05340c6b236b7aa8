//! Dialects as data: what a version brings by itself.

use super::*;

#[test]
fn plain_dialects_are_those_of_plain_settings() {
    for version in Version::ALL {
        let (plain, made) = (Dialect::of(version), Dialect::new(Settings::of(version)).unwrap());
        assert_eq!(plain.settings, made.settings);
        assert_eq!(plain.order_fields, made.order_fields, "{version:?}");
        assert_eq!((plain.account, plain.post_only), (made.account, made.post_only));
    }
}

#[test]
fn a_handling_instruction_of_the_settings_stands_alone() {
    let settings =
        Settings { order_fields: vec!["21=2".to_owned()], ..Settings::of(Version::Fix42) };
    assert_eq!(Dialect::new(settings).unwrap().order_fields.text(), b"21=2\x01");
}

#[test]
fn values_that_no_field_can_hold_are_refused() {
    for account in ["", "a\x01b"] {
        let account = Some(account.to_owned());
        let error = Dialect::new(Settings { account, ..Settings::of(Version::Fix44) }).unwrap_err();
        assert!(matches!(error, DialectError::Value(_)), "{error}");
    }
}
