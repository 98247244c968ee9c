//! The graph every stage shares: typed, hash-consed, append-only.
//!
//! Text is elaborated into it, derivatives are more of it, simplification rewrites it, and
//! printers and kernels read it. Operands always have smaller ids than their users, so a
//! walk in id order is a topological one and nothing here recurses.

mod build;
mod elementwise;
mod enclosure;
pub mod eval;
mod function;
mod graph;
mod image;
mod interval;
mod number;
mod numbered;
mod reduction;
mod scalarise;
mod scan;
mod selection;
pub mod structural;
mod substitute;
pub mod text;
mod text_read;
mod types;
pub mod verify;
mod walk;

pub use build::{Builder, Expr};
pub use elementwise::{Course, Domain, Elementwise, Kink, Real, Scalar, Single};
pub use enclosure::{Enclosed, Truth, Value};
pub use eval::evaluate;
pub use function::Function;
pub(crate) use graph::Repetition;
pub use graph::{Constant, Graph, Id, Node, Op, Symbol};
pub use image::Image;
pub use interval::Interval;
pub use number::Number;
pub(crate) use numbered::Numbered;
pub use reduction::Reduction;
pub use scalarise::{elements, leaf, scalarise};
pub use scan::{Body, NESTING, ScanBody, ScanResult};
pub use selection::Selection;
pub use structural::Structural;
pub use types::{DType, Precision, Shape, Type, TypeId};
pub use walk::{operation_count, reachable, use_counts};
