//! Which packets of each channel were read without a hole: a snapshot makes a book Live only if it
//! holds what was lost before, and is of the present count of packets.

use super::decode::Decoder;
use super::orders::lose;
use crate::capture::Held;
use market::Timestamp;

/// A snapshot that is so many packets ahead of its channel is of another count.
const AHEAD_MAX: u32 = 1 << 16;

/// The packets of a channel behind its last loss.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    since: u32,
    last: u32,
    /// Something was lost before it, or its books began anew.
    hurt: bool,
    /// When the numbers began anew; zero if they did not.
    began: Timestamp,
    /// They have just done so, and no packet came yet.
    anew: bool,
}

impl Span {
    /// Whether every packet behind this one was read.
    fn follows(self, packet: u32) -> bool {
        packet.saturating_add(1) >= self.since
    }

    /// Whether this packet may be of the same count.
    fn is_near(self, packet: u32) -> bool {
        packet.saturating_sub(self.last) <= AHEAD_MAX
    }

    /// Whether a snapshot that was sent then may hold all that is not in the packets.
    fn is_held(self, packet: u32, sent: Timestamp) -> bool {
        sent >= self.began && (!self.hurt || self.follows(packet))
    }
}

impl Decoder {
    /// A packet of a channel begins.
    pub(super) fn packet(
        &mut self,
        (channel, packet): (usize, u32),
        time: Timestamp,
        out: &mut Held,
    ) {
        if self.spans.len() <= channel {
            self.spans.resize(channel + 1, None);
        }
        let began = match &mut self.spans[channel] {
            Some(span) if !span.anew => {
                span.last = packet;
                return;
            }
            known => known.map_or(Timestamp::ZERO, |span| span.began),
        };
        let hurt = began > Timestamp::ZERO;
        let span = Span { since: packet, last: packet, hurt, began, anew: false };
        self.spans[channel] = Some(span);
        if !self.by_order {
            return;
        }
        let unplaced = self.securities.iter_mut().filter(|one| one.channel.is_none());
        for security in unplaced {
            if !security.torn && security.orders.holds.is_some_and(|holds| !span.follows(holds)) {
                lose(security, time, out);
                self.urgent = true;
            }
        }
    }

    /// Whatever came up to this packet of a channel is of no use, or lost.
    pub(super) fn hurt(&mut self, channel: usize, until: u32) {
        if let Some(Some(span)) = self.spans.get_mut(channel) {
            (span.since, span.hurt) = (until.saturating_add(1), true);
        }
    }

    /// The numbers of a channel begin anew with a packet that was sent then.
    pub(super) fn count_anew(&mut self, channel: usize, began: Timestamp) {
        if let Some(span) = self.spans.get_mut(channel) {
            *span = Some(Span { began, anew: true, ..Span::default() });
        }
    }

    /// Whether a snapshot of everything up to `packet` goes on with what was read of its channel. Of
    /// which channel a security is shows by its first update; until then it may be any.
    pub(super) fn goes_on(&self, channel: Option<usize>, packet: u32, sent: Timestamp) -> bool {
        let goes_on = |span: Span| span.follows(packet) && sent >= span.began;
        let mut spans = self.spans.iter().flatten();
        match channel {
            Some(channel) => {
                let span = self.spans.get(channel).copied().flatten();
                span.is_none_or(|span| goes_on(span) && span.is_near(packet))
            }
            None => {
                let near = self.spans.is_empty() || spans.clone().any(|span| span.is_near(packet));
                near && spans.all(|&span| goes_on(span))
            }
        }
    }

    /// The same of a book by level, whose updates have numbers of their own: where one is known, it
    /// shows what is missing, and so does the next one of what the capture begins behind.
    pub(super) fn covers(&self, at: usize, packet: u32, sent: Timestamp) -> bool {
        let security = &self.securities[at];
        let mut spans = self.spans.iter().flatten().copied();
        match security.channel {
            Some(channel) => {
                let span = self.spans.get(channel).copied().flatten();
                span.is_none_or(|span| {
                    let held = match security.rpt_seq {
                        Some(_) => sent >= span.began,
                        None => span.is_held(packet, sent),
                    };
                    held && span.is_near(packet)
                })
            }
            None => {
                let its = |span: Span| span.is_near(packet) && span.follows(packet);
                let found = spans.clone().next().is_none() || spans.clone().any(its);
                found && spans.all(|span| span.is_held(packet, sent))
            }
        }
    }
}
