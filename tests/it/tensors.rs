//! Random tensor graphs over every op: taken apart, batched, written down and differentiated, they
//! agree with the interpreter. proptest prints the seed of a failure.

use proptest::prelude::*;
use symdiff::batch::{Batched, batch};
use symdiff::ir::structural::{pack_order, windowed};
use symdiff::ir::{
    DType, Elementwise, Graph, Id, Op, Reduction, Selection, Shape, Type, elements, evaluate, reachable, text,
};
use symdiff::{Function, Level, Purpose, differentiate, simplify};

/// A small generator of choices; the seed is proptest's.
struct Choice(u64);

impl Choice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) % n.max(1) as u64) as usize
    }

    fn number(&mut self) -> f64 {
        self.below(2000) as f64 / 1000.0 - 1.0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Inputs of one example, and their shapes.
const INPUTS: [(&str, &[u32]); 5] = [("s", &[]), ("v", &[4]), ("w", &[3]), ("A", &[3, 4]), ("T", &[2, 3, 4])];

struct Random {
    graph: Graph,
    inputs: Vec<Id>,
    root: Id,
}

/// A graph of `size` random ops over the inputs, and a number that depends on all of them.
fn random(seed: u64, size: usize) -> Random {
    let mut choice = Choice(seed);
    let mut graph = Graph::new();
    let mut input = |(name, extents): &(&str, &[u32])| {
        let ty = graph.type_id(Type::new(DType::F64, Shape::new(extents.iter().copied())));
        graph.input_of(name, ty)
    };
    let inputs: Vec<Id> = INPUTS.iter().map(&mut input).collect();
    let mut pool = inputs.clone();
    for _ in 0..size {
        let x = choice.of(&pool);
        let y = op(&mut graph, &mut choice, &pool, x);
        if graph.shape(y).size() <= 200 && graph.shape(y).rank() <= 4 {
            pool.push(y);
        }
    }
    let mut total = graph.integer(0);
    for &x in &pool[inputs.len()..] {
        let smooth = graph.apply(Elementwise::Sin, &[x]);
        let axes = ((1u16 << graph.shape(x).rank()) - 1) as u8;
        let sum = graph.sum(smooth, axes);
        total = graph.apply(Elementwise::Add, &[total, sum]);
    }
    Random { graph, inputs, root: total }
}

fn op(g: &mut Graph, choice: &mut Choice, pool: &[Id], x: Id) -> Id {
    let shape = g.shape(x).clone();
    let (rank, size) = (shape.rank(), shape.size() as u32);
    let axis = choice.below(rank) as u8;
    let set = (choice.below(1 << rank)) as u8;
    let extent = shape.extents().get(axis as usize).copied().unwrap_or(1);
    let other = choice.of(pool);
    let index = g.iota(3);
    match choice.below(16) {
        0 => g.apply(choice.of(&[Elementwise::Sin, Elementwise::Tanh, Elementwise::Sigmoid]), &[x]),
        1 => {
            let like = pool.iter().copied().filter(|&y| g.is_scalar(y) || g.shape(y) == &shape);
            let like: Vec<Id> = like.collect();
            g.apply(
                choice.of(&[Elementwise::Mul, Elementwise::Add, Elementwise::Sub]),
                &[x, choice.of(&like)],
            )
        }
        2 => g.sum(x, set),
        3 => {
            let to = Shape::new([2].into_iter().chain(shape.extents().iter().copied()));
            g.broadcast(x, 1, &to)
        }
        4 => {
            let to = if choice.below(2) == 0 { Shape::new([size]) } else { Shape::new([1, size]) };
            g.reshape(x, &to)
        }
        5 => g.permute(x, pack_order((0..rank).map(|i| (i + 1) % rank))),
        6 if rank > 0 => {
            let start = choice.below(extent as usize) as u32;
            g.slice(x, axis, start, 1 + choice.below((extent - start) as usize) as u32)
        }
        7 if rank > 0 => g.pad(x, axis, choice.below(3) as u32, extent + 2),
        8 => g.stack(&[x, x]),
        9 if rank > 0 => {
            let (length, stride) = (1 + choice.below(extent as usize) as u32, 1 + choice.below(2) as u32);
            match windowed(&shape, axis, length, stride) {
                Some(_) => g.window(x, axis, length, stride),
                None => x,
            }
        }
        10 if rank > 0 && choice.below(2) == 0 => g.gather(x, index),
        10 if rank > 0 => {
            let shifted = g.apply(Elementwise::Sub, &[x, x]);
            g.gather(x, shifted)
        }
        11 if rank > 0 && shape.extents()[0] == 3 => g.scatter(x, index, 4),
        12 => {
            let op = choice.of(&[Reduction::Max, Reduction::Min, Reduction::LogSumExp]);
            g.reduce(op, x, set)
        }
        13 => contraction(g, x, other),
        14 => {
            let zero = g.integer(0);
            let condition = g.compare(Selection::Less, &[x, zero]);
            let square = g.apply(Elementwise::Mul, &[x, x]);
            g.select(condition, x, square)
        }
        15 if rank > 0 => {
            let place = g.reduce(Reduction::ArgMax, x, 1 << axis);
            let scaled = g.apply(Elementwise::Mul, &[place, place]);
            g.broadcast(scaled, 1 << axis, &shape)
        }
        _ => g.apply(Elementwise::Neg, &[x]),
    }
}

/// A product of two arrays along whatever axes fit, paired ones first.
fn contraction(g: &mut Graph, a: Id, b: Id) -> Id {
    let (left, right) = (g.shape(a).extents().to_vec(), g.shape(b).extents().to_vec());
    let paired = left.iter().zip(&right).take_while(|(l, r)| l == r).count();
    for batch in (0..=paired).rev() {
        for over in (0..=left.len().min(right.len()) - batch.min(left.len().min(right.len()))).rev() {
            let fits = left.len() >= batch + over
                && right.len() >= batch + over
                && left[left.len() - over..] == right[batch..batch + over];
            let small = (left.len() + right.len()) - batch - 2 * over <= 4;
            if fits && small && (batch > 0 || over > 0) {
                return g.contract_batched(a, b, batch as u8, over as u8);
            }
        }
    }
    a
}

/// Numbers for the inputs, one after another.
fn values(seed: u64, count: usize) -> Vec<f64> {
    let mut choice = Choice(seed ^ 0x5eed);
    (0..count).map(|_| choice.number()).collect()
}

fn run(graph: &Graph, roots: &[Id], values: &[f64]) -> Vec<f64> {
    evaluate(graph, &graph.symbols().collect::<Vec<_>>(), roots, values)
}

fn size_of_inputs() -> usize {
    INPUTS.iter().map(|(_, extents)| extents.iter().product::<u32>() as usize).sum()
}

#[track_caller]
fn close(actual: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        let same = (a - e).abs() <= tolerance * (1.0 + e.abs()) || (a.is_nan() && e.is_nan());
        assert!(same, "{what}, place {i}: {a} instead of {e}");
    }
}

