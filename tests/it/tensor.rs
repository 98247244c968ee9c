//! Tensor programs: whatever graph is compiled, the interpreter of the loops and the kernel agree
//! with the interpreter of the graph.

use symdiff::ir::eval::evaluate;
use symdiff::ir::structural::pack_order;
use symdiff::ir::{DType, Elementwise, Function, Graph, Id, Precision, Reduction, Selection, Shape, Type};
use symdiff::jit::tensor::{TensorKernel, Workspace};
use symdiff::jit::wide::Level;
use symdiff::loops::tensor::{Step, Subnormals, TensorOptions, TensorProgram, build, interpret, verify};

/// A small generator of our own (splitmix64), so that a seed says everything.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn tensor(graph: &mut Graph, name: &str, extents: &[u32]) -> Id {
    let ty = graph.type_id(Type::new(DType::F64, Shape::new(extents.iter().copied())));
    graph.input_of(name, ty)
}

fn options(precision: Precision, in_place: &[(usize, usize)]) -> TensorOptions {
    TensorOptions { precision, in_place: in_place.to_vec(), ..TensorOptions::default() }
}

fn rounded(precision: Precision, values: &[f64]) -> Vec<f64> {
    values.iter().map(|&x| if precision == Precision::F32 { f64::from(x as f32) } else { x }).collect()
}

fn compiled(function: &Function, options: &TensorOptions) -> TensorProgram {
    let program = build(function, options).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(verify(&program), Ok(()), "{program}");
    program
}

/// A workspace with inputs set, one after another.
fn set(function: &Function, kernel: &TensorKernel, inputs: &[f64]) -> Workspace {
    let mut workspace = kernel.workspace();
    let graph = function.graph();
    let mut rest = inputs;
    for (i, &symbol) in function.inputs().iter().enumerate() {
        let (values, others) = rest.split_at(graph.type_of(graph.symbol_type(symbol)).shape.size());
        workspace.set(i, values).expect("the lengths agree");
        rest = others;
    }
    workspace
}

/// All outputs, one after another.
fn outputs(function: &Function, workspace: &Workspace) -> Vec<f64> {
    let mut results = Vec::new();
    for (o, &id) in function.outputs().iter().enumerate() {
        let mut values = vec![f64::NAN; function.graph().shape(id).size()];
        workspace.get(o, &mut values).expect("the lengths agree");
        results.extend(values);
    }
    results
}

/// What the kernel computes.
fn run(function: &Function, options: &TensorOptions, inputs: &[f64]) -> Vec<f64> {
    repeated(function, options, inputs, 1)
}

/// Both ways of running the function against the graph's interpreter, in both precisions; `scale` is
/// how large a rounding error may be, in units of the precision's.
fn check(function: &Function, inputs: &[f64], scale: f64, what: &str) {
    for precision in [Precision::F64, Precision::F32] {
        let inputs = rounded(precision, inputs);
        let expected = evaluate(function.graph(), function.inputs(), function.outputs(), &inputs);
        let options = options(precision, &[]);
        let program = compiled(function, &options);
        let unit = if precision == Precision::F32 { 1.2e-7 } else { 2.3e-16 };
        let interpreted = interpret(&program, precision, &inputs);
        let native = run(function, &options, &inputs);
        check_levels(function, &program, &options, &inputs, what);
        for (name, found) in [("interpreter", &interpreted), ("kernel", &native)] {
            assert_eq!(found.len(), expected.len());
            for (i, (&a, &b)) in found.iter().zip(&expected).enumerate() {
                let same =
                    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= scale * unit * (1.0 + b.abs());
                assert!(same, "{what}, {precision:?}, {name}, element {i}: {a}, not {b}\n{program}");
            }
        }
    }
}

/// Kernels of every width give the bits of the loops' interpreter, but for the sign and payload of
/// NaN. Matrix products are left out: they have an order of their own.
fn check_levels(
    function: &Function,
    program: &TensorProgram,
    options: &TensorOptions,
    inputs: &[f64],
    what: &str,
) {
    if program.steps.iter().any(|step| matches!(step, Step::Product(_))) {
        return;
    }
    let bits = |values: &[f64]| -> Vec<u64> {
        values.iter().map(|x| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }).collect()
    };
    let expected = bits(&interpret(program, options.precision, inputs));
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        let kernel = TensorKernel::from_program(program.clone(), options, level).expect("compiles");
        let mut workspace = set(function, &kernel, inputs);
        kernel.run(&mut workspace);
        let found = bits(&outputs(function, &workspace));
        for (i, (&a, &b)) in found.iter().zip(&expected).enumerate() {
            let (x, y) = (f64::from_bits(a), f64::from_bits(b));
            assert!(
                a == b,
                "{what}, {:?}, {level} bits, element {i}: {x:?}, not {y:?}\n{program}",
                options.precision
            );
        }
    }
}

