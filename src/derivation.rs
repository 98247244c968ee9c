//! The library's verbs: derivatives of functions, as functions.
//!
//! Every one of them stabilises the function first (so `log(1 + exp(x))` is differentiated as
//! softplus), derives, and simplifies the result. [`Derivation`] is the whole set of choices;
//! the free functions are its defaults.

use crate::differentiate::{self, Mode};
use crate::error::{Diagnostic, Error};
use crate::ir::{self, Function, Graph, Id, Symbol, TypeId};
use crate::simplify::{self, Level, Purpose, simplified};

/// Derivatives of derivatives may together make this part of the nodes that one result may have: each
/// order is simplified anew, and those that grow do so by a factor an order.
const ORDERS: usize = 8;

/// How derivatives are computed, with respect to what, and for whom.
#[derive(Clone, Debug)]
pub struct Derivation {
    pub mode: Mode,
    pub level: Level,
    pub purpose: Purpose,
    /// Names of the inputs to differentiate with respect to; all of them when `None`.
    pub wrt: Option<Vec<String>>,
    /// Most nodes a result may have.
    pub nodes: usize,
    /// Most entries of a Jacobian or Hessian.
    pub entries: usize,
}

impl Default for Derivation {
    fn default() -> Self {
        Derivation {
            mode: Mode::Reverse,
            level: Level::Fast,
            purpose: Purpose::Both,
            wrt: None,
            nodes: crate::Limits::default().nodes,
            entries: crate::Limits::default().entries,
        }
    }
}

impl Derivation {
    /// The defaults, for results that a person reads.
    pub fn to_read() -> Derivation {
        Derivation { purpose: Purpose::Read, ..Derivation::default() }
    }
}

/// An input taken apart: its name as printed (`x`, or `x[2]`) and the node that reads it.
#[derive(Clone, Debug)]
pub struct Variable {
    pub name: String,
    pub node: Id,
}

impl Derivation {
    /// The scalars to differentiate with respect to, in input order, and the function whose graph
    /// they are in.
    pub fn variables(&self, function: Function) -> Result<(Function, Vec<Variable>), Error> {
        let chosen = match &self.wrt {
            None => function.inputs().to_vec(),
            Some(names) => names.iter().map(|name| input_named(&function, name)).collect::<Result<_, _>>()?,
        };
        let mut variables = Vec::new();
        let outputs = function.outputs().to_vec();
        let prepared = function.into_derived(|graph| {
            for symbol in chosen {
                variables.extend(elements_of(graph, symbol));
            }
            outputs
        });
        Ok((prepared, variables))
    }

    /// Scalar outputs, stabilised: what is differentiated.
    fn prepare(&self, function: &Function) -> Function {
        let outputs = function.outputs();
        let flat = function.derive(|graph| ir::elements(graph, outputs).concat());
        let stable = simplify::prepared(flat.rooted(), self.level, self.purpose);
        // The domain that counts is that of the stabilised function itself.
        stable.rooted()
    }

    fn scalar(&self, function: &Function) -> Result<Function, Error> {
        let prepared = self.prepare(function);
        match prepared.outputs().len() {
            1 => Ok(prepared),
            n => Err(not_a_scalar(n)),
        }
    }

    fn finish(&self, derived: Function) -> Result<Function, Error> {
        self.within_budget(derived, simplified)
    }

    /// [`Derivation::finish`], or less of it for a derivative that is differentiated once more.
    fn finish_order(&self, derived: Function, is_last: bool) -> Result<Function, Error> {
        self.within_budget(derived, if is_last { simplified } else { simplify::between })
    }

    fn within_budget(
        &self,
        derived: Function,
        simplify: fn(Function, Level, Purpose) -> Function,
    ) -> Result<Function, Error> {
        self.check_size(&derived)?;
        let simplified = simplify(derived, self.level, self.purpose);
        self.check_size(&simplified)?;
        Ok(simplified)
    }

    fn check_size(&self, function: &Function) -> Result<(), Error> {
        let size = function.graph().len();
        if size <= self.nodes {
            return Ok(());
        }
        let message = format!("the derivative has {size} nodes, more than the budget of {}", self.nodes);
        Err(Error::limit(
            Diagnostic::error(message)
                .hint("raise the budget, or differentiate with respect to fewer variables"),
        ))
    }

