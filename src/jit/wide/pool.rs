//! The constants of a function, behind its code: numbers, and the masks of tails.
//!
//! What must stay true: what is there stays where it is; there are as many bytes of a constant as its
//! instructions read.

use super::body::{Op, Width};
use super::level::Level;
use std::fmt;

/// What masks are aligned to.
const LINE: usize = 64;

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    bytes: Vec<u8>,
    /// What there is from a byte on.
    contents: Vec<(usize, Contents)>,
}

/// What some bytes are.
#[derive(Clone, Copy, Debug)]
enum Contents {
    Numbers(Width),
    Integers,
    Masks,
}

impl Pool {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds a constant, a whole vector or what is broadcast; where it is.
    pub fn push(&mut self, op: Op, width: Width, level: Level) -> i32 {
        let start = self.bytes.len();
        let steps = |n: i32| (0..(level.bytes() / 4) as i32).map(move |lane| lane.wrapping_mul(n));
        let bytes: Vec<u8> = match (op, width) {
            (Op::Steps(n), _) => steps(n).flat_map(i32::to_le_bytes).collect(),
            (Op::FloatSteps(n), Width::Single) => steps(n).flat_map(|x| (x as f32).to_le_bytes()).collect(),
            (Op::FloatSteps(n), Width::Double) => {
                steps(n).take(level.bytes() / 8).flat_map(|x| f64::from(x).to_le_bytes()).collect()
            }
            (Op::Constant(bits), _) => {
                let copies = if level == Level::L512 { 8 } else { level.bytes() };
                bits.to_le_bytes()[..width.bytes()].iter().copied().cycle().take(copies).collect()
            }
            _ => Vec::new(),
        };
        let contents = if matches!(op, Op::Steps(_)) { Contents::Integers } else { Contents::Numbers(width) };
        self.contents.push((start, contents));
        self.bytes.extend(bytes);
        start as i32
    }

    /// Adds the masks of 0, 1, 2 … lanes: numbers for 512 bits, a window to slide for 256; where they are.
    pub fn push_masks(&mut self, level: Level, element: Width) -> i32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(LINE), 0);
        let start = self.bytes.len();
        self.contents.push((start, Contents::Masks));
        let lanes = level.bytes() / element.bytes();
        match level {
            Level::L512 => (0..=lanes).for_each(|n| {
                let mask = ((1u32 << n) - 1) as u16;
                self.bytes.extend(mask.to_le_bytes());
            }),
            _ => {
                self.bytes.extend(std::iter::repeat_n(0xFF, level.bytes()));
                self.bytes.extend(std::iter::repeat_n(0, level.bytes()));
            }
        }
        self.bytes.resize(self.bytes.len().next_multiple_of(LINE), 0);
        start as i32
    }
}

/// A line of the assembler's for eight bytes, with what they are.
impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, bytes) in self.bytes.chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            let (at, bits) = (at * 8, u64::from_le_bytes(word));
            let [low, high] = [bits as u32, (bits >> 32) as u32];
            write!(f, "    .quad {bits:#018x}    # {at}: ")?;
            match self.contents.iter().rev().find(|(start, _)| *start <= at) {
                Some((_, Contents::Masks)) => writeln!(f, "masks")?,
                Some((_, Contents::Integers)) => writeln!(f, "{}, {}", low as i32, high as i32)?,
                Some((_, Contents::Numbers(Width::Single))) => {
                    writeln!(f, "{:?}, {:?}", f32::from_bits(low), f32::from_bits(high))?;
                }
                _ => writeln!(f, "{:?}", f64::from_bits(bits))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_what_the_bytes_are() {
        let mut pool = Pool::default();
        assert_eq!(pool.push(Op::Constant(1.5f64.to_bits()), Width::Double, Level::L512), 0);
        assert_eq!(pool.push(Op::Constant(u64::from(2.5f32.to_bits())), Width::Single, Level::L512), 8);
        assert_eq!(pool.push(Op::Steps(3), Width::Double, Level::L512), 16);
        assert_eq!(pool.push_masks(Level::L512, Width::Double), 128);
        let text = pool.to_string();
        let lines: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once("# ")?.1)).collect();
        assert_eq!(lines[..4], ["0: 1.5", "8: 2.5, 2.5", "16: 0, 3", "24: 6, 9"]);
        assert_eq!(
            lines[16..],
            [
                "128: masks",
                "136: masks",
                "144: masks",
                "152: masks",
                "160: masks",
                "168: masks",
                "176: masks",
                "184: masks"
            ]
        );
    }
}
