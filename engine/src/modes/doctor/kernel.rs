//! What the kernel does on hot CPUs by itself: isolation, interrupts, and the time that it keeps for
//! ordinary threads.

use super::finding::Finding;
use super::host::{Host, Hot, parameter, release};
use super::measure::Window;
use crate::config::cores::ranges;
use crate::runtime::cores::parse_list;
use market::Nanos;
use std::collections::{BTreeMap, BTreeSet};

/// Interrupts a second on a hot CPU that are worth a word: more than the residual tick of 1 Hz.
const SILENT: u64 = 10;
/// Timer ticks a second of the fastest tick there is, and other interrupts worth a warning.
const TICKS_MAX: u64 = 1_050;
const OTHERS_MAX: u64 = 100;

pub(super) fn check(host: &Host, hot: &Hot, window: &Window) -> Vec<Finding> {
    let isolated = host.read("sys/devices/system/cpu/isolated");
    let cmdline = host.read("proc/cmdline");
    let mut findings = vec![isolation(isolated.as_deref(), cmdline.as_deref(), hot)];
    findings.push(match &window.interrupts {
        [Ok(before), Ok(after)] => interrupts(before, after, hot, elsewhere(hot, window)),
        [Err(why), _] | [_, Err(why)] => Finding::unknown("interrupts", why),
    });
    let release = host.read("proc/sys/kernel/osrelease");
    let fair = fair_servers(host, hot);
    findings.push(fair_server(release.as_deref(), &fair, hot));
    findings.push(throttling(host.number("proc/sys/kernel/sched_rt_runtime_us")));
    findings
}

/// Hot CPUs that the scheduler, the tick and RCU leave alone.
fn isolation(
    isolated: Result<&str, &String>,
    cmdline: Result<&str, &String>,
    hot: &Hot,
) -> Finding {
    let (isolated, cmdline) = match (isolated, cmdline) {
        (Ok(isolated), Ok(cmdline)) => (parse_list(isolated), cmdline),
        (Err(why), _) | (_, Err(why)) => return Finding::unknown("isolation", why),
    };
    let of = |key| parameter(cmdline, key).map(parse_list).unwrap_or_default();
    let kinds =
        [("isolcpus", isolated), ("nohz_full", of("nohz_full")), ("rcu_nocbs", of("rcu_nocbs"))];
    let open = |set: &BTreeSet<usize>| hot.cpus.difference(set).copied().collect::<BTreeSet<_>>();
    let lacking: Vec<_> = kinds.iter().filter(|(_, set)| !open(set).is_empty()).collect();
    if hot.cpus.is_empty() {
        return Finding::unknown("isolation", "no hot thread is pinned");
    }
    let list = hot.list();
    if lacking.is_empty() {
        let found = format!("hot CPUs {list}: isolcpus, nohz_full and rcu_nocbs");
        return Finding::ok("isolation", found);
    }
    let names = lacking.iter().map(|(name, set)| match open(set) == hot.cpus {
        true => (*name).to_owned(),
        false => format!("{name} ({})", ranges(&open(set))),
    });
    let found = format!("hot CPUs {list} without {}", names.collect::<Vec<_>>().join(", "));
    let wanted = lacking.iter().map(|(name, _)| match *name {
        "isolcpus" => format!("isolcpus=managed_irq,domain,{list}"),
        name => format!("{name}={list}"),
    });
    Finding::warning("isolation", found)
        .costs("other threads, a tick every 1 to 4 ms and RCU's work run on them: see jitter")
        .mend(format!(
            "{} on the kernel command line, and a reboot",
            wanted.collect::<Vec<_>>().join(" ")
        ))
}

/// Interrupts of each CPU by name: `LOC`, `RES`, or a device's. Lines that are no rows are left out.
fn rows(text: &str) -> BTreeMap<String, BTreeMap<usize, u64>> {
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default().split_whitespace();
    let cpus: Vec<usize> = head.filter_map(|word| word.strip_prefix("CPU")?.parse().ok()).collect();
    let mut rows = BTreeMap::new();
    for line in lines {
        let Some((number, rest)) = line.split_once(':') else { continue };
        let words: Vec<_> = rest.split_whitespace().collect();
        let counts = words.iter().map_while(|word| word.parse::<u64>().ok());
        let counts: BTreeMap<_, _> = cpus.iter().copied().zip(counts).collect();
        let number = number.trim();
        let device = number.parse::<u32>().is_ok();
        let name = if device { words.last().copied().unwrap_or(number) } else { number };
        rows.insert(format!("{name} {number}"), counts);
    }
    rows
}

