//! DBN decode of a recorded hour by order, beside crate `dbn`, both from memory: to records, and to
//! market events where theirs gives its records.

use crate::contest::{Seen, cost};
use crate::data::recordings;
use crate::figure::Figure;
use crate::machine::on_core;
use crate::pairs;
use ::dbn::decode::{DbnRecordDecoder, DecodeRecord as _};
use ::dbn::{MboMsg, VersionUpgradePolicy};
use anyhow::Context as _;
use feeds::databento::Decoder;
use feeds::databento::record::{Order, Walk, rtype};
use feeds::recording::{Input, Wanted};
use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;

const FILE: &str = "dbn/esh4-20231225.cut-to-2310Z.mbo.dbn.zst";
const PAIRS: usize = 120;

/// The figures.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    match records() {
        Ok(bytes) => Ok(on_core(0, || vec![decode(&bytes), events(&bytes)])),
        Err(why) => {
            eprintln!("decoding of DBN is left out: {why:#}");
            Ok(Vec::new())
        }
    }
}

/// The recording's records, without packing and metadata.
fn records() -> anyhow::Result<Vec<u8>> {
    let path = recordings().join(FILE);
    let file = File::open(&path);
    let file =
        file.with_context(|| format!("{}: set TOUCHLINE_DATA to the recordings", path.display()))?;
    let mut bytes = Vec::new();
    Input::new(file)?.read_to_end(&mut bytes)?;
    let length = bytes.get(4..8).and_then(<[u8]>::first_chunk).context("no metadata")?;
    let metadata = 8 + u32::from_le_bytes(*length) as usize;
    anyhow::ensure!(metadata < bytes.len(), "no records");
    Ok(bytes.split_off(metadata))
}

/// Their decode of all records, in nanoseconds each.
fn theirs(bytes: &[u8], count: usize) -> f64 {
    let asis = VersionUpgradePolicy::AsIs;
    let decoder = DbnRecordDecoder::with_version(bytes, 1, asis, false);
    let mut decoder = decoder.expect("version 1 is known");
    cost(count, || {
        while let Ok(Some(record)) = decoder.decode_record::<MboMsg>() {
            let _ = black_box(record);
        }
    })
}

/// Both to records whose fields can be read.
fn decode(bytes: &[u8]) -> Figure {
    let count = Walk::new(bytes).count();
    let ours = || {
        cost(count, || {
            for record in Walk::new(bytes) {
                let order = record.first_chunk().filter(|_| record[1] == rtype::MBO);
                let _ = black_box(order.map(Order::read));
            }
        })
    };
    let paired = pairs::alternate(PAIRS, ours, || theirs(bytes, count));
    let note = "per record by order, from memory, to fields";
    Figure::new("dbn", "ns", "dbn", &paired).target(0.5).note(note)
}

/// What the records mean, beside the records alone.
fn events(bytes: &[u8]) -> Figure {
    let count = Walk::new(bytes).count();
    let mut decoder = Decoder::new(&Wanted::All);
    let ours = || {
        cost(count, || {
            for record in Walk::new(bytes) {
                let _ = decoder.record(record, &mut Seen);
            }
        })
    };
    let paired = pairs::alternate(PAIRS, ours, || theirs(bytes, count));
    let note = "ours to market events of instruments that are looked up; theirs to records";
    Figure::new("dbn/events", "ns", "dbn", &paired).note(note)
}
