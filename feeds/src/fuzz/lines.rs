//! Datagrams of a capture, by the readers of protocols: several lines, gaps, times and sessions as the
//! bytes say. Frames and files around them are [`super::frame`] and [`super::recording`].

use super::recordings::unit_promises;
use crate::capture::{Datagram, Protocol};
use crate::recording::{Log, Options, Unit};
use crate::{iex, mdp3, moldudp64};
use market::{Event, EventKind, InstrumentId, Nanos, Timestamp};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Any bytes as datagrams of IEX-TP: no panic, an end, and units as a recording promises them.
pub fn iex_lines(bytes: &[u8]) {
    lines(bytes, iex::recording::make(&Options::default()).ok(), |_| ());
}

/// Any bytes as datagrams of MDP 3.0: as for [`iex_lines`].
pub fn mdp3_lines(bytes: &[u8]) {
    lines(bytes, mdp3::recording::make(&Options::default()).ok(), |_| ());
}

/// Any bytes as datagrams of MDP 3.0, with books by order: as for [`iex_lines`], and no event
/// contradicts the orders that were told before it.
pub fn mdp3_orders(bytes: &[u8]) {
    let options = Options { by_order: true, ..Options::default() };
    let mut orders: HashMap<(InstrumentId, u64), Event> = HashMap::new();
    lines(bytes, mdp3::recording::make(&options).ok(), |unit| {
        unit.events.iter().for_each(|event| follow(&mut orders, event));
    });
}

fn follow(orders: &mut HashMap<(InstrumentId, u64), Event>, event: &Event) {
    let key = (event.instrument, event.order);
    let known = orders.get(&key).copied();
    match event.kind() {
        Some(EventKind::Add) => assert!(known.is_none(), "{event:?}"),
        Some(EventKind::Change | EventKind::Delete) => {
            assert_eq!(known.map(|known| known.side()), Some(event.side()), "{event:?}");
        }
        Some(EventKind::Clear | EventKind::Reset) => {
            return orders.retain(|&(instrument, _), _| instrument != event.instrument);
        }
        kind => return assert_ne!(kind, Some(EventKind::Level)),
    }
    if event.kind() == Some(EventKind::Delete) {
        orders.remove(&key);
    } else {
        assert!(event.qty.is_positive() && event.side().is_some(), "{event:?}");
        orders.insert(key, *event);
    }
}

/// Any bytes as datagrams of MoldUDP64: as for [`iex_lines`].
pub fn moldudp64_lines(bytes: &[u8]) {
    lines(bytes, moldudp64::recording::make(&Options::default()).ok(), |_| ());
}

fn lines(mut bytes: &[u8], protocol: Option<Box<dyn Protocol>>, mut look: impl FnMut(&Unit)) {
    let Some(mut protocol) = protocol else { return };
    let (mut unit, mut log, mut slots) = (Unit::default(), Log::default(), 0);
    let (mut position, mut time) = (0, Timestamp::from_nanos(1_700_000_000_000_000_000));
    // One byte says line and time, two how many bytes there are.
    while let Some((&[step, low, high], rest)) = bytes.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([low, high]));
        let (payload, rest) = rest.split_at(rest.len().min(length));
        while more(&mut *protocol, false, position, &mut unit, &mut log) {
            unit_promises(&unit, protocol.instruments(), &mut slots);
            look(&unit);
        }
        time = time.after(Nanos::from_micros(u64::from(step >> 3) * 5_000));
        unit.begin(position);
        unit.received = time;
        let datagram = Datagram { position, time, from: to(1), to: to(step % 8), payload };
        if protocol.datagram(&datagram, &mut unit, &mut log) {
            unit.end();
            unit_promises(&unit, protocol.instruments(), &mut slots);
            look(&unit);
        }
        position += 3 + payload.len() as u64;
        bytes = rest;
    }
    while more(&mut *protocol, true, position, &mut unit, &mut log) {
        unit_promises(&unit, protocol.instruments(), &mut slots);
        look(&unit);
    }
    let counts = protocol.counts();
    assert_eq!(counts.messages, counts.by_type.iter().map(|&(_, count)| count).sum::<u64>());
}

/// What is left to be given; ends, since each time something is taken off.
fn more(
    protocol: &mut dyn Protocol,
    over: bool,
    position: u64,
    unit: &mut Unit,
    log: &mut Log,
) -> bool {
    unit.begin(position);
    let more = protocol.more(over, unit, log);
    unit.end();
    more
}

/// Lines A and B of four channels: ports 1,000 apart, as CME has them.
fn to(line: u8) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(233, 54, 12, line / 2), 14_310 + 1_000 * u16::from(line % 2))
}
