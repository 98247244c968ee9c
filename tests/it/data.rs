//! Data: tables, arrays, binding to inputs, splits, batches, random numbers.

use std::fs;
use std::path::{Path, PathBuf};

use symdiff::data::{
    Batches, Column, ColumnPick, Dataset, Encodings, Initial, InputShape, Missing, Portions, Prepared,
    Random, RunLog, Scaling, Source, TableOptions, Wish, Wishes, initialise, parse_table, prepare,
    prepare_like, read_arrays, read_dataset, read_table, split, split_by_class,
};
use symdiff::{Error, Limits};

/// A folder of one test, removed at its end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("symdiff-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("a temporary file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name)
}

fn dataset(text: &str) -> Result<Dataset, Error> {
    parse_table("t.csv", text.as_bytes(), &TableOptions::default()).map(Dataset::Table)
}

/// `x[4] y` as inputs.
fn inputs(text: &str) -> Vec<InputShape> {
    let input = |word: &str| match word.split_once('[') {
        None => InputShape::new(word, &[]),
        Some((name, extents)) => {
            let extents: Vec<usize> =
                extents.trim_end_matches(']').split(',').map(|n| n.parse().expect("an extent")).collect();
            InputShape::new(name, &extents)
        }
    };
    text.split_whitespace().map(input).collect()
}

fn bind(text: &str, names: &str, wishes: &Wishes) -> Result<Prepared, Error> {
    prepare(Some(&dataset(text)?), &inputs(names), wishes, &Portions::default())
}

fn columns(input: &str, picks: Vec<ColumnPick>) -> Wishes {
    let wish = Wish { input: input.to_owned(), source: Source::Columns(picks), span: None };
    Wishes { bindings: vec![wish], ..Wishes::default() }
}

/// Binding a table gives these numbers for the inputs, or an error that says all of these words.
#[track_caller]
fn check(text: &str, names: &str, wishes: &Wishes, expected: Result<&[&[f64]], &[&str]>) {
    match (bind(text, names, wishes), expected) {
        (Ok(prepared), Ok(expected)) => assert_eq!(prepared.examples.inputs, expected, "{text:?} as {names}"),
        (Err(error), Err(words)) => says(&error, words),
        (Ok(prepared), Err(words)) => panic!("{text:?} as {names} bound to {prepared:?}, expected {words:?}"),
        (Err(error), Ok(_)) => panic!("{text:?} as {names}: {error}"),
    }
}

#[track_caller]
pub fn says(error: &Error, words: &[&str]) {
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "{message:?} does not say {word:?}");
    }
}

#[track_caller]
fn refused(text: &[u8], words: &[&str]) {
    match parse_table("t.csv", text, &TableOptions::default()) {
        Ok(table) => panic!("{:?} was read as {table:?}", String::from_utf8_lossy(text)),
        Err(error) => {
            assert!(error.is_data(), "{error}");
            says(&error, words);
        }
    }
}

#[test]
fn the_example_tables_are_read() {
    for (file, rows, width) in [
        ("iris.csv", 150, 5),
        ("wine.csv", 178, 14),
        ("breast_cancer.csv", 569, 31),
        ("digits.csv", 1797, 65),
        ("diabetes.csv", 442, 11),
    ] {
        let table = read_table(&example(file), &TableOptions::default()).expect("it reads");
        assert_eq!((table.rows(), table.columns().len()), (rows, width), "{file}");
        assert!(table.has_header() && table.column("target").is_some(), "{file}");
    }
}

#[test]
fn delimiters_headers_and_line_ends_are_found() {
    let none = Wishes::default();
    let expected: &[&[f64]] = &[&[1.5, 3.0], &[-2.0, 4e2]];
    for text in [
        "a,b\n1.5,-2\n3,4e2\n",
        "a;b\r\n1.5;-2\r\n3;4e2",
        "\u{feff}a\tb\n1.5\t-2\n\n3\t4e2\n  \n",
        "\"a\",\"b\"\n\"1.5\",-2\n 3 , 4e2 \n",
        "a,b\r1.5,-2\r3,4e2\r",
    ] {
        check(text, "a b", &none, Ok(expected));
    }
    // Without a header the columns are taken by place.
    check("1.5,-2\n3,4e2\n", "a b", &none, Ok(expected));
    // A header of numbers must be announced.
    let options = TableOptions { header: Some(true), ..TableOptions::default() };
    let table = parse_table("t.csv", b"2019,2020\n1,2\n", &options).expect("it reads");
    assert_eq!((table.names()[1].as_str(), table.rows()), ("2020", 1));
}

