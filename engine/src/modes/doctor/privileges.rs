//! What this user may do: lock memory, raise priorities; and what a sandbox forbids.

use super::finding::Finding;
use super::host::{Host, field};
use crate::runtime::cores;
use rustix::process::{Resource, getrlimit};

/// Bits of `CapEff`.
const IPC_LOCK: u32 = 14;
const SYS_NICE: u32 = 23;
/// What rings, tables, histograms and journal segments of an engine come to, and then some.
const LOCKED_MIN: u64 = 512 << 20;

pub(super) fn check(host: &Host) -> Vec<Finding> {
    let status = host.read("proc/self/status");
    let capable = |bit| match &status {
        Ok(status) => capable(status, bit).ok_or_else(|| "no CapEff in the status".to_owned()),
        Err(why) => Err(why.clone()),
    };
    // A limit of `None` is no limit.
    let limit = |resource| getrlimit(resource).current;
    vec![
        priority(capable(SYS_NICE), limit(Resource::Rtprio)),
        memlock(capable(IPC_LOCK), limit(Resource::Memlock)),
        locked(cores::lock_memory()),
    ]
}

/// Whether a bit of the effective capabilities is set.
fn capable(status: &str, bit: u32) -> Option<bool> {
    let mask = u64::from_str_radix(field(status, "CapEff")?, 16).ok()?;
    Some(mask >> bit & 1 == 1)
}

fn priority(capable: Result<bool, String>, rtprio: Option<u64>) -> Finding {
    let check = "priority";
    let shown = rtprio.map_or("unlimited".to_owned(), |limit| limit.to_string());
    match capable {
        Err(why) => Finding::unknown(check, why),
        Ok(true) => Finding::ok(check, format!("CAP_SYS_NICE; RLIMIT_RTPRIO {shown}")),
        Ok(false) if rtprio.is_none_or(|limit| limit > 0) => {
            Finding::ok(check, format!("RLIMIT_RTPRIO {shown}"))
        }
        Ok(false) => Finding::note(check, "no CAP_SYS_NICE, RLIMIT_RTPRIO 0")
            .costs("hot threads cannot be made real-time (chrt -f -p 10 TID) where CPUs are shared")
            .mend(
                "setcap cap_sys_nice,cap_ipc_lock+ep touchline, or `USER - rtprio 50` in \
                 /etc/security/limits.conf (LimitRTPRIO=50 in a systemd unit)",
            ),
    }
}

fn memlock(capable: Result<bool, String>, limit: Option<u64>) -> Finding {
    let check = "memlock";
    let shown = limit.map_or("unlimited".to_owned(), |bytes| format!("{} KiB", bytes >> 10));
    match capable {
        Err(why) => Finding::unknown(check, why),
        Ok(true) => Finding::ok(check, format!("CAP_IPC_LOCK; RLIMIT_MEMLOCK {shown}")),
        Ok(false) if limit.is_none_or(|bytes| bytes >= LOCKED_MIN) => {
            Finding::ok(check, format!("RLIMIT_MEMLOCK {shown}"))
        }
        Ok(false) => Finding::warning(check, format!("no CAP_IPC_LOCK, RLIMIT_MEMLOCK {shown}"))
            .costs("memory of hot cores may be paged out (a disk read when it is touched); io_uring may be refused")
            .mend(
                "`USER - memlock unlimited` in /etc/security/limits.conf (LimitMEMLOCK=infinity in \
                 a systemd unit), or setcap cap_ipc_lock+ep touchline",
            ),
    }
}

/// The attempt itself, as the engine makes it.
fn locked(result: Result<(), String>) -> Finding {
    let check = "mlockall";
    match result {
        Ok(()) => Finding::ok(check, "granted: memory can be locked"),
        Err(why) => Finding::warning(check, format!("refused: {why}"))
            .costs("the first touch of a page that was taken away costs from 1 µs to a disk read")
            .mend("see memlock"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Severity::{Note, Ok as Well, Warning};
    use super::*;

    #[test]
    fn capabilities_are_bits_of_a_mask() {
        let root = "CapInh:\t0000000000000000\nCapEff:\t000001fffeffffff\n";
        assert_eq!((capable(root, SYS_NICE), capable(root, 24)), (Some(true), Some(false)));
        assert_eq!(capable("CapEff:\t0000000000004000\n", IPC_LOCK), Some(true));
        assert_eq!(capable("CapEff:\tnothing\n", IPC_LOCK), None);
        assert_eq!(capable("", IPC_LOCK), None);
    }

    #[test]
    fn limits_stand_in_for_capabilities() {
        assert_eq!(priority(Ok(true), Some(0)).severity, Well);
        assert_eq!(priority(Ok(false), Some(50)).severity, Well);
        assert_eq!(priority(Ok(false), Some(0)).severity, Note);
        assert_eq!(memlock(Ok(true), Some(0)).severity, Well);
        assert_eq!(memlock(Ok(false), None).severity, Well);
        let small = memlock(Ok(false), Some(8 << 20));
        assert_eq!(small.severity, Warning);
        assert!(small.found.contains("8192 KiB"), "{small:?}");
        assert!(memlock(Err("x".into()), None).found.starts_with("cannot tell"));
        assert_eq!(locked(Err("no".into())).found, "refused: no");
    }
}
