//! What the quoter must keep: it gets there, in the fewest commands, one an order, never through
//! its own orders, and never late for a retreat.

use super::*;
use market::{InstrumentId, Rng};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_nanos(1_000_000_000);
const EAGER: QuoterSettings = QuoterSettings {
    min_move_ticks: 1,
    min_rest: Nanos::ZERO,
    refill_below_percent: 100,
    post_only: true,
};

fn share() -> Instrument {
    Instrument::share(0, "X")
}

/// A price of so many ticks.
fn ticks(ticks: i64) -> Price {
    Price::from_raw(ticks * 10_000_000)
}

fn quote(price: i64, qty: i64) -> Quote {
    Quote { price: ticks(price), qty: Qty::from_raw(qty) }
}

fn order(id: u64, side: Side, price: i64, leaves: i64) -> OrderView {
    OrderView {
        id: OrderId(id),
        instrument: InstrumentId(0),
        side,
        state: OrderState::Live,
        price: ticks(price),
        pending_price: None,
        leaves: Qty::from_raw(leaves),
        cum_qty: Qty::from_raw(5),
        since: NOW,
    }
}

fn wanted(bids: &[Quote], asks: &[Quote]) -> Wanted {
    Wanted::new(&share(), bids, asks).unwrap()
}

fn plan(settings: QuoterSettings, wanted: &Wanted, live: &[OrderView], now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    Quoter { settings }.plan(&share(), wanted, live, now, &mut plan);
    plan
}

/// A venue that takes everything in, at once or when told to answer.
#[derive(Debug, Default)]
struct Venue {
    orders: Vec<OrderView>,
    /// Total quantity asked for, by the replaces in flight.
    asked: Vec<(OrderId, Qty)>,
    last_id: u64,
}

impl Venue {
    fn find(&mut self, id: OrderId) -> &mut OrderView {
        self.orders.iter_mut().find(|order| order.id == id).unwrap()
    }

    /// Sends a command after checking that it may be sent.
    fn send(&mut self, action: Action) {
        let idle = |order: &OrderView| assert_eq!(order.state, OrderState::Live, "{action:?}");
        match action {
            Action::New(new) => {
                self.last_id += 1;
                self.never_crosses(new.side, new.price);
                let id = 1_000 + self.last_id;
                let pending = OrderView {
                    state: OrderState::PendingNew,
                    price: new.price,
                    leaves: new.qty,
                    cum_qty: Qty::ZERO,
                    ..order(id, new.side, 0, 0)
                };
                self.orders.push(pending);
            }
            Action::Replace { id, price, qty } => {
                idle(self.find(id));
                let side = self.find(id).side;
                self.never_crosses(side, price);
                let order = self.find(id);
                (order.state, order.pending_price) = (OrderState::PendingReplace, Some(price));
                self.asked.push((id, qty));
            }
            Action::Cancel { id } => {
                idle(self.find(id));
                self.find(id).state = OrderState::PendingCancel;
            }
        }
    }

    fn never_crosses(&self, side: Side, price: Price) {
        for order in self.orders.iter().filter(|order| order.side != side) {
            for theirs in [Some(order.price), order.pending_price].into_iter().flatten() {
                assert!(!side.crosses(price, theirs), "{side:?} {price} meets {order:?}");
            }
        }
    }

    /// Answers the requests in flight that `chosen` picks.
    fn answer(&mut self, mut chosen: impl FnMut() -> bool) {
        for mut order in std::mem::take(&mut self.orders) {
            if order.state != OrderState::Live && chosen() {
                if order.state == OrderState::PendingCancel {
                    continue;
                }
                if let Some(price) = order.pending_price.take() {
                    let at = self.asked.iter().position(|(id, _)| *id == order.id).unwrap();
                    let (_, qty) = self.asked.swap_remove(at);
                    order.price = price;
                    order.leaves = qty.checked_sub(order.cum_qty).unwrap();
                }
                order.state = OrderState::Live;
            }
            self.orders.push(order);
        }
    }

