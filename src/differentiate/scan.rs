//! Scans: the tangent of a scan is a scan, its cotangent a scan the other way.
//!
//! Forward, the carries and their tangents go side by side. In reverse, the cotangents of carries
//! go from the last step to the first, those of constants add up on the way, and those of entries
//! are emitted; each step is computed again from the carries before it.

use super::{jvp, vjp};
use crate::ir::{
    Body, DType, Elementwise, Function, Graph, Id, Op, ScanBody, ScanResult, Shape, Symbol, Type,
};
use std::sync::Arc;

/// A body under construction: inputs in order, outputs to come.
struct Step {
    graph: Graph,
    symbols: Vec<Symbol>,
}

impl Step {
    fn new() -> Step {
        Step { graph: Graph::new(), symbols: Vec::new() }
    }

    fn input(&mut self, name: &str, shape: &Shape) -> Id {
        let name = format!("{name} {}", self.symbols.len());
        let ty = self.graph.type_id(Type::new(DType::F64, shape.clone()));
        let id = self.graph.input_of(&name, ty);
        self.symbols.extend(self.graph.symbol(&name));
        id
    }

    fn inputs(&mut self, name: &str, of: &ScanBody, range: std::ops::Range<usize>) -> Vec<Id> {
        range.map(|i| self.input(name, &of.input_type(i).shape.clone())).collect()
    }

    fn zeros(&mut self, like: Id) -> Id {
        let shape = self.graph.shape(like).clone();
        zeros(&mut self.graph, &shape)
    }

    fn or_zeros(&mut self, found: Option<Id>, like: Id) -> Id {
        found.unwrap_or_else(|| self.zeros(like))
    }

    fn function(self, outputs: Vec<Id>) -> Function {
        Function::new(self.graph, self.symbols, outputs).compacted()
    }
}

fn zeros(graph: &mut Graph, shape: &Shape) -> Id {
    let zero = graph.integer(0);
    graph.broadcast(zero, ((1u16 << shape.rank()) - 1) as u8, shape)
}

/// A scan's node taken apart.
struct Site {
    body: Body,
    scan: Arc<ScanBody>,
    result: ScanResult,
    operands: Vec<Id>,
}

impl Site {
    fn of(graph: &Graph, id: Id) -> Option<Site> {
        let Op::Scan { body, output } = graph.op(id) else { return None };
        let scan = Arc::clone(graph.body(body));
        let result = scan.result(output);
        Some(Site { body, scan, result, operands: graph.operands(id).to_vec() })
    }

    fn carries(&self) -> std::ops::Range<usize> {
        0..self.scan.carries
    }

    fn sequences(&self) -> std::ops::Range<usize> {
        self.scan.carries..self.scan.carries + self.scan.sequences
    }

    fn constants(&self) -> std::ops::Range<usize> {
        self.scan.carries + self.scan.sequences..self.operands.len()
    }
}

/// The tangent of a scan's node; `dots` are those of its operands that have one.
pub(super) fn tangent(graph: &mut Graph, id: Id, dots: &[Option<Id>]) -> Option<Id> {
    let site = Site::of(graph, id)?;
    let scan = &site.scan;
    let moving = |range: std::ops::Range<usize>| range.filter(|&i| dots[i].is_some()).collect::<Vec<_>>();
    let (sequences, constants) = (moving(site.sequences()), moving(site.constants()));
    let mut step = Step::new();
    let shape = |i: usize| scan.input_type(i).shape.clone();
    let mut primal = step.inputs("carry", scan, site.carries());
    let mut seeds: Vec<(Id, Id)> =
        site.carries().map(|i| (primal[i], step.input("carry dot", &shape(i)))).collect();
    primal.extend(step.inputs("entry", scan, site.sequences()));
    seeds.extend(sequences.iter().map(|&i| (primal[i], step.input("entry dot", &shape(i)))));
    primal.extend(step.inputs("constant", scan, site.constants()));
    seeds.extend(constants.iter().map(|&i| (primal[i], step.input("constant dot", &shape(i)))));
    let made = step.graph.instance(&scan.function, &primal);
    let tangents = jvp(&mut step.graph, &made, &seeds);
    let tangents: Vec<Id> = made.iter().zip(tangents).map(|(&y, dot)| step.or_zeros(dot, y)).collect();
    let (carries, emitted) = (scan.carries, scan.emitted());
    let outputs = [&made[..carries], &tangents[..carries], &made[carries..], &tangents[carries..]].concat();
    let function = step.function(outputs);
    let body = ScanBody {
        function,
        steps: scan.steps,
        carries: 2 * carries,
        sequences: scan.sequences + sequences.len(),
        backwards: scan.backwards,
    };
    let mut operands: Vec<Id> = site.operands[..carries].to_vec();
    for i in site.carries() {
        operands.push(dots[i].unwrap_or_else(|| zeros(graph, &shape(i))));
    }
    operands.extend(&site.operands[site.sequences()]);
    operands.extend(sequences.iter().filter_map(|&i| dots[i]));
    operands.extend(&site.operands[site.constants()]);
    operands.extend(constants.iter().filter_map(|&i| dots[i]));
    let body = graph.intern_body(body);
    let result = match site.result {
        ScanResult::Last(i) => ScanResult::Last(carries + i),
        ScanResult::Emitted(j) => ScanResult::Emitted(emitted + j),
        ScanResult::Before(i) => ScanResult::Before(carries + i),
    };
    Some(graph.scan(body, result, &operands))
}

