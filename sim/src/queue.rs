//! Where an order stands in the queue of a level whose orders nobody tells.
//!
//! A feed by level says how much stands at a price, not in which order. What stood there when our
//! order came is ahead of it; trades at the price take from the front; for what goes without a
//! trade a [`QueueModel`] says how much of it was ahead. Quantities are raw counts; nothing here
//! knows prices.
//!
//! The models are those of hftbacktest,
//! <https://hftbacktest.readthedocs.io/en/latest/order_fill.html>, which follow E. Rigtorp,
//! *Estimating order queue position*,
//! <https://rigtorp.se/2013/06/08/estimating-order-queue-position.html>, and
//! <https://quant.stackexchange.com/q/3782>.

use market::{Qty, StateHasher};

/// How much of what is canceled at a level stood ahead of us.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum QueueModel {
    /// None of it, as long as there is room for it behind us: only trades advance us.
    #[default]
    RiskAverse,
    /// A cancel is behind us with probability b^n / (b^n + a^n), of the quantities ahead (a) and
    /// behind (b); n is above zero. With n = 1 every unit is as likely to go as any other.
    Power(f64),
    /// A cancel is behind us with probability ln(1 + b) / (ln(1 + b) + ln(1 + a)), in lots.
    Log,
}

impl QueueModel {
    /// The probability that a cancel is of a unit behind us, with `ahead` and `behind` in lots.
    #[must_use]
    pub fn behind(self, ahead: f64, behind: f64) -> f64 {
        let weight = |x: f64| match self {
            QueueModel::RiskAverse => 0.0,
            QueueModel::Power(n) => libm::pow(x, n),
            QueueModel::Log => libm::log1p(x),
        };
        let (behind, ahead) = (weight(behind), weight(ahead));
        let share = behind / (behind + ahead);
        // Nothing on either side, or a power out of range: against us.
        if share.is_nan() { 1.0 } else { share }
    }
}

/// The place of one of our orders in the queue of its level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    ahead: i64,
    /// What traded at the price since the level was told last: the level will be told less by it.
    traded: i64,
}

impl Place {
    /// Behind all that is displayed.
    #[must_use]
    pub fn behind(displayed: Qty) -> Place {
        Place { ahead: displayed.raw().max(0), traded: 0 }
    }

    /// Beyond what the feed shows: behind whatever will be displayed there first.
    #[must_use]
    pub fn unseen() -> Place {
        Place { ahead: i64::MAX, traded: 0 }
    }

    /// What stands ahead, never below zero.
    #[must_use]
    pub fn ahead(&self) -> Qty {
        Qty::from_raw(self.ahead)
    }

    /// Trades of `traded` in all were told at the price, of which `reached` took from the queue.
    pub fn trade(&mut self, reached: Qty, traded: Qty) {
        if self.ahead != i64::MAX {
            self.ahead = (self.ahead - reached.raw()).max(0);
        }
        self.traded = self.traded.saturating_add(traded.raw());
    }

    /// The level is told anew: it held `before`, and now `after`, which is above zero.
    pub fn level(&mut self, model: QueueModel, before: Qty, after: Qty, lot: Qty) {
        let (before, after) = (before.raw(), after.raw());
        let canceled = before.saturating_sub(after).saturating_sub(self.traded);
        self.traded = 0;
        if before > 0 && canceled > 0 && model != QueueModel::RiskAverse {
            self.ahead = self.ahead.min(before);
            self.ahead -= taken(model, self.ahead, before - self.ahead, canceled, lot.raw().max(1));
        }
        self.ahead = self.ahead.min(after);
    }

    /// No more can stand ahead than is displayed.
    pub fn cap(&mut self, displayed: Qty) {
        self.ahead = self.ahead.min(displayed.raw());
    }

    /// An order that came earlier stands no further behind.
    pub fn not_before(&mut self, earlier: &Place) {
        self.ahead = self.ahead.max(earlier.ahead);
    }

