//! The last requests, by MsgSeqNum, by ClOrdID and by the order they are about: a Reject (3) names
//! only the number of the message it refuses, an OrderCancelReject (9) no instrument, and some
//! venues' only the order.
//!
//! Fixed size; an old request is forgotten when a new one needs its slot. Never grows.

use market::{Command, CommandKind, OrderId};

/// A ring of recent requests.
#[derive(Clone, Debug)]
pub struct Requests {
    by_seq: Box<[(u64, Command)]>,
    by_id: Box<[Command]>,
    by_target: Box<[Command]>,
}

impl Requests {
    /// Remembers about `capacity` requests (at least 16, rounded up to a power of two).
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let size = capacity.max(16).next_power_of_two();
        Requests {
            by_seq: vec![(0, Command::default()); size].into_boxed_slice(),
            by_id: vec![Command::default(); size].into_boxed_slice(),
            by_target: vec![Command::default(); size].into_boxed_slice(),
        }
    }

    #[allow(clippy::cast_possible_truncation)]
    fn slot(&self, number: u64) -> usize {
        number as usize & (self.by_seq.len() - 1)
    }

    /// Remembers a request that was sent under `seq`.
    pub fn remember(&mut self, seq: u64, command: &Command) {
        self.by_seq[self.slot(seq)] = (seq, *command);
        self.by_id[self.slot(command.id.0)] = *command;
        if matches!(command.kind(), Some(CommandKind::Replace | CommandKind::Cancel)) {
            self.by_target[self.slot(command.target.0)] = *command;
        }
    }

    /// Forgets under which numbers requests were sent.
    pub fn forget_numbers(&mut self) {
        self.by_seq.iter_mut().for_each(|(seq, _)| *seq = 0);
    }

    /// The request sent under `seq`, if not forgotten.
    #[must_use]
    pub fn by_seq(&self, seq: u64) -> Option<&Command> {
        let (found, command) = &self.by_seq[self.slot(seq)];
        (*found == seq && seq != 0).then_some(command)
    }

    /// The request of this ClOrdID, if not forgotten.
    #[must_use]
    pub fn by_id(&self, id: OrderId) -> Option<&Command> {
        let command = &self.by_id[self.slot(id.0)];
        (command.id == id && id != OrderId::NONE).then_some(command)
    }

    /// The last request about this order, if not forgotten.
    #[must_use]
    pub fn by_target(&self, target: OrderId) -> Option<&Command> {
        let command = &self.by_target[self.slot(target.0)];
        (command.target == target && target != OrderId::NONE).then_some(command)
    }
}
