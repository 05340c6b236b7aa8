//! Child processes with a guard: none outlives its test, whatever becomes of it.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until there is a value.
pub(crate) fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A running `touchline`.
pub(crate) struct Host {
    child: Child,
    output: PathBuf,
}

impl Host {
    /// Starts `touchline` with its output in a file.
    pub(crate) fn start(dir: &Path, output: &str, args: &[&str]) -> Host {
        let output = dir.join(output);
        let file = File::create(&output).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_touchline"))
            .args(args)
            .current_dir(dir)
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Host { child, output }
    }

    /// What it printed so far.
    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap()
    }

    /// What Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "it had ended: {}", self.output());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// kill -9, of one that may have come to its end.
    pub(crate) fn kill_if_alive(self) {
        drop(self);
    }

    /// Waits for its end; gives how it ended and what it printed.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, self.output());
            }
            assert!(Instant::now() < until, "it does not end: {}", self.output());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for a good end.
    pub(crate) fn wait_well(self) -> String {
        let (status, output) = self.wait();
        assert!(status.success(), "{status}: {output}");
        output
    }

    /// Ctrl-C, and a good end.
    pub(crate) fn stop(self) -> String {
        self.interrupt();
        self.wait_well()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Both do nothing to a process that was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Replays the journal of an engine as a user does.
pub(crate) fn replay(dir: &Path, journal: &Path) -> String {
    let journal = journal.to_str().unwrap();
    Host::start(dir, "replay.out", &["replay", journal]).wait_well()
}
