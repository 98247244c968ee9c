//! Descent: the worked examples to every printed digit, the standard test set of Moré, Garbow &
//! Hillstrom (1981) and of Hock & Schittkowski (1981) to known optima, and every way of failing.

use std::f64::consts::PI;

use symdiff::train::{
    Bounds, Descent, Flow, GradientDescent, Invalid, Objective, Options, Report, Sense, Status, from_fn,
    gradient_descent, minimize, minimize_with, newton,
};

fn assert_close(actual: f64, expected: f64, rel: f64, abs: f64) {
    let error = (actual - expected).abs();
    assert!(error <= abs + rel * expected.abs(), "{actual} is not {expected}: off by {error:e}");
}

fn assert_point(actual: &[f64], expected: &[f64], abs: f64) {
    assert_eq!(actual.len(), expected.len());
    actual.iter().zip(expected).for_each(|(a, e)| assert_close(*a, *e, 0.0, abs));
}

fn descend(objective: &mut dyn Objective, start: &[f64], lr: f64, steps: usize) -> Descent {
    let options = GradientDescent::new(lr, steps);
    gradient_descent(objective, start, &options, &mut |_| Flow::Continue).expect("the question is valid")
}

fn solve(objective: &mut dyn Objective, start: &[f64], options: &Options) -> Report {
    let report = minimize(objective, start, options).expect("the question is valid");
    println!(
        "{:>6} it {:>7} ev  |g| {:8.1e}  f {:<22e} {} [{}]",
        report.iterations,
        report.evaluations,
        report.gradient_norm,
        report.value,
        report.status,
        report.message
    );
    report
}

/// Minimises with default options and demands convergence.
fn optimum(objective: &mut dyn Objective, start: &[f64]) -> Report {
    let report = solve(objective, start, &Options::default());
    assert_eq!(report.status, Status::Converged, "{}", report.message);
    report
}

fn boxed(lower: &[f64], upper: &[f64]) -> Options {
    let bounds = Bounds::new(lower.to_vec(), upper.to_vec()).expect("the bounds are valid");
    Options { bounds: Some(bounds), ..Options::default() }
}

fn maximizing() -> Options {
    Options { sense: Sense::Maximize, ..Options::default() }
}

/// One variable, value and derivative as a pair.
fn scalar(f: impl Fn(f64) -> (f64, f64)) -> impl Objective {
    from_fn(1, move |x: &[f64], g: &mut [f64]| {
        let (value, slope) = f(x[0]);
        g[0] = slope;
        value
    })
}

fn parabola() -> impl Objective {
    scalar(|w| ((w - 3.0) * (w - 3.0), 2.0 * (w - 3.0)))
}

/// `Σ rᵢ²` from residuals and their Jacobian, `m`×`n` row-major.
fn squares(n: usize, m: usize, f: impl Fn(&[f64], &mut [f64], &mut [f64])) -> impl Objective {
    from_fn(n, move |x: &[f64], g: &mut [f64]| {
        let (mut r, mut j) = (vec![0.0; m], vec![0.0; m * n]);
        f(x, &mut r, &mut j);
        g.fill(0.0);
        for i in 0..m {
            (0..n).for_each(|k| g[k] += 2.0 * r[i] * j[i * n + k]);
        }
        r.iter().map(|r| r * r).sum()
    })
}

// ---- worked examples -------------------------------------------------------------------------

#[test]
fn g1_is_right_to_every_printed_digit() {
    let descent = descend(&mut parabola(), &[0.0], 0.1, 20);
    let printed = |i: usize| format!("{:.6}", descent.path[i].x[0]);
    assert_eq!([5, 10, 15, 20].map(printed), ["2.016960", "2.677877", "2.894447", "2.965412"]);
    assert_eq!(format!("{}", descent.path[1].x[0]), "0.6000000000000001");
}

#[test]
fn g1_has_the_bits_of_a_loop_written_by_hand() {
    let descent = descend(&mut parabola(), &[0.0], 0.1, 20);
    let mut w = 0.0f64;
    for point in &descent.path {
        assert_eq!(point.x[0].to_bits(), w.to_bits());
        w -= 0.1 * (2.0 * (w - 3.0));
    }
    assert_eq!(descent.report.iterations, 20);
    assert_eq!(descent.report.evaluations, 21);
}

#[test]
fn g2_tells_slow_good_oscillating_and_diverging_rates_apart() {
    let run = |lr: f64| descend(&mut parabola(), &[0.0], lr, 30).report;
    let [slow, good, swing, wild] = [0.01, 0.1, 0.9, 1.1].map(run);
    assert_close(slow.value, 2.677978, 0.0, 5e-7);
    assert_close(good.value, 1.379e-5, 0.0, 5e-9);
    assert_close(swing.value, 1.379e-5, 0.0, 5e-9);
    assert_close(wild.value, 507127.6, 0.0, 0.05);
    assert_eq!(
        slow.message,
        "30 steps taken, gradient norm 3.273; crawls: the learning rate 0.01 is 50 times smaller than 1/curvature = 0.5; try that"
    );
    assert_eq!(good.message, "30 steps taken, gradient norm 0.007428");
    assert_eq!(
        swing.message,
        "30 steps taken, gradient norm 0.007428; oscillates: the steps overshoot and come back, as the learning rate 0.9 lies between 1/curvature = 0.5 and 2/curvature = 1; 0.5 would settle sooner"
    );
    assert_eq!(
        wild.message,
        "diverges: the learning rate 1.1 exceeds 2/curvature = 1 (curvature 2 along the path)"
    );
    assert_eq!(wild.status, Status::Diverged);
    assert!(!wild.status.is_success());
    assert!([slow, good, swing].iter().all(|r| r.status == Status::MaxIterations && r.status.is_success()));
}

