//! One cell of a text table: a number, nothing, or text.

/// What stands for "no value", besides the empty cell; letters' case does not matter.
const MISSING: &[&str] = &["?", "na", "n/a", "nan", "null"];

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    /// A number, possibly infinite: `inf`, or too large for binary64.
    Number(f64),
    Missing,
    Text,
}

/// Reads a cell; blanks around it do not count.
pub(super) fn read_cell(text: &str) -> Cell {
    let text = text.trim();
    if text.is_empty() || MISSING.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return Cell::Missing;
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_nan() => Cell::Missing,
        Ok(value) => Cell::Number(value),
        Err(_) => Cell::Text,
    }
}

/// A cell as a message shows it: quoted, short, on one line.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut short: String = text.trim().chars().take(LONGEST).collect();
    if short.len() < text.trim().len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// What may mend a cell that should have been a number.
pub(super) fn number_hint(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let is_number = |text: &str| matches!(read_cell(text), Cell::Number(_));
    if is_number(&text.replacen(',', ".", 1)) {
        Some("write the decimal sign as a point")
    } else if is_number(&text.replace([',', '_', '\'', ' '], "")) {
        Some("write the number without separators")
    } else if is_number(text.trim_end_matches(['%', '$', '€']).trim_start_matches(['$', '€', '£'])) {
        Some("write the number without its unit")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Cell) {
        assert_eq!(read_cell(text), expected, "{text:?}");
    }

    #[test]
    fn cells_are_numbers_text_or_nothing() {
        check(" 1.5 ", Cell::Number(1.5));
        check("-.5e3", Cell::Number(-500.0));
        check("-inf", Cell::Number(f64::NEG_INFINITY));
        check("1e999", Cell::Number(f64::INFINITY));
        for missing in ["", "  ", "NA", "NaN", "-nan", "?", "null", "n/a"] {
            check(missing, Cell::Missing);
        }
        for text in ["none", "1,5", "0x10", "1_000", "5cm", "−1"] {
            check(text, Cell::Text);
        }
    }

    #[test]
    fn near_numbers_have_a_hint() {
        assert_eq!(number_hint("1,5"), Some("write the decimal sign as a point"));
        assert_eq!(number_hint("1,234,567"), Some("write the number without separators"));
        assert_eq!(number_hint("12%"), Some("write the number without its unit"));
        assert_eq!(number_hint("abc"), None);
    }
}
