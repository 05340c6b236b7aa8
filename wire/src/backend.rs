//! The choice between io_uring and plain sockets, made once at start and said aloud.
//!
//! A host that refuses io_uring (a container's seccomp profile, a memory limit, an old kernel) must
//! never keep the engine from starting, unless the configuration insists on io_uring.

use crate::io::Io;
use crate::plain::Plain;
use crate::uring::{Setup, Uring, set_up};
use io_uring::IoUring;
use std::fmt;
use std::io;
use std::str::FromStr;

/// Which way bytes go to the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// io_uring where the host allows it, else plain sockets.
    #[default]
    Auto,
    /// io_uring or an error.
    IoUring,
    /// Plain non-blocking sockets.
    Plain,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Backend::Auto => "auto",
            Backend::IoUring => "io_uring",
            Backend::Plain => "plain",
        })
    }
}

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(text: &str) -> Result<Self, UnknownBackend> {
        [Backend::Auto, Backend::IoUring, Backend::Plain]
            .into_iter()
            .find(|backend| backend.to_string() == text)
            .ok_or_else(|| UnknownBackend(text.to_owned()))
    }
}

/// The text names no backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBackend(String);

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no socket backend; write `auto`, `io_uring` or `plain`", self.0)
    }
}

impl std::error::Error for UnknownBackend {}

/// What [`open`] found.
pub struct Opened {
    /// The backend, ready for any number of sockets.
    pub io: Box<dyn Io>,
    /// One line to show the user when the best choice was refused: why, and what is used instead.
    pub notice: Option<String>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("io", &self.io.name()).field("notice", &self.notice).finish()
    }
}

/// Opens a backend: one ring, or none. Open one for each polling thread, and keep it over
/// reconnects: a host that limits locked memory gives back a closed ring's memory late.
///
/// # Errors
/// Only for [`Backend::IoUring`], when the host refuses it; the text says what to change.
pub fn open(choice: Backend) -> io::Result<Opened> {
    open_with(choice, set_up)
}

/// As [`open`], with the set-up of a ring passed in, so that tests can refuse it.
fn open_with(
    choice: Backend,
    mut set_up: impl FnMut(Setup) -> io::Result<IoUring>,
) -> io::Result<Opened> {
    if choice == Backend::Plain {
        return Ok(Opened { io: Box::new(Plain), notice: None });
    }
    let ring = match set_up(Setup::Deferred) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => set_up(Setup::Cooperative),
        result => result,
    };
    match ring {
        Ok(ring) => Ok(Opened { io: Box::new(Uring::new(ring)), notice: None }),
        Err(error) if choice == Backend::Auto => {
            let notice = format!("{}; using plain sockets instead", refusal(&error));
            Ok(Opened { io: Box::new(Plain), notice: Some(notice) })
        }
        Err(error) => {
            let text = format!("{}; or set the backend to `plain` or `auto`", refusal(&error));
            Err(io::Error::new(error.kind(), text))
        }
    }
}

/// Why there is no ring, and what would change that.
fn refusal(error: &io::Error) -> String {
    let remedy = match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            "allow io_uring_setup, io_uring_enter and io_uring_register in the container's seccomp \
             profile, and set kernel.io_uring_disabled to 0"
        }
        Some(libc::ENOMEM) => "raise the limit of locked memory (ulimit -l, LimitMEMLOCK)",
        Some(libc::ENOSYS) => "use a kernel built with io_uring",
        Some(libc::EINVAL) => "use Linux 6.0 or newer",
        Some(libc::EMFILE | libc::ENFILE) => "raise the limit of open files (ulimit -n)",
        _ => "see io_uring_setup(2) for the cause",
    };
    format!("this host refuses io_uring ({error}): {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(errno: i32) -> impl FnMut(Setup) -> io::Result<IoUring> {
        move |_| Err(io::Error::from_raw_os_error(errno))
    }

    #[test]
    fn auto_falls_back_whatever_the_refusal() {
        for errno in [libc::EPERM, libc::ENOSYS, libc::ENOMEM, libc::EINVAL, libc::EMFILE, 9999] {
            let opened = open_with(Backend::Auto, refuse(errno)).unwrap();
            assert_eq!(opened.io.name(), "plain");
            let notice = opened.notice.unwrap();
            assert!(notice.contains(&format!("os error {errno}")), "{notice}");
            assert!(notice.ends_with("using plain sockets instead"), "{notice}");
            assert!(!notice.contains('\n'), "{notice}");
        }
    }

    #[test]
    fn io_uring_insists_and_says_what_to_change() {
        let text = |errno| open_with(Backend::IoUring, refuse(errno)).unwrap_err().to_string();
        assert!(text(libc::EPERM).contains("seccomp"));
        assert!(text(libc::ENOMEM).contains("ulimit -l"));
        assert!(text(libc::EINVAL).contains("Linux 6.0"));
        assert!(text(libc::ENOSYS).contains("`plain` or `auto`"));
    }

    #[test]
    fn the_second_set_up_is_tried_only_when_the_kernel_does_not_know_the_first() {
        for (errno, attempts) in [
            (libc::EINVAL, &[Setup::Deferred, Setup::Cooperative][..]),
            (libc::EPERM, &[Setup::Deferred]),
            (libc::ENOMEM, &[Setup::Deferred]),
        ] {
            let mut seen = Vec::new();
            open_with(Backend::Auto, |setup| {
                seen.push(setup);
                Err(io::Error::from_raw_os_error(errno))
            })
            .unwrap();
            assert_eq!(seen, attempts);
        }
    }

    #[test]
    fn plain_asks_for_no_ring() {
        let opened = open_with(Backend::Plain, |_| unreachable!()).unwrap();
        assert_eq!((opened.io.name(), opened.notice), ("plain", None));
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for backend in [Backend::Auto, Backend::IoUring, Backend::Plain] {
            assert_eq!(backend.to_string().parse(), Ok(backend));
        }
        let error = "epoll".parse::<Backend>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`epoll` is no socket backend; write `auto`, `io_uring` or `plain`"
        );
    }
}
