//! No gradient is poisoned by a branch that is not taken, by a root at 0, by 0·log 0, or by an overflow
//! beside what vanishes: the classic complaints, one test each.
//!
//! What must stay true: each is checked in every way a derivative is computed: forward and reverse,
//! first and second order, simplified and as written, interpreted and compiled, over columns at every
//! width of vectors, in double and in single precision, and in programs over batches. (A root at 0 has an
//! infinite slope as it is written; simplification takes it out where that slope is multiplied by 0.)

use symdiff::batch::batch;
use symdiff::differentiate::vjp;
use symdiff::elaborate::program::{Phase, read_program};
use symdiff::ir::{Builder, DType, Precision, Shape, Type};
use symdiff::models::value_and_gradients;
use symdiff::simplify::prepared;
use symdiff::{
    ArrayEvaluator, Derivation, Engine, Evaluator, Function, Level, Limits, MapKernel, MapOptions, Mode,
    Purpose, VectorLevel, parse, simplify,
};

/// Value, gradient and Hessian of a function, in the order of its inputs; what cannot be said is NaN,
/// and is not compared.
struct Expected<'a> {
    at: &'a [f64],
    value: f64,
    gradient: &'a [f64],
    hessian: &'a [f64],
}

const FREE: f64 = f64::NAN;

#[track_caller]
fn compare(text: &str, how: &str, at: &[f64], found: &[f64], expected: &[f64]) {
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        let close = b.is_nan() || a == b || (a - b).abs() <= 1e-6 * b.abs().max(1e-300);
        assert!(close, "{text} {how} at {at:?}: place {i} is {a}, not {b}");
    }
}

/// The function at a point, on every engine and over columns at every width.
#[track_caller]
fn on_all_engines(text: &str, how: &str, f: &Function, level: Level, at: &[f64], expected: &[f64]) {
    for engine in [Engine::Jit, Engine::Interpreter] {
        let evaluator = Evaluator::new(f, engine, level).expect("it compiles");
        let mut found = vec![0.0; evaluator.output_size()];
        evaluator.call(at, &mut found).expect("the lengths agree");
        compare(text, &format!("{how} {engine:?}"), at, &found, expected);
    }
    for level in VectorLevel::ALL.into_iter().filter(|level| level.is_available()) {
        for precision in [Precision::F64, Precision::F32] {
            let options = MapOptions { precision, level, ..MapOptions::default() };
            let kernel = MapKernel::compile(f, &options).expect("it compiles");
            let how = format!("{how} in columns, {level} bits, {precision:?}");
            compare(text, &how, at, &in_columns(&kernel, precision, at, expected.len()), expected);
        }
    }
}

/// One row among others of a column kernel.
fn in_columns(kernel: &MapKernel, precision: Precision, at: &[f64], outputs: usize) -> Vec<f64> {
    const ROWS: usize = 19;
    match precision {
        Precision::F64 => {
            let columns: Vec<Vec<f64>> = at.iter().map(|&x| vec![x; ROWS]).collect();
            let inputs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let mut made = vec![vec![0.0; ROWS]; outputs];
            let mut into: Vec<&mut [f64]> = made.iter_mut().map(Vec::as_mut_slice).collect();
            kernel.run(&inputs, &mut into).expect("columns fit");
            made.iter().map(|column| column[ROWS - 1]).collect()
        }
        Precision::F32 => {
            let columns: Vec<Vec<f32>> = at.iter().map(|&x| vec![x as f32; ROWS]).collect();
            let inputs: Vec<&[f32]> = columns.iter().map(Vec::as_slice).collect();
            let mut made = vec![vec![0.0f32; ROWS]; outputs];
            let mut into: Vec<&mut [f32]> = made.iter_mut().map(Vec::as_mut_slice).collect();
            kernel.run(&inputs, &mut into).expect("columns fit");
            made.iter().map(|column| f64::from(column[ROWS - 1])).collect()
        }
    }
}

#[track_caller]
fn check(text: &str, expected: &Expected<'_>) {
    for level in [Level::None, Level::Fast] {
        check_at(text, expected, level);
    }
}

#[track_caller]
fn check_at(text: &str, expected: &Expected<'_>, level: Level) {
    let f = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut first = vec![expected.value];
    first.extend(expected.gradient);
    for mode in [Mode::Reverse, Mode::Forward] {
        let derivation = Derivation { mode, level, purpose: Purpose::Compute, ..Derivation::default() };
        let how = format!("{mode:?} {level:?}");
        let both = derivation.value_and_gradient(&f).expect("it derives");
        on_all_engines(text, &how, &both, level, expected.at, &first);
        if !expected.hessian.is_empty() {
            let hessian = derivation.hessian(&f).expect("it derives");
            on_all_engines(text, &format!("{how} Hessian"), &hessian, level, expected.at, expected.hessian);
        }
    }
}

