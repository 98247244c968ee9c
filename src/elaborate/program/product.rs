//! Products over indices, and their sums, which become contractions.
//!
//! What must stay true: a sum of a product of two arrays never makes the array of all products.

use super::compute::elementwise;
use super::machine::Machine;
use super::value::{Factor, Label, Labels, Tensor, Value};
use crate::elaborate::apply::Fault;
use crate::elaborate::code::CodeOp;
use crate::error::Span;
use crate::ir::structural::pack_order;
use crate::ir::{DType, Elementwise, Id, Shape};

/// Factors that wait to be multiplied.
const WAITING: usize = 8;

impl Machine<'_, '_> {
    /// `a*b` or `a/b`; over indices it waits for a sum.
    pub(super) fn multiply(
        &mut self,
        span: Span,
        spans: [Span; 2],
        a: Value,
        b: Value,
        inverse: bool,
    ) -> Result<Value, Fault> {
        let mut factors = self.factors(&a, spans[0])?;
        let others = self.factors(&b, spans[1])?;
        let waits = factors.len() + others.len() <= WAITING
            && factors.iter().chain(&others).all(|f| self.is_number(&f.tensor))
            && factors.iter().chain(&others).any(|f| !f.tensor.labels.is_empty());
        if waits {
            factors.extend(others.into_iter().map(|f| Factor { inverse: f.inverse != inverse, ..f }));
            return Ok(Value::Product(factors));
        }
        let (a, b) = (self.multiply_out(&factors, spans[0])?, self.multiply_out(&others, spans[1])?);
        let op = if inverse { Elementwise::Div } else { Elementwise::Mul };
        Ok(self.apply(elementwise(op), span, &spans, &[a, b])?.into())
    }

    fn factors(&mut self, value: &Value, span: Span) -> Result<Vec<Factor>, Fault> {
        match value {
            Value::Product(factors) => Ok(factors.clone()),
            value => Ok(vec![Factor { tensor: self.tensor(value, span)?, inverse: false }]),
        }
    }

    fn is_number(&self, tensor: &Tensor) -> bool {
        self.shape(tensor).is_scalar() && self.graph.ty(tensor.node).dtype != DType::Bool
    }

    pub(super) fn multiply_out(&mut self, factors: &[Factor], span: Span) -> Result<Tensor, Fault> {
        let spans = [span, span];
        let mut product: Option<Tensor> = None;
        for factor in factors {
            let next = factor.tensor.clone();
            product = Some(match (product, factor.inverse) {
                (None, false) => next,
                (None, true) => {
                    let one = Tensor::plain(self.graph.integer(1));
                    self.apply(elementwise(Elementwise::Div), span, &spans, &[one, next])?
                }
                (Some(product), inverse) => {
                    let op = if inverse { Elementwise::Div } else { Elementwise::Mul };
                    self.apply(elementwise(op), span, &spans, &[product, next])?
                }
            });
        }
        Ok(product.expect("a product has factors"))
    }

    /// The sum of a product over some indices: what does not depend on them stays outside.
    pub(super) fn sum_of_product(
        &mut self,
        factors: &[Factor],
        over: &[Label],
        span: Span,
    ) -> Result<Value, Fault> {
        let depends = |t: &Tensor| t.labels.iter().any(|label| over.contains(label));
        let (inside, mut outside): (Vec<Factor>, Vec<Factor>) =
            factors.iter().cloned().partition(|f| depends(&f.tensor));
        let missing = over.iter().filter(|&&label| !inside.iter().any(|f| f.tensor.labels.contains(&label)));
        let times: i64 = missing.map(|&label| i64::from(self.extent(label))).product();
        if times != 1 {
            let times = Tensor::plain(self.graph.integer(times));
            outside.push(Factor { tensor: times, inverse: false });
        }
        let inside = self.without_quotients(inside, span)?;
        if let Some(sum) = self.contracted(inside, over, span)? {
            outside.insert(0, Factor { tensor: sum, inverse: false });
        }
        match outside.len() {
            1 if !outside[0].inverse => Ok(Value::Tensor(outside.remove(0).tensor)),
            _ => Ok(Value::Product(outside)),
        }
    }

