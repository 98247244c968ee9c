//! The command line: the commands, each with groups of flags that are defined once (`groups`).
//!
//! Help texts are part of the interface: a first line that stands alone, examples that run.

mod choices;
mod groups;
mod operands;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::VectorLevel;
use crate::print::Format;
use choices::{FORMATS, TARGETS, VECTORS, named, number, threads};
pub use groups::{Budgets, DataArguments, How, JsonLines, Output, Overrides, Point, Run, Search, Source};
pub use operands::shielded;

const EXAMPLES: &str = "\
Examples:
  symdiff \"sin(x^2)\"                          2*x*cos(x^2)
  symdiff \"x² + 3xy + y²\" --hessian           [[2, 3], [3, 2]]
  symdiff \"3x² + 2xy + y³\" --at x=1,y=2       numbers instead of symbols
  symdiff \"d/dx x^n\" --format latex           a leading d/dx says by what
  symdiff net.sd --format latex               a program: derivatives by whole arrays
  symdiff net.sd --of h --wrt x               the Jacobian of a value it defines
  symdiff -- check                            `--` before an expression named like a command
  symdiff < expressions.txt                   one expression a line";

const EVAL_EXAMPLES: &str = "\
Examples:
  symdiff eval \"x^2*y\" --at x=3,y=2 --gradient
  symdiff eval net.sd --at x=[1,2],y=1
  symdiff eval \"(y - a*x)^2\" --data table.csv --at a=2 --gradient         a is 2 in all rows
  symdiff eval \"(y - a*x)^2\" --data table.csv --at a=2 --gradient --sum   value and gradient of the sum
  echo '{\"id\":1,\"expr\":\"sin(x)\",\"vars\":[\"x\"],\"points\":[[0],[1]]}' | symdiff eval --jsonl

--jsonl answers every line with {\"id\",\"value\":[…],\"grad\":[[…],…]} or {\"id\",\"error\"}, in order;
what is not finite is null.";

const CHECK_EXAMPLES: &str = "\
Examples:
  symdiff check \"x^y*log(x)\" --at x=2,y=3
  symdiff check \"|x| + x^2\" --at x=0             a kink is reported, not a failure
  symdiff check \"sin(x)/x\" --at x=1e-5 --accuracy         the bits that are right, and where they go
  symdiff check \"log(x) - log(y)\" --accuracy --assume \"x>1, x<2, y>1, y<2\"   the worst of a range";

const DIAGNOSE_EXAMPLES: &str = "\
Examples:
  symdiff diagnose \"sqrt(x) + log(x - y)\" --at x=1,y=3
  symdiff diagnose net.sd                       trains it, and says what is wrong
  symdiff diagnose net.sd --data table.csv --epochs 5 --json

A program is trained as `train` does it, and its weights are not kept. The root cause comes first; the
exit code is 1 where something keeps the program from working or learning.";

const MINIMIZE_EXAMPLES: &str = "\
Examples:
  symdiff minimize \"(1-x)^2 + 100(y-x^2)^2\" --from x=-1.2,y=1
  symdiff minimize \"(w-3)^2\" --from w=0 --lr 0.1 --steps 20
  symdiff minimize \"(p-20)(500-4p)\" --maximize --bounds \"20<=p<=100\"
  symdiff minimize problem.sd                  a program without inputs, its parameters in bounds

--jsonl reads {\"id\",\"expr\",\"vars\",\"start\":[…]}, with \"maximize\":true and \"bounds\":[[lo,hi],null,…]
where wanted, and answers {\"id\",\"x\":[…],\"value\",\"iterations\",\"status\",\"message\"}.";

const EMIT_EXAMPLES: &str = "\
Examples:
  symdiff emit \"exp(-x^2)*sin(3x)\" --gradient       the loop that computes value and derivative
  symdiff emit \"x*y\" --to asm --level 256           for vectors of four doubles
  symdiff emit net.sd                               the step that `train` repeats";

const TRAIN_EXAMPLES: &str = "\
Examples:
  symdiff train xor.sd                          the data is in the program
  symdiff train digits.sd --data digits.csv --out digits.safetensors --log run.jsonl
  symdiff train wine.sd --columns \"x=alcohol:proline\" --columns y=target --epochs 50
  symdiff train digits.sd --resume digits.safetensors

Ctrl-C stops after the step at hand and saves; a second one ends the program at once.";

const PREDICT_EXAMPLES: &str = "\
Examples:
  symdiff predict digits.safetensors --data new.csv
  symdiff predict iris.safetensors --data new.csv --values probabilities > predictions.csv
  symdiff eval iris.safetensors --data held-out.csv     loss and metrics instead";

/// Derivatives you can read, and machine code for value and gradient.
#[derive(Debug, Parser)]
#[command(
    name = "symdiff",
    version,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    override_usage = "symdiff [OPTIONS] [EXPR]\n       symdiff <COMMAND> …"
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub derive: Derive,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Evaluate an expression, and its gradient, at a point
    #[command(after_help = EVAL_EXAMPLES)]
    Eval(Evaluate),
    /// Compare the gradient with finite differences, and every path with every other
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// Say what is wrong: the first operation that fails, or why a training does not learn
    #[command(after_help = DIAGNOSE_EXAMPLES)]
    Diagnose(Diagnose),
    /// Find the variables that make an expression least, or greatest
    #[command(after_help = MINIMIZE_EXAMPLES)]
    Minimize(Minimize),
    /// Train a program on data, and keep its weights
    #[command(after_help = TRAIN_EXAMPLES)]
    Train(Train),
    /// Compute a trained program's values for new data, as a table
    #[command(after_help = PREDICT_EXAMPLES)]
    Predict(Predict),
    /// Print what an expression is compiled to
    #[command(after_help = EMIT_EXAMPLES)]
    Emit(Emit),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// `symdiff EXPR`.
#[derive(Debug, Args)]
pub struct Derive {
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub kind: Kind,
    /// The value of a program to differentiate, instead of its objective
    #[arg(long, value_name = "NAME", help_heading = "What to derive")]
    pub of: Option<String>,
    /// Differentiate with respect to these variables only
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "What to derive")]
    pub wrt: Vec<String>,
    #[command(flatten)]
    pub point: Point,
    /// How to write the result
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = named(&FORMATS), hide_possible_values = true, help_heading = "Output")]
    #[arg(help = "How to write the result: text, unicode, latex, mathml, json or dot")]
    pub format: Format,
    #[command(flatten)]
    pub how: How,
    #[command(flatten)]
    pub budgets: Budgets,
}

