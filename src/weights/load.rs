//! Reading a weights file.
//!
//! What must stay true: the file's size is checked before it is read, and every claim of its
//! header against that size before anything is allocated for it. The header's JSON, offsets and
//! shapes are the `safetensors` crate's to verify: tensors cover the data exactly, without gap
//! or overlap, in bounds, and no product overflows.

use std::path::Path;

use safetensors::{Dtype as Stored, SafeTensorError, SafeTensors};

use super::encode::{HEADER_BYTES, STATE_PREFIX};
use super::saved::{Dtype, Saved, Tensor};
use crate::data::read_file;
use crate::error::{Diagnostic, Error};
use crate::limits::Limits;

/// Reads a weights file.
///
/// Tensors come in the order of their places in the file. Errors: `is_unreadable` for a file
/// that cannot be opened, `is_limit` for its size, `is_data` for what is in it.
pub fn load(path: &Path, limits: &Limits) -> Result<Saved, Error> {
    let bytes = read_file(path, limits.weights_bytes, "weights file")?;
    decode(&path.display().to_string(), &bytes)
}

fn decode(source: &str, bytes: &[u8]) -> Result<Saved, Error> {
    let fault = |why: String| {
        let text = format!("`{source}` is not a sound weights file: {why}");
        Error::data(Diagnostic::error(text).hint("it was cut short or damaged, or is no safetensors file"))
    };
    let claimed = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
    if claimed > HEADER_BYTES as u64 || claimed > bytes.len() as u64 {
        return Err(fault(format!("its header claims {claimed} bytes, the file has {}", bytes.len())));
    }
    let (length, header) = SafeTensors::read_metadata(bytes).map_err(|error| fault(explain(&error)))?;
    let data = &bytes[8 + length..];
    let mut saved = Saved {
        metadata: header.metadata().clone().unwrap_or_default().into_iter().collect(),
        ..Saved::default()
    };
    let mut single = true;
    for name in header.offset_keys() {
        let Some(info) = header.info(&name) else { continue };
        let numbers = data.get(info.data_offsets.0..info.data_offsets.1).unwrap_or_default();
        let values = match info.dtype {
            Stored::F64 => numbers.chunks_exact(8).map(double).collect(),
            Stored::F32 => numbers.chunks_exact(4).map(single_precision).collect(),
            other => return Err(fault(format!("tensor `{name}` has type {other:?}; F64 and F32 are read"))),
        };
        single &= info.dtype == Stored::F32;
        match name.strip_prefix(STATE_PREFIX) {
            Some(state) => saved.states.push(Tensor::new(state, &info.shape, values)),
            None => saved.params.push(Tensor::new(&name, &info.shape, values)),
        }
    }
    let any = !saved.params.is_empty() || !saved.states.is_empty();
    saved.dtype = if single && any { Dtype::F32 } else { Dtype::F64 };
    Ok(saved)
}

fn double(bytes: &[u8]) -> f64 {
    let mut word = [0; 8];
    word.copy_from_slice(bytes);
    f64::from_le_bytes(word)
}

fn single_precision(bytes: &[u8]) -> f64 {
    let mut word = [0; 4];
    word.copy_from_slice(bytes);
    f64::from(f32::from_le_bytes(word))
}

/// The verifier's words, where ours say more.
fn explain(error: &SafeTensorError) -> String {
    match error {
        SafeTensorError::HeaderTooSmall => "it has fewer than 8 bytes".to_owned(),
        SafeTensorError::InvalidHeaderLength => "its header is longer than the file".to_owned(),
        SafeTensorError::MetadataIncompleteBuffer => "its tensors do not fill the file exactly".to_owned(),
        SafeTensorError::InvalidOffset(name) => format!("tensor `{name}` overlaps another or leaves a gap"),
        SafeTensorError::TensorInvalidInfo => {
            "a tensor's shape does not fit its place in the file".to_owned()
        }
        SafeTensorError::ValidationOverflow => "a tensor's shape overflows".to_owned(),
        other => other.to_string(),
    }
}
