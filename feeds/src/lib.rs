//! Bytes in, market events out: decoders, sessions and sources of market data.
