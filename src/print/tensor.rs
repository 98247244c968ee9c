//! Forms of tensors: brackets for stacks, subscripts for slices, names for what has no sign.

use super::form::{Contraction, Form, Part, Scope, Subscript, Times};
use super::share::operands;
use crate::ir::structural::{MAX_RANK, source_axis};
use crate::ir::{
    Body, Elementwise, Graph, Id, Number, Op, Reduction, ScanResult, Selection, Structural, Symbol,
};

/// The subscripts of the element at a flat position of an input; none for a scalar.
pub fn position(graph: &Graph, symbol: Symbol, flat: usize) -> Vec<usize> {
    let mut rest = flat;
    let mut at = Vec::new();
    for &extent in graph.type_of(graph.symbol_type(symbol)).shape.extents().iter().rev() {
        let extent = (extent as usize).max(1);
        at.push(rest % extent);
        rest /= extent;
    }
    at.reverse();
    at
}

/// A result of a recurrence: what it is, which of its kind unless there is but one, its operands.
pub fn scan(scope: &Scope, body: Body, output: u32, operands: Vec<Part>) -> Form {
    let scan = scope.graph.body(body);
    let (forwards, backwards, which, count) = match scan.result(output) {
        ScanResult::Emitted(j) => ("scan", "scan_back", j, scan.emitted()),
        ScanResult::Last(i) => ("scan_last", "scan_back_last", i, scan.carries),
        ScanResult::Before(i) => ("scan_before", "scan_back_before", i, scan.carries),
    };
    let which = (count > 1).then(|| whole(which));
    Form::Structural(
        if scan.backwards { backwards } else { forwards },
        which.into_iter().chain(operands).collect(),
    )
}

/// The form of a structural op.
pub fn structural(scope: &Scope, op: Structural, id: Id) -> Form {
    let shape = scope.graph.shape(id);
    let of = operands(scope.graph, id);
    let Some(part) = of.first().map(|&x| Part::Node(x)) else {
        return Form::Structural("iota", vec![whole(shape.size())]);
    };
    let extents = || numbers(shape.extents().iter().map(|&d| d as usize));
    match op {
        Structural::Stack => array(scope, &of),
        Structural::Reshape | Structural::Iota => reshape(scope, id, of[0]),
        Structural::Slice { axis, start, length } => {
            let (start, end) = (start as usize, start as usize + length as usize);
            let all = vec![Subscript::All; axis as usize];
            Form::Index(part, all.into_iter().chain([Subscript::Range(start, end)]).collect())
        }
        Structural::Permute { order } => match shape.rank() {
            2 => Form::Transpose(part),
            rank => {
                let order = (0..rank).map(|i| source_axis(order, i));
                Form::Structural("permute", vec![part, numbers(order)])
            }
        },
        Structural::Sum { .. } if shape.is_scalar() => Form::Structural("sum", vec![part]),
        Structural::Sum { axes } => Form::Structural("sum", vec![part, numbers(set(axes))]),
        Structural::Broadcast { .. } if scope.graph.is_scalar(of[0]) => {
            Form::Structural("broadcast", vec![part, extents()])
        }
        Structural::Broadcast { axes } => {
            Form::Structural("broadcast", vec![part, extents(), numbers(set(axes))])
        }
        Structural::Pad { axis, start, length } => {
            let rest = [axis as usize, start as usize, length as usize];
            Form::Structural("pad", std::iter::once(part).chain(rest.map(whole)).collect())
        }
        Structural::Window { axis, length, stride } => {
            let rest = [axis as usize, length as usize, stride as usize];
            Form::Structural("window", std::iter::once(part).chain(rest.map(whole)).collect())
        }
        Structural::Overlap { axis, stride } => {
            let rest = [axis as usize, stride as usize, shape.extents()[axis as usize] as usize];
            Form::Structural("overlap", std::iter::once(part).chain(rest.map(whole)).collect())
        }
        Structural::Gather => Form::Structural("gather", vec![part, Part::Node(of[1])]),
        // One row: all others are zero.
        Structural::Scatter { rows } if scope.graph.is_scalar(of[1]) => {
            let place = Form::Structural("onehot", vec![Part::Node(of[1]), whole(rows as usize)]);
            match shape.rank() {
                2 => Form::Contract(Contraction::Outer, place.into(), part),
                1 => Form::Product(Times::Elements, vec![part, place.into()]),
                _ => Form::Structural("outer", vec![place.into(), part]),
            }
        }
        Structural::Scatter { rows } => {
            Form::Structural("scatter", vec![part, Part::Node(of[1]), whole(rows as usize)])
        }
    }
}

