//! L-BFGS-B: the direction when variables have bounds (Byrd, Lu, Nocedal & Zhu 1995).
//!
//! The Hessian model is `B = θI − W·M·Wᵀ` with `W = [Y θS]`. A step is the generalised Cauchy
//! point, the first minimiser of the model along the projected gradient path, followed by the
//! minimiser over the variables it leaves free, projected (Morales & Nocedal 2011). Everything is
//! O(m²n) in the number m of pairs. What must stay true: the target is in the box.

use std::collections::BinaryHeap;

use super::bounds::Bounds;
use super::dense::Lu;
use super::lbfgs::{History, Offer};
use super::vector::dot;

/// The inner products of a history's pairs, kept up to date in O(mn) a step.
#[derive(Debug, Clone, Default)]
pub(super) struct Products {
    /// `sᵢ·yⱼ`
    sy: Vec<Vec<f64>>,
    /// `sᵢ·sⱼ`
    ss: Vec<Vec<f64>>,
}

impl Products {
    pub(super) fn clear(&mut self) {
        self.sy.clear();
        self.ss.clear();
    }

    /// Follows what the history did with the newest pair.
    pub(super) fn follow(&mut self, history: &History, offer: Offer) {
        if offer == Offer::Skipped {
            return;
        }
        if offer == Offer::Replaced {
            for table in [&mut self.sy, &mut self.ss] {
                table.remove(0);
                table.iter_mut().for_each(|row| _ = row.remove(0));
            }
        }
        let Some(new) = history.pairs.back() else {
            return;
        };
        for (i, old) in history.pairs.iter().enumerate().take(self.sy.len()) {
            self.sy[i].push(dot(&old.s, &new.y));
            self.ss[i].push(dot(&old.s, &new.s));
        }
        self.sy.push(history.pairs.iter().map(|old| dot(&new.s, &old.y)).collect());
        self.ss.push(history.pairs.iter().map(|old| dot(&new.s, &old.s)).collect());
    }
}

/// The quadratic model at a point.
struct Model<'a> {
    history: &'a History,
    theta: f64,
    /// `M⁻¹ = [−D Lᵀ; L θSᵀS]`, factored (ibid., eq. 3.4); none without pairs.
    middle: Option<Lu>,
}

impl<'a> Model<'a> {
    /// None when the middle matrix is singular: the pairs are no use.
    fn new(history: &'a History, products: &Products) -> Option<Model<'a>> {
        let (m, theta) = (history.pairs.len(), history.theta());
        if m == 0 {
            return Some(Model { history, theta, middle: None });
        }
        let k = 2 * m;
        let mut a = vec![0.0; k * k];
        for i in 0..m {
            a[i * k + i] = -products.sy[i][i];
            for j in 0..m {
                a[(m + i) * k + m + j] = theta * products.ss[i][j];
                if i > j {
                    a[(m + i) * k + j] = products.sy[i][j];
                    a[j * k + m + i] = products.sy[i][j];
                }
            }
        }
        Some(Model { history, theta, middle: Some(Lu::factor(a, k)?) })
    }

    fn rank(&self) -> usize {
        2 * self.history.pairs.len()
    }

    /// Row `i` of `W`.
    fn row(&self, i: usize, row: &mut [f64]) {
        let m = self.history.pairs.len();
        for (j, pair) in self.history.pairs.iter().enumerate() {
            row[j] = pair.y[i];
            row[m + j] = self.theta * pair.s[i];
        }
    }

    /// `Wᵀ·v`.
    fn transposed_times(&self, v: &[f64]) -> Vec<f64> {
        let pairs = &self.history.pairs;
        let ys = pairs.iter().map(|p| dot(&p.y, v));
        let ss = pairs.iter().map(|p| self.theta * dot(&p.s, v));
        ys.chain(ss).collect()
    }

    /// `M·v`.
    fn middle_times(&self, v: &[f64]) -> Vec<f64> {
        let mut out = v.to_vec();
        if let Some(middle) = &self.middle {
            middle.solve(&mut out);
        }
        out
    }
}

/// The model's first local minimiser along the projected gradient path.
struct Cauchy {
    x: Vec<f64>,
    /// `Wᵀ(x_cauchy − x)`
    c: Vec<f64>,
    free: Vec<usize>,
}

/// A time at which a variable meets its bound; ordered so that a max-heap yields the earliest.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Break {
    time: f64,
    index: usize,
}

