//! Tensor kernels that can be run, and the memory they run over: `unsafe` of tensors stands here.
//!
//! What must stay true, and what every `SAFETY` line leans on:
//! - `loops::tensor::verify` accepted the program: every address its code computes lies in a buffer,
//!   every buffer in the arena;
//! - a workspace's arena is as long as its kernel's program says, and starts on a cache line;
//! - [`TensorKernel`] owns its pages; no address of its code leaves this file.

use super::code::{Definition, Start, assemblies, stretches};
use super::plan::{Cut, Entry, Moves, Native, Order, Plan, Side, Turns};
use super::workspace::{Layout, Workspace};
use crate::error::Error;
use crate::ir::{Function, NESTING, Precision};
use crate::jit::isa::Host;
use crate::jit::kernel::Pages;
use crate::jit::thread_pool::ThreadPool;
use crate::jit::wide::{Assembly, Level};
use crate::loops::tensor::{
    BufferId, Matrix, Product, Subnormals, TensorOptions, TensorProgram, build, verify,
};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::default_libcall_names;
use gemm::{Parallelism, gemm};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
    code: Arc<Code>,
    /// What small kernels are called by, without a look at their code: all there is to do, where that is one
    /// function under the caller's control word; and the layout once more.
    direct: Option<Entry>,
    layout: Arc<Layout>,
    /// Before the pages: its threads end first.
    pool: Option<ThreadPool<Task>>,
    program: TensorProgram,
    precision: Precision,
    level: Level,
    stretches: Vec<String>,
    code_size: usize,
    /// Only kept. The mutex is never locked: it makes the module `Sync`.
    _pages: Mutex<Pages>,
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<TensorKernel>();
    is_shared::<Workspace>();
};

/// What there is to do, over whatever arena.
struct Code {
    steps: Vec<Native>,
    /// What is done in turn.
    orders: Vec<Order>,
    /// The first order of each stretch of the program.
    tops: Vec<usize>,
    /// All there is to do, where that is one function.
    whole: Option<Entry>,
    layout: Arc<Layout>,
    subnormals: Subnormals,
}

/// A step to be done over the arena at an address.
#[derive(Clone, Copy)]
struct Task {
    step: usize,
    arena: usize,
}

impl TensorKernel {
    /// Compiles a function for the machine at hand.
    ///
    /// # Errors
    /// As [`build`], and where the code generator fails, which is a bug of ours.
    pub fn compile(function: &Function, options: &TensorOptions) -> Result<TensorKernel, Error> {
        TensorKernel::from_program(build(function, options)?, options, Level::best())
    }

