//! What a weights file holds.

use std::collections::BTreeMap;

use crate::error::{Diagnostic, Error};
use crate::suggest::suggest;

/// How numbers are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dtype {
    /// binary64.
    #[default]
    F64,
    /// binary32: values are rounded to it.
    F32,
}

/// A named array.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its name: `W1`, `dense1.W`.
    pub name: String,
    /// Its shape; empty for a number.
    pub shape: Vec<usize>,
    /// Its numbers, row-major.
    pub values: Vec<f64>,
}

impl Tensor {
    /// A tensor of these numbers, row-major.
    pub fn new(name: &str, shape: &[usize], values: Vec<f64>) -> Tensor {
        Tensor { name: name.to_owned(), shape: shape.to_vec(), values }
    }
}

/// The contents of a weights file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    /// The parameters, in the program's order.
    pub params: Vec<Tensor>,
    /// The optimiser's state, such as `m/W1`; in the file each name follows `optimizer/`.
    pub states: Vec<Tensor>,
    /// Texts by key: `symdiff.program`, `symdiff.clock`, ….
    pub metadata: BTreeMap<String, String>,
    /// How numbers are stored.
    pub dtype: Dtype,
}

impl Saved {
    /// The values of the parameters a program declares, in its order.
    ///
    /// Fails, naming both shapes, where a parameter is missing or has another shape.
    pub fn parameters<'a>(
        &self,
        wanted: impl IntoIterator<Item = (&'a str, &'a [usize])>,
    ) -> Result<Vec<&[f64]>, Error> {
        let wanted = wanted.into_iter();
        wanted.map(|(name, shape)| find(&self.params, "parameter", name, shape)).collect()
    }

    /// The values of the optimiser's states, in the order asked.
    pub fn optimizer_states<'a>(
        &self,
        wanted: impl IntoIterator<Item = (&'a str, &'a [usize])>,
    ) -> Result<Vec<&[f64]>, Error> {
        let wanted = wanted.into_iter();
        wanted.map(|(name, shape)| find(&self.states, "optimiser state", name, shape)).collect()
    }
}

fn find<'a>(tensors: &'a [Tensor], what: &str, name: &str, shape: &[usize]) -> Result<&'a [f64], Error> {
    let Some(tensor) = tensors.iter().find(|tensor| tensor.name == name) else {
        let text = format!("the weights file has no {what} `{name}`");
        let near = suggest(name, tensors.iter().map(|tensor| tensor.name.as_str()));
        let hint = match near {
            Some(near) => format!("it has `{near}`; is it of another program?"),
            None => "is the file of another program?".to_owned(),
        };
        return Err(Error::data(Diagnostic::error(text).hint(hint)));
    };
    if tensor.shape != shape {
        let text = format!(
            "{what} `{name}` has shape {:?} in the weights file and {shape:?} in the program",
            tensor.shape
        );
        let hint = "the program has changed since the weights were saved";
        return Err(Error::data(Diagnostic::error(text).hint(hint)));
    }
    Ok(&tensor.values)
}
