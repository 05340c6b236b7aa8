//! Every file of the corpus through every fuzz body, whole and cut at every byte.

use std::path::Path;

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
            feeds::fuzz::binance_depth(bytes);
        }
        files += 1;
    }
    assert!(files >= 8, "the corpus is missing");
}
