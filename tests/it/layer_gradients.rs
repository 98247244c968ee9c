//! Gradients of every layer, loss and activation of the library, and of index notation: first and
//! second order, forward and reverse, as derived and as compiled, against differences.

use symdiff::differentiate::{jvp, vjp};
use symdiff::elaborate::program::{Model, Phase, read_program};
use symdiff::ir::{Elementwise, Function, Graph, Id, Op, Symbol};
use symdiff::{ArrayEvaluator, Engine, Level, Limits};

/// Each row: what is tested, and a program whose `loss` goes through it. Inputs called `class…` or
/// `token…` are whole numbers from 0 to 2; all else is derived by.
#[rustfmt::skip]
const ROWS: &[(&str, &str)] = &[
    // Layers.
    ("dense",            "input x[3], y[4]\nloss = mse(dense(x, 4, tanh), y)"),
    ("two dense",        "input x[3], class\nloss = cross_entropy(x |> dense(4, sigmoid) |> dense(3), class)"),
    ("relu",             "input x[3], y[2]\nloss = mse(x |> dense(5, relu) |> dense(2), y)"),
    ("conv2d",           "input x[2,5,4], y\nloss = (sum(conv2d(x, 3, 2, tanh)) - y)^2"),
    ("maxpool2d",        "input x[1,4,4]\nparam w[4] = 1\nloss = sum(w*flatten(maxpool2d(x))^2)"),
    ("avgpool2d",        "input x[2,4,4]\nparam w[8] = 1\nloss = sum(w*flatten(avgpool2d(x))^2)"),
    ("embedding",        "input token, y[3]\nloss = mse(tanh(embedding(token, 3, 3)), y)"),
    ("embedded text",    "input tokens[4], y[2]\nloss = mse(mean[t] tanh(embedding(tokens, 3, 2)[t]), y[0])"),
    ("layernorm",        "input x[5], y[5]\nloss = mse(layernorm(x), y)"),
    ("layernorm rows",   "input x[2,4], y[2,4]\nn[t] = layernorm(x[t])\nloss = mse(n, y)"),
    ("dropout",          "input x[6], y[6]\nloss = mse(dropout(tanh(x), 0.5), y)"),
    ("residual",         "input x[3]\nparam W[3,3] = 0.1\nf(z) = tanh(W @ z)\nloss = sum(residual(x, f)^2)"),
    ("rnn",              "input xs[3,2], y[2]\nloss = mse(last(rnn(xs, 2)), y)"),
    ("gru",              "input xs[3,2], y[2]\nloss = mse(last(gru(xs, 2)), y)"),
    ("lstm",             "input xs[3,2], y[2]\nloss = mse(last(lstm(xs, 2)), y)"),
    ("attention",        "input xs[3,4], y[3,4]\nloss = mse(attention(xs), y)"),
    ("two heads",        "input xs[3,4], y[3,4]\nloss = mse(attention(xs, heads = 2, causal = true), y)"),
    // Losses.
    ("mse",              "input p[3], y[3]\nloss = mse(p, y)"),
    ("mae",              "input p[3], y[3]\nloss = mae(p, y)"),
    ("huber",            "input p[4], y[4]\nloss = huber(2*p, y, 0.7)"),
    ("bce",              "input z, y\nloss = bce(sigmoid(z), y)"),
    ("bce of p",         "input z, y\nparam p = 0.5\nloss = bce(p*0.3 + 0.5, y) + 0*z"),
    ("bce_logits",       "input z[3], y[3]\nloss = bce_logits(z, y)"),
    ("cross_entropy",    "input z[4], class\nloss = cross_entropy(z, class)"),
    ("cross_entropy of a vector", "input z[4], q[4]\nloss = cross_entropy(z, softmax(q))"),
    ("kl",               "input a[3], b[3]\nloss = kl(softmax(a), softmax(b))"),
    ("hinge",            "input z[3], y[3]\nloss = hinge(z, y)"),
    // Activations and functions of arrays.
    ("activations",      "input x[3]\nloss = sum(gelu(x) + silu(x)*elu(x) + softplus(x)^2 + leaky_relu(x)*tanh(x))"),
    ("more activations", "input x[3]\nloss = sum(gelu_fast(x)^2 + relu6(3*x)*x + hard_sigmoid(x)*x + log_sigmoid(x)^2)"),
    ("softmax",          "input x[4], y[4]\nloss = sum(softmax(x)*y^2 + log_softmax(x)*y)"),
    ("norm, std",        "input x[4]\nloss = norm(x)*std(x) + variance(x)^2"),
    ("extremes",         "input x[5]\nloss = max(x)*min(x) + prod(x) + logsumexp(x)^2"),
    ("guarded",          "input x[4]\nloss = sum(if(x > 0, log(abs(x))*x, x^3))"),
    // Index notation.
    ("matrix product",   "input A[2,3], B[3,2]\nC[i,k] = sum[j] A[i,j]*B[j,k]\nloss = sum(C^2)"),
    ("outer, diagonal",  "input a[3], b[3]\nM = outer(a, b)\nloss = sum(diag(a) @ M @ b) + sum[i] M[i,i]^2"),
    ("differences",      "input x[5]\nd[i] = x[i + 1] - x[i]\nloss = sum(d^4)"),
    ("windows",          "input x[6], w[3]\ny[r] = sum[p] x[r + p]*w[p]\nloss = sum(tanh(y))"),
    ("strides",          "input x[6], w[2]\ny[r] = max[p] x[2*r + p]*w[p]\nloss = sum(y^2)"),
    ("reversal",         "input x[4]\ny[i] = x[3 - i]*x[i]^2\nloss = sum(y*y[0])"),
    ("log-likelihood",   "input x[2]\nparam m[3,2] = 0, s[3] = 1\nl[k] = -sum[i] (x[i] - m[k,i])^2*exp(s[k])\nloss = -logsumexp(l)"),
    ("gathered",         "input E[3,2], tokens[4]\nloss = sum(E[tokens]^3)"),
    ("scan",             "input xs[4,2]\nparam a = 0.5\nstep(h, x) = tanh(a*h + x*h[0])\nloss = sum(scan(step, [0.3, 0.1], xs)^2)"),
];

