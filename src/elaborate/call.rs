//! Calls, sequences and numbers: which juxtaposed items are whose argument.

use super::code::{Callee, CodeId, CodeOp};
use super::read::{Awaiting, Reader, Reading, root_op};
use super::scope::Meaning;
use super::{library, names, words};
use crate::error::{Diagnostic, Error, Span};
use crate::ir::{Elementwise, Number};
use crate::syntax::{BinaryOp, ExprId, ExprKind, Item, Link, Symbol};

/// Zeros all decimal exponents of one text may ask for: exact numbers that long cost time.
const ZEROS: u64 = 10_000_000;

impl<'a> Reader<'a, '_> {
    pub(super) fn number(&mut self, id: ExprId) -> Result<CodeId, Error> {
        let span = self.ast.span(id);
        let text = self.ast.text(id);
        if let Some(&n) = self.numbers.get(text) {
            return Ok(self.code.push(CodeOp::Number(n), &[], span));
        }
        let plain = self.ast.number_text(id);
        let exponent = plain.split_once('e').and_then(|(_, e)| e.parse::<i64>().ok()).unwrap_or(0);
        self.zeros += exponent.unsigned_abs();
        if self.zeros > ZEROS {
            return Err(words::too_long_numbers(span, ZEROS));
        }
        let short = if plain.len() <= 18 { plain.parse().ok().map(Number::integer) } else { None };
        let number =
            short.or_else(|| Number::from_decimal(&plain)).expect("the scanner has checked the number");
        let n = self.code.numbers.len() as u32;
        self.code.numbers.push(number);
        self.numbers.insert(text, n);
        Ok(self.code.push(CodeOp::Number(n), &[], span))
    }

    /// `name(args)`: a call of a function; otherwise a product.
    pub(super) fn call(&mut self, id: ExprId, name: Symbol, args: &'a [ExprId]) -> Result<Reading, Error> {
        let (span, place) = (self.ast.span(id), self.ast.callee_span(id));
        match self.names.callee(name) {
            Meaning::Function(callee) => {
                let values = args.iter().map(|&arg| self.value(arg)).collect::<Result<Vec<_>, _>>()?;
                Ok(Reading::Value(self.apply(callee, &values, span, place)?))
            }
            Meaning::Unknown => Err(words::unknown_function(self.ast.name(name), place, self.names)),
            meaning => {
                let [arg] = args else {
                    return Err(words::not_a_function(self.ast.name(name), place, args.len()));
                };
                let rest = self.value(*arg)?;
                let first = self.meant(meaning, name, place)?;
                self.notes.reading(span);
                self.notes.edit(Span::at(place.end), "*");
                Ok(Reading::Product { first, rest, unit: false })
            }
        }
    }

    /// A call, with as many arguments as the function takes.
    pub(super) fn apply(
        &mut self,
        callee: Callee,
        args: &[CodeId],
        span: Span,
        name: Span,
    ) -> Result<CodeId, Error> {
        let (least, most) = self.arity(callee);
        if args.len() < least || args.len() > most {
            let words = words::wrong_arity(
                &self.callee_name(callee),
                &self.signature(callee),
                (least, most),
                args.len(),
            );
            return Err(Error::name(words.at(name, "")));
        }
        let mut args = args.to_vec();
        if let Callee::Library(id) = callee {
            let definition = &library::program().definitions[id.index()];
            let missing = most - args.len();
            for default in &definition.defaults[definition.defaults.len() - missing..] {
                self.code.numbers.push(default.clone());
                let number = CodeOp::Number(self.code.numbers.len() as u32 - 1);
                args.push(self.code.push(number, &[], span));
            }
        }
        Ok(self.code.push(CodeOp::Call(callee), &args, span))
    }

    fn arity(&self, callee: Callee) -> (usize, usize) {
        match callee {
            Callee::Builtin(builtin) => builtin.arity(),
            Callee::Library(id) => {
                let definition = &library::program().definitions[id.index()];
                let most = definition.params.as_ref().map_or(0, Vec::len);
                (most - definition.defaults.len(), most)
            }
            Callee::Defined(id) => {
                let count = words::parameters(self.ast, id).map_or(0, <[_]>::len);
                (count, count)
            }
        }
    }

    pub(super) fn callee_name(&self, callee: Callee) -> String {
        match callee {
            Callee::Builtin(builtin) => builtin.name().to_owned(),
            Callee::Library(id) => library::program().definitions[id.index()].name.clone(),
            Callee::Defined(id) => words::defined_name(self.ast, id).to_owned(),
        }
    }

    pub(super) fn signature(&self, callee: Callee) -> String {
        match callee {
            Callee::Builtin(builtin) => builtin.signature(),
            Callee::Library(id) => library::signature(id),
            Callee::Defined(id) => {
                let params = words::parameters(self.ast, id).unwrap_or_default();
                let params: Vec<&str> = params.iter().map(|(name, _)| self.ast.name(*name)).collect();
                format!("{}({})", words::defined_name(self.ast, id), params.join(", "))
            }
        }
    }

    /// A chain with juxtapositions: products from left to right, functions with what follows them.
    pub(super) fn sequence(&mut self, items: &'a [Item], span: Span) -> Result<Reading, Error> {
        self.notes.reading(span);
        let mut product: Option<CodeId> = None;
        let mut at = 0;
        while at < items.len() {
            let (factor, next) = match self.reading(items[at].operand) {
                Reading::Function(_) => self.application(items, at)?,
                reading => (reading, at + 1),
            };
            let place = self.ast.span(items[at].operand).to(self.ast.span(items[next - 1].operand));
            product = Some(match product {
                None => self.value_of(factor, place)?,
                Some(product) => {
                    self.star(items, at);
                    let whole = Span::new(span.start, place.end);
                    self.times(explicit(items[at].link), product, factor, place, whole)?
                }
            });
            at = next;
        }
        Ok(Reading::Value(product.expect("a sequence has items")))
    }

    /// In a note, a juxtaposed item has a sign before it.
    fn star(&mut self, items: &[Item], at: usize) {
        if at > 0 && items[at].link == Link::Juxtaposed {
            let gap =
                Span::new(self.ast.span(items[at - 1].operand).end, self.ast.span(items[at].operand).start);
            self.notes.edit(gap, "*");
        }
    }

    /// Functions in a row and the items that are the last one's argument; the index after them.
    fn application(&mut self, items: &'a [Item], at: usize) -> Result<(Reading, usize), Error> {
        let mut heads = Vec::new();
        let mut next = at;
        while let Some(item) = items.get(next)
            && (next == at || item.link == Link::Juxtaposed)
            && let Reading::Function(f) = self.reading(item.operand)
        {
            heads.push(f);
            next += 1;
        }
        let innermost = *heads.last().expect("the first item is a function");
        let Some(item) = items.get(next).filter(|item| item.link == Link::Juxtaposed) else {
            return Err(self.needs_argument(innermost, None));
        };
        let (mut argument, mut place, power) = self.first_of_argument(item.operand)?;
        let closed = self.is_closed(item.operand);
        next += 1;
        while !closed
            && let Some(item) = items.get(next)
            && item.link == Link::Juxtaposed
            && !matches!(self.reading(item.operand), Reading::Function(_))
            && !self.is_application(item.operand)
        {
            self.star(items, next);
            let span = self.ast.span(item.operand);
            place = place.to(span);
            argument = self.times(BinaryOp::Mul, argument, self.reading(item.operand), span, place)?;
            next += 1;
        }
        for &f in heads.iter().rev() {
            argument = self.supply(f, argument, place)?;
            place = self.awaiting_span(f).to(place);
        }
        if let Some(exponent) = power {
            argument = self.pow(argument, exponent, place);
        }
        Ok((Reading::Value(argument), next))
    }

    /// The first item of an argument; of `sin (x)^2` the power is the function's, as in `sin(x)^2`.
    fn first_of_argument(&mut self, id: ExprId) -> Result<(CodeId, Span, Option<CodeId>), Error> {
        if let ExprKind::Binary { op: BinaryOp::Pow, lhs, rhs } = self.ast[id].kind
            && let ExprKind::Group(_) = self.ast[lhs].kind
        {
            return Ok((self.value(lhs)?, self.ast.span(lhs), Some(self.value(rhs)?)));
        }
        Ok((self.value(id)?, self.ast.span(id), None))
    }

    /// An item in brackets of its own, or a call, is the whole argument.
    fn is_closed(&self, id: ExprId) -> bool {
        match self.ast[id].kind {
            ExprKind::Group(_) | ExprKind::Abs(_) | ExprKind::Vector(_) => true,
            ExprKind::Binary { op: BinaryOp::Pow, lhs, .. }
                if matches!(self.ast[lhs].kind, ExprKind::Group(_)) =>
            {
                true
            }
            _ => self.is_application(id),
        }
    }

    /// A function's call, perhaps to a power.
    fn is_application(&self, id: ExprId) -> bool {
        let base = match self.ast[id].kind {
            ExprKind::Binary { op: BinaryOp::Pow, lhs, .. } => lhs,
            _ => id,
        };
        let called = matches!(self.ast[base].kind, ExprKind::Call { .. });
        called && matches!(self.reading(base), Reading::Value(_))
    }

    /// Gives an awaiting function its argument, which stands at `place`.
    pub(super) fn supply(&mut self, f: u32, argument: CodeId, place: Span) -> Result<CodeId, Error> {
        let mut layers = vec![self.awaiting[f as usize]];
        while let Awaiting::Power { of, .. } | Awaiting::Neg { of, .. } | Awaiting::Root { of, .. } =
            layers[layers.len() - 1]
        {
            layers.push(self.awaiting[of as usize]);
        }
        let Some(Awaiting::Bare { mut callee, name }) = layers.pop() else {
            unreachable!("the innermost layer is the function's name");
        };
        let mut head = Span::at(name.end);
        let mut inverted = None;
        if let Some(&Awaiting::Power { exponent, span, .. }) = layers.last() {
            head = Span::new(name.end, span.end);
            if self.is_minus_one(exponent) {
                let inverse = self.inverse(callee, name, place)?;
                layers.pop();
                callee = inverse.0;
                inverted = Some(inverse.1);
            }
        }
        self.write_out(name, head, place, inverted);
        let mut node = self.apply(callee, &[argument], name.to(place), name)?;
        for layer in layers.iter().rev() {
            node = match *layer {
                Awaiting::Bare { .. } => node,
                Awaiting::Power { exponent, span, .. } => self.pow(node, exponent, span.to(place)),
                Awaiting::Neg { span, .. } => self.apply_op(Elementwise::Neg, &[node], span.to(place)),
                Awaiting::Root { degree, span, .. } => {
                    self.apply_op(root_op(degree), &[node], span.to(place))
                }
            };
        }
        Ok(node)
    }

    /// `sin² x` as a note shows it: `sin(x)²`.
    fn write_out(&mut self, name: Span, power: Span, place: Span, inverted: Option<&str>) {
        let source = self.ast.source();
        let bracketed = place.text(source).starts_with('(') && place.text(source).ends_with(')');
        let (open, close) = if bracketed { ("", "") } else { ("(", ")") };
        match inverted {
            Some(inverse) => {
                self.notes.edit(Span::new(name.start, place.start), format!("{inverse}{open}"));
                self.notes.edit(Span::at(place.end), close);
            }
            None => {
                self.notes.edit(Span::new(name.end, place.start), open);
                self.notes.edit(Span::at(place.end), format!("{close}{}", power.text(source)));
            }
        }
    }

    fn is_minus_one(&self, exponent: CodeId) -> bool {
        match self.code.op(exponent) {
            CodeOp::Call(callee) => {
                let neg = callee == Callee::Builtin(names::Builtin::Elementwise(Elementwise::Neg));
                neg && self.code.number(self.code.operands(exponent)[0]).is_some_and(Number::is_one)
            }
            _ => false,
        }
    }

    /// What `f^-1` means: the inverse, where everyone takes it for that.
    fn inverse(&mut self, callee: Callee, name: Span, place: Span) -> Result<(Callee, &'static str), Error> {
        let text = self.callee_name(callee);
        let Some(inverse) = names::inverse(&text).filter(|_| !matches!(callee, Callee::Defined(_))) else {
            return Err(words::two_inverses(&text, name));
        };
        let found = names::builtin(inverse)
            .map(Callee::Builtin)
            .or_else(|| library::find(inverse).map(Callee::Library));
        let argument = super::code::shorten(place.text(self.ast.source()).trim_matches(['(', ')']), 20);
        let message = format!("`{text}^-1` is read as the inverse function, `{inverse}`");
        self.notes.say(
            Diagnostic::note(message).at(name, "").hint(format!("the reciprocal is `1/{text}({argument})`")),
        );
        Ok((found.expect("the table of inverses names functions"), inverse))
    }

    pub(super) fn awaiting_span(&self, f: u32) -> Span {
        match self.awaiting[f as usize] {
            Awaiting::Bare { name: span, .. }
            | Awaiting::Power { span, .. }
            | Awaiting::Neg { span, .. }
            | Awaiting::Root { span, .. } => span,
        }
    }

    /// The innermost name of an awaiting function.
    pub(super) fn bare(&self, f: u32) -> (Callee, Span) {
        let mut at = f;
        loop {
            match self.awaiting[at as usize] {
                Awaiting::Bare { callee, name } => return (callee, name),
                Awaiting::Power { of, .. } | Awaiting::Neg { of, .. } | Awaiting::Root { of, .. } => at = of,
            }
        }
    }
}

fn explicit(link: Link) -> BinaryOp {
    match link {
        Link::Explicit(op) => op,
        Link::First | Link::Juxtaposed => BinaryOp::Mul,
    }
}
