//! MDP 3.0 by order as it was recorded: orders against what the messages say of levels.

mod common;

use common::recorded;
use feeds::capture::{Carried, Walker, transport};
use feeds::mdp3::wire::{Group, Packet, Size};
use feeds::recording::{Books, Log, Options, Recording, Source, Unit, open};
use market::book::OrderBooks;
use market::{Event, EventFlags, EventKind, InstrumentId, Side};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;

const EXAMPLE: &str = "cme_mdp3/Cme.Mdp3.Sbe.v9.1.Example.pcap";

/// A level of the real book: security and side, and its price in units of 1e-9.
type Place = (i32, Side, i64);
/// Size and `NumberOfOrders` of levels; `None` of one that goes.
type Levels = Vec<(Place, Option<(i64, u32)>)>;

fn count(recording: &dyn Recording, name: &str) -> u64 {
    let counts = recording.counts();
    counts.others.iter().find(|&&(other, _)| other == name).map_or(0, |&(_, count)| count)
}

/// What a capture says of levels, by the place of the packet that says it: found without the reader.
fn levels(path: &Path) -> BTreeMap<u64, Levels> {
    let (mut walker, mut log) = (Walker::new(File::open(path).unwrap()), Log::default());
    let mut found = BTreeMap::new();
    while let Some(frame) = walker.next_frame(&mut log).unwrap() {
        let Ok(Carried::Datagram(datagram)) = transport(&frame) else { continue };
        let mut said = Levels::new();
        let packet = Packet::parse(datagram.payload).unwrap();
        for message in packet.messages().filter(|message| message.template == 46) {
            let mut rest = message.rest;
            for entry in Group::take(&mut rest, Size::Short).unwrap().entries() {
                let side = match entry.u8(26).unwrap() {
                    b'0' => Side::Buy,
                    b'1' => Side::Sell,
                    _ => continue,
                };
                let place = (entry.i32(12).unwrap(), side, entry.i64(0).unwrap());
                let level = (i64::from(entry.i32(8).unwrap()), entry.u32(20).unwrap());
                said.push((place, Some(level).filter(|_| entry.u8(25) != Some(2))));
            }
        }
        found.insert(frame.position, said);
    }
    found
}

/// Quantity and number of the orders at a level that events told.
fn sum(orders: &HashMap<(i32, u64), (Place, i64)>, place: Place) -> (i64, u32) {
    let at = orders.values().filter(|&&(of, _)| of == place);
    at.fold((0, 0), |(qty, count), &(_, more)| (qty + more, count + 1))
}

/// The capture begins in the middle of a day, without a snapshot. At the end of every event of the
/// venue, of every level that it changed: orders are never more than the level says, and where they
/// are as many, their sum is its size.
#[test]
fn orders_add_up_to_the_levels_that_are_told_beside_them() {
    let test = "orders_add_up_to_the_levels_that_are_told_beside_them";
    let Some(path) = recorded(test, EXAMPLE) else { return };
    let mut said = levels(&path);
    let options = Options { by_order: true, ..Options::default() };
    let mut recording = open(&Source::file(&path), options).unwrap();
    let (mut unit, mut books) = (Unit::default(), OrderBooks::growing());
    let mut orders: HashMap<(i32, u64), (Place, i64)> = HashMap::new();
    let mut touched: BTreeMap<(i32, bool, i64), Option<(i64, u32)>> = BTreeMap::new();
    let (mut whole, mut part, mut gone) = (0, 0, 0);
    while recording.next_unit(&mut unit).unwrap() {
        for (place, level) in said.remove(&unit.position).unwrap_or_default() {
            touched.insert((place.0, place.1 == Side::Sell, place.2), level);
        }
        let symbols: Vec<i32> =
            recording.instruments().all().iter().map(|one| one.symbol.parse().unwrap()).collect();
        for event in &unit.events {
            books.admit(event.instrument);
            assert_eq!(books.apply(event).contradiction, None, "{event:?}");
            let security = symbols[event.instrument.index()];
            apply(&mut orders, security, event);
        }
        if unit.events.is_empty() {
            continue;
        }
        for ((security, sell, price), level) in std::mem::take(&mut touched) {
            let side = if sell { Side::Sell } else { Side::Buy };
            let ours = sum(&orders, (security, side, price));
            match level {
                None => {
                    assert_eq!(ours, (0, 0), "{security} {side:?} {price}");
                    gone += 1;
                }
                Some(level) if ours.1 == level.1 => {
                    assert_eq!(ours, level, "{security} {side:?} {price}");
                    whole += 1;
                }
                Some(level) => {
                    assert!(ours.1 < level.1 && ours.0 < level.0, "{ours:?} of {level:?}");
                    part += 1;
                }
            }
        }
    }
    books.audit().unwrap();
    // Levels that are known to the last order, of which orders of before are missing, that go.
    assert_eq!((whole, part, gone), (152, 14, 139));
    assert_eq!(
        (count(&*recording, "orders by id"), count(&*recording, "orders of before")),
        (229, 133)
    );
    assert_eq!(recording.describe().books, Books::ByOrder);
    assert_eq!(recording.log().damaged().0, 0);
    assert_eq!(count(&*recording, "contradictions"), 0);
}

