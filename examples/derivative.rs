//! The derivative of an expression: the shortest program there is.
//!
//! `cargo run --example derivative -- "sin(x^2)"`

use symdiff::{Level, Purpose, grad, parse, simplify};

fn main() -> Result<(), symdiff::Error> {
    let text = std::env::args().nth(1).unwrap_or_else(|| "sin(x^2)".to_owned());
    let f = parse(&text)?;
    let derivative = simplify(&grad(&f)?, Level::Full, Purpose::Read);
    println!("{derivative}");
    Ok(())
}
