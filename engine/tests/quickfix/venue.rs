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
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

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

/// Hears for the test.
pub(crate) struct Ears(pub(crate) Sender<Told>);

impl ApplicationCallback for Ears {
    fn on_logon(&self, _: &SessionId) {
        let _ = self.0.send(Told::Logon);
    }

    fn on_logout(&self, _: &SessionId) {
        let _ = self.0.send(Told::Logout);
    }

    fn on_msg_from_admin(
        &self,
        message: &quickfix::Message,
        _: &SessionId,
    ) -> Result<(), MsgFromAdminError> {
        let _ = self.0.send(Told::Admin(message.into()));
        Ok(())
    }

    fn on_msg_from_app(
        &self,
        message: &quickfix::Message,
        _: &SessionId,
    ) -> Result<(), MsgFromAppError> {
        let _ = self.0.send(Told::App(message.into()));
        Ok(())
    }
}

/// QuickFIX's own log, for a test that fails.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<String>>);

impl Log {
    /// Prints it if the test has failed.
    pub(crate) fn explain(&self, whose: &str) {
        if std::thread::panicking() {
            let said = self.0.lock().unwrap();
            said.iter().for_each(|line| eprintln!("{whose}: {line}"));
        }
    }
}

impl LogCallback for Log {
    fn on_event(&self, _: Option<&SessionId>, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
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

type Running = Acceptor<'static, Ears, Log, FileMessageStoreFactory>;

/// The venue. What QuickFIX borrows lives as long as the process, which is the test's own.
pub(crate) struct Venue {
    version: Version,
    store: PathBuf,
    port: u16,
    id: SessionId,
    told: Receiver<Told>,
    log: &'static Log,
    acceptor: Option<Running>,
    executions: Cell<u32>,
}

impl Venue {
    /// A venue with its numbers and messages in `folder`.
    pub(crate) fn start(version: Version, folder: &Path) -> Venue {
        let id = SessionId::try_new(version.begin_string(), "VENUE", "US", "").unwrap();
        let store = folder.join("quickfix");
        let (_, told) = channel();
        let mut venue = Venue {
            version,
            store,
            port: free_port(),
            id,
            told,
            log: Box::leak(Box::default()),
            acceptor: None,
            executions: Cell::new(0),
        };
        venue.restart();
        venue
    }

    /// Starts again, on what its store holds.
    pub(crate) fn restart(&mut self) {
        // One session of that name at a time.
        self.stop();
        let mut all = SessionSettings::new();
        all.set(None, settings(&[("ConnectionType", "acceptor")])).unwrap();
        let port = self.port.to_string();
        let mut own = common(self.version, &self.store);
        own.push(("SocketAcceptPort", &port));
        all.set(Some(&self.id), settings(&own)).unwrap();
        let (told, heard) = channel();
        let ears = Box::leak(Box::new(Ears(told)));
        let application = Box::leak(Box::new(Application::try_new(ears).unwrap()));
        let store = Box::leak(Box::new(FileMessageStoreFactory::try_new(&all).unwrap()));
        let log = Box::leak(Box::new(LogFactory::try_new(self.log).unwrap()));
        let kind = FixSocketServerKind::SingleThreaded;
        let mut acceptor = Acceptor::try_new(&all, application, store, log, kind).unwrap();
        acceptor.start().unwrap();
        assert_unreachable(self.port);
        self.told = heard;
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

    /// Its own logout of the session.
    pub(crate) fn log_out(&self) {
        self.acceptor.as_ref().unwrap().session(self.id.clone()).unwrap().logout().unwrap();
    }

    /// Lets the session log on again after [`Venue::log_out`].
    pub(crate) fn allow_logon(&self) {
        self.acceptor.as_ref().unwrap().session(self.id.clone()).unwrap().logon().unwrap();
    }

    /// Both its numbers begin at one again, without a word to the counterparty.
    pub(crate) fn forget(&self) {
        self.acceptor.as_ref().unwrap().session(self.id.clone()).unwrap().reset().unwrap();
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

    /// True if no application message was told and not taken yet.
    pub(crate) fn is_silent(&self) -> bool {
        !self.told.try_iter().any(|told| matches!(told, Told::App(_)))
    }

    /// Sends a message; without a connection QuickFIX numbers it and keeps it.
    pub(crate) fn send(&self, kind: &str, fields: &[(u32, &str)]) {
        send_to_target(message(kind, fields), &self.id).unwrap();
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
        self.executions.set(self.executions.get() + 1);
        let exec = format!("E{}", self.executions.get());
        let order = format!("V{}", request.get(41).unwrap_or(request.need(11)));
        let [last, cum, leaves] = [last, cum, leaves].map(|qty| qty.to_string());
        let now = utc_now();
        let is_trade = matches!(exec_type, "F" | "H");
        // In FIX.4.2 a trade is told by how much of the order is done, and a bust by tag 20.
        let is_old = self.version == Version::Fix42;
        let told = if is_old && is_trade { ord_status } else { exec_type };
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
            fields.push((20, if exec_type == "H" { "1" } else { "0" }));
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
        self.store.join(format!("{}-VENUE-US.seqnums", self.version.begin_string()))
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        self.log.explain("venue");
        self.stop();
    }
}
