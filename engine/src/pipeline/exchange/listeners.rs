//! The listeners of the exchange: who is let in, what they are told, and how they leave.
//!
//! Nobody waits for one: what it does not take is told with what comes next.

use super::quotes::Quotes;
use super::{ExchangeCore, Net, Peer};
use market::Timestamp;

impl ExchangeCore {
    pub(super) fn enter_listener(
        &mut self,
        connection: usize,
        at: usize,
        now: Timestamp,
        net: &mut dyn Net,
    ) {
        let listener = &mut self.listeners[at];
        if listener.connection.is_some() {
            let why = format!("{}: this listener is logged on already", listener.name);
            self.turn_away(connection, why, net);
        } else if let Err(why) = listener.connect(connection, now, net.client(connection)) {
            let why = format!("{}: {why}", listener.name);
            self.turn_away(connection, why, net);
        } else {
            self.peers[connection] = Peer::Listener(at);
        }
    }

    /// `None` when nothing more can be taken now.
    pub(super) fn hear_listener(
        &mut self,
        at: usize,
        connection: usize,
        now: Timestamp,
        bytes: &[u8],
        net: &mut dyn Net,
    ) -> Option<usize> {
        match self.listeners[at].receive(now, bytes, net.client(connection)) {
            Ok((count, news)) => {
                if news {
                    // Between two steps of the market, so that a snapshot is of one moment.
                    self.tell_listener(at, now, net);
                }
                (news || count > 0).then_some(count)
            }
            Err(_) => {
                net.cut(connection);
                self.drop_listener(at, now);
                None
            }
        }
    }

    pub(super) fn poll_listener(
        &mut self,
        at: usize,
        connection: usize,
        now: Timestamp,
        net: &mut dyn Net,
    ) -> bool {
        match self.listeners[at].poll(now, net.client(connection)) {
            Ok(did) => did,
            Err(_) => {
                net.cut(connection);
                self.drop_listener(at, now);
                true
            }
        }
    }

    pub(super) fn drop_listener(&mut self, at: usize, now: Timestamp) {
        if let Some(connection) = self.listeners[at].connection {
            self.peers[connection] = Peer::Nobody;
        }
        self.listeners[at].disconnect(now);
    }

    fn tell_listener(&mut self, at: usize, now: Timestamp, net: &mut dyn Net) {
        let (listener, instruments) = (&mut self.listeners[at], &self.instruments);
        if let (Some(connection), Some(quotes)) = (listener.connection, &self.floor.quotes) {
            listener.tell(now, quotes, instruments, net.client(connection));
        }
    }

    /// Tells everyone what is new since the last time.
    pub(super) fn tell_listeners(&mut self, now: Timestamp, net: &mut dyn Net) {
        let behind = self.listeners.iter().any(|listener| listener.behind);
        if !behind && !self.floor.quotes.as_ref().is_some_and(Quotes::is_changed) {
            return;
        }
        for at in 0..self.listeners.len() {
            self.tell_listener(at, now, net);
        }
        if let Some(quotes) = &mut self.floor.quotes {
            quotes.told();
        }
    }

    pub(super) fn stop_listeners(&mut self, now: Timestamp, net: &mut dyn Net) {
        for at in 0..self.listeners.len() {
            let Some(connection) = self.listeners[at].connection else { continue };
            if self.listeners[at].logout(now, net.client(connection)).is_err() {
                net.cut(connection);
                self.drop_listener(at, now);
            }
        }
    }
}
