//! Plots with axes, as data, and as a scene: the window and a file show the same one.
//!
//! A chart knows series in its own units; [`Chart::scene`] lays it out for the window, and
//! [`Chart::figure`] for a page: with titles at its axes, a legend, and a margin around it.

mod comparison;
mod confusion;
mod curves;
mod figure;
mod histogram;
mod margin_map;
mod psi;
pub(super) mod ticks;

use nalgebra::Vector2;

pub use comparison::{Comparison, Curve, MOST_CURVES, Places, Spread, Unit};
pub use confusion::{
    confusion, confusion_cell, confusion_in_print, confusion_note, confusion_words,
};
pub use curves::{choices, curve_ends, curves, curves_in_print, usual_maximum};
pub use figure::{Key, Mark, legend_of};
pub use histogram::histogram;
pub use margin_map::{closest_pair, margin_map, margin_map_in_print, margin_map_notes};
pub use psi::{
    PsiHandle, dragged_value, psi, psi_handles, psi_in_print, psi_neighbor, psi_together,
};

use crate::geometry::plane;
use crate::geometry::plane::Rect;
use crate::scene::fonts::estimated_width;
use crate::scene::look::{Look, disc, line, polygon, text};
use crate::scene::theme::{Theme, class_color};
use crate::scene::{Anchor, Dot, Font, Group, Item, Rgba, Scene, Stroke};

/// A plot with axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// Over it, at the left, in the window.
    pub title: String,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// Upwards at the right side, in a figure: another unit over the same height.
    pub right: Option<Axis>,
    /// In painting order.
    pub series: Vec<Series>,
    /// What series are called in the legend of a figure.
    pub keys: Vec<Key>,
    /// Samples outside the spans of its axes.
    pub n_beyond: usize,
    /// What else is said below a figure.
    pub note: String,
    /// Whether a unit is as long on both axes.
    pub is_square: bool,
    /// Whether it is a table of cells, whose axes name rows and columns.
    pub is_table: bool,
}

/// What an axis spans, with what is written at it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// Behind the last tick, in the window.
    pub label: String,
    /// In a figure: what is measured, with its unit.
    pub title: String,
    /// Smallest and largest value.
    pub span: [f64; 2],
    /// Where it is marked, and with what.
    pub ticks: Vec<(f64, String)>,
}

/// One thing in a chart, in the units of its axes.
#[derive(Clone, Debug, PartialEq)]
pub enum Series {
    /// A curve; what leaves the span is cut off.
    Line {
        /// In order.
        points: Vec<[f64; 2]>,
        /// Its colour.
        ink: Ink,
        /// In points.
        width: f32,
        /// Whether it is dashed.
        is_dashed: bool,
    },
    /// Filled rings, by the even-odd rule, within the span.
    Area {
        /// Closed; the last point is not repeated.
        rings: Vec<Vec<[f64; 2]>>,
        /// Its colour.
        ink: Ink,
        /// 0 to 1.
        opacity: f32,
    },
    /// Bars of one width that stand on the lower end of y.
    Bars {
        /// From the lower end of x to the upper, each from 0 to 1 of the highest.
        heights: Vec<f64>,
        /// Share of the chart's height that the highest has.
        share: f64,
        /// Their colour.
        ink: Ink,
        /// 0 to 1.
        opacity: f32,
    },
    /// Samples.
    Points {
        /// Position, colour and index of each.
        points: Vec<([f64; 2], Rgba, u32)>,
        /// In points.
        radius: f32,
    },
    /// A mark that can be taken hold of, with what is written at it.
    Handle {
        /// Its middle.
        at: [f64; 2],
        /// Beside it.
        label: String,
        /// Which end of the label is at the mark.
        anchor: Anchor,
        /// Its colour.
        ink: Ink,
    },
    /// Words at a place.
    Note {
        /// Where the anchor lies.
        at: [f64; 2],
        /// What it says.
        text: String,
        /// Which part of the text lies there.
        anchor: Anchor,
        /// Its colour.
        ink: Ink,
    },
}

