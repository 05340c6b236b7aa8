//! Which securities there are: by the ids of their updates, by their definitions, and what is said
//! of them by group.

use super::decode::Decoder;
use super::definition::{self, Defined};
use super::security::Security;
use super::templates::Layout;
use super::wire::Message;
use crate::capture::Held;
use crate::recording::Instruments;
use market::{Event, EventKind, Said, SideEntry, Sink as _, StatusReason, Timestamp};

impl Decoder {
    /// The security of an id, which is added if there is room.
    pub(super) fn security(&mut self, id: i32) -> Option<usize> {
        if let Some(&at) = self.by_id.get(&id) {
            return Some(at);
        }
        if self.securities.len() >= Instruments::MAX {
            return None;
        }
        let at = self.add(id);
        self.bind(at, &id.to_string());
        Some(at)
    }

    fn add(&mut self, id: i32) -> usize {
        self.by_id.insert(id, self.securities.len());
        self.securities.push(Security::new());
        self.securities.len() - 1
    }

    /// Gives a security the instrument of this symbol, if it is wanted and no other's.
    fn bind(&mut self, at: usize, symbol: &str) {
        let Some(known) = self.instruments.resolve(symbol, 0) else { return };
        if self.bound.insert(known.id) {
            self.securities[at].instrument = Some(known.id);
            self.securities[at].units = 10i64.checked_pow(known.qty_digits).unwrap_or(1);
        }
    }

    /// A definition: its security, which may be new, and a side entry unless it was said before.
    pub(super) fn definition(
        &mut self,
        layout: Layout,
        message: &Message<'_>,
        out: &mut Held,
    ) -> Result<(), &'static str> {
        let Defined { security: id, group, depth, mut definition } =
            definition::read(layout, &message.root, message.rest)?;
        let at = match self.by_id.get(&id) {
            Some(&at) => at,
            None if self.securities.len() >= Instruments::MAX => return Ok(()),
            None => self.add(id),
        };
        if self.securities[at].instrument.is_none() {
            self.bind(at, &definition.symbol);
        }
        if self.securities[at].instrument.is_none() {
            self.bind(at, &id.to_string());
        }
        let security = &mut self.securities[at];
        security.group = Some(group);
        security.depth = depth.unwrap_or(security.depth);
        let Some(instrument) = security.instrument else { return Ok(()) };
        let Some(symbol) = self.instruments.get(instrument).map(|known| known.symbol.clone())
        else {
            return Ok(());
        };
        let Some(known) = self.instruments.resolve(&symbol, 0) else { return Ok(()) };
        definition.qty_digits = known.qty_digits;
        // A replay says the same again and again.
        if known.definition.as_deref() != Some(&definition) {
            known.definition = Some(Box::new(definition.clone()));
            let exchange_time = Timestamp::from_nanos(message.root.u64(6).unwrap_or(0));
            let said = Said::Definition(Box::new(definition));
            out.entry(SideEntry { instrument, exchange_time, said });
        }
        Ok(())
    }

    /// A status of one security, or of those of a group.
    pub(super) fn status(
        &mut self,
        message: &Message<'_>,
        out: &mut Held,
    ) -> Result<(), &'static str> {
        let root = &message.root;
        let (Some(time), Some(code)) = (root.u64(0), root.u8(27)) else {
            return Err("message shorter than its fields");
        };
        let Some(status) = definition::status(code) else { return Ok(()) };
        let reason = definition::reason(code, root.u8(28), root.u8(29));
        let exchange_time = Timestamp::from_nanos(time);
        let one = root.i32(20).filter(|&id| id != i32::MAX);
        let one = one.and_then(|id| self.security(id));
        let (group, asset) = (root.text(8, 6), root.text(14, 6));
        for (at, security) in self.securities.iter().enumerate() {
            let concerns = match one {
                Some(one) => one == at,
                None => security.group.as_ref().is_some_and(|(of, product)| {
                    *of == group && (asset.is_empty() || *product == asset)
                }),
            };
            let Some(instrument) = security.instrument.filter(|_| concerns) else { continue };
            let event = Event::new(EventKind::Status, instrument);
            out.event(Event { exchange_time, aux: status as u32, ..event });
            let said = Said::Status(StatusReason { status, reason: reason.clone() });
            out.entry(SideEntry { instrument, exchange_time, said });
        }
        Ok(())
    }
}
