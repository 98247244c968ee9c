//! Tables from CSV and TSV: delimiter, header, then cells.
//!
//! What must stay true: a fault says file, line, column and the text found; numbers are read in
//! one pass, and only columns with text are visited again; nothing is held beyond the budgets.
//! Whether a missing or infinite cell matters is for binding to say: it may never be used.

use std::path::Path;

use super::cell::{Cell, quoted, read_cell};
use super::file::{display_name, read_file};
use super::rows::Rows;
use super::table::{Column, Table, Texts, repeated};
use crate::error::{Diagnostic, Error};
use crate::limits::Limits;

/// How a text table is read.
#[derive(Clone, Debug, Default)]
pub struct TableOptions {
    /// Whether the first row names the columns; where not said, it does when none of its cells
    /// is a number.
    pub header: Option<bool>,
    /// The byte between cells; where not said, a tab for `.tsv` and `.tab`, else the tab, the
    /// semicolon or the comma, the first of them that stands in the first line.
    pub delimiter: Option<u8>,
    /// The budgets: `table_bytes`, `table_cells`.
    pub limits: Limits,
}

/// Reads a CSV or TSV file.
///
/// Cells are numbers as Rust reads them, blanks around them aside; empty, `NA`, `N/A`, `nan`,
/// `null` and `?` are missing. Errors: `is_unreadable` for a file that cannot be opened,
/// `is_data` for what is in it, `is_limit` for its size.
pub fn read_table(path: &Path, options: &TableOptions) -> Result<Table, Error> {
    let bytes = read_file(path, options.limits.table_bytes, "table")?;
    parse_file(path, &bytes, options)
}

/// Reads a file's bytes, with the delimiter its name tells.
pub(super) fn parse_file(path: &Path, bytes: &[u8], options: &TableOptions) -> Result<Table, Error> {
    let tabs =
        path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tsv") || e.eq_ignore_ascii_case("tab"));
    let delimiter = options.delimiter.or(tabs.then_some(b'\t'));
    parse_table(&display_name(path), bytes, &TableOptions { delimiter, ..options.clone() })
}

/// Reads the bytes of a CSV or TSV file; `source` names it in messages.
///
/// ```
/// use symdiff::data::{Column, TableOptions, parse_table};
/// let table = parse_table("a.csv", b"x;kind\n1.5;red\n?;blue\n", &TableOptions::default())?;
/// assert_eq!(table.names(), ["x", "kind"]);
/// assert!(matches!(table.column("x"), Some(Column::Numbers(x)) if x[0] == 1.5 && x[1].is_nan()));
/// # Ok::<(), symdiff::Error>(())
/// ```
pub fn parse_table(source: &str, bytes: &[u8], options: &TableOptions) -> Result<Table, Error> {
    let text = decode(source, bytes)?;
    let delimiter = options.delimiter.unwrap_or_else(|| sniff(text));
    check_lines(source, text, delimiter, &options.limits)?;
    let mut rows = Rows::new(source, text, delimiter);
    if rows.next()?.is_none() {
        let text = format!("{source} is empty");
        return Err(Error::data(Diagnostic::error(text).hint("a table has one example a line")));
    }
    let is_text = |cell: &str| !matches!(read_cell(cell), Cell::Number(_));
    let header = options.header.unwrap_or_else(|| rows.record.iter().all(is_text));
    let names = if header {
        header_names(source, &rows.record)?
    } else {
        (0..rows.record.len()).map(|i| i.to_string()).collect()
    };
    check_columns(source, names.len(), &options.limits)?;
    let mut building = Building::new(source, &names, header, &options.limits);
    let mut line = if header { rows.next()? } else { Some(1) };
    if line.is_none() {
        let text = format!("{source} has a header and no rows");
        return Err(Error::data(header_only_hint(text, &names)));
    }
    if !header {
        // The first row is a row: its own line was counted when it was read.
        rows = Rows::new(source, text, delimiter);
        line = rows.next()?;
    }
    while let Some(at) = line {
        building.push(at, &rows.record)?;
        line = rows.next()?;
    }
    building.finish(text, delimiter)
}

