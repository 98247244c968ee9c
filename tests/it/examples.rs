//! The programs in `examples/` run and print what they promise.

use std::process::Command;

fn run(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--example", name, "--"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("examples print text")
}

#[test]
fn derivative() {
    assert_eq!(run("derivative", &["x^2*sin(x)"]), "x^2*cos(x) + 2*x*sin(x)\n");
}

#[test]
fn jit_loss_descends_the_neuron() {
    let printed = run("jit_loss", &[]);
    // Worked out independently: σ(1.1) = 0.75026011, L = 0.06237001.
    assert!(printed.starts_with("step  0  loss 0.06237001  gradient -0.18717494 -0.09358747\n"), "{printed}");
}

#[test]
fn least_squares_finds_the_known_fit() {
    let printed = run("least_squares", &[]);
    // numpy.linalg.lstsq on the standardised table.
    for expected in ["bmi    24.7265", "bias   152.1335", "mean squared error 2859.6963"] {
        assert!(printed.contains(expected), "{printed}");
    }
}

#[test]
fn rosenbrock_converges() {
    let printed = run("rosenbrock", &["10"]);
    assert!(printed.starts_with("converged: "), "{printed}");
}

#[test]
fn own_function_is_the_same_both_ways() {
    let printed = run("own_function", &[]);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], lines[1]);
}

#[test]
fn own_data_is_learnt() {
    let printed = run("own_data", &[]);
    assert!(printed.contains("Finished after 720 steps"), "{printed}");
    assert!(printed.ends_with("at the centre > 0.9: true, in a corner < 0.1: true\n"), "{printed}");
}

#[test]
fn own_loop_finds_the_line() {
    // By the normal equations: slope 2, height 5.04 - 2*2.
    assert_eq!(run("own_loop", &[]), "y = 2.0000*x + 1.0400, mean squared error 0.014400\n");
}

#[test]
fn every_program_is_read_without_a_warning() {
    use symdiff::elaborate::program::{Phase, read_program};
    let mut count = 0;
    for folder in ["descent", "networks"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(folder);
        for entry in std::fs::read_dir(folder).expect("a folder of examples") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "sd") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a program");
            let model = read_program(&text, Phase::Train, &symdiff::Limits::default());
            let model = model.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(model.notes.is_empty(), "{}: {:?}", path.display(), model.notes);
            assert!(model.objective.is_some(), "{} has no objective", path.display());
            count += 1;
        }
    }
    assert!(count >= 18, "{count} programs");
}
