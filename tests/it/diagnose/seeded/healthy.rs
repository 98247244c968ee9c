//! Trainings that nothing is wrong with.

use super::tables::{Data, Spoil};
use symdiff::Limits;
use symdiff::train::{Diagnosis, Program, TrainingOptions, diagnose};

/// A program that learns.
pub struct Healthy {
    pub name: &'static str,
    data: Data,
    spoil: Spoil,
    text: &'static str,
}

fn keep(_: &mut [f64], _: &mut f64, _: usize) {}

const fn healthy(name: &'static str, data: Data, text: &'static str) -> Healthy {
    Healthy { name, data, spoil: keep, text }
}

#[rustfmt::skip]
pub const SMALL: &[Healthy] = &[
    healthy("linear", Data::Plane, "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y)
train { optimizer = gd(lr = 0.1), steps = 100 }"),
    healthy("logistic", Data::Blobs, "input x[2], y
param w[2] = 0, b = 0
p = sigmoid(w·x + b)
loss = bce(p, y)
metric accuracy = round(p) == y
train { optimizer = gd(lr = 0.3), steps = 200 }"),
    healthy("softmax-regression-from-zero", Data::Three, "input x[4], y
param W[3,4] = 0, b[3] = 0
logits = W @ x + b
loss = cross_entropy(logits, y)
train { optimizer = gd(lr = 0.3), steps = 200 }"),
    healthy("relu-net", Data::Curve, "input x[1], y
p = x |> dense(24, relu) |> dense(24, relu) |> dense(1)
loss = mse(p[0], y)
train { optimizer = adam(lr = 0.02), steps = 300 }"),
    healthy("tanh-net-in-batches", Data::Checks, "input x[2], y
z = x |> dense(16, tanh) |> dense(1)
loss = bce_logits(z[0], y)
train { optimizer = adam(lr = 0.03), epochs = 60, batch = 16, clip_norm = 1 }"),
    healthy("classes-with-dropout", Data::Three, "input x[4], y
logits = x |> dense(16, relu) |> dropout(0.2) |> dense(3)
loss = cross_entropy(logits, y)
train { optimizer = adamw(lr = 0.01, weight_decay = 0.01), epochs = 30, batch = 16, validation = 0.2 }"),
    healthy("recurrent", Data::Sequences, "input x[20], y
xs = reshape(x, 20, 1)
p = xs |> gru(6) |> last |> dense(1)
loss = mse(p[0], y)
train { optimizer = adam(lr = 0.02), steps = 150 }"),
    healthy("gaussian-likelihood", Data::Plane, "input x[4], y
param w[4] = 0, b = 0, s = 0
p = w·x + b
loss = (p - y)^2*exp(-2*s)/2 + s
train { optimizer = adam(lr = 0.03), steps = 400 }"),
    healthy("quasi-newton", Data::Plane, "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y)
train { optimizer = lbfgs, l2 = 0.001 }"),
    Healthy { name: "large-numbers-without-rate", data: Data::Plane, spoil: |x, y, _| { x[0] *= 500.0; *y *= 1000.0 }, text: "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y)
train { optimizer = lbfgs }" },
    Healthy { name: "nothing-to-learn", data: Data::Plane, spoil: |_, y, row| *y = f64::from(u8::from(row * 7919 % 13 > 6)), text: "input x[4], y
param w[4] ~ normal(0, 0.01), b = 0
loss = bce_logits(w·x + b, y)
train { optimizer = gd(lr = 0.3), steps = 100 }" },
];

pub fn diagnosed(healthy: &Healthy, rows: usize, seed: u64) -> Result<Diagnosis, symdiff::Error> {
    let program = Program::read(healthy.text, &Limits::default())?;
    let prepared = program.prepare_arrays(healthy.data.table(rows, seed, healthy.spoil).arrays())?;
    diagnose(&program, prepared, &TrainingOptions { seed: Some(seed), ..TrainingOptions::default() })
}
