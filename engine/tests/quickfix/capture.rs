//! An independent decoder: what went over the wire as a capture, read by `tshark`. It must find the
//! messages that were sent, and nothing wrong with them.

use crate::desk::Manner;
use crate::exchange::speaking;
use crate::fix::Fix;
use crate::host::eventually;
use crate::lab::Lab;
use crate::orders::Pair;
use crate::scenarios;
use crate::support::skip;
use crate::tap::{From, Seen, Tap};
use gateway::spec::Version;
use market::ReportKind as Kind;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

scenarios! {
    a_day_of_the_engine_and_the_exchange_is_read
    a_session_in_trouble_is_read
}

/// The acceptor's port in the capture.
const PORT: u16 = 9_880;
/// Packets of IPv4 without a link layer.
const RAW_IPV4: u32 = 228;
/// What is asked of every packet; the last says that something is wrong.
const ASKED: [&str; 4] =
    ["fix.MsgType", "fix.checksum_good", "_ws.malformed", "_ws.expert.message"];

/// A capture with a packet for each message.
fn capture(messages: &[(From, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2u16, 4].map(u16::to_le_bytes).concat());
    file.extend([0, 0, 65_535, RAW_IPV4].map(u32::to_le_bytes).concat());
    // Where each side is in its own stream.
    let mut sent = [1u32, 1];
    for ((from, bytes), number) in messages.iter().zip(0u32..) {
        let side = usize::from(*from == From::Acceptor);
        let packet = packet(side, [sent[side], sent[1 - side]], bytes);
        sent[side] += u32::try_from(bytes.len()).unwrap();
        let length = u32::try_from(packet.len()).unwrap();
        file.extend([1_750_000_000, number, length, length].map(u32::to_le_bytes).concat());
        file.extend(packet);
    }
    file
}

/// IPv4 and TCP; their sums are left to those who would check them.
fn packet(side: usize, [seq, ack]: [u32; 2], payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(40 + payload.len()).unwrap();
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    let mut ports = [40_000, PORT];
    ports.rotate_left(side);
    packet.extend(ports.map(u16::to_be_bytes).concat());
    packet.extend([seq, ack].map(u32::to_be_bytes).concat());
    // Five words of header; PSH and ACK; a window.
    packet.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}

/// What tshark says of each message, a row each.
fn read(folder: &Path, messages: &[(From, Vec<u8>)]) -> Vec<Vec<String>> {
    let file = folder.join("wire.pcap");
    std::fs::write(&file, capture(messages)).unwrap();
    let port = format!("tcp.port=={PORT},fix");
    let mut command = Command::new("tshark");
    command.args(["-n", "-d", &port, "-T", "fields", "-E", "separator=|", "-r"]).arg(&file);
    command.args(ASKED.iter().flat_map(|field| ["-e", field]));
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let rows = String::from_utf8(output.stdout).unwrap();
    rows.lines().map(|row| row.split('|').map(str::to_owned).collect()).collect()
}

/// Lets tshark judge all messages of one connection. `kinds` must be among them.
fn judge(folder: &Path, seen: &[Seen], kinds: &[&str]) {
    if Command::new("tshark").arg("--version").output().is_err() {
        return skip("tshark", "no tshark to read a capture with").unwrap_or_default();
    }
    let seen: Vec<_> = seen.iter().filter(|seen| seen.connection == 0).collect();
    let mut messages: Vec<_> =
        seen.iter().map(|seen| (seen.from, seen.text.0.clone().into_bytes())).collect();
    let types: Vec<&str> = seen.iter().map(|seen| seen.text.need(35)).collect();
    let sent: BTreeSet<&str> = types.iter().copied().collect();
    let missing: Vec<_> = kinds.iter().filter(|kind| !sent.contains(**kind)).collect();
    assert!(missing.is_empty(), "{missing:?} are not among {sent:?}");
    let rows = read(folder, &messages);
    assert_eq!(rows.len(), messages.len());
    for (row, (seen, kind)) in rows.iter().zip(seen.iter().zip(types)) {
        assert_eq!(row[0], kind, "{:?} was read as {row:?}", seen.text);
        assert_eq!(row[1..], ["1", "", ""], "{:?} was read as {row:?}", seen.text);
    }
    // The judge itself: a wrong sum is seen.
    let last = messages.last_mut().unwrap();
    let digit = last.1.len() - 2;
    last.1[digit] = if last.1[digit] == b'0' { b'1' } else { b'0' };
    assert_ne!(read(folder, &messages).last().unwrap()[1], "1");
}

/// All that our two sides say to each other while they trade.
fn a_day_of_the_engine_and_the_exchange_is_read(version: Version) {
    let lab = speaking(Lab::synthetic(20), version);
    let exchange = lab.exchange(&[]);
    eventually("a session", || lab.session());
    let tap = Tap::to(lab.fix.into());
    lab.change("engine.toml", &[(&lab.fix.to_string(), format!("127.0.0.1:{}", tap.port()))]);
    let engine = lab.engine();
    let fills = |text: &Fix| text.is("8") && text.get(31).is_some();
    eventually("trading", || {
        let count = |kind| tap.count(From::Initiator, kind);
        let filled = tap.seen().iter().filter(|seen| fills(&seen.text)).count();
        let enough = filled >= 3 && count("D") >= 20 && count("G") >= 10 && count("F") >= 1;
        enough.then_some(())
    });
    engine.stop();
    exchange.stop();
    judge(lab.dir(), &tap.seen(), &["A", "D", "G", "F", "8", "5"]);
}

/// Gaps on both sides, refusals, a test request, a mass cancel.
fn a_session_in_trouble_is_read(version: Version) {
    let mut pair = Pair::new(Manner::of(version));
    let (id, order) = pair.resting("25.01", 100);
    pair.tap.lose(From::Acceptor, "8");
    pair.venue.report(&order, ("F", "1"), (40, 40, 60), &[]);
    pair.tap.wait("the loss", |seen| seen.lost);
    pair.venue.report(&order, ("F", "2"), (60, 100, 0), &[]);
    pair.desk.wait(Kind::Filled);
    pair.desk.wait(Kind::Filled);
    pair.desk.cancel(id);
    let asked = pair.venue.next("F");
    pair.venue.too_late(&asked);
    pair.desk.wait(Kind::CancelRejected);
    pair.venue.send("1", &[(112, "are you there")]);
    pair.tap.wait("an answer", |seen| seen.text.get(112).is_some() && seen.text.is("0"));
    // A report without its quantities, and a message that nobody sends to an engine.
    pair.venue.send("8", &[(37, "V"), (17, "X"), (150, "0"), (39, "0"), (55, "TLA"), (54, "1")]);
    pair.tap.wait("a Reject", |seen| seen.from == From::Initiator && seen.text.is("3"));
    pair.venue.send("BE", &[(923, "1"), (924, "1"), (553, "me")]);
    pair.venue.next("j");
    let mut kinds = vec!["A", "D", "8", "2", "F", "9", "1", "0", "3", "j", "4", "5"];
    if version != Version::Fix42 {
        pair.desk.mass_cancel();
        pair.venue.next("q");
        kinds.push("q");
    }
    // Asked for everything from the start: orders and the session's own are filled.
    pair.venue.send("2", &[(7, "1"), (16, "0")]);
    pair.tap.wait("a gap fill", |seen| seen.from == From::Initiator && seen.text.is("4"));
    let Pair { desk, tap, venue, folder, .. } = pair;
    desk.stop();
    venue.next_admin("5");
    judge(&folder, &tap.seen(), &kinds);
}
