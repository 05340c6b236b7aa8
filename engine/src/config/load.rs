//! From a file to a validated configuration: which kind it is, which sections it may have, and the
//! instruments it names.
//!
//! What comes out is right or an error: nothing after this point checks a configuration again.

use super::backtest::{self, BacktestChanges, BacktestConfig};
use super::choice::Kind;
use super::document::{Document, Files, read_text};
use super::exchange::{self, ExchangeChanges, ExchangeConfig};
use super::instruments::{self, Listed, Listing};
use super::key::{Section, Table};
use super::problem::{ConfigErrors, Problem, Problems};
use super::profile::{self, ProfileConfig};
use super::run::{self, RunConfig};
use super::sections::TopConfig;
use super::transport::TransportConfig;
use super::websocket::{self, WebsocketConfig, WebsocketFeedConfig};
use std::collections::BTreeSet;
use std::path::Path;

/// A validated configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Config {
    /// Of an engine.
    Run(Box<RunConfig>),
    /// Of a demo exchange.
    Exchange(Box<ExchangeConfig>),
    /// Of a backtest.
    Backtest(Box<BacktestConfig>),
    /// A list of instruments.
    Instruments(Vec<Listed>),
    /// How a venue speaks FIX, how to connect to it, and how its market data comes by websocket.
    Venue(Box<(ProfileConfig, TransportConfig, WebsocketFeedConfig)>),
}

/// What the command line changes before the whole is judged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) exchange: ExchangeChanges,
    pub(crate) backtest: BacktestChanges,
}

/// Where a configuration is read and for which machine.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'f> {
    /// Where files come from.
    pub(crate) files: Files<'f>,
    /// CPUs this process may use; `None` when it will not run here.
    pub(crate) cpus: Option<&'f BTreeSet<usize>>,
    /// The only kind that will do.
    pub(crate) want: Option<Kind>,
    /// What the command line says.
    pub(crate) changes: &'f Changes,
}

impl Reading<'_> {
    /// Reads the file at `path`.
    pub(crate) fn file(self, path: &Path) -> Result<Config, ConfigErrors> {
        let mut problems = Problems::default();
        let folder = path.parent().unwrap_or(Path::new(""));
        let read = read_text(path, self.files, None, &mut problems);
        let config = read.and_then(|(source, text)| {
            let document = Document::parse(source, &text, &mut problems)?;
            self.document(&document, folder, &mut problems)
        });
        finish(config, problems)
    }

    fn document(
        self,
        document: &Document<'_>,
        folder: &Path,
        problems: &mut Problems,
    ) -> Option<Config> {
        let top = read_top(document, problems)?;
        let want = self.want.unwrap_or(top.kind);
        if want != top.kind {
            let title = format!("this file is of kind {}, not {want}", top.kind);
            let help = match top.kind {
                Kind::Instruments => "name it in the `instruments` of a configuration".to_owned(),
                Kind::Venue => "name it in the `venue` of a run's configuration".to_owned(),
                kind => format!("start it with `touchline {kind}`"),
            };
            let place = document.place("kind", "");
            problems.push(Problem::new(place, title, "here").help(help));
            return None;
        }
        document.refuse_others(&tables(top.kind), &elsewhere, problems);
        for (key, named) in [("venue", &top.venue), ("feed_venue", &top.feed_venue)] {
            if named.is_some() && top.kind != Kind::Run {
                let title = format!("a file of kind {} has no {key}", top.kind);
                let help = "only a run names a venue's profile";
                let place = document.place(key, "");
                problems.push(Problem::new(place, title, "remove it").help(help));
            }
        }
        if top.kind == Kind::Venue {
            let transport = document.section(problems);
            let websocket = WebsocketFeedConfig::read(document, document, problems);
            let profile = profile::read(document, problems);
            return Some(Config::Venue(Box::new((profile?, transport?, websocket?))));
        }
        let mut listing = match top.kind {
            Kind::Instruments => {
                let mut listing = Listing::default();
                instruments::read_tables(document, &mut listing, problems);
                instruments::refuse_none(document, &mut listing, problems);
                return (!listing.incomplete).then_some(Config::Instruments(listing.listed));
            }
            _ => Listing::default(),
        };
        let other = &self.changes.backtest.instruments;
        match other.as_ref().filter(|_| top.kind == Kind::Backtest) {
            // A path of the command line is relative to where the command was typed.
            Some(path) => {
                let paths = std::slice::from_ref(path);
                let here = Path::new("");
                instruments::read_files(document, here, paths, self.files, &mut listing, problems);
            }
            None => {
                let paths = &top.instruments;
                let files = self.files;
                instruments::read_files(document, folder, paths, files, &mut listing, problems);
                instruments::read_tables(document, &mut listing, problems);
            }
        }
        instruments::refuse_none(document, &mut listing, problems);
        match top.kind {
            Kind::Run => {
                let (files, venue) = (self.files, &top.venue);
                let venue = venue
                    .as_ref()
                    .map(|path| profile::text(document, &folder.join(path), files, problems));
                // Named twice, it is one venue.
                let other =
                    top.feed_venue.as_ref().filter(|&feed| top.venue.as_ref() != Some(feed));
                let feed = other.map(|path| {
                    let blame = Some(document.place("feed_venue", ""));
                    read_text(&folder.join(path), files, blame, problems)
                });
                let (mut texts, mut named) = ([None, None], [None, None]);
                for (place, text) in texts.iter_mut().zip([venue, feed]) {
                    *place = text.map_or(Some(None), |text| text.map(Some))?;
                }
                for (place, text) in named.iter_mut().zip(&texts) {
                    let Some((source, text)) = text else { continue };
                    let profile = Document::parse(*source, text, problems)?;
                    if !expect(Kind::Venue, &profile, problems) {
                        return None;
                    }
                    *place = Some(profile);
                }
                let [venue, feed] = named.each_ref().map(Option::as_ref);
                let run = run::read(document, (venue, feed), listing, self.cpus, problems)?;
                Some(Config::Run(Box::new(run)))
            }
            Kind::Exchange => {
                let changes = &self.changes.exchange;
                let exchange = exchange::read(document, listing, self.cpus, changes, problems)?;
                Some(Config::Exchange(Box::new(exchange)))
            }
            Kind::Backtest => {
                let changes = &self.changes.backtest;
                let backtest = backtest::read(document, listing, changes, problems)?;
                Some(Config::Backtest(Box::new(backtest)))
            }
            Kind::Instruments | Kind::Venue => None,
        }
    }
}

