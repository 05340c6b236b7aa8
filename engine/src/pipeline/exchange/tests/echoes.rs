//! What an echo sends back, and what it cannot.

use super::lab::{Lab, NOON, config};
use crate::config::fix_choices::FixApplication;

/// An exchange that echoes, and the connection of its client, which is logged on.
fn echo(folder: &std::path::Path) -> (Lab, usize) {
    let mut settings = config(folder, &["A"]);
    settings.fix.application = FixApplication::Echo;
    let mut lab = Lab::new(&settings, NOON);
    let connection = lab.core.connect(NOON).unwrap();
    let logon = said(&mut lab, connection, 1, "A", "98=0|108=30|");
    assert!(logon.contains("|35=A|"), "{logon}");
    (lab, connection)
}

/// A whole message of the client with this body.
fn message(seq: u64, kind: &str, body: &str) -> String {
    let body = format!("35={kind}|34={seq}|49=A|52=20250717-13:16:40|56=EXCHANGE|{body}")
        .replace('|', "\x01");
    let text = format!("8=FIX.4.4\x019={}\x01{body}", body.len());
    let sum = text.bytes().map(u32::from).sum::<u32>() % 256;
    format!("{text}10={sum:03}\x01")
}

/// What the exchange answers to it.
fn said(lab: &mut Lab, connection: usize, seq: u64, kind: &str, body: &str) -> String {
    let bytes = message(seq, kind, body).into_bytes();
    assert_eq!(lab.core.receive(connection, NOON, &bytes, &mut lab.net), bytes.len());
    assert!(!lab.net.cut[connection], "{kind} {seq} is no reason to cut");
    let answer = std::mem::take(&mut lab.net.pipes[connection].bytes);
    String::from_utf8(answer).unwrap().replace('\x01', "|")
}

#[test]
fn tags_of_eight_digits_and_more_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lab, connection) = echo(folder.path());
    let body = "11=x|10000000=a|123456789=b|2147483647=c|";
    let back = said(&mut lab, connection, 2, "D", body);
    assert!(back.contains("|35=D|34=2|") && back.contains(&format!("|{body}10=")), "{back}");
}

#[test]
fn what_is_too_long_with_our_header_is_refused_and_nobody_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lab, connection) = echo(folder.path());
    // As long as a message may be; our stamp has milliseconds.
    let text = "x".repeat(8192 - message(2, "D", "11=x|58=|").len() - "00".len());
    let body = format!("11=x|58={text}|");
    assert_eq!(message(2, "D", &body).len(), 8192);
    let back = said(&mut lab, connection, 2, "D", &body);
    let refusal = "|45=2|58=too long to be sent back|372=D|380=0|10=";
    assert!(back.contains("|35=j|34=2|") && back.contains(refusal), "{back}");
    let back = said(&mut lab, connection, 3, "D", "11=y|");
    assert!(back.contains("|35=D|34=3|"), "{back}");
}
