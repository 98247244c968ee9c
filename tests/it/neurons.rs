//! The examples of single neurons and small problems, run from the shell against numbers worked
//! out independently (NumPy and mpmath).

use crate::cli::transcript;

/// All numbers in a text, in order.
fn numbers(text: &str) -> Vec<f64> {
    let is_part = |c: char| c.is_ascii_digit() || "+-.e".contains(c);
    text.split(|c: char| !is_part(c)).filter_map(|word| word.parse().ok()).collect()
}

/// The numbers after the equals sign of the line that begins with `name = `, or of the whole text.
fn answer(found: &str, name: &str) -> Vec<f64> {
    let mut lines = found.lines().filter(|line| !line.starts_with('│'));
    match name {
        "" => numbers(lines.next().unwrap_or_default()),
        name => {
            let start = format!("{name} = ");
            numbers(lines.find_map(|line| line.strip_prefix(&start)).unwrap_or_default())
        }
    }
}

#[track_caller]
fn check(arguments: &[&str], expect: &[(&str, &[f64])]) {
    let found = transcript(arguments, b"");
    for (name, expected) in expect {
        let actual = answer(&found, name);
        assert_eq!(actual.len(), expected.len(), "{name}: {found}");
        for (a, b) in actual.iter().zip(*expected) {
            assert!((a - b).abs() <= 1e-6 * b.abs().max(0.01), "{name}: {a}, not {b}\n{found}");
        }
    }
}

