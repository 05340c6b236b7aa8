//! One piece of work, so many times, for a program that counts instructions: `benches/count` runs it
//! at two lengths and takes the difference, so that whatever comes before cancels out.
//!
//! Only what runs within [`counted`] is to be counted. Nothing is measured here.

use anyhow::Context as _;
use benches::contest::{Books, Contestant, PACKET, Shape};
use benches::data::broad;
use benches::lab::{Through, glft};
use benches::wired::alone::{Alone, Tick};
use benches::wired::field::folders;
use benches::wired::trip::{Accepting, Gateways, Sizes};
use engine::journal::{self, Copier, JournalSettings};
use engine::pipeline::fix_store::{self, FixStore};
use engine::pipeline::tape::NoTape;
use engine::runtime::clock;
use std::hint::black_box;
use std::time::Duration;

/// A smaller broad shape: a simulator of a processor is slow, and counts the same.
const SMALL: broad::Shape = broad::Shape { instruments: 50, orders: 5_000, messages: 40_000 };

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let name = args.next().context("usage: work NAME COUNT")?;
    let count: usize = args.next().context("usage: work NAME COUNT")?.parse()?;
    match name.as_str() {
        "book" => messages(count, |shape| Books::new(shape, PACKET)),
        "loop" => messages(count, |shape| Through::new(shape, (10, glft()), NoTape)),
        "tick-order" => ticks(count, Tick::Order)?,
        "tick-quiet" => ticks(count, Tick::Quiet)?,
        "trip" => session(count, |gateways, acceptor| gateways.trip_with(acceptor, &mut counted))?,
        "idle" => session(count, |gateways, _| {
            counted(&mut || gateways.turn());
            Ok(())
        })?,
        _ => anyhow::bail!("no work is called {name}"),
    }
    Ok(())
}

/// What is counted: kept whole, so that the counter finds it by its name.
#[inline(never)]
fn counted(act: &mut dyn FnMut()) {
    act();
}

/// So many messages of the broad shape.
fn messages<C: Contestant>(count: usize, contestant: impl FnOnce(&Shape<'_>) -> C) {
    let (day, _) = broad::day(SMALL, 42);
    let days = [day];
    let shape = Shape::broad(&days);
    let mut contestant = contestant(&shape);
    days[0].opening.iter().for_each(|message| contestant.message(message));
    let block = days[0].messages.iter().split(count);
    counted(&mut || contestant.block(black_box(block.clone())));
}

/// So many ticks through the whole engine; what the answers lead to is not counted.
fn ticks(count: usize, tick: Tick) -> anyhow::Result<()> {
    let mut one = Alone::new()?;
    for _ in 0..count {
        one.tick(tick, &mut counted)?;
    }
    Ok(())
}

/// So much work of our gateway with our acceptor, whose session is up. Of an order there and back,
/// the spinning in between is not counted.
fn session(
    count: usize,
    mut work: impl FnMut(&mut Gateways, &mut Accepting) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (clock, _) = clock::calibrate();
    let (disk, hot) = folders()?;
    let mut settings = JournalSettings::new(disk.path(), "trip");
    settings.hot_dir = hot.path().to_owned();
    let opened = journal::create(&settings, clock.now())?;
    let _copier = Copier::spawn(vec![opened.drain], Duration::from_millis(10))?;
    let store = FixStore::new(opened.writer, fix_store::Numbers::default(), &[]);
    let mut acceptor = Accepting::new(1, clock.clone(), Sizes::default())?;
    let to = (acceptor.address()?, wire::Backend::Plain);
    let mut gateways = Gateways::new(vec![store], to, &clock)?;
    gateways.open_with(&mut acceptor)?;
    for _ in 0..count {
        work(&mut gateways, &mut acceptor)?;
    }
    Ok(())
}
