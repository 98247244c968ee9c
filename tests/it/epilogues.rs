//! Nests done while a product's elements are in registers, against the interpreter, at each level.

use super::jit::Random;
use symdiff::Limits;
use symdiff::ir::{Elementwise, Precision, Selection};
use symdiff::jit::tensor::TensorKernel;
use symdiff::jit::wide::Level;
use symdiff::loops::tensor::{
    Affine, Buffer, BufferId, Load, Loop, Matrix, Nest, Place, Product, Rounds, Step, Store, TensorOptions,
    TensorProgram, Write, build, interpret, verify,
};
use symdiff::loops::{self, Address, Block, Extent, Inst, Operands, Value};
use symdiff::train::Program;

/// Where a nest's output is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Home {
    Own,
    /// In the result's place.
    Result,
    /// In the place of the left factor, which the product reads.
    Factor,
}

/// A product, nests after it, and what they are over.
struct Case {
    program: TensorProgram,
    inputs: Vec<f64>,
}

/// Loops, the outer ones first: extent, and strides of result, left and right factor.
struct Sides {
    outer: Vec<(u32, [i64; 3])>,
    size: [usize; 3],
    /// From row to row, and from column to column, of the result.
    to: [i64; 2],
}

impl Sides {
    fn extents(&self) -> Vec<u32> {
        let inner = self.size[..2].iter().map(|&n| n as u32);
        self.outer.iter().map(|o| o.0).chain(inner).collect()
    }

    /// The result's strides along all loops.
    fn result(&self) -> Vec<i64> {
        self.outer.iter().map(|o| o.1[0]).chain(self.to).collect()
    }
}

fn place(buffer: u32, strides: &[i64]) -> Place {
    Place { buffer: BufferId::new(buffer), at: Affine { offset: 0, strides: strides.into() } }
}

/// Elements that a form reaches.
fn reach(strides: &[i64], extents: &[u32]) -> usize {
    1 + strides.iter().zip(extents).map(|(s, &n)| *s as usize * (n as usize - 1)).sum::<usize>()
}

/// A few operations on what is loaded; sometimes one that is worth a loop.
fn body(random: &mut Random, loads: usize, stores: usize) -> loops::Program {
    let mut block = Block::default();
    let address = |buffer, offset: usize| Address { buffer, offset: offset as u32, stride: 0 };
    let at = |buffer, offset| Address { stride: 1, ..address(buffer, offset) };
    let mut values: Vec<Value> = (0..loads)
        .map(|k| {
            let from = Address { stride: loads as u32, ..at(loops::Buffer::Inputs, k) };
            block.push(Inst::Load(from))
        })
        .collect();
    values.push(block.push(Inst::number([0.0, 2.0, -1.0][random.below(3)])));
    let one = |random: &mut Random, values: &[Value]| values[random.below(values.len())];
    for step in 0..1 + random.below(4) {
        let (a, b) =
            if step == 0 { (values[0], one(random, &values)) } else { (one(random, &values), values[0]) };
        let binary =
            [Elementwise::Add, Elementwise::Sub, Elementwise::Mul, Elementwise::Max, Elementwise::Min];
        let value = match random.below(9) {
            0 => Inst::Elementwise(Elementwise::Relu, Operands::new(&[a])),
            1 => {
                let mask = block.push(Inst::Selection(Selection::Less, Operands::new(&[a, b])));
                let c = one(random, &values);
                Inst::Selection(Selection::Select, Operands::new(&[mask, b, c]))
            }
            2 => Inst::Elementwise(Elementwise::Fma, Operands::new(&[a, b, one(random, &values)])),
            3 if random.below(3) == 0 => Inst::Elementwise(Elementwise::Tanh, Operands::new(&[a])),
            n => Inst::Elementwise(binary[n % 5], Operands::new(&[a, b])),
        };
        values.push(block.push(value));
    }
    for k in 0..stores {
        let to = Address { stride: stores as u32, ..at(loops::Buffer::Outputs, k) };
        let value = if k == 0 { values[values.len() - 1] } else { one(random, &values) };
        block.push(Inst::Store(to, value));
    }
    let nests = vec![loops::Nest { extent: Extent::Rows, blocks: vec![block] }];
    loops::Program { inputs: loads as u32, outputs: stores as u32, scratch: 0, nests }
}

