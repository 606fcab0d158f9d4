//! A chart on a page: nothing that is taken hold of, titles with units at its axes, names of all that
//! is drawn below it, and free space around everything.

use crate::scene::chart::{Axis, Chart, Frame, Ink, Series};
use crate::scene::fonts::{estimated_width, shortened, wrapped};
use crate::scene::legend;
use crate::scene::legend::Swatch;
use crate::scene::look::{Look, line, text};
use crate::scene::theme::Theme;
use crate::scene::{Anchor, Font, Group, Item, Scene, Stroke, ViewState};

/// What a series is called in the legend of a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// How it looks.
    pub mark: Mark,
    /// Its name.
    pub name: String,
}

/// How a series looks.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A curve.
    Line {
        /// Its colour.
        ink: Ink,
        /// In points.
        width: f32,
        /// Whether it is dashed.
        is_dashed: bool,
    },
    /// What is filled.
    Area {
        /// Its colour.
        ink: Ink,
        /// 0 to 1.
        opacity: f32,
    },
    /// A sample.
    Dot(Ink),
    /// So much of the accent each, 0 to 1, evenly from left to right.
    Ramp(Vec<f32>),
}

impl Key {
    /// Of a curve.
    pub(super) fn of_line(series: &Series, name: impl Into<String>) -> Option<Self> {
        let Series::Line {
            ink,
            width,
            is_dashed,
            ..
        } = series
        else {
            return None;
        };
        Some(Self {
            mark: Mark::Line {
                ink: *ink,
                width: *width,
                is_dashed: *is_dashed,
            },
            name: name.into(),
        })
    }

    pub(super) fn of_area(ink: Ink, opacity: f32, name: impl Into<String>) -> Self {
        Self {
            mark: Mark::Area { ink, opacity },
            name: name.into(),
        }
    }

    fn entry(&self, theme: &Theme) -> (Swatch, String) {
        let swatch = match &self.mark {
            Mark::Line {
                ink,
                width,
                is_dashed,
            } => Swatch::Line(stroke(ink.color(theme), *width, *is_dashed)),
            Mark::Area { ink, opacity } => {
                Swatch::Area(theme.ground.mix(ink.color(theme), *opacity))
            }
            Mark::Dot(ink) => Swatch::Dot(ink.color(theme)),
            Mark::Ramp(shares) => {
                let color = |share: &f32| theme.ground.mix(theme.accent, *share);
                Swatch::Ramp(shares.iter().map(color).collect())
            }
        };
        (swatch, self.name.clone())
    }
}

/// Dashes of a curve, in points.
pub(super) fn stroke(color: crate::scene::Rgba, width: f32, is_dashed: bool) -> Stroke {
    Stroke {
        width,
        color,
        dash: is_dashed.then_some([4.0, 3.0]),
    }
}

/// The legend of charts that share it, each name once.
pub fn legend_of(keys: &[Key], note: &str, view: &ViewState, width: f32) -> Option<Scene> {
    let mut named: Vec<&Key> = Vec::new();
    for key in keys {
        if !named.contains(&key) {
            named.push(key);
        }
    }
    let look = view.page_look();
    let entries: Vec<_> = named.iter().map(|key| key.entry(&look.theme)).collect();
    (!entries.is_empty() || !note.is_empty()).then(|| legend::strip(entries, note, &look, width))
}

/// Size of all text, in points at unit size.
const TEXT: f32 = 12.0;
/// In sizes of text: free space at the edges, from line to line, between ticks and their numbers.
const EDGE: f32 = 1.0;
const LEADING: f32 = 1.45;
const BESIDE: f32 = 0.5;
const LEAST_LEADING: f32 = 1.1;
/// A name of a column is not cut shorter than this, in sizes of text.
const LEAST_NAME: f32 = 2.4;
/// From here on a square plot has its legend beside it, as width over height.
const WIDE: f32 = 1.2;
/// What a legend beside a plot takes of the width at most, and in sizes of text at least.
const MOST_LEGEND: f32 = 0.5;
const LEAST_LEGEND: f32 = 12.0;

