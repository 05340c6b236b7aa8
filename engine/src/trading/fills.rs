//! Which executions were counted: the last so many ExecIDs, so that a fill told twice counts once.
//!
//! Kept are 64 bits of the 128-bit id. A duplicate can only come from a resend or a status report
//! soon after the original, so a bounded memory is enough; its size is a setting.

use market::ExecId;
use market::table::IdTable;
use std::collections::VecDeque;

/// Recently counted executions.
#[derive(Clone, Debug)]
pub struct Executions {
    recent: VecDeque<u64>,
    ids: IdTable,
    capacity: usize,
}

impl Executions {
    /// Remembers the last `capacity` executions.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Executions {
            recent: VecDeque::with_capacity(capacity),
            ids: IdTable::new(capacity),
            capacity,
        }
    }

    fn key(exec: ExecId) -> u64 {
        exec.0[0] ^ exec.0[1].rotate_left(32)
    }

    /// True if it was counted.
    #[must_use]
    pub fn knows(&self, exec: ExecId) -> bool {
        !exec.is_none() && self.ids.get(Self::key(exec)).is_some()
    }

    /// True if it was not counted before; it is now. A report without an ExecID is always new.
    pub fn is_new(&mut self, exec: ExecId) -> bool {
        if exec.is_none() {
            return true;
        }
        let key = Self::key(exec);
        if self.ids.get(key).is_some() {
            return false;
        }
        if self.recent.len() == self.capacity
            && let Some(oldest) = self.recent.pop_front()
        {
            self.ids.remove(oldest);
        }
        self.recent.push_back(key);
        // One was removed if it was full.
        let _ = self.ids.insert(key, 0);
        true
    }

    /// The remembered keys, oldest first, for an opening state.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.recent.iter().copied()
    }

    /// Remembers a key of an opening state.
    pub fn restore(&mut self, key: u64) {
        self.is_new(ExecId([key, 0]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_each_within_memory() {
        let mut executions = Executions::new(2);
        let id = |n| ExecId([n, 7]);
        assert!(executions.is_new(id(1)) && executions.is_new(id(2)));
        assert!(!executions.is_new(id(1)) && !executions.is_new(id(2)));
        assert!(executions.is_new(id(3)), "pushes out the oldest");
        assert!(executions.is_new(id(1)));
        assert!(executions.is_new(ExecId::NONE) && executions.is_new(ExecId::NONE));
    }

    #[test]
    fn restored_keys_are_known() {
        let mut before = Executions::new(4);
        before.is_new(ExecId([1, 2]));
        let mut after = Executions::new(4);
        before.keys().for_each(|key| after.restore(key));
        assert!(!after.is_new(ExecId([1, 2])));
    }
}
