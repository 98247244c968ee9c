//! Unicode text, `2·x·cos(x²)`; the language reads it too, so `½` and the like do not occur.

use super::linear::{Linear, Spelling};

pub const UNICODE: Linear = Linear {
    times: "·",
    elementwise: "×",
    dot: "·",
    pi: "π",
    less_equal: " ≤ ",
    greater_equal: " ≥ ",
    not_equal: " ≠ ",
    transpose: "ᵀ",
    spelling: Spelling::Mathematical,
};
