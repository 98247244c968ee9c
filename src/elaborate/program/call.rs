//! Calls: arguments find their parameters, blocks are entered, what is built in is applied.

use super::extra::Extra;
use super::frames::{Env, Then};
use super::machine::Machine;
use super::scan::Scan;
use super::unit::{FunctionId, SlotKind};
use super::value::{FunctionValue, Tensor, Value};
use super::words::quoted;
use crate::elaborate::apply::{Fault, shape_fault};
use crate::elaborate::names::Builtin;
use crate::elaborate::suggest::suggest;
use crate::elaborate::words::wrong_arity;
use crate::error::{Diagnostic, ErrorKind, Span};
use crate::ir::{DType, Op, Selection};
use crate::syntax::program::FunctionKind;
use crate::syntax::{ExprId, ExprKind, Reducer};

/// A call that has been run before: what is called, and with what.
pub(super) type Key = (FunctionValue, Vec<Option<Value>>);

/// An argument.
pub(super) struct Arg {
    pub(super) name: Option<String>,
    pub(super) value: Value,
    pub(super) span: Span,
}

impl Machine<'_, '_> {
    /// A call: its value, or nothing where its block runs first.
    pub(super) fn call(&mut self, id: ExprId, args: &[ExprId]) -> Result<Option<Value>, Fault> {
        let unit = self.unit();
        let (ast, place) = (&unit.ast, unit.ast.callee_span(id));
        let function = match self.meaning(unit.refs[&id], place)? {
            None => return Ok(None),
            Some(Value::Function(function)) => function,
            Some(_) => {
                let name = place.text(ast.source());
                let inside: Vec<&str> = args.iter().map(|&arg| ast.text(arg)).collect();
                let words = super::words::no_function(name, place, &inside.join(", "));
                return Err(Box::new((ErrorKind::Name, words)));
            }
        };
        let argument = |&arg: &ExprId| {
            let name = match ast[arg].kind {
                ExprKind::Named { name, .. } => Some(ast.name(name).to_owned()),
                _ => None,
            };
            let inner = match ast[arg].kind {
                ExprKind::Named { value, .. } => value,
                _ => arg,
            };
            Arg { name, value: self.value(arg), span: ast.span(inner) }
        };
        let args: Vec<Arg> = args.iter().map(argument).collect();
        self.invoke(function, args, ast.span(id), place)
    }

    pub(super) fn invoke(
        &mut self,
        function: FunctionValue,
        args: Vec<Arg>,
        span: Span,
        place: Span,
    ) -> Result<Option<Value>, Fault> {
        match function {
            FunctionValue::Defined { library, function, env } => {
                self.enter_function(library, function, env, args, (span, place))
            }
            FunctionValue::Builtin(builtin) => {
                self.check_built_in(function, &args, builtin.arity(), place)?;
                self.built_in(builtin, args, span).map(Some)
            }
            FunctionValue::Extra(Extra::Scan) => {
                self.check_built_in(function, &args, Extra::Scan.arity(), place)?;
                self.begin_scan(args, span).map(|()| None)
            }
            FunctionValue::Extra(Extra::ByRank) => {
                self.check_built_in(function, &args, Extra::ByRank.arity(), place)?;
                let tensor = self.tensor(&args[0].value, args[0].span)?;
                let chosen = if self.shape(&tensor).is_scalar() { 1 } else { 2 };
                Ok(Some(args[chosen].value.clone()))
            }
            FunctionValue::Extra(extra) => {
                self.check_built_in(function, &args, extra.arity(), place)?;
                self.extra(extra, args, span).map(Some)
            }
        }
    }

    fn check_built_in(
        &self,
        function: FunctionValue,
        args: &[Arg],
        (least, most): (usize, usize),
        place: Span,
    ) -> Result<(), Fault> {
        let (name, signature) = (self.function_name(function), self.signature(function));
        if let Some(arg) = args.iter().find(|arg| arg.name.is_some()) {
            let diagnostic = Diagnostic::error(format!("`{name}` takes no named arguments"));
            let axis = matches!(arg.name.as_deref(), Some("axis" | "dim" | "keepdims"));
            let hint = match (axis, name.as_str()) {
                (true, _) => format!("an axis is an index: `y[j] = {name}[i] x[i,j]`"),
                (_, "if") => format!("call it as `{signature}`; to compare write `==`"),
                _ => format!("call it as `{signature}`"),
            };
            return Err(Box::new((ErrorKind::Name, diagnostic.at(arg.span, "named").hint(hint))));
        }
        if args.len() < least || args.len() > most {
            let words = wrong_arity(&name, &signature, (least, most), args.len());
            return Err(Box::new((ErrorKind::Name, words.at(place, ""))));
        }
        Ok(())
    }

