//! Columns by an input's own name: `age` for a scalar, `x0 x1 …`, `x_0`, `x[0]`, `x_0_7` for more.
//!
//! What must stay true: a set of numbered columns is taken whole or refused; a missing or a
//! surplus number is an error, never a shift by one.

use super::bind::InputShape;
use super::table::Table;
use crate::error::{Diagnostic, Error};

/// The input's columns in row-major order; nothing where no name is the input's.
pub(super) fn by_name(table: &Table, input: &InputShape) -> Result<Option<Vec<usize>>, Error> {
    if !table.has_header() {
        return Ok(None);
    }
    if input.size() == 1
        && let Some(at) = table.index(&input.name)
    {
        return Ok(Some(vec![at]));
    }
    if input.extents.is_empty() {
        return Ok(None);
    }
    let mut numbered: Vec<(Vec<usize>, usize)> = table
        .names()
        .iter()
        .enumerate()
        .filter_map(|(at, name)| Some((indices(name.strip_prefix(input.name.as_str())?)?, at)))
        .collect();
    let long: Vec<usize> = input.extents.iter().copied().filter(|&n| n != 1).collect();
    // As many numbers as axes, as axes longer than 1, or one number that counts through.
    for extents in [&input.extents, &long, &vec![input.size()]] {
        let fits = |(indices, _): &(Vec<usize>, usize)| indices.len() == extents.len();
        if !extents.is_empty() && numbered.iter().any(fits) {
            numbered.retain(fits);
            return grid(table, input, extents, numbered).map(Some);
        }
    }
    Ok(None)
}

/// The numbers of a name's end: `0`, `_0_7`, `[0]`, `[0,7]`, `[0][7]`, `.0`.
fn indices(suffix: &str) -> Option<Vec<usize>> {
    if !suffix.chars().all(|c| c.is_ascii_digit() || "_.,[]()-".contains(c)) {
        return None;
    }
    let numbers = suffix.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let numbers: Option<Vec<usize>> = numbers.map(|digits| digits.parse().ok()).collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

/// The columns, sorted by number, if their numbers are exactly those of the extents, from 0 or 1.
fn grid(
    table: &Table,
    input: &InputShape,
    extents: &[usize],
    mut numbered: Vec<(Vec<usize>, usize)>,
) -> Result<Vec<usize>, Error> {
    numbered.sort();
    let first = &table.names()[numbered[0].1];
    let last = &table.names()[numbered[numbered.len() - 1].1];
    let (found, needed) = (numbered.len(), input.size());
    let fault = |text: String| {
        let text = format!("{}: input `{input}` takes {needed} columns, but {text}", table.source());
        let hint = format!("name its columns in `data {{ {} = … }}`", input.name);
        Err(Error::data(Diagnostic::error(text).hint(hint)))
    };
    if found != needed {
        return fault(format!("{found} have its name: `{first}` to `{last}`"));
    }
    let base = numbered[0].0.iter().copied().min().unwrap_or(0).min(1);
    for (i, (indices, _)) in numbered.iter().enumerate() {
        let mut rest = i;
        for (&index, &extent) in indices.iter().zip(extents).rev() {
            if index != base + rest % extent {
                return fault(format!("`{first}` to `{last}` are not numbered through"));
            }
            rest /= extent;
        }
    }
    Ok(numbered.into_iter().map(|(_, at)| at).collect())
}

#[cfg(test)]
mod tests {
    use super::indices;

    #[test]
    fn numbers_of_a_name() {
        for (suffix, expected) in [
            ("0", Some(vec![0])),
            ("_12", Some(vec![12])),
            ("[3]", Some(vec![3])),
            ("_0_7", Some(vec![0, 7])),
            ("[0,7]", Some(vec![0, 7])),
            ("[0][7]", Some(vec![0, 7])),
            ("", None),
            ("_", None),
            ("_cm", None),
            ("_1b", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(indices(suffix), expected, "{suffix}");
        }
    }
}
