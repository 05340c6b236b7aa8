//! The gateway's stream as the session's store, killed after every record: a new session goes on
//! behind every number that may be on the wire, and what it sends again is what it sent.

mod rig;

use engine::journal::{self, JournalSettings};
use engine::pipeline::fix_store::{FixStore, Numbers, StoredFrame, follow_frames, kind};
use engine::pipeline::kept_frames::KeptFrames;
use gateway::fix::{FieldIndex, Frame, Message, frame, tags};
use gateway::session::{
    Application, FrameKind, MemoryStore, Meta, Resend, Session, SessionConfig, Store, Verdict,
};
use market::{Nanos, Timestamp};
use rig::{BEGIN, Copied};
use std::path::Path;

/// Takes everything.
struct Taker;

impl Application for Taker {
    fn message(&mut self, _: &Meta, _: &Message<'_>) -> Verdict {
        Verdict::Taken
    }
    fn up(&mut self, _: Timestamp) {}
    fn down(&mut self, _: Timestamp) {}
}

fn settings(root: &Path) -> JournalSettings {
    let hot_dir = root.join("hot");
    std::fs::create_dir_all(&hot_dir).unwrap();
    JournalSettings {
        hot_dir,
        segment_bytes: 1 << 20,
        ..JournalSettings::new(&root.join("disk"), "gateway")
    }
}

fn identity() -> SessionConfig {
    SessionConfig { resend: Resend::Everything, ..SessionConfig::initiator("US", "VENUE") }
}

/// Moves bytes both ways until nobody has anything to say.
fn exchange(
    us: &mut Session<FixStore>,
    venue: &mut Session<MemoryStore>,
    now: Timestamp,
    (mut to_venue, mut to_us): (Vec<u8>, Vec<u8>),
) {
    while !to_venue.is_empty() || !to_us.is_empty() {
        let bytes = std::mem::take(&mut to_us);
        // A Logout ends the connection for each side in its turn.
        let _ = us.received(now, 0, &bytes, &mut to_venue, &mut Taker);
        let bytes = std::mem::take(&mut to_venue);
        let _ = venue.received(now, 0, &bytes, &mut to_us, &mut Taker);
    }
}

/// A day of a session on a new stream: orders, reports, a resend, a return, numbers begun anew.
fn day(root: &Path) {
    let opened = journal::create(&settings(root), BEGIN).unwrap();
    let store = FixStore::new(opened.writer, Numbers::default(), &[]);
    let mut us = Session::new(identity(), store.keeping(Some(KeptFrames::default()))).unwrap();
    let venue = SessionConfig::acceptor("VENUE", "US");
    let mut venue = Session::new(venue, MemoryStore::new(4_096, 1 << 20)).unwrap();
    let mut now = BEGIN;
    for part in 0..3 {
        let (mut to_venue, mut to_us) = (Vec::new(), Vec::new());
        venue.connected(now, &mut to_us).unwrap();
        us.connected(now, &mut to_venue).unwrap();
        exchange(&mut us, &mut venue, now, (to_venue, to_us));
        assert!(us.is_up() && venue.is_up());
        for order in 0..5 {
            now = now.after(Nanos::from_secs(7));
            let (mut to_venue, mut to_us) = (Vec::new(), Vec::new());
            let text = format!("part {part} order {order}");
            let write = |encoder: &mut gateway::fix::Encoder<'_>| {
                encoder.bytes(tags::TEXT, text.as_bytes());
            };
            us.send(now, &mut to_venue, b"D", write).unwrap();
            if order == 2 {
                // The venue misses it, and asks for it when the next one comes.
                to_venue.clear();
            }
            venue.send(now, &mut to_us, b"8", write).unwrap();
            us.poll(now, &mut to_venue).unwrap();
            venue.poll(now, &mut to_us).unwrap();
            exchange(&mut us, &mut venue, now, (to_venue, to_us));
        }
        let mut to_venue = Vec::new();
        us.logout(now, &mut to_venue, "").unwrap();
        exchange(&mut us, &mut venue, now, (to_venue, Vec::new()));
        us.disconnected(now, &mut Taker);
        venue.disconnected(now, &mut Taker);
        if part == 1 {
            us.begin_anew().unwrap();
            venue.begin_anew().unwrap();
        }
    }
    assert!(us.counters().resent > 0, "something was sent again");
    us.into_store().close();
    opened.drain.finish().unwrap();
}

/// What the records before a kill tell.
#[derive(Clone, Default)]
struct Told {
    numbers: Option<(u64, u64)>,
    /// Our application frames since numbers last began anew: number and text.
    orders: Vec<(u64, String)>,
}

impl Told {
    fn follow(&mut self, kind: u16, payload: &[u8]) {
        let position = journal::Position { segment: 1, offset: 0 };
        let record = journal::Record { sequence: 0, kind, payload, position };
        let (outgoing, incoming) = self.numbers.unwrap_or((1, 1));
        match StoredFrame::of(&record) {
            Some(StoredFrame { seq, kind: Some(kind), bytes, .. }) => {
                self.numbers = Some((seq + 1, incoming));
                if kind == FrameKind::Application {
                    self.orders.push((seq, text_of(bytes)));
                }
            }
            Some(StoredFrame { seq, .. }) => self.numbers = Some((outgoing, seq + 1)),
            None if kind == kind::RESET => *self = Told { numbers: Some((1, 1)), orders: vec![] },
            None => {}
        }
    }
}

