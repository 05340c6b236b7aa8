//! The engine and the exchange by turns on one thread: for counts of instructions, which need to know
//! whose turn it is. No time is measured here, and nothing runs beside it but the journal's thread.

use crate::wired::engine::{self, NO_SERVER, Options, Setup, Watch};
use crate::wired::field::folders;
use crate::wired::link::Link;
use crate::wired::market::Listed;
use ::engine::runtime::clock::{self, Clock};
use ::engine::runtime::stage::Core;
use anyhow::{Context as _, ensure};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use tempfile::TempDir;
use wire::udp::Socket;

/// What a tick leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// A replace of the order that joined the best price.
    Order,
    /// Nothing: an order comes or goes far behind the best price.
    Quiet,
}

/// An engine and its exchange.
pub struct Alone {
    core: Core,
    link: Link,
    socket: Socket,
    clock: Clock,
    /// What must live as long.
    _kept: (Watch, TempDir, TempDir),
}

/// Turns that an order may take before something is wrong.
const TURNS_MAX: u32 = 1_000;
/// Turns in which the engine takes the answer to an order.
const ANSWERED: usize = 64;

impl Alone {
    /// An engine that quotes.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn new() -> anyhow::Result<Alone> {
        let (disk, hot) = folders()?;
        let (clock, _) = clock::calibrate();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let line = Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let address = line.local_address();
        let folders = (disk.path(), hot.path());
        let (venue, listed) = (listener.local_addr()?, &Listed::marks());
        let (server, options) = (NO_SERVER, Options::FULL);
        let setup = Setup { line, venue, server, listed, folders, options };
        let (mut cores, watch) = engine::build(setup, &clock)?;
        let mut core = cores.pop().context("an engine has a core")?;
        // The connector's thread connects once the gateway has been polled.
        core.turn();
        let (orders, _) = listener.accept()?;
        let mut link = Link::new(&clock, address, orders)?;
        let socket = Socket::sender(Ipv4Addr::LOCALHOST, 0)?;
        link.open(&socket, &clock, &mut || {
            let _ = core.turn();
        })?;
        let mut one = Alone { core, link, socket, clock, _kept: (watch, disk, hot) };
        one.rest();
        Ok(one)
    }

    fn rest(&mut self) {
        (0..ANSWERED).for_each(|_| {
            let _ = self.core.turn();
        });
    }

    /// One tick. The turn of the engine that takes it runs within `counted`.
    ///
    /// # Errors
    /// A tick that leads to something else than it should.
    pub fn tick(
        &mut self,
        tick: Tick,
        counted: &mut dyn FnMut(&mut dyn FnMut()),
    ) -> anyhow::Result<()> {
        let Alone { core, link, socket, clock, .. } = self;
        let mut turns = 0u32;
        let mut turn = || {
            turns += 1;
            counted(&mut || {
                let _ = core.turn();
            });
        };
        match tick {
            Tick::Order => {
                link.tick(socket, clock, &mut turn)?;
                // One, but for a kernel that delivers late now and then.
                ensure!(turns <= TURNS_MAX, "the order took {turns} turns");
            }
            Tick::Quiet => link.quiet(socket, &mut turn)?,
        }
        self.rest();
        Ok(())
    }
}
