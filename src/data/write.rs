//! Columns of numbers as an NPY file: one array of doubles.
//!
//! What must stay true: what is written reads back to the same bits.

use std::io::{self, Write};

/// NumPy's format, version 1.0, little-endian: an array of rows and columns, or of rows where there
/// is one column.
///
/// ```
/// let mut npy = Vec::new();
/// symdiff::data::write_npy(&mut npy, &[vec![1.0, 2.0, 3.0]])?;
/// assert_eq!((npy.len() - 3 * 8) % 64, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_npy(out: &mut impl Write, columns: &[Vec<f64>]) -> io::Result<()> {
    let rows = columns.first().map_or(0, Vec::len);
    let shape = match columns.len() {
        1 => format!("({rows},)"),
        n => format!("({rows}, {n})"),
    };
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    // The numbers start at a multiple of 64 bytes; before the header are 10, behind it a line's end.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&(length as u16).to_le_bytes())?;
    writeln!(out, "{header:width$}", width = length - 1)?;
    for row in 0..rows {
        columns.iter().try_for_each(|column| out.write_all(&column[row].to_le_bytes()))?;
    }
    Ok(())
}
