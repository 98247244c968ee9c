//! Derivatives by whole arrays: what a textbook prints, and the numbers it stands for.

use symdiff::elaborate::program::{Model, Phase, read_program};
use symdiff::ir::eval::evaluate;
use symdiff::print::{Format, Label, render};
use symdiff::{Derivation, Function, Limits, Mode, gradients};

fn read(text: &str) -> Model {
    read_program(text, Phase::Predict, &Limits::default()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The derivatives by all parameters as they are printed.
fn printed(text: &str, format: Format) -> String {
    let model = read(text);
    let wrt: Vec<String> = model.params.iter().map(|param| param.name.clone()).collect();
    let derived = gradients(&model, &wrt, &Derivation::to_read()).expect("derived");
    let labels: Vec<Label> = wrt.into_iter().map(|wrt| Label::Partial { wrt, order: 1 }).collect();
    render(&derived, &labels, format)
}

/// Numbers that differ from each other, none of them special: 0.3 to 1.3 with signs by turns.
fn number(seed: usize) -> f64 {
    let part = (0.5 + 0.754_877_666 * (seed + 1) as f64).fract();
    (0.3 + part) * if seed.is_multiple_of(3) { -1.0 } else { 1.0 }
}

/// Inputs called `class…` or `token…` are whole numbers.
fn point(model: &Model) -> Vec<f64> {
    let graph = &model.graph;
    let mut point = Vec::new();
    for symbol in graph.symbols() {
        let name = graph.symbol_name(symbol);
        for k in 0..graph.type_of(graph.symbol_type(symbol)).shape.size() {
            let whole = name.starts_with("class") || name.starts_with("token");
            point.push(if whole { ((k + 1) % 3) as f64 } else { number(point.len()) });
        }
    }
    point
}

/// What a derivative mentions, at the model's point: its named values computed by the program.
fn named_values(derived: &Function, model: &Model, point: &[f64]) -> Vec<f64> {
    let graph = &model.graph;
    let symbols: Vec<_> = graph.symbols().collect();
    let mut given = Vec::new();
    for name in derived.input_names() {
        let named = model.values.iter().find(|value| value.name == name).map(|value| value.node);
        let node = named.or_else(|| {
            graph.symbol(name).map(|s| {
                graph.ids().find(|&id| graph.op(id) == symdiff::ir::Op::Input(s)).expect("an input's node")
            })
        });
        given.extend(evaluate(graph, &symbols, &[node.expect("a name of the program")], point));
    }
    given
}

/// Central differences of the objective by the parameters.
fn differences(model: &Model, point: &[f64]) -> Vec<f64> {
    let graph = &model.graph;
    let symbols: Vec<_> = graph.symbols().collect();
    let loss = model.objective().expect("a loss").node;
    let at = |point: &[f64]| evaluate(graph, &symbols, &[loss], point)[0];
    let mut slopes = Vec::new();
    for param in &model.params {
        let mut place = 0;
        for &symbol in &symbols {
            let size = graph.type_of(graph.symbol_type(symbol)).shape.size();
            if graph.symbol_name(symbol) == param.name {
                slopes.extend((place..place + size).map(|i| slope(&at, point, i)));
            }
            place += size;
        }
    }
    slopes
}

/// Two central quotients, extrapolated: the error is of fourth order.
fn slope(f: &dyn Fn(&[f64]) -> f64, point: &[f64], i: usize) -> f64 {
    let quotient = |h: f64| {
        let (mut low, mut high) = (point.to_vec(), point.to_vec());
        low[i] -= h;
        high[i] += h;
        (f(&high) - f(&low)) / (2.0 * h)
    };
    let h = 1e-4;
    (4.0 * quotient(h / 2.0) - quotient(h)) / 3.0
}

/// The printed lines as a program of their own, over what they mention.
fn as_program(derived: &Function, lines: &[&str]) -> String {
    let mut text = String::new();
    for (i, name) in derived.input_names().enumerate() {
        let extents: Vec<String> = derived.input_extents(i).iter().map(usize::to_string).collect();
        let shape = if extents.is_empty() { String::new() } else { format!("[{}]", extents.join(",")) };
        text += &format!("input {name}{shape}\n");
    }
    let outputs = lines.iter().filter(|line| line.starts_with('∂')).count();
    for (i, line) in lines.iter().enumerate() {
        let (left, right) = line.split_once(" = ").expect("an equation");
        let left = match i.checked_sub(lines.len() - outputs) {
            Some(k) => format!("out{k}"),
            None => left.to_owned(),
        };
        text += &format!("{left} = {right}\n");
    }
    text.replace("1.", "1_").replace("2.", "2_")
}

/// The language reads back what is printed, except for moves of axes that it says by indices.
fn check_reading_back(derived: &Function, lines: &[&str], given: &[f64], expected: &[f64]) {
    if lines.iter().any(|line| line.contains("broadcast(") || line.contains("0.0000")) {
        return;
    }
    let text = as_program(derived, lines);
    let model = read(&text);
    let symbols: Vec<_> = model.graph.symbols().collect();
    let outputs: Vec<_> =
        model.values.iter().filter(|value| value.name.starts_with("out")).map(|value| value.node).collect();
    let read_back = evaluate(&model.graph, &symbols, &outputs, given);
    assert_eq!(read_back.len(), expected.len(), "{text}");
    for (a, b) in read_back.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a}, not {b}\n{text}");
    }
}

