//! What is worth a word though it is no error: definitions nobody uses, names with two meanings.

use super::code::{CodeOp, Program};
use super::notes::Notes;
use super::scope::Names;
use super::{library, names};
use crate::error::Diagnostic;

/// Definitions that are not used, and such that hide what the language has.
pub(super) fn on_definitions(program: &Program, needed: &[bool], notes: &mut Notes) {
    for (definition, needed) in program.definitions.iter().zip(needed) {
        let name = definition.name.as_str();
        if !needed {
            let message = format!("`{name}` is defined but not used");
            notes.say(Diagnostic::warning(message).at(definition.name_span, ""));
        } else if is_known(name) {
            let message = format!("`{name}` means what is defined here, not the language's own `{name}`");
            notes.say(Diagnostic::note(message).at(definition.name_span, ""));
        }
    }
}

fn is_known(name: &str) -> bool {
    let canonical = names::canonical(name);
    names::builtin(canonical).is_some()
        || library::find(canonical).is_some()
        || matches!(name, "e" | "pi" | "π")
}

/// Functions named like Greek letters that were read as letters.
pub(super) fn on_greek_letters(program: &Program, needed: &[bool], names: &Names<'_>, notes: &mut Notes) {
    for (definition, _) in program.definitions.iter().zip(needed).filter(|(_, needed)| **needed) {
        for node in &program.code.nodes[definition.body.clone()] {
            let CodeOp::Variable(variable) = node.op else { continue };
            let name = names.variables()[variable.index()].as_str();
            if names::is_greek(name)
                && !names.is_declared(name)
                && names::builtin(names::canonical(name)).is_some()
            {
                let message = format!("read `{name}` as a variable; the function is `{name}(x)`");
                notes.say(Diagnostic::note(message).at(node.span, ""));
            }
        }
    }
}
