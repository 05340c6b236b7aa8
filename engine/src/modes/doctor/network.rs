//! Sockets: the buffer that the kernel grants, what it dropped, busy polling, and io_uring as the
//! engine sets it up. What can be tried is tried.

use super::finding::Finding;
use super::host::{Host, field};
use super::measure::Window;
use crate::config::RunConfig;
use std::net::{Ipv4Addr, SocketAddrV4};
use wire::Backend;
use wire::udp::Socket;

pub(super) fn check(host: &Host, config: &RunConfig, window: &Window) -> Vec<Finding> {
    let wanted = config.wire.receive_buffer_bytes;
    let granted = Socket::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))
        .and_then(|socket| socket.set_receive_buffer(wanted))
        .map_err(|error| format!("no UDP socket here: {error}"));
    let drops = match &window.snmp {
        [Ok(before), Ok(after)] => drops(before, after),
        [Err(why), _] | [_, Err(why)] => Finding::unknown("udp drops", why),
    };
    let opened = wire::open(config.wire.backend)
        .map(|opened| (opened.io.name().to_owned(), opened.notice))
        .map_err(|error| error.to_string());
    vec![
        buffer(wanted, granted),
        drops,
        busy_poll(host.number("proc/sys/net/core/busy_poll")),
        ring(config.wire.backend, opened),
        sandbox(host.read("proc/self/status"), host.number("proc/sys/kernel/io_uring_disabled")),
    ]
}

fn buffer(wanted: usize, granted: Result<usize, String>) -> Finding {
    let check = "rcvbuf";
    let granted = match granted {
        Ok(granted) => granted,
        Err(why) => return Finding::unknown(check, why),
    };
    let found = format!("{granted} of {wanted} bytes granted to a feed's socket (tried)");
    Finding::warning_if(granted < wanted, check, found)
        .costs("a burst that does not fit is dropped, and fetched again as a gap: milliseconds")
        .mend(format!(
            "sysctl -w net.core.rmem_max={wanted}, or a smaller [wire] receive_buffer_bytes"
        ))
}

/// A column of the `Udp:` lines of `/proc/net/snmp`: names first, values after.
fn udp(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Udp:"));
    let place = lines.next()?.split_whitespace().position(|word| word == name)?;
    lines.next()?.split_whitespace().nth(place)?.parse().ok()
}

fn drops(before: &str, after: &str) -> Finding {
    let check = "udp drops";
    let name = "RcvbufErrors";
    let (Some(before), Some(after)) = (udp(before, name), udp(after, name)) else {
        return Finding::unknown(check, "/proc/net/snmp does not say RcvbufErrors");
    };
    let new = after.saturating_sub(before);
    let found = format!(
        "{after} datagrams dropped for want of buffer since the host started, {new} in the last second"
    );
    if new > 0 {
        return Finding::warning(check, found)
            .costs("each is a gap, fetched again in milliseconds")
            .mend("see rcvbuf; find the socket with ss -uampn");
    }
    match after {
        0 => Finding::ok(check, found),
        _ => Finding::note(check, found)
            .costs("each was a gap of some feed or program here")
            .mend("see rcvbuf; watch it grow with nstat -az UdpRcvbufErrors"),
    }
}

fn busy_poll(value: Result<i64, String>) -> Finding {
    let check = "busy poll";
    match value {
        Err(why) => Finding::unknown(check, why),
        Ok(micros) if micros > 0 => Finding::ok(check, format!("net.core.busy_poll = {micros}")),
        Ok(_) => Finding::note(check, "net.core.busy_poll = 0")
            .costs(
                "with a network card, packets wait for its interrupt (2 to 20 µs); nothing on \
                 loopback",
            )
            .mend("sysctl -w net.core.busy_poll=50 net.core.busy_read=50"),
    }
}

