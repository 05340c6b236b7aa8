//! The venue's rates in the gateway stage, over loopback sockets and in virtual time: what would
//! break a rule is refused or waits, cancels go first and in order, the session itself is counted.

mod gateway_rig;

use engine::pipeline::trading_stage::CommandSlot;
use engine::runtime::stage::Stage;
use gateway::dialect::Dialect;
use gateway::orders::{Client, Instruments, OrderAcceptor};
use gateway::rates::{Action, Counts, Limiter, Member, Rule, Scope, Window};
use gateway::session::{MemoryStore, Session, SessionConfig};
use gateway::spec::Version;
use gateway_rig::{BEGIN, PATIENCE, instruments};
use market::{
    Command, CommandKind, Event, InstrumentId, Nanos, OrderId, Price, Qty, RejectReason, Report,
    ReportKind, Side, Timestamp,
};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// Ten messages a second, of which one place is the session's and three are kept for cancels.
fn rule(action: Action) -> Rule {
    Rule {
        name: "messages".into(),
        window: Window::Sliding,
        count: 10,
        span: Nanos::SECOND,
        scope: Scope::Session,
        counts: Counts::All,
        action,
        cancel_reserve: 20,
    }
}

/// The venue's end: takes what comes and answers the session's messages only.
struct Venue {
    listener: TcpListener,
    link: Option<TcpStream>,
    session: Session<MemoryStore>,
    acceptor: OrderAcceptor,
    unread: Vec<u8>,
    /// Commands, with when they came.
    heard: Vec<(Timestamp, Command)>,
}

impl Venue {
    fn new(instruments: &Instruments) -> Venue {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let config = SessionConfig::acceptor("VENUE", "US");
        Venue {
            listener,
            link: None,
            session: Session::new(config, MemoryStore::new(4_096, 1 << 20)).unwrap(),
            acceptor: OrderAcceptor::new(instruments.clone(), 64, Dialect::of(Version::Fix44)),
            unread: Vec::new(),
            heard: Vec::new(),
        }
    }

    fn poll(&mut self, now: Timestamp) {
        let mut out: Vec<u8> = Vec::new();
        if self.link.is_none() {
            let Ok((stream, _)) = self.listener.accept() else { return };
            stream.set_nonblocking(true).unwrap();
            self.link = Some(stream);
            self.session.connected(now, &mut out).unwrap();
        }
        let link = self.link.as_mut().unwrap();
        let mut bytes = [0; 4_096];
        loop {
            match link.read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => self.unread.extend(&bytes[..count]),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        let mut said: Vec<Client> = Vec::new();
        let mut application = self.acceptor.application(&mut said);
        let read = self.session.received(now, 1, &self.unread, &mut out, &mut application);
        drop(application);
        self.unread.drain(..read.unwrap());
        self.heard.extend(said.iter().filter_map(|client| match client {
            Client::Command(command) => Some((now, *command)),
            _ => None,
        }));
        link.write_all(&out).unwrap();
    }

    fn kinds(&self) -> Vec<(CommandKind, u64)> {
        let kind = |(_, command): &(_, Command)| (command.kind().unwrap(), command.id.0);
        self.heard.iter().map(kind).collect()
    }
}

struct Rig {
    engine: gateway_rig::Rig,
    venue: Venue,
    now: Timestamp,
    said: Vec<Report>,
    _folder: tempfile::TempDir,
}

impl Rig {
    /// An engine that is logged on to a venue of these rules.
    fn new(rules: &[Rule]) -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let venue = Venue::new(&instruments());
        let member = Member { rules, key: "key", account: "account" };
        let limiter = Limiter::new(&[member]).unwrap();
        let address = venue.listener.local_addr().unwrap();
        let engine = gateway_rig::Rig::new(address, limiter, folder.path());
        let mut rig = Rig { engine, venue, now: BEGIN, said: Vec::new(), _folder: folder };
        rig.until(|rig| rig.engine.stage.session().is_up());
        rig
    }

    fn poll(&mut self) {
        self.engine.stage.poll(self.now);
        self.venue.poll(self.now);
        while let Some(report) = self.engine.reports.pop() {
            self.said.push(report);
        }
    }