/// The function of these outputs over everything declared.
fn function(graph: Graph, outputs: Vec<Id>) -> Function {
    let inputs = graph.symbols().collect();
    Function::new(graph, inputs, outputs)
}

/// A graph grown at random. Values stay within a few units, and what jumps is only applied to
/// inputs, so that a rounding error stays one.
struct Grown {
    graph: Graph,
    nodes: Vec<Id>,
    /// Nodes whose values are exact in every engine.
    exact: Vec<Id>,
    inputs: Vec<f64>,
    random: Random,
}

impl Grown {
    fn new(seed: u64) -> Grown {
        let (graph, random) = (Graph::new(), Random(seed));
        let mut grown = Grown { graph, nodes: Vec::new(), exact: Vec::new(), inputs: Vec::new(), random };
        for i in 0..3 + grown.random.below(3) {
            let extents = grown.extents();
            let x = tensor(&mut grown.graph, &format!("x{i}"), &extents);
            for _ in 0..grown.graph.shape(x).size() {
                let value = grown.random.uniform() * 4.0 - 2.0;
                grown.inputs.push(value);
            }
            grown.nodes.push(x);
            grown.exact.push(x);
        }
        for _ in 0..4 + grown.random.below(20) {
            if let Some(new) = grown.step() {
                grown.nodes.push(new);
            }
        }
        grown
    }

