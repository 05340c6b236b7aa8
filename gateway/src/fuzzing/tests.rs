//! The seeds of every target run through its body, as they are and with bytes changed at random.

use super::*;
use market::Rng;
use std::fs;
use std::path::Path;

/// Variants of each seed.
const VARIANTS: u64 = 300;

/// Every seed of a folder, with its name.
fn seeds(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(folder);
    let mut seeds: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 5, "{} seeds in {}", seeds.len(), folder.display());
    seeds
}

/// A few bytes changed, left out, doubled, or taken from another seed.
fn mutate(rng: &mut Rng, seed: &[u8], other: &[u8]) -> Vec<u8> {
    const LIKELY: &[u8] = b"\x01=0189|.-+ZY\xff\x00";
    let mut bytes = seed.to_vec();
    for _ in 0..=rng.below(4) {
        let at = place(rng, bytes.len());
        match rng.below(6) {
            0 if !bytes.is_empty() => bytes[at] = u8::try_from(rng.below(256)).unwrap(),
            1 if !bytes.is_empty() => bytes[at] = LIKELY[place(rng, LIKELY.len())],
            2 => bytes.insert(at, LIKELY[place(rng, LIKELY.len())]),
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..bytes.len().min(at + place(rng, 12)))),
            _ => {
                let from = place(rng, other.len());
                let to = other.len().min(from + place(rng, 60));
                bytes.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
    bytes
}

fn place(rng: &mut Rng, below: usize) -> usize {
    usize::try_from(rng.below(below.max(1) as u64)).unwrap()
}

/// Puts right what a changed message needs to get past the framing.
fn mended(bytes: &[u8]) -> Option<Vec<u8>> {
    let body = bytes.windows(4).position(|part| part == b"\x0135=")? + 1;
    let end = bytes.windows(4).rposition(|part| part == b"\x0110=")? + 1;
    let begin = bytes.iter().position(|&byte| byte == 1)? + 1;
    let body = bytes.get(body..end)?;
    let mut whole = bytes.get(..begin)?.to_vec();
    whole.extend(format!("9={}\x01", body.len()).bytes());
    whole.extend_from_slice(body);
    let sum = whole.iter().map(|&byte| u32::from(byte)).sum::<u32>() % 256;
    whole.extend(format!("10={sum:03}\x01").bytes());
    Some(whole)
}

fn play(folder: &str, variants: u64, bodies: &[fn(&[u8])]) {
    let seeds = seeds(folder);
    let mut rng = Rng::new(1);
    for (name, seed) in &seeds {
        // Shown only if what follows panics.
        println!("{name}");
        bodies.iter().for_each(|body| body(seed));
        for _ in 0..variants {
            let other = &seeds[place(&mut rng, seeds.len())].1;
            let changed = mutate(&mut rng, seed, other);
            for bytes in [mended(&changed), Some(changed)].into_iter().flatten() {
                println!("{}", bytes.escape_ascii());
                bodies.iter().for_each(|body| body(&bytes));
            }
        }
    }
}

#[test]
fn frames_are_read_as_a_second_parser_reads_them() {
    play("frames", VARIANTS, &[decoder, differential, redaction]);
}

#[test]
fn sessions_survive_every_seed() {
    play("session", VARIANTS, &[session]);
}

#[test]
fn books_survive_every_message() {
    play("market-data", 4 * VARIANTS, &[market_data]);
}

/// The seeds say in their names what framing makes of them.
#[test]
fn seeds_are_what_their_names_say() {
    let mut index = FieldIndex::new(FIELDS);
    for (name, seed) in seeds("frames") {
        let whole = naive::frame(&seed, MAX) == Some(seed.len());
        let sound = whole && index.parse(&seed).fault().is_none();
        let (expected_whole, expected_sound) = match name.split('-').next().unwrap() {
            "good" => (true, true),
            "faulty" => (true, false),
            "garbled" => (false, false),
            other => panic!("{name}: {other}"),
        };
        assert_eq!((whole, sound), (expected_whole, expected_sound), "{name}");
    }
}

/// The judge itself bites.
#[test]
fn the_second_parser_tells_right_from_wrong() {
    let whole = b"8=FIX.4.4\x019=5\x0135=0\x0110=163\x01";
    assert_eq!(naive::frame(whole, MAX), Some(whole.len()));
    let mut wrong = *whole;
    wrong[24] = b'4';
    assert_eq!(naive::frame(&wrong, MAX), None);
    assert_eq!(
        naive::fields(b"35=0\x0195=2\x0196=a\x01\x01", 9).map(|fields| fields.len()),
        Some(3)
    );
    assert_eq!(naive::fields(b"35=0\x0195=3\x0196=a\x01\x01", 9), None);
    let entry = (269, &b"0"[..]);
    assert_eq!(naive::group(&[(268, b"1"), entry], 268, 269), Some(vec![vec![entry]]));
    assert_eq!(naive::group(&[(268, b"2"), entry], 268, 269), None);
    assert_eq!(naive::group(&[(268, b"0"), entry], 268, 269), None);
    assert_eq!(naive::group(&[entry, (268, b"1"), entry], 268, 269), None);
}
