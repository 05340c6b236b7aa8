//! A kill at every step of writing, copying and rotating, and what recovery makes of it.

use super::*;

/// Recovers a journal killed after `appended` appends: all of them are there, and it goes on.
fn recovers(folders: &Folders, appended: u64) {
    let read = folders.read().unwrap();
    assert_eq!(read, (appended, Tail::Open { hot: true }));
    let recovered = folders.recover().unwrap();
    assert_eq!((recovered.records, &recovered.tail), (appended, &Tail::Open { hot: true }));
    let Opened { mut writer, mut drain, .. } = recovered.opened;
    // All of it is on disk by then, whatever becomes of the hot directory.
    assert_eq!(folders.copy_of_disk().read().unwrap().0, appended);
    for more in 1..=100 {
        assert_eq!(append(&mut writer), Ok(appended + more));
        drain.turn();
    }
    writer.close();
    drain.finish().unwrap();
    assert_eq!(folders.read().unwrap(), (appended + 101, Tail::Clean));
}

#[test]
fn killed_after_any_append_and_any_turn_of_the_copier() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    for appended in 1..=200 {
        append(&mut writer).unwrap();
        recovers(&folders.snapshot(), appended);
        match appended % 3 {
            0 => drain.turn(),
            1 => drain.land().unwrap(),
            _ => continue,
        }
        recovers(&folders.snapshot(), appended);
    }
}

#[test]
fn killed_with_several_segments_not_yet_on_disk() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    while append(&mut writer).is_ok() {}
    let appended = writer.next_sequence() - 1;
    recovers(&folders.snapshot(), appended);
    drain.land().unwrap();
    recovers(&folders.snapshot(), appended);
}

#[test]
fn killed_between_any_two_stores_of_an_append() {
    let folders = Folders::new();
    let (mut writer, _drain) = folders.create();
    for _ in 0..7 {
        append(&mut writer).unwrap();
    }
    let before = fs::read(folders.hot_segment(1)).unwrap();
    append(&mut writer).unwrap();
    let after = fs::read(folders.hot_segment(1)).unwrap();
    let start = before.iter().zip(&after).position(|(a, b)| a != b).unwrap() & !7;
    // The first word is stored last: until then any of the other bytes may be there or not.
    for written in (start + 8)..=(start + 24 + 56) {
        let killed = folders.snapshot();
        let mut bytes = before.clone();
        bytes[start + 8..written].copy_from_slice(&after[start + 8..written]);
        fs::write(killed.hot_segment(1), &bytes).unwrap();
        assert_eq!(killed.read().unwrap(), (7, Tail::Open { hot: true }));
    }
    recovers(&folders.snapshot(), 8);
}

#[test]
fn killed_during_rotation() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    let mut empty = Vec::new();
    while writer.next_sequence() < 2 || fs::read(folders.hot_segment(2)).unwrap()[0] == 0 {
        empty = fs::read(folders.hot_segment(2)).unwrap();
        append(&mut writer).unwrap();
    }
    let appended = writer.next_sequence() - 1;
    let begun = fs::read(folders.hot_segment(2)).unwrap();
    assert!(empty.iter().all(|byte| *byte == 0));

    // The first segment is full, the second has any part of its header but the word stored last.
    for written in 8..=64 {
        let killed = folders.snapshot();
        let mut bytes = empty.clone();
        bytes[8..written].copy_from_slice(&begun[8..written]);
        fs::write(killed.hot_segment(2), &bytes).unwrap();
        recovers(&killed, appended - 1);
    }
    // It has its header and no record.
    let killed = folders.snapshot();
    let mut bytes = begun.clone();
    bytes[64..].fill(0);
    fs::write(killed.hot_segment(2), &bytes).unwrap();
    recovers(&killed, appended - 1);
    // The copier died at any byte of the first segment's copy, or of the second's.
    drain.land().unwrap();
    let hot = folders.snapshot();
    fs::write(hot.hot_segment(1), {
        let mut whole = fs::read(hot.segment(1)).unwrap();
        whole.resize(4096, 0);
        whole
    })
    .unwrap();
    fs::remove_file(hot.segment(2)).unwrap();
    let first = fs::read(hot.segment(1)).unwrap();
    for cut in (0..first.len()).step_by(7) {
        let killed = hot.snapshot();
        fs::write(killed.segment(1), &first[..cut]).unwrap();
        recovers(&killed, appended);
    }
    for cut in 0..fs::read(folders.segment(2)).unwrap().len() {
        let killed = folders.snapshot();
        let second = fs::read(killed.segment(2)).unwrap();
        fs::write(killed.segment(2), &second[..cut]).unwrap();
        recovers(&killed, appended);
    }
}

#[test]
fn a_recovery_killed_halfway_is_recovered() {
    let folders = Folders::new();
    let (mut writer, _drain) = folders.create();
    while append(&mut writer).is_ok() {}
    let appended = writer.next_sequence() - 1;
    let mut killed = folders.snapshot();
    for _ in 0..3 {
        let recovered = killed.recover().unwrap();
        assert_eq!(recovered.records, appended);
        // Nothing was appended: a segment with a header only.
        let next = killed.snapshot();
        drop(recovered);
        killed = next;
    }
    recovers(&killed, appended);
}

#[test]
fn a_closed_stream_goes_on() {
    let folders = Folders::new();
    let (writer, drain) = folders.create();
    writer.close();
    drain.finish().unwrap();
    for run in 1..=5 {
        let recovered = folders.recover().unwrap();
        assert_eq!((recovered.records, recovered.tail), (run * 2 - 1, Tail::Clean));
        let Opened { mut writer, drain, .. } = recovered.opened;
        append(&mut writer).unwrap();
        writer.close();
        drain.finish().unwrap();
    }
    assert_eq!(folders.read().unwrap(), (11, Tail::Clean));
}

#[test]
fn a_lost_hot_part_is_said_and_a_foreign_one_refused() {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    append(&mut writer).unwrap();
    drain.turn();
    append(&mut writer).unwrap();
    let lost = folders.copy_of_disk();
    let recovered = lost.recover().unwrap();
    assert_eq!((recovered.records, recovered.tail), (1, Tail::Open { hot: false }));

    let killed = folders.snapshot();
    let other = Folders::new();
    let (_writer, _drain) = other.create();
    fs::copy(other.hot_segment(1), killed.hot_segment(1)).unwrap();
    let error = killed.recover().err().unwrap().to_string();
    assert!(error.contains("journal id") && error.contains(".hot"), "{error}");
    // What a deleted journal left in memory does not disturb a new one.
    fs::remove_file(killed.segment(1)).unwrap();
    let (mut writer, _drain) = killed.create();
    append(&mut writer).unwrap();
    assert_eq!(killed.read().unwrap(), (1, Tail::Open { hot: true }));
}
