//! SoupBinTCP: client against server over a wire that cuts bytes anywhere and breaks; and every
//! class of bad input by name.

use feeds::moldudp64::Session;
use feeds::soupbintcp::{Asked, BadPacket, Client, Kind, Login, Said, Server, Trouble, write};
use market::{Nanos, Rng, Timestamp};
use proptest::prelude::*;

const SECOND: Nanos = Nanos::SECOND;
const NOW: Timestamp = Timestamp::from_nanos(5_000_000_000);

fn login() -> Login {
    Login::new(b"USER", b"SECRET").unwrap()
}

fn session() -> Session {
    Session::new("TL1").unwrap()
}

fn client(next: u64) -> Client {
    Client::new(login(), (None, next), SECOND, Nanos::from_secs(3))
}

/// The packets of a server that accepts at `next` and sends `messages`.
fn sent(next: u64, messages: &[&[u8]]) -> Vec<u8> {
    let mut server = Server::new(SECOND, Nanos::from_secs(3), NOW);
    let mut out = Vec::new();
    server.accept(session(), next, NOW, &mut out);
    messages.iter().for_each(|message| server.message(message, NOW, &mut out));
    out
}

fn packet(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 1).unwrap();
    [&length.to_be_bytes()[..], &[kind], payload].concat()
}

/// A client that was let in.
fn up() -> Client {
    let mut client = client(1);
    client.connected(NOW, &mut Vec::new());
    assert!(matches!(client.take(&sent(1, &[]), NOW), Ok(Some((33, Said::Accepted { .. })))));
    client
}

#[test]
fn golden_packets() {
    let mut out = Vec::new();
    client(42).connected(NOW, &mut out);
    assert_eq!(out, b"\0\x2fLUSER  SECRET                                42");
    let mut server = Server::new(SECOND, SECOND, NOW);
    let (length, asked) = server.take(&out, NOW).unwrap().unwrap();
    assert_eq!((length, asked), (49, Asked::Login(login(), None, 42)));
    assert_eq!(sent(7, &[b"x"]), b"\0\x1fA       TL1                   7\0\x02Sx");
    // A login of 4.00 names a heartbeat time-out behind the number.
    let longer = packet(b'L', &[&out[3..], b"15000"].concat());
    assert_eq!(server.take(&longer, NOW), Ok(Some((54, Asked::Login(login(), None, 42)))));
    assert_eq!(Login::new(b"SEVENCH", b""), None);
    assert_eq!(Login::new(b"", b"ELEVENCHARS"), None);
    assert_eq!(Login::new(b"A B", b""), None);
    assert!(!format!("{:?}", login()).contains("SECRET"));
}

#[test]
fn who_is_turned_away_hears_why() {
    for (reason, trouble) in
        [(b'A', Trouble::NotAuthorized), (b'S', Trouble::NoSession), (b'?', Trouble::Refused(b'?'))]
    {
        let (mut client, mut out) = (client(1), Vec::new());
        client.connected(NOW, &mut out);
        out.clear();
        Server::new(SECOND, SECOND, NOW).reject(reason, &mut out);
        assert_eq!(client.take(&out, NOW), Err(trouble));
        assert_eq!((client.counters().rejected, client.is_up()), (1, false));
    }
}

