//! Trains for some steps and writes pictures of all views in both themes, to be looked at.
//!
//! `cargo run --release --example picture -- --steps 900 --loss arcface --dim 2 --set margin=0.3`
//!
//! `--keep 12` puts a sample under the lens, `--also arrows,lengths` draws what is off at first.

use std::path::Path;

use anyhow::Context as _;
use marginscope::experiment::{Experiment, ViewKind};
use marginscope::export::{Sheet, png, svg, write_beside};
use marginscope::scene::{Scene, Show, ViewState, build, theme};
use marginscope::trainer::{Horizon, Snapshot, Subset, Trainer};

fn main() -> anyhow::Result<()> {
    let mut steps = 600_u64;
    let mut sizes = vec![[820.0, 760.0], [1300.0, 980.0]];
    let mut experiment = Experiment::default();
    let mut name = String::new();
    let mut kept = None;
    let mut show = Show::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().context("a value for each argument")?;
        match argument.as_str() {
            "--steps" => steps = value.parse()?,
            "--keep" => kept = Some(value.parse()?),
            "--also" => {
                show.arrows = value.contains("arrows");
                show.lengths = value.contains("lengths");
            }
            "--size" if value == "small" => sizes.truncate(1),
            "--set" => {
                let (key, value) = value.split_once('=').context("key=value")?;
                experiment.set(key, value)?;
                name.extend(["-", key, value]);
            }
            _ => {
                let key = match argument.as_str() {
                    "--loss" => "loss.id",
                    "--data" => "data.source",
                    "--network" => "network.kind",
                    other => other.trim_start_matches('-'),
                };
                experiment.set(key, &value)?;
                name.extend(["-", &value]);
            }
        }
    }
    let mut trainer = Trainer::new(&experiment, Some(Horizon::Endless), 2)?;
    for _ in 0..steps {
        if trainer.step().is_err() {
            break;
        }
    }
    let snapshot = Snapshot::of(&trainer, Subset::default());
    for size in sizes {
        draw(&snapshot, kept, show, size, &name)?;
    }
    Ok(())
}

/// Pictures of one size of all views that suit the dimension, in both themes.
fn draw(
    snapshot: &Snapshot,
    kept: Option<usize>,
    show: Show,
    size: [f32; 2],
    name: &str,
) -> anyhow::Result<()> {
    let kinds: &[ViewKind] = match snapshot.head.dim {
        2 => &[ViewKind::Plane, ViewKind::Circle],
        _ => &[ViewKind::Sphere],
    };
    let folder = Path::new("target/pictures");
    std::fs::create_dir_all(folder)?;
    for kind in kinds {
        for theme in [theme::DARK, theme::LIGHT] {
            let mut view = ViewState::new(*kind, theme);
            (view.kept, view.show) = (kept, show);
            let _ = view.fit(snapshot, size);
            let scene: Scene = build(snapshot, &view, size);
            let shade = if theme.is_dark { "dark" } else { "light" };
            let stem = format!("{}-{shade}-{}{name}", kind.id(), size[0]);
            write_beside(
                &folder.join(format!("{stem}.png")),
                &png::png(&Sheet::of(&scene))?,
            )?;
            write_beside(
                &folder.join(format!("{stem}.svg")),
                svg::svg(&Sheet::of(&scene)).as_bytes(),
            )?;
        }
    }
    Ok(())
}