    fn extents(&mut self) -> Vec<u32> {
        let rank = self.random.below(4);
        (0..rank).map(|_| self.random.pick(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17])).collect()
    }

    fn size(&self, id: Id) -> usize {
        self.graph.shape(id).size()
    }

    fn axes(&mut self, x: Id) -> u8 {
        let rank = self.graph.shape(x).rank();
        (self.random.next() as u8) & ((1u16 << rank) - 1) as u8
    }

    /// Something with the shape of `x`: another node of it, or a scalar repeated.
    fn partner(&mut self, x: Id) -> Id {
        let shape = self.graph.shape(x).clone();
        let alike: Vec<Id> = self.nodes.iter().copied().filter(|&y| *self.graph.shape(y) == shape).collect();
        self.random.pick(&alike)
    }

    fn step(&mut self) -> Option<Id> {
        let recent = self.nodes.len().saturating_sub(6);
        let x = match self.random.below(3) {
            0 => self.random.pick(&self.nodes),
            _ => self.random.pick(&self.nodes[recent..]),
        };
        let rank = self.graph.shape(x).rank();
        let made = match self.random.below(20) {
            0..3 => self.unary(x),
            3..6 => self.binary(x),
            6 => self.selection(x),
            7 => {
                let axes = self.axes(x);
                let sum = self.graph.sum(x, axes);
                self.graph.apply(Elementwise::Tanh, &[sum])
            }
            8 => {
                let axes = self.axes(x);
                let op = self.random.pick(&[Reduction::Max, Reduction::Min, Reduction::LogSumExp]);
                self.graph.reduce(op, x, axes)
            }
            9 => {
                let y = self.random.pick(&self.exact);
                let rank = self.graph.shape(y).rank();
                if rank == 0 {
                    return None;
                }
                let axis = self.random.below(rank);
                self.graph.reduce(Reduction::ArgMax, y, 1 << axis)
            }
            10 if rank < 4 => {
                let extent = self.random.pick(&[1, 2, 3, 5, 8]);
                let axis = self.random.below(rank + 1);
                let mut extents = self.graph.shape(x).extents().to_vec();
                extents.insert(axis, extent);
                self.graph.broadcast(x, 1 << axis, &Shape::new(extents))
            }
            11 => self.reshape(x),
            12 => {
                let mut order: Vec<usize> = (0..rank).collect();
                (1..rank).for_each(|i| order.swap(i, self.random.below(i + 1)));
                self.graph.permute(x, pack_order(order))
            }
            13 if rank > 0 => {
                let axis = self.random.below(rank);
                let extent = self.graph.shape(x).extents()[axis] as usize;
                let start = self.random.below(extent);
                let length = 1 + self.random.below(extent - start);
                self.graph.slice(x, axis as u8, start as u32, length as u32)
            }
            14 if rank > 0 => {
                let axis = self.random.below(rank);
                let extent = self.graph.shape(x).extents()[axis];
                let start = self.random.below(4) as u32;
                let length = start + extent + self.random.below(4) as u32;
                self.graph.pad(x, axis as u8, start, length)
            }
            15 => {
                let operands: Vec<Id> = (0..1 + self.random.below(4)).map(|_| self.partner(x)).collect();
                self.graph.stack(&operands)
            }
            16 if rank > 0 => self.window(x)?,
            17 => self.moved_by_index(x)?,
            18 | 19 => self.contraction(x)?,
            _ => return None,
        };
        let shape = self.graph.shape(made);
        (shape.rank() <= 5 && shape.size() <= 4000).then_some(made)
    }

    fn unary(&mut self, x: Id) -> Id {
        use Elementwise::*;
        let op = self.random.pick(&[
            Tanh, Sech, Sigmoid, Softplus, Sin, Cos, Relu, Abs, Neg, Atan, Erf, Exp, Sqrt, Log1p, Expm1, Cbrt,
        ]);
        let x = match op {
            Exp | Expm1 => self.graph.apply(Tanh, &[x]),
            Sqrt | Log1p => {
                let (square, one) = (self.graph.apply(Mul, &[x, x]), self.graph.integer(1));
                self.graph.apply(Add, &[square, one])
            }
            Cbrt => {
                let (magnitude, one) = (self.graph.apply(Abs, &[x]), self.graph.integer(1));
                self.graph.apply(Add, &[magnitude, one])
            }
            _ => x,
        };
        self.graph.apply(op, &[x])
    }

    fn binary(&mut self, x: Id) -> Id {
        use Elementwise::*;
        let op = self.random.pick(&[Add, Sub, Mul, Min, Max, Div, LogAddExp, Pow]);
        let y = self.partner(x);
        let made = match op {
            Div => {
                let (square, one) = (self.graph.apply(Mul, &[y, y]), self.graph.integer(1));
                let divisor = self.graph.apply(Add, &[square, one]);
                self.graph.apply(Div, &[x, divisor])
            }
            Pow => {
                let n = self.random.pick(&[2, 3]);
                let (bounded, n) = (self.graph.apply(Sin, &[x]), self.graph.integer(n));
                self.graph.apply(Pow, &[bounded, n])
            }
            _ => self.graph.apply(op, &[x, y]),
        };
        self.graph.apply(Tanh, &[made])
    }

    fn selection(&mut self, x: Id) -> Id {
        let y = self.random.pick(&self.exact);
        let other = {
            let shape = self.graph.shape(y).clone();
            let alike: Vec<Id> =
                self.exact.iter().copied().filter(|&z| *self.graph.shape(z) == shape).collect();
            self.random.pick(&alike)
        };
        let op = self.random.pick(&[Selection::Less, Selection::LessEqual, Selection::Equal]);
        let truth = self.graph.compare(op, &[y, other]);
        let truth =
            if self.random.below(3) == 0 { self.graph.compare(Selection::Not, &[truth]) } else { truth };
        let (a, b) = match self.graph.shape(x) == self.graph.shape(y) {
            true => (x, self.partner(x)),
            false => (self.graph.integer(1), y),
        };
        self.graph.select(truth, a, b)
    }

    fn reshape(&mut self, x: Id) -> Id {
        let size = self.size(x) as u32;
        let divisors: Vec<u32> = (1..=size).filter(|d| size.is_multiple_of(*d)).collect();
        let first = self.random.pick(&divisors);
        let shape = match self.random.below(3) {
            0 => Shape::new([size]),
            1 => Shape::new([first, size / first]),
            _ => {
                let rest: Vec<u32> =
                    divisors.iter().copied().filter(|d| (size / first).is_multiple_of(*d)).collect();
                let second = self.random.pick(&rest);
                Shape::new([first, second, size / first / second])
            }
        };
        self.graph.reshape(x, &shape)
    }

    /// Windows of an axis, or windows put back.
    fn window(&mut self, x: Id) -> Option<Id> {
        let rank = self.graph.shape(x).rank();
        let axis = self.random.below(rank);
        let extent = self.graph.shape(x).extents()[axis];
        let length = 1 + self.random.below(extent as usize) as u32;
        let stride = self.random.pick(&[1, 2, 3]);
        if rank > 3 {
            return None;
        }
        let windows = self.graph.window(x, axis as u8, length, stride);
        Some(match self.random.below(2) {
            0 => windows,
            _ => {
                let changed = self.graph.apply(Elementwise::Sin, &[windows]);
                let added = self.graph.overlap(changed, axis as u8, stride, extent);
                self.graph.apply(Elementwise::Tanh, &[added])
            }
        })
    }

    /// Entries picked, or put back, by an index of its own.
    fn moved_by_index(&mut self, x: Id) -> Option<Id> {
        let rank = self.graph.shape(x).rank();
        if rank == 0 || rank > 3 {
            return None;
        }
        let rows = self.graph.shape(x).extents()[0];
        let scatters = self.random.below(2) == 0;
        let extents = if scatters { vec![rows] } else { vec![self.random.pick(&[1, 3, 6]), 2] };
        let name = format!("i{}", self.graph.symbols().len());
        let index = tensor(&mut self.graph, &name, &extents);
        for _ in 0..self.graph.shape(index).size() {
            let value = self.random.below(rows as usize + 2) as f64 - 0.7;
            self.inputs.push(value);
        }
        Some(match scatters {
            true => {
                let added = self.graph.scatter(x, index, rows + 1);
                self.graph.apply(Elementwise::Tanh, &[added])
            }
            false => self.graph.gather(x, index),
        })
    }

    fn contraction(&mut self, x: Id) -> Option<Id> {
        let left = self.graph.shape(x).extents().to_vec();
        let fits = |y: &&Id| {
            let right = self.graph.shape(**y).extents();
            (1..=left.len().min(right.len())).any(|over| left[left.len() - over..] == right[..over])
        };
        let others: Vec<Id> = self.nodes.iter().filter(fits).copied().collect();
        let made = match others.is_empty() || self.random.below(3) == 0 {
            true => self.paired(x),
            false => {
                let y = self.random.pick(&others);
                let right = self.graph.shape(y).extents();
                let over = (1..=left.len().min(right.len())).find(|o| left[left.len() - o..] == right[..*o]);
                let over = over.expect("only such were kept");
                if left.len() + right.len() - 2 * over > 4 {
                    return None;
                }
                self.graph.contract(x, y, over as u8)
            }
        };
        Some(self.graph.apply(Elementwise::Tanh, &[made]))
    }

    /// A contraction with a changed and turned copy of `x` itself, paired along its first axes.
    fn paired(&mut self, x: Id) -> Id {
        let rank = self.graph.shape(x).rank();
        let batch = self.random.below(rank + 1);
        let over = self.random.below(rank - batch + 1);
        let kept = rank - batch - over;
        let order = (0..batch).chain(batch + kept..rank).chain(batch..batch + kept);
        let changed = self.graph.apply(Elementwise::Cos, &[x]);
        let turned = self.graph.permute(changed, pack_order(order));
        if batch + 2 * kept > 5 {
            return changed;
        }
        self.graph.contract_batched(x, turned, batch as u8, over as u8)
    }

    fn function(mut self) -> (Function, Vec<f64>) {
        let count = self.nodes.len();
        let mut outputs: Vec<Id> =
            (0..1 + self.random.below(4)).map(|_| self.random.pick(&self.nodes)).collect();
        outputs.push(self.nodes[count - 1]);
        (function(self.graph, outputs), self.inputs)
    }
}

