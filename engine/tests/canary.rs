//! A planted secret is looked for in everything the gateway writes down: the stage's journal, what
//! it tells of its connection, the store under each kind of frame, and what a panic shows. A whole
//! process is searched in `counterparties`. The controls: the wire did carry it, and the search
//! finds it where it stands.

mod gateway_rig;

use engine::journal::{self, JournalSettings, Reader};
use engine::pipeline::fix_store::{FixStore, Numbers, StoredFrame};
use engine::pipeline::kept_frames::KeptFrames;
use engine::runtime::stage::Stage;
use gateway::dialect::Dialect;
use gateway::dialect::logon::{LogonField, LogonPlan, Value, VenueLogon};
use gateway::dialect::secret::{Credentials, Secret};
use gateway::fix::{Encoder, FieldIndex, Precision, Template};
use gateway::orders::{Inbox, OrderEntry};
use gateway::session::{
    FileStore, FrameKind, LogonBody, MemoryStore, Outbound, Session, SessionConfig, Store,
};
use gateway::spec::Version;
use gateway_rig::{BEGIN, PATIENCE, Rig, SECRET_TAG, Setup};
use market::Report;
use std::fmt::Debug;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;
use wire::SendBuffer;

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

/// Listens for a stage of its own.
fn venue() -> TcpListener {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

/// Answers the first Logon of the stage with these bytes; ends with the connection.
fn answer(rig: &mut Rig, listener: &TcpListener, answer: &[u8]) {
    let (mut link, mut answered) = (None, false);
    let mut said = Vec::new();
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
                link.write_all(answer).unwrap();
                answered = true;
            }
        }
        if rig.stage.told().0.disconnects > 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_stage_keeps_no_secret_of_a_logon() {
    let (listener, folder) = (venue(), tempfile::tempdir().unwrap());
    let address = listener.local_addr().unwrap();
    let mut rig = Rig::new(address, Setup::default(), folder.path());
    // A Logon whose checksum is wrong, one that is right, and a Logout.
    let mut garbled = logon();
    let last = garbled.len() - 2;
    garbled[last] = if garbled[last] == b'0' { b'1' } else { b'0' };
    let logout = message("35=5|49=VENUE|56=US|34=2|52=20250615-15:06:40.000|58=enough|");
    let told = [garbled, logon(), logout].concat();
    assert!(holds_canary(&told), "the wire carries it");
    answer(&mut rig, &listener, &told);
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

/// Credentials whose password is the canary, and the Logon that says it in a field of its own.
fn credentials() -> (LogonPlan, Credentials) {
    let field = |tag, value| LogonField { tag, value };
    let fields = vec![field(553, Value::Key), field(SECRET_TAG, Value::Passphrase)];
    let plan = LogonPlan { fields, secret_tags: vec![SECRET_TAG], ..LogonPlan::default() };
    let secret = |text: &str| Some(Secret::new(text));
    (plan, Credentials { key: secret("me"), secret: None, passphrase: secret(CANARY) })
}

fn venue_logon() -> VenueLogon {
    let (plan, held) = credentials();
    VenueLogon::new(plan, Some(&held), Box::new(|_| false)).unwrap()
}

#[test]
fn a_stage_keeps_no_secret_that_the_venue_repeats() {
    let (listener, folder) = (venue(), tempfile::tempdir().unwrap());
    let address = listener.local_addr().unwrap();
    let logon = Some(Box::new(venue_logon()) as Box<dyn LogonBody>);
    let mut rig = Rig::new(address, Setup { logon, ..Setup::default() }, folder.path());
    let told = [
        ("A", "98=0|108=30|141=Y|58=hello "),
        ("B", "33=1|148=no news of "),
        ("3", "45=1|58=I do not know "),
        ("j", "45=1|372=A|380=0|58=I am not told "),
        ("1", "112="),
        ("C", "164=1|94=0|147=a letter to "),
        ("5", "58=bye "),
    ];
    let frames: Vec<_> = (1..).zip(told).collect();
    let time = "20250615-15:06:40.000";
    let frames = frames.iter().map(|(seq, (kind, body))| {
        message(&format!("35={kind}|49=VENUE|56=US|34={seq}|52={time}|{body}{CANARY}|"))
    });
    let frames: Vec<_> = frames.collect();
    answer(&mut rig, &listener, &frames.concat());
    let (counters, last_error) = rig.stage.told();
    let stars = "*".repeat(CANARY.len());
    assert_eq!(counters.disconnects, 1);
    assert!(last_error.ends_with(&format!(": bye {stars}")), "{last_error}");
    assert_eq!(rig.stage.entry().counters().news, 1);
    rig.stage.close();
    rig.copiers.remove(0).finish().unwrap();
    let (found, searched) = search(folder.path());
    assert_eq!(found, [""; 0]);
    assert!(searched > 500, "{searched} bytes");
    // Everything else of each frame stands there, and of what answers it.
    let kept = self::frames(folder.path());
    for frame in frames {
        let frame = String::from_utf8(frame).unwrap().replace(CANARY, &stars);
        let frame = frame.rsplit_once("10=").unwrap().0;
        let stands = |kept: &Vec<u8>| kept.starts_with(frame.as_bytes());
        assert!(kept.iter().any(stands), "{}", frame.escape_debug());
    }
    let beat = format!("112={stars}");
    let beats = kept.iter().filter(|kept| kept.windows(beat.len()).any(|w| w == beat.as_bytes()));
    assert_eq!(beats.count(), 2, "the TestRequest and the Heartbeat that answers it");
}

/// What a thread says that panics with all this.
fn panic_text(shown: &[&(dyn Debug + Sync)]) -> String {
    let thread = std::thread::scope(|scope| {
        scope.spawn(|| panic!("{}", format_args!("{shown:?} {shown:#?}"))).join()
    });
    *thread.unwrap_err().downcast::<String>().unwrap()
}

/// Bytes as `Debug` shows them, however far it spreads them.
fn holds_bytes(text: &str, bytes: &[u8]) -> bool {
    let dense: String = text.split_whitespace().collect();
    let listed: Vec<_> = bytes.iter().map(u8::to_string).collect();
    let escaped = bytes.escape_ascii().to_string();
    dense.contains(&listed.join(",")) || dense.contains(&escaped) || holds_canary(text.as_bytes())
}

/// Everything of a gateway's thread that can be shown, after a Logon was sent and its echo came.
#[test]
fn a_panic_shows_no_secret() {
    let (plan, held) = credentials();
    let mut session =
        Session::new(SessionConfig::initiator("US", "VENUE"), MemoryStore::new(16, 1 << 16))
            .unwrap();
    session.set_logon_body(Box::new(venue_logon()));
    let mut out = Out(SendBuffer::with_capacity(4_096), Vec::new());
    session.connected(BEGIN, &mut out).unwrap();
    let said = out.1.clone();
    assert!(holds_canary(&said), "it did send it");
    let dialect = Dialect::of(Version::Fix44);
    let mut entry = OrderEntry::new(gateway_rig::instruments(), 16, dialect.clone());
    let time = "52=20250615-15:06:40.000";
    let hello = message(&format!("35=A|49=VENUE|56=US|34=1|{time}|98=0|108=30|58={CANARY}|"));
    // Ahead of sequence too, where it is kept.
    let news = |seq| message(&format!("35=B|49=VENUE|56=US|34={seq}|{time}|148={CANARY}|"));
    let told = [hello.clone(), news(2), news(5)].concat();
    let mut nobody = Nobody;
    let mut app = entry.application(&mut nobody);
    session.received(BEGIN, 0, &told, &mut out, &mut app).unwrap();
    drop(app);
    assert!(session.holds_messages() && entry.counters().news == 1);
    let mut kept = KeptFrames::default();
    kept.keep(1, FrameKind::Application, &said);
    let mut index = FieldIndex::new(64);
    let message = index.parse(&hello);
    let folder = tempfile::tempdir().unwrap();
    let mut file = FileStore::open(&folder.path().join("store"), false).unwrap();
    file.record_outgoing(1, FrameKind::Session, &said).unwrap();
    let mut template = Template::new("FIX.4.4", "US", "VENUE", Precision::Millis).unwrap();
    let mut buffer = [0; 1_024];
    let mut encoder = Encoder::begin(&mut buffer, &mut template, BEGIN, 1, b"A");
    encoder.bytes(554, CANARY.as_bytes());
    let secret = held.passphrase.as_ref().unwrap();
    let body = venue_logon();
    let text = panic_text(&[
        &held,
        secret,
        &plan,
        &out.0,
        session.config(),
        &dialect,
        &entry,
        &kept,
        &message,
        &file,
        &encoder,
        session.store(),
    ]);
    let more = format!("{session:?} {session:#?} {body:?} {body:#?}");
    assert!(!holds_bytes(&text, CANARY.as_bytes()), "{text}");
    assert!(!holds_bytes(&more, CANARY.as_bytes()), "{more}");
    for part in ["Credentials", "MemoryStore", "Encoder", "OrderEntry", "KeptFrames"] {
        assert!(text.contains(part), "{part} was not shown: {text}");
    }
    // The controls: as a text and as bytes it would be found.
    for shown in [&CANARY as &(dyn Debug + Sync), &CANARY.as_bytes(), &said] {
        assert!(holds_bytes(&panic_text(&[shown]), CANARY.as_bytes()));
    }
}

/// Where a session sends to, and what it sent.
struct Out(SendBuffer, Vec<u8>);

impl Outbound for Out {
    fn room(&self) -> usize {
        self.0.room()
    }

    fn send(&mut self, frame: &[u8]) {
        self.0.push(frame).unwrap();
        self.1.extend_from_slice(frame);
    }
}

/// Takes reports and forgets them.
struct Nobody;

impl Inbox<Report> for Nobody {
    fn ready(&self) -> bool {
        true
    }

    fn put(&mut self, _: Report) {}
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
