//! From a run to the scenes of a figure.

use crate::experiment::ViewKind;
use crate::export::{self, ExportError, Format, Length, Sheet, png};
use crate::figure::plots::chart;
use crate::figure::{Film, Motion, Picture, Played, Plot, Recipe, panels};
use crate::loss::Form;
use crate::scene::chart;
use crate::scene::{
    Curves, Group, Item, PlaneView, Scene, Told, Trails, ViewState, WINDOW_SAGITTA, build_with,
    foot_beside, has_formula_room, heading, legend, thousands, weight_factor,
};
use crate::trainer::Snapshot;

/// Points of the canvas in a point of print: text of 12 points, the size of labels, is printed with
/// 6.3, within the 5 to 7 points of journals.
const CANVAS_PER_PT: f64 = 1.9;
/// Pixels in a point of the canvas, where a width is one of a screen.
const PX_PER_CANVAS: f64 = 2.0;
/// Height over width of a figure that is narrow or wide.
const NARROW: f32 = 1.1;
const WIDE: f32 = 0.6;
/// The same of plots with a legend below them.
const NARROW_PLOT: f32 = 0.74;
const WIDE_PLOT: f32 = 0.5;
const SQUARE_WITH_LEGEND: f32 = 1.24;
const WIDE_FROM: f32 = 620.0;
/// Height over width of what stands over a legend, at least.
const LEAST_ROUND: f32 = 0.85;
const LEAST_FLAT: f32 = 0.5;
/// From here on a round picture has its words beside it, as width over height.
const WIDE_OVER_HIGH: f32 = 1.4;
/// Share of the width that words beside a picture take.
pub(super) const LEAST_WORDS: f32 = 0.32;
const MOST_WORDS: f32 = 0.42;

/// The figure at rest: the picture, or the panels of a strip, and the legend below. Of a film its
/// last picture.
pub fn scene(played: &Played, picture: &Picture) -> Scene {
    if picture.strip.is_some() {
        return panels::scene(played, picture);
    }
    let Some(last) = played.moments.last() else {
        return Scene::empty([1.0; 2], picture.theme.theme().ground);
    };
    let frame = Frame::of(played, picture);
    let beside = Beside {
        curves: None,
        trails: &played.trails,
        least_span_deg: 0.0,
    };
    frame.scene(&last.snapshot, beside, "", picture)
}

/// The pictures of a film. Each can be drawn without those before it.
struct Movie<'a> {
    played: &'a Played,
    picture: &'a Picture,
    film: Film,
    frame: Frame,
    /// Of the one moment that an orbit shows: they are the same from all sides.
    curves: Option<Curves>,
}

impl<'a> Movie<'a> {
    fn new(played: &'a Played, picture: &'a Picture, film: Film) -> Self {
        let still = played.last().filter(|_| film.motion == Motion::Orbit);
        Self {
            played,
            picture,
            film,
            frame: Frame::of(played, picture),
            curves: still.map(|last| Curves::of(last, WINDOW_SAGITTA)),
        }
    }

    fn scene(&self, i: usize) -> Scene {
        let moments = &self.played.moments;
        match self.film.motion {
            Motion::Training => {
                let snapshot = &moments[i].snapshot;
                let title = format!("step {}", thousands(snapshot.step));
                let beside = Beside {
                    curves: None,
                    trails: &self.trails_before(i),
                    least_span_deg: 0.0,
                };
                self.frame.scene(snapshot, beside, &title, self.picture)
            }
            Motion::Orbit => {
                let mut frame = self.frame.clone();
                frame.view.sphere = self.film.turned(frame.view.sphere, i);
                let last = &moments[moments.len() - 1].snapshot;
                let beside = Beside {
                    curves: self.curves.as_ref(),
                    trails: &self.played.trails,
                    least_span_deg: 0.0,
                };
                frame.scene(last, beside, "", self.picture)
            }
        }
    }

