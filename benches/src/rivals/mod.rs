//! What ours stands beside: rivals that are not a crate of their own. Written to be as quick as
//! their shape allows.

pub mod codecs;
pub mod naive;
