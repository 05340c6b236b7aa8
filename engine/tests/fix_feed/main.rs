//! Market data by FIX: what is asked for, what becomes of the answers, and what a book may be trusted
//! with when something is missing, refused, garbled or cut off.

mod floor;
mod venue;

use engine::pipeline::fix_feed::{Manner, Wish};
use floor::{BEGIN, Floor, TLA, TLB, level, wish};
use gateway::market_data::{Keyed, Settings};
use gateway::session::State;
use market::{BookState, EventKind, Side};

#[test]
fn each_book_is_asked_for_and_followed() {
    let mut floor = Floor::whole();
    let asked = floor.venue.requests("V");
    assert_eq!(asked.iter().map(|ask| ask.get(55)).collect::<Vec<_>>(), ["TLA", "TLB"]);
    for tag in [(263, "1"), (264, "10"), (265, "1"), (267, "3"), (146, "1")] {
        assert!(asked.iter().all(|ask| ask.get(tag.0) == tag.1), "{tag:?}");
    }
    assert_ne!(asked[0].get(262), asked[1].get(262));
    let changes = "268=4|279=0|269=0|55=TLA|270=9|271=3|279=1|269=0|270=10|271=8|\
        279=2|269=1|270=11|279=0|269=1|270=12|271=1|";
    floor.say("X", changes);
    floor.until("changes", |floor| floor.levels(TLA, Side::Buy).len() == 2);
    assert_eq!(floor.levels(TLA, Side::Buy), [level(10, 8), level(9, 3)]);
    assert_eq!(floor.levels(TLA, Side::Sell), [level(12, 1)]);
    assert_eq!(floor.levels(TLB, Side::Sell), [level(11, 7)]);
    assert_eq!([floor.state(TLA), floor.state(TLB)], [BookState::Live; 2]);
    assert!(floor.events.iter().all(|event| event.received != 0), "each bears its stamp");
    assert_eq!(floor.venue.requests("V").len(), 2, "nothing more is wanted");
}

#[test]
fn a_snapshot_in_fragments_is_a_book_with_its_last() {
    let mut floor = Floor::new(wish());
    floor.until("requests", |floor| floor.venue.requests("V").len() == 2);
    floor.say("W", "262=1|893=N|55=TLA|268=1|269=0|270=10|271=5|");
    floor.say("X", "268=1|279=0|269=2|55=TLA|270=10|271=1|");
    floor.until("the first", |floor| floor.levels(TLA, Side::Buy).len() == 1);
    assert_eq!((floor.state(TLA), floor.feed.whole()), (BookState::Recovering, (0, 2)));
    floor.say("W", "262=1|893=Y|55=TLA|268=1|269=1|270=11|271=5|");
    floor.until("the last", |floor| floor.feed.whole() == (1, 2));
    assert_eq!(floor.state(TLA), BookState::Live);
}

#[test]
fn a_number_left_out_is_asked_for_again() {
    let mut floor = Floor::whole();
    floor.say("X", "268=1|279=0|269=0|55=TLA|83=7|270=9|271=3|");
    floor.say("X", "268=1|279=0|269=0|55=TLA|83=9|270=8|271=3|");
    floor.until("a gap", |floor| floor.state(TLA) == BookState::Gap);
    assert_eq!(floor.state(TLB), BookState::Live);
    floor.wait(1);
    floor.until("requests", |floor| floor.venue.requests("V").len() == 4);
    let asked = floor.venue.requests("V");
    let first = asked[0].get(262).to_owned();
    assert_eq!((asked[2].get(263), asked[2].get(262)), ("2", first.as_str()), "the old one ends");
    assert_eq!((asked[3].get(263), asked[3].get(55)), ("1", "TLA"));
    assert_ne!(asked[3].get(262), first);
    floor.snapshot("TLA");
    floor.until("the book", |floor| floor.state(TLA) == BookState::Live);
    assert_eq!(floor.levels(TLA, Side::Buy), [level(10, 5)]);
}

/// The session fills the gap of its numbers; what stood in it is not sent again, and nobody knows
/// whose it was.
#[test]
fn messages_that_the_session_lost_are_a_gap_of_all() {
    let mut floor = Floor::whole();
    floor.venue.lose(3);
    floor.say("X", "268=1|279=0|269=0|55=TLA|270=9|271=3|");
    floor.until("a gap", |floor| floor.state(TLA) == BookState::Gap);
    assert_eq!(floor.state(TLB), BookState::Gap);
    floor.wait(1);
    floor.until("requests", |floor| floor.venue.requests("V").len() == 6);
    for symbol in ["TLA", "TLB"] {
        floor.snapshot(symbol);
    }
    floor.until("books", |floor| floor.feed.whole() == (2, 2));
    assert_eq!([floor.state(TLA), floor.state(TLB)], [BookState::Live; 2]);
    assert_eq!(floor.levels(TLA, Side::Buy), [level(10, 5)], "the change was before it");
    assert_eq!(floor.venue.logons(), 1, "the same session");
}