    /// Where samples were in the pictures before.
    fn trails_before(&self, i: usize) -> Trails {
        let mut trails = Trails::default();
        if self.picture.show.trails {
            let before = &self.played.moments[i.saturating_sub(Trails::LENGTH)..i];
            for moment in before {
                trails.note(&moment.snapshot);
            }
        }
        trails
    }
}

/// The pictures of a film in their order; none where nothing moves.
pub fn scenes(played: &Played, picture: &Picture) -> Vec<Scene> {
    let Some(film) = picture.film else {
        return Vec::new();
    };
    let movie = Movie::new(played, picture, film);
    (0..film.frames).map(|i| movie.scene(i)).collect()
}

/// The figure as a file that carries its recipe. `dots_per_inch` counts where pixels are made of a
/// width on paper.
///
/// # Errors
/// If the picture would be too large.
pub fn file(
    played: &Played,
    recipe: &Recipe,
    format: Format,
    dots_per_inch: f64,
) -> Result<Vec<u8>, ExportError> {
    let text = recipe.to_toml();
    let title = title(played, recipe);
    let picture = &recipe.picture;
    let sheet = Sheet {
        scene: &scene(played, picture),
        width: picture.width,
        dots_per_inch,
        has_ground: !picture.transparent,
        raster_points: picture.raster_points,
        recipe: Some(&text),
        title: Some(&title),
    };
    let Some(film) = picture.film.filter(|_| format.moves()) else {
        return format.write(&sheet);
    };
    let movie = Movie::new(played, picture, film);
    format.write_film(&export::Film {
        n_frames: film.frames,
        frame: &|i| {
            png::pixels(&Sheet {
                scene: &movie.scene(i),
                ..sheet
            })
        },
        timing: film.timing(),
        recipe: sheet.recipe,
    })
}

/// What readers call a document that shows it: what is drawn, of what, and when.
fn title(played: &Played, recipe: &Recipe) -> String {
    let picture = &recipe.picture;
    let experiment = &recipe.experiment;
    let what = match picture.plot {
        Plot::Features => experiment.view_kind().id().to_owned(),
        plot => plot.id().replace('-', " "),
    };
    let step = played.last().map_or(0, |last| last.step);
    let over = picture.strip.as_ref().map_or_else(
        || format!("step {}", thousands(step)),
        |strip| format!("over {}", strip.key),
    );
    let loss = experiment.loss.spec.name;
    format!("{loss} on {}, {what}, {over}", experiment.data.source.id())
}

/// The letters of class names and columns that no font of this machine has, of a picture in which
/// they are drawn here: an SVG leaves them to its reader.
pub fn missing_letters(played: &Played, recipe: &Recipe, format: Format) -> String {
    let snapshots = || {
        let moments = played.moments.iter().filter(|_| format != Format::Svg);
        moments.map(|moment| &moment.snapshot)
    };
    let classes = snapshots().flat_map(|snapshot| snapshot.data.class_names.iter());
    let has_axes = recipe.experiment.view_kind() == ViewKind::Input;
    let planes = snapshots().filter_map(|snapshot| snapshot.input_plane.as_ref());
    let columns = planes
        .filter(|_| has_axes)
        .flat_map(|plane| plane.columns.iter());
    let names = classes.chain(columns.map(|column| &column.name));
    export::missing_letters(names.map(String::as_str))
}

/// Whether its losses have what its plot shows: a class weight to have an angle to.
///
/// # Errors
/// Why not, in words.
pub fn check_plot(recipe: &Recipe) -> Result<(), String> {
    let plot = recipe.picture.plot;
    let needs_angle = matches!(plot, Plot::Psi | Plot::MarginMap);
    let panels = recipe
        .picture
        .strip
        .as_ref()
        .map(|strip| strip.panels(&recipe.experiment));
    let panels = panels.and_then(Result::ok).unwrap_or_default(); // told when it was set
    let experiments = panels.iter().map(|panel| &panel.experiment);
    let mut experiments = experiments.chain([&recipe.experiment]);
    match experiments.find(|e| needs_angle && e.loss.spec.form == Form::Binary) {
        Some(experiment) => Err(format!(
            "{} shows angles to class weights, and loss \"{}\" has one weight for both classes; choose another loss or view",
            plot.id(),
            experiment.loss.spec.id
        )),
        None => Ok(()),
    }
}

