//! What finite differences say about the slope of a function of one number.
//!
//! Quotients over steps that halve, extrapolated to step 0 (Richardson 1911; the choice of the
//! entry with the least error estimate: Ridders 1982), on both sides and across. What must stay
//! true: an estimate comes with its error, rounding included, and a point where there is no
//! two-sided slope is recognised as what it is.

/// A number and how far off it may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub error: f64,
    /// The size of the quotient over the longest step: what is large here.
    pub nearby: f64,
    /// The quotients really closed in on the value. Steps longer than the waves of a function
    /// have small quotients, whose small differences mean nothing.
    pub settled: bool,
}

impl Estimate {
    const NONE: Estimate = Estimate { value: f64::NAN, error: f64::INFINITY, nearby: 0.0, settled: false };

    /// Whether to rely on this one rather than on the other.
    fn is_better_than(&self, other: &Estimate) -> bool {
        (self.settled, -self.error) > (other.settled, -other.error)
    }
}

/// The side on which the function is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// What a function does at a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slope {
    /// It has no finite value there.
    Undefined,
    /// It has no finite value on either side.
    Isolated,
    Smooth(Estimate),
    /// It is defined on this side only.
    OneSided(Estimate, Side),
    /// The slopes of the two sides differ.
    Kink {
        left: f64,
        right: f64,
        error: f64,
    },
    /// The values of the two sides, or one and that at the point, differ.
    Jump {
        left: f64,
        right: f64,
    },
    /// The tangent is vertical; the slope is +∞ or −∞.
    Steep(f64),
}

/// The longest step for |x| ≤ 1: no simple fraction, so that it is no period of anything.
const LONGEST: f64 = 0.137_159_462_318_41;
/// The shortest step, relative to |x|, in bits: below it the sum x + h is mostly rounding.
const SHORTEST_BITS: i32 = 44;
/// Columns of the extrapolation: more amplify rounding only.
const COLUMNS: usize = 7;
/// Samples nearest to the point that tell whether a side is defined.
const NEAREST: usize = 6;
/// A quotient's rounding error is about this many roundings of the values.
const ROUNDINGS: f64 = 4.0;

/// The slope of `f` at `x`.
pub fn slope(f: &mut dyn FnMut(f64) -> f64, x: f64) -> Slope {
    let here = f(x);
    if !here.is_finite() {
        return Slope::Undefined;
    }
    let steps = steps(x);
    let mut side = |sign: f64| -> Vec<Sample> {
        let rounding = rounding(f, x, sign * shortest(x));
        let side: Vec<Sample> = steps.iter().map(|h| Sample::new(f, (x, here), sign * h, rounding)).collect();
        let rough = is_rough(&side, rounding);
        side.into_iter().map(|sample| if rough { sample.without_meaning() } else { sample }).collect()
    };
    let (right, left) = (side(1.0), side(-1.0));
    match (is_defined(&left), is_defined(&right)) {
        (false, false) => Slope::Isolated,
        (true, false) => one_sided(&left, here, Side::Left),
        (false, true) => one_sided(&right, here, Side::Right),
        (true, true) => two_sided(&left, &right, here),
    }
}

/// Steps that halve, longest first.
fn steps(x: f64) -> Vec<f64> {
    let scale = x.abs().max(1.0);
    let shortest = shortest(x);
    let halves = std::iter::successors(Some(LONGEST * scale), |h| Some(h * 0.5));
    halves.take_while(|&h| h >= shortest).collect()
}

/// The shortest step from `x` that is not mostly rounding.
fn shortest(x: f64) -> f64 {
    let floor = if x == 0.0 { 0.125 } else { x.abs().max(f64::MIN_POSITIVE / f64::EPSILON) };
    floor * 2f64.powi(-SHORTEST_BITS)
}

/// How far values near `x` are off by rounding inside the function, from fourth differences over
/// a few tiny steps, in which whatever is smooth cancels (Moré & Wild 2011). 0 where that fails.
fn rounding(f: &mut dyn FnMut(f64) -> f64, x: f64, step: f64) -> f64 {
    let mut values: Vec<f64> = (0..9).map(|i| f(x + f64::from(i) * step)).collect();
    for _ in 0..4 {
        values = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    }
    let squares: f64 = values.iter().map(|difference| difference * difference).sum();
    // A fourth difference of independent errors has 1 + 16 + 36 + 16 + 1 = 70 times their variance.
    let deviation = (squares / values.len() as f64 / 70.0).sqrt();
    if deviation.is_finite() { deviation } else { 0.0 }
}