/// The set-up itself, with the flags that the engine uses.
fn ring(asked: Backend, opened: Result<(String, Option<String>), String>) -> Finding {
    let check = "io_uring";
    match opened {
        Err(why) => Finding::fatal(check, why)
            .costs("the engine does not start: [wire] backend insists on io_uring")
            .mend("[wire] backend = \"auto\""),
        Ok((_, Some(notice))) => Finding::note(check, notice)
            .costs("none to speak of: plain sockets take 0 to 3 % less for single messages"),
        Ok((name, None)) => Finding::ok(check, format!("{name}, as asked for ({asked}; tried)")),
    }
}

fn sandbox(status: Result<String, String>, disabled: Result<i64, String>) -> Finding {
    let check = "seccomp";
    let status = match status {
        Ok(status) => status,
        Err(why) => return Finding::unknown(check, why),
    };
    let Some(mode) = field(&status, "Seccomp") else {
        return Finding::unknown(check, "no Seccomp in /proc/self/status");
    };
    let disabled = disabled.map_or("not there".to_owned(), |value| value.to_string());
    let found = format!("kernel.io_uring_disabled {disabled}");
    match mode {
        "0" => Finding::ok(check, format!("no filter; {found}")),
        _ => Finding::note(check, format!("system calls are filtered (mode {mode}); {found}"))
            .costs("each system call passes the filter, some 50 to 200 ns; io_uring may be refused")
            .mend(
                "docker run --security-opt seccomp=PROFILE with io_uring_* allowed, or unconfined",
            ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Severity::{Fatal, Note, Ok as Well, Warning};
    use super::*;

    const SNMP: &str = "Tcp: A B\nTcp: 1 2\n\
        Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\n\
        Udp: 8626434 285062 0 8993798 17 0\n";

    #[test]
    fn drops_are_read_by_the_name_of_their_column() {
        assert_eq!(udp(SNMP, "RcvbufErrors"), Some(17));
        assert_eq!(
            (udp(SNMP, "None"), udp("", "A"), udp("Udp: A\nUdp: x", "A")),
            (None, None, None)
        );
        assert_eq!(drops(SNMP, SNMP).severity, Note);
        let more = SNMP.replace(" 17 ", " 19 ");
        let dropping = drops(SNMP, &more);
        assert!(dropping.severity == Warning && dropping.found.contains("2 in the last"));
        assert_eq!(
            drops(&SNMP.replace(" 17 ", " 0 "), &SNMP.replace(" 17 ", " 0 ")).severity,
            Well
        );
        assert!(drops("", "").found.starts_with("cannot tell"));
    }

    #[test]
    fn what_was_tried_is_judged() {
        assert_eq!(buffer(8 << 20, Ok(8 << 20)).severity, Well);
        let cut = buffer(8 << 20, Ok(4 << 20));
        assert!(cut.severity == Warning && cut.mend.contains("rmem_max=8388608"), "{cut:?}");
        assert!(buffer(1, Err("x".into())).found.starts_with("cannot tell"));
        let refused = || "this host refuses io_uring".to_owned();
        assert_eq!(ring(Backend::IoUring, Err(refused())).severity, Fatal);
        assert_eq!(ring(Backend::Auto, Ok(("plain".into(), Some(refused())))).severity, Note);
        assert_eq!(ring(Backend::Auto, Ok(("io_uring".into(), None))).severity, Well);
    }

    #[test]
    fn filters_and_polls() {
        assert_eq!(sandbox(Ok("Seccomp:\t0\n".into()), Ok(0)).severity, Well);
        let filtered = sandbox(Ok("Seccomp:\t2\nSeccomp_filters:\t1\n".into()), Err("x".into()));
        assert!(filtered.severity == Note && filtered.found.contains("not there"), "{filtered:?}");
        assert!(sandbox(Ok(String::new()), Ok(0)).found.starts_with("cannot tell"));
        assert_eq!(busy_poll(Ok(50)).severity, Well);
        assert_eq!(busy_poll(Ok(0)).severity, Note);
    }
}
