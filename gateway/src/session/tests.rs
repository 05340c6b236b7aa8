//! The session's tests: each published case by name, two sessions over a bad link, the file store.

mod cases_agreements;
mod cases_bad_input;
mod cases_early_logout;
mod cases_initiator;
mod cases_logon;
mod cases_messages;
mod cases_resend;
mod cases_retransmitted;
mod cases_told;
mod cases_versions;
mod harness;
mod pair;
mod stores;
