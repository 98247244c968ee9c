//! What is done with any bytes: read them, put to use what was read, and fail loudly where a promise
//! does not hold. The coverage-guided fuzzer in `fuzz/` and the mutations of the tests run these bodies.
//!
//! What must stay true: a target panics only where there is a bug; refusals are values.

use std::ops::ControlFlow;
use std::path::PathBuf;
use symdiff::data::{Dataset, Portions, TableOptions, parse_table, prepare, read_dataset};
use symdiff::elaborate::program::{Phase, read_program};
use symdiff::ir::text;
use symdiff::models::ArrayEvaluator;
use symdiff::train::{Predictor, Training, TrainingOptions, input_shapes, program_of, wishes_of};
use symdiff::weights::Saved;
use symdiff::{Derivation, Engine, Error, Evaluator, Function, Level, Limits, Mode, Purpose};

/// Budgets at which a case takes milliseconds.
fn limits() -> Limits {
    Limits {
        source_bytes: 1 << 16,
        tokens: 10_000,
        nodes: 20_000,
        program_nodes: 20_000,
        entries: 1_000,
        arena_bytes: 1 << 24,
        table_bytes: 1 << 22,
        table_cells: 1 << 16,
        table_columns: 1 << 10,
        cell_bytes: 1 << 12,
        weights_bytes: 1 << 22,
        ..Limits::default()
    }
}

/// A refusal is in words, points into the text, and is no fault of ours.
fn refused(error: &Error, source: &[u8]) {
    assert!(!error.is_internal(), "{error}");
    let diagnostic = error.diagnostic();
    assert!(!diagnostic.message.is_empty());
    let spans = diagnostic.span.iter().chain(diagnostic.labels.iter().map(|(span, _)| span));
    for span in spans {
        let fits = span.start <= span.end && span.end as usize <= source.len();
        assert!(fits, "{span} points outside of {} bytes: {error}", source.len());
    }
}

/// The reader of formulas.
pub fn formula(bytes: &[u8]) {
    match symdiff::read(bytes, None, &limits()) {
        Err(error) => refused(&error, bytes),
        Ok(read) => {
            let graph = text::write(&read.function);
            let again = text::read(&graph).unwrap_or_else(|error| panic!("{error:?}\n{graph}"));
            assert_eq!(text::write(&again), graph);
            if graph.len() < 4_000 {
                let _ = read.function.to_string();
            }
        }
    }
}

/// The reader of programs.
pub fn program(bytes: &[u8]) {
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    for phase in [Phase::Train, Phase::Predict] {
        match read_program(source, phase, &limits()) {
            Err(error) => refused(&error, bytes),
            Ok(model) => assert!(model.graph.len() < 1 << 22),
        }
    }
}

/// The reader of CSV.
pub fn table(bytes: &[u8]) {
    for header in [None, Some(true), Some(false)] {
        let options = TableOptions { header, delimiter: None, limits: limits() };
        match parse_table("fuzz.csv", bytes, &options) {
            Err(error) => assert!(error.is_data() || error.is_limit(), "{error}"),
            Ok(table) => {
                assert_eq!(table.names().len(), table.columns().len());
                assert!(table.columns().iter().all(|column| column.len() == table.rows()));
            }
        }
    }
}

/// A file of this process, written anew for each case.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    let folder = if shared.is_dir() { shared } else { std::env::temp_dir() };
    let thread = std::thread::current().id();
    let path = folder.join(format!("symdiff-fuzz-{}-{thread:?}-{name}", std::process::id()));
    std::fs::write(&path, bytes).expect("a temporary file");
    path
}

/// The readers of NPY and NPZ.
pub fn arrays(bytes: &[u8]) {
    let extension = if bytes.starts_with(b"PK") { "npz" } else { "npy" };
    let path = file(&format!("a.{extension}"), bytes);
    let found = read_dataset(&path, &TableOptions { limits: limits(), ..TableOptions::default() });
    let _ = std::fs::remove_file(&path);
    match found {
        Err(error) => assert!(error.is_data() || error.is_limit(), "{error}"),
        Ok(Dataset::Arrays(_, arrays)) => {
            let whole = |a: &symdiff::data::Array| a.shape.iter().product::<usize>() == a.values.len();
            assert!(arrays.iter().all(whole));
        }
        Ok(Dataset::Table(table)) => assert!(table.columns().iter().all(|c| c.len() == table.rows())),
        Ok(Dataset::Text(_)) => {}
    }
}

