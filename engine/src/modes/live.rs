//! A live engine from start to report: what `touchline run` and the demo have in common.
//!
//! Owns the housekeeping thread's work: the clock's calibration, the status line, signals, the stop.

use crate::config::run::RunConfig;
use crate::control::plane::Plane;
use crate::pipeline::gate::Shut;
use crate::pipeline::telemetry::Telemetry;
use crate::pipeline::topology::{self, Ended, Pipeline};
use crate::runtime::clock::{Calibrator, Clock};
use crate::trading::desk::Session as OrderSession;
use anyhow::Context as _;
use market::{BookState, Money, Nanos};
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How often the housekeeping thread looks around.
const LOOK: Duration = Duration::from_millis(100);
/// How often the clock is measured anew.
const ADJUST: Duration = Duration::from_secs(1);
/// How often the status line is shown where it cannot be overwritten.
const PLAIN_STATUS: Duration = Duration::from_secs(5);
/// How long a stop may take before the engine is left to itself.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// What the watchdog's alert says.
const STALLED: &str = "the trading loop stalled: the order session was cut and nothing new is sent \
                       until a restart";

/// Ctrl-C, SIGTERM and a closed terminal: the first asks for a clean stop, the second leaves at once.
#[derive(Clone)]
pub struct Signals(Arc<AtomicBool>);