    fn built_in(&mut self, builtin: Builtin, args: Vec<Arg>, span: Span) -> Result<Value, Fault> {
        let mut tensors = Vec::with_capacity(args.len());
        for arg in &args {
            tensors.push(self.tensor(&arg.value, arg.span)?);
        }
        let spans: Vec<Span> = args.iter().map(|arg| arg.span).collect();
        let reducer = match builtin {
            Builtin::Sum => Some(Reducer::Sum),
            Builtin::Mean => Some(Reducer::Mean),
            Builtin::Fold(op) => Reducer::from_name(match op.name() {
                "logaddexp" => "logsumexp",
                name => name,
            }),
            _ => None,
        };
        if let (Some(Reducer::Sum | Reducer::Mean), [only]) = (reducer, tensors.as_mut_slice()) {
            only.node = crate::elaborate::apply::as_number(self.graph, only.node);
        }
        if let (Some(reducer), [only]) = (reducer, tensors.as_slice()) {
            if self.graph.ty(only.node).dtype == DType::Bool {
                let source = self.unit().ast.source();
                return Err(shape_fault(crate::elaborate::apply::not_a_number(source, spans[0])));
            }
            return Ok(self.reduce_all(reducer, only, span)?.into());
        }
        if let (Builtin::If, [condition, then, otherwise]) = (builtin, tensors.as_slice())
            && let Some(truth) = self.decided(condition)
        {
            return Ok(if truth { then.clone() } else { otherwise.clone() }.into());
        }
        if let (Builtin::Dot, [a, b]) = (builtin, tensors.as_slice()) {
            let operands = [a.clone(), b.clone()];
            let code = crate::elaborate::code::CodeOp::Dot;
            return Ok(self.matrix_product(code, span, &[spans[0], spans[1]], operands)?.into());
        }
        Ok(self.apply(Machine::builtin_op(builtin), span, &spans, &tensors)?.into())
    }

    /// A comparison of two constants is decided now.
    fn decided(&self, condition: &Tensor) -> Option<bool> {
        let Op::Selection(op) = self.graph.op(condition.node) else { return None };
        let is_comparison =
            matches!(op, Selection::Less | Selection::LessEqual | Selection::Equal | Selection::NotEqual);
        let [a, b] = *self.graph.operands(condition.node) else { return None };
        let (a, b) = (self.graph.constant(a)?, self.graph.constant(b)?);
        is_comparison.then(|| op.compare(a.to_f64(), b.to_f64()))
    }

    /// Enters the block of a function with its parameters bound.
    fn enter_function(
        &mut self,
        library: bool,
        function: FunctionId,
        parent: usize,
        args: Vec<Arg>,
        (span, place): (Span, Span),
    ) -> Result<Option<Value>, Fault> {
        let bound = self.bind(library, function, args, place)?;
        let block = &self.unit_of(library).blocks[function];
        if block.kind == FunctionKind::Optimizer {
            let diagnostic = Diagnostic::error(format!("`{}` is an optimizer, not a function", block.name));
            let hint = format!("ask for it in `train {{ optimizer = {}(…) }}`", block.name);
            return Err(Box::new((ErrorKind::Name, diagnostic.at(place, "").hint(hint))));
        }
        let value = FunctionValue::Defined { library, function, env: parent };
        let key: Key = (value, bound.clone());
        if let Some(known) = self.memo.get(&key) {
            return Ok(Some(known.clone()));
        }
        let body = block.value.expect("every function but an optimizer has a value");
        let owned: Vec<usize> = (0..block.slots.len())
            .rev()
            .filter(|&slot| matches!(block.slots[slot].kind, SlotKind::Param { .. }))
            .collect();
        if self.sealed > 0 && !owned.is_empty() {
            return Err(self.sealed_layer(&block.name, place));
        }
        let path = self.path_of(block.kind, &block.name);
        let env = self.env(library, function, Some(parent), path);
        let caller = self.env_at();
        self.envs[env].order = self.envs[caller].order.iter().copied().chain([span.end]).collect();
        for (slot, value) in bound.into_iter().enumerate() {
            self.envs[env].slots[slot] = value;
        }
        let made = self.made.params.len() + self.made.noises.len();
        self.push(env, vec![body], owned, Then::Call { key: Some(key), made })?;
        Ok(None)
    }

    fn sealed_layer(&self, name: &str, place: Span) -> Fault {
        let diagnostic = Diagnostic::error(format!("`{name}` would make new parameters at every step"));
        let hint = "declare the parameters outside of the step, with `param`, and use them in it";
        Box::new((ErrorKind::Name, diagnostic.at(place, "called within `scan`").hint(hint)))
    }