/// The first seed and how many, as the environment wishes.
/// A function of every kind of op, with indices and padded, turned and windowed arrays.
pub fn random_function(seed: u64) -> Function {
    Grown::new(seed).function().0
}

fn seeds(cases: u64) -> (u64, u64) {
    let wish = |name: &str| std::env::var(name).ok().and_then(|n| n.parse().ok());
    (wish("SYMDIFF_SEED").unwrap_or(1), wish("SYMDIFF_CASES").unwrap_or(cases))
}

#[test]
fn random_graphs_agree_with_the_graph_interpreter() {
    let (first, cases) = seeds(150);
    for seed in first..first + cases {
        let (f, inputs) = Grown::new(seed).function();
        check(&f, &inputs, 2e5, &format!("seed {seed}"));
    }
}

/// What a kernel leaves in its outputs after some runs in one workspace.
fn repeated(function: &Function, options: &TensorOptions, inputs: &[f64], runs: usize) -> Vec<f64> {
    let kernel = TensorKernel::compile(function, options).unwrap_or_else(|e| panic!("{e}"));
    let mut workspace = set(function, &kernel, inputs);
    (0..runs).for_each(|_| kernel.run(&mut workspace));
    outputs(function, &workspace)
}

/// Random updates of every input, some of them in place of another's: a run in place gives what a
/// run beside gives, and the next run takes its results.
fn check_in_place(seed: u64) {
    let (f, inputs) = Grown::new(seed).function();
    let graph = f.graph();
    let mut random = Random(seed ^ 0xABCD);
    let shape = |symbol: symdiff::ir::Symbol| graph.type_of(graph.symbol_type(symbol)).shape.clone();
    let mut built = graph.clone();
    let (mut made, mut pairs) = (Vec::new(), Vec::new());
    for (i, &symbol) in f.inputs().iter().enumerate() {
        if graph.symbol_name(symbol).starts_with('i') {
            continue;
        }
        // Something of the input's shape, from anywhere in the graph: views of the old value among it.
        let alike: Vec<Id> = graph
            .ids()
            .filter(|&id| *graph.shape(id) == shape(symbol) && graph.ty(id).dtype == DType::F64)
            .collect();
        let (a, b) = (random.pick(&alike), random.pick(&alike));
        let new = match random.below(3) {
            0 => a,
            _ => built.apply(Elementwise::Sub, &[a, b]),
        };
        pairs.push((made.len(), i));
        made.push(built.apply(Elementwise::Sin, &[new]));
        if random.below(4) == 0 {
            made.pop();
            made.push(a);
        }
    }
    if made.is_empty() {
        return;
    }
    let f = Function::new(built, f.inputs().to_vec(), made);
    for precision in [Precision::F64, Precision::F32] {
        let inputs = rounded(precision, &inputs);
        let beside = repeated(&f, &options(precision, &[]), &inputs, 1);
        let within = options(precision, &pairs);
        let program = compiled(&f, &within);
        let native = repeated(&f, &within, &inputs, 1);
        let interpreted = interpret(&program, precision, &inputs);
        let unit = if precision == Precision::F32 { 1.2e-7 } else { 2.3e-16 };
        for (name, found) in [("kernel", native), ("interpreter", interpreted)] {
            for (i, (&a, &b)) in found.iter().zip(&beside).enumerate() {
                let same =
                    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 2e5 * unit * (1.0 + b.abs());
                assert!(
                    same,
                    "seed {seed}, {precision:?}, {name}, element {i}: {a} in place, {b} beside\n{program}"
                );
            }
        }
        let mut again = inputs.clone();
        let mut at = 0;
        let mut starts = Vec::new();
        for &symbol in f.inputs() {
            starts.push(at);
            at += shape(symbol).size();
        }
        let mut from = 0;
        for &(o, i) in &pairs {
            let size = f.graph().shape(f.outputs()[o]).size();
            again[starts[i]..starts[i] + size].copy_from_slice(&beside[from..from + size]);
            from += size;
        }
        let twice = repeated(&f, &within, &inputs, 2);
        let expected = repeated(&f, &within, &again, 1);
        let same = |a: f64, b: f64| {
            a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 2e6 * unit * (1.0 + b.abs())
        };
        let all = twice.iter().zip(&expected).all(|(&a, &b)| same(a, b));
        assert!(all, "seed {seed}, {precision:?}: two runs give {twice:?}, not {expected:?}\n{program}");
    }
}

