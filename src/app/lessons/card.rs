//! The card of a lesson or a failure, docked beside the picture: at the bottom, and at the right
//! where no panels are.

use egui::text::LayoutJob;
use egui::{
    Align, Button, Frame, Layout, Margin, Panel, ProgressBar, Response, RichText, ScrollArea,
    TextFormat, Ui,
};

use crate::app::action::Action;
use crate::app::lessons::Lecture;
use crate::app::theme;
use crate::app::widget::{Icon, small_icon_button};
use crate::lesson::{Failure, Lesson, Phase, Reading, Seen, Slide, Step, Subject, Walk};
use crate::scene::{Font, Rgba};

/// Height at the bottom of a wide and of a narrow window, width at the right, in points.
const HEIGHT: f32 = 212.0;
const NARROW_HEIGHT: f32 = 240.0;
const WIDTH: f32 = 400.0;
/// Below this the card is narrow.
const NARROW: f32 = 700.0;
/// Lines longer than this are hard to read.
const LONGEST_LINE: f32 = 760.0;
/// Letters for a room that reads along.
const FOR_A_ROOM: f32 = 1.1;

/// What a card is made of.
struct Card<'a> {
    walk: &'a Walk,
    /// Of letters.
    factor: f32,
    /// Whether its run can be put beside the user's own.
    can_keep: bool,
    /// Whether whoever came here by the keyboard still has to find what leads on.
    wants_focus: &'a mut bool,
    actions: &'a mut Vec<Action>,
}

/// Shows it.
pub(super) fn card_ui(
    ui: &mut Ui,
    walk: &Walk,
    is_presenting: bool,
    can_keep: bool,
    wants_focus: &mut bool,
    actions: &mut Vec<Action>,
) {
    let tokens = theme::tokens(ui.ctx());
    let frame = Frame::new()
        .fill(theme::color(tokens.panel))
        .inner_margin(Margin::symmetric(16, 10));
    let factor = if is_presenting { FOR_A_ROOM } else { 1.0 };
    let mut card = Card {
        walk,
        factor,
        can_keep,
        wants_focus,
        actions,
    };
    let panel = if is_presenting {
        let width = WIDTH.min(0.4 * ui.available_width());
        Panel::right("lesson at the right").exact_size(width)
    } else if ui.available_width() < NARROW {
        Panel::bottom("lesson").exact_size(NARROW_HEIGHT)
    } else {
        Panel::bottom("lesson").exact_size(HEIGHT)
    };
    panel
        .resizable(false)
        .frame(frame)
        .show(ui, |ui| card.ui(ui));
}

