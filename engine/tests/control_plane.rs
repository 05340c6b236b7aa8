//! The control plane of a whole engine, as `touchline run` starts it, with no venue to be found: an
//! operator can ask, kill and clear all the same, and the kill latch outlives the run.

use engine::config::special::{Endpoint, Metrics};
use engine::config::{Core, RunConfig};
use engine::control::plane::Plane;
use engine::control::protocol::Request;
use engine::modes::ctl;
use engine::pipeline::topology::{self, Pipeline};
use engine::runtime::clock;
use market::Nanos;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::path::Path;
use std::time::Duration;

/// An engine on free ports that pins nothing, all state in `folder`.
fn config(folder: &Path) -> RunConfig {
    let mut config = RunConfig::demo(&BTreeSet::from([0])).unwrap();
    let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    config.engine.data_dir = folder.join("engine");
    config.journal.hot_dir = folder.to_owned();
    config.journal.segment_bytes = 1 << 20;
    // The journal keeps the configuration, in which a port of the system's choice has no place.
    let free = UdpSocket::bind(any).unwrap().local_addr().unwrap().port();
    config.feed.line_a = Some(SocketAddrV4::new(Ipv4Addr::LOCALHOST, free));
    (config.feed.line_b, config.feed.retransmit) = (None, None);
    config.gateway.address = Endpoint { host: "127.0.0.1".to_owned(), port: 1 };
    config.control.metrics = Metrics(cfg!(feature = "control").then_some(SocketAddr::V4(any)));
    // A paused test machine is no stall.
    config.watchdog.stall_ms = Nanos::from_secs(60);
    config.cores.pin = false;
    for core in [&mut config.cores.feed, &mut config.cores.trading, &mut config.cores.gateway] {
        *core = Core::Cpu(0);
    }
    config
}

fn start(config: &RunConfig) -> (Pipeline, Plane) {
    let (clock, _calibrator) = clock::calibrate();
    let mut pipeline = topology::start(config, &clock).unwrap();
    let plane = Plane::start(config, &mut pipeline).unwrap();
    (pipeline, plane)
}

fn stop(pipeline: Pipeline, plane: Plane) -> Option<String> {
    assert!(!plane.has_stalled());
    drop(plane);
    pipeline.stop();
    while !pipeline.is_ended() {
        std::thread::sleep(Duration::from_millis(1));
    }
    pipeline.join().unwrap().trading.killed().map(str::to_owned)
}

#[test]
fn an_operator_is_heard_by_a_whole_engine_and_a_kill_outlives_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let socket = config.control_socket();
    let ask = |request: &Request| ctl::ask(&socket, request).unwrap();

    let (pipeline, plane) = start(&config);
    let page = ask(&Request::Status);
    assert!(page.contains("kill       not set") && page.contains("session    down"), "{page}");
    assert!(!page.contains("does not answer"), "{page}");
    ask(&Request::Kill { reason: "limits are wrong".to_owned() });
    assert!(pipeline.gate.is_shut());
    assert!(stop(pipeline, plane).is_some_and(|text| text.ends_with(": limits are wrong")));
    assert!(!socket.exists());

    let (pipeline, plane) = start(&config);
    assert!(pipeline.gate.is_shut());
    assert!(ask(&Request::Status).contains(": limits are wrong; the gateway lets only cancels"));
    ask(&Request::Clear { name: "Ada".to_owned(), reason: "corrected".to_owned() });
    assert!(!pipeline.gate.is_shut());
    assert_eq!(stop(pipeline, plane), None);
}

/// Regimes, longest cycles and the kernel's counts of a whole engine, from start to end.
#[test]
fn every_stage_and_core_of_an_engine_can_be_blamed() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let (pipeline, plane) = start(&config);
    let page = ctl::ask(&config.control_socket(), &Request::Status).unwrap();
    for part in ["stage      trading: ", ", busy ", "  longest  gateway busy, ", "core       feed"]
    {
        assert!(page.contains(part), "{part:?} is not in\n{page}");
    }
    let watches = pipeline.watches.clone();
    drop(plane);
    pipeline.stop();
    while !pipeline.is_ended() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let blame = pipeline.join().unwrap().blame;
    let names: Vec<_> = blame.stages.iter().map(|stage| stage.name).collect();
    assert_eq!(names, ["feed", "trading", "gateway"]);
    for stage in &blame.stages {
        let all: u64 = stage.time.iter().map(|time| time.get()).sum();
        assert!(stage.polls[0] > 0 && all <= stage.alive.get(), "{stage:?}");
        assert!(stage.cycles().count() > 0, "{stage:?}");
    }
    // The venue is not there: the gateway asked for a connection and was told so.
    let gateway = &blame.stages[2];
    let did = gateway.cycles().find(|(regime, _)| *regime == "busy").unwrap().1.did;
    assert!(!did.to_string().is_empty() && gateway.polls[1] > 0);
    assert_eq!(blame.cores.len(), 1);
    assert_eq!(blame.cores[0].name, "feed+trading+gateway");
    assert_eq!((blame.cores[0].cpu, watches.len()), (None, 1));
}
