//! Walking a capture that no cache holds, beside copying it: from the file's bytes to each datagram's
//! payload.

use crate::data::recordings;
use crate::figure::Figure;
use crate::machine::{on_core, thread_nanos};
use crate::pairs;
use anyhow::Context as _;
use feeds::capture::{Carried, Walker, transport};
use feeds::recording::Log;
use std::hint::black_box;
use std::path::Path;

const FILE: &str = "cme_mdp3/Cme.Mdp3.Sbe.v8.1.Example.pcap";
/// The file header of a pcap of Ethernet with nanoseconds, little-endian.
const HEADER: [u32; 6] = [0xa1b2_3c4d, 4 << 16 | 2, 0, 0, 1 << 18, 1];
/// The tiled capture is so many times as large as the last cache.
const CACHES: usize = 8;
/// What is taken for the size of the last cache where the host does not say.
const CACHE: usize = 32 << 20;
/// Pairs of blocks.
const PAIRS: usize = 100;

/// The figures.
pub(super) fn run() -> anyhow::Result<Vec<Figure>> {
    let path = recordings().join(FILE);
    let one = std::fs::read(&path);
    let one = match one.with_context(|| format!("{}: set TOUCHLINE_DATA", path.display())) {
        Ok(one) => one,
        Err(why) => {
            eprintln!("walking of captures is left out: {why:#}");
            return Ok(Vec::new());
        }
    };
    let least = CACHES * last_cache();
    let mut header = Vec::new();
    HEADER.iter().for_each(|word| header.extend_from_slice(&word.to_le_bytes()));
    let records = records(&one)?;
    on_core(0, || {
        let pcap = figure("capture/pcap", &tile(header, &records, least))?;
        // Another section of pcapng may follow at any time.
        Ok(vec![pcap, figure("capture/pcapng", &tile(Vec::new(), &one, least))?])
    })
}

/// The packets of a capture as records of pcap.
fn records(capture: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (mut walker, mut log, mut records) = (Walker::new(capture), Log::default(), Vec::new());
    while let Some(frame) = walker.next_frame(&mut log)? {
        let (seconds, nanos) =
            (frame.time.nanos() / 1_000_000_000, frame.time.nanos() % 1_000_000_000);
        let captured = frame.bytes.len() as u64;
        for word in [seconds, nanos, captured, u64::from(frame.length)] {
            records.extend_from_slice(&u32::try_from(word)?.to_le_bytes());
        }
        records.extend_from_slice(frame.bytes);
    }
    Ok(records)
}

/// The same again and again behind what stands first.
fn tile(first: Vec<u8>, again: &[u8], least: usize) -> Vec<u8> {
    let mut tiled = first;
    tiled.reserve_exact(least + again.len());
    while tiled.len() < least {
        tiled.extend_from_slice(again);
    }
    tiled
}

/// Bytes of the last cache, as the kernel tells.
fn last_cache() -> usize {
    let size = |index: &str| {
        let path = Path::new("/sys/devices/system/cpu/cpu0/cache").join(index).join("size");
        let text = std::fs::read_to_string(path).ok()?;
        text.trim().strip_suffix('K')?.parse::<usize>().ok().map(|kib| kib << 10)
    };
    ["index3", "index2"].into_iter().find_map(size).unwrap_or(CACHE)
}

/// Datagrams of a capture, and the bytes of their payloads.
fn walk(capture: &[u8]) -> anyhow::Result<(u64, usize)> {
    let (mut walker, mut log) = (Walker::new(capture), Log::default());
    let (mut datagrams, mut bytes) = (0, 0);
    while let Some(frame) = walker.next_frame(&mut log)? {
        if let Ok(Carried::Datagram(datagram)) = transport(&frame) {
            datagrams += 1;
            bytes += black_box(datagram.payload).len();
        }
    }
    Ok((datagrams, bytes))
}

/// Blocks of both are whole walks and whole copies.
fn figure(name: &'static str, tiled: &[u8]) -> anyhow::Result<Figure> {
    let (datagrams, payload) = walk(tiled)?;
    anyhow::ensure!(datagrams > 0 && payload > 0, "the capture has no datagrams");
    let mut copy = vec![0; tiled.len()];
    #[allow(clippy::cast_precision_loss)]
    let each = |began: f64| (thread_nanos() - began) / datagrams as f64;
    let paired = pairs::alternate(
        PAIRS,
        || {
            let began = thread_nanos();
            let walked = walk(black_box(tiled));
            assert!(walked.is_ok_and(|walked| walked == (datagrams, payload)), "as before");
            each(began)
        },
        || {
            let began = thread_nanos();
            copy.copy_from_slice(black_box(tiled));
            black_box(&copy);
            each(began)
        },
    );
    let (size, mean) = (tiled.len() >> 20, tiled.len() as u64 / datagrams);
    let note = format!(
        "per packet of {mean} B, {size} MiB: {CACHES} times the last cache; 2 is half the speed"
    );
    Ok(Figure::new(name, "ns", "memcpy", &paired).target(2.0).note(note))
}