/// Row `step` of the path of a descent.
#[track_caller]
fn check_step(arguments: &[&str], step: usize, expect: &[f64]) {
    let found = transcript(arguments, b"");
    let row = found.lines().map(numbers).find(|row| row.first() == Some(&(step as f64)));
    let row = row.unwrap_or_else(|| panic!("no step {step}\n{found}"));
    for (a, b) in row[1..].iter().zip(expect) {
        assert!((a - b).abs() <= 1e-6 * b.abs().max(1e-9), "step {step}: {row:?}, not {expect:?}");
    }
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/neurons/");

fn neuron(name: &str) -> String {
    format!("{FOLDER}{name}.sd")
}

#[test]
fn n1_one_weight() {
    let file = neuron("n1");
    check(&["eval", &file, "--at", "x=2,y=5"], &[("loss", &[1.0])]);
    check(&[&file, "--at", "x=2,y=5"], &[("", &[4.0])]);
    // The difference quotient over 0.001.
    let shifted = transcript(&["eval", &file, "--at", "x=2,y=5,w=3.001"], b"");
    assert!(((answer(&shifted, "loss")[0] - 1.0) / 0.001 - 4.004).abs() < 1e-9, "{shifted}");
}

#[test]
fn n2_two_weights_descend() {
    let file = neuron("n2");
    check(
        &["eval", &file, "--gradient"],
        &[("prediction", &[8.0]), ("loss", &[9.0]), ("∂/∂w", &[12.0, 18.0])],
    );
    let descend = ["minimize", &file, "--lr", "0.05", "--steps", "7"];
    check_step(&descend, 1, &[0.4, 1.1, 0.81]);
    check_step(&descend, 2, &[0.58, 1.37, 0.0729]);
    check_step(&descend, 3, &[0.526, 1.289, 0.006561]);
    check_step(&descend, 7, &[0.5383606, 1.3075409, 4.3046721e-7]);
    check(&[&file, "--at", "w=[0.4,1.1]"], &[("", &[-3.6, -5.4])]);
}

#[test]
fn n3_too_high_rates() {
    let file = neuron("n3");
    check(
        &["eval", &file, "--gradient"],
        &[("prediction", &[5.5]), ("loss", &[0.25]), ("∂/∂w", &[-3.0, -4.0])],
    );
    check_step(&["minimize", &file, "--lr", "0.1", "--steps", "1"], 1, &[0.8, 1.4, 4.0]);
    check_step(&["minimize", &file, "--lr", "2", "--steps", "1"], 1, &[6.5, 9.0, 2450.25]);
}

#[test]
fn n4_three_inputs() {
    let file = neuron("n4");
    check(&["eval", &file, "--at", "x=[1,2,3],y=1"], &[("loss", &[0.03327907])]);
    check(
        &[&file, "--wrt", "W,b,x", "--at", "x=[1,2,3],y=1"],
        &[
            ("∂/∂W", &[-0.05441624, -0.10883248, -0.16324872]),
            ("∂/∂b", &[-0.05441624]),
            ("∂/∂x", &[-0.01632487, 0.01088325, -0.02720812]),
        ],
    );
}

#[test]
fn n5_every_node_has_a_value_and_a_cotangent() {
    let file = neuron("n5");
    check(&["eval", &file, "--at", "x=2,y=1"], &[("s", &[0.75026011]), ("loss", &[0.06237001])]);
    let cotangents = [&file, "--wrt", "w,b,u,z,s,e", "--at", "x=2,y=1"];
    let e = 2.0 * (0.7502601055951176 - 1.0);
    let expect: [(&str, &[f64]); 5] = [
        ("∂/∂w", &[-0.18717494]),
        ("∂/∂b", &[-0.09358747]),
        ("∂/∂u", &[-0.09358747]),
        ("∂/∂s", &[e]),
        ("∂/∂e", &[e]),
    ];
    check(&cotangents, &expect);
    let symbols = transcript(&[&file], b"");
    assert_eq!(symbols, "∂/∂w = 2*x*s*(1 - s)*e\n∂/∂b = 2*s*(1 - s)*e\n");
}

#[test]
fn n6_a_scalar_graph_through_tanh() {
    let file = neuron("n6");
    check(&["eval", &file, "--at", "x1=2,x2=0"], &[("n", &[0.8813735870195432]), ("o", &[0.5f64.sqrt()])]);
    let expect: [(&str, &[f64]); 7] = [
        ("∂/∂x1", &[-1.5]),
        ("∂/∂w1", &[1.0]),
        ("∂/∂x2", &[0.5]),
        ("∂/∂w2", &[0.0]),
        ("∂/∂x1w1", &[0.5]),
        ("∂/∂both", &[0.5]),
        ("∂/∂n", &[0.5]),
    ];
    for mode in ["reverse", "forward"] {
        let wrt = "x1,w1,x2,w2,x1w1,both,n";
        check(&[&file, "--wrt", wrt, "--at", "x1=2,x2=0", "--mode", mode], &expect);
    }
}

#[test]
fn n7_two_layers_as_matrices() {
    let file = neuron("n7");
    let symbols = "∂/∂W1 = outer(if(h > 0, W2' @ (p - y), 0), x)
∂/∂b1 = if(h > 0, W2' @ (p - y), 0)
∂/∂W2 = outer(p - y, h)
∂/∂b2 = p - y
";
    assert_eq!(transcript(&[&file], b""), symbols);
    let checked = transcript(&["check", &file], b"");
    assert!(!checked.contains("FAILED") && !checked.contains("exit"), "{checked}");
}

const PROBLEMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/problems/");

#[test]
fn problems_without_data_are_solved() {
    let solve = |name: &str, expect: &[(&str, &[f64])]| {
        check(&["minimize", &format!("{PROBLEMS}{name}.sd")], expect);
        check(&["minimize", &format!("{PROBLEMS}{name}.sd"), "--engine", "interpreter"], expect);
    };
    solve("price", &[("price", &[72.5]), ("value", &[11025.0])]);
    // By mpmath with 30 digits.
    let optimum: [(&str, &[f64]); 3] =
        [("price", &[80.506673446]), ("spent", &[604.066734461]), ("value", &[14040.163391568])];
    solve("advertising", &optimum);
    solve("least_squares", &[("w[0]", &[1.8276703]), ("w[1]", &[0.4370274])]);
    solve("projection", &[("x[0]", &[1.0]), ("x[1]", &[0.25]), ("x[2]", &[0.0]), ("value", &[10.0])]);
}
