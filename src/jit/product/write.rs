//! The whole function of a product: the frame, pieces, outer loops, and the loops over tiles.
//!
//! The function takes the arena and the number of a piece. Pieces are parts of the outermost loop, of
//! the rows or of the columns; the last may be shorter than the others, and has code of its own.
//!
//! What must stay true: pieces write apart from each other, and what is a piece depends on the
//! product only.

use super::code::{BLOCK, COLUMN, Code, Pointer, ROW};
use super::dot;
use super::form::{Form, Way};
use super::panel::{self, Lay, Panel};
use super::shape::{OUTER, Shape};
use super::tile::{self, Block, Piece, Source};
use super::tiling::{Tile, runs};
use crate::jit::wide::{Assembly, Condition, Gpr, Instr, Memory, Pool};

/// Multiplications of a piece, at least.
const PIECE: usize = 1 << 19;

/// Most pieces: each fills panels of its own.
const PIECES: usize = 16;

/// What counts the outer loops; the caller wants these back.
const OUTERS: [Gpr; OUTER] = [Gpr::RBX, Gpr::R12, Gpr::R13, Gpr::R14, Gpr::R15];

/// Bytes of a page of the stack, each of which is touched in turn.
const PAGE: usize = 4096;

/// The function of a product; none where its epilogue cannot be written.
pub(super) fn write(form: &Form, cut: &Cut) -> Option<Assembly> {
    let shape = &form.shape;
    let mut code = Code::new(shape.level, shape.precision);
    let besides = || (0..shape.besides().len()).map(Pointer::Beside);
    let outers = OUTERS[..shape.outer.len()].iter().copied();
    let saved: Vec<Gpr> = outers.chain(besides().map(Pointer::register)).collect();
    saved.iter().for_each(|&register| code.push(Instr::Push(register)));
    let frame = frame_size(form);
    open_frame(&mut code, frame);
    let rest = rest(form);
    let has_constants = rest > 0 || shape.epilogue.is_some();
    if has_constants {
        code.open_constants(rest);
    }
    let views = [(Pointer::To, shape.to), (Pointer::Left, shape.left), (Pointer::Right, shape.right)];
    for (pointer, view) in views.into_iter().chain(besides().zip(shape.besides().iter().map(|b| b.view))) {
        let register = code.set(pointer);
        code.push(Instr::Move(register, Gpr::RDI));
        code.advance(pointer, view.start);
    }
    code.settle_all();
    pieces(&mut code, form, cut);
    if frame > 0 {
        code.push(Instr::Move(Gpr::RSP, Gpr::RBP));
        code.push(Instr::Pop(Gpr::RBP));
    }
    saved.iter().rev().for_each(|&register| code.push(Instr::Pop(register)));
    code.push(Instr::ZeroUpper);
    code.push(Instr::Return);
    let constants = if has_constants { code.constants.pool().clone() } else { Pool::default() };
    code.is_whole.then_some(Assembly {
        level: code.level,
        code: code.out,
        constants,
        scratch: 0,
        non_temporal: None,
    })
}

/// Bytes of stack.
fn frame_size(form: &Form) -> usize {
    match form.way {
        Way::Panel(tile, _, terms) => tile.vectors * form.shape.level.bytes() * terms,
        Way::Dot(block) => dot::frame_size(&form.shape, block),
        Way::Direct(_) => 0,
    }
}

fn open_frame(code: &mut Code, size: usize) {
    if size == 0 {
        return;
    }
    code.push(Instr::Push(Gpr::RBP));
    code.push(Instr::Move(Gpr::RBP, Gpr::RSP));
    for _ in 0..size / PAGE {
        code.push(Instr::Sub(Gpr::RSP, PAGE as i32));
        code.push(Instr::StoreWord(Memory::at(Gpr::RSP, 0), Gpr::RSP));
    }
    code.push(Instr::Sub(Gpr::RSP, (size % PAGE) as i32));
    code.push(Instr::And(Gpr::RSP, -64));
    let panel = code.set(Pointer::Panel);
    code.push(Instr::Move(panel, Gpr::RSP));
}

/// The last columns, or the last terms, where they are no whole vector.
fn rest(form: &Form) -> usize {
    let shape = &form.shape;
    match form.way {
        Way::Dot(_) => shape.terms % shape.lanes(),
        _ => shape.columns % shape.lanes(),
    }
}

