//! `symdiff EXPR`: the derivative, as symbols or as numbers at a point.

use serde::Serialize;

use super::arguments::{Derive, How, Kind};
use super::assignments::{self, Assignment};
use super::console::{Console, Exit, Fault, Origin};
use super::numbers::{self, Array, Json, Named, Rows, to_json};
use super::program;
use super::source::{self, Text};
use crate::print::{Format, Label, Notation, number, render};
use crate::{
    Derivation, Diagnostic, Elaborated, Engine, Error, Evaluator, Function, Level, Limits, Purpose, read,
    simplify,
};

pub fn run(arguments: &Derive, console: &mut Console) -> Result<Exit, Fault> {
    let limits = arguments.budgets.limits();
    if let Some(path) = program::is_program(&arguments.source) {
        return program::derive(&path, arguments, &limits, console);
    }
    if arguments.of.is_some() {
        let hint = "an expression is one value; name a file such as net.sd to choose among its values";
        return Err(Fault::usage("--of chooses a value of a program", hint));
    }
    let format = arguments.format;
    let at = assignments::assignments("--at", &arguments.point.at, &limits)?;
    if !at.is_empty() && !matches!(format, Format::Text | Format::Unicode | Format::Json) {
        let message = format!("--at prints numbers, which have no {} form", format.name());
        return Err(Fault::usage(message, "use --format text or json, or leave --at out"));
    }
    source::for_each(&arguments.source, &limits, console, &mut |text, console| {
        one(arguments, &limits, &at, text, console)
    })
}

fn one(
    arguments: &Derive,
    limits: &Limits,
    at: &[Assignment],
    text: &Text,
    console: &mut Console,
) -> Result<Exit, Fault> {
    let mut read = text.read(limits, console)?;
    assume(&mut read.function, &arguments.how, limits)?;
    let purpose = if at.is_empty() { Purpose::Read } else { Purpose::Compute };
    let derivation = derivation(&arguments.how, limits, purpose);
    let derived = derive(&read, arguments, &derivation, limits).map_err(|stop| match stop {
        Stop::Error(error) => text.fault(&error),
        Stop::Fault(fault) => fault,
    })?;
    if derived.variables.is_empty() {
        let note = Diagnostic::note("the expression has no variables, so its derivative is 0");
        console.say(note)?;
    }
    let result = match at.is_empty() {
        true => derived.symbols(arguments.format, &derivation),
        false => derived.numbers(&read.function, at, arguments, console)?,
    };
    console.print(&result)?;
    Ok(Exit::Success)
}

/// The choices of the flags that derivations share.
pub fn derivation(how: &How, limits: &Limits, purpose: Purpose) -> Derivation {
    let (nodes, entries) = (limits.nodes, limits.entries);
    Derivation { mode: how.mode, level: how.simplify, purpose, wrt: None, nodes, entries }
}

/// Adds the conditions of `--assume`.
pub fn assume(function: &mut Function, how: &How, limits: &Limits) -> Result<(), Fault> {
    for condition in how.assume.iter().flat_map(|text| assignments::items(text)) {
        crate::condition(function, condition, limits).map_err(|error| {
            let origin = Origin { name: "--assume".to_owned(), line: 1 };
            Fault::in_text(Exit::Usage, error.diagnostic().clone(), condition, origin)
        })?;
    }
    Ok(())
}

/// The expression itself, or the derivative that a leading `d/dx` asks for.
pub fn asked(read: &Elaborated, derivation: &Derivation) -> Result<Function, Error> {
    let mut function = read.function.clone();
    for (name, order) in &read.derivative {
        let derivation = Derivation { wrt: Some(vec![name.clone()]), ..derivation.clone() };
        function = along(&derivation, &function, *order)?;
    }
    Ok(function)
}

/// The derivative of some order by the derivation's one variable, component by component.
fn along(derivation: &Derivation, function: &Function, order: u32) -> Result<Function, Error> {
    if function.output_size() == 1 {
        return derivation.repeated(function, order);
    }
    let mut derived = function.clone();
    for _ in 0..order {
        derived = derivation.jacobian(&derived)?;
    }
    Ok(derived)
}

/// How the outputs belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// A labelled line each.
    Lines,
    Vector,
    /// Rows of this many.
    Matrix(usize),
}

/// A derivative and how to show it.
struct Derived {
    function: Function,
    labels: Vec<Label>,
    layout: Layout,
    /// The variables it was derived by.
    variables: Vec<String>,
}