/// Of one variable.
#[track_caller]
fn at(text: &str, x: f64, value: f64, slope: f64, curvature: f64) {
    check(text, &Expected { at: &[x], value, gradient: &[slope], hessian: &[curvature] });
}

#[test]
fn double_where_is_not_needed_around_a_root() {
    at("where(x > 0, sqrt(x), 0)", 0.0, 0.0, 0.0, 0.0);
    at("where(x > 0, sqrt(x), 0)", -1.0, 0.0, 0.0, 0.0);
    at("where(x > 0, sqrt(x), 0)", 4.0, 2.0, 0.25, -1.0 / 32.0);
}

#[test]
fn double_where_is_not_needed_around_a_logarithm() {
    at("where(x > 0, log(x), x)", 0.0, 0.0, 1.0, 0.0);
    at("where(x > 0, log(x), x)", -2.0, -2.0, 1.0, 0.0);
    at("where(x > 0, log(x), x)", 2.0, 2.0f64.ln(), 0.5, -0.25);
}

#[test]
fn where_guards_a_division() {
    at("where(x == 0, 1, sin(x)/x)", 0.0, 1.0, 0.0, 0.0);
    at("where(x != 0, 1/x, 0)", 0.0, 0.0, 0.0, 0.0);
    at("where(x != 0, 1/x, 0)", 2.0, 0.5, -0.25, 0.25);
    at("x/where(x > 0, x, 1)", 0.0, 0.0, 1.0, 0.0);
    at("x/where(abs(x) > 1, x^2, 1)", 0.0, 0.0, 1.0, 0.0);
}

#[test]
fn if_else_over_a_power_or_an_inverse_function_is_clean() {
    at("if(x < 1, asin(x), 0)", 1.0, 0.0, 0.0, 0.0);
    at("if(x < 1, asin(x), 0)", 2.0, 0.0, 0.0, 0.0);
    at("if(x > 0, x^(1/3), x^2)", 0.0, 0.0, 0.0, 2.0);
    at("if(x > 0, x^x, 1)", 0.0, 1.0, 0.0, 0.0);
    at("if(x > 0, 1/x^3, 0)*x", 0.0, 0.0, 0.0, 0.0);
    at("if(x <= 700, x, exp(exp(x)))", 1.0, 1.0, 1.0, 0.0);
}

#[test]
fn a_branch_that_overflows_does_not_reach_the_other() {
    at("if(x < 100, exp(x), x)", 1000.0, 1000.0, 1.0, 0.0);
    at("if(x < 30, log(exp(x) - 1), x)", 1e4, 1e4, 1.0, 0.0);
    at("if(x > 0, gamma(x), 0)", -1.0, 0.0, 0.0, 0.0);
    at("if(x > 0, lgamma(x), 0)", 0.0, 0.0, 0.0, 0.0);
}

#[test]
fn nested_conditions_are_masked_together() {
    at("if(x > 0, if(x < 1, sqrt(1 - x), 0), sqrt(-x))", 1.0, 0.0, 0.0, 0.0);
    at("if(x > 0, if(x < 1, log(x), 0), 5)", -3.0, 5.0, 0.0, 0.0);
    at("if(x > 0, if(x < 1, sqrt(x - x^2), log(x)), x^2)", -3.0, 9.0, -6.0, 2.0);
    at("exp(if(x > 0, log(if(x > 1, sqrt(x - 1), 1)), 0))", 1.0, 1.0, 0.0, 0.0);
}

#[test]
fn the_length_of_a_number_has_a_slope_of_zero_at_zero() {
    let root = Expected { at: &[0.0], value: 0.0, gradient: &[0.0], hessian: &[FREE] };
    check_at("sqrt(x^2)", &root, Level::Fast);
    at("abs(x)", 0.0, 0.0, 0.0, 0.0);
}

