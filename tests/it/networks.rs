//! The networks every course builds, from `examples/networks`: what they learn, against independent
//! optima and accuracies.

use crate::data::Folder;
use crate::trained::{assert_close, dataset, metric, path, run, train};
use std::collections::BTreeMap;
use symdiff::Limits;
use symdiff::data::{Dataset, TableOptions, parse_table};
use symdiff::elaborate::program::with_values;
use symdiff::train::{Ending, Predictor, Program, wishes_of};
use symdiff::weights::{load, save};

/// The accuracy on the held-out rows is at least this.
#[track_caller]
fn check(name: &str, values: &[(&str, &str)], least: f64) {
    let mut run = train(name, values);
    assert_eq!(run.ending, Ending::Finished, "{name} with {values:?}");
    let accuracy = metric(&run.test(), "accuracy");
    assert!(accuracy >= least, "{name} with {values:?}: {accuracy} of the held-out rows, not {least}");
}

#[test]
fn m1_one_neuron_learns_and() {
    let mut run = train("networks/and.sd", &[]);
    assert_eq!(metric(&run.score(), "accuracy"), 1.0);
}

#[test]
fn m2_the_exclusive_or_is_learnt_from_every_seed() {
    // The same network in NumPy, 200 seeds: losses from 0.995e-3 to 1.98e-3, half of them between
    // 1.27e-3 and 1.54e-3.
    let mut losses = Vec::new();
    for seed in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        let mut run = train("networks/xor.sd", &[("seed", seed)]);
        let score = run.score();
        assert_eq!(metric(&score, "accuracy"), 1.0, "seed {seed}");
        assert_close(score.loss, 1.5e-3, 0.5e-3, &format!("seed {seed}"));
        losses.push(score.loss);
    }
    losses.sort_by(f64::total_cmp);
    assert_close((losses[4] + losses[5]) / 2.0, 1.4e-3, 0.14e-3, "the median");
}

#[test]
fn m3_regressions_reach_the_optimum() {
    // tests/it/data/references.py
    let mut run = train("networks/diabetes.sd", &[]);
    assert_close(run.score().loss, 2859.69634758675, 1e-9 * 2859.0, "mean squared error");
    assert_close(run.param("w")[2], 24.726548860402197, 1e-4, "the weight of bmi");
    for optimizer in ["lbfgs", "newton"] {
        let mut run = train("networks/breast_cancer.sd", &[("optimizer", optimizer)]);
        assert_close(run.score().loss, 0.09959137548470548, 1e-9, optimizer);
        assert_close(run.param("w")[0], -0.41605417304325754, 1e-6, optimizer);
    }
}

#[test]
fn m4_digits_by_one_hidden_layer() {
    check("networks/digits.sd", &[], 0.97);
}

#[test]
fn m5_digits_by_convolution() {
    check("networks/digits_conv.sd", &[], 0.98);
}

/// Nats a character of a text whose characters were drawn one by one.
fn unigram_entropy(text: &str) -> f64 {
    let mut counts = BTreeMap::new();
    text.chars().for_each(|c| *counts.entry(c).or_insert(0.0) += 1.0);
    let total: f64 = counts.values().sum();
    counts.values().map(|n| -n / total * (n / total).ln()).sum()
}

#[test]
fn m6_characters_are_told_from_those_before() {
    let tale = std::fs::read_to_string(path("data/tale.txt")).expect("the tale");
    let entropy = unigram_entropy(&tale);
    assert_close(entropy, 2.84, 0.01, "the entropy of the tale");
    for (name, epochs) in [("networks/tale_rnn.sd", "3"), ("networks/tale_attention.sd", "6")] {
        let mut run = train(name, &[("epochs", epochs)]);
        let (learnt, held_out) = (run.score().loss, run.test().loss);
        assert!(learnt < 0.6 * entropy, "{name}: {learnt} of {entropy} nats");
        assert!(held_out < 0.8 * entropy, "{name}, held out: {held_out} of {entropy} nats");
    }
}

#[test]
fn m7_a_careful_training_stops_early_with_its_best_weights() {
    let mut run = train("networks/wine.sd", &[]);
    let Ending::StoppedEarly { best_step } = run.ending else { panic!("{:?}", run.ending) };
    let best = run.reports.iter().find(|report| report.step == best_step).expect("a report");
    let rows = run.training.data().split.validation.clone();
    assert_eq!(Some(run.training.score(&rows).expect("a score")), best.validation);
    let losses = run.reports.iter().filter_map(|report| report.validation.as_ref()).map(|v| v.loss);
    assert_eq!(losses.fold(f64::INFINITY, f64::min), best.validation.as_ref().expect("a score").loss);
    assert!(metric(&run.test(), "accuracy") >= 0.94);
    let rates: Vec<f64> = run.reports.iter().filter_map(|report| report.learning_rate).collect();
    assert!(rates.last() < rates.first(), "the rate falls where validation stalls: {rates:?}");
}

#[test]
fn m7_the_same_seed_gives_the_same_bits_and_another_seed_others() {
    let saved = |seed| train("networks/wine.sd", &[("seed", seed), ("epochs", "5")]).training.saved();
    let params = |seed| saved(seed).expect("weights").params;
    assert_eq!(params("3"), params("3"));
    assert_ne!(params("3"), params("4"));
}

