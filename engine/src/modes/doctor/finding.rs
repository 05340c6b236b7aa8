//! A finding of the doctor, as a line for people and as JSON for machines.

use serde::Serialize;
use std::fmt::Write as _;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// As a hot core wants it.
    Ok,
    /// Good to know, or not to be known.
    Note,
    /// Costs latency.
    Warning,
    /// What runs here measures wrongly, or does not run.
    Fatal,
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Severity::Ok => "ok",
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Fatal => "FATAL",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// Name of the check.
    pub(super) check: &'static str,
    /// What was found.
    pub(super) found: String,
    /// What it costs; empty when nothing.
    pub(super) costs: String,
    /// The command or kernel parameter that mends it; empty when there is nothing to mend.
    pub(super) mend: String,
}

impl Finding {
    fn new(severity: Severity, check: &'static str, found: impl Into<String>) -> Finding {
        let (costs, mend) = (String::new(), String::new());
        Finding { severity, check, found: found.into(), costs, mend }
    }

    /// All is well.
    pub(super) fn ok(check: &'static str, found: impl Into<String>) -> Finding {
        Finding::new(Severity::Ok, check, found)
    }

    /// Good to know.
    pub(super) fn note(check: &'static str, found: impl Into<String>) -> Finding {
        Finding::new(Severity::Note, check, found)
    }

    /// Costs latency.
    pub(super) fn warning(check: &'static str, found: impl Into<String>) -> Finding {
        Finding::new(Severity::Warning, check, found)
    }

    /// Must be mended first.
    pub(super) fn fatal(check: &'static str, found: impl Into<String>) -> Finding {
        Finding::new(Severity::Fatal, check, found)
    }

    /// The host does not say.
    pub(super) fn unknown(check: &'static str, why: impl AsRef<str>) -> Finding {
        Finding::note(check, format!("cannot tell: {}", why.as_ref()))
    }

    /// A warning if `bad`, else well.
    pub(super) fn warning_if(bad: bool, check: &'static str, found: impl Into<String>) -> Finding {
        let severity = if bad { Severity::Warning } else { Severity::Ok };
        Finding::new(severity, check, found)
    }

    /// What it costs. Of something that is well, nothing is said.
    pub(super) fn costs(mut self, costs: impl Into<String>) -> Finding {
        if self.severity > Severity::Ok {
            self.costs = costs.into();
        }
        self
    }

    /// How to mend it.
    pub(super) fn mend(mut self, mend: impl Into<String>) -> Finding {
        if self.severity > Severity::Ok {
            self.mend = mend.into();
        }
        self
    }
}

/// A line each, then one that counts them.
pub(super) fn text(findings: &[Finding], colour: bool) -> String {
    let mut text = String::new();
    for finding in findings {
        let word = finding.severity.word();
        let (on, off) = match (colour, finding.severity) {
            (true, Severity::Fatal) => ("\x1b[1;31m", "\x1b[0m"),
            (true, Severity::Warning) => ("\x1b[33m", "\x1b[0m"),
            _ => ("", ""),
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "{on}{word:<7}{off} {:<12} {}", finding.check, finding.found);
        for (name, part) in [("costs", &finding.costs), ("mend", &finding.mend)] {
            if !part.is_empty() {
                let _ = write!(text, "; {name}: {part}");
            }
        }
        text.push('\n');
    }
    let count = |severity| findings.iter().filter(|one| one.severity == severity).count();
    let (fatal, warnings) = (count(Severity::Fatal), count(Severity::Warning));
    let (notes, well) = (count(Severity::Note), count(Severity::Ok));
    let _ = writeln!(text, "{fatal} fatal, {warnings} warnings, {notes} notes, {well} ok");
    text
}

#[derive(Serialize)]
struct Page<'a> {
    build: &'static str,
    severity: Severity,
    exit: u8,
    findings: &'a [Finding],
}

/// One object, with the list of findings in it.
pub(super) fn json(findings: &[Finding], exit: u8) -> serde_json::Result<String> {
    let severity = findings.iter().map(|one| one.severity).max().unwrap_or(Severity::Ok);
    serde_json::to_string_pretty(&Page { build: crate::BUILD, severity, exit, findings })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_finding() {
        let findings = [
            Finding::fatal("clock", "no TSC").costs("every figure is wrong").mend("tsc=reliable"),
            Finding::ok("swap", "none").costs("left out").mend("left out"),
            Finding::unknown("fair server", "no debugfs"),
        ];
        let expected = "\
FATAL   clock        no TSC; costs: every figure is wrong; mend: tsc=reliable
ok      swap         none
note    fair server  cannot tell: no debugfs
1 fatal, 0 warnings, 1 notes, 1 ok
";
        assert_eq!(text(&findings, false), expected);
        assert!(text(&findings, true).starts_with("\x1b[1;31mFATAL  \x1b[0m clock"));
        let page: serde_json::Value = serde_json::from_str(&json(&findings, 4).unwrap()).unwrap();
        assert_eq!((&page["severity"], &page["exit"]), (&"fatal".into(), &4.into()));
        assert_eq!(page["findings"][0]["mend"], "tsc=reliable");
    }
}
