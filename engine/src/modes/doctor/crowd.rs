//! Who else is here: the hypervisor, other programs, quotas of a container, and hot threads that sit
//! on one another's CPUs.

use super::finding::Finding;
use super::host::{Host, Hot};
use super::measure::Window;
use crate::config::cores::ranges;
use crate::runtime::cores::parse_list;
use std::collections::{BTreeMap, BTreeSet};

/// Share of time with a runnable thread that has no CPU, in hundredths.
const PRESSURE_MAX: f64 = 5.0;

pub(super) fn check(host: &Host, hot: &Hot, window: &Window) -> Vec<Finding> {
    let cpuinfo = host.read("proc/cpuinfo");
    let stolen = match &window.stat {
        [Ok(before), Ok(after)] => Ok((before.as_str(), after.as_str())),
        [Err(why), _] | [_, Err(why)] => Err(why.clone()),
    };
    let siblings = hot.cpus.iter().map(|cpu| {
        let path = format!("sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
        (*cpu, host.read(&path).map(|text| parse_list(&text)))
    });
    vec![
        hypervisor(cpuinfo.as_deref(), stolen, hot),
        pressure(host.read("proc/pressure/cpu")),
        siblings_of(&siblings.collect(), hot),
        layout(hot),
        quota(quota_text(host), hot),
    ]
}

/// Ticks stolen by the hypervisor and ticks in all, by CPU, of `/proc/stat`.
fn stat(text: &str) -> BTreeMap<usize, (u64, u64)> {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let cpu = words.next()?.strip_prefix("cpu")?.parse().ok()?;
        let ticks: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
        let all = ticks.iter().take(8).fold(0u64, |sum, tick| sum.saturating_add(*tick));
        Some((cpu, (*ticks.get(7)?, all)))
    };
    text.lines().filter_map(row).collect()
}

fn hypervisor(
    cpuinfo: Result<&str, &String>,
    stolen: Result<(&str, &str), String>,
    hot: &Hot,
) -> Finding {
    let check = "hypervisor";
    let cpuinfo = match cpuinfo {
        Ok(cpuinfo) => cpuinfo,
        Err(why) => return Finding::unknown(check, why),
    };
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    if !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        return Finding::ok(check, "none");
    }
    let (steal, all) = match stolen {
        Err(why) => return Finding::unknown(check, format!("a virtual machine; {why}")),
        Ok((before, after)) => {
            let (before, after) = (stat(before), stat(after));
            hot.cpus.iter().fold((0, 0), |(steal, all), cpu| {
                let of =
                    |map: &BTreeMap<usize, (u64, u64)>| map.get(cpu).copied().unwrap_or((0, 0));
                let (old, new) = (of(&before), of(&after));
                (steal + new.0.saturating_sub(old.0), all + new.1.saturating_sub(old.1))
            })
        }
    };
    let found = format!("a virtual machine; {steal} of {all} ticks of hot CPUs stolen in a second");
    let mend = "hosts with CPUs of your own (dedicated, pinned vCPUs), or metal";
    if steal > 0 {
        return Finding::warning(check, found)
            .costs("while the hypervisor runs others, nothing here runs: see the longest gap of jitter")
            .mend(mend);
    }
    Finding::note(check, found)
        .costs("each timer tick and interrupt leaves the machine and comes back, about 18 µs")
        .mend(mend)
}

fn pressure(text: Result<String, String>) -> Finding {
    let check = "pressure";
    let text = match text {
        Ok(text) => text,
        Err(why) => return Finding::unknown(check, why),
    };
    let some = text.lines().find_map(|line| line.strip_prefix("some "));
    let avg = some.and_then(|line| line.split_whitespace().find_map(|w| w.strip_prefix("avg10=")));
    let Some(avg) = avg.and_then(|avg| avg.parse::<f64>().ok()) else {
        return Finding::unknown(check, "/proc/pressure/cpu does not say some avg10");
    };
    let found = format!("{avg} % of the last 10 s some thread waited for a CPU");
    Finding::warning_if(avg > PRESSURE_MAX, check, found)
        .costs("what waits takes turns on hot CPUs that are not isolated, milliseconds at a time")
        .mend("stop what else runs (top -H), or keep it off with cpusets or taskset")
}

