//! Building nodes: typed, folded, and with an operator-overloaded face for expressions in code.
//!
//! Only what is always worth doing happens on insertion: exact arithmetic on constants, and
//! `x+0`, `x*1`, `x/1`, `x^1`, `--x`, `x*(-1)`. All else is [`crate::simplify`]'s.

use super::elementwise::Scalar;
use super::graph::Repetition;
use super::structural::{gathered, pack_order, permuted, resized, scattered, windowed, without};
use super::{
    DType, Elementwise, Graph, Id, Number, Op, Reduction, Selection, Shape, Structural, Type, TypeId,
};
use std::cell::RefCell;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

/// Constructors on the graph itself, for code that holds it mutably.
impl Graph {
    /// An elementwise op. A scalar meeting a tensor is repeated to its shape; the caller has made
    /// sure that the operands' shapes otherwise agree.
    pub fn apply(&mut self, op: Elementwise, operands: &[Id]) -> Id {
        debug_assert_eq!(op.arity(), operands.len(), "{}", op.name());
        match self.fold(op, operands) {
            Some(folded) => folded,
            None => self.apply_unfolded(op, operands),
        }
    }

    /// [`Graph::apply`] of a graph whose roundings are settled: nothing is folded.
    pub(crate) fn apply_unfolded(&mut self, op: Elementwise, operands: &[Id]) -> Id {
        let operands = self.repeated_to_one_shape(operands);
        let ty = self.shaped(&operands).map_or(TypeId::F64, |x| self.node(x).ty);
        self.intern(Op::Elementwise(op), &operands, ty)
    }

    /// The operand or constant that stands for the op, where insertion already knows it.
    fn fold(&mut self, op: Elementwise, operands: &[Id]) -> Option<Id> {
        use Elementwise::{Add, Div, Mul, Neg, Pow, Sub};
        let constant = |i: usize| operands.get(i).and_then(|&x| self.constant(x));
        if (0..operands.len()).all(|i| constant(i).is_some()) && !operands.is_empty() {
            let exact: Vec<&Number> = (0..operands.len()).filter_map(constant).collect();
            if let Some(folded) = op.fold(&exact) {
                return Some(self.exact(folded));
            }
        }
        let is = |i: usize, n: i64| constant(i).is_some_and(|c| c.to_i64() == Some(n));
        let (first, second) = (operands.first().copied(), operands.get(1).copied());
        // A constant operand is a scalar; the other one then has the result's shape.
        match op {
            Add if is(0, 0) => second,
            Add | Sub if is(1, 0) => first,
            Sub if is(0, 0) => second.map(|x| self.apply(Neg, &[x])),
            Mul if is(0, 1) => second,
            Mul | Div | Pow if is(1, 1) => first,
            // IEEE 754: 1 whatever the base is, NaN too. An array has no constant of its shape.
            Pow if is(1, 0) && first.is_some_and(|x| self.is_scalar(x)) => Some(self.integer(1)),
            Mul if is(0, -1) => second.map(|x| self.apply(Neg, &[x])),
            Mul | Div if is(1, -1) => first.map(|x| self.apply(Neg, &[x])),
            Neg => match first.map(|x| (self.op(x), x)) {
                Some((Op::Elementwise(Neg), x)) => Some(self.operand(x, 0)),
                _ => None,
            },
            _ => None,
        }
    }

    fn repeated_to_one_shape(&mut self, operands: &[Id]) -> smallvec::SmallVec<[Id; 3]> {
        let mut operands: smallvec::SmallVec<[Id; 3]> = operands.into();
        if self.repetition() == Repetition::Explicit
            && let Some(shaped) = operands.iter().copied().find(|&x| !self.is_scalar(x))
        {
            let shape = self.shape(shaped).clone();
            for x in &mut operands {
                if self.is_scalar(*x) {
                    *x = self.broadcast(*x, all_axes(&shape), &shape);
                }
            }
        }
        operands
    }

    /// The operand that gives an elementwise op its shape: the first that is no scalar, if any.
    fn shaped(&self, operands: &[Id]) -> Option<Id> {
        operands.iter().copied().find(|&x| !self.is_scalar(x)).or(operands.first().copied())
    }

    /// A comparison, or logic on truth values.
    pub fn compare(&mut self, op: Selection, operands: &[Id]) -> Id {
        debug_assert!(op.is_bool() && op.arity() == operands.len());
        let operands = self.repeated_to_one_shape(operands);
        let shape = self.shaped(&operands).map_or_else(Shape::scalar, |x| self.shape(x).clone());
        let ty = self.type_id(Type::new(DType::Bool, shape));
        self.intern(Op::Selection(op), &operands, ty)
    }

