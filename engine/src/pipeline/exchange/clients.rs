//! The clients of the exchange: who is let in, what they ask for, and how they leave.
//!
//! A command is carried out before the next message is read. Who does not keep to the protocol, or
//! does not read, is cut, and nobody else waits for it.

use super::lobby::{Door, Knock};
use super::{ExchangeCore, Net, Peer};
use market::{Command, CommandKind, ExecId, Nanos, RejectReason, Report, ReportKind, Timestamp};

/// How long a connection may stay without a Logon.
const LOGON_WITHIN: Nanos = Nanos::from_secs(10);

impl ExchangeCore {
    /// A place for a new connection; `None` when there is none.
    pub fn connect(&mut self, now: Timestamp) -> Option<usize> {
        let place = self.peers.iter().position(|peer| *peer == Peer::Nobody);
        let place = place.filter(|_| !self.stopping)?;
        self.peers[place] = Peer::Stranger(now);
        Some(place)
    }

    /// True if a connection has said whose it is.
    #[must_use]
    pub fn is_known(&self, connection: usize) -> bool {
        matches!(self.peers.get(connection), Some(Peer::Account(_) | Peer::Listener(_)))
    }

    /// The other side closed a connection.
    pub fn disconnected(&mut self, connection: usize, now: Timestamp, net: &mut dyn Net) {
        match self.peers.get(connection) {
            Some(Peer::Account(account)) => {
                let why = "the client closed the connection".to_owned();
                self.drop_session(*account, now, why);
                self.settle(now, net);
            }
            Some(&Peer::Listener(at)) => self.drop_listener(at, now),
            Some(Peer::Stranger(_)) => self.peers[connection] = Peer::Nobody,
            Some(Peer::Stream) => self.stream_left(connection),
            _ => {}
        }
    }

    /// Takes bytes of a connection; says how many. The rest is to be shown again.
    pub fn receive(
        &mut self,
        connection: usize,
        now: Timestamp,
        bytes: &[u8],
        net: &mut dyn Net,
    ) -> usize {
        let mut at = 0;
        loop {
            let took = match self.peers.get(connection) {
                Some(&Peer::Account(account)) => {
                    self.hear_account(account, connection, now, &bytes[at..], net)
                }
                Some(&Peer::Listener(listener)) => {
                    self.hear_listener(listener, connection, now, &bytes[at..], net)
                }
                Some(Peer::Stranger(_)) => self.hear_stranger(connection, now, &bytes[at..], net),
                Some(Peer::Stream) => self.hear_stream(connection, now, &bytes[at..], net),
                _ => return bytes.len(),
            };
            match took {
                Some(count) => at += count,
                None => return at,
            }
        }
    }

    /// `None` when nothing more can be taken now.
    fn hear_stranger(
        &mut self,
        connection: usize,
        now: Timestamp,
        bytes: &[u8],
        net: &mut dyn Net,
    ) -> Option<usize> {
        let door = Door {
            begin_string: self.begin_string,
            comp_id: &self.config.fix.comp_id,
            accounts: &self.names,
            listeners: &self.config.fix.market_data,
            any: self.config.fix.any_account,
        };
        match door.knock(bytes, &mut self.index) {
            Knock::Wait => return None,
            Knock::Refused(why) => self.turn_away(connection, why, net),
            Knock::Account(at) => self.enter(connection, at, now, net),
            Knock::Listener(at) => self.enter_listener(connection, at, now, net),
            Knock::Newcomer(name) => match self.admit(&name) {
                Ok(at) => self.enter(connection, at, now, net),
                Err(error) => self.turn_away(connection, format!("{name}: {error:#}"), net),
            },
        }
        Some(0)
    }

    fn enter(&mut self, connection: usize, at: usize, now: Timestamp, net: &mut dyn Net) {
        let account = &mut self.accounts[at];
        if account.connection.is_some() {
            let why = format!("{}: this account is logged on already", account.name);
            self.turn_away(connection, why, net);
        } else if let Err(why) = account.connect(connection, now, net.client(connection)) {
            let why = format!("{}: {why}", account.name);
            self.turn_away(connection, why, net);
        } else {
            self.peers[connection] = Peer::Account(at);
        }
    }

    pub(super) fn turn_away(&mut self, connection: usize, why: String, net: &mut dyn Net) {
        self.refused += 1;
        self.last_refused = Some(why);
        self.peers[connection] = Peer::Nobody;
        net.cut(connection);
    }