enum Stop {
    Error(Error),
    Fault(Fault),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

fn derive(
    read: &Elaborated,
    arguments: &Derive,
    derivation: &Derivation,
    limits: &Limits,
) -> Result<Derived, Stop> {
    let kind = &arguments.kind;
    if !read.derivative.is_empty() {
        return headed(read, arguments, derivation);
    }
    let wrt = (!arguments.wrt.is_empty()).then(|| arguments.wrt.iter().map(|name| name.trim().to_owned()));
    let derivation = &Derivation { wrt: wrt.map(Iterator::collect), ..derivation.clone() };
    let function = &read.function;
    let variables: Vec<String> =
        derivation.variables(function.clone())?.1.into_iter().map(|v| v.name).collect();
    if variables.is_empty() {
        return Ok(constant(function, kind));
    }
    let columns = variables.len();
    let (function, layout) = match kind {
        Kind { gradient: true, .. } => (derivation.gradient(function)?, Layout::Vector),
        Kind { jacobian: true, .. } => (derivation.jacobian(function)?, Layout::Matrix(columns)),
        Kind { hessian: true, .. } => (derivation.hessian(function)?, Layout::Matrix(columns)),
        Kind { hvp: Some(direction), .. } => {
            let product = along_direction(derivation, function, direction, &variables, limits)?;
            (product, Layout::Vector)
        }
        Kind { order, .. } => return partials(derivation, read, variables, order.unwrap_or(1)),
    };
    Ok(Derived { function, labels: Vec::new(), layout, variables })
}

/// What a leading `d/dx` asks for.
fn headed(read: &Elaborated, arguments: &Derive, derivation: &Derivation) -> Result<Derived, Stop> {
    let Kind { order, gradient, jacobian, hessian, hvp } = &arguments.kind;
    let asked_twice =
        order.is_some() || *gradient || *jacobian || *hessian || hvp.is_some() || !arguments.wrt.is_empty();
    if asked_twice {
        let message = "the expression begins with d/d…, which says already what to derive";
        return Err(Fault::usage(message, "leave that out, or the flag").into());
    }
    let function = asked(read, derivation)?;
    let layout = if function.outputs().len() == 1 { Layout::Lines } else { Layout::Vector };
    let variables = read.derivative.iter().map(|(name, _)| name.clone()).collect();
    Ok(Derived { function, labels: Vec::new(), layout, variables })
}

/// One line for each variable; for a vector, one for each component and variable.
fn partials(
    derivation: &Derivation,
    read: &Elaborated,
    variables: Vec<String>,
    order: u32,
) -> Result<Derived, Stop> {
    let function = &read.function;
    let components = function.output_size();
    let layout = if components > 1 && variables.len() == 1 { Layout::Vector } else { Layout::Lines };
    let derived = match (components, order) {
        (_, 0) => simplify(function, derivation.level, derivation.purpose),
        (1, 1) => derivation.gradient(function)?,
        (1, _) => derivation.repeated(function, order)?,
        (_, 1) => derivation.jacobian(function)?,
        _ if variables.len() == 1 => along(derivation, function, order)?,
        _ => {
            let message = "higher derivatives of a vector are taken by one variable";
            return Err(Fault::usage(message, format!("choose one, such as --wrt {}", variables[0])).into());
        }
    };
    let partial = |wrt: &String| Label::Partial { wrt: wrt.clone(), order };
    let labels = match (components, &variables[..]) {
        (_, [_]) => Vec::new(),
        _ if order == 0 => Vec::new(),
        (1, _) => variables.iter().map(partial).collect(),
        _ => {
            let name = read.name.as_deref().unwrap_or("f");
            let row = |i: usize| {
                let of = format!("{name}{}", i + 1);
                variables.iter().map(move |wrt| Label::Component { of: of.clone(), wrt: wrt.clone() })
            };
            (0..components).flat_map(row).collect()
        }
    };
    Ok(Derived { function: derived, labels, layout, variables })
}

/// The Hessian times a direction: symbols for `v`, else an entry for each variable.
fn along_direction(
    derivation: &Derivation,
    function: &Function,
    direction: &str,
    variables: &[String],
    limits: &Limits,
) -> Result<Function, Stop> {
    let product = derivation.hvp(function)?;
    let entries = assignments::items(direction.trim());
    if entries[..] == ["v"] {
        return Ok(product);
    }
    if entries.len() != variables.len() {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let message = format!(
            "--hvp has {}, but there are {}",
            count(entries.len(), "entry").replace("entrys", "entries"),
            count(variables.len(), "variable")
        );
        return Err(Fault::usage(message, "write one entry for each, such as 1,2, or v for symbols").into());
    }
    let parse = |entry: &&str| {
        let origin = Origin { name: "--hvp".to_owned(), line: 1 };
        let read = read(entry.as_bytes(), None, limits);
        read.map(|read| read.function)
            .map_err(|error| Fault::in_text(Exit::Usage, error.diagnostic().clone(), entry, origin))
    };
    let entries = entries.iter().map(parse).collect::<Result<Vec<Function>, Fault>>()?;
    if entries.iter().any(|entry| entry.output_size() != 1) {
        return Err(Fault::usage("an entry of --hvp is a vector", "write numbers or formulas").into());
    }
    // The direction's inputs are the last ones, in the order of the variables.
    let first = product.inputs().len() - variables.len();
    let replaced = product.inputs()[first..].iter().copied().zip(&entries).collect::<Vec<_>>();
    Ok(simplify(&product.substitute(&replaced), derivation.level, derivation.purpose))
}

/// The derivative of what has no variables.
fn constant(function: &Function, kind: &Kind) -> Derived {
    let function = function.derive(|graph| vec![graph.integer(0)]);
    let lines = !(kind.gradient || kind.jacobian || kind.hessian || kind.hvp.is_some());
    let layout = if lines { Layout::Lines } else { Layout::Vector };
    Derived { function, labels: Vec::new(), layout, variables: Vec::new() }
}

/// One value of the JSON form.
#[derive(Serialize)]
struct Output<T> {
    name: Option<String>,
    value: T,
}

#[derive(Serialize)]
struct Document<'a, T> {
    schema: u32,
    at: Named<'a>,
    outputs: Vec<Output<T>>,
}

