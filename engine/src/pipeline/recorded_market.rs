//! A recorded day as a market: what happens next in it, and our orders in it, among its orders or
//! at its levels as it tells them. One packet at a time; the recording itself never changes.

use super::market_days::Days;
use super::market_source::MarketError;
use super::simulation::OURS;
use feeds::recording::{Books, Broken, Log, Messages, Recording, Unit};
use market::{Event, EventFlags, EventKind, Instrument, Timestamp};
use sim::levels::Told;
use sim::overlay::Skipped;
use sim::{
    ExchangeLimits, LevelOverlay, Output, Overlay, QueueModel, Run, SelfTradePolicy, SetupError,
    Venue,
};

/// Most orders, or levels of all instruments together, that a recording displays at once.
const RECORDED_MAX: usize = 1 << 20;
/// Room for our own orders beside the levels of a recording.
const OURS_MAX: usize = 1 << 14;

/// How our orders live in a recording that tells levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByLevel {
    /// Who is ahead of us.
    pub queue: QueueModel,
    /// Levels on one side of one instrument.
    pub levels: usize,
}

/// A recorded day and our orders in it, and the days that follow.
pub struct Recorded {
    overlay: Shadow,
    reader: Reader,
}

/// Our orders in a recording.
enum Shadow {
    Orders(Box<Overlay>),
    Levels(Box<LevelOverlay>),
}

/// What a recording by level came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelsTold {
    /// What it told.
    pub told: Told,
    /// What could not be applied.
    pub skipped: Skipped,
}

/// What a recording gives at once.
#[derive(Clone, Debug, Default)]
pub struct Packet {
    unit: Unit,
    /// Sequence of its last message, from 1.
    pub sequence: u64,
    /// Venue time, never before that of an earlier packet.
    pub time: Timestamp,
    /// It stands between two days: what we have open is canceled, and every book is emptied.
    night: bool,
}

impl Packet {
    /// Its messages as they stand in the recording, where that is one of ITCH 5.0.
    #[must_use]
    pub fn messages(&self) -> &Messages {
        &self.unit.messages
    }

    /// What it means.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.unit.events
    }
}

impl Shadow {
    /// The overlay for a recording of these books.
    fn new(
        books: Books,
        instruments: Vec<Instrument>,
        by_level: Option<ByLevel>,
        run: Run,
    ) -> Result<Option<Shadow>, SetupError> {
        let (limits, policy) = (ExchangeLimits::default(), SelfTradePolicy::default());
        Ok(match (books, by_level) {
            (Books::ByOrder, _) => {
                let limits = ExchangeLimits { orders: RECORDED_MAX, ..limits };
                let overlay = Overlay::new(instruments, limits, policy, run)?;
                Some(Shadow::Orders(Box::new(overlay)))
            }
            (Books::ByLevel, Some(ByLevel { queue, levels })) => {
                let orders = (2 * levels * instruments.len()).min(RECORDED_MAX) + OURS_MAX;
                let limits = ExchangeLimits { orders, levels, ..limits };
                let overlay = LevelOverlay::new(instruments, limits, queue, policy, run)?;
                Some(Shadow::Levels(Box::new(overlay)))
            }
            _ => None,
        })
    }

    fn books(&self) -> Books {
        match self {
            Shadow::Orders(_) => Books::ByOrder,
            Shadow::Levels(_) => Books::ByLevel,
        }
    }
}

impl Recorded {
    /// The first of these days, ready to be read.
    pub(super) fn new(
        instruments: Vec<Instrument>,
        mut days: Days,
        by_level: Option<ByLevel>,
        run: Run,
    ) -> Result<Recorded, MarketError> {
        let none = MarketError::Archive { path: "no recording".to_owned(), count: 0 };
        let begins = days.begins()?;
        let recording = days.next().ok_or(none)??;
        let name = days.name().to_owned();
        let next = Some(Packet { time: begins, ..Packet::default() });
        let read = Vec::new();
        let mut reader = Reader { recording, days, read, dawn: None, next, error: None };
        reader.advance();
        if let Some(source) = reader.error.take() {
            return Err(MarketError::Broken { path: name, source });
        }
        // Of a capture this is not known before its first packet.
        let description = reader.recording.describe();
        let (books, format) = (description.books, description.format);
        match Shadow::new(books, instruments, by_level, run)? {
            Some(overlay) => Ok(Recorded { overlay, reader }),
            None if books == Books::ByLevel => Err(MarketError::NotByOrder { path: name, format }),
            None => Err(MarketError::NoBooks { path: name, format }),
        }
    }

    pub(super) fn next(&self) -> Option<&Packet> {
        self.reader.next.as_ref()
    }

    pub(super) fn venue(&mut self) -> &mut dyn Venue {
        match &mut self.overlay {
            Shadow::Orders(overlay) => &mut **overlay,
            Shadow::Levels(overlay) => &mut **overlay,
        }
    }

    pub(super) fn venue_ref(&self) -> &dyn Venue {
        match &self.overlay {
            Shadow::Orders(overlay) => &**overlay,
            Shadow::Levels(overlay) => &**overlay,
        }
    }

