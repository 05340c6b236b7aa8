//! How fast each hop is: ours beside its rivals and its floor, in one run, as ratios.
//!
//! [`pairs`] measures, [`figure`] judges and shows, [`machine`] says where and under which scheduling;
//! [`figures`] has one file for each group of figures. Times depend on the machine: only the ratio of
//! two blocks that ran beside each other means anything, and no test asserts one.

pub mod contest;
pub mod data;
pub mod figure;
pub mod figures;
pub mod lab;
pub mod machine;
pub mod pairs;
pub mod rivals;
pub mod wired;
