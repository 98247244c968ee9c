//! Which variables are the inputs, in which order, and which of them are vectors.
//!
//! A variable's shape is found from its indices, which are written as numbers: `x[0]*x[2]`
//! makes x a vector of 3 elements.

use super::code::{Axis, CodeId, CodeOp, Program, VariableId};
use super::notes::Notes;
use super::scope::Names;
use crate::error::{Diagnostic, Error, Span};
use crate::ir::structural::MAX_RANK;
use crate::ir::{DType, Graph, Id, Shape, Symbol, Type};
use crate::limits::Limits;
use rustc_hash::{FxHashMap, FxHashSet};

/// What the needed statements say of one variable.
#[derive(Clone, Debug, Default)]
struct Use {
    /// The first place, if there is one.
    first: Option<Span>,
    /// The least extents its indices need, outermost first.
    extents: Vec<u64>,
    /// The index that needs the most.
    index: Span,
}

/// The variables of a text as inputs of a graph.
pub(super) struct Inputs {
    /// In the order of the function.
    pub(super) symbols: Vec<Symbol>,
    /// By variable; those not used have none.
    pub(super) nodes: Vec<Option<Id>>,
}

impl Inputs {
    /// Finds and declares them.
    pub(super) fn declare(
        graph: &mut Graph,
        program: &Program,
        needed: &[bool],
        names: &Names<'_>,
        limits: &Limits,
        notes: &mut Notes,
    ) -> Result<Inputs, Error> {
        let uses = uses(program, needed, names.variables().len());
        let mut order = names.leading();
        let leading = order.len();
        let leads: FxHashSet<VariableId> = order.iter().copied().collect();
        let mut others: Vec<VariableId> = (0..uses.len()).map(VariableId::new).collect();
        others.retain(|id| uses[id.index()].first.is_some() && !leads.contains(id));
        others.sort_by_key(|id| uses[id.index()].first.map(|span| span.start));
        order.extend(others);

        let mut inputs = Inputs { symbols: Vec::new(), nodes: vec![None; uses.len()] };
        for (i, id) in order.into_iter().enumerate() {
            let name = &names.variables()[id.index()];
            let used = &uses[id.index()];
            let shape = shape(name, used, limits)?;
            if !shape.is_scalar() {
                notes.say(vector_note(name, &shape, used));
            }
            if i >= leading && leading > 0 {
                notes.say(further(program, name, used));
            }
            let ty = graph.type_id(Type::new(DType::F64, shape));
            inputs.nodes[id.index()] = Some(graph.input_of(name, ty));
            inputs.symbols.extend(graph.symbol(name));
        }
        Ok(inputs)
    }
}

fn uses(program: &Program, needed: &[bool], count: usize) -> Vec<Use> {
    let code = &program.code;
    let mut uses = vec![Use::default(); count];
    // Of an index chain `m[0][1]`: the variable and how many of its axes are used up.
    let mut chains: FxHashMap<CodeId, (VariableId, usize)> = FxHashMap::default();
    for (definition, _) in program.definitions.iter().zip(needed).filter(|(_, needed)| **needed) {
        for id in definition.body.clone().map(CodeId::new) {
            match code.op(id) {
                CodeOp::Variable(variable) => {
                    let (first, span) = (&mut uses[variable.index()].first, code.span(id));
                    if first.is_none_or(|first| span.start < first.start) {
                        *first = Some(span);
                    }
                    chains.insert(id, (variable, 0));
                }
                CodeOp::Index { start, len } => {
                    let operands = code.operands(id);
                    let Some(&(variable, axis)) = chains.get(&operands[0]) else { continue };
                    let axes = code.axes(start, len);
                    uses[variable.index()].widen(program, axes, &operands[1..], axis, code.span(id));
                    if axes.iter().all(|a| *a == Axis::At) {
                        chains.insert(id, (variable, axis + axes.len()));
                    }
                }
                _ => {}
            }
        }
    }
    uses
}

impl Use {
    fn widen(&mut self, program: &Program, axes: &[Axis], bounds: &[CodeId], from: usize, span: Span) {
        let mut bounds =
            bounds.iter().map(|&bound| program.code.number(bound).and_then(|n| n.to_i64()).unwrap_or(0));
        let mut next = || bounds.next().unwrap_or(0).max(0) as u64;
        for (i, axis) in axes.iter().enumerate() {
            let extent = match *axis {
                Axis::At => next().saturating_add(1),
                Axis::Range { from: true, to: false } => next().saturating_add(1),
                Axis::Range { from, to } => {
                    let from = if from { next() } else { 0 };
                    if to { next() } else { from }
                }
            };
            if self.extents.len() <= from + i {
                self.extents.resize((from + i + 1).min(MAX_RANK + 1), 1);
            }
            if let Some(known) = self.extents.get_mut(from + i)
                && extent >= *known
            {
                *known = extent.max(1);
                self.index = span;
            }
        }
    }
}

fn shape(name: &str, used: &Use, limits: &Limits) -> Result<Shape, Error> {
    if used.extents.len() > MAX_RANK {
        let message = format!("`{name}` has more than {MAX_RANK} subscripts");
        return Err(Error::limit(Diagnostic::error(message).at(used.index, "")));
    }
    let size = used.extents.iter().fold(1u64, |size, &extent| size.saturating_mul(extent));
    if size > limits.nodes as u64 {
        let message = format!("`{name}` would have {size} elements, more than the limit of {}", limits.nodes);
        return Err(Error::limit(Diagnostic::error(message).at(used.index, "by this index")));
    }
    Ok(Shape::new(used.extents.iter().map(|&extent| extent as u32)))
}

fn vector_note(name: &str, shape: &Shape, used: &Use) -> Diagnostic {
    let message = match shape.extents() {
        [1] => format!("read `{name}` as a vector of 1 element"),
        [n] => format!("read `{name}` as a vector of {n} elements"),
        extents => {
            let extents: Vec<String> = extents.iter().map(u32::to_string).collect();
            format!("read `{name}` as an array of {} elements", extents.join("×"))
        }
    };
    Diagnostic::note(message).at(used.index, "the largest index")
}

/// A free variable in a function whose parameters are the inputs.
fn further(program: &Program, name: &str, used: &Use) -> Diagnostic {
    let function = program.definitions.last().map_or("", |d| d.name.as_str());
    let note =
        Diagnostic::note(format!("`{name}` is no parameter of `{function}`; it becomes a further variable"));
    match used.first {
        Some(span) => note.at(span, ""),
        None => note,
    }
}
