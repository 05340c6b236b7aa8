//! A message met field by field: which belongs to which group, and what is out of place.
//!
//! It goes on after a fault, so that a wrong message can still be shown. It must never recurse or
//! allocate: a walk has one level for every nesting that a dictionary has, and no input adds one.

use super::dictionary::Tables;
use super::scope::{LEVELS, Member, SEEN_WORDS, Scope};
use crate::fix::number::{NumberFault, parse_u64};
use crate::fix::{Fault, RejectCode};

/// Where a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Groups that it stands in: zero in header, body and trailer.
    pub depth: usize,
    /// It begins an instance of its group.
    pub begins: bool,
    /// What is wrong with its place.
    pub fault: Option<Fault>,
    /// It is a member of the message, or of a group in it.
    pub member: bool,
}

/// A scope that was entered.
#[derive(Clone, Copy, Debug)]
struct Level<'d> {
    scope: &'d Scope,
    /// The field that counts the instances; zero for the message itself.
    counter: u32,
    /// Instances announced, and begun.
    told: u64,
    begun: u64,
    /// Order that the next member of an instance has at least.
    next: u16,
    seen: [u64; SEEN_WORDS],
}

impl<'d> Level<'d> {
    fn new(scope: &'d Scope, counter: u32, told: u64) -> Level<'d> {
        Level { scope, counter, told, begun: 0, next: 0, seen: [0; SEEN_WORDS] }
    }

    fn is_message(&self) -> bool {
        self.counter == 0
    }

    fn has_seen(&self, member: Member) -> bool {
        let word = self.seen.get(usize::from(member.order) / 64);
        word.is_some_and(|word| word >> (member.order % 64) & 1 == 1)
    }

    /// True if `member` begins an instance of the group.
    fn is_first(&self, member: Member) -> bool {
        !self.is_message() && member.order == 0
    }

    /// What is wrong if `member` comes next.
    fn judge(&self, member: Member) -> Option<Fault> {
        let (tag, order) = (member.tag, member.order);
        if self.is_first(member) {
            let full = self.begun >= self.told;
            return full.then(|| Fault::new(RejectCode::GroupCount, self.counter));
        }
        if self.has_seen(member) {
            return Some(Fault::new(RejectCode::Repeated, tag));
        }
        let early = self.begun == 0 || order < self.next;
        (!self.is_message() && early).then(|| Fault::new(RejectCode::GroupOrder, tag))
    }

    /// Takes `member`; gives back what the instance before lacks, if it begins a new one.
    fn take(&mut self, member: Member) -> Option<Fault> {
        let mut fault = None;
        if self.is_first(member) {
            fault = self.lacks();
            self.begun += 1;
            self.seen = [0; SEEN_WORDS];
        }
        if let Some(word) = self.seen.get_mut(usize::from(member.order) / 64) {
            *word |= 1 << (member.order % 64);
        }
        self.next = member.order + 1;
        fault
    }

    /// The first required member that the message or the instance lacks.
    fn lacks(&self) -> Option<Fault> {
        let begun = self.is_message() || self.begun > 0;
        let missing = begun.then(|| self.scope.missing(&self.seen)).flatten();
        missing.map(|tag| Fault::new(RejectCode::RequiredTagMissing, tag))
    }

    /// What is wrong if nothing more comes.
    fn end(&self) -> Option<Fault> {
        let short = !self.is_message() && self.begun != self.told;
        let count = short.then(|| Fault::new(RejectCode::GroupCount, self.counter));
        self.lacks().or(count)
    }
}

/// A message on its way through its dictionary.
#[derive(Clone, Debug)]
pub struct Walk<'d> {
    tables: &'d Tables,
    levels: [Level<'d>; LEVELS],
    depth: usize,
    /// Order of the first member of body and trailer.
    bounds: [u16; 2],
    /// The part of the message that was reached: header, body, trailer.
    part: u8,
}

impl<'d> Walk<'d> {
    pub(super) fn new(tables: &'d Tables, scope: &'d Scope, bounds: [u16; 2]) -> Walk<'d> {
        Walk { tables, levels: [Level::new(scope, 0, 0); LEVELS], depth: 0, bounds, part: 0 }
    }

    /// Takes the next field.
    #[inline]
    pub fn step(&mut self, tag: u32, value: &[u8]) -> Step {
        let Some((depth, member, judged)) = self.place(tag) else {
            return Step { depth: self.depth, begins: false, fault: None, member: false };
        };
        let left = self.leave(depth);
        let level = &mut self.levels[depth];
        let begins = level.is_first(member);
        let lacking = level.take(member);
        let ordered = if depth == 0 { self.in_part(member) } else { None };
        let opened = member.group().and_then(|group| self.enter(member.tag, group, value));
        let fault = left.or(lacking).or(judged).or(ordered).or(opened);
        Step { depth, begins, fault, member: true }
    }

    /// The message is over: leaves every group.
    pub fn end(&mut self) -> Option<Fault> {
        self.leave(0).or_else(|| self.levels[0].end())
    }

    /// The innermost level where `tag` may come next; else the innermost that has it at all, and
    /// what is wrong there.
    #[inline]
    fn place(&self, tag: u32) -> Option<(usize, Member, Option<Fault>)> {
        let mut found = None;
        for depth in (0..=self.depth).rev() {
            let level = &self.levels[depth];
            let Some(member) = level.scope.find(tag) else { continue };
            let fault = level.judge(member);
            if fault.is_none() {
                return Some((depth, member, None));
            }
            found = found.or(Some((depth, member, fault)));
        }
        found
    }

    /// Leaves the groups below `depth`; gives back what is wrong with the innermost.
    fn leave(&mut self, depth: usize) -> Option<Fault> {
        let mut fault = None;
        while self.depth > depth {
            fault = fault.or_else(|| self.levels[self.depth].end());
            self.depth -= 1;
        }
        fault
    }

    /// Header, body and trailer stand in this order.
    fn in_part(&mut self, member: Member) -> Option<Fault> {
        let part: u8 = self.bounds.iter().map(|bound| u8::from(member.order >= *bound)).sum();
        let back = part < self.part;
        self.part = part.max(self.part);
        back.then(|| Fault::new(RejectCode::Order, member.tag))
    }

    /// Enters a group of `value` instances; none leave it closed.
    fn enter(&mut self, counter: u32, group: usize, value: &[u8]) -> Option<Fault> {
        let told = match parse_u64(value) {
            Ok(0) => return None,
            Ok(told) => told,
            // More than could ever come: the count is found wrong when the group ends.
            Err(NumberFault::OutOfRange) => u64::MAX,
            Err(_) => return Some(Fault::new(RejectCode::DataFormat, counter)),
        };
        let scope = self.tables.group(group)?;
        let level = self.levels.get_mut(self.depth + 1)?;
        *level = Level::new(scope, counter, told);
        self.depth += 1;
        None
    }
}
