//! `symdiff train`, `predict` and `eval` on programs as people use them: interrupted, resumed, killed,
//! on full disks, on bad data; what they print, and what they exit with.

use crate::data::Folder;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use symdiff::Limits;
use symdiff::data::{Dataset, Prepared, Random, TableOptions, parse_table};
use symdiff::train::{Ending, Program, Training, TrainingOptions};
use symdiff::weights::{load, save};

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_symdiff"));
    command.current_dir(folder).args(arguments).env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn symdiff(folder: &Path, arguments: &[&str]) -> Output {
    program(folder, arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// What a run prints, and that it ends well.
#[track_caller]
fn check(folder: &Path, arguments: &[&str], stdout: &str) {
    let output = symdiff(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stdout), stdout, "{arguments:?}");
}

/// The exit code, and words on stderr.
#[track_caller]
fn check_fault(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let output = symdiff(folder, arguments);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
    for word in words {
        assert!(stderr.contains(word), "{arguments:?} says nothing of {word:?}:\n{stderr}");
    }
    assert!(!stderr.contains('\u{1b}'), "colour without a terminal: {stderr:?}");
}

const OPTIMIZERS: &[&str] = &[
    "gd(lr = 0.1)",
    "momentum(lr = 0.05)",
    "momentum_averaged(lr = 0.1)",
    "nesterov(lr = 0.05)",
    "adagrad(lr = 0.1)",
    "rmsprop(lr = plateau(0.01))",
    "adam(lr = cosine(0.02, warmup = 10, floor = 0.001))",
    "adamw(lr = plateau(0.02, factor = 0.5))",
    "lion(lr = step_decay(0.01, every = 20))",
    "own(lr = exponential(0.1, 0.99))",
    "lbfgs",
    "newton",
    "line_search",
];

/// A small net with everything whose state has to survive.
fn careful(optimizer: &str) -> String {
    let driver = !optimizer.contains('(');
    let batch = if driver { "full" } else { "8" };
    let noise = if driver { "" } else { "|> dropout(0.3)" };
    format!(
        "optimizer own(lr) {{ state v = 0, n = 1; v := 0.5*v + g; n := n + 1; w := w - lr*v/sqrt(n) }}
         input x[4], y
         logits = x |> dense(3, tanh) {noise} |> dense(3)
         loss = cross_entropy(logits, y)
         metric accuracy = argmax(logits) == y
         data {{ x = a:d, y = kind, standardize = [x] }}
         train {{ optimizer = {optimizer}, epochs = 14, batch = {batch}, seed = 5, validation = 0.2, patience = 6, l2 = 0.01 }}"
    )
}

/// Sixty rows of three noisy classes.
fn table() -> String {
    let mut random = Random::new(3, "training test");
    let mut text = "a,b,c,d,kind\n".to_owned();
    for i in 0..60 {
        let class = i % 3;
        let cells: Vec<String> = (0..4)
            .map(|j| format!("{:.3}", random.normal() + f64::from(i32::from(j == class)) * 1.5))
            .collect();
        text += &format!("{},{class}\n", cells.join(","));
    }
    text
}

fn prepared(program: &Program) -> Prepared {
    let table = parse_table("t.csv", table().as_bytes(), &TableOptions::default()).expect("a table");
    program.prepare(Some(&Dataset::Table(table)), None).expect("data")
}

/// Trains until `stop` steps are done, or to the end; the weights file's bytes.
fn trained(training: &mut Training, stop: u64, file: &Path) -> (Ending, Vec<u8>) {
    let left = std::cell::Cell::new(stop.saturating_sub(training.step_count()));
    let pause = || {
        left.set(left.get().saturating_sub(1));
        left.get() == 0
    };
    let ending = training.run(pause, |_, _| Ok(ControlFlow::Continue(()))).expect("it runs");
    save(file, &training.saved().expect("weights")).expect("it is saved");
    (ending, fs::read(file).expect("a file"))
}

#[test]
fn a_resumed_run_ends_with_the_bytes_of_an_uninterrupted_one() {
    let folder = Folder::new("resumed");
    let file = folder.0.join("w.safetensors");
    for (i, optimizer) in OPTIMIZERS.iter().enumerate() {
        let source = careful(optimizer);
        let program = Program::read(&source, &Limits::default()).unwrap_or_else(|e| panic!("{e}\n{source}"));
        let options = TrainingOptions::default();
        let mut whole = Training::of(&program, prepared(&program), &options).expect("a run");
        let (ending, expected) = trained(&mut whole, u64::MAX, &file);
        // In the first epoch, at the end of one, in the middle of one.
        let stop = [1, 6, 13, 37][i % 4].min(whole.step_count() - 1);
        let mut half = Training::of(&program, prepared(&program), &options).expect("a run");
        assert_eq!(trained(&mut half, stop, &file).0, Ending::Interrupted, "{optimizer} at {stop}");
        let saved = load(&file, &Limits::default()).expect("it loads");
        let mut rest = Training::resumed(&source, prepared(&program), &saved, &options).expect("a run");
        let (resumed, bytes) = trained(&mut rest, u64::MAX, &file);
        assert_eq!(resumed, ending, "{optimizer} at {stop}");
        assert!(bytes == expected, "{optimizer}, interrupted at {stop}, ends with other bytes");
    }
}

/// A run of about a second, and its data in a folder.
fn long(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.file("t.csv", table().as_bytes());
    let source =
        careful("adamw(lr = plateau(0.002, factor = 0.9))").replace("patience = 6", "patience = 100000");
    let source = source.replace("data {", "data { file = \"t.csv\",").replace("epochs = 14", "epochs = 5000");
    folder.file("net.sd", source.as_bytes());
    folder
}

/// Waits until a file is there and has something in it.
#[track_caller]
fn wait_for(file: &Path) {
    let begun = Instant::now();
    while fs::metadata(file).map_or(0, |found| found.len()) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} does not come", file.display());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_saves_and_the_resumed_run_ends_as_if_there_had_been_none() {
    let folder = long("interrupt");
    let log = folder.0.join("log.jsonl");
    // What the run was begun with need not be said again.
    let begin = ["train", "net.sd", "--seed", "11", "--batch", "16", "--steps", "20000"];
    let whole = [&begin[..], &["-o", "whole.safetensors", "--log", "whole.jsonl"]].concat();
    let whole = symdiff(&folder.0, &whole);
    assert_eq!(whole.status.code(), Some(0), "{}", text(&whole.stderr));
    let begin = [&begin[..], &["-o", "w.safetensors", "--log", "log.jsonl"]].concat();
    let child = program(&folder.0, &begin).spawn().expect("the program starts");
    wait_for(&log);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("interrupted after step"), "{stderr}");
    assert!(stderr.contains("go on with --resume w.safetensors"), "{stderr}");
    let resumed = symdiff(&folder.0, &["train", "net.sd", "--resume", "w.safetensors", "--log", "log.jsonl"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", text(&resumed.stderr));
    let bytes = |name: &str| fs::read(folder.0.join(name)).expect("a file");
    assert!(bytes("w.safetensors") == bytes("whole.safetensors"), "other weights");
    assert!(bytes("log.jsonl") == bytes("whole.jsonl"), "another log");
}

#[test]
fn killed_at_any_moment_the_weights_are_whole_and_the_run_goes_on() {
    let folder = long("killed");
    let whole = symdiff(&folder.0, &["train", "net.sd", "-o", "whole.safetensors"]);
    assert_eq!(whole.status.code(), Some(0), "{}", text(&whole.stderr));
    let weights = folder.0.join("w.safetensors");
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = Random::new(seed, "kills");
    let arguments = ["train", "net.sd", "--save-every", "0", "-o", "w.safetensors"];
    let resuming = [&arguments[..], &["--resume", "w.safetensors"]].concat();
    let mut steps = 0;
    for round in 0..20 {
        let mut child = program(&folder.0, if round == 0 { &arguments } else { &resuming });
        let mut child = child.spawn().expect("the program starts");
        wait_for(&weights);
        std::thread::sleep(Duration::from_micros((random.uniform() * 80_000.0) as u64));
        child.kill().expect("it is killed");
        child.wait().expect("it is dead");
        let saved = load(&weights, &Limits::default()).expect("the weights load");
        let standing = &saved.metadata["symdiff.standing"];
        let standing: serde_json::Value = serde_json::from_str(standing).expect("JSON");
        let now = standing["step"].as_u64().expect("a step");
        assert!(now >= steps, "the run went back from step {steps} to {now}");
        steps = now;
    }
    assert!(steps > 0, "nothing was ever saved");
    let resumed = symdiff(&folder.0, &["train", "net.sd", "--resume", "w.safetensors"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", text(&resumed.stderr));
    let bytes = |name: &str| fs::read(folder.0.join(name)).expect("a file");
    assert!(bytes("w.safetensors") == bytes("whole.safetensors"), "other weights (seed {seed})");
}

#[cfg(unix)]
#[test]
fn a_full_disk_costs_neither_the_old_weights_nor_the_new_ones() {
    let folder = Folder::new("full-disk");
    folder
        .file("net.sd", b"param w[4000] = 1\nloss = sum(w^2)\ntrain { optimizer = gd(lr = 0.1), steps = 3 }");
    check_fault(&folder.0, &["train", "net.sd"], 0, &[]);
    let before = fs::read(folder.0.join("net.safetensors")).expect("a file");
    let limited = |flags: &str| {
        // Files of 8 blocks at most, and no signal for it: writing on fails as on a full disk.
        let shell = format!("trap '' XFSZ; ulimit -f 8; exec \"$0\" train net.sd {flags}");
        let mut command = Command::new("sh");
        command.args(["-c", &shell, env!("CARGO_BIN_EXE_symdiff")]).current_dir(&folder.0);
        command.output().expect("a shell")
    };
    let output = limited("--steps 5");
    assert_eq!(output.status.code(), Some(65), "{}", text(&output.stderr));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("cannot save `net.safetensors`"), "{stderr}");
    assert!(stderr.contains("the old file is untouched"), "{stderr}");
    assert!(
        fs::read(folder.0.join("net.safetensors")).expect("a file") == before,
        "the old weights are gone"
    );
    assert_eq!(fs::read_dir(&folder.0).expect("a folder").count(), 2, "a temporary file is left");
    // A log that cannot be written ends the run; its weights are kept.
    check_fault(
        &folder.0,
        &["train", "net.sd", "-o", "b.safetensors", "--log", "/dev/full"],
        65,
        &["cannot write the log"],
    );
    assert!(load(&folder.0.join("b.safetensors"), &Limits::default()).is_ok());
    check_fault(&folder.0, &["train", "net.sd", "-o", "/dev/full"], 65, &["it is a device, not a file"]);
}

#[test]
fn the_same_seed_gives_the_same_file() {
    let folder = Folder::new("same-seed");
    folder.file("t.csv", table().as_bytes());
    folder.file("net.sd", careful("adam(lr = 0.01)").as_bytes());
    let train = |seed: &str, out: &str| {
        check_fault(&folder.0, &["train", "net.sd", "--data", "t.csv", "--seed", seed, "-o", out], 0, &[]);
        fs::read(folder.0.join(out)).expect("a file")
    };
    let first = train("1", "a.safetensors");
    assert!(first == train("1", "b.safetensors"), "the same seed, other bytes");
    assert!(first != train("2", "c.safetensors"), "another seed, the same bytes");
}

const LINE: &str = "input x, y
param w = 0, b = 0
p = w*x + b
loss = mse(p, y)
train { optimizer = gd(lr = 0.1), steps = 50 }
";
const CLASSES: &str = "input x[2], kind
logits = x |> dense(3)
class = argmax(logits)
loss = cross_entropy(logits, kind)
metric accuracy = class == kind
data { x = a:b }
train { optimizer = adam(lr = 0.1), steps = 60 }
";

/// An NPY file of this header and so many bytes.
fn npy(header: &str, bytes: usize) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.resize(file.len() + bytes, 0);
    file
}

/// A safetensors file of this header and so many bytes.
fn safetensors(header: &str, bytes: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + bytes, 0);
    file
}

