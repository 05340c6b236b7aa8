//! The exchange's side under load: sends datagrams at the moments at which they are due, whether or
//! not anybody keeps up, answers orders and requests for messages again, and knows of each mark when
//! it was due and when its order came. What it is late itself counts against the engine, and is told
//! beside it.

use crate::data::{Messages, Walk};
use crate::wired::market::{LISTED, Listed, PACKET_BYTES};
use crate::wired::marks::Marks;
use crate::wired::orders::{Orders, SEND};
use crate::wired::plan::{Pace, Planned, plan};
use anyhow::{Context as _, ensure};
use engine::runtime::clock::Clock;
use feeds::itch50::message::Replaced;
use feeds::moldudp64::{MessageStore, Publisher, REQUEST_BYTES, RequestServer, Session};
use market::{Command, CommandKind, InstrumentId, Nanos, Price, Side, Timestamp};
use rustix::net::{RecvFlags, recvfrom, send, sendto};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use wire::stamp;
use wire::udp::Socket;

/// Prices of a mark before they come again: more than are ever on their way.
const STEPS: i64 = 256;
/// Ids of the marks' orders are above those of every stream.
const FIRST: u64 = 1 << 60;
/// Between two datagrams of an opening, in nanoseconds, and messages of each at most.
const OPENING: Pace = Pace::Even(15_000.0, 64);
/// After an answer, before the next tick of the closed loop, in nanoseconds.
const PAUSE: u64 = 15_000;
/// Polls for orders between two for requests.
const REQUESTS_EVERY: u32 = 8;
/// Datagrams that may follow each other before orders are looked at, however late they are.
const LATE_MAX: u32 = 8;
/// Datagrams of a session for which there is room from the start.
const SENT: usize = 1 << 18;
/// How long an answer may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(2);

/// A datagram that was sent.
struct Sent<'a> {
    first: u64,
    planned: Planned<'a>,
    mark: Option<[u8; Replaced::LENGTH]>,
}

/// Every datagram of the session, for those who ask again.
struct Told<'a>(Vec<Sent<'a>>);

impl MessageStore for Told<'_> {
    fn message(&mut self, sequence: u64) -> Option<&[u8]> {
        let at = self.0.partition_point(|sent| sent.first <= sequence).checked_sub(1)?;
        let sent = &self.0[at];
        let nth = usize::try_from(sequence - sent.first).ok()?;
        if nth == usize::from(sent.planned.count) {
            return sent.mark.as_ref().map(<[u8; _]>::as_slice);
        }
        sent.planned.stream.clone().nth(nth)
    }
}

/// What the exchange saw since somebody took it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// From the moment at which a mark was due to the first byte of its order, in nanoseconds.
    pub ticks: Vec<u64>,
    /// How late each datagram was sent, in nanoseconds.
    pub late: Vec<u64>,
    /// Marks that were overtaken by a newer one before their order left; the newer one's answers
    /// them.
    pub overtaken: usize,
    /// Marks that no order answered.
    pub unanswered: usize,
    /// Orders and requests that came.
    pub orders: usize,
    /// Fewest orders that rested.
    pub resting_min: Option<usize>,
}

impl Seen {
    /// Adds what was seen at another time.
    pub fn add(&mut self, other: Seen) {
        self.ticks.extend(other.ticks);
        self.late.extend(other.late);
        self.overtaken += other.overtaken;
        self.unanswered += other.unanswered;
        self.orders += other.orders;
        self.resting_min = self.resting_min.into_iter().chain(other.resting_min).min();
    }
}

/// Where it sends and hears.
pub struct Wires {
    /// Sends market data; connected to where it goes, so that the way is looked up once.
    pub socket: Socket,
    /// Hears requests for messages again, and answers them.
    pub requests: Socket,
    /// The order session.
    pub orders: Orders,
}

/// The exchange's side.
pub struct Exchange<'a> {
    wires: Wires,
    clock: Clock,
    listed: &'a Listed,
    marks: Marks,
    publisher: Publisher,
    server: RequestServer,
    told: Told<'a>,
    /// The mark in the open packet.
    marked: Option<(InstrumentId, Price, [u8; Replaced::LENGTH])>,
    /// Marks without an order, by instrument: where they went, and the stamp at which each was due.
    waiting: Vec<VecDeque<(Price, u64)>>,
    sessions: u32,
    polls: u32,
    /// Datagrams sent since orders were looked at.
    behind: u32,
    commands: Vec<Command>,
    /// What was seen.
    pub seen: Seen,
    /// Datagrams sent so far, heartbeats too.
    pub datagrams: u64,
    /// Messages sent so far.
    pub messages: u64,
}

