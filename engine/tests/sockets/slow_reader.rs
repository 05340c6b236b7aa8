//! A client that asks and never reads: it is cut off, and nobody else notices.

use crate::host::PATIENCE;
use crate::lab::{Lab, engine_positions, exchange_positions};
use crate::story::Story;
use gateway::dialect::Dialect;
use gateway::orders::{Instruments, OrderEntry};
use gateway::session::{MemoryStore, Reset, Session, SessionConfig};
use market::{Command, Instrument, InstrumentId, OrderId, Qty, Side, Timestamp};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

/// More answers than any buffer between the two holds.
const REQUESTS: u64 = 200_000;

fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_nanos(u64::try_from(since.as_nanos()).unwrap())
}

/// Logs on as SLOTH and sends one order again and again, each time to be refused, without reading
/// after its logon. Gives how often, until the exchange cut the connection.
fn ask_and_never_read(lab: &Lab) -> u64 {
    let mut stream = TcpStream::connect(lab.fix).unwrap();
    socket2::SockRef::from(&stream).set_recv_buffer_size(4_096).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let config = SessionConfig {
        reset_on_logon: Reset::WhenNew,
        ..SessionConfig::initiator("SLOTH", "EXCHANGE")
    };
    let mut session = Session::new(config, MemoryStore::new(1 << 18, 1 << 26)).unwrap();
    // The first of the instruments that the exchange lists.
    let listed = Instruments::new(&[Instrument::share(0, "TLA")]).unwrap();
    let mut entry = OrderEntry::new(listed, 64, Dialect::default());
    let mut out = Vec::new();
    session.connected(now(), &mut out).unwrap();
    stream.write_all(&out).unwrap();
    let mut answer = [0; 1_024];
    let count = stream.read(&mut answer).unwrap();
    out.clear();
    let mut reports: Vec<market::Report> = Vec::new();
    let mut application = entry.application(&mut reports);
    session.received(now(), 0, &answer[..count], &mut out, &mut application).unwrap();
    drop(application);
    assert!(session.is_up(), "{}", String::from_utf8_lossy(&answer[..count]));

    let price = "1.00".parse().unwrap();
    let order = Command::new(OrderId(1), InstrumentId(0), Side::Buy, price, Qty::from_raw(1));
    for sent in 0..REQUESTS {
        out.clear();
        entry.send(&mut session, now(), &mut out, &order).unwrap();
        match stream.write_all(&out) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("nobody hears it"),
            Err(_) => return sent,
        }
    }
    panic!("the exchange holds {REQUESTS} answers for a client that does not read");
}

#[test]
fn a_client_that_does_not_read_is_cut_and_holds_up_nobody() {
    let lab = Lab::synthetic(5);
    let accounts = ("accounts = [\"TOUCHLINE\"]", "accounts = [\"TOUCHLINE\", \"SLOTH\"]".into());
    lab.change("exchange.toml", &[accounts]);
    let exchange = lab.exchange(&[]);
    let engine = lab.engine();
    let mut story = Story::of(&lab);
    story.wait("first orders", |told| told.now.accepted > 0);
    let asked = ask_and_never_read(&lab);
    assert!(asked > 1_000, "cut after {asked} requests");
    let accepted = story.read().now.accepted;
    story.wait("orders after it", |told| told.now.accepted > accepted);
    assert_eq!((story.read().now.ups, story.read().now.downs), (1, 0));
    let ours = engine.stop();
    let theirs = exchange.stop();
    assert!(theirs.contains("SLOTH: away (the client does not read)"), "{theirs}");
    assert_eq!(engine_positions(&ours), exchange_positions(&theirs), "{ours}\n{theirs}");
    assert!(!ours.contains("troubles"), "{ours}");
}
