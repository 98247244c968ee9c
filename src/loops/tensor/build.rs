//! A function over tensors → a program: what is stored, what is computed together, in which order
//! and where in memory.
//!
//! What must stay true: the result depends on nothing but the function and the options.

use super::assemble::{Site, Sketch};
use super::cost::{is_stored_by_nature, read_from_memory, store_shared};
use super::fuse::{Group, groups, unread};
use super::layout::{Home, wanted_by_products};
use super::order::{Placed, Unit, order};
use super::pack::packed;
use super::prepare::prepare;
use super::program::{BufferId, Step, TensorProgram};
use super::rounds::gathered;
use super::scan::bodies;
use super::{Rounding, TensorOptions, arena, verify};
use crate::error::{Diagnostic, Error};
use crate::ir::{Body, Function, Graph, Id, Op, reachable, verify::debug_verify};
use rustc_hash::FxHashMap;

/// The program of a function.
///
/// # Errors
/// Where the options pair an output and an input that do not exist or have different sizes, and
/// where the program would not fit in memory.
///
/// ```
/// use symdiff::ir::Precision;
/// use symdiff::loops::tensor::{TensorOptions, build};
/// use symdiff::{Builder, Real};
///
/// let b = Builder::new();
/// let x = b.vector("x", 4);
/// let f = b.function(b.sum(x.sin(), 1));
/// let program = build(&f, &TensorOptions::default())?;
/// assert!(program.to_string().contains("nest i0:4 reduced lanes"));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn build(function: &Function, options: &TensorOptions) -> Result<TensorProgram, Error> {
    let prepared = prepare(function, options.rounding);
    debug_verify(prepared.graph(), prepared.outputs(), "prepare");
    let sizes = check_sizes(&prepared)?;
    let mut layout = Layout::new(&prepared, options)?;
    let mut units = layout.fused()?;
    let outputs = layout.outputs(&mut units);
    let pairs = pairs(&prepared, options)?;
    let Placed { steps, mut sizes, inputs, outputs } =
        order(units, layout.sizes, sizes.inputs, outputs, &pairs, options.lanes());
    let lasting: Vec<BufferId> = inputs.iter().chain(&outputs).copied().collect();
    let steps = gathered(steps, &mut sizes, &lasting, options.threads);
    let program = arena::place(steps, &sizes, inputs, outputs, options)?;
    if cfg!(debug_assertions) {
        verify(&program).map_err(|fact| Error::internal("loops", format!("{fact}\n{program}")))?;
    }
    Ok(program)
}

struct Sizes {
    inputs: Vec<BufferId>,
}

/// Most elements of one tensor: byte offsets stay far inside 63 bits, counters inside 32.
const ELEMENTS: usize = 1 << 31;

fn check_sizes(function: &Function) -> Result<Sizes, Error> {
    let graph = function.graph();
    let largest = reachable(graph, function.outputs()).into_iter().map(|id| graph.shape(id).size()).max();
    let largest = function
        .inputs()
        .iter()
        .map(|&s| graph.type_of(graph.symbol_type(s)).shape.size())
        .chain(largest)
        .max();
    if let Some(size) = largest.filter(|&size| size >= ELEMENTS) {
        let message = format!("a tensor of {size} elements is too large for a kernel");
        return Err(Error::limit(Diagnostic::error(message).hint(format!("{ELEMENTS} is the most"))));
    }
    Ok(Sizes { inputs: (0..function.inputs().len() as u32).map(BufferId).collect() })
}

/// The pairs of outputs and inputs that share memory, checked.
fn pairs(function: &Function, options: &TensorOptions) -> Result<Vec<(usize, usize)>, Error> {
    let graph = function.graph();
    for &(output, input) in &options.in_place {
        let made = function.outputs().get(output).map(|&id| graph.shape(id));
        let taken = function.inputs().get(input).map(|&s| &graph.type_of(graph.symbol_type(s)).shape);
        if made.is_none() || made != taken {
            let message = format!("output {output} cannot be stored in place of input {input}");
            let shapes = [made, taken].map(|s| s.map_or("nothing".to_owned(), ToString::to_string));
            let hint = format!("the output is {}, the input {}", shapes[0], shapes[1]);
            return Err(Error::input(Diagnostic::error(message).hint(hint)));
        }
    }
    Ok(options.in_place.clone())
}

/// What is stored where, before buffers have places.
struct Layout<'f> {
    function: &'f Function,
    graph: &'f Graph,
    needed: Vec<Id>,
    /// The nodes that are inputs of the function, by id.
    is_input: Vec<bool>,
    /// The buffer of each stored node, by id.
    stored: Vec<Option<Home>>,
    /// Elements of each buffer.
    sizes: Vec<usize>,
    lanes: usize,
    rounding: Rounding,
    /// The programs of one step of each scan.
    bodies: FxHashMap<Body, TensorProgram>,
}

impl<'f> Layout<'f> {
    fn new(function: &'f Function, options: &TensorOptions) -> Result<Self, Error> {
        let graph = function.graph();
        let needed = reachable(graph, function.outputs());
        let bodies = bodies(graph, &needed, options)?;
        let mut layout = Layout {
            function,
            graph,
            needed,
            is_input: vec![false; graph.len()],
            stored: vec![None; graph.len()],
            sizes: Vec::new(),
            lanes: options.lanes(),
            rounding: options.rounding,
            bodies,
        };
        for &symbol in function.inputs() {
            layout.sizes.push(graph.type_of(graph.symbol_type(symbol)).shape.size());
        }
        for &id in &layout.needed {
            let Op::Input(symbol) = graph.op(id) else { continue };
            if let Some(at) = function.inputs().iter().position(|&s| s == symbol) {
                layout.is_input[id.index()] = true;
                layout.stored[id.index()] = Some(Home { buffer: BufferId(at as u32), order: None });
            }
        }
        Ok(layout)
    }