/// Rounding is what mostly makes the values differ, and they differ much: waves too short to see.
fn is_rough(side: &[Sample], rounding: f64) -> bool {
    let finite = || side.iter().map(|sample| sample.value).filter(|value| value.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    rounding > 1e-3 * (high - low) && rounding > 1e-9 * low.abs().max(high.abs())
}

/// The function a step away from the point.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// The step as it was really taken, signed.
    step: f64,
    value: f64,
    /// The quotient with the value at the point.
    quotient: f64,
    noise: f64,
}

impl Sample {
    fn new(f: &mut dyn FnMut(f64) -> f64, (x, here): (f64, f64), step: f64, rounding: f64) -> Sample {
        let there = x + step;
        let step = there - x;
        let value = f(there);
        let rounding = rounding + f64::EPSILON * value.abs().max(here.abs());
        Sample { step, value, quotient: (value - here) / step, noise: ROUNDINGS * rounding / step.abs() }
    }

    fn without_meaning(self) -> Sample {
        Sample { noise: f64::INFINITY, ..self }
    }
}

fn is_defined(side: &[Sample]) -> bool {
    side.iter().rev().take(NEAREST).all(|sample| !sample.value.is_nan())
}

fn one_sided(side: &[Sample], here: f64, which: Side) -> Slope {
    if jumps(side, here) {
        let there = side[side.len() - 1].value;
        return match which {
            Side::Left => Slope::Jump { left: there, right: here },
            Side::Right => Slope::Jump { left: here, right: there },
        };
    }
    match steepness(side) {
        Some(sign) => Slope::Steep(sign),
        None => Slope::OneSided(estimate(side), which),
    }
}

fn two_sided(left: &[Sample], right: &[Sample], here: f64) -> Slope {
    if jumps(left, here) || jumps(right, here) {
        return Slope::Jump { left: left[left.len() - 1].value, right: right[right.len() - 1].value };
    }
    match (steepness(left), steepness(right)) {
        (Some(l), Some(r)) if l == r => return Slope::Steep(l),
        (None, None) => {}
        (l, r) => {
            let side = |steep: Option<f64>, samples| steep.unwrap_or_else(|| estimate(samples).value);
            return Slope::Kink { left: side(l, left), right: side(r, right), error: 0.0 };
        }
    }
    let (l, r) = (estimate(left), estimate(right));
    let error = l.error + r.error;
    let gap = (l.value - r.value).abs();
    if l.settled && r.settled && gap > KINK * l.value.abs().max(r.value.abs()) + KINK_ERRORS * error {
        return Slope::Kink { left: l.value, right: r.value, error };
    }
    let across = extrapolate(left.iter().zip(right).map(|(l, r)| across(l, r)), 4.0);
    let best =
        [l, r].into_iter().fold(across, |best, side| if side.is_better_than(&best) { side } else { best });
    Slope::Smooth(best)
}

/// Slopes that differ by less than this part are those of a smooth function.
const KINK: f64 = 1e-6;
/// So are slopes that differ by less than this many times their error.
const KINK_ERRORS: f64 = 100.0;

/// The central quotient and its noise.
fn across(left: &Sample, right: &Sample) -> (f64, f64) {
    let quotient = (right.value - left.value) / (right.step - left.step);
    (quotient, 0.5 * (right.noise + left.noise))
}

/// The limit of one side's quotients.
fn estimate(side: &[Sample]) -> Estimate {
    extrapolate(side.iter().map(|sample| (sample.quotient, sample.noise)), 2.0)
}

