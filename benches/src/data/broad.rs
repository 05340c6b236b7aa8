//! The broad shape: 500 instruments, 350,000 live orders, about 40 levels a side, 64-bit order
//! references in exchange style, and the mix of message types that TotalView had on 29 March 2018
//! (millions: A 136.5, D 133.8, U 21.9, E 6.7, X 5.1, F 2.7, P 1.1, C 0.16). Seeded.
//!
//! The generator keeps the orders that it makes, so the last book is known without any decoder.

use super::{Day, Messages};
use feeds::itch50::message::{
    AddAttributed, AddOrder, Canceled, Deleted, Executed, ExecutedPriced, Header, Replaced, Trade,
};
use market::{Instrument, Rng};
use std::collections::BTreeMap;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Instruments.
    pub instruments: u16,
    /// Orders live at any time.
    pub orders: usize,
    /// Messages after the opening.
    pub messages: usize,
}

/// The shape that the figures are of.
pub const BROAD: Shape = Shape { instruments: 500, orders: 350_000, messages: 2_500_000 };

/// Levels a side.
const LEVELS: u64 = 40;
/// Types and how many of each in 308,000 messages.
const MIX: [(u8, u64); 8] = [
    (b'A', 136_500),
    (b'D', 133_800),
    (b'U', 21_900),
    (b'E', 6_700),
    (b'X', 5_100),
    (b'F', 2_700),
    (b'P', 1_100),
    (b'C', 160),
];

/// A live order, as the generator knows it.
#[derive(Clone, Copy, Debug)]
struct Live {
    id: u64,
    locate: u16,
    buy: bool,
    price: u32,
    shares: u32,
}

/// Shares and orders by (locate, bid?, price of 1e-4).
pub type Levels = BTreeMap<(u16, bool, u32), (u64, u32)>;

struct Generator {
    rng: Rng,
    shape: Shape,
    live: Vec<Live>,
    time: u64,
    next_id: u64,
    match_number: u64,
    mids: Vec<u32>,
}

/// The day of a shape and a seed, and the levels that stand at its end.
#[must_use]
pub fn day(shape: Shape, seed: u64) -> (Day, Levels) {
    let mut rng = Rng::new(seed);
    let mids = (0..shape.instruments).map(|_| 100_000 + 100 * below(&mut rng, 10_000)).collect();
    let mut generator = Generator {
        rng,
        shape,
        live: Vec::with_capacity(shape.orders * 2),
        time: 34_200_000_000_000,
        next_id: 0,
        match_number: 0,
        mids,
    };
    let instruments: Vec<Instrument> = (1..=shape.instruments)
        .map(|locate| Instrument::share(u32::from(locate) - 1, &symbol(locate)))
        .collect();
    let mut day = Day::new(&instruments);
    while generator.live.len() < shape.orders {
        generator.message(b'A', &mut day.opening);
    }
    while day.messages.len() < shape.messages {
        let kind = generator.kind();
        generator.message(kind, &mut day.messages);
    }
    (day, generator.levels())
}

fn symbol(locate: u16) -> String {
    format!("S{locate}")
}

fn stock(locate: u16) -> [u8; 8] {
    let mut stock = [b' '; 8];
    let symbol = symbol(locate);
    stock[..symbol.len()].copy_from_slice(symbol.as_bytes());
    stock
}

fn below(rng: &mut Rng, bound: u64) -> u32 {
    u32::try_from(rng.below(bound)).unwrap_or(0)
}

impl Generator {
    fn header(&mut self, locate: u16) -> Header {
        self.time += 1 + self.rng.below(2_000);
        Header { locate, tracking: 0, time: self.time }
    }

    /// A type from the mix, leaning so that the number of live orders stays.
    fn kind(&mut self) -> u8 {
        let total = MIX.iter().map(|(_, weight)| weight).sum();
        let mut at = self.rng.below(total);
        let kind = MIX.iter().find(|(_, weight)| {
            let found = at < *weight;
            at = at.saturating_sub(*weight);
            found
        });
        match kind.map_or(b'A', |(kind, _)| *kind) {
            b'D' if self.live.len() < self.shape.orders * 99 / 100 => b'A',
            b'A' | b'F' if self.live.len() > self.shape.orders * 101 / 100 => b'D',
            kind => kind,
        }
    }

    /// Exchange style: rising in steps, far above 32 bits, never dense.
    fn id(&mut self) -> u64 {
        self.next_id += 4 * (1 + self.rng.below(8));
        0x0123_0000_0000 + self.next_id
    }

