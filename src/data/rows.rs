//! Rows of a delimited text, each with the line it begins on.
//!
//! Quoting and line ends are the `csv` crate's; the lines are counted here, because a blank
//! line or a line end inside quotes must not shift the number a message gives.

use crate::error::{Diagnostic, Error};

/// A reader of rows.
pub(super) struct Rows<'t> {
    reader: csv::Reader<&'t [u8]>,
    text: &'t str,
    source: &'t str,
    /// The row read last.
    pub record: csv::StringRecord,
    counted: usize,
    line: u32,
    /// Whether a cell of the row read last goes over several lines.
    spans: bool,
}

impl<'t> Rows<'t> {
    pub fn new(source: &'t str, text: &'t str, delimiter: u8) -> Rows<'t> {
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        Rows { reader, text, source, record: csv::StringRecord::new(), counted: 0, line: 1, spans: false }
    }

    /// Reads the next row into `record`: the line it begins on, or nothing at the end.
    pub fn next(&mut self) -> Result<Option<u32>, Error> {
        loop {
            let more = self.reader.read_record(&mut self.record).map_err(|error| {
                Error::data(Diagnostic::error(format!("{}, line {}: {error}", self.source, self.line)))
            })?;
            if !more {
                return self.end();
            }
            self.spans = self.record.as_slice().contains('\n');
            let start = self.record.position().map_or(0, |position| position.byte() as usize);
            self.advance(start);
            // A line of blanks is a blank line.
            if self.record.len() > 1 || self.record.get(0).is_some_and(|cell| !is_blank(cell)) {
                return Ok(Some(self.line));
            }
        }
    }

    /// A cell that goes on to the end of the text in spite of itself swallowed rows.
    fn end(&self) -> Result<Option<u32>, Error> {
        let odd = || self.text.bytes().filter(|&b| b == b'"').count() % 2 == 1;
        if self.spans && odd() {
            let text =
                format!("{}, line {}: a quotation mark of this row is never closed", self.source, self.line);
            return Err(Error::data(
                Diagnostic::error(text).hint("a quotation mark inside a cell is written twice"),
            ));
        }
        Ok(None)
    }

    /// Counts lines up to the row that begins at or after byte `start`.
    fn advance(&mut self, start: usize) {
        let bytes = self.text.as_bytes();
        let skipped = bytes[start..].iter().take_while(|&&b| b == b'\n' || b == b'\r').count();
        let start = start + skipped;
        // A line ends with LF, CR LF, or CR alone.
        let ends = |i: &usize| bytes[*i] == b'\n' || (bytes[*i] == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
        self.line += (self.counted..start).filter(ends).count() as u32;
        self.counted = start;
    }
}

/// Blanks only, and at least one: an empty quoted cell is a cell.
fn is_blank(cell: &str) -> bool {
    !cell.is_empty() && cell.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(u32, &[&str])]) {
        let mut rows = Rows::new("test.csv", text, b',');
        let mut found = Vec::new();
        while let Some(line) = rows.next().expect("it reads") {
            found.push((line, rows.record.iter().map(str::to_owned).collect::<Vec<_>>()));
        }
        let found: Vec<(u32, Vec<&str>)> =
            found.iter().map(|(line, cells)| (*line, cells.iter().map(String::as_str).collect())).collect();
        let expected: Vec<(u32, Vec<&str>)> =
            expected.iter().map(|(line, cells)| (*line, cells.to_vec())).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn rows_know_their_lines() {
        check("a,b\n1,2\n", &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("a\r\n\r\n\r\n1\r\n2", &[(1, &["a"]), (4, &["1"]), (5, &["2"])]);
        check("\n\na\n", &[(3, &["a"])]);
        check("a\r1\r2", &[(1, &["a"]), (2, &["1"]), (3, &["2"])]);
        check("\"a\nb\",c\n1,2\n", &[(1, &["a\nb", "c"]), (3, &["1", "2"])]);
        check("1\n  \n2\n", &[(1, &["1"]), (3, &["2"])]);
        check("a,\"b \"\"q\"\"\"\n", &[(1, &["a", "b \"q\""])]);
    }
}
