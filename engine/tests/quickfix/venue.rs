//! QuickFIX as a venue: an acceptor whose orders are answered by the test, over a store of files.
//!
//! Its store in memory loses orders that are asked for again, so it is not used here. It has no
//! dictionary: it judges the session, not the fields.

use crate::alone::assert_unreachable;
use crate::fix::{Fix, message, utc_now};
use crate::host::eventually;
use crate::tap::free_port;
use gateway::spec::Version;
use quickfix::{
    Acceptor, Application, ApplicationCallback, ConnectionHandler, Dictionary,
    FileMessageStoreFactory, FixSocketServerKind, LogCallback, LogFactory, MsgFromAdminError,
    MsgFromAppError, SessionContainer, SessionId, SessionSettings, send_to_target,
};
use std::fs::File;
use std::io::Write as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// Every message of the venue, in its folder.
pub(crate) const MESSAGES: &str = "venue.messages.current.log";

/// What QuickFIX tells its application, and its log.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Logon,
    Logout,
    /// A message of the session.
    Admin(Fix),
    /// A message for the application.
    App(Fix),
}

/// Hears for the test, on QuickFIX's own thread.
pub(crate) struct Ears(Box<dyn Fn(Told) + Send + Sync>);

impl Ears {
    /// Ears that keep what they hear until it is taken.
    pub(crate) fn patient() -> (Ears, Receiver<Told>) {
        let (told, heard) = channel();
        // Nobody may be there to hear the end.
        (Ears(Box::new(move |what| drop(told.send(what)))), heard)
    }
}

impl ApplicationCallback for Ears {
    fn on_logon(&self, _: &SessionId) {
        (self.0)(Told::Logon);
    }

    fn on_logout(&self, _: &SessionId) {
        (self.0)(Told::Logout);
    }

    fn on_msg_from_admin(
        &self,
        message: &quickfix::Message,
        _: &SessionId,
    ) -> Result<(), MsgFromAdminError> {
        (self.0)(Told::Admin(message.into()));
        Ok(())
    }

    fn on_msg_from_app(
        &self,
        message: &quickfix::Message,
        _: &SessionId,
    ) -> Result<(), MsgFromAppError> {
        (self.0)(Told::App(message.into()));
        Ok(())
    }
}

/// QuickFIX's own log, for a test that fails, and its messages as its `FileLog` writes them.
#[derive(Default)]
pub(crate) struct Log {
    events: Mutex<Vec<String>>,
    messages: Option<Mutex<File>>,
}

impl Log {
    /// With all messages in this file.
    fn to(path: &Path) -> Log {
        let file = File::options().create(true).append(true).open(path).unwrap();
        Log { messages: Some(file.into()), ..Log::default() }
    }

    fn write(&self, message: &str) {
        if let Some(file) = &self.messages {
            writeln!(file.lock().unwrap(), "{} : {message}", utc_now()).unwrap();
        }
    }

    /// Prints it if the test has failed.
    pub(crate) fn explain(&self, whose: &str) {
        if std::thread::panicking() {
            let said = self.events.lock().unwrap();
            said.iter().for_each(|line| eprintln!("{whose}: {line}"));
        }
    }
}

impl LogCallback for Log {
    fn on_incoming(&self, _: Option<&SessionId>, message: &str) {
        self.write(message);
    }

    fn on_outgoing(&self, _: Option<&SessionId>, message: &str) {
        self.write(message);
    }

    fn on_event(&self, _: Option<&SessionId>, text: &str) {
        self.events.lock().unwrap().push(text.to_owned());
    }
}

/// A dictionary of settings.
pub(crate) fn settings(pairs: &[(&str, &str)]) -> Dictionary {
    let mut settings = Dictionary::new();
    for (key, value) in pairs {
        settings.set(key, *value).unwrap();
    }
    settings
}

/// What both sides of QuickFIX are told of the session.
pub(crate) fn common(version: Version, store: &Path) -> Vec<(&str, &str)> {
    let mut common = vec![
        ("NonStopSession", "Y"),
        ("UseDataDictionary", "N"),
        ("FileStorePath", store.to_str().unwrap()),
    ];
    common.extend(version.appl_ver_id().map(|id| ("DefaultApplVerID", id)));
    common
}

/// What the venue says, from any thread. QuickFIX does not guard a connection that ends against
/// another thread that sends: who answers while connections end must do so from its callbacks.
#[derive(Debug)]
pub(crate) struct Voice {
    version: Version,
    /// CompIDs: the venue's own, and its counterparty's.
    names: [&'static str; 2],
    executions: AtomicU32,
}

impl Voice {
    pub(crate) fn new(version: Version) -> Voice {
        Voice::named(version, ["VENUE", "US"])
    }

