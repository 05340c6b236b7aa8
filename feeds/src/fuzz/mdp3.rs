//! MDP 3.0: framing.

use crate::mdp3::wire::{Group, Packet, Size};

/// Any bytes as one MDP 3.0 packet: no panic; messages, blocks and groups of what parses are within
/// it, and the messages fill it.
pub fn mdp3(bytes: &[u8]) {
    let Ok(packet) = Packet::parse(bytes) else { return };
    let mut length = 12;
    for message in packet.messages() {
        length += 10 + message.root.0.len() + message.rest.len();
        let _ = message.root.text(0, 180);
        for size in [Size::Short, Size::EightBytes] {
            let mut rest = message.rest;
            let header = if size == Size::Short { 3 } else { 8 };
            while let Ok(group) = Group::take(&mut rest, size) {
                let entries: usize = group.entries().map(|entry| entry.0.len()).sum();
                assert_eq!(group.entries().count(), group.len());
                assert!(group.is_empty() || header + entries <= message.rest.len());
                if rest.is_empty() {
                    break;
                }
            }
            assert!(rest.len() <= message.rest.len());
        }
    }
    assert_eq!(length, bytes.len());
}
