//! `symdiff eval`: the value of an expression at a point, its gradient, or both for many points
//! of many expressions as JSON lines.
//!
//! Where the value is NaN so is the gradient: an undefined function has no derivative.

use serde::{Deserialize, Serialize};

use super::arguments::{Evaluate, How};
use super::assignments::{self, Assignment};
use super::columns;
use super::console::{Console, Exit, Fault, Origin};
use super::derive::{asked, assume, call, derivation, undefined};
use super::jsonl;
use super::numbers::{self, Array, Json, Named, Rows, to_json};
use super::program;
use super::source::{self, Text};
use crate::print::{Label, Notation, number};
use crate::{Derivation, Diagnostic, Engine, Error, Evaluator, Function, Limits, Purpose, read};

pub fn run(arguments: &Evaluate, console: &mut Console) -> Result<Exit, Fault> {
    let limits = arguments.budgets.limits();
    if let Some(path) = program::is_weights(&arguments.source) {
        return program::score(&path, arguments, &limits, console);
    }
    if let Some(path) = program::is_program(&arguments.source) {
        return program::evaluate(&path, arguments, &limits, console);
    }
    if arguments.lines.jsonl {
        if !arguments.point.at.is_empty() || arguments.gradient {
            let message = "--jsonl takes its points from its lines, and always answers with gradients";
            return Err(Fault::usage(message, "leave --at and --gradient out"));
        }
        return jsonl::serve(console, |request| {
            answer(request, arguments.run.engine, &arguments.how, &limits)
        });
    }
    if arguments.data.data.is_some() {
        return columns::run(arguments, &limits, console);
    }
    let at = assignments::assignments("--at", &arguments.point.at, &limits)?;
    source::for_each(&arguments.source, &limits, console, &mut |text, console| {
        one(arguments, &limits, &at, text, console)
    })
}

fn one(
    arguments: &Evaluate,
    limits: &Limits,
    at: &[Assignment],
    text: &Text,
    console: &mut Console,
) -> Result<Exit, Fault> {
    let mut read = text.read(limits, console)?;
    assume(&mut read.function, &arguments.how, limits)?;
    let derivation = derivation(&arguments.how, limits, Purpose::Compute);
    let function = asked(&read, &derivation).map_err(|error| text.fault(&error))?;
    let names = function.scalar_names();
    let point = assignments::point("--at", &names, at)?;
    let mut result = evaluate(arguments, &function, &derivation, &point, text)?;
    if !read.derivative.is_empty() && is_undefined(&read.function, &point, arguments)? {
        result.value.fill(f64::NAN);
        result.gradient.iter_mut().for_each(|gradient| gradient.fill(f64::NAN));
    }
    if result.value.iter().all(|value| value.is_nan()) && !point.is_empty() {
        match arguments.gradient {
            true => console.say(undefined(&names, &point))?,
            false => {
                let point = numbers::point(&names, &point);
                console.say(Diagnostic::note(format!("the expression is undefined at {point}")))?;
            }
        }
    }
    let shown = match arguments.output.json {
        true => result.json(&names, &point),
        false => result.text(&names),
    };
    console.print(&shown)?;
    Ok(Exit::Success)
}

/// True where the expression below a `d/dx` has no value, and so no derivative.
fn is_undefined(function: &Function, point: &[f64], arguments: &Evaluate) -> Result<bool, Fault> {
    let values = call(function, point, Engine::Interpreter, arguments.how.simplify)?;
    Ok(values.iter().all(|value| value.is_nan()))
}

/// The value's entries, and the gradient where it was asked for.
struct Evaluated {
    value: Vec<f64>,
    /// Whether the value is a number rather than a vector.
    scalar: bool,
    gradient: Option<Vec<f64>>,
}

fn evaluate(
    arguments: &Evaluate,
    function: &Function,
    derivation: &Derivation,
    point: &[f64],
    text: &Text,
) -> Result<Evaluated, Fault> {
    let (engine, level) = (arguments.run.engine, arguments.how.simplify);
    if !arguments.gradient {
        let value = call(function, point, engine, level)?;
        return Ok(Evaluated { scalar: value.len() == 1, value, gradient: None });
    }
    let both = derivation.value_and_gradient(function).map_err(|error| text.fault(&error))?;
    let mut value = call(&both, point, engine, level)?;
    let mut gradient = value.split_off(1);
    if value[0].is_nan() {
        gradient.fill(f64::NAN);
    }
    Ok(Evaluated { value, scalar: true, gradient: Some(gradient) })
}