    /// Of a venue with these CompIDs, its own and its counterparty's.
    pub(crate) fn named(version: Version, names: [&'static str; 2]) -> Voice {
        Voice { version, names, executions: AtomicU32::new(0) }
    }

    fn session(&self) -> SessionId {
        let [own, theirs] = self.names;
        SessionId::try_new(self.version.begin_string(), own, theirs, "").unwrap()
    }

    /// Sends a message; without a connection QuickFIX numbers it and keeps it.
    pub(crate) fn send(&self, kind: &str, fields: &[(u32, &str)]) {
        send_to_target(message(kind, fields), &self.session()).unwrap();
    }

    /// Reports on an order: ExecType (150) with OrdStatus (39), quantities as (last, cumulative,
    /// leaves); `more` is added. Its executions are E1, E2, ….
    pub(crate) fn report(
        &self,
        request: &Fix,
        (exec_type, ord_status): (&str, &str),
        (last, cum, leaves): (u32, u32, u32),
        more: &[(u32, &str)],
    ) {
        let exec = format!("E{}", self.executions.fetch_add(1, Ordering::Relaxed) + 1);
        let order = format!("V{}", request.get(41).unwrap_or(request.need(11)));
        let [last, cum, leaves] = [last, cum, leaves].map(|qty| qty.to_string());
        let now = utc_now();
        let is_trade = matches!(exec_type, "F" | "H");
        // In FIX.4.2 a trade is told by how much of the order is done, a bust and a status by tag 20.
        let is_old = self.version == Version::Fix42;
        let by_status = is_old && matches!(exec_type, "F" | "H" | "I");
        let told = if by_status { ord_status } else { exec_type };
        let mut fields = vec![
            (37, order.as_str()),
            (17, &exec),
            (150, told),
            (39, ord_status),
            (11, request.need(11)),
            (55, request.need(55)),
            (54, request.need(54)),
            (14, &cum),
            (151, &leaves),
            (6, "0"),
            (60, &now),
        ];
        if is_old {
            let kind = match exec_type {
                "H" => "1",
                "I" => "3",
                _ => "0",
            };
            fields.push((20, kind));
        }
        if is_trade {
            fields.extend([(31, request.need(44)), (32, last.as_str())]);
        }
        fields.extend([44, 38].iter().filter_map(|tag| Some((*tag, request.get(*tag)?))));
        fields.extend(request.get(41).map(|original| (41, original)));
        fields.extend(more);
        self.send("8", &fields);
    }

    /// Takes a fill back, by its ExecID.
    pub(crate) fn bust(&self, request: &Fix, exec: &str, quantities: (u32, u32, u32)) {
        self.report(request, ("H", "0"), quantities, &[(19, exec)]);
    }

    /// Refuses a cancel or replace (9): too late.
    pub(crate) fn too_late(&self, request: &Fix) {
        let response_to = if request.is("G") { "2" } else { "1" };
        let order = format!("V{}", request.need(41));
        let fields = [
            (37, order.as_str()),
            (11, request.need(11)),
            (41, request.need(41)),
            (39, "2"),
            (434, response_to),
            (102, "0"),
        ];
        self.send("9", &fields);
    }
}

type Running = Acceptor<'static, Ears, Log, FileMessageStoreFactory>;

/// The venue. What QuickFIX borrows lives as long as the process, which is the test's own.
pub(crate) struct Venue {
    version: Version,
    store: PathBuf,
    port: u16,
    told: Receiver<Told>,
    voice: Arc<Voice>,
    log: &'static Log,
    acceptor: Option<Running>,
}

impl Deref for Venue {
    type Target = Voice;

    fn deref(&self) -> &Voice {
        &self.voice
    }
}

impl Venue {
    /// A venue with its numbers and messages in `folder`, whose orders the test answers.
    pub(crate) fn start(version: Version, folder: &Path) -> Venue {
        let mut venue = Venue::new(Voice::new(version).into(), folder);
        venue.restart();
        venue
    }

    /// A venue that answers by itself: `ears` are called on QuickFIX's own thread.
    pub(crate) fn answering(
        voice: Arc<Voice>,
        folder: &Path,
        ears: impl Fn(Told) + Send + Sync + 'static,
    ) -> Venue {
        let mut venue = Venue::new(voice, folder);
        venue.start_with(Ears(Box::new(ears)));
        venue
    }

