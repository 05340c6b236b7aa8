//! What a journal looks like after a loss of power, a bad disk or a clumsy hand: torn at every byte,
//! flipped at every byte, with files gone or strange.

use super::super::{Fault, JournalError};
use super::*;

/// A journal of `records` records on disk, without its hot part; not closed.
fn on_disk(records: u64) -> Folders {
    let folders = Folders::new();
    let (mut writer, mut drain) = folders.create();
    for _ in 0..records {
        append(&mut writer).unwrap();
        drain.turn();
    }
    folders.copy_of_disk()
}

/// Recovers, goes on for one record, and reads all again.
fn goes_on_after(folders: &Folders, kept: u64, torn: bool) {
    let recovered = folders.recover().unwrap();
    assert_eq!(recovered.records, kept);
    assert_eq!(matches!(recovered.tail, Tail::Torn { .. }), torn);
    let Opened { mut writer, drain, .. } = recovered.opened;
    assert_eq!(append(&mut writer), Ok(kept + 1));
    writer.close();
    drain.finish().unwrap();
    assert_eq!(folders.read().unwrap(), (kept + 2, Tail::Clean));
}

#[test]
fn torn_at_every_byte_of_the_last_record() {
    let folders = on_disk(8);
    let whole = fs::read(folders.segment(1)).unwrap();
    let last = whole.len() - (24 + 56);
    for cut in last..=whole.len() {
        fs::write(folders.segment(1), &whole[..cut]).unwrap();
        let (records, tail) = folders.read().unwrap();
        if cut == last || cut == whole.len() {
            assert_eq!(tail, Tail::Open { hot: false });
            assert_eq!(records, if cut == last { 7 } else { 8 });
        } else {
            assert_eq!(records, 7);
            let Tail::Torn { sequence, segment, offset, bytes, reason } = tail else {
                panic!("cut at {cut}: {tail}");
            };
            assert_eq!((sequence, segment, offset), (8, 1, last as u64));
            assert_eq!(bytes, (cut - last) as u64);
            assert!(matches!(reason, Fault::Short { .. }));
        }
        let torn = cut != last && cut != whole.len();
        goes_on_after(&folders.copy_of_disk(), records, torn);
    }
}

#[test]
fn zeros_from_every_byte_of_the_last_record() {
    let folders = on_disk(8);
    let mut bytes = fs::read(folders.segment(1)).unwrap();
    let (last, end) = (bytes.len() - (24 + 56), bytes.len() - 8);
    assert_ne!(bytes[end], 0, "the last byte that is zeroed was another");
    for from in (last..=end).rev() {
        bytes[from..].fill(0);
        fs::write(folders.segment(1), &bytes).unwrap();
        let (records, tail) = folders.read().unwrap();
        assert_eq!(records, 7);
        assert!(matches!(tail, Tail::Torn { sequence: 8, .. }), "{tail}");
    }
    goes_on_after(&folders, 7, true);
}

#[test]
fn torn_at_every_byte_of_the_first_header_and_of_a_later_one() {
    let folders = on_disk(150);
    let whole = fs::read(folders.segment(2)).unwrap();
    let (before, _) = {
        fs::remove_file(folders.segment(2)).unwrap();
        for index in 3.. {
            if fs::remove_file(folders.segment(index)).is_err() {
                break;
            }
        }
        folders.read().unwrap()
    };
    for cut in 0..64 {
        fs::write(folders.segment(2), &whole[..cut]).unwrap();
        let (records, tail) = folders.read().unwrap();
        assert_eq!(records, before);
        assert!(matches!(tail, Tail::Torn { segment: 2, offset: 0, .. }), "{tail}");
    }
    goes_on_after(&folders, before, true);

    let folders = on_disk(0);
    let header = fs::read(folders.segment(1)).unwrap();
    for cut in 0..64 {
        let folders = folders.copy_of_disk();
        fs::write(folders.segment(1), &header[..cut]).unwrap();
        assert_eq!(folders.read().unwrap().0, 0);
        goes_on_after(&folders, 0, true);
    }
}

