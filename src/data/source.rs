//! Which data a run is about: the source, its classes, how many samples and how noisy.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use super::classes::{ClassChoice, Offer};
use super::error::DataError;
use super::own::{self, FeatureFiles, GivenFeatures, OwnData, Progress};
use super::split::InputShape;

/// The most training samples that a synthetic set or free labels may have in all classes together.
pub const MAX_SAMPLES: usize = 1_000_000;

/// The most noise that a synthetic set may have, in halves of the gap between classes: four times
/// the gap itself, where nothing is left to be told apart.
pub const MAX_NOISE: f64 = 8.0;

/// The most classes that a synthetic set or free labels may have.
const MAX_CLASSES: usize = 100;

/// Share of own data to test on, where none is chosen.
pub const DEFAULT_TEST_SHARE: f64 = 0.2;

/// The largest share of own data to test on; the rest must be enough to train on.
pub const MAX_TEST_SHARE: f64 = 0.9;

/// Where samples come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataSource {
    /// Handwritten digits, 28×28, 60,000 to train on and 10,000 to test.
    #[default]
    Mnist,
    /// Gaussian blobs in the plane, on a circle or a grid.
    Blobs,
    /// Concentric rings in the plane.
    Rings,
    /// Interleaved spiral arms in the plane.
    Spiral,
    /// Labels alone: the features themselves are what is trained.
    Free,
    /// The user's own data: CSV, NPY, NPZ, IDX or a folder of images. What it holds is known once
    /// [`DataSpec::read`] has read it.
    File(PathBuf),
    /// Features that somebody else trained: CSV, NPY or NPZ. They are looked at as they are, with
    /// class weights if there are any, and nothing is trained.
    Features(PathBuf),
}

impl DataSource {
    /// All sources that need no file, in the order of the command line's help.
    pub const ALL: [Self; 5] = [
        Self::Mnist,
        Self::Blobs,
        Self::Rings,
        Self::Spiral,
        Self::Free,
    ];

    /// The name in files and on the command line; of own data the file's name without its folder.
    pub fn id(&self) -> &str {
        match self {
            Self::File(path) | Self::Features(path) => path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or("own data"),
            built_in => built_in.built_in_id(),
        }
    }

    fn built_in_id(&self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::Blobs => "blobs",
            Self::Rings => "rings",
            Self::Spiral => "spiral",
            Self::Free => "free",
            Self::File(_) => "own data",
            Self::Features(_) => "a file of features",
        }
    }

    /// The path of own data or features.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Features(path) => Some(path),
            _ => None,
        }
    }

    /// Whether it is features that are looked at and not trained.
    pub fn is_given(&self) -> bool {
        matches!(self, Self::Features(_))
    }

    /// What one sample looks like; `None` for own data and features, whose files tell.
    fn input_shape(&self) -> Option<InputShape> {
        Some(match self {
            Self::Mnist => InputShape::Image {
                height: 28,
                width: 28,
            },
            Self::Blobs | Self::Rings | Self::Spiral => InputShape::Vector { dim: 2 },
            Self::Free => InputShape::None,
            Self::File(_) | Self::Features(_) => return None,
        })
    }

    /// The classes there are; `None` for own data, whose table tells.
    ///
    /// By default there are ten, and three for rings and spiral arms, which stay wide enough to be
    /// seen.
    pub(super) fn offer(&self) -> Option<Offer<'static>> {
        let (n, n_default) = match self {
            Self::Mnist => (10, 10),
            Self::Blobs | Self::Free => (MAX_CLASSES, 10),
            Self::Rings | Self::Spiral => (MAX_CLASSES, 3),
            Self::File(_) | Self::Features(_) => return None,
        };
        let words = match self {
            Self::Mnist => "MNIST has the digits 0 to 9".to_owned(),
            other => format!("{other} has up to {n} classes, 0 to {}", n - 1),
        };
        Some(Offer {
            n,
            n_default,
            names: None,
            words,
        })
    }

    /// Samples of each class to train on where no number is chosen; `None` where a set simply has
    /// what it has.
    pub fn default_samples_per_class(&self) -> Option<usize> {
        match self {
            Self::Mnist | Self::File(_) | Self::Features(_) => None,
            Self::Blobs | Self::Rings | Self::Spiral => Some(500),
            Self::Free => Some(10),
        }
    }

    /// The noise where none is chosen, in halves of the gap between classes; `None` where there is
    /// none to set.
    ///
    /// At 0.4 a point lies 2.5 standard deviations from the middle of the gap, so that about one in
    /// a hundred lies nearer to another class.
    pub fn default_noise(&self) -> Option<f64> {
        match self {
            Self::Blobs | Self::Rings | Self::Spiral => Some(0.4),
            Self::Mnist | Self::Free | Self::File(_) | Self::Features(_) => None,
        }
    }
}

