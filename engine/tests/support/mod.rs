//! What the engine's tests share: recorded data and optional tools, and how to do without them.

#![allow(dead_code)]

use std::io::Write;
use std::path::{Path, PathBuf};

/// A recorded file, or `None` after saying so where the harness does not capture it.
/// `TOUCHLINE_REQUIRE=data` makes a missing one a failure.
pub(crate) fn data(file: &str) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("TOUCHLINE_DATA").map_or(default, PathBuf::from);
    let path = folder.join(file);
    path.exists().then_some(path).or_else(|| skip("data", &format!("no recorded data {file}")))
}

/// Says past the harness that a test is skipped for want of `what`.
pub(crate) fn skip<T>(what: &str, why: &str) -> Option<T> {
    let required = std::env::var("TOUCHLINE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|one| one == what), "required: {why}");
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
    None
}
