//! Reading the graph's text form: any bytes give a graph that passes `verify`, or a line number.
//!
//! Nodes are interned as written, never folded; two equal lines become one node.

use super::structural::{MAX_RANK, pack_order};
use super::text::{TextError, TextFault, is_name_char};
use super::verify::verify;
use super::{
    Body, DType, Elementwise, Function, Graph, Id, NESTING, Number, Op, Reduction, ScanBody, Selection,
    Shape, Structural, Type,
};
use rustc_hash::FxHashMap;

/// Nodes of one graph.
const NODES: usize = 4_000_000;
/// Elements of one type: far above any tensor, and sums of a few never overflow.
const ELEMENTS: usize = 1 << 40;
/// Digits of one numerator or denominator.
const DIGITS: usize = 10_000;

/// Reads a function; the inverse of [`write`](super::text::write).
///
/// Inputs are those with a line, in order. Blank lines and lines that begin with `#` are skipped.
///
/// # Errors
/// The first line that is malformed or does not fit, and why.
pub fn read(text: &str) -> Result<Function, TextError> {
    read_within(text, NESTING)
}

/// [`read`], with so many levels of bodies at most.
fn read_within(text: &str, levels: usize) -> Result<Function, TextError> {
    let mut reader = Reader {
        graph: Graph::new(),
        nodes: FxHashMap::default(),
        lines: Vec::new(),
        outputs: None,
        levels,
        bodies: Vec::new(),
        open: None,
    };
    let mut last = 0;
    for (i, line) in text.lines().enumerate() {
        last = i + 1;
        let line = line.trim();
        match (line.strip_prefix('|'), &mut reader.open) {
            (Some(inner), Some(open)) => open.text.push_str(&format!("{}\n", inner.trim())),
            _ => {
                reader.close()?;
                if !line.is_empty() && !line.starts_with('#') {
                    reader.line(last, line).map_err(|fault| TextError { line: last, fault })?;
                }
            }
        }
    }
    reader.close()?;
    reader.verify()?;
    let missing = TextError { line: last + 1, fault: TextFault::Expected("`outputs`") };
    let outputs = reader.outputs.ok_or(missing)?;
    let inputs = reader.graph.symbols().collect();
    Ok(Function::new(reader.graph, inputs, outputs))
}

struct Reader {
    graph: Graph,
    nodes: FxHashMap<u32, Id>,
    /// Every node with its line, in order.
    lines: Vec<(usize, Id)>,
    outputs: Option<Vec<Id>>,
    /// Levels of bodies that may still be opened.
    levels: usize,
    bodies: Vec<Body>,
    /// A body whose lines are being read.
    open: Option<Open>,
}

/// A body under way.
struct Open {
    line: usize,
    steps: u32,
    carries: usize,
    sequences: usize,
    backwards: bool,
    text: String,
}

