//! Loops that can be run, over slices: the only `unsafe` of the wide backend.
//!
//! What must stay true, and what every `SAFETY` line leans on:
//! - the code reads and writes the first `count` elements of columns, one element of uniform
//!   streams, all of the partial sums, and the slots: `assemble` sees to it, `verify` checks the values;
//! - [`LoopKernel`] owns its pages; no address of its code leaves this file but that of a kernel
//!   that lives as long as the process;
//! - pieces of a run have their elements and partial sums to themselves, and a run ends after all of them.

use super::assemble::{Assembly, assemble};
use super::body::{Body, Op, Width};
use super::call::{Registers, Site};
use super::element::Element;
use super::frame::SUM_LANES;
use crate::error::{Diagnostic, Error};
use crate::jit::isa::Host;
use crate::jit::kernel::Pages;
use crate::jit::thread_pool::ThreadPool;
use cranelift_codegen::ir::Signature;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Module, ModuleError, default_libcall_names};
use smallvec::SmallVec;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

/// A table of streams, elements, slots.
#[cfg(target_arch = "x86_64")]
type Entry = unsafe extern "sysv64" fn(*const *mut u8, u64, *mut u8);

/// As on a processor of ours; elsewhere there is no such code.
#[cfg(not(target_arch = "x86_64"))]
type Entry = unsafe extern "C" fn(*const *mut u8, u64, *mut u8);

/// What a stream is to a loop, by what a slice must have for it: runs of few elements are over soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Use {
    /// Numbers for each element, for each piece of a run, and in any case.
    each: usize,
    per_piece: usize,
    fixed: usize,
    /// How many more may be there.
    more: usize,
    is_written: bool,
}

impl Use {
    const UNUSED: Use = Use { each: 0, per_piece: 0, fixed: 0, more: usize::MAX, is_written: false };
    const UNIFORM: Use = Use { fixed: 1, ..Use::UNUSED };
    const COLUMN: Use = Use { each: 1, ..Use::UNUSED };
    const OUTPUT: Use = Use { is_written: true, ..Use::COLUMN };
    const SUMS: Use = Use { per_piece: SUM_LANES, more: 0, is_written: true, ..Use::UNUSED };

    /// How long its slice is in a run of so many elements and pieces, at least.
    fn length(self, count: usize, pieces: usize) -> usize {
        (self.each * count).saturating_add(self.per_piece.saturating_mul(pieces)).saturating_add(self.fixed)
    }

    /// Whether a slice of this length serves, which may be written or not.
    fn fits(self, length: usize, (count, pieces): (usize, usize), is_output: bool) -> bool {
        let least = self.length(count, pieces);
        (length >= least) & (length.wrapping_sub(least) <= self.more) & (is_output | !self.is_written)
    }
}

/// How a run goes about its elements.
#[derive(Clone, Copy, Debug)]
pub struct Pieces {
    /// Elements of a piece.
    pub size: usize,
    /// The most threads that do them, the caller's included.
    pub threads: usize,
    /// Half of the outputs are stored past the caches where they lie as the processor wants it: for columns
    /// that [no cache holds](super::cached_bytes).
    pub non_temporal: bool,
}

impl Pieces {
    /// All elements at once.
    pub const ONE: Pieces = Pieces { size: usize::MAX, threads: 1, non_temporal: false };
}

/// A run under way.
struct Run<'a> {
    kernel: &'a LoopKernel,
    /// What does all but the first elements of a piece.
    other: Option<(Entry, usize)>,
    /// Where the streams are.
    table: &'a [*mut u8],
    count: usize,
    size: usize,
}

/// The address of a run that others take part in.
#[derive(Clone, Copy)]
struct Job(usize);

/// Threads that wait for jobs, by how many take part, and at work on none.
static TEAMS: Mutex<Vec<(usize, ThreadPool<Job>)>> = Mutex::new(Vec::new());

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
    /// What stores the streams from this one on past the caches, in whole vectors on their boundaries.
    non_temporal: Option<(Entry, u32)>,
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

/// Lines of slots on the stack, and streams of a table there; more are on the heap.
const NEAR: usize = 48;
const FEW: usize = 16;

/// A cache line of slots.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// What the code calls for a function that is no straight line.
#[cfg(target_arch = "x86_64")]
extern "sysv64" fn foreign(registers: *mut Registers, site: u64) {
    // SAFETY: the code passes the registers it has just stored on its stack, aligned as the type is.
    call(unsafe { &mut *registers }, site);
}

/// As on a processor of ours, called by nobody.
#[cfg(not(target_arch = "x86_64"))]
extern "C" fn foreign(registers: *mut Registers, site: u64) {
    // SAFETY: nobody calls it.
    call(unsafe { &mut *registers }, site);
}