    fn new(voice: Arc<Voice>, folder: &Path) -> Venue {
        let (_, told) = channel();
        let log = Box::leak(Box::new(Log::to(&folder.join(MESSAGES))));
        let (version, store, port) = (voice.version, folder.join("quickfix"), free_port());
        Venue { version, store, port, told, voice, log, acceptor: None }
    }

    /// Starts again, on what its store holds.
    pub(crate) fn restart(&mut self) {
        // One session of that name at a time.
        self.stop();
        let (ears, told) = Ears::patient();
        self.told = told;
        self.start_with(ears);
    }

    fn start_with(&mut self, ears: Ears) {
        let mut all = SessionSettings::new();
        all.set(None, settings(&[("ConnectionType", "acceptor")])).unwrap();
        let port = self.port.to_string();
        let mut own = common(self.version, &self.store);
        own.push(("SocketAcceptPort", &port));
        all.set(Some(&self.voice.session()), settings(&own)).unwrap();
        let ears = Box::leak(Box::new(ears));
        let application = Box::leak(Box::new(Application::try_new(ears).unwrap()));
        let store = Box::leak(Box::new(FileMessageStoreFactory::try_new(&all).unwrap()));
        let log = Box::leak(Box::new(LogFactory::try_new(self.log).unwrap()));
        // Its other kind closes what its own thread still reads.
        let kind = FixSocketServerKind::MultiThreaded;
        let mut acceptor = Acceptor::try_new(&all, application, store, log, kind).unwrap();
        acceptor.start().unwrap();
        assert_unreachable(self.port);
        self.acceptor = Some(acceptor);
    }

    /// Ends without a word of its own but the Logout.
    pub(crate) fn stop(&mut self) {
        self.acceptor = None;
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Whether the counterparty is logged on.
    pub(crate) fn is_logged_on(&self) -> bool {
        self.acceptor.as_ref().is_some_and(|acceptor| acceptor.is_logged_on().unwrap())
    }

    fn session(&self) -> quickfix::Session<'_> {
        self.acceptor.as_ref().unwrap().session(self.voice.session()).unwrap()
    }

    /// Its own logout of the session.
    pub(crate) fn log_out(&self) {
        self.session().logout().unwrap();
    }

    /// Lets the session log on again after [`Venue::log_out`].
    pub(crate) fn allow_logon(&self) {
        self.session().logon().unwrap();
    }

    /// Both its numbers begin at one again, without a word to the counterparty.
    pub(crate) fn forget(&self) {
        self.session().reset().unwrap();
    }

    /// Waits for what fits.
    pub(crate) fn wait<T>(&self, what: &str, mut found: impl FnMut(Told) -> Option<T>) -> T {
        eventually(what, || self.told.try_iter().find_map(&mut found))
    }

    /// Waits for a logon.
    pub(crate) fn wait_for_logon(&self) {
        self.wait("a logon", |told| matches!(told, Told::Logon).then_some(()));
    }

    /// Waits for the next application message, which must be of this MsgType (35).
    pub(crate) fn next(&self, kind: &str) -> Fix {
        let told = self.wait(kind, |told| match told {
            Told::App(text) => Some(text),
            _ => None,
        });
        assert!(told.is(kind), "awaited {kind}, got {told:?}");
        told
    }

    /// Waits for the next message of the session of this MsgType (35).
    pub(crate) fn next_admin(&self, kind: &str) -> Fix {
        self.wait(kind, |told| match told {
            Told::Admin(text) if text.is(kind) => Some(text),
            _ => None,
        })
    }

    /// Its next outgoing and incoming numbers, as its store has them.
    pub(crate) fn numbers(&self) -> (u64, u64) {
        let text = std::fs::read_to_string(self.numbers_file()).unwrap();
        let (outgoing, incoming) = text.split_once(':').unwrap();
        (outgoing.trim().parse().unwrap(), incoming.trim().parse().unwrap())
    }

    /// While it is stopped: so many messages of its own were sent that it does not have any more.
    pub(crate) fn lose_numbers(&self, count: u64) {
        assert!(self.acceptor.is_none());
        let (outgoing, incoming) = self.numbers();
        let text = format!("{:020} : {incoming:020}", outgoing + count);
        std::fs::write(self.numbers_file(), text).unwrap();
    }

    fn numbers_file(&self) -> PathBuf {
        let [own, theirs] = self.voice.names;
        self.store.join(format!("{}-{own}-{theirs}.seqnums", self.version.begin_string()))
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        self.log.explain("venue");
        self.stop();
    }
}
