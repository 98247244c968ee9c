//! What a loop's code shares: registers of streams, constants, slots, labels, calls.
//!
//! General registers: RDI the table of streams, RSI elements left, RDX slots, RAX the element, R11
//! the constants, RBP the element modulo the partial sums, RCX anything for a moment; the others
//! point at streams, as many as there are; streams beyond those are looked up in the table.
//!
//! What must stay true: all forms of a loop agree on all of it but the slots.

use super::body::{Body, Op, Val, Width};
use super::call::{GENERAL_AT, MASKS_AT, Registers, Site};
use super::instr::{Condition, Gpr, Instr, Label, Memory, Place, Register, Vector};
use super::level::Level;
use super::non_temporal::first_stream;
use super::opcode::Opcode;
use super::pool::Pool;
use super::select::Part;
use crate::elementary::Foreign;
use rustc_hash::FxHashMap;

/// Registers that point at streams; the last six belong to the caller.
const POINTERS: [Gpr; 8] = [Gpr::R8, Gpr::R9, Gpr::R10, Gpr::RBX, Gpr::R12, Gpr::R13, Gpr::R14, Gpr::R15];

/// Registers that the caller wants back.
const SAVED: [Gpr; 6] = [Gpr::RBX, Gpr::RBP, Gpr::R12, Gpr::R13, Gpr::R14, Gpr::R15];

/// Partial sums of a reduction: element i is added to number i modulo this. A multiple of the
/// lanes of every vector, so that sums do not depend on the level; several vectors, so that an
/// addition does not wait for the one before.
pub const SUM_LANES: usize = 64;

/// How a form of the loop reads and writes streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whole vectors.
    Whole,
    /// Lanes of the mask.
    Masked,
    /// Whole vectors, but for what says it is of the tail.
    Tail,
    /// Whole vectors, some of them stored past the caches.
    NonTemporal,
}

/// A call written after the loop, and where it comes back to.
#[derive(Clone)]
struct Stub {
    label: Label,
    back: Label,
    site: u64,
}

/// Where streams are.
#[derive(Clone)]
enum Streams {
    /// In a table; some have registers.
    Table(FxHashMap<u32, Gpr>),
    /// At these places, which such instructions make addresses of.
    Placed(Vec<Located>),
}

/// A place in memory, and the instruction that makes its address.
pub(super) type Located = (Memory, Option<Instr>);

/// See the head of the file.
#[derive(Clone)]
pub(super) struct Frame {
    level: Level,
    element: Width,
    streams: Streams,
    pub has_sums: bool,
    /// The first of the streams that [`Mode::NonTemporal`] stores past the caches.
    pub non_temporal: Option<u32>,
    constants: FxHashMap<Val, Memory>,
    places: FxHashMap<(Op, Width), i32>,
    pool: Pool,
    masks: i32,
    /// By mode.
    slots: [u32; 4],
    labels: u32,
    stubs: Vec<Stub>,
    thunk: Option<Label>,
    /// Vector registers that belong to code around, by bit.
    pub taken: u32,
}

impl Frame {
    /// A frame of no body yet.
    pub fn new(level: Level, element: Width) -> Frame {
        Frame {
            level,
            element,
            streams: Streams::Placed(Vec::new()),
            has_sums: false,
            non_temporal: None,
            constants: FxHashMap::default(),
            places: FxHashMap::default(),
            pool: Pool::default(),
            masks: 0,
            slots: [0; 4],
            labels: 0,
            stubs: Vec::new(),
            thunk: None,
            taken: 0,
        }
    }

    /// The frame of a body over a table of streams.
    pub fn of_table(body: &Body, used: &[bool]) -> Frame {
        let mut frame = Frame::new(body.level, body.element);
        frame.non_temporal = first_stream(body);
        let mut pointers = FxHashMap::default();
        let mut point_at = |stream: u32| {
            if let Some(&next) = POINTERS.get(pointers.len()) {
                pointers.entry(stream).or_insert(next);
            }
        };
        for (inst, used) in body.insts.iter().zip(used) {
            match inst.op {
                Op::Sum(stream) => {
                    frame.has_sums = true;
                    point_at(stream);
                }
                Op::Store(stream) => point_at(stream),
                Op::Load(stream) | Op::Uniform(stream) if *used => point_at(stream),
                _ => {}
            }
        }
        frame.streams = Streams::Table(pointers);
        frame.add_constants(body, used);
        frame.append_masks();
        frame
    }

