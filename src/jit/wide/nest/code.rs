//! Trees as machine code: one function for several nests.
//!
//! General registers: RDI the arena, RDX slots, R11 the constants, RSP words, RCX anything for a
//! moment; the others hold what a region counts and points with. Around it pointers and counters
//! are words on the stack.
//!
//! What must stay true: a pointer of a loop begins where the loops around it are, and ends with it.

use super::tree::{Address, Base, CHUNK, Item, LoopId, Pointer, Region, Row, Strides, Tree};
use crate::error::Error;
use crate::jit::wide::allocate::{Carried, Placed, allocate};
use crate::jit::wide::assemble::{Assembly, load_pins, used};
use crate::jit::wide::body::{Body, Op, Val};
use crate::jit::wide::frame::{Frame, Located, Mode};
use crate::jit::wide::instr::{Condition, Gpr, Instr, Memory, Place, Vector};
use crate::jit::wide::opcode::Opcode;
use crate::jit::wide::select::{Kind, Selected, select};
use crate::jit::wide::uses::{Uses, pins, registers};
use crate::jit::wide::verify::verify;
use crate::jit::wide::{Level, Width};
use rustc_hash::FxHashMap;

/// Registers for pointers and a counter.
#[rustfmt::skip]
const REGISTERS: [Gpr; 10] = [
    Gpr::RAX, Gpr::RSI, Gpr::R8, Gpr::R9, Gpr::R10, Gpr::RBX, Gpr::R12, Gpr::R13, Gpr::R14, Gpr::R15,
];

/// Registers that the caller wants back.
const SAVED: [Gpr; 5] = [Gpr::RBX, Gpr::R12, Gpr::R13, Gpr::R14, Gpr::R15];

/// Bytes of stack that the system checks at a time.
const PAGE: i32 = 4096;

/// The function of nests in a row, which takes the arena and the number of a chunk; `foreign` is the
/// address of what [`Foreign`](crate::elementary::Foreign) calls go through.
///
/// # Errors
/// Where an allocation does not verify, which is a bug of ours.
pub fn assemble(trees: &[Tree], level: Level, element: Width, foreign: u64) -> Result<Assembly, Error> {
    let frame = Frame::new(level, element);
    let (out, words) = (Vec::new(), FxHashMap::default());
    let mut coder =
        Coder { frame, element, out, words, next: 0, most: 0, slots: 0, tail: None, taken: Vec::new() };
    coder.frame.append_masks();
    for tree in trees {
        coder.tree(tree)?;
    }
    Ok(coder.finish(level, foreign))
}

struct Coder {
    frame: Frame,
    element: Width,
    out: Vec<Instr>,
    /// The words that pointers are in.
    words: FxHashMap<Pointer, i32>,
    /// Words that are taken, and the most there were; slots of all regions.
    next: i32,
    most: i32,
    slots: usize,
    /// The tail of all the tree's regions, where it is one.
    tail: Option<usize>,
    /// Registers for pointers and counters that were taken.
    taken: Vec<Gpr>,
}

/// Where the pointers of a region are.
struct Pointers {
    registers: Vec<(Pointer, Gpr)>,
    /// Those there was no register for are words.
    words: FxHashMap<Pointer, i32>,
}

impl Pointers {
    fn locate(&self, Address { pointer, offset }: &Address) -> Located {
        if is_arena(pointer) {
            return (Memory::at(Gpr::RDI, *offset), None);
        }
        if let Base::Absent(_) = pointer.base {
            return (word(self.words[pointer]), None);
        }
        match self.registers.iter().find(|(own, _)| own == pointer) {
            Some(&(_, register)) => (Memory::at(register, *offset), None),
            None => {
                let word = word(self.words[pointer]);
                (Memory::at(Gpr::RCX, *offset), Some(Instr::LoadWord(Gpr::RCX, word)))
            }
        }
    }
}

fn word(number: i32) -> Memory {
    Memory::at(Gpr::RSP, number * 8)
}

fn is_arena(pointer: &Pointer) -> bool {
    pointer.base == Base::Arena && pointer.strides.is_empty()
}

impl Coder {
    fn tree(&mut self, tree: &Tree) -> Result<(), Error> {
        self.words.clear();
        self.next = 0;
        for pointer in ending(tree, &tree.items, CHUNK) {
            let word = self.new_word(&pointer);
            self.out.push(Instr::Multiply(Gpr::RCX, Gpr::RSI, pointer.strides[0].1));
            if pointer.base == Base::Arena {
                self.out.push(Instr::AddRegister(Gpr::RCX, Gpr::RDI));
            }
            self.out.push(Instr::StoreWord(word, Gpr::RCX));
        }
        self.tail = tree.tail();
        if let Some(tail) = self.tail {
            self.out.push(self.frame.load_mask(tail));
        }
        self.items(tree, &tree.items)
    }

