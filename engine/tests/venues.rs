//! The profiles of `config/venues`: their Logons against a second implementation in another
//! language, their orders byte for byte, and that secrets stand nowhere.

mod support;

use engine::config::{Config, RunConfig, load};
use engine::pipeline::venue;
use gateway::dialect::sign::Scheme;
use gateway::fix::{Encoder, FieldIndex, Precision, Template};
use gateway::orders::{Instruments, encode_command, msg_type};
use gateway::session::{MemoryStore, Session, State};
use market::{Command, Event, Instrument, InstrumentId, OrderId, Price, Qty, Side, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use support::skip;

const NOW: Timestamp = Timestamp::from_nanos(1_752_758_200_012_345_678);

/// A key of the documentation of Binance's FIX API, published for tests.
const PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u
-----END PRIVATE KEY-----
";
const BASE64: &str = "c2VjcmV0IG9mIHRlc3Rz";
const TEXT: &str = "secret-of-tests";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A run at a venue, and the folder of its credentials.
fn run(venue: &str) -> (tempfile::TempDir, RunConfig) {
    let folder = tempfile::tempdir().unwrap();
    let profile = root().join("config/venues").join(format!("{venue}.toml"));
    let Ok(Config::Venue(read)) = load(&profile, &BTreeSet::new()) else {
        panic!("{venue} is no profile");
    };
    let (read, ..) = &*read;
    let credentials = folder.path().join("venue.credentials");
    let secret = secret(&read.logon.secret.to_string());
    let text =
        format!("key = \"KEY\"\nsecret = \"\"\"{secret}\"\"\"\npassphrase = \"PASS-PHRASE\"\n");
    std::fs::write(&credentials, text).unwrap();
    std::fs::set_permissions(&credentials, std::fs::Permissions::from_mode(0o600)).unwrap();
    let demo = std::fs::read_to_string(root().join("config/demo.toml")).unwrap();
    let target = read.session.target_comp_id.as_deref().unwrap_or("EXCHANGE");
    let text = demo
        .replace(
            "instruments/demo.toml",
            &root().join("config/instruments/demo.toml").to_string_lossy(),
        )
        .replace("venues/demo.toml", &profile.to_string_lossy())
        .replace(
            "environment = \"demo\"",
            &format!("environment = \"{}\"", read.profile.environment),
        )
        .replace("address = \"127.0.0.1:9880\"", "address = \"127.0.0.1:1\"\nheartbeat_s = 30")
        .replace("\"TOUCHLINE\"", "\"KEY\"")
        .replace(
            "target_comp_id = \"EXCHANGE\"",
            &format!(
                "target_comp_id = \"{target}\"\nwithout_cancel_on_disconnect = \"accepted\"\n\
                 credentials = \"{}\"",
                credentials.display()
            ),
        );
    let path = folder.path().join("run.toml");
    std::fs::write(&path, text).unwrap();
    let config = RunConfig::load(&path, &BTreeSet::from([0, 1]));
    (folder, config.unwrap_or_else(|errors| panic!("{venue}: {errors}")))
}

fn secret(form: &str) -> &'static str {
    match form {
        "pem" => PEM,
        "base64" => BASE64,
        _ => TEXT,
    }
}

/// The first Logon of a run, and what was stored of it.
fn logon(config: &RunConfig) -> Vec<u8> {
    let mut session = Session::new(venue::session(config), MemoryStore::new(16, 1 << 12)).unwrap();
    if let Some(body) = venue::logon(config).unwrap() {
        session.set_logon_body(Box::new(body));
    }
    let mut out = Vec::new();
    session.connected(NOW, &mut out).unwrap();
    assert_eq!(session.state(), State::LogonSent);
    out
}

fn field(frame: &[u8], tag: u32) -> Option<String> {
    let value = FieldIndex::new(64).parse(frame).get(tag)?.to_vec();
    Some(String::from_utf8(value).unwrap())
}

const SIGNED: [(&str, &str); 6] = [
    ("coinbase-exchange-sandbox", "coinbase"),
    ("coinbase-exchange", "coinbase"),
    ("deribit-test", "deribit"),
    ("deribit", "deribit"),
    ("kraken-uat", "kraken"),
    ("binance-spot-testnet", "binance"),
];

