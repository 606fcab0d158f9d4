//! What was drawn so far, stroke by stroke, and the image that it makes.

use std::sync::Arc;

use crate::data::drawing::Canvas;

/// Pixels along a side of the canvas that strokes are painted on: seven for each of the twenty that
/// a digit has in the end.
const N_PIXELS: usize = 140;
/// Radius of the pen, as a share of the side: with a digit of two thirds of the side it leaves
/// strokes of 2.6 of the 20 pixels, as wide as MNIST's are.
pub(super) const PEN_RADIUS: f32 = 0.043;
/// Points of a stroke that are nearer than this, as a share of the side, are one.
const LEAST_STEP: f32 = 0.004;
/// Points in all strokes together: somebody who scribbles on for minutes.
const MOST_POINTS: usize = 20_000;

/// Points of each stroke in shares of the side, from the top left corner. Shared with the states that
/// can be undone.
pub(in crate::app) type Strokes = Arc<Vec<Vec<[f32; 2]>>>;

/// Strokes with the canvas that they are painted on.
#[derive(Debug)]
pub(super) struct Sketch {
    strokes: Strokes,
    /// Whether the last stroke goes on.
    is_pen_down: bool,
    canvas: Canvas,
    image: Option<Arc<[u8]>>,
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            strokes: Strokes::default(),
            is_pen_down: false,
            canvas: Canvas::new(N_PIXELS, N_PIXELS),
            image: None,
        }
    }
}

impl Sketch {
    /// Of strokes as they were drawn, whatever an older version or a hand made of them.
    pub(super) fn of(strokes: Vec<Vec<[f32; 2]>>) -> Self {
        let is_place = |at: &[f32; 2]| at.iter().all(|share| share.is_finite());
        let mut sketch = Self::default();
        for stroke in strokes {
            let mut places = stroke.into_iter().filter(is_place);
            if let Some(first) = places.next() {
                sketch.put_down(first);
                places.for_each(|at| sketch.move_to(at));
                sketch.lift();
            }
        }
        sketch
    }

    /// All strokes.
    pub(super) fn strokes(&self) -> &Strokes {
        &self.strokes
    }

    /// As the network sees it, 28×28 pixels; the same allocation until something is drawn.
    pub(super) fn image(&self) -> Option<&Arc<[u8]>> {
        self.image.as_ref()
    }

    /// Whether a stroke is under way.
    pub(super) fn is_pen_down(&self) -> bool {
        self.is_pen_down
    }

    /// Begins a stroke, which is a dot until the pen moves.
    pub(super) fn put_down(&mut self, at: [f32; 2]) {
        let at = inside(at);
        Arc::make_mut(&mut self.strokes).push(vec![at]);
        self.is_pen_down = true;
        self.paint(at, at);
    }

    /// Goes on with the stroke under way, if there is one.
    pub(super) fn move_to(&mut self, at: [f32; 2]) {
        let n_points: usize = self.strokes.iter().map(Vec::len).sum();
        let stroke = self.strokes.last().filter(|_| self.is_pen_down);
        let Some(&last) = stroke.and_then(|stroke| stroke.last()) else {
            return;
        };
        let at = inside(at);
        if (at[0] - last[0]).hypot(at[1] - last[1]) >= LEAST_STEP && n_points < MOST_POINTS {
            if let Some(stroke) = Arc::make_mut(&mut self.strokes).last_mut() {
                stroke.push(at);
            }
            self.paint(last, at);
        }
    }

    /// Ends the stroke under way.
    pub(super) fn lift(&mut self) {
        self.is_pen_down = false;
    }

    /// Takes the last stroke away.
    pub(super) fn take_last(&mut self) {
        Arc::make_mut(&mut self.strokes).pop();
        self.draw_anew(Arc::clone(&self.strokes));
    }

    /// Has these strokes, and no others.
    pub(super) fn draw_anew(&mut self, strokes: Strokes) {
        self.lift();
        self.canvas.clear();
        for stroke in strokes.iter() {
            paint_stroke(&mut self.canvas, stroke);
        }
        self.strokes = strokes;
        self.see();
    }

