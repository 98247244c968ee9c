//! A run to a weights file and back: parameters, optimiser states, and where the run stands.
//!
//! What must stay true: a resumed run goes on to the bit as if it had not been interrupted; a
//! file of another program is refused.

use super::program::Program;
use super::run::{Training, TrainingOptions};
use super::standing::{Best, Standing};
use crate::data::{Encodings, Examples, Prepared};
use crate::elaborate::program::{MADE_IN_CODE, Model};
use crate::error::{Diagnostic, Error};
use crate::ir::Precision;
use crate::weights::{Dtype, Saved, Tensor};
use serde_json::{Map, Value, json};

/// Keys of the metadata.
const PROGRAM: &str = "symdiff.program";
const ENCODINGS: &str = "symdiff.encodings";
const DATA: &str = "symdiff.data";
const STANDING: &str = "symdiff.standing";
const SEED: &str = "symdiff.seed";
const PLAN: &str = "symdiff.plan";
const VERSION: &str = "symdiff.version";

/// The prefix of the best weights among the states.
const BEST: &str = "best/";

impl Training {
    /// All that is needed to predict, and to go on.
    ///
    /// # Errors
    /// As [`Training::step`].
    pub fn saved(&self) -> Result<Saved, Error> {
        let params = tensors(&self.model, "", self.params()?);
        let mut states = Vec::new();
        for (k, param) in self.model.params.iter().enumerate() {
            let shape = extents(&self.model, k);
            for ((name, _), &place) in self.model.train.optimizer.states.iter().zip(&self.layout.states[k]) {
                let values = self.values(self.output_of(place), shape.iter().product())?;
                states.push(Tensor::new(&format!("{name}/{}", param.name), &shape, values));
            }
        }
        if let Some(best) = &self.standing.best {
            states.extend(tensors(&self.model, BEST, best.params.clone()));
        }
        let metadata = [
            (PROGRAM, self.source.clone()),
            (ENCODINGS, self.prepared.encodings.to_json()),
            (DATA, fingerprint(&self.prepared.examples)),
            (STANDING, standing_to_json(&self.standing)),
            (SEED, self.seed.to_string()),
            (PLAN, json!({ "steps": self.steps(), "batch": self.feed.batch_size() }).to_string()),
            (VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        ];
        let metadata = metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let dtype = match self.model.train.precision {
            Precision::F64 => Dtype::F64,
            Precision::F32 => Dtype::F32,
        };
        Ok(Saved { params, states, metadata, dtype })
    }

    /// The run a file was saved from, to go on with: of the same program, on the same data.
    ///
    /// # Errors
    /// Where the program or the data is another, and where the file lacks something.
    pub fn resumed(
        source: &str,
        prepared: Prepared,
        saved: &Saved,
        options: &TrainingOptions,
    ) -> Result<Training, Error> {
        Training::resumed_of(&Program::read(source, &options.limits)?, prepared, saved, options)
    }

    /// The same for a program that has been read or made in code.
    ///
    /// # Errors
    /// As [`Training::resumed`].
    pub fn resumed_of(
        program: &Program,
        prepared: Prepared,
        saved: &Saved,
        options: &TrainingOptions,
    ) -> Result<Training, Error> {
        if text(saved, PROGRAM)? != program.train.identity() {
            let hint = "train anew, or resume with the program the weights were saved with";
            return Err(Error::data(
                Diagnostic::error("the program has changed since the weights were saved").hint(hint),
            ));
        }
        let same = text(saved, ENCODINGS)? == prepared.encodings.to_json()
            && text(saved, DATA)? == fingerprint(&prepared.examples);
        if !same {
            let hint = "resume with the data file the run began with";
            return Err(Error::data(
                Diagnostic::error("the data differs from what the weights were trained on").hint(hint),
            ));
        }
        let options = options.resuming(saved)?;
        let mut training = Training::of(program, prepared, &options)?;
        training.set_params(&params_of(&training.model, saved)?)?;
        training.set_states(saved)?;
        let mut standing = standing_from_json(text(saved, STANDING)?).ok_or_else(|| broken(STANDING))?;
        if let Some(best) = &mut standing.best {
            best.params = named_states(&training.model, saved, BEST)?;
        }
        training.standing = standing;
        training.resume_batches();
        Ok(training)
    }

    fn set_states(&mut self, saved: &Saved) -> Result<(), Error> {
        for (i, (name, _)) in self.model.train.optimizer.states.iter().enumerate() {
            let values = named_states(&self.model, saved, &format!("{name}/"))?;
            for (k, values) in values.iter().enumerate() {
                self.workspace.set(self.layout.states[k][i], values)?;
            }
        }
        Ok(())
    }
}

impl TrainingOptions {
    /// These options with what a run was begun with where they leave it open: its seed, its steps in
    /// all, its batch.
    ///
    /// # Errors
    /// Where the file is none of ours.
    pub fn resuming(&self, saved: &Saved) -> Result<TrainingOptions, Error> {
        let seed = text(saved, SEED)?.parse().map_err(|_| broken(SEED))?;
        let plan: Map<String, Value> = serde_json::from_str(text(saved, PLAN)?).map_err(|_| broken(PLAN))?;
        let whole = |key: &str| plan.get(key).and_then(Value::as_u64);
        let steps = if self.epochs.is_some() { None } else { whole("steps") };
        Ok(TrainingOptions {
            seed: Some(seed),
            steps: self.steps.or(steps),
            batch: self.batch.or_else(|| whole("batch")),
            ..self.clone()
        })
    }
}

/// The program a weights file was trained with.
///
/// # Errors
/// Where the file is none of ours, and where the model was made in code: its text is not all of it.
pub fn program_of(saved: &Saved) -> Result<&str, Error> {
    let program = text(saved, PROGRAM)?;
    if program.starts_with(MADE_IN_CODE) {
        let text = "the weights are those of a model made in code, which the file does not hold";
        let hint = "load them in that code, with `Predictor::of`";
        return Err(Error::data(Diagnostic::error(text).hint(hint)));
    }
    Ok(program)
}

/// How the data was encoded when the weights were trained.
///
/// # Errors
/// Where the file is none of ours.
pub fn encodings_of(saved: &Saved) -> Result<Encodings, Error> {
    Encodings::from_json(text(saved, ENCODINGS)?)
}

/// The values of a model's parameters in a file.
///
/// # Errors
/// Where one is missing or has another shape.
pub fn params_of(model: &Model, saved: &Saved) -> Result<Vec<Vec<f64>>, Error> {
    let shapes: Vec<Vec<usize>> = (0..model.params.len()).map(|k| extents(model, k)).collect();
    let wanted =
        model.params.iter().zip(&shapes).map(|(param, shape)| (param.name.as_str(), shape.as_slice()));
    Ok(saved.parameters(wanted)?.into_iter().map(<[f64]>::to_vec).collect())
}

fn named_states(model: &Model, saved: &Saved, prefix: &str) -> Result<Vec<Vec<f64>>, Error> {
    let names: Vec<String> = model.params.iter().map(|param| format!("{prefix}{}", param.name)).collect();
    let shapes: Vec<Vec<usize>> = (0..names.len()).map(|k| extents(model, k)).collect();
    let wanted = names.iter().zip(&shapes).map(|(name, shape)| (name.as_str(), shape.as_slice()));
    Ok(saved.optimizer_states(wanted)?.into_iter().map(<[f64]>::to_vec).collect())
}

fn tensors(model: &Model, prefix: &str, values: Vec<Vec<f64>>) -> Vec<Tensor> {
    let named = model.params.iter().zip(values).enumerate();
    named
        .map(|(k, (p, values))| Tensor::new(&format!("{prefix}{}", p.name), &extents(model, k), values))
        .collect()
}

fn extents(model: &Model, k: usize) -> Vec<usize> {
    model.graph.shape(model.params[k].node).extents().iter().map(|&d| d as usize).collect()
}

fn text<'a>(saved: &'a Saved, key: &str) -> Result<&'a str, Error> {
    let found = saved.metadata.get(key).map(String::as_str);
    found.ok_or_else(|| {
        let message = format!("the weights file has no `{key}`");
        Error::data(Diagnostic::error(message).hint("it was not written by `symdiff train`"))
    })
}