#[test]
fn bad_data_is_refused_by_file_row_and_column() {
    let folder = Folder::new("bad-data");
    folder.file("line.sd", LINE.as_bytes());
    folder.file("net.sd", CLASSES.as_bytes());
    let refused = |program: &str, table: &[u8], name: &str, code: i32, words: &[&str]| {
        folder.file(name, table);
        check_fault(&folder.0, &["train", program, "--data", name], code, words);
        let weights = folder.0.join(program).with_extension("safetensors");
        assert_eq!(fs::remove_file(weights).is_ok(), code == 0, "weights of nothing");
    };
    refused(
        "line.sd",
        b"x,y\n1,2\nnan,3\n",
        "t.csv",
        65,
        &["t.csv, line 3, column \"x\"", "missing (\"nan\")"],
    );
    refused("line.sd", b"x,y\n1,2\ninf,3\n", "t.csv", 65, &["line 3, column \"x\": the value is infinite"]);
    refused("line.sd", b"x,y\n1,2\n3\n", "t.csv", 65, &["t.csv, line 3: 1 cell, but the header has 2"]);
    refused(
        "line.sd",
        b"x,y\n1,2\n3,many\n",
        "t.csv",
        65,
        &["line 3, column \"y\": \"many\" is not a number"],
    );
    refused("line.sd", b"x,z\n1,2\n3,4\n", "t.csv", 0, &["`y` is column \"z\" of t.csv, by its place"]);
    refused(
        "line.sd",
        b"x,z,u\n1,2,3\n",
        "t.csv",
        65,
        &["no column for input `y`", "the columns are `x`, `z`, `u`"],
    );
    refused("line.sd", b"", "t.csv", 65, &["t.csv is empty"]);
    refused(
        "net.sd",
        b"a,b,kind\n1,2,0\n3,4,3\n",
        "t.csv",
        65,
        &["line 3: 3 for input `kind`, which chooses among 0 to 2"],
    );
    refused("net.sd", b"a,b,kind\n1,2,1\n3,4,3\n5,6,2\n", "t.csv", 65, &["classes count from 0: subtract 1"]);
    refused("net.sd", b"a,c,kind\n1,2,0\n", "t.csv", 65, &["no column named \"b\""]);
    check_fault(
        &folder.0,
        &["train", "line.sd", "--data", "none.csv"],
        66,
        &["cannot read `none.csv`: there is no such file"],
    );
    check_fault(&folder.0, &["train", "line.sd"], 2, &["the program has inputs, but no data is given"]);
    check_fault(&folder.0, &["train", "none.sd"], 66, &["none.sd"]);
}

