//! The same round trip through QuickFIX C++, both ends, with its store in memory: its own threads,
//! each on the core and under the scheduling that ours have, waiting in the kernel as they do.
//!
//! The initiator sends the next order from the callback that takes the answer, and messages are
//! copies of ready ones with a new id: the cheapest that its interface allows.

use super::{PAIRS, TRIPS, Track, WARM_UP, journaled};
use crate::figure::Figure;
use crate::machine::settle;
use crate::pairs;
use crate::wired::course::Turns;
use crate::wired::{ANSWERS, ASKS};
use anyhow::{Context as _, anyhow};
use quickfix::{
    Acceptor, Application, ApplicationCallback, ConnectionHandler, Dictionary, FieldMap,
    FixSocketServerKind, Initiator, LogFactory, MemoryMessageStoreFactory, Message,
    MsgFromAppError, NullLogger, QuickFixError, SessionId, SessionSettings, send_to_target,
};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a logon, or a block, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The figure; none where QuickFIX could be reached from outside.
///
/// # Errors
/// What either side refuses.
pub(super) fn run() -> anyhow::Result<Option<Figure>> {
    let links = std::fs::read_to_string("/proc/self/net/dev")?;
    if !links.lines().skip(2).all(|link| link.trim_start().starts_with("lo:")) {
        eprintln!("trip/quickfix is left out: it listens on all addresses; use `unshare --net`");
        return Ok(None);
    }
    let mut track = Track::new();
    let (stores, _folders, _copier) = journaled(&track.clock, &["plain"])?;
    let mut ours = track.lane(stores, wire::Backend::Plain)?;
    let mut rival = Rival::start()?;
    let turns = Turns::default();
    let rounds = turns.beside(&mut track.sides, || {
        ours.open(&turns)?;
        (0..PAIRS + 2).map(|_| Ok((ours.block(&turns)?, rival.block()?))).collect()
    });
    rival.stop()?;
    let rounds: Vec<(f64, f64)> = rounds?;
    let figure = Figure::new("trip/quickfix", "ns", "QuickFIX C++", &pairs::of(&rounds[2..]))
        .target(0.45)
        .note("the same order, both ends QuickFIX with its store in memory, no dictionary, no log");
    Ok(Some(figure))
}

/// A ready message and who it goes to.
struct Ready {
    message: Message,
    to: SessionId,
}

impl Ready {
    fn new(kind: &str, fields: &[(i32, &str)], to: SessionId) -> Result<Ready, QuickFixError> {
        let mut message = Message::new();
        message.with_header_mut(|header| header.set_field(35, kind))?;
        fields.iter().try_for_each(|(tag, value)| message.set_field(*tag, *value))?;
        Ok(Ready { message, to })
    }

    /// Sends a copy with this ClOrdID (11).
    fn send(&self, id: &str) {
        let mut message = self.message.clone();
        let sent = message.set_field(11, id).and_then(|()| send_to_target(message, &self.to));
        sent.expect("the session is up");
    }
}

/// Answers every order, on QuickFIX's own thread.
struct Venue(Ready);

impl ApplicationCallback for Venue {
    fn on_msg_from_app(&self, order: &Message, _: &SessionId) -> Result<(), MsgFromAppError> {
        let id = order.get_field(11).ok_or(MsgFromAppError::FieldNotFound)?;
        self.0.send(&id);
        Ok(())
    }
}

/// Sends an order for every answer, as long as its block lasts.
struct Client {
    order: Ready,
    up: SyncSender<()>,
    ids: AtomicUsize,
    left: AtomicUsize,
    began: Mutex<Instant>,
    done: SyncSender<f64>,
}

impl Client {
    fn next(&self) {
        let id = 20_000_000_000_000_000 + self.ids.fetch_add(1, Ordering::Relaxed);
        self.order.send(&id.to_string());
    }

    fn begin(&self) {
        self.left.store(WARM_UP + TRIPS, Ordering::Relaxed);
        self.next();
    }
}

impl ApplicationCallback for Client {
    fn on_logon(&self, _: &SessionId) {
        let _ = self.up.try_send(());
    }

    #[allow(clippy::cast_precision_loss)]
    fn on_msg_from_app(&self, _: &Message, _: &SessionId) -> Result<(), MsgFromAppError> {
        let mut began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        match self.left.fetch_sub(1, Ordering::Relaxed) - 1 {
            0 => {
                let _ = self.done.try_send(began.elapsed().as_nanos() as f64 / TRIPS as f64);
            }
            left => {
                if left == TRIPS {
                    *began = Instant::now();
                }
                self.next();
            }
        }
        Ok(())
    }
}

/// Both ends of QuickFIX, a thread of ours for each, from which it takes core and scheduling.
struct Rival {
    ends: Vec<(SyncSender<()>, JoinHandle<anyhow::Result<()>>)>,
    done: Receiver<f64>,
}

