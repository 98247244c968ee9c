//! A trained model at work: predictions and scores on new data.

use super::classes;
use super::evaluation::Evaluation;
use super::keep::{encodings_of, params_of, program_of};
use super::names::{confusion_names, labels_of};
use super::score::{Score, score_of, scored};
use crate::data::{ColumnPick, Dataset, Encodings, InputShape, Missing, Source, Wish, Wishes, prepare_like};
use crate::elaborate::program::{self, Model, Phase, read_program};
use crate::error::{Diagnostic, Error, Span};
use crate::ir::{Function, Id, Precision};
use crate::limits::Limits;
use crate::suggest::suggest;
use crate::train::trace::Undefined;
use crate::weights::Saved;

/// A program with trained weights.
pub struct Predictor {
    model: Model,
    encodings: Encodings,
    params: Vec<Vec<f64>>,
}

/// Some values of a model, for each example of some data.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    pub count: usize,
    /// Name, entries of one example, and all of them.
    pub values: Vec<(String, usize, Vec<f64>)>,
    /// How the data was read, where that was guessed.
    pub echo: Vec<String>,
    /// Of examples whose values are not finite: how many, the first, and what went wrong there.
    pub warning: Option<Diagnostic>,
}

/// Mean loss and metrics of a model over some data.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    pub score: Score,
    pub count: usize,
    /// As of [`Predictions`].
    pub echo: Vec<String>,
    /// As of [`Predictions`].
    pub warning: Option<Diagnostic>,
}

/// Values of the examples of some data.
struct Computed {
    count: usize,
    values: Vec<Vec<f64>>,
    echo: Vec<String>,
    warning: Option<Diagnostic>,
}

impl Predictor {
    /// The program in a weights file, or another that takes its parameters.
    ///
    /// # Errors
    /// Faults of the program; parameters that are missing or of another shape.
    pub fn new(saved: &Saved, source: Option<&str>, limits: &Limits) -> Result<Predictor, Error> {
        let source = match source {
            Some(source) => source,
            None => program_of(saved)?,
        };
        Predictor::of(read_program(source, Phase::Predict, limits)?, saved)
    }

