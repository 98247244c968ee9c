//! Graph in, graph out: smaller, canonical and numerically safer, never defined where the
//! original was not.
//!
//! One pass visits every node once, operands first: chains of sums and products are collected
//! ([`sum`], [`product`]), everything else meets the rule list ([`rules`]). A pass is linear; a
//! few of them reach a fixed point. What [`Level::Full`] adds is the budgeted [`saturate`].

mod bodies;
mod conjugate;
mod domain;
mod factors;
mod half_turns;
mod inverse;
mod length;
mod near_one;
mod norm;
mod order;
mod overflow;
mod pattern;
mod plan;
mod product;
mod ratio;
mod rebuild;
mod removable;
mod rules;
mod saturate;
mod selection;
mod shapes;
mod sign;
mod single;
mod square;
mod structure;
mod sum;

pub use domain::Facts;
pub use rules::{Purpose, RULES, Rule, Soundness, Stage};
pub use saturate::STRUCTURE;
pub use sign::Sign;

use crate::ir::verify::debug_verify;
use crate::ir::{Elementwise, Function, Graph, Id, Number, Op, Shape, leaf, reachable, use_counts};
use order::Order;
use plan::{Chain, Plan, tree_size};
use product::Gather;
use rustc_hash::FxHashSet;
use sum::Terms;

/// How much work to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Level {
    /// As written, as derived.
    None,
    /// Linear time: collection and local rules.
    #[default]
    Fast,
    /// Also a budgeted search for the smallest equal form, on small graphs.
    Full,
}

/// Passes made at most over a small graph. The second one sees what rules exposed, and chains
/// that are no longer shared; later ones rarely find anything.
const PASSES: usize = 3;

/// Nodes above which one pass must do.
const LARGE: usize = 2_000;

/// Rewrites made on one node's way to its final form.
const REWRITE_DEPTH: usize = 5;

/// Fully expanded size up to which a result meant for reading is simplified as a tree, each use
/// of a shared node on its own: small results then look the same however they were built.
const READ_AS_TREE: usize = 2_000;

/// Simplifies a function's outputs. Conditions come from its assumptions and from the domain of
/// the function it was derived from.
pub fn simplify(function: &Function, level: Level, purpose: Purpose) -> Function {
    simplified(function.clone(), level, purpose)
}

/// [`simplify`] for a function that is not needed any more.
pub fn simplified(function: Function, level: Level, purpose: Purpose) -> Function {
    simplified_around(function, &[], level, purpose).0
}

/// [`simplified`] for a function that is about to be differentiated: rules for results wait.
pub fn prepared(function: Function, level: Level, purpose: Purpose) -> Function {
    rewritten(function, &[], level, purpose, Stage::Before).0
}

/// [`simplified`] for a derivative that is a result, but is about to be differentiated as well.
pub fn between(function: Function, level: Level, purpose: Purpose) -> Function {
    rewritten(function, &[], level, purpose, Stage::Any).0
}

/// [`simplified`], with some nodes kept whole: they are simplified themselves, but never taken
/// apart where they are used. The second result is what they have become.
pub fn simplified_around(
    function: Function,
    kept: &[Id],
    level: Level,
    purpose: Purpose,
) -> (Function, Vec<Id>) {
    rewritten(function, kept, level, purpose, Stage::Last)
}

fn rewritten(
    function: Function,
    kept: &[Id],
    level: Level,
    purpose: Purpose,
    stage: Stage,
) -> (Function, Vec<Id>) {
    if level == Level::None {
        return (function, kept.to_vec());
    }
    let (assumptions, origin) = (function.assumptions().to_vec(), function.origin().to_vec());
    let mut task =
        Task { assumptions, roots: function.outputs().to_vec(), kept: kept.to_vec(), origin, stage };
    let count = task.roots.len();
    let simplified = function.into_derived(|graph| {
        task.roots.extend_from_slice(kept);
        let Task { assumptions, roots, kept, origin, .. } = &mut task;
        bodies::simplify_bodies(graph, &mut [assumptions, roots, kept, origin], level, purpose);
        match shapes::has_arrays(graph, &task.roots) {
            true => run_on_arrays(graph, &mut task, purpose),
            false => run(graph, &mut task, level, purpose),
        }
        task.roots.clone()
    });
    debug_verify(simplified.graph(), simplified.outputs(), "simplify");
    let kept = task.roots.split_off(count);
    (simplified.with_outputs(task.roots), kept)
}

