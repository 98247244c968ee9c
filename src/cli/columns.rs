//! `symdiff eval EXPR --data …`: the value for every row of a table, and derivatives with it.
//!
//! What must stay true: row by row the numbers are those of `eval --at`; what `--at` gives here is
//! the same in all rows; engines give the same bits, sums included.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::arguments::Evaluate;
use super::assignments::{self, Assignment};
use super::console::{Console, Exit, Fault};
use super::derive::{asked, assume, derivation};
use super::program::data::{dataset_at, wish};
use super::source::{self, Text};
use crate::data::{Dataset, InputShape, Portions, Wishes, prepare, write_npy};
use crate::print::number;
use crate::train::Undefined;
use crate::{
    Diagnostic, Engine, Error, Evaluator, Function, Level, Limits, MapKernel, MapOptions, Purpose, Results,
    column_sum, read_located, simplify, weights,
};

pub fn run(arguments: &Evaluate, limits: &Limits, console: &mut Console) -> Result<Exit, Fault> {
    let Some(path) = &arguments.data.data else { return Ok(Exit::Usage) };
    let at = assignments::assignments("--at", &arguments.point.at, limits)?;
    let data = dataset_at(path, &arguments.data, None, limits)?;
    source::for_each(&arguments.source, limits, console, &mut |text, console| {
        one(arguments, limits, (&data, &at), text, console)
    })
}

