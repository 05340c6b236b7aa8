//! Live feeds by websocket against a venue of the test's own, over TLS: what the books are when the
//! venue speaks well, and what becomes of them when it does not.

#[path = "../../../wire/tests/acceptor/mod.rs"]
mod acceptor;
mod binance;
mod coinbase;
mod config;
mod desk;
mod faults;
#[allow(dead_code)]
#[path = "../sockets/host.rs"]
mod host;
mod known;
mod kraken;
#[allow(dead_code)]
#[path = "../sockets/lab.rs"]
mod lab;
mod recorded;
mod run;
#[path = "../support/secrets.rs"]
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod venue;
