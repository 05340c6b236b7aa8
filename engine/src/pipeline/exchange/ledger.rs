//! What an account did, counted from the reports it was sent: its positions, and the request ids it
//! used up.
//!
//! The reports in the FIX store are the truth; a ledger is written to a file only when that store is
//! about to forget them. It must never count one execution twice.

use market::{ExecId, Instrument, InstrumentId, Money, OrderId, Position, Report, ReportKind};
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// First line of the file.
const TITLE: &str = "touchline account ledger 1";
/// Most runs of used ids that are remembered apart.
const RUNS_MAX: usize = 65_536;

/// Positions and used ids of one account.
#[derive(Clone, Debug)]
pub struct Ledger {
    instruments: Arc<[Instrument]>,
    positions: Box<[Position]>,
    used: Runs,
    /// The last execution counted: executions of one venue grow.
    last: ExecId,
    /// Fills that left the range of arithmetic.
    unbooked: u64,
}

/// Why a ledger file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Not what [`Ledger::save`] writes.
    #[error("line {0} cannot be read: restore the file, or start with --fresh")]
    Line(usize),
}

impl Ledger {
    /// An account that did nothing.
    #[must_use]
    pub fn new(instruments: Arc<[Instrument]>) -> Ledger {
        let positions = vec![Position::default(); instruments.len()].into_boxed_slice();
        let (used, last) = (Runs::default(), ExecId::NONE);
        Ledger { instruments, positions, used, last, unbooked: 0 }
    }

    /// Counts one report that the account was sent. An execution counted before is passed over.
    pub fn count(&mut self, report: &Report) {
        use ReportKind as K;
        match report.kind() {
            Some(
                K::StatusDone
                | K::MassCanceled
                | K::SessionUp
                | K::SessionDown
                | K::SessionClosing
                | K::NotSent,
            )
            | None => return,
            Some(_) => self.used.note(report.order.0),
        }
        if report.kind() != Some(K::Filled) || report.exec <= self.last {
            return;
        }
        self.last = report.exec;
        let at = report.instrument.index();
        let booked = match (self.instruments.get(at), self.positions.get_mut(at), report.side()) {
            (Some(instrument), Some(position), Some(side)) => {
                let fee = report.fee().unwrap_or(Money::ZERO);
                position.on_fill(instrument, side, report.price, report.qty, fee, None).is_ok()
            }
            _ => false,
        };
        self.unbooked += u64::from(!booked);
    }

    /// True if a request of this id was answered before, in this or an earlier run of the venue.
    #[must_use]
    pub fn has_used(&self, id: OrderId) -> bool {
        self.used.contains(id.0)
    }

    /// What the account holds; nothing of an unknown instrument.
    #[must_use]
    pub fn position(&self, instrument: InstrumentId) -> Position {
        self.positions.get(instrument.index()).copied().unwrap_or_default()
    }

    /// Fills that could not be counted.
    #[must_use]
    pub fn unbooked(&self) -> u64 {
        self.unbooked
    }

    /// Writes the ledger in place of the one at `path`, whole or not at all.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let mut text = format!("{TITLE}\nexec {:?}\n", self.last);
        for (low, high) in &self.used.0 {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "ids {low} {high}");
        }
        for (instrument, p) in self.instruments.iter().zip(&self.positions) {
            let money = [p.cost, p.realised, p.fees, p.volume].map(Money::raw);
            let [cost, realised, fees, volume] = money;
            let _ = writeln!(
                text,
                "position {} {} {} {} {} {cost} {realised} {fees} {volume}",
                instrument.symbol, p.net, p.bought, p.sold, p.fills
            );
        }
        let new = path.with_extension("ledger-new");
        std::fs::write(&new, text)?;
        std::fs::rename(&new, path)
    }

    /// The ledger at `path`; that of an account that did nothing if there is no file. Positions in
    /// instruments that are not listed any more are left out.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn load(path: &Path, instruments: Arc<[Instrument]>) -> Result<Ledger, LedgerError> {
        let mut ledger = Ledger::new(instruments);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ledger),
            Err(error) => return Err(error.into()),
        };
        for (number, line) in (1..).zip(text.lines()) {
            let read = if number == 1 { (line == TITLE).then_some(()) } else { ledger.read(line) };
            read.ok_or(LedgerError::Line(number))?;
        }
        Ok(ledger)
    }

    fn read(&mut self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        match words.next()? {
            "exec" => self.last = ExecId(read_words(words.next()?)?),
            "ids" => {
                let run = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
                self.used.0.push(run);
            }
            "position" => {
                let symbol = words.next()?;
                let mut next = || words.next()?.parse::<i128>().ok();
                let position = Position {
                    net: i64::try_from(next()?).ok()?,
                    bought: i64::try_from(next()?).ok()?,
                    sold: i64::try_from(next()?).ok()?,
                    fills: u64::try_from(next()?).ok()?,
                    cost: Money::from_raw(next()?),
                    realised: Money::from_raw(next()?),
                    fees: Money::from_raw(next()?),
                    volume: Money::from_raw(next()?),
                    spread_captured: Money::ZERO,
                };
                let mut listed = self.instruments.iter().zip(&mut self.positions);
                if let Some((_, slot)) = listed.find(|(listed, _)| listed.symbol == symbol) {
                    *slot = position;
                }
            }
            _ => return None,
        }
        words.next().is_none().then_some(())
    }
}