#[test]
fn bad_packets_end_the_connection_and_unknown_ones_do_not() {
    let short = |kind| BadPacket::Short(kind).into();
    let number = |text: &str| packet(b'A', format!("       TL1{text:>20}").as_bytes());
    let cases: [(Vec<u8>, Trouble); 9] = [
        (vec![0, 0], BadPacket::NoType.into()),
        (packet(b'A', b"       TL1"), short(b'A')),
        (packet(b'A', b"x"), short(b'A')),
        (packet(b'J', b""), short(b'J')),
        (number("12x"), BadPacket::Number(b'A').into()),
        (number("0"), BadPacket::Number(b'A').into()),
        (number("99999999999999999999"), BadPacket::Number(b'A').into()),
        (packet(b'A', &[b' '; 30]), BadPacket::Number(b'A').into()),
        (packet(b'S', b"too early"), BadPacket::OutOfPlace(b'S').into()),
    ];
    for (bytes, trouble) in cases {
        let mut client = client(1);
        client.connected(NOW, &mut Vec::new());
        assert_eq!(client.take(&bytes, NOW), Err(trouble), "{bytes:?}");
        assert_eq!((client.next(), client.session()), (1, None), "nothing changed");
    }
    let mut client = up();
    for (bytes, trouble) in [
        (sent(1, &[]), BadPacket::OutOfPlace(b'A')),
        (packet(b'L', &[b' '; 46]), BadPacket::OutOfPlace(b'L')),
        (packet(b'R', b""), BadPacket::OutOfPlace(b'R')),
    ] {
        assert_eq!(client.take(&bytes, NOW), Err(trouble.into()));
    }
    for bytes in [packet(b'?', b"from the future"), packet(b'+', b"text"), packet(b'U', b"")] {
        assert_eq!(client.take(&bytes, NOW), Ok(Some((bytes.len(), Said::Other))));
    }
    assert_eq!((client.counters().unknown, client.counters().others), (1, 2));

    let mut server = Server::new(SECOND, SECOND, NOW);
    let login = |number: &str| packet(b'L', format!("{:26}{number:>20}", "USER").as_bytes());
    for (bytes, bad) in [
        (packet(b'L', &[b' '; 45]), BadPacket::Short(b'L')),
        (login("-1"), BadPacket::Number(b'L')),
        (packet(b'L', &[b'\n'; 46]), BadPacket::Number(b'L')),
        (packet(b'S', b""), BadPacket::OutOfPlace(b'S')),
        (vec![0, 0, b'L'], BadPacket::NoType),
    ] {
        let taken = server.take(&bytes, NOW);
        if bytes[3..] == [b'\n'; 46] {
            // White space is blank, whichever.
            assert!(matches!(taken, Ok(Some((_, Asked::Login(_, None, 0))))));
        } else {
            assert_eq!(taken, Err(bad), "{bytes:?}");
        }
    }
}

#[test]
fn silence_is_noticed_and_kept_from_the_other() {
    let mut client = up();
    let (mut out, at) = (Vec::new(), |millis| NOW.after(Nanos::from_millis(millis)));
    assert_eq!(client.poll(at(999), &mut out), Ok(()));
    assert!(out.is_empty());
    assert_eq!(client.poll(at(1_000), &mut out), Ok(()));
    assert_eq!(out, b"\0\x01R");
    assert_eq!(client.take(&packet(b'H', b""), at(2_500)), Ok(Some((3, Said::Heartbeat))));
    assert_eq!(client.poll(at(5_499), &mut out), Ok(()));
    assert_eq!(client.poll(at(5_500), &mut out), Err(Trouble::Silent));

    let mut server = Server::new(SECOND, Nanos::from_secs(3), NOW);
    out.clear();
    assert_eq!(server.poll(at(2_000), &mut out), Ok(()));
    assert!(out.is_empty(), "before a login nothing is said");
    server.accept(session(), 1, at(2_000), &mut out);
    out.clear();
    assert_eq!(server.poll(at(2_999), &mut out), Ok(()));
    assert_eq!(server.poll(at(3_000), &mut out), Err(Trouble::Silent));
    server.take(&packet(b'R', b""), at(3_000)).unwrap();
    assert_eq!(server.poll(at(3_000), &mut out), Ok(()));
    assert_eq!(out, b"\0\x01H");
}

#[test]
fn a_session_goes_on_over_connections_and_another_is_noticed() {
    let mut client = up();
    let mut out = Vec::new();
    assert_eq!(client.take(&packet(b'S', b"one"), NOW), Ok(Some((6, Said::Message(1, b"one")))));
    client.disconnected();
    client.connected(NOW, &mut out);
    assert!(out.ends_with(b"       TL1                   2"), "from the message after the last");
    // A server that would leave some out, or send some again.
    let elsewhere = Trouble::Elsewhere { asked: 2, given: 3 };
    assert_eq!(client.clone().take(&sent(3, &[]), NOW), Err(elsewhere));
    let accepted = Said::Accepted { session: session(), next: 2 };
    assert_eq!(client.take(&sent(2, &[]), NOW), Ok(Some((33, accepted))));
    assert_eq!(client.take(&packet(b'Z', b""), NOW), Ok(Some((3, Said::End))));
    out.clear();
    client.leave(&mut out);
    assert_eq!(out, b"\0\x01O");
    client.begin_anew(1);
    client.connected(NOW, &mut out);
    let other = packet(b'A', b"       TL2                   1");
    assert!(matches!(client.take(&other, NOW), Ok(Some((33, Said::Accepted { .. })))));
    assert_eq!((client.next(), client.counters().logins), (1, 3));
}

