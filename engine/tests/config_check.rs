//! `touchline check` as a user runs it: what it prints and how it ends.

use std::path::Path;
use std::process::{Command, Output};

fn touchline(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Command::new(env!("CARGO_BIN_EXE_touchline"))
        .args(arguments)
        .current_dir(root)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_good_file_is_described_and_ends_with_0() {
    let output = touchline(&["check", "config/demo.toml"]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{out}");
    assert!(out.starts_with("config/demo.toml: well\n"), "{out}");
    for part in
        ["glft: gamma = 4", "TLE         glft", "200000 USD", "300 bps", "239.192.77.1:31001"]
    {
        assert!(out.contains(part), "no `{part}` in\n{out}");
    }
    for file in ["exchange.toml", "backtest.toml", "arl.toml", "instruments/arl.toml"] {
        let output = touchline(&["check", &format!("config/{file}")]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}

#[test]
fn a_bad_file_ends_with_3_and_the_command_line_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.toml");
    std::fs::write(&path, "kind = \"run\"\n\n[quoter]\npost_onli = true\n").unwrap();
    let output = touchline(&["check", path.to_str().unwrap()]);
    let err = text(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{err}");
    assert!(err.contains("bad.toml:4:1") && err.contains("did you mean `post_only`?"), "{err}");
    assert!(err.ends_with("bad.toml is refused\n"), "{err}");

    let output = touchline(&["chekc"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let output = touchline(&["check", "lost.toml"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("cannot read lost.toml"), "{}", text(&output.stderr));
    assert_eq!(touchline(&["--help"]).status.code(), Some(0));
}

/// The example of docs/fix.md as a reader copies it, and as it is understood.
#[test]
fn the_profile_of_the_documentation_is_described() {
    let documentation = include_str!("../../docs/fix.md");
    let begin = documentation.find("# Meridian ECN").unwrap();
    let profile = documentation[begin..].split_once("```").unwrap().0;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meridian-cert.toml");
    std::fs::write(&path, profile).unwrap();
    let output = touchline(&["check", path.to_str().unwrap()]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{out}");
    let (head, rest) = out.split_once('\n').unwrap();
    assert!(head.ends_with("meridian-cert.toml: well"), "{head}");
    let expected = "\
venue       meridian-cert (test) at fix-cert.meridian.example:7001
session     FIX.4.4, reset at logon refused, unsigned; cancel on disconnect asked for by 9010=Y
hours       Sun 17:00 to Sun 17:00 America/New_York, numbers begin anew with each session day
logon       553={key}, 554={passphrase}; secret 554
orders      ids decimal, replaced, canceled one by one, open ones by mass_status
limit       orders: 40 of orders in 1.00 s, sliding, for each session; hold, 25 % for cancels
limit       messages: 100 of all in 1.00 s, fixed_clock, for each session; refuse, 20 % for cancels
transport   TLS 1.2, reconnects after 500.00 ms to 30.00 s, at most 3 in 60.00 s, kernel stamps off
";
    assert_eq!(rest, expected);
}

/// Market data by FIX wants a session and no lines, and is described.
#[test]
fn market_data_by_fix_is_checked_and_described() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let demo = std::fs::read_to_string(root.join("demo.toml")).unwrap();
    let here = |text: &str, name: &str| {
        let path = root.join(name);
        text.replace(&format!("\"{name}\""), &format!("\"{}\"", path.display()))
    };
    let demo = here(&here(&demo, "instruments/demo.toml"), "venues/demo.toml");
    let demo = demo.replace("[feed]", "[feed]\nprotocol = \"fix\"");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fix.toml");
    let check = |text: &str| {
        std::fs::write(&path, text).unwrap();
        touchline(&["check", path.to_str().unwrap()])
    };
    let refused = check(&demo);
    let err = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3), "{err}");
    for part in [
        "[market_data_session] address is missing",
        "[feed] line_a is given, and protocol is \"fix\"",
        "[feed] retransmit is given",
    ] {
        assert!(err.contains(part), "no `{part}` in\n{err}");
    }
    let keys = ["line_a", "line_b", "interface", "retransmit"];
    let kept = demo.lines().filter(|line| !keys.iter().any(|key| line.starts_with(key)));
    let session = "[market_data_session]\naddress = \"127.0.0.1:9880\"\nsender_comp_id = \"EARS\"";
    let good = format!("{}\n\n{session}\n", kept.collect::<Vec<_>>().join("\n"));
    let taken = check(&good);
    let (out, err) = (text(&taken.stdout), text(&taken.stderr));
    assert_eq!((taken.status.code(), err.as_str()), (Some(0), ""), "{out}");
    let line = "market data EARS to EXCHANGE at 127.0.0.1:9880: whole books by levels\n";
    assert!(out.contains(line), "{out}");
}

/// A strategy that could quote nothing is found out before it runs.
#[test]
fn an_order_below_the_smallest_is_refused_by_its_instrument() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let run = std::fs::read_to_string(root.join("backtest.toml")).unwrap();
    let size = run.lines().find(|line| line.starts_with("size = ")).unwrap();
    let list = root.join("instruments/demo.toml").display().to_string();
    let run = run.replace("instruments/demo.toml", &list).replace(size, "size = 0.25");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.toml");
    std::fs::write(&path, run).unwrap();
    let refused = touchline(&["check", path.to_str().unwrap()]);
    let err = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3), "{err}");
    for part in [
        "`size` = 0.25 is less than the smallest order of TLA, 1",
        "found 0.25",
        "it would quote nothing there: give at least 1",
    ] {
        assert!(err.contains(part), "no `{part}` in\n{err}");
    }
}