fn one(
    arguments: &Evaluate,
    limits: &Limits,
    (data, at): (&Dataset, &[Assignment]),
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
    let inputs = inputs(arguments, &all, (data, at), console)?;
    let results = if arguments.sum { Results::Sums } else { Results::Columns };
    let mut columns = computed(arguments, &all, &inputs, results)?;
    if !read.derivative.is_empty() {
        // Where the expression below a `d/dx` has no value, it has no derivative.
        let below = computed(arguments, &read.function, &inputs, results)?;
        blank(&mut columns, |row| below.iter().all(|column| column[row].is_nan()));
    }
    if arguments.gradient {
        let undefined: Vec<bool> = columns[0].iter().map(|value| value.is_nan()).collect();
        blank(&mut columns, |row| undefined[row]);
    }
    let values = &columns[..value.output_size()];
    match values.iter().flatten().any(|number| number.is_nan()) {
        true if arguments.sum => {
            // A sum does not say which row it is of.
            let mut rows = computed(arguments, &value, &inputs, Results::Columns)?;
            rows.extend(computed(arguments, &read.function, &inputs, Results::Columns)?);
            warn(&rows, &inputs, text, limits, console)?;
        }
        true => warn(values, &inputs, text, limits, console)?,
        false => {}
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

/// What a function is given: the columns of its scalars, one number where they are uniform.
struct Inputs {
    columns: Vec<Vec<f64>>,
    uniform: Vec<String>,
    rows: usize,
}

impl Inputs {
    /// The numbers of a row.
    fn point(&self, row: usize) -> Vec<f64> {
        // A column of one number is that of all rows.
        let number = |column: &Vec<f64>| column.get(row).or(column.first()).copied().unwrap_or(f64::NAN);
        self.columns.iter().map(number).collect()
    }
}

fn inputs(
    arguments: &Evaluate,
    function: &Function,
    (data, at): (&Dataset, &[Assignment]),
    console: &mut Console,
) -> Result<Inputs, Fault> {
    // Values of `--at` by scalar: an input has all of them, or none.
    let mut given = assignments::place("--at", &function.scalar_names(), at)?.into_iter();
    let inputs = function.input_shapes().into_iter().map(|(name, extents)| {
        let shape = InputShape { name, extents: extents.iter().map(|&d| d as usize).collect() };
        let values: Vec<Option<f64>> = given.by_ref().take(shape.size()).collect();
        (shape, values)
    });
    let inputs: Vec<(InputShape, Vec<Option<f64>>)> = inputs.collect();
    let is_uniform = |values: &[Option<f64>]| values.iter().any(Option::is_some);
    let shapes: Vec<InputShape> =
        inputs.iter().filter(|(_, values)| !is_uniform(values)).map(|(shape, _)| shape.clone()).collect();
    if shapes.is_empty() {
        let hint = "leave --data out, or out of --at what is in its columns";
        return Err(Fault::usage("the table gives no variable its value", hint));
    }
    let bindings = arguments.data.columns.iter().map(|text| wish(text)).collect::<Result<_, Fault>>()?;
    let wishes = Wishes { bindings, ..Wishes::default() };
    let prepared = prepare(Some(data), &shapes, &wishes, &Portions::default());
    let prepared = prepared.map_err(|error| Fault::from_error(&error))?;
    for sentence in &prepared.echo {
        console.say(Diagnostic::note(sentence.clone()))?;
    }
    let (mut columns, mut uniform) = (Vec::new(), Vec::new());
    let mut tables = prepared.examples.inputs.iter();
    for (shape, given) in inputs {
        if is_uniform(&given) {
            columns.extend(given.into_iter().map(|value| value.into_iter().collect::<Vec<f64>>()));
            uniform.push(shape.name);
        } else if let Some(values) = tables.next() {
            let size = shape.size();
            columns.extend((0..size).map(|k| values.iter().skip(k).step_by(size).copied().collect()));
        }
    }
    Ok(Inputs { columns, uniform, rows: prepared.examples.count })
}

/// Says of rows that are undefined how many there are, and what went wrong in the first.
fn warn(
    values: &[Vec<f64>],
    inputs: &Inputs,
    text: &Text,
    limits: &Limits,
    console: &mut Console,
) -> Result<(), Fault> {
    let is_nan = |row: usize| values.iter().any(|column| column[row].is_nan());
    let Some(undefined) = Undefined::among(inputs.rows, is_nan) else { return Ok(()) };
    let (read, origins) = read_located(text.bytes(), limits).map_err(|error| text.fault(&error))?;
    let point = inputs.point(undefined.row);
    let warning = undefined.warning(&read.function, &origins, &[], &point);
    Ok(console.show(&warning, &text.source(), text.origin())?)
}

/// All outputs of every row, or their sums.
fn computed(
    arguments: &Evaluate,
    function: &Function,
    inputs: &Inputs,
    results: Results,
) -> Result<Vec<Vec<f64>>, Fault> {
    let fault = |error: Error| Fault::from_error(&error);
    let level = arguments.how.simplify;
    let is_sum = results == Results::Sums;
    let rows = if is_sum { 1 } else { inputs.rows };
    if arguments.run.engine == Engine::Interpreter {
        let columns = interpreted(function, level, inputs).map_err(fault)?;
        return Ok(match is_sum {
            true => columns.iter().map(|column| vec![column_sum(column)]).collect(),
            false => columns,
        });
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = MapOptions { threads, uniform: inputs.uniform.clone(), results, ..MapOptions::default() };
    let kernel = MapKernel::compile(&simplify(function, level, Purpose::Compute), &options).map_err(fault)?;
    let columns: Vec<&[f64]> = inputs.columns.iter().map(Vec::as_slice).collect();
    let mut outputs = vec![vec![0.0; rows]; function.output_size()];
    let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    kernel.run(&columns, &mut slices).map_err(fault)?;
    Ok(outputs)
}

/// All outputs of every row, one after another.
fn interpreted(function: &Function, level: Level, inputs: &Inputs) -> Result<Vec<Vec<f64>>, Error> {
    let evaluator = Evaluator::new(function, Engine::Interpreter, level)?;
    let mut outputs = vec![vec![0.0; inputs.rows]; function.output_size()];
    let mut values = vec![0.0; outputs.len()];
    for row in 0..inputs.rows {
        evaluator.call(&inputs.point(row), &mut values)?;
        outputs.iter_mut().zip(&values).for_each(|(column, &value)| column[row] = value);
    }
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