#[test]
fn lying_headers_and_impossible_sizes_are_refused_at_once() {
    let folder = Folder::new("lying");
    folder.file("line.sd", LINE.as_bytes());
    folder.file("t.csv", b"x,y\n1,2\n2,4\n");
    let begun = Instant::now();
    let refused = |name: &str, bytes: &[u8], words: &[&str]| {
        folder.file(name, bytes);
        check_fault(&folder.0, &["train", "line.sd", "--data", name], 65, words);
    };
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 2), }\n";
    refused("huge.npy", &npy(header, 64), &["huge.npy"]);
    let overflow = "{'descr': '<f8', 'fortran_order': False, 'shape': (18446744073709551615, 8), }\n";
    refused("overflow.npy", &npy(overflow, 64), &["overflow.npy"]);
    let long = "{\"w\":{\"dtype\":\"F64\",\"shape\":[1000000000000],\"data_offsets\":[0,8000000000000]}}";
    for (name, bytes) in [("a.safetensors", safetensors(long, 8)), ("b.safetensors", vec![255; 64])] {
        folder.file(name, &bytes);
        check_fault(&folder.0, &["predict", name, "--data", "t.csv"], 65, &[name]);
        check_fault(&folder.0, &["train", "line.sd", "--data", "t.csv", "--resume", name], 65, &[name]);
    }
    folder.file("wide.sd", b"param W[1000000000, 1000000000] ~ normal(0, 1)\nloss = sum(W^2)\n");
    check_fault(&folder.0, &["train", "wide.sd"], 65, &["wide.sd:1:"]);
    check_fault(
        &folder.0,
        &["train", "line.sd", "--data", "t.csv", "--batch", "1000000000"],
        65,
        &["a batch of 1000000000 rows, but there are 2 rows to train on"],
    );
    folder.file("net.sd", CLASSES.as_bytes());
    check_fault(
        &folder.0,
        &["train", "net.sd", "--data", "t.csv", "--set", "steps=-1"],
        2,
        &["`steps` is a whole number"],
    );
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?} for all refusals", begun.elapsed());
}

