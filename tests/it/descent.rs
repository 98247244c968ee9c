//! The descents every course begins with, from `examples/descent`, against independent numbers.

use crate::trained::{assert_close, train};
use symdiff::train::Ending;

/// A parameter after so many steps, to the digits given.
#[track_caller]
fn check(name: &str, values: &[(&str, &str)], steps: u64, param: &str, expected: &[f64], tolerance: f64) {
    let steps = steps.to_string();
    let values: Vec<_> = values.iter().copied().chain([("steps", steps.as_str())]).collect();
    let run = train(name, &values);
    let found = run.param(param);
    assert_eq!(found.len(), expected.len());
    for (&found, &expected) in found.iter().zip(expected) {
        assert_close(found, expected, tolerance, &format!("{param} of {name} with {values:?}"));
    }
}

/// The loss before step `step + 1`.
#[track_caller]
fn check_loss(name: &str, values: &[(&str, &str)], step: usize, expected: f64) {
    let run = train(name, values);
    let found = run.reports.get(step).map_or(f64::NAN, |report| report.loss);
    assert_close(found, expected, 5e-8, &format!("loss of {name} with {values:?} after {step} steps"));
}

/// The words a run that diverges ends with.
#[track_caller]
fn check_diverges(name: &str, values: &[(&str, &str)], loss: f64, words: &str) {
    let run = train(name, values);
    let Ending::Diverged { loss: found, message, .. } = &run.ending else {
        panic!("{name} with {values:?} ends as {:?}", run.ending);
    };
    assert_close(*found, loss, 1e-6 * loss.abs(), "the last loss");
    assert_eq!(message, words);
}

#[test]
fn g1_a_parabola_is_descended() {
    for (steps, w) in [(5, 2.016960), (10, 2.677877), (15, 2.894447), (20, 2.965412)] {
        check("descent/parabola.sd", &[], steps, "w", &[w], 5e-7);
    }
}

#[test]
fn g2_rates_too_small_good_too_large_and_beyond_the_curvature() {
    for (rate, loss) in [("0.01", 2.677978), ("0.1", 1.379e-5), ("0.9", 1.379e-5)] {
        let mut run = train("descent/parabola.sd", &[("rate", rate), ("steps", "30")]);
        assert_close(run.score().loss, loss, 5e-4 * loss, rate);
        assert_eq!(run.ending, Ending::Finished);
    }
    check_diverges(
        "descent/parabola.sd",
        &[("rate", "1.1"), ("steps", "30")],
        507127.6,
        "diverges: the learning rate 1.1 exceeds 2/curvature = 1 (curvature 2 at the start); the loss went \
         from 9 to 507127.6 in 30 steps; the weights are the initial ones",
    );
}

#[test]
fn a_run_that_begins_at_an_optimum_has_not_diverged() {
    // Noise leads away from it, to a loss many times the first.
    for optimizer in ["adam(lr = 0.01)", "sgd(lr = 0.01)"] {
        let values = [("w", "1.9989642"), ("b", "0.9965033"), ("optimizer", optimizer), ("batch", "1")];
        let run = train("descent/line.sd", &values);
        assert_eq!(run.ending, Ending::Finished, "{optimizer}");
    }
    let run = train("descent/parabola.sd", &[("w", "3.000001"), ("optimizer", "adam(lr = 0.1)")]);
    assert_eq!(run.ending, Ending::Finished, "{:?}", run.reports);
}

#[test]
fn g3_and_g4_one_weight() {
    for (steps, w) in [(1, 2.6), (2, 2.52), (3, 2.504), (4, 2.5008), (5, 2.50016)] {
        check("descent/neuron.sd", &[], steps, "w", &[w], 1e-12);
    }
    check("descent/doubled.sd", &[], 10, "w", &[1.4999999488], 1e-12);
}

#[test]
fn g5_delivery_hours() {
    let file = "descent/delivery.sd";
    check_loss(file, &[], 0, 0.7288400);
    check_loss(file, &[], 1, 0.5649516);
    check_loss(file, &[("steps", "13")], 12, 0.3278309);
    check_loss(file, &[("optimizer", "gd(lr = 0.001)"), ("steps", "13")], 12, 0.6311877);
    check_diverges(
        file,
        &[("optimizer", "gd(lr = 1.5)"), ("steps", "1")],
        333.8409,
        "diverges: the learning rate 1.5 exceeds 2/curvature = 0.06807 (curvature 29.38 at the start); the \
         loss went from 0.72884 to 333.8409 in 1 step; the weights are the initial ones",
    );
    let optimum = [1.8276703, 0.4370274];
    check(file, &[("optimizer", "newton")], 1, "w", &optimum, 5e-8);
    check(file, &[("optimizer", "lbfgs")], 10, "w", &optimum, 5e-8);
}

