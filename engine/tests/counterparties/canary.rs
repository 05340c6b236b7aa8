//! What a whole engine writes down and says while a venue repeats passphrase and signature wherever
//! it can: none of it may be there.
//!
//! Searched are the outputs of the process, its log, its journal, the page of metrics, and what the
//! other subcommands make of all that.

use crate::acceptor::{Acceptor, Act};
use crate::coinbase::{self, Coinbase};
use crate::floor::Floor;
use crate::host::eventually;
use crate::text::field;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A passphrase that the venue does not know.
const WRONG: &str = "canary-passphrase-4711";

/// The page of metrics as Prometheus asks for it.
fn scraped(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("touchline_"), "{page}");
    page
}

/// Everything that was secret in the Logons the venue saw.
fn secrets(venue: &Acceptor) -> Vec<String> {
    let seen = venue.seen();
    let signatures = seen.logons.iter().map(|logon| logon.get(96).to_owned());
    let known = [WRONG, coinbase::PASSPHRASE, coinbase::SECRET].map(str::to_owned);
    known.into_iter().chain(signatures).collect()
}

fn holds_none(floor: &Floor, venue: &Acceptor, said: &[&String]) {
    let secrets = secrets(venue);
    for secret in &secrets {
        assert!(said.iter().all(|said| !said.contains(secret)), "{secret} in {said:?}");
    }
    floor.holds_no_secret(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_venue_that_repeats_our_secrets_is_not_repeated() {
    let floor = Floor::new("coinbase-exchange-sandbox", coinbase::KEY);
    let venue = floor.venue(Coinbase { repeats: true }, true);
    let metrics = floor.metrics();
    floor.log_to_file();

    // A Logout in the place of a Logon.
    floor.credentials(coinbase::KEY, coinbase::SECRET, WRONG);
    let engine = floor.engine();
    eventually("a refusal", || (!venue.seen().refused.is_empty()).then_some(()));
    let status = eventually("its text", || {
        let status = floor.status();
        status.contains("Invalid passphrase").then_some(status)
    });
    let stars = "*".repeat(WRONG.len());
    assert!(status.contains(&format!("Invalid passphrase: {stars} with ****")), "{status}");
    let page = scraped(metrics);
    let report = engine.stop();
    assert!(report.contains("Invalid passphrase"), "{report}");
    assert!(venue.seen().refused[0].contains(WRONG), "the control: the venue did say it");
    holds_none(&floor, &venue, &[&status, &page, &report]);

    // A Logon, and from then on every other message that has a text.
    floor.credentials(coinbase::KEY, coinbase::SECRET, coinbase::PASSPHRASE);
    let engine = floor.engine();
    eventually("fills", || (venue.seen().trades >= 2).then_some(()));
    let repeated = {
        let seen = venue.seen();
        let logon = seen.logons.last().unwrap();
        format!("{} and {}", logon.get(554), logon.get(96))
    };
    let text = |tag: u32| field(tag, format!("you said {repeated}"));
    let told = [
        vec![field(35, "B"), text(148), field(33, 1), text(58)],
        vec![field(35, "3"), field(45, 1), text(58)],
        vec![field(35, "j"), field(45, 1), field(372, "D"), field(380, 0), text(58)],
        vec![field(35, "1"), text(112)],
        vec![field(35, "BF"), field(923, 1), field(553, coinbase::KEY), field(926, 6), text(927)],
    ];
    let before = venue.seen().rejects.len();
    told.into_iter().for_each(|fields| venue.act(Act::Send(fields)));
    // The answer to the last: no message for us.
    eventually("an answer", || (venue.seen().rejects.len() > before).then_some(()));
    let status = eventually("the news", || {
        let status = floor.status();
        status.contains("news: you said").then_some(status)
    });
    let page = scraped(metrics);
    venue.act(Act::Send(vec![field(35, "5"), text(58)]));
    eventually("another logon", || (venue.seen().logons.len() >= 3).then_some(()));
    let report = engine.stop();
    let shown = floor.says("fix.out", &["fix", "engine/journal"]);
    let whole = shown.matches("you said *********** and ****").count();
    assert!(whole >= 7, "{whole} of them were kept with their words: {shown}");
    assert!(shown.contains("= welcome, ***********"), "{shown}");
    let printed = floor.says("print.out", &["replay", "engine/journal", "--print"]);
    let checked = floor.says("check.out", &["check", "engine.toml"]);
    holds_none(&floor, &venue, &[&status, &page, &report, &shown, &printed, &checked]);
}
