//! Tensor kernels that can be run, and the memory they run over: `unsafe` of tensors stands here.
//!
//! What must stay true, and what every `SAFETY` line leans on:
//! - `loops::tensor::verify` accepted the program: every address its code computes lies in a buffer,
//!   every buffer in the arena;
//! - a workspace's arena is as long as its kernel's program says, and starts on a cache line;
//! - [`TensorKernel`] owns its pages; no address of its code leaves this file.

use super::code::{Stretch, signature, stretches, write};
use crate::error::{Diagnostic, Error};
use crate::ir::{Function, Precision};
use crate::jit::isa::Host;
use crate::jit::kernel::Pages;
use crate::loops::tensor::{Buffer, Matrix, Product, TensorOptions, TensorProgram, build, verify};
use cranelift_codegen::Context;
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError, default_libcall_names};
use gemm::{Parallelism, gemm};
use std::sync::{Arc, Mutex};

/// A function over tensors compiled for this machine: every run computes all outputs from all
/// inputs, in a [`Workspace`], and allocates nothing.
///
/// ```
/// use symdiff::jit::tensor::TensorKernel;
/// use symdiff::loops::tensor::TensorOptions;
/// use symdiff::{Builder, Real};
///
/// // One step of x ← x − 0.5·sin x, over and over in one place.
/// let b = Builder::new();
/// let x = b.vector("x", 3);
/// let f = b.function(x - 0.5 * x.sin());
/// let options = TensorOptions { in_place: vec![(0, 0)], ..TensorOptions::default() };
/// let kernel = TensorKernel::compile(&f, &options)?;
/// let mut workspace = kernel.workspace();
/// workspace.set(0, &[1.0, -2.0, 0.5])?;
/// (0..100).for_each(|_| kernel.run(&mut workspace));
/// assert!(workspace.output_f64(0).expect("the precision is f64").iter().all(|x| x.abs() < 1e-6));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub struct TensorKernel {
    steps: Vec<Native>,
    layout: Arc<Layout>,
    code_size: usize,
    /// Only kept. The mutex is never locked: it makes the module `Sync`.
    _pages: Mutex<Pages>,
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<TensorKernel>();
    is_shared::<Workspace>();
};

/// Where everything is in an arena.
struct Layout {
    precision: Precision,
    /// In elements.
    arena: usize,
    buffers: Vec<Buffer>,
    inputs: Vec<Buffer>,
    outputs: Vec<Buffer>,
}

/// Takes the arena.
type Entry = unsafe extern "C" fn(*mut u8);

enum Native {
    Code(Entry),
    Product(Product),
}

impl TensorKernel {
    /// Compiles a function for the machine at hand.
    ///
    /// # Errors
    /// As [`build`], and where the code generator fails, which is a bug of ours.
    pub fn compile(function: &Function, options: &TensorOptions) -> Result<TensorKernel, Error> {
        TensorKernel::from_program(&build(function, options)?, options)
    }

    /// Compiles a program of the tensor loop IR, of the options' precision.
    ///
    /// # Errors
    /// Where the program does not verify, and where the code generator fails.
    pub fn from_program(program: &TensorProgram, options: &TensorOptions) -> Result<TensorKernel, Error> {
        verify(program).map_err(|fact| Error::internal("loops", fact))?;
        let host = Host::get()?;
        let builder = JITBuilder::with_isa(host.isa.clone(), default_libcall_names());
        let mut pages = Pages::new(JITModule::new(builder));
        let (functions, code_size) = define(pages.module(), host, program, options.precision)?;
        let mut functions = functions.into_iter();
        let steps = stretches(program, host).into_iter().map(|stretch| match stretch {
            Stretch::Product(product) => Native::Product(product.clone()),
            Stretch::Nests(_) => {
                let id = functions.next().expect("a function for every stretch of nests");
                let start = pages.module().get_finalized_function(id);
                // SAFETY: `code` gave the function this signature in the host's C calling
                // convention, and its pages are executable by now.
                Native::Code(unsafe { std::mem::transmute::<*const u8, Entry>(start) })
            }
        });
        let steps = steps.collect();
        let of = |ids: &[crate::loops::tensor::BufferId]| {
            ids.iter().map(|id| program.buffers[id.index()]).collect()
        };
        let layout = Layout {
            precision: options.precision,
            arena: program.arena,
            buffers: program.buffers.clone(),
            inputs: of(&program.inputs),
            outputs: of(&program.outputs),
        };
        Ok(TensorKernel { steps, layout: Arc::new(layout), code_size, _pages: Mutex::new(pages) })
    }

