//! Scans in a batch: all examples take a step at once.
//!
//! What must stay true: the axis of steps leads what a scan goes along, the axis of examples comes
//! next; outside, examples lead.

use super::{Batched, Site, batch};
use crate::ir::structural::pack_order;
use crate::ir::{Body, DType, Function, Graph, Id, ScanBody, ScanResult, Shape, Symbol, Type};
use std::sync::Arc;

impl Site<'_> {
    pub(super) fn scan(&mut self, body: Body, output: u32) -> Id {
        let scan = Arc::clone(self.graph.body(body));
        let first = scan.carries;
        let mut each: Vec<bool> = self.operands.iter().map(|x| matches!(x, Batched::Each(_))).collect();
        let (function, emitted) = loop {
            let (function, results) = batched_step(&scan, &each, self.size);
            // A carry differs from example to example if its next value does.
            let grown: Vec<usize> = (0..first).filter(|&i| results[i] && !each[i]).collect();
            if grown.is_empty() {
                break (function, results);
            }
            grown.into_iter().for_each(|i| each[i] = true);
        };
        let operands: Vec<Id> = (0..each.len())
            .map(|i| match each[i] {
                false => self.operands[i].id(),
                true => {
                    let x = self.repeat(i);
                    let is_sequence = (first..first + scan.sequences).contains(&i);
                    if is_sequence { self.swapped(x) } else { x }
                }
            })
            .collect();
        let batched = ScanBody { function, ..(*scan).clone() };
        let body = self.graph.intern_body(batched);
        let result = scan.result(output);
        let made = self.graph.scan(body, result, &operands);
        let (along, is_each) = match result {
            ScanResult::Last(i) => (false, each[i]),
            ScanResult::Before(i) => (true, each[i]),
            ScanResult::Emitted(j) => (true, emitted[first + j]),
        };
        match (is_each, along) {
            (true, true) => self.swapped(made),
            (true, false) => made,
            (false, _) => {
                let shape = self.shape(self.id);
                self.graph.broadcast(made, 1, &shape)
            }
        }
    }

    /// The first two axes, of steps and of examples, the other way round.
    fn swapped(&mut self, x: Id) -> Id {
        let rank = self.graph.shape(x).rank();
        self.graph.permute(x, pack_order([1, 0].into_iter().chain(2..rank)))
    }
}

/// The body for many examples, given which inputs differ from one to another; and which of its
/// outputs do. Carries that differ come out so.
fn batched_step(scan: &ScanBody, each: &[bool], size: u32) -> (Function, Vec<bool>) {
    let f = &scan.function;
    let mut graph = Graph::new();
    let mut symbols: Vec<Symbol> = Vec::new();
    let (mut once, mut many) = (Vec::new(), Vec::new());
    for (i, &each) in each.iter().enumerate() {
        let shape = scan.input_type(i).shape.clone();
        let one = input(&mut graph, &format!("one {i}"), shape.clone());
        let name = format!("{}{i}", if each { "many " } else { "same " });
        let behind = Shape::new(std::iter::once(size).chain(shape.extents().iter().copied()));
        let node = input(&mut graph, &name, if each { behind } else { shape });
        symbols.extend(graph.symbol(&name));
        once.push(if each { one } else { node });
        if each {
            many.push((one, node));
        }
    }
    let roots = graph.instance(f, &once);
    let batched = batch(&mut graph, &roots, &many, size);
    let is_each: Vec<bool> = batched.iter().map(|y| matches!(y, Batched::Each(_))).collect();
    let outputs: Vec<Id> = batched
        .iter()
        .enumerate()
        .map(|(i, y)| match y {
            Batched::Once(id) if i < scan.carries && each[i] => {
                let extents = graph.shape(*id).extents().to_vec();
                graph.broadcast(*id, 1, &Shape::new(std::iter::once(size).chain(extents)))
            }
            y => y.id(),
        })
        .collect();
    (compact(&graph, symbols, outputs), is_each)
}

fn input(graph: &mut Graph, name: &str, shape: Shape) -> Id {
    let ty = graph.type_id(Type::new(DType::F64, shape));
    graph.input_of(name, ty)
}

/// The function in a graph that has its inputs only.
fn compact(graph: &Graph, symbols: Vec<Symbol>, outputs: Vec<Id>) -> Function {
    Function::new(graph.clone(), symbols, outputs).compacted()
}
