//! Tests of the journal, by part, and what they share: a journal in a temporary folder, and a look
//! at it as a kill at this moment would leave it.

mod damage;
mod framing;
mod handover;
mod recovery;

use std::fs;
use std::path::{Path, PathBuf};

use market::Timestamp;
use tempfile::TempDir;

use super::{
    Drain, JournalError, JournalSettings, Opened, Reader, Recovered, Tail, Writer, create, recover,
};

const NAME: &str = "trading";
const KIND: u16 = 3;

/// Two folders for a journal, gone with the value.
struct Folders {
    _root: TempDir,
    dir: PathBuf,
    hot: PathBuf,
}

impl Folders {
    fn new() -> Self {
        // In memory where there is one: thousands of journals are synced here.
        let memory = tempfile::tempdir_in("/dev/shm");
        let root = memory.or_else(|_| tempfile::tempdir()).unwrap();
        let (dir, hot) = (root.path().join("disk"), root.path().join("hot"));
        fs::create_dir(&dir).unwrap();
        fs::create_dir(&hot).unwrap();
        Folders { _root: root, dir, hot }
    }

    /// The smallest segments there are.
    fn settings(&self) -> JournalSettings {
        let mut settings = JournalSettings::new(&self.dir, NAME);
        settings.hot_dir = self.hot.clone();
        settings.segment_bytes = 4096;
        settings
    }

    fn create(&self) -> (Writer, Drain) {
        let Opened { writer, drain, .. } = create(&self.settings(), Timestamp::ZERO).unwrap();
        (writer, drain)
    }

    fn recover(&self) -> Result<Recovered, JournalError> {
        recover(&self.settings(), Timestamp::ZERO, |record| assert_payload(record.payload, &record))
    }

    /// Reads all of it, checks each payload, gives the number of records and the end.
    fn read(&self) -> Result<(u64, Tail), JournalError> {
        let mut reader = Reader::open(&self.dir, &self.hot, NAME)?;
        let mut records = 0;
        while let Some(record) = reader.next_record()? {
            records += 1;
            assert_eq!(record.sequence, records);
            assert_payload(record.payload, &record);
        }
        Ok((records, reader.tail().unwrap().clone()))
    }

    fn hot_home(&self, of: &Path) -> PathBuf {
        let found = fs::metadata(of).unwrap();
        self.hot.join(super::place::hot_name(&found))
    }

    /// The journal as a kill would leave it now.
    fn snapshot(&self) -> Folders {
        let copy = self.copy_of_disk();
        let (from, to) = (self.hot_home(&self.dir), copy.hot_home(&copy.dir));
        if from.exists() {
            copy_files(&from, &to);
        }
        copy
    }

    /// The journal as another machine would get it: without its hot part.
    fn copy_of_disk(&self) -> Folders {
        let copy = Folders::new();
        copy_files(&self.dir, &copy.dir);
        copy
    }

    fn segment(&self, index: u64) -> PathBuf {
        self.dir.join(format!("{NAME}-{index:08}.journal"))
    }

    fn hot_segment(&self, index: u64) -> PathBuf {
        self.hot_home(&self.dir).join(format!("{NAME}-{index:08}.hot"))
    }
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// What record `sequence` holds in these tests: 0 to 60 bytes that depend on it.
fn payload(sequence: u64) -> Vec<u8> {
    (0..sequence * 7 % 61).map(|i| (sequence + i) as u8).collect()
}

fn assert_payload(found: &[u8], record: &super::Record<'_>) {
    match record.kind {
        KIND => assert_eq!(found, payload(record.sequence), "record {}", record.sequence),
        kind => assert_eq!((kind, found.len()), (super::CLOSED, 0)),
    }
}

fn append(writer: &mut Writer) -> Result<u64, super::Full> {
    let payload = payload(writer.next_sequence());
    let (front, back) = payload.split_at(payload.len() / 3);
    writer.append(KIND, &[front, back])
}
