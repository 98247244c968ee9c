//! Names as mathematics sets them: a stem, perhaps Greek, and subscripts.
//!
//! `x1`, `x_1` and `x₁` are x with a subscript, `x[2]` has an index, `alpha` is a letter.

/// A name taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Name {
    pub stem: String,
    /// The subscript, empty for none.
    pub subscript: String,
    /// An index in brackets, empty for none.
    pub index: String,
}

impl Name {
    pub fn of(name: &str) -> Name {
        let (bare, index) = match name.split_once('[') {
            Some((bare, index)) => (bare, index.trim_end_matches(']')),
            None => (name, ""),
        };
        // `dense1.W` is the W of dense1.
        if let Some((owner, own)) = bare.rsplit_once('.').filter(|(a, b)| !a.is_empty() && !b.is_empty()) {
            let own = Name::of(own);
            let parts = [owner, &own.subscript].into_iter().filter(|part| !part.is_empty());
            let subscript = parts.collect::<Vec<_>>().join(",");
            return Name { stem: own.stem, subscript, index: index.to_owned() };
        }
        let plain: String = bare.chars().map(lowered).collect();
        let digits = plain.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let cut = match plain.find('_') {
            Some(at) if at > 0 => at,
            _ => digits,
        };
        let (stem, subscript) = plain.split_at(cut);
        // All of `7` and `x_` is stem: nothing of a name may get lost.
        let (stem, subscript) = match subscript.strip_prefix('_').unwrap_or(subscript) {
            "" => (plain.as_str(), ""),
            _ if stem.is_empty() => (plain.as_str(), ""),
            subscript => (stem, subscript),
        };
        Name { stem: stem.to_owned(), subscript: subscript.to_owned(), index: index.to_owned() }
    }

    /// An element of an input.
    pub fn with_index(name: &str, at: &[usize]) -> Name {
        let shown: Vec<String> = at.iter().map(usize::to_string).collect();
        Name { index: shown.join(", "), ..Name::of(name) }
    }
}

/// Subscript digits brought up to the line.
fn lowered(c: char) -> char {
    match c {
        '₀'..='₉' => char::from_digit(c as u32 - '₀' as u32, 10).unwrap_or(c),
        c => c,
    }
}

/// The Greek letter spelled out or written as `stem`: its name and itself.
pub fn greek(stem: &str) -> Option<(&'static str, &'static str)> {
    GREEK.iter().copied().find(|(name, letter)| *name == stem || *letter == stem)
}

#[rustfmt::skip]
const GREEK: &[(&str, &str)] = &[
    ("alpha", "α"), ("beta", "β"), ("gamma", "γ"), ("delta", "δ"), ("epsilon", "ε"), ("zeta", "ζ"),
    ("eta", "η"), ("theta", "θ"), ("iota", "ι"), ("kappa", "κ"), ("lambda", "λ"), ("mu", "μ"),
    ("nu", "ν"), ("xi", "ξ"), ("rho", "ρ"), ("sigma", "σ"), ("tau", "τ"), ("upsilon", "υ"),
    ("phi", "φ"), ("chi", "χ"), ("psi", "ψ"), ("omega", "ω"),
    ("Gamma", "Γ"), ("Delta", "Δ"), ("Theta", "Θ"), ("Lambda", "Λ"), ("Xi", "Ξ"), ("Pi", "Π"),
    ("Sigma", "Σ"), ("Upsilon", "Υ"), ("Phi", "Φ"), ("Psi", "Ψ"), ("Omega", "Ω"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, stem: &str, subscript: &str, index: &str) {
        let expect = Name { stem: stem.into(), subscript: subscript.into(), index: index.into() };
        assert_eq!(Name::of(name), expect, "{name}");
    }

    #[test]
    fn names_have_stems_subscripts_and_indices() {
        check("x", "x", "", "");
        check("x1", "x", "1", "");
        check("x_1", "x", "1", "");
        check("x₁₂", "x", "12", "");
        check("w_out", "w", "out", "");
        check("W1[2, 3]", "W", "1", "2, 3");
        check("_x", "_x", "", "");
        check("7", "7", "", "");
        check("x_", "x_", "", "");
        check("", "", "", "");
        check("dense1.W", "W", "dense1", "");
        check("gru1.W_z[3]", "W", "gru1,z", "3");
    }
}