/// The form of a reduction; of all elements when it leaves a number.
pub fn reduction(scope: &Scope, op: Reduction, axes: u8, id: Id) -> Form {
    let part = Part::Node(operands(scope.graph, id)[0]);
    let whole_array = scope.graph.is_scalar(id);
    Form::Structural(op.name(), if whole_array { vec![part] } else { vec![part, numbers(set(axes))] })
}

/// The vector z of which exp(z − logsumexp(z)) is the softmax.
pub fn softmax_of(graph: &Graph, id: Id) -> Option<Id> {
    let exponent = graph.operand(id, 0);
    let (Op::Elementwise(Elementwise::Sub), [z, repeated]) = (graph.op(exponent), graph.operands(exponent))
    else {
        return None;
    };
    let is_repeated = matches!(graph.op(*repeated), Op::Structural(Structural::Broadcast { .. }));
    let total = is_repeated.then(|| graph.operand(*repeated, 0))?;
    let is_total = matches!(graph.op(total), Op::Reduce { op: Reduction::LogSumExp, .. });
    (is_total && graph.is_scalar(total) && graph.operand(total, 0) == *z).then_some(*z)
}

/// True for products and quotients that are written as functions.
pub fn has_name(graph: &Graph, id: Id) -> bool {
    mean_of(graph, id).is_some() || diagonal_of(graph, id).is_some()
}

/// The array whose mean this is: its sum over its size.
pub fn mean_of(graph: &Graph, id: Id) -> Option<Id> {
    let (sum, share) = match (graph.op(id), graph.operands(id)) {
        (Op::Elementwise(Elementwise::Div), &[sum, count]) => (sum, graph.constant(count)?.recip()?),
        (Op::Elementwise(Elementwise::Mul), &[share, sum]) => (sum, graph.constant(share)?.clone()),
        _ => return None,
    };
    let Op::Structural(Structural::Sum { .. }) = graph.op(sum) else { return None };
    let x = graph.operand(sum, 0);
    let is_share = share.recip()?.to_i64() == i64::try_from(graph.shape(x).size()).ok();
    (graph.is_scalar(sum) && is_share).then_some(x)
}

/// The vector of a diagonal matrix: the identity times the vector repeated along rows or columns.
pub fn diagonal_of(graph: &Graph, id: Id) -> Option<Id> {
    let Op::Elementwise(Elementwise::Mul) = graph.op(id) else { return None };
    let &[a, b] = graph.operands(id) else { return None };
    let repeated = if graph.is_identity(a) { b } else { a };
    let (Op::Structural(Structural::Broadcast { .. }), true) =
        (graph.op(repeated), graph.is_identity(a) || graph.is_identity(b))
    else {
        return None;
    };
    let vector = graph.operand(repeated, 0);
    (graph.shape(vector).rank() == 1).then_some(vector)
}

/// `onehot(k, n)`, for 1 where 0, 1, …, n − 1 is k and 0 elsewhere.
pub fn onehot(scope: &Scope, id: Id) -> Option<Form> {
    let graph = scope.graph;
    let &[condition, one, zero] = &*operands(graph, id) else { return None };
    if graph.is_identity(id) {
        let size = graph.shape(id).extents().first().copied().unwrap_or(0);
        return Some(Form::Structural("eye", vec![whole(size as usize)]));
    }
    let is = |x: Id, n: i64| graph.repeated_constant(x).is_some_and(|c| c.to_i64() == Some(n));
    if graph.op(condition) != Op::Selection(Selection::Equal) || !is(one, 1) || !is(zero, 0) {
        return None;
    }
    let &[a, b] = &*operands(graph, condition) else { return None };
    let is_iota = |x: Id| graph.op(x) == Op::Structural(Structural::Iota);
    let (class, count) = if is_iota(a) { (b, a) } else { (a, b) };
    let fits = is_iota(count) && graph.is_scalar(class);
    fits.then(|| Form::Structural("onehot", vec![Part::Node(class), whole(graph.shape(count).size())]))
}

