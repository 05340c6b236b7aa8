//! Every file of the corpus through every fuzz body, whole and cut at every byte.

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
                feeds::fuzz::dbn(&bytes[at..]);
            }
        }
    }
}

#[test]
fn the_corpus_breaks_no_promise() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for length in 0..=bytes.len() {
            let bytes = &bytes[..length];
            feeds::fuzz::itch50(bytes);
            feeds::fuzz::packet(bytes);
            feeds::fuzz::receiver(bytes);
            feeds::fuzz::feed(bytes);
            feeds::fuzz::file(bytes);
            feeds::fuzz::recording(bytes);
            feeds::fuzz::events(bytes);
            feeds::fuzz::frame(bytes);
            feeds::fuzz::binance_depth(bytes);
            feeds::fuzz::websocket(bytes);
            feeds::fuzz::websocket_frames(bytes);
            feeds::fuzz::dbn(bytes);
            feeds::fuzz::mdp3(bytes);
            // Of captures, the first payload as well.
            feeds::fuzz::mdp3(bytes.get(82..).unwrap_or_default());
            feeds::fuzz::iex(bytes);
            feeds::fuzz::iex(bytes.get(82..).unwrap_or_default());
        }
        files += 1;
    }
    assert!(files >= 35, "the corpus is missing");
}
