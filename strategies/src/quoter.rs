//! The quoter: wanted quotes minus live orders gives the fewest commands.
//!
//! A pure function over one instrument's orders. It never sends a second command on an order that
//! awaits an answer, never lets a quote cross an order of ours that may still stand on the other
//! side, and never holds back a retreat from the market for the sake of a rest time.

mod matching;
mod wanted;

#[cfg(test)]
mod tests;

use crate::{NewOrder, Quote};
use market::{
    Instrument, Nanos, OrderId, OrderState, OrderView, Price, Qty, Side, TimeInForce, Timestamp,
};
use matching::Matching;
pub use wanted::{BadQuote, Wanted};

/// Most levels a side that may be wanted.
pub const MAX_LEVELS: usize = 8;
/// Most idle orders a side that one plan looks at; what is beyond waits until these are gone.
pub const MAX_OPEN: usize = 16;
const MAX_ACTIONS: usize = 2 * MAX_OPEN;

/// How eagerly quotes follow what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuoterSettings {
    /// An order stays where it is while the wanted price is fewer ticks away, in either direction.
    /// At 1 every move is followed.
    pub min_move_ticks: u32,
    /// An order rests at least this long before it moves toward the market or is refilled. Moving
    /// away, shrinking and cancelling never wait.
    pub min_rest: Nanos,
    /// A partly filled order is refilled once what is left falls below this share of what is
    /// wanted, in percent. At 0 it is never refilled, at 100 always.
    pub refill_below_percent: u32,
    /// New orders may not take liquidity.
    pub post_only: bool,
}

impl Default for QuoterSettings {
    /// Follow every tick at once, refill at half, post only.
    fn default() -> Self {
        QuoterSettings {
            min_move_ticks: 1,
            min_rest: Nanos::ZERO,
            refill_below_percent: 50,
            post_only: true,
        }
    }
}

/// One command to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this order.
    New(NewOrder),
    /// Change an order to this price and total quantity, filled part included.
    Replace {
        /// The order.
        id: OrderId,
        /// Its new price.
        price: Price,
        /// Its new total quantity.
        qty: Qty,
    },
    /// Cancel an order.
    Cancel {
        /// The order.
        id: OrderId,
    },
}

impl Action {
    /// What frees room goes first.
    const fn rank(&self) -> u8 {
        match self {
            Action::Cancel { .. } => 0,
            Action::Replace { .. } => 1,
            Action::New(_) => 2,
        }
    }
}

/// What to send now, and when to look again. Reused from plan to plan; holds no heap memory.
#[derive(Clone, Debug)]
pub struct Plan {
    actions: [Action; MAX_ACTIONS],
    len: usize,
    again: Option<Timestamp>,
}

impl Default for Plan {
    fn default() -> Self {
        let actions = [Action::Cancel { id: OrderId::NONE }; MAX_ACTIONS];
        Plan { actions, len: 0, again: None }
    }
}

impl Plan {
    /// The commands in the order in which to send them: what leaves the market comes first.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions[..self.len]
    }

    /// When the next rest time ends: plan again then. Every report on an order and every change
    /// of the wanted quotes calls for a new plan anyway.
    #[must_use]
    pub const fn again(&self) -> Option<Timestamp> {
        self.again
    }

    /// Adds a command behind those of its rank. Two sides of at most MAX_OPEN always fit.
    fn push(&mut self, action: Action) {
        let mut at = self.len.min(MAX_ACTIONS - 1);
        while at > 0 && self.actions[at - 1].rank() > action.rank() {
            self.actions[at] = self.actions[at - 1];
            at -= 1;
        }
        self.actions[at] = action;
        self.len = (self.len + 1).min(MAX_ACTIONS);
    }

    fn look_again(&mut self, at: Timestamp) {
        self.again = Some(self.again.map_or(at, |again| again.min(at)));
    }
}

/// Plans quotes by its settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quoter {
    /// Its settings.
    pub settings: QuoterSettings,
}

const _: () = assert!(MAX_OPEN <= 16 && MAX_LEVELS <= 16);

impl Quoter {
    /// Puts into `plan` what turns `live` into `wanted`. `live` are all open orders of the
    /// instrument on this account, in any order and state.
    pub fn plan(
        &self,
        instrument: &Instrument,
        wanted: &Wanted,
        live: &[OrderView],
        now: Timestamp,
        plan: &mut Plan,
    ) {
        plan.len = 0;
        plan.again = None;
        for side in Side::BOTH {
            self.plan_side(instrument, side, wanted, live, now, plan);
        }
    }

    fn plan_side(
        &self,
        instrument: &Instrument,
        side: Side,
        wanted: &Wanted,
        live: &[OrderView],
        now: Timestamp,
        plan: &mut Plan,
    ) {
        let levels = wanted.side(side);
        if self.stands(side, levels, live) {
            return;
        }
        let limit = wanted.side(side.opposite()).first().map(|quote| quote.price);
        let idle = Idle::new(side, live);
        let mut matching = Matching::default();
        for exact in [true, false] {
            for (at, order) in idle.iter() {
                let stays = |quote: &Quote| self.stays(instrument, order, quote, limit, exact);
                let edges = (0..levels.len()).filter(|&level| stays(&levels[level]));
                matching.allow(at, edges.fold(0, |mask, level| mask | 1 << level));
            }
            matching.grow();
        }
        let mut open = matching.free(levels.len());
        occupy(side, live, levels, &mut open);
        for (_, order) in idle.iter().filter(|&(at, _)| !matching.is_matched(at)) {
            let level = open.trailing_zeros() as usize;
            let Some(quote) = levels.get(level) else {
                plan.push(Action::Cancel { id: order.id });
                continue;
            };
            open &= open - 1;
            let rested = order.since.after(self.settings.min_rest);
            if now < rested && !retreats(order, quote, limit) {
                plan.look_again(rested);
            } else {
                replace(order, quote, live, plan);
            }
        }
        for (_, quote) in levels.iter().enumerate().filter(|(level, _)| open & 1 << level != 0) {
            if !would_cross(side, quote.price, live) {
                plan.push(Action::New(NewOrder {
                    instrument: instrument.id,
                    side,
                    price: quote.price,
                    qty: quote.qty,
                    time_in_force: TimeInForce::Day,
                    post_only: self.settings.post_only,
                }));
            }
        }
    }