/// One selection of an array or zero.
pub fn masked(scope: &Scope, id: Id) -> Option<Form> {
    let graph = scope.graph;
    let &[condition, then, otherwise] = &*operands(graph, id) else { return None };
    let is = |x: Id, n: i64| graph.repeated_constant(x).is_some_and(|c| c.to_i64() == Some(n));
    let fits = !graph.is_scalar(id) && is(otherwise, 0);
    fits.then(|| Form::Masked(Part::Node(condition), (!is(then, 1)).then_some(Part::Node(then))))
}

/// The form of a contraction over the last axes of one operand and the first of the other.
pub fn contraction(scope: &Scope, batch: u8, over: u8, id: Id) -> Form {
    let of = operands(scope.graph, id);
    let (a, b) = (Part::Node(of[0]), Part::Node(of[1]));
    let vectors = of.iter().all(|&x| scope.graph.shape(x).rank() == 1);
    match over {
        _ if batch > 0 => {
            Form::Structural("contract", vec![a, b, whole(over as usize), whole(batch as usize)])
        }
        0 if vectors => Form::Contract(Contraction::Outer, a, b),
        0 => Form::Structural("outer", vec![a, b]),
        1 if vectors => Form::Contract(Contraction::Vectors, a, b),
        1 => Form::Contract(Contraction::Matrices, a, b),
        _ => Form::Structural("contract", vec![a, b, whole(over as usize)]),
    }
}

/// Rows that are stacks of scalars make a matrix.
fn array(scope: &Scope, rows: &[Id]) -> Form {
    let elements: Option<Vec<Id>> = rows
        .iter()
        .map(|&row| flat_stack(scope, row))
        .collect::<Option<Vec<_>>>()
        .map(|rows| rows.into_iter().flatten().copied().collect());
    match elements {
        Some(elements) if !elements.is_empty() => {
            let extents = vec![rows.len(), elements.len() / rows.len()];
            Form::Array(elements.into_iter().map(Part::Node).collect(), extents)
        }
        _ => Form::Array(rows.iter().map(|&x| Part::Node(x)).collect(), vec![rows.len()]),
    }
}

/// The elements of a nameless stack of scalars.
fn flat_stack<'g>(scope: &Scope<'g>, id: Id) -> Option<&'g [Id]> {
    let is_stack = matches!(scope.graph.op(id), Op::Structural(Structural::Stack));
    let flat = is_stack && !scope.is_name(id) && scope.graph.shape(id).rank() == 1;
    flat.then(|| scope.graph.operands(id))
}

/// A reshape is the elements of a stack in rows, or the entry a slice of length one picks.
fn reshape(scope: &Scope, id: Id, x: Id) -> Form {
    let extents: Vec<usize> = scope.graph.shape(id).extents().iter().map(|&d| d as usize).collect();
    let source = scope.graph.shape(x).extents();
    if let Some(elements) = flat_stack(scope, x)
        && !extents.is_empty()
    {
        return Form::Array(elements.iter().map(|&x| Part::Node(x)).collect(), extents);
    }
    if source.first() == Some(&1) && source[1..] == *scope.graph.shape(id).extents() {
        return match scope.graph.op(x) {
            Op::Structural(Structural::Slice { axis: 0, start, .. }) if !scope.is_name(x) => {
                let of = Part::Node(scope.graph.operand(x, 0));
                Form::Index(of, vec![Subscript::At(start as usize)])
            }
            _ => Form::Index(Part::Node(x), vec![Subscript::At(0)]),
        };
    }
    Form::Structural("reshape", vec![Part::Node(x), numbers(extents)])
}

fn set(axes: u8) -> impl Iterator<Item = usize> {
    (0..MAX_RANK).filter(move |i| axes >> i & 1 == 1)
}

fn numbers(values: impl IntoIterator<Item = usize>) -> Part {
    let values: Vec<Part> = values.into_iter().map(whole).collect();
    let extents = vec![values.len()];
    Form::Array(values, extents).into()
}

fn whole(value: usize) -> Part {
    Part::Number(Number::integer(value as i64))
}
