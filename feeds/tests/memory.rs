//! Reading takes a bounded amount of memory, however large a file is and whatever it says. A program of
//! its own, since a program has one allocator; one test, since it counts for all threads together.

use feeds::recording::{Options, Unit, open_bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use peak_alloc::PeakAlloc;
use std::io::Write as _;
use std::path::Path;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Most that a reader may take, books apart.
const MOST: usize = 64 << 20;
const MIB: usize = 1 << 20;
/// Longer than any line that is read.
const LONG: usize = 24 << 20;

/// A file of the corpus by what it repeats: what stands before that, and whether it is text.
#[derive(Clone, Copy)]
struct Format {
    name: &'static str,
    head: Head,
}

#[derive(Clone, Copy)]
enum Head {
    /// So many lines.
    Lines(usize),
    /// So many bytes of a binary file.
    Bytes(usize),
    /// Metadata of DBN, as long as it says.
    Dbn,
}

#[rustfmt::skip]
const FORMATS: &[Format] = &[
    Format { name: "recording-itch", head: Head::Bytes(0) },
    Format { name: "capture-pcap-lines", head: Head::Bytes(24) },
    Format { name: "capture-pcap-gap", head: Head::Bytes(24) },
    Format { name: "capture-iex-deep", head: Head::Bytes(24) },
    Format { name: "capture-iex-deep-plus", head: Head::Bytes(24) },
    Format { name: "capture-mdp3-snapshot", head: Head::Bytes(24) },
    Format { name: "capture-pcapng", head: Head::Bytes(0) },
    Format { name: "dbn-orders", head: Head::Dbn },
    Format { name: "dbn-mixed", head: Head::Dbn },
    Format { name: "dbn-fragment", head: Head::Bytes(0) },
    Format { name: "databento-csv-orders", head: Head::Lines(1) },
    Format { name: "databento-csv-levels", head: Head::Lines(1) },
    Format { name: "tardis-book", head: Head::Lines(1) },
    Format { name: "tardis-quotes", head: Head::Lines(1) },
    Format { name: "lobster-messages", head: Head::Lines(0) },
    Format { name: "lobster-book", head: Head::Lines(0) },
    Format { name: "recording-binance-spot", head: Head::Lines(0) },
    Format { name: "recording-binance-futures", head: Head::Lines(0) },
    Format { name: "recording-coinbase-levels", head: Head::Lines(0) },
    Format { name: "recording-coinbase-orders", head: Head::Lines(0) },
    Format { name: "recording-kraken", head: Head::Lines(0) },
    Format { name: "recording-kraken-v2", head: Head::Lines(0) },
    Format { name: "recording-kraken-level3", head: Head::Lines(0) },
];

/// Head and body of a file of the corpus.
fn parts(format: Format) -> (Vec<u8>, Vec<u8>) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut bytes = std::fs::read(corpus.join(format.name)).unwrap();
    let at = match format.head {
        Head::Bytes(count) => count,
        Head::Lines(count) => {
            if bytes.last() != Some(&b'\n') {
                bytes.push(b'\n');
            }
            bytes.split_inclusive(|&byte| byte == b'\n').take(count).map(<[u8]>::len).sum()
        }
        Head::Dbn => 8 + u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize,
    };
    let body = bytes.split_off(at);
    (bytes, body)
}

/// Packed, so that the file itself takes little.
fn packed(write: impl FnOnce(&mut GzEncoder<Vec<u8>>)) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    write(&mut packer);
    packer.finish().unwrap()
}

/// Reads to the end: messages, and the most memory that was held meanwhile.
fn peak(file: &[u8], what: &str) -> (u64, usize) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut messages = 0;
    if let Ok(mut recording) = open_bytes(file, Options::default()) {
        let mut unit = Unit::default();
        while recording.next_unit(&mut unit).unwrap_or(false) {}
        messages = recording.counts().messages;
    }
    let peak = MEMORY.peak_usage() - before;
    assert!(peak <= MOST, "{what}: {} MiB", peak / MIB);
    (messages, peak)
}

fn repeated(head: &[u8], body: &[u8], bytes: usize) -> Vec<u8> {
    packed(|file| {
        file.write_all(head).unwrap();
        (0..bytes / body.len()).for_each(|_| file.write_all(body).unwrap());
    })
}

/// As [`peak`], of what stands between two halves of a file.
fn between(head: &[u8], body: &[u8], hostile: &[&[u8]], what: &str) {
    let file = packed(|file| {
        [head, body].iter().chain(hostile).chain([&body]).for_each(|bytes| {
            file.write_all(bytes).unwrap();
        });
    });
    peak(&file, what);
}

