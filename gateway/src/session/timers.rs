//! What happens because time passes: heartbeats, test requests, time-outs, the rest of a resend.
//!
//! Nothing here happens before [`Session::next_due`].

use super::store::Store;
use super::{Disconnect, FrameKind, Outbound, Session, State};
use crate::fix::tags::{self, msg};
use market::{Nanos, Timestamp};

impl<S: Store> Session<S> {
    /// Does what is due: heartbeat, test request, the next part of a resend, time-outs. Gives back
    /// whether anything was done.
    ///
    /// # Errors
    /// [`Disconnect`]: flush, cut, and call [`Session::disconnected`].
    pub fn poll(&mut self, now: Timestamp, out: &mut dyn Outbound) -> Result<bool, Disconnect> {
        let done = match self.state {
            State::Disconnected | State::Closing => return Ok(false),
            State::LogonSent | State::LogonAwaited if now >= self.deadline => {
                Err(Disconnect::LogonTimeout)
            }
            State::LogoutSent if now >= self.deadline => Err(Disconnect::LogoutTimeout),
            State::LogonSent | State::LogonAwaited => return Ok(false),
            State::Up | State::LogoutSent => self.poll_up(now, out),
        };
        done.map_err(|why| self.close(why))
    }

    fn poll_up(&mut self, now: Timestamp, out: &mut dyn Outbound) -> Result<bool, Disconnect> {
        let mut done = self.pump(now, out)?;
        if self.gap.is_some_and(|gap| now >= gap.since.after(self.config.resend_timeout)) {
            return Err(Disconnect::ResendTimeout);
        }
        if self.heartbeat == Nanos::ZERO {
            return Ok(done);
        }
        if now >= self.last_sent.after(self.heartbeat) {
            self.emit(now, out, FrameKind::Session, msg::HEARTBEAT, |_| {})?;
            done = true;
        }
        match self.test_sent {
            None if now >= self.last_received.after(self.patience()) => {
                let id = self.store.next_outgoing();
                self.emit(now, out, FrameKind::Session, msg::TEST_REQUEST, |encoder| {
                    encoder.u64(tags::TEST_REQ_ID, id);
                })?;
                self.test_sent = Some(now);
                Ok(true)
            }
            Some(sent) if now >= sent.after(self.patience()) => Err(Disconnect::Silence),
            _ => Ok(done),
        }
    }

    /// HeartBtInt and a fifth for the way.
    fn patience(&self) -> Nanos {
        let beat = self.heartbeat.get();
        Nanos::new(beat.saturating_add(beat / 5))
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
            due = due.min(gap.since.after(self.config.resend_timeout));
        }
        if self.heartbeat != Nanos::ZERO {
            let quiet = self.test_sent.unwrap_or(self.last_received);
            due = due.min(self.last_sent.after(self.heartbeat)).min(quiet.after(self.patience()));
        }
        due
    }
}
