//! What hands do to a run: class weights and free features are put somewhere, class weights are
//! held where they are.

use std::ops::Range;

use crate::experiment::{Placed, Placement};
use crate::loss::Form;
use crate::trainer::Trainer;
use crate::trainer::model::Body;

impl Trainer {
    /// Puts a vector somewhere; nothing where the run has no such vector. Its momentum is gone: it
    /// would carry it on along its old way.
    pub(super) fn place(&mut self, placement: &Placement) {
        let Some(range) = self.place_of(placement.what) else {
            return;
        };
        self.params[range.clone()].copy_from_slice(&placement.to);
        self.optimizer.rest(range);
        self.put_on_sphere();
    }

    /// Where a vector stands among the parameters.
    fn place_of(&self, what: Placed) -> Option<Range<usize>> {
        let dim = self.model.dim;
        let (all, at) = match (what, &self.model.body) {
            // Its first weight is 0 by definition.
            (Placed::Weight(0), _) if self.experiment.loss.spec.form == Form::Binary => {
                return None;
            }
            (Placed::Weight(class), _) => (self.model.weights.range(), class),
            (Placed::Feature(sample), Body::Free(features)) => (features.range(), sample),
            (Placed::Feature(_), _) => return None,
        };
        let start = all.start + at * dim;
        (start + dim <= all.end).then_some(start..start + dim)
    }

    /// Class weights that are held, with where they are.
    pub(super) fn held(&self) -> Vec<(Range<usize>, Vec<f32>)> {
        let pinned = self.experiment.hold.pinned.iter();
        let places = pinned.filter_map(|&class| self.place_of(Placed::Weight(class)));
        let with_place = |range: Range<usize>| (range.clone(), self.params[range].to_vec());
        places.map(with_place).collect()
    }

    /// Puts what was held back, after a step that moved everything.
    pub(super) fn put_back(&mut self, held: Vec<(Range<usize>, Vec<f32>)>) {
        for (range, place) in held {
            self.params[range.clone()].copy_from_slice(&place);
            self.optimizer.rest(range);
        }
    }
}
