//! The stores: file against memory, torn tails at every byte, damage, locks.

use crate::session::{FileStore, FrameKind, MemoryStore, OpenError, Store, StoreError};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::path::Path;

/// One recorded frame.
type Shown = (u64, FrameKind, Vec<u8>);

/// Everything a session could learn from a store.
fn all(store: &mut dyn Store) -> (u64, u64, Vec<Shown>) {
    let mut frames = Vec::new();
    store
        .outgoing(0, u64::MAX, &mut |seq, kind, frame| {
            frames.push((seq, kind, frame.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
    (store.next_outgoing(), store.next_incoming(), frames)
}

fn open(path: &Path) -> FileStore {
    FileStore::open(path, false).unwrap()
}

/// A store with two sent frames and two received numbers.
fn sample(path: &Path) {
    let mut store = open(path);
    store.record_outgoing(1, FrameKind::Session, b"logon").unwrap();
    store.record_incoming(1, b"x").unwrap();
    store.record_outgoing(2, FrameKind::Application, b"order").unwrap();
    store.record_incoming(2, b"y").unwrap();
}

#[test]
fn numbers_must_be_the_next_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = open(&folder.path().join("store"));
    let mut memory = MemoryStore::new(8, 64);
    for store in [&mut file as &mut dyn Store, &mut memory] {
        let wrong = Err(StoreError::OutOfOrder { expected: 1, found: 2 });
        assert_eq!(store.record_outgoing(2, FrameKind::Session, b"x"), wrong);
        assert_eq!(store.record_incoming(2, b"x"), wrong);
        assert!(store.is_new());
    }
}

#[test]
fn memory_refuses_when_full() {
    let mut store = MemoryStore::new(2, 10);
    store.record_outgoing(1, FrameKind::Session, b"12345678").unwrap();
    assert_eq!(store.record_outgoing(2, FrameKind::Session, b"123"), Err(StoreError::Full));
    store.record_outgoing(2, FrameKind::Session, b"12").unwrap();
    assert_eq!(store.record_outgoing(3, FrameKind::Session, b""), Err(StoreError::Full));
}

#[test]
fn a_torn_tail_at_every_byte_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    sample(&path);
    let whole = std::fs::read(&path).unwrap();
    let mut known = Vec::new();
    for len in 8..=whole.len() {
        std::fs::write(&path, &whole[..len]).unwrap();
        let mut store = open(&path);
        let state = all(&mut store);
        assert_eq!(std::fs::metadata(&path).unwrap().len() + store.cut(), len as u64);
        // It can be written on from there.
        let seq = store.next_outgoing();
        store.record_outgoing(seq, FrameKind::Application, b"after").unwrap();
        drop(store);
        assert_eq!(all(&mut open(&path)).0, seq + 1);
        if known.last() != Some(&state) {
            known.push(state);
        }
    }
    let numbers: Vec<_> = known.iter().map(|state| (state.0, state.1)).collect();
    assert_eq!(numbers, [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3)]);
}

#[test]
fn a_flipped_bit_in_the_middle_refuses_to_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    sample(&path);
    let whole = std::fs::read(&path).unwrap();
    // A received number at the end: 12 bytes of header, 9 of payload.
    let last_payload = whole.len() - 9;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        match FileStore::open(&path, false) {
            Err(OpenError::Magic(_)) => assert!(at < 8, "{at}"),
            Err(OpenError::Damaged { offset, .. }) => {
                assert!((8..last_payload).contains(&at) && offset <= at as u64, "{at}");
            }
            Ok(store) => assert!(at >= last_payload && store.cut() == 21, "{at}"),
            Err(error) => panic!("{at}: {error}"),
        }
    }
}

#[test]
fn two_writers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut first = open(&path);
    assert!(matches!(FileStore::open(&path, false), Err(OpenError::Locked(_))));
    first.reset(5, 6).unwrap();
    let error = FileStore::open(&path, false).unwrap_err();
    assert!(error.to_string().ends_with("is used by another process"), "{error}");
    drop(first);
    assert_eq!(all(&mut open(&path)), (5, 6, vec![]));
}

#[test]
fn what_is_no_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    std::fs::write(&path, b"somebody's letters").unwrap();
    assert!(matches!(FileStore::open(&path, false), Err(OpenError::Magic(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody's letters");
    assert!(matches!(FileStore::open(folder.path(), false), Err(OpenError::Io(..))));
}

#[test]
fn synced_records_read_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut store = FileStore::open(&path, true).unwrap();
    store.record_outgoing(1, FrameKind::Reject, b"frame").unwrap();
    let state = all(&mut store);
    drop(store);
    assert_eq!(all(&mut FileStore::open(&path, true).unwrap()), state);
}

#[derive(Clone, Debug)]
enum Step {
    Send(Vec<u8>, bool),
    Receive,
    Await(u64),
    Reset(u64, u64),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (prop::collection::vec(any::<u8>(), 0..40), any::<bool>())
            .prop_map(|(frame, app)| Step::Send(frame, app)),
        4 => Just(Step::Receive),
        1 => (1u64..100).prop_map(Step::Await),
        1 => (1u64..9, 1u64..9).prop_map(|(out, inn)| Step::Reset(out, inn)),
        2 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn file_equals_memory_over_reopenings(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let mut file = open(&path);
        let mut memory = MemoryStore::new(1000, 1 << 16);
        for step in steps {
            for store in [&mut file as &mut dyn Store, &mut memory] {
                match &step {
                    Step::Send(frame, app) => {
                        let kind =
                            if *app { FrameKind::Application } else { FrameKind::Session };
                        store.record_outgoing(store.next_outgoing(), kind, frame).unwrap();
                    }
                    Step::Receive => store.record_incoming(store.next_incoming(), b"").unwrap(),
                    Step::Await(seq) => store.set_next_incoming(*seq).unwrap(),
                    Step::Reset(out, inn) => store.reset(*out, *inn).unwrap(),
                    Step::Reopen => {}
                }
            }
            if matches!(step, Step::Reopen) {
                drop(file);
                file = open(&path);
                prop_assert_eq!(file.cut(), 0);
            }
            prop_assert_eq!(all(&mut file), all(&mut memory));
        }
    }
}
