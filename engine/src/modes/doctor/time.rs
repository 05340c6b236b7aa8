//! Clocks: whether the time stamp counter can be believed, what a reading costs, how far the counters
//! of two CPUs are apart, and what sleeping CPUs do.

use super::finding::Finding;
use super::host::{Host, Hot};
use crate::runtime::clock::Clock;
use crate::runtime::cores;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Readings of a clock that are timed together.
const READINGS: u32 = 10_000;
/// Questions between two CPUs, and the longest that they may take.
const QUESTIONS: usize = 2_000;
const ASK_WITHIN: Duration = Duration::from_millis(150);
/// Pairs of CPUs that are compared.
const PAIRS_MAX: usize = 4;
/// More than this between two CPUs spoils a hop that goes from one to the other.
const OFFSET_MAX: i64 = 100;
/// States that take longer to leave than this cost a tick that meets them.
const EXIT_MAX_MICROS: i64 = 2;

pub(super) fn check(host: &Host, hot: &Hot, clock: &Clock) -> Vec<Finding> {
    let clocksource = "sys/devices/system/clocksource/clocksource0/current_clocksource";
    let cpuinfo = host.read("proc/cpuinfo");
    let mut findings = vec![
        counter(cpuinfo.as_deref(), cfg!(target_arch = "x86_64")),
        source(host.read(clocksource), readings(clock)),
    ];
    let first = hot.cpus.first().or(hot.allowed.first()).copied();
    let others = hot.allowed.iter().copied().filter(|cpu| Some(*cpu) != first);
    let pairs: Vec<_> = others.take(PAIRS_MAX).map(|other| (other, first)).collect();
    for (other, first) in pairs {
        if let Some(first) = first {
            findings.push(apart(first, other, offset(first, other), clock));
        }
    }
    findings.push(sleepers(host, hot));
    findings.push(governor(host, hot));
    findings
}

/// The stamps of every hop rest on it.
fn counter(cpuinfo: Result<&str, &String>, stamps_are_tsc: bool) -> Finding {
    let check = "tsc";
    if !stamps_are_tsc {
        return Finding::note(check, "no TSC on this kind of CPU: stamps are CLOCK_MONOTONIC")
            .costs("about 10 ns more a stamp");
    }
    let cpuinfo = match cpuinfo {
        Ok(cpuinfo) => cpuinfo,
        Err(why) => return Finding::unknown(check, why),
    };
    let flags = cpuinfo.lines().find_map(|line| line.strip_prefix("flags"));
    let Some(flags) = flags else { return Finding::unknown(check, "no flags in /proc/cpuinfo") };
    let has = |wanted: &&str| flags.split_whitespace().any(|flag| flag == *wanted);
    let lacking: Vec<_> = ["constant_tsc", "nonstop_tsc"].into_iter().filter(|f| !has(f)).collect();
    if lacking.is_empty() {
        return Finding::ok(check, "constant_tsc and nonstop_tsc: an invariant counter");
    }
    Finding::fatal(check, format!("the CPU's flags lack {}", lacking.join(" and ")))
        .costs("the counter changes its speed or stops: every latency and every timer is wrong")
        .mend("another host; on a virtual machine, a CPU model that passes invtsc through")
}

/// What the engine's stamp and the system's clock cost, in nanoseconds a reading.
fn readings(clock: &Clock) -> [f64; 2] {
    let time = |read: &dyn Fn()| {
        let began = wire::stamp::now();
        (0..READINGS).for_each(|_| read());
        clock.span(wire::stamp::now().saturating_sub(began)).as_secs_f64() * 1e9
            / f64::from(READINGS)
    };
    // The least of a few: another thread may have had the CPU.
    let least = |read: &dyn Fn()| (0..5).map(|_| time(read)).fold(f64::INFINITY, f64::min);
    [
        least(&|| {
            std::hint::black_box(wire::stamp::now());
        }),
        least(&|| {
            std::hint::black_box(SystemTime::now());
        }),
    ]
}

fn source(name: Result<String, String>, [stamp, system]: [f64; 2]) -> Finding {
    let check = "clocksource";
    match name {
        Err(why) => Finding::unknown(check, why),
        Ok(name) => {
            let name = name.trim();
            let found =
                format!("{name}; a stamp takes {stamp:.0} ns, the system's clock {system:.0} ns");
            Finding::warning_if(name != "tsc" && cfg!(target_arch = "x86_64"), check, found)
                .costs("the kernel does not trust the TSC that the stamps are; its own clock is slow (measured)")
                .mend("clocksource=tsc tsc=reliable on the kernel command line, if the TSC is invariant")
        }
    }
}

/// A stamp that is not read before what comes before it is done, nor after what follows.
fn ordered_stamp() -> u64 {
    fence(Ordering::SeqCst);
    let stamp = wire::stamp::now();
    fence(Ordering::SeqCst);
    stamp
}

