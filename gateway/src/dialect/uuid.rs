//! Order ids as UUIDs of version 4 (RFC 9562 §5.4): a keyed permutation of 122 bits, so that no two
//! ids share a UUID, none is kept, and the id comes back out of the text.
//!
//! A balanced Feistel network over two halves of 61 bits. The id is 64 of the 122 bits; the others
//! are zero before it, so that a UUID that is not ours is known by them. The key keeps two
//! engines on one account apart; it is no secret, and nothing may rest on its being one.

use market::OrderId;

/// Rounds of the network; four are enough for a permutation that looks random.
const ROUNDS: usize = 6;
const HALF: u32 = 61;
const MASK: u64 = (1 << HALF) - 1;
/// Characters of a UUID.
pub(super) const LEN: usize = 36;

/// The permutation of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uuids {
    keys: [u64; ROUNDS],
}

/// Mixes a word well (the finaliser of SplitMix64).
const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl Uuids {
    /// The permutation of a key: any text that is the same at every start of an engine, and another
    /// for another engine on the account.
    #[must_use]
    pub fn new(key: &str) -> Uuids {
        let seed = market::ids::digest64(key.as_bytes());
        let mut keys = [0; ROUNDS];
        let mut state = seed;
        for key in &mut keys {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            *key = mix(state);
        }
        Uuids { keys }
    }

    const fn round(half: u64, key: u64) -> u64 {
        mix(half ^ key) & MASK
    }

    fn forward(&self, (mut left, mut right): (u64, u64)) -> (u64, u64) {
        for key in self.keys {
            (left, right) = (right, left ^ Self::round(right, key));
        }
        (left, right)
    }

    fn backward(&self, (mut left, mut right): (u64, u64)) -> (u64, u64) {
        for key in self.keys.into_iter().rev() {
            (left, right) = (right ^ Self::round(left, key), left);
        }
        (left, right)
    }

    /// The UUID of an id, in lower case.
    #[must_use]
    pub fn text(&self, id: OrderId) -> [u8; LEN] {
        let (left, right) = self.forward((id.0 >> HALF, id.0 & MASK));
        // 122 bits around version and variant: 48, 12 and 62 of them.
        let bits = u128::from(left) << HALF | u128::from(right);
        let (high, middle, low) = (bits >> 74, bits >> 62 & 0xfff, bits & ((1 << 62) - 1));
        let uuid = high << 80 | 4 << 76 | middle << 64 | 2 << 62 | low;
        let mut text = [b'-'; LEN];
        let mut shift = 128;
        for (at, slot) in text.iter_mut().enumerate() {
            if !matches!(at, 8 | 13 | 18 | 23) {
                shift -= 4;
                let nibble = usize::try_from(uuid >> shift & 15).unwrap_or(0);
                *slot = b"0123456789abcdef"[nibble];
            }
        }
        text
    }

    /// The id of a UUID, in either case; [`OrderId::NONE`] for a text that is none of ours.
    #[must_use]
    pub fn id(&self, text: &[u8]) -> OrderId {
        let Some(uuid) = parse(text) else { return OrderId::NONE };
        if uuid >> 76 & 15 != 4 || uuid >> 62 & 3 != 2 {
            return OrderId::NONE;
        }
        let bits = (uuid >> 80) << 74 | (uuid >> 64 & 0xfff) << 62 | uuid & ((1 << 62) - 1);
        #[allow(clippy::cast_possible_truncation)]
        let halves = ((bits >> HALF) as u64, bits as u64 & MASK);
        let (left, right) = self.backward(halves);
        // Only ids have 64 bits.
        if left >> (64 - HALF) == 0 { OrderId(left << HALF | right) } else { OrderId::NONE }
    }
}

fn parse(text: &[u8]) -> Option<u128> {
    let text: &[u8; LEN] = text.try_into().ok()?;
    let mut uuid = 0;
    for (at, byte) in text.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
        } else {
            uuid = uuid << 4 | u128::from(char::from(*byte).to_digit(16)?);
        }
    }
    Some(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn ids_come_back(id: u64, key in "[a-z]{0,12}") {
            let uuids = Uuids::new(&key);
            let text = uuids.text(OrderId(id));
            prop_assert_eq!(uuids.id(&text), OrderId(id));
            let upper = text.to_ascii_uppercase();
            prop_assert_eq!(uuids.id(&upper), OrderId(id));
        }

        #[test]
        fn the_network_is_a_permutation_of_all_122_bits(left in 0..=MASK, right in 0..=MASK) {
            let uuids = Uuids::new("key");
            prop_assert_eq!(uuids.backward(uuids.forward((left, right))), (left, right));
            let back = uuids.backward((left, right));
            prop_assert_eq!(uuids.forward(back), (left, right));
        }

        #[test]
        fn version_variant_and_case_are_right(id: u64) {
            let text = Uuids::new("key").text(OrderId(id));
            let text = std::str::from_utf8(&text).unwrap();
            prop_assert_eq!(text.to_lowercase(), text);
            let parts: Vec<_> = text.split('-').map(str::len).collect();
            prop_assert_eq!(parts, [8, 4, 4, 4, 12]);
            prop_assert_eq!(&text[14..15], "4");
            prop_assert!("89ab".contains(&text[19..20]));
        }

        #[test]
        fn no_text_panics(text in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Uuids::new("key").id(&text);
        }
    }

    #[test]
    fn one_engine_never_repeats_and_two_are_apart() {
        let (one, other) = (Uuids::new("one"), Uuids::new("other"));
        let ids: Vec<_> = (1..4).flat_map(|epoch| (1..5_000).map(move |n| (epoch, n))).collect();
        let id = |&(epoch, n): &(u64, u64)| OrderId::new(epoch, n).unwrap();
        let texts: HashSet<_> = ids.iter().map(|pair| one.text(id(pair))).collect();
        assert_eq!(texts.len(), ids.len());
        for pair in &ids {
            let foreign = other.text(id(pair));
            assert_eq!(one.id(&foreign), OrderId::NONE);
        }
    }

    #[test]
    fn the_text_of_an_id_never_changes() {
        // An order that is open across an upgrade must be known after it.
        let text = Uuids::new("touchline").text(OrderId::new(1_750_000_000, 1).unwrap());
        assert_eq!(std::str::from_utf8(&text).unwrap(), "4076f508-ece0-49cf-b088-87a46bdcd002");
        for foreign in ["", "b65e1c70-90ab-4cde-8f01-23456789abcd", "not-a-uuid"] {
            assert_eq!(Uuids::new("touchline").id(foreign.as_bytes()), OrderId::NONE);
        }
    }
}
