//! A thread that does what would block a core, one job after another: connecting, shaking hands,
//! getting snapshots. Jobs and outcomes pass without a lock.

use crossbeam::queue::ArrayQueue;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often the thread looks whether it is still needed.
const LOOK: Duration = Duration::from_millis(200);

/// The core's side. One job is under way at most.
pub(super) struct Worker<J, O> {
    jobs: Arc<ArrayQueue<J>>,
    outcomes: Arc<ArrayQueue<O>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<J: Send + 'static, O: Send + 'static> Worker<J, O> {
    /// Starts the thread; `work` is given the job, and looks at the flag when it takes long.
    ///
    /// # Errors
    /// No thread is to be had.
    pub(super) fn spawn(
        name: &str,
        mut work: impl FnMut(J, &AtomicBool) -> O + Send + 'static,
    ) -> io::Result<Worker<J, O>> {
        let (jobs, outcomes) = (Arc::new(ArrayQueue::new(1)), Arc::new(ArrayQueue::new(1)));
        let stop = Arc::new(AtomicBool::new(false));
        let (todo, done, flag) = (jobs.clone(), outcomes.clone(), stop.clone());
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            while !flag.load(Ordering::Acquire) {
                match todo.pop() {
                    Some(job) => drop(done.push(work(job, &flag))),
                    None => thread::park_timeout(LOOK),
                }
            }
        })?;
        Ok(Worker { jobs, outcomes, stop, thread: Some(thread) })
    }

    /// Gives it a job.
    pub(super) fn request(&self, job: J) {
        // One at a time is asked for, so there is room.
        let _ = self.jobs.push(job);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// The outcome of the last job, once.
    pub(super) fn take(&self) -> Option<O> {
        self.outcomes.pop()
    }
}

impl<J, O> Drop for Worker<J, O> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A job in progress ends with its time-out at the latest.
            let _ = thread.join();
        }
    }
}
