//! Messages that came ahead of sequence, kept until what is missing before them has come.
//!
//! A bounded copy, made at construction: what finds no room is dropped and comes again with the
//! resend, so that nothing depends on it. It must never grow.

use std::ops::Range;

/// Most messages kept.
const MESSAGES: usize = 64;

/// Frames by number, above the one awaited.
#[derive(Default)]
pub(super) struct Ahead {
    bytes: Box<[u8]>,
    used: usize,
    kept: Vec<(u64, Range<usize>)>,
}

impl Ahead {
    /// Room for so many bytes of frames.
    pub(super) fn new(bytes: usize) -> Ahead {
        Ahead {
            bytes: vec![0; bytes].into_boxed_slice(),
            used: 0,
            kept: Vec::with_capacity(MESSAGES),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Keeps a frame if there is room for it and none of its number.
    pub(super) fn keep(&mut self, seq: u64, frame: &[u8]) {
        let end = self.used + frame.len();
        if self.kept.len() == MESSAGES || self.kept.iter().any(|(kept, _)| *kept == seq) {
            return;
        }
        if let Some(place) = self.bytes.get_mut(self.used..end) {
            place.copy_from_slice(frame);
            self.kept.push((seq, self.used..end));
            self.used = end;
        }
    }

    /// The frame of this number.
    pub(super) fn get(&self, seq: u64) -> Option<&[u8]> {
        let (_, range) = self.kept.iter().find(|(kept, _)| *kept == seq)?;
        self.bytes.get(range.clone())
    }

    /// Forgets every number below `seq`; the room is free again once all are forgotten.
    pub(super) fn forget_below(&mut self, seq: u64) {
        self.kept.retain(|(kept, _)| *kept >= seq);
        if self.kept.is_empty() {
            self.used = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_dropped_and_room_comes_back() {
        let mut ahead = Ahead::new(10);
        ahead.keep(5, b"five");
        ahead.keep(5, b"again");
        ahead.keep(6, b"six");
        ahead.keep(7, b"seven");
        assert_eq!(
            (ahead.get(5), ahead.get(6), ahead.get(7)),
            (Some(&b"five"[..]), Some(&b"six"[..]), None)
        );
        ahead.forget_below(6);
        assert_eq!((ahead.get(5), ahead.get(6)), (None, Some(&b"six"[..])));
        ahead.forget_below(7);
        assert!(ahead.is_empty());
        ahead.keep(8, b"0123456789");
        assert_eq!(ahead.get(8), Some(&b"0123456789"[..]));
        let mut ahead = Ahead::new(1_000);
        (0..1_000).for_each(|seq| ahead.keep(seq, b"x"));
        assert_eq!(ahead.get(MESSAGES as u64), None);
    }
}
