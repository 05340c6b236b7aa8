//! Which stages share a thread, on which CPU; and what this machine cannot do.
//!
//! It is given the CPUs and never asks the machine.

use super::document::Document;
use super::fix_words::CancelOnDisconnect;
use super::problem::{Problem, Problems};
use super::sections::{CoresConfig, GatewayConfig};
use super::special::Core;
use crate::runtime::stage::Idle;
use std::collections::BTreeSet;

/// A stage of the pipeline that a thread polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Market data in.
    Feed,
    /// The trading loop.
    Trading,
    /// Orders out.
    Gateway,
    /// Trades told once more, where there is a drop copy session.
    DropCopy,
}

/// One hot thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// What it polls, in the order of the pipeline.
    pub stages: Vec<Stage>,
    /// The CPU it is pinned to.
    pub cpu: Option<usize>,
}

impl Thread {
    /// True if it polls `stage`.
    #[must_use]
    pub fn polls(&self, stage: Stage) -> bool {
        self.stages.contains(&stage)
    }
}

impl CoresConfig {
    /// The threads on a machine with these CPUs. "auto" leaves the first CPU to everything else,
    /// and fuses the stages on one CPU when there are no more than two.
    #[must_use]
    pub fn threads(&self, cpus: &BTreeSet<usize>) -> Vec<Thread> {
        let stages = [
            (Stage::Feed, self.feed),
            (Stage::Trading, self.trading),
            (Stage::Gateway, self.gateway),
        ];
        let free: Vec<usize> = cpus.iter().copied().skip(usize::from(cpus.len() > 1)).collect();
        let mut threads: Vec<Thread> = Vec::new();
        for (index, (stage, core)) in stages.into_iter().enumerate() {
            let cpu = match core {
                Core::Cpu(cpu) => Some(cpu),
                Core::None => None,
                Core::Auto => match free.as_slice() {
                    [first, second] => Some(if index < 2 { *first } else { *second }),
                    [first, second, third, ..] => [*first, *second, *third].get(index).copied(),
                    one => one.first().copied(),
                },
            };
            // "none" is a thread of the stage's own; a CPU is shared by those that name it.
            let alone = core == Core::None;
            let shared = threads.iter_mut().find(|thread| !alone && thread.cpu == cpu);
            match shared {
                Some(thread) => thread.stages.push(stage),
                None => threads.push(Thread { stages: vec![stage], cpu }),
            }
        }
        for thread in &mut threads {
            thread.cpu = thread.cpu.filter(|_| self.pin);
        }
        threads
    }
}

/// Refuses CPUs that are not there and layouts that are none. Without `cpus`, only the layout is
/// judged.
pub(crate) fn check(
    document: &Document<'_>,
    cores: &CoresConfig,
    cpus: Option<&BTreeSet<usize>>,
    problems: &mut Problems,
) {
    let stages = [("feed", cores.feed), ("trading", cores.trading), ("gateway", cores.gateway)];
    let place = |key| document.place("cores", key);
    if let Some(cpus) = cpus {
        for (key, core) in stages {
            check_cpu(document, ("cores", key), core, cores.pin, cpus, problems);
        }
    }
    let autos = stages.iter().filter(|(_, core)| *core == Core::Auto).count();
    if let Some((key, _)) = stages.iter().find(|(_, core)| *core != Core::Auto)
        && autos > 0
    {
        let title = "[cores] \"auto\" stands for all three stages or for none";
        problems.push(Problem::new(place(key), title, "this one is not \"auto\"").help(
            "give feed, trading and gateway each a CPU number or \"none\", or leave all out",
        ));
    }
    let apart = cores.feed == cores.gateway && cores.feed != cores.trading;
    if apart && matches!(cores.feed, Core::Cpu(_)) {
        let title = "[cores] feed and gateway share a CPU without trading between them";
        problems.push(
            Problem::new(place("gateway"), title, "the same as feed")
                .also(&place("feed"), "feed is here")
                .help("share a CPU between neighbours (feed and trading, or trading and gateway), or all three"),
        );
    }
    let only = cpus.is_some_and(|cpus| cpus.len() == 1);
    if cores.idle == Idle::Spin && only {
        let title = "[cores] idle = \"spin\" on a machine with one CPU stops everything else";
        problems.push(Problem::new(place("idle"), title, "only one CPU").help("use \"kind\""));
    }
}

