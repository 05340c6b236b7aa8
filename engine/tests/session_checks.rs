//! What each session of a run is held against before it starts, the order session and those beside it:
//! where it goes, whether it may go there in clear, and whether the venue takes how it logs on.

use engine::config::{Config, RunConfig, load};
use engine::pipeline::venue;
use gateway::rates::{Kind, Verdict};
use gateway::session::{MemoryStore, Session};
use market::{Nanos, Timestamp};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A run at a venue of `config/venues`, with more in `[gateway]` and more sections. The order session
/// is on loopback, as through a proxy that speaks TLS.
fn run(venue: &str, gateway: &str, sections: &str) -> (TempDir, Result<RunConfig, String>) {
    let profile = root().join("config/venues").join(format!("{venue}.toml"));
    let Ok(Config::Venue(read)) = load(&profile, &BTreeSet::new()) else { panic!("{venue}") };
    let session = &read.0.session;
    let target = session.target_comp_id.as_deref().unwrap_or("EXCHANGE");
    let environment = format!("environment = \"{}\"", read.0.profile.environment);
    let gateway = format!(
        "target_comp_id = \"{target}\"\nwithout_cancel_on_disconnect = \"accepted\"\n\
         credentials = \"orders.credentials\"\nheartbeat_s = {}\n{gateway}\n\n{sections}",
        session.heartbeat_s.unwrap_or(30)
    );
    file(|text| {
        text.replace("venues/demo.toml", &profile.to_string_lossy())
            .replace("environment = \"demo\"", &environment)
            .replace("\"TOUCHLINE\"", "\"KEY\"")
            .replace("target_comp_id = \"EXCHANGE\"", &gateway)
    })
}

/// `config/demo.toml`, changed.
fn file(change: impl Fn(String) -> String) -> (TempDir, Result<RunConfig, String>) {
    let folder = tempfile::tempdir().unwrap();
    let list = root().join("config/instruments/demo.toml");
    let demo = std::fs::read_to_string(root().join("config/demo.toml")).unwrap();
    let text = change(demo.replace("instruments/demo.toml", &list.to_string_lossy()));
    let path = folder.path().join("run.toml");
    std::fs::write(&path, text).unwrap();
    let config = RunConfig::load(&path, &BTreeSet::from([0, 1]));
    (folder, config.map_err(|errors| errors.to_string()))
}

