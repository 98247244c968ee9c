//! Checks of a tensor program. Machine code trusts them: every address it will use was looked at
//! here, for all values of all counters.
//!
//! What is checked: buffers lie in the arena; every affine address stays inside its buffer, rows
//! chosen by an index included; loops run at least once, kept before reduced; bodies are sound
//! programs over the loads; lanes write vectors.

use super::affine::Affine;
use super::program::{
    BufferId, Chosen, Load, Matrix, Nest, Place, Product, Repeated, Step, Store, TensorProgram, When, Write,
};
use crate::loops;

type Fact = Result<(), String>;

/// The first fact the program breaks, in words.
pub fn verify(program: &TensorProgram) -> Fact {
    for (at, buffer) in program.buffers.iter().enumerate() {
        if buffer.offset.checked_add(buffer.size).is_none_or(|end| end > program.arena) {
            return Err(format!("b{at} is not in the arena"));
        }
    }
    let ends = program.inputs.iter().chain(&program.outputs);
    if ends.into_iter().any(|id| id.index() >= program.buffers.len()) {
        return Err("an input or output is no buffer".to_owned());
    }
    for (at, step) in program.steps.iter().enumerate() {
        let checked = match step {
            Step::Nest(nest) => nest_fits(program, nest),
            Step::Product(product) => product_fits(program, product),
            Step::Repeated(repeated) => repeated_fits(program, repeated),
            Step::Rounds(run) => run.steps.iter().try_for_each(|step| round_fits(program, run.rounds, step)),
        };
        checked.map_err(|fact| format!("step {at}: {fact}"))?;
    }
    Ok(())
}

/// A step of a run is sound, and its outermost loop counts the rounds.
fn round_fits(program: &TensorProgram, rounds: u32, step: &Step) -> Fact {
    let counts = match step {
        Step::Nest(nest) => {
            nest_fits(program, nest)?;
            let outer = nest.loops.first().filter(|l| !l.reduced && nest.lanes != Some(0));
            outer.map(|l| l.extent)
        }
        Step::Product(product) => {
            product_fits(program, product)?;
            product.outer.first().map(|o| o.0)
        }
        Step::Repeated(_) | Step::Rounds(_) => None,
    };
    match counts == Some(rounds) {
        true => Ok(()),
        false => Err("a step of a run that has other rounds".to_owned()),
    }
}

/// The loop's own program is sound, its arena in its room, and every transfer inside both.
fn repeated_fits(program: &TensorProgram, repeated: &Repeated) -> Fact {
    verify(&repeated.program).map_err(|fact| format!("in a loop: {fact}"))?;
    let room = program.buffers.get(repeated.room.index()).map_or(0, |room| room.size);
    if room < repeated.program.arena || repeated.steps == 0 {
        return Err("a loop without room or rounds".to_owned());
    }
    for transfer in &repeated.transfers {
        let inner = repeated.program.buffers.get(transfer.inner.index()).map(|b| b.size);
        let outer = program.buffers.get(transfer.outer.index()).map(|b| b.size);
        let rounds = match transfer.when {
            When::First | When::Last => 1,
            When::Entry | When::Before | When::Emit => repeated.steps as usize,
        };
        if inner.is_none() || inner.and_then(|size| size.checked_mul(rounds)) != outer {
            return Err(format!("{} and a loop's {} differ in size", transfer.outer, transfer.inner));
        }
    }
    Ok(())
}

fn nest_fits(program: &TensorProgram, nest: &Nest) -> Fact {
    if nest.loops.iter().any(|l| l.extent == 0) {
        return Err("a loop that never runs".to_owned());
    }
    if nest.loops.is_sorted_by_key(|l| l.reduced) {
        loops::verify(&nest.body)?;
    } else {
        return Err("a kept loop inside a reduced one".to_owned());
    }
    let (inputs, outputs) = (nest.body.inputs as usize, nest.body.outputs as usize);
    if inputs != nest.loads.len() || outputs != nest.stores.len() || nest.body.scratch != 0 {
        return Err("the body is not over the nest's loads and stores".to_owned());
    }
    if nest.body.nests.len() != 1 || nest.body.nests[0].blocks.len() != 1 {
        return Err("the body is not one block".to_owned());
    }
    for load in &nest.loads {
        match load {
            Load::Element(place) => place_fits(program, nest, place, None)?,
            Load::Gathered(place, chosen) => place_fits(program, nest, place, Some(chosen))?,
            Load::Position(form) => form_fits(nest, form)?,
        }
    }
    nest.stores.iter().try_for_each(|store| store_fits(program, nest, store))
}