    /// `then` where `condition`, else `otherwise`.
    pub fn select(&mut self, condition: Id, then: Id, otherwise: Id) -> Id {
        if then == otherwise {
            return then;
        }
        let operands = self.repeated_to_one_shape(&[condition, then, otherwise]);
        let shape = self.shaped(&operands).map_or_else(Shape::scalar, |x| self.shape(x).clone());
        let ty = self.type_id(Type::new(DType::F64, shape));
        self.intern(Op::Selection(Selection::Select), &operands, ty)
    }

    fn structural(&mut self, op: Structural, operands: &[Id], shape: Shape) -> Id {
        let dtype = operands.first().map_or(DType::F64, |&x| self.ty(x).dtype);
        let ty = self.type_id(Type::new(dtype, shape));
        self.intern(Op::Structural(op), operands, ty)
    }

    /// Sums over the axes in the set.
    pub fn sum(&mut self, x: Id, axes: u8) -> Id {
        if axes == 0 {
            return x;
        }
        let shape = without(self.shape(x), axes);
        self.structural(Structural::Sum { axes }, &[x], shape)
    }

    /// Repeats `x` along new axes (the set), so that the result has `shape`.
    pub fn broadcast(&mut self, x: Id, axes: u8, shape: &Shape) -> Id {
        if axes == 0 {
            return x;
        }
        self.structural(Structural::Broadcast { axes }, &[x], shape.clone())
    }

    pub fn reshape(&mut self, x: Id, shape: &Shape) -> Id {
        if self.shape(x) == shape {
            return x;
        }
        self.structural(Structural::Reshape, &[x], shape.clone())
    }

    pub fn permute(&mut self, x: Id, order: u32) -> Id {
        let rank = self.shape(x).rank();
        if order == pack_order(0..rank) {
            return x;
        }
        let shape = permuted(self.shape(x), order);
        self.structural(Structural::Permute { order }, &[x], shape)
    }

    /// Elements `start..start + length` along `axis`, which exists and is long enough.
    pub fn slice(&mut self, x: Id, axis: u8, start: u32, length: u32) -> Id {
        let shape = resized(self.shape(x), axis, length).unwrap_or_default();
        if shape == *self.shape(x) {
            return x;
        }
        self.structural(Structural::Slice { axis, start, length }, &[x], shape)
    }

    pub fn pad(&mut self, x: Id, axis: u8, start: u32, length: u32) -> Id {
        let shape = resized(self.shape(x), axis, length).unwrap_or_default();
        if shape == *self.shape(x) {
            return x;
        }
        self.structural(Structural::Pad { axis, start, length }, &[x], shape)
    }

    /// Operands of one shape along a new leading axis; there is at least one.
    pub fn stack(&mut self, operands: &[Id]) -> Id {
        let inner = operands.first().map_or_else(Shape::scalar, |&x| self.shape(x).clone());
        let extents = std::iter::once(operands.len() as u32).chain(inner.extents().iter().copied());
        self.structural(Structural::Stack, operands, Shape::new(extents))
    }

    /// Entry `at` along the leading axis.
    pub fn pick(&mut self, x: Id, at: u32) -> Id {
        if let Op::Structural(Structural::Stack) = self.op(x) {
            return self.operand(x, at as usize);
        }
        let inner = Shape::new(self.shape(x).extents()[1..].iter().copied());
        let row = self.slice(x, 0, at, 1);
        self.reshape(row, &inner)
    }

    /// Windows of `length` along `axis`, `stride` apart; at least one fits.
    pub fn window(&mut self, x: Id, axis: u8, length: u32, stride: u32) -> Id {
        let shape = windowed(self.shape(x), axis, length, stride).unwrap_or_default();
        self.structural(Structural::Window { axis, length, stride }, &[x], shape)
    }

    /// Windows put back into an axis of `extent`.
    pub fn overlap(&mut self, x: Id, axis: u8, stride: u32, extent: u32) -> Id {
        let extents = self.shape(x).extents();
        let (before, after) = (&extents[..axis as usize], &extents[axis as usize + 2..]);
        let shape = Shape::new(before.iter().copied().chain([extent]).chain(after.iter().copied()));
        self.structural(Structural::Overlap { axis, stride }, &[x], shape)
    }

