//! Dots of samples: the order in which they are painted, and which of them nobody could see.

use crate::scene::look::Look;
use crate::scene::theme::{N_COLORS, class_color};
use crate::scene::{Dot, Item, Rgba};

/// A sample to be drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// On the canvas or at most [`BEYOND`] outside it.
    pub(super) center: [f32; 2],
    /// Index in the probe; marks come in ascending order.
    pub(super) sample: u32,
    pub(super) class: u16,
    /// Which of the style's opacities it has.
    pub(super) depth: u8,
}

/// How far outside the canvas a dot may still be seen.
const BEYOND: f32 = 6.0;

pub(super) fn is_on_canvas(at: [f32; 2], size: [f32; 2]) -> bool {
    (0..2).all(|axis| at[axis] > -BEYOND && at[axis] < size[axis] + BEYOND)
}

/// How the dots of a layer look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style<'a> {
    /// In points.
    pub(super) radius: f32,
    /// By depth, from the far ones to the near ones, at most four.
    pub(super) opacities: &'a [f32],
    /// Opacity of the outline beneath faint colours, over that of the dot; 0 for none.
    pub(super) outline: f32,
}

/// Blocks by index keep classes mingled; classes within a block make files small.
const N_BLOCKS: usize = 8;

/// What is painted of the samples' marks, of which there are `n_samples` at most. Where some are
/// lit, as the mask says `[samples]`, the others stand behind them, hardly visible.
pub(super) fn items(
    look: &Look,
    marks: Vec<Mark>,
    n_samples: usize,
    style: Style<'_>,
    size: [f32; 2],
    lit: Option<&[bool]>,
) -> Vec<Item> {
    const DIMMED: f32 = 0.16;
    const LIT: f32 = 1.35;
    /// Few are looked for: they are larger than many.
    const FEW: usize = 60;
    const LIT_FEW: f32 = 2.0;
    let Some(lit) = lit else {
        return layer(look, marks, n_samples, style, size);
    };
    let is_lit = |mark: &Mark| lit.get(mark.sample as usize).is_some_and(|&is_lit| is_lit);
    let (front, back): (Vec<Mark>, Vec<Mark>) = marks.into_iter().partition(is_lit);
    let opacities: Vec<f32> = style.opacities.iter().map(|o| DIMMED * o).collect();
    let dimmed = Style {
        opacities: &opacities,
        outline: 0.0,
        ..style
    };
    let enlarged = if front.len() <= FEW { LIT_FEW } else { LIT };
    let brighter = Style {
        radius: enlarged * style.radius,
        ..style
    };
    let mut items = layer(look, back, n_samples, dimmed, size);
    items.extend(layer(look, front, n_samples, brighter, size));
    items
}

/// The dots of one style, and before them the outlines of those in faint colours.
fn layer(
    look: &Look,
    mut marks: Vec<Mark>,
    n_samples: usize,
    style: Style<'_>,
    size: [f32; 2],
) -> Vec<Item> {
    let n_depths = style.opacities.len();
    let block_len = n_samples.div_ceil(N_BLOCKS).max(1) as u32;
    let bin_of = |mark: &Mark| {
        let block = (mark.sample / block_len) as usize;
        (block * n_depths + usize::from(mark.depth)) * N_COLORS + color_of(mark)
    };
    let seen = seen(&mut marks, Grid::new(size, CELL * style.radius));
    // A counting sort, with bins filled from their ends.
    let mut starts = vec![0; N_BLOCKS * n_depths * N_COLORS];
    for mark in seen {
        starts[bin_of(mark)] += 1;
    }
    let mut end = 0;
    for start in &mut starts {
        end += *start;
        *start = end;
    }
    let fills: Vec<Rgba> = (0..n_depths * N_COLORS)
        .map(|i| class_color(i % N_COLORS).with_opacity(style.opacities[i / N_COLORS]))
        .collect();
    let mut dots = vec![NO_DOT; seen.len()];
    for mark in seen.iter().rev() {
        let bin = bin_of(mark);
        starts[bin] -= 1;
        dots[starts[bin]] = Dot {
            center: mark.center,
            color: fills[bin % fills.len()],
            sample: mark.sample,
        };
    }
    let outlines = outlines(look, &dots, &starts, style);
    if outlines.is_empty() {
        let radius = style.radius;
        return vec![Item::Dots { dots, radius }];
    }
    let radius = style.radius - 0.1 * look.unit;
    let outline = Item::Dots {
        dots: outlines,
        radius: radius + 0.3 * look.unit,
    };
    vec![outline, Item::Dots { dots, radius }]
}

