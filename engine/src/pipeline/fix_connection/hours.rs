//! When a session may be connected, and when its numbers begin anew: the schedule asked once for each
//! of its boundaries, so that a poll compares one time.

use gateway::schedule::{Hours, Renewal, Schedule, SessionDay};
use gateway::session::{Session, Store};
use market::{Nanos, Timestamp};

/// Why a session ends within its hours.
const ANEW: &str = "sequence numbers begin anew";
/// Why a session ends with its hours.
const OVER: &str = "the session's hours are over";

/// Schedule and renewal of one session.
#[derive(Debug, Default)]
pub struct SessionHours {
    schedule: Schedule,
    renewal: Renewal,
    /// The day of the last Logon, which the numbers are of.
    last: Option<SessionDay>,
    open: bool,
    /// When to ask the schedule again.
    due: Timestamp,
    /// The venue said that numbers are to begin anew.
    announced: bool,
    /// How long before the end that end is told.
    ahead: Nanos,
    /// Whether there is an end to tell was asked, of this boundary and connection.
    asked: bool,
    /// An end that waits until nothing is open.
    parting: Option<Parting>,
}

/// An end within the hours.
#[derive(Clone, Copy, Debug)]
struct Parting {
    why: &'static str,
    /// When it waits no longer.
    until: Timestamp,
    told: bool,
    /// Nothing is open since it was told.
    clear: bool,
}

impl SessionHours {
    /// `used` is when the last Logon under the numbers of the session's store was sent; `None` for a
    /// new one.
    #[must_use]
    pub fn new(schedule: Schedule, renewal: Renewal, used: Option<Timestamp>) -> SessionHours {
        let last = used.and_then(|used| match schedule.at(used) {
            Hours::Open { day, .. } => Some(day),
            // Between two days: the numbers are of the one before, and so are not of the next.
            Hours::Closed { until } => match schedule.at(until) {
                Hours::Open { day, .. } => day.0.checked_sub(1).map(SessionDay),
                Hours::Closed { .. } => None,
            },
        });
        SessionHours { schedule, renewal, last, ..SessionHours::default() }
    }

    /// Tells the end of a day so long ahead, and lets an end within the day wait so long; nothing is
    /// told without.
    #[must_use]
    pub fn told_ahead(self, ahead: Nanos) -> SessionHours {
        SessionHours { ahead, ..self }
    }

    /// True if the session may be connected now.
    pub fn is_open(&mut self, now: Timestamp) -> bool {
        if now >= self.due {
            self.asked = false;
            let hours = self.schedule.at(now);
            self.open = matches!(hours, Hours::Open { .. });
            self.due = hours.until();
        }
        self.open
    }

    /// The venue said that numbers are to begin anew.
    pub(super) fn announce(&mut self) {
        self.announced = true;
    }

    fn must_renew<S: Store>(&self, now: Timestamp, session: &Session<S>) -> bool {
        let store = session.store();
        let highest = store.next_outgoing().max(store.next_incoming());
        self.renewal.cause(&self.schedule, self.last, now, highest, self.announced).is_some()
    }

    /// Before a Logon: both numbers begin at 1 where that is due.
    ///
    /// # Errors
    /// The store refused; nothing may be sent.
    pub(super) fn renew<S: Store>(
        &mut self,
        now: Timestamp,
        session: &mut Session<S>,
    ) -> Result<(), String> {
        (self.asked, self.parting) = (false, None);
        if self.must_renew(now, session) {
            session.begin_anew().map_err(|error| error.to_string())?;
            self.announced = false;
        }
        if let Hours::Open { day, .. } = self.schedule.at(now) {
            self.last = Some(day);
        }
        Ok(())
    }

    /// True once a connection, when the schedule will have it log out in a moment; and once for an end
    /// within its day.
    pub(super) fn ends_soon(&mut self, now: Timestamp) -> bool {
        if let Some(parting) = self.parting.as_mut().filter(|parting| !parting.told) {
            parting.told = true;
            return true;
        }
        // Asked at every poll.
        if self.asked || self.ahead == Nanos::ZERO || now.after(self.ahead) < self.due {
            return false;
        }
        self.asked = true;
        let goes_on = matches!(self.schedule.at(self.due), Hours::Open { .. });
        !goes_on || self.renewal.each_day && self.schedule.needs_reset(self.last, self.due)
    }

    /// The session is to end within its hours: as soon as nothing is open, and soon in any case.
    pub(super) fn leave_soon(&mut self, now: Timestamp, why: &'static str) {
        let until = now.after(self.ahead);
        self.parting.get_or_insert(Parting { why, until, told: false, clear: false });
    }

    /// Nothing is open since the end was told.
    pub(super) fn nothing_open(&mut self) {
        if let Some(parting) = &mut self.parting {
            parting.clear = parting.told;
        }
    }

