//! Weights: parameters, optimiser state and metadata in a safetensors file.
//!
//! Pipeline: [`Saved`] → [`save`] → a file other tools read → [`load`] → [`Saved`].
//!
//! What must stay true: a file is replaced whole or not at all; loading believes no header; the
//! same weights give the same bytes, and bits come back as they were.
//!
//! ```
//! use symdiff::weights::{Dtype, Saved, Tensor, load, save};
//! let path = std::env::temp_dir().join(format!("symdiff-doc-{}.safetensors", std::process::id()));
//! let saved = Saved {
//!     params: vec![Tensor::new("W", &[2, 2], vec![1.0, 2.0, 3.0, 4.0])],
//!     metadata: [("symdiff.seed".to_owned(), "0".to_owned())].into(),
//!     ..Saved::default()
//! };
//! save(&path, &saved)?;
//! assert_eq!(load(&path, &symdiff::Limits::default())?, saved);
//! # std::fs::remove_file(&path).unwrap();
//! # Ok::<(), symdiff::Error>(())
//! ```

mod atomic;
mod encode;
mod load;
mod saved;

pub use atomic::save;
pub(crate) use atomic::{check_place, replace_file};
pub use load::load;
pub use saved::{Dtype, Saved, Tensor};
