//! The last frames of ours, for a gateway that is told to send orders again.
//!
//! A ring of fixed size, filled from the stream at a start and from then on by what is sent. What it
//! has forgotten is gap-filled. It must never grow.

use gateway::session::{FrameKind, Visit};
use std::collections::VecDeque;

/// Most frames kept.
pub const FRAMES: usize = 4_096;
/// Most bytes of them.
pub const BYTES: usize = 1 << 20;

/// Where a frame stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    seq: u64,
    kind: FrameKind,
    start: usize,
    len: usize,
}

impl Place {
    fn end(self) -> usize {
        self.start + self.len
    }
}

/// The frames, oldest first.
pub struct KeptFrames {
    bytes: Box<[u8]>,
    places: VecDeque<Place>,
}

/// Without what they say.
impl std::fmt::Debug for KeptFrames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptFrames").field("count", &self.places.len()).finish_non_exhaustive()
    }
}

impl Default for KeptFrames {
    fn default() -> Self {
        KeptFrames::new(FRAMES, BYTES)
    }
}

impl KeptFrames {
    fn new(frames: usize, bytes: usize) -> KeptFrames {
        KeptFrames {
            bytes: vec![0; bytes].into_boxed_slice(),
            places: VecDeque::with_capacity(frames),
        }
    }

    /// Keeps a frame; the oldest make room for it.
    pub fn keep(&mut self, seq: u64, kind: FrameKind, frame: &[u8]) {
        if frame.len() > self.bytes.len() {
            return;
        }
        if self.places.len() == self.places.capacity() {
            self.places.pop_front();
        }
        let mut start = self.places.back().map_or(0, |last| last.end());
        if start + frame.len() > self.bytes.len() {
            // Behind the end nothing stands any more: all there is older than what stands before.
            while self.places.front().is_some_and(|first| first.start >= start) {
                self.places.pop_front();
            }
            start = 0;
        }
        let end = start + frame.len();
        while self.places.front().is_some_and(|first| first.start < end && start < first.end()) {
            self.places.pop_front();
        }
        self.bytes[start..end].copy_from_slice(frame);
        self.places.push_back(Place { seq, kind, start, len: frame.len() });
    }

    /// Forgets everything: numbers begin anew.
    pub fn clear(&mut self) {
        self.places.clear();
    }

    /// Shows the frames numbered `begin` to `end`, ascending, until `visit` breaks.
    pub fn visit(&self, begin: u64, end: u64, visit: &mut Visit<'_>) {
        let first = self.places.partition_point(|place| place.seq < begin);
        for place in self.places.range(first..) {
            let frame = &self.bytes[place.start..place.end()];
            if place.seq > end || visit(place.seq, place.kind, frame).is_break() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::Rng;
    use std::ops::ControlFlow;

    fn shown(kept: &KeptFrames, begin: u64, end: u64) -> Vec<(u64, Vec<u8>)> {
        let mut shown = Vec::new();
        kept.visit(begin, end, &mut |seq, _, frame| {
            shown.push((seq, frame.to_vec()));
            ControlFlow::Continue(())
        });
        shown
    }

    #[test]
    fn the_last_frames_are_kept_whole_whatever_their_lengths() {
        let mut rng = Rng::new(5);
        let mut kept = KeptFrames::new(8, 200);
        let mut all = Vec::new();
        for seq in 1..2_000_u64 {
            let len = usize::try_from(rng.below(70)).unwrap();
            let frame = vec![seq.to_le_bytes()[0]; len];
            kept.keep(seq, FrameKind::Application, &frame);
            all.push((seq, frame));
            let now = shown(&kept, 0, u64::MAX);
            assert!(all.ends_with(&now), "at {seq}");
            assert!(now.len() >= all.len().min(2), "two of the longest always fit");
        }
        let last = all.last().unwrap().0;
        assert_eq!(shown(&kept, last, last).len(), 1);
        assert_eq!(shown(&kept, 1, 2), []);
        kept.keep(last + 1, FrameKind::Application, &[0; 201]);
        assert_eq!(shown(&kept, last + 1, last + 1), [], "longer than the whole");
        kept.clear();
        assert_eq!(shown(&kept, 0, u64::MAX), []);
    }
}
