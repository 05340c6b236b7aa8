//! The limiter beside a slow twin that keeps the time of every message ever sent.

use super::*;
use proptest::prelude::*;

const WINDOWS: [Window; 4] = [Window::Fixed, Window::FixedClock, Window::Sliding, Window::Leaky];

fn rule(window: Window, count: u32, span: u64) -> Rule {
    Rule {
        name: "messages".into(),
        window,
        count,
        span: Nanos::new(span),
        scope: Scope::Session,
        counts: Counts::Orders,
        action: Action::Hold,
        cancel_reserve: 0,
    }
}

fn limiter(rules: &[Rule]) -> Limiter {
    Limiter::new(&[Member { rules, key: "key", account: "account" }]).unwrap()
}

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// Sends all that passes at this time, at most `most`; gives back how many did.
fn burst(limiter: &mut Limiter, session: usize, now: u64, kind: Kind, most: usize) -> usize {
    (0..most)
        .take_while(|_| {
            let passes = limiter.judge(session, at(now), kind) == Verdict::Pass;
            if passes {
                limiter.note(session, at(now), kind);
            }
            passes
        })
        .count()
}

/// Every message that a rule counted, in order.
struct Twin<'a> {
    rule: &'a Rule,
    sent: Vec<u64>,
}

impl Twin<'_> {
    fn counts(&self, kind: Kind) -> bool {
        match self.rule.counts {
            Counts::All => true,
            Counts::Orders => matches!(kind, Kind::Order | Kind::Cancel),
            Counts::NewOrders => kind == Kind::Order,
        }
    }

    /// True if one more message now fills no more than `places`.
    fn has_room(&self, now: u64, places: u64) -> bool {
        let (span, count) = (self.rule.span.get(), u64::from(self.rule.count));
        let used = match self.rule.window {
            Window::Sliding => self.sent.iter().filter(|&&sent| sent + span > now).count(),
            Window::FixedClock => {
                self.sent.iter().filter(|&&sent| sent / span == now / span).count()
            }
            Window::Fixed => {
                let mut began: Option<u64> = None;
                let mut used = 0;
                for &sent in &self.sent {
                    if began.is_none_or(|began| sent >= began + span) {
                        (began, used) = (Some(sent), 0);
                    }
                    used += 1;
                }
                if began.is_some_and(|began| now < began + span) { used } else { 0 }
            }
            // From whichever message on: no more than the bucket holds and what ran out since.
            Window::Leaky => {
                let fits = |(index, &since): (usize, &u64)| {
                    let with_this = (self.sent.len() - index) as u64 + 1;
                    with_this * span <= places * span + (now - since) * count
                };
                return self.sent.iter().enumerate().all(fits);
            }
        };
        (used as u64) < places
    }

    fn allows(&self, now: u64, kind: Kind) -> bool {
        let count = u64::from(self.rule.count);
        let most =
            if self.rule.counts == Counts::All { count - u64::from(count > 1) } else { count };
        let kept = self.rule.counts != Counts::NewOrders;
        let reserve = (u64::from(kept) * count * u64::from(self.rule.cancel_reserve)).div_ceil(100);
        match kind {
            Kind::Session => true,
            _ if !self.counts(kind) => true,
            Kind::Order | Kind::Request => self.has_room(now, most - reserve),
            Kind::Cancel => self.has_room(now, most),
        }
    }
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let window = prop::sample::select(WINDOWS.to_vec());
    (window, 3u32..12, 1u64..60, any::<bool>(), any::<bool>(), 0u8..50).prop_map(
        |(window, count, span, all, refuse, cancel_reserve)| Rule {
            counts: if all { Counts::All } else { Counts::Orders },
            action: if refuse { Action::Refuse } else { Action::Hold },
            cancel_reserve: if count > 3 { cancel_reserve } else { cancel_reserve / 2 },
            ..rule(window, count, span)
        },
    )
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        6 => Just(Kind::Order),
        3 => Just(Kind::Cancel),
        1 => Just(Kind::Request),
        1 => Just(Kind::Session),
    ]
}

