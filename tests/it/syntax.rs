//! Reading text: what is read as what, what is refused with which words, and that nothing
//! a user types makes the reader slow, deep or panic.

use std::time::{Duration, Instant};

use symdiff::syntax::{self, Ast, ExprKind, Statement};
use symdiff::{Error, Limits};

fn read(source: &str) -> Ast {
    match syntax::parse(source, &Limits::default()) {
        Ok(ast) => ast,
        Err(error) => panic!("`{source}` is not read: {error}"),
    }
}

#[track_caller]
fn check(source: &str, expected: &str) {
    assert_eq!(read(source).to_string(), expected, "for `{source}`");
}

#[track_caller]
fn refused(source: &str) -> Error {
    match syntax::parse(source, &Limits::default()) {
        Ok(ast) => panic!("`{source}` is read as {ast}"),
        Err(error) => error,
    }
}

/// The message, the text under the caret, the texts under further labels, and the hint.
#[track_caller]
fn check_error(source: &str, expected: &str) {
    let error = refused(source);
    assert!(error.is_syntax(), "for `{source}`: {error:?}");
    let diagnostic = error.diagnostic();
    let mut shown = diagnostic.message.clone();
    for span in diagnostic.span.iter().chain(diagnostic.labels.iter().map(|(span, _)| span)) {
        shown += &format!(" | {}", span.text(source));
    }
    if let Some(hint) = &diagnostic.hint {
        shown += &format!(" ? {hint}");
    }
    assert_eq!(shown, expected, "for `{source}`");
}

#[test]
fn signs_bind_weaker_than_powers_and_powers_go_right() {
    check("-x^2", "(neg (^ x 2))");
    check("2^-1", "(^ 2 (neg 1))");
    check("2^-x^2", "(^ 2 (neg (^ x 2)))");
    check("2^3^2", "(^ 2 (^ 3 2))");
    check("x**2**3", "(^ x (^ 2 3))");
    check("-a*b + c", "(+ (neg (* a b)) c)");
    check("a - -b", "(- a (neg b))");
    check("a/-b*c", "(* (/ a (neg b)) c)");
    check("a^-b*c", "(* (^ a (neg b)) c)");
    check("+x", "(pos x)");
    check("a - b - c", "(- (- a b) c)");
    check("a/b/c*d", "(* (/ (/ a b) c) d)");
}

#[test]
fn juxtaposition_stays_a_flat_sequence_beside_its_operators() {
    check("2x", "(seq 2 x)");
    check("1/2x", "(seq 1 / 2 x)");
    check("2x^2", "(seq 2 (^ x 2))");
    check("-2x", "(neg (seq 2 x))");
    check("(x+1)(x-1)", "(seq (group (+ x 1)) (group (- x 1)))");
    check("3sin(x)", "(seq 3 (call sin x))");
    check("sin x", "(seq sin x)");
    check("sin 2x + 1", "(+ (seq sin 2 x) 1)");
    check("sin x cos x", "(seq sin x cos x)");
    check("sin x^2", "(seq sin (^ x 2))");
    check("2 sin x / 3", "(seq 2 sin x / 3)");
    check("2*-sin x", "(seq 2 * (neg sin) x)");
    check("sin^2(x)", "(seq (^ sin 2) (group x))");
    check("sin² x", "(seq (^ sin 2) x)");
    check("sin⁻¹(x)", "(seq (^ sin (neg 1)) (group x))");
    check("x y z", "(seq x y z)");
    check("A B @ C·d", "(seq A B @ C · d)");
    check("√2x", "(seq (√ 2) x)");
    check("2|x|y", "(seq 2 (abs x) y)");
}

#[test]
fn a_touching_bracket_calls_or_indexes() {
    check("f(x, y)", "(call f x y)");
    check("f (x)", "(seq f (group x))");
    check("sin()", "(call sin)");
    check("x[0]", "(index x 0)");
    check("x[1:3]", "(index x (: 1 3))");
    check("x[i, j]", "(index x i j)");
    check("x[:, 2:]", "(index x (: _ _) (: 2 _))");
    check("x[0][1]^2", "(^ (index (index x 0) 1) 2)");
    check("norm [1, 2]", "(seq norm (vec 1 2))");
    check("2[1, 2]", "(seq 2 (vec 1 2))");
    check("[[1, 2], [3, 4]] @ x", "(@ (vec (vec 1 2) (vec 3 4)) x)");
    check("[]", "(vec)");
    check("[1, 2][0]", "(index (vec 1 2) 0)");
}

