//! How wide vectors are: what the processor has, and what the user allows.
//!
//! What must stay true: a level is only ever chosen where the processor and the operating system
//! have all of its instructions; results do not depend on the level, but for matrix products at
//! 128 bits, where a library sums in an order of its own.

use std::fmt;
use std::sync::OnceLock;

/// The environment variable that bounds the level: `512`, `256` or `128`.
pub const VARIABLE: &str = "SYMDIFF_LEVEL";

/// A vector length and the instructions that come with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// 128 bits, through Cranelift: on every machine.
    L128,
    /// 256 bits: AVX2 and FMA.
    L256,
    /// 512 bits: AVX-512 F, DQ and VL.
    L512,
}

impl Level {
    /// See [`VARIABLE`](super::VARIABLE).
    pub const VARIABLE: &'static str = VARIABLE;

    pub const ALL: [Level; 3] = [Level::L128, Level::L256, Level::L512];

    /// The widest this machine has, at most that of the environment variable [`VARIABLE`].
    ///
    /// ```
    /// use symdiff::jit::wide::Level;
    ///
    /// assert!(Level::best().is_available());
    /// ```
    pub fn best() -> Level {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| {
            let most = std::env::var(VARIABLE).ok().and_then(|text| Level::from_name(&text));
            Level::best_available().min(most.unwrap_or(Level::L512))
        })
    }

    /// The widest this machine has.
    pub fn best_available() -> Level {
        Level::ALL.into_iter().rev().find(|level| level.is_available()).unwrap_or(Level::L128)
    }

    /// The level whose vectors have so many bits.
    pub fn from_name(bits: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.bits().to_string() == bits.trim())
    }

    /// True where this machine can run it.
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return match self {
            Level::L128 => true,
            Level::L256 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Level::L512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("fma")
            }
        };
        #[cfg(not(target_arch = "x86_64"))]
        return self == Level::L128;
    }

    pub fn bits(self) -> u32 {
        match self {
            Level::L128 => 128,
            Level::L256 => 256,
            Level::L512 => 512,
        }
    }

    /// Bytes of a vector.
    pub fn bytes(self) -> usize {
        self.bits() as usize / 8
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bits())
    }
}