#[test]
fn lengths_have_a_slope_of_zero_at_zero() {
    for text in [
        "hypot(x, y)",
        "sqrt(x^2 + y^2)",
        "norm([x, y, x - y])",
        "sqrt((x - y)^2/3 + (2*y)^2)",
        "x*norm([x, y])",
    ] {
        let corner = Expected { at: &[0.0, 0.0], value: 0.0, gradient: &[0.0, 0.0], hessian: &[] };
        check_at(text, &corner, Level::Fast);
    }
    let beside = Expected { at: &[0.0, 0.0], value: 1.0, gradient: &[0.0, 2.0], hessian: &[] };
    check_at("exp(-norm([x, y])) + 2*y", &beside, Level::Fast);
    for undefined in ["log(hypot(x, y))", "x/sqrt(x^2 + y^2)", "1/norm([x, y])"] {
        let f = parse(undefined).expect("it parses");
        let both = Derivation { purpose: Purpose::Compute, ..Derivation::default() }.value_and_gradient(&f);
        let evaluator =
            Evaluator::new(&both.expect("it derives"), Engine::Jit, Level::Fast).expect("it compiles");
        let mut found = [0.0; 3];
        evaluator.call(&[0.0, 0.0], &mut found).expect("the lengths agree");
        assert!(found.iter().all(|y| !y.is_finite()), "{undefined}: {found:?}");
    }
}

#[test]
fn the_square_of_a_length_has_no_root_in_it() {
    for text in ["sqrt(x^2 + y^2)^2", "norm([x, y])^2", "hypot(x, y)^2"] {
        let square =
            Expected { at: &[0.0, 0.0], value: 0.0, gradient: &[0.0, 0.0], hessian: &[2.0, 0.0, 0.0, 2.0] };
        check_at(text, &square, Level::Fast);
    }
}

#[test]
fn entropy_is_finite_at_the_corners() {
    at("if(p > 0, -p*log(p), 0)", 0.0, 0.0, 0.0, 0.0);
    at("if(p > 0, p*log(p/0.5), 0)", 0.0, 0.0, 0.0, 0.0);
    check(
        "if(p > 0, p*log(p), 0) + if(q > 0, q*log(q), 0)",
        &Expected { at: &[0.0, 1.0], value: 0.0, gradient: &[0.0, 1.0], hessian: &[0.0, 0.0, 0.0, 1.0] },
    );
}

#[test]
fn extremes_pass_gradients_to_what_attains_them_only() {
    at("max(x, 0)*if(x > 0, log(x), 1)", -1.0, 0.0, 0.0, 0.0);
    at("if(x > 0, max(log(x), 0), 0)", -1.0, 0.0, 0.0, 0.0);
    at("min(x^2, if(x > 1, sqrt(x - 1), 9))", 1.0, 1.0, 2.0, 2.0);
}

#[test]
fn what_vanishes_outweighs_what_overflows() {
    for text in
        ["tanh(sinh(x))", "tanh(exp(x))", "erf(sinh(x))", "sigmoid(exp(x))", "tanh(2*exp(3*x + 1) - 5)"]
    {
        check_at(
            text,
            &Expected { at: &[800.0], value: 1.0, gradient: &[0.0], hessian: &[0.0] },
            Level::Fast,
        );
    }
    for text in ["exp(-exp(x))", "erfc(exp(x))", "x*exp(-exp(x))", "exp(-cosh(x))", "sigmoid(-exp(x))*exp(x)"]
    {
        check_at(
            text,
            &Expected { at: &[800.0], value: 0.0, gradient: &[0.0], hessian: &[0.0] },
            Level::Fast,
        );
    }
    // The slope is 2e-174, the curvature its negative; in 32 bits both are 0.
    let slope = (-400.0_f64).exp();
    for text in ["atan(exp(x))", "atan(sinh(x))"] {
        let f = parse(text).expect("it parses");
        let slopes = Derivation { purpose: Purpose::Compute, ..Derivation::default() }.up_to(&f, 2);
        let evaluator =
            Evaluator::new(&slopes.expect("it derives"), Engine::Jit, Level::Fast).expect("it compiles");
        let mut found = [0.0; 3];
        evaluator.call(&[400.0], &mut found).expect("the lengths agree");
        let times = if text.contains("sinh") { 2.0 } else { 1.0 };
        compare(
            text,
            "up to 2",
            &[400.0],
            &found,
            &[std::f64::consts::FRAC_PI_2, times * slope, -times * slope],
        );
    }
}

#[test]
fn a_tail_outweighs_what_overflows() {
    let f = parse("erfc(exp(x))*exp(x)").expect("it parses");
    on_all_engines(
        "erfc(exp(x))*exp(x)",
        "value",
        &simplify(&f, Level::Fast, Purpose::Compute),
        Level::Fast,
        &[800.0],
        &[0.0],
    );
}

