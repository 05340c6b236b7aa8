//! What a report says of a backtest on levels: how fills came about, and what to doubt in them.

use crate::config::choice::QueueWord;
use crate::config::venue::BacktestSection;
use crate::pipeline::market_source::LevelsTold;
use crate::report::grouped;

/// Lines of the report, each with its name.
pub(super) fn facts(section: &BacktestSection, all: &LevelsTold) -> Vec<(&'static str, String)> {
    let queue = match section.queue_model {
        QueueWord::Power => format!("power {} queue", section.queue_exponent),
        other => format!("{other} queue"),
    };
    let (levels, trades) = (grouped(all.told.levels), grouped(all.told.trades));
    let fills = format!("by level, {queue}: {trades} trades, {levels} changes of levels");
    let mut facts = vec![("fills", fills)];
    if all.told.trades == 0 {
        let warning = "the data tells no trades: a resting order was filled only when the other side \
                       came to its price; join them with `touchline convert BOOK TRADES OUT`";
        facts.push(("warning", warning.to_owned()));
    }
    let skipped = all.skipped;
    if skipped.no_room > 0 {
        let count = grouped(skipped.no_room);
        facts.push(("warning", format!("{count} levels found no room: raise [book] levels")));
    }
    if skipped.contradictory > 0 {
        let count = grouped(skipped.contradictory);
        facts.push(("warning", format!("{count} events that do not fit books by level skipped")));
    }
    facts
}
