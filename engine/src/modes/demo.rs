//! The bare `touchline`: the embedded exchange and the engine against it, over real loopback
//! sockets on free ports, for a quarter of a minute.

use crate::cli::{DemoArgs, Exit};
use crate::config::special::Endpoint;
use crate::config::{ExchangeChanges, ExchangeConfig, RunConfig};
use crate::control::log;
use crate::modes::live::{Engine, Signals, say};
use crate::modes::run;
use crate::pipeline::exchange::running::{Exchange, Options};
use crate::runtime::{clock, cores};
use anyhow::Context as _;
use market::Nanos;
use rust_decimal::Decimal;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

/// Where the last demo's journal stands.
const FOLDER: &str = "touchline-data/demo";

/// Runs the demo and prints its report.
///
/// # Errors
/// A failure at run time.
pub fn main(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let cpus = cores::allowed();
    let folder = Path::new(FOLDER);
    clear(folder).with_context(|| format!("cannot clear {FOLDER} of the last demo"))?;
    let changes = ExchangeChanges { seed: Some(args.seed), ..ExchangeChanges::default() };
    let mut venue = ExchangeConfig::demo(&changes, &cpus)?;
    let mut config = RunConfig::demo(&cpus)?;
    // Four times the arrivals of the set: something happens within a quarter of a minute.
    venue.synthetic.rate = Decimal::from(4);
    venue.exchange.data_dir = folder.join("exchange");
    config.engine.data_dir = folder.join("engine");
    free_ports(&mut venue);
    let _log = log::start(&config.log)?;
    let signals = Signals::install()?;
    let (clock, calibrator) = clock::calibrate();
    let seconds = args.seconds;
    say(format_args!("touchline demo: an exchange and the engine against it, {seconds} s"));
    let exchange = Exchange::start(&venue, Options { fresh: true }, clock.clone())?;
    exchange.notices.iter().for_each(|notice| say(format_args!("note: {notice}")));
    let addresses = &exchange.addresses;
    config.feed.line_a = Some(addresses.line_a);
    config.feed.line_b = addresses.line_b;
    config.feed.retransmit = Some(addresses.retransmit.into());
    config.feed.glimpse = addresses.glimpse.map(Endpoint::from);
    config.gateway.address =
        Endpoint { host: addresses.fix.ip().to_string(), port: addresses.fix.port() };

    let mut engine = Engine::start(&config, &clock, calibrator)?;
    let took = engine.run(&signals, Some(Nanos::from_secs(args.seconds)));
    let ended = engine.stop()?;
    exchange.stop();
    let venue = exchange.join()?;
    run::report(&config, took, ended)?;
    say(format_args!("{venue}"));
    Ok(Exit::Well.into())
}

/// Every port is the system's choice, so that a demo never meets another program.
fn free_ports(venue: &mut ExchangeConfig) {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    venue.fix.listen = any;
    venue.market_data.retransmit = any;
    venue.market_data.glimpse = Some(any);
    let data = &mut venue.market_data;
    for line in [Some(&mut data.line_a), data.line_b.as_mut()].into_iter().flatten() {
        line.set_port(0);
    }
}

/// Removes the files of the last demo and keeps the folders: what a killed run left in memory is
/// found by its folder.
fn clear(folder: &Path) -> std::io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            clear(&entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