#[test]
fn g3_and_g4_come_out() {
    let mut neuron = scalar(|w| ((w * 2.0 - 5.0).powi(2), 4.0 * (w * 2.0 - 5.0)));
    let path = descend(&mut neuron, &[3.0], 0.1, 5).path;
    let w: Vec<f64> = path.iter().map(|p| p.x[0]).collect();
    assert_point(&w, &[3.0, 2.6, 2.52, 2.504, 2.5008, 2.50016], 1e-12);
    let mut other = scalar(|w| ((2.0 * w - 3.0).powi(2), 4.0 * (2.0 * w - 3.0)));
    assert_close(descend(&mut other, &[1.0], 0.1, 10).report.x[0], 1.4999999, 0.0, 1e-7);
}

/// Delivery hours of worked example G5: mean squared error of a linear model.
fn delivery() -> impl Objective {
    const X: [[f64; 2]; 5] = [[2.0, 3.0], [1.5, 1.0], [4.0, 5.0], [0.8, 0.5], [3.2, 2.5]];
    const Y: [f64; 5] = [5.0, 3.2, 9.5, 2.1, 6.8];
    from_fn(2, |w: &[f64], g: &mut [f64]| {
        g.fill(0.0);
        let mut loss = 0.0;
        for (x, y) in X.iter().zip(Y) {
            let r = w[0] * x[0] + w[1] * x[1] - y;
            loss += r * r / 5.0;
            (0..2).for_each(|k| g[k] += 2.0 * r * x[k] / 5.0);
        }
        loss
    })
}

#[test]
fn g5_delivery_hours_at_three_rates() {
    let path = descend(&mut delivery(), &[0.8, 1.5], 0.05, 12).path;
    assert_close(path[0].value, 0.7288400, 0.0, 5e-8);
    assert_close(path[1].value, 0.5649516, 0.0, 5e-8);
    assert_close(path[12].value, 0.3278309, 0.0, 5e-8);
    let wild = descend(&mut delivery(), &[0.8, 1.5], 1.5, 1).report;
    assert_close(wild.value, 333.84, 0.0, 5e-3);
    assert_eq!(wild.status, Status::Diverged, "{}", wild.message);
    let slow = descend(&mut delivery(), &[0.8, 1.5], 0.001, 12).report;
    assert_close(slow.value, 0.6311877, 0.0, 5e-8);
    assert!(slow.message.contains("crawls"), "{}", slow.message);
}

#[test]
fn g5_least_squares_optimum_needs_no_rate() {
    let report = optimum(&mut delivery(), &[0.8, 1.5]);
    assert_point(&report.x, &[1.8276703, 0.4370274], 5e-8);
}

#[test]
fn g12_newton_solves_g1_in_one_step() {
    let report = newton(&mut parabola(), &mut |_, h| h[0] = 2.0, &[0.0], &Options::default());
    let report = report.expect("the question is valid");
    assert_eq!((report.x[0], report.iterations, report.status), (3.0, 1, Status::Converged));
}

#[test]
fn g13_price_has_its_best_profit() {
    let mut profit = scalar(|p| ((p - 20.0) * (500.0 - 4.0 * p), 580.0 - 8.0 * p));
    let report = solve(&mut profit, &[50.0], &maximizing());
    assert_eq!(report.status, Status::Converged);
    assert_close(report.x[0], 72.5, 0.0, 1e-9);
    assert_close(report.value, 11025.0, 0.0, 1e-9);
}

/// Profit by price and advertising, worked example G14.
fn advertising() -> impl Objective {
    from_fn(2, |x: &[f64], g: &mut [f64]| {
        let (margin, demand) = (x[0] - 20.0, 500.0 - 4.0 * x[0] + 10.0 * (1.0 + x[1]).ln());
        g[0] = demand - 4.0 * margin;
        g[1] = 10.0 * margin / (1.0 + x[1]) - 1.0;
        margin * demand - x[1]
    })
}

#[test]
fn g14_price_and_advertising_have_their_best_profit() {
    let bounds = boxed(&[1.0, 0.0], &[1000.0, f64::INFINITY]).bounds;
    for bounds in [None, bounds] {
        let options = Options { bounds, ..maximizing() };
        let report = solve(&mut advertising(), &[50.0, 10.0], &options);
        assert_eq!(report.status, Status::Converged, "{}", report.message);
        // To 9 places by 30-digit arithmetic; the table's (80.506731, 604.096056, 14040.163390) is a
        // point near by whose gradient is 5e-5 and whose profit is 7e-7 lower.
        assert_point(&report.x, &[80.506_673_446, 604.066_734_461], 2e-5);
        assert_close(report.x[0], 80.506_673_446, 0.0, 2e-8);
        assert_close(report.value, 14_040.163_391_568, 0.0, 2e-9);
    }
}

/// `(w·x − y)²` for one example.
fn neuron(x: [f64; 2], y: f64) -> impl Objective {
    from_fn(2, move |w: &[f64], g: &mut [f64]| {
        let r = w[0] * x[0] + w[1] * x[1] - y;
        (0..2).for_each(|k| g[k] = 2.0 * r * x[k]);
        r * r
    })
}

#[test]
fn n2_two_weights_reach_a_small_loss_in_three_steps() {
    let path = descend(&mut neuron([2.0, 3.0], 5.0), &[1.0, 2.0], 0.05, 7).path;
    assert_eq!(path[0].value, 9.0);
    assert_eq!(path[0].gradient_norm, 18.0);
    assert_point(&path[1].x, &[0.4, 1.1], 1e-12);
    assert_close(path[1].value, 0.81, 0.0, 1e-12);
    assert_point(&path[2].x, &[0.58, 1.37], 1e-12);
    assert_close(path[2].value, 0.0729, 0.0, 1e-12);
    assert!(path[3].value < 0.01);
    assert_close(path[7].value, 4.3e-7, 0.0, 5e-9);
}

