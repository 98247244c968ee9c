//! Pieces of work that threads take as they come.
//!
//! What must stay true: each piece is taken once, and all are done when [`share`] returns without an
//! error. Which thread does a piece, and when, is left to chance: pieces must not depend on it.

use crate::error::Error;
use std::sync::{Mutex, PoisonError};

/// Does all pieces on so many threads, the caller's included; on fewer where the system has no more.
///
/// # Errors
/// Those of the work. What is left of the pieces then may not be done.
pub(super) fn share<P>(
    threads: usize,
    pieces: impl Iterator<Item = P> + Send,
    work: impl Fn(P) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let pieces = Mutex::new(pieces);
    let take = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
    let serve = || std::iter::from_fn(take).try_for_each(&work);
    std::thread::scope(|scope| {
        let other = |_| std::thread::Builder::new().spawn_scoped(scope, serve).ok();
        let others: Vec<_> = (1..threads).map_while(other).collect();
        let own = serve();
        let joined = others
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.fold(own, Result::and)
    })
}

#[cfg(test)]
mod tests {
    use super::share;
    use crate::error::{Diagnostic, Error};

    #[test]
    fn every_piece_is_done_once_and_errors_come_back() {
        for threads in [0, 1, 2, 5] {
            let mut done = [0; 1000];
            share(threads, done.iter_mut(), |piece| {
                *piece += 1;
                Ok(())
            })
            .unwrap();
            assert_eq!(done, [1; 1000], "{threads} threads");
            let refused = |piece| match piece {
                700 => Err(Error::input(Diagnostic::error("no"))),
                _ => Ok(()),
            };
            assert!(share(threads, 0..1000, refused).is_err(), "{threads} threads");
        }
    }
}
