//! `touchline check`: judges a configuration and shows what it would run on this machine.
//!
//! It opens no socket and writes no file. What it refuses, every other mode refuses too: they all
//! read through [`config::load`]'s one door.

use crate::cli::{CheckArgs, Exit};
use crate::config::cores::Thread;
use crate::config::fix_choices::{FixVersion, RateCounts};
use crate::config::fix_words::CancelOnDisconnect;
use crate::config::{
    self, BacktestConfig, Config, ExchangeConfig, FlowKind, Listed, ProfileConfig, RunConfig,
    TradingConfig,
};
use crate::pipeline::connector::Plan;
use crate::pipeline::websocket_feed;
use crate::runtime::cores::allowed;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

/// Runs the subcommand.
///
/// # Errors
/// [`config::ConfigErrors`] with everything that is wrong, or a failure to print.
pub fn main(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let cpus = allowed();
    let config = config::load(&args.config, &cpus)?;
    if let Config::Run(run) = &config {
        // The roots to trust are read as `run` would read them.
        Plan::new(&run.gateway.address, &run.transport)?;
        websocket_feed::check(run.feed.protocol, &run.websocket)?;
    }
    let text = format!("{}: well\n{}", args.config.display(), describe(&config, &cpus)?);
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Well.into())
}

/// What the configuration would run, a line each.
///
/// # Errors
/// None: a text takes every line.
pub(super) fn describe(config: &Config, cpus: &BTreeSet<usize>) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    match config {
        Config::Run(run) => describe_run(&mut text, run, cpus)?,
        Config::Exchange(exchange) => describe_exchange(&mut text, exchange)?,
        Config::Backtest(backtest) => describe_backtest(&mut text, backtest)?,
        Config::Instruments(listed) => describe_instruments(&mut text, listed)?,
        Config::Venue(venue) => {
            let (profile, transport, websocket) = &**venue;
            describe_profile(&mut text, profile)?;
            let tls = transport.tls;
            let (pace, stamps) = (transport.describe_pace(), transport.describe_stamps());
            writeln!(text, "transport   TLS {tls}, {pace}, {stamps}")?;
            if let Some(address) = &websocket.websocket.address {
                let how = websocket.transport.describe(address);
                let pace = websocket.transport.describe_pace();
                writeln!(text, "websocket   {address}, {how}, {pace}")?;
            }
        }
    }
    Ok(text)
}

fn describe_run(text: &mut String, run: &RunConfig, cpus: &BTreeSet<usize>) -> std::fmt::Result {
    let feed = &run.feed;
    let thread = |thread: &Thread| {
        let stages = thread.stages.iter().map(|stage| format!("{stage:?}").to_lowercase());
        let stages = stages.collect::<Vec<_>>().join("+");
        match thread.cpu {
            Some(cpu) => format!("{stages} on CPU {cpu}"),
            None => format!("{stages} unpinned"),
        }
    };
    let threads: Vec<_> = run.cores.threads(cpus).iter().map(thread).collect();
    let metrics = run.control.metrics.0;
    let metrics = metrics.map_or_else(|| "off".to_owned(), |at| format!("http://{at}/metrics"));
    writeln!(text, "engine      {} ({})", run.engine.name, run.engine.environment)?;
    let idle = config::choice::idle_word(run.cores.idle);
    writeln!(text, "threads     {}; idle {idle}", threads.join(", "))?;
    writeln!(text, "feed        {}", feed.describe(&run.soupbintcp, &run.websocket))?;
    if feed.protocol == config::Protocol::Fix {
        describe_market_data(text, run)?;
    }
    let (us, them) = (&run.gateway.sender_comp_id, &run.gateway.target_comp_id);
    writeln!(text, "gateway     {us} to {them} at {}", run.gateway.address)?;
    let (transport, pace) =
        (run.transport.describe(&run.gateway.address), run.transport.describe_pace());
    let stamps = run.transport.describe_stamps();
    writeln!(text, "transport   {transport}, {pace}, {stamps}")?;
    let addresses = run.venue_addresses();
    let mut warnings: Vec<_> =
        addresses.iter().filter_map(|at| run.transport.warning(at)).collect();
    warnings.dedup();
    for warning in warnings {
        writeln!(text, "warning     {warning}")?;
    }
    describe_profile(text, &run.venue)?;
    writeln!(text, "journal     {} ({})", run.journal_dir().display(), run.journal.durability)?;
    writeln!(text, "control     {}, metrics {metrics}", run.control_socket().display())?;
    describe_trading(text, &run.trading)
}

