//! Samples and their labels: order them, and gather a batch of them.

use std::sync::Arc;

use rand::Rng;
use rand::seq::SliceRandom as _;

use super::blocks::{BLOCK_LEN, ImageBlocks};
use super::drawing::IMAGE_SIDE;

/// MNIST's mean and standard deviation over all training pixels, as fractions of white: the
/// customary normalization (PyTorch's example uses the same four digits).
const MNIST_MEAN: f32 = 0.1307;
const MNIST_DEVIATION: f32 = 0.3081;

/// The network's input for a pixel, (x/255 − mean) / deviation to within rounding: without a
/// division, and many pixels side by side in a register.
fn normalized(pixel: u8) -> f32 {
    const SCALE: f32 = 1.0 / (255.0 * MNIST_DEVIATION);
    const SHIFT: f32 = -MNIST_MEAN / MNIST_DEVIATION;
    f32::from(pixel) * SCALE + SHIFT
}

/// What one sample looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputShape {
    /// A gray image, row by row.
    Image {
        /// Rows of pixels.
        height: usize,
        /// Columns of pixels.
        width: usize,
    },
    /// Numbers without an order in space.
    Vector {
        /// How many.
        dim: usize,
    },
    /// Nothing: a sample is its label and its place in the set.
    None,
}

impl InputShape {
    /// Numbers in one sample.
    pub fn dim(&self) -> usize {
        match *self {
            Self::Image { height, width } => height * width,
            Self::Vector { dim } => dim,
            Self::None => 0,
        }
    }
}

/// Samples with their labels. Cloning copies the labels, never the images.
#[derive(Debug, Clone)]
pub struct Split {
    labels: Vec<u16>,
    inputs: Inputs,
}

#[derive(Debug, Clone)]
enum Inputs {
    /// Rows of a stack of 28×28 images.
    Images {
        rows: Vec<u32>,
        images: Arc<ImageBlocks>,
    },
    /// Rows of images of any one size, pixel by pixel behind one another.
    Pixels {
        rows: Vec<u32>,
        pixels: Arc<Vec<u8>>,
        /// Height and width.
        sides: [usize; 2],
        /// A pixel x enters the network as (x − shift)·factor.
        shift: f32,
        factor: f32,
    },
    /// `[dim, len]`, a sample a column.
    Vectors {
        dim: usize,
        values: Vec<f32>,
    },
    None,
}

impl Split {
    /// The images `rows` of a stack, in that order.
    pub(super) fn images(labels: Vec<u16>, rows: Vec<u32>, images: Arc<ImageBlocks>) -> Self {
        Self {
            labels,
            inputs: Inputs::Images { rows, images },
        }
    }

    /// The images `rows` of those in `pixels`, `[height, width]` each; a pixel x enters the network
    /// as (x − shift)·factor.
    pub(super) fn pixels(
        labels: Vec<u16>,
        rows: Vec<u32>,
        pixels: Arc<Vec<u8>>,
        sides: [usize; 2],
        [shift, factor]: [f32; 2],
    ) -> Self {
        Self {
            labels,
            inputs: Inputs::Pixels {
                rows,
                pixels,
                sides,
                shift,
                factor,
            },
        }
    }

    /// Columns of `dim` numbers each, `values` `[dim, labels.len()]`; labels alone where `dim` is 0.
    ///
    /// # Panics
    /// If there are not as many columns as labels: a fault of the caller, never of user input.
    pub fn vectors(labels: Vec<u16>, dim: usize, values: Vec<f32>) -> Self {
        assert_eq!(values.len(), dim * labels.len(), "a column for each label");
        Self {
            labels,
            inputs: Inputs::Vectors { dim, values },
        }
    }