#[test]
fn n3_overshoots_and_explodes() {
    let run = |lr: f64| descend(&mut neuron([3.0, 4.0], 6.0), &[0.5, 1.0], lr, 1).report;
    let (over, wild) = (run(0.1), run(2.0));
    assert_point(&over.x, &[0.8, 1.4], 1e-12);
    assert_close(over.value, 4.0, 0.0, 1e-12);
    assert_point(&wild.x, &[6.5, 9.0], 1e-12);
    assert_close(wild.value, 2450.25, 0.0, 1e-9);
    assert_eq!(
        wild.message,
        "diverges: the learning rate 2 exceeds 2/curvature = 0.04 (curvature 50 along the path)"
    );
}

// ---- gradient descent: the edges -------------------------------------------------------------

#[test]
fn a_descent_to_overflow_names_rate_step_and_place() {
    let descent = descend(&mut parabola(), &[0.0], 1.1, 10_000);
    let report = descent.report;
    assert_eq!(report.status, Status::Diverged);
    assert!(
        report.message.starts_with("diverges: the learning rate 1.1 exceeds 2/curvature = 1"),
        "{}",
        report.message
    );
    assert!(report.message.contains("the objective is inf"), "{}", report.message);
    assert!(report.x[0].is_finite() && report.value.is_finite());
    assert_eq!(descent.best.x, [0.0]);
}

#[test]
fn a_step_out_of_the_domain_names_step_and_coordinate() {
    let mut barrier = from_fn(2, |x: &[f64], g: &mut [f64]| {
        g[0] = 2.0 * x[0];
        g[1] = 1.0 + x[1].ln();
        x[0] * x[0] + 3.0 + if x[1] < 0.0 { 0.0 } else { x[1] * x[1].ln() }
    });
    let report = descend(&mut barrier, &[1.0, 1.0], 1.5, 10).report;
    assert_eq!(report.status, Status::NotFinite);
    assert_eq!(report.message, "at step 1 the derivative by x[1] is NaN, at x[0] = -2, x[1] = -0.5");
}

#[test]
fn descent_uphill_and_within_bounds() {
    let mut options = GradientDescent::new(0.1, 200);
    options.sense = Sense::Maximize;
    options.bounds = Some(Bounds::new(vec![0.0], vec![1.5]).expect("valid"));
    let mut hill = scalar(|p| (-(p - 2.0) * (p - 2.0), -2.0 * (p - 2.0)));
    let report =
        gradient_descent(&mut hill, &[0.0], &options, &mut |_| Flow::Continue).expect("valid").report;
    assert_eq!((report.x[0], report.value, report.status), (1.5, -0.25, Status::Converged));
}

#[test]
fn a_visitor_sees_every_step_and_can_stop() {
    let mut seen = Vec::new();
    let mut options = GradientDescent::new(0.1, 100);
    options.record = symdiff::train::Record { stride: 3, most: 2 };
    let descent = gradient_descent(&mut parabola(), &[0.0], &options, &mut |step| {
        seen.push(step.index);
        if step.index == 10 { Flow::Stop } else { Flow::Continue }
    });
    let descent = descent.expect("valid");
    assert_eq!(seen, (0..=10).collect::<Vec<_>>());
    assert_eq!(descent.report.status, Status::Stopped);
    assert_eq!(descent.path.iter().map(|p| p.index).collect::<Vec<_>>(), [0, 3, 10]);
}

#[test]
fn hessian_products_find_curvature_the_path_does_not_show() {
    struct Valley;
    impl Objective for Valley {
        fn dimension(&self) -> usize {
            2
        }
        fn value_and_gradient(&mut self, x: &[f64], g: &mut [f64]) -> f64 {
            (g[0], g[1]) = (2.0 * x[0], 200.0 * x[1]);
            x[0] * x[0] + 100.0 * x[1] * x[1]
        }
        fn hessian_vector(&mut self, _: &[f64], v: &[f64], out: &mut [f64]) -> bool {
            (out[0], out[1]) = (2.0 * v[0], 200.0 * v[1]);
            true
        }
    }
    let descent = descend(&mut Valley, &[1.0, 0.0], 0.004, 5);
    assert_close(descent.curvature.expect("known"), 200.0, 1e-6, 0.0);
}

#[test]
fn a_wrong_gradient_is_suspected() {
    let mut wrong = scalar(|w| ((w - 3.0) * (w - 3.0), 2.0 * (w - 1.0)));
    let report = descend(&mut wrong, &[2.5], 0.1, 10).report;
    assert!(report.message.contains("is the gradient that of the objective?"), "{}", report.message);
}

#[test]
fn a_falling_line_is_unbounded_for_a_fixed_rate_too() {
    let report = descend(&mut scalar(|x| (-x * x, -2.0 * x)), &[1.0], 1e10, 100).report;
    assert_eq!(report.status, Status::Unbounded, "{}", report.message);
}

// ---- the standard set ------------------------------------------------------------------------

fn rosenbrock(n: usize) -> impl Objective {
    from_fn(n, |x: &[f64], g: &mut [f64]| {
        let mut sum = 0.0;
        for (x, g) in x.chunks_exact(2).zip(g.chunks_exact_mut(2)) {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            g[0] = -2.0 * a - 400.0 * x[0] * b;
            g[1] = 200.0 * b;
            sum += a * a + 100.0 * b * b;
        }
        sum
    })
}