/// The session of a feed by FIX, and what it asks for.
fn describe_market_data(text: &mut String, run: &RunConfig) -> std::fmt::Result {
    let (session, asked, ours) = (&run.market_data, &run.venue.subscription, &run.gateway);
    let us = session.sender_comp_id.as_ref().unwrap_or(&ours.sender_comp_id);
    let them = session.target_comp_id.as_ref().unwrap_or(&ours.target_comp_id);
    let at = session.address.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
    let depth = match asked.depth {
        None | Some(0) => "whole books".to_owned(),
        Some(depth) => format!("{depth} levels a side"),
    };
    writeln!(text, "market data {us} to {them}{at}: {depth} by {}", asked.book)?;
    let (every, within) = (asked.request_every_ms, asked.answer_within_ms);
    writeln!(text, "requests    one in {every}, each answered within {within}")
}

fn describe_profile(text: &mut String, venue: &ProfileConfig) -> std::fmt::Result {
    let ProfileConfig { profile, session, orders, rates, .. } = venue;
    let address = session.address.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
    writeln!(text, "venue       {} ({}){address}", profile.name, profile.environment)?;
    describe_session(text, venue)?;
    let replaces = if orders.replace { "replaced" } else { "canceled and sent anew" };
    let (ids, open) = (orders.order_ids, orders.open_orders);
    let scopes = [orders.mass_cancel_all.0, orders.mass_cancel_one.0];
    let together = session.version != FixVersion::Fix42 && scopes.iter().any(Option::is_some);
    let canceled = if together { "canceled together" } else { "canceled one by one" };
    writeln!(text, "orders      ids {ids}, {replaces}, {canceled}, open ones by {open}")?;
    for rate in rates {
        let (count, window, name) = (rate.count, rate.window_ms, &rate.name);
        let (kind, counts, scope) = (rate.window, rate.counts, rate.scope);
        let free = counts == RateCounts::NewOrders;
        let kept = if free { 0 } else { rate.cancel_reserve_percent };
        writeln!(
            text,
            "limit       {name}: {count} of {counts} in {window}, {kind}, for each {scope}; {}, {kept} % for \
             cancels",
            rate.action
        )?;
    }
    Ok(())
}

/// Session, hours and Logon of a venue.
fn describe_session(text: &mut String, venue: &ProfileConfig) -> std::fmt::Result {
    let (session, logon) = (&venue.session, &venue.logon);
    let signed =
        logon.scheme.map_or_else(|| "unsigned".to_owned(), |scheme| format!("signed by {scheme}"));
    let cancels = match &session.cancel_on_disconnect {
        CancelOnDisconnect::None => "orders stay after a disconnect".to_owned(),
        CancelOnDisconnect::Always => "orders are canceled on disconnect".to_owned(),
        CancelOnDisconnect::Asked(field) => format!("cancel on disconnect asked for by {field}"),
    };
    let reset = session.reset_at_logon;
    writeln!(text, "session     {}, reset at logon {reset}, {signed}; {cancels}", session.version)?;
    let days = match session.reset_each_day {
        true => ", numbers begin anew with each session day",
        false => "",
    };
    writeln!(text, "hours       {}{days}", session.hours.0)?;
    if logon.fields.is_empty() {
        return Ok(());
    }
    let secret_tags = gateway::fix::secret_tags(&venue.secret_tags());
    let tags = logon.fields.iter().map(|field| field.field.tag);
    let secret = tags.filter(|tag| secret_tags.contains(tag)).map(|tag| tag.to_string());
    let secret = secret.collect::<Vec<_>>().join(", ");
    let secret = if secret.is_empty() { "none" } else { &secret };
    let fields: Vec<_> = logon.fields.iter().map(|field| field.field.to_string()).collect();
    writeln!(text, "logon       {}; secret {secret}", fields.join(", "))
}

