//! `marginscope render`: a figure without a window.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use clap::Args;

use crate::cli::progress::{interrupt_flag, progress_bar};
use crate::cli::sheet::{SheetOptions, format_of, unknown};
use crate::cli::{Failure, Launch, RunOptions, output, reading};
use crate::experiment::ViewKind;
use crate::export::{self, Format, Length};
use crate::figure::{self, Film, Played, Plot, Recipe, Scale, Strip, StripError, gallery};
use crate::scene::Trails;
use crate::trainer::{Session, Snapshot, Subset, Trainer};

pub(super) const EXAMPLES: &str = "\
Examples:
  marginscope render --loss arcface --out fig.pdf             three epochs, two columns wide
  marginscope render --dim 3 --width 89mm --out fig.svg       a sphere, one column wide
  marginscope render fig.pdf --theme dark --out slide.png     a figure again, for a slide
  marginscope render --loss cosface --view psi --out psi.svg  a plot alone
  marginscope render --loss arcface --out run.gif             the training as a film
  marginscope render --dim 3 --orbit 60 --out sphere.apng     once around the sphere
  marginscope render --loss arcface --strip margin=0,0.3,0.5 --out strip.pdf
  marginscope render gallery:center-loss --out fig.pdf        a figure of a paper; gallery: lists them";

/// Options of `render`.
#[derive(Args, Clone, Debug)]
pub struct RenderOptions {
    #[command(flatten)]
    pub(super) run: RunOptions,
    /// Where the figure goes; the name's end says what it is.
    #[arg(long, value_name = "FIG.svg|.pdf|.png|.gif|.apng")]
    pub(super) out: Option<PathBuf>,
    /// What is drawn: plane, circle, sphere, input, psi, margin-map, curves, confusion, histogram.
    #[arg(long, value_name = "VIEW")]
    pub(super) view: Option<String>,
    #[command(flatten)]
    pub(super) sheet: SheetOptions,
    /// Samples as pixels inside an SVG or PDF: a page with many opens and prints faster.
    #[arg(long)]
    pub(super) raster_points: bool,
    /// Panels in one figure: a field and its values, such as margin=0:0.5:0.1, or step and some steps;
    /// turned onto the first, or the last step.
    #[arg(long, value_name = "KEY=A,B,C", conflicts_with_all = ["orbit", "frames"])]
    pub(super) strip: Option<String>,
    /// Draw the features of each panel as large as fits, in the place of one scale for all.
    #[arg(long, requires = "strip")]
    pub(super) own_scales: bool,
    /// Film of the sphere in N pictures, 2 to 1200, once around.
    #[arg(long, value_name = "N")]
    pub(super) orbit: Option<usize>,
    /// Pictures of a film of the training, 24 to 1200 (default: 48).
    #[arg(long, value_name = "N", conflicts_with = "orbit")]
    pub(super) frames: Option<usize>,
    /// How long a picture of a film is seen, in milliseconds, 20 to 10000 (default: 80, orbit 60).
    #[arg(long, value_name = "MS")]
    pub(super) delay: Option<u16>,
}

/// Width of a film for which none is given, in pixels.
const FILM_WIDTH: Length = Length::Pixels(800.0);

pub(super) fn run(options: &RenderOptions) -> Result<ExitCode, Failure> {
    let Some(out) = &options.out else {
        return list_gallery(options);
    };
    let format = format_of("--out", out)?;
    make(options, &options.run.launch()?, out, format)
}