    fn new_word(&mut self, pointer: &Pointer) -> Memory {
        self.words.insert(pointer.clone(), self.next);
        self.next += 1;
        self.most = self.most.max(self.next);
        word(self.next - 1)
    }

    fn items(&mut self, tree: &Tree, items: &[Item]) -> Result<(), Error> {
        for item in items {
            match item {
                Item::Straight(region) => self.straight(tree, &tree.regions[*region])?,
                Item::Row(row) => self.row(row),
                Item::Loop { id, rounds, items } => match items[..] {
                    [Item::Straight(region)] => self.innermost(tree, &tree.regions[region], *id, *rounds)?,
                    _ => self.outer(tree, items, *id, *rounds)?,
                },
            }
        }
        Ok(())
    }

    /// A loop around loops: what it counts and points with are words.
    fn outer(&mut self, tree: &Tree, items: &[Item], id: LoopId, rounds: u32) -> Result<(), Error> {
        let before = self.next;
        let mut steps = Vec::new();
        for pointer in ending(tree, items, id) {
            let to = self.new_word(&pointer);
            self.load_pointer(Gpr::RCX, &pointer.parent());
            self.out.push(Instr::StoreWord(to, Gpr::RCX));
            steps.push((to, pointer.strides.last().expect("ends with the loop").1));
        }
        // No address has a stride of 0, so the counter has a name of its own.
        let counter = Pointer { base: Base::Zero, strides: Strides::from_iter([(id, 0)]) };
        let counter = self.new_word(&counter);
        self.out.extend([Instr::MoveImmediate(Gpr::RCX, rounds.into()), Instr::StoreWord(counter, Gpr::RCX)]);
        let head = self.frame.label();
        self.out.push(Instr::Label(head));
        self.items(tree, items)?;
        self.out.extend(steps.into_iter().map(|(word, bytes)| Instr::AddWord(word, bytes)));
        self.out.extend([Instr::AddWord(counter, -1), Instr::Jump(Condition::NonZero, head)]);
        self.words.retain(|pointer, _| !pointer.ends_with(id));
        self.next = before;
        Ok(())
    }

    fn load_pointer(&mut self, to: Gpr, pointer: &Pointer) {
        self.out.push(match pointer.base {
            Base::Arena if pointer.strides.is_empty() => Instr::Move(to, Gpr::RDI),
            Base::Zero if pointer.strides.is_empty() => Instr::MoveImmediate(to, 0),
            _ => Instr::LoadWord(to, word(self.words[pointer])),
        });
    }

    /// The pointer to the row chosen, and whether there is none; the first row stands in for one
    /// that is not there.
    fn row(&mut self, row: &Row) {
        let pointer = |base| Pointer { base, strides: Strides::new() };
        let (rcx, rax) = (Gpr::RCX, Gpr::RAX);
        self.load_pointer(rcx, &row.index.pointer);
        self.out.extend([
            Instr::Truncate(rcx, Memory::at(rcx, row.index.offset), self.element),
            Instr::MoveImmediate(rax, row.rows.into()),
            Instr::Compare(rcx, rax),
            Instr::OnesIfBelow(rax),
            Instr::AndRegister(rcx, rax),
            Instr::Not(rax),
        ]);
        let absent = self.new_word(&pointer(Base::Absent(row.number)));
        self.out.push(Instr::StoreWord(absent, rax));
        self.load_pointer(rax, &row.place);
        self.out.extend([Instr::Multiply(rcx, rcx, row.bytes), Instr::AddRegister(rcx, rax)]);
        let place = self.new_word(&pointer(Base::Row(row.number)));
        self.out.push(Instr::StoreWord(place, rcx));
    }

    fn straight(&mut self, tree: &Tree, region: &Region) -> Result<(), Error> {
        let mut code = Code::of(region, tree);
        let mut pointers = Pointers { registers: Vec::new(), words: self.words.clone() };
        for (pointer, &register) in code.pointers.iter().zip(&REGISTERS) {
            self.taken.push(register);
            self.load_pointer(register, pointer);
            pointers.registers.push((pointer.clone(), register));
        }
        self.enter(&mut code, region, &pointers);
        self.body(&code, (&[], &[]))
    }

