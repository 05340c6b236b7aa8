//! A venue for one client at a time, over TLS or plain TCP: session, desk and what the test tells
//! it to do. Everything that venues do differently is in [`Venue`].
//!
//! It keeps sequence numbers from one connection to the next, asks for what it misses, drops what is
//! ahead of it, and fills the gap where it is asked for one.

use crate::book::{Book, Order, Told};
use crate::text::{Fields, Message, field, frame};
use crate::tls::Link;
use rust_decimal::Decimal;
use rustls::ServerConfig;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What a venue does differently.
pub(crate) trait Venue: Send + 'static {
    /// BeginString (8).
    fn begin_string(&self) -> &'static str;
    /// SenderCompID (49) of the venue.
    fn comp_id(&self) -> &'static str;
    /// Digits of BodyLength at least.
    fn length_digits(&self) -> usize {
        0
    }
    /// Judges a Logon: fields behind those of the session, or the text of a refusal.
    fn logon(&mut self, logon: &Message) -> Result<Fields, String>;
    /// What the Logon says of open orders when the connection ends.
    fn cancels_on_disconnect(&self, logon: &Message) -> bool;
    /// Body of the ExecutionReport.
    fn report(&self, order: &Order, told: Told) -> Fields;
    /// Body of the OrderCancelReject of an order that is not open.
    fn cancel_reject(&self, request: &Message) -> Fields;
    /// Refuses a NewOrderSingle that the documentation does not allow.
    fn judge_order(&self, order: &Message) -> Result<(), String>;
    /// Our id and the venue's by which a cancel or replace names its order.
    fn target(&self, request: &Message) -> (String, String) {
        (request.get(41).to_owned(), request.get(37).to_owned())
    }
    /// The client's id of an order after a request on it.
    fn renamed(&self, request: &Message) -> String {
        request.get(11).to_owned()
    }
    /// Anything else that the venue understands, as messages beginning with 35.
    fn other(&mut self, request: &Message, book: &mut Book) -> Option<Vec<Fields>>;
    /// What it says unasked, as messages beginning with 35.
    fn says(&mut self) -> Vec<Fields> {
        Vec::new()
    }
    /// Messages of a client in one window of a second before it is logged out.
    fn messages_per_second(&self) -> usize {
        usize::MAX
    }
}

/// What the test makes the venue do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Closes the connection without a word.
    Drop,
    /// Sends a message with this body, 35 first.
    Send(Fields),
}

/// What the venue saw and holds.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) logons: Vec<Message>,
    pub(crate) requests: Vec<Message>,
    pub(crate) rejects: Vec<String>,
    pub(crate) logouts: usize,
    pub(crate) throttled: usize,
    pub(crate) refused: Vec<String>,
    /// Orders that were open when a connection ended and not canceled by the venue.
    pub(crate) survivors: usize,
    pub(crate) trades: usize,
    /// Trades are not told to who made them.
    pub(crate) silent: bool,
    /// The connection ends before the next replace of an order that rests is answered.
    pub(crate) loses_replaced: bool,
    /// The client's ids of that order, before and after.
    pub(crate) lost: Option<[String; 2]>,
    /// Reports of trades, for a drop copy.
    pub(crate) copies: Vec<Fields>,
    pub(crate) bytes: Vec<u8>,
    /// Numbers of the session, kept from one connection to the next: ours, and the client's.
    numbers: (u64, u64),
    book: Book,
    acts: Vec<Act>,
}

impl Seen {
    pub(crate) fn positions(&self) -> BTreeMap<String, Decimal> {
        self.book.positions()
    }

    pub(crate) fn open_orders(&self) -> usize {
        self.book.open().len()
    }

    pub(crate) fn of_type(&self, msg_type: &str) -> impl Iterator<Item = &Message> {
        self.requests.iter().filter(move |message| message.msg_type() == msg_type)
    }
}

/// A venue that runs.
pub(crate) struct Acceptor {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Acceptor {
    /// Listens on an ephemeral port of loopback.
    pub(crate) fn start(venue: impl Venue, tls: Option<Arc<ServerConfig>>) -> Acceptor {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stop) = (Arc::<Mutex<Seen>>::default(), Arc::<AtomicBool>::default());
        let (told, until) = (seen.clone(), stop.clone());
        let thread = std::thread::spawn(move || serve(venue, &listener, tls, &told, &until));
        Acceptor { address, seen, stop, thread: Some(thread) }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it saw, to share with a drop copy.
    pub(crate) fn share(&self) -> Arc<Mutex<Seen>> {
        self.seen.clone()
    }

