//! The dictionaries against what is known of FIX, and checks by the session test cases.

mod cases;
mod tables;
