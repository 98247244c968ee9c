//! NPY and NPZ: every kind of number, lies, bombs, damage.

use std::io::Write;

use crate::data::{Folder, columns, inputs, says};
use npyz::WriterBuilder;
use symdiff::Limits;
use symdiff::data::{ColumnPick, Portions, Random, TableOptions, Wishes, prepare, read_arrays, read_dataset};

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
    refused(&hand_made(&shape("(1000,)"), &[0; 8]), &["8000 bytes of numbers, but there are 8", "[1000]"]);
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