impl fmt::Display for DataSource {
    /// As it is read back: a path that could be taken for a name begins with `./`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Features(path) => {
                let text = path.display().to_string();
                let prefix = if is_path(&text) { "" } else { "./" };
                write!(f, "{prefix}{text}")
            }
            built_in => f.write_str(built_in.built_in_id()),
        }
    }
}

impl FromStr for DataSource {
    type Err = DataError;

    /// A name, or a path, which has a dot or a separator in it. Whether there is a file is not
    /// asked.
    fn from_str(text: &str) -> Result<Self, DataError> {
        let built_in = Self::ALL.into_iter().find(|source| source.id() == text);
        built_in
            .or_else(|| is_path(text).then(|| Self::File(PathBuf::from(text))))
            .ok_or_else(|| DataError::UnknownSource {
                found: text.to_owned(),
            })
    }
}

fn is_path(text: &str) -> bool {
    text.contains(['.', '/', std::path::MAIN_SEPARATOR])
}

/// Which samples of own data are there to test on.
#[derive(Debug, Clone, PartialEq)]
pub enum TestPart {
    /// This share of each class, drawn from the run's seed; 0 is none.
    Share(f64),
    /// Those in another file of the same kind.
    File(PathBuf),
}

/// How the columns of a table are scaled. The scale comes from the training part alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scaling {
    /// Mean 0, standard deviation 1.
    #[default]
    Standard,
    /// Least 0, largest 1.
    MinMax,
    /// As it stands in the file.
    None,
}

impl Scaling {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Standard, Self::MinMax, Self::None];

    /// Identifier in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::MinMax => "minmax",
            Self::None => "none",
        }
    }
}

/// A choice of data; the default is all of MNIST.
///
/// Own data are read by [`DataSpec::read`] and then part of it: two choices are equal if their
/// settings and tables are.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct DataSpec {
    /// Where samples come from.
    pub source: DataSource,
    /// Which of the source's classes.
    pub classes: ClassChoice,
    /// Samples of each class to train on; for MNIST and own data the first so many of each class,
    /// and all where a class has fewer. `None` is [`DataSource::default_samples_per_class`].
    ///
    /// A synthetic set has half as many to test, the others all they have.
    pub samples_per_class: Option<usize>,
    /// Standard deviation of a synthetic sample around its place, in halves of the gap between
    /// neighboring classes, 0 to [`MAX_NOISE`]. `None` is [`DataSource::default_noise`].
    pub noise: Option<f64>,
    /// The label column of a table of text, by name or by number from 1. `None` is the only column
    /// with a usual name (label, class, target, y, species …), else the last.
    pub label: Option<String>,
    /// The file of labels of NPY, IDX and features. `None` looks for the usual names beside the
    /// samples.
    pub labels: Option<PathBuf>,
    /// What own data are tested on. `None` is the share [`DEFAULT_TEST_SHARE`].
    pub test: Option<TestPart>,
    /// How the columns of a table are scaled. `None` is [`Scaling::Standard`].
    pub scaling: Option<Scaling>,
    /// The file of class weights of [`DataSource::Features`]. `None` takes those beside the
    /// features in an NPZ, or else the means of the classes.
    pub weights: Option<PathBuf>,
    /// The file of the bias of class weights.
    pub bias: Option<PathBuf>,
    /// SHA-256 of what the files held when a figure or a session was made of them, as hexadecimal
    /// digits: other data are refused. `None` takes whatever is there.
    pub sha256: Option<String>,
    /// What [`DataSource::File`] holds, once it is read.
    pub(super) own: Option<Arc<OwnData>>,
    /// What [`DataSource::Features`] holds, once it is read.
    pub(super) given: Option<Arc<GivenFeatures>>,
}

