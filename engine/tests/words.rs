//! `docs/latency.md` speaks the words of the code: whoever reads a figure finds it there.

use engine::latency::hops::HOPS;
use engine::runtime::did::ACTS;
use engine::runtime::stage::REGIMES;
use engine::runtime::usage::WARM_UP;

#[test]
fn every_hop_regime_and_act_is_explained() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/latency.md");
    let page = std::fs::read_to_string(path).unwrap();
    let hops = HOPS.iter().map(|(_, name, _)| format!("| `{name}` |"));
    let regimes = REGIMES.iter().map(|(_, name)| format!("| `{name}` |"));
    let acts = ACTS.iter().map(|(_, word)| format!("`{word}`"));
    for word in hops.chain(regimes).chain(acts) {
        assert!(page.contains(&word), "{word} is not in {path}");
    }
    let warm_up = format!("**Warm-up** is the first {} seconds", WARM_UP.as_secs());
    assert!(page.contains(&warm_up), "{warm_up:?} is not in {path}");
}
