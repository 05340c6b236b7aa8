//! What the ring does when the kernel does not do what it should. The conformance tests cover the
//! rest. Where the host has no io_uring these tests skip aloud.

use super::*;
use std::io::Write;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

fn uring(setup: Setup) -> Option<Uring> {
    match set_up(setup) {
        Ok(ring) => Some(Uring::new(ring)),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "skipped: no io_uring ({error})");
            None
        }
    }
}

#[test]
fn both_set_ups_receive() {
    for setup in [Setup::Deferred, Setup::Cooperative] {
        let Some(mut uring) = uring(setup) else { return };
        let (mut here, there) = UnixStream::pair().unwrap();
        let mut bytes = [0; 8];
        assert_eq!(uring.recv(there.as_fd(), &mut bytes).unwrap(), None);
        here.write_all(b"tick").unwrap();
        assert_eq!(uring.recv(there.as_fd(), &mut bytes).unwrap(), Some(4));
        assert_eq!(&bytes[..4], b"tick");
    }
}

#[test]
fn a_receive_that_would_wait_is_cancelled_before_the_call_returns() {
    for setup in [Setup::Deferred, Setup::Cooperative] {
        let Some(mut uring) = uring(setup) else { return };
        let (mut here, there) = UnixStream::pair().unwrap();
        let mut bytes = [0; 8];
        // Without MSG_DONTWAIT on a blocking socket the kernel keeps the operation.
        let waiting =
            opcode::Recv::new(Fd(there.as_raw_fd()), bytes.as_mut_ptr(), length(bytes.len()))
                .build();
        // SAFETY: `bytes` outlives the call.
        let result = unsafe { uring.run(&waiting) };
        assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::ECANCELED));

        // What comes later goes to the next receive, not to the cancelled one.
        here.write_all(b"tick").unwrap();
        assert_eq!(bytes, [0; 8]);
        let mut later = [0; 8];
        assert_eq!(uring.recv(there.as_fd(), &mut later).unwrap(), Some(4));
        assert_eq!(bytes, [0; 8]);
    }
}

#[test]
fn the_ring_may_only_receive() {
    let Some(mut uring) = uring(Setup::Deferred) else { return };
    let open = opcode::OpenAt::new(Fd(libc::AT_FDCWD), c"/dev/null".as_ptr()).build();
    // SAFETY: the path is a constant.
    let result = unsafe { uring.run(&open) };
    assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::EACCES));
    assert!(uring.ring.submitter().register_files_sparse(1).is_err());
}

/// The same test as one who may do nothing: started anew as `nobody`, where this process may do that.
#[test]
fn the_ring_may_only_receive_without_privileges_too() {
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let test = "uring::tests::the_ring_may_only_receive";
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("tests");
    std::fs::write(&copy, own).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    for path in [folder.path(), &copy] {
        std::fs::set_permissions(path, std::fs::Permissions::clone(&mode)).unwrap();
    }
    let run = std::process::Command::new(&copy)
        .args(["--exact", test, "--nocapture"])
        .current_dir("/")
        .gid(NOBODY)
        .uid(NOBODY)
        .output();
    match run {
        Ok(run) => {
            let text = String::from_utf8_lossy(&run.stdout);
            assert!(run.status.success() && text.contains("1 passed"), "{text}");
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "skipped: nobody cannot start ({error})");
        }
    }
}

#[test]
fn a_second_thread_gets_an_error_and_so_does_everyone_after_it() {
    let Some(mut uring) = uring(Setup::Deferred) else { return };
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut bytes = [0xee; 8];
    assert_eq!(uring.recv(socket.as_fd(), &mut bytes).unwrap(), None);

    let receiver = &socket;
    let mut uring = std::thread::scope(|scope| {
        let other = scope.spawn(move || {
            let mut bytes = [0; 8];
            let error = uring.recv(receiver.as_fd(), &mut bytes).unwrap_err();
            assert!(error.to_string().contains("thread that used it first"), "{error}");
            uring
        });
        other.join().unwrap()
    });

    // The entry that stayed in the queue must never reach the kernel: its buffer is gone.
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.send_to(b"tick", socket.local_addr().unwrap()).unwrap();
    let error = uring.recv(socket.as_fd(), &mut bytes).unwrap_err();
    assert!(error.to_string().contains("failed before"), "{error}");
    assert_eq!(bytes, [0xee; 8]);
    let mut waiting = [0; 8];
    assert_eq!(socket.recv(&mut waiting).unwrap(), 4);
}

#[test]
fn made_on_one_thread_and_used_on_another() {
    let Some(mut uring) = uring(Setup::Deferred) else { return };
    let (mut here, there) = UnixStream::pair().unwrap();
    here.write_all(b"tick").unwrap();
    let len = std::thread::spawn(move || uring.recv(there.as_fd(), &mut [0; 8]).unwrap());
    assert_eq!(len.join().unwrap(), Some(4));
}
