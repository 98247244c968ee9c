//! Programs at the shell without training: what is printed, and in which words it is refused.

use crate::cli::transcript;
use std::path::PathBuf;

/// A program in a file of its own.
fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("symdiff-shell-{}-{name}.sd", std::process::id()));
    std::fs::write(&path, text).expect("a temporary file");
    path
}

/// What `symdiff … FILE …` shows, `FILE` standing for the program.
#[track_caller]
fn check(name: &str, text: &str, arguments: &[&str], expect: &str) {
    let path = file(name, text);
    let shown = path.to_string_lossy().into_owned();
    let arguments: Vec<&str> =
        arguments.iter().map(|a| if *a == "FILE" { shown.as_str() } else { a }).collect();
    let found = transcript(&arguments, b"").replace(&shown, "FILE");
    std::fs::remove_file(&path).expect("it was written");
    assert_eq!(found.trim_end(), expect.trim_end(), "\nsymdiff {arguments:?}\n{found}");
}

const QUADRATIC: &str = "param x = 1, y = 2\nloss = x^2 + 3*x*y + y^2";
const LINEAR: &str = "input x[3]\nW = [[1, 2, 3], [4, 5, 6]]\ny = W @ x";
const LAYER: &str = "input x[2], y\nparam W[3,2] = 0.5, b[3] = 0, w[3] = 1
h = tanh(W @ x + b)\np = sigmoid(w·h)\nloss = bce(p, y)";

#[test]
fn jacobians_are_matrices() {
    check("jacobian", LINEAR, &["FILE", "--of", "y", "--wrt", "x"], "W");
    let numbers = ["FILE", "--of", "y", "--wrt", "x", "--at", "x=[0,0,0]"];
    check("jacobian-at", LINEAR, &numbers, "[[1, 2, 3], [4, 5, 6]]");
    check("jacobian-tanh", LAYER, &["FILE", "--of", "h", "--wrt", "x", "--jacobian"], "diag(1 - h^2) @ W");
    check(
        "jacobian-two",
        LAYER,
        &["FILE", "--of", "h", "--wrt", "x,b"],
        "∂h/∂x = diag(1 - h^2) @ W\n∂h/∂b = diag(1 - h^2)",
    );
}

#[test]
fn hessians_come_in_blocks() {
    check("hessian", QUADRATIC, &["FILE", "--hessian"], "∂²/∂x² = 2\n∂²/∂x∂y = 3\n∂²/∂y² = 2");
    check("hvp", QUADRATIC, &["FILE", "--hvp", "v"], "Hv_x = 2*v_x + 3*v_y\nHv_y = 3*v_x + 2*v_y");
    check("hvp-at", QUADRATIC, &["FILE", "--hvp", "v", "--at", "v_x=1,v_y=0"], "Hv_x = 2\nHv_y = 3");
    check("twice", QUADRATIC, &["FILE", "-n", "2"], "∂²/∂x² = 2\n∂²/∂y² = 2");
    check(
        "fit",
        "param w[2] = 0\nA = [[1, 2], [3, 4]]\nloss = sum((A @ w)^2)",
        &["FILE", "--hessian"],
        "2*(A' @ A)",
    );
    check("logistic", LAYER, &["FILE", "--hessian", "--wrt", "w"], "outer(h*p*(1 - p), h)");
}

#[test]
fn cotangents_of_values_are_derivatives_too() {
    check(
        "chain",
        "param a = 2\nb = a^2\nc = sin(b)\nloss = c^2",
        &["FILE", "--wrt", "a,b,c"],
        "∂/∂a = 4*a*c*cos(b)\n∂/∂b = 2*c*cos(b)\n∂/∂c = 2*c",
    );
}

#[test]
fn values_are_printed_in_order() {
    check("values", QUADRATIC, &["eval", "FILE"], "loss = 11");
    check(
        "gradient",
        QUADRATIC,
        &["eval", "FILE", "--gradient", "--at", "x=0"],
        "loss = 4\n∂/∂x = 6\n∂/∂y = 4",
    );
    check(
        "json",
        LINEAR,
        &["eval", "FILE", "--at", "x=[1,0,0]", "--json"],
        r#"{"schema":1,"values":{"W":[[1,2,3],[4,5,6]],"y":[1,4]}}"#,
    );
    for engine in ["jit", "interpreter"] {
        check(
            "matrix",
            LINEAR,
            &["eval", "FILE", "--at", "x=[1,1,1]", "--engine", engine],
            "W = [[1, 2, 3], [4, 5, 6]]\ny = [6, 15]",
        );
    }
}