/// Time that hot CPUs gave neither to the spinning thread nor to another one.
fn elsewhere(hot: &Hot, window: &Window) -> Nanos {
    let spun = hot.cpus.iter().filter_map(|cpu| window.of(*cpu));
    let lost = spun.map(|spun| {
        let waited = spun.usage.map_or(0, |usage| usage.waited.get());
        spun.stolen.get().saturating_sub(waited)
    });
    Nanos::new(lost.sum())
}

/// What came to the hot CPUs in a second.
fn interrupts(before: &str, after: &str, hot: &Hot, took: Nanos) -> Finding {
    let (before, after) = (rows(before), rows(after));
    let mut came: Vec<(u64, &str)> = Vec::new();
    for (name, counts) in &after {
        let old = before.get(name);
        let on = |cpu: &usize| {
            let now = counts.get(cpu).copied().unwrap_or(0);
            now.saturating_sub(old.and_then(|old| old.get(cpu)).copied().unwrap_or(0))
        };
        let count: u64 = hot.cpus.iter().map(on).sum();
        if count > 0 {
            came.push((count, name.split(' ').next().unwrap_or(name)));
        }
    }
    if after.is_empty() || hot.cpus.is_empty() {
        return Finding::unknown("interrupts", "no counts of a hot CPU");
    }
    came.sort_unstable_by(|one, other| other.cmp(one));
    let total: u64 = came.iter().map(|(count, _)| count).sum();
    let named = came.iter().take(5).map(|(count, name)| format!("{name} {count}"));
    let list = hot.list();
    let found = format!(
        "{total} on hot CPUs {list} in the second of spinning: {}",
        named.collect::<Vec<_>>().join(", ")
    );
    let found = found.trim_end_matches(": ");
    let ticks: u64 = came.iter().filter(|(_, name)| *name == "LOC").map(|(count, _)| count).sum();
    let loud = ticks > TICKS_MAX * hot.cpus.len() as u64;
    let finding = match total {
        0..=SILENT => Finding::ok("interrupts", found),
        _ if loud || total - ticks > OTHERS_MAX => Finding::warning("interrupts", found),
        _ => Finding::note("interrupts", found),
    };
    finding
        .costs(format!(
            "with the hypervisor's doings they took {took} of the second (measured); about 18 µs \
             each on a virtual machine, 1 to 5 on metal"
        ))
        .mend(format!(
            "LOC: nohz_full={list}; devices: stop irqbalance, write the other CPUs into \
             /proc/irq/N/smp_affinity_list; RES, CAL, TLB come from what else runs: move it away"
        ))
}

/// Runtime of each hot CPU's fair server, as far as it can be read.
fn fair_servers(host: &Host, hot: &Hot) -> Vec<Result<i64, String>> {
    let file = |cpu| format!("sys/kernel/debug/sched/fair_server/cpu{cpu}/runtime");
    hot.cpus.iter().map(|cpu| host.number(&file(cpu))).collect()
}

/// Since 6.12 ordinary threads get some 50 ms of each second even from a real-time one.
fn fair_server(
    version: Result<&str, &String>,
    runtimes: &[Result<i64, String>],
    hot: &Hot,
) -> Finding {
    let check = "fair server";
    let Some(version) = version.ok().and_then(release) else {
        return Finding::unknown(check, "the kernel's release cannot be read");
    };
    if version < (6, 12) {
        return Finding::ok(check, format!("none in a kernel {}.{}", version.0, version.1));
    }
    let on = runtimes.iter().flatten().any(|runtime| *runtime > 0);
    if !runtimes.is_empty() && !on && runtimes.iter().all(Result::is_ok) {
        return Finding::ok(check, "off on every hot CPU");
    }
    let found = match on {
        true => "on".to_owned(),
        false => format!("on, as kernels from 6.12 are ({}.{} here)", version.0, version.1),
    };
    Finding::note(check, found)
        .costs(
            "ordinary threads that wait on a hot CPU get about 50 ms of each second in one piece, \
             also from a real-time thread",
        )
        .mend(format!(
            "keep other threads off CPUs {}; else mount -t debugfs none /sys/kernel/debug and \
             echo 0 > /sys/kernel/debug/sched/fair_server/cpuN/runtime for each",
            hot.list()
        ))
}