type Fallible<T> = Result<T, TextFault>;

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Fallible<()> {
        let mut cursor = Cursor(line);
        if self.outputs.is_some() {
            return Err(TextFault::Expected("nothing after the outputs"));
        }
        if cursor.0.starts_with('%') {
            self.node(number, &mut cursor)?;
        } else if cursor.0.starts_with("body") {
            self.open(number, &mut cursor)?;
        } else if cursor.word() == "outputs" {
            self.outputs = Some(self.operands(&mut cursor)?);
        } else {
            return Err(TextFault::Expected("`%` or `outputs`"));
        }
        cursor.end()
    }

    /// `body @0 steps 5 carries 1 sequences 1 backwards`
    fn open(&mut self, line: usize, cursor: &mut Cursor) -> Fallible<()> {
        cursor.word();
        cursor.sign("@")?;
        if cursor.integer()? as usize != self.bodies.len() {
            return Err(TextFault::Expected("bodies numbered in order"));
        }
        if self.levels == 0 {
            return Err(TextFault::Budget("levels of bodies"));
        }
        let (steps, carries) = (cursor.labelled("steps")?, cursor.labelled("carries")? as usize);
        let sequences = cursor.labelled("sequences")? as usize;
        let backwards = cursor.0.starts_with("backwards");
        if backwards {
            cursor.word();
        }
        self.open = Some(Open { line, steps, carries, sequences, backwards, text: String::new() });
        Ok(())
    }

    /// Ends the body under way, if there is one.
    fn close(&mut self) -> Result<(), TextError> {
        let Some(Open { line, steps, carries, sequences, backwards, text }) = self.open.take() else {
            return Ok(());
        };
        let function = read_within(&text, self.levels - 1)
            .map_err(|error| TextError { line: line + error.line, fault: error.fault })?;
        if carries + sequences > function.inputs().len() || carries > function.outputs().len() {
            let fault = TextFault::Unfit("a scan's body lacks inputs or outputs".to_owned());
            return Err(TextError { line, fault });
        }
        let body = ScanBody { function, steps, carries, sequences, backwards };
        self.bodies.push(self.graph.intern_body(body));
        Ok(())
    }

    fn scan(&mut self, cursor: &mut Cursor) -> Fallible<Id> {
        cursor.sign("@")?;
        let at = cursor.integer()? as usize;
        let body = *self.bodies.get(at).ok_or(TextFault::Expected("a body defined above"))?;
        let output = cursor.labelled("output")?;
        let operands = self.operands(cursor)?;
        let ty = cursor.ty()?;
        let scan = self.graph.body(body);
        if output as usize >= scan.function.outputs().len() + scan.carries || ty.dtype != DType::F64 {
            return Err(TextFault::Unfit("the result is none of the scan's".to_owned()));
        }
        let ty = self.graph.type_id(ty);
        Ok(self.graph.intern(Op::Scan { body, output }, &operands, ty))
    }

    fn node(&mut self, line: usize, cursor: &mut Cursor) -> Fallible<()> {
        let name = cursor.node()?;
        cursor.sign("=")?;
        if self.nodes.contains_key(&name) {
            return Err(TextFault::DefinedTwice(format!("%{name}")));
        }
        if self.lines.len() >= NODES {
            return Err(TextFault::Budget("nodes"));
        }
        let op = cursor.word();
        let id = match op {
            "input" => self.input(cursor)?,
            "const" => {
                let value = cursor.rational()?;
                let scalar = Type::new(DType::F64, Shape::scalar());
                match cursor.ty()? {
                    ty if ty == scalar => self.graph.exact(value),
                    _ => return Err(TextFault::Unfit("a constant is a scalar".to_owned())),
                }
            }
            "scan" => self.scan(cursor)?,
            _ => self.operation(op, cursor)?,
        };
        self.nodes.insert(name, id);
        self.lines.push((line, id));
        Ok(())
    }

    fn input(&mut self, cursor: &mut Cursor) -> Fallible<Id> {
        let name = cursor.name()?;
        let ty = cursor.ty()?;
        if self.graph.symbol(&name).is_some() {
            return Err(TextFault::DefinedTwice(name));
        }
        let ty = self.graph.type_id(ty);
        Ok(self.graph.input_of(&name, ty))
    }

    fn operation(&mut self, name: &str, cursor: &mut Cursor) -> Fallible<Id> {
        let operands = self.operands(cursor)?;
        let op = match (Elementwise::from_name(name), Selection::from_name(name)) {
            (Some(op), _) => Op::Elementwise(op),
            (None, Some(op)) => Op::Selection(op),
            (None, None) => with_parameters(name, cursor)?,
        };
        let ty = cursor.ty()?;
        self.check_element_types(op, &operands, &ty)?;
        let ty = self.graph.type_id(ty);
        Ok(self.graph.intern(op, &operands, ty))
    }

    /// What [`verify`] takes for granted: element types follow from the op.
    fn check_element_types(&self, op: Op, operands: &[Id], ty: &Type) -> Fallible<()> {
        let dtype = |x: &Id| self.graph.ty(*x).dtype;
        let all = |expected: DType| operands.iter().all(|x| dtype(x) == expected);
        let fits = match op {
            Op::Elementwise(op) => ty.dtype == DType::F64 && (op.arity() > 0 || ty.shape.is_scalar()),
            Op::Selection(Selection::Select) => ty.dtype == DType::F64,
            Op::Selection(op) => ty.dtype == DType::Bool && (op.is_comparison() || all(DType::Bool)),
            Op::Structural(Structural::Iota) => ty.dtype == DType::F64,
            Op::Structural(_) => operands.iter().all(|x| dtype(x) == ty.dtype),
            Op::Contract { .. } | Op::Reduce { .. } | Op::Scan { .. } => {
                ty.dtype == DType::F64 && all(DType::F64)
            }
            Op::Input(_) | Op::Constant(_) => operands.is_empty(),
        };
        let unfit = || TextFault::Unfit("the types do not fit the op".to_owned());
        if fits { Ok(()) } else { Err(unfit()) }
    }

    fn operands(&self, cursor: &mut Cursor) -> Fallible<Vec<Id>> {
        let mut operands = Vec::new();
        while cursor.0.starts_with('%') {
            let name = cursor.node()?;
            operands.push(*self.nodes.get(&name).ok_or(TextFault::UnknownNode(name))?);
            if !cursor.take(",") {
                break;
            }
            if !cursor.0.starts_with('%') {
                return Err(TextFault::Expected("`%` after the comma"));
            }
        }
        Ok(operands)
    }

    /// Runs the verifier; where it fails, finds the first line at fault by halving.
    fn verify(&self) -> Result<(), TextError> {
        let ids: Vec<Id> = self.lines.iter().map(|&(_, id)| id).collect();
        let Err(fact) = verify(&self.graph, &ids) else { return Ok(()) };
        let (mut sound, mut faulty) = (0, ids.len());
        let mut first = fact;
        while sound + 1 < faulty {
            let middle = sound + (faulty - sound) / 2;
            match verify(&self.graph, &ids[..middle]) {
                Ok(()) => sound = middle,
                Err(fact) => (faulty, first) = (middle, fact),
            }
        }
        let line = self.lines.get(sound).map_or(0, |&(line, _)| line);
        // The verifier names our ids, the line its own.
        let fact = first.split_once("): ").map_or(first.as_str(), |(_, fact)| fact).to_owned();
        Err(TextError { line, fault: TextFault::Unfit(fact) })
    }
}

