//! `symdiff check --accuracy`: how many bits of value and derivatives are right, against high
//! precision, and the operation that lost the others.

use serde::Serialize;

use super::arguments::Check;
use super::assignments::{self, Assignment};
use super::console::{Console, Exit, Fault};
use super::derive::{asked, assume, derivation};
use super::numbers::{self, Json, Named, to_json};
use super::source::Text;
use super::table::Table;
use crate::elaborate::Origins;
use crate::precise::{ALL_BITS, Accuracy, Loss, Precise, Stuck, accuracy, advice, points_inside};
use crate::print::{Label, Notation, number};
use crate::{Diagnostic, Function, Level, Limits, Purpose, Span, simplify};

/// Points tried where none is given.
const TRIED: usize = 200;

pub fn one(
    arguments: &Check,
    limits: &Limits,
    at: &[Assignment],
    text: &Text,
    console: &mut Console,
) -> Result<Exit, Fault> {
    let located = crate::read_located(text.bytes(), limits);
    let (mut read, origins) = located.map_err(|error| text.fault(&error))?;
    for note in &read.notes {
        console.say(note.clone())?;
    }
    assume(&mut read.function, &arguments.how, limits)?;
    let derivation = derivation(&arguments.how, limits, Purpose::Compute);
    let function = asked(&read, &derivation).map_err(|error| text.fault(&error))?;
    let both = derivation.value_and_gradient(&function).map_err(|error| text.fault(&error))?;
    let measured = Measured::new(&both, function.scalar_names(), origins);
    let points = match at.is_empty() {
        false => vec![assignments::point("--at", &measured.names, at)?],
        true => points_inside(&measured.precise, TRIED),
    };
    let rows = measured.worst(&points);
    if rows.first().is_none_or(|row| row.found.bits.is_none()) {
        return Err(measured.unknown(&rows));
    }
    match arguments.output.json {
        true => console.print(&measured.json(&rows))?,
        false => measured.print(&rows, console)?,
    }
    for row in &rows {
        if let Some(loss) = &row.found.loss {
            measured.tell(row, loss, text, console)?;
        }
    }
    Ok(Exit::Success)
}

/// Value and gradient, ready to be measured.
struct Measured {
    names: Vec<String>,
    labels: Vec<String>,
    precise: Precise,
    origins: Origins,
}

/// One result at the point where it is worst.
struct Row<'a> {
    label: &'a str,
    at: Vec<f64>,
    found: Accuracy,
}

impl Measured {
    fn new(both: &Function, names: Vec<String>, origins: Origins) -> Measured {
        let partial = |wrt: &String| {
            Label::Partial { wrt: wrt.clone(), order: 1 }.text(Notation::Text).unwrap_or_default()
        };
        let labels = std::iter::once("value".to_owned()).chain(names.iter().map(partial)).collect();
        Measured { labels, precise: Precise::new(both), names, origins }
    }

