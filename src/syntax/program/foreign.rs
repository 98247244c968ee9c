//! What people bring from other languages, and how it is said here.

/// Words that begin statements elsewhere.
#[rustfmt::skip]
const WORDS: &[(&[&str], &str)] = &[
    (&["def", "fn", "func", "function", "fun"], "a function is `f(a) = …`, with its lines in braces where it has several"),
    (&["let", "var", "const", "auto", "set"],   "a value needs no word before it: `p = …`"),
    (&["import", "from", "use", "using"],       "the library is always there; nothing is imported"),
    (&["for", "while"],                         "a loop is an index, `sum[i] x[i]`, or a recurrence, `scan(step, init, xs)`"),
    (&["return"],                               "a function gives its last line"),
    (&["print"],                                "`symdiff eval FILE --at …` prints every value"),
    (&["parameter", "parameters", "weight", "weights", "variable"], "what is trained is declared by `param w = 0`"),
    (&["data", "train"],                        "its settings stand in braces: `train { steps = 100 }`"),
];

/// The mend for a statement that begins with such a word.
pub fn begins(word: &str) -> Option<&'static str> {
    WORDS.iter().find(|(words, _)| words.contains(&word)).map(|(_, mend)| *mend)
}

/// The mend where `text`, the rest of a line, goes on in a way of other languages.
pub fn goes_on(text: &str) -> Option<&'static str> {
    let starts = |sign: &str| text.starts_with(sign);
    match () {
        () if starts("//") => Some("a comment begins with `#`"),
        () if starts("&&") || starts("and ") => Some("conditions are joined as `and(a, b)`"),
        () if starts("||") || starts("or ") => Some("conditions are joined as `or(a, b)`"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_one_mend() {
        let all: Vec<&str> = WORDS.iter().flat_map(|(words, _)| words.iter().copied()).collect();
        assert!(all.iter().all(|word| all.iter().filter(|other| other == &word).count() == 1));
        assert!(begins("def").is_some() && begins("dim").is_none());
    }
}