/// Whether a figure of its pixels could be written, told before its steps are made. Of a strip only
/// its panels' number says how high it is: there it is told when it is drawn.
///
/// # Errors
/// If the picture would have no pixel or too many.
pub fn check_size(recipe: &Recipe, format: Format, dots_per_inch: f64) -> Result<(), ExportError> {
    let picture = &recipe.picture;
    if matches!(format, Format::Svg | Format::Pdf) || picture.strip.is_some() {
        return Ok(());
    }
    let size = picture.canvas.unwrap_or_else(|| canvas(picture));
    let empty = Scene::empty(size, picture.theme.theme().ground);
    let sheet = Sheet {
        width: picture.width,
        dots_per_inch,
        ..Sheet::of(&empty)
    };
    png::size(&sheet).map(drop)
}

/// The figure as pixels: width and height, and red, green, blue and opacity of each.
///
/// # Errors
/// If the picture would be too large.
pub fn pixels(played: &Played, picture: &Picture) -> Result<([usize; 2], Vec<u8>), ExportError> {
    let scene = scene(played, picture);
    let pixmap = png::pixels(&Sheet {
        width: picture.width,
        has_ground: !picture.transparent,
        ..Sheet::of(&scene)
    })?;
    let size = [pixmap.width() as usize, pixmap.height() as usize];
    Ok((size, pixmap.take_demultiplied()))
}

/// What is known of a moment besides its snapshot.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// Of this very snapshot, where they are there already.
    pub(super) curves: Option<&'a Curves>,
    /// Where its samples were before.
    pub(super) trails: &'a Trails,
    /// What the axes of a margin map reach to at least, in degrees.
    pub(super) least_span_deg: f64,
}

/// What all pictures of a film have in common.
#[derive(Clone)]
struct Frame {
    size: [f32; 2],
    view: ViewState,
}

impl Frame {
    fn of(played: &Played, picture: &Picture) -> Self {
        let size = picture.canvas.unwrap_or_else(|| canvas(picture));
        let kind = played
            .last()
            .map_or(ViewKind::Circle, |last| last.experiment.view_kind());
        let mut view = picture.view(kind);
        if picture.canvas.is_none() {
            view.unit = view.unit.or_else(|| unit(picture));
            // Of a formula that is left out no room is kept.
            let mut moments = played.moments.iter();
            view.show.formula &=
                moments.any(|moment| has_formula_room(&moment.snapshot, &view, size));
        }
        let mut frame = Self { size, view };
        frame.size[1] = frame.size[1].max(frame.least_height(played, picture));
        if kind == ViewKind::Plane && picture.units_per_pt.is_none() {
            let moments = played.moments.iter();
            let fitted = moments.map(|moment| frame.fitted(&moment.snapshot, picture));
            if let Some(plane) = widest(fitted) {
                frame.view.plane = plane;
            }
        }
        frame
    }

    /// What a narrow figure needs besides its legend, which has many rows there; 0 for others.
    fn least_height(&self, played: &Played, picture: &Picture) -> f32 {
        let [width, _] = self.size;
        let is_narrow = picture.canvas.is_none() && width < WIDE_FROM;
        let Some(last) = played.last().filter(|_| is_narrow) else {
            return 0.0;
        };
        let beside = Beside {
            curves: None,
            trails: &played.trails,
            least_span_deg: 0.0,
        };
        let legend = if let Some(chart) = chart(last, beside, picture) {
            chart::legend_of(&chart.keys, &chart.note, &self.view, width)
        } else {
            let longest = [long_factor(last, &self.view)];
            let panel = [(&**last, &self.view)];
            shown_legend(
                &panel,
                picture,
                width,
                &longest,
                self.has_formula(last, self.size),
            )
        };
        let share = match picture.plot {
            Plot::Psi | Plot::Curves | Plot::Histogram => LEAST_FLAT,
            Plot::Features | Plot::MarginMap | Plot::Confusion => LEAST_ROUND,
        };
        share * width + legend.map_or(0.0, |legend| legend.size[1])
    }

