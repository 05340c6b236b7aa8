//! The exchange without sockets, in virtual time, against engines made of the gateway's own session.

mod data;
mod days;
mod echoes;
mod equal;
mod lab;
mod listeners;
mod lockstep;
mod orders;
mod replica;
mod restart;
mod sessions;
mod snapshots;
mod storm;
mod weather;
