//! Trainings with one fault each, and the cause a diagnosis is to name first.
//!
//! The programs differ in layers, losses, sizes and places; a fault is put where somebody would make
//! it. `HELD_OUT` were written when the diagnosis stood, and nothing was fitted to them.

use super::tables::{Data, Spoil};
use symdiff::train::Cause;

/// A program that is wrong in one way.
pub struct Seeded {
    pub name: &'static str,
    pub data: Data,
    pub spoil: Spoil,
    pub text: &'static str,
    pub cause: Cause,
}

fn keep(_: &mut [f64], _: &mut f64, _: usize) {}

const fn fault(name: &'static str, data: Data, cause: Cause, text: &'static str) -> Seeded {
    Seeded { name, data, spoil: keep, text, cause }
}

const fn spoilt(name: &'static str, data: Data, spoil: Spoil, cause: Cause, text: &'static str) -> Seeded {
    Seeded { name, data, spoil, text, cause }
}

const LINEAR: &str = "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y)
train { optimizer = gd(lr = 0.1), steps = 100 }";

const LOGISTIC: &str = "input x[2], y
param w[2] ~ normal(0, 0.1), b = 0
z = w·x + b
loss = bce_logits(z, y)
train { optimizer = gd(lr = 0.3), steps = 100 }";

