//! Runs side by side, the bar of the timeline, and what can be undone.

use super::*;

fn press_with_command(harness: &mut Harness<'_, App>, key: Key) {
    harness.key_press_modifiers(Modifiers::COMMAND, key);
    harness.run_steps(3);
}

fn click(harness: &mut Harness<'_, App>, button: &str) {
    harness.get_by_role_and_label(Role::Button, button).click();
    harness.run_steps(3);
}

fn steps(app: &App) -> Vec<u64> {
    app.snapshots().flatten().map(|seen| seen.step).collect()
}

fn losses(app: &App) -> Vec<&'static str> {
    let seen = app.snapshots().flatten();
    seen.map(|seen| seen.head.spec.id).collect()
}

fn pause(harness: &mut Harness<'_, App>) {
    click(harness, "Pause");
    wait_for(harness, "a pause", |app| {
        app.snapshots().flatten().all(|seen| !seen.is_playing)
    });
}

/// Some steps at rest, so that there is something to look back at.
fn resting_run(n_steps: u64) -> Harness<'static, App> {
    let mut harness = window(&small(&[]));
    wait_for(&mut harness, "some steps", |app| steps(app)[0] > n_steps);
    pause(&mut harness);
    harness
}

#[test]
fn a_pane_is_one_click_and_goes_its_own_way_in_step() {
    let mut harness = window(&small(&[]));
    click(&mut harness, "Compare");
    click(&mut harness, "ArcFace");
    wait_for(&mut harness, "two losses", |app| {
        losses(app) == ["softmax", "arcface"]
    });
    pause(&mut harness);
    wait_for(&mut harness, "the same step", |app| {
        let steps = steps(app);
        steps[0].abs_diff(steps[1]) <= 1
    });
    harness.get_by_role_and_label(Role::RadioButton, "Pane A");
    assert!(
        harness.query_by_label("accuracy %").is_some(),
        "meters side by side"
    );
}

#[test]
fn a_pane_that_is_ahead_says_for_whom_it_waits() {
    let mut harness = resting_run(20);
    click(&mut harness, "Compare");
    // So many that they are not made between two frames, however busy the machine is.
    let ahead = snapshot(&harness).step + 30_000;
    click(&mut harness, "Play pane B");
    wait_for(&mut harness, "a lead", |app| steps(app)[1] > ahead);
    click(&mut harness, "Pause pane B");
    assert!(harness.query_by_label_contains("waits for").is_none());
    harness.key_press(Key::Space);
    super::lessons::wait_for_words(&mut harness, "waits for A: ");
    harness.get_by_label_contains(" steps to go");
    wait_for(&mut harness, "both to go on", |app| {
        let steps = steps(app);
        steps[0] > ahead && steps[0].abs_diff(steps[1]) < 50
    });
    pause(&mut harness);
    assert!(harness.query_by_label_contains("waits for").is_none());
}

#[test]
fn controls_belong_to_the_pane_that_was_chosen() {
    let mut harness = resting_run(20);
    click(&mut harness, "Compare");
    harness
        .get_by_role_and_label(Role::RadioButton, "Pane A")
        .click();
    harness.run_steps(3);
    click(&mut harness, "CosFace");
    wait_for(&mut harness, "two losses", |app| {
        losses(app) == ["cosface", "softmax"]
    });
}

#[test]
fn a_pane_that_rests_leaves_the_others_and_catches_up() {
    let mut harness = window(&small(&[]));
    click(&mut harness, "Compare");
    click(&mut harness, "Pause pane A");
    wait_for(&mut harness, "one pane alone", |app| {
        let seen: Vec<_> = app.snapshots().flatten().collect();
        seen.len() == 2 && !seen[0].is_playing && seen[1].step > seen[0].step + 100
    });
    click(&mut harness, "Play pane A");
    wait_for(&mut harness, "the other one to catch up", |app| {
        let steps = steps(app);
        steps[0] + 200 > steps[1] && steps[0] > 100
    });
}

#[test]
fn six_panes_are_the_most() {
    let mut harness = resting_run(3);
    for n in 2..=6 {
        harness.key_press(Key::A);
        wait_for(&mut harness, "one more", |app| steps(app).len() == n);
    }
    harness.key_press(Key::A);
    harness.run_steps(3);
    assert_eq!(steps(harness.state()).len(), 6);
    harness.get_by_label_contains("close one first");
}