    pub(crate) fn act(&self, act: Act) {
        self.seen().acts.push(act);
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // A failure in its thread is a failure of the test.
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_none_or(|ended| ended.is_ok()));
    }
}

fn serve(
    mut venue: impl Venue,
    listener: &TcpListener,
    tls: Option<Arc<ServerConfig>>,
    seen: &Mutex<Seen>,
    stop: &AtomicBool,
) {
    while !stop.load(Ordering::Acquire) {
        let Ok((stream, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        };
        let mut client = Client {
            venue: &mut venue,
            link: Link::new(stream, tls.clone()),
            seen,
            peer: String::new(),
            input: Vec::new(),
            missing: false,
            window: Vec::new(),
            logged_on: None,
            over: false,
        };
        while !client.over && !stop.load(Ordering::Acquire) {
            client.turn();
            std::thread::sleep(Duration::from_millis(1));
        }
        client.leave();
    }
}

/// One connection.
struct Client<'a, V> {
    venue: &'a mut V,
    link: Link,
    seen: &'a Mutex<Seen>,
    peer: String,
    input: Vec<u8>,
    /// Messages before the Logon are missing, and were asked for.
    missing: bool,
    /// Times of the last messages.
    window: Vec<Instant>,
    logged_on: Option<Message>,
    over: bool,
}

