//! Stores past the caches, for columns that no cache holds: memory is written without being read first.
//!
//! What must stay true: a processor writes past its caches a line at a time and not as fast as it can
//! read, so of several outputs half go through the caches; what these are is settled with the code.
//!
//! Measured on a Zen 5, nanoseconds an element of 40 MB, for none, one, … of the outputs past the caches:
//! one input and two outputs 0.49, 0.41, 0.42; two and three 0.69, 0.58, 0.58, 0.63; three and four 1.00,
//! 0.83, 0.77, 0.73, 0.84.

use super::body::{Body, Op};
use std::sync::OnceLock;

/// The first of the streams that are stored past the caches: those from it on, which are the later half
/// of what is stored, or the only one. None where something is summed: which partial sum an element is
/// added to is counted from where a function begins.
pub(super) fn first_stream(body: &Body) -> Option<u32> {
    if body.insts.iter().any(|inst| matches!(inst.op, Op::Sum(_))) {
        return None;
    }
    let stored = body.insts.iter().filter_map(|inst| match inst.op {
        Op::Store(stream) => Some(stream),
        _ => None,
    });
    let mut stored: Vec<u32> = stored.collect();
    stored.sort_unstable();
    stored.get(stored.len() / 2).copied()
}

/// How many bytes columns may have in all for the last cache to hold them until somebody reads them: half
/// of it, as others use it too.
pub fn cached_bytes() -> usize {
    static LAST: OnceLock<usize> = OnceLock::new();
    *LAST.get_or_init(last_cache) / 2
}

/// Bytes of the largest cache.
#[cfg(target_arch = "x86_64")]
fn last_cache() -> usize {
    let caches = raw_cpuid::CpuId::new().get_cache_parameters();
    let size = |cache: raw_cpuid::CacheParameter| {
        cache.sets() * cache.associativity() * cache.coherency_line_size() * cache.physical_line_partitions()
    };
    caches.into_iter().flatten().map(size).max().unwrap_or(UNKNOWN)
}

#[cfg(not(target_arch = "x86_64"))]
fn last_cache() -> usize {
    UNKNOWN
}

/// The largest cache where the processor does not say.
const UNKNOWN: usize = 32 << 20;
