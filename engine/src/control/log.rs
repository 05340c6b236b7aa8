//! The log: `tracing` behind a writer thread of its own, so that no line waits for a disk or a
//! terminal. Hot cores do not log at all.
//!
//! When lines come faster than they are written, lines are dropped and counted, never waited for.

use crate::config::LogLevel;
use crate::config::sections::LogConfig;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, WorkerGuard};

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be written.
    #[error("cannot write the log {}: {source}; change [log] file", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is one already.
    #[error("the log was started twice in one process")]
    Twice,
}

/// Keeps the writer thread. Dropping it writes what is left.
#[derive(Debug)]
pub struct LogGuard {
    _worker: WorkerGuard,
    dropped: ErrorCounter,
}

impl LogGuard {
    /// Lines that were dropped since the writer could not keep up.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped.dropped_lines()
    }
}

/// Starts the log of this process.
///
/// # Errors
/// [`LogError`].
pub fn start(config: &LogConfig) -> Result<LogGuard, LogError> {
    let (subscriber, guard) = subscriber(config)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
    Ok(guard)
}

/// A log that is not yet the process's.
///
/// # Errors
/// [`LogError::File`].
pub fn subscriber(
    config: &LogConfig,
) -> Result<(impl Subscriber + Send + Sync + use<>, LogGuard), LogError> {
    let (writer, worker, colours) = writer(config)?;
    let dropped = writer.error_counter();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level(config.level))
        .with_ansi(colours)
        .with_target(false)
        .with_writer(writer)
        .finish();
    Ok((subscriber, LogGuard { _worker: worker, dropped }))
}

fn writer(config: &LogConfig) -> Result<(NonBlocking, WorkerGuard, bool), LogError> {
    let Some(path) = &config.file else {
        let (writer, worker) = tracing_appender::non_blocking(io::stderr());
        return Ok((writer, worker, io::stderr().is_terminal()));
    };
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.map_err(|source| LogError::File { path: path.clone(), source })?;
    let (writer, worker) = tracing_appender::non_blocking(file);
    Ok((writer, worker, false))
}

fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_level_reach_the_file_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("engine.log");
        let config = LogConfig { level: LogLevel::Info, file: Some(file.clone()) };
        let (subscriber, guard) = subscriber(&config).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!("seen {}", 7);
            tracing::debug!("too small");
        });
        assert_eq!(guard.dropped(), 0);
        drop(guard);
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.ends_with("WARN seen 7\n") && text.lines().count() == 1, "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = Some(folder.path().join("missing").join("engine.log"));
        let config = LogConfig { level: LogLevel::Error, file };
        let Err(error) = subscriber(&config) else { panic!("no error") };
        assert!(error.to_string().contains("change [log] file"));
    }
}
