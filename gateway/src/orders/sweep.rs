//! A mass cancel of everything at a venue that cancels by instrument only: one
//! OrderMassCancelRequest (q) for each, and one answer once all are answered.
//!
//! Their ClOrdIDs are the command's digits, a hyphen and the instrument's place: they are frames of
//! the gateway's own. A refusal, unless it says that there is no order, ends the sweep without an
//! answer; whoever asked asks again.

use super::report_decode::nothing_left;
use crate::fix::number::parse_u64;
use market::{Command, CommandKind, Event, OrderId, Report, ReportKind};

/// A sweep whose answers are awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sweep {
    /// The command's id.
    id: OrderId,
    /// Answer the question which orders are open, too.
    status: bool,
    left: usize,
}

impl Sweep {
    pub(super) fn new(command: &Command, instruments: usize) -> Sweep {
        let status = command.kind() == Some(CommandKind::MassStatus);
        Sweep { id: command.id, status, left: instruments }
    }

    /// ClOrdID of the request on the instrument at `place`.
    pub(super) fn id_text(&self, place: usize) -> String {
        format!("{}-{place}", self.id.0)
    }

    /// True if a ClOrdID is one of this sweep.
    pub(super) fn is_its(&self, id: &[u8]) -> bool {
        let number = id.split(|byte| *byte == b'-').next().and_then(|text| parse_u64(text).ok());
        number == Some(self.id.0) && id.contains(&b'-')
    }

    /// Takes one answer. `Some` ends the sweep, with what is to be told.
    pub(super) fn answered(&mut self, report: &Report) -> Option<Vec<Report>> {
        if !nothing_left(report.reason()) {
            return Some(Vec::new());
        }
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return None;
        }
        let told = |kind| {
            let mut told = Report::new(kind, self.id, Event::ALL);
            (told.exchange_time, told.received) = (report.exchange_time, report.received);
            told
        };
        let mut all = vec![told(ReportKind::MassCanceled)];
        all.extend(self.status.then(|| told(ReportKind::StatusDone)));
        Some(all)
    }
}