/// Trips and offsets, in ticks. The quickest half tells best; its median, not its least, since one odd
/// reading of a virtual machine's counter is no measure.
fn typical(mut measured: Vec<(u64, i64)>) -> Option<(i64, u64)> {
    measured.sort_unstable();
    measured.truncate(measured.len().div_ceil(2));
    let trip = measured.get(measured.len() / 2)?.0;
    let mut offsets: Vec<_> = measured.iter().map(|(_, offset)| *offset).collect();
    offsets.sort_unstable();
    Some((*offsets.get(offsets.len() / 2)?, trip))
}

/// What two CPUs write to each other.
#[derive(Default)]
struct Cells {
    asked: AtomicU64,
    answered: AtomicU64,
    /// The stamp of the answer.
    stamp: AtomicU64,
    done: AtomicBool,
}

/// Answers each question with a stamp, until there are no more or time is up.
fn answer(cpu: usize, cells: &Cells, until: Instant) {
    let mut last = 0;
    let pinned = cores::pin(cpu).is_ok();
    while pinned && !cells.done.load(Ordering::Relaxed) && Instant::now() < until {
        // A look at the clock takes longer than an answer.
        for _ in 0..256 {
            let question = cells.asked.load(Ordering::Acquire);
            if question != last {
                last = question;
                cells.stamp.store(ordered_stamp(), Ordering::Relaxed);
                cells.answered.store(question, Ordering::Release);
            }
        }
    }
}

/// Round trips, and how far each answer was from its middle.
fn ask(cpu: usize, cells: &Cells, until: Instant) -> Vec<(u64, i64)> {
    let mut measured = Vec::with_capacity(QUESTIONS);
    let questions = if cores::pin(cpu).is_ok() { QUESTIONS as u64 } else { 0 };
    'questions: for question in 1..=questions {
        let began = ordered_stamp();
        cells.asked.store(question, Ordering::Release);
        let mut looks = 0u32;
        while cells.answered.load(Ordering::Acquire) != question {
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(256) && Instant::now() >= until {
                break 'questions;
            }
        }
        let trip = ordered_stamp().saturating_sub(began);
        let theirs = cells.stamp.load(Ordering::Relaxed);
        measured.push((trip, theirs.wrapping_sub(began + trip / 2).cast_signed()));
    }
    cells.done.store(true, Ordering::Relaxed);
    measured
}

/// The counter of `other` less that of `first`, in ticks, and the round trip that it was measured in.
/// `None` if one of the CPUs gave no time.
fn offset(first: usize, other: usize) -> Option<(i64, u64)> {
    let cells = Cells::default();
    let until = Instant::now() + ASK_WITHIN;
    let measured = thread::scope(|scope| {
        thread::Builder::new().spawn_scoped(scope, || answer(other, &cells, until)).ok()?;
        let asking = thread::Builder::new().spawn_scoped(scope, || ask(first, &cells, until));
        asking.ok()?.join().ok()
    });
    typical(measured?)
}

fn apart(first: usize, other: usize, measured: Option<(i64, u64)>, clock: &Clock) -> Finding {
    let check = "tsc offset";
    let Some((ticks, trip)) = measured else {
        return Finding::unknown(check, format!("CPUs {first} and {other} did not both run"));
    };
    let nanos = clock.span(ticks.unsigned_abs()).get().cast_signed() * ticks.signum();
    let trip = clock.span(trip);
    let found = format!("CPU {other} is {nanos} ns from CPU {first}, in a round trip of {trip}");
    // Half of the way there and back is all that can be told.
    let limit = OFFSET_MAX.max(trip.get().cast_signed() / 2);
    Finding::warning_if(nanos.abs() > limit, check, found)
        .costs("hops between stages on these CPUs are wrong by as much (measured)")
        .mend("stages on one CPU ([cores]), or a host whose firmware sets the counters alike")
}

/// Idle states of hot CPUs that take long to leave.
fn sleepers(host: &Host, hot: &Hot) -> Finding {
    let check = "c-states";
    let driver = host.word("sys/devices/system/cpu/cpuidle/current_driver");
    let Some(driver) = driver else {
        return Finding::unknown(
            check,
            "no sys/devices/system/cpu/cpuidle: the host idles the CPUs",
        );
    };
    let mut worst: Option<(i64, String)> = None;
    for cpu in &hot.cpus {
        let folder = format!("sys/devices/system/cpu/cpu{cpu}/cpuidle");
        for state in host.names(&folder) {
            let of = |file: &str| format!("{folder}/{state}/{file}");
            let latency = host.number(&of("latency")).unwrap_or(0);
            let off = host.number(&of("disable")).is_ok_and(|off| off != 0);
            if !off && worst.as_ref().is_none_or(|(most, _)| latency > *most) {
                worst = Some((latency, host.word(&of("name")).unwrap_or(state)));
            }
        }
    }
    let Some((micros, name)) = worst else {
        let found = format!("driver {driver}, no states of its own");
        return Finding::ok(check, format!("{found}; see wake-up for what an idle CPU costs"));
    };
    let found = format!("driver {driver}; deepest state of hot CPUs: {name}, {micros} µs to leave");
    if hot.spins || micros <= EXIT_MAX_MICROS {
        return Finding::ok(check, found);
    }
    Finding::note(check, found)
        .costs(format!("a core that sleeps (idle = \"kind\") wakes up to {micros} µs later"))
        .mend("cpupower idle-set -D 2, or hold /dev/cpu_dma_latency open with 0 in it")
}

