//! `touchline fix` on captures: sessions as the wire had them, however the capture has their packets.

#[path = "../../feeds/tests/common/packets.rs"]
#[allow(dead_code, unreachable_pub)]
mod packets;
mod support;

use engine::modes::fix::{Known, Style, Tally, show};
use packets::{Style as Layout, enhanced, ethernet, ipv4, pcap, section, udp};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const FIN: u8 = 1;
const SYN: u8 = 2;
const ACK: u8 = 16;
const LAYOUT: Layout = Layout { big: false, nanos: true };
/// 2025-07-17T13:30:00.123456789Z.
const TIME: u64 = 1_752_759_000_123_456_789;
const MILLI: u64 = 1_000_000;

/// A message around a body in which `|` stands for SOH.
fn framed(body: &str) -> Vec<u8> {
    let body = body.replace('|', "\x01");
    let text = format!("8=FIX.4.4\x019={}\x01{body}", body.len());
    let sum = text.bytes().fold(0u8, u8::wrapping_add);
    format!("{text}10={sum:03}\x01").into_bytes()
}

fn order(number: u32) -> Vec<u8> {
    framed(&format!("35=D|34={number}|49=US|52=20250717-13:30:00|56=VENUE|11=id{number}|55=ARL|"))
}

fn report(number: u32) -> Vec<u8> {
    framed(&format!("35=8|34={number}|49=VENUE|52=20250717-13:30:00|56=US|37=x|150=0|39=0|"))
}

/// A connection between port 4000 of one host and port 9000 of another, as it is captured.
struct Wire {
    now: u64,
    /// Numbers of the next bytes of the client and of the server.
    next: [u32; 2],
    frames: Vec<(u64, Vec<u8>)>,
}

impl Wire {
    fn connect() -> Wire {
        Wire::connect_with([u32::MAX - 100, 7])
    }

    fn connect_with(next: [u32; 2]) -> Wire {
        let mut wire = Wire { now: TIME, next, frames: Vec::new() };
        wire.segment(0, SYN, b"");
        wire.segment(1, SYN | ACK, b"");
        wire.next = wire.next.map(|next| next.wrapping_add(1));
        wire
    }

    /// A segment a millisecond later; gives its place among the frames.
    fn segment(&mut self, side: usize, flags: u8, payload: &[u8]) -> usize {
        self.now += MILLI;
        let (ports, hosts) = ([4000u16, 9000], [1, 2]);
        let mut body = [ports[side].to_be_bytes(), ports[1 - side].to_be_bytes()].concat();
        body.extend(self.next[side].to_be_bytes());
        body.extend(self.next[1 - side].to_be_bytes());
        body.extend([5 << 4, flags, 1, 0, 0, 0, 0, 0]);
        body.extend(payload);
        let mut packet = ipv4(6, 0, 0, 0, 0, &body);
        packet[12..16].copy_from_slice(&[10, 0, 0, hosts[side]]);
        packet[16..20].copy_from_slice(&[10, 0, 0, hosts[1 - side]]);
        self.frames.push((self.now, ethernet(&[], &packet)));
        self.next[side] = self.next[side].wrapping_add(payload.len() as u32);
        self.frames.len() - 1
    }

    /// A message in segments of at most `size` bytes.
    fn send(&mut self, side: usize, message: &[u8], size: usize) -> Vec<usize> {
        message.chunks(size).map(|part| self.segment(side, ACK, part)).collect()
    }

    fn file(&self) -> Vec<u8> {
        pcap(LAYOUT, 1, &self.frames)
    }
}

/// An hour's talk in small: a Logon with a secret, which the answer repeats, then orders and reports
/// in small segments.
fn talk() -> Wire {
    let mut wire = Wire::connect();
    let logon =
        "35=A|34=1|49=US|52=20250717-13:30:00|56=VENUE|98=0|108=30|553=trader7|554=hunter2|";
    wire.send(0, &framed(logon), 40);
    let answer = "35=A|34=1|49=VENUE|52=20250717-13:30:00|56=US|98=0|108=30|58=hi hunter2|";
    wire.send(1, &framed(answer), 40);
    for number in 2..6 {
        wire.send(0, &order(number), 33);
        wire.send(1, &report(number), 1_000);
    }
    wire
}