#[test]
fn a_closed_pane_comes_back_as_it_was() {
    let mut harness = resting_run(20);
    click(&mut harness, "Compare");
    click(&mut harness, "ArcFace");
    wait_for(&mut harness, "two losses", |app| {
        losses(app).len() == 2 && losses(app)[1] == "arcface"
    });
    harness.run_steps(20); // the choice is done
    click(&mut harness, "Close pane B");
    wait_for(&mut harness, "one pane", |app| losses(app) == ["softmax"]);
    harness.run_steps(20);
    press_with_command(&mut harness, Key::Z);
    wait_for(&mut harness, "the closed one", |app| {
        losses(app) == ["softmax", "arcface"]
    });
    press_with_command(&mut harness, Key::Y);
    wait_for(&mut harness, "one pane", |app| losses(app) == ["softmax"]);
}

#[test]
fn a_pane_that_was_closed_while_it_trained_trains_on() {
    let mut harness = window(&small(&[]));
    harness.key_press(Key::A);
    wait_for(&mut harness, "two panes that train", |app| {
        let steps = steps(app);
        steps.len() == 2 && steps.iter().all(|&step| step > 5)
    });
    harness.run_steps(20);
    click(&mut harness, "Close pane B");
    wait_for(&mut harness, "one pane", |app| steps(app).len() == 1);
    harness.run_steps(20);
    press_with_command(&mut harness, Key::Z);
    wait_for(&mut harness, "both to train", |app| {
        let seen: Vec<_> = app.snapshots().flatten().collect();
        seen.len() == 2 && seen.iter().all(|seen| seen.is_playing)
    });
}

#[test]
fn panes_that_were_closed_come_back_in_their_order() {
    let mut harness = resting_run(20);
    for loss in ["ArcFace", "CosFace", "NormFace"] {
        click(
            &mut harness,
            if loss == "ArcFace" {
                "Compare"
            } else {
                "+ Pane"
            },
        );
        click(&mut harness, loss);
    }
    let all = ["softmax", "arcface", "cosface", "normface"];
    wait_for(&mut harness, "four losses", |app| losses(app) == all);
    harness.run_steps(20);
    for _ in 0..2 {
        let close = harness.get_by_role_and_label(Role::Button, "Close pane B");
        close.click();
        harness.run_steps(2); // both are one thing to undo
    }
    wait_for(&mut harness, "two panes", |app| {
        losses(app) == ["softmax", "normface"]
    });
    harness.run_steps(20);
    press_with_command(&mut harness, Key::Z);
    wait_for(&mut harness, "all of them", |app| losses(app) == all);
}

#[test]
fn settings_are_undone_and_training_is_not() {
    let mut harness = resting_run(20);
    let step = snapshot(&harness).step;
    harness.run_steps(20);
    click(&mut harness, "ArcFace");
    harness.run_steps(20);
    harness
        .get_by_role_and_label(Role::Slider, "margin m")
        .focus();
    harness.step();
    let margin = |app: &App| app.experiment().loss_values()[0];
    let before = margin(harness.state());
    harness.key_press(Key::ArrowRight);
    wait_for(&mut harness, "another margin", |app| margin(app) > before);
    harness.run_steps(20);
    harness.get_by_label("timeline").click(); // the focus off the slider
    harness.run_steps(3);
    harness.key_press(Key::End);
    harness.run_steps(20);
    press_with_command(&mut harness, Key::Z);
    assert!((margin(harness.state()) - before).abs() < 1e-9);
    press_with_command(&mut harness, Key::Z);
    wait_for(&mut harness, "softmax", |app| loss_id(app) == "softmax");
    press_with_command(&mut harness, Key::Y);
    wait_for(&mut harness, "ArcFace", |app| loss_id(app) == "arcface");
    assert_eq!(snapshot(&harness).step, step);
    assert_eq!(snapshot(&harness).generation, 1, "no restart");
}

