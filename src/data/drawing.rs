//! A digit that somebody draws, brought into the form of MNIST's images.
//!
//! MNIST's digits were scaled to fit a box of 20×20 pixels with their aspect kept, gray where a
//! pixel is covered in part, and put into 28×28 pixels with the center of mass in the middle
//! (`LeCun`, Cortes, Burges, "The MNIST database of handwritten digits"; `LeCun`, Bottou, Bengio,
//! Haffner, "Gradient-based learning applied to document recognition", 1998, section III.A).

/// Pixels along a side of an image.
pub const IMAGE_SIDE: usize = 28;
/// The longer side of the ink in it, in pixels.
const BOX_SIDE: f64 = 20.0;
/// Where MNIST has the center of mass, from the left and from the top, in pixels: in the middle of
/// pixel 14, counted from 0 (the mean over its first 1,000 test images is 14.51 and 14.49).
const MASS_AT: f64 = 14.5;
/// Coverage below which a pixel is paper: a blurred edge reaches far beyond the stroke.
const PAPER: f32 = 0.05;

/// A sheet of pixels, row by row, and how much of each is covered with ink, 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Canvas {
    width: usize,
    coverage: Vec<f32>,
}

impl Canvas {
    /// An empty one.
    pub fn new(width: usize, height: usize) -> Self {
        Self::of(width, vec![0.0; width * height])
    }

    /// One with this coverage, `width` pixels a row; what is left of the last row is cut off.
    pub fn of(width: usize, mut coverage: Vec<f32>) -> Self {
        coverage.truncate(coverage.len() / width.max(1) * width);
        for covered in &mut coverage {
            let known = if covered.is_nan() { 0.0 } else { *covered };
            *covered = known.clamp(0.0, 1.0);
        }
        Self { width, coverage }
    }

    /// How much of each pixel is covered, row by row.
    pub fn coverage(&self) -> &[f32] {
        &self.coverage
    }

    /// Takes all ink away.
    pub fn clear(&mut self) {
        self.coverage.fill(0.0);
    }

    /// Draws from one place to another, or a dot where they are one, with a round pen; all in
    /// pixels, x right, y down, pixel (0, 0) from 0 to 1.
    ///
    /// A pixel is covered as far as its center is inside the line's edge, from half a pixel outside to
    /// half a pixel inside: exact for an edge along the pixels.
    pub fn draw(&mut self, from: [f32; 2], to: [f32; 2], radius: f32) {
        let height = self.coverage.len().checked_div(self.width).unwrap_or(0);
        let span = |axis: usize, n: usize| {
            let low = from[axis].min(to[axis]) - radius - 1.0;
            let high = from[axis].max(to[axis]) + radius + 1.0;
            (low.max(0.0) as usize).min(n)..(high.max(0.0).ceil() as usize).min(n)
        };
        for y in span(1, height) {
            for x in span(0, self.width) {
                let center = [x as f32 + 0.5, y as f32 + 0.5];
                let inside = radius - distance(center, from, to) + 0.5;
                let covered = &mut self.coverage[y * self.width + x];
                *covered = covered.max(inside.clamp(0.0, 1.0)); // where inside is no number, as it was
            }
        }
    }

    /// The ink as an image of MNIST's kind, row by row `[28, 28]`, 0 paper to 255 ink;
    /// `None` without any.
    ///
    /// Each pixel is the mean of the canvas over its area. The center of mass comes to within a
    /// quarter of a pixel of where MNIST has it, unless ink would come to lie outside: then it is
    /// moved no further than to the edge.
    pub fn digit(&self) -> Option<Vec<u8>> {
        let columns = self.columns();
        let rows = self.rows();
        let (x, y) = (Stretch::of(&columns.peaks)?, Stretch::of(&rows.peaks)?);
        let per_pixel = (x.length().max(y.length()) / BOX_SIDE).max(f64::MIN_POSITIVE);
        let across = weights(&x.window(&columns.sums, per_pixel));
        let down = weights(&y.window(&rows.sums, per_pixel));
        Some(self.resampled(&across, &down))
    }

    fn columns(&self) -> Profile {
        let mut profile = Profile::new(self.width);
        for row in self.coverage.chunks_exact(self.width.max(1)) {
            for (x, &c) in row.iter().enumerate() {
                profile.add(x, c);
            }
        }
        profile
    }

    fn rows(&self) -> Profile {
        let rows = self.coverage.chunks_exact(self.width.max(1));
        let mut profile = Profile::new(rows.len());
        for (y, row) in rows.enumerate() {
            for &c in row {
                profile.add(y, c);
            }
        }
        profile
    }

