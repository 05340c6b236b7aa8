//! What the records of a trading stream leave behind: the opening state of the next start.
//!
//! It follows the records alone, without a market event: an account depends on commands, reports
//! and time only. A restart takes its opening state from here, and a replay checks with it the
//! opening state that was taken.

use crate::pipeline::records::{Record, Start, kind};
use crate::trading::account::Effect;
use crate::trading::opening::BadOpening;
use crate::trading::trading_loop::{not_sent, watch_span};
use crate::trading::{Account, ControlKind, OpeningState, TradingSettings};
use market::{
    CommandKind, Instrument, InstrumentId, Nanos, OrderId, Price, RejectReason, Report, ReportKind,
    Timestamp,
};

/// The parts of a loop's settings that an account depends on.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    instruments: Vec<Instrument>,
    orders: usize,
    executions: usize,
    answer_within: Nanos,
    watch: Nanos,
}

impl From<&TradingSettings> for AccountSettings {
    fn from(settings: &TradingSettings) -> Self {
        AccountSettings {
            instruments: settings.instruments.clone(),
            orders: settings.orders,
            executions: settings.executions,
            answer_within: settings.answer_within,
            watch: watch_span(settings.stale_after, settings.answer_within),
        }
    }
}

/// Follows the records of one start.
#[derive(Clone, Debug)]
pub struct Recovery {
    account: Account,
    settings: AccountSettings,
    epoch: u64,
    killed: Option<String>,
    halted: Vec<InstrumentId>,
    /// The status request that is not answered yet.
    asked: OrderId,
    now: Timestamp,
    watch_due: Timestamp,
}

impl Recovery {
    /// Begins with a start.
    ///
    /// # Errors
    /// [`BadOpening`]: the start's opening state is of another version.
    pub fn begin(start: &Start, settings: AccountSettings) -> Result<Recovery, BadOpening> {
        let opening = OpeningState::from_bytes(&start.opening)?;
        let mut account =
            Account::new(settings.instruments.clone(), settings.orders, settings.executions);
        account.restore(&opening.positions, &opening.orders, &opening.executions);
        Ok(Recovery {
            account,
            epoch: opening.epoch,
            killed: opening.killed,
            halted: opening.halted,
            asked: OrderId::NONE,
            now: start.now,
            watch_due: start.now.after(settings.watch),
            settings,
        })
    }

    /// What the start before has counted is counted, whatever the opening state says: it may be of a
    /// version that told executions apart otherwise.
    pub fn count_on(&mut self, before: &Recovery) {
        self.account.count_on(&before.account);
    }

    /// Follows one record of the start; those that no account depends on, and those that are of no
    /// version, change nothing.
    pub fn follow(&mut self, kind: u16, payload: &[u8]) {
        if matches!(kind, kind::PACKET | kind::PACKET_AT) {
            // Their events concern no account, but their time is that of the commands after them.
            if let Some(now) = payload.first_chunk::<8>() {
                self.now = Timestamp::from_nanos(u64::from_le_bytes(*now));
            }
            return;
        }
        match Record::decode(kind, payload) {
            Ok(Record::Report(now, mid, report)) => {
                self.now = now;
                self.on_report(&report, mid);
            }
            Ok(Record::Timers(now)) => self.on_timers(now),
            Ok(Record::Control(now, control)) => {
                self.now = now;
                match control.kind() {
                    Some(ControlKind::Kill) => {
                        self.killed = Some(format!("{}: {}", control.name(), control.reason()));
                    }
                    Some(ControlKind::Clear) => {
                        self.killed = None;
                        self.halted.clear();
                    }
                    _ => {}
                }
            }
            Ok(Record::Command(published, command)) => {
                self.account.on_command(&command, self.now);
                if command.kind() == Some(CommandKind::MassStatus) {
                    self.asked = command.id;
                }
                if !published {
                    let report = not_sent(&command, RejectReason::NoSession);
                    self.account.on_report(&report, None, self.now);
                }
            }
            _ => {}
        }
    }

    /// What the loop does to account and halts with a report.
    fn on_report(&mut self, report: &Report, mid: Option<Price>) {
        let effect = self.account.on_report(report, mid, self.now);
        match report.kind() {
            Some(ReportKind::SessionUp | ReportKind::SessionDown) => {
                while self.account.next_lost().is_some() {}
            }
            Some(ReportKind::StatusDone)
                if self.asked != OrderId::NONE && report.order == self.asked =>
            {
                self.asked = OrderId::NONE;
                while self.account.next_unnamed().is_some() {}
            }
            Some(ReportKind::Unreadable) => {
                let count = u32::try_from(self.settings.instruments.len()).unwrap_or(u32::MAX);
                (0..count).for_each(|id| self.halt(InstrumentId(id)));
            }
            _ if matches!(effect, Effect::Foreign | Effect::Contradiction) => {
                self.halt(report.instrument);
            }
            _ => {}
        }
    }

    fn halt(&mut self, id: InstrumentId) {
        if id.index() < self.settings.instruments.len() && !self.halted.contains(&id) {
            self.halted.push(id);
        }
    }

    /// The loop's watch for overdue answers, at the loop's times.
    fn on_timers(&mut self, now: Timestamp) {
        self.now = now;
        if now < self.watch_due {
            return;
        }
        self.watch_due = now.after(self.settings.watch);
        let oldest = now.nanos().saturating_sub(self.settings.answer_within.get());
        while self.account.next_overdue(Timestamp::from_nanos(oldest)).is_some() {}
    }

    /// Epoch of the start.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The account so far.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// What the next start takes over, under `epoch`.
    #[must_use]
    pub fn opening(&self, epoch: u64) -> OpeningState {
        let mut halted = self.halted.clone();
        halted.sort_unstable();
        OpeningState::of(&self.account, epoch, self.killed.clone(), halted)
    }
}
