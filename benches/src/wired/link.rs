//! What the exchange's side has of each who answers: where its ticks go and where its orders come
//! from; and the closed loop that measures them, from the send of a tick to the first byte of the
//! order that it leads to.

use crate::wired::market::{LISTED, Listed, Market};
use crate::wired::orders::{Orders, SEND};
use crate::wired::venue::Shadow;
use anyhow::{bail, ensure};
use engine::runtime::clock::Clock;
use market::{CommandKind, InstrumentId, Price};
use rustix::net::sendto;
use std::net::{SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};
use wire::stamp;
use wire::udp::Socket;

/// After an answer, before the next tick.
const PAUSE: Duration = Duration::from_micros(15);
/// How long an order may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a session may take to come up.
const OPENING: Duration = Duration::from_secs(10);

/// One who answers, as the exchange sees it.
pub struct Link {
    market: Market,
    line: SocketAddrV4,
    orders: Orders,
    /// Makes the orders of those who have no engine, and how long theirs are.
    shadow: Option<(Shadow, usize)>,
}

/// What was polled beside the exchange's side, on its own core; mostly nothing.
pub type Beside<'a> = &'a mut dyn FnMut();

impl Link {
    /// Ticks go to `line`, orders come by `orders`.
    ///
    /// # Errors
    /// What the system reports.
    pub fn new(clock: &Clock, line: SocketAddrV4, orders: TcpStream) -> anyhow::Result<Link> {
        let orders = Orders::new(orders, clock.now(), &Listed::marks())?;
        Ok(Link { market: Market::new(clock.now()), line, orders, shadow: None })
    }

    /// The other end is no engine: gives the order that it shall send.
    ///
    /// # Errors
    /// A session that does not come up.
    pub fn without_engine(&mut self, clock: &Clock) -> anyhow::Result<Vec<u8>> {
        let venue = &mut self.orders.venue;
        let mut shadow = Shadow::new(clock.now(), venue)?;
        // Until numbers are as long as an engine's in the middle of the bench.
        for _ in 0..10_000 {
            shadow.prepare(clock.now())?;
            venue.take(clock.now(), &shadow.frame)?;
            shadow.answered(clock.now(), &venue.answers)?;
            venue.answers.clear();
        }
        venue.taken.clear();
        let frame = shadow.frame.clone();
        self.shadow = Some((shadow, frame.len()));
        Ok(frame)
    }

    /// The other end is an engine at work: opens the market and waits for its quotes.
    ///
    /// # Errors
    /// An engine that does not quote in time.
    pub fn open(
        &mut self,
        socket: &Socket,
        clock: &Clock,
        beside: Beside<'_>,
    ) -> anyhow::Result<()> {
        for packet in self.market.opening() {
            sendto(socket, &packet, SEND, &self.line)?;
        }
        let began = Instant::now();
        while self.orders.venue.resting() < 2 * LISTED as usize {
            ensure!(
                began.elapsed() < OPENING,
                "the engine does not quote: {}",
                self.orders.venue.resting()
            );
            beside();
            if self.orders.read()? {
                self.answer(clock)?;
            } else {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
        self.orders.venue.taken.clear();
        Ok(())
    }

    /// Wakes who waits in the kernel for a tick, so that it sees that its turn is over.
    ///
    /// # Errors
    /// What the system reports.
    pub fn wake(&self, socket: &Socket) -> anyhow::Result<()> {
        sendto(socket, super::bare::END, SEND, &self.line)?;
        Ok(())
    }

    /// Takes the whole messages that came, and sends the answers.
    fn answer(&mut self, clock: &Clock) -> anyhow::Result<()> {
        let now = clock.now();
        match &mut self.shadow {
            None => self.orders.take(now)?,
            Some((shadow, length)) if self.orders.filled() >= *length => {
                self.orders.venue.take(now, &shadow.frame)?;
                shadow.answered(now, &self.orders.venue.answers)?;
                self.orders.forget();
            }
            Some(_) => {}
        }
        self.orders.reply()
    }

    /// A block of ticks, one after another, for as long as `span`: nanoseconds of each, but for the
    /// first few, which warm up.
    ///
    /// # Errors
    /// A tick that nobody answers, or answers wrongly.
    pub fn block(
        &mut self,
        socket: &Socket,
        clock: &Clock,
        span: Duration,
        beside: Beside<'_>,
    ) -> anyhow::Result<Vec<u64>> {
        const WARM_UP: usize = 50;
        let mut measured = Vec::with_capacity(8_192);
        let began = Instant::now();
        while began.elapsed() < span {
            measured.push(self.tick(socket, clock, beside)?);
            let answered = Instant::now();
            while answered.elapsed() < PAUSE {
                beside();
                std::hint::spin_loop();
            }
        }
        ensure!(measured.len() > 2 * WARM_UP, "only {} ticks in a block", measured.len());
        measured.drain(..WARM_UP);
        Ok(measured)
    }

    /// One tick and its order: nanoseconds between them.
    ///
    /// # Errors
    /// A tick that nobody answers, or answers wrongly.
    pub fn tick(
        &mut self,
        socket: &Socket,
        clock: &Clock,
        beside: Beside<'_>,
    ) -> anyhow::Result<u64> {
        if let Some((shadow, _)) = &mut self.shadow {
            shadow.prepare(clock.now())?;
        }
        let (id, price, packet) = self.market.tick();
        let began = Instant::now();
        let sent = stamp::now();
        sendto(socket, packet, SEND, &self.line)?;
        let mut spins = 0u32;
        while !self.orders.read()? {
            beside();
            spins = spins.wrapping_add(1);
            if spins.is_multiple_of(1 << 16) {
                ensure!(began.elapsed() < PATIENCE, "no order came for a tick");
            }
        }
        let came = stamp::now();
        self.answer(clock)?;
        while self.orders.venue.taken.is_empty() {
            ensure!(began.elapsed() < PATIENCE, "half an order came for a tick");
            beside();
            if self.orders.read()? {
                self.answer(clock)?;
            }
        }
        self.check(id, price)?;
        Ok(clock.span(came.saturating_sub(sent)).get())
    }

    /// A tick that no order follows, and one look of the other end at it.
    ///
    /// # Errors
    /// An order.
    pub fn quiet(&mut self, socket: &Socket, beside: Beside<'_>) -> anyhow::Result<()> {
        sendto(socket, self.market.quiet(), SEND, &self.line)?;
        beside();
        ensure!(!self.orders.read()?, "an order came for a tick far behind the best price");
        Ok(())
    }

    /// An engine's answer must be the one that the tick asks for.
    fn check(&mut self, id: InstrumentId, price: Price) -> anyhow::Result<()> {
        let taken = &mut self.orders.venue.taken;
        let Some(command) = taken.pop() else { bail!("no order was taken") };
        taken.clear();
        ensure!(command.kind() == Some(CommandKind::Replace), "not a replace: {command:?}");
        if self.shadow.is_none() {
            let right = (command.instrument, command.price) == (id, price);
            ensure!(right, "{id:?} at {price} was answered by {command:?}");
        }
        Ok(())
    }
}
