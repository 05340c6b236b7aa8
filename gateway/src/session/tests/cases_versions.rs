//! What differs between FIX.4.2, FIX.4.4 and FIXT.1.1, and what validation adds.

use super::harness::{Bench, logon_of};
use crate::session::{ConfigError, Disconnect, MemoryStore, Session, SessionConfig, State};
use crate::spec::{CustomField, Validation, Version};

fn acceptor_of(version: Version, validation: Validation) -> Bench {
    let config = SessionConfig { version, validation, ..SessionConfig::acceptor("US", "THEM") };
    let mut bench = Bench::new(config);
    bench.connect().unwrap();
    bench.give("A", 1, logon_of(version)).unwrap();
    assert!(bench.session.is_up());
    bench.sent();
    bench
}

#[test]
fn a_logon_in_every_version_and_role() {
    for version in Version::ALL {
        let answer = format!("A 1 {}", logon_of(version).trim_end_matches('|'));
        for mut bench in [
            Bench::new(SessionConfig { version, ..SessionConfig::initiator("US", "THEM") }),
            Bench::new(SessionConfig { version, ..SessionConfig::acceptor("US", "THEM") }),
        ] {
            bench.connect().unwrap();
            bench.give("A", 1, logon_of(version)).unwrap();
            assert_eq!((bench.session.state(), bench.app.ups), (State::Up, 1));
            let begin = format!("8={}\x019=", version.begin_string());
            assert!(bench.out.bytes.starts_with(begin.as_bytes()));
            assert_eq!(bench.sent(), std::slice::from_ref(&answer));
            assert_eq!(bench.give("5", 2, ""), Err(Disconnect::PeerLogout));
            assert_eq!(bench.sent(), ["5 2"]);
        }
    }
}

#[test]
fn case_1d_fixt_logon_without_default_appl_ver_id_or_with_another() {
    for body in ["98=0|108=30|", "98=0|108=30|1137=7|"] {
        let version = Version::Fix50Sp2;
        let mut bench =
            Bench::new(SessionConfig { version, ..SessionConfig::acceptor("US", "THEM") });
        bench.connect().unwrap();
        assert_eq!(bench.give("A", 1, body), Err(Disconnect::BadLogon));
        assert!(bench.sent().is_empty());
    }
}

#[test]
fn appl_ver_id_in_the_header_is_carried() {
    let mut bench = acceptor_of(Version::Fix50Sp2, Validation::Structure);
    let body = bench.header("B", 2).replace("35=B|", "35=B|1128=9|");
    let body = format!("{body}148=x|33=1|58=news|");
    bench.give_raw(&super::harness::message("FIXT.1.1", &body)).unwrap();
    assert_eq!(bench.app.messages, ["2 B news"]);
    assert!(bench.sent().is_empty());
}

#[test]
fn reject_reasons_that_a_version_does_not_know_are_left_out() {
    for (version, end) in [
        (Version::Fix42, "371=50|372=D"),
        (Version::Fix44, "371=50|372=D|373=14"),
        (Version::Fix50Sp2, "371=50|372=D|373=14"),
    ] {
        let mut bench = acceptor_of(version, Validation::None);
        bench.give("D", 2, "58=x|50=y|").unwrap();
        let text = "Tag specified out of required order";
        assert_eq!(bench.sent(), [format!("3 2 45=2|58={text}|{end}")]);
    }
}

#[test]
fn validation_refuses_what_none_carries() {
    for (validation, unknown, user_defined) in [
        (Validation::None, true, true),
        (Validation::Structure, false, true),
        (Validation::Full, false, false),
    ] {
        for (body, carried) in [("999=HI|", unknown), ("5000=HI|", user_defined)] {
            let mut bench = acceptor_of(Version::Fix44, validation);
            bench.give("0", 2, body).unwrap();
            assert_eq!(bench.sent().is_empty(), carried, "{validation:?} {body}");
            assert_eq!(bench.next_incoming(), 3);
        }
    }
}

#[test]
fn fields_of_a_venue_pass_the_full_validation() {
    let custom = |tag| CustomField { tag, name: "Own".to_owned() };
    let config = SessionConfig {
        validation: Validation::Full,
        custom_fields: vec![custom(5_000), custom(100_010)],
        ..SessionConfig::acceptor("US", "THEM")
    };
    let mut bench = Bench::new(config);
    bench.connect().unwrap();
    bench.give("A", 1, "98=0|108=30|5000=x|").unwrap();
    assert!(bench.session.is_up());
    bench.sent();
    bench.give("0", 2, "100010=y|").unwrap();
    assert!(bench.sent().is_empty());
    bench.give("0", 3, "100011=y|").unwrap();
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn groups_are_counted_whatever_their_number_says() {
    let order = "11=a|55=X|54=1|60=20250717-13:16:40|40=1|38=1|";
    for (group, answer) in [
        ("386=0|", ""),
        ("386=1|336=A|", ""),
        ("386=2|336=A|", "371=386|372=D|373=16"),
        ("386=99999999999999999999|336=A|", "371=386|372=D|373=16"),
        ("386=-1|336=A|", "371=386|372=D|373=6"),
    ] {
        let mut bench = acceptor_of(Version::Fix44, Validation::Structure);
        bench.give("D", 2, &format!("{order}{group}")).unwrap();
        let sent = bench.sent();
        match answer {
            "" => assert!(sent.is_empty(), "{group}: {sent:?}"),
            _ => assert!(sent[0].ends_with(answer), "{group}: {sent:?}"),
        }
        assert_eq!(bench.next_incoming(), 3);
    }
}

#[test]
fn next_expected_is_of_a_later_version() {
    let config = SessionConfig {
        version: Version::Fix42,
        next_expected: true,
        ..SessionConfig::initiator("US", "THEM")
    };
    let refused = Session::new(config, MemoryStore::new(1, 1)).map(drop);
    assert_eq!(refused, Err(ConfigError::NextExpected));
}