/// The older way to the same end.
fn throttling(runtime: Result<i64, String>) -> Finding {
    let check = "rt throttle";
    match runtime {
        Err(why) => Finding::unknown(check, why),
        Ok(-1) => Finding::ok(check, "off"),
        Ok(runtime) => Finding::note(check, format!("sched_rt_runtime_us = {runtime} of 1000000"))
            .costs(format!(
                "a real-time thread that spins is stopped for {} ms a second; ordinary ones \
                     are not",
                (1_000_000 - runtime).max(0) / 1_000
            ))
            .mend("sysctl -w kernel.sched_rt_runtime_us=-1, if hot threads run as SCHED_FIFO"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Severity::{Note, Ok as Well, Warning};
    use super::*;

    const BEFORE: &str = "           CPU0       CPU1       \n \
        36:          0    6336504 PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0\n\
        LOC:    6466275    6007368   Local timer interrupts\n\
        CAL:    2093376    1217799   Function call interrupts\n\
        ERR:          0\n";
    const AFTER: &str = "           CPU0       CPU1       \n \
        36:          0    6336604 PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0\n\
        LOC:    6466525    6007618   Local timer interrupts\n\
        CAL:    2093376    1217900   Function call interrupts\n\
        ERR:          0\n";

    const TOOK: Nanos = Nanos::from_millis(20);

    fn hot(cpu: usize) -> Hot {
        Hot { cpus: BTreeSet::from([cpu]), allowed: BTreeSet::from([0, 1]), ..Hot::default() }
    }

    #[test]
    fn interrupts_are_those_of_hot_cpus() {
        let busy = interrupts(BEFORE, AFTER, &hot(1), TOOK);
        assert_eq!(busy.severity, Warning);
        let found =
            "451 on hot CPUs 1 in the second of spinning: LOC 250, CAL 101, virtio1-req.0 100";
        assert_eq!(busy.found, found);
        let calm = interrupts(BEFORE, AFTER, &hot(0), TOOK);
        assert_eq!(calm.severity, Note, "the tick alone: {calm:?}");
        assert!(calm.costs.contains("took 20.00 ms"), "{calm:?}");
        let silent = interrupts(AFTER, AFTER, &hot(1), TOOK);
        assert_eq!((silent.severity, silent.mend.as_str()), (Well, ""));
        for (before, after) in
            [("", ""), ("x", "y:\n:\n: :"), (AFTER, ""), ("CPU0\n", "CPUx\n7: 1")]
        {
            let odd = interrupts(before, after, &hot(0), TOOK);
            assert!(odd.severity < Warning, "{odd:?}");
        }
        // A counter that began anew is no flood.
        assert_eq!(interrupts(AFTER, BEFORE, &hot(1), TOOK).severity, Well);
    }

    #[test]
    fn isolation_names_what_is_lacking() {
        let quiet = "quiet isolcpus=1".to_owned();
        let none = isolation(Ok("\n"), Ok("quiet"), &hot(1));
        assert_eq!(none.severity, Warning);
        let wanted = "isolcpus=managed_irq,domain,1 nohz_full=1 rcu_nocbs=1 on the kernel";
        assert!(none.mend.starts_with(wanted), "{none:?}");
        let half = isolation(Ok("1\n"), Ok("nohz_full=1-3"), &hot(1));
        assert_eq!(half.found, "hot CPUs 1 without rcu_nocbs");
        let both = Hot { cpus: BTreeSet::from([0, 1]), ..hot(1) };
        let part = isolation(Ok("1"), Ok("nohz_full=0-1 rcu_nocbs=0-1"), &both);
        assert_eq!(part.found, "hot CPUs 0-1 without isolcpus (0)");
        let full = isolation(Ok("0-1"), Ok("nohz_full=1 rcu_nocbs=0-1"), &hot(1));
        assert_eq!(full.severity, Well);
        assert!(isolation(Err(&quiet), Ok(""), &hot(1)).found.starts_with("cannot tell"));
        assert!(isolation(Ok(""), Ok(""), &Hot::default()).found.starts_with("cannot tell"));
    }

    #[test]
    fn time_kept_for_ordinary_threads() {
        let old = fair_server(Ok("6.1.0-13-amd64\n"), &[], &hot(1));
        assert_eq!(old.severity, Well);
        let unreadable = [Err("no debugfs".to_owned())];
        assert_eq!(fair_server(Ok("6.18.44"), &unreadable, &hot(1)).severity, Note);
        assert_eq!(fair_server(Ok("6.18.44"), &[Ok(50_000_000)], &hot(1)).found, "on");
        assert_eq!(fair_server(Ok("6.18.44"), &[Ok(0)], &hot(1)).severity, Well);
        assert!(fair_server(Ok("odd"), &[], &hot(1)).found.starts_with("cannot tell"));
        assert_eq!(throttling(Ok(-1)).severity, Well);
        assert!(throttling(Ok(950_000)).costs.contains("50 ms a second"));
        assert!(throttling(Err("x".to_owned())).found.starts_with("cannot tell"));
    }
}
