//! NumPy's NPY format: a header in a corner of Python's syntax, then numbers.
//!
//! What must stay true: nothing is allocated on the word of a header. Its length is bounded, the
//! shape's product is checked against overflow, against the budget, and against the bytes that
//! are really there. (The `npyz` crate multiplies unchecked; it is the oracle of the tests.)
//! The format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use super::arrays::Array;
use crate::error::{Diagnostic, Error};

/// Bytes of a header; NumPy itself writes about a hundred and refuses 10,000.
const HEADER_BYTES: usize = 1 << 16;
/// Axes of an array; NumPy has 32, or 64 since 2.0.
const AXES: usize = 64;

/// Reads the bytes of one NPY file. `place` names it in messages.
pub(super) fn parse_npy(place: &str, name: &str, bytes: &[u8], most: usize) -> Result<Array, Error> {
    let fault = |why: String| Error::data(Diagnostic::error(format!("{place}: {why}")));
    let (text, data) = header(bytes).map_err(fault)?;
    let Header { kind, fortran, shape } = Header::parse(text).map_err(fault)?;
    // An extent of 0 does not excuse the others: each makes columns, or windows, of its own.
    let product = |least: usize| shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent.max(least)));
    let Some(size) = product(1).filter(|&size| size <= most).and_then(|_| product(0)) else {
        let text = format!("{place}: an array of shape {shape:?} has more than {most} numbers");
        return Err(Error::limit(Diagnostic::error(text).hint("split the file, or raise the limit")));
    };
    let needed = size * kind.bytes; // at most 8 times the budget, which fits
    if data.len() != needed {
        let text = format!(
            "{place}: the header says shape {shape:?}, {needed} bytes of numbers, but there are {}",
            data.len()
        );
        let hint = "the file was cut short or damaged; save it again";
        return Err(Error::data(Diagnostic::error(text).hint(hint)));
    }
    let stored: Vec<f64> = data.chunks_exact(kind.bytes).map(|bytes| kind.number(bytes)).collect();
    let values = if fortran { row_major(&stored, &shape) } else { stored };
    Ok(Array { name: name.to_owned(), shape, values })
}

/// The header's text and the bytes after it.
fn header(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let cut = || "the header is cut short".to_owned();
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("this is not an NPY array")?;
    let (&[major, _], rest) = rest.split_first_chunk().ok_or_else(cut)?;
    let (length, rest) = match major {
        1 => rest.split_first_chunk().map(|(&n, rest)| (usize::from(u16::from_le_bytes(n)), rest)),
        2 | 3 => rest.split_first_chunk().map(|(&n, rest)| (u32::from_le_bytes(n) as usize, rest)),
        _ => return Err(format!("version {major} of the NPY format is unknown")),
    }
    .ok_or_else(cut)?;
    if length > HEADER_BYTES {
        return Err(format!("the header claims {length} bytes; at most {HEADER_BYTES} are read"));
    }
    let (text, data) = rest.split_at_checked(length).ok_or_else(cut)?;
    Ok((std::str::from_utf8(text).map_err(|_| "the header is not text")?, data))
}