#[test]
fn what_cannot_be_applied_is_lost_and_recovered() {
    for bad in ["279=3|269=0|55=TLA|270=9|271=3|", "279=0|269=0|55=TLA|270=x|271=3|"] {
        let mut floor = Floor::whole();
        floor.say("X", &format!("268=1|{bad}"));
        floor.until("a loss", |floor| floor.state(TLA) == BookState::Suspect);
        assert_eq!(floor.state(TLB), BookState::Live, "{bad}");
        floor.wait(1);
        floor.until("requests", |floor| floor.venue.requests("V").len() == 4);
        floor.snapshot("TLA");
        floor.until("the book", |floor| floor.state(TLA) == BookState::Live);
    }
}

#[test]
fn a_message_that_cannot_be_divided_loses_all() {
    let mut floor = Floor::whole();
    floor.say("X", "268=2|279=0|269=0|55=TLA|270=9|271=3|");
    floor.until("a loss", |floor| floor.state(TLB) == BookState::Suspect);
    floor.wait(1);
    floor.until("requests", |floor| floor.venue.requests("V").len() == 6);
}

#[test]
fn garbage_costs_no_book_and_no_number() {
    let mut floor = Floor::whole();
    floor.venue.raw(b"8=FIX.4.4\x019=5\x0135=X\x0110=000\x01garbage");
    floor.say("X", "268=1|279=0|269=0|55=TLA|270=9|271=3|");
    floor.until("the change", |floor| floor.levels(TLA, Side::Buy).len() == 2);
    assert_eq!([floor.state(TLA), floor.state(TLB)], [BookState::Live; 2]);
    assert!(floor.feed.session().counters().garbled > 0);
}

/// By MarketDataRequestReject, BusinessMessageReject and Reject: that instrument has no book, it is
/// said, and a minute later it is asked for again.
#[test]
fn a_refusal_is_of_one_instrument_and_said() {
    for kind in ["Y", "j", "3"] {
        let mut floor = Floor::new(wish());
        floor.until("requests", |floor| floor.venue.requests("V").len() == 2);
        let (id, seq) = {
            let asked = floor.venue.requests("V")[1];
            (asked.get(262).to_owned(), asked.seq)
        };
        let body = match kind {
            "Y" => format!("262={id}|281=0|58=no such thing|"),
            "j" => format!("45={seq}|372=V|379={id}|380=0|58=no such thing|"),
            _ => format!("45={seq}|372=V|373=5|58=no such thing|"),
        };
        floor.say(kind, &body);
        floor.snapshot("TLA");
        floor.until("both answers", |floor| floor.feed.whole() == (1, 2));
        let states = [floor.state(TLA), floor.state(TLB)];
        assert_eq!(states, [BookState::Live, BookState::Suspect], "{kind}");
        assert_eq!(floor.feed.told().2, "market data refused: TLB: no such thing");
        floor.wait(30);
        (0..50).for_each(|_| floor.turn());
        assert_eq!(floor.venue.requests("V").len(), 2, "{kind}: not at once");
        floor.wait(31);
        floor.until("another request", |floor| floor.venue.requests("V").len() == 3);
        floor.snapshot("TLB");
        floor.until("the book", |floor| floor.state(TLB) == BookState::Live);
        assert_eq!(floor.feed.counters().refused, 1);
    }
}

#[test]
fn a_connection_that_is_cut_is_made_again_and_every_book_asked_for() {
    let mut floor = Floor::whole();
    floor.venue.drop(floor.now);
    floor.until("the end", |floor| floor.feed.told().0 == State::Disconnected);
    assert_eq!([floor.state(TLA), floor.state(TLB)], [BookState::Recovering; 2]);
    assert_eq!(floor.levels(TLA, Side::Buy), [], "nothing is known any more");
    assert_eq!(floor.kinds().last(), Some(&EventKind::Reset));
    floor.wait(2);
    floor.until("requests", |floor| floor.venue.requests("V").len() == 4);
    assert_eq!(floor.venue.logons(), 2);
    assert!(floor.venue.requests("V").iter().all(|ask| ask.get(263) == "1"), "there is no old one");
    for symbol in ["TLA", "TLB"] {
        floor.snapshot(symbol);
    }
    floor.until("books", |floor| floor.feed.whole() == (2, 2));
}

#[test]
fn a_silent_venue_is_tested_and_left() {
    let mut floor = Floor::whole();
    floor.venue.silent = true;
    floor.wait(37);
    (0..20).for_each(|_| floor.turn());
    assert_eq!(floor.feed.told().0, State::Up, "asked whether it is there");
    floor.wait(37);
    floor.until("the end", |floor| floor.feed.told().0 == State::Disconnected);
    assert_eq!(floor.state(TLA), BookState::Recovering);
}