fn with_parameters(name: &str, cursor: &mut Cursor) -> Fallible<Op> {
    Ok(Op::Structural(match name {
        "sum" => Structural::Sum { axes: cursor.axis_set()? },
        "broadcast" => Structural::Broadcast { axes: cursor.axis_set()? },
        "reshape" => Structural::Reshape,
        "permute" => Structural::Permute { order: pack_order(cursor.axes("order")?) },
        "slice" => {
            let (axis, start, length) = cursor.window()?;
            Structural::Slice { axis, start, length }
        }
        "pad" => {
            let (axis, start, length) = cursor.window()?;
            Structural::Pad { axis, start, length }
        }
        "stack" => Structural::Stack,
        "window" => Structural::Window {
            axis: cursor.labelled_axis("axis")?,
            length: cursor.labelled("length")?,
            stride: cursor.labelled("stride")?,
        },
        "overlap" => {
            Structural::Overlap { axis: cursor.labelled_axis("axis")?, stride: cursor.labelled("stride")? }
        }
        "gather" => Structural::Gather,
        "scatter" => Structural::Scatter { rows: cursor.labelled("rows")? },
        "iota" => Structural::Iota,
        "contract" => {
            let over = cursor.labelled_axis("over")?;
            let batch = if cursor.0.starts_with("batch") { cursor.labelled_axis("batch")? } else { 0 };
            return Ok(Op::Contract { batch, over });
        }
        name if let Some(op) = Reduction::ALL.iter().find(|op| op.text_name() == name) => {
            return Ok(Op::Reduce { op: *op, axes: cursor.axis_set()? });
        }
        _ => return Err(TextFault::UnknownOp(name.to_owned())),
    }))
}

/// What is left of a line; blanks are skipped after every token.
struct Cursor<'t>(&'t str);

