//! Which locate code is which instrument, and whether it is halted.
//!
//! Locate codes are given anew each day by directory messages (R). Keeps no order and no price.

use super::{Listing, ListingError, Skip, share, stock};
use market::{InstrumentId, TradingStatus};

/// What is known of one locate code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) instrument: InstrumentId,
    /// What H last said.
    status: TradingStatus,
    /// One bit for each market code under an operational halt.
    halts: u8,
    /// Raw quantity units in one share.
    pub(super) share: i64,
}

/// `instrument` of a slot that no message named yet.
const UNSEEN: InstrumentId = InstrumentId(u32::MAX);
/// `instrument` of a slot that nobody subscribed to.
const UNSUBSCRIBED: InstrumentId = InstrumentId(u32::MAX - 1);
const EMPTY: Slot = Slot { instrument: UNSEEN, status: TradingStatus::Unknown, halts: 0, share: 1 };

/// A subscribed instrument.
#[derive(Clone, Copy, Debug)]
struct Subscription {
    stock: [u8; 8],
    instrument: InstrumentId,
    share: i64,
    locate: Option<u16>,
}

/// One slot for each of the 65,536 locate codes: a message finds its instrument in one load.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    slots: Box<[Slot]>,
    /// Sorted by stock.
    subscriptions: Vec<Subscription>,
    /// With [`Directory::discovering`]: the symbols met, by instrument.
    met: Option<Vec<[u8; 8]>>,
}

/// Most instruments that are discovered: as many as there are locate codes.
const MET_MAX: usize = 1 << 16;

impl Directory {
    pub(super) fn new(listings: &[Listing]) -> Result<Directory, ListingError> {
        let mut subscriptions = Vec::with_capacity(listings.len());
        for listing in listings {
            subscriptions.push(Subscription {
                stock: stock(&listing.symbol)?,
                instrument: listing.instrument,
                share: share(&listing.symbol, listing.qty_digits)?,
                locate: None,
            });
        }
        subscriptions.sort_by_key(|subscription| subscription.stock);
        if let Some(pair) = subscriptions.windows(2).find(|pair| pair[0].stock == pair[1].stock) {
            let symbol = String::from_utf8_lossy(pair[0].stock.trim_ascii_end()).into_owned();
            return Err(ListingError::Duplicate(symbol));
        }
        let slots = vec![EMPTY; 1 << 16].into_boxed_slice();
        Ok(Directory { slots, subscriptions, met: None })
    }

    /// A directory that subscribes to every instrument it meets and numbers them from 0.
    pub(super) fn discovering() -> Directory {
        let slots = vec![EMPTY; 1 << 16].into_boxed_slice();
        Directory { slots, subscriptions: Vec::new(), met: Some(Vec::new()) }
    }

    /// The symbols discovered, by instrument.
    pub(super) fn met(&self) -> &[[u8; 8]] {
        self.met.as_deref().unwrap_or_default()
    }

    /// The instrument of a locate code, if it is one that events are given of.
    pub(super) fn instrument(&self, locate: u16) -> Option<InstrumentId> {
        let found = self.slots[usize::from(locate)].instrument;
        (found.0 < UNSUBSCRIBED.0).then_some(found)
    }

    pub(super) fn reset(&mut self) {
        self.slots.fill(EMPTY);
        for subscription in &mut self.subscriptions {
            subscription.locate = None;
        }
    }

    /// The slot of a subscribed locate. A locate not seen before is bound by `stock`, if given.
    #[inline]
    pub(super) fn slot(&mut self, locate: u16, stock: Option<&[u8; 8]>) -> Result<Slot, Skip> {
        let slot = self.slots[usize::from(locate)];
        if slot.instrument.0 < UNSUBSCRIBED.0 {
            return Ok(slot);
        }
        match (slot.instrument, stock) {
            (UNSUBSCRIBED, _) => Err(Skip::Unsubscribed),
            (_, None) => Err(Skip::UnknownLocate),
            (_, Some(stock)) => {
                self.bind(locate, stock)?;
                self.slot(locate, None)
            }
        }
    }

    /// Binds a locate to the instrument that has the symbol. A locate or symbol that was bound
    /// otherwise is bound anew; said again, nothing changes.
    pub(super) fn bind(&mut self, locate: u16, stock: &[u8; 8]) -> Result<(), Skip> {
        // Only spaces fill the field: other blanks would make two symbols look like one.
        let filled = stock.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
        if filled == 0 || !stock[..filled].iter().all(u8::is_ascii_graphic) {
            return Err(Skip::BadSymbol);
        }
        let at = usize::from(locate);
        let found = self.subscriptions.binary_search_by_key(stock, |s| s.stock);
        let Some(found) = found.map_or_else(|at| self.discover(at, stock), Some) else {
            self.unbind(locate);
            self.slots[at].instrument = UNSUBSCRIBED;
            return Ok(());
        };
        if self.subscriptions[found].locate == Some(locate) {
            return Ok(());
        }
        self.unbind(locate);
        let subscription = &mut self.subscriptions[found];
        if let Some(old) = subscription.locate.replace(locate) {
            self.slots[usize::from(old)] = Slot { instrument: UNSUBSCRIBED, ..EMPTY };
        }
        let Subscription { instrument, share, .. } = *subscription;
        self.slots[at] = Slot { instrument, share, ..EMPTY };
        Ok(())
    }

    /// Subscribes to a symbol met for the first time, whose place among the sorted is `at`.
    fn discover(&mut self, at: usize, stock: &[u8; 8]) -> Option<usize> {
        let met = self.met.as_mut().filter(|met| met.len() < MET_MAX)?;
        let instrument = InstrumentId(u32::try_from(met.len()).ok()?);
        met.push(*stock);
        let new = Subscription { stock: *stock, instrument, share: 1, locate: None };
        self.subscriptions.insert(at, new);
        Some(at)
    }

    fn unbind(&mut self, locate: u16) {
        if self.slots[usize::from(locate)].instrument == UNSEEN {
            return;
        }
        for subscription in &mut self.subscriptions {
            if subscription.locate == Some(locate) {
                subscription.locate = None;
            }
        }
    }

    /// Notes what H said; gives what holds now.
    pub(super) fn set_status(&mut self, locate: u16, status: TradingStatus) -> TradingStatus {
        let slot = &mut self.slots[usize::from(locate)];
        slot.status = status;
        slot.now()
    }

    /// Notes an operational halt of one market, or its end; gives what holds now.
    pub(super) fn set_halt(&mut self, locate: u16, market: u8, resumed: bool) -> TradingStatus {
        let bit = match market {
            b'Q' => 1,
            b'B' => 2,
            b'X' => 4,
            _ => 8,
        };
        let slot = &mut self.slots[usize::from(locate)];
        slot.halts = if resumed { slot.halts & !bit } else { slot.halts | bit };
        slot.now()
    }
}

impl Slot {
    fn now(&self) -> TradingStatus {
        if self.halts == 0 { self.status } else { TradingStatus::Halted }
    }
}
