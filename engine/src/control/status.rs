//! How a running engine stands, in a page an operator can read.
//!
//! Only renders what telemetry holds; never asks, waits or decides.

use crate::pipeline::feed_stage::FeedTroubles;
use crate::pipeline::fix_feed::FixFeedCounters;
use crate::pipeline::gate::{Gate, Shut};
use crate::pipeline::telemetry::{
    GlimpseCounters, Inbox, OrderSession, Recoveries, Telemetry, TradingSnapshot,
};
use crate::runtime::stage::REGIMES;
use market::{BookState, Instrument, Qty};
use std::fmt::Write;

/// The page. `answered`: every stage told how it stands just now.
#[must_use]
pub fn text(telemetry: &Telemetry, answered: bool) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut page, telemetry, answered);
    page
}

fn write(page: &mut String, telemetry: &Telemetry, answered: bool) -> std::fmt::Result {
    let trading = telemetry.trading.current();
    writeln!(page, "engine     {} ({})", telemetry.engine, telemetry.environment)?;
    if !answered {
        writeln!(page, "warning    a stage does not answer: what follows may be old")?;
    }
    writeln!(page, "kill       {}", kill(trading, &telemetry.gate))?;
    orders(page, telemetry, trading)?;
    market_data(page, telemetry)?;
    blame(page, telemetry)?;
    for instrument in &telemetry.instruments {
        writeln!(page, "{}", line(trading, instrument))?;
    }
    Ok(())
}

fn kill(trading: &TradingSnapshot, gate: &Gate) -> String {
    let latch = match trading.killed {
        true => format!("set by {}", trading.kill_text),
        false => "not set".to_owned(),
    };
    let reasons: Vec<_> = gate.reasons().map(Shut::word).collect();
    match reasons.is_empty() {
        true => latch,
        false => format!("{latch}; the gateway lets only cancels out: {}", reasons.join(", ")),
    }
}

fn orders(page: &mut String, telemetry: &Telemetry, trading: &TradingSnapshot) -> std::fmt::Result {
    let session = match trading.session {
        OrderSession::Down => "down",
        OrderSession::Reconciling => "reconciling",
        OrderSession::Ready => "ready",
        OrderSession::Closing => "closing",
    };
    let fix = telemetry.gateway.current();
    let up = if fix.is_up() { "up" } else { "down" };
    let (sent, received) = (fix.session.sent, fix.session.received);
    writeln!(page, "session    {session}; FIX {up}, {sent} sent, {received} received")?;
    if !fix.last_error.is_empty() {
        let made = fix.connections;
        writeln!(
            page,
            "connection {} made, {} attempts failed, {} lost; the last said: {}",
            made.connections, made.failed_attempts, made.disconnects, fix.last_error
        )?;
    }
    if let Some(copy) = telemetry.drop_copy.as_ref().map(Inbox::current) {
        let up = if copy.is_up() { "up" } else { "down" };
        write!(page, "drop copy  FIX {up}, {} received", copy.session.received)?;
        match copy.last_error.is_empty() {
            true => writeln!(page)?,
            false => writeln!(page, "; the last connection said: {}", copy.last_error)?,
        }
    }
    let made = fix.commands;
    if made.rate_held + made.rate_refused > 0 {
        writeln!(
            page,
            "rates      {} commands waited for a rate of the venue, {} were refused",
            made.rate_held, made.rate_refused
        )?;
    }
    let counters = &trading.counters;
    writeln!(
        page,
        "orders     {} open; {} new, {} replaced, {} canceled, {} filled, {} unknown",
        trading.open_orders,
        counters.news,
        counters.replaces,
        counters.cancels,
        counters.fills,
        counters.unknown
    )?;
    let refused = counters.breaches().map(|(name, count)| format!("{name} {count}"));
    let rejected = counters.rejects().map(|(reason, count)| format!("{reason:?} {count}"));
    for (word, list) in
        [("refused   ", refused.collect::<Vec<_>>()), ("rejected  ", rejected.collect::<Vec<_>>())]
    {
        if !list.is_empty() {
            writeln!(page, "{word} {}", list.join(", "))?;
        }
    }
    Ok(())
}