/// Numbers without special values, 0.2 to 1.4 with signs by turns.
fn number(i: usize) -> f64 {
    let part = (0.5 + 0.754_877_666_246_7 * (i + 1) as f64).fract();
    let sign = if (0.5 + 0.569_840_290_998 * (i + 1) as f64).fract() < 0.4 { -1.0 } else { 1.0 };
    sign * (0.2 + 1.2 * part)
}

/// A program with all that is derived of it.
struct Derived {
    graph: Graph,
    symbols: Vec<Symbol>,
    /// Loss; gradient; Hessian products forward over reverse, and reverse over reverse.
    outputs: Vec<Id>,
    /// Where the numbers are that it is derived by, among the inputs'.
    varied: Vec<usize>,
    point: Vec<f64>,
    direction: Vec<f64>,
}

fn is_whole(name: &str) -> bool {
    name.starts_with("class") || name.starts_with("token")
}

impl Derived {
    fn new(model: &Model) -> Derived {
        let graph = model.graph.clone();
        let own: Vec<Symbol> = graph.symbols().collect();
        let noises: Vec<Id> = model.noises.iter().map(|noise| noise.node).collect();
        let (mut xs, mut varied, mut point) = (Vec::new(), Vec::new(), Vec::new());
        for &symbol in &own {
            let node = graph.ids().find(|&id| graph.op(id) == Op::Input(symbol)).expect("an input's node");
            let (name, size) = (graph.symbol_name(symbol), graph.shape(node).size());
            let whole = is_whole(name);
            let noise = noises.contains(&node);
            if !whole && !noise {
                xs.push(node);
                varied.extend(point.len()..point.len() + size);
            }
            for k in 0..size {
                let here = number(point.len());
                point.push(if whole {
                    ((k + 1) % 3) as f64
                } else if noise {
                    here.abs() / 2.0
                } else {
                    here
                });
            }
        }
        let loss = model.objective().expect("a loss").node;
        let mut derived =
            Derived { symbols: own, outputs: vec![loss], varied, point, direction: Vec::new(), graph };
        derived.derive(loss, &xs);
        derived
    }