proptest! {
    /// What passes is what the twin allows, at every time and for every rule; what is held may go
    /// at the time told and not before.
    #[test]
    fn the_twin_agrees(
        rules in prop::collection::vec(any_rule(), 1..4),
        steps in prop::collection::vec((-20i64..20, any_kind()), 1..150),
    ) {
        let mut limiter = limiter(&rules);
        let mut twins: Vec<_> = rules.iter().map(|rule| Twin { rule, sent: Vec::new() }).collect();
        let (mut clock, mut latest) = (1_000u64, 0);
        for (step, kind) in steps {
            clock = clock.saturating_add_signed(step);
            // A clock that went back shows the time it showed before.
            latest = clock.max(latest);
            let verdict = limiter.judge(0, at(clock), kind);
            // As many as the room says go one by one, and no more.
            let wanted = 1 + u32::from(clock % 13 > 6) * 12;
            let room = limiter.room(0, at(clock), kind, wanted);
            let mut ahead = limiter.clone();
            let fit = (0..wanted).take_while(|_| {
                let fits = ahead.free_at(0, at(clock), kind) <= at(latest);
                if fits {
                    ahead.note(0, at(clock), kind);
                }
                fits
            });
            prop_assert_eq!(room as usize, fit.count());
            let broken: Vec<_> =
                (0..rules.len()).filter(|&index| !twins[index].allows(latest, kind)).collect();
            let refuses = broken.iter().find(|&&index| rules[index].action == Action::Refuse);
            match (refuses, verdict) {
                (Some(&first), found) => prop_assert_eq!(found, Verdict::Refuse(first)),
                (None, Verdict::Hold(until)) => {
                    prop_assert!(!broken.is_empty());
                    prop_assert!(until > at(latest));
                    let mut later = limiter.clone();
                    let before = at(until.nanos() - 1);
                    prop_assert_ne!(later.clone().judge(0, before, kind), Verdict::Pass);
                    prop_assert_eq!(later.judge(0, until, kind), Verdict::Pass);
                }
                (None, found) => {
                    prop_assert!(broken.is_empty());
                    prop_assert_eq!(found, Verdict::Pass);
                }
            }
            if verdict == Verdict::Pass {
                limiter.note(0, at(clock), kind);
                for twin in &mut twins {
                    if twin.counts(kind) {
                        twin.sent.push(latest);
                    }
                }
            }
        }
    }

    /// However many orders are tried: as many cancels a window as are kept for them always pass.
    #[test]
    fn cancels_are_never_starved(
        mut rule in any_rule(),
        steps in prop::collection::vec(0u64..15, 1..150),
    ) {
        rule.counts = Counts::Orders;
        rule.cancel_reserve = rule.cancel_reserve.max(1);
        let reserve = (u64::from(rule.count) * u64::from(rule.cancel_reserve)).div_ceil(100);
        let span = rule.span.get();
        let mut limiter = limiter(std::slice::from_ref(&rule));
        let mut now = 1_000;
        let mut cancels: Vec<u64> = Vec::new();
        for step in steps {
            now += step;
            burst(&mut limiter, 0, now, Kind::Order, usize::MAX);
            let recent = cancels.iter().filter(|&&sent| sent + span > now).count() as u64;
            if recent < reserve {
                prop_assert_eq!(limiter.judge(0, at(now), Kind::Cancel), Verdict::Pass);
                limiter.note(0, at(now), Kind::Cancel);
                cancels.push(now);
            }
        }
    }
}

#[test]
fn a_fixed_window_begins_with_its_first_message_and_ends_by_its_length() {
    let mut limiter = limiter(&[rule(Window::Fixed, 2, 100)]);
    // Also the first of all, early in the life of a virtual clock.
    assert_eq!(burst(&mut limiter, 0, 50, Kind::Order, 5), 2);
    assert_eq!(limiter.judge(0, at(149), Kind::Order), Verdict::Hold(at(150)));
    assert_eq!(burst(&mut limiter, 0, 150, Kind::Order, 5), 2);
    assert_eq!(limiter.judge(0, at(249), Kind::Order), Verdict::Hold(at(250)));
}

#[test]
fn a_fixed_window_by_the_clock_ends_on_the_clock() {
    let mut limiter = limiter(&[rule(Window::FixedClock, 2, 100)]);
    assert_eq!(burst(&mut limiter, 0, 1_090, Kind::Order, 5), 2);
    assert_eq!(limiter.judge(0, at(1_099), Kind::Order), Verdict::Hold(at(1_100)));
    assert_eq!(burst(&mut limiter, 0, 1_100, Kind::Order, 5), 2);
}