impl Chart {
    /// The chart on a page of this size.
    pub fn figure(&self, view: &ViewState, size: [f32; 2]) -> Scene {
        let look = view.page_look();
        let unit = look.unit;
        // Everything is laid out at unit size, and then made larger.
        let page = Page {
            chart: self,
            theme: look.theme,
            text: look.text(TEXT) / unit,
            size: size.map(|side| side / unit),
        };
        let mut whole = Scene::empty(size, look.theme.ground);
        whole.place(0, page.scene(), [0.0; 2], unit);
        whole
    }
}

struct Page<'a> {
    chart: &'a Chart,
    theme: Theme,
    /// Size of text.
    text: f32,
    size: [f32; 2],
}

/// What stands around the plot, at its four sides, and the titles that stand there.
struct Around {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
    x_title: Vec<String>,
    y_title: Vec<String>,
}

impl Page<'_> {
    fn scene(&self) -> Scene {
        if self.chart.is_square && self.size[0] > WIDE * self.size[1] {
            self.beside_legend()
        } else {
            self.over_legend()
        }
    }

    fn over_legend(&self) -> Scene {
        let legend = self.legend(|_| self.size[0]);
        let mut whole = Scene::empty(self.size, self.theme.ground);
        // A legend has free space of its own.
        let below = legend
            .as_ref()
            .map_or(0.5 * EDGE * self.text, |legend| legend.size[1]);
        let height = (self.size[1] - below - 0.5 * EDGE * self.text).max(1.0);
        self.plot(&mut whole, [self.size[0], height]);
        if let Some(legend) = legend {
            whole.place(0, legend, [0.0, height], 1.0);
        }
        whole
    }

    /// Both together in the middle of the page.
    fn beside_legend(&self) -> Scene {
        let most = MOST_LEGEND * self.size[0];
        let legend = self.legend(|column| column.max(LEAST_LEGEND * self.text).min(most));
        let legend = legend.unwrap_or_else(|| Scene::empty([0.0; 2], self.theme.ground));
        let room = [
            (self.size[0] - legend.size[0]).max(1.0),
            self.size[1] - 0.5 * EDGE * self.text,
        ];
        let mut both = Scene::empty(self.size, self.theme.ground);
        let frame = self.plot(&mut both, room);
        let middle = 0.5 * (frame.min[1] + frame.max[1] - legend.size[1]);
        let left = frame.max[0] + self.text;
        let spare = (self.size[0] - left - legend.size[0]).max(0.0);
        both.place(0, legend, [left, middle.max(0.0)], 1.0);
        let mut whole = Scene::empty(self.size, self.theme.ground);
        whole.place(0, both, [0.5 * spare, 0.0], 1.0);
        whole
    }

    /// The legend with a width that is told from that of a column of names.
    fn legend(&self, width: impl Fn(f32) -> f32) -> Option<Scene> {
        let (chart, theme) = (self.chart, &self.theme);
        let entries: Vec<_> = chart.keys.iter().map(|key| key.entry(theme)).collect();
        let look = Look::of_unit(*theme, self.text / TEXT);
        let width = width(legend::width_of_column(&entries, &look));
        (!entries.is_empty() || !chart.note.is_empty())
            .then(|| legend::strip(entries, &chart.note, &look, width))
    }

    /// Axes and series in the upper left of the page; where the plot stands.
    fn plot(&self, whole: &mut Scene, room: [f32; 2]) -> Frame {
        let around = self.around(room[0]);
        let frame = self.frame(&around, room);
        let series = self.chart.series.iter();
        let series = series.flat_map(|series| series.items(&frame, &self.theme, self.text));
        let series = series.collect();
        whole
            .groups
            .push(Group::new("axes", self.axes(&frame, &around)));
        whole.groups.push(Group::new("series", series));
        frame
    }

    fn width(&self, words: &str) -> f32 {
        estimated_width(words, self.text)
    }

    fn around(&self, width: f32) -> Around {
        let (text, chart) = (self.text, self.chart);
        let edge = EDGE * text;
        let inner = width - 2.0 * edge;
        let widest = |axis: &Axis| {
            let widths = axis.ticks.iter().map(|(_, words)| self.width(words));
            widths.fold(0.0, f32::max).min(0.3 * width)
        };
        let right = match &chart.right {
            Some(axis) => widest(axis) + BESIDE * text,
            // Names of columns stay within their table.
            None if chart.is_table => 0.0,
            // Half of the last number stands out.
            None => chart
                .x
                .ticks
                .last()
                .map_or(0.0, |(_, words)| 0.5 * self.width(words)),
        };
        let beside = chart
            .right
            .as_ref()
            .map_or(0.0, |axis| self.width(&axis.title) + text);
        let left = widest(&chart.y) + BESIDE * text;
        let x_title = wrapped(&chart.x.title, text, inner - left - right);
        let y_title = wrapped(&chart.y.title, text, inner - beside);
        let line = LEADING * text;
        let n_rows = f32::from(u8::from(!chart.x.ticks.is_empty())) + self.n_stagger(inner - left);
        Around {
            left: edge + left,
            top: edge + line * y_title.len() as f32 + 0.4 * text,
            right: edge + right,
            bottom: 0.5 * text + line * (n_rows + x_title.len() as f32),
            x_title,
            y_title,
        }
    }

    /// Rows that names of columns take besides the first.
    fn n_stagger(&self, width: f32) -> f32 {
        f32::from(u8::from(self.chart.is_table && self.is_staggered(width)))
    }

    fn is_staggered(&self, width: f32) -> bool {
        let ticks = &self.chart.x.ticks;
        let room = width / ticks.len().max(1) as f32 - 0.6 * self.text;
        ticks.iter().any(|(_, words)| self.width(words) > room)
    }

    fn frame(&self, around: &Around, [width, height]: [f32; 2]) -> Frame {
        let min = [around.left, around.top];
        let mut max = [
            (width - around.right).max(min[0] + 1.0),
            (height - around.bottom).max(min[1] + 1.0),
        ];
        if self.chart.is_square {
            let side = (max[0] - min[0]).min(max[1] - min[1]);
            max = [min[0] + side, min[1] + side];
        }
        Frame {
            min,
            max,
            x: self.chart.x.span,
            y: self.chart.y.span,
        }
    }

    fn axes(&self, frame: &Frame, around: &Around) -> Vec<Item> {
        let mut items = Vec::new();
        if !self.chart.is_table {
            items.extend(self.lines(frame));
        }
        items.extend(self.x_ticks(frame));
        items.extend(self.y_ticks(frame));
        if let Some(axis) = &self.chart.right {
            items.extend(self.right_ticks(axis, frame));
        }
        items.extend(self.titles(frame, around));
        items
    }

    /// Lines at the ticks of y, and the axes.
    fn lines(&self, frame: &Frame) -> Vec<Item> {
        let ([left, top], [right, bottom]) = (frame.min, frame.max);
        let faint = stroke(self.theme.hairline_strong, 0.8, false);
        let strong = stroke(self.theme.dimmed, 1.0, false);
        let mut items = Vec::new();
        for (at, _) in &self.chart.y.ticks {
            let y = frame.screen([self.chart.x.span[0], *at])[1];
            items.push(line(vec![[left, y], [right, y]], faint));
        }
        for (at, _) in self.x_shown(frame) {
            let x = frame.screen([at, self.chart.y.span[0]])[0];
            items.push(line(
                vec![[x, bottom], [x, bottom + 0.3 * self.text]],
                strong,
            ));
        }
        items.push(line(
            vec![[left, top], [left, bottom], [right, bottom]],
            strong,
        ));
        if self.chart.right.is_some() {
            items.push(line(vec![[right, top], [right, bottom]], strong));
        }
        items
    }

    fn label(&self, pos: [f32; 2], words: impl Into<String>, anchor: Anchor) -> Item {
        text(
            pos,
            words,
            self.text,
            Font::Regular,
            self.theme.dimmed,
            anchor,
        )
    }

    /// Of the ticks of x as many as have room, evenly.
    fn x_shown(&self, frame: &Frame) -> Vec<(f64, &str)> {
        let ticks = &self.chart.x.ticks;
        let every = |n: usize| {
            ticks
                .iter()
                .step_by(n)
                .map(|(at, words)| (*at, words.as_str()))
        };
        let fits = |n: &usize| {
            let mut end = f32::NEG_INFINITY;
            every(*n).all(|(at, words)| {
                let (x, half) = (frame.screen([at, 0.0])[0], 0.5 * self.width(words));
                let is_free = x - half > end + 0.5 * self.text;
                end = x + half;
                is_free
            })
        };
        let n = (1..=ticks.len()).find(fits).unwrap_or(1);
        every(n).collect()
    }

    fn x_ticks(&self, frame: &Frame) -> Vec<Item> {
        let y = frame.max[1] + 1.0 * self.text;
        let width = frame.max[0] - frame.min[0];
        if !self.chart.is_table {
            let shown = self.x_shown(frame).into_iter();
            let label = |(at, words)| {
                let x = frame.screen([at, self.chart.y.span[0]])[0];
                self.label([x, y], words, Anchor::Middle)
            };
            return shown.map(label).collect();
        }
        // Names of columns stand in two rows where they would touch in one.
        let n_rows = if self.is_staggered(width) { 2 } else { 1 };
        let every = self.every_column(width, n_rows);
        let ticks = &self.chart.x.ticks;
        let room = self.room_of_column(width, n_rows, every);
        let name = |(i, (at, words)): (usize, &(f64, String))| {
            let x = frame.screen([*at, self.chart.y.span[0]])[0];
            let pos = [x, y + LEADING * self.text * (i % n_rows) as f32];
            // Those at the ends may not stand out of the page.
            let out = (self.size[0] - x).min(x) * 2.0 - self.text;
            let words = shortened(words, self.text, room.min(out));
            self.label(pos, words, Anchor::Middle)
        };
        ticks.iter().step_by(every).enumerate().map(name).collect()
    }

    /// Room for the name of a column where every so manyth has one.
    fn room_of_column(&self, width: f32, n_rows: usize, every: usize) -> f32 {
        let n = self.chart.x.ticks.len().max(1);
        (n_rows * every) as f32 * width / n as f32 - 0.4 * self.text
    }

    /// Which columns have a name: of very many only some, so that a name is not cut to nothing.
    fn every_column(&self, width: f32, n_rows: usize) -> usize {
        let ticks = &self.chart.x.ticks;
        let widths = ticks.iter().map(|(_, words)| self.width(words));
        let wanted = widths.fold(0.0, f32::max).min(LEAST_NAME * self.text);
        let fits = |every: &usize| self.room_of_column(width, n_rows, *every) >= wanted;
        (1..=ticks.len()).find(fits).unwrap_or(1)
    }

    fn y_ticks(&self, frame: &Frame) -> Vec<Item> {
        let x = frame.min[0] - BESIDE * self.text;
        let room = x - EDGE * self.text + 1.0;
        let ticks = &self.chart.y.ticks;
        let height = frame.max[1] - frame.min[1];
        let n_fitting = (height / (LEAST_LEADING * self.text)).max(1.0) as usize;
        let every = ticks.len().div_ceil(n_fitting).max(1);
        let label = |(at, words): &(f64, String)| {
            let y = frame.screen([self.chart.x.span[0], *at])[1];
            self.label([x, y], shortened(words, self.text, room), Anchor::End)
        };
        ticks.iter().step_by(every).map(label).collect()
    }

    fn right_ticks(&self, axis: &Axis, frame: &Frame) -> Vec<Item> {
        let x = frame.max[0] + BESIDE * self.text;
        let [low, high] = axis.span;
        let ticks = axis.ticks.iter();
        let label = |(at, words): &(f64, String)| {
            let share = ((at - low) / (high - low)) as f32;
            let y = frame.max[1] - share * (frame.max[1] - frame.min[1]);
            self.label([x, y], words.as_str(), Anchor::Start)
        };
        ticks.map(label).collect()
    }

    /// Horizontal, all of them: who reads does not turn the page.
    fn titles(&self, frame: &Frame, around: &Around) -> Vec<Item> {
        let (size, edge, color) = (self.text, EDGE * self.text, self.theme.text);
        let title = |pos, words: &str, anchor| text(pos, words, size, Font::Regular, color, anchor);
        let down = |i: usize| LEADING * size * i as f32;
        let mut items = Vec::new();
        for (i, words) in around.y_title.iter().enumerate() {
            let pos = [edge, edge + 0.4 * size + down(i)];
            items.push(title(pos, words, Anchor::Start));
        }
        if let Some(axis) = &self.chart.right {
            let pos = [self.right_end(frame, around), edge + 0.4 * size];
            items.push(title(pos, &axis.title, Anchor::End));
        }
        let middle = 0.5 * (frame.min[0] + frame.max[0]);
        let n_lines = around.x_title.len();
        let first = frame.max[1] + around.bottom - LEADING * size * (n_lines as f32 - 0.5);
        for (i, words) in around.x_title.iter().enumerate() {
            items.push(title([middle, first + down(i)], words, Anchor::Middle));
        }
        items
    }

    /// Where numbers at the right side end.
    fn right_end(&self, frame: &Frame, around: &Around) -> f32 {
        frame.max[0] + around.right - EDGE * self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::ViewKind;
    use crate::scene::chart::confusion_in_print;
    use crate::scene::fonts::extent;
    use crate::scene::sample::{even_weights, fans, snapshot};
    use crate::scene::theme;

    /// Left and right end, middle of the height and words of what is written in a group.
    fn written(scene: &Scene, group: &str) -> Vec<(f32, f32, f32, String)> {
        let groups = scene.groups.iter().filter(|found| found.name == group);
        let items = groups.flat_map(|group| &group.items);
        let words = items.filter_map(|item| match item {
            Item::Text {
                pos,
                text,
                size,
                font,
                anchor,
                ..
            } => {
                let width = extent(text, *font, *size).width;
                let left = match anchor {
                    Anchor::Start => pos[0],
                    Anchor::Middle => pos[0] - 0.5 * width,
                    Anchor::End => pos[0] - width,
                };
                Some((left, left + width, pos[1], text.clone()))
            }
            _ => None,
        });
        words.collect()
    }

    #[test]
    fn long_names_of_columns_do_not_touch_and_stay_on_the_page() {
        let weights = even_weights(10);
        let (features, labels) = fans(&weights, 20, 1.0, 2.0, 0.9);
        let mut snapshot = snapshot("normface", 2, &weights, &features, &labels);
        let names = (0..10).map(|j| format!("golden retriever of the {j}th kind"));
        snapshot.class_names = names.collect::<Vec<_>>().into();
        let chart = confusion_in_print(&snapshot).expect("ten classes");
        let view = ViewState::new(ViewKind::Circle, theme::LIGHT);
        for size in [[479.0, 527.0], [960.0, 540.0]] {
            let scene = chart.figure(&view, size);
            let words = written(&scene, "axes");
            assert_eq!(words.len(), 10 + 10 + 2, "columns, rows and two titles");
            for (i, a) in words.iter().enumerate() {
                assert!(a.0 >= 0.0 && a.1 <= size[0], "{a:?} is off the page");
                for b in &words[i + 1..] {
                    let is_apart = a.1 < b.0 || b.1 < a.0 || (a.2 - b.2).abs() > 10.0;
                    assert!(is_apart, "{a:?} touches {b:?}");
                }
            }
        }
    }

    #[test]
    fn a_legend_that_panels_share_has_every_name_once() {
        let key = |name: &str| Key::of_area(Ink::Accent, 0.5, name);
        let view = ViewState::new(ViewKind::Circle, theme::DARK);
        let keys = [key("a"), key("b"), key("a")];
        let legend = legend_of(&keys, "A note.", &view, 300.0).expect("names");
        let words = written(&legend, "legend").into_iter();
        let words: Vec<String> = words.map(|(_, _, _, words)| words).collect();
        assert_eq!(words, ["a", "b", "A note."]);
        assert_eq!(legend_of(&[], "", &view, 300.0), None);
    }
}