fn chained_rosenbrock(n: usize) -> impl Objective {
    from_fn(n, |x: &[f64], g: &mut [f64]| {
        g.fill(0.0);
        let mut sum = 0.0;
        for i in 0..x.len() - 1 {
            let (a, b) = (1.0 - x[i], x[i + 1] - x[i] * x[i]);
            g[i] += -2.0 * a - 400.0 * x[i] * b;
            g[i + 1] += 200.0 * b;
            sum += a * a + 100.0 * b * b;
        }
        sum
    })
}

fn wood() -> impl Objective {
    squares(4, 6, |x, r, j| {
        let (s90, s10) = (90f64.sqrt(), 10f64.sqrt());
        r[0] = 10.0 * (x[1] - x[0] * x[0]);
        (j[0], j[1]) = (-20.0 * x[0], 10.0);
        r[1] = 1.0 - x[0];
        j[4] = -1.0;
        r[2] = s90 * (x[3] - x[2] * x[2]);
        (j[10], j[11]) = (-2.0 * s90 * x[2], s90);
        r[3] = 1.0 - x[2];
        j[14] = -1.0;
        r[4] = s10 * (x[1] + x[3] - 2.0);
        (j[17], j[19]) = (s10, s10);
        r[5] = (x[1] - x[3]) / s10;
        (j[21], j[23]) = (1.0 / s10, -1.0 / s10);
    })
}

#[test]
fn rosenbrock_of_two_and_ten_thousand_variables() {
    assert_point(&optimum(&mut rosenbrock(2), &[-1.2, 1.0]).x, &[1.0, 1.0], 1e-8);
    let start = [-1.2, 1.0].repeat(5000);
    assert_point(&optimum(&mut rosenbrock(10_000), &start).x, &[1.0; 10_000], 1e-7);
}

#[test]
fn chained_rosenbrock_of_many_variables() {
    // From zero a front has to travel through all variables: iterations grow like 5n.
    let report = optimum(&mut chained_rosenbrock(300), &[0.0; 300]);
    assert_point(&report.x, &[1.0; 300], 1e-6);
    let start = [1.3, 0.7].repeat(5000);
    assert_point(&optimum(&mut chained_rosenbrock(10_000), &start).x, &[1.0; 10_000], 1e-6);
}

#[test]
fn powell_singular() {
    let mut powell = squares(4, 4, |x, r, j| {
        let (s5, s10) = (5f64.sqrt(), 10f64.sqrt());
        r[0] = x[0] + 10.0 * x[1];
        (j[0], j[1]) = (1.0, 10.0);
        r[1] = s5 * (x[2] - x[3]);
        (j[6], j[7]) = (s5, -s5);
        let (a, b) = (x[1] - 2.0 * x[2], x[0] - x[3]);
        r[2] = a * a;
        (j[9], j[10]) = (2.0 * a, -4.0 * a);
        r[3] = s10 * b * b;
        (j[12], j[15]) = (2.0 * s10 * b, -2.0 * s10 * b);
    });
    let report = optimum(&mut powell, &[3.0, -1.0, 0.0, 1.0]);
    assert!(report.value < 1e-10);
    assert_point(&report.x, &[0.0; 4], 1e-2);
}

#[test]
fn beale() {
    let mut beale = squares(2, 3, |x, r, j| {
        for i in 0..3 {
            let k = i as i32 + 1;
            r[i] = [1.5, 2.25, 2.625][i] - x[0] * (1.0 - x[1].powi(k));
            j[2 * i] = x[1].powi(k) - 1.0;
            j[2 * i + 1] = x[0] * f64::from(k) * x[1].powi(k - 1);
        }
    });
    assert_point(&optimum(&mut beale, &[1.0, 1.0]).x, &[3.0, 0.5], 1e-7);
}

#[test]
fn wood_has_its_minimum_at_one() {
    assert_point(&optimum(&mut wood(), &[-3.0, -1.0, -3.0, -1.0]).x, &[1.0; 4], 1e-7);
}

#[test]
fn helical_valley() {
    let mut helix = squares(3, 3, |x, r, j| {
        let turn = x[1].atan2(x[0]) / (2.0 * PI);
        let theta = if turn < -0.25 { turn + 1.0 } else { turn };
        let (rho2, rho) = (x[0] * x[0] + x[1] * x[1], x[0].hypot(x[1]));
        r[0] = 10.0 * (x[2] - 10.0 * theta);
        let c = 100.0 / (2.0 * PI * rho2);
        (j[0], j[1], j[2]) = (c * x[1], -c * x[0], 10.0);
        r[1] = 10.0 * (rho - 1.0);
        (j[3], j[4]) = (10.0 * x[0] / rho, 10.0 * x[1] / rho);
        r[2] = x[2];
        j[8] = 1.0;
    });
    assert_point(&optimum(&mut helix, &[-1.0, 0.0, 0.0]).x, &[1.0, 0.0, 0.0], 1e-7);
}

#[test]
fn brown_badly_scaled() {
    let mut brown = squares(2, 3, |x, r, j| {
        r[0] = x[0] - 1e6;
        j[0] = 1.0;
        r[1] = x[1] - 2e-6;
        j[3] = 1.0;
        r[2] = x[0] * x[1] - 2.0;
        (j[4], j[5]) = (x[1], x[0]);
    });
    let report = optimum(&mut brown, &[1.0, 1.0]);
    assert_close(report.x[0], 1e6, 1e-9, 0.0);
    assert_close(report.x[1], 2e-6, 1e-6, 0.0);
}

