//! Arguments that begin with a minus sign and are no flags.

use std::ffi::OsString;

/// The arguments with a blank before those that begin with `-` and are no flags, such as `-x^2`
/// and `-1,2`: clap then takes them for what they are. Commands on programs take no expressions.
pub fn shielded(arguments: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut escaped = false;
    arguments.enumerate().map(move |(i, argument)| {
        escaped |= argument == "--" || (i == 1 && (argument == "train" || argument == "predict"));
        if escaped || !is_operand(argument.as_encoded_bytes()) {
            return argument;
        }
        let mut shielded = OsString::from(" ");
        shielded.push(argument);
        shielded
    })
}

/// True for an argument that begins with one `-` but is none of `-h`, `-V`, `-n`, `-n2`, `-n=2`.
fn is_operand(argument: &[u8]) -> bool {
    match argument {
        [b'-'] | [b'-', b'-' | b'h' | b'V'] | [b'-', b'-', ..] => false,
        [b'-', b'n', order @ ..] => {
            let digits = order.strip_prefix(b"=").unwrap_or(order);
            !digits.iter().all(u8::is_ascii_digit)
        }
        [b'-', ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minus_sign_begins_an_expression_unless_it_is_a_flag() {
        for expression in ["-x^2", "-1", "-n*x", "-h^2", "-(x)", "-.5x", "-V0"] {
            assert!(is_operand(expression.as_bytes()), "{expression}");
        }
        for flag in ["-", "--", "--at", "-h", "-V", "-n", "-n2", "-n=2", "x-1"] {
            assert!(!is_operand(flag.as_bytes()), "{flag}");
        }
    }
}
