//! The values indices run over, found from the subscripts they stand in.
//!
//! `x[i]` alone gives i the extent of its axis; two such extents must agree. `x[i + 1]` and
//! `x[2*r + p]` keep the subscript within the axis for all values of the other indices.

use super::frames::Goal;
use super::machine::Machine;
use super::value::{Affine, Label, Labels, Value};
use crate::elaborate::apply::{Fault, shape_fault};
use crate::error::{Diagnostic, Span};
use crate::syntax::{ExprId, ExprKind, Subscript};

/// A subscript made of indices, and the axis it stands for.
struct Use {
    subscript: Affine,
    extent: u32,
    span: Span,
}

impl Machine<'_, '_> {
    /// Opens an index notation: what its ranges depend on is computed first.
    pub(super) fn open(&mut self, scope: ExprId) -> Result<(), Fault> {
        let unit = self.unit();
        let ast = &unit.ast;
        self.name_indices(scope);
        let depth = unit.depths[&scope];
        let ExprKind::Indexed { body, .. } = ast[scope].kind else { return Ok(()) };
        let is_ready = |id: ExprId| unit.free[id.index()] >> depth == 0;
        let mut ahead: Vec<ExprId> = Vec::new();
        for id in between(unit.first[body.index()], body) {
            match ast[id].kind {
                ExprKind::Indexed { binders, .. } => {
                    self.name_indices(id);
                    let ranges = ast.binders(binders).iter().filter_map(|b| b.range);
                    ahead.extend(ranges.flat_map(|(from, to)| [from, to]).filter(|&e| is_ready(e)));
                }
                ExprKind::Index { base, subscripts } => {
                    ahead.extend(Some(base).filter(|&base| is_ready(base)));
                    for subscript in ast.subscripts(subscripts) {
                        let Subscript::At(at) = *subscript else { continue };
                        if !is_ready(at) {
                            ahead.extend(constant_parts(ast, at, is_ready));
                        }
                    }
                }
                _ => {}
            }
        }
        let firsts: Vec<(ExprId, ExprId)> = ahead.iter().map(|&id| (unit.first[id.index()], id)).collect();
        let run = self.run();
        run.goals.push(Goal::Infer(scope));
        run.goals.extend(firsts.into_iter().rev().map(|(at, end)| Goal::Range { at, end }));
        Ok(())
    }

    /// Gives the indices of a scope their labels, once.
    fn name_indices(&mut self, scope: ExprId) {
        if self.run().scopes.contains_key(&scope) {
            return;
        }
        let ast = &self.unit().ast;
        let ExprKind::Indexed { binders, .. } = ast[scope].kind else { return };
        let named = ast.binders(binders).iter();
        let labels: Labels = named.map(|b| self.label(ast.name(b.name).to_owned(), b.span, None)).collect();
        self.run().scopes.insert(scope, labels);
    }

    /// Finds the ranges of a scope's indices, and of those inside it where that is possible.
    pub(super) fn infer(&mut self, scope: ExprId) -> Result<(), Fault> {
        let unit = self.unit();
        let ast = &unit.ast;
        let ExprKind::Indexed { body, .. } = ast[scope].kind else { return Ok(()) };
        let mut uses = Vec::new();
        self.written_range(scope)?;
        for id in between(unit.first[body.index()], body) {
            match ast[id].kind {
                ExprKind::Indexed { .. } => self.written_range(id)?,
                ExprKind::Index { base, subscripts } => {
                    let Some(value) = self.known(base) else { continue };
                    let tensor = self.tensor(&value, ast.span(base))?;
                    let shape = self.shape(&tensor);
                    for (subscript, &extent) in ast.subscripts(subscripts).iter().zip(shape.extents()) {
                        if let Subscript::At(at) = *subscript
                            && let Some(subscript) = self.subscript(at)
                            && !subscript.terms.is_empty()
                        {
                            uses.push(Use { subscript, extent, span: ast.span(id) });
                        }
                    }
                }
                _ => {}
            }
        }
        self.solve(&uses)?;
        let labels = self.run().scopes[&scope].clone();
        match labels.iter().find(|label| self.labels[label.0 as usize].range.is_none()) {
            Some(&label) => Err(self.no_range(label)),
            None => Ok(()),
        }
    }

