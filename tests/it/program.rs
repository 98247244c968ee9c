//! Programs: what they mean in numbers, and in which words their faults are told.

use symdiff::elaborate::program::{Batch, Clock, Init, Model, Phase, Sense, read_program};
use symdiff::ir::eval::evaluate;
use symdiff::ir::{Graph, Id, Op};
use symdiff::{Error, Limits, Severity};

fn read_as(text: &str, phase: Phase) -> Result<Model, Error> {
    read_program(text, phase, &Limits::default())
}

#[track_caller]
fn read(text: &str) -> Model {
    match read_as(text, Phase::Train) {
        Ok(model) => model,
        Err(error) => panic!("not read: {error}\n{text}"),
    }
}

/// The value of a node, the symbols given by name; what is not given is NaN.
fn value(graph: &Graph, node: Id, given: &[(&str, &[f64])]) -> Vec<f64> {
    let symbols: Vec<_> = graph.symbols().collect();
    let mut point = Vec::new();
    for &symbol in &symbols {
        let size = graph.type_of(graph.symbol_type(symbol)).shape.size();
        match given.iter().find(|(name, _)| *name == graph.symbol_name(symbol)) {
            Some((_, values)) => {
                assert_eq!(values.len(), size, "size of {}", graph.symbol_name(symbol));
                point.extend_from_slice(values);
            }
            None => point.extend(std::iter::repeat_n(f64::NAN, size)),
        }
    }
    evaluate(graph, &symbols, &[node], &point)
}

#[track_caller]
fn assert_close(actual: &[f64], expected: &[f64], what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}: {actual:?}, not {expected:?}");
    for (&a, &b) in actual.iter().zip(expected) {
        let close = (a - b).abs() <= 1e-12 * b.abs().max(1.0) || (a.is_nan() && b.is_nan());
        assert!(close, "{what}: {actual:?}, not {expected:?}");
    }
}

/// The value called `out` of a program.
#[track_caller]
fn check(text: &str, given: &[(&str, &[f64])], expected: &[f64]) {
    let model = read(text);
    let out = model.values.iter().find(|v| v.name == "out").expect("the program defines `out`");
    assert_close(&value(&model.graph, out.node, given), expected, text);
}