    /// A model with the weights of a file, or of [`Training::saved`](super::Training::saved).
    ///
    /// # Errors
    /// As [`Predictor::new`].
    pub fn of(model: Model, saved: &Saved) -> Result<Predictor, Error> {
        let params = params_of(&model, saved)?;
        Ok(Predictor { model, encodings: encodings_of(saved)?, params })
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The labels of an input that was text, in the order of their numbers.
    pub fn labels(&self, input: &str) -> Option<&[String]> {
        Some(self.encodings.get(input)?.labels.as_ref()?.texts())
    }

    /// What the classes a value holds are called, where it is compared with an input of labels.
    pub fn class_names(&self, name: &str) -> Option<&[String]> {
        let value = self.model.values.iter().find(|value| value.name == name)?;
        Some(labels_of(&self.model, &self.encodings, value.node)?.texts())
    }

    /// What the rows and columns of a confusion matrix are called.
    pub fn confusion_names(&self, name: &str) -> Option<&[String]> {
        confusion_names(&self.model, &self.encodings, name)
    }

    /// The value to predict where none is named: the last one the program defines that is not the
    /// objective itself.
    pub fn last_value(&self) -> Option<&str> {
        let objective = self.model.objective.as_ref().map(|objective| objective.node);
        let values = self.model.values.iter().rev();
        values.map(|value| (value.name.as_str(), value.node)).find(|v| Some(v.1) != objective).map(|v| v.0)
    }

    /// Named values for each example of the data, which needs only the inputs they depend on.
    ///
    /// # Errors
    /// For a name the program does not define; where the data does not fit the inputs, with file,
    /// row and column.
    pub fn predict(
        &self,
        names: &[&str],
        data: Option<&Dataset>,
        wishes: &Wishes,
    ) -> Result<Predictions, Error> {
        let nodes = names.iter().map(|name| self.value(name)).collect::<Result<Vec<Id>, Error>>()?;
        let Computed { count, values, echo, warning } = self.values(&nodes, data, wishes)?;
        let named =
            names.iter().zip(&nodes).zip(values).map(|((&name, &node), values)| {
                (name.to_owned(), self.model.graph.shape(node).size(), values)
            });
        Ok(Predictions { count, values: named.collect(), echo, warning })
    }

    fn value(&self, name: &str) -> Result<Id, Error> {
        let known = || self.model.values.iter().map(|value| value.name.as_str());
        let found = self.model.values.iter().find(|value| value.name == name);
        found.map(|value| value.node).ok_or_else(|| {
            let hint = match suggest(name, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it defines {}", known().collect::<Vec<_>>().join(", ")),
            };
            Error::input(Diagnostic::error(format!("the program defines no value `{name}`")).hint(hint))
        })
    }

    /// Mean loss and metrics over the data.
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub fn score(&self, data: Option<&Dataset>, wishes: &Wishes) -> Result<Scored, Error> {
        let Computed { count, values, echo, warning } = self.values(&scored(&self.model)?, data, wishes)?;
        Ok(Scored { score: score_of(&self.model, &values)?, count, echo, warning })
    }

    fn values(&self, nodes: &[Id], data: Option<&Dataset>, wishes: &Wishes) -> Result<Computed, Error> {
        let mut evaluation = Evaluation::new(&self.model, nodes, usize::MAX, Precision::F64)?;
        let needed = evaluation.needed().to_vec();
        let shapes = input_shapes(&self.model);
        let used: Vec<InputShape> = needed.iter().map(|&i| shapes[i].clone()).collect();
        let wishes = Wishes {
            bindings: wishes
                .bindings
                .iter()
                .filter(|w| used.iter().any(|i| i.name == w.input))
                .cloned()
                .collect(),
            ..wishes.clone()
        };
        let prepared = prepare_like(data, &used, &wishes, &self.encodings)?;
        classes::check(&self.model.graph, &self.model.inputs, &needed, nodes, &prepared.examples)?;
        let mut examples = vec![Vec::new(); shapes.len()];
        for (&i, values) in needed.iter().zip(&prepared.examples.inputs) {
            examples[i].clone_from(values);
        }
        let rows = &prepared.split.test;
        let values = evaluation.run(&self.params, &examples, rows)?;
        let warning = self.warning(nodes, &values, &examples, rows);
        Ok(Computed { count: prepared.examples.count, values, echo: prepared.echo, warning })
    }

    /// What is to be said of values that are not finite.
    fn warning(
        &self,
        nodes: &[Id],
        values: &[Vec<f64>],
        examples: &[Vec<f64>],
        rows: &[u32],
    ) -> Option<Diagnostic> {
        fn of_row(all: &[f64], row: usize, size: usize) -> Option<&[f64]> {
            all.get(row * size..(row + 1) * size)
        }
        let size = |node: Id| self.model.graph.shape(node).size();
        let is_bad = |row: usize| {
            let mut each = nodes.iter().zip(values).filter_map(|(&node, all)| of_row(all, row, size(node)));
            each.any(|numbers| numbers.iter().any(|x| !x.is_finite()))
        };
        let undefined = Undefined::among(rows.len(), is_bad)?;
        let example = rows[undefined.row] as usize;
        let inputs = self.model.inputs.iter().zip(examples).flat_map(|(input, all)| {
            let size = size(input.node);
            // An input that the values do not depend on has no numbers.
            of_row(all, example, size).map_or_else(|| vec![0.0; size], <[f64]>::to_vec)
        });
        let point: Vec<f64> = inputs.chain(self.params.iter().flatten().copied()).collect();
        let function = Function::new(self.model.graph.clone(), self.model.symbols(), nodes.to_vec());
        let named = self.model.named_nodes();
        Some(undefined.warning(&function, &self.model.origins, &named, &point))
    }
}

/// The inputs of a model, as data is bound to them.
pub fn input_shapes(model: &Model) -> Vec<InputShape> {
    let shape = |node: Id| model.graph.shape(node).extents().iter().map(|&d| d as usize).collect::<Vec<_>>();
    model.inputs.iter().map(|input| InputShape::new(&input.name, &shape(input.node))).collect()
}

/// What the data block of a program asks for.
pub fn wishes_of(model: &Model) -> Wishes {
    let plan = &model.data;
    let binding = |(input, source, span): &(String, program::Source, Span)| {
        let source = match source {
            program::Source::Rows(values) => Source::Rows(values.clone()),
            program::Source::Columns(picks) => Source::Columns(picks.iter().map(column_pick).collect()),
        };
        Wish { input: input.clone(), source, span: Some(*span) }
    };
    Wishes {
        bindings: plan.bindings.iter().map(binding).collect(),
        standardize: plan.standardize.iter().map(|(name, span)| (name.clone(), Some(*span))).collect(),
        missing: match plan.missing {
            program::Missing::Refuse => Missing::Refuse,
            program::Missing::Drop => Missing::Drop,
            program::Missing::Mean => Missing::Mean,
        },
        stride: plan.stride.map(|stride| usize::try_from(stride).unwrap_or(usize::MAX)),
    }
}

fn column_pick(pick: &program::ColumnPick) -> ColumnPick {
    match pick {
        program::ColumnPick::Name(name, _) => ColumnPick::Name(name.clone()),
        program::ColumnPick::Prefix(prefix, _) => ColumnPick::Glob(format!("{prefix}*")),
        program::ColumnPick::Names(from, to, _) => ColumnPick::Names(from.clone(), to.clone()),
        program::ColumnPick::Positions(from, to, _) => ColumnPick::Positions(*from as usize, *to as usize),
    }
}
