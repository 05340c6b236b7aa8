//! Measures synthetic flow: one run gives samples of the book and the trades of takers.

use market::{BookView, Instrument, InstrumentId, OrderId, Report, ReportKind, Side, Timestamp};
use sim::flow::{INFORMED, UNINFORMED};
use sim::{AccountId, Exchange, ExchangeLimits, Flow, FlowParameters, Output};

pub(crate) const ID: InstrumentId = InstrumentId(0);

/// The book at one moment, in ticks.
pub(crate) struct Sample {
    pub(crate) mid: f64,
    pub(crate) spread: f64,
    /// Quantity at 0, 1, 2, … ticks behind the best, mean of both sides.
    pub(crate) depth: [f64; 12],
}

/// One order of a taker, all its fills together.
pub(crate) struct Trade {
    pub(crate) second: f64,
    pub(crate) sign: f64,
    pub(crate) informed: bool,
    /// Mean price in ticks.
    pub(crate) price: f64,
    /// Mid before it.
    pub(crate) mid: f64,
    /// Ticks from its best to its worst fill.
    pub(crate) swept: f64,
}

/// What a run gave.
#[derive(Default)]
pub(crate) struct Measured {
    /// Every half second, from the tenth second on.
    pub(crate) samples: Vec<Option<Sample>>,
    pub(crate) trades: Vec<Trade>,
    /// Public events in each second.
    pub(crate) counts: Vec<f64>,
}

pub(crate) const STEP: f64 = 0.5;

#[derive(Default)]
struct Ear {
    events: usize,
    fills: Vec<(AccountId, Report)>,
}

impl Output for Ear {
    fn report(&mut self, account: AccountId, report: Report) {
        let taker = account == INFORMED || account == UNINFORMED;
        if taker && report.kind() == Some(ReportKind::Filled) {
            self.fills.push((account, report));
        }
    }
    fn event(&mut self, _: market::Event) {
        self.events += 1;
    }
}

pub(crate) fn ticks(price: market::Price) -> f64 {
    price.raw() as f64 / 1e7
}

pub(crate) fn mid(exchange: &Exchange) -> Option<f64> {
    let bid = exchange.best(ID, Side::Buy)?.price;
    let ask = exchange.best(ID, Side::Sell)?.price;
    Some((ticks(bid) + ticks(ask)) / 2.0)
}

fn sample(exchange: &Exchange) -> Option<Sample> {
    let book = exchange.book(ID)?;
    let best = [book.best(Side::Buy)?.price, book.best(Side::Sell)?.price];
    let mut depth = [0.0; 12];
    for side in Side::BOTH {
        for at in 0..book.depth(side) {
            let level = book.level(side, at)?;
            let behind = (ticks(level.price) - ticks(best[side.index()])).abs().round() as usize;
            if let Some(slot) = depth.get_mut(behind) {
                *slot += level.qty.raw() as f64 / 2.0;
            }
        }
    }
    let [bid, ask] = best.map(ticks);
    Some(Sample { mid: (bid + ask) / 2.0, spread: ask - bid, depth })
}

/// Runs flow alone on an exchange for `seconds`.
pub(crate) fn measure(parameters: FlowParameters, seed: u64, seconds: u64) -> Measured {
    let instruments = vec![Instrument::share(0, "X")];
    let mut flow = Flow::new(seed, parameters, &instruments, Timestamp::ZERO).unwrap();
    let limits = ExchangeLimits { orders: 4096, orders_per_account: 2048, ..Default::default() };
    let mut exchange =
        Exchange::new(instruments, limits, Default::default(), Default::default()).unwrap();
    let mut ear = Ear::default();
    let mut measured = Measured::default();
    let mut next_sample = 10.0;
    let mut next_count = 10.0;
    let mut counted = 0;
    while flow.next_time() < Timestamp::from_nanos(seconds * 1_000_000_000) {
        let second = flow.next_time().nanos() as f64 * 1e-9;
        while next_sample <= second {
            measured.samples.push(sample(&exchange));
            next_sample += STEP;
        }
        while next_count <= second {
            measured.counts.push((ear.events - counted) as f64);
            counted = ear.events;
            next_count += 1.0;
        }
        let before = mid(&exchange);
        flow.step(&mut exchange, &mut ear);
        take_trades(&mut ear, &mut measured, second, before);
    }
    measured
}

