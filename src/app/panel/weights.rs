//! Class weights by their angles: what the pointer does in the picture, for the keyboard.

use egui::{DragValue, RichText, ScrollArea, Sense, Ui, Vec2};

use crate::app::action::Action;
use crate::app::hold::Hand;
use crate::app::theme;
use crate::app::widget::{row, scroll_to_focus};
use crate::experiment::{Experiment, Placed, Placement};
use crate::loss::Form;
use crate::scene::theme::class_color;
use crate::trainer::HeadState;

/// Height of the list, beyond which it scrolls.
const MOST_HEIGHT: f32 = 300.0;
/// Radius of a class's colour.
const SWATCH_RADIUS: f32 = 4.5;

/// A row for each class: its colour, the angles of its weight, and whether it stays where it is.
pub(crate) fn weights_ui(
    ui: &mut Ui,
    experiment: &Experiment,
    head: &HeadState,
    names: &[String],
    actions: &mut Vec<Action>,
) {
    let first = usize::from(head.spec.form == Form::Binary); // the other one is 0
    let hint = "A pinned weight stays where it is while everything else is trained.";
    ui.label(RichText::new(hint).weak().size(theme::size::NOTE));
    let height = ui.spacing().interact_size.y + ui.spacing().item_spacing.y;
    let n_rows = names.len().saturating_sub(first);
    let list = ScrollArea::vertical().id_salt("class weights");
    let list = list.max_height(MOST_HEIGHT).auto_shrink([false, true]);
    // However little of the panel is left: it scrolls itself.
    let list = list.min_scrolled_height(MOST_HEIGHT);
    list.show_viewport(ui, |ui, seen| {
        if n_rows as f32 * height > MOST_HEIGHT {
            ui.set_max_width(ui.available_width() - theme::SCROLL_BAR_ROOM);
        }
        // A row more at either end: from the last one in sight the keyboard leads there.
        let rows = (seen.min.y / height) as usize..n_rows.min((seen.max.y / height) as usize + 2);
        let rows = rows.start.saturating_sub(1)..rows.end;
        ui.add_space(rows.start as f32 * height);
        ui.skip_ahead_auto_ids(rows.start); // a row stays itself while the list scrolls
        for class in rows.clone().map(|row| first + row) {
            ui.horizontal(|ui| {
                swatch(ui, class);
                let name = &names[class];
                weight_ui(ui, experiment, head.weight(class), class, name, actions);
            });
        }
        ui.add_space((n_rows - rows.end) as f32 * height);
        scroll_to_focus(ui);
    });
}

fn swatch(ui: &mut Ui, class: usize) {
    let size = Vec2::splat(2.0 * SWATCH_RADIUS);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let color = theme::color(class_color(class));
    ui.painter()
        .circle_filled(rect.center(), SWATCH_RADIUS, color);
}

fn weight_ui(
    ui: &mut Ui,
    experiment: &Experiment,
    weight: &[f32],
    class: usize,
    name: &str,
    actions: &mut Vec<Action>,
) {
    let what = format!("weight of {name}");
    row(ui, name, |ui, _| {
        let mut is_pinned = experiment.hold.pinned.contains(&class);
        let pin = ui.checkbox(&mut is_pinned, "pin");
        let help = "It stays where it is while everything else is trained";
        pin.widget_info(|| {
            let name = format!("pin the {what}");
            egui::WidgetInfo::selected(egui::Role::CheckBox, true, is_pinned, name)
        });
        if pin.on_hover_text(help).changed() {
            actions.push(Action::Hand(Hand::Pin(class, is_pinned)));
        }
        if let Some(to) = angles_ui(ui, weight, &what) {
            let what = Placed::Weight(class);
            actions.push(Action::Hand(Hand::Place(Placement { what, to })));
        }
    });
}

/// The angles of a vector of two or three numbers in degrees; the vector once one was changed.
fn angles_ui(ui: &mut Ui, w: &[f32], what: &str) -> Option<Vec<f32>> {
    let (length, mut angles) = polar_deg(w)?;
    let before = angles.clone();
    let names = ["angle", "elevation"];
    // Laid out from the right.
    for (angle_deg, name) in angles.iter_mut().zip(names).rev() {
        let drag = DragValue::new(angle_deg)
            .speed(1.0)
            .max_decimals(0)
            .suffix("°");
        let response = ui.add(drag).on_hover_text(format!(
            "Turn the {what}; in the picture its label can be dragged"
        ));
        response.widget_info(|| {
            egui::WidgetInfo::labeled(
                egui::Role::SpinButton,
                true,
                format!("{name} of the {what}"),
            )
        });
    }
    (angles != before).then(|| vector(length, &angles))
}

/// Length and angles of a vector of two numbers (from the first axis) or three (the same, and from
/// the plane of the first two); `None` for another or for 0.
fn polar_deg(w: &[f32]) -> Option<(f32, Vec<f32>)> {
    let length = w.iter().map(|x| x * x).sum::<f32>().sqrt();
    let angle_deg = || w[1].atan2(w[0]).to_degrees();
    let angles = match w.len() {
        2 => vec![angle_deg()],
        3 => vec![angle_deg(), w[2].atan2(w[0].hypot(w[1])).to_degrees()],
        _ => return None,
    };
    (length > 0.0).then_some((length, angles))
}

fn vector(length: f32, angles_deg: &[f32]) -> Vec<f32> {
    let (sin, cos) = angles_deg[0].to_radians().sin_cos();
    match angles_deg.get(1).map(|deg| deg.to_radians().sin_cos()) {
        None => vec![length * cos, length * sin],
        Some((up, along)) => vec![length * along * cos, length * along * sin, length * up],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_and_vector_are_one_thing() {
        for w in [
            vec![0.3_f32, -2.0],
            vec![-1.0, 0.5, 0.25],
            vec![0.0, 0.0, -3.0],
        ] {
            let (length, angles) = polar_deg(&w).expect("a direction");
            let again = vector(length, &angles);
            assert!(
                w.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-5),
                "{w:?} {again:?}"
            );
        }
        assert_eq!(polar_deg(&[0.0, 0.0]), None);
        assert_eq!(polar_deg(&[1.0; 4]), None);
    }
}
