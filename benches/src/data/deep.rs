//! The deep shape: a recorded hour of the ES future, near a thousand levels a side, as ITCH messages.
//!
//! The recording is by order (Databento MBO), read by crate `dbn`. An add becomes `A`, a cancel `X`
//! or, of all that is left, `D`; a modification `D` and `A`, since ITCH has no change that keeps the
//! id; trades and fills change no book there and are left out. The recording is looped: each loop
//! begins with a clear and has other order ids.

use super::Day;
use anyhow::Context as _;
use dbn::decode::{DbnMetadata as _, DecodeRecord as _, DynDecoder};
use dbn::{Action, MboMsg, Side, VersionUpgradePolicy};
use feeds::itch50::message::{AddOrder, Canceled, Deleted, Header};
use market::Instrument;
use std::collections::HashMap;

const FILE: &str = "dbn/esh4-20231225.cut-to-2310Z.mbo.dbn.zst";
/// Order ids of one loop differ from those of the loop before by this.
const SHIFT: u64 = 1 << 44;
const LOCATE: u16 = 1;

/// The recording's messages, one loop after the other; `opening` binds the instrument.
///
/// # Errors
/// The recording is not here, or is not what it was.
pub fn days(loops: u64) -> anyhow::Result<Vec<Day>> {
    let path = super::recordings().join(FILE);
    let mut decoder = DynDecoder::from_file(&path, VersionUpgradePolicy::AsIs)
        .with_context(|| format!("{}: set TOUCHLINE_DATA to the recordings", path.display()))?;
    anyhow::ensure!(decoder.metadata().schema == Some(dbn::Schema::Mbo), "not by order");
    let mut records = Vec::new();
    while let Some(record) = decoder.decode_record::<MboMsg>()? {
        records.push(record.clone());
    }
    (0..loops).map(|turn| one(&records, turn)).collect()
}

fn one(records: &[MboMsg], turn: u64) -> anyhow::Result<Day> {
    let mut day = Day::new(&[Instrument::share(0, "ES")]);
    let messages = &mut day.messages;
    let mut live: HashMap<u64, (u8, u32)> = HashMap::new();
    for (at, record) in (0u64..).zip(records) {
        let header = Header { locate: LOCATE, tracking: 0, time: 1_000_000 * (at + 1) };
        let order = record.order_id + turn * SHIFT;
        let add = |side: u8| -> anyhow::Result<[u8; 36]> {
            // 1e-9 to ITCH's 1e-4.
            let price = u32::try_from(record.price / 100_000).context("a price beyond ITCH")?;
            let (shares, stock) = (record.size, *b"ES      ");
            Ok(AddOrder { header, order, side, shares, stock, price }.write())
        };
        let side = if record.side()? == Side::Bid { b'B' } else { b'S' };
        match record.action()? {
            Action::Add => {
                live.insert(order, (side, record.size));
                messages.push(&add(side)?);
            }
            Action::Modify => {
                if live.insert(order, (side, record.size)).is_some() {
                    messages.push(&Deleted { header, order }.write());
                }
                messages.push(&add(side)?);
            }
            Action::Cancel => {
                let Some((_, left)) = live.get_mut(&order) else { continue };
                if record.size < *left {
                    *left -= record.size;
                    messages.push(&Canceled { header, order, shares: record.size }.write());
                } else {
                    live.remove(&order);
                    messages.push(&Deleted { header, order }.write());
                }
            }
            _ => {}
        }
    }
    Ok(day)
}
