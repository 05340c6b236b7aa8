//! Recorded days as events: a file, or bytes in memory, read through the decoder without packets.
//!
//! Each message is a packet of its own, so that its last event carries `LAST` and sequences are the
//! numbers of messages, as they are when the file is published. Touches nothing but its reader.

use crate::feed::Group;
use crate::file::{FileError, Reader};
use crate::itch50::Decoder;
use market::Sink;
use std::io::Read;

/// ITCH 5.0 messages of a BinaryFILE, as events.
pub struct ItchFile<R: Read> {
    reader: Reader<R>,
    decoder: Decoder,
}

impl<R: Read> ItchFile<R> {
    /// Reads `reader` through `decoder`.
    #[must_use]
    pub fn new(reader: Reader<R>, decoder: Decoder) -> ItchFile<R> {
        ItchFile { reader, decoder }
    }

    /// The decoder, for its counters and the exchange time.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Decodes the next message, of which any number of events up to two is given; gives its
    /// sequence, from 1, or `None` at the end. Messages that the decoder skips are counted there.
    ///
    /// # Errors
    /// [`FileError`] if the file is damaged from here on.
    pub fn next_message(&mut self, sink: &mut impl Sink) -> Result<Option<u64>, FileError> {
        let Some(message) = self.reader.next_message()? else { return Ok(None) };
        let mut group = Group::new(sink);
        let _ = self.decoder.decode(message, 0, &mut group);
        group.end();
        Ok(Some(self.reader.messages()))
    }
}