#[test]
fn a_flipped_bit_at_every_byte_is_found() {
    let folders = on_disk(110);
    assert!(folders.segment(2).exists() && !folders.segment(3).exists());
    let closing = 24 + payload(110).len().next_multiple_of(8);
    for index in [1, 2] {
        let path = folders.segment(index);
        let whole = fs::read(&path).unwrap();
        let torn_from = if index == 2 { whole.len() - closing } else { whole.len() };
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).unwrap();
            match folders.read() {
                // Nothing tells a flipped bit in the very last record from a torn one.
                Ok((records, tail)) => {
                    assert!(at >= torn_from, "a flip at {at} of segment {index} went unseen");
                    assert_eq!(records, 109);
                    assert!(matches!(tail, Tail::Torn { sequence: 110, .. }));
                }
                Err(error) => {
                    assert!(at < torn_from, "{error}");
                    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
                    assert!(at < 64 || matches!(error, JournalError::Damaged { .. }), "{error}");
                }
            }
        }
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn damage_names_file_offset_and_sequence_and_is_not_recovered() {
    let folders = on_disk(60);
    let mut bytes = fs::read(folders.segment(1)).unwrap();
    // Record 1 holds 7 bytes and ends at 64 + 32.
    bytes[64 + 32 + 30] ^= 4;
    fs::write(folders.segment(1), &bytes).unwrap();
    let error = folders.recover().err().unwrap();
    let JournalError::Damaged { ref path, offset: 96, sequence: 2, fault: Fault::Crc { .. } } =
        error
    else {
        panic!("{error}");
    };
    assert_eq!(path, &folders.segment(1));
    let text = error.to_string();
    assert!(text.contains("byte 96") && text.contains("record 2"), "{text}");
    assert_eq!(fs::read(folders.segment(1)).unwrap(), bytes, "nothing was cut");
}

#[test]
fn an_end_cut_off_a_segment_in_the_middle_is_damage() {
    let folders = on_disk(150);
    let whole = fs::read(folders.segment(1)).unwrap();
    for cut in [whole.len() - 1, whole.len() - 8, 65, 64, 63, 0] {
        fs::write(folders.segment(1), &whole[..cut]).unwrap();
        let error = folders.read().expect_err("a piece is missing").to_string();
        assert!(error.contains(".journal"), "{error}");
        assert!(folders.recover().is_err());
    }
}

#[test]
fn a_missing_segment_is_named() {
    let folders = on_disk(300);
    fs::remove_file(folders.segment(3)).unwrap();
    for error in [folders.read().err().unwrap(), folders.recover().err().unwrap()] {
        let JournalError::Missing { ref path } = error else { panic!("{error}") };
        assert_eq!(path, &folders.segment(3));
    }
    let folders = on_disk(300);
    fs::remove_file(folders.segment(1)).unwrap();
    assert!(matches!(folders.read(), Err(JournalError::Missing { .. })));
}

#[test]
fn a_segment_of_another_place_version_or_journal_is_refused() {
    let folders = on_disk(150);
    let (first, second) = (folders.segment(1), folders.segment(2));
    let whole = fs::read(&second).unwrap();
    let refused = |bytes: &[u8], why: &str| {
        fs::write(&second, bytes).unwrap();
        let error = folders.read().expect_err(why).to_string();
        assert!(error.contains(why) && error.contains("00000002.journal"), "{error}");
    };
    refused(&fs::read(&first).unwrap(), "segment index");
    refused(&fs::read(on_disk(150).segment(2)).unwrap(), "journal id");
    refused(
        b"something else altogether, and longer than the header of a segment is",
        "not a journal",
    );
    let mut later = whole.clone();
    later[8] = 2;
    refused(&later, "version 2");
    fs::write(&second, &whole).unwrap();
    folders.read().unwrap();
    fs::rename(&first, folders.dir.join("gateway-00000001.journal")).unwrap();
    let error = Reader::open(&folders.dir, &folders.hot, "gateway").err().unwrap();
    assert!(error.to_string().contains("stream"), "{error}");
}

#[test]
fn any_bytes_are_read_without_panic() {
    let folders = on_disk(30);
    let whole = fs::read(folders.segment(1)).unwrap();
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    for _ in 0..3000 {
        let mut bytes = whole.clone();
        for _ in 0..1 + random() % 4 {
            let at = 64 + random() % (bytes.len() - 64);
            let end = (at + 1 + random() % 40).min(bytes.len());
            let value = [0, 0xFF, 1, 0x18][random() % 4];
            bytes[at..end].fill(value);
        }
        bytes.truncate(64 + random() % (bytes.len() - 63));
        fs::write(folders.segment(1), &bytes).unwrap();
        // An intact prefix or an error; `read` checks each payload it gets.
        let _ = folders.read();
    }
}
