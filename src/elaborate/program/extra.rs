//! Functions built into programs only: what needs shapes, and what the language cannot say.

/// A function of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Extra {
    Size,
    Rows,
    ArgMax,
    ArgMin,
    Prod,
    Zeros,
    Ones,
    Reshape,
    Concat,
    Last,
    Scan,
    Keep,
    ByRank,
}

/// Name, fewest and most arguments, how it is called.
#[rustfmt::skip]
const ROWS: &[(&str, usize, usize, &str, Extra)] = &[
    ("size",         1, 2,          "size(x) or size(x, axis)", Extra::Size),
    ("rows",         1, 1,          "rows(x)",                  Extra::Rows),
    ("argmax",       1, 1,          "argmax(v)",                Extra::ArgMax),
    ("argmin",       1, 1,          "argmin(v)",                Extra::ArgMin),
    ("prod",         1, usize::MAX, "prod(x)",                  Extra::Prod),
    ("zeros",        0, usize::MAX, "zeros(n, …)",              Extra::Zeros),
    ("ones",         0, usize::MAX, "ones(n, …)",               Extra::Ones),
    ("reshape",      2, usize::MAX, "reshape(x, n, …)",         Extra::Reshape),
    ("concat",       1, usize::MAX, "concat(a, b, …)",          Extra::Concat),
    ("last",         1, 1,          "last(x)",                  Extra::Last),
    ("scan",         3, 3,          "scan(step, init, xs)",     Extra::Scan),
    // One of two functions: the first for a number, the second for an array.
    ("by_rank",      3, 3,          "by_rank(x, f, g)",         Extra::ByRank),
    // 1/(1 − rate) with probability 1 − rate, else 0; 1 when predicting.
    ("dropout_mask", 2, 2,          "dropout_mask(x, rate)",    Extra::Keep),
];

pub(super) fn find(name: &str) -> Option<Extra> {
    ROWS.iter().find(|row| row.0 == name).map(|row| row.4)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.0)
}

impl Extra {
    fn row(self) -> &'static (&'static str, usize, usize, &'static str, Extra) {
        ROWS.iter().find(|row| row.4 == self).expect("every function has a row")
    }

    pub(super) fn name(self) -> &'static str {
        self.row().0
    }

    /// Fewest and most arguments.
    pub(super) fn arity(self) -> (usize, usize) {
        (self.row().1, self.row().2)
    }

    pub(super) fn signature(self) -> &'static str {
        self.row().3
    }
}
