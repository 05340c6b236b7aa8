//! Market data by FIX as users run it: the engine quotes on what a session of the demo exchange tells
//! it, and its journal replays.

use crate::host::eventually;
use crate::lab::Lab;
use crate::story::Story;
use crate::two_processes::finish;

/// An engine that takes market data by FIX, and an exchange that gives it.
pub(crate) fn lab() -> Lab {
    let lab = Lab::synthetic(5);
    let path = lab.dir().join("engine.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = ["line_a", "line_b", "interface", "retransmit"];
    let kept = text.lines().filter(|line| !lines.iter().any(|key| line.starts_with(key)));
    let text = kept.collect::<Vec<_>>().join("\n");
    std::fs::write(&path, text + "\n").unwrap();
    let session = format!(
        "[market_data_session]\naddress = \"{}\"\nsender_comp_id = \"EARS\"\n\n[gateway]",
        lab.fix
    );
    let protocol = "[feed]\nprotocol = \"fix\"".to_owned();
    lab.change("engine.toml", &[("[feed]", protocol), ("[gateway]", session)]);
    let listeners = "[fix]\nmarket_data = [\"EARS\"]".to_owned();
    lab.change("exchange.toml", &[("[fix]", listeners)]);
    lab
}

#[test]
fn the_engine_quotes_on_market_data_by_fix() {
    let lab = lab();
    let engine = lab.engine();
    let mut story = Story::of(&lab);
    story.wait("the start", |told| told.starts == 1);
    let exchange = lab.exchange(&[]);
    story.wait("fills", |told| told.now.fills >= 3);
    finish(&lab, engine, exchange, 1);
}

#[test]
fn an_exchange_that_is_killed_comes_back_with_its_books() {
    let lab = lab();
    let exchange = lab.exchange(&[]);
    eventually("a session", || lab.session());
    let engine = lab.engine();
    let mut story = Story::of(&lab);
    story.wait("fills", |told| told.now.fills >= 1);
    exchange.kill();
    let fills = story.read().now.fills;
    let exchange = lab.exchange(&[]);
    story.wait("more fills", move |told| told.now.fills >= fills + 2);
    let ours = engine.stop();
    let theirs = exchange.stop();
    assert!(theirs.contains("listener     EARS: away"), "{theirs}");
    assert!(!ours.contains("HALTED") && !ours.contains("contradictions"), "{ours}");
}