#[test]
fn g6_delivery_hours_with_adam() {
    let adam = [("optimizer", "adam(lr = 0.05)"), ("steps", "21")];
    for (step, loss) in [(5, 0.5523465), (10, 0.4455418), (15, 0.3455521), (20, 0.2777673)] {
        check_loss("descent/delivery.sd", &adam, step, loss);
    }
}

#[test]
fn g7_a_noisy_line_in_mini_batches() {
    let run = train("descent/line.sd", &[]);
    // numpy.polyfit: 1.99896, 0.99650; 155 steps of 0.01 bring b to within 5 % of it.
    assert_close(run.param("w")[0], 1.99896, 0.02, "w");
    assert_close(run.param("b")[0], 0.99650, 0.05, "b");
    let fit = train("descent/line.sd", &[("optimizer", "lbfgs"), ("batch", "full"), ("epochs", "100")]);
    assert_close(fit.param("w")[0], 1.99896421, 5e-9, "w");
    assert_close(fit.param("b")[0], 0.99650327, 5e-9, "b");
}

/// One update written out: weight, gradient, states, number of the step from 1.
type Update = fn(f64, f64, &mut [f64; 2], i32) -> f64;

#[rustfmt::skip]
const UPDATES: &[(&str, Update)] = &[
    ("gd(lr = 0.02)", |w, g, _, _| w - 0.02*g),
    ("momentum(lr = 0.02, beta = 0.9)", |w, g, s, _| { s[0] = 0.9*s[0] + g; w - 0.02*s[0] }),
    ("momentum_averaged(lr = 0.02, beta = 0.9)", |w, g, s, _| { s[0] = 0.9*s[0] + (1.0 - 0.9)*g; w - 0.02*s[0] }),
    ("nesterov(lr = 0.02, beta = 0.9)", |w, g, s, _| { s[0] = 0.9*s[0] + g; w - 0.02*(g + 0.9*s[0]) }),
    ("adagrad(lr = 0.5)", |w, g, s, _| { s[0] += g*g; w - 0.5*g/(s[0].sqrt() + 1e-8) }),
    ("rmsprop(lr = 0.05)", |w, g, s, _| { s[0] = 0.9*s[0] + 0.1*g*g; w - 0.05*g/(s[0].sqrt() + 1e-8) }),
    ("adam(lr = 0.1)", |w, g, s, t| {
        s[0] = 0.9*s[0] + 0.1*g;
        s[1] = 0.999*s[1] + 0.001*g*g;
        w - 0.1*(s[0]/(1.0 - 0.9f64.powi(t)))/((s[1]/(1.0 - 0.999f64.powi(t))).sqrt() + 1e-8)
    }),
    ("adamw(lr = 0.1, weight_decay = 0.2)", |w, g, s, t| {
        s[0] = 0.9*s[0] + 0.1*g;
        s[1] = 0.999*s[1] + 0.001*g*g;
        let step = (s[0]/(1.0 - 0.9f64.powi(t)))/((s[1]/(1.0 - 0.999f64.powi(t))).sqrt() + 1e-8);
        w - 0.1*(step + 0.2*w)
    }),
    ("lion(lr = 0.05)", |w, g, s, _| { let c = 0.9*s[0] + 0.1*g; s[0] = 0.99*s[0] + 0.01*g; w - 0.05*c.signum() }),
];

#[test]
fn g8_every_optimizer_goes_the_way_written_out_by_hand() {
    for (optimizer, update) in UPDATES {
        let (mut x, mut y) = (-4.0, 2.0);
        let mut states = [[0.0; 2]; 2];
        for step in 1..=60 {
            let (gx, gy) = (x, 25.0 * y);
            x = update(x, gx, &mut states[0], step);
            y = update(y, gy, &mut states[1], step);
        }
        let run = train("descent/ravine.sd", &[("optimizer", optimizer)]);
        assert_close(run.param("x")[0], x, 1e-9, optimizer);
        assert_close(run.param("y")[0], y, 1e-9, optimizer);
    }
}

