//! Aligned columns, wide as their widest cell; rows beyond a number go out as they come.

use std::io;

use super::console::Console;

/// Rows held back to find the widths of the columns.
const HELD: usize = 1_000;
/// Blanks between columns.
const GAP: usize = 2;

pub struct Table {
    widths: Vec<usize>,
    held: Vec<Vec<String>>,
    settled: bool,
}

impl Table {
    pub fn new(header: Vec<String>) -> Table {
        Table { widths: vec![0; header.len()], held: vec![header], settled: false }
    }

    pub fn row(&mut self, cells: Vec<String>, console: &mut Console) -> io::Result<()> {
        if self.settled {
            return console.print(&self.line(&cells));
        }
        self.held.push(cells);
        if self.held.len() > HELD { self.finish(console) } else { Ok(()) }
    }

    /// Writes what was held back.
    pub fn finish(&mut self, console: &mut Console) -> io::Result<()> {
        self.settled = true;
        let held = std::mem::take(&mut self.held);
        for cells in &held {
            for (width, cell) in self.widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        held.iter().try_for_each(|cells| console.print(&self.line(cells)))
    }

    fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&self.widths) {
            let blanks = (width + GAP).saturating_sub(cell.chars().count());
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', blanks));
        }
        line.truncate(line.trim_end().len());
        line
    }
}
