//! What recordings are known by: a fingerprint of the bytes of each.

use anyhow::Context as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use xxhash_rust::xxh3::Xxh3;

/// The fingerprints of these files, in order.
///
/// # Errors
/// One cannot be read.
pub fn fingerprints<'p>(paths: impl IntoIterator<Item = &'p Path>) -> anyhow::Result<String> {
    let each = paths.into_iter().map(fingerprint).collect::<Result<Vec<_>, _>>()?;
    Ok(each.join(" "))
}

/// Names of files, for people.
pub fn names<'p>(paths: impl IntoIterator<Item = &'p Path>) -> String {
    let each: Vec<_> = paths.into_iter().map(|path| path.display().to_string()).collect();
    each.join(", ")
}

/// xxh3-128 of a file's bytes as they stand on the disk, as 32 hexadecimal digits.
///
/// # Errors
/// The file cannot be read.
fn fingerprint(path: &Path) -> anyhow::Result<String> {
    let doing = || format!("cannot read the recording {}", path.display());
    let mut file = File::open(path).with_context(doing)?;
    let mut hasher = Xxh3::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).with_context(doing)? {
            0 => return Ok(format!("{:032x}", hasher.digest128())),
            count => hasher.update(&buffer[..count]),
        }
    }
}
