//! Where a run took place, and under which scheduling. Figures of machines are not compared: the
//! facts stand beside them so that nobody is tempted.

use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::process::Command;
use thread_priority::unix::{
    RealtimeThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};
use thread_priority::{ThreadPriority, ThreadPriorityValue};

/// Longest that a real-time thread may run without a pause before the kernel ends the process: a
/// bench that hangs must not take the machine with it.
const REALTIME_MICROS: u64 = 120_000_000;
/// Above everything ordinary, below the kernel's own.
const PRIORITY: u8 = 10;

/// Facts for the head of the table and of the JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Architecture and memory.
    pub machine: String,
    /// Model name of the first CPU.
    pub cpu_model: String,
    /// CPUs this process may use.
    pub cpus: usize,
    /// Kernel release.
    pub kernel: String,
    /// Commit of the tree, with a mark if it was changed.
    pub commit: String,
    /// Profile and target features of this program.
    pub flags: String,
    /// What latency benches run under.
    pub scheduling: String,
    /// They run real-time.
    pub real_time: bool,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn here() -> Machine {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.map_or("unknown", |rest| rest.trim_start_matches([':', ' ', '\t']));
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let memory = memory.map_or("unknown", str::trim);
        let profile = if cfg!(debug_assertions) { "debug" } else { "optimised" };
        let tried = std::thread::spawn(real_time).join();
        let tried = tried.unwrap_or_else(|_| Err("the attempt panicked".to_owned()));
        let real_time = tried.is_ok();
        let scheduling = match tried {
            Ok(()) => format!("SCHED_FIFO {PRIORITY} for latency benches"),
            Err(why) => format!("SCHED_OTHER ({why}): p99 figures do not count"),
        };
        Machine {
            machine: format!("{}, {memory} of memory", std::env::consts::ARCH),
            cpu_model: model.to_owned(),
            cpus: engine::runtime::cores::allowed().len(),
            kernel: said("uname", &["-r"]),
            commit: said("git", &["describe", "--always", "--dirty"]),
            flags: format!("{profile}, {}", std::env::consts::ARCH),
            scheduling,
            real_time,
        }
    }
}

fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let text = output.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// Makes the calling thread real-time, with a limit on how long it may run. Threads and rings that
/// it needs are made before: a child would inherit the scheduling and, pinned, never run.
///
/// # Errors
/// Why the host refuses; the thread then runs as it did.
pub fn real_time() -> Result<(), String> {
    let limit = Rlimit { current: Some(REALTIME_MICROS), maximum: Some(REALTIME_MICROS) };
    setrlimit(Resource::Rttime, limit).map_err(|error| error.to_string())?;
    let priority = ThreadPriorityValue::try_from(PRIORITY)?;
    let priority = ThreadPriority::Crossplatform(priority);
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(thread_native_id(), priority, policy)
        .map_err(|error| format!("real-time scheduling refused: {error}"))
}

/// Runs `work` on a thread of its own, pinned to `cpu` and real-time where the host allows it.
///
/// # Panics
/// If the work does.
pub fn on_core<T: Send>(cpu: usize, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            settle(cpu);
            work()
        });
        thread.join().expect("the bench does not panic")
    })
}

/// Pins the calling thread, then makes it real-time; what the host refuses stands in [`Machine`].
pub fn settle(cpu: usize) {
    let _ = engine::runtime::cores::pin(cpu);
    let _ = real_time();
}

/// CPU time of the calling thread in nanoseconds: what one thread's work cost, however often it was
/// pushed aside.
#[allow(clippy::cast_precision_loss)]
#[must_use]
pub fn thread_nanos() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
