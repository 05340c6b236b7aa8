//! The fields of one market data entry, each at most once, and their values.
//!
//! Nothing is decided here of what an entry means, and no value is rounded.

use crate::fix::message::{as_char, as_decimal, as_time, as_u64};
use crate::fix::number::parse_u64;
use crate::fix::{Fault, Instance, Message, RejectCode, tags, time};
use market::ids::digest64;
use market::{Nanos, Price, Qty, Side, Timestamp};

/// An entry as it stands in the message.
#[derive(Default)]
pub(super) struct Entry<'a> {
    pub(super) action: Option<&'a [u8]>,
    pub(super) kind: Option<&'a [u8]>,
    pub(super) id: Option<&'a [u8]>,
    pub(super) reference: Option<&'a [u8]>,
    price: Option<&'a [u8]>,
    size: Option<&'a [u8]>,
    number: Option<&'a [u8]>,
    date: Option<&'a [u8]>,
    time: Option<&'a [u8]>,
    transact: Option<&'a [u8]>,
    trade: Option<&'a [u8]>,
    side: Option<&'a [u8]>,
    aggressor: Option<&'a [u8]>,
}

impl<'a> Entry<'a> {
    pub(super) fn of(instance: &Instance<'a>, trade_id_tag: u32) -> Result<Entry<'a>, Fault> {
        let mut this = Entry::default();
        for (tag, value) in instance.fields() {
            let slot = match tag {
                tags::MD_UPDATE_ACTION => &mut this.action,
                tags::MD_ENTRY_TYPE => &mut this.kind,
                tags::MD_ENTRY_ID => &mut this.id,
                tags::MD_ENTRY_REF_ID => &mut this.reference,
                tags::MD_ENTRY_PX => &mut this.price,
                tags::MD_ENTRY_SIZE => &mut this.size,
                tags::RPT_SEQ => &mut this.number,
                tags::MD_ENTRY_DATE => &mut this.date,
                tags::MD_ENTRY_TIME => &mut this.time,
                tags::TRANSACT_TIME => &mut this.transact,
                tags::SIDE => &mut this.side,
                tags::AGGRESSOR_SIDE => &mut this.aggressor,
                other if other == trade_id_tag => &mut this.trade,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(Fault::new(RejectCode::Repeated, tag));
            }
        }
        Ok(this)
    }

    /// MDEntryType (269).
    pub(super) fn kind(&self) -> Result<u8, Fault> {
        as_char(tags::MD_ENTRY_TYPE, need(tags::MD_ENTRY_TYPE, self.kind)?)
    }

    /// MDUpdateAction (279).
    pub(super) fn action(&self) -> Result<u8, Fault> {
        as_char(tags::MD_UPDATE_ACTION, need(tags::MD_UPDATE_ACTION, self.action)?)
    }

    /// RptSeq (83).
    pub(super) fn number(&self) -> Result<Option<u64>, Fault> {
        self.number.map(|value| as_u64(tags::RPT_SEQ, value)).transpose()
    }

    pub(super) fn price(&self) -> Result<Price, Fault> {
        let value = need(tags::MD_ENTRY_PX, self.price)?;
        as_decimal(tags::MD_ENTRY_PX, value, Price::DIGITS).map(Price::from_raw)
    }

    /// A size, which may be nothing but not less.
    pub(super) fn size(&self, digits: u32) -> Result<Qty, Fault> {
        let value = need(tags::MD_ENTRY_SIZE, self.size)?;
        match as_decimal(tags::MD_ENTRY_SIZE, value, digits)? {
            negative if negative < 0 => {
                Err(Fault::new(RejectCode::ValueIncorrect, tags::MD_ENTRY_SIZE))
            }
            raw => Ok(Qty::from_raw(raw)),
        }
    }

    /// The number of a trade's id; zero where it has none.
    pub(super) fn trade(&self) -> u64 {
        self.trade.or(self.id).map_or(0, number_of)
    }

    /// The side that rested, of a trade: not that of the aggressor. Side (54) is the aggressor's,
    /// as Deribit says it; AggressorSide (2446) goes before.
    pub(super) fn resting(&self) -> Result<Option<Side>, Fault> {
        let (tag, value) = match self.aggressor {
            Some(value) => (tags::AGGRESSOR_SIDE, value),
            None => match self.side {
                Some(value) => (tags::SIDE, value),
                None => return Ok(None),
            },
        };
        match value {
            b"1" => Ok(Some(Side::Sell)),
            b"2" => Ok(Some(Side::Buy)),
            // No aggressor: an auction, or not said.
            b"0" => Ok(None),
            _ => Err(Fault::new(RejectCode::ValueIncorrect, tag)),
        }
    }

    /// When it happened: TransactTime (60), else MDEntryDate and MDEntryTime (272, 273), else
    /// `sent`. Some venues have a whole timestamp in 272, others a time without its date: that is
    /// then the last such time before `sent`.
    pub(super) fn time(&self, sent: Timestamp) -> Result<Timestamp, Fault> {
        match (self.transact, self.date, self.time) {
            (Some(value), ..) => as_time(tags::TRANSACT_TIME, value),
            (None, None, None) => Ok(sent),
            (None, Some(date), Some(time)) if date.len() == DATE => {
                joined(date, time).ok_or(Fault::new(RejectCode::DataFormat, tags::MD_ENTRY_TIME))
            }
            // A date alone says less than the sending.
            (None, Some(date), None) if date.len() == DATE => Ok(sent),
            (None, Some(whole), _) => as_time(tags::MD_ENTRY_DATE, whole),
            (None, None, Some(time)) => {
                let wrong = Fault::new(RejectCode::DataFormat, tags::MD_ENTRY_TIME);
                let of_day = Nanos::new(joined(EPOCH, time).ok_or(wrong)?.nanos());
                let same_day = sent.midnight().after(of_day);
                match same_day.nanos() > sent.after(SKEW).nanos() {
                    true => {
                        Ok(Timestamp::from_nanos(same_day.nanos().saturating_sub(Nanos::DAY.get())))
                    }
                    false => Ok(same_day),
                }
            }
        }
    }
}

/// Length of `YYYYMMDD`.
const DATE: usize = 8;
const EPOCH: &[u8] = b"19700101";
/// By how much an entry may be younger than its message: clocks of one venue.
const SKEW: Nanos = Nanos::SECOND;

/// The time of a date and a time of day.
fn joined(date: &[u8], time: &[u8]) -> Option<Timestamp> {
    let mut text = [b'-'; DATE + 1 + 18];
    text.get_mut(..DATE)?.copy_from_slice(date);
    let end = DATE + 1 + time.len();
    text.get_mut(DATE + 1..end)?.copy_from_slice(time);
    time::parse(&text[..end])
}

/// An id that is a number is that number, any other text its digest.
pub(super) fn number_of(text: &[u8]) -> u64 {
    parse_u64(text).unwrap_or_else(|_| digest64(text))
}

pub(super) fn need(tag: u32, value: Option<&[u8]>) -> Result<&[u8], Fault> {
    value.ok_or(Fault::new(RejectCode::RequiredTagMissing, tag))
}

/// When a message was made: TransactTime (60) before its group, else SendingTime (52).
pub(super) fn sent_at(message: &Message<'_>, count: u32) -> Result<Timestamp, Fault> {
    let before = message.fields().take_while(|(tag, _)| *tag != count);
    let found = before.filter(|(tag, _)| matches!(*tag, tags::SENDING_TIME | tags::TRANSACT_TIME));
    match found.max_by_key(|(tag, _)| *tag) {
        Some((tag, value)) => as_time(tag, value),
        None => Err(Fault::new(RejectCode::RequiredTagMissing, tags::SENDING_TIME)),
    }
}
