//! Many recordings as one: units in order of time, instruments under one table of ids. Refuses what
//! one file cannot say: books of two kinds, two clocks, one symbol of two formats, one book told
//! twice at a time.

use super::input::Input;
use super::tellers::{Tellers, What};
use anyhow::bail;
use feeds::archive::Writer;
use feeds::recording::{Books, Clock, Instruments, Unit};
use market::{Event, EventFlags, EventKind, InstrumentId, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::io::Write;

/// See the module.
pub(super) struct Merge {
    inputs: Vec<Input>,
    /// Inputs whose unit waits, the earliest first; of the same time, the first named first.
    waiting: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// What the file says of itself; `None` before the first unit.
    said: Option<Said>,
    /// The inputs that name each instrument of the output.
    named: Vec<BTreeSet<usize>>,
    tellers: Tellers,
    pub(super) units: u64,
    pub(super) events: u64,
}

/// What a file says of itself.
struct Said {
    from: String,
    books: Books,
    clock: Clock,
}

impl Merge {
    /// Reads the first unit of each input.
    pub(super) fn new(mut inputs: Vec<Input>) -> anyhow::Result<Merge> {
        let mut waiting = BinaryHeap::new();
        for (at, input) in inputs.iter_mut().enumerate() {
            if input.advance()? {
                waiting.push(Reverse((input.time, at)));
            }
        }
        let (named, tellers) = (Vec::new(), Tellers::default());
        let mut merge = Merge { inputs, waiting, said: None, named, tellers, units: 0, events: 0 };
        // Before anything is written, as far as the first units tell.
        for at in 0..merge.inputs.len() {
            merge.join(at)?;
        }
        Ok(merge)
    }

    pub(super) fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Instruments with events.
    pub(super) fn instruments(&self) -> usize {
        self.named.len()
    }

    /// Writes the earliest unit; false if there is none.
    pub(super) fn write_next(&mut self, writer: &mut Writer<impl Write>) -> anyhow::Result<bool> {
        let Some(Reverse((time, at))) = self.waiting.pop() else { return Ok(false) };
        if let Some(said) = &self.said {
            writer.source(&said.from, said.books, said.clock);
        }
        if self.inputs.len() > 1 {
            self.name_all(at);
        }
        self.rename(at, writer.instruments())?;
        if self.inputs.len() > 1 {
            let anew = self.take_over(at, writer.instruments())?;
            if !anew.is_empty() {
                let reset = self.reset(at, anew);
                self.write(&reset, time, writer)?;
            }
        }
        let unit = std::mem::take(&mut self.inputs[at].unit);
        self.write(&unit, time, writer)?;
        let input = &mut self.inputs[at];
        input.unit = unit;
        if input.advance()? {
            self.waiting.push(Reverse((input.time, at)));
        } else {
            // What a capture holds, and of which market it is, may have shown only by now.
            self.join(at)?;
            self.compare(at, 0)?;
        }
        Ok(true)
    }

    fn write(
        &mut self,
        unit: &Unit,
        time: Timestamp,
        writer: &mut Writer<impl Write>,
    ) -> std::io::Result<()> {
        self.units += 1;
        self.events += unit.events.len() as u64;
        writer.unit(unit, time)
    }

    /// Has each instrument of a unit told by one input at a time. Gives those whose books another
    /// input told that has ended, and that this one begins anew.
    fn take_over(&mut self, at: usize, known: &Instruments) -> anyhow::Result<Vec<InstrumentId>> {
        let Merge { inputs, tellers, .. } = self;
        let (input, mut anew) = (&inputs[at], Vec::new());
        for event in &input.unit.events {
            let (id, Some(what)) = (event.instrument, What::of(event.kind())) else { continue };
            let before = tellers.teller(id, what);
            if id == Event::ALL || before == Some(at) || !input.tells(what) {
                continue;
            }
            match before.map(|before| (before, &inputs[before])) {
                None => tellers.set(id, what, at),
                // As between two days of a backtest: it may be long until each has an event.
                Some((before, ended)) if ended.ended => {
                    let released = tellers.release(what, before);
                    anew.extend(released.into_iter().filter(|_| what == What::Book));
                    tellers.set(id, what, at);
                }
                Some((_, other)) => {
                    let symbol = known.get(id).map_or("", |known| &known.symbol);
                    bail!(
                        "{}: {} of {symbol} at the same time as {}, and one file cannot hold both: \
                         convert them apart; lines A and B of one feed are arbitrated within one \
                         capture (mergecap)",
                        input.name,
                        what.tells(),
                        other.name
                    );
                }
            }
        }
        Ok(anew)
    }

    /// That these books are empty, as of the unit that waits.
    fn reset(&self, at: usize, books: Vec<InstrumentId>) -> Unit {
        let Unit { position, exchange_time, received, .. } = self.inputs[at].unit;
        let mut unit = Unit::default();
        unit.begin(position);
        (unit.exchange_time, unit.received) = (exchange_time, received);
        let reset = |id| Event { exchange_time, ..Event::new(EventKind::Reset, id) };
        unit.events.extend(books.into_iter().map(reset));
        unit.end();
        unit
    }

    /// Takes what an input is into what the file is.
    fn join(&mut self, at: usize) -> anyhow::Result<()> {
        let from = self.from();
        let (name, found) = (&self.inputs[at].name, self.inputs[at].recording.describe());
        let Some(said) = &mut self.said else {
            self.said = Some(Said { from, books: found.books, clock: found.clock });
            return Ok(());
        };
        match (said.books, found.books) {
            (_, Books::None) => {}
            (Books::None, books) => said.books = books,
            (one, two) if one == two => {}
            _ => bail!("{name}: its books are not of the kind of those before: convert it alone"),
        }
        if said.clock != found.clock {
            let of_day = if found.clock == Clock::TimeOfDay { "its times" } else { "those before" };
            bail!("{name}: {of_day} are times of day, the others are UTC: give --day");
        }
        said.from = from;
        Ok(())
    }

    /// What all inputs are from, as far as that is one thing.
    fn from(&self) -> String {
        let all: BTreeSet<String> = self.inputs.iter().map(Input::from).collect();
        let formats = self.inputs.iter().map(|input| input.recording.describe().format);
        match (all.len(), formats.collect::<BTreeSet<_>>().len()) {
            (1, _) => all.into_iter().next().unwrap_or_default(),
            (_, 1) => self.inputs[0].recording.describe().format.to_owned(),
            _ => "several formats".to_owned(),
        }
    }

    /// Refuses an input of whose instruments, from this place on, one is another input's too, whose
    /// format or market, as it is known by now, is not its own: one symbol of two venues would be
    /// one book of both.
    fn compare(&self, at: usize, from: usize) -> anyhow::Result<()> {
        let one = &self.inputs[at];
        let ids = one.ids.iter().zip(one.recording.instruments().all()).skip(from);
        for (id, known) in ids {
            let mut others = self.named[id.index()].iter().map(|&other| &self.inputs[other]);
            if let Some(other) = others.find(|other| !one.is_like(other)) {
                bail!(
                    "{}: {} is in an input of another format or market, too: here from {}, in {} \
                     from {}: convert them apart",
                    one.name,
                    known.symbol,
                    one.from(),
                    other.name,
                    other.from()
                );
            }
        }
        Ok(())
    }

    /// Has what is said of every instrument of one input said of each, so that it is not said of
    /// those of other inputs; of those that are named later, before anything else is.
    fn name_all(&mut self, at: usize) {
        let Input { unit, recording, ids, standing, .. } = &mut self.inputs[at];
        let meant = |event: &Event| {
            event.instrument == Event::ALL
                && !matches!(event.kind(), Some(EventKind::Entry | EventKind::Mark))
        };
        let known = recording.instruments().all();
        let new = known.get(ids.len()..).unwrap_or_default();
        let (exchange_time, received) = (unit.exchange_time, unit.received.nanos());
        let mut events = Vec::new();
        for one in new {
            let instrument = one.id;
            let of_one = |event| Event { instrument, exchange_time, received, ..event };
            events.extend(standing.events().map(of_one));
        }
        if events.is_empty() && !unit.events.iter().any(meant) {
            return;
        }
        for event in &unit.events {
            if meant(event) {
                standing.note(*event);
                events.extend(known.iter().map(|known| Event { instrument: known.id, ..*event }));
            } else {
                events.push(*event);
            }
        }
        let last = events.len().saturating_sub(1);
        for (at, event) in events.iter_mut().enumerate() {
            let flags = EventFlags(event.flags.0 & !EventFlags::LAST.0);
            event.flags = if at == last { flags.with(EventFlags::LAST) } else { flags };
        }
        unit.events = events;
    }

    /// Gives the instruments of a unit their ids in the output.
    fn rename(&mut self, at: usize, output: &mut Instruments) -> anyhow::Result<()> {
        let Input { unit, recording, ids, name, .. } = &mut self.inputs[at];
        let (instruments, before) = (recording.instruments().all(), ids.len());
        for known in instruments.get(before..).unwrap_or_default() {
            let Some(there) = output.resolve(&known.symbol, known.qty_digits) else {
                bail!("{name}: more than {} instruments", Instruments::MAX);
            };
            if there.qty_digits != known.qty_digits {
                let symbol = &known.symbol;
                bail!(
                    "{name}: {symbol} is in an input of other units of quantity, too: convert \
                     them apart"
                );
            }
            let place = there.id.index();
            if self.named.len() <= place {
                self.named.resize(place + 1, BTreeSet::new());
            }
            self.named[place].insert(at);
            ids.push(there.id);
        }
        let renamed = |id: InstrumentId| ids.get(id.index()).copied().unwrap_or(Event::ALL);
        for event in &mut unit.events {
            event.instrument = renamed(event.instrument);
        }
        for entry in &mut unit.side {
            entry.instrument = renamed(entry.instrument);
        }
        self.compare(at, before)
    }
}
