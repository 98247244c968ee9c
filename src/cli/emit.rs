//! `symdiff emit`: what a function, or the training of a program, is compiled to, as text.

use super::arguments::{Emit, Target};
use super::console::{Console, Exit, Fault};
use super::derive::{asked, assume, derivation};
use super::program;
use super::source::{self, Text};
use crate::{Diagnostic, Error, Limits, MapKernel, MapOptions, Purpose, VectorLevel, simplify};

pub fn run(arguments: &Emit, console: &mut Console) -> Result<Exit, Fault> {
    let limits = arguments.budgets.limits();
    if let Some(path) = program::is_program(&arguments.source) {
        return program::emit(&path, arguments, &limits, console);
    }
    source::for_each(&arguments.source, &limits, console, &mut |text, console| {
        one(arguments, &limits, text, console)
    })
}

fn one(arguments: &Emit, limits: &Limits, text: &Text, console: &mut Console) -> Result<Exit, Fault> {
    let fault = |error: Error| text.fault(&error);
    let mut read = text.read(limits, console)?;
    assume(&mut read.function, &arguments.how, limits)?;
    let derivation = derivation(&arguments.how, limits, Purpose::Compute);
    let mut function = asked(&read, &derivation).map_err(fault)?;
    if arguments.gradient {
        function = derivation.value_and_gradient(&function).map_err(fault)?;
    }
    let function = simplify(&function, arguments.how.simplify, Purpose::Compute);
    let Target::Asm = arguments.to;
    let options =
        MapOptions { level: arguments.level.unwrap_or_else(VectorLevel::best), ..MapOptions::default() };
    let kernel = MapKernel::compile(&function, &options).map_err(fault)?;
    match kernel.assembly() {
        Some(assembly) => console.print(assembly.trim_end())?,
        None => return Err(no_assembly(kernel.level())),
    }
    Ok(Exit::Success)
}

/// Narrow vectors are Cranelift's, whose code has no text here.
pub fn no_assembly(level: VectorLevel) -> Fault {
    let message = format!("there is no assembly for vectors of {level} bits");
    let hint = "--level 256 and 512 have it, on x86-64 processors with AVX2 or AVX-512";
    Fault::plain(Exit::Failed, Diagnostic::error(message).hint(hint))
}
