//! The pipeline: stages, rings and adapters that join the rooms. `topology.rs` draws the whole.

pub mod credentials;
pub mod venue;
pub mod records;
pub mod tape;
pub mod loop_driver;
pub mod looks;
pub mod assembly;
pub mod market_source;
pub mod simulation;
pub mod telemetry;
pub mod gate;
pub mod lifecycle;
pub mod tally;
pub mod kept_frames;
pub mod fix_connection;
pub mod fix_store;
pub mod recovery;
pub mod streams;
pub mod connector;
pub mod reconnect;
pub mod feed_stage;
pub mod trading_stage;
pub mod gateway_stage;
pub mod drop_copy_stage;
pub mod topology;
pub mod exchange;
