//! Market data by FIX: what a listener rebuilds from it is what the market shows, also where it reads
//! slowly; and who asks for what there is not, is told so.

use super::lab::{Lab, NOON, config, instruments};
use crate::pipeline::fix_feed::NumberStore;
use gateway::fix::{Encoder, Message, tags};
use gateway::market_data::{Books, EntryType, Request, Settings, Subscription};
use gateway::orders::Instruments;
use gateway::session::{Application, Meta, Reset, Session, SessionConfig, Verdict};
use market::book::{BookLimits, LevelBooks};
use market::{
    BookState, BookView, Event, EventKind, Instrument, InstrumentId, Nanos, Price, Side, Timestamp,
};

const FIRST: InstrumentId = InstrumentId(0);
const DEPTH: usize = 10;

/// What came: events, refusals, rejects.
struct Heard {
    books: Books,
    events: Vec<Event>,
    refused: Vec<(String, String)>,
    rejected: usize,
    messages: usize,
}

impl Application for Heard {
    fn message(&mut self, meta: &Meta, message: &Message<'_>) -> Verdict {
        let text = |tag| String::from_utf8_lossy(message.get(tag).unwrap_or_default()).into_owned();
        match message.msg_type() {
            b"Y" => self.refused.push((text(tags::MD_REQ_ID), text(tags::MD_REQ_REJ_REASON))),
            b"j" | b"3" => self.rejected += 1,
            _ => {
                self.messages += 1;
                self.books.read(message, meta.tsc, &mut self.events).unwrap();
            }
        }
        Verdict::Taken
    }
    fn up(&mut self, _: Timestamp) {}
    fn down(&mut self, _: Timestamp) {}
}

/// A listener of the lab's exchange.
struct Listener {
    session: Session<NumberStore>,
    heard: Heard,
    judge: LevelBooks,
    table: Instruments,
    connection: usize,
    out: Vec<u8>,
    input: Vec<u8>,
}

impl Listener {
    fn log_on(lab: &mut Lab) -> Listener {
        let instruments: Vec<Instrument> = instruments(&lab.config);
        let table = Instruments::new(&instruments).unwrap();
        let limits = BookLimits { instruments: instruments.len(), orders: 0, levels: 1_024 };
        let settings = SessionConfig {
            reset_on_logon: Reset::Always,
            ..SessionConfig::initiator("EARS", "EXCHANGE")
        };
        let books = Books::new(table.clone(), Settings::default());
        let (events, refused) = (Vec::new(), Vec::new());
        let mut listener = Listener {
            session: Session::new(settings, NumberStore::default()).unwrap(),
            heard: Heard { books, events, refused, rejected: 0, messages: 0 },
            judge: LevelBooks::new(limits),
            table,
            connection: lab.core.connect(lab.now).unwrap(),
            out: Vec::new(),
            input: Vec::new(),
        };
        listener.session.connected(lab.now, &mut listener.out).unwrap();
        listener.talk(lab);
        assert!(listener.session.is_up());
        listener
    }

    fn ask(&mut self, lab: &mut Lab, id: u64, subscription: Subscription) {
        let request = Request {
            id,
            subscription,
            depth: Some(DEPTH.try_into().unwrap()),
            updates: None,
            aggregated: None,
            entries: &[EntryType::Bid, EntryType::Offer, EntryType::Trade],
            instruments: &[FIRST],
        };
        let Listener { session, out, table, .. } = self;
        let write = |encoder: &mut Encoder<'_>| request.encode(table, encoder);
        session.send(lab.now, out, b"V", write).unwrap();
        self.talk(lab);
    }

    /// Moves bytes to and fro until nobody has anything to say.
    fn talk(&mut self, lab: &mut Lab) {
        loop {
            let took = lab.core.receive(self.connection, lab.now, &self.out, &mut lab.net);
            self.out.drain(..took);
            self.input.append(&mut lab.net.pipes[self.connection].bytes);
            let Listener { session, heard, out, input, .. } = self;
            let known = heard.events.len();
            let read = session.received(lab.now, 1, input, out, heard);
            input.drain(..read.unwrap_or(input.len()));
            for event in &heard.events[known..] {
                let applied = self.judge.apply(event);
                assert_eq!(applied.contradiction, None, "{event:?}");
            }
            let trades = |event: &Event| event.kind() == Some(EventKind::Trade);
            self.heard.events.retain(trades);
            if took == 0 && self.out.is_empty() {
                break;
            }
        }
    }

    fn run(&mut self, lab: &mut Lab, millis: u64) {
        for _ in 0..millis {
            lab.run(Nanos::from_millis(1));
            let _ = self.session.poll(lab.now, &mut self.out);
            self.talk(lab);
        }
    }

    /// The best levels that it knows are those of the venue's own open orders.
    #[track_caller]
    fn agrees(&self, lab: &Lab) {
        for side in Side::BOTH {
            let all = lab.levels(FIRST, side);
            let best: Vec<(Price, i64)> = match side {
                Side::Buy => all.into_iter().rev().take(DEPTH).collect(),
                Side::Sell => all.into_iter().take(DEPTH).collect(),
            };
            let book = self.judge.book(FIRST);
            let levels = (0..book.depth(side)).map(|depth| book.level(side, depth).unwrap());
            let known: Vec<_> = levels.map(|level| (level.price, level.qty.raw())).collect();
            assert_eq!(known, best, "{side:?}");
        }
    }
}

