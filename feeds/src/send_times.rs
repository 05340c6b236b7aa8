//! When the packets of a stream were sent, as they say themselves: what is later than all that was
//! taken, and what shows that the time of one of them was wrong. Knows no numbers and no other clock.

/// So many packets, none of which could be taken, show that the time of one that was taken was wrong.
const STALLED_MAX: u32 = 256;
/// Packets whose times are remembered: so many less one may have been wrong.
const RECENT: usize = 16;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct SendTimes {
    latest: u64,
    /// Of the last packets that were taken.
    recent: [u64; RECENT],
    at: usize,
    /// Packets since the last that was of use, that are of before it by their time.
    stalled: u32,
}

impl SendTimes {
    /// When the latest of the packets that were taken was sent.
    pub(crate) fn latest(&self) -> u64 {
        self.latest
    }

    /// A packet was taken.
    pub(crate) fn took(&mut self, time: u64) {
        self.latest = self.latest.max(time);
        self.recent[self.at] = time;
        self.at = (self.at + 1) % RECENT;
        self.stalled = 0;
    }

    /// A packet waits.
    pub(crate) fn waits(&mut self) {
        self.stalled = 0;
    }

    /// A packet is of before the latest by its time. Many of them that were sent after others that were
    /// taken show that the latest time was wrong; a line that stands behind another one in a capture
    /// has none of these.
    pub(crate) fn stalls(&mut self, time: u64) {
        let before = self.recent.into_iter().min().unwrap_or_default();
        if time <= before {
            return;
        }
        self.stalled += 1;
        if self.stalled >= STALLED_MAX {
            (self.stalled, self.latest) = (0, before);
        }
    }
}