fn call(registers: &mut Registers, site: u64) {
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
        let (bytes, second) = assembly.encoded();
        let host = Host::get()?;
        let builder = JITBuilder::with_isa(host.isa.clone(), default_libcall_names());
        let mut pages = Pages::new(JITModule::new(builder));
        let start = define(pages.module(), host, &bytes)?;
        // SAFETY: the bytes at `start`, and those where the second function begins, are functions of
        // this signature and calling convention; they are executable by now.
        let function = |at: usize| unsafe { std::mem::transmute::<*const u8, Entry>(start.add(at)) };
        let (entry, non_temporal) = (function(0), second.map(|(at, first)| (function(at), first)));
        let (size, pool) = (bytes.len(), Mutex::default());
        Ok(LoopKernel { entry, non_temporal, uses, element, assembly, size, pool, _pages: Mutex::new(pages) })
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
        self.run_pieces(&Pieces::ONE, count, inputs, outputs)
    }

    /// As [`run`](Self::run), piece by piece: each adds to [`SUM_LANES`] partial sums of its own, which
    /// follow one another. Columns are the same however they are cut.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub fn run_pieces<T: Element>(
        &self,
        pieces: &Pieces,
        count: usize,
        inputs: &[&[T]],
        outputs: &mut [&mut [T]],
    ) -> Result<(), Error> {
        let nowhere = std::ptr::null_mut();
        match inputs.len() + outputs.len() {
            streams @ 0..=FEW => {
                self.run_over(&mut [nowhere; FEW][..streams], pieces, count, inputs, outputs)
            }
            streams => self.run_over(&mut vec![nowhere; streams], pieces, count, inputs, outputs),
        }
    }

    /// As [`run_pieces`](Self::run_pieces), with room for where the streams are.
    fn run_over<T: Element>(
        &self,
        table: &mut [*mut u8],
        pieces: &Pieces,
        count: usize,
        inputs: &[&[T]],
        outputs: &mut [&mut [T]],
    ) -> Result<(), Error> {
        let size = pieces.size.max(1);
        let number = if count <= size { 1 } else { count.div_ceil(size) };
        if !self.tabulate((count, number), inputs, outputs, table) {
            return Err(self.misfit((count, number), inputs, outputs));
        }
        let other = if pieces.non_temporal { self.past_caches(inputs.len(), outputs) } else { None };
        let run = Run { kernel: self, other, table, count, size };
        match (number, u32::try_from(number)) {
            // SAFETY: `tabulate` has measured every slice of the table against its stream's use, and inputs
            // are only read.
            (1, _) => unsafe { run.stretch(table, count) },
            (_, Ok(shared)) if pieces.threads > 1 => run.together(pieces.threads.min(number), shared),
            // SAFETY: as before, and each piece is done once.
            _ => (0..number).for_each(|at| unsafe { run.piece(at) }),
        }
        Ok(())
    }

    /// The other entry, and how many elements are before the boundaries that its vectors want; these have to
    /// be the same for all it stores past the caches.
    fn past_caches<T: Element>(&self, inputs: usize, outputs: &[&mut [T]]) -> Option<(Entry, usize)> {
        let (entry, first) = self.non_temporal?;
        let mut stored = outputs.iter().zip(inputs as u32..).filter(|(_, stream)| *stream >= first);
        let vector = self.assembly.level.bytes();
        let before = stored.next()?.0.as_ptr().align_offset(vector);
        let is_even = stored.all(|(y, _)| y.as_ptr().align_offset(vector) == before);
        is_even.then_some((entry, before))
    }

    fn take_slots(&self) -> Vec<Line> {
        let used = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        used.unwrap_or_else(|| vec![Line([0; 64]); self.assembly.scratch.div_ceil(64)])
    }

    /// Where every slice is; false where one does not fit its stream.
    fn tabulate<T: Element>(
        &self,
        extent: (usize, usize),
        inputs: &[&[T]],
        outputs: &mut [&mut [T]],
        table: &mut [*mut u8],
    ) -> bool {
        let (read, written) = self.uses.split_at(inputs.len().min(self.uses.len()));
        let mut fits = T::WIDTH == self.element && written.len() <= outputs.len();
        let (from, to) = table.split_at_mut(inputs.len());
        for ((at, x), used) in from.iter_mut().zip(inputs).zip(read) {
            *at = x.as_ptr().cast_mut().cast();
            fits &= used.fits(x.len(), extent, false);
        }
        for ((at, y), used) in to.iter_mut().zip(outputs).zip(written) {
            *at = y.as_mut_ptr().cast();
            fits &= used.fits(y.len(), extent, true);
        }
        fits
    }

    /// What [`tabulate`](Self::tabulate) has found.
    #[cold]
    fn misfit<T: Element>(&self, extent: (usize, usize), inputs: &[&[T]], outputs: &[&mut [T]]) -> Error {
        let read = inputs.iter().map(|x| (x.len(), false));
        let mut slices = read.chain(outputs.iter().map(|y| (y.len(), true))).zip(&self.uses);
        let wrong = slices.position(|((length, is_output), used)| !used.fits(length, extent, is_output));
        let message = match wrong {
            _ if T::WIDTH != self.element => "the loop is over numbers of another precision".to_owned(),
            Some(at) => {
                let wanted = self.uses[at].length(extent.0, extent.1);
                format!("stream {at} of the loop is another's, or shorter than {wanted} numbers")
            }
            None => {
                let given = inputs.len() + outputs.len();
                format!("the loop has {} streams, {given} were given", self.uses.len())
            }
        };
        Error::input(Diagnostic::error(message))
    }
}

