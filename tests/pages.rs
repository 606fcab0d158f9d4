//! Figures as journals and rooms want them: text that can be read and stays on the page, nothing that
//! is taken hold of, a name for every curve.

#![expect(clippy::expect_used, reason = "a test ends where its premises fail")]

mod common;

use common::runs::{BLOBS, experiment};
use marginscope::export::Length;
use marginscope::figure::{self, Picture, Played, Plot, Recipe, Strip, Tone};
use marginscope::scene::fonts::extent;
use marginscope::scene::{Anchor, Font, Item, Rgba, Scene};

type Settings = Vec<(&'static str, &'static str)>;

const COLUMN: Length = Length::Millimeters(89.0);
const PAGE: Length = Length::Millimeters(183.0);

fn played(settings: &[(&str, &str)], picture: &Picture) -> Played {
    let recipe = Recipe {
        experiment: experiment(&[BLOBS, settings].concat()),
        picture: Picture {
            step: Some(60),
            ..picture.clone()
        },
    };
    figure::replay(&recipe, 1, |_, _| true).expect("a run")
}

fn of_plot(plot: Plot, width: Length) -> Picture {
    Picture {
        plot,
        width,
        ..Picture::default()
    }
}

/// Every picture and plot, with settings of its run.
fn figures() -> Vec<(Settings, Plot)> {
    let mut figures: Vec<_> = ["circle", "plane", "input"]
        .map(|view| (vec![("view.kind", view)], Plot::Features))
        .into();
    figures.push((
        vec![("view.kind", "plane"), ("loss.id", "softmax")],
        Plot::Features,
    ));
    figures.push((vec![("dim", "3"), ("loss.id", "cosface")], Plot::Features));
    figures.extend(Plot::CHARTS.map(|plot| (Vec::new(), plot)));
    figures.push((vec![("loss.id", "sphereface")], Plot::Psi));
    figures.push((vec![("loss.id", "combined")], Plot::MarginMap));
    figures
}

fn strips() -> [(&'static str, Settings, Plot); 4] {
    [
        (
            "margin=0,0.1,0.2,0.3",
            vec![("view.kind", "circle")],
            Plot::Features,
        ),
        (
            "step=0,20,60",
            vec![("view.kind", "plane"), ("loss.id", "softmax")],
            Plot::Features,
        ),
        ("margin=0,0.2", Vec::new(), Plot::MarginMap),
        ("loss=normface,cosface,arcface", Vec::new(), Plot::Psi),
    ]
}

/// All figures with their names, for a change of the picture.
fn scenes(change: impl Fn(Picture) -> Picture) -> Vec<(String, Scene)> {
    let mut scenes = Vec::new();
    for (settings, plot) in figures() {
        let picture = change(of_plot(plot, PAGE));
        let scene = figure::scene(&played(&settings, &picture), &picture);
        scenes.push((format!("{plot:?} {settings:?}"), scene));
    }
    for (strip, settings, plot) in strips() {
        let strip: Strip = strip.parse().expect("a strip");
        let picture = change(Picture {
            strip: Some(strip),
            ..of_plot(plot, PAGE)
        });
        let scene = figure::scene(&played(&settings, &picture), &picture);
        scenes.push((format!("{plot:?} of {:?}", picture.strip), scene));
    }
    scenes
}

struct Words<'a> {
    text: &'a str,
    size: f32,
    font: Font,
    /// Left, top, right, bottom.
    ink: [f32; 4],
}

fn words(scene: &Scene) -> impl Iterator<Item = Words<'_>> {
    let items = scene.groups.iter().flat_map(|group| &group.items);
    items.filter_map(|item| {
        let Item::Text {
            pos,
            text,
            size,
            font,
            anchor,
            ..
        } = item
        else {
            return None;
        };
        let width = extent(text, *font, *size).width;
        let left = match anchor {
            Anchor::Start => pos[0],
            Anchor::Middle => pos[0] - 0.5 * width,
            Anchor::End => pos[0] - width,
        };
        Some(Words {
            text,
            size: *size,
            font: *font,
            ink: [left, pos[1] - 0.4 * size, left + width, pos[1] + 0.4 * size],
        })
    })
}

