//! The report of a run, as a trader wants to read it: what came in, what went out, what was earned,
//! and how fast. At most 100 columns wide.
//!
//! It reads counters and decides nothing. What a mode does not have is left out, not shown as zero.

mod blame;
mod hops;
mod money;
mod text;

use crate::latency::recorder::HopSet;
use crate::pipeline::feed_stage::FeedTroubles;
use crate::pipeline::telemetry::{Blame, Recoveries, WebsocketCounters};
use crate::trading::counters::Counters;
use crate::trading::desk::Session;
use crate::trading::{Account, TradingLoop};
use market::{BookView, Nanos, Price};
use std::fmt;
use std::path::PathBuf;
pub use text::{grouped, words};

/// What a feed saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedSummary {
    /// Datagrams of all lines.
    pub datagrams: u64,
    /// Messages in sequence, decoded.
    pub messages: u64,
    /// Messages that gave no event because they are wrong.
    pub skipped: u64,
    /// Times that messages were missing.
    pub gaps: u64,
    /// Messages that came by retransmission.
    pub recovered: u64,
    /// Messages given up.
    pub lost: u64,
    /// Gaps closed by the messages themselves, and by a snapshot.
    pub recoveries: [Recoveries; 2],
    /// Packets of which every message had come before, by another line.
    pub duplicates: u64,
    /// Events that came while the engine was at work on earlier ones, and those that stood in the
    /// ring while the loop was.
    pub waited: (u64, u64),
    /// What a websocket did, if the feed is one.
    pub websocket: Option<WebsocketCounters>,
    /// Errors of sockets, and events that the ring refused.
    pub troubles: FeedTroubles,
}

/// What an order session did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GatewaySummary {
    /// Messages sent.
    pub sent: u64,
    /// Messages taken in sequence.
    pub received: u64,
    /// Logons.
    pub logons: u64,
    /// Messages sent or skipped once more for the peer.
    pub resent: u64,
    /// Messages that could not be read.
    pub faulty: u64,
    /// Reports on orders of others in instruments that the run does not list.
    pub unlisted: u64,
}

/// A report; [`fmt::Display`] prints it.
pub struct Report<'a> {
    /// First line: what ran.
    pub title: String,
    /// Further lines about the run: name and value.
    pub facts: Vec<(&'static str, String)>,
    /// The loop at its end.
    pub trading: &'a TradingLoop,
    /// Prices at which positions are marked, by instrument id.
    pub marks: &'a [Option<Price>],
    /// The feed, where there is one.
    pub feed: Option<FeedSummary>,
    /// The order session, where there is one.
    pub gateway: Option<GatewaySummary>,
    /// Latencies, where they were measured.
    pub hops: Option<&'a HopSet>,
    /// Where the time of stages and cores went, where there are any.
    pub blame: Option<&'a Blame>,
    /// The journal's folder, where one was written.
    pub journal: Option<PathBuf>,
}

/// Width of the names on the left.
const NAME: usize = 13;

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for (name, value) in &self.facts {
            line(f, name, value)?;
        }
        self.market(f)?;
        self.books(f)?;
        self.orders(f)?;
        self.troubles(f)?;
        writeln!(f)?;
        money::table(f, self.trading.account(), self.marks)?;
        if let Some(hops) = self.hops {
            writeln!(f)?;
            hops::table(f, hops)?;
        }
        if let Some(blame) = self.blame {
            writeln!(f)?;
            blame::table(f, blame)?;
        }
        if let Some(journal) = &self.journal {
            let journal = journal.display();
            writeln!(f)?;
            line(f, "journal", &journal.to_string())?;
            line(f, "replay it", &format!("touchline replay {journal}"))?;
        }
        Ok(())
    }
}

/// One named line, broken at spaces where it grows too wide.
fn line(f: &mut fmt::Formatter<'_>, name: &str, value: &str) -> fmt::Result {
    let mut name = name;
    for part in text::wrapped(value, text::WIDTH - NAME - 1) {
        writeln!(f, "{name:<NAME$} {part}")?;
        name = "";
    }
    Ok(())
}