impl Derived {
    /// The derivative as a text of the format.
    fn symbols(&self, format: Format, derivation: &Derivation) -> String {
        if self.layout == Layout::Lines {
            return render(&self.function, &self.labels, format);
        }
        let stacked = self.function.derive(|graph| {
            let outputs = self.function.outputs();
            let rows = match self.layout {
                Layout::Matrix(columns) => outputs.chunks(columns).map(|row| graph.stack(row)).collect(),
                _ => outputs.to_vec(),
            };
            vec![graph.stack(&rows)]
        });
        debug_assert_eq!(derivation.purpose, Purpose::Read, "symbols are for reading");
        render(&stacked, &[], format)
    }

    /// The derivative's values at a point; NaN where the expression is undefined.
    fn numbers(
        &self,
        function: &Function,
        at: &[Assignment],
        arguments: &Derive,
        console: &mut Console,
    ) -> Result<String, Fault> {
        let names = self.function.scalar_names();
        let point = assignments::point("--at", &names, at)?;
        let level = arguments.how.simplify;
        let mut values = call(&self.function, &point, Engine::Jit, level)?;
        // The function's own inputs come first; what follows is a direction's.
        let own = &point[..function.input_size()];
        let original = call(function, own, Engine::Interpreter, level)?;
        if original.iter().all(|value| value.is_nan()) && !original.is_empty() {
            values.fill(f64::NAN);
            console.say(undefined(&names[..own.len()], own))?;
        }
        Ok(match arguments.format {
            Format::Json => self.json(&names, &point, &values),
            _ => self.text(&values),
        })
    }

    fn text(&self, values: &[f64]) -> String {
        match self.layout {
            Layout::Vector => numbers::vector(values),
            Layout::Matrix(columns) => numbers::matrix(values, columns),
            Layout::Lines => {
                let line = |(i, &value): (usize, &f64)| match self.name(i) {
                    Some(name) => format!("{name} = {}", number(value)),
                    None => number(value),
                };
                values.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
            }
        }
    }

    fn json(&self, names: &[String], point: &[f64], values: &[f64]) -> String {
        let at = Named(names, point);
        match self.layout {
            Layout::Vector => document(at, vec![Output { name: None, value: Array(values) }]),
            Layout::Matrix(n) => document(at, vec![Output { name: None, value: Rows(values, n) }]),
            Layout::Lines => {
                let output = |(i, &value): (usize, &f64)| Output { name: self.name(i), value: Json(value) };
                document(at, values.iter().enumerate().map(output).collect())
            }
        }
    }

    fn name(&self, i: usize) -> Option<String> {
        self.labels.get(i).and_then(|label| label.text(Notation::Text))
    }
}

fn document<T: Serialize>(at: Named<'_>, outputs: Vec<Output<T>>) -> String {
    to_json(&Document { schema: 1, at, outputs })
}

/// All outputs of a function at one point.
pub fn call(function: &Function, point: &[f64], engine: Engine, level: Level) -> Result<Vec<f64>, Fault> {
    let evaluator = Evaluator::new(function, engine, level).map_err(|error| Fault::from_error(&error))?;
    let mut values = vec![0.0; evaluator.output_size()];
    evaluator.call(point, &mut values).map_err(|error| Fault::from_error(&error))?;
    Ok(values)
}

/// The note that an expression has no value at a point, and so no derivative.
pub fn undefined(names: &[String], point: &[f64]) -> Diagnostic {
    let point = numbers::point(names, point);
    Diagnostic::note(format!("the expression is undefined at {point}, and so is its derivative"))
}