#[test]
fn bars_pair_by_context() {
    check("|x|", "(abs x)");
    check("||x||", "(abs (abs x))");
    check("|x| |y|", "(seq (abs x) (abs y))");
    check("|x|y|z|", "(seq (abs x) y (abs z))");
    check("|x - |y||", "(abs (- x (abs y)))");
    check("|(|x|)|", "(abs (group (abs x)))");
    check("|-x|^2", "(^ (abs (neg x)) 2)");
    check("|f(|x|)|", "(abs (call f (abs x)))");
}

#[test]
fn numbers_keep_their_digits() {
    check("1.5 + .5 + 1.", "(+ (+ 1.5 .5) 1.)");
    check("1e-3 + 2.5E+10", "(+ 1e-3 2.5e+10)");
    check("2e", "(seq 2 e)");
    check("2e + 1", "(+ (seq 2 e) 1)");
    check("2e3x", "(seq 2e3 x)");
    check("3exp(x)", "(seq 3 (call exp x))");
    check("2ex", "(seq 2 ex)");
    check("1_000_000.5", "1000000.5");
    check("2.x", "(seq 2. x)");
}

#[test]
fn unicode_is_read() {
    check("x² + y³", "(+ (^ x 2) (^ y 3))");
    check("x⁻²", "(^ x (neg 2))");
    check("x²³", "(^ x 23)");
    check("xⁿ + y²ⁿ", "(+ (^ x n) (^ y (seq 2 n)))");
    check("-x²", "(neg (^ x 2))");
    check("a × b − c ÷ d", "(- (* a b) (/ c d))");
    check("π·x", "(· π x)");
    check("x ≤ y", "(<= x y)");
    check("x ≥ y", "(>= x y)");
    check("x ≠ y", "(!= x y)");
    check("√x + ∛8", "(+ (√ x) (∛ 8))");
    check("√x²", "(√ (^ x 2))");
    check("√(x)²", "(^ (√ (group x)) 2)");
    check("√√x", "(√ (√ x))");
    check("2^√3", "(^ 2 (√ 3))");
    check("Aᵀ@x'", "(@ (' A) (' x))");
    check("x₁ + x₂ + θ_0 + größe", "(+ (+ (+ x₁ x₂) θ_0) größe)");
    check("\u{FEFF}x\u{A0}+\u{2009}y", "(+ x y)");
}

#[test]
fn comparisons_bind_weakest() {
    check("x + 1 < 2y", "(< (+ x 1) (seq 2 y))");
    check("if(x == 0, 1, x/2)", "(call if (== x 0) 1 (/ x 2))");
    check("a != b", "(!= a b)");
}

#[test]
fn statements_are_separated_by_semicolons_and_line_ends() {
    check("a = 3; a x", "(def a 3); (seq a x)");
    check("f(x, y) = x² + 3xy + y²", "(def f (x y) (+ (+ (^ x 2) (seq 3 xy)) (^ y 2)))");
    check("f() = 1", "(def f () 1)");
    check("\n\na = 1\n\n;b\n;\n", "(def a 1); b");
    check("sin(\n  x\n)\n+ 1", "(call sin x); (pos 1)");
    check("a +\n b", "(+ a b)");
    check("a = # half\n 1/2", "(def a (/ 1 2))");
    check("p = x > 0", "(def p (> x 0))");
}

#[test]
fn a_definition_leaves_no_stray_expressions() {
    let ast = read("f(x, y) = x; f(z, 1)");
    let names = ast.exprs().iter().filter(|e| matches!(e.kind, ExprKind::Name(_)));
    assert_eq!(names.count(), 2, "x of the body, z of the call");
    let Statement::Definition { name_span, params: Some(params), .. } = &ast.statements()[0] else {
        panic!("a definition with parameters");
    };
    assert_eq!(name_span.text(ast.source()), "f");
    let spans: Vec<_> = params.iter().map(|(_, span)| span.text(ast.source())).collect();
    assert_eq!(spans, ["x", "y"]);
}

