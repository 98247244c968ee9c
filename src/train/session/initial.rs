//! First values of parameters.
//!
//! Fans, as PyTorch and Keras count them on `[out, in]` matrices and `[filters, channels, …]`
//! kernels: in = the product of the axes after the first, out = the first axis times the product
//! of the axes after the second; a vector or a scalar has fan 1 on the side it lacks.

use super::orthogonal::orthogonal;
use crate::data::Random;
use crate::elaborate::program::Init;
use crate::error::{Diagnostic, Error};

/// Largest number of entries whose orthogonalisation stays within seconds.
const ORTHOGONAL_ENTRIES: usize = 1 << 22;

/// The entries of a parameter of this shape, row-major.
///
/// Fails where a list has another length than the shape, and where `Orthogonal` is asked for a
/// vector or for more than 4,194,304 entries.
///
/// ```
/// use symdiff::data::Random;
/// use symdiff::elaborate::program::Init;
/// use symdiff::train::initialise;
/// let w = initialise(&Init::Glorot, &[8, 2], &mut Random::new(0, "W1"))?;
/// assert!(w.len() == 16 && w.iter().all(|w| w.abs() <= (6.0f64 / 10.0).sqrt()));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn initialise(init: &Init, shape: &[usize], random: &mut Random) -> Result<Vec<f64>, Error> {
    let size = shape.iter().product();
    let (fan_in, fan_out) = fans(shape);
    Ok(match init {
        Init::Constant(value) => vec![*value; size],
        Init::List(values) if values.len() == size => values.clone(),
        Init::List(values) => {
            let text =
                format!("{} first values for a parameter of shape {shape:?}, {size} entries", values.len());
            return Err(Error::shape(
                Diagnostic::error(text).hint("give one number for each entry, or one for all"),
            ));
        }
        Init::Normal { mean, std } => (0..size).map(|_| mean + std * random.normal()).collect(),
        Init::Uniform { lo, hi } => uniform(size, *lo, *hi, random),
        Init::Glorot => {
            let bound = (6.0 / (fan_in + fan_out)).sqrt();
            uniform(size, -bound, bound, random)
        }
        Init::He => {
            let std = (2.0 / fan_in).sqrt();
            (0..size).map(|_| std * random.normal()).collect()
        }
        Init::Orthogonal => {
            let [rows, rest @ ..] = shape else { return Err(not_orthogonal(shape)) };
            if rest.is_empty() || size > ORTHOGONAL_ENTRIES {
                return Err(not_orthogonal(shape));
            }
            orthogonal(*rows, rest.iter().product(), random)
        }
    })
}

fn uniform(size: usize, lo: f64, hi: f64, random: &mut Random) -> Vec<f64> {
    (0..size).map(|_| lo + (hi - lo) * random.uniform()).collect()
}

fn not_orthogonal(shape: &[usize]) -> Error {
    let text =
        format!("an orthogonal start needs a matrix of at most {ORTHOGONAL_ENTRIES} entries, not {shape:?}");
    Error::shape(Diagnostic::error(text).hint("start with `normal`, `glorot` or `he`"))
}

/// Numbers that come in to one entry's unit, and that it goes out to.
fn fans(shape: &[usize]) -> (f64, f64) {
    let product = |axes: &[usize]| axes.iter().map(|&n| n as f64).product::<f64>();
    match shape {
        [] => (1.0, 1.0),
        [out] => (1.0, *out as f64),
        [out, rest @ ..] => (product(rest), *out as f64 * product(&rest[1..])),
    }
}
