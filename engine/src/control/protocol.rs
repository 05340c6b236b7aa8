//! What `touchline ctl` and the engine say to each other: one line asks, text answers.
//!
//! A request is a word and its texts, separated by tabs and ended by a newline. An answer begins
//! with a line `ok` or `error` and ends with the connection. Pure functions over bytes; they never
//! trust the other side.

use crate::trading::Control;

/// Longest request, newline included.
pub const REQUEST_BYTES_MAX: usize = 256;
/// Longest answer.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What is asked of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// How it stands.
    Status,
    /// Cancel everything and send nothing new.
    Kill {
        /// Why.
        reason: String,
    },
    /// Release the kill latch and every halted instrument.
    Clear {
        /// Who answers for it.
        name: String,
        /// Why.
        reason: String,
    },
}

/// Why a request is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The first word is not known.
    #[error("`{0}` is no request: ask status, kill or clear")]
    Unknown(String),
    /// A text is missing, or there is one too many.
    #[error("`{0}` takes {1}, separated by tabs")]
    Texts(&'static str, &'static str),
    /// A text is empty.
    #[error("the {0} is empty: say it, for the record")]
    Empty(&'static str),
    /// A text is longer than the record has room for.
    #[error("the {0} has {1} bytes: use at most {2}")]
    Long(&'static str, usize, usize),
    /// Bytes that no operator types.
    #[error("the request holds control characters or is not UTF-8")]
    NotText,
    /// The line does not end.
    #[error("the request is longer than {REQUEST_BYTES_MAX} bytes")]
    Endless,
}

impl Request {
    /// The request of a line without its newline.
    ///
    /// # Errors
    /// [`BadRequest`].
    pub fn parse(line: &[u8]) -> Result<Request, BadRequest> {
        if line.len() >= REQUEST_BYTES_MAX {
            return Err(BadRequest::Endless);
        }
        let line = std::str::from_utf8(line).map_err(|_| BadRequest::NotText)?;
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return Err(BadRequest::NotText);
        }
        let mut words = line.split('\t');
        let word = words.next().unwrap_or("");
        let texts: Vec<&str> = words.collect();
        match (word, texts.as_slice()) {
            ("status", []) => Ok(Request::Status),
            ("status", _) => Err(BadRequest::Texts("status", "nothing")),
            ("kill", [why]) => Ok(Request::Kill { reason: reason(why)? }),
            ("kill", _) => Err(BadRequest::Texts("kill", "a reason")),
            ("clear", [who, why]) => {
                let name = text("name", who, Control::NAME_MAX)?;
                Ok(Request::Clear { name, reason: reason(why)? })
            }
            ("clear", _) => Err(BadRequest::Texts("clear", "a name and a reason")),
            (other, _) => Err(BadRequest::Unknown(other.to_owned())),
        }
    }

    /// Its line, newline included. What the texts hold of tabs and newlines becomes spaces.
    #[must_use]
    pub fn to_line(&self) -> String {
        let flat = |text: &str| text.replace(|c: char| c.is_control(), " ");
        match self {
            Request::Status => "status\n".to_owned(),
            Request::Kill { reason } => format!("kill\t{}\n", flat(reason)),
            Request::Clear { name, reason } => format!("clear\t{}\t{}\n", flat(name), flat(reason)),
        }
    }
}

fn reason(given: &str) -> Result<String, BadRequest> {
    text("reason", given, Control::REASON_MAX)
}

/// A text that the journal's record has room for: cutting it would falsify the record.
fn text(what: &'static str, given: &str, max: usize) -> Result<String, BadRequest> {
    let given = given.trim();
    match given.len() {
        0 => Err(BadRequest::Empty(what)),
        long if long > max => Err(BadRequest::Long(what, long, max)),
        _ => Ok(given.to_owned()),
    }
}

/// What the engine says: whether it did what was asked, and in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// It did.
    pub well: bool,
    /// For the operator to read.
    pub text: String,
}

impl Answer {
    /// The bytes that are sent.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let word = if self.well { "ok" } else { "error" };
        format!("{word}\n{}\n", self.text.trim_end()).into_bytes()
    }

    /// The answer in all the bytes that came; `None` if they are cut or of no engine.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Answer> {
        let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        let (word, text) = text.split_once('\n')?;
        let well = match word {
            "ok" => true,
            "error" => false,
            _ => return None,
        };
        Some(Answer { well, text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_are_read_or_refused_by_name() {
        let clear = Request::Clear { name: "Ada".into(), reason: "all well".into() };
        assert_eq!(Request::parse(b"status"), Ok(Request::Status));
        assert_eq!(Request::parse(b"clear\tAda\tall well"), Ok(clear));
        let long = format!("kill\t{}", "x".repeat(86));
        let endless = [b'k'; REQUEST_BYTES_MAX];
        let cases: [(&[u8], BadRequest); 10] = [
            (b"", BadRequest::Unknown(String::new())),
            (b"halt", BadRequest::Unknown("halt".into())),
            (b"status\tnow", BadRequest::Texts("status", "nothing")),
            (b"kill", BadRequest::Texts("kill", "a reason")),
            (b"kill\t ", BadRequest::Empty("reason")),
            (b"clear\tAda", BadRequest::Texts("clear", "a name and a reason")),
            (b"clear\t\twell", BadRequest::Empty("name")),
            (long.as_bytes(), BadRequest::Long("reason", 86, 85)),
            (b"kill\t\x1b[2J", BadRequest::NotText),
            (&endless, BadRequest::Endless),
        ];
        for (line, expected) in cases {
            assert_eq!(Request::parse(line), Err(expected));
        }
    }

    #[test]
    fn answers_round_trip_and_show_a_cut() {
        for well in [true, false] {
            let answer = Answer { well, text: "two\nlines".into() };
            assert_eq!(Answer::parse(&answer.to_bytes()), Some(answer));
        }
        assert_eq!(Answer::parse(b"ok\nhalf a li"), None);
        assert_eq!(Answer::parse(b""), None);
        assert_eq!(Answer::parse(b"220 mail\nhello\n"), None);
    }

    proptest! {
        #[test]
        fn any_line_is_a_request_or_an_error(line in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(request) = Request::parse(&line) {
                prop_assert_eq!(Request::parse(request.to_line().trim_end().as_bytes()), Ok(request));
            }
        }

        #[test]
        fn what_is_typed_stays_one_line(name in ".{0,40}", reason in ".{0,100}") {
            let line = Request::Clear { name, reason }.to_line();
            prop_assert_eq!(line.matches('\n').count(), 1);
            prop_assert_eq!(line.matches('\t').count(), 2);
        }
    }
}
