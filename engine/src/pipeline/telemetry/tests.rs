//! Tests of the mailbox. The snapshots are tested where loops and feeds run.

use super::*;

#[test]
fn the_core_works_only_when_asked() {
    let (mut outbox, mut inbox) = mailbox(0, 0);
    assert!(outbox.offer(|snapshot| *snapshot = 1));
    assert!(!outbox.offer(|_| panic!("nobody asked")));
    assert_eq!((*inbox.current(), *inbox.latest()), (0, 1));
    assert!(outbox.offer(|snapshot| *snapshot = 2));
    assert_eq!((*inbox.latest(), *inbox.latest()), (2, 2));
}

#[test]
fn a_reader_never_sees_a_half() {
    let (mut outbox, mut inbox) = mailbox([0u64; 32], [0; 32]);
    let writer = std::thread::spawn(move || {
        let mut n = 0;
        while n < 1_000 {
            if outbox.offer(|snapshot| *snapshot = [n + 1; 32]) {
                n += 1;
            } else {
                std::thread::yield_now();
            }
        }
    });
    let mut last = 0;
    while last < 1_000 {
        let snapshot = inbox.latest();
        assert!(snapshot.iter().all(|&word| word == snapshot[0]));
        assert!(snapshot[0] >= last);
        last = snapshot[0];
        std::thread::yield_now();
    }
    writer.join().unwrap();
}

#[test]
fn a_renewed_snapshot_is_newer_than_the_question() {
    let (mut outbox, mut inbox) = mailbox(0, 0);
    let soon = || Instant::now() + Duration::from_millis(1);
    assert!(!inbox.renew(soon()));
    outbox.offer(|snapshot| *snapshot = 1);
    assert!(!inbox.renew(soon()), "it was filled before the question");
    let far = Instant::now() + Duration::from_secs(60);
    let core = std::thread::spawn(move || {
        while !outbox.offer(|snapshot| *snapshot = 2) {
            std::thread::yield_now();
        }
    });
    assert!(inbox.renew(far));
    assert_eq!(*inbox.current(), 2);
    core.join().unwrap();
}