/// Refuses a line of more cells than a table may have columns, before anything is made of it.
fn check_lines(source: &str, text: &str, delimiter: u8, limits: &Limits) -> Result<(), Error> {
    let most = limits.table_columns;
    for (i, line) in text.split('\n').enumerate().filter(|(_, line)| line.len() > most) {
        let mut inside_quotes = false;
        let mut cells = 1;
        for byte in line.bytes() {
            inside_quotes ^= byte == b'"';
            cells = if byte == b'\r' { 1 } else { cells + usize::from(byte == delimiter && !inside_quotes) };
            if cells > most {
                return Err(too_many_columns(&format!("{source}, line {}", i + 1), limits));
            }
        }
    }
    Ok(())
}

/// Refuses more columns than a table may have.
pub(super) fn check_columns(source: &str, columns: usize, limits: &Limits) -> Result<(), Error> {
    if columns <= limits.table_columns { Ok(()) } else { Err(too_many_columns(source, limits)) }
}

fn too_many_columns(place: &str, limits: &Limits) -> Error {
    let text = format!("{place}: more than the {} columns a table may have", limits.table_columns);
    let hint = "give a wide array as NPZ, with the rows first; --max-table-columns raises the limit";
    Error::limit(Diagnostic::error(text).hint(hint))
}

fn header_only_hint(text: String, names: &[String]) -> Diagnostic {
    let first = names.first().map_or("", String::as_str);
    let cells = format!("its cells {} … were taken for names, because none is a number", quoted(first));
    Diagnostic::error(text).hint(format!("{cells}; say that there is no header if that is wrong"))
}

/// The text without a byte order mark; a clear word for what is no text.
pub(super) fn decode<'t>(source: &str, bytes: &'t [u8]) -> Result<&'t str, Error> {
    #[rustfmt::skip]
    const OTHERS: &[(&[u8], &str, &str)] = &[
        (b"\xFF\xFE",    "UTF-16 text",        "save it as UTF-8"),
        (b"\xFE\xFF",    "UTF-16 text",        "save it as UTF-8"),
        (b"\x1F\x8B",    "gzip",               "unpack it first"),
        (b"PK\x03\x04",  "a ZIP archive",      "arrays must be named `.npz`; a spreadsheet can be saved as CSV"),
        (b"\xD0\xCF\x11","a spreadsheet",      "save it as CSV"),
        (b"\x93NUMPY",   "a NumPy array",      "name it `.npy`"),
        (b"PAR1",        "a Parquet file",     "save it as CSV or NPZ"),
        (b"\x89HDF",     "an HDF5 file",       "save it as CSV or NPZ"),
        (b"%PDF",        "a PDF",              "save the table as CSV"),
    ];
    if let Some((_, what, hint)) = OTHERS.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        return Err(Error::data(
            Diagnostic::error(format!("{source} is {what}, not a text table")).hint(*hint),
        ));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let line = |at: usize| 1 + bytes[..at].iter().filter(|&&b| b == b'\n').count();
    if let Some(at) = bytes.iter().position(|&b| b == 0) {
        let text = format!("{source}, line {}: a zero byte: this is not a text table", line(at));
        return Err(Error::data(Diagnostic::error(text).hint("save the table as CSV in UTF-8")));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let text = format!("{source}, line {}: byte 0x{:02X} is not UTF-8", line(at), bytes[at]);
        Error::data(Diagnostic::error(text).hint("save the table as CSV in UTF-8"))
    })
}

/// The delimiter of the first line that is not blank. A tab or semicolon outside quotes is
/// hardly ever text, while a comma may be a decimal sign.
fn sniff(text: &str) -> u8 {
    let mut inside_quotes = false;
    let mut semicolon = false;
    for byte in text.trim_start_matches(['\r', '\n']).bytes() {
        inside_quotes ^= byte == b'"';
        match byte {
            _ if inside_quotes => {}
            b'\n' | b'\r' => break,
            b'\t' => return b'\t',
            b';' => semicolon = true,
            _ => {}
        }
    }
    if semicolon { b';' } else { b',' }
}

fn header_names(source: &str, record: &csv::StringRecord) -> Result<Vec<String>, Error> {
    let names: Vec<String> = record
        .iter()
        .enumerate()
        .map(|(i, cell)| if cell.trim().is_empty() { format!("#{i}") } else { cell.trim().to_owned() })
        .collect();
    match repeated(&names) {
        None => Ok(names),
        Some((first, second)) => {
            let name = quoted(&names[first]);
            let text = format!(
                "{source}, line 1: two columns are named {name}, numbers {} and {}",
                first + 1,
                second + 1
            );
            Err(Error::data(Diagnostic::error(text).hint("rename one of them")))
        }
    }
}

