//! The bytes of a safetensors file: a length, a JSON header, the numbers.
//!
//! What must stay true: the same contents give the same bytes, whereas the `safetensors` crate
//! writes metadata in the order of a hash map; the header ends on a multiple of 8 bytes, so
//! numbers are aligned. Parameters come first, in their order. The format:
//! <https://huggingface.co/docs/safetensors/index#format>.

use std::io::{self, Write};

use serde_json::Value;

use super::saved::{Dtype, Saved, Tensor};
use crate::error::{Diagnostic, Error};

/// What stands before the names of optimiser state.
pub(super) const STATE_PREFIX: &str = "optimizer/";
/// Bytes of a header that readers accept.
pub(super) const HEADER_BYTES: usize = 100_000_000;

impl Dtype {
    pub(super) fn bytes(self) -> usize {
        match self {
            Dtype::F64 => 8,
            Dtype::F32 => 4,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Dtype::F64 => "F64",
            Dtype::F32 => "F32",
        }
    }
}

/// The header, its length before it and blanks after it.
pub(super) fn header(saved: &Saved) -> Result<Vec<u8>, Error> {
    let mut entries = Vec::new();
    if !saved.metadata.is_empty() {
        let texts = saved.metadata.iter().map(|(key, text)| format!("{}:{}", json(key), json(text)));
        entries.push(format!("\"__metadata__\":{{{}}}", texts.collect::<Vec<_>>().join(",")));
    }
    let mut names = std::collections::BTreeSet::new();
    let mut offset = 0;
    for (prefix, tensor) in tensors(saved) {
        let name = format!("{prefix}{}", tensor.name);
        check(prefix, &name, tensor)?;
        let end = offset + tensor.values.len() * saved.dtype.bytes();
        entries.push(format!(
            "{}:{{\"dtype\":\"{}\",\"shape\":{:?},\"data_offsets\":[{offset},{end}]}}",
            json(&name),
            saved.dtype.name(),
            tensor.shape,
        ));
        offset = end;
        if let Some(name) = names.replace(name) {
            return Err(Error::input(Diagnostic::error(format!("two tensors are named `{name}`"))));
        }
    }
    let mut text = format!("{{{}}}", entries.join(",")).into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    if text.len() > HEADER_BYTES {
        let text =
            format!("the header of the weights would have {} bytes, more than readers take", text.len());
        return Err(Error::limit(Diagnostic::error(text)));
    }
    let mut header = (text.len() as u64).to_le_bytes().to_vec();
    header.extend(text);
    Ok(header)
}

/// Whether the tensor is what it says, and its name no other kind's.
fn check(prefix: &str, name: &str, tensor: &Tensor) -> Result<(), Error> {
    let (shape, length) = (&tensor.shape, tensor.values.len());
    if shape.iter().try_fold(1usize, |size, &extent| size.checked_mul(extent)) != Some(length) {
        let text = format!("tensor `{name}` has shape {shape:?} and {length} numbers");
        return Err(Error::input(Diagnostic::error(text)));
    }
    if name == "__metadata__" || (prefix.is_empty() && name.starts_with(STATE_PREFIX)) {
        let text = format!("a tensor cannot be named `{name}`: files use that name themselves");
        return Err(Error::input(Diagnostic::error(text).hint("rename the parameter")));
    }
    Ok(())
}

/// Writes the numbers, in the header's order.
pub(super) fn write_numbers(saved: &Saved, out: &mut impl Write) -> io::Result<()> {
    for (_, tensor) in tensors(saved) {
        for &value in &tensor.values {
            match saved.dtype {
                Dtype::F64 => out.write_all(&value.to_le_bytes())?,
                Dtype::F32 => out.write_all(&(value as f32).to_le_bytes())?,
            }
        }
    }
    Ok(())
}

/// Every tensor with what stands before its name.
fn tensors(saved: &Saved) -> impl Iterator<Item = (&'static str, &Tensor)> {
    let params = saved.params.iter().map(|tensor| ("", tensor));
    params.chain(saved.states.iter().map(|tensor| (STATE_PREFIX, tensor)))
}

fn json(text: &str) -> String {
    Value::from(text).to_string()
}