    /// Compiles a program of the tensor loop IR, of the options' precision, with vectors of at most
    /// so many bits.
    ///
    /// # Errors
    /// Where the program does not verify, and where the code generator fails.
    pub fn from_program(
        program: TensorProgram,
        options: &TensorOptions,
        level: Level,
    ) -> Result<TensorKernel, Error> {
        verify(&program).map_err(|fact| Error::internal("loops", fact))?;
        let host = Host::get()?;
        let builder = JITBuilder::with_isa(host.isa.clone(), default_libcall_names());
        let mut pages = Pages::new(JITModule::new(builder));
        let level = level.min(Level::best_available());
        let stretches = stretches(&program, host, (level, options.precision));
        let mut definition =
            Definition { host, precision: options.precision, functions: Vec::new(), size: 0 };
        definition.define(pages.module(), &program, &stretches)?;
        let Definition { functions, size: code_size, .. } = definition;
        pages.module().finalize_definitions().map_err(|error| Error::internal("jit", error))?;
        let mut functions = functions.into_iter();
        let mut entry = || {
            let start = match functions.next().expect("a function for every stretch of nests") {
                Start::Own(id) => pages.module().get_finalized_function(id),
                Start::Wide(id, at) => pages.module().get_finalized_function(id).wrapping_add(at),
            };
            // SAFETY: `code` gave the function that starts here this signature in the host's C calling
            // convention, and its pages are executable by now.
            unsafe { std::mem::transmute::<*const u8, Entry>(start) }
        };
        let mut plan =
            Plan { steps: Vec::new(), orders: Vec::new(), tops: Vec::new(), threads: options.threads };
        for stretch in &stretches {
            plan.tops.push(plan.orders.len());
            plan.push(stretch, &program, 0, 0, &mut entry);
        }
        let whole = plan.whole();
        let Plan { steps, orders, tops, .. } = plan;
        let layout = Arc::new(Layout::of(&program, options.precision));
        let code = Arc::new(Code { steps, orders, tops, whole, layout, subnormals: options.subnormals });
        let others = options.threads.saturating_sub(1);
        let shared = code.clone();
        let pool = (others > 0 && code.steps.iter().any(|step| step.pieces() > 1)).then(|| {
            ThreadPool::new(others, move |task: Task, piece| {
                let _control = Control::set(shared.subnormals);
                shared.piece(&shared.steps[task.step], task.arena as *mut u8, piece);
            })
        });
        let stretches = stretches.iter().map(ToString::to_string).collect();
        let precision = options.precision;
        let _pages = Mutex::new(pages);
        let direct = code.whole.filter(|_| code.subnormals == Subnormals::Keep);
        let layout = code.layout.clone();
        Ok(TensorKernel {
            code,
            direct,
            layout,
            pool,
            program,
            precision,
            level,
            stretches,
            code_size,
            _pages,
        })
    }

    /// All the storage a run needs; inputs are zero. Several may be run at once.
    pub fn workspace(&self) -> Workspace {
        Workspace::new(self.code.layout.clone())
    }

    /// Bytes of machine code.
    pub fn code_size(&self) -> usize {
        self.code_size
    }

    /// What was compiled.
    pub fn program(&self) -> &TensorProgram {
        &self.program
    }

    /// The functions of the wide emitter, in order; they are made anew to be looked at.
    ///
    /// # Errors
    /// None that compiling did not have.
    pub fn assemblies(&self) -> Result<Vec<Assembly>, Error> {
        let host = Host::get()?;
        let stretches = stretches(&self.program, host, (self.level, self.precision));
        assemblies(&stretches, &self.program, host, self.precision)
    }

    /// What each stretch of the program writes: see [`timed`](TensorKernel::timed).
    pub fn stretches(&self) -> &[String] {
        &self.stretches
    }

    /// Computes all outputs.
    ///
    /// # Panics
    /// On a workspace of another kernel.
    #[inline]
    pub fn run(&self, workspace: &mut Workspace) {
        match self.direct {
            // SAFETY: as in `piece`: this is the only one.
            Some(entry) => unsafe { entry(self.arena(workspace), 0) },
            None => self.run_at_length(workspace),
        }
    }

    /// A run on its own that has a control word to set back, or several pieces.
    #[inline(never)]
    fn run_at_length(&self, workspace: &mut Workspace) {
        self.run_under(workspace, &self.control());
    }

    /// The control word of the processor that runs go under, until this goes: for many runs in a row it
    /// is set and set back once. What else this thread computes until then flushes as they do.
    pub(crate) fn control(&self) -> Control {
        Control::set(self.code.subnormals)
    }

    /// A [`run`](TensorKernel::run) under a control word that is set.
    #[inline]
    pub(crate) fn run_under(&self, workspace: &mut Workspace, _control: &Control) {
        let arena = self.arena(workspace);
        match self.code.whole {
            // SAFETY: as in `piece`: this is the only one.
            Some(entry) => unsafe { entry(arena, 0) },
            None => self.obey(0..self.code.orders.len(), arena),
        }
    }

    /// True where a run reads an input.
    pub fn reads(&self, input: usize) -> bool {
        let is_input = |&buffer: &BufferId| self.program.inputs.get(input) == Some(&buffer);
        self.program.steps.iter().any(|step| step.reads().iter().any(is_input))
    }