impl Case {
    fn random(random: &mut Random) -> Case {
        let most = [3, 9, 20, 40][random.below(4)];
        let mut size = [0; 3].map(|_| 1 + random.below(most));
        if random.below(8) == 0 {
            // A panel holds no such sum at once.
            size[2] = 700 + random.below(200);
        }
        let [m, n, k] = size.map(|d| d as i64);
        let pad = random.below(3) as i64 * i64::from(random.below(2) == 0);
        let to = if random.below(4) > 0 { [n + pad, 1] } else { [1, m + pad] };
        let mut sizes = vec![reach(&[m.max(1), 1], &[k as u32, m as u32]), (k * n) as usize];
        let mut sides = Sides { outer: Vec::new(), size, to };
        let mut result = reach(&to, &[m as u32, n as u32]);
        for _ in 0..[0, 0, 1, 2][random.below(4)] {
            let extent = 2 + random.below(3);
            let strides = [result, sizes[0], if random.below(2) == 0 { sizes[1] } else { 0 }];
            sides.outer.insert(0, (extent as u32, strides.map(|s| s as i64)));
            result *= extent;
            sizes[0] *= extent;
            sizes[1] *= if strides[2] > 0 { extent } else { 1 };
        }
        sizes.push(result);
        let matrix = |buffer, row, column| Matrix { buffer: BufferId::new(buffer), offset: 0, row, column };
        let left = if random.below(2) == 0 { matrix(0, k, 1) } else { matrix(0, 1, m) };
        let right = if random.below(2) == 0 { matrix(1, n, 1) } else { matrix(1, 1, k) };
        let product = Product { size, to: matrix(2, to[0], to[1]), left, right, outer: sides.outer.clone() };
        let (nest, mut homes) = nest(random, &sides, &mut sizes);
        let mut steps = vec![Step::Product(product), Step::Nest(nest)];
        if random.below(2) == 0 {
            // What is between reads the result, where that has no gaps, or overwrites what the nest reads.
            let from = if pad == 0 && random.below(2) == 0 { 2 } else { 0 };
            let to = if sizes.len() > 4 && random.below(2) == 0 { 3 } else { sizes.len() as u32 };
            if to as usize == sizes.len() {
                homes.push((sizes.len(), Home::Own));
                sizes.push(sizes[from as usize]);
            }
            let length = sizes[from as usize].min(sizes[to as usize]) as u32;
            steps.insert(1, Step::Nest(copy(from, to, length)));
        }
        // A round may write where another reads no more than any step of a run.
        let are_apart = homes.iter().all(|home| home.1 != Home::Factor);
        let rounds = sides.outer.first().map(|o| o.0).filter(|_| are_apart && random.below(2) == 0);
        let is_cut = |step: &Step| match step {
            Step::Nest(nest) => nest.loops[0].extent == rounds.unwrap_or(0) && nest.lanes != Some(0),
            _ => true,
        };
        if let (Some(rounds), true) = (rounds, steps.iter().all(is_cut)) {
            steps = vec![Step::Rounds(Rounds { rounds, steps })];
        }
        Case::new(random, steps, &sizes, &homes)
    }

    fn new(random: &mut Random, steps: Vec<Step>, sizes: &[usize], homes: &[(usize, Home)]) -> Case {
        let mut end = 0;
        let mut buffers: Vec<Buffer> = sizes
            .iter()
            .map(|&size| {
                let offset = end;
                end = (end + size).next_multiple_of(16);
                Buffer { size, offset }
            })
            .collect();
        for &(buffer, home) in homes {
            match home {
                Home::Own => {}
                Home::Result => buffers[buffer].offset = buffers[2].offset,
                Home::Factor if buffers[buffer].size <= buffers[0].size => {
                    buffers[buffer].offset = buffers[0].offset
                }
                Home::Factor => {}
            }
        }
        let written: Vec<usize> = homes.iter().map(|home| home.0).collect();
        let inputs: Vec<usize> = (0..sizes.len()).filter(|b| *b != 2 && !written.contains(b)).collect();
        let in_place = homes.iter().any(|home| home.1 == Home::Result);
        let also = (!in_place && random.below(2) == 0).then_some(2);
        let id = |b: usize| BufferId::new(b as u32);
        let program = TensorProgram {
            arena: end,
            buffers,
            inputs: inputs.iter().copied().map(id).collect(),
            outputs: written.iter().copied().chain(also).map(id).collect(),
            steps,
        };
        let count: usize = inputs.iter().map(|&b| sizes[b]).sum();
        // Sums of whole numbers are exact in any order, and without zeros none is -0.
        let mut value = || [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0][random.below(6)];
        Case { program, inputs: (0..count).map(|_| value()).collect() }
    }

