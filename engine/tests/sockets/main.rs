//! The program as users run it: processes, loopback sockets, signals and kills.
//!
//! Every lab has a loopback address and a folder of its own. Nothing here asserts a time; every wait
//! is bounded, and every child process ends with the test that started it.

#[path = "../../../wire/tests/acceptor/mod.rs"]
mod acceptor;
mod demo;
mod exchange_kills;
mod fix_feed;
mod host;
mod lab;
mod lines;
mod recorded_day;
mod relay;
mod slow_reader;
mod stamps;
mod story;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod two_processes;