/// What is derived: partial derivatives unless one of these is asked for.
#[derive(Debug, Args)]
#[group(multiple = false)]
#[command(next_help_heading = "What to derive")]
pub struct Kind {
    /// The N-th derivative with respect to each variable
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=MAX_ORDER))]
    pub order: Option<u32>,
    /// The gradient as one vector
    #[arg(long)]
    pub gradient: bool,
    /// The matrix of first derivatives, a row for each component
    #[arg(long)]
    pub jacobian: bool,
    /// The matrix of second derivatives
    #[arg(long)]
    pub hessian: bool,
    /// The Hessian times a vector: `1,2`, expressions, or `v` for symbols v_x, v_y
    #[arg(long, value_name = "V")]
    pub hvp: Option<String>,
}

/// Orders beyond this are refused: each costs a differentiation of the one before.
const MAX_ORDER: i64 = 1000;

/// `symdiff eval`.
#[derive(Debug, Args)]
pub struct Evaluate {
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub point: Point,
    /// Print the partial derivatives after the value
    #[arg(long, help_heading = "Output")]
    pub gradient: bool,
    #[command(flatten)]
    pub output: Output,
    /// Where to write the columns computed from --data: CSV, or NPY by the name's end [default: stdout]
    #[arg(long, short = 'o', value_name = "FILE", requires = "data", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// The sum over all rows of --data instead of a column
    #[arg(long, requires = "data", help_heading = "Output")]
    pub sum: bool,
    #[command(flatten)]
    pub lines: JsonLines,
    #[command(flatten)]
    pub data: DataArguments,
    #[command(flatten)]
    pub run: Run,
    #[command(flatten)]
    pub how: How,
    #[command(flatten)]
    pub budgets: Budgets,
}

