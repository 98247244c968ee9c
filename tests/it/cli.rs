//! The program as its users see it: stdout, stderr and the exit code, for every example of the
//! documentation and every way of going wrong.

use std::io::Write;
use std::process::{Command, Stdio};

/// What a run shows: stdout, then stderr behind bars, then the exit code where it is not 0.
pub fn transcript(arguments: &[&str], stdin: &[u8]) -> String {
    let mut child = program(arguments).spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("stdin is piped");
    let stdin = stdin.to_vec();
    // The program may end without reading all of it.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer never panics");
    let mut text = String::from_utf8(output.stdout).expect("stdout is UTF-8");
    for line in String::from_utf8(output.stderr).expect("stderr is UTF-8").lines() {
        text.push_str(format!("│ {line}").trim_end());
        text.push('\n');
    }
    match output.status.code() {
        Some(0) => {}
        Some(code) => text.push_str(&format!("exit {code}\n")),
        None => text.push_str("killed by a signal\n"),
    }
    text
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_symdiff"));
    command.args(arguments).env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[track_caller]
fn check(arguments: &[&str], expect: &str) {
    check_with(arguments, "", expect);
}

#[track_caller]
fn check_with(arguments: &[&str], stdin: &str, expect: &str) {
    let found = transcript(arguments, stdin.as_bytes());
    assert_eq!(found.trim_end(), expect.trim(), "\nsymdiff {arguments:?}\n{found}");
}

macro_rules! snapshot {
    ($name:literal, $arguments:expr) => {
        snapshot!($name, $arguments, "")
    };
    ($name:literal, $arguments:expr, $stdin:expr) => {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(concat!("cli_", $name), transcript(&$arguments, $stdin.as_bytes()));
        });
    };
}

#[test]
fn one_variable_prints_one_line() {
    check(&["sin(x^2)"], "2*x*cos(x^2)");
    check(&["x^x"], "x^x*(log(x) + 1)");
    check(&["log(1+e^x)"], "sigmoid(x)");
    check(&["sqrt(x^2)"], "sign(x)");
    check(&["x^3/3"], "x^2");
    check(&["e^(2x+1)"], "2*exp(2*x + 1)\n│ note: read `2x` as `2*x`");
    check(&["3*x^4 - 2*x^2 + 5"], "12*x^3 - 4*x");
    check(&["x^3", "-n", "2"], "6*x");
    check(&["x^3", "-n0"], "x^3");
    check(&["x^2*y", "--wrt", "x"], "2*x*y");
}

#[test]
fn several_variables_print_a_line_each_in_order_of_appearance() {
    check(&["f(x, y) = x² + 3xy + y²"], "∂/∂x = 2*x + 3*y\n∂/∂y = 3*x + 2*y\n│ note: read `3xy` as `3*x*y`");
    check(&["y*x^2"], "∂/∂y = x^2\n∂/∂x = 2*x*y");
    check(&["x^3*y^2", "--order", "2"], "∂²/∂x² = 6*x*y^2\n∂²/∂y² = 2*x^3");
    check(&["x*y*z", "--wrt", "z,x"], "∂/∂z = x*y\n∂/∂x = y*z");
    check(&["x*y", "--mode", "forward"], "∂/∂x = y\n∂/∂y = x");
}

#[test]
fn vectors_and_matrices_are_in_brackets() {
    let saddle = "x^2 + 3*x*y + y^2";
    check(&[saddle, "--hessian"], "[[2, 3], [3, 2]]");
    check(&[saddle, "--gradient"], "[2*x + 3*y, 3*x + 2*y]");
    check(&[saddle, "--jacobian"], "[[2*x + 3*y, 3*x + 2*y]]");
    check(&[saddle, "--hvp", "1,2"], "[8, 7]");
    check(&[saddle, "--hvp", "-1,x"], "[3*x - 2, 2*x - 3]");
    check(&[saddle, "--hvp", "v"], "[2*v_x + 3*v_y, 3*v_x + 2*v_y]");
    check(&["[x*y, x + y]", "--jacobian"], "[[y, x], [1, 1]]");
    check(&["[x^2, sin(x)]"], "[2*x, cos(x)]");
    check(&["[x*y, x]"], "∂f1/∂x = y\n∂f1/∂y = x\n∂f2/∂x = 1\n∂f2/∂y = 0");
    check(&[saddle, "--hessian", "--at", "x=1,y=1"], "[[2, 3], [3, 2]]");
}