const NO_DOT: Dot = Dot {
    center: [0.0; 2],
    color: Rgba([0; 4]),
    sample: 0,
};

/// Classes of one colour look alike.
fn color_of(mark: &Mark) -> usize {
    usize::from(mark.class) % N_COLORS
}

/// Copies of the dots in faint colours, in their inks. `starts` says where each bin begins.
fn outlines(look: &Look, dots: &[Dot], starts: &[usize], style: Style<'_>) -> Vec<Dot> {
    let mut outlines = Vec::new();
    if style.outline == 0.0 {
        return outlines;
    }
    let inks: Vec<Option<Rgba>> = (0..N_COLORS)
        .map(|color| look.is_faint(color).then(|| look.ink(color)))
        .collect();
    let n_depths = style.opacities.len();
    for (bin, &start) in starts.iter().enumerate() {
        let Some(ink) = inks[bin % N_COLORS] else {
            continue;
        };
        let end = starts.get(bin + 1).copied().unwrap_or(dots.len());
        let opacity = style.opacities[bin / N_COLORS % n_depths];
        let color = ink.with_opacity(style.outline * opacity);
        outlines.extend(dots[start..end].iter().map(|dot| Dot { color, ..*dot }));
    }
    outlines
}

/// Side of the cells in which dots of one colour hide one another, over the radius.
///
/// Wherever a cell had more than one dot, those that stay cover every place three times on the
/// average, so that no hole opens, and what is painted keeps its outline to within a radius.
const CELL: f32 = 1.0;

/// The marks that can be seen: of those of one colour whose middles lie in one cell, only the last.
///
/// Every cell goes on to show each class that lies there, so that a sample alone of its class is
/// always drawn.
fn seen(marks: &mut [Mark], mut grid: Grid) -> &[Mark] {
    let mut first = marks.len();
    for i in (0..marks.len()).rev() {
        let mark = marks[i];
        // Without a branch, which no processor could predict.
        marks[first - 1] = mark;
        first -= usize::from(grid.take(&mark));
    }
    &marks[first..]
}

/// Square cells over the canvas, each with a bit for every colour that it shows.
struct Grid {
    per_cell: f32,
    n_columns: usize,
    shown: Vec<u16>,
}

impl Grid {
    /// Cells of side `cell`, or larger ones where these would be too many.
    fn new(size: [f32; 2], cell: f32) -> Self {
        const MOST: f32 = 16e6;
        let [width, height] = size.map(|side| side + 2.0 * BEYOND);
        let cell = cell.max((width * height / MOST).sqrt());
        let [n_columns, n_rows] = [width, height].map(|side| (side / cell) as usize + 1);
        Self {
            per_cell: 1.0 / cell,
            n_columns,
            shown: vec![0; n_columns * n_rows],
        }
    }

    /// Shows a mark's colour in its cell. Whether it was not there.
    fn take(&mut self, mark: &Mark) -> bool {
        let [column, row] = mark
            .center
            .map(|at| ((at + BEYOND) * self.per_cell) as i32 as usize);
        let shown = &mut self.shown[row * self.n_columns + column];
        let color = 1 << color_of(mark);
        let is_new = *shown & color == 0;
        *shown |= color;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::theme::{DARK, LIGHT};

    const STYLE: Style<'_> = Style {
        radius: 1.0,
        opacities: &[0.5, 1.0],
        outline: 0.9,
    };

    const SIZE: [f32; 2] = [700.0, 100.0];

    fn mark(sample: u32, class: u16, center: [f32; 2]) -> Mark {
        Mark {
            center,
            sample,
            class,
            depth: 1,
        }
    }

    /// Samples of the dots and of their outlines, in painting order.
    fn painted(marks: &[Mark], n_samples: usize) -> Vec<Vec<u32>> {
        let look = Look::new(DARK, 760.0);
        let items = items(&look, marks.to_vec(), n_samples, STYLE, SIZE, None);
        let samples = items.iter().map(|item| match item {
            Item::Dots { dots, .. } => dots.iter().map(|dot| dot.sample).collect(),
            other => panic!("{other:?}"),
        });
        samples.collect()
    }