#[track_caller]
fn check(text: &str, expect: &[&str]) {
    assert_eq!(printed(text, Format::Text).lines().collect::<Vec<_>>(), expect, "\n{text}");
    let model = read(text);
    let point = point(&model);
    let expected = differences(&model, &point);
    let wrt: Vec<String> = model.params.iter().map(|param| param.name.clone()).collect();
    for mode in [Mode::Reverse, Mode::Forward] {
        let derivation = Derivation { mode, ..Derivation::to_read() };
        let derived = gradients(&model, &wrt, &derivation).expect("derived");
        let given = named_values(&derived, &model, &point);
        let actual = evaluate(derived.graph(), derived.inputs(), derived.outputs(), &given);
        if mode == Mode::Reverse {
            check_reading_back(&derived, expect, &given, &actual);
        }
        assert_eq!(actual.len(), expected.len(), "{text}");
        let largest = expected.iter().fold(1e-3f64, |most, slope| most.max(slope.abs()));
        for (i, (a, b)) in actual.iter().zip(&expected).enumerate() {
            assert!((a - b).abs() <= 1e-8 * largest, "{mode:?} {i}: {a}, not {b}\n{text}");
        }
    }
}

#[test]
fn linear_regression_is_the_residual_times_the_input() {
    check(
        "input x[3], y\nparam w[3] = 0, b = 0\np = w·x + b\nloss = (p - y)^2",
        &["∂/∂w = 2*x*(p - y)", "∂/∂b = 2*(p - y)"],
    );
}

#[test]
fn cross_entropies_are_differences() {
    check(
        "input x[3], y\nparam w[3] = 0, b = 0\np = sigmoid(w·x + b)\nloss = bce(p, y)",
        &["∂/∂w = x*(p - y)", "∂/∂b = p - y"],
    );
    check(
        "input x[3], class\nparam W[4,3] = 0, b[4] = 0\nz = W @ x + b\nloss = cross_entropy(z, class)",
        &["∂/∂W = outer(softmax(z) - onehot(class, 4), x)", "∂/∂b = softmax(z) - onehot(class, 4)"],
    );
}

#[test]
fn the_exclusive_or_is_a_page_of_a_textbook() {
    check(
        "input x[2], y
         param W1[8,2] ~ normal(0, 1), b1[8] = 0, W2[8] ~ normal(0, 1), b2 = 0
         h = tanh(W1 @ x + b1)
         p = sigmoid(W2 · h + b2)
         loss = bce(p, y)",
        &[
            "∂/∂W1 = outer(W2*(1 - h^2)*(p - y), x)",
            "∂/∂b1 = W2*(1 - h^2)*(p - y)",
            "∂/∂W2 = h*(p - y)",
            "∂/∂b2 = p - y",
        ],
    );
}

/// Two layers with relu and the squared error.
const PERCEPTRON: &str = "input x[3], y[2]
    param W1[5,3] ~ he, b1[5] = 0, W2[2,5] ~ he, b2[2] = 0
    h = relu(W1 @ x + b1)
    p = W2 @ h + b2
    loss = mse(p, y)";