#[test]
fn kinks_are_no_failures() {
    check(
        "kink",
        "param w = 0, v[2] = [1, 0]\nloss = abs(w) + sum(relu(v))",
        &["check", "FILE"],
        "parameter  shape  checked  relative error  verdict
w          []     1        0               ok; w: kink: subgradient in [-1, 1]
v          [2]    2        0               ok; v[1]: kink: subgradient in [0, 1]
│ note: checked at the parameters' first values, seed 0",
    );
    check(
        "json-check",
        "param w = 0\nloss = abs(w)",
        &["check", "FILE", "--json"],
        r#"{"schema":1,"passed":true,"tolerance":1e-6,"parameters":[{"name":"w","shape":[],"checked":1,"relative_error":0,"passed":true,"notes":["w: kink: subgradient in [-1, 1]"],"message":"ok; w: kink: subgradient in [-1, 1]"}]}
│ note: checked at the parameters' first values, seed 0"#,
    );
}

/// Each with what is wrong, and the mend.
#[test]
fn what_makes_no_sense_is_refused_in_words() {
    let usage = |name: &str, text: &str, arguments: &[&str], said: &str, mend: &str, exit: u8| {
        check(name, text, arguments, &format!("│ error: {said}\n│  |\n│  = help: {mend}\nexit {exit}"));
    };
    usage(
        "order",
        LAYER,
        &["FILE", "-n", "2", "--wrt", "b"],
        "`b` is an array; its second derivative is a Hessian",
        "ask for --hessian, or for --hvp v: the Hessian times a direction",
        65,
    );
    usage(
        "no-order",
        QUADRATIC,
        &["FILE", "-n", "0"],
        "a program says itself what it computes, so -n 0 is nothing new",
        "its value at a point: symdiff eval net.sd --at …",
        2,
    );
    usage(
        "direction",
        LAYER,
        &["FILE", "--hvp", "1,2"],
        "the direction of --hvp is an array for each parameter of a program",
        "write --hvp v, and numbers as --at v_W=…",
        2,
    );
    usage(
        "unknown",
        LAYER,
        &["FILE", "--wrt", "losss"],
        "the program has no parameter, input or value `losss`",
        "did you mean `loss`?",
        2,
    );
    usage(
        "array",
        LAYER,
        &["FILE", "--of", "h", "--hessian"],
        "`h` is an array; second derivatives are of one number",
        "name a number with --of, or leave --of out for the objective",
        65,
    );
    usage(
        "missing",
        LAYER,
        &["eval", "FILE", "--at", "y=1"],
        "the input `x` has no value",
        "add x=[…], 2 numbers, to --at",
        2,
    );
    usage(
        "size",
        LAYER,
        &["eval", "FILE", "--at", "x=[1,2,3],y=1"],
        "--at gives `x` 3 numbers, but it has 2",
        "write a vector as x=[1, 2]",
        2,
    );
    usage(
        "data",
        LAYER,
        &["minimize", "FILE"],
        "the program takes data: its input `x` has no value here",
        "fit it to data: symdiff train FILE",
        2,
    );
    usage(
        "nothing",
        "loss = 3",
        &["minimize", "FILE"],
        "the program has no parameters, so there is nothing to move",
        "declare one, such as `param x = 0`",
        2,
    );
    usage(
        "sense",
        QUADRATIC,
        &["minimize", "FILE", "--maximize"],
        "a program says itself whether to minimize or to maximize",
        "write `maximize …` in the program",
        2,
    );
    usage(
        "unparametrised",
        "input x\nloss = x^2",
        &["FILE"],
        "the program has no parameters to differentiate by",
        "choose inputs or values, such as --wrt x",
        2,
    );
    usage(
        "format",
        QUADRATIC,
        &["FILE", "--at", "x=1", "--format", "latex"],
        "--at prints numbers, which have no latex form",
        "use --format text or json, or leave --at out",
        2,
    );
}
