//! The fast books against their slow twins, over any bytes: whatever a feed says, both see the same.

use market::book::{BookLimits, LevelBooks, OrderBooks, twin};
use market::{
    BookView, Event, EventFlags, EventKind, InstrumentId, Price, Qty, Side, StateHasher, Timestamp,
};

/// Small, so that a fuzzer reaches every limit.
const LIMITS: BookLimits = BookLimits { instruments: 3, orders: 12, levels: 4 };
/// What books that grow are beside: more than any input fills.
const WIDE: BookLimits = BookLimits { instruments: 3, orders: usize::MAX, levels: 1 << 16 };
/// Bytes of one event.
const EVENT_BYTES: usize = 6;
/// Events of one input: the twins are slow.
const EVENTS_MAX: usize = 1_500;

/// One kind of books, fast and slow.
trait Pair {
    type Fast;
    type Twin;
    const KINDS: [EventKind; 4];
    fn new(limits: BookLimits) -> (Self::Fast, Self::Twin);
    fn growing() -> (Self::Fast, Self::Twin);
    fn apply(fast: &mut Self::Fast, twin: &mut Self::Twin, event: &Event, told: &Event);
    fn stale(fast: &mut Self::Fast, twin: &mut Self::Twin, instrument: InstrumentId, stale: bool);
    fn look(fast: &Self::Fast, twin: &Self::Twin, instrument: InstrumentId);
    fn whole(fast: &Self::Fast, twin: &Self::Twin);
}

/// What both kinds of pairs do alike.
macro_rules! pair {
    ($pair:ident, $books:ident, $kinds:expr) => {
        struct $pair;

        impl Pair for $pair {
            type Fast = $books;
            type Twin = twin::$books;
            const KINDS: [EventKind; 4] = $kinds;

            fn new(limits: BookLimits) -> (Self::Fast, Self::Twin) {
                ($books::new(limits), twin::$books::new(limits))
            }

            fn growing() -> (Self::Fast, Self::Twin) {
                let mut fast = $books::growing();
                assert!(fast.admit(InstrumentId(2)));
                (fast, twin::$books::new(WIDE))
            }

            fn apply(fast: &mut Self::Fast, twin: &mut Self::Twin, event: &Event, told: &Event) {
                assert_eq!(fast.apply(told), twin.apply(event), "{event:?}");
            }

            fn stale(
                fast: &mut Self::Fast,
                twin: &mut Self::Twin,
                instrument: InstrumentId,
                stale: bool,
            ) {
                fast.set_stale(instrument, stale);
                twin.set_stale(instrument, stale);
            }

            fn look(fast: &Self::Fast, twin: &Self::Twin, instrument: InstrumentId) {
                let (fast, twin) = (fast.book(instrument), twin.book(instrument));
                assert_eq!(fast.state(), twin.state());
                assert_eq!((fast.updated(), fast.mid()), (twin.updated(), twin.mid()));
                for side in Side::BOTH {
                    let levels = twin.levels(side);
                    assert_eq!(fast.depth(side), levels.len());
                    assert_eq!(fast.best(side), levels.first().copied());
                    let depths = 0..=levels.len();
                    assert!(
                        depths
                            .map(|at| fast.level(side, at))
                            .eq((0..=levels.len()).map(|at| levels.get(at).copied()))
                    );
                }
            }

            fn whole(fast: &Self::Fast, twin: &Self::Twin) {
                assert_eq!(fast.audit(), Ok(()));
                assert_eq!(fast.contradictions(), twin.contradictions());
                let [mut one, mut two] = [StateHasher::new(), StateHasher::new()];
                fast.hash_into(&mut one);
                twin.hash_into(&mut two);
                assert_eq!(one.finish(), two.finish());
            }
        }
    };
}

pair!(
    ByOrder,
    OrderBooks,
    [EventKind::Add, EventKind::Delete, EventKind::Execute, EventKind::Change]
);
pair!(
    ByLevel,
    LevelBooks,
    [EventKind::Level, EventKind::Level, EventKind::Level, EventKind::Level]
);