/// Refuses a CPU that this process may not use.
pub(crate) fn check_cpu(
    document: &Document<'_>,
    (section, key): (&str, &str),
    core: Core,
    pin: bool,
    cpus: &BTreeSet<usize>,
    problems: &mut Problems,
) {
    let Core::Cpu(cpu) = core else { return };
    if !pin || cpus.contains(&cpu) {
        return;
    }
    let title = format!("[{section}] {key}: there is no CPU {cpu} for this process");
    problems.push(
        Problem::new(document.place(section, key), title, format!("found {cpu}"))
            .note(format!("allowed: {}", ranges(cpus)))
            .help("take one of these, \"auto\", or \"none\""),
    );
}

/// Refuses a venue that does not cancel on disconnect, unless the risk is accepted: when the trading
/// loop stalls, the watchdog can only cut the session.
pub(crate) fn check_watchdog(
    document: &Document<'_>,
    gateway: &GatewayConfig,
    asked: &CancelOnDisconnect,
    problems: &mut Problems,
) {
    if *asked != CancelOnDisconnect::None || gateway.without_cancel_on_disconnect.is_some() {
        return;
    }
    let title = "the venue does not cancel on disconnect, and a stalled loop ends in one";
    let place = document.place("gateway", "");
    problems.push(Problem::new(place, title, "nothing stops the orders of a stalled loop").help(
        "accept the risk with `without_cancel_on_disconnect = \"accepted\"` in [gateway], or, where \
         the venue does cancel, say so in its profile's `cancel_on_disconnect`",
    ));
}

/// `0-3,8`.
#[must_use]
pub fn ranges(cpus: &BTreeSet<usize>) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for cpu in cpus {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *cpu => *last = *cpu,
            _ => runs.push((*cpu, *cpu)),
        }
    }
    let run = |(first, last): &(usize, usize)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    runs.iter().map(run).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(stages: [Core; 3], pin: bool, cpus: &[usize]) -> String {
        let [feed, trading, gateway] = stages;
        let cores = CoresConfig { feed, trading, gateway, pin, idle: Idle::Kind };
        let threads = cores.threads(&cpus.iter().copied().collect());
        let show = |thread: &Thread| format!("{:?}@{:?}", thread.stages, thread.cpu);
        threads.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn auto_fits_the_machine() {
        let auto = [Core::Auto; 3];
        assert_eq!(threads(auto, true, &[0]), "[Feed, Trading, Gateway]@Some(0)");
        assert_eq!(threads(auto, true, &[0, 1]), "[Feed, Trading, Gateway]@Some(1)");
        assert_eq!(threads(auto, true, &[4, 5, 9]), "[Feed, Trading]@Some(5) [Gateway]@Some(9)");
        let four = "[Feed]@Some(1) [Trading]@Some(2) [Gateway]@Some(3)";
        assert_eq!(threads(auto, true, &[0, 1, 2, 3]), four);
        assert_eq!(threads(auto, true, &[]), "[Feed, Trading, Gateway]@None");
    }

    #[test]
    fn numbers_group_and_none_stands_alone() {
        let two = [Core::Cpu(1), Core::Cpu(1), Core::Cpu(0)];
        assert_eq!(threads(two, true, &[0, 1]), "[Feed, Trading]@Some(1) [Gateway]@Some(0)");
        assert_eq!(threads(two, false, &[0, 1]), "[Feed, Trading]@None [Gateway]@None");
        let none = [Core::None; 3];
        assert_eq!(threads(none, true, &[0]), "[Feed]@None [Trading]@None [Gateway]@None");
    }

    #[test]
    fn ranges_read_like_the_kernels() {
        assert_eq!(ranges(&[0, 1, 2, 8, 10, 11].into()), "0-2,8,10-11");
        assert_eq!(ranges(&BTreeSet::new()), "");
    }
}
