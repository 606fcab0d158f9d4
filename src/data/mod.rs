//! What is trained on: MNIST from inside the binary, synthetic sets, and labels alone.
//!
//! A [`DataSpec`] says which set and which of its classes; [`load`] turns it into a [`Dataset`] of
//! one or two [`Split`]s. Samples are contiguous columns: [`Split::gather`] writes
//! `[dim, batch]`, column-major, which is how the networks read it.
//!
//! The same spec and seed give the same samples in the same order, whatever the clock or the number
//! of threads (to the bit on one kind of machine; sines differ in the last place between others).

mod blocks;
mod classes;
mod error;
pub mod idx;
mod mnist;
mod source;
mod split;
mod synthetic;

pub use classes::ClassChoice;
pub use error::DataError;
pub use source::{DataSource, DataSpec, MAX_NOISE, MAX_SAMPLES};
pub use split::{InputShape, Split};

/// A set to train on, with its classes relabeled 0, 1, 2, … in the order in which they were chosen.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The source's id, such as `mnist`.
    pub name: String,
    /// What each class is called; the place in the list is the label.
    pub class_names: Vec<String>,
    /// What one sample looks like, the same in both splits.
    pub input: InputShape,
    /// The samples to train on.
    pub train: Split,
    /// The samples to measure on; none where inputs do not generalize ([`DataSource::Free`]).
    pub test: Option<Split>,
}

impl Dataset {
    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.class_names.len()
    }
}

/// Loads what `spec` describes.
///
/// Synthetic samples are drawn from `seed`; MNIST does not depend on it. For MNIST this returns
/// before the images are decoded: two named threads go on with that, and [`Split::gather`] waits
/// for the images it is asked for and for no others. They are decoded once in a process, however
/// often they are loaded.
///
/// ```
/// use marginscope::data::{DataSource, DataSpec, load};
///
/// let rings = load(&DataSpec::new(DataSource::Rings), 1)?;
/// assert_eq!(rings.class_names, ["0", "1", "2"]);
///
/// let mut batch = [0.0; 4 * 2]; // [dim, batch]
/// rings.train.gather(&[0, 1, 2, 3], &mut batch);
/// assert!(batch.iter().all(|x| x.abs() < 2.0));
/// # Ok::<(), marginscope::data::DataError>(())
/// ```
///
/// # Errors
/// If the spec asks for what the source does not have, or the program's own copy of MNIST is
/// damaged.
pub fn load(spec: &DataSpec, seed: u64) -> Result<Dataset, DataError> {
    let classes = spec.class_ids()?;
    let (train, test) = match spec.source {
        DataSource::Mnist => {
            let (train, test) = mnist::splits(&classes, spec.samples_per_class)?;
            (train, Some(test))
        }
        DataSource::Blobs | DataSource::Rings | DataSource::Spiral => {
            let (train, test) = synthetic::splits(spec, &classes, seed);
            (train, Some(test))
        }
        DataSource::Free => (
            Split::labels_only(classes.len(), spec.samples_per_class()),
            None,
        ),
    };
    Ok(Dataset {
        name: spec.source.id().to_owned(),
        class_names: classes.iter().map(ToString::to_string).collect(),
        input: spec.source.input_shape(),
        train,
        test,
    })
}
