//! Products of what vanishes and what overflows: `exp(x)*exp(-exp(x))` is 0 far out, not ∞·0.
//!
//! Where `v` is huge, what vanishes exponentially with `v` outweighs every power, and every product of the
//! exponentials that made `v` huge. These may have overflowed; they count as 0 there, and so does the product.
//!
//! A power with a positive exponent is 0 at 0, whatever the exponent, and so is its slope by that: `log(x)`
//! beside `x^a` counts as 0 there in derivatives of functions that have no logarithm of `x` themselves.
//!
//! What must stay true: only a factor that is finite over the reals is touched, and only where the one
//! that vanishes is 0. A pole times 0 stays undefined.

use super::rebuild::{Rebuild, remade};
use super::{Simplifier, Task};
use crate::ir::{Elementwise, Graph, Id, Number, Op, Selection, reachable};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::{SmallVec, smallvec};

/// Exponents of one node that are kept track of, and variables.
const KEPT: usize = 16;

/// From here on `v` is huge: `exp(-1e6)` is 1e-434294, and 0 times all that numbers of 64 bits can be.
const HUGE: i64 = 1_000_000;

/// Where a node is 0.
#[derive(Clone, Copy, PartialEq)]
enum Vanishing {
    /// Where `of` is huge, at one end.
    Far { of: Id, end: End },
    /// Where the base of a power is 0, and its exponent positive.
    Power { base: Id, exponent: Id },
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Left,
    Right,
}

/// All the places, each enough by itself.
type Places = SmallVec<[Vanishing; 2]>;

/// Nodes that another one of elementwise ops depends on; `None` for too many.
type Among = Option<SmallVec<[Id; 4]>>;

/// Places of one node that are kept.
const MOST: usize = 4;

/// The ends at which the op vanishes exponentially with its operand.
fn ends(op: Elementwise) -> &'static [End] {
    match op {
        Elementwise::Exp | Elementwise::Exp2 | Elementwise::Sigmoid => &[End::Left],
        Elementwise::Erfc => &[End::Right],
        Elementwise::Sech | Elementwise::Csch => &[End::Left, End::Right],
        _ => &[],
    }
}

/// The operand of something that grows exponentially with it.
fn exponent(graph: &Graph, id: Id) -> Option<Id> {
    use Elementwise::{Cosh, Exp, Exp2, Expm1, Sinh};
    match graph.op(id) {
        Op::Elementwise(Exp | Exp2 | Expm1 | Sinh | Cosh) => Some(graph.operand(id, 0)),
        _ => None,
    }
}

/// Whether it is a square, a cube, or the like.
fn is_power(graph: &Graph, id: Id) -> bool {
    graph.op(id) == Op::Elementwise(Elementwise::Pow)
        && graph.constant(graph.operand(id, 1)).and_then(Number::to_i64).is_some_and(|n| n > 1)
}

/// Whether a choice is one of ours, of a factor beside what is huge.
fn is_outweighed(graph: &Graph, choice: Id) -> bool {
    let [condition, then, _] = *graph.operands(choice) else { return false };
    graph.op(condition) == Op::Selection(Selection::LessEqual)
        && graph.constant(graph.operand(condition, 0)).and_then(Number::to_i64) == Some(HUGE)
        && graph.constant(then).is_some_and(Number::is_zero)
}

/// What is known of the nodes visited.
#[derive(Default)]
struct Known {
    vanishing: FxHashMap<Id, Places>,
    /// The operands of exponentials in a node, and the nodes of other ops.
    exponents: FxHashMap<Id, Among>,
    variables: FxHashMap<Id, Among>,
    /// Nodes with exponentials or powers in them.
    growing: FxHashSet<Id>,
    /// What the function has logarithms of whose derivative this is; `None` for no derivative.
    logarithms_of: Option<FxHashSet<Id>>,
}

/// Where a factor counts as 0.
enum Condition {
    Far { of: Id, ends: SmallVec<[End; 2]> },
    Power { base: Id, exponent: Id },
}

