//! Frames of Coinbase made by hand, as a recorder writes them.

const HEADER: &str = "wss://ws-feed.exchange.coinbase.com <-> 1618677816.8434298\n\
    wss://ws-feed.exchange.coinbase.com <- 1618677817.020616: {\"type\":\"subscribe\"}\n";

pub fn lines(frames: &[&str]) -> Vec<u8> {
    let line = |frame: &&str| match frame.starts_with("http") {
        true => format!("{frame}\n"),
        false => format!("1618677817.5: {frame}\n"),
    };
    (HEADER.to_owned() + &frames.iter().map(line).collect::<String>()).into_bytes()
}

pub fn l2_data(number: u64, kind: &str, levels: &str) -> String {
    format!(
        r#"{{"channel":"l2_data","client_id":"","timestamp":"2023-02-09T20:32:50.714964855Z","sequence_num":{number},"events":[{{"type":"{kind}","product_id":"BTC-USD","updates":[{levels}]}}]}}"#
    )
}

pub fn l2_level(side: &str, price: &str, qty: &str) -> String {
    format!(
        r#"{{"side":"{side}","event_time":"1970-01-01T00:00:00Z","price_level":"{price}","new_quantity":"{qty}"}}"#
    )
}
