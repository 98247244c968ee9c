//! `symdiff eval EXPR --data …`: the value for every row of a table, and derivatives with it.
//!
//! What must stay true: row by row the numbers are those of `eval --at`.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::arguments::Evaluate;
use super::console::{Console, Exit, Fault};
use super::derive::{asked, assume, derivation};
use super::program::data::{dataset_at, wish};
use super::source::{self, Text};
use crate::data::{Dataset, InputShape, Portions, Wishes, prepare, write_npy};
use crate::print::number;
use crate::{
    Diagnostic, Engine, Error, Evaluator, Function, Limits, MapKernel, MapOptions, Purpose, simplify, weights,
};

pub fn run(arguments: &Evaluate, limits: &Limits, console: &mut Console) -> Result<Exit, Fault> {
    let Some(path) = &arguments.data.data else { return Ok(Exit::Usage) };
    if !arguments.point.at.is_empty() {
        let hint = "leave --at out, or --data";
        return Err(Fault::usage("--at is one point, and --data has one in each row", hint));
    }
    let data = dataset_at(path, &arguments.data, None, limits)?;
    source::for_each(&arguments.source, limits, console, &mut |text, console| {
        one(arguments, limits, &data, text, console)
    })
}

fn one(
    arguments: &Evaluate,
    limits: &Limits,
    data: &Dataset,
    text: &Text,
    console: &mut Console,
) -> Result<Exit, Fault> {
    let fault = |error: Error| text.fault(&error);
    let mut read = text.read(limits, console)?;
    assume(&mut read.function, &arguments.how, limits)?;
    let derivation = derivation(&arguments.how, limits, Purpose::Compute);
    let value = asked(&read, &derivation).map_err(fault)?;
    let all = match arguments.gradient {
        true => derivation.value_and_gradient(&value).map_err(fault)?,
        false => value.clone(),
    };
    let inputs = inputs(arguments, &all, data, console)?;
    let mut columns = computed(arguments, &all, &inputs)?;
    if !read.derivative.is_empty() {
        // Where the expression below a `d/dx` has no value, it has no derivative.
        let below = computed(arguments, &read.function, &inputs)?;
        blank(&mut columns, |row| below.iter().all(|column| column[row].is_nan()));
    }
    if arguments.gradient {
        let undefined: Vec<bool> = columns[0].iter().map(|value| value.is_nan()).collect();
        blank(&mut columns, |row| undefined[row]);
    }
    let names = names(&value, arguments.gradient);
    match &arguments.out {
        Some(path) => write(path, &names, &columns)?,
        None => {
            let mut csv = Vec::new();
            write_csv(&mut csv, &names, &columns)?;
            console.print(String::from_utf8_lossy(&csv).trim_end())?;
        }
    }
    Ok(Exit::Success)
}

/// The columns of the function's scalars.
fn inputs(
    arguments: &Evaluate,
    function: &Function,
    data: &Dataset,
    console: &mut Console,
) -> Result<Vec<Vec<f64>>, Fault> {
    let shapes: Vec<InputShape> = function
        .input_shapes()
        .into_iter()
        .map(|(name, extents)| InputShape { name, extents: extents.iter().map(|&d| d as usize).collect() })
        .collect();
    let bindings = arguments.data.columns.iter().map(|text| wish(text)).collect::<Result<_, Fault>>()?;
    let wishes = Wishes { bindings, ..Wishes::default() };
    let prepared = prepare(Some(data), &shapes, &wishes, &Portions::default());
    let prepared = prepared.map_err(|error| Fault::from_error(&error))?;
    for sentence in &prepared.echo {
        console.say(Diagnostic::note(sentence.clone()))?;
    }
    let mut columns = Vec::new();
    for (shape, values) in shapes.iter().zip(&prepared.examples.inputs) {
        let size = shape.size();
        columns.extend((0..size).map(|k| values.iter().skip(k).step_by(size).copied().collect()));
    }
    Ok(columns)
}

/// All outputs of every row.
fn computed(arguments: &Evaluate, function: &Function, inputs: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Fault> {
    let fault = |error: Error| Fault::from_error(&error);
    let (level, rows) = (arguments.how.simplify, inputs.first().map_or(0, Vec::len));
    let mut outputs = vec![vec![0.0; rows]; function.output_size()];
    if arguments.run.engine == Engine::Interpreter {
        let evaluator = Evaluator::new(function, Engine::Interpreter, level).map_err(fault)?;
        let mut values = vec![0.0; outputs.len()];
        for row in 0..rows {
            let point: Vec<f64> = inputs.iter().map(|column| column[row]).collect();
            evaluator.call(&point, &mut values).map_err(fault)?;
            outputs.iter_mut().zip(&values).for_each(|(column, &value)| column[row] = value);
        }
        return Ok(outputs);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = MapOptions { threads, ..MapOptions::default() };
    let kernel = MapKernel::compile(&simplify(function, level, Purpose::Compute), &options).map_err(fault)?;
    let inputs: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
    let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    kernel.run(&inputs, &mut slices).map_err(fault)?;
    Ok(outputs)
}

/// Makes the rows NaN that are undefined.
fn blank(columns: &mut [Vec<f64>], is_undefined: impl Fn(usize) -> bool) {
    for row in 0..columns.first().map_or(0, Vec::len) {
        if is_undefined(row) {
            columns.iter_mut().for_each(|column| column[row] = f64::NAN);
        }
    }
}

/// `value`, or `value_0`, …; then `d_x` for each variable.
fn names(value: &Function, gradient: bool) -> Vec<String> {
    let mut names: Vec<String> = match value.output_size() {
        1 => vec!["value".to_owned()],
        n => (0..n).map(|i| format!("value_{i}")).collect(),
    };
    if gradient {
        names.extend(value.scalar_names().iter().map(|name| format!("d_{name}")));
    }
    names
}

/// A header, and a line a row; numbers in the shortest form that reads back.
fn write_csv(out: &mut impl Write, names: &[String], columns: &[Vec<f64>]) -> std::io::Result<()> {
    writeln!(out, "{}", names.join(","))?;
    for row in 0..columns.first().map_or(0, Vec::len) {
        for (at, column) in columns.iter().enumerate() {
            write!(out, "{}{}", if at > 0 { "," } else { "" }, number(column[row]))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write(path: &Path, names: &[String], columns: &[Vec<f64>]) -> Result<(), Fault> {
    let is_npy = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("npy"));
    let write = |out: &mut BufWriter<&std::fs::File>| -> std::io::Result<()> {
        match is_npy {
            true => write_npy(out, columns),
            false => write_csv(out, names, columns),
        }?;
        out.flush()
    };
    weights::replace_file(path, write).map_err(|error| Fault::from_error(&error))
}