    /// All the storage a run needs; inputs are zero. Several may be run at once.
    pub fn workspace(&self) -> Workspace {
        let bytes = self.layout.arena * element_size(self.layout.precision);
        Workspace { arena: vec![Line([0; 64]); bytes.div_ceil(64)], layout: self.layout.clone() }
    }

    /// Bytes of machine code.
    pub fn code_size(&self) -> usize {
        self.code_size
    }

    /// Computes all outputs.
    ///
    /// # Panics
    /// On a workspace of another kernel.
    pub fn run(&self, workspace: &mut Workspace) {
        assert!(Arc::ptr_eq(&self.layout, &workspace.layout), "the workspace belongs to another kernel");
        let arena = workspace.arena.as_mut_ptr().cast::<u8>();
        for step in &self.steps {
            match step {
                // SAFETY: verified code stays inside the arena, which is borrowed for as long; it
                // is aligned and as long as this kernel's program says; the pages are alive.
                Native::Code(entry) => unsafe { entry(arena) },
                Native::Product(product) => match self.layout.precision {
                    Precision::F32 => self.product(product, arena.cast::<f32>(), 0.0, 1.0),
                    Precision::F64 => self.product(product, arena.cast::<f64>(), 0.0, 1.0),
                },
            }
        }
    }

    /// A matrix product, and its outer loops. `arena` is that of a workspace of this kernel.
    fn product<T: Copy + 'static>(&self, product: &Product, arena: *mut T, zero: T, one: T) {
        let rounds: usize = product.outer.iter().map(|o| o.0 as usize).product();
        for round in 0..rounds {
            let mut offsets = [product.to, product.left, product.right]
                .map(|m: Matrix| self.layout.buffers[m.buffer.index()].offset as isize + m.offset as isize);
            let mut rest = round;
            for &(extent, strides) in product.outer.iter().rev() {
                let counter = (rest % extent as usize) as isize;
                rest /= extent as usize;
                offsets.iter_mut().zip(strides).for_each(|(at, stride)| *at += counter * stride as isize);
            }
            let [m, n, k] = product.size;
            // SAFETY: `verify` has shown that all three matrices lie in their buffers for every
            // round, and that the one written overlaps neither one read; the arena is borrowed.
            unsafe {
                gemm(
                    m,
                    n,
                    k,
                    arena.offset(offsets[0]),
                    product.to.column as isize,
                    product.to.row as isize,
                    false,
                    arena.offset(offsets[1]).cast_const(),
                    product.left.column as isize,
                    product.left.row as isize,
                    arena.offset(offsets[2]).cast_const(),
                    product.right.column as isize,
                    product.right.row as isize,
                    zero,
                    one,
                    false,
                    false,
                    false,
                    Parallelism::None,
                );
            }
        }
    }
}

/// Compiles every stretch of nests; how many bytes they are in all.
fn define(
    module: &mut JITModule,
    host: &Host,
    program: &TensorProgram,
    precision: Precision,
) -> Result<(Vec<FuncId>, usize), Error> {
    let failed = |error: ModuleError| Error::internal("jit", error);
    let mut context = Context::new();
    let mut builder = FunctionBuilderContext::new();
    let (mut functions, mut size) = (Vec::new(), 0);
    for stretch in stretches(program, host) {
        let Stretch::Nests(nests) = stretch else { continue };
        context.clear();
        write(&mut context.func, &mut builder, host, program, precision, &nests);
        let id = module.declare_anonymous_function(&signature(host)).map_err(failed)?;
        module.define_function(id, &mut context).map_err(failed)?;
        size += context.compiled_code().map_or(0, |code| code.code_buffer().len());
        functions.push(id);
    }
    module.finalize_definitions().map_err(failed)?;
    Ok((functions, size))
}