/// What the header says.
#[derive(Debug, PartialEq)]
struct Header {
    kind: Kind,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Reads `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
    fn parse(text: &str) -> Result<Header, String> {
        let bad = || {
            format!("the header {:?} is not understood", text.trim_end().chars().take(80).collect::<String>())
        };
        let (mut kind, mut fortran, mut shape) = (None, None, None);
        let mut rest =
            text.trim().strip_prefix('{').and_then(|t| t.strip_suffix('}')).ok_or_else(bad)?.trim();
        while !rest.is_empty() {
            let (key, after) = string(rest).ok_or_else(bad)?;
            rest = after.trim_start().strip_prefix(':').ok_or_else(bad)?.trim_start();
            rest = match key {
                "descr" => {
                    let (descr, after) = string(rest)
                        .ok_or("records of several fields are not read; save each field as its own array")?;
                    kind = Some(Kind::parse(descr)?);
                    after
                }
                "fortran_order" => {
                    let after = rest.strip_prefix("True").map(|after| (true, after));
                    let (flag, after) =
                        after.or_else(|| Some((false, rest.strip_prefix("False")?))).ok_or_else(bad)?;
                    fortran = Some(flag);
                    after
                }
                "shape" => {
                    let (inside, after) =
                        rest.strip_prefix('(').and_then(|t| t.split_once(')')).ok_or_else(bad)?;
                    shape = Some(extents(inside).ok_or_else(bad)?);
                    after
                }
                _ => return Err(bad()),
            };
            rest = rest.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        match (kind, fortran, shape) {
            (Some(kind), Some(fortran), Some(shape)) => Ok(Header { kind, fortran, shape }),
            _ => Err(bad()),
        }
    }
}

/// A quoted string without escapes, and what follows.
fn string(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// `3, 4`, `3,` or nothing.
fn extents(text: &str) -> Option<Vec<usize>> {
    let text = text.trim();
    let text = text.strip_suffix(',').unwrap_or(text);
    if text.is_empty() {
        return Some(Vec::new());
    }
    let extents: Vec<usize> = text.split(',').map(|n| n.trim().parse().ok()).collect::<Option<_>>()?;
    (extents.len() <= AXES).then_some(extents)
}

/// How one number is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Kind {
    letter: u8,
    bytes: usize,
    big_endian: bool,
}

impl Kind {
    fn parse(descr: &str) -> Result<Kind, String> {
        let (order, rest) = match descr.as_bytes() {
            [order @ (b'<' | b'>' | b'|' | b'='), rest @ ..] => (*order, rest),
            rest => (b'=', rest),
        };
        let kind = |letter, bytes| Ok(Kind { letter, bytes, big_endian: order == b'>' });
        match rest {
            b"f4" => kind(b'f', 4),
            b"f8" => kind(b'f', 8),
            b"b1" => kind(b'b', 1),
            [letter @ (b'i' | b'u'), digit @ (b'1' | b'2' | b'4' | b'8')] => {
                kind(*letter, usize::from(digit - b'0'))
            }
            [b'O', ..] => {
                Err("the array holds Python objects; save it with a number type: `a.astype(float)`".into())
            }
            [b'U' | b'S', ..] => Err("the array holds texts; save the class numbers instead".into()),
            [b'c', ..] => Err("the array holds complex numbers; save real and imaginary parts apart".into()),
            _ => Err(format!("numbers of type {descr:?} are not read; save it as `a.astype(float)`")),
        }
    }

    /// The number in `bytes`; integers beyond 2⁵³ are rounded.
    fn number(self, bytes: &[u8]) -> f64 {
        let mut word = [0; 8];
        for (i, &byte) in bytes.iter().enumerate() {
            word[if self.big_endian { bytes.len() - 1 - i } else { i }] = byte;
        }
        let bits = u64::from_le_bytes(word);
        let unused = 64 - 8 * bytes.len() as u32;
        match (self.letter, self.bytes) {
            (b'f', 4) => f64::from(f32::from_bits(bits as u32)),
            (b'f', _) => f64::from_bits(bits),
            (b'i', _) => ((bits << unused) as i64 >> unused) as f64,
            (b'b', _) => f64::from(u8::from(bits != 0)),
            _ => bits as f64,
        }
    }
}

/// From the first axis fastest to the last axis fastest.
fn row_major(stored: &[f64], shape: &[usize]) -> Vec<f64> {
    let mut stride = 1;
    let step = |&extent: &usize| {
        let own = stride;
        stride *= extent;
        own
    };
    let strides: Vec<usize> = shape.iter().map(step).collect();
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    let mut values = Vec::with_capacity(stored.len());
    for _ in 0..stored.len() {
        values.push(stored[at]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read() {
        let header = Header::parse("{'descr': '>i2', 'fortran_order': True, 'shape': (3, 4), }   \n");
        let kind = Kind { letter: b'i', bytes: 2, big_endian: true };
        assert_eq!(header, Ok(Header { kind, fortran: true, shape: vec![3, 4] }));
        let header = Header::parse("{'shape': (), 'fortran_order': False, 'descr': '|b1'}");
        assert_eq!(header.map(|h| h.shape), Ok(vec![]));
    }

    #[test]
    fn bad_headers_are_refused() {
        for text in [
            "",
            "{",
            "{}",
            "{'descr': '<f8'}",
            "{'descr': '<f8', 'fortran_order': 1, 'shape': (3,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-3,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': 3}",
            "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<f16', 'fortran_order': False, 'shape': (3,)}",
            "{'é",
        ] {
            assert!(Header::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn fortran_order_is_turned() {
        assert_eq!(row_major(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0], &[2, 3]), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(row_major(&[7.0], &[]), [7.0]);
    }
}