impl Eq for Break {}

impl Ord for Break {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.time.total_cmp(&self.time).then(other.index.cmp(&self.index))
    }
}

impl PartialOrd for Break {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The target of a quasi-Newton step from `x` inside the box, to be searched along a straight
/// line; none when the model breaks down and the pairs should be forgotten.
pub(super) fn target(
    history: &History,
    products: &Products,
    bounds: &Bounds,
    x: &[f64],
    gradient: &[f64],
) -> Option<Vec<f64>> {
    let model = Model::new(history, products)?;
    let cauchy = cauchy_point(&model, bounds, x, gradient);
    let target = match model.middle {
        Some(_) if !cauchy.free.is_empty() => subspace_minimum(&model, bounds, x, gradient, &cauchy)?,
        _ => cauchy.x,
    };
    target.iter().all(|t| t.is_finite()).then_some(target)
}

/// When variable `i` meets its bound on the path `P(x − t·g)`.
fn break_time(bounds: &Bounds, i: usize, x: f64, g: f64) -> f64 {
    if g == 0.0 { f64::INFINITY } else { (x - bounds.ahead(i, g)) / g }
}

/// Algorithm CP of Byrd et al. 1995, page 8, with the breakpoints in a heap.
fn cauchy_point(model: &Model<'_>, bounds: &Bounds, x: &[f64], gradient: &[f64]) -> Cauchy {
    let both = x.iter().zip(gradient).enumerate();
    let times: Vec<f64> = both.map(|(i, (&x, &g))| break_time(bounds, i, x, g)).collect();
    let moving = gradient.iter().zip(&times);
    let mut d: Vec<f64> = moving.map(|(&g, &t)| if t > 0.0 { -g } else { 0.0 }).collect();
    let mut path = Path::start(model, &d);
    let mut target = x.to_vec();
    let mut now = 0.0;
    for Break { time, index } in in_order(&times) {
        if path.rest() < time - now {
            break;
        }
        let g = gradient[index];
        target[index] = bounds.ahead(index, g);
        path.meet(model, index, time - now, target[index] - x[index], g);
        now = time;
        d[index] = 0.0;
    }
    // With nothing left to move, what remains of the slope is rounding.
    let rest = if d.iter().all(|&d| d == 0.0) { 0.0 } else { path.rest() };
    path.advance(rest);
    for i in (0..x.len()).filter(|&i| d[i] != 0.0) {
        target[i] = bounds.nearest(i, x[i] + (now + rest) * d[i]);
    }
    let inside = |&i: &usize| target[i] > bounds.lower()[i] && target[i] < bounds.upper()[i];
    let free = (0..x.len()).filter(inside).collect();
    Cauchy { x: target, c: path.c, free }
}

/// The positive finite break times, earliest first, sorted only as far as they are asked for.
fn in_order(times: &[f64]) -> impl Iterator<Item = Break> {
    let finite = times.iter().enumerate().filter(|&(_, &t)| t > 0.0 && t < f64::INFINITY);
    let mut heap: BinaryHeap<Break> = finite.map(|(index, &time)| Break { time, index }).collect();
    std::iter::from_fn(move || heap.pop())
}

/// The model along the current piece of the path: slope, curvature, and `p = Wᵀd`, `c = Wᵀ(x_c − x)`.
struct Path {
    p: Vec<f64>,
    c: Vec<f64>,
    slope: f64,
    curvature: f64,
    floor: f64,
    row: Vec<f64>,
}

impl Path {
    fn start(model: &Model<'_>, d: &[f64]) -> Path {
        let p = model.transposed_times(d);
        let slope = -dot(d, d);
        let curvature = -model.theta * slope - dot(&p, &model.middle_times(&p));
        let floor = f64::EPSILON * (model.theta * slope).abs();
        let zeros = vec![0.0; model.rank()];
        Path { p, c: zeros.clone(), slope, curvature: curvature.max(floor), floor, row: zeros }
    }

