//! ITCH 5.0 messages in a BinaryFILE, as a recording: each message is a unit, and its sequence is its
//! number in the file, as it is when the file is published.

use super::message::length;
use super::{Decoder, ListingError, Reading, reading};
use crate::file::{FileError, Reader};
use crate::recording::{
    Books, Broken, Clock, Counts, Description, Instruments, Log, Opening, Options, Recording, Unit,
    ended,
};
use std::io::{self, Read};

/// Name of the format.
pub const FORMAT: &str = "ITCH 5.0 BinaryFILE";

/// Tells the format by its first messages: known types, each behind its length. Lengths that are all
/// zero are recognised too, so that the file is refused with its reason.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<String> {
    let (mut rest, mut messages) = (head, 0);
    while let Some((prefix, behind)) = rest.split_first_chunk::<2>() {
        let Some(&kind) = behind.first() else { break };
        let prefix = usize::from(u16::from_be_bytes(*prefix));
        let Some(wanted) = length(kind).filter(|&wanted| prefix == wanted || prefix == 0) else {
            break;
        };
        let message = &behind[..wanted.min(behind.len())];
        if message.len() == wanted && reading::time(message).is_none() {
            break;
        }
        messages += 1;
        rest = behind.get(wanted..).unwrap_or_default();
    }
    // One message is enough if nothing stands behind it, or its length is filled in.
    (messages > 1 || messages == 1 && (rest.is_empty() || head[1] > 0)).then(String::new)
}

/// Opens it.
///
/// # Errors
/// A wanted instrument cannot be spoken of in ITCH.
pub fn open(opening: Opening<'_>) -> io::Result<Box<dyn Recording + '_>> {
    let file = ItchFile::new(opening.input, &opening.options).map_err(io::Error::other)?;
    Ok(Box::new(file))
}

/// See the module.
#[derive(Debug)]
pub struct ItchFile<R> {
    reader: Reader<R>,
    reading: Reading,
    clock: Clock,
    log: Log,
    /// How it ended.
    end: Option<Result<bool, Broken>>,
}

impl<R: Read> ItchFile<R> {
    /// Reads the file's bytes, whose packing is off.
    ///
    /// # Errors
    /// [`ListingError`] if a wanted instrument cannot be spoken of in ITCH.
    pub fn new(input: R, options: &Options) -> Result<ItchFile<R>, ListingError> {
        let reading = Reading::new(options, options.day.unwrap_or_default())?;
        let clock = if options.day.is_some() { Clock::Utc } else { Clock::TimeOfDay };
        Ok(ItchFile { reader: Reader::new(input), reading, clock, log: Log::default(), end: None })
    }

    /// The decoder, for its counters.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        self.reading.decoder()
    }
}

impl<R: Read + Send> Recording for ItchFile<R> {
    fn describe(&self) -> Description {
        let (version, clock) = (String::new(), self.clock);
        Description { format: FORMAT, version, books: Books::ByOrder, clock }
    }

    fn next_unit(&mut self, unit: &mut Unit) -> Result<bool, Broken> {
        unit.begin(self.reader.offset());
        if let Some(end) = &self.end {
            return end.clone();
        }
        let position = unit.position;
        let end = match self.reader.next_message() {
            Ok(Some(message)) => {
                self.reading.message(message, position, unit, &mut self.log);
                unit.end();
                return Ok(true);
            }
            Ok(None) => Ok(false),
            Err(error @ FileError::Torn { .. }) => {
                self.log.cut(position, error.reason());
                Ok(false)
            }
            Err(FileError::Io { source, .. }) => {
                ended(&source, position, &mut self.log).map(|()| false)
            }
            Err(error) => Err(Broken { position: error.position(), reason: error.reason() }),
        };
        self.end.insert(end).clone()
    }

    fn counts(&self) -> Counts {
        let (messages, by_type) = (self.reader.messages(), self.reading.by_type());
        Counts { messages, by_type, others: Vec::new() }
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn instruments(&self) -> &Instruments {
        self.reading.instruments()
    }
}
