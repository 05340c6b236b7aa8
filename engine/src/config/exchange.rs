//! The configuration of a demo exchange: `touchline exchange`.

use super::choice::{FlowKind, Kind};
use super::document::{self, Document, Files};
use super::fix_choices::FixApplication;
use super::instruments::{self, Listed, Listing};
use super::key::{Section, Table};
use super::load::{Changes, Config, Reading};
use super::ports::{self, Port, Transport};
use super::problem::{ConfigErrors, Problem, Problems};
use super::reader::Reader;
use super::resolved::Resolved;
use super::special::Speed;
use super::venue::{FixConfig, FlowConfig, MarketDataConfig, SyntheticConfig, VenueConfig};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Everything a demo exchange is started with.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeConfig {
    /// Name and place.
    pub exchange: VenueConfig,
    /// Market data out.
    pub market_data: MarketDataConfig,
    /// Orders in.
    pub fix: FixConfig,
    /// Where the other orders come from.
    pub flow: FlowConfig,
    /// How the synthetic ones are made.
    pub synthetic: SyntheticConfig,
    /// What is traded.
    pub instruments: Vec<Listed>,
}

/// What the command line of `touchline exchange` changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExchangeChanges {
    /// Replay this recording.
    pub replay: Option<PathBuf>,
    /// At this speed.
    pub speed: Option<Speed>,
    /// One packet at a time.
    pub lockstep: bool,
    /// With this seed.
    pub seed: Option<u64>,
}

impl ExchangeConfig {
    /// Reads and judges the file at `path`, with the changes of the command line, for a machine
    /// with these CPUs.
    ///
    /// # Errors
    /// Everything that is wrong, rendered by [`ConfigErrors::render`].
    pub fn load(
        path: &Path,
        changes: &ExchangeChanges,
        cpus: &BTreeSet<usize>,
    ) -> Result<ExchangeConfig, ConfigErrors> {
        Self::read(path, &document::from_disk, changes, Some(cpus))
    }

    pub(crate) fn read(
        path: &Path,
        files: Files<'_>,
        changes: &ExchangeChanges,
        cpus: Option<&BTreeSet<usize>>,
    ) -> Result<ExchangeConfig, ConfigErrors> {
        let changes = &Changes { exchange: changes.clone(), ..Changes::default() };
        match (Reading { files, cpus, want: Some(Kind::Exchange), changes }).file(path)? {
            Config::Exchange(config) => Ok(*config),
            _ => Err(Problems::default().into_errors()),
        }
    }

    /// Somebody may ask for market data by FIX.
    #[must_use]
    pub fn has_listeners(&self) -> bool {
        !self.fix.market_data.is_empty()
    }

    /// The whole as canonical text, instruments inlined.
    #[must_use]
    pub fn resolved(&self) -> String {
        let mut text = Resolved::new(Kind::Exchange);
        text.section(&self.exchange);
        text.section(&self.market_data);
        text.section(&self.fix);
        text.section(&self.flow);
        text.keys(&self.synthetic);
        for listed in &self.instruments {
            text.section(&listed.to_section());
        }
        text.finish()
    }
}

/// The sections of the file.
pub(crate) fn tables() -> Vec<Table> {
    let own = [
        VenueConfig::TABLE,
        MarketDataConfig::TABLE,
        FixConfig::TABLE,
        FlowConfig::TABLE,
        SyntheticConfig::TABLE,
    ];
    own.into_iter().chain(instruments::TABLES.iter().copied()).collect()
}

