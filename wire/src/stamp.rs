//! The clock of the hot path: the processor's time stamp counter, raw.
//!
//! This file only reads. It never converts: the engine calibrates counts against UTC. The read does
//! not wait for earlier instructions, which is fine between hops and not below some 30 ns.
#![allow(unsafe_code)]

/// The counter now, in counts of this machine's TSC.
#[cfg(target_arch = "x86_64")]
#[inline]
#[must_use]
pub fn now() -> u64 {
    // SAFETY: RDTSC exists on every x86-64 and touches no memory. The kernel may forbid it
    // (PR_SET_TSC), which ends the process and corrupts nothing.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// The counter now: nanoseconds of the monotonic clock, on machines that have no TSC.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
#[must_use]
pub fn now() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_counter_moves_forward_on_one_thread() {
        let first = super::now();
        std::thread::sleep(std::time::Duration::from_millis(1));
        assert!(super::now() > first);
    }
}