    /// The plane that shows a snapshot whole, in the room that its words leave.
    fn fitted(&self, snapshot: &Snapshot, picture: &Picture) -> PlaneView {
        let above = if moves_with_steps(picture) {
            heading("step", &self.view, self.size[0]).size[1]
        } else {
            0.0
        };
        let room = [self.size[0], (self.size[1] - above).max(1.0)];
        let longest = [long_factor(snapshot, &self.view)];
        if self.has_words_beside(picture) {
            let curves = Curves::of(snapshot, WINDOW_SAGITTA);
            let words = self.words(snapshot, &curves, picture, room[0], &longest);
            return fitted(&self.wordless(), snapshot, words.left(room));
        }
        let panel = [(snapshot, &self.view)];
        let has_formula = self.has_formula(snapshot, room);
        let legend = shown_legend(&panel, picture, room[0], &longest, has_formula);
        let below = legend.map_or(0.0, |legend| legend.size[1]);
        fitted(&self.view, snapshot, [room[0], (room[1] - below).max(1.0)])
    }

    /// The picture under its title, where it has one, over its legend or beside its words.
    fn scene(
        &self,
        snapshot: &Snapshot,
        beside: Beside<'_>,
        title: &str,
        picture: &Picture,
    ) -> Scene {
        let mut whole = Scene::empty(self.size, self.view.theme.ground);
        let mut top = 0.0;
        if !title.is_empty() {
            let title = heading(title, &self.view, self.size[0]);
            top = title.size[1];
            whole.place(0, title, [0.0; 2], 1.0);
        }
        let is_missing = beside.curves.is_none() && picture.plot == Plot::Features;
        let computed = is_missing.then(|| Curves::of(snapshot, WINDOW_SAGITTA));
        let curves = beside.curves.or(computed.as_ref());
        let beside = Beside { curves, ..beside };
        let room = [self.size[0], (self.size[1] - top).max(1.0)];
        let body = match beside.curves {
            Some(curves) if self.has_words_beside(picture) => {
                self.beside_words(snapshot, curves, beside, picture, room)
            }
            _ => self.over_legend(snapshot, beside, picture, room),
        };
        if top == 0.0 {
            return body;
        }
        whole.place(0, body, [0.0, top], 1.0);
        whole
    }

    /// Whether there is room at the sides: of a picture that is as wide as high, and of a slide.
    fn has_words_beside(&self, picture: &Picture) -> bool {
        let is_laid_out = picture.canvas.is_none() || picture.is_slide();
        let has_room = self.view.kind != ViewKind::Plane || picture.is_slide();
        is_laid_out && has_room && self.size[0] > WIDE_OVER_HIGH * self.size[1]
    }

    /// Whether the formula stands in the picture.
    fn has_formula(&self, snapshot: &Snapshot, size: [f32; 2]) -> bool {
        self.view.show.formula && has_formula_room(snapshot, &self.view, size)
    }

    /// The view of a picture that has its words beside it.
    fn wordless(&self) -> ViewState {
        let mut view = self.view.clone();
        (view.show.formula, view.show.note) = (false, false);
        view
    }

    fn over_legend(
        &self,
        snapshot: &Snapshot,
        beside: Beside<'_>,
        picture: &Picture,
        room: [f32; 2],
    ) -> Scene {
        let panel = [(snapshot, &self.view)];
        let has_formula = self.has_formula(snapshot, room);
        let legend = |factor| shown_legend(&panel, picture, room[0], &[factor], has_formula);
        // By how much arrows are longer depends on the room that the legend leaves.
        let Some(reserved) = legend(long_factor(snapshot, &self.view)) else {
            return drawn(snapshot, beside, &self.view, picture, room);
        };
        let size = [room[0], (room[1] - reserved.size[1]).max(1.0)];
        let factor = weight_factor(snapshot, &self.view, size);
        let mut drawn = drawn(snapshot, beside, &self.view, picture, size);
        keep_within(&mut drawn);
        let mut whole = Scene::empty(room, self.view.theme.ground);
        whole.place(0, drawn, [0.0; 2], 1.0);
        if let Some(legend) = legend(factor) {
            whole.place(0, legend, [0.0, size[1]], 1.0);
        }
        whole
    }

