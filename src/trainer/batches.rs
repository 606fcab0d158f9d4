//! Which samples make up the next batch.

use std::sync::Arc;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::data::Split;

/// The order in which an epoch visits the training set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Drawn anew for each epoch from the run's seed.
    Shuffled,
    /// As the samples stand: a batch is a contiguous stretch, as in the scripts of other libraries
    /// that steps are timed against.
    Sequential,
}

/// Where a walk over the training set stands, and its generator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    rule: Order,
    seed: [u8; 32],
    stream: u64,
    /// Words drawn so far; a text, since it has 68 bits.
    word: String,
    cursor: usize,
    epoch: usize,
}

/// An endless walk over a training set: each epoch visits every sample once, but for an incomplete
/// batch at its end.
#[derive(Clone, Debug)]
pub(super) struct Batches {
    rule: Order,
    rng: ChaCha8Rng,
    /// Shared with copies of the walk until one of them begins an epoch.
    order: Arc<Vec<u32>>,
    cursor: usize,
    epoch: usize,
}

impl Batches {
    /// Starts before the first epoch.
    pub(super) fn new(rule: Order, rng: ChaCha8Rng) -> Self {
        Self {
            rule,
            rng,
            order: Arc::default(),
            cursor: 0,
            epoch: 0,
        }
    }

    /// The next `batch` samples, at most all there are. The batch may change between calls.
    pub(super) fn next(&mut self, split: &Split, batch: usize) -> &[u32] {
        if batch >= split.len() {
            // All samples at every step: their order means nothing, so none is drawn.
            if self.order.len() != split.len() || self.epoch == 0 {
                self.in_sequence(split);
            }
            self.epoch += 1;
            self.cursor = self.order.len();
            return &self.order;
        }
        if self.cursor + batch > self.order.len() {
            match self.rule {
                Order::Shuffled => {
                    let order = Arc::make_mut(&mut self.order);
                    split.shuffle_epoch(order, &mut self.rng, self.epoch);
                }
                Order::Sequential => self.in_sequence(split),
            }
            self.cursor = 0;
            self.epoch += 1;
        }
        let start = self.cursor;
        self.cursor += batch;
        &self.order[start..self.cursor]
    }

    fn in_sequence(&mut self, split: &Split) {
        let order = Arc::make_mut(&mut self.order);
        order.clear();
        order.extend(0..split.len() as u32);
    }

    /// Samples of the order that it holds, unless `other` holds the same one.
    pub(super) fn n_samples_beside(&self, other: Option<&Self>) -> usize {
        let is_shared = other.is_some_and(|other| Arc::ptr_eq(&self.order, &other.order));
        if is_shared { 0 } else { self.order.len() }
    }

    /// The order of this epoch, and the place in it.
    pub(super) fn place(&self) -> (&[u32], Place) {
        let place = Place {
            rule: self.rule,
            seed: self.rng.get_seed(),
            stream: self.rng.get_stream(),
            word: self.rng.get_word_pos().to_string(),
            cursor: self.cursor,
            epoch: self.epoch,
        };
        (&self.order, place)
    }

    /// Goes on from a place.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn resume(&mut self, order: Vec<u32>, place: &Place) -> Result<(), String> {
        let word: u128 = place
            .word
            .parse()
            .map_err(|_unsaid| format!("word {} of the generator", place.word))?;
        if place.cursor > order.len() {
            return Err(format!("sample {} of {}", place.cursor, order.len()));
        }
        let mut rng = ChaCha8Rng::from_seed(place.seed);
        rng.set_stream(place.stream);
        rng.set_word_pos(word);
        *self = Self {
            rule: place.rule,
            rng,
            order: order.into(),
            cursor: place.cursor,
            epoch: place.epoch,
        };
        Ok(())
    }

    /// Passes over the training set so far, with a fraction.
    pub(super) fn epochs(&self) -> f64 {
        let part = self.cursor as f64 / self.order.len().max(1) as f64;
        self.epoch.saturating_sub(1) as f64 + part
    }
}
