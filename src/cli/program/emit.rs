//! `symdiff emit net.sd`: the machine code of a step of training.
//!
//! What must stay true: the code is that of the step `train` repeats, on the same data and settings.

use std::path::Path;

use super::data::{dataset, wishes};
use super::text::ProgramText;
use crate::cli::arguments::{Emit, Target};
use crate::cli::console::{Console, Exit, Fault};
use crate::cli::emit::no_assembly;
use crate::train::{Program, Training};
use crate::{Error, Limits, VectorLevel};

pub fn run(path: &Path, arguments: &Emit, limits: &Limits, console: &mut Console) -> Result<Exit, Fault> {
    if arguments.level.is_some_and(|level| level != VectorLevel::best()) {
        let hint = "set the environment variable SYMDIFF_LEVEL, which holds for all that is compiled";
        return Err(Fault::usage("--level is for formulas", hint));
    }
    let text = ProgramText::read(path, limits)?.with(&arguments.overrides.values, limits)?;
    let fault = |error: Error| text.fault(&error);
    let program = Program::read(&text.source, limits).map_err(fault)?;
    let options = arguments.overrides.options(1, limits);
    let data = dataset(&arguments.data, program.model(), path, limits)?;
    let wishes = wishes(&arguments.data, program.model())?;
    let prepared = program.prepare_as(data.as_ref(), &wishes, options.seed).map_err(fault)?;
    let training = Training::of(&program, prepared, &options).map_err(fault)?;
    let Target::Asm = arguments.to;
    let assemblies = training.kernel().assemblies().map_err(fault)?;
    if assemblies.is_empty() {
        return Err(no_assembly(VectorLevel::best()));
    }
    for stretch in training.kernel().stretches() {
        console.print(&format!("# {stretch}"))?;
    }
    for assembly in assemblies {
        console.print(&format!("\n{}", assembly.to_string().trim_end()))?;
    }
    Ok(Exit::Success)
}