impl Run<'_> {
    /// Runs over elements whose streams are at these places.
    ///
    /// # Safety
    /// The slices there have as many elements, or what their uses want, and nobody else writes what is
    /// written there.
    #[inline]
    unsafe fn stretch(&self, table: &[*mut u8], count: usize) {
        let kernel = self.kernel;
        let call = |slots: *mut u8| {
            let enter = |entry: Entry, table: &[*mut u8], count| {
                // SAFETY: the caller answers for the table, the slots are as long as the code wants and
                // written before they are read, and the kernel owns the code.
                unsafe { entry(table.as_ptr(), count as u64, slots) }
            };
            match self.other {
                Some((entry, before)) if before < count => {
                    enter(kernel.entry, table, before);
                    enter(entry, &self.further(table, |used| used.each * before), count - before);
                }
                _ => enter(kernel.entry, table, count),
            }
        };
        let mut near = MaybeUninit::<[Line; NEAR]>::uninit();
        if kernel.assembly.scratch <= size_of_val(&near) {
            return call(near.as_mut_ptr().cast());
        }
        let mut far = kernel.take_slots();
        call(far.as_mut_ptr().cast());
        kernel.pool.lock().unwrap_or_else(PoisonError::into_inner).push(far);
    }

    /// Runs over the elements of a piece.
    ///
    /// # Safety
    /// That of [`stretch`](Run::stretch), of the whole run; and nobody else does this piece.
    unsafe fn piece(&self, at: usize) {
        let start = at * self.size;
        let table = self.further(self.table, |used| used.each * start + used.per_piece * at);
        // SAFETY: the caller's; pieces have elements and partial sums to themselves.
        unsafe { self.stretch(&table, self.size.min(self.count - start)) }
    }

    /// Where streams are so many numbers on.
    fn further(&self, table: &[*mut u8], numbers: impl Fn(&Use) -> usize) -> SmallVec<[*mut u8; FEW]> {
        let bytes = self.kernel.element.bytes();
        let mut table: SmallVec<[*mut u8; FEW]> = SmallVec::from_slice(table);
        let streams = table.iter_mut().zip(&self.kernel.uses);
        streams.for_each(|(at, used)| *at = at.wrapping_add(numbers(used) * bytes));
        table
    }

    /// Runs over all pieces on so many threads.
    fn together(&self, threads: usize, pieces: u32) {
        let teams = || TEAMS.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = {
            let mut teams = teams();
            let fitting = teams.iter().position(|(size, _)| *size == threads);
            fitting.map(|at| teams.swap_remove(at).1)
        };
        let team = idle.unwrap_or_else(|| {
            ThreadPool::new(threads - 1, |Job(run), piece| {
                // SAFETY: the run is there until the pool says that all its pieces are done, which is
                // after each was done once; what it points at is `Sync` or a piece's own.
                unsafe { (*(run as *const Run)).piece(piece) }
            })
        });
        team.run(Job(std::ptr::from_ref(self) as usize), pieces);
        teams().push((threads, team));
    }
}

/// What each stream is used for; a stream is used in one way.
fn uses(body: &Body) -> Result<Vec<Use>, Error> {
    let mut uses: Vec<Use> = Vec::new();
    for inst in &body.insts {
        let (stream, found) = match inst.op {
            Op::Load(stream) => (stream, Use::COLUMN),
            Op::Uniform(stream) => (stream, Use::UNIFORM),
            Op::Store(stream) => (stream, Use::OUTPUT),
            Op::Sum(stream) => (stream, Use::SUMS),
            _ => continue,
        };
        let at = stream as usize;
        if uses.len() <= at {
            uses.resize(at + 1, Use::UNUSED);
        }
        if uses[at] != Use::UNUSED && uses[at] != found {
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