    /// Whether a matrix of so many rows and columns may be written out.
    fn check_entries(&self, rows: usize, columns: usize) -> Result<(), Error> {
        if rows.saturating_mul(columns) <= self.entries {
            return Ok(());
        }
        let message =
            format!("a matrix of {rows} × {columns} derivatives; at most {} entries are made", self.entries);
        let hint = "choose variables with --wrt, ask for a product with a vector, or raise --max-entries";
        Err(Error::limit(Diagnostic::error(message).hint(hint)))
    }

    /// Whether derivatives of derivatives have cost no more than they may, `spent` nodes so far.
    fn check_orders(&self, spent: usize, order: u32) -> Result<(), Error> {
        let most = self.nodes / ORDERS;
        if spent <= most {
            return Ok(());
        }
        let message =
            format!("the derivatives up to order {order} took {spent} nodes; at most {most} are made");
        let hint = "ask for a lower order, or raise --max-nodes: an eighth of it is for this";
        Err(Error::limit(Diagnostic::error(message).hint(hint)))
    }

    /// One output per scalar input: ∂f/∂x for a function with one scalar output.
    pub fn gradient(&self, function: &Function) -> Result<Function, Error> {
        let (function, variables) = self.variables(self.scalar(function)?)?;
        let y = function.outputs()[0];
        let nodes = nodes_of(&variables);
        self.finish(function.into_derived(|graph| differentiate::gradient(graph, y, &nodes, self.mode)))
    }

    /// The value, then the gradient: one function sharing all that both need.
    pub fn value_and_gradient(&self, function: &Function) -> Result<Function, Error> {
        let (function, variables) = self.variables(self.scalar(function)?)?;
        let y = function.outputs()[0];
        let nodes = nodes_of(&variables);
        self.finish(function.into_derived(|graph| {
            let mut outputs = vec![y];
            outputs.extend(differentiate::gradient(graph, y, &nodes, self.mode));
            outputs
        }))
    }

    /// The `n`-th derivative with respect to each input alone: ∂ⁿf/∂xⁿ. `n = 0` is f itself.
    pub fn repeated(&self, function: &Function, n: u32) -> Result<Function, Error> {
        let (mut function, variables) = self.variables(self.scalar(function)?)?;
        let value = function.outputs()[0];
        let mut current = vec![value; variables.len()];
        let mut spent = 0;
        for order in 1..=n {
            let step = |graph: &mut Graph| {
                let each = current.iter().zip(&variables);
                each.map(|(&y, x)| differentiate::gradient(graph, y, &[x.node], self.mode)[0]).collect()
            };
            let derived = function.into_derived(step);
            spent += derived.graph().len();
            if order > 1 {
                self.check_orders(spent, order)?;
            }
            function = self.finish_order(derived, order == n)?;
            current = function.outputs().to_vec();
        }
        Ok(if n == 0 { function.with_outputs(current) } else { function })
    }

    /// The value, then by each input alone the derivatives of orders 1 to `n`: f, ∂f/∂x, ∂²f/∂x², …,
    /// ∂f/∂y, …, one function sharing all that they need.
    ///
    /// ```
    /// let f = symdiff::parse("x^3")?;
    /// let all = symdiff::Derivation::default().up_to(&f, 2)?;
    /// assert_eq!(all.to_string(), "x^3\n3*x^2\n6*x");
    /// # Ok::<(), symdiff::Error>(())
    /// ```
    pub fn up_to(&self, function: &Function, n: u32) -> Result<Function, Error> {
        let (mut function, variables) = self.variables(self.scalar(function)?)?;
        let mut spent = 0;
        for order in 0..n as usize {
            let before = function.outputs().to_vec();
            let derived = function.into_derived(|graph| {
                let mut outputs = vec![before[0]];
                for (i, x) in variables.iter().enumerate() {
                    let found = &before[1 + i * order..1 + (i + 1) * order];
                    let last = found.last().copied().unwrap_or(before[0]);
                    outputs.extend(found);
                    outputs.extend(differentiate::gradient(graph, last, &[x.node], self.mode));
                }
                outputs
            });
            spent += derived.graph().len();
            if order > 0 {
                self.check_orders(spent, order as u32 + 1)?;
            }
            function = self.finish_order(derived, order + 1 == n as usize)?;
        }
        Ok(function)
    }

