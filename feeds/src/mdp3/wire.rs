//! Framing of MDP 3.0, without copying: packets, messages, blocks and repeating groups. Lengths are
//! those on the wire, as SBE has it: a block that is longer than what is known of it ends in fields
//! of a later version, which are passed over; a field beyond a shorter block is not there. Sources:
//! CME Globex MDP 3.0 (packet and message headers), FIX Simple Binary Encoding 1.0.

/// Sequence and sending time.
const PACKET_HEADER: usize = 12;
/// Size of the message and the SBE header.
const MESSAGE_HEADER: usize = 10;
/// CME's market data schema.
pub(super) const SCHEMA: u16 = 1;

/// A packet whose messages fill it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its number on its channel.
    pub sequence: u32,
    /// When it was sent, in nanoseconds of UTC.
    pub sending_time: u64,
    body: &'a [u8],
}

/// A message: its root block, and the groups behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Which template.
    pub template: u16,
    /// Of which schema.
    pub schema: u16,
    /// Which version of the schema it was written by.
    pub version: u16,
    /// The root block.
    pub root: Block<'a>,
    /// What stands behind the root block.
    pub rest: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the header, and makes sure that the messages fill the packet.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(bytes: &'a [u8]) -> Result<Packet<'a>, &'static str> {
        let Some((header, body)) = bytes.split_first_chunk::<PACKET_HEADER>() else {
            return Err("packet shorter than its header");
        };
        let [a, b, c, d, time @ ..] = *header;
        let packet = Packet {
            sequence: u32::from_le_bytes([a, b, c, d]),
            sending_time: u64::from_le_bytes(time),
            body,
        };
        let mut rest = body;
        while !rest.is_empty() {
            let Some(header) = rest.first_chunk::<MESSAGE_HEADER>() else {
                return Err("bytes behind the last message");
            };
            let [size, block] =
                [0, 2].map(|at| usize::from(u16::from_le_bytes([header[at], header[at + 1]])));
            if size < MESSAGE_HEADER {
                return Err("message shorter than its header");
            }
            if MESSAGE_HEADER + block > size {
                return Err("message shorter than its block");
            }
            rest = rest.get(size..).ok_or("message longer than its packet")?;
        }
        Ok(packet)
    }

    /// Its messages, in order.
    pub fn messages(&self) -> impl Iterator<Item = Message<'a>> + use<'a> {
        let mut rest = self.body;
        std::iter::from_fn(move || {
            let header = rest.first_chunk::<MESSAGE_HEADER>()?;
            let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
            let (message, behind) = rest.split_at_checked(half(0).into())?;
            rest = behind;
            let body = message.get(MESSAGE_HEADER..)?;
            let (root, rest) = body.split_at_checked(half(2).into())?;
            Some(Message {
                template: half(4),
                schema: half(6),
                version: half(8),
                root: Block(root),
                rest,
            })
        })
    }
}

/// Bytes of fixed fields: a root block or an entry of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a>(pub &'a [u8]);

impl Block<'_> {
    /// The bytes of a field, if the block reaches so far.
    #[inline]
    fn field<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..at + N)?.try_into().ok()
    }

    /// An unsigned byte, or a character.
    #[inline]
    #[must_use]
    pub fn u8(&self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    /// Two bytes.
    #[inline]
    #[must_use]
    pub fn u16(&self, at: usize) -> Option<u16> {
        self.field(at).map(u16::from_le_bytes)
    }

    /// Four bytes.
    #[inline]
    #[must_use]
    pub fn u32(&self, at: usize) -> Option<u32> {
        self.field(at).map(u32::from_le_bytes)
    }

    /// Four bytes with a sign.
    #[inline]
    #[must_use]
    pub fn i32(&self, at: usize) -> Option<i32> {
        self.field(at).map(i32::from_le_bytes)
    }

    /// Eight bytes.
    #[inline]
    #[must_use]
    pub fn u64(&self, at: usize) -> Option<u64> {
        self.field(at).map(u64::from_le_bytes)
    }

    /// Eight bytes with a sign.
    #[inline]
    #[must_use]
    pub fn i64(&self, at: usize) -> Option<i64> {
        self.field(at).map(i64::from_le_bytes)
    }

    /// Text, which ends with a zero byte or with the field; empty if it is not there.
    #[must_use]
    pub fn text(&self, at: usize, length: usize) -> String {
        let bytes = self.0.get(at..at + length).unwrap_or_default();
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(length.min(bytes.len()));
        bytes[..end].trim_ascii().escape_ascii().to_string()
    }
}

/// How a group says how much there is of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// `groupSize`: length, then a byte of count.
    Short,
    /// `groupSize8Byte`: the count is the eighth byte.
    EightBytes,
}

/// A repeating group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    length: usize,
    entries: &'a [u8],
}

impl<'a> Group<'a> {
    /// Takes the group that `rest` begins with. A group that is not there, since its message is of
    /// a version before it, is empty.
    ///
    /// # Errors
    /// Why it is none: `rest` is as it was then.
    pub fn take(rest: &mut &'a [u8], size: Size) -> Result<Group<'a>, &'static str> {
        if rest.is_empty() {
            return Ok(Group { length: 1, entries: rest });
        }
        let header = if size == Size::Short { 3 } else { 8 };
        let Some((header, behind)) = rest.split_at_checked(header) else {
            return Err("group shorter than its header");
        };
        let length = usize::from(u16::from_le_bytes([header[0], header[1]]));
        let count = usize::from(header[header.len() - 1]);
        if length == 0 && count > 0 {
            return Err("group with entries of no bytes");
        }
        let Some((entries, behind)) = behind.split_at_checked(length * count) else {
            return Err("group longer than its message");
        };
        *rest = behind;
        Ok(Group { length: length.max(1), entries })
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len() / self.length
    }

    /// True if it has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry at this place, the first at 0.
    #[must_use]
    pub fn entry(&self, at: usize) -> Option<Block<'a>> {
        let from = at.checked_mul(self.length)?;
        self.entries.get(from..from.checked_add(self.length)?).map(Block)
    }

    /// Its entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = Block<'a>> + use<'a> {
        self.entries.chunks_exact(self.length).map(Block)
    }
}
