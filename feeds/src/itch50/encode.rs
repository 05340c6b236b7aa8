//! Market events to ITCH 5.0 messages: what a venue of ours publishes.
//!
//! Instruments that ITCH cannot speak of are refused at construction; an event that it cannot say
//! is refused by reason, counted, and changes nothing. Match numbers are counted here, since
//! events do not carry those of executions. Never invents market data.

use super::message::{
    AddOrder, Canceled, Deleted, Executed, ExecutedPriced, Header, Replaced, StockDirectory,
    SystemEvent, Trade, TradingAction,
};
use super::{DAY, Listing, ListingError, PRICE_MAX, PRICE_UNIT, share, stock};
use market::{
    Event, EventFlags, EventKind, Instrument, Price, Qty, Side, Timestamp, TradingStatus,
};

/// Why an event was not encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[repr(u8)]
pub enum Refusal {
    /// ITCH has no message for the kind, status or flags.
    #[error("ITCH 5.0 has no message for this event")]
    Unsupported,
    /// The instrument was not given at construction.
    #[error("instrument is not in the directory")]
    UnknownInstrument,
    /// The price is no multiple of 1e-4 within 0.0001 and 199,999.99.
    #[error("price is no multiple of 0.0001 within 0.0001 and 199999.99")]
    BadPrice,
    /// The quantity is no whole number of shares within 1 and 2^32 − 1.
    #[error("quantity is no whole number of shares within 1 and 4294967295")]
    BadQuantity,
    /// The time lies before the session day or after it.
    #[error("time is not within the session day: begin a new session at midnight")]
    BadTime,
    /// An order without a side.
    #[error("an added order has no side")]
    MissingSide,
    /// Half of a replace without its other half.
    #[error("half of a replace: Delete and Add with REPLACE must follow each other")]
    BrokenReplace,
}

impl Refusal {
    /// Every reason, in the order of the counters.
    pub const ALL: [Refusal; 7] = [
        Refusal::Unsupported,
        Refusal::UnknownInstrument,
        Refusal::BadPrice,
        Refusal::BadQuantity,
        Refusal::BadTime,
        Refusal::MissingSide,
        Refusal::BrokenReplace,
    ];
}

/// An instrument as the encoder needs it.
#[derive(Clone, Copy, Debug)]
struct Listed {
    stock: [u8; 8],
    share: i64,
}

/// Turns events into messages. Locate codes are 1, 2, … in the order of the instruments.
///
/// ```
/// use feeds::itch50::{Encoder, Message};
/// use market::{Event, EventKind, Instrument, InstrumentId, Timestamp};
/// let mut encoder = Encoder::new(&[Instrument::share(0, "ARL")], Timestamp::ZERO).unwrap();
/// let mut out: Vec<Vec<u8>> = Vec::new();
/// let delete = Event { order: 7, ..Event::new(EventKind::Delete, InstrumentId(0)) };
/// encoder.encode(&delete, &mut |message| out.push(message.to_vec())).unwrap();
/// assert!(matches!(Message::parse(&out[0]), Ok(Message::Deleted(m)) if m.order == 7));
/// ```
#[derive(Clone, Debug)]
pub struct Encoder {
    listed: Vec<Listed>,
    /// Locate code by instrument; zero where there is none.
    locates: Vec<u16>,
    base: Timestamp,
    next_match: u64,
    /// The first half of a replace, waiting for the second.
    replaced: Option<(Header, Event)>,
    refused: [u64; Refusal::ALL.len()],
}

impl Encoder {
    /// An encoder for `instruments`, whose ids must be small (they index a table). `base` is the
    /// midnight that stamps count from. Match numbers begin at 1.
    ///
    /// # Errors
    /// [`ListingError`] if an instrument's symbol, tick, lot or bounds do not fit ITCH.
    pub fn new(instruments: &[Instrument], base: Timestamp) -> Result<Encoder, ListingError> {
        if instruments.len() >= usize::from(u16::MAX) {
            return Err(ListingError::TooMany(instruments.len()));
        }
        let ids = instruments.iter().map(|instrument| instrument.id.index() + 1).max();
        let mut locates = vec![0; ids.unwrap_or(0)];
        let mut listed: Vec<Listed> = Vec::with_capacity(instruments.len());
        for (locate, instrument) in (1u16..).zip(instruments) {
            let one = check(instrument)?;
            let twice = listed.iter().any(|other| other.stock == one.stock);
            if twice || std::mem::replace(&mut locates[instrument.id.index()], locate) != 0 {
                return Err(ListingError::Duplicate(instrument.symbol.clone()));
            }
            listed.push(one);
        }
        let refused = [0; Refusal::ALL.len()];
        Ok(Encoder { listed, locates, base, next_match: 1, replaced: None, refused })
    }

