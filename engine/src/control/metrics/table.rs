//! The metrics: every one named, explained and read in one place. `docs/` and dashboards use these
//! names.
//!
//! Reads telemetry only. A counter's name gets `_total`, a unit stands behind the name.

use crate::latency::hops::HOPS;
use crate::pipeline::gate::Shut;
use crate::pipeline::telemetry::{
    Cycle, LineCounters, OrderSession, Recoveries, StageBlame, Telemetry, WebsocketCounters,
};
use crate::runtime::did::ACTS;
use crate::runtime::stage::REGIMES;
use crate::runtime::usage::Usage;
use crate::trading::counters::REASONS;
use crate::trading::risk::CHECKS;
use market::{BookState, Money, Nanos, Price, Qty};

/// What a metric is to Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Grows only.
    Counter,
    /// Any number.
    Gauge,
}

/// The unit of a metric, where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A count, a state or a share.
    One,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
}

/// A label and its value.
type Label<'a> = (&'a str, &'a str);
/// Takes the samples of a metric.
pub(crate) type Samples<'a> = dyn FnMut(&[Label<'_>], f64) + 'a;

/// One metric.
pub(crate) struct Metric {
    /// Its name, without unit and ending.
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
    /// Gives its samples.
    pub(crate) read: fn(&Telemetry, &mut Samples<'_>),
}

impl Metric {
    /// Its name behind `touchline_`, with unit and the ending of a counter.
    pub(crate) fn full_name(&self) -> String {
        let unit = match self.unit {
            Unit::One => "",
            Unit::Bytes => "_bytes",
            Unit::Seconds => "_seconds",
        };
        let ending = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{unit}{ending}", self.name)
    }
}

/// The histogram of every hop: name and help.
pub(crate) const HOP: (&str, &str) = ("hop_seconds", "Latency of each hop by name.");

/// Counts stay exact up to 2^53.
#[allow(clippy::cast_precision_loss)]
fn f(count: u64) -> f64 {
    count as f64
}

fn flag(set: bool) -> f64 {
    f64::from(u8::from(set))
}

/// The ways in which gaps are closed.
fn ways(telemetry: &Telemetry, mut each: impl FnMut(&str, Recoveries)) {
    let feed = telemetry.feed.current();
    each("messages", feed.by_messages);
    each("snapshot", feed.by_snapshot);
}

/// Rows: kind, name, unit, help, and what gives the samples.
macro_rules! metrics {
    ($($kind:ident $name:literal $unit:ident $help:literal = $read:expr;)+) => {
        &[$(Metric {
            name: $name,
            unit: Unit::$unit,
            kind: Kind::$kind,
            help: $help,
            read: $read,
        }),+]
    };
}

/// A row without labels.
macro_rules! one {
    ($telemetry:ident => $value:expr) => {
        |$telemetry, sample| sample(&[], $value)
    };
}

/// Every metric but the histogram of hops.
#[rustfmt::skip]
pub(crate) const METRICS: &[Metric] = metrics! {
    Gauge "engine_info" One "Name and environment of the engine; always 1." =
        |t, sample| sample(&[("engine", &t.engine), ("environment", &t.environment)], 1.0);

    Counter "feed_datagrams" One "Datagrams received by line, good or bad." =
        |t, sample| lines(t, sample, |line| line.datagrams);
    Counter "feed" Bytes "Bytes received by line." =
        |t, sample| lines(t, sample, |line| line.bytes);
    Counter "feed_first" One "Packets whose messages came by this line first." =
        |t, sample| lines(t, sample, |line| line.first);
    Counter "feed_duplicates" One "Packets of which every message had come before." =
        |t, sample| lines(t, sample, |line| line.duplicates);
    Counter "feed_heartbeats" One "Heartbeats and ends of session." =
        |t, sample| lines(t, sample, |line| line.heartbeats);
    Counter "feed_messages" One "Messages given on in sequence." =
        one!(t => f(t.feed.current().messages));
    Counter "feed_gaps" One "Times that messages were declared missing." =
        one!(t => f(t.feed.current().gaps));
    Counter "feed_requests" One "Retransmission requests made." =
        one!(t => f(t.feed.current().requests));
    Counter "feed_requested_messages" One "Messages asked for, repetitions counted again." =
        one!(t => f(t.feed.current().requested));
    Counter "feed_recovered_messages" One "Messages that came by retransmission." =
        one!(t => f(t.feed.current().recovered));
    Counter "feed_lost_messages" One "Messages given up." =
        one!(t => f(t.feed.current().lost));
    Counter "feed_recoveries" One "Gaps closed, by the messages themselves or by a snapshot." =
        |t, sample| ways(t, |way, of| sample(&[("by", way)], f(of.count)));
    Counter "feed_recovery" Seconds "How long gaps lasted that were closed, together, by way." =
        |t, sample| ways(t, |way, of| sample(&[("by", way)], of.total.as_secs_f64()));
    Gauge "feed_recovery_last" Seconds "How long the last gap lasted that was closed, by way." =
        |t, sample| ways(t, |way, of| sample(&[("by", way)], of.last.as_secs_f64()));
    Gauge "feed_recovery_longest" Seconds "How long the longest gap lasted that was closed, by way." =
        |t, sample| ways(t, |way, of| sample(&[("by", way)], of.longest.as_secs_f64()));
    Counter "feed_snapshots" One "Snapshots tried, by outcome; gaps given up." = |t, sample| {
        let c = &t.feed.current().snapshots;
        for (outcome, count) in [("taken", c.taken), ("failed", c.failed), ("given up", c.given_up)] {
            sample(&[("outcome", outcome)], f(count));
        }
    };
    Counter "feed_mismatches" One "Packets that differ from another copy of themselves." =
        one!(t => f(t.feed.current().mismatches));
    Counter "feed_session_resets" One "Market data sessions that followed another." =
        one!(t => f(t.feed.current().resets));
    Counter "feed_bad_datagrams" One "Datagrams dropped by reason." =
        |t, sample| for (reason, count) in t.feed.current().bad() {
            sample(&[("reason", &reason.to_string())], f(count));
        };
    Counter "feed_decoded_messages" One "Messages decoded, skipped ones included." =
        one!(t => f(t.feed.current().decoded));
    Counter "feed_skipped_messages" One "Messages that gave no event by reason." =
        |t, sample| for (reason, count) in t.feed.current().skipped() {
            sample(&[("reason", &reason.to_string())], f(count));
        };
    Counter "feed_events" One "Events given to the trading loop." =
        one!(t => f(t.feed.current().events));
    Counter "feed_waited_events" One "Events read since the sockets were last empty, but for the first datagram's." =
        one!(t => f(t.feed.current().waited));
    Counter "feed_socket_errors" One "Errors of the feed's sockets." =
        one!(t => f(t.feed.current().troubles.socket_errors));
    Counter "feed_refused_events" One "Events that the ring refused although it had promised room." =
        one!(t => f(t.feed.current().troubles.refused));
    Gauge "feed_in_gap" One "1 while market data messages are missing." =
        one!(t => flag(t.feed.current().in_gap));
    Gauge "feed_session_up" One "1 while the FIX session of market data is logged on, where there is one." =
        |t, sample| if let Some(fix) = &t.feed.current().fix {
            sample(&[], flag(fix.is_up()));
        };
    Gauge "feed_whole_books" One "Instruments with a whole book, of a FIX session." =
        |t, sample| if let Some(fix) = &t.feed.current().fix {
            sample(&[], f(fix.whole.0 as u64));
        };
    Counter "feed_refused_requests" One "Requests for market data that were refused, of a FIX session." =
        |t, sample| if let Some(fix) = &t.feed.current().fix {
            sample(&[], f(fix.counters.refused));
        };

    Gauge "websocket_open" One "Connections of a websocket feed that are open." =
        |t, sample| websocket(t, |_| sample(&[], f(t.feed.current().websocket_now.0 as u64)));
    Gauge "websocket_books_in_gap" One "Books of a websocket feed that have a gap." =
        |t, sample| websocket(t, |_| sample(&[], f(t.feed.current().websocket_now.1 as u64)));
    Counter "websocket_connections" One "Connections made, and attempts that failed." =
        |t, sample| websocket(t, |c| {
            sample(&[("outcome", "made")], f(c.connections));
            sample(&[("outcome", "failed")], f(c.failures));
        });
    Counter "websocket_ends" One "Connections that ended, by reason." = |t, sample| {
        websocket(t, |c| {
            for (reason, count) in [
                ("by the venue", c.ended),
                ("silent", c.silent),
                ("subscription refused", c.refused),
                ("renewed", c.renewed),
            ] {
                sample(&[("reason", reason)], f(count));
            }
        });
    };
    Counter "websocket_controls" One "Pings and pongs received." =
        |t, sample| websocket(t, |c| sample(&[], f(c.controls)));
    Counter "websocket_garbled" One "Messages that nobody understands." =
        |t, sample| websocket(t, |c| sample(&[], f(c.garbled)));
    Counter "websocket_snapshots" One "Snapshots asked for, and those that did not come or were of no use." =
        |t, sample| websocket(t, |c| {
            sample(&[("outcome", "asked for")], f(c.snapshots));
            sample(&[("outcome", "failed")], f(c.snapshots_failed));
        });
    Counter "websocket_recoveries" One "Gaps of books that ended." =
        |t, sample| websocket(t, |c| sample(&[], f(c.recovered)));
    Counter "websocket_recovering" Seconds "How long the gaps that ended were, together." =
        |t, sample| websocket(t, |c| sample(&[], seconds(c.recovering)));
    Gauge "websocket_longest_recovery" Seconds "The longest of them." =
        |t, sample| websocket(t, |c| sample(&[], seconds(c.recovering_longest)));

    Counter "trading_inputs" One "Inputs of the trading loop." =
        one!(t => f(t.trading.current().inputs));
    Counter "trading_packets" One "Packets of market events." =
        one!(t => f(t.trading.current().counters.packets));
    Counter "trading_events" One "Market events." =
        one!(t => f(t.trading.current().counters.events));
    Counter "trading_waited_events" One "Events in the ring while the loop was at an earlier packet." =
        one!(t => f(t.trading.current().waited));
    Counter "trading_reports" One "Reports of venue and gateway." =
        one!(t => f(t.trading.current().counters.reports));
    Counter "trading_commands" One "Commands published by kind." = |t, sample| {
        let c = &t.trading.current().counters;
        for (kind, count) in [("new", c.news), ("replace", c.replaces), ("cancel", c.cancels)] {
            sample(&[("kind", kind)], f(count));
        }
    };
    Counter "trading_unpublished" One "Commands for which ring or journal had no room." =
        one!(t => f(t.trading.current().counters.unpublished));
    Counter "trading_fills" One "Fills counted." =
        one!(t => f(t.trading.current().counters.fills));
    Counter "trading_drop_copies" One "Executions told by the drop copy session, by what was new." =
        |t, sample| {
            let c = &t.trading.current().counters;
            for (news, count) in [("confirmed", c.confirmed), ("told first", c.learned)] {
                sample(&[("news", news)], f(count));
            }
        };
    Counter "trading_anomalies" One "What should not happen, by kind." = |t, sample| {
        let c = &t.trading.current().counters;
        for (kind, count) in [
            ("duplicate execution", c.duplicates),
            ("order that outlived a disconnect", c.survivors),
            ("foreign order", c.foreign),
            ("illegal move", c.illegal_moves),
            ("contradiction", c.contradictions),
            ("unknown order", c.unknown),
            ("bad quote", c.bad_quotes),
            ("strategy panic", c.strategy_panics),
        ] {
            sample(&[("kind", kind)], f(count));
        }
    };
    Counter "trading_breaches" One "Orders refused by risk check." =
        |t, sample| for (check, count) in CHECKS.iter().zip(t.trading.current().counters.breaches) {
            sample(&[("check", check.name)], f(count));
        };
    Counter "trading_rejects" One "Requests refused by venue or gateway, by reason." =
        |t, sample| for (reason, count) in REASONS.iter().zip(t.trading.current().counters.rejects) {
            sample(&[("reason", &format!("{reason:?}"))], f(count));
        };
    Gauge "trading_open_orders" One "Open orders, Unknown ones included." =
        one!(t => f(t.trading.current().open_orders as u64));
    Gauge "trading_ready" One "1 while the order session is up and reconciled." =
        one!(t => flag(t.trading.current().session == OrderSession::Ready));
    Gauge "trading_killed" One "1 while the kill latch is set." =
        one!(t => flag(t.trading.current().killed));
    Gauge "gate_shut" One "1 while the gateway lets only cancels out, by reason." =
        |t, sample| for reason in Shut::ALL {
            let shut = t.gate.reasons().any(|other| other == reason);
            sample(&[("reason", reason.word())], flag(shut));
        };

    Gauge "position" One "Position in units of the instrument." = |t, sample| {
        for (instrument, position) in t.instruments.iter().zip(&t.trading.current().positions) {
            let units = Qty::from_raw(position.net).to_f64(instrument.qty_digits);
            sample(&[("instrument", &instrument.symbol)], units);
        }
    };
    Gauge "mark_price" One "Mid price of the book, while it has one." = |t, sample| {
        for (instrument, mark) in t.instruments.iter().zip(&t.trading.current().marks) {
            if let Some(mark) = mark {
                sample(&[("instrument", &instrument.symbol)], Price::to_f64(*mark));
            }
        }
    };
    Gauge "profit" One "Realised and marked profit less fees, in the settlement currency." =
        |t, sample| for instrument in &t.instruments {
            if let Some(profit) = t.trading.current().profit(instrument) {
                let currency = instrument.settlement();
                let labels = [("instrument", instrument.symbol.as_str()), ("currency", currency)];
                sample(&labels, Money::to_f64(profit));
            }
        };
    Gauge "book_state" One "1 for the state that a book is in." = |t, sample| {
        for (instrument, book) in t.instruments.iter().zip(&t.trading.current().books) {
            for state in BookState::ALL {
                let name = format!("{state:?}");
                let labels = [("instrument", instrument.symbol.as_str()), ("state", &name)];
                sample(&labels, flag(state == *book));
            }
        }
    };
    Gauge "instrument_halted" One "1 for an instrument halted until an operator clears it." =
        |t, sample| {
            for (instrument, halted) in t.instruments.iter().zip(&t.trading.current().halted) {
                sample(&[("instrument", &instrument.symbol)], flag(*halted));
            }
        };

    Gauge "gateway_up" One "1 while the FIX session is logged on." =
        one!(t => flag(t.gateway.current().is_up()));
    Gauge "drop_copy_up" One "1 while the drop copy session is logged on, where there is one." =
        |t, sample| if let Some(copy) = &t.drop_copy {
            sample(&[], flag(copy.current().is_up()));
        };
    Counter "gateway_sent_messages" One "FIX messages sent, resends not included." =
        one!(t => f(t.gateway.current().session.sent));
    Counter "gateway_received_messages" One "FIX messages taken in sequence." =
        one!(t => f(t.gateway.current().session.received));
    Counter "gateway_resent_messages" One "FIX messages sent once more." =
        one!(t => f(t.gateway.current().session.resent));
    Counter "gateway_gap_fills" One "Gap fills sent in place of messages." =
        one!(t => f(t.gateway.current().session.gap_fills));
    Counter "gateway_anomalies" One "What a good session does not do, by kind." = |t, sample| {
        let (s, e) = (&t.gateway.current().session, &t.gateway.current().entry);
        for (kind, count) in [
            ("garbled", s.garbled),
            ("duplicate", s.duplicates),
            ("too high", s.too_high),
            ("reject sent", s.rejects),
            ("faulty report", e.faulty),
            ("unknown instrument", e.unknown_instrument),
            ("other order, unlisted instrument", e.unlisted),
            ("unknown request", e.unknown_request),
            ("unsupported message", e.unsupported),
        ] {
            sample(&[("kind", kind)], f(count));
        }
    };

    Counter "stage_polls" One "Polls of a stage by what they found." = |t, sample| {
        regimes(t, sample, |stage, regime| f(stage.polls[regime]));
    };
    Counter "stage_time" Seconds "Time of a stage's polls by what they found." = |t, sample| {
        regimes(t, sample, |stage, regime| stage.time[regime].as_secs_f64());
    };
    Gauge "stage_longest_cycle" Seconds "Longest cycle of a stage after warm-up, by regime." =
        |t, sample| longest(t, sample, |cycle| cycle.span.as_secs_f64());
    Gauge "stage_longest_cycle_timestamp" Seconds "When the longest cycle ended." =
        |t, sample| longest(t, sample, |cycle| f(cycle.at.nanos()) / 1e9);
    Gauge "stage_longest_cycle_work" One "What the longest busy cycle did, and how much of it." =
        |t, sample| cycles(t, |stage, regime, cycle| if regime == REGIMES[1].1 {
            for (act, word) in ACTS {
                sample(&[("stage", stage), ("did", word)], f(cycle.did.count(act)));
            }
        });
    Gauge "stage_silence" Seconds "Time since a stage last finished a poll." = |t, sample| {
        for (stage, counters) in &t.stages {
            if let Some(span) = t.silence(counters) {
                sample(&[("stage", stage)], f(span.get()) / 1e9);
            }
        }
    };

    Counter "core_context_switches" One "Context switches of a core's thread after warm-up." =
        |t, sample| kernel(t, sample, |u| {
            [("involuntary", f(u.involuntary)), ("voluntary", f(u.voluntary))]
        });
    Counter "core_page_faults" One "Page faults of a core's thread after warm-up." =
        |t, sample| kernel(t, sample, |u| {
            [("minor", f(u.minor_faults)), ("major", f(u.major_faults))]
        });
    Counter "core_wait" Seconds "Time that a core could run and had no CPU, after warm-up." =
        |t, sample| kernel(t, sample, |u| [("run queue", u.waited.as_secs_f64())]);
};

/// A sample for each regime of each stage.
fn regimes(telemetry: &Telemetry, sample: &mut Samples<'_>, value: fn(&StageBlame, usize) -> f64) {
    for stage in telemetry.blame().stages {
        for (place, (_, regime)) in REGIMES.iter().enumerate() {
            sample(&[("stage", stage.name), ("regime", regime)], value(&stage, place));
        }
    }
}

/// The longest cycles of each stage after its warm-up, with their regimes.
fn cycles(telemetry: &Telemetry, mut each: impl FnMut(&str, &str, &Cycle)) {
    for stage in telemetry.blame().stages {
        for (regime, cycle) in stage.cycles().filter(|(_, cycle)| cycle.warm) {
            each(stage.name, regime, cycle);
        }
    }
}

fn longest(telemetry: &Telemetry, sample: &mut Samples<'_>, value: fn(&Cycle) -> f64) {
    cycles(telemetry, |stage, regime, cycle| {
        sample(&[("stage", stage), ("regime", regime)], value(cycle));
    });
}

/// Samples of what the kernel counted of each core, by kind; none before warm-up is over.
fn kernel<const N: usize>(
    telemetry: &Telemetry,
    sample: &mut Samples<'_>,
    values: fn(&Usage) -> [(&'static str, f64); N],
) {
    for core in telemetry.blame().cores {
        for (kind, value) in core.usage.as_ref().map(values).into_iter().flatten() {
            sample(&[("core", &core.name), ("kind", kind)], value);
        }
    }
}

/// A sample for each live line, A and B, and one for the answers to requests.
fn lines(telemetry: &Telemetry, sample: &mut Samples<'_>, value: fn(&LineCounters) -> u64) {
    let feed = telemetry.feed.current();
    for (name, line) in ["A", "B"].iter().zip(&feed.lines) {
        sample(&[("line", name)], f(value(line)));
    }
    sample(&[("line", "retransmission")], f(value(&feed.retransmission)));
}

/// Samples of a websocket feed; none of another.
fn websocket(telemetry: &Telemetry, sample: impl FnOnce(&WebsocketCounters)) {
    if let Some(counters) = &telemetry.feed.current().websocket {
        sample(counters);
    }
}

#[allow(clippy::cast_precision_loss)]
fn seconds(span: Nanos) -> f64 {
    span.get() as f64 / 1e9
}

/// Names of the hops, in order: the values of the label `hop`.
pub(crate) fn hop_names() -> impl Iterator<Item = &'static str> {
    HOPS.iter().map(|(_, name, _)| *name)
}