fn describe_exchange(text: &mut String, exchange: &ExchangeConfig) -> std::fmt::Result {
    let data = &exchange.market_data;
    let line_b = data.line_b.map(|b| format!(" and {b}")).unwrap_or_default();
    let flow = match (&exchange.flow.kind, &exchange.flow.file) {
        (FlowKind::Replay, Some(file)) => format!("replay of {}", file.display()),
        _ => format!("synthetic {}, seed {}", exchange.synthetic.parameters, exchange.flow.seed),
    };
    let place = exchange.exchange.data_dir.display();
    writeln!(text, "exchange    {}, state in {place}", exchange.exchange.name)?;
    let places = [("snapshots", data.glimpse), ("SoupBinTCP", data.soupbintcp)];
    let more = places.map(|(name, at)| at.map(|at| format!(", {name} at {at}")));
    let more = more.into_iter().flatten().collect::<String>();
    writeln!(
        text,
        "market data {}{line_b}, retransmission at {}{more}",
        data.line_a, data.retransmit
    )?;
    let accounts = exchange.fix.accounts.join(", ");
    writeln!(text, "orders      {} for {accounts}", exchange.fix.listen)?;
    writeln!(text, "flow        {flow}")?;
    describe_instruments(text, &exchange.instruments)
}

fn describe_backtest(text: &mut String, backtest: &BacktestConfig) -> std::fmt::Result {
    let section = &backtest.backtest;
    let data = crate::modes::backtest::names(backtest.recordings());
    writeln!(text, "backtest    on {data}, seed {}, {} clock", section.seed, section.clock)?;
    let (feed, order) = (section.feed_latency_us, section.order_latency_us);
    writeln!(text, "latency     feed {feed}, orders {order}")?;
    writeln!(text, "journal     {}", backtest.journal.dir.display())?;
    describe_trading(text, &backtest.trading)
}

fn describe_trading(text: &mut String, trading: &TradingConfig) -> std::fmt::Result {
    for strategy in &trading.strategies {
        let values = strategy.parameters.iter().map(|(spec, v)| format!("{} = {v}", spec.key));
        let values: Vec<_> = values.collect();
        writeln!(text, "strategy    {}: {}", strategy.name, values.join(", "))?;
    }
    let session = &trading.session;
    let (rate, burst) = (session.messages_per_second, session.messages_burst);
    writeln!(text, "rate        {rate} messages a second, {burst} at once")?;
    let columns = ("instrument", "strategy", "max order", "max value", "max position", "collar");
    row(text, columns.0, columns.1, [columns.2, columns.3, columns.4, columns.5])?;
    for (listed, limits) in trading.instruments.iter().zip(&trading.limits) {
        let i = &listed.instrument;
        let quoting = trading.strategies.iter().find(|s| s.instruments.contains(&i.id));
        let quantities = [limits.order_qty, limits.position].map(|q| q.to_decimal(i.qty_digits));
        let cells = [
            quantities[0].to_string(),
            format!("{} {}", limits.order_value, i.settlement()),
            quantities[1].to_string(),
            format!("{} bps", limits.collar_bps),
        ];
        let strategy = quoting.map_or("none", |strategy| strategy.name.as_str());
        row(text, &i.symbol, strategy, cells.each_ref().map(String::as_str))?;
    }
    Ok(())
}

fn row(text: &mut String, first: &str, second: &str, cells: [&str; 4]) -> std::fmt::Result {
    let [a, b, c, d] = cells;
    writeln!(text, "{first:<11} {second:<19} {a:>12} {b:>18} {c:>14} {d:>10}")
}

fn describe_instruments(text: &mut String, listed: &[Listed]) -> std::fmt::Result {
    for Listed { instrument: i, .. } in listed {
        let lot = i.lot.to_decimal(i.qty_digits);
        writeln!(text, "instrument  {}: tick {}, lot {lot}, in {}", i.symbol, i.tick, i.quote)?;
    }
    Ok(())
}
