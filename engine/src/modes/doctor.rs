//! `touchline doctor`: looks at the host with the eyes of a hot core. What it finds, what that costs
//! (measured where it can be), and how to mend it; the worst first, a line each.
//!
//! It changes nothing on the host and is over in a few seconds. What cannot be read is a finding, not
//! an error. It spins on the CPUs for a second: not beside an engine that trades.

mod crowd;
mod finding;
mod host;
mod jitter;
mod kernel;
mod measure;
mod memory;
mod network;
mod privileges;
mod time;

use crate::cli::{DoctorArgs, Exit};
use crate::config::RunConfig;
use crate::runtime::{clock, cores};
use finding::{Finding, Severity};
use host::{Host, Hot};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Checks the host and prints what it found.
///
/// # Errors
/// A configuration that `check` refuses too, or a failure to print.
pub fn main(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let cpus = cores::allowed();
    let config = match &args.config {
        Some(path) => RunConfig::load(path, &cpus)?,
        None => RunConfig::demo(&cpus)?,
    };
    let findings = examine(&config, &Host::here());
    let exit = exit(&findings);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", finding::json(&findings, exit as u8)?)?;
    } else {
        out.write_all(finding::text(&findings, out.is_terminal()).as_bytes())?;
    }
    Ok(exit.into())
}

/// Every check, the worst finding first; among equals in the order of the checks.
fn examine(config: &RunConfig, host: &Host) -> Vec<Finding> {
    let (clock, _calibrator) = clock::calibrate();
    let hot = Hot::of(config, &cores::allowed());
    // First, as long as nothing of ours has warmed or disturbed the CPUs.
    let window = measure::Window::open(host, &hot, &clock);
    let mut findings = jitter::check(&window, &hot);
    findings.extend(time::check(host, &hot, &clock));
    findings.extend(kernel::check(host, &hot, &window));
    findings.extend(crowd::check(host, &hot, &window));
    findings.extend(privileges::check(host));
    findings.extend(memory::check(host));
    findings.extend(network::check(host, config, &window));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// Notes are no reason to stop a script; warnings differ from what a hot core wants.
fn exit(findings: &[Finding]) -> Exit {
    match findings.iter().map(|finding| finding.severity).max() {
        Some(Severity::Fatal) => Exit::Failure,
        Some(Severity::Warning) => Exit::Differs,
        Some(Severity::Note | Severity::Ok) | None => Exit::Well,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_is_the_exit_code() {
        let ok = Finding::ok("a", "");
        let note = Finding::note("b", "");
        let warning = Finding::warning("c", "");
        let fatal = Finding::fatal("d", "");
        assert_eq!(exit(&[]), Exit::Well);
        assert_eq!(exit(&[ok.clone(), note.clone()]), Exit::Well);
        assert_eq!(exit(&[note.clone(), warning.clone(), ok]), Exit::Differs);
        assert_eq!(exit(&[warning, fatal, note]), Exit::Failure);
    }

    /// A host of which nothing can be read: findings all the same, no panic.
    #[test]
    fn a_host_that_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::under(folder.path());
        let hot = Hot::default();
        let window = measure::Window::empty();
        let all = [
            jitter::check(&window, &hot),
            kernel::check(&host, &hot, &window),
            crowd::check(&host, &hot, &window),
            privileges::check(&host),
            memory::check(&host),
        ];
        let findings: Vec<_> = all.into_iter().flatten().collect();
        let unknown = findings.iter().filter(|one| one.found.starts_with("cannot tell: "));
        assert!(unknown.count() > 8, "{findings:#?}");
        assert!(findings.iter().all(|one| one.severity < Severity::Fatal), "{findings:#?}");
    }
}