#[rustfmt::skip]
pub const OPERATIONS: &[Seeded] = &[
    fault("log-of-a-linear-output", Data::Plane, Cause::Undefined, "input x[4], y
param w[4] ~ normal(0, 0.5), b = 0
p = w·x + b
loss = mse(log(p), y)
train { optimizer = gd(lr = 0.01), steps = 50 }"),
    fault("sqrt-of-a-hidden-unit", Data::Curve, Cause::Undefined, "input x[1], y
h = x |> dense(6, tanh)
loss = mse(sum(sqrt(h)), y)
train { optimizer = adam(lr = 0.01), steps = 50 }"),
    fault("bce-of-a-score", Data::Blobs, Cause::Undefined, "input x[2], y
param w[2] ~ normal(0, 1), b = 0.5
p = w·x + b
loss = bce(p, y)
train { optimizer = gd(lr = 0.1), steps = 50 }"),
    fault("log-of-a-clamped-probability", Data::Blobs, Cause::Undefined, "input x[2], y
param w[2] ~ normal(0, 2)
p = clamp(w·x + 0.5, 0, 1)
loss = -(y*log(p) + (1 - y)*log(1 - p))
train { optimizer = gd(lr = 0.1), steps = 50 }"),
    fault("softmax-by-hand", Data::Three, Cause::Overflow, "input x[4], y
e = exp(400*x |> dense(3))
p = e/sum(e)
loss = -sum(onehot(y, 3)*log(p + 1e-9))
train { optimizer = adam(lr = 0.01), steps = 50 }"),
    spoilt("deviation-of-equal-numbers", Data::Plane, |x, _, row| if row % 9 == 4 { x.fill(1.5) }, Cause::Undefined, "input x[4], y
centred = x - mean(x)
scaled = centred/std(x)
p = scaled |> dense(8, tanh) |> dense(1)
loss = mse(p[0], y)
train { optimizer = adam(lr = 0.01), steps = 50 }"),
    fault("direction-of-zero", Data::Plane, Cause::Undefined, "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y) + 0.01*(w/norm(w))[0]
train { optimizer = gd(lr = 0.1), steps = 50 }"),
    fault("angle-beyond-one", Data::Plane, Cause::Undefined, "input x[4], y
param w[4] ~ normal(0, 1)
angle = acos(w·x)
loss = mse(angle, y)
train { optimizer = adam(lr = 0.01), steps = 50 }"),
    fault("root-as-a-power", Data::Plane, Cause::Undefined, "input x[4], y
param w[4] ~ normal(0, 1), b = 0
loss = huber((w·x + b)^0.5, y)
train { optimizer = momentum(lr = 0.01), steps = 50 }"),
    spoilt("log-of-an-empty-count", Data::Plane, |x, _, row| { x[0] = x[0].abs() + 0.1; if row == 17 { x[0] = 0.0 } }, Cause::Undefined, "input x[4], y
param a = 1, w[4] = 0
logs = log(x[0])
loss = mse(a*logs + w·x, y)
train { optimizer = adam(lr = 0.01), steps = 50, batch = 16 }"),
    spoilt("poisson-rate-overflows", Data::Plane, |x, y, _| { x[3] += 1500.0; *y = y.abs() }, Cause::Overflow, "input x[4], y
param w[4] = 0.6
rate = exp(w·x)
loss = rate - y*log(rate)
train { optimizer = gd(lr = 0.01), steps = 50 }"),
    fault("kl-with-nothing-in-it", Data::Three, Cause::Undefined, "input x[4], y
q = x |> dense(3, relu)
loss = kl(onehot(y, 3)*0.9 + 0.1/3, q)
train { optimizer = adam(lr = 0.01), steps = 50 }"),
    fault("single-precision-overflows", Data::Curve, Cause::Overflow, "input x[1], y
param a = 50, b = 0
p = exp(a*x[0] + b)
loss = abs(p - y)
train { optimizer = adam(lr = 0.001), steps = 50, precision = f32 }"),
    spoilt("cosine-of-a-zero-vector", Data::Plane, |x, _, row| if row == 5 { x.fill(0.0) }, Cause::Undefined, "input x[4], y
param w[4] ~ normal(0, 1)
cosine = w·x/(norm(w)*norm(x))
loss = (cosine - y)^2
train { optimizer = adam(lr = 0.01), epochs = 5, batch = 8 }"),
    fault("squaring-recurrence", Data::Sequences, Cause::ExplodingScan, "input x[20], y
step(h, v) = h^2 + 3*v
param start = 2
states = scan(step, start, x)
loss = mse(last(states), y)
train { optimizer = adam(lr = 0.01), steps = 30 }"),
    fault("division-by-a-learnt-zero", Data::Plane, Cause::Undefined, "input x[4], y
param w[4] ~ normal(0, 1), temperature = 0
loss = mse((w·x)/temperature, y)
train { optimizer = gd(lr = 0.01), steps = 50 }"),
];

#[rustfmt::skip]
pub const SETTINGS: &[Seeded] = &[
    fault("rate-of-ten", Data::Plane, Cause::RateTooHigh, "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y)
train { optimizer = gd(lr = 10), steps = 200 }"),
    fault("rate-of-a-millionth", Data::Plane, Cause::RateTooLow, "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y)
train { optimizer = gd(lr = 1e-6), steps = 200 }"),
    fault("adam-that-stands", Data::Three, Cause::RateTooLow, "input x[4], y
logits = x |> dense(12, tanh) |> dense(3)
loss = cross_entropy(logits, y)
train { optimizer = adam(lr = 1e-7), epochs = 20, batch = 16 }"),
    fault("adam-that-jumps", Data::Curve, Cause::RateTooHigh, "input x[1], y
p = x |> dense(12, tanh) |> dense(1)
loss = mse(p[0], y)
train { optimizer = adam(lr = 20), steps = 150 }"),
    fault("momentum-overshoots", Data::Plane, Cause::RateTooHigh, "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y)
train { optimizer = momentum(lr = 3, beta = 0.9), steps = 100 }"),
    fault("rate-decays-at-once", Data::Plane, Cause::RateTooLow, "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y)
train { optimizer = gd(lr = 0.005*0.5^step), steps = 150 }"),
    fault("warmup-beyond-the-end", Data::Blobs, Cause::RateTooLow, "input x[2], y
param w[2] ~ normal(0, 0.1), b = 0
z = w·x + b
loss = bce_logits(z, y)
train { optimizer = gd(lr = linear_warmup(0.5, warmup = 1000000)), steps = 150 }"),
    fault("clipped-to-nothing", Data::Plane, Cause::Clipped, "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y)
train { optimizer = gd(lr = 0.1), steps = 150, clip_norm = 0.0001 }"),
    fault("decay-of-everything", Data::Plane, Cause::Decay, "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y)
train { optimizer = gd(lr = 0.01), steps = 300, l2 = 50 }"),
    fault("dropout-of-everything", Data::Three, Cause::Dropout, "input x[4], y
logits = x |> dropout(0.99) |> dense(16, tanh) |> dropout(0.99) |> dense(3)
loss = cross_entropy(logits, y)
train { optimizer = adam(lr = 0.01), steps = 150 }"),
    fault("deep-net-with-a-rate-too-high", Data::Curve, Cause::RateTooHigh, "input x[1], y
p = x |> dense(16, relu) |> dense(16, relu) |> dense(1)
loss = mse(p[0], y)
train { optimizer = sgd(lr = 8), epochs = 20, batch = 16 }"),
];

#[rustfmt::skip]
pub const DATA: &[Seeded] = &[
    spoilt("features-in-thousands", Data::Plane, |x, _, _| x.iter_mut().for_each(|x| *x *= 1000.0), Cause::Scale, LINEAR),
    spoilt("one-column-in-metres", Data::Plane, |x, _, _| x[2] *= 1e4, Cause::Scale, "input x[4], y
p = x |> dense(1)
loss = mse(p[0], y)
train { optimizer = gd(lr = 0.05), steps = 100 }"),
    spoilt("years-as-they-are", Data::Blobs, |x, _, row| { x[0] = 1990.0 + (row % 2) as f64 + 0.2*x[1] }, Cause::Scale, "input x[2], y
logits = x |> dense(8, tanh) |> dense(1)
loss = bce_logits(logits[0], y)
train { optimizer = adam(lr = 0.01), steps = 100 }"),
    spoilt("prices-as-they-are", Data::Plane, |_, y, _| *y = 1e5*(*y + 8.0), Cause::Scale, "input x[4], price
p = x |> dense(8, tanh) |> dense(1)
loss = mse(p[0], price)
train { optimizer = adam(lr = 0.01), steps = 150 }"),
    spoilt("a-feature-that-never-varies", Data::Plane, |x, _, _| x[3] = 1.5, Cause::ConstantFeature, LINEAR),
    spoilt("a-feature-twice", Data::Plane, |x, _, _| x[3] = x[0], Cause::DuplicateFeature, LINEAR),
    spoilt("one-class-only", Data::Blobs, |_, y, _| *y = 1.0, Cause::ConstantTarget, LOGISTIC),
    spoilt("one-target-only", Data::Plane, |_, y, _| *y = 3.5, Cause::ConstantTarget, "input x[4], y
p = x |> dense(6, relu) |> dense(1)
loss = (p[0] - y)^2
train { optimizer = adam(lr = 0.01), steps = 100 }"),
    spoilt("labels-one-and-two", Data::Blobs, |_, y, _| *y += 1.0, Cause::TargetRange, "input x[2], y
param w[2] ~ normal(0, 1), b = 0
p = sigmoid(w·x + b)
loss = bce(p, y)
train { optimizer = gd(lr = 0.1), steps = 100 }"),
    spoilt("labels-of-two-signs", Data::Blobs, |_, y, _| *y = 2.0**y - 1.0, Cause::TargetRange, LOGISTIC),
    fault("hinge-of-zero-and-one", Data::Blobs, Cause::TargetRange, "input x[2], y
param w[2] ~ normal(0, 1), b = 0
loss = hinge(w·x + b, y)
train { optimizer = gd(lr = 0.1), steps = 100 }"),
];

#[rustfmt::skip]
pub const STRUCTURE: &[Seeded] = &[
    spoilt("sigmoid-before-large-targets", Data::Plane, |_, y, _| *y = (*y + 8.0).clamp(0.0, 9.0), Cause::OutputRange, "input x[4], y
p = x |> dense(8, tanh) |> dense(1, sigmoid)
loss = mse(p[0], y)
train { optimizer = adam(lr = 0.01), steps = 100 }"),
    spoilt("tanh-before-large-targets", Data::Curve, |_, y, _| *y *= 5.0, Cause::OutputRange, "input x[1], y
param w[8] ~ normal(0, 1), v[8] ~ normal(0, 1)
p = tanh(v·relu(w*x[0]))
loss = mae(p, y)
train { optimizer = adam(lr = 0.01), steps = 100 }"),
    fault("relu-before-negative-targets", Data::Curve, Cause::OutputRange, "input x[1], y
h = x |> dense(12, tanh)
p = h |> dense(1, relu)
loss = (p[0] - y)^2
train { optimizer = adam(lr = 0.01), steps = 100 }"),
    fault("softmax-twice", Data::Three, Cause::DoubleSoftmax, "input x[4], y
p = softmax(x |> dense(12, relu) |> dense(3))
loss = cross_entropy(p, y)
train { optimizer = adam(lr = 0.01), steps = 100 }"),
    fault("sigmoid-twice", Data::Blobs, Cause::DoubleSoftmax, "input x[2], y
param w[2] ~ normal(0, 1), b = 0
p = sigmoid(w·x + b)
loss = bce_logits(p, y)
train { optimizer = gd(lr = 0.3), steps = 100 }"),
    fault("rounded-inside", Data::Blobs, Cause::CutOff, "input x[2], y
param w[2] ~ normal(0, 1), v = 1, c = 0
gate = round(sigmoid(w·x))
loss = bce_logits(v*gate + c, y)
train { optimizer = gd(lr = 0.1), steps = 100 }"),
    fault("decided-before-the-loss", Data::Blobs, Cause::CutOff, "input x[2], y
param w[2] ~ normal(0, 1), b = 0
class = if(w·x + b > 0, 1, 0)
loss = mse(class, y)
train { optimizer = gd(lr = 0.1), steps = 100 }"),
    fault("a-layer-left-out", Data::Curve, Cause::Unused, "input x[1], y
a = x |> dense(8, tanh)
b = a |> dense(8, tanh)
p = a |> dense(1)
loss = mse(p[0], y)
train { optimizer = adam(lr = 0.02), steps = 300 }"),
    fault("compared-with-itself", Data::Plane, Cause::Unused, "input x[4], y
param w[4] ~ normal(0, 1)
p = w·x
loss = mse(p, x[0])
metric error = abs(p - y)
train { optimizer = gd(lr = 0.1), steps = 100 }"),
    fault("all-weights-zero", Data::Checks, Cause::Symmetric, "input x[2], y
param W1[8,2] = 0, b1[8] = 0, W2[8] = 0, b2 = 0
h = tanh(W1 @ x + b1)
loss = bce_logits(W2·h + b2, y)
train { optimizer = gd(lr = 0.5), steps = 200 }"),
    fault("all-weights-alike", Data::Checks, Cause::Symmetric, "input x[2], y
param W1[6,2] = 0.5, b1[6] = 0.1, W2[1,6] = 0.3, b2[1] = 0
h = sigmoid(W1 @ x + b1)
z = W2 @ h + b2
loss = bce_logits(z[0], y)
train { optimizer = adam(lr = 0.02), steps = 200 }"),
    fault("errors-that-cancel", Data::Plane, Cause::Unbounded, "input x[4], y
param w[4] = 0, b = 0
p = w·x + b
loss = y - p
train { optimizer = gd(lr = 0.1), steps = 200 }"),
    fault("made-large-instead", Data::Plane, Cause::Unbounded, "input x[4], y
param w[4] = 0.1, b = 0
maximize mse(w·x + b, y)
train { optimizer = gd(lr = 0.05), steps = 200 }"),
    fault("a-branch-never-taken", Data::Plane, Cause::ZeroGradient, "input x[4], y
param u[4] ~ normal(0, 1), w[4] ~ normal(0, 1)
p = if(x[0] > 50, u·x, w·x)
loss = mse(p, y)
train { optimizer = gd(lr = 0.1), steps = 100 }"),
];

#[rustfmt::skip]
pub const UNITS: &[Seeded] = &[
    fault("biases-far-below", Data::Curve, Cause::DeadUnits, "input x[1], y
param W[16,1] ~ he, b[16] = -100, v[16] ~ normal(0, 0.3), c = 0
h = relu(W @ x + b)
loss = mse(v·h + c, y)
train { optimizer = adam(lr = 0.01), steps = 150 }"),
    spoilt("weights-below-for-inputs-above", Data::Three, |x, _, _| x.iter_mut().for_each(|x| *x = x.abs()), Cause::DeadUnits, "input x[4], y
param W[12,4] ~ uniform(-2, -1), b[12] = 0
h = relu(W @ x + b)
logits = h |> dense(3)
loss = cross_entropy(logits, y)
train { optimizer = adam(lr = 0.01), steps = 100 }"),
    fault("weights-of-a-hundred", Data::Curve, Cause::Saturated, "input x[1], y
param W[10,1] ~ normal(0, 1000), b[10] ~ normal(0, 1000), v[10] ~ normal(0, 0.3)
h = tanh(W @ x + b)
loss = mse(v·h, y)
train { optimizer = gd(lr = 0.01), steps = 100 }"),
    fault("twelve-sigmoid-layers", Data::Checks, Cause::Vanishing, "input x[2], y
a = x |> dense(6, sigmoid) |> dense(6, sigmoid) |> dense(6, sigmoid) |> dense(6, sigmoid)
b = a |> dense(6, sigmoid) |> dense(6, sigmoid) |> dense(6, sigmoid) |> dense(6, sigmoid)
z = b |> dense(6, sigmoid) |> dense(6, sigmoid) |> dense(6, sigmoid) |> dense(1)
loss = bce_logits(z[0], y)
train { optimizer = gd(lr = 0.1), steps = 100 }"),
    fault("layers-that-multiply", Data::Curve, Cause::Exploding, "input x[1], y
param A[8,1] ~ normal(0, 3), B[8,8] ~ normal(0, 4), C[8,8] ~ normal(0, 4), D[8,8] ~ normal(0, 4), E[8,8] ~ normal(0, 4), F[1,8] ~ normal(0, 4)
h = relu(D @ relu(C @ relu(B @ relu(A @ x))))
p = F @ relu(E @ h)
loss = mse(p[0], y)
train { optimizer = gd(lr = 0.01), steps = 100 }"),
    fault("a-recurrence-that-multiplies", Data::Sequences, Cause::ExplodingScan, "input x[20], y
param U[6,6] ~ normal(0, 3), w[6] ~ normal(0, 1), v[6] ~ normal(0, 1)
step(h, s) = U @ h + w*s
states = scan(step, zeros(6), x)
loss = mse(v·last(states), y)
train { optimizer = gd(lr = 0.01), steps = 100 }"),
];

/// Written when the diagnosis stood; not fitted to.
#[rustfmt::skip]
pub const HELD_OUT: &[Seeded] = &[
    // Its label was an undefined operation at first; the run shows that the variance runs away.
    fault("a-variance-that-runs-away", Data::Plane, Cause::RateTooHigh, "input x[4], y
param w[4] = 0, b = 0, v = 1
loss = (w·x + b - y)^2/v + log(v)
train { optimizer = gd(lr = 0.05), steps = 400 }"),
    fault("a-geometric-mean", Data::Plane, Cause::Undefined, "input x[4], y
together = prod(x)^(1/4)
param a = 1, b = 0
loss = mae(a*together + b, y)
train { optimizer = adam(lr = 0.01), steps = 100 }"),
    fault("rmsprop-of-thirty", Data::Blobs, Cause::RateTooHigh, "input x[2], y
z = x |> dense(10, tanh) |> dense(1)
loss = bce_logits(z[0], y) + 0.001*sum(z^2)
train { optimizer = rmsprop(lr = 30), steps = 200 }"),
    fault("adagrad-that-stands", Data::Curve, Cause::RateTooLow, "input x[1], y
p = x |> dense(20, tanh) |> dense(1)
loss = huber(p[0], y)
train { optimizer = adagrad(lr = 1e-5), steps = 200 }"),
    spoilt("features-in-millionths", Data::Plane, |x, _, _| x.iter_mut().for_each(|x| *x *= 1e-6), Cause::Scale, "input x[4], y
param w[4] = 0, b = 0
loss = mse(w·x + b, y)
train { optimizer = gd(lr = 0.1), steps = 200 }"),
    spoilt("probabilities-in-percent", Data::Blobs, |_, y, _| *y = 5.0 + 90.0**y, Cause::TargetRange, "input x[2], y
z = x |> dense(6, relu) |> dense(1)
p = sigmoid(z[0])
loss = bce(p, y)
train { optimizer = adam(lr = 0.01), steps = 100 }"),
    fault("softplus-before-negative-targets", Data::Curve, Cause::OutputRange, "input x[1], y
h = x |> dense(10, tanh) |> dense(1)
p = softplus(h[0])
loss = mse(p, y)
train { optimizer = adam(lr = 0.02), steps = 100 }"),
    fault("steps-inside", Data::Curve, Cause::CutOff, "input x[1], y
param w[5] ~ normal(0, 1), b[5] ~ normal(0, 1), v[5] ~ normal(0, 1)
h = floor(4*sigmoid(w*x[0] + b))
loss = mse(v·h, y)
train { optimizer = adam(lr = 0.02), steps = 100 }"),
    fault("ones-everywhere", Data::Checks, Cause::Symmetric, "input x[2], y
param W1[8,2] = 1, v[8] = 1, c = -1
h = sigmoid(W1 @ x)
loss = bce_logits(v·h + c, y)
train { optimizer = adam(lr = 0.02), steps = 200 }"),
    fault("a-dead-second-layer", Data::Three, Cause::DeadUnits, "input x[4], y
param W2[10,12] ~ glorot, b2[10] = -50
h = x |> dense(12, relu)
k = relu(W2 @ h + b2)
logits = k |> dense(3)
loss = cross_entropy(logits, y)
train { optimizer = adam(lr = 0.005), epochs = 20, batch = 20 }"),
    fault("small-weights-in-a-deep-net", Data::Curve, Cause::Vanishing, "input x[1], y
param A[6,1] ~ normal(0, 0.1), B[6,6] ~ normal(0, 0.1), C[6,6] ~ normal(0, 0.1), D[6,6] ~ normal(0, 0.1), E[6,6] ~ normal(0, 0.1), F[1,6] ~ normal(0, 0.1)
h = tanh(D @ tanh(C @ tanh(B @ tanh(A @ x))))
p = F @ tanh(E @ h)
loss = mse(p[0], y)
train { optimizer = gd(lr = 0.05), steps = 100 }"),
    fault("a-state-that-nearly-doubles", Data::Sequences, Cause::ExplodingScan, "input x[20], y
param a = 1.8, w ~ normal(0, 1)
step(h, s) = a*h + w*s
states = scan(step, 0, x)
loss = mse(last(states), y)
train { optimizer = gd(lr = 0.001), steps = 100 }"),
    fault("a-perceptron-without-margin", Data::Blobs, Cause::Unbounded, "input x[2], y
param w[2] ~ normal(0, 1), b = 0
score = (2*y - 1)*(w·x + b)
loss = -score
train { optimizer = adam(lr = 0.1), steps = 300 }"),
    fault("elements-clipped-to-nothing", Data::Three, Cause::Clipped, "input x[4], y
param W[3,4] = 0, b[3] = 0
loss = cross_entropy(W @ x + b, y)
train { optimizer = gd(lr = 0.3), steps = 200, clip_value = 1e-6 }"),
];

/// Written after those, when they had been mended; not fitted to.
#[rustfmt::skip]
pub const AFTERWARDS: &[Seeded] = &[
    fault("log1p-of-a-score", Data::Blobs, Cause::Undefined, "input x[2], y
param w[2] ~ normal(0, 1), b = 0
p = w·x + b
loss = -y*log1p(p) - (1 - y)*log1p(-p)
train { optimizer = gd(lr = 0.05), steps = 60 }"),
    fault("an-exponential-of-an-exponential", Data::Plane, Cause::Overflow, "input x[4], y
param w[4] ~ normal(0, 4), b = 0
h = exp(w·x + b)
loss = mae(exp(h), y)
train { optimizer = adam(lr = 0.01), epochs = 10, batch = 12 }"),
    spoilt("a-ratio-of-features", Data::Plane, |x, _, row| if row == 23 { x[2] = 0.0 }, Cause::Undefined, "input x[4], y
ratio = x[1]/x[2]
features = [x[0], ratio, x[3]]
p = features |> dense(8, tanh) |> dense(1)
loss = mse(p[0], y)
train { optimizer = adam(lr = 0.01), epochs = 10, batch = 10 }"),
    fault("batches-at-a-huge-rate", Data::Three, Cause::RateTooHigh, "input x[4], y
logits = x |> dense(10, relu) |> dense(3)
loss = cross_entropy(logits, y)
train { optimizer = sgd(lr = 300), epochs = 20, batch = 12 }"),
    fault("nesterov-overshoots", Data::Plane, Cause::RateTooHigh, "input x[4], y
param w[4] ~ normal(0, 0.1), b = 0
p = w·x + b
loss = huber(p, y) + 0.5*(p - y)^2
train { optimizer = nesterov(lr = 2), steps = 120 }"),
    fault("a-cosine-of-nothing", Data::Blobs, Cause::RateTooLow, "input x[2], y
z = x |> dense(6, tanh) |> dense(1)
loss = bce_logits(z[0], y)
train { optimizer = momentum(lr = cosine(1e-6, warmup = 10, floor = 1e-8)), steps = 200 }"),
    spoilt("targets-in-millions", Data::Plane, |_, y, _| *y *= 1e6, Cause::Scale, "input x[4], y
p = x |> dense(12, relu) |> dense(1)
loss = mse(p[0], y)
train { optimizer = gd(lr = 0.01), steps = 100 }"),
    spoilt("margins-of-one-and-two", Data::Blobs, |_, y, _| *y += 1.0, Cause::TargetRange, "input x[2], y
z = x |> dense(4, relu) |> dense(1)
loss = hinge(z[0], y)
train { optimizer = adam(lr = 0.01), steps = 80 }"),
    spoilt("percent-before-a-sigmoid", Data::Blobs, |_, y, _| *y = 20.0 + 60.0**y, Cause::OutputRange, "input x[2], y
param w[2] ~ normal(0, 1), b = 0
p = sigmoid(w·x + b)
loss = mae(p, y)
train { optimizer = adam(lr = 0.05), steps = 100 }"),
    fault("argmax-before-the-loss", Data::Three, Cause::CutOff, "input x[4], y
logits = x |> dense(8, relu) |> dense(3)
class = argmax(logits)
loss = mse(class, y)
train { optimizer = adam(lr = 0.01), steps = 80 }"),
    fault("a-bias-left-out", Data::Curve, Cause::Unused, "input x[1], y
param W[12,1] ~ glorot, b[12] ~ normal(0, 1), v[12] ~ normal(0, 0.5), c = 0
h = tanh(W @ x + b)
loss = mse(v·h, y)
train { optimizer = adam(lr = 0.02), steps = 200 }"),
    spoilt("one-class-of-three", Data::Three, |_, y, _| *y = 2.0, Cause::ConstantTarget, "input x[4], y
logits = x |> dense(8, tanh) |> dense(3)
loss = cross_entropy(logits, y)
train { optimizer = adam(lr = 0.02), epochs = 10, batch = 16 }"),
    fault("weights-of-a-tenth", Data::Checks, Cause::Symmetric, "input x[2], y
param A[5,2] = 0.1, B[5,5] = 0.1, v[5] = 0.1, c = 0
h = tanh(B @ tanh(A @ x))
loss = bce_logits(v·h + c, y)
train { optimizer = adam(lr = 0.01), steps = 150 }"),
    fault("inputs-that-saturate", Data::Curve, Cause::Saturated, "input x[1], y
param W[12,1] ~ normal(0, 1), b[12] ~ normal(0, 1), v[12] ~ normal(0, 0.01)
h = sigmoid(2000*(W @ x + b))
loss = mse(v·h, y)
train { optimizer = gd(lr = 0.0001), steps = 100 }"),
];
