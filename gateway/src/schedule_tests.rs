//! Schedules over days on which the clocks change, with the instants written out by hand.

use super::*;
use crate::fix::time;
use market::Nanos;
use proptest::prelude::*;

const DAY: u64 = 86_400;

/// `20250309-07:00:00` in UTC.
fn utc(text: &str) -> Timestamp {
    time::parse(text.as_bytes()).unwrap()
}

fn parse(text: &str) -> Schedule {
    Schedule::parse(text).unwrap()
}

fn day(text: &str) -> SessionDay {
    let nanos = utc(&format!("{text}-00:00:00")).nanos();
    SessionDay(u32::try_from(nanos / Nanos::DAY.get()).unwrap())
}

/// From `from` on, each change and the state after it: the day of an open session.
#[track_caller]
fn check(schedule: &str, from: &str, changes: &[(&str, Option<&str>)]) {
    let schedule = parse(schedule);
    let mut hours = schedule.at(utc(from));
    for &(at, open) in changes {
        let until = hours.until();
        assert_eq!(until, utc(at));
        // Up to the last nanosecond before, nothing changes.
        assert_eq!(schedule.at(Timestamp::from_nanos(until.nanos() - 1)), hours);
        hours = schedule.at(until);
        let found = match hours {
            Hours::Open { day, .. } => Some(day),
            Hours::Closed { .. } => None,
        };
        assert_eq!(found, open.map(day), "after {at}");
    }
}

#[test]
fn a_daily_session_ends_on_the_day_after() {
    check(
        "17:00 to 16:30 UTC",
        "20250101-16:45:00",
        &[
            ("20250101-17:00:00", Some("20250101")),
            ("20250102-16:30:00", None),
            ("20250102-17:00:00", Some("20250102")),
        ],
    );
}

#[test]
fn a_session_without_a_break_has_a_new_day_at_its_moment() {
    check(
        "22:00 to 22:00 UTC",
        "20250101-00:00:00",
        &[("20250101-22:00:00", Some("20250101")), ("20250102-22:00:00", Some("20250102"))],
    );
}

#[test]
fn clocks_go_forward() {
    // New York, 2025-03-09: 02:00 EST becomes 03:00 EDT at 07:00 UTC.
    check(
        "08:00 to 17:00 America/New_York",
        "20250308-12:00:00",
        &[
            ("20250308-13:00:00", Some("20250308")),
            ("20250308-22:00:00", None),
            ("20250309-12:00:00", Some("20250309")),
            ("20250309-21:00:00", None),
        ],
    );
    // 02:30 does not exist: the session begins as the clocks jump.
    check(
        "02:30 to 05:00 America/New_York",
        "20250309-06:00:00",
        &[("20250309-07:00:00", Some("20250309")), ("20250309-09:00:00", None)],
    );
    // All of it lies in the hour that is left out: there is none that day.
    check(
        "02:15 to 02:45 America/New_York",
        "20250308-08:00:00",
        &[("20250310-06:15:00", Some("20250310")), ("20250310-06:45:00", None)],
    );
    // London, 2025-03-30: 01:00 GMT becomes 02:00 BST at 01:00 UTC.
    check(
        "01:00 to 01:00 Europe/London",
        "20250329-12:00:00",
        &[("20250330-01:00:00", Some("20250330")), ("20250331-00:00:00", Some("20250331"))],
    );
}

#[test]
fn clocks_go_back() {
    // New York, 2025-11-02: 02:00 EDT becomes 01:00 EST at 06:00 UTC; 01:30 comes at 05:30 and 06:30.
    check(
        "01:30 to 05:00 America/New_York",
        "20251102-05:00:00",
        &[("20251102-05:30:00", Some("20251102")), ("20251102-10:00:00", None)],
    );
    check(
        "20:00 to 01:30 America/New_York",
        "20251102-04:00:00",
        &[("20251102-05:30:00", None), ("20251103-01:00:00", Some("20251102"))],
    );
    // London, 2025-10-26: 02:00 BST becomes 01:00 GMT at 01:00 UTC.
    check(
        "07:00 to 18:00 Europe/London",
        "20251025-12:00:00",
        &[
            ("20251025-17:00:00", None),
            ("20251026-07:00:00", Some("20251026")),
            ("20251026-18:00:00", None),
        ],
    );
}

#[test]
fn a_weekly_session_keeps_its_local_times() {
    check(
        "Sun 17:00 to Fri 16:55 America/New_York",
        "20250307-12:00:00",
        &[
            ("20250307-21:55:00", None),
            ("20250309-21:00:00", Some("20250309")),
            ("20250314-20:55:00", None),
            ("20250316-21:00:00", Some("20250316")),
        ],
    );
    // From a day to the same day: of the week after, or of the same if it ends later.
    check(
        "Sat 22:00 to Sat 22:00 UTC",
        "20250102-00:00:00",
        &[("20250104-22:00:00", Some("20250104")), ("20250111-22:00:00", Some("20250111"))],
    );
    check(
        "Sat 09:00 to Sat 12:00 UTC",
        "20250102-00:00:00",
        &[
            ("20250104-09:00:00", Some("20250104")),
            ("20250104-12:00:00", None),
            ("20250111-09:00:00", Some("20250111")),
        ],
    );
}

