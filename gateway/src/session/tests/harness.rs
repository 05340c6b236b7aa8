//! One session, and a peer made of text.

use crate::fix::{Fault, FieldIndex, Frame, Message, RejectCode, frame, tags};
use crate::session::{
    Application, Disconnect, MemoryStore, Meta, Outbound, Session, SessionConfig, Verdict,
};
use crate::spec::Version;
use market::{Nanos, Timestamp};

/// 2025-07-17T13:16:40Z.
pub(super) const START: Timestamp = Timestamp::from_nanos(1_752_758_200_000_000_000);

/// A whole message from `|`-separated fields: BodyLength and CheckSum are added.
pub(super) fn message(begin: &str, body: &str) -> Vec<u8> {
    let body = body.replace('|', "\x01");
    let head = format!("8={begin}\x019={}\x01", body.len());
    let sum = (head.bytes().chain(body.bytes())).map(u32::from).sum::<u32>() % 256;
    format!("{head}{body}10={sum:03}\x01").into_bytes()
}

/// What an application took.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) messages: Vec<String>,
    pub(super) ups: usize,
    pub(super) downs: usize,
    pub(super) passed_over: usize,
    pub(super) busy: bool,
}

impl Application for Log {
    fn ready(&self) -> bool {
        !self.busy
    }

    fn message(&mut self, meta: &Meta, message: &Message<'_>) -> Verdict {
        let text = String::from_utf8_lossy(message.get(tags::TEXT).unwrap_or(b"-")).into_owned();
        let kind = String::from_utf8_lossy(message.msg_type()).into_owned();
        let mark = match (meta.poss_dup, meta.poss_resend) {
            (true, _) => " dup",
            (_, true) => " again",
            _ => "",
        };
        self.messages.push(format!("{} {kind} {text}{mark}", meta.seq));
        match text.as_str() {
            "refuse" => Verdict::Reject(Fault::new(RejectCode::ValueIncorrect, 44)),
            "unsupported" => Verdict::Business(crate::session::BusinessReason::UnsupportedMessage),
            _ => Verdict::Taken,
        }
    }

    fn up(&mut self, _now: Timestamp) {
        self.ups += 1;
    }

    fn passed_over(&mut self, _now: Timestamp) {
        self.passed_over += 1;
    }

    fn down(&mut self, _now: Timestamp) {
        self.downs += 1;
    }
}

/// A sink with a limit.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) bytes: Vec<u8>,
    pub(super) limit: usize,
}

impl Outbound for Pipe {
    fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes.len())
    }

    fn send(&mut self, frame: &[u8]) {
        assert!(self.room() >= frame.len(), "sent without room");
        self.bytes.extend_from_slice(frame);
    }
}

/// A session under test. It is `US`, its peer `THEM`.
pub(super) struct Bench {
    pub(super) session: Session<MemoryStore>,
    pub(super) out: Pipe,
    pub(super) app: Log,
    pub(super) now: Timestamp,
}

pub(super) const LOGON: &str = "98=0|108=30|";

/// Body of a Logon of this version.
pub(super) fn logon_of(version: Version) -> &'static str {
    match version {
        Version::Fix42 | Version::Fix44 => LOGON,
        Version::Fix50Sp2 => "98=0|108=30|1137=9|",
    }
}

impl Bench {
    pub(super) fn new(config: SessionConfig) -> Bench {
        Bench::over(config, MemoryStore::new(4096, 1 << 20))
    }

    pub(super) fn over(config: SessionConfig, store: MemoryStore) -> Bench {
        let session = Session::new(config, store).unwrap();
        let out = Pipe { bytes: Vec::new(), limit: usize::MAX };
        Bench { session, out, app: Log::default(), now: START }
    }

    /// An acceptor that has a connection.
    pub(super) fn acceptor() -> Bench {
        let mut bench = Bench::new(SessionConfig::acceptor("US", "THEM"));
        bench.connect().unwrap();
        bench
    }

    /// An acceptor that is up; the peer's next number is 2.
    pub(super) fn acceptor_up() -> Bench {
        let mut bench = Bench::acceptor();
        bench.give("A", 1, LOGON).unwrap();
        assert_eq!(bench.sent(), ["A 1 98=0|108=30"]);
        bench
    }

    /// An initiator whose Logon is out.
    pub(super) fn initiator() -> Bench {
        let mut bench = Bench::new(SessionConfig::initiator("US", "THEM"));
        bench.connect().unwrap();
        assert_eq!(bench.sent(), ["A 1 98=0|108=30"]);
        bench
    }