/// Stages with their regimes and longest cycles, then cores.
fn blame(page: &mut String, telemetry: &Telemetry) -> std::fmt::Result {
    let blame = telemetry.blame();
    for (stage, (_, counters)) in blame.stages.iter().zip(&telemetry.stages) {
        let silence = telemetry.silence(counters);
        let silence =
            silence.map_or("not polled yet".to_owned(), |span| format!("polled {span} ago"));
        let regimes = (1..REGIMES.len()).map(|place| {
            let (share, polls) = (stage.share(place), stage.polls[place]);
            format!(", {} {share:.1} % in {polls} polls", REGIMES[place].1)
        });
        writeln!(page, "stage      {}: {silence}{}", stage.name, regimes.collect::<String>())?;
        for (regime, cycle) in stage.cycles() {
            writeln!(page, "  longest  {} {regime}, {cycle}", stage.name)?;
        }
    }
    for core in &blame.cores {
        writeln!(page, "core       {core}")?;
    }
    Ok(())
}

fn market_data(page: &mut String, telemetry: &Telemetry) -> std::fmt::Result {
    let feed = telemetry.feed.current();
    let gap = if feed.in_gap { "; IN A GAP" } else { "" };
    let FeedTroubles { socket_errors, refused } = feed.troubles;
    if socket_errors + refused > 0 {
        writeln!(page, "feed       {socket_errors} socket errors, {refused} events refused")?;
    }
    if let Some(fix) = &feed.fix {
        let (up, (whole, all)) = (if fix.is_up() { "up" } else { "down" }, fix.whole);
        let (FixFeedCounters { refused, barred, .. }, made) = (fix.counters, fix.connections);
        writeln!(
            page,
            "feed       FIX {up}, {} connections made, {whole} of {all} books whole, {} requests, \
             {refused} refused, {barred} instruments differ",
            made.connections, feed.requests
        )?;
        if !fix.last_said.is_empty() {
            writeln!(page, "feed       the last said: {}", fix.last_said)?;
        }
    }
    if let Some(counters) = &feed.websocket {
        let (open, in_gap) = feed.websocket_now;
        let (made, failed) = (counters.connections, counters.failures);
        writeln!(
            page,
            "feed       {open} connections open, {made} made, {failed} failed; {in_gap} books in a gap"
        )?;
        if !feed.websocket_problem.is_empty() {
            writeln!(page, "feed       last trouble: {}", feed.websocket_problem)?;
        }
    }
    writeln!(
        page,
        "feed       next {}, {} messages, {} gaps, {} lost{gap}",
        feed.expected, feed.messages, feed.gaps, feed.lost
    )?;
    let ways = [("by messages", feed.by_messages), ("by snapshot", feed.by_snapshot)];
    for (way, Recoveries { count, last, longest, .. }) in ways.iter().filter(|(_, of)| of.count > 0)
    {
        writeln!(page, "recovered  {count} {way}, the last in {last}, the longest in {longest}")?;
    }
    let GlimpseCounters { tries, failed, given_up, .. } = feed.snapshots;
    if failed > 0 {
        writeln!(page, "snapshots  {tries} tried, {failed} failed, {given_up} gaps given up")?;
    }
    if !feed.trouble.is_empty() {
        writeln!(page, "market     the last trouble: {}", feed.trouble)?;
    }
    Ok(())
}

fn line(trading: &TradingSnapshot, instrument: &Instrument) -> String {
    let at = instrument.id.index();
    let state = trading.books.get(at).copied().unwrap_or(BookState::Recovering);
    let halted = trading.halted.get(at).copied().unwrap_or(false);
    let net = trading.positions.get(at).map_or(0, |position| position.net);
    let net = Qty::from_raw(net).to_decimal(instrument.qty_digits).normalize();
    let mark = trading.marks.get(at).copied().flatten();
    let mark = mark.map_or("no mark".to_owned(), |mark| format!("at {mark}"));
    let profit = trading.profit(instrument);
    let profit = profit.map_or("unknown".to_owned(), |profit| profit.to_string());
    let halted = if halted { ", HALTED until cleared" } else { "" };
    format!(
        "{:10} {state:?}{halted}; position {net} {mark}, profit {profit} {}",
        instrument.symbol,
        instrument.settlement()
    )
}
