//! The library of programs, written in the language: read and resolved once, run where called.
//!
//! It holds the one-line functions of formulas as well; what a file defines again stands in for
//! them. A program may define any of its names itself.

use super::resolve;
use super::unit::{SlotKind, Unit};
use crate::limits::Limits;
use crate::syntax::program;
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// The files, in order.
const FILES: &[(&str, &str)] = &[
    ("functions", include_str!("../library/functions.sd")),
    ("losses", include_str!("../library/losses.sd")),
    ("layers", include_str!("../library/layers.sd")),
    ("schedules", include_str!("../library/schedules.sd")),
    ("optimizers", include_str!("../library/optimizers.sd")),
];

fn text() -> String {
    let mut text = crate::elaborate::library::definitions();
    for (_, file) in FILES {
        text.push('\n');
        text.push_str(file);
    }
    text
}

/// Its names with their slots, found without resolving it: the library itself is resolved
/// without names of the library around it.
fn slots() -> &'static (Vec<String>, FxHashMap<String, u32>) {
    static SLOTS: OnceLock<(Vec<String>, FxHashMap<String, u32>)> = OnceLock::new();
    SLOTS.get_or_init(|| {
        let slots = unit().blocks[0].slots.iter().enumerate();
        let by_name = slots.map(|(i, slot)| (slot.name.clone(), i as u32)).collect::<FxHashMap<_, _>>();
        let mut names: Vec<String> = by_name.keys().cloned().collect();
        names.sort();
        (names, by_name)
    })
}

/// The names of the library, in order.
pub(super) fn names() -> &'static [String] {
    &slots().0
}

/// The slot of a name.
pub(super) fn find(name: &str) -> Option<u32> {
    slots().1.get(name).copied()
}

/// The library, resolved.
pub(super) fn unit() -> &'static Unit {
    static UNIT: OnceLock<Unit> = OnceLock::new();
    UNIT.get_or_init(|| {
        let parsed = program::parse(&text(), &Limits::default());
        let program = parsed.unwrap_or_else(|error| panic!("the library is in the language: {error}"));
        resolve::resolve(program, true)
            .unwrap_or_else(|error| panic!("the library uses what there is: {error}"))
    })
}

/// The names of the library's functions of one kind, in order.
pub(super) fn names_of(kind: program::FunctionKind) -> Vec<&'static str> {
    let blocks = &unit().blocks;
    let of_kind = |name: &&String| match blocks[0].slots[slots().1[*name] as usize].kind {
        SlotKind::Function(function) => blocks[function].kind == kind,
        _ => false,
    };
    names().iter().filter(of_kind).map(String::as_str).collect()
}
