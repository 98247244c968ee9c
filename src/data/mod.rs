//! Data: from files to examples, the numbers of each input of a program, example by example.
//!
//! Pipeline: `read_dataset` (a table or arrays) → [`prepare`] (bind columns to inputs, split,
//! fill, scale) → [`Examples`] and [`Batches`] for the training step; [`prepare_like`] does the
//! same to new data with the [`Encodings`] that were saved. [`Random`] is every random number
//! of training.
//!
//! What must stay true: nothing is guessed silently (what was guessed is in `echo`); means and
//! deviations are those of the training rows only; every fault names the file, the row and the
//! column; the same bytes and seed give the same bits on every host.
//!
//! ```
//! use symdiff::data::{Dataset, InputShape, Portions, TableOptions, Wishes, parse_table, prepare};
//!
//! let table = parse_table("trees.csv", b"girth,height\n8.3,70\n8.6,65\n8.8,63\n", &TableOptions::default())?;
//! let inputs = [InputShape::new("girth", &[]), InputShape::new("height", &[])];
//! let data = Dataset::Table(table);
//! let prepared = prepare(Some(&data), &inputs, &Wishes::default(), &Portions::default())?;
//! assert_eq!(prepared.examples.inputs[1], [70.0, 65.0, 63.0]);
//! # Ok::<(), symdiff::Error>(())
//! ```

mod arrays;
mod batches;
mod bind;
mod by_name;
mod cell;
mod classes;
mod encodings;
mod extract;
mod file;
mod labels;
mod npy;
mod pick;
mod prepare;
mod random;
mod read;
mod rows;
mod run_log;
mod scaling;
mod split;
mod table;
mod text;
mod write;

pub use arrays::{Array, Dataset, read_arrays, read_dataset};
pub use batches::{BatchState, Batches};
pub use bind::{InputShape, Missing, Source, Wish, Wishes};
pub use encodings::{Encoded, Encodings};
pub use extract::Examples;
pub(crate) use file::{open_file, read_file};
pub use labels::Labels;
pub use pick::ColumnPick;
pub use prepare::{Portions, Prepared, prepare, prepare_like};
pub use random::Random;
pub use read::{TableOptions, parse_table, read_table};
pub use run_log::RunLog;
pub use scaling::Scaling;
pub use split::{Split, split, split_by_class};
pub use table::{Column, Table, Texts};
pub use text::{Corpus, read_text};
pub use write::write_npy;
