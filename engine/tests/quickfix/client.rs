//! QuickFIX as a client: an initiator that sends what the test says, over a store of files.

use crate::fix::{Fix, message, utc_now};
use crate::host::eventually;
use crate::venue::{Ears, Log, Told, common, settings};
use gateway::spec::Version;
use quickfix::{
    Application, ConnectionHandler, FileMessageStoreFactory, FixSocketServerKind, Initiator,
    LogFactory, SessionId, SessionSettings, send_to_target,
};
use std::path::Path;
use std::sync::mpsc::Receiver;

type Running = Initiator<'static, Ears, Log, FileMessageStoreFactory>;

/// The client. What QuickFIX borrows lives as long as the process, which is the test's own.
pub(crate) struct Client {
    version: Version,
    id: SessionId,
    told: Receiver<Told>,
    log: &'static Log,
    initiator: Running,
}

impl Client {
    /// Connects to `port` of loopback as `TOUCHLINE`, an account of the demo exchange; goes on with
    /// the numbers in `folder`.
    pub(crate) fn start(version: Version, folder: &Path, port: u16) -> Client {
        let begin = version.begin_string();
        let id = SessionId::try_new(begin, "TOUCHLINE", "EXCHANGE", "").unwrap();
        let store = folder.join("quickfix");
        let mut all = SessionSettings::new();
        let global = settings(&[("ConnectionType", "initiator"), ("ReconnectInterval", "1")]);
        all.set(None, global).unwrap();
        let port = port.to_string();
        let mut own = common(version, &store);
        own.extend([("SocketConnectHost", "127.0.0.1"), ("SocketConnectPort", port.as_str())]);
        own.push(("HeartBtInt", "30"));
        all.set(Some(&id), settings(&own)).unwrap();
        let (ears, told) = Ears::patient();
        let ears = Box::leak(Box::new(ears));
        let log: &Log = Box::leak(Box::default());
        let application = Box::leak(Box::new(Application::try_new(ears).unwrap()));
        let store = Box::leak(Box::new(FileMessageStoreFactory::try_new(&all).unwrap()));
        let logs = Box::leak(Box::new(LogFactory::try_new(log).unwrap()));
        let kind = FixSocketServerKind::SingleThreaded;
        let mut initiator = Initiator::try_new(&all, application, store, logs, kind).unwrap();
        initiator.start().unwrap();
        let client = Client { version, id, told, log, initiator };
        client.wait("a logon", |told| matches!(told, Told::Logon).then_some(()));
        client
    }

    fn wait<T>(&self, what: &str, mut found: impl FnMut(Told) -> Option<T>) -> T {
        eventually(what, || self.told.try_iter().find_map(&mut found))
    }

    /// Waits for the next application message, whatever it is.
    pub(crate) fn next(&self, what: &str) -> Fix {
        self.wait(what, |told| match told {
            Told::App(text) => Some(text),
            _ => None,
        })
    }

    /// The next ExecutionReport, which must have this ExecType (150), `F` for a trade of any version.
    pub(crate) fn report(&self, exec_type: &str) -> Fix {
        let report = self.next(exec_type);
        let told = report.get(150).unwrap_or_default();
        // FIX.4.2 tells a trade by how much of the order is done.
        let is_trade = self.version == Version::Fix42 && matches!(told, "1" | "2");
        let told = if is_trade { "F" } else { told };
        assert_eq!((report.get(35), told), (Some("8"), exec_type), "{report:?}");
        report
    }

    /// Waits for the next Reject (3).
    pub(crate) fn reject(&self) -> Fix {
        self.wait("a Reject", |told| match told {
            Told::Admin(text) if text.is("3") => Some(text),
            _ => None,
        })
    }

    /// Sends a message.
    pub(crate) fn send(&self, kind: &str, fields: &[(u32, &str)]) {
        let now = utc_now();
        let mut fields = fields.to_vec();
        fields.push((60, &now));
        send_to_target(message(kind, &fields), &self.id).unwrap();
    }

    /// A limit order on the first instrument.
    pub(crate) fn order(&self, id: &str, side: &str, qty: &str, price: &str) {
        let mut fields =
            vec![(11, id), (55, "TLA"), (54, side), (38, qty), (40, "2"), (44, price), (59, "0")];
        if self.version == Version::Fix42 {
            fields.push((21, "1"));
        }
        self.send("D", &fields);
    }

    /// Another price and quantity for an order to buy.
    pub(crate) fn replace(&self, id: &str, original: &str, qty: &str, price: &str) {
        let mut fields = vec![(11, id), (41, original), (55, "TLA"), (54, "1"), (38, qty)];
        fields.extend([(40, "2"), (44, price), (59, "0")]);
        if self.version == Version::Fix42 {
            fields.push((21, "1"));
        }
        self.send("G", &fields);
    }

    /// Takes an order to buy back.
    pub(crate) fn cancel(&self, id: &str, original: &str) {
        self.send("F", &[(11, id), (41, original), (55, "TLA"), (54, "1")]);
    }

    /// Logs out; everything that came before is given.
    pub(crate) fn stop(mut self) -> Vec<Fix> {
        self.initiator.stop().unwrap();
        let told = self.told.try_iter();
        told.filter_map(|told| if let Told::App(text) = told { Some(text) } else { None }).collect()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.log.explain("client");
    }
}