#[test]
fn trigonometric_of_ten_variables() {
    let n = 10;
    let mut trigonometric = squares(n, n, move |x, r, j| {
        let cosines: f64 = x.iter().map(|x| x.cos()).sum();
        for i in 0..n {
            let k = (i + 1) as f64;
            r[i] = n as f64 - cosines + k * (1.0 - x[i].cos()) - x[i].sin();
            (0..n).for_each(|c| j[i * n + c] = x[c].sin());
            j[i * n + i] += k * x[i].sin() - x[i].cos();
        }
    });
    let report = optimum(&mut trigonometric, &[0.1; 10]);
    // Its other well-known minimum has the value 2.79506e-5.
    assert!(report.value < 1e-12 || (report.value - 2.79506e-5).abs() < 1e-10, "{}", report.value);
}

#[test]
fn newton_with_damping_solves_rosenbrock_from_where_its_hessian_is_indefinite() {
    let mut hessian = |x: &[f64], h: &mut [f64]| {
        h[0] = 2.0 - 400.0 * x[1] + 1200.0 * x[0] * x[0];
        (h[1], h[2], h[3]) = (-400.0 * x[0], -400.0 * x[0], 200.0);
    };
    for start in [[-1.2, 1.0], [0.0, 2.0]] {
        let report = newton(&mut rosenbrock(2), &mut hessian, &start, &Options::default()).expect("valid");
        assert_point(&report.x, &[1.0, 1.0], 1e-8);
        assert!(report.iterations < 40);
    }
    let options = boxed(&[f64::NEG_INFINITY, 1.5], &[f64::INFINITY, f64::INFINITY]);
    let report = newton(&mut rosenbrock(2), &mut hessian, &[2.0, 3.0], &options).expect("valid");
    assert_close(report.value, 0.0504261879, 0.0, 1e-10);
}

#[test]
fn scaling_the_objective_does_not_fool_the_tolerance() {
    for scale in [1e-12, 1e-6, 1.0, 1e8, 1e20] {
        let mut scaled = scalar(move |w| (scale * ((w - 3.0) * (w - 3.0) + 7.0), scale * 2.0 * (w - 3.0)));
        assert_close(optimum(&mut scaled, &[0.0]).x[0], 3.0, 0.0, 1e-7);
        let mut inner = rosenbrock(2);
        let mut valley = from_fn(2, |x: &[f64], g: &mut [f64]| {
            let value = inner.value_and_gradient(x, g);
            g.iter_mut().for_each(|g| *g *= scale);
            scale * value
        });
        assert_point(&optimum(&mut valley, &[-1.2, 1.0]).x, &[1.0, 1.0], 1e-5);
    }
}

#[test]
fn a_large_constant_does_not_loosen_the_tolerance() {
    let mut high = scalar(|w| ((w - 3.0) * (w - 3.0) + 1e6, 2.0 * (w - 3.0)));
    assert_close(optimum(&mut high, &[-50.0]).x[0], 3.0, 0.0, 1e-8);
}

// ---- bounds ----------------------------------------------------------------------------------

/// A bounded problem with a known optimum.
fn check_box(
    objective: &mut dyn Objective,
    start: &[f64],
    options: &Options,
    x: &[f64],
    value: f64,
) -> Report {
    let report = solve(objective, start, options);
    assert_eq!(report.status, Status::Converged, "{}", report.message);
    assert_point(&report.x, x, 1e-6);
    assert_close(report.value, value, 1e-9, 1e-9);
    let bounds = options.bounds.as_ref().expect("a box");
    for (i, x) in report.x.iter().enumerate() {
        assert!((bounds.lower()[i]..=bounds.upper()[i]).contains(x), "x[{i}] = {x} left the box");
    }
    report
}

const NO: f64 = f64::INFINITY;

#[test]
fn hs1_to_hs3_rosenbrock_and_a_badly_scaled_line() {
    check_box(&mut rosenbrock(2), &[-2.0, 1.0], &boxed(&[-NO, -1.5], &[NO, NO]), &[1.0, 1.0], 0.0);
    let a = (598.0f64 / 1200.0).sqrt();
    let b = 400.0 * a.powi(3);
    let best = [2.0 * a * ((1.0 / b).acos() / 3.0).cos(), 1.5];
    let options = boxed(&[-NO, 1.5], &[NO, NO]);
    let report = check_box(&mut rosenbrock(2), &[2.0, 1.0], &options, &best, 0.050_426_187_9);
    assert!(report.message.contains("x[1] rests on its bound 1.5"), "{}", report.message);
    // From the left the same box has another minimum, a local one.
    let local = solve(&mut rosenbrock(2), &[-2.0, 1.0], &options);
    assert_close(local.value, 4.941_229_318, 0.0, 1e-9);
    let mut hs3 = from_fn(2, |x: &[f64], g: &mut [f64]| {
        let d = x[1] - x[0];
        (g[0], g[1]) = (-2e-5 * d, 1.0 + 2e-5 * d);
        x[1] + 1e-5 * d * d
    });
    let options = Options { tolerance: 1e-12, ..boxed(&[-NO, 0.0], &[NO, NO]) };
    check_box(&mut hs3, &[10.0, 1.0], &options, &[0.0, 0.0], 0.0);
}

#[test]
fn hs4_both_variables_end_on_bounds() {
    let mut hs4 = from_fn(2, |x: &[f64], g: &mut [f64]| {
        (g[0], g[1]) = ((x[0] + 1.0).powi(2), 1.0);
        (x[0] + 1.0).powi(3) / 3.0 + x[1]
    });
    check_box(&mut hs4, &[1.125, 0.125], &boxed(&[1.0, 0.0], &[NO, NO]), &[1.0, 0.0], 8.0 / 3.0);
}