#[test]
fn logons_are_signed_as_a_second_implementation_signs_them() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/venues/signatures.py");
    let mut asked = Vec::new();
    for (name, venue) in SIGNED.into_iter().filter(|(_, venue)| *venue != "binance") {
        let (_folder, config) = run(name);
        let frame = logon(&config);
        let fields: serde_json::Map<String, Value> = [34, 35, 49, 52, 56, 553, 554]
            .into_iter()
            .filter_map(|tag| Some((tag.to_string(), Value::from(field(&frame, tag)?))))
            .collect();
        let (signature, nonce) = match venue {
            "coinbase" => (field(&frame, 96), None),
            "kraken" => (field(&frame, 554), field(&frame, 5025)),
            _ => (field(&frame, 554), field(&frame, 96)),
        };
        let secret = secret(&config.venue.logon.secret.to_string());
        let request = json!({"venue": venue, "secret": secret, "fields": fields, "nonce": nonce.unwrap_or_default()});
        asked.push((name, request.to_string(), signature.unwrap()));
    }
    let python = Process::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut python) = python else {
        return skip("python3", "no python3 for a second implementation").unwrap_or(());
    };
    let lines: String = asked.iter().map(|(_, request, _)| format!("{request}\n")).collect();
    python.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert_eq!(theirs.lines().count(), asked.len(), "{theirs}");
    for ((name, _, ours), theirs) in asked.iter().zip(theirs.lines()) {
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn every_logon_has_what_its_venue_wants() {
    for (name, expected) in [
        ("coinbase-exchange-sandbox", &[(1137, "9"), (141, "Y"), (553, "KEY"), (8013, "Y")][..]),
        ("binance-spot-testnet", &[(141, "Y"), (95, "88"), (25035, "2"), (108, "30")]),
        ("deribit-test", &[(9001, "Y"), (9015, "Y"), (553, "KEY")]),
        ("kraken-uat", &[(8674, "0"), (5025, "1752758200012"), (108, "30")]),
    ] {
        let (_folder, config) = run(name);
        let frame = logon(&config);
        let message = FieldIndex::new(64).parse(&frame).fault();
        assert_eq!(message, None, "{name}");
        for (tag, value) in expected {
            assert_eq!(field(&frame, *tag).as_deref(), Some(*value), "{name}: {tag}");
        }
        assert_eq!(field(&frame, 34).as_deref(), Some("1"), "{name}");
        let time = field(&frame, 52).unwrap();
        assert_eq!(time, "20250717-13:16:40.012", "{name}");
    }
    let (_folder, demo) = run("demo");
    assert!(venue::logon(&demo).unwrap().is_none(), "the demo exchange wants nothing");
}

/// The body of a command of ours at a venue.
fn body(config: &RunConfig, command: &Command) -> String {
    let dialect = venue::dialect(config).unwrap();
    let instruments = Instruments::new(&[Instrument::share(0, "TLA")]).unwrap();
    let mut template = Template::new("FIX.4.4", "A", "B", Precision::Millis).unwrap();
    let mut buffer = [0; 2048];
    let kind = msg_type(command, &dialect).unwrap();
    let mut encoder = Encoder::begin(&mut buffer, &mut template, NOW, 9, kind);
    encode_command(command, &instruments, &dialect, NOW, &mut encoder);
    let frame = match encoder.finish() {
        Ok(frame) => String::from_utf8_lossy(frame).replace('\x01', "|"),
        Err(error) => return error.to_string(),
    };
    let kind = String::from_utf8_lossy(kind);
    // Everything behind the header and before the CheckSum, times shortened.
    let header = ["|49=A", "|56=B", "|34=9", "|52=20250717-13:16:40.012"];
    let end = header.iter().filter_map(|field| Some(frame.find(field)? + field.len() + 1)).max();
    let body = frame[end.unwrap()..frame.len() - 7].replace("20250717-13:16:40.012", "T");
    format!("{kind}: {body}")
}

#[test]
fn orders_as_each_venue_wants_them() {
    let (arl, side) = (InstrumentId(0), Side::Buy);
    let (id, target) = (OrderId::new(7, 2).unwrap(), OrderId::new(7, 1).unwrap());
    let order = Command::new(target, arl, side, "15.37".parse().unwrap(), Qty::from_raw(300));
    let order = order.with_post_only(true);
    let commands = [
        order,
        Command::replace(id, target, arl, side, Price::ONE, Qty::from_raw(2)),
        Command::cancel(id, target, arl, side),
        Command::mass_cancel(id, Event::ALL),
        Command::mass_cancel(id, arl),
        Command::mass_status(id),
    ];
    let mut text = String::from("What each profile makes of the same commands.\n");
    for name in
        ["demo", "coinbase-exchange-sandbox", "binance-spot-testnet", "deribit-test", "kraken-uat"]
    {
        let (_folder, config) = run(name);
        text.push_str(&format!("\n== {name}\n"));
        for command in &commands {
            text.push_str(&format!("{}\n", body(&config, command)));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/venues/orders.txt");
    if std::env::var_os("TOUCHLINE_UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, committed, "run with TOUCHLINE_UPDATE=1 if this is wanted");
}

#[test]
fn the_resolved_text_holds_the_profile_and_no_secret() {
    for (name, _) in SIGNED {
        let (folder, config) = run(name);
        let text = config.resolved();
        // Kept in a journal, it is read where the file of credentials may be gone.
        drop(folder);
        for secret in [BASE64, TEXT, "PASS-PHRASE", "MC4CAQ"] {
            assert!(!text.contains(secret), "{name}: {secret}\n{text}");
        }
        assert!(text.contains(&format!("name = \"{}\"", config.venue.profile.name)), "{text}");
        let again = RunConfig::from_resolved(&text).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(again, config, "{name}");
        assert_eq!(again.resolved(), text);
    }
}

#[test]
fn the_production_profiles_differ_from_their_tests_in_place_and_limits_only() {
    for (test, production) in [
        ("coinbase-exchange-sandbox", "coinbase-exchange"),
        ("binance-spot-testnet", "binance-spot"),
        ("deribit-test", "deribit"),
    ] {
        let (_one, test) = run(test);
        let (_two, production) = run(production);
        assert!(production.is_production() && !test.is_production());
        assert_eq!(test.venue.logon, production.venue.logon);
        assert_eq!(test.venue.orders, production.venue.orders);
        assert_ne!(test.venue.session.address, production.venue.session.address);
    }
}

fn touchline(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Process::new(env!("CARGO_BIN_EXE_touchline"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn check_judges_a_profile() {
    let (code, text) = touchline(&["check", "config/venues/kraken-uat.toml"]);
    assert_eq!(code, Some(0), "{text}");
    for part in ["venue       kraken-uat (test)", "8674=0", "hmac-sha512-of-sha256", "order_status"]
    {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
}

#[test]
fn production_wants_to_be_told_twice() {
    let (folder, config) = run("coinbase-exchange");
    assert!(config.is_production());
    let path = folder.path().join("run.toml");
    let (code, text) = touchline(&["run", path.to_str().unwrap()]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("--production") && text.contains("accept_no_reconciliation"), "{text}");
    let (code, text) = touchline(&["run", "--production", path.to_str().unwrap()]);
    assert_eq!(code, Some(3), "{text}");
    assert!(
        !text.contains("--production\n") && text.contains("accept_no_reconciliation"),
        "{text}"
    );
}

#[test]
fn a_key_that_is_none_is_said_before_anything_is_sent() {
    let (folder, config) = run("binance-spot-testnet");
    assert_eq!(venue::plan(&config.venue).signature.unwrap().scheme, Scheme::Ed25519);
    let path = folder.path().join("venue.credentials");
    std::fs::write(&path, "key = \"KEY\"\nsecret = \"hunter2\"\n").unwrap();
    let error = format!("{:#}", venue::logon(&config).unwrap_err());
    assert!(error.contains("PEM") && !error.contains("hunter2"), "{error}");
}
