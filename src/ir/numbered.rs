//! Values of which each is there once, numbered in the order in which they came.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;
use std::hash::{BuildHasher, Hash};

#[derive(Clone)]
pub(crate) struct Numbered<T> {
    all: Vec<T>,
    numbers: HashTable<u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered { all: Vec::new(), numbers: HashTable::new() }
    }
}

fn hash(value: &impl Hash) -> u64 {
    FxBuildHasher.hash_one(value)
}

impl<T: Hash + Eq> Numbered<T> {
    pub fn get(&self, number: u32) -> &T {
        &self.all[number as usize]
    }

    /// The number of a value, if it has one.
    pub fn find(&self, value: &T) -> Option<u32> {
        self.numbers.find(hash(value), |&known| self.get(known) == value).copied()
    }

    /// The number of a value, a new one if it has none.
    pub fn number(&mut self, value: T) -> u32 {
        let Numbered { all, numbers } = self;
        let is_same = |&known: &u32| all[known as usize] == value;
        match numbers.entry(hash(&value), is_same, |&known| hash(&all[known as usize])) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let number = super::graph::index_u32(all.len());
                place.insert(number);
                all.push(value);
                number
            }
        }
    }
}
