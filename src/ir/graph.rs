//! The arena: nodes are interned, so structural equality is `==` on ids, common
//! subexpressions are shared as they are built, and operands always precede their users.

use super::scan::{Bodies, Body};
use super::{DType, Elementwise, Number, Numbered, Reduction, Selection, Shape, Structural, Type, TypeId};
use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHasher};
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// A node of one graph.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u32);

impl Id {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An input's name, interned in one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

/// An exact number, interned in one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Constant(u32);

impl Symbol {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Constant {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node computes. Each class has its own table and its own kind of derivative rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A free variable.
    Input(Symbol),
    /// An exact rational scalar.
    Constant(Constant),
    /// Element by element, operands of equal shape; differentiated by local partials.
    Elementwise(Elementwise),
    /// Comparisons, logic and selection; derivative zero or routed.
    Selection(Selection),
    /// Moves, copies and sums of elements: linear, differentiated by transposition.
    Structural(Structural),
    /// Extremes and log Σ exp over a set of axes, which disappear.
    Reduce { op: Reduction, axes: u8 },
    /// Sum of products over the last `over` axes of the first operand and the first `over` of
    /// the second: dot, matrix–vector, matrix and outer products. The leading `batch` axes of both
    /// are paired, and lead the result. Bilinear.
    Contract { batch: u8, over: u8 },
    /// One result of a recurrence; its body is a graph of its own, with its own rules.
    Scan { body: Body, output: u32 },
}

/// One operation with its type; operands are read through [`Graph::operands`].
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub op: Op,
    pub ty: TypeId,
    start: u32,
    count: u32,
    key: u64,
}

/// Interned nodes with their types, constants and input names.
#[derive(Clone)]
pub struct Graph {
    nodes: Vec<Node>,
    operands: Vec<Id>,
    interned: HashTable<Id>,
    /// Shared by graphs made from one another, until one of them adds to them.
    types: Arc<Numbered<Type>>,
    constants: Arc<Numbered<Number>>,
    symbols: Arc<Symbols>,
    pub(super) bodies: Bodies,
    repetition: Repetition,
}

/// The number of a value in a table, which is one's own from here on where the value is new.
fn number_of<T: Hash + Eq + Clone>(table: &mut Arc<Numbered<T>>, value: T) -> u32 {
    match table.find(&value) {
        Some(known) => known,
        None => Arc::make_mut(table).number(value),
    }
}

/// The names of inputs and their types.
#[derive(Clone, Default)]
struct Symbols {
    all: Vec<(Arc<str>, TypeId)>,
    ids: FxHashMap<Arc<str>, Symbol>,
}

/// How a scalar that meets an array in an elementwise op is repeated to its shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repetition {
    /// By a node: what every stage but simplification sees.
    #[default]
    Explicit,
    /// Silently: the op takes operands of one shape and scalars.
    Implicit,
}

/// An empty graph, which knows the types of numbers and truth values.
impl Default for Graph {
    fn default() -> Self {
        Graph::new()
    }
}

impl Graph {
    pub fn new() -> Self {
        static SCALARS: OnceLock<Arc<Numbered<Type>>> = OnceLock::new();
        let types = SCALARS.get_or_init(|| {
            let mut types = Arc::default();
            let scalars = [DType::F64, DType::Bool].map(|dtype| Type::new(dtype, Shape::scalar()));
            let ids = scalars.map(|ty| TypeId(number_of(&mut types, ty)));
            debug_assert!(ids == [TypeId::F64, TypeId::BOOL]);
            types
        });
        Graph {
            nodes: Default::default(),
            operands: Default::default(),
            interned: Default::default(),
            types: Arc::clone(types),
            constants: Default::default(),
            symbols: Default::default(),
            bodies: Bodies::default(),
            repetition: Default::default(),
        }
    }