fn apply(orders: &mut HashMap<(i32, u64), (Place, i64)>, security: i32, event: &Event) {
    let key = (security, event.order);
    match event.kind().unwrap() {
        EventKind::Add | EventKind::Change => {
            let place = (security, event.side().unwrap(), event.price.raw());
            orders.insert(key, (place, event.qty.raw()));
        }
        EventKind::Delete => drop(orders.remove(&key).unwrap()),
        EventKind::Clear => orders.retain(|&(of, _), _| of != security),
        _ => {}
    }
}

/// Trades, statuses and what stands beside events, with the symbols that they concern.
fn beside(recording: &mut dyn Recording) -> Vec<(String, Event)> {
    let (mut unit, mut found) = (Unit::default(), Vec::new());
    while recording.next_unit(&mut unit).unwrap() {
        for event in &unit.events {
            let kind = event.kind().unwrap();
            if matches!(kind, EventKind::Trade | EventKind::Status | EventKind::Entry) {
                let known = recording.instruments().get(event.instrument).unwrap();
                let of = Event { instrument: InstrumentId(0), flags: EventFlags::NONE, ..*event };
                found.push((known.symbol.clone(), of));
            }
        }
    }
    found
}

#[test]
fn what_is_told_beside_books_is_the_same_by_order_and_by_level() {
    let test = "what_is_told_beside_books_is_the_same_by_order_and_by_level";
    for (path, least) in [(EXAMPLE, 7), ("cme_mdp3/Cme.Mdp3.Sbe.v8.1.Example.pcap", 300)] {
        let Some(path) = recorded(test, path) else { return };
        let [levels, orders] = [false, true].map(|by_order| {
            let options = Options { by_order, ..Options::default() };
            let mut recording = open(&Source::file(&path), options).unwrap();
            let found = beside(&mut *recording);
            assert_eq!((recording.log().damaged().0, recording.log().gaps().0), (0, 0));
            (found, recording.counts().by_type)
        });
        assert!(levels.0.len() > least, "{}", levels.0.len());
        assert!(levels == orders, "{}", path.display());
    }
}

/// A single packet of orders by themselves, and one of orders that name levels.
#[test]
fn single_captures_give_their_orders() {
    let test = "single_captures_give_their_orders";
    let Some(root) = recorded(test, "omi_single/Cme/Mdp3.Sbe.v1.9") else { return };
    for (name, told, before) in
        [("MdIncrementalRefreshOrderBook.pcap", 1, 0), ("MdIncrementalRefreshBook.pcap", 8, 15)]
    {
        let options = Options { by_order: true, ..Options::default() };
        let mut recording = open(&Source::file(root.join(name)), options).unwrap();
        let (mut unit, mut events) = (Unit::default(), Vec::new());
        while recording.next_unit(&mut unit).unwrap() {
            events.extend(unit.events.iter().map(|event| event.kind().unwrap()));
        }
        assert_eq!(recording.log().damaged().0, 0);
        events
            .retain(|kind| matches!(kind, EventKind::Add | EventKind::Change | EventKind::Delete));
        assert_eq!(
            (events.len(), count(&*recording, "orders of before")),
            (told, before),
            "{name}"
        );
    }
}
