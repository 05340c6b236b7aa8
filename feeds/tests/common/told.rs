//! What a recording told, unit by unit.

use feeds::recording::{Options, Recording, Unit, open_bytes};
use market::{Event, EventKind};

/// Events of each unit, and the recording at its end.
pub fn read(bytes: &[u8]) -> (Vec<Vec<Event>>, Box<dyn Recording + '_>) {
    let mut recording = open_bytes(bytes, Options::default()).unwrap();
    let units = units(&mut *recording);
    (units, recording)
}

/// Events of each unit that is left.
pub fn units(recording: &mut dyn Recording) -> Vec<Vec<Event>> {
    let (mut unit, mut units) = (Unit::default(), Vec::new());
    while recording.next_unit(&mut unit).unwrap() {
        units.push(unit.events.clone());
    }
    units
}

/// Their kinds.
pub fn kinds(units: &[Vec<Event>]) -> Vec<Vec<EventKind>> {
    let kinds = |unit: &Vec<Event>| unit.iter().map(|event| event.kind().unwrap()).collect();
    units.iter().map(kinds).collect()
}

/// Reasons of skips, and how often each was met.
pub fn skipped(recording: &dyn Recording) -> Vec<(&'static str, u64)> {
    recording.log().skipped().map(|(reason, count, _)| (reason, count)).collect()
}
