//! Channels of Coinbase that are told to those only whom the venue knows: signed subscriptions, those
//! that are refused, and what nobody may see of them.
//!
//! The venue is the documentation's: key, passphrase, a timestamp within 30 seconds of its own clock,
//! and an HMAC by another implementation than ours.

use crate::coinbase::{SNAPSHOT, trade};
use crate::desk::{Desk, config};
use crate::host::{Host, eventually};
use crate::lab::Lab;
use crate::run::{Alone, configure};
use crate::secrets::hold_no_secret;
use crate::venue::{Meanwhile, Session, Venue};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use market::{BookState, Nanos};
use serde_json::Value;
use sha2::Sha256;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const KEY: &str = "c0ffee00aa11bb22cc33dd44ee55ff66";
/// JSON may write it otherwise.
const PASSPHRASE: &str = "open/sesame \"4711\"";
/// Base64 of the secret.
const SECRET: &str = "d2Vic29ja2V0L2NhbmFyeS9zZWNyZXQ/Pz8+Pj4vLy8=";

/// Ten minutes between attempts, a fifth more or less.
const LONG: &str = "reconnect_ms = 600000\nreconnect_max_ms = 600000\n";

/// Writes the file of credentials; gives the key that names it.
fn credentials(dir: &Path, secret: &str) -> String {
    let path = dir.join("venue.credentials");
    let text = format!("key = '{KEY}'\nsecret = '{secret}'\npassphrase = '{PASSPHRASE}'\n");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    format!("credentials = {path:?}\n")
}

/// A desk that reads a channel with these credentials, and with other waits between attempts.
fn desk(venue: &Venue, channel: &str, secret: &str, waits: &str) -> Desk {
    let dir = tempfile::tempdir().unwrap();
    // A slow machine is no silent venue: where silence is meant, the clock leaps over it.
    let silence = "silence_ms = 600000\n";
    let mut keys = format!("book = \"{channel}\"\n{silence}{}", credentials(dir.path(), secret));
    let usual = "reconnect_ms = 5\nreconnect_max_ms = 20\n";
    keys += &venue.config(dir.path()).replace(usual, if waits.is_empty() { usual } else { waits });
    Desk::of(&config(dir.path(), "coinbase-websocket", &["BTC-USD"], &keys))
}

/// A desk that the venue knows.
pub(crate) fn known(venue: &Venue, channel: &str) -> Desk {
    desk(venue, channel, SECRET, "")
}

/// When a subscription was signed.
fn timestamp(subscription: &str) -> Option<u64> {
    let said: Value = serde_json::from_str(subscription).unwrap();
    said["timestamp"].as_str()?.parse().ok()
}

/// Why the venue does not take a subscription at this second of its clock.
fn judge(subscription: &str, clock: u64) -> Result<(), &'static str> {
    let said: Value = serde_json::from_str(subscription).unwrap();
    let field = |name: &str| said[name].as_str().ok_or("authentication is required");
    if (field("key")?, field("passphrase")?) != (KEY, PASSPHRASE) {
        return Err("invalid key or passphrase");
    }
    let seconds = timestamp(subscription).ok_or("invalid timestamp")?;
    if seconds.abs_diff(clock) > 30 {
        return Err("timestamp expired");
    }
    let mut hmac =
        Hmac::<Sha256>::new_from_slice(&BASE64.decode(SECRET.as_bytes()).unwrap()).unwrap();
    hmac.update(format!("{seconds}GET/users/self/verify").as_bytes());
    let signature = BASE64.decode(field("signature")?.as_bytes()).map_err(|_| "no base64")?;
    hmac.verify_slice(&signature).map_err(|_| "invalid signature")
}

fn seconds(desk: &Desk) -> u64 {
    desk.now().nanos() / 1_000_000_000
}

/// The venue's answer to a subscription that it does not take, with all that it must not repeat.
fn refusal(why: &str, subscription: &str) -> String {
    let said: Value = serde_json::from_str(subscription).unwrap();
    let slashed = said["signature"].to_string().replace('/', r"\/");
    format!(
        r#"{{"type":"error","message":"Authentication Failed","reason":"{why}","said":[{},{},{slashed}]}}"#,
        said["passphrase"], said["signature"],
    )
}

/// What of a subscription nobody else may see, as texts may hold it.
fn secrets(subscription: &str) -> Vec<String> {
    let said: Value = serde_json::from_str(subscription).unwrap();
    let signature = said["signature"].as_str().unwrap();
    [
        PASSPHRASE,
        SECRET,
        signature,
        &PASSPHRASE.replace('"', "\\\""),
        &signature.replace('/', r"\/"),
    ]
    .map(str::to_owned)
    .into()
}

fn joined(session: &mut Session, desk: &mut Desk) {
    session.send(SNAPSHOT);
    desk.until_state(0, BookState::Live);
}

