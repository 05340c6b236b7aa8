//! Scopes: what may stand in a message, or in one instance of a repeating group, in which order.
//!
//! Components are spread out when the dictionary is read, so that a check meets tags alone. A group
//! is one scope wherever its component is used.

use super::table::Table;
use std::collections::HashMap;

/// Scopes of groups stand beside their messages by index; this is none.
const NONE: u16 = u16::MAX;
/// Words of the set of members seen: room for the largest scope of the dictionaries.
pub(super) const SEEN_WORDS: usize = 11;
/// Nesting of the dictionaries: a message and its groups in groups.
pub(super) const LEVELS: usize = 8;

/// A member of a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Member {
    /// Its tag; zero in an empty slot.
    pub(super) tag: u32,
    /// Its place among the members.
    pub(super) order: u16,
    group: u16,
}

impl Member {
    /// Index of the scope of the group that it counts, if it counts one.
    pub(super) fn group(self) -> Option<usize> {
        (self.group != NONE).then_some(usize::from(self.group))
    }
}

/// What may stand in a message or in an instance of a group.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Members by the hash of their tag, at most half full.
    slots: Box<[Member]>,
    shift: u32,
    /// Tags in their order.
    pub(super) tags: Box<[u32]>,
    /// The required members, a bit each by their order.
    required: [u64; SEEN_WORDS],
}

impl Scope {
    fn new(members: &[(Member, bool)]) -> Scope {
        let bits = (members.len() * 2).max(2).next_power_of_two().trailing_zeros();
        let mut slots = vec![Member::default(); 1 << bits].into_boxed_slice();
        let shift = 32 - bits;
        let mut required = [0; SEEN_WORDS];
        for (member, is_required) in members {
            let mut at = hash(member.tag, shift);
            while slots[at].tag != 0 {
                at = (at + 1) % slots.len();
            }
            slots[at] = *member;
            if *is_required && let Some(word) = required.get_mut(usize::from(member.order) / 64) {
                *word |= 1 << (member.order % 64);
            }
        }
        let tags = members.iter().map(|(member, _)| member.tag).collect();
        Scope { slots, shift, tags, required }
    }

    /// The member `tag`.
    #[inline]
    pub(super) fn find(&self, tag: u32) -> Option<Member> {
        let mut at = hash(tag, self.shift);
        loop {
            let member = *self.slots.get(at)?;
            match member.tag {
                found if found == tag => return Some(member),
                0 => return None,
                _ => at = (at + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// The first required member that was not seen.
    #[inline]
    pub(super) fn missing(&self, seen: &[u64; SEEN_WORDS]) -> Option<u32> {
        let (word, absent) = self
            .required
            .iter()
            .zip(seen)
            .enumerate()
            .find_map(|(at, (needed, seen))| Some((at, needed & !seen)).filter(|f| f.1 != 0))?;
        self.tags.get(word * 64 + absent.trailing_zeros() as usize).copied()
    }
}

/// The slot of a tag in a table of 2^(32 - `shift`).
#[inline]
fn hash(tag: u32, shift: u32) -> usize {
    (tag.wrapping_mul(0x9E37_79B1) >> shift) as usize
}

/// Spreads members out into scopes.
pub(super) struct Builder<'t> {
    /// Where components are looked for, in this order.
    tables: &'t [Table],
    /// What a component is once spread out: its members, each with whether it is required.
    known: HashMap<&'static str, Vec<(Member, bool)>>,
    /// Every scope of a group.
    pub(super) groups: Vec<Scope>,
}

impl<'t> Builder<'t> {
    pub(super) fn new(tables: &'t [Table]) -> Builder<'t> {
        Builder { tables, known: HashMap::new(), groups: Vec::new() }
    }

    /// The scope of a message whose members stand in these parts: header, body and trailer.
    pub(super) fn message(&mut self, parts: [&'static str; 3]) -> (Scope, [u16; 2]) {
        let mut members = Vec::new();
        let mut begins = [0; 3];
        for (begin, part) in begins.iter_mut().zip(parts) {
            *begin = order_of(members.len());
            let part = self.members(&mut part.split(' '));
            members.extend(part);
        }
        (Self::scope(members), [begins[1], begins[2]])
    }

    /// The members of a component, in words.
    pub(super) fn component(&self, name: &str) -> &'static str {
        let found = self.tables.iter().map(|table| table.component(name));
        found.into_iter().find(|members| !members.is_empty()).unwrap_or("")
    }

    fn scope(mut members: Vec<(Member, bool)>) -> Scope {
        for (at, (member, _)) in members.iter_mut().enumerate() {
            member.order = order_of(at);
        }
        Scope::new(&members)
    }

    /// Members up to the end of the words, or to the `)` that ends a group.
    fn members(&mut self, words: &mut std::str::Split<'static, char>) -> Vec<(Member, bool)> {
        let mut members = Vec::new();
        while let Some(word) = words.next().filter(|word| *word != ")") {
            let (word, opens) = match word.strip_suffix('(') {
                Some(word) => (word, true),
                None => (word, false),
            };
            let (word, required) = match word.strip_suffix('!') {
                Some(word) => (word, true),
                None => (word, false),
            };
            if let Some(name) = word.strip_prefix('@') {
                let spread = self.spread(name);
                members.extend(spread.into_iter().map(|(member, own)| (member, own && required)));
                continue;
            }
            let group = if opens {
                let inside = self.members(words);
                self.groups.push(Self::scope(inside));
                order_of(self.groups.len() - 1)
            } else {
                NONE
            };
            let tag = word.parse().unwrap_or(0);
            members.extend((tag != 0).then_some((Member { tag, order: 0, group }, required)));
        }
        members
    }

    fn spread(&mut self, name: &'static str) -> Vec<(Member, bool)> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let members = self.component(name);
        let spread = self.members(&mut members.split(' '));
        self.known.insert(name, spread.clone());
        spread
    }
}

/// A place in a list as its number; the lists of the dictionaries are far shorter.
fn order_of(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(NONE)
}
