//! The one table of who binds tighter, for every target that writes operators between operands.
//!
//! What must stay true: a form whose own rank is below what its place asks for gets parentheses,
//! and nothing else does. So the text a reader sees parses back to the grouping that was meant.

use super::form::{Form, Leaf};

/// Ranks from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precedence {
    /// Between brackets or commas: anything fits.
    Lowest,
    Comparison,
    Sum,
    Minus,
    Product,
    Power,
    /// Names, numerals, calls, brackets, and what is written after an operand.
    Atom,
}

/// The rank of a form, and the least ranks of its first operand and of the others.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    pub own: Precedence,
    pub first: Precedence,
    pub rest: Precedence,
}

/// The row of a form.
pub fn binding(form: &Form) -> Binding {
    use Precedence::*;
    #[rustfmt::skip]
    let (own, first, rest) = match form {
        //                                    own         first    rest
        Form::Logic(..)                   => (Comparison, Sum,     Sum),
        Form::Compare(..)                 => (Comparison, Sum,     Sum),
        Form::Sum(_)                      => (Sum,        Product, Product), // flat, signs outside
        Form::Negative(_)                 => (Minus,      Product, Product),
        Form::Product(..)                 => (Product,    Product, Power),   // to the left
        Form::Quotient(..)                => (Product,    Product, Power),
        Form::Contract(..)                => (Product,    Product, Power),
        Form::Masked(_, Some(_))          => (Product,    Product, Power),
        Form::Power(..)                   => (Power,      Atom,    Power),   // to the right
        Form::Transpose(_)                => (Atom,       Atom,    Lowest),
        Form::Index(..)                   => (Atom,       Atom,    Lowest),
        Form::Leaf(Leaf::Numeral(n)) if n.is_scaled()
                                          => (Product,    Lowest,  Lowest),  // 10^-20 is a factor
        Form::Leaf(_) | Form::Call(..) | Form::Structural(..) | Form::Choice(..) | Form::Array(..)
        | Form::Masked(_, None)
                                          => (Atom,       Lowest,  Lowest),
    };
    Binding { own, first, rest }
}
