//! Programs of `examples/` trained from their files, as the command line does it.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use symdiff::data::{Dataset, Prepared, TableOptions, read_dataset, read_text};
use symdiff::elaborate::program::{Model, with_values};
use symdiff::train::{Ending, Program, Progress, Score, Training, TrainingOptions};
use symdiff::{Error, Limits};

/// A run and what was seen of it.
pub struct Run {
    pub training: Training,
    pub reports: Vec<Progress>,
    pub ending: Ending,
}

/// `examples/descent/line.sd` and the like.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// The text of an example, with other values.
pub fn source(name: &str, values: &[(&str, &str)]) -> String {
    let text = fs::read_to_string(path(name)).expect("an example");
    with_values(&text, values, &Limits::default()).expect("values of the program")
}

/// The data a program names, beside `folder`.
pub fn dataset(model: &Model, folder: &Path) -> Result<Option<Dataset>, Error> {
    if let Some((text, _)) = &model.data.text {
        return read_text(&folder.join(text), &Limits::default()).map(|text| Some(Dataset::Text(text)));
    }
    let file = model.data.file.as_ref().map(|(name, _)| folder.join(name));
    file.map(|file| read_dataset(&file, &TableOptions::default())).transpose()
}

/// The data of a program, split as it says.
pub fn prepared(source: &str, folder: &Path) -> Result<Prepared, Error> {
    let program = Program::read(source, &Limits::default())?;
    program.prepare(dataset(program.model(), folder)?.as_ref(), None)
}

/// Trains an example to its end, some of its values exchanged.
#[track_caller]
pub fn train(name: &str, values: &[(&str, &str)]) -> Run {
    let source = source(name, values);
    let folder = path(name).parent().expect("a folder").to_owned();
    let run = prepared(&source, &folder).and_then(|prepared| run(&source, prepared));
    run.unwrap_or_else(|error| panic!("{name} with {values:?}: {error}"))
}

/// Trains a program on data to its end.
pub fn run(source: &str, prepared: Prepared) -> Result<Run, Error> {
    let mut training = Training::new(source, prepared, &TrainingOptions::default())?;
    let mut reports = Vec::new();
    let ending = training.run(
        || false,
        |_, progress| {
            reports.push(progress.clone());
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(Run { training, reports, ending })
}

impl Run {
    #[track_caller]
    pub fn param(&self, name: &str) -> Vec<f64> {
        self.training.param(name).unwrap_or_else(|| panic!("a parameter {name}"))
    }

    /// On the rows trained on.
    pub fn score(&mut self) -> Score {
        let rows = self.training.training_rows();
        self.training.score(&rows).expect("a score")
    }

    /// On the rows held out.
    pub fn test(&mut self) -> Score {
        let rows = self.training.data().split.test.clone();
        self.training.score(&rows).expect("a score")
    }
}

/// A metric by its name.
#[track_caller]
pub fn metric(score: &Score, name: &str) -> f64 {
    let found = score.metrics.iter().find(|metric| metric.0 == name);
    found.unwrap_or_else(|| panic!("no metric {name} in {score:?}")).1
}

#[track_caller]
pub fn assert_close(actual: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((actual - expected).abs() <= tolerance, "{what}: {actual}, not {expected} ± {tolerance}");
}