/// A value that was finite stays what it was.
#[track_caller]
fn close_where_finite(actual: &[f64], before: &[f64]) {
    let finite = actual.iter().zip(before).filter(|(_, b)| b.is_finite());
    let (actual, before): (Vec<f64>, Vec<f64>) = finite.map(|(a, b)| (*a, *b)).unzip();
    close(&actual, &before, 1e-10, "simplified");
}

fn cases() -> ProptestConfig {
    let cases = crate::samples::cases(150) as u32;
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_global_rejects: 10 * cases,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn taken_apart_they_are_the_same(seed: u64, size in 1usize..12) {
        let Random { mut graph, root, .. } = random(seed, size);
        let numbers = values(seed, size_of_inputs());
        let whole = run(&graph, &[root], &numbers);
        let parts = elements(&mut graph, &[root]).concat();
        close(&run(&graph, &parts, &numbers), &whole, 1e-12, "taken apart");
    }

    #[test]
    fn their_text_reads_back(seed: u64, size in 1usize..12) {
        let Random { graph, root, .. } = random(seed, size);
        let inputs = graph.symbols().collect();
        let written = text::write(&Function::new(graph, inputs, vec![root]));
        let read = text::read(&written).unwrap_or_else(|e| panic!("{e}\n{written}"));
        assert_eq!(text::write(&read), written);
    }

    #[test]
    fn a_batch_is_each_example(seed: u64, size in 1usize..12, kept in 0usize..5) {
        let Random { mut graph, inputs, root } = random(seed, size);
        let all = reachable(&graph, &[root]);
        // One input stays the same for every example.
        let each: Vec<usize> = (0..inputs.len()).filter(|&i| i != kept).collect();
        let many: Vec<(Id, Id)> = each.iter().map(|&i| {
            let extents = [3].into_iter().chain(graph.shape(inputs[i]).extents().iter().copied());
            let ty = graph.type_id(Type::new(DType::F64, Shape::new(extents.collect::<Vec<_>>())));
            (inputs[i], graph.input_of(&format!("{}s", INPUTS[i].0), ty))
        }).collect();
        let batched = batch(&mut graph, &all, &many, 3);
        let examples: Vec<Vec<f64>> = (0..3).map(|e| {
            let mut numbers = values(seed.wrapping_add(e), size_of_inputs());
            let start: usize = INPUTS[..kept].iter().map(|(_, x)| x.iter().product::<u32>() as usize).sum();
            let length = INPUTS[kept].1.iter().product::<u32>() as usize;
            numbers[start..start + length].fill(0.5);
            numbers
        }).collect();
        let mut together = examples[0].clone();
        for &i in &each {
            let start: usize = INPUTS[..i].iter().map(|(_, x)| x.iter().product::<u32>() as usize).sum();
            let length = INPUTS[i].1.iter().product::<u32>() as usize;
            examples.iter().for_each(|e| together.extend(&e[start..start + length]));
        }
        for (&one, b) in all.iter().zip(&batched) {
            let rows: Vec<Vec<f64>> = examples.iter().map(|e| {
                let mut alone = e.clone();
                alone.resize(together.len(), 0.0);
                run(&graph, &[one], &alone)
            }).collect();
            match *b {
                Batched::Once(id) => close(&run(&graph, &[id], &together), &rows[0], 1e-12, "once"),
                Batched::Each(id) => {
                    let what = format!("{one} {:?}", graph.op(one));
                    close(&run(&graph, &[id], &together), &rows.concat(), 1e-12, &what)
                }
            }
        }
    }

    #[test]
    fn simplified_they_are_the_same(seed: u64, size in 1usize..12) {
        let Random { mut graph, inputs, root } = random(seed, size);
        // Where values tie, rounding decides which is greater.
        prop_assume!(!reachable(&graph, &[root]).iter().any(|&id| is_kinked(&graph, id)));
        let numbers = values(seed, size_of_inputs());
        let one = graph.integer(1);
        let bars = differentiate::vjp(&mut graph, &[(root, one)], &inputs);
        let outputs: Vec<Id> = bars.into_iter().flatten().chain([root]).collect();
        let before = run(&graph, &outputs, &numbers);
        // Where the function is undefined its slopes mean nothing: x - x is 0 but where x is NaN, and
        // an index that is NaN chooses no row.
        prop_assume!(before.last().is_some_and(|y| y.is_finite()));
        let symbols = graph.symbols().collect();
        let function = Function::new(graph, symbols, outputs);
        for purpose in [Purpose::Read, Purpose::Compute, Purpose::Both] {
            let simple = simplify(&function, Level::Fast, purpose);
            for (a, b) in simple.outputs().iter().zip(function.outputs()) {
                assert_eq!(simple.graph().shape(*a), function.graph().shape(*b));
            }
            close_where_finite(&run(simple.graph(), simple.outputs(), &numbers), &before);
        }
    }

    #[test]
    fn both_modes_are_the_difference_quotient(seed: u64, size in 1usize..10) {
        let Random { mut graph, inputs, root } = random(seed, size);
        // A kink nearby makes the quotient wrong, and rounded indices have none.
        prop_assume!(!reachable(&graph, &[root]).iter().any(|&id| is_kinked(&graph, id)));
        let numbers = values(seed, size_of_inputs());
        prop_assume!(run(&graph, &[root], &numbers)[0].is_finite());
        let one = graph.integer(1);
        let backward = differentiate::vjp(&mut graph, &[(root, one)], &inputs);
        let mut gradient = Vec::new();
        for (x, bar) in inputs.iter().zip(backward) {
            match bar {
                Some(bar) => gradient.extend(run(&graph, &[bar], &numbers)),
                None => gradient.extend(vec![0.0; graph.shape(*x).size()]),
            }
        }
        let direction = values(seed ^ 77, numbers.len());
        let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let step = |h: f64| {
            let moved: Vec<f64> = numbers.iter().zip(&direction).map(|(x, d)| x + h * d).collect();
            run(&graph, &[root], &moved)[0]
        };
        let h = 1e-5;
        close(&[(step(h) - step(-h)) / (2.0 * h)], &[along], 1e-6, "reverse against differences");

        let seeds: Vec<(Id, Id)> = inputs.iter().map(|&x| {
            let ty = graph.node(x).ty;
            (x, graph.input_of(&format!("dot{x}"), ty))
        }).collect();
        let forward = differentiate::jvp(&mut graph, &[root], &seeds)[0];
        let numbers: Vec<f64> = numbers.iter().chain(&direction).copied().collect();
        let forward = forward.map_or(vec![0.0], |dot| run(&graph, &[dot], &numbers));
        close(&forward, &[along], 1e-10, "forward against reverse");
    }
}

