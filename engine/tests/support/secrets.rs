//! Looks for secrets in all that an engine wrote.

use std::path::{Path, PathBuf};

/// No file below these folders but the credentials and no output holds any of these.
pub(crate) fn hold_no_secret(folders: [&Path; 2], secrets: &[&str]) {
    let mut folders = folders.map(PathBuf::from).to_vec();
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() && !path.ends_with("venue.credentials") {
                let bytes = std::fs::read(&path).unwrap();
                read += 1;
                for secret in secrets {
                    let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                    assert!(!found, "{} holds {secret}", path.display());
                }
            }
        }
    }
    assert!(read > 3, "only {read} files");
}