    /// Divisors become part of a factor that runs over their indices, or factors of their own.
    fn without_quotients(&mut self, inside: Vec<Factor>, span: Span) -> Result<Vec<Tensor>, Fault> {
        let (divisors, factors): (Vec<Factor>, Vec<Factor>) = inside.into_iter().partition(|f| f.inverse);
        let mut factors: Vec<Tensor> = factors.into_iter().map(|f| f.tensor).collect();
        for divisor in divisors {
            let divisor = divisor.tensor;
            let covers = |f: &Tensor| divisor.labels.iter().all(|label| f.labels.contains(label));
            let (place, dividend) = match factors.iter().position(covers) {
                Some(place) => (Some(place), factors[place].clone()),
                None => (None, Tensor::plain(self.graph.integer(1))),
            };
            let quotient =
                self.apply(elementwise(Elementwise::Div), span, &[span; 2], &[dividend, divisor])?;
            match place {
                Some(place) => factors[place] = quotient,
                None => factors.push(quotient),
            }
        }
        Ok(factors)
    }

    /// The product of tensors, summed over indices that each has one of.
    fn contracted(
        &mut self,
        mut factors: Vec<Tensor>,
        over: &[Label],
        span: Span,
    ) -> Result<Option<Tensor>, Fault> {
        while factors.len() > 2 {
            let (i, j, sum) = choose(&factors, over);
            let b = factors.remove(j);
            let a = factors.remove(i);
            let product = match sum.is_empty() {
                true => self.apply(elementwise(Elementwise::Mul), span, &[span; 2], &[a, b])?,
                false => self.contract(a, b, &sum, span)?,
            };
            factors.insert(i, product);
        }
        Ok(match (factors.pop(), factors.pop()) {
            (Some(b), Some(a)) => Some(self.contract(a, b, over, span)?),
            (Some(a), None) => Some(self.summed(&a, over)),
            _ => None,
        })
    }

    /// A sum over those of the indices that the tensor has.
    pub(super) fn summed(&mut self, of: &Tensor, over: &[Label]) -> Tensor {
        let (axes, labels) = split_axes(of, over);
        Tensor { node: self.graph.sum(of.node, axes), labels }
    }

    /// `Σ a·b` over some indices, of numbers: other common indices are paired.
    fn contract(&mut self, a: Tensor, b: Tensor, over: &[Label], span: Span) -> Result<Tensor, Fault> {
        let alone = |t: &Tensor, other: &Tensor| -> Labels {
            over.iter().copied().filter(|l| t.labels.contains(l) && !other.labels.contains(l)).collect()
        };
        let (only_a, only_b) = (alone(&a, &b), alone(&b, &a));
        let (a, b) = (self.summed(&a, &only_a), self.summed(&b, &only_b));
        let both = |label: &&Label| b.labels.contains(label);
        let inner: Labels = a.labels.iter().filter(both).copied().filter(|l| over.contains(l)).collect();
        let batch: Labels = a.labels.iter().filter(both).copied().filter(|l| !over.contains(l)).collect();
        if inner.is_empty() {
            return self.apply(elementwise(Elementwise::Mul), span, &[span; 2], &[a, b]);
        }
        let kept = |t: &Tensor| -> Labels {
            let common = |label: &Label| inner.contains(label) || batch.contains(label);
            t.labels.iter().copied().filter(|label| !common(label)).collect()
        };
        let (left, right) = (kept(&a), kept(&b));
        let chain = |parts: [&Labels; 3]| -> Labels { parts.into_iter().flatten().copied().collect() };
        let labels = chain([&batch, &left, &right]);
        let shape = Shape::new(labels.iter().map(|&label| self.extent(label)));
        self.affordable(&shape, span)?;
        let first = self.ordered(&a, &chain([&batch, &left, &inner]));
        let second = self.ordered(&b, &chain([&batch, &inner, &right]));
        let node = self.graph.contract_batched(first, second, batch.len() as u8, inner.len() as u8);
        Ok(Tensor { node, labels })
    }

    /// The node with its indices in another order.
    fn ordered(&mut self, of: &Tensor, labels: &[Label]) -> Id {
        let place = |label: &Label| of.labels.iter().position(|l| l == label).expect("the same indices");
        let own = of.labels.len()..self.graph.shape(of.node).rank();
        let order = pack_order(labels.iter().map(place).chain(own));
        self.graph.permute(of.node, order)
    }

