//! Files of the host, read or not there; and what of it an engine would make hot.
//!
//! Parsers here take text and give what it says, or nothing: a kernel may write what it likes.

use crate::config::RunConfig;
use crate::config::cores::ranges;
use crate::runtime::stage::Idle;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// Where `/proc` and `/sys` are to be found.
pub(super) struct Host {
    root: PathBuf,
}

impl Host {
    /// This one.
    pub(super) fn here() -> Host {
        Host { root: PathBuf::from("/") }
    }

    /// One whose files stand under `root`.
    #[cfg(test)]
    pub(super) fn under(root: &std::path::Path) -> Host {
        Host { root: root.to_owned() }
    }

    /// The text of a file, or why there is none.
    pub(super) fn read(&self, path: &str) -> Result<String, String> {
        let path = self.root.join(path);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The text of a file without the space around it, if it can be read.
    pub(super) fn word(&self, path: &str) -> Option<String> {
        self.read(path).ok().map(|text| text.trim().to_owned())
    }

    /// A number that stands alone in a file.
    pub(super) fn number(&self, path: &str) -> Result<i64, String> {
        let text = self.read(path)?;
        let text = text.trim();
        text.parse().map_err(|_| format!("{path} says {text:?}, which is no number"))
    }

    /// Names in a folder, in order; none if it is not there.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(path)).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }
}

/// What an engine of the configuration would use.
#[derive(Clone, Debug, Default)]
pub(super) struct Hot {
    /// CPUs that this process may use.
    pub(super) allowed: BTreeSet<usize>,
    /// Those of hot threads.
    pub(super) cpus: BTreeSet<usize>,
    /// Hot threads: names of their stages, and their CPU.
    pub(super) threads: Vec<(String, Option<usize>)>,
    /// They spin, and never sleep.
    pub(super) spins: bool,
}

impl Hot {
    /// Of this configuration on these CPUs.
    pub(super) fn of(config: &RunConfig, allowed: &BTreeSet<usize>) -> Hot {
        let threads = config.cores.threads(allowed).into_iter().map(|thread| {
            let names = thread.stages.iter().map(|stage| format!("{stage:?}").to_lowercase());
            (names.collect::<Vec<_>>().join("+"), thread.cpu)
        });
        let threads: Vec<_> = threads.collect();
        let cpus = threads.iter().filter_map(|(_, cpu)| *cpu).collect();
        let spins = config.cores.idle == Idle::Spin;
        Hot { allowed: allowed.clone(), cpus, threads, spins }
    }

    /// `1,3` for commands and kernel parameters; all CPUs but the first where nothing is pinned.
    pub(super) fn list(&self) -> String {
        match self.cpus.is_empty() {
            true => ranges(&self.allowed.iter().copied().skip(1).collect()),
            false => ranges(&self.cpus),
        }
    }
}

/// The value of `key:` in a text such as `/proc/self/status` or `/proc/meminfo`.
pub(super) fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    Some(line.trim())
}

/// The chosen word of `always [madvise] never`.
pub(super) fn chosen(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']').map(|(word, _)| word)
}

/// The value of a parameter on the kernel's command line; the last one counts.
pub(super) fn parameter<'a>(cmdline: &'a str, key: &str) -> Option<&'a str> {
    let words = cmdline.split_whitespace();
    words.rev().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

/// Major and minor number of a release such as `6.18.44-fc`.
pub(super) fn release(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_kernel() {
        let status = "Name:\tbash\nCapEff:\t000001fffeffffff\nSeccomp:\t0\nSeccomp_filters:\t0\n";
        assert_eq!(field(status, "CapEff"), Some("000001fffeffffff"));
        assert_eq!(field(status, "Seccomp"), Some("0"));
        assert_eq!((field(status, "Cap"), field("", "CapEff")), (None, None));
        assert_eq!(chosen("always [madvise] never\n"), Some("madvise"));
        assert_eq!((chosen("always"), chosen("[a"), chosen("")), (None, None, None));
        let cmdline = "quiet isolcpus=1 nohz_full=1-3 isolcpus=nohz,domain,2-3\n";
        assert_eq!(parameter(cmdline, "isolcpus"), Some("nohz,domain,2-3"));
        assert_eq!((parameter(cmdline, "rcu_nocbs"), parameter("", "quiet")), (None, None));
        assert_eq!(release("6.18.44-fc-v595\n"), Some((6, 18)));
        assert_eq!((release(""), release("6"), release("x.y")), (None, None, None));
    }

    #[test]
    fn files_that_are_not_there_or_no_numbers() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("odd"), "12 cats").unwrap();
        std::fs::write(folder.path().join("well"), " -1\n").unwrap();
        let host = Host::under(folder.path());
        assert_eq!(host.number("well"), Ok(-1));
        assert!(host.number("odd").is_err_and(|why| why.contains("no number")));
        assert!(host.number("none").is_err_and(|why| why.contains("none")));
        assert_eq!((host.word("none"), host.names("none")), (None, Vec::new()));
    }

    #[test]
    fn hot_threads_are_those_of_the_configuration() {
        let cpus = BTreeSet::from([0, 1]);
        let hot = Hot::of(&RunConfig::demo(&cpus).unwrap(), &cpus);
        assert_eq!(hot.threads, [("feed+trading+gateway".to_owned(), Some(1))]);
        assert_eq!((hot.list(), hot.cpus), ("1".to_owned(), BTreeSet::from([1])));
        let unpinned = Hot { allowed: BTreeSet::from([0, 1, 2]), ..Hot::default() };
        assert_eq!(unpinned.list(), "1-2");
    }
}
