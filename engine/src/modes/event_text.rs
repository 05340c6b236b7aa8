//! Events as text: one line each, with the words of `market`. Shared by the modes that show them.

use crate::report::words;
use market::{Event, EventFlags, EventKind, InstrumentId, Price, Qty, TradingStatus};
use std::fmt::Write as _;

/// What an instrument is called and how many digits its quantities have, where that is known.
pub(super) trait Names {
    fn name(&self, id: InstrumentId) -> Option<(&str, u32)>;

    /// The symbol, `all`, or the number.
    fn symbol(&self, id: InstrumentId) -> String {
        match self.name(id) {
            Some((symbol, _)) => symbol.to_owned(),
            None if id == Event::ALL => "all".to_owned(),
            None => format!("#{}", id.0),
        }
    }

    /// A quantity as people write it.
    fn qty(&self, qty: Qty, id: InstrumentId) -> String {
        match self.name(id) {
            Some((_, digits)) => qty.to_decimal(digits).to_string(),
            None => qty.raw().to_string(),
        }
    }
}

/// An event without its time.
pub(super) fn event_text(event: &Event, names: &(impl Names + ?Sized)) -> String {
    let Some(kind) = event.kind() else { return format!("event of unknown kind {}", event.kind) };
    let mut text = format!("{} {}", words(kind), names.symbol(event.instrument));
    if let Some(side) = event.side() {
        let _ = write!(text, " {}", words(side));
    }
    if event.qty != Qty::ZERO || event.price != Price::ZERO {
        let _ = write!(text, " {} at {}", names.qty(event.qty, event.instrument), event.price);
    }
    match kind {
        EventKind::Status => {
            let status = TradingStatus::from_aux(event.aux);
            let status = status.map_or_else(|| "unknown".to_owned(), words);
            let _ = write!(text, " {status}");
        }
        EventKind::Gap | EventKind::Lost => {
            let _ = write!(text, " of {} from {}", event.aux, event.order);
        }
        EventKind::Mark => {
            let _ = write!(text, " next {}", event.order);
        }
        EventKind::Entry => {}
        _ if event.order != 0 => {
            let _ = write!(text, " order {}", event.order);
        }
        _ => {}
    }
    for (flag, name) in [
        (EventFlags::SNAPSHOT, "snapshot"),
        (EventFlags::CROSS, "cross"),
        (EventFlags::NON_PRINTABLE, "not printable"),
        (EventFlags::REPLACE, "replace"),
        (EventFlags::LAST, "last"),
    ] {
        if event.flags.has(flag) {
            let _ = write!(text, ", {name}");
        }
    }
    text
}