#[test]
fn derivatives_head_the_last_statement() {
    check("d/dx x^2 + 1", "(d x 1) (+ (^ x 2) 1)");
    check("d/dx(x^2)", "(d x 1) (group (^ x 2))");
    check("d/dx -x", "(d x 1) (neg x)");
    check("d/dx[x, 2x]", "(d x 1) (vec x (seq 2 x))");
    check("d^2/dx^2 sin(x)", "(d x 2) (call sin x)");
    check("d²/dx² f", "(d x 2) f");
    check("∂/∂x x y", "(d x 1) (seq x y)");
    check("∂²/∂x∂y f(x, y)", "(d x 1 y 1) (call f x y)");
    check("∂³/∂x²∂y f", "(d x 2 y 1) f");
    check("d/dx d/dy x y", "(d x 1) (d y 1) (seq x y)");
    check("f(x) = x²; d/dx f(x)", "(d x 1) (def f (x) (^ x 2)); (call f x)");
    check("d/dx", "(/ d dx)");
    check("d/dx + 1", "(+ (/ d dx) 1)");
    check("1 + d/dx x", "(+ 1 (seq d / dx x))");
}

#[test]
fn children_stand_before_their_parents_and_inside_their_spans() {
    let source = "f(x, y) = [x, |y|']; √(x)² - f(2, -3)[0, 1:] sin x / 3 <= ∛x²ⁿ";
    let ast = read(source);
    for id in ast.ids() {
        for child in ast.children(id) {
            assert!(child < id, "{child} stands before {id}");
            let (inner, outer) = (ast.span(child), ast.span(id));
            assert!(outer.start <= inner.start && inner.end <= outer.end, "{child} in {id}");
        }
    }
    let texts: Vec<_> = ast.ids().map(|id| ast.text(id)).collect();
    assert!(texts.contains(&"f(2, -3)[0, 1:] sin x / 3"), "{texts:#?}");
}

#[test]
#[rustfmt::skip]
fn faults_are_explained_in_words() {
    check_error("",            "there is no expression |  ? give a formula, for example \"sin(x^2)\"");
    check_error(" # nothing\n","there is no expression |  ? give a formula, for example \"sin(x^2)\"");
    check_error("(x",          "`(` is never closed | ( | ");
    check_error("sin(x + [1",  "`[` is never closed | [ | ");
    check_error("x)",          "`)` closes nothing | ) ? remove it, or open the bracket before it");
    check_error("(x]",         "`]` does not close `(` | ] | (");
    check_error("|(x|)",       "`)` does not close `|` | ) | |");
    check_error("|x",          "`|` is never closed | | | ");
    check_error("2 3",         "two numbers side by side | 3 | 2 ? write `2*3` to multiply, or `23` for one number");
    check_error("1..3",        "a range is not part of the language | 1..3 ? an index of a program runs over a size: \
                              `dim n = 5`, then `sum[i] x[i]^2`");
    check_error("1.2.3",       "a number with two decimal points | 1.2.3 ? one number has one point");
    check_error("x² ³",        "two superscripts side by side | ³ | ² ? write the power with `^` and parentheses, as in x^(2*n - 1)");
    check_error("x +",         "nothing on the right of `+` | + ? remove the `+`, or write what is missing");
    check_error("x = ",        "nothing on the right of `=` | = ? remove the `=`, or write what is missing");
    check_error("(x *)",       "nothing on the right of `*` | * ? remove the `*`, or write what is missing");
    check_error("* x",         "nothing on the left of `*` | * ? remove the `*`, or write what is missing");
    check_error("x; / y",      "nothing on the left of `/` | / ? remove the `/`, or write what is missing");
    check_error("(* x)",       "nothing on the left of `*` | * ? remove the `*`, or write what is missing");
    check_error("²",           "nothing on the left of `²` | ² ? a superscript is a power, as in x²");
    check_error("= 3",         "nothing on the left of `=` | = ? a definition is `name = value`");
    check_error("x + * y",     "nothing between `+` and `*` | * | +");
    check_error("()",          "nothing between `()` | ()");
    check_error("x[]",         "nothing between `[]` | []");
    check_error("f(x,)",       "nothing after `,` | , ? remove the comma, or write what is missing");
    check_error("f(,x)",       "nothing on the left of `,` | , ? remove the `,`, or write what is missing");
    check_error("a < b < c",   "comparisons cannot be chained | < | < ? `a < b < c` is two conditions: `if(a < b, if(b < c, yes, no), no)`");
    check_error("x^2 = 1",     "this is an equation; an expression or a definition was expected | = | x^2 ? move everything to one side, or write `==` to compare");
    check_error("3 = x",       "a number cannot be given a value | = | 3 ? a definition is `name = value`; to compare two values write `==`");
    check_error("x[0] = 1",    "an element cannot be defined by itself | = | x[0] ? define the whole vector, as in `x = [1, 2]`");
    check_error("a = b = 1",   "a second `=` in one definition | = | = ? separate definitions by `;`, or write `==` to compare");
    check_error("f(x = 1)",    "`=` inside an expression | = ? to compare write `==`; a definition is a statement of its own: `a = 3; …`");
    check_error("sum[i = 0:9](x[i])", "a sum over an index in a formula | = ? sums over indices stand in programs, where they stay loops: `param x[9] = 0` and `minimize sum[i = 0:9] x[i]^2` in a file problem.sd");
    check_error("f(2) = 1",    "a parameter of a definition must be a name | 2 ? `f(x) = …` defines f; to compare two values write `==`");
    check_error("f(x, x) = 1", "the parameter `x` is named twice | x");
    check_error("(x, y)",      "`,` inside plain parentheses or bars | , | ( ? a vector is `[a, b]`; statements are separated by `;`");
    check_error("1,5",         "`,` outside of brackets | , ? a number has a decimal point: `1.5`, not `1,5`");
    check_error("a:b",         "`:` outside an index | : ? a range stands in an index, `x[1:3]`; a quotient is `a/b`");
    check_error("(x; y)",      "`;` before `(` is closed | ; | ( ? `;` separates statements; arguments and elements are separated by `,`");
    check_error("1 + ∂/∂x x",  "a derivative where none can stand | ∂ ? define the function first: `f(x) = …; d/dx f(x)`");
    check_error("d/dx x; 3",   "a derivative where none can stand | d/dx ? define the function first: `f(x) = …; d/dx f(x)`");
    check_error("∂f/∂x",       "`∂` begins no derivative here | ∂ ? a derivative is written `∂/∂x …`, `∂²/∂x² …` or `∂²/∂x∂y …`");
    check_error("∂²/∂x f",     "the orders of this derivative differ | ∂²/∂x ? the orders below must add up to the order above, as in ∂³/∂x²∂y");
    check_error("∂/∂x",        "a derivative of nothing | ∂/∂x ? an expression must follow, as in `∂/∂x x^2*y`");
}