#[test]
fn what_was_recorded_is_looked_at_again() {
    let mut harness = window(&small(&[]));
    let mut moments = std::collections::BTreeSet::new();
    while moments.len() < 40 {
        wait_for(&mut harness, "a picture", |app| {
            !moments.contains(&steps(app)[0])
        });
        moments.insert(snapshot(&harness).step);
    }
    pause(&mut harness);
    let last = snapshot(&harness).step;
    harness.key_press(Key::Home);
    wait_for(&mut harness, "the first step", |app| steps(app) == [0]);
    assert!(snapshot(&harness).metrics.accuracy < 0.9);
    harness.key_press(Key::ArrowRight);
    wait_for(&mut harness, "the next moment", |app| steps(app)[0] > 0);
    harness.key_press(Key::ArrowLeft);
    wait_for(&mut harness, "the first step", |app| steps(app) == [0]);
    click(&mut harness, "Play the recording");
    harness.get_by_role_and_label(Role::Button, "Pause the recording");
    harness.key_press(Key::K);
    harness.run_steps(2);
    assert!(steps(harness.state())[0] < last);
    harness.get_by_role_and_label(Role::Button, "Play the recording");
    harness.key_press(Key::L);
    wait_for(&mut harness, "the end of the recording", |app| {
        steps(app) == [last]
    });
    harness.get_by_role_and_label(Role::Button, "Play");
    harness.key_press(Key::J);
    wait_for(&mut harness, "the start of it", |app| steps(app) == [0]);
    click(&mut harness, "Now");
    assert_eq!(steps(harness.state()), [last]);
}

#[test]
fn a_change_in_the_past_branches_and_leaves_the_other_way() {
    let mut harness = resting_run(60);
    let last = snapshot(&harness).step;
    for _ in 0..5 {
        harness.key_press(Key::Comma); // one step a second
    }
    harness.key_press(Key::Home);
    wait_for(&mut harness, "the first step", |app| steps(app) == [0]);
    click(&mut harness, "NormFace");
    wait_for(&mut harness, "the other loss to go on", |app| {
        app.snapshot().is_some_and(|seen| {
            let is_other = seen.head.spec.id == "normface";
            is_other && seen.is_playing && (1..last).contains(&seen.step)
        })
    });
    // The way that was left is still there, at the right end of the second row.
    let bar = harness.get_by_label("timeline").rect();
    let at = egui::pos2(bar.right() - 4.0, bar.center().y + 9.0);
    harness.drag_at(at);
    harness.drop_at(at);
    wait_for(&mut harness, "softmax again", |app| {
        losses(app) == ["softmax"] && steps(app) == [last]
    });
}

#[test]
fn a_change_in_the_past_branches_all_panes_and_they_go_on_in_step() {
    let mut harness = resting_run(60);
    click(&mut harness, "Compare");
    click(&mut harness, "ArcFace");
    wait_for(&mut harness, "two losses", |app| losses(app).len() == 2);
    let last = snapshot(&harness).step;
    for _ in 0..5 {
        harness.key_press(Key::Comma); // one step a second
    }
    harness.key_press(Key::Home);
    wait_for(&mut harness, "the first step", |app| steps(app) == [0, 0]);
    click(&mut harness, "NormFace");
    wait_for(&mut harness, "both to go on", |app| {
        app.snapshots()
            .flatten()
            .all(|seen| seen.is_playing && (1..last).contains(&seen.step))
    });
    assert_eq!(losses(harness.state()), ["softmax", "normface"]);
    let steps_of = steps(harness.state());
    assert!(steps_of[0].abs_diff(steps_of[1]) <= 1, "{steps_of:?}");
    // Each has the way that it left, with the loss it had, at the right end of the second row.
    for (pane, left) in [("Pane B", "arcface"), ("Pane A", "softmax")] {
        let pane = harness.get_by_role_and_label(Role::RadioButton, pane);
        pane.click();
        harness.run_steps(3);
        let bar = harness.get_by_label("timeline").rect();
        let at = egui::pos2(bar.right() - 4.0, bar.center().y + 9.0);
        harness.drag_at(at);
        harness.drop_at(at);
        wait_for(&mut harness, "the way that was left", |app| {
            let seen = app.snapshot();
            seen.is_some_and(|seen| seen.step == last && seen.head.spec.id == left)
        });
    }
}

#[test]
fn training_goes_on_from_a_moment() {
    let mut harness = resting_run(60);
    let last = snapshot(&harness).step;
    harness.key_press(Key::Home);
    wait_for(&mut harness, "the first step", |app| steps(app) == [0]);
    click(&mut harness, "Go on from here");
    wait_for(&mut harness, "as many steps", |app| {
        app.snapshot()
            .is_some_and(|seen| seen.step > last && seen.is_playing)
    });
}