#[test]
fn hs5_mccormick() {
    let mut hs5 = from_fn(2, |x: &[f64], g: &mut [f64]| {
        let (c, d) = ((x[0] + x[1]).cos(), x[0] - x[1]);
        (g[0], g[1]) = (c + 2.0 * d - 1.5, c - 2.0 * d + 2.5);
        (x[0] + x[1]).sin() + d * d - 1.5 * x[0] + 2.5 * x[1] + 1.0
    });
    let best = [0.5 - PI / 3.0, -0.5 - PI / 3.0];
    check_box(
        &mut hs5,
        &[0.0, 0.0],
        &boxed(&[-1.5, -3.0], &[4.0, 3.0]),
        &best,
        -(3f64.sqrt()) / 2.0 - PI / 3.0,
    );
}

#[test]
fn hs38_wood_in_a_box() {
    check_box(&mut wood(), &[-3.0, -1.0, -3.0, -1.0], &boxed(&[-10.0; 4], &[10.0; 4]), &[1.0; 4], 0.0);
}

#[test]
fn hs45_starts_outside_and_ends_in_a_corner() {
    let mut hs45 = from_fn(5, |x: &[f64], g: &mut [f64]| {
        for (i, g) in g.iter_mut().enumerate() {
            *g = -(0..5).filter(|&k| k != i).map(|k| x[k]).product::<f64>() / 120.0;
        }
        2.0 - x.iter().product::<f64>() / 120.0
    });
    let upper = [1.0, 2.0, 3.0, 4.0, 5.0];
    let report = check_box(&mut hs45, &[2.0; 5], &boxed(&[0.0; 5], &upper), &upper, 1.0);
    assert!(
        report.message.ends_with(
            "5 variables rest on a bound; the start was outside the bounds: x[0] = 2 was moved to 1"
        ),
        "{}",
        report.message
    );
}

#[test]
fn hs110_logarithms_near_their_edges() {
    let mut hs110 = from_fn(10, |x: &[f64], g: &mut [f64]| {
        let product = x.iter().product::<f64>().powf(0.2);
        let mut sum = -product;
        for (x, g) in x.iter().zip(g) {
            let (a, b) = ((x - 2.0).ln(), (10.0 - x).ln());
            *g = 2.0 * a / (x - 2.0) - 2.0 * b / (10.0 - x) - 0.2 * product / x;
            sum += a * a + b * b;
        }
        sum
    });
    let options = boxed(&[-2.001; 10], &[9.999; 10]);
    check_box(&mut hs110, &[9.0; 10], &options, &[9.350_265_833; 10], -45.778_469_707);
}

#[test]
fn a_large_obstacle_problem_satisfies_its_complementarity() {
    let n = 300;
    let obstacle = |i: usize| 0.3 * (6.0 * PI * i as f64 / n as f64).sin().abs() - 0.1;
    let mut membrane = from_fn(n, move |u: &[f64], g: &mut [f64]| {
        g.fill(0.0);
        let mut energy = 0.0;
        for i in 0..=n {
            let (left, right) = (if i == 0 { 0.0 } else { u[i - 1] }, if i == n { 0.0 } else { u[i] });
            energy += 0.5 * (right - left).powi(2);
            if i > 0 {
                g[i - 1] -= right - left;
            }
            if i < n {
                g[i] += right - left;
            }
        }
        energy
    });
    let lower: Vec<f64> = (0..n).map(obstacle).collect();
    let options = boxed(&lower, &vec![NO; n]);
    let report = solve(&mut membrane, &vec![1.0; n], &options);
    assert_eq!(report.status, Status::Converged, "{}", report.message);
    let mut g = vec![0.0; n];
    membrane.value_and_gradient(&report.x, &mut g);
    for i in 0..n {
        assert!(report.x[i] >= lower[i] && g[i].min(report.x[i] - lower[i]).abs() < 1e-7);
    }
    assert!(report.x.iter().zip(&lower).filter(|(x, l)| x == l).count() > 10);
}

#[test]
fn random_box_quadratics_satisfy_their_kkt_conditions() {
    let mut seed = 1u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as f64 / (1u64 << 30) as f64 - 1.0
    };
    for n in [1, 2, 3, 5, 8, 13, 21] {
        let a: Vec<f64> = (0..n * n).map(|_| random()).collect();
        let b: Vec<f64> = (0..n).map(|_| 3.0 * random()).collect();
        let mut quadratic = from_fn(n, move |x: &[f64], g: &mut [f64]| {
            let ax: Vec<f64> = (0..n).map(|i| (0..n).map(|k| a[i * n + k] * x[k]).sum()).collect();
            for k in 0..n {
                g[k] = (0..n).map(|i| a[i * n + k] * ax[i]).sum::<f64>() + 0.01 * x[k] + b[k];
            }
            0.5 * ax.iter().map(|v| v * v).sum::<f64>()
                + x.iter().zip(&b).map(|(x, b)| 0.005 * x * x + b * x).sum::<f64>()
        });
        let start: Vec<f64> = (0..n).map(|_| 4.0 * random()).collect();
        let report = solve(&mut quadratic, &start, &boxed(&vec![-1.0; n], &vec![1.0; n]));
        assert_eq!(report.status, Status::Converged, "{}", report.message);
        assert!(report.gradient_norm < 1e-6 && report.x.iter().all(|x| x.abs() <= 1.0));
    }
}

#[test]
fn a_fixed_variable_stays_and_an_infinite_slope_at_a_bound_is_understood() {
    check_box(&mut rosenbrock(2), &[0.0, 0.0], &boxed(&[0.5, -NO], &[0.5, NO]), &[0.5, 0.25], 0.25);
    let mut root = scalar(|x| (x.sqrt(), 0.5 / x.sqrt()));
    check_box(&mut root, &[1.0], &boxed(&[0.0], &[NO]), &[0.0], 0.0);
}