impl<V: Venue> Client<'_, V> {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&mut self) {
        let mut came = Vec::new();
        self.over |= self.link.receive(&mut came).is_err();
        self.seen().bytes.extend_from_slice(&came);
        self.input.extend_from_slice(&came);
        while let Some((message, length)) = Message::cut(&self.input) {
            self.input.drain(..length);
            self.take(&message);
            if self.over {
                return;
            }
        }
        if self.logged_on.is_none() {
            return;
        }
        // What the order session never tells is whole: an order that it canceled would tell by its
        // CumQty, and that is a contradiction until the drop copy has told.
        let silent = self.seen().silent;
        let trade = self.seen().book.trade(silent);
        if let Some((order, told)) = trade {
            let mut fields = vec![field(35, "8")];
            fields.extend(self.venue.report(&order, told));
            self.seen().trades += 1;
            self.seen().copies.push(fields.clone());
            if !silent {
                self.send(fields);
            }
        }
        for fields in self.venue.says() {
            self.send(fields);
        }
        let acts = std::mem::take(&mut self.seen().acts);
        for act in acts {
            match act {
                Act::Drop => self.over = true,
                Act::Send(fields) => self.send(fields),
            }
        }
    }

    fn log_out(&mut self, text: &str) {
        self.send(vec![field(35, "5"), field(58, text)]);
        self.over = true;
    }

    /// Sends a body that begins with 35; the header goes behind it.
    fn send(&mut self, fields: Fields) {
        let next = self.seen().numbers.0;
        self.seen().numbers.0 += 1;
        self.send_as(next, fields);
    }

    fn send_as(&mut self, number: u64, mut fields: Fields) {
        let header = [
            field(34, number),
            field(49, self.venue.comp_id()),
            field(52, utc()),
            field(56, &self.peer),
        ];
        fields.splice(1..1, header);
        let bytes = frame(self.venue.begin_string(), self.venue.length_digits(), &fields);
        self.over |= self.link.send(&bytes).is_err();
    }

    fn execution(&mut self, order: &Order, told: Told) {
        let mut fields = vec![field(35, "8")];
        fields.extend(self.venue.report(order, told));
        self.send(fields);
    }

    fn take(&mut self, message: &Message) {
        assert_eq!(message.fields[0].1, self.venue.begin_string());
        if message.msg_type() == "A" {
            return self.take_logon(message);
        }
        let seq: u64 = message.get(34).parse().unwrap();
        let expected = self.seen().numbers.1;
        if message.msg_type() == "4" && message.get(123) == "Y" {
            assert!(seq <= expected, "{message:?}");
            self.seen().numbers.1 = message.get(36).parse().unwrap();
            return;
        }
        if seq > expected && self.missing {
            return;
        }
        assert_eq!(seq, expected, "{message:?}");
        self.missing = false;
        self.seen().numbers.1 += 1;
        let now = Instant::now();
        self.window.retain(|at| now - *at < Duration::from_secs(1));
        self.window.push(now);
        if self.window.len() > self.venue.messages_per_second() {
            self.seen().throttled += 1;
            return self.log_out("Message limit exceeded");
        }
        match message.msg_type() {
            "0" => {}
            "2" => {
                // Nothing is told again.
                let (begin, next) = (message.get(7).parse().unwrap(), self.seen().numbers.0);
                let fill = vec![field(35, "4"), field(43, "Y"), field(123, "Y"), field(36, next)];
                self.send_as(begin, fill);
            }
            "1" => self.send(vec![field(35, "0"), field(112, message.get(112))]),
            "3" | "j" => self.seen().rejects.push(format!("{message:?}")),
            "5" => {
                self.seen().logouts += 1;
                self.log_out("");
            }
            _ => self.request(message),
        }
    }

    fn take_logon(&mut self, logon: &Message) {
        self.seen().logons.push(logon.clone());
        self.peer = logon.get(49).to_owned();
        let number: u64 = logon.get(34).parse().unwrap();
        let expected = match logon.get(141) == "Y" || self.seen().numbers == (0, 0) {
            true => {
                self.seen().numbers = (1, 1);
                1
            }
            false => self.seen().numbers.1,
        };
        if number < expected {
            let text = format!("MsgSeqNum is {number}, and {expected} was expected");
            self.seen().refused.push(text.clone());
            return self.log_out(&text);
        }
        self.missing = number > expected;
        if !self.missing {
            self.seen().numbers.1 = number + 1;
        }
        match self.venue.logon(logon) {
            Err(text) => {
                self.seen().refused.push(text.clone());
                self.log_out(&text);
            }
            Ok(more) => {
                let mut fields = vec![field(35, "A"), field(98, 0), field(108, logon.get(108))];
                if logon.get(141) == "Y" {
                    fields.push(field(141, "Y"));
                }
                fields.extend(more);
                self.send(fields);
                if self.missing {
                    self.send(vec![field(35, "2"), field(7, expected), field(16, 0)]);
                }
                self.logged_on = Some(logon.clone());
            }
        }
    }

    fn request(&mut self, request: &Message) {
        self.seen().requests.push(request.clone());
        let answer = match request.msg_type() {
            "D" => match self.venue.judge_order(request) {
                Ok(()) => Some(self.seen().book.enter(request)),
                Err(why) => panic!("the documentation does not allow it: {why}: {request:?}"),
            },
            "F" | "G" => {
                let (client, id) = self.venue.target(request);
                let at = self.seen().book.find(&client, &id);
                match at {
                    Some(at) if request.msg_type() == "F" => {
                        Some(self.seen().book.cancel(at, &self.venue.renamed(request)))
                    }
                    Some(at) => Some(self.seen().book.replace(at, request)),
                    None => {
                        let mut fields = vec![field(35, "9")];
                        fields.extend(self.venue.cancel_reject(request));
                        self.send(fields);
                        None
                    }
                }
            }
            _ => {
                let answers = {
                    let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                    self.venue.other(request, &mut seen.book)
                };
                match answers {
                    Some(answers) => answers.into_iter().for_each(|fields| self.send(fields)),
                    None => panic!("the documentation knows no such message: {request:?}"),
                }
                None
            }
        };
        if let Some((order, told)) = answer
            && !self.loses(&order, told)
        {
            self.execution(&order, told);
        }
    }

    /// True if the connection ends before this is said.
    fn loses(&mut self, order: &Order, told: Told) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if told != Told::Replaced || order.trades || !order.open || !seen.loses_replaced {
            return false;
        }
        seen.loses_replaced = false;
        seen.lost = Some([order.before.clone(), order.client.clone()]);
        self.over = true;
        true
    }

    /// The end of the connection: what becomes of open orders.
    fn leave(mut self) {
        self.link.close();
        if let Some(logon) = self.logged_on.take() {
            let mut seen = self.seen();
            if self.venue.cancels_on_disconnect(&logon) {
                seen.book.cancel_all();
            } else {
                seen.survivors += seen.book.open().len();
            }
        }
    }
}

/// Now, as UTCTimestamp with milliseconds.
pub(crate) fn utc() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let stamp = market::Timestamp::from_nanos(u64::try_from(now.as_nanos()).unwrap());
    let mut text = gateway::fix::TimeText::new(gateway::fix::Precision::Millis);
    let (bytes, written) = text.text(stamp);
    String::from_utf8(bytes[..written.len].to_vec()).unwrap()
}
