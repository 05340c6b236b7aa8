//! What an engine's journal tells, while it is written and after kills.

use crate::host::eventually;
use crate::lab::{Lab, Positions};
use engine::config::RunConfig;
use engine::journal::{self, JournalError, Reader};
use engine::pipeline::assembly::{self, LoopMode};
use engine::pipeline::fix_store::StoredFrame;
use engine::pipeline::records::{Record, Start};
use engine::pipeline::recovery::{AccountSettings, Recovery};
use gateway::fix::{FieldIndex, tags};
use gateway::session::FrameKind;
use market::{
    Command, CommandKind, Event, EventKind, Instrument, OrderId, Report, ReportKind, Timestamp,
};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Counts of one start of the engine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) packets: u64,
    pub(crate) gaps: u64,
    pub(crate) recovered: u64,
    pub(crate) lost: u64,
    pub(crate) resets: u64,
    pub(crate) news: u64,
    pub(crate) accepted: u64,
    pub(crate) fills: u64,
    pub(crate) ups: u64,
    pub(crate) downs: u64,
    pub(crate) answers: u64,
    pub(crate) controls: u64,
}

/// A journal, followed.
pub(crate) struct Story {
    dir: PathBuf,
    hot: PathBuf,
    reader: Option<Reader>,
    told: Told,
}

/// What was read of it.
#[derive(Clone, Default)]
pub(crate) struct Told {
    /// Starts so far.
    pub(crate) starts: u64,
    /// Counts of the last start.
    pub(crate) now: Counts,
    /// Every event, in order.
    pub(crate) events: Vec<Event>,
    /// Every fill, in order.
    pub(crate) fills: Vec<Report>,
    /// Every request, in order.
    pub(crate) commands: Vec<Command>,
    /// Requests that were given an id.
    ids: BTreeSet<OrderId>,
    recovery: Option<Recovery>,
    /// What the last start trades.
    pub(crate) instruments: Vec<Instrument>,
    /// When it began.
    pub(crate) begun: Timestamp,
    /// Open when the session went down, or when the engine died.
    left: BTreeSet<OrderId>,
    /// Orders left open so, over which the venue's answers decided.
    pub(crate) decided: usize,
}

impl Story {
    pub(crate) fn of(lab: &Lab) -> Story {
        let (dir, hot) = (lab.journal(), lab.hot().to_owned());
        Story { dir, hot, reader: None, told: Told::default() }
    }

    /// Reads what has come. A journal that is being taken over by the next start is read anew.
    pub(crate) fn read(&mut self) -> &Told {
        if self.try_read().is_err() {
            self.reader = None;
        }
        &self.told
    }

    fn try_read(&mut self) -> Result<(), JournalError> {
        if self.reader.is_none() {
            self.told = Told::default();
            self.reader = Some(Reader::open(&self.dir, &self.hot, "trading")?);
        }
        let Some(reader) = &mut self.reader else { return Ok(()) };
        while let Some(record) = reader.next_record()? {
            self.told.follow(&record);
        }
        Ok(())
    }

    /// Reads until something stands in it.
    pub(crate) fn wait(&mut self, what: &str, mut found: impl FnMut(&Told) -> bool) -> &Told {
        eventually(what, || found(self.read()).then_some(()));
        &self.told
    }

    /// Waits in the start that comes next, whatever was read of earlier ones.
    pub(crate) fn wait_in(&mut self, start: u64, what: &str, found: impl Fn(&Counts) -> bool) {
        self.reader = None;
        let what = format!("{what} in start {start}");
        self.wait(&what, |told| told.starts == start && found(&told.now));
    }
}

impl Told {
    fn follow(&mut self, record: &journal::Record<'_>) {
        if record.kind == journal::CLOSED {
            return;
        }
        if let Some(recovery) = &mut self.recovery {
            recovery.follow(record.kind, record.payload);
        }
        match Record::decode(record.kind, record.payload).unwrap() {
            Record::Start(start) => self.start(&start),
            Record::Packet(_, events) => self.packet(&events),
            Record::Report(_, _, report) => self.report(&report),
            Record::Command(_, command) => self.command(&command),
            Record::Control(..) => self.now.controls += 1,
            _ => {}
        }
    }

