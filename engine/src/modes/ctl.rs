//! `touchline ctl`: asks a running engine how it stands, kills it or clears its kill latch.
//!
//! It does nothing by itself: an engine that does not answer is an error, never a guess.

use crate::control::protocol::{ANSWER_BYTES_MAX, Answer, BadRequest, Request};
use clap::builder::NonEmptyStringValueParser as Text;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An engine answers a kill within two seconds, and then some for a busy machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// Ask a running engine how it stands, kill it or clear its kill latch.
///
/// The engine's socket is open to its own user only. Every act is journaled with who and why.
///
/// Example: touchline ctl kill --reason "quotes look wrong"
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The engine's socket: its [control] socket, or `touchline.sock` in its [engine] data_dir.
    #[arg(long, value_name = "PATH", default_value = "touchline-data/engine/touchline.sock")]
    pub socket: PathBuf,
    /// What to ask.
    #[command(subcommand)]
    pub act: Act,
}

/// What to ask.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Act {
    /// Print how the engine stands: session, kill latch, orders, positions, feed.
    ///
    /// Example: touchline ctl status
    Status,
    /// Cancel every order and send nothing new, until cleared; survives a restart.
    ///
    /// Example: touchline ctl kill --reason "quotes look wrong"
    Kill {
        /// Why; at most 85 bytes.
        #[arg(long, value_name = "TEXT", value_parser = Text::new())]
        reason: String,
    },
    /// Release the kill latch and every halted instrument; quoting begins again.
    ///
    /// Example: touchline ctl clear --name Ada --reason "model reloaded and checked"
    Clear {
        /// Who answers for it; at most 32 bytes.
        #[arg(long, value_name = "WHO", value_parser = Text::new())]
        name: String,
        /// Why; at most 85 bytes.
        #[arg(long, value_name = "TEXT", value_parser = Text::new())]
        reason: String,
    },
}

/// Why nothing was done, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub enum CtlError {
    /// Nobody listens.
    #[error(
        "no engine listens at {}: is it running? Start it with `touchline run`, or name its \
         socket with --socket", .0.display()
    )]
    Nobody(PathBuf),
    /// Another user's engine.
    #[error("{} belongs to another user: run this as the user of the engine", .0.display())]
    Forbidden(PathBuf),
    /// What was typed is no request.
    #[error("{0}")]
    Request(#[from] BadRequest),
    /// The connection broke.
    #[error(
        "the engine did not answer ({0}): ask `touchline ctl status` whether the act was taken"
    )]
    Io(#[from] io::Error),
    /// The answer is cut, or of no engine.
    #[error("the answer is cut or is none of an engine: ask `touchline ctl status`")]
    Garbled,
    /// The engine refused, or could not do it.
    #[error("{0}")]
    Refused(String),
}

/// Asks, and prints the answer to `out`.
///
/// # Errors
/// [`CtlError`]: exit code 4.
pub fn run(args: &Args, out: &mut impl Write) -> Result<(), CtlError> {
    let line = request(&args.act).to_line();
    // What the engine would refuse need not travel.
    Request::parse(line.trim_end_matches('\n').as_bytes())?;
    let mut stream = connect(&args.socket)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.write_all(line.as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    match Answer::parse(&bytes).ok_or(CtlError::Garbled)? {
        Answer { well: true, text } => Ok(writeln!(out, "{text}")?),
        Answer { text, .. } => Err(CtlError::Refused(text)),
    }
}

fn request(act: &Act) -> Request {
    match act {
        Act::Status => Request::Status,
        Act::Kill { reason } => Request::Kill { reason: reason.clone() },
        Act::Clear { name, reason } => {
            Request::Clear { name: name.clone(), reason: reason.clone() }
        }
    }
}

fn connect(path: &Path) -> Result<UnixStream, CtlError> {
    UnixStream::connect(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => CtlError::Nobody(path.to_owned()),
        ErrorKind::PermissionDenied => CtlError::Forbidden(path.to_owned()),
        _ => CtlError::Io(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::server::Server;
    use crate::control::testing::Engine;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn ctl(socket: &Path, words: &[&str]) -> Result<String, CtlError> {
        let socket = socket.to_str().unwrap();
        let line = ["ctl", "--socket", socket].into_iter().chain(words.iter().copied());
        let args = Line::try_parse_from(line).unwrap().args;
        let mut out = Vec::new();
        run(&args, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn asks_and_prints() {
        let engine = Engine::running();
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("t.sock");
        let _server = Server::start(&socket, engine.operators.clone()).unwrap();
        assert!(ctl(&socket, &["status"]).unwrap().starts_with("engine     bench (demo)\n"));
        let killed = ctl(&socket, &["kill", "--reason", "a drill"]).unwrap();
        assert!(killed.ends_with(": a drill\n"), "{killed}");
        let cleared = ctl(&socket, &["clear", "--name", "Ada", "--reason", "over"]).unwrap();
        assert_eq!(cleared, "cleared by Ada: over\n");
        let long = "x".repeat(86);
        let refused = ctl(&socket, &["kill", "--reason", &long]);
        assert!(matches!(refused, Err(CtlError::Request(BadRequest::Long(..)))));
        assert!(!engine.gate.is_shut());
    }

    #[test]
    fn says_what_to_do_without_an_engine() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("t.sock");
        let error = ctl(&socket, &["status"]).unwrap_err();
        assert!(error.to_string().contains("is it running?"), "{error}");
        let engine = Engine::stalled();
        let _server = Server::start(&socket, engine.operators.clone()).unwrap();
        let error = ctl(&socket, &["kill", "--reason", "now"]).unwrap_err();
        assert!(matches!(error, CtlError::Refused(_)));
    }

    #[test]
    fn names_and_reasons_are_required() {
        for words in [
            &["kill"][..],
            &["kill", "--reason", ""],
            &["clear", "--reason", "over"],
            &["clear", "--name", "Ada"],
            &["clear", "--name", "", "--reason", "over"],
            &[],
        ] {
            let line = ["ctl"].iter().chain(words);
            assert!(Line::try_parse_from(line).is_err(), "{words:?}");
        }
    }
}
