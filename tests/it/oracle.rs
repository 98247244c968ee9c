//! Training steps of every example are those of the reference interpreter.

use crate::trained::{path, prepared, source};
use std::fs;
use symdiff::ir::Precision;
use symdiff::train::{Training, TrainingOptions};

/// Two steps of an example, two examples at a time where it takes batches.
fn check(name: &str) {
    let source = source(name, &[]);
    let folder = path(name).parent().expect("a folder").to_owned();
    let data = prepared(&source, &folder).unwrap_or_else(|error| panic!("{name}: {error}"));
    let batch = (data.examples.count > 20).then_some(2);
    let options = TrainingOptions { batch, ..TrainingOptions::default() };
    let mut training = match Training::new(&source, data.clone(), &options) {
        Ok(training) => training,
        // Drivers that take all rows.
        Err(_) => Training::new(&source, data, &TrainingOptions::default())
            .unwrap_or_else(|error| panic!("{name}: {error}")),
    };
    let tolerance = match training.model().train.precision {
        Precision::F64 => 1e-10,
        Precision::F32 => 2e-3,
    };
    for step in 0..2 {
        let beside = training.step_beside().expect("it steps");
        assert_eq!(beside.kernel.len(), beside.interpreter.len());
        for (i, (&a, &b)) in beside.kernel.iter().zip(&beside.interpreter).enumerate() {
            let close = (a - b).abs() <= tolerance * b.abs().max(1.0) && a.is_finite();
            assert!(close, "{name}, step {step}, place {i}: {a}, the interpreter {b}");
        }
    }
}

#[test]
fn steps_of_all_examples_are_the_interpreters() {
    let mut count = 0;
    for folder in ["descent", "networks", "problems"] {
        let mut names: Vec<String> = fs::read_dir(path(folder))
            .expect("the folder is there")
            .map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".sd"))
            .collect();
        names.sort();
        for name in names {
            check(&format!("{folder}/{name}"));
            count += 1;
        }
    }
    assert!(count > 15, "{count} examples");
}
