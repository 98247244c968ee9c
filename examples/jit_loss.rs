//! One sigmoid neuron: its loss and gradient as machine code, and a descent written by hand.

use symdiff::{jit, parse, value_and_grad};

fn main() -> Result<(), symdiff::Error> {
    // L = (σ(w·x + b) − y)² for one example x = 2, y = 1.
    let loss = parse("f(w, b) = (sigmoid(2w + b) - 1)^2")?;
    let kernel = jit(&value_and_grad(&loss)?)?;

    let mut point = [0.5, 0.1];
    let mut out = [0.0; 3]; // value, ∂L/∂w, ∂L/∂b
    for step in 0..=30 {
        kernel.call(&point, &mut out)?;
        if step % 10 == 0 {
            println!("step {step:2}  loss {:.8}  gradient {:.8} {:.8}", out[0], out[1], out[2]);
        }
        point[0] -= out[1];
        point[1] -= out[2];
    }
    Ok(())
}