/// A colour that follows the theme, or is fixed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ink {
    /// What is read.
    Text,
    /// Labels.
    Dimmed,
    /// What stands behind.
    Faint,
    /// The one colour of the interface.
    Accent,
    /// Past what theory allows.
    PastCeiling,
    /// A class, or anything else of one colour.
    Fixed(Rgba),
    /// One of several curves: the colour of a class, as far from the ground as a line needs.
    Curve(usize),
    /// What is read on so much of the accent, 0 to 1.
    OnAccent(f32),
}

impl Ink {
    fn color(self, theme: &Theme) -> Rgba {
        match self {
            Self::Text => theme.text,
            Self::Dimmed => theme.dimmed,
            Self::Faint => theme.faint,
            Self::Accent => theme.accent,
            Self::PastCeiling => theme.past_ceiling,
            Self::Fixed(color) => color,
            Self::Curve(i) => {
                let look = Look::of_unit(*theme, 1.0);
                look.readable(class_color(i), CURVE_CONTRAST)
            }
            Self::OnAccent(share) => theme.ground.mix(theme.accent, share).text_on(),
        }
    }
}

/// Least contrast of a curve with its ground (WCAG 2.2, non-text).
const CURVE_CONTRAST: f32 = 3.0;
/// Text at axes, in points.
const TICK_SIZE: f32 = 11.0;
/// Title, in points.
const TITLE_SIZE: f32 = 12.0;
/// Room under the plot for ticks, and over it for the title.
const BELOW: f32 = 20.0;
const ABOVE: f32 = 22.0;
/// Room beside it: half a tick's label; at the left the labels of y may take more.
const BESIDE: f32 = 14.0;

/// Where a chart's units lie on a canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Top left corner of the plot.
    pub min: [f32; 2],
    /// Its bottom right corner.
    pub max: [f32; 2],
    x: [f64; 2],
    y: [f64; 2],
}

impl Frame {
    /// The point of the canvas at a place in the chart.
    pub fn screen(&self, at: [f64; 2]) -> [f32; 2] {
        let share = |value: f64, [low, high]: [f64; 2]| ((value - low) / (high - low)) as f32;
        let [x, y] = [share(at[0], self.x), share(at[1], self.y)];
        [
            self.min[0] + x * (self.max[0] - self.min[0]),
            self.max[1] - y * (self.max[1] - self.min[1]),
        ]
    }

    /// The place in the chart at a point of the canvas.
    pub fn value(&self, at: [f32; 2]) -> [f64; 2] {
        let x = f64::from((at[0] - self.min[0]) / (self.max[0] - self.min[0]));
        let y = f64::from((self.max[1] - at[1]) / (self.max[1] - self.min[1]));
        [
            self.x[0] + x * (self.x[1] - self.x[0]),
            self.y[0] + y * (self.y[1] - self.y[0]),
        ]
    }

    fn rect(&self) -> Rect {
        Rect::from_corners(
            Vector2::new(self.x[0], self.y[0]),
            Vector2::new(self.x[1], self.y[1]),
        )
    }
}

impl Chart {
    /// Where its units lie on a canvas of this size.
    pub fn frame(&self, size: [f32; 2]) -> Frame {
        let widths = self
            .y
            .ticks
            .iter()
            .map(|(_, words)| estimated_width(words, TICK_SIZE));
        let left = widths.map(|width| width + 8.0).fold(BESIDE, f32::max);
        let above = if self.title.is_empty() && self.y.label.is_empty() {
            6.0
        } else {
            ABOVE
        };
        let mut min = [left, above];
        let mut max = [
            (size[0] - BESIDE).max(min[0] + 1.0),
            (size[1] - BELOW).max(min[1] + 1.0),
        ];
        if self.is_square {
            let side = (max[0] - min[0]).min(max[1] - min[1]);
            let spare = max[0] - min[0] - side;
            min[0] += 0.5 * spare;
            max = [min[0] + side, min[1] + side];
        }
        Frame {
            min,
            max,
            x: self.x.span,
            y: self.y.span,
        }
    }