impl Simplifier<'_> {
    /// Puts 0 for factors that overflow beside one that vanishes faster.
    pub(super) fn outweigh(&mut self, task: &mut Task) {
        let nodes = reachable(self.graph, &task.results());
        let vanishes = |op| !ends(op).is_empty() || op == Elementwise::Pow;
        if !nodes.iter().any(|&id| matches!(self.graph.op(id), Op::Elementwise(op) if vanishes(op))) {
            return;
        }
        self.domain = self.given.clone();
        self.domain.read_domain(self.graph, &task.origin);
        self.in_origin = false;
        let mut known = Known { logarithms_of: logarithms(self.graph, &task.origin), ..Known::default() };
        let mut rebuild = Rebuild::of(self.graph);
        for &id in &nodes {
            self.learn(id, &mut known);
            let made = match self.outweighed(id, &known) {
                Some((k, conditions)) => {
                    let mut operands = rebuild.operands(self.graph, id);
                    let each = conditions.into_iter().map(|c| c.node(self.graph, |x| rebuild.now(x)));
                    let each: SmallVec<[Id; 2]> = each.collect();
                    let any = each.into_iter().reduce(|a, b| self.graph.compare(Selection::Or, &[a, b]));
                    let condition = any.expect("there is a condition");
                    let zero = self.graph.integer(0);
                    operands[k] = self.graph.select(condition, zero, operands[k]);
                    remade(self.graph, id, &operands)
                }
                None => rebuild.remade(self.graph, id),
            };
            rebuild.put(id, made);
        }
        task.rename_results(&rebuild);
    }

    fn learn(&self, id: Id, known: &mut Known) {
        let places = self.places(id, &known.vanishing);
        if !places.is_empty() {
            known.vanishing.insert(id, places);
        }
        let below = looked_into(self.graph, id);
        let exponent = exponent(self.graph, id).filter(|_| !self.is_bounded(id));
        let variable = Some(id).filter(|&id| {
            !matches!(self.graph.op(id), Op::Elementwise(_) | Op::Selection(_) | Op::Constant(_))
        });
        let operands = self.graph.operands(id);
        for (all, own, below) in
            [(&mut known.exponents, exponent, below), (&mut known.variables, variable, operands)]
        {
            let found = among(own, if variable.is_some() { &[] } else { below }, all);
            if found.as_ref().is_none_or(|found| !found.is_empty()) {
                all.insert(id, found);
            }
        }
        let grows = exponent.is_some() || is_power(self.graph, id);
        if grows || below.iter().any(|x| known.growing.contains(x)) {
            known.growing.insert(id);
        }
    }

    /// Of a product: which factor counts as 0, and where: each place is enough.
    fn outweighed(&self, product: Id, known: &Known) -> Option<(usize, SmallVec<[Condition; 2]>)> {
        if self.graph.op(product) != Op::Elementwise(Elementwise::Mul) {
            return None;
        }
        let operands = self.graph.operands(product);
        [(0, 1), (1, 0)].into_iter().find_map(|(zero, other)| {
            let places = known.vanishing.get(&operands[zero])?;
            let mut found: SmallVec<[Condition; 2]> = SmallVec::new();
            for place in places {
                match *place {
                    Vanishing::Far { of, end } if self.outweighs(of, operands[other], known) => {
                        let same = found.iter_mut().find_map(|condition| match condition {
                            Condition::Far { of: other, ends } if *other == of => Some(ends),
                            _ => None,
                        });
                        match same {
                            Some(ends) => ends.push(end),
                            None => found.push(Condition::Far { of, ends: smallvec![end] }),
                        }
                    }
                    Vanishing::Power { base, exponent }
                        if known.has_logarithm(self.graph, operands[other], base) =>
                    {
                        found.push(Condition::Power { base, exponent });
                    }
                    _ => {}
                }
            }
            (!found.is_empty()).then_some((other, found))
        })
    }

    /// Where a node is 0, by its op, or by what is known of its operands.
    fn places(&self, id: Id, of: &FxHashMap<Id, Places>) -> Places {
        let (Op::Elementwise(op), operands) = (self.graph.op(id), self.graph.operands(id)) else {
            return Places::new();
        };
        let of = |x: &Id| of.get(x).map_or(&[][..], |places| places);
        match (op, operands) {
            (Elementwise::Mul, [a, b]) => {
                let new = of(b).iter().filter(|place| !of(a).contains(place));
                of(a).iter().chain(new).take(MOST).copied().collect()
            }
            (Elementwise::Add | Elementwise::Sub, [a, b]) => {
                of(a).iter().filter(|place| of(b).contains(place)).copied().collect()
            }
            (Elementwise::Neg | Elementwise::Div, [a, ..]) => of(a).into(),
            (Elementwise::Pow, &[a, n]) => match self.graph.constant(n) {
                Some(n) if n.is_negative() || n.is_zero() => Places::new(),
                Some(_) => of(&a).into(),
                None => smallvec![Vanishing::Power { base: a, exponent: n }],
            },
            (op, &[v]) => ends(op).iter().filter_map(|&end| self.place(v, end)).collect(),
            _ => smallvec![],
        }
    }

    /// The place without a minus sign, if `v` can be as large: `-v` is huge where `v` is.
    fn place(&self, v: Id, end: End) -> Option<Vanishing> {
        let values = self.facts().interval(self.graph, v);
        let is_reached = match end {
            End::Left => values.low() == f64::NEG_INFINITY,
            End::Right => values.high() == f64::INFINITY,
        };
        let place = match (self.graph.op(v), end) {
            (Op::Elementwise(Elementwise::Neg), End::Left) => (self.graph.operand(v, 0), End::Right),
            (Op::Elementwise(Elementwise::Neg), End::Right) => (self.graph.operand(v, 0), End::Left),
            _ => (v, end),
        };
        is_reached.then_some(Vanishing::Far { of: place.0, end: place.1 })
    }

    pub(super) fn is_bounded(&self, id: Id) -> bool {
        let values = self.facts().interval(self.graph, id);
        values.low().is_finite() && values.high().is_finite()
    }

    /// Whether a factor can be infinite by overflow only, and is small beside `exp(|v|)` where `v` is huge:
    /// its exponents are exponents in `v` as well. Where `v` is huge none of its variables is NaN, so the
    /// factor may have no others.
    fn outweighs(&self, v: Id, factor: Id, known: &Known) -> bool {
        known.growing.contains(&factor)
            && !self.is_bounded(factor)
            && is_subset(&known.exponents, factor, v)
            && is_subset(&known.variables, factor, v)
            && self.facts().is_defined(self.graph, factor)
    }
}

