//! The trading floor: the market, what it publishes, and the time by which it trades.
//!
//! A synthetic market trades by the clock, and what its packet says is published once its reports
//! are out. A recorded one trades by the recording's own times; its messages are published verbatim,
//! each a packet. The venue's time never runs backwards.

use super::data_dir::{Begun, DataDir};
use super::pace::Pace;
use super::publication::{MESSAGE_BYTES_MAX, OpenedPublication, Publication};
use super::quotes::Quotes;
use super::resume::Resume;
use crate::config::{ExchangeConfig, FlowKind};
use crate::pipeline::assembly;
use crate::pipeline::market_source::Market;
use anyhow::Context as _;
use feeds::itch50::DAY;
use feeds::recording::Messages;
use market::{
    Command, Event, EventKind, Instrument, InstrumentId, Nanos, Report, Timestamp, TradingStatus,
};
use sim::{AccountId, Output, Run};
use std::collections::VecDeque;

/// What the venue said and nobody was told yet.
#[derive(Debug, Default)]
pub struct Heard {
    /// Reports to accounts that are not the flow's.
    pub reports: VecDeque<(AccountId, Report)>,
    events: Vec<Event>,
}

impl Output for Heard {
    fn report(&mut self, account: AccountId, report: Report) {
        if account.0 >= sim::flow::ACCOUNTS {
            self.reports.push_back((account, report));
        }
    }

    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// A market that is open.
pub struct Floor {
    market: Market,
    /// Market data out.
    pub publication: Publication,
    /// Reports to be sent.
    pub heard: Heard,
    /// What sessions of market data may ask for, where there are any.
    pub quotes: Option<Quotes>,
    pace: Pace,
    /// The venue's time of what happened last.
    at: Timestamp,
    /// The first moment that the session's stamps cannot name; none for a recording.
    day_end: Timestamp,
    recorded: bool,
    /// The recorded message that happened last, until it is published; else empty.
    held: Messages,
    /// What ended a recording early.
    error: Option<String>,
}

impl Floor {
    /// Opens the market of `config`, in the session that `data` keeps if that can be continued.
    ///
    /// # Errors
    /// A recording or a file that cannot be used.
    pub fn open(
        config: &ExchangeConfig,
        data: &mut DataDir,
        now: Timestamp,
        notices: &mut Vec<String>,
    ) -> anyhow::Result<Floor> {
        let flow = &config.flow;
        let base = match flow.kind {
            FlowKind::Synthetic => now.midnight(),
            FlowKind::Replay => flow.session_day.base(flow.midnight_utc, now),
        };
        let market = market_name(config);
        let name = config.market_data.session.as_deref();
        let begun = data.begin(now, base, &market, name)?;
        let mut floor = Floor::begin(config, data, begun, base, now, notices)?;
        if floor.recorded && floor.market.next_time().is_none() && begun.continues {
            notices
                .push("the recording was published to its end before: it begins anew".to_owned());
            let begun = data.begin_new(now, base, &market, name)?;
            floor = Floor::begin(config, data, begun, base, now, notices)?;
        } else if begun.continues {
            let next = floor.publication.next_sequence();
            notices.push(format!(
                "session {} goes on at message {next}; --fresh begins anew",
                begun.session
            ));
        }
        if !begun.continues && name.is_some_and(|_| floor.publication.next_sequence() == 1) {
            notices.push(format!(
                "session {} is named in the configuration: engines that saw it before must be \
                 restarted",
                begun.session
            ));
        }
        Ok(floor)
    }

    fn begin(
        config: &ExchangeConfig,
        data: &DataDir,
        begun: Begun,
        base: Timestamp,
        now: Timestamp,
        notices: &mut Vec<String>,
    ) -> anyhow::Result<Floor> {
        let instruments: Vec<Instrument> =
            config.instruments.iter().map(|listed| listed.instrument.clone()).collect();
        let heartbeat = config.market_data.heartbeat_ms;
        let path = data.messages();
        let snapshots = config.market_data.glimpse.is_some();
        let opened =
            Publication::open(&path, begun.session, base, &instruments, heartbeat, snapshots)?;
        let OpenedPublication { publication, resume, cut } = opened;
        if cut > 0 {
            notices.push(format!("{cut} bytes of a torn message were cut off {}", path.display()));
        }
        let run = Run { epoch: begun.epoch, first_order: resume.next_order };
        let (recorded, flow) = (config.flow.kind == FlowKind::Replay, &config.flow);
        let (market, pace) = if recorded {
            let file = flow.file.as_deref().context("[flow] file: name the recording")?;
            let market = Market::recorded(instruments, file, base, run)?;
            let silent = market.next_packet().is_some_and(|first| first.messages().is_empty());
            anyhow::ensure!(!silent, "{}: only ITCH 5.0 can be published again", file.display());
            (market, Pace::recorded(flow.speed, flow.lockstep))
        } else {
            let parameters = assembly::flow_parameters(&config.synthetic)
                .context("[flow] parameters: no set of this name")?;
            let market = Market::synthetic(instruments, parameters, flow.seed, now, run)?;
            let prices: Vec<_> = config.instruments.iter().map(|i| i.reference_price).collect();
            (market.open_at(&prices), Pace::Live)
        };
        let mut floor = Floor {
            market,
            publication,
            heard: Heard::default(),
            quotes: config.has_listeners().then(|| Quotes::new(config.instruments.len())),
            pace,
            at: if recorded { base } else { now },
            day_end: if recorded { Timestamp::MAX } else { base.after(Nanos::new(DAY)) },
            recorded,
            held: Messages::default(),
            error: None,
        };
        floor.take_up(&resume, now)?;
        Ok(floor)
    }

