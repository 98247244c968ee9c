//! Characters → raw tokens, by logos; and what to say of characters that are none.
//!
//! The tokens marked *made by the scan* have no pattern here: `scan` makes them out of raw
//! ones once it knows the context.

use std::borrow::Cow;

use logos::Logos;

use super::ast::{CompareOp, RootDegree};

/// A token of the grammar, without its text.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq)]
#[logos(skip(r"[ \t\r\f\u{A0}\u{1680}\u{2000}-\u{200B}\u{202F}\u{205F}\u{2060}-\u{2062}\u{3000}\u{FEFF}]+"))]
#[logos(skip(r"#[^\n]*", allow_greedy = true))]
#[rustfmt::skip]
pub(super) enum Token {
    #[regex(r"([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][+-]?[0-9][0-9_]*)?")]
    Number,
    // Letters of any script but modifier letters (ⁿ ᵀ ʼ), then letters, digits, subscripts.
    #[regex(r"[_[\p{XID_Start}--\p{Lm}]][_[\p{XID_Continue}--[\p{Lm}··]]\u{2080}-\u{2089}\u{2090}-\u{209C}\u{1D62}-\u{1D65}\u{2C7C}]*")]
    Name,
    /// A name that touches the parenthesis after it: *made by the scan*.
    Callee,
    #[token("+")]                                       Plus,
    #[token("-")] #[token("−")]                         Minus,
    #[token("*")] #[token("×")]                         Star,
    #[token("/")] #[token("÷")]                         Slash,
    #[token("@")]                                       At,
    #[token("·")] #[token("⋅")]                         Dot,
    #[token("^")] #[token("**")]                        Caret,
    /// `²`, `⁻¹`, `ⁿ`, `²ⁿ`: an exponent.
    #[regex(r"[⁺⁻]?([⁰¹²³⁴⁵⁶⁷⁸⁹]+ⁿ?|ⁿ)")]
    Superscript,
    #[token("'")] #[token("ᵀ")]                         Prime,
    #[token("√", |_| RootDegree::Sqrt)]
    #[token("∛", |_| RootDegree::Cbrt)]
    Root(RootDegree),
    /// A root that touches the parenthesis after it: *made by the scan*.
    RootCall(RootDegree),
    #[token("∂")]                                       Partial,
    #[token("<", |_| CompareOp::Lt)]
    #[token("<=", |_| CompareOp::Le)] #[token("≤", |_| CompareOp::Le)]
    #[token(">", |_| CompareOp::Gt)]
    #[token(">=", |_| CompareOp::Ge)] #[token("≥", |_| CompareOp::Ge)]
    #[token("==", |_| CompareOp::Eq)]
    #[token("!=", |_| CompareOp::Ne)] #[token("≠", |_| CompareOp::Ne)]
    Compare(CompareOp),
    #[token("=")]                                       Equals,
    #[token(",")]                                       Comma,
    #[token(":")]                                       Colon,
    #[token("(")]                                       OpenParen,
    #[token(")")]                                       CloseParen,
    /// `[` that begins a vector.
    #[token("[")]                                       OpenVector,
    /// `[` that touches the operand it indexes: *made by the scan*.
    OpenIndex,
    #[token("]")]                                       CloseSquare,
    /// `|` that opens.
    #[token("|")]                                       OpenBar,
    /// `|` that closes: *made by the scan*.
    CloseBar,
    #[token(";")]                                       Separator,
    // Programs only; the scan refuses them in expressions.
    #[token("{")]                                       OpenBrace,
    #[token("}")]                                       CloseBrace,
    #[token("~")]                                       Tilde,
    #[token(":=")]                                      Assign,
    /// `"…"` on one line.
    #[regex(r#""[^"\n]*""#)]                            Text,
    /// `|>`: *made by the scan*.
    Pipe,
    /// `name =` inside brackets: *made by the scan*.
    ArgName,
    /// `sum` that touches a bracket: *made by the scan*.
    Reducer,
    /// The bracket after a reducer: *made by the scan*.
    OpenReducer,
    /// Its end: *made by the scan*.
    CloseReducer,
    /// Its end, touching a parenthesis: *made by the scan*.
    CloseReducerCall,
    /// Becomes a separator or nothing.
    #[token("\n")]                                      Newline,
}

impl Token {
    /// An operand can end with it.
    pub(super) fn ends_operand(self) -> bool {
        use Token::*;
        matches!(self, Number | Name | Superscript | Prime | CloseParen | CloseSquare | CloseBar)
    }

    /// An operand can begin with it, signs aside.
    pub(super) fn begins_operand(self) -> bool {
        use Token::*;
        matches!(
            self,
            Number | Name | Callee | OpenParen | OpenVector | OpenBar | Root(_) | RootCall(_) | Reducer
        )
    }

