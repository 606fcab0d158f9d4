//! The card of a lesson or a failure, docked beside the picture: at the bottom, and at the right
//! where no panels are.

use egui::text::LayoutJob;
use egui::{
    Align, Button, Frame, Label, Layout, Margin, Panel, ProgressBar, Response, RichText,
    ScrollArea, Ui, vec2,
};

use crate::app::action::Action;
use crate::app::lessons::{Beside, Lecture};
use crate::app::theme;
use crate::app::widget::{Icon, scroll_to_focus, small_icon_button, subscripted};
use crate::lesson::{Failure, Lesson, Phase, Reading, Seen, Slide, Step, Subject, Walk};
use crate::scene::Font;

/// Height at the bottom of a wide and of a narrow window, width at the right, in points.
const HEIGHT: f32 = 212.0;
const NARROW_HEIGHT: f32 = 240.0;
const WIDTH: f32 = 400.0;
/// Of its first line.
const HEAD_HEIGHT: f32 = 26.0;
/// Below this the card is narrow.
const NARROW: f32 = 700.0;
/// From here on its first line has room for all buttons.
const WIDE: f32 = 540.0;
/// Lines longer than this are hard to read.
const LONGEST_LINE: f32 = 760.0;
/// Said while the picture is not yet what a step is about.
const STEPS_BEFORE: &str = "Making the steps before this one";
/// Letters for a room that reads along.
const FOR_A_ROOM: f32 = 1.1;

/// What a card is made of.
struct Card<'a> {
    walk: &'a Walk,
    /// Of letters.
    factor: f32,
    /// Whether the first line has room for all buttons.
    is_wide: bool,
    beside: Beside,
    /// Whether whoever walks through it does so by the keyboard.
    wants_focus: &'a mut bool,
    actions: &'a mut Vec<Action>,
}

/// Shows it.
pub(super) fn card_ui(
    ui: &mut Ui,
    walk: &Walk,
    beside: Beside,
    wants_focus: &mut bool,
    actions: &mut Vec<Action>,
) {
    let tokens = theme::tokens(ui.ctx());
    let frame = Frame::new()
        .fill(theme::color(tokens.panel))
        .inner_margin(Margin::symmetric(16, 10));
    let is_presenting = beside.is_presenting;
    let factor = if is_presenting { FOR_A_ROOM } else { 1.0 };
    let mut card = Card {
        walk,
        factor,
        is_wide: !is_presenting && ui.available_width() >= WIDE,
        beside,
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
                scroll_to_focus(ui);
            });
    }

    fn ask(&mut self, lecture: Lecture) {
        self.actions.push(Action::Lecture(lecture));
    }

    /// Title, which step, and the buttons that lead on.
    fn head_ui(&mut self, ui: &mut Ui) {
        let walk = self.walk;
        let row = Layout::right_to_left(Align::Center);
        let size = vec2(ui.available_width(), HEAD_HEIGHT);
        ui.allocate_ui_with_layout(size, row, |ui| {
            let close = "Close (Esc); your own runs come back as they were";
            if small_icon_button(ui, Icon::Close, "Close the lesson", close).clicked() {
                self.ask(Lecture::Close);
            }
            if let Subject::Lesson(lesson) = walk.subject() {
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
                let words = format!("step {} of {}", walk.at() + 1, lesson.steps.len());
                self.note(ui, &words);
            }
            if self.is_wide {
                self.once_more_ui(ui);
            }
            if !self.is_for_a_room() {
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let title = walk.subject().title();
                    let title = self.text(title, Font::SemiBold, theme::size::VALUE);
                    ui.add(Label::new(title).truncate());
                });
            }
        });
    }

    /// Gives the focus to the first control that leads on, unless another one has it: to whoever
    /// walks by the keyboard, until a pointer is used.
    fn lead_on(&mut self, ui: &Ui, control: &Response) {
        *self.wants_focus &= !ui.input(|input| input.pointer.any_pressed());
        let is_free = ui.memory(|memory| memory.focused().is_none());
        if *self.wants_focus && is_free {
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
                if let Some(made) = self.walk.steps_before() {
                    self.bar_ui(ui, made, STEPS_BEFORE);
                }
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
                if self.beside.generation != Some(seen.generation) {
                    self.note(
                        ui,
                        "The picture shows another run by now; Again makes this one.",
                    );
                }
                // It speaks of controls, which the presenter view has put away.
                if !self.beside.is_presenting {
                    self.labelled(ui, "Try", &step.to_try);
                }
                if let Some(slide) = &step.slide {
                    self.slide_ui(ui, slide);
                }
                if !self.is_wide {
                    ui.horizontal(|ui| self.once_more_ui(ui));
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
            if !self.is_wide {
                self.once_more_ui(ui);
            }
        });
    }

    /// What is done with a run that is over: in the first line, where that has room, so that no text
    /// pushes it out of sight.
    fn once_more_ui(&mut self, ui: &mut Ui) {
        let is_lesson = matches!(self.walk.subject(), Subject::Lesson(_));
        match self.walk.phase() {
            Phase::Runs { .. } => return,
            Phase::Asks if is_lesson => return,
            Phase::Asks | Phase::Reveals(_) => {}
        }
        // From the right in the first line, from the left below the text.
        if self.is_wide {
            self.keep_ui(ui);
            self.again_ui(ui);
        } else {
            self.again_ui(ui);
            self.keep_ui(ui);
        }
    }

    fn again_ui(&mut self, ui: &mut Ui) {
        let again = self.button(ui, "Again");
        let help = "Make this run once more, with nothing that was changed since";
        // A lesson has a next step, and what has happened has a cure.
        let is_failure = matches!(self.walk.subject(), Subject::Failure(_));
        if is_failure && !self.walk.has_happened() {
            self.lead_on(ui, &again);
        }
        if again.on_hover_text(help).clicked() {
            self.ask(Lecture::Again);
        }
    }

    fn keep_ui(&mut self, ui: &mut Ui) {
        if !self.beside.can_keep {
            return;
        }
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
            (true, true) if n_done > 0 => format!("{STEPS_BEFORE}: paused"),
            (true, _) => STEPS_BEFORE.to_owned(),
            (false, true) if n_done > 0 => format!("Paused after {n_done} of {n_steps} steps"),
            (false, _) => format!("{n_done} of {n_steps} steps"),
        };
        self.bar_ui(ui, [n_done, n_steps], &words);
    }

    /// How much is done, of how much, and of what.
    fn bar_ui(&self, ui: &mut Ui, [n_done, n_steps]: [u64; 2], words: &str) {
        let share = n_done as f32 / n_steps.max(1) as f32;
        let tokens = theme::tokens(ui.ctx());
        ui.add(
            ProgressBar::new(share)
                .desired_height(6.0)
                .fill(theme::color(tokens.accent)),
        );
        self.note(ui, words);
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
                let words = words.replace(' ', "\u{a0}"); // on one line
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
        let bold = theme::font(Font::SemiBold, size);
        subscripted(
            &mut job,
            &format!("{label}: "),
            &bold,
            theme::color(tokens.text),
        );
        let regular = theme::font(Font::Regular, size);
        subscripted(&mut job, words, &regular, theme::color(tokens.dimmed));
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
        let font = theme::font(font, theme::size::VALUE * self.factor);
        subscripted(&mut job, words, &font, theme::color(ink));
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
