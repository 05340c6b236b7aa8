//! What `[feed]` and `[soupbintcp]` ask of each other, and how `touchline check` tells what becomes
//! of a gap.

use engine::config::{Protocol, RunConfig, Start};
use std::path::Path;

const DEMO: &str = include_str!("../../config/demo.toml");

/// The demo's engine with more under `[feed]`, and further sections before it.
fn load(feed: &str, sections: &str) -> Result<RunConfig, String> {
    let folder = tempfile::tempdir().unwrap();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    for name in ["instruments/demo.toml", "venues/demo.toml"] {
        std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        std::fs::copy(config.join(name), folder.path().join(name)).unwrap();
    }
    let text = DEMO.replace("[feed]\n", &format!("{sections}\n[feed]\n{feed}\n"));
    let path = folder.path().join("run.toml");
    std::fs::write(&path, text).unwrap();
    RunConfig::load(&path, &[0].into()).map_err(|errors| errors.to_string())
}

/// The demo's engine with market data of another venue, by websocket.
fn elsewhere(feed_venue: &str, shown: &str) -> Result<RunConfig, String> {
    let folder = tempfile::tempdir().unwrap();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    for name in ["instruments/demo.toml", "venues/demo.toml", "venues/kraken-spot.toml"] {
        std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        std::fs::copy(config.join(name), folder.path().join(name)).unwrap();
    }
    let venue = "venue = \"venues/demo.toml\"\n";
    assert!(DEMO.contains(venue));
    let text = DEMO.replace(venue, &format!("{venue}feed_venue = \"{feed_venue}\"\n"));
    let protocol = "[feed]\nprotocol = \"kraken-websocket\"\nstale_ms = 10000\n";
    let start = text.find("[feed]\n").unwrap();
    let end = start + 1 + text[start + 1..].find("\n[").unwrap();
    let websocket = "\n[websocket]\naddress = \"ws.kraken.com:443\"";
    let text = format!("{}{protocol}{websocket}\n{shown}\n{}", &text[..start], &text[end..]);
    let path = folder.path().join("run.toml");
    std::fs::write(&path, text).unwrap();
    RunConfig::load(&path, &[0].into()).map_err(|errors| errors.to_string())
}

#[test]
fn books_of_another_venue_do_not_show_our_orders() {
    let other = "venues/kraken-spot.toml";
    let error = elsewhere(other, "").unwrap_err();
    assert!(error.contains("shows_own_orders is true, but our orders stand at another"), "{error}");
    assert!(error.contains("run.toml:"), "{error}");
    assert!(error.contains("write shows_own_orders = false under [websocket]"), "{error}");
    let told = elsewhere(other, "shows_own_orders = true").unwrap_err();
    assert!(told.contains("shows_own_orders is true"), "{told}");
    let run = elsewhere(other, "shows_own_orders = false").unwrap();
    assert!(!run.feed.shows_own_orders(&run.websocket));
    // One venue that is named twice.
    let run = elsewhere("venues/demo.toml", "").unwrap();
    assert!(run.feed.shows_own_orders(&run.websocket));
}

#[test]
fn a_start_at_a_snapshot_needs_a_server() {
    let error = load("start = \"snapshot\"", "").unwrap_err();
    assert!(error.contains("[feed] glimpse is missing"), "{error}");
    let run = load("start = \"snapshot\"\nglimpse = \"127.0.0.1:31004\"", "").unwrap();
    assert_eq!(run.feed.start, Start::Snapshot);
    let told = run.feed.describe(&run.soupbintcp, &run.websocket);
    assert!(told.ends_with("retransmission from 127.0.0.1:31003, snapshots from 127.0.0.1:31004"));
    let error = load("glimpse = \"127.0.0.1:9880\"", "").unwrap_err();
    assert!(error.contains("are on one port"), "{error}");
}

#[test]
fn a_feed_by_tcp_has_an_address_and_nothing_that_is_of_no_use() {
    let tcp = "protocol = \"itch50-soupbintcp\"";
    let error = load(tcp, "").unwrap_err();
    assert!(error.contains("[soupbintcp] address is missing"), "{error}");
    let section = "[soupbintcp]\naddress = \"feed.example:31005\"\nusername = \"TOUCHL\"";
    let run = load(tcp, section).unwrap();
    assert_eq!(run.feed.protocol, Protocol::Itch50SoupBinTcp);
    assert!(
        run.feed.describe(&run.soupbintcp, &run.websocket).starts_with("feed.example:31005 by TCP")
    );
    for (feed, more, wanted) in [
        (
            "glimpse = \"127.0.0.1:31004\"",
            "",
            "[feed] glimpse: itch50-soupbintcp takes no snapshots",
        ),
        ("start = \"snapshot\"", "", "[feed] start: itch50-soupbintcp takes no snapshots"),
        ("", "[clock]\nsource = \"feed\"", "[clock] source: itch50-soupbintcp cannot be stepped"),
    ] {
        let error = load(&format!("{tcp}\n{feed}"), &format!("{section}\n{more}")).unwrap_err();
        assert!(error.contains(wanted), "{error}");
    }
    let read_back = RunConfig::from_resolved(&run.resolved()).unwrap();
    assert_eq!((read_back.soupbintcp, read_back.feed), (run.soupbintcp, run.feed));
}
