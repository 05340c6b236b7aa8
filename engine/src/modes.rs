//! One file a subcommand.

pub mod ctl;
