//! A MoldUDP64 receiver on the bench, and packets made by hand.

use super::Told;
use feeds::moldudp64::{BadPacket, Config, Datagram, Line, Receiver, Requests};
use market::{Nanos, Timestamp};

pub const A: Line = Line::Live(0);
pub const B: Line = Line::Live(1);

pub fn packet(session: &str, sequence: u64, messages: &[&str]) -> Vec<u8> {
    let mut bytes = format!("{session:<10}").into_bytes();
    bytes.extend(sequence.to_be_bytes());
    bytes.extend((messages.len() as u16).to_be_bytes());
    for message in messages {
        bytes.extend((message.len() as u16).to_be_bytes());
        bytes.extend(message.as_bytes());
    }
    bytes
}

pub fn with_count(mut packet: Vec<u8>, count: u16) -> Vec<u8> {
    packet[18..20].copy_from_slice(&count.to_be_bytes());
    packet
}

/// A receiver, its time in microseconds, and what it said.
pub struct Bench {
    pub receiver: Receiver,
    pub told: Told,
    pub now: u64,
}

impl Bench {
    /// Two lines; a gap is declared after 500 µs, requests are of at most 10 messages, wait 1 ms and
    /// are made twice.
    pub fn new(change: impl FnOnce(&mut Config)) -> Bench {
        let mut config = Config::new(2);
        config.arbitration_wait = Nanos::from_micros(500);
        let timeout = Nanos::from_millis(1);
        config.requests = Requests { count_max: 10, timeout, tries: 2, ..config.requests };
        (config.stash_packets, config.packet_bytes_max) = (4, 100);
        change(&mut config);
        Bench { receiver: Receiver::new(config), told: Told::default(), now: 0 }
    }

    pub fn at(&self) -> Timestamp {
        Timestamp::ZERO.after(Nanos::from_micros(self.now))
    }

    pub fn take(&mut self, line: Line, bytes: &[u8]) -> Vec<String> {
        let datagram = Datagram { bytes, truncated: false, from: None, received: 9 };
        let at = self.at();
        self.receiver.on_datagram(line, &datagram, at, &mut self.told);
        self.told.take()
    }

    pub fn drain(&mut self, packets: usize) -> Vec<String> {
        let at = self.at();
        self.receiver.drain(packets, at, &mut self.told);
        self.told.take()
    }

    /// After `micros` more: what is requested, and what was said.
    pub fn poll(&mut self, micros: u64) -> (Option<(u64, u16)>, Vec<String>) {
        self.now += micros;
        let at = self.at();
        let request = self.receiver.poll(at, &mut self.told);
        (request.map(|request| (request.sequence, request.count)), self.told.take())
    }

    pub fn bad(&mut self, bytes: &[u8], why: BadPacket) {
        let before = (self.receiver.expected(), self.receiver.session());
        assert_eq!(self.take(A, bytes), [""; 0]);
        assert_eq!((self.receiver.expected(), self.receiver.session()), before);
        assert_eq!(self.receiver.counters().bad(why), 1, "{why:?}");
    }
}
