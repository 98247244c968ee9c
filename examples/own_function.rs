//! A function of one's own: in the language, and in Rust. Neither needs a derivative rule.

use symdiff::{Builder, Expr, Function, Level, Purpose, Real, grad, parse, simplify};

/// The fast approximation of GELU: z·σ(1.702 z).
fn gelu_fast(z: Expr<'_>) -> Expr<'_> {
    z * (1.702 * z).sigmoid()
}

fn print_derivative(f: &Function) -> Result<(), symdiff::Error> {
    println!("{}", simplify(&grad(f)?, Level::Fast, Purpose::Read));
    Ok(())
}

fn main() -> Result<(), symdiff::Error> {
    let in_the_language = parse("gelu_fast(z) = z * sigmoid(1.702*z)")?;
    print_derivative(&in_the_language)?;

    let b = Builder::new();
    let z = b.variable("z");
    let in_rust = b.function(gelu_fast(z));
    print_derivative(&in_rust)
}
