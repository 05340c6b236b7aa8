//! Stages on cores: the threads that poll them, pinned from within, and what a panic of one does.

use super::Shared;
use crate::config::cores::{Stage as StageName, Thread};
use crate::config::run::RunConfig;
use crate::pipeline::gate::Shut;
use crate::pipeline::looks::Looks;
use crate::runtime::clock::Clock;
use crate::runtime::cores;
use crate::runtime::stage::{Core, Stage, StageCounters};
use crate::runtime::usage::CoreWatch;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

/// Threads that run.
pub(super) struct Cores {
    /// They give their stages back.
    pub(super) threads: Vec<JoinHandle<Vec<Box<dyn Stage>>>>,
    /// What is counted of each stage.
    pub(super) counters: Vec<(&'static str, Arc<StageCounters>)>,
    /// What the kernel counts of each thread.
    pub(super) watches: Vec<Arc<CoreWatch>>,
}

/// A core that panics takes its orders with it: the session is cut at once, so that the venue
/// cancels, and the other cores end.
struct PanicGuard(Shared);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Shared { gate, lifecycle, socket, stop, .. } = &self.0;
            gate.shut(Shut::Panicked);
            socket.shut();
            lifecycle.set_quiet();
            stop.store(true, Ordering::Release);
        }
    }
}

/// Which threads there are, and what each polls.
pub(super) fn layout(config: &RunConfig) -> Vec<Thread> {
    let mut threads = config.cores.threads(&cores::allowed());
    if config.drop_copy.address.is_some() {
        config.drop_copy.place(&mut threads, config.cores.pin);
    }
    threads
}

/// How the connections of the gateway and of the drop copy are looked at.
///
/// # Errors
/// The host's limit of open files.
pub(super) fn looks(threads: &[Thread]) -> io::Result<[Looks; 2]> {
    let core_of = |stage| threads.iter().find(|thread| thread.polls(stage));
    let looks = |stage| match core_of(stage) {
        Some(core) if core.polls(StageName::Feed) || core.polls(StageName::Trading) => {
            Looks::alone().beside_market_data()
        }
        _ => Looks::alone(),
    };
    let gateway = looks(StageName::Gateway);
    if core_of(StageName::Gateway).is_some_and(|core| core.polls(StageName::DropCopy)) {
        let both = gateway.beside_others()?;
        return Ok([both.clone(), both]);
    }
    Ok([gateway, looks(StageName::DropCopy)])
}

/// Puts stages on cores. Threads first, pinned after, from within.
///
/// # Errors
/// A thread that could not be made.
pub(super) fn spawn(
    config: &RunConfig,
    threads: Vec<Thread>,
    stages: Vec<(StageName, Box<dyn Stage>)>,
    clock: &Clock,
    shared: &Shared,
    notices: &mut Vec<String>,
) -> anyhow::Result<Cores> {
    let cpus: BTreeSet<usize> = cores::allowed();
    let (mut counters, mut watches, mut running) = (Vec::new(), Vec::new(), Vec::new());
    let mut waiting: Vec<_> = stages.into_iter().map(Some).collect();
    for Thread { stages: names, cpu } in threads {
        let mut polled: Vec<(Box<dyn Stage>, Arc<StageCounters>)> = Vec::new();
        for place in &mut waiting {
            if place.as_ref().is_some_and(|(name, _)| names.contains(name))
                && let Some((_, stage)) = place.take()
            {
                let cell = Arc::new(StageCounters::default());
                counters.push((stage.name(), cell.clone()));
                polled.push((stage, cell));
            }
        }
        let name = polled.iter().map(|(stage, _)| stage.name()).collect::<Vec<_>>().join("+");
        if let Some(refused) = cpu.and_then(|cpu| (!cpus.contains(&cpu)).then_some(cpu)) {
            notices.push(format!("{name}: CPU {refused} is not to be had here; not pinned"));
        }
        let idle = config.cores.idle;
        let core = Core::new(polled, idle, clock.clone(), shared.stop.clone());
        let guard = PanicGuard(shared.clone());
        let watch = Arc::new(CoreWatch::new(&name, cpu));
        watches.push(watch.clone());
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            let _guard = guard;
            if let Some(Err(refusal)) = cpu.map(cores::pin) {
                tracing::warn!("{refusal}");
            }
            watch.enter();
            let stages = core.run();
            watch.leave();
            stages
        })?;
        running.push(thread);
    }
    Ok(Cores { threads: running, counters, watches })
}
