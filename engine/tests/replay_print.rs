//! `touchline replay --print`: a journal as text, and what its filters let through.

mod rig;

use clap::Parser as _;
use engine::cli::{Cli, Command};
use engine::modes::replay::show;
use engine::trading::ControlKind;
use market::Nanos;
use rig::Rig;
use tempfile::TempDir;

fn lines(rig: &Rig, filter: &[&str]) -> Vec<String> {
    let dir = rig.dir.to_str().unwrap();
    let words = ["touchline", "replay", dir, "--print"].into_iter().chain(filter.iter().copied());
    let Command::Replay(args) = Cli::try_parse_from(words).unwrap().chosen() else {
        panic!("a replay")
    };
    let mut out = Vec::new();
    show(&args, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn shows_both_streams_in_order_of_time_and_filters_them() {
    let root = TempDir::new().unwrap();
    let mut rig = Rig::new(root.path(), 3);
    rig.start();
    rig.run_for(Nanos::from_secs(3));
    rig.control(ControlKind::Kill, "Ada", "drill");
    rig.stop();

    let all = lines(&rig, &[]);
    let has = |text: &str| all.iter().any(|line| line.contains(text));
    for text in [
        "trading        1 start run by touchline",
        "gateway        1 start",
        "out 1 8=FIX.4.4|",
        "|35=A|",
        "|35=D|",
        "command new ",
        "report accepted ",
        "    add TLA buy ",
        "control kill by Ada: drill",
        "end ",
        "the journal is closed cleanly",
    ] {
        assert!(has(text), "{text:?} is not shown");
    }
    let times: Vec<&str> =
        all.iter().filter(|line| line.starts_with("2025")).map(|line| &line[..30]).collect();
    assert!(times.is_sorted(), "not in order of time");

    // One order: its commands, its reports, its frames, and nothing else.
    let new = all.iter().find(|line| line.contains("command new ")).unwrap();
    let id = new.split_whitespace().nth(5).unwrap();
    let of_order = lines(&rig, &["--order", id]);
    assert!(of_order.len() >= 4, "{of_order:?}");
    assert!(of_order.iter().all(|line| line.contains(id)), "{of_order:?}");
    assert!(of_order.iter().any(|line| line.contains("gateway") && line.contains("|35=D|")));

    let of_instrument = lines(&rig, &["--instrument", "TLB"]);
    assert!(of_instrument.len() > 10);
    assert!(!of_instrument.iter().any(|line| line.contains("TLA")), "another instrument");

    // From and to are inclusive, on the journal's own day or on one that is named.
    let to = "15:06:41.5";
    let some = lines(&rig, &["--from", "2025-06-15T15:06:41", "--to", to]);
    let times = some.iter().filter(|line| line.starts_with("2025")).map(|line| &line[11..21]);
    let times: Vec<&str> = times.collect();
    assert!(
        !times.is_empty()
            && times.iter().all(|&time| ("15:06:41.0"..="15:06:41.5").contains(&time))
    );
}

#[test]
fn an_instrument_that_is_not_there_is_named_with_those_that_are() {
    let root = TempDir::new().unwrap();
    let mut rig = Rig::new(root.path(), 3);
    rig.start();
    rig.stop();
    let args = ["touchline", "replay", rig.dir.to_str().unwrap(), "--print", "--instrument", "TLX"];
    let Command::Replay(args) = Cli::try_parse_from(args).unwrap().chosen() else { panic!() };
    let error = show(&args, &mut Vec::new()).unwrap_err().to_string();
    assert_eq!(error, "the journal has no instrument TLX; it has TLA, TLB, TLC, TLD, TLE");
}
