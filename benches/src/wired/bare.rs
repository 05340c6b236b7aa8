//! Who answers without an engine: the floor, which spins on the cheapest calls there are; the same
//! with an eye on the order socket all the time; and the ordinary design, which waits in the kernel.
//! Each reads a datagram, writes an order of the usual size and reads the answer to it; none looks
//! into what it reads.

use crate::wired::course::Side;
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::OnceLock;
use wire::udp::Socket;

/// The order to be sent, once somebody has made it.
pub type Order = Arc<OnceLock<Vec<u8>>>;

/// Bytes of the longest read.
const READ: usize = 4_096;
/// A datagram this short ends a block of who waits in the kernel.
pub const END: &[u8] = b".";

/// Spins on `recv`, answers with `send`.
pub struct Spinning {
    line: Socket,
    orders: TcpStream,
    order: Order,
}

impl Spinning {
    /// Over its own sockets, both non-blocking.
    ///
    /// # Errors
    /// What the system reports.
    pub fn new(line: Socket, orders: TcpStream, order: Order) -> std::io::Result<Spinning> {
        orders.set_nodelay(true)?;
        Ok(Spinning { line, orders, order })
    }
}

impl Side for Spinning {
    fn work(&mut self, mine: &dyn Fn() -> bool) {
        let order = self.order.get().expect("the exchange's side has made the order");
        let mut bytes = [0; READ];
        while mine() {
            match recv(&self.line, &mut bytes[..], RecvFlags::DONTWAIT) {
                Err(Errno::AGAIN) => continue,
                got => got.expect("a datagram"),
            };
            send(&self.orders, order, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).expect("room");
            while let Err(Errno::AGAIN) = recv(&self.orders, &mut bytes[..], RecvFlags::DONTWAIT) {
                if !mine() {
                    return;
                }
            }
        }
    }
}

/// Spins on `recv` of both sockets by turns, as whoever expects fills must; answers with `send`.
pub struct Watching(pub Spinning);

impl Side for Watching {
    fn work(&mut self, mine: &dyn Fn() -> bool) {
        let Spinning { line, orders, order } = &self.0;
        let order = order.get().expect("the exchange's side has made the order");
        let mut bytes = [0; READ];
        while mine() {
            if recv(line, &mut bytes[..], RecvFlags::DONTWAIT).is_ok() {
                send(orders, order, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).expect("room");
            }
            // An answer, or nothing yet.
            let _ = recv(orders, &mut bytes[..], RecvFlags::DONTWAIT);
        }
    }
}

/// Waits in `recv`, answers with `send`.
pub struct Waiting {
    line: Socket,
    orders: TcpStream,
    order: Order,
}

impl Waiting {
    /// Over its own sockets, both made blocking.
    ///
    /// # Errors
    /// What the system reports.
    pub fn new(line: Socket, orders: TcpStream, order: Order) -> std::io::Result<Waiting> {
        orders.set_nodelay(true)?;
        ioctl_fionbio(&line, false)?;
        Ok(Waiting { line, orders, order })
    }
}

impl Side for Waiting {
    fn work(&mut self, mine: &dyn Fn() -> bool) {
        let order = self.order.get().expect("the exchange's side has made the order");
        let mut bytes = [0; READ];
        while mine() {
            let (len, _) =
                recv(&self.line, &mut bytes[..], RecvFlags::empty()).expect("a datagram");
            if bytes[..len] == *END {
                return;
            }
            send(&self.orders, order, SendFlags::NOSIGNAL).expect("room");
            recv(&self.orders, &mut bytes[..], RecvFlags::empty()).expect("an answer");
        }
    }
}
