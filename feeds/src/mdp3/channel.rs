//! The packets of one channel in order, each once, from however many lines. Packets that come early
//! wait for those before them; what no line brings in time is lost. The numbers begin anew where a
//! packet has a lower number and a later sending time than what was taken.

use super::wire::Packet;
use crate::send_times::SendTimes;
use market::ids::digest64;
use market::{Nanos, Timestamp};
use std::collections::BTreeMap;

/// How long one line may lag behind another, by the capture's clock.
const WAIT: Nanos = Nanos::from_millis(100);
/// Packets of a channel that may wait.
const WAITING_MAX: usize = 256;
/// Packets remembered, to find that another line's copy differs.
const REMEMBERED: usize = 1_024;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the next one.
    Next,
    /// It is the first of a new count.
    Restart,
    /// It waits for those before it.
    Waits,
    /// Another line brought it.
    Duplicate,
    /// Another line brought it, and with other bytes.
    Differs,
    /// It was sent before the numbers began anew.
    Past,
}

/// A packet that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) bytes: Vec<u8>,
    pub(super) position: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    /// Number of the next packet.
    expected: Option<u32>,
    /// When the packets that were taken were sent.
    sent: SendTimes,
    waiting: BTreeMap<u32, Waiting>,
    /// Their bytes.
    bytes: usize,
    /// Since when packets wait.
    since: Timestamp,
    remembered: Vec<(u32, u64)>,
}

impl Channel {
    pub(super) fn new() -> Channel {
        Channel {
            expected: None,
            sent: SendTimes::default(),
            waiting: BTreeMap::new(),
            bytes: 0,
            since: Timestamp::ZERO,
            remembered: Vec::new(),
        }
    }

    /// Judges a packet, and keeps it if it is early.
    pub(super) fn offer(
        &mut self,
        packet: &Packet<'_>,
        bytes: &[u8],
        position: u64,
        now: Timestamp,
    ) -> Verdict {
        let Some(expected) = self.expected else {
            self.took(packet, bytes);
            return Verdict::Next;
        };
        if packet.sequence < expected {
            if packet.sending_time > self.sent.latest() {
                self.waiting.clear();
                self.bytes = 0;
                self.remembered.clear();
                self.took(packet, bytes);
                return Verdict::Restart;
            }
            let same = self.knows(packet.sequence, bytes);
            if same != Some(true) {
                self.sent.stalls(packet.sending_time);
            }
            return if same == Some(false) { Verdict::Differs } else { Verdict::Duplicate };
        }
        if packet.sequence == expected {
            if let Some(waiting) = self.waiting.remove(&expected) {
                self.bytes -= waiting.bytes.len();
            }
            self.took(packet, bytes);
            return Verdict::Next;
        }
        if packet.sending_time.saturating_add(WAIT.get()) < self.sent.latest() {
            self.sent.stalls(packet.sending_time);
            return Verdict::Past;
        }
        self.sent.waits();
        if let Some(known) = self.waiting.get(&packet.sequence) {
            return if known.bytes == bytes { Verdict::Duplicate } else { Verdict::Differs };
        }
        if self.waiting.is_empty() {
            self.since = now;
        }
        self.bytes += bytes.len();
        self.waiting.insert(packet.sequence, Waiting { bytes: bytes.to_vec(), position });
        Verdict::Waits
    }

    /// Whether the packet that was taken under this number was these bytes, if it is remembered.
    fn knows(&self, sequence: u32, bytes: &[u8]) -> Option<bool> {
        let known = self.remembered.get(sequence as usize % REMEMBERED);
        let known = known.filter(|&&(of, _)| of == sequence);
        known.map(|&(_, digest)| digest == digest64(bytes))
    }

    /// How far a packet stands from those of this channel: zero if it was taken from another line.
    pub(super) fn distance(&self, sequence: u32, bytes: &[u8]) -> u64 {
        if self.knows(sequence, bytes) == Some(true) {
            return 0;
        }
        1 + u64::from(self.expected.unwrap_or(0).abs_diff(sequence))
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Since when packets wait, if any do.
    pub(super) fn since(&self) -> Option<Timestamp> {
        (!self.waiting.is_empty()).then_some(self.since)
    }

    fn took(&mut self, packet: &Packet<'_>, bytes: &[u8]) {
        self.expected = Some(packet.sequence.wrapping_add(1));
        self.sent.took(packet.sending_time);
        if self.remembered.is_empty() {
            self.remembered.resize(REMEMBERED, (u32::MAX, 0));
        }
        self.remembered[packet.sequence as usize % REMEMBERED] = (packet.sequence, digest64(bytes));
    }

    /// The packet that is next, if it waits. What is missing before it is given up if that is of no
    /// more use, or at once (`give_up`): `Err` has the first number and how many.
    pub(super) fn next(
        &mut self,
        now: Timestamp,
        give_up: bool,
    ) -> Option<Result<Waiting, (u32, u32)>> {
        let (&first, _) = self.waiting.first_key_value()?;
        let expected = self.expected?;
        if first == expected {
            let waiting = self.waiting.remove(&first)?;
            self.bytes -= waiting.bytes.len();
            if let Ok(packet) = Packet::parse(&waiting.bytes) {
                self.took(&packet, &waiting.bytes);
            }
            self.since = now;
            return Some(Ok(waiting));
        }
        let late = give_up || now.since(self.since) >= WAIT || self.waiting.len() >= WAITING_MAX;
        if !late {
            return None;
        }
        self.expected = Some(first);
        Some(Err((expected, first.saturating_sub(expected))))
    }
}