#[test]
fn a_pole_beside_what_vanishes_stays_undefined() {
    for text in ["tanh(exp(1/x))", "exp(-exp(1/x))/x", "tanh(exp(x))/(x - 800)"] {
        let at = if text.contains("800") { 800.0 } else { 0.0 };
        let f = parse(text).expect("it parses");
        let both = Derivation { purpose: Purpose::Compute, ..Derivation::default() }.value_and_gradient(&f);
        let evaluator =
            Evaluator::new(&both.expect("it derives"), Engine::Jit, Level::Fast).expect("it compiles");
        let mut found = [0.0; 2];
        evaluator.call(&[at], &mut found).expect("the lengths agree");
        assert!(!found[1].is_finite(), "{text} has no slope at {at}, not {}", found[1]);
    }
}

#[test]
fn a_power_of_zero_is_zero_whatever_the_exponent() {
    let power =
        Expected { at: &[0.0, 2.0], value: 0.0, gradient: &[0.0, 0.0], hessian: &[FREE, FREE, FREE, 0.0] };
    check_at("x^y", &power, Level::Fast);
    check_at(
        "3*x^y + y",
        &Expected { gradient: &[0.0, 1.0], hessian: &[], value: 2.0, ..power },
        Level::Fast,
    );
    // Where the function has a logarithm of its own, or the exponent is not positive, there is no slope.
    for (text, at) in
        [("x^y*log(x)", [0.0, 2.0]), ("x^y", [0.0, 0.0]), ("x^y", [0.0, -1.0]), ("x^y", [-1.0, 2.0])]
    {
        let f = parse(text).expect("it parses");
        let both = Derivation { purpose: Purpose::Compute, ..Derivation::default() }.value_and_gradient(&f);
        let evaluator =
            Evaluator::new(&both.expect("it derives"), Engine::Jit, Level::Fast).expect("it compiles");
        let mut found = [0.0; 3];
        evaluator.call(&at, &mut found).expect("the lengths agree");
        assert!(!found[2].is_finite(), "{text} at {at:?}: {found:?}");
    }
}

#[test]
fn what_is_nan_is_not_outweighed() {
    for text in ["exp(-x)*(y^2 + 1)", "exp(-x^2)*(x^2 + y^2)", "tanh(exp(x))*y^2"] {
        let f = parse(text).expect("it parses");
        let both = Derivation { purpose: Purpose::Compute, ..Derivation::default() }.value_and_gradient(&f);
        let evaluator =
            Evaluator::new(&both.expect("it derives"), Engine::Jit, Level::Fast).expect("it compiles");
        let mut found = [0.0; 3];
        evaluator.call(&[1e7, f64::NAN], &mut found).expect("the lengths agree");
        assert!(found[0].is_nan() && found[1].is_nan(), "{text}: {found:?}");
    }
}

#[test]
fn the_root_of_what_is_rectified_has_a_slope() {
    for (x, value, slope) in [(-1.0, 0.0, 0.0), (2.0, 2.0, 0.5), (0.0, 0.0, f64::INFINITY)] {
        check_at(
            "sqrt(x + abs(x))",
            &Expected { at: &[x], value, gradient: &[slope], hessian: &[FREE] },
            Level::Fast,
        );
    }
}

#[test]
fn the_root_of_what_is_zero_all_around_has_the_slope_zero() {
    for formula in [
        "sqrt(x - abs(x))",
        "sqrt(if(x > 0, 0, -2*x))",
        "sqrt(if(x < 0, -x, if(x < 1, x, 0)))",
        "cbrt(if(x > 0, 0, sin(x)))^2",
    ] {
        check_at(
            formula,
            &Expected { at: &[2.0], value: 0.0, gradient: &[0.0], hessian: &[0.0] },
            Level::Fast,
        );
    }
    let chain = Expected { at: &[0.0], value: 0.0, gradient: &[0.0], hessian: &[0.0] };
    check_at("if(log1p(sqrt(x)) == 0, 0, log1p(sqrt(x)))", &chain, Level::Fast);
    let inside = Expected { at: &[0.25], value: 0.5, gradient: &[1.0], hessian: &[-2.0] };
    check_at("sqrt(if(x < 0, -x, if(x < 1, x, 0)))", &inside, Level::Fast);
}

