//! A bad network between the exchange's lines and the engine's: it drops, repeats and delays
//! packets as a rule says.

use crate::lab::Lab;
use market::Rng;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass,
    Drop,
    Twice,
    /// It comes behind so many later packets of its line.
    Late(u64),
}

/// Says what becomes of a packet, by line (0 is A) and sequence.
pub(crate) type Rule = fn(&mut Rng, usize, u64) -> Fate;

/// A relay on its thread, which ends with it.
pub(crate) struct Relay {
    stop: Arc<AtomicBool>,
    healed: Arc<AtomicBool>,
    spoiled: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// One line through the relay.
struct Path {
    from: UdpSocket,
    to: SocketAddrV4,
    /// Packets so far.
    count: u64,
    /// Packets that are late, and behind which they come.
    late: VecDeque<(u64, Vec<u8>)>,
}

/// Longest wait for the other line's copy before this line goes on.
const WAIT: Duration = Duration::from_millis(20);

impl Relay {
    pub(crate) fn start(lab: &Lab, seed: u64, rule: Rule) -> Relay {
        let mut paths = [0, 1].map(|line| {
            let from = UdpSocket::bind(lab.sent[line]).unwrap();
            socket2::SockRef::from(&from).set_recv_buffer_size(4 << 20).unwrap();
            from.set_read_timeout(Some(WAIT)).unwrap();
            Path { from, to: lab.heard[line], count: 0, late: VecDeque::new() }
        });
        let out = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let healed = Arc::new(AtomicBool::new(false));
        let spoiled = Arc::new(AtomicU64::new(0));
        let (stopped, count, well) = (stop.clone(), spoiled.clone(), healed.clone());
        let thread = std::thread::spawn(move || {
            let mut rng = Rng::new(seed);
            while !stopped.load(Ordering::Relaxed) {
                // In turn, as the exchange sends them: one line is never far ahead of the other.
                let rule = if well.load(Ordering::Relaxed) {
                    |_: &mut Rng, _, _| Fate::Pass
                } else {
                    rule
                };
                for (line, path) in paths.iter_mut().enumerate() {
                    count.fetch_add(path.turn(line, &out, &mut rng, rule), Ordering::Relaxed);
                }
            }
        });
        Relay { stop, healed, spoiled, thread: Some(thread) }
    }

    /// Every packet passes from now on.
    pub(crate) fn heal(&self) {
        self.healed.store(true, Ordering::Relaxed);
    }

    /// Packets that did not just pass.
    pub(crate) fn spoiled(&self) -> u64 {
        self.spoiled.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "the relay failed");
    }
}

impl Path {
    /// Moves one packet; says how many were spoiled.
    fn turn(&mut self, line: usize, out: &UdpSocket, rng: &mut Rng, rule: Rule) -> u64 {
        let mut bytes = [0; 2_048];
        let Ok(length) = self.from.recv(&mut bytes) else { return 0 };
        let packet = &bytes[..length];
        // A packet to a socket that is not there yet is refused; that is a lost one.
        let send = |packet: &[u8]| drop(out.send_to(packet, self.to));
        let sequence = u64::from_be_bytes(packet[10..18].try_into().unwrap());
        let is_heartbeat = packet[18..20] == [0, 0];
        let fate = if is_heartbeat { Fate::Pass } else { rule(rng, line, sequence) };
        self.count += 1;
        match fate {
            Fate::Pass => send(packet),
            Fate::Drop => {}
            Fate::Twice => (0..2).for_each(|_| send(packet)),
            Fate::Late(by) => self.late.push_back((self.count + by, packet.to_vec())),
        }
        while let Some((_, packet)) = self.late.pop_front_if(|(count, _)| *count <= self.count) {
            send(&packet);
        }
        u64::from(fate != Fate::Pass)
    }
}
