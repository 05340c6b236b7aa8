//! The recorded day: ARL on 17 July 2025, every order of one quiet share, as ITCH messages (4,340 of
//! them, re-encoded from a recording by order). Only messages about orders and trades are taken,
//! with the locate of the bench's own directory; nothing is added but the deletes that empty the
//! book at the end, so that the day can follow itself.

use super::{Messages, Walk};
use anyhow::Context as _;
use feeds::file::Reader;
use feeds::itch50::message::{
    AddOrder, Canceled, Deleted, Executed, ExecutedPriced, Header, Message, Replaced,
};
use feeds::recording::Input;
use std::collections::BTreeMap;
use std::fs::File;

const FILE: &str = "derived/ARL_20250717.derived.itch50.gz";
/// Its symbol.
pub const SYMBOL: &str = "ARL";
/// In the bench's directory it is the first.
const LOCATE: u16 = 1;
/// The busiest two seconds: from the first message after the opening cross, 09:30:00.675554.
const WINDOW: (u64, u64) = (34_200_675_000_000, 2_000_000_000);

/// The parts of the day that are replayed.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Everything before the window.
    pub before: Messages,
    /// The window.
    pub window: Messages,
    /// The whole day, and deletes of what it leaves.
    pub day: Messages,
}

/// Venue time of an ITCH message, in nanoseconds of its day; zero for what is no message.
#[must_use]
pub fn time_of(message: &[u8]) -> u64 {
    let bytes = message.get(5..11).unwrap_or_default();
    bytes.iter().fold(0, |time, &byte| time << 8 | u64::from(byte))
}

/// Reads the recording.
///
/// # Errors
/// It is not here, or is not what it was.
pub fn recorded() -> anyhow::Result<Recorded> {
    let path = super::recordings().join(FILE);
    let file = File::open(&path);
    let file =
        file.with_context(|| format!("{}: set TOUCHLINE_DATA to the recordings", path.display()))?;
    let mut reader = Reader::new(Input::new(file)?);
    let [mut before, mut window, mut day] = std::array::from_fn(|_| Messages::default());
    let mut live = Live::default();
    while let Some(message) = reader.next_message()? {
        if message.len() < 11 || b"SRH".contains(&message[0]) {
            continue;
        }
        let mut bytes = message.to_vec();
        bytes[1..3].copy_from_slice(&LOCATE.to_be_bytes());
        live.take(&bytes);
        let time = time_of(&bytes);
        if time < WINDOW.0 {
            before.push(&bytes);
        } else if time < WINDOW.0 + WINDOW.1 {
            window.push(&bytes);
        }
        day.push(&bytes);
    }
    anyhow::ensure!(window.len() > 100, "only {} messages in the window", window.len());
    let time = day.iter().last().map_or(0, time_of);
    for &order in live.0.keys() {
        let header = Header { locate: LOCATE, tracking: 0, time };
        day.push(&Deleted { header, order }.write());
    }
    Ok(Recorded { before, window, day })
}

impl Recorded {
    /// The day, so many times one after the other.
    #[must_use]
    pub fn days(&self, count: usize) -> Messages {
        let mut days = Messages::default();
        (0..count).flat_map(|_| self.day.iter()).for_each(|message| days.push(message));
        days
    }
}

/// Shares of live orders by id.
#[derive(Default)]
struct Live(BTreeMap<u64, u32>);

impl Live {
    fn take(&mut self, bytes: &[u8]) {
        match Message::parse(bytes) {
            Ok(Message::AddOrder(AddOrder { order, shares, .. })) => {
                self.0.insert(order, shares);
            }
            Ok(Message::Replaced(Replaced { order, new_order, shares, .. })) => {
                self.0.remove(&order);
                self.0.insert(new_order, shares);
            }
            Ok(Message::Deleted(Deleted { order, .. })) => drop(self.0.remove(&order)),
            Ok(
                Message::Executed(Executed { order, shares, .. })
                | Message::ExecutedPriced(ExecutedPriced { order, shares, .. })
                | Message::Canceled(Canceled { order, shares, .. }),
            ) => self.less(order, shares),
            _ => {}
        }
    }

    fn less(&mut self, order: u64, shares: u32) {
        if let Some(left) = self.0.get_mut(&order) {
            *left = left.saturating_sub(shares);
            if *left == 0 {
                self.0.remove(&order);
            }
        }
    }
}

/// Span of the ITCH stamps of some messages, in nanoseconds.
#[must_use]
pub fn span(mut messages: Walk<'_>) -> u64 {
    let first = messages.next().map_or(0, time_of);
    messages.last().map_or(0, |last| time_of(last).saturating_sub(first))
}
