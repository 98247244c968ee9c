//! Columns of a right factor laid side by side on the stack: term by term, whole vectors.
//!
//! What must stay true: nothing is read outside the factor; lanes past its last column are zero, so
//! that nothing slow stands in them.

use super::code::{Code, Pointer, TERM};
use super::shape::Shape;
use crate::jit::wide::{Level, Opcode, Place, Register};

/// How the right factor lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lay {
    /// Columns side by side: vectors are copied.
    Columns,
    /// Terms side by side: blocks are transposed in registers.
    Terms,
    /// Neither: elements are copied one by one.
    Apart,
}

/// Columns of a panel, and terms of a block of it.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    pub columns: usize,
    pub vectors: usize,
    pub terms: usize,
}

impl Panel {
    /// Bytes from term to term.
    fn stride(self, code: &Code) -> i64 {
        self.vectors as i64 * code.vector()
    }
}

/// Terms that 128 bits hold.
pub(super) fn quarter(unit: usize) -> usize {
    16 / unit
}

/// Fills the panel from where the right factor's pointer is; pointers will be where they are.
pub(super) fn fill(code: &mut Code, shape: &Shape, lay: Lay, panel: Panel) {
    let stride = panel.stride(code);
    let group = quarter(shape.unit());
    // A last block may be shorter than a group.
    let lay = if lay == Lay::Terms && panel.terms < group { Lay::Apart } else { lay };
    match lay {
        Lay::Columns => {
            unrolled(code, panel.terms, |code| {
                copy(code, shape, panel);
                code.advance(Pointer::Right, shape.right.row);
                code.advance(Pointer::Panel, stride);
            });
        }
        Lay::Apart => {
            code.repeat(TERM, panel.terms, |code| {
                elements(code, shape, panel);
                code.advance(Pointer::Right, shape.right.row);
                code.advance(Pointer::Panel, stride);
            });
        }
        Lay::Terms => {
            code.repeat(TERM, panel.terms / group, |code| {
                transpose(code, shape, panel);
                code.advance(Pointer::Right, shape.right.row * group as i64);
                code.advance(Pointer::Panel, stride * group as i64);
            });
            let rest = panel.terms % group;
            if rest > 0 {
                // The last group over again, some terms earlier.
                let back = (group - rest) as i64;
                code.advance(Pointer::Right, -shape.right.row * back);
                code.advance(Pointer::Panel, -stride * back);
                transpose(code, shape, panel);
                code.advance(Pointer::Right, shape.right.row * group as i64);
                code.advance(Pointer::Panel, stride * group as i64);
            }
        }
    }
    code.advance(Pointer::Right, -shape.right.row * panel.terms as i64);
    code.advance(Pointer::Panel, -stride * panel.terms as i64);
}

/// A loop of four a round.
fn unrolled(code: &mut Code, times: usize, mut body: impl FnMut(&mut Code)) {
    code.repeat(TERM, times / 4, |code| (0..4).for_each(|_| body(code)));
    (0..times % 4).for_each(|_| body(code));
}

/// One term: vectors of its columns.
fn copy(code: &mut Code, shape: &Shape, panel: Panel) {
    for vector in 0..panel.vectors {
        let distance = vector as i64 * code.vector();
        let masked = (vector + 1) * shape.lanes() > panel.columns;
        code.load(0, code.at(Pointer::Right, distance), masked);
        code.store(0, code.at(Pointer::Panel, distance), false);
    }
}

/// One term: its columns, element by element.
fn elements(code: &mut Code, shape: &Shape, panel: Panel) {
    if panel.columns < panel.vectors * shape.lanes() {
        zero(code, 0);
        code.store(0, code.at(Pointer::Panel, (panel.vectors as i64 - 1) * code.vector()), false);
    }
    for column in 0..panel.columns {
        let from = code.at(Pointer::Right, column as i64 * shape.right.column);
        let to = code.at(Pointer::Panel, column as i64 * code.unit);
        code.unary(code.words.load_one, 1, Place::Memory(from));
        code.unary(code.words.store_one, 1, Place::Memory(to));
    }
}

fn zero(code: &mut Code, register: Register) {
    code.binary(Opcode::XorPd, register, register, Place::Register(register));
}

/// As many terms as 128 bits hold, of every column.
///
/// Quarters of columns are loaded so that in register j, quarter l holds those of column group·l + j;
/// transposed within quarters, a register holds one term of all columns.
fn transpose(code: &mut Code, shape: &Shape, panel: Panel) {
    let (lanes, group) = (shape.lanes(), quarter(shape.unit()));
    for vector in 0..panel.vectors {
        let present = (panel.columns - vector * lanes).min(lanes);
        for j in 0..group.min(4) {
            gather(code, shape, (vector * lanes, present), j);
        }
        let terms = if group == 4 { fours(code) } else { twos(code) };
        for (term, register) in terms.into_iter().take(group).enumerate() {
            let distance = term as i64 * panel.stride(code) + vector as i64 * code.vector();
            code.store(register, code.at(Pointer::Panel, distance), false);
        }
    }
}

/// Register j: quarters of the columns group·l + j, of which only the first `present` are there.
fn gather(code: &mut Code, shape: &Shape, (start, present): (usize, usize), j: usize) {
    let register = j as Register;
    let group = quarter(shape.unit());
    if j >= present {
        return zero(code, register);
    }
    for (quarter, column) in (j..present).step_by(group).enumerate() {
        let memory = code.at(Pointer::Right, (start + column) as i64 * shape.right.column);
        let last = Place::Memory(memory);
        match (quarter, code.level) {
            (0, _) => code.unary(Opcode::LoadQuarter, register, last),
            (_, Level::L512) => code.chosen(Opcode::JoinQuarter, register, register, last, quarter as u8),
            _ => code.chosen(Opcode::Join256, register, register, last, quarter as u8),
        }
    }
}

/// Transposes the fours of registers 0 to 3; where the terms are.
fn fours(code: &mut Code) -> [Register; 4] {
    use Opcode::{UnpackHighPd, UnpackHighPs, UnpackLowPd, UnpackLowPs};
    let steps: [(Opcode, [Register; 3]); 8] = [
        (UnpackLowPs, [4, 0, 1]),
        (UnpackHighPs, [5, 0, 1]),
        (UnpackLowPs, [6, 2, 3]),
        (UnpackHighPs, [7, 2, 3]),
        (UnpackLowPd, [8, 4, 6]),
        (UnpackHighPd, [9, 4, 6]),
        (UnpackLowPd, [10, 5, 7]),
        (UnpackHighPd, [11, 5, 7]),
    ];
    for (opcode, [to, a, b]) in steps {
        code.binary(opcode, to, a, Place::Register(b));
    }
    [8, 9, 10, 11]
}

/// Transposes the pairs of registers 0 and 1; where the terms are, twice.
fn twos(code: &mut Code) -> [Register; 4] {
    code.binary(Opcode::UnpackLowPd, 2, 0, Place::Register(1));
    code.binary(Opcode::UnpackHighPd, 3, 0, Place::Register(1));
    [2, 3, 2, 3]
}