#[test]
fn a_tab_separated_file_is_told_by_its_name() {
    let folder = Folder::new("tsv");
    let path = folder.file("t.tsv", b"a;b\n1\n2\n");
    assert_eq!(read_table(&path, &TableOptions::default()).expect("it reads").names(), ["a;b"]);
}

#[test]
fn unusable_files_are_refused_by_place_and_text() {
    refused(b"", &["t.csv is empty"]);
    refused(b"\n\r\n  \n", &["t.csv is empty"]);
    refused(b"a,b\n", &["t.csv has a header and no rows", "\"a\""]);
    refused(b"a,b\n1,2\n\n3\n", &["t.csv, line 4: 1 cell, but the header has 2", "help"]);
    refused(b"1,2\n3,4,5\n", &["t.csv, line 2: 3 cells, but the first row has 2"]);
    refused(b"a,b\n1,\"2\n3,4\n5,6\n", &["t.csv, line 2: a quotation mark", "never closed"]);
    refused(b"a,b,a\n1,2,3\n", &["two columns are named \"a\", numbers 1 and 3"]);
    refused(b"a,b\n1,\xff\n", &["t.csv, line 2: byte 0xFF is not UTF-8"]);
    refused(b"a,b\n1,\x00\n", &["t.csv, line 2: a zero byte"]);
    refused(b"PK\x03\x04aaaaaa", &["a ZIP archive", "CSV"]);
    refused(b"\x1f\x8b\x08aaaaaa", &["gzip", "unpack"]);
    refused(b"\xff\xfea\0", &["UTF-16", "UTF-8"]);
}

#[test]
fn a_missing_file_or_a_folder_is_unreadable() {
    for path in [Path::new("/no/such/file.csv"), &std::env::temp_dir()] {
        let error = read_table(path, &TableOptions::default()).expect_err("there is none");
        assert!(error.is_unreadable(), "{error}");
        says(&error, &["cannot read"]);
    }
}

#[test]
fn tables_beyond_the_budgets_are_refused() {
    let few = |limits| TableOptions { limits, ..TableOptions::default() };
    let cells = few(Limits { table_cells: 4, ..Limits::default() });
    let error = parse_table("t.csv", b"1,2\n3,4\n5,6\n", &cells).expect_err("six cells");
    assert!(error.is_limit());
    says(&error, &["line 3", "more than 4 cells"]);
    let folder = Folder::new("budget");
    let path = folder.file("t.csv", b"1,2\n3,4\n5,6\n");
    let error =
        read_table(&path, &few(Limits { table_bytes: 8, ..Limits::default() })).expect_err("12 bytes");
    assert!(error.is_limit());
}

#[test]
fn a_million_rows_are_read() {
    let text: String = (0..1_000_000).map(|i| format!("{i},{}\n", i % 7)).collect();
    let table = parse_table("t.csv", text.as_bytes(), &TableOptions::default()).expect("it reads");
    assert_eq!(table.rows(), 1_000_000);
    assert_eq!(table.place(999_999), "t.csv, line 1000000");
    assert!(matches!(&table.columns()[1], Column::Numbers(n) if n[999_999] == f64::from(999_999 % 7)));
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
    let options = TableOptions { header: Some(false), ..TableOptions::default() };
    let table = parse_table("t.csv", b"x\n1\n", &options).expect("it reads");
    let data = Dataset::Table(table);
    let error =
        prepare(Some(&data), &inputs("x"), &none, &Portions::default()).expect_err("a header as data");
    says(&error, &["t.csv, line 1, column 0", "\"x\" is not a number", "header = true"]);
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
fn tables_are_never_read_wrongly_nor_panicked_over() {
    let seed = std::process::id();
    let mut random = Random::new(u64::from(seed), "table fuzz");
    let original = b"\xef\xbb\xbfa,\"b c\",d\n1,2.5,x\n?,4,\"y\"\"z\"\r\n7,8,w\n".to_vec();
    for round in 0..2000 {
        let mut bytes = original.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len() as u64) as usize;
            match random.below(4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = random.bits() as u8,
                2 => bytes[at] = b"\",;\n\r\t"[random.below(6) as usize],
                _ => bytes.insert(at, b"\",;\n\r\t"[random.below(6) as usize]),
            }
        }
        if let Ok(table) = parse_table("t.csv", &bytes, &TableOptions::default()) {
            let width = table.columns().len();
            let sound =
                table.columns().iter().all(|c| c.len() == table.rows()) && width == table.names().len();
            assert!(sound, "seed {seed}, round {round}: {:?}", String::from_utf8_lossy(&bytes));
        }
    }
}