    /// A loop around straight code alone: pointers, counter, what its rounds have in common and what
    /// goes from round to round are in registers.
    fn innermost(&mut self, tree: &Tree, region: &Region, id: LoopId, rounds: u32) -> Result<(), Error> {
        let before = self.next;
        let mut code = Code::of(region, tree);
        let mut pointers = Pointers { registers: Vec::new(), words: FxHashMap::default() };
        let (counter, rest) = REGISTERS.split_first().expect("there are some");
        self.taken.extend(rest.iter().take(code.pointers.len()));
        let mut steps = Vec::new();
        for (at, pointer) in code.pointers.iter().enumerate() {
            let is_moved = pointer.ends_with(id);
            let register = rest.get(at).copied();
            self.load_pointer(
                register.unwrap_or(Gpr::RCX),
                &if is_moved { pointer.parent() } else { pointer.clone() },
            );
            let bytes = pointer.strides.last().map_or(0, |last| last.1);
            match register {
                Some(register) => {
                    pointers.registers.push((pointer.clone(), register));
                    steps.extend(is_moved.then_some(Instr::Add(register, bytes)));
                }
                None if is_moved => {
                    let word = self.new_word(pointer);
                    self.out.push(Instr::StoreWord(word, Gpr::RCX));
                    steps.push(Instr::AddWord(word, bytes));
                }
                None => {}
            }
        }
        pointers.words.clone_from(&self.words);
        self.enter(&mut code, region, &pointers);
        let (pins, carried) = code.registers(|stream| region.streams[stream as usize].pointer.ends_with(id));
        self.out.extend(load_pins(&code.body, &pins, &self.frame));
        let slot = |frame: &Frame, opcode, c: &Carried| {
            Instr::Vector(Vector::unary(opcode, c.register, Place::Memory(frame.slot(c.slot))))
        };
        self.out.extend(carried.iter().map(|c| slot(&self.frame, Opcode::LoadPd, c)));
        self.out.push(Instr::MoveImmediate(*counter, rounds.into()));
        let head = self.frame.label();
        self.out.push(Instr::Head(head));
        self.body(&code, (&pins, &carried))?;
        self.out.extend(steps);
        self.out.extend([Instr::Sub(*counter, 1), Instr::Jump(Condition::NonZero, head)]);
        self.out.extend(carried.iter().map(|c| slot(&self.frame, Opcode::StorePd, c)));
        self.words.retain(|pointer, _| !pointer.ends_with(id));
        self.next = before;
        Ok(())
    }

    /// Takes up a region's streams, and its tail.
    fn enter(&mut self, code: &mut Code, region: &Region, pointers: &Pointers) {
        if let (None, Some(tail)) = (self.tail, region.tail) {
            self.out.push(self.frame.load_mask(tail));
        }
        let used = used(&code.body, &code.code);
        let none = (Memory::at(Gpr::RDI, 0), None);
        let located = region.streams.iter().enumerate().map(|(at, address)| match code.streams[at] {
            true => pointers.locate(address),
            false => none,
        });
        self.frame.enter(&code.body, &used, located.collect());
        self.frame.keep_slots(code.kept);
    }

    fn body(&mut self, code: &Code, fixed: (&[Val], &[Carried])) -> Result<(), Error> {
        let placed = allocate(&code.body, &code.code, &code.uses, fixed, &mut self.frame, Mode::Tail);
        if cfg!(debug_assertions) {
            let fact = verify(&code.body, &code.code, fixed, &placed, &self.frame);
            fact.map_err(|fact| Error::internal("wide", fact))?;
        }
        self.slots = self.slots.max(self.frame.scratch());
        self.out.extend(placed.into_iter().map(|Placed { instr, .. }| instr));
        Ok(())
    }

    /// Puts around the code what every function has.
    fn finish(self, level: Level, foreign: u64) -> Assembly {
        // Slots are on cache lines.
        let words = (self.most * 8 + 63) / 64 * 64;
        let size = words + self.slots as i32;
        let saved: Vec<Gpr> = SAVED.into_iter().filter(|r| self.taken.contains(r)).collect();
        let mut code: Vec<Instr> = saved.iter().copied().map(Instr::Push).collect();
        if size > 0 {
            code.extend([Instr::Push(Gpr::RBP), Instr::Move(Gpr::RBP, Gpr::RSP)]);
            code.extend([Instr::Sub(Gpr::RSP, size), Instr::And(Gpr::RSP, -64)]);
            // Every page is touched in turn, so that the stack grows or its end is found.
            let pages = (1..=size / PAGE).map(|page| Memory::at(Gpr::RBP, -page * PAGE));
            code.extend(pages.map(|page| Instr::StoreWord(page, Gpr::RDI)));
            code.extend([Instr::Move(Gpr::RDX, Gpr::RSP), Instr::Add(Gpr::RDX, words)]);
        }
        code.push(Instr::Constants(Gpr::R11));
        code.extend(self.out);
        if size > 0 {
            code.extend([Instr::Move(Gpr::RSP, Gpr::RBP), Instr::Pop(Gpr::RBP)]);
        }
        code.extend(saved.into_iter().rev().map(Instr::Pop));
        code.extend([Instr::ZeroUpper, Instr::Return]);
        code.extend(self.frame.stubs(foreign));
        Assembly { level, code, constants: self.frame.pool().clone(), scratch: 0, non_temporal: None }
    }
}

