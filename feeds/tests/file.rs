//! BinaryFILE: plain and packed, damaged in every way, and the session file that outlives its writer.

mod common;

use feeds::file::{FileError, Opened, Reader, SessionFile};
use feeds::moldudp64::MessageStore;
use feeds::recording::Input;
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};

fn framed(messages: &[&[u8]]) -> Vec<u8> {
    let frame = |message: &&[u8]| [&(message.len() as u16).to_be_bytes(), *message].concat();
    messages.iter().flat_map(frame).collect()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn read_all<R: Read>(mut reader: Reader<R>) -> (Vec<Vec<u8>>, Option<FileError>) {
    let mut messages = Vec::new();
    loop {
        match reader.next_message() {
            Ok(Some(message)) => messages.push(message.to_vec()),
            Ok(None) => return (messages, None),
            Err(error) => return (messages, Some(error)),
        }
    }
}

fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, Option<FileError>) {
    read_all(Reader::new(Input::new(bytes).unwrap()))
}

/// Gives its bytes one at a time, and is interrupted before each.
struct Dribble<'a>(&'a [u8], bool);

impl Read for Dribble<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let take = into.len().min(1);
        self.0.read(&mut into[..take])
    }
}

#[test]
fn plain_packed_and_packed_in_parts_read_alike() {
    let messages: Vec<Vec<u8>> = (1..2000usize).map(|n| vec![n as u8; n]).collect();
    let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let plain = framed(&slices);
    let (first, second) = plain.split_at(plain.len() / 3);
    let parts = [packed(first), packed(second)].concat();
    for file in [&plain, &packed(&plain), &parts] {
        let (found, error) = read(file);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(found, messages);
    }
}

#[test]
fn short_reads_and_interrupts_are_nothing() {
    let file = packed(&framed(&[b"one", b"two", &[7; 65_535]]));
    let (found, error) = read_all(Reader::new(Input::new(Dribble(&file, false)).unwrap()));
    assert!(error.is_none());
    assert_eq!(found, [b"one".to_vec(), b"two".to_vec(), vec![7; 65_535]]);
}

#[test]
fn an_empty_file_has_no_messages_and_a_zero_ends_the_session() {
    assert!(matches!(read(b""), (messages, None) if messages.is_empty()));
    assert!(matches!(read(b"\0\x01a\0\0"), (messages, None) if messages == [b"a"]));
}

#[test]
fn bad_input_zero_length_is_refused_where_it_stands() {
    let (messages, error) = read(b"\0\x01a\0\0S\0\0");
    assert_eq!(messages, [b"a"]);
    assert!(matches!(error, Some(FileError::ZeroLength { message: 2, offset: 3 })), "{error:?}");
    assert!(error.unwrap().to_string().contains("at byte 3: message 2 has length 0"));
}

#[test]
fn bad_input_torn_tail_at_every_byte() {
    let whole = framed(&[b"first", b"second"]);
    for length in 8..whole.len() {
        let (messages, error) = read(&whole[..length]);
        assert_eq!(messages, [b"first"]);
        let Some(FileError::Torn { message: 2, offset: 7, found, wanted }) = error else {
            panic!("{error:?}");
        };
        assert_eq!((found, wanted), (length - 7, if length == 8 { 2 } else { 8 }));
    }
}

#[test]
fn bad_input_damaged_packing_says_where() {
    let mut file = packed(&framed(&[&[1; 500], &[2; 500]]));
    file.truncate(file.len() - 9);
    let (_, error) = read(&file);
    assert!(matches!(error, Some(FileError::Io { .. })), "{error:?}");
}

#[test]
fn a_session_file_keeps_its_messages_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session");
    let message = |n: u64| format!("message {n} {}", "x".repeat((n * 7919 % 900) as usize));
    let mut next = 1;
    for _ in 0..4 {
        let Opened { mut file, cut } = SessionFile::open(&path).unwrap();
        assert_eq!((file.next_sequence(), cut), (next, 0));
        for _ in 0..300 {
            file.append(message(next).as_bytes()).unwrap();
            assert_eq!(file.message(next), None, "not committed");
            next += 1;
            if next % 5 == 0 {
                file.commit().unwrap();
            }
        }
        file.commit().unwrap();
        // Forwards, backwards, and by leaps.
        let forwards = 1..next;
        for sequence in forwards.clone().chain(forwards.clone().rev()).chain(forwards.step_by(97)) {
            assert_eq!(file.message(sequence), Some(message(sequence).as_bytes()));
        }
        for sequence in [0, next, u64::MAX] {
            assert_eq!(file.message(sequence), None);
        }
    }
    assert_eq!(read(&std::fs::read(&path).unwrap()).0.len() as u64, next - 1);
}

#[test]
fn a_torn_tail_is_cut_at_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session");
    let whole = framed(&[b"first", b"second"]);
    for length in 7..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let Opened { mut file, cut } = SessionFile::open(&path).unwrap();
        assert_eq!((file.next_sequence(), cut), (2, length as u64 - 7));
        file.append(b"other").unwrap();
        file.commit().unwrap();
        assert_eq!(file.message(2), Some(&b"other"[..]));
        assert_eq!(std::fs::read(&path).unwrap(), framed(&[b"first", b"other"]));
    }
}

#[test]
fn damaged_and_packed_files_are_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session");
    for bytes in [b"\0\x01a\0\0\0\x01b".to_vec(), packed(&framed(&[b"a"]))] {
        std::fs::write(&path, &bytes).unwrap();
        assert!(SessionFile::open(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn a_session_file_refuses_what_it_cannot_keep() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = SessionFile::open(&folder.path().join("session")).unwrap().file;
    assert!(file.append(b"").is_err());
    assert!(file.append(&[0; 65_536]).is_err());
    file.append(&[1; 65_535]).unwrap();
    file.commit().unwrap();
    assert_eq!(file.message(1), Some(&[1; 65_535][..]));
}

#[test]
fn another_writer_cutting_the_file_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session");
    let mut file = SessionFile::open(&path).unwrap().file;
    file.append(b"gone").unwrap();
    file.commit().unwrap();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    assert_eq!(file.message(1), None);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        feeds::fuzz::file(&bytes);
        feeds::fuzz::file(&[&[0x1f, 0x8b], bytes.as_slice()].concat());
        feeds::fuzz::recording(&bytes);
        feeds::fuzz::recording(&packed(&bytes));
    }
}
