//! One instruction: asks the processor to fetch a cache line that will be wanted soon.
//!
//! A hint without an effect that a program could see. The only `unsafe` of this crate.
#![allow(unsafe_code)]

/// Begins to fetch the cache line in which `place` begins.
#[inline(always)]
pub(crate) fn line<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch faults on no address and changes nothing but caches; SSE is part of
        // every x86-64. The reference is valid anyway.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_hint_changes_nothing() {
        let places: Vec<u64> = (0..1_000).collect();
        places.iter().for_each(super::line);
        super::line(&());
        assert!(places.iter().copied().eq(0..1_000));
    }
}
