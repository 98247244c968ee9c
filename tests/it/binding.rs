//! From tables to the inputs of a program: names, places, labels, missing values, scaling.

use crate::data::{columns, dataset, example, inputs, says};
use symdiff::Error;
use symdiff::data::{
    ColumnPick, Dataset, Encodings, Missing, Portions, Prepared, Random, Scaling, Source, TableOptions, Wish,
    Wishes, parse_table, prepare, prepare_like, read_dataset,
};
use symdiff::train::{Training, TrainingOptions};

fn bind(text: &str, names: &str, wishes: &Wishes) -> Result<Prepared, Error> {
    prepare(Some(&dataset(text)?), &inputs(names), wishes, &Portions::default())
}

/// Binding a table gives these numbers for the inputs, or an error that says all of these words.
#[track_caller]
pub fn check(text: &str, names: &str, wishes: &Wishes, expected: Result<&[&[f64]], &[&str]>) {
    match (bind(text, names, wishes), expected) {
        (Ok(prepared), Ok(expected)) => assert_eq!(prepared.examples.inputs, expected, "{text:?} as {names}"),
        (Err(error), Err(words)) => says(&error, words),
        (Ok(prepared), Err(words)) => panic!("{text:?} as {names} bound to {prepared:?}, expected {words:?}"),
        (Err(error), Ok(_)) => panic!("{text:?} as {names}: {error}"),
    }
}

#[test]
fn new_tables_need_only_the_inputs_asked_for() {
    let trained = bind("a,b,y\n1,2,3\n4,5,6\n", "x[2] y", &columns("x", vec![ColumnPick::Positions(0, 2)]));
    let encodings = trained.expect("it binds").encodings;
    let apply = |text: &str| {
        let data = dataset(text).expect("it reads");
        prepare_like(Some(&data), &inputs("x[2]"), &Wishes::default(), &encodings)
    };
    for text in ["b,a\n8,7\n", "7,8\n", "7,8,0\n", "q,b,a\n0,8,7\n"] {
        let prepared = apply(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(prepared.examples.inputs, [vec![7.0, 8.0]], "{text:?}");
    }
    says(&apply("a,B\n7,8\n").expect_err("b is missing"), &["no column named \"b\"", "is it \"B\"?"]);
}

#[test]
fn inputs_find_columns_by_name() {
    let none = Wishes::default();
    check("b,a\n1,2\n", "a b", &none, Ok(&[&[2.0], &[1.0]]));
    for header in ["x0,y,x1", "x_0,y,x_1", "x[0],y,x[1]", "x1,y,x2", "x.0,y,x.1"] {
        check(
            &format!("{header}\n1,2,3\n4,5,6\n"),
            "x[2] y",
            &none,
            Ok(&[&[1.0, 3.0, 4.0, 6.0], &[2.0, 5.0]]),
        );
    }
    // Numbers, not texts, are the order; axes of extent 1 need no number.
    check("p_1_0,p_0_1,p_0_0,p_1_1\n3,2,1,4\n", "p[1,2,2]", &none, Ok(&[&[1.0, 2.0, 3.0, 4.0]]));
    check(
        "x10,x9,x8,x7,x6,x5,x4,x3,x2,x1,x0\n10,9,8,7,6,5,4,3,2,1,0\n",
        "x[11]",
        &none,
        Ok(&[&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]]),
    );
}

#[test]
fn columns_left_over_are_taken_by_place_and_echoed() {
    let table = read_dataset(&example("iris.csv"), &TableOptions::default()).expect("it reads");
    let prepared = prepare(Some(&table), &inputs("x[4] target"), &Wishes::default(), &Portions::default())
        .expect("it binds");
    assert_eq!(prepared.examples.count, 150);
    assert_eq!(prepared.examples.inputs[0][..4], [5.1, 3.5, 1.4, 0.2]);
    let echo = ["`x[4]` is columns \"sepal_length_cm\" to \"petal_width_cm\" of iris.csv, by their place"];
    assert_eq!(prepared.echo, echo);
    assert_eq!(prepared.examples.place(149), "iris.csv, line 151");
}

#[test]
fn picks_are_names_globs_ranges_and_places() {
    use ColumnPick::*;
    let text = "id,px_a,px_b,py,t\n9,1,2,3,4\n";
    let own = |s: &str| s.to_owned();
    for (picks, expected) in [
        (vec![Glob(own("p?_*")), Name(own("id"))], [1.0, 2.0, 9.0]),
        (vec![Names(own("px_a"), own("py"))], [1.0, 2.0, 3.0]),
        (vec![Positions(1, 4)], [1.0, 2.0, 3.0]),
        (vec![Position(4), Position(0), Glob(own("py"))], [4.0, 9.0, 3.0]),
    ] {
        check(text, "x[3]", &columns("x", picks), Ok(&[&expected]));
    }
}

