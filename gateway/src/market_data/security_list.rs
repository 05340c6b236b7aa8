//! SecurityListRequest (x) and SecurityList (y): what a venue says of its instruments, held against
//! what the engine was told.
//!
//! It makes no instrument: fees, hours and bounds do not stand in the list. It tells what differs,
//! so that nothing is quoted in ticks or lots that the venue has not.

use crate::fix::message::{as_decimal, as_u64};
use crate::fix::tags;
use crate::fix::{EncodeError, Encoder, Fault, Group, Instance, Message, RejectCode};
use crate::orders::Instruments;
use market::{Instrument, InstrumentId, Price, Qty};

/// A request for the list of one instrument. That of all may be longer than any message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListRequest {
    /// SecurityReqID (320).
    pub id: u64,
    /// SecurityListRequestType (559): 0 for one by FIX and Binance.
    pub kind: u32,
    /// Symbol (55).
    pub instrument: InstrumentId,
}

impl ListRequest {
    /// Adds the body of the request to a message of type x. An instrument that is not in the table
    /// makes [`Encoder::finish`] fail.
    pub fn encode(&self, instruments: &Instruments, encoder: &mut Encoder<'_>) {
        encoder.u64(tags::SECURITY_REQ_ID, self.id);
        encoder.u64(tags::SECURITY_LIST_REQUEST_TYPE, u64::from(self.kind));
        match instruments.get(self.instrument) {
            Some(instrument) => encoder.padded(tags::SYMBOL, &instrument.symbol),
            None => encoder.fail(EncodeError::UnknownInstrument),
        }
    }
}

/// Smallest quantity step, as Binance has it.
const MIN_QTY_INCREMENT: u32 = 25_039;
/// Ticks that go by price: Deribit's options, FIX.5.0SP2.
const NO_TICK_RULES: u32 = 1_205;
const START_TICK_PRICE_RANGE: u32 = 1_206;
const TICK_INCREMENT: u32 = 1_208;

/// One instrument of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Symbol (55).
    pub symbol: &'a [u8],
    /// MinPriceIncrement (969).
    pub tick: Option<Price>,
    /// The largest tick of any range of prices (1208), where ticks go by price.
    pub coarsest_tick: Option<Price>,
    /// MinQtyIncrement (25039), as it is written.
    lot: Option<&'a [u8]>,
    /// MinTradeVol (562), as it is written.
    least: Option<&'a [u8]>,
}

impl<'a> Listed<'a> {
    /// The instruments of a message of type y, in its order.
    ///
    /// # Errors
    /// [`Fault`]: the message is of another type, says that there is no list (560), or its group is
    /// none; of each instrument, what of it cannot be read.
    pub fn all(
        message: &Message<'a>,
    ) -> Result<impl Iterator<Item = Result<Listed<'a>, Fault>> + use<'a>, Fault> {
        if message.msg_type() != tags::msg::SECURITY_LIST {
            return Err(Fault::new(RejectCode::MsgType, tags::MSG_TYPE));
        }
        let tag = tags::SECURITY_REQUEST_RESULT;
        if message.get(tag).map(|value| as_u64(tag, value)).transpose()?.is_some_and(|no| no != 0) {
            return Err(Fault::new(RejectCode::ValueIncorrect, tag));
        }
        let group: Group<'a> = message.group(tags::NO_RELATED_SYM, tags::SYMBOL)?;
        Ok(group.instances().map(|instance| Listed::of(&instance)))
    }

    fn of(instance: &Instance<'a>) -> Result<Listed<'a>, Fault> {
        let missing = Fault::new(RejectCode::RequiredTagMissing, tags::SYMBOL);
        let price = |tag, value| as_decimal(tag, value, Price::DIGITS).map(Price::from_raw);
        let mut coarsest_tick = None;
        if instance.get(NO_TICK_RULES).is_some() {
            for rule in instance.group(NO_TICK_RULES, START_TICK_PRICE_RANGE)?.instances() {
                let tick = rule.get(TICK_INCREMENT).map(|value| price(TICK_INCREMENT, value));
                coarsest_tick = coarsest_tick.max(tick.transpose()?);
            }
        }
        let tick = instance.get(tags::MIN_PRICE_INCREMENT);
        let tick = tick.map(|value| price(tags::MIN_PRICE_INCREMENT, value)).transpose()?;
        let (lot, least) = (instance.get(MIN_QTY_INCREMENT), instance.get(tags::MIN_TRADE_VOL));
        let symbol = instance.get(tags::SYMBOL).ok_or(missing)?;
        Ok(Listed { symbol, tick, coarsest_tick, lot, least })
    }

    /// What of `instrument` the venue would refuse: a tick or lot that is no multiple of its own,
    /// the coarsest tick where they go by price; a smallest quantity below its own. `None` if
    /// nothing is known to be wrong.
    ///
    /// # Errors
    /// [`Fault`] if a quantity of the list has more digits than the instrument's.
    pub fn differs(&self, instrument: &Instrument) -> Result<Option<Differs>, Fault> {
        let multiple = |ours: i64, theirs: i64| ours.checked_rem(theirs) == Some(0);
        let qty = |tag, value| as_decimal(tag, value, instrument.qty_digits);
        for tick in [self.tick, self.coarsest_tick].into_iter().flatten() {
            if !multiple(instrument.tick.raw(), tick.raw()) {
                return Ok(Some(Differs::Tick(tick)));
            }
        }
        if let Some(lot) = self.lot.map(|value| qty(MIN_QTY_INCREMENT, value)).transpose()?
            && !multiple(instrument.lot.raw(), lot)
        {
            return Ok(Some(Differs::Lot(Qty::from_raw(lot))));
        }
        let least = self.least.map(|value| qty(tags::MIN_TRADE_VOL, value)).transpose()?;
        let least = least.map(Qty::from_raw).filter(|least| instrument.qty_bounds.0 < *least);
        Ok(least.map(Differs::Least))
    }
}

/// What a venue has otherwise than the engine was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// Prices go in steps of this one.
    Tick(Price),
    /// Quantities go in steps of this one, in the instrument's units.
    Lot(Qty),
    /// Quantities begin with this one, in the instrument's units.
    Least(Qty),
}
