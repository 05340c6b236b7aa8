//! The socket of `touchline ctl`: a unix socket of mode 0600 and a thread that is never pinned.
//!
//! Bounded in everything that a client could stretch: clients at once, bytes of a line, time to
//! say it. It must never replace the socket of an engine that lives.

use crate::control::operators::Operators;
use crate::control::protocol::{Answer, BadRequest, REQUEST_BYTES_MAX, Request};
use rustix::fs::Mode;
use rustix::net::sockopt::socket_peercred;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Clients served at once; more are told to come again.
const CLIENTS_MAX: usize = 8;
/// Time to say a request, and to take the answer.
const CLIENT_TIME: Duration = Duration::from_secs(5);
/// Time between two looks at the stop flag.
const ACCEPT_WAIT: Duration = Duration::from_millis(50);

/// Why the socket does not stand.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An engine answers there.
    #[error(
        "{} is the socket of an engine that runs: stop it, or give this one another [engine] \
         data_dir or [control] socket", .0.display()
    )]
    Live(PathBuf),
    /// Something else has the name.
    #[error("{} is there and is no socket: move it, or change [control] socket", .0.display())]
    NotASocket(PathBuf),
    /// The system refuses.
    #[error("cannot listen at {}: {source}; change [control] socket", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A running server. Stops when dropped.
pub struct Server {
    path: PathBuf,
    /// Device and inode of our socket, lest we remove another's.
    identity: Option<(u64, u64)>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens at `path` and answers from `operators`.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn start(path: &Path, operators: Arc<Operators>) -> Result<Server, ServerError> {
        let io = |source| ServerError::Io { path: path.to_owned(), source };
        clear_the_way(path)?;
        let listener = bind(path).map_err(io)?;
        let stop = Arc::new(AtomicBool::new(false));
        let identity = identity(path);
        let stopped = stop.clone();
        let thread = thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || accept(&listener, &operators, &stopped))
            .map_err(io)?;
        Ok(Server { path: path.to_owned(), identity, stop, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Removes the socket that a dead process left.
fn clear_the_way(path: &Path) -> Result<(), ServerError> {
    let io = |source| ServerError::Io { path: path.to_owned(), source };
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.map_err(io)?,
    };
    if !found.file_type().is_socket() {
        return Err(ServerError::NotASocket(path.to_owned()));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(io)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io(error)),
        Ok(_) => Err(ServerError::Live(path.to_owned())),
    }
}

/// A listening socket whose file has mode 0600 from its first moment: on Linux it takes the mode
/// that the socket itself had before.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    socket.bind(&SockAddr::unix(path)?)?;
    socket.listen(16)?;
    // Accepting waits this long at most.
    socket.set_read_timeout(Some(ACCEPT_WAIT))?;
    Ok(socket.into())
}

fn accept(listener: &UnixListener, operators: &Arc<Operators>, stop: &AtomicBool) {
    let mut clients: Vec<(UnixStream, JoinHandle<()>)> = Vec::with_capacity(CLIENTS_MAX);
    while !stop.load(Ordering::Relaxed) {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            // Out of descriptors, most likely: give others time to close theirs.
            Err(error) => {
                tracing::warn!("the control socket cannot accept: {error}");
                thread::sleep(ACCEPT_WAIT);
                continue;
            }
        };
        clients.retain(|(_, thread)| !thread.is_finished());
        if let Err(error) = serve_aside(stream, operators, &mut clients) {
            tracing::warn!("a client of the control socket is not served: {error}");
        }
    }
    for (stream, thread) in clients {
        let _ = stream.shutdown(Shutdown::Read);
        let _ = thread.join();
    }
}

/// Serves one client on a thread of its own, if there is room for one more.
fn serve_aside(
    stream: UnixStream,
    operators: &Arc<Operators>,
    clients: &mut Vec<(UnixStream, JoinHandle<()>)>,
) -> io::Result<()> {
    stream.set_write_timeout(Some(CLIENT_TIME))?;
    if clients.len() >= CLIENTS_MAX {
        let text = format!("{CLIENTS_MAX} clients are being served: try again in a moment");
        return (&stream).write_all(&Answer { well: false, text }.to_bytes());
    }
    let handle = stream.try_clone()?;
    let operators = operators.clone();
    let thread = thread::Builder::new().name("control-client".to_owned()).spawn(move || {
        if let Err(error) = serve(&stream, &operators) {
            tracing::debug!("a client of the control socket left: {error}");
        }
        // The acceptor's handle must not keep the connection open: its end is the answer's end.
        let _ = stream.shutdown(Shutdown::Both);
    })?;
    clients.push((handle, thread));
    Ok(())
}

/// One request, one answer.
fn serve(mut stream: &UnixStream, operators: &Operators) -> io::Result<()> {
    let peer = peer_name(stream)?;
    let mut line = [0; REQUEST_BYTES_MAX];
    let request = match read_line(stream, &mut line)? {
        Some(line) => Request::parse(line),
        None => Err(BadRequest::Endless),
    };
    let answer = match request {
        Ok(request) => act(&request, &peer, operators),
        Err(bad) => Answer { well: false, text: bad.to_string() },
    };
    stream.write_all(&answer.to_bytes())
}

/// The line without its newline, or `None` if it does not end in the buffer.
fn read_line<'a>(mut stream: &UnixStream, buffer: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
    let give_up = Instant::now() + CLIENT_TIME;
    let mut filled = 0;
    while filled < buffer.len() {
        // A client that says a byte at a time has no more time than another.
        let left = give_up.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let count = match stream.read(&mut buffer[filled..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            count => count?,
        };
        let end = buffer[filled..filled + count].iter().position(|&byte| byte == b'\n');
        if let Some(end) = end {
            return Ok(Some(&buffer[..filled + end]));
        }
        filled += count;
    }
    Ok(None)
}

fn act(request: &Request, peer: &str, operators: &Operators) -> Answer {
    let (done, text) = match request {
        Request::Status => return Answer { well: true, text: operators.status() },
        Request::Kill { reason } => {
            tracing::warn!("kill by {peer}: {reason}");
            (operators.kill(peer, reason), format!("killed by {peer}: {reason}"))
        }
        Request::Clear { name, reason } => {
            tracing::warn!("clear by {name} (user {peer}): {reason}");
            (operators.clear(name, reason), format!("cleared by {name}: {reason}"))
        }
    };
    match (done, request) {
        (Ok(()), _) => Answer { well: true, text },
        (Err(not_done), Request::Kill { .. }) => {
            let text = format!("the gateway lets only cancels out from now on, but {not_done}");
            Answer { well: false, text }
        }
        (Err(not_done), _) => Answer { well: false, text: not_done.to_string() },
    }
}

/// Who is at the other end: the kernel says it, not the client.
fn peer_name(stream: &UnixStream) -> io::Result<String> {
    let uid = socket_peercred(stream)?.uid.as_raw();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    Ok(user_name(&users, uid).map_or_else(|| format!("uid {uid}"), str::to_owned))
}

/// The name of a user in the text of a password file.
fn user_name(users: &str, uid: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests;
