//! A model made in code, and a training loop of one's own around its compiled step.
//!
//! A line is fitted to a table by the expressions of a builder. Each call of `step` is one call of
//! machine code: batch, forward, backward, and the update by the optimizer of the settings, which is
//! written here in the language of programs.

use symdiff::data::Array;
use symdiff::elaborate::program::{Init, ModelBuilder};
use symdiff::train::{Program, Training, TrainingOptions};
use symdiff::{Limits, Scalar};

const SETTINGS: &str = "
    optimizer heavy_ball(lr, beta = 0.9) {
        state v = 0
        v := beta*v - lr*g
        w := w + v
    }
    train { optimizer = heavy_ball(lr = 0.02), steps = 1000, batch = full }
";

fn main() -> Result<(), symdiff::Error> {
    let m = ModelBuilder::new();
    let (x, y) = (m.input("x", &[]), m.input("y", &[]));
    let slope = m.param("slope", &[], Init::Constant(0.0));
    let height = m.param("height", &[], Init::Constant(0.0));
    m.minimize((slope * x + height - y).square());

    let program = Program::built(&m, SETTINGS, &Limits::default())?;
    let xs = [0.0, 1.0, 2.0, 3.0, 4.0];
    let ys = [1.1, 2.9, 5.2, 6.9, 9.1];
    let data = program.prepare_arrays(vec![Array::new("x", &[5], &xs)?, Array::new("y", &[5], &ys)?])?;
    let mut training = Training::of(&program, data, &TrainingOptions::default())?;

    let mut before = f64::INFINITY;
    loop {
        let loss = training.step()?;
        if (before - loss).abs() < 1e-15 {
            break;
        }
        before = loss;
    }
    let params = training.params()?;
    println!("y = {:.4}*x + {:.4}, mean squared error {before:.6}", params[0][0], params[1][0]);
    Ok(())
}
