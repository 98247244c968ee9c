//! The two binary formats of IEEE 754 that functions are computed in.
//!
//! What must stay true: constants are given as doubles and rounded to the format; what depends on
//! a format is asked of it, by name.

/// What a machine's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// binary32
    Single,
    /// binary64
    Double,
}

impl Format {
    /// The first for single precision, the second for double.
    #[inline(always)]
    pub fn pick<T>(self, single: T, double: T) -> T {
        match self {
            Format::Single => single,
            Format::Double => double,
        }
    }

    /// Bits of the mantissa that are stored: where the exponent's begin.
    #[inline(always)]
    pub fn mantissa(self) -> u32 {
        self.pick(23, 52)
    }

    /// What is added to exponents.
    #[inline(always)]
    pub fn bias(self) -> f64 {
        self.pick(127.0, 1023.0)
    }

    /// 1.5·2⁵² (1.5·2²³): adding it leaves an integer |k| < 2⁵¹ (2²²) in the low bits of the sum.
    #[inline(always)]
    pub fn shifter(self) -> f64 {
        self.pick(12_582_912.0, 6_755_399_441_055_744.0)
    }

    /// The least normal number.
    #[inline(always)]
    pub fn least_normal(self) -> f64 {
        self.pick(f32::MIN_POSITIVE as f64, f64::MIN_POSITIVE)
    }

    /// The bit pattern of a number of the format.
    #[inline(always)]
    pub fn bits_of(self, x: f64) -> i64 {
        self.pick(i64::from((x as f32).to_bits()), x.to_bits() as i64)
    }
}