fn is_kinked(graph: &Graph, id: Id) -> bool {
    let is_extreme = |op| matches!(op, Reduction::Max | Reduction::Min | Reduction::ArgMax);
    match graph.op(id) {
        Op::Reduce { op, .. } => is_extreme(op),
        op => matches!(op, Op::Selection(_)),
    }
}

#[test]
fn equal_maxima_share_the_derivative() {
    let mut graph = Graph::new();
    let ty = graph.type_id(Type::new(DType::F64, Shape::new([3])));
    let x = graph.input_of("x", ty);
    let y = graph.reduce(Reduction::Max, x, 1);
    let one = graph.integer(1);
    let bar = differentiate::vjp(&mut graph, &[(y, one)], &[x])[0].expect("it depends on x");
    assert_eq!(run(&graph, &[bar], &[2.0, 1.0, 2.0]), [0.5, 0.0, 0.5]);
}

#[test]
fn an_index_out_of_range_is_nan_and_is_dropped() {
    let mut graph = Graph::new();
    let ty = graph.type_id(Type::new(DType::F64, Shape::new([3])));
    let (x, at) = (graph.input_of("x", ty), graph.input("at"));
    let (y, place) = (graph.gather(x, at), graph.scatter(at, at, 3));
    let undefined = |at: f64| run(&graph, &[y], &[1.0, 2.0, 3.0, at])[0].is_nan();
    assert!(undefined(3.0) && undefined(-1.0) && undefined(f64::NAN));
    assert_eq!(run(&graph, &[y], &[1.0, 2.0, 3.0, 2.9]), [3.0]);
    assert_eq!(run(&graph, &[place], &[0.0, 0.0, 0.0, 7.0]), [0.0; 3]);
    let parts = elements(&mut graph, &[y]).concat();
    assert_eq!(run(&graph, &parts, &[1.0, 2.0, 3.0, 2.9]), [3.0]);
    assert!(run(&graph, &parts, &[1.0, 2.0, 3.0, 3.0])[0].is_nan());
}
