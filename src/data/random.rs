//! Every random number of training: xoshiro256++ from a seed and the name of a stream.
//!
//! What must stay true: the algorithm is fixed (weights files and logs lean on it), uses integer
//! and IEEE operations and [`elementary`](crate::elementary) only, and so gives the same bits on
//! every host. Streams of one seed are told apart by their names, so drawing more of one never
//! shifts another.

use crate::elementary::{Plain, cos, log, sin};

/// A generator: xoshiro256++ 1.0 of Blackman and Vigna (2019), seeded by SplitMix64 of Steele,
/// Lea and Flood (2014) from `splitmix(seed) ^ fnv1a(stream)`, then `^ index` times the golden
/// ratio's 64 bits.
///
/// ```
/// use symdiff::data::Random;
/// let mut random = Random::new(0, "weights");
/// let (u, z, k) = (random.uniform(), random.normal(), random.below(6));
/// assert!((0.0..1.0).contains(&u) && z.is_finite() && k < 6);
/// assert_eq!(Random::new(0, "weights").uniform(), u);
/// assert_ne!(Random::new(0, "noise").uniform(), u);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Random {
    state: [u64; 4],
    /// The second number of the last normal pair.
    spare: Option<f64>,
}

/// 2⁶⁴ / φ, odd: SplitMix64's increment.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64: advances `state` and mixes it.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(GOLDEN);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// FNV-1a, 64 bits.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

impl Random {
    /// The generator of a stream.
    pub fn new(seed: u64, stream: &str) -> Random {
        Random::at(seed, stream, 0)
    }

    /// The generator of one of a stream's many parts, such as an epoch or a step: it can be
    /// reached without drawing those before.
    pub fn at(seed: u64, stream: &str, index: u64) -> Random {
        let mut mixed = seed;
        let mut state = split_mix(&mut mixed) ^ fnv1a(stream);
        state = split_mix(&mut state) ^ index.wrapping_mul(GOLDEN);
        Random { state: std::array::from_fn(|_| split_mix(&mut state)), spare: None }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A multiple of 2⁻⁵³ in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * f64::powi(2.0, -53)
    }

    /// A standard normal number, by Box and Muller (1958): √(−2 ln(1−u)) · (cos 2πv, sin 2πv).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 − u is in (0, 1] and exact: no infinite logarithm.
        let u = 1.0 - self.uniform();
        let angle = std::f64::consts::TAU * self.uniform();
        let radius = (-2.0 * log(&mut Plain, u)).sqrt();
        self.spare = Some(radius * sin(&mut Plain, angle));
        radius * cos(&mut Plain, angle)
    }

    /// An integer in 0..n without bias, by Lemire (2019); 0 for n = 0.
    pub fn below(&mut self, n: u64) -> u64 {
        let threshold = n.wrapping_neg().checked_rem(n).unwrap_or(0);
        loop {
            let product = u128::from(self.bits()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// Fills with [`uniform`](Random::uniform) numbers.
    pub fn fill_uniform(&mut self, values: &mut [f64]) {
        values.iter_mut().for_each(|value| *value = self.uniform());
    }

    /// Every order of the items equally likely: Fisher and Yates, from the end.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_xoshiro256_plus_plus() {
        // The first outputs of the authors' C program from the state 1, 2, 3, 4.
        let mut random = Random { state: [1, 2, 3, 4], spare: None };
        let first: [u64; 4] = std::array::from_fn(|_| random.bits());
        assert_eq!(first, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn the_seeding_is_split_mix() {
        // The reference outputs from state 1234567.
        let mut state = 1_234_567;
        let first: [u64; 3] = std::array::from_fn(|_| split_mix(&mut state));
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(first, expected);
    }

    #[test]
    fn below_reaches_everything_and_nothing_else() {
        let mut random = Random::new(7, "test");
        assert_eq!((random.below(0), random.below(1)), (0, 0));
        let mut counts = [0u32; 7];
        (0..70_000).for_each(|_| counts[random.below(7) as usize] += 1);
        assert!(counts.iter().all(|&c| c.abs_diff(10_000) < 500), "{counts:?}");
    }
}