#[test]
fn look_alikes_get_the_character_that_was_meant() {
    for (source, hint) in [
        ("a – b", "write `-`"),
        ("a ∗ b", "write `*`"),
        ("f(a，b)", "write `,`"),
        ("（x)", "write `(`"),
        ("x’", "write `'`"),
        ("“x”", "the formula itself needs no quotes"),
        ("x!", "a factorial n! is `gamma(n + 1)`; unequal is `!=`"),
    ] {
        assert_eq!(refused(source).diagnostic().hint.as_deref(), Some(hint), "for `{source}`");
    }
    check_error(
        "x + \0",
        "a NUL byte is not part of the language | \0 ? is this a text file? UTF-16 text must be saved as UTF-8",
    );
}

#[test]
fn errors_say_line_and_column_in_characters() {
    assert_eq!(
        refused("π = π\nα + ? β").to_string(),
        "line 2, column 5: `?` is not part of the language (help: a choice is `if(condition, a, b)`)"
    );
}

#[test]
fn bytes_that_are_not_utf8_are_refused_with_their_offset() {
    let error = syntax::parse_bytes(b"x + \xFF", &Limits::default()).expect_err("not UTF-8");
    assert!(error.is_syntax());
    assert_eq!(
        error.to_string(),
        "line 1, column 5: the text is not UTF-8: byte 0xFF at offset 4 (help: save the text as UTF-8)"
    );
}

/// Reads it within the time a user is willing to wait; unoptimised code gets five times as long.
fn timed(what: &str, source: &str) -> Result<Ast, Error> {
    let start = Instant::now();
    let outcome = syntax::parse(source, &Limits::default());
    let (took, allowed) = (start.elapsed(), 60);
    assert!(took < Duration::from_secs(allowed), "{what} took {took:?}");
    outcome
}

