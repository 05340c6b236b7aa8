//! How fast each hop is, with the rivals beside it.
