//! Matrix products to machine code of our own: a product of constant shape → `shape` in bytes →
//! `form`, how it is done → `write`, a function of vector code.
//!
//! `tiling` cuts the result into tiles that stay in registers, `tile` writes their sums, `epilogue` what is
//! done to them before they are stored, `panel` the columns of a right factor laid side by side, `dot` sums
//! along rows; `code` holds the pointers.
//! Cranelift's module keeps the bytes; where there is no code of ours, a library multiplies.
//!
//! What must stay true: nothing is read or written outside the three matrices and what an epilogue names;
//! an element is summed in an order that depends on the product's shape and strides only, not on the width
//! of vectors nor on threads.

mod code;
mod dot;
mod epilogue;
mod form;
mod panel;
mod shape;
mod tile;
mod tiling;
mod write;

use crate::ir::Precision;
use crate::jit::wide::{Assembly, Level};
use crate::loops::tensor::{Buffer, Nest, Product};
use std::rc::Rc;

/// A product that there is code of ours for: how it is done, and its pieces.
pub struct Generated {
    form: form::Form,
    cut: write::Cut,
    /// Its function, where that had to be written to know that it can be.
    written: Option<Assembly>,
}

impl Generated {
    /// Into how many pieces it is cut.
    pub fn pieces(&self) -> u32 {
        self.cut.pieces as u32
    }

    /// Its function, which takes the arena, and which piece.
    pub fn assembly(&self) -> Assembly {
        let written = self.written.clone().or_else(|| write::write(&self.form, &self.cut));
        written.expect("without an epilogue any can be written")
    }

    /// The same code with a nest as its epilogue: what it does to each element of the result is done while that
    /// is in a register; the result itself is stored as well where it `keeps` it. None where the nest is not
    /// over the result's elements, or takes more than the few registers that are left.
    ///
    /// The nest must write nothing that the product reads.
    pub fn followed_by(
        &self,
        nest: &Nest,
        product: &Product,
        buffers: &[Buffer],
        keeps: bool,
    ) -> Option<Generated> {
        let shape = &self.form.shape;
        if matches!(self.form.way, form::Way::Dot(_)) {
            return None;
        }
        let epilogue = epilogue::Epilogue::of(nest, product, buffers, shape, keeps)?;
        let shape = shape::Shape { epilogue: Some(Rc::new(epilogue)), ..shape.clone() };
        let form = form::Form { shape, way: self.form.way };
        let written = Some(write::write(&form, &self.cut)?);
        Some(Generated { form, cut: self.cut, written })
    }
}

/// The code of a product over buffers of an arena; none where a library does better, or the level
/// has no code of ours. `rounds`, where given, is how many pieces it is to be cut into, along the
/// outermost loop, which has as many rounds.
///
/// ```
/// use symdiff::ir::{DType, Function, Graph, Precision, Shape, Type};
/// use symdiff::jit::product::generate;
/// use symdiff::jit::wide::Level;
/// use symdiff::loops::tensor::{Step, TensorOptions, build};
///
/// let mut graph = Graph::new();
/// let matrix = graph.type_id(Type::new(DType::F64, Shape::new([40, 40])));
/// let (a, b) = (graph.input_of("a", matrix), graph.input_of("b", matrix));
/// let product = graph.contract(a, b, 1);
/// let inputs = graph.symbols().collect();
/// let program = build(&Function::new(graph, inputs, vec![product]), &TensorOptions::default())?;
/// let Step::Product(product) = &program.steps[0] else { panic!("the program is a product") };
/// let code = generate(product, &program.buffers, Precision::F64, Level::L256, None).expect("it is small");
/// assert!(code.assembly().to_string().contains("vfmadd231pd"));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn generate(
    product: &Product,
    buffers: &[Buffer],
    precision: Precision,
    level: Level,
    rounds: Option<u32>,
) -> Option<Generated> {
    if level == Level::L128 {
        return None;
    }
    let shape = shape::Shape::of(product, buffers, precision, level)?;
    let form = form::choose(shape)?;
    Some(Generated { cut: write::Cut::of(&form.shape, rounds), form, written: None })
}
