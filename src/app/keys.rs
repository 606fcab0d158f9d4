//! Keyboard: one table for what keys do and for the list that explains them.

use egui::{Context, Event, Id, Key, Memory, Modifiers, Ui};

use crate::app::action::{Action, PaneAction, SaveTo, Saving};
use crate::app::lessons::Lecture;
use crate::app::timeline::{Look, Recording};
use crate::experiment::ViewKind;
use crate::loss::LOSSES;
use crate::scene::Direction;
use crate::trainer::Command;

/// A key with what it does.
pub(super) struct Binding {
    key: Key,
    modifiers: Modifiers,
    /// As it is written in the list.
    pub label: &'static str,
    /// What it does.
    pub help: &'static str,
    action: fn() -> Action,
}

const fn binding(
    key: Key,
    label: &'static str,
    help: &'static str,
    action: fn() -> Action,
) -> Binding {
    Binding {
        key,
        modifiers: Modifiers::NONE,
        label,
        help,
        action,
    }
}

/// Keys beside the digits of the losses.
pub(super) static BINDINGS: &[Binding] = &[
    binding(Key::Space, "space", "play or pause", || {
        Action::Send(Command::TogglePlay)
    }),
    binding(Key::ArrowRight, "→", "one training step", || {
        Action::Send(Command::Step(1))
    }),
    binding(Key::ArrowLeft, "←", "one recorded moment back", || {
        Action::Look(Look::By(-1))
    }),
    binding(Key::Home, "Home", "the first step", || {
        Action::Look(Look::Start)
    }),
    binding(Key::End, "End", "the newest step", || {
        Action::Look(Look::Now)
    }),
    binding(Key::J, "J", "play the recording backwards, faster", || {
        Action::Recording(Recording::Backward)
    }),
    binding(Key::K, "K", "stop it", || {
        Action::Recording(Recording::Stop)
    }),
    binding(Key::L, "L", "play it forwards, faster", || {
        Action::Recording(Recording::Forward)
    }),
    binding(
        Key::Enter,
        "Enter",
        "train on from the moment shown",
        || Action::Recording(Recording::GoOn),
    ),
    binding(Key::A, "A", "one more pane, to compare", || {
        Action::Pane(PaneAction::Add)
    }),
    binding(Key::W, "W", "the controls to the next pane", || {
        Action::Pane(PaneAction::Next)
    }),
    Binding {
        key: Key::Z,
        modifiers: Modifiers::COMMAND,
        label: "Ctrl+Z",
        help: "undo a setting, a drag or a closed pane",
        action: || Action::Undo,
    },
    Binding {
        key: Key::Y,
        modifiers: Modifiers::COMMAND,
        label: "Ctrl+Y",
        help: "redo",
        action: || Action::Redo,
    },
    binding(Key::Comma, ",", "slower", || Action::Slower),
    binding(Key::Period, ".", "faster", || Action::Faster),
    binding(Key::R, "R", "restart from the same seed", || {
        Action::Send(Command::Restart)
    }),
    binding(Key::P, "P", "plane", || Action::View(ViewKind::Plane)),
    binding(Key::C, "C", "circle", || Action::View(ViewKind::Circle)),
    binding(Key::S, "S", "sphere", || Action::View(ViewKind::Sphere)),
    binding(Key::I, "I", "inputs", || Action::View(ViewKind::Input)),
    binding(Key::D, "D", "draw a digit", || Action::ToggleDraw),
    binding(Key::F, "F", "fit the view", || Action::Fit),
    binding(Key::E, "E", "save the picture", || {
        Action::Save(Saving::as_shown(SaveTo::Dialog))
    }),
    Binding {
        key: Key::E,
        modifiers: Modifiers::SHIFT,
        label: "Shift+E",
        help: "save it to Pictures at once",
        action: || Action::Save(Saving::as_shown(SaveTo::Pictures)),
    },
    Binding {
        key: Key::O,
        modifiers: Modifiers::COMMAND,
        label: "Ctrl+O",
        help: "open a file",
        action: || Action::Open,
    },
    Binding {
        key: Key::S,
        modifiers: Modifiers::COMMAND,
        label: "Ctrl+S",
        help: "save the session",
        action: || Action::SaveSession,
    },
    binding(Key::N, "N", "next sample", || {
        Action::Neighbor(Direction::Next)
    }),
    Binding {
        key: Key::N,
        modifiers: Modifiers::SHIFT,
        label: "Shift+N",
        help: "the sample before",
        action: || Action::Neighbor(Direction::Previous),
    },
    binding(Key::Escape, "Esc", "let the sample go, light all", || {
        Action::Escape
    }),
    binding(Key::T, "T", "dark or light", || Action::ToggleTheme),
    binding(Key::F1, "F1", "lessons and failures", || {
        Action::Lecture(Lecture::List)
    }),
    binding(
        Key::PageDown,
        "Page Down",
        "next step of a lesson, or next loss in presenter view",
        || Action::Lecture(Lecture::Next),
    ),
    binding(Key::PageUp, "Page Up", "the step before", || {
        Action::Lecture(Lecture::Back)
    }),
    binding(Key::F5, "F5", "presenter view", || Action::TogglePresenter),
    binding(Key::B, "B", "spotlight about the pointer", || {
        Action::ToggleSpotlight
    }),
    binding(Key::Questionmark, "?", "this list", || Action::ToggleKeys),
];

