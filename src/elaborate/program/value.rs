//! What an expression of a program evaluates to.
//!
//! What must stay true: the axes of a tensor that run over indices come first, each index at most
//! once; the axes after them are the tensor's shape as the program sees it.

use super::extra::Extra;
use super::unit::FunctionId;
use crate::elaborate::names::Builtin;
use crate::error::Span;
use crate::ir::Id;
use smallvec::SmallVec;

/// An index of index notation, one for each place where it is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Label(pub(super) u32);

/// What is known of an index.
#[derive(Clone, Debug)]
pub(super) struct LabelInfo {
    pub(super) name: String,
    pub(super) span: Span,
    /// The first value and how many there are, once known.
    pub(super) range: Option<(i64, u32)>,
}

/// The indices of a tensor's leading axes.
pub(super) type Labels = SmallVec<[Label; 4]>;

/// A node, with what its leading axes run over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tensor {
    pub(super) node: Id,
    pub(super) labels: Labels,
}

impl Tensor {
    pub(super) fn plain(node: Id) -> Tensor {
        Tensor { node, labels: Labels::new() }
    }
}

/// A sum of indices with whole coefficients, and a whole number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Affine {
    /// Coefficients are not 0; ordered by label.
    pub(super) terms: SmallVec<[(Label, i64); 2]>,
    pub(super) constant: i64,
}

impl Affine {
    pub(super) fn index(label: Label) -> Affine {
        Affine { terms: SmallVec::from_slice(&[(label, 1)]), constant: 0 }
    }

    pub(super) fn number(constant: i64) -> Affine {
        Affine { terms: SmallVec::new(), constant }
    }

    /// `self + k*other`, unless a coefficient overflows.
    pub(super) fn plus(&self, k: i64, other: &Affine) -> Option<Affine> {
        let mut sum = self.clone();
        sum.constant = sum.constant.checked_add(k.checked_mul(other.constant)?)?;
        for &(label, coefficient) in &other.terms {
            let more = k.checked_mul(coefficient)?;
            match sum.terms.iter().position(|t| t.0 >= label) {
                Some(i) if sum.terms[i].0 == label => sum.terms[i].1 = sum.terms[i].1.checked_add(more)?,
                Some(i) => sum.terms.insert(i, (label, more)),
                None => sum.terms.push((label, more)),
            }
        }
        sum.terms.retain(|t| t.1 != 0);
        Some(sum)
    }

    /// The product, where one of both is a number.
    pub(super) fn times(&self, other: &Affine) -> Option<Affine> {
        match (self.terms.is_empty(), other.terms.is_empty()) {
            (true, _) => Affine::default().plus(self.constant, other),
            (_, true) => Affine::default().plus(other.constant, self),
            _ => None,
        }
    }
}

/// A factor of a product that is not multiplied out yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Factor {
    pub(super) tensor: Tensor,
    /// It divides.
    pub(super) inverse: bool,
}

/// A function as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum FunctionValue {
    Builtin(Builtin),
    Extra(Extra),
    /// A function of a text, with the block it was defined in.
    Defined {
        library: bool,
        function: FunctionId,
        env: usize,
    },
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Value {
    Tensor(Tensor),
    /// Numbers over indices, to be multiplied: a sum over an index becomes a contraction.
    Product(Vec<Factor>),
    /// Indices as numbers: still good for subscripts.
    Index(Affine),
    Function(FunctionValue),
}

impl From<Tensor> for Value {
    fn from(tensor: Tensor) -> Value {
        Value::Tensor(tensor)
    }
}