#[test]
fn layers_are_pulled_back_by_transposes() {
    check(
        PERCEPTRON,
        &[
            "∂/∂W1 = outer(if(h > 0, W2' @ (p - y), 0), x)",
            "∂/∂b1 = if(h > 0, W2' @ (p - y), 0)",
            "∂/∂W2 = outer(p - y, h)",
            "∂/∂b2 = p - y",
        ],
    );
    check(
        "input x[3], class
         param W1[5,3] ~ he, b1[5] = 0, W2[4,5] ~ he, b2[4] = 0
         a = W1 @ x + b1
         h = relu(a)
         z = W2 @ h + b2
         loss = cross_entropy(z, class)",
        &[
            "t1 = softmax(z) - onehot(class, 4)",
            "t2 = if(a > 0, W2' @ t1, 0)",
            "∂/∂W1 = outer(t2, x)",
            "∂/∂b1 = t2",
            "∂/∂W2 = outer(t1, h)",
            "∂/∂b2 = t1",
        ],
    );
    check(
        "input x[4], class
         logits = x |> dense(16, tanh) |> dense(3)
         loss = cross_entropy(logits, class)",
        &[
            "t1 = dense1.W @ x + dense1.b",
            "t2 = softmax(logits) - onehot(class, 3)",
            "t3 = sech(t1)^2*(dense2.W' @ t2)",
            "∂/∂dense1.W = outer(t3, x)",
            "∂/∂dense1.b = t3",
            "∂/∂dense2.W = outer(t2, tanh(t1))",
            "∂/∂dense2.b = t2",
        ],
    );
}

#[test]
fn normalisation_keeps_its_means() {
    check(
        "input x[4], y[4]\nloss = mse(layernorm(x), y)",
        &[
            "t1 = x - mean(x)",
            "t2 = sqrt(mean(t1^2) + 0.00001)",
            "t3 = layernorm1.gain*t1/t2 + layernorm1.shift - y",
            "∂/∂layernorm1.gain = t1*t3/(2*t2)",
            "∂/∂layernorm1.shift = t3/2",
        ],
    );
}

#[test]
fn attention_is_four_matrix_products() {
    check(
        "input X[5,4], y[5,4]
         param Q[4,4] ~ glorot, K[4,4] ~ glorot, V[4,4] ~ glorot
         q = X @ Q
         k = X @ K
         v = X @ V
         a[t, s] = sum[i] q[t,i]*k[s,i]/2
         w[t] = softmax(a[t])
         out = w @ v
         loss = mse(out, y)",
        &[
            "t1 = (out - y) @ v'",
            "t2 = w*(t1 - broadcast(sum(w*t1, [1]), [5, 5], [1]))",
            "∂/∂Q = X' @ (t2 @ k)/20",
            "∂/∂K = X' @ (t2' @ q)/20",
            "∂/∂V = X' @ (w' @ (out - y))/10",
        ],
    );
}

#[test]
fn an_embedding_moves_one_row() {
    check(
        "input token, class
         param E[10,4] ~ normal(0, 1), W[3,4] ~ glorot
         e = E[token]
         z = W @ e
         loss = cross_entropy(z, class)",
        &[
            "∂/∂E = outer(onehot(token, 10), W' @ (softmax(z) - onehot(class, 3)))",
            "∂/∂W = outer(softmax(z) - onehot(class, 3), e)",
        ],
    );
}

#[test]
fn arrays_are_bold_and_transposed_in_latex() {
    let lines = printed(PERCEPTRON, Format::Latex);
    let expect = [
        r"\frac{\partial}{\partial \mathbf{W}_{1}} = \left(\left(\mathbf{W}_{2}^{\top} \, \left(\mathbf{p} - \mathbf{y}\right)\right) \odot \mathbf{1}_{\mathbf{h} > 0}\right) \, \mathbf{x}^{\top}",
        r"\frac{\partial}{\partial \mathbf{b}_{1}} = \left(\mathbf{W}_{2}^{\top} \, \left(\mathbf{p} - \mathbf{y}\right)\right) \odot \mathbf{1}_{\mathbf{h} > 0}",
        r"\frac{\partial}{\partial \mathbf{W}_{2}} = \left(\mathbf{p} - \mathbf{y}\right) \, \mathbf{h}^{\top}",
        r"\frac{\partial}{\partial \mathbf{b}_{2}} = \mathbf{p} - \mathbf{y}",
    ];
    assert_eq!(lines.lines().collect::<Vec<_>>(), expect);
    let unicode = printed(PERCEPTRON, Format::Unicode);
    assert_eq!(unicode.lines().next(), Some("∂/∂W1 = outer(if(h > 0, W2ᵀ @ (p - y), 0), x)"));
}

/// Each number that is stacked gets its own entry of the cotangent.
#[test]
fn numbers_in_a_vector_have_slopes_of_their_own() {
    check(
        "param a = 1, b = 1\nv = [a*b, b^2]\nloss = sum(exp(v)*v)",
        &["∂/∂a = b*(exp(v)*(v + 1))[0]", "∂/∂b = a*(exp(v)*(v + 1))[0] + 2*b*(exp(v)*(v + 1))[1]"],
    );
}