    /// Runs it at a level; the outputs, and what was done together.
    fn run(&self, precision: Precision, level: Level, threads: usize) -> (Vec<u64>, Vec<String>) {
        let options = TensorOptions { precision, threads, ..TensorOptions::default() };
        let kernel = TensorKernel::from_program(self.program.clone(), &options, level).expect("compiles");
        let mut workspace = kernel.workspace();
        let mut rest = self.inputs.as_slice();
        for (at, input) in self.program.inputs.iter().enumerate() {
            let (own, others) = rest.split_at(self.program.buffers[input.index()].size);
            workspace.set(at, own).expect("the lengths agree");
            rest = others;
        }
        kernel.run(&mut workspace);
        let mut all = Vec::new();
        for (at, output) in self.program.outputs.iter().enumerate() {
            let mut values = vec![f64::NAN; self.program.buffers[output.index()].size];
            workspace.get(at, &mut values).expect("the lengths agree");
            all.extend(values);
        }
        (bits(&all), kernel.stretches().to_vec())
    }
}

/// Bits, with one NaN for all, and for elements between the rows that nobody writes, which the
/// interpreter has as NaN, zero.
fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| if x.is_nan() { 0 } else { x.to_bits() }).collect()
}

/// A nest over all of a product's result; the buffers it writes, and where they are.
fn nest(random: &mut Random, sides: &Sides, sizes: &mut Vec<usize>) -> (Nest, Vec<(usize, Home)>) {
    let (extents, result) = (sides.extents(), sides.result());
    let loops = extents.len();
    let mut loads = vec![Load::Element(place(2, &result))];
    let add = |sizes: &mut Vec<usize>, strides: &[i64]| {
        sizes.push(reach(strides, &extents));
        place(sizes.len() as u32 - 1, strides)
    };
    for _ in 0..random.below(4) {
        let mut strides = vec![0; loops];
        match random.below(6) {
            0 => strides[loops - 1] = 1,
            1 => strides[loops - 2] = 1,
            2 => (strides[loops - 1], strides[loops - 2]) = (i64::from(extents[loops - 2]), 1),
            3 => (strides[loops - 1], strides[loops - 2]) = (1, i64::from(extents[loops - 1])),
            4 => strides[0] = 1,
            _ => strides.clone_from(&result),
        }
        loads.push(Load::Element(add(sizes, &strides)));
    }
    let mut homes = Vec::new();
    let mut stores = Vec::new();
    for at in 0..1 + random.below(2) {
        let home =
            [Home::Own, Home::Own, Home::Result, Home::Factor][if at == 0 { random.below(4) } else { 0 }];
        let to = add(sizes, &result);
        homes.push((sizes.len() - 1, home));
        stores.push(Store { to, write: Write::Set });
    }
    let body = body(random, loads.len(), stores.len());
    let mut nest = Nest {
        loops: extents.iter().map(|&extent| Loop { extent, reduced: false }).collect(),
        lanes: None,
        loads,
        stores,
        body,
    };
    if random.below(2) == 0 {
        merge(&mut nest);
    }
    let Load::Element(sum) = &nest.loads[0] else { unreachable!("the result") };
    nest.lanes = sum.at.strides.iter().rposition(|&stride| stride == 1);
    (nest, homes)
}

/// Makes loops one that go on where the inner one ends.
fn merge(nest: &mut Nest) {
    for outer in (0..nest.loops.len() - 1).rev() {
        let mut forms: Vec<&mut Affine> = nest.stores.iter_mut().map(|store| &mut store.to.at).collect();
        forms.extend(nest.loads.iter_mut().filter_map(|load| match load {
            Load::Element(place) => Some(&mut place.at),
            _ => None,
        }));
        let inner = i64::from(nest.loops[outer + 1].extent);
        if forms.iter().all(|form| form.strides[outer] == form.strides[outer + 1] * inner) {
            forms.into_iter().for_each(|form| _ = form.strides.remove(outer));
            let removed = nest.loops.remove(outer);
            nest.loops[outer].extent *= removed.extent;
        }
    }
}

