//! IEX-TP as it was recorded.

mod common;

use common::recorded;
use feeds::capture::{Carried, Walker, transport};
use feeds::iex::wire::Packet;
use feeds::recording::{Books, Log, Options, Recording, Source, Unit, open};
use market::EventKind;
use std::fs::File;

fn count(recording: &dyn Recording, name: &str) -> u64 {
    let counts = recording.counts();
    counts.others.iter().find(|&&(other, _)| other == name).map_or(0, |&(_, count)| count)
}

/// Reads to the end; gives how many events there were of each kind.
fn kinds(recording: &mut dyn Recording) -> [u64; 16] {
    let (mut unit, mut kinds) = (Unit::default(), [0; 16]);
    while recording.next_unit(&mut unit).unwrap() {
        unit.events.iter().for_each(|event| kinds[usize::from(event.kind)] += 1);
    }
    kinds
}

#[test]
fn the_day_of_deep_is_read_to_its_cut_end_with_its_restarts() {
    let test = "the_day_of_deep_is_read_to_its_cut_end_with_its_restarts";
    let Some(path) = recorded(test, "iex/DEEP10.pcap.gz") else { return };
    let mut recording = open(&Source::file(path), Options::default()).unwrap();
    let kinds = kinds(&mut *recording);
    let counts = recording.counts();
    assert_eq!(counts.messages, 391_999);
    let of = |kind: &str| counts.by_type.iter().find(|(of, _)| of == kind).unwrap().1;
    assert_eq!((of("8") + of("5"), kinds[EventKind::Level as usize]), (27_568, 27_568));
    assert_eq!((of("T"), kinds[EventKind::Trade as usize]), (83_343, 83_343));
    assert_eq!(count(&*recording, "in sequence"), 391_999);
    assert_eq!(count(&*recording, "stream restarts"), 11);
    assert_eq!(kinds[EventKind::Reset as usize], 11);
    assert_eq!((recording.log().gaps().0, recording.log().damaged().0), (0, 0));
    assert_eq!(recording.log().skipped().count(), 0);
    let cut = recording.log().is_cut().unwrap();
    assert!(cut.reason.ends_with("cut: 460 of its 1490 bytes are there"), "{}", cut.reason);
    assert_eq!(recording.describe().books, Books::ByLevel);
    assert!(recording.describe().version.ends_with("DEEP 1.0"));
    assert_eq!(recording.instruments().all().len(), 7_802);
}

/// Every message is as long as the specification says of its type, and the type that a capture is
/// named after is in it.
#[test]
fn single_captures_have_the_lengths_of_their_types() {
    let test = "single_captures_have_the_lengths_of_their_types";
    let Some(root) = recorded(test, "omi_single/Iex") else { return };
    let lengths = [
        (b'S', 10),
        (b'D', 31),
        (b'H', 22),
        (b'I', 18),
        (b'O', 18),
        (b'P', 19),
        (b'E', 18),
        (b'8', 30),
        (b'5', 30),
        (b'T', 38),
        (b'B', 38),
        (b'X', 26),
        (b'A', 80),
        (b'Q', 42),
        (b'a', 38),
        (b'M', 38),
        (b'R', 26),
        (b'L', 46),
        (b'C', 18),
    ];
    let (mut files, mut all) = (0, 0);
    for folder in std::fs::read_dir(root).unwrap() {
        for entry in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = entry.unwrap().path();
            let (mut walker, mut log) = (Walker::new(File::open(&path).unwrap()), Log::default());
            let mut messages = 0;
            while let Some(frame) = walker.next_frame(&mut log).unwrap() {
                let Ok(Carried::Datagram(datagram)) = transport(&frame) else { panic!() };
                let packet = Packet::parse(datagram.payload).unwrap();
                for message in packet.messages() {
                    let length = lengths.iter().find(|&&(kind, _)| kind == message[0]).unwrap().1;
                    assert_eq!(message.len(), length, "{}", path.display());
                    messages += 1;
                }
            }
            let mut recording = open(&Source::file(&path), Options::default()).unwrap();
            let kinds = kinds(&mut *recording);
            assert_eq!(recording.counts().messages, messages);
            assert_eq!(recording.log().damaged().0, 0, "{}", path.display());
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let given = kinds.iter().sum::<u64>() > 0;
            assert!(given || name.contains("Heartbeat") || name.contains("SecurityEvent"));
            let by_order = path.to_string_lossy().contains("DeepPlus");
            let books = if by_order { Books::ByOrder } else { Books::ByLevel };
            assert_eq!(recording.describe().books, books);
            (files, all) = (files + 1, all + messages);
        }
    }
    assert!(files >= 18 && all >= 896, "{files} {all}");
}
