//! A disk and a hot directory that are really full: small file systems in memory, mounted in a
//! namespace of the test's own. Skipped, aloud, where the host allows no such namespace.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use engine::journal::{
    Drain, JournalError, JournalHealth, JournalSettings, Opened, Reader, Tail, Writer, create,
    recover,
};
use market::Timestamp;

const SMALL: &str = "TOUCHLINE_TEST_SMALL_DISK";

/// Runs this test again inside a namespace in which `$SMALL` is an empty tmpfs of 256 KiB, and gives
/// that folder to the test when it is the one inside.
fn inside_small_disk(test: &str) -> Option<PathBuf> {
    if let Some(small) = std::env::var_os(SMALL) {
        return Some(PathBuf::from(small));
    }
    let small = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=256k tmpfs \"$0\" || exit 99";
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command.arg(small.path());
        command
    };
    let allowed = unshare(mount).output();
    if !allowed.as_ref().is_ok_and(|tried| tried.status.success()) {
        let required = std::env::var("TOUCHLINE_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|word| word == "unshare"), "{allowed:?}");
        let _ = writeln!(std::io::stderr(), "skipped: {test}: no small disk to be had (unshare)");
        return None;
    }
    let ran = unshare(&format!("{mount}; exec \"$@\""))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(SMALL, small.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    None
}

fn settings(dir: &Path, hot_dir: &Path) -> JournalSettings {
    let mut settings = JournalSettings::new(dir, "trading");
    settings.hot_dir = hot_dir.to_owned();
    settings.segment_bytes = 16 << 10;
    settings
}

/// Leaves `spare` bytes on the small disk.
fn ballast(small: &Path, spare: u64) -> PathBuf {
    let path = small.join("ballast");
    let mut file = File::create(&path).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    let whole = file.metadata().unwrap().len();
    file.set_len(whole - spare).unwrap();
    path
}

fn append(writer: &mut Writer) -> bool {
    writer.append(1, &[&writer.next_sequence().to_le_bytes(), &[7; 400]]).is_ok()
}

/// Appends until the journal refuses; gives the last sequence it took.
fn append_until_full(writer: &mut Writer, drain: &mut Drain) -> u64 {
    while append(writer) {
        drain.turn();
    }
    drain.turn();
    writer.next_sequence() - 1
}

/// The first `records` records are there; gives how it ends.
fn assert_holds(settings: &JournalSettings, records: u64) -> Tail {
    let mut reader = Reader::open(&settings.dir, &settings.hot_dir, "trading").unwrap();
    for sequence in 1..=records {
        let record = reader.next_record().unwrap().unwrap();
        assert_eq!(record.sequence, sequence);
        assert_eq!(record.payload[..8], sequence.to_le_bytes());
    }
    while reader.next_record().unwrap().is_some() {}
    reader.tail().unwrap().clone()
}

/// With space again, the writer goes on where it was refused, to a clean end.
fn goes_on(settings: &JournalSettings, mut writer: Writer, mut drain: Drain, appended: u64) {
    drain.turn();
    assert_eq!(writer.health(), JournalHealth::Good);
    assert_eq!(writer.synced(), appended);
    assert!(append(&mut writer));
    writer.close();
    drain.finish().unwrap();
    assert_eq!(assert_holds(settings, appended + 1), Tail::Clean);
}

#[test]
fn a_full_disk_stops_the_writer_until_there_is_space() {
    let test = "a_full_disk_stops_the_writer_until_there_is_space";
    let Some(small) = inside_small_disk(test) else { return };
    let hot = tempfile::tempdir().unwrap();
    let settings = settings(&small.join("journal"), hot.path());
    let Opened { mut writer, mut drain, .. } = create(&settings, Timestamp::ZERO).unwrap();
    let ballast = ballast(&small, 40 << 10);

    let appended = append_until_full(&mut writer, &mut drain);
    assert_eq!(writer.health(), JournalHealth::DiskFailing);
    let complaint = writer.state().complaint();
    assert!(complaint.contains("No space left") && complaint.contains("free space"), "{complaint}");
    assert!(writer.synced() < appended);
    assert!(appended * 432 > 80 << 10, "the hot segments were filled before it stopped");
    assert_eq!(assert_holds(&settings, appended), Tail::Open { hot: true });

    fs::remove_file(&ballast).unwrap();
    goes_on(&settings, writer, drain, appended);
}

#[test]
fn recovery_onto_a_full_disk_loses_nothing() {
    let Some(small) = inside_small_disk("recovery_onto_a_full_disk_loses_nothing") else { return };
    let hot = tempfile::tempdir().unwrap();
    let settings = settings(&small.join("journal"), hot.path());
    let Opened { mut writer, mut drain, .. } = create(&settings, Timestamp::ZERO).unwrap();
    let ballast = ballast(&small, 20 << 10);
    let appended = append_until_full(&mut writer, &mut drain);
    drop((writer, drain));

    for _ in 0..2 {
        let error = recover(&settings, Timestamp::ZERO, |_| {}).err().unwrap().to_string();
        assert!(error.contains("No space left") && error.contains("free space"), "{error}");
        assert_eq!(assert_holds(&settings, appended), Tail::Open { hot: true });
    }
    fs::remove_file(&ballast).unwrap();
    let recovered = recover(&settings, Timestamp::ZERO, |_| {}).unwrap();
    assert_eq!(recovered.records, appended);
    goes_on(&settings, recovered.opened.writer, recovered.opened.drain, appended);
}

#[test]
fn a_disk_full_at_the_start_is_refused() {
    let Some(small) = inside_small_disk("a_disk_full_at_the_start_is_refused") else { return };
    let hot = tempfile::tempdir().unwrap();
    let settings = settings(&small.join("journal"), hot.path());
    fs::create_dir(small.join("journal")).unwrap();
    let ballast = ballast(&small, 12 << 10);
    let error = create(&settings, Timestamp::ZERO).err().unwrap();
    let text = error.to_string();
    assert!(matches!(error, JournalError::DiskFull { needed: 16_384, .. }), "{text}");
    assert_eq!(fs::read_dir(hot.path()).unwrap().count(), 0);
    fs::remove_file(&ballast).unwrap();
    create(&settings, Timestamp::ZERO).unwrap();
}

#[test]
fn a_full_hot_directory_stops_the_writer_until_there_is_space() {
    let test = "a_full_hot_directory_stops_the_writer_until_there_is_space";
    let Some(small) = inside_small_disk(test) else { return };
    let disk = tempfile::tempdir().unwrap();
    let settings = settings(&disk.path().join("journal"), &small);
    let Opened { mut writer, mut drain, notice } = create(&settings, Timestamp::ZERO).unwrap();
    assert_eq!(notice, None, "a tmpfs with room");
    ballast(&small, 12 << 10);
    // A full segment makes room for the next, unless a slow reader still holds it open.
    let mut inside = fs::read_dir(&small).unwrap().map(|entry| entry.unwrap().path());
    let home = inside.find(|path| path.is_dir()).unwrap();
    let held = File::open(home.join("trading-00000001.hot")).unwrap();

    let appended = append_until_full(&mut writer, &mut drain);
    assert_eq!(writer.health(), JournalHealth::HotFailing);
    let complaint = writer.state().complaint();
    assert!(complaint.contains("No space left") && complaint.contains(".hot"), "{complaint}");
    assert_eq!(writer.synced(), appended, "the disk has all there is");
    assert_eq!(assert_holds(&settings, appended), Tail::Open { hot: true });

    drop(held);
    goes_on(&settings, writer, drain, appended);
}

#[test]
fn a_hot_directory_full_at_the_start_is_replaced_and_said() {
    let test = "a_hot_directory_full_at_the_start_is_replaced_and_said";
    let Some(small) = inside_small_disk(test) else { return };
    let disk = tempfile::tempdir().unwrap();
    // Room for one segment, not for two.
    ballast(&small, 24 << 10);
    let settings = settings(&disk.path().join("journal"), &small);
    let Opened { mut writer, mut drain, notice } = create(&settings, Timestamp::ZERO).unwrap();
    let notice = notice.unwrap();
    assert!(notice.contains("No space left") && notice.contains("stall"), "{notice}");
    for _ in 0..100 {
        assert!(append(&mut writer));
        drain.turn();
    }
    assert_eq!(assert_holds(&settings, 100), Tail::Open { hot: true });
}
