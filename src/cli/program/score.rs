//! `symdiff eval weights.safetensors --data …`: loss and metrics on data.

use std::path::Path;

use super::data::{dataset, wishes};
use super::scores;
use super::text::{ProgramText, weights};
use crate::cli::arguments::Evaluate;
use crate::cli::console::{Console, Exit, Fault};
use crate::train::{Predictor, program_of};
use crate::{Diagnostic, Limits};

pub fn run(path: &Path, arguments: &Evaluate, limits: &Limits, console: &mut Console) -> Result<Exit, Fault> {
    let saved = weights(path, limits)?;
    let source = program_of(&saved).map_err(|error| Fault::from_error(&error))?;
    let text = ProgramText::within(path, source);
    let predictor = Predictor::new(&saved, None, limits).map_err(|error| text.fault(&error))?;
    let data = dataset(&arguments.data, predictor.model(), path, limits)?;
    let wishes = wishes(&arguments.data, predictor.model())?;
    let scored = predictor.score(data.as_ref(), &wishes).map_err(|error| text.fault(&error))?;
    for sentence in &scored.echo {
        console.say(Diagnostic::note(sentence.clone()))?;
    }
    if let Some(warning) = &scored.warning {
        console.show(warning, &text.source, text.origin())?;
    }
    console.print(&format!("examples = {}", scored.count))?;
    scores::print("", &scored.score, &|name| predictor.confusion_names(name), console)?;
    Ok(Exit::Success)
}
