//! Machine code that can be called: `unsafe` stands here, and for tensors in `tensor/kernel.rs`.
//!
//! What must stay true, and what every `SAFETY` line leans on:
//! - `loops::verify` accepted the program, so its code touches `inputs`, `outputs` and `scratch`
//!   elements of a row and nothing else;
//! - slices are measured before every call;
//! - [`Code`] owns the pages; no address of its own leaves this file, and it outlives its calls;
//! - pages are writable until they are executable, never both.

use super::code::{Code as Bytes, compile};
use super::grouped::wide_signature;
use super::isa::Host;
use super::library;
use super::tape::Tape;
use super::translate::{OPS, PAIRED, STACK_SCRATCH, WIDE, signature};
use super::{paired, side_by_side};
use crate::error::{Diagnostic, Error};
use crate::ir::{Elementwise, Function};
use crate::loops::{self, CHUNK, Program, chunk, verify};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, ModuleError, ModuleRelocTarget, default_libcall_names};
use std::sync::{Mutex, PoisonError};

/// A function compiled for this machine.
///
/// Calling it allocates nothing (a kernel too large for one chunk allocates its scratch once a
/// thread that is in it), locks nothing that is held for long, and can be done from any number
/// of threads at once.
///
/// What would be more than a megabyte of code, and repeats itself, is a [`Tape`] instead.
pub struct Kernel {
    form: Form,
    inputs: usize,
    outputs: usize,
    /// Scratch of calls that are over, for those to come.
    pool: Mutex<Vec<Vec<f64>>>,
}

enum Form {
    /// With so many numbers of scratch from the pool.
    Code(Code, usize),
    Tape(Tape),
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Kernel>()
};

impl Kernel {
    /// Compiles a function for the machine at hand.
    ///
    /// # Errors
    /// Where a row is too long for 32-bit offsets, and where the code generator fails, which is
    /// a bug of ours.
    pub fn compile(function: &Function) -> Result<Kernel, Error> {
        let program = loops::scheduled(function);
        match Tape::of(&program) {
            Some(tape) => Ok(Kernel::new(Form::Tape(tape), &program)),
            None => Kernel::from_program(&chunk(&program, CHUNK)),
        }
    }

    fn new(form: Form, program: &Program) -> Kernel {
        let [inputs, outputs] = [program.inputs, program.outputs].map(|count| count as usize);
        Kernel { form, inputs, outputs, pool: Mutex::default() }
    }

    /// Compiles a program of the loop IR.
    ///
    /// # Errors
    /// As [`compile`](Self::compile), and where the program does not verify.
    pub fn from_program(program: &Program) -> Result<Kernel, Error> {
        verify(program).map_err(|fact| Error::internal("loops", fact))?;
        let in_pool = if program.scratch > STACK_SCRATCH { program.scratch } else { 0 };
        Ok(Kernel::new(Form::Code(Code::new(program)?, in_pool as usize), program))
    }

    /// How many numbers a call takes.
    pub fn input_size(&self) -> usize {
        self.inputs
    }

    /// How many numbers a call makes.
    pub fn output_size(&self) -> usize {
        self.outputs
    }

    /// Bytes of machine code, or of a tape's tables.
    pub fn code_size(&self) -> usize {
        match &self.form {
            Form::Code(code, _) => code.size,
            Form::Tape(tape) => tape.size(),
        }
    }

    /// Computes the outputs for one row of inputs.
    ///
    /// # Errors
    /// Where a slice is not as long as [`input_size`](Self::input_size) or
    /// [`output_size`](Self::output_size) say.
    #[inline]
    pub fn call(&self, inputs: &[f64], outputs: &mut [f64]) -> Result<(), Error> {
        if inputs.len() != self.inputs || outputs.len() != self.outputs {
            return Err(wrong_lengths(1, [self.inputs, self.outputs], [inputs.len(), outputs.len()]));
        }
        self.run(1, inputs, outputs);
        Ok(())
    }

    /// Computes the outputs for each of `rows` rows of inputs, row-major.
    ///
    /// # Errors
    /// Where a slice is not as long as so many rows.
    pub fn map(&self, rows: usize, inputs: &[f64], outputs: &mut [f64]) -> Result<(), Error> {
        let long = |row: usize, slice: usize| row.checked_mul(rows) == Some(slice);
        if !long(self.inputs, inputs.len()) || !long(self.outputs, outputs.len()) {
            return Err(wrong_lengths(rows, [self.inputs, self.outputs], [inputs.len(), outputs.len()]));
        }
        // The loop tests at its end.
        if rows > 0 {
            self.run(rows, inputs, outputs);
        }
        Ok(())
    }

    /// Calls the code; slices hold `rows` ≥ 1 rows.
    #[inline]
    fn run(&self, rows: usize, inputs: &[f64], outputs: &mut [f64]) {
        let Form::Code(code, 0) = &self.form else {
            return self.run_with_scratch(rows, inputs, outputs);
        };
        // SAFETY: verified code reads `rows` rows of `inputs` and writes as many of `outputs`,
        // which the callers measured, uses no scratch, and `code` is alive.
        unsafe { (code.entry)(inputs.as_ptr(), outputs.as_mut_ptr(), std::ptr::null_mut(), rows as u64) }
    }