/// A cache line of zeros and numbers.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// The storage of one kernel's runs: its inputs, outputs and everything between.
pub struct Workspace {
    arena: Vec<Line>,
    layout: Arc<Layout>,
}

/// Numbers as bytes may be seen as them.
fn element_size(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 4,
        Precision::F64 => 8,
    }
}

impl Workspace {
    /// Sets an input, row-major; rounds to the kernel's precision.
    ///
    /// # Errors
    /// Where there is no such input, or it has another size.
    pub fn set(&mut self, input: usize, values: &[f64]) -> Result<(), Error> {
        let place = found(&self.layout.inputs, input, "input", values.len())?;
        match self.layout.precision {
            Precision::F64 => self.slice_mut::<f64>(place).copy_from_slice(values),
            Precision::F32 => {
                let into = self.slice_mut::<f32>(place);
                into.iter_mut().zip(values).for_each(|(to, from)| *to = *from as f32);
            }
        }
        Ok(())
    }

    /// Reads an output, row-major.
    ///
    /// # Errors
    /// Where there is no such output, or it has another size.
    pub fn get(&self, output: usize, values: &mut [f64]) -> Result<(), Error> {
        let place = found(&self.layout.outputs, output, "output", values.len())?;
        match self.layout.precision {
            Precision::F64 => values.copy_from_slice(self.slice::<f64>(place)),
            Precision::F32 => {
                let from = self.slice::<f32>(place);
                values.iter_mut().zip(from).for_each(|(to, from)| *to = f64::from(*from));
            }
        }
        Ok(())
    }

    /// An input's memory; `None` where there is no such input or the precision is another.
    pub fn input_f64(&mut self, input: usize) -> Option<&mut [f64]> {
        let place = self.layout.inputs.get(input).copied()?;
        (self.layout.precision == Precision::F64).then(|| self.slice_mut(place))
    }

    /// The same in single precision.
    pub fn input_f32(&mut self, input: usize) -> Option<&mut [f32]> {
        let place = self.layout.inputs.get(input).copied()?;
        (self.layout.precision == Precision::F32).then(|| self.slice_mut(place))
    }

    /// An output's memory; `None` where there is no such output or the precision is another.
    pub fn output_f64(&self, output: usize) -> Option<&[f64]> {
        let place = self.layout.outputs.get(output).copied()?;
        (self.layout.precision == Precision::F64).then(|| self.slice(place))
    }

    /// The same in single precision.
    pub fn output_f32(&self, output: usize) -> Option<&[f32]> {
        let place = self.layout.outputs.get(output).copied()?;
        (self.layout.precision == Precision::F32).then(|| self.slice(place))
    }

    /// A buffer of the layout, as numbers of its precision.
    fn slice<T: Number>(&self, Buffer { size, offset }: Buffer) -> &[T] {
        debug_assert_eq!(size_of::<T>(), element_size(self.layout.precision));
        assert!((offset + size) * size_of::<T>() <= self.arena.len() * size_of::<Line>());
        // SAFETY: just measured; `T` is a float, of which every bit pattern is one, and the arena
        // is aligned for it.
        unsafe { std::slice::from_raw_parts(self.arena.as_ptr().cast::<T>().add(offset), size) }
    }

    fn slice_mut<T: Number>(&mut self, Buffer { size, offset }: Buffer) -> &mut [T] {
        debug_assert_eq!(size_of::<T>(), element_size(self.layout.precision));
        assert!((offset + size) * size_of::<T>() <= self.arena.len() * size_of::<Line>());
        // SAFETY: as in `slice`, and the arena is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.arena.as_mut_ptr().cast::<T>().add(offset), size) }
    }
}

/// A type whose every bit pattern is a value.
trait Number {}
impl Number for f32 {}
impl Number for f64 {}

fn found(places: &[Buffer], at: usize, what: &str, length: usize) -> Result<Buffer, Error> {
    match places.get(at) {
        Some(place) if place.size == length => Ok(*place),
        Some(place) => Err(Error::input(Diagnostic::error(format!(
            "{what} {at} of the kernel has {} numbers, not {length}",
            place.size
        )))),
        None => Err(Error::input(Diagnostic::error(format!("the kernel has no {what} {at}")))),
    }
}