/// A nest that copies elements.
fn copy(from: u32, to: u32, length: u32) -> Nest {
    let address = |buffer| Address { buffer, offset: 0, stride: 1 };
    let insts = vec![
        Inst::Load(address(loops::Buffer::Inputs)),
        Inst::Store(address(loops::Buffer::Outputs), Value::new(0)),
    ];
    let nests = vec![loops::Nest { extent: Extent::Rows, blocks: vec![Block { insts }] }];
    Nest {
        loops: vec![Loop { extent: length, reduced: false }],
        lanes: None,
        loads: vec![Load::Element(place(from, &[1]))],
        stores: vec![Store { to: place(to, &[1]), write: Write::Set }],
        body: loops::Program { inputs: 1, outputs: 1, scratch: 0, nests },
    }
}

/// How many of the products have an epilogue.
fn fused(stretches: &[String]) -> usize {
    let products = stretches.iter().flat_map(|stretch| stretch.split(", "));
    products.filter(|s| s.starts_with("product") && s.split(' ').count() > 2).count()
}

#[test]
fn epilogues_are_the_nests_they_were() {
    let (mut products, mut together) = (0, 0);
    for seed in 0..600 {
        let mut random = Random(seed);
        let case = Case::random(&mut random);
        assert_eq!(verify(&case.program), Ok(()), "seed {seed}\n{}", case.program);
        for precision in [Precision::F32, Precision::F64] {
            let expected = bits(&interpret(&case.program, precision, &case.inputs));
            for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
                let threads = 1 + random.below(2);
                let (found, stretches) = case.run(precision, level, threads);
                assert!(
                    found == expected,
                    "seed {seed}, {precision:?}, {level} bits, {stretches:?}\n{}",
                    case.program
                );
                if level > Level::L128 {
                    (products, together) = (products + 1, together + fused(&stretches));
                } else {
                    assert_eq!(fused(&stretches), 0, "the library has no epilogues");
                }
            }
        }
    }
    // About half of the nests are in a place, or of a form, that forbids it.
    assert!(products == 0 || together * 3 > products, "{together} epilogues of {products} products");
}

/// A nest that adds a buffer to the result of a product of 8 by 8, over so many rows.
fn sum_with(other: u32, to: u32, rows: u32) -> Nest {
    let input = |offset| Address { buffer: loops::Buffer::Inputs, offset, stride: 2 };
    let insts = vec![
        Inst::Load(input(0)),
        Inst::Load(input(1)),
        Inst::Elementwise(Elementwise::Add, Operands::new(&[Value::new(0), Value::new(1)])),
        Inst::Store(Address { buffer: loops::Buffer::Outputs, offset: 0, stride: 1 }, Value::new(2)),
    ];
    let nests = vec![loops::Nest { extent: Extent::Rows, blocks: vec![Block { insts }] }];
    Nest {
        loops: [rows, 8].map(|extent| Loop { extent, reduced: false }).to_vec(),
        lanes: Some(1),
        loads: vec![Load::Element(place(2, &[8, 1])), Load::Element(place(other, &[8, 1]))],
        stores: vec![Store { to: place(to, &[8, 1]), write: Write::Set }],
        body: loops::Program { inputs: 2, outputs: 1, scratch: 0, nests },
    }
}