#[test]
fn numbers_begin_anew_with_a_later_day_only() {
    let schedule = parse("17:00 to 16:30 UTC");
    let now = utc("20250102-12:00:00");
    assert!(schedule.needs_reset(Some(day("20241231")), now));
    assert!(!schedule.needs_reset(Some(day("20250101")), now));
    assert!(!schedule.needs_reset(Some(day("20250102")), now), "the clock went back");
    assert!(!schedule.needs_reset(None, now));
    assert!(!schedule.needs_reset(Some(day("20241231")), utc("20250102-16:45:00")), "closed");
    assert!(!parse("24x7").needs_reset(Some(SessionDay(0)), now));
}

#[test]
fn numbers_begin_anew_for_a_cause() {
    let schedule = parse("00:00 to 00:00 UTC");
    let now = utc("20250102-12:00:00");
    let all = Renewal { each_day: true, at_number: Some(1_000_000), on_news: true };
    let cause = |renewal: Renewal, last, highest, announced| {
        renewal.cause(&schedule, Some(day(last)), now, highest, announced)
    };
    assert_eq!(cause(all, "20250102", 999_999, false), None);
    assert_eq!(cause(all, "20250101", 5, false), Some(RenewalCause::Day));
    assert_eq!(cause(all, "20250102", 1_000_000, false), Some(RenewalCause::Number));
    assert_eq!(cause(all, "20250101", 1_000_000, true), Some(RenewalCause::News));
    assert_eq!(cause(Renewal::default(), "20250101", u64::MAX, true), None);
}

#[test]
fn a_session_without_hours_is_always_open() {
    let open = Hours::Open { day: SessionDay(0), until: Timestamp::MAX };
    for now in [Timestamp::ZERO, utc("20250102-12:00:00"), Timestamp::MAX] {
        assert_eq!(parse(" 24x7 ").at(now), open);
    }
}

#[test]
fn wrong_texts_name_the_wrong_word() {
    for (text, says) in [
        ("", "write `24x7`"),
        ("24x7 UTC", "write `24x7`"),
        ("09:00 to 17:00", "write `24x7`"),
        ("09:00 - 17:00 UTC", "write `24x7`"),
        ("Mon 09:00 to 17:00 UTC", "write `24x7`"),
        ("Mon 09:00 to Fri 17:00 UTC again", "write `24x7`"),
        ("9:00 to 17:00 UTC", "`9:00` is not a time"),
        ("09:00 to 24:00 UTC", "`24:00` is not a time"),
        ("09:60 to 17:00 UTC", "`09:60` is not a time"),
        ("+9:00 to 17:00 UTC", "`+9:00` is not a time"),
        ("-0:00 to 17:00 UTC", "`-0:00` is not a time"),
        ("09:00:00:00 to 17:00 UTC", "is not a time"),
        ("09 to 17:00 UTC", "`09` is not a time"),
        ("Montag 09:00 to Fri 17:00 UTC", "`Montag` is not a day"),
        ("09:00 to 17:00 Mars/Olympus", "`Mars/Olympus` is not a time zone"),
    ] {
        let error = Schedule::parse(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

proptest! {
    /// At any time of any schedule: what is told begins at or before now, ends after it, and the
    /// days rise.
    #[test]
    fn sessions_follow_each_other(
        from in 0..DAY, to in 0..DAY,
        weekly in prop::option::of((0usize..7, 0usize..7)),
        zone in prop::sample::select(vec![
            "UTC", "America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe",
        ]),
        start in 0u64..100 * 365 * DAY,
    ) {
        let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let clock = |of_day: u64| {
            format!("{:02}:{:02}:{:02}", of_day / 3_600, of_day / 60 % 60, of_day % 60)
        };
        let name = |day: Option<usize>| day.map_or(String::new(), |day| format!("{} ", days[day]));
        let (from_day, to_day) = (weekly.map(|days| days.0), weekly.map(|days| days.1));
        let text =
            format!("{}{} to {}{} {zone}", name(from_day), clock(from), name(to_day), clock(to));
        let schedule = parse(&text);
        let mut now = Timestamp::from_nanos(start * 1_000_000_000);
        let mut last = None;
        for _ in 0..12 {
            let hours = schedule.at(now);
            prop_assert!(hours.until() > now);
            prop_assert!(hours.until().since(now) <= Nanos::from_secs(15 * DAY), "{text}");
            if let Hours::Open { day, .. } = hours {
                prop_assert!(last.is_none_or(|last| day > last), "{text}");
                last = Some(day);
            }
            now = hours.until();
        }
    }

    #[test]
    fn no_text_panics(text in "[0-9:a-zA-Z/ ]{0,40}") {
        let _ = Schedule::parse(&text);
    }
}