    /// The chart on a canvas of this size, on a ground of its own.
    pub fn scene(&self, theme: &Theme, ground: Rgba, size: [f32; 2]) -> Scene {
        let frame = self.frame(size);
        let series = self.series.iter();
        let items = series.flat_map(|series| series.items(&frame, theme, TICK_SIZE));
        Scene {
            size,
            ground,
            groups: vec![
                Group::new("axes", self.axes(&frame, theme)),
                Group::new("series", items.collect()),
            ],
        }
    }

    fn axes(&self, frame: &Frame, theme: &Theme) -> Vec<Item> {
        let hairline = Stroke {
            width: 1.0,
            color: theme.hairline_strong,
            dash: None,
        };
        let ([left, top], [right, bottom]) = (frame.min, frame.max);
        let mut items = vec![line(vec![[left, bottom], [right, bottom]], hairline)];
        let label = |pos: [f32; 2], words: &str, anchor| {
            text(pos, words, TICK_SIZE, Font::Regular, theme.dimmed, anchor)
        };
        for (at, words) in &self.x.ticks {
            let x = frame.screen([*at, self.y.span[0]])[0];
            items.push(line(vec![[x, bottom], [x, bottom + 3.0]], hairline));
            items.push(label([x, bottom + 12.0], words, Anchor::Middle));
        }
        for (at, words) in &self.y.ticks {
            let y = frame.screen([self.x.span[0], *at])[1];
            items.push(line(vec![[left, y], [right, y]], hairline));
            items.push(label([left - 6.0, y], words, Anchor::End));
        }
        if !self.title.is_empty() {
            items.push(text(
                [0.0, top - 13.0],
                self.title.as_str(),
                TITLE_SIZE,
                Font::Regular,
                theme.dimmed,
                Anchor::Start,
            ));
        }
        if let Some(x) = self.x_label(frame) {
            items.push(label([x, bottom + 12.0], &self.x.label, Anchor::Middle));
        } else if !self.x.label.is_empty() {
            items.push(label([right, bottom - 9.0], &self.x.label, Anchor::End));
        }
        if !self.y.label.is_empty() && self.title.is_empty() {
            items.push(label([left, top - 13.0], &self.y.label, Anchor::Start));
        } else if !self.y.label.is_empty() {
            items.push(label([left + 5.0, top + 6.0], &self.y.label, Anchor::Start));
        }
        items
    }

    /// Where the label of x has room among the ticks, between the last two.
    fn x_label(&self, frame: &Frame) -> Option<f32> {
        const APART: f32 = 16.0;
        let [.., (a, before), (b, last)] = &self.x.ticks[..] else {
            return None;
        };
        let width = |words: &str| estimated_width(words, TICK_SIZE);
        let [a, b] = [*a, *b].map(|at| frame.screen([at, self.y.span[0]])[0]);
        let room = b - a - 0.5 * (width(before) + width(last));
        let has_room = !self.x.label.is_empty() && room > width(&self.x.label) + APART;
        has_room.then_some(0.5 * (a + b))
    }
}

