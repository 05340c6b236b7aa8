//! Pinning threads to CPUs, locking memory, and what this process may use.
//!
//! `core_affinity` pins; its list of cores is not asked, since that is the affinity of the calling
//! thread and not what the machine has (see `docs/decisions/`).

use std::collections::BTreeSet;
use std::fs;

/// CPUs this process may run on: the online ones within its affinity mask.
#[must_use]
pub fn allowed() -> BTreeSet<usize> {
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let online = parse_list(&online);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .map(parse_list)
        .unwrap_or_default();
    match (online.is_empty(), mask.is_empty()) {
        (true, true) => BTreeSet::from([0]),
        (true, false) => mask,
        (false, true) => online,
        (false, false) => online.intersection(&mask).copied().collect(),
    }
}

/// The CPUs of a kernel list such as `0-3,8`. Anything else in it is ignored.
#[must_use]
pub fn parse_list(text: &str) -> BTreeSet<usize> {
    /// More than any machine has; keeps `0-4000000000` from filling memory.
    const CPUS_MAX: usize = 65_536;
    let mut cpus = BTreeSet::new();
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.trim().parse(), last.trim().parse::<usize>()) {
            cpus.extend(first..=last.min(CPUS_MAX));
        }
    }
    cpus
}

/// Pins the calling thread to `cpu`.
///
/// # Errors
/// One line that says what was refused; the thread then runs wherever the kernel puts it.
pub fn pin(cpu: usize) -> Result<(), String> {
    if !allowed().contains(&cpu) {
        return Err(format!("CPU {cpu} is not among those this process may use: not pinned"));
    }
    if core_affinity::set_for_current(core_affinity::CoreId { id: cpu }) {
        Ok(())
    } else {
        Err(format!("the host refuses to pin a thread to CPU {cpu}: not pinned"))
    }
}

/// Keeps the memory that is in use now from being paged out: rings, tables and histograms are
/// touched when they are made.
///
/// # Errors
/// One line that says what was refused; the engine then runs on pageable memory.
pub fn lock_memory() -> Result<(), String> {
    let locked = rustix::mm::mlockall(rustix::mm::MlockAllFlags::CURRENT);
    locked.map_err(|error| {
        format!("memory is not locked ({error}): raise the memlock limit (`ulimit -l`)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_lists() {
        assert_eq!(parse_list("0-2,5\n"), BTreeSet::from([0, 1, 2, 5]));
        assert_eq!(parse_list(""), BTreeSet::new());
        assert!(parse_list("0-99999999999").len() <= 65_537);
        assert!(!allowed().is_empty());
    }
}
