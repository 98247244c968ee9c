//! Tables: how they are read, and how they are refused. The log of a run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::binding::check;
use symdiff::data::{
    Column, ColumnPick, Corpus, Dataset, InputShape, Portions, Random, RunLog, Source, TableOptions, Wish,
    Wishes, parse_table, prepare, read_table,
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

pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name)
}

pub fn dataset(text: &str) -> Result<Dataset, Error> {
    parse_table("t.csv", text.as_bytes(), &TableOptions::default()).map(Dataset::Table)
}

/// `x[4] y` as inputs.
pub fn inputs(text: &str) -> Vec<InputShape> {
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

pub fn columns(input: &str, picks: Vec<ColumnPick>) -> Wishes {
    let wish = Wish { input: input.to_owned(), source: Source::Columns(picks), span: None };
    Wishes { bindings: vec![wish], ..Wishes::default() }
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

/// Windows of a text over inputs: their numbers, the parts, or the words of the refusal.
#[track_caller]
fn check_windows(text: &str, shapes: &str, stride: usize, expected: &[&[f64]]) {
    let data = Dataset::Text(Corpus::new("tale.txt", text));
    let wishes = Wishes { stride: Some(stride), ..Wishes::default() };
    let prepared = prepare(Some(&data), &inputs(shapes), &wishes, &Portions::default()).expect("windows");
    assert_eq!(prepared.examples.inputs, expected, "{text:?} over {shapes}");
}

#[test]
fn windows_of_a_text_are_examples() {
    check_windows("abcab", "x[2] y", 1, &[&[0., 1., 1., 2., 2., 0.], &[2., 0., 1.]]);
    check_windows("abcab", "x[3]", 2, &[&[0., 1., 2., 2., 0., 1.]]);
    check_windows("b\r\na", "x[3]", 9, &[&[2., 0., 1.]]);
    check_windows("äaä", "x", 1, &[&[1., 0., 1.]]);
}

#[test]
fn parts_of_a_text_share_no_character() {
    let text: String = ('a'..='z').cycle().take(500).collect();
    let data = Dataset::Text(Corpus::new("letters", &text));
    for stride in [1, 3, 7, 8, 40] {
        let wishes = Wishes { stride: Some(stride), ..Wishes::default() };
        let portions = Portions { validation: 0.2, test: 0.2, ..Portions::default() };
        let split = prepare(Some(&data), &inputs("x[8]"), &wishes, &portions).expect("windows").split;
        let parts = [&split.train, &split.validation, &split.test];
        for pair in parts.windows(2) {
            let (last, first) = (pair[0].last().expect("rows"), pair[1].first().expect("rows"));
            assert!((first - last) as usize * stride >= 8, "stride {stride}: {last} and {first} overlap");
            assert!(
                (first - last) as usize * stride < 8 + stride.max(8),
                "stride {stride}: too many left out"
            );
        }
    }
}

#[test]
fn texts_that_do_not_fit_are_refused() {
    let refused = |text: &str, shapes: &str, wishes: &Wishes, portions: &Portions| {
        let data = Dataset::Text(Corpus::new("tale.txt", text));
        prepare(Some(&data), &inputs(shapes), wishes, portions).expect_err("it is refused").to_string()
    };
    let (none, whole) = (Wishes::default(), Portions::default());
    assert!(refused("abc", "x[4]", &none, &whole).contains("3 characters, and the inputs take 4"));
    let picked = columns("x", vec![ColumnPick::Name("a".into())]);
    assert!(refused("abcd", "x[2]", &picked, &whole).contains("nothing is to be picked"));
    let half = Portions { validation: 0.5, test: 0.4, ..Portions::default() };
    assert!(refused("abcdef", "x[4]", &none, &half).contains("leave none"));
    let long = "a".repeat(100_000);
    assert!(refused(&long, "x[50000]", &none, &whole).contains("too many"));
}
