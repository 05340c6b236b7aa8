//! Recorded websocket frames, a line each: what the readers of all crypto venues share. Knows lines,
//! their damage and the end; what a frame says is the venue's.

use crate::recording::{
    Broken, Counts, CutBetween, Description, Instruments, Line, LineEnd, Lines, Log, Recording,
    Seams, Unit, ended,
};
use std::io::Read;

/// What is wrong with frames of several venues.
pub(crate) const NO_SNAPSHOT: &str = "an update of a book whose snapshot did not come";
pub(crate) const NEVER_JOINED: &str = "an update of a book whose next snapshot never came";
pub(crate) const NOT_NEEDED: &str = "a snapshot is older than the book";
pub(crate) const OTHER_BOOKS: &str = "a frame of books that are not kept, by level or by order";

/// One venue's frames.
pub(crate) trait Venue: Send {
    /// What it is, as far as is known by now.
    fn describe(&self) -> Description;

    /// Names of its kinds of messages.
    fn kinds(&self) -> &'static [&'static str];

    /// Reads a line. Gives the kind of message it was, by its place in `kinds`; `None` for what is
    /// no message. An error says why nobody can understand it.
    fn line(
        &mut self,
        line: &[u8],
        unit: &mut Unit,
        log: &mut Log,
    ) -> Result<Option<usize>, &'static str>;

    /// A line could not be read at all, or lines are missing, that may have held anything: books are
    /// lost whose next frame would not show whether it was theirs.
    fn damaged(&mut self, _unit: &mut Unit) {}

    /// What comes now is of another file, which goes on from the one before.
    fn goes_on(&mut self) {}

    /// Which market it is, if the recorder's frames may be of several.
    fn market(&self) -> &'static str {
        ""
    }

    /// There are no more lines: notes what waits for something that never came.
    fn end(&self, _position: u64, _log: &mut Log) {}

    /// What else it counts.
    fn others(&self) -> Vec<(&'static str, u64)>;

    /// The instruments met so far.
    fn instruments(&self) -> &Instruments;
}

/// See the module.
pub(crate) struct Frames<R, V> {
    lines: Lines<R>,
    venue: V,
    by_kind: Vec<u64>,
    not_understood: u64,
    log: Log,
    seams: Seams,
    /// How it ended.
    end: Option<Result<bool, Broken>>,
}

impl<R: Read, V: Venue> Frames<R, V> {
    pub(crate) fn new(input: R, venue: V) -> Frames<R, V> {
        let by_kind = vec![0; venue.kinds().len()];
        let (lines, log) = (Lines::new(input), Log::default());
        let seams = Seams::default();
        Frames { lines, venue, by_kind, not_understood: 0, log, seams, end: None }
    }

    /// The same of several files: the venue is told where another one goes on.
    pub(crate) fn with_seams(self, seams: Seams) -> Frames<R, V> {
        Frames { seams, ..self }
    }

    /// The next line that is not empty.
    fn next_line(&mut self, unit: &mut Unit) -> Result<bool, Broken> {
        loop {
            let position = self.lines.position();
            match self.lines.next_line() {
                Ok(Some(line)) if line.text.is_empty() && line.end != LineEnd::TooLong => {}
                Ok(Some(Line { text, end, .. })) => {
                    unit.begin(position);
                    if self.seams.passed(position) {
                        self.venue.goes_on();
                    }
                    let damage = match end {
                        LineEnd::TooLong => Some("a line that is longer than any frame"),
                        _ if is_crowded(text) => Some("a frame of more levels than any book has"),
                        _ => None,
                    };
                    let too_long = self.venue.instruments().too_long();
                    let told = match damage {
                        Some(reason) => {
                            self.venue.damaged(unit);
                            Err(reason)
                        }
                        None => self.venue.line(text, unit, &mut self.log),
                    };
                    if self.venue.instruments().too_long() > too_long {
                        self.log.skip(position, "a symbol of more than 256 bytes");
                    }
                    return Ok(self.told(told, end, unit));
                }
                Ok(None) => return Ok(false),
                // What was to come in the file that is cut may have held anything.
                Err(error) if CutBetween::is(&error) => {
                    unit.begin(position);
                    self.log.damage(position, error.to_string());
                    self.venue.damaged(unit);
                    unit.end();
                    return Ok(true);
                }
                Err(error) => return ended(&error, position, &mut self.log).map(|()| false),
            }
        }
    }

    fn told(
        &mut self,
        told: Result<Option<usize>, &'static str>,
        end: LineEnd,
        unit: &mut Unit,
    ) -> bool {
        match told {
            Ok(kind) => {
                if let Some(count) = kind.and_then(|kind| self.by_kind.get_mut(kind)) {
                    *count += 1;
                }
            }
            Err(reason) if end == LineEnd::Open => {
                self.log.cut(unit.position, format!("the last line has no end: {reason}"));
                unit.begin(unit.position);
                return false;
            }
            Err(reason) => {
                self.not_understood += 1;
                self.log.damage(unit.position, reason);
            }
        }
        unit.end();
        true
    }
}

impl<R: Read + Send, V: Venue> Recording for Frames<R, V> {
    fn describe(&self) -> Description {
        self.venue.describe()
    }

    fn market(&self) -> String {
        self.venue.market().to_owned()
    }

    fn next_unit(&mut self, unit: &mut Unit) -> Result<bool, Broken> {
        unit.begin(self.lines.position());
        if let Some(end) = &self.end {
            return end.clone();
        }
        match self.next_line(unit) {
            Ok(true) => Ok(true),
            end => {
                self.venue.end(self.lines.position(), &mut self.log);
                self.end.insert(end).clone()
            }
        }
    }

    fn counts(&self) -> Counts {
        let named = self.venue.kinds().iter().zip(&self.by_kind);
        let named = named.map(|(name, &count)| ((*name).to_owned(), count));
        let all = named.chain([("not understood".to_owned(), self.not_understood)]);
        let by_type: Vec<(String, u64)> = all.filter(|&(_, count)| count > 0).collect();
        let messages = by_type.iter().map(|&(_, count)| count).sum();
        Counts { messages, by_type, others: self.venue.others() }
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn instruments(&self) -> &Instruments {
        self.venue.instruments()
    }
}

/// Most arrays and objects of a frame, each of which may become a level or an order: memory is bounded.
const PARTS_MAX: usize = 1 << 17;

/// True of a frame that would take more memory than its text lets fear: levels can be short.
fn is_crowded(text: &[u8]) -> bool {
    // None is shorter than `["",""],`.
    text.len() > 8 * PARTS_MAX && memchr::memchr2_iter(b'[', b'{', text).count() > PARTS_MAX
}