    /// The entries of `x` along its first axis that `index` names.
    pub fn gather(&mut self, x: Id, index: Id) -> Id {
        let shape = gathered(self.shape(x), self.shape(index)).unwrap_or_default();
        self.structural(Structural::Gather, &[x, index], shape)
    }

    /// `rows` entries, each the sum of the values whose index names it.
    pub fn scatter(&mut self, values: Id, index: Id, rows: u32) -> Id {
        let shape = scattered(self.shape(values), self.shape(index), rows).unwrap_or_default();
        self.structural(Structural::Scatter { rows }, &[values, index], shape)
    }

    /// 0, 1, …, n − 1.
    pub fn iota(&mut self, n: u32) -> Id {
        self.structural(Structural::Iota, &[], Shape::new([n]))
    }

    /// A reduction over the axes in the set; none of their extents is 0.
    pub fn reduce(&mut self, op: Reduction, x: Id, axes: u8) -> Id {
        if axes == 0 {
            return if op == Reduction::ArgMax { self.integer(0) } else { x };
        }
        let shape = without(self.shape(x), axes);
        let ty = self.type_id(Type::new(DType::F64, shape));
        self.intern(Op::Reduce { op, axes }, &[x], ty)
    }

    /// Sum of products over the last `over` axes of `a` and the first `over` axes of `b`.
    pub fn contract(&mut self, a: Id, b: Id, over: u8) -> Id {
        self.contract_batched(a, b, 0, over)
    }

    /// The same for each index of the leading `batch` axes, which both have.
    pub fn contract_batched(&mut self, a: Id, b: Id, batch: u8, over: u8) -> Id {
        let shape = contracted(self.shape(a), self.shape(b), batch, over).unwrap_or_default();
        let ty = self.type_id(Type::new(DType::F64, shape));
        self.intern(Op::Contract { batch, over }, &[a, b], ty)
    }
}

/// The shape of a contraction; `None` where the operands do not fit.
pub(super) fn contracted(a: &Shape, b: &Shape, batch: u8, over: u8) -> Option<Shape> {
    let (batch, over) = (batch as usize, over as usize);
    let (a, b) = (a.extents(), b.extents());
    let kept = a.len().checked_sub(batch + over)?;
    let (a, inner) = a.split_at(batch + kept);
    let (paired, b) = b.split_at_checked(batch)?;
    let rest = b.strip_prefix(inner)?;
    (a[..batch] == *paired).then(|| Shape::new(a.iter().chain(rest).copied()))
}

/// The set of all axes of a shape.
fn all_axes(shape: &Shape) -> u8 {
    ((1u16 << shape.rank()) - 1) as u8
}

/// A graph under construction, behind expressions that can be added and multiplied.
///
/// ```
/// use symdiff::{Builder, Real};
/// let b = Builder::new();
/// let (x, y) = (b.variable("x"), b.variable("y"));
/// let f = b.function((x * y).sin() + 2.0 * x);
/// assert_eq!(symdiff::grad(&f)?.to_string(), "y*cos(x*y) + 2\nx*cos(x*y)");
/// # Ok::<(), symdiff::Error>(())
/// ```
#[derive(Default)]
pub struct Builder {
    graph: RefCell<Graph>,
}

/// An expression of a [`Builder`]; copying it copies a reference.
#[derive(Clone, Copy)]
pub struct Expr<'g> {
    builder: &'g Builder,
    id: Id,
}

impl Builder {
    pub fn new() -> Self {
        Builder::from(Graph::new())
    }

    pub fn into_graph(self) -> Graph {
        self.graph.into_inner()
    }

    /// Runs `f` with `graph` behind a builder, and puts the graph back.
    pub fn over<R>(graph: &mut Graph, f: impl FnOnce(&Builder) -> R) -> R {
        let builder = Builder::from(std::mem::take(graph));
        let result = f(&builder);
        *graph = builder.into_graph();
        result
    }

    /// A copy of what has been built so far.
    pub fn snapshot(&self) -> Graph {
        self.graph.borrow().clone()
    }

    /// The function of everything declared so far, in order of declaration, with `output` as its value.
    pub fn function(&self, output: Expr<'_>) -> super::Function {
        self.function_of(&[output])
    }

