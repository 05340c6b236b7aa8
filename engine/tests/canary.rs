//! A planted secret is looked for in everything the gateway writes down: the stage's journal, what
//! it tells of its connection, and the store under each kind of frame. The controls: the wire did
//! carry it, and the search finds it where it stands.

mod gateway_rig;

use engine::journal::{self, JournalSettings, Reader};
use engine::pipeline::fix_store::{FixStore, Numbers, StoredFrame};
use engine::runtime::stage::Stage;
use gateway::session::{FrameKind, Store};
use gateway_rig::{BEGIN, PATIENCE, Rig, Setup};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

const CANARY: &str = "c4n4ry-s3cr3t-of-the-m1ne";

/// A whole message from `|`-separated fields; a tilde is SOH too, inside of data.
fn message(body: &str) -> Vec<u8> {
    let body = body.replace(['|', '~'], "\x01");
    let head = format!("8=FIX.4.4\x019={}\x01", body.len());
    let sum = head.bytes().chain(body.bytes()).map(u32::from).sum::<u32>() % 256;
    format!("{head}{body}10={sum:03}\x01").into_bytes()
}

fn logon() -> Vec<u8> {
    let data = format!("a~{CANARY}~554=x");
    let time = "20250615-15:06:40.000";
    message(&format!(
        "35=A|49=VENUE|56=US|34=1|52={time}|98=0|108=30|141=Y|553=me|554={CANARY}|925={CANARY}|\
         95={}|96={data}|93={}|89={CANARY}|",
        data.len(),
        CANARY.len()
    ))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks_exact(3).flat_map(|three| {
        let bits = three.iter().fold(0, |bits, &byte| bits << 8 | usize::from(byte));
        [18, 12, 6, 0].map(|shift| char::from(LETTERS[bits >> shift & 63]))
    });
    groups.collect()
}

/// The secret as it might be written: itself, in hexadecimal, and in base64 at any offset.
fn forms() -> Vec<Vec<u8>> {
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![CANARY.into(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    forms.extend((0..3).map(|skip| base64(&CANARY.as_bytes()[skip..]).into_bytes()));
    forms
}

fn holds_canary(bytes: &[u8]) -> bool {
    forms().iter().any(|form| bytes.windows(form.len()).any(|part| part == form))
}

/// Files below `folder` that hold it in any form, and how many bytes were searched.
fn search(folder: &Path) -> (Vec<String>, usize) {
    let (mut found, mut searched) = (Vec::new(), 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            searched += bytes.len();
            if holds_canary(&bytes) {
                found.push(path.display().to_string());
            }
        }
    }
    (found, searched)
}

/// The frames of a gateway stream.
fn frames(folder: &Path) -> Vec<Vec<u8>> {
    let mut reader = Reader::open(folder, &folder.join("hot"), "gateway").unwrap();
    let mut frames = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        frames.extend(StoredFrame::of(&record).map(|frame| frame.bytes.to_vec()));
    }
    frames
}

#[test]
fn a_stage_keeps_no_secret_of_a_logon() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let address = listener.local_addr().unwrap();
    let mut rig = Rig::new(address, Setup::default(), folder.path());
    let (mut link, mut answered) = (None, false);
    let mut said = Vec::new();
    // A Logon whose checksum is wrong, one that is right, and a Logout.
    let mut garbled = logon();
    let last = garbled.len() - 2;
    garbled[last] = if garbled[last] == b'0' { b'1' } else { b'0' };
    let logout = message("35=5|49=VENUE|56=US|34=2|52=20250615-15:06:40.000|58=enough|");
    let answer = [garbled, logon(), logout].concat();
    assert!(holds_canary(&answer), "the wire carries it");
    for _ in 0..PATIENCE {
        rig.stage.poll(BEGIN);
        if link.is_none()
            && let Ok((stream, _)) = listener.accept()
        {
            stream.set_nonblocking(true).unwrap();
            link = Some(stream);
        }
        if let Some(link) = &mut link
            && !answered
        {
            let mut bytes = [0; 4_096];
            match link.read(&mut bytes) {
                Ok(count) => said.extend_from_slice(&bytes[..count]),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            if said.windows(4).any(|part| part == b"\x0110=") {
                link.write_all(&answer).unwrap();
                answered = true;
            }
        }
        if rig.stage.told().0.disconnects > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let (counters, last_error) = rig.stage.told();
    assert_eq!((counters.connections, counters.disconnects), (1, 1), "{last_error}");
    assert!(last_error.contains("enough") && !holds_canary(last_error.as_bytes()));
    assert_eq!(rig.stage.session().counters().garbled, 1);
    rig.stage.close();
    rig.copiers.remove(0).finish().unwrap();
    let (found, searched) = search(folder.path());
    assert_eq!(found, [""; 0]);
    assert!(searched > 500, "{searched} bytes");
    // The Logon stands there, as long as it was.
    let frames = frames(folder.path());
    let kept = frames.iter().find(|frame| frame.len() == logon().len()).expect("the venue's Logon");
    assert!(kept.windows(9).any(|part| part == b"\x01554=****"), "{}", kept.escape_ascii());
}

#[test]
fn a_store_keeps_no_secret_of_any_frame() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = JournalSettings::new(folder.path(), "gateway");
    (settings.hot_dir, settings.segment_bytes) = (folder.path().join("hot"), 1 << 20);
    let opened = journal::create(&settings, BEGIN).unwrap();
    // A venue whose signature stands in Text, and whose key has a field of its own.
    let mut store = FixStore::new(opened.writer, Numbers::default(), &[58, 9407]);
    let own = message(&format!("35=A|34=1|58={CANARY}|9407={CANARY}|554={CANARY}|"));
    store.record_outgoing(1, FrameKind::Session, &own).unwrap();
    for (seq, kind) in [(1, "A"), (2, "BE"), (3, "BF")] {
        let frame = message(&format!("35={kind}|34={seq}|1401=25|1402={CANARY}|925={CANARY}|"));
        store.record_incoming(seq, &frame).unwrap();
    }
    assert_eq!((store.next_outgoing(), store.next_incoming()), (2, 4));
    // The control: where nobody blanks it, the search finds it.
    assert!(holds_canary(&own));
    store.close();
    opened.drain.finish().unwrap();
    let (found, searched) = search(folder.path());
    assert_eq!(found, [""; 0]);
    assert!(searched > 300, "{searched} bytes");
    assert_eq!(frames(folder.path()).len(), 4);
}

#[test]
fn the_search_finds_every_form() {
    let folder = tempfile::tempdir().unwrap();
    for (index, form) in forms().iter().enumerate() {
        fs::write(folder.path().join(index.to_string()), [b"before", &form[..], b"after"].concat())
            .unwrap();
    }
    assert_eq!(search(folder.path()).0.len(), forms().len());
    assert_eq!(base64(b"canary"), "Y2FuYXJ5");
}