#[test]
fn outputs_in_place_are_those_beside() {
    let (first, cases) = seeds(150);
    (first..first + cases).for_each(check_in_place);
}

#[test]
fn swapped_inputs_swap() {
    let mut graph = Graph::new();
    let (x, y) = (tensor(&mut graph, "x", &[5]), tensor(&mut graph, "y", &[5]));
    let f = function(graph, vec![y, x]);
    let inputs: Vec<f64> = (0..10).map(f64::from).collect();
    let found = repeated(&f, &options(Precision::F64, &[(0, 0), (1, 1)]), &inputs, 3);
    assert_eq!(found, [5., 6., 7., 8., 9., 0., 1., 2., 3., 4.]);
}

#[test]
fn a_turned_matrix_in_place_of_itself_is_copied() {
    let mut graph = Graph::new();
    let x = tensor(&mut graph, "x", &[3, 3]);
    let turned = graph.permute(x, pack_order([1, 0]));
    let f = function(graph, vec![turned]);
    let inputs: Vec<f64> = (0..9).map(f64::from).collect();
    let found = repeated(&f, &options(Precision::F32, &[(0, 0)]), &inputs, 1);
    assert_eq!(found, [0., 3., 6., 1., 4., 7., 2., 5., 8.]);
}

/// One-line graphs whose values are exact, so that all engines agree to the bit.
fn check_exact(build: impl Fn(&mut Graph, Id) -> Id, extents: &[u32], inputs: &[f64], expected: &[f64]) {
    let mut graph = Graph::new();
    let x = tensor(&mut graph, "x", extents);
    let y = build(&mut graph, x);
    let f = function(graph, vec![y]);
    for precision in [Precision::F64, Precision::F32] {
        let found = run(&f, &options(precision, &[]), inputs);
        let same = found.len() == expected.len()
            && found.iter().zip(expected).all(|(a, b)| a == b || a.is_nan() && b.is_nan());
        assert!(same, "{precision:?}: {found:?}, not {expected:?}");
        check(&f, inputs, 4.0, "exact");
    }
}