    /// The same with several outputs.
    pub fn function_of(&self, outputs: &[Expr<'_>]) -> super::Function {
        let graph = self.snapshot();
        let inputs = graph.symbols().collect();
        super::Function::new(graph, inputs, outputs.iter().map(|e| e.id).collect())
    }

    /// Reads the graph; nothing may be built meanwhile.
    pub fn read<R>(&self, f: impl FnOnce(&Graph) -> R) -> R {
        f(&self.graph.borrow())
    }

    /// Changes the graph as a whole; expressions made before stay what they are.
    pub(crate) fn write<R>(&self, f: impl FnOnce(&mut Graph) -> R) -> R {
        f(&mut self.graph.borrow_mut())
    }

    fn build(&self, f: impl FnOnce(&mut Graph) -> Id) -> Expr<'_> {
        let id = f(&mut self.graph.borrow_mut());
        Expr { builder: self, id }
    }

    /// The expression of a node of this builder's graph.
    pub fn expr(&self, id: Id) -> Expr<'_> {
        Expr { builder: self, id }
    }

    /// The scalar variable called `name`; the same one each time it is asked for.
    pub fn variable(&self, name: &str) -> Expr<'_> {
        self.build(|g| g.input(name))
    }

    /// The vector variable called `name`, of `length` entries.
    pub fn vector(&self, name: &str, length: u32) -> Expr<'_> {
        self.array(name, &[length])
    }

    /// The array called `name`, of these extents; the same one each time it is asked for.
    pub fn array(&self, name: &str, extents: &[u32]) -> Expr<'_> {
        self.build(|g| {
            let ty = g.type_id(Type::new(DType::F64, Shape::new(extents.iter().copied())));
            g.input_of(name, ty)
        })
    }

    /// A constant. Finite values stand for the decimal they print as (`0.1` is 1/10), which the
    /// generated code rounds back to the same double; others become the quotient that makes them.
    pub fn constant(&self, value: f64) -> Expr<'_> {
        self.build(|g| match Number::from_decimal(&format!("{:e}", value.abs())) {
            Some(exact) if value.is_finite() => {
                g.exact(if value.is_sign_negative() { exact.negate() } else { exact })
            }
            _ => {
                let sign = if value.is_nan() { 0 } else { value.signum() as i64 };
                let (numerator, zero) = (g.integer(sign), g.integer(0));
                g.apply(Elementwise::Div, &[numerator, zero])
            }
        })
    }

    pub fn integer(&self, value: i64) -> Expr<'_> {
        self.build(|g| g.integer(value))
    }

    pub fn elementwise<'g>(&'g self, op: Elementwise, operands: &[Expr<'g>]) -> Expr<'g> {
        let ids: smallvec::SmallVec<[Id; 3]> = operands.iter().map(|x| x.id).collect();
        self.build(|g| g.apply(op, &ids))
    }

    pub fn compare<'g>(&'g self, op: Selection, operands: &[Expr<'g>]) -> Expr<'g> {
        let ids: smallvec::SmallVec<[Id; 3]> = operands.iter().map(|x| x.id).collect();
        self.build(|g| g.compare(op, &ids))
    }

    pub fn select<'g>(&'g self, condition: Expr<'g>, then: Expr<'g>, otherwise: Expr<'g>) -> Expr<'g> {
        self.build(|g| g.select(condition.id, then.id, otherwise.id))
    }

    pub fn sum<'g>(&'g self, x: Expr<'g>, axes: u8) -> Expr<'g> {
        self.build(|g| g.sum(x.id, axes))
    }

    pub fn broadcast<'g>(&'g self, x: Expr<'g>, axes: u8, shape: &Shape) -> Expr<'g> {
        self.build(|g| g.broadcast(x.id, axes, shape))
    }

    pub fn reshape<'g>(&'g self, x: Expr<'g>, shape: &Shape) -> Expr<'g> {
        self.build(|g| g.reshape(x.id, shape))
    }

    pub fn permute<'g>(&'g self, x: Expr<'g>, order: u32) -> Expr<'g> {
        self.build(|g| g.permute(x.id, order))
    }

    pub fn slice<'g>(&'g self, x: Expr<'g>, axis: u8, start: u32, length: u32) -> Expr<'g> {
        self.build(|g| g.slice(x.id, axis, start, length))
    }

    pub fn pad<'g>(&'g self, x: Expr<'g>, axis: u8, start: u32, length: u32) -> Expr<'g> {
        self.build(|g| g.pad(x.id, axis, start, length))
    }

    pub fn pick<'g>(&'g self, x: Expr<'g>, at: u32) -> Expr<'g> {
        self.build(|g| g.pick(x.id, at))
    }

    /// Operands of one shape along a new leading axis; at least one.
    pub fn stack<'g>(&'g self, operands: &[Expr<'g>]) -> Expr<'g> {
        let ids: Vec<Id> = operands.iter().map(|x| x.id).collect();
        self.build(|g| g.stack(&ids))
    }

    pub fn window<'g>(&'g self, x: Expr<'g>, axis: u8, length: u32, stride: u32) -> Expr<'g> {
        self.build(|g| g.window(x.id, axis, length, stride))
    }

    pub fn overlap<'g>(&'g self, x: Expr<'g>, axis: u8, stride: u32, extent: u32) -> Expr<'g> {
        self.build(|g| g.overlap(x.id, axis, stride, extent))
    }

    pub fn gather<'g>(&'g self, x: Expr<'g>, index: Expr<'g>) -> Expr<'g> {
        self.build(|g| g.gather(x.id, index.id))
    }

    pub fn scatter<'g>(&'g self, values: Expr<'g>, index: Expr<'g>, rows: u32) -> Expr<'g> {
        self.build(|g| g.scatter(values.id, index.id, rows))
    }

    pub fn iota(&self, n: u32) -> Expr<'_> {
        self.build(|g| g.iota(n))
    }

    pub fn reduce<'g>(&'g self, op: Reduction, x: Expr<'g>, axes: u8) -> Expr<'g> {
        self.build(|g| g.reduce(op, x.id, axes))
    }

    pub fn contract<'g>(&'g self, a: Expr<'g>, b: Expr<'g>, over: u8) -> Expr<'g> {
        self.contract_batched(a, b, 0, over)
    }

    pub fn contract_batched<'g>(&'g self, a: Expr<'g>, b: Expr<'g>, batch: u8, over: u8) -> Expr<'g> {
        self.build(|g| g.contract_batched(a.id, b.id, batch, over))
    }

    pub fn shape(&self, id: Id) -> Shape {
        self.graph.borrow().shape(id).clone()
    }
}

