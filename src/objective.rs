//! A program's objective as one kernel: value and gradient in one call, Hessian products in another.
//!
//! What must stay true: numbers passed in one row are those of the parameters in the order of
//! declaration, each row-major; sums over indices stay loops, so code size does not depend on sizes.

use crate::elaborate::program::{Model, Phase, Sense, read_program};
use crate::error::{Diagnostic, Error};
use crate::jit::tensor::{TensorKernel, Workspace};
use crate::loops::tensor::TensorOptions;
use crate::models::{Slot, hessian_product, slots, value_and_gradients};
use crate::train::Objective;
use crate::{Derivation, Level, Limits, Purpose};

/// The objective of a program, its gradient by all parameters and its Hessian products, compiled.
///
/// It is an [`Objective`], so [`train::minimize`](crate::train::minimize) descends on it.
///
/// ```
/// use symdiff::train::{Objective, Options, minimize};
///
/// let mut f = symdiff::objective(
///     "dim n = 100
///      param x[n] = 0
///      minimize sum[i = 0:n-1] (100*(x[i + 1] - x[i]^2)^2 + (1 - x[i])^2)",
/// )?;
/// let (mut gradient, mut product) = (vec![0.0; 100], vec![0.0; 100]);
/// assert_eq!(f.value_and_gradient(&[1.0; 100], &mut gradient), 0.0);
/// assert!(f.hessian_vector(&[1.0; 100], &[1.0; 100], &mut product));
/// assert_eq!((product[0], product[99]), (402.0, -200.0));
///
/// let report = minimize(&mut f, &[0.0; 100], &Options::default())?;
/// assert!(report.value < 1e-10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ObjectiveKernel {
    model: Model,
    slots: Vec<Slot>,
    both: Compiled,
    /// Compiled when it is first asked for.
    product: Option<Compiled>,
    dimension: usize,
}

/// A kernel and the memory it runs over.
struct Compiled {
    kernel: TensorKernel,
    workspace: Workspace,
}

/// Compiles the objective of a program: see [`ObjectiveKernel`].
///
/// # Errors
/// For a text that is no program, a program without objective or parameters, and where the code
/// generator refuses it.
pub fn objective(text: &str) -> Result<ObjectiveKernel, Error> {
    ObjectiveKernel::new(read_program(text, Phase::Predict, &Limits::default())?)
}

impl ObjectiveKernel {
    /// Compiles the objective of a program that was read.
    ///
    /// # Errors
    /// As [`objective`].
    pub fn new(model: Model) -> Result<ObjectiveKernel, Error> {
        if model.params.is_empty() {
            let diagnostic = Diagnostic::error("the program has no parameters to derive its objective by");
            return Err(Error::input(diagnostic.hint("declare one, such as `param x[10] = 0`")));
        }
        let slots = slots(&model);
        let both = compiled(value_and_gradients(&model, &params(&slots), &derivation())?)?;
        let dimension = slots.iter().filter(|slot| slot.is_param).map(Slot::size).sum();
        Ok(ObjectiveKernel { model, slots, both, product: None, dimension })
    }

    /// The inputs of the program, then its parameters.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Whether the program is to be made small or great.
    ///
    /// # Errors
    /// Never, once compiled: a program without objective is refused there.
    pub fn sense(&self) -> Result<Sense, Error> {
        Ok(self.model.objective()?.sense)
    }

    /// Bytes of machine code of value and gradient.
    pub fn code_size(&self) -> usize {
        self.both.kernel.code_size()
    }

    /// The kernel of value and gradients, to look at.
    pub fn kernel(&self) -> &TensorKernel {
        &self.both.kernel
    }

    /// Gives an input of the program its numbers, row-major.
    ///
    /// # Errors
    /// For a name that is no input, and for another number of elements.
    pub fn set_input(&mut self, name: &str, values: &[f64]) -> Result<(), Error> {
        let found = self.slots.iter().position(|slot| !slot.is_param && slot.name == name);
        let at = found
            .ok_or_else(|| Error::input(Diagnostic::error(format!("the program has no input `{name}`"))))?;
        self.both.workspace.set(at, values)?;
        if let Some(product) = &mut self.product {
            product.workspace.set(at, values)?;
        }
        Ok(())
    }

    /// The memory of a slot of the kernel of value and gradients; `None` where there is none.
    pub fn slot_mut(&mut self, slot: usize) -> Option<&mut [f64]> {
        self.both.workspace.input_f64(slot)
    }

    /// Computes value and gradients where the slots stand now; the value.
    #[inline]
    pub fn run(&mut self) -> f64 {
        self.both.kernel.run(&mut self.both.workspace);
        self.both.workspace.number(0).unwrap_or(f64::NAN)
    }

    /// The gradient by a parameter, counted from the first, that the last run made.
    pub fn gradient(&self, param: usize) -> Option<&[f64]> {
        self.both.workspace.output_f64(param + 1)
    }

    fn first_param(&self) -> usize {
        self.slots.iter().take_while(|slot| !slot.is_param).count()
    }

    /// Compiles Hessian products, and hands the inputs over.
    fn prepare_product(&mut self) -> Result<(), Error> {
        if self.product.is_none() {
            let product = hessian_product(&self.model, &params(&self.slots), &derivation())?;
            let mut product = compiled(product)?;
            for at in 0..self.first_param() {
                let values = self.both.workspace.input_f64(at).unwrap_or_default();
                product.workspace.set(at, values)?;
            }
            self.product = Some(product);
        }
        Ok(())
    }
}

impl Objective for ObjectiveKernel {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let first = self.first_param();
        self.both.set_row(first, &self.slots[first..], x);
        let value = self.run();
        self.both.get_row(1, gradient);
        value
    }

    fn hessian_vector(&mut self, x: &[f64], v: &[f64], out: &mut [f64]) -> bool {
        if self.prepare_product().is_err() {
            return false;
        }
        let (first, slots) = (self.first_param(), &self.slots);
        let Some(product) = &mut self.product else { return false };
        product.set_row(first, &slots[first..], x);
        product.set_row(slots.len(), &slots[first..], v);
        product.kernel.run(&mut product.workspace);
        product.get_row(0, out);
        true
    }
}

impl Compiled {
    /// Sets inputs from `first` on from one row of numbers.
    fn set_row(&mut self, first: usize, slots: &[Slot], row: &[f64]) {
        let mut rest = row;
        for (i, slot) in slots.iter().enumerate() {
            let Some((values, others)) = rest.split_at_checked(slot.size()) else { return };
            if let Some(memory) = self.workspace.input_f64(first + i) {
                memory.copy_from_slice(values);
            }
            rest = others;
        }
    }

    /// Outputs from `first` on into one row of numbers.
    fn get_row(&self, first: usize, row: &mut [f64]) {
        let mut rest = row;
        for output in (first..).map_while(|o| self.workspace.output_f64(o)) {
            let Some((to, others)) = rest.split_at_mut_checked(output.len()) else { return };
            to.copy_from_slice(output);
            rest = others;
        }
    }
}

fn derivation() -> Derivation {
    Derivation { level: Level::Fast, purpose: Purpose::Compute, ..Derivation::default() }
}

fn params(slots: &[Slot]) -> Vec<String> {
    slots.iter().filter(|slot| slot.is_param).map(|slot| slot.name.clone()).collect()
}

fn compiled(function: crate::Function) -> Result<Compiled, Error> {
    let kernel = TensorKernel::compile(&function, &TensorOptions::default())?;
    let workspace = kernel.workspace();
    Ok(Compiled { kernel, workspace })
}
