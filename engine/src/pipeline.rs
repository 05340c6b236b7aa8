//! The pipeline: stages, rings and adapters that join the rooms. `topology.rs` draws the whole.

pub mod records;
pub mod tape;
pub mod loop_driver;
pub mod market_source;
pub mod simulation;