    /// Row by row, ∂fᵢ/∂xⱼ for every scalar output and input.
    pub fn jacobian(&self, function: &Function) -> Result<Function, Error> {
        let (function, variables) = self.variables(self.prepare(function))?;
        let nodes = nodes_of(&variables);
        let ys = function.outputs().to_vec();
        self.check_entries(ys.len(), nodes.len())?;
        self.finish(
            function.into_derived(|graph| differentiate::jacobian(graph, &ys, &nodes, self.mode).concat()),
        )
    }

    /// Row by row, ∂²f/∂xᵢ∂xⱼ of a function with one scalar output.
    pub fn hessian(&self, function: &Function) -> Result<Function, Error> {
        let (function, variables) = self.variables(self.scalar(function)?)?;
        let y = function.outputs()[0];
        let nodes = nodes_of(&variables);
        self.check_entries(nodes.len(), nodes.len())?;
        self.finish(
            function.into_derived(|graph| differentiate::hessian(graph, y, &nodes, self.mode).concat()),
        )
    }

    /// The Hessian times a direction, whose entries become inputs `v_x`, `v_y`, … after the others.
    pub fn hvp(&self, function: &Function) -> Result<Function, Error> {
        let (function, variables) = self.variables(self.scalar(function)?)?;
        let y = function.outputs()[0];
        let nodes = nodes_of(&variables);
        let (function, direction) = with_inputs(function, "v_", &variables);
        self.finish(function.into_derived(|graph| differentiate::hvp(graph, y, &nodes, &direction)))
    }

    /// The outputs, then their tangents along inputs `x_dot`, … added after the others.
    pub fn jvp(&self, function: &Function) -> Result<Function, Error> {
        let (function, variables) = self.variables(self.prepare(function))?;
        let ys = function.outputs().to_vec();
        let (function, tangents) = with_inputs(function, "dot_", &variables);
        let seeds: Vec<(Id, Id)> = nodes_of(&variables).into_iter().zip(tangents).collect();
        self.finish(function.into_derived(|graph| {
            let zero = graph.integer(0);
            let dots = differentiate::jvp(graph, &ys, &seeds);
            ys.iter().copied().chain(dots.into_iter().map(|d| d.unwrap_or(zero))).collect()
        }))
    }

    /// The outputs, then the inputs' cotangents, given cotangents `bar_0`, … of the outputs as
    /// inputs added after the others.
    pub fn vjp(&self, function: &Function) -> Result<Function, Error> {
        let (function, variables) = self.variables(self.prepare(function))?;
        let ys = function.outputs().to_vec();
        let named = |(i, &node): (usize, &Id)| Variable { name: i.to_string(), node };
        let outputs: Vec<Variable> = ys.iter().enumerate().map(named).collect();
        let (function, bars) = with_inputs(function, "bar_", &outputs);
        let seeds: Vec<(Id, Id)> = ys.iter().copied().zip(bars).collect();
        let nodes = nodes_of(&variables);
        self.finish(function.into_derived(|graph| {
            let zero = graph.integer(0);
            let found = differentiate::vjp(graph, &seeds, &nodes);
            ys.iter().copied().chain(found.into_iter().map(|d| d.unwrap_or(zero))).collect()
        }))
    }
}

fn nodes_of(variables: &[Variable]) -> Vec<Id> {
    variables.iter().map(|v| v.node).collect()
}

fn input_named(function: &Function, name: &str) -> Result<Symbol, Error> {
    let graph = function.graph();
    let found = function.inputs().iter().copied().find(|&s| graph.symbol_name(s) == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = function.input_names().collect();
        let message = format!("the expression has no variable `{name}`");
        let hint = match known.is_empty() {
            true => "it has no variables at all".to_owned(),
            false => format!("its variables are {}", known.join(", ")),
        };
        Error::input(Diagnostic::error(message).hint(hint))
    })
}

/// The scalar reads of an input.
fn elements_of(graph: &mut Graph, symbol: Symbol) -> Vec<Variable> {
    let node = graph.input_node(symbol);
    let name = graph.symbol_name(symbol).to_owned();
    if graph.is_scalar(node) {
        return vec![Variable { name, node }];
    }
    let parts = ir::elements(graph, &[node]).concat();
    let named = parts.into_iter().enumerate();
    named.map(|(i, node)| Variable { name: format!("{name}[{i}]"), node }).collect()
}