    /// An initiator that is up; the peer's next number is 2.
    pub(super) fn initiator_up() -> Bench {
        let mut bench = Bench::initiator();
        bench.give("A", 1, LOGON).unwrap();
        bench
    }

    /// An initiator of this version that is up; the peer's next number is 2, ours too.
    pub(super) fn initiator_of(version: Version) -> Bench {
        let mut bench =
            Bench::new(SessionConfig { version, ..SessionConfig::initiator("US", "THEM") });
        bench.connect().unwrap();
        bench.give("A", 1, logon_of(version)).unwrap();
        bench.sent();
        bench
    }

    pub(super) fn connect(&mut self) -> Result<(), Disconnect> {
        self.session.connected(self.now, &mut self.out)
    }

    pub(super) fn disconnect(&mut self) {
        self.session.disconnected(self.now, &mut self.app);
    }

    /// Time passes; everything due is done.
    pub(super) fn wait(&mut self, span: Nanos) -> Result<(), Disconnect> {
        self.now = self.now.after(span);
        self.session.poll(self.now, &mut self.out).map(drop)
    }

    /// The standard header of the peer at this time.
    pub(super) fn header(&self, kind: &str, seq: u64) -> String {
        format!("35={kind}|49=THEM|56=US|34={seq}|52={}|", self.stamp())
    }

    pub(super) fn stamp(&self) -> String {
        let mut writer = crate::fix::TimeText::new(crate::fix::Precision::Millis);
        let (text, written) = writer.text(self.now);
        String::from_utf8_lossy(&text[..written.len]).into_owned()
    }

    /// The peer sends a message with this body.
    pub(super) fn give(&mut self, kind: &str, seq: u64, body: &str) -> Result<(), Disconnect> {
        let bytes = self.message(kind, seq, body);
        self.give_raw(&bytes)
    }

    /// A message of the peer with this body.
    pub(super) fn message(&self, kind: &str, seq: u64, body: &str) -> Vec<u8> {
        let begin = self.session.config().version.begin_string();
        message(begin, &format!("{}{body}", self.header(kind, seq)))
    }

    /// The peer sends these bytes; all of them must be consumed.
    pub(super) fn give_raw(&mut self, bytes: &[u8]) -> Result<(), Disconnect> {
        let Bench { session, out, app, now } = self;
        assert_eq!(session.received(*now, 7, bytes, out, app)?, bytes.len());
        Ok(())
    }

    /// A report of ours.
    pub(super) fn send(&mut self, text: &str) -> u64 {
        self.send_as(b"8", text)
    }

    /// An application message of ours.
    pub(super) fn send_as(&mut self, kind: &[u8], text: &str) -> u64 {
        let write = |encoder: &mut crate::fix::Encoder<'_>| {
            encoder.bytes(tags::TEXT, text.as_bytes());
        };
        self.session.send(self.now, &mut self.out, kind, write).unwrap()
    }

    pub(super) fn next_incoming(&self) -> u64 {
        use crate::session::Store;
        self.session.store().next_incoming()
    }

    /// What the session sent since the last call: type, number, body, without the header's rest.
    pub(super) fn sent(&mut self) -> Vec<String> {
        let bytes = std::mem::take(&mut self.out.bytes);
        texts(&bytes)
    }
}

/// Every message in `bytes` as text; all must be whole and right.
pub(super) fn texts(bytes: &[u8]) -> Vec<String> {
    let mut at = 0;
    let mut texts = Vec::new();
    let mut index = FieldIndex::new(64);
    while at < bytes.len() {
        let Frame::Complete { len, .. } = frame(&bytes[at..], 8192) else {
            panic!("sent garbage: {:?}", String::from_utf8_lossy(&bytes[at..]));
        };
        let message = index.parse(&bytes[at..at + len]);
        assert_eq!(message.fault(), None);
        let kind = String::from_utf8_lossy(message.msg_type()).into_owned();
        let body: Vec<String> = message
            .fields()
            .filter(|(tag, _)| !matches!(tag, 8 | 9 | 10 | 34 | 35 | 49 | 52 | 56 | 122))
            .map(|(tag, value)| format!("{tag}={}", String::from_utf8_lossy(value)))
            .collect();
        let seq = message.u64(tags::MSG_SEQ_NUM).unwrap();
        texts.push(format!("{kind} {seq} {}", body.join("|")).trim_end().to_owned());
        at += len;
    }
    texts
}
