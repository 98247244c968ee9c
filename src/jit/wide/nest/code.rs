//! Trees as machine code: one function for several nests.
//!
//! General registers: RDI the arena, RDX slots, R11 the constants, RSP words, RCX anything for a
//! moment; the others hold what a region counts and points with. Around it pointers and counters
//! are words on the stack.
//!
//! What must stay true: a pointer of a loop begins where the loops around it are, and ends with it.

use super::tree::{Address, CHUNK, Item, LoopId, Region, Strides, Tree};
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
    let mut coder = Coder { frame, out: Vec::new(), words: FxHashMap::default(), next: 0, most: 0, slots: 0 };
    coder.frame.append_masks();
    for tree in trees {
        coder.tree(tree)?;
    }
    Ok(coder.finish(level, foreign))
}

struct Coder {
    frame: Frame,
    out: Vec<Instr>,
    /// The words that pointers are in, by what has been added to the arena.
    words: FxHashMap<Strides, i32>,
    /// Words that are taken, and the most there were; slots of all regions.
    next: i32,
    most: i32,
    slots: usize,
}

/// Where the pointers of a region are.
struct Pointers {
    registers: Vec<(Strides, Gpr)>,
    /// Those there was no register for are words.
    words: FxHashMap<Strides, i32>,
}

impl Pointers {
    fn locate(&self, address: &Address) -> Located {
        if address.strides.is_empty() {
            return (Memory::at(Gpr::RDI, address.offset), None);
        }
        match self.registers.iter().find(|(strides, _)| *strides == address.strides) {
            Some(&(_, register)) => (Memory::at(register, address.offset), None),
            None => {
                let word = word(self.words[&address.strides]);
                (Memory::at(Gpr::RCX, address.offset), Some(Instr::LoadWord(Gpr::RCX, word)))
            }
        }
    }
}

fn word(number: i32) -> Memory {
    Memory::at(Gpr::RSP, number * 8)
}

fn parent(strides: &Strides) -> Strides {
    strides[..strides.len() - 1].iter().copied().collect()
}

impl Coder {
    fn tree(&mut self, tree: &Tree) -> Result<(), Error> {
        self.words.clear();
        self.next = 0;
        for strides in ending(tree, &tree.items, CHUNK) {
            let word = self.new_word(&strides);
            self.out.push(Instr::Multiply(Gpr::RCX, Gpr::RSI, strides[0].1));
            self.out.extend([Instr::AddRegister(Gpr::RCX, Gpr::RDI), Instr::StoreWord(word, Gpr::RCX)]);
        }
        if let Some(tail) = tree.tail {
            self.out.push(self.frame.load_mask(tail));
        }
        self.items(tree, &tree.items)
    }

    fn new_word(&mut self, strides: &Strides) -> Memory {
        self.words.insert(strides.clone(), self.next);
        self.next += 1;
        self.most = self.most.max(self.next);
        word(self.next - 1)
    }

