//! The diagnosis as it is shown: expressions at a point, programs, runs that fail.

use crate::cli::transcript;
use crate::data::Folder;

const NET: &str = "# A regression whose output is under a logarithm.
input x[2], y
param w[2] = [0.5, -1], b = 0.3
p = w·x + b
loss = mse(log(p), y)
data {
    x = [[1, 0], [2, 1], [0, 0.1], [3, 1], [1, 2]]
    y = [0, 0.5, -1, 0.7, 0.2]
}
train { optimizer = gd(lr = 0.05), steps = 50 }
";

const FOUND: &str = "error: log of -1.2 is undefined, at step 1, for example 4
 --> net.sd:5:12
  |
4 | p = w·x + b
  |     ------- `p` is -1.2
5 | loss = mse(log(p), y)
  |            ^^^^^^ here
  |
  = help: keep its argument above 0: exp or softplus of it, `max(x, 1e-12)`, or a parameter in bounds
";

#[track_caller]
fn check(arguments: &[&str], expect: &str) {
    let found = transcript(arguments, b"");
    assert_eq!(found.trim_end(), expect.trim(), "\nsymdiff {arguments:?}\n{found}");
}

/// What a command on a program in a folder of its own shows; `net.sd` is the program's name.
fn shown(name: &str, text: &str, arguments: &[&str]) -> String {
    let folder = Folder::new(name);
    let path = folder.0.join("net.sd");
    std::fs::write(&path, text).expect("a folder of our own can be written to");
    let path = path.to_string_lossy().into_owned();
    let arguments: Vec<&str> = arguments.iter().map(|a| if *a == "net.sd" { &path } else { *a }).collect();
    let stem = path.trim_end_matches("net.sd").to_owned();
    transcript(&arguments, b"").replace(&stem, "")
}

#[test]
fn an_expression_shows_the_operation_that_fails() {
    check(
        &["diagnose", "sqrt(x) + log(x - y)", "--at", "x=1,y=3"],
        "
error: log of -2 is undefined
 --> <expression>:1:11
  |
1 | sqrt(x) + log(x - y)
  |           ^^^^-----^
  |           |   |
  |           |   is -2
  |           here
  |
  = help: keep its argument above 0: exp or softplus of it, `max(x, 1e-12)`, or a parameter in bounds
exit 1",
    );
}

#[test]
fn what_stabilising_mends_is_healthy() {
    let healthy = "healthy: the value is 800, and the gradient is finite";
    check(&["diagnose", "log(1 + exp(x))", "--at", "x=800"], healthy);
    let healthy = "healthy: the value is 0, and the gradient is finite";
    check(&["diagnose", "norm([x, y])", "--at", "x=0,y=0"], healthy);
    let flat = "healthy: the value is 0, and the gradient is finite
flat to second order: the gradient is 0, and the Hessian has the eigenvalues [0]";
    check(&["diagnose", "exp(-exp(x))*exp(x)", "--at", "x=800"], flat);
}

#[test]
fn critical_points_are_classified() {
    let saddle = "healthy: the value is 0, and the gradient is finite
a saddle: the gradient is 0, and the Hessian has the eigenvalues [-2, 2]";
    check(&["diagnose", "x^2 - y^2", "--at", "x=0,y=0"], saddle);
    let valley = "healthy: the value is 0, and the gradient is finite
a minimum along some directions, flat along others: the gradient is 0, and the Hessian has the eigenvalues [0, 4]";
    check(&["diagnose", "(x + y)^2", "--at", "x=1,y=-1"], valley);
}

#[test]
fn a_program_shows_operation_operand_example_and_step() {
    let found = shown("diagnose-net", NET, &["diagnose", "net.sd"]);
    assert!(found.starts_with(FOUND), "{found}");
    assert!(found.ends_with("exit 1\n"), "{found}");
}

#[test]
fn a_run_that_fails_shows_the_same() {
    let found = shown("diagnose-train", NET, &["train", "net.sd", "-q"]);
    let bars: String = FOUND.lines().map(|line| format!("│ {line}\n")).collect();
    assert!(found.contains(&bars), "{found}");
    assert!(found.contains("weights = net.safetensors") && found.ends_with("exit 1\n"), "{found}");
}

#[test]
fn json_has_cause_place_and_numbers() {
    let found = shown("diagnose-json", NET, &["diagnose", "net.sd", "--json"]);
    let object: serde_json::Value =
        serde_json::from_str(found.lines().next().expect("a line")).expect("it is JSON");
    let first = &object["findings"][0];
    assert_eq!(object["healthy"], false, "{found}");
    assert_eq!(first["cause"], "undefined-operation");
    assert_eq!((first["line"].as_u64(), first["column"].as_u64()), (Some(5), Some(12)));
    assert_eq!((first["text"].as_str(), first["numbers"]["a"].as_f64()), (Some("log(p)"), Some(-1.2)));
    assert_eq!(object["layers"][0]["parameter"], "w");
}

#[test]
fn a_descent_that_fails_shows_the_operation() {
    let found = transcript(&["minimize", "log(x) + x^2", "--from", "x=-1"], b"");
    assert!(found.contains("│ error: log of -1 is undefined"), "{found}");
    assert!(found.contains("│ 1 | log(x) + x^2"), "{found}");
}

#[test]
fn a_problem_that_fails_shows_the_operation() {
    let text = "param x = 2\nheight = x - 5\nminimize sqrt(height) + x\n";
    let found = shown("diagnose-problem", text, &["minimize", "net.sd"]);
    assert!(found.contains("│ error: sqrt of -3 is undefined"), "{found}");
    assert!(found.contains("│ 3 | minimize sqrt(height) + x"), "{found}");
}

#[test]
fn programs_without_data_are_looked_at_where_they_are_defined() {
    let text = "input x, y\nparam w = 3\nloss = (log(w*x) - y)^2\n";
    let found = shown("diagnose-random", text, &["diagnose", "net.sd"]);
    assert!(found.starts_with("healthy: the objective and its gradient are finite"), "{found}");
    let found = shown("diagnose-at", text, &["diagnose", "net.sd", "--at", "x=-1,y=2"]);
    assert!(found.starts_with("error: log of -3 is undefined\n --> net.sd:3:9"), "{found}");
}