fn broken(key: &str) -> Error {
    let message = format!("`{key}` of the weights file cannot be read");
    Error::data(Diagnostic::error(message).hint("the file is damaged; go on from a copy, or train anew"))
}

/// The number of examples, and the FNV-1a hash of all their numbers.
fn fingerprint(examples: &Examples) -> String {
    let numbers = examples.inputs.iter().flatten();
    let hash = numbers.fold(0xcbf2_9ce4_8422_2325_u64, |hash, number| {
        (hash ^ number.to_bits()).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{} examples, {hash:016x}", examples.count)
}

/// Doubles as their bits: exact, and good for what is not finite.
fn bits(value: f64) -> Value {
    json!(format!("{:016x}", value.to_bits()))
}

fn from_bits(value: &Value) -> Option<f64> {
    u64::from_str_radix(value.as_str()?, 16).ok().map(f64::from_bits)
}

fn standing_to_json(standing: &Standing) -> String {
    let best = standing.best.as_ref().map(|best| json!({ "score": bits(best.score), "step": best.step }));
    json!({
        "step": standing.step,
        "plateaus": standing.plateaus,
        "stalled": standing.stalled,
        "sum": bits(standing.sum),
        "count": standing.count,
        "first": standing.first.map(bits),
        "best": best,
    })
    .to_string()
}

fn standing_from_json(text: &str) -> Option<Standing> {
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    // More than any run takes would overflow where it is counted on.
    let whole = |key: &str| object.get(key)?.as_u64().filter(|&count| count < 1 << 53);
    let best = match object.get("best")? {
        Value::Null => None,
        best => Some(Best {
            score: from_bits(best.get("score")?)?,
            step: best.get("step")?.as_u64()?,
            params: Vec::new(),
        }),
    };
    Some(Standing {
        step: whole("step")?,
        plateaus: whole("plateaus")?,
        stalled: whole("stalled")?,
        sum: from_bits(object.get("sum")?)?,
        count: whole("count")?,
        first: object.get("first").and_then(from_bits),
        best,
    })
}
