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