    /// Computes all outputs as [`run`](TensorKernel::run) does, and tells how long each stretch of
    /// the program took, in the order of its steps: nests in a row are one stretch.
    ///
    /// # Panics
    /// On a workspace of another kernel.
    pub fn timed(&self, workspace: &mut Workspace) -> Vec<Duration> {
        let arena = self.arena(workspace);
        let _control = self.control();
        let tops = &self.code.tops;
        let timed = (0..tops.len()).map(|at| {
            let start = Instant::now();
            let end = tops.get(at + 1).copied().unwrap_or(self.code.orders.len());
            self.obey(tops[at]..end, arena);
            start.elapsed()
        });
        timed.collect()
    }

    #[inline]
    fn arena(&self, workspace: &mut Workspace) -> *mut u8 {
        assert!(workspace.is_of(&self.layout), "the workspace belongs to another kernel");
        workspace.start()
    }

    /// Some of the orders, whole loops, over an arena of this kernel.
    fn obey(&self, orders: std::ops::Range<usize>, arena: *mut u8) {
        let element = match self.code.layout.precision {
            Precision::F32 => 4,
            Precision::F64 => 8,
        };
        let mut rounds = [0u32; NESTING];
        let mut at = orders.start;
        while at < orders.end {
            match self.code.orders[at] {
                // SAFETY: a loop's arena lies inside its room.
                Order::Step { step, base } => self.step(step, unsafe { arena.add(base * element) }),
                Order::Copy { mut from, mut to, size, moves } => {
                    if let Some(Moves { source, level, backwards }) = moves {
                        let round = rounds[level];
                        let entry = backwards.map_or(round, |all| all - 1 - round) as usize;
                        *(if source { &mut from } else { &mut to }) += entry * size;
                    }
                    // SAFETY: `verify` has shown that what is copied is a whole buffer of a loop's
                    // arena, and as many entries of a buffer outside of it as there are rounds.
                    unsafe {
                        let (from, to) = (arena.add(from * element), arena.add(to * element));
                        std::ptr::copy(from.cast_const(), to, size * element);
                    }
                }
                Order::Again { to, level, rounds: all } => {
                    rounds[level] += 1;
                    if rounds[level] < all {
                        at = to;
                        continue;
                    }
                    rounds[level] = 0;
                }
            }
            at += 1;
        }
    }

    /// One step over an arena of this kernel.
    fn step(&self, step: usize, arena: *mut u8) {
        let pieces = self.code.steps[step].pieces();
        match &self.pool {
            Some(pool) if pieces > 1 => pool.run(Task { step, arena: arena as usize }, pieces),
            _ => (0..pieces as usize).for_each(|piece| self.code.piece(&self.code.steps[step], arena, piece)),
        }
    }
}

impl Code {
    /// A piece of a step; `arena` is that of a workspace of this kernel, which is borrowed mutably
    /// until all pieces are done, and no two pieces run at once that are not of one step.
    fn piece(&self, step: &Native, arena: *mut u8, piece: usize) {
        match step {
            Native::Rounds(steps, _, Turns::Any) => {
                steps.iter().for_each(|step| self.piece(step, arena, piece));
            }
            Native::Rounds(steps, rounds, Turns::InOrder) => {
                let rounds = (0..*rounds as usize).flat_map(|round| steps.iter().map(move |s| (s, round)));
                rounds.for_each(|(step, round)| self.piece(step, arena, round));
            }
            // SAFETY: verified code stays inside the arena; it is aligned and as long as this
            // kernel's program says; the pages are alive. Chunks write apart from each other and
            // from what they read.
            Native::Code(entry) | Native::Chunks(entry, _) => unsafe { entry(arena, piece as u64) },
            Native::Product(cut) => match self.layout.precision {
                Precision::F32 => self.product(cut, piece, arena.cast::<f32>(), [0.0, 1.0]),
                Precision::F64 => self.product(cut, piece, arena.cast::<f64>(), [0.0, 1.0]),
            },
        }
    }