/// A table while its rows come.
struct Building<'t> {
    source: &'t str,
    names: &'t [String],
    header: bool,
    /// Numbers of each column, until a text stands in it.
    numbers: Vec<Option<Vec<f64>>>,
    first_missing: Vec<Option<String>>,
    lines: Vec<u32>,
    most_rows: usize,
    cell_bytes: usize,
}

impl<'t> Building<'t> {
    fn new(source: &'t str, names: &'t [String], header: bool, limits: &Limits) -> Building<'t> {
        Building {
            source,
            names,
            header,
            numbers: vec![Some(Vec::new()); names.len()],
            first_missing: vec![None; names.len()],
            lines: Vec::new(),
            most_rows: limits.table_cells / names.len().max(1),
            cell_bytes: limits.cell_bytes,
        }
    }

    fn push(&mut self, line: u32, record: &csv::StringRecord) -> Result<(), Error> {
        if record.len() != self.names.len() {
            return Err(self.ragged(line, record));
        }
        if self.lines.len() >= self.most_rows {
            let (source, most) = (self.source, self.most_rows * self.names.len());
            let text = format!("{source}, line {line}: the table has more than {most} cells");
            return Err(Error::limit(Diagnostic::error(text).hint("split the file, or raise the limit")));
        }
        for (i, text) in record.iter().enumerate() {
            if text.len() > self.cell_bytes {
                return Err(self.long_cell(line, i, text.len()));
            }
            let Some(numbers) = &mut self.numbers[i] else { continue };
            match read_cell(text) {
                Cell::Number(value) => numbers.push(value),
                Cell::Missing => {
                    numbers.push(f64::NAN);
                    self.first_missing[i].get_or_insert_with(|| text.trim().to_owned());
                }
                Cell::Text => self.numbers[i] = None,
            }
        }
        self.lines.push(line);
        Ok(())
    }

    fn long_cell(&self, line: u32, column: usize, length: usize) -> Error {
        let (source, most) = (self.source, self.cell_bytes);
        let name = quoted(&self.names[column]);
        let text = format!(
            "{source}, line {line}, column {name}: a cell of {length} bytes; at most {most} are read"
        );
        Error::limit(
            Diagnostic::error(text)
                .hint("is a quotation mark never closed? --max-cell-bytes raises the limit"),
        )
    }

    fn ragged(&self, line: u32, record: &csv::StringRecord) -> Error {
        let (found, expected) = (record.len(), self.names.len());
        let cells = if found == 1 { "cell" } else { "cells" };
        let who = if self.header { "the header" } else { "the first row" };
        let text = format!("{}, line {line}: {found} {cells}, but {who} has {expected}", self.source);
        let hint = if record.iter().any(|cell| cell.contains('\n')) {
            "a quotation mark opened in this row is closed on a later line, or never"
        } else if found > expected {
            "a delimiter inside a cell needs quotation marks around the cell"
        } else {
            "write empty cells for what is missing"
        };
        Error::data(Diagnostic::error(text).hint(hint))
    }

    /// Columns with text are read again, now as texts.
    fn finish(self, text: &str, delimiter: u8) -> Result<Table, Error> {
        let of_text: Vec<usize> = (0..self.names.len()).filter(|&i| self.numbers[i].is_none()).collect();
        let mut texts = vec![Texts::default(); of_text.len()];
        let mut first_missing = self.first_missing;
        if !of_text.is_empty() {
            let mut rows = Rows::new(self.source, text, delimiter);
            let mut skip = usize::from(self.header);
            while rows.next()?.is_some() {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                for (texts, &i) in texts.iter_mut().zip(&of_text) {
                    texts.push(rows.record.get(i).unwrap_or_default().trim());
                }
            }
        }
        let mut texts = texts.into_iter();
        let columns = self.numbers.into_iter().enumerate().map(|(i, numbers)| match numbers {
            Some(numbers) => Column::Numbers(numbers),
            None => {
                first_missing[i] = None;
                Column::Texts(texts.next().unwrap_or_default())
            }
        });
        let columns = columns.collect();
        Ok(Table {
            source: self.source.to_owned(),
            names: self.names.to_vec(),
            columns,
            rows: self.lines.len(),
            lines: self.lines,
            header: self.header,
            first_missing,
        })
    }
}