/// `1,204 new, 3 cancels`: what is not zero, or `none`.
fn counts(items: &[(u64, &str)]) -> String {
    let shown = items.iter().filter(|(count, _)| *count > 0);
    let shown: Vec<_> = shown.map(|(count, what)| format!("{} {what}", grouped(*count))).collect();
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

/// What a websocket feed did.
fn connections(
    f: &mut fmt::Formatter<'_>,
    messages: &str,
    counters: &WebsocketCounters,
) -> fmt::Result {
    let made = counts(&[
        (counters.connections, "connections"),
        (counters.failures, "attempts failed"),
        (counters.ended, "ended by the venue"),
        (counters.silent, "silent"),
        (counters.refused, "subscriptions refused"),
        (counters.renewed, "renewed"),
        (counters.garbled, "messages not understood"),
    ]);
    line(f, "feed", &format!("{messages} messages by websocket: {made}"))?;
    let books = counts(&[
        (counters.snapshots, "snapshots asked for"),
        (counters.snapshots_failed, "failed"),
        (counters.recovered, "gaps ended"),
    ]);
    let longest = counters.recovering_longest;
    let longest =
        if counters.recovered > 0 { format!(", the longest {longest}") } else { String::new() };
    line(f, "snapshots", &format!("{books}{longest}"))
}

impl Report<'_> {
    fn counters(&self) -> &Counters {
        self.trading.counters()
    }

    fn account(&self) -> &Account {
        self.trading.account()
    }

    fn market(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counters = self.counters();
        let (events, packets) = (grouped(counters.events), grouped(counters.packets));
        let trades = grouped(counters.market_trades);
        let loop_saw = format!("{events} events in {packets} packets, {trades} trades");
        line(f, "market data", &loop_saw)?;
        if let Some(feed) = &self.feed {
            let messages = grouped(feed.messages);
            match &feed.websocket {
                Some(websocket) => connections(f, &messages, websocket)?,
                // A session's messages come by no datagram.
                None if feed.datagrams == 0 => {
                    line(f, "feed", &format!("{messages} messages decoded"))?;
                }
                None => {
                    let datagrams = grouped(feed.datagrams);
                    let twice = counts(&[(feed.duplicates, "packets by both lines")]);
                    let decoded =
                        format!("{messages} messages decoded from {datagrams} datagrams, {twice}");
                    line(f, "feed", decoded.trim_end_matches(", none"))?;
                }
            }
            let (socket, ring) = feed.waited;
            let waited = [(socket, "events in the socket"), (ring, "in the ring")];
            line(f, "waited", &counts(&waited))?;
            let gaps = counts(&[
                (feed.gaps, "found"),
                (feed.recovered, "messages recovered"),
                (feed.lost, "lost"),
                (feed.skipped, "not readable"),
            ]);
            line(f, "gaps", &gaps)?;
            for (way, of) in ["by messages", "by snapshot"].into_iter().zip(feed.recoveries) {
                if let Some(mean) = of.total.get().checked_div(of.count) {
                    let (count, mean) = (grouped(of.count), Nanos::new(mean));
                    let text = format!("{count} {way}: {mean} each, {} the longest", of.longest);
                    line(f, "recovered", &text)?;
                }
            }
        }
        if let Some(gateway) = &self.gateway {
            let items = [
                (gateway.sent, "messages sent"),
                (gateway.received, "received"),
                (gateway.logons, "logons"),
                (gateway.resent, "resent"),
                (gateway.faulty, "not readable"),
                (gateway.unlisted, "of others in unlisted instruments"),
            ];
            line(f, "order session", &counts(&items))?;
        }
        Ok(())
    }

    fn books(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.account().instruments().iter().map(|instrument| {
            let state = self.trading.books().book(instrument.id).state();
            let halted = if self.trading.is_halted(instrument.id) { " (halted)" } else { "" };
            format!("{} {}{halted}", instrument.symbol, words(state))
        });
        line(f, "books", &each.collect::<Vec<_>>().join(", "))
    }

    fn orders(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counters = self.counters();
        let sent = counts(&[
            (counters.news, "new"),
            (counters.replaces, "replaces"),
            (counters.cancels, "cancels"),
        ]);
        let open = self.account().orders().open_count();
        let open = if open > 0 { format!("; {open} still open") } else { String::new() };
        line(f, "orders sent", &format!("{sent}{open}"))?;
        line(f, "fills", &grouped(counters.fills))?;
        let copied = [(counters.confirmed, "confirmed"), (counters.learned, "told first")];
        if copied.iter().any(|(count, _)| *count > 0) {
            line(f, "drop copy", &counts(&copied))?;
        }
        line(f, "order/trade", &self.order_to_trade())?;
        let rejects: Vec<_> = counters.rejects().map(|(why, n)| (n, words(why))).collect();
        let rejects: Vec<_> = rejects.iter().map(|(n, why)| (*n, why.as_str())).collect();
        line(f, "rejects", &counts(&rejects))?;
        let refused: Vec<_> = counters.breaches().map(|(name, count)| (count, name)).collect();
        line(f, "risk refused", &counts(&refused))
    }

    /// Messages sent for one fill.
    #[allow(clippy::cast_precision_loss)]
    fn order_to_trade(&self) -> String {
        let (sent, fills) = (self.counters().commands(), self.counters().fills);
        match fills {
            0 => format!("{} messages, no fill", grouped(sent)),
            _ => format!("{:.1} messages for each fill", sent as f64 / fills as f64),
        }
    }

    /// What should not happen, when it did.
    fn troubles(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counters = self.counters();
        let feed = self.feed.map_or(FeedTroubles::default(), |feed| feed.troubles);
        let troubles = counts(&[
            (counters.unknown, "orders became unknown"),
            (counters.duplicates, "executions told twice"),
            (counters.survivors, "orders that outlived a disconnect"),
            (counters.unpublished, "commands without room"),
            (counters.foreign, "reports on orders that are not ours"),
            (counters.contradictions, "contradictions of the venue"),
            (counters.illegal_moves, "illegal moves"),
            (counters.bad_quotes, "quotes that are none"),
            (counters.strategy_panics, "panics of a strategy"),
            (feed.socket_errors, "errors of the feed's sockets"),
            (feed.refused, "market events refused by the ring"),
        ]);
        if troubles != "none" {
            line(f, "troubles", &troubles)?;
        }
        if self.trading.session() == Session::Reconciling {
            line(f, "session", "was up, but the venue never answered the mass status request")?;
        }
        Ok(())
    }
}