/// A request that nobody answers is made again, not for ever the same.
#[test]
fn an_answer_that_does_not_come_is_asked_for_again() {
    let mut floor = Floor::new(wish());
    floor.until("requests", |floor| floor.venue.requests("V").len() == 2);
    floor.snapshot("TLA");
    floor.until("one book", |floor| floor.feed.whole() == (1, 2));
    floor.wait(10);
    floor.until("requests", |floor| floor.venue.requests("V").len() == 4);
    let asked = floor.venue.requests("V");
    assert_eq!([asked[2].get(263), asked[3].get(263)], ["2", "1"]);
    assert_eq!([asked[2].get(55), asked[3].get(55)], ["TLB", "TLB"]);
}

#[test]
fn an_instrument_that_the_venue_has_otherwise_gets_no_book() {
    let manner = Manner { definitions: true, ..wish().manner };
    let mut floor = Floor::new(Wish { manner, ..wish() });
    floor.until("questions", |floor| floor.venue.requests("x").len() == 2);
    let ids: Vec<String> =
        floor.venue.requests("x").iter().map(|ask| ask.get(320).to_owned()).collect();
    // The share's tick is a hundredth.
    floor.say("y", &format!("320={}|322=1|560=0|146=1|55=TLA|969=0.05|", ids[0]));
    floor.say("y", &format!("320={}|322=2|560=0|146=1|55=TLB|969=0.001|", ids[1]));
    floor.until("a request", |floor| floor.venue.requests("V").len() == 1);
    assert_eq!(floor.venue.requests("V")[0].get(55), "TLB");
    floor.snapshot("TLB");
    floor.until("the book", |floor| floor.feed.whole() == (1, 2));
    assert_eq!(floor.state(TLA), BookState::Suspect);
    assert_eq!(floor.feed.told().2, "the venue's definition differs: TLA: the tick is 0.05");
    floor.wait(100);
    (0..50).for_each(|_| floor.turn());
    let asked = floor.venue.requests("V");
    assert!(asked.iter().all(|ask| ask.get(55) == "TLB"), "it is not asked for");
}

#[test]
fn trades_may_have_a_request_of_their_own() {
    let manner = Manner { trades_apart: true, ..wish().manner };
    let mut floor = Floor::new(Wish { manner, trades: false, ..wish() });
    floor.until("requests", |floor| floor.venue.requests("V").len() == 2);
    floor.snapshot("TLA");
    floor.until("trades", |floor| floor.venue.requests("V").len() == 3);
    let asked = floor.venue.requests("V");
    let books: Vec<_> = asked.iter().map(|ask| (ask.get(267), ask.get(269))).collect();
    assert_eq!(books, [("2", "0"), ("2", "0"), ("1", "2")]);
    floor.say("X", "268=1|279=0|269=2|55=TLA|270=10|271=1|1003=77|");
    floor.until("a trade", |floor| floor.kinds().last() == Some(&EventKind::Trade));
    assert_eq!(floor.events.last().map(|event| event.order), Some(77));
}

#[test]
fn books_by_order_are_told_by_ids() {
    let settings = Settings { keyed: Keyed::ByOrder, ..Settings::default() };
    let mut floor = Floor::new(Wish { settings, ..wish() });
    floor.until("requests", |floor| floor.venue.requests("V").len() == 2);
    floor.say("W", "262=1|55=TLA|268=2|269=0|278=1|270=10|271=5|269=0|278=2|270=10|271=6|");
    floor.say("X", "268=2|279=2|278=1|55=TLA|279=0|269=1|278=3|270=12|271=4|");
    floor.until("the book", |floor| floor.levels(TLA, Side::Sell) == [level(12, 4)]);
    assert_eq!(floor.levels(TLA, Side::Buy), [level(10, 6)]);
}

#[test]
fn news_may_end_the_session_and_the_run_does() {
    let mut floor = Floor::new(Wish { news_reconnects: true, ..wish() });
    floor.until("requests", |floor| floor.venue.requests("V").len() == 2);
    floor.say("B", "148=maintenance|");
    floor.until("the end", |floor| floor.feed.told().0 == State::Disconnected);
    assert!(floor.now > BEGIN && floor.venue.logons() == 1);
    floor.wait(2);
    floor.until("requests", |floor| floor.venue.requests("V").len() == 4);
    floor.snapshot("TLA");
    floor.until("a book", |floor| floor.feed.whole() == (1, 2));
    floor.lifecycle.set_quiet();
    floor.until("the farewell", |floor| floor.feed.has_left());
    assert_eq!(floor.levels(TLA, Side::Buy), [level(10, 5)], "the last prices stand");
}
