//! Expressions for the inputs of a function: a copy of the graph with other leaves.

use super::{Function, Graph, Id, Op, Symbol, reachable};

impl Function {
    /// The function with some inputs replaced by the first outputs of other functions, whose own
    /// inputs become inputs of it, after the others, where it has none of that name.
    ///
    /// ```
    /// let f = symdiff::parse("x*y")?;
    /// let by = symdiff::parse("sin(x)")?;
    /// let composed = f.substitute(&[(f.inputs()[1], &by)]);
    /// assert_eq!(composed.to_string(), "x*sin(x)");
    /// assert_eq!(composed.input_names().collect::<Vec<_>>(), ["x"]);
    /// # Ok::<(), symdiff::Error>(())
    /// ```
    pub fn substitute(&self, replaced: &[(Symbol, &Function)]) -> Function {
        substitute(self, replaced)
    }
}

impl Graph {
    /// The roots with some nodes replaced by others of their shapes.
    pub fn replaced(&mut self, roots: &[Id], by: &[(Id, Id)]) -> Vec<Id> {
        let mut new: Vec<Id> = self.ids().collect();
        for &(id, other) in by {
            new[id.index()] = other;
        }
        for id in reachable(self, roots) {
            let operands: Vec<Id> = self.operands(id).iter().map(|x| new[x.index()]).collect();
            if new[id.index()] == id && operands != self.operands(id) {
                let (op, ty) = (self.op(id), self.node(id).ty);
                new[id.index()] = self.intern(op, &operands, ty);
            }
        }
        roots.iter().map(|id| new[id.index()]).collect()
    }
}

fn substitute(function: &Function, replaced: &[(Symbol, &Function)]) -> Function {
    let gone = |symbol: Symbol| replaced.iter().any(|(other, _)| *other == symbol);
    let mut inputs: Vec<Symbol> = function.inputs().iter().copied().filter(|&s| !gone(s)).collect();
    let substituted = function.derive(|graph| {
        let mut leaves = Vec::new();
        for &(symbol, by) in replaced {
            leaves.push((graph.input_node(symbol), graft(graph, by)));
            inputs.extend(by.input_names().filter_map(|name| graph.symbol(name)));
        }
        graph.replaced(function.outputs(), &leaves)
    });
    let mut seen: Vec<Symbol> = Vec::new();
    inputs.retain(|symbol| {
        let first = !seen.contains(symbol);
        seen.push(*symbol);
        first
    });
    substituted.with_inputs(inputs)
}

/// Copies the first output of another function into the graph.
fn graft(graph: &mut Graph, function: &Function) -> Id {
    let other = function.graph();
    let output = function.outputs()[0];
    let mut new = vec![None; output.index() + 1];
    for id in reachable(other, &[output]) {
        let ty = graph.type_id(other.ty(id).clone());
        let operands = other.operands(id).iter().map(|x| new[x.index()]);
        let operands: Vec<Id> = operands.map(|x: Option<Id>| x.expect("operands come first")).collect();
        new[id.index()] = Some(match other.op(id) {
            Op::Input(symbol) => graph.input_of(other.symbol_name(symbol), ty),
            Op::Constant(constant) => graph.exact(other.number(constant).clone()),
            op => {
                let op = graph.adopted(op, other);
                graph.intern(op, &operands, ty)
            }
        });
    }
    new[output.index()].expect("an output is reachable from itself")
}
