//! What time and operators do to the loop: timers, the watch over silence and missing answers, the
//! kill latch, the stop.

use super::TradingLoop;
use crate::trading::control::{Control, ControlKind};
use crate::trading::desk::Session;
use crate::trading::timers::Due;
use crate::trading::trading_loop::Outlet;
use market::{BookState, BookView, Event, InstrumentId, Timestamp};

impl TradingLoop {
    /// Fires every timer that is due.
    pub fn on_timers(&mut self, now: Timestamp, out: &mut dyn Outlet) {
        self.desk.now = now;
        while let Some(due) = self.desk.timers.pop(now) {
            match due {
                Due::Watch => self.watch(),
                Due::Plan(id) => self.desk.touch(id),
                Due::Strategy(index, timer) => {
                    self.call(index.into(), |strategy, desk| strategy.on_timer(desk, timer));
                }
            }
        }
        self.finish(out);
    }

    /// Books that fell silent become Stale; orders without an answer become Unknown.
    fn watch(&mut self) {
        let now = self.desk.now;
        self.desk.timers.set(now.after(self.watch_span()), Due::Watch);
        for id in (0..self.touched.len()).filter_map(|index| u32::try_from(index).ok()) {
            let id = InstrumentId(id);
            let silent = now.since(self.desk.lines[id.index()].heard) > self.stale_after;
            if silent && self.desk.books.book(id).state() < BookState::Stale {
                self.desk.books.set_stale(id, true);
                self.tell_book(id);
            }
        }
        let deadline = Timestamp::from_nanos(now.nanos().saturating_sub(self.answer_within.get()));
        while let Some(slot) = self.desk.account.next_overdue(deadline) {
            self.desk.counters.unknown += 1;
            self.tell_order(slot);
        }
        if self.desk.session != Session::Down {
            self.ask_again();
            self.cancel_again();
        }
    }

    /// Asks the venue once more while anything is unknown and the last question found no answer.
    fn ask_again(&mut self) {
        let open =
            self.desk.asked.is_some_and(|(_, at)| self.desk.now.since(at) <= self.answer_within);
        let unclear = self.desk.session == Session::Reconciling || self.desk.account.has_unknown();
        if unclear && !open {
            self.desk.ask_status();
        }
    }

    /// A mass cancel may be refused or lost: while orders stand that must not, say it again.
    fn cancel_again(&mut self) {
        for id in (0..self.touched.len()).filter_map(|index| u32::try_from(index).ok()) {
            let id = InstrumentId(id);
            if self.desk.has_barred_orders(id) {
                self.desk.mass_cancel_again(id);
                self.desk.touch(id);
            }
        }
    }

    /// An operator's act.
    pub fn on_control(&mut self, now: Timestamp, control: &Control, out: &mut dyn Outlet) {
        self.desk.now = now;
        match control.kind() {
            Some(ControlKind::Kill) => {
                let reason = format!("{}: {}", control.name(), control.reason());
                self.desk.killed = Some(reason);
                self.desk.withdraw_everything();
                self.desk.mass_cancel(Event::ALL);
            }
            Some(ControlKind::Clear) => {
                self.desk.killed = None;
                for line in &mut self.desk.lines {
                    line.halted = false;
                    line.quotable = false;
                }
                self.touch_all();
                // Within a packet they are told with its rest.
                if !self.torn {
                    self.tell_touched();
                }
                for id in (0..self.touched.len()).filter_map(|index| u32::try_from(index).ok()) {
                    self.desk.touch(InstrumentId(id));
                }
            }
            Some(ControlKind::Stop) => self.stop(),
            None => self.desk.counters.illegal_moves += 1,
        }
        self.finish(out);
    }

    fn stop(&mut self) {
        if std::mem::replace(&mut self.desk.stopping, true) {
            return;
        }
        for index in 0..self.strategies.len() {
            self.call(index, |strategy, desk| strategy.on_stop(desk));
        }
        self.desk.withdraw_everything();
        self.desk.mass_cancel(Event::ALL);
    }
}
