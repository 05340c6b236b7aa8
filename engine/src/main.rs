//! The program `touchline`.
fn main() {}
