//! "Did you mean …": the nearest of the names there are.

/// Names longer than this are nobody's misspelling.
const LONGEST: usize = 32;

/// The candidate within two edits (insert, delete, replace, swap neighbours) of `name`, the
/// nearest and among equals the first; letters' case counts half an edit at most once.
pub(crate) fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().take(LONGEST + 1).collect();
    if wanted.len() > LONGEST {
        return None;
    }
    // Of a short name most letters must be right.
    let most = match wanted.len() {
        0 => return None,
        1 | 2 => 1,
        3 | 4 => 2,
        _ => 4,
    };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let cost = cost(&wanted, candidate);
        if cost > 0 && cost <= most && best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Twice the number of edits; one for names that differ in case only.
fn cost(wanted: &[char], candidate: &str) -> usize {
    let found: Vec<char> = candidate.chars().take(LONGEST + 1).collect();
    let lower = |name: &[char]| name.iter().flat_map(|c| c.to_lowercase()).collect::<Vec<char>>();
    if wanted == found {
        0
    } else if lower(wanted) == lower(&found) {
        1
    } else if found.len() == 1 {
        usize::MAX // one letter is near to every other letter
    } else {
        2 * distance(wanted, &found)
    }
}

/// Optimal string alignment: the rows of the usual table, two back for swaps.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        let names = ["x", "sin", "asin", "sinh", "sqrt", "log", "sigmoid", "height"];
        assert_eq!(suggest(name, names), expected, "for {name}");
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        check("sine", Some("sin"));
        check("sqr", Some("sqrt"));
        check("Sin", Some("sin"));
        check("X", Some("x"));
        check("isn", Some("sin"));
        check("sigmiod", Some("sigmoid"));
        check("hieght", Some("height"));
    }

    #[test]
    fn far_names_are_not_suggested() {
        check("y", None);
        check("ab", None);
        check("frobnicate", None);
        check("", None);
        check(&"x".repeat(100), None);
    }
}
