//! The largest set of orders that may stay, each for a level of its own.
//!
//! Augmenting paths (Kuhn 1955) over bit masks: at most sixteen orders and sixteen levels, so the
//! work is bounded. Never gives one level to two orders.

use super::{MAX_LEVELS, MAX_OPEN};

/// Which order stands for which level, and which could.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Matching {
    edges: [u16; MAX_OPEN],
    owner: [Option<usize>; MAX_LEVELS],
    /// Orders that have an edge, and orders that stay: a bit each.
    offered: u16,
    matched: u16,
}

impl Matching {
    /// Order `order` may stand for the levels of `mask` too.
    pub(super) fn allow(&mut self, order: usize, mask: u16) {
        self.edges[order] |= mask;
        self.offered |= u16::from(mask != 0) << order;
    }

    /// Grows to the largest matching that the edges allow. No matched order loses its level
    /// without getting another.
    pub(super) fn grow(&mut self) {
        // Most places have no order.
        let mut rest = self.offered & !self.matched;
        while rest != 0 {
            let order = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if self.augment(order, &mut 0) {
                self.matched |= 1 << order;
            }
        }
    }

    /// Levels of the first `levels` that no order stands for, a bit each.
    pub(super) fn free(&self, levels: usize) -> u16 {
        let free = (0..levels).filter(|&level| self.owner[level].is_none());
        free.fold(0, |mask, level| mask | 1 << level)
    }

    /// True if `order` stays.
    pub(super) const fn is_matched(&self, order: usize) -> bool {
        self.matched & 1 << order != 0
    }

    /// Finds `order` a level, moving others along; every level is tried once.
    fn augment(&mut self, order: usize, seen: &mut u16) -> bool {
        loop {
            let untried = self.edges[order] & !*seen;
            if untried == 0 {
                return false;
            }
            let level = untried.trailing_zeros() as usize;
            *seen |= 1 << level;
            if self.owner[level].is_none_or(|other| self.augment(other, seen)) {
                self.owner[level] = Some(order);
                return true;
            }
        }
    }
}
