//! What happens because time passes: heartbeats, test requests, time-outs, the rest of a resend.
//!
//! Nothing here happens before [`Session::next_due`].

use super::store::Store;
use super::{Disconnect, FrameKind, Outbound, Session, State};
use crate::fix::tags::{self, msg};
use market::{Nanos, Timestamp};

/// TestReqID (112): one TestRequest is out at a time, and whatever comes answers it.
const TEST_REQ_ID: &[u8] = b"TEST";

impl<S: Store> Session<S> {
    /// Does what is due: heartbeat, test request, the next part of a resend, time-outs. Gives back
    /// whether anything was done.
    ///
    /// # Errors
    /// [`Disconnect`]: flush, cut, and call [`Session::disconnected`].
    #[inline]
    pub fn poll(&mut self, now: Timestamp, out: &mut dyn Outbound) -> Result<bool, Disconnect> {
        if now < self.quiet_until {
            debug_assert!(now < self.next_due(), "something came to be due, and nobody said so");
            return Ok(false);
        }
        self.poll_due(now, out)
    }

    fn poll_due(&mut self, now: Timestamp, out: &mut dyn Outbound) -> Result<bool, Disconnect> {
        let done = self.do_due(now, out)?;
        self.quiet_until = self.next_due();
        Ok(done)
    }

    fn do_due(&mut self, now: Timestamp, out: &mut dyn Outbound) -> Result<bool, Disconnect> {
        let done = match self.state {
            State::Disconnected | State::Closing => return Ok(false),
            State::LogonSent | State::LogonAwaited if now >= self.deadline => {
                Err(Disconnect::LogonTimeout)
            }
            State::LogoutSent if now >= self.deadline => {
                Err(self.ending.take().unwrap_or(Disconnect::LogoutTimeout))
            }
            State::LogonSent | State::LogonAwaited => return Ok(false),
            State::Up | State::LogoutSent => self.poll_up(now, out),
        };
        done.map_err(|why| self.close(why))
    }

    fn poll_up(&mut self, now: Timestamp, out: &mut dyn Outbound) -> Result<bool, Disconnect> {
        let before = self.resend;
        let mut done = self.pump(now, out)?;
        if let Some(gap) = self.gap
            && now >= gap.due(self.config.resend_timeout)
        {
            return Err(match gap.logout {
                Some(_) => self.answer_logout(now, out),
                None => Disconnect::ResendTimeout,
            });
        }
        if self.heartbeat == Nanos::ZERO {
            return Ok(done);
        }
        // What would be due is only recorded behind a resend that stands still: without end.
        let stuck = before.is_some() && self.resend == before;
        if stuck && now >= self.last_sent.after(self.heartbeat) {
            return Err(Disconnect::SlowPeer);
        }
        if self.test_sent.is_none() && now >= self.last_sent.after(self.heartbeat) {
            self.emit(now, out, FrameKind::Session, msg::HEARTBEAT, |_| {})?;
            done = true;
        }
        match self.test_sent {
            None if now >= self.last_received.after(self.test_after()) => {
                self.emit(now, out, FrameKind::Session, msg::TEST_REQUEST, |encoder| {
                    encoder.bytes(tags::TEST_REQ_ID, TEST_REQ_ID);
                })?;
                self.test_sent = Some(now);
                Ok(true)
            }
            Some(sent) if now >= sent.after(self.cut_after()) => Err(Disconnect::Silence),
            _ => Ok(done),
        }
    }

    /// Silence of the peer before we ask whether it lives.
    fn test_after(&self) -> Nanos {
        self.part_of_heartbeat(self.config.test_request_percent)
    }

    /// Silence after that before we cut.
    fn cut_after(&self) -> Nanos {
        self.part_of_heartbeat(self.config.cut_percent)
    }

    fn part_of_heartbeat(&self, percent: u32) -> Nanos {
        Nanos::new((self.heartbeat.get() / 100).saturating_mul(u64::from(percent)))
    }

    /// When [`Session::poll`] has something to do, if nothing else happens before.
    #[must_use]
    pub fn next_due(&self) -> Timestamp {
        match self.state {
            State::Disconnected | State::Closing => return Timestamp::MAX,
            State::LogonSent | State::LogonAwaited => return self.deadline,
            State::Up | State::LogoutSent if self.resend.is_some() => return Timestamp::ZERO,
            State::Up | State::LogoutSent => {}
        }
        let mut due = Timestamp::MAX;
        if self.state == State::LogoutSent {
            due = self.deadline;
        }
        if let Some(gap) = self.gap {
            due = due.min(gap.due(self.config.resend_timeout));
        }
        if self.heartbeat != Nanos::ZERO {
            // The TestRequest stands for a heartbeat; what comes next is an answer, or the end.
            due = due.min(match self.test_sent {
                Some(sent) => sent.after(self.cut_after()),
                None => {
                    let beat = self.last_sent.after(self.heartbeat);
                    beat.min(self.last_received.after(self.test_after()))
                }
            });
        }
        due
    }
}