fn take_trades(ear: &mut Ear, measured: &mut Measured, second: f64, before: Option<f64>) {
    let mut at = 0;
    while at < ear.fills.len() {
        let (account, first) = ear.fills[at];
        let key: (AccountId, OrderId) = (account, first.order);
        let mut end = at;
        let (mut value, mut qty) = (0.0, 0.0);
        while end < ear.fills.len() && (ear.fills[end].0, ear.fills[end].1.order) == key {
            let fill = ear.fills[end].1;
            value += ticks(fill.price) * fill.qty.raw() as f64;
            qty += fill.qty.raw() as f64;
            end += 1;
        }
        if let (Some(mid), Some(side)) = (before, first.side()) {
            measured.trades.push(Trade {
                second,
                sign: side.sign() as f64,
                informed: account == INFORMED,
                price: value / qty,
                mid,
                swept: (ticks(ear.fills[end - 1].1.price) - ticks(first.price)).abs(),
            });
        }
        at = end;
    }
    ear.fills.clear();
}

impl Measured {
    pub(crate) fn whole(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().flatten()
    }

    pub(crate) fn two_sided(&self) -> f64 {
        self.whole().count() as f64 / self.samples.len() as f64
    }

    pub(crate) fn spread(&self) -> f64 {
        mean(self.whole().map(|sample| sample.spread))
    }

    /// Mean quantity by ticks behind the best.
    pub(crate) fn depth(&self) -> [f64; 12] {
        std::array::from_fn(|at| mean(self.whole().map(|sample| sample.depth[at])))
    }

    /// Variance over mean of public events per second: 1 for Poisson.
    pub(crate) fn dispersion(&self) -> f64 {
        let mean_count = mean(self.counts.iter().copied());
        mean(self.counts.iter().map(|count| (count - mean_count).powi(2))) / mean_count
    }

    /// Autocorrelation of event counts of neighbouring seconds.
    pub(crate) fn count_correlation(&self) -> f64 {
        correlation(&self.counts, 1)
    }

    pub(crate) fn sign_correlation(&self, lag: usize) -> f64 {
        let signs: Vec<f64> = self.trades.iter().map(|trade| trade.sign).collect();
        correlation(&signs, lag)
    }

    /// Mean move of the mid in the taker's favour, from just before its trade to `later` seconds
    /// after, with its standard error.
    pub(crate) fn impact(&self, informed: bool, later: f64) -> (f64, f64) {
        self.after(informed, later, |trade, mid| trade.sign * (mid - trade.mid))
    }

    /// Mean gain of the taker against the mid `later` seconds after.
    pub(crate) fn gain(&self, informed: bool, later: f64) -> (f64, f64) {
        self.after(informed, later, |trade, mid| trade.sign * (mid - trade.price))
    }

    fn after(&self, informed: bool, later: f64, f: impl Fn(&Trade, f64) -> f64) -> (f64, f64) {
        let values: Vec<f64> = self
            .trades
            .iter()
            .filter(|trade| trade.informed == informed)
            .filter_map(|trade| {
                let index = ((trade.second + later - 10.0) / STEP).ceil();
                let at = self.samples.get(index.max(0.0) as usize)?.as_ref()?;
                Some(f(trade, at.mid))
            })
            .collect();
        let centre = mean(values.iter().copied());
        let variance = mean(values.iter().map(|x| (x - centre).powi(2)));
        (centre, (variance / values.len() as f64).sqrt())
    }
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / count
}

fn correlation(values: &[f64], lag: usize) -> f64 {
    let centre = mean(values.iter().copied());
    let variance = mean(values.iter().map(|x| (x - centre).powi(2)));
    let products = values.windows(lag + 1).map(|w| (w[0] - centre) * (w[lag] - centre));
    mean(products) / variance
}
