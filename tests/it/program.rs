//! Programs: what they mean in numbers, and in which words their faults are told.

use symdiff::elaborate::program::{
    Batch, Clock, ColumnPick, Driver, Init, Missing, Model, Phase, Sense, Source, read_program,
};
use symdiff::ir::eval::evaluate;
use symdiff::ir::{Graph, Id, Op, Precision};
use symdiff::{Error, Limits};

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
fn truth_counts_as_one_where_it_is_compared_or_counted() {
    let given: &[(&str, &[f64])] = &[("p", &[0.7, 0.2, 0.6]), ("y", &[1., 0., 0.])];
    check("input p[3], y[3]\nout = mean((p > 0.5) == (y > 0.5))", given, &[2. / 3.]);
    check("input p[3], y[3]\nout = sum((p > 0.5) != y)", given, &[1.]);
    check("input p[3], y[3]\nout = sum[i] (p[i] > 0.5)", given, &[2.]);
    check("input p[3], y[3]\nout = if((p[0] > 0.5) == (y[0] > 0.5), 5, 6)", given, &[5.]);
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

/// A learning rate at a step of 100,000.
fn rate(schedule: &str, step: f64, plateaus: f64) -> f64 {
    let text = format!("input x\nparam w = 1\nloss = (w*x)^2\ntrain {{ optimizer = gd(lr = {schedule}) }}");
    let model = read(&text);
    let mut graph = Graph::new();
    let mut input = |name: &str| graph.input(name);
    let clock = Clock {
        step: input("step"),
        steps: input("steps"),
        epoch: input("epoch"),
        plateaus: input("plateaus"),
    };
    let rate = model.learning_rate(&mut graph, &clock).expect("a rate").expect("a rate");
    value(&graph, rate, &[("step", &[step]), ("steps", &[1e5]), ("plateaus", &[plateaus])])[0]
}

#[test]
fn schedules_are_what_they_are_called() {
    let cosine = "cosine(3e-4, warmup = 2000, floor = 3e-5)";
    let table = [
        (cosine, 0.0, 0.0, 0.0),
        (cosine, 1000.0, 0.0, 1.5e-4),
        (cosine, 2000.0, 0.0, 3e-4),
        (cosine, 51000.0, 0.0, 1.65e-4),
        (cosine, 100_000.0, 0.0, 3e-5),
        (cosine, 200_000.0, 0.0, 3e-5),
        ("cosine(1, over = 10)", 5.0, 0.0, 0.5),
        ("constant(0.3)", 7.0, 0.0, 0.3),
        ("step_decay(0.8, 10, factor = 0.5)", 10.0, 0.0, 0.8),
        ("step_decay(0.8, 10, factor = 0.5)", 11.0, 0.0, 0.4),
        ("step_decay(0.8, 10)", 21.0, 0.0, 0.008),
        ("exponential(2, 0.9)", 1.0, 0.0, 2.0),
        ("exponential(2, 0.9)", 3.0, 0.0, 1.62),
        ("linear_warmup(0.5, 10)", 4.0, 0.0, 0.2),
        ("linear_warmup(0.5, 10)", 40.0, 0.0, 0.5),
        ("plateau(0.1)", 9.0, 0.0, 0.1),
        ("plateau(0.1)", 9.0, 2.0, 0.001),
        ("0.1/sqrt(step)", 4.0, 0.0, 0.05),
    ];
    for (schedule, step, plateaus, expected) in table {
        let actual = rate(schedule, step, plateaus);
        assert!((actual - expected).abs() <= 1e-15 + 1e-12 * expected, "{schedule} at {step}: {actual}");
    }
}

#[test]
fn optimizers_step_as_in_their_papers() {
    #[rustfmt::skip]
    let table: &[(&str, [f64; 3])] = &[
        ("gd(lr = 0.1)",                [0.95, 1.05, 0.85]),
        ("sgd(lr = 0.1)",               [0.95, 1.05, 0.85]),
        ("momentum(lr = 0.1)",          [0.95, 1.005, 0.8545]),
        ("momentum_averaged(lr = 0.1)", [0.995, 1.0005, 0.98545]),
        ("nesterov(lr = 0.1)",          [0.905, 1.0545, 0.71905]),
        ("adagrad(lr = 0.1)",           [0.900000002, 0.9894427202999916, 0.902155564586547]),
        ("rmsprop(lr = 0.1)",           [0.6837722539831608, 0.9694865315341814, 0.6894991346033924]),
        ("adam(lr = 0.1)",              [0.9000000019999999, 0.9366103542405653, 0.8946447927181044]),
        ("adamw(lr = 0.1)",             [0.8990000019999999, 0.9347113542385652, 0.8918110813618658]),
        ("lion(lr = 0.1)",              [0.9, 1.0, 0.9]),
    ];
    for (optimizer, expected) in table {
        assert_close(&updates(optimizer, &[0.5, -1.0, 2.0]), expected, optimizer);
    }
}

#[test]
fn an_optimizer_of_ones_own_is_four_lines() {
    let text = "input x
        param w[3] = 1
        loss = sum((w*x)^2)
        optimizer mine(lr = 0.1, beta = 0.9) {
            state m = 0.5
            m := beta*m + g
            scale = lr*2
            w := w - scale*m
        }
        train { optimizer = mine(beta = 0.5) }";
    let model = read(text);
    assert_eq!(model.train.optimizer.states, [("m".to_owned(), 0.5)]);
    let mut graph = Graph::new();
    let vector = model.graph.ty(model.params[0].node).clone();
    let ty = graph.type_id(vector);
    let (w, g, m) = (graph.input_of("w", ty), graph.input_of("g", ty), graph.input_of("m", ty));
    let one = graph.integer(1);
    let clock = Clock { step: one, steps: one, epoch: one, plateaus: one };
    let (w, states) = model.update(&mut graph, &clock, w, g, &[m]).expect("an update");
    let given: &[(&str, &[f64])] = &[("w", &[1., 2., 3.]), ("g", &[1., 0., -1.]), ("m", &[2., 4., 6.])];
    assert_close(&value(&graph, w, given), &[0.6, 1.6, 2.6], "w");
    assert_close(&value(&graph, states[0], given), &[2., 2., 2.], "m");
}

/// The cases of `data/library.py`: a program, numbers by name, the value of `out`.
#[test]
fn the_library_computes_its_definitions() {
    let parse =
        |text: &str| -> Vec<f64> { text.split_whitespace().map(|n| n.parse().expect("a number")).collect() };
    let mut cases = 0;
    for case in include_str!("data/library.txt").trim().split("\n\n") {
        let mut lines = case.lines().filter_map(|line| line.split_once(':'));
        let program = lines.next().expect("a program").1.trim().to_owned();
        let numbers: Vec<(&str, Vec<f64>)> = lines.map(|(name, text)| (name, parse(text))).collect();
        let (out, given) = numbers.split_last().expect("a value");
        let given: Vec<(&str, &[f64])> = given.iter().map(|(name, v)| (*name, v.as_slice())).collect();
        check(&program, &given, &out.1);
        cases += 1;
    }
    assert!(cases > 50, "{cases} cases");
}

#[test]
fn dropout_is_noise_in_training_and_nothing_in_prediction() {
    let text = "input x[4]\nout = dropout(x, 0.25)";
    let model = read(text);
    assert_eq!(model.noises.len(), 1);
    let x: &[f64] = &[3., 6., 9., 12.];
    let out = model.values[0].node;
    let dropped = value(&model.graph, out, &[("x", x), ("noise1", &[0.0, 0.2, 0.25, 0.9])]);
    assert_close(&dropped, &[0., 0., 12., 16.], "training");
    let model = read_as(text, Phase::Predict).expect("a program");
    assert!(model.noises.is_empty());
    assert_eq!(model.values[0].node, model.inputs[0].node);
}

#[test]
fn plans_say_what_is_written() {
    let model = read(
        "input x[2], y, z[3]
         dim n = 4
         param w[2] ~ uniform(-1, 1) in [-2, inf], u = [1, 2][0] in [, 3]
         loss = mse(w·x + u + sum(z), y)
         train { epochs = 3*n, batch = 2*n; seed = 7
                 shuffle = false, clip_norm = 1, l2 = 1e-4, validation = 0.2, test = 0.1
                 patience = 5, precision = f32 }
         data {
             file = \"wine.csv\"
             x = [alcohol, \"malic acid\"]; y = target
             z = 0:3
             standardize = [x, z]; missing = drop; header = true
         }",
    );
    let train = &model.train;
    assert_eq!((train.epochs, train.batch, train.seed, train.shuffle), (Some(12), Batch::Size(8), 7, false));
    assert_eq!((train.clip_norm, train.l2, train.patience), (Some(1.0), Some(1e-4), Some(5)));
    assert_eq!((train.validation, train.test, train.precision), (0.2, 0.1, Precision::F32));
    assert_eq!(train.optimizer.name, "adam", "the default with data");
    assert_eq!(model.params[0].bounds, Some((Some(-2.0), None)));
    assert_eq!(model.params[0].init, Init::Uniform { lo: -1.0, hi: 1.0 });
    assert_eq!(
        (&model.params[1].init, model.params[1].bounds),
        (&Init::Constant(1.0), Some((None, Some(3.0))))
    );
    let data = &model.data;
    assert_eq!(data.file.as_ref().map(|f| f.0.as_str()), Some("wine.csv"));
    let shown: Vec<String> =
        data.bindings.iter().map(|(name, source, _)| format!("{name}: {}", columns(source))).collect();
    assert_eq!(shown, ["x: alcohol malic acid", "y: target", "z: 0:3"]);
    assert_eq!((data.missing, data.header), (Missing::Drop, Some(true)));
    assert_eq!(data.standardize.iter().map(|s| s.0.as_str()).collect::<Vec<_>>(), ["x", "z"]);
}

fn columns(source: &Source) -> String {
    let Source::Columns(picks) = source else { return format!("{source:?}") };
    let shown = picks.iter().map(|pick| match pick {
        ColumnPick::Name(name, _) => name.clone(),
        ColumnPick::Prefix(prefix, _) => format!("{prefix}*"),
        ColumnPick::Names(from, to, _) => format!("{from}..{to}"),
        ColumnPick::Positions(from, to, _) => format!("{from}:{to}"),
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn data_may_stand_in_the_program() {
    let model = read(
        "input x[2], y
         param w[2] = [0.8, 1.5]
         loss = mse(w·x, y)
         data { x = [[2, 3], [1.5, 1]]; y = [5, 3.2] }",
    );
    assert_eq!(model.params[0].init, Init::List(vec![0.8, 1.5]));
    assert_eq!(model.data.bindings[0].1, Source::Rows(vec![2.0, 3.0, 1.5, 1.0]));
    assert_eq!(model.data.bindings[1].1, Source::Rows(vec![5.0, 3.2]));
    let picked = read("input x[9]\nout = x\ndata { file = \"d.csv\", x = [pixel_*, a:b, 7] }");
    assert_eq!(columns(&picked.data.bindings[0].1), "pixel_* a..b 7:8");
}

#[test]
fn objectives_without_data_default_to_lbfgs() {
    let model = read(
        "param p = 50 in [1, 100], a = 10 in [0, inf]\nmaximize (p - 20)*(500 - 4*p + 10*log(1 + a)) - a",
    );
    let objective = model.objective.as_ref().expect("an objective");
    assert_eq!(objective.sense, Sense::Maximize);
    assert_eq!(model.train.optimizer.driver, Some(Driver::Lbfgs));
    let given: &[(&str, &[f64])] = &[("p", &[80.506731]), ("a", &[604.096056])];
    let profit = value(&model.graph, objective.node, given)[0];
    assert!((profit - 14040.163390).abs() < 1e-5, "{profit}");
}

#[test]
fn functions_take_functions_and_names() {
    check("twice(f, z) = f(f(z))\ninc(z) = z + 1\nout = twice(inc, 3)", &[], &[5.]);
    check(
        "scale(z, by = 2, plus = by) = z*by + plus\nout = [scale(3), scale(3, 4), scale(3, plus = 0), scale(by = 1, z = 7)]",
        &[],
        &[8., 16., 6., 8.],
    );
    check("f(z) = { a = z + 1; b = a*a\n b - a }\nout = 4 |> f", &[], &[20.]);
    check("input x[3]\ng(v, s) = sum(v)*s\nout = x\n  |> g(2)", &[("x", &[1., 2., 3.])], &[12.]);
    check(
        "input xs[2,3]\nstep(h, x) = 0.5*h + x\nout[b] = sum(scan(step, 0, xs[b]))",
        &[("xs", &[1., 2., 3., 4., 5., 6.])],
        &[1. + 2.5 + 4.25, 4. + 7. + 9.5],
    );
    check(
        "input xs[3], a\nstep(h, x) = a*h + x*(if(a > 1, 1, 0) + a^2)\nout = scan(step, a + 1, xs)",
        &[("xs", &[1., 2., 3.]), ("a", &[2.])],
        &[11., 32., 79.],
    );
    check(
        "input xs[3,2]\nstep(h, x) = 0.5*h + x\nout = scan(step, zeros(2), xs)",
        &[("xs", &[1., 2., 3., 4., 5., 6.])],
        &[1., 2., 3.5, 5., 6.75, 8.5],
    );
    check("out = 2·3 + 4×5 + π/pi + ([[1,2]]ᵀ[0,0]) - 5 + 3²", &[], &[32.]);
    check("out = if(2 ≤ 3, 1, 0) + |0 - 2| + √4", &[], &[5.]);
    check("mse(p, y) = p\nout = mse(7, 3)", &[], &[7.]);
    check("input x\nout = if(|x|>0, 1, 2)", &[("x", &[-3.])], &[1.]);
}

#[test]
fn layers_may_hold_layers() {
    let model = read(
        "input x[4]
         layer block(x, n) { h = dense(x, n, relu)\n dense(h, size(x)) + x }
         out = x |> block(8) |> block(3) |> dense(2)",
    );
    let names: Vec<_> = model.params.iter().map(|p| p.name.as_str()).collect();
    let expected = [
        "block1.dense1.W",
        "block1.dense1.b",
        "block1.dense2.W",
        "block1.dense2.b",
        "block2.dense1.W",
        "block2.dense1.b",
        "block2.dense2.W",
        "block2.dense2.b",
        "dense1.W",
        "dense1.b",
    ];
    assert_eq!(names, expected);
}

#[test]
fn what_does_nothing_is_told() {
    let notes = |text: &str| -> Vec<String> { read(text).notes.iter().map(|n| n.message.clone()).collect() };
    assert_eq!(
        notes("input x, y\nparam w = 1, v = 2\nloss = (w*x)^2"),
        ["the input `y` is not used", "the parameter `v` is not used"]
    );
    assert_eq!(
        notes("input x\nparam w = 1, v = 2\nloss = w*x + floor(v)"),
        ["training cannot move `v`: no slope of the objective reaches it"]
    );
    assert_eq!(notes("input x\nparam w = 1\np = w*x"), ["the program has parameters and no objective"]);
}

/// Every parameter's slope by reverse mode against central differences.
#[track_caller]
fn check_slopes(text: &str) {
    let mut model = read_as(text, Phase::Predict).expect("a program");
    let loss = model.objective.as_ref().expect("an objective").node;
    let wrt: Vec<Id> = model.params.iter().map(|p| p.node).collect();
    let one = model.graph.integer(1);
    let slopes = symdiff::differentiate::vjp(&mut model.graph, &[(loss, one)], &wrt);
    let graph = &model.graph;
    let symbols: Vec<_> = graph.symbols().collect();
    let sizes = symbols.iter().map(|&s| graph.type_of(graph.symbol_type(s)).shape.size());
    let size: usize = sizes.clone().sum();
    let mut point: Vec<f64> = (0..size).map(|k| 0.8 * (1.7 * k as f64 + 0.4).sin()).collect();
    for (i, param) in model.params.iter().enumerate() {
        let name = &param.name;
        let slope = slopes[i].unwrap_or_else(|| panic!("{name} does not reach the loss of {text}"));
        let exact = evaluate(graph, &symbols, &[slope], &point);
        let at = symbols.iter().position(|&s| graph.symbol_name(s) == name).expect("declared");
        let start: usize = sizes.clone().take(at).sum();
        for (k, &exact) in exact.iter().enumerate() {
            let mut shifted = |h: f64| {
                point[start + k] += h;
                let value = evaluate(graph, &symbols, &[loss], &point)[0];
                point[start + k] -= h;
                value
            };
            let numeric = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            let close = (exact - numeric).abs() <= 1e-7 * numeric.abs().max(1.0);
            assert!(close, "∂loss/∂{name}[{k}] is {exact}, by differences {numeric}, of {text}");
        }
    }
}

#[test]
fn slopes_of_layers_agree_with_differences() {
    let image = "input x[2,6,6], k\n";
    let sequence = "input xs[3,4]\n";
    for text in [
        "input x[3], y\nloss = x |> dense(4, tanh) |> dense(2) |> cross_entropy(y)".to_owned(),
        format!(
            "{image}loss = x |> conv2d(3, 3, tanh) |> maxpool2d(2) |> flatten |> dense(3) |> cross_entropy(k)"
        ),
        format!(
            "{image}loss = x |> conv2d(3, 3, silu) |> avgpool2d(2) |> flatten |> dense(3) |> cross_entropy(k)"
        ),
        format!("{sequence}loss = sum(last(rnn(xs, 3))^2)"),
        format!("{sequence}loss = sum(last(gru(xs, 3))^2)"),
        format!("{sequence}loss = sum(last(lstm(xs, 3))^2)"),
        format!("{sequence}loss = sum(attention(xs, heads = 2)^2)"),
        format!("{sequence}loss = sum(attention(xs, heads = 2, causal = true)^2)"),
        format!("{sequence}y[t] = layernorm(xs[t]) |> dense(2)\nloss = sum(y^2)"),
        "input t[3]\nloss = mean(embedding(t, 5, 3)^2)".to_owned(),
        "input A[3,4]\nparam w[4] = 0, v[3] = 0\nloss = prod[i] (1 + v[i]*sum[j] A[i,j]*w[j])".to_owned(),
        "input x[9]\nparam w[3] = 0\ny[i] = sum[j] x[2*i + j]*w[j]\nloss = logsumexp(y) + max[i] y[i]^2"
            .to_owned(),
    ] {
        check_slopes(&text);
    }
}
