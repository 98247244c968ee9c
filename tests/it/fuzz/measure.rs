//! Cases without end for every target: a corpus, its mutations, and what became of them.
//!
//! What must stay true: a case is told by target, seed and number, so that a failure can be had again. A
//! case that does not come back ends the process, with its name.

use super::{mutate, targets};
use crate::tally::Tally;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};
use symdiff::data::Random;

/// A target: its name, its body, the words of its language.
pub type Target = (&'static str, fn(&[u8]), &'static [&'static str]);

#[rustfmt::skip]
const FORMULA: &[&str] = &["x", "y", "2", "1e9", "0.5", "sin", "sqrt ", "log(", "^", "^(-1)", "+", "-", "*", "/", "(", ")", "|", "[", "]",
    "'", "@", "·", "√", "²", "π", ",", ";", "\n", "=", ":=", "<", ">=", "!=", "if(x>0,", "where(", "d/dx ", "f(x)=", "min(", "sum[i=0:3] ", "!", "%", "\0"];
#[rustfmt::skip]
const PROGRAM: &[&str] = &["input ", "param ", "dim n = 3\n", "loss = ", "layer ", "train { ", "data { ", "metric ", "minimize ", " |> dense(4, tanh)",
    "[3]", "[n, 2]", " ~ normal(0, 1)", " in [0, 1]", "sum[i] ", "x[i]", "W @ x", "'", "scan(f, 0, x)", "}", "{", "\n", ",", "= 0", "steps = 10",
    "optimizer = adam(lr = 0.1)", "reshape(x, 2, 2)", "concat(x, y)", "softmax(", "conv2d(2, 3)", "mean(", "argmax(", ":", "-1", "1e9", "state v = 0", ":= "];
#[rustfmt::skip]
const TABLE: &[&str] = &[",", "\n", "\r\n", "\r", "\"", "\"\"", ";", "\t", "nan", "?", "1", "-1.5e300", "x", "é", "\u{feff}", " ", "1e999", "\0"];
#[rustfmt::skip]
const ARRAYS: &[&str] = &["\u{93}NUMPY", "{", "}", "'descr'", "'<f8'", "'|b1'", "'>i4'", "'shape'", "(3,)", "(", ")", ",", "True", "False", "'fortran_order'", "PK"];
#[rustfmt::skip]
const WEIGHTS: &[&str] = &["\"dtype\":", "\"F64\"", "\"F32\"", "\"I64\"", "\"shape\":", "[", "]", "{", "}", "\"data_offsets\":", "[0,8]", ",", "\"__metadata__\":", "optimizer/"];
#[rustfmt::skip]
const GRAPH: &[&str] = &["%0", "%1", "%2", " = ", "input x", "const 1/2", "add %0, %1", "mul %0, %0", " : f64", "f64[3]", "f64[2,3]", "bool", "sum %0 axes 0",
    "broadcast %0 axes 0", "reshape %0", "permute %0 order 1 0", "slice %0 axis 0 start 0 length 1", "pad %0 axis 0 start 1 length 4", "contract %0, %1 over 1",
    "window %0 axis 0 length 2 stride 1", "gather %0, %1", "scatter %0, %1 rows 3", "stack %0, %1", "iota", "select %0, %1, %2", "lt %0, %1", "outputs %0", "\n",
    "body @0 steps 3 carries 1 sequences 0", "| ", "scan @0 output 0 %0"];
const PIPELINE: &[&str] = &["\0", "\u{4}", "\u{8}\u{1}", "\u{c}", "\u{d}", "\u{e}", "\u{f}"];

pub const TARGETS: [Target; 7] = [
    ("formula", targets::formula, FORMULA),
    ("program", targets::program, PROGRAM),
    ("table", targets::table, TABLE),
    ("arrays", targets::arrays, ARRAYS),
    ("weights", targets::weights, WEIGHTS),
    ("graph", targets::graph, GRAPH),
    ("pipeline", targets::pipeline, PIPELINE),
];

/// The seeds of a target: the files of `tests/corpus`, in order of their names.
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target);
    let folder = if folder.is_dir() { folder } else { Path::new("tests/corpus").join(target) };
    let entries = std::fs::read_dir(&folder).expect("a corpus");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a seed")).collect()
}

/// What the watch looks at: the case under way, and since when.
type Watched = Mutex<Option<(String, Instant)>>;

/// How long a case may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// `cases` cases in all, shared by the targets named, or by all of them.
pub fn measure_of(names: &[&str], cases: usize, seed: u64) -> Tally {
    let chosen: Vec<&Target> =
        TARGETS.iter().filter(|target| names.is_empty() || names.contains(&target.0)).collect();
    let (watched, done): (Watched, AtomicBool) = (Mutex::new(None), AtomicBool::new(false));
    note_panics();
    std::thread::scope(|scope| {
        scope.spawn(|| watch(&watched, &done));
        let mut tally = Tally::default();
        for target in &chosen {
            let seeds = corpus(target.0);
            for number in 0..cases.div_ceil(chosen.len()) {
                case(target, &seeds, (seed, number), &watched, &mut tally);
            }
        }
        done.store(true, Ordering::Relaxed);
        tally
    })
}

/// One case: a seed as it stands, or a mutation.
fn case(
    &(name, body, words): &Target,
    seeds: &[Vec<u8>],
    (seed, number): (u64, usize),
    watched: &Watched,
    tally: &mut Tally,
) {
    let mut random = Random::at(seed, name, number as u64);
    let mutation = || mutate::case(&mut random, seeds, words);
    let bytes = seeds.get(number).cloned().unwrap_or_else(mutation);
    let place = format!("{name}, seed {seed}, case {number}");
    let start = Instant::now();
    *watched.lock().expect("nobody panics with it") = Some((place.clone(), start));
    PLACE.set(Some(String::new()));
    let outcome = catch_unwind(AssertUnwindSafe(|| body(&bytes)));
    let at = PLACE.take().unwrap_or_default();
    tally.note(start.elapsed().as_secs_f64(), || place.clone());
    tally.check(outcome.is_ok(), || {
        let why = outcome.expect_err("it failed");
        format!("{place}: {at}: {}\n{}", words_of(&*why), bytes.escape_ascii())
    });
}

thread_local! {
    /// Where this thread's last panic was, while it runs cases.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Panics of cases are kept, and not printed; those of other threads are, as before.
fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let ours = PLACE.with_borrow_mut(|place| {
                let at = info.location().map(ToString::to_string);
                place.as_mut().map(|place| *place = at.unwrap_or_default()).is_some()
            });
            if !ours {
                before(info);
            }
        }));
    });
}

/// All targets.
pub fn measure(cases: usize, seed: u64) -> Tally {
    measure_of(&[], cases, seed)
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned())).unwrap_or_default()
}

/// Ends the process where a case does not come back: nothing else can stop it.
fn watch(watched: &Watched, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
        let slow = watched.lock().expect("nobody panics with it").clone();
        if let Some((place, since)) = slow.filter(|(_, since)| since.elapsed() > PATIENCE) {
            eprintln!("{place} has not come back for {:?}", since.elapsed());
            std::process::abort();
        }
    }
}