    /// Sets the next match number: a venue that takes up a session again must not give one twice.
    pub fn set_next_match(&mut self, next: u64) {
        self.next_match = next;
    }

    /// Events refused for a reason.
    #[must_use]
    pub fn refused(&self, reason: Refusal) -> u64 {
        self.refused[reason as usize]
    }

    /// A system event message: O, S, Q, M, E or C.
    ///
    /// # Errors
    /// [`Refusal::BadTime`].
    pub fn system(
        &mut self,
        event_code: u8,
        time: Timestamp,
        out: &mut impl FnMut(&[u8]),
    ) -> Result<(), Refusal> {
        let header = self.counted(|encoder| encoder.header(0, time))?;
        out(&SystemEvent { header, event_code }.write());
        Ok(())
    }

    /// A directory message for each instrument.
    ///
    /// # Errors
    /// [`Refusal::BadTime`].
    pub fn directory(
        &mut self,
        time: Timestamp,
        out: &mut impl FnMut(&[u8]),
    ) -> Result<(), Refusal> {
        for (locate, at) in (1u16..).zip(0..self.listed.len()) {
            let header = self.counted(|encoder| encoder.header(locate, time))?;
            out(&directory_entry(header, self.listed[at].stock).write());
        }
        Ok(())
    }

    /// Encodes one event into no message (the first half of a replace), one, or two (a first
    /// half that no second followed becomes a plain delete). Gap marks and the like are refused.
    ///
    /// # Errors
    /// [`Refusal`], already counted, if ITCH cannot say it.
    pub fn encode(&mut self, event: &Event, out: &mut impl FnMut(&[u8])) -> Result<(), Refusal> {
        let second = event.kind() == Some(EventKind::Add) && event.flags.has(EventFlags::REPLACE);
        if let Some((header, first)) = self.replaced.take() {
            if second && first.instrument == event.instrument {
                let done = self.counted(|encoder| encoder.replace(&first, event, out));
                if done.is_err() {
                    out(&Deleted { header, order: first.order }.write());
                }
                return done;
            }
            out(&Deleted { header, order: first.order }.write());
            self.refused[Refusal::BrokenReplace as usize] += 1;
        }
        self.counted(|encoder| encoder.encode_one(event, out))
    }

    fn counted<T>(
        &mut self,
        encode: impl FnOnce(&mut Encoder) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        encode(self).inspect_err(|&refusal| self.refused[refusal as usize] += 1)
    }

    fn encode_one(&mut self, event: &Event, out: &mut impl FnMut(&[u8])) -> Result<(), Refusal> {
        let kind = event.kind().ok_or(Refusal::Unsupported)?;
        if kind == EventKind::Status && event.instrument == Event::ALL {
            if event.aux != TradingStatus::Closed as u32 {
                return Err(Refusal::Unsupported);
            }
            let header = self.header(0, event.exchange_time)?;
            out(&SystemEvent { header, event_code: b'M' }.write());
            return Ok(());
        }
        let (header, Listed { stock, share }) = self.subject(event)?;
        let (order, flags) = (event.order, event.flags);
        match kind {
            EventKind::Add if flags.has(EventFlags::REPLACE) => return Err(Refusal::BrokenReplace),
            EventKind::Add => {
                let side = match event.side().ok_or(Refusal::MissingSide)? {
                    Side::Buy => b'B',
                    Side::Sell => b'S',
                };
                let (shares, price) = (shares(event.qty, share)?, price(event.price)?);
                out(&AddOrder { header, order, side, shares, stock, price }.write());
            }
            EventKind::Delete if flags.has(EventFlags::REPLACE) => {
                self.replaced = Some((header, *event));
            }
            EventKind::Delete => out(&Deleted { header, order }.write()),
            EventKind::Reduce => {
                let shares = shares(event.qty, share)?;
                out(&Canceled { header, order, shares }.write());
            }
            EventKind::Execute => self.execute(header, event, share, out)?,
            EventKind::Trade if !flags.has(EventFlags::CROSS) => {
                let (shares, price) = (shares(event.qty, share)?, price(event.price)?);
                let match_number = if order == 0 { self.take_match() } else { order };
                let (order, side) = (0, b'B');
                out(&Trade { header, order, side, shares, stock, price, match_number }.write());
            }
            EventKind::Status => {
                let trading_state = match TradingStatus::from_aux(event.aux) {
                    Some(TradingStatus::Trading) => b'T',
                    Some(TradingStatus::Halted) => b'H',
                    Some(TradingStatus::Auction) => b'Q',
                    _ => return Err(Refusal::Unsupported),
                };
                let (reserved, reason) = (b' ', [b' '; 4]);
                out(&TradingAction { header, stock, trading_state, reserved, reason }.write());
            }
            _ => return Err(Refusal::Unsupported),
        }
        Ok(())
    }

