//! Random numbers, first values, splits and batches.

use crate::data::says;
use symdiff::data::{Batches, Random, split, split_by_class};
use symdiff::elaborate::program::Init;
use symdiff::train::initialise;

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
    let draw = |initial: Init, shape: &[usize]| {
        initialise(&initial, shape, &mut Random::new(2, "init")).expect("it initialises")
    };
    let deviation = |values: &[f64]| (values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64).sqrt();
    let he = deviation(&draw(Init::He, &[64, 8, 3, 3]));
    assert!((he - (2.0f64 / 72.0).sqrt()).abs() < 0.01, "{he}");
    let glorot = draw(Init::Glorot, &[64, 8, 3, 3]);
    let bound = (6.0f64 / (72.0 + 64.0 * 9.0)).sqrt();
    let largest = glorot.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    assert!(largest <= bound && largest > 0.99 * bound);
    assert_eq!(draw(Init::Constant(0.5), &[2, 2]), [0.5; 4]);
    assert_eq!(draw(Init::List(vec![1.0, 2.0]), &[2]), [1.0, 2.0]);
    let error = initialise(&Init::List(vec![1.0]), &[2], &mut Random::new(0, "")).expect_err("too short");
    says(&error, &["1 first values", "[2]"]);
    assert!(initialise(&Init::Orthogonal, &[2], &mut Random::new(0, "")).is_err());
}

#[test]
fn orthogonal_matrices_are_orthogonal() {
    for (rows, columns) in [(5, 5), (7, 3), (3, 7), (1, 4), (4, 1)] {
        let q = initialise(&Init::Orthogonal, &[rows, columns], &mut Random::new(4, "q")).expect("a matrix");
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
