//! Types of graph nodes: an element type and a shape. A scalar has rank 0.

use smallvec::SmallVec;
use std::fmt;

/// The type of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    F64,
    F32,
    Bool,
    Int,
}

/// What numbers are stored and computed in by a kernel; the graph itself does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    #[default]
    F64,
    F32,
}

/// The extent of every axis, outermost first; empty for a scalar.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Shape(SmallVec<[u32; 4]>);

impl Shape {
    pub fn scalar() -> Self {
        Shape::default()
    }

    pub fn new(extents: impl IntoIterator<Item = u32>) -> Self {
        Shape(extents.into_iter().collect())
    }

    pub fn rank(&self) -> usize {
        self.0.len()
    }

    pub fn is_scalar(&self) -> bool {
        self.0.is_empty()
    }

    pub fn extents(&self) -> &[u32] {
        &self.0
    }

    /// The number of elements; saturates instead of overflowing, so that a budget can refuse it.
    pub fn size(&self) -> usize {
        self.0.iter().fold(1usize, |n, &d| n.saturating_mul(d as usize))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, d) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{d}")?;
        }
        f.write_str("]")
    }
}

/// Element type and shape of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    pub dtype: DType,
    pub shape: Shape,
}

impl Type {
    pub fn new(dtype: DType, shape: Shape) -> Self {
        Type { dtype, shape }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.dtype {
            DType::F64 => "f64",
            DType::F32 => "f32",
            DType::Bool => "bool",
            DType::Int => "int",
        };
        f.write_str(name)?;
        if !self.shape.is_scalar() {
            write!(f, "{}", self.shape)?;
        }
        Ok(())
    }
}

/// A type interned in one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub(super) u32);

impl TypeId {
    /// Every graph interns these two first.
    pub const F64: TypeId = TypeId(0);
    pub const BOOL: TypeId = TypeId(1);
}
