//! Steps that run round by round give what they give one after another, at every width, on one thread
//! and on several; so do arrays that take the place of others.
//!
//! Inputs are small whole numbers and nothing grows, so sums are exact in any order.

use super::jit::Random;
use symdiff::ir::eval::evaluate;
use symdiff::ir::{DType, Elementwise, Function, Graph, Id, Precision, Reduction, Shape, Type};
use symdiff::jit::tensor::TensorKernel;
use symdiff::jit::wide::Level;
use symdiff::loops::tensor::{Rounds, Step, TensorOptions, TensorProgram, build, interpret};

/// Random arrays of so many rounds, rows and points, made of each other.
struct Grown {
    graph: Graph,
    random: Random,
    extents: [u32; 3],
    /// Of shape [rounds, rows, points].
    large: Vec<Id>,
    /// Of shape [rounds, rows, rows].
    square: Vec<Id>,
    outputs: Vec<Id>,
}

impl Grown {
    fn new(seed: u64) -> Grown {
        let mut random = Random(seed);
        let rounds = 4 + random.below(9) as u32;
        let rows = 2 + random.below(11) as u32;
        let points = 40_000 / (rounds * rows) + random.below(40) as u32;
        let mut graph = Graph::new();
        let mut input = |name: &str, extents: [u32; 3]| {
            let ty = graph.type_id(Type::new(DType::F64, Shape::new(extents)));
            graph.input_of(name, ty)
        };
        let large = vec![input("x", [rounds, rows, points]), input("y", [rounds, rows, points])];
        let square = vec![input("w", [rounds, rows, rows])];
        let extents = [rounds, rows, points];
        let mut grown = Grown { graph, random, extents, large, square, outputs: Vec::new() };
        for _ in 0..3 + grown.random.below(8) {
            grown.step();
        }
        grown
    }

    /// Kept between -3 and 3.
    fn clamped(&mut self, x: Id) -> Id {
        let shape = self.graph.shape(x).clone();
        [(Elementwise::Min, 3), (Elementwise::Max, -3)].into_iter().fold(x, |x, (op, bound)| {
            let bound = self.graph.integer(bound);
            let all = ((1u16 << shape.rank()) - 1) as u8;
            let bound = self.graph.broadcast(bound, all, &shape);
            self.graph.apply(op, &[x, bound])
        })
    }

    fn step(&mut self) {
        let pick = |random: &mut Random, from: &[Id]| from[random.below(from.len())];
        let (a, b) = (pick(&mut self.random, &self.large), pick(&mut self.random, &self.large));
        let w = pick(&mut self.random, &self.square);
        let shape = Shape::new(self.extents);
        match self.random.below(6) {
            0 => {
                let op = [Elementwise::Add, Elementwise::Mul, Elementwise::Sub][self.random.below(3)];
                let made = self.graph.apply(op, &[a, b]);
                let made = self.clamped(made);
                self.large.push(made);
            }
            1 | 2 => {
                let made = self.graph.contract_batched(w, a, 1, 1);
                let made = self.clamped(made);
                self.large.push(made);
            }
            3 => {
                let turned = self.graph.permute(b, symdiff::ir::structural::pack_order([0, 2, 1]));
                let made = self.graph.contract_batched(a, turned, 1, 1);
                self.outputs.push(made);
                let made = self.clamped(made);
                self.square.push(made);
            }
            4 => {
                let greatest = self.graph.reduce(Reduction::Max, a, 2);
                let spread = self.graph.broadcast(greatest, 2, &shape);
                let made = self.graph.apply(Elementwise::Sub, &[b, spread]);
                let made = self.clamped(made);
                self.large.push(made);
            }
            _ => {
                let axes = [2, 4, 6, 1][self.random.below(4)];
                let made = self.graph.sum(a, axes);
                self.outputs.push(made);
            }
        }
    }

    fn function(mut self) -> (Function, Vec<f64>) {
        self.outputs.extend(self.large.last());
        let inputs = self.graph.symbols().collect();
        let function = Function::new(self.graph, inputs, self.outputs);
        let values = (0..function.input_size()).map(|_| self.random.below(7) as f64 - 3.0);
        let values = values.collect();
        (function, values)
    }
}

