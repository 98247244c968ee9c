//! A program trained on numbers of one's own: a circle in the plane, told from what lies around it.
//!
//! The program says what to learn; the data are slices, a callback looks on, and the trained
//! program answers for points it has not seen.

use std::ops::ControlFlow;
use symdiff::Limits;
use symdiff::data::{Array, Dataset, Random, Wishes};
use symdiff::train::{Predictor, Program, Training, TrainingOptions};

const PROGRAM: &str = "
    input x[2], inside
    z = x |> dense(16, tanh) |> dense(1)
    p = sigmoid(z[0])
    loss = bce(p, inside)
    metric accuracy = round(p) == inside
    train { optimizer = adam(lr = 0.02), epochs = 60, batch = 32, validation = 0.2, seed = 3 }
";

fn main() -> Result<(), symdiff::Error> {
    let mut random = Random::new(7, "points");
    let points: Vec<f64> = (0..2 * 500).map(|_| 4.0 * random.uniform() - 2.0).collect();
    let inside: Vec<f64> = points.chunks(2).map(|p| f64::from(p[0] * p[0] + p[1] * p[1] < 1.5)).collect();

    let limits = Limits::default();
    let program = Program::read(PROGRAM, &limits)?;
    let arrays = vec![Array::new("x", &[500, 2], &points)?, Array::new("inside", &[500], &inside)?];
    let data = program.prepare_arrays(arrays)?;
    let mut training = Training::of(&program, data, &TrainingOptions::default())?;

    let never = || false;
    let ending = training.run(never, |_, progress| {
        if progress.epoch % 20 == 0 {
            let validation = progress.validation.as_ref().map_or(f64::NAN, |score| score.loss);
            println!("epoch {:2}  loss {:.4}  validation {validation:.4}", progress.epoch, progress.loss);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    println!("{ending:?} after {} steps", training.step_count());

    let predictor = Predictor::new(&training.saved()?, None, &limits)?;
    let new = Dataset::Arrays("new points".into(), vec![Array::new("x", &[2, 2], &[0.1, -0.2, 1.5, 1.5])?]);
    let predictions = predictor.predict(&["p"], Some(&new), &Wishes::default())?;
    let (name, _, values) = &predictions.values[0];
    println!("{name} at the centre > 0.9: {}, in a corner < 0.1: {}", values[0] > 0.9, values[1] < 0.1);
    Ok(())
}
