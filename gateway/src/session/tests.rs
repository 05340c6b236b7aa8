//! Session tests stand here.
