//! `x=1, y=pi/2` and `0 <= x <= 1`: numbers for names, on the command line.
//!
//! A number is any expression without variables. Nothing is silently dropped: a name the function
//! has not, a name given twice and a variable left out are faults that say so.

use super::console::{Exit, Fault, Origin};
use crate::elaborate::suggest;
use crate::{Engine, Evaluator, Level, Limits, read};

/// A name with its number, or the numbers of a vector.
#[derive(Clone, Debug)]
pub struct Assignment {
    name: String,
    values: Vec<f64>,
}

impl Assignment {
    /// Whether it gives the whole of a variable its value.
    pub fn is_of(&self, name: &str) -> bool {
        self.name == name
    }
}

/// Reads every `name=value` of the values of the flag `flag`.
pub fn assignments(flag: &str, given: &[String], limits: &Limits) -> Result<Vec<Assignment>, Fault> {
    let mut read: Vec<Assignment> = Vec::new();
    for item in given.iter().flat_map(|text| items(text)) {
        let hint = format!("write name=value, such as {flag} x=1,y=2");
        let Some((name, value)) = item.split_once('=') else {
            return Err(Fault::usage(format!("`{item}` in {flag} gives no variable a value"), hint));
        };
        let name = name.trim();
        if name.is_empty() || value.trim().is_empty() {
            return Err(Fault::usage(format!("`{item}` in {flag} is not name=value"), hint));
        }
        if read.iter().any(|other| other.name == name) {
            let message = format!("{flag} gives `{name}` two values");
            return Err(Fault::usage(message, "give each variable one value"));
        }
        read.push(Assignment { name: name.to_owned(), values: constant(flag, value, limits)? });
    }
    Ok(read)
}

/// The items of a list: text between commas that are in no brackets.
pub fn items(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut depth) = (0, 0usize);
    for (i, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    // A comma at the end is forgiven.
    if !last.is_empty() || found.is_empty() {
        found.push(last);
    }
    found
}

/// The value of an expression without variables, or the values of a vector.
pub fn constant(flag: &str, text: &str, limits: &Limits) -> Result<Vec<f64>, Fault> {
    let text = text.trim();
    if let Ok(value) = text.parse() {
        return Ok(vec![value]);
    }
    let value = read(text.as_bytes(), Some(&[]), limits).and_then(|read| {
        let evaluator = Evaluator::new(&read.function, Engine::Interpreter, Level::Fast)?;
        let mut values = vec![0.0; evaluator.output_size()];
        evaluator.call(&[], &mut values)?;
        Ok(values)
    });
    let origin = Origin { name: flag.to_owned(), line: 1 };
    value.map_err(|error| Fault::in_text(Exit::Usage, error.diagnostic().clone(), text, origin))
}

/// The values of the variables `names` (`x`, or `x[0]`, `x[1]` for a vector), where given.
pub fn place(flag: &str, names: &[String], given: &[Assignment]) -> Result<Vec<Option<f64>>, Fault> {
    let mut values = vec![None; names.len()];
    for assignment in given {
        let places = places(&assignment.name, names);
        if places.is_empty() {
            return Err(unknown(flag, &assignment.name, names));
        }
        if places.len() != assignment.values.len() {
            let message = format!(
                "{flag} gives `{}` {} numbers, but it has {}",
                assignment.name,
                assignment.values.len(),
                places.len()
            );
            return Err(Fault::usage(message, "write a vector as x=[1, 2]"));
        }
        for (place, &value) in places.into_iter().zip(&assignment.values) {
            values[place] = Some(value);
        }
    }
    Ok(values)
}

/// The values of all the variables.
pub fn point(flag: &str, names: &[String], given: &[Assignment]) -> Result<Vec<f64>, Fault> {
    let values = place(flag, names, given)?;
    let missing = names.iter().zip(&values).filter(|(_, value)| value.is_none()).map(|(name, _)| name);
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    if let Some(first) = missing.first() {
        let message = match missing.len() {
            1 => format!("the variable `{first}` has no value"),
            n => format!("{n} variables have no value: {}", shortened(&missing)),
        };
        return Err(Fault::usage(message, format!("add {first}=… to {flag}")));
    }
    Ok(values.into_iter().flatten().collect())
}

/// Where the variable is among the scalars: one place, or all those of a vector.
fn places(name: &str, names: &[String]) -> Vec<usize> {
    let is_entry = |full: &str| full.strip_prefix(name).is_some_and(|rest| rest.starts_with('['));
    let found = names.iter().position(|full| full == name);
    match found {
        Some(place) => vec![place],
        None => (0..names.len()).filter(|&i| is_entry(&names[i])).collect(),
    }
}

/// Variables among which a misspelt one is looked for.
const SUGGESTED: usize = 1_000;

/// The fault that no variable has this name.
pub fn unknown(flag: &str, name: &str, names: &[String]) -> Fault {
    let message = format!("the expression has no variable `{name}`, named in {flag}");
    let close = suggest(name, names.iter().take(SUGGESTED).map(String::as_str));
    let hint = match (close, names) {
        (Some(close), _) => format!("did you mean `{close}`?"),
        (None, []) => "it has no variables at all".to_owned(),
        (None, [only]) => format!("its variable is {only}"),
        (None, _) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("its variables are {}", shortened(&names))
        }
    };
    Fault::usage(message, hint)
}

