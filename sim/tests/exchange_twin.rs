//! Random commands: the exchange says what the slow twin says, its events rebuild its book, and
//! positions are the sums of fills.

mod twin;

use market::{
    BookView, Command, Event, EventFlags, EventKind, Instrument, InstrumentId, OrderId, Price, Qty,
    Report, ReportKind, Rng, Side, StateHasher, TimeInForce, Timestamp,
};
use proptest::prelude::*;
use sim::{AccountId, Exchange, ExchangeLimits, SelfTradePolicy, Tape, Venue};
use std::collections::{BTreeMap, BTreeSet};
use twin::{Said, Twin};

const ID: InstrumentId = InstrumentId(0);
const TICK: i64 = 10_000_000;

/// A book rebuilt from public events alone, by scanning.
#[derive(Default)]
struct Rebuilt {
    /// In order of arrival: number, side, price, quantity.
    orders: Vec<(u64, Side, i64, i64)>,
    highest: u64,
    replaced: Option<Side>,
}

impl Rebuilt {
    fn apply(&mut self, event: &Event) {
        let at = self.orders.iter().position(|order| order.0 == event.order);
        let qty = event.qty.raw();
        match event.kind().unwrap() {
            EventKind::Add => {
                assert!(event.order > self.highest, "numbers grow");
                assert!(qty > 0);
                self.highest = event.order;
                let replaces = event.flags.has(EventFlags::REPLACE);
                assert_eq!(replaces, self.replaced.is_some(), "halves of a replace follow");
                let side = event.side().or(self.replaced.take()).unwrap();
                self.orders.push((event.order, side, event.price.raw(), qty));
                return;
            }
            EventKind::Execute | EventKind::Reduce => {
                let order = &mut self.orders[at.expect("a known order")];
                assert!(0 < qty && qty <= order.3);
                order.3 -= qty;
                self.orders.retain(|order| order.3 > 0);
            }
            EventKind::Delete => {
                let gone = self.orders.remove(at.expect("a known order"));
                if event.flags.has(EventFlags::REPLACE) {
                    self.replaced = Some(gone.1);
                    return;
                }
            }
            kind => panic!("{kind:?} is not expected"),
        }
        assert!(self.replaced.is_none());
    }

    fn levels(&self, side: Side) -> Vec<(i64, i64, u32)> {
        let mut levels = BTreeMap::new();
        for order in self.orders.iter().filter(|order| order.1 == side) {
            let level = levels.entry(-order.2 * side.sign()).or_insert((order.2, 0, 0));
            level.1 += order.3;
            level.2 += 1;
        }
        levels.into_values().collect()
    }
}

fn said(reports: &[(AccountId, Report)]) -> Vec<Said> {
    let say = |(account, report): &(AccountId, Report)| {
        let (account, id) = (account.0, report.order.0);
        match report.kind().unwrap() {
            ReportKind::Accepted => Said::Accepted(account, id),
            ReportKind::Rejected => Said::Rejected(account, id),
            ReportKind::Replaced => Said::Replaced(account, id),
            ReportKind::Canceled => Said::Canceled(account, id),
            ReportKind::CancelRejected => Said::Refused(account, id),
            ReportKind::Filled => Said::Filled(account, id, report.price.raw(), report.qty.raw()),
            kind => panic!("{kind:?} is not expected"),
        }
    };
    reports.iter().map(say).collect()
}

fn random_command(rng: &mut Rng, account: u32, ids: &mut [Vec<u64>; 3]) -> Command {
    let known = &mut ids[account as usize];
    let fresh = known.last().copied().unwrap_or(0) + 1;
    // Rarely an id that was used.
    let id = if rng.chance(0.02) { 1 + rng.below(fresh) } else { fresh };
    known.push(fresh);
    let side = if rng.chance(0.5) { Side::Buy } else { Side::Sell };
    let price = Price::from_raw((100 + rng.below(8) as i64) * TICK);
    let qty = Qty::from_raw(1 + rng.below(9) as i64);
    // Mostly a recent order.
    let target = OrderId(fresh.saturating_sub(rng.below(12)).max(1));
    match rng.below(10) {
        0..6 => Command::new(OrderId(id), ID, side, price, qty),
        6..8 => Command::replace(OrderId(id), target, ID, side, price, qty),
        _ => Command::cancel(OrderId(id), target, ID, side),
    }
    .with_post_only(rng.chance(0.15))
    .with_time_in_force(if rng.chance(0.15) {
        TimeInForce::ImmediateOrCancel
    } else {
        TimeInForce::Day
    })
}