/// The cotangents of a scan's operands, where they are wanted, given that of its node.
pub(super) fn cotangents(graph: &mut Graph, id: Id, bar: Id, wanted: &[bool]) -> Vec<Option<Id>> {
    let Some(site) = Site::of(graph, id) else { return vec![None; wanted.len()] };
    let scan = &site.scan;
    let constants: Vec<usize> = site.constants().filter(|&i| wanted[i]).collect();
    let function = step_back(&site, &constants);
    let mut operands = Vec::new();
    for i in site.carries() {
        let seeded = site.result == ScanResult::Last(i);
        operands.push(if seeded { bar } else { zeros(graph, &scan.input_type(i).shape) });
    }
    operands.extend(constants.iter().map(|&i| zeros(graph, &scan.input_type(i).shape)));
    for i in site.carries() {
        operands.push(graph.scan(site.body, ScanResult::Before(i), &site.operands));
    }
    operands.extend(&site.operands[site.sequences()]);
    let is_along = !matches!(site.result, ScanResult::Last(_));
    operands.extend(is_along.then_some(bar));
    operands.extend(&site.operands[site.constants()]);
    let back = ScanBody {
        function,
        steps: scan.steps,
        carries: scan.carries + constants.len(),
        sequences: scan.carries + scan.sequences + usize::from(is_along),
        backwards: !scan.backwards,
    };
    let back = graph.intern_body(back);
    let mut result = |i: usize| {
        let result = match i {
            i if site.carries().contains(&i) => ScanResult::Last(i),
            i if site.sequences().contains(&i) => ScanResult::Emitted(i - scan.carries),
            i => ScanResult::Last(scan.carries + constants.iter().position(|&k| k == i)?),
        };
        Some(graph.scan(back, result, &operands))
    };
    (0..wanted.len()).map(|i| if wanted[i] { result(i) } else { None }).collect()
}

/// One step of reverse mode: from the cotangents of carries after it to those before it, adding to
/// those of the constants and emitting those of the entries.
fn step_back(site: &Site, constants: &[usize]) -> Function {
    let scan = &site.scan;
    let shape = |i: usize| scan.input_type(i).shape.clone();
    let mut step = Step::new();
    let bars: Vec<Id> = site.carries().map(|i| step.input("carry bar", &shape(i))).collect();
    let sums: Vec<Id> = constants.iter().map(|&i| step.input("constant bar", &shape(i))).collect();
    let mut primal = step.inputs("carry", scan, site.carries());
    primal.extend(step.inputs("entry", scan, site.sequences()));
    let along = match site.result {
        ScanResult::Last(_) => None,
        ScanResult::Emitted(j) => {
            let y = scan.function.outputs()[scan.carries + j];
            Some(step.input("result bar", &scan.function.graph().shape(y).clone()))
        }
        ScanResult::Before(i) => Some(step.input("result bar", &shape(i))),
    };
    primal.extend(step.inputs("constant", scan, site.constants()));
    let made = step.graph.instance(&scan.function, &primal);
    let mut seeds: Vec<(Id, Id)> = site.carries().map(|i| (made[i], bars[i])).collect();
    if let (ScanResult::Emitted(j), Some(bar)) = (site.result, along) {
        seeds.push((made[scan.carries + j], bar));
    }
    let found = vjp(&mut step.graph, &seeds, &primal);
    let mut outputs = Vec::new();
    for i in site.carries() {
        let bar = step.or_zeros(found[i], primal[i]);
        outputs.push(match (site.result, along) {
            (ScanResult::Before(before), Some(more)) if before == i => {
                step.graph.apply(Elementwise::Add, &[bar, more])
            }
            _ => bar,
        });
    }
    for (&i, &sum) in constants.iter().zip(&sums) {
        outputs.push(match found[i] {
            Some(bar) => step.graph.apply(Elementwise::Add, &[sum, bar]),
            None => sum,
        });
    }
    for i in site.sequences() {
        let bar = step.or_zeros(found[i], primal[i]);
        outputs.push(bar);
    }
    step.function(outputs)
}
