//! The end of the gateway stage toward the loop: reports into the ring, and when requests were
//! answered. Nothing here knows FIX.

use crate::runtime::ring::Producer;
use gateway::orders::Inbox;
use market::Report;
use std::collections::VecDeque;

/// Reports kept when the ring is full; reading has stopped long before.
const BACKLOG: usize = 64;
/// Requests whose send stamps are kept for order-to-ack.
const STAMPS: usize = 4_096;

/// `gateway_trading` as the session's application: never drops a report.
pub(super) struct RingInbox {
    ring: Producer<Report>,
    backlog: VecDeque<Report>,
    /// Request ids and the stamps of their sends, by counter.
    sent: Box<[(u64, u64)]>,
    acked: VecDeque<(u64, u64)>,
    /// Reports put in this poll.
    count: usize,
}

impl Inbox<Report> for RingInbox {
    fn ready(&self) -> bool {
        self.backlog.is_empty() && self.ring.has_room(4)
    }

    fn put(&mut self, report: Report) {
        self.note_answer(&report);
        self.count += 1;
        if !self.backlog.is_empty() || self.ring.push(report).is_err() {
            self.backlog.push_back(report);
        }
    }
}

impl RingInbox {
    /// An empty inbox over the ring.
    pub(super) fn new(ring: Producer<Report>) -> RingInbox {
        RingInbox {
            ring,
            backlog: VecDeque::with_capacity(BACKLOG),
            sent: vec![(0, 0); STAMPS].into_boxed_slice(),
            acked: VecDeque::with_capacity(BACKLOG),
            count: 0,
        }
    }

    /// Reports put since the last call.
    pub(super) fn take_count(&mut self) -> usize {
        std::mem::take(&mut self.count)
    }

    /// A request left at this stamp.
    pub(super) fn note_sent(&mut self, id: u64, stamp: u64) {
        self.sent[Self::place(id)] = (id, stamp);
    }

    /// Stamps of sends and answers not yet recorded, taken out one at a time.
    pub(super) fn next_acked(&mut self) -> Option<(u64, u64)> {
        self.acked.pop_front()
    }

    /// Every report is in the ring.
    pub(super) fn is_drained(&self) -> bool {
        self.backlog.is_empty()
    }

    fn place(id: u64) -> usize {
        usize::try_from(id % STAMPS as u64).unwrap_or(0)
    }

    fn note_answer(&mut self, report: &Report) {
        let slot = &mut self.sent[Self::place(report.order.0)];
        if slot.0 == report.order.0 && slot.1 != 0 {
            if self.acked.len() < BACKLOG {
                self.acked.push_back((slot.1, report.received));
            }
            *slot = (0, 0);
        }
    }

    /// Moves kept reports on; true if any was.
    pub(super) fn drain(&mut self) -> bool {
        let before = self.backlog.len();
        while let Some(&report) = self.backlog.front() {
            if self.ring.push(report).is_err() {
                break;
            }
            self.backlog.pop_front();
        }
        self.backlog.len() != before
    }
}
