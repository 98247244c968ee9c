//! The oracle's special functions: erf, and Γ with its kin.
//!
//! What must stay true: as in `oracle.rs`; near zeros of log Γ and ψ values are right in absolute
//! terms.

use super::oracle::{HALF, ONE, PI, Truth, exp, log, series, sum};
use super::twice::Twice;

/// e^(−x²) for x ≥ 0.
fn gauss(x: f64) -> Truth {
    exp(-(Twice::from(x) * x.into()))
}

/// erf x = 2x/√π e^(−x²) Σ (2x²)ⁿ/(2n + 1)!! for 0 ≤ x ≤ 6 (DLMF 7.6.2).
fn erf_series(x: f64) -> Twice {
    let double = (Twice::from(x) * x.into()).scaled(1);
    let mut term = ONE;
    let total = sum(ONE, |n| {
        term = term * double / Twice::from(f64::from(2 * n + 1));
        term
    });
    let g = gauss(x);
    (total * g.value * Twice::from(x) / PI.sqrt()).scaled(g.exponent + 1)
}

/// erfc x for x ≥ 2 by the continued fraction (DLMF 7.9.1).
fn erfc_fraction(x: f64) -> Truth {
    let terms = (600.0 / x) as u32 + 40;
    let x_twice = Twice::from(x);
    let mut fraction = x_twice;
    for n in (1..=terms).rev() {
        fraction = x_twice + Twice::from(f64::from(n) / 2.0) / fraction;
    }
    let g = gauss(x);
    Truth { value: g.value / (fraction * PI.sqrt()), exponent: g.exponent }
}

pub fn erf(x: f64) -> Twice {
    let y = if x.abs() > 6.0 { ONE } else { erf_series(x.abs()) };
    if x < 0.0 { -y } else { y }
}

pub fn erfc(x: f64) -> Truth {
    match x {
        _ if x >= 2.0 => erfc_fraction(x),
        _ => (ONE - erf(x)).into(),
    }
}

/// B₂ₖ/(2k(2k − 1)) for k = 1 …: numerators and denominators (DLMF 24.2, 5.11.1).
const STIRLING: [(f64, f64); 14] = [
    (1.0, 12.0),
    (-1.0, 360.0),
    (1.0, 1260.0),
    (-1.0, 1680.0),
    (1.0, 1188.0),
    (-691.0, 360_360.0),
    (1.0, 156.0),
    (-3617.0, 122_400.0),
    (43_867.0, 244_188.0),
    (-174_611.0, 125_400.0),
    (77_683.0, 5796.0),
    (-236_364_091.0, 1_506_960.0),
    (657_931.0, 300.0),
    (-3_392_780_147.0, 93_960.0),
];

/// Where the asymptotic series is good to 100 bits.
const FAR: f64 = 40.0;

/// log Γ(x) for x > 0, in absolute terms where it is near 0.
pub fn lgamma(x: Twice) -> Twice {
    let (mut y, mut product) = (x, ONE);
    let mut logs = Twice::from(0.0);
    while y.hi < FAR {
        product = product * y;
        y = y + ONE;
        if product.hi > 1e250 {
            logs = logs + log(product);
            product = ONE;
        }
    }
    let inverse = ONE / y;
    let square = inverse * inverse;
    let tail = STIRLING
        .iter()
        .rev()
        .fold(Twice::from(0.0), |s, &(n, d)| s * square + Twice::from(n) / Twice::from(d));
    let half_log = log(PI.scaled(1)).scaled(-1);
    (y - HALF) * log(y) - y + half_log + tail * inverse - log(product) - logs
}

pub fn gamma(x: f64) -> Truth {
    if x > 0.0 {
        return exp(lgamma(x.into()));
    }
    // π/(sin πx · Γ(1 − x))
    let nearest = x.round();
    let r = Twice::from(x - nearest) * PI;
    let sine = if r.hi.abs() < 0.78 { series(r).0 } else { series(PI.scaled(-1) - r.abs()).1 };
    let sine = if r.hi < -0.78 { -sine } else { sine };
    let sine = if nearest % 2.0 == 0.0 { sine } else { -sine };
    let y = exp(lgamma(ONE - x.into()));
    Truth { value: PI / (sine * y.value), exponent: -y.exponent }
}

/// ψ(x) for x > 0, in absolute terms where it is near 0.
pub fn digamma(x: f64) -> Twice {
    let (mut y, mut shift) = (Twice::from(x), Twice::from(0.0));
    while y.hi < FAR {
        shift = shift + ONE / y;
        y = y + ONE;
    }
    let inverse = ONE / y;
    let square = inverse * inverse;
    // The derivative of log Γ's series, term by term.
    let tail = STIRLING.iter().enumerate().rev().fold(Twice::from(0.0), |s, (k, &(n, d))| {
        s * square + Twice::from(n * (2.0 * k as f64 + 1.0)) / Twice::from(d)
    });
    log(y) - inverse.scaled(-1) - tail * square - shift
}

/// ψ′(x) for x > 0.
pub fn trigamma(x: f64) -> Twice {
    let (mut y, mut shift) = (Twice::from(x), Twice::from(0.0));
    while y.hi < FAR {
        shift = shift + ONE / (y * y);
        y = y + ONE;
    }
    let inverse = ONE / y;
    let square = inverse * inverse;
    let tail = STIRLING.iter().enumerate().rev().fold(Twice::from(0.0), |s, (k, &(n, d))| {
        let k = k as f64;
        s * square + Twice::from(n * (2.0 * k + 1.0) * (2.0 * k + 2.0)) / Twice::from(d)
    });
    inverse + square.scaled(-1) + tail * square * inverse + shift
}