mod arrays {
    //! NPY and NPZ.

    use super::*;
    use npyz::WriterBuilder;
    use std::io::Write;

    fn npy<T: npyz::AutoSerialize + Copy>(shape: &[u64], order: npyz::Order, values: &[T]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = npyz::WriteOptions::new()
            .default_dtype()
            .shape(shape)
            .order(order)
            .writer(&mut bytes)
            .begin_nd()
            .expect("a header");
        writer.extend(values.iter().copied()).expect("numbers");
        writer.finish().expect("an end");
        bytes
    }

    fn npz(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("an entry");
            writer.write_all(bytes).expect("bytes");
        }
        writer.finish().expect("an archive").into_inner()
    }

    fn hand_made(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[track_caller]
    fn refused(bytes: &[u8], words: &[&str]) {
        let folder = Folder::new(&format!("npy-{}", words[0].len()));
        let path = folder.file("x.npy", bytes);
        let error = read_arrays(&path, &Limits::default()).expect_err("it is refused");
        assert!(error.is_data() || error.is_limit(), "{error}");
        says(&error, words);
    }

    #[test]
    fn numbers_of_every_kind_are_read() {
        let folder = Folder::new("npy");
        let read = |bytes: &[u8]| {
            let arrays = read_arrays(&folder.file("x.npy", bytes), &Limits::default()).expect("it reads");
            (arrays[0].shape.clone(), arrays[0].values.clone())
        };
        let expected = (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let c = npyz::Order::C;
        assert_eq!(read(&npy(&[2, 3], c, &[1.0f64, 2.0, 3.0, 4.0, 5.0, 6.0])), expected);
        assert_eq!(read(&npy(&[2, 3], c, &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0])), expected);
        assert_eq!(read(&npy(&[2, 3], c, &[1i16, 2, 3, 4, 5, 6])), expected);
        assert_eq!(read(&npy(&[2, 3], c, &[1u8, 2, 3, 4, 5, 6])), expected);
        assert_eq!(read(&npy(&[2, 3], npyz::Order::Fortran, &[1i64, 4, 2, 5, 3, 6])), expected);
        assert_eq!(read(&npy(&[3], c, &[true, false, true])).1, [1.0, 0.0, 1.0]);
        assert_eq!(read(&npy(&[2], c, &[-1i8, 127])).1, [-1.0, 127.0]);
        assert_eq!(read(&npy(&[1], c, &[i64::MIN])).1, [i64::MIN as f64]);
        let header = "{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }";
        assert_eq!(read(&hand_made(header, &1.5f64.to_be_bytes())).1, [1.5]);
        let header = "{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }";
        assert_eq!(read(&hand_made(header, &(-7i32).to_be_bytes())).1, [-7.0]);
    }

    #[test]
    fn lying_headers_are_refused_before_anything_is_allocated() {
        let shape = |shape: &str| format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        refused(b"", &["not an NPY array"]);
        refused(b"\x93NUMPY", &["cut short"]);
        refused(b"\x93NUMPY\x09\x00\x10\x00", &["version 9"]);
        refused(b"\x93NUMPY\x02\x00\xff\xff\xff\xff", &["claims 4294967295 bytes"]);
        refused(b"\x93NUMPY\x01\x00\xff\xff{'descr'", &["cut short"]);
        refused(&hand_made(&shape("(1000000000, 1000000000)"), &[]), &["more than 100000000 numbers"]);
        refused(&hand_made(&shape("(18446744073709551615, 2)"), &[]), &["more than 100000000 numbers"]);
        refused(&hand_made(&shape("(99999999999999999999999,)"), &[]), &["not understood"]);
        refused(
            &hand_made(&shape("(1000,)"), &[0; 8]),
            &["8000 bytes of numbers, but there are 8", "[1000]"],
        );
        refused(&hand_made(&shape("(1,)"), &[0; 9]), &["8 bytes of numbers, but there are 9"]);
        refused(&hand_made(&shape(&"(".repeat(60_000)), &[]), &["not understood"]);
        let object = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }";
        refused(&hand_made(object, &[0; 8]), &["Python objects", "astype(float)"]);
        let text = "{'descr': '<U5', 'fortran_order': False, 'shape': (1,), }";
        refused(&hand_made(text, &[0; 20]), &["texts"]);
    }

    #[test]
    fn archives_bind_by_name_with_their_shapes() {
        let folder = Folder::new("npz");
        let c = npyz::Order::C;
        let x = npy(&[2, 2, 2], c, &[1.0f64, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let y = npy(&[2], c, &[0i64, 1]);
        let path = folder.file("d.npz", &npz(&[("x.npy", &x), ("labels.npy", &y), ("note.txt", b"hi")]));
        let data = read_dataset(&path, &TableOptions::default()).expect("it reads");
        let label = columns("y", vec![ColumnPick::Name("labels".into())]);
        let run =
            |names: &str, wishes: &Wishes| prepare(Some(&data), &inputs(names), wishes, &Portions::default());
        for names in ["x[2,2] y", "x[4] y", "x[1,4] y"] {
            let bound = run(names, &label);
            if names == "x[4] y" {
                says(&bound.expect_err("another shape"), &["array `x` has shape [2, 2, 2]", "[examples, 4]"]);
            } else if names == "x[2,2] y" {
                let prepared = bound.expect("it binds");
                assert_eq!((prepared.examples.count, &prepared.examples.inputs[1][..]), (2, &[0.0, 1.0][..]));
            }
        }
        says(
            &run("x[2,2] label", &Wishes::default()).expect_err("no such"),
            &["no array named \"label\"", "\"labels\""],
        );
        let three = npy(&[3], c, &[0i64, 1, 1]);
        let path = folder.file("e.npz", &npz(&[("x.npy", &x), ("y.npy", &three)]));
        let data = read_dataset(&path, &TableOptions::default()).expect("it reads");
        let error = prepare(Some(&data), &inputs("x[2,2] y"), &Wishes::default(), &Portions::default());
        says(&error.expect_err("counts differ"), &["`x[2,2]` has 2 examples, but `y` has 3"]);
    }

    #[test]
    fn an_array_of_two_axes_is_a_table() {
        let folder = Folder::new("matrix");
        let path = folder.file("m.npy", &npy(&[2, 3], npyz::Order::C, &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]));
        let data = read_dataset(&path, &TableOptions::default()).expect("it reads");
        let prepared = prepare(Some(&data), &inputs("x[2] y"), &Wishes::default(), &Portions::default());
        let prepared = prepared.expect("it binds");
        assert_eq!(prepared.examples.inputs, [vec![1.0, 2.0, 4.0, 5.0], vec![3.0, 6.0]]);
        assert_eq!(prepared.echo.len(), 2, "{:?}", prepared.echo);
        assert_eq!(prepared.examples.place(1), "m.npy, row 1");
    }

    #[test]
    fn a_bomb_is_refused_at_the_budget() {
        let folder = Folder::new("bomb");
        let zeros = npy(&[1 << 20], npyz::Order::C, &vec![0.0f64; 1 << 20]);
        let bytes = npz(&[("a.npy", &zeros), ("b.npy", &zeros)]);
        assert!(bytes.len() < 100_000, "it is a bomb: {} bytes", bytes.len());
        let path = folder.file("bomb.npz", &bytes);
        let limits = Limits { table_bytes: 1 << 20, ..Limits::default() };
        let error = read_arrays(&path, &limits).expect_err("it is refused");
        assert!(error.is_limit());
        says(&error, &["unpacks to more than the 1048576 bytes"]);
    }

    #[test]
    fn damaged_archives_and_arrays_never_panic() {
        let seed = std::process::id();
        let mut random = Random::new(u64::from(seed), "npz fuzz");
        let x = npy(&[2, 2], npyz::Order::C, &[1.0f64, 2.0, 3.0, 4.0]);
        let folder = Folder::new("npz-fuzz");
        for original in [npz(&[("x.npy", &x), ("y.npy", &x)]), x] {
            for _ in 0..1000 {
                let mut bytes = original.clone();
                for _ in 0..1 + random.below(3) {
                    let at = random.below(bytes.len() as u64) as usize;
                    if random.below(5) == 0 {
                        bytes.truncate(at.max(1));
                    } else {
                        bytes[at] = random.bits() as u8;
                    }
                }
                let path = folder.file("x.npz", &bytes);
                let Ok(arrays) = read_arrays(&path, &Limits::default()) else { continue };
                let sound = |a: &symdiff::data::Array| a.shape.iter().product::<usize>() == a.values.len();
                assert!(arrays.iter().all(sound), "seed {seed}");
            }
        }
    }
}