    fn items(&mut self, tree: &Tree, items: &[Item]) -> Result<(), Error> {
        for item in items {
            match item {
                Item::Straight(region) => self.straight(tree, &tree.regions[*region])?,
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
        for strides in ending(tree, items, id) {
            let from = self.pointer_word(&parent(&strides));
            let to = self.new_word(&strides);
            match from {
                Some(from) => {
                    self.out.extend([Instr::LoadWord(Gpr::RCX, from), Instr::StoreWord(to, Gpr::RCX)]);
                }
                None => self.out.push(Instr::StoreWord(to, Gpr::RDI)),
            }
            steps.push((to, strides.last().expect("ends with the loop").1));
        }
        // No address is of a loop twice, so the counter has a name of its own.
        let counter = self.new_word(&Strides::from_iter([(id, 0)]));
        self.out.extend([Instr::MoveImmediate(Gpr::RCX, rounds.into()), Instr::StoreWord(counter, Gpr::RCX)]);
        let head = self.frame.label();
        self.out.push(Instr::Label(head));
        self.items(tree, items)?;
        self.out.extend(steps.into_iter().map(|(word, bytes)| Instr::AddWord(word, bytes)));
        self.out.extend([Instr::AddWord(counter, -1), Instr::Jump(Condition::NonZero, head)]);
        self.words.retain(|strides, _| strides.last().is_none_or(|last| last.0 != id));
        self.next = before;
        Ok(())
    }

    /// The word that has a pointer; none for the arena.
    fn pointer_word(&self, strides: &Strides) -> Option<Memory> {
        (!strides.is_empty()).then(|| word(self.words[strides]))
    }

    fn straight(&mut self, tree: &Tree, region: &Region) -> Result<(), Error> {
        let pointers = Pointers { registers: Vec::new(), words: self.words.clone() };
        let mut code = Code::of(region, tree);
        let mut pointers = pointers;
        for (strides, &register) in code.strides.iter().zip(&REGISTERS) {
            let from = self.pointer_word(strides).expect("the arena is none of them");
            self.out.push(Instr::LoadWord(register, from));
            pointers.registers.push((strides.clone(), register));
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
        let mut steps = Vec::new();
        let moves = |strides: &Strides| strides.last().is_some_and(|last| last.0 == id);
        for (at, strides) in code.strides.iter().enumerate() {
            let is_moved = moves(strides);
            let from = self.pointer_word(&if is_moved { parent(strides) } else { strides.clone() });
            let register = rest.get(at).copied();
            let to = register.unwrap_or(Gpr::RCX);
            self.out.push(from.map_or(Instr::Move(to, Gpr::RDI), |from| Instr::LoadWord(to, from)));
            let bytes = strides.last().map_or(0, |last| last.1);
            match register {
                Some(register) => {
                    pointers.registers.push((strides.clone(), register));
                    steps.extend(is_moved.then_some(Instr::Add(register, bytes)));
                }
                None => {
                    let word = self.new_word(strides);
                    self.out.push(Instr::StoreWord(word, Gpr::RCX));
                    steps.extend(is_moved.then_some(Instr::AddWord(word, bytes)));
                }
            }
        }
        pointers.words.clone_from(&self.words);
        self.enter(&mut code, region, &pointers);
        let (pins, carried) = code.registers(|stream| moves(&region.streams[stream as usize].strides));
        self.out.extend(load_pins(&code.body, &pins, &self.frame));
        let slot = |frame: &Frame, opcode, c: &Carried| {
            Instr::Vector(Vector::unary(opcode, c.register, Place::Memory(frame.slot(c.slot))))
        };
        self.out.extend(carried.iter().map(|c| slot(&self.frame, Opcode::LoadPd, c)));
        self.out.push(Instr::MoveImmediate(*counter, rounds.into()));
        let head = self.frame.label();
        self.out.push(Instr::Label(head));
        self.body(&code, (&pins, &carried))?;
        self.out.extend(steps);
        self.out.extend([Instr::Sub(*counter, 1), Instr::Jump(Condition::NonZero, head)]);
        self.out.extend(carried.iter().map(|c| slot(&self.frame, Opcode::StorePd, c)));
        self.words.retain(|strides, _| !moves(strides));
        self.next = before;
        Ok(())
    }

    /// Takes up a region's streams.
    fn enter(&mut self, code: &mut Code, region: &Region, pointers: &Pointers) {
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
        let mut code: Vec<Instr> = SAVED.iter().copied().map(Instr::Push).collect();
        code.extend([Instr::Push(Gpr::RBP), Instr::Move(Gpr::RBP, Gpr::RSP)]);
        code.extend([Instr::Sub(Gpr::RSP, size), Instr::And(Gpr::RSP, -64)]);
        // Every page is touched in turn, so that the stack grows or its end is found.
        code.extend(
            (1..=size / PAGE).map(|page| Instr::StoreWord(Memory::at(Gpr::RBP, -page * PAGE), Gpr::RDI)),
        );
        code.extend([Instr::Move(Gpr::RDX, Gpr::RSP), Instr::Add(Gpr::RDX, words)]);
        code.push(Instr::Constants(Gpr::R11));
        code.extend(self.out);
        code.extend([Instr::Move(Gpr::RSP, Gpr::RBP), Instr::Pop(Gpr::RBP)]);
        code.extend(SAVED.iter().rev().copied().map(Instr::Pop));
        code.extend([Instr::ZeroUpper, Instr::Return]);
        code.extend(self.frame.stubs(foreign));
        Assembly { level, code, constants: self.frame.pool().to_vec(), scratch: 0 }
    }
}

/// The pointers of what is inside a loop, those that end with the loop.
fn ending(tree: &Tree, items: &[Item], id: LoopId) -> Vec<Strides> {
    let mut found: Vec<Strides> = Vec::new();
    let mut open: Vec<&Item> = items.iter().rev().collect();
    while let Some(item) = open.pop() {
        match item {
            Item::Loop { items, .. } => open.extend(items.iter().rev()),
            Item::Straight(region) => {
                for Address { strides, .. } in &tree.regions[*region].streams {
                    let Some(at) = strides.iter().position(|s| s.0 == id) else { continue };
                    let prefix: Strides = strides[..=at].iter().copied().collect();
                    if !found.contains(&prefix) {
                        found.push(prefix);
                    }
                }
            }
        }
    }
    found
}

/// A region's code before it has registers.
struct Code {
    body: Body,
    code: Vec<Selected>,
    uses: Uses,
    /// The streams that are left, and what is added to the arena for them.
    streams: Vec<bool>,
    strides: Vec<Strides>,
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
        let mut strides: Vec<Strides> = Vec::new();
        for (address, _) in region.streams.iter().zip(&streams).filter(|s| *s.1) {
            if !address.strides.is_empty() && !strides.contains(&address.strides) {
                strides.push(address.strides.clone());
            }
        }
        Code { body, code, uses, streams, strides, kept: tree.slots }
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