    #[track_caller]
    fn until(&mut self, done: impl Fn(&Rig) -> bool) {
        for _ in 0..PATIENCE {
            if done(self) {
                return;
            }
            self.poll();
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("heard {:?}, said {:?}", self.venue.kinds(), self.said);
    }

    fn push(&mut self, command: Command) {
        assert!(
            self.engine.commands.push(CommandSlot { command, ..CommandSlot::default() }).is_ok()
        );
    }

    fn order(&mut self, id: u64) {
        let (price, qty) = (Price::from_raw(100_000_000_000), Qty::from_raw(100));
        self.push(Command::new(OrderId(id), InstrumentId(0), Side::Buy, price, qty));
    }

    fn cancel(&mut self, id: u64, target: u64) {
        self.push(Command::cancel(OrderId(id), OrderId(target), InstrumentId(0), Side::Buy));
    }

    fn refused(&self, reason: RejectReason) -> Vec<u64> {
        let is = |report: &&Report| {
            report.kind() == Some(ReportKind::NotSent) && report.reason() == reason
        };
        self.said.iter().filter(is).map(|report| report.order.0).collect()
    }

    /// No span of a second holds more than ten messages of ours; the first is the Logon.
    fn check_limit(&self) {
        let times: Vec<_> =
            [BEGIN].into_iter().chain(self.venue.heard.iter().map(|heard| heard.0)).collect();
        for (index, &first) in times.iter().enumerate() {
            let within =
                times[index..].iter().filter(|time| time.since(first) < Nanos::SECOND).count();
            assert!(within <= 10, "{within} within a second");
        }
    }
}

use CommandKind::{Cancel, MassCancel, New};

#[test]
fn orders_are_refused_and_cancels_wait_their_turn() {
    let mut rig = Rig::new(&[rule(Action::Hold)]);
    // Seven places are for orders; the Logon took one.
    (1..=10).for_each(|id| rig.order(id));
    rig.until(|rig| rig.venue.heard.len() == 6 && rig.said.len() == 5);
    assert_eq!(rig.refused(RejectReason::Rate), [7, 8, 9, 10]);
    // Two places are left: two cancels go, the others wait; an order among them does not.
    (1..=4).for_each(|id| rig.cancel(10 + id, id));
    rig.order(15);
    rig.push(Command::mass_cancel(OrderId(16), Event::ALL));
    rig.until(|rig| rig.venue.heard.len() == 8 && rig.said.len() == 6);
    assert_eq!(rig.refused(RejectReason::Rate), [7, 8, 9, 10, 15]);
    (0..20).for_each(|_| rig.poll());
    assert_eq!(rig.venue.heard.len(), 8);
    assert_eq!(rig.engine.stage.counters().rate_held, 3);
    // A second later the window has moved on.
    rig.now = rig.now.after(Nanos::SECOND);
    rig.order(17);
    rig.until(|rig| rig.venue.heard.len() == 12);
    let last = &rig.venue.kinds()[6..];
    assert_eq!(
        last,
        [(Cancel, 11), (Cancel, 12), (Cancel, 13), (Cancel, 14), (MassCancel, 16), (New, 17)]
    );
    rig.check_limit();
}

#[test]
fn a_rule_that_refuses_refuses_cancels_too() {
    let mut rig = Rig::new(&[rule(Action::Refuse)]);
    (1..=7).for_each(|id| rig.order(id));
    (1..=4).for_each(|id| rig.cancel(10 + id, id));
    rig.until(|rig| rig.venue.heard.len() == 8 && rig.said.len() == 4);
    assert_eq!(rig.refused(RejectReason::Rate), [7, 13, 14]);
    let counters = rig.engine.stage.counters();
    assert_eq!((counters.rate_refused, counters.rate_held, counters.kept_back), (3, 0, 3));
    rig.check_limit();
}

#[test]
fn what_waits_is_reported_when_the_connection_ends() {
    let mut rig = Rig::new(&[rule(Action::Hold)]);
    (1..=6).for_each(|id| rig.order(id));
    (1..=4).for_each(|id| rig.cancel(10 + id, id));
    rig.until(|rig| rig.venue.heard.len() == 8);
    drop(rig.venue.link.take());
    rig.until(|rig| rig.refused(RejectReason::NoSession).len() == 2);
    assert_eq!(rig.refused(RejectReason::NoSession), [13, 14]);
    assert_eq!(rig.refused(RejectReason::Rate), [0; 0]);
}

#[test]
fn without_rules_everything_goes() {
    let mut rig = Rig::new(&[]);
    (1..=40).for_each(|id| rig.order(id));
    rig.until(|rig| rig.venue.heard.len() == 40);
    assert_eq!(rig.engine.stage.counters().kept_back, 0);
}