/// Two hardware threads of one core share its units and caches.
fn siblings_of(siblings: &BTreeMap<usize, Result<BTreeSet<usize>, String>>, hot: &Hot) -> Finding {
    let check = "siblings";
    let mut shared = BTreeSet::new();
    for (cpu, list) in siblings {
        match list {
            Err(why) => return Finding::unknown(check, why),
            Ok(list) => shared.extend(list.iter().copied().filter(|other| other != cpu)),
        }
    }
    if siblings.is_empty() {
        return Finding::unknown(check, "no hot thread is pinned");
    }
    if shared.is_empty() {
        return Finding::ok(check, format!("hot CPUs {} share their cores with none", hot.list()));
    }
    let among: BTreeSet<_> = shared.intersection(&hot.cpus).copied().collect();
    let costs = "a busy sibling takes up to half of a core's speed";
    if among.is_empty() {
        let found = format!("hot CPUs {} share their cores with {}", hot.list(), ranges(&shared));
        return Finding::note(check, found).costs(costs).mend(format!(
            "echo 0 > /sys/devices/system/cpu/cpuN/online for N in {}, or nosmt",
            ranges(&shared)
        ));
    }
    Finding::warning(check, format!("hot CPUs {} are siblings of hot CPUs", ranges(&among)))
        .costs(costs)
        .mend("give each hot thread a core of its own in [cores]")
}

