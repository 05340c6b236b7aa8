//! A trader's way to a venue that nobody here knows: a profile in one file, judged, run against
//! QuickFIX, and the day's logs read.
//!
//! The profile is the example of `docs/fix.md`, to the letter.

use crate::fix::Fix;
use crate::host::{Host, eventually};
use crate::lab::{Lab, engine_positions};
use crate::program::Market;
use crate::venue::{MESSAGES, Told, Venue, Voice};
use gateway::spec::Version;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

const DOCUMENTATION: &str = include_str!("../../../docs/fix.md");
const FILE: &str = "venues/meridian-cert.toml";
const PASSWORD: &str = "pl4nted-p4ssword";

/// The profile as a reader copies it.
fn profile() -> &'static str {
    let begin = DOCUMENTATION.find("# Meridian ECN").expect("the example of docs/fix.md");
    DOCUMENTATION[begin..].split_once("```").unwrap().0
}

/// A subcommand that ends well; nothing of it is secret.
fn says(lab: &Lab, output: &str, args: &[&str]) -> String {
    let said = Host::start(lab.dir(), output, args).wait_well();
    assert!(!said.contains(PASSWORD), "{args:?}: {said}");
    said
}

/// The run of a trader: the profile by its name, what is ours, and no TLS to a host on loopback.
fn configure(lab: &Lab, port: u16) {
    std::fs::write(lab.dir().join(FILE), profile()).unwrap();
    let secrets = format!("key = \"quoter7\"\npassphrase = \"{PASSWORD}\"\n");
    let path = lab.dir().join("meridian.credentials");
    std::fs::write(&path, secrets).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let ours = "credentials = \"meridian.credentials\"";
    lab.change(
        "engine.toml",
        &[
            ("venues/demo.toml", FILE.to_owned()),
            ("environment = \"demo\"", "environment = \"test\"".to_owned()),
            (&lab.fix.to_string(), format!("127.0.0.1:{port}")),
            ("\"TOUCHLINE\"", "\"QUOTER7\"".to_owned()),
            ("target_comp_id = \"EXCHANGE\"", ours.to_owned()),
            ("[transport]", "[transport]\ntls = \"off\"".to_owned()),
        ],
    );
}

/// An engine trades until it has had some fills, and stops.
fn trades(lab: &Lab, market: &Mutex<Market>) -> String {
    let before = market.lock().unwrap().count("F");
    let engine = lab.engine();
    eventually("fills", || (market.lock().unwrap().count("F") >= before + 4).then_some(()));
    let report = engine.stop();
    let market = market.lock().unwrap();
    assert!(market.orders.is_empty(), "orders are left at the venue: {report}");
    assert_eq!(engine_positions(&report), market.positions, "{report}");
    assert!(!market.asked.contains_key("q"), "the venue has no mass cancel");
    report
}

#[test]
fn a_venue_from_its_documentation_to_the_log_of_its_day() {
    let test = concat!(module_path!(), "::a_venue_from_its_documentation_to_the_log_of_its_day");
    crate::alone::run(test, walk);
}

fn walk() {
    let lab = Lab::synthetic(10);
    let exchange = lab.exchange(&[]);
    eventually("a session", || lab.session());
    let voice = Arc::new(Voice::named(Version::Fix44, ["MERIDIAN", "QUOTER7"]));
    let market = Arc::new(Mutex::new(Market::new(voice.clone())));
    let logons = Arc::new(Mutex::new(Vec::new()));
    let (ears, heard) = (market.clone(), logons.clone());
    let hear = move |told| {
        if let Told::Admin(text) = &told
            && text.is("A")
        {
            heard.lock().unwrap().push(text.clone());
        }
        ears.lock().unwrap().hear(&told);
    };
    let venue = Venue::answering(voice, lab.dir(), hear);
    configure(&lab, venue.port());

    let judged = says(&lab, "profile.out", &["check", FILE]);
    for part in [
        "venues/meridian-cert.toml: well",
        "hours       Sun 17:00 to Sun 17:00 America/New_York, numbers begin anew with each",
        "logon       553={key}, 554={passphrase}; secret 554",
        "limit       orders: 40 of orders in 1.00 s, sliding, for each session; hold, 25 % for cancels",
        "limit       messages: 100 of all in 1.00 s, fixed_clock, for each session; refuse, 20 % for",
        "at most 3 in 60.00 s",
    ] {
        assert!(judged.contains(part), "no `{part}` in {judged}");
    }
    says(&lab, "run.out", &["check", "engine.toml"]);

    // Two runs of one week: numbers go on.
    let report = trades(&lab, &market);
    assert!(!report.contains(PASSWORD), "{report}");
    trades(&lab, &market);
    drop(venue);
    exchange.stop();
    let logons = logons.lock().unwrap();
    judge_logons(&logons);
    read(&lab, logons.len());
}

/// What the venue wants to hear, and that the second run went on where the first ended.
fn judge_logons(logons: &[Fix]) {
    assert_eq!(logons.len(), 2);
    for logon in logons {
        let said = [553, 554, 9010, 57, 108].map(|tag| logon.need(tag));
        assert_eq!(said, ["quoter7", PASSWORD, "Y", "ORD", "30"]);
        assert_eq!(logon.get(141), None);
    }
    assert!(logons[0].seq() == 1 && logons[1].seq() > 1);
}

/// The venue's log of the day and our own: whole, right, and without the password.
fn read(lab: &Lab, logons: usize) {
    let log = std::fs::read_to_string(lab.dir().join(MESSAGES)).unwrap();
    assert_eq!(log.matches(&format!("554={PASSWORD}\u{1}")).count(), logons, "the control");
    let lines = log.lines().count();
    for (output, args) in [
        ("theirs.out", &["fix", MESSAGES][..]),
        ("known.out", &["fix", "--profile", FILE, MESSAGES]),
        ("ours.out", &["fix", "engine/journal"]),
    ] {
        let said = says(lab, output, args);
        assert!(said.contains("0 of them wrong, 0 garbled parts"), "{said}");
        assert!(said.contains(&format!("554 Password = {}", "*".repeat(PASSWORD.len()))));
        if args.contains(&MESSAGES) {
            assert!(said.contains(&format!("\n{lines} messages, ")), "{lines} lines: {said}");
        }
    }
    let known = says(lab, "json.out", &["fix", "--profile", "engine.toml", "--json", MESSAGES]);
    assert!(known.contains("CancelOnDisconnect") && known.lines().count() == lines);
    // Nothing else that was written holds it.
    for path in [lab.journal(), lab.hot().to_owned()] {
        holds_no_password(&path);
    }
}

fn holds_no_password(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let found = bytes.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
        assert!(!found, "{} holds the password", folder.display());
    }
}