/// Any bytes as events of a feed by order: books and their twin agree in every answer and in all that
/// can be seen of them, after each.
pub fn orders_differential(bytes: &[u8]) {
    differential::<ByOrder>(bytes, |event| event);
}

/// The same by level.
pub fn levels_differential(bytes: &[u8]) {
    differential::<ByLevel>(bytes, |event| event);
}

/// As [`orders_differential`], with a planted bug: the fast books put an order that changes to a price
/// whose last three bits are set one below it. A fuzzer that does not find it finds nothing.
#[cfg(feature = "canary")]
pub fn canary(bytes: &[u8]) {
    let planted = |event: Event| match event.kind() {
        Some(EventKind::Change) if event.price.raw() & 7 == 7 => {
            Event { price: Price::from_raw(event.price.raw() - 1), ..event }
        }
        _ => event,
    };
    differential::<ByOrder>(bytes, planted);
}

/// `planted` changes what the fast books are told.
fn differential<P: Pair>(bytes: &[u8], planted: impl Fn(Event) -> Event) {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    // Books that grow allocate as they do: one in eight.
    let (mut fast, mut twin) = if first & 7 == 3 { P::growing() } else { P::new(LIMITS) };
    let mut time = Timestamp::ZERO;
    for bytes in bytes.chunks_exact(EVENT_BYTES).take(EVENTS_MAX) {
        let Ok(bytes) = <&[u8; EVENT_BYTES]>::try_from(bytes) else { break };
        time = Timestamp::from_nanos(time.nanos() + 1);
        let instrument = InstrumentId(u32::from(bytes[1] & 3));
        if bytes[0] == u8::MAX {
            P::stale(&mut fast, &mut twin, instrument, bytes[1] & 4 != 0);
        } else {
            let event = Event { exchange_time: time, ..event_of::<P>(bytes, first >> 1) };
            P::apply(&mut fast, &mut twin, &event, &planted(event));
        }
        (0..3).for_each(|id| P::look(&fast, &twin, InstrumentId(id)));
        P::whole(&fast, &twin);
    }
}

/// One event: few ids, prices and quantities, so that they meet; now and then any.
fn event_of<P: Pair>(bytes: &[u8; EVENT_BYTES], pattern: u8) -> Event {
    let [kind, who, id, price, qty, more] = *bytes;
    let kind = match kind {
        0..=159 => P::KINDS[usize::from(kind % 4)],
        160..=199 => EventKind::Reduce,
        _ => EventKind::from_byte(kind % 18).unwrap_or(EventKind::Mark),
    };
    let instrument = InstrumentId(match who & 0x0f {
        15 => u32::MAX,
        // Beyond the limits too.
        who => u32::from(who & 3),
    });
    let side = [Some(Side::Buy), Some(Side::Sell), None, Some(Side::Buy)][usize::from(who >> 6)];
    let flags = match more {
        0..=127 => EventFlags::NONE,
        128..=191 => EventFlags::REPLACE,
        _ => EventFlags(u16::from(more & 63)),
    };
    let qty = if qty == u8::MAX { i64::MAX } else { i64::from(qty as i8) };
    Event {
        order: numbered(u64::from(id % 32), pattern),
        price: Price::from_raw(i64::from(price as i8)),
        qty: Qty::from_raw(qty),
        aux: u32::from(more % 6),
        flags,
        ..Event::new(kind, instrument).with_side(side)
    }
}

/// The ways in which exchanges number their orders.
fn numbered(id: u64, pattern: u8) -> u64 {
    match pattern % 6 {
        0 => id,
        1 => id << 32,
        2 => 1_000_000_000_000 + id,
        3 => id.wrapping_mul(1_000_000_000_000),
        4 => u64::MAX - id,
        _ => id << 60 | id,
    }
}
