//! Which rows each step takes.
//!
//! What must stay true: every step takes `size` rows; an epoch is ⌊n / size⌋ steps and takes no
//! row twice; the rows of a step depend on the seed, the epoch and the position in it alone, so
//! a state of two numbers resumes exactly. The rows an epoch leaves out (fewer than `size`)
//! change from epoch to epoch: by the shuffle, or, unshuffled, because the next epoch begins
//! where this one ended.

use super::random::Random;
use crate::error::{Diagnostic, Error};

/// The rows of each step, without end.
///
/// ```
/// use symdiff::data::Batches;
/// let mut batches = Batches::new(&[0, 1, 2, 3, 4], 2, 0, true)?;
/// assert_eq!(batches.per_epoch(), 2);
/// let first = batches.next_batch().to_vec();
/// let saved = batches.state();
/// let second = batches.next_batch().to_vec();
/// batches.restore(saved);
/// assert_eq!(batches.next_batch(), second);
/// assert!(first.iter().all(|row| !second.contains(row)));
/// # Ok::<(), symdiff::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batches {
    rows: Vec<u32>,
    order: Vec<u32>,
    size: usize,
    seed: u64,
    shuffle: bool,
    state: BatchState,
    /// The epoch `order` is of.
    ordered: Option<u64>,
}

/// Where in the training data a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchState {
    /// Epochs finished.
    pub epoch: u64,
    /// Batches taken of this epoch.
    pub position: u64,
}

impl Batches {
    /// Batches of `size` of these rows.
    ///
    /// Fails where a batch is larger than the rows there are, or has no rows.
    pub fn new(rows: &[u32], size: usize, seed: u64, shuffle: bool) -> Result<Batches, Error> {
        if size == 0 || size > rows.len() {
            let text = format!("a batch of {size} rows, but there are {} rows to train on", rows.len());
            return Err(Error::data(Diagnostic::error(text).hint("take a smaller batch, or `batch = full`")));
        }
        Ok(Batches {
            rows: rows.to_vec(),
            order: rows.to_vec(),
            size,
            seed,
            shuffle,
            state: BatchState::default(),
            ordered: None,
        })
    }

    /// All rows in each step, in their order.
    pub fn full(rows: &[u32]) -> Result<Batches, Error> {
        Batches::new(rows, rows.len(), 0, false)
    }

    /// The rows of the next step.
    pub fn next_batch(&mut self) -> &[u32] {
        let BatchState { epoch, position } = self.state;
        if self.ordered != Some(epoch) {
            self.arrange(epoch);
        }
        let last = position + 1 >= self.per_epoch();
        self.state = if last {
            BatchState { epoch: epoch + 1, position: 0 }
        } else {
            BatchState { epoch, position: position + 1 }
        };
        let start = position as usize * self.size;
        &self.order[start..start + self.size]
    }

    fn arrange(&mut self, epoch: u64) {
        self.order.copy_from_slice(&self.rows);
        if self.shuffle {
            Random::at(self.seed, "batches", epoch).shuffle(&mut self.order);
        } else {
            let (n, used) = (self.rows.len() as u128, u128::from(self.per_epoch()) * self.size as u128);
            self.order.rotate_left((u128::from(epoch) * used % n) as usize);
        }
        self.ordered = Some(epoch);
    }

    /// Steps of one epoch.
    pub fn per_epoch(&self) -> u64 {
        (self.rows.len() / self.size) as u64
    }

    /// Rows of one step.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where the next batch stands.
    pub fn state(&self) -> BatchState {
        self.state
    }

    /// Goes on from a saved state; a position beyond the epoch counts as further epochs.
    pub fn restore(&mut self, state: BatchState) {
        let per_epoch = self.per_epoch();
        self.state = BatchState {
            epoch: state.epoch.saturating_add(state.position / per_epoch),
            position: state.position % per_epoch,
        };
    }

    /// Goes on after so many steps in all.
    pub fn restore_step(&mut self, steps: u64) {
        self.restore(BatchState { epoch: 0, position: steps });
    }
}