impl Rival {
    fn start() -> anyhow::Result<Rival> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let (listens, listening) = sync_channel(1);
        let (stop, stopped) = sync_channel(1);
        let venue = thread::spawn(move || {
            settle(ANSWERS);
            serve(port, &listens, &stopped)
        });
        listening.recv_timeout(PATIENCE).context("QuickFIX does not listen")?;
        let (up, is_up) = sync_channel(1);
        let (done, blocks) = sync_channel(1);
        let (ask, asked) = sync_channel(1);
        let client = thread::spawn(move || {
            settle(ASKS);
            trade(port, (up, done), &asked)
        });
        is_up.recv_timeout(PATIENCE).context("QuickFIX does not log on")?;
        Ok(Rival { ends: vec![(ask, client), (stop, venue)], done: blocks })
    }

    /// Nanoseconds of a round trip.
    fn block(&mut self) -> anyhow::Result<f64> {
        self.ends[0].0.send(())?;
        self.done.recv_timeout(PATIENCE).context("QuickFIX does not answer")
    }

    fn stop(self) -> anyhow::Result<()> {
        for (stop, thread) in self.ends {
            drop(stop);
            thread.join().map_err(|_| anyhow!("QuickFIX's thread panicked"))??;
        }
        Ok(())
    }
}

fn session(ours: &str, theirs: &str) -> Result<SessionId, QuickFixError> {
    SessionId::try_new("FIX.4.4", ours, theirs, "")
}

/// Settings of one side. One port serves both: where it listens, or connects to.
fn settings(kind: &str, id: &SessionId, port: u16) -> Result<SessionSettings, QuickFixError> {
    let mut all = SessionSettings::new();
    let mut global = Dictionary::new();
    global.set("ConnectionType", kind)?;
    all.set(None, global)?;
    let port = port.to_string();
    let mut own = Dictionary::new();
    let keys = [
        ("NonStopSession", "Y"),
        ("UseDataDictionary", "N"),
        ("HeartBtInt", "30"),
        ("SocketNodelay", "Y"),
        ("SocketAcceptPort", port.as_str()),
        ("SocketConnectPort", port.as_str()),
        ("SocketConnectHost", "127.0.0.1"),
    ];
    keys.iter().try_for_each(|(key, value)| own.set(key, *value))?;
    all.set(Some(id), own)?;
    Ok(all)
}

/// The acceptor, until it is told to stop.
fn serve(port: u16, listens: &SyncSender<()>, stop: &Receiver<()>) -> anyhow::Result<()> {
    let id = session("VENUE", "BENCH")?;
    let fields = [
        (37, "00000000000000010bebc20000000001"),
        (17, "00000000000000010000000000000001"),
        (150, "0"),
        (39, "0"),
        (55, "TL0"),
        (54, "1"),
        (44, "100"),
        (38, "100"),
        (14, "0"),
        (151, "100"),
        (6, "0"),
        (60, "20261127-12:00:00.000"),
    ];
    let settings = settings("acceptor", &id, port)?;
    let venue = Venue(Ready::new("8", &fields, id)?);
    let (application, store) = (Application::try_new(&venue)?, MemoryMessageStoreFactory::new());
    let log = LogFactory::try_new(&NullLogger)?;
    let kind = FixSocketServerKind::MultiThreaded;
    let mut acceptor = Acceptor::try_new(&settings, &application, &store, &log, kind)?;
    acceptor.start()?;
    listens.send(())?;
    // Nothing is sent: the other end goes.
    let _ = stop.recv();
    acceptor.stop()?;
    Ok(())
}

/// The initiator: a block for every word that comes, until no more can come.
fn trade(
    port: u16,
    (up, done): (SyncSender<()>, SyncSender<f64>),
    asked: &Receiver<()>,
) -> anyhow::Result<()> {
    let id = session("BENCH", "VENUE")?;
    let fields = [
        (55, "TL0"),
        (54, "1"),
        (60, "20261127-12:00:00.000"),
        (38, "100"),
        (40, "2"),
        (44, "100"),
        (59, "0"),
    ];
    let settings = settings("initiator", &id, port)?;
    let client = Client {
        order: Ready::new("D", &fields, id)?,
        up,
        ids: AtomicUsize::new(1),
        left: AtomicUsize::new(0),
        began: Mutex::new(Instant::now()),
        done,
    };
    let (application, store) = (Application::try_new(&client)?, MemoryMessageStoreFactory::new());
    let log = LogFactory::try_new(&NullLogger)?;
    let kind = FixSocketServerKind::MultiThreaded;
    let mut initiator = Initiator::try_new(&settings, &application, &store, &log, kind)?;
    initiator.start()?;
    while asked.recv().is_ok() {
        client.begin();
    }
    initiator.stop()?;
    Ok(())
}