const NAN: f64 = f64::NAN;
const INFINITY: f64 = f64::INFINITY;

#[test]
fn indices_out_of_range_give_nan_and_touch_nothing() {
    let inputs = [-1.0, 0.0, 2.9, 3.0, NAN, 1e30, -0.5];
    let table = |g: &mut Graph, x: Id| {
        let rows = g.iota(3);
        let entries = g.broadcast(rows, 2, &Shape::new([3, 5]));
        g.gather(entries, x)
    };
    let rows = [NAN, 0.0, 2.0, NAN, NAN, NAN, 0.0];
    let expected: Vec<f64> = rows.iter().flat_map(|&r| [r; 5]).collect();
    check_exact(table, &[7], &inputs, &expected);
    let counts = |g: &mut Graph, x: Id| {
        let one = g.integer(1);
        let ones = g.broadcast(one, 1, &Shape::new([7]));
        g.scatter(ones, x, 3)
    };
    check_exact(counts, &[7], &inputs, &[2.0, 0.0, 1.0]);
}

#[test]
fn reductions_keep_nan_and_infinities() {
    let rows = [[1.0, 5.0, 5.0], [NAN, 1.0, 2.0], [-INFINITY, -INFINITY, -INFINITY], [1.0, INFINITY, 0.0]];
    let inputs = rows.concat();
    let reduce = |op: Reduction| move |g: &mut Graph, x: Id| g.reduce(op, x, 2);
    check_exact(reduce(Reduction::Max), &[4, 3], &inputs, &[5.0, NAN, -INFINITY, INFINITY]);
    check_exact(reduce(Reduction::Min), &[4, 3], &inputs, &[1.0, NAN, -INFINITY, 0.0]);
    check_exact(reduce(Reduction::ArgMax), &[4, 3], &inputs, &[1.0, NAN, 0.0, 1.0]);
    let log_sum = |g: &mut Graph, x: Id| {
        let y = g.reduce(Reduction::LogSumExp, x, 2);
        g.slice(y, 0, 1, 3)
    };
    check_exact(log_sum, &[4, 3], &inputs, &[NAN, -INFINITY, INFINITY]);
}

#[test]
fn a_sum_over_nothing_is_zero() {
    check_exact(|g, x| g.sum(x, 2), &[3, 0], &[], &[0.0; 3]);
    let none = |g: &mut Graph, x: Id| {
        let turned = g.permute(x, pack_order([1, 0]));
        g.contract(x, turned, 1)
    };
    check_exact(none, &[2, 0], &[], &[0.0; 4]);
    check_exact(|g, x| g.apply(Elementwise::Sin, &[x]), &[0, 4], &[], &[]);
}

#[test]
fn products_of_every_kind_agree() {
    // Sizes on both sides of the one from which the library computes.
    for [batch, m, n, k] in [[1, 64, 33, 17], [3, 20, 21, 22], [1, 1, 300, 40], [2, 5, 6, 7], [1, 129, 1, 64]]
    {
        for turned in [false, true] {
            let mut graph = Graph::new();
            let a = tensor(&mut graph, "a", &[batch, m, k]);
            let mut b =
                tensor(&mut graph, "b", if turned { [batch, n, k] } else { [batch, k, n] }.as_slice());
            if turned {
                b = graph.permute(b, pack_order([0, 2, 1]));
            }
            let y = graph.contract_batched(a, b, 1, 1);
            let f = function(graph, vec![y]);
            let mut random = Random(u64::from(m));
            let inputs: Vec<f64> = (0..f.input_size()).map(|_| random.uniform() - 0.5).collect();
            check(&f, &inputs, 200.0, &format!("{batch} times {m}x{n}x{k}"));
        }
    }
}

