//! The modes of the program: one file a subcommand.

pub mod backtest;
mod event_text;
pub mod inspect;
pub mod check;
pub mod convert;
pub mod ctl;
pub mod live;
pub mod permit;
pub mod run;
pub mod record;
pub mod replay;
pub mod exchange;
pub mod fix;
pub mod demo;
pub mod doctor;
mod troubles;
