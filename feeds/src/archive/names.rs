//! Names of details and statistics, which are constants of a format's reader, read from a file.
//!
//! Specifications have few of them. They are kept for the life of the program, each once, and never
//! more than [`NAMES_MAX`] of [`NAME_BYTES_MAX`] bytes, however many a file makes up.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

const NAMES_MAX: usize = 4_096;
const NAME_BYTES_MAX: usize = 128;

static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

/// The name as a constant; `None` if it is too long, or there are too many.
pub(super) fn name(text: &str) -> Option<&'static str> {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(&known) = names.get(text) {
        return Some(known);
    }
    if names.len() >= NAMES_MAX || text.len() > NAME_BYTES_MAX {
        return None;
    }
    let kept: &'static str = Box::leak(Box::from(text));
    names.insert(kept);
    Some(kept)
}