#[test]
fn another_program_or_other_data_is_not_resumed() {
    let folder = Folder::new("other");
    folder.file("line.sd", LINE.as_bytes());
    folder.file("t.csv", b"x,y\n1,2\n2,4\n");
    folder.file("u.csv", b"y,x\n1,2\n2,4\n");
    folder.file("v.csv", b"x,y\n1,2\n2,5\n");
    check_fault(&folder.0, &["train", "line.sd", "--data", "t.csv", "-o", "w.safetensors"], 0, &[]);
    let resume = ["train", "line.sd", "--resume", "w.safetensors", "--data"];
    let before = fs::read(folder.0.join("w.safetensors")).expect("a file");
    check_fault(&folder.0, &[&resume[..], &["u.csv"]].concat(), 65, &["the data differs"]);
    check_fault(&folder.0, &[&resume[..], &["v.csv"]].concat(), 65, &["the data differs"]);
    let changed = ["t.csv", "--set", "w=1"];
    check_fault(&folder.0, &[&resume[..], &changed].concat(), 65, &["the program has changed"]);
    assert!(fs::read(folder.0.join("w.safetensors")).expect("a file") == before, "the old weights are gone");
}

#[test]
fn results_go_to_stdout_and_everything_else_does_not() {
    let folder = Folder::new("prints");
    folder.file("line.sd", LINE.as_bytes());
    folder.file("t.csv", b"x,y\n-1,-1\n0,1\n1,3\n");
    let train = ["train", "line.sd", "--data", "t.csv", "--set", "optimizer=newton"];
    let result = "steps = 1\nloss = 0\nw = 2\nb = 1\nweights = line.safetensors\n";
    check(&folder.0, &train, result);
    check(&folder.0, &[&train[..], &["--quiet"]].concat(), result);
    check(
        &folder.0,
        &[&train[..], &["--json"]].concat(),
        "{\"schema\":1,\"status\":\"finished\",\"steps\":1,\"train\":{\"loss\":0},\"weights\":\"line.safetensors\"}\n",
    );
    let output = symdiff(&folder.0, &train);
    assert_eq!(text(&output.stderr), "", "no progress where there is no terminal");
    check(&folder.0, &["eval", "line.safetensors", "--data", "t.csv"], "examples = 3\nloss = 0\n");
}

