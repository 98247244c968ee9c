//! Derivatives in the words of the program: the names of its values for their nodes.
//!
//! What must stay true: a name stands only for the very node it was given to.

use crate::ir::{Elementwise, Function, Graph, Id, Op, Selection, Shape, Symbol};

/// The function with the names of values for the values, where one is more than a name already.
pub(super) fn named(function: Function, names: &[&str], values: &[Id]) -> Function {
    let outputs = function.outputs().to_vec();
    let renamed = function.into_derived(|graph| {
        let mut by: Vec<(Id, Id)> = Vec::new();
        for (&value, &name) in values.iter().zip(names) {
            let is_atom = matches!(graph.op(value), Op::Input(_) | Op::Constant(_));
            if !is_atom && graph.symbol(name).is_none() && by.iter().all(|(known, _)| *known != value) {
                let ty = graph.node(value).ty;
                by.push((value, graph.input_of(name, ty)));
            }
        }
        let slopes: Vec<(Id, Id)> =
            by.iter().filter_map(|&(value, name)| slope(graph, value, name, &by)).collect();
        by.extend(slopes);
        graph.replaced(&outputs, &by)
    });
    let symbols: Vec<Symbol> = renamed.graph().symbols().collect();
    let used = renamed.with_inputs(symbols);
    let inputs = used.used_inputs();
    used.with_inputs(inputs)
}

/// What a textbook writes for the slope of a function whose value has a name: 1 - h² for sech(z)²
/// where h = tanh(z), and h > 0 for z > 0 where h = relu(z) and z has no name.
fn slope(graph: &mut Graph, value: Id, name: Id, named: &[(Id, Id)]) -> Option<(Id, Id)> {
    let Op::Elementwise(op) = graph.op(value) else { return None };
    let z = *graph.operands(value).first()?;
    let constant = |graph: &mut Graph, n: i64, shape: &Shape| {
        let number = graph.integer(n);
        graph.broadcast(number, ((1u16 << shape.rank()) - 1) as u8, shape)
    };
    match op {
        Elementwise::Tanh => {
            let shape = graph.shape(z).clone();
            let (one, two) = (constant(graph, 1, &shape), constant(graph, 2, &shape));
            let sech = graph.apply(Elementwise::Sech, &[z]);
            let (slope, square) =
                (graph.apply(Elementwise::Pow, &[sech, two]), graph.apply(Elementwise::Pow, &[name, two]));
            Some((slope, graph.apply(Elementwise::Sub, &[one, square])))
        }
        Elementwise::Relu if named.iter().all(|(known, _)| *known != z) => {
            let shape = graph.shape(z).clone();
            let zero = constant(graph, 0, &shape);
            let is_active = graph.compare(Selection::Less, &[zero, z]);
            Some((is_active, graph.compare(Selection::Less, &[zero, name])))
        }
        _ => None,
    }
}
