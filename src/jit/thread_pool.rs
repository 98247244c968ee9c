//! Threads that wait for pieces of work.
//!
//! What must stay true: `run` returns when every piece is done, and each is done once; a thread
//! that comes late finds that its round is over and touches nothing. Which thread does a piece
//! is left to chance: pieces must not depend on it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// How often a thread looks for work before it sleeps: some 50 µs.
const PATIENCE: u32 = 20_000;

/// How often the caller looks whether all is done before it lets others go first.
const LOOKS: u32 = 1_000;

type Work<J> = dyn Fn(J, usize) + Send + Sync;

/// A job in pieces.
#[derive(Clone, Copy)]
struct Round<J> {
    number: u32,
    job: J,
    pieces: u32,
}

struct Shared<J> {
    work: Box<Work<J>>,
    round: Mutex<Option<Round<J>>>,
    wake: Condvar,
    /// The number of the round, and in the low half how many of its pieces are taken.
    taken: AtomicU64,
    done: AtomicUsize,
    end: AtomicBool,
}

/// Threads that, with the caller, do the pieces of one job at a time.
pub(in crate::jit) struct ThreadPool<J> {
    shared: Arc<Shared<J>>,
    threads: Vec<JoinHandle<()>>,
}

/// Counts a piece as done, even if it panics.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

impl<J: Copy + Send + 'static> ThreadPool<J> {
    /// `others` threads besides the caller; fewer where the system has no more.
    pub fn new(others: usize, work: impl Fn(J, usize) + Send + Sync + 'static) -> ThreadPool<J> {
        let shared = Arc::new(Shared {
            work: Box::new(work),
            round: Mutex::new(None),
            wake: Condvar::new(),
            taken: AtomicU64::new(0),
            done: AtomicUsize::new(0),
            end: AtomicBool::new(false),
        });
        let thread = |_| {
            let shared = shared.clone();
            std::thread::Builder::new().spawn(move || shared.serve()).ok()
        };
        let threads = (0..others).map_while(thread).collect();
        ThreadPool { shared, threads }
    }

    /// Does all pieces of a job.
    pub fn run(&self, job: J, pieces: u32) {
        let shared = &*self.shared;
        let round = {
            let mut current = shared.lock();
            let number = current.map_or(1, |round| round.number.wrapping_add(1));
            let round = Round { number, job, pieces };
            *current = Some(round);
            shared.done.store(0, Ordering::Relaxed);
            shared.taken.store(u64::from(number) << 32, Ordering::Release);
            round
        };
        shared.wake.notify_all();
        shared.help(round);
        let mut looks = 0;
        while shared.done.load(Ordering::Acquire) < pieces as usize {
            looks += 1;
            if looks < LOOKS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

impl<J: Copy> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, Option<Round<J>>> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does pieces of a round until none is left or the round is over.
    fn help(&self, round: Round<J>) {
        let of_round = |taken: u64| {
            let more = (taken >> 32) as u32 == round.number && (taken as u32) < round.pieces;
            more.then(|| taken + 1)
        };
        while let Ok(taken) = self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, of_round) {
            let _done = Done(&self.done);
            (self.work)(round.job, taken as u32 as usize);
        }
    }

    /// What a thread does until the end.
    fn serve(&self) {
        let mut seen = 0;
        loop {
            let mut looks = 0;
            while (self.taken.load(Ordering::Acquire) >> 32) as u32 == seen && looks < PATIENCE {
                looks += 1;
                std::hint::spin_loop();
            }
            let mut current = self.lock();
            let round = loop {
                if self.end.load(Ordering::Acquire) {
                    return;
                }
                match *current {
                    Some(round) if round.number != seen => break round,
                    _ => current = self.wake.wait(current).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(current);
            seen = round.number;
            self.help(round);
        }
    }
}

impl<J> Drop for ThreadPool<J> {
    fn drop(&mut self) {
        {
            // Under the lock, so that no thread is between its look and its sleep.
            let _current = self.shared.round.lock().unwrap_or_else(PoisonError::into_inner);
            self.shared.end.store(true, Ordering::Release);
        }
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_of_every_round_is_done_once() {
        let counts: Arc<Vec<AtomicUsize>> = Arc::new((0..7).map(|_| AtomicUsize::new(0)).collect());
        let seen = counts.clone();
        let pool = ThreadPool::new(3, move |job: usize, piece| {
            seen[piece].fetch_add(job, Ordering::Relaxed);
        });
        for round in 1..=2_000 {
            pool.run(round, 1 + (round % 7) as u32);
        }
        for (piece, count) in counts.iter().enumerate() {
            let expected: usize = (1..=2_000).filter(|round| round % 7 >= piece).sum();
            assert_eq!(count.load(Ordering::Relaxed), expected, "piece {piece}");
        }
    }
}
