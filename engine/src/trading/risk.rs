//! Pre-trade risk: one table of named checks, pure functions over (order, limits, exposure,
//! reference price). It fails closed: what is missing or stale refuses.
//!
//! The sources are SEC rule 15c3-5(c)(1), RTS 6 Art. 15 and the FIA paper of July 2024, §1 and §2.

use market::{BookState, Instrument, Money, Nanos, Price, Qty, Side, Timestamp};

/// The limits of one instrument; each of them is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest quantity of one order.
    pub order_qty: Qty,
    /// Largest value of one order, in the settlement currency.
    pub order_value: Money,
    /// Largest position, long or short, with every open order on that side filled.
    pub position: Qty,
    /// Farthest an order's price may be beyond the reference, in 1e-4 of it.
    pub collar_bps: u32,
    /// Oldest reference price that counts.
    pub reference_age: Nanos,
}

/// What the engine is exposed to in one instrument, at worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Held now.
    pub net: i64,
    /// Open, in flight and unknown buy quantity, without the order under check.
    pub open_buy: i64,
    /// The same for sells.
    pub open_sell: i64,
}

/// An order under check: a new one, or one that a replace would make.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its instrument.
    pub instrument: &'a Instrument,
    /// Buy or sell.
    pub side: Side,
    /// Limit price.
    pub price: Price,
    /// Quantity that may trade: for a replace, the larger of the old and new leaves.
    pub leaves: Qty,
    /// Quantity as the venue sees it: for a replace, the new total.
    pub qty: Qty,
    /// Limits, if any are set.
    pub limits: Option<&'a Limits>,
    /// Exposure without this order.
    pub exposure: Exposure,
    /// Reference price (the mid) and when the book last heard from the venue.
    pub reference: Option<(Price, Timestamp)>,
    /// State of the book.
    pub book: BookState,
    /// The loop's time.
    pub now: Timestamp,
    /// The kill latch.
    pub killed: bool,
    /// The instrument was halted because the venue contradicted us.
    pub halted: bool,
    /// The order session is up and reconciled.
    pub ready: bool,
    /// The message rate has room.
    pub rate: bool,
    /// The order table has room.
    pub room: bool,
}

/// One named check.
pub struct Check {
    /// Its name in reports, metrics and documents.
    pub name: &'static str,
    /// What it refuses.
    pub refuses: &'static str,
    passes: fn(&Subject<'_>) -> bool,
}

/// Index of a check in [`CHECKS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach(pub u8);

impl Breach {
    /// The check's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        CHECKS.get(usize::from(self.0)).map_or("unknown", |check| check.name)
    }
}

/// The checks, in order: the first that fails names the refusal.
pub const CHECKS: [Check; 13] = [
    Check {
        name: "kill",
        refuses: "everything while the kill latch is set",
        passes: |s| !s.killed,
    },
    Check {
        name: "session",
        refuses: "orders before the session is up and reconciled",
        passes: |s| s.ready,
    },
    Check { name: "limits", refuses: "instruments without limits", passes: |s| s.limits.is_some() },
    Check {
        name: "halt",
        refuses: "instruments halted after a contradiction",
        passes: |s| !s.halted,
    },
    Check {
        name: "market-state",
        refuses: "orders on a book that is not Live, and out of trading hours",
        passes: |s| s.book.may_quote() && s.instrument.hours.is_open(s.now),
    },
    Check {
        name: "price",
        refuses: "prices off the tick or out of the instrument's bounds",
        passes: |s| s.instrument.is_valid_price(s.price),
    },
    Check {
        name: "quantity",
        refuses: "quantities off the lot or out of the instrument's bounds",
        passes: |s| s.instrument.is_valid_qty(s.qty),
    },
    Check {
        name: "order-size",
        refuses: "orders larger than max_order_qty",
        passes: |s| s.limits.is_some_and(|limits| s.leaves <= limits.order_qty),
    },
    Check {
        name: "order-value",
        refuses: "orders worth more than max_order_value",
        passes: |s| {
            s.limits.is_some_and(|limits| {
                let value = s.instrument.value(s.price, s.leaves);
                value.is_some_and(|value| value.abs() <= limits.order_value)
            })
        },
    },
    Check { name: "collar", refuses: "prices too far beyond a fresh reference", passes: in_collar },
    Check {
        name: "position",
        refuses: "orders that could take the position past max_position",
        passes: within_position,
    },
    Check { name: "rate", refuses: "messages beyond the rate limit", passes: |s| s.rate },
    Check { name: "open-orders", refuses: "orders beyond the order table", passes: |s| s.room },
];

/// Runs every check in turn.
///
/// # Errors
/// The first check that refuses.
pub fn check(subject: &Subject<'_>) -> Result<(), Breach> {
    for (index, check) in (0u8..).zip(&CHECKS) {
        if !(check.passes)(subject) {
            return Err(Breach(index));
        }
    }
    Ok(())
}