mod randomness {
    //! Random numbers, first values, splits and batches.

    use super::*;

    #[test]
    fn the_first_numbers_stay_what_they_are() {
        let mut random = Random::new(0, "W1");
        let bits: Vec<u64> = (0..2).map(|_| random.bits()).collect();
        let uniform = random.uniform();
        let normals = [random.normal(), random.normal()];
        insta::assert_snapshot!(format!("{bits:x?} {uniform:?} {normals:?}"), @"[4abbe1ca4705a75d, a4dca052ae709b6a] 0.7576307708202435 [-1.0254930644267068, -1.0298312332566746]");
    }

    #[test]
    fn normal_numbers_are_normal() {
        let mut random = Random::new(1, "test");
        let z: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
        let moment = |k: i32| z.iter().map(|z| z.powi(k)).sum::<f64>() / z.len() as f64;
        assert!(moment(1).abs() < 0.01 && (moment(2) - 1.0).abs() < 0.02, "{} {}", moment(1), moment(2));
        assert!(moment(3).abs() < 0.05 && (moment(4) - 3.0).abs() < 0.15, "{} {}", moment(3), moment(4));
    }

    #[test]
    fn first_values_have_their_fans() {
        let draw = |initial: Initial, shape: &[usize]| {
            initialise(&initial, shape, &mut Random::new(2, "init")).expect("it initialises")
        };
        let deviation =
            |values: &[f64]| (values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64).sqrt();
        let he = deviation(&draw(Initial::He, &[64, 8, 3, 3]));
        assert!((he - (2.0f64 / 72.0).sqrt()).abs() < 0.01, "{he}");
        let glorot = draw(Initial::Glorot, &[64, 8, 3, 3]);
        let bound = (6.0f64 / (72.0 + 64.0 * 9.0)).sqrt();
        let largest = glorot.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        assert!(largest <= bound && largest > 0.99 * bound);
        assert_eq!(draw(Initial::Constant(0.5), &[2, 2]), [0.5; 4]);
        assert_eq!(draw(Initial::List(vec![1.0, 2.0]), &[2]), [1.0, 2.0]);
        let error =
            initialise(&Initial::List(vec![1.0]), &[2], &mut Random::new(0, "")).expect_err("too short");
        says(&error, &["1 first values", "[2]"]);
        assert!(initialise(&Initial::Orthogonal, &[2], &mut Random::new(0, "")).is_err());
    }