impl Signals {
    /// Installs the handlers, once per program. A file size limit becomes an error of the write
    /// that meets it, rather than the end of the program.
    ///
    /// # Errors
    /// The host refuses a handler.
    pub fn install() -> std::io::Result<Signals> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Registered first, so that it finds the flag of an earlier signal.
            signal_hook::flag::register_conditional_shutdown(signal, 130, asked.clone())?;
            signal_hook::flag::register(signal, asked.clone())?;
        }
        // A terminal that closes may say so twice.
        signal_hook::flag::register(SIGHUP, asked.clone())?;
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        Ok(Signals(asked))
    }

    /// True once a stop was asked for.
    #[must_use]
    pub fn stop_asked(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A line to standard output. Whether anyone reads it must not matter to a trading engine, so an
/// output that is closed is no error.
pub fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A running engine.
pub struct Engine {
    plane: Plane,
    pipeline: Pipeline,
    calibrator: Calibrator,
    adjusted: Instant,
}

impl Engine {
    /// Starts the engine and says, a line each, what the host refused.
    ///
    /// # Errors
    /// A chain that says what could not be had.
    pub fn start(
        config: &RunConfig,
        clock: &Clock,
        calibrator: Calibrator,
    ) -> anyhow::Result<Engine> {
        let folder = &config.engine.data_dir;
        std::fs::create_dir_all(folder)
            .with_context(|| format!("[engine] data_dir = {}", folder.display()))?;
        let mut pipeline = topology::start(config, clock)?;
        for notice in &pipeline.notices {
            say(format_args!("note: {notice}"));
        }
        let plane = match Plane::start(config, &mut pipeline) {
            Ok(plane) => plane,
            Err(error) => {
                // Without its operators an engine does not trade: whatever it sent is canceled.
                pipeline.stop();
                pipeline.join()?;
                return Err(error);
            }
        };
        Ok(Engine { plane, pipeline, calibrator, adjusted: Instant::now() })
    }

    /// Runs until told, until `after`, or until the engine ends by itself. Gives how long it ran.
    pub fn run(&mut self, signals: &Signals, after: Option<Nanos>) -> Duration {
        let began = Instant::now();
        let after = after.map(|after| Duration::from_nanos(after.get()));
        let mut status = Status::new(began);
        let mut complained = String::new();
        while !signals.stop_asked() && !self.pipeline.is_ended() {
            if after.is_some_and(|after| began.elapsed() >= after) {
                break;
            }
            std::thread::sleep(LOOK);
            self.adjust();
            self.pipeline.watches.iter().for_each(|watch| watch.look());
            status.show(&self.pipeline);
            let stalled = || self.plane.has_stalled().then(|| STALLED.to_owned());
            let complaint = self.pipeline.complaint().or_else(stalled).or_else(|| self.cut());
            let complaint = complaint.unwrap_or_default();
            if complaint != complained {
                status.end();
                if !complaint.is_empty() {
                    say(format_args!("alert: {complaint}"));
                }
                complained = complaint;
            }
        }
        status.end();
        began.elapsed()
    }

    /// Why the order session was dropped for good, if it was.
    fn cut(&self) -> Option<String> {
        let mut reasons = self.pipeline.gate.reasons();
        let why = reasons.find(|why| matches!(why, Shut::JournalLost | Shut::Panicked))?;
        Some(format!("{}: the order session is dropped until a restart", why.word()))
    }

    fn adjust(&mut self) {
        if self.adjusted.elapsed() >= ADJUST {
            self.adjusted = Instant::now();
            #[allow(clippy::cast_possible_truncation)]
            self.calibrator.adjust(Nanos::new(ADJUST.as_nanos() as u64));
        }
    }

    /// Cancels everything, logs out, and takes the stages back.
    ///
    /// # Errors
    /// A core panicked or does not end.
    pub fn stop(self) -> anyhow::Result<Ended> {
        let Engine { plane, pipeline, mut calibrator, .. } = self;
        // Cores that end are no stall.
        drop(plane);
        pipeline.stop();
        let asked = Instant::now();
        while !pipeline.is_ended() {
            let waited = asked.elapsed();
            anyhow::ensure!(waited < STOP_WITHIN, "a core does not end: orders may be open");
            std::thread::sleep(Duration::from_millis(5));
            calibrator.adjust(Nanos::from_millis(5));
        }
        pipeline.join()
    }
}

/// The live status line: overwritten on a terminal, a line every few seconds elsewhere.
struct Status {
    began: Instant,
    shown: Option<Instant>,
    terminal: bool,
    open: bool,
}

impl Status {
    fn new(began: Instant) -> Status {
        Status { began, shown: None, terminal: std::io::stdout().is_terminal(), open: false }
    }

    fn show(&mut self, pipeline: &Pipeline) {
        let every = if self.terminal { LOOK * 2 } else { PLAIN_STATUS };
        if self.shown.is_some_and(|shown| shown.elapsed() < every) {
            return;
        }
        self.shown = Some(Instant::now());
        let mut telemetry = pipeline.telemetry.lock().unwrap_or_else(PoisonError::into_inner);
        telemetry.refresh(Duration::from_millis(20));
        let line = line(self.began.elapsed().as_secs(), &telemetry);
        drop(telemetry);
        let mut out = std::io::stdout().lock();
        // A closed standard output must not stop the engine.
        let _ =
            if self.terminal { write!(out, "\r\x1b[2K{line}") } else { writeln!(out, "{line}") };
        let _ = out.flush();
        self.open = self.terminal;
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            say(format_args!(""));
        }
    }
}

fn line(seconds: u64, telemetry: &Telemetry) -> String {
    let (trading, feed) = (telemetry.trading.current(), telemetry.feed.current());
    let session = match trading.session {
        OrderSession::Down => "session down",
        OrderSession::Reconciling => "reconciling",
        OrderSession::Ready => "ready",
        OrderSession::Closing => "closing",
    };
    let live = trading.books.iter().filter(|state| **state == BookState::Live).count();
    let counters = &trading.counters;
    let profit: Money =
        telemetry.instruments.iter().filter_map(|instrument| trading.profit(instrument)).sum();
    format!(
        "{seconds:>3} s  {session}{}  books {live}/{}  messages {}  orders {} open, {} sent  \
         fills {}  PnL {}",
        if trading.killed { " KILLED" } else { "" },
        trading.books.len(),
        feed.messages,
        trading.open_orders,
        counters.commands(),
        counters.fills,
        profit.to_decimal(2),
    )
}