    fn execute(
        &mut self,
        header: Header,
        event: &Event,
        share: i64,
        out: &mut impl FnMut(&[u8]),
    ) -> Result<(), Refusal> {
        let (order, shares) = (event.order, shares(event.qty, share)?);
        let hidden = event.flags.has(EventFlags::NON_PRINTABLE);
        if event.flags.has(EventFlags::PRICED) {
            let price = price(event.price)?;
            let printable = if hidden { b'N' } else { b'Y' };
            let match_number = self.take_match();
            out(&ExecutedPriced { header, order, shares, match_number, printable, price }.write());
        } else if hidden {
            return Err(Refusal::Unsupported); // Only C can say it, and C needs a price.
        } else {
            let match_number = self.take_match();
            out(&Executed { header, order, shares, match_number }.write());
        }
        Ok(())
    }

    fn replace(
        &mut self,
        first: &Event,
        second: &Event,
        out: &mut impl FnMut(&[u8]),
    ) -> Result<(), Refusal> {
        let (header, listed) = self.subject(second)?;
        let (shares, price) = (shares(second.qty, listed.share)?, price(second.price)?);
        let (order, new_order) = (first.order, second.order);
        out(&Replaced { header, order, new_order, shares, price }.write());
        Ok(())
    }

    fn subject(&self, event: &Event) -> Result<(Header, Listed), Refusal> {
        let locate = self.locates.get(event.instrument.index()).copied().unwrap_or(0);
        let at = usize::from(locate).checked_sub(1).ok_or(Refusal::UnknownInstrument)?;
        Ok((self.header(locate, event.exchange_time)?, self.listed[at]))
    }

    fn header(&self, locate: u16, at: Timestamp) -> Result<Header, Refusal> {
        let time = at.nanos().checked_sub(self.base.nanos()).filter(|&time| time < DAY);
        Ok(Header { locate, tracking: 0, time: time.ok_or(Refusal::BadTime)? })
    }

    fn take_match(&mut self) -> u64 {
        let number = self.next_match;
        self.next_match += 1;
        number
    }
}

/// What the directory says of an instrument of ours: a live common share of the test issuer.
fn directory_entry(header: Header, stock: [u8; 8]) -> StockDirectory {
    StockDirectory {
        header,
        stock,
        market_category: b'Q',
        financial_status: b'N',
        round_lot_size: 100,
        round_lots_only: b'N',
        issue_classification: b'C',
        issue_sub_type: *b"Z ",
        authenticity: b'P',
        short_sale_threshold: b'N',
        ipo_flag: b'N',
        luld_tier: b'1',
        etp_flag: b'N',
        etp_leverage: 0,
        inverse: b'N',
    }
}

/// Everything that the instrument may ever quote must fit the fields.
fn check(instrument: &Instrument) -> Result<Listed, ListingError> {
    let Listing { symbol, qty_digits, .. } = Listing::from(instrument);
    let (stock, share) = (stock(&symbol)?, share(&symbol, qty_digits)?);
    if instrument.tick.raw() <= 0 || instrument.tick.raw() % PRICE_UNIT != 0 {
        return Err(ListingError::Tick(symbol));
    }
    let (low, high) = instrument.price_bounds;
    if low.raw() < PRICE_UNIT || high.raw() > i64::from(PRICE_MAX) * PRICE_UNIT {
        return Err(ListingError::PriceBounds(symbol));
    }
    if instrument.lot.raw() <= 0 || instrument.lot.raw() % share != 0 {
        return Err(ListingError::Lot(symbol));
    }
    let (low, high) = instrument.qty_bounds;
    if low.raw() < share || high.raw() / share > i64::from(u32::MAX) {
        return Err(ListingError::QtyBounds(symbol));
    }
    Ok(Listed { stock, share })
}

fn shares(qty: Qty, share: i64) -> Result<u32, Refusal> {
    let whole = (qty.raw() % share == 0 && qty.is_positive()).then(|| qty.raw() / share);
    whole.and_then(|shares| u32::try_from(shares).ok()).ok_or(Refusal::BadQuantity)
}

fn price(price: Price) -> Result<u32, Refusal> {
    let exact = (price.raw() % PRICE_UNIT == 0).then(|| price.raw() / PRICE_UNIT);
    let fits = |&units: &u32| 0 < units && units <= PRICE_MAX;
    exact.and_then(|units| u32::try_from(units).ok()).filter(fits).ok_or(Refusal::BadPrice)
}