    /// Takes all strokes away.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn paint(&mut self, from: [f32; 2], to: [f32; 2]) {
        paint_stroke(&mut self.canvas, &[from, to]);
        self.see();
    }

    fn see(&mut self) {
        self.image = self.canvas.digit().map(Arc::from);
    }
}

fn paint_stroke(canvas: &mut Canvas, points: &[[f32; 2]]) {
    let pixels = |at: &[f32; 2]| at.map(|share| share * N_PIXELS as f32);
    let radius = PEN_RADIUS * N_PIXELS as f32;
    let mut last = None;
    for at in points.iter().map(pixels) {
        canvas.draw(last.unwrap_or(at), at, radius);
        last = Some(at);
    }
}

/// The place itself, or the nearest on the canvas.
fn inside(at: [f32; 2]) -> [f32; 2] {
    at.map(|share| share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(strokes: &[&[[f32; 2]]]) -> Sketch {
        let mut sketch = Sketch::default();
        for stroke in strokes {
            sketch.put_down(stroke[0]);
            stroke[1..].iter().for_each(|&at| sketch.move_to(at));
            sketch.lift();
        }
        sketch
    }

    const SEVEN: &[[f32; 2]] = &[[0.3, 0.2], [0.7, 0.2], [0.45, 0.8]];
    const BAR: &[[f32; 2]] = &[[0.4, 0.5], [0.65, 0.5]];

    #[test]
    fn a_stroke_taken_away_leaves_what_was_before() {
        let mut sketch = drawn(&[SEVEN, BAR]);
        let both = sketch.image().cloned();
        sketch.take_last();
        assert_ne!(sketch.image().cloned(), both);
        assert_eq!(sketch.image(), drawn(&[SEVEN]).image());
        sketch.take_last();
        assert_eq!(sketch.image(), None);
        sketch.take_last();
        assert!(sketch.strokes().is_empty(), "nothing is left to take away");
    }

    #[test]
    fn a_lifted_pen_draws_nothing() {
        let mut sketch = drawn(&[SEVEN]);
        let before = sketch.image().cloned();
        sketch.move_to([0.9, 0.9]);
        assert_eq!(sketch.image().cloned(), before);
        sketch.clear();
        sketch.move_to([0.9, 0.9]);
        assert_eq!(sketch.image(), None);
    }

    #[test]
    fn a_dot_and_a_stroke_off_the_canvas_are_images() {
        for stroke in [&[[0.5, 0.5]][..], &[[-3.0, 0.2], [7.0, 0.9]]] {
            let sketch = drawn(&[stroke]);
            let image = sketch.image().expect("ink");
            assert_eq!(image.len(), 784);
            assert!(image.contains(&255));
        }
    }

    #[test]
    fn strokes_are_as_wide_as_those_of_mnist() {
        let sketch = drawn(&[&[[0.5, 0.17], [0.5, 0.83]]]);
        let image = sketch.image().expect("ink");
        let row = image[14 * 28..15 * 28].iter();
        let width = row.map(|&x| f32::from(x) / 255.0).sum::<f32>();
        assert!((2.0..3.2).contains(&width), "{width} pixels");
    }

    #[test]
    fn strokes_that_were_kept_give_the_same_image() {
        let sketch = drawn(&[
            &[[0.3, 0.2], [0.7, 0.4], [0.5, 0.9]],
            &[[0.2, 0.6], [0.8, 0.6]],
        ]);
        let again = Sketch::of(sketch.strokes().to_vec());
        assert_eq!(again.strokes(), sketch.strokes());
        assert_eq!(again.image(), sketch.image());
        let broken = vec![
            vec![],
            vec![[f32::NAN, 0.5]],
            vec![[0.5, f32::INFINITY], [0.5, 7.0]],
        ];
        assert_eq!(**Sketch::of(broken).strokes(), [[[0.5, 1.0]]]);
    }
}