fn write(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn text_of(path: &Path) -> (String, Tally) {
    let mut out = Vec::new();
    let style = Style { json: false, colour: false };
    let tally = show(&[path], style, &Known::default(), &mut out).unwrap();
    (String::from_utf8(out).unwrap(), tally)
}

/// Its objects: messages, garbled parts and holes, and last the summary.
fn objects_of(bytes: &[u8]) -> (Vec<Value>, Value, Tally) {
    let dir = TempDir::new().unwrap();
    let path = write(&dir, "capture", bytes);
    let mut out = Vec::new();
    let style = Style { json: true, colour: false };
    let tally = show(&[path], style, &Known::default(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let mut objects: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = objects.pop().unwrap()["summary"].clone();
    (objects, summary, tally)
}

/// Sender and sequence number of each message, in the order shown.
fn numbers(objects: &[Value]) -> Vec<String> {
    let field = |object: &Value, tag: &str| {
        let fields = object["fields"].as_array().unwrap().clone();
        fields.into_iter().find(|field| field["tag"] == tag).map(|field| field["value"].clone())
    };
    let messages = objects.iter().filter(|object| object["fields"].is_array());
    messages
        .map(|object| {
            let (sender, number) = (field(object, "49").unwrap(), field(object, "34").unwrap());
            format!("{} {}", sender.as_str().unwrap(), number.as_str().unwrap())
        })
        .collect()
}

const WHOLE: [&str; 10] =
    ["US 1", "VENUE 1", "US 2", "VENUE 2", "US 3", "VENUE 3", "US 4", "VENUE 4", "US 5", "VENUE 5"];

fn in_order_of_time(objects: &[Value]) {
    let times: Vec<_> = objects.iter().map(|object| object["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn both_directions_are_shown_by_time_with_flow_and_stamp() {
    let dir = TempDir::new().unwrap();
    let wire = talk();
    let (text, tally) = text_of(&write(&dir, "day.pcap", &wire.file()));
    assert_eq!(tally, Tally { messages: 10, wrong: 0, garbled: 0, holes: 0 });
    // The third segment of the Logon is the fifth packet.
    let head = "2025-07-17T13:30:00.128456789Z 10.0.0.1:4000 → 10.0.0.2:9000 byte 164: \
                Logon (A) FIX.4.4";
    assert!(text.starts_with(head), "{text}");
    assert!(text.contains(" 10.0.0.2:9000 → 10.0.0.1:4000 byte "), "{text}");
    let end = "42 packets, 42 of TCP in 1 flows\n0 retransmissions dropped, 0 overlaps\n0 holes, \
               0 bytes missing\n10 messages, 0 of them wrong, 0 garbled parts\n";
    let packets = wire.frames.len().to_string();
    assert!(text.ends_with(&end.replace("42", &packets)), "{text}");
    assert!(!text.contains("hunter2") && text.contains("****"), "{text}");

    let (objects, summary, _) = objects_of(&wire.file());
    assert_eq!(numbers(&objects), WHOLE);
    in_order_of_time(&objects);
    assert_eq!(objects[0]["from"], "10.0.0.1:4000");
    assert_eq!(objects[0]["to"], "10.0.0.2:9000");
    assert_eq!((&summary["flows"], &summary["messages"]), (&1.into(), &10.into()));
    assert!(!format!("{objects:?}").contains("hunter2"));
}

#[test]
fn every_layout_and_packing_is_read() {
    let dir = TempDir::new().unwrap();
    let wire = talk();
    let plain = wire.file();
    let mut blocks = section(LAYOUT, 1, 9);
    for (time, frame) in &wire.frames {
        blocks.extend(enhanced(LAYOUT, *time, frame.len() as u32, frame));
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&blocks).unwrap();
    let expected = objects_of(&plain).0;
    let times = |objects: &[Value]| -> Vec<Value> {
        objects.iter().map(|object| object["time"].clone()).collect()
    };
    for (name, bytes) in [
        ("pcapng", blocks.clone()),
        ("pcapng, gzip", gzip.finish().unwrap()),
        ("pcap, zstd", zstd::encode_all(&plain[..], 3).unwrap()),
    ] {
        let (objects, _, _) = objects_of(&bytes);
        assert_eq!(numbers(&objects), WHOLE, "{name}");
        assert_eq!(times(&objects), times(&expected), "{name}");
    }
    // A log may be packed too.
    let log = zstd::encode_all(&order(7)[..], 3).unwrap();
    assert_eq!(text_of(&write(&dir, "log.zst", &log)).1.messages, 1);
}

/// The talk, with packets that changed places and packets that came twice; how many of these have a
/// payload.
fn mangled() -> (Wire, usize) {
    let mut wire = talk();
    let frames = wire.frames.clone();
    // Every third changes places with its neighbour but keeps the stamp that it has there.
    for at in (3..wire.frames.len() - 1).step_by(3) {
        let (one, two) = (frames[at].1.clone(), frames[at + 1].1.clone());
        (wire.frames[at].1, wire.frames[at + 1].1) = (two, one);
    }
    let again: Vec<_> = wire.frames.iter().skip(2).step_by(4).cloned().collect();
    let count = again.iter().filter(|(_, frame)| frame.len() > 14 + 40).count();
    for (at, (time, frame)) in again.into_iter().enumerate() {
        let late = time + 5 * MILLI;
        let place = wire.frames.partition_point(|(time, _)| *time <= late);
        wire.frames.insert(place, (late + at as u64, frame));
    }
    wire.frames.sort_by_key(|(time, _)| *time);
    (wire, count)
}

#[test]
fn packets_out_of_order_twice_and_overlapping_give_the_same_messages() {
    let (wire, count) = mangled();
    let (objects, summary, tally) = objects_of(&wire.file());
    let mut sorted = numbers(&objects);
    sorted.sort_unstable();
    let mut expected = WHOLE;
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    in_order_of_time(&objects);
    assert_eq!((tally.wrong, tally.garbled, tally.holes), (0, 0, 0));
    assert_eq!(summary["retransmissions"], count);
}

#[test]
fn a_lost_packet_is_a_hole_and_the_stream_begins_again() {
    let mut wire = Wire::connect();
    wire.send(0, &order(2), 1_000);
    let parts = wire.send(0, &order(3), 30);
    wire.send(1, &report(2), 1_000);
    let fourth = order(4);
    wire.send(0, &fourth, 1_000);
    wire.now += 200 * MILLI;
    wire.send(1, &report(3), 1_000);
    wire.send(0, &order(5), 1_000);
    wire.segment(0, ACK | FIN, b"");
    wire.frames.remove(parts[1]);
    let dir = TempDir::new().unwrap();
    let path = write(&dir, "lost.pcap", &wire.file());
    let (text, tally) = text_of(&path);
    assert_eq!(tally, Tally { messages: 5, wrong: 0, garbled: 1, holes: 1 });
    let at = order(2).len() + 30;
    assert!(text.contains(&format!("hole: 30 bytes missing after {at}\n")), "{text}");
    assert!(text.contains("garbled: no CheckSum (10) before the end"), "{text}");
    assert!(text.contains("1 holes, 30 bytes missing\n"), "{text}");
    assert!(text.contains(" bytes of no message\n"), "{text}");

    let (objects, summary, _) = objects_of(&wire.file());
    assert_eq!(numbers(&objects), ["US 2", "VENUE 2", "US 4", "VENUE 3", "US 5"]);
    in_order_of_time(&objects);
    let hole = objects.iter().find(|object| object["hole"].is_object()).unwrap();
    assert_eq!((&hole["hole"]["at"], &hole["hole"]["bytes"]), (&at.into(), &30.into()));
    assert_eq!(hole["from"], "10.0.0.1:4000");
    assert_eq!((&summary["holes"], &summary["bytes_missing"]), (&1.into(), &30.into()));
}

#[test]
fn what_is_no_fix_and_no_tcp_is_counted_with_its_reason() {
    let mut wire = talk();
    let alien = [
        ethernet(&[], &udp(packets::Way(1, 1), packets::Way(2, 2), b"hello")),
        ethernet(&[], &ipv4(6, 1, 2, 0, 0x2000, &[0; 30])),
        ethernet(&[], &ipv4(6, 1, 2, 0, 0, &[0; 10])),
        [&[1u8; 12][..], &[0x86, 0xdd], &[0x60; 40]].concat(),
    ];
    let time = wire.now;
    wire.frames.extend(alien.into_iter().map(|frame| (time, frame)));
    // TLS, say.
    let mut other = Wire::connect_with([77, 88]);
    other.send(0, &[0x16, 3, 1, 2, 0, 1].repeat(50), 100);
    wire.frames.extend(other.frames);
    let mut file = wire.file();
    file.truncate(file.len() - 10);
    let (objects, summary, _) = objects_of(&file);
    assert_eq!(numbers(&objects), WHOLE);
    let skipped: Vec<_> = summary["skipped"].as_array().unwrap().iter().collect();
    let reasons: Vec<_> = skipped.iter().map(|skip| skip["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["IPv4 fragment", "IPv6", "TCP header cut", "UDP"]);
    assert!(skipped.iter().all(|skip| skip["count"] == 1 && skip["positions"][0].is_u64()));
    assert_eq!(summary["flows"], 2, "the same ports connected again");
    assert_eq!(summary["bytes_of_no_message"], 200);
    assert!(summary["cut"]["reason"].as_str().unwrap().contains("are there"), "{summary}");
}

#[test]
fn a_broken_capture_shows_what_was_before_and_says_where() {
    let wire = talk();
    let mut file = wire.file();
    let whole = file.len();
    file.extend([0xff; 40]);
    let dir = TempDir::new().unwrap();
    let path = write(&dir, "broken.pcap", &file);
    let ended =
        Command::new(env!("CARGO_BIN_EXE_touchline")).arg("fix").arg(&path).output().unwrap();
    let (out, err) =
        (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert_eq!(ended.status.code(), Some(4));
    assert_eq!(out.matches("NewOrderSingle (D)").count(), 4, "{out}");
    assert!(out.contains(&format!("cut at byte {whole}: ")), "{out}");
    assert!(err.contains(&format!("at byte {whole}: ")), "{err}");
}

#[test]
fn damage_anywhere_is_no_panic() {
    let mut wire = talk();
    wire.frames.truncate(14);
    let file = wire.file();
    let dir = TempDir::new().unwrap();
    let look = |bytes: &[u8]| {
        let path = write(&dir, "damaged", bytes);
        let mut out = Vec::new();
        let _ = show(&[path], Style { json: true, colour: false }, &Known::default(), &mut out);
        for line in String::from_utf8(out).unwrap().lines() {
            serde_json::from_str::<Value>(line).unwrap();
            assert!(!line.contains("hunter2") || bytes != file, "{line}");
        }
    };
    for at in 0..file.len() {
        look(&file[..at]);
        for flip in [1, 0x80] {
            let mut bytes = file.clone();
            bytes[at] ^= flip;
            look(&bytes);
        }
    }
}

#[test]
fn a_pipe_may_bring_a_capture() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_touchline"))
        .args(["fix", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&talk().file()).unwrap();
    input.flush().unwrap();
    // What came is shown while the pipe is open.
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("34 MsgSeqNum = 4") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0);
    }
    drop(input);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("10 messages, 0 of them wrong"), "{rest}");
    assert!(child.wait().unwrap().success());
}

/// tshark puts the same capture in order by itself, and finds the same messages.
#[test]
fn tshark_finds_the_same_messages() {
    let dir = TempDir::new().unwrap();
    let (wire, _) = mangled();
    let path = write(&dir, "mangled.pcap", &wire.file());
    let found = Command::new("tshark")
        .args(["-o", "tcp.reassemble_out_of_order:TRUE", "-d", "tcp.port==9000,fix", "-r"])
        .arg(&path)
        .args(["-Y", "fix", "-T", "fields", "-e", "fix.SenderCompID", "-e", "fix.MsgSeqNum"])
        .output();
    let Some(found) = found.ok().or_else(|| support::skip("capture", "no tshark here")) else {
        return;
    };
    // One line a packet, whose messages stand behind commas.
    let text = String::from_utf8(found.stdout).unwrap();
    let mut theirs: Vec<String> = Vec::new();
    for line in text.lines() {
        let (senders, numbers) = line.split_once('\t').unwrap();
        let each = senders.split(',').zip(numbers.split(','));
        theirs.extend(each.map(|(sender, number)| format!("{sender} {number}")));
    }
    let mut ours = numbers(&objects_of(&wire.file()).0);
    theirs.sort_unstable();
    ours.sort_unstable();
    assert_eq!(theirs, ours, "{text}{}", String::from_utf8_lossy(&found.stderr));
}

/// A real capture of a real connection, by tshark on the loopback interface.
#[test]
fn a_real_capture_of_loopback_is_read() {
    let dir = TempDir::new().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let file = dir.path().join("real.pcapng");
    let Some(mut tshark) = tshark(&file, port) else { return };

    let mut client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
    let (mut accepted, _) = server.accept().unwrap();
    let mut received = Vec::new();
    for number in 1..=200 {
        client.write_all(&order(number)).unwrap();
        received.resize(order(number).len(), 0);
        accepted.read_exact(&mut received).unwrap();
        accepted.write_all(&report(number)).unwrap();
        received.resize(report(number).len(), 0);
        client.read_exact(&mut received).unwrap();
    }
    drop((client, accepted));

    // Until the capture has it all; the kernel hands packets over a while after.
    let mut looks = 0;
    let objects = loop {
        looks += 1;
        assert!(looks < 600, "the capture lacks messages");
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(tshark.try_wait().unwrap(), None, "tshark has ended");
        let bytes = std::fs::read(&file).unwrap_or_default();
        if bytes.len() > 1_000 {
            let (objects, summary, tally) = objects_of(&bytes);
            if tally.messages == 400 {
                assert_eq!((tally.wrong, tally.garbled, tally.holes), (0, 0, 0), "{summary}");
                break objects;
            }
        }
    };
    tshark.kill().unwrap();
    tshark.wait().unwrap();
    let expected: Vec<_> =
        (1..=200).flat_map(|number| [format!("US {number}"), format!("VENUE {number}")]).collect();
    assert_eq!(numbers(&objects), expected);
    in_order_of_time(&objects);
    assert_eq!(objects[0]["to"], format!("127.0.0.1:{port}"));
}

/// tshark at work on the loopback interface, if it is there and may capture.
fn tshark(file: &Path, port: u16) -> Option<std::process::Child> {
    let started = Command::new("tshark")
        .args(["-i", "lo", "-f", &format!("tcp port {port}"), "-w"])
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut tshark) = started else { return support::skip("capture", "no tshark here") };
    let (mut err, mut line) = (BufReader::new(tshark.stderr.take()?), String::new());
    // It says so twice, the second time when packets are taken.
    while err.read_line(&mut line).is_ok_and(|read| read > 0) {
        if line.contains("File:") || line.contains("Capture started") {
            // Whatever else it says has somewhere to go.
            std::thread::spawn(move || std::io::copy(&mut err, &mut std::io::sink()));
            return Some(tshark);
        }
    }
    let _ = tshark.wait();
    support::skip("capture", &format!("tshark may not capture: {}", line.trim()))
}
