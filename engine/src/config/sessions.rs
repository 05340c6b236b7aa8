//! The sessions of a run with its venue, and what each is held against before one connects: what money
//! is at the other end, and whether the venue takes how it logs on.
//!
//! It resolves no name and reads no credentials. What production is, is told by hosts too: a word in a
//! file is soon copied, and an address is where orders go.

use super::choice::{Environment, Protocol};
use super::document::Document;
use super::drop_copy::DropCopyConfig;
use super::fix_choices::ResetRule;
use super::problem::{Problem, Problems};
use super::profile::ProfileConfig;
use super::sections::{EngineConfig, FeedConfig, GatewayConfig};
use super::special::Endpoint;
use super::subscription::MarketDataSession;
use std::net::IpAddr;

/// Domains of the venues that there are profiles of: their hosts are of production,
const PRODUCTION: [&str; 4] = ["binance.com", "coinbase.com", "deribit.com", "kraken.com"];
/// unless a word of the host's name says otherwise.
const TRIAL: [&str; 6] = ["test", "testnet", "sandbox", "uat", "demo", "cert"];
/// Domains of hosts that no one else can reach by name.
const NEAR: [&str; 4] = ["local", "internal", "lan", "localhost"];

/// One session, with what its own section gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VenueSession<'a> {
    pub(crate) section: &'static str,
    pub(crate) address: &'a Endpoint,
    sender: Option<&'a str>,
    target: Option<&'a str>,
    heartbeat_s: Option<u32>,
}

/// Those of a run, that of orders first.
pub(crate) fn of<'a>(
    gateway: &'a GatewayConfig,
    drop_copy: Option<&'a DropCopyConfig>,
    feed: Option<&FeedConfig>,
    market_data: Option<&'a MarketDataSession>,
) -> Vec<VenueSession<'a>> {
    let orders = VenueSession {
        section: "gateway",
        address: &gateway.address,
        sender: Some(&gateway.sender_comp_id),
        target: Some(&gateway.target_comp_id),
        heartbeat_s: Some(gateway.heartbeat_s),
    };
    let drop_copy = drop_copy.and_then(|own| {
        Some(VenueSession {
            section: "drop_copy",
            address: own.address.as_ref()?,
            sender: own.sender_comp_id.as_deref(),
            target: own.target_comp_id.as_deref(),
            heartbeat_s: own.heartbeat_s,
        })
    });
    let by_fix = feed.is_some_and(|feed| feed.protocol == Protocol::Fix);
    let market_data = market_data.filter(|_| by_fix).and_then(|own| {
        Some(VenueSession {
            section: "market_data_session",
            address: own.address.as_ref()?,
            sender: own.sender_comp_id.as_deref(),
            target: own.target_comp_id.as_deref(),
            heartbeat_s: own.heartbeat_s,
        })
    });
    [Some(orders), drop_copy, market_data].into_iter().flatten().collect()
}

/// What is ours must be what the venue takes.
pub(crate) fn check_venue(
    document: &Document<'_>,
    gateway: &GatewayConfig,
    venue: &ProfileConfig,
    problems: &mut Problems,
) {
    if let Some(orders) = of(gateway, None, None, None).first() {
        check_logon(document, orders, venue, problems);
    }
    let mut refuse = |key: &str, title: &str, help: &str| {
        let place = document.place("gateway", key);
        problems.push(Problem::new(place, format!("[gateway] {key} {title}"), "here").help(help));
    };
    if gateway.reset_on_logon && venue.session.reset_at_logon == ResetRule::Refused {
        refuse("reset_on_logon", "is refused by the venue", "leave it false");
    }
    if venue.wants_credentials() && gateway.credentials.is_none() {
        let help = "name the file that holds them: credentials = \"venue.credentials\"";
        refuse("credentials", "is missing: the venue's Logon holds secrets", help);
    }
}

