//! Loops that can be run, over slices: the only `unsafe` of the wide backend.
//!
//! What must stay true, and what every `SAFETY` line leans on:
//! - the code reads and writes the first `count` elements of columns, one element of uniform
//!   streams, all of the partial sums, and the slots: `assemble` sees to it, `verify` checks the values;
//! - [`LoopKernel`] owns its pages; no address of its code leaves this file but that of a kernel
//!   that lives as long as the process.

use super::assemble::{Assembly, assemble};
use super::body::{Body, Op, Width};
use super::call::{Registers, Site};
use super::element::Element;
use super::frame::SUM_LANES;
use crate::error::{Diagnostic, Error};
use crate::jit::isa::Host;
use crate::jit::kernel::Pages;
use cranelift_codegen::ir::Signature;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Module, ModuleError, default_libcall_names};
use smallvec::SmallVec;
use std::sync::{Mutex, PoisonError};

/// A table of streams, elements, slots.
type Entry = unsafe extern "sysv64" fn(*const *mut u8, u64, *mut u8);

/// What a stream is to a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Unused,
    Uniform,
    Column,
    Output,
    Sums,
}

/// A loop over columns, compiled for this machine.
///
/// ```
/// use symdiff::elementary::Machine;
/// use symdiff::jit::wide::{Body, Level, LoopKernel, Op, Width};
///
/// let level = Level::best();
/// if level > Level::L128 {
///     // y = x·x
///     let mut body = Body::new(level, Width::Double);
///     let x = body.push(Op::Load(0), Width::Double, &[]);
///     let y = body.machine(Width::Double).mul(x, x);
///     body.push(Op::Store(1), Width::Double, &[y]);
///     let kernel = LoopKernel::compile(body)?;
///     let mut y = [0.0; 3];
///     kernel.run(3, &[&[1.0, 2.0, 3.0]], &mut [&mut y])?;
///     assert_eq!(y, [1.0, 4.0, 9.0]);
/// }
/// # Ok::<(), symdiff::Error>(())
/// ```
pub struct LoopKernel {
    entry: Entry,
    uses: Vec<Use>,
    element: Width,
    assembly: Assembly,
    size: usize,
    /// Slots of runs that are over, for those to come.
    pool: Mutex<Vec<Vec<Line>>>,
    /// Only kept. The mutex is never locked: it makes the module `Sync`.
    _pages: Mutex<Pages>,
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<LoopKernel>()
};

/// A cache line of slots.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// What the code calls for a function that is no straight line.
extern "sysv64" fn foreign(registers: *mut Registers, site: u64) {
    // SAFETY: the code passes the registers it has just stored on its stack, aligned as the type is.
    let registers = unsafe { &mut *registers };
    Site::unpack(site).run(registers);
}

/// Where code calls functions that are no straight line.
pub(in crate::jit) fn foreign_address() -> u64 {
    foreign as *const () as u64
}

impl LoopKernel {
    /// Compiles a body of streams numbered from 0, the inputs first.
    ///
    /// # Errors
    /// Where the level is not this machine's, a stream is used in two ways, or the code generator
    /// fails, which is a bug of ours.
    pub fn compile(body: Body) -> Result<LoopKernel, Error> {
        if !body.level.is_available() || body.level.bits() < 256 {
            let message = format!("this machine has no vectors of {} bits", body.level);
            return Err(Error::unsupported(Diagnostic::error(message)));
        }
        let (element, uses) = (body.element, uses(&body)?);
        let assembly = assemble(body, foreign_address())?;
        let bytes = assembly.bytes();
        let host = Host::get()?;
        let builder = JITBuilder::with_isa(host.isa.clone(), default_libcall_names());
        let mut pages = Pages::new(JITModule::new(builder));
        let start = define(pages.module(), host, &bytes)?;
        // SAFETY: the bytes at `start` are a function of this signature and calling convention;
        // they are executable by now.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(start) };
        let (size, pool) = (bytes.len(), Mutex::default());
        Ok(LoopKernel { entry, uses, element, assembly, size, pool, _pages: Mutex::new(pages) })
    }

    /// Where the code of a loop that is kept for good begins, for code that calls it as `Entry` says:
    /// with streams of as many elements as it passes, and slots of [`scratch`](Self::scratch) bytes.
    pub(in crate::jit) fn address(&'static self) -> *const u8 {
        self.entry as *const u8
    }

    /// Bytes of slots that a call lends.
    pub(in crate::jit) fn scratch(&self) -> usize {
        self.assembly.scratch
    }

