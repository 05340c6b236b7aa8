//! IEX-TP: framing.

use crate::iex::wire::{HEADER_BYTES, Packet};

/// Any bytes as one IEX-TP packet: no panic, and what parses has the messages it counts, which fill
/// it.
pub fn iex(bytes: &[u8]) {
    let Ok(packet) = Packet::parse(bytes) else { return };
    let messages: usize = packet.messages().map(|message| 2 + message.len()).sum();
    assert_eq!(HEADER_BYTES + messages, bytes.len());
    assert_eq!(packet.messages().count(), usize::from(packet.count));
    assert_eq!(packet.next(), packet.first + u64::from(packet.count));
}
