//! Messages out of one stream of a capture: its bytes in order and its holes in, messages with the
//! time of their last byte out.
//!
//! It holds at most one message that is not whole, however the stream looks, and shows nothing.

use super::cut::{Cut, LONGEST, cut, next_start};
use feeds::capture::Stretch;
use market::Timestamp;
use std::collections::VecDeque;

/// Bytes of the start of a message that may stand at the end of the buffer without telling it.
const EDGE: usize = 4;
/// What is longer and not whole is looked at again only when it has grown by an eighth: else a
/// stream of many small segments would be gone through again for each of them.
const OFTEN: usize = 8 << 10;
/// Segments whose times and places are kept.
const MARKS: usize = 4_096;

/// What was found in a stream.
#[derive(Debug)]
pub(super) struct Piece {
    /// The message as FIX has it, or why there is none.
    pub(super) what: Result<Vec<u8>, &'static str>,
    /// When the last of the packets that hold it was captured.
    pub(super) time: Timestamp,
    /// Where the record of the first begins in the file.
    pub(super) position: u64,
}

/// Where the bytes of one segment begin in the stream.
#[derive(Clone, Copy, Debug)]
struct Mark {
    offset: u64,
    position: u64,
    time: Timestamp,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Messages {
    buffer: Vec<u8>,
    /// Bytes of the stream before the buffer.
    base: u64,
    marks: VecDeque<Mark>,
    /// The first byte that a message may begin with: the one before may only say that none does.
    from: usize,
    /// The buffer begins with a message that is not whole.
    begun: bool,
    /// Bytes in the buffer from which on another look is worth while.
    enough: usize,
    message: Vec<u8>,
    /// Bytes that stood between messages, or before the first.
    pub(super) others: u64,
}

impl Messages {
    /// Bytes of memory that are held.
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity() + self.marks.capacity() * size_of::<Mark>()
    }

    /// When the last of the bytes of a message that is not whole was captured.
    pub(super) fn waits_since(&self) -> Option<Timestamp> {
        self.marks.back().filter(|_| self.begun).map(|mark| mark.time)
    }

