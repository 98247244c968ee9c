//! Data for trainings, made here: a few shapes of problems, and ways of spoiling them.

use symdiff::data::{Array, Random};

/// Inputs `x`, row-major, and targets `y`.
#[derive(Clone, Debug)]
pub struct Table {
    pub rows: usize,
    pub x: Vec<f64>,
    pub y: Vec<f64>,
}

/// How a problem is made, and what is done to it.
#[derive(Clone, Copy, Debug)]
pub enum Data {
    /// `y = x·(1, −2, 0.5, 0) + 1` with a little noise; x is of 4 normal numbers.
    Plane,
    /// Two classes 0 and 1, apart along a diagonal of the plane.
    Blobs,
    /// Three classes of four numbers.
    Three,
    /// 0 or 1 by the signs of two numbers.
    Checks,
    /// Sequences of 20 numbers, and their mean.
    Sequences,
    /// `y` is a smooth curve of one number between −2 and 2.
    Curve,
}

/// What is done to the numbers of a row: its `x`, its `y`, and its place.
pub type Spoil = fn(&mut [f64], &mut f64, usize);

impl Data {
    /// Numbers of one row of `x`.
    pub fn width(self) -> usize {
        match self {
            Data::Plane | Data::Three => 4,
            Data::Blobs | Data::Checks => 2,
            Data::Sequences => 20,
            Data::Curve => 1,
        }
    }

    pub fn table(self, rows: usize, seed: u64, spoil: Spoil) -> Table {
        let mut random = Random::new(seed, "a table");
        let mut table = Table { rows, x: Vec::new(), y: Vec::new() };
        for row in 0..rows {
            let mut x: Vec<f64> = (0..self.width()).map(|_| random.normal()).collect();
            let noise = 0.05 * random.normal();
            let mut y = match self {
                Data::Plane => x[0] - 2.0 * x[1] + 0.5 * x[2] + 1.0 + noise,
                Data::Blobs => {
                    let class = (row % 2) as f64;
                    x.iter_mut().for_each(|x| *x = 0.6 * *x + 2.0 * class - 1.0);
                    class
                }
                Data::Three => {
                    let class = row % 3;
                    x.iter_mut().for_each(|x| *x *= 0.5);
                    x[class] += 2.0;
                    class as f64
                }
                Data::Checks => f64::from(u8::from((x[0] > 0.0) != (x[1] > 0.0))),
                Data::Sequences => x.iter().sum::<f64>() / 20.0,
                Data::Curve => {
                    x[0] = x[0].clamp(-2.0, 2.0);
                    (2.0 * x[0]).sin() + noise
                }
            };
            spoil(&mut x, &mut y, row);
            table.x.extend(x);
            table.y.push(y);
        }
        table
    }
}

impl Table {
    pub fn arrays(&self) -> Vec<Array> {
        let width = self.x.len() / self.rows;
        vec![
            Array::new("x", &[self.rows, width], &self.x).expect("the shape fits"),
            Array::new("y", &[self.rows], &self.y).expect("the shape fits"),
        ]
    }
}
