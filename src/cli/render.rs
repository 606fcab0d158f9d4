//! `marginscope render`: a figure without a window.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use clap::Args;

use crate::cli::progress::{interrupt_flag, progress_bar};
use crate::cli::{Failure, Launch, RunOptions};
use crate::experiment::ViewKind;
use crate::export::{self, Format};
use crate::figure::{self, Picture, Plot, Recipe, Tone};

pub(super) const EXAMPLES: &str = "\
Examples:
  marginscope render --loss arcface --out fig.pdf             three epochs, two columns wide
  marginscope render --dim 3 --width 89mm --out fig.svg       a sphere, one column wide
  marginscope render fig.pdf --theme dark --out slide.png     a figure again, for a slide
  marginscope render --loss cosface --view psi --out psi.svg  a plot alone";

/// Options of `render`.
#[derive(Args, Clone, Debug)]
pub struct RenderOptions {
    #[command(flatten)]
    pub(super) run: RunOptions,
    /// Where the figure goes; the name's end says what it is.
    #[arg(long, value_name = "FIG.svg|.pdf|.png")]
    pub(super) out: PathBuf,
    /// What is drawn: plane, circle, sphere, input, psi, margin-map, curves, confusion, histogram.
    #[arg(long, value_name = "VIEW")]
    pub(super) view: Option<String>,
    /// Width on paper or on a screen, such as 89mm, 183mm, 1920px; or slide.
    #[arg(long, value_name = "WIDTH", allow_hyphen_values = true)]
    pub(super) width: Option<String>,
    /// Colours: light for paper, dark for rooms.
    #[arg(long, value_name = "THEME")]
    pub(super) theme: Option<String>,
    /// Nothing behind the picture.
    #[arg(long)]
    pub(super) transparent: bool,
    /// Pixels in an inch of a PNG that has a width on paper.
    #[arg(long, value_name = "DPI", default_value_t = 300, value_parser = clap::value_parser!(u16).range(36..=2400))]
    pub(super) dpi: u16,
}

pub(super) fn run(options: &RenderOptions) -> Result<ExitCode, Failure> {
    let format = format_of(&options.out)?;
    make(options, options.run.launch()?, format)
}

/// The figure of a run.
pub(super) fn make(
    options: &RenderOptions,
    launch: Launch,
    format: Format,
) -> Result<ExitCode, Failure> {
    let mut recipe = Recipe {
        experiment: launch.experiment,
        picture: launch.picture,
    };
    options.apply(&mut recipe)?;
    check_out(options)?;
    let interrupted = interrupt_flag();
    let mut bar = None;
    let snapshot = figure::replay(&recipe, launch.n_threads, |step, n_steps| {
        let bar = bar.get_or_insert_with(|| progress_bar(n_steps));
        bar.set_position(step);
        !interrupted.load(Ordering::Relaxed)
    })
    .map_err(anyhow::Error::from)?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    recipe.picture.step = Some(snapshot.step);
    let bytes = figure::file(&snapshot, &recipe, format, f64::from(options.dpi))
        .map_err(anyhow::Error::from)?;
    let name = options.out.display();
    export::write_beside(&options.out, &bytes).with_context(|| format!("cannot write {name}"))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn format_of(path: &Path) -> Result<Format, Failure> {
    Format::of_name(path).ok_or_else(|| {
        Failure::Usage(format!(
            "--out {}: expected a name that ends in .svg, .pdf or .png",
            path.display()
        ))
    })
}

/// What cannot be written is told before the steps are made.
fn check_out(options: &RenderOptions) -> Result<(), Failure> {
    let name = options.out.display();
    export::check_writable(&options.out).with_context(|| format!("cannot write {name}"))?;
    Ok(())
}

impl RenderOptions {
    /// What differs from the recipe's own picture.
    fn apply(&self, recipe: &mut Recipe) -> Result<(), Failure> {
        let picture = &mut recipe.picture;
        if self.run.steps.is_some() || self.run.epochs.is_some() {
            picture.step = None; // the experiment's length says it now
        }
        if let Some(text) = &self.width {
            set_width(picture, text)?;
        }
        if let Some(text) = &self.theme {
            picture.theme = match text.as_str() {
                "dark" => Tone::Dark,
                "light" => Tone::Light,
                _ => return Err(unknown("--theme", text, "dark and light")),
            };
        }
        picture.transparent |= self.transparent;
        if let Some(text) = &self.view {
            set_view(recipe, text)?;
        }
        Ok(())
    }
}

/// Another width has a canvas of its own.
fn set_width(picture: &mut Picture, text: &str) -> Result<(), Failure> {
    let before = std::mem::take(picture);
    *picture = if text == "slide" {
        before.on_slide()
    } else {
        let width = text
            .parse()
            .map_err(|error| Failure::Usage(format!("--width: {error}, or slide")))?;
        before.of_width(width)
    };
    Ok(())
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

fn unknown(option: &str, found: &str, known: &str) -> Failure {
    Failure::Usage(format!("{option} {found}: there are {known}"))
}
