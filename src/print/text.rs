//! Plain ASCII text, exactly as the language reads it back.

use super::linear::{Linear, Spelling};

pub const TEXT: Linear = Linear {
    times: "*",
    elementwise: "*",
    dot: " @ ",
    pi: "pi",
    less_equal: " <= ",
    greater_equal: " >= ",
    not_equal: " != ",
    transpose: "'",
    spelling: Spelling::Ascii,
};
