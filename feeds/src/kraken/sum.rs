//! The venue's checksum over digits, and how many there were: it is over the digits as the venue sent
//! them, while whoever recorded a frame may have left zeros behind out.

use super::number::Number;

/// Levels of each side that the checksum covers.
pub(super) const COVERED: usize = 10;

/// Digits of price and quantity behind the point.
#[derive(Clone, Debug, Default)]
pub(super) struct Digits {
    /// Most of those seen.
    seen: [u32; 2],
    /// Those to which zeros made the last checksum hold; none: as sent.
    last: [u32; 2],
}

impl Digits {
    pub(super) fn saw(&mut self, price: Number, qty: Number) {
        self.seen = [self.seen[0].max(price.behind()), self.seen[1].max(qty.behind())];
    }

    /// True if the checksum is that of these prices and quantities, one behind the other: as sent, or
    /// with zeros behind as the venue's precisions or the longest numbers have it.
    pub(super) fn hold<I: Iterator<Item = (Number, Number)>>(
        &mut self,
        sum: u32,
        told: Option<[u32; 2]>,
        all: impl Fn() -> I,
    ) -> bool {
        let ways = [Some(self.last), Some([0, 0]), told, Some(self.seen)];
        let way = ways.into_iter().flatten().find(|&[price_digits, qty_digits]| {
            let mut crc = crc32fast::Hasher::new();
            for (price, qty) in all() {
                price.push_to(price_digits, &mut crc);
                qty.push_to(qty_digits, &mut crc);
            }
            crc.finalize() == sum
        });
        self.last = way.unwrap_or(self.last);
        way.is_some()
    }
}