/// The side a replace or cancel must name is the order's own.
fn aim(command: Command, exchange: &Exchange, account: AccountId) -> Command {
    let Some(order) = exchange.open_order(account, command.target) else { return command };
    let again = match command.kind().unwrap() {
        market::CommandKind::Replace => {
            Command::replace(command.id, command.target, ID, order.side, command.price, command.qty)
        }
        market::CommandKind::Cancel => Command::cancel(command.id, command.target, ID, order.side),
        _ => return command,
    };
    again.with_post_only(command.post_only()).with_time_in_force(command.time_in_force())
}

fn run(seed: u64, steps: u64, policy: SelfTradePolicy) -> u128 {
    let mut exchange = Exchange::new(
        vec![Instrument::share(0, "X")],
        ExchangeLimits { accounts: 3, ..Default::default() },
        policy,
        Default::default(),
    )
    .unwrap();
    let (mut twin, mut rebuilt) = (Twin::default(), Rebuilt::default());
    let mut rng = Rng::new(seed);
    let mut ids: [Vec<u64>; 3] = Default::default();
    let mut tape = Tape::default();
    let mut execs = BTreeSet::new();
    for step in 0..steps {
        let account = rng.below(3) as u32;
        let command = random_command(&mut rng, account, &mut ids);
        let command = aim(command, &exchange, AccountId(account));
        let mut expected = Vec::new();
        twin.command(account, &command, policy, &mut expected);
        tape.clear();
        exchange.command(AccountId(account), &command, Timestamp::from_nanos(step), &mut tape);
        assert_eq!(said(&tape.reports), expected, "step {step}: {command:?}");
        for (_, report) in &tape.reports {
            let unnamed = report.kind() == Some(ReportKind::CancelRejected);
            assert!(unnamed || execs.insert(report.exec), "ExecIDs are unique");
        }
        for event in &tape.events {
            rebuilt.apply(event);
        }
        check_books(&exchange, &rebuilt, &twin);
    }
    check_positions(&exchange, &twin);
    let mut hasher = StateHasher::new();
    exchange.state_hash(&mut hasher);
    hasher.finish()
}

fn check_books(exchange: &Exchange, rebuilt: &Rebuilt, twin: &Twin) {
    let book = exchange.book(ID).unwrap();
    for side in Side::BOTH {
        let own: Vec<_> = (0..book.depth(side))
            .map(|at| book.level(side, at).unwrap())
            .map(|level| (level.price.raw(), level.qty.raw(), level.orders))
            .collect();
        assert_eq!(own, rebuilt.levels(side));
    }
    // The public queue is the twin's, order by order.
    let public: Vec<_> = rebuilt.orders.iter().map(|o| (o.1, o.2, o.3)).collect();
    let twins: Vec<_> = twin.orders.iter().map(|o| (o.side, o.price, o.total - o.filled)).collect();
    assert_eq!(public, twins);
}

fn check_positions(exchange: &Exchange, twin: &Twin) {
    for account in 0..3 {
        let position = exchange.position(AccountId(account), ID);
        let of_account = twin.cash.iter().filter(|fill| fill.0 == account);
        let net: i64 = of_account.clone().map(|fill| fill.1).sum();
        let paid: i64 = of_account.map(|fill| fill.1 * fill.2).sum();
        assert_eq!(position.net, net);
        // Cost of what is held less what was made is all that was paid.
        let spent = position.cost.raw() - position.realised.raw();
        assert_eq!(spent, i128::from(paid) * 1_000_000_000);
        let open = twin.orders.iter().filter(|order| order.account == account).count();
        assert_eq!(exchange.open_orders(AccountId(account)), open);
    }
    let fills: usize = twin.cash.len();
    assert!(fills > 0, "the test trades");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]
    #[test]
    fn equals_the_twin(seed in any::<u64>(), reject in any::<bool>()) {
        let policy =
            if reject { SelfTradePolicy::RejectIncoming } else { SelfTradePolicy::CancelResting };
        run(seed, 600, policy);
    }
}

#[test]
fn the_same_seed_gives_the_same_state() {
    let policy = SelfTradePolicy::CancelResting;
    assert_eq!(run(1, 800, policy), run(1, 800, policy));
    assert_ne!(run(1, 800, policy), run(2, 800, policy));
}