#[test]
fn m7_reloaded_weights_predict_the_same() {
    let mut run = train("networks/wine.sd", &[("epochs", "5")]);
    let folder = Folder::new("reloaded");
    let file = folder.0.join("wine.safetensors");
    save(&file, &run.training.saved().expect("weights")).expect("it is saved");
    let loaded = load(&file, &Limits::default()).expect("it loads");
    let predictor = Predictor::new(&loaded, None, &Limits::default()).expect("a model");
    let data = dataset(predictor.model(), &path("networks")).expect("the table");
    let score = predictor.score(data.as_ref(), &wishes_of(predictor.model())).expect("a score").score;
    let every: Vec<u32> = (0..178).collect();
    let before = run.training.score(&every).expect("a score");
    assert_close(score.loss, before.loss, 1e-15 * before.loss.abs(), "loss");
    assert_eq!(score.metrics, before.metrics);
}

/// A program for a table, its hidden layer, and what scikit-learn's network of the same size, rate,
/// batch and epochs gets right on five folds (tests/it/data/references.py).
#[rustfmt::skip]
const CLASSIFIERS: &[(&str, &str, f64)] = &[
    ("iris", "input x[4], c\nlogits = x |> dense(16, relu) |> dense(3)
              data { c = target, x = 0:4, standardize = [x] }
              train { optimizer = adam(lr = 0.02), epochs = 30, batch = 20 }", 0.9520),
    ("wine", "input x[13], c\nlogits = x |> dense(16, relu) |> dense(3)
              data { c = target, x = 0:13, standardize = [x] }
              train { optimizer = adam(lr = 0.01), epochs = 30, batch = 20 }", 0.9829),
    ("breast_cancer", "input x[30], c\nlogits = x |> dense(16, relu) |> dense(2)
              data { c = target, x = 0:30, standardize = [x] }
              train { optimizer = adam(lr = 0.003), epochs = 30, batch = 32 }", 0.9740),
    ("digits", "input x[64], c\nlogits = x/16 |> dense(128, relu) |> dense(10)
              data { c = target, x = 0:64 }
              train { optimizer = adam(lr = 0.003), epochs = 30, batch = 64 }", 0.9773),
];

/// The rows of a table whose number is, or is not, the fold's modulo 5.
fn fold_of(table: &str, fold: usize, inside: bool) -> Dataset {
    let mut lines = table.lines();
    let header = lines.next().expect("a header");
    let rows = lines.enumerate().filter(|(i, _)| (i % 5 == fold) == inside).map(|(_, row)| row);
    let text = std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n");
    Dataset::Table(parse_table("fold", text.as_bytes(), &TableOptions::default()).expect("a table"))
}

#[test]
fn accuracies_are_those_of_scikit_learn() {
    for &(name, program, expected) in CLASSIFIERS {
        let table = std::fs::read_to_string(path(&format!("data/{name}.csv"))).expect("a table");
        let source =
            format!("{program}\nloss = cross_entropy(logits, c)\nmetric accuracy = argmax(logits) == c");
        let mut sum = 0.0;
        let seeds = if name == "digits" { 1 } else { 3 };
        for (fold, seed) in (0..5).flat_map(|fold| (0..seeds).map(move |seed| (fold, seed))) {
            let source =
                with_values(&source, &[("seed", &format!("{seed}"))], &Limits::default()).expect("text");
            let program = Program::read(&source, &Limits::default()).expect("a program");
            let data = program.prepare(Some(&fold_of(&table, fold, false)), None).expect("data");
            let saved = run(&source, data).and_then(|run| run.training.saved()).expect("it trains");
            let predictor = Predictor::new(&saved, None, &Limits::default()).expect("a model");
            let wishes = wishes_of(predictor.model());
            let score = predictor.score(Some(&fold_of(&table, fold, true)), &wishes).expect("a score").score;
            sum += metric(&score, "accuracy");
        }
        let accuracy = sum / (5 * seeds) as f64;
        assert!(accuracy >= expected - 0.01, "{name}: {accuracy}, and scikit-learn {expected}");
        println!("{name}: {accuracy:.4}, scikit-learn {expected}");
    }
}

#[test]
fn the_explained_variance_is_that_of_scikit_learn() {
    // LinearRegression().fit(x, y).score(x, y) on the same table.
    let mut run = train("networks/diabetes.sd", &[]);
    assert_close(metric(&run.score(), "r2"), 0.5177484222203499, 1e-9, "r2");
}

#[test]
fn a_confusion_matrix_counts_every_row_once() {
    let mut run = train("networks/wine.sd", &[]);
    let rows: Vec<u32> = (0..178).collect();
    let score = run.training.score(&rows).expect("a score");
    let counts = &score.confusions[0].1.counts;
    let of_class: Vec<u64> = counts.iter().map(|row| row.iter().sum()).collect();
    assert_eq!(of_class, [59, 71, 48]);
    let right: u64 = (0..3).map(|class| counts[class][class]).sum();
    assert_close(right as f64 / 178.0, metric(&score, "accuracy"), 1e-12, "the diagonal");
}
