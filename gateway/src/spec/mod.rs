//! What FIX says a message may hold: versions, and how far a message is held against them.
//!
//! It must never look at sequence numbers, and never change or copy a message.

mod version;

pub use version::{Validation, Version};