/// What is simplified: nodes of one graph, followed to their new forms.
#[derive(Default)]
struct Task {
    assumptions: Vec<Id>,
    roots: Vec<Id>,
    kept: Vec<Id>,
    origin: Vec<Id>,
    /// Where on the way to a derivative this is.
    stage: Stage,
}

/// [`run`], on arrays as if on their elements. Saturation knows numbers only.
fn run_on_arrays(graph: &mut Graph, task: &mut Task, purpose: Purpose) {
    let shapes: Vec<Shape> = task.roots.iter().map(|&id| graph.shape(id).clone()).collect();
    // What moves of equal elements leave behind is a number as well: a reader gets a second look.
    let rounds = if purpose == Purpose::Read { 2 } else { 1 };
    for _ in 0..rounds {
        let Task { assumptions, roots, kept, origin, .. } = task;
        shapes::implicit(graph, &mut [assumptions, roots, kept, origin]);
        run(graph, task, Level::Fast, purpose);
    }
    shapes::explicit(graph, &mut [&mut task.roots]);
    for (root, shape) in task.roots.iter_mut().zip(&shapes) {
        *root = shapes::repeated(graph, *root, shape);
    }
}

fn run(graph: &mut Graph, task: &mut Task, level: Level, purpose: Purpose) {
    let given = Facts::given(graph, &task.assumptions);
    let order = Order::new(graph);
    let mut simplifier = Simplifier {
        graph,
        given,
        domain: Facts::default(),
        in_origin: false,
        order,
        purpose,
        shared: FxHashSet::default(),
        as_tree: false,
        nearby: pattern::Nearby::default(),
        stage: task.stage,
    };
    for _ in 0..PASSES {
        let before = task.roots.clone();
        simplifier.pass(task);
        if task.roots == before || simplifier.graph.len() > LARGE {
            break;
        }
    }
    // Saturation would take apart what is to be kept.
    if level == Level::Full && task.kept.is_empty() {
        task.roots = simplifier.saturate(std::mem::take(&mut task.roots), &mut task.origin);
    }
    if purpose != Purpose::Compute {
        return;
    }
    if task.stage == Stage::Before {
        simplifier.divide_by_conjugates(task);
        simplifier.mark_kinks(task);
    }
    if task.stage == Stage::Last {
        simplifier.divide_by_conjugates(task);
        simplifier.fill_removable(task);
        simplifier.outweigh(task);
        simplifier.even_out(task);
        simplifier.divide_squares(task);
        simplifier.divide_singly(task);
        simplifier.subtract_first(task);
        simplifier.count_half_turns(task);
    }
}

/// The state of a run over one graph.
pub struct Simplifier<'a> {
    graph: &'a mut Graph,
    /// What the assumptions say.
    given: Facts,
    /// That, and what follows from the domain of the original function.
    domain: Facts,
    /// True while a node of the original function is visited: its own domain proves nothing
    /// about it, or `x/x` would justify dropping itself.
    in_origin: bool,
    order: Order,
    purpose: Purpose,
    /// Results used more than once, or to be kept: never taken apart.
    shared: FxHashSet<Id>,
    /// The result is small and meant for reading: every use of a node is looked at on its own.
    as_tree: bool,
    nearby: pattern::Nearby,
    /// Where on the way to a derivative this is.
    stage: Stage,
}

