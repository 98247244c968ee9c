//! Comparisons, logic and selection: ops whose derivative is zero or routed.

use super::Elementwise;

/// One row an op: name as printed and read in the graph's text form, operand count, and whether
/// the result is a truth value. Comparisons with NaN are false, except `ne`.
macro_rules! selection {
    ($($(#[$doc:meta])* $variant:ident $name:literal $symbol:literal $arity:literal $result:ident;)*) => {
        /// An op of the selection class.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Selection { $($(#[$doc])* $variant,)* }

        impl Selection {
            pub const ALL: &'static [Selection] = &[$(Selection::$variant),*];

            /// Name in the graph's text form.
            pub fn name(self) -> &'static str {
                match self { $(Selection::$variant => $name,)* }
            }

            /// The sign between operands, for ops printed infix.
            pub fn symbol(self) -> &'static str {
                match self { $(Selection::$variant => $symbol,)* }
            }

            pub fn arity(self) -> usize {
                match self { $(Selection::$variant => $arity,)* }
            }

            pub fn is_bool(self) -> bool {
                match self { $(Selection::$variant => selection!(@ $result),)* }
            }
        }
    };
    (@ truth) => { true };
    (@ value) => { false };
}

selection! {
    Less         "lt"     "<"   2 truth;
    LessEqual    "le"     "<="  2 truth;
    Equal        "eq"     "=="  2 truth;
    NotEqual     "ne"     "!="  2 truth;
    And          "and"    "and" 2 truth;
    Or           "or"     "or"  2 truth;
    Not          "not"    "not" 1 truth;
    /// `select(c, a, b)`: `a` where `c`, else `b`; the branch not taken is never looked at.
    Select       "select" ""    3 value;
}

impl Selection {
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|op| op.name() == name)
    }

    pub fn is_comparison(self) -> bool {
        use Selection::{Equal, Less, LessEqual, NotEqual};
        matches!(self, Less | LessEqual | Equal | NotEqual)
    }

    /// The value on booleans or, for comparisons, numbers; `Select` is evaluated by the engines.
    pub fn compare(self, a: f64, b: f64) -> bool {
        match self {
            Selection::Less => a < b,
            Selection::LessEqual => a <= b,
            Selection::Equal => a == b,
            Selection::NotEqual => a != b,
            _ => false,
        }
    }
}

impl From<Selection> for super::Op {
    fn from(op: Selection) -> Self {
        super::Op::Selection(op)
    }
}

impl From<Elementwise> for super::Op {
    fn from(op: Elementwise) -> Self {
        super::Op::Elementwise(op)
    }
}
