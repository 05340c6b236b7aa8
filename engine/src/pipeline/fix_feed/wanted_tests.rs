//! What is asked for, when, and what becomes of it, in virtual time.

use super::*;
use std::collections::BTreeSet;

const MANNER: Manner = Manner {
    definitions: false,
    trades_apart: false,
    every: Nanos::from_millis(100),
    answer_within: Nanos::from_secs(10),
};

fn at(millis: u64) -> Timestamp {
    Timestamp::from_nanos(1_750_000_000_000_000_000).after(Nanos::from_millis(millis))
}

/// The wishes, the books that are whole, and what was asked so far.
struct Lab {
    wanted: Wanted,
    whole: BTreeSet<usize>,
    asked: Vec<(u64, usize, Ask, u64)>,
}

impl Lab {
    fn new(instruments: usize, manner: Manner) -> Lab {
        let mut wanted = Wanted::new(instruments, manner);
        assert_eq!(wanted.next(at(0), |_| false), None, "nothing before the session");
        wanted.begin();
        Lab { wanted, whole: BTreeSet::new(), asked: Vec::new() }
    }

    /// From one millisecond to another; what was asked in that time, without ids.
    fn run(&mut self, from: u64, to: u64) -> Vec<(u64, usize, Ask)> {
        let before = self.asked.len();
        for now in from..to {
            if let Some(next) = self.wanted.next(at(now), |place| self.whole.contains(&place)) {
                let seq = 2 + self.asked.len() as u64;
                self.wanted.asked(at(now), next, seq);
                self.asked.push((now, next.place, next.ask, next.id));
            }
        }
        self.asked[before..].iter().map(|&(now, place, ask, _)| (now, place, ask)).collect()
    }
}

#[test]
fn requests_keep_their_distance_and_wait_for_answers() {
    let mut lab = Lab::new(3, MANNER);
    let first = [(0, 0, Ask::Book), (100, 1, Ask::Book), (200, 2, Ask::Book)];
    assert_eq!(lab.run(0, 5_000), first);
    lab.whole.extend([0, 2]);
    // The one that was not answered is ended and asked for again.
    assert_eq!(lab.run(5_000, 10_350), [(10_100, 1, Ask::End), (10_200, 1, Ask::Book)]);
    let ids: Vec<_> = lab.asked.iter().map(|asked| asked.3).collect();
    assert_eq!(ids, [1, 2, 3, 2, 4], "the end names what it ends");
}

#[test]
fn a_book_that_is_lost_is_asked_for_at_once_but_not_all_the_time() {
    let mut lab = Lab::new(1, MANNER);
    lab.run(0, 10);
    lab.whole.insert(0);
    assert_eq!(lab.run(10, 3_000), []);
    lab.whole.clear();
    let again = lab.run(3_000, 3_300);
    assert_eq!(again.iter().map(|asked| asked.2).collect::<Vec<_>>(), [Ask::End, Ask::Book]);
    // Whole for a moment, lost at once, for ever: once a second.
    for now in (3_300..13_300).step_by(170) {
        lab.whole.insert(0);
        lab.run(now, now + 110);
        lab.whole.clear();
        lab.run(now + 110, now + 170);
    }
    let books = lab.asked.iter().filter(|asked| asked.2 == Ask::Book).count();
    assert!((8..=12).contains(&books), "{books} in ten seconds");
}

#[test]
fn a_refusal_is_of_its_request_and_heals_after_a_while() {
    let mut lab = Lab::new(2, MANNER);
    lab.run(0, 200);
    assert_eq!(lab.wanted.refused(at(200), Some(9), None), None, "none of ours");
    assert_eq!(lab.wanted.refused(at(200), None, Some(9)), None);
    assert_eq!(lab.wanted.refused(at(200), Some(1), None), Some(0), "by id");
    assert_eq!(lab.wanted.refused(at(200), None, Some(3)), Some(1), "by number");
    assert_eq!(lab.run(200, 60_190), []);
    // There is nothing to end.
    assert_eq!(lab.run(60_190, 60_400), [(60_200, 1, Ask::Book), (60_300, 0, Ask::Book)]);
}

#[test]
fn definitions_come_first_and_bar_what_does_not_fit() {
    let mut lab = Lab::new(2, Manner { definitions: true, ..MANNER });
    assert_eq!(lab.run(0, 1_000), [(0, 0, Ask::Definition), (100, 1, Ask::Definition)]);
    assert_eq!((lab.wanted.definition(2), lab.wanted.definition(3)), (Some(1), None));
    lab.wanted.defined(at(1_000), 0, false);
    lab.wanted.defined(at(1_000), 1, true);
    assert_eq!(lab.run(1_000, 9_000), [(1_000, 1, Ask::Book)]);
    // One that does not come is asked for again, not passed over.
    let mut lab = Lab::new(1, Manner { definitions: true, ..MANNER });
    let asked: Vec<_> = lab.run(0, 25_000).iter().map(|asked| asked.2).collect();
    assert_eq!(asked, [Ask::Definition; 3]);
}

#[test]
fn trades_apart_are_asked_for_once_a_session() {
    let mut lab = Lab::new(1, Manner { trades_apart: true, ..MANNER });
    assert_eq!(lab.run(0, 200), [(0, 0, Ask::Book)]);
    lab.whole.insert(0);
    assert_eq!(lab.run(200, 2_000).len(), 1);
    assert_eq!(lab.asked[1].2, Ask::Trades);
    assert_eq!(lab.wanted.refused(at(2_000), Some(lab.asked[1].3), None), None, "no book is lost");
    assert_eq!(lab.run(2_000, 90_000), []);
    lab.wanted.end();
    lab.whole.clear();
    assert_eq!(lab.run(90_000, 91_000), []);
    lab.wanted.begin();
    assert_eq!(lab.run(91_000, 91_100), [(91_000, 0, Ask::Book)]);
    assert_eq!(lab.asked[2].3, 3, "ids go on");
}
