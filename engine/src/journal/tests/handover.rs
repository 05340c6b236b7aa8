//! Writer, copier and reader at once, and a disk or hot directory that refuses for a while.

use std::thread;
use std::time::Duration;

use super::super::{Copier, JournalHealth};
use super::*;

#[test]
fn writer_copier_and_reader_at_once() {
    const RECORDS: u64 = 100_000;
    let folders = Folders::new();
    let settings = JournalSettings { segment_bytes: 1 << 16, ..folders.settings() };
    let Opened { mut writer, drain, .. } = create(&settings, Timestamp::ZERO).unwrap();
    let copier = Copier::spawn(vec![drain], Duration::ZERO).unwrap();
    let state = writer.state();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut reader = Reader::open(&folders.dir, &folders.hot, NAME).unwrap();
            let mut read = 0;
            while read < RECORDS {
                let synced = state.synced();
                while let Some(record) = reader.next_record().unwrap() {
                    assert_payload(record.payload, &record);
                    read = record.sequence;
                }
                assert!(read >= synced, "what is synced can be read");
                thread::yield_now();
            }
        });
        for _ in 0..RECORDS {
            while append(&mut writer).is_err() {
                thread::yield_now();
            }
        }
        writer.close();
    });
    copier.finish().unwrap();
    assert_eq!(state.synced(), RECORDS + 1);
    assert_eq!(folders.read().unwrap(), (RECORDS + 1, Tail::Clean));
}

#[test]
fn one_copier_serves_two_streams() {
    let folders = Folders::new();
    let other = JournalSettings { name: "gateway".to_owned(), ..folders.settings() };
    let (mut first, first_drain) = folders.create();
    let Opened { writer: mut second, drain, .. } = create(&other, Timestamp::ZERO).unwrap();
    let copier = Copier::spawn(vec![first_drain, drain], Duration::ZERO).unwrap();
    for writer in [&mut first, &mut second] {
        for _ in 0..200 {
            while append(writer).is_err() {
                thread::yield_now();
            }
        }
    }
    first.close();
    drop(second);
    copier.finish().unwrap();
    assert_eq!(folders.read().unwrap(), (201, Tail::Clean));
    let mut reader = Reader::open(&folders.dir, &folders.hot, "gateway").unwrap();
    while reader.next_record().unwrap().is_some() {}
    assert_eq!(reader.next_sequence(), 201);
    assert_eq!(reader.tail(), Some(&Tail::Open { hot: true }), "left, and not closed");
}

#[test]
fn what_is_synced_is_on_disk() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    for appended in 1..=300 {
        append(&mut writer).unwrap();
        assert!(writer.synced() < appended);
        if appended % 7 == 0 {
            drain.turn();
            assert_eq!(writer.synced(), appended);
            assert_eq!(folders.copy_of_disk().read().unwrap().0, appended);
        }
    }
}

#[test]
fn a_disk_that_refuses_stops_the_writer_and_lets_it_go_on_when_mended() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    // A folder where the second segment's file should go.
    fs::create_dir(folders.segment(2)).unwrap();
    let mut fill = |writer: &mut Writer| {
        while append(writer).is_ok() {
            drain.turn();
        }
        drain.turn();
    };
    fill(&mut writer);
    assert_eq!(writer.health(), JournalHealth::DiskFailing);
    let complaint = writer.state().complaint();
    assert!(complaint.contains("trading-00000002.journal"), "{complaint}");
    assert!(writer.synced() < 110, "the second segment's records are not claimed");
    let refused_at = writer.next_sequence();
    assert!(refused_at > 200, "four segments were filled first");
    assert_eq!(fs::read_dir(folders.hot_home(&folders.dir)).unwrap().count(), 4);
    assert!(append(&mut writer).is_err() && !writer.has_room(60));

    fs::remove_dir(folders.segment(2)).unwrap();
    drain.turn();
    assert_eq!((writer.health(), writer.state().complaint()), (JournalHealth::Good, String::new()));
    assert_eq!(append(&mut writer), Ok(refused_at));
    writer.close();
    drain.finish().unwrap();
    assert_eq!(folders.read().unwrap(), (refused_at + 1, Tail::Clean));
}

#[test]
fn a_hot_directory_that_refuses_stops_the_writer_and_lets_it_go_on_when_mended() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    // A folder where the third hot segment should go.
    fs::create_dir(folders.hot_segment(3)).unwrap();
    while append(&mut writer).is_ok() {
        drain.turn();
    }
    assert_eq!(writer.health(), JournalHealth::HotFailing);
    let complaint = writer.state().complaint();
    assert!(complaint.contains("trading-00000003.hot"), "{complaint}");
    let refused_at = writer.next_sequence();
    assert_eq!(writer.synced(), refused_at - 1, "the disk has all there is");
    fs::remove_dir(folders.hot_segment(3)).unwrap();
    drain.turn();
    assert_eq!(append(&mut writer), Ok(refused_at));
    assert_eq!(writer.health(), JournalHealth::Good);
}