    /// Takes up a body over streams at these places.
    pub fn enter(&mut self, body: &Body, used: &[bool], streams: Vec<Located>) {
        self.streams = Streams::Placed(streams);
        self.constants.clear();
        self.add_constants(body, used);
    }

    fn add_constants(&mut self, body: &Body, used: &[bool]) {
        for (at, (inst, used)) in body.insts.iter().zip(used).enumerate() {
            if !used || !matches!(inst.op, Op::Constant(_) | Op::Steps(_) | Op::FloatSteps(_)) {
                continue;
            }
            let pool = &mut self.pool;
            let place = *self
                .places
                .entry((inst.op, inst.width))
                .or_insert_with(|| pool.push(inst.op, inst.width, body.level));
            let broadcast = body.level == Level::L512 && matches!(inst.op, Op::Constant(_));
            self.constants.insert(Val(at as u32), Memory { broadcast, ..Memory::at(Gpr::R11, place) });
        }
    }

    /// Adds the masks of tails.
    pub fn append_masks(&mut self) {
        self.masks = self.pool.push_masks(self.level, self.element);
    }

    pub fn lanes(&self) -> usize {
        self.level.bytes() / self.element.bytes()
    }

    /// What is behind the code.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Bytes of slots.
    pub fn scratch(&self) -> usize {
        self.slots.iter().max().map_or(0, |&count| count as usize) * self.level.bytes()
    }

    /// The mask register, or at 256 bits the vector register, that holds the tail's mask.
    pub fn tail_mask(&self) -> Register {
        if self.level == Level::L512 { 7 } else { 15 }
    }

    pub fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    pub fn new_slot(&mut self, mode: Mode) -> u32 {
        let count = &mut self.slots[mode as usize];
        *count += 1;
        *count - 1
    }

    /// Sets so many slots apart, and the rest free.
    pub fn keep_slots(&mut self, count: u32) {
        self.slots = [count; 4];
    }

    pub fn slot(&self, slot: u32) -> Memory {
        Memory::at(Gpr::RDX, slot as i32 * self.level.bytes() as i32)
    }

    /// A constant, as an operand.
    pub fn constant(&self, value: Val) -> Memory {
        self.constants[&value]
    }

    /// The first element of a stream, and what makes its address.
    pub fn uniform(&self, stream: u32) -> Located {
        let pointers = match &self.streams {
            Streams::Table(pointers) => pointers,
            Streams::Placed(places) => return places[stream as usize],
        };
        match pointers.get(&stream) {
            Some(&pointer) => (Memory::at(pointer, 0), None),
            None => (Memory::at(Gpr::RCX, 0), Some(self.look_up(Gpr::RCX, stream))),
        }
    }

    /// The current elements of a stream.
    pub fn column(&self, stream: u32, part: Part) -> Located {
        let (memory, before) = self.uniform(stream);
        let index = match self.streams {
            Streams::Table(_) => Some((Gpr::RAX, self.scale())),
            Streams::Placed(_) => None,
        };
        let vector = if let Part::Lanes(vector) = part { vector } else { 0 };
        (Memory { index, disp: memory.disp + self.offset(vector), ..memory }, before)
    }

    /// Bytes from the first vector of a round to this one.
    fn offset(&self, vector: u8) -> i32 {
        i32::from(vector) * self.level.bytes() as i32
    }

    /// Where the current elements are added. The stream has a pointer of its own.
    pub fn partial_sums(&self, stream: u32, vector: u8) -> Memory {
        let pointer = self.pointer(stream).unwrap_or(Gpr::RCX);
        Memory { index: Some((Gpr::RBP, self.scale())), ..Memory::at(pointer, self.offset(vector)) }
    }