    /// The range written with an index, as in `sum[i = 0:n]`.
    fn written_range(&mut self, scope: ExprId) -> Result<(), Fault> {
        let ast = &self.unit().ast;
        let ExprKind::Indexed { binders, .. } = ast[scope].kind else { return Ok(()) };
        for (i, binder) in ast.binders(binders).iter().enumerate() {
            let label = self.run().scopes[&scope][i];
            let Some((from, to)) = binder.range else { continue };
            if self.labels[label.0 as usize].range.is_some() {
                continue;
            }
            let (Some(first), Some(end)) = (self.known(from), self.known(to)) else { continue };
            let (first, end) = (self.whole(&first, ast.span(from))?, self.whole(&end, ast.span(to))?);
            self.set_range(label, first, end - 1, ast.span(from).to(ast.span(to)))?;
        }
        Ok(())
    }

    fn whole(&self, value: &Value, span: Span) -> Result<i64, Fault> {
        let whole =
            self.as_affine(value).filter(|affine| affine.terms.is_empty()).map(|affine| affine.constant);
        whole.filter(|n| n.unsigned_abs() < 1 << 32).ok_or_else(|| {
            let diagnostic =
                Diagnostic::error("the range of an index must be whole numbers known beforehand");
            shape_fault(diagnostic.at(span, "not a constant whole number").hint("as in `sum[i = 0:10]`"))
        })
    }

    fn set_range(&mut self, label: Label, first: i64, last: i64, span: Span) -> Result<(), Fault> {
        if last < first {
            let name = &self.labels[label.0 as usize].name;
            let diagnostic = Diagnostic::error(format!("the index `{name}` has no value"));
            let hint = "the array is smaller than what slides along it, or the range is empty";
            return Err(shape_fault(diagnostic.at(span, "no value fits here").hint(hint)));
        }
        self.labels[label.0 as usize].range =
            Some((first, (last - first + 1).min(i64::from(u32::MAX)) as u32));
        Ok(())
    }

    /// What a subscript is as a sum of indices, computed without their ranges.
    fn subscript(&self, root: ExprId) -> Option<Affine> {
        let unit = self.unit();
        let ast = &unit.ast;
        let start = unit.first[root.index()];
        let mut found: Vec<Option<Affine>> = Vec::new();
        for id in between(start, root) {
            let of = |child: ExprId| found.get(child.index() - start.index()).cloned().flatten();
            let affine = match ast[id].kind {
                _ if self.known(id).is_some() => self.as_affine(&self.known(id)?),
                ExprKind::Name(_) => match unit.refs.get(&id) {
                    Some(&super::unit::Ref::Index { scope, index }) => {
                        self.scopes(scope).map(|labels| Affine::index(labels[index as usize]))
                    }
                    _ => None,
                },
                ExprKind::Group(child) | ExprKind::Plus(child) => of(child),
                ExprKind::Neg(child) => of(child).and_then(|a| Affine::default().plus(-1, &a)),
                ExprKind::Binary { op, lhs, rhs } => match (op, of(lhs), of(rhs)) {
                    (crate::syntax::BinaryOp::Add, Some(a), Some(b)) => a.plus(1, &b),
                    (crate::syntax::BinaryOp::Sub, Some(a), Some(b)) => a.plus(-1, &b),
                    (crate::syntax::BinaryOp::Mul, Some(a), Some(b)) => a.times(&b),
                    _ => None,
                },
                _ => None,
            };
            found.push(affine);
        }
        found.pop().flatten()
    }