#[test]
fn a_point_gives_numbers() {
    let d5 = "3*x² + 2*x*y + y³";
    check(&[d5, "--at", "x=1,y=2"], "∂/∂x = 10\n∂/∂y = 14");
    check(&[d5, "--at", "x=1", "--at", "y=2", "--gradient"], "[10, 14]");
    check(&["x^2 + y^2", "--at", "x=3,y=-4"], "∂/∂x = 6\n∂/∂y = -8");
    check(&["x^3", "--at", "x=2"], "12");
    check(&["x^2", "--at", "x=pi/2"], "3.141592653589793");
    check(&["x*y", "--hvp", "v", "--at", "x=1,y=1,v_x=3,v_y=4"], "[4, 3]");
    check(
        &[d5, "--at", "x=1,y=2", "--format", "json"],
        r#"{"schema":1,"at":{"x":1,"y":2},"outputs":[{"name":"∂/∂x","value":10},{"name":"∂/∂y","value":14}]}"#,
    );
}

#[test]
fn an_undefined_expression_has_no_derivative() {
    let note = "│ note: the expression is undefined at x = -1, and so is its derivative";
    check(&["log(x)", "--at", "x=-1"], &format!("NaN\n{note}"));
    check(&["eval", "log(x)", "--at", "x=-1", "--gradient"], &format!("NaN\n∂/∂x = NaN\n{note}"));
    check(&["eval", "d/dx log(x)", "--at", "x=-1"], "NaN\n│ note: the expression is undefined at x = -1");
}

#[test]
fn a_leading_derivative_says_by_what() {
    check(&["d/dx x^2*y"], "2*x*y");
    check(&["d/dx x^2*y", "--at", "x=1,y=3"], "6");
    check(&["eval", "d/dx x^3", "--at", "x=2"], "12");
    check(
        &["d/dx x^3", "-n", "2"],
        "│ error: the expression begins with d/d…, which says already what to derive
│  |
│  = help: leave that out, or the flag
exit 2",
    );
}

#[test]
fn no_variable_derives_to_zero() {
    check(&["5"], "0\n│ note: the expression has no variables, so its derivative is 0");
}

#[test]
fn a_minus_sign_begins_an_expression() {
    check(&["-x^2"], "-2*x");
    check(&["-n*x", "--wrt", "x"], "-n");
    check(&["--", "-x^2"], "-2*x");
    check(&["eval", "-x", "--at", "x=2"], "-2");
}

#[test]
fn commands_are_escaped_by_two_dashes() {
    check(&["--", "check"], "1");
}

#[test]
fn formats() {
    check(&["sin(x^2)", "--format", "unicode"], "2·x·cos(x²)");
    check(
        &["x*y", "--format", "latex"],
        "\\frac{\\partial}{\\partial x} = y\n\\frac{\\partial}{\\partial y} = x",
    );
    snapshot!("json_format", ["x*y", "--format", "json"]);
    snapshot!("dot_format", ["x*y", "--format", "dot"]);
    snapshot!("mathml_format", ["x*y", "--format", "mathml"]);
}

#[test]
fn assumptions_are_used() {
    check(&["sqrt(x)*sqrt(x)", "--assume", "x>0"], "1");
    check(&["abs(x) + abs(y)", "--assume", "x>0, y<0"], "∂/∂x = 1\n∂/∂y = -1");
    snapshot!("bad_assumption", ["x^2", "--assume", "x+"]);
}

