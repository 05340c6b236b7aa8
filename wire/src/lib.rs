//! The way in and out: UDP and TCP sockets, io_uring, receive stamps.
