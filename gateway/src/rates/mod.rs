//! What a venue lets through: rules of so many messages a window, judged before anything is sent.
//!
//! A state machine without a clock: [`Limiter::judge`] says whether a message may go, and
//! [`Limiter::note`] counts one that went. Nothing is allocated after construction, and every
//! judgement takes the same few steps whatever was sent. It must never let a window exceed its
//! count, let orders take what is kept for cancels, or let time that goes backwards open a window.
//!
//! A rule that counts every message keeps one place for each session itself: a Heartbeat or an
//! answer to a TestRequest cannot be refused, and must not be what breaks the limit.

mod meter;

use market::{CommandKind, Nanos, Timestamp};
use meter::Meter;

/// Messages that one rule may count; it bounds the memory of a sliding window.
pub const COUNT_MAX: u32 = 1_000_000;

/// How a venue counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// A window begins with the first message after the one before has ended.
    Fixed,
    /// Windows follow each other by the clock, counted from the epoch: whole seconds, for example.
    FixedClock,
    /// No span of this length, wherever it begins, holds more. Right for any fixed window too,
    /// whatever its beginning; use it when the documentation does not say.
    Sliding,
    /// A bucket of `count` messages that runs full at `count` a span, evenly.
    Leaky,
}

/// Which sessions are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each by itself.
    Session,
    /// All with the same key of the venue.
    Key,
    /// All of one account.
    Account,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// New orders, replaces and cancels. A batch is one message.
    Orders,
    /// New orders and replaces alone: cancels are never held by it, and nothing is kept for them.
    NewOrders,
    /// Every message, those of the session layer too.
    All,
}

/// What becomes of a message that would break the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is told when it may go.
    Hold,
    /// It is refused.
    Refuse,
}

impl Scope {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Session => "session",
            Scope::Key => "key",
            Scope::Account => "account",
        }
    }
}

/// One rule of a venue, as a `[[rate]]` table of its profile has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// For people.
    pub name: String,
    /// How it counts.
    pub window: Window,
    /// Messages a window.
    pub count: u32,
    /// Length of a window.
    pub span: Nanos,
    /// Which sessions it counts together.
    pub scope: Scope,
    /// What it counts.
    pub counts: Counts,
    /// What becomes of a message that would break it.
    pub action: Action,
    /// Percent of `count`, rounded up, that new orders and replaces leave to cancels.
    pub cancel_reserve: u8,
}

/// What is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A new order or a replace: stays clear of what is kept for cancels.
    Order,
    /// A cancel or mass cancel.
    Cancel,
    /// A request that is no order, such as a status request: counted by [`Counts::All`] alone, and
    /// clear of what is kept for cancels.
    Request,
    /// A message of the session layer: never held or refused, counted by [`Counts::All`] alone.
    Session,
}

impl Kind {
    /// How the message of a command counts.
    #[must_use]
    pub const fn of(command: CommandKind) -> Kind {
        match command {
            CommandKind::New | CommandKind::Replace => Kind::Order,
            CommandKind::Cancel | CommandKind::MassCancel => Kind::Cancel,
            CommandKind::Status | CommandKind::MassStatus | CommandKind::Mark => Kind::Request,
        }
    }
}

/// What a command puts on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// How each of its messages counts.
    pub kind: Kind,
    /// Messages that it becomes, at least one.
    pub messages: u32,
}

/// The judgement on one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No rule is broken.
    Pass,
    /// It would break a rule that holds; none is broken at this time, if nothing else goes before.
    Hold(Timestamp),
    /// It would break a rule that refuses: its index among the session's rules.
    Refuse(usize),
}

/// Rules that cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// No message at all, or more than are remembered.
    #[error("rate `{0}`: count must be 1 to {COUNT_MAX}")]
    Count(String),
    /// A window of no length.
    #[error("rate `{0}`: the window must be longer than nothing")]
    Span(String),
    /// More than the whole, or all of it.
    #[error("rate `{0}`: cancel_reserve of {1} % leaves no room for an order")]
    Reserve(String, u8),
    /// Two sessions count together by rules that differ.
    #[error("rate `{0}`: sessions of one {name} state it differently", name = .1.name())]
    Differs(String, Scope),
}