#[test]
fn lines_are_read_from_standard_input() {
    check_with(&[], "x^2\n\n# a comment\nsin(x)\n", "2*x\ncos(x)");
    check_with(&["-", "-n", "2"], "x^3\r\ny^4", "6*x\n12*y^2");
    check_with(&["eval", "-", "--at", "x=2"], "x^2\nx^3\n", "4\n8");
    snapshot!("one_bad_line", [], "x^2\n2 3\ncos(y)\n");
}

#[test]
fn files_hold_one_expression() {
    let path = std::env::temp_dir().join(format!("symdiff-cli-{}.txt", std::process::id()));
    std::fs::write(&path, "g(z) = z^2\ng(x) + 3*x\n").expect("the folder for temporary files is writable");
    check(&["--file", path.to_str().expect("UTF-8")], "2*x + 3");
    std::fs::remove_file(&path).expect("it was written");
    check(
        &["--file", "/no/such/file"],
        "│ error: cannot read `/no/such/file`: there is no such file\nexit 66",
    );
}

#[test]
fn faults_in_expressions_point_at_the_place() {
    snapshot!("unknown_function", ["sinn(x) + y"]);
    snapshot!("unbalanced_parenthesis", ["sin(x + (2*y"]);
    snapshot!("two_numbers", ["2 3"]);
    snapshot!("trailing_operator", ["x + "]);
    snapshot!("wrong_arity", ["sin(x, y)"]);
    snapshot!("empty", [""]);
    snapshot!("too_deep", ["((((x))))", "--max-nesting", "3"]);
    snapshot!("too_long", ["x + y + z", "--max-source-bytes", "5"]);
    snapshot!("gradient_of_a_vector", ["[x, y]", "--gradient"]);
}

#[test]
fn faults_in_points_name_the_variable() {
    check(
        &["theta*x", "--at", "thera=1,x=2"],
        "│ error: the expression has no variable `thera`, named in --at
│  |
│  = help: did you mean `theta`?
exit 2",
    );
    check(
        &["x*y", "--at", "x=1"],
        "│ error: the variable `y` has no value\n│  |\n│  = help: add y=… to --at\nexit 2",
    );
    check(
        &["x*y", "--at", "x"],
        "│ error: `x` in --at gives no variable a value
│  |
│  = help: write name=value, such as --at x=1,y=2
exit 2",
    );
    check(
        &["x", "--at", "x=1,x=2"],
        "│ error: --at gives `x` two values\n│  |\n│  = help: give each variable one value\nexit 2",
    );
    check(
        &["x*y", "--wrt", "z"],
        "│ error: the expression has no variable `z`\n│  |\n│  = help: its variables are x, y\nexit 2",
    );
    snapshot!("bad_value", ["x", "--at", "x=2+"]);
}

#[test]
fn usage_faults_exit_with_two() {
    check(
        &["x*y", "--hvp", "1"],
        "│ error: --hvp has 1 entry, but there are 2 variables
│  |
│  = help: write one entry for each, such as 1,2, or v for symbols
exit 2",
    );
    check(
        &["x", "--at", "x=1", "--format", "dot"],
        "│ error: --at prints numbers, which have no dot form
│  |
│  = help: use --format text or json, or leave --at out
exit 2",
    );
    check(
        &["sin", "x"],
        "│ error: `x` comes after an expression
│  |
│  = help: put the whole expression in quotes, such as symdiff \"sin(x) + 1\"
exit 2",
    );
    snapshot!("misspelt_flag", ["x", "--frmat", "latex"]);
    snapshot!("misspelt_mode", ["x", "--mode", "backward"]);
    snapshot!("two_kinds", ["x", "--hessian", "--gradient"]);
    snapshot!("steps_without_rate", ["minimize", "x^2", "--steps", "3"]);
}

