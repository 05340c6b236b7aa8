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
