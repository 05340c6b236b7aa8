//! The words everyone speaks: price, quantity, time, instrument, event, order, report, position, book.
//!
//! This crate is the floor of the house. It does no I/O, starts no thread and reads no clock.
//! Modules stand in reading order.

pub mod book;
pub mod command;
pub mod event;
pub mod hash;
pub mod ids;
pub mod instrument;
pub mod lifecycle;
pub mod money;
pub mod number;
pub mod order;
pub mod position;
mod prefetch;
pub mod price;
pub mod qty;
pub mod report;
pub mod rng;
pub mod side;
pub mod side_entry;
pub mod table;
pub mod time;

pub use book::{BookState, BookView, Level, Trade};
pub use command::{Command, CommandKind, TimeInForce};
pub use event::{Event, EventFlags, EventKind, Sink, TradingStatus};
pub use hash::StateHasher;
pub use ids::{ExecId, InstrumentId, OrderId, VenueOrderId};
pub use instrument::{Contract, Fees, Instrument, Liquidity, Rate};
pub use lifecycle::{OrderEvent, OrderState};
pub use money::Money;
pub use number::NumberError;
pub use order::{Order, OrderView};
pub use position::Position;
pub use price::Price;
pub use qty::Qty;
pub use report::{RejectReason, Report, ReportKind};
pub use rng::Rng;
pub use side::Side;
pub use side_entry::{Definition, Imbalance, Said, SideEntry, Statistic, StatusReason};
pub use time::{Nanos, Timestamp};