/// Lines that are too long, and such that are just not.
fn long_lines(head: &[u8], body: &[u8], name: &str) {
    between(head, body, &[&vec![b'x'; LONG]], &format!("{name} with a line that is too long"));
    for piece in [",", "[", "[\"1\",\"1\"],", "\"\","] {
        let line = piece.repeat((8 * MIB - 64) / piece.len());
        between(head, body, &[line.as_bytes(), b"\n"], &format!("{name} with a line of {piece}"));
    }
    // As many levels as there is room for, in a line of the format's own.
    let line = body.split_inclusive(|&byte| byte == b'\n').max_by_key(|line| line.len()).unwrap();
    let Some(at) = line.windows(2).position(|two| two == b"[[") else { return };
    let (front, back) = line.split_at(at + 1);
    for count in [(1 << 17) - 64, (8 * MIB - 4_096) / 12] {
        let levels = "[\"1.5\",\"1\"],".repeat(count.min((8 * MIB - 4_096) / 12));
        between(
            head,
            body,
            &[front, levels.as_bytes(), back],
            &format!("{name} with {count} levels"),
        );
    }
}

#[test]
fn no_file_takes_more_than_its_bound() {
    for &format in FORMATS {
        let ((head, body), name) = (parts(format), format.name);
        let (few, small) = peak(&repeated(&head, &body, 2 * MIB), name);
        let (many, large) = peak(&repeated(&head, &body, 8 * MIB), name);
        assert!(few > 1_000 && many > few, "{name}: {few} and {many} messages");
        assert!(large <= small + MIB, "{name} grows from {small} to {large} bytes");
        if let Head::Lines(_) = format.head {
            long_lines(&head, &body, name);
        } else {
            // Lengths that are as large as they can be, and whatever follows them.
            for byte in [0xff, 0x7f, 0] {
                between(
                    &head,
                    &body,
                    &[&vec![byte; LONG]],
                    &format!("{name} with bytes of {byte}"),
                );
            }
        }
    }
    // More symbols than are read, each of its own.
    let (head, body) =
        parts(FORMATS.iter().copied().find(|one| one.name == "tardis-quotes").unwrap());
    let row = String::from_utf8(body).unwrap().lines().next().unwrap().to_owned();
    let (venue, rest) = row.split_once(',').unwrap();
    let rest = rest.split_once(',').unwrap().1;
    let file = packed(|file| {
        file.write_all(&head).unwrap();
        for number in 0..300_000 {
            writeln!(file, "{venue},A-SYMBOL-OF-SOME-LENGTH-{number},{rest}").unwrap();
        }
    });
    let (rows, _) = peak(&file, "300,000 symbols");
    assert_eq!(rows, 300_000);
    long_symbols();
    many_meanings();
}

/// Symbols as long as a line may be.
fn long_symbols() {
    const FRAMES: [&str; 2] = [
        r#"1723161255000000000 {"e":"depthUpdate","E":1723161255208,"s":"SYM","U":1,"u":2,"b":[],"a":[]}"#,
        r#"{"type":"l2update","product_id":"SYM","time":"2024-08-08T00:00:00Z","changes":[["buy","1","1"]]}"#,
    ];
    let databento = "ts_event,publisher_id,instrument_id,action,side,price,size,order_id,symbol\n";
    let tardis = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n";
    let rows = [(databento, "1,2,7,A,B,1,1,1,SYM"), (tardis, "e,SYM,1,2,true,bid,1,1")];
    for (head, row) in FRAMES.map(|frame| ("", frame)).into_iter().chain(rows) {
        let file = packed(|file| {
            writeln!(file, "{head}{}", row.replace("SYM", "SHORT")).unwrap();
            for at in 0..60 {
                let symbol = char::from(b'A' + at % 26).to_string().repeat(3 << 20);
                let row = row.replace("SYM", &format!("{symbol}{at}"));
                let row = row.replace(",2,7,", &format!(",2,{at},"));
                writeln!(file, "{row}").unwrap();
            }
        });
        let (messages, _) = peak(&file, &format!("long symbols in {row}"));
        assert_eq!(messages, 61, "{row}");
    }
}

/// Numbers of Databento that mean something else in each record, and more numbers than are read.
fn many_meanings() {
    let head = "ts_event,publisher_id,instrument_id,action,side,price,size,order_id,symbol";
    let file = packed(|file| {
        writeln!(file, "{head}").unwrap();
        for number in 0..20_000 {
            writeln!(file, "{number},2,{number},R,N,,0,0,S{number}").unwrap();
        }
        for at in 0..1_000_000 {
            writeln!(file, "{},2,42,R,N,,0,0,S{}", 20_000 + at, at % 2).unwrap();
        }
    });
    assert_eq!(peak(&file, "a number of two symbols").0, 1_020_000);
    let mut mapping = [0; 176];
    (mapping[0], mapping[1], mapping[8]) = (44, 0x16, 1);
    mapping[89..159].fill(b'S');
    mapping[168..].fill(0xff);
    for [numbers, symbols] in [[600_000, 1], [1, 600_000]] {
        let file = packed(|file| {
            for at in 0..600_000u32 {
                mapping[4..8].copy_from_slice(&(at % numbers).to_le_bytes());
                mapping[92..96].copy_from_slice(&(0x4141_4141 + at % symbols).to_le_bytes());
                file.write_all(&mapping).unwrap();
            }
        });
        assert_eq!(peak(&file, "mappings of symbols").0, 600_000);
    }
}
