//! Kinks: descent where the gradient jumps, by gradient sampling (Burke, Lewis & Overton 2005).
//!
//! Gradients at points around `x` are collected; the shortest vector of their convex hull is a
//! direction of descent for all of them, and when it is zero `x` is stationary in Clarke's sense.
//! What must stay true: the value never rises, and the sample points come from a fixed sequence.

use super::objective::{Probe, is_finite};
use super::vector::{add_scaled, dot, max_norm, norm};

/// Each round costs `2n + 2` evaluations and a hull of as many vectors: for few variables only.
pub(super) const MOST_VARIABLES: usize = 64;

/// Rounds of sampling in one polish.
const ROUNDS: usize = 200;
/// Sampling radius, relative to `max(1, max|x|)`: where it starts and where stationarity counts.
const WIDEST: f64 = 1e-2;
const NARROWEST: f64 = 1e-9;
/// A hull this close to zero, relative to its longest gradient, contains zero for our purposes.
const NEGLIGIBLE: f64 = 1e-7;

/// The result of a polish.
#[derive(Debug, Clone, Copy)]
pub(super) struct Polished {
    pub(super) value: f64,
    /// The radius within which the gradients' hull contains zero, when it does at the last radius.
    pub(super) stationary_within: Option<f64>,
}

/// Lowers the value at `x` as far as sampled gradients show a way.
pub(super) fn polish(
    probe: &mut Probe<'_>,
    x: &mut [f64],
    gradient: &mut [f64],
    value: f64,
    budget: usize,
) -> Polished {
    let size = max_norm(x).max(1.0);
    let mut radius = WIDEST;
    let mut random = Random(0x5EED);
    let mut polished = Polished { value, stationary_within: None };
    for _ in 0..ROUNDS {
        if probe.evaluations >= budget {
            break;
        }
        let bundle = sample(probe, x, gradient, radius * size, &mut random);
        let longest = bundle.iter().map(|g| max_norm(g)).fold(0.0, f64::max);
        let shortest = shortest_in_box(probe, x, &bundle);
        let negligible = max_norm(&shortest) <= NEGLIGIBLE * longest;
        if !negligible
            && let Some(lower) = descend(probe, x, gradient, polished.value, &shortest, radius * size)
        {
            polished.value = lower;
            continue;
        }
        if radius <= NARROWEST {
            polished.stationary_within = negligible.then_some(radius * size);
            break;
        }
        radius *= 0.1;
    }
    polished
}

/// The gradient at `x` and at `2n + 1` points of a cube around it, those that are finite.
fn sample(
    probe: &mut Probe<'_>,
    x: &[f64],
    gradient: &[f64],
    radius: f64,
    random: &mut Random,
) -> Vec<Vec<f64>> {
    let mut bundle = vec![gradient.to_vec()];
    for _ in 0..=2 * x.len() {
        let mut point: Vec<f64> = x.iter().map(|x| x + radius * random.symmetric()).collect();
        probe.bounds.project(&mut point);
        let mut g = vec![0.0; x.len()];
        let value = probe.evaluate(&point, &mut g);
        if is_finite(value, &g) {
            bundle.push(g);
        }
    }
    bundle
}

/// The shortest vector of the hull, over the variables that their bounds do not hold.
fn shortest_in_box(probe: &Probe<'_>, x: &[f64], bundle: &[Vec<f64>]) -> Vec<f64> {
    let mut held: Vec<usize> = Vec::new();
    loop {
        let reduced: Vec<Vec<f64>> = bundle
            .iter()
            .map(|g| {
                let mut g = g.clone();
                held.iter().for_each(|&i| g[i] = 0.0);
                g
            })
            .collect();
        let shortest = shortest_in_hull(&reduced);
        let before = held.len();
        held.extend((0..x.len()).filter(|&i| probe.bounds.holds(i, x[i], shortest[i])));
        if held.len() == before {
            return shortest;
        }
    }
}

/// The vector of least norm in the convex hull, by sequential minimal optimisation: move weight
/// from the vector that hurts most to the one that helps most, exactly (Platt 1998; Keerthi 2001).
fn shortest_in_hull(vectors: &[Vec<f64>]) -> Vec<f64> {
    const MOVES: usize = 20_000;
    let k = vectors.len();
    let gram: Vec<Vec<f64>> = vectors.iter().map(|a| vectors.iter().map(|b| dot(a, b)).collect()).collect();
    let mut weights = vec![1.0 / k as f64; k];
    let mut products: Vec<f64> = gram.iter().map(|row| dot(row, &weights)).collect();
    for _ in 0..MOVES {
        let better = |a: usize, b: usize| if products[b] < products[a] { b } else { a };
        let worse = |a: usize, b: usize| if products[b] > products[a] { b } else { a };
        let to = (0..k).fold(0, better);
        let Some(from) = (0..k).filter(|&i| weights[i] > 0.0).reduce(worse) else {
            break;
        };
        let gain = products[from] - products[to];
        let curvature = gram[from][from] + gram[to][to] - 2.0 * gram[from][to];
        if gain <= 1e-16 * gram[from][from] || curvature <= 0.0 {
            break;
        }
        let moved = (gain / curvature).min(weights[from]);
        weights[from] -= moved;
        weights[to] += moved;
        for (i, p) in products.iter_mut().enumerate() {
            *p += moved * (gram[i][to] - gram[i][from]);
        }
    }
    let mut shortest = vec![0.0; vectors[0].len()];
    for (v, w) in vectors.iter().zip(&weights) {
        add_scaled(&mut shortest, *w, v);
    }
    shortest
}

/// A lower point along `−shortest`, of all lengths that are powers of two the best tried.
fn descend(
    probe: &mut Probe<'_>,
    x: &mut [f64],
    gradient: &mut [f64],
    value: f64,
    shortest: &[f64],
    radius: f64,
) -> Option<f64> {
    let length = norm(shortest);
    let (mut point, mut g) = (x.to_vec(), gradient.to_vec());
    let (mut best, mut found) = (value, None);
    let mut step = 64.0 * radius;
    while step > 1e-3 * radius {
        point.copy_from_slice(x);
        add_scaled(&mut point, -step / length, shortest);
        probe.bounds.project(&mut point);
        let trial = probe.evaluate(&point, &mut g);
        let enough = value - trial >= 1e-6 * step * length;
        if is_finite(trial, &g) && enough && trial < best {
            best = trial;
            found = Some((point.clone(), g.clone()));
        } else if found.is_some() {
            break;
        }
        step *= 0.5;
    }
    let (point, g) = found?;
    x.copy_from_slice(&point);
    gradient.copy_from_slice(&g);
    Some(best)
}

/// SplitMix64 (Steele, Lea & Flood 2014): a fixed sequence from a fixed seed.
struct Random(u64);

impl Random {
    /// Uniform in [−1, 1).
    fn symmetric(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}