impl<'t> Cursor<'t> {
    fn advance(&mut self, bytes: usize) -> &'t str {
        let (token, rest) = self.0.split_at(bytes);
        self.0 = rest.trim_start();
        token
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let end = self.0.find(|c| !is_part(c)).unwrap_or(self.0.len());
        self.advance(end)
    }

    /// A run of name characters, perhaps empty.
    fn word(&mut self) -> &'t str {
        self.take_while(is_name_char)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.0.starts_with(sign);
        if found {
            self.advance(sign.len());
        }
        found
    }

    fn sign(&mut self, sign: &'static str) -> Fallible<()> {
        if self.take(sign) { Ok(()) } else { Err(TextFault::Expected(sign)) }
    }

    fn end(&self) -> Fallible<()> {
        if self.0.is_empty() { Ok(()) } else { Err(TextFault::Expected("the end of the line")) }
    }

    fn integer(&mut self) -> Fallible<u32> {
        let digits = self.take_while(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| TextFault::Expected("a whole number below 2^32"))
    }

    fn node(&mut self) -> Fallible<u32> {
        self.sign("%")?;
        self.integer()
    }

    fn labelled(&mut self, label: &'static str) -> Fallible<u32> {
        if self.word() != label {
            return Err(TextFault::Expected(label));
        }
        self.integer()
    }

    fn labelled_axis(&mut self, label: &'static str) -> Fallible<u8> {
        let axis = self.labelled(label)?;
        u8::try_from(axis).ok().filter(|&n| usize::from(n) <= MAX_RANK).ok_or(TextFault::Budget("axes"))
    }

    fn axes(&mut self, label: &'static str) -> Fallible<Vec<usize>> {
        if self.word() != label {
            return Err(TextFault::Expected(label));
        }
        let mut axes = Vec::new();
        while self.0.starts_with(|c: char| c.is_ascii_digit()) {
            axes.push(self.integer()? as usize);
        }
        match axes.len() <= MAX_RANK && axes.iter().all(|&axis| axis < MAX_RANK) {
            true => Ok(axes),
            false => Err(TextFault::Budget("axes")),
        }
    }

    fn axis_set(&mut self) -> Fallible<u8> {
        Ok(self.axes("axes")?.into_iter().fold(0, |set, axis| set | 1 << axis))
    }

    fn window(&mut self) -> Fallible<(u8, u32, u32)> {
        Ok((self.labelled_axis("axis")?, self.labelled("start")?, self.labelled("length")?))
    }

    fn whole(&mut self) -> Fallible<Number> {
        let digits = self.take_while(|c| c.is_ascii_digit());
        match digits.len() {
            0 => Err(TextFault::Expected("a number")),
            n if n > DIGITS => Err(TextFault::Budget("digits")),
            _ => Number::from_decimal(digits).ok_or(TextFault::Expected("a number")),
        }
    }

    fn rational(&mut self) -> Fallible<Number> {
        let negative = self.take("-");
        let mut value = self.whole()?;
        if self.take("/") {
            value = value.div(&self.whole()?).ok_or(TextFault::Expected("a denominator other than 0"))?;
        }
        Ok(if negative { value.negate() } else { value })
    }

    /// An input's name, bare or in quotes.
    fn name(&mut self) -> Fallible<String> {
        if !self.0.starts_with('"') {
            let name = self.word();
            return if name.is_empty() { Err(TextFault::Expected("a name")) } else { Ok(name.to_owned()) };
        }
        let mut name = String::new();
        let mut chars = self.0.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.advance(at + 1);
                    return Ok(name);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => name.push('\n'),
                    Some((_, 'r')) => name.push('\r'),
                    Some((_, c)) => name.push(c),
                    None => break,
                },
                c => name.push(c),
            }
        }
        Err(TextFault::Expected("a closing quote"))
    }

    /// `: f64[2,3]`
    fn ty(&mut self) -> Fallible<Type> {
        self.sign(":")?;
        let dtype = match self.word() {
            "f64" => DType::F64,
            "f32" => DType::F32,
            "bool" => DType::Bool,
            "int" => DType::Int,
            _ => return Err(TextFault::Expected("a type")),
        };
        let mut extents = Vec::new();
        if self.take("[") {
            loop {
                extents.push(self.integer()?);
                if !self.take(",") {
                    break;
                }
            }
            self.sign("]")?;
        }
        let shape = Shape::new(extents.iter().copied());
        // Zero extents must not hide absurd ones, which other shapes would then bring out.
        let size = extents.iter().fold(1usize, |n, &d| n.saturating_mul((d as usize).max(1)));
        match (shape.rank() <= MAX_RANK, size <= ELEMENTS) {
            (true, true) => Ok(Type::new(dtype, shape)),
            (false, _) => Err(TextFault::Budget("axes")),
            (_, false) => Err(TextFault::Budget("elements")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, line: usize, fault: &str) {
        let error = read(text).err().expect("refused");
        assert_eq!((error.line, error.to_string()), (line, format!("line {line}: {fault}")), "{text}");
    }

    #[test]
    fn faults_name_their_line() {
        check("", 1, "expected `outputs`");
        check("hello", 1, "expected `%` or `outputs`");
        check("%0 = input x : f64\n\n%1 = sine %0 : f64", 3, "unknown op `sine`");
        check("%0 = sin %1 : f64", 1, "`%1` is not defined above");
        check("%0 = input x : f64\n%0 = sin %0 : f64", 2, "`%0` is defined twice");
        check("%0 = input x : f64\n%1 = input x : f64", 2, "`x` is defined twice");
        check("%0 = const 1/0 : f64", 1, "expected a denominator other than 0");
        check("%0 = input x : f64[4294967295,4294967295]", 1, "too many elements");
        check("%0 = input x : f64\noutputs %0\noutputs %0", 3, "expected nothing after the outputs");
        check("%0 = input x : f64\noutputs %0,", 2, "expected `%` after the comma");
        check("%0 = input \"x : f64", 1, "expected a closing quote");
    }

    #[test]
    fn types_are_checked() {
        let x = "%0 = input x : f64[3]\n";
        check(&format!("{x}%1 = sin %0, %0 : f64[3]\noutputs %1"), 2, "wrong number of operands");
        check(&format!("{x}%1 = sin %0 : bool[3]\noutputs %1"), 2, "the types do not fit the op");
        check(
            &format!("{x}%1 = sin %0 : f64\n%2 = sin %1 : f64\noutputs %2"),
            2,
            "elementwise operands differ in shape",
        );
        check(
            &format!("{x}%1 = slice %0 axis 0 start 2 length 2 : f64[2]\noutputs"),
            2,
            "shapes do not fit the op",
        );
        check(&format!("{x}%1 = stack : f64[0]\noutputs %1"), 2, "shapes do not fit the op");
        check(&format!("{x}%1 = contract %0, %0 over 2 : f64\noutputs %1"), 2, "contracted axes differ");
        check(&format!("{x}%1 = sum %0 axes 9 : f64\noutputs %1"), 2, "too many axes");
    }
}