    fn hear_account(
        &mut self,
        at: usize,
        connection: usize,
        now: Timestamp,
        bytes: &[u8],
        net: &mut dyn Net,
    ) -> Option<usize> {
        if self.stalled.is_some() {
            return None;
        }
        let account = &mut self.accounts[at];
        match account.receive(now, bytes, net.client(connection)) {
            Ok(count) => {
                let news = account.has_news();
                while let Some((command, again)) = self.accounts[at].next_command() {
                    if again && self.was_answered(at, &command) {
                        self.accounts[at].said_again += 1;
                        continue;
                    }
                    self.carry_out(at, &command, now, net);
                }
                if let Err(error) = self.accounts[at].answer(now, net.client(connection)) {
                    self.cut(at, now, error.to_string(), net);
                    return None;
                }
                (news || count > 0).then_some(count)
            }
            Err(why) => {
                self.cut(at, now, why.to_string(), net);
                self.settle(now, net);
                None
            }
        }
    }

    fn carry_out(&mut self, at: usize, command: &Command, now: Timestamp, net: &mut dyn Net) {
        let account = &mut self.accounts[at];
        if command.kind() == Some(CommandKind::Mark) {
            account.mark(command);
            return;
        }
        account.orders += 1;
        match self.refusal(at, command, now) {
            Some(refusal) => {
                let id = self.accounts[at].id;
                self.floor.heard.reports.push_back((id, refusal));
            }
            None => self.floor.command(self.accounts[at].id, command, now),
        }
        self.settle(now, net);
    }

    /// True of a request whose id was answered before, in this or an earlier run.
    fn was_answered(&self, at: usize, command: &Command) -> bool {
        use CommandKind::{Cancel, New, Replace};
        matches!(command.kind(), Some(New | Replace | Cancel))
            && self.accounts[at].session().store().ledger().has_used(command.id)
    }

    /// The refusal of a request whose id was used before: the venue itself knows only its own run.
    fn refusal(&mut self, at: usize, command: &Command, now: Timestamp) -> Option<Report> {
        let kind = match command.kind()? {
            CommandKind::New => ReportKind::Rejected,
            CommandKind::Replace | CommandKind::Cancel => ReportKind::CancelRejected,
            _ => return None,
        };
        if !self.accounts[at].session().store().ledger().has_used(command.id) {
            return None;
        }
        let mut report = Report::new(kind, command.id, command.instrument)
            .with_reason(RejectReason::DuplicateId);
        if let Some(side) = command.side() {
            report = report.with_side(side);
        }
        report.target = command.target;
        report.exchange_time = self.floor.time(now);
        if kind == ReportKind::Rejected {
            (report.price, report.qty) = (command.price, command.qty);
            // The venue counts up from one, these down from the end.
            report.exec = ExecId([self.epoch, u64::MAX - self.refusals]);
            self.refusals += 1;
        }
        Some(report)
    }

    pub(super) fn poll_sessions(&mut self, now: Timestamp, net: &mut dyn Net) -> bool {
        let mut worked = false;
        for connection in 0..self.peers.len() {
            match self.peers[connection] {
                Peer::Nobody | Peer::Stream => {}
                Peer::Stranger(since) => {
                    if now.since(since) >= LOGON_WITHIN || self.stopping {
                        self.turn_away(connection, "no Logon in time".to_owned(), net);
                    }
                }
                Peer::Listener(at) => worked |= self.poll_listener(at, connection, now, net),
                Peer::Account(at) => match self.accounts[at].poll(now, net.client(connection)) {
                    Ok(did) => worked |= did,
                    Err(why) => {
                        self.cut(at, now, why.to_string(), net);
                        self.settle(now, net);
                    }
                },
            }
        }
        worked
    }

    pub(super) fn cut(&mut self, at: usize, now: Timestamp, why: String, net: &mut dyn Net) {
        if let Some(connection) = self.accounts[at].connection {
            net.cut(connection);
        }
        self.drop_session(at, now, why);
    }

    /// The session of an account is down: its orders go, if the configuration says so.
    fn drop_session(&mut self, at: usize, now: Timestamp, why: String) {
        let account = &mut self.accounts[at];
        if let Some(connection) = account.connection {
            self.peers[connection] = Peer::Nobody;
        }
        account.disconnect(now, why);
        if self.config.fix.cancel_on_disconnect {
            self.floor.cancel_all(account.id, now);
        }
    }
}
