//! An image that is of no data set: drawn by hand, and seen by the network beside the samples.

use std::sync::Arc;

use crate::trainer::Trainer;

/// A drawn image and what the network makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// 28×28 pixels row by row, 0 paper to 255 ink; the one that was placed, so that whoever placed it
    /// knows which one this is.
    pub image: Arc<[u8]>,
    /// x `[dim]`, always of the snapshot's own step; finite
    pub feature: Vec<f32>,
}

impl Drawn {
    /// `None` where the network reads no images of this size, or gives no finite feature.
    pub(crate) fn of(trainer: &Trainer, image: &Arc<[u8]>) -> Option<Self> {
        let feature = trainer.embed_image(image)?;
        feature.iter().all(|x| x.is_finite()).then(|| Self {
            image: Arc::clone(image),
            feature,
        })
    }
}
