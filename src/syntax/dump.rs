//! The AST as S-expressions, for tests and for looking.
//!
//! `(seq 1 / 2 x)` is a sequence: an operator is written where one stands, nothing where the
//! item is juxtaposed. Statements are separated by `; `, derivatives stand first as `(d x 1)`.

use std::fmt;

use super::ast::{Ast, BinaryOp, CompareOp, ExprId, ExprKind, Link, RootDegree, Statement, Subscript};

/// What is left to write, last first.
enum Todo {
    Expr(ExprId),
    Text(&'static str),
}

impl fmt::Display for Ast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for derivative in self.derivatives() {
            f.write_str("(d")?;
            for &(variable, order) in &derivative.by {
                write!(f, " {} {order}", self.name(variable))?;
            }
            f.write_str(") ")?;
        }
        for (i, statement) in self.statements().iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            match statement {
                Statement::Expression(e) => self.write_expr(f, *e)?,
                Statement::Definition { name, params, body, .. } => {
                    write!(f, "(def {} ", self.name(*name))?;
                    if let Some(params) = params {
                        let names: Vec<_> = params.iter().map(|(p, _)| self.name(*p)).collect();
                        write!(f, "({}) ", names.join(" "))?;
                    }
                    self.write_expr(f, *body)?;
                    f.write_str(")")?;
                }
            }
        }
        Ok(())
    }
}

impl Ast {
    fn write_expr(&self, f: &mut fmt::Formatter<'_>, root: ExprId) -> fmt::Result {
        let mut todo = vec![Todo::Expr(root)];
        while let Some(next) = todo.pop() {
            let id = match next {
                Todo::Text(text) => {
                    f.write_str(text)?;
                    continue;
                }
                Todo::Expr(id) => id,
            };
            match self[id].kind {
                ExprKind::Number => f.write_str(&self.number_text(id))?,
                ExprKind::Name(name) => f.write_str(self.name(name))?,
                _ => {
                    f.write_str("(")?;
                    self.write_head(f, id)?;
                    let below = todo.len();
                    self.plan_tail(id, &mut todo);
                    todo.push(Todo::Text(")"));
                    todo[below..].reverse();
                }
            }
        }
        Ok(())
    }

    fn write_head(&self, f: &mut fmt::Formatter<'_>, id: ExprId) -> fmt::Result {
        match self[id].kind {
            ExprKind::Number | ExprKind::Name(_) => Ok(()),
            ExprKind::Group(_) => f.write_str("group"),
            ExprKind::Neg(_) => f.write_str("neg"),
            ExprKind::Plus(_) => f.write_str("pos"),
            ExprKind::Binary { op, .. } => f.write_str(binary(op)),
            ExprKind::Compare { op, .. } => f.write_str(compare(op)),
            ExprKind::Transpose(_) => f.write_str("'"),
            ExprKind::Root { degree: RootDegree::Sqrt, .. } => f.write_str("√"),
            ExprKind::Root { degree: RootDegree::Cbrt, .. } => f.write_str("∛"),
            ExprKind::Sequence(_) => f.write_str("seq"),
            ExprKind::Call { callee, .. } => write!(f, "call {}", self.name(callee)),
            ExprKind::Abs(_) => f.write_str("abs"),
            ExprKind::Vector(_) => f.write_str("vec"),
            ExprKind::Index { .. } => f.write_str("index"),
            ExprKind::Named { name, .. } => write!(f, "{} =", self.name(name)),
            ExprKind::Indexed { reducer, binders, .. } => {
                write!(f, "{reducer:?}")?;
                self.binders(binders).iter().try_for_each(|b| write!(f, " {}", self.name(b.name)))
            }
        }
    }

    /// Plans the children of `id` in order, a blank before each.
    fn plan_tail(&self, id: ExprId, todo: &mut Vec<Todo>) {
        match self[id].kind {
            ExprKind::Sequence(items) => {
                for item in self.items(items) {
                    todo.push(Todo::Text(" "));
                    if let Link::Explicit(op) = item.link {
                        todo.extend([Todo::Text(binary(op)), Todo::Text(" ")]);
                    }
                    todo.push(Todo::Expr(item.operand));
                }
            }
            ExprKind::Index { base, subscripts } => {
                todo.extend([Todo::Text(" "), Todo::Expr(base)]);
                let end = |e: Option<ExprId>| e.map_or(Todo::Text("_"), Todo::Expr);
                for subscript in self.subscripts(subscripts) {
                    todo.push(Todo::Text(" "));
                    match *subscript {
                        Subscript::At(e) => todo.push(Todo::Expr(e)),
                        Subscript::Range { from, to } => {
                            todo.extend([Todo::Text("(: "), end(from), Todo::Text(" ")]);
                            todo.extend([end(to), Todo::Text(")")]);
                        }
                    }
                }
            }
            _ => {
                for child in self.children(id) {
                    todo.extend([Todo::Text(" "), Todo::Expr(child)]);
                }
            }
        }
    }
}

fn binary(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Pow => "^",
        BinaryOp::MatMul => "@",
        BinaryOp::Dot => "·",
    }
}

fn compare(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
        CompareOp::Eq => "==",
        CompareOp::Ne => "!=",
    }
}
