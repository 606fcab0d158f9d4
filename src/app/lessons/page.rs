//! The page that lists lessons and failures.

use egui::text::LayoutJob;
use egui::{Align, Button, Context, Layout, RichText, TextFormat, Ui};

use crate::app::action::Action;
use crate::app::lessons::{Lecture, Progress};
use crate::app::overlay::page_ui;
use crate::app::theme;
use crate::app::widget::{focus_once, strong};
use crate::lesson::{Subject, failures, lessons};
use crate::scene::{Font, Rgba};

/// Width and height of a button, two of which stand side by side.
const CARD: [f32; 2] = [352.0, 64.0];
const BETWEEN: f32 = 10.0;

/// Shows it; whether it is to be shown again.
pub(super) fn lessons_ui(ctx: &Context, progress: &Progress, actions: &mut Vec<Action>) -> bool {
    let width = 2.0 * CARD[0] + BETWEEN + 2.0 * theme::SCROLL_BAR_ROOM;
    let list = |ui: &mut Ui| list_ui(ui, progress);
    let (chosen, stays) = page_ui(ctx, "Lessons and failures", width, list);
    actions.extend(chosen.map(|subject| Action::Lecture(Lecture::Open(subject))));
    stays
}

/// The one that was clicked.
fn list_ui(ui: &mut Ui, progress: &Progress) -> Option<Subject> {
    let mut cards: Vec<(Subject, &str, String)> = Vec::new();
    for lesson in lessons() {
        let n_seen = progress.get(&lesson.name).copied().unwrap_or(0);
        let n = lesson.steps.len();
        let seen = match n_seen {
            0 => format!("{n} steps"),
            _ if n_seen >= n => format!("{n} steps, all seen"),
            _ => format!("{n_seen} of {n} steps seen"),
        };
        cards.push((Subject::Lesson(lesson), &lesson.summary, seen));
    }
    let words =
        "Say what you expect, watch the run, and see what was measured. All controls stay yours.";
    let mut chosen = section_ui(ui, "Lessons, in the lecture's order", words, &cards);
    ui.add_space(10.0);
    let cards: Vec<(Subject, &str, String)> = failures()
        .iter()
        .map(|failure| {
            let cure = format!("Cure: {}", failure.cure.button);
            (Subject::Failure(failure), failure.symptom.as_str(), cure)
        })
        .collect();
    let words = "Each starts with one click, is explained when it happens, and has a cure.";
    chosen = chosen.or(section_ui(ui, "Failures", words, &cards));
    chosen
}

fn section_ui(
    ui: &mut Ui,
    title: &str,
    words: &str,
    cards: &[(Subject, &str, String)],
) -> Option<Subject> {
    let dimmed = theme::color(theme::tokens(ui.ctx()).dimmed);
    ui.label(strong(title, theme::size::VALUE));
    ui.label(RichText::new(words).color(dimmed));
    let mut chosen = None;
    for row in cards.chunks(2) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = BETWEEN;
            for (subject, summary, note) in row {
                if card_ui(ui, *subject, summary, note) {
                    chosen = Some(*subject);
                }
            }
        });
    }
    chosen
}

/// A lesson or a failure as a button; whether it was clicked.
fn card_ui(ui: &mut Ui, subject: Subject, summary: &str, note: &str) -> bool {
    let words = card_words(ui, subject.title(), summary, note);
    let layout = Layout::left_to_right(Align::Center);
    // The button wraps its words within what is allocated here, so that all are as wide.
    let response = ui
        .allocate_ui_with_layout(CARD.into(), layout, |ui| {
            let button = Button::new(words).right_text("").wrap();
            ui.add(button.min_size(CARD.into()))
        })
        .inner;
    let is_first = matches!(subject, Subject::Lesson(lesson) if *lesson == lessons()[0]);
    if is_first {
        focus_once(ui, &response);
    }
    response.clicked()
}

fn card_words(ui: &Ui, title: &str, summary: &str, note: &str) -> LayoutJob {
    let tokens = theme::tokens(ui.ctx());
    let mut job = LayoutJob::default();
    let mut add = |words: &str, font: Font, size: f32, color: Rgba| {
        let format = TextFormat {
            font_id: theme::font(font, size),
            color: theme::color(color),
            ..TextFormat::default()
        };
        job.append(words, 0.0, format);
    };
    let (value, small) = (theme::size::VALUE, theme::size::NOTE);
    add(&format!("{title}\n"), Font::SemiBold, value, tokens.text);
    add(summary, Font::Regular, small, tokens.dimmed);
    add(&format!("\n{note}"), Font::Regular, small, tokens.dimmed);
    job
}