    /// A graph without nodes, with room for so many (large ones are not hashed anew as they grow), whose
    /// types, numbers and inputs are those of another.
    pub(crate) fn beside(other: &Graph, nodes: usize) -> Self {
        let mut graph = Graph::new();
        graph.types = Arc::clone(&other.types);
        graph.constants = Arc::clone(&other.constants);
        graph.symbols = Arc::clone(&other.symbols);
        graph.nodes.reserve(nodes);
        graph.operands.reserve(2 * nodes);
        graph.interned = HashTable::with_capacity(nodes);
        graph
    }

    pub(crate) fn repetition(&self) -> Repetition {
        self.repetition
    }

    /// From here on. Nodes made under `Implicit` do not verify and must not outlive it.
    pub(crate) fn set_repetition(&mut self, repetition: Repetition) {
        self.repetition = repetition;
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn ids(&self) -> impl DoubleEndedIterator<Item = Id> + ExactSizeIterator + use<> {
        (0..self.nodes.len() as u32).map(Id)
    }

    /// The ids from the `start`-th node on.
    pub fn ids_from(&self, start: usize) -> impl Iterator<Item = Id> + use<> {
        (start as u32..self.nodes.len() as u32).map(Id)
    }

    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.index()]
    }

    pub fn op(&self, id: Id) -> Op {
        self.nodes[id.index()].op
    }

    pub fn operands(&self, id: Id) -> &[Id] {
        let node = &self.nodes[id.index()];
        &self.operands[node.start as usize..(node.start + node.count) as usize]
    }

    pub fn operand(&self, id: Id, i: usize) -> Id {
        self.operands(id)[i]
    }

    pub fn ty(&self, id: Id) -> &Type {
        self.types.get(self.node(id).ty.0)
    }

    pub fn shape(&self, id: Id) -> &Shape {
        &self.ty(id).shape
    }

    pub fn is_scalar(&self, id: Id) -> bool {
        self.shape(id).is_scalar()
    }

    /// A hash of what the node computes, free of ids: equal for equal expressions in any graph,
    /// whatever the order they were built in. Canonical order falls back on it.
    pub fn key(&self, id: Id) -> u64 {
        self.nodes[id.index()].key
    }

    pub fn number(&self, constant: Constant) -> &Number {
        self.constants.get(constant.0)
    }

    /// The exact value of a constant node.
    pub fn constant(&self, id: Id) -> Option<&Number> {
        match self.op(id) {
            Op::Constant(c) => Some(self.number(c)),
            _ => None,
        }
    }

    /// The value of a constant, or of a constant repeated to an array's shape.
    pub fn repeated_constant(&self, id: Id) -> Option<&Number> {
        match self.op(id) {
            Op::Structural(Structural::Broadcast { .. }) => self.constant(self.operand(id, 0)),
            _ => self.constant(id),
        }
    }

    /// True for the identity matrix: 1 where the row is the column, 0 elsewhere.
    pub fn is_identity(&self, id: Id) -> bool {
        let &[condition, one, zero] = self.operands(id) else { return false };
        let is = |x: Id, n: i64| self.repeated_constant(x).is_some_and(|c| c.to_i64() == Some(n));
        let is_select = self.op(id) == Op::Selection(Selection::Select) && is(one, 1) && is(zero, 0);
        let is_equal = self.op(condition) == Op::Selection(Selection::Equal);
        if !is_select || !is_equal || self.shape(id).rank() != 2 {
            return false;
        }
        let axes = |x: Id| match self.op(x) {
            Op::Structural(Structural::Broadcast { axes })
                if self.op(self.operand(x, 0)) == Op::Structural(Structural::Iota) =>
            {
                axes
            }
            _ => 0,
        };
        axes(self.operand(condition, 0)) | axes(self.operand(condition, 1)) == 0b11
    }

    pub fn symbol_name(&self, symbol: Symbol) -> &str {
        &self.symbols.all[symbol.index()].0
    }

    pub fn symbol_type(&self, symbol: Symbol) -> TypeId {
        self.symbols.all[symbol.index()].1
    }

    pub fn symbol(&self, name: &str) -> Option<Symbol> {
        self.symbols.ids.get(name).copied()
    }

    /// The input a node is, if it is one.
    pub fn input_symbol(&self, id: Id) -> Option<Symbol> {
        match self.op(id) {
            Op::Input(symbol) => Some(symbol),
            _ => None,
        }
    }

    /// All inputs ever declared, in order of declaration.
    pub fn symbols(&self) -> impl ExactSizeIterator<Item = Symbol> + use<> {
        (0..self.symbols.all.len() as u32).map(Symbol)
    }

    pub fn type_of(&self, ty: TypeId) -> &Type {
        self.types.get(ty.0)
    }

    pub fn type_id(&mut self, ty: Type) -> TypeId {
        TypeId(number_of(&mut self.types, ty))
    }

    /// The input called `name`; declared with type `ty` if it is new.
    pub fn input_of(&mut self, name: &str, ty: TypeId) -> Id {
        let symbol = self.symbol(name).unwrap_or_else(|| {
            let Symbols { all, ids } = Arc::make_mut(&mut self.symbols);
            let symbol = Symbol(index_u32(all.len()));
            let name: Arc<str> = name.into();
            all.push((Arc::clone(&name), ty));
            ids.insert(name, symbol);
            symbol
        });
        self.intern(Op::Input(symbol), &[], self.symbol_type(symbol))
    }

    /// A scalar input.
    pub fn input(&mut self, name: &str) -> Id {
        self.input_of(name, TypeId::F64)
    }

    /// The node of an input already declared.
    pub fn input_node(&mut self, symbol: Symbol) -> Id {
        self.intern(Op::Input(symbol), &[], self.symbol_type(symbol))
    }

    pub fn exact(&mut self, value: Number) -> Id {
        let constant = Constant(number_of(&mut self.constants, value));
        self.intern(Op::Constant(constant), &[], TypeId::F64)
    }

    pub fn integer(&mut self, value: i64) -> Id {
        self.exact(Number::integer(value))
    }

    /// The node `op(operands)`, shared with every equal one. The caller has computed the type;
    /// [`super::verify`] checks it.
    pub fn intern(&mut self, op: Op, operands: &[Id], ty: TypeId) -> Id {
        let hash = FxBuildHasher.hash_one((op, operands, ty));
        let found = self.interned.find(hash, |&id| {
            let node = &self.nodes[id.index()];
            node.op == op && node.ty == ty && self.operands(id) == operands
        });
        if let Some(&id) = found {
            return id;
        }
        let id = Id(index_u32(self.nodes.len()));
        let key = self.content_key(op, operands, ty);
        let start = index_u32(self.operands.len());
        self.operands.extend_from_slice(operands);
        let count = index_u32(operands.len());
        self.nodes.push(Node { op, ty, start, count, key });
        let (nodes, all) = (&self.nodes, &self.operands);
        self.interned.insert_unique(hash, id, |&id| {
            let n = &nodes[id.index()];
            let operands = &all[n.start as usize..(n.start + n.count) as usize];
            FxBuildHasher.hash_one((n.op, operands, n.ty))
        });
        id
    }

    fn content_key(&self, op: Op, operands: &[Id], ty: TypeId) -> u64 {
        let mut hasher = FxHasher::default();
        match op {
            Op::Input(s) => (0u8, self.symbol_name(s)).hash(&mut hasher),
            Op::Constant(c) => (1u8, self.number(c)).hash(&mut hasher),
            Op::Scan { body, output } => (3u8, self.body_key(body), output).hash(&mut hasher),
            other => (2u8, other).hash(&mut hasher),
        }
        if ty != TypeId::F64 {
            self.type_of(ty).hash(&mut hasher);
        }
        for &operand in operands {
            self.key(operand).hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// Every count in a graph is bounded by the node budget, far below 2³².
pub(super) fn index_u32(n: usize) -> u32 {
    u32::try_from(n).expect("graph sizes are bounded by the node budget")
}
