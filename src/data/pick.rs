//! Columns by explicit choice: names, globs, ranges.

use super::cell::quoted;
use super::table::Table;
use crate::error::Diagnostic;
use crate::suggest::suggest;

/// A choice of columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnPick {
    /// The column of this name.
    Name(String),
    /// The columns whose names match, in the table's order: `*` is any text, `?` any character.
    Glob(String),
    /// From one name to another, both included, in the table's order.
    Names(String, String),
    /// The column at this place, counted from 0.
    Position(usize),
    /// Places from..to, the second not included.
    Positions(usize, usize),
}

/// The chosen columns' places, in the order chosen.
pub(super) fn pick(table: &Table, picks: &[ColumnPick]) -> Result<Vec<usize>, Diagnostic> {
    let mut chosen = Vec::new();
    for pick in picks {
        match pick {
            ColumnPick::Name(name) => chosen.push(named(table, name)?),
            ColumnPick::Glob(glob) => chosen.extend(matching(table, glob)?),
            ColumnPick::Names(from, to) => {
                let (first, last) = (named(table, from)?, named(table, to)?);
                if first > last {
                    let text =
                        format!("{}: column {} stands after {}", table.source(), quoted(from), quoted(to));
                    return Err(Diagnostic::error(text).hint(format!("write `{to}:{from}`")));
                }
                chosen.extend(first..=last);
            }
            ColumnPick::Position(at) => chosen.extend(placed(table, *at, at.saturating_add(1))?),
            ColumnPick::Positions(from, to) => chosen.extend(placed(table, *from, *to)?),
        }
    }
    Ok(chosen)
}

fn named(table: &Table, name: &str) -> Result<usize, Diagnostic> {
    let at = if table.has_header() { table.index(name) } else { None };
    at.ok_or_else(|| {
        let text = format!("{} has no column named {}", table.source(), quoted(name));
        let near = suggest(name, table.names().iter().map(String::as_str));
        Diagnostic::error(text).hint(match near {
            _ if !table.has_header() => {
                "its columns have no names: pick them by place, from 0, or say that it has a header"
                    .to_owned()
            }
            Some(near) => format!("is it {}?", quoted(near)),
            None => format!("its columns are {}", table.some_names()),
        })
    })
}

fn matching(table: &Table, glob: &str) -> Result<Vec<usize>, Diagnostic> {
    let matches = |i: &usize| table.has_header() && glob_matches(glob, &table.names()[*i]);
    let found: Vec<usize> = (0..table.names().len()).filter(matches).collect();
    if found.is_empty() {
        let text = format!("{} has no column that matches {}", table.source(), quoted(glob));
        return Err(Diagnostic::error(text).hint(format!("its columns are {}", table.some_names())));
    }
    Ok(found)
}

fn placed(table: &Table, from: usize, to: usize) -> Result<std::ops::Range<usize>, Diagnostic> {
    let width = table.columns().len();
    if from < to && to <= width {
        return Ok(from..to);
    }
    let asked =
        if to == from.saturating_add(1) { format!("column {from}") } else { format!("columns {from}:{to}") };
    let text = format!("{} has {width} columns and no {asked}", table.source());
    Err(Diagnostic::error(text).hint("places count from 0, and `a:b` leaves out b"))
}

/// Whether the whole name matches. On a mismatch the last `*` takes one character more: at
/// most glob × name steps.
fn glob_matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut g, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match glob.get(g) {
            Some('*') => {
                g += 1;
                retry = Some((g, n));
            }
            Some(&c) if c == '?' || c == name[n] => (g, n) = (g + 1, n + 1),
            _ => match retry {
                Some((after, from)) => {
                    (g, n) = (after, from + 1);
                    retry = Some((after, from + 1));
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::glob_matches;

    #[test]
    fn globs_match_whole_names() {
        for (glob, name, expected) in [
            ("pixel_*", "pixel_0_7", true),
            ("pixel_*", "xpixel_0", false),
            ("*_cm", "petal_length_cm", true),
            ("*a*b", "xaxbxab", true),
            ("*a*b", "xaxbxa", false),
            ("s?", "s1", true),
            ("s?", "s10", false),
            ("*", "", true),
            ("", "a", false),
        ] {
            assert_eq!(glob_matches(glob, name), expected, "{glob} against {name}");
        }
    }

    #[test]
    fn a_hostile_glob_takes_little_time() {
        assert!(!glob_matches(&"*a".repeat(500), &"a".repeat(499)));
    }
}
