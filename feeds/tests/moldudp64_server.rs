//! MoldUDP64 sent: the publisher's packets, heartbeats and end, and the server's answers.

mod common;

use common::bench::{packet, with_count};
use feeds::moldudp64::*;
use market::{Nanos, Timestamp};

#[test]
fn the_publisher_packs_numbers_beats_and_ends() {
    let at = |seconds| Timestamp::ZERO.after(Nanos::from_secs(seconds));
    let session = Session::new("S").unwrap();
    let mut publisher = Publisher::new(session, 7, 30, Nanos::SECOND);
    assert_eq!(publisher.take(at(1)), None);
    assert_eq!(publisher.push(b"abc"), Ok(7));
    assert_eq!(publisher.push(b"def"), Ok(8));
    assert_eq!(publisher.push(b""), Err(PublishError::Full));
    assert_eq!(publisher.push(&[0; 9]), Err(PublishError::TooLong(9)));
    assert_eq!(publisher.heartbeat(at(9)), None, "a packet is open");
    assert_eq!(publisher.end(at(9)), Err(PublishError::Full));
    assert_eq!(publisher.take(at(10)), Some(&packet("S", 7, &["abc", "def"])[..]));
    assert_eq!(publisher.heartbeat(Timestamp::from_nanos(10_999_999_999)), None);
    assert_eq!(publisher.heartbeat(at(11)).unwrap()[..], packet("S", 9, &[]));
    assert_eq!(publisher.push(b"ghi"), Ok(9));
    assert_eq!(publisher.take(at(11)), Some(&packet("S", 9, &["ghi"])[..]));
    let end = with_count(packet("S", 10, &[]), END_OF_SESSION);
    assert_eq!(publisher.end(at(12)).unwrap()[..], end);
    assert_eq!(publisher.push(b"x"), Err(PublishError::Ended));
    assert_eq!(publisher.heartbeat(at(13)).unwrap()[..], end);
    assert_eq!((publisher.next_sequence(), publisher.session()), (10, session));
}

#[test]
fn no_packet_of_the_publisher_has_more_messages_than_a_packet_may() {
    let mut publisher = Publisher::new(Session::new("S").unwrap(), 1, 65_000, Nanos::SECOND);
    let pushed = (0..1000).take_while(|_| publisher.push(b"x").is_ok()).count();
    assert_eq!(pushed, MESSAGES_PER_PACKET_MAX);
    assert!(Packet::parse(publisher.take(Timestamp::ZERO).unwrap()).is_ok());
}

#[test]
fn the_server_answers_with_as_many_messages_as_fit() {
    let mut store = MemoryStore::default();
    for message in ["a", "bb", "ccc", "dddd"] {
        store.push(message.as_bytes());
    }
    let session = Session::new("S").unwrap();
    let mut server = RequestServer::new(session, 32);
    let ask = |sequence, count| Request { session, sequence, count }.to_bytes();
    assert_eq!(server.answer(&ask(1, 4), &mut store), Ok(&packet("S", 1, &["a", "bb", "ccc"])[..]));
    assert_eq!(server.answer(&ask(2, 1), &mut store), Ok(&packet("S", 2, &["bb"])[..]));
    assert_eq!(server.answer(&ask(4, 9), &mut store), Ok(&packet("S", 4, &["dddd"])[..]));
    assert_eq!((server.answered(), server.messages()), (3, 5));
    let mut bad = |request: &[u8], why| {
        assert_eq!(server.answer(request, &mut store), Err(why));
        assert!(server.bad(why) > 0);
    };
    bad(&ask(5, 1), BadRequest::NoSuchMessage);
    bad(&ask(0, 1), BadRequest::NoSuchMessage);
    bad(&ask(u64::MAX, u16::MAX), BadRequest::NoSuchMessage);
    bad(&ask(1, 0), BadRequest::Nothing);
    bad(&ask(1, 1)[..19], BadRequest::Length);
    bad(&packet("T", 1, &[]), BadRequest::OtherSession);
}
