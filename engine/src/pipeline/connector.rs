//! The connector: an unpinned thread that resolves names and connects, so that no polled core ever
//! waits. It hands over sockets that are ready to use.

use crossbeam::queue::ArrayQueue;
use std::io;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use wire::tcp::{Stream, connect};

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often the thread looks whether it is still needed.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Default)]
struct Wanted {
    connect: AtomicBool,
    stop: AtomicBool,
}

/// The gateway stage's side.
pub struct Connector {
    wanted: Arc<Wanted>,
    results: Arc<ArrayQueue<io::Result<Stream>>>,
    thread: Option<JoinHandle<()>>,
}

impl Connector {
    /// Starts the thread, for connections to `host`:`port`.
    ///
    /// # Errors
    /// No thread is to be had.
    pub fn spawn(host: String, port: u16) -> io::Result<Connector> {
        let wanted = Arc::new(Wanted::default());
        let results = Arc::new(ArrayQueue::new(1));
        let (flags, out) = (wanted.clone(), results.clone());
        let thread = thread::Builder::new().name("connector".into()).spawn(move || {
            while !flags.stop.load(Ordering::Acquire) {
                if flags.connect.swap(false, Ordering::AcqRel) {
                    let _ = out.push(attempt(&host, port));
                } else {
                    thread::park_timeout(LOOK);
                }
            }
        })?;
        Ok(Connector { wanted, results, thread: Some(thread) })
    }

    /// Asks for one attempt.
    pub fn request(&self) {
        self.wanted.connect.store(true, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// The outcome of the last attempt, once.
    #[must_use]
    pub fn take(&self) -> Option<io::Result<Stream>> {
        self.results.pop()
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        self.wanted.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // An attempt in progress ends with its time-out at the latest.
            let _ = thread.join();
        }
    }
}

fn attempt(host: &str, port: u16) -> io::Result<Stream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    for address in (host, port).to_socket_addrs()? {
        match connect(address, TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