#[test]
fn time_that_goes_backwards_opens_nothing() {
    for window in WINDOWS {
        let mut limiter = limiter(&[rule(window, 2, 100)]);
        assert_eq!(burst(&mut limiter, 0, 1_000, Kind::Order, 5), 2, "{window:?}");
        for now in [999, 800, 1, 0, 1_000] {
            assert_eq!(burst(&mut limiter, 0, now, Kind::Order, 5), 0, "{window:?} at {now}");
        }
        assert!(burst(&mut limiter, 0, 1_100, Kind::Order, 5) > 0, "{window:?}");
    }
}

#[test]
fn what_the_session_sends_is_counted_and_has_a_place() {
    let all = Rule { counts: Counts::All, ..rule(Window::Sliding, 5, 100) };
    let mut limiter = limiter(&[all]);
    limiter.note(0, at(1_000), Kind::Session);
    assert_eq!(burst(&mut limiter, 0, 1_000, Kind::Cancel, 9), 3);
    assert_eq!(limiter.judge(0, at(1_000), Kind::Session), Verdict::Pass);
}

#[test]
fn sessions_share_what_they_should() {
    let by = |scope, name: &str| Rule { scope, name: name.into(), ..rule(Window::Fixed, 4, 100) };
    let rules = [by(Scope::Account, "account")];
    let own = [by(Scope::Session, "session")];
    let member = |rules, account| Member { rules, key: "k", account };
    let mut limiter = Limiter::new(&[
        member(&rules, "a"),
        member(&rules, "a"),
        member(&rules, "b"),
        member(&own, "a"),
    ])
    .unwrap();
    assert_eq!(burst(&mut limiter, 0, 1_000, Kind::Order, 3), 3);
    assert_eq!(burst(&mut limiter, 1, 1_000, Kind::Order, 9), 1);
    assert_eq!(burst(&mut limiter, 2, 1_000, Kind::Order, 9), 4);
    assert_eq!(burst(&mut limiter, 3, 1_000, Kind::Order, 9), 4);
    // Who has no rules is not limited.
    assert_eq!(burst(&mut limiter, 9, 1_000, Kind::Order, 9), 9);

    let other = [Rule { count: 5, ..rules[0].clone() }];
    let error = Limiter::new(&[member(&rules, "a"), member(&other, "a")]).unwrap_err();
    assert_eq!(error.to_string(), "rate `account`: sessions of one account state it differently");
}

#[test]
fn each_session_that_shares_a_rule_has_a_place() {
    let all = |count| {
        [Rule { scope: Scope::Key, counts: Counts::All, ..rule(Window::Sliding, count, 100) }]
    };
    let limiter = |rules: &[Rule], sessions: usize| {
        Limiter::new(&vec![Member { rules, key: "k", account: "" }; sessions])
    };
    for sessions in 1..4 {
        let mut limiter = limiter(&all(9), sessions).unwrap();
        assert_eq!(burst(&mut limiter, 0, 1_000, Kind::Cancel, 99), 9 - sessions);
        // What another session says of itself takes room from all.
        limiter.note(sessions - 1, at(1_100), Kind::Session);
        assert_eq!(burst(&mut limiter, 0, 1_100, Kind::Cancel, 99), 8 - sessions);
    }
    assert!(limiter(&all(2), 1).is_ok());
    assert!(limiter(&all(2), 2).unwrap_err().to_string().contains("no room"));
}

#[test]
fn rules_that_cannot_be_kept_are_refused() {
    let good = rule(Window::Leaky, 10, 1);
    for (bad, says) in [
        (Rule { count: 0, ..good.clone() }, "count"),
        (Rule { count: COUNT_MAX + 1, ..good.clone() }, "count"),
        (Rule { span: Nanos::ZERO, ..good.clone() }, "longer"),
        (Rule { cancel_reserve: 91, ..good.clone() }, "no room"),
        (Rule { cancel_reserve: 255, ..good.clone() }, "no room"),
        (Rule { count: 2, counts: Counts::All, cancel_reserve: 1, ..good.clone() }, "no room"),
    ] {
        let member = Member { rules: std::slice::from_ref(&bad), key: "", account: "" };
        let error = Limiter::new(&[member]).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
