//! IEX market data: IEX-TP packets with TOPS 1.5 and 1.6, DEEP 1.0 or DEEP+ 1.0 messages, from
//! captures.
//!
//! [`wire`] frames packets and messages without copying. One stream is read, that of the first
//! packet; its lines are arbitrated by message number. Updates of several levels that IEX means as
//! one are given as one unit.
//!
//! | protocol | books |
//! |---|---|
//! | DEEP (0x8004) | by level |
//! | DEEP+ (0x8005) | by order |
//! | TOPS (0x8002, 0x8003) | by level, the best of each side only |
//!
//! Sources: IEX Transport Protocol 1.0; DEEP 1.0, DEEP+ 1.02 and TOPS 1.6 specifications of IEX.

mod decode;
pub mod recording;
mod side;
mod stream;
pub mod wire;
