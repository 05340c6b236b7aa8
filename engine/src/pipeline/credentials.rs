//! The file of credentials: read once, from a file that is ours alone, into texts that wipe
//! themselves.
//!
//! No error may show what stands in the file, not even the line that is wrong.

use anyhow::{Context as _, bail, ensure};
use gateway::dialect::secret::{Credentials, Secret};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use toml::{Table, Value};

/// Longest file; keys are a hundredth of it.
const BYTES_MAX: u64 = 64 * 1024;

/// Reads what there is of `key`, `secret` and `passphrase` from the file at `path`, which stands in
/// `section`.
///
/// # Errors
/// A file that cannot be read, that others can read, or that holds something else.
pub fn read(section: &str, path: &Path) -> anyhow::Result<Credentials> {
    let shown = path.display();
    let key = || format!("[{section}] credentials = {shown}");
    let file = File::open(path).with_context(key)?;
    // Of the file that was opened: a path may lead elsewhere a moment later.
    let about = file.metadata().with_context(key)?;
    ensure!(about.is_file(), "{shown} is not a regular file");
    let us = rustix::process::geteuid().as_raw();
    ensure!(
        about.uid() == us,
        "{shown} belongs to user {}, not to {us}: run `chown {us} {shown}`",
        about.uid()
    );
    let mode = about.mode() & 0o7777;
    ensure!(
        mode & 0o077 == 0,
        "{shown} has mode {mode:04o}, so that others may read it: run `chmod 0600 {shown}`"
    );
    let mut text = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut text)?;
    // Whatever else becomes of it, the text is wiped.
    let text = Secret::new(text);
    ensure!(
        text.reveal().len() as u64 <= BYTES_MAX,
        "{shown} is too large for a file of credentials"
    );
    parse(text.reveal()).with_context(|| format!("the credentials in {shown}"))
}

fn parse(text: &[u8]) -> anyhow::Result<Credentials> {
    let text = std::str::from_utf8(text).map_err(|_| anyhow::anyhow!("not UTF-8 text"))?;
    let shape = "write each as name = \"value\", and a PEM block between \"\"\"";
    // The parser's own message shows the line.
    let mut table: Table = text.parse().map_err(|_| anyhow::anyhow!("not valid TOML: {shape}"))?;
    let mut take = |name: &str| match table.remove(name) {
        None => Ok(None),
        Some(Value::String(value)) if !value.is_empty() => Ok(Some(Secret::new(value))),
        Some(_) => bail!("{name} is not a text: {shape}"),
    };
    let (key, secret, passphrase) = (take("key")?, take("secret")?, take("passphrase")?);
    if !table.is_empty() {
        bail!("something beside key, secret and passphrase: take it out");
    }
    Ok(Credentials { key, secret, passphrase })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn write(text: &str, mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("venue.credentials");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_of_ours_is_read_and_not_shown() {
        let (_folder, path) = write("key = \"id\"\nsecret = \"hunter2\"\n", 0o600);
        let read = read("gateway", &path).unwrap();
        let held = [&read.key, &read.secret].map(|text| text.as_ref().unwrap().reveal());
        assert_eq!(held, [&b"id"[..], b"hunter2"]);
        assert!(read.passphrase.is_none() && !format!("{read:?}").contains("hunter2"));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_remedy() {
        for mode in [0o640, 0o604, 0o660, 0o644] {
            let (_folder, path) = write("key = \"id\"\nsecret = \"hunter2\"\n", mode);
            let error = format!("{:#}", read("gateway", &path).unwrap_err());
            assert!(error.contains(&format!("chmod 0600 {}", path.display())), "{error}");
        }
    }

    #[test]
    fn no_error_shows_a_secret() {
        for text in [
            "secret = hunter2",
            "key = \"a\"\nsecret = [\"hunter2\"]",
            "key = \"a\"\nsecret = \"\"\npassphrase = \"hunter2\"",
            "key = \"a\"\nsecret = \"b\"\nhunter2 = 1",
            "hunter2",
        ] {
            let (_folder, path) = write(text, 0o600);
            let error = format!("{:#} {0:?}", read("gateway", &path).unwrap_err());
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
