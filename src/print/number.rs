//! Numbers as text: exact constants as the numerals people would write, doubles shortest.
//!
//! What must stay true: an exact constant is read back as the same rational.

use crate::ir::Number;

/// Denominators up to here are written as fractions, `1/3` and `5/64`; larger ones as decimals
/// where the decimals end, since `0.044715` says more than `8943/200000`.
const FRACTION: u64 = 100;
/// Longest run of digits a decimal may need: what a double needs to be told apart.
const DIGITS: usize = 17;
/// Whole numbers longer than this are written with an exponent where they are mostly zeros.
const WHOLE_DIGITS: usize = 21;
/// Most zeros between the point and the first digit.
const LEADING_ZEROS: usize = 5;
/// Largest power of ten tried for a decimal form: constants smaller than any double stay fractions.
const DECIMAL_PLACES: usize = 1024;

/// A double: shortest digits that read back, with an exponent below 1e-5 and from 1e16 on.
///
/// ```
/// use symdiff::print::number;
/// assert_eq!([number(2.0), number(0.1), number(1e-7)], ["2", "0.1", "1e-7"]);
/// ```
pub fn number(value: f64) -> String {
    match value.abs() {
        plain if plain == 0.0 || (1e-5..1e16).contains(&plain) => format!("{value}"),
        _ if value.is_finite() => format!("{value:e}"),
        _ if value.is_nan() => "NaN".to_owned(),
        _ => (if value > 0.0 { "inf" } else { "-inf" }).to_owned(),
    }
}

/// A decimal numeral without a sign: digits, perhaps with a point, times a power of ten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numeral {
    pub digits: String,
    pub exponent: i64,
}

impl Numeral {
    fn plain(digits: String) -> Numeral {
        Numeral { digits, exponent: 0 }
    }

    /// `d.ddd` with the exponent that makes it `digits` times ten to the `power`.
    fn scaled(digits: &str, power: i64) -> Numeral {
        let (first, rest) = digits.split_at(1.min(digits.len()));
        let point = if rest.is_empty() { "" } else { "." };
        Numeral { digits: format!("{first}{point}{rest}"), exponent: power + rest.len() as i64 }
    }

    /// True when it is written with a power of ten.
    pub fn is_scaled(&self) -> bool {
        self.exponent != 0
    }

    /// As the language reads it.
    pub fn text(&self) -> String {
        match self.exponent {
            0 => self.digits.clone(),
            exponent => format!("{}e{exponent}", self.digits),
        }
    }
}

/// How a constant that is not negative is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    Numeral(Numeral),
    Fraction(Numeral, Numeral),
}

impl Written {
    pub fn of(value: &Number) -> Written {
        let (p, q) = value.parts();
        if q == "1" {
            return Written::Numeral(whole(p));
        }
        let small = q.parse::<u64>().is_ok_and(|q| q <= FRACTION);
        match decimal(value).filter(|_| !small) {
            Some(numeral) => Written::Numeral(numeral),
            None => Written::Fraction(whole(p), whole(q)),
        }
    }
}

/// Numerator and denominator of a number that is not negative.
pub fn split(value: &Number) -> (Number, Number) {
    let (p, q) = value.parts();
    let integer = |digits: &str| Number::from_decimal(digits).unwrap_or_else(|| Number::integer(0));
    (integer(&p), integer(&q))
}

fn whole(digits: String) -> Numeral {
    let significant = digits.trim_end_matches('0');
    if digits.len() <= WHOLE_DIGITS || significant.len() > DIGITS {
        return Numeral::plain(digits);
    }
    Numeral::scaled(significant, (digits.len() - significant.len()) as i64)
}

/// The decimal form of a fraction, if it ends after few digits.
fn decimal(value: &Number) -> Option<Numeral> {
    // q = 2^a·5^b divides 10^max(a, b), and max(a, b) is at most the bits of q.
    let places = value.bits();
    if places > DECIMAL_PLACES {
        return None;
    }
    let scaled = value.mul(&Number::integer(10).powi(places as i64)?);
    if !scaled.is_integer() {
        return None;
    }
    let (digits, _) = scaled.parts();
    let significant = digits.trim_end_matches('0');
    let places = places - (digits.len() - significant.len());
    if significant.len() > DIGITS {
        return None;
    }
    if places > significant.len() + LEADING_ZEROS {
        return Some(Numeral::scaled(significant, -(places as i64)));
    }
    let padded = format!("{significant:0>width$}", width = places + 1);
    let (before, after) = padded.split_at(padded.len() - places);
    Some(Numeral::plain(format!("{before}.{after}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expect: &str) {
        let value = match value.split_once('/') {
            Some((p, q)) => {
                let read = |text| Number::from_decimal(text).expect("a number");
                read(p).div(&read(q)).expect("not zero")
            }
            None => Number::from_decimal(value).expect("a number"),
        };
        let text = match Written::of(&value) {
            Written::Numeral(n) => n.text(),
            Written::Fraction(p, q) => format!("{}/{}", p.text(), q.text()),
        };
        assert_eq!(text, expect);
    }

    #[test]
    fn constants_are_written_as_people_would() {
        check("7", "7");
        check("0.5", "1/2");
        check("1/3", "1/3");
        check("0.044715", "0.044715");
        check("1.702", "1.702");
        check("1/101", "1/101");
        check("12.5", "25/2");
        check("1e-7", "1e-7");
        check("0.00001234", "0.00001234");
        check("1e300", "1e300");
        check("123e40", "1.23e42");
        check("1e20", "100000000000000000000");
        check("0.12345678901234567", "0.12345678901234567");
        check("0.123456789012345678", "61728394506172839/500000000000000000");
    }

    #[test]
    fn doubles_are_shortest() {
        let cases = [(0.0, "0"), (-0.0, "-0"), (1e15, "1000000000000000"), (1e16, "1e16"), (1e-5, "0.00001")];
        for (value, expect) in cases {
            assert_eq!(number(value), expect);
        }
        assert_eq!(number(f64::NEG_INFINITY), "-inf");
    }
}