fn session(number: u32) -> Session {
    Session::new(&format!("LOAD{number}")).expect("at most ten bytes")
}

fn publisher(number: u32) -> Publisher {
    Publisher::new(session(number), 1, PACKET_BYTES, Nanos::from_millis(1))
}

impl<'a> Exchange<'a> {
    /// An exchange that has said nothing.
    #[must_use]
    pub fn new(wires: Wires, clock: &Clock, listed: &'a Listed) -> Self {
        Exchange {
            wires,
            clock: clock.clone(),
            listed,
            marks: Marks::new(clock.now(), listed, STEPS, FIRST),
            publisher: publisher(0),
            server: RequestServer::new(session(0), PACKET_BYTES),
            told: Told(Vec::with_capacity(SENT)),
            marked: None,
            waiting: vec![VecDeque::with_capacity(4_096); LISTED as usize],
            sessions: 0,
            polls: 0,
            behind: 0,
            commands: Vec::with_capacity(1_024),
            seen: Seen::default(),
            datagrams: 0,
            messages: 0,
        }
    }

    /// What the marks open with, and no session yet: the same in every session.
    #[must_use]
    pub fn opening(now: Timestamp, listed: &Listed) -> Messages {
        let mut messages = Messages::default();
        let mut marks = Marks::new(now, listed, STEPS, FIRST);
        marks.opening(&mut |message| messages.push(message));
        messages
    }

    /// Raw ticks of so many nanoseconds.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    #[must_use]
    pub fn ticks(&self, nanos: u64) -> u64 {
        let known = 1u64 << 32;
        (nanos as f64 * (known as f64 / self.clock.span(known).get() as f64)) as u64
    }

    /// Begins another market data session with `opening`, from empty books.
    ///
    /// # Errors
    /// What the system reports; an engine that is gone.
    pub fn begin(&mut self, opening: &'a Messages) -> anyhow::Result<()> {
        self.sessions += 1;
        self.publisher = publisher(self.sessions);
        self.server = RequestServer::new(session(self.sessions), PACKET_BYTES);
        self.told.0.clear();
        self.waiting.iter_mut().for_each(VecDeque::clear);
        self.marks = Marks::new(self.clock.now(), self.listed, STEPS, FIRST);
        self.marks.opening(&mut |_| {});
        let begin = stamp::now();
        for mut planned in plan(&mut opening.iter(), OPENING, 0, u64::MAX) {
            planned.mark = false;
            self.send(planned, begin)?;
        }
        Ok(())
    }

    /// Sends a datagram at its moment after the stamp `begin`, and serves until then.
    ///
    /// # Errors
    /// What the system reports; an engine that is gone.
    pub fn send(&mut self, planned: Planned<'a>, begin: u64) -> anyhow::Result<()> {
        for message in planned.stream.clone() {
            self.publisher.push(message).context("it was planned to fit")?;
        }
        if planned.mark {
            self.mark()?;
        }
        let due = begin + self.ticks(planned.due);
        self.behind += 1;
        while stamp::now() < due || self.behind > LATE_MAX {
            self.serve()?;
            self.behind = 0;
        }
        self.dispatch(planned, due)
    }

    fn mark(&mut self) -> anyhow::Result<()> {
        let mut bytes = [0; Replaced::LENGTH];
        let (id, price) = self.marks.tick(&mut |message| bytes.copy_from_slice(message));
        self.publisher.push(&bytes).context("there is room for a mark")?;
        self.marked = Some((id, price, bytes));
        Ok(())
    }

    fn dispatch(&mut self, planned: Planned<'a>, due: u64) -> anyhow::Result<()> {
        let next = self.publisher.next_sequence();
        let packet = self.publisher.take(self.clock.now()).context("a packet holds a message")?;
        let late = stamp::now().saturating_sub(due);
        send(&self.wires.socket, packet, SEND)?;
        self.seen.late.push(self.clock.span(late).get());
        let mark = self.marked.take();
        let count = u64::from(planned.count) + u64::from(mark.is_some());
        self.datagrams += 1;
        self.messages += count;
        if let Some((id, price, _)) = mark {
            let nth = self.nth(id);
            self.waiting[nth].push_back((price, due));
        }
        let mark = mark.map(|(_, _, bytes)| bytes);
        self.told.0.push(Sent { first: next - count, planned, mark });
        Ok(())
    }

