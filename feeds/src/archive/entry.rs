//! Side entries as bytes: fields in the order of `market::side_entry`, little endian. A text stands
//! behind its length of 4 bytes, an optional number behind a byte that is 1 if it is there.

use super::item::Words;
use super::names;
use market::{
    Definition, Imbalance, InstrumentId, Price, Qty, Said, Side, SideEntry, Statistic,
    StatusReason, Timestamp, TradingStatus,
};

/// What an entry says, as its first byte.
mod said {
    pub(super) const DEFINITION: u8 = 1;
    pub(super) const STATUS: u8 = 2;
    pub(super) const IMBALANCE: u8 = 3;
    pub(super) const STATISTIC: u8 = 4;
}

/// Appends an entry.
pub(super) fn put(entry: &SideEntry, out: &mut Vec<u8>) {
    out.extend_from_slice(&entry.instrument.0.to_le_bytes());
    out.extend_from_slice(&entry.exchange_time.nanos().to_le_bytes());
    match &entry.said {
        Said::Definition(definition) => {
            out.push(said::DEFINITION);
            put_definition(definition, out);
        }
        Said::Status(StatusReason { status, reason }) => {
            out.extend_from_slice(&[said::STATUS, *status as u8]);
            put_text(reason, out);
        }
        Said::Imbalance(imbalance) => {
            out.extend_from_slice(&[said::IMBALANCE, imbalance.side.map_or(0, |side| side as u8)]);
            let Imbalance { paired, unpaired, reference, near, far, .. } = **imbalance;
            out.extend_from_slice(&paired.raw().to_le_bytes());
            out.extend_from_slice(&unpaired.raw().to_le_bytes());
            for price in [reference, near, far] {
                put_optional(price.map(Price::raw), out);
            }
            put_text(&imbalance.auction, out);
        }
        Said::Statistic(Statistic { name, price, qty }) => {
            out.push(said::STATISTIC);
            put_text(name, out);
            put_optional(price.map(Price::raw), out);
            put_optional(qty.map(Qty::raw), out);
        }
    }
}

fn put_definition(definition: &Definition, out: &mut Vec<u8>) {
    put_text(&definition.symbol, out);
    out.extend_from_slice(&definition.venue_id.to_le_bytes());
    put_optional(definition.tick.map(Price::raw), out);
    put_optional(definition.lot.map(Qty::raw), out);
    out.extend_from_slice(&definition.qty_digits.to_le_bytes());
    put_optional(definition.multiplier, out);
    put_text(&definition.currency, out);
    put_optional(definition.expiry.map(|time| time.nanos().cast_signed()), out);
    for (name, value) in &definition.details {
        put_text(name, out);
        put_text(value, out);
    }
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_optional(number: Option<i64>, out: &mut Vec<u8>) {
    out.push(u8::from(number.is_some()));
    out.extend_from_slice(&number.unwrap_or(0).to_le_bytes());
}

/// Brings the quantities of an entry to those of `digits` fractional digits; false if one does not
/// fit.
pub(super) fn rescale(said: &mut Said, rescaled: impl Fn(Qty) -> Option<Qty>, digits: u32) -> bool {
    let fit = |qty: &mut Qty| rescaled(*qty).map(|new| *qty = new).is_some();
    match said {
        Said::Status(_) => true,
        Said::Definition(definition) => {
            definition.qty_digits = digits;
            definition.lot.as_mut().is_none_or(fit)
        }
        Said::Imbalance(imbalance) => fit(&mut imbalance.paired) && fit(&mut imbalance.unpaired),
        Said::Statistic(statistic) => statistic.qty.as_mut().is_none_or(fit),
    }
}

/// The entry of its bytes; `None` if they are none.
pub(super) fn parse(bytes: &[u8]) -> Option<SideEntry> {
    let words = &mut Words(bytes);
    let instrument = InstrumentId(words.u32()?);
    let exchange_time = Timestamp::from_nanos(words.u64()?);
    let said = match words.byte()? {
        said::DEFINITION => Said::Definition(Box::new(definition(words)?)),
        said::STATUS => Said::Status(StatusReason {
            status: TradingStatus::from_aux(words.byte()?.into())?,
            reason: words.text()?.to_owned(),
        }),
        said::IMBALANCE => Said::Imbalance(Box::new(Imbalance {
            side: Side::from_byte(words.byte()?),
            paired: Qty::from_raw(words.u64()?.cast_signed()),
            unpaired: Qty::from_raw(words.u64()?.cast_signed()),
            reference: optional(words)?.map(Price::from_raw),
            near: optional(words)?.map(Price::from_raw),
            far: optional(words)?.map(Price::from_raw),
            auction: words.text()?.to_owned(),
        })),
        said::STATISTIC => Said::Statistic(Statistic {
            name: names::name(words.text()?)?,
            price: optional(words)?.map(Price::from_raw),
            qty: optional(words)?.map(Qty::from_raw),
        }),
        _ => return None,
    };
    words.0.is_empty().then_some(SideEntry { instrument, exchange_time, said })
}

fn definition(words: &mut Words<'_>) -> Option<Definition> {
    let mut definition = Definition {
        symbol: words.text()?.to_owned(),
        venue_id: words.u64()?,
        tick: optional(words)?.map(Price::from_raw),
        lot: optional(words)?.map(Qty::from_raw),
        qty_digits: words.u32()?,
        multiplier: optional(words)?,
        currency: words.text()?.to_owned(),
        expiry: optional(words)?.map(|nanos| Timestamp::from_nanos(nanos.cast_unsigned())),
        details: Vec::new(),
    };
    while !words.0.is_empty() {
        definition.details.push((names::name(words.text()?)?, words.text()?.to_owned()));
    }
    Some(definition)
}

/// A number that may not be there.
fn optional(words: &mut Words<'_>) -> Option<Option<i64>> {
    let there = words.byte()?;
    let number = words.u64()?.cast_signed();
    (there <= 1).then_some((there == 1).then_some(number))
}