/// The reader of weights, and of what a training keeps in them: its program, its data's encodings, where it
/// stands. With new rows they predict, and go on, or say why not.
pub fn weights(bytes: &[u8]) {
    let path = file("w.safetensors", bytes);
    let found = symdiff::weights::load(&path, &limits());
    let _ = std::fs::remove_file(&path);
    match found {
        Err(error) => assert!(error.is_data() || error.is_limit(), "{error}"),
        Ok(saved) => {
            for tensor in saved.params.iter().chain(&saved.states) {
                assert_eq!(tensor.shape.iter().product::<usize>(), tensor.values.len());
            }
            put_to_use(&saved);
        }
    }
}

fn put_to_use(saved: &Saved) {
    let ours = |error: Error| assert!(!error.is_internal(), "{error}");
    let rows = b"a,b,k\n1,2,red\n3,4,blue\n5,6,red\n7,8,blue\n";
    let options = TableOptions { limits: limits(), ..TableOptions::default() };
    let data = Dataset::Table(parse_table("new.csv", rows, &options).expect("a table"));
    let predicted = Predictor::new(saved, None, &limits()).and_then(|predictor| {
        let names: Vec<&str> = predictor.last_value().into_iter().collect();
        predictor.predict(&names, Some(&data), &wishes_of(predictor.model())).map(drop)
    });
    let _ = predicted.map_err(ours);
    let Ok(program) = program_of(saved) else { return };
    let options = TrainingOptions { steps: Some(3), limits: limits(), ..TrainingOptions::default() };
    let resumed = read_program(program, Phase::Train, &limits()).and_then(|model| {
        let (shapes, wishes) = (input_shapes(&model), wishes_of(&model));
        let prepared = prepare(Some(&data), &shapes, &wishes, &Portions::default())?;
        // Another table than it was trained on: taken for its own, so that the rest is read as well.
        let mut training = Training::new(program, prepared.clone(), &options)?;
        let own = training.saved()?;
        let mut saved = saved.clone();
        for key in ["symdiff.data", "symdiff.encodings"] {
            saved.metadata.insert(key.to_owned(), own.metadata[key].clone());
        }
        training = Training::resumed(program, prepared, &saved, &options)?;
        training.run(|| false, |_, _| Ok(ControlFlow::Continue(()))).map(drop)
    });
    let _ = resumed.map_err(ours);
}

/// The reader of the graph's text form: what it takes is verified, and written down as it was read.
pub fn graph(bytes: &[u8]) {
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    let Ok(function) = text::read(source) else { return };
    let written = text::write(&function);
    let again = text::read(&written).unwrap_or_else(|error| panic!("{error:?}\n{written}"));
    assert_eq!(text::write(&again), written);
    let graph = function.graph();
    let small = |i: usize| graph.shape(graph.ids().nth(i).expect("a node")).size() <= 64;
    if graph.len() <= 64 && (0..graph.len()).all(small) {
        let simple = symdiff::simplify(&function, Level::Fast, Purpose::Both);
        assert_eq!(simple.output_size(), function.output_size());
        let inputs = vec![0.5; function.input_size()];
        for engine in [Engine::Jit, Engine::Interpreter] {
            let found = ArrayEvaluator::new(&function, engine, Level::Fast).and_then(|mut e| e.call(&inputs));
            match found {
                Ok(values) => assert_eq!(values.len(), function.output_size()),
                Err(error) => assert!(!error.is_internal(), "{error}\n{written}"),
            }
        }
    }
}

