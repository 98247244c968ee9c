//! Limited-memory BFGS: the last few steps and gradient changes, and the direction they imply.
//!
//! What must stay true: every pair kept has positive curvature, so the inverse Hessian the pairs
//! stand for is positive definite and its direction descends (up to rounding).

use std::collections::VecDeque;

use super::vector::{add_scaled, dot, scale};

/// One step `s = x⁺ − x`, its gradient change `y = g⁺ − g`, and `s·y`.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) s: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) sy: f64,
}

/// The last `capacity` pairs, oldest first.
#[derive(Debug, Clone)]
pub(super) struct History {
    pub(super) pairs: VecDeque<Pair>,
    capacity: usize,
}

/// Pairs with `s·y` below this part of `y·y` carry rounding, not curvature (L-BFGS-B's test).
const CURVATURE_FLOOR: f64 = f64::EPSILON;

/// What became of an offered pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    Kept,
    /// Kept, and the oldest pair made room.
    Replaced,
    Skipped,
}

impl History {
    pub(super) fn new(capacity: usize) -> History {
        History { pairs: VecDeque::with_capacity(capacity), capacity }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.pairs.clear();
    }

    /// Keeps the step `s` with gradient change `y`, unless its curvature is not positive.
    pub(super) fn offer(&mut self, s: Vec<f64>, y: Vec<f64>) -> Offer {
        if self.capacity == 0 {
            return Offer::Skipped;
        }
        let (sy, yy) = (dot(&s, &y), dot(&y, &y));
        if !(sy > CURVATURE_FLOOR * yy && sy.is_normal() && yy.is_finite()) {
            return Offer::Skipped;
        }
        let full = self.pairs.len() == self.capacity;
        if full {
            self.pairs.pop_front();
        }
        self.pairs.push_back(Pair { s, y, sy });
        if full { Offer::Replaced } else { Offer::Kept }
    }

    /// `θ = y·y / s·y` of the newest pair, the scale of the Hessian before any pair is applied;
    /// 1 without pairs (Nocedal & Wright 2006, eq. 7.20, inverted).
    pub(super) fn theta(&self) -> f64 {
        self.pairs.back().map_or(1.0, |p| dot(&p.y, &p.y) / p.sy)
    }

    /// `d ← −H·g` by the two-loop recursion (Nocedal & Wright 2006, alg. 7.4), O(mn).
    pub(super) fn direction(&self, gradient: &[f64], d: &mut [f64]) {
        d.copy_from_slice(gradient);
        let mut alphas = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let alpha = dot(&pair.s, d) / pair.sy;
            add_scaled(d, -alpha, &pair.y);
            alphas.push(alpha);
        }
        scale(d, 1.0 / self.theta());
        for (pair, alpha) in self.pairs.iter().zip(alphas.iter().rev()) {
            let beta = dot(&pair.y, d) / pair.sy;
            add_scaled(d, alpha - beta, &pair.s);
        }
        scale(d, -1.0);
    }
}
