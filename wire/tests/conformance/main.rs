//! What every backend must do. One body for each case, run on each backend over loopback.
//!
//! Nothing here knows which backend it talks to. Where the host refuses io_uring, its half says so
//! on the standard error and passes; `TOUCHLINE_REQUIRE=io_uring` makes that a failure.

#[path = "../acceptor/mod.rs"]
mod acceptor;
mod link;
mod tcp;
mod times;
mod udp;

use std::io::Write;
use std::time::{Duration, Instant};
use wire::{Backend, Io};

/// Runs `case` on one backend.
fn run(backend: Backend, case: fn(&mut dyn Io)) {
    match wire::open(backend) {
        Ok(mut opened) => {
            assert_eq!(opened.io.name(), backend.to_string());
            case(&mut *opened.io);
        }
        Err(error) => skip("io_uring", &error.to_string()),
    }
}

/// Says aloud that something is missing here; fails if the environment requires it.
fn skip(what: &str, why: &str) {
    let required = std::env::var("TOUCHLINE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|word| word == what), "{what} is required: {why}");
    let line = format!("skipped, no {what}: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Asks until there is an answer, resting between. The limit only ends a test that hangs.
fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "no answer");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// A test of each case for each backend.
macro_rules! on_both {
    ($($case:ident)*) => {
        mod plain {
            $(#[test] fn $case() { crate::run(wire::Backend::Plain, super::$case); })*
        }
        mod io_uring {
            $(#[test] fn $case() { crate::run(wire::Backend::IoUring, super::$case); })*
        }
    };
}
use on_both;
