//! When a session is open, and when the numbers of both sides begin anew.
//!
//! A pure function of the time: it reads no clock. [`Schedule::at`] tells how things stand and until
//! when; a driver keeps the answer and compares one time a poll. Local times follow the bundled
//! IANA time zones, so that the answer is the same on any machine.
//!
//! A local time that does not exist (clocks go forward) is the moment they jump; one that comes
//! twice (clocks go back) is the first. So sessions stay in order, none overlap, and one that lies
//! wholly in what was jumped over does not take place.

use jiff::civil::{Date, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use market::Timestamp;
use market::time::days_from_civil;

/// A session day: the local date on which it began, in days since 1970-01-01. Later days are
/// greater; without a schedule there is one day only, zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionDay(pub u32);

/// How a session stands at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// It may be logged on, until then.
    Open {
        /// Which day it is.
        day: SessionDay,
        /// When it ends, this moment no longer belonging to it.
        until: Timestamp,
    },
    /// It must be logged out, until then.
    Closed {
        /// When the next one begins.
        until: Timestamp,
    },
}

impl Hours {
    /// When to ask again.
    #[must_use]
    pub const fn until(self) -> Timestamp {
        match self {
            Hours::Open { until, .. } | Hours::Closed { until } => until,
        }
    }
}

/// A moment of a day, in a week or in every day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    weekday: Option<Weekday>,
    hour: i8,
    minute: i8,
    second: i8,
}

/// When a session is open.
#[derive(Clone, Debug, Default)]
pub struct Schedule(Option<Period>);

#[derive(Clone, Debug)]
struct Period {
    from: Moment,
    to: Moment,
    zone: TimeZone,
}

/// A text that is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Another form.
    #[error(
        "write `24x7`, `17:00 to 16:55 America/New_York` or \
         `Sun 17:00 to Fri 16:55 America/New_York`"
    )]
    Form,
    /// Not a time of day.
    #[error("`{0}` is not a time of day such as 17:00 or 17:00:30")]
    Time(String),
    /// Not a day.
    #[error("`{0}` is not a day: use Mon, Tue, Wed, Thu, Fri, Sat or Sun")]
    Day(String),
    /// Not an IANA time zone.
    #[error("`{0}` is not a time zone such as America/New_York or UTC")]
    Zone(String),
}

impl Schedule {
    /// Open for ever, in one session day.
    #[must_use]
    pub const fn always() -> Schedule {
        Schedule(None)
    }

    /// Reads `24x7`, or when the session begins and ends, each day or each week, and the time zone.
    /// A beginning that is also the end means open throughout, with a new day at that moment.
    ///
    /// # Errors
    /// [`ScheduleError`] names the word that is wrong.
    ///
    /// ```
    /// use gateway::schedule::{Hours, Schedule};
    /// use market::Timestamp;
    /// let schedule = Schedule::parse("09:30 to 16:00 America/New_York").unwrap();
    /// // 2025-07-17T13:30:00Z, to the second.
    /// let opens = Timestamp::from_nanos(1_752_759_000_000_000_000);
    /// assert!(matches!(schedule.at(opens), Hours::Open { .. }));
    /// ```
    pub fn parse(text: &str) -> Result<Schedule, ScheduleError> {
        let mut words = text.split_whitespace();
        // One more than the longest form has.
        let words: [&str; 7] = std::array::from_fn(|_| words.next().unwrap_or(""));
        let (from, to, zone) = match words {
            ["24x7", "", ..] => return Ok(Schedule::always()),
            [from, "to", to, zone, "", ..] if !zone.is_empty() => (("", from), ("", to), zone),
            [day, from, "to", to_day, to, zone, ""] if !zone.is_empty() => {
                ((day, from), (to_day, to), zone)
            }
            _ => return Err(ScheduleError::Form),
        };
        let (from, to) = (Moment::parse(from)?, Moment::parse(to)?);
        let zone = TimeZoneDatabase::bundled()
            .get(zone)
            .map_err(|_| ScheduleError::Zone(zone.to_owned()))?;
        Ok(Schedule(Some(Period { from, to, zone })))
    }

    /// How the session stands at `now`. It looks at the days around `now`: ask again only when
    /// [`Hours::until`] has come.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Hours {
        let always = Hours::Open { day: SessionDay(0), until: Timestamp::MAX };
        self.0.as_ref().map_or(always, |period| {
            // Times beyond the calendar of the zones never come: the last of them stand for ever.
            period.at(now).unwrap_or(Hours::Closed { until: Timestamp::MAX })
        })
    }

    /// True if numbers that were last used on `last` must begin anew: a later day is open. A store
    /// that is new, or a clock that went back, needs nothing.
    #[must_use]
    pub fn needs_reset(&self, last: Option<SessionDay>, now: Timestamp) -> bool {
        match (self.at(now), last) {
            (Hours::Open { day, .. }, Some(last)) => day > last,
            _ => false,
        }
    }
}