fn store_fits(program: &TensorProgram, nest: &Nest, store: &Store) -> Fact {
    let chosen = match &store.write {
        Write::Scatter(chosen) => Some(chosen),
        _ => None,
    };
    place_fits(program, nest, &store.to, chosen)?;
    let has_reduced = nest.kept() < nest.loops.len();
    let reduces = matches!(store.write, Write::Reduce(_));
    if has_reduced != reduces && !(has_reduced && store.write == Write::Set) {
        return Err(format!("`{store}`: reduced loops and reductions go together"));
    }
    if reduces && store.to.at.strides[nest.kept()..].iter().any(|&s| s != 0) {
        return Err(format!("`{store}`: a place that moves while it is reduced into"));
    }
    match nest.lanes {
        Some(l) if l >= nest.loops.len() => Err("lanes without a loop".to_owned()),
        Some(l) if !(reduces && nest.loops[l].reduced) && store.to.at.strides[l] != 1 => {
            Err(format!("`{store}`: lanes that are not written side by side"))
        }
        Some(l) if chosen.is_some_and(|chosen| chosen.index.at.strides[l] != 0) => {
            Err(format!("`{store}`: lanes of different rows"))
        }
        _ => Ok(()),
    }
}

fn form_fits(nest: &Nest, form: &Affine) -> Fact {
    match form.strides.len() == nest.loops.len() {
        true => Ok(()),
        false => Err(format!("`{form}` is over other loops")),
    }
}

fn place_fits(program: &TensorProgram, nest: &Nest, place: &Place, chosen: Option<&Chosen>) -> Fact {
    form_fits(nest, &place.at)?;
    let (mut least, mut greatest) = place.at.range(nest.loops.iter().map(|l| l.extent));
    if let Some(chosen) = chosen {
        place_fits(program, nest, &chosen.index, None)?;
        if chosen.rows == 0 {
            return Err(format!("`{place}`: a choice among no rows"));
        }
        let end = i128::from(chosen.rows - 1) * i128::from(chosen.stride);
        (least, greatest) = (least + end.min(0), greatest + end.max(0));
    }
    within(program, place.buffer, least, greatest).map_err(|fact| format!("`{place}`: {fact}"))
}

fn within(program: &TensorProgram, buffer: BufferId, least: i128, greatest: i128) -> Fact {
    match program.buffers.get(buffer.index()) {
        Some(buffer) if least >= 0 && greatest < buffer.size as i128 => Ok(()),
        Some(buffer) => Err(format!("reaches {least}..={greatest} of {}", buffer.size)),
        None => Err("no such buffer".to_owned()),
    }
}

fn product_fits(program: &TensorProgram, product: &Product) -> Fact {
    let [m, n, k] = product.size;
    let fits = |matrix: &Matrix, rows: usize, columns: usize, which: usize| {
        let inner = [(rows, matrix.row), (columns, matrix.column)];
        let outer = product.outer.iter().map(|&(extent, strides)| (extent as usize, strides[which]));
        let (mut least, mut greatest) = (i128::from(matrix.offset), i128::from(matrix.offset));
        for (extent, stride) in inner.into_iter().chain(outer) {
            if extent == 0 {
                return Err("a product of nothing".to_owned());
            }
            let end = i128::from(stride) * (extent as i128 - 1);
            (least, greatest) = (least + end.min(0), greatest + end.max(0));
        }
        within(program, matrix.buffer, least, greatest).map_err(|fact| format!("`{matrix}`: {fact}"))
    };
    fits(&product.to, m, n, 0)?;
    fits(&product.left, m, k, 1)?;
    fits(&product.right, k, n, 2)?;
    // A library may write in any order: no element twice, no element that is read.
    let read = [product.left.buffer, product.right.buffer];
    let overlaps = |buffer: BufferId| {
        let (a, b) = (program.buffers[buffer.index()], program.buffers[product.to.buffer.index()]);
        a.offset < b.offset + b.size && b.offset < a.offset + a.size
    };
    if read.into_iter().any(overlaps) {
        return Err("a product written over its factors".to_owned());
    }
    Ok(())
}
