//! A slow, obvious price-time matching engine that judges the fast one.
//!
//! One instrument, orders in one vector in order of arrival; every question is a scan.

use market::{Command, CommandKind, Price, Side, TimeInForce};
use sim::SelfTradePolicy;

/// What the twin says, in the order in which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Accepted(u32, u64),
    Rejected(u32, u64),
    Replaced(u32, u64),
    Canceled(u32, u64),
    Refused(u32, u64),
    /// Account, order, price, quantity.
    Filled(u32, u64, i64, i64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) account: u32,
    pub(crate) id: u64,
    pub(crate) side: Side,
    pub(crate) price: i64,
    pub(crate) total: i64,
    pub(crate) filled: i64,
}

impl Order {
    fn leaves(&self) -> i64 {
        self.total - self.filled
    }
}

/// The twin.
#[derive(Default)]
pub(crate) struct Twin {
    /// In order of arrival.
    pub(crate) orders: Vec<Order>,
    used: Vec<(u32, u64)>,
    pub(crate) cash: Vec<(u32, i64, i64)>,
}

impl Twin {
    /// Index of the order that trades next on `side`.
    fn front(&self, side: Side) -> Option<usize> {
        let mut front: Option<usize> = None;
        for (at, order) in self.orders.iter().enumerate().filter(|(_, o)| o.side == side) {
            let better = front.is_none_or(|best| {
                side.is_better(
                    Price::from_raw(order.price),
                    Price::from_raw(self.orders[best].price),
                )
            });
            if better {
                front = Some(at);
            }
        }
        front
    }

    fn crosses(&self, side: Side, price: i64) -> Option<usize> {
        let front = self.front(side.opposite())?;
        let resting = Price::from_raw(self.orders[front].price);
        side.crosses(Price::from_raw(price), resting).then_some(front)
    }

    /// True if the order would come upon one of its own account; tried on a copy of the book.
    fn meets_own(&self, order: &Order) -> bool {
        let mut copy = Twin { orders: self.orders.clone(), ..Twin::default() };
        let mut leaves = order.leaves();
        while leaves > 0 {
            let Some(front) = copy.crosses(order.side, order.price) else { return false };
            if copy.orders[front].account == order.account {
                return true;
            }
            leaves -= copy.orders[front].leaves();
            copy.orders.remove(front);
        }
        false
    }

    pub(crate) fn command(
        &mut self,
        account: u32,
        command: &Command,
        policy: SelfTradePolicy,
        said: &mut Vec<Said>,
    ) {
        let id = command.id.0;
        let used = self.used.contains(&(account, id));
        self.used.push((account, id));
        let at = self.orders.iter().position(|o| o.account == account && o.id == command.target.0);
        match command.kind().unwrap() {
            CommandKind::New => {
                let order = Order {
                    account,
                    id,
                    side: command.side().unwrap(),
                    price: command.price.raw(),
                    total: command.qty.raw(),
                    filled: 0,
                };
                if used || !self.may(&order, command, policy) {
                    said.push(Said::Rejected(account, id));
                    return;
                }
                said.push(Said::Accepted(account, id));
                self.work(order, command, said);
            }
            CommandKind::Cancel => match at.filter(|_| !used) {
                None => said.push(Said::Refused(account, id)),
                Some(at) => {
                    self.orders.remove(at);
                    said.push(Said::Canceled(account, id));
                }
            },
            CommandKind::Replace => match at.filter(|_| !used) {
                None => said.push(Said::Refused(account, id)),
                Some(at) => self.replace(at, command, policy, said),
            },
            _ => unreachable!("the test sends no other"),
        }
    }

    fn may(&self, order: &Order, command: &Command, policy: SelfTradePolicy) -> bool {
        let crosses = self.crosses(order.side, order.price).is_some();
        let own = policy == SelfTradePolicy::RejectIncoming && self.meets_own(order);
        !(crosses && command.post_only() || own)
    }

    fn replace(
        &mut self,
        at: usize,
        command: &Command,
        policy: SelfTradePolicy,
        said: &mut Vec<Said>,
    ) {
        let old = self.orders[at];
        let (price, total) = (command.price.raw(), command.qty.raw());
        if total <= old.filled {
            self.orders.remove(at);
            said.push(Said::Canceled(old.account, command.id.0));
            return;
        }
        let day = command.time_in_force() == TimeInForce::Day;
        let new = Order { id: command.id.0, price, total, ..old };
        if price == old.price && total <= old.total && day {
            self.orders[at] = new;
            said.push(Said::Replaced(old.account, command.id.0));
            return;
        }
        if !self.may(&new, command, policy) {
            said.push(Said::Refused(old.account, command.id.0));
            return;
        }
        self.orders.remove(at);
        said.push(Said::Replaced(old.account, command.id.0));
        self.work(new, command, said);
    }

    fn work(&mut self, mut order: Order, command: &Command, said: &mut Vec<Said>) {
        while order.leaves() > 0 {
            let Some(front) = self.crosses(order.side, order.price) else { break };
            let resting = self.orders[front];
            if resting.account == order.account {
                said.push(Said::Canceled(resting.account, resting.id));
                self.orders.remove(front);
                continue;
            }
            let qty = order.leaves().min(resting.leaves());
            self.fill(&resting, resting.price, qty, said);
            self.fill(&order, resting.price, qty, said);
            order.filled += qty;
            self.orders[front].filled += qty;
            if self.orders[front].leaves() == 0 {
                self.orders.remove(front);
            }
        }
        if order.leaves() == 0 {
            return;
        }
        if command.time_in_force() == TimeInForce::ImmediateOrCancel {
            said.push(Said::Canceled(order.account, order.id));
        } else {
            self.orders.push(order);
        }
    }

    fn fill(&mut self, order: &Order, price: i64, qty: i64, said: &mut Vec<Said>) {
        said.push(Said::Filled(order.account, order.id, price, qty));
        self.cash.push((order.account, qty * order.side.sign(), price));
    }
}
