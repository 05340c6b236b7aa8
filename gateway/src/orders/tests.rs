//! Mapping tests stand here.