/// Names in a sentence, the first few.
fn shortened(names: &[&str]) -> String {
    /// Names shown in a sentence.
    const SHOWN: usize = 8;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    names[..names.len().min(SHOWN)].join(", ") + more
}

/// Lower and upper bounds of the variables `names` from texts such as `0<=x<=1, y>=2`.
pub fn bounds(given: &[String], names: &[String], limits: &Limits) -> Result<Vec<(f64, f64)>, Fault> {
    let mut bounds = vec![(f64::NEG_INFINITY, f64::INFINITY); names.len()];
    for item in given.iter().flat_map(|text| items(text)) {
        for (name, relation, value) in relations(item)? {
            let places = places(name, names);
            if places.is_empty() {
                return Err(unknown("--bounds", name, names));
            }
            let [value] = constant("--bounds", value, limits)?[..] else {
                return Err(Fault::usage(format!("a bound in `{item}` is not one number"), BOUNDS_HINT));
            };
            for place in places {
                let (low, high) = &mut bounds[place];
                match relation {
                    Relation::AtLeast => *low = low.max(value),
                    Relation::AtMost => *high = high.min(value),
                    Relation::Equal => (*low, *high) = (low.max(value), high.min(value)),
                }
                if low > high || value.is_nan() {
                    let message = format!("no number satisfies the bounds of `{}`", names[place]);
                    return Err(Fault::usage(message, BOUNDS_HINT));
                }
            }
        }
    }
    Ok(bounds)
}

const BOUNDS_HINT: &str = "write bounds as 0<=x<=1, y>=2";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    AtLeast,
    AtMost,
    Equal,
}

impl Relation {
    fn turned(self) -> Relation {
        match self {
            Relation::AtLeast => Relation::AtMost,
            Relation::AtMost => Relation::AtLeast,
            Relation::Equal => Relation::Equal,
        }
    }
}

/// What `0 <= x <= 1`, `x >= 0` or `x in [0, 1]` says: name, relation, number.
fn relations(item: &str) -> Result<Vec<(&str, Relation, &str)>, Fault> {
    let wrong = || Fault::usage(format!("`{item}` in --bounds is not a bound"), BOUNDS_HINT);
    if let Some((name, range)) = item.split_once(" in ") {
        let range = range.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let [low, high] = items(range.ok_or_else(wrong)?)[..] else { return Err(wrong()) };
        return Ok(vec![(name.trim(), Relation::AtLeast, low), (name.trim(), Relation::AtMost, high)]);
    }
    let (parts, signs) = split_at_relations(item);
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || "_[]".contains(c))
            && !["pi", "e", "π", "inf", "infinity"].contains(&part)
    };
    match (&parts[..], &signs[..]) {
        (&[name, value], &[sign]) if is_name(name) => Ok(vec![(name, sign, value)]),
        (&[value, name], &[sign]) if is_name(name) => Ok(vec![(name, sign.turned(), value)]),
        (&[low, name, high], &[first, second]) if is_name(name) => {
            Ok(vec![(name, first.turned(), low), (name, second, high)])
        }
        _ => Err(wrong()),
    }
}

/// The texts between `<=`, `>=`, `<`, `>`, `≤`, `≥` and `=`, and what the signs say.
fn split_at_relations(item: &str) -> (Vec<&str>, Vec<Relation>) {
    const SIGNS: [(&str, Relation); 8] = [
        ("<=", Relation::AtMost),
        (">=", Relation::AtLeast),
        ("==", Relation::Equal),
        ("≤", Relation::AtMost),
        ("≥", Relation::AtLeast),
        ("<", Relation::AtMost),
        (">", Relation::AtLeast),
        ("=", Relation::Equal),
    ];
    let (mut parts, mut signs) = (Vec::new(), Vec::new());
    let (mut start, mut at) = (0, 0);
    while at < item.len() {
        let found = SIGNS.iter().find(|(sign, _)| item[at..].starts_with(sign));
        match found {
            Some(&(sign, relation)) => {
                parts.push(item[start..at].trim());
                signs.push(relation);
                at += sign.len();
                start = at;
            }
            None => at += item[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    parts.push(item[start..].trim());
    (parts, signs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_split_at_commas_outside_brackets() {
        assert_eq!(items("x=1, y=max(2,3),z=[1,2],"), ["x=1", "y=max(2,3)", "z=[1,2]"]);
        assert_eq!(items(""), [""]);
    }

    #[test]
    fn bounds_are_read_in_either_direction() {
        let names = ["x".to_owned(), "y".to_owned()];
        let check = |text: &str, expect: [(f64, f64); 2]| {
            let found = bounds(&[text.to_owned()], &names, &Limits::default()).expect(text);
            assert_eq!(found, expect, "{text}");
        };
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        check("0<=x<=1, y>=2", [(0.0, 1.0), (2.0, high)]);
        check("1 ≥ x ≥ 0, 2 > y", [(0.0, 1.0), (low, 2.0)]);
        check("x in [-1, 1], y = 3", [(-1.0, 1.0), (3.0, 3.0)]);
        for wrong in ["x", "x<=1<=2", "1<=2", "z<=1", "x in 3", "1<=x<=0", "<=1"] {
            assert!(bounds(&[wrong.to_owned()], &names, &Limits::default()).is_err(), "{wrong}");
        }
    }
}