fn text_of(bytes: &[u8]) -> String {
    let mut index = FieldIndex::new(64);
    let message = index.parse(bytes);
    String::from_utf8_lossy(message.get(tags::TEXT).unwrap_or_default()).into_owned()
}

/// Every message in `bytes`: type, number, PossDupFlag, text or NewSeqNo.
fn messages(mut bytes: &[u8]) -> Vec<(String, u64, bool, String)> {
    let mut all = Vec::new();
    while let Frame::Complete { len, .. } = frame(bytes, 8_192) {
        let mut index = FieldIndex::new(64);
        let message = index.parse(&bytes[..len]);
        let kind = String::from_utf8_lossy(message.msg_type()).into_owned();
        let what = message.get(tags::TEXT).or(message.get(tags::NEW_SEQ_NO)).unwrap_or_default();
        let what = String::from_utf8_lossy(what).into_owned();
        let poss_dup = message.flag(tags::POSS_DUP_FLAG).unwrap();
        all.push((kind, message.u64(tags::MSG_SEQ_NUM).unwrap(), poss_dup, what));
        bytes = &bytes[len..];
    }
    assert!(bytes.is_empty());
    all
}

/// A new process on what the kill left: it logs on, and the venue asks for everything.
fn new_session(root: &Path, told: &Told) {
    let (mut numbers, mut kept) = (Numbers::default(), KeptFrames::default());
    let recovered = journal::recover(&settings(root), BEGIN, |record| {
        numbers.follow(&record);
        follow_frames(&mut kept, &record);
    })
    .unwrap();
    let (outgoing, incoming) = told.numbers.unwrap_or((1, 1));
    assert_eq!(numbers, Numbers { outgoing, incoming });
    let store = FixStore::new(recovered.opened.writer, numbers, &[]).keeping(Some(kept));
    let mut us = Session::new(identity(), store).unwrap();
    let mut out = Vec::new();
    us.connected(BEGIN, &mut out).unwrap();
    assert_eq!(messages(&out), [("A".to_owned(), outgoing, false, String::new())]);
    let mut venue = MemoryStore::new(64, 1 << 16);
    venue.reset(incoming, outgoing).unwrap();
    let mut venue = Session::new(SessionConfig::acceptor("VENUE", "US"), venue).unwrap();
    let mut back = Vec::new();
    venue.connected(BEGIN, &mut back).unwrap();
    venue.received(BEGIN, 0, &out, &mut back, &mut Taker).unwrap();
    out.clear();
    us.received(BEGIN, 0, &back, &mut out, &mut Taker).unwrap();
    assert!(us.is_up(), "both sides agree on the numbers");
    back.clear();
    let asked = |encoder: &mut gateway::fix::Encoder<'_>| {
        encoder.u64(tags::BEGIN_SEQ_NO, 1);
        encoder.u64(tags::END_SEQ_NO, 0);
    };
    venue.send(BEGIN, &mut back, tags::msg::RESEND_REQUEST, asked).unwrap();
    us.received(BEGIN, 0, &back, &mut out, &mut Taker).unwrap();
    while us.poll(BEGIN, &mut out).unwrap() {}
    let sent = messages(&out);
    let orders: Vec<(u64, String)> = sent
        .iter()
        .filter(|(kind, ..)| kind == "D")
        .map(|(_, seq, _, text)| (*seq, text.clone()))
        .collect();
    assert_eq!(orders, told.orders, "under its number each has its own text");
    let mut next = 1;
    for (kind, seq, poss_dup, what) in &sent {
        assert!(*poss_dup && *seq == next, "{kind} {seq} where {next} comes next");
        next = if kind == "4" { what.parse().unwrap() } else { seq + 1 };
    }
    assert_eq!(next, outgoing + 1, "the Logon is filled too");
}

#[test]
fn no_number_is_given_to_two_contents_whenever_it_is_killed() {
    let root = tempfile::tempdir().unwrap();
    day(root.path());
    let (disk, hot) = (root.path().join("disk"), root.path().join("hot"));
    let records = rig::kinds(&disk, &hot, "gateway").len() as u64;
    assert!(records > 40, "{records}");
    for cut in 0..=records {
        let copy = tempfile::tempdir().unwrap();
        let mut told = Told::default();
        settings(copy.path());
        let (to, to_hot) = (copy.path().join("disk"), copy.path().join("hot"));
        rig::copy(&disk, &to, &to_hot, "gateway", |sequence, kind, payload| {
            if sequence > cut {
                return Copied::Cut;
            }
            told.follow(kind, payload);
            Copied::As(payload.to_vec())
        });
        new_session(copy.path(), &told);
    }
}