impl Period {
    fn at(&self, now: Timestamp) -> Option<Hours> {
        let instant = jiff::Timestamp::from_nanosecond(now.nanos().into()).ok()?;
        let today = self.zone.to_datetime(instant).date();
        // The session that may still be open began at most a week ago, the next one begins within
        // one; a jump of the clocks may swallow one of each.
        let (back, ahead) = if self.from.weekday.is_some() { (8, 15) } else { (2, 3) };
        let mut date = today;
        for _ in 0..back {
            date = date.yesterday().ok()?;
        }
        for _ in 0..=back + ahead {
            if let Some((begins, ends)) = self.session_of(date) {
                if now < begins {
                    return Some(Hours::Closed { until: begins });
                }
                if now < ends {
                    return Some(Hours::Open { day: day_of(date), until: ends });
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// Beginning and end of the session that begins on `date`; `None` if none does, or none of it
    /// exists.
    fn session_of(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        if self.from.weekday.is_some_and(|weekday| weekday != date.weekday()) {
            return None;
        }
        let mut last = date;
        // The first such moment after the beginning.
        if self.to.of_day() <= self.from.of_day() && self.to.weekday == self.from.weekday {
            last = last.tomorrow().ok()?;
        }
        while self.to.weekday.is_some_and(|weekday| weekday != last.weekday()) {
            last = last.tomorrow().ok()?;
        }
        let (begins, ends) = (self.instant(date, self.from)?, self.instant(last, self.to)?);
        (begins < ends).then_some((begins, ends))
    }

    fn instant(&self, date: Date, moment: Moment) -> Option<Timestamp> {
        let local = date.at(moment.hour, moment.minute, moment.second, 0);
        let instant = match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok()?,
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok()?,
            AmbiguousOffset::Gap { after, .. } => {
                // By the later offset it is shortly before the jump.
                let before = after.to_timestamp(local).ok()?;
                self.zone.following(before).next()?.timestamp()
            }
        };
        let nanos = u64::try_from(instant.as_nanosecond().max(0)).ok()?;
        Some(Timestamp::from_nanos(nanos))
    }
}

fn day_of(date: Date) -> SessionDay {
    let part = |number: i8| u32::from(number.unsigned_abs());
    let year = u32::try_from(date.year()).unwrap_or(0);
    let days = days_from_civil(year, part(date.month()), part(date.day())).unwrap_or(0);
    SessionDay(u32::try_from(days).unwrap_or(u32::MAX))
}

impl Moment {
    fn parse((day, time): (&str, &str)) -> Result<Moment, ScheduleError> {
        let weekday = match day {
            "" => None,
            "Mon" => Some(Weekday::Monday),
            "Tue" => Some(Weekday::Tuesday),
            "Wed" => Some(Weekday::Wednesday),
            "Thu" => Some(Weekday::Thursday),
            "Fri" => Some(Weekday::Friday),
            "Sat" => Some(Weekday::Saturday),
            "Sun" => Some(Weekday::Sunday),
            other => return Err(ScheduleError::Day(other.to_owned())),
        };
        let wrong = || ScheduleError::Time(time.to_owned());
        let part = |text: Option<&str>, below: i8| {
            let digits = |text: &&str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            let text = text.filter(digits);
            let number = text.and_then(|text| text.parse::<i8>().ok());
            number.filter(|number| (0..below).contains(number)).ok_or_else(wrong)
        };
        let mut parts = time.split(':');
        let (hour, minute) = (part(parts.next(), 24)?, part(parts.next(), 60)?);
        let second = match parts.next() {
            None => 0,
            second => part(second, 60)?,
        };
        if parts.next().is_some() {
            return Err(wrong());
        }
        Ok(Moment { weekday, hour, minute, second })
    }

    const fn of_day(self) -> (i8, i8, i8) {
        (self.hour, self.minute, self.second)
    }
}

/// When numbers begin anew beside what a Logon asks for; none of it unless told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renewal {
    /// With each session day of the schedule: daily or weekly, as that is.
    pub each_day: bool,
    /// When one side's MsgSeqNum has reached this.
    pub at_number: Option<u64>,
    /// When the venue says so in a News (B).
    pub on_news: bool,
}

/// What makes numbers begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalCause {
    /// A new session day.
    Day,
    /// A number was reached.
    Number,
    /// The venue announced it.
    News,
}

impl Renewal {
    /// Why both sides must begin anew now, if they must. `last` is the day on which numbers were
    /// last used, `highest` the greater of the two sides' next numbers, `announced` that a News
    /// said so since they began.
    #[must_use]
    pub fn cause(
        &self,
        schedule: &Schedule,
        last: Option<SessionDay>,
        now: Timestamp,
        highest: u64,
        announced: bool,
    ) -> Option<RenewalCause> {
        if self.on_news && announced {
            return Some(RenewalCause::News);
        }
        if self.at_number.is_some_and(|number| highest >= number) {
            return Some(RenewalCause::Number);
        }
        (self.each_day && schedule.needs_reset(last, now)).then_some(RenewalCause::Day)
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