/// `symdiff emit`.
#[derive(Debug, Args)]
pub struct Emit {
    #[command(flatten)]
    pub source: Source,
    /// What to print: asm is the loop over columns, or the step of a program's training
    #[arg(long, value_name = "TARGET", default_value = "asm", value_parser = named(&TARGETS), help_heading = "Output")]
    pub to: Target,
    /// The partial derivatives as well as the value
    #[arg(long, help_heading = "Output")]
    pub gradient: bool,
    /// Bits of a vector [default: the most this machine has]
    #[arg(long, value_name = "BITS", value_parser = named(&VECTORS), help_heading = "Output")]
    pub level: Option<VectorLevel>,
    #[command(flatten)]
    pub data: DataArguments,
    #[command(flatten)]
    pub overrides: Overrides,
    #[command(flatten)]
    pub how: How,
    #[command(flatten)]
    pub budgets: Budgets,
}

/// What `symdiff emit` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Assembly.
    Asm,
}

/// `symdiff train`.
#[derive(Debug, Args)]
pub struct Train {
    /// The program, a file that ends in `.sd`
    #[arg(value_name = "PROGRAM")]
    pub program: PathBuf,
    #[command(flatten)]
    pub data: DataArguments,
    /// Where to keep the weights [default: the program's name with `.safetensors`]
    #[arg(long, short = 'o', value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Seconds between saves while it runs; 0 saves at each report
    #[arg(long, value_name = "SECONDS", default_value_t = 30, help_heading = "Output")]
    pub save_every: u64,
    /// Write one JSON line a report
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub log: Option<PathBuf>,
    /// No progress bar
    #[arg(long, short = 'q', help_heading = "Output")]
    pub quiet: bool,
    #[command(flatten)]
    pub output: Output,
    /// Go on from the weights of a run that was interrupted
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub resume: Option<PathBuf>,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Threads of a step; the weights do not depend on it
    #[arg(long, value_name = "N", default_value = "1", value_parser = threads, help_heading = "Run")]
    pub threads: usize,
    #[command(flatten)]
    pub budgets: Budgets,
}

/// `symdiff predict`.
#[derive(Debug, Args)]
pub struct Predict {
    /// The weights that `symdiff train` kept; the program is in them
    #[arg(value_name = "WEIGHTS")]
    pub weights: PathBuf,
    /// Another program for the same parameters
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    #[command(flatten)]
    pub data: DataArguments,
    /// What to print: values the program defines [default: the last one before the loss]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "Output")]
    pub values: Vec<String>,
    #[command(flatten)]
    pub budgets: Budgets,
}

/// `symdiff check`.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub point: Point,
    /// Largest relative error that passes
    #[arg(long, value_name = "REL", default_value = "1e-6", value_parser = number)]
    pub tolerance: f64,
    /// How many bits of value and derivatives are right, against high precision, and where they are lost
    ///
    /// At the point given, or at the worst of many in the ranges of --assume.
    #[arg(long)]
    pub accuracy: bool,
    #[command(flatten)]
    pub data: DataArguments,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub how: How,
    #[command(flatten)]
    pub budgets: Budgets,
}

/// `symdiff diagnose`.
#[derive(Debug, Args)]
pub struct Diagnose {
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub point: Point,
    #[command(flatten)]
    pub data: DataArguments,
    #[command(flatten)]
    pub overrides: Overrides,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub budgets: Budgets,
}

/// `symdiff minimize`.
#[derive(Debug, Args)]
pub struct Minimize {
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub search: Search,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub lines: JsonLines,
    #[command(flatten)]
    pub run: Run,
    #[command(flatten)]
    pub how: How,
    #[command(flatten)]
    pub budgets: Budgets,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::ffi::OsString;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_format_has_its_name() {
        assert_eq!(FORMATS, Format::ALL.map(|format| (format.name(), format)));
    }

    #[test]
    fn short_flags_of_training_are_flags() {
        let words = ["symdiff", "train", "net.sd", "-o", "w.safetensors", "-q"].map(OsString::from);
        let parsed = Arguments::try_parse_from(shielded(words.into_iter())).expect("flags");
        assert!(matches!(parsed.command, Some(Command::Train(Train { quiet: true, out: Some(_), .. }))));
    }
}
