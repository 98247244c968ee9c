//! `symdiff eval --data`: a table in, a table out.

use std::path::PathBuf;
use std::process::Command;
use symdiff::data::read_arrays;

/// A folder of its own for a test, with a table of x and y.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("symdiff-columns-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("table.csv"), "y,x\n2,3\n4,0.5\n-1,-2\n").expect("a table");
    folder
}

/// What a run in the folder prints, stderr behind bars.
fn shown(folder: &PathBuf, arguments: &[&str]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_symdiff"));
    let output = program.args(arguments).current_dir(folder).output().expect("the program starts");
    let mut text = String::from_utf8(output.stdout).expect("stdout is UTF-8");
    for line in String::from_utf8(output.stderr).expect("stderr is UTF-8").lines() {
        text.push_str(&format!("│ {}\n", line.trim_end()));
    }
    text
}

#[track_caller]
fn check(name: &str, arguments: &[&str], expect: &str) {
    let folder = folder(name);
    let found = shown(&folder, &[&["eval"], arguments].concat());
    let _ = std::fs::remove_dir_all(&folder);
    assert_eq!(found.trim_end(), expect.trim(), "\nsymdiff eval {arguments:?}\n{found}");
}

#[test]
fn every_row_of_a_table_has_its_value() {
    check("value", &["x^2*y", "--data", "table.csv"], "value\n18\n1\n-4");
    let gradient = "value,d_x,d_y\n18,12,9\n1,4,0.25\n-4,4,4";
    check("gradient", &["x^2*y", "--gradient", "--data", "table.csv"], gradient);
    let interpreted = ["x^2*y", "--gradient", "--data", "table.csv", "--engine", "interpreter"];
    check("interpreted", &interpreted, gradient);
    check("vector", &["[x, y + 1]", "--data", "table.csv"], "value_0,value_1\n3,3\n0.5,5\n-2,0");
}

#[test]
fn undefined_rows_have_no_derivative() {
    check(
        "undefined",
        &["log(x)", "--gradient", "--data", "table.csv"],
        &format!(
            "value,d_x\n1.0986122886681098,0.3333333333333333\n-0.6931471805599453,2\nNaN,NaN\n{}",
            warning("1:1", &["log(x)", "^^^^^^ here"])
        ),
    );
    let below = warning("1:6", &["d/dx log(x)", "     ^^^^^^ here"]);
    check(
        "below",
        &["d/dx log(x)", "--data", "table.csv"],
        &format!("value\n0.3333333333333333\n2\nNaN\n{below}"),
    );
    let summed = format!("value\nNaN\n{}", warning("1:1", &["log(x)", "^^^^^^ here"]));
    check("summed", &["log(x)", "--data", "table.csv", "--sum"], &summed);
}

/// What is said of the last row of the table, where x is -2.
fn warning(place: &str, [text, marks]: &[&str; 2]) -> String {
    format!(
        "│ warning: no finite result in 1 of 3 rows; the first is row 3: log of -2 is undefined
│  --> <expression>:{place}
│   |
│ 1 | {text}
│   | {marks}
│   |
│   = help: keep its argument above 0: exp or softplus of it, `max(x, 1e-12)`, or a parameter in bounds"
    )
}

#[test]
fn what_a_point_gives_is_the_same_in_all_rows() {
    let line = ["(y - a*x)^2", "--gradient", "--data", "table.csv", "--at", "a=2"];
    let columns = "value,d_y,d_a,d_x\n16,-8,24,16\n9,6,-3,-12\n9,6,12,-12";
    check("uniform", &line, columns);
    let sums = "value,d_y,d_a,d_x\n34,4,33,-8";
    check("sums", &[&line[..], &["--sum"]].concat(), sums);
    let interpreted = ["--engine", "interpreter"];
    check("uniform-interpreted", &[&line[..], &interpreted].concat(), columns);
    check("sums-interpreted", &[&line[..], &interpreted, &["--sum"]].concat(), sums);
    check(
        "array",
        &["v[0]*x + v[1]*y", "--data", "table.csv", "--at", "v=[1, 10]"],
        "value\n23\n40.5\n-12\n│ note: read `v` as a vector of 2 elements",
    );
}

#[test]
fn columns_are_written_as_csv_and_npy() {
    let folder = folder("files");
    let arguments = ["eval", "x*y", "--gradient", "--data", "table.csv", "--out"];
    for out in ["out.csv", "out.npy"] {
        assert_eq!(shown(&folder, &[&arguments[..], &[out]].concat()), "");
    }
    let csv = std::fs::read_to_string(folder.join("out.csv")).expect("written");
    assert_eq!(csv, "value,d_x,d_y\n6,2,3\n2,4,0.5\n2,-1,-2\n");
    let arrays = read_arrays(&folder.join("out.npy"), &symdiff::Limits::default()).expect("reads back");
    assert_eq!(arrays[0].shape, [3, 3]);
    assert_eq!(arrays[0].values, [6.0, 2.0, 3.0, 2.0, 4.0, 0.5, 2.0, -1.0, -2.0]);
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = folder("refused");
    let refused = |arguments: &[&str], words: &str| {
        let found = shown(&folder, &[&["eval"], arguments].concat());
        assert!(found.contains(words), "{found}");
    };
    refused(&["x*y", "--data", "table.csv", "--at", "z=1"], "no variable `z`, named in --at");
    refused(&["x", "--data", "table.csv", "--at", "x=1", "--sum"], "the table gives no variable its value");
    refused(&["x", "--sum"], "--data");
    refused(&["x", "--out", "out.csv"], "--data");
    refused(&["x*z", "--data", "table.csv"], "z");
    refused(&["x", "--data", "missing.csv"], "missing.csv");
    refused(&["x", "--data", "table.csv", "--out", "no/such/out.csv"], "its folder does not exist");
    let _ = std::fs::remove_dir_all(&folder);
}

const LINE: &str = "input x, y\nparam w = 0, b = 0\nloss = (w*x + b - y)^2\n\
                    data { x = [1, 2, 3], y = [2, 4, 6] }\ntrain { optimizer = gd(lr = 0.1), steps = 5 }\n";

#[test]
fn loops_and_steps_are_printed_as_assembly() {
    let folder = folder("emit");
    let text = |level: &str| shown(&folder, &["emit", "x*y", "--to", "asm", "--level", level]);
    let available = |level: &str| symdiff::VectorLevel::from_name(level).is_some_and(|l| l.is_available());
    if available("512") {
        assert!(text("512").contains("vmulpd zmm"), "{}", text("512"));
    }
    if available("256") {
        assert!(text("256").contains("vmulpd ymm"), "{}", text("256"));
    }
    let step = || shown(&folder, &["emit", "line.sd"]);
    std::fs::write(folder.join("line.sd"), LINE).expect("a program");
    match symdiff::VectorLevel::best() {
        symdiff::VectorLevel::L128 => assert!(step().contains("no assembly"), "{}", step()),
        _ => assert!(step().starts_with("# nests") && step().contains("vfmadd"), "{}", step()),
    }
    assert!(text("128").contains("no assembly for vectors of 128 bits"), "{}", text("128"));
    let _ = std::fs::remove_dir_all(&folder);
}