    /// Sums of the pixels, first along the rows, then along the columns.
    fn resampled(&self, across: &[Weights], down: &[Weights]) -> Vec<u8> {
        let of_row = |y: usize| &self.coverage[y * self.width..][..self.width];
        let mut image = Vec::with_capacity(IMAGE_SIDE * IMAGE_SIDE);
        for Weights { first, shares } in down {
            let mut sum = vec![0.0; self.width];
            for (dy, share) in shares.iter().enumerate() {
                let row = of_row(first + dy);
                sum.iter_mut().zip(row).for_each(|(s, c)| *s += share * c);
            }
            let pixels = across.iter().map(|Weights { first, shares }| {
                let covered = shares.iter().zip(&sum[*first..]);
                let covered = covered.map(|(w, c)| w * c).sum::<f32>();
                (255.0 * covered).round() as u8 // from 0 to 255, whatever rounding did
            });
            image.extend(pixels);
        }
        image
    }
}

/// The distance of a point from a line between two others.
fn distance(at: [f32; 2], from: [f32; 2], to: [f32; 2]) -> f32 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let off = [at[0] - from[0], at[1] - from[1]];
    let length_squared = along[0] * along[0] + along[1] * along[1];
    let share = if length_squared > 0.0 {
        ((off[0] * along[0] + off[1] * along[1]) / length_squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (off[0] - share * along[0]).hypot(off[1] - share * along[1])
}

/// What lies in each column, or each row.
struct Profile {
    /// All ink.
    sums: Vec<f64>,
    /// The most that a pixel is covered.
    peaks: Vec<f32>,
}

impl Profile {
    fn new(len: usize) -> Self {
        Self {
            sums: vec![0.0; len],
            peaks: vec![0.0; len],
        }
    }

    fn add(&mut self, at: usize, coverage: f32) {
        self.sums[at] += f64::from(coverage);
        self.peaks[at] = self.peaks[at].max(coverage);
    }
}

/// Where the ink lies along one axis, in pixels of the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stretch {
    start: f64,
    end: f64,
}

impl Stretch {
    /// Of a pixel at the edge that is covered in part, only that part counts.
    fn of(peaks: &[f32]) -> Option<Self> {
        let is_ink = |peak: &f32| *peak > PAPER;
        let first = peaks.iter().position(is_ink)?;
        let last = peaks.iter().rposition(is_ink)?;
        let part = |at: usize| f64::from(peaks[at].min(1.0));
        let (start, end) = (first as f64 + 1.0 - part(first), last as f64 + part(last));
        Some(Self { start, end })
    }

    fn length(self) -> f64 {
        self.end - self.start
    }

    /// The borders of the image's pixels on the canvas, where a pixel is `per_pixel` of its pixels.
    fn window(self, sums: &[f64], per_pixel: f64) -> Window {
        let mass: f64 = sums.iter().sum();
        let moment: f64 = (0..).zip(sums).map(|(i, s)| (f64::from(i) + 0.5) * s).sum();
        let side = IMAGE_SIDE as f64 * per_pixel;
        let start = moment / mass - MASS_AT * per_pixel;
        Window {
            start: start.clamp(self.end - side, self.start),
            per_pixel,
            n_pixels: sums.len(),
        }
    }
}

/// What an image shows of a canvas along one axis.
struct Window {
    start: f64,
    /// Pixels of the canvas in one of the image.
    per_pixel: f64,
    /// Pixels of the canvas.
    n_pixels: usize,
}

/// What pixels of the canvas, from `first`, add to a pixel of the image.
struct Weights {
    first: usize,
    shares: Vec<f32>,
}