/// What comes before the first number would be missing, and nobody would say so.
#[test]
fn a_session_that_is_new_to_the_client_is_taken_from_where_it_was_asked_for() {
    let elsewhere = |asked, given| Err(Trouble::Elsewhere { asked, given });
    let (mut client, mut out) = (up(), Vec::new());
    client.take(&packet(b'S', b"one"), NOW).unwrap();
    client.disconnected();
    client.connected(NOW, &mut out);
    let other = |next: &str| packet(b'A', format!("       TL2{next:>20}").as_bytes());
    assert_eq!(client.clone().take(&other("2"), NOW), elsewhere(1, 2));
    assert_eq!(client.clone().take(&other("9"), NOW), elsewhere(1, 9));
    assert!(client.take(&other("1"), NOW).is_ok());
    assert_eq!((client.next(), client.counters().sessions), (1, 1));
    // The present one, whichever that is.
    client.begin_anew(1);
    client.connected(NOW, &mut out);
    assert_eq!(client.clone().take(&other("3"), NOW), elsewhere(1, 3));
    client.begin_anew(0);
    client.connected(NOW, &mut out);
    assert!(client.clone().take(&other("3"), NOW).is_ok());
    // Numbers end somewhere.
    assert!(client.take(&other(&u64::MAX.to_string()), NOW).is_ok());
    client.take(&packet(b'S', b"last"), NOW).unwrap();
    assert!(client.take(&packet(b'S', b"more"), NOW).is_ok());
}

proptest! {
    /// A wire that delivers in pieces and breaks now and then: every message comes once and in
    /// order.
    #[test]
    fn every_message_comes_once_over_any_wire(
        seed in any::<u64>(),
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..60),
    ) {
        let mut rng = Rng::new(seed);
        let mut client = client(1);
        let mut got: Vec<Vec<u8>> = Vec::new();
        for _ in 0..10_000 {
            // A new connection.
            let (mut up, mut down, mut input) = (Vec::new(), Vec::new(), Vec::new());
            let mut server = Server::new(SECOND, SECOND, NOW);
            client.connected(NOW, &mut up);
            let mut next = None;
            while !rng.chance(0.02) && got.len() < messages.len() {
                if let Ok(Some((length, Asked::Login(_, of, from)))) = server.take(&up, NOW) {
                    prop_assert!(of.is_none() || of == Some(session()));
                    up.drain(..length);
                    server.accept(session(), from, NOW, &mut down);
                    next = Some(from);
                }
                if let Some(at) = next
                    && let Some(message) = messages.get(at as usize - 1)
                {
                    server.message(message, NOW, &mut down);
                    next = Some(at + 1);
                }
                let count = rng.below(down.len() as u64 + 1) as usize;
                input.extend(down.drain(..count));
                while let Some((length, said)) = client.take(&input, NOW).unwrap() {
                    if let Said::Message(sequence, message) = said {
                        prop_assert_eq!(sequence, got.len() as u64 + 1);
                        got.push(message.to_vec());
                    }
                    input.drain(..length);
                }
            }
            client.disconnected();
        }
        prop_assert_eq!(got, messages);
    }

    #[test]
    fn no_bytes_break_a_promise(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        feeds::fuzz::soupbintcp(&bytes);
        feeds::fuzz::snapshot(&bytes);
        feeds::fuzz::board(&bytes);
    }

    /// Packets of every type, well framed, in any order.
    #[test]
    fn no_packets_break_a_promise(
        packets in prop::collection::vec((0usize..12, prop::collection::vec(any::<u8>(), 0..50)), 0..20),
    ) {
        let mut bytes = sent(1, &[]);
        for (kind, payload) in packets {
            let kind = b"+AJSUHZLROG?"[kind];
            match Kind::from_byte(kind) {
                Some(kind) => write(kind, &payload, &mut bytes),
                None => bytes.extend(packet(kind, &payload)),
            }
        }
        feeds::fuzz::soupbintcp(&bytes);
        feeds::fuzz::snapshot(&bytes);
    }
}
