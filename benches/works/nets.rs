//! The nets whose training steps are measured, and data for them.

use symdiff::data::{Prepared, Random, Split};

/// What an input of a program is filled with.
#[derive(Clone, Copy)]
pub enum Fill {
    /// As many normal numbers an example.
    Normal(usize),
    /// As many whole numbers below a bound.
    Below(usize, u64),
    /// The examples, one after another.
    These(&'static [f64]),
}

use Fill::{Below, Normal, These};

/// A net: its name, how many examples it has, what its inputs are, and its program.
pub struct Net(pub &'static str, pub usize, pub &'static [Fill], pub &'static str);

pub const NETS: &[Net] = &[
    Net(
        "xor",
        4,
        &[These(&[0., 0., 0., 1., 1., 0., 1., 1.]), These(&[0., 1., 1., 0.])],
        "input x[2], y
         param W1[8,2] ~ normal(0, 1), b1[8] = 0
         param W2[8] ~ normal(0, 1), b2 = 0
         h = tanh(W1 @ x + b1)
         p = sigmoid(W2 · h + b2)
         loss = bce(p, y)
         train { optimizer = gd(lr = 0.5), batch = full }",
    ),
    Net(
        "digits",
        1437,
        &[Normal(64), Below(1, 10)],
        "input x[64], class
         logits = x |> dense(128, relu) |> dense(10)
         loss = cross_entropy(logits, class)
         train { optimizer = adam(lr = 1e-3), batch = 64, precision = f32 }",
    ),
    Net(
        "digits-tanh",
        1437,
        &[Normal(64), Below(1, 10)],
        "input x[64], class
         logits = x |> dense(128, tanh) |> dense(10)
         loss = cross_entropy(logits, class)
         train { optimizer = adam(lr = 1e-3), batch = 64, precision = f32 }",
    ),
    Net(
        "mnist",
        10_000,
        &[Normal(784), Below(1, 10)],
        "input x[784], class
         logits = x |> dense(512, relu) |> dense(512, relu) |> dense(10)
         loss = cross_entropy(logits, class)
         train { optimizer = adam(lr = 1e-3), batch = 256, precision = f32 }",
    ),
    Net(
        "cnn-digits",
        1437,
        &[Normal(64), Below(1, 10)],
        "input x[1,8,8], class
         h = x |> conv2d(16, 3, relu) |> maxpool2d
         logits = reshape(h, 144) |> dense(64, relu) |> dense(10)
         loss = cross_entropy(logits, class)
         train { optimizer = adam(lr = 1e-3), batch = 64, precision = f32 }",
    ),
    Net(
        "cnn",
        2_000,
        &[Normal(784), Below(1, 10)],
        "input x[1,28,28], class
         h = x |> conv2d(32, 3, relu) |> maxpool2d |> conv2d(64, 3, relu) |> maxpool2d
         logits = reshape(h, 1600) |> dense(128, relu) |> dense(10)
         loss = cross_entropy(logits, class)
         train { optimizer = adam(lr = 1e-3), batch = 64, precision = f32 }",
    ),
    Net(
        "transformer-32",
        1_000,
        &[Below(32, 65), Below(32, 65)],
        "input x[32], y[32]
         param places[32,64] ~ normal(0, 0.1)
         h = embedding(x, 65, 64) + places
         a[t] = layernorm(h[t])
         b = h + attention(a, heads = 4, causal = true)
         c[t] = b[t] + (layernorm(b[t]) |> dense(256, relu) |> dense(64))
         z[t] = c[t] |> dense(65)
         loss = mean[t] cross_entropy(z[t], y[t])
         train { optimizer = adam(lr = 1e-3), batch = 16, precision = f32 }",
    ),
    Net(
        "transformer",
        1_000,
        &[Below(64, 65), Below(64, 65)],
        "input x[64], y[64]
         param places[64,128] ~ normal(0, 0.1)
         h = embedding(x, 65, 128) + places
         a[t] = layernorm(h[t])
         b = h + attention(a, heads = 4, causal = true)
         c[t] = b[t] + (layernorm(b[t]) |> dense(512, relu) |> dense(128))
         z[t] = c[t] |> dense(65)
         loss = mean[t] cross_entropy(z[t], y[t])
         train { optimizer = adam(lr = 1e-3), batch = 32, precision = f32 }",
    ),
];

/// The made-up data of a net.
pub fn prepared(Net(name, count, fills, _): &Net) -> Prepared {
    let mut prepared = Prepared::none();
    prepared.examples.count = *count;
    prepared.examples.rows = (0..*count as u32).collect();
    prepared.split = Split { train: (0..*count as u32).collect(), ..Split::default() };
    let mut random = Random::new(0, name);
    for fill in *fills {
        let values = match *fill {
            Normal(size) => (0..count * size).map(|_| random.normal()).collect(),
            Below(size, bound) => (0..count * size).map(|_| random.below(bound) as f64).collect(),
            These(values) => values.to_vec(),
        };
        prepared.examples.inputs.push(values);
    }
    prepared
}