#[test]
fn bindings_that_do_not_fit_say_what_there_is() {
    use ColumnPick::*;
    let none = Wishes::default();
    let own = |s: &str| s.to_owned();
    check(
        "hieght,w\n1,2\n",
        "height w age",
        &none,
        Err(&["no column for input `height`", "is it \"hieght\"?"]),
    );
    check("a,b,c\n1,2,3\n", "x[2]", &none, Err(&["no column for input `x[2]`", "`a`, `b`, `c`"]));
    check("x0,x1,x2\n1,2,3\n", "x[2]", &none, Err(&["takes 2 columns, but 3", "`x0` to `x2`"]));
    check("x0,x2\n1,2\n", "x[2]", &none, Err(&["not numbered through"]));
    check("1,2,3\n", "x[2]", &none, Err(&["3 columns without names"]));
    let text = "ash,hue\n1,2\n";
    check(
        text,
        "x",
        &columns("x", vec![Name(own("ahs"))]),
        Err(&["no column named \"ahs\"", "is it \"ash\"?"]),
    );
    check(text, "x", &columns("x", vec![Glob(own("z*"))]), Err(&["no column that matches \"z*\"", "`ash`"]));
    check(text, "x", &columns("x", vec![Names(own("hue"), own("ash"))]), Err(&["stands after", "`ash:hue`"]));
    check(text, "x", &columns("x", vec![Positions(0, 3)]), Err(&["2 columns and no columns 0:3"]));
    check(
        text,
        "x[3]",
        &columns("x", vec![Glob(own("*"))]),
        Err(&["takes 3, but 2 columns are picked", "`ash`"]),
    );
    check("1,2\n", "x", &columns("x", vec![Name(own("ash"))]), Err(&["have no names", "by place"]));
    check(text, "x", &columns("q", vec![Position(0)]), Err(&["there is no input `q`"]));
    let error = prepare(None, &inputs("x[2]"), &none, &Portions::default()).expect_err("no data");
    says(&error, &["input `x[2]` has no data", "--data"]);
}

#[test]
fn what_cannot_be_standardised_or_split_is_said() {
    let scaled = Wishes { standardize: vec![("x".into(), None)], ..Wishes::default() };
    check("x\nred\nblue\n", "x", &scaled, Err(&["cannot be standardised", "labels"]));
    check("x\n1e308\n-1e308\n", "x", &scaled, Err(&["cannot be standardised", "too large"]));
    let data = dataset("x\n1\n2\n").expect("it reads");
    let portions = Portions { stratify: Some("kind".into()), ..Portions::default() };
    let error = prepare(Some(&data), &inputs("x"), &Wishes::default(), &portions).expect_err("no such input");
    says(&error, &["`kind`"]);
    for far in [ColumnPick::Position(usize::MAX), ColumnPick::Positions(usize::MAX, usize::MAX)] {
        check("x\n1\n", "x", &columns("x", vec![far]), Err(&["has 1 columns and no column"]));
    }
}

#[test]
fn damaged_encodings_never_panic() {
    let text = "a,b,kind\n1,2,red\n3,,blue\n5,6,red\n";
    let wishes =
        Wishes { standardize: vec![("x".into(), None)], missing: Missing::Mean, ..Wishes::default() };
    let data = dataset(text).expect("it reads");
    let prepared =
        prepare(Some(&data), &inputs("x[2] kind"), &wishes, &Portions::default()).expect("it binds");
    let sound = prepared.encodings.to_json();
    let seed = std::process::id();
    let mut random = Random::new(u64::from(seed), "encodings fuzz");
    for round in 0..2000 {
        let mut bytes = sound.clone().into_bytes();
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len() as u64) as usize;
            match random.below(3) {
                0 => bytes[at] = b"0123456789.-[]{},:\"ex"[random.below(21) as usize],
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"0123456789,"[random.below(11) as usize]),
            }
        }
        let Ok(encodings) = Encodings::from_json(&String::from_utf8_lossy(&bytes)) else { continue };
        if let Ok(applied) = prepare_like(Some(&data), &inputs("x[2] kind"), &wishes, &encodings) {
            let lengths: Vec<usize> = applied.examples.inputs.iter().map(Vec::len).collect();
            assert_eq!(lengths, [6, 3], "seed {seed}, round {round}");
        }
    }
}