/// The limit for step 0 of quotients with noise, whose error is a series in powers of the step
/// that fall by `base`, `base`², … from one to the next.
fn extrapolate(quotients: impl Iterator<Item = (f64, f64)>, base: f64) -> Estimate {
    let quotients: Vec<(f64, f64)> = quotients.filter(|(quotient, _)| quotient.is_finite()).collect();
    let nearby = quotients.first().map_or(0.0, |(quotient, _)| quotient.abs());
    let noise = quotients.iter().rev().take_while(|(quotient, noise)| quotient.abs() <= ROUNDINGS * noise);
    // From here on the quotients are zero but for noise.
    let quiet = quotients.len() - noise.count();
    let (mut best, mut least) = (Estimate::NONE, f64::INFINITY);
    let mut before: Vec<f64> = Vec::new();
    let mut powers = FractionalPowers::default();
    for (j, &(quotient, noise)) in quotients.iter().enumerate() {
        let mut consider = |value: f64, error: f64| {
            let settled = settled(&quotients, j, value, error, j >= quiet);
            let found = Estimate { value, error, nearby, settled };
            // Among equals the shorter steps count: they are nearer to the point.
            let as_good = found.settled == best.settled && error <= EQUAL * least;
            if as_good || found.is_better_than(&best) {
                least = if found.is_better_than(&best) { error } else { least };
                best = found;
            }
        };
        let mut row = vec![quotient];
        let mut factor = 1.0;
        for i in 1..=before.len().min(COLUMNS) {
            factor *= base;
            let last = row[i - 1];
            let next = last + (last - before[i - 1]) / (factor - 1.0);
            consider(next, (next - last).abs().max((next - before[i - 1]).abs()) + 2.0 * noise);
            row.push(next);
        }
        before = row;
        if let Some((limit, error)) = powers.next(quotient, noise) {
            consider(limit, error);
        }
    }
    best
}

/// Errors are estimates: up to this factor, two bits, they are equal.
const EQUAL: f64 = 4.0;
/// Quotients over shorter steps that must not leave the estimate again.
const LATER: usize = 6;
/// An estimate with an error above this part of its quotients is as good as none.
const ROUGH: f64 = 1e-3;

/// The error is small against the quotients, and those after `j` stay as close to the value as
/// those before, but for noise, which doubles from each to the next.
fn settled(quotients: &[(f64, f64)], j: usize, value: f64, error: f64, is_zero: bool) -> bool {
    let used = &quotients[j.saturating_sub(COLUMNS)..=j];
    let largest = |size: fn(f64, f64) -> f64| used.iter().map(|q| size(q.0, value)).fold(0.0, f64::max);
    let size = largest(|quotient, _| quotient.abs());
    let room =
        2.0 * largest(|quotient, value| (quotient - value).abs()) + 2f64.powi(LATER as i32 + 1) * error;
    let stays = |later: &(f64, f64)| (later.0 - value).abs() <= room;
    let is_small = error <= ROUGH * size || (is_zero && error.is_finite());
    is_small && quotients[j + 1..].iter().take(LATER).all(stays)
}

/// Limits of quotients whose error is one power of the step, not a whole one, as for √x³ at 0:
/// they approach the limit in geometric steps (Aitken 1926).
#[derive(Default)]
struct FractionalPowers {
    /// The last two quotients.
    last: Option<(Option<f64>, f64)>,
    limit: Option<f64>,
}

impl FractionalPowers {
    /// The limit by the last quotients, and its error.
    fn next(&mut self, quotient: f64, noise: f64) -> Option<(f64, f64)> {
        let (before, last) = self.last.replace((self.last.map(|(_, last)| last), quotient))?;
        let (step, step_before) = (quotient - last, last - before?);
        let ratio = step / step_before;
        let limit = quotient + step * ratio / (1.0 - ratio);
        let limit_before = self.limit.replace(limit)?;
        // Only steps that shrink have a limit; close to 1 the ratio is mostly rounding.
        let shrinks = (0.0..0.9).contains(&ratio);
        let error = (limit - limit_before).abs() + 2.0 * noise / (1.0 - ratio).powi(2);
        shrinks.then_some((limit, error))
    }
}

/// The values approach another value than that at the point: steady over the shortest steps, and
/// no nearer than they were over steps 2¹² times as long.
fn jumps(side: &[Sample], here: f64) -> bool {
    let near = side[side.len() - 1].value;
    let far = side[side.len().saturating_sub(13)].value;
    let (near_gap, far_gap) = ((near - here).abs(), (far - here).abs());
    let seen = 1e-6 * near.abs().max(here.abs());
    let steady = side.iter().rev().take(4).all(|sample| (sample.value - near).abs() <= 0.1 * near_gap);
    near.is_infinite() || (steady && near_gap > 0.5 * far_gap && near_gap > seen)
}

