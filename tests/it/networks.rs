//! The networks every course builds, from `examples/networks`: what they learn, against independent
//! optima and accuracies.

use crate::trained::{assert_close, metric, train};
use symdiff::train::Ending;

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