    /// Bytes of machine code and constants.
    pub fn code_size(&self) -> usize {
        self.size
    }

    /// The code as text.
    pub fn assembly(&self) -> &Assembly {
        &self.assembly
    }

    /// Runs over `count` elements. Inputs are columns of as many, or one number for a uniform
    /// stream; outputs are columns, or [`SUM_LANES`] partial sums, to which the elements' are added.
    ///
    /// # Errors
    /// Where there are more or fewer slices than streams, or one has the wrong length or elements.
    pub fn run<T: Element>(
        &self,
        count: usize,
        inputs: &[&[T]],
        outputs: &mut [&mut [T]],
    ) -> Result<(), Error> {
        let lengths = inputs.iter().map(|x| x.len()).chain(outputs.iter().map(|y| y.len()));
        let lengths: SmallVec<[usize; 16]> = lengths.collect();
        self.check(count, T::WIDTH, inputs.len(), &lengths)?;
        let inputs = inputs.iter().map(|x| x.as_ptr().cast_mut().cast::<u8>());
        let outputs = outputs.iter_mut().map(|y| y.as_mut_ptr().cast::<u8>());
        let table: SmallVec<[*mut u8; 16]> = inputs.chain(outputs).collect();
        // Code that spills nothing takes no slots, and no lock.
        let mut slots = (self.assembly.scratch > 0).then(|| self.take_slots());
        let start = slots.as_mut().map_or(std::ptr::null_mut(), |slots| slots.as_mut_ptr().cast());
        // SAFETY: `check` has measured every slice of the table against its stream's use, inputs
        // are only read, the slots are as long as the code wants, and `self` owns the code.
        unsafe { (self.entry)(table.as_ptr(), count as u64, start) };
        if let Some(slots) = slots {
            self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(slots);
        }
        Ok(())
    }

    fn take_slots(&self) -> Vec<Line> {
        let used = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        used.unwrap_or_else(|| vec![Line([0; 64]); self.assembly.scratch.div_ceil(64)])
    }

    fn check(&self, count: usize, width: Width, inputs: usize, lengths: &[usize]) -> Result<(), Error> {
        let fault = |message: String| Err(Error::input(Diagnostic::error(message)));
        if width != self.element {
            return fault("the loop is over numbers of another precision".to_owned());
        }
        if lengths.len() < self.uses.len() {
            return fault(format!("the loop has {} streams, {} were given", self.uses.len(), lengths.len()));
        }
        for (at, (&length, used)) in lengths.iter().zip(&self.uses).enumerate() {
            let (fits, wanted) = match used {
                Use::Unused => (true, 0),
                Use::Uniform => (length >= 1, 1),
                Use::Column | Use::Output => (length >= count, count),
                Use::Sums => (length == SUM_LANES, SUM_LANES),
            };
            let is_output = matches!(used, Use::Output | Use::Sums);
            if !fits || (is_output && at < inputs) {
                return fault(format!("stream {at} of the loop holds {length} numbers, not {wanted}"));
            }
        }
        Ok(())
    }
}

/// What each stream is used for; a stream is used in one way.
fn uses(body: &Body) -> Result<Vec<Use>, Error> {
    let mut uses: Vec<Use> = Vec::new();
    for inst in &body.insts {
        let (stream, found) = match inst.op {
            Op::Load(stream) => (stream, Use::Column),
            Op::Uniform(stream) => (stream, Use::Uniform),
            Op::Store(stream) => (stream, Use::Output),
            Op::Sum(stream) => (stream, Use::Sums),
            _ => continue,
        };
        let at = stream as usize;
        if uses.len() <= at {
            uses.resize(at + 1, Use::Unused);
        }
        if uses[at] != Use::Unused && uses[at] != found {
            return Err(Error::internal("wide", format!("stream {at} is used in two ways")));
        }
        uses[at] = found;
    }
    Ok(uses)
}

/// Makes the bytes executable; where they begin.
fn define(module: &mut JITModule, host: &Host, bytes: &[u8]) -> Result<*const u8, Error> {
    let failed = |error: ModuleError| Error::internal("wide", error);
    let own = module.declare_anonymous_function(&Signature::new(host.call_conv())).map_err(failed)?;
    module.define_function_bytes(own, 64, bytes, &[]).map_err(failed)?;
    module.finalize_definitions().map_err(failed)?;
    Ok(module.get_finalized_function(own))
}