/// The function with one more scalar input per variable, called `prefix` + its name.
fn with_inputs(function: Function, prefix: &str, variables: &[Variable]) -> (Function, Vec<Id>) {
    let mut inputs = function.inputs().to_vec();
    let outputs = function.outputs().to_vec();
    let mut added = Vec::new();
    let extended = function.into_derived(|graph| {
        for variable in variables {
            let mut name = format!("{prefix}{}", variable.name.replace(['[', ']'], ""));
            while graph.symbol(&name).is_some() {
                name.push('_');
            }
            added.push(graph.input_of(&name, TypeId::F64));
            inputs.extend(graph.symbol(&name));
        }
        outputs
    });
    (extended.with_inputs(inputs), added)
}

fn not_a_scalar(entries: usize) -> Error {
    let message = format!("a gradient needs one number, but the expression is a vector of {entries}");
    Error::shape(Diagnostic::error(message).hint("ask for the Jacobian of a vector"))
}

/// The gradient of a scalar function: one output per scalar input.
///
/// ```
/// let f = symdiff::parse("x^2 + 3*x*y + y^2")?;
/// let g = symdiff::grad(&f)?;
/// assert_eq!(g.to_string(), "2*x + 3*y\n3*x + 2*y");
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// When the function has more than one output, or the derivative outgrows its budget.
pub fn grad(function: &Function) -> Result<Function, Error> {
    Derivation::default().gradient(function)
}

/// The value of a scalar function, then its gradient, with everything shared.
///
/// ```
/// let f = symdiff::parse("log(1 + exp(x))")?;
/// let k = symdiff::jit(&symdiff::value_and_grad(&f)?)?;
/// let mut out = [0.0; 2];
/// k.call(&[0.0], &mut out)?;
/// assert_eq!(out, [2f64.ln(), 0.5]);
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// As for [`grad`].
pub fn value_and_grad(function: &Function) -> Result<Function, Error> {
    Derivation::default().value_and_gradient(function)
}

/// ∂fᵢ/∂xⱼ, row by row.
///
/// ```
/// let f = symdiff::parse("[x*y, x + y]")?;
/// assert_eq!(symdiff::jacobian(&f)?.to_string(), "y\nx\n1\n1");
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// When the derivative outgrows its budget.
pub fn jacobian(function: &Function) -> Result<Function, Error> {
    Derivation::default().jacobian(function)
}

/// ∂²f/∂xᵢ∂xⱼ, row by row.
///
/// ```
/// let f = symdiff::parse("x^2 + 3*x*y + y^2")?;
/// assert_eq!(symdiff::hessian(&f)?.to_string(), "2\n3\n3\n2");
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// As for [`grad`].
pub fn hessian(function: &Function) -> Result<Function, Error> {
    Derivation::default().hessian(function)
}

/// The Hessian times a direction; the direction's entries are inputs `v_x`, … after the others.
///
/// ```
/// let f = symdiff::parse("x^3 + x*y")?;
/// assert_eq!(symdiff::hvp(&f)?.to_string(), "6*v_x*x + v_y\nv_x");
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// As for [`grad`].
pub fn hvp(function: &Function) -> Result<Function, Error> {
    Derivation::default().hvp(function)
}

/// Forward mode: the outputs, then their tangents along new inputs `dot_x`, ….
///
/// ```
/// let f = symdiff::parse("sin(x*y)")?;
/// let t = symdiff::jvp(&f)?;
/// assert_eq!(t.input_names().collect::<Vec<_>>(), ["x", "y", "dot_x", "dot_y"]);
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// When the derivative outgrows its budget.
pub fn jvp(function: &Function) -> Result<Function, Error> {
    Derivation::default().jvp(function)
}

/// Reverse mode: the outputs, then the inputs' cotangents for output cotangents `bar_0`, ….
///
/// ```
/// let f = symdiff::parse("[x*y, x]")?;
/// let c = symdiff::vjp(&f)?;
/// assert_eq!(c.to_string(), "x*y\nx\nbar_0*y + bar_1\nbar_0*x");
/// # Ok::<(), symdiff::Error>(())
/// ```
///
/// # Errors
/// When the derivative outgrows its budget.
pub fn vjp(function: &Function) -> Result<Function, Error> {
    Derivation::default().vjp(function)
}
