//! Records go in and come out: round trips, rotation, room, reading while it is written.

use super::super::{Durability, Full, JournalError, JournalHealth, Position, exists};
use super::*;

#[test]
fn what_is_appended_is_read_back_over_many_segments() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    for expected in 1..=1000 {
        assert_eq!(append(&mut writer), Ok(expected));
        drain.turn();
        assert_eq!(writer.synced(), expected);
    }
    writer.close();
    drain.finish().unwrap();
    assert_eq!(folders.read().unwrap(), (1001, Tail::Clean));
    assert!(folders.segment(10).exists(), "a thousand records fill more than ten segments");
    assert_eq!(folders.copy_of_disk().read().unwrap(), (1001, Tail::Clean));
    assert_eq!(fs::read_dir(&folders.hot).unwrap().count(), 0, "nothing hot is left");
}

#[test]
fn the_bytes_are_the_specified_ones() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    writer.append(0x0102, &[b"abc", b"defgh", b"i"]).unwrap();
    drain.turn();
    let bytes = fs::read(folders.segment(1)).unwrap();
    assert_eq!(&bytes[..12], b"TLJOURN1\x01\0\0\0");
    assert_eq!(&bytes[24..40], b"\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0");
    assert_eq!(&bytes[48..64], b"trading\0\0\0\0\0\0\0\0\0");
    // length 33, then the CRC, then sequence 1, kind, payload and padding.
    assert_eq!(&bytes[64..68], &33_u32.to_le_bytes());
    assert_eq!(&bytes[72..104], b"\x01\0\0\0\0\0\0\0\x02\x01\0\0\0\0\0\0abcdefghi\0\0\0\0\0\0\0");
    // From Python: zlib.crc32(bytes[72:104], 33).
    assert_eq!(&bytes[68..72], &0x3123_9cbc_u32.to_le_bytes());
    assert_eq!(bytes.len(), 104);
}

#[test]
fn a_reader_follows_a_living_writer() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    let mut reader = Reader::open(&folders.dir, &folders.hot, NAME).unwrap();
    for sequence in 1..=500 {
        assert!(reader.next_record().unwrap().is_none());
        assert_eq!(reader.tail(), Some(&Tail::Open { hot: true }));
        append(&mut writer).unwrap();
        // Sometimes it comes from the hot file, sometimes from the disk.
        if sequence % 3 == 0 {
            drain.turn();
        }
        let record = reader.next_record().unwrap().unwrap();
        assert_eq!((record.sequence, record.payload), (sequence, &payload(sequence)[..]));
        assert!(record.position >= Position { segment: 1, offset: 64 });
    }
    writer.close();
    drain.finish().unwrap();
    assert_eq!(reader.next_record().unwrap().unwrap().sequence, 501);
    assert!(reader.next_record().unwrap().is_none());
    assert_eq!(reader.tail(), Some(&Tail::Clean));
}

#[test]
fn a_later_segment_is_read_without_the_ones_before_it() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    for _ in 0..300 {
        append(&mut writer).unwrap();
        drain.turn();
    }
    fs::remove_file(folders.segment(1)).unwrap();
    let mut reader = Reader::open_at(&folders.dir, &folders.hot, NAME, 2).unwrap();
    let first = reader.next_sequence();
    assert!(first > 1);
    let record = reader.next_record().unwrap().unwrap();
    assert_eq!((record.sequence, record.payload), (first, &payload(first)[..]));
    let mut last = first;
    while let Some(record) = reader.next_record().unwrap() {
        last = record.sequence;
    }
    assert_eq!(last, 300);
}

#[test]
fn a_draft_is_written_in_place_and_leaves_nothing_when_dropped() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    for sequence in 1..=200 {
        // What a dropped draft left behind must not look like a record later.
        writer.draft(KIND, 200).unwrap().payload().fill(0xFF);
        let payload = payload(sequence);
        let mut draft = writer.draft(KIND, 150).unwrap();
        draft.payload().fill(0xEE);
        draft.payload()[..payload.len()].copy_from_slice(&payload);
        assert_eq!(draft.commit(payload.len()), sequence);
        assert_eq!(folders.read().unwrap(), (sequence, Tail::Open { hot: true }));
        drain.turn();
    }
}

#[test]
fn a_place_made_ready_holds_nothing_and_spoils_nothing() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    for sequence in 1..=200 {
        writer.make_ready();
        writer.draft(KIND, 200).unwrap().payload().fill(0xFF);
        writer.make_ready();
        assert_eq!(append(&mut writer), Ok(sequence));
        writer.make_ready();
        assert_eq!(folders.read().unwrap(), (sequence, Tail::Open { hot: true }));
        drain.turn();
    }
    assert!(folders.segment(2).exists(), "also at the ends of segments");
}