/// The first fault of a program, with its place, its labels and its hint.
fn fault(text: &str) -> String {
    let error = match read_as(text, Phase::Train) {
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

const XOR: &str = "
# xor.sd
input x[2], y                         # one row of data
param W1[8,2] ~ normal(0, 1),  b1[8] = 0
param W2[8]   ~ normal(0, 1),  b2    = 0

h    = tanh(W1 @ x + b1)
p    = sigmoid(W2 · h + b2)
loss = bce(p, y)                      # mean over the batch

train { optimizer = gd(lr = 0.5), steps = 2000, batch = full, seed = 0 }
";

#[test]
fn the_exclusive_or_is_read() {
    let model = read(XOR);
    let names: Vec<_> = model.params.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["W1", "b1", "W2", "b2"]);
    assert_eq!(model.params[0].init, Init::Normal { mean: 0.0, std: 1.0 });
    assert_eq!(model.params[1].init, Init::Constant(0.0));
    assert_eq!(model.graph.shape(model.params[0].node).extents(), [8, 2]);
    let inputs: Vec<_> = model.inputs.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(inputs, ["x", "y"]);
    assert_eq!((model.train.steps, model.train.seed), (Some(2000), 0));
    assert_eq!(model.train.batch, Batch::Full);
    assert_eq!(model.train.optimizer.name, "gd");
    assert_eq!(model.objective.as_ref().map(|o| o.sense), Some(Sense::Minimize));
    assert!(model.notes.is_empty(), "{:?}", model.notes);
    let w1: Vec<f64> = (0..16).map(|i| f64::from(i) / 10.0 - 0.7).collect();
    let w2: Vec<f64> = (0..8).map(|i| 0.3 - f64::from(i) / 8.0).collect();
    let (x, y) = ([0.4, -1.2], 1.0);
    let mut z = 0.25;
    for i in 0..8 {
        z += w2[i] * (w1[2 * i] * x[0] + w1[2 * i + 1] * x[1] + 0.1).tanh();
    }
    let p = 1.0 / (1.0 + (-z).exp());
    let given: &[(&str, &[f64])] =
        &[("x", &x), ("y", &[y]), ("W1", &w1), ("b1", &[0.1; 8]), ("W2", &w2), ("b2", &[0.25])];
    let loss = model.objective.as_ref().expect("a loss").node;
    assert_close(&value(&model.graph, loss, given), &[-p.ln()], "xor");
}

#[test]
fn layers_own_parameters_numbered_by_kind() {
    let model = read(
        "input x[64], class
         logits = x |> dense(32, relu) |> dense(10)
         loss = cross_entropy(logits, class)
         metric accuracy = argmax(logits) == class
         train { optimizer = adam(lr = cosine(3e-4, warmup = 20)), epochs = 5, batch = 32 }",
    );
    let shown: Vec<_> =
        model.params.iter().map(|p| format!("{}{}", p.name, model.graph.shape(p.node))).collect();
    assert_eq!(shown, ["dense1.W[32,64]", "dense1.b[32]", "dense2.W[10,32]", "dense2.b[10]"]);
    assert_eq!(model.params[0].init, Init::Glorot);
    assert_eq!(model.train.optimizer.states, [("m".to_owned(), 0.0), ("v".to_owned(), 0.0)]);
    assert_eq!(model.train.batch, Batch::Size(32));
    assert_eq!(model.metrics[0].name, "accuracy");
}

#[test]
fn index_notation_computes_what_it_says() {
    let a: &[f64] = &[1., 2., 3., 4., 5., 6.];
    let b: &[f64] = &[1., -1., 2., 0.5, 0., 3.];
    check(
        "input A[2,3], B[3,2]\nout[i,k] = sum[j] A[i,j]*B[j,k]",
        &[("A", a), ("B", b)],
        &[5., 9., 14., 16.5],
    );
    check("input A[2,3]\nout[j,i] = A[i,j]", &[("A", a)], &[1., 4., 2., 5., 3., 6.]);
    check("input A[2,3]\nout[i] = mean[j] A[i,j]", &[("A", a)], &[2., 5.]);
    check("input A[2,3]\nout = max[i,j] A[i,j]", &[("A", a)], &[6.]);
    check("input A[2,3]\nout[j] = min[i] A[i,j]", &[("A", a)], &[1., 2., 3.]);
    check("input A[2,3]\nout[j] = prod[i] A[i,j]", &[("A", a)], &[4., 10., 18.]);
    check("input A[2,3]\nout = prod[j] A[1,j]", &[("A", a)], &[120.]);
    check("input x[5]\nout = prod(x)", &[("x", &[1., 2., 3., 4., 5.])], &[120.]);
    check("input x[3]\nout = logsumexp[i] x[i]", &[("x", &[0., 1., 2.])], &[2.4076059644443806]);
    check("input x[3]\nout = sum[i] i*x[i]", &[("x", &[5., 7., 9.])], &[25.]);
    check("input x[4]\nout[i] = x[i+1] - x[i]", &[("x", &[1., 4., 9., 16.])], &[3., 5., 7.]);
    check(
        "input x[5], w[2]\nout[r] = sum[p] x[r+p]*w[p]",
        &[("x", &[1., 2., 3., 4., 5.]), ("w", &[1., 10.])],
        &[21., 32., 43., 54.],
    );
    check(
        "input x[5], w[2]\nout[r] = sum[p] x[2*r+p]*w[p]",
        &[("x", &[1., 2., 3., 4., 5.]), ("w", &[1., 10.])],
        &[21., 43.],
    );
    check("input x[4]\nout[i] = x[3-i]", &[("x", &[1., 2., 3., 4.])], &[4., 3., 2., 1.]);
    check("input A[2,2]\nout = sum[i] A[i,i]", &[("A", &[1., 2., 3., 4.])], &[5.]);
    check("input x[2]\nout[i,j] = x[i]*x[j]", &[("x", &[2., 3.])], &[4., 6., 6., 9.]);
    check("dim n = 3\nout[i=0:n] = i^2", &[], &[0., 1., 4.]);
    check("input x[3]\nout = 2*sum[i](x[i])^2 + 1", &[("x", &[1., 2., 3.])], &[73.]);
    check("input x[3]\nout = 2*sum[i] x[i]^2 + 1", &[("x", &[1., 2., 3.])], &[29.]);
    check("input E[3,2], t\nout = E[t]", &[("E", a), ("t", &[2.])], &[5., 6.]);
    check("input E[3,2], t[2]\nout = E[t]", &[("E", a), ("t", &[2., 0.])], &[5., 6., 1., 2.]);
    check("input E[3,2], t[2]\nout[s] = E[t[s], s]", &[("E", a), ("t", &[2., 0.])], &[5., 2.]);
    check("input E[2,3], t[2]\nout[s] = E[s, t[s]]", &[("E", a), ("t", &[2., 0.])], &[3., 4.]);
    check("input E[3,2], t\nout = E[:, t]", &[("E", a), ("t", &[1.])], &[2., 4., 6.]);
    check(
        "input x[3], A[2,3], y[2]\nout = sum[i,j] y[i]*A[i,j]*x[j]",
        &[("x", &[1., 2., 3.]), ("A", a), ("y", &[1., 2.])],
        &[78.],
    );
    check("input A[2,3], x[2,3]\nout[i] = A @ x[i]", &[("A", a), ("x", a)], &[14., 32., 32., 77.]);
    check("input x[2,3]\nout[i] = softmax(x[i]) · x[i]", &[("x", &[0., 0., 0., 1., 1., 1.])], &[0., 1.]);
    check("input x[3]\nout[i] = x[i]/sum[j] x[j]", &[("x", &[1., 2., 5.])], &[0.125, 0.25, 0.625]);
}

#[test]
fn sums_of_products_are_contractions() {
    let model = read("input A[20,30], B[30,40]\nout[i,k] = sum[j] A[i,j]*B[j,k]");
    let largest = model.graph.ids().map(|id| model.graph.shape(id).size()).max();
    assert_eq!(largest, Some(1200), "no array of all products");
    let contraction = model.graph.ids().any(|id| matches!(model.graph.op(id), Op::Contract { .. }));
    assert!(contraction);
}

/// An optimizer's updates of one number whose gradient is given, from w = 1.
fn updates(optimizer: &str, gradients: &[f64]) -> Vec<f64> {
    let text = format!("input x\nparam w = 1\nloss = (w*x)^2\ntrain {{ optimizer = {optimizer} }}");
    let model = read(&text);
    let mut graph = Graph::new();
    let mut input = |name: &str| graph.input(name);
    let (w, g) = (input("w"), input("g"));
    let clock = Clock {
        step: input("step"),
        steps: input("steps"),
        epoch: input("epoch"),
        plateaus: input("plateaus"),
    };
    let names: Vec<String> = (0..model.train.optimizer.states.len()).map(|i| format!("s{i}")).collect();
    let states: Vec<Id> = names.iter().map(|name| input(name)).collect();
    let (new_w, new_states) = model.update(&mut graph, &clock, w, g, &states).expect("an update");
    let mut now = 1.0;
    let mut state: Vec<f64> = model.train.optimizer.states.iter().map(|s| s.1).collect();
    let mut path = Vec::new();
    for (i, &gradient) in gradients.iter().enumerate() {
        let (at, slope, step) = ([now], [gradient], [(i + 1) as f64]);
        let mut given: Vec<(&str, &[f64])> = vec![
            ("w", &at),
            ("g", &slope),
            ("step", &step),
            ("steps", &[100.0]),
            ("epoch", &[0.0]),
            ("plateaus", &[0.0]),
        ];
        given.extend(names.iter().map(String::as_str).zip(state.chunks(1)));
        let next = value(&graph, new_w, &given)[0];
        let states: Vec<f64> = new_states.iter().map(|&s| value(&graph, s, &given)[0]).collect();
        (now, state) = (next, states);
        path.push(now);
    }
    path
}

#[test]
fn the_first_step_of_adam_has_the_length_of_the_rate() {
    for gradient in [1e-3, 1.0, -250.0] {
        let step = updates("adam(lr = 0.05)", &[gradient])[0] - 1.0;
        assert!((step.abs() - 0.05).abs() < 1e-5, "{step}");
        assert!(step * gradient < 0.0);
    }
}

#[test]
fn scratch() {
    for (name, text) in [
        ("juxtaposed", "input x\nout = 2x"),
        ("juxtaposed function", "input x\nout = sin x"),
        ("call of a value", "input x\nout = x(x + 1)"),
        ("unknown", "input xs\nout = sxin(xs)"),
        ("unknown name", "input price\nout = prise + 1"),
        ("twice", "input x\nx = 3"),
        ("cycle", "a = b + 1\nb = c\nc = a"),
        ("recursion", "input x\nf(n) = n*f(n - 1)\nout = f(x)"),
        ("parm", "parm W[8] = 0"),
        ("lonely", "input x\nx + 1"),
        ("transposed", "input x[2]\nparam W[2,8] = 0\nout = W @ x"),
        ("bias", "input x[2]\nparam W[8,2] = 0, b[4] = 0\nout = W @ x + b"),
        ("n and n1", "input x[3], y[3,1]\nout = x - y"),
        ("library", "input x[3], y[4]\nloss = mse(x, y)"),
        ("arity", "input x[3]\nout = dense(x)"),
        ("named", "input x[3]\nout = dense(x, width = 3)"),
        ("two extents", "input A[2,3], x[4]\nout = sum[j] A[0,j]*x[j]"),
        ("no range", "input x\nout = sum[i] x"),
        ("huge", "param W[1e9, 1e9] = 0"),
        ("huge2", "param W[65536, 65536] = 0"),
        ("dim", "dim n = 2.5"),
        ("key", "param w = 0\nloss = w^2\ntrain { optimiser = gd, stps = 3 }"),
        ("optimizer", "param w = 0\nloss = w^2\ntrain { optimizer = adm }"),
        ("optimizer2", "param w = 0\nloss = w^2\ntrain { optimizer = adm(lr = 0.1) }"),
        ("value", "param w = 0\nloss = w^2\ntrain { precision = f16 }"),
        ("batch", "param w = 0\nloss = w^2\ntrain { batch = half }"),
        ("vector loss", "input x[3]\nparam w = 0\nloss = w*x"),
        ("no loss", "param w = 0\ntrain { steps = 3 }"),
        ("init", "param w[2] ~ normall(0, 1)"),
        ("no init", "param w[2]"),
        ("step", "param w = 0\nloss = w*step"),
        ("scan", "input xs[4,2]\nstep(h, x) = h + x\nout = scan(step, zeros(3), xs)"),
        ("scan layer", "input xs[4,2]\nstep(h, x) = h + dense(x, 2)\nout = scan(step, zeros(2), xs)"),
        ("reaches", "input x[4], w[3]\nout = sum[i=0:3, p] x[i + p]*w[p]"),
        ("block", "layer f(x) { param w = 0 }\n"),
        ("state", "state m = 0"),
        ("two eq", "a = b = 3"),
        ("unclosed", "layer f(x) { x\n"),
        ("trailing", "a = 3 +\n"),
        ("empty", "# nothing\n"),
        ("brace", "a = {3}"),
        ("quote", "data { file = wine.csv }"),
        ("quote2", "data { file = \"wine.csv }"),
        ("metric", "layer f(x) { metric a = 3; x }"),
        ("index hides", "dim i = 3\ninput x[3]\nout = sum[i] x[i]"),
        ("nested", "input x[3]\nout = sum[i] sum[i] x[i]"),
        ("user call", "input x[3], y[4]\nf(a, b) = a + b\nout = f(x, y)"),
        (
            "optimizer order",
            "optimizer o(lr = 1) { w := w - lr*d; d = g }\nparam w = 0\nloss = w^2\ntrain { optimizer = o }",
        ),
    ] {
        eprintln!("{name}: {}", fault(text));
    }
}
