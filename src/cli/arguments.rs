//! The command line: every flag defined once, in groups that the commands share.
//!
//! Help texts are part of the interface: a first line that stands alone, examples that run.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::print::Format;
use crate::{Engine, Level, Limits, Mode, VectorLevel};

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
  symdiff emit \"x*y\" --to asm --level 256           for vectors of four doubles";

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
    /// What to print: asm is the loop over columns
    #[arg(long, value_name = "TARGET", default_value = "asm", value_parser = named(&TARGETS), help_heading = "Output")]
    pub to: Target,
    /// The partial derivatives as well as the value
    #[arg(long, help_heading = "Output")]
    pub gradient: bool,
    /// Bits of a vector [default: the most this machine has]
    #[arg(long, value_name = "BITS", value_parser = named(&VECTORS), help_heading = "Output")]
    pub level: Option<VectorLevel>,
    #[command(flatten)]
    pub how: How,
    #[command(flatten)]
    pub budgets: Budgets,
}

/// What `symdiff emit` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Assembly of a loop over columns.
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
    /// Steps in all, whatever the program says
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub steps: Option<u64>,
    /// Passes over the training rows, whatever the program says
    #[arg(long, value_name = "N", conflicts_with = "steps", help_heading = "Run")]
    pub epochs: Option<u64>,
    /// Rows of one step, whatever the program says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Run")]
    pub batch: Option<u64>,
    /// The seed of everything random, whatever the program says
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub seed: Option<u64>,
    /// Threads of a step; the weights do not depend on it
    #[arg(long, value_name = "N", default_value = "1", value_parser = threads, help_heading = "Run")]
    pub threads: usize,
    /// Another value of a definition, `dim`, parameter or setting: --set "optimizer=adam(lr=0.1)"
    #[arg(long = "set", value_name = "NAME=VALUE", help_heading = "Run")]
    pub values: Vec<String>,
    #[command(flatten)]
    pub budgets: Budgets,
}

/// A number of threads.
fn threads(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|n| (1..=256).contains(n));
    count.ok_or_else(|| "threads are 1 to 256".to_owned())
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

/// A table, and its columns.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data")]
pub struct DataArguments {
    /// The table: CSV, TSV, NPY or NPZ
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Columns of an input, such as `x=pixel_*`, `x=0:64`, `x=a,b:d` or `y=label`
    #[arg(long, value_name = "INPUT=COLUMNS")]
    pub columns: Vec<String>,
    /// The first row names the columns, whatever it looks like
    #[arg(long, conflicts_with = "no_header")]
    pub header: bool,
    /// The first row is data
    #[arg(long)]
    pub no_header: bool,
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
    /// Steps in all, whatever the program says
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub steps: Option<u64>,
    /// Passes over the training rows, whatever the program says
    #[arg(long, value_name = "N", conflicts_with = "steps", help_heading = "Run")]
    pub epochs: Option<u64>,
    /// Rows of one step, whatever the program says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Run")]
    pub batch: Option<u64>,
    /// The seed of everything random, whatever the program says
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub seed: Option<u64>,
    /// Another value of a definition, `dim`, parameter or setting: --set "optimizer=adam(lr=0.1)"
    #[arg(long = "set", value_name = "NAME=VALUE", help_heading = "Run")]
    pub values: Vec<String>,
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

/// Where a search begins, where it may go and when it ends.
#[derive(Debug, Args)]
#[command(next_help_heading = "Search")]
pub struct Search {
    /// The start, such as `x=-1.2,y=1`; other variables start at 0 or in the middle of their bounds
    #[arg(long, value_name = "POINT", conflicts_with = "jsonl")]
    pub from: Vec<String>,
    /// Look for the greatest value
    #[arg(long)]
    pub maximize: bool,
    /// Bounds such as `0<=x<=1, y>=2`
    #[arg(long, value_name = "BOUNDS", conflicts_with = "jsonl")]
    pub bounds: Vec<String>,
    /// Plain gradient descent with this learning rate, its path printed; without, L-BFGS
    #[arg(long, value_name = "RATE", value_parser = number, conflicts_with = "jsonl")]
    pub lr: Option<f64>,
    /// Steps of gradient descent [default: 100]
    #[arg(long, value_name = "N", requires = "lr")]
    pub steps: Option<usize>,
    /// Print every N-th step of gradient descent, and the last [default: 1]
    #[arg(long, value_name = "N", requires = "lr", value_parser = clap::value_parser!(u64).range(1..))]
    pub every: Option<u64>,
    /// Stop where no component of the gradient is larger [default: 1e-8 without --lr]
    #[arg(long, value_name = "NORM", value_parser = number)]
    pub tolerance: Option<f64>,
    /// Give up after this many iterations [default: 100000]
    #[arg(long, value_name = "N", conflicts_with = "lr")]
    pub max_iterations: Option<usize>,
}

/// Where the expression comes from.
#[derive(Debug, Args)]
pub struct Source {
    /// The expression, in quotes; `-`, or none, reads one expression a line from standard input
    #[arg(value_name = "EXPR")]
    pub expression: Option<OsString>,
    /// Read one expression, with the definitions before it, from a file
    #[arg(long, value_name = "FILE", conflicts_with = "expression")]
    pub file: Option<PathBuf>,
}

/// Where it is evaluated.
#[derive(Debug, Args)]
pub struct Point {
    /// Evaluate at a point, such as `x=1,y=pi/2`
    #[arg(long, value_name = "POINT")]
    pub at: Vec<String>,
}

/// JSON instead of text.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// A protocol for programs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct JsonLines {
    /// Answer JSON lines from standard input, see below
    #[arg(long, conflicts_with_all = ["expression", "file", "json"])]
    pub jsonl: bool,
}

