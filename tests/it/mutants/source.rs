//! `cargo faults`: seeded faults in derivative rules and lowering, caught by the tests or not.
//!
//! What is a table is seeded without building anything (`mutants`). What is code is
//! changed in a copy under `target/faults`: every fault of `source.txt` is compiled in at once,
//! behind a switch that the environment sets, so one build serves all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where the faults are listed.
const LIST: &str = "tests/it/mutants/source.txt";

/// Tests that take longer with a fault than this count as having noticed it.
const PATIENCE: Duration = Duration::from_secs(240);

const SWITCH: &str = "
/// True when the fault with this number is switched on.
pub(crate) fn seeded_fault(n: usize) -> bool {
    static ON: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    *ON.get_or_init(|| std::env::var(\"SYMDIFF_FAULT\").ok().and_then(|n| n.parse().ok())) == Some(n)
}
";

/// One place, and what is wrong there.
struct Fault {
    file: String,
    before: String,
    right: String,
    wrong: String,
    tests: Vec<String>,
}

fn list(root: &Path) -> Vec<Fault> {
    let text = std::fs::read_to_string(root.join(LIST)).expect("the list of faults");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(fault).collect()
}

fn fault(line: &str) -> Fault {
    let line = line.replace("\\|", "\u{1}");
    let parts: Vec<String> =
        line.split(" | ").map(|part| part.trim().replace('\u{1}', "|").replace("\\n", "\n")).collect();
    let [file, before, right, wrong, tests] = parts.as_slice() else { panic!("no fault: {line}") };
    let tests = tests.split_whitespace().map(str::to_owned).collect();
    Fault { file: file.clone(), before: before.clone(), right: right.clone(), wrong: wrong.clone(), tests }
}

#[test]
#[ignore = "builds a copy, and runs tests for every fault: `cargo faults` runs it"]
fn every_seeded_fault_is_caught() {
    let only = std::env::var("SYMDIFF_FAULTS_IN").ok();
    assert!(run(only.as_deref()), "the tests missed a fault");
}

/// Seeds every fault of the list, or those whose file contains `only`; true when all were caught.
fn run(only: Option<&str>) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = root.join("target/faults/source");
    copy_sources(root, &copy);
    let faults = list(root);
    seed(&copy, &faults);
    let tests = build(&copy, &root.join("target/faults/build"));
    let mut sound: BTreeMap<Vec<String>, bool> = BTreeMap::new();
    let mut missed = Vec::new();
    let wanted = |fault: &Fault| only.is_none_or(|text| fault.file.contains(text));
    let chosen: Vec<(usize, &Fault)> = faults.iter().enumerate().filter(|(_, f)| wanted(f)).collect();
    for &(n, fault) in &chosen {
        let healthy = *sound.entry(fault.tests.clone()).or_insert_with(|| passes(&tests, &copy, fault, None));
        assert!(healthy, "{:?} fail without any fault", fault.tests);
        let began = Instant::now();
        let caught = !passes(&tests, &copy, fault, Some(n));
        let seconds = began.elapsed().as_secs_f64();
        let verdict = if caught { "caught" } else { "MISSED" };
        println!("{n:3} {verdict} in {seconds:5.1} s: {}: {} => {}", fault.file, fault.right, fault.wrong);
        if !caught {
            missed.push(n);
        }
    }
    println!("{} seeded, {} caught, missed: {missed:?}", chosen.len(), chosen.len() - missed.len());
    missed.is_empty()
}

/// The files the repository knows.
fn copy_sources(root: &Path, copy: &Path) {
    let listed = Command::new("git").arg("-C").arg(root).arg("ls-files").output().expect("git runs");
    for file in String::from_utf8(listed.stdout).expect("names are text").lines() {
        let (from, to) = (root.join(file), copy.join(file));
        std::fs::create_dir_all(to.parent().expect("a file lies in a folder"))
            .expect("a folder for the copy");
        let text = std::fs::read(&from).unwrap_or_default();
        // An unchanged file keeps its time, and is not compiled again.
        if std::fs::read(&to).ok().as_ref() != Some(&text) {
            std::fs::write(&to, text).expect("the copy is written");
        }
    }
}

fn seed(copy: &Path, faults: &[Fault]) {
    let mut texts: BTreeMap<PathBuf, String> = BTreeMap::new();
    for (n, Fault { file, before, right, wrong, .. }) in faults.iter().enumerate() {
        let path = copy.join(file);
        let text =
            texts.entry(path.clone()).or_insert_with(|| std::fs::read_to_string(&path).expect("a file"));
        let places: Vec<usize> = text.match_indices(right.as_str()).map(|(at, _)| at).collect();
        let follows = |at: &&usize| text[..**at].trim_end().ends_with(before.trim_end());
        let found: Vec<usize> = places.iter().filter(follows).copied().collect();
        let [at] = found.as_slice() else { panic!("{} places in {file} for {before} {right}", found.len()) };
        let switched = format!("(if crate::seeded_fault({n}) {{ {wrong} }} else {{ {right} }})");
        text.replace_range(*at..at + right.len(), &switched);
    }
    let library = copy.join("src/lib.rs");
    let text = std::fs::read_to_string(&library).expect("the library");
    texts.insert(library, text + SWITCH);
    for (path, text) in texts {
        std::fs::write(path, text).expect("the copy is written");
    }
}

/// The test binary with all faults in it.
fn build(copy: &Path, target: &Path) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--test", "it", "--no-run", "--message-format=json"]).current_dir(copy);
    let built = cargo.env("CARGO_TARGET_DIR", target).stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(built.status.success(), "the copy with its faults does not build");
    let text = String::from_utf8(built.stdout).expect("messages are text");
    let of_test = text.lines().filter(|line| line.contains("\"name\":\"it\""));
    let path =
        of_test.filter_map(|line| line.split("\"executable\":\"").nth(1)?.split('"').next()).next_back();
    PathBuf::from(path.expect("cargo names the test binary"))
}

/// Runs the tests that must notice a fault, with one switched on or with none.
fn passes(tests: &Path, copy: &Path, fault: &Fault, n: Option<usize>) -> bool {
    let mut run = Command::new(tests);
    run.args(&fault.tests).args(["--skip", "every_layer_as_derived"]).current_dir(copy);
    run.stdout(Stdio::null()).stderr(Stdio::null()).env_remove("SYMDIFF_FAULT");
    run.env("INSTA_UPDATE", "no").env("INSTA_FORCE_PASS", "0");
    if let Some(n) = n {
        run.env("SYMDIFF_FAULT", n.to_string());
    }
    let mut child = run.spawn().expect("the tests run");
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("the tests can be waited for") {
            return status.success();
        }
        if began.elapsed() > PATIENCE {
            child.kill().expect("the tests can be stopped");
            child.wait().expect("the tests can be waited for");
            return n.is_none();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
