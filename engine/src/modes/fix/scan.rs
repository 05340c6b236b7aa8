//! Messages out of a stream of any size: bytes in, one message after the other out.
//!
//! It holds one window of the input and never more, however the input looks.

use super::cut::{Cut, LONGEST, PREFIX, cut, next_start};
use std::io::Read;

/// Bytes read at once.
const CHUNK: usize = 64 << 10;
/// Bytes before a message that may say when and which way it went.
const LINE: usize = 256;

/// What stands next in the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A message; it stands in [`Scanner::message`].
    Message,
    /// The start of a message that is none, and why.
    Garbled(&'static str),
}

/// Goes through an input.
pub(super) struct Scanner<R> {
    input: R,
    buffer: Vec<u8>,
    /// Offset of the buffer in the input.
    base: u64,
    /// How far the buffer was gone through.
    at: usize,
    /// There the input begins, or what was found last ends.
    ends: bool,
    ended: bool,
    /// What was found last: its offset in the input, and the rest of the line before it.
    pub(super) offset: u64,
    pub(super) line: Vec<u8>,
    /// The message as FIX has it.
    pub(super) message: Vec<u8>,
}

impl<R: Read> Scanner<R> {
    pub(super) fn new(input: R) -> Scanner<R> {
        Scanner {
            input,
            buffer: Vec::new(),
            base: 0,
            at: 0,
            ends: true,
            ended: false,
            offset: 0,
            line: Vec::new(),
            message: Vec::new(),
        }
    }

    /// The next message, or what should have been one.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Found>> {
        loop {
            let Some(start) = next_start(&self.buffer, self.at, self.ends) else {
                if self.ended {
                    return Ok(None);
                }
                // The start of a message may stand at the very end, and its line before it.
                self.keep_from(self.buffer.len().saturating_sub(LINE + PREFIX.len() - 1));
                self.fill()?;
                continue;
            };
            let found = match cut(&self.buffer[start..], self.ended, &mut self.message) {
                Cut::More => {
                    self.keep_from(start.saturating_sub(LINE));
                    self.fill()?;
                    continue;
                }
                Cut::Message(len) => (len, Found::Message),
                Cut::Garbled(len, reason) => (len, Found::Garbled(reason)),
            };
            self.note(start);
            (self.at, self.ends) = (start + found.0, true);
            return Ok(Some(found.1));
        }
    }

    /// Keeps where the message at `start` stands, and what its line said before.
    fn note(&mut self, start: usize) {
        self.offset = self.base + start as u64;
        let before = &self.buffer[self.at.max(start.saturating_sub(LINE))..start];
        let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or(before);
        self.line.clear();
        self.line.extend_from_slice(line);
    }

    /// Drops what stands before `from`, which is never looked at again.
    fn keep_from(&mut self, from: usize) {
        let from = from.max(self.at.min(self.buffer.len())).min(self.buffer.len());
        self.ends &= from <= self.at;
        self.buffer.drain(..from);
        self.base += from as u64;
        self.at = self.at.saturating_sub(from);
    }

    fn fill(&mut self) -> std::io::Result<()> {
        debug_assert!(self.buffer.len() <= LONGEST + LINE + CHUNK);
        let old = self.buffer.len();
        self.buffer.resize(old + CHUNK, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[old..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(old + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let len = self.1.min(self.0.len()).min(out.len());
            out[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    type Seen = Vec<(u64, Found, Vec<u8>, Vec<u8>)>;

    fn all(bytes: &[u8], step: usize) -> Seen {
        let mut scanner = Scanner::new(Slow(bytes, step));
        let mut seen = Vec::new();
        while let Some(found) = scanner.next().unwrap() {
            let message =
                if found == Found::Message { scanner.message.clone() } else { Vec::new() };
            seen.push((scanner.offset, found, scanner.line.clone(), message));
            assert!(scanner.buffer.len() <= LONGEST + LINE + CHUNK);
        }
        seen
    }

    #[test]
    fn pieces_of_any_size_make_the_same_messages() {
        let log =
            b"first line\n12:00 OUT 8=FIX.4.4|9=5|35=0|10=163|\n12:01 IN 8=FIX.4.4|9=5|35=0\n\
                    12:02 8=FIX.4.4^A9=5^A35=0^A10=163^A and text, 58=FIX\n";
        let seen = all(log, usize::MAX);
        let lines: Vec<_> = seen.iter().map(|found| String::from_utf8_lossy(&found.2)).collect();
        assert_eq!(lines, ["12:00 OUT ", "12:01 IN ", "12:02 "]);
        assert_eq!(seen.iter().map(|found| found.0).collect::<Vec<_>>(), [21, 57, 82]);
        assert!(matches!(seen[1].1, Found::Garbled(_)));
        for step in [1, 2, 7, 40] {
            assert_eq!(all(log, step), seen, "{step}");
        }
    }

    #[test]
    fn a_message_without_end_holds_one_window() {
        let mut bytes = b"8=FIX.4.4|9=5|".to_vec();
        bytes.extend(std::iter::repeat_n(b"58=abc|", LONGEST / 3).flatten());
        bytes.extend(b"\n8=FIX.4.4|9=5|35=0|10=163|");
        let seen = all(&bytes, CHUNK);
        assert_eq!(seen.len(), 2);
        assert!(matches!(seen[0].1, Found::Garbled(_)) && seen[1].1 == Found::Message);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            all(&bytes, 17);
        }

        #[test]
        fn pieces_do_not_matter(
            text in "(8=FIX\\.4\\.4[|]9=5[|]35=0[|]10=163|8=FIX\\.4\\.4|9=5|35=0|10=163|[|\n1]|58=x){0,40}",
            step in 1usize..30,
        ) {
            prop_assert_eq!(all(text.as_bytes(), step), all(text.as_bytes(), usize::MAX));
        }
    }
}