    /// A crowd of class 0 about a point, with one sample of class 3 in its midst.
    fn crowd(n: u32, rare: u32) -> Vec<Mark> {
        (0..n)
            .map(|i| {
                let turn = 2.4 * i as f32;
                let off = 3.0 * (i as f32 / n as f32).sqrt();
                let class = if i == rare { 3 } else { 0 };
                let center = [50.0 + off * turn.cos(), 50.0 + off * turn.sin()];
                mark(i, class, center)
            })
            .collect()
    }

    #[test]
    fn a_sample_alone_of_its_class_is_drawn_wherever_it_lies() {
        for rare in [0, 1, 2500, 4999] {
            let painted = painted(&crowd(5000, rare), 5000);
            let dots = painted.last().expect("dots");
            assert!(dots.contains(&rare));
            assert!(dots.len() < 500, "{} of 5000 dots", dots.len());
        }
    }

    #[test]
    fn what_is_left_out_lies_under_a_dot_of_its_class_painted_later() {
        let marks = crowd(3000, 1234);
        let painted = painted(&marks, 3000);
        let place = |sample: u32| painted[0].iter().position(|&s| s == sample);
        for hidden in marks.iter().filter(|mark| place(mark.sample).is_none()) {
            let covers = |mark: &&Mark| {
                let [dx, dy] = [0, 1].map(|axis| mark.center[axis] - hidden.center[axis]);
                mark.class == hidden.class
                    && mark.sample > hidden.sample
                    && dx.hypot(dy) <= CELL * STYLE.radius * std::f32::consts::SQRT_2
                    && place(mark.sample).is_some()
            };
            assert!(marks.iter().any(|mark| covers(&mark)), "{hidden:?}");
        }
    }

    #[test]
    fn dots_far_apart_are_all_drawn_by_block_depth_and_color() {
        let mut marks: Vec<Mark> = (0..160)
            .map(|i| mark(i, (i * 7 % 12) as u16, [4.0 * i as f32, 10.0]))
            .collect();
        for mark in marks.iter_mut().filter(|mark| mark.sample % 3 == 0) {
            mark.depth = 0;
        }
        let mut expected = marks.clone();
        expected.sort_by_key(|mark| (mark.sample / 20, mark.depth, mark.class % 10));
        let expected: Vec<u32> = expected.iter().map(|mark| mark.sample).collect();
        assert_eq!(painted(&marks, 160).last(), Some(&expected));
    }

    #[test]
    fn faint_colors_alone_have_outlines_in_the_order_of_their_dots() {
        for theme in [DARK, LIGHT] {
            let look = Look::new(theme, 760.0);
            let marks: Vec<Mark> = (0..100)
                .map(|i| mark(i, (i % 10) as u16, [4.0 * i as f32, 10.0]))
                .collect();
            let items = items(&look, marks, 100, STYLE, SIZE, None);
            let [Item::Dots { dots: outlines, .. }, Item::Dots { dots, .. }] = &items[..] else {
                panic!("outlines and dots");
            };
            let faint = dots
                .iter()
                .filter(|dot| look.is_faint(dot.sample as usize % 10));
            let faint: Vec<u32> = faint.map(|dot| dot.sample).collect();
            let outlined: Vec<u32> = outlines.iter().map(|dot| dot.sample).collect();
            assert_eq!(outlined, faint);
            for dot in outlines {
                let ink = look.ink(dot.sample as usize % 10);
                assert_eq!(dot.color, ink.with_opacity(0.9));
            }
        }
    }

    #[test]
    fn a_huge_canvas_has_cells_for_all_its_corners() {
        let size = [300_000.0, 20_000.0];
        let mut grid = Grid::new(size, 0.2);
        let mut corner = |x: f32, y: f32| grid.take(&mark(0, 9, [x, y]));
        let [right, bottom] = size.map(|side| side + 5.9);
        assert!(corner(-5.9, -5.9) && corner(right, -5.9));
        assert!(corner(-5.9, bottom) && corner(right, bottom));
    }

    #[test]
    fn no_samples_are_no_dots() {
        assert_eq!(painted(&[], 0), [Vec::<u32>::new()]);
    }
}