    /// An operand must follow it.
    pub(super) fn awaits_operand(self) -> bool {
        use Token::*;
        let program = matches!(self, Pipe | ArgName | Tilde | Assign | CloseReducer);
        let both = matches!(
            self,
            Plus | Minus | Star | Slash | At | Dot | Caret | Compare(_) | Root(_) | Equals | Comma
        );
        both || program
    }
}

/// A number as ASCII digits, point and exponent: no separators, superscripts brought down.
pub(super) fn plain_number(text: &str) -> String {
    const SUPERSCRIPTS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let lower = |c| match SUPERSCRIPTS.iter().position(|&s| s == c) {
        Some(digit) => char::from(b'0' + digit as u8),
        None => c.to_ascii_lowercase(),
    };
    text.chars().filter(|&c| c != '_').map(lower).collect()
}

/// What a stray character is called in a message, and what to do about it.
pub(super) struct Stray {
    /// A visible form: the character in backquotes, or its name.
    pub(super) shown: Cow<'static, str>,
    /// The mend, where one is known.
    pub(super) hint: Option<Cow<'static, str>>,
}

/// Looks up a character that begins no token.
pub(super) fn stray(c: char) -> Stray {
    let shown = match c {
        '\0' => Cow::from("a NUL byte"),
        c if c.is_control() => format!("the control character U+{:04X}", c as u32).into(),
        c => format!("`{c}`").into(),
    };
    let hint = if c == '\0' {
        Some(Cow::from("is this a text file? UTF-16 text must be saved as UTF-8"))
    } else if let Some((_, plain)) = LOOK_ALIKES.iter().find(|(alike, _)| alike.contains(c)) {
        Some(format!("write `{plain}`").into())
    } else if let Some((_, hint)) = HINTS.iter().find(|(chars, _)| chars.contains(c)) {
        Some(Cow::from(*hint))
    } else if ('！'..='～').contains(&c) {
        // The full-width forms U+FF01..U+FF5E are ASCII moved up by U+FEE0.
        char::from_u32(c as u32 - 0xFEE0).map(|plain| format!("write `{plain}`").into())
    } else {
        None
    };
    Stray { shown, hint }
}

/// Characters that look like one the language has, and that one.
#[rustfmt::skip]
const LOOK_ALIKES: &[(&str, &str)] = &[
    ("–—‐‑‒―﹣",       "-"),
    ("∗⁎✱﹡",          "*"),
    ("∕⁄",             "/"),
    ("•∙‧",            "·"),
    ("’‘ʼʹ′`´",        "'"),
    ("，、﹐",          ","),
    ("；",              ";"),
    ("∣❘ǀ",            "|"),
    ("⩽≦",             "<="),
    ("⩾≧",             ">="),
    ("≔",              "="),
    ("≡",              "=="),
    ("ˆ",              "^"),
    ("⟨〈⦅{⟮",         "("),
    ("⟩〉⦆}⟯",         ")"),
    ("½",              "(1/2)"),
    ("⅓",              "(1/3)"),
    ("⅔",              "(2/3)"),
    ("¼",              "(1/4)"),
    ("¾",              "(3/4)"),
    ("⊤",              "ᵀ"),
];

/// Characters that need a sentence.
#[rustfmt::skip]
const HINTS: &[(&str, &str)] = &[
    ("\"“”„«»",        "the formula itself needs no quotes"),
    ("\\",             "LaTeX is not read; write `sqrt(x)`, `sin(x)`, `a/b`"),
    ("$",              "formulas need no `$`"),
    ("!",              "a factorial n! is `gamma(n + 1)`; unequal is `!=`"),
    ("%",              "the remainder of x/n is `mod(x, n)`; a percentage is a division by 100"),
    ("&",              "both conditions a and b: `if(a, if(b, yes, no), no)`"),
    ("?",              "a choice is `if(condition, a, b)`"),
    ("~",              "unequal is `!=`"),
    (".",              "a number needs a digit beside its point, and a function no module: `sin(x)`"),
    ("∜",              "write `x^(1/4)`"),
    ("∞",              "infinity is not a number of the language"),
    ("∑Σ∏",            "sums and products are written out term by term"),
    ("∫",              "integrals are not read; derivatives are"),
    ("∇",              "write the function alone and ask for `--gradient`"),
    ("⁺⁻",             "a superscript sign needs a superscript number, as in x⁻¹"),
    ("ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻ⁽⁾", "write the power with `^`, as in e^x"),
    ("₀₁₂₃₄₅₆₇₈₉",     "a subscript must follow a name, as in x₁"),
    ("∈≈→↦⇒∧∨¬∀∃",     "this is not part of an expression"),
];
