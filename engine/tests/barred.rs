//! A kill against a venue that refuses mass cancels: the orders must go one by one.

use engine::config::RunConfig;
use engine::pipeline::assembly::{self, LoopMode};
use engine::trading::{Control, ControlKind, OpeningState, TradingLoop};
use market::{
    Command, CommandKind, Event, EventFlags, Nanos, OrderId, RejectReason, Report, ReportKind,
    Timestamp,
};
use sim::{
    AccountId, Exchange, ExchangeLimits, Flow, FlowParameters, Output, Run, SelfTradePolicy, Venue,
};
use std::collections::{BTreeSet, VecDeque};

const OURS: AccountId = AccountId(sim::flow::ACCOUNTS);

#[derive(Default)]
struct Heard {
    reports: VecDeque<Report>,
    events: Vec<Event>,
}

impl Output for Heard {
    fn report(&mut self, account: AccountId, report: Report) {
        if account == OURS {
            self.reports.push_back(report);
        }
    }
    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// The loop and a venue without latency.
struct Lab {
    trading: TradingLoop,
    venue: Exchange,
    flow: Flow,
    heard: Heard,
    sent: Vec<Command>,
    singles: usize,
}

impl Lab {
    fn settle(&mut self, now: Timestamp) {
        loop {
            for command in std::mem::take(&mut self.sent) {
                self.singles += usize::from(command.kind() == Some(CommandKind::Cancel));
                if command.kind() == Some(CommandKind::MassCancel) {
                    let mut refusal =
                        Report::new(ReportKind::MassCanceled, command.id, command.instrument);
                    refusal = refusal.with_reason(RejectReason::Other);
                    self.heard.reports.push_back(refusal);
                } else {
                    self.venue.command(OURS, &command, now, &mut self.heard);
                }
            }
            let sent = &mut self.sent;
            let mut out = |command: &Command| {
                sent.push(*command);
                true
            };
            if let Some(report) = self.heard.reports.pop_front() {
                self.trading.on_report(now, &report, &mut out);
            } else if !self.heard.events.is_empty() {
                let mut events = std::mem::take(&mut self.heard.events);
                if let Some(last) = events.last_mut() {
                    last.flags = last.flags.with(EventFlags::LAST);
                }
                self.trading.on_packet(now, &events, &mut out);
            } else if self.trading.next_due() <= now {
                self.trading.on_timers(now, &mut out);
            } else if self.sent.is_empty() {
                return;
            }
        }
    }

    fn run(&mut self, until: Timestamp) {
        while self.flow.next_time() < until {
            let now = self.flow.next_time();
            self.flow.step(&mut self.venue, &mut self.heard);
            self.settle(now);
        }
    }
}

#[test]
fn a_kill_goes_on_one_by_one_where_mass_cancels_are_refused() {
    let start = Timestamp::from_nanos(1_750_000_000_000_000_000);
    let config = RunConfig::demo(&BTreeSet::from([0])).unwrap();
    let settings = assembly::trading_settings(&config.trading, LoopMode::of_run(&config)).unwrap();
    let instruments = assembly::instruments(&config.trading);
    let opening = OpeningState { epoch: 1, ..OpeningState::default() };
    let (limits, policy) = (ExchangeLimits::default(), SelfTradePolicy::default());
    let mut lab = Lab {
        trading: TradingLoop::new(settings, &opening),
        flow: Flow::new(1, FlowParameters::default(), &instruments, start).unwrap(),
        venue: Exchange::new(instruments, limits, policy, Run::default()).unwrap(),
        heard: Heard::default(),
        sent: Vec::new(),
        singles: 0,
    };
    lab.trading.on_start(start, &mut |_: &Command| true);
    lab.heard.reports.push_back(Report::new(ReportKind::SessionUp, OrderId::NONE, Event::ALL));
    lab.settle(start);
    lab.run(start.after(Nanos::from_secs(10)));
    assert!(lab.venue.open_orders(OURS) > 0, "nothing to cancel");
    let before = lab.singles;
    let kill = Control::new(ControlKind::Kill, "Ada", "drill");
    let now = start.after(Nanos::from_secs(10));
    let sent = &mut lab.sent;
    lab.trading.on_control(now, &kill, &mut |command: &Command| {
        sent.push(*command);
        true
    });
    lab.settle(now);
    assert!(lab.venue.open_orders(OURS) > 0, "the mass cancel was not refused");
    lab.run(start.after(Nanos::from_secs(15)));
    assert_eq!(lab.venue.open_orders(OURS), 0);
    assert!(lab.singles > before);
}
