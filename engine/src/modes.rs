//! The modes of the program: one file a subcommand.

pub mod check;
pub mod exchange;