#[test]
fn a_log_has_a_line_of_json_a_report() {
    let folder = Folder::new("log");
    folder.file("t.csv", table().as_bytes());
    folder.file("net.sd", careful("adam(lr = 0.01)").as_bytes());
    check_fault(
        &folder.0,
        &["train", "net.sd", "--data", "t.csv", "--epochs", "3", "--log", "run.jsonl"],
        0,
        &[],
    );
    let log = fs::read_to_string(folder.0.join("run.jsonl")).expect("a log");
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let steps: Vec<_> = lines.iter().map(|line| line["step"].as_u64().expect("a step")).collect();
    assert_eq!(steps, [6, 12, 18]);
    for line in &lines {
        for key in ["epoch", "loss", "gradient_norm", "learning_rate", "validation_loss"] {
            assert!(line[key].is_number(), "{key} of {line}");
        }
        assert!(line["validation"]["accuracy"].is_number(), "{line}");
    }
}

#[test]
fn a_closed_pipe_is_no_fault() {
    let folder = Folder::new("pipe");
    folder.file("line.sd", LINE.as_bytes());
    folder.file("t.csv", b"x,y\n-1,-1\n0,1\n1,3\n");
    let mut child = program(&folder.0, &["train", "line.sd", "--data", "t.csv"]).spawn().expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    assert!(load(&folder.0.join("line.safetensors"), &Limits::default()).is_ok());
}