    fn derive(&mut self, loss: Id, xs: &[Id]) {
        let graph = &mut self.graph;
        let one = graph.integer(1);
        let slopes = gradient(graph, loss, one, xs);
        let mut seeds = Vec::new();
        for (i, &x) in xs.iter().enumerate() {
            let ty = graph.node(x).ty;
            let v = graph.input_of(&format!("direction {i}"), ty);
            let Op::Input(symbol) = graph.op(v) else { unreachable!() };
            self.symbols.push(symbol);
            let size = graph.shape(x).size();
            self.direction.extend((0..size).map(|k| number(7 * k + 3 * i + 1)));
            seeds.push((x, v));
        }
        let forward = jvp(graph, &slopes, &seeds);
        let forward: Vec<Id> =
            forward.into_iter().zip(xs).map(|(dot, &x)| dot.unwrap_or_else(|| zeros(graph, x))).collect();
        let products = slopes.iter().zip(&seeds).map(|(&slope, &(_, v))| {
            let product = graph.apply(Elementwise::Mul, &[slope, v]);
            let axes = ((1u16 << graph.shape(product).rank()) - 1) as u8;
            graph.sum(product, axes)
        });
        let products: Vec<Id> = products.collect();
        let along =
            products.into_iter().reduce(|a, b| graph.apply(Elementwise::Add, &[a, b])).expect("an array");
        let reverse = gradient(graph, along, one, xs);
        // The slope along the direction, by forward mode alone.
        let tangent = jvp(graph, &[loss], &seeds)[0].expect("the loss varies");
        self.outputs.extend(slopes.into_iter().chain(forward).chain(reverse).chain([tangent]));
    }

    fn function(&self) -> Function {
        Function::new(self.graph.clone(), self.symbols.clone(), self.outputs.clone())
    }
}

fn zeros(graph: &mut Graph, like: Id) -> Id {
    let (zero, shape) = (graph.integer(0), graph.shape(like).clone());
    graph.broadcast(zero, ((1u16 << shape.rank()) - 1) as u8, &shape)
}

fn gradient(graph: &mut Graph, y: Id, one: Id, xs: &[Id]) -> Vec<Id> {
    let bars = vjp(graph, &[(y, one)], xs);
    bars.into_iter().zip(xs).map(|(bar, &x)| bar.unwrap_or_else(|| zeros(graph, x))).collect()
}

#[track_caller]
fn assert_close(what: &str, actual: &[f64], expected: &[f64]) {
    let largest = expected.iter().fold(1e-3f64, |most, x| most.max(x.abs()));
    for (i, (a, b)) in actual.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= 1e-6 * largest, "{what}, place {i}: {a}, by differences {b}");
    }
    assert_eq!(actual.len(), expected.len(), "{what}");
}

/// Central quotients over two steps, extrapolated.
fn quotient(f: &mut dyn FnMut(f64) -> Vec<f64>) -> Vec<f64> {
    const STEP: f64 = 2e-4;
    let mut over = |h: f64| -> Vec<f64> {
        let (high, low) = (f(h), f(-h));
        high.iter().zip(low).map(|(a, b)| (a - b) / (2.0 * h)).collect()
    };
    let (long, short) = (over(STEP), over(STEP / 2.0));
    long.iter().zip(short).map(|(long, short)| (4.0 * short - long) / 3.0).collect()
}

fn check(name: &str, text: &str, engine: Engine, level: Level) {
    let model = read_program(text, Phase::Train, &Limits::default());
    let model = model.unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
    let derived = Derived::new(&model);
    let mut run = ArrayEvaluator::new(&derived.function(), engine, level)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut at =
        |point: &[f64]| run.call(&[point, derived.direction.as_slice()].concat()).expect("numbers fit");
    let n = derived.varied.len();
    let here = at(&derived.point);
    let what = |part: &str| format!("{name}, {engine:?}, {level:?}: {part}");
    let by_element: Vec<f64> = derived
        .varied
        .iter()
        .map(|&i| {
            quotient(&mut |h| {
                let mut moved = derived.point.clone();
                moved[i] += h;
                at(&moved)[..1].to_vec()
            })[0]
        })
        .collect();
    assert_close(&what("gradient"), &here[1..=n], &by_element);
    let along = quotient(&mut |h| {
        let mut moved = derived.point.clone();
        derived.varied.iter().zip(&derived.direction).for_each(|(&i, v)| moved[i] += h * v);
        at(&moved)[..=n].to_vec()
    });
    assert_close(&what("tangent"), &here[3 * n + 1..], &along[..1]);
    assert_close(&what("forward over reverse"), &here[n + 1..=2 * n], &along[1..]);
    assert_close(&what("reverse over reverse"), &here[2 * n + 1..=3 * n], &along[1..]);
}

#[test]
fn every_layer_as_derived() {
    ROWS.iter().for_each(|(name, text)| check(name, text, Engine::Interpreter, Level::None));
}

#[test]
fn every_layer_simplified_and_compiled() {
    ROWS.iter().for_each(|(name, text)| check(name, text, Engine::Jit, Level::Fast));
}