    fn range_of(&self, label: Label) -> Option<(i64, i64)> {
        let (first, extent) = self.labels[label.0 as usize].range?;
        Some((first, first + i64::from(extent) - 1))
    }

    fn solve(&mut self, uses: &[Use]) -> Result<(), Fault> {
        let known: Vec<bool> = self.labels.iter().map(|info| info.range.is_some()).collect();
        let mut first: Vec<Option<(u32, Span)>> = vec![None; self.labels.len()];
        // Plain subscripts first: each gives the index its whole axis.
        for one in uses.iter().filter(|one| one.is_plain()) {
            let label = one.subscript.terms[0].0;
            match first[label.0 as usize] {
                _ if known[label.0 as usize] => {}
                None => {
                    first[label.0 as usize] = Some((one.extent, one.span));
                    self.set_range(label, 0, i64::from(one.extent) - 1, one.span)?;
                }
                Some((extent, span)) if extent != one.extent => {
                    return Err(self.disagreement(label, (extent, span), (one.extent, one.span)));
                }
                Some(_) => {}
            }
        }
        self.narrow(uses, &known)?;
        self.widen(uses)?;
        uses.iter().try_for_each(|one| self.check_use(one))
    }

    /// `x[i + 1]` beside `x[i]`: the values for which both exist.
    fn narrow(&mut self, uses: &[Use], known: &[bool]) -> Result<(), Fault> {
        for one in uses.iter().filter(|one| one.subscript.terms.len() == 1 && !one.is_plain()) {
            let label = one.subscript.terms[0].0;
            if known[label.0 as usize] {
                continue;
            }
            let (lo, hi) = one.fitting(0, 0);
            let (first, last) = self.range_of(label).unwrap_or((lo, hi));
            self.set_range(label, first.max(lo), last.min(hi), one.span)?;
        }
        Ok(())
    }

    /// Subscripts of several indices, all but one of which are known.
    fn widen(&mut self, uses: &[Use]) -> Result<(), Fault> {
        loop {
            let unknown = uses.iter().find_map(|one| one.lone_unknown(self));
            let Some(label) = unknown else { return Ok(()) };
            let mut range: Option<(i64, i64)> = None;
            let mut place = Span::default();
            for one in uses.iter().filter(|one| one.lone_unknown(self) == Some(label)) {
                let (least, greatest) = self.span_of(&one.subscript, Some(label));
                let alone = Affine {
                    terms: one.subscript.terms.iter().copied().filter(|t| t.0 == label).collect(),
                    constant: one.subscript.constant,
                };
                let (lo, hi) = Use { subscript: alone, ..*one }.fitting(least, greatest);
                let (first, last) = range.unwrap_or((lo, hi));
                range = Some((first.max(lo), last.min(hi)));
                place = one.span;
            }
            let (first, last) = range.unwrap_or((0, -1));
            self.set_range(label, first, last, place)?;
        }
    }

    /// The least and greatest value of all terms but one.
    fn span_of(&self, affine: &Affine, except: Option<Label>) -> (i64, i64) {
        let terms = affine.terms.iter().filter(|t| Some(t.0) != except);
        terms.fold((0, 0), |(least, greatest), &(label, k)| {
            let (first, last) = self.range_of(label).unwrap_or((0, 0));
            let (a, b) = (k.saturating_mul(first), k.saturating_mul(last));
            (least.saturating_add(a.min(b)), greatest.saturating_add(a.max(b)))
        })
    }

