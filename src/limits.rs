//! The budgets: how much a text may ask for before it is refused with a typed error.
//!
//! Every budget has a name, a documented default and one place where it is checked.
//! Nothing the user types may crash, hang or exhaust the machine; these numbers are how.

/// Bytes of one source text: far above any formula, far below what hurts.
const SOURCE_BYTES: usize = 8 << 20;
/// Tokens of one source text; each becomes at most a few nodes of 28 bytes.
const TOKENS: usize = 4_000_000;
/// Brackets and bars open at once. People reach 20, generators a few hundred.
const NESTING: usize = 10_000;
/// Digits of one number, leading zeros included: exact arithmetic on it stays instant.
const LITERAL_DIGITS: usize = 10_000;
/// Decimal exponent of one number, either sign: `1e10000` is exact, 10,000 digits long.
const EXPONENT: i64 = 10_000;
/// Nodes of one syntax tree or graph.
const NODES: usize = 4_000_000;
/// Nodes that calls of functions and layers may make of a program: its arrays stay whole, so
/// this is far above any.
const PROGRAM_NODES: usize = 1_000_000;
/// Entries of a Jacobian or Hessian written out entry by entry.
const ENTRIES: usize = 1_000_000;
/// Bytes of all arrays that one step of a program needs at once.
const ARENA_BYTES: usize = 2 << 30;
/// Bytes of one table or array file, and of what it unpacks to: the file is held in memory.
const TABLE_BYTES: usize = 1 << 30;
/// Cells of one table, numbers of one array file: 8 bytes each.
const TABLE_CELLS: usize = 100_000_000;
/// Columns of one table. Each has a name and memory of its own.
const TABLE_COLUMNS: usize = 100_000;
/// Bytes of one cell of a table: more is a quotation mark that is never closed, or no table.
const CELL_BYTES: usize = 1 << 20;
/// Bytes of one weights file.
const WEIGHTS_BYTES: usize = 1 << 30;

/// The budgets of reading and compiling one text.
///
/// ```
/// let tight = symdiff::Limits { nesting: 10, ..symdiff::Limits::default() };
/// assert!(tight.nesting < symdiff::Limits::default().nesting);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the source text (8 MiB).
    pub source_bytes: usize,
    /// Tokens of the source text (4,000,000).
    pub tokens: usize,
    /// Brackets and bars open at once (10,000).
    pub nesting: usize,
    /// Digits of one number (10,000).
    pub literal_digits: usize,
    /// Largest decimal exponent of a number, either sign (10,000).
    pub exponent: i64,
    /// Nodes of the syntax tree or of a graph (4,000,000).
    pub nodes: usize,
    /// Nodes of a program's graph (1,000,000).
    pub program_nodes: usize,
    /// Entries of a Jacobian or Hessian of a formula (1,000,000).
    pub entries: usize,
    /// Bytes of all arrays that one step of a program needs at once (2 GiB).
    pub arena_bytes: usize,
    /// Bytes of one table or array file, unpacked (1 GiB).
    pub table_bytes: usize,
    /// Cells of one table, numbers of one array file (100,000,000).
    pub table_cells: usize,
    /// Columns of one table (100,000).
    pub table_columns: usize,
    /// Bytes of one cell of a table (1 MiB).
    pub cell_bytes: usize,
    /// Bytes of one weights file (1 GiB).
    pub weights_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            source_bytes: SOURCE_BYTES,
            tokens: TOKENS,
            nesting: NESTING,
            literal_digits: LITERAL_DIGITS,
            exponent: EXPONENT,
            nodes: NODES,
            program_nodes: PROGRAM_NODES,
            entries: ENTRIES,
            arena_bytes: ARENA_BYTES,
            table_bytes: TABLE_BYTES,
            table_cells: TABLE_CELLS,
            table_columns: TABLE_COLUMNS,
            cell_bytes: CELL_BYTES,
            weights_bytes: WEIGHTS_BYTES,
        }
    }
}
