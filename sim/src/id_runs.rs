//! The request ids an account has used, as runs of consecutive ids.
//!
//! An id counted as new must never have been used; the reverse error, refusing a new id, may
//! happen only when the table is full.

use market::StateHasher;

/// Used ids: disjoint, ascending, inclusive runs.
#[derive(Clone, Debug)]
pub(crate) struct IdRuns {
    runs: Vec<(u64, u64)>,
    capacity: usize,
}

/// What [`IdRuns::note`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    /// New, and remembered now.
    New,
    /// Used before.
    Used,
    /// Perhaps new, but there is no room to remember it.
    Full,
}

impl IdRuns {
    pub(crate) fn new(capacity: usize) -> Self {
        IdRuns { runs: Vec::with_capacity(capacity), capacity }
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        let after = self.runs.partition_point(|run| run.0 <= id);
        after > 0 && id <= self.runs[after - 1].1
    }

    /// Remembers `id`. Full, an id above all others stretches the last run over the ids between:
    /// those then count as used.
    pub(crate) fn note(&mut self, id: u64) -> Noted {
        let after = match self.runs.last() {
            Some(last) if id < last.0 => self.runs.partition_point(|run| run.0 <= id),
            _ => self.runs.len(),
        };
        if after > 0 {
            let before = &mut self.runs[after - 1];
            if id <= before.1 {
                return Noted::Used;
            }
            if before.1 + 1 == id {
                before.1 = id;
                self.join(after);
                return Noted::New;
            }
        }
        if let Some(next) = self.runs.get_mut(after).filter(|next| next.0 == id + 1) {
            next.0 = id;
            return Noted::New;
        }
        if self.runs.len() < self.capacity {
            self.runs.insert(after, (id, id));
            return Noted::New;
        }
        if after < self.runs.len() {
            return Noted::Full;
        }
        self.runs[after - 1].1 = id;
        Noted::New
    }

    /// Joins run `at` to the one before it if they touch.
    fn join(&mut self, at: usize) {
        if self.runs.get(at).is_some_and(|next| self.runs[at - 1].1 + 1 == next.0) {
            self.runs[at - 1].1 = self.runs.remove(at).1;
        }
    }

    pub(crate) fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.word(self.runs.len() as u64);
        for &(low, high) in &self.runs {
            hasher.word(low);
            hasher.word(high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn equals_a_set_while_there_is_room(ids in prop::collection::vec(1u64..60, 0..120)) {
            let mut runs = IdRuns::new(64);
            let mut set = BTreeSet::new();
            for id in ids {
                let expected = if set.insert(id) { Noted::New } else { Noted::Used };
                prop_assert_eq!(runs.note(id), expected);
                for probe in 0..62 {
                    prop_assert_eq!(runs.contains(probe), set.contains(&probe));
                }
            }
        }

        #[test]
        fn full_never_takes_a_used_id_for_new(ids in prop::collection::vec(1u64..60, 0..120)) {
            let mut runs = IdRuns::new(3);
            let mut set = BTreeSet::new();
            for id in ids {
                if runs.note(id) == Noted::New {
                    prop_assert!(set.insert(id));
                }
            }
        }
    }

    #[test]
    fn counted_ids_of_two_epochs_need_two_runs() {
        let mut runs = IdRuns::new(2);
        for base in [1u64 << 40, 2 << 40] {
            for count in 1..1000 {
                assert_eq!(runs.note(base + count), Noted::New);
            }
        }
        assert_eq!(runs.runs.len(), 2);
        assert_eq!(runs.note(u64::MAX), Noted::New);
        assert_eq!(runs.note(u64::MAX), Noted::Used);
        assert_eq!(runs.note(7), Noted::Full);
    }
}
