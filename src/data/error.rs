//! What can be wrong with a choice of data or with its bytes.

use super::idx::IdxError;
use super::own::ReadError;

/// Why data could not be chosen or loaded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The name of a source is none of [`DataSource::ALL`](super::DataSource::ALL), and no path.
    #[error(
        "unknown data source {found:?}; there are mnist, blobs, rings, spiral and free, \
         and a path such as ./{found} or data.csv"
    )]
    UnknownSource {
        /// What was written.
        found: String,
    },
    /// The files of a figure or a session hold something else than when it was made.
    #[error(
        "{path}: has other data than those that the figure or session was made of; \
         bring them back, or take these with --set data.sha256=any"
    )]
    OtherData {
        /// The file.
        path: String,
    },
    /// A class is chosen by a name where classes are numbers.
    #[error(
        "classes {text:?}: {part:?} is not a class number; \
         write a count like 10 or a list like 3,8"
    )]
    ClassSyntax {
        /// The whole text.
        text: String,
        /// The part of it that is no number.
        part: String,
    },
    /// Fewer than two classes were chosen.
    #[error("classes {choice}: at least two classes are needed to tell apart")]
    TooFewClasses {
        /// The choice as it is written.
        choice: String,
    },
    /// A class was listed twice.
    #[error("classes {choice}: {class} is listed twice; name each class once")]
    DuplicateClass {
        /// The choice as it is written.
        choice: String,
        /// The repeated class.
        class: String,
    },
    /// A chosen class, or a count of classes, is more than the source has.
    #[error("classes {choice}: {available}")]
    NoSuchClass {
        /// The choice as it is written.
        choice: String,
        /// What the source has, as a sentence without a full stop.
        available: String,
    },
    /// `samples_per_class` is zero, or asks for more samples than fit in memory.
    #[error("samples = {found}: {n_classes} classes take 1 to {max} samples each")]
    SamplesPerClass {
        /// What was asked for.
        found: usize,
        /// Number of chosen classes.
        n_classes: usize,
        /// The largest allowed number for that many classes.
        max: usize,
    },
    /// `noise` is negative, too large or not a number.
    #[error("noise = {found} is outside 0 to {max} (in halves of the gap between classes)")]
    NoiseRange {
        /// What was asked for.
        found: f64,
        /// The largest allowed noise.
        max: f64,
    },
    /// `noise` was set for a source that has none.
    #[error("noise = {found}: {data} has no noise to set; blobs, rings and spiral have")]
    NoNoise {
        /// What was asked for.
        found: f64,
        /// The source's name.
        data: String,
    },
    /// Features have no sample of any chosen class.
    #[error("classes {choice}: no sample has one of these")]
    NoSamples {
        /// The choice as it is written.
        choice: String,
    },
    /// A field was set that only others have.
    #[error("data.{field}: {data} has none to set; {others}")]
    NotOwn {
        /// The field behind `data.`.
        field: &'static str,
        /// The source's name.
        data: &'static str,
        /// Who has it.
        others: &'static str,
    },
    /// Images were to be scaled like columns of a table.
    #[error(
        "data.scaling = {found}: images have mean 0 and deviation 1 over the training part; \
         leave it out"
    )]
    ScaledImages {
        /// What was asked for.
        found: &'static str,
    },
    /// The file of a [`DataSource::File`](super::DataSource::File) is not in memory.
    #[error("{path} has not been read")]
    NotRead {
        /// The path as it was given.
        path: String,
    },
    /// A file of own data cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The bytes inside the binary are not those that were put there.
    #[error("{file} inside the program is damaged: SHA-256 is {found}, expected {expected}")]
    DamagedAsset {
        /// The asset's file name.
        file: &'static str,
        /// The sum of the bytes found.
        found: String,
        /// The sum in `assets/mnist/SHA256SUMS`.
        expected: String,
    },
    /// A file in the IDX format cannot be read.
    #[error("{file} cannot be read as IDX")]
    Idx {
        /// The file's name.
        file: String,
        /// What is wrong in it.
        #[source]
        source: IdxError,
    },
    /// Images and labels belong to different files.
    #[error("{file}: {found} labels, but {expected} images")]
    LabelCount {
        /// The label file's name.
        file: String,
        /// Number of labels found.
        found: usize,
        /// Number of images.
        expected: usize,
    },
    /// The system refused a thread for decoding.
    #[error("the thread {name} for decoding images could not be started ({kind})")]
    Thread {
        /// The thread's name.
        name: &'static str,
        /// The system's reason.
        kind: std::io::ErrorKind,
    },
}
