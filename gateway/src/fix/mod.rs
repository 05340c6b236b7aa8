//! The FIX tag=value codec: framing, one-pass field index, template encoder, exact numbers.
//!
//! It must never allocate after construction, panic on any input, or emit what it would not read.

mod encode;
pub(crate) mod field_writer;
mod frame;
mod groups;
pub(crate) mod hex;
mod marks;
pub(crate) mod message;
pub mod number;
pub(crate) mod padded;
mod redact;
mod shape;
mod stencil;
pub mod tags;
pub mod time;
mod words;

pub use encode::{EncodeError, Encoder, Template};
pub(crate) use frame::seal;
pub use frame::{Frame, Garble, frame};
pub use groups::{Group, Instance};
pub use message::{Fault, Field, FieldIndex, Message, RejectCode};
pub use redact::{
    SECRET_TAGS, SECRET_VALUE_MIN, is_blank, redact, redact_values, secret_spans, secret_tags,
};
pub use time::{Precision, TimeText};

/// Field separator.
pub const SOH: u8 = 1;