/// Reads every section before it gives up on any.
pub(crate) fn read(
    document: &Document<'_>,
    listing: Listing,
    cpus: Option<&BTreeSet<usize>>,
    changes: &ExchangeChanges,
    problems: &mut Problems,
) -> Option<ExchangeConfig> {
    instruments::check_itch(&listing, problems);
    let exchange: Option<VenueConfig> = document.section(problems);
    let market_data: Option<MarketDataConfig> = document.section(problems);
    let fix: Option<FixConfig> = document.section(problems);
    let (flow, synthetic) = read_flow(document, changes, problems);
    if let (Some(exchange), Some(cpus)) = (&exchange, cpus) {
        let key = ("exchange", "core");
        super::cores::check_cpu(document, key, exchange.core, true, cpus, problems);
    }
    if let Some(fix) = &fix {
        check_accounts(document, fix, problems);
    }
    if let (Some(fix), Some(flow)) = (&fix, &flow)
        && fix.application == FixApplication::Echo
        && flow.lockstep
    {
        let place = document.place("fix", "application");
        let title = "[fix] application: an echo has no market to step".to_owned();
        let help = "use \"matching\", or leave lockstep out";
        problems.push(Problem::new(place, title, "this application").help(help));
    }
    if let (Some(fix), Some(flow)) = (&fix, &flow)
        && !fix.market_data.is_empty()
        && flow.kind == FlowKind::Replay
    {
        let place = document.place("fix", "market_data");
        let title = "[fix] market_data: a recorded day is published as it stands, in ITCH alone";
        let help = "leave it out, or use kind = \"synthetic\"";
        problems.push(Problem::new(place, title.to_owned(), "this list").help(help));
    }
    let mut used = Vec::new();
    if let Some(data) = &market_data {
        used.push(Port::new("market_data", "line_a", Transport::Udp, data.line_a.into()));
        let line_b = data.line_b.map(Into::into);
        used.extend(line_b.map(|b| Port::new("market_data", "line_b", Transport::Udp, b)));
        used.push(Port::new("market_data", "retransmit", Transport::Udp, data.retransmit));
        for (key, address) in [("soupbintcp", data.soupbintcp), ("glimpse", data.glimpse)] {
            used.extend(address.map(|at| Port::new("market_data", key, Transport::Tcp, at)));
        }
    }
    let listen = fix.as_ref().map(|fix| fix.listen);
    used.extend(listen.map(|at| Port::new("fix", "listen", Transport::Tcp, at)));
    ports::check(document, &used, problems);
    let whole = !listing.incomplete;
    whole.then_some(ExchangeConfig {
        exchange: exchange?,
        market_data: market_data?,
        fix: fix?,
        flow: flow?,
        synthetic: synthetic?,
        instruments: listing.listed,
    })
}

/// The two halves of `[flow]`, with what the command line says.
fn read_flow(
    document: &Document<'_>,
    changes: &ExchangeChanges,
    problems: &mut Problems,
) -> (Option<FlowConfig>, Option<SyntheticConfig>) {
    let (span, table) = document.table("flow", problems);
    let title = "[flow]".to_owned();
    let mut reader = Reader::new(title, document.source, span, table, problems);
    let flow: Option<FlowConfig> = reader.section();
    let synthetic: Option<SyntheticConfig> = reader.section();
    let flow = flow.map(|mut flow| {
        if let Some(file) = &changes.replay {
            flow.kind = FlowKind::Replay;
            flow.file = Some(file.clone());
        }
        flow.speed = changes.speed.unwrap_or(flow.speed);
        flow.seed = changes.seed.unwrap_or(flow.seed);
        flow.lockstep |= changes.lockstep;
        flow
    });
    if let Some(flow) = &flow {
        let replays = flow.kind == FlowKind::Replay;
        if replays && flow.file.is_none() {
            reader.refuse("file", "is missing", "name the recording, or use `--replay FILE`");
        }
        let only = "works with kind = \"replay\" only";
        let help = "name a recording with `--replay FILE`, or remove it";
        let idle = [
            ("file", flow.file.is_some()),
            ("lockstep", flow.lockstep),
            ("speed", flow.speed != Speed::Times(1.0)),
        ];
        for (key, _) in idle.iter().filter(|(_, given)| *given && !replays) {
            reader.refuse(key, only, help);
        }
    }
    if let Some(synthetic) = &synthetic {
        check_synthetic(synthetic, &mut reader);
    }
    reader.finish(&[FlowConfig::TABLE, SyntheticConfig::TABLE]);
    (flow, synthetic)
}

/// Refuses a set of parameters that there is not.
pub(crate) fn check_synthetic(synthetic: &SyntheticConfig, reader: &mut Reader<'_, '_>) {
    let names = sim::FlowParameters::NAMES;
    if !names.contains(&synthetic.parameters.as_str()) {
        let help = match super::suggest::nearest(&synthetic.parameters, &names) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("the sets are {}", names.join(", ")),
        };
        reader.refuse("parameters", "names no set of flow parameters", help);
    }
}

fn check_accounts(document: &Document<'_>, fix: &FixConfig, problems: &mut Problems) {
    let mut refuse = |title: String, help: &str| {
        let place = document.place("fix", "accounts");
        problems.push(Problem::new(place, title, "this list").help(help));
    };
    if let Some(name) = fix.accounts.iter().find(|name| fix.market_data.contains(name)) {
        let title = format!("[fix] accounts has {name}, which market_data has too");
        refuse(title, "a session trades or listens: give it two names");
    }
    if fix.accounts.is_empty() && !fix.any_account {
        let help = "name a SenderCompID, or set any_account";
        refuse("[fix] accounts is empty: nobody could log on".to_owned(), help);
    }
    if fix.accounts.contains(&fix.comp_id) {
        let title = format!("[fix] accounts has the exchange's own comp_id {}", fix.comp_id);
        refuse(title, "give the two sides of the session different names");
    }
    let mut seen = BTreeSet::new();
    for account in fix.accounts.iter().filter(|account| !seen.insert(*account)) {
        refuse(format!("[fix] accounts has {account} twice"), "remove one of the two");
    }
}
