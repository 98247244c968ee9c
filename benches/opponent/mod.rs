//! Opponents in C: built by the system's `cc` when a bench starts, called in the same run.

use libloading::{Library, Symbol};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// What an opponent is built with besides its own flags: the most a C programmer gives up.
const FLAGS: [&str; 6] =
    ["-O3", "-march=native", "-ffast-math", "-mprefer-vector-width=512", "-shared", "-fPIC"];

/// Compiles C to a library and loads it; `None` where there is no compiler, or it refuses.
///
/// The library lives as long as the process.
pub fn build(name: &str, source: &str, flags: &[&str]) -> Option<&'static Library> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let name = format!("{name}-{}", std::process::id());
    let (text, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
    std::fs::write(&text, source).ok()?;
    let mut cc = Command::new("cc");
    cc.args(FLAGS).arg(&text).arg("-o").arg(&library).args(flags).args(["-lmvec", "-lm"]);
    let built = cc.output().is_ok_and(|output| output.status.success());
    let _ = std::fs::remove_file(&text);
    if !built {
        return None;
    }
    // SAFETY: the library is ours and runs nothing when it is loaded.
    let loaded = unsafe { Library::new(&library) };
    let _ = std::fs::remove_file(&library);
    loaded.ok().map(|loaded| &*Box::leak(Box::new(loaded)))
}

/// A function of an opponent.
///
/// # Safety
/// `F` is the type the function has in C.
pub unsafe fn function<F: Copy + 'static>(library: &'static Library, name: &str) -> Option<F> {
    // SAFETY: the caller's.
    let symbol: Result<Symbol<'static, F>, _> = unsafe { library.get(name.as_bytes()) };
    symbol.ok().map(|symbol| *symbol)
}

/// What this thread has worked, where the system tells; the time that has passed elsewhere.
/// Other processes do not count, nor do other threads of ours.
pub fn worked() -> Duration {
    const THREAD: i32 = 3;
    clock(THREAD)
}

/// One of Linux's clocks.
fn clock(clock: i32) -> Duration {
    #[cfg(target_os = "linux")]
    {
        #[repr(C)]
        struct Time {
            seconds: i64,
            nanos: i64,
        }
        unsafe extern "C" {
            fn clock_gettime(clock: i32, time: *mut Time) -> i32;
        }
        let mut time = Time { seconds: 0, nanos: 0 };
        // SAFETY: the system's function, with room for what it writes.
        if unsafe { clock_gettime(clock, &mut time) } == 0 {
            return Duration::new(time.seconds as u64, time.nanos as u32);
        }
    }
    let _ = clock;
    passed()
}

/// The time since the first call.
pub fn passed() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}