#[test]
fn panes_look_back_together() {
    let mut harness = resting_run(60);
    click(&mut harness, "Compare");
    click(&mut harness, "ArcFace");
    wait_for(&mut harness, "two losses", |app| losses(app).len() == 2);
    let last = snapshot(&harness).step;
    harness.key_press(Key::Space);
    wait_for(&mut harness, "more steps", |app| {
        app.snapshots()
            .flatten()
            .all(|seen| seen.is_playing && seen.step > last)
    });
    pause(&mut harness);
    harness.key_press(Key::Home);
    wait_for(&mut harness, "the first step", |app| steps(app) == [0, 0]);
    harness.key_press(Key::End);
    wait_for(&mut harness, "now", |app| {
        steps(app).iter().all(|&step| step > last)
    });
}

#[test]
fn undo_is_of_the_settings_of_now_and_makes_no_fork() {
    let mut harness = resting_run(60);
    harness.run_steps(12);
    click(&mut harness, "ArcFace");
    harness.run_steps(12);
    let last = snapshot(&harness).step;
    harness.key_press(Key::Home);
    wait_for(&mut harness, "the first step", |app| steps(app) == [0]);
    press_with_command(&mut harness, Key::Z);
    wait_for(&mut harness, "softmax", |app| loss_id(app) == "softmax");
    assert_eq!(steps(harness.state()), [last]);
}

#[test]
fn a_pane_that_plays_is_seen_to_play() {
    let mut harness = resting_run(60);
    click(&mut harness, "Compare");
    let last = snapshot(&harness).step;
    harness.key_press(Key::Home);
    wait_for(&mut harness, "the first step", |app| steps(app) == [0, 0]);
    click(&mut harness, "Play pane B");
    wait_for(&mut harness, "further steps", |app| steps(app)[1] > last);
    assert_eq!(steps(harness.state())[0], last);
}

#[test]
fn escape_ends_presenter_view() {
    let mut harness = resting_run(3);
    harness.key_press(Key::F5);
    harness.run_steps(4);
    assert!(harness.query_by_label("Compare").is_none());
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    harness.get_by_label("Compare");
}

/// A run beside recordings would be another one than what is compared.
#[test]
fn a_pane_made_in_the_past_begins_there_beside_the_run_itself() {
    let mut harness = resting_run(300);
    harness.key_press(Key::Home);
    harness.run_steps(3);
    harness.key_press(Key::A);
    wait_for(&mut harness, "two runs at the first step", |app| {
        steps(app) == [0, 0]
    });
    harness.run_steps(3);
    harness.get_by_label_contains("All runs are back at this step");
    assert!(harness.query_by_label("Go on from here").is_none(), "now");
    harness.get_by_role_and_label(Role::Button, "Play").click();
    wait_for(&mut harness, "both to train", |app| {
        steps(app).iter().all(|&step| step > 100)
    });
    pause(&mut harness);
    let heads: Vec<_> = harness.state().snapshots().flatten().collect();
    assert_eq!(heads[0].head.weights, heads[1].head.weights);
}

#[test]
fn pictures_that_take_turns_all_end_with_the_newest_step() {
    let mut harness = window(&small(&[("loss.id", "arcface"), ("view.kind", "circle")]));
    wait_for(&mut harness, "some steps", |app| steps(app)[0] > 3);
    pause(&mut harness);
    for n in 2..=4 {
        harness.key_press(Key::A);
        wait_for(&mut harness, "one more", |app| steps(app).len() == n);
    }
    wait_for_rest(&mut harness);
    let last = steps(harness.state())[0] + 500;
    harness.key_press(Key::Space);
    wait_for(&mut harness, "more steps", |app| steps(app)[0] > last);
    pause(&mut harness);
    wait_for(&mut harness, "one step", |app| {
        let steps = steps(app);
        steps.iter().all(|&step| step == steps[0])
    });
    // Curves are computed by a thread, for which no frame waits: the last of them is the one after
    // which none is asked for.
    wait_for_rest(&mut harness);
    let app = harness.state();
    let shown: Vec<u64> = app.pictured().flatten().map(|shown| shown.step).collect();
    assert_eq!(shown, steps(app));
    assert!(shown.len() == 4 && shown[0] > last, "{shown:?} {last}");
}

/// Lets frames pass until none is asked for.
fn wait_for_rest(harness: &mut Harness<'_, App>) {
    for _ in 0..2000 {
        harness.step();
        let windows = &harness.output().viewport_output;
        if windows
            .values()
            .all(|window| !window.repaint_delay.is_zero())
        {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("frames are asked for without end");
}
