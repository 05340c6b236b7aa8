//! The folder in which the exchange outlives its process: which market data session it is in, and
//! how often it was started.
//!
//! Epochs grow for ever, also over `--fresh`: an ExecID or OrderID is never given twice. It must
//! never continue a session of another market or of another day.

use anyhow::{Context as _, bail};
use feeds::moldudp64::Session;
use market::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// Extensions of what `--fresh` removes.
const STATE: [&str; 3] = ["fix", "ledger", "itch"];

/// What is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// Start of the process, in seconds, and above every one before.
    epoch: u64,
    /// Name of the market data session.
    session: String,
    /// Nanoseconds of the midnight that the session's stamps count from.
    base: u64,
    /// What the session publishes.
    market: String,
}

/// The folder, locked for this process.
#[derive(Debug)]
pub struct DataDir {
    folder: PathBuf,
    state: State,
    /// Held for its lock.
    _lock: File,
}

/// What a market begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// First word of the venue's ids.
    pub epoch: u64,
    /// The market data session.
    pub session: Session,
    /// It was begun by an earlier process.
    pub continues: bool,
}

impl DataDir {
    /// Opens `folder`, which is made if it is not there. `fresh` forgets what an earlier process
    /// left in it.
    ///
    /// # Errors
    /// A folder that cannot be had, is used by another exchange, or holds what cannot be read.
    pub fn open(folder: &Path, fresh: bool) -> anyhow::Result<DataDir> {
        let shown = folder.display();
        std::fs::create_dir_all(folder)
            .with_context(|| format!("[exchange] data_dir {shown} cannot be made"))?;
        let mut options = OpenOptions::new();
        let lock = options.create(true).write(true).truncate(false);
        let lock = lock.open(folder.join("lock"))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => {
                bail!("[exchange] data_dir {shown} is used by another exchange: name another")
            }
            result => result?,
        }
        let path = folder.join("exchange.toml");
        let state = match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).with_context(|| {
                format!("{} cannot be read: restore it, or remove {shown}", path.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let mut this = DataDir { folder: folder.to_owned(), state, _lock: lock };
        if fresh {
            this.forget().with_context(|| format!("{shown} cannot be cleared"))?;
        }
        Ok(this)
    }

    /// Where stores stand.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// First word of the ids of the present run.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.state.epoch
    }

    /// Where the messages of the session stand.
    #[must_use]
    pub fn messages(&self) -> PathBuf {
        self.folder.join(format!("{}.itch", self.state.session))
    }

    fn forget(&mut self) -> std::io::Result<()> {
        // First the state, so that no process takes half of the rest for a whole.
        self.state.market.clear();
        self.save()?;
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if extension.is_some_and(|extension| STATE.contains(&extension)) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn save(&self) -> std::io::Result<()> {
        let text = toml::to_string(&self.state).map_err(std::io::Error::other)?;
        let new = self.folder.join("exchange.new");
        std::fs::write(&new, text)?;
        std::fs::rename(&new, self.folder.join("exchange.toml"))
    }

    /// Begins to publish `market` with stamps from `base` on: in the session of before if that was
    /// of the same, else in a new one, called `name` if one is given.
    ///
    /// # Errors
    /// A name that is none, or a file that cannot be written.
    pub fn begin(
        &mut self,
        now: Timestamp,
        base: Timestamp,
        market: &str,
        name: Option<&str>,
    ) -> anyhow::Result<Begun> {
        let same = self.state.market == market && self.state.base == base.nanos();
        let named = name.is_none_or(|name| name == self.state.session);
        let there = std::fs::metadata(self.messages()).is_ok_and(|file| file.len() > 0);
        let begun = self.next(now);
        match Session::new(&self.state.session).filter(|_| same && named && there) {
            None => self.begin_new(now, base, market, name),
            Some(session) => {
                self.state.epoch = begun;
                self.save().context("the state of the exchange cannot be written")?;
                Ok(Begun { epoch: begun, session, continues: true })
            }
        }
    }

    /// As [`DataDir::begin`], always in a new session.
    ///
    /// # Errors
    /// As there.
    pub fn begin_new(
        &mut self,
        now: Timestamp,
        base: Timestamp,
        market: &str,
        name: Option<&str>,
    ) -> anyhow::Result<Begun> {
        let name = name.map_or_else(|| next_name(&self.state.session, now), str::to_owned);
        let session = Session::new(&name).with_context(|| {
            format!("[market_data] session {name:?} is no name: use 1 to 10 ASCII characters")
        })?;
        let epoch = self.next(now);
        // Until the new session has its file, no process may take it for begun.
        self.state = State { epoch, session: name, base: base.nanos(), market: String::new() };
        self.save().context("the state of the exchange cannot be written")?;
        let messages = self.messages();
        match std::fs::remove_file(&messages) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| messages.display().to_string());
            }
            _ => {}
        }
        market.clone_into(&mut self.state.market);
        self.save().context("the state of the exchange cannot be written")?;
        Ok(Begun { epoch, session, continues: false })
    }

    /// The second of the start, and above every epoch before.
    fn next(&self, now: Timestamp) -> u64 {
        (now.nanos() / 1_000_000_000).max(self.state.epoch + 1)
    }
}