    /// Formula, sentence and legend at the left, the picture as high as the room at the right.
    fn beside_words(
        &self,
        snapshot: &Snapshot,
        curves: &Curves,
        beside: Beside<'_>,
        picture: &Picture,
        room: [f32; 2],
    ) -> Scene {
        let words =
            |factors: &[Option<f64>]| self.words(snapshot, curves, picture, room[0], factors);
        let view = self.wordless();
        let size = words(&[long_factor(snapshot, &view)]).left(room);
        let factor = weight_factor(snapshot, &view, size);
        let mut drawn = drawn(snapshot, beside, &view, picture, size);
        keep_within(&mut drawn);
        let mut whole = Scene::empty(room, view.theme.ground);
        whole.place(0, drawn, [room[0] - size[0], 0.0], 1.0);
        words(&[factor]).place_on(&mut whole);
        whole
    }

    fn words(
        &self,
        snapshot: &Snapshot,
        curves: &Curves,
        picture: &Picture,
        width: f32,
        factors: &[Option<f64>],
    ) -> Words {
        let foot = foot_beside(snapshot, curves, &self.view, MOST_WORDS * width);
        let foot_width = foot.as_ref().map_or(0.0, |foot| foot.size[0]);
        let width = foot_width.max(LEAST_WORDS * width);
        let is_formula = |group: &Group| group.name == "formula" && !group.items.is_empty();
        let has_formula = foot.iter().any(|foot| foot.groups.iter().any(is_formula));
        let panel = [(snapshot, &self.view)];
        let legend = shown_legend(&panel, picture, width, factors, has_formula);
        Words {
            width,
            parts: foot.into_iter().chain(legend).collect(),
        }
    }
}

/// What stands at the left of a picture, one below the other.
struct Words {
    width: f32,
    parts: Vec<Scene>,
}

impl Words {
    /// What is left of a room.
    fn left(&self, room: [f32; 2]) -> [f32; 2] {
        let width = if self.parts.is_empty() {
            0.0
        } else {
            self.width
        };
        [(room[0] - width).max(1.0), room[1]]
    }

    /// At half the height.
    fn place_on(self, whole: &mut Scene) {
        let height: f32 = self.parts.iter().map(|part| part.size[1]).sum();
        let mut top = (0.5 * (whole.size[1] - height)).max(0.0);
        for part in self.parts {
            let below = top + part.size[1];
            whole.place(0, part, [0.0, top], 1.0);
            top = below;
        }
    }
}

/// A factor with as many digits as one has, where arrows have one: for the room that a legend takes.
pub(super) fn long_factor(snapshot: &Snapshot, view: &ViewState) -> Option<f64> {
    const LONG: f64 = 0.0015;
    weight_factor(snapshot, view, [1.0; 2]).map(|_| LONG)
}

pub(super) fn moves_with_steps(picture: &Picture) -> bool {
    let film = picture.film.as_ref();
    film.is_some_and(|film| film.motion == Motion::Training)
}

/// One view or one chart on its own.
pub(super) fn drawn(
    snapshot: &Snapshot,
    beside: Beside<'_>,
    view: &ViewState,
    picture: &Picture,
    size: [f32; 2],
) -> Scene {
    if let Some(mut chart) = chart(snapshot, beside, picture) {
        if picture.strip.is_some() {
            (chart.keys, chart.note) = (Vec::new(), String::new()); // below all panels
        }
        return chart.figure(view, size);
    }
    let computed;
    let curves = if let Some(curves) = beside.curves {
        curves
    } else {
        computed = Curves::of(snapshot, WINDOW_SAGITTA);
        &computed
    };
    build_with(snapshot, curves, Some(beside.trails), view, size)
}