fn finish(config: Option<Config>, problems: Problems) -> Result<Config, ConfigErrors> {
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(problems.into_errors()),
    }
}

/// The keys above the first section.
fn read_top(document: &Document<'_>, problems: &mut Problems) -> Option<TopConfig> {
    let mut reader = document.top(problems);
    for name in document.section_names() {
        reader.allow(name);
    }
    let top = reader.section();
    reader.finish(&[TopConfig::TABLE]);
    top
}

/// True for a file of this kind, which another names; refuses what is something else.
pub(crate) fn expect(kind: Kind, document: &Document<'_>, problems: &mut Problems) -> bool {
    let Some(top) = read_top(document, problems) else { return false };
    if top.kind == kind {
        document.refuse_others(&tables(top.kind), &elsewhere, problems);
    } else {
        let title = format!("this file is of kind {}, not {kind}", top.kind);
        let place = document.place("kind", "");
        let help = format!("`{kind}` names files of kind = \"{kind}\"");
        problems.push(Problem::new(place, title, "here").help(help));
    }
    top.kind == kind
}

/// The sections of a kind of file, in the order of the documentation.
pub(crate) fn tables(kind: Kind) -> Vec<Table> {
    match kind {
        Kind::Run => run::tables(),
        Kind::Exchange => exchange::tables(),
        Kind::Backtest => backtest::tables(),
        Kind::Instruments => instruments::TABLES.to_vec(),
        Kind::Venue => {
            let others =
                [TransportConfig::TABLE, WebsocketConfig::TABLE, websocket::TRANSPORT_TABLE];
            [profile::TABLES, &others].concat()
        }
    }
}

/// The kind of file that has a section of this name.
pub(crate) fn elsewhere(name: &str) -> Option<&'static str> {
    let has = |kind: &Kind| tables(*kind).iter().any(|table| table.name == name);
    Kind::ALL.iter().find(|kind| has(kind)).map(|kind| kind.word())
}

/// The section other than `here` that has a key of this name, as a header.
pub(crate) fn home_of(key: &str, here: &str) -> Option<String> {
    let has =
        |table: &Table| table.header() != here && table.keys.iter().any(|other| other.name == key);
    if has(&TopConfig::TABLE) {
        return Some("the top of the file, above the first section".to_owned());
    }
    let mut tables = Kind::ALL.iter().flat_map(|kind| tables(*kind));
    tables.find(has).map(|table| table.header())
}