/// The same with the order session elsewhere.
fn run_at(venue: &str, address: &str, sections: &str) -> Result<RunConfig, String> {
    let (folder, _) = run(venue, "", sections);
    let path = folder.path().join("run.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("127.0.0.1:9880", address)).unwrap();
    RunConfig::load(&path, &BTreeSet::from([0, 1])).map_err(|errors| errors.to_string())
}

#[track_caller]
fn refused(config: Result<RunConfig, String>, why: &str) {
    let error = config.expect_err(why);
    assert!(error.contains(why), "no `{why}` in {error}");
    assert!(error.contains("1 error"), "only that: {error}");
}

#[track_caller]
fn taken(config: Result<RunConfig, String>) -> RunConfig {
    config.unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn a_host_of_production_is_production_whatever_the_environment_says() {
    let why = "is of production";
    refused(run_at("binance-spot-testnet", "fix-oe.binance.com:9000", ""), why);
    refused(run_at("binance-spot-testnet", "FIX-OE.Binance.com:9001", ""), why);
    refused(run_at("coinbase-exchange-sandbox", "fix-ord.exchange.coinbase.com:6121", ""), why);
    refused(run_at("deribit-test", "fix.deribit.com:9883", ""), why);
    let copy = "[drop_copy]\naddress = \"fix-dc.binance.com:9000\"\nsender_comp_id = \"COPY\"";
    refused(run("binance-spot-testnet", "", copy).1, why);
    // Sections written inline, and no word of the environment.
    refused(at("fix-oe.binance.com:9000", "").1, why);
    refused(at("fix-oe.binance.com:9000", "environment = \"test\"").1, why);
    assert!(taken(at("fix-oe.binance.com:9000", "environment = \"production\"").1).is_production());
    // A venue that is none of ours: who goes there says what money it is.
    refused(at("fix.venue.example:9000", "").1, "[engine] environment is missing");
    refused(at("198.51.100.7:9000", "").1, "[engine] environment is missing");
    for address in ["fix.venue.example:9000", "198.51.100.7:9000"] {
        taken(at(address, "environment = \"test\"").1);
        taken(at(address, "environment = \"production\"").1);
    }
    // A host of our own needs no word.
    for address in ["127.0.0.1:9880", "localhost:9880", "10.1.2.3:9880", "[::1]:9880", "sim:9880"] {
        taken(at(address, "").1);
    }
}

/// The demo's run, its venue's sections written inline, at another host.
fn at(address: &str, environment: &str) -> (TempDir, Result<RunConfig, String>) {
    file(|text| {
        text.replace("venue = \"venues/demo.toml\"", "")
            .replace("environment = \"demo\"", environment)
            .replace("127.0.0.1:9880", address)
    })
}

#[test]
fn the_hosts_of_every_profile_are_known() {
    let mut seen = 0;
    for entry in std::fs::read_dir(root().join("config/venues")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(Config::Venue(read)) = load(&path, &BTreeSet::new()) else { panic!("{path:?}") };
        let (profile, production) = (&read.0, "production");
        for address in [&profile.session.address, &profile.subscription.address] {
            let Some(address) = address else { continue };
            let taken = at(&address.to_string(), "environment = \"test\"").1.is_ok();
            let real = profile.profile.environment.to_string() == production;
            assert_eq!(taken, !real, "{path:?}: {address}");
            seen += 1;
        }
    }
    assert!(seen >= 12, "{seen}");
}

#[test]
fn each_venue_is_of_its_own_environment() {
    for (venue, address) in [
        ("binance-spot-testnet", "fix-oe.testnet.binance.vision:9000"),
        ("binance-spot", "fix-oe.binance.com:9000"),
        ("coinbase-exchange-sandbox", "fix-ord.sandbox.exchange.coinbase.com:6121"),
        ("coinbase-exchange", "fix-ord.exchange.coinbase.com:6121"),
        ("deribit", "fix.deribit.com:9883"),
        ("deribit-test", "fix-test.deribit.com:9881"),
        ("kraken-uat", "colo-london.vip-fix.uat.kraken.com:4001"),
        // By a private line, or a simulator first.
        ("kraken-uat", "10.9.8.7:4001"),
        ("binance-spot-testnet", "127.0.0.1:9000"),
    ] {
        taken(run_at(venue, address, ""));
    }
    // A run that its journal holds is replayed, whatever is thought of it later.
    let config = taken(run_at("binance-spot-testnet", "127.0.0.1:9000", ""));
    let text = config.resolved().replace("127.0.0.1:9000", "fix-oe.binance.com:9000");
    RunConfig::from_resolved(&text).unwrap();
}

#[test]
fn no_session_goes_out_in_clear_where_the_profile_asks_for_tls() {
    let why = "tls is off, and the venue's profile asks for 1.2";
    let off = "[transport]\ntls = \"off\"";
    let copy = |address: &str| {
        format!("{off}\n\n[drop_copy]\naddress = \"{address}\"\nsender_comp_id = \"COPY\"")
    };
    // All through a proxy of our own.
    taken(run("binance-spot", "", off).1);
    taken(run("binance-spot", "", &copy("127.0.0.1:9001")).1);
    refused(run("binance-spot", "", &copy("fix-dc.binance.com:9000")).1, why);
    refused(run_at("binance-spot", "fix-oe.binance.com:9000", off), why);
    // The market data host that the profile itself names, where there is such a session.
    let by_fix = |address: &str| {
        let sections =
            format!("{off}\n\n[market_data_session]\nsender_comp_id = \"MD\"\n{address}");
        let (folder, _) = run("binance-spot", "", &sections);
        let path = folder.path().join("run.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, feed) = text.split_once("[feed]").unwrap();
        let (_, after) = feed.split_once("stale_ms").unwrap();
        let text = format!("{before}[feed]\nprotocol = \"fix\"\nstale_ms{after}");
        std::fs::write(&path, text).unwrap();
        RunConfig::load(&path, &BTreeSet::from([0, 1])).map_err(|errors| errors.to_string())
    };
    refused(by_fix(""), why);
    taken(by_fix("address = \"127.0.0.1:9002\""));
}

#[test]
fn sessions_beside_the_orders_log_on_as_the_venue_takes_it() {
    let copy = |keys: &str| {
        let section = format!("[drop_copy]\naddress = \"127.0.0.1:9001\"\n{keys}");
        run("binance-spot", "", &section).1
    };
    taken(copy("sender_comp_id = \"COPY\""));
    refused(copy("sender_comp_id = \"TOUCHLINE.DROPCOPY\""), "[drop_copy] sender_comp_id is not");
    refused(copy("sender_comp_id = \"TOUCHLINE-DC\""), "[drop_copy] sender_comp_id is not");
    let beat = copy("sender_comp_id = \"COPY\"\nheartbeat_s = 1000");
    refused(beat, "[drop_copy] heartbeat_s is 1000");
    let twice = "[drop_copy] sender_comp_id is that of [gateway] too";
    refused(copy(""), twice);
    refused(copy("sender_comp_id = \"KEY\""), twice);
    refused(
        copy("sender_comp_id = \"X\"\ntarget_comp_id = \"X\""),
        "[drop_copy] sender_comp_id and",
    );
    // Who has no drop copy has none that is wrong.
    taken(run("binance-spot", "", "[drop_copy]\nheartbeat_s = 1000").1);
    // Kraken takes one name at two ports.
    let same = "[drop_copy]\naddress = \"127.0.0.1:9001\"";
    taken(run("kraken-uat", "", same).1);
}

fn write(folder: &Path, name: &str, key: &str) {
    let path = folder.join(name);
    std::fs::write(&path, format!("key = \"{key}\"\nsecret = \"c2VjcmV0\"\npassphrase = \"P\"\n"))
        .unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// The Logon of the drop copy.
fn logon(config: &RunConfig) -> String {
    let store = MemoryStore::new(16, 1 << 12);
    let mut session = Session::new(venue::drop_copy_session(config), store).unwrap();
    let body = venue::drop_copy_logon(config).unwrap().unwrap();
    session.set_logon_body(Box::new(body));
    let mut out = Vec::new();
    session.connected(Timestamp::from_nanos(1_752_758_200_012_345_678), &mut out).unwrap();
    String::from_utf8_lossy(&out).replace('\x01', "|")
}

/// Coinbase: 49 is the API key, one connection for each; 8013 would cancel what the profile has open.
#[test]
fn a_drop_copy_logs_on_with_a_key_of_its_own_and_cancels_nothing() {
    let section = "[drop_copy]\naddress = \"127.0.0.1:9001\"\nsender_comp_id = \"COPY\"";
    let keys = tempfile::tempdir().unwrap();
    write(keys.path(), "orders.credentials", "KEY");
    write(keys.path(), "copy.credentials", "COPY");
    let file = keys.path().join("copy.credentials");
    let own = format!("{section}\ncredentials = \"{}\"", file.display());
    let asked = format!("{section}\nfields = [\"8013=S\"]");
    for (sections, key, cancels) in
        [(section, "KEY", None), (&own, "COPY", None), (&asked, "KEY", Some("8013=S"))]
    {
        let mut config = taken(run("coinbase-exchange-sandbox", "", sections).1);
        config.gateway.credentials = Some(keys.path().join("orders.credentials"));
        let text = logon(&config);
        assert!(text.contains(&format!("|553={key}|")), "{text}");
        let found = text.split('|').find(|field| field.starts_with("8013="));
        assert_eq!(found, cancels, "{text}");
    }
}

/// A limit of new orders alone, as Binance has for each account: cancels go when it is spent.
#[test]
fn a_limit_of_new_orders_never_holds_a_cancel() {
    let profile = std::fs::read_to_string(root().join("config/venues/binance-spot.toml")).unwrap();
    let own = "\n[[rate]]\nname = \"new-orders\"\nwindow = \"fixed_clock\"\ncount = 3\n\
               window_ms = 10000\nscope = \"account\"\ncounts = \"new_orders\"\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    std::fs::write(&path, format!("{profile}{own}")).unwrap();
    let config = taken(run(path.with_extension("").to_str().unwrap(), "", "").1);
    let mut limiter = venue::limiter(&config).unwrap();
    let begin = Timestamp::from_nanos(1_752_758_200_000_000_000);
    for now in [begin, begin.after(Nanos::from_secs(10))] {
        // All three, though the reserve for cancels is a fifth.
        for _ in 0..3 {
            assert_eq!(limiter.judge(0, now, Kind::Order), Verdict::Pass);
            limiter.note(0, now, Kind::Order);
        }
        assert!(matches!(limiter.judge(0, now, Kind::Order), Verdict::Refuse(1)));
        for _ in 0..9 {
            assert_eq!(limiter.judge(0, now, Kind::Cancel), Verdict::Pass);
            limiter.note(0, now, Kind::Cancel);
        }
    }
}
