//! `touchline doctor` as a user runs it: whatever the host, its output can be read and its exit code
//! is one that is documented.

use serde_json::Value;
use std::process::{Command, Output};

const CHECKS: [&str; 27] = [
    "jitter",
    "wake-up",
    "tsc",
    "clocksource",
    "c-states",
    "governor",
    "isolation",
    "interrupts",
    "fair server",
    "rt throttle",
    "hypervisor",
    "pressure",
    "siblings",
    "layout",
    "cpu quota",
    "priority",
    "memlock",
    "mlockall",
    "thp",
    "swap",
    "numa",
    "huge pages",
    "rcvbuf",
    "udp drops",
    "busy poll",
    "io_uring",
    "seccomp",
];

fn doctor(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchline"));
    command.arg("doctor").args(arguments).output().unwrap()
}

/// The severity that stands for an exit code.
fn severity(exit: Option<i32>) -> &'static [&'static str] {
    match exit {
        Some(0) => &["ok", "note"],
        Some(1) => &["warning"],
        Some(4) => &["fatal"],
        other => panic!("exit code {other:?}"),
    }
}

#[test]
fn findings_are_one_object_and_the_worst_is_the_exit_code() {
    let output = doctor(&["--json"]);
    let page: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)));
    let worst = page["severity"].as_str().unwrap();
    assert!(severity(output.status.code()).contains(&worst), "{page}");
    assert_eq!(page["exit"].as_i64(), output.status.code().map(i64::from));
    let order = ["fatal", "warning", "note", "ok"];
    let findings = page["findings"].as_array().unwrap();
    let mut place = 0;
    for finding in findings {
        let word = |key: &str| finding[key].as_str().unwrap_or_else(|| panic!("{key}: {finding}"));
        let next = order.iter().position(|one| *one == word("severity")).unwrap();
        assert!(next >= place, "the worst does not come first: {page}");
        place = next;
        assert!(!word("check").is_empty() && !word("found").is_empty(), "{finding}");
        // What costs latency is told with its price and its cure.
        let told = !word("costs").is_empty() && !word("mend").is_empty();
        assert!(told || next > 1, "{finding}");
    }
    // Every check is explained, and every one but that of a second CPU's counter has a finding.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/latency.md");
    let manual = std::fs::read_to_string(path).unwrap();
    for finding in findings {
        let check = finding["check"].as_str().unwrap();
        assert!(manual.contains(&format!("`{check}`")), "{check} is not in {path}");
    }
    for check in CHECKS {
        assert!(findings.iter().any(|one| one["check"] == check), "{check} is not in {page}");
    }
}

#[test]
fn people_read_a_line_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("engine.toml");
    std::fs::write(&config, "kind = \"run\"\nnonsense = 1\n").unwrap();
    let refused = doctor(&[config.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("nonsense"));

    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/demo.toml");
    let output = doctor(&[demo]);
    let text = String::from_utf8(output.stdout).unwrap();
    let (last, findings) = text.lines().collect::<Vec<_>>().split_last().map_or_else(
        || panic!("nothing was said"),
        |(last, findings)| ((*last).to_owned(), findings.len()),
    );
    let counts = last.split(", ").map(|part| part.split(' ').next().unwrap().parse::<usize>());
    assert_eq!(counts.map(Result::unwrap).sum::<usize>(), findings, "{text}");
    assert!(!severity(output.status.code()).is_empty());
}