impl Series {
    /// Its items, with text of this size in points.
    fn items(&self, frame: &Frame, theme: &Theme, size: f32) -> Vec<Item> {
        match self {
            Self::Line {
                points,
                ink,
                width,
                is_dashed,
            } => {
                let stroke = figure::stroke(ink.color(theme), *width, *is_dashed);
                let runs = visible_runs(points, frame).into_iter();
                runs.map(|run| line(run, stroke)).collect()
            }
            Self::Area {
                rings,
                ink,
                opacity,
            } => {
                let ring = |ring: &Vec<[f64; 2]>| ring.iter().map(|&at| frame.screen(at)).collect();
                vec![Item::Polygon {
                    rings: rings.iter().map(ring).collect(),
                    fill: ink.color(theme).with_opacity(*opacity),
                }]
            }
            Self::Bars {
                heights,
                share,
                ink,
                opacity,
            } => {
                let fill = ink.color(theme).with_opacity(*opacity);
                let bars = bars(heights, *share, frame);
                bars.map(|ring| polygon(ring, fill)).collect()
            }
            Self::Points { points, radius } => vec![dots(points, *radius, frame)],
            Self::Handle {
                at,
                label,
                anchor,
                ink,
            } => {
                let center = frame.screen(*at);
                let [mark, words] = handle(center, (label, *anchor), ink.color(theme), theme.panel);
                vec![mark, words]
            }
            Self::Note {
                at,
                text: words,
                anchor,
                ink,
            } => vec![words_at(
                frame.screen(*at),
                words,
                size,
                ink.color(theme),
                *anchor,
            )],
        }
    }
}

fn dots(points: &[([f64; 2], Rgba, u32)], radius: f32, frame: &Frame) -> Item {
    let dot = |&(at, color, sample): &([f64; 2], Rgba, u32)| Dot {
        center: frame.screen(at),
        color,
        sample,
    };
    Item::Dots {
        dots: points.iter().map(dot).collect(),
        radius,
    }
}

/// A disc with a ring of the ground around it, and its label.
fn handle(
    center: [f32; 2],
    (label, anchor): (&str, Anchor),
    color: Rgba,
    ground: Rgba,
) -> [Item; 2] {
    let ring = Stroke {
        width: 2.0,
        color: ground,
        dash: None,
    };
    // Beside the rail, or over the curve.
    let beside = match anchor {
        Anchor::End => [center[0] - 10.0, center[1]],
        _ => [center[0] + 10.0, center[1] - 8.0],
    };
    [
        disc(center, 5.5, color, ring),
        words_at(beside, label, TICK_SIZE, color, anchor),
    ]
}

fn words_at(pos: [f32; 2], words: &str, size: f32, color: Rgba, anchor: Anchor) -> Item {
    text(pos, words, size, Font::Regular, color, anchor)
}

/// The parts of a curve within the span.
fn visible_runs(points: &[[f64; 2]], frame: &Frame) -> Vec<Vec<[f32; 2]>> {
    let rect = frame.rect();
    let mut runs: Vec<Vec<[f32; 2]>> = Vec::new();
    let mut end: Option<Vector2<f64>> = None;
    for pair in points.windows(2) {
        let (a, b) = (Vector2::from(pair[0]), Vector2::from(pair[1]));
        let Some([a, b]) = plane::clip_segment(&rect, a, b) else {
            end = None;
            continue;
        };
        match runs.last_mut().filter(|_| end == Some(a)) {
            Some(run) => run.push(frame.screen(b.into())),
            None => runs.push(vec![frame.screen(a.into()), frame.screen(b.into())]),
        }
        end = Some(b);
    }
    runs
}

fn bars<'a>(
    heights: &'a [f64],
    share: f64,
    frame: &'a Frame,
) -> impl Iterator<Item = Vec<[f32; 2]>> + 'a {
    const GAP: f32 = 0.5; // between neighbors, in points
    let ([left, top], [right, bottom]) = (frame.min, frame.max);
    let width = (right - left) / heights.len().max(1) as f32;
    let filled = heights
        .iter()
        .enumerate()
        .filter(|(_, height)| **height > 0.0);
    filled.map(move |(i, height)| {
        let x = left + width * i as f32;
        let y = bottom - (height * share) as f32 * (bottom - top);
        let right = x + (width - GAP).max(0.5);
        vec![[x, bottom], [x, y], [right, y], [right, bottom]]
    })
}