/// What a session's own section gives of its Logon, where the venue has a say in it.
fn check_logon(
    document: &Document<'_>,
    own: &VenueSession<'_>,
    venue: &ProfileConfig,
    problems: &mut Problems,
) {
    let (section, session) = (own.section, &venue.session);
    let mut refuse = |key: &str, title: String, help: String| {
        let place = document.place(section, key);
        problems.push(Problem::new(place, format!("[{section}] {key} {title}"), "here").help(help));
    };
    let (min, max) = (session.heartbeat_min_s, session.heartbeat_max_s);
    if let Some(heartbeat) = own.heartbeat_s.filter(|own| !(min..=max).contains(own)) {
        let title = format!("is {heartbeat}, which the venue does not take");
        refuse("heartbeat_s", title, format!("give {min} to {max}"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let taken = |sender: &&str| {
        sender.len() <= session.sender_comp_id_max
            && (!session.sender_comp_id_plain || sender.chars().all(plain))
    };
    if own.sender.is_some_and(|sender| !taken(&sender)) {
        let of =
            if session.sender_comp_id_plain { "letters, digits, - and _" } else { "characters" };
        let help = format!("give 1 to {} {of}", session.sender_comp_id_max);
        refuse("sender_comp_id", "is not one that the venue takes".to_owned(), help);
    }
}

/// The sessions beside the first, which is that of orders, and all of them beside each other.
pub(crate) fn check_others(
    document: &Document<'_>,
    sessions: &[VenueSession<'_>],
    venue: &ProfileConfig,
    problems: &mut Problems,
) {
    let Some((orders, others)) = sessions.split_first() else { return };
    let sender = |session: &VenueSession<'_>| session.sender.or(orders.sender).map(str::to_owned);
    for (before, own) in others.iter().enumerate() {
        check_logon(document, own, venue, problems);
        let us = sender(own);
        let target = own.target.or(orders.target);
        if (own.sender.is_some() || own.target.is_some()) && us.as_deref() == target {
            same_sides(document, own.section, target.unwrap_or_default(), problems);
        }
        let mut earlier = sessions[..=before].iter();
        let twin = earlier.find(|other| venue.session.sender_comp_id_once && sender(other) == us);
        if let Some(twin) = twin {
            let place = document.place(own.section, "sender_comp_id");
            let title =
                format!("[{}] sender_comp_id is that of [{}] too", own.section, twin.section);
            let label = format!("{} logs on once at this venue", us.unwrap_or_default());
            let help = "give this session a sender_comp_id of its own";
            problems.push(Problem::new(place, title, label).help(help));
        }
    }
}

/// Both CompIDs of a session are one.
pub(crate) fn same_sides(
    document: &Document<'_>,
    section: &str,
    target: &str,
    problems: &mut Problems,
) {
    let place = document.place(section, "target_comp_id");
    let title = format!("[{section}] sender_comp_id and target_comp_id are the same");
    let label = format!("both are {target}");
    problems.push(Problem::new(place, title, label).help("one is ours, one is the venue's"));
}

/// The user must know what money is behind the orders: the profile's word is the run's.
pub(crate) fn check_environment(
    document: &Document<'_>,
    engine: &EngineConfig,
    venue: &ProfileConfig,
    problems: &mut Problems,
) {
    let (ours, theirs) = (engine.environment, venue.profile.environment);
    if ours != theirs {
        let place = document.place("engine", "environment");
        let title =
            format!("[engine] environment is {ours}, and the venue's profile is of {theirs}");
        let help = format!("write environment = \"{theirs}\" if that is what you mean");
        problems.push(Problem::new(place, title, format!("{ours} here")).help(help));
    }
}

/// A host that is known to be of production is refused to anything else, and a far host to who does not
/// say what it is. Market data alone may come from production: no order goes there.
pub(crate) fn check_hosts(
    document: &Document<'_>,
    engine: &EngineConfig,
    sessions: &[VenueSession<'_>],
    problems: &mut Problems,
) {
    let mut with_orders = sessions.iter().filter(|own| own.section != "market_data_session");
    if engine.environment == Environment::Production {
        return;
    }
    if let Some(own) = with_orders.clone().find(|own| is_of_production(own.address)) {
        let (section, ours) = (own.section, engine.environment);
        let place = document.place(section, "address");
        let title = format!(
            "[{section}] address {} is of production, and [engine] environment is {ours}",
            own.address
        );
        let help = "give the address of the test environment; for real money, the venue's \
                    production profile and environment = \"production\"";
        problems.push(Problem::new(place, title, "real money").help(help));
        return;
    }
    if let Some(own) = with_orders.find(|own| !is_near(own.address))
        && !document.gives("engine", "environment")
    {
        let place = document.place(own.section, "address");
        let title = format!("[engine] environment is missing, and {} is far", own.address);
        let help = "write environment = \"production\" if real money is there, else \"test\"";
        problems.push(Problem::new(place, title, "no host of our own").help(help));
    }
}

/// The host's name without what does not tell it apart.
fn name(address: &Endpoint) -> String {
    address.host.trim_end_matches('.').to_ascii_lowercase()
}

fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_of_production(address: &Endpoint) -> bool {
    let name = name(address);
    let mut words = name.split(['.', '-']);
    PRODUCTION.iter().any(|domain| is_below(&name, domain))
        && !words.any(|word| TRIAL.contains(&word))
}

/// True for this host and those of a network of our own.
fn is_near(address: &Endpoint) -> bool {
    match address.to_socket_addr().map(|address| address.ip()) {
        Some(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
        None => {
            let name = name(address);
            !name.contains('.') || NEAR.iter().any(|domain| is_below(&name, domain))
        }
    }
}