/// A node's own and those of the nodes below it.
fn among(own: Option<Id>, below: &[Id], all: &FxHashMap<Id, Among>) -> Among {
    let mut found: SmallVec<[Id; 4]> = own.into_iter().collect();
    for x in below {
        let more = match all.get(x) {
            None => continue,
            Some(more) => more.as_ref()?,
        };
        for &u in more {
            if !found.contains(&u) {
                found.push(u);
            }
        }
    }
    (found.len() <= KEPT).then_some(found)
}

/// Whether all that one node has another has as well, as far as that is known.
fn is_subset(all: &FxHashMap<Id, Among>, part: Id, whole: Id) -> bool {
    match (all.get(&part), all.get(&whole)) {
        (None, _) => true,
        (Some(Some(part)), Some(Some(whole))) => part.iter().all(|x| whole.contains(x)),
        _ => false,
    }
}

/// The operands a node's size comes from; of a series, what it stands for as well.
fn looked_into(graph: &Graph, id: Id) -> &[Id] {
    match graph.op(id) {
        Op::Elementwise(_) => graph.operands(id),
        Op::Selection(Selection::Select) if !is_outweighed(graph, id) => &graph.operands(id)[1..],
        _ => &[],
    }
}

impl Condition {
    /// As a truth value, of nodes as they are now.
    fn node(self, graph: &mut Graph, now: impl Fn(Id) -> Id) -> Id {
        match self {
            Condition::Far { of, ends } => {
                let far = match ends.as_slice() {
                    [End::Left] => graph.apply(Elementwise::Neg, &[now(of)]),
                    [End::Right] => now(of),
                    _ => graph.apply(Elementwise::Abs, &[now(of)]),
                };
                let huge = graph.integer(HUGE);
                graph.compare(Selection::LessEqual, &[huge, far])
            }
            Condition::Power { base, exponent } => {
                let zero = graph.integer(0);
                let at_zero = graph.compare(Selection::Equal, &[now(base), zero]);
                let is_positive = graph.compare(Selection::Less, &[zero, now(exponent)]);
                graph.compare(Selection::And, &[at_zero, is_positive])
            }
        }
    }
}

impl Known {
    /// Whether a factor is the logarithm of `x`, or a power of it, and the function has none.
    fn has_logarithm(&self, graph: &Graph, factor: Id, x: Id) -> bool {
        let is = |id: Id, op| graph.op(id) == Op::Elementwise(op);
        let logarithm = if is_power(graph, factor) { graph.operand(factor, 0) } else { factor };
        is(logarithm, Elementwise::Log)
            && graph.operand(logarithm, 0) == x
            && self.logarithms_of.as_ref().is_some_and(|of| !of.contains(&x))
    }
}

/// What a function has logarithms of; `None` for no function.
fn logarithms(graph: &Graph, origin: &[Id]) -> Option<FxHashSet<Id>> {
    let is_logarithm = |id: &Id| graph.op(*id) == Op::Elementwise(Elementwise::Log);
    let of = reachable(graph, origin).into_iter().filter(is_logarithm).map(|id| graph.operand(id, 0));
    (!origin.is_empty()).then(|| of.collect())
}
