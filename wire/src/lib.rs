//! The way in and out: UDP and TCP sockets, io_uring, TLS, receive stamps.
//!
//! This crate moves bytes and says when they came. It knows nothing of markets or FIX, and once a
//! socket stands it never blocks and never allocates (but for what [`tls`] takes for a record).
//! [`open`] chooses between io_uring and plain non-blocking sockets; both stand behind the trait
//! [`Io`] and pass the same tests.
//!
//! ```
//! use wire::{Backend, Io};
//! use wire::udp::Socket;
//! use std::net::{Ipv4Addr, SocketAddrV4};
//! use std::os::fd::AsFd;
//!
//! # fn main() -> std::io::Result<()> {
//! let mut opened = wire::open(Backend::Auto)?;
//! if let Some(notice) = &opened.notice {
//!     eprintln!("{notice}");
//! }
//! let receiver = Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
//! let sender = Socket::sender(Ipv4Addr::LOCALHOST, 0)?;
//! opened.io.send_to(sender.as_fd(), b"tick", receiver.local_address())?;
//! let mut bytes = [0; 64];
//! if let Some(datagram) = opened.io.recv_datagram(receiver.as_fd(), &mut bytes)? {
//!     assert_eq!(&bytes[..datagram.len], b"tick");
//! }
//! # Ok(())
//! # }
//! ```

mod backend;
mod batch;
mod buffer;
mod io;
mod link;
mod message;
mod plain;
pub mod readiness;
pub mod stamp;
pub mod tcp;
pub mod tls;
pub mod udp;
mod uring;

pub use backend::{Backend, Opened, UnknownBackend, open};
pub use batch::{Batch, DATAGRAMS};
pub use buffer::{Full, ReceiveBuffer, SendBuffer};
pub use io::{Datagram, Io, Timed};
pub use link::{End, Link, LinkError};
