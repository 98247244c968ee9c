//! Long straight code as tables: operations that are alike and do not wait for each other are one *strip*,
//! which a loop over columns computes.
//!
//! Machine code of more than a megabyte is fetched for longer than it computes, and takes long to make.
//! A tape takes a fraction of either where code repeats itself: what a generator wrote out term by term
//! becomes loops again, most of them over operands that lie side by side. (A sum over an index never was
//! anything else.)
//!
//! `plan` finds the strips, window by window of the code, so that most values are near when they are
//! read; `kernels` has the loop of each operation.
//!
//! What must stay true: every result has the interpreter's bits; operands are computed before they are
//! read, and no strip writes what it reads.

mod kernels;
mod plan;

use super::kernel::chained_sum_of_products;
use super::wide::LoopKernel;
use crate::loops::Program;
use std::ops::Range;

/// Elements of a strip at a time, where operands have to be put side by side first.
const BLOCK: usize = 512;

/// Where the operands of a strip's elements are.
#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// Side by side, from here on.
    Run(u32),
    /// The same one for all.
    Same(u32),
    /// Wherever a stretch of the table says.
    Table(Range<u32>),
}

/// Something to do.
enum Order {
    /// One operation on so many operands.
    Strip { kernel: &'static LoopKernel, sources: Vec<Source>, to: u32, count: u32 },
    /// `((start + a₀) + a₁) + …`
    Sum { start: u32, terms: Source, to: u32, count: u32 },
    /// The same with products fused with each addition.
    Products { start: u32, factors: [Source; 2], to: u32, count: u32 },
    /// Outputs from somewhere on.
    Output { from: Source, to: Source, count: u32 },
}

/// A long program of one row that can be run.
pub struct Tape {
    orders: Vec<Order>,
    table: Vec<u32>,
    inputs: usize,
    /// Values at first: room for inputs, constants, and results.
    memory: Vec<f64>,
}

impl Tape {
    /// The tape of a program of one block that verifies, if it is long enough, and repeats itself enough, for one.
    pub fn of(program: &Program) -> Option<Tape> {
        plan::plan(program, plan::LONG, plan::WINDOW)
    }

    /// The tape of a program of whatever length, in windows of so many instructions, one at least; none where the
    /// machine has no vectors of more than 128 bits.
    pub fn in_windows(program: &Program, window: usize) -> Option<Tape> {
        plan::plan(program, 0, window.max(1))
    }

    /// Memory for runs, which leave it ready for others.
    pub fn memory(&self) -> Vec<f64> {
        self.memory.clone()
    }

    /// Bytes of tables.
    pub fn size(&self) -> usize {
        size_of_val(self.orders.as_slice()) + size_of_val(self.table.as_slice())
    }

    /// Computes the outputs of one row, in memory of this tape.
    ///
    /// # Panics
    /// Where there are not as many inputs, outputs or places of memory as the program has.
    pub fn run(&self, inputs: &[f64], outputs: &mut [f64], memory: &mut [f64]) {
        memory[..self.inputs].copy_from_slice(inputs);
        let mut blocks = [[0.0; BLOCK]; 3];
        for order in &self.orders {
            match order {
                Order::Strip { kernel, sources, to, count } => {
                    self.strip(kernel, sources, (*to as usize, *count as usize), memory, &mut blocks);
                }
                Order::Sum { start, terms, to, count } => {
                    let mut sum = memory[*start as usize];
                    self.in_blocks(*count as usize, &[terms], memory, &mut blocks, |[a, ..]| {
                        sum = a.iter().fold(sum, |sum, term| sum + term);
                    });
                    memory[*to as usize] = sum;
                }
                Order::Products { start, factors: [a, b], to, count } => {
                    let mut sum = memory[*start as usize];
                    self.in_blocks(*count as usize, &[a, b], memory, &mut blocks, |[a, b, _]| {
                        sum = chained_sum_of_products(sum, a, b);
                    });
                    memory[*to as usize] = sum;
                }
                Order::Output { from: Source::Run(from), to: Source::Run(to), count } => {
                    let from = &memory[*from as usize..][..*count as usize];
                    outputs[*to as usize..][..from.len()].copy_from_slice(from);
                }
                Order::Output { from, to, count } => {
                    for k in 0..*count as usize {
                        outputs[self.place(to, k)] = memory[self.place(from, k)];
                    }
                }
            }
        }
    }

    /// Where the operand of an element is.
    fn place(&self, source: &Source, k: usize) -> usize {
        match source {
            Source::Run(start) => *start as usize + k,
            Source::Same(place) => *place as usize,
            Source::Table(stretch) => self.table[stretch.start as usize + k] as usize,
        }
    }

    /// Calls with the operands of some elements after another.
    fn in_blocks(
        &self,
        count: usize,
        sources: &[&Source],
        memory: &[f64],
        blocks: &mut [[f64; BLOCK]; 3],
        mut act: impl FnMut([&[f64]; 3]),
    ) {
        for start in (0..count).step_by(BLOCK) {
            let size = BLOCK.min(count - start);
            for (source, block) in sources.iter().zip(&mut *blocks) {
                self.fetch(source, start, memory, &mut block[..size]);
            }
            act(std::array::from_fn(|k| match sources.get(k) {
                Some(Source::Run(first)) => &memory[*first as usize + start..][..size],
                _ => &blocks[k][..size],
            }));
        }
    }

    /// Puts operands side by side that are not, those from an element on.
    fn fetch(&self, source: &Source, start: usize, memory: &[f64], into: &mut [f64]) {
        match source {
            Source::Run(_) => {}
            Source::Same(place) => into.fill(memory[*place as usize]),
            Source::Table(stretch) => {
                let places = &self.table[stretch.start as usize + start..][..into.len()];
                into.iter_mut().zip(places).for_each(|(x, &place)| *x = memory[place as usize]);
            }
        }
    }

    fn strip(
        &self,
        kernel: &LoopKernel,
        sources: &[Source],
        (to, count): (usize, usize),
        memory: &mut [f64],
        blocks: &mut [[f64; BLOCK]; 3],
    ) {
        let size = if sources.iter().all(|s| matches!(s, Source::Run(_))) { count } else { BLOCK };
        let size = size.max(1);
        for start in (0..count).step_by(size) {
            let size = size.min(count - start);
            for (source, block) in sources.iter().zip(&mut *blocks) {
                // What is the same for all stays where it is from the first block on.
                if matches!(source, Source::Table(_)) || start == 0 && matches!(source, Source::Same(_)) {
                    self.fetch(source, start, memory, &mut block[..size]);
                }
            }
            let (before, rest) = memory.split_at_mut(to + start);
            let (own, after) = rest.split_at_mut(size);
            let slices: [&[f64]; 3] = std::array::from_fn(|k| match sources.get(k) {
                Some(Source::Run(first)) => match (*first as usize + start).checked_sub(to + start + size) {
                    Some(at) => &after[at..at + size],
                    None => &before[*first as usize + start..][..size],
                },
                Some(_) => &blocks[k][..size],
                None => &[],
            });
            let run = kernel.run(size, &slices[..sources.len()], &mut [own]);
            run.expect("a strip has the streams of its operation");
        }
    }
}
