//! Vectors and matrices: stacks, indices, products, transposes.

use super::apply::{Fault, Site, shape_fault};
use super::code::Axis;
use crate::error::{Diagnostic, ErrorKind};
use crate::ir::structural::{MAX_RANK, pack_order};
use crate::ir::{Elementwise, Id, Op, Shape, Structural};
use std::ops::Range;

/// A subscript with its bounds checked.
pub(super) enum Bounds {
    At(u32),
    Range(Range<u32>),
}

impl Site<'_> {
    pub(super) fn vector(&mut self) -> Result<Id, Fault> {
        self.numbers()?;
        let first = self.shape(0);
        if let Some(i) = (1..self.ids.len()).find(|&i| *self.graph.shape(self.ids[i]) != first) {
            let other = self.shape(i);
            return Err(shape_fault(
                Diagnostic::error("the elements of a vector must have one shape")
                    .at(self.operand_span(i), described(&other))
                    .and_at(self.operand_span(0), described(&first)),
            ));
        }
        if first.rank() >= MAX_RANK {
            let message = format!("vectors are nested at most {MAX_RANK} deep");
            return Err(Box::new((
                ErrorKind::Limit,
                Diagnostic::error(message).at(self.span(), "one too many"),
            )));
        }
        self.affordable(&Shape::new(
            [self.ids.len() as u32].into_iter().chain(first.extents().iter().copied()),
        ))?;
        Ok(self.graph.stack(self.ids))
    }

    pub(super) fn transpose(&mut self) -> Result<Id, Fault> {
        self.numbers()?;
        let text = self.text(self.operand_span(0));
        let hint = match self.shape(0).rank() {
            0 => "`'` is the transpose; a derivative is written `d/dx …`".to_owned(),
            1 => format!(
                "a vector has one axis: `{text}·w` is a product of two, `[{text}]` a matrix of one row"
            ),
            2 => return Ok(self.graph.permute(self.ids[0], pack_order([1, 0]))),
            _ => "only matrices are transposed".to_owned(),
        };
        let label = described(&self.shape(0));
        Err(shape_fault(
            Diagnostic::error("only a matrix has a transpose").at(self.operand_span(0), label).hint(hint),
        ))
    }

    /// `a·b`: of two vectors their inner product, else a product with a number.
    pub(super) fn dot(&mut self) -> Result<Id, Fault> {
        self.numbers()?;
        let (a, b) = (self.shape(0), self.shape(1));
        match (a.rank(), b.rank()) {
            (0, _) | (_, 0) => self.elementwise(Elementwise::Mul),
            (1, 1) if a == b => Ok(self.graph.contract(self.ids[0], self.ids[1], 1)),
            (1, 1) => {
                self.one_shape()?;
                Ok(self.ids[0])
            }
            _ => Err(shape_fault(
                self.product_of("`·` is the product of two vectors", "for matrices write `@`"),
            )),
        }
    }

    pub(super) fn matrix_product(&mut self) -> Result<Id, Fault> {
        self.numbers()?;
        let (a, b) = (self.shape(0), self.shape(1));
        if a.is_scalar() || b.is_scalar() {
            return Err(shape_fault(
                self.product_of("`@` is the product of vectors and matrices", "for numbers write `*`"),
            ));
        }
        if a.extents().last() != b.extents().first() {
            let message = format!("the shapes {a} and {b} do not fit for `@`");
            let diagnostic = self.product_of(&message, "");
            return Err(shape_fault(match self.transposed_fit(&a, &b) {
                Some(mend) => diagnostic.hint(format!("did you mean `{mend}`?")),
                None => diagnostic.hint("the last extent of the left must be the first of the right"),
            }));
        }
        let rest = a.extents()[..a.rank() - 1].iter().chain(&b.extents()[1..]);
        let result = Shape::new(rest.copied());
        if result.rank() > MAX_RANK {
            return Err(shape_fault(
                self.product_of(&format!("a result with more than {MAX_RANK} axes"), ""),
            ));
        }
        self.affordable(&result)?;
        Ok(self.graph.contract(self.ids[0], self.ids[1], 1))
    }

    fn product_of(&self, message: &str, hint: &str) -> Diagnostic {
        let diagnostic = Diagnostic::error(message)
            .at(self.operand_span(1), described(&self.shape(1)))
            .and_at(self.operand_span(0), described(&self.shape(0)));
        if hint.is_empty() { diagnostic } else { diagnostic.hint(hint) }
    }

    /// The product with one matrix transposed, if that would fit.
    fn transposed_fit(&self, a: &Shape, b: &Shape) -> Option<String> {
        let (left, right) = (self.text(self.operand_span(0)), self.text(self.operand_span(1)));
        if a.rank() == 2 && a.extents()[0] == b.extents()[0] {
            return Some(format!("{}' @ {right}", in_brackets(left)));
        }
        let fits = b.rank() == 2 && a.extents().last() == Some(&b.extents()[1]);
        fits.then(|| format!("{left} @ {}'", in_brackets(right)))
    }

    pub(super) fn index(&mut self) -> Result<Id, Fault> {
        self.numbers()?;
        let axes = self.axes;
        let base = self.shape(0);
        if axes.len() > base.rank() {
            return Err(shape_fault(self.too_many_subscripts(&base, axes.len())));
        }
        let mut bounds = Vec::with_capacity(axes.len());
        let mut next = 1;
        for (axis, &extent) in axes.iter().zip(base.extents()) {
            bounds.push(self.bounds(*axis, extent, &mut next)?);
        }
        Ok(self.cut(&base, &bounds))
    }

    pub(super) fn too_many_subscripts(&self, base: &Shape, given: usize) -> Diagnostic {
        let text = self.text(self.operand_span(0));
        match base.rank() {
            0 => Diagnostic::error(format!("`{text}` is a number and has no elements"))
                .at(self.span(), "indexed here")
                .and_at(self.operand_span(0), "a number"),
            rank => Diagnostic::error(
                format!("`{text}` has {rank} axes, and here are {given} subscripts")
                    .replace(" 1 axes", " 1 axis"),
            )
            .at(self.span(), "")
            .and_at(self.operand_span(0), described(base)),
        }
    }

    pub(super) fn bounds(&self, axis: Axis, extent: u32, next: &mut usize) -> Result<Bounds, Fault> {
        let mut bound = |written: bool, most: u32, otherwise: u32| -> Result<(u32, usize), Fault> {
            if !written {
                return Ok((otherwise, 0));
            }
            *next += 1;
            Ok((self.bound(*next - 1, most, extent)?, *next - 1))
        };
        match axis {
            Axis::At => Ok(Bounds::At(bound(true, extent - 1, 0)?.0)),
            Axis::Range { from, to } => {
                let (from, _) = bound(from, extent - 1, 0)?;
                let (to, place) = bound(to, extent, extent)?;
                if from < to {
                    return Ok(Bounds::Range(from..to));
                }
                let diagnostic = Diagnostic::error("an empty range")
                    .at(self.operand_span(place), "not above the beginning");
                Err(shape_fault(diagnostic.hint("`x[1:3]` are the elements 1 and 2")))
            }
        }
    }

    /// The value of the subscript's operand `i`.
    fn bound(&self, i: usize, most: u32, extent: u32) -> Result<u32, Fault> {
        let last = extent - 1;
        let Some(value) = self.graph.constant(self.ids[i]) else {
            return Err(shape_fault(
                Diagnostic::error("an index must be a constant")
                    .at(self.operand_span(i), "not a constant")
                    .hint("write a whole number, as in `x[0]`"),
            ));
        };
        match value.to_i64() {
            Some(value) if (0..=i64::from(most)).contains(&value) => Ok(value as u32),
            Some(-1) => Err(shape_fault(
                self.out_of_range(i, "-1", last).hint(format!("the last element has the index {last}")),
            )),
            Some(value) => Err(shape_fault(self.out_of_range(i, &value.to_string(), last))),
            None => Err(shape_fault(
                Diagnostic::error("an index must be a whole number")
                    .at(self.operand_span(i), "not a whole number"),
            )),
        }
    }

    fn out_of_range(&self, i: usize, value: &str, last: u32) -> Diagnostic {
        let valid =
            if last == 0 { "the only index is 0".to_owned() } else { format!("the indices are 0 to {last}") };
        Diagnostic::error(format!("the index {value} is out of range"))
            .at(self.operand_span(i), valid)
            .and_at(self.operand_span(0), described(&self.shape(0)))
    }

    fn cut(&mut self, base: &Shape, bounds: &[Bounds]) -> Id {
        let x = self.ids[0];
        // One element of an array is read at its flat position, unless it is known.
        if let Some(at) = flat_position(base, bounds)
            && !matches!(self.graph.op(x), Op::Structural(Structural::Stack))
        {
            let flat = self.graph.reshape(x, &Shape::new([base.size() as u32]));
            return self.graph.pick(flat, at);
        }
        let (mut cut, mut axis) = (x, 0u8);
        for bound in bounds {
            match bound {
                Bounds::At(at) if axis == 0 => cut = self.graph.pick(cut, *at),
                Bounds::At(at) => {
                    let row = self.graph.slice(cut, axis, *at, 1);
                    let shape = crate::ir::structural::without(self.graph.shape(row), 1 << axis);
                    cut = self.graph.reshape(row, &shape);
                }
                Bounds::Range(range) => {
                    cut = self.graph.slice(cut, axis, range.start, range.end - range.start);
                    axis += 1;
                }
            }
        }
        cut
    }
}

/// The row-major position of an element all of whose subscripts are given.
fn flat_position(base: &Shape, bounds: &[Bounds]) -> Option<u32> {
    if bounds.len() != base.rank() {
        return None;
    }
    bounds.iter().zip(base.extents()).try_fold(0u32, |position, (bound, &extent)| match bound {
        Bounds::At(at) => Some(position * extent + at),
        Bounds::Range(_) => None,
    })
}

pub(super) fn described(shape: &Shape) -> String {
    match shape.extents() {
        [] => "a number".to_owned(),
        [n] => format!("a vector of {n}"),
        [rows, columns] => format!("a {rows}×{columns} matrix"),
        _ => format!("shape {shape}"),
    }
}

fn in_brackets(text: String) -> String {
    let is_name = text.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_name || text.starts_with('[') { text } else { format!("({text})") }
}