/// A session as the limiter knows it.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Its venue's rules.
    pub rules: &'a [Rule],
    /// What rules of [`Scope::Key`] count by; the venue's name belongs in it.
    pub key: &'a str,
    /// What rules of [`Scope::Account`] count by; the venue's name belongs in it.
    pub account: &'a str,
}

/// A rule with what it counted.
#[derive(Clone, Debug)]
struct Counted {
    meter: Meter,
    counts: Counts,
    action: Action,
    /// Places that cancels may fill.
    most: u32,
    /// Places that orders and requests may fill.
    orders: u32,
}

/// The rules of all sessions of one stage: those that share a scope share its count, and so share
/// the stage's core. Without rules everything passes.
#[derive(Clone, Debug, Default)]
pub struct Limiter {
    rules: Box<[Counted]>,
    /// By session: which of `rules` are its own, in order.
    sessions: Box<[Box<[usize]>]>,
    latest: Timestamp,
}

impl Limiter {
    /// For these sessions, told apart by their index.
    ///
    /// # Errors
    /// [`RateError`].
    pub fn new(sessions: &[Member<'_>]) -> Result<Limiter, RateError> {
        let mut rules: Vec<Counted> = Vec::new();
        // Rules that several sessions may share, with what they share and their index.
        let mut shared: Vec<(&Rule, &str, usize)> = Vec::new();
        let mut by_session = Vec::with_capacity(sessions.len());
        for session in sessions {
            let mut own = Vec::with_capacity(session.rules.len());
            for rule in session.rules {
                let group = match rule.scope {
                    Scope::Session => None,
                    Scope::Key => Some(session.key),
                    Scope::Account => Some(session.account),
                };
                let known = shared.iter().find(|(known, whose, _)| {
                    known.scope == rule.scope && Some(*whose) == group && known.name == rule.name
                });
                own.push(match known {
                    Some((known, _, _)) if *known != rule => {
                        return Err(RateError::Differs(rule.name.clone(), rule.scope));
                    }
                    Some(&(_, _, index)) => {
                        rules[index].share(rule)?;
                        index
                    }
                    None => {
                        rules.push(Counted::new(rule)?);
                        let index = rules.len() - 1;
                        shared.extend(group.map(|whose| (rule, whose, index)));
                        index
                    }
                });
            }
            by_session.push(own.into_boxed_slice());
        }
        Ok(Limiter {
            rules: rules.into_boxed_slice(),
            sessions: by_session.into_boxed_slice(),
            latest: Timestamp::ZERO,
        })
    }

    /// True if everything passes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a message of `session` may go now. Nothing is counted: see [`Limiter::note`].
    #[must_use]
    pub fn judge(&mut self, session: usize, now: Timestamp, kind: Kind) -> Verdict {
        let now = self.at(now);
        let mut until = None;
        for (index, rule) in self.rules_of(session).enumerate() {
            let Some(places) = rule.places(kind) else { continue };
            let free = rule.meter.free_at(now, places);
            if free <= now {
                continue;
            }
            match rule.action {
                Action::Refuse => return Verdict::Refuse(index),
                Action::Hold => until = until.max(Some(free)),
            }
        }
        until.map_or(Verdict::Pass, Verdict::Hold)
    }

    /// How many of `wanted` messages of `session` may go now, one right behind the other, by every
    /// rule whatever its action.
    #[must_use]
    pub fn room(&mut self, session: usize, now: Timestamp, kind: Kind, wanted: u32) -> u32 {
        let now = self.at(now);
        let room = |rule: &Counted| rule.room(now, kind, wanted);
        self.rules_of(session).map(room).min().unwrap_or(wanted)
    }

    /// When a message of `session` breaks no rule, whatever the rules' actions: `now`, or later.
    #[must_use]
    pub fn free_at(&mut self, session: usize, now: Timestamp, kind: Kind) -> Timestamp {
        let now = self.at(now);
        let free = |rule: &Counted| Some(rule.meter.free_at(now, rule.places(kind)?));
        self.rules_of(session).filter_map(free).max().unwrap_or(now)
    }

    /// Time that goes backwards counts as standing still.
    fn at(&mut self, now: Timestamp) -> Timestamp {
        self.latest = self.latest.max(now);
        self.latest
    }

    fn rules_of(&self, session: usize) -> impl Iterator<Item = &Counted> {
        let own = self.sessions.get(session).map_or(&[][..], |own| own);
        own.iter().map(|&rule| &self.rules[rule])
    }

    /// Counts a message of `session` that goes now, whatever was judged.
    pub fn note(&mut self, session: usize, now: Timestamp, kind: Kind) {
        self.latest = self.latest.max(now);
        let own = self.sessions.get(session).map_or(&[][..], |own| own);
        for &rule in own {
            let rule = &mut self.rules[rule];
            if rule.counts(kind) {
                rule.meter.note(self.latest);
            }
        }
    }
}

impl Counted {
    fn new(rule: &Rule) -> Result<Counted, RateError> {
        if !(1..=COUNT_MAX).contains(&rule.count) {
            return Err(RateError::Count(rule.name.clone()));
        }
        if rule.span == Nanos::ZERO {
            return Err(RateError::Span(rule.name.clone()));
        }
        // One place for the session itself, if there is more than one.
        let most = match rule.counts {
            Counts::All => rule.count - u32::from(rule.count > 1),
            Counts::Orders | Counts::NewOrders => rule.count,
        };
        // Nothing is kept for cancels where they do not count.
        let percent = if rule.counts == Counts::NewOrders { 0 } else { rule.cancel_reserve };
        let reserve = (u64::from(rule.count) * u64::from(percent)).div_ceil(100);
        let orders = u32::try_from(reserve).ok().and_then(|reserve| most.checked_sub(reserve));
        let orders = orders
            .filter(|&orders| orders > 0)
            .ok_or_else(|| RateError::Reserve(rule.name.clone(), rule.cancel_reserve))?;
        let meter = Meter::new(rule.window, rule.count, rule.span);
        Ok(Counted { meter, counts: rule.counts, action: rule.action, most, orders })
    }

