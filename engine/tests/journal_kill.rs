//! A writer killed with SIGKILL at random moments, again and again, on one journal: every record
//! whose append returned before the kill is there afterwards.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use engine::journal::{
    Copier, JournalSettings, Reader, Record, Recovered, Tail, create, exists, recover,
};
use market::Timestamp;

const CHILD: &str = "TOUCHLINE_TEST_JOURNAL";
const ROUNDS: u64 = 25;

#[test]
fn what_was_appended_before_a_kill_is_there_after_it() {
    if let Some(root) = std::env::var_os(CHILD) {
        append_until_killed(&PathBuf::from(root));
    }
    let root = tempfile::tempdir().unwrap();
    let mut state = 7_u64;
    let mut kept = 0;
    for round in 0..ROUNDS {
        fs::write(root.path().join("progress"), [0; 8]).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "what_was_appended_before_a_kill_is_there_after_it", "--nocapture"])
            .env(CHILD, root.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while progress(root.path()) == 0 {
            assert!(child.try_wait().unwrap().is_none(), "the writer of round {round} gave up");
            thread::sleep(Duration::from_millis(1));
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        thread::sleep(Duration::from_micros((state >> 33) % 30_000));
        // `kill` sends SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();

        let appended = progress(root.path());
        let (records, tail) = read(root.path());
        assert!(records >= appended, "round {round}: {records} of {appended} records are left");
        assert!(records <= appended + 1, "round {round}: {records} after {appended} appends");
        assert_eq!(tail, Tail::Open { hot: true });
        assert!(records > kept, "round {round} added nothing");
        kept = records;
    }
    let segments = fs::read_dir(root.path().join("disk")).unwrap().count() as u64;
    assert!(segments > 2 * ROUNDS, "{segments} files: segments were rotated under way");
}

/// The child: goes on with the journal and notes, after each append, how far it is.
fn append_until_killed(root: &Path) -> ! {
    let progress = File::options().write(true).open(root.join("progress")).unwrap();
    let settings = settings(root);
    let opened = if exists(&settings.dir, &settings.name).unwrap() {
        let Recovered { opened, .. } =
            recover(&settings, Timestamp::ZERO, |record| assert_payload(&record)).unwrap();
        opened
    } else {
        create(&settings, Timestamp::ZERO).unwrap()
    };
    let mut writer = opened.writer;
    let _copier = Copier::spawn(vec![opened.drain], Duration::from_micros(50)).unwrap();
    loop {
        let payload = payload(writer.next_sequence());
        match writer.append(1, &[&payload]) {
            Ok(sequence) => progress.write_all_at(&sequence.to_le_bytes(), 0).unwrap(),
            Err(_) => thread::yield_now(),
        }
    }
}

fn settings(root: &Path) -> JournalSettings {
    let mut settings = JournalSettings::new(&root.join("disk"), "trading");
    settings.hot_dir = root.join("hot");
    fs::create_dir_all(&settings.hot_dir).unwrap();
    settings.segment_bytes = 4096;
    settings
}

fn progress(root: &Path) -> u64 {
    let bytes = fs::read(root.join("progress")).unwrap();
    u64::from_le_bytes(bytes.try_into().unwrap())
}

fn read(root: &Path) -> (u64, Tail) {
    let settings = settings(root);
    let mut reader = Reader::open(&settings.dir, &settings.hot_dir, &settings.name).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        assert_payload(&record);
    }
    (reader.next_sequence() - 1, reader.tail().unwrap().clone())
}

fn payload(sequence: u64) -> Vec<u8> {
    (0..sequence * 13 % 300).map(|i| (sequence ^ i) as u8).collect()
}

fn assert_payload(record: &Record<'_>) {
    assert_eq!(record.payload, payload(record.sequence), "record {}", record.sequence);
}
