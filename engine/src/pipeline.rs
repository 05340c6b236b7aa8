//! The pipeline: stages, rings and adapters that join the rooms. `topology.rs` draws the whole.

pub mod assembly;
pub mod fix_store;
pub mod gate;
pub mod loop_driver;
pub mod market_source;
pub mod records;
pub mod simulation;
pub mod tape;
pub mod telemetry;