    /// The time from here to the minimiser of this piece.
    fn rest(&self) -> f64 {
        if self.slope >= 0.0 { 0.0 } else { -self.slope / self.curvature }
    }

    fn advance(&mut self, time: f64) {
        for (c, p) in self.c.iter_mut().zip(&self.p) {
            *c += time * p;
        }
    }

    /// Variable `i`, with gradient `g`, meets its bound after `time`, `z` away from the start.
    fn meet(&mut self, model: &Model<'_>, i: usize, time: f64, z: f64, g: f64) {
        self.advance(time);
        model.row(i, &mut self.row);
        let mw = model.middle_times(&self.row);
        self.slope += time * self.curvature + g * g + model.theta * g * z - g * dot(&mw, &self.c);
        self.curvature -= model.theta * g * g + 2.0 * g * dot(&mw, &self.p) + g * g * dot(&mw, &self.row);
        self.curvature = self.curvature.max(self.floor);
        for (p, w) in self.p.iter_mut().zip(&self.row) {
            *p += g * w;
        }
    }
}

/// The direct primal method (ibid., section 5.1), then projection, or truncation when the
/// projection does not descend (Morales & Nocedal 2011).
fn subspace_minimum(
    model: &Model<'_>,
    bounds: &Bounds,
    x: &[f64],
    gradient: &[f64],
    cauchy: &Cauchy,
) -> Option<Vec<f64>> {
    let (k, theta) = (model.rank(), model.theta);
    let mc = model.middle_times(&cauchy.c);
    let (mut row, mut reduced) = (vec![0.0; k], vec![0.0; cauchy.free.len()]);
    let (mut v, mut gram) = (vec![0.0; k], vec![0.0; k * k]);
    for (r, &i) in reduced.iter_mut().zip(&cauchy.free) {
        model.row(i, &mut row);
        *r = gradient[i] + theta * (cauchy.x[i] - x[i]) - dot(&row, &mc);
        for (a, &w) in row.iter().enumerate() {
            v[a] += w * *r;
            for (entry, &other) in gram[a * k..].iter_mut().zip(&row) {
                *entry += w * other / theta;
            }
        }
    }
    let v = solve_small(model, gram, v)?;
    let step: Vec<f64> = reduced
        .iter()
        .zip(&cauchy.free)
        .map(|(r, &i)| {
            model.row(i, &mut row);
            -(r + dot(&row, &v) / theta) / theta
        })
        .collect();
    Some(step_within(bounds, x, gradient, cauchy, &step))
}

/// `(I − M·N)⁻¹·M·v` with `N = WᶠᵀWᶠ/θ`, that is `(M⁻¹ − N)⁻¹·v`.
fn solve_small(model: &Model<'_>, gram: Vec<f64>, v: Vec<f64>) -> Option<Vec<f64>> {
    let k = v.len();
    let mut a = vec![0.0; k * k];
    for j in 0..k {
        let column: Vec<f64> = (0..k).map(|i| gram[i * k + j]).collect();
        for (i, entry) in model.middle_times(&column).into_iter().enumerate() {
            a[i * k + j] = f64::from(u8::from(i == j)) - entry;
        }
    }
    let mut out = model.middle_times(&v);
    Lu::factor(a, k)?.solve(&mut out);
    Some(out)
}

fn step_within(bounds: &Bounds, x: &[f64], gradient: &[f64], cauchy: &Cauchy, step: &[f64]) -> Vec<f64> {
    let mut target = cauchy.x.clone();
    for (&i, s) in cauchy.free.iter().zip(step) {
        target[i] = bounds.nearest(i, target[i] + s);
    }
    let slope: f64 = target.iter().zip(x).zip(gradient).map(|((t, x), g)| (t - x) * g).sum();
    if slope < 0.0 {
        return target;
    }
    let mut share = 1.0f64;
    for (&i, s) in cauchy.free.iter().zip(step) {
        let limit = if *s > 0.0 { bounds.upper()[i] } else { bounds.lower()[i] };
        if *s != 0.0 {
            share = share.min((limit - cauchy.x[i]) / s);
        }
    }
    for (&i, s) in cauchy.free.iter().zip(step) {
        target[i] = bounds.nearest(i, cauchy.x[i] + share * s);
    }
    target
}
