//! What is to be said of one partial derivative, given every path's number and the differences.
//!
//! Unknown is not failed: where there is no derivative, or the differences are too rough to tell,
//! the row says so and passes.

use super::differences::{Estimate, Side, Slope};
use crate::print::number;

/// One partial derivative.
#[derive(Default)]
pub struct Row {
    pub label: String,
    /// Reverse, forward, interpreter, JIT.
    pub paths: [f64; 4],
    pub difference: Option<Estimate>,
    pub relative: Option<f64>,
    /// The interval of subgradients at a kink.
    pub interval: Option<[f64; 2]>,
    pub verdict: Verdict,
}

/// What is to be said of a partial derivative.
#[derive(Default)]
pub enum Verdict {
    #[default]
    Passed,
    /// It passes, and there is something to know.
    Noted(String),
    Failed(String),
}

impl Verdict {
    pub fn is_failure(&self) -> bool {
        matches!(self, Verdict::Failed(_))
    }

    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Passed => "ok",
            Verdict::Noted(_) => "noted",
            Verdict::Failed(_) => "failed",
        }
    }

    pub fn words(&self) -> String {
        match self {
            Verdict::Passed => "ok".to_owned(),
            Verdict::Noted(words) => words.clone(),
            Verdict::Failed(words) => format!("FAILED: {words}"),
        }
    }
}

/// How nearly both engines have to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// To the bit: one program of scalars.
    Bits,
    /// Within the tolerance: sums of arrays are taken in another order.
    Close,
}

/// Differences off by this many times their own error estimate contradict the gradient.
const ERRORS: f64 = 10.0;

/// Compares the paths with each other and with the differences. Slopes much smaller than `scale`,
/// which is the value over the variable, drown in the value's rounding.
pub fn judge(paths: [f64; 4], slope: Slope, scale: f64, tolerance: f64, engines: Agreement) -> Row {
    let [reverse, forward, interpreted, compiled] = paths;
    let close = |a: f64, b: f64| {
        a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(scale)
    };
    let same = match engines {
        Agreement::Bits => is_same(interpreted, compiled),
        Agreement::Close => close(interpreted, compiled),
    };
    let found = against_differences(compiled, slope, scale, tolerance);
    let failed = |words: &str| Verdict::Failed(words.to_owned());
    let verdict = match found.verdict {
        _ if !same => failed("interpreter and jit differ"),
        _ if !close(reverse, forward) => failed("reverse and forward differ"),
        _ if !close(reverse, compiled) => failed("the gradient differs from that with the value"),
        verdict => verdict,
    };
    Row { verdict, ..found }
}

fn is_same(interpreted: f64, compiled: f64) -> bool {
    interpreted.to_bits() == compiled.to_bits() || (interpreted.is_nan() && compiled.is_nan())
}

fn against_differences(gradient: f64, slope: Slope, scale: f64, tolerance: f64) -> Row {
    let verdict = |verdict| Row { verdict, ..Row::default() };
    let noted = |words: String| verdict(Verdict::Noted(words));
    let failed = |words: &str| verdict(Verdict::Failed(words.to_owned()));
    match slope {
        Slope::Undefined => failed("the expression has no finite value here"),
        Slope::Isolated => failed("the expression has no finite value on either side"),
        Slope::Smooth(estimate) => against(gradient, estimate, scale, tolerance, None),
        Slope::OneSided(estimate, side) => against(gradient, estimate, scale, tolerance, Some(side)),
        Slope::Kink { left, right, error } => {
            let [low, high] = [left.min(right), left.max(right)];
            let slack = ERRORS * error + tolerance * low.abs().max(high.abs()).min(f64::MAX);
            let words = format!("kink: subgradient in [{}, {}]", rounded(low, 6), rounded(high, 6));
            let inside = gradient >= low - slack && gradient <= high + slack;
            let verdict = match inside {
                true => Verdict::Noted(words),
                false => Verdict::Failed(format!("{words}, the gradient is outside")),
            };
            Row { interval: Some([low, high]), verdict, ..Row::default() }
        }
        Slope::Jump { left, right } => {
            let [left, right] = [left, right].map(|value| rounded(value, 6));
            noted(format!("jump from {left} to {right}: no derivative"))
        }
        Slope::Steep(infinite) if gradient == infinite => noted("ok, the tangent is vertical".to_owned()),
        Slope::Steep(_) => failed("the slope grows without bound here"),
    }
}

/// This part of the slopes nearby is as good as zero.
const NOTHING: f64 = 1e-9;

fn against(gradient: f64, difference: Estimate, scale: f64, tolerance: f64, side: Option<Side>) -> Row {
    let size = gradient.abs().max(difference.value.abs()).max(scale).max(NOTHING * difference.nearby);
    let off = (gradient - difference.value).abs();
    let relative = if off == 0.0 { 0.0 } else { off / size };
    let verdict = match side {
        _ if !gradient.is_finite() => Verdict::Failed(format!("the gradient is {}", number(gradient))),
        Some(Side::Left) if relative <= tolerance => {
            Verdict::Noted("ok from the left, the domain ends here".to_owned())
        }
        Some(Side::Right) if relative <= tolerance => {
            Verdict::Noted("ok from the right, the domain begins here".to_owned())
        }
        None if relative <= tolerance => Verdict::Passed,
        _ if difference.settled && off <= ERRORS * difference.error => {
            let good = rounded(difference.error / size, 1);
            Verdict::Noted(format!("unclear: the differences are only good to {good}"))
        }
        _ if !difference.settled => {
            Verdict::Noted("unclear: the function is too rough for differences".to_owned())
        }
        _ => Verdict::Failed("the differences say otherwise".to_owned()),
    };
    let relative = (gradient.is_finite() && !relative.is_nan()).then_some(relative);
    Row {
        difference: (!difference.value.is_nan()).then_some(difference),
        relative,
        verdict,
        ..Row::default()
    }
}

/// The number to so many significant digits.
pub fn rounded(value: f64, digits: usize) -> String {
    number(format!("{value:.*e}", digits - 1).parse().unwrap_or(value))
}
