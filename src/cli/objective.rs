//! A function as an objective of `train`: value and gradient in one kernel, Hessian products when
//! they are asked for.

use crate::train::Objective;
use crate::{Derivation, Engine, Error, Evaluator, Function};

/// Hessian products are a nicety, for messages; functions larger than this do without.
const LARGEST: usize = 20_000;

/// A compiled function of some variables.
pub struct Compiled {
    pub names: Vec<String>,
    both: Evaluator,
    /// Value and gradient as the kernel returns them.
    out: Vec<f64>,
    function: Function,
    derivation: Derivation,
    engine: Engine,
    product: Product,
    /// The last point where the value was not finite.
    pub failed_at: Option<Vec<f64>>,
}

/// The kernel for Hessian products.
enum Product {
    NotYet,
    Ready(Evaluator),
    Impossible,
}

impl Compiled {
    pub fn new(function: &Function, derivation: Derivation, engine: Engine) -> Result<Compiled, Error> {
        let both = derivation.value_and_gradient(function)?;
        let both = Evaluator::new(&both, engine, derivation.level)?;
        Ok(Compiled {
            names: function.scalar_names(),
            out: vec![0.0; both.output_size()],
            both,
            function: function.clone(),
            derivation,
            engine,
            product: Product::NotYet,
            failed_at: None,
        })
    }

    fn product(&mut self) -> Option<&Evaluator> {
        if let Product::NotYet = self.product {
            let small = self.function.graph().len() <= LARGEST;
            let derived = small.then(|| self.derivation.hvp(&self.function).ok()).flatten();
            let ready = derived.and_then(|f| Evaluator::new(&f, self.engine, self.derivation.level).ok());
            self.product = ready.map_or(Product::Impossible, Product::Ready);
        }
        match &self.product {
            Product::Ready(evaluator) => Some(evaluator),
            _ => None,
        }
    }
}

impl Objective for Compiled {
    fn dimension(&self) -> usize {
        self.names.len()
    }

    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        if self.both.call(x, &mut self.out).is_err() {
            // Only slices of the wrong length are refused, and the driver passes none.
            self.out.fill(f64::NAN);
        }
        gradient.copy_from_slice(&self.out[1..]);
        if !self.out[0].is_finite() {
            self.failed_at = Some(x.to_vec());
        }
        self.out[0]
    }

    fn hessian_vector(&mut self, x: &[f64], v: &[f64], out: &mut [f64]) -> bool {
        let point = [x, v].concat();
        self.product().is_some_and(|product| product.call(&point, out).is_ok())
    }
}