    /// True where every stream of sums has a register.
    pub fn sums_fit(&self, body: &Body) -> bool {
        let mut sums = body.insts.iter().filter_map(|inst| match inst.op {
            Op::Sum(stream) => Some(stream),
            _ => None,
        });
        sums.all(|stream| self.pointer(stream).is_some())
    }

    /// The registers of streams of a table.
    fn pointers(&self) -> impl Iterator<Item = (u32, Gpr)> {
        let pointers = match &self.streams {
            Streams::Table(pointers) => Some(pointers),
            Streams::Placed(_) => None,
        };
        pointers.into_iter().flatten().map(|(&stream, &register)| (stream, register))
    }

    fn pointer(&self, stream: u32) -> Option<Gpr> {
        self.pointers().find(|p| p.0 == stream).map(|p| p.1)
    }

    fn scale(&self) -> u8 {
        self.element.bytes().trailing_zeros() as u8
    }

    fn look_up(&self, to: Gpr, stream: u32) -> Instr {
        Instr::LoadWord(to, Memory::at(Gpr::RDI, stream as i32 * 8))
    }

    /// Puts the mask of RSI elements, or of all lanes if they are fewer, where the tail has it.
    pub fn make_mask(&self) -> Vec<Instr> {
        let (lanes, rcx) = (self.lanes(), Gpr::RCX);
        let mut code = vec![
            Instr::MoveImmediate(rcx, lanes as u64),
            Instr::Compare(Gpr::RSI, rcx),
            Instr::MoveIfBelow(rcx, Gpr::RSI),
        ];
        let (opcode, scale, disp) = match self.level {
            Level::L512 => (Opcode::KMov, 1, self.masks),
            _ => {
                code.push(Instr::Negate(rcx));
                (Opcode::LoadPd, self.scale(), self.masks + (lanes * self.element.bytes()) as i32)
            }
        };
        let memory = Memory { index: Some((rcx, scale)), ..Memory::at(Gpr::R11, disp) };
        code.push(Instr::Vector(Vector::unary(opcode, self.tail_mask(), Place::Memory(memory))));
        code
    }

    /// Puts the mask of so many elements where the tail has it.
    pub fn load_mask(&self, elements: usize) -> Instr {
        let (opcode, at) = match self.level {
            Level::L512 => (Opcode::KMov, 2 * elements),
            _ => (Opcode::LoadPd, (self.lanes() - elements) * self.element.bytes()),
        };
        let memory = Memory::at(Gpr::R11, self.masks + at as i32);
        Instr::Vector(Vector::unary(opcode, self.tail_mask(), Place::Memory(memory)))
    }

    /// Saves the caller's registers and fetches addresses.
    pub fn open(&self) -> Vec<Instr> {
        let mut code: Vec<Instr> = self.saved().map(Instr::Push).collect();
        code.push(Instr::Constants(Gpr::R11));
        let mut pointers: Vec<(u32, Gpr)> = self.pointers().collect();
        pointers.sort_by_key(|(stream, _)| *stream);
        code.extend(pointers.into_iter().map(|(stream, register)| self.look_up(register, stream)));
        code
    }

    pub fn close(&self) -> Vec<Instr> {
        let pops: Vec<Instr> = self.saved().map(Instr::Pop).collect();
        let ends = [Instr::ZeroUpper, Instr::Return];
        pops.into_iter().rev().chain(ends).collect()
    }

    fn saved(&self) -> impl Iterator<Item = Gpr> {
        let is_used = |r: &Gpr| match *r {
            Gpr::RBP => self.has_sums,
            r => self.pointers().any(|(_, p)| p == r),
        };
        SAVED.into_iter().filter(is_used)
    }

