//! A test as a process of its own in a network of its own: nobody outside can reach what listens on
//! all addresses there.
//!
//! The test's executable is started again for this one test, by `unshare` with nothing but loopback;
//! where that is refused, behind a shim that turns a bind to all addresses into one to loopback. It
//! must never let a test pass that did not run.

use crate::host::{PATIENCE, eventually};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Set for the process that is alone.
const ALONE: &str = "TOUCHLINE_TEST_ALONE";
/// Brings loopback up, then becomes the test.
const ENTER: &str = "ip link set lo up && exec \"$0\" \"$@\"";
/// The shim, for IPv4, which is all that QuickFIX knows.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

int bind(int fd, const struct sockaddr *address, socklen_t length) {
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
    struct sockaddr_in loopback;
    if (address->sa_family == AF_INET && length >= sizeof loopback) {
        loopback = *(const struct sockaddr_in *)address;
        if (loopback.sin_addr.s_addr == htonl(INADDR_ANY)) {
            loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            return next(fd, (struct sockaddr *)&loopback, sizeof loopback);
        }
    }
    return next(fd, address, length);
}
"#;

/// How a network of one's own is to be had here.
enum Way {
    Unshare,
    Shim(PathBuf),
}

/// Found out once for all tests of this process.
fn way() -> &'static Way {
    static WAY: OnceLock<Way> = OnceLock::new();
    WAY.get_or_init(|| {
        let probe = unshare("true").output();
        if probe.is_ok_and(|probe| probe.status.success()) {
            return Way::Unshare;
        }
        Way::Shim(shim())
    })
}

fn unshare(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", ENTER]).arg(program);
    command
}

/// Compiles the shim into the folder that Cargo keeps for tests.
fn shim() -> PathBuf {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let [source, made] = ["bind.c", "bind.so"].map(|name| folder.path().join(name));
    std::fs::write(&source, SHIM).unwrap();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&made, &source])
        .arg("-ldl")
        .output()
        .unwrap_or_else(|error| panic!("neither unshare nor cc: {error}"));
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    // Whole or not at all: others may be about to use it.
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bind.so");
    std::fs::rename(made, &library).unwrap();
    library
}

/// Runs `scenario` in a process that is alone. `test` is the path of the calling test, from the
/// crate's name on.
pub(crate) fn run(test: &str, scenario: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        return scenario();
    }
    let (_, test) = test.split_once("::").unwrap();
    let own = std::env::current_exe().unwrap();
    let mut command = match way() {
        Way::Unshare => unshare(&own),
        Way::Shim(library) => {
            let mut command = Command::new(&own);
            command.env("LD_PRELOAD", library);
            command
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().join("said");
    command.args([test, "--exact", "--nocapture"]).env(ALONE, "");
    command.stdin(Stdio::null()).stdout(File::create(&said).unwrap());
    judge(test, Group(command.process_group(0).spawn().unwrap()), &said);
}

/// The process that is alone, and all that it starts: a group of their own.
struct Group(Child);

impl Group {
    /// Looks whether it has ended, but leaves it there, so that its number stays its own.
    fn has_ended(&self) -> bool {
        let how = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&self.0)), how).unwrap().is_some()
    }

    /// Ends what is left of its group; gives how it ended itself.
    fn end(&mut self) -> ExitStatus {
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        self.0.wait().unwrap()
    }
}

fn judge(test: &str, mut group: Group, said: &Path) {
    // Its own waits are bounded by the same patience; there may be a few.
    let until = Instant::now() + 3 * PATIENCE;
    while !group.has_ended() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    let in_time = group.has_ended();
    let status = group.end();
    let said = std::fs::read_to_string(said).unwrap();
    assert!(in_time, "{test} does not end: {said}");
    // With a name that is not there, nothing would run and nothing would fail.
    let ran = said.contains("1 passed") || said.contains("1 failed");
    assert!(ran, "{test} did not run to its end, {status}: {said}");
    assert!(status.success(), "{test} failed, see above: {said}");
}

/// Waits until QuickFIX listens on `port`, and sees to it that only this machine can reach it.
pub(crate) fn assert_unreachable(port: u16) {
    let addresses = eventually("a listener", || {
        let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
        let all: Vec<String> = table
            .lines()
            .filter_map(|row| row.split_whitespace().nth(1)?.strip_suffix(&format!(":{port:04X}")))
            .map(str::to_owned)
            .collect();
        (!all.is_empty()).then_some(all)
    });
    // Alone in a network there is nothing but loopback; behind the shim it must be bound to it.
    let links = std::fs::read_to_string("/proc/self/net/dev").unwrap();
    let only_loopback = links.lines().skip(2).all(|row| row.trim_start().starts_with("lo:"));
    let bound = addresses.iter().all(|address| address.ends_with("7F"));
    assert!(only_loopback || bound, "anyone can reach {addresses:?}");
}