// ---- domains, kinks, falls -------------------------------------------------------------------

#[test]
fn a_search_backs_off_from_where_the_objective_is_not_a_number() {
    let mut entropy = scalar(|x| (x * x.ln(), x.ln() + 1.0));
    for start in [1.0, 30.0, 1e-3, 1e6] {
        assert_close(optimum(&mut entropy, &[start]).x[0], (-1f64).exp(), 0.0, 1e-7);
    }
    let mut barrier = scalar(|x| (-(1.0 - x).ln() - 1e4 * x, 1.0 / (1.0 - x) - 1e4));
    assert_close(optimum(&mut barrier, &[0.0]).x[0], 1.0 - 1e-4, 0.0, 1e-9);
    let mut roots = scalar(|x| (-(x.sqrt() + (1.0 - x).sqrt()), -0.5 / x.sqrt() + 0.5 / (1.0 - x).sqrt()));
    assert_close(optimum(&mut roots, &[0.999]).x[0], 0.5, 0.0, 1e-7);
}

#[test]
fn the_edge_of_a_domain_is_named() {
    let mut edge = scalar(|x| (if x < 0.0 { f64::NAN } else { x }, 1.0));
    let report = solve(&mut edge, &[1.0], &Options::default());
    assert_eq!(report.status, Status::Stalled);
    assert!(report.message.contains("not finite just beyond this point"), "{}", report.message);
    assert!(report.x[0].abs() < 1e-9);
}

#[test]
fn kinks_are_reached_and_named() {
    let mut diamond = from_fn(2, |x: &[f64], g: &mut [f64]| {
        (g[0], g[1]) = ((x[0] - 1.0).signum(), (x[1] + 2.0).signum());
        (x[0] - 1.0).abs() + (x[1] + 2.0).abs()
    });
    let report = optimum(&mut diamond, &[0.0, 0.0]);
    assert_point(&report.x, &[1.0, -2.0], 1e-6);
    assert!(report.message.contains("converged at a kink"), "{}", report.message);
    assert_point(&optimum(&mut diamond, &[0.3, 17.7]).x, &[1.0, -2.0], 1e-6);
    let mut absolute = scalar(|x| ((x - 0.3).abs(), if x == 0.3 { 0.0 } else { (x - 0.3).signum() }));
    assert_close(optimum(&mut absolute, &[5.0]).x[0], 0.3, 0.0, 1e-6);
}

/// Charalambous & Bandler 2: the largest of three smooth functions.
fn cb2() -> impl Objective {
    from_fn(2, |x: &[f64], g: &mut [f64]| {
        let e = 2.0 * (x[1] - x[0]).exp();
        let pieces = [
            (x[0].powi(2) + x[1].powi(4), [2.0 * x[0], 4.0 * x[1].powi(3)]),
            ((2.0 - x[0]).powi(2) + (2.0 - x[1]).powi(2), [2.0 * (x[0] - 2.0), 2.0 * (x[1] - 2.0)]),
            (e, [-e, e]),
        ];
        let (value, slope) =
            pieces.into_iter().fold((f64::MIN, [0.0; 2]), |a, b| if b.0 > a.0 { b } else { a });
        g.copy_from_slice(&slope);
        value
    })
}

#[test]
fn a_minimum_of_maxima_is_found() {
    let report = optimum(&mut cb2(), &[1.0, -0.1]);
    assert_close(report.value, 1.952_224_5, 0.0, 1e-6);
    let options = boxed(&[1.2, -5.0], &[5.0, 5.0]);
    let report = solve(&mut cb2(), &[2.0, 2.0], &options);
    assert_eq!(report.x[0], 1.2);
}

#[test]
fn many_kinks_at_once_do_not_hang() {
    let mut taxi = from_fn(20, |x: &[f64], g: &mut [f64]| {
        x.iter().enumerate().for_each(|(i, x)| g[i] = (x - i as f64).signum());
        x.iter().enumerate().map(|(i, x)| (x - i as f64).abs()).sum()
    });
    let report = solve(&mut taxi, &[0.5; 20], &Options::default());
    assert!(report.value < 1e-4, "{report:?}");
    assert!(report.evaluations < 100_000);
    let mut wide = from_fn(500, |x: &[f64], g: &mut [f64]| {
        x.iter().enumerate().for_each(|(i, x)| g[i] = (x - i as f64).signum());
        x.iter().enumerate().map(|(i, x)| (x - i as f64).abs()).sum()
    });
    let report = solve(&mut wide, &[0.5; 500], &Options::default());
    assert!(report.evaluations < 100_000);
    assert!(report.status == Status::Stalled && report.message.contains("at a kink?"), "{}", report.message);
}

/// From 1 the search runs to infinity, and says so in words that begin with `words`.
fn check_endless(f: impl Fn(f64) -> (f64, f64), options: &Options, words: &str) {
    let report = solve(&mut scalar(f), &[1.0], options);
    assert_eq!(report.status, Status::Unbounded, "{}", report.message);
    assert!(report.message.starts_with(words), "{}", report.message);
    assert!(report.x[0].is_finite() && report.value.is_finite());
    assert!(report.evaluations < 500);
}