/// The sign of quotients that grow all the way to the shortest step, each time it shrinks 16-fold.
fn steepness(side: &[Sample]) -> Option<f64> {
    const STRIDE: usize = 4;
    const GROWTH: f64 = 1.03;
    let tail: Vec<f64> = side.iter().rev().step_by(STRIDE).take(7).map(|sample| sample.quotient).collect();
    let grows = |pair: &[f64]| pair[0] / pair[1] > GROWTH;
    (tail.len() == 7 && tail.windows(2).all(grows)).then(|| tail[0].signum() * f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_smooth(f: fn(f64) -> f64, x: f64, expect: f64) {
        match slope(&mut { f }, x) {
            Slope::Smooth(found) | Slope::OneSided(found, _) => {
                let off = (found.value - expect).abs();
                assert!(off <= 1e-9 * expect.abs().max(1.0), "{x}: {found:?}, not {expect}");
                assert!(off <= 10.0 * found.error + 1e-14, "{x}: {found:?} is off by {off}");
            }
            other => panic!("{x}: {other:?}, not {expect}"),
        }
    }

    #[test]
    fn smooth_slopes_have_nine_digits() {
        check_smooth(|x| x * x * x, 2.0, 12.0);
        check_smooth(f64::sin, 2.0, 2f64.cos());
        check_smooth(f64::exp, -3.0, (-3f64).exp());
        check_smooth(f64::ln, 1e-8, 1e8);
        check_smooth(|x| x.sin(), 1e6, 1e6f64.cos());
        check_smooth(|x| (1e3 * x).tanh(), 1e-4, 1e3 / 0.1f64.cosh().powi(2));
        check_smooth(|_| 5.0, 1.0, 0.0);
        check_smooth(|x| (16.0 * std::f64::consts::PI * x).sin(), 0.0, 16.0 * std::f64::consts::PI);
        check_smooth(|x| (x - 1e-9).abs(), 0.0, -1.0);
        check_smooth(f64::abs, 1e-160, 1.0);
        check_smooth(f64::recip, 1e-20, -1e40);
        check_smooth(|x| x.sin().powi(2) + x.cos().powi(2), 0.7, 0.0);
        check_smooth(|x| x.powi(3), 1e-8, 3e-16);
        check_smooth(|x| x * x.sqrt(), 0.0, 0.0);
        check_smooth(|x| 3.0 * x + x.abs().powf(1.5), 0.0, 3.0);
    }

    #[test]
    fn waves_shorter_than_the_steps_do_not_deceive() {
        let Slope::Smooth(found) = slope(&mut |x: f64| (100.0 * x).sin(), 1e6) else { panic!("smooth") };
        let exact = 100.0 * 1e8f64.cos();
        assert!(found.settled && (found.value - exact).abs() < 1e-3, "{found:?}, not {exact}");
        let Slope::Smooth(found) = slope(&mut |x: f64| (100.0 * x).sin(), 1e15) else { panic!("smooth") };
        assert!(!found.settled, "{found:?}");
    }

    #[test]
    fn points_without_a_slope_are_recognised() {
        let of = |f: fn(f64) -> f64, x| slope(&mut { f }, x);
        let kink = |f, x, sides: (f64, f64)| match of(f, x) {
            Slope::Kink { left, right, error } => {
                assert!(error < 1e-9, "{error}");
                assert!((left - sides.0).abs() + (right - sides.1).abs() < 1e-9, "{left} {right}");
            }
            other => panic!("{other:?}"),
        };
        kink(f64::abs, 0.0, (-1.0, 1.0));
        kink(|x| 1.0 + x.max(0.0), 0.0, (0.0, 1.0));
        kink(|x| (x - 0.3).abs(), 0.3, (-1.0, 1.0));
        assert!(matches!(of(|x| x.abs().sqrt(), 0.0), Slope::Kink { left, right, .. } if left < right));
        assert_eq!(of(f64::signum, 0.0), Slope::Jump { left: -1.0, right: 1.0 });
        assert_eq!(of(f64::floor, 2.0), Slope::Jump { left: 1.0, right: 2.0 });
        assert_eq!(of(f64::sqrt, 0.0), Slope::Steep(f64::INFINITY));
        assert_eq!(of(f64::cbrt, 0.0), Slope::Steep(f64::INFINITY));
        assert_eq!(of(f64::ln, -1.0), Slope::Undefined);
        assert!(matches!(of(|x| x * x.sqrt(), 0.0), Slope::OneSided(_, Side::Right)));
    }
}
