//! Framing of IEX-TP, without copying: a header, then messages, each with its length. All little
//! endian.

/// Bytes of the header.
pub const HEADER_BYTES: usize = 40;

/// The protocols of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Messages {
    /// TOPS 1.5 or 1.6: best quotes.
    Tops,
    /// DEEP 1.0: price levels.
    Deep,
    /// DEEP+ 1.0: orders.
    DeepPlus,
}

impl Messages {
    /// By their id.
    #[must_use]
    pub fn of(id: u16) -> Option<Messages> {
        Some(match id {
            0x8002 | 0x8003 => Messages::Tops,
            0x8004 => Messages::Deep,
            0x8005 => Messages::DeepPlus,
            _ => return None,
        })
    }
}

/// A packet whose messages fill it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Id of the message protocol.
    pub protocol: u16,
    /// The stream within the protocol.
    pub channel: u32,
    /// Changes when the stream begins anew.
    pub session: u32,
    /// How many messages; none in a heartbeat.
    pub count: u16,
    /// Number of the first message, or of the next one that will come.
    pub first: u64,
    /// When it was sent, in nanoseconds of UTC.
    pub send_time: u64,
    /// The messages with their lengths.
    pub body: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the header, and makes sure that the messages fill the packet.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(bytes: &'a [u8]) -> Result<Packet<'a>, &'static str> {
        let Some((header, body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err("packet shorter than its header");
        };
        if header[0] != 1 {
            return Err("version of IEX-TP that is not known");
        }
        let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        if usize::from(half(12)) != body.len() {
            return Err("packet of another length than it says");
        }
        let packet = Packet {
            protocol: half(2),
            channel: word(4),
            session: word(8),
            count: half(14),
            first: long(24),
            send_time: long(32),
            body,
        };
        let (mut rest, mut count) = (body, 0u16);
        while let Some((_, behind)) = split(rest) {
            (rest, count) = (behind, count.saturating_add(1));
        }
        if !rest.is_empty() || count != packet.count {
            return Err("messages do not fill the packet");
        }
        packet.first.checked_add(count.into()).ok_or("message number out of range")?;
        Ok(packet)
    }

    /// Number of the message behind the last.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// Its messages, in order.
    pub fn messages(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.body;
        std::iter::from_fn(move || {
            let (message, behind) = split(rest)?;
            rest = behind;
            Some(message)
        })
    }
}

/// A message and what stands behind it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_le_bytes(length).into())
}

/// A message, as long as its type is, or longer: later versions may add fields at the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a>(pub(super) &'a [u8]);

impl Message<'_> {
    /// Length of the messages of a type.
    pub(super) fn length(kind: u8) -> Option<usize> {
        Some(match kind {
            b'S' => 10,
            b'I' | b'O' | b'E' | b'C' => 18,
            b'P' => 19,
            b'H' => 22,
            b'X' | b'R' => 26,
            b'8' | b'5' => 30,
            b'D' => 31,
            b'T' | b'B' | b'a' | b'M' => 38,
            b'Q' => 42,
            b'L' => 46,
            b'A' => 80,
            _ => return None,
        })
    }

    /// What all messages have behind their type: flags or a status.
    pub(super) fn flags(&self) -> u8 {
        self.u8(1)
    }

    pub(super) fn time(&self) -> u64 {
        self.u64(2)
    }

    pub(super) fn symbol(&self) -> Option<[u8; 8]> {
        self.0.get(10..18)?.try_into().ok()
    }

    pub(super) fn u8(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    pub(super) fn u32(&self, at: usize) -> u32 {
        let bytes = self.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        u32::from_le_bytes(bytes.unwrap_or_default())
    }

    pub(super) fn u64(&self, at: usize) -> u64 {
        let bytes = self.0.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
        u64::from_le_bytes(bytes.unwrap_or_default())
    }

    /// A price, which has four digits on the wire.
    ///
    /// # Errors
    /// It is out of range.
    pub(super) fn price(&self, at: usize) -> Result<market::Price, &'static str> {
        let raw = i64::from_le_bytes(self.u64(at).to_le_bytes()).checked_mul(100_000);
        raw.map(market::Price::from_raw).ok_or("price out of range")
    }
}