#[test]
fn nests_move_only_past_what_leaves_them_as_they_are() {
    let matrix = |buffer| Matrix { buffer: BufferId::new(buffer), offset: 0, row: 8, column: 1 };
    let product =
        Product { size: [8, 8, 8], to: matrix(2), left: matrix(0), right: matrix(1), outer: vec![] };
    // Factors 0 and 1, the result 2, what is added 3, the sum 4, and two more.
    let check = |what: &str,
                 product: &Product,
                 between: Option<(u32, u32)>,
                 nest: Nest,
                 shared: Option<(usize, usize)>,
                 wanted| {
        let mut buffers: Vec<Buffer> = (0..7).map(|at| Buffer { size: 64, offset: 64 * at }).collect();
        if let Some((one, other)) = shared {
            buffers[one].offset = buffers[other].offset;
        }
        let between = between.map(|(from, to)| Step::Nest(copy(from, to, 64)));
        let steps = [Step::Product(product.clone())].into_iter().chain(between).chain([Step::Nest(nest)]);
        let ids = |ids: &[u32]| ids.iter().map(|&id| BufferId::new(id)).collect();
        let program = TensorProgram {
            arena: 7 * 64,
            buffers,
            inputs: ids(&[0, 1, 3, 5]),
            outputs: ids(&[4, 6]),
            steps: steps.collect(),
        };
        assert_eq!(verify(&program), Ok(()), "{what}");
        let inputs = (0..4 * 64).map(|i| f64::from(i * 7 % 11) + 1.0).collect();
        let case = Case { program, inputs };
        let expected = bits(&interpret(&case.program, Precision::F64, &case.inputs));
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            let (found, stretches) = case.run(Precision::F64, level, 1);
            assert_eq!(found, expected, "{what}, {level} bits");
            let wanted = usize::from(wanted && level > Level::L128);
            assert_eq!(fused(&stretches), wanted, "{what}, {level} bits: {stretches:?}");
        }
    };
    check("nothing is in the way", &product, None, sum_with(3, 4, 8), None, true);
    check("something else is done first", &product, Some((5, 6)), sum_with(3, 4, 8), None, true);
    check("the sum takes the result's place", &product, None, sum_with(3, 4, 8), Some((4, 2)), true);
    check("the sum takes the other's place", &product, None, sum_with(3, 4, 8), Some((4, 3)), true);
    check("the sum takes a factor's place", &product, None, sum_with(3, 4, 8), Some((4, 0)), false);
    check("the sum takes the other factor's place", &product, None, sum_with(3, 4, 8), Some((4, 1)), false);
    check("what is added is written first", &product, Some((5, 3)), sum_with(3, 4, 8), None, false);
    check("the sum's place is read first", &product, Some((5, 6)), sum_with(3, 4, 8), Some((4, 5)), false);
    check("the sum's place is written first", &product, Some((5, 6)), sum_with(3, 4, 8), Some((6, 4)), false);
    check("what is added is in the result's place", &product, None, sum_with(6, 4, 8), Some((6, 2)), false);
    check("a part of the result", &product, None, sum_with(3, 4, 7), None, false);
    let mut twice = sum_with(3, 4, 8);
    twice.loops.insert(0, Loop { extent: 2, reduced: false });
    twice.lanes = Some(2);
    twice.stores[0].to.at.strides.insert(0, 0);
    for load in &mut twice.loads {
        let Load::Element(place) = load else { unreachable!("an element") };
        place.at.strides.insert(0, 0);
    }
    check("over and over", &product, None, twice, None, false);
    // Rows of 12, where those of the result are 8.
    let product = Product { size: [6, 8, 8], ..product };
    let mut askew = sum_with(3, 4, 4);
    askew.loops[1].extent = 12;
    askew.stores[0].to.at.strides[0] = 12;
    for load in &mut askew.loads {
        let Load::Element(place) = load else { unreachable!("an element") };
        place.at.strides[0] = 12;
    }
    check("rows that begin in the middle of others", &product, None, askew, None, false);
}

#[test]
fn layers_of_a_net_end_with_their_products() {
    let text = "input x[20], class
        logits = x |> dense(24, relu) |> dense(24, relu) |> dense(10)
        loss = cross_entropy(logits, class)
        train { optimizer = adam(lr = 1e-3), batch = 32, precision = f32 }";
    let program = Program::read(text, &Limits::default()).expect("it reads");
    let (function, in_place) = program.step(100, 32).expect("it has a step");
    let options = TensorOptions { in_place, precision: Precision::F32, ..TensorOptions::default() };
    for level in [Level::L256, Level::L512].into_iter().filter(|level| level.is_available()) {
        let program = build(&function, &options).expect("it fits");
        let kernel = TensorKernel::from_program(program, &options, level).expect("compiles");
        // Bias and relu of both layers; what comes back through them.
        assert_eq!(fused(kernel.stretches()), 4, "{level} bits: {:?}", kernel.stretches());
    }
}
