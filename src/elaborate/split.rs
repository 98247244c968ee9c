//! Names that are products: `xy`, where x and y are variables and `xy` is not.

use super::scope::{Meaning, Names, Segment};

/// Names with more characters are not taken apart.
const LONGEST: usize = 24;

impl Names<'_> {
    /// The segments of a name that is a product of at least two variables of the text.
    ///
    /// A leading π always stands for itself: `πr` is π·r wherever r is a possible variable.
    pub(super) fn split(&mut self, name: &str) -> Option<Vec<Segment>> {
        let starts: Vec<usize> = name.char_indices().map(|(at, _)| at).chain([name.len()]).collect();
        if starts.len() < 3 || starts.len() > LONGEST + 1 {
            return None;
        }
        self.product_of_names(name, &starts).or_else(|| self.multiple_of_pi(name))
    }

    /// Longest segments first; from the back, so that every suffix is decided once.
    fn product_of_names(&mut self, name: &str, starts: &[usize]) -> Option<Vec<Segment>> {
        let end = starts.len() - 1;
        let mut next: Vec<Option<(usize, Meaning)>> = vec![None; end];
        for from in (0..end).rev() {
            for to in (from + 1..=end).rev() {
                let whole = from == 0 && to == end;
                if whole || (to < end && next[to].is_none()) {
                    continue;
                }
                if let Some(meaning) = self.segment(&name[starts[from]..starts[to]]) {
                    next[from] = Some((to, meaning));
                    break;
                }
            }
        }
        let mut segments = Vec::new();
        let mut at = 0;
        while at < end {
            let (to, meaning) = next[at]?;
            segments.push((starts[at]..starts[to], meaning));
            at = to;
        }
        Some(segments)
    }

    fn multiple_of_pi(&mut self, name: &str) -> Option<Vec<Segment>> {
        let rest = name.strip_prefix('π').filter(|rest| rest.starts_with(char::is_alphabetic))?;
        if self.has_declarations() {
            return None;
        }
        let variable = Meaning::Variable(self.variable(rest));
        let cut = name.len() - rest.len();
        Some(vec![(0..cut, Meaning::Pi), (cut..name.len(), variable)])
    }
}
