//! Whole Logons of several venues, byte for byte. The signatures were made with Python's hashlib and
//! hmac; `engine/tests/venues/signatures.py` makes them again.

use super::*;
use crate::dialect::sign::{Join, Output, Scheme, SecretForm};
use crate::fix::{Precision, Template};
use market::Timestamp;

const NOW: Timestamp = Timestamp::from_nanos(1_752_758_200_012_345_678);

fn credentials(secret: &str) -> Credentials {
    Credentials {
        key: Some(Secret::new("KEY")),
        secret: Some(Secret::new(secret)),
        passphrase: Some(Secret::new("PASS")),
    }
}

fn field(tag: u32, value: Value) -> LogonField {
    LogonField { tag, value }
}

fn constant(tag: u32, text: &str) -> LogonField {
    field(tag, Value::Constant(text.to_owned()))
}

/// The body of a Logon after its header.
fn body(logon: &mut VenueLogon, begin: &str, sender: &str, target: &str) -> String {
    let mut template = Template::new(begin, sender, target, Precision::Millis).unwrap();
    let mut buffer = [0; 2048];
    let mut encoder = Encoder::begin(&mut buffer, &mut template, NOW, 1, b"A");
    let facts = LogonFacts {
        now: NOW,
        seq: 1,
        sending_time: b"20250717-13:16:40.012",
        sender: sender.as_bytes(),
        target: target.as_bytes(),
        begin_string: begin.as_bytes(),
        heartbeat_s: 30,
        reset: true,
    };
    logon.write(&facts, &mut encoder);
    let text = String::from_utf8_lossy(encoder.finish().unwrap()).replace('\x01', "|");
    // The order of the header's fields is the template's.
    let value =
        |tag: &str| text.find(tag).and_then(|at| text[at + 1..].find('|').map(|n| at + n + 2));
    let start = ["|49=", "|52=", "|56=", "|34="].into_iter().filter_map(value).max().unwrap();
    text[start..text.len() - 7].to_owned()
}

fn logon(plan: LogonPlan, secret: &str) -> VenueLogon {
    let random = Box::new(|bytes: &mut [u8]| {
        bytes.fill(7);
        true
    });
    VenueLogon::new(plan, Some(&credentials(secret)), random).unwrap()
}

fn fields(tags: &[u32]) -> Vec<Piece> {
    tags.iter().map(|tag| Piece::Field(*tag)).collect()
}

#[test]
fn coinbase() {
    let plan = LogonPlan {
        fields: vec![
            field(553, Value::Key),
            field(554, Value::Passphrase),
            field(96, Value::Signature),
            constant(8013, "Y"),
        ],
        nonce: None,
        signature: Some(Signature {
            pieces: fields(&[52, 35, 34, 49, 56, 554]),
            join: Join::Soh,
            scheme: Scheme::HmacSha256,
            secret_form: SecretForm::Base64,
            output: Output::Base64,
        }),
        secret_tags: Vec::new(),
    };
    let body = body(&mut logon(plan, "c2VjcmV0IG9mIHRlc3Rz"), "FIXT.1.1", "KEY", "Coinbase");
    assert_eq!(
        body,
        "553=KEY|554=PASS|95=44|96=xIP7king0NRDo9YVtKr0wHzNli65m68YAEIm+x7MU7E=|8013=Y|"
    );
}

#[test]
fn kraken() {
    let plan = LogonPlan {
        fields: vec![
            field(553, Value::Key),
            field(554, Value::Signature),
            field(5025, Value::Nonce),
            constant(8674, "0"),
        ],
        nonce: Some(Nonce::Millis),
        signature: Some(Signature {
            pieces: [fields(&[35, 34, 49, 56, 553]), vec![Piece::Nonce]].concat(),
            join: Join::Fields,
            scheme: Scheme::HmacSha512OfSha256,
            secret_form: SecretForm::Base64,
            output: Output::Base64,
        }),
        secret_tags: Vec::new(),
    };
    let mut logon = logon(plan, "c2VjcmV0IG9mIHRlc3Rz");
    let body = body(&mut logon, "FIX.4.4", "TEST", "KRAKEN-TRD");
    let signature = "vEhSndBDCZ6eE8YUEWDErgFvK8x220DFdKAhpjC2yMGt1ohcbWrO02QrwV4RSqUmLRY+jqL14EwuoUnj\
                     7ZnRkA==";
    assert_eq!(body, format!("553=KEY|554={signature}|5025=1752758200012|8674=0|"));
}