    /// Which of the marks an instrument is.
    fn nth(&self, id: InstrumentId) -> usize {
        id.index() - (self.listed.instruments.len() - LISTED as usize)
    }

    /// Looks for orders, now and then for requests, and answers them.
    ///
    /// # Errors
    /// What the system reports; an engine that is gone.
    pub fn serve(&mut self) -> anyhow::Result<()> {
        self.polls = self.polls.wrapping_add(1);
        if self.polls.is_multiple_of(REQUESTS_EVERY) {
            self.answer_request()?;
        }
        if !self.wires.orders.read()? {
            return Ok(());
        }
        let came = stamp::now();
        self.wires.orders.take(self.clock.now())?;
        self.wires.orders.reply()?;
        let venue = &mut self.wires.orders.venue;
        std::mem::swap(&mut venue.taken, &mut self.commands);
        let resting = venue.resting();
        let fewest = self.seen.resting_min.map_or(resting, |fewest| fewest.min(resting));
        self.seen.resting_min = Some(fewest);
        self.seen.orders += self.commands.len();
        for at in 0..self.commands.len() {
            self.answered(self.commands[at], came);
        }
        self.commands.clear();
        Ok(())
    }

    /// An order for a mark answers it, and those that it overtook.
    fn answered(&mut self, command: Command, came: u64) {
        let quotes = matches!(command.kind(), Some(CommandKind::New | CommandKind::Replace));
        let marks = self.listed.instruments.len() - LISTED as usize;
        if !quotes || command.side() != Some(Side::Buy) || command.instrument.index() < marks {
            return;
        }
        let nth = self.nth(command.instrument);
        let waiting = &mut self.waiting[nth];
        let Some(at) = waiting.iter().position(|(price, _)| *price == command.price) else {
            return;
        };
        self.seen.overtaken += at;
        for (_, due) in waiting.drain(..=at) {
            self.seen.ticks.push(self.clock.span(came.saturating_sub(due)).get());
        }
    }

    fn answer_request(&mut self) -> anyhow::Result<()> {
        let mut request = [0; REQUEST_BYTES];
        let heard = recvfrom(&self.wires.requests, &mut request[..], RecvFlags::DONTWAIT);
        let Ok((length, _, Some(from))) = heard else { return Ok(()) };
        // A request of the session before is not answered: nobody waits for it.
        if let Ok(packet) = self.server.answer(&request[..length], &mut self.told) {
            sendto(&self.wires.requests, packet, SEND, &from)?;
        }
        Ok(())
    }

    /// Marks that wait for their orders.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }

    /// Marks that have no order get none any more: a gap took them, and what came after moved on. They
    /// are counted.
    pub fn forget(&mut self) {
        self.seen.unanswered += self.waiting();
        self.waiting.iter_mut().for_each(VecDeque::clear);
    }

    /// Orders that rest.
    #[must_use]
    pub fn resting(&self) -> usize {
        self.wires.orders.venue.resting()
    }

    /// Sequence of the next message, and the session's name.
    #[must_use]
    pub fn next(&self) -> (Session, u64) {
        (self.publisher.session(), self.publisher.next_sequence())
    }

    /// Serves for a while, and sends heartbeats or nothing at all.
    ///
    /// # Errors
    /// What the system reports; an engine that is gone.
    pub fn idle(&mut self, span: Duration, beats: bool) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < span {
            if beats && let Some(heartbeat) = self.publisher.heartbeat(self.clock.now()) {
                send(&self.wires.socket, &heartbeat, SEND)?;
                self.datagrams += 1;
            }
            self.serve()?;
        }
        Ok(())
    }

    /// Ticks one after another, each after the order of the one before: the engine without a load.
    ///
    /// # Errors
    /// A tick without an order.
    pub fn closed_loop(&mut self, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            let (stream, begin) = (Walk::default(), stamp::now());
            self.send(Planned { due: PAUSE, stream, count: 0, mark: true }, begin)?;
            let sent = Instant::now();
            while self.waiting() > 0 {
                self.serve()?;
                ensure!(sent.elapsed() < PATIENCE, "no order came for a tick");
            }
        }
        Ok(())
    }
}