#[test]
fn every_op_agrees_on_vectors_and_tails() {
    for &op in Elementwise::ALL {
        let mut graph = Graph::new();
        let operands: Vec<Id> = (0..op.arity()).map(|i| tensor(&mut graph, &format!("x{i}"), &[9])).collect();
        if operands.is_empty() {
            continue;
        }
        let y = graph.apply(op, &operands);
        let f = function(graph, vec![y]);
        let values = [0.3, 0.9, 1.5, 2.0, 1e10, -0.7, 0.0, NAN, -3.2];
        let mut inputs: Vec<f64> =
            (0..op.arity()).flat_map(|i| values.map(|x| x + 0.25 * i as f64)).collect();
        if op == Elementwise::Polygamma {
            inputs[..9].fill(2.0);
        }
        // Single precision rounds operands first, which functions may magnify.
        let inputs = rounded(Precision::F32, &inputs);
        let expected = evaluate(f.graph(), f.inputs(), f.outputs(), &inputs);
        for precision in [Precision::F64, Precision::F32] {
            let found = run(&f, &options(precision, &[]), &inputs);
            for (i, (&a, b)) in found.iter().zip(rounded(precision, &expected)).enumerate() {
                let unit = if precision == Precision::F32 { 1.2e-7 } else { 2.3e-16 };
                let same = a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 4.0 * unit * b.abs();
                assert!(same, "{} {precision:?} {i}: {a}, not {b}", op.name());
            }
        }
    }
}

/// Loops of sixteen rounds of four vectors and some left over, set and summed.
#[test]
fn every_op_gives_the_same_bits_in_long_loops() {
    const LENGTH: usize = 16 * 64 + 45;
    for &op in Elementwise::ALL {
        let mut graph = Graph::new();
        let names = (0..op.arity()).map(|i| format!("x{i}"));
        let operands: Vec<Id> = names.map(|name| tensor(&mut graph, &name, &[LENGTH as u32])).collect();
        if operands.is_empty() {
            continue;
        }
        let y = graph.apply(op, &operands);
        let shifted = graph.apply(Elementwise::Add, &[y, operands[0]]);
        let (sum, least) = (graph.sum(shifted, 1), graph.reduce(Reduction::Min, shifted, 1));
        let f = function(graph, vec![y, sum, least]);
        let inputs: Vec<f64> =
            (0..op.arity() * LENGTH).map(|i| (i * 7919 % 1009) as f64 / 256.0 - 1.5).collect();
        for precision in [Precision::F64, Precision::F32] {
            let options = options(precision, &[]);
            let inputs = rounded(precision, &inputs);
            check_levels(&f, &compiled(&f, &options), &options, &inputs, op.name());
        }
    }
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let mut graph = Graph::new();
    let x = tensor(&mut graph, "x", &[3]);
    let y = graph.sum(x, 1);
    let f = function(graph, vec![y]);
    let error = build(&f, &options(Precision::F64, &[(0, 0)])).expect_err("the shapes differ");
    assert!(error.to_string().contains("output 0 cannot be stored in place of input 0"), "{error}");
    let kernel = TensorKernel::compile(&f, &options(Precision::F64, &[])).expect("it compiles");
    let mut workspace = kernel.workspace();
    assert!(workspace.set(0, &[1.0]).is_err() && workspace.set(1, &[]).is_err());
    assert!(workspace.input_f32(0).is_none() && workspace.input_f64(0).is_some());
}

#[test]
fn subnormals_are_flushed_where_wished_and_the_caller_keeps_its_own() {
    let mut graph = Graph::new();
    let x = tensor(&mut graph, "x", &[5]);
    let half = graph.exact(symdiff::ir::Number::ratio(1, 2).expect("a half"));
    let y = graph.apply(Elementwise::Mul, &[x, half]);
    let f = function(graph, vec![y]);
    let inputs = [f64::MIN_POSITIVE; 5];
    for (subnormals, expected) in [(Subnormals::Keep, f64::MIN_POSITIVE / 2.0), (Subnormals::Flush, 0.0)] {
        let options = TensorOptions { subnormals, ..TensorOptions::default() };
        let found = run(&f, &options, &inputs);
        let flushed = cfg!(target_arch = "x86_64");
        assert!(!flushed || found == [expected; 5], "{subnormals:?}: {found:?}");
        assert!(std::hint::black_box(f64::MIN_POSITIVE) / 2.0 > 0.0, "the caller's arithmetic changed");
    }
}

/// Small sums and what is made of them, one nest after another; all tails are of one length.
fn small_chain() -> Function {
    let mut graph = Graph::new();
    let (a, x) = (tensor(&mut graph, "a", &[6, 6]), tensor(&mut graph, "x", &[6]));
    let row = graph.broadcast(x, 1, &Shape::new([6, 6]));
    let products = graph.apply(Elementwise::Mul, &[a, row]);
    let sums = graph.sum(products, 2);
    let shares = graph.apply(Elementwise::Exp, &[sums]);
    let all = graph.sum(shares, 1);
    let [column, all] = [(shares, 2), (all, 3)].map(|(y, set)| graph.broadcast(y, set, &Shape::new([6, 6])));
    let scaled = graph.apply(Elementwise::Div, &[column, all]);
    let back = graph.apply(Elementwise::Mul, &[scaled, a]);
    let back = graph.sum(back, 1);
    function(graph, vec![back, sums])
}

