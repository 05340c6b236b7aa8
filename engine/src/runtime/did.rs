//! What a poll did, in one word: a few counts and a set of acts. So that a long poll can be blamed.
//!
//! A stage notes as it works and is asked only when a poll was the longest so far. It must stay one
//! register wide, never allocate, and decide nothing.

use std::fmt;

/// Something that a poll can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Act {
    /// Datagrams read from sockets.
    Datagrams,
    /// Market events pushed or taken.
    Events,
    /// Reports pushed or taken.
    Reports,
    /// Commands published or sent.
    Commands,
    /// A retransmission was asked for.
    Request,
    /// An operator was heard.
    Operator,
    /// Timers fired.
    Timers,
    /// The state was hashed whole for the journal.
    Hash,
    /// The journal's next segment was taken.
    Segment,
    /// Commands were let go that had waited for the disk.
    Released,
    /// Bytes came from the venue.
    Bytes,
    /// The session spoke by itself: heartbeat, test request, time-out.
    Session,
    /// A connection was asked for.
    Asked,
    /// A connection was made.
    Connected,
    /// A connection ended, or an attempt failed.
    Ended,
    /// Counters and histograms were handed over.
    Housekeeping,
}

/// Every act and its word, in the order in which they are told. The first four are counted.
pub const ACTS: [(Act, &str); 16] = [
    (Act::Datagrams, "datagrams"),
    (Act::Events, "events"),
    (Act::Reports, "reports"),
    (Act::Commands, "commands"),
    (Act::Request, "retransmission asked for"),
    (Act::Operator, "operator heard"),
    (Act::Timers, "timers fired"),
    (Act::Hash, "state hashed"),
    (Act::Segment, "journal segment taken"),
    (Act::Released, "held commands released"),
    (Act::Bytes, "bytes read"),
    (Act::Session, "session spoke"),
    (Act::Asked, "connection asked for"),
    (Act::Connected, "connection made"),
    (Act::Ended, "connection ended"),
    (Act::Housekeeping, "housekeeping"),
];

/// Acts that are counted; the others happened or did not.
const COUNTED: u32 = 4;
/// Bits of one count: up to 4,095 of a kind in a poll, more counts as that.
const BITS: u32 = 12;
const COUNT_MAX: u64 = (1 << BITS) - 1;

/// What one poll did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Did(u64);

impl Did {
    /// Nothing but housekeeping.
    pub const HOUSEKEEPING: Did = Did(1 << mark_place(Act::Housekeeping));

    /// So many more of a counted act; of another act, that it happened.
    #[inline]
    pub fn add(&mut self, act: Act, count: usize) {
        let place = act as u32;
        if place >= COUNTED {
            self.mark(act, count > 0);
            return;
        }
        let before = self.0 >> (place * BITS) & COUNT_MAX;
        let after = before.saturating_add(count as u64).min(COUNT_MAX);
        self.0 += (after - before) << (place * BITS);
    }

    /// It happened, if `yes`.
    #[inline]
    pub fn mark(&mut self, act: Act, yes: bool) {
        if act as u32 >= COUNTED {
            self.0 |= u64::from(yes) << mark_place(act);
        } else {
            self.add(act, usize::from(yes));
        }
    }

    /// How many times; 1 for an act that happened and is not counted.
    #[must_use]
    pub fn count(self, act: Act) -> u64 {
        match act as u32 {
            place if place < COUNTED => self.0 >> (place * BITS) & COUNT_MAX,
            _ => self.0 >> mark_place(act) & 1,
        }
    }

    /// As one word, to be kept in an atomic.
    #[must_use]
    pub const fn to_word(self) -> u64 {
        self.0
    }

    /// From its word.
    #[must_use]
    pub const fn from_word(word: u64) -> Did {
        Did(word)
    }
}

/// Marks stand above the counts.
const fn mark_place(act: Act) -> u32 {
    COUNTED * BITS + (act as u32).saturating_sub(COUNTED)
}

const _: () = assert!(mark_place(Act::Housekeeping) < u64::BITS);

impl fmt::Display for Did {
    /// `4 datagrams, 1 event, state hashed`; an empty poll did `nothing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = false;
        for (act, word) in ACTS {
            let count = self.count(act);
            if count == 0 {
                continue;
            }
            f.write_str(if std::mem::replace(&mut told, true) { ", " } else { "" })?;
            match (act as u32) < COUNTED {
                true if count == 1 => write!(f, "1 {}", word.trim_end_matches('s'))?,
                true if count == COUNT_MAX => write!(f, "{count} {word} or more")?,
                true => write!(f, "{count} {word}")?,
                false => f.write_str(word)?,
            }
        }
        f.write_str(if told { "" } else { "nothing" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        for (place, (act, _)) in ACTS.iter().enumerate() {
            assert_eq!(*act as usize, place);
        }
    }

    #[test]
    fn counts_stop_at_their_most_and_touch_no_neighbour() {
        let mut did = Did::default();
        for (act, _) in ACTS {
            did.add(act, 1_000_000);
        }
        for (act, _) in ACTS {
            assert_eq!(did.count(act), if (act as u32) < 4 { 4_095 } else { 1 }, "{act:?}");
        }
        did.add(Act::Events, 1);
        assert_eq!(did.count(Act::Reports), 4_095);
        assert_eq!(Did::from_word(did.to_word()), did);
    }

    #[test]
    fn read_as_a_sentence() {
        let mut did = Did::default();
        assert_eq!(did.to_string(), "nothing");
        did.mark(Act::Session, false);
        did.add(Act::Datagrams, 1);
        did.mark(Act::Events, true);
        did.add(Act::Events, 11);
        did.mark(Act::Segment, true);
        did.add(Act::Hash, 3);
        assert_eq!(did.to_string(), "1 datagram, 12 events, state hashed, journal segment taken");
        assert_eq!(Did::HOUSEKEEPING.to_string(), "housekeeping");
    }
}