#[test]
fn help_is_complete() {
    snapshot!("help", ["-h"]);
    snapshot!("help_eval", ["eval", "-h"]);
    snapshot!("help_check", ["check", "-h"]);
    snapshot!("help_minimize", ["minimize", "-h"]);
    assert!(transcript(&["--help"], b"").contains("--max-nodes"));
    check(&["--version"], concat!("symdiff ", env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(transcript(&["completions", shell], b"").contains("minimize"), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn bytes_that_are_not_text_are_a_diagnostic() {
    use std::os::unix::ffi::OsStrExt;
    let mut command = program(&[]);
    command.arg(std::ffi::OsStr::from_bytes(b"x + \xff")).stdin(Stdio::null());
    let output = command.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(65));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not UTF-8: byte 0xFF at offset 4"));
    let output = transcript(&["eval", "--jsonl"], b"{\"id\":1,\"expr\":\"\xff\"}\n");
    assert_eq!(output, "{\"id\":1,\"error\":\"not JSON: invalid unicode code point at column 17\"}\n");
}

#[test]
fn eval_prints_values() {
    check(&["eval", "x^2*y", "--at", "x=3,y=2"], "18");
    check(&["eval", "x^2*y", "--at", "x=3,y=2", "--gradient"], "18\n∂/∂x = 12\n∂/∂y = 9");
    check(&["eval", "0.1 + 0.2"], "0.3");
    check(&["eval", "[x, x^2]", "--at", "x=3"], "[3, 9]");
    check(&["eval", "sin(x)", "--at", "x=1", "--engine", "interpreter"], "0.8414709848078965");
    check(
        &["eval", "x^2*y", "--at", "x=3,y=2", "--gradient", "--json"],
        r#"{"schema":1,"at":{"x":3,"y":2},"value":18,"gradient":{"x":12,"y":9}}"#,
    );
    check(&["eval", "log(x)", "--at", "x=0", "--json"], r#"{"schema":1,"at":{"x":0},"value":null}"#);
}

/// Requests good and bad, and their answers.
const EVAL_LINES: [(&str, &str); 13] = [
    (
        r#"{"id":1,"expr":"sin(x)","vars":["x"],"points":[[0],[1]]}"#,
        r#"{"id":1,"value":[0,0.8414709848078965],"grad":[[1],[0.5403023058681398]]}"#,
    ),
    (
        r#"{"points":[[1,2]],"id":"b","vars":["y","x"],"expr":"x^2*y","more":{}}"#,
        r#"{"id":"b","value":[4],"grad":[[4,4]]}"#,
    ),
    (
        r#"{"id":2,"expr":"log(x)","vars":["x"],"points":[[-1],[0],[2]]}"#,
        r#"{"id":2,"value":[null,null,0.6931471805599453],"grad":[[null],[null],[0.5]]}"#,
    ),
    (
        r#"{"id":3,"expr":"x +","vars":["x"],"points":[[0]]}"#,
        r#"{"id":3,"error":"line 1, column 3: nothing on the right of `+` (help: remove the `+`, or write what is missing)"}"#,
    ),
    ("nonsense", r#"{"id":null,"error":"not JSON: expected ident at column 2"}"#),
    (
        r#"{"id":4,"expr":"x*y","vars":["x","y"],"points":[[1]]}"#,
        r#"{"id":4,"error":"point 0 has length 1, but the number of variables is 2 (help: write one number for each variable)"}"#,
    ),
    (
        r#"{"id":5,"expr":"[x,x]","vars":["x"],"points":[[1]]}"#,
        r#"{"id":5,"error":"a gradient needs one number, but the expression is a vector of 2 (help: ask for the Jacobian of a vector)"}"#,
    ),
    (r#"{"id":6,"expr":"2","vars":[],"points":[[]]}"#, r#"{"id":6,"value":[2],"grad":[[]]}"#),
    (
        r#"{"id":7,"expr":3}"#,
        r#"{"id":7,"error":"invalid type: integer `3`, expected a string at column 16"}"#,
    ),
    (
        r#"{"id":8,"expr":"x","points":[["a"]]}"#,
        r#"{"id":8,"error":"invalid type: string \"a\", expected a number at column 33"}"#,
    ),
    (
        r#"{"id":9,"expr":"d/dx log(x)","points":[[2],[-1]]}"#,
        r#"{"id":9,"value":[0.5,null],"grad":[[-0.25],[null]]}"#,
    ),
    (
        r#"{"id":10,"expr":"y","vars":["x"],"points":[[1]]}"#,
        r#"{"id":10,"error":"line 1, column 1: unknown variable `y` (help: the only variable is `x`)"}"#,
    ),
    (r#"{"id":11"#, r#"{"id":null,"error":"the line ends in the middle of a JSON value"}"#),
];

#[test]
fn eval_answers_json_lines_in_order() {
    let requests: Vec<&str> = EVAL_LINES.iter().map(|(request, _)| *request).collect();
    let answers: Vec<&str> = EVAL_LINES.iter().map(|(_, answer)| *answer).collect();
    let requests = requests.join("\n");
    for options in [&[][..], &["--mode", "forward"], &["--engine", "interpreter"], &["--simplify", "none"]] {
        let arguments = [&["eval", "--jsonl"], options].concat();
        check_with(&arguments, &requests, &answers.join("\n"));
    }
}

#[test]
fn json_lines_are_answered_one_at_a_time() {
    use std::io::{BufRead, BufReader};
    let mut child = program(&["eval", "--jsonl"]).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
    for id in 0..3 {
        writeln!(stdin, "{{\"id\":{id},\"expr\":\"x\",\"points\":[[7]]}}").expect("it reads on");
        let mut answer = String::new();
        stdout.read_line(&mut answer).expect("an answer");
        assert_eq!(answer, format!("{{\"id\":{id},\"value\":[7],\"grad\":[[1]]}}\n"));
    }
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

/// The table of `symdiff check` with rounding errors, which are the machine's, as `tiny`.
fn table(arguments: &[&str]) -> String {
    let masked = |cell: &str| match cell.parse::<f64>() {
        Ok(error) if cell != "0" && error.abs() < 1e-9 => "tiny".to_owned(),
        _ => cell.to_owned(),
    };
    let text = transcript(arguments, b"");
    let row =
        |line: &str| line.split("  ").filter(|cell| !cell.is_empty()).map(|c| masked(c.trim())).collect();
    let rows: Vec<Vec<String>> = text.lines().map(row).collect();
    rows.iter().map(|cells| cells.join(" | ").replace(" | 0 | ok", " | tiny | ok") + "\n").collect()
}

#[test]
fn check_compares_every_path() {
    let smooth = "\
partial | reverse | forward | interpreter | jit | differences | relative error | verdict
∂/∂x | 12 | 12 | 12 | 12 | 12 | tiny | ok
∂/∂y | 4 | 4 | 4 | 4 | 4 | tiny | ok
";
    assert_eq!(table(&["check", "x^2*y", "--at", "x=2,y=3"]), smooth);
    let vector = "\
partial | reverse | forward | interpreter | jit | differences | relative error | verdict
∂f1/∂x | 2 | 2 | 2 | 2 | 2 | tiny | ok
∂f1/∂y | 1 | 1 | 1 | 1 | 1 | tiny | ok
∂f2/∂x | 1 | 1 | 1 | 1 | 1 | tiny | ok
∂f2/∂y | 1 | 1 | 1 | 1 | 1 | tiny | ok
";
    assert_eq!(table(&["check", "[x*y, x + y]", "--at", "x=1,y=2"]), vector);
    let chosen = table(&["check", "x^2 + 3*y"]);
    assert!(chosen.starts_with("at x = 0.58, y = 1.76\npartial | "), "{chosen}");
    assert!(chosen.contains("\n∂/∂x | 1.16 | 1.16 | 1.16 | 1.16 | 1.16 | tiny | ok\n"), "{chosen}");
    let json = transcript(&["check", "3*x", "--at", "x=1", "--json"], b"");
    let start = r#"{"schema":1,"passed":true,"tolerance":1e-6,"points":[{"at":{"x":1},"value":[3],"partials":[{"name":"∂/∂x","reverse":3,"forward":3,"interpreter":3,"jit":3,"differences":"#;
    assert!(
        json.starts_with(start) && json.ends_with("\"verdict\":\"ok\",\"message\":\"ok\"}]}]}\n"),
        "{json}"
    );
    snapshot!("check_kink", ["check", "abs(x) + x^2", "--at", "x=0"]);
    snapshot!("check_undefined", ["check", "log(x)", "--at", "x=-1"]);
    check(
        &["check", "3"],
        "│ error: the expression has no variables, so there is nothing to check
│  |
│  = help: write an expression with a variable, such as x^2
exit 2",
    );
}

#[test]
fn check_raises_no_false_alarm() {
    let verdict = |expression: &str, at: &str, expect: &str| {
        let found = transcript(&["check", expression, "--at", at], b"");
        assert!(found.contains(expect) && !found.contains("exit"), "{expression} at {at}\n{found}");
    };
    verdict("abs(x)", "x=0", "kink: subgradient in [-1, 1]");
    verdict("relu(x)", "x=0", "kink: subgradient in [0, 1]");
    verdict("leaky_relu(x)", "x=0", "kink: subgradient in [0.01, 1]");
    verdict("max(x, y)", "x=1,y=1", "kink: subgradient in [0, 1]");
    verdict("floor(x)", "x=2", "jump from 1 to 2: no derivative");
    verdict("sign(x)", "x=0", "jump from -1 to 1: no derivative");
    verdict("sqrt(x)", "x=0", "ok, the tangent is vertical");
    verdict("x*sqrt(x)", "x=0", "ok from the right, the domain begins here");
    verdict("log(1 + exp(x))", "x=800", "ok");
    verdict("exp(x)", "x=-700", "ok");
    verdict("sin(100*x)", "x=1e4", "ok");
    verdict("sin(100*x)", "x=1e6", "unclear: the differences are only good to");
    verdict("sin(100*x)", "x=1e15", "unclear: the function is too rough for differences");
    verdict("log(x)", "x=1e-12", "ok");
    verdict("atan2(y, x)", "x=-1,y=0.5", "ok");
    verdict("gamma(x)", "x=4.5", "ok");
}

#[test]
fn gradient_descent_prints_its_path() {
    let g1 = ["minimize", "(w-3)^2", "--from", "w=0", "--lr", "0.1", "--steps", "20"];
    snapshot!("minimize_path", g1);
    // Where other commands say `--at`, a hand may say it here.
    let at = g1.map(|word| if word == "--from" { "--at" } else { word });
    assert_eq!(transcript(&at, b""), transcript(&g1, b"").replace("--from", "--at"));
    let printed = transcript(&g1, b"");
    for (step, expect) in [("5", "2.016960"), ("10", "2.677877"), ("15", "2.894447"), ("20", "2.965412")] {
        let row = printed.lines().find(|line| line.split_whitespace().next() == Some(step));
        let w: f64 = row.and_then(|row| row.split_whitespace().nth(1)?.parse().ok()).expect("a row");
        assert_eq!(format!("{w:.6}"), expect);
    }
    snapshot!("minimize_diverges", ["minimize", "(w-3)^2", "--from", "w=0", "--lr", "1.1", "--steps", "5"]);
    snapshot!(
        "minimize_every",
        ["minimize", "x^2+y^2", "--from", "x=1,y=2", "--lr", "0.1", "--steps", "7", "--every", "3"]
    );
    snapshot!(
        "minimize_path_json",
        ["minimize", "(w-3)^2", "--from", "w=0", "--lr", "0.25", "--steps", "2", "--json"]
    );
}

#[test]
fn without_a_learning_rate_nothing_needs_tuning() {
    check(
        &["minimize", "(w-3)^2", "--from", "w=0"],
        "w = 3\nvalue = 0\niterations = 2\nstatus = converged: gradient norm 0 after 2 iterations",
    );
    let g13 = ["minimize", "(p-20)*(500-4*p)", "--maximize", "--bounds", "20<=p<=100"];
    let found = transcript(&g13, b"");
    assert!(found.contains("p = 72.5\nvalue = 11025\n"), "{found}");
    assert!(found.contains("note: starting at p = 60; --from chooses another start"), "{found}");
    let found = transcript(&["minimize", "x^2 + (y-1)^2", "--bounds", "x>=2", "--json"], b"");
    assert!(found.starts_with(r#"{"schema":1,"x":{"x":2,"y":1},"value":4,"#), "{found}");
    let found = transcript(&["minimize", "x", "--from", "x=1"], b"");
    assert!(
        found.contains("status = unbounded\n│ error: unbounded below") && found.ends_with("exit 1\n"),
        "{found}"
    );
    snapshot!("minimize_unknown_variable", ["minimize", "x^2", "--from", "y=1"]);
    snapshot!("minimize_bad_bound", ["minimize", "x^2", "--bounds", "x<<1"]);
    snapshot!("minimize_crossed_bounds", ["minimize", "x^2", "--bounds", "1<=x<=0"]);
    snapshot!("minimize_bad_rate", ["minimize", "x^2", "--lr", "-1"]);
}

#[test]
fn minimize_answers_json_lines() {
    let requests = [
        r#"{"id":1,"expr":"(x-1)^2","vars":["x"],"start":[5]}"#,
        r#"{"id":"two","expr":"x","vars":["x"],"start":[1],"bounds":[[0,null]]}"#,
        r#"{"id":3,"expr":"4 - x^2","vars":["x"],"start":[1],"maximize":true}"#,
        r#"{"id":4,"expr":"x","vars":["x"],"start":[1,2]}"#,
        r#"{"id":5,"expr":"foo(x)","vars":["x"],"start":[1]}"#,
        r#"{"id":6,"expr":"x+y","vars":["x","y"],"start":[1,1],"bounds":[[0,1],null]}"#,
    ];
    snapshot!("minimize_jsonl", ["minimize", "--jsonl"], requests.join("\n"));
}

/// `(x0 - 0)^2 + (x1 - 1)^2 + …` and its variables.
fn squares(n: usize) -> (String, Vec<String>) {
    let terms: Vec<String> = (0..n).map(|i| format!("(x{i} - {})^2", i % 7)).collect();
    (terms.join(" + "), (0..n).map(|i| format!("x{i}")).collect())
}

#[test]
fn thousands_of_variables_are_minimised() {
    // A tenth of the contract, as tests are not compiled for speed.
    let (expression, names) = squares(1_000);
    let start = vec!["1"; names.len()].join(",");
    let vars = format!("\"{}\"", names.join("\",\""));
    let request = format!("{{\"id\":0,\"expr\":\"{expression}\",\"vars\":[{vars}],\"start\":[{start}]}}\n");
    let answer = transcript(&["minimize", "--jsonl"], request.as_bytes());
    assert!(answer.contains("\"status\":\"converged\""), "{}", &answer[answer.len().saturating_sub(300)..]);
}

#[test]
fn of_many_variables_the_first_are_printed() {
    let printed = transcript(&["minimize", "-"], squares(30).0.as_bytes());
    assert!(printed.contains("x19 = ") && !printed.contains("x20 = "), "{printed}");
    assert!(printed.contains("… and 10 more variables"), "{printed}");
}

#[test]
fn a_closed_pipe_is_quiet() {
    let mut child = program(&[]).spawn().expect("the program starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let writer = std::thread::spawn(move || drop(stdin.write_all("x^2\n".repeat(10_000).as_bytes())));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer never panics");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn widths_of_vectors_that_are_none_are_refused() {
    let run = |level: &str| {
        let mut command = program(&["eval", "x^2", "--at", "x=3"]);
        command.env("SYMDIFF_LEVEL", level).output().expect("the program runs")
    };
    let refused = run("wide");
    assert_eq!(refused.status.code(), Some(2));
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(text.contains("SYMDIFF_LEVEL is `wide`") && text.contains("512, 256 and 128"), "{text}");
    assert_eq!(run("256").stdout, b"9\n");
}
