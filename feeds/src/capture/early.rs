//! Datagrams of before it was known what a capture carries: kept for a while, so that a first message
//! that nobody knows does not cost its neighbours. Knows no protocol.

use super::Datagram;
use crate::recording::Log;
use market::Timestamp;
use std::collections::VecDeque;
use std::net::SocketAddrV4;

/// So much is kept, whatever comes.
const BYTES_MAX: usize = 1 << 20;
/// What a datagram takes beside its payload.
const OVERHEAD: usize = 64;

#[derive(Debug)]
struct Kept {
    position: u64,
    time: Timestamp,
    from: SocketAddrV4,
    to: SocketAddrV4,
    payload: Vec<u8>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Early {
    all: VecDeque<Kept>,
    bytes: usize,
}

impl Early {
    /// Keeps a datagram, if need be in place of the oldest, which is skipped.
    pub(super) fn keep(&mut self, datagram: &Datagram<'_>, log: &mut Log) {
        let &Datagram { position, time, from, to, payload } = datagram;
        self.bytes += payload.len() + OVERHEAD;
        self.all.push_back(Kept { position, time, from, to, payload: payload.to_vec() });
        while self.bytes > BYTES_MAX {
            self.skip_first(log);
        }
    }

    /// It is known now what was sent to `to`: whatever went elsewhere is skipped.
    pub(super) fn only(&mut self, to: SocketAddrV4, log: &mut Log) {
        for _ in 0..self.all.len() {
            match self.all.pop_front() {
                Some(kept) if kept.to == to => self.all.push_back(kept),
                Some(kept) => {
                    self.bytes -= kept.payload.len() + OVERHEAD;
                    skip(kept.position, log);
                }
                None => {}
            }
        }
    }

    /// Nothing was ever known: all are skipped.
    pub(super) fn skip_all(&mut self, log: &mut Log) {
        while !self.all.is_empty() {
            self.skip_first(log);
        }
    }

    fn skip_first(&mut self, log: &mut Log) {
        if let Some(kept) = self.all.pop_front() {
            self.bytes -= kept.payload.len() + OVERHEAD;
            skip(kept.position, log);
        }
    }

    /// Gives the oldest to `take`; `None` if there is none.
    pub(super) fn give<T>(&mut self, take: impl FnOnce(&Datagram<'_>) -> T) -> Option<T> {
        let Kept { position, time, from, to, payload } = self.all.pop_front()?;
        Some(take(&Datagram { position, time, from, to, payload: &payload }))
    }
}

fn skip(position: u64, log: &mut Log) {
    log.skip(position, "datagram of no protocol that is known");
}
