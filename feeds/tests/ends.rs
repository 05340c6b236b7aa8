//! How a file may begin and end and still be what it is: a byte order mark, a packing that is cut,
//! zeros behind it, blank lines at the end. The same for every format.

mod common;

use common::told::{kinds, read, skipped, units};
use feeds::recording::{Lines, Options, Source, open, open_bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use market::EventKind as K;
use std::io::Write;

/// So many rows that a packing can be cut among them.
const ROWS: u64 = 30_000;

fn tardis() -> String {
    let head = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n";
    let row = |n: u64| {
        let (time, amount) = (1_000 + 5 * n, n * n % 977 + 1);
        format!("deribit,X,{time},{},{},bid,{}.5,{amount}\n", time + 5, n == 0, 100 + n % 7)
    };
    head.to_owned() + &(0..ROWS).map(row).collect::<String>()
}

fn databento() -> String {
    let head = "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,\
                channel_id,order_id,flags,ts_in_delta,sequence,symbol\n";
    let row = |n: u64| {
        let (time, size) = (1_000_000 + 5 * n, n * n % 977 + 1);
        format!("{},{time},160,2,7,A,B,5.5,{size},0,{n},128,5,{n},SYM\n", time + 7)
    };
    let first = "9,8,160,2,7,R,N,,0,0,0,8,0,0,SYM\n".to_owned();
    head.to_owned() + &first + &(1..ROWS).map(row).collect::<String>()
}

fn lobster() -> String {
    let row = |n: u64| format!("{}.1,1,{n},{},999900,1\n", 34_200 + n / 2, n * n % 977 + 1);
    (1..ROWS).map(row).collect()
}

fn binance() -> String {
    let row = |n: u64| {
        let (time, price) = (1_723_161_255_000 + n, n * n % 977 + 1);
        format!(
            "{time}000000 {{\"e\":\"trade\",\"E\":{time},\"T\":{time},\"s\":\"BTCUSDT\",\"t\":{n},\
             \"p\":\"{price}.5\",\"q\":\"1\",\"m\":true}}\n"
        )
    };
    (1..ROWS).map(row).collect()
}

fn itch() -> Vec<u8> {
    let message = |n: u64| {
        let mut message = vec![0, 12, b'S', 0, 0, 0, 0, 0, 0];
        message.extend((n * n % 65_521).to_be_bytes()[4..].iter());
        message.push(b'Q');
        message
    };
    (1..ROWS).flat_map(message).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_text() {
    for text in [tardis(), databento(), lobster(), binance()] {
        let text: String = text.lines().take(20).map(|line| format!("{line}\n")).collect();
        let marked = format!("\u{feff}{text}");
        let (plain, of_plain) = read(text.as_bytes());
        let (given, recording) = read(marked.as_bytes());
        assert_eq!(given, plain);
        assert_eq!(recording.counts(), of_plain.counts());
        assert_eq!((skipped(&*recording), recording.log().damaged().0), (vec![], 0));
    }
    let mut lines = Lines::new(&b"\xef\xbb\xbfone\n\xef\xbb\xbf\ntwo\xef\xbb\xbf"[..]);
    let mut all = Vec::new();
    while let Some(line) = lines.next_line().unwrap() {
        all.push((line.position, line.text.to_vec()));
    }
    assert_eq!(all, [(0, b"one".to_vec()), (7, vec![]), (11, b"two\xef\xbb\xbf".to_vec())]);
}

#[test]
fn a_file_behind_another_may_have_a_byte_order_mark_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let text = binance();
    let half = text.lines().take(20).map(|line| format!("{line}\n")).collect::<String>();
    let source = |name: &str| {
        std::fs::write(folder.path().join(name), format!("\u{feff}{half}")).unwrap();
        Source::file(folder.path().join(name))
    };
    let both = source("one").followed_by(source("two"));
    let mut recording = open(&both, Options::default()).unwrap();
    assert_eq!(units(&mut *recording).len(), 40);
    assert_eq!((recording.log().damaged().0, recording.counts().messages), (0, 40));
}

#[test]
fn a_packing_that_is_cut_is_an_end_in_every_format() {
    let texts = [tardis(), databento(), lobster(), binance()].map(String::into_bytes);
    for plain in texts.into_iter().chain([itch()]) {
        let all = read(&plain).0;
        for packed in [gzip(&plain), zstd::encode_all(&plain[..], 3).unwrap()] {
            let cut = &packed[..packed.len() / 2];
            let mut recording = open_bytes(cut, Options::default()).unwrap();
            let given = units(&mut *recording);
            assert!(given.len() > 1_000 && given.len() < all.len(), "{}", given.len());
            assert!(given[..] == all[..given.len()]);
            let log = recording.log();
            let cut = log.is_cut().expect("it ended as if it were whole");
            assert!(cut.position > 0 && cut.position < plain.len() as u64);
            assert_eq!((log.damaged().0, skipped(&*recording)), (0, vec![]));
        }
    }
}

#[test]
fn zeros_behind_a_packing_mean_nothing() {
    let plain = itch();
    let all = read(&plain).0.len();
    let halves = plain.split_at(14 * 5_000);
    let two = [gzip(halves.0), gzip(halves.1)];
    for zeros in [1, 511, 100_000] {
        let zeros = vec![0; zeros];
        for packed in [[&two[0], &two[1], &zeros], [&two[0], &zeros, &two[1]]] {
            let packed: Vec<u8> = packed.into_iter().flatten().copied().collect();
            let (given, recording) = read(&packed);
            assert_eq!((given.len(), recording.log().is_cut()), (all, None));
        }
    }
    // Anything else is no gzip, and a member that is cut is an end.
    let strange = [&two[0][..], &[0, 0], b"strange bytes behind"].concat();
    let mut recording = open_bytes(&strange, Options::default()).unwrap();
    let mut unit = feeds::recording::Unit::default();
    for _ in 0..5_000 {
        assert!(recording.next_unit(&mut unit).unwrap());
    }
    assert!(recording.next_unit(&mut unit).is_err());
    for length in [3, 12, two[1].len() - 4] {
        let packed = [&two[0][..], &two[1][..length]].concat();
        let (given, recording) = read(&packed);
        assert!(given.len() >= 5_000 && recording.log().is_cut().is_some(), "{length}");
    }
}

#[test]
fn blank_lines_are_no_rows_of_lobster() {
    let folder = tempfile::tempdir().unwrap();
    let name = |what| format!("TEST_2012-06-21_34200000_57600000_{what}_1.csv");
    let message = "34200.1,1,11,3,999900,1\n";
    let row = "1000100,5,999900,3\n";
    let write = |messages: &str, rows: &str| {
        std::fs::write(folder.path().join(name("message")), messages).unwrap();
        std::fs::write(folder.path().join(name("orderbook")), rows).unwrap();
        let open = |what| open(&Source::file(folder.path().join(name(what))), Options::default());
        (open("message").unwrap(), open("orderbook").unwrap())
    };
    for (behind, behind_row) in [("\n", "\n"), ("\r\n\r\n", ""), ("", "\n\n"), ("", "")] {
        let (mut messages, mut rows) =
            write(&format!("{message}{message}{behind}"), &format!("{row}{row}{behind_row}"));
        let told: Vec<_> = kinds(&units(&mut *messages)).concat();
        assert_eq!(told, [K::Clear, K::Level, K::Level]);
        units(&mut *rows);
        for recording in [&messages, &rows] {
            assert_eq!(recording.counts().messages, 2);
            assert_eq!((skipped(&**recording), recording.log().damaged().0), (vec![], 0));
        }
    }
    // Where only one of them is blank, it stands for what should be there.
    let (mut messages, _) = write(&format!("{message}\n{message}"), &row.repeat(3));
    assert_eq!(units(&mut *messages).len(), 3);
    assert_eq!(skipped(&*messages), [("a blank line", 1)]);
    assert_eq!((messages.counts().messages, messages.log().damaged().0), (3, 0));
}