/// Moves what goes along with the result, so many rows down or columns on.
fn advance_result(code: &mut Code, shape: &Shape, rows: i64, columns: i64) {
    let besides = shape.besides().iter().enumerate().map(|(k, beside)| (Pointer::Beside(k), beside.view));
    for (pointer, view) in besides.chain([(Pointer::To, shape.to)]) {
        code.advance(pointer, rows * view.row + columns * view.column);
    }
}

/// A product in pieces of `size` rounds, rows or columns.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    along: Along,
    size: usize,
    pub pieces: usize,
}

#[derive(Clone, Copy)]
enum Along {
    Outer,
    Rows,
    Columns,
}

impl Cut {
    pub fn of(shape: &Shape, rounds: Option<u32>) -> Cut {
        if let (Some(rounds), Some(&(all, _))) = (rounds, shape.outer.first()) {
            // Outer loops that follow each other may have become one.
            let pieces = rounds as usize;
            return Cut { along: Along::Outer, size: all / pieces, pieces };
        }
        let wanted = (shape.work().saturating_mul(shape.rounds()) / PIECE).clamp(1, PIECES);
        let (along, length, unit) = match shape.outer.first() {
            Some(&(rounds, _)) => (Along::Outer, rounds, 1),
            None if shape.rows > shape.columns => (Along::Rows, shape.rows, 12),
            None => (Along::Columns, shape.columns, 4 * shape.lanes()),
        };
        let size = length.div_ceil(wanted).next_multiple_of(unit).min(length);
        Cut { along, size, pieces: length.div_ceil(size) }
    }

    /// The part of a shape, so many rounds, rows or columns.
    fn part(&self, shape: &Shape, size: usize) -> Shape {
        let mut part = shape.clone();
        match self.along {
            Along::Outer => part.outer[0].0 = size,
            Along::Rows => part.rows = size,
            Along::Columns => part.columns = size,
        }
        part
    }

    /// Moves pointers to the next piece.
    fn advance(&self, code: &mut Code, shape: &Shape) {
        let size = self.size as i64;
        match self.along {
            Along::Outer => advance_outer(code, shape, 0, size),
            Along::Rows => {
                advance_result(code, shape, size, 0);
                code.advance(Pointer::Left, size * shape.left.row);
            }
            Along::Columns => {
                advance_result(code, shape, 0, size);
                code.advance(Pointer::Right, size * shape.right.column);
            }
        }
    }
}

/// Every piece; which one is in RSI.
fn pieces(code: &mut Code, form: &Form, cut: &Cut) {
    if cut.pieces == 1 {
        return outer(code, form, &form.shape, 0);
    }
    let length = match cut.along {
        Along::Outer => form.shape.outer[0].0,
        Along::Rows => form.shape.rows,
        Along::Columns => form.shape.columns,
    };
    let last = length - (cut.pieces - 1) * cut.size;
    let (head, ready, done) = (code.label(), code.label(), code.label());
    code.push(Instr::Move(BLOCK, Gpr::RSI));
    code.push(Instr::Label(head));
    code.push(Instr::Test(BLOCK));
    code.push(Instr::Jump(Condition::Zero, ready));
    cut.advance(code, &form.shape);
    code.settle_all();
    code.push(Instr::Sub(BLOCK, 1));
    code.push(Instr::Jump(Condition::Always, head));
    code.push(Instr::Label(ready));
    if last != cut.size {
        let short = code.label();
        code.push(Instr::MoveImmediate(ROW, cut.pieces as u64 - 1));
        code.push(Instr::Compare(Gpr::RSI, ROW));
        code.push(Instr::Jump(Condition::AtLeast, short));
        outer(code, form, &cut.part(&form.shape, cut.size), 0);
        code.push(Instr::Jump(Condition::Always, done));
        code.push(Instr::Label(short));
        code.settled();
    }
    outer(code, form, &cut.part(&form.shape, last), 0);
    code.push(Instr::Label(done));
}

/// The outer loops from a depth on, and the product inside.
fn outer(code: &mut Code, form: &Form, shape: &Shape, depth: usize) {
    let Some(&(rounds, _)) = shape.outer.get(depth) else {
        return match form.way {
            Way::Direct(tile) => columns(code, shape, tile, None),
            Way::Panel(tile, lay, terms) => columns(code, shape, tile, Some((lay, terms))),
            Way::Dot(block) => dot::write(code, shape, block),
        };
    };
    code.repeat(OUTERS[depth], rounds, |code| {
        outer(code, form, shape, depth + 1);
        advance_outer(code, shape, depth, 1);
    });
    advance_outer(code, shape, depth, -(rounds as i64));
}