    /// True if the orders of a side are the levels wanted, one by one: most often there is nothing more
    /// to find. False says nothing.
    fn stands(&self, side: Side, levels: &[Quote], live: &[OrderView]) -> bool {
        let mut levels = levels.iter();
        let mut orders = live.iter().filter(|order| order.side == side && order.state.is_open());
        orders.all(|order| {
            order.state == OrderState::Live
                && levels
                    .next()
                    .is_some_and(|quote| order.price == quote.price && self.is_enough(order, quote))
        }) && levels.next().is_none()
    }

    /// True if what is left of `order` may stand for the quantity of `quote`.
    fn is_enough(&self, order: &OrderView, quote: &Quote) -> bool {
        let refill_below =
            i128::from(quote.qty.raw()) * i128::from(self.settings.refill_below_percent.min(100));
        order.leaves <= quote.qty && i128::from(order.leaves.raw()) * 100 >= refill_below
    }

    /// True if `order` may stand for `quote` as it is: at its very price if `exact`, else within
    /// the minimum move and clear of everything wanted on the other side.
    fn stays(
        &self,
        instrument: &Instrument,
        order: &OrderView,
        quote: &Quote,
        limit: Option<Price>,
        exact: bool,
    ) -> bool {
        let apart = i128::from(order.price.raw()) - i128::from(quote.price.raw());
        let move_from =
            i128::from(instrument.tick.raw()) * i128::from(self.settings.min_move_ticks.max(1));
        let near = if exact { apart == 0 } else { apart.abs() < move_from };
        near && self.is_enough(order, quote)
            && !limit.is_some_and(|limit| order.side.crosses(order.price, limit))
    }
}

/// The orders of one side that await no answer, best first.
struct Idle<'a> {
    orders: [Option<&'a OrderView>; MAX_OPEN],
}

impl<'a> Idle<'a> {
    fn new(side: Side, live: &'a [OrderView]) -> Self {
        let mut orders = [None; MAX_OPEN];
        let idle = |order: &&OrderView| order.side == side && order.state == OrderState::Live;
        for (len, order) in live.iter().filter(idle).take(MAX_OPEN).enumerate() {
            let mut at = len;
            // Insertion keeps equal prices in the order given.
            while at > 0
                && orders[at - 1].is_some_and(|o: &OrderView| side.is_better(order.price, o.price))
            {
                orders[at] = orders[at - 1];
                at -= 1;
            }
            orders[at] = Some(order);
        }
        Idle { orders }
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &'a OrderView)> + '_ {
        self.orders.iter().enumerate().map_while(|(at, order)| order.map(|order| (at, order)))
    }
}

/// Takes off `open` a level for every order of the side that awaits an answer: the level it is on
/// its way to, else the one farthest from the market. It may trade until the venue says otherwise.
fn occupy(side: Side, live: &[OrderView], levels: &[Quote], open: &mut u16) {
    let mut elsewhere = 0;
    for order in live {
        if order.side != side || !order.state.is_open() || order.state == OrderState::Live {
            continue;
        }
        let target = order.pending_price.unwrap_or(order.price);
        let leaving = order.state == OrderState::PendingCancel;
        let takes = |&level: &usize| *open & 1 << level != 0 && levels[level].price == target;
        match (0..levels.len()).find(|level| !leaving && takes(level)) {
            Some(level) => *open &= !(1 << level),
            None => elsewhere += 1,
        }
    }
    for _ in 0..elsewhere.min(levels.len()) {
        *open &= !open.checked_ilog2().map_or(0, |highest| 1 << highest);
    }
}

/// True if becoming `quote` lowers what the order risks: a price farther from the market, or less
/// quantity, or out of the way of the other side.
fn retreats(order: &OrderView, quote: &Quote, limit: Option<Price>) -> bool {
    order.side.is_better(order.price, quote.price)
        || order.leaves > quote.qty
        || limit.is_some_and(|limit| order.side.crosses(order.price, limit))
}

/// Replaces `order` by `quote`, unless that could trade with an order of ours: then it waits for
/// that order's answer.
fn replace(order: &OrderView, quote: &Quote, live: &[OrderView], plan: &mut Plan) {
    match order.cum_qty.checked_add(quote.qty) {
        Some(_) if would_cross(order.side, quote.price, live) => {}
        Some(qty) => plan.push(Action::Replace { id: order.id, price: quote.price, qty }),
        None => plan.push(Action::Cancel { id: order.id }),
    }
}

/// True if a quote at `price` could trade with an order of ours that may stand on the other side,
/// wherever the request in flight may take it.
fn would_cross(side: Side, price: Price, live: &[OrderView]) -> bool {
    live.iter().any(|order| {
        order.side != side
            && order.state.is_open()
            && (side.crosses(price, order.price)
                || order.pending_price.is_some_and(|pending| side.crosses(price, pending)))
    })
}
