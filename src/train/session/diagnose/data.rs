//! What the columns of the training rows show: numbers that are none, that never vary, of very
//! different size.

use super::Case;
use super::pairs::Pair;
use crate::error::{Diagnostic, Span};
use crate::train::session::classes::class_counts;
use crate::train::trace::short;
use crate::train::{Cause, Finding};

/// Rows below which nothing is said of columns.
const FEW: usize = 4;
/// Inputs wider than this are images and the like, some of whose columns often are constant.
const WIDE: usize = 16;
/// A column whose numbers are of this size is not scaled.
const LARGE: f64 = 100.0;
/// Columns of sizes this far apart neither.
const APART: f64 = 1000.0;
/// Columns named one by one.
const NAMED: usize = 3;

/// One column of an input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub mean: f64,
    pub deviation: f64,
    /// The root of the mean square.
    pub size: f64,
    pub least: f64,
    pub most: f64,
}

/// The columns of an input over the training rows.
pub(super) fn columns(case: &Case<'_>, input: usize) -> Vec<Column> {
    let width = case.program.predict.graph.shape(case.program.predict.inputs[input].node).size();
    (0..width).map(|at| Column::of(&entries(case, input, at))).collect()
}

/// One column's numbers.
pub(super) fn entries(case: &Case<'_>, input: usize, at: usize) -> Vec<f64> {
    let model = &case.program.predict;
    let width = model.graph.shape(model.inputs[input].node).size();
    let table = &case.prepared.examples.inputs[input];
    case.prepared.split.train.iter().map(|&row| table[row as usize * width + at]).collect()
}

impl Column {
    pub fn of(values: &[f64]) -> Column {
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        Column {
            mean,
            deviation: variance.sqrt(),
            size: (values.iter().map(|x| x * x).sum::<f64>() / n).sqrt(),
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            most: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    pub fn is_constant(&self) -> bool {
        self.least == self.most
    }
}

/// The inputs that are no classes and no targets, by place.
pub(super) fn features(case: &Case<'_>, pairs: &[Pair]) -> Vec<usize> {
    let model = &case.program.predict;
    let classes = class_counts(model);
    let is_target = |i: usize| pairs.iter().any(|pair| pair.target_input == Some(i));
    (0..model.inputs.len()).filter(|&i| classes[i].is_none() && !is_target(i)).collect()
}

pub(super) fn findings(case: &Case<'_>, pairs: &[Pair]) -> Vec<Finding> {
    if case.prepared.split.train.len() < FEW || case.program.predict.inputs.is_empty() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for i in 0..case.program.predict.inputs.len() {
        findings.extend(not_finite(case, i));
    }
    for i in features(case, pairs) {
        let columns = columns(case, i);
        findings.extend(constant(case, i, &columns));
        findings.extend(duplicates(case, i, columns.len()));
    }
    findings.extend(scale(case, pairs));
    findings
}

fn place(case: &Case<'_>, input: usize) -> (String, Span) {
    let input = &case.program.predict.inputs[input];
    (input.name.clone(), input.span)
}

/// `x`, or `x[2]` of an array.
fn named(case: &Case<'_>, input: usize, at: usize) -> String {
    let input = &case.program.predict.inputs[input];
    match case.program.predict.graph.is_scalar(input.node) {
        true => format!("`{}`", input.name),
        false => format!("`{}[{at}]`", input.name),
    }
}

fn not_finite(case: &Case<'_>, input: usize) -> Option<Finding> {
    let (name, span) = place(case, input);
    let table = &case.prepared.examples.inputs[input];
    let width = (table.len() / case.prepared.examples.count.max(1)).max(1);
    let at = table.iter().position(|x| !x.is_finite())?;
    let count = table.iter().filter(|x| !x.is_finite()).count();
    let row = case.prepared.examples.place(at / width);
    let message = format!("the data of `{name}` has {count} numbers that are not finite, first at {row}");
    let diagnostic = Diagnostic::error(message).at(span, format!("is {}", table[at]));
    Some(Finding::fault(Cause::DataNotFinite, diagnostic.hint("leave these rows out, or `missing = mean`")))
}

fn constant(case: &Case<'_>, input: usize, columns: &[Column]) -> Option<Finding> {
    let (name, span) = place(case, input);
    let still: Vec<usize> = (0..columns.len()).filter(|&at| columns[at].is_constant()).collect();
    let first = *still.first()?;
    let names: Vec<String> = still.iter().take(NAMED).map(|&at| named(case, input, at)).collect();
    let message = match (still.len() == columns.len(), still.len()) {
        (true, _) if columns.len() > 1 => {
            format!("no column of `{name}` varies: the first is always {}", short(columns[first].least))
        }
        (_, 1) => format!("{} never varies: it is always {}", names[0], short(columns[first].least)),
        (_, n) => format!("{n} of {} columns of `{name}` never vary: {}", columns.len(), names.join(", ")),
    };
    let diagnostic = Diagnostic::error(message).at(span, "the same in all training rows");
    let diagnostic =
        diagnostic.hint("it tells nothing: leave it out, or look whether it is the column that was meant");
    let grave = columns.len() <= WIDE || still.len() == columns.len();
    Some(match grave {
        true => Finding::fault(Cause::ConstantFeature, diagnostic),
        false => Finding::note(Cause::ConstantFeature, diagnostic),
    })
}

/// Columns that are the same in all rows.
fn duplicates(case: &Case<'_>, input: usize, width: usize) -> Option<Finding> {
    if width > WIDE * WIDE {
        return None;
    }
    let (_, span) = place(case, input);
    let all: Vec<Vec<f64>> = (0..width).map(|at| entries(case, input, at)).collect();
    let varies = |at: usize| all[at].iter().any(|x| *x != all[at][0]);
    for b in 1..width {
        if let Some(a) = (0..b).find(|&a| varies(a) && all[a] == all[b]) {
            let message = format!("{} is {} again", named(case, input, b), named(case, input, a));
            let diagnostic = Diagnostic::error(message).at(span, "two columns of the same numbers");
            return Some(Finding::note(Cause::DuplicateFeature, diagnostic.hint("leave one of them out")));
        }
    }
    None
}

/// Columns that are not scaled; whether that does harm is for others to find.
fn scale(case: &Case<'_>, pairs: &[Pair]) -> Option<Finding> {
    let mut sizes = Vec::new();
    let model = &case.program.predict;
    let compared = pairs.iter().filter(|pair| pair.is_difference()).filter_map(|pair| pair.target_input);
    for i in features(case, pairs).into_iter().chain(compared) {
        for (at, column) in columns(case, i).iter().enumerate() {
            if column.size > 0.0 && column.size.is_finite() {
                sizes.push((column.size, i, at));
            }
        }
    }
    let largest = sizes.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let smallest = sizes.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0))?;
    if largest.0 < LARGE && largest.0 < APART * smallest.0 {
        return None;
    }
    let words =
        |(size, i, at): (f64, usize, usize)| format!("{} is of size {}", named(case, i, at), short(size));
    let message = match sizes.len() {
        1 => format!("the numbers are not scaled: {}", words(largest)),
        _ => format!("the numbers are not scaled: {}, {}", words(largest), words(smallest)),
    };
    let name = &model.inputs[largest.1].name;
    let diagnostic = Diagnostic::error(message).at(model.inputs[largest.1].span, "declared here");
    let diagnostic =
        diagnostic.hint(format!("bring it to mean 0 and deviation 1: `data {{ standardize = [{name}] }}`"));
    let finding = Finding::note(Cause::Scale, diagnostic);
    Some(finding.with("largest", largest.0).with("smallest", smallest.0))
}