impl From<Graph> for Builder {
    fn from(graph: Graph) -> Self {
        Builder { graph: RefCell::new(graph) }
    }
}

impl<'g> Expr<'g> {
    pub fn id(self) -> Id {
        self.id
    }

    pub fn builder(self) -> &'g Builder {
        self.builder
    }

    pub fn is_constant(self, value: i64) -> bool {
        self.builder.read(|g| g.constant(self.id).is_some_and(|c| c.to_i64() == Some(value)))
    }
}

impl Scalar for Expr<'_> {
    fn lit(self, value: i64) -> Self {
        self.builder.integer(value)
    }

    fn if_less(self, other: Self, then: Self, otherwise: Self) -> Self {
        let condition = self.builder.compare(Selection::Less, &[self, other]);
        self.builder.select(condition, then, otherwise)
    }

    fn if_less_equal(self, other: Self, then: Self, otherwise: Self) -> Self {
        let condition = self.builder.compare(Selection::LessEqual, &[self, other]);
        self.builder.select(condition, then, otherwise)
    }

    fn if_equal(self, other: Self, then: Self, otherwise: Self) -> Self {
        let condition = self.builder.compare(Selection::Equal, &[self, other]);
        self.builder.select(condition, then, otherwise)
    }

    fn powi(self, n: i64) -> Self {
        let n = self.lit(n);
        self.builder.elementwise(Elementwise::Pow, &[self, n])
    }
}

impl Neg for Expr<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.builder.elementwise(Elementwise::Neg, &[self])
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident;)*) => { $(
        impl<'g> $trait for Expr<'g> {
            type Output = Expr<'g>;
            fn $method(self, other: Expr<'g>) -> Expr<'g> {
                self.builder.elementwise(Elementwise::$op, &[self, other])
            }
        }
        impl<'g> $trait<f64> for Expr<'g> {
            type Output = Expr<'g>;
            fn $method(self, other: f64) -> Expr<'g> {
                $trait::$method(self, self.builder.constant(other))
            }
        }
        impl<'g> $trait<Expr<'g>> for f64 {
            type Output = Expr<'g>;
            fn $method(self, other: Expr<'g>) -> Expr<'g> {
                $trait::$method(other.builder.constant(self), other)
            }
        }
    )* };
}

operators! {
    Add add Add;
    Sub sub Sub;
    Mul mul Mul;
    Div div Div;
}

impl<'g> AddAssign for Expr<'g> {
    fn add_assign(&mut self, other: Expr<'g>) {
        *self = *self + other;
    }
}

impl<'g> SubAssign for Expr<'g> {
    fn sub_assign(&mut self, other: Expr<'g>) {
        *self = *self - other;
    }
}

impl<'g> MulAssign for Expr<'g> {
    fn mul_assign(&mut self, other: Expr<'g>) {
        *self = *self * other;
    }
}