/// `render gallery:` alone asks which figures there are; anything else asks for a figure.
fn list_gallery(options: &RenderOptions) -> Result<ExitCode, Failure> {
    let name = options.run.file.as_deref().and_then(gallery::name_in);
    if name != Some("") {
        let words = "--out is missing: where the figure goes, such as --out fig.pdf";
        return Err(Failure::Usage(words.to_owned()));
    }
    let exhibits = gallery::exhibits().iter();
    let lines = exhibits.map(|exhibit| format!("{:<26} {}", exhibit.path(), exhibit.about.title));
    super::print(&lines.collect::<Vec<_>>().join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// The figure of a run.
pub(super) fn make(
    options: &RenderOptions,
    launch: &Launch,
    out: &Path,
    format: Format,
) -> Result<ExitCode, Failure> {
    let mut recipe = launch.opened.recipe.clone();
    options.apply(&mut recipe, format)?;
    check_out(out)?;
    let dots_per_inch = options.sheet.dots_per_inch();
    figure::check_size(&recipe, format, dots_per_inch).map_err(anyhow::Error::from)?;
    let played = play(&mut recipe, launch, options.run.has_length())?;
    if recipe.picture.strip.is_none() {
        recipe.picture.step = played.last().map(|last| last.step);
    }
    let recipe = recipe.kept_in(out);
    let bytes =
        figure::file(&played, &recipe, format, dots_per_inch).map_err(anyhow::Error::from)?;
    let name = out.display();
    export::write_beside(out, &bytes).with_context(|| format!("cannot write {name}"))?;
    reading::tell_findings(&recipe.experiment);
    let missing = figure::missing_letters(&played, &recipe, format);
    if !missing.is_empty() {
        super::warn(&format!(
            "no font of this machine has {missing}, which are boxes in {name}; install one, or write an SVG"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the steps, with a bar while it lasts; none where a session stands at the very moment.
fn play(recipe: &mut Recipe, launch: &Launch, is_length_given: bool) -> Result<Played, Failure> {
    if let Some(session) = &launch.opened.session {
        let trainer = launch.trainer()?;
        recipe.experiment = trainer.recipe();
        recipe.picture.endless = session.is_endless();
        let length = || recipe.experiment.n_steps(trainer.data().train.len());
        let step = recipe.picture.step;
        recipe.picture.step = step
            .or_else(|| is_length_given.then(length))
            .or(Some(session.step()));
        if is_moment(recipe, session) {
            return Ok(moment(recipe, &trainer, session));
        }
    }
    let interrupted = interrupt_flag();
    let mut bar = None;
    let played = figure::replay(recipe, launch.n_threads, |step, n_steps| {
        let bar = bar.get_or_insert_with(|| progress_bar(n_steps));
        bar.set_length(n_steps);
        bar.set_position(step);
        !interrupted.load(Ordering::Relaxed)
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(played.map_err(anyhow::Error::from)?)
}

/// Whether a session has all that the picture shows. It keeps no trails, and of a run without a
/// window no accuracies.
fn is_moment(recipe: &Recipe, session: &Session) -> bool {
    let picture = &recipe.picture;
    let has_curves = !session.history.accuracies().is_empty();
    picture.step == Some(session.step())
        && picture.strip.is_none()
        && picture.film.is_none()
        && !picture.show.trails
        && (picture.plot != Plot::Curves || has_curves)
}

fn moment(recipe: &mut Recipe, trainer: &Trainer, session: &Session) -> Played {
    let mut snapshot = Snapshot::of(trainer, recipe.picture.samples);
    snapshot.history = session.history.clone();
    if recipe.picture.plot == Plot::Curves {
        recipe.picture.accuracy = session.history.accuracies();
    }
    Played::still(snapshot.into(), Trails::default())
}

/// What cannot be written is told before the steps are made.
fn check_out(out: &Path) -> Result<(), Failure> {
    output::check_folder(out)?;
    let name = out.display();
    export::check_writable(out).with_context(|| format!("cannot write {name}"))?;
    Ok(())
}

impl RenderOptions {
    /// What differs from the recipe's own picture.
    fn apply(&self, recipe: &mut Recipe, format: Format) -> Result<(), Failure> {
        if let Some(text) = &self.view {
            set_view(recipe, text)?; // before the width, which may come with a canvas
        }
        let picture = &mut recipe.picture;
        if self.run.has_length() {
            picture.step = None; // the experiment's length says it now
        }
        if recipe.experiment.is_given() && picture.samples == Subset::default() {
            picture.samples = Subset::of_given(recipe.experiment.network.dim); // all that fit
        }
        if format.moves()
            && !self.sheet.has_width()
            && matches!(picture.width, Length::Millimeters(_))
        {
            *picture = std::mem::take(picture).of_width(FILM_WIDTH);
        }
        self.sheet.check(format)?;
        if self.raster_points && !matches!(format, Format::Svg | Format::Pdf) {
            let words = "--raster-points is of .svg and .pdf; other figures are pixels anyway";
            return Err(Failure::Usage(words.to_owned()));
        }
        self.sheet.apply(picture)?;
        picture.raster_points |= self.raster_points;
        self.set_strip(recipe)?;
        figure::check_plot(recipe).map_err(|fault| Failure::Usage(format!("--view {fault}")))?;
        self.set_film(recipe, format)
    }

    fn set_strip(&self, recipe: &mut Recipe) -> Result<(), Failure> {
        let usage = |error: StripError| Failure::Usage(format!("--strip: {error}"));
        if let Some(text) = &self.strip {
            let mut strip: Strip = text.parse().map_err(usage)?;
            self.check_within_run(&strip)?;
            if self.own_scales {
                strip.scale = Scale::Own;
            }
            recipe.picture.film = None;
            recipe.picture.strip = Some(strip);
        }
        match &recipe.picture.strip {
            Some(strip) => strip.check(&recipe.experiment).map_err(usage),
            None => Ok(()),
        }
    }

    /// A run of so many steps has no later moments.
    fn check_within_run(&self, strip: &Strip) -> Result<(), Failure> {
        let n_steps: Option<u64> = self.run.steps.as_deref().and_then(|text| text.parse().ok());
        let Some(n_steps) = n_steps.filter(|_| strip.is_over_time()) else {
            return Ok(());
        };
        let is_late = |value: &&String| value.parse().is_ok_and(|step: u64| step > n_steps);
        match strip.values.iter().find(is_late) {
            None => Ok(()),
            Some(step) => Err(Failure::Usage(format!(
                "--strip: there is no step {step} in a run of --steps {n_steps}; leave one of them out"
            ))),
        }
    }

    /// What moves, in a format that can: what was asked for, or what the recipe has, or the training.
    fn set_film(&self, recipe: &mut Recipe, format: Format) -> Result<(), Failure> {
        let picture = &mut recipe.picture;
        let wanted = [
            (self.orbit.is_some(), "--orbit"),
            (self.frames.is_some(), "--frames"),
            (self.delay.is_some(), "--delay"),
        ];
        if !format.moves() {
            let wanted = wanted.iter().find(|(is_wanted, _)| *is_wanted);
            return wanted.map_or(Ok(()), |(_, option)| {
                Err(Failure::Usage(format!(
                    "{option} makes a film; --out must end in .gif or .apng"
                )))
            });
        }
        if picture.strip.is_some() {
            let words = "a film strip does not move; --out must end in .svg, .pdf or .png";
            return Err(Failure::Usage(words.to_owned()));
        }
        let mut film = picture.film.unwrap_or_default();
        if let Some(n) = self.orbit {
            film = Film::orbit(n);
            if recipe.experiment.view_kind() != ViewKind::Sphere || picture.plot != Plot::Features {
                let words = "--orbit goes around a sphere; add --dim 3";
                return Err(Failure::Usage(words.to_owned()));
            }
        }
        film.frames = self.frames.unwrap_or(film.frames);
        film.delay_ms = self.delay.unwrap_or(film.delay_ms);
        picture.film = Some(film);
        film.check().map_err(|fault| {
            let option = match (self.orbit, self.delay) {
                (Some(_), _) => "--orbit",
                (None, Some(_)) if self.frames.is_none() => "--delay",
                (None, _) => "--frames",
            };
            Failure::Usage(format!("{option}: {fault}"))
        })
    }
}

pub(super) fn set_view(recipe: &mut Recipe, text: &str) -> Result<(), Failure> {
    let picture = &mut recipe.picture;
    if let Some(plot) = Plot::CHARTS.into_iter().find(|plot| plot.id() == text) {
        if picture.plot != plot {
            picture.canvas = None;
        }
        picture.plot = plot;
        return Ok(());
    }
    let mut kinds = ViewKind::ALL.into_iter();
    let Some(kind) = kinds.find(|kind| kind.id() == text) else {
        let known =
            "plane, circle, sphere, input, psi, margin-map, curves, confusion and histogram";
        return Err(unknown("--view", text, known));
    };
    picture.plot = Plot::Features;
    recipe.experiment.view.kind = Some(kind);
    if recipe.experiment.view_kind() != kind {
        let what = match kind {
            ViewKind::Plane | ViewKind::Circle => "two dimensions; add --dim 2",
            ViewKind::Sphere => "three dimensions; add --dim 3",
            ViewKind::Input => "data in the plane (blobs, rings, spiral) and a network",
        };
        return Err(Failure::Usage(format!("--view {text} needs {what}")));
    }
    Ok(())
}