    /// What parameters made in the block are called by: a layer's are numbered by kind.
    fn path_of(&mut self, kind: FunctionKind, name: &str) -> String {
        let around = self.envs[self.env_at()].path.clone();
        if kind != FunctionKind::Layer {
            return around;
        }
        let kind = format!("{around}{name}");
        let count = self.counters.entry(kind.clone()).or_insert(0);
        *count += 1;
        format!("{kind}{count}.")
    }

    /// The parameters' values in order; those left to their defaults are open.
    pub(super) fn bind(
        &mut self,
        library: bool,
        function: FunctionId,
        args: Vec<Arg>,
        place: Span,
    ) -> Result<Vec<Option<Value>>, Fault> {
        let unit = self.unit_of(library);
        let block = &unit.blocks[function];
        let parameters = &block.slots[..block.parameters];
        let optional = |slot: &super::unit::Slot| matches!(slot.kind, SlotKind::Parameter(Some(_)));
        let least = parameters.iter().filter(|slot| !optional(slot)).count();
        let given = args.len();
        let arity = || {
            let signature = unit.signature(function);
            let words = wrong_arity(&block.name, &signature, (least, block.parameters), given);
            Box::new((ErrorKind::Name, words.at(place, "")))
        };
        let mut bound: Vec<Option<Value>> = vec![None; block.parameters];
        for (i, arg) in args.into_iter().enumerate() {
            let slot = match &arg.name {
                None if i < block.parameters => i,
                None => return Err(arity()),
                Some(name) => match parameters.iter().position(|slot| slot.name == *name) {
                    Some(slot) => slot,
                    None => {
                        return Err(unknown_parameter(name, arg.span, &unit.signature(function), parameters));
                    }
                },
            };
            if bound[slot].is_some() {
                let diagnostic = Diagnostic::error(format!("`{}` is given twice", parameters[slot].name));
                return Err(Box::new((ErrorKind::Name, diagnostic.at(arg.span, "again"))));
            }
            bound[slot] = Some(match arg.value {
                Value::Product(_) => Value::Tensor(self.tensor(&arg.value, arg.span)?),
                value => value,
            });
        }
        let open = |(slot, value): (&super::unit::Slot, &Option<Value>)| value.is_none() && !optional(slot);
        match parameters.iter().zip(&bound).any(open) {
            true => Err(arity()),
            false => Ok(bound),
        }
    }

    pub(super) fn function_name(&self, function: FunctionValue) -> String {
        match function {
            FunctionValue::Builtin(builtin) => builtin.name().to_owned(),
            FunctionValue::Extra(extra) => extra.name().to_owned(),
            FunctionValue::Defined { library, function, .. } => {
                self.unit_of(library).blocks[function].name.clone()
            }
        }
    }

    pub(super) fn signature(&self, function: FunctionValue) -> String {
        match function {
            FunctionValue::Builtin(builtin) => builtin.signature(),
            FunctionValue::Extra(extra) => extra.signature().to_owned(),
            FunctionValue::Defined { library, function, .. } => self.unit_of(library).signature(function),
        }
    }

    fn begin_scan(&mut self, args: Vec<Arg>, span: Span) -> Result<(), Fault> {
        let scan = Scan::new(self, args, span)?;
        self.sealed += 1;
        self.frames.push(super::frames::Frame::Scan(scan));
        Ok(())
    }

    /// The outermost run of the library under way, and the function it is of.
    pub(super) fn library_call(&self) -> Option<(usize, &Env)> {
        // Frames below it have not changed since it was pushed; one in its place may be another's.
        let at = self.outermost?;
        match self.frames.get(at)? {
            super::frames::Frame::Run(run) => Some((at, &self.envs[run.env])).filter(|(_, env)| env.library),
            super::frames::Frame::Scan(_) => None,
        }
    }
}

fn unknown_parameter(name: &str, span: Span, signature: &str, slots: &[super::unit::Slot]) -> Fault {
    let diagnostic = Diagnostic::error(format!("there is no parameter `{}` here", quoted(name)));
    let usual = match name {
        "learning_rate" | "rate" | "step_size" | "alpha" | "eta" => Some("lr"),
        "activation" | "act" => Some("f"),
        "units" | "out_features" | "width" => Some("n"),
        "kernel_size" => Some("size"),
        _ => None,
    };
    let known = |name: &&str| slots.iter().any(|slot| slot.name == *name);
    let near = usual.filter(known).or_else(|| suggest(name, slots.iter().map(|slot| slot.name.as_str())));
    let hint = match near {
        Some(near) => format!("did you mean `{near}`? It is called as `{signature}`"),
        None => format!("it is called as `{signature}`"),
    };
    Box::new((ErrorKind::Name, diagnostic.at(span, "named like that").hint(hint)))
}
