//! Which data a run is about: the source, its classes, how many samples and how noisy.

use std::fmt;
use std::str::FromStr;

use super::classes::ClassChoice;
use super::error::DataError;
use super::split::InputShape;

/// The most training samples that a synthetic set or free labels may have in all classes together.
pub const MAX_SAMPLES: usize = 1_000_000;

/// The most noise that a synthetic set may have, in halves of the gap between classes: four times
/// the gap itself, where nothing is left to be told apart.
pub const MAX_NOISE: f64 = 8.0;

/// The most classes that a synthetic set or free labels may have.
pub(super) const MAX_CLASSES: usize = 100;

/// Where samples come from.
///
/// Not `Copy`, so that a path can become a source.
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

    /// The name in files and on the command line.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::Blobs => "blobs",
            Self::Rings => "rings",
            Self::Spiral => "spiral",
            Self::Free => "free",
        }
    }

    /// What one sample looks like.
    pub fn input_shape(&self) -> InputShape {
        match self {
            Self::Mnist => InputShape::Image {
                height: 28,
                width: 28,
            },
            Self::Blobs | Self::Rings | Self::Spiral => InputShape::Vector { dim: 2 },
            Self::Free => InputShape::None,
        }
    }

    /// The most classes it can have.
    pub fn max_classes(&self) -> usize {
        match self {
            Self::Mnist => 10,
            _ => MAX_CLASSES,
        }
    }

    /// The number of classes where none are chosen: ten, and three for rings and spiral arms,
    /// which stay wide enough to be seen.
    pub fn default_classes(&self) -> usize {
        match self {
            Self::Mnist | Self::Blobs | Self::Free => 10,
            Self::Rings | Self::Spiral => 3,
        }
    }

    /// Samples of each class to train on where no number is chosen; `None` where a set simply has
    /// what it has.
    pub fn default_samples_per_class(&self) -> Option<usize> {
        match self {
            Self::Mnist => None,
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
            Self::Mnist | Self::Free => None,
        }
    }

    /// The range of classes in words, for messages.
    pub(super) fn available(&self) -> &'static str {
        match self {
            Self::Mnist => "MNIST has the digits 0 to 9",
            Self::Blobs => "blobs has up to 100 classes, 0 to 99",
            Self::Rings => "rings has up to 100 classes, 0 to 99",
            Self::Spiral => "spiral has up to 100 classes, 0 to 99",
            Self::Free => "free has up to 100 classes, 0 to 99",
        }
    }
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for DataSource {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        Self::ALL
            .into_iter()
            .find(|source| source.id() == text)
            .ok_or_else(|| DataError::UnknownSource {
                found: text.to_owned(),
            })
    }
}

/// A choice of data; the default is all of MNIST.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct DataSpec {
    /// Where samples come from.
    pub source: DataSource,
    /// Which of the source's classes.
    pub classes: ClassChoice,
    /// Samples of each class to train on; for MNIST the first so many of each class, and all where
    /// a class has fewer. `None` is [`DataSource::default_samples_per_class`].
    ///
    /// A synthetic set has half as many to test, MNIST all it has.
    pub samples_per_class: Option<usize>,
    /// Standard deviation of a synthetic sample around its place, in halves of the gap between
    /// neighboring classes, 0 to [`MAX_NOISE`]. `None` is [`DataSource::default_noise`].
    pub noise: Option<f64>,
}

impl DataSpec {
    /// `source` with everything else at its default.
    pub fn new(source: DataSource) -> Self {
        Self {
            source,
            ..Self::default()
        }
    }

    /// The chosen classes as the source numbers them; the place in the list is the label.
    ///
    /// Checks everything in the spec, so that [`load`](super::load) can fail afterwards only where
    /// the program itself is damaged.
    ///
    /// # Errors
    /// If a field asks for what the source does not have.
    pub fn class_ids(&self) -> Result<Vec<usize>, DataError> {
        let classes = self.classes.resolve(&self.source)?;
        self.check_samples(classes.len())?;
        self.check_noise()?;
        Ok(classes)
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
                data: self.source.id(),
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
            r#"unknown data source "minst"; there are mnist, blobs, rings, spiral and free"#
        );
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
