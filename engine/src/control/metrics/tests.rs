//! The endpoint over a real socket, and its page before Prometheus's own judge.

use super::table::{HOP, METRICS, hop_names};
use super::*;
use crate::control::testing::Engine;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream as Client};
use std::process::{Command, Stdio};

fn start(engine: &Engine) -> MetricsServer {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    MetricsServer::start(address, engine.telemetry.clone()).unwrap()
}

/// Head and body of an answer.
fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = Client::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: touchline\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn every_metric_of_the_table_is_on_the_page() {
    let engine = Engine::running();
    engine.operators.kill("Ada", "for the page").unwrap();
    let server = start(&engine);
    let (head, page) = get(server.address(), "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains(CONTENT), "{head}");
    let absent = [
        "mark_price",
        "drop_copy_up",
        "feed_session_up",
        "feed_whole_books",
        "feed_refused_requests",
    ];
    for metric in METRICS {
        let name = format!("touchline_{}", metric.full_name());
        assert!(page.contains(&format!("# HELP {name} {}\n", metric.help)), "{name}");
        // Books without a mark have no sample, nor has a session or a websocket that is not there.
        let has = page
            .lines()
            .any(|line| line.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['{', ' '])));
        let of_websockets = metric.name.starts_with("websocket_");
        assert!(has || of_websockets || absent.contains(&metric.name), "{name}");
    }
    for hop in hop_names() {
        let name = HOP.0;
        assert!(page.contains(&format!("touchline_{name}_count{{hop=\"{hop}\"}}")), "{hop}");
    }
    assert!(page.contains("touchline_trading_killed 1.0\n"), "{page}");
    assert!(page.contains("touchline_gate_shut{reason=\"killed\"} 1.0\n"), "{page}");
    assert!(page.contains("touchline_position{instrument=\"TLA\"} 0.0\n"), "{page}");
    let busy = "{stage=\"trading\",regime=\"busy\"}";
    assert!(page.contains(&format!("touchline_stage_polls_total{busy} 1.0\n")), "{page}");
    assert!(page.contains(&format!("touchline_stage_longest_cycle_seconds{busy} ")), "{page}");
    let work = "touchline_stage_longest_cycle_work{stage=\"trading\",did=\"events\"} 37.0\n";
    assert!(page.contains(work), "{page}");
    let core = "touchline_core_context_switches_total{core=\"trading\",kind=\"involuntary\"} ";
    assert!(page.contains(core), "{page}");
    let decided = page.lines().find_map(|line| {
        line.strip_prefix("touchline_hop_seconds_bucket{le=\"0.0000025\",hop=\"decided\"} ")
    });
    assert!(decided.is_some_and(|count| count.parse::<u64>().unwrap() > 0), "{page}");
}

/// Whoever looks for blame finds the metrics of it explained.
#[test]
fn metrics_of_blame_stand_in_the_manual() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/latency.md");
    let manual = std::fs::read_to_string(path).unwrap();
    let blames = |name: &str| name.starts_with("stage_") || name.starts_with("core_");
    for metric in METRICS.iter().filter(|metric| blames(metric.name)) {
        let name = format!("`{}`", metric.full_name());
        assert!(manual.contains(&name), "{name} is not in {path}");
    }
    assert!(manual.contains(&format!("`{}`", HOP.0)));
}

#[test]
fn other_paths_and_other_bytes_are_answered_or_cut() {
    let engine = Engine::running();
    let server = start(&engine);
    assert!(get(server.address(), "/").0.starts_with("HTTP/1.1 404"));
    let mut stream = Client::connect(server.address()).unwrap();
    stream.write_all(b"\x16\x03\x01 no HTTP at all\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => assert!(!answer.starts_with(b"HTTP/1.1 200")),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    assert!(get(server.address(), "/metrics").0.starts_with("HTTP/1.1 200"));
}

#[test]
fn it_ends_when_told_even_with_a_client_that_stays() {
    let engine = Engine::running();
    let server = start(&engine);
    let address = server.address();
    let mut silent = Client::connect(address).unwrap();
    silent.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
    assert!(get(address, "/metrics").0.starts_with("HTTP/1.1 200"));
    drop(server);
    assert!(Client::connect(address).is_err());
}

#[test]
fn only_loopback_is_served() {
    let engine = Engine::stalled();
    let anywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let refused = MetricsServer::start(anywhere, engine.telemetry.clone());
    assert!(matches!(refused, Err(MetricsError::NotLoopback(_))));
    let server = start(&engine);
    let taken = MetricsServer::start(server.address(), engine.telemetry.clone());
    assert!(matches!(taken, Err(MetricsError::Io { .. })));
}

#[test]
fn promtool_finds_nothing_to_say() {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = match command.spawn() {
        Ok(promtool) => promtool,
        Err(error) => {
            let required = std::env::var("TOUCHLINE_REQUIRE").unwrap_or_default();
            assert!(!required.split(',').any(|word| word == "promtool"), "promtool: {error}");
            let mut raw = std::io::stderr();
            let _ = writeln!(raw, "skipped promtool_finds_nothing_to_say: promtool: {error}");
            return;
        }
    };
    let engine = Engine::running();
    let server = start(&engine);
    let (_, page) = get(server.address(), "/metrics");
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}\n{page}");
}