#[test]
fn without_a_next_segment_the_writer_is_full_and_says_so_beforehand() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    let refused = loop {
        let (roomy, room, payload) = (writer.has_room(100), writer.room(), [7; 100]);
        match writer.append(KIND, &[&payload]) {
            Ok(_) => assert!(roomy && room >= 128),
            Err(full) => {
                assert!(!roomy);
                break full;
            }
        }
    };
    assert_eq!(refused, Full { needed: 128 });
    assert_eq!(writer.next_sequence(), 63, "two segments of 31 records");
    drain.turn();
    assert!(writer.has_room(100));
    assert_eq!(writer.append(KIND, &[&[7; 100]]), Ok(63));
    // A record larger than a segment never fits, and takes nothing.
    let largest = writer.max_payload();
    drain.turn();
    assert!(writer.has_room(largest) && !writer.has_room(largest + 1));
    assert!(writer.append(KIND, &[&vec![0; largest + 1]]).is_err());
    assert!(writer.draft(KIND, usize::MAX).is_err());
    assert_eq!(writer.append(KIND, &[&vec![0; largest]]), Ok(64));
    writer.close();
    drain.finish().unwrap();
}

#[test]
fn a_record_is_durable_at_once_or_when_synced_as_the_setting_says() {
    let folders = Folders::new();
    let (mut writer, drain) = folders.create();
    assert!(!writer.is_durable(1));
    append(&mut writer).unwrap();
    assert!(writer.is_durable(1) && writer.synced() == 0);
    drop((writer, drain));

    let folders = Folders::new();
    let settings = JournalSettings { durability: Durability::Power, ..folders.settings() };
    let Opened { mut writer, mut drain, .. } = create(&settings, Timestamp::ZERO).unwrap();
    append(&mut writer).unwrap();
    assert!(!writer.is_durable(1));
    drain.turn();
    assert!(writer.is_durable(1) && !writer.is_durable(2));
    assert_eq!(writer.state().health(), JournalHealth::Good);
    drop(drain);
    assert_eq!(writer.health(), JournalHealth::Stopped);
}

#[test]
fn bad_settings_are_refused_with_their_range() {
    let folders = Folders::new();
    for bytes in [0, 4095, (1 << 30) + 1, u64::MAX] {
        let settings = JournalSettings { segment_bytes: bytes, ..folders.settings() };
        let error = create(&settings, Timestamp::ZERO).err().unwrap().to_string();
        assert!(error.contains("segment_bytes") && error.contains(&bytes.to_string()), "{error}");
    }
    for name in ["", "Trading", "a/b", "..", "a-b", "seventeen_letters"] {
        let settings = JournalSettings { name: name.to_owned(), ..folders.settings() };
        let error = create(&settings, Timestamp::ZERO).err().unwrap();
        assert!(matches!(error, JournalError::Setting { key: "name", .. }), "{error}");
    }
    assert!(!exists(&folders.dir, NAME).unwrap());
    let error = Reader::open(&folders.dir, &folders.hot, NAME).err().unwrap();
    assert!(matches!(error, JournalError::NotFound { .. }));
}

#[test]
fn a_journal_has_one_writer_and_names_it() {
    let folders = Folders::new();
    let (writer, drain) = folders.create();
    assert!(exists(&folders.dir, NAME).unwrap());
    for error in [
        folders.recover().err().unwrap(),
        create(&folders.settings(), Timestamp::ZERO).err().unwrap(),
    ] {
        let text = error.to_string();
        assert!(matches!(error, JournalError::Locked { .. }), "{text}");
        assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    }
    // The other stream in the same folder is free.
    let other = JournalSettings { name: "gateway".to_owned(), ..folders.settings() };
    let other = create(&other, Timestamp::ZERO).unwrap();
    drop((other, writer, drain));
    let error = create(&folders.settings(), Timestamp::ZERO).err().unwrap();
    assert!(matches!(error, JournalError::Exists { .. }), "{error}");
    folders.recover().unwrap();
}

#[test]
fn a_hot_folder_that_is_not_ours_is_not_used() {
    let folders = Folders::new();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folders.hot_home(&folders.dir)).unwrap();
    let Opened { mut writer, notice, .. } = create(&folders.settings(), Timestamp::ZERO).unwrap();
    let notice = notice.unwrap();
    assert!(notice.contains("belongs to someone else"), "{notice}");
    append(&mut writer).unwrap();
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert_eq!(folders.read().unwrap(), (1, Tail::Open { hot: true }));
}

#[test]
fn without_a_hot_directory_the_disk_takes_its_place_and_says_what_it_costs() {
    let folders = Folders::new();
    fs::remove_dir(&folders.hot).unwrap();
    let Opened { mut writer, mut drain, notice } =
        create(&folders.settings(), Timestamp::ZERO).unwrap();
    let notice = notice.unwrap();
    assert!(notice.contains("stall") && notice.contains("hot"), "{notice}");
    for _ in 0..150 {
        append(&mut writer).unwrap();
        drain.turn();
    }
    append(&mut writer).unwrap();
    drop((writer, drain));
    // The hot file is found beside the others: the last record was never copied.
    assert_eq!(folders.read().unwrap(), (151, Tail::Open { hot: true }));
    let recovered = folders.recover().unwrap();
    assert_eq!(recovered.records, 151);
    recovered.opened.writer.close();
    recovered.opened.drain.finish().unwrap();
    assert_eq!(folders.read().unwrap(), (152, Tail::Clean));
}