    /// A piece of a matrix product.
    fn product<T: Copy + 'static>(&self, cut: &Cut, piece: usize, arena: *mut T, numbers: [T; 2]) {
        let first = piece / cut.parts * cut.together;
        for round in first..(first + cut.together).min(cut.rounds) {
            self.part(cut, round, piece % cut.parts, arena, numbers);
        }
    }

    /// A part of one round of a matrix product.
    fn part<T: Copy + 'static>(
        &self,
        cut: &Cut,
        mut round: usize,
        part: usize,
        arena: *mut T,
        [zero, one]: [T; 2],
    ) {
        let Product { size: [m, n, k], to, left, right, outer } = &cut.product;
        let mut offsets = [to, left, right].map(|m: &Matrix| m.offset as isize);
        for &(extent, strides) in outer.iter().rev() {
            let counter = (round % extent as usize) as isize;
            round /= extent as usize;
            offsets.iter_mut().zip(strides).for_each(|(at, stride)| *at += counter * stride as isize);
        }
        let start = part * cut.size;
        let (mut m, mut n) = (*m, *n);
        match cut.along {
            Side::Rows => {
                m = cut.size.min(m - start);
                offsets[0] += start as isize * to.row as isize;
                offsets[1] += start as isize * left.row as isize;
            }
            Side::Columns => {
                n = cut.size.min(n - start);
                offsets[0] += start as isize * to.column as isize;
                offsets[2] += start as isize * right.column as isize;
            }
        }
        // SAFETY: `verify` has shown that all three matrices lie in their buffers for every
        // round, and that the one written overlaps neither one read; pieces are parts of them, and
        // those written are apart; the arena is borrowed.
        unsafe {
            gemm(
                m,
                n,
                *k,
                arena.offset(offsets[0]),
                to.column as isize,
                to.row as isize,
                false,
                arena.offset(offsets[1]).cast_const(),
                left.column as isize,
                left.row as isize,
                arena.offset(offsets[2]).cast_const(),
                right.column as isize,
                right.row as isize,
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

/// The processor's control word, set back when it goes.
pub(crate) struct Control(Option<ControlWord>);

impl Control {
    fn set(subnormals: Subnormals) -> Control {
        Control(if subnormals == Subnormals::Flush { flush_subnormals() } else { None })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            set_control(before);
        }
    }
}

#[cfg(target_arch = "x86_64")]
type ControlWord = u32;
#[cfg(not(target_arch = "x86_64"))]
type ControlWord = ();

/// Makes the processor take and make subnormal numbers as zero; what its control word was, if it was
/// another. (To write the word takes as long as a dozen additions, and nothing overlaps with it.)
#[cfg(target_arch = "x86_64")]
fn flush_subnormals() -> Option<u32> {
    /// Flush results, and take operands for zero.
    const FLUSH: u32 = 0x8040;
    let mut before = 0u32;
    // SAFETY: stores the control word into a number of its size.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut before, options(nostack)) };
    (before & FLUSH != FLUSH).then(|| {
        set_control(before | FLUSH);
        before
    })
}

#[cfg(target_arch = "x86_64")]
fn set_control(word: u32) {
    // SAFETY: the word is one this thread had, with at most the two bits above set; `Control` sets it
    // back. In between run generated code and matrix products, whose arithmetic is instructions that take
    // the word as it is. What else runs computes addresses and counts; and a session that makes steps in a
    // row sums losses and fills inputs, of which only subnormal numbers would be others.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack)) };
}

#[cfg(not(target_arch = "x86_64"))]
fn flush_subnormals() -> Option<()> {
    None
}

#[cfg(not(target_arch = "x86_64"))]
fn set_control((): ()) {}
