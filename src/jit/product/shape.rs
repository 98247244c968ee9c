//! A product in bytes: sizes and strides as the code uses them, and how it may be turned.
//!
//! What must stay true: every distance the code may go fits a displacement; a turned product is the
//! same one, `toᵀ = rightᵀ · leftᵀ`.

use super::epilogue::{Beside, Epilogue};
use crate::ir::Precision;
use crate::jit::wide::Level;
use crate::loops::tensor::{Buffer, Matrix, Product};
use std::rc::Rc;

/// Loops around a product that code of ours counts, each in a register.
pub(super) const OUTER: usize = 5;

/// Bytes a pointer may go in all: displacements are 32 bits.
pub(super) const REACH: i64 = 1 << 30;

/// A matrix: bytes from the arena's start to its first element, and from row to row and from column
/// to column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub start: i64,
    pub row: i64,
    pub column: i64,
}

impl View {
    fn turned(self) -> View {
        View { row: self.column, column: self.row, ..self }
    }
}

/// A loop around a product: how often, and the strides of `to`, `left` and `right`.
pub(super) type Outer = (usize, [i64; 3]);

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub level: Level,
    pub precision: Precision,
    pub rows: usize,
    pub columns: usize,
    pub terms: usize,
    pub to: View,
    pub left: View,
    pub right: View,
    /// Outermost first.
    pub outer: Vec<Outer>,
    /// What is done to the result before it is stored.
    pub epilogue: Option<Rc<Epilogue>>,
}

impl Shape {
    /// The shape of a product; none where it is out of the code's reach.
    pub fn of(product: &Product, buffers: &[Buffer], precision: Precision, level: Level) -> Option<Shape> {
        let unit = bytes(precision) as i64;
        let view = |matrix: &Matrix| {
            let start = buffers[matrix.buffer.index()].offset as i64 + matrix.offset;
            // A stride that is never gone along may be anything.
            let [row, column] = [matrix.row, matrix.column].map(|stride| stride.saturating_mul(unit));
            View { start: start * unit, row, column }
        };
        let [rows, columns, terms] = product.size;
        let outer = product.outer.iter().filter(|(extent, _)| *extent > 1);
        let outer = outer.map(|&(extent, strides)| (extent as usize, strides.map(|s| s * unit)));
        let mut shape = Shape {
            level,
            precision,
            rows,
            columns,
            terms,
            to: view(&product.to),
            left: view(&product.left),
            right: view(&product.right),
            outer: merged(outer),
            epilogue: None,
        };
        // The stride of a single element is as good as any.
        for (view, extents) in [
            (&mut shape.to, [rows, columns]),
            (&mut shape.left, [rows, terms]),
            (&mut shape.right, [terms, columns]),
        ] {
            view.row = if extents[0] == 1 { unit } else { view.row };
            view.column = if extents[1] == 1 { unit } else { view.column };
        }
        shape.is_in_reach().then_some(shape)
    }

    fn is_in_reach(&self) -> bool {
        let views = [
            (self.to, [self.rows, self.columns]),
            (self.left, [self.rows, self.terms]),
            (self.right, [self.terms, self.columns]),
        ];
        let reaches = views.iter().enumerate().all(|(which, (view, extents))| {
            let outer = self.outer.iter().map(|(extent, strides)| (*extent, strides[which]));
            let inner = [(extents[0], view.row), (extents[1], view.column)];
            let most = |all: i64, (extent, stride): (usize, i64)| {
                all.saturating_add(stride.saturating_abs().saturating_mul(extent as i64))
            };
            outer.chain(inner).fold(view.start.saturating_abs(), most) < REACH
        });
        reaches && self.outer.len() <= OUTER
    }

    /// Bytes of an element.
    pub fn unit(&self) -> usize {
        bytes(self.precision)
    }

    /// Elements of a vector.
    pub fn lanes(&self) -> usize {
        self.level.bytes() / self.unit()
    }

    /// The product with its sides changed over.
    pub fn turned(&self) -> Shape {
        Shape {
            rows: self.columns,
            columns: self.rows,
            to: self.to.turned(),
            left: self.right.turned(),
            right: self.left.turned(),
            outer: self.outer.iter().map(|&(n, [to, left, right])| (n, [to, right, left])).collect(),
            ..self.clone()
        }
    }

    /// What goes along with the result.
    pub fn besides(&self) -> &[Beside] {
        self.epilogue.as_ref().map_or(&[], |epilogue| &epilogue.besides)
    }

    /// Multiplications of one round of the outer loops.
    pub fn work(&self) -> usize {
        self.rows.saturating_mul(self.columns).saturating_mul(self.terms)
    }

    /// Rounds of the outer loops.
    pub fn rounds(&self) -> usize {
        self.outer.iter().map(|o| o.0).product()
    }
}

/// Loops in which an inner one goes on where the next round of its outer one begins are one loop.
fn merged(outer: impl Iterator<Item = Outer>) -> Vec<Outer> {
    let mut all: Vec<Outer> = Vec::new();
    for (extent, strides) in outer {
        match all.last_mut() {
            Some((around, far)) if *far == strides.map(|s| s * extent as i64) => {
                (*around, *far) = (*around * extent, strides);
            }
            _ => all.push((extent, strides)),
        }
    }
    all
}

pub(super) fn bytes(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 4,
        Precision::F64 => 8,
    }
}