#[test]
fn every_subscription_is_signed_when_it_is_sent() {
    let venue = Venue::new();
    let mut desk = known(&venue, "level2");
    let mut session = venue.accept(&mut desk);
    let text = session.text(&mut desk);
    assert_eq!(judge(&text, seconds(&desk)), Ok(()), "{text}");
    assert!(text.starts_with(r#"{"channels":["level2","heartbeat","matches"],"key":"#), "{text}");
    joined(&mut session, &mut desk);

    // The book is asked for again on the same connection, by a signature of then.
    session.send(&trade(7));
    desk.until_received(2);
    desk.later(Nanos::from_secs(5));
    session.send(&trade(9));
    let left = session.text(&mut desk);
    let plain = r#"{"channels":["level2"],"product_ids":["BTC-USD"],"type":"unsubscribe"}"#;
    assert_eq!(left, plain);
    let again = session.text(&mut desk);
    assert_eq!(judge(&again, seconds(&desk)), Ok(()), "{again}");
    assert!(timestamp(&again).unwrap() >= timestamp(&text).unwrap() + 5);
    joined(&mut session, &mut desk);

    // The connection is silent for eleven minutes, and the next has a time of its own.
    desk.later(Nanos::from_secs(660));
    assert!(session.is_left(&mut desk));
    let mut session = venue.accept(&mut desk);
    let anew = session.text(&mut desk);
    assert_eq!(judge(&anew, seconds(&desk)), Ok(()), "{anew}");
    assert_eq!(judge(&again, seconds(&desk)), Err("timestamp expired"));
    joined(&mut session, &mut desk);
    assert_eq!((desk.counters().refused, desk.counters().connections), (0, 2));
}

#[test]
fn a_refusal_is_told_without_secrets_and_another_attempt_waits() {
    let venue = Venue::new();
    let wrong = BASE64.encode(b"another secret");
    for (secret, ahead, why) in
        [(wrong.as_str(), 0, "invalid signature"), (SECRET, 45, "timestamp expired")]
    {
        let mut desk = desk(&venue, "level2", secret, LONG);
        let mut session = venue.accept(&mut desk);
        let text = session.text(&mut desk);
        assert_eq!(judge(&text, seconds(&desk) + ahead), Err(why));
        session.send(&refusal(why, &text));
        assert!(session.is_left(&mut desk));
        let problem = desk.problem();
        assert!(problem.contains("Authentication Failed") && problem.contains(why), "{problem}");
        assert!(problem.contains("****"), "{problem}");
        for secret in secrets(&text) {
            assert!(!problem.contains(&secret), "{secret} in {problem}");
        }
        (0..200).for_each(|_| desk.poll());
        assert!(venue.is_alone());
        assert_eq!((desk.counters().refused, desk.open()), (1, 0));
        desk.later(Nanos::from_secs(721));
        drop(venue.accept(&mut desk));
    }
}

/// The engine subscribes, is refused, and says so.
fn refused(venue: &Venue) -> Vec<String> {
    let mut session = venue.accept(&mut Alone);
    let text = session.text(&mut Alone);
    session.send(&refusal("invalid signature", &text));
    assert!(session.is_left(&mut Alone));
    secrets(&text)
}

#[test]
fn an_engine_and_a_recorder_keep_nothing_of_a_venue_that_repeats_our_secrets() {
    let (lab, venue) = (Lab::synthetic(1), Venue::new());
    let keys = credentials(lab.dir(), SECRET);
    configure(&lab, &venue, "coinbase-websocket", &format!("book = \"level2\"\n{keys}"));
    let log = "[log]\nlevel = \"trace\"\nfile = \"engine.log\"\n\n[control]";
    let waits = ("reconnect_ms = 5\nreconnect_max_ms = 20\n", LONG.to_owned());
    lab.change("engine.toml", &[("[control]", log.to_owned()), waits]);
    let exchange = lab.exchange(&[]);
    let engine = lab.engine();
    let mut secrets = refused(&venue);
    let socket = lab.dir().join("engine/touchline.sock");
    let ask = ["ctl", "--socket", socket.to_str().unwrap(), "status"];
    let status = eventually("its refusal", || {
        // Its socket may not be there yet.
        let (status, said) = Host::start(lab.dir(), "status.out", &ask).wait();
        (status.success() && said.contains("invalid signature")).then_some(said)
    });
    assert!(status.contains("****"), "{status}");
    let report = engine.stop();
    assert!(report.contains("1 subscriptions refused"), "{report}");
    exchange.stop();
    let recorder = Host::start(lab.dir(), "record.out", &["record", "engine.toml", "a.events"]);
    secrets.extend(refused(&venue));
    eventually("its words", || recorder.output().contains("invalid signature").then_some(()));
    recorder.interrupt();
    let (status, said) = recorder.wait();
    assert!(!status.success() && said.contains("no market data came"), "{said}");
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    hold_no_secret([lab.dir(), lab.hot()], &secrets);
}
