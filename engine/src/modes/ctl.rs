//! `touchline ctl`: asks a running engine how it stands, kills it or clears its kill latch.
//!
//! It does nothing by itself: an engine that does not answer is an error, never a guess.

use crate::cli::{CtlArgs, CtlCommand, Exit};
use crate::control::protocol::{ANSWER_BYTES_MAX, Answer, BadRequest, Request};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// An engine answers a kill within two seconds, and then some for a busy machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

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

/// Runs the subcommand.
///
/// # Errors
/// [`CtlError`]: exit code 4.
pub fn main(args: &CtlArgs) -> anyhow::Result<ExitCode> {
    let answer = ask(&args.socket, &request(&args.command))?;
    writeln!(io::stdout(), "{answer}")?;
    Ok(Exit::Well.into())
}

fn request(command: &CtlCommand) -> Request {
    match command.clone() {
        CtlCommand::Status => Request::Status,
        CtlCommand::Kill { reason } => Request::Kill { reason },
        CtlCommand::Clear { name, reason } => Request::Clear { name, reason },
    }
}

/// Asks the engine at `socket`; gives its answer.
///
/// # Errors
/// [`CtlError`].
pub fn ask(socket: &Path, request: &Request) -> Result<String, CtlError> {
    let line = request.to_line();
    // What the engine would refuse need not travel.
    Request::parse(line.trim_end_matches('\n').as_bytes())?;
    let mut stream = connect(socket)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.write_all(line.as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    match Answer::parse(&bytes).ok_or(CtlError::Garbled)? {
        Answer { well: true, text } => Ok(text),
        Answer { text, .. } => Err(CtlError::Refused(text)),
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
    use crate::cli::{Cli, Command};
    use crate::control::server::Server;
    use crate::control::testing::Engine;
    use clap::Parser;

    fn ctl(socket: &Path, words: &[&str]) -> Result<String, CtlError> {
        let line = ["touchline", "ctl"].into_iter().chain(words.iter().copied());
        match Cli::try_parse_from(line).unwrap().chosen() {
            Command::Ctl(args) => ask(socket, &request(&args.command)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn asks_and_hears() {
        let engine = Engine::running();
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("t.sock");
        let _server = Server::start(&socket, engine.operators.clone()).unwrap();
        assert!(ctl(&socket, &["status"]).unwrap().starts_with("engine     bench (demo)\n"));
        let killed = ctl(&socket, &["kill", "--reason", "a drill"]).unwrap();
        assert!(killed.starts_with("killed by ") && killed.ends_with(": a drill"), "{killed}");
        let cleared = ctl(&socket, &["clear", "--name", "Ada", "--reason", "over"]).unwrap();
        assert_eq!(cleared, "cleared by Ada: over");
        let long = "x".repeat(86);
        for reason in [long.as_str(), "", " "] {
            let refused = ctl(&socket, &["kill", "--reason", reason]);
            assert!(matches!(refused, Err(CtlError::Request(_))), "{refused:?}");
        }
        let unnamed = ctl(&socket, &["clear", "--name", "", "--reason", "over"]);
        assert!(matches!(unnamed, Err(CtlError::Request(BadRequest::Empty("name")))));
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
}
