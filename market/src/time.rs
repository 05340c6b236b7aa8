//! Time as the journal and the wire know it: nanoseconds of UTC, and spans of nanoseconds.
//!
//! Nothing here reads a clock: time is always an argument.

use std::fmt;

/// Nanoseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Timestamp(u64);

/// A span of nanoseconds.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Nanos(u64);

impl Timestamp {
    /// The epoch itself.
    pub const ZERO: Timestamp = Timestamp(0);
    /// Later than every real time.
    pub const MAX: Timestamp = Timestamp(u64::MAX);

    /// `nanos` since the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Timestamp(nanos)
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// This time plus a span, at most [`Timestamp::MAX`].
    #[must_use]
    pub const fn after(self, span: Nanos) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }

    /// The span since `earlier`; zero if `earlier` is in fact later.
    #[must_use]
    pub const fn since(self, earlier: Timestamp) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }

    /// Nanoseconds since the last UTC midnight.
    #[must_use]
    pub const fn time_of_day(self) -> Nanos {
        Nanos(self.0 % Nanos::DAY.0)
    }

    /// The last UTC midnight.
    #[must_use]
    pub const fn midnight(self) -> Timestamp {
        Timestamp(self.0 - self.0 % Nanos::DAY.0)
    }
}

impl Nanos {
    /// No time.
    pub const ZERO: Nanos = Nanos(0);
    /// One second.
    pub const SECOND: Nanos = Nanos(1_000_000_000);
    /// One day.
    pub const DAY: Nanos = Nanos(86_400_000_000_000);
    /// Longer than anything.
    pub const MAX: Nanos = Nanos(u64::MAX);

    /// `nanos` nanoseconds.
    #[must_use]
    pub const fn new(nanos: u64) -> Self {
        Nanos(nanos)
    }

    /// `micros` microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Nanos(micros.saturating_mul(1_000))
    }

    /// `millis` milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Nanos(millis.saturating_mul(1_000_000))
    }

    /// `secs` seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Nanos(secs.saturating_mul(1_000_000_000))
    }

    /// The count of nanoseconds.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Seconds as a float, for strategies and statistics.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 * 1e-9
    }
}

/// Year, month, day of a count of days since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms", civil_from_days). FIX timestamps are written from this without allocation.
#[must_use]
pub const fn civil_from_days(days: u64) -> (u32, u32, u32) {
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z - era * 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    #[allow(clippy::cast_possible_truncation)]
    (year as u32, month as u32, day as u32)
}

/// Days since 1970-01-01 of a date, the inverse of [`civil_from_days`]; `None` before 1970 or if
/// the date does not exist.
#[must_use]
pub fn days_from_civil(year: u32, month: u32, day: u32) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=days_of_month(year, month)).contains(&day)
    {
        return None;
    }
    let y = u64::from(if month <= 2 { year - 1 } else { year });
    let era = y / 400;
    let year_of_era = y - era * 400;
    let shifted_month = u64::from(if month > 2 { month - 3 } else { month + 9 });
    let day_of_year = (153 * shifted_month + 2) / 5 + u64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
}

/// Days that a month from 1 to 12 has.
const fn days_of_month(year: u32, month: u32) -> u32 {
    match month {
        // A year of a century is a leap year if its century can be divided by four.
        2 if year.is_multiple_of(if year.is_multiple_of(100) { 400 } else { 4 }) => 29,
        2 => 28,
        // Thirty-one, but for April, June, September and November.
        _ => 30 + ((month ^ month >> 3) & 1),
    }
}

impl fmt::Display for Timestamp {
    /// `2025-07-17T13:30:00.123456789Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0 / Nanos::DAY.0);
        let of_day = self.0 % Nanos::DAY.0;
        let secs = of_day / 1_000_000_000;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:09}Z",
            secs / 3600,
            secs / 60 % 60,
            secs % 60,
            of_day % 1_000_000_000
        )
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Nanos {
    /// In the largest unit that keeps three digits before the point: `740 ns`, `6.12 µs`, `15 s`.
    #[allow(clippy::cast_precision_loss)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0 as f64;
        match self.0 {
            0..1_000 => write!(f, "{} ns", self.0),
            1_000..1_000_000 => write!(f, "{:.2} µs", n / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.2} ms", n / 1e6),
            _ => write!(f, "{:.2} s", n / 1e9),
        }
    }
}

impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_round_trip_over_four_centuries() {
        for days in 0..146_097 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), Some(days));
        }
        assert_eq!(civil_from_days(0), (1970, 1, 1));
        assert_eq!(days_from_civil(2023, 2, 29), None);
        assert_eq!(days_from_civil(2024, 2, 29), Some(19_782));
    }

    #[test]
    fn a_date_that_does_not_exist_has_no_day() {
        for year in 1969..2405 {
            for (month, day) in (0..14).flat_map(|month| (0..33).map(move |day| (month, day))) {
                let date = (year, month, day);
                match days_from_civil(year, month, day) {
                    Some(days) => assert_eq!(civil_from_days(days), date),
                    // Whoever skips a day leaves a hole in the count.
                    None => assert!(days_from_civil(year, month, day + 1).is_none() || day == 0),
                }
            }
        }
        let ends = [(2025, 12, 31), (2026, 1, 1)].map(|(y, m, d)| days_from_civil(y, m, d));
        assert_eq!(ends[0].map(|days| days + 1), ends[1]);
    }

    #[test]
    fn shown_as_utc() {
        let noon = Timestamp::from_nanos(1_752_758_200_000_000_001);
        assert_eq!(noon.to_string(), "2025-07-17T13:16:40.000000001Z");
        assert_eq!(Nanos::new(6_120).to_string(), "6.12 µs");
    }
}
