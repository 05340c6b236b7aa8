//! The naive book: std's `HashMap` for orders, two `BTreeMap`s of price and quantity an instrument.
//! It reads ITCH itself, trusts every message, and is as quick as that shape allows.

use std::collections::{BTreeMap, HashMap};

struct Order {
    locate: u16,
    bid: bool,
    price: u32,
    shares: u32,
}

/// Books of up to 65,536 instruments, by locate.
pub struct Books {
    orders: HashMap<u64, Order>,
    /// Price to shares: asks, then bids.
    pub sides: Vec<[BTreeMap<u32, u64>; 2]>,
}

fn u32_at(m: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([m[at], m[at + 1], m[at + 2], m[at + 3]])
}

fn u64_at(m: &[u8], at: usize) -> u64 {
    u64::from(u32_at(m, at)) << 32 | u64::from(u32_at(m, at + 4))
}

impl Books {
    /// Empty books with room for `orders` orders.
    #[must_use]
    pub fn new(instruments: usize, orders: usize) -> Books {
        let sides = (0..=instruments).map(|_| [BTreeMap::new(), BTreeMap::new()]).collect();
        Books { orders: HashMap::with_capacity(orders), sides }
    }

    /// Applies one message.
    #[inline]
    pub fn message(&mut self, m: &[u8]) {
        match m[0] {
            b'A' | b'F' => {
                let locate = u16::from_be_bytes([m[1], m[2]]);
                let (bid, shares, price) = (m[19] == b'B', u32_at(m, 20), u32_at(m, 32));
                self.add(u64_at(m, 11), Order { locate, bid, price, shares });
            }
            b'E' | b'C' | b'X' => self.take(u64_at(m, 11), u32_at(m, 19)),
            b'D' => self.take(u64_at(m, 11), u32::MAX),
            b'U' => {
                let Some(old) = self.orders.get(&u64_at(m, 11)) else { return };
                let (shares, price) = (u32_at(m, 27), u32_at(m, 31));
                let new = Order { price, shares, ..*old };
                self.take(u64_at(m, 11), u32::MAX);
                self.add(u64_at(m, 19), new);
            }
            _ => {}
        }
    }
    fn add(&mut self, id: u64, order: Order) {
        let side = &mut self.sides[usize::from(order.locate)][usize::from(order.bid)];
        *side.entry(order.price).or_default() += u64::from(order.shares);
        self.orders.insert(id, order);
    }

    fn take(&mut self, id: u64, shares: u32) {
        let Some(order) = self.orders.get_mut(&id) else { return };
        let taken = shares.min(order.shares);
        order.shares -= taken;
        let side = &mut self.sides[usize::from(order.locate)][usize::from(order.bid)];
        if let Some(level) = side.get_mut(&order.price) {
            *level -= u64::from(taken);
            if *level == 0 {
                side.remove(&order.price);
            }
        }
        if order.shares == 0 {
            self.orders.remove(&id);
        }
    }

    /// Empties every book.
    pub fn clear(&mut self) {
        self.orders.clear();
        self.sides.iter_mut().flatten().for_each(BTreeMap::clear);
    }
}