#[test]
fn rows_may_stand_in_the_program() {
    let wish = |input: &str, values: &[f64]| Wish {
        input: input.to_owned(),
        source: Source::Rows(values.to_vec()),
        span: None,
    };
    let own = |y: &[f64]| Wishes {
        bindings: vec![wish("x", &[0.0, 0.0, 0.0, 1.0, 1.0, 0.0]), wish("y", y)],
        ..Wishes::default()
    };
    let run = |y: &[f64]| prepare(None, &inputs("x[2] y"), &own(y), &Portions::default());
    assert_eq!(run(&[0.0, 1.0, 1.0]).expect("it binds").examples.count, 3);
    says(&run(&[0.0]).expect_err("too few"), &["input `x[2]` has 3 examples, but `y` has 1"]);
    says(&run(&[0.0, f64::NAN, 1.0]).expect_err("not finite"), &["number 1 for input `y`"]);
}

#[test]
fn texts_become_classes_in_sorted_order() {
    let text = "size,kind\n1,red\n2,blue\n3,red\n4,green\n";
    let prepared = bind(text, "size kind", &Wishes::default()).expect("it binds");
    assert_eq!(prepared.examples.inputs[1], [2.0, 0.0, 2.0, 1.0]);
    assert_eq!(prepared.echo, ["the labels of `kind`: 0 = blue, 1 = green, 2 = red"]);
    let again = |text: &str| {
        let data = dataset(text).expect("it reads");
        prepare_like(Some(&data), &inputs("size kind"), &Wishes::default(), &prepared.encodings)
    };
    let same = again("kind,size\nred,7\n").expect("it binds");
    assert_eq!(same.examples.inputs, [vec![7.0], vec![2.0]]);
    let error = again("size,kind\n1,blue\n2,gren\n").expect_err("unseen");
    says(
        &error,
        &["t.csv, line 3, column \"kind\": label \"gren\" was not in the training data", "\"green\""],
    );
    says(&again("size,kind\n1,5\n").expect_err("a number"), &["label \"5\""]);
}

#[test]
fn scalings_are_of_the_training_rows_only_and_kept() {
    let text = "x,c,y\n1,7,0\n2,7,0\n3,7,1\n4,7,1\n100,9,1\n";
    let wishes = Wishes { standardize: vec![("x".into(), None), ("c".into(), None)], ..Wishes::default() };
    let data = dataset(text).expect("it reads");
    let portions = Portions { test: 0.2, seed: 3, ..Portions::default() };
    let prepared = prepare(Some(&data), &inputs("x c y"), &wishes, &portions).expect("it binds");
    let train: Vec<f64> =
        prepared.split.train.iter().map(|&i| [1.0, 2.0, 3.0, 4.0, 100.0][i as usize]).collect();
    let mean = train.iter().sum::<f64>() / 4.0;
    let scaling = prepared.encodings.get("x").and_then(|x| x.scaling.clone()).expect("it is scaled");
    assert_eq!(scaling.mean, [mean]);
    let deviation = (train.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4.0).sqrt();
    assert!((scaling.std[0] - deviation).abs() < 1e-12);
    let encodings = Encodings::from_json(&prepared.encodings.to_json()).expect("it reads back");
    assert_eq!(encodings, prepared.encodings);
    // Applied to the same rows again, and without the target, the numbers are the same.
    let again = prepare_like(Some(&data), &inputs("x c"), &Wishes::default(), &encodings).expect("it binds");
    assert_eq!(again.examples.inputs[..], prepared.examples.inputs[..2]);
}

#[test]
fn a_constant_column_is_centred_and_told() {
    let wishes = Wishes { standardize: vec![("x".into(), None)], ..Wishes::default() };
    let prepared = bind("x0,x1\n0.1,1\n0.1,3\n0.1,5\n", "x[2]", &wishes).expect("it binds");
    assert_eq!(prepared.echo, ["column `x0` of `x[2]` never varies and is not scaled"]);
    assert!(prepared.examples.inputs[0].iter().step_by(2).all(|x| x.abs() < 1e-16));
    let Scaling { std, .. } =
        prepared.encodings.get("x").and_then(|x| x.scaling.clone()).expect("it is scaled");
    assert_eq!(std[0], 1.0);
}