/// `TL`, the day as `yymmdd`, and two letters or digits that count the day's sessions.
fn next_name(last: &str, now: Timestamp) -> String {
    const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let date = now.to_string();
    let day = format!("TL{}{}{}", &date[2..4], &date[5..7], &date[8..10]);
    let count = last.strip_prefix(&day).and_then(|count| usize::from_str_radix(count, 36).ok());
    let count = count.map_or(1, |count| count + 1);
    let digit = |at: usize| char::from(DIGITS[at % DIGITS.len()]);
    format!("{day}{}{}", digit(count / DIGITS.len()), digit(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_nanos(1_752_758_200_000_000_000);

    fn begin(folder: &Path, fresh: bool, market: &str) -> Begun {
        let mut data = DataDir::open(folder, fresh).unwrap();
        let begun = data.begin(NOON, NOON.midnight(), market, None).unwrap();
        std::fs::write(data.messages(), b"\0\x01x").unwrap();
        begun
    }

    #[test]
    fn a_session_goes_on_until_something_is_different() {
        let folder = tempfile::tempdir().unwrap();
        let first = begin(folder.path(), false, "a");
        assert_eq!((first.session.to_string().as_str(), first.continues), ("TL25071701", false));
        let second = begin(folder.path(), false, "a");
        assert_eq!(second, Begun { epoch: first.epoch + 1, continues: true, ..first });
        let other = begin(folder.path(), false, "b");
        assert_eq!((other.session.to_string().as_str(), other.continues), ("TL25071702", false));
        let fresh = begin(folder.path(), true, "b");
        assert_eq!((fresh.session.to_string().as_str(), fresh.continues), ("TL25071703", false));
        assert_eq!(fresh.epoch, first.epoch + 3, "ids are never given twice");
        let mut data = DataDir::open(folder.path(), false).unwrap();
        let tomorrow = NOON.after(market::Nanos::DAY);
        let next = data.begin(tomorrow, tomorrow.midnight(), "b", None).unwrap();
        assert_eq!((next.session.to_string().as_str(), next.continues), ("TL25071801", false));
    }

    #[test]
    fn two_exchanges_never_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let _held = DataDir::open(folder.path(), false).unwrap();
        let error = DataDir::open(folder.path(), false).unwrap_err();
        assert!(error.to_string().contains("used by another exchange"), "{error}");
    }

    #[test]
    fn names_count_on_and_come_round() {
        assert_eq!(next_name("", NOON), "TL25071701");
        assert_eq!(next_name("TL25071709", NOON), "TL2507170A");
        assert_eq!(next_name("TL2507170Z", NOON), "TL25071710");
        assert_eq!(next_name("TL250717ZZ", NOON), "TL25071700");
        assert_eq!(next_name("DEMO", NOON), "TL25071701");
    }
}