    /// Comes to where the session's own messages end.
    fn take_up(&mut self, resume: &Resume, now: Timestamp) -> anyhow::Result<()> {
        if self.recorded {
            while self.market.next_packet().is_some_and(|next| next.sequence <= resume.messages) {
                self.at = self.market.next_time().map_or(self.at, |next| self.at.max(next));
                self.market.step(&mut self.heard);
                self.heard.events.clear();
            }
            return Ok(());
        }
        if resume.messages == 0 {
            self.publication.begin(now)?;
            self.market.set_status(TradingStatus::Trading, now, &mut self.heard);
        }
        // What an earlier process left in the book left the market with it.
        for (&order, shown) in &resume.open {
            let Some(index) = u32::from(shown.locate).checked_sub(1) else { continue };
            let gone = Event::new(EventKind::Delete, InstrumentId(index));
            self.publication.event(&Event { order, exchange_time: now, ..gone });
        }
        self.say();
        Ok(())
    }

    /// The market.
    #[must_use]
    pub fn market(&self) -> &Market {
        &self.market
    }

    /// What ended a recording before its end, if anything did.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        self.error.clone().or_else(|| self.market.error().map(ToString::to_string))
    }

    /// The venue's time at `now`: the clock's, but never past what must happen first; a recording's
    /// own.
    #[must_use]
    pub fn time(&self, now: Timestamp) -> Timestamp {
        if self.recorded {
            return self.at;
        }
        let next = self.market.next_time().unwrap_or(Timestamp::MAX);
        let last = Timestamp::from_nanos(self.day_end.nanos() - 1);
        self.at.max(now.min(next).min(last))
    }

    /// True when the day is over and everything of it has happened.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.day_end && self.market.next_time().is_none_or(|next| next >= self.day_end)
    }

    /// True if a packet is due.
    pub fn is_due(&mut self, now: Timestamp) -> bool {
        let next = self.market.next_time().filter(|&next| next < self.day_end);
        self.held.is_empty()
            && self.error.is_none()
            && next.is_some_and(|next| self.pace.is_due(next, now))
    }

    /// True if a recording is at its end, and published to it.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        let over = self.error.is_some() || self.market.next_time().is_none();
        self.recorded && self.held.is_empty() && over
    }

    /// Lets the next packet happen. Its reports are then to be sent, and [`Floor::say`] is to be
    /// called.
    pub fn step(&mut self) {
        let Some(next) = self.market.next_time() else { return };
        self.at = self.at.max(next);
        if let Some(packet) = self.market.next_packet() {
            if packet.messages().iter().any(|message| message.len() > MESSAGE_BYTES_MAX) {
                let sequence = packet.sequence;
                let text = "is longer than a packet: not of ITCH 5.0";
                self.error = Some(format!("message {sequence} of the recording {text}"));
                return;
            }
            self.held.clone_from(packet.messages());
        }
        self.market.step(&mut self.heard);
    }

    /// Carries out a command.
    pub fn command(&mut self, account: AccountId, command: &Command, now: Timestamp) {
        self.at = self.time(now);
        self.market.venue().command(account, command, self.at, &mut self.heard);
    }

    /// Cancels every order of an account.
    pub fn cancel_all(&mut self, account: AccountId, now: Timestamp) {
        self.at = self.time(now);
        self.market.venue().cancel_all(account, self.at, &mut self.heard);
    }

    /// True while a recorded message is held back.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// Lets the recorded message go that happened last.
    pub fn release(&mut self) {
        if self.is_holding() {
            self.held.iter().for_each(|message| self.publication.message(message));
            self.held.clear();
        }
    }

    /// Hands what the venue said in public to the publication.
    pub fn say(&mut self) {
        for event in self.heard.events.drain(..) {
            // A recording speaks for itself.
            if !self.recorded {
                self.publication.event(&event);
                if let Some(quotes) = &mut self.quotes {
                    quotes.event(&event);
                }
            }
        }
    }

    /// Closes a market at the end of its day: every order runs out.
    pub fn close(&mut self) {
        self.at = Timestamp::from_nanos(self.day_end.nanos() - 1);
        self.market.set_status(TradingStatus::Closed, self.at, &mut self.heard);
        // The session's own words for it follow.
        self.heard.events.retain(|event| event.kind() != Some(EventKind::Status));
        self.say();
        // Within the day, so it can be said.
        let _ = self.publication.close(self.at);
    }
}

/// What a session publishes, so that another market is not taken for its continuation.
fn market_name(config: &ExchangeConfig) -> String {
    let symbols: Vec<&str> =
        config.instruments.iter().map(|listed| listed.instrument.symbol.as_str()).collect();
    match (&config.flow.kind, &config.flow.file) {
        (FlowKind::Replay, Some(file)) => format!("{} {}", file.display(), symbols.join(" ")),
        _ => format!("synthetic {}", symbols.join(" ")),
    }
}
