//! The kernel's receive times of sessions: where a connection asks for them, what the gateway and the
//! drop copy read fills the hop `gateway-recv`; where it does not, nothing does. Over loopback sockets,
//! in virtual time.

mod gateway_rig;

use engine::latency::Hop;
use engine::latency::recorder::Collector;
use engine::runtime::stage::Stage;
use gateway_rig::venue::Venue;
use gateway_rig::{BEGIN, PATIENCE, Rig, Setup, instruments};
use market::Nanos;
use std::time::Duration;

/// Reads that the hop counts so far.
fn reads(hops: &mut Collector) -> u64 {
    hops.collect()[Hop::GatewayRecv.index()].len()
}

/// Order session and drop copy talk to a venue each until both have read much; says how many of the
/// reads the hop counts.
fn talk(kernel_stamps: bool) -> [u64; 2] {
    let folder = tempfile::tempdir().unwrap();
    let mut venue = Venue::new(&instruments(), "US");
    let mut copied = Venue::new(&instruments(), "COPY");
    let setup = Setup { kernel_stamps, ..Setup::default() };
    let mut rig = Rig::new(venue.address(), setup, folder.path());
    let (mut copy, mut copy_hops) = rig.drop_copy(copied.address(), folder.path());
    let mut now = BEGIN;
    for _ in 0..PATIENCE {
        let stages: [&mut dyn Stage; 2] = [&mut rig.stage, &mut copy];
        for stage in stages {
            stage.poll(now);
            stage.housekeeping(now);
        }
        for venue in [&mut venue, &mut copied] {
            venue.poll(now);
            if venue.session.is_up() {
                venue.news(now, b"still here");
            }
        }
        let counted = [reads(&mut rig.hops), reads(&mut copy_hops)];
        let heard = [&venue, &copied].map(|venue| venue.session.counters().sent);
        // The kernel may begin to note times a moment late; without them much is enough.
        let least = if kernel_stamps { counted } else { heard };
        if least.iter().all(|count| *count >= 20) {
            return counted;
        }
        now = now.after(Nanos::from_millis(1));
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("too little was said or counted");
}

#[test]
fn a_session_that_asks_for_times_fills_the_hop_and_no_other_does() {
    assert_eq!(talk(false), [0, 0]);
    assert!(talk(true).iter().all(|count| *count >= 20));
}