/// Of one panel or several; `weight_factors` has one for each. In a film margins would be told to rise
/// in its first pictures alone, and what is below them would jump.
pub(super) fn shown_legend(
    panels: &[(&Snapshot, &ViewState)],
    picture: &Picture,
    width: f32,
    weight_factors: &[Option<f64>],
    has_formula: bool,
) -> Option<Scene> {
    let panels = panels.iter().zip(weight_factors);
    let panels = panels.map(|(&(snapshot, view), &weight_factor)| Told {
        snapshot,
        view,
        weight_factor,
        is_moment: !moves_with_steps(picture),
        has_formula,
    });
    let panels: Vec<Told<'_>> = panels.filter(|told| told.view.show.legend).collect();
    let is_shown = picture.plot == Plot::Features;
    is_shown.then(|| legend(&panels, width)).flatten()
}

/// The plane that shows a snapshot whole.
pub(super) fn fitted(view: &ViewState, snapshot: &Snapshot, size: [f32; 2]) -> PlaneView {
    let mut view = view.clone();
    let _ = view.fit(snapshot, size); // whether it moved does not matter
    view.plane
}

/// The plane that shows most.
pub(super) fn widest(planes: impl Iterator<Item = PlaneView>) -> Option<PlaneView> {
    planes.max_by(|a, b| a.units_per_pt.total_cmp(&b.units_per_pt))
}

/// Leaves out dots across the edge: they would lie in the panel beside, or on its title.
pub(super) fn keep_within(scene: &mut Scene) {
    let size = scene.size;
    let items = scene.groups.iter_mut().flat_map(|group| &mut group.items);
    for item in items {
        if let Item::Dots { dots, radius } = item {
            let is_within = |x: f32, side: f32| (*radius..=side - *radius).contains(&x);
            dots.retain(|dot| (0..2).all(|axis| is_within(dot.center[axis], size[axis])));
        }
    }
}

/// Points of a canvas in a point of print.
pub(super) fn canvas_per_pt(picture: &Picture) -> f32 {
    let canvas = picture.canvas.map(|canvas| f64::from(canvas[0]));
    canvas.map_or(CANVAS_PER_PT, |width| width / picture.width.pt()) as f32
}

/// Points of a canvas on which text of labels has its size in print, or on a screen.
pub fn canvas_width(width: Length) -> f32 {
    let points = match width {
        Length::Millimeters(_) => CANVAS_PER_PT * width.pt(),
        Length::Pixels(px) => px / PX_PER_CANVAS,
    };
    points as f32
}

/// Width and height that suit a width.
pub(super) fn canvas(picture: &Picture) -> [f32; 2] {
    let width = canvas_width(picture.width);
    let aspect = match picture.plot {
        Plot::MarginMap if width < WIDE_FROM => SQUARE_WITH_LEGEND,
        Plot::Features | Plot::Confusion if width < WIDE_FROM => NARROW,
        Plot::Psi | Plot::Curves | Plot::Histogram if width < WIDE_FROM => NARROW_PLOT,
        Plot::Psi | Plot::Curves | Plot::Histogram => WIDE_PLOT,
        Plot::Features | Plot::MarginMap | Plot::Confusion => WIDE,
    };
    [width, (width * aspect).round()]
}

/// On paper text has one size, however wide the figure is; on a small screen it is smaller, in the
/// picture as in its legend.
fn unit(picture: &Picture) -> Option<f32> {
    const WHOLE: f32 = 760.0;
    match picture.width {
        Length::Millimeters(_) => Some(1.0),
        Length::Pixels(_) if picture.plot == Plot::Features => {
            Some((canvas_width(picture.width) / WHOLE).clamp(0.6, 1.0))
        }
        Length::Pixels(_) => None,
    }
}