#[track_caller]
fn check_within(name: &str, scene: &Scene) {
    let [width, height] = scene.size;
    for Words { text, ink, .. } in words(scene) {
        let [left, top, right, bottom] = ink;
        let is_within = left >= 0.0 && top >= 0.0 && right <= width && bottom <= height;
        assert!(is_within, "{name}: {text:?} at {ink:?} of {:?}", scene.size);
    }
}

fn is_formula(font: Font) -> bool {
    matches!(font, Font::MathItalic | Font::MathUpright)
}

/// Five to seven points, and eight for the largest letter of a formula.
#[test]
fn text_on_paper_is_as_large_as_journals_want_it_and_on_the_page() {
    const ROUNDING: f64 = 1e-3;
    for width in [COLUMN, PAGE] {
        for theme in [Tone::Light, Tone::Dark] {
            let change = |picture| Picture {
                width,
                theme,
                ..picture
            };
            for (name, scene) in scenes(change) {
                check_within(&name, &scene);
                let pt = width.pt() / f64::from(scene.size[0]);
                for Words {
                    text, size, font, ..
                } in words(&scene)
                {
                    let size = f64::from(size) * pt;
                    let most = if is_formula(font) { 8.0 } else { 7.0 };
                    let is_legible = size > 5.0 - ROUNDING && size < most + ROUNDING;
                    assert!(is_legible, "{name}, {width:?}: {text:?} has {size} points");
                }
            }
        }
    }
}

#[test]
fn text_on_a_slide_is_read_from_the_back_of_the_room() {
    for (name, scene) in scenes(Picture::on_slide) {
        assert_eq!(scene.size, [960.0, 540.0], "{name}");
        check_within(&name, &scene);
        for Words { text, size, .. } in words(&scene) {
            assert!(size > 17.999, "{name}: {text:?} has {size} of 540");
        }
    }
}

/// Colours and dashes of the lines in a group.
fn strokes(scene: &Scene, group: &str) -> Vec<(Rgba, bool)> {
    let groups = scene.groups.iter().filter(|found| found.name == group);
    let mut strokes = Vec::new();
    for item in groups.flat_map(|group| &group.items) {
        if let Item::Line { stroke, .. } = item
            && !strokes.contains(&(stroke.color, stroke.dash.is_some()))
        {
            strokes.push((stroke.color, stroke.dash.is_some()));
        }
    }
    strokes.sort_by_key(|(color, is_dashed)| (color.0, *is_dashed));
    strokes
}

#[test]
fn every_curve_of_a_plot_has_its_name_and_no_name_is_without_a_curve() {
    for (loss, plot) in [
        ("arcface", Plot::Psi),
        ("sphereface", Plot::Psi),
        ("softmax", Plot::Psi),
        ("arcface", Plot::Curves),
        ("arcface", Plot::MarginMap),
        ("normface", Plot::MarginMap),
        ("softmax", Plot::MarginMap),
    ] {
        let picture = of_plot(plot, COLUMN);
        let scene = figure::scene(&played(&[("loss.id", loss)], &picture), &picture);
        let (drawn, named) = (strokes(&scene, "series"), strokes(&scene, "legend"));
        assert!(!drawn.is_empty());
        assert_eq!(drawn, named, "{plot:?} of {loss}");
    }
}

#[test]
fn nothing_in_a_figure_is_there_to_be_taken_hold_of() {
    let picture = of_plot(Plot::Psi, COLUMN);
    let scene = figure::scene(&played(&[("loss.id", "arcface")], &picture), &picture);
    let series = scene.groups.iter().filter(|group| group.name == "series");
    let items: Vec<&Item> = series.flat_map(|group| &group.items).collect();
    assert!(!items.is_empty());
    for item in items {
        assert!(
            !matches!(item, Item::Disc { .. } | Item::Text { .. }),
            "{item:?}"
        );
    }
}