#[test]
fn quotients_by_a_square_are_in_range_where_it_is_not() {
    let check = |formula: &str, x: f64, value: f64, slope: f64| {
        for mode in [Mode::Reverse, Mode::Forward] {
            let derivation = Derivation { mode, purpose: Purpose::Compute, ..Derivation::default() };
            let both =
                derivation.value_and_gradient(&parse(formula).expect("it parses")).expect("it derives");
            let evaluator = Evaluator::new(&both, Engine::Jit, Level::Fast).expect("it compiles");
            let mut found = [0.0; 2];
            evaluator.call(&[x], &mut found).expect("the lengths agree");
            for (found, truth) in found.into_iter().zip([value, slope]) {
                let is_right = (found - truth).abs() <= 1e-13 * truth.abs();
                assert!(is_right, "{mode:?} {formula} at {x:e}: {found:e}, not {truth:e}");
            }
        }
    };
    check("x^2/(1 + x^2)", 1e200, 1.0, 0.0);
    check("3*x^2/(9 + x^2)", -1e200, 3.0, 0.0);
    check("x/(1 + x^2)", 1e200, 1e-200, 0.0);
    check("x/(1 - x^2)", 1e200, -1e-200, 0.0);
    check("x^3/(x^2 - 4)", 1e100, 1e100, 1.0);
    check("x^2/x", 1e200, 1e200, 1.0);
    check("x^2/x", -1e-200, -1e-200, 1.0);
    check("abs(x^2/x - x)", -0.4, 0.0, 0.0);
    check("asinh(log(cosh(x) + 3))", 709.0, 7.256025086603417, 0.0014118160785917186);
    check("log(2*log(x)/x)", 1e200, -453.6915216064532, -9.978285275904837e-201);
    check("log(1 + x^2)/2", 1e200, 200.0 * std::f64::consts::LN_10, 1e-200);
    let (quarter, half) = (std::f64::consts::FRAC_PI_4, std::f64::consts::FRAC_PI_2);
    check("atan(sinh(x)*if(x < 0, -1, 1))", 400.0, half, 2.0 * (-400_f64).exp());
    check("atan(2^x)", 600.0, half, std::f64::consts::LN_2 * 2_f64.powi(-600));
    check("atan(x^x)", 1.0, quarter, 0.5);
    check("atan(x^50)", 1e4, half, 50e-204);
    check("coth(x^(-50))", 1e4, 1e200, 50e196);
    check("sqrt((1/x^50)^2 + 4)", 1e4, 2.0, 0.0);
    check("softsign(sinh(x))", 50.0, 1.0, 2.0 * (-50_f64).exp());
    check("(sinh(x) - 1)/(sinh(x) + 1)", 50.0, 1.0, 4.0 * (-50_f64).exp());
}

#[test]
fn shares_of_a_subnormal_length_have_slopes() {
    // The kernels for columns in 32 bits round these arguments to 0.
    for (at, slope) in [([0.0, 1e-310], [f64::INFINITY, 0.0]), ([3e-310, 0.0], [0.0, 0.0])] {
        let f = parse("x/sqrt(x^2 + y^2)").expect("it parses");
        let slopes = Derivation { purpose: Purpose::Compute, ..Derivation::default() }.up_to(&f, 2);
        let evaluator =
            Evaluator::new(&slopes.expect("it derives"), Engine::Jit, Level::Fast).expect("it compiles");
        let mut found = [0.0; 5];
        evaluator.call(&at, &mut found).expect("the lengths agree");
        assert_eq!((found[1], found[2]), (slope[0], 0.0), "by x at {at:?}");
        assert_eq!(found[3], slope[1], "by y at {at:?}");
    }
}

/// The gradient of a program's loss by `x` at a point, compiled and interpreted, in either mode, for one
/// example and for a batch of which it is the second.
#[track_caller]
fn check_program(text: &str, x: &[f64], value: f64, expected: &[f64]) {
    let model =
        read_program(text, Phase::Predict, &Limits::default()).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let mut first = vec![value];
    first.extend(expected);
    for mode in [Mode::Reverse, Mode::Forward] {
        let derivation = Derivation { mode, purpose: Purpose::Compute, ..Derivation::default() };
        let both = value_and_gradients(&model, &["x".to_owned()], &derivation).expect("it derives");
        for engine in [Engine::Jit, Engine::Interpreter] {
            let mut evaluator = ArrayEvaluator::new(&both, engine, Level::Fast).expect("it compiles");
            let found = evaluator.call(x).expect("the lengths agree");
            compare(text, &format!("as a program, {mode:?} {engine:?}"), x, &found, &first);
        }
    }
    in_a_batch(text, x, expected);
}