    fn price(&mut self, locate: u16, buy: bool) -> u32 {
        let mid = &mut self.mids[usize::from(locate) - 1];
        // The mid wanders, slowly against the life of an order.
        match self.rng.below(4_000) {
            0 => *mid += 100,
            1 => *mid -= 100,
            _ => {}
        }
        // Most orders stand near the touch: the smaller of two draws.
        let depth = below(&mut self.rng, LEVELS).min(below(&mut self.rng, LEVELS));
        let away = 100 * (1 + depth);
        if buy { *mid - away } else { *mid + away }
    }

    fn fresh(&mut self) -> Live {
        let locate = 1 + u16::try_from(self.rng.below(self.shape.instruments.into())).unwrap_or(0);
        let buy = self.rng.below(2) == 0;
        let (id, price) = (self.id(), self.price(locate, buy));
        Live { id, locate, buy, price, shares: 100 * (1 + below(&mut self.rng, 10)) }
    }

    fn message(&mut self, kind: u8, out: &mut Messages) {
        if matches!(kind, b'A' | b'F' | b'P') {
            return self.about_none(kind, out);
        }
        let at = usize::try_from(self.rng.below(self.live.len() as u64)).unwrap_or(0);
        let Live { id: order, locate, shares, price, .. } = self.live[at];
        let header = self.header(locate);
        let part = 1 + below(&mut self.rng, shares.into());
        self.match_number += 1;
        let match_number = self.match_number;
        match kind {
            b'U' => {
                let (new_order, buy) = (self.id(), self.live[at].buy);
                let price = self.price(locate, buy);
                let shares = 100 * (1 + below(&mut self.rng, 10));
                self.live[at] = Live { id: new_order, locate, buy, price, shares };
                return out.push(&Replaced { header, order, new_order, shares, price }.write());
            }
            b'E' => {
                out.push(&Executed { header, order, shares: part, match_number }.write());
            }
            b'C' => {
                let shares = part;
                let printable = b'Y';
                let priced =
                    ExecutedPriced { header, order, shares, match_number, printable, price };
                out.push(&priced.write());
            }
            b'X' if part < shares => out.push(&Canceled { header, order, shares: part }.write()),
            _ => {
                out.push(&Deleted { header, order }.write());
                self.live.swap_remove(at);
                return;
            }
        }
        self.live[at].shares -= part;
        if self.live[at].shares == 0 {
            self.live.swap_remove(at);
        }
    }

    /// An order that comes, or a trade against one that was never seen.
    fn about_none(&mut self, kind: u8, out: &mut Messages) {
        let new = self.fresh();
        let Live { id: order, locate, buy, price, shares } = new;
        let (header, stock) = (self.header(locate), stock(locate));
        let side = if buy { b'B' } else { b'S' };
        let plain = AddOrder { header, order, side, shares, stock, price };
        match kind {
            b'A' => out.push(&plain.write()),
            b'F' => {
                let attribution = *b"MAKR";
                let add = AddAttributed { header, order, side, shares, stock, price, attribution };
                out.push(&add.write());
            }
            _ => {
                self.match_number += 1;
                let match_number = self.match_number;
                let trade =
                    Trade { header, order: 0, side: b'B', shares, stock, price, match_number };
                return out.push(&trade.write());
            }
        }
        self.live.push(new);
    }

    fn levels(&self) -> Levels {
        let mut levels = Levels::new();
        for order in &self.live {
            let level = levels.entry((order.locate, order.buy, order.price)).or_default();
            level.0 += u64::from(order.shares);
            level.1 += 1;
        }
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::{Books, Contestant as _, Shape as Contest};
    use market::{BookView, InstrumentId, Side};

    /// Decoder and books, packet by packet, come to the levels that the generator ends with.
    #[test]
    fn the_last_books_are_those_of_the_generator() {
        let (day, mut levels) = day(Shape { instruments: 20, orders: 4_000, messages: 60_000 }, 7);
        let days = [day];
        let mut books = Books::new(&Contest::broad(&days), 8);
        books.block(days[0].opening.iter());
        books.block(days[0].messages.iter());
        assert_eq!(books.books.contradictions().total(), 0);
        for locate in 1..=20u16 {
            let book = books.books.book(InstrumentId(u32::from(locate) - 1));
            for side in Side::BOTH {
                for level in (0..book.depth(side)).filter_map(|depth| book.level(side, depth)) {
                    let price = u32::try_from(level.price.raw() / 100_000).unwrap();
                    let shares = u64::try_from(level.qty.raw()).unwrap();
                    let known = levels.remove(&(locate, side == Side::Buy, price));
                    assert_eq!(known, Some((shares, level.orders)), "{locate} {side:?} {price}");
                }
            }
        }
        assert!(levels.is_empty(), "levels that no book has: {levels:?}");
        let kinds = |kind: u8| days[0].messages.iter().filter(|message| message[0] == kind).count();
        assert!(MIX.iter().all(|(kind, _)| kinds(*kind) > 0), "every type of the mix is there");
    }
}
