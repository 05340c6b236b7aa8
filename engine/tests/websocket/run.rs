//! The whole engine once: `touchline run` with market data by websocket and orders to the demo
//! exchange. It quotes while its book is whole, and not otherwise.

use crate::binance::depth;
use crate::host::{Host, eventually};
use crate::lab::Lab;
use crate::venue::{HANGS, Meanwhile, Session, Venue};
use std::time::{Duration, Instant};

/// The engine polls itself.
pub(crate) struct Alone;

impl Meanwhile for Alone {
    fn poll(&mut self) {
        std::thread::sleep(Duration::from_millis(1));
    }
    fn trouble(&self) -> String {
        String::new()
    }
}

/// The joiner quotes one instrument of the exchange, by a book that comes from elsewhere.
pub(crate) fn configure(lab: &Lab, venue: &Venue, protocol: &str, keys: &str) {
    let instruments = std::fs::read_to_string(lab.dir().join("instruments/demo.toml")).unwrap();
    let second = instruments.match_indices("[[instrument]]").nth(1).unwrap().0;
    std::fs::write(lab.dir().join("instruments/one.toml"), &instruments[..second]).unwrap();
    let path = lab.dir().join("engine.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (text.find("[[strategy]]").unwrap(), text.find("[quoter]").unwrap());
    let strategy = "[[strategy]]\nname = \"joiner\"\ninstruments = [\"TLA\"]\n\
                    [strategy.parameters]\nsize = 100\n\n";
    std::fs::write(&path, format!("{}{strategy}{}", &text[..begin], &text[end..])).unwrap();
    let websocket = format!(
        "[book]\nlevels = 16384\n\n[websocket]\n{keys}\nshows_own_orders = false\nsnapshot_retry_ms = 20\nsilence_ms = 600000\n{}connect_timeout_ms = 60000\n\n[control]\n",
        venue.config(lab.dir())
    );
    let changes = [
        ("instruments/demo.toml", "instruments/one.toml".to_owned()),
        ("[feed]\n", format!("[feed]\nprotocol = \"{protocol}\"\n")),
        ("stale_ms = 3000", "stale_ms = 600000".to_owned()),
        ("reference_age_ms = 3000", "reference_age_ms = 600000".to_owned()),
        ("collar_bps = 300", "collar_bps = 5000".to_owned()),
        ("[risk.instrument.TLE]\nmax_order_qty = 200\nmax_position = 1000\n", String::new()),
        ("[control]\n", websocket),
    ];
    lab.change("engine.toml", &changes);
}

fn subscribed(venue: &Venue) -> Session {
    let mut session = venue.accept(&mut Alone);
    assert!(session.text(&mut Alone).contains("tlausdt@depth@100ms"));
    session
}

/// A book around the exchange's prices, far enough from them that nothing trades.
fn joined(venue: &Venue, mut session: Session) -> Session {
    session.send(&depth("TLAUSDT", 100, 106, r#"["19.99","300"]"#, ""));
    let asked = venue.snapshot(
        &mut Alone,
        r#"{"lastUpdateId":105,"bids":[["20.00","500"]],"asks":[["30.00","500"]]}"#,
    );
    assert!(asked.contains("symbol=TLAUSDT"), "{asked}");
    session
}

/// Waits for a status line with these words; lines before `from` do not count.
fn shows(engine: &Host, from: usize, words: &[&str]) -> usize {
    let give_up = Instant::now() + HANGS / 2;
    eventually("a status line", || {
        let output = engine.output();
        assert!(Instant::now() < give_up, "{words:?} is not shown: {output}");
        let is = |line: &&str| words.iter().all(|word| line.contains(word));
        output[from..].lines().any(|line| is(&line)).then_some(output.len())
    })
}

#[test]
fn an_engine_quotes_at_one_venue_by_the_book_of_another() {
    let (lab, venue) = (Lab::synthetic(1), Venue::new());
    let keys = "path = \"/stream\"\nsymbols = [\"TLA=TLAUSDT\"]";
    configure(&lab, &venue, "binance-websocket", keys);
    let check = Host::start(lab.dir(), "check.out", &["check", "engine.toml"]).wait_well();
    let feed = format!("binance-websocket at {}/stream by TLS 1.3", venue.address());
    assert!(check.contains(&feed), "{check}");
    let exchange = lab.exchange(&[]);
    let engine = lab.engine();
    let session = subscribed(&venue);
    // Without a snapshot nothing is quoted.
    let shown = shows(&engine, 0, &["ready", "books 0/1", "orders 0 open, 0 sent"]);
    let session = joined(&venue, session);
    let shown = shows(&engine, shown, &["books 1/1", "orders 2 open"]);
    // The connection is lost, and every quote is withdrawn.
    drop(session);
    let shown = shows(&engine, shown, &["books 0/1", "orders 0 open"]);
    let session = subscribed(&venue);
    let mut session = joined(&venue, session);
    shows(&engine, shown, &["books 1/1", "orders 2 open"]);
    session.send(&depth("TLAUSDT", 107, 107, r#"["20.50","200"]"#, ""));
    let report = engine.stop();
    assert!(report.contains("messages by websocket: 2 connections"), "{report}");
    assert!(report.contains("gaps ended"), "{report}");
    exchange.stop();
    let journal = lab.journal();
    let replay = ["replay", journal.to_str().unwrap()];
    let replay = Host::start(lab.dir(), "replay.out", &replay).wait_well();
    assert!(replay.contains("identical"), "{replay}");
}
