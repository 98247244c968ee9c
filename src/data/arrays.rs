//! Data files of any kind: a text table, an NPY array, an NPZ archive of arrays.
//!
//! What must stay true: an archive is unpacked only up to the budget, whatever sizes it claims;
//! the kind of a file is told by its first bytes and, for text, by its name.

use std::collections::HashSet;
use std::io::{Cursor, Read};
use std::path::Path;

use super::cell::quoted;
use super::file::{display_name, read_file};
use super::npy::parse_npy;
use super::read::{TableOptions, check_columns, parse_file};
use super::table::Table;
use super::text::Corpus;
use crate::error::{Diagnostic, Error};
use crate::limits::Limits;

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its name in the archive, or the file's name without `.npy`.
    pub name: String,
    /// Its shape; the first axis counts examples.
    pub shape: Vec<usize>,
    /// Its numbers, row-major.
    pub values: Vec<f64>,
}

impl Array {
    /// An array of one's own: `values` row-major, the first axis counts examples.
    ///
    /// # Errors
    /// Where the shape has another number of elements than there are values.
    ///
    /// ```
    /// use symdiff::data::Array;
    /// assert!(Array::new("x", &[2, 3], &[0.0; 6]).is_ok());
    /// let error = Array::new("x", &[2, 3], &[0.0; 5]).unwrap_err();
    /// assert_eq!(error.to_string(), "array `x` of shape [2, 3] needs 6 values, and has 5");
    /// ```
    pub fn new(name: &str, shape: &[usize], values: &[f64]) -> Result<Array, Error> {
        let size = shape.iter().try_fold(1usize, |size, &n| size.checked_mul(n));
        if size != Some(values.len()) {
            let size = size.map_or_else(|| "more than any memory holds".to_owned(), |n| n.to_string());
            let text =
                format!("array `{name}` of shape {shape:?} needs {size} values, and has {}", values.len());
            return Err(Error::data(Diagnostic::error(text)));
        }
        Ok(Array { name: name.to_owned(), shape: shape.to_vec(), values: values.to_vec() })
    }

    /// The elements of a view, in row-major order; the first axis counts examples.
    ///
    /// ```
    /// let matrix = ndarray::array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    /// let turned = symdiff::data::Array::of_view("x", matrix.t());
    /// assert_eq!((turned.shape, turned.values), (vec![2, 3], vec![1.0, 3.0, 5.0, 2.0, 4.0, 6.0]));
    /// ```
    #[cfg(feature = "ndarray")]
    pub fn of_view<D: ndarray::Dimension>(name: &str, view: ndarray::ArrayView<'_, f64, D>) -> Array {
        Array { name: name.to_owned(), shape: view.shape().to_vec(), values: view.iter().copied().collect() }
    }
}

/// What a data file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Dataset {
    /// Columns: CSV, TSV, or an NPY matrix, whose columns have no names.
    Table(Table),
    /// Named arrays: an NPZ archive, with the file's name.
    Arrays(String, Vec<Array>),
    /// A text, whose windows are the examples.
    Text(Corpus),
}

/// Reads a CSV, TSV, NPY or NPZ file.
///
/// An NPY file of one or two axes is a table without header.
pub fn read_dataset(path: &Path, options: &TableOptions) -> Result<Dataset, Error> {
    let bytes = read_file(path, options.limits.table_bytes, "data file")?;
    let ends = |extension: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension));
    if !(ends("npz") || ends("npy") || bytes.starts_with(b"\x93NUMPY")) {
        return parse_file(path, &bytes, options).map(Dataset::Table);
    }
    let (name, arrays) = (display_name(path), parse_arrays(path, &bytes, &options.limits)?);
    Ok(match arrays.as_slice() {
        [Array { shape, values, .. }] if shape.len() <= 2 && !ends("npz") => {
            let width = shape.get(1).copied().unwrap_or(1);
            check_columns(&name, width, &options.limits)?;
            Dataset::Table(Table::from_rows(&name, width, values))
        }
        _ => Dataset::Arrays(name, arrays),
    })
}

/// Reads the arrays of an NPY or NPZ file, in the file's order.
///
/// Floats of 4 and 8 bytes, integers and truth values, little- or big-endian, in C or Fortran
/// order. Errors: `is_data` for what is in the file, `is_limit` for sizes beyond the budgets.
pub fn read_arrays(path: &Path, limits: &Limits) -> Result<Vec<Array>, Error> {
    let bytes = read_file(path, limits.table_bytes, "data file")?;
    parse_arrays(path, &bytes, limits)
}

fn parse_arrays(path: &Path, bytes: &[u8], limits: &Limits) -> Result<Vec<Array>, Error> {
    let name = display_name(path);
    if bytes.starts_with(b"PK") {
        return parse_npz(&name, bytes, limits);
    }
    let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    Ok(vec![parse_npy(&name, &stem, bytes, limits.table_cells)?])
}

fn parse_npz(source: &str, bytes: &[u8], limits: &Limits) -> Result<Vec<Array>, Error> {
    let fault = |error: &dyn std::fmt::Display| {
        let text = format!("{source} is not a sound NPZ archive: {error}");
        Error::data(Diagnostic::error(text).hint("save it again with `numpy.savez`"))
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| fault(&e))?;
    let (mut room, mut cells) = (limits.table_bytes, limits.table_cells);
    let mut arrays: Vec<Array> = Vec::new();
    let mut names = HashSet::new();
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(|e| fault(&e))?;
        let file = entry.name().map_err(|e| fault(&e))?.into_owned();
        let Some(name) = file.strip_suffix(".npy") else { continue };
        // Never more than the budget, whatever the archive says of itself; the claim is only a
        // reason to refuse early.
        let claimed = entry.size();
        let mut unpacked = Vec::new();
        if claimed <= room as u64 {
            entry.take(room as u64 + 1).read_to_end(&mut unpacked).map_err(|e| fault(&e))?;
        }
        if claimed > room as u64 || unpacked.len() > room {
            let text = format!(
                "{source} unpacks to more than the {} bytes a data file may have",
                limits.table_bytes
            );
            return Err(Error::limit(Diagnostic::error(text).hint("split the file, or raise the limit")));
        }
        room -= unpacked.len();
        if !names.insert(name.to_owned()) {
            return Err(fault(&format!("two arrays are named {}", quoted(name))));
        }
        let array = parse_npy(&format!("{source}, array `{name}`"), name, &unpacked, cells)?;
        cells -= array.values.len();
        arrays.push(array);
    }
    if arrays.is_empty() {
        let text = format!("{source} holds no arrays");
        return Err(Error::data(Diagnostic::error(text).hint("an NPZ archive holds `.npy` files")));
    }
    Ok(arrays)
}