#[test]
fn hostile_sizes_are_read_or_refused_in_linear_time() {
    const MANY: usize = 1_000_000;
    let accepted = [
        ("a long sum", "x+".repeat(100_000) + "x"),
        ("a long product", "x*".repeat(100_000) + "x"),
        ("a long sequence", "x ".repeat(100_000)),
        ("many signs", "-".repeat(MANY) + "x"),
        ("many signs in a product", "2*".to_owned() + &"-".repeat(MANY) + "x"),
        ("a tower of powers", "x^".repeat(100_000) + "x"),
        ("many roots", "√".repeat(100_000) + "x"),
        ("many primes", "x".to_owned() + &"'".repeat(MANY)),
        ("a long vector", "[".to_owned() + &"1,".repeat(100_000) + "1]"),
        ("many statements", "x;".repeat(100_000)),
        ("a long name", "x".repeat(MANY)),
        ("many blanks", " ".repeat(MANY) + "x" + &" ".repeat(MANY)),
        ("many line ends", "\n".repeat(MANY) + "x" + &"\n".repeat(MANY)),
        ("many comments", "#\n".repeat(MANY) + "x"),
        ("a long comment", "x#".to_owned() + &"#".repeat(MANY)),
        ("deep within the budget", "(".repeat(10_000) + "x" + &")".repeat(10_000)),
        ("many derivatives", "∂/∂x ".repeat(100_000) + "x"),
    ];
    for (what, source) in &accepted {
        let ast = timed(what, source).unwrap_or_else(|error| panic!("{what}: {error}"));
        let last = ast.statements().last().expect("at least one statement");
        assert!(ast.exprs().len() > last.body().index(), "{what}");
        assert!(ast.to_string().len() <= 16 * source.len(), "{what} is dumped without recursion");
    }
    let limited = [
        ("open parentheses", "(".repeat(MANY)),
        ("nested parentheses", "(".repeat(MANY) + "x" + &")".repeat(MANY)),
        ("nested calls", "sin(".repeat(MANY) + "x" + &")".repeat(MANY)),
        ("nested vectors", "[".repeat(MANY)),
        ("nested bars", "|".repeat(MANY)),
        ("a long number", "9".repeat(MANY)),
        ("a long fraction", "0.".to_owned() + &"0".repeat(MANY)),
        ("a long superscript", "x".to_owned() + &"²".repeat(MANY)),
        ("a large exponent", "1e".to_owned() + &"9".repeat(MANY)),
        ("a small exponent", "1e-99999999999999999999".to_owned()),
        ("a large text", " ".repeat(100_000_000)),
        ("many tokens", "+".repeat(5_000_000)),
    ];
    for (what, source) in &limited {
        let error = timed(what, source).err().unwrap_or_else(|| panic!("{what} is read"));
        assert!(error.is_limit(), "{what}: {error}");
        assert!(error.to_string().len() < 500, "{what}: a message, not an essay");
    }
    assert!(timed("an exponent with zeros", &("1e".to_owned() + &"0".repeat(1000) + "1")).is_ok());
}

#[test]
fn errors_at_the_end_of_hostile_texts_are_found_in_linear_time() {
    let long = "x ".repeat(1_000_000);
    for end in ["+", ")", "(", "2 3", "< 1 < 2", "= 1", ", 1", "\0", "|", "∂", "; * x"] {
        let error = timed(end, &format!("{long}{end}")).err();
        let error = error.unwrap_or_else(|| panic!("`{end}` is read"));
        assert!(error.to_string().len() < 500, "`{end}`: {error}");
    }
}

/// SplitMix64, from Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn mostly_ascii(&mut self) -> u8 {
        let byte = self.next() as u8;
        if self.below(16) == 0 { byte } else { byte & 0x7F }
    }
}

const SOUP: &[&str] = &[
    "x", "y", "sin", "d", "dx", "∂", "n", "π", "1", "2.5", ".5", "1e3", "2e", "+", "-", "*", "/", "^", "**",
    "@", "·", "'", "ᵀ", "²", "⁻¹", "ⁿ", "⁻", "√", "∛", "<", "<=", "==", "≠", "=", ",", ":", "(", ")", "[",
    "]", "|", ";", "\n", " ", "#", "\0", "–", "é", "x₁", "!", "(x)", "[1]",
];

#[test]
fn token_soup_and_random_bytes_never_panic() {
    let seed = std::env::var("SYMDIFF_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_260_101);
    println!("SYMDIFF_SEED={seed}");
    let mut random = Random(seed);
    let mut read = 0;
    for round in 0..20_000 {
        let source: Vec<u8> = if round % 2 == 0 {
            let words = (0..1 + random.below(24)).map(|_| SOUP[random.below(SOUP.len())]);
            words.collect::<String>().into_bytes()
        } else {
            (0..random.below(24)).map(|_| random.mostly_ascii()).collect()
        };
        match syntax::parse_bytes(&source, &Limits::default()) {
            Ok(ast) => {
                read += 1;
                assert!(!ast.to_string().is_empty());
            }
            Err(error) => {
                let span = error.diagnostic().span.expect("every fault has a place");
                assert!(span.start as usize <= source.len() && span.start <= span.end, "{error}");
                assert!(!error.is_internal());
            }
        }
    }
    assert!(read > 100, "some soups are expressions: {read}");
}
