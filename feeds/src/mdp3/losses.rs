//! What concerns the books of a whole channel: packets that are lost, and numbers that begin anew. A
//! book that may be concerned is never left Live.

use super::decode::{Decoder, From, tell};
use super::wire::Message;
use crate::capture::Held;
use market::{Event, EventKind, Sink as _, Timestamp};

impl Decoder {
    /// Every book of the channel is empty, and numbers begin anew.
    pub(super) fn channel_reset(
        &mut self,
        message: &Message<'_>,
        from: From,
        out: &mut Held,
    ) -> Result<(), &'static str> {
        let time = message.root.u64(0).ok_or("message shorter than its fields")?;
        if let Some((channel, packet)) = from.packet {
            self.restart(channel, Some(packet), Timestamp::from_nanos(time), out);
            self.hurt(channel, packet);
        }
        Ok(())
    }

    /// The securities of a channel begin anew: with books that are empty as of a packet, or with
    /// unknown ones.
    pub(super) fn restart(
        &mut self,
        channel: usize,
        empty: Option<u32>,
        time: Timestamp,
        out: &mut Held,
    ) {
        let kind = if empty.is_some() { EventKind::Clear } else { EventKind::Reset };
        for security in self.securities.iter_mut().filter(|one| one.channel == Some(channel)) {
            security.restart(empty);
            tell(out, kind, security, time);
        }
        // A security whose channel is not known may be of this one.
        for security in self.securities.iter_mut().filter(|one| one.channel.is_none()) {
            security.orders.chunks = None;
            if !security.is_new() {
                security.restart(Some(0));
                security.tear();
                tell(out, EventKind::Clear, security, time);
                tell(out, EventKind::Lost, security, time);
                self.urgent = true;
            }
        }
        if empty.is_none() {
            self.count_anew(channel, time);
        }
    }

    /// Packets of a channel up to `until` are lost: its securities are doubted.
    pub(super) fn lost(
        &mut self,
        channel: usize,
        (first, count): (u32, u32),
        time: Timestamp,
        out: &mut Held,
    ) {
        let until = first.saturating_add(count.saturating_sub(1));
        self.hurt(channel, until);
        if self.by_order {
            return self.lost_orders(channel, (first, count), time, out);
        }
        for security in &mut self.securities {
            // A security that is known by a snapshot alone may be of any channel.
            let concerns = security.channel.map_or(!security.is_new(), |its| its == channel);
            let Some(instrument) = security.instrument.filter(|_| concerns) else { continue };
            if !security.torn && security.doubted.is_none() {
                let event = Event::new(EventKind::Gap, instrument);
                let order = first.into();
                out.event(Event { exchange_time: time, order, aux: count, ..event });
            }
            security.doubted = security.doubted.max(Some(until));
        }
    }
}