#[test]
fn no_vector_is_read_where_a_nest_has_stored() {
    let function = small_chain();
    let inputs: Vec<f64> = (0..42).map(|i| f64::from(i % 7) / 8.0 - 0.4).collect();
    check(&function, &inputs, 50.0, "a small chain");
    let options = options(Precision::F64, &[]);
    let program = compiled(&function, &options);
    assert!(program.steps.len() > 2, "{program}");
    for level in [Level::L256, Level::L512].into_iter().filter(|level| level.is_available()) {
        let kernel = TensorKernel::from_program(program.clone(), &options, level).expect("compiles");
        let text: String = kernel.assemblies().expect("as before").iter().map(ToString::to_string).collect();
        let mut stored: Vec<&str> = Vec::new();
        // One element in all lanes is read from what a whole vector was stored to: that waits for nothing.
        for line in text.lines().filter(|line| line.contains("[rdi") && !line.contains("vbroadcast")) {
            let (operands, place) = line.split_once("[rdi").expect("just looked for");
            let place = place.split(']').next().expect("there is a first");
            match operands.contains(',') {
                true => assert!(!stored.contains(&place), "{level} bits: stored, then read: {line}\n{text}"),
                false => stored.push(place),
            }
        }
        assert!(stored.len() > 2 && !text.contains("jne"), "{text}");
    }
}

/// What narrow stores have left is put together in registers: the halves of vectors change sides.
#[test]
fn a_vector_that_was_stored_in_pieces_is_what_was_stored() {
    for columns in [2, 4] {
        let mut graph = Graph::new();
        let [a, x] =
            [("a", [8, 3]), ("x", [3, columns])].map(|(name, shape)| tensor(&mut graph, name, &shape));
        let w = tensor(&mut graph, "w", &[8, columns]);
        let slopes = graph.contract(a, x, 1);
        let two = graph.integer(2);
        let twos = graph.broadcast(two, 3, &Shape::new([8, columns]));
        let way = graph.apply(Elementwise::Div, &[slopes, twos]);
        let moved = graph.apply(Elementwise::Sub, &[w, way]);
        let squares = graph.apply(Elementwise::Mul, &[slopes, slopes]);
        let norm = graph.sum(squares, 3);
        let function = function(graph, vec![moved, norm]);
        let count = 24 + 11 * columns as usize;
        let inputs: Vec<f64> = (0..count).map(|i| (i * 7 % 23) as f64 / 8.0 - 1.3).collect();
        check(&function, &inputs, 50.0, &format!("a step of {columns} columns"));
    }
}

/// Vectors take the places of those that are used up: an element is what the last store has left there.
#[test]
fn an_element_of_a_place_used_again_is_the_newer_one() {
    for (rows, depth) in [(4, 5), (8, 4), (8, 6)] {
        let mut graph = Graph::new();
        let (w, mut h) = (tensor(&mut graph, "w", &[rows, rows]), tensor(&mut graph, "h", &[rows]));
        for _ in 0..depth {
            let product = graph.contract(w, h, 1);
            h = graph.apply(Elementwise::Sub, &[product, h]);
        }
        let function = function(graph, vec![h]);
        let count = (rows * rows + rows) as usize;
        let inputs: Vec<f64> = (0..count).map(|i| (i * 5 % 17) as f64 / 16.0 - 0.4).collect();
        check(&function, &inputs, 50.0, &format!("{depth} products of {rows} rows"));
    }
}

/// Random graphs of few operations, each run several times in one workspace: outputs of the first run
/// are overwritten, and what a run stores the next must not find.
#[test]
fn kernels_written_out_whole_give_the_same_in_every_run() {
    let (first, cases) = seeds(120);
    for seed in first..first + cases {
        let (function, inputs) = Grown::new(seed).function();
        for precision in [Precision::F64, Precision::F32] {
            let (options, inputs) = (options(precision, &[]), rounded(precision, &inputs));
            let bits = |values: Vec<f64>| -> Vec<u64> { values.iter().map(|x| x.to_bits()).collect() };
            let [once, often] = [1, 3].map(|runs| bits(repeated(&function, &options, &inputs, runs)));
            assert_eq!(once, often, "seed {seed}, {precision:?}");
        }
    }
}
