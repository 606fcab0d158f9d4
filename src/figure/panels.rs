//! Panels of a strip on one page: in rows, each under its title, with one legend for all.

use crate::experiment::ViewKind;
use crate::figure::align::turned_onto;
use crate::figure::draw::{
    Beside, LEAST_WORDS, canvas, drawn, fitted, keep_within, long_factor, shown_legend, widest,
};
use crate::figure::plots::{chart, chart_notes, pair};
use crate::figure::{Moment, Picture, Played, Plot, Scale, Strip};
use crate::scene::chart::{self, Chart};
use crate::scene::{Scene, Trails, ViewState, heading, weight_factor};
use crate::trainer::Snapshot;

/// A panel of a strip is not narrower than this, in points of the canvas.
const LEAST_PANEL: f32 = 150.0;
/// Text and lines of a panel, as a share of those of a picture alone: five points in print.
const PANEL_UNIT: f32 = 0.8;
/// So many panels stand in several rows of a slide, with their legend beside them.
const MANY_PANELS: usize = 4;
/// Free space between panels, in points of the canvas.
const BETWEEN: f32 = 10.0;

/// Panels in rows, each under its title, and one legend for all.
pub(super) fn scene(played: &Played, picture: &Picture) -> Scene {
    let theme = picture.theme.theme();
    if played.moments.is_empty() {
        return Scene::empty([1.0; 2], theme.ground);
    }
    let moments = aligned(&played.moments, picture.strip.as_ref());
    // Maps compare where all are of one pair.
    let first = || pair(&moments[0].snapshot, picture);
    let one_pair = (picture.plot == Plot::MarginMap).then(first);
    let picture = &Picture {
        pair: one_pair.or(picture.pair),
        ..picture.clone()
    };
    if picture.plot == Plot::Psi {
        return curves_together(&moments, picture);
    }
    let width = picture
        .canvas
        .map_or_else(|| canvas(picture)[0], |canvas| canvas[0]);
    let mut views: Vec<ViewState> = moments.iter().map(|m| panel_view(picture, m)).collect();
    let room = StripRoom::new(&moments, &views, picture, width);
    let titles: Vec<&str> = moments.iter().map(|m| m.title.as_str()).collect();
    let grid = Grid::new(&titles, room.of_panels, picture, room.below, &views[0]);
    fit_panels(&moments, &mut views, picture, grid.panel);
    let factors = moments.iter().zip(&views);
    let factors = factors.map(|(m, view)| weight_factor(&m.snapshot, view, grid.panel));
    let factors: Vec<_> = factors.collect();
    let legend = strip_legend(&moments, &views, picture, room.of_legend, &factors);
    let height = grid.height(room.below);
    let mut whole = Scene::empty([width, height], theme.ground);
    let beside = Beside {
        curves: None,
        trails: &Trails::default(), // panels have none
        least_span_deg: widest_span_deg(&moments, picture),
    };
    for (i, (moment, view)) in moments.iter().zip(&views).enumerate() {
        let [x, y] = grid.at(i);
        let title = panel_heading(&moment.title, view, grid.panel[0]);
        let title_at = [x, y + grid.title - title.size[1]]; // beside the picture
        let picture_at = [x, y + grid.title];
        let mut drawn = drawn(&moment.snapshot, beside, view, picture, grid.panel);
        keep_within(&mut drawn);
        whole.place(i + 1, title, title_at, 1.0);
        whole.place(i + 1, drawn, picture_at, 1.0);
    }
    if let Some(legend) = legend {
        let at = if room.is_beside {
            [room.of_panels, (0.5 * (height - legend.size[1])).max(0.0)]
        } else {
            [0.0, grid.height(0.0)]
        };
        whole.place(0, legend, at, 1.0);
    }
    whole
}

/// How panels and their legend share a page.
struct StripRoom {
    /// Whether the legend stands beside the panels.
    is_beside: bool,
    /// Widths.
    of_panels: f32,
    of_legend: f32,
    /// What the legend takes below the panels.
    below: f32,
}