    fn run_with_scratch(&self, rows: usize, inputs: &[f64], outputs: &mut [f64]) {
        let used = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut scratch = used.unwrap_or_else(|| match &self.form {
            Form::Code(_, scratch) => vec![0.0; *scratch],
            Form::Tape(tape) => tape.memory(),
        });
        match &self.form {
            // SAFETY: as in `run`; and the scratch is as long as the program says.
            Form::Code(code, _) => unsafe {
                (code.entry)(inputs.as_ptr(), outputs.as_mut_ptr(), scratch.as_mut_ptr(), rows as u64);
            },
            Form::Tape(tape) => {
                for row in 0..rows {
                    let inputs = &inputs[row * self.inputs..][..self.inputs];
                    tape.run(inputs, &mut outputs[row * self.outputs..][..self.outputs], &mut scratch);
                }
            }
        }
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}

/// `((sum + a₀b₀) + a₁b₁) + …`, each product fused with its addition.
pub(super) fn chained_sum_of_products(sum: f64, a: &[f64], b: &[f64]) -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "fma")]
        fn fused(sum: f64, a: &[f64], b: &[f64]) -> f64 {
            a.iter().zip(b).fold(sum, |sum, (a, b)| a.mul_add(*b, sum))
        }
        if std::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has the instructions.
            return unsafe { fused(sum, a, b) };
        }
    }
    a.iter().zip(b).fold(sum, |sum, (a, b)| a.mul_add(*b, sum))
}

#[cold]
fn wrong_lengths(rows: usize, [inputs, outputs]: [usize; 2], [given, room]: [usize; 2]) -> Error {
    let of = if rows == 1 { String::new() } else { format!(" in each of {rows} rows") };
    let message = match inputs.checked_mul(rows) == Some(given) {
        false => format!("the kernel takes {inputs} numbers{of}, {given} were given"),
        true => format!("the kernel makes {outputs} numbers{of}, there is room for {room}"),
    };
    Error::input(Diagnostic::error(message))
}

/// Inputs, outputs, scratch, number of rows.
type Entry = unsafe extern "C" fn(*const f64, *mut f64, *mut f64, u64);

/// An entry and the pages it is in.
struct Code {
    entry: Entry,
    size: usize,
    /// Only kept. The mutex is never locked: it makes the module `Sync`.
    _pages: Box<Mutex<Pages>>,
}

impl Code {
    fn new(program: &Program) -> Result<Code, Error> {
        let host = Host::get()?;
        let mut builder = JITBuilder::with_isa(host.isa.clone(), default_libcall_names());
        let fma = host.fma;
        builder.symbol_lookup_fn(Box::new(move |name| {
            let pair = || paired::address(name, fma);
            side_by_side::address(name).or_else(pair).or_else(|| library::address(name, fma))
        }));
        let mut pages = Pages::new(JITModule::new(builder));
        let module = pages.module();
        let own = module.declare_anonymous_function(&module.make_signature()).map_err(failed)?;
        let mut code = compile(program, host, own)?;
        link(module, host, &mut code)?;
        module.define_function_bytes(own, code.alignment, &code.bytes, &code.relocations).map_err(failed)?;
        module.finalize_definitions().map_err(failed)?;
        let start = module.get_finalized_function(own);
        // SAFETY: the bytes at `start` begin with the entry, which `translate` gave this
        // signature in the host's C calling convention; they are executable by now.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(start) };
        Ok(Code { entry, size: code.bytes.len(), _pages: Box::new(Mutex::new(pages)) })
    }
}

/// A fault of the code generator.
fn failed(error: ModuleError) -> Error {
    Error::internal("jit", error)
}

/// Points calls of ops at the library's functions, and those of groups at their loops.
fn link(module: &mut JITModule, host: &Host, code: &mut Bytes) -> Result<(), Error> {
    for relocation in &mut code.relocations {
        let ModuleRelocTarget::User { namespace, index } = relocation.name else { continue };
        let (name, signature) = match namespace {
            OPS => {
                let op = Elementwise::ALL[index as usize];
                (library::symbol(op), signature(host, op))
            }
            WIDE => (side_by_side::symbol(&code.wide[index as usize]), wide_signature()),
            PAIRED => (paired::symbol(index as usize), paired::signature(host)),
            _ => continue,
        };
        let callee = module.declare_function(&name, Linkage::Import, &signature).map_err(failed)?;
        relocation.name = callee.into();
    }
    Ok(())
}

/// A module's pages; freed when dropped, which `JITModule` by itself does not do.
pub(super) struct Pages(Option<JITModule>);

impl Pages {
    pub fn new(module: JITModule) -> Pages {
        Pages(Some(module))
    }

    pub fn module(&mut self) -> &mut JITModule {
        self.0.as_mut().expect("taken only when dropped")
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if let Some(module) = self.0.take() {
            // SAFETY: the only addresses taken from the module are the entries of the kernel that
            // is being dropped with these pages; no call can be in it, as calls borrow the kernel.
            unsafe { module.free_memory() }
        }
    }
}
