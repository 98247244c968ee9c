//! The words in which the faults of programs are told: message, label, further places, mend.

use std::time::{Duration, Instant};

use symdiff::Limits;
use symdiff::elaborate::program::{Phase, read_program};

/// The first fault of a program, with its place, its labels and its hint.
fn fault(text: &str) -> String {
    let error = match read_program(text, Phase::Train, &Limits::default()) {
        Ok(_) => return "none".to_owned(),
        Err(error) => error,
    };
    let diagnostic = error.diagnostic();
    let mut shown = error.position().map_or(String::new(), |at| format!("{at}: "));
    shown.push_str(&diagnostic.message);
    if !diagnostic.label.is_empty() {
        shown.push_str(&format!(" | {}", diagnostic.label));
    }
    for (span, label) in &diagnostic.labels {
        shown.push_str(&format!(" | {}: {label}", span.position(text)));
    }
    if let Some(hint) = &diagnostic.hint {
        shown.push_str(&format!(" | help: {hint}"));
    }
    shown
}

#[rustfmt::skip]
const FAULTS: &[(&str, &str)] = &[
    ("input x\nout = 2x",
     "line 2, column 8: in a program every product is written out | no operator before it | line 2, column 7: after this | help: write `2*x`"),
    ("input x\nout = sin x",
     "line 2, column 11: in a program every product is written out | no operator before it | line 2, column 7: after this | help: write `sin(x)`"),
    ("input x\nout = x(x + 1)",
     "line 2, column 7: `x` is not a function | called here | help: a product is written `x*(x + 1)`"),
    ("input xs\nout = sxin(xs)",
     "line 2, column 7: unknown function `sxin` | not declared | help: did you mean `sin`?"),
    ("input price\nout = prise + 1",
     "line 2, column 7: unknown name `prise` | not declared | help: did you mean `price`?"),
    ("input x\nx = 3",
     "line 2, column 1: `x` is defined twice | defined again | line 1, column 7: first defined here | help: every name has one meaning; choose another for one of them"),
    ("a = b + 1\nb = c\nc = a",
     "line 3, column 5: these definitions go in a circle: a → b → c → a | back to the beginning | line 1, column 1: defined here | help: recursion is not part of the language; a recurrence is `scan(step, init, xs)`"),
    ("input x\nf(n) = n*f(n - 1)\nout = f(x)",
     "line 2, column 10: `f` is defined by itself | back to the beginning | line 2, column 1: defined here | help: recursion is not part of the language; a recurrence is `scan(step, init, xs)`"),
    ("parm W[8] = 0",
     "line 1, column 1: `parm` begins no statement | help: did you mean `param`? A product is written `parm*W`"),
    ("input x\nx + 1",
     "line 2, column 1: an expression alone does nothing here | its value is not used | help: give it a name, as in `h = …`, or ask for `minimize …`"),
    ("input x[2]\nparam W[2,8] = 0\nout = W @ x",
     "line 3, column 11: the shapes [2,8] and [2] do not fit for `@` | a vector of 2 | line 3, column 7: a 2×8 matrix | help: did you mean `W' @ x`?"),
    ("input x[2]\nparam W[8,2] = 0, b[4] = 0\nout = W @ x + b",
     "line 3, column 15: the shapes [8] and [4] do not match | shape [4] | line 3, column 7: shape [8] | line 2, column 19: declared here | help: to fit, declare `param b[8]`"),
    ("input x[3], y[3,1]\nout = x - y",
     "line 2, column 11: the shapes [3] and [3,1] do not match | shape [3,1] | line 2, column 7: shape [3] | help: axes of extent 1 count: take one away with `x[0]` or `x[:, 0]`, or declare both alike"),
    ("input x[3], y[4]\nloss = mse(x, y)",
     "line 2, column 8: the shapes [3] and [4] do not match, in `mse` | in this call | line 2, column 12: `x` is a vector of 3 | line 2, column 15: `y` is a vector of 4 | help: operands must have equal shapes, or one must be a single number"),
    ("input x[3]\nout = dense(x)",
     "line 2, column 7: `dense` takes 2 to 3 arguments, and here is 1 | help: call it as `dense(x, n, f = identity)`"),
    ("input x[3]\nout = dense(x, width = 3)",
     "line 2, column 24: there is no parameter `width` here | named like that | help: did you mean `n`? It is called as `dense(x, n, f = identity)`"),
    ("input A[2,3], x[4]\nout = sum[j] A[0,j]*x[j]",
     "line 2, column 21: the index `j` has 4 values here and 3 there | `j` from 0 to 3 | line 2, column 14: `j` from 0 to 2 | help: an index has one range: the axes it runs along must be equally long"),
    ("input x\nout = sum[i] x",
     "line 2, column 11: nothing says which values `i` runs over | this index | help: use it as a subscript, `x[i]`, or write its range, `[i = 0:n]`"),
    ("param W[1e9, 1e9] = 0",
     "line 1, column 7: shape [1000000000,1000000000] has more than the limit of 134217728 elements"),
    ("param W[65536, 65536] = 0",
     "line 1, column 7: shape [65536,65536] has more than the limit of 134217728 elements"),
    ("dim n = 2.5",
     "line 1, column 9: a whole number from 1 to 2³¹ − 1 was expected | this is 2.5 | help: sizes are numbers, `dim`s, or `size(x)`"),
    ("param w = 0\nloss = w^2\ntrain { optimiser = gd, stps = 3 }",
     "line 3, column 9: `train` has no setting `optimiser` | not known | help: did you mean `optimizer`? the settings are optimizer, steps, epochs, batch, seed, shuffle, clip_norm, clip_value, l2, validation, test, patience, precision"),
    ("param w = 0\nloss = w^2\ntrain { optimizer = adm }",
     "line 3, column 21: unknown optimizer `adm` | not an optimizer | help: did you mean `adam`? there are adagrad, adam, adamw, gd, lbfgs, line_search, lion, momentum, momentum_averaged, nesterov, newton, rmsprop, sgd"),
    ("param w = 0\nloss = w^2\ntrain { optimizer = adm(lr = 0.1) }",
     "line 3, column 21: unknown function `adm` | not declared | help: did you mean `adam`?"),
    ("param w = 0\nloss = w^2\ntrain { precision = f16 }",
     "line 3, column 21: `precision` is f32 or f64 | this is not"),
    ("param w = 0\nloss = w^2\ntrain { batch = half }",
     "line 3, column 17: unknown value `half` of `batch` | not known | help: a batch is a number of examples, or `full`"),
    ("input x[3]\nparam w = 0\nloss = w*x",
     "line 3, column 8: an objective is one number, and this has shape [3] | shape [3] | help: write `mean(w*x)`"),
    ("param w = 0\ntrain { steps = 3 }",
     "line 2, column 1: nothing says what is to be minimized | trained for what? | help: define `loss = …`, or ask to `minimize …` or `maximize …`"),
    ("param w[2] ~ normall(0, 1)",
     "line 1, column 14: unknown distribution `normall` | not known | help: did you mean `normal`?"),
    ("param w[2]",
     "line 1, column 11: the parameter's first value was expected, and here is the end | help: say where it starts: `~ normal(0, 1)`, `~ glorot`, or `= 0`"),
    ("param w = 0\nloss = w*step",
     "line 2, column 10: `step` has a value only while training | not known here | help: it stands in an `optimizer`, or in a schedule such as `lr = cosine(0.1)`"),
    ("input x[1,1,1,1,1,1,1,2]\nout = sum(x)",
     "line 1, column 7: an array of 8 axes leaves none for the examples | has 8 | help: 7 are the most in a program with inputs"),
    ("input xs[4,2]\nstep(h, x) = h + x\nout = scan(step, zeros(3), xs)",
     "line 2, column 18: the shapes [3] and [2] do not match | shape [2] | line 2, column 14: shape [3] | line 3, column 7: in this call | help: operands must have equal shapes, or one must be a single number"),
    ("input xs[4,2]\nstep(h, x) = h + dense(x, 2)\nout = scan(step, zeros(2), xs)",
     "line 2, column 18: `dense` would make new parameters at every step | called within `scan` | line 3, column 7: in this call | help: declare the parameters outside of the step, with `param`, and use them in it"),
    ("input x[4], w[3]\nout = sum[i=0:3, p] x[i + p]*w[p]",
     "line 2, column 21: `x[i + p]` reaches the subscript 4 | the subscripts are 0 to 3 | line 2, column 11: `i` runs from 0 to 2 | help: write the range, as in `sum[i = 0:n]`, or make the arrays fit"),
    ("layer f(x) { param w = 0 }\n",
     "line 1, column 12: a block without a value | this block | help: its last line is an expression: what the function gives"),
    ("state m = 0",
     "line 1, column 7: only an optimizer keeps a state | help: a definition is `name = …`; `optimizer f(lr) { state m = 0; m := … }`"),
    ("a = b = 3",
     "line 1, column 7: the end of the statement was expected, and here is `=` | help: one statement has one `=`; to compare write `==`"),
    ("layer f(x) { x\n",
     "line 1, column 12: `{` is never closed | opened here | line 1, column 15: `}` is missing"),
    ("a = 3 +\n",
     "line 1, column 7: nothing on the right of `+` | an operand must follow | help: remove the `+`, or write what is missing"),
    ("# nothing\n",
     "line 1, column 1: the program is empty | nothing to read | help: begin with `input x, y` and `param w = 0`"),
    ("a = {3}",
     "line 1, column 5: an expression was expected, and here is `{` | help: write a number, a name or a formula"),
    ("data { file = wine.csv }",
     "line 1, column 19: `.` is not part of the language | not understood | help: a file's name stands in quotes, as in `file = \"wine.csv\"`"),
    ("data { file = \"wine.csv }",
     "line 1, column 15: `\"` is not part of the language | not understood | help: these quotes are not closed on their line"),
    ("layer f(x) { metric a = 3; x }",
     "line 1, column 21: `metric` inside a function | help: metrics belong to the program itself"),
    ("dim i = 3\ninput x[3]\nout = sum[i] x[i]",
     "line 3, column 11: `i` is already defined, and cannot be an index as well | as an index | line 1, column 5: defined here | help: choose another letter for the index"),
    ("input x[3]\nout = sum[i] sum[i] x[i]",
     "line 2, column 18: the index `i` is used twice | again, inside the first | line 2, column 11: first | help: indices inside one another need different names"),
    ("input x[3], y[4]\nf(a, b) = a + b\nout = f(x, y)",
     "line 2, column 15: the shapes [3] and [4] do not match | shape [4] | line 2, column 11: shape [3] | line 3, column 7: in this call | help: operands must have equal shapes, or one must be a single number"),
    ("optimizer o(lr = 1) { w := w - lr*d; d = g }\nparam w = 0\nloss = w^2\ntrain { optimizer = o }",
     "line 1, column 35: `d` is used before its line | no value yet | line 1, column 38: given here | help: the lines of an optimizer run from top to bottom"),
    ("input x[3], y[2]\nparam W[2,3] ~ glorot\nloss = mse(W*x, y)",
     "line 3, column 14: the shapes [2,3] and [3] do not match | shape [3] | line 3, column 12: shape [2,3] | help: `*` multiplies element by element; the matrix product is `W @ x`"),
    ("input x[3,4]\nparam w = 1\nloss = sum(sum(w*x, axis = 0))",
     "line 3, column 28: `sum` takes no named arguments | named | help: an axis is an index: `y[j] = sum[i] x[i,j]`"),
    ("input x, y\nparam w = 0\nloss = if(x = 0, w, y)",
     "line 3, column 15: `if` takes no named arguments | named | help: call it as `if(condition, then, otherwise)`; to compare write `==`"),
    ("input x, y\nmetric m = x > 0 and y > 0",
     "line 2, column 24: comparisons cannot be chained | a second comparison | line 2, column 14: the first | help: conditions are joined as `and(a < b, b < c)` or `or(a, b)`"),
    ("input x[8,8]\nz = conv2d(x, 4, 3)",
     "line 2, column 5: nothing says which values `c` runs over, in `conv2d` | in this call | line 2, column 12: `x` is a 8×8 matrix | line 2, column 15: `4` is a number | line 2, column 18: `3` is a number | help: images are x[channels, rows, columns]; `reshape(x, 1, rows(x), size(x, 1))` adds a channel"),
    ("input x[3], y\nparam W[2,3] ~ glorot\nloss = cross_entropy(y, W @ x)",
     "line 3, column 8: `logs` has 0 axes, and here are 1 subscripts, in `cross_entropy` | in this call | line 3, column 22: `y` is a number | line 3, column 25: `W @ x` is a vector of 2 | help: call it as `cross_entropy(logits, class)`: a vector, and a class or a vector of probabilities"),
    ("def f(a): return a*2",
     "line 1, column 1: `def` begins no statement | help: a function is `f(a) = …`, with its lines in braces where it has several"),
    ("let p = 3",
     "line 1, column 1: `let` begins no statement | help: a value needs no word before it: `p = …`"),
    ("input x\np = x\np += 1",
     "line 3, column 4: nothing between `+` and `=` | an operand is missing before it | line 3, column 3: after this | help: every name has one value; give the changed one a name of its own"),
    ("input x, y // data",
     "line 1, column 12: the end of the statement was expected, and here is `/` | help: a comment begins with `#`"),
    ("param W[3,2] ~ glorot\nz = W.T",
     "line 2, column 6: `.` is not part of the language | not understood | help: the transpose of `W` is `W'`"),
    ("param w = 0\nLoss = w^2\ntrain { steps = 3 }",
     "line 3, column 1: nothing says what is to be minimized | trained for what? | help: is `Loss` to be minimized? Call it `loss`, or add `minimize Loss`"),
    ("param w = 0\nloss = w^2\ntrain { learning_rate = 0.1 }",
     "line 3, column 9: `train` has no setting `learning_rate` | not known | help: that belongs to the optimizer: `optimizer = adam(lr = 0.01)`, or `lr = cosine(0.01)` within"),
    ("param w = 0\nloss = w^2\ntrain { optimizer = adam(learning_rate = 0.1) }",
     "line 3, column 42: there is no parameter `learning_rate` here | named like that | help: did you mean `lr`? It is called as `adam(lr = 0.001, beta1 = 0.9, beta2 = 0.999, eps = 1e-8)`"),
    ("param w = 0\nloss = w^2\ntrain\n{ steps = 3 }",
     "line 3, column 1: an expression alone does nothing here | its value is not used | help: its settings stand in braces: `train { steps = 100 }`"),
    ("input x[4]\nz = dense(x, 3, activation = relu)",
     "line 2, column 30: there is no parameter `activation` here | named like that | help: did you mean `f`? It is called as `dense(x, n, f = identity)`"),
    ("param w\nloss = w^2",
     "line 1, column 8: the parameter's first value was expected, and here is the end of the line | help: say where it starts: `~ normal(0, 1)`, `~ glorot`, or `= 0`"),
];