/// The words of 32 hexadecimal digits.
fn read_words(text: &str) -> Option<[u64; 2]> {
    let (high, low) = text.split_at_checked(16).filter(|_| text.len() == 32)?;
    Some([u64::from_str_radix(high, 16).ok()?, u64::from_str_radix(low, 16).ok()?])
}

/// Used ids as disjoint, ascending, inclusive runs: counters make few.
#[derive(Clone, Debug, Default)]
struct Runs(Vec<(u64, u64)>);

impl Runs {
    fn contains(&self, id: u64) -> bool {
        let after = self.0.partition_point(|run| run.0 <= id);
        after > 0 && id <= self.0[after - 1].1
    }

    /// Remembers `id`. Without room, an id above all others stretches the last run: an id counted as
    /// used by error is refused, one counted as new by error would be an order too many.
    fn note(&mut self, id: u64) {
        if id == 0 || self.contains(id) {
            return;
        }
        let at = self.0.partition_point(|run| run.0 <= id);
        if at > 0 && self.0[at - 1].1 + 1 == id {
            self.0[at - 1].1 = id;
            if self.0.get(at).is_some_and(|next| id + 1 == next.0) {
                self.0[at - 1].1 = self.0.remove(at).1;
            }
        } else if self.0.get(at).is_some_and(|next| id + 1 == next.0) {
            self.0[at].0 = id;
        } else if self.0.len() < RUNS_MAX {
            self.0.insert(at, (id, id));
        } else if at == self.0.len() {
            self.0[at - 1].1 = id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::{Qty, Side};
    use std::collections::BTreeSet;

    fn fill(exec: u64, side: Side, qty: i64) -> Report {
        let report = Report::new(ReportKind::Filled, OrderId(exec), InstrumentId(0));
        let mut report = report.with_side(side).with_fee(5);
        report.exec = ExecId([7, exec]);
        report.price = "10.00".parse().unwrap();
        report.qty = Qty::from_raw(qty);
        report
    }

    #[test]
    fn a_saved_ledger_counts_no_execution_twice() {
        let instruments: Arc<[Instrument]> = vec![Instrument::share(0, "X")].into();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ledger");
        let mut ledger = Ledger::load(&path, instruments.clone()).unwrap();
        ledger.count(&fill(1, Side::Buy, 100));
        ledger.count(&fill(2, Side::Sell, 30));
        ledger.save(&path).unwrap();
        let mut again = Ledger::load(&path, instruments.clone()).unwrap();
        assert_eq!(again.position(InstrumentId(0)), ledger.position(InstrumentId(0)));
        again.count(&fill(1, Side::Buy, 100));
        again.count(&fill(2, Side::Sell, 30));
        assert_eq!(again.position(InstrumentId(0)).net, 70);
        again.count(&fill(3, Side::Sell, 70));
        assert_eq!(again.position(InstrumentId(0)).net, 0);
        assert!(again.has_used(OrderId(2)) && !again.has_used(OrderId(4)));
    }

    #[test]
    fn a_damaged_file_names_its_line() {
        let instruments: Arc<[Instrument]> = vec![Instrument::share(0, "X")].into();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ledger");
        Ledger::new(instruments.clone()).save(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("position X 0", "position X zero")).unwrap();
        let error = Ledger::load(&path, instruments).unwrap_err();
        assert!(matches!(error, LedgerError::Line(3)), "{error}");
    }

    #[test]
    fn runs_remember_what_a_set_would() {
        let mut rng = market::Rng::new(3);
        let (mut runs, mut set) = (Runs::default(), BTreeSet::new());
        for _ in 0..2_000 {
            let id = 1 + rng.next_u64() % 400;
            runs.note(id);
            set.insert(id);
            let probe = 1 + rng.next_u64() % 400;
            assert_eq!(runs.contains(probe), set.contains(&probe));
        }
        assert!(runs.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
    }
}