/// What runs the function.
#[derive(Debug, Args)]
#[command(next_help_heading = "How")]
pub struct Run {
    /// What runs the function; both give the same bits
    #[arg(long, value_name = "ENGINE", default_value = "jit", value_parser = named(&ENGINES))]
    pub engine: Engine,
}

/// How derivatives are made.
#[derive(Debug, Args)]
#[command(next_help_heading = "How")]
pub struct How {
    /// How derivatives are accumulated
    #[arg(long, value_name = "MODE", default_value = "reverse", value_parser = named(&MODES))]
    pub mode: Mode,
    /// How hard to simplify
    #[arg(long, value_name = "LEVEL", default_value = "fast", value_parser = named(&LEVELS))]
    pub simplify: Level,
    /// What holds wherever the expression is used, such as `x>0, y!=0`
    #[arg(long, value_name = "CONDITION")]
    pub assume: Vec<String>,
}

/// The budgets of [`Limits`].
#[derive(Debug, Args)]
#[command(next_help_heading = "Budgets")]
pub struct Budgets {
    /// Bytes of an expression [default: 8388608]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_source_bytes: Option<usize>,
    /// Tokens of an expression [default: 4000000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_tokens: Option<usize>,
    /// Brackets open at once [default: 10000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_nesting: Option<usize>,
    /// Digits of one number [default: 10000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_literal_digits: Option<usize>,
    /// Decimal exponent of one number, either sign [default: 10000]
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = clap::value_parser!(i64).range(0..))]
    max_exponent: Option<i64>,
    /// Nodes of an expression or a derivative [default: 4000000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_nodes: Option<usize>,
    /// Nodes of a program's graph [default: 1000000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_program_nodes: Option<usize>,
    /// Entries of a Jacobian or Hessian of an expression [default: 1000000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_entries: Option<usize>,
    /// Bytes of all arrays that a step of training needs at once [default: 2147483648]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_arena_bytes: Option<usize>,
    /// Bytes of a table or array file, unpacked [default: 1073741824]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_table_bytes: Option<usize>,
    /// Cells of a table, numbers of an array file [default: 100000000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_table_cells: Option<usize>,
    /// Columns of a table [default: 100000]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_table_columns: Option<usize>,
    /// Bytes of a cell of a table [default: 1048576]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_cell_bytes: Option<usize>,
    /// Bytes of a weights file [default: 1073741824]
    #[arg(long, value_name = "N", hide_short_help = true)]
    max_weights_bytes: Option<usize>,
}

impl Budgets {
    pub fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            source_bytes: self.max_source_bytes.unwrap_or(default.source_bytes),
            tokens: self.max_tokens.unwrap_or(default.tokens),
            nesting: self.max_nesting.unwrap_or(default.nesting),
            literal_digits: self.max_literal_digits.unwrap_or(default.literal_digits),
            exponent: self.max_exponent.unwrap_or(default.exponent),
            nodes: self.max_nodes.unwrap_or(default.nodes),
            program_nodes: self.max_program_nodes.unwrap_or(default.program_nodes),
            entries: self.max_entries.unwrap_or(default.entries),
            arena_bytes: self.max_arena_bytes.unwrap_or(default.arena_bytes),
            table_bytes: self.max_table_bytes.unwrap_or(default.table_bytes),
            table_cells: self.max_table_cells.unwrap_or(default.table_cells),
            table_columns: self.max_table_columns.unwrap_or(default.table_columns),
            cell_bytes: self.max_cell_bytes.unwrap_or(default.cell_bytes),
            weights_bytes: self.max_weights_bytes.unwrap_or(default.weights_bytes),
        }
    }
}

const MODES: [(&str, Mode); 2] = [("reverse", Mode::Reverse), ("forward", Mode::Forward)];
const LEVELS: [(&str, Level); 3] = [("none", Level::None), ("fast", Level::Fast), ("full", Level::Full)];
const TARGETS: [(&str, Target); 1] = [("asm", Target::Asm)];
const VECTORS: [(&str, VectorLevel); 3] =
    [("128", VectorLevel::L128), ("256", VectorLevel::L256), ("512", VectorLevel::L512)];
const ENGINES: [(&str, Engine); 2] = [("jit", Engine::Jit), ("interpreter", Engine::Interpreter)];
const FORMATS: [(&str, Format); 6] = [
    ("text", Format::Text),
    ("unicode", Format::Unicode),
    ("latex", Format::Latex),
    ("mathml", Format::Mathml),
    ("json", Format::Json),
    ("dot", Format::Dot),
];

/// A parser of the names in a table.
fn named<T: Copy + Send + Sync + 'static>(
    choices: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    let names = choices.iter().map(|(name, _)| PossibleValue::new(*name));
    PossibleValuesParser::new(names).map(|given| {
        let chosen = choices.iter().find(|(name, _)| *name == given);
        chosen.expect("clap lets only names of the table through").1
    })
}

/// A finite, positive number.
fn number(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err("a positive number is needed".to_owned()),
    }
}

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
    use clap::CommandFactory;

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