/// The gradient within a batch of three: the sum over the examples of their losses by their own `x`.
#[track_caller]
fn in_a_batch(text: &str, x: &[f64], expected: &[f64]) {
    let model = read_program(text, Phase::Predict, &Limits::default()).expect("it was read before");
    let loss = model.values.iter().find(|value| value.name == "loss").expect("a loss").node;
    let symbols = model.graph.symbols().collect();
    let function = Function::new(model.graph.clone(), symbols, vec![loss]);
    let stable = prepared(function, Level::Fast, Purpose::Compute);
    let (mut graph, loss) = (stable.graph().clone(), stable.outputs()[0]);
    let node = graph.input_node(graph.symbol("x").expect("an input"));
    let single = graph.shape(node).clone();
    let extents: Vec<u32> = std::iter::once(3).chain(single.extents().iter().copied()).collect();
    let ty = graph.type_id(Type::new(DType::F64, Shape::new(extents)));
    let many = graph.input_of("xs", ty);
    let losses = batch(&mut graph, &[loss], &[(node, many)], 3)[0].id();
    let total = Builder::over(&mut graph, |b| b.sum(b.expr(losses), 1).id());
    let one = graph.integer(1);
    let slope = vjp(&mut graph, &[(total, one)], &[many])[0].expect("the loss depends on x");
    let symbol = graph.symbol("xs").expect("it was declared");
    let function = Function::new(graph, vec![symbol], vec![slope]);
    let harmless = vec![0.5; x.len()];
    let rows = [&harmless[..], x, &harmless[..]].concat();
    for engine in [Engine::Jit, Engine::Interpreter] {
        let mut evaluator = ArrayEvaluator::new(&function, engine, Level::Fast).expect("it compiles");
        let found = evaluator.call(&rows).expect("the lengths agree");
        compare(text, &format!("in a batch, {engine:?}"), x, &found[x.len()..2 * x.len()], expected);
        assert!(found.iter().all(|y| y.is_finite()), "{text} in a batch: {found:?}");
    }
}

#[test]
fn programs_keep_branches_apart_as_formulas_do() {
    check_program(
        "input x[3]\nloss = sum(where(x > 0, sqrt(x), 0))",
        &[0.0, -1.0, 4.0],
        2.0,
        &[0.0, 0.0, 0.25],
    );
    check_program(
        "input x[3]\nloss = sum(where(x > 0, log(x), x))",
        &[0.0, -2.0, 1.0],
        -2.0,
        &[1.0, 1.0, 1.0],
    );
    check_program("input x[2]\nloss = sum(where(x != 0, 1/x, 0))", &[0.0, 2.0], 0.5, &[0.0, -0.25]);
    check_program("input x[2]\nloss = sum(x/where(x > 0, x, 1))", &[0.0, 2.0], 1.0, &[1.0, 0.0]);
    check_program("input x[2]\nloss = sum(if(x < 100, exp(x), x))", &[1000.0, 0.0], 1001.0, &[1.0, 1.0]);
    check_program(
        "input x[2]\nloss = sum(if(x > 0, if(x < 1, log(x), 0), 5))",
        &[-3.0, 1.0],
        5.0,
        &[0.0, 0.0],
    );
}

#[test]
fn norms_and_entropies_of_programs_are_finite_at_their_corners() {
    check_program("input x[2]\nloss = norm(x)^2", &[0.0, 0.0], 0.0, &[0.0, 0.0]);
    check_program("input x[2]\nloss = norm(x)", &[0.0, 0.0], 0.0, &[0.0, 0.0]);
    check_program(
        "input x[2, 2]\nloss = sum[i](norm(x[i]))",
        &[0.0, 0.0, 3.0, 4.0],
        5.0,
        &[0.0, 0.0, 0.6, 0.8],
    );
    check_program("input x[2]\nloss = sum(if(x > 0, -x*log(x), 0))", &[0.0, 1.0], 0.0, &[0.0, -1.0]);
    check_program(
        "input x[2]\nloss = kl(x, [0.5, 0.5])",
        &[0.0, 1.0],
        2.0f64.ln(),
        &[0.0, 2.0f64.ln() + 1.0],
    );
    check_program("input x[3]\nloss = -log_softmax(x)[0]", &[1e8, -1e8, 0.0], 0.0, &[0.0, 0.0, 0.0]);
    check_program("input x[3]\nloss = cross_entropy(x, 1)", &[1e3, -1e3, 0.0], 2e3, &[1.0, -1.0, 0.0]);
}