/// Moves all pointers by so many rounds of an outer loop.
fn advance_outer(code: &mut Code, shape: &Shape, depth: usize, rounds: i64) {
    for (pointer, stride) in
        [Pointer::To, Pointer::Left, Pointer::Right].into_iter().zip(shape.outer[depth].1)
    {
        code.advance(pointer, rounds * stride);
    }
    for (number, beside) in shape.besides().iter().enumerate() {
        code.advance(Pointer::Beside(number), rounds * beside.outer[depth]);
    }
}

/// Tiles of columns, side by side.
fn columns(code: &mut Code, shape: &Shape, tile: Tile, packed: Option<(Lay, usize)>) {
    let lanes = shape.lanes();
    let vectors = shape.columns.div_ceil(lanes);
    let is_cut = !shape.columns.is_multiple_of(lanes);
    let mut left = shape.columns;
    let mut stretch = |code: &mut Code, vectors: usize, times: usize| {
        let width = (vectors * lanes).min(left);
        code.repeat(COLUMN, times, |code| {
            let panel = Panel { columns: width, vectors, terms: shape.terms };
            blocks(code, shape, tile, panel, packed);
            advance_result(code, shape, 0, (vectors * lanes) as i64);
            code.advance(Pointer::Right, (vectors * lanes) as i64 * shape.right.column);
        });
        left = left.saturating_sub(vectors * lanes * times);
    };
    let runs = runs(vectors, tile.vectors);
    for (at, (times, vectors)) in runs.into_iter().enumerate() {
        // The last tile has code of its own where it is masked; the second run is never empty.
        let apart = usize::from(is_cut && at == 1);
        stretch(code, vectors, times - apart);
        stretch(code, vectors, apart);
    }
    advance_result(code, shape, 0, -((vectors * lanes) as i64));
    code.advance(Pointer::Right, -((vectors * lanes) as i64) * shape.right.column);
}

/// Blocks of terms of a tile's columns: all at once, or as many as a panel holds.
fn blocks(code: &mut Code, shape: &Shape, tile: Tile, panel: Panel, packed: Option<(Lay, usize)>) {
    let Some((lay, most)) = packed else {
        let source = Source { pointer: Pointer::Right, stride: shape.right.row };
        return rows(code, shape, tile, panel, (source, Block { first: true, last: true }));
    };
    let stride = panel.vectors as i64 * code.vector();
    let source = Source { pointer: Pointer::Panel, stride };
    let mut done = 0;
    let mut block = |code: &mut Code, terms: usize, times: usize| {
        let panel = Panel { terms, ..panel };
        let block = Block { first: done == 0, last: done + terms * times == shape.terms };
        done += terms * times;
        code.repeat(BLOCK, times, |code| {
            panel::fill(code, shape, lay, panel);
            rows(code, shape, tile, panel, (source, block));
            code.advance(Pointer::Left, shape.left.column * terms as i64);
            code.advance(Pointer::Right, shape.right.row * terms as i64);
        });
    };
    // The first and the last block have code of their own.
    let blocks = shape.terms.div_ceil(most);
    if blocks > 1 {
        block(code, most, 1);
        block(code, most, blocks - 2);
    }
    block(code, shape.terms - (blocks - 1) * most, 1);
    code.advance(Pointer::Left, -shape.left.column * shape.terms as i64);
    code.advance(Pointer::Right, -shape.right.row * shape.terms as i64);
}

/// Tiles of rows, one below the other.
fn rows(code: &mut Code, shape: &Shape, tile: Tile, panel: Panel, (source, block): (Source, Block)) {
    let Panel { columns, vectors, terms } = panel;
    let masked = columns < vectors * shape.lanes();
    for (times, rows) in runs(shape.rows, tile.rows) {
        code.repeat(ROW, times, |code| {
            let tile = Tile { rows, vectors };
            tile::write(code, shape, Piece { tile, source, terms, block, masked });
            advance_result(code, shape, rows as i64, 0);
            code.advance(Pointer::Left, rows as i64 * shape.left.row);
        });
    }
    advance_result(code, shape, -(shape.rows as i64), 0);
    code.advance(Pointer::Left, -(shape.rows as i64) * shape.left.row);
}
