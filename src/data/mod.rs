//! What is trained on: MNIST from inside the binary, synthetic sets, labels alone, and files.
//!
//! A [`DataSpec`] says which set and which of its classes, and keeps what [`DataSpec::read`] found
//! in files, so that all else asks no disk; [`load`] turns it into a [`Dataset`] of
//! one or two [`Split`]s. Samples are contiguous columns: [`Split::gather`] writes
//! `[dim, batch]`, column-major, which is how the networks read it.
//!
//! The same spec and seed give the same samples in the same order, whatever the clock or the number
//! of threads (to the bit on one kind of machine; sines differ in the last place between others).

mod blocks;
mod classes;
pub mod drawing;
mod error;
pub mod idx;
mod mnist;
pub mod own;
mod source;
mod split;
mod synthetic;

use std::sync::Arc;

pub use classes::ClassChoice;
pub use error::DataError;
pub use own::{Given, GivenFeatures, OwnData};
pub use source::{
    DEFAULT_TEST_SHARE, DataSource, DataSpec, MAX_NOISE, MAX_SAMPLES, MAX_TEST_SHARE, Scaling,
    TestPart,
};
pub use split::{InputShape, Split};

/// A set to train on, with its classes relabeled 0, 1, 2, … in the order in which they were chosen.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The source's id, such as `mnist`, or the name of the file.
    pub name: String,
    /// What each class is called; the place in the list is the label.
    pub class_names: Vec<String>,
    /// What one sample looks like, the same in both splits.
    pub input: InputShape,
    /// The samples to train on.
    pub train: Split,
    /// The samples to measure on; none where inputs do not generalize ([`DataSource::Free`]), and
    /// where own data are trained on as a whole.
    pub test: Option<Split>,
    /// Where inputs are features already, which are looked at and not trained: what else is known.
    pub given: Option<Given>,
    /// What the numbers of a sample are in the user's table; none of other data.
    pub columns: Arc<[Column]>,
}

/// A column of a user's table, as inputs are made of it: x ↦ (x − shift) / unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Empty where the file has no names.
    pub name: String,
    /// What became 0, in the units of the file.
    pub shift: f64,
    /// What became 1.
    pub unit: f64,
}

impl Dataset {
    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.class_names.len()
    }

    /// Whether it is known which class a sample has.
    pub fn has_labels(&self) -> bool {
        self.given.as_ref().is_none_or(|given| given.has_labels)
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
/// If the spec asks for what the source does not have, own data have not been read, or the program's
/// own copy of MNIST is damaged.
pub fn load(spec: &DataSpec, seed: u64) -> Result<Dataset, DataError> {
    let dim = spec.given().map_or(0, |given| given.dim());
    load_in(spec, dim, seed)
}

/// The same, with features that are looked at as they are seen in `dim` dimensions: all of the
/// file's, or 2 or 3 of them.
///
/// # Errors
/// As [`load`].
pub fn load_in(spec: &DataSpec, dim: usize, seed: u64) -> Result<Dataset, DataError> {
    let classes = spec.class_ids()?;
    let not_read = |path: &std::path::Path| DataError::NotRead {
        path: path.display().to_string(),
    };
    let mut input = spec.input_shape().unwrap_or(InputShape::None);
    let mut given = None;
    let mut columns = Vec::new();
    let (train, test) = match &spec.source {
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
        DataSource::File(path) => {
            let own = spec.own().ok_or_else(|| not_read(path))?;
            let options = own::Options {
                classes: &classes,
                samples_per_class: spec.samples_per_class,
                test_share: spec.test_share(),
                scaling: spec.scaling.unwrap_or_default(),
                seed,
            };
            let (train, test, scaled) = own::prepare(own, options);
            columns = scaled;
            (train, test)
        }
        DataSource::Features(path) => {
            let features = spec.given().ok_or_else(|| not_read(path))?;
            let most = spec.samples_per_class.unwrap_or(usize::MAX);
            let (split, known) = features.seen(dim, &classes, most);
            input = InputShape::Vector { dim };
            given = Some(known);
            (split, None)
        }
    };
    Ok(Dataset {
        name: spec.source.id().to_owned(),
        class_names: classes
            .iter()
            .map(|&class| spec.class_name(class))
            .collect(),
        input,
        train,
        test,
        given,
        columns: columns.into(),
    })
}
