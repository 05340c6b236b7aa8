//! Where the loop's commands go: into `trading_gateway`, at once or when the disk has their record.
//!
//! What waited too long for the disk must never leave: the stage asks, and has the session cut.

use super::{COMMANDS_DEPTH, CommandSlot};
use crate::pipeline::loop_driver::{Publish, Stamps};
use crate::runtime::ring::Producer;
use market::{Command, Nanos, Timestamp};
use std::collections::VecDeque;

/// Publishes into the ring, or holds commands until the disk has their record.
pub struct RingPublish {
    ring: Producer<CommandSlot>,
    /// With durability `power`.
    held: Option<Held>,
    /// Commands published in this poll.
    count: usize,
}

/// Commands that wait for the disk, oldest first.
struct Held {
    commands: VecDeque<HeldCommand>,
    /// How long one may wait.
    within: Nanos,
    /// The clock at this poll.
    now: Timestamp,
}

struct HeldCommand {
    /// Of its record.
    sequence: u64,
    /// When it was given.
    since: Timestamp,
    slot: CommandSlot,
}

impl RingPublish {
    /// Publishes at once, or what is synced: no command may wait for that longer than
    /// `synced_within`.
    #[must_use]
    pub fn new(ring: Producer<CommandSlot>, synced_within: Option<Nanos>) -> RingPublish {
        let held = synced_within.map(|within| Held {
            commands: VecDeque::with_capacity(COMMANDS_DEPTH),
            within,
            now: Timestamp::ZERO,
        });
        RingPublish { ring, held, count: 0 }
    }

    /// Commands published since this was last asked.
    pub(super) fn take_count(&mut self) -> usize {
        std::mem::take(&mut self.count)
    }

    /// The clock moved on. True if a command has waited for too long: the market is another by now.
    pub(super) fn is_late(&mut self, now: Timestamp) -> bool {
        let Some(held) = &mut self.held else { return false };
        held.now = now;
        held.commands.front().is_some_and(|oldest| now.since(oldest.since) > held.within)
    }

    /// Lets go what is on the disk; true if anything was.
    pub(super) fn release(&mut self, synced: u64) -> bool {
        let Some(held) = &mut self.held else { return false };
        let mut released = false;
        while let Some(oldest) = held.commands.front() {
            if oldest.sequence > synced || self.ring.push(oldest.slot).is_err() {
                break;
            }
            held.commands.pop_front();
            released = true;
        }
        released
    }
}

impl Publish for RingPublish {
    fn has_room(&self) -> bool {
        match &self.held {
            Some(held) => held.commands.len() < COMMANDS_DEPTH,
            None => self.ring.has_room(1),
        }
    }

    fn publish(&mut self, command: &Command, stamps: Stamps, sequence: u64) {
        let slot = CommandSlot { command: *command, stamps };
        self.count += 1;
        match &mut self.held {
            Some(held) => {
                held.commands.push_back(HeldCommand { sequence, since: held.now, slot });
            }
            // Room was asked for before the command was recorded.
            None => drop(self.ring.push(slot)),
        }
    }
}
