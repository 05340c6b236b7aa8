//! What a session's own messages leave for the process that continues it: the orders they still
//! show, and the numbers already given.

use feeds::glimpse::Board;
use feeds::itch50::Message;
use feeds::moldudp64::MessageStore;
use std::collections::BTreeMap;

/// What was said before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// Orders still shown: locate code and shares by public number.
    pub open: BTreeMap<u64, Shown>,
    /// Above every public order number.
    pub next_order: u64,
    /// Above every match number.
    pub next_match: u64,
    /// Messages.
    pub messages: u64,
}

/// An order that the session still shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Locate code of its instrument.
    pub locate: u16,
    /// Shares left.
    pub shares: u32,
}

/// Reads every message there is, and lets `board` follow them. What is no ITCH message is passed
/// over, as it shows no order.
pub fn resume(messages: &mut impl MessageStore, mut board: Option<&mut Board>) -> Resume {
    let mut resume = Resume { next_order: 1, next_match: 1, ..Resume::default() };
    while let Some(bytes) = messages.message(resume.messages + 1) {
        resume.messages += 1;
        if let Some(board) = &mut board {
            board.follow(bytes);
        }
        if let Ok(message) = Message::parse(bytes) {
            resume.follow(&message);
        }
    }
    resume
}

impl Resume {
    fn follow(&mut self, message: &Message) {
        match message {
            Message::AddOrder(m) => self.add(m.order, m.header.locate, m.shares),
            Message::AddAttributed(m) => self.add(m.order, m.header.locate, m.shares),
            Message::Executed(m) => {
                self.take(m.order, m.shares);
                self.matched(m.match_number);
            }
            Message::ExecutedPriced(m) => {
                self.take(m.order, m.shares);
                self.matched(m.match_number);
            }
            Message::Trade(m) => self.matched(m.match_number),
            Message::CrossTrade(m) => self.matched(m.match_number),
            Message::Canceled(m) => self.take(m.order, m.shares),
            Message::Deleted(m) => {
                self.open.remove(&m.order);
            }
            Message::Replaced(m) => {
                self.open.remove(&m.order);
                self.add(m.new_order, m.header.locate, m.shares);
            }
            _ => {}
        }
    }

    fn add(&mut self, order: u64, locate: u16, shares: u32) {
        self.next_order = self.next_order.max(order.saturating_add(1));
        self.open.insert(order, Shown { locate, shares });
    }

    fn take(&mut self, order: u64, shares: u32) {
        let Some(shown) = self.open.get_mut(&order) else { return };
        shown.shares = shown.shares.saturating_sub(shares);
        if shown.shares == 0 {
            self.open.remove(&order);
        }
    }

    fn matched(&mut self, number: u64) {
        self.next_match = self.next_match.max(number.saturating_add(1));
    }
}