/// Three kinds of trees, told apart by two numbers; one has a comma in its name.
const TREES: &str = "a,b,kind
1,0,oak
1.1,0.1,oak
0,1,\"ash, grey\"
0.1,1.2,\"ash, grey\"
-1,-1,elm
-1.2,-0.9,elm
";

#[test]
fn classes_that_were_texts_are_texts_again() {
    let folder = Folder::new("labels");
    folder.file("trees.csv", TREES.as_bytes());
    folder.file("new.csv", b"b,a\n-1.1,-1\n0,1\n1.1,0.1\n");
    folder.file("net.sd", format!("{CLASSES}\nmetric confusion = confusion(class, kind)").as_bytes());
    let output = symdiff(&folder.0, &["train", "net.sd", "--data", "trees.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let note = "note: the labels of `kind`: 0 = \"ash, grey\", 1 = elm, 2 = oak\n";
    assert_eq!(text(&output.stderr), note);
    let matrix = "accuracy = 1
confusion: a row a true class, a column a class said
             ash, grey  elm  oak
  ash, grey          2    0    0
        elm          0    2    0
        oak          0    0    2
";
    assert!(text(&output.stdout).contains(matrix), "{}", text(&output.stdout));
    // New data in another order of columns, without the labels.
    let weights = "net.safetensors";
    check(&folder.0, &["predict", weights, "--data", "new.csv"], "class\nelm\noak\n\"ash, grey\"\n");
    let both = symdiff(&folder.0, &["predict", weights, "--data", "new.csv", "--values", "class,logits"]);
    assert!(
        text(&both.stdout).starts_with("class,logits_0,logits_1,logits_2\nelm,"),
        "{}",
        text(&both.stdout)
    );
    check_fault(
        &folder.0,
        &["predict", weights, "--data", "new.csv", "--values", "clas"],
        2,
        &["did you mean `class`?"],
    );
    let output = symdiff(&folder.0, &["eval", weights, "--data", "trees.csv"]);
    assert!(text(&output.stdout).contains(matrix), "{}", text(&output.stdout));
    folder.file("odd.csv", b"a,b,kind\n1,2,oka\n");
    check_fault(
        &folder.0,
        &["eval", weights, "--data", "odd.csv"],
        65,
        &["odd.csv, line 2", "\"oka\"", "is it \"oak\"?"],
    );
}

#[test]
fn a_table_stands_in_for_examples_in_the_program() {
    let folder = Folder::new("inline");
    folder.file("line.sd", format!("{LINE}data {{ x = [0, 1], y = [0, 1] }}").as_bytes());
    folder.file("t.csv", b"x,y\n-1,-1\n0,1\n1,3\n");
    folder.file("new.csv", b"x\n5\n");
    let newton = ["train", "line.sd", "--set", "optimizer=newton"];
    check(&folder.0, &newton, "steps = 1\nloss = 0\nw = 1\nb = 0\nweights = line.safetensors\n");
    let other = [&newton[..], &["--data", "t.csv"]].concat();
    check(&folder.0, &other, "steps = 1\nloss = 0\nw = 2\nb = 1\nweights = line.safetensors\n");
    check(&folder.0, &["predict", "line.safetensors", "--data", "new.csv"], "p\n11\n");
    check(&folder.0, &["predict", "line.safetensors"], "p\n1\n3\n");
}

/// The slope of x^a by a is 0 at x = 0, where log(x) is not there.
#[test]
fn a_power_law_is_fitted_through_the_origin() {
    let folder = Folder::new("power-law");
    folder.file("law.csv", b"x,y\n0,0\n1,2\n2,5.656854249492381\n4,16\n");
    for optimizer in ["adam(lr = 0.05)", "lbfgs", "newton"] {
        let program = format!(
            "input x, y\nparam a = 0.7, c = 1\np = c*x^a\nloss = (p - y)^2\n\
             train {{ optimizer = {optimizer}, steps = 2000, batch = full, seed = 0 }}\n"
        );
        folder.file("law.sd", program.as_bytes());
        let output = symdiff(&folder.0, &["train", "law.sd", "--data", "law.csv"]);
        let stdout = text(&output.stdout);
        let a = stdout.lines().find_map(|line| line.strip_prefix("a = ")?.parse::<f64>().ok());
        let is_found = a.is_some_and(|a| (a - 1.5).abs() < 1e-6);
        assert!(is_found, "{optimizer}: {stdout}{}", text(&output.stderr));
    }
}

#[test]
fn rows_with_no_prediction_are_told_apart() {
    let folder = Folder::new("undefined");
    let program = "input x, y\nparam a = 1\np = log(a*x)\nloss = (p - y)^2\ndata { x = [1, 2], y = [0, 1] }\n\
                   train { optimizer = gd(lr = 0.1), steps = 1 }";
    folder.file("log.sd", program.as_bytes());
    folder.file("new.csv", b"x,y\n3,1\n0,1\n-2,1\n");
    assert!(symdiff(&folder.0, &["train", "log.sd", "--quiet"]).status.success());
    let words =
        ["no finite result in 2 of 3 rows; the first is row 2: log of 0", "log.safetensors:3:5", "in `p`"];
    for command in ["predict", "eval"] {
        check_fault(&folder.0, &[command, "log.safetensors", "--data", "new.csv"], 0, &words);
    }
    let words = ["the result is not finite: log of -4 is undefined", "log.sd:3:5"];
    check_fault(&folder.0, &["eval", "log.sd", "--at", "x=-4,y=0"], 0, &words);
}

#[test]
fn endings_are_told_in_words() {
    let folder = Folder::new("words");
    folder.file("t.csv", table().as_bytes());
    folder.file("net.sd", careful("adam(lr = 0.2)").replace("epochs = 14", "epochs = 400").as_bytes());
    check_fault(
        &folder.0,
        &["train", "net.sd", "--data", "t.csv"],
        0,
        &["stopped early: the weights are those of step ", "the best on validation"],
    );
    let patient = ["train", "net.sd", "--data", "t.csv", "--set", "patience=100000", "--epochs", "30"];
    check_fault(&folder.0, &patient, 0, &["note: the weights are those of step ", "the best on validation"]);
    folder.file("steep.sd", b"param w = 1\nloss = w^4\ntrain { optimizer = gd(lr = 1), steps = 50 }");
    let words = [
        "error: diverges: the learning rate 1 exceeds 2/curvature = 0.1667",
        "the weights are the initial ones",
    ];
    check_fault(&folder.0, &["train", "steep.sd"], 1, &words);
    folder.file("log.sd", b"param w = 1\nloss = log(w)\ntrain { optimizer = gd(lr = 2), steps = 50 }");
    check_fault(&folder.0, &["train", "log.sd"], 1, &["diverges: ", "the loss is NaN at step 2"]);
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let folder = Folder::new("colour");
    folder.file("net.sd", b"param w = 0\nloss = w^2 +\n");
    let on_terminal = |no_color: &str| {
        let line = format!("{} train net.sd", env!("CARGO_BIN_EXE_symdiff"));
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).current_dir(&folder.0).env("TERM", "xterm");
        command.env("NO_COLOR", no_color).stdin(Stdio::null());
        command.output().ok().map(|output| text(&output.stdout))
    };
    let (Some(coloured), Some(plain)) = (on_terminal(""), on_terminal("1")) else {
        eprintln!("skipped: there is no `script` to make a terminal with");
        return;
    };
    assert!(coloured.contains("\u{1b}["), "no colour on a terminal: {coloured:?}");
    assert!(!plain.contains('\u{1b}') && plain.contains("error"), "colour in spite of NO_COLOR: {plain:?}");
}