fn lab() -> (tempfile::TempDir, Lab) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path(), &["A"]);
    config.fix.market_data = vec!["EARS".to_owned()];
    let mut lab = Lab::new(&config, NOON);
    lab.run(Nanos::from_millis(500));
    (folder, lab)
}

#[test]
fn a_listener_knows_what_the_market_shows() {
    let (_folder, mut lab) = lab();
    let mut listener = Listener::log_on(&mut lab);
    assert_eq!(listener.judge.book(FIRST).state(), BookState::Recovering);
    listener.ask(&mut lab, 7, Subscription::Subscribe);
    listener.agrees(&lab);
    for _ in 0..20 {
        listener.run(&mut lab, 100);
        listener.agrees(&lab);
    }
    assert_eq!(listener.judge.book(FIRST).state(), BookState::Live);
    assert!(listener.heard.messages > 50, "{} messages", listener.heard.messages);
    assert!(!listener.heard.events.is_empty(), "trades were told");
    // Our own orders are shown like everybody's.
    lab.log_on(0);
    lab.buy_at_market(0, 100);
    listener.talk(&mut lab);
    listener.agrees(&lab);
    let before = listener.heard.messages;
    listener.ask(&mut lab, 7, Subscription::Unsubscribe);
    listener.run(&mut lab, 200);
    assert_eq!(listener.heard.messages, before, "nothing comes after the end");
}

/// There is room for one message, now and then: nobody waits, and in the end all is known.
#[test]
fn a_listener_that_reads_slowly_gets_the_newest() {
    let (_folder, mut lab) = lab();
    let mut listener = Listener::log_on(&mut lab);
    listener.ask(&mut lab, 1, Subscription::Subscribe);
    lab.net.pipes[listener.connection].capacity = 9_000;
    let before = lab.core.report().messages;
    lab.run(Nanos::from_secs(5));
    assert!(lab.core.report().messages > before + 100, "the market goes on");
    let held_back = lab.core.report().listeners[0].3;
    assert!(held_back > 0, "something was held back");
    assert!(!lab.net.cut[listener.connection]);
    lab.net.pipes[listener.connection].capacity = 1 << 20;
    listener.run(&mut lab, 50);
    listener.agrees(&lab);
}

#[test]
fn what_there_is_not_is_refused_and_nobody_trades_here() {
    let (_folder, mut lab) = lab();
    let mut listener = Listener::log_on(&mut lab);
    let bodies = [
        ("262=a|263=1|264=1|267=1|269=0|146=1|55=NOPE|", "0"),
        ("262=b|263=9|264=1|267=1|269=0|146=1|55=TLA|", "4"),
        ("262=c|263=1|264=x|267=1|269=0|146=1|55=TLA|", "5"),
        ("262=d|263=1|264=1|267=1|269=4|146=1|55=TLA|", "8"),
        ("262=e|263=1|264=1|267=2|269=0|146=1|55=TLA|", "8"),
        ("262=f|263=1|264=1|267=1|269=0|", "0"),
    ];
    for (body, reason) in bodies {
        say(&mut listener, &mut lab, b"V", body);
        let id = body[4..5].to_owned();
        assert_eq!(listener.heard.refused.pop(), Some((id, reason.to_owned())), "{body}");
    }
    listener.ask(&mut lab, 1, Subscription::Subscribe);
    listener.ask(&mut lab, 1, Subscription::Subscribe);
    assert_eq!(listener.heard.refused.pop(), Some(("1".to_owned(), "1".to_owned())), "twice");
    say(&mut listener, &mut lab, b"D", "11=1|55=TLA|54=1|38=100|40=2|44=10|60=20250717-13:16:40|");
    assert_eq!(listener.heard.rejected, 1, "an order");
    listener.run(&mut lab, 100);
    listener.agrees(&lab);
}

fn say(listener: &mut Listener, lab: &mut Lab, kind: &[u8], body: &str) {
    let Listener { session, out, .. } = listener;
    let sent = session.send(lab.now, out, kind, |encoder| {
        for (tag, value) in body.split('|').filter_map(|field| field.split_once('=')) {
            encoder.bytes(tag.parse().unwrap(), value.as_bytes());
        }
    });
    sent.unwrap();
    listener.talk(lab);
}

#[test]
fn a_second_of_the_same_name_is_turned_away_and_a_stop_says_farewell() {
    let (_folder, mut lab) = lab();
    let mut listener = Listener::log_on(&mut lab);
    listener.ask(&mut lab, 1, Subscription::Subscribe);
    let second = lab.core.connect(lab.now).unwrap();
    let mut out = Vec::new();
    let settings = SessionConfig::initiator("EARS", "EXCHANGE");
    let mut session = Session::new(settings, NumberStore::default()).unwrap();
    session.connected(lab.now, &mut out).unwrap();
    lab.core.receive(second, lab.now, &out, &mut lab.net);
    assert!(lab.net.cut[second] && !lab.net.cut[listener.connection]);
    lab.core.stop(lab.now, &mut lab.net);
    listener.talk(&mut lab);
    assert!(!listener.session.is_up());
    lab.run(Nanos::from_secs(3));
    assert!(lab.core.is_stopped());
}