    pub(crate) fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.word(self.ahead.cast_unsigned());
        hasher.word(self.traded.cast_unsigned());
    }
}

/// How much of `canceled` stood among the `ahead`, in whole lots and at most all of it. What does
/// not fit behind us was ahead.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // An estimate, and clamped.
fn taken(model: QueueModel, ahead: i64, behind: i64, canceled: i64, lot: i64) -> i64 {
    let lots = |count: i64| count as f64 / lot as f64;
    let share = model.behind(lots(ahead), lots(behind));
    let canceled = lots(canceled);
    let overflow = (share * canceled - lots(behind)).max(0.0);
    let taken = ((1.0 - share) * canceled + overflow).max(0.0);
    ((taken as i64).saturating_mul(lot)).min(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(model: QueueModel, ahead: i64, before: i64, now: i64) -> i64 {
        let mut place = Place::behind(Qty::from_raw(ahead));
        place.level(model, Qty::from_raw(before), Qty::from_raw(now), Qty::from_raw(1));
        place.ahead().raw()
    }

    #[test]
    fn cancels_are_spread_as_the_models_say() {
        // 60 ahead, 40 behind, 20 canceled.
        assert_eq!(after(QueueModel::RiskAverse, 60, 100, 80), 60);
        // Behind with probability 0.4: 12 of the 20 stood ahead.
        assert_eq!(after(QueueModel::Power(1.0), 60, 100, 80), 48);
        // 1600 / (1600 + 3600) = 0.307…: 13 whole lots of 13.8.
        assert_eq!(after(QueueModel::Power(2.0), 60, 100, 80), 47);
        // ln 41 / (ln 41 + ln 61) = 0.474…: 10 whole lots of 10.5.
        assert_eq!(after(QueueModel::Log, 60, 100, 80), 50);
        // All of it cannot have stood behind: there is no room for it.
        assert_eq!(after(QueueModel::Power(50.0), 10, 100, 5), 5);
        assert_eq!(after(QueueModel::RiskAverse, 60, 100, 30), 30);
        // What comes, comes behind us.
        for model in [QueueModel::RiskAverse, QueueModel::Power(3.0), QueueModel::Log] {
            assert_eq!(after(model, 60, 100, 150), 60);
            assert_eq!(after(model, 0, 100, 20), 0);
            assert_eq!(after(model, 100, 100, 100), 100);
        }
    }

    #[test]
    fn a_level_that_shrinks_by_what_traded_is_no_cancel() {
        let qty = Qty::from_raw;
        let mut place = Place::behind(qty(60));
        place.trade(qty(20), qty(20));
        assert_eq!(place.ahead(), qty(40));
        place.level(QueueModel::Power(1.0), qty(100), qty(80), qty(1));
        assert_eq!(place.ahead(), qty(40), "the level says again what the trade said");
        place.level(QueueModel::Power(1.0), qty(80), qty(40), qty(1));
        assert_eq!(place.ahead(), qty(20), "half of what is canceled");
        place.trade(qty(500), qty(500));
        assert_eq!(place.ahead(), qty(0));
    }

    #[test]
    fn beyond_the_feed_we_stand_behind_what_is_shown_first() {
        let qty = Qty::from_raw;
        let mut place = Place::unseen();
        place.trade(qty(5), qty(5));
        place.level(QueueModel::Power(1.0), qty(0), qty(70), qty(1));
        assert_eq!(place.ahead(), qty(70));
    }

    #[test]
    fn the_probability_is_one_whatever_comes() {
        for model in [QueueModel::RiskAverse, QueueModel::Power(400.0), QueueModel::Log] {
            for ahead in [0.0, 1.0, 1e300] {
                for behind in [0.0, 1.0, 1e300] {
                    let share = model.behind(ahead, behind);
                    assert!((0.0..=1.0).contains(&share), "{model:?} {ahead} {behind}: {share}");
                }
            }
        }
    }
}