    fn start(&mut self, start: &Start) {
        self.starts += 1;
        self.now = Counts::default();
        self.begun = start.now;
        let config = RunConfig::from_resolved(&start.config).unwrap();
        let mode = LoopMode::of_run(&config);
        let settings = assembly::trading_settings(&config.trading, mode).unwrap();
        self.instruments.clone_from(&settings.instruments);
        let recovery = Recovery::begin(start, AccountSettings::from(&settings)).unwrap();
        self.recovery = Some(recovery);
        self.left = self.open();
    }

    fn packet(&mut self, events: &[Event]) {
        self.now.packets += 1;
        for event in events {
            match event.kind() {
                Some(EventKind::Gap) => self.now.gaps += 1,
                Some(EventKind::Recovered) => self.now.recovered += 1,
                Some(EventKind::Lost) => self.now.lost += 1,
                Some(EventKind::Reset) => self.now.resets += 1,
                _ => {}
            }
        }
        self.events.extend_from_slice(events);
    }

    fn report(&mut self, report: &Report) {
        let now = &mut self.now;
        match report.kind() {
            Some(ReportKind::Accepted) => now.accepted += 1,
            Some(ReportKind::Filled) => {
                now.fills += 1;
                self.fills.push(*report);
            }
            Some(ReportKind::SessionUp) => now.ups += 1,
            Some(ReportKind::SessionDown) => {
                now.downs += 1;
                self.left = self.open();
            }
            Some(ReportKind::StatusDone) => {
                now.answers += 1;
                // Neither side of the session keeps orders over its end.
                let kept: Vec<_> = self.open().intersection(&self.left).copied().collect();
                assert!(kept.is_empty(), "open after the venue's answer: {kept:?}");
                self.decided += std::mem::take(&mut self.left).len();
            }
            Some(ReportKind::Unreadable) => panic!("a report that nobody can read"),
            _ => {}
        }
    }

    fn command(&mut self, command: &Command) {
        if command.kind() != Some(CommandKind::Mark) {
            assert!(self.ids.insert(command.id), "{:?} was given twice", command.id);
            self.commands.push(*command);
        }
        self.now.news += u64::from(command.kind() == Some(CommandKind::New));
    }

    /// Our ids of the orders that are open.
    pub(crate) fn open(&self) -> BTreeSet<OrderId> {
        let Some(recovery) = &self.recovery else { return BTreeSet::new() };
        let orders = recovery.account().orders();
        orders.all_open().map(|slot| orders.get(slot).id).collect()
    }

    /// Positions as the engine knows them.
    pub(crate) fn positions(&self) -> Positions {
        let Some(recovery) = &self.recovery else { return Positions::new() };
        let each = self.instruments.iter().zip(recovery.account().positions());
        let each = each.filter(|(_, position)| position.fills > 0);
        each.map(|(instrument, position)| {
            (instrument.symbol.clone(), (position.fills, position.net))
        })
        .collect()
    }
}

/// Every ClOrdID that went to the wire, none of them twice.
pub(crate) fn assert_ids_on_the_wire_are_unique(lab: &Lab) {
    let mut reader = Reader::open(&lab.journal(), lab.hot(), "gateway").unwrap();
    let mut index = FieldIndex::new(256);
    let mut ids = BTreeSet::new();
    while let Some(record) = reader.next_record().unwrap() {
        let Some(frame) = StoredFrame::of(&record) else { continue };
        if frame.kind != Some(FrameKind::Application) {
            continue;
        }
        let id = index.parse(frame.bytes).u64(tags::CL_ORD_ID).ok();
        assert!(id.is_none_or(|id| ids.insert(id)), "ClOrdID {id:?} was sent twice");
    }
    assert!(!ids.is_empty());
}