#[test]
fn g8_adams_first_step_has_the_length_of_its_rate() {
    for (start, step) in [(["-4", "2"], [0.1, -0.1]), (["1e-3", "-7e5"], [-0.1, 0.1])] {
        let values = [("x", start[0]), ("y", start[1]), ("optimizer", "adam(lr = 0.1)"), ("steps", "1")];
        let run = train("descent/ravine.sd", &values);
        for (param, (start, step)) in ["x", "y"].into_iter().zip(start.into_iter().zip(step)) {
            let start: f64 = start.parse().expect("a number");
            assert_close(run.param(param)[0] - start, step, 2e-6, param);
        }
    }
}

/// The learning rates a schedule gives at some steps.
#[track_caller]
fn check_rates(name: &str, values: &[(&str, &str)], expected: &[(u64, f64)]) {
    let run = train(name, values);
    for &(step, rate) in expected {
        let report = run.reports.iter().find(|report| report.step == step);
        let found = report.and_then(|report| report.learning_rate).unwrap_or(f64::NAN);
        assert_close(found, rate, 1e-15 + 1e-12 * rate, &format!("{name}, {values:?}, step {step}"));
    }
}

#[test]
fn g9_warm_up_cosine_and_floor() {
    let rates = [(1000, 1.5e-4), (2000, 3e-4), (51000, 1.65e-4), (100000, 3e-5)];
    check_rates("descent/warmup.sd", &[], &rates);
    // The line begins at 0 at step 0: step 1 has a two-thousandth of the most.
    let short = "gd(lr = cosine(3e-4, warmup = 2000, floor = 3e-5, over = 100000))";
    check_rates("descent/warmup.sd", &[("optimizer", short), ("steps", "2")], &[(1, 1.5e-7), (2, 3e-7)]);
}

#[test]
fn g10_rates_that_fall() {
    let file = "descent/decay.sd";
    check_rates(file, &[], &[(1, 0.5), (10, 0.5), (11, 0.05), (20, 0.05), (21, 0.005), (40, 0.0005)]);
    let exponential = [("optimizer", "gd(lr = exponential(0.5, 0.9))")];
    check_rates(file, &exponential, &[(1, 0.5), (2, 0.45), (11, 0.5 * 0.9f64.powi(10))]);
    // Step 7 meets |w| = 1/4 and steps over the kink, back and forth; ten reports without a better
    // loss are a plateau.
    let plateau = [("optimizer", "gd(lr = plateau(0.5))"), ("w", "3.25")];
    check_rates(file, &plateau, &[(1, 0.5), (17, 0.5), (18, 0.05), (22, 0.05)]);
}

#[test]
fn g11_gradients_are_clipped() {
    // The gradient is (e^3, 8).
    let (gx, gy) = (3f64.exp(), 8.0);
    let norm = gx.hypot(gy);
    check("descent/cliff.sd", &[], 1, "w", &[3.0 - 0.5 * gx / norm, 4.0 - 0.5 * gy / norm], 1e-12);
    check("descent/cliff.sd", &[("clip_norm", "1e3")], 1, "w", &[3.0 - 0.5 * gx, 0.0], 1e-12);
    let by_value = [("clip_norm", "1e9"), ("clip_value", "2")];
    check("descent/cliff.sd", &by_value, 1, "w", &[2.0, 3.0], 1e-12);
    let run = train("descent/cliff.sd", &[("steps", "3")]);
    assert_close(run.reports[0].gradient_norm, norm, 1e-12, "the norm shown is that before clipping");
}

#[test]
fn g12_no_learning_rate_to_choose() {
    check("descent/parabola.sd", &[("optimizer", "newton")], 1, "w", &[3.0], 0.0);
    for (optimizer, most) in [("newton", 30), ("lbfgs", 60), ("line_search", 30_000)] {
        let values = [("optimizer", optimizer), ("steps", "100000")];
        let run = train("descent/rosenbrock.sd", &values);
        assert_close(run.param("x")[0], 1.0, 1e-6, optimizer);
        assert_close(run.param("y")[0], 1.0, 1e-6, optimizer);
        assert!(run.training.step_count() <= most, "{optimizer}: {} steps", run.training.step_count());
    }
}
