//! Tensor programs: whatever graph is compiled, the interpreter of the loops and the kernel agree
//! with the interpreter of the graph.

use symdiff::ir::eval::evaluate;
use symdiff::ir::structural::pack_order;
use symdiff::ir::{DType, Elementwise, Function, Graph, Id, Precision, Reduction, Selection, Shape, Type};
use symdiff::jit::tensor::TensorKernel;
use symdiff::loops::tensor::{TensorOptions, TensorProgram, build, interpret, verify};

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

/// What the kernel computes, input by input.
fn run(function: &Function, options: &TensorOptions, inputs: &[f64]) -> Vec<f64> {
    let kernel = TensorKernel::compile(function, options).unwrap_or_else(|e| panic!("{e}"));
    let mut workspace = kernel.workspace();
    let graph = function.graph();
    let mut rest = inputs;
    for (i, &symbol) in function.inputs().iter().enumerate() {
        let (values, others) = rest.split_at(graph.type_of(graph.symbol_type(symbol)).shape.size());
        workspace.set(i, values).expect("the lengths agree");
        rest = others;
    }
    kernel.run(&mut workspace);
    let mut results = Vec::new();
    for (o, &id) in function.outputs().iter().enumerate() {
        let mut values = vec![f64::NAN; graph.shape(id).size()];
        workspace.get(o, &mut values).expect("the lengths agree");
        results.extend(values);
    }
    results
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
        let divisors: Vec<u32> = (1..=size).filter(|d| size % d == 0).collect();
        let first = self.random.pick(&divisors);
        let shape = match self.random.below(3) {
            0 => Shape::new([size]),
            1 => Shape::new([first, size / first]),
            _ => {
                let rest: Vec<u32> = divisors.iter().copied().filter(|d| (size / first) % d == 0).collect();
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

#[test]
fn random_graphs_agree_with_the_graph_interpreter() {
    let cases: u64 = std::env::var("SYMDIFF_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(150);
    let first: u64 = std::env::var("SYMDIFF_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    for seed in first..first + cases {
        let (f, inputs) = Grown::new(seed).function();
        check(&f, &inputs, 2e5, &format!("seed {seed}"));
    }
}