/// An expression made from bytes as choices, differentiated both ways, simplified at every level, run by
/// both engines: the same bits from both, and the same derivative both ways up to rounding.
pub fn pipeline(bytes: &[u8]) {
    let mut choices = bytes.iter().copied();
    let text = expression(&mut choices);
    let Ok(f) = symdiff::parse_with(&text, &["x", "y"]) else { panic!("it is an expression: {text}") };
    for level in [Level::None, Level::Fast] {
        let derived = |mode| {
            let derivation = Derivation { mode, level, ..Derivation::default() };
            derivation.value_and_gradient(&f).unwrap_or_else(|error| panic!("{text}: {error}"))
        };
        let ways = [derived(Mode::Reverse), derived(Mode::Forward)].map(|f| engines(&f, level, &text));
        for point in [[0.7, 1.3], [-0.6, 1.9], [2.1, -0.4], [0.0, 1.0]] {
            let found = ways.each_ref().map(|engines| alike(engines, &point, &text));
            agree(&found[0], &found[1], &format!("{text} at {point:?}, {level:?}"));
        }
    }
}

/// A function as machine code, and interpreted.
fn engines(f: &Function, level: Level, text: &str) -> [Evaluator; 2] {
    [Engine::Jit, Engine::Interpreter]
        .map(|engine| Evaluator::new(f, engine, level).unwrap_or_else(|error| panic!("{text}: {error}")))
}

/// The values by machine code, which are those of the interpreter.
fn alike(engines: &[Evaluator; 2], point: &[f64; 2], text: &str) -> Vec<f64> {
    let [compiled, interpreted] = engines.each_ref().map(|evaluator| {
        let mut out = vec![0.0; evaluator.output_size()];
        evaluator.call(point, &mut out).expect("the lengths fit");
        out
    });
    for (a, b) in compiled.iter().zip(&interpreted) {
        let same = a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
        assert!(same, "{text} at {point:?}: compiled {compiled:?}, interpreted {interpreted:?}");
    }
    compiled
}

/// Values and derivatives agree where both are finite and of ordinary size.
fn agree(reverse: &[f64], forward: &[f64], place: &str) {
    let large = |x: &f64| !x.is_finite() || x.abs() > 1e8;
    // Cancellation between large parts, and kinks between branches, are other tests' to judge.
    if reverse.iter().chain(forward).any(large) {
        return;
    }
    let scale = reverse.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
    for (a, b) in reverse.iter().zip(forward) {
        assert!((a - b).abs() <= 1e-6 * scale, "{place}: reverse {reverse:?}, forward {forward:?}");
    }
}

const FUNCTIONS: [&str; 20] = [
    "sin", "cos", "exp", "log", "sqrt", "tanh", "atan", "abs", "sigmoid", "softplus", "relu", "erf", "log1p",
    "expm1", "sinh", "cosh", "cbrt", "asinh", "sign", "floor",
];

/// A text of an expression in x and y; bytes choose, and where they end come leaves.
pub fn expression(choices: &mut impl Iterator<Item = u8>) -> String {
    /// What is to be written still.
    enum Part {
        Text(String),
        Any(usize),
    }
    let mut parts = vec![Part::Any(0)];
    let mut text = String::new();
    while let Some(part) = parts.pop() {
        let depth = match part {
            Part::Text(piece) => {
                text.push_str(&piece);
                continue;
            }
            Part::Any(depth) => depth,
        };
        let deep = depth > 5 || text.len() > 400;
        let choice = choices.next().unwrap_or(0);
        let any = || Part::Any(depth + 1);
        let words = |s: &str| Part::Text(s.to_owned());
        let mut pieces = match choice % 16 {
            _ if deep => vec![words(["x", "y", "2", "0.5"][choice as usize % 4])],
            0..4 => vec![words(["x", "y", "3", "1.5"][choice as usize / 16 % 4])],
            4..8 => {
                let sign = [" + ", " - ", "*", "/"][choice as usize % 4];
                vec![words("("), any(), words(sign), any(), words(")")]
            }
            8..12 => {
                let name = FUNCTIONS[choices.next().unwrap_or(0) as usize % FUNCTIONS.len()];
                vec![words(name), words("("), any(), words(")")]
            }
            12 => vec![words("("), any(), words(&format!(")^{}", choice / 16 % 4))],
            13 => vec![
                words("if("),
                any(),
                words(" > "),
                any(),
                words(", "),
                any(),
                words(", "),
                any(),
                words(")"),
            ],
            14 => {
                vec![words(["max(", "min("][choice as usize / 16 % 2]), any(), words(", "), any(), words(")")]
            }
            _ => vec![words("(-"), any(), words(")")],
        };
        pieces.reverse();
        parts.extend(pieces);
    }
    text
}