/// The pointers of what is inside a loop, those that end with the loop.
fn ending(tree: &Tree, items: &[Item], id: LoopId) -> Vec<Pointer> {
    let mut found: Vec<Pointer> = Vec::new();
    let mut add = |pointer: &Pointer| {
        let Some(at) = pointer.strides.iter().position(|s| s.0 == id) else { return };
        let prefix = pointer.prefix(at + 1);
        if !found.contains(&prefix) {
            found.push(prefix);
        }
    };
    let mut open: Vec<&Item> = items.iter().rev().collect();
    while let Some(item) = open.pop() {
        match item {
            Item::Loop { items, .. } => open.extend(items.iter().rev()),
            Item::Straight(region) => {
                tree.regions[*region].streams.iter().for_each(|address| add(&address.pointer));
            }
            Item::Row(row) => [&row.index.pointer, &row.place].into_iter().for_each(&mut add),
        }
    }
    found
}

/// A region's code before it has registers.
struct Code {
    body: Body,
    code: Vec<Selected>,
    uses: Uses,
    /// The streams that are left, and the pointers they want a register for.
    streams: Vec<bool>,
    pointers: Vec<Pointer>,
    /// How many slots the tree has.
    kept: u32,
}

impl Code {
    fn of(region: &Region, tree: &Tree) -> Code {
        let mut body = region.body.clone();
        let code = select(&mut body);
        let uses = Uses::new(&body, &code);
        let mut streams = vec![false; region.streams.len()];
        let used = used(&body, &code);
        for (inst, _) in body.insts.iter().zip(&used).filter(|(inst, used)| **used || inst.op.is_effect()) {
            if let Some(stream) = inst.op.stream() {
                streams[stream as usize] = true;
            }
        }
        let mut pointers: Vec<Pointer> = Vec::new();
        for (Address { pointer, .. }, _) in region.streams.iter().zip(&streams).filter(|s| *s.1) {
            let needs_none = is_arena(pointer) || matches!(pointer.base, Base::Absent(_));
            if !needs_none && !pointers.contains(pointer) {
                pointers.push(pointer.clone());
            }
        }
        Code { body, code, uses, streams, pointers, kept: tree.slots }
    }

    /// What has a register of its own over all rounds of a loop, where such streams move.
    fn registers(&self, moves: impl Fn(u32) -> bool) -> (Vec<Val>, Vec<Carried>) {
        let all = registers(self.body.level, Mode::Tail);
        let mut carried = self.carried();
        if carried.len() > usize::from(all / 2) {
            carried.clear();
        }
        let is_kept = |slot: u32| self.code.iter().any(|s| s.kind == Kind::Keep(slot));
        let stays = |op: Op| match op {
            Op::Slot(slot) => !is_kept(slot),
            _ => op.stream().is_none_or(|stream| !moves(stream)),
        };
        let pins = pins(&self.body, &self.code, &self.uses, all - carried.len() as u8, stays);
        for (at, carried) in carried.iter_mut().enumerate() {
            carried.register = (pins.len() + at) as u8;
        }
        (pins, carried)
    }

    /// The slots that the code reads and keeps again.
    fn carried(&self) -> Vec<Carried> {
        let mut carried = Vec::new();
        for (at, selected) in self.code.iter().enumerate() {
            let Kind::Keep(slot) = selected.kind else { continue };
            let is_slot = |inst: &crate::jit::wide::body::Inst| inst.op == Op::Slot(slot);
            let Some(before) = self.body.insts.iter().position(is_slot) else { continue };
            let (before, after) = (Val(before as u32), selected.uses[0]);
            let at_once = self.uses.of(after) == [at as u32] && self.is_last(before, after);
            carried.push(Carried { slot, register: 0, before, after, at_once });
        }
        carried
    }

    /// True where the instruction that computes `after` is the last to read `before`, and may write
    /// its result where that was.
    fn is_last(&self, before: Val, after: Val) -> bool {
        let Some(at) = self.code.iter().position(|s| s.def == Some(after)) else { return false };
        let Selected { kind, uses, .. } = &self.code[at];
        let fits = match kind {
            Kind::Plain(..) | Kind::Registers(..) | Kind::Blend(_) => true,
            Kind::Fused(_) => uses[2] == before && uses[0] != before && uses[1] != before,
            _ => false,
        };
        fits && self.uses.of(before).iter().all(|&use_| use_ as usize <= at)
    }
}