impl Simplifier<'_> {
    /// Visits every node once.
    fn pass(&mut self, task: &mut Task) {
        let nodes = reachable(self.graph, &task.roots);
        let mut uses = use_counts(self.graph, &task.roots);
        // A node that is kept is nobody's link in a chain.
        task.kept.iter().for_each(|id| uses[id.index()] = uses[id.index()].max(2));
        self.as_tree =
            self.purpose == Purpose::Read && tree_size(self.graph, &task.roots, &nodes) <= READ_AS_TREE;
        let plan = Plan::new(self.graph, &nodes, &uses);
        self.domain = self.given.clone();
        self.domain.read_domain(self.graph, &task.origin);
        let mut is_origin = vec![false; self.graph.len()];
        for id in reachable(self.graph, &task.origin) {
            is_origin[id.index()] = true;
        }
        let kept: FxHashSet<Id> = task.kept.iter().copied().collect();
        self.shared.clear();
        let mut done: Vec<Option<Id>> = vec![None; nodes.last().map_or(0, |id| id.index() + 1)];
        for &id in &nodes {
            if plan.is_inside_chain(id) {
                continue;
            }
            self.in_origin = is_origin[id.index()];
            let new = self.visit(id, &done, &plan);
            if kept.contains(&id) || (uses[id.index()] > 1 && !self.as_tree) {
                self.shared.insert(new);
            }
            done[id.index()] = Some(new);
        }
        let mapped = |id: &mut Id| *id = done.get(id.index()).copied().flatten().unwrap_or(*id);
        task.origin.iter_mut().for_each(mapped);
        task.kept.iter_mut().for_each(mapped);
        task.roots.iter_mut().for_each(mapped);
    }

    fn facts(&self) -> &Facts {
        if self.in_origin { &self.given } else { &self.domain }
    }

    fn may_open(&self, id: Id) -> bool {
        !self.shared.contains(&id)
    }

    /// The simplified form of a node whose operands have theirs.
    fn visit(&mut self, id: Id, done: &[Option<Id>], plan: &Plan) -> Id {
        if leaf(self.graph, id).is_some() {
            return id;
        }
        if plan.chain(self.graph, id).is_some()
            && let Some(pair) = self.visit_pair(id, done)
        {
            return pair;
        }
        match plan.chain(self.graph, id) {
            Some(Chain::Sum) => self.visit_sum(id, done, plan),
            Some(Chain::Product) => self.visit_product(id, done, plan),
            None => {
                let of = |x: &Id| done[x.index()].unwrap_or(*x);
                let operands: smallvec::SmallVec<[Id; 3]> = self.graph.operands(id).iter().map(of).collect();
                match self.graph.op(id) {
                    Op::Elementwise(op) => self.make(op, &operands),
                    Op::Selection(op) => self.make_selection(op, &operands),
                    _ => self.make_structure(id, &operands),
                }
            }
        }
    }

    /// Two operands that nothing can be collected from: the common case in large graphs, made
    /// without gathering.
    fn visit_pair(&mut self, id: Id, done: &[Option<Id>]) -> Option<Id> {
        let Op::Elementwise(op) = self.graph.op(id) else { return None };
        let find = |i: usize| done[self.graph.operand(id, i).index()];
        let (a, b) = (find(0)?, find(1)?);
        if a == b || op == Elementwise::Div || !self.is_atom(a) || !self.is_atom(b) {
            return None;
        }
        let near = self.ops_near(a) | self.ops_near(b);
        let roots: &[Elementwise] = if op == Elementwise::Mul { &pattern::PRODUCTS } else { &pattern::SUMS };
        if self.any_rule(roots, near) {
            return None;
        }
        if op == Elementwise::Mul { Some(self.emit_pair(a, b)) } else { self.emit_sum_of_atoms(op, a, b) }
    }

    /// A factor or term that stays whole.
    fn is_atom(&self, id: Id) -> bool {
        use Elementwise::{Abs, Add, Div, Exp, Mul, Neg, Pow, Sqrt, Sub};
        match self.graph.op(id) {
            Op::Constant(_) | Op::Elementwise(Neg) => false,
            Op::Elementwise(Add | Sub | Mul | Div | Pow | Sqrt | Exp | Abs) => !self.may_open(id),
            _ => true,
        }
    }

    /// A whole chain of additions, subtractions and sign changes, from its top.
    fn visit_sum(&mut self, top: Id, done: &[Option<Id>], plan: &Plan) -> Id {
        let mut terms = Terms::new();
        let mut pending = vec![(top, Number::integer(1))];
        while let Some((id, sign)) = pending.pop() {
            if let Some(new) = done.get(id.index()).copied().flatten() {
                let open = self.may_open(new);
                self.push_term(&mut terms, new, &sign, open);
                continue;
            }
            debug_assert!(id == top || plan.is_inside_chain(id));
            let operands = self.graph.operands(id);
            match self.graph.op(id) {
                Op::Elementwise(Elementwise::Neg) => pending.push((operands[0], sign.negate())),
                Op::Elementwise(Elementwise::Sub) => {
                    pending.extend([(operands[1], sign.negate()), (operands[0], sign)]);
                }
                _ => pending.extend([(operands[1], sign.clone()), (operands[0], sign)]),
            }
        }
        let sum = self.resolve_sum(terms, REWRITE_DEPTH);
        self.rewrite(sum, REWRITE_DEPTH)
    }

    /// A whole chain of multiplications, divisions and constant powers, from its top.
    fn visit_product(&mut self, top: Id, done: &[Option<Id>], plan: &Plan) -> Id {
        let mut gather = Gather::new();
        let mut pending = vec![(top, Number::integer(1))];
        while let Some((id, power)) = pending.pop() {
            if let Some(new) = done.get(id.index()).copied().flatten() {
                let open = self.may_open(new);
                self.push_factor(&mut gather, new, &power, open);
                continue;
            }
            debug_assert!(id == top || plan.is_inside_chain(id));
            let operands = self.graph.operands(id);
            match self.graph.op(id) {
                Op::Elementwise(Elementwise::Div) => {
                    pending.extend([(operands[1], power.negate()), (operands[0], power)]);
                }
                _ => pending.extend([(operands[1], power.clone()), (operands[0], power)]),
            }
        }
        self.finish_product(gather, REWRITE_DEPTH)
    }

    fn finish_product(&mut self, gather: Gather, fuel: usize) -> Id {
        let mut product = self.resolve_product(gather);
        self.rewrite_factors(&mut product, fuel);
        // A minus sign goes into a lone sum: -(x - y) is y - x.
        if product.coefficient.negate().is_one()
            && let [factor] = product.factors.as_slice()
            && let (product::Base::Node(sum), Some(n)) = (factor.base, factor.exponent.number())
            && n.is_one()
            && self.may_open(sum)
            && matches!(self.graph.op(sum), Op::Elementwise(Elementwise::Add | Elementwise::Sub))
        {
            let mut terms = Terms::new();
            self.push_term(&mut terms, sum, &product.coefficient, true);
            return self.resolve_sum(terms, 0);
        }
        let node = self.emit_product(product);
        self.rewrite(node, fuel)
    }

    /// The canonical form of an elementwise op on simplified operands.
    fn make(&mut self, op: Elementwise, operands: &[Id]) -> Id {
        self.make_with(op, operands, REWRITE_DEPTH)
    }

    fn make_with(&mut self, op: Elementwise, operands: &[Id], fuel: usize) -> Id {
        let one = Number::integer(1);
        match op {
            Elementwise::Add | Elementwise::Sub => {
                let mut terms = Terms::new();
                let second = if op == Elementwise::Sub { one.negate() } else { one.clone() };
                for (&x, sign) in operands.iter().zip([one, second]) {
                    let open = self.may_open(x);
                    self.push_term(&mut terms, x, &sign, open);
                }
                let sum = self.resolve_sum(terms, fuel);
                self.rewrite(sum, fuel)
            }
            Elementwise::Mul | Elementwise::Div | Elementwise::Neg | Elementwise::Pow | Elementwise::Sqrt => {
                let mut gather = Gather::new();
                match self.push_operands(&mut gather, op, operands) {
                    true => self.finish_product(gather, fuel),
                    false => {
                        let node = self.graph.apply(op, operands);
                        self.rewrite(node, fuel)
                    }
                }
            }
            _ => self.make_function(op, operands, fuel),
        }
    }

    /// Gathers the operands of a product-like op; false when it is none after all.
    fn push_operands(&mut self, gather: &mut Gather, op: Elementwise, operands: &[Id]) -> bool {
        let one = Number::integer(1);
        let first = operands[0];
        let open = self.may_open(first);
        match op {
            Elementwise::Neg => {
                let minus = self.graph.integer(-1);
                self.push_factor(gather, minus, &one, false);
                self.push_factor(gather, first, &one, open);
            }
            Elementwise::Sqrt => self.push_factor(gather, first, &half(), self.opens_under_root(first)),
            Elementwise::Pow => match self.graph.constant(operands[1]).cloned() {
                Some(n) if n.is_zero() && !self.facts().is_defined(self.graph, first) => return false,
                Some(n) => {
                    let open = if n.is_integer() { open } else { self.opens_under_root(first) };
                    self.push_factor(gather, first, &n, open);
                }
                None => return false,
            },
            _ => {
                let second = if op == Elementwise::Div { one.negate() } else { one.clone() };
                self.push_factor(gather, first, &one, open);
                let open = self.may_open(operands[1]);
                self.push_factor(gather, operands[1], &second, open);
            }
        }
        true
    }

    /// Under a root only a power or an exponential is taken apart, never a product.
    fn opens_under_root(&self, id: Id) -> bool {
        let op = self.graph.op(id);
        let power = [Elementwise::Pow, Elementwise::Sqrt, Elementwise::Exp];
        self.may_open(id) && power.iter().any(|&p| op == Op::Elementwise(p))
    }

    /// A function of simplified operands: signs come out of odd and even ones, then rules.
    fn make_function(&mut self, op: Elementwise, operands: &[Id], fuel: usize) -> Id {
        if (op.is_odd() || op.is_even()) && self.is_negated(operands[0]) {
            let positive = self.make_with(Elementwise::Neg, &[operands[0]], fuel);
            let value = self.make_function(op, &[positive], fuel);
            return if op.is_odd() { self.make_with(Elementwise::Neg, &[value], fuel) } else { value };
        }
        let mut operands: smallvec::SmallVec<[Id; 3]> = operands.into();
        if op.is_commutative() {
            let (graph, order) = (&*self.graph, &self.order);
            operands.sort_by(|&a, &b| order.compare(graph, a, b));
        }
        let node = self.graph.apply(op, &operands);
        self.rewrite(node, fuel)
    }

    /// A product with a negative coefficient, or a sum of nothing else.
    fn is_negated(&self, id: Id) -> bool {
        let mut node = id;
        while let Op::Elementwise(Elementwise::Sub) = self.graph.op(node)
            && self.may_open(node)
        {
            node = self.graph.operand(node, 0);
        }
        loop {
            match self.graph.op(node) {
                Op::Constant(c) => return self.graph.number(c).is_negative(),
                Op::Elementwise(Elementwise::Neg) => return true,
                Op::Elementwise(Elementwise::Mul | Elementwise::Div) if self.may_open(node) => {
                    node = self.graph.operand(node, 0)
                }
                _ => return false,
            }
        }
    }
}

fn half() -> Number {
    Number::ratio(1, 2).unwrap_or_else(|| Number::integer(0))
}