/// A buy may not be far above the reference, nor a sell far below; and neither may be so far on the
/// passive side that it is surely a slip.
fn in_collar(s: &Subject<'_>) -> bool {
    let (Some(limits), Some((reference, heard))) = (s.limits, s.reference) else { return false };
    if s.now.since(heard) > limits.reference_age || reference.raw() == 0 {
        return false;
    }
    let distance = i128::from(s.price.raw()) - i128::from(reference.raw());
    let allowed = i128::from(reference.raw()).abs() * i128::from(limits.collar_bps);
    distance.abs() * 10_000 <= allowed
}

/// Orders that can only shrink the position pass even when it is beyond the limit.
fn within_position(s: &Subject<'_>) -> bool {
    let Some(limits) = s.limits else { return false };
    let sign = i128::from(s.side.sign());
    let open = match s.side {
        Side::Buy => s.exposure.open_buy,
        Side::Sell => s.exposure.open_sell,
    };
    let net = i128::from(s.exposure.net) * sign;
    let worst = net + i128::from(open) + i128::from(s.leaves.raw());
    worst <= i128::from(limits.position.raw()).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            order_qty: Qty::from_raw(500),
            order_value: Money::from_raw(10_000 * 10i128.pow(18)),
            position: Qty::from_raw(1_000),
            collar_bps: 500,
            reference_age: Nanos::SECOND,
        }
    }

    fn subject<'a>(instrument: &'a Instrument, limits: &'a Limits) -> Subject<'a> {
        let price = "10.00".parse().unwrap();
        Subject {
            instrument,
            side: Side::Buy,
            price,
            leaves: Qty::from_raw(100),
            qty: Qty::from_raw(100),
            limits: Some(limits),
            exposure: Exposure::default(),
            reference: Some((price, Timestamp::ZERO)),
            book: BookState::Live,
            now: Timestamp::ZERO,
            killed: false,
            halted: false,
            ready: true,
            rate: true,
            room: true,
        }
    }

    /// One way to fail for every check in the table, and nothing else.
    #[test]
    fn every_check_refuses_its_case_and_no_other() {
        let share = Instrument::share(0, "X");
        let limits = limits();
        let fine = subject(&share, &limits);
        assert_eq!(check(&fine), Ok(()));
        let cheap = Limits { order_value: Money::from_raw(10i128.pow(18)), ..limits };
        let cases = [
            Subject { killed: true, ..fine },
            Subject { ready: false, ..fine },
            Subject { limits: None, ..fine },
            Subject { halted: true, ..fine },
            Subject { book: BookState::Gap, ..fine },
            Subject { price: "10.001".parse().unwrap(), ..fine },
            Subject { qty: Qty::ZERO, ..fine },
            Subject { leaves: Qty::from_raw(501), ..fine },
            Subject { limits: Some(&cheap), ..fine },
            Subject { now: Timestamp::from_nanos(1_000_000_001), ..fine },
            Subject { exposure: Exposure { net: 500, open_buy: 401, open_sell: 0 }, ..fine },
            Subject { rate: false, ..fine },
            Subject { room: false, ..fine },
        ];
        assert_eq!(cases.len(), CHECKS.len());
        for (case, expected) in cases.iter().zip(&CHECKS) {
            assert_eq!(check(case).unwrap_err().name(), expected.name);
        }
    }

    #[test]
    fn collar_is_two_sided_and_fails_closed() {
        let share = Instrument::share(0, "X");
        let limits = limits();
        let at = |text: &str| Subject { price: text.parse().unwrap(), ..subject(&share, &limits) };
        assert!(check(&at("10.50")).is_ok() && check(&at("9.50")).is_ok());
        assert_eq!(check(&at("10.51")).unwrap_err().name(), "collar");
        assert_eq!(check(&at("9.49")).unwrap_err().name(), "collar");
        let blind = Subject { reference: None, ..subject(&share, &limits) };
        assert_eq!(check(&blind).unwrap_err().name(), "collar");
    }

    #[test]
    fn reducing_is_always_within_position() {
        let share = Instrument::share(0, "X");
        let limits = limits();
        let long = Exposure { net: 5_000, ..Exposure::default() };
        let sell = Subject { side: Side::Sell, exposure: long, ..subject(&share, &limits) };
        assert!(check(&sell).is_ok());
        let buy = Subject { exposure: long, ..subject(&share, &limits) };
        assert_eq!(check(&buy).unwrap_err().name(), "position");
        // Not past flat to the limit on the other side, all open sells included.
        let flip = Subject { exposure: Exposure { net: 0, open_buy: 0, open_sell: 950 }, ..sell };
        assert_eq!(check(&flip).unwrap_err().name(), "position");
    }
}