/// Hot threads and where they stand.
fn layout(hot: &Hot) -> Finding {
    let check = "layout";
    let mut places: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (name, cpu) in &hot.threads {
        if let Some(cpu) = cpu {
            places.entry(*cpu).or_default().push(name);
        }
    }
    let shown = hot.threads.iter().map(|(name, cpu)| match cpu {
        Some(cpu) => format!("{name} on CPU {cpu}"),
        None => format!("{name} unpinned"),
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    if hot.threads.is_empty() {
        return Finding::unknown(check, "there are no hot threads");
    }
    if let Some((cpu, names)) = places.iter().find(|(_, names)| names.len() > 1) {
        return Finding::warning(check, format!("{} share CPU {cpu}", names.join(" and ")))
            .costs("threads on one CPU take turns of milliseconds")
            .mend(
                "give their stages one CPU in [cores], so that they are one thread, or two CPUs",
            );
    }
    let crowded = hot.spins && hot.cpus.len() >= hot.allowed.len();
    if crowded {
        return Finding::warning(check, format!("{shown}: no CPU is left for anything else"))
            .costs("journal, log and control run on hot CPUs, milliseconds at a time")
            .mend("leave one CPU out of [cores], or fuse stages on one CPU");
    }
    if hot.threads.iter().any(|(_, cpu)| cpu.is_none()) {
        return Finding::note(check, shown)
            .costs("a thread that wanders finds cold caches: some 10 to 100 µs each time")
            .mend("[cores] pin = true, and a CPU for each stage");
    }
    if hot.cpus.contains(&0) {
        return Finding::note(check, shown)
            .costs("CPU 0 serves most interrupts and timers of the kernel")
            .mend("take another CPU in [cores]");
    }
    Finding::ok(check, shown)
}

/// `cpu.max` of this process's group, or the two files of older kernels as one line.
fn quota_text(host: &Host) -> Result<String, String> {
    let groups = host.read("proc/self/cgroup")?;
    let path = |line: &str| Some(line.splitn(3, ':').nth(2)?.trim_matches('/').to_owned());
    let unified = groups.lines().find(|line| line.starts_with("0::")).and_then(path);
    let unified = unified.unwrap_or_default();
    for file in [format!("sys/fs/cgroup/{unified}/cpu.max"), "sys/fs/cgroup/cpu.max".to_owned()] {
        if let Ok(text) = host.read(&file) {
            return Ok(text);
        }
    }
    let older = groups.lines().find(|line| {
        line.split(':').nth(1).is_some_and(|kinds| kinds.split(',').any(|kind| kind == "cpu"))
    });
    let older = format!("sys/fs/cgroup/cpu/{}", older.and_then(path).unwrap_or_default());
    let quota = host.number(&format!("{older}/cpu.cfs_quota_us"));
    let period = host.number(&format!("{older}/cpu.cfs_period_us"));
    match (quota, period) {
        (Ok(quota), Ok(period)) if quota > 0 => Ok(format!("{quota} {period}")),
        (Ok(_), Ok(_)) => Ok("max".to_owned()),
        // The root group has no such file, and no quota.
        _ if unified.is_empty() => Ok("max".to_owned()),
        (Err(why), _) | (_, Err(why)) => Err(why),
    }
}

/// A container's share of CPU time.
fn quota(text: Result<String, String>, hot: &Hot) -> Finding {
    let check = "cpu quota";
    let text = match text {
        Ok(text) => text,
        Err(why) => return Finding::unknown(check, why),
    };
    let mut words = text.split_whitespace();
    let (quota, period) = (words.next().unwrap_or_default(), words.next().unwrap_or("100000"));
    if quota == "max" {
        return Finding::ok(check, "none");
    }
    let (Ok(quota), Ok(period)) = (quota.parse::<u64>(), period.parse::<u64>()) else {
        return Finding::unknown(check, format!("cpu.max says {:?}", text.trim()));
    };
    let found = format!("{quota} µs of CPU time in each {period}");
    let wanted = period.saturating_mul(hot.threads.len() as u64);
    let scarce = if hot.spins { quota <= wanted } else { quota < wanted };
    Finding::warning_if(scarce, check, found)
        .costs(format!(
            "a group that has used its share stands still for up to {} ms",
            period.saturating_sub(quota.min(period)) / 1_000
        ))
        .mend("docker run without --cpus, with --cpuset-cpus; in Kubernetes whole CPUs and the static CPU manager")
}

#[cfg(test)]
mod tests {
    use super::super::finding::Severity::{Note, Ok as Well, Warning};
    use super::*;

    fn hot(cpus: &[usize], spins: bool) -> Hot {
        let threads = cpus.iter().map(|cpu| (format!("t{cpu}"), Some(*cpu))).collect();
        let allowed = BTreeSet::from([0, 1]);
        Hot { cpus: cpus.iter().copied().collect(), threads, allowed, spins }
    }

    #[test]
    fn stolen_ticks() {
        let virtual_machine = "processor: 0\nflags\t\t: fpu tsc hypervisor lahf_lm\n";
        let before = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu1 100 0 0 0 0 0 0 5 0 0\n";
        let after = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu1 190 0 0 0 0 0 0 15 0 0\n";
        let judge =
            |before, after| hypervisor(Ok(virtual_machine), Ok((before, after)), &hot(&[1], true));
        let stolen = judge(before, after);
        assert_eq!(stolen.severity, Warning);
        assert!(stolen.found.contains("10 of 100 ticks"), "{stolen:?}");
        assert_eq!(judge(before, before).severity, Note);
        assert_eq!(judge("", "cpu1 x\ncpu\ncpu9 1 2\n").severity, Note);
        let metal = hypervisor(Ok("flags: fpu tsc"), Ok((before, after)), &hot(&[1], true));
        assert_eq!(metal.severity, Well);
        assert_eq!(hypervisor(Ok(""), Err("x".into()), &hot(&[1], true)).severity, Well);
    }

    #[test]
    fn pressure_of_the_last_seconds() {
        let text = |avg| Ok(format!("some avg10={avg} avg60=26.24 avg300=22.90 total=4028\nfull"));
        assert_eq!(pressure(text("27.42")).severity, Warning);
        assert_eq!(pressure(text("0.00")).severity, Well);
        for odd in ["", "some", "some avg10=x", "full avg10=1"] {
            assert!(pressure(Ok(odd.to_owned())).found.starts_with("cannot tell"), "{odd}");
        }
    }

    #[test]
    fn hot_cpus_and_their_siblings() {
        let map = |lists: &[(usize, &[usize])]| {
            lists.iter().map(|(cpu, list)| (*cpu, Ok(list.iter().copied().collect()))).collect()
        };
        let judge = |lists: &[(usize, &[usize])]| siblings_of(&map(lists), &hot(&[0, 1], true));
        assert_eq!(judge(&[(0, &[0]), (1, &[1])]).severity, Well);
        assert_eq!(judge(&[(0, &[0, 4]), (1, &[1, 5])]).severity, Note);
        assert_eq!(judge(&[(0, &[0, 1]), (1, &[0, 1])]).severity, Warning);
        assert!(judge(&[]).found.starts_with("cannot tell"));
    }

    #[test]
    fn layouts() {
        assert_eq!(layout(&hot(&[1], true)).severity, Well);
        assert_eq!(layout(&hot(&[0], false)).severity, Note);
        assert_eq!(layout(&hot(&[0, 1], true)).severity, Warning);
        let mut twice = hot(&[1], false);
        twice.threads.push(("other".to_owned(), Some(1)));
        assert_eq!(layout(&twice).found, "t1 and other share CPU 1");
        let unpinned = Hot { threads: vec![("feed".to_owned(), None)], ..Hot::default() };
        assert_eq!(layout(&unpinned).found, "feed unpinned");
    }

    #[test]
    fn quotas_of_containers() {
        let judge = |text: &str| quota(Ok(text.to_owned()), &hot(&[1], true));
        assert_eq!(judge("max 100000\n").severity, Well);
        assert_eq!(judge("200000 100000\n").severity, Well);
        let half = judge("50000 100000\n");
        assert!(half.severity == Warning && half.costs.contains("50 ms"), "{half:?}");
        assert!(judge("").found.starts_with("cannot tell"));
        assert!(judge("a b").found.starts_with("cannot tell"));
    }

    #[test]
    fn quotas_are_found_in_either_hierarchy() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let host = Host::under(folder.path());
        write("proc/self/cgroup", "9:name=systemd:/\n2:cpuacct,cpu:/box\n");
        write("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "50000\n");
        write("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
        assert_eq!(quota_text(&host).unwrap(), "50000 100000");
        write("proc/self/cgroup", "0::/pod/one\n");
        write("sys/fs/cgroup/pod/one/cpu.max", "max 100000\n");
        assert_eq!(quota_text(&host).unwrap(), "max 100000\n");
        write("proc/self/cgroup", "odd\n");
        assert!(quota_text(&host).is_ok_and(|text| text == "max"));
    }
}