#[test]
fn every_fault_is_told_with_its_place_and_mend() {
    for (text, said) in FAULTS {
        assert_eq!(fault(text), *said, "\n{text}");
    }
}

/// The time this thread has had a processor, where the system tells: others may be at work as well.
fn busy() -> Option<Duration> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    times.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Texts made to hurt: none takes long, and none overflows the stack.
#[test]
fn no_program_is_slow_or_deep() {
    let join = |count: usize, part: &dyn Fn(usize) -> String| -> String { (0..count).map(part).collect() };
    let texts = [
        format!("input x\nout = {}x{}", "(".repeat(1_000_000), ")".repeat(1_000_000)),
        format!("input x\nout = {}x{}", "(".repeat(9_000), ")".repeat(9_000)),
        format!("input x\nout = {}", vec!["x*2"; 100_000].join(" + ")),
        format!("input x\nv0 = x\n{}", join(100_000, &|i| format!("v{} = v{i} + 1\n", i + 1))),
        format!("input x\n{}v100000 = x", join(100_000, &|i| format!("v{i} = v{} + 1\n", i + 1))),
        format!(
            "input x\nf0(a) = a\n{}out = f150(x)",
            join(150, &|i| format!("f{}(a) = f{i}(a) + f{i}(a + 1)\n", i + 1))
        ),
        format!("input x\nf0(a) = a\n{}out = f300(x)", join(300, &|i| format!("f{}(a) = f{i}(a)\n", i + 1))),
        format!("input x\n{}loss = x", join(50_000, &|i| format!("param p{i} = 1\n"))),
        format!("input x[5]\nout[i] = {}", vec!["x[i]"; 30_000].join("*")),
        format!("out = {}1", join(100, &|i| format!("sum[i{i} = 0:2] "))),
        "layer f(x) { ".repeat(100_000),
        "f(a) ".repeat(100_000),
        "x[".repeat(9_000),
        "input xs[5000, 3]\nstep(h, x) = tanh(h + x)\nout = last(scan(step, zeros(3), xs))".to_owned(),
    ];
    for text in &texts {
        let (wall, busy) = (Instant::now(), busy());
        let said = fault(text);
        let took = busy.zip(self::busy()).map_or(wall.elapsed(), |(before, after)| after - before);
        // Debug builds are some twenty times slower than what people run.
        assert!(took < Duration::from_secs(10), "{took:?}: {said} for {}…", &text[..60]);
    }
}
