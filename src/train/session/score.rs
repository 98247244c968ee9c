//! Loss and metrics over examples.
//!
//! What must stay true: a score depends on its rows and the weights alone; dropout and the like play
//! no part in it.

use super::evaluation::Evaluation;
use super::names::confusion_names;
use super::run::Training;
use crate::elaborate::program::{MetricKind, Model};
use crate::error::{Diagnostic, Error};
use crate::ir::Id;

/// Classes a confusion matrix may have.
const CLASSES: usize = 1000;

/// Mean loss and metrics over some examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    pub loss: f64,
    /// By name, in the order of the program.
    pub metrics: Vec<(String, f64)>,
    /// By name, in the order of the program.
    pub confusions: Vec<(String, Confusion)>,
}

/// How many examples of each class were said to be of which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// A row a true class, a column a class said.
    pub counts: Vec<Vec<u64>>,
}

impl Training {
    /// Mean loss and metrics over some of the examples, without dropout and the like.
    ///
    /// # Errors
    /// Where a confusion matrix is asked for what are no classes.
    pub fn score(&mut self, rows: &[u32]) -> Result<Score, Error> {
        let params = self.params()?;
        let evaluation = match &mut self.evaluation {
            Some(evaluation) => evaluation,
            none => {
                let (count, precision) = (self.prepared.examples.count, self.predict.train.precision);
                none.insert(Evaluation::new(&self.predict, &scored(&self.predict)?, count, precision)?)
            }
        };
        let values = evaluation.run(&params, &self.prepared.examples.inputs, rows)?;
        score_of(&self.predict, &values)
    }
}

impl Training {
    /// What the rows and columns of a confusion matrix are called, where the classes were texts.
    pub fn confusion_names(&self, name: &str) -> Option<&[String]> {
        confusion_names(&self.predict, &self.prepared.encodings, name)
    }
}

/// The loss and the metrics of a model, as one evaluation computes them.
pub(super) fn scored(model: &Model) -> Result<Vec<Id>, Error> {
    let metrics = model.metrics.iter().map(|metric| metric.node);
    Ok(std::iter::once(model.objective()?.node).chain(metrics).collect())
}

/// What the values of [`scored`] for some examples come to.
pub(super) fn score_of(model: &Model, values: &[Vec<f64>]) -> Result<Score, Error> {
    let (mut metrics, mut confusions) = (Vec::new(), Vec::new());
    for (metric, values) in model.metrics.iter().zip(values.iter().skip(1)) {
        let name = metric.name.clone();
        match metric.kind {
            MetricKind::Mean => metrics.push((name, mean(values))),
            MetricKind::RSquared => metrics.push((name, r_squared(values))),
            MetricKind::Confusion => {
                let confusion = Confusion::of(values).map_err(|error| not_a_class(&name, error))?;
                confusions.push((name, confusion));
            }
        }
    }
    Ok(Score { loss: values.first().map_or(f64::NAN, |losses| mean(losses)), metrics, confusions })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// 1 − Σ(y − p)²/Σ(y − ȳ)² of pairs (p, y); of a y that never varies it is NaN.
fn r_squared(pairs: &[f64]) -> f64 {
    let each = || pairs.chunks_exact(2);
    let middle = each().map(|pair| pair[1]).sum::<f64>() / each().len().max(1) as f64;
    let left: f64 = each().map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    let whole: f64 = each().map(|pair| (pair[1] - middle).powi(2)).sum();
    if whole == 0.0 { f64::NAN } else { 1.0 - left / whole }
}

impl Confusion {
    /// Of pairs (class said, true class); what is no class, if there is such a thing.
    fn of(pairs: &[f64]) -> Result<Confusion, f64> {
        let is_class = |x: f64| x.fract() == 0.0 && (0.0..CLASSES as f64).contains(&x);
        if let Some(&wrong) = pairs.iter().find(|x| !is_class(**x)) {
            return Err(wrong);
        }
        let size = pairs.iter().fold(0, |most, &class| most.max(class as usize + 1));
        let mut counts = vec![vec![0; size]; size];
        for pair in pairs.chunks_exact(2) {
            counts[pair[1] as usize][pair[0] as usize] += 1;
        }
        Ok(Confusion { counts })
    }
}

fn not_a_class(name: &str, value: f64) -> Error {
    let text = format!("the metric `{name}` counts classes, which are 0 to {}, and met {value}", CLASSES - 1);
    Error::data(Diagnostic::error(text).hint("compare an argmax, or a rounded probability, with the class"))
}
