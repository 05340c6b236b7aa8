//! The program as a trader runs it, with QuickFIX as its venue: market data of the demo exchange,
//! orders to a counterparty that is not ours, kill -9 in the middle, and both agree in the end.

use crate::exchange::speaking;
use crate::fix::Fix;
use crate::host::{Host, eventually, replay};
use crate::lab::{Lab, Positions, engine_positions};
use crate::scenarios;
use crate::tap::{From, Tap};
use crate::venue::{Told, Venue, Voice};
use gateway::spec::Version;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

scenarios! {
    the_engine_trades
    the_engine_is_killed_and_comes_back
}

/// An order as the venue has it.
pub(crate) struct Order {
    /// How the last request for it looked.
    request: Fix,
    qty: u32,
    cum: u32,
}

/// A venue that fills as it pleases: some at once, some by halves, most never.
pub(crate) struct Market {
    voice: Arc<Voice>,
    pub(crate) orders: BTreeMap<String, Order>,
    pub(crate) positions: Positions,
    /// What was asked, by MsgType (35), and answered, by ExecType (150) or MsgType.
    pub(crate) asked: BTreeMap<String, u32>,
    answered: BTreeMap<&'static str, u32>,
}

fn qty(request: &Fix) -> u32 {
    request.need(38).parse().unwrap()
}

impl Market {
    pub(crate) fn new(voice: Arc<Voice>) -> Market {
        let (orders, positions) = (BTreeMap::new(), Positions::new());
        Market { voice, orders, positions, asked: BTreeMap::new(), answered: BTreeMap::new() }
    }

    pub(crate) fn count(&self, what: &str) -> u32 {
        self.answered.get(what).copied().unwrap_or_default()
    }

    fn answer(&mut self, what: &'static str) -> u32 {
        let count = self.answered.entry(what).or_default();
        *count += 1;
        *count
    }

    pub(crate) fn hear(&mut self, told: &Told) {
        match told {
            Told::Logon | Told::Admin(_) => {}
            // Nothing is to stand while its owner is away.
            Told::Logout => self.cancel_all(),
            Told::App(request) => self.take(request),
        }
    }

    fn take(&mut self, request: &Fix) {
        let kind = request.need(35).to_owned();
        *self.asked.entry(kind.clone()).or_default() += 1;
        match kind.as_str() {
            "D" => self.new_order(request),
            "G" => self.replace(request),
            "F" => self.cancel(request),
            "q" => {
                self.cancel_all();
                let answer = [(11, request.need(11)), (37, "M"), (530, "7"), (531, "7")];
                self.voice.send("r", &answer);
            }
            "AF" => self.tell_status(request),
            "H" => self.tell_order(request),
            _ => panic!("what the engine never sends: {request:?}"),
        }
    }

    fn new_order(&mut self, request: &Fix) {
        let (id, all) = (request.need(11).to_owned(), qty(request));
        let order = Order { request: request.clone(), qty: all, cum: 0 };
        assert!(self.orders.insert(id.clone(), order).is_none(), "{id} was given twice");
        self.voice.report(request, ("0", "0"), (0, 0, all), &[]);
        match self.answer("0") % 8 {
            1 => self.fill(&id, all / 2),
            5 => self.fill(&id, all),
            7 => {
                self.orders.remove(&id);
                self.answer("4");
                // Of the venue's own accord.
                self.voice.report(request, ("4", "4"), (0, 0, 0), &[]);
            }
            _ => {}
        }
    }

    fn fill(&mut self, id: &str, last: u32) {
        self.answer("F");
        let order = self.orders.get_mut(id).unwrap();
        order.cum += last;
        let (cum, leaves) = (order.cum, order.qty - order.cum);
        let request = order.request.clone();
        let status = if leaves == 0 { "2" } else { "1" };
        self.voice.report(&request, ("F", status), (last, cum, leaves), &[]);
        if leaves == 0 {
            self.orders.remove(id);
        }
        let signed = if request.need(54) == "1" { i64::from(last) } else { -i64::from(last) };
        let position = self.positions.entry(request.need(55).to_owned()).or_default();
        *position = (position.0 + 1, position.1 + signed);
    }

    fn replace(&mut self, request: &Fix) {
        let original = request.need(41).to_owned();
        // Now and then a fill is faster.
        let meets_fill = self.orders.contains_key(&original) && self.answer("G") % 10 == 3;
        if meets_fill {
            let order = &self.orders[&original];
            self.fill(&original, order.qty - order.cum);
        }
        let Some(order) = self.orders.get(&original).filter(|order| order.cum < qty(request))
        else {
            return self.refuse(request);
        };
        let order = Order { request: request.clone(), qty: qty(request), cum: order.cum };
        let (cum, leaves) = (order.cum, order.qty - order.cum);
        let status = if cum > 0 { "1" } else { "0" };
        self.orders.remove(&original);
        self.orders.insert(request.need(11).to_owned(), order);
        self.answer("5");
        self.voice.report(request, ("5", status), (0, cum, leaves), &[]);
    }

