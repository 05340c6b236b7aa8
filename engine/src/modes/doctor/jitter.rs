//! Jitter: what a thread that spins on a CPU does not get of it, and who has it instead.

use super::finding::Finding;
use super::host::Hot;
use super::measure::{GAP_MIN, Spun, Window};
use crate::runtime::usage::Usage;
use hdrhistogram::Histogram;
use market::Nanos;

/// More of a hot CPU's time in gaps than this costs latency worth a warning. Timer ticks alone take
/// up to half of it on a virtual machine: 250 a second of 18 µs.
const STOLEN_MAX: f64 = 0.01;
/// As does a gap longer than this: an order waits that long.
const LONGEST_MAX: Nanos = Nanos::from_micros(500);

/// Every CPU that was spun on, and the sleep of a hot one.
pub(super) fn check(window: &Window, hot: &Hot) -> Vec<Finding> {
    let mut findings: Vec<_> = window.spun.iter().map(|spun| judge(spun, hot)).collect();
    if findings.is_empty() {
        findings.push(Finding::unknown("jitter", "no CPU could be spun on"));
    }
    let first = hot.cpus.first().and_then(|cpu| window.of(*cpu)).or(window.spun.first());
    findings.push(match first {
        Some(spun) => wake_up(spun.cpu, &spun.late, hot.spins),
        None => Finding::unknown("wake-up", "no CPU could be slept on"),
    });
    findings
}

fn judge(spun: &Spun, hot: &Hot) -> Finding {
    let cpu = spun.cpu;
    if let Some(refusal) = &spun.refusal {
        return Finding::unknown("jitter", refusal);
    }
    let is_hot = hot.cpus.contains(&cpu);
    let role = if is_hot { "hot CPU" } else { "CPU" };
    if spun.gaps.is_empty() {
        return Finding::ok("jitter", format!("{role} {cpu}: no gap of {GAP_MIN} or more"));
    }
    let share = spun.stolen.as_secs_f64() / spun.span.as_secs_f64().max(1e-9);
    let (p99, longest) =
        (Nanos::new(spun.gaps.value_at_quantile(0.99)), Nanos::new(spun.gaps.max()));
    let found = format!(
        "{role} {cpu}: {:.1} % of {} stolen in {} gaps, p99 {p99}, longest {longest}{}",
        100.0 * share,
        spun.span,
        spun.gaps.len(),
        spun.usage.as_ref().map_or(String::new(), blame),
    );
    let bad = share > STOLEN_MAX || longest > LONGEST_MAX;
    let finding = match (bad, is_hot) {
        (false, _) => Finding::ok("jitter", found),
        (true, true) => Finding::warning("jitter", found),
        (true, false) => Finding::note("jitter", found),
    };
    let list = hot.list();
    let costs =
        format!("{:.1} % of ticks meet a gap and wait up to {longest} (measured)", 100.0 * share);
    finding.costs(costs).mend(format!(
        "give the hot CPUs to the engine alone: isolcpus=managed_irq,domain,{list} \
         nohz_full={list} rcu_nocbs={list} on the kernel command line; stop what else runs here"
    ))
}

/// Who had the CPU: other threads are counted by the kernel, the rest are interrupts and the
/// hypervisor.
fn blame(usage: &Usage) -> String {
    let faults = usage.minor_faults + usage.major_faults;
    let Usage { involuntary, waited, .. } = usage;
    format!(
        " ({waited} of it to other threads in {involuntary} involuntary switches, {faults} page \
         faults; the rest to interrupts and the hypervisor)"
    )
}

fn wake_up(cpu: usize, late: &Histogram<u64>, spins: bool) -> Finding {
    let at = |quantile| Nanos::new(late.value_at_quantile(quantile));
    let (p50, p99) = (at(0.5), at(0.99));
    let found = format!("CPU {cpu}: a sleep of 50 µs ends {p50} late, p99 {p99}");
    if spins {
        return Finding::ok("wake-up", format!("{found}; hot cores spin and never sleep"));
    }
    Finding::note("wake-up", found)
        .costs(format!(
            "[cores] idle = \"kind\" sleeps when nothing comes: the first tick after a silence \
             waits up to 50 µs and {p50} more, p99 {p99} (measured)"
        ))
        .mend("[cores] idle = \"spin\", on CPUs of the engine's own")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::recorder::empty_histogram;
    use std::collections::BTreeSet;

    fn spun(gaps: &[u64]) -> Spun {
        let mut histogram = empty_histogram();
        gaps.iter().for_each(|gap| histogram.saturating_record(*gap));
        Spun {
            cpu: 1,
            refusal: None,
            span: Nanos::SECOND,
            stolen: Nanos::new(gaps.iter().sum()),
            gaps: histogram.clone(),
            usage: Some(Usage {
                involuntary: 3,
                waited: Nanos::from_millis(8),
                ..Usage::default()
            }),
            late: histogram,
        }
    }

    fn hot(cpu: usize) -> Hot {
        Hot { cpus: BTreeSet::from([cpu]), ..Hot::default() }
    }

    #[test]
    fn only_gaps_of_a_hot_cpu_are_warned_of() {
        use super::super::finding::Severity::{Note, Ok, Warning};
        let gaps = [(spun(&[]), Ok), (spun(&[18_000; 250]), Ok), (spun(&[8_000_000; 2]), Warning)];
        for (spun, severity) in &gaps {
            assert_eq!(judge(spun, &hot(1)).severity, *severity);
        }
        let (stolen, _) = &gaps[2];
        assert_eq!(judge(stolen, &hot(0)).severity, Note);
        let finding = judge(stolen, &hot(1));
        let expected = "hot CPU 1: 1.6 % of 1.00 s stolen in 2 gaps, p99 8.";
        assert!(finding.found.starts_with(expected), "{finding:?}");
        assert!(finding.found.contains("8.00 ms of it to other threads in 3 involuntary"));
        assert!(finding.mend.contains("nohz_full=1 rcu_nocbs=1"), "{finding:?}");
        let refused = Spun { refusal: Some("no".to_owned()), ..spun(&[]) };
        assert_eq!(judge(&refused, &hot(1)).found, "cannot tell: no");
    }

    #[test]
    fn cores_that_spin_need_no_wake_up() {
        use super::super::finding::Severity::{Note, Ok};
        let late = spun(&[18_000; 100]).late;
        assert_eq!(wake_up(1, &late, true).severity, Ok);
        let kind = wake_up(1, &late, false);
        assert!(kind.severity == Note && kind.mend.contains("spin"), "{kind:?}");
    }
}