/// What a kernel makes of inputs, one after another.
fn outputs(program: &TensorProgram, options: &TensorOptions, level: Level, inputs: &[f64]) -> Vec<f64> {
    let kernel = TensorKernel::from_program(program.clone(), options, level).expect("it compiles");
    let mut workspace = kernel.workspace();
    let mut rest = inputs;
    for (at, buffer) in program.inputs.iter().enumerate() {
        let (values, others) = rest.split_at(program.buffers[buffer.index()].size);
        workspace.set(at, values).expect("the lengths agree");
        rest = others;
    }
    kernel.run(&mut workspace);
    let each = program.outputs.iter().enumerate().flat_map(|(at, buffer)| {
        let mut values = vec![f64::NAN; program.buffers[buffer.index()].size];
        workspace.get(at, &mut values).expect("the lengths agree");
        values
    });
    each.collect()
}

/// Buffers that lie over one another although a step reads the one and writes the other.
fn taken_over(program: &TensorProgram) -> usize {
    let place = |id: &symdiff::loops::tensor::BufferId| program.buffers[id.index()];
    let shared = program.steps.iter().filter(|step| {
        let (reads, writes) = (step.reads(), step.writes());
        reads.iter().any(|x| writes.iter().any(|y| x != y && place(x).offset == place(y).offset))
    });
    shared.count()
}

/// What programs are made of.
#[derive(Default)]
struct Found {
    runs: usize,
    nests: usize,
    products: usize,
    /// Buffers that every round uses anew.
    rooms: usize,
    taken_over: usize,
}

impl Found {
    fn look(&mut self, program: &TensorProgram) {
        self.taken_over += taken_over(program);
        for step in &program.steps {
            let Step::Rounds(Rounds { steps, .. }) = step else { continue };
            self.runs += 1;
            for step in steps {
                match step {
                    Step::Nest(nest) => {
                        self.nests += 1;
                        let stays = nest.stores.iter().filter(|store| store.to.at.strides[0] == 0);
                        self.rooms += stays.count();
                    }
                    Step::Product(product) => {
                        self.products += 1;
                        self.rooms += usize::from(product.outer[0].1[0] == 0);
                    }
                    _ => panic!("a run of other steps: {step}"),
                }
            }
        }
    }
}

/// Compiled for one thread and for several, every width and the interpreter make the expected numbers,
/// on whatever threads there are then.
fn check(function: &Function, inputs: &[f64], precision: Precision, found: &mut Found, what: &str) {
    let expected = evaluate(function.graph(), function.inputs(), function.outputs(), inputs);
    for meant_for in [1, 3] {
        let options = TensorOptions { precision, threads: meant_for, ..TensorOptions::default() };
        let program = build(function, &options).unwrap_or_else(|e| panic!("{what}: {e}"));
        found.look(&program);
        let by_loops = interpret(&program, precision, inputs);
        assert!(by_loops == expected, "{what}, {precision:?}, the interpreter\n{program}");
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            for threads in [1, 3] {
                let made = outputs(&program, &TensorOptions { threads, ..options.clone() }, level, inputs);
                assert!(
                    made == expected,
                    "{what}, {precision:?}, {level} bits, {threads} threads\n{program}"
                );
            }
        }
    }
}

#[test]
fn round_by_round_is_step_by_step() {
    let mut found = Found::default();
    for seed in 1..9 {
        let (function, inputs) = Grown::new(seed).function();
        let precision = [Precision::F64, Precision::F32][seed as usize % 2];
        check(&function, &inputs, precision, &mut found, &format!("seed {seed}"));
    }
    let Found { runs, nests, products, rooms, taken_over } = found;
    assert!(runs > 8 && nests > 12 && products > 8, "{runs} runs of {nests} nests, {products} products");
    assert!(rooms > 5, "{rooms} arrays have room for one round");
    assert!(taken_over > 2, "{taken_over} arrays take the place of others");
}