#[test]
fn missing_values_are_refused_dropped_or_filled() {
    let text = "a,b\n1,2\n?,3\n3,NA\n5,6\n";
    let wishes = |missing| Wishes { missing, ..Wishes::default() };
    check(
        text,
        "a b",
        &wishes(Missing::Refuse),
        Err(&["t.csv, line 3, column \"a\": the value is missing (\"?\")"]),
    );
    check(text, "b", &wishes(Missing::Refuse), Err(&["line 4, column \"b\"", "\"NA\"", "`missing = drop`"]));
    check(text, "a b", &wishes(Missing::Drop), Ok(&[&[1.0, 5.0], &[2.0, 6.0]]));
    check(text, "a b", &wishes(Missing::Mean), Ok(&[&[1.0, 3.0, 3.0, 5.0], &[2.0, 3.0, 11.0 / 3.0, 6.0]]));
    let dropped = bind(text, "a b", &wishes(Missing::Drop)).expect("it binds");
    assert_eq!(dropped.echo, ["2 of 4 rows lack a value and are left out"]);
    assert_eq!(
        (dropped.examples.rows.clone(), dropped.examples.place(1)),
        (vec![0, 3], "t.csv, line 5".to_owned())
    );
    check("a\n?\nNA\n", "a", &wishes(Missing::Drop), Err(&["every row lacks a value"]));
    // A column nobody takes may lack what it likes.
    check("a,b\n1,\n2,x\n", "a", &wishes(Missing::Refuse), Ok(&[&[1.0, 2.0]]));
}

#[test]
fn cells_that_are_no_numbers_are_refused() {
    let none = Wishes::default();
    check("a,b\n1,2\n3,inf\n", "a b", &none, Err(&["t.csv, line 3, column \"b\": the value is infinite"]));
    check("a,b\n1,2\n1e400,3\n", "a b", &none, Err(&["line 3, column \"a\"", "infinite"]));
    check(
        "a,b\n1,2\n3,four\n",
        "a b",
        &none,
        Err(&["t.csv, line 3, column \"b\": \"four\" is not a number"]),
    );
    check("a;b\n1;2,5\n", "a b", &none, Ok(&[&[1.0], &[0.0]])); // a column of texts only is a label
    check("a;b\n1;2,5\n1;3\n", "a b", &none, Err(&["\"2,5\" is not a number", "decimal sign"]));
    check(
        "age,x\n1,2\nage,x\n3,4\n",
        "age x",
        &none,
        Err(&["line 3, column \"age\": \"age\" is not a number"]),
    );
    check("x0,x1\n1,red\n", "x[2]", &none, Err(&["line 2, column \"x1\": \"red\" is not a number"]));
    check("1 2\n3 4\n5\n", "x", &none, Err(&["line 2, column \"1 2\"", "not by blanks"]));
    let options = TableOptions { header: Some(false), ..TableOptions::default() };
    let table = parse_table("t.csv", b"x\n1\n", &options).expect("it reads");
    let data = Dataset::Table(table);
    let error =
        prepare(Some(&data), &inputs("x"), &none, &Portions::default()).expect_err("a header as data");
    says(&error, &["t.csv, line 1, column 0", "\"x\" is not a number", "header = true"]);
}

/// Training on `x` and `k` columns of three rows is refused with these words, or not at all.
#[track_caller]
fn trains(program: &str, labels: [&str; 3], words: Option<&[&str]>) {
    let rows: Vec<String> = labels.iter().map(|label| format!("1,{label}\n")).collect();
    let prepared = bind(&format!("x,k\n{}", rows.concat()), "x k", &Wishes::default()).expect("it binds");
    let program = format!("input x, k\nparam W[3] ~ normal(0, 1)\n{program}\ntrain {{ steps = 1 }}");
    match (Training::new(&program, prepared, &TrainingOptions::default()), words) {
        (Ok(_), None) => {}
        (Err(error), Some(words)) => says(&error, words),
        (Ok(_), Some(words)) => panic!("{program}\n{labels:?} trained, expected {words:?}"),
        (Err(error), None) => panic!("{program}\n{labels:?}: {error}"),
    }
}

#[test]
fn labels_out_of_range_are_refused_by_row() {
    let loss = "loss = cross_entropy(x*W, k)";
    trains(loss, ["0", "1", "2"], None);
    trains(loss, ["0", "7", "2"], Some(&["t.csv, line 3: 7 for input `k`", "0 to 2", "room for 8 classes"]));
    trains(loss, ["1", "2", "3"], Some(&["line 4: 3 for input `k`", "subtract 1"]));
    trains(loss, ["-1", "1", "0"], Some(&["line 2: -1 for input `k`", "count from 0"]));
    trains(loss, ["0", "1", "0.5"], Some(&["line 4: 0.5 for input `k`", "whole numbers"]));
    // Shifted in the program, or no class at all.
    trains("loss = cross_entropy(x*W, k - 1)", ["1", "2", "3"], None);
    trains("loss = mse(x*sum(W), k)", ["0", "7", "2.5"], None);
}