    fn cancel(&mut self, request: &Fix) {
        let Some(order) = self.orders.remove(request.need(41)) else { return self.refuse(request) };
        self.answer("4");
        self.voice.report(request, ("4", "4"), (0, order.cum, 0), &[]);
    }

    fn refuse(&mut self, request: &Fix) {
        self.answer("9");
        self.voice.too_late(request);
    }

    fn cancel_all(&mut self) {
        for (_, order) in std::mem::take(&mut self.orders) {
            self.answer("4");
            self.voice.report(&order.request, ("4", "4"), (0, order.cum, 0), &[]);
        }
    }

    fn tell_order(&mut self, request: &Fix) {
        match self.orders.get(request.need(11)) {
            Some(order) => {
                let status = if order.cum > 0 { "1" } else { "0" };
                let told = (0, order.cum, order.qty - order.cum);
                self.voice.report(&order.request, ("I", status), told, &[]);
            }
            None => self.voice.report(request, ("I", "8"), (0, 0, 0), &[]),
        }
    }

    fn tell_status(&mut self, request: &Fix) {
        let asked = request.need(584);
        for order in self.orders.values() {
            let leaves = order.qty - order.cum;
            let status = if order.cum > 0 { "1" } else { "0" };
            let told = (0, order.cum, leaves);
            self.voice.report(&order.request, ("I", status), told, &[(584, asked)]);
        }
        let count = self.orders.len().to_string();
        let none = [(37, "NONE"), (17, "NONE"), (150, "I"), (39, "8"), (584, asked)];
        let last = [(911, count.as_str()), (912, "Y"), (14, "0"), (151, "0"), (6, "0")];
        self.voice.send("8", &[none, last].concat());
    }
}

/// Everything in its place for an engine that trades.
struct Street {
    market: Arc<Mutex<Market>>,
    // It ends before what it hears with.
    venue: Venue,
    tap: Tap,
    exchange: Host,
    lab: Lab,
}

impl Street {
    fn new(version: Version) -> Street {
        let lab = speaking(Lab::synthetic(10), version);
        let exchange = lab.exchange(&[]);
        eventually("a session", || lab.session());
        let voice = Arc::new(Voice::new(version));
        let market = Arc::new(Mutex::new(Market::new(voice.clone())));
        let ears = market.clone();
        let hear = move |told| ears.lock().unwrap().hear(&told);
        let venue = Venue::answering(voice, lab.dir(), hear);
        let tap = Tap::start(venue.port());
        let changes = [
            (lab.fix.to_string(), format!("127.0.0.1:{}", tap.port())),
            ("\"TOUCHLINE\"".to_owned(), "\"US\"".to_owned()),
            ("\"EXCHANGE\"".to_owned(), "\"VENUE\"".to_owned()),
        ];
        let changes: Vec<_> = changes.iter().map(|(from, to)| (&**from, to.clone())).collect();
        lab.change("engine.toml", &changes);
        Street { market, venue, tap, exchange, lab }
    }

    /// Waits until something is so at the venue.
    fn until(&self, what: &str, found: impl Fn(&Market) -> bool) {
        eventually(what, || found(&self.market.lock().unwrap()).then_some(()));
    }

    /// Both sides agree, nobody complained, and the journal says the same.
    fn end(self, engine: Host) {
        let Street { market, venue, tap, exchange, lab } = self;
        let report = engine.stop();
        drop(venue);
        let market = market.lock().unwrap();
        assert!(market.orders.is_empty(), "orders are left at the venue: {report}");
        assert_eq!(engine_positions(&report), market.positions, "{report}");
        assert!(!report.contains("still open"), "{report}");
        for trouble in ["not ours", "contradictions", "illegal", "HALTED", "halted"] {
            assert!(!report.contains(trouble), "{report}");
        }
        for from in [From::Initiator, From::Acceptor] {
            assert_eq!((tap.count(from, "3"), tap.count(from, "j")), (0, 0));
        }
        exchange.stop();
        let replayed = replay(lab.dir(), &lab.journal());
        assert!(replayed.contains("\nidentical, state hash "), "{replayed}");
    }
}

fn the_engine_trades(version: Version) {
    let street = Street::new(version);
    let engine = street.lab.engine();
    street.until("trading", |market| {
        market.count("F") >= 8 && market.count("5") >= 8 && market.count("9") >= 1
    });
    street.end(engine);
}

fn the_engine_is_killed_and_comes_back(version: Version) {
    let street = Street::new(version);
    let engine = street.lab.engine();
    street.until("fills", |market| market.count("F") >= 4);
    engine.kill();
    street.until("its end", |market| market.orders.is_empty());
    let fills = street.market.lock().unwrap().count("F");
    let engine = street.lab.engine();
    street.until("more fills", |market| market.count("F") >= fills + 4);
    // FIX.4.2 asks for single orders, of which none was left in doubt.
    if version != Version::Fix42 {
        assert_eq!(street.market.lock().unwrap().asked["AF"], 2, "it did not ask what stands");
    }
    street.end(engine);
}