    #[test]
    fn orthogonal_matrices_are_orthogonal() {
        for (rows, columns) in [(5, 5), (7, 3), (3, 7), (1, 4), (4, 1)] {
            let q = initialise(&Initial::Orthogonal, &[rows, columns], &mut Random::new(4, "q"))
                .expect("a matrix");
            let wide = rows.min(columns);
            let entry =
                |i: usize, k: usize| if rows >= columns { q[k * columns + i] } else { q[i * columns + k] };
            for i in 0..wide {
                for j in 0..wide {
                    let dot: f64 = (0..rows.max(columns)).map(|k| entry(i, k) * entry(j, k)).sum();
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((dot - expected).abs() < 1e-14, "{rows}×{columns}: {i}, {j}: {dot}");
                }
            }
        }
    }

    #[test]
    fn splits_cover_every_row_once() {
        for (n, validation, test) in [(10, 0.1, 0.2), (150, 0.15, 0.2), (3, 0.1, 0.1), (1, 0.0, 0.0)] {
            let parts = split(n, validation, test, 9).expect("it splits");
            let mut all = [parts.train.clone(), parts.validation.clone(), parts.test.clone()].concat();
            all.sort_unstable();
            assert_eq!(all, (0..n as u32).collect::<Vec<_>>());
            assert_eq!(parts, split(n, validation, test, 9).expect("it splits"));
        }
        assert_ne!(split(100, 0.0, 0.2, 0).expect("a split"), split(100, 0.0, 0.2, 1).expect("a split"));
        says(&split(2, 0.5, 0.5, 0).expect_err("none left"), &["none to train on"]);
        says(&split(10, 0.0, 1.5, 0).expect_err("not a fraction"), &["test fraction 1.5"]);
        says(&split(0, 0.0, 0.0, 0).expect_err("no rows"), &["0 rows"]);
    }

