//! Repeating groups of a message, found in place: a count, and so many instances behind it, each of
//! which begins with the same field.
//!
//! It must never copy, allocate or believe a count: what was told is held against what is there
//! before an instance is given. It knows no dictionary, so a venue's own fields are carried in the
//! instance in which they stand, and the last instance goes on to the trailer: a field that follows
//! the group is found in it as well.

use super::message::{Fault, Field, Message, RejectCode, as_u64, value_of};
use super::tags;

/// A group whose count is right.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    bytes: &'a [u8],
    /// From the first instance on.
    fields: &'a [Field],
    delimiter: u32,
    len: usize,
}

/// One instance of a group.
#[derive(Clone, Copy, Debug)]
pub struct Instance<'a> {
    bytes: &'a [u8],
    fields: &'a [Field],
}

impl<'a> Message<'a> {
    /// The group that `count` counts, whose instances begin with `delimiter`: the first field of
    /// the group in its specification, which every instance must have.
    ///
    /// # Errors
    /// [`Fault`]: the count is missing, stands twice or is no number; it is not that of the
    /// instances; the first does not begin with `delimiter`, or `delimiter` stands before the
    /// count.
    ///
    /// ```
    /// use gateway::fix::{FieldIndex, tags};
    /// let mut index = FieldIndex::new(16);
    /// let bytes = b"35=V\x01267=2\x01269=0\x01269=1\x01146=1\x0155=ARL\x01";
    /// let message = index.parse(bytes);
    /// let symbols = message.group(tags::NO_RELATED_SYM, tags::SYMBOL).unwrap();
    /// assert_eq!(symbols.len(), 1);
    /// let first = symbols.instances().next().unwrap();
    /// assert_eq!(first.get(tags::SYMBOL), Some(&b"ARL"[..]));
    /// ```
    pub fn group(&self, count: u32, delimiter: u32) -> Result<Group<'a>, Fault> {
        Instance { bytes: self.bytes, fields: self.fields }.group(count, delimiter)
    }
}

impl<'a> Group<'a> {
    /// How many instances there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True if the count is zero.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The instances in their order.
    pub fn instances(&self) -> impl Iterator<Item = Instance<'a>> + use<'a> {
        let Group { bytes, fields, delimiter, .. } = *self;
        let chunks = fields.chunk_by(move |_, next| next.tag != delimiter);
        chunks.map(move |fields| Instance { bytes, fields })
    }
}

impl<'a> Instance<'a> {
    /// Every field with its value, in order of the wire, those of groups in it included.
    pub fn fields(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let bytes = self.bytes;
        self.fields.iter().map(move |field| (field.tag, value_of(bytes, field)))
    }

    /// Value of the first field `tag`.
    #[must_use]
    pub fn get(&self, tag: u32) -> Option<&'a [u8]> {
        self.fields().find(|field| field.0 == tag).map(|field| field.1)
    }

    /// A group within this instance.
    ///
    /// # Errors
    /// As [`Message::group`].
    pub fn group(&self, count: u32, delimiter: u32) -> Result<Group<'a>, Fault> {
        let Instance { bytes, fields } = *self;
        let mut tags = fields.iter().map(|field| field.tag);
        let missing = Fault::new(RejectCode::RequiredTagMissing, count);
        let at = tags.position(|tag| tag == count).ok_or(missing)?;
        let (before, from) = fields.split_at(at);
        let (counter, behind) = from.split_first().ok_or(missing)?;
        let out_of_order = Fault::new(RejectCode::GroupOrder, delimiter);
        if before.iter().any(|field| field.tag == delimiter) {
            return Err(out_of_order);
        }
        let end = behind.iter().position(|field| tags::is_trailer(field.tag));
        let behind = &behind[..end.unwrap_or(behind.len())];
        if behind.iter().any(|field| field.tag == count) {
            return Err(Fault::new(RejectCode::Repeated, count));
        }
        let miscounted = Fault::new(RejectCode::GroupCount, count);
        // A number that is too large is a number: no message has so many.
        let told = as_u64(count, value_of(bytes, counter)).map_err(|fault| match fault.code {
            RejectCode::ValueIncorrect => miscounted,
            _ => fault,
        })?;
        let found = behind.iter().filter(|field| field.tag == delimiter).count();
        if found as u64 != told {
            return Err(miscounted);
        }
        match behind.first() {
            Some(first) if first.tag == delimiter => {
                Ok(Group { bytes, fields: behind, delimiter, len: found })
            }
            _ if found > 0 => Err(out_of_order),
            _ => Ok(Group { bytes, fields: &[], delimiter, len: 0 }),
        }
    }
}

#[cfg(test)]
#[path = "groups_tests.rs"]
mod tests;
