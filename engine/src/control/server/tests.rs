//! Tests of the socket with a real loop behind it, and with one that stands still.

use super::*;
use crate::control::testing::Engine;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

struct Bench {
    engine: Engine,
    path: PathBuf,
    server: Server,
    _folder: TempDir,
}

fn bench(engine: Engine) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("touchline.sock");
    let server = Server::start(&path, engine.operators.clone()).unwrap();
    Bench { engine, path, server, _folder: folder }
}

fn ask(path: &Path, bytes: &[u8]) -> Answer {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(bytes).unwrap();
    read(stream)
}

fn read(mut stream: UnixStream) -> Answer {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    Answer::parse(&answer).unwrap()
}

fn me() -> String {
    let (one, _other) = UnixStream::pair().unwrap();
    peer_name(&one).unwrap()
}

#[test]
fn kill_and_clear_are_done_before_they_are_answered() {
    let bench = bench(Engine::running());
    let killed = ask(&bench.path, b"kill\tfat finger\n");
    assert_eq!(killed, Answer { well: true, text: format!("killed by {}: fat finger", me()) });
    assert!(bench.engine.gate.is_shut());
    let page = ask(&bench.path, b"status\n").text;
    assert!(page.contains(&format!("set by {}: fat finger; the gateway", me())), "{page}");

    let cleared = ask(&bench.path, b"clear\tAda\tit was a drill\n");
    assert_eq!(cleared, Answer { well: true, text: "cleared by Ada: it was a drill".to_owned() });
    assert!(!bench.engine.gate.is_shut());
    let page = ask(&bench.path, b"status\n").text;
    assert!(page.contains("kill       not set\n") && page.contains("TLA"), "{page}");
}

#[test]
fn a_second_kill_replaces_the_first_and_clear_needs_no_kill() {
    let bench = bench(Engine::running());
    assert!(ask(&bench.path, b"clear\tAda\tto be sure\n").well);
    assert!(ask(&bench.path, b"kill\tone\n").well);
    assert!(ask(&bench.path, b"kill\ttwo\n").well);
    let telemetry = bench.engine.telemetry.lock().unwrap();
    assert!(telemetry.trading.current().kill_text.ends_with(": two"));
}

#[test]
fn a_loop_that_stands_still_is_told_as_such_and_the_gate_is_shut_all_the_same() {
    let bench = bench(Engine::stalled());
    let answer = ask(&bench.path, b"kill\tno heartbeat\n");
    assert!(!answer.well && answer.text.contains("lets only cancels out"), "{}", answer.text);
    assert!(answer.text.contains("has not taken the act"), "{}", answer.text);
    assert!(bench.engine.gate.is_shut());
    assert!(!ask(&bench.path, b"clear\tAda\ttry\n").well);
    assert!(bench.engine.gate.is_shut(), "a clear that the loop has not taken opens nothing");
    let page = ask(&bench.path, b"status\n");
    assert!(page.well && page.text.contains("does not answer"), "{}", page.text);
    for _ in 0..2 {
        ask(&bench.path, b"kill\tagain\n");
    }
    let answer = ask(&bench.path, b"kill\tthe ring is full\n");
    assert!(answer.text.contains("too many are waiting"), "{}", answer.text);
}

#[test]
fn what_is_no_request_is_answered_and_served_on() {
    let bench = bench(Engine::running());
    let cases: [(&[u8], &str); 4] = [
        (b"quit\n", "no request"),
        (b"kill\t\n", "reason is empty"),
        (b"\xff\n", "not UTF-8"),
        (&[b'x'; REQUEST_BYTES_MAX], "longer than"),
    ];
    for (bytes, expected) in cases {
        let answer = ask(&bench.path, bytes);
        assert!(!answer.well && answer.text.contains(expected), "{}", answer.text);
    }
    // One that leaves without a word.
    drop(UnixStream::connect(&bench.path).unwrap());
    assert!(ask(&bench.path, b"status\n").well);
    assert!(!bench.engine.gate.is_shut());
}

#[test]
fn clients_are_bounded() {
    let bench = bench(Engine::running());
    let silent: Vec<_> =
        (0..CLIENTS_MAX).map(|_| UnixStream::connect(&bench.path).unwrap()).collect();
    let answer = read(UnixStream::connect(&bench.path).unwrap());
    assert!(!answer.well && answer.text.contains("try again"), "{}", answer.text);
    drop(silent);
    // They leave one by one; soon there is room again.
    while !ask_or_busy(&bench.path) {
        thread::yield_now();
    }
}

/// True once it is served; a client that is turned away may find its request unread.
fn ask_or_busy(path: &Path) -> bool {
    let mut stream = UnixStream::connect(path).unwrap();
    let mut answer = Vec::new();
    let asked = stream.write_all(b"status\n").and_then(|()| stream.read_to_end(&mut answer));
    asked.is_ok() && Answer::parse(&answer).is_some_and(|answer| answer.well)
}

#[test]
fn the_socket_is_ours_alone_and_goes_with_us() {
    let bench = bench(Engine::running());
    let mode = fs::metadata(&bench.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let other = Server::start(&bench.path, bench.engine.operators.clone());
    assert!(matches!(other, Err(ServerError::Live(_))));
    assert!(ask(&bench.path, b"status\n").well);
    drop(bench.server);
    assert!(!bench.path.exists());
}

#[test]
fn a_dead_socket_is_replaced_and_anything_else_kept() {
    let engine = Engine::stalled();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("touchline.sock");
    drop(UnixListener::bind(&path).unwrap());
    let server = Server::start(&path, engine.operators.clone()).unwrap();
    assert!(ask(&path, b"status\n").well);
    drop(server);

    fs::write(&path, "a letter").unwrap();
    let refused = Server::start(&path, engine.operators.clone());
    assert!(matches!(refused, Err(ServerError::NotASocket(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "a letter");

    let nowhere = folder.path().join("missing").join("touchline.sock");
    let refused = Server::start(&nowhere, engine.operators.clone());
    assert!(matches!(refused, Err(ServerError::Io { .. })));
}

#[test]
fn names_come_from_the_password_file() {
    let users = "root:x:0:0:root:/root:/bin/sh\nbroken\nada:x:1001:1001::/home/ada:/bin/sh\n";
    assert_eq!(user_name(users, 1001), Some("ada"));
    assert_eq!(user_name(users, 0), Some("root"));
    assert_eq!(user_name(users, 7), None);
}