    /// One more session counts by it, and needs a place for itself.
    fn share(&mut self, rule: &Rule) -> Result<(), RateError> {
        if self.counts == Counts::All {
            if self.orders < 2 {
                return Err(RateError::Reserve(rule.name.clone(), rule.cancel_reserve));
            }
            (self.most, self.orders) = (self.most - 1, self.orders - 1);
        }
        Ok(())
    }

    /// How many of `wanted` messages fit now. One more than fit is as good as one with the places
    /// that they leave.
    fn room(&self, now: Timestamp, kind: Kind, wanted: u32) -> u32 {
        let Some(places) = self.places(kind) else { return wanted };
        let (mut fit, mut most) = (0, wanted.min(places));
        while fit < most {
            let tried = most - (most - fit) / 2;
            if self.meter.free_at(now, places + 1 - tried) <= now {
                fit = tried;
            } else {
                most = tried - 1;
            }
        }
        fit
    }

    fn counts(&self, kind: Kind) -> bool {
        match self.counts {
            Counts::All => true,
            Counts::Orders => matches!(kind, Kind::Order | Kind::Cancel),
            Counts::NewOrders => kind == Kind::Order,
        }
    }

    /// Places that a message may fill; `None` if it is not limited.
    fn places(&self, kind: Kind) -> Option<u32> {
        if !self.counts(kind) {
            return None;
        }
        match kind {
            Kind::Order | Kind::Request => Some(self.orders),
            Kind::Cancel => Some(self.most),
            Kind::Session => None,
        }
    }
}

#[cfg(test)]
mod tests;