    #[test]
    fn a_split_by_class_keeps_proportions() {
        let classes: Vec<f64> = (0..100).map(|i| if i < 20 { 1.0 } else { 0.0 }).collect();
        let parts = split_by_class(&classes, 0.0, 0.2, 0).expect("it splits");
        assert_eq!(parts.test.len(), 20);
        assert_eq!(parts.test.iter().filter(|&&row| row < 20).count(), 4);
    }

    #[test]
    fn an_epoch_takes_no_row_twice_and_later_epochs_take_the_rest() {
        for shuffle in [true, false] {
            let rows: Vec<u32> = (10..20).collect();
            let mut batches = Batches::new(&rows, 3, 5, shuffle).expect("batches");
            let mut seen = std::collections::BTreeSet::new();
            for _ in 0..10 {
                let epoch: Vec<u32> = (0..3).flat_map(|_| batches.next_batch().to_vec()).collect();
                let distinct: std::collections::BTreeSet<u32> = epoch.iter().copied().collect();
                assert_eq!(distinct.len(), 9, "{epoch:?}");
                seen.extend(distinct);
            }
            assert_eq!(seen.len(), 10);
            assert_eq!(batches.state().epoch, 10);
        }
    }

    #[test]
    fn batches_resume_exactly() {
        let rows: Vec<u32> = (0..11).collect();
        for shuffle in [true, false] {
            let make = || Batches::new(&rows, 4, 1, shuffle).expect("batches");
            let mut whole = make();
            let all: Vec<Vec<u32>> = (0..20).map(|_| whole.next_batch().to_vec()).collect();
            for at in 0..19u64 {
                let mut resumed = make();
                resumed.restore_step(at);
                assert_eq!(resumed.next_batch(), all[at as usize], "after {at} steps");
            }
        }
        let error = Batches::new(&rows, 12, 0, true).expect_err("too large");
        says(&error, &["a batch of 12 rows", "11 rows"]);
    }
}

#[test]
fn a_resumed_log_forgets_later_steps_and_half_lines() {
    let folder = Folder::new("log");
    let path = folder.0.join("run.jsonl");
    let mut log = RunLog::create(&path).expect("a log");
    for step in 1..=5u64 {
        log.write(&[("step", step.into()), ("loss", f64::NAN.into())]).expect("a line");
    }
    drop(log);
    let mut text = fs::read_to_string(&path).expect("the log");
    text.push_str("{\"step\":6,\"lo");
    fs::write(&path, &text).expect("half a line");
    let mut log = RunLog::resume(&path, 3).expect("the log");
    log.write(&[("step", 4u64.into())]).expect("a line");
    drop(log);
    let expected =
        "{\"step\":1,\"loss\":null}\n{\"step\":2,\"loss\":null}\n{\"step\":3,\"loss\":null}\n{\"step\":4}\n";
    assert_eq!(fs::read_to_string(&path).expect("the log"), expected);
    assert!(RunLog::create(&folder.0).is_err());
}