impl StripRoom {
    fn new(moments: &[Moment], views: &[ViewState], picture: &Picture, width: f32) -> Self {
        let is_beside = picture.is_slide() && moments.len() >= MANY_PANELS;
        let of_legend = if is_beside {
            LEAST_WORDS * width
        } else {
            width
        };
        let long = moments.iter().zip(views);
        let long: Vec<_> = long
            .map(|(m, view)| long_factor(&m.snapshot, view))
            .collect();
        let reserved = strip_legend(moments, views, picture, of_legend, &long);
        let [beside, below] = reserved.map_or([0.0; 2], |legend| legend.size);
        let (of_panels, below) = if is_beside {
            (width - beside, 0.0)
        } else {
            (width, below)
        };
        Self {
            is_beside,
            of_panels,
            of_legend,
            below,
        }
    }
}

/// Curves compare best on one another: target logits share a plot.
fn curves_together(moments: &[Moment], picture: &Picture) -> Scene {
    let size = picture.canvas.unwrap_or_else(|| canvas(picture));
    let heads = moments.iter();
    let heads = heads.map(|moment| (&moment.snapshot.head, moment.title.as_str()));
    let heads: Vec<_> = heads.collect();
    let view = picture.view(ViewKind::Circle); // plots have none
    let mut chart = chart::psi_together(&heads);
    let spec = &moments[0].snapshot.head.spec;
    if moments
        .iter()
        .all(|moment| moment.snapshot.head.spec == *spec)
    {
        chart.note = format!("{}.", spec.name); // else it is in the curves' names
    }
    chart.figure(&view, size)
}

/// What is drawn in any of the panels. Its text is as large as that of a picture alone.
fn strip_legend(
    moments: &[Moment],
    views: &[ViewState],
    picture: &Picture,
    width: f32,
    weight_factors: &[Option<f64>],
) -> Option<Scene> {
    if picture.plot != Plot::Features {
        return legend_of_charts(moments, picture, width);
    }
    let views = views.iter().map(|view| ViewState {
        unit: Some(view.unit.unwrap_or(1.0) / PANEL_UNIT),
        ..view.clone()
    });
    let views: Vec<ViewState> = views.collect();
    let panels = moments.iter().map(|moment| &*moment.snapshot);
    let panels: Vec<_> = panels.zip(&views).collect();
    shown_legend(&panels, picture, width, weight_factors, false)
}

/// What is drawn in any of the panels.
fn legend_of_charts(moments: &[Moment], picture: &Picture, width: f32) -> Option<Scene> {
    let beside = Beside {
        curves: None,
        trails: &Trails::default(),
        least_span_deg: widest_span_deg(moments, picture),
    };
    let charts = moments.iter();
    let charts = charts.filter_map(|moment| chart(&moment.snapshot, beside, picture));
    let charts: Vec<Chart> = charts.collect();
    let keys: Vec<_> = charts.iter().flat_map(|chart| chart.keys.clone()).collect();
    let counts: Vec<usize> = charts.iter().map(|chart| chart.n_beyond).collect();
    let snapshots: Vec<&Snapshot> = moments.iter().map(|moment| &*moment.snapshot).collect();
    let notes = chart_notes(&snapshots, &counts, picture);
    let view = picture.view(ViewKind::Circle); // plots have none
    chart::legend_of(&keys, &notes, &view, width)
}

/// The runs of panels, turned onto the first; moments of one run onto the last, for at first chance
/// decides where classes lie.
fn aligned(moments: &[Moment], strip: Option<&Strip>) -> Vec<Moment> {
    let is_over_time = strip.is_some_and(Strip::is_over_time);
    let by_step = |&i: &usize| {
        if is_over_time {
            moments[i].snapshot.step
        } else {
            0
        }
    };
    let at = (0..moments.len()).rev().max_by_key(by_step).unwrap_or(0);
    let turned = |(i, moment): (usize, &Moment)| {
        let mut moment = moment.clone();
        if i != at {
            moment.snapshot = turned_onto(&moments[at].snapshot, &moment.snapshot).into();
        }
        moment
    };
    moments.iter().enumerate().map(turned).collect()
}

