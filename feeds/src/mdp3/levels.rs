//! The published levels of one side by their numbers: MDP 3.0 says what happens to a level by
//! number, and says nothing of levels that a new one pushes out of the published depth. Which price
//! stands at a number may be unknown: captures begin in the middle of a day.

use market::Price;

/// What `MDUpdateAction` does to a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    New,
    Change,
    Delete,
    DeleteThru,
    DeleteFrom,
    Overlay,
}

impl Action {
    pub(super) fn read(byte: u8) -> Option<Action> {
        Some(match byte {
            0 => Action::New,
            1 => Action::Change,
            2 => Action::Delete,
            3 => Action::DeleteThru,
            4 => Action::DeleteFrom,
            5 => Action::Overlay,
            _ => return None,
        })
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    /// Price of each level, the best first.
    prices: Vec<Option<Price>>,
}

impl Levels {
    /// Levels that a book has where nothing says how many: futures are published ten deep.
    pub(super) const DEPTH: usize = 10;

    /// Does to level `number`, of at most `depth`, what is said, and adds to `gone` the prices that
    /// have no level any more. `price` is missing only of deletions.
    ///
    /// # Errors
    /// What contradicts the levels: they are as they were then.
    pub(super) fn apply(
        &mut self,
        action: Action,
        number: u8,
        price: Option<Price>,
        depth: usize,
        gone: &mut Vec<Price>,
    ) -> Result<(), &'static str> {
        let Some(at) = usize::from(number).checked_sub(1).filter(|&at| at < depth) else {
            return Err("level number beyond the depth of the book");
        };
        let stands = self.prices.get(at).copied().flatten();
        let elsewhere = |price| {
            let found = self.prices.iter().position(|&stands| stands == Some(price));
            found.is_some_and(|found| found != at)
        };
        match (action, price) {
            (Action::New, Some(price)) => {
                if self.prices.contains(&Some(price)) {
                    return Err("new level at a price that has one");
                }
                self.reach(at);
                self.prices.insert(at, Some(price));
                gone.extend(self.prices.drain(depth.min(self.prices.len())..).flatten());
            }
            (Action::Change | Action::Overlay, Some(price)) => {
                if elsewhere(price) {
                    return Err("price is that of another level");
                }
                let other = stands.filter(|&stands| stands != price);
                if action == Action::Change && other.is_some() {
                    return Err("price is not that of its level");
                }
                gone.extend(other);
                self.reach(at + 1);
                self.prices[at] = Some(price);
            }
            (Action::Delete, price) => {
                let different = stands.zip(price).is_some_and(|(stands, price)| stands != price);
                if different || price.is_some_and(elsewhere) {
                    return Err("price is not that of its level");
                }
                gone.extend(stands.or(price));
                if at < self.prices.len() {
                    self.prices.remove(at);
                }
            }
            (Action::DeleteThru, _) => {
                gone.extend(self.prices.drain(..(at + 1).min(self.prices.len())).flatten());
            }
            (Action::DeleteFrom, _) => {
                gone.extend(self.prices.drain(at.min(self.prices.len())..).flatten());
            }
            (Action::New | Action::Change | Action::Overlay, None) => return Err("no price"),
        }
        Ok(())
    }

    /// Sets level `number` of a snapshot; false if it has a price already, or is beyond `depth`.
    pub(super) fn set(&mut self, number: u8, price: Price, depth: usize) -> bool {
        let at = usize::from(number).wrapping_sub(1);
        if at >= depth || self.prices.contains(&Some(price)) {
            return false;
        }
        self.reach(at + 1);
        self.prices[at].replace(price).is_none()
    }

    /// Lets there be at least `count` levels.
    fn reach(&mut self, count: usize) {
        if self.prices.len() < count {
            self.prices.resize(count, None);
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.prices.clear();
    }
}