/// Frequency scaling of hot CPUs.
fn governor(host: &Host, hot: &Hot) -> Finding {
    let check = "governor";
    let file = |cpu| format!("sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor");
    let words: Vec<_> = hot.cpus.iter().filter_map(|cpu| host.word(&file(cpu))).collect();
    let Some(first) = words.first() else {
        return Finding::unknown(check, "no cpufreq: the host sets the frequency");
    };
    let slow = words.iter().find(|word| *word != "performance");
    let found = format!("{} on hot CPUs {}", slow.unwrap_or(first), hot.list());
    Finding::warning_if(slow.is_some(), check, found)
        .costs("work after a silence runs at a low frequency for milliseconds")
        .mend("cpupower frequency-set -g performance")
}

#[cfg(test)]
mod tests {
    use super::super::finding::Severity::{Fatal, Note, Ok as Well, Warning};
    use super::*;
    use std::collections::BTreeSet;

    fn unknown(finding: &Finding) -> bool {
        finding.found.starts_with("cannot tell")
    }

    #[test]
    fn a_counter_that_is_not_invariant_is_fatal() {
        let good = "processor\t: 0\nflags\t\t: fpu constant_tsc rdtscp nonstop_tsc\n";
        assert_eq!(counter(Ok(good), true).severity, Well);
        let bad = counter(Ok("flags: fpu tsc constant_tsc"), true);
        assert_eq!((bad.severity, bad.found.contains("lack nonstop_tsc")), (Fatal, true));
        assert_eq!(counter(Ok("Features : fp asimd"), false).severity, Note);
        assert!(unknown(&counter(Ok(""), true)));
        assert!(unknown(&counter(Err(&"x".to_owned()), true)));
        assert!(unknown(&source(Err("x".to_owned()), [9.0, 20.0])));
        assert_eq!(source(Ok("tsc\n".to_owned()), [9.0, 20.0]).severity, Well);
    }

    #[test]
    fn an_offset_is_told_from_what_cannot_be_measured() {
        let (clock, _calibrator) = crate::runtime::clock::calibrate();
        let judge = |ticks, trip| apart(0, 1, Some((ticks, trip)), &clock);
        assert_eq!(judge(20, 400).severity, Well);
        // A thousandth of a second of ticks, whatever their rate.
        assert_eq!(judge(-10_000_000, 400).severity, Warning);
        assert_eq!(judge(10_000_000, 100_000_000).severity, Well, "as long as half the trip");
        assert!(unknown(&apart(0, 1, None, &clock)));
        assert_eq!(offset(usize::MAX, usize::MAX), None, "no such CPU");
        // A lone odd reading is outvoted, and so are the slow ones.
        let trips = vec![(0, 99), (100, 5), (101, 6), (102, 7), (900, 400), (901, 400)];
        assert_eq!(typical(trips), Some((6, 100)));
        assert_eq!(typical(Vec::new()), None);
    }

    #[test]
    fn idle_states_and_governors() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::under(folder.path());
        let hot = Hot { cpus: BTreeSet::from([1]), ..Hot::default() };
        assert!(unknown(&sleepers(&host, &hot)) && unknown(&governor(&host, &hot)));
        let write = |path: &str, text: &str| {
            let path = folder.path().join("sys/devices/system/cpu").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("cpuidle/current_driver", "intel_idle\n");
        assert_eq!(sleepers(&host, &hot).severity, Well);
        write("cpu1/cpuidle/state0/latency", "0\n");
        write("cpu1/cpuidle/state3/latency", "133\n");
        write("cpu1/cpuidle/state3/name", "C6\n");
        let deep = sleepers(&host, &hot);
        assert!(deep.severity == Note && deep.found.contains("C6, 133 µs"), "{deep:?}");
        assert_eq!(sleepers(&host, &Hot { spins: true, ..hot.clone() }).severity, Well);
        write("cpu1/cpuidle/state3/disable", "1\n");
        assert_eq!(sleepers(&host, &hot).severity, Well);
        write("cpu1/cpufreq/scaling_governor", "powersave\n");
        assert_eq!(governor(&host, &hot).severity, Warning);
    }
}