impl Card<'_> {
    fn ui(&mut self, ui: &mut Ui) {
        self.head_ui(ui);
        if self.is_for_a_room() {
            self.strong(ui, self.walk.subject().title());
        }
        ui.add_space(2.0);
        let id = (self.walk.subject().title(), self.walk.at());
        let is_asking = matches!(self.walk.phase(), Phase::Asks);
        ScrollArea::vertical()
            .id_salt((id, is_asking))
            .auto_shrink(false)
            .show(ui, |ui| {
                let room = ui.available_width() - theme::SCROLL_BAR_ROOM;
                ui.set_max_width(room.min(LONGEST_LINE * self.factor));
                ui.spacing_mut().item_spacing.y = 5.0 * self.factor;
                match self.walk.subject() {
                    Subject::Lesson(lesson) => self.lesson_ui(ui, lesson),
                    Subject::Failure(failure) => self.failure_ui(ui, failure),
                }
            });
    }

    fn ask(&mut self, lecture: Lecture) {
        self.actions.push(Action::Lecture(lecture));
    }

    /// Title, which step, and the buttons that lead on.
    fn head_ui(&mut self, ui: &mut Ui) {
        let walk = self.walk;
        ui.horizontal(|ui| {
            if !self.is_for_a_room() {
                self.strong(ui, walk.subject().title());
            }
            if let Subject::Lesson(lesson) = walk.subject() {
                let words = format!("step {} of {}", walk.at() + 1, lesson.steps.len());
                self.note(ui, &words);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let close = "Close (Esc); your own runs come back as they were";
                if small_icon_button(ui, Icon::Close, "Close the lesson", close).clicked() {
                    self.ask(Lecture::Close);
                }
                if matches!(walk.subject(), Subject::Lesson(_)) {
                    let next = small_icon_button(ui, Icon::Next, "Next", "Next (Page Down)");
                    if matches!(walk.phase(), Phase::Reveals(_)) {
                        self.lead_on(ui, &next);
                    }
                    if next.clicked() {
                        self.ask(Lecture::Next);
                    }
                    let back = small_icon_button(ui, Icon::Previous, "Back", "Back (Page Up)");
                    if back.clicked() {
                        self.ask(Lecture::Back);
                    }
                    if matches!(walk.phase(), Phase::Reveals(_)) {
                        self.again_ui(ui);
                    }
                }
                if self.can_keep {
                    self.keep_ui(ui);
                }
            });
        });
    }

    /// Gives the focus to the first control that leads on, unless another one has it.
    fn lead_on(&mut self, ui: &Ui, control: &Response) {
        let is_free = ui.memory(|memory| memory.focused().is_none());
        if std::mem::take(self.wants_focus) && is_free {
            control.request_focus();
        }
    }

    /// Whether letters are large, so that a title needs a line of its own.
    fn is_for_a_room(&self) -> bool {
        self.factor > 1.0
    }

    fn lesson_ui(&mut self, ui: &mut Ui, lesson: &Lesson) {
        let Some(step) = lesson.steps.get(self.walk.at()) else {
            return;
        };
        match self.walk.phase() {
            Phase::Asks => {
                self.body(ui, &step.text);
                self.strong(ui, &step.question);
                self.answers_ui(ui, step);
            }
            Phase::Runs { prediction, .. } => {
                self.body(ui, &step.text);
                self.strong(ui, &step.question);
                if let Some(said) = prediction.and_then(|i| step.answers.get(i)) {
                    self.body(ui, &format!("You say: {said}."));
                }
                self.progress_ui(ui);
            }
            Phase::Reveals(seen) => {
                self.prediction_ui(ui, step, seen);
                self.body(ui, &step.reveal);
                self.readings_ui(ui, &seen.readings);
                self.labelled(ui, "Try", &step.to_try);
                if let Some(slide) = &step.slide {
                    self.slide_ui(ui, slide);
                }
            }
        }
    }

    fn answers_ui(&mut self, ui: &mut Ui, step: &Step) {
        ui.horizontal_wrapped(|ui| {
            for (i, answer) in step.answers.iter().enumerate() {
                let button = self.button(ui, answer);
                self.lead_on(ui, &button);
                if button.clicked() {
                    self.ask(Lecture::Answer(Some(i)));
                }
            }
            let words = self.text("Just run it", Font::Regular, theme::size::LABEL);
            let dimmed = theme::color(theme::tokens(ui.ctx()).dimmed);
            let skip = ui.add(Button::new(words.color(dimmed)).frame(false));
            if skip.on_hover_text("Without a prediction").clicked() {
                self.ask(Lecture::Answer(None));
            }
        });
    }

    /// What was said beside what is seen; neither is a fault.
    fn prediction_ui(&self, ui: &mut Ui, step: &Step, seen: &Seen) {
        let right = &step.answers[step.right];
        let words = match seen.prediction.and_then(|i| step.answers.get(i)) {
            Some(said) if said == right => format!("You said, and it is seen: {right}."),
            Some(said) => format!("You said: {said}. What is seen: {right}."),
            None => format!("What is seen: {right}."),
        };
        self.strong(ui, &words);
    }

    fn failure_ui(&mut self, ui: &mut Ui, failure: &Failure) {
        let has_happened = self.walk.has_happened();
        if self.walk.at() > 0 {
            self.body(ui, &failure.cure.text);
        } else {
            self.strong(ui, &failure.symptom);
        }
        if has_happened {
            self.body(ui, &failure.explanation);
        }
        match self.walk.phase() {
            Phase::Runs { .. } => self.progress_ui(ui),
            Phase::Reveals(seen) => self.readings_ui(ui, &seen.readings),
            Phase::Asks => self.note(ui, "Another run has taken its place."),
        }
        let is_over = matches!(self.walk.phase(), Phase::Reveals(_));
        if self.walk.at() == 0 && is_over && !has_happened {
            self.note(
                ui,
                "It has not happened here: something was changed on the way.",
            );
        }
        ui.horizontal(|ui| {
            if has_happened {
                let cure = self.button(ui, &failure.cure.button);
                self.lead_on(ui, &cure);
                if cure.clicked() {
                    self.ask(Lecture::Cure);
                }
            }
            if !matches!(self.walk.phase(), Phase::Runs { .. }) {
                self.again_ui(ui);
            }
        });
    }

    fn again_ui(&mut self, ui: &mut Ui) {
        let again = self.button(ui, "Again");
        let help = "Make this run once more, with nothing that was changed since";
        if matches!(self.walk.subject(), Subject::Failure(_)) {
            self.lead_on(ui, &again); // a lesson has a next step
        }
        if again.on_hover_text(help).clicked() {
            self.ask(Lecture::Again);
        }
    }

    fn keep_ui(&mut self, ui: &mut Ui) {
        let help = "Close the card and put this run beside your own, in a pane of its own";
        let keep = self.button(ui, "Keep this run").on_hover_text(help);
        if keep.clicked() {
            self.ask(Lecture::Keep);
        }
    }

    /// How far the run is.
    fn progress_ui(&self, ui: &mut Ui) {
        let Phase::Runs {
            is_catching_up,
            n_done,
            n_steps,
            is_paused,
            ..
        } = self.walk.phase()
        else {
            return;
        };
        let words = match (is_catching_up, is_paused) {
            (true, _) => "Making the steps before this one".to_owned(),
            (false, true) if n_done > 0 => format!("Paused after {n_done} of {n_steps} steps"),
            (false, _) => format!("{n_done} of {n_steps} steps"),
        };
        let share = n_done as f32 / n_steps.max(1) as f32;
        let tokens = theme::tokens(ui.ctx());
        ui.add(
            ProgressBar::new(share)
                .desired_height(6.0)
                .fill(theme::color(tokens.accent)),
        );
        self.note(ui, &words);
    }

    /// What was measured, as `target angle 12.2° → 6.1°`.
    fn readings_ui(&self, ui: &mut Ui, readings: &[Reading]) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            for (i, reading) in readings.iter().enumerate() {
                if i > 0 {
                    ui.add_space(10.0);
                }
                let measure = reading.measure;
                let value = |value: Option<f64>| match value {
                    Some(value) => measure.text(value),
                    None => "none".to_owned(),
                };
                let words = match reading.before {
                    Some(_) => format!("{} → {}", value(reading.before), value(reading.after)),
                    None => value(reading.after),
                };
                self.note(ui, measure.words);
                ui.label(self.text(&words, Font::SemiBold, theme::size::VALUE));
            }
        });
        if !readings.iter().all(|reading| reading.holds) {
            let words = "These are the numbers of your run, in which something was changed. Again makes the one that the text speaks of.";
            self.note(ui, words);
        }
    }

    fn slide_ui(&self, ui: &mut Ui, slide: &Slide) {
        self.labelled(ui, "On the common slide", &slide.says);
        let right = format!("{} ({})", slide.right, slide.reference);
        self.labelled(ui, "Right", &right);
    }

    fn labelled(&self, ui: &mut Ui, label: &str, words: &str) {
        let tokens = theme::tokens(ui.ctx());
        let size = theme::size::LABEL * self.factor;
        let mut job = LayoutJob::default();
        append(
            &mut job,
            &format!("{label}: "),
            Font::SemiBold,
            size,
            tokens.text,
        );
        append(&mut job, words, Font::Regular, size, tokens.dimmed);
        ui.label(job);
    }

    fn text(&self, words: &str, font: Font, size: f32) -> RichText {
        RichText::new(words).font(theme::font(font, size * self.factor))
    }

    fn body(&self, ui: &mut Ui, words: &str) {
        self.words(ui, words, Font::Regular);
    }

    fn strong(&self, ui: &mut Ui, words: &str) {
        self.words(ui, words, Font::SemiBold);
    }

    fn words(&self, ui: &mut Ui, words: &str, font: Font) {
        let ink = theme::tokens(ui.ctx()).text;
        let mut job = LayoutJob::default();
        append(&mut job, words, font, theme::size::VALUE * self.factor, ink);
        ui.label(job);
    }

    fn note(&self, ui: &mut Ui, words: &str) {
        let dimmed = theme::color(theme::tokens(ui.ctx()).dimmed);
        let words = self.text(words, Font::Regular, theme::size::LABEL);
        ui.label(words.color(dimmed));
    }

    fn button(&self, ui: &mut Ui, words: &str) -> Response {
        ui.button(self.text(words, Font::Regular, theme::size::VALUE))
    }
}

/// Appends words in which `_` leads to an index of one letter, as in `W_j·x`.
fn append(job: &mut LayoutJob, words: &str, font: Font, size: f32, ink: Rgba) {
    const INDEX: f32 = 0.72;
    let mut add = |words: &str, size: f32| {
        let format = TextFormat {
            font_id: theme::font(font, size),
            color: theme::color(ink),
            ..TextFormat::default() // on the bottom of the line, where an index belongs
        };
        job.append(words, 0.0, format);
    };
    let mut parts = words.split('_');
    add(parts.next().unwrap_or_default(), size);
    for part in parts {
        let end = part.chars().next().map_or(0, char::len_utf8);
        let (index, rest) = part.split_at(end);
        add(index, INDEX * size);
        add(rest, size);
    }
}
