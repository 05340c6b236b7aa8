//! The fingerprint of a book's content, kept up to date as orders come and go.
//!
//! A book's digest is the wrapping sum of weight × quantity over its orders (or levels, by level).
//! A sum knows no order, so it depends on content alone, not on history or on the layout of a
//! table; and one event moves it by one product, so hashing 350,000 orders costs nothing when the
//! state hash is due. It finds divergence; it does not resist an adversary.

use crate::{Price, Qty, Side};

/// The weight of one unit of an order's quantity. Odd, so that no change of a quantity alone can
/// go unseen.
#[allow(clippy::cast_possible_truncation)]
fn weight(id: u64, side: Side, price: Price) -> u64 {
    let place = price.raw().cast_unsigned() ^ (side as u64) << 62;
    let product =
        u128::from(id ^ 0x9e37_79b9_7f4a_7c15) * u128::from(place ^ 0xd1b5_4a32_d192_ed03);
    ((product >> 64) as u64 ^ product as u64) | 1
}

/// What `qty` of an order adds to its book's digest. Levels stand for orders with the id 0.
pub(crate) fn of(id: u64, side: Side, price: Price, qty: Qty) -> u64 {
    weight(id, side, price).wrapping_mul(qty.raw().cast_unsigned())
}