#[test]
fn deribit_nonces_grow_while_the_clock_stands() {
    let plan = LogonPlan {
        fields: vec![
            field(96, Value::Nonce),
            field(553, Value::Key),
            field(554, Value::Signature),
            constant(9001, "Y"),
        ],
        nonce: Some(Nonce::MillisAndRandom),
        signature: Some(Signature {
            pieces: vec![Piece::Nonce],
            join: Join::None,
            scheme: Scheme::Sha256WithSecret,
            secret_form: SecretForm::Text,
            output: Output::Base64,
        }),
        secret_tags: Vec::new(),
    };
    let mut logon = logon(plan, "secret of tests");
    let nonce = |ms: &str| format!("95=58|96={ms}.BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=|");
    let first = body(&mut logon, "FIX.4.4", "US", "DERIBITSERVER");
    let signature = "8idkr6Gl+tKeYU+62lRuxOzhtrCeCGVXXZa6pdz2S3o=";
    let expected = format!("{}553=KEY|554={signature}|9001=Y|", nonce("1752758200012"));
    assert_eq!(first, expected);
    let second = body(&mut logon, "FIX.4.4", "US", "DERIBITSERVER");
    assert!(second.starts_with(&nonce("1752758200013")), "{second}");
}

#[test]
fn what_is_missing_is_said_before_the_first_logon() {
    let none = || Box::new(|_: &mut [u8]| false);
    let signed = Signature {
        pieces: fields(&[52]),
        join: Join::None,
        scheme: Scheme::HmacSha256,
        secret_form: SecretForm::Text,
        output: Output::Hex,
    };
    for (value, name) in
        [(Value::Key, "key"), (Value::Passphrase, "passphrase"), (Value::Signature, "secret")]
    {
        let signature = (value == Value::Signature).then(|| signed.clone());
        let fields = vec![field(554, value)];
        let plan = LogonPlan { fields, signature, ..LogonPlan::default() };
        assert!(plan.wants_credentials());
        for held in [None, Some(&Credentials::default())] {
            let error = VenueLogon::new(plan.clone(), held, none()).unwrap_err();
            assert_eq!(error, PlanError::Lacks(name));
        }
    }
    let plain = LogonPlan { fields: vec![constant(9001, "Y")], ..LogonPlan::default() };
    assert!(!plain.wants_credentials());
    let mut logon = VenueLogon::new(plain, None, none()).unwrap();
    assert_eq!(body(&mut logon, "FIX.4.4", "US", "THEM"), "9001=Y|");
    assert!(!format!("{logon:?}").contains("PASS"));
}

#[test]
fn a_password_is_all_that_a_venue_without_signatures_wants() {
    let plan = LogonPlan { fields: vec![field(554, Value::Passphrase)], ..LogonPlan::default() };
    let held = Credentials { passphrase: Some(Secret::new("PASS")), ..Credentials::default() };
    let mut logon = VenueLogon::new(plan, Some(&held), Box::new(|_| false)).unwrap();
    assert_eq!(body(&mut logon, "FIX.4.4", "US", "THEM"), "554=PASS|");
}

#[test]
fn what_the_peer_repeats_of_a_logon_is_blanked() {
    let signed = Signature {
        pieces: fields(&[52, 35]),
        join: Join::None,
        scheme: Scheme::HmacSha256,
        secret_form: SecretForm::Text,
        output: Output::Hex,
    };
    let plan = LogonPlan {
        fields: vec![field(553, Value::Key), field(9407, Value::Signature)],
        signature: Some(signed),
        ..LogonPlan::default()
    };
    let held = Credentials { key: Some(Secret::new("trader7")), ..credentials(" hunter2\n") };
    let new =
        |plan: &LogonPlan| VenueLogon::new(plan.clone(), Some(&held), Box::new(|_| false)).unwrap();
    let mut logon = new(&plan);
    let said = body(&mut logon, "FIX.4.4", "US", "THEM");
    let signature = said.split_once("9407=").unwrap().1.trim_end_matches('|').to_owned();
    assert_eq!(signature.len(), 64);
    let told = format!("58=trader7, not {signature} nor hunter2 nor PASS of hunter2|");
    let stars = "*".repeat(64);
    let blanked = logon.blanked(told.as_bytes()).unwrap();
    let expected = format!("58=trader7, not {stars} nor ******* nor **** of *******|");
    assert_eq!(String::from_utf8(blanked).unwrap(), expected);
    assert_eq!(logon.blanked(b"58=nothing of the kind, trader7|"), None);
    assert!(!format!("{logon:?} {logon:#?}").contains(&signature));
    // Where the user's name stands as a password, it is one.
    let mut key = new(&LogonPlan { secret_tags: vec![553], ..plan });
    body(&mut key, "FIX.4.4", "US", "THEM");
    assert_eq!(key.blanked(b"58=trader7").as_deref(), Some(&b"58=*******"[..]));
}