const DIGITS: [Key; 9] = [
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
];

/// Keys that move the focus, or that controls take: buttons, lists and sliders.
const OF_CONTROLS: [Key; 6] = [
    Key::Space,
    Key::Enter,
    Key::ArrowLeft,
    Key::ArrowRight,
    Key::ArrowUp,
    Key::ArrowDown,
];

/// A control that takes more keys than others while it has the focus.
#[derive(Clone, Copy)]
struct Taker {
    control: Id,
    keys: &'static [Key],
}

fn taker_id() -> Id {
    Id::unique("taker of keys")
}

/// A control that has the focus takes these keys, too.
pub(super) fn take(ui: &Ui, control: Id, keys: &'static [Key]) {
    let taker = Taker { control, keys };
    ui.data_mut(|data| data.insert_temp(taker_id(), taker));
}

/// What the keys pressed since the last frame ask for. Silent while a text is edited, and for the
/// keys that the focused control takes.
pub(super) fn pressed(ctx: &Context) -> Vec<Action> {
    if ctx.text_edit_focused() {
        return Vec::new();
    }
    let focused = ctx.memory(Memory::focused);
    let taker = ctx.data(|data| data.get_temp::<Taker>(taker_id()));
    let taker = taker.filter(|taker| Some(taker.control) == focused);
    let is_taken = |event: &Event| match event {
        Event::Key { key, .. } if focused.is_some() => {
            OF_CONTROLS.contains(key) || taker.is_some_and(|taker| taker.keys.contains(key))
        }
        _ => false,
    };
    let events = ctx.input(|input| input.events.clone());
    let free = events.iter().filter(|event| !is_taken(event));
    free.filter_map(action_of).collect()
}

/// What one event asks for. Modifiers are those of the event: by the end of a slow frame Shift may
/// be up again. A key held down acts once, but for steps.
fn action_of(event: &Event) -> Option<Action> {
    let Event::Key {
        key,
        pressed: true,
        repeat,
        modifiers,
        ..
    } = event
    else {
        return None;
    };
    if *repeat && !matches!(key, Key::ArrowLeft | Key::ArrowRight) {
        return None;
    }
    let bound = BINDINGS
        .iter()
        .find(|binding| binding.key == *key && matches(*modifiers, binding));
    if let Some(binding) = bound {
        return Some((binding.action)());
    }
    let loss = LOSSES.iter().find(|spec| {
        let digit = spec
            .key
            .and_then(|digit| DIGITS.get(usize::from(digit).wrapping_sub(1)));
        digit == Some(key) && modifiers.is_none()
    });
    loss.map(|spec| Action::ChooseLoss(spec))
}

/// A question mark is typed with Shift on most keyboards.
fn matches(modifiers: Modifiers, binding: &Binding) -> bool {
    let with_shift = modifiers.shift == binding.modifiers.shift || binding.key == Key::Questionmark;
    with_shift && modifiers.command == binding.modifiers.command && !modifiers.alt
}