    /// A call of a function in every lane, or out of the way where a lane of the mask asks for it.
    pub fn call(
        &mut self,
        f: Foreign,
        to: Register,
        args: &[Register],
        mask: Option<Register>,
        width: Width,
    ) -> Vec<Instr> {
        let thunk = match self.thunk {
            Some(thunk) => thunk,
            None => self.label(),
        };
        self.thunk = Some(thunk);
        let site = Site {
            function: f,
            to,
            args: [args[0], args.get(1).copied().unwrap_or(0)],
            mask,
            level: self.level,
            width,
        };
        let Some(mask) = mask else {
            return vec![Instr::MoveImmediate(Gpr::RCX, site.pack()), Instr::Call(thunk)];
        };
        let (label, back) = (self.label(), self.label());
        self.stubs.push(Stub { label, back, site: site.pack() });
        let mut code = Vec::new();
        match self.level {
            Level::L512 => {
                code.push(Instr::Vector(Vector::unary(Opcode::KTest, mask, Place::Register(mask))));
            }
            _ => {
                let opcode = if width == Width::Double { Opcode::SignsPd } else { Opcode::SignsPs };
                let signs = Vector::unary(opcode, Gpr::RCX.0, Place::Register(mask));
                code.extend([Instr::Vector(signs), Instr::Test(Gpr::RCX)]);
            }
        }
        code.extend([Instr::Jump(Condition::NonZero, label), Instr::Label(back)]);
        code
    }

    /// What a call out of the way is told.
    pub fn site(&self, stub: Label) -> Option<u64> {
        self.stubs.iter().find(|s| s.label == stub).map(|s| s.site)
    }

    /// The calls out of the way, and the routine they share, which calls `foreign`.
    pub fn stubs(&self, foreign: u64) -> Vec<Instr> {
        let Some(thunk) = self.thunk else { return Vec::new() };
        let mut code = Vec::new();
        for stub in &self.stubs {
            code.push(Instr::Label(stub.label));
            code.push(Instr::MoveImmediate(Gpr::RCX, stub.site));
            code.extend([Instr::Call(thunk), Instr::Jump(Condition::Always, stub.back)]);
        }
        code.push(Instr::Label(thunk));
        code.extend(self.thunk(foreign));
        code
    }

    /// Stores every register to a [`Registers`] on the stack, calls, and fetches them again.
    fn thunk(&self, foreign: u64) -> Vec<Instr> {
        const GENERAL: [Gpr; 8] =
            [Gpr::RAX, Gpr::RDX, Gpr::RSI, Gpr::RDI, Gpr::R8, Gpr::R9, Gpr::R10, Gpr::R11];
        let vectors = if self.level == Level::L512 { 32 } else { 16 };
        let masks = if self.level == Level::L512 { 1..8 } else { 0..0 };
        let vector = |opcode, i: u8| {
            let place = Memory::at(Gpr::RSP, i32::from(i) * 64);
            Instr::Vector(Vector::unary(opcode, i, Place::Memory(place)))
        };
        let mask = |opcode, i: u8| {
            let place = Memory::at(Gpr::RSP, MASKS_AT + i32::from(i) * 8);
            Instr::Vector(Vector::unary(opcode, i, Place::Memory(place)))
        };
        let word = |i: usize| Memory::at(Gpr::RSP, GENERAL_AT + i as i32 * 8);
        let mut code = vec![
            Instr::Push(Gpr::RBP),
            Instr::Move(Gpr::RBP, Gpr::RSP),
            Instr::And(Gpr::RSP, -64),
            Instr::Sub(Gpr::RSP, size_of::<Registers>() as i32),
        ];
        code.extend(GENERAL.iter().enumerate().map(|(i, &r)| Instr::StoreWord(word(i), r)));
        code.extend((0..vectors).map(|i| vector(Opcode::StorePd, i)));
        code.extend(masks.clone().map(|i| mask(Opcode::KStore, i)));
        code.extend([
            Instr::Move(Gpr::RDI, Gpr::RSP),
            Instr::Move(Gpr::RSI, Gpr::RCX),
            Instr::ZeroUpper,
            Instr::Function(Gpr::RAX, foreign, "foreign"),
            Instr::CallRegister(Gpr::RAX),
        ]);
        code.extend((0..vectors).map(|i| vector(Opcode::LoadPd, i)));
        code.extend(masks.map(|i| mask(Opcode::KMov, i)));
        code.extend(GENERAL.iter().enumerate().map(|(i, &r)| Instr::LoadWord(r, word(i))));
        code.extend([Instr::Move(Gpr::RSP, Gpr::RBP), Instr::Pop(Gpr::RBP), Instr::Return]);
        code
    }
}
