//! What a recording lacks or has too much of, for people: one line each. Decides nothing.

use crate::report::grouped;
use feeds::recording::Log;

/// Gaps, skips, damage, files that go on without a proof and a cut end, each with its first place.
pub(super) fn troubles(log: &Log) -> Vec<String> {
    let mut troubles = Vec::new();
    let (gaps, first) = log.gaps();
    if let Some(gap) = first.first() {
        troubles.push(format!("{} gaps, the first at byte {}", grouped(gaps), gap.position));
    }
    for (reason, count, places) in log.skipped() {
        let at = places.first().copied().unwrap_or_default();
        troubles.push(format!("skipped {} × {reason}, first at byte {at}", grouped(count)));
    }
    let (damaged, first) = log.damaged();
    if let Some(part) = first.first() {
        let (count, at) = (grouped(damaged), part.position);
        troubles.push(format!("{count} damaged parts, first at byte {at}: {}", part.reason));
    }
    let (seams, first) = log.seams();
    if let Some(seam) = first.first() {
        let (count, at) = (grouped(seams), seam.position);
        troubles
            .push(format!("{count} books of another file, first at byte {at}: {}", seam.reason));
    }
    if let Some(cut) = log.is_cut() {
        troubles.push(format!("cut at byte {}: {}", cut.position, cut.reason));
    }
    troubles
}
