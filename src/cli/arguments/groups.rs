//! Groups of flags that commands share: each flag is defined once.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::choices::{ENGINES, LEVELS, MODES, named, number};
use crate::train::TrainingOptions;
use crate::{Engine, Level, Limits, Mode};

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

/// What stands in place of what a program says of its training.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub struct Overrides {
    /// Steps in all, whatever the program says
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Passes over the training rows, whatever the program says
    #[arg(long, value_name = "N", conflicts_with = "steps")]
    pub epochs: Option<u64>,
    /// Rows of one step, whatever the program says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub batch: Option<u64>,
    /// The seed of everything random, whatever the program says
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Another value of a definition, `dim`, parameter or setting: --set "optimizer=adam(lr=0.1)"
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub values: Vec<String>,
}

impl Overrides {
    pub fn options(&self, threads: usize, limits: &Limits) -> TrainingOptions {
        let &Overrides { steps, epochs, batch, seed, .. } = self;
        TrainingOptions { steps, epochs, seed, batch, threads, limits: limits.clone() }
    }
}

/// Where a search begins, where it may go and when it ends.
#[derive(Debug, Args)]
#[command(next_help_heading = "Search")]
pub struct Search {
    /// The start, such as `x=-1.2,y=1`; other variables start at 0 or in the middle of their bounds
    #[arg(long, alias = "at", value_name = "POINT", conflicts_with = "jsonl")]
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