    /// Groups of nodes and their steps. Nodes are stored, and stored row by row, until every address
    /// is affine.
    fn fused(&mut self) -> Result<Vec<Unit>, Error> {
        let graph = self.graph;
        let mut must = vec![false; graph.len()];
        for &id in &self.needed {
            must[id.index()] = is_stored_by_nature(graph.op(id)) || self.is_input[id.index()];
        }
        // This much is known before anything is tried.
        read_from_memory(graph, &self.needed).for_each(|id| must[id.index()] = true);
        let mut pinned = vec![false; graph.len()];
        for &id in self.function.outputs() {
            must[id.index()] = true;
            pinned[id.index()] = true;
        }
        loop {
            let mut stored = must.clone();
            store_shared(graph, &self.needed, &mut stored);
            let chosen: Vec<bool> = stored.iter().zip(&must).map(|(s, m)| *s && !*m).collect();
            let mut groups = groups(graph, &self.needed, &stored, &self.is_input);
            for id in unread(graph, &groups, &chosen) {
                stored[id.index()] = false;
            }
            groups.iter_mut().for_each(|group| group.members.retain(|id| stored[id.index()]));
            groups.retain(|group| !group.members.is_empty());
            self.number(&stored);
            let mut blocked = match self.assembled(&groups, &pinned) {
                Ok(mut units) => {
                    self.make_room(&mut units);
                    for unit in &mut units {
                        unit.steps = packed(std::mem::take(&mut unit.steps), &mut self.sizes, self.lanes);
                    }
                    return Ok(units);
                }
                Err(blocked) => blocked,
            };
            blocked.sort_unstable();
            blocked.dedup();
            for id in blocked {
                let ordered = |id: Id| self.stored[id.index()].is_some_and(|home| home.order.is_some());
                let behind = self.behind_views(id);
                match must[id.index()] {
                    _ if ordered(id) => pinned[id.index()] = true,
                    false => must[id.index()] = true,
                    true if ordered(behind) => pinned[behind.index()] = true,
                    true => {
                        return Err(Error::internal("fuse", format!("{id} is stored and cannot be read")));
                    }
                }
            }
        }
    }

    /// Gives every loop a buffer to run in.
    fn make_room(&mut self, units: &mut [Unit]) {
        for step in units.iter_mut().flat_map(|unit| &mut unit.steps) {
            if let Step::Repeated(repeated) = step {
                repeated.room = BufferId(self.sizes.len() as u32);
                self.sizes.push(repeated.program.arena);
            }
        }
    }

    /// Gives every stored node a buffer, behind those of the inputs.
    fn number(&mut self, stored: &[bool]) {
        self.sizes.truncate(self.function.inputs().len());
        for &id in self.needed.iter().filter(|id| !self.is_input[id.index()]) {
            self.stored[id.index()] = stored[id.index()].then(|| {
                self.sizes.push(self.graph.shape(id).size());
                Home { buffer: BufferId(self.sizes.len() as u32 - 1), order: None }
            });
        }
    }

    /// The stored node that a node is a view of, or where the views end.
    fn behind_views(&self, mut id: Id) -> Id {
        while let (None, Op::Structural(_), &[x, ..]) =
            (self.stored[id.index()], self.graph.op(id), self.graph.operands(id))
        {
            id = x;
        }
        id
    }

    /// The steps of all groups, or the nodes that must be stored first.
    fn assembled(&mut self, groups: &[Group], pinned: &[bool]) -> Result<Vec<Unit>, Vec<Id>> {
        let (graph, lanes, rounding, bodies) = (self.graph, self.lanes, self.rounding, &self.bodies);
        let sizes = &mut self.sizes;
        let wanted = &wanted_by_products(graph, &self.needed);
        let mut site = Site { graph, stored: &mut self.stored, pinned, wanted, rounding, bodies, sizes };
        let mut sketches = Vec::new();
        let mut blocked = Vec::new();
        for group in groups {
            match site.steps(group) {
                Ok(steps) => sketches.push(steps),
                Err(id) => blocked.push(id),
            }
        }
        if !blocked.is_empty() {
            return Err(blocked);
        }
        let steps = |sketches: Vec<Sketch>| sketches.into_iter().map(|s| s.step(lanes, rounding)).collect();
        Ok(sketches.into_iter().map(|sketches| Unit { steps: steps(sketches) }).collect())
    }

    /// The buffer of every output. One that is an input is copied, if only because inputs may be
    /// set anew before outputs are read; its place is that of the input if the two are paired.
    fn outputs(&mut self, units: &mut Vec<Unit>) -> Vec<BufferId> {
        let mut outputs = Vec::new();
        for &id in self.function.outputs() {
            let Home { buffer, .. } = self.stored[id.index()].expect("outputs are stored");
            if !self.is_input[id.index()] {
                outputs.push(buffer);
                continue;
            }
            let size = self.sizes[buffer.index()];
            let copy = BufferId(self.sizes.len() as u32);
            self.sizes.push(size);
            units.push(Unit {
                steps: super::order::copy(buffer, copy, size, self.lanes)
                    .map(Step::Nest)
                    .into_iter()
                    .collect(),
            });
            outputs.push(copy);
        }
        outputs
    }
}