/// A panel says over itself what differs; the formula and the sentence are for a picture alone.
fn panel_view(picture: &Picture, moment: &Moment) -> ViewState {
    let mut view = picture.view(moment.snapshot.experiment.view_kind());
    view.show.formula = false;
    view.show.note = false;
    view.unit = Some(PANEL_UNIT * view.unit.unwrap_or(1.0));
    view
}

fn panel_heading(title: &str, view: &ViewState, width: f32) -> Scene {
    let unit = view.unit.map(|unit| unit / PANEL_UNIT);
    heading(
        title,
        &ViewState {
            unit,
            ..view.clone()
        },
        width,
    )
}

/// Gives the planes of all panels one scale, or each its own.
fn fit_panels(moments: &[Moment], views: &mut [ViewState], picture: &Picture, size: [f32; 2]) {
    if picture.units_per_pt.is_some() {
        return;
    }
    for (view, moment) in views.iter_mut().zip(moments) {
        view.plane = fitted(view, &moment.snapshot, size);
    }
    let scale = picture.strip.as_ref().map(|strip| strip.scale);
    let planes = views.iter().filter(|view| view.kind == ViewKind::Plane);
    if let Some(widest) = widest(planes.map(|view| view.plane))
        && scale == Some(Scale::Common)
    {
        for view in views {
            view.plane = widest;
        }
    }
}

/// Where the panels of a strip lie.
struct Grid {
    n_columns: usize,
    n_rows: usize,
    /// Width and height of a panel without its title.
    panel: [f32; 2],
    title: f32,
}

impl Grid {
    fn new(titles: &[&str], width: f32, picture: &Picture, below: f32, view: &ViewState) -> Self {
        let n = titles.len();
        let n_columns = if picture.is_slide() && n >= MANY_PANELS {
            (n as f32).sqrt().ceil() as usize
        } else {
            let fitting = ((width + BETWEEN) / (LEAST_PANEL + BETWEEN)).max(1.0) as usize;
            n.div_ceil(n.div_ceil(fitting))
        };
        let n_rows = n.div_ceil(n_columns);
        let gaps = BETWEEN * (n_columns - 1) as f32;
        let panel_width = (width - gaps) / n_columns as f32;
        let titles = titles.iter();
        let heights = titles.map(|title| panel_heading(title, view, panel_width).size[1]);
        let title = heights.fold(0.0, f32::max);
        let panel_height = match picture.canvas {
            Some([_, height]) => ((height - below) / n_rows as f32 - title - BETWEEN).max(1.0),
            None => panel_height(picture, panel_width),
        };
        Self {
            n_columns,
            n_rows,
            panel: [panel_width, panel_height],
            title,
        }
    }

    fn at(&self, i: usize) -> [f32; 2] {
        let (row, column) = (i / self.n_columns, i % self.n_columns);
        [
            column as f32 * (self.panel[0] + BETWEEN),
            row as f32 * (self.title + self.panel[1] + BETWEEN),
        ]
    }

    /// With so much below the panels.
    fn height(&self, below: f32) -> f32 {
        self.n_rows as f32 * (self.title + self.panel[1] + BETWEEN) + below
    }
}

/// What the axes of all margin maps of a strip reach to, in degrees; 0 for other plots.
fn widest_span_deg(moments: &[Moment], picture: &Picture) -> f64 {
    if picture.plot != Plot::MarginMap {
        return 0.0;
    }
    let maps = moments.iter().map(|moment| {
        let pair = pair(&moment.snapshot, picture);
        chart::margin_map(&moment.snapshot, pair).x.span[1]
    });
    maps.fold(0.0, f64::max)
}

/// Of a panel as wide as this. What is written at the axes of a plot takes the same height in a narrow
/// one.
fn panel_height(picture: &Picture, width: f32) -> f32 {
    const LEAST_PLOT: f32 = 170.0;
    match picture.plot {
        Plot::Features => width,
        Plot::MarginMap | Plot::Confusion => 1.2 * width,
        Plot::Psi | Plot::Curves | Plot::Histogram => (0.8 * width).max(LEAST_PLOT),
    }
}