    fn check_use(&self, one: &Use) -> Result<(), Fault> {
        if one.subscript.terms.iter().any(|t| self.range_of(t.0).is_none()) {
            return Ok(());
        }
        let (least, greatest) = self.span_of(&one.subscript, None);
        let (least, greatest) = (least + one.subscript.constant, greatest + one.subscript.constant);
        let last = i64::from(one.extent) - 1;
        if least >= 0 && greatest <= last {
            return Ok(());
        }
        let beyond = if least < 0 { least } else { greatest };
        let text = super::words::quoted(one.span.text(self.unit().ast.source()));
        let diagnostic = Diagnostic::error(format!("`{text}` reaches the subscript {beyond}"));
        let diagnostic = diagnostic.at(one.span, format!("the subscripts are 0 to {last}"));
        let label = one.subscript.terms[0].0;
        let info = &self.labels[label.0 as usize];
        let (first, end) = self.range_of(label).unwrap_or((0, 0));
        let diagnostic = match self.is_here(info.span) {
            true => diagnostic.and_at(info.span, format!("`{}` runs from {first} to {end}", info.name)),
            false => diagnostic,
        };
        Err(shape_fault(diagnostic.hint("write the range, as in `sum[i = 0:n]`, or make the arrays fit")))
    }

    /// Places in the text at hand; a label may come from a caller.
    fn is_here(&self, span: Span) -> bool {
        !self.unit().is_library && span != Span::default()
    }

    fn disagreement(&self, label: Label, first: (u32, Span), other: (u32, Span)) -> Fault {
        let name = &self.labels[label.0 as usize].name;
        let message = format!("the index `{name}` has {} values here and {} there", other.0, first.0);
        let diagnostic = Diagnostic::error(message)
            .at(other.1, format!("`{name}` from 0 to {}", i64::from(other.0) - 1))
            .and_at(first.1, format!("`{name}` from 0 to {}", i64::from(first.0) - 1));
        shape_fault(diagnostic.hint("an index has one range: the axes it runs along must be equally long"))
    }

    pub(super) fn no_range(&self, label: Label) -> Fault {
        let info = &self.labels[label.0 as usize];
        let name = &info.name;
        let diagnostic = Diagnostic::error(format!("nothing says which values `{name}` runs over"));
        let hint = format!("use it as a subscript, `x[{name}]`, or write its range, `[{name} = 0:n]`");
        shape_fault(diagnostic.at(info.span, "this index").hint(hint))
    }
}

impl Use {
    /// One index alone.
    fn is_plain(&self) -> bool {
        self.subscript.constant == 0 && matches!(self.subscript.terms.as_slice(), [(_, 1)])
    }

    /// The values of the only index for which the subscript lies in its axis, whatever lies
    /// between `least` and `greatest` is added.
    fn fitting(&self, least: i64, greatest: i64) -> (i64, i64) {
        let (lo, hi) = (
            0 - least - self.subscript.constant,
            i64::from(self.extent) - 1 - greatest - self.subscript.constant,
        );
        match self.subscript.terms.first() {
            Some(&(_, k)) if k > 0 => (-(-lo).div_euclid(k), hi.div_euclid(k)),
            Some(&(_, k)) => (-hi.div_euclid(-k), (-lo).div_euclid(-k)),
            None => (0, -1),
        }
    }

    /// The only index whose range is not known.
    fn lone_unknown(&self, machine: &Machine<'_, '_>) -> Option<Label> {
        let mut unknown = self.subscript.terms.iter().filter(|t| machine.range_of(t.0).is_none());
        let label = unknown.next()?.0;
        unknown.next().is_none().then_some(label)
    }
}

fn between(start: ExprId, end: ExprId) -> impl Iterator<Item = ExprId> {
    std::iter::successors(Some(start), move |id| (id.index() < end.index()).then(|| id.next()))
}

/// The largest parts of a subscript that depend on no index, in order.
fn constant_parts(ast: &crate::syntax::Ast, root: ExprId, is_ready: impl Fn(ExprId) -> bool) -> Vec<ExprId> {
    let mut found = Vec::new();
    let mut todo = vec![root];
    while let Some(id) = todo.pop() {
        match is_ready(id) {
            true => found.push(id),
            // What lies inside an index is no sum of indices.
            false if matches!(ast[id].kind, ExprKind::Index { .. } | ExprKind::Call { .. }) => {}
            false => todo.extend(ast.children(id)),
        }
    }
    found.sort();
    found
}
