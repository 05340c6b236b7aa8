//! Every file of the corpus through every fuzz body, whole and cut at every byte.

use feeds::fuzz::BODIES;
use std::path::Path;

/// Every byte of the captures and of the recorded messages changed in turn: readers must not believe
/// what they are told.
#[test]
fn changed_bytes_break_no_promise() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    for name in [
        "recording-itch",
        "recording-events",
        "events-items",
        "capture-pcap-lines",
        "capture-pcap-gap",
        "capture-pcapng",
        "dbn-orders",
        "dbn-mixed",
        "dbn-fragment",
        "databento-csv-orders",
        "databento-csv-levels",
        "lobster-messages",
        "lobster-book",
        "tardis-book",
        "tardis-quotes",
        "recording-kraken-v2",
        "recording-kraken-level3",
        "capture-mdp3-snapshot",
        "capture-mdp3-definition",
        "capture-iex-deep",
        "capture-iex-deep-plus",
    ] {
        let bytes = std::fs::read(corpus.join(name)).unwrap();
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                feeds::fuzz::recording(&bytes);
                if name == "events-items" {
                    feeds::fuzz::events(&bytes);
                }
                feeds::fuzz::frame(&bytes[at..]);
                feeds::fuzz::tcp(&bytes[at..]);
                feeds::fuzz::dbn(&bytes[at..]);
            }
        }
    }
}

/// Orders and their snapshots with one byte changed, and with several by seed: whatever is said, no
/// event contradicts the orders told before it.
#[test]
fn changed_orders_break_no_promise() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let whole = std::fs::read(corpus.join("lines-mdp3-orders")).unwrap();
    for at in 0..whole.len() {
        for flip in [1, 2, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            feeds::fuzz::mdp3_orders(&bytes);
        }
    }
    let mut rng = market::Rng::new(7);
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..2 + rng.below(5) {
            let at = rng.below(bytes.len() as u64) as usize;
            // What stands elsewhere is more like something than a byte by chance.
            bytes[at] = bytes[rng.below(whole.len() as u64) as usize];
        }
        feeds::fuzz::mdp3_orders(&bytes);
    }
}

#[test]
fn the_corpus_breaks_no_promise() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        let of_books = entry.file_name().to_string_lossy().starts_with("books-");
        let whole = bytes.len();
        for length in 0..=whole {
            let bytes = &bytes[..length];
            for &(name, body) in BODIES {
                // The twins are slow: what is not theirs, they see once and whole.
                if of_books || length == whole || !name.ends_with("_differential") {
                    body(bytes);
                }
            }
            // Of captures, the first payload as well.
            feeds::fuzz::mdp3(bytes.get(82..).unwrap_or_default());
            feeds::fuzz::iex(bytes.get(82..).unwrap_or_default());
        }
        files += 1;
    }
    assert!(files >= 45, "the corpus is missing");
}

/// The crate of targets is outside of the workspace: it must not fall behind.
#[test]
fn every_body_has_a_target() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut targets: Vec<String> = std::fs::read_dir(fuzz.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    targets.sort();
    let mut bodies: Vec<&str> = BODIES.iter().map(|&(name, _)| name).chain(["canary"]).collect();
    bodies.sort_unstable();
    assert_eq!(targets, bodies);
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for name in bodies {
        let target = std::fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("|data: &[u8]| feeds::fuzz::{name}(data))")), "{name}");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
    }
}