/// The mean of the canvas over each pixel of the image.
fn weights(window: &Window) -> Vec<Weights> {
    let pixel = |i: usize| {
        let start = window.start + window.per_pixel * i as f64;
        let end = start + window.per_pixel;
        let first = (start.max(0.0) as usize).min(window.n_pixels);
        let last = (end.max(0.0).ceil() as usize).min(window.n_pixels);
        let share = |at: usize| {
            let at = at as f64;
            let overlap = (end.min(at + 1.0) - start.max(at)).max(0.0);
            (overlap / window.per_pixel) as f32
        };
        Weights {
            first,
            shares: (first..last).map(share).collect(),
        }
    };
    (0..IMAGE_SIDE).map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A seven of this height with its upper left corner at a place, its pen a twelfth of it.
    fn seven(side: usize, height: f32, [x, y]: [f32; 2]) -> Canvas {
        let mut canvas = Canvas::new(side, side);
        let at = |u: f32, v: f32| [x + u * height, y + v * height];
        let corners = [at(0.0, 0.0), at(0.6, 0.05), at(0.2, 1.0)];
        for ends in corners.windows(2) {
            canvas.draw(ends[0], ends[1], height / 24.0);
        }
        canvas
    }

    fn digit(canvas: &Canvas) -> Vec<f32> {
        let bytes = canvas.digit().expect("ink");
        bytes.iter().map(|&x| f32::from(x) / 255.0).collect()
    }

    /// Center of mass, in pixels from the left and from the top.
    fn mass_at(image: &[f32]) -> [f64; 2] {
        let mass: f64 = image.iter().map(|&c| f64::from(c)).sum();
        let mean = |place: fn(usize) -> usize| {
            let moments = (0..)
                .zip(image)
                .map(|(i, &c)| (place(i) as f64 + 0.5) * f64::from(c));
            moments.sum::<f64>() / mass
        };
        [mean(|i| i % IMAGE_SIDE), mean(|i| i / IMAGE_SIDE)]
    }

    /// Columns and rows between the first and the last that are covered by more than a tenth.
    fn box_of(image: &[f32]) -> [usize; 2] {
        let span = |place: fn(usize) -> usize| {
            let inked = (0..image.len()).filter(|&i| image[i] > 0.1).map(place);
            let (low, high) = (inked.clone().min(), inked.max());
            high.zip(low).map_or(0, |(high, low)| high + 1 - low)
        };
        [span(|i| i % IMAGE_SIDE), span(|i| i / IMAGE_SIDE)]
    }

    fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
        let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
        differences.fold(0.0, f32::max)
    }

    /// Whole pixels move every number by exactly as much; a part of a pixel blurs the edges of the
    /// canvas, half a pixel of a canvas of which six make one of the image.
    #[test]
    fn where_it_is_drawn_does_not_matter() {
        let here = digit(&seven(280, 120.0, [20.0, 30.0]));
        for place in [[60.0, 30.0], [20.0, 140.0], [121.0, 113.0]] {
            let there = digit(&seven(280, 120.0, place));
            assert!(largest_difference(&here, &there) < 1.5 / 255.0, "{place:?}");
        }
        let between = digit(&seven(280, 120.0, [60.37, 71.81]));
        let off = largest_difference(&here, &between);
        assert!(off < 0.1, "{off}");
    }

    #[test]
    fn how_large_it_is_drawn_does_not_matter() {
        let large = digit(&seven(560, 480.0, [40.0, 40.0]));
        for height in [240.0, 150.0, 80.0] {
            let off = largest_difference(&large, &digit(&seven(560, height, [33.0, 57.0])));
            assert!(off < 0.2, "{height}: {off}"); // a canvas pixel is up to a quarter of the image's
        }
    }

    #[test]
    fn ink_fills_the_box_and_has_its_mass_where_mnist_has_it() {
        for height in [30.0, 90.0, 200.0] {
            let image = digit(&seven(280, height, [13.4, 31.7]));
            for at in mass_at(&image) {
                assert!((at - MASS_AT).abs() < 0.25, "{height}: {at}");
            }
            let [width, height] = box_of(&image);
            assert!(
                (20..=21).contains(&height) && width < 20,
                "{width}×{height}"
            ); // 21 where it lies across
        }
    }

    #[test]
    fn the_aspect_is_kept() {
        let mut canvas = Canvas::new(200, 100);
        canvas.draw([30.0, 50.0], [170.0, 50.0], 10.0);
        let [width, height] = box_of(&digit(&canvas));
        assert!(
            (20..=21).contains(&width) && (2..=4).contains(&height),
            "{width}×{height}"
        );
    }

    #[test]
    fn what_has_its_mass_at_one_end_stays_inside() {
        let mut canvas = Canvas::new(280, 280);
        canvas.draw([40.0, 40.0], [40.0, 40.0], 30.0);
        canvas.draw([40.0, 40.0], [40.0, 270.0], 1.0);
        let image = digit(&canvas);
        let ink: f32 = canvas.coverage().iter().sum();
        let per_pixel = (270.0 + 1.0 - 10.0) / 20.0;
        let kept = image.iter().sum::<f32>() * per_pixel * per_pixel;
        assert!((kept / ink - 1.0).abs() < 0.01, "{kept} of {ink}");
    }

    #[test]
    fn dots_and_whole_sheets_are_images() {
        let mut dot = Canvas::new(280, 280);
        dot.draw([3.0, 277.0], [3.0, 277.0], 0.7);
        for canvas in [dot, Canvas::of(7, vec![1.0; 49]), Canvas::of(1, vec![1.0])] {
            let image = digit(&canvas);
            assert_eq!(image.len(), IMAGE_SIDE * IMAGE_SIDE);
            assert!(image.iter().all(|c| (0.0..=1.0).contains(c)));
            assert!(image.iter().sum::<f32>() > 100.0, "it fills the box");
        }
    }

    #[test]
    fn without_ink_there_is_no_image() {
        let empty = [
            Canvas::new(28, 28),
            Canvas::new(0, 0),
            Canvas::of(0, vec![1.0; 9]),
            Canvas::of(5, vec![1.0; 4]),
            Canvas::of(2, vec![f32::NAN, -1.0, 0.01, 0.0]),
        ];
        for canvas in empty {
            assert_eq!(canvas.digit(), None, "{canvas:?}");
        }
    }

    #[test]
    fn lines_without_a_place_draw_nothing_and_far_ones_end_at_the_edge() {
        let mut canvas = Canvas::new(20, 10);
        for nowhere in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            canvas.draw([nowhere, 3.0], [4.0, nowhere], 2.0);
        }
        assert!(canvas.coverage().iter().all(|c| (0.0..=1.0).contains(c)));
        canvas.clear();
        canvas.draw([-1e6, 5.0], [1e6, 5.0], 1.0);
        let rows: Vec<f32> = canvas.coverage().chunks(20).map(|row| row[10]).collect();
        assert_eq!(rows, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
