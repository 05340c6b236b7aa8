//! What a configuration must say for a feed by websocket, and what it must not.

use crate::desk::text;
use engine::config::{Config, RunConfig, load};
use std::collections::BTreeSet;
use std::path::Path;

const GOOD: &str = "address = \"127.0.0.1:1\"\nsnapshot_address = \"127.0.0.1:2\"\n\
                    snapshot_path = \"/depth?symbol={symbol}\"\n";

fn read(protocol: &str, symbols: &[&str], keys: &str) -> Result<RunConfig, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run.toml");
    std::fs::write(&path, text(protocol, symbols, keys)).unwrap();
    RunConfig::load(&path, &BTreeSet::from([0])).map_err(|errors| errors.to_string())
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let binance = |keys: &str| read("binance-websocket", &["BTCUSDT"], keys);
    assert!(binance(GOOD).is_ok());
    let cases = [
        (GOOD.replace("address = \"127.0.0.1:1\"\n", ""), "[websocket] address is missing"),
        (GOOD.replace("{symbol}", "BTCUSDT"), "[websocket] snapshot_path is no path with {symbol}"),
        (GOOD.replace("\"/depth", "\"depth"), "snapshot_path is no path"),
        (format!("{GOOD}book = \"depth20\""), "[websocket] book is depth20, which is not read"),
        (format!("{GOOD}trades = \"kline\""), "[websocket] trades is a channel that is not read"),
        (format!("{GOOD}symbols = [\"ETH=X\"]"), "has ETH=X, which names no instrument of ours"),
        (format!("{GOOD}symbols = [\"BTCUSDT\"]"), "is not OURS=THEIRS"),
        (format!("{GOOD}symbols = [\"BTCUSDT=A B\"]"), "A B is no symbol of a feed"),
        (format!("{GOOD}[clock]\nsource = \"feed\""), "[clock] source is feed"),
        (
            format!("{GOOD}[websocket_transport]\ntrust = \"a.pem\""),
            "trust is given, and tls is off",
        ),
        (
            format!("{GOOD}[websocket_transport]\nkernel_stamps = true"),
            "[websocket_transport] kernel_stamps is on, and a websocket is read without it",
        ),
    ];
    for (keys, problem) in cases {
        let errors = binance(&keys).map(|_| ()).unwrap_err();
        assert!(errors.contains(problem), "{problem}: {errors}");
    }
    let coinbase = |keys: &str| read("coinbase-websocket", &["BTC-USD"], &format!("{GOOD}{keys}"));
    let credentials = "credentials = \"a.credentials\"\n";
    for channel in ["level2", "full"] {
        let book = format!("book = \"{channel}\"\n");
        let errors = coinbase(&book).map(|_| ()).unwrap_err();
        let problem = "[websocket] credentials is missing: ";
        assert!(errors.contains(&format!("{problem}{channel} is told to those only")), "{errors}");
        assert!(coinbase(&format!("{book}{credentials}")).is_ok());
    }
    let errors = coinbase(credentials).map(|_| ()).unwrap_err();
    assert!(errors.contains("is given, and level2_batch is told to everybody"), "{errors}");
    let errors = read("coinbase-websocket", &["A", "B"], &format!("{GOOD}symbols = [\"A=B\"]"));
    let errors = errors.map(|_| ()).unwrap_err();
    assert!(errors.contains("B is two instruments"), "{errors}");
}

#[test]
fn what_is_read_is_written_and_read_again() {
    let keys = format!("{GOOD}symbols = [\"BTCUSDT=X\"]\n[websocket_transport]\ntls = \"1.3\"\n");
    let config = read("binance-websocket", &["BTCUSDT"], &keys).unwrap();
    let again = RunConfig::from_resolved(&config.resolved()).unwrap();
    assert_eq!(again, config);
    assert_eq!(again.websocket.symbol("BTCUSDT"), "X");
}

/// A journal may hold a run of before the venue wanted to know who asks.
#[test]
fn what_has_run_is_read_without_its_credentials() {
    let keys = format!("{GOOD}book = \"level2_batch\"\n");
    let config = read("coinbase-websocket", &["BTC-USD"], &keys).unwrap();
    let text = config.resolved();
    assert_eq!(text.matches("\"level2_batch\"").count(), 1, "{text}");
    let text = text.replace("\"level2_batch\"", "\"full\"");
    RunConfig::from_resolved(&text).unwrap();
}

#[test]
fn profiles_give_all_that_a_feed_needs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/venues");
    for (profile, protocol) in [
        ("binance-spot", "binance-websocket"),
        ("binance-spot-testnet", "binance-websocket"),
        ("binance-usd-m", "binance-websocket"),
        ("binance-coin-m", "binance-websocket"),
        ("coinbase-exchange", "coinbase-websocket"),
        ("coinbase-exchange-sandbox", "coinbase-websocket"),
        ("kraken-spot", "kraken-websocket"),
    ] {
        let path = folder.join(format!("{profile}.toml"));
        assert!(matches!(load(&path, &BTreeSet::new()), Ok(Config::Venue(_))), "{profile}");
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run.toml");
        let text = text(protocol, &["BTCUSDT"], "shows_own_orders = false\n");
        let (kind, rest) = text.split_once('\n').unwrap();
        let named = format!("{kind}\nfeed_venue = {path:?}\n{rest}");
        std::fs::write(&run, named).unwrap();
        let config = RunConfig::load(&run, &BTreeSet::from([0]));
        let config = config.unwrap_or_else(|errors| panic!("{profile}: {errors}"));
        // What stands in the run itself wins.
        assert_eq!(config.websocket.websocket.snapshot_retry_ms.get(), 20_000_000);
        let told = config.feed.describe(&config.soupbintcp, &config.websocket);
        assert!(told.contains("TLS 1.2 or newer"), "{told}");
    }
}