    fn stands(&self, side: Side) -> Vec<(Price, Qty)> {
        let ours = self.orders.iter().filter(|order| order.side == side);
        let mut stands: Vec<_> = ours.map(|order| (order.price, order.leaves)).collect();
        stands.sort_unstable();
        stands
    }
}

fn sorted(levels: &[Quote]) -> Vec<(Price, Qty)> {
    let mut levels: Vec<_> = levels.iter().map(|quote| (quote.price, quote.qty)).collect();
    levels.sort_unstable();
    levels
}

/// Distance from the middle in ticks, and quantity, of up to `most` levels.
fn levels(most: usize) -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((1i64..7, 1i64..4), 0..=most)
}

fn side_of(side: Side, middle: i64, levels: &[(i64, i64)]) -> Vec<Quote> {
    levels.iter().map(|&(away, qty)| quote(middle - side.sign() * away, qty)).collect()
}

fn live_of(middle: i64, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Vec<OrderView> {
    let orders = |side, levels: &[(i64, i64)]| side_of(side, middle, levels).into_iter();
    let all = orders(Side::Buy, bids).map(|quote| (Side::Buy, quote));
    let all = all.chain(orders(Side::Sell, asks).map(|quote| (Side::Sell, quote)));
    let order = |(id, (side, quote)): (u64, (Side, Quote))| OrderView {
        price: quote.price,
        leaves: quote.qty,
        ..order(id, side, 0, 0)
    };
    (1..).zip(all).map(order).collect()
}

/// The fewest commands of one side by trying every assignment of orders to levels.
fn fewest(
    orders: &[&OrderView],
    levels: &[Quote],
    stays: &dyn Fn(&OrderView, &Quote) -> bool,
) -> usize {
    let Some((order, rest)) = orders.split_first() else { return levels.len() };
    let canceled = 1 + fewest(rest, levels, stays);
    let kept_or_moved = (0..levels.len()).map(|at| {
        let mut others = levels.to_vec();
        let level = others.remove(at);
        usize::from(!stays(order, &level)) + fewest(rest, &others, stays)
    });
    kept_or_moved.min().map_or(canceled, |best| best.min(canceled))
}

proptest! {
    #[test]
    fn an_ideal_venue_ends_at_what_is_wanted(
        (live_bids, live_asks) in (levels(12), levels(12)),
        (bids, asks) in (levels(MAX_LEVELS), levels(MAX_LEVELS)),
        moved in -9i64..10,
    ) {
        let wanted = wanted(
            &side_of(Side::Buy, 100 + moved, &bids),
            &side_of(Side::Sell, 100 + moved, &asks),
        );
        let mut venue = Venue { orders: live_of(100, &live_bids, &live_asks), ..Venue::default() };
        for round in 0.. {
            let plan = plan(EAGER, &wanted, &venue.orders, NOW);
            if plan.actions().is_empty() {
                break;
            }
            // At most one side waits for the other to get out of the way.
            prop_assert!(round < 2, "still at it");
            prop_assert_eq!(plan.again(), None);
            plan.actions().iter().for_each(|action| venue.send(*action));
            venue.answer(|| true);
        }
        for side in Side::BOTH {
            prop_assert_eq!(venue.stands(side), sorted(wanted.side(side)));
        }
    }

    #[test]
    fn late_answers_and_changing_wishes(
        (live_bids, live_asks) in (levels(5), levels(5)),
        wishes in prop::collection::vec((levels(5), levels(5), -9i64..10), 1..8),
        seed in any::<u64>(),
    ) {
        let mut rng = Rng::new(seed);
        let mut venue = Venue { orders: live_of(100, &live_bids, &live_asks), ..Venue::default() };
        let mut state = Wanted::default();
        for (bids, asks, moved) in wishes {
            let middle = 100 + moved;
            state = wanted(
                &side_of(Side::Buy, middle, &bids),
                &side_of(Side::Sell, middle, &asks),
            );
            let before = Side::BOTH.map(|side| venue.stands(side).len());
            let plan = plan(EAGER, &state, &venue.orders, NOW);
            plan.actions().iter().for_each(|action| venue.send(*action));
            for side in Side::BOTH {
                // What is on its way out still counts: never more orders than wanted.
                let most = before[side.index()].max(state.side(side).len());
                prop_assert!(venue.stands(side).len() <= most);
            }
            venue.answer(|| rng.chance(0.5));
        }
        for _ in 0..4 {
            venue.answer(|| true);
            let plan = plan(EAGER, &state, &venue.orders, NOW);
            plan.actions().iter().for_each(|action| venue.send(*action));
        }
        for side in Side::BOTH {
            prop_assert_eq!(venue.stands(side), sorted(state.side(side)));
        }
    }

    #[test]
    fn no_assignment_needs_fewer_commands(
        (live_bids, live_asks) in (levels(4), levels(4)),
        (bids, asks) in (levels(4), levels(4)),
        (min_move_ticks, refill_below_percent) in (1u32..5, 0u32..=100),
    ) {
        let settings = QuoterSettings { min_move_ticks, refill_below_percent, ..EAGER };
        let live = live_of(100, &live_bids, &live_asks);
        let wanted =
            wanted(&side_of(Side::Buy, 100, &bids), &side_of(Side::Sell, 100, &asks));
        let stays = |order: &OrderView, quote: &Quote| {
            let apart = (order.price.raw() - quote.price.raw()).abs();
            apart < i64::from(min_move_ticks) * 10_000_000
                && order.leaves <= quote.qty
                && order.leaves.raw() * 100 >= quote.qty.raw() * i64::from(refill_below_percent)
        };
        let count: usize = Side::BOTH.map(|side| {
            let orders: Vec<_> = live.iter().filter(|order| order.side == side).collect();
            fewest(&orders, wanted.side(side), &stays)
        }).into_iter().sum();
        prop_assert_eq!(plan(settings, &wanted, &live, NOW).actions().len(), count);
    }
}

#[test]
fn a_jump_moves_the_far_side_first() {
    let wanted = wanted(&[quote(105, 9)], &[quote(107, 9)]);
    let live = [order(1, Side::Buy, 100, 9), order(2, Side::Sell, 102, 9)];
    let up = Action::Replace { id: OrderId(2), price: ticks(107), qty: Qty::from_raw(14) };
    assert_eq!(plan(EAGER, &wanted, &live, NOW).actions(), [up]);
    // Until the venue has answered, the ask may still stand at 102.
    let moving =
        OrderView { state: OrderState::PendingReplace, pending_price: Some(ticks(107)), ..live[1] };
    assert_eq!(plan(EAGER, &wanted, &[live[0], moving], NOW).actions(), []);
    let moved = order(3, Side::Sell, 107, 9);
    let follow = Action::Replace { id: OrderId(1), price: ticks(105), qty: Qty::from_raw(14) };
    assert_eq!(plan(EAGER, &wanted, &[live[0], moved], NOW).actions(), [follow]);
}

#[test]
fn what_frees_room_is_sent_first() {
    let live =
        [order(1, Side::Buy, 100, 9), order(2, Side::Sell, 110, 9), order(3, Side::Sell, 111, 9)];
    let wanted = wanted(&[quote(100, 9), quote(99, 9)], &[quote(112, 9)]);
    let plan = plan(EAGER, &wanted, &live, NOW);
    let kinds = plan.actions().iter().map(Action::rank);
    assert_eq!(kinds.collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(plan.actions()[0], Action::Cancel { id: OrderId(3) });
}

#[test]
fn rest_holds_back_advances_and_never_retreats() {
    let settings = QuoterSettings { min_rest: Nanos::from_millis(5), ..EAGER };
    let live = [order(1, Side::Buy, 100, 9), order(2, Side::Sell, 110, 9)];
    let rested = NOW.after(Nanos::from_millis(5));
    let both_up = wanted(&[quote(101, 9)], &[quote(111, 9)]);
    let held = plan(settings, &both_up, &live, NOW);
    let retreat = Action::Replace { id: OrderId(2), price: ticks(111), qty: Qty::from_raw(14) };
    assert_eq!(held.actions(), [retreat]);
    assert_eq!(held.again(), Some(rested));
    assert_eq!(plan(settings, &both_up, &live, rested).actions().len(), 2);
    // Shrinking and cancelling do not wait, refilling does.
    let smaller = plan(settings, &wanted(&[quote(100, 4)], &[]), &live, NOW);
    assert_eq!(smaller.actions().len(), 2);
    let larger = plan(settings, &wanted(&[quote(100, 20)], &[quote(110, 9)]), &live, NOW);
    assert_eq!((larger.actions(), larger.again()), (&[][..], Some(rested)));
}

#[test]
fn partial_fills_rest_until_the_threshold() {
    let settings = QuoterSettings { refill_below_percent: 50, ..EAGER };
    let wanted = wanted(&[quote(100, 10)], &[]);
    assert_eq!(plan(settings, &wanted, &[order(1, Side::Buy, 100, 5)], NOW).actions(), []);
    let refill = Action::Replace { id: OrderId(1), price: ticks(100), qty: Qty::from_raw(15) };
    assert_eq!(plan(settings, &wanted, &[order(1, Side::Buy, 100, 4)], NOW).actions(), [refill]);
}

#[test]
fn an_order_within_the_minimum_move_still_clears_the_other_side() {
    let settings = QuoterSettings { min_move_ticks: 3, ..EAGER };
    let live = [order(1, Side::Buy, 101, 9)];
    assert_eq!(plan(settings, &wanted(&[quote(100, 9)], &[]), &live, NOW).actions(), []);
    let blocked = wanted(&[quote(100, 9)], &[quote(101, 9)]);
    let clears = Action::Replace { id: OrderId(1), price: ticks(100), qty: Qty::from_raw(14) };
    assert_eq!(plan(settings, &blocked, &live, NOW).actions(), [clears]);
}

#[test]
fn what_awaits_an_answer_keeps_its_level() {
    let wanted = wanted(&[quote(100, 9), quote(99, 9)], &[]);
    for state in [OrderState::PendingNew, OrderState::PendingCancel, OrderState::Unknown] {
        let waiting = OrderView { state, ..order(1, Side::Buy, 100, 9) };
        assert_eq!(plan(EAGER, &wanted, &[waiting], NOW).actions().len(), 1, "{state:?}");
    }
    let closed = OrderView { state: OrderState::Canceled, ..order(1, Side::Buy, 100, 9) };
    assert_eq!(plan(EAGER, &wanted, &[closed], NOW).actions().len(), 2);
}

#[test]
fn more_orders_than_a_plan_holds_are_cancelled_by_and_by() {
    let orders = (1..=50).map(|id| order(id, Side::Buy, 100, 1)).collect();
    let mut venue = Venue { orders, ..Venue::default() };
    for _ in 0..4 {
        let plan = plan(EAGER, &Wanted::default(), &venue.orders, NOW);
        plan.actions().iter().for_each(|action| venue.send(*action));
        venue.answer(|| true);
    }
    assert_eq!(venue.orders, []);
}

#[test]
fn an_unusable_wish_is_refused() {
    let new = |bids: &[Quote], asks: &[Quote]| Wanted::new(&share(), bids, asks).unwrap_err();
    let off = Quote { price: Price::from_raw(1), qty: Qty::from_raw(1) };
    assert_eq!(new(&[off], &[]), BadQuote::Price(Side::Buy, off.price));
    assert_eq!(new(&[], &[quote(5, 0)]), BadQuote::Qty(Side::Sell, ticks(5)));
    assert_eq!(new(&[quote(5, 1)], &[quote(5, 1)]), BadQuote::Crossed);
    assert_eq!(new(&[quote(5, 1); MAX_LEVELS + 1], &[]), BadQuote::TooManyLevels(Side::Buy));
    let sorted = wanted(&[quote(4, 1), quote(5, 1)], &[quote(9, 1), quote(8, 1)]);
    assert_eq!(sorted.side(Side::Buy)[0], quote(5, 1));
    assert_eq!(sorted.side(Side::Sell)[0], quote(8, 1));
}