impl Evaluated {
    fn text(&self, names: &[String]) -> String {
        let value = if self.scalar { number(self.value[0]) } else { numbers::vector(&self.value) };
        let partials = names.iter().zip(self.gradient.iter().flatten());
        let line = |(name, &partial): (&String, &f64)| {
            let label = Label::Partial { wrt: name.clone(), order: 1 }.text(Notation::Text);
            format!("{} = {}", label.unwrap_or_default(), number(partial))
        };
        std::iter::once(value).chain(partials.map(line)).collect::<Vec<_>>().join("\n")
    }

    fn json(&self, names: &[String], point: &[f64]) -> String {
        let at = Named(names, point);
        let gradient = self.gradient.as_deref().map(|gradient| Named(names, gradient));
        match self.scalar {
            true => to_json(&Document { schema: 1, at, value: Json(self.value[0]), gradient }),
            false => to_json(&Document { schema: 1, at, value: Array(&self.value), gradient }),
        }
    }
}

#[derive(Serialize)]
struct Document<'a, T> {
    schema: u32,
    at: Named<'a>,
    value: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    gradient: Option<Named<'a>>,
}

/// A line of `eval --jsonl`.
#[derive(Deserialize)]
struct Request {
    expr: String,
    /// The variables in the order of the points' numbers; of first appearance when left out.
    vars: Option<Vec<String>>,
    points: Vec<Vec<f64>>,
}

/// Values, and gradients row by row.
struct Response {
    values: Vec<f64>,
    gradients: Vec<f64>,
    variables: usize,
}

impl Serialize for Response {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("value", &Array(&self.values))?;
        match self.variables {
            0 => map.serialize_entry("grad", &vec![[0u8; 0]; self.values.len()])?,
            n => map.serialize_entry("grad", &Rows(&self.gradients, n))?,
        }
        map.end()
    }
}

fn answer(request: Request, engine: Engine, how: &How, limits: &Limits) -> Result<Response, Fault> {
    let kernel = Kernel::new(&request, engine, how, limits)?;
    let variables = kernel.both.input_size();
    let mut response = Response { values: Vec::new(), gradients: Vec::new(), variables };
    let mut out = vec![0.0; 1 + variables];
    for (i, point) in request.points.iter().enumerate() {
        if point.len() != variables {
            let message =
                format!("point {i} has length {}, but the number of variables is {variables}", point.len());
            return Err(Fault::usage(message, "write one number for each variable"));
        }
        kernel.call(point, &mut out).map_err(|error| Fault::from_error(&error))?;
        response.values.push(out[0]);
        response.gradients.extend_from_slice(&out[1..]);
    }
    Ok(response)
}

/// Value and gradient of an expression, ready to run.
struct Kernel {
    both: Evaluator,
    /// Below a leading `d/dx`: the expression that is derived, as undefined as its derivative.
    derived: Option<Evaluator>,
}

impl Kernel {
    fn new(request: &Request, engine: Engine, how: &How, limits: &Limits) -> Result<Kernel, Fault> {
        let origin = Origin { name: "expr".to_owned(), line: 1 };
        let fault = |error: Error| Fault::of(&error, &request.expr, origin.clone());
        let mut read = read(request.expr.as_bytes(), request.vars.as_deref(), limits).map_err(fault)?;
        assume(&mut read.function, how, limits)?;
        let derivation = derivation(how, limits, Purpose::Compute);
        let both = asked(&read, &derivation).and_then(|function| derivation.value_and_gradient(&function));
        let evaluator = |function: &Function| Evaluator::new(function, engine, how.simplify).map_err(fault);
        let derived = (!read.derivative.is_empty()).then(|| evaluator(&read.function)).transpose()?;
        Ok(Kernel { both: evaluator(&both.map_err(fault)?)?, derived })
    }

    /// Value and gradient; all NaN where the value is undefined.
    fn call(&self, point: &[f64], out: &mut [f64]) -> Result<(), Error> {
        self.both.call(point, out)?;
        let mut value = [out[0]];
        if let Some(derived) = &self.derived {
            derived.call(point, &mut value)?;
        }
        if value[0].is_nan() || out[0].is_nan() {
            out.fill(f64::NAN);
        }
        Ok(())
    }
}
