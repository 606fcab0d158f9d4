//! Gray images: from any numbers to bytes, and from any size to one.

use image::GrayImage;
use image::imageops::{self, FilterType};

use crate::data::InputShape;

/// Side of images that are brought to one size: MNIST's, for which the CNN was made.
pub(super) const SIDE: usize = 28;

/// The largest side of images that are taken as they are. The CNN takes any size; beyond this its
/// dense layer has 32 times more weights than on MNIST's images, and no longer trains live.
const LARGEST_SIDE: usize = 64;

/// Images of one size as they are or, where they are large, each fitted into 28×28; with a note
/// about that.
pub(super) fn fit(
    pixels: Vec<u8>,
    height: usize,
    width: usize,
) -> (InputShape, Vec<u8>, Option<String>) {
    if height <= LARGEST_SIDE && width <= LARGEST_SIDE {
        return (InputShape::Image { height, width }, pixels, None);
    }
    let images = pixels.chunks_exact(height * width);
    let fitted = images
        .flat_map(|image| fitted(image, height, width))
        .collect();
    let note = format!("images of {height}×{width} pixels are fitted into {SIDE}×{SIDE}");
    (SQUARE, fitted, Some(note))
}

/// The shape of images that were fitted.
pub(super) const SQUARE: InputShape = InputShape::Image {
    height: SIDE,
    width: SIDE,
};

/// An image fitted into 28×28, the rest filled with the mean gray of its border.
fn fitted(pixels: &[u8], height: usize, width: usize) -> Vec<u8> {
    match GrayImage::from_raw(width as u32, height as u32, pixels.to_vec()) {
        Some(image) => letterbox(&image),
        None => vec![0; SIDE * SIDE], // `pixels` has height·width bytes
    }
}

/// The whole image in 28×28 at its own aspect; what stays free has the mean gray of its border, so
/// that no edge is seen that the image does not have.
pub(super) fn letterbox(image: &GrayImage) -> Vec<u8> {
    let side = SIDE as u32;
    let (width, height) = image.dimensions();
    if (width, height) == (side, side) {
        return image.as_raw().clone();
    }
    let longest = f64::from(width.max(height).max(1));
    let scaled = |length: u32| {
        let length = f64::from(side) * f64::from(length) / longest;
        (length.round() as u32).clamp(1, side)
    };
    let (new_width, new_height) = (scaled(width), scaled(height));
    let small = imageops::resize(image, new_width, new_height, FilterType::Triangle);
    let mut square = GrayImage::from_pixel(side, side, image::Luma([border_gray(image)]));
    let corner = [(side - new_width) / 2, (side - new_height) / 2].map(i64::from);
    imageops::replace(&mut square, &small, corner[0], corner[1]);
    square.into_raw()
}

/// The mean of the outermost pixels.
fn border_gray(image: &GrayImage) -> u8 {
    let (width, height) = image.dimensions();
    let rows = (0..width).flat_map(|x| [(x, 0), (x, height - 1)]);
    let columns = (0..height).flat_map(|y| [(0, y), (width - 1, y)]);
    let (mut sum, mut n) = (0_u64, 0);
    for (x, y) in rows.chain(columns) {
        sum += u64::from(image.get_pixel(x, y).0[0]);
        n += 1;
    }
    ((sum + n / 2) / n.max(1)) as u8
}

/// Finite numbers as pixels: from 0, or the least where that is negative, to the largest; with a
/// note where that changes them.
pub(super) fn pixels_of_numbers(numbers: &[f32]) -> (Vec<u8>, Option<String>) {
    let low = numbers.iter().copied().fold(0.0, f32::min);
    let high = numbers.iter().copied().fold(low, f32::max);
    let scale = 255.0 / (f64::from(high) - f64::from(low)).max(f64::MIN_POSITIVE);
    let pixel = |&x: &f32| (scale * (f64::from(x) - f64::from(low))).round() as u8;
    let note = (low != 0.0 || high != 255.0)
        .then(|| format!("pixels from {low} to {high} are brought to 0 to 255, in 256 steps"));
    (numbers.iter().map(pixel).collect(), note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_image_keeps_its_aspect_and_its_ground() {
        let image = GrayImage::from_fn(56, 28, |x, y| {
            image::Luma([if (20..36).contains(&x) && (8..20).contains(&y) {
                0
            } else {
                255
            }])
        });
        let square = letterbox(&image);
        assert_eq!(square.len(), 784);
        assert!(square[..7 * 28].iter().all(|&p| p == 255), "bars above");
        assert!(square[21 * 28..].iter().all(|&p| p == 255), "bars below");
        assert_eq!(square[14 * 28 + 14], 0);
    }

    #[test]
    fn an_image_of_the_right_size_is_not_touched() {
        let image = GrayImage::from_fn(28, 28, |x, y| image::Luma([(x * y % 256) as u8]));
        assert_eq!(&letterbox(&image), image.as_raw());
    }

    #[test]
    fn slivers_stay_visible() {
        let image = GrayImage::from_pixel(5000, 1, image::Luma([9]));
        assert_eq!(letterbox(&image), vec![9; 784]);
    }

    #[test]
    fn numbers_become_pixels_linearly() {
        assert_eq!(pixels_of_numbers(&[0.0, 0.5, 1.0]).0, [0, 128, 255]);
        assert_eq!(pixels_of_numbers(&[-1.0, 0.0, 1.0]).0, [0, 128, 255]);
        assert_eq!(pixels_of_numbers(&[0.0, 8.0, 16.0]).0, [0, 128, 255]);
        let (pixels, note) = pixels_of_numbers(&[0.0, 7.0, 255.0]);
        assert_eq!((pixels, note), (vec![0, 7, 255], None));
        assert_eq!(pixels_of_numbers(&[0.0, 0.0]).0, [0, 0]);
        let far = [-f32::MAX, f32::MAX];
        assert_eq!(pixels_of_numbers(&far).0, [0, 255]);
    }
}