    /// Takes bytes that follow on those before.
    pub(super) fn take(&mut self, stretch: &Stretch<'_>, give: &mut dyn FnMut(Piece)) {
        let &Stretch { offset, position, time, bytes } = stretch;
        if self.buffer.is_empty() {
            self.base = offset;
        }
        let full = self.marks.len() >= MARKS;
        match self.marks.back_mut() {
            // A message in so many segments is known by where it began and by when it was whole.
            Some(last) if full => last.time = last.time.max(time),
            _ => self.marks.push_back(Mark { offset, position, time }),
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= self.enough {
            self.look(false, give);
        }
    }

    /// Nothing follows on what is there: a hole, or the end.
    pub(super) fn end(&mut self, give: &mut dyn FnMut(Piece)) {
        self.look(true, give);
        self.others += self.buffer.len() as u64;
        // What a long message took is given back.
        (self.buffer, self.marks) = (Vec::new(), VecDeque::new());
        (self.from, self.enough, self.begun) = (0, 0, false);
    }

    /// Gives what is whole; with `last`, also what never will be.
    fn look(&mut self, last: bool, give: &mut dyn FnMut(Piece)) {
        let (mut at, mut search) = (0, self.from);
        self.begun = false;
        while let Some(start) = next_start(&self.buffer, search, search == at) {
            let (length, what) = match cut(&self.buffer[start..], last, &mut self.message) {
                Cut::More => {
                    (search, self.begun) = (start, true);
                    break;
                }
                Cut::Message(length) => (length, Ok(self.message.clone())),
                Cut::Garbled(length, reason) => (length, Err(reason)),
            };
            self.others += (start - at) as u64;
            give(self.piece(what, start, length));
            at = start + length;
            search = at;
        }
        let keep = if self.begun {
            search
        } else {
            // A beginning may be cut off at the end; the byte before it may say that it is none.
            search = search.max(self.buffer.len().saturating_sub(EDGE));
            at.max(search.saturating_sub(1))
        };
        self.from = search - keep;
        self.others += (keep - at) as u64;
        self.drop_before(keep);
        let length = self.buffer.len();
        self.enough = if length < OFTEN { 0 } else { (length + length / 8).min(LONGEST) };
    }

    fn piece(&self, what: Result<Vec<u8>, &'static str>, start: usize, length: usize) -> Piece {
        let (first, behind) = (self.base + start as u64, self.base + (start + length) as u64);
        // Segments that hold any of it: from the last that begins before its first byte on.
        let from = self.marks.partition_point(|mark| mark.offset <= first).saturating_sub(1);
        let its = || self.marks.range(from..).take_while(|mark| mark.offset < behind);
        Piece {
            what,
            time: its().map(|mark| mark.time).max().unwrap_or(Timestamp::ZERO),
            position: its().next().map_or(0, |mark| mark.position),
        }
    }

    fn drop_before(&mut self, keep: usize) {
        self.buffer.drain(..keep);
        self.base += keep as u64;
        let gone = self.marks.partition_point(|mark| mark.offset <= self.base).saturating_sub(1);
        self.marks.drain(..gone);
        if self.buffer.capacity() > OFTEN.max(4 * self.buffer.len()) {
            self.buffer.shrink_to(OFTEN);
            self.marks.shrink_to(OFTEN / size_of::<Mark>());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BEAT: &[u8] = b"8=FIX.4.4\x019=5\x0135=0\x0110=163\x01";

    /// A message, when it was whole, and where it stands.
    type Seen = (Option<Vec<u8>>, u64, u64);

    /// A stream in segments of `step` bytes, a second apart; each segment stands a thousand further.
    fn all(bytes: &[u8], step: usize) -> (Vec<Seen>, u64) {
        let (mut messages, mut found, mut most) = (Messages::default(), Vec::new(), 0);
        let mut note = |piece: Piece| {
            found.push((piece.what.ok(), piece.time.nanos(), piece.position));
        };
        for (number, part) in bytes.chunks(step).enumerate() {
            let number = number as u64;
            let offset = number * step as u64;
            let time = Timestamp::from_nanos(number);
            let stretch = Stretch { offset, position: 1_000 * number, time, bytes: part };
            messages.take(&stretch, &mut note);
            most = most.max(messages.held());
        }
        messages.end(&mut note);
        assert!(messages.held() == 0 && most <= LONGEST + (1 << 18));
        (found, messages.others)
    }

    #[test]
    fn a_message_has_the_time_of_its_last_byte_and_the_place_of_its_first() {
        let bytes = [b"junk".as_slice(), BEAT, BEAT, b"tail"].concat();
        let (found, others) = all(&bytes, 10);
        let beat = Some(BEAT.to_vec());
        assert_eq!(found, [(beat.clone(), 2, 0), (beat, 5, 3_000)]);
        assert_eq!(others, 8);
        let (found, _) = all(&bytes[..bytes.len() - 14], 10);
        assert_eq!(found[1].0, None, "cut by the end");
    }

    #[test]
    fn much_that_never_ends_in_small_segments_is_gone_through_a_few_times() {
        let bytes = [b"8=FIX.4.4\x019=5\x01".as_slice(), &b"58=abc\x01".repeat(60_000)].concat();
        let (found, _) = all(&bytes, 3);
        assert!(matches!(found[..], [(None, ..)]));
    }

    proptest! {
        #[test]
        fn segments_do_not_matter(
            text in "(8=FIX\\.4\\.4\u{1}9=5\u{1}35=0\u{1}10=163\u{1}|8=FIX|[|\n1]|58=x){0,40}",
            step in 1usize..30,
        ) {
            let whole = all(text.as_bytes(), 10_000);
            let parts = all(text.as_bytes(), step);
            prop_assert_eq!(whole.1, parts.1);
            let bytes = |found: Vec<Seen>| -> Vec<_> {
                found.into_iter().map(|found| found.0).collect()
            };
            prop_assert_eq!(bytes(whole.0), bytes(parts.0));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), step in 1usize..9) {
            all(&bytes, step);
        }
    }
}