impl DataSpec {
    /// `source` with everything else at its default.
    pub fn new(source: DataSource) -> Self {
        Self {
            source,
            ..Self::default()
        }
    }

    /// Reads the files of own data; does nothing for other sources, or where that is done.
    ///
    /// `progress` is called about once a megabyte with the bytes done and all of them, and once at
    /// the end; it returns whether to go on.
    ///
    /// # Errors
    /// If a file cannot be read, is not what it should be, or `progress` says no; nothing is
    /// changed then.
    pub fn read(&mut self, progress: &mut Progress<'_>) -> Result<(), DataError> {
        let Some(path) = self.source.path().filter(|_| self.awaits_reading()) else {
            return Ok(());
        };
        if self.source.is_given() {
            let files = FeatureFiles {
                path,
                label: self.label.as_deref(),
                labels: self.labels.as_deref(),
                weights: self.weights.as_deref(),
                bias: self.bias.as_deref(),
            };
            let given = GivenFeatures::read(files, progress)?;
            self.check_sha256(given.sha256())?;
            self.given = Some(Arc::new(given));
            return Ok(());
        }
        let files = own::Files {
            path,
            label: self.label.as_deref(),
            labels: self.labels.as_deref(),
            test: self.test_file(),
        };
        let own = own::read(files, progress)?;
        self.check_sha256(own.sha256())?;
        self.own = Some(Arc::new(own));
        Ok(())
    }

    fn check_sha256(&self, found: &str) -> Result<(), DataError> {
        if self
            .sha256
            .as_ref()
            .is_none_or(|expected| expected == found)
        {
            return Ok(());
        }
        Err(DataError::OtherData {
            path: self.source.to_string(),
        })
    }

    /// The same as it is written into a file in `folder`: with paths that lead from there to the data,
    /// and with the digest of what was read.
    #[must_use]
    pub fn kept_in(&self, folder: &Path) -> Self {
        let mut kept = self.clone();
        let folder = std::path::absolute(folder);
        for path in kept.paths_mut() {
            let (Ok(folder), Ok(there)) = (&folder, std::path::absolute(&*path)) else {
                continue; // there is no working directory: nothing is known to be relative to
            };
            *path = pathdiff::diff_paths(&there, folder).unwrap_or(there);
        }
        let own = self.own.as_ref().map(|own| own.sha256());
        let read = own.or(self.given.as_ref().map(|given| given.sha256()));
        kept.sha256 = read.map(str::to_owned).or(kept.sha256);
        kept
    }

    /// The table of own data, once it is read.
    pub fn own(&self) -> Option<&Arc<OwnData>> {
        self.own.as_ref()
    }

    /// Features that are looked at and not trained, once they are read.
    pub fn given(&self) -> Option<&Arc<GivenFeatures>> {
        self.given.as_ref()
    }

    /// What was found out about own data or features, once they are read.
    pub fn findings(&self) -> &[String] {
        match (&self.own, &self.given) {
            (Some(own), _) => own.findings(),
            (_, Some(given)) => given.findings(),
            (None, None) => &[],
        }
    }

    /// Whether [`read`](Self::read) has something to do before anything else can be asked.
    pub fn awaits_reading(&self) -> bool {
        self.source.path().is_some() && self.own.is_none() && self.given.is_none()
    }

    /// Takes the table of a choice of the same files, which has read them; whether it could.
    pub fn share_table_of(&mut self, other: &Self) -> bool {
        let files = |data: &Self| {
            let paths = [data.source.path(), data.labels.as_deref(), data.test_file()];
            paths.map(|path| path.map(Path::to_owned))
        };
        let is_same = self.label == other.label && files(self) == files(other);
        if is_same && self.awaits_reading() && other.own.is_some() {
            self.own.clone_from(&other.own);
        }
        !self.awaits_reading()
    }

    /// Forgets the table: what it was read from has changed.
    pub(crate) fn forget(&mut self) {
        self.own = None;
        self.given = None;
    }

    /// Takes relative paths as relative to `folder`.
    pub fn resolve_paths(&mut self, folder: &Path) {
        for path in self.paths_mut() {
            *path = folder.join(&*path); // of an absolute path nothing but itself is left
        }
    }

    fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let paths = [
            match &mut self.source {
                DataSource::File(path) | DataSource::Features(path) => Some(path),
                _ => None,
            },
            self.labels.as_mut(),
            self.weights.as_mut(),
            self.bias.as_mut(),
            match &mut self.test {
                Some(TestPart::File(path)) => Some(path),
                _ => None,
            },
        ];
        paths.into_iter().flatten()
    }

    /// The files that are read.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let paths = [
            self.source.path(),
            self.labels.as_deref(),
            self.weights.as_deref(),
            self.bias.as_deref(),
            self.test_file(),
        ];
        paths.into_iter().flatten()
    }

    fn test_file(&self) -> Option<&Path> {
        match &self.test {
            Some(TestPart::File(path)) => Some(path),
            _ => None,
        }
    }

    /// What one sample looks like; `None` while own data are not read.
    pub fn input_shape(&self) -> Option<InputShape> {
        let own = self.own.as_ref().map(|own| own.input());
        let given = self.given.as_ref();
        let given = given.map(|given| InputShape::Vector { dim: given.dim() });
        self.source.input_shape().or(own).or(given)
    }

    /// The most classes there can be; 0 while own data are not read.
    pub fn max_classes(&self) -> usize {
        self.offer().map_or(0, |offer| offer.n)
    }

    fn offer(&self) -> Result<Offer<'_>, DataError> {
        if let Some(offer) = self.source.offer() {
            return Ok(offer);
        }
        let names = self.own_names().ok_or_else(|| DataError::NotRead {
            path: self.source.to_string(),
        })?;
        Ok(Offer {
            n: names.len(),
            n_default: names.len(),
            names: Some(names),
            words: format!(
                "{} has {} classes: {}",
                self.source.id(),
                names.len(),
                own::list(names.iter().map(String::as_str))
            ),
        })
    }

    /// The classes of own data or features.
    fn own_names(&self) -> Option<&[String]> {
        let own = self.own.as_ref().map(|own| own.class_names());
        own.or(self.given.as_ref().map(|given| given.class_names()))
    }

    /// The chosen classes as the source numbers them; the place in the list is the label. Own data
    /// number theirs in the order of [`OwnData::class_names`].
    ///
    /// Checks everything in the spec, so that [`load`](super::load) can fail afterwards only where
    /// the program itself is damaged.
    ///
    /// # Errors
    /// If a field asks for what the source does not have, or own data have not been read.
    pub fn class_ids(&self) -> Result<Vec<usize>, DataError> {
        self.check_own()?;
        let classes = self.classes.resolve(&self.offer()?)?;
        self.check_samples(classes.len())?;
        self.check_noise()?;
        if let Some(given) = &self.given
            && !given.has_samples_of(&classes)
        {
            let choice = self.classes.to_string();
            return Err(DataError::NoSamples { choice });
        }
        Ok(classes)
    }

    /// What class number `class` of the source is called.
    pub(super) fn class_name(&self, class: usize) -> String {
        let name = self.own_names().and_then(|names| names.get(class));
        name.cloned().unwrap_or_else(|| class.to_string())
    }

    /// The noise in force, zero where there is none.
    pub(super) fn noise(&self) -> f64 {
        self.noise.or(self.source.default_noise()).unwrap_or(0.0)
    }

    /// The samples of each class in force, for sources that make as many as they are asked for.
    pub(super) fn samples_per_class(&self) -> usize {
        self.samples_per_class
            .or(self.source.default_samples_per_class())
            .unwrap_or(1)
    }

    /// The share of own data to test on.
    pub(super) fn test_share(&self) -> f64 {
        match self.test {
            Some(TestPart::Share(share)) => share,
            _ => DEFAULT_TEST_SHARE,
        }
    }

    /// Fields that the source does not have, and those that do not suit images.
    fn check_own(&self) -> Result<(), DataError> {
        let (is_file, is_given) = match self.source {
            DataSource::File(_) => (true, false),
            DataSource::Features(_) => (false, true),
            _ => (false, false),
        };
        let has_labels = self.given.as_ref().is_none_or(|given| given.has_labels());
        let (table, features) = (
            "own data has (data.source = a path)",
            "features have (data.features = a path)",
        );
        let fields = [
            (
                "label",
                self.label.is_some() && !is_file && !is_given,
                table,
            ),
            (
                "labels",
                self.labels.is_some() && !is_file && !is_given,
                table,
            ),
            ("test", self.test.is_some() && !is_file, table),
            ("scaling", self.scaling.is_some() && !is_file, table),
            ("weights", self.weights.is_some() && !is_given, features),
            ("bias", self.bias.is_some() && !is_given, features),
            (
                "samples",
                self.samples_per_class.is_some() && !has_labels,
                "sets with labels have",
            ),
        ];
        if let Some(&(field, _, others)) = fields.iter().find(|(_, is_wrong, _)| *is_wrong) {
            let data = self.source.built_in_id();
            return Err(DataError::NotOwn {
                field,
                data,
                others,
            });
        }
        match (self.scaling, self.input_shape()) {
            (Some(scaling), Some(InputShape::Image { .. })) if scaling != Scaling::Standard => {
                let found = scaling.id();
                Err(DataError::ScaledImages { found })
            }
            _ => Ok(()),
        }
    }

    fn check_samples(&self, n_classes: usize) -> Result<(), DataError> {
        let max = MAX_SAMPLES / n_classes;
        match self.samples_per_class {
            Some(found) if found == 0 || found > max => Err(DataError::SamplesPerClass {
                found,
                n_classes,
                max,
            }),
            _ => Ok(()),
        }
    }

    fn check_noise(&self) -> Result<(), DataError> {
        match self.noise {
            Some(found) if self.source.default_noise().is_none() => Err(DataError::NoNoise {
                found,
                data: self.source.id().to_owned(),
            }),
            Some(found) if !(0.0..=MAX_NOISE).contains(&found) => Err(DataError::NoiseRange {
                found,
                max: MAX_NOISE,
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back() {
        for source in DataSource::ALL {
            assert_eq!(source.to_string().parse(), Ok(source));
        }
    }

    #[test]
    fn an_unknown_source_is_answered_with_those_there_are() {
        let fault = "minst".parse::<DataSource>().unwrap_err();
        assert_eq!(
            fault.to_string(),
            "unknown data source \"minst\"; there are mnist, blobs, rings, spiral and free, \
             and a path such as ./minst or data.csv"
        );
    }

    #[test]
    fn paths_are_told_from_names_and_read_back() {
        for text in ["iris.csv", "./digits", "/data/digits", "../x", "moons/"] {
            let source: DataSource = text.parse().unwrap();
            assert_eq!(source, DataSource::File(text.into()));
            assert_eq!(source.to_string(), text);
        }
        let bare = DataSource::File("digits".into());
        assert_eq!(bare.to_string(), "./digits");
        assert_eq!(bare.id(), "digits");
    }

    #[test]
    fn own_data_answer_nothing_before_they_are_read() {
        let spec = DataSpec::new(DataSource::File("iris.csv".into()));
        assert_eq!((spec.input_shape(), spec.max_classes()), (None, 0));
        check_message(&spec, "iris.csv has not been read");
    }

    #[test]
    fn fields_of_own_data_are_refused_elsewhere() {
        let spec = DataSpec {
            scaling: Some(Scaling::None),
            ..DataSpec::default()
        };
        let expected = "data.scaling: mnist has none to set; own data has (data.source = a path)";
        check_message(&spec, expected);
    }

    #[track_caller]
    fn check_message(spec: &DataSpec, expected: &str) {
        assert_eq!(spec.class_ids().unwrap_err().to_string(), expected);
    }

    #[test]
    fn noise_is_refused_where_it_has_no_meaning() {
        let spec = DataSpec {
            noise: Some(0.1),
            ..DataSpec::default()
        };
        check_message(
            &spec,
            "noise = 0.1: mnist has no noise to set; blobs, rings and spiral have",
        );
        for found in [-0.1, 8.1, f64::NAN, f64::INFINITY] {
            let spec = DataSpec {
                noise: Some(found),
                ..DataSpec::new(DataSource::Rings)
            };
            let expected =
                format!("noise = {found} is outside 0 to 8 (in halves of the gap between classes)");
            check_message(&spec, &expected);
        }
    }

    #[test]
    fn a_number_of_samples_must_be_there_and_fit() {
        for found in [0, 100_001, usize::MAX] {
            let spec = DataSpec {
                samples_per_class: Some(found),
                ..DataSpec::default()
            };
            let expected = format!("samples = {found}: 10 classes take 1 to 100000 samples each");
            check_message(&spec, &expected);
        }
    }
}