#[test]
fn falling_for_ever_is_said() {
    let (plain, half) = (Options::default(), boxed(&[0.0], &[NO]));
    let below = "unbounded below: the value falls without end as x[0] goes to +infinity";
    check_endless(|x| (-x, -1.0), &plain, below);
    check_endless(|x| (-x, -1.0), &half, below);
    check_endless(|x| (-x * x, -2.0 * x), &plain, below);
    check_endless(|x| (-x.exp(), -x.exp()), &plain, "unbounded below: the objective is -inf at x[0] = ");
    check_endless(|x| (x.powi(3) + x, 3.0 * x * x + 1.0), &plain, "unbounded below");
    check_endless(|x| (x.powi(4), 4.0 * x.powi(3)), &maximizing(), "unbounded above: the value rises");
    check_endless(|x| (-x.ln(), -1.0 / x), &plain, "no finite optimum");
    check_endless(|x| (x.ln(), 1.0 / x), &plain, "unbounded below: the objective is -inf at x[0] = 0");
}

#[test]
fn a_start_that_is_not_finite_or_flat_is_said() {
    let mut log = scalar(|x| (x.ln(), 1.0 / x));
    let report = solve(&mut log, &[-1.0], &Options { names: vec!["price".into()], ..Options::default() });
    assert_eq!(report.status, Status::NotFinite);
    assert_eq!(report.message, "the objective is NaN at the start: price = -1; start inside the domain");
    let mut steep = scalar(|x| (x.sqrt(), 0.5 / x.sqrt()));
    let report = solve(&mut steep, &[0.0], &Options::default());
    assert!(report.message.starts_with("the derivative by x[0] is inf at the start"), "{}", report.message);
    let mut hill = scalar(|x| (-x * x, -2.0 * x));
    let report = solve(&mut hill, &[0.0], &Options::default());
    assert!(report.message.starts_with("the gradient is zero at the start"), "{}", report.message);
}

#[test]
fn budgets_end_a_run() {
    let options = Options { max_iterations: 5, ..Options::default() };
    let report = solve(&mut rosenbrock(2), &[-1.2, 1.0], &options);
    assert_eq!((report.status, report.iterations), (Status::MaxIterations, 5));
    let options = Options { max_evaluations: 7, ..Options::default() };
    let report = solve(&mut rosenbrock(2), &[-1.2, 1.0], &options);
    assert_eq!(report.status, Status::MaxIterations);
    let mut steps = 0;
    let report = minimize_with(&mut rosenbrock(2), &[-1.2, 1.0], &Options::default(), &mut |step| {
        steps += 1;
        if step.index == 3 { Flow::Stop } else { Flow::Continue }
    });
    assert_eq!((report.expect("valid").status, steps), (Status::Stopped, 4));
}

#[test]
fn a_wrong_gradient_stalls_with_a_hint() {
    let mut wrong = scalar(|w| ((w - 3.0) * (w - 3.0), -2.0 * (w - 3.0)));
    let report = solve(&mut wrong, &[0.0], &Options::default());
    assert_eq!(report.status, Status::Stalled);
    assert!(report.message.contains("the gradient is not that of the objective"), "{}", report.message);
}

#[test]
fn a_constant_with_a_false_slope_is_not_called_unbounded() {
    for constant in [0.0, 5.0] {
        let report = solve(&mut scalar(move |_| (constant, 1.0)), &[0.0], &Options::default());
        assert_eq!(report.status, Status::Stalled, "{}", report.message);
    }
}

#[test]
fn questions_that_make_no_sense_are_typed_errors() {
    let ask = |n: usize, start: &[f64], options: &Options| {
        let mut nothing = from_fn(n, |_: &[f64], _: &mut [f64]| 0.0);
        minimize(&mut nothing, start, options).expect_err("invalid")
    };
    let plain = Options::default();
    assert_eq!(ask(0, &[], &plain), Invalid::NoVariables);
    let length = ask(2, &[1.0], &plain);
    assert_eq!(length.to_string(), "expected 2 numbers, one for each variable, but the start has 1");
    let nan = ask(2, &[1.0, f64::NAN], &plain);
    assert_eq!(nan.to_string(), "the start must be finite, but x[1] = NaN");
    let narrow = ask(2, &[1.0, 1.0], &boxed(&[0.0], &[1.0]));
    assert_eq!(narrow.to_string(), "expected 2 numbers, one for each variable, but the bounds has 1");
    let tolerance = ask(1, &[0.0], &Options { tolerance: 0.0, ..Options::default() });
    assert_eq!(tolerance.to_string(), "the tolerance must be a positive finite number, not 0");
}

#[test]
fn empty_boxes_and_bad_rates_are_typed_errors() {
    let bounds = |l: f64, u: f64| Bounds::new(vec![l], vec![u]).expect_err("invalid").to_string();
    assert_eq!(bounds(2.0, 1.0), "no number satisfies 2 <= x[0] <= 1");
    assert_eq!(bounds(f64::NAN, 1.0), "a bound of x[0] is NaN");
    assert_eq!(bounds(NO, NO), "no number satisfies inf <= x[0] <= inf");
    let rate =
        gradient_descent(&mut parabola(), &[0.0], &GradientDescent::new(-0.1, 5), &mut |_| Flow::Continue);
    assert_eq!(
        rate.expect_err("invalid").to_string(),
        "the learning rate must be a positive finite number, not -0.1"
    );
}

#[test]
fn the_same_question_has_the_same_bits() {
    let run = || optimum(&mut chained_rosenbrock(50), &[-1.0; 50]);
    assert_eq!(run(), run());
    let kinked = || solve(&mut cb2(), &[1.0, -0.1], &Options::default());
    assert_eq!(kinked(), kinked());
}

#[test]
fn statuses_have_stable_names() {
    let all = [
        Status::Converged,
        Status::MaxIterations,
        Status::Diverged,
        Status::Stalled,
        Status::Unbounded,
        Status::NotFinite,
        Status::Stopped,
    ];
    let names = all.map(Status::name);
    assert_eq!(
        names,
        ["converged", "max-iterations", "diverged", "stalled", "unbounded", "not-finite", "stopped"]
    );
}
