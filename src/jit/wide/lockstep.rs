//! An elementary function of several vectors at once: an operation of each in turn, as `interleave`
//! does with whole rounds.
//!
//! What must stay true: every vector gets the operations it would get alone.

use super::body::{Lanes, Val};
use crate::elementary::{Foreign, Format, Machine};

/// The most vectors.
pub(super) const MOST: usize = 4;

/// A value of each vector; nobody reads those of vectors that are not there.
pub(super) type Each = [Val; MOST];

/// The values as operands.
pub(super) fn each(values: impl IntoIterator<Item = Val>) -> Each {
    let mut each = [Val::default(); MOST];
    each.iter_mut().zip(values).for_each(|(to, value)| *to = value);
    each
}

/// The machine of so many vectors.
pub(super) struct Lockstep<'a> {
    pub lanes: Lanes<'a>,
    pub vectors: usize,
}

impl Lockstep<'_> {
    fn map<const N: usize>(
        &mut self,
        operands: [Each; N],
        operation: impl Fn(&mut Lanes, [Val; N]) -> Val,
    ) -> Each {
        let mut results = [Val::default(); MOST];
        for (at, result) in results.iter_mut().enumerate().take(self.vectors) {
            *result = operation(&mut self.lanes, operands.map(|each| each[at]));
        }
        results
    }
}

/// Methods that do the same for every vector, one row each.
macro_rules! operations {
    ($($name:ident($($arg:ident),*);)*) => {
        $(fn $name(&mut self, $($arg: Each),*) -> Each {
            self.map([$($arg),*], |lanes, [$($arg),*]| lanes.$name($($arg),*))
        })*
    };
}

impl Machine for Lockstep<'_> {
    type F = Each;
    type I = Each;
    type B = Each;

    operations! {
        add(a, b);
        sub(a, b);
        mul(a, b);
        div(a, b);
        sqrt(a);
        neg(a);
        abs(a);
        fma(a, b, c);
        floor(a);
        ceil(a);
        trunc(a);
        copysign(a, sign);
        lt(a, b);
        le(a, b);
        eq(a, b);
        ne(a, b);
        and(a, b);
        or(a, b);
        not(a);
        select(mask, then, otherwise);
        select_i(mask, then, otherwise);
        to_bits(a);
        from_bits(a);
        iadd(a, b);
        isub(a, b);
        iand(a, b);
        ior(a, b);
        ixor(a, b);
        ieq(a, b);
        to_int(a);
        from_int(a);
        scale(x, k);
    }

    fn format(&self) -> Format {
        self.lanes.format()
    }

    fn f(&mut self, x: f64) -> Each {
        [self.lanes.f(x); MOST]
    }

    fn i(&mut self, x: i64) -> Each {
        [self.lanes.i(x); MOST]
    }

    fn shl(&mut self, a: Each, n: u32) -> Each {
        self.map([a], |lanes, [a]| lanes.shl(a, n))
    }

    fn shr_unsigned(&mut self, a: Each, n: u32) -> Each {
        self.map([a], |lanes, [a]| lanes.shr_unsigned(a, n))
    }

    fn shr_signed(&mut self, a: Each, n: u32) -> Each {
        self.map([a], |lanes, [a]| lanes.shr_signed(a, n))
    }

    fn call(&mut self, f: Foreign, args: &[Each]) -> Each {
        match *args {
            [x] => self.map([x], |lanes, args| lanes.call(f, &args)),
            [x, y] => self.map([x, y], |lanes, args| lanes.call(f, &args)),
            _ => unreachable!("functions take one number or two"),
        }
    }

    fn rare(&mut self, when: Each, f: Foreign, args: &[Each], otherwise: Each) -> Each {
        match *args {
            [x] => self.map([when, otherwise, x], |lanes, [when, otherwise, x]| {
                lanes.rare(when, f, &[x], otherwise)
            }),
            [x, y] => self.map([when, otherwise, x, y], |lanes, [when, otherwise, x, y]| {
                lanes.rare(when, f, &[x, y], otherwise)
            }),
            _ => unreachable!("functions take one number or two"),
        }
    }
}