    /// Why the session must log out now, if it must.
    pub(super) fn leave<S: Store>(
        &mut self,
        now: Timestamp,
        session: &Session<S>,
    ) -> Option<&'static str> {
        let day_over = now >= self.due;
        // Asked at every poll: nearly always there is nothing to look at.
        let counts = self.renewal.at_number.is_some();
        if !day_over && !self.announced && !counts && self.parting.is_none() {
            return (!self.open).then_some(OVER);
        }
        if !self.is_open(now) {
            return Some(OVER);
        }
        let store = session.store();
        let reached = |number| store.next_outgoing().max(store.next_incoming()) >= number;
        let counted = self.renewal.at_number.is_some_and(reached);
        let announced = self.renewal.on_news && self.announced;
        let each_day = self.renewal.each_day;
        if day_over && each_day && self.schedule.needs_reset(self.last, now) {
            return Some(ANEW);
        }
        if counted || announced {
            self.leave_soon(now, ANEW);
        }
        let due = |parting: &Parting| parting.clear || now >= parting.until;
        self.parting.filter(due).map(|parting| parting.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::session::{MemoryStore, SessionConfig};

    /// 2025-07-17T21:59:00Z.
    const EVENING: u64 = 1_752_789_540;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_nanos((EVENING + seconds) * 1_000_000_000)
    }

    fn session(sent: u64) -> Session<MemoryStore> {
        let mut store = MemoryStore::new(16, 1 << 12);
        store.reset(sent, 1).unwrap();
        Session::new(SessionConfig::initiator("A", "B"), store).unwrap()
    }

    #[test]
    fn a_rollover_logs_out_and_begins_anew() {
        let schedule = Schedule::parse("22:00:30 to 22:00 UTC").unwrap();
        let renewal = Renewal { each_day: true, ..Renewal::default() };
        let mut hours = SessionHours::new(schedule, renewal, Some(at(0)));
        let mut session = session(7);
        assert!(hours.is_open(at(0)));
        hours.renew(at(0), &mut session).unwrap();
        assert_eq!(session.store().next_outgoing(), 7, "the same day goes on");
        assert_eq!(hours.leave(at(59), &session), None);
        assert_eq!(hours.leave(at(60), &session), Some("the session's hours are over"));
        assert!(!hours.is_open(at(89)) && hours.is_open(at(90)));
        hours.renew(at(90), &mut session).unwrap();
        assert_eq!(session.store().next_outgoing(), 1);
        assert_eq!(hours.leave(at(91), &session), None);
    }

    #[test]
    fn an_end_is_told_once_a_connection_and_only_where_there_is_one() {
        let each_day = Renewal { each_day: true, ..Renewal::default() };
        for (text, renewal, ends) in [
            ("21:00 to 22:00 UTC", Renewal::default(), true),
            ("22:00 to 22:00 UTC", each_day, true),
            ("22:00 to 22:00 UTC", Renewal::default(), false),
            ("24x7", each_day, false),
        ] {
            let schedule = Schedule::parse(text).unwrap();
            let mut hours =
                SessionHours::new(schedule, renewal, Some(at(0))).told_ahead(Nanos::from_secs(5));
            let mut session = session(7);
            assert!(hours.is_open(at(0)));
            for connection in 0..2 {
                hours.renew(at(connection), &mut session).unwrap();
                assert!(!hours.ends_soon(at(54)), "{text}: too early");
                assert_eq!(hours.ends_soon(at(55)), ends, "{text}");
                assert!(!hours.ends_soon(at(56)), "{text}: told before");
            }
            assert_eq!(hours.leave(at(59), &session), None);
            assert_eq!(hours.leave(at(60), &session).is_some(), ends, "{text}");
        }
        let hours =
            SessionHours::new(Schedule::parse("21:00 to 22:00 UTC").unwrap(), each_day, None);
        assert!(!hours.told_ahead(Nanos::ZERO).ends_soon(at(59)));
    }

    #[test]
    fn a_restart_in_a_later_day_begins_anew() {
        let schedule = || Schedule::parse("22:00 to 22:00 UTC").unwrap();
        let renewal = Renewal { each_day: true, ..Renewal::default() };
        for (used, expected) in [(Some(at(0)), 1), (Some(at(70)), 7), (None, 7)] {
            let mut hours = SessionHours::new(schedule(), renewal, used);
            let mut session = session(7);
            assert!(hours.is_open(at(100)));
            hours.renew(at(100), &mut session).unwrap();
            assert_eq!(session.store().next_outgoing(), expected, "{used:?}");
        }
    }

    #[test]
    fn numbers_and_news_end_a_session_once() {
        let renewal = Renewal { at_number: Some(9), on_news: true, each_day: false };
        let mut hours = SessionHours::new(Schedule::always(), renewal, Some(at(0)));
        let mut many = session(9);
        assert!(hours.leave(at(1), &many).is_some());
        hours.renew(at(2), &mut many).unwrap();
        assert_eq!((many.store().next_outgoing(), hours.leave(at(3), &many)), (1, None));
        hours.announce();
        assert!(hours.leave(at(4), &many).is_some());
        hours.renew(at(5), &mut many).unwrap();
        assert_eq!(hours.leave(at(6), &many), None);
    }
}