    /// Every result at the point where the fewest of its bits are right.
    fn worst(&self, points: &[Vec<f64>]) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for point in points {
            for (i, found) in accuracy(&self.precise, point).into_iter().enumerate() {
                let rank = |found: &Accuracy| found.bits.unwrap_or(f64::INFINITY);
                let Some(label) = self.labels.get(i) else { continue };
                match rows.get_mut(i) {
                    Some(row) if rank(&row.found) <= rank(&found) => {}
                    Some(row) => *row = Row { label, at: point.clone(), found },
                    None => rows.push(Row { label, at: point.clone(), found }),
                }
            }
        }
        rows
    }

    /// Why nothing can be said.
    fn unknown(&self, rows: &[Row<'_>]) -> Fault {
        let stuck = rows.iter().find_map(|row| row.found.exact.as_ref().err());
        let (message, hint) = match stuck {
            None => ("no point was found that fits the assumptions", "give one, such as --at x=1"),
            Some(Stuck::Undefined) => ("the expression is undefined there", "give another point with --at"),
            Some(Stuck::Huge) => ("the expression is out of reach of high precision", "give smaller numbers"),
            Some(Stuck::Imprecise) => ("the exact value could not be told", "give another point with --at"),
            Some(Stuck::Uncovered) => (
                "high precision does not cover an operation of the expression",
                "check it without --accuracy",
            ),
        };
        Fault::plain(Exit::Data, Diagnostic::error(message).hint(hint))
    }

    fn print(&self, rows: &[Row<'_>], console: &mut Console) -> Result<(), Fault> {
        let header = ["result", "at", "computed", "exact", "bits right"];
        let mut table = Table::new(header.map(str::to_owned).to_vec());
        for row in rows {
            let exact = row.found.exact.as_ref().map_or("undefined".to_owned(), |v| number(v.to_f64()));
            let bits = row.found.bits.map_or("-".to_owned(), |bits| format!("{bits:.0} of {ALL_BITS}"));
            let at = numbers::point(&self.names, &row.at);
            table.row(vec![row.label.to_owned(), at, number(row.found.computed), exact, bits], console)?;
        }
        table.finish(console)?;
        Ok(())
    }

    /// The operation as text.
    fn operation(&self, loss: &Loss) -> String {
        let alone = self.precise.function().clone().with_outputs(vec![loss.node]);
        shortened(&alone.to_string())
    }

    /// Where in the text the operation is, if it stands there.
    fn span(&self, loss: &Loss) -> Option<Span> {
        self.origins.of(self.precise.function().graph(), loss.node).map(|origin| origin.span)
    }

    /// Another form of the operation that loses fewer bits there, or what else to write.
    fn suggestion(&self, loss: &Loss, at: &[f64]) -> Option<String> {
        let alone = self.precise.function().clone().with_outputs(vec![loss.node]);
        let stable = simplify(&alone, Level::Fast, Purpose::Compute);
        let better = accuracy(&Precise::new(&stable), at).first().and_then(|found| found.bits);
        let before = accuracy(&Precise::new(&alone), at).first().and_then(|found| found.bits);
        match (better, before) {
            (Some(better), Some(before)) if better > before + ENOUGH => {
                Some(format!("`{}` keeps {better:.0} bits", shortened(&stable.to_string())))
            }
            _ => advice(&self.precise, loss).map(str::to_owned),
        }
    }

    fn tell(&self, row: &Row<'_>, loss: &Loss, text: &Text, console: &mut Console) -> Result<(), Fault> {
        let operands: Vec<String> = loss.operands.iter().map(|&x| number(x)).collect();
        let words = format!(
            "{}: {:.0} bits are lost in `{}`, which {}",
            row.label,
            loss.bits,
            self.operation(loss),
            loss.words()
        );
        let label = format!("of {}; exact: {}", operands.join(" and "), number(loss.exact));
        let mut diagnostic = Diagnostic::warning(words);
        match self.span(loss) {
            Some(span) => diagnostic = diagnostic.at(span, label),
            None => diagnostic.message.push_str(&format!(" (operands {})", operands.join(" and "))),
        }
        if let Some(suggestion) = self.suggestion(loss, &row.at) {
            diagnostic = diagnostic.hint(suggestion);
        }
        match diagnostic.span {
            Some(_) => console.show(&diagnostic, &text.source(), text.origin())?,
            None => console.say(diagnostic)?,
        }
        Ok(())
    }

    fn json(&self, rows: &[Row<'_>]) -> String {
        let form = |row: &Row<'_>| RowForm {
            name: row.label.to_owned(),
            at: row.at.clone(),
            computed: Json(row.found.computed),
            exact: row.found.exact.as_ref().ok().map(|v| Json(v.to_f64())),
            bits: row.found.bits.map(Json),
            lost: row.found.loss.as_ref().map(|loss| LossForm {
                bits: Json(loss.bits),
                operation: self.operation(loss),
                operands: loss.operands.iter().map(|&x| Json(x)).collect(),
                condition: Json(loss.condition),
                overflows: loss.overflows,
                span: self.span(loss).map(|span| [span.start, span.end]),
                suggestion: self.suggestion(loss, &row.at),
            }),
        };
        let forms: Vec<RowForm> = rows.iter().map(form).collect();
        let results = forms.iter().map(|row| Shown { at: Named(&self.names, &row.at), row }).collect();
        to_json(&Document { schema: 1, of: Json(ALL_BITS), results })
    }
}

/// Bits another form has to keep beyond those that were right, to be worth a word.
const ENOUGH: f64 = 8.0;

/// Longest operation that is shown whole.
const LONGEST: usize = 80;

fn shortened(text: &str) -> String {
    let last = text.lines().last().unwrap_or_default();
    match last.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &last[..at]),
        None => last.to_owned(),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    /// Bits there are.
    of: Json,
    results: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    row: &'a RowForm,
    at: Named<'a>,
}

#[derive(Serialize)]
struct RowForm {
    name: String,
    #[serde(skip)]
    at: Vec<f64>,
    computed: Json,
    exact: Option<Json>,
    bits: Option<Json>,
    lost: Option<LossForm>,
}

#[derive(Serialize)]
struct LossForm {
    bits: Json,
    operation: String,
    operands: Vec<Json>,
    condition: Json,
    overflows: bool,
    span: Option<[u32; 2]>,
    suggestion: Option<String>,
}