#[test]
fn axes_say_what_they_measure_and_in_what() {
    let expected: [(Plot, &[&str]); 5] = [
        (Plot::Psi, &["in units of s", "(degrees)"]),
        (Plot::Curves, &["loss", "accuracy (%)", "step"]),
        (Plot::Histogram, &["samples in a bin of 3°", "(degrees)"]),
        (Plot::MarginMap, &["(degrees)"]),
        (Plot::Confusion, &["class", "taken for"]),
    ];
    for (plot, expected) in expected {
        let picture = of_plot(plot, COLUMN);
        let scene = figure::scene(&played(&[], &picture), &picture);
        let text: Vec<&str> = words(&scene).map(|words| words.text).collect();
        for part in expected {
            assert!(
                text.iter().any(|text| text.contains(part)),
                "{plot:?}: {part} in {text:?}"
            );
        }
    }
}

#[test]
fn samples_of_a_panel_lie_in_it() {
    for (strip, settings, plot) in strips() {
        let strip: Strip = strip.parse().expect("a strip");
        let picture = Picture {
            strip: Some(strip),
            ..of_plot(plot, PAGE)
        };
        let scene = figure::scene(&played(&settings, &picture), &picture);
        let dots = |panel: usize| {
            let groups = scene
                .groups
                .iter()
                .filter(move |group| group.panel == panel);
            groups
                .flat_map(|group| &group.items)
                .filter_map(|item| match item {
                    Item::Dots { dots, radius } => Some((dots, *radius)),
                    _ => None,
                })
        };
        let ends = |panel: usize| {
            let mut ends = [f32::INFINITY, f32::NEG_INFINITY];
            for (dots, radius) in dots(panel) {
                for dot in dots {
                    ends[0] = ends[0].min(dot.center[0] - radius);
                    ends[1] = ends[1].max(dot.center[0] + radius);
                }
            }
            ends
        };
        let n_panels = scene
            .groups
            .iter()
            .map(|group| group.panel)
            .max()
            .unwrap_or(0);
        for panel in 1..n_panels {
            assert!(ends(panel)[1] < ends(panel + 1)[0], "panel {panel}");
        }
    }
}

#[test]
fn arrows_of_weights_say_by_how_much_they_are_longer() {
    for (loss, expected) in [
        ("softmax", "Weight arrows × "),
        ("arcface", "as directions"),
    ] {
        let settings = [("view.kind", "plane"), ("loss.id", loss)];
        for width in [COLUMN, PAGE] {
            let picture = of_plot(Plot::Features, width);
            let scene = figure::scene(&played(&settings, &picture), &picture);
            let is_said = words(&scene).any(|words| words.text.contains(expected));
            assert!(is_said, "{loss}");
        }
    }
}

#[test]
fn a_section_says_that_it_is_one_and_names_no_margins() {
    let picture = of_plot(Plot::Features, COLUMN);
    let scene = figure::scene(&played(&[("dim", "16")], &picture), &picture);
    let text: Vec<&str> = words(&scene).map(|words| words.text).collect();
    assert!(
        text.iter()
            .any(|text| text.contains("PCA of 16 dimensions to 3")),
        "{text:?}"
    );
    assert!(
        !text
            .iter()
            .any(|text| text.contains("margin") || *text == "gap"),
        "{text:?}"
    );
}

/// Whoever finds a figure without its caption knows which loss on what data it shows, and when.
#[test]
fn a_figure_says_of_what_it_is() {
    let on_page = |picture: Picture| picture;
    let in_column = |picture: Picture| picture.on_paper(COLUMN);
    let on_slide = |picture: Picture| Picture::on_slide(picture);
    let all = [scenes(on_page), scenes(in_column), scenes(on_slide)];
    for (name, scene) in all.iter().flatten() {
        let has_formula = words(scene).any(|words| is_formula(words.font));
        let text: Vec<&str> = words(scene).map(|words| words.text).collect();
        let text = text.join(" ").replace('\u{a0}', " ");
        let losses = ["ArcFace", "CosFace", "Softmax", "SphereFace", "Combined"];
        let says_loss = losses.iter().any(|loss| text.contains(loss));
        assert!(has_formula || says_loss, "{name}: {text}");
        let shows_samples = !name.starts_with("Psi of");
        assert!(!shows_samples || text.contains("blobs"), "{name}: {text}");
        let is_of_a_step = shows_samples && !name.contains("\"step\"");
        assert!(!is_of_a_step || text.contains("step 60"), "{name}: {text}");
    }
}