    /// `a @ b` and `a · b`; over indices, for each of their values.
    pub(super) fn matrix_product(
        &mut self,
        op: CodeOp,
        span: Span,
        spans: &[Span; 2],
        [a, b]: [Tensor; 2],
    ) -> Result<Tensor, Fault> {
        let (left, right) = (self.shape(&a), self.shape(&b));
        let plain = a.labels.is_empty() && b.labels.is_empty();
        if plain || left.is_scalar() || right.is_scalar() {
            return match plain || op == CodeOp::MatMul {
                true => self.plain_product(op, span, spans, &[a, b]),
                false => self.apply(elementwise(Elementwise::Mul), span, spans, &[a, b]),
            };
        }
        if left.extents().last() != right.extents().first() || (op == CodeOp::Dot && left != right) {
            // Stand-ins without indices get the words of the fault.
            return self.plain_product(op, span, spans, &[a, b]);
        }
        let inner = self.fresh(*left.extents().last().unwrap_or(&1), span);
        let rows = self.fresh_for(&left.extents()[..left.rank() - 1], span);
        let columns = self.fresh_for(&right.extents()[1..], span);
        let named = |t: &Tensor, own: &[Label]| -> Tensor {
            Tensor { node: t.node, labels: t.labels.iter().chain(own).copied().collect() }
        };
        let first = named(&a, &[rows.as_slice(), &[inner]].concat());
        let second = named(&b, &[&[inner], columns.as_slice()].concat());
        let product = self.contract(first, second, &[inner], span)?;
        self.collected(&product, &[rows.as_slice(), columns.as_slice()].concat(), span)
    }

    fn plain_product(
        &mut self,
        op: CodeOp,
        span: Span,
        spans: &[Span; 2],
        of: &[Tensor; 2],
    ) -> Result<Tensor, Fault> {
        let mut ids = Vec::new();
        for tensor in of {
            let shape = self.shape(tensor);
            ids.push(match tensor.labels.is_empty() {
                true => tensor.node,
                false => {
                    let zero = self.graph.integer(0);
                    let all = ((1u16 << shape.rank()) - 1) as u8;
                    self.graph.broadcast(zero, all, &shape)
                }
            });
        }
        Ok(Tensor::plain(self.site(op, span, spans, &ids, &[])?))
    }

    fn fresh_for(&mut self, extents: &[u32], span: Span) -> Labels {
        extents.iter().map(|&extent| self.fresh(extent, span)).collect()
    }

    /// An index nobody has named.
    pub(super) fn fresh(&mut self, extent: u32, span: Span) -> Label {
        self.label(String::new(), span, Some((0, extent)))
    }
}

/// The axes a tensor runs over some indices along, and the indices left.
pub(super) fn split_axes(of: &Tensor, over: &[Label]) -> (u8, Labels) {
    let mut axes = 0u8;
    let mut labels = Labels::new();
    for (axis, label) in of.labels.iter().enumerate() {
        match over.contains(label) {
            true => axes |= 1 << axis,
            false => labels.push(*label),
        }
    }
    (axes, labels)
}

/// Two factors to multiply next, and the indices to sum over then: those that no other factor has.
fn choose(factors: &[Tensor], over: &[Label]) -> (usize, usize, Labels) {
    let has = |i: usize, label: &Label| factors[i].labels.contains(label);
    let mut best = (0, 1, Labels::new());
    for i in 0..factors.len() {
        for j in i + 1..factors.len() {
            let others = |label: &&Label| (0..factors.len()).all(|k| k == i || k == j || !has(k, label));
            let common = |label: &&Label| has(i, label) && has(j, label);
            let sum: Labels = over.iter().filter(common).filter(others).copied().collect();
            if sum.len() > best.2.len() {
                best = (i, j, sum);
            }
        }
    }
    if !best.2.is_empty() {
        return best;
    }
    // Otherwise one that runs over no index the other does not.
    let within = |i: usize, j: usize| factors[i].labels.iter().all(|label| has(j, label));
    let pairs = (0..factors.len()).flat_map(|i| (i + 1..factors.len()).map(move |j| (i, j)));
    let (i, j) = pairs.into_iter().find(|&(i, j)| within(i, j) || within(j, i)).unwrap_or((0, 1));
    (i, j, Labels::new())
}