    /// What a recording by level told so far.
    pub(super) fn levels(&self) -> Option<LevelsTold> {
        match &self.overlay {
            Shadow::Orders(_) => None,
            Shadow::Levels(overlay) => {
                Some(LevelsTold { told: overlay.told(), skipped: overlay.skipped() })
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        self.reader.days.name()
    }

    /// What each recording lacked so far, by its name.
    pub(super) fn logs(&self) -> impl Iterator<Item = (&str, &Log)> {
        let read = self.reader.read.iter().map(|(name, log)| (name.as_str(), log));
        read.chain([(self.reader.days.name(), self.reader.recording.log())])
    }

    pub(super) fn error(&self) -> Option<&Broken> {
        self.reader.error.as_ref()
    }

    pub(super) fn step(&mut self, out: &mut dyn Output) {
        let Some(packet) = self.reader.next.take() else { return };
        if packet.night {
            self.venue().cancel_all(OURS, packet.time, out);
            self.reader.dawn = Some(self.overlay.books());
        }
        match &mut self.overlay {
            Shadow::Orders(overlay) => {
                for event in packet.events() {
                    overlay.recorded(event, packet.time, out);
                    out.event(*event);
                }
            }
            Shadow::Levels(overlay) => {
                for event in packet.events() {
                    overlay.recorded(event, packet.time, out);
                    out.event(*event);
                }
            }
        }
        self.reader.next = Some(packet);
        self.reader.advance();
    }
}

/// Reads packet after packet, and day after day.
struct Reader {
    recording: Box<dyn Recording>,
    days: Days,
    /// What those before it lacked.
    read: Vec<(String, Log)>,
    /// Nothing of the day that is read was given yet, and another with these books stood before it.
    dawn: Option<Books>,
    /// What happens next; `None` at the end.
    next: Option<Packet>,
    /// What ended the recording early.
    error: Option<Broken>,
}

impl Reader {
    /// Reads the next packet into `next`.
    fn advance(&mut self) {
        let Some(mut packet) = self.next.take() else { return };
        let unit = &mut packet.unit;
        packet.night = false;
        match self.recording.next_unit(unit) {
            Ok(true) => {
                // Side entries are of no use to the loop; what it gets is the same live.
                unit.events.retain(|event| event.kind() != Some(EventKind::Entry));
                unit.events.iter_mut().for_each(|event| event.received = 0);
                if let Some(last) = unit.events.last_mut() {
                    last.flags = last.flags.with(EventFlags::LAST);
                }
                if let Some(books) = self.dawn
                    && unit.exchange_time != Timestamp::ZERO
                {
                    self.dawn = None;
                    self.error = self.unfit(books, unit.exchange_time, packet.time);
                    if self.error.is_some() {
                        return;
                    }
                }
                packet.sequence += packet.unit.messages.len() as u64;
                packet.time = packet.time.max(packet.unit.exchange_time);
                self.next = Some(packet);
            }
            Ok(false) => match self.lacking() {
                None => self.next_day(packet),
                lacking => self.error = lacking,
            },
            Err(error) => self.error = Some(error),
        }
    }

    /// Goes on with the next day, if there is one, after a night.
    fn next_day(&mut self, mut night: Packet) {
        let read = (self.days.name().to_owned(), self.recording.log().clone());
        match self.days.next() {
            None => {}
            Some(Err(error)) => {
                self.error = Some(Broken { position: 0, reason: error.to_string() });
            }
            Some(Ok(recording)) => {
                self.recording = recording;
                self.read.push(read);
                night.unit.begin(0);
                let reset = Event::new(EventKind::Reset, Event::ALL);
                night.unit.events.push(Event { exchange_time: night.time, ..reset });
                night.unit.end();
                night.night = true;
                self.next = Some(night);
            }
        }
    }

    /// What is wrong with a day whose first time is `begins`, behind one of these books.
    fn unfit(&self, books: Books, begins: Timestamp, ended: Timestamp) -> Option<Broken> {
        let format = self.recording.describe();
        let reason = if begins < ended {
            format!("it begins at {begins}, before the one before it ended, at {ended}")
        } else if format.books != books {
            let kept = match books {
                Books::ByOrder => "orders",
                Books::ByLevel | Books::None => "levels",
            };
            let format = format.format;
            format!("the day before tells {kept}, this one ({format}) does not: run it alone")
        } else {
            return None;
        };
        Some(Broken { position: 0, reason })
    }

    /// A day that lacks its end or a part is no day to judge a strategy by.
    fn lacking(&self) -> Option<Broken> {
        let log = self.recording.log();
        if let Some(cut) = log.is_cut() {
            let reason = cut.reason.clone().into_owned();
            return Some(Broken { position: cut.position, reason });
        }
        let (count, first) = log.damaged();
        let damaged = first.first()?;
        let reason = format!(
            "damaged: {}; {count} such parts in all. `touchline convert` makes an event file of what \
             can be read, which is taken",
            damaged.reason
        );
        Some(Broken { position: damaged.position, reason })
    }
}