    /// `per_class` samples of each class without any input, classes taking turns.
    pub(super) fn labels_only(n_classes: usize, per_class: usize) -> Self {
        let labels = (0..n_classes * per_class)
            .map(|i| (i % n_classes) as u16)
            .collect();
        Self {
            labels,
            inputs: Inputs::None,
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no samples at all.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The class of each sample, counted from 0 in the order in which the classes were chosen.
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// Writes the inputs of the samples `indices` to `out` `[dim, indices.len()]`, a sample a
    /// contiguous column: vectors as they are, MNIST's images as (x/255 − 0.1307) / 0.3081 to within rounding,
    /// others with their own mean and deviation.
    ///
    /// Waits for images that are still being decoded, and for those only.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len), or `out` has another length than
    /// `indices.len() * dim`.
    pub fn gather(&self, indices: &[u32], out: &mut [f32]) {
        let dim = self.dim();
        assert_eq!(
            out.len(),
            indices.len() * dim,
            "gather: out must be [dim, indices.len()]"
        );
        if dim == 0 {
            return;
        }
        for (&index, column) in indices.iter().zip(out.chunks_exact_mut(dim)) {
            self.write_input(index as usize, column);
        }
    }

    /// The raw pixels of image `index`, row by row, 0 black to 255 white; `None` if samples are no
    /// images or there are not so many. Waits if it is still being decoded.
    pub fn image(&self, index: usize) -> Option<Vec<u8>> {
        match &self.inputs {
            Inputs::Images { rows, images } => rows
                .get(index)
                .map(|&row| images.wait_for(row as usize).to_vec()),
            _ => self.own_image(index).map(<[u8]>::to_vec),
        }
    }

    /// As [`image`](Self::image), but `None` also while the image is still being decoded: for a
    /// frame, which never waits.
    pub fn image_if_ready(&self, index: usize) -> Option<Vec<u8>> {
        match &self.inputs {
            Inputs::Images { rows, images } => images
                .if_ready(*rows.get(index)? as usize)
                .map(<[u8]>::to_vec),
            _ => self.own_image(index).map(<[u8]>::to_vec),
        }
    }

    /// The pixels of an image that was never compressed.
    fn own_image(&self, index: usize) -> Option<&[u8]> {
        match &self.inputs {
            Inputs::Pixels { rows, pixels, .. } => {
                let dim = self.dim();
                pixels.get(*rows.get(index)? as usize * dim..)?.get(..dim)
            }
            _ => None,
        }
    }

    /// What enters the network for an image that is not in the set, 28×28 pixels row by row from 0
    /// black to 255 white; `None` where samples are no such images.
    pub fn input_of(&self, image: &[u8]) -> Option<Vec<f32>> {
        const SIDES: [usize; 2] = [IMAGE_SIDE; 2];
        if image.len() != IMAGE_SIDE * IMAGE_SIDE {
            return None;
        }
        match &self.inputs {
            Inputs::Images { .. } => Some(image.iter().map(|&x| normalized(x)).collect()),
            Inputs::Pixels {
                sides: SIDES,
                shift,
                factor,
                ..
            } => Some(
                image
                    .iter()
                    .map(|&x| (f32::from(x) - shift) * factor)
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The numbers of sample `index` `[dim]`; `None` if samples are no vectors or there are not so
    /// many.
    pub fn vector(&self, index: usize) -> Option<&[f32]> {
        match &self.inputs {
            Inputs::Vectors { dim, values } if *dim > 0 => values.chunks_exact(*dim).nth(index),
            _ => None,
        }
    }

    /// Puts into `order` the order in which epoch number `epoch`, counted from 0, visits the samples:
    /// each once, shuffled by `rng`.
    ///
    /// Images are still being decoded while epoch 0 begins, so its order is a shuffle of those in
    /// the first block of 4,096, then of the second, of the next two, of the next four and so on:
    /// training runs behind the decoder without waiting for it. The order depends on `rng` alone,
    /// never on how far decoding is.
    pub fn shuffle_epoch(&self, order: &mut Vec<u32>, rng: &mut impl Rng, epoch: usize) {
        order.clear();
        order.extend(0..self.len() as u32);
        let mut rest = order.as_mut_slice();
        for n in self.first_groups(epoch) {
            let (group, after) = rest.split_at_mut(n);
            group.shuffle(rng);
            rest = after;
        }
        rest.shuffle(rng);
    }

    /// How many samples to shuffle among themselves before the rest, group by group.
    fn first_groups(&self, epoch: usize) -> Vec<usize> {
        let Inputs::Images { rows, .. } = &self.inputs else {
            return Vec::new();
        };
        if epoch > 0 {
            return Vec::new();
        }
        // Rows ascend, so a group of blocks is a stretch of samples.
        let n_before = |row: usize| rows.partition_point(|&r| (r as usize) < row);
        let ends = (0..).map(|power| BLOCK_LEN << power).map(n_before);
        let mut start = 0;
        ends.take_while(|&end| end < rows.len())
            .map(|end| end - std::mem::replace(&mut start, end))
            .collect()
    }

    fn dim(&self) -> usize {
        match self.inputs {
            Inputs::Images { .. } => 28 * 28,
            Inputs::Pixels { sides, .. } => sides[0] * sides[1],
            Inputs::Vectors { dim, .. } => dim,
            Inputs::None => 0,
        }
    }

    fn write_input(&self, index: usize, column: &mut [f32]) {
        match &self.inputs {
            Inputs::Images { rows, images } => {
                let image = images.wait_for(rows[index] as usize);
                for (value, &pixel) in column.iter_mut().zip(image) {
                    *value = normalized(pixel);
                }
            }
            Inputs::Pixels {
                rows,
                pixels,
                shift,
                factor,
                ..
            } => {
                let image = &pixels[rows[index] as usize * column.len()..][..column.len()];
                for (value, &pixel) in column.iter_mut().zip(image) {
                    *value = (f32::from(pixel) - shift) * factor;
                }
            }
            Inputs::Vectors { dim, values } => {
                column.copy_from_slice(&values[index * dim..(index + 1) * dim]);
            }
            Inputs::None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn black_and_white_are_normalized_as_is_customary() {
        assert_eq!(normalized(0), -0.42421296);
        assert_eq!(normalized(255), 2.8214867);
    }

    #[test]
    fn groups_of_epoch_0_double() {
        let n = 20 * BLOCK_LEN;
        let images = Arc::new(ImageBlocks::new(n, 784));
        let split = Split::images(vec![0; n], (0..n as u32).collect(), images);
        let b = BLOCK_LEN;
        assert_eq!(split.first_groups(0), [b, b, 2 * b, 4 * b, 8 * b]);
        assert_eq!(split.first_groups(1), Vec::<usize>::new());
    }

    #[test]
    fn order_needs_no_decoded_image() {
        let n = 3 * BLOCK_LEN;
        let images = Arc::new(ImageBlocks::new(n, 784));
        let rows: Vec<u32> = (0..n as u32).step_by(3).collect();
        let split = Split::images(vec![0; rows.len()], rows.clone(), images);
        let mut order = Vec::new();
        split.shuffle_epoch(&mut order, &mut ChaCha8Rng::seed_from_u64(1), 0);
        let n_first = BLOCK_LEN.div_ceil(3);
        assert!(
            order[..n_first]
                .iter()
                .all(|&i| (rows[i as usize] as usize) < BLOCK_LEN)
        );
        assert_eq!(split.image_if_ready(0), None);
    }

    #[test]
    fn an_image_of_no_set_enters_as_those_of_the_set_do() {
        let image: Vec<u8> = (0..784).map(|i| (i % 256) as u8).collect();
        let images = Arc::new(ImageBlocks::new(1, 784));
        let mnist = Split::images(vec![0], vec![0], images);
        let expected: Vec<f32> = image.iter().map(|&x| normalized(x)).collect();
        assert_eq!(mnist.input_of(&image), Some(expected));
        assert_eq!(mnist.input_of(&image[1..]), None);

        let own = |sides: [usize; 2]| {
            let pixels = Arc::new(image.clone());
            Split::pixels(vec![0], vec![0], pixels, sides, [100.0, 0.02])
        };
        let mut expected = vec![0.0; 784];
        own([28, 28]).gather(&[0], &mut expected);
        assert_eq!(own([28, 28]).input_of(&image), Some(expected));
        assert_eq!(own([14, 56]).input_of(&image), None);
    }

    #[test]
    fn labels_alone_have_no_inputs() {
        let split = Split::labels_only(3, 2);
        assert_eq!(split.labels(), [0, 1, 2, 0, 1, 2]);
        split.gather(&[5, 0], &mut []);
        assert_eq!(split.image(0), None);
        assert_eq!(split.vector(0), None);
    }

    #[test]
    fn a_vector_is_the_column_of_its_sample() {
        let split = Split::vectors(vec![0, 1], 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(split.vector(1), Some(&[4.0, 5.0, 6.0][..]));
        assert_eq!((split.vector(2), split.image(0)), (None, None));
    }
}
