//! Arguments of `touchline inspect`, and the words they are given in.

use super::{Moment, parse_moment};
use clap::Args;
use market::Timestamp;
use std::path::PathBuf;

/// Arguments of `touchline inspect`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  touchline inspect ARL_20250717.derived.itch50.gz
  touchline inspect day.pcap.gz --head 20
  touchline inspect ARL_20250717.derived.itch50.gz --book ARL@10:00:00
  touchline inspect cme.pcap --by-order --book ESZ6
  touchline inspect *.gz --json
  touchline inspect btcusdt_20240808.gz btcusdt_20240809.gz --as-one --book BTCUSDT

What a file is shows by its content; packing (gzip, zstd, zip, tar) is taken off. docs/feeds.md lists
the formats. Exit codes: 0 every file was read to its end, 4 one is of no known format, is refused,
or cannot be read on. What was skipped and damaged on the way is counted and shown.")]
pub struct InspectArgs {
    /// Recordings
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Print the book of this symbol, at this time or at the end
    #[arg(long, value_name = "SYMBOL[@TIME]", value_parser = parse_book)]
    pub book: Option<BookAt>,
    /// Print the first N events as text
    #[arg(long, value_name = "N")]
    pub head: Option<u64>,
    /// Midnight in UTC of the venue's day, for stamps that are times of day: YYYY-MM-DD, or
    /// YYYY-MM-DDTHH:MM:SS
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    pub day: Option<Timestamp>,
    /// Read the files as one recording of lines that goes on from file to file, with its books
    #[arg(long)]
    pub as_one: bool,
    /// Books by order where messages tell orders beside levels (CME MDP 3.0)
    #[arg(long)]
    pub by_order: bool,
    /// One JSON object a file, for machines
    #[arg(long)]
    pub json: bool,
}

/// Which book to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookAt {
    /// Of whom.
    pub symbol: String,
    /// When; at the end if absent.
    pub at: Option<Moment>,
}

fn parse_book(text: &str) -> Result<BookAt, String> {
    let (symbol, at) = match text.rsplit_once('@') {
        Some((symbol, time)) => (symbol, Some(parse_moment(time)?)),
        None => (text, None),
    };
    if symbol.is_empty() {
        return Err("name a symbol: SYMBOL or SYMBOL@HH:MM:SS".to_owned());
    }
    Ok(BookAt { symbol: symbol.to_owned(), at })
}

pub(super) fn parse_day(text: &str) -> Result<Timestamp, String> {
    if let Some(day) = crate::config::parse_date(text) {
        return Ok(day);
    }
    let Moment { day, time } = parse_moment(text)?;
    day.map(|day| day.after(time)).ok_or_else(|| "give YYYY-MM-DD[THH:MM:SS]".to_owned())
}
