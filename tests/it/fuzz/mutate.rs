//! Mutations of a corpus: each case is made by the seed and its number alone.
//!
//! Bytes are flipped, cut off, doubled and spliced; and, as random bytes seldom get past a reader's first
//! line, words of the language are put in, and brackets with all they hold change places.

use symdiff::data::Random;

/// A place below `n`, or 0.
fn below(random: &mut Random, n: usize) -> usize {
    random.below(n.max(1) as u64) as usize
}

/// The input of a case: one of the seeds, changed up to eight times.
pub fn case(random: &mut Random, seeds: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut bytes = seeds[below(random, seeds.len())].clone();
    for _ in 0..below(random, 8) + 1 {
        change(random, &mut bytes, seeds, words);
    }
    bytes.truncate(1 << 16);
    bytes
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&str]) {
    let at = below(random, bytes.len());
    let end = (at + 1 + below(random, 16)).min(bytes.len());
    match random.below(12) {
        0 => bytes.truncate(at),
        1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        2 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, b'\n', b'"', b'-'][below(random, 8)],
        3 => drop(bytes.drain(at.min(end)..end)),
        4 => {
            let again = bytes[at.min(end)..end].repeat(1 + below(random, 40));
            bytes.splice(at..at, again);
        }
        5 => {
            // The end of another seed.
            let other = &seeds[below(random, seeds.len())];
            bytes.truncate(at);
            bytes.extend(&other[below(random, other.len()).min(other.len())..]);
        }
        6 => {
            let number = number(random);
            let run = bytes[at.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
            bytes.splice(at..at + run, number.bytes());
        }
        7 | 8 => exchange(random, bytes, seeds),
        _ => {
            let word = words[below(random, words.len())];
            bytes.splice(at..at, word.bytes());
        }
    }
}

/// A number at an edge of something.
fn number(random: &mut Random) -> String {
    const EDGES: [&str; 16] = [
        "0",
        "1",
        "-1",
        "2",
        "255",
        "256",
        "65535",
        "65536",
        "2147483647",
        "2147483648",
        "4294967296",
        "9223372036854775807",
        "18446744073709551615",
        "1e308",
        "1e-400",
        "0.1",
    ];
    EDGES[below(random, EDGES.len())].to_owned()
}

/// A bracket with what it holds, in place of another.
fn exchange(random: &mut Random, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let other = &seeds[below(random, seeds.len())];
    if let (Some(from), Some(to)) = (bracket(random, other), bracket(random, bytes)) {
        let piece = other[from].to_vec();
        bytes.splice(to, piece);
    }
}

/// Where a bracket opens and closes.
fn bracket(random: &mut Random, bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let opens: Vec<usize> = (0..bytes.len()).filter(|&i| b"([{".contains(&bytes[i])).collect();
    let start = *opens.get(below(random, opens.len()))?;
    let mut depth = 0usize;
    for (i, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(start..i + 1);
        }
    }
    None
}
